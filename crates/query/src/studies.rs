//! The folder in which `barograph lab` leaves its studies, read anew for each question: another process writes it.
//!
//! Boards gain scores from one build to the next, so that files are read field by field: what is there is shown, what is not is left
//! out, and what has another form than expected is as good as not there. Only a board that is no JSON, or too large, is reported.

mod folder;
mod parts;
mod pick;
mod scores;

pub use folder::{StudyFolder, StudyFolderError};
