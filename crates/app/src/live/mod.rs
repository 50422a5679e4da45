//! Live operation: venues listened to, everything journalled, one engine, published minute by minute.

mod alert_lines;
pub(crate) mod catchup;
pub(crate) mod change;
pub(crate) mod checkpoint;
pub(crate) mod config;
pub(crate) mod core;
pub(crate) mod discover;
#[cfg(test)]
mod ends;
#[cfg(test)]
mod faults;
#[cfg(test)]
mod fitted;
pub(crate) mod fitting;
pub(crate) mod hours;
pub(crate) mod links;
pub(crate) mod meter;
pub(crate) mod process;
pub(crate) mod publish;
pub(crate) mod published;
pub(crate) mod replay;
pub(crate) mod samples;
pub(crate) mod scheduled;
pub(crate) mod start;
pub(crate) mod state;
#[cfg(test)]
mod stops;
pub(crate) mod storing;
pub(crate) mod verify;
pub(crate) mod view;
pub(crate) mod watch;
pub(crate) mod weather;
