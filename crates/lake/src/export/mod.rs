//! The journal in the forms other tools read.
//!
//! [`hftbacktest`]: the gzip form of that tool's own collector, read by its own converter.

pub mod hftbacktest;
mod stream;

pub use hftbacktest::{ExportReport, export_hftbacktest};
