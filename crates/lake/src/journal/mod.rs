//! The journal: every byte received and everything decided, on disk before it is interpreted.
//!
//! ```text
//! <data>/journal/venue=<id>/date=<YYYY-MM-DD>/<connection>-<n>.zst    lines "<recv_ns> <frame>"
//! <data>/journal/control/date=<YYYY-MM-DD>/<n>.zst                    lines of JSON, one control record each
//! ```
//!
//! `zstdcat` shows any of these files. Line 1 is a header (`#` and JSON); the lines behind it are numbered by connection,
//! through all its files. A newline, carriage return or backslash inside a frame is written as two characters. Every line
//! of a data folder has its own stamp, so merging all files by stamp gives back the order in which things were processed;
//! only the answer to a request shares its stamp with the control record that says what it answers.
//!
//! **What survives.** Lines are with the operating system one second after their stamp, and at any time a [`Ticket`] of
//! [`JournalWriter::flush`] is done: the caller waits for one before it commits a snapshot made from these lines. They are on
//! the device after ten seconds, when a file is closed, and when a ticket of [`JournalWriter::sync`] is done. After a failed
//! write nothing more is written. A crash costs at most what was not yet flushed, on some connections more than on others: of
//! the last second, a later line may be there and an earlier one of another file not. Files are never repaired in place. A file whose
//! header is damaged is read all the same: its name and its blocks say what it is.
//!
//! Left out on purpose: what a frame means (that is `venues`), clocks (stamps are arguments), compaction of old hours.
//! Layout and flush rule: ARCHITECTURE.md; block format and its measurements: ADR 11.

mod block;
mod closed;
mod config;
mod cursor;
mod disk;
mod drain;
mod error;
mod escape;
mod lane;
mod layout;
mod lock;
mod parcel;
mod prune;
mod queue;
mod reader;
mod record;
mod recover;
mod scan;
mod sequence;
mod settled;
mod source;
mod writer;

pub use block::VERSION;
pub use closed::{ClosedFiles, closed_files};
pub use config::{JournalConfig, JournalStats};
pub use cursor::JournalCursor;
pub use error::{Error, Recovery, Result};
pub use lock::is_written;
pub use parcel::{Parcel, ParcelEntry, ParcelWriter};
pub use prune::{Pruned, Retention, prune};
pub use queue::Ticket;
pub use reader::{Entry, EntryKind, JournalReader, Selection};
pub use record::ControlRecord;
pub use recover::{RecoveredJournal, Tail, survey};
pub use settled::SettledJournal;
pub use writer::{FRAME_BYTES_MAX, FileKey, JournalWriter};

/// Name of the pseudo connection of a venue on which the bodies of its answers are journalled.
pub const REST: &str = "rest";
