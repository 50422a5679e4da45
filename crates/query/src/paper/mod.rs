//! Decisions on paper (R2.44–R2.47): what the log of a data folder says, and what a week of it amounts to.
//!
//! `paper` writes the log and prints a review; the API shows the same. Nothing here writes.

mod log;
mod review;

pub use log::{ArmOutcome, NoDecision, PaperDecision, PaperOutcome, PaperRecord, PaperStart, parse, path, read, whole};
pub use review::{followed, review, view, week_name, week_start};
