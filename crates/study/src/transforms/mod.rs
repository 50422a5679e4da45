//! What models are given instead of the stored columns (research §2).
//!
//! [`Transforms::fit`] reads medians and bounds from rows to learn from, and from no others: it asks for
//! [`TrainRows`](crate::folds::TrainRows). What it found is serialised with the model and applied to any row later, live ones included.
//! Each row is transformed by itself; smoothers, which would need the rows behind it, have no place here. Standardising is left to the
//! models that want it.
//!
//! - Price levels become their distance from the mid in basis points; raw prices are in no input. The mid itself is 0 then, and dropped.
//! - Sizes and depths become `ln(1 + x / median)`.
//! - Every column is clipped to the 0.1 % and 99.9 % quantiles of the training rows, after the above.
//! - Columns that do not vary between these bounds, or are never there, are dropped and named; targets and meta columns as well.

mod apply;
mod fit;
mod matrix;
mod redundancy;
mod spearman;
mod use_of;

pub use apply::InputForm;
pub use fit::{DropReason, DroppedColumn, FittedColumn, FittedRule, TransformError, Transforms};
pub use matrix::Matrix;
pub use redundancy::{ColumnCluster, RedundancyReport};
