//! A study of one target: labels, folds, models, board; kept in a folder as it goes, so that a second start goes on where the first ended.

mod artefact;
mod backtest;
mod fold;
mod importance;
mod lineup;
mod outside;
mod reliability;
mod run;

pub use artefact::{BOARD, FOLDS, StudyBoard, StudyModelCost, StudyTarget, read_board};
pub use backtest::{BACKTEST, BacktestReport, traded};
pub use importance::{IMPORTANCE, ImportanceReport, InputImportance, importance};
pub use lineup::{Lineup, MODELS};
pub use outside::OutsideFiles;
pub use reliability::{ModelReliability, RELIABILITY, ReliabilitySheet};
pub use run::{StudyRequest, StudyStep, folder_of, study};
