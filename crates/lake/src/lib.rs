//! Importers: files people already own, as one ordered stream of events, in constant memory.
//!
//! Two passes. [`plan`] looks into every file once, lightly: what it is, whose market, first and last stamp, whether its
//! rows are in order; from that follow the declared streams, which never depend on the order of arguments. Opening the
//! plan then merges the files by [`barograph_domain::Event::order`]: a file is opened when the merge reaches its first
//! row and closed at its end, so thousands of daily files need few handles. Files whose rows are not in order are sorted:
//! up to [`order::IN_MEMORY`] events in memory, larger ones through sorted runs in one temporary file.
//!
//! What a column means is decided in `venues`; here are bytes, compression, rows, merging and accounting. A wrong row is
//! counted by reason, never fatal; a file that is not what it claims is one error and the others go on.
#![warn(missing_docs)]

#[cfg_attr(not(feature = "parquet"), path = "columnar_absent.rs")]
mod columnar;
mod csv;
mod error;
pub mod export;
#[cfg(feature = "parquet")]
mod feather;
mod feed;
mod file;
mod file_lock;
pub mod journal;
mod json;
#[cfg(feature = "parquet")]
pub mod layers;
mod lines;
mod manifest;
mod merge;
mod naming;
mod options;
pub mod order;
mod plan;
pub mod recorded;
mod report;
mod scan;
mod sniff;
mod source;
pub mod table_in;
#[cfg_attr(not(feature = "parquet"), path = "table_out_absent.rs")]
pub mod table_out;
mod walk;
pub mod whole_file;

pub use error::Error;
pub use lines::TextLines;
pub use merge::EventReader;
pub use options::ImportOptions;
pub use plan::{Declaration, ImportPlan, plan, plan_with};
pub use report::{FailedFile, FileReport, Rejection, Report};
pub use source::unpacked;

/// How to get the program with everything in it, where this one was built without something.
pub const WHOLE_PROGRAM: &str = "make build (or cargo build --release) builds everything, in a few minutes";
