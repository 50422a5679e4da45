//! Live operation: venues listened to, everything journalled, one engine, published minute by minute.
//!
//! A process begins in [`start`]; what it is to listen to and how long things are kept is handed to it, resolved. What it has in
//! memory is read through `barograph_query`, which it implements and which knows nothing of it. Left out on purpose: settings as
//! they are written, commands, terminals, exit codes.

mod alert_lines;
pub mod calendar;
mod catchup;
mod change;
mod checkpoint;
pub mod config;
mod core;
pub mod delivery;
pub mod digest;
pub mod discover;
mod due;
mod error;
mod fitting;
mod flows;
mod forecasts;
mod hours;
pub mod ledger;
pub mod ledger_check;
mod links;
pub mod meter;
pub mod mirror;
pub mod onchain;
pub mod options;
mod peers;
mod process;
mod publish;
mod published;
pub mod random;
pub mod ranges;
pub mod recorder;
pub mod replay;
mod samples;
mod scheduled;
pub mod setup;
pub mod share;
pub mod start;
mod state;
mod storing;
pub mod tags;
#[cfg(test)]
mod tests;
pub mod universe;
pub mod verify;
pub mod view;
pub mod worker;

use barograph_query::chain;
pub use due::take_due;
pub use error::Error;
pub use process::Change;
pub use storing::Keep;
