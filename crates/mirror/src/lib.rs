//! The newest weather of each market in a Redis or Valkey server, for whoever would rather read a key than ask over HTTP (R3.48).
//!
//! A thread of its own asks a [`MirrorSource`] what is new and writes it ([`Mirror`]); nobody waits for it, and nothing that it does
//! not get written is missed by anything else. It keeps no queue: what it has not written is asked for again, so that of each market
//! only the newest minute can ever wait. Left out on purpose: reading (but for the answers to its own commands), TLS, clusters, and
//! what the written bytes mean. Commands and replies are those of the RESP protocol, version 2, which Redis and Valkey share.

mod address;
mod run;
mod server;
mod source;
mod stats;

pub use address::MirrorAddress;
use barograph_domain::Span;
use core::time::Duration;
pub use run::{Mirror, MirrorReport};
pub use server::{MirrorError, probe};
pub use source::{MirrorSource, Mirrored, board_key, snapshot_key};
pub use stats::{MirrorState, MirrorStats};

/// A snapshot can be read for so long after its minute: three minutes are published in that time, so that two may fail to arrive.
pub const SNAPSHOT_FOR: Span = Span::mins(3);
/// Rows of the board are written so often: their prices move all the time, and a thousand rows are half a megabyte.
pub const BOARD_EVERY: Duration = Duration::from_secs(5);
/// A row of the board can be read for so long after it was written: six are written in that time.
pub const BOARD_FOR: Duration = Duration::from_secs(30);
/// The key [`VERSION_KEY`] can be read for so long after the last write, to see when a mirror that has ended was at work.
pub const VERSION_FOR: Duration = Duration::from_secs(86_400);
/// Who writes, by what logic, and when it wrote last.
pub const VERSION_KEY: &str = "barograph:v1:version";
