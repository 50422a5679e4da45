//! A study of one target: labels, folds, models, board; kept in a folder as it goes, so that a second start goes on where the first ended.

mod artefact;
mod asked;
mod backtest;
mod fold;
mod importance;
mod lineup;
mod predicted;
mod run;
mod summary;

pub use artefact::{BOARD, FOLDS, StudyBoard, StudyModelCost, StudyTarget, read_board};
pub use backtest::{BACKTEST, BacktestReport, traded};
pub use importance::{IMPORTANCE, ImportanceReport, InputImportance, importance};
pub use lineup::{Lineup, MODELS};
pub(crate) use predicted::predicted;
pub use run::{StudyRequest, StudyStep, folder_of, study};
pub use summary::{FoldStretch, LearnerCalibration, StudyGap, StudySummary, summary};
