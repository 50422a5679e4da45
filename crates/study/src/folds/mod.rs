//! Which rows may teach a model, which may judge it, and that no row does both (research §3).
//!
//! [`StudyFolds::new`] cuts the labelled rows of one target into consecutive test blocks, each with everything before it to learn from:
//! purged walk-forward. A row leaves the training set when its label is not yet known where the block begins, or only just before
//! (the embargo). Sets of rows are types, one for learning, one for tuning and one for judging; their only source is the function that
//! purges, so that a scaler which asks for [`TrainRows`] cannot be given the rows it is judged by. The last tenth of the time is
//! in no fold: [`HoldOut`] gives its rows only together with a record that it was opened.
//!
//! Purging and embargo after López de Prado, "Advances in Financial Machine Learning" (2018), chapter 7, with two differences: training
//! is always earlier than the test, so that the embargo stands before the block; and labels that only touch the block leave, too.

mod error;
mod hold_out;
mod plan;
mod purge;
mod rows;
mod sheet;
mod uniqueness;
mod walk;

pub use error::FoldError;
pub use hold_out::{HoldOut, HoldOutError, HoldOutOpening, RegisteredStudy};
pub use plan::{FoldPlan, TrainWindow};
pub use rows::{RoleRows, TestRole, TestRows, TrainRole, TrainRows, TuneRole, TuneRows};
pub use sheet::{FoldSheet, LearningRuns, RowRuns, SheetFold};
pub use walk::{LearningRows, StudyFold, StudyFolds};
