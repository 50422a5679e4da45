//! A study of one target: labels, folds, models, board; kept in a folder as it goes, so that a second start goes on where the first ended.

mod artefact;
mod fold;
mod lineup;
mod run;

pub use artefact::{BOARD, FOLDS, StudyBoard, StudyModelCost, StudyTarget, read_board};
pub use lineup::{MODELS, Lineup};
pub use run::{StudyRequest, StudyStep, folder_of, study};
