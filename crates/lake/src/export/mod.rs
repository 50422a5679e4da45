//! The journal, and recordings, in the forms other tools read.
//!
//! [`hftbacktest`]: the gzip form of that tool's own collector, read by its own converter. [`events`]: its array of events, of any venue.

pub mod events;
pub mod hftbacktest;
mod stream;

pub use events::{EventReport, EventWriter};
pub use hftbacktest::{ExportReport, export_hftbacktest};
