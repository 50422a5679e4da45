//! The questions about the market, and their answers: one layer under the HTTP surface, the command line and whatever asks next.
//!
//! An answer comes from the store, or from the memory of a live process where the present is asked about ([`live`]); rows become
//! words here and nowhere else ([`render`]). Left out on purpose: how a process listens, what it is set to, terminals, exit codes.

mod advice;
pub mod analysis;
pub mod calls;
pub mod cases;
pub mod contest;
pub mod declared;
pub mod delivery;
pub mod drift;
pub mod episode;
mod error;
pub mod events;
pub mod followed;
pub mod gap_alert;
mod health;
pub mod levels;
pub mod live;
pub mod narrative;
pub mod onchain;
pub mod options;
pub mod outcomes;
pub mod paper;
pub mod positions;
pub mod recorded;
pub mod render;
mod reopened;
pub mod scores;
pub mod service;
pub mod session_forecasts;
pub mod shown;
pub mod signal_bars;
pub mod signal_revisions;
pub mod signals;
pub mod similar;
pub mod studies;
pub mod watch;
pub mod whatif;

pub use error::{Error, chain};
