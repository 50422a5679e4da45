//! A study of one target: labels, folds, models, board; kept in a folder as it goes, so that a second start goes on where the first ended.
//! Behind the board: what calls were worth, the hold-out with its log, artefacts with their registry, and predictions of the current ones.

mod append;
mod artefact;
mod asked;
mod backtest;
mod calls;
mod card;
mod drift;
mod external;
mod fold;
mod funding;
mod held;
mod importance;
mod inputs;
mod lacking;
mod lineup;
mod lock;
mod log;
mod money;
mod outside;
mod predict;
mod predicted;
mod registry;
mod reliability;
mod request;
mod rolling;
mod run;
mod runs;
mod shadow;
mod summary;
mod table;
mod trades;
mod trials;
mod unfitted;
mod weights;
mod worth;

pub use artefact::{BOARD, FOLDS, StudyBoard, StudyModelCost, StudyTarget, embargo_words, read_board};
pub use backtest::{BACKTEST, BacktestReport, traded};
pub use card::{ModelCard, WEIGHTED};
pub use drift::{DriftReference, DriftWindow, MovedColumn, WindowWord};
pub use external::OutsideFiles;
pub use funding::funding_of;
pub use held::{HoldOutReport, HoldOutRequest, hold_out};
pub use importance::{IMPORTANCE, ImportanceReport, InputImportance, RegimeImportance, importance};
pub use inputs::InputMaker;
pub use lacking::{StudyLack, lacking};
pub use lineup::{LIGHTGBM, Lineup, MODELS};
pub use log::{
    LoggedData, LoggedOpening, RESEARCH_LOG, ResearchLogLine, ResearchLogRow, add_to_log, by_study, research_log,
};
pub use money::{BoardMoney, MoneyRow};
pub use outside::{FoldPart, OutsideScores, OutsideStudy, labels_of};
pub use predict::{PredictRequest, PredictedTarget, Predictor, UsualWindows};
pub use predicted::predicted;
pub use registry::{
    ARTEFACTS, ArtefactFiles, ListedArtefact, OpenedArtefact, REGISTRY, RegistryLine, artefacts, card, choose,
};
pub use reliability::{ModelReliability, RELIABILITY, ReliabilitySheet};
pub use request::{StudyRequest, usual_limit};
pub use rolling::RollingSkill;
pub use run::{StudyStep, folder_of, study};
pub use runs::{RUNS, boards};
pub use shadow::{SHADOW, ShadowEntry, ShadowLine, ShadowScore};
pub use summary::{FoldStretch, LearnerCalibration, StudyGap, StudySummary, summary};
pub use table::{LeaderboardRow, MoneyColumns};
pub use trades::MoneyTerms;
pub use trials::{TRIALS, TrialLine};
pub use weights::RowWeights;
pub use worth::worth_of_calls;
