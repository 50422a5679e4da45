//! In the place of LightGBM, where the program was built without it.

use crate::fault::LightGbmFault;
use barograph_lab::zoo::{FittedModel, Recipe, TrainSet};

/// Whether this build can fit with LightGBM: it cannot.
pub const LIGHTGBM_BUILT: bool = false;

/// Never: [`LightGbmFault::NotBuilt`].
///
/// # Errors
/// Always.
pub fn fit_lightgbm(_recipe: &Recipe, _train: &TrainSet<'_>) -> Result<FittedModel, LightGbmFault> {
    Err(LightGbmFault::NotBuilt)
}
