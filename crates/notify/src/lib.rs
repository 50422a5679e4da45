//! From a notice to a person: what goes to whom and when, as which request, over which connection.
//!
//! Ring 2. [`plan`] decides, on a clock that is an argument; [`format`] makes requests, [`sign`] signs them, [`transport`] carries
//! them to addresses that were checked, [`outcome`] reads the answers; [`dispatch`] joins these with a store that the program
//! provides ([`outbox`]). Delivery is at least once: a try is on record when it is over, and a repetition has the same id. Formats,
//! limits and rules are those of delivery §2–§7 and UX §5. Absent on purpose: the store, settings files, the environment, and
//! any opinion about what is worth an alert.
#![warn(missing_docs)]

pub mod ask;
pub mod budget;
pub mod dispatch;
pub mod embed;
pub mod format;
pub mod labels;
pub mod outbox;
pub mod outcome;
pub mod plan;
pub mod receiver;
pub mod sample;
pub mod schedule;
pub mod secret;
pub mod sign;
#[cfg(test)]
pub mod testing;
pub mod transport;
