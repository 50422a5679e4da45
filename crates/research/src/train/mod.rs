//! A study of one target: labels, folds, models, board; kept in a folder as it goes, so that a second start goes on where the first ended.

mod artefact;
mod backtest;
mod calls;
mod fold;
mod importance;
mod lineup;
mod outside;
mod run;

pub use artefact::{BOARD, FOLDS, StudyBoard, StudyModelCost, StudyTarget, read_board};
pub use backtest::{BACKTEST, BacktestReport, traded};
pub use calls::worth_of_calls;
pub use importance::{IMPORTANCE, ImportanceReport, InputImportance, importance};
pub use lineup::{Lineup, MODELS};
pub use outside::{FoldPart, OutsideScores, OutsideStudy, labels_of};
pub use run::{StudyRequest, StudyStep, folder_of, study};
