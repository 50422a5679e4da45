//! What a fitted model goes by (research §9): how much worse it gets without a column, what each column adds to one prediction, and how
//! the prediction moves with it.
//!
//! Everything here takes rows: those of one regime give what the model goes by there. The gain of splits is
//! [`Forest::gains`](crate::zoo::Forest::gains).
//!
//! Reading order: `shap`, `permutation`, `dependence`, `sample`.

mod dependence;
mod permutation;
mod sample;
mod shap;

pub use dependence::{PartialCurve, partial_dependence};
pub(crate) use permutation::t_quantile;
pub use permutation::{ImportanceRow, PermutationPlan, PermutationRun, over_windows, permutation_importance};
pub use sample::sampled_by_day;
pub use shap::{ShapValues, linear_shap, tree_shap};
