//! The zoo: every model of a study behind one pair of types, a [`Recipe`] and the [`FittedModel`] it becomes (research §4).
//!
//! A recipe says what is fitted, with which seed and by which preset; rounds and configurations come from those alone, so that two
//! machines agree to the bit. A fitted model is data: it is kept, sent and read back, and predicts the same bits.
//!
//! Classes are three yes-or-no questions, one against the rest: each is calibrated by itself, and the three probabilities are then
//! scaled to one. One curve of calibration per class is what the reports show, and a softmax would hide which class is off.
//!
//! Reading order: `features` (what models see), `recipe`, `fitted`, then the models (`design` and `linear`, `binned`, `gbm` and `forest`,
//! `mlp`, `blend`), `calibrate`, `metrics` and `board`.

mod binned;
mod blend;
pub mod board;
mod calibrate;
mod design;
pub(crate) mod features;
pub(crate) mod fitted;
mod forest;
mod gbm;
mod linear;
pub mod metrics;
mod mlp;
mod recipe;
pub(crate) mod shuffle;

pub use blend::{BLEND_STEPS, greedy_weights};
pub use calibrate::{Calibrator, IsotonicCurve, PlattCurve};
pub use features::{Features, FeaturesError};
pub use fitted::{FittedModel, ZooPrediction};
pub use forest::{BoostedTree, Forest, TreeNode};
pub use gbm::GbmConfig;
pub use linear::LinearScorer;
pub use recipe::{CalibrationRule, FitThreads, Preset, Recipe, RecipeError, TrainSet, ZooModel, ZooTask};

pub(crate) use features::RowTile;
