//! Numerical kernels, free of markets: aligned block folds, sums, moments, regression, ranks.
//!
//! Every kernel's result depends only on the samples inside its window and on their absolute grid positions, never on
//! where the process started. The test vectors are those of `testdata/golden`.

pub mod comoments;
pub mod eigen;
pub mod fold;
pub mod hist;
pub mod lags;
pub mod moments;
pub mod ols;
pub mod rank;
pub mod search;
pub mod student;
pub mod sum;
pub mod tail;

pub use comoments::CoMoments;
pub use fold::{Block, Fold};
pub use hist::TrailingHist;
pub use moments::Moments;
pub use ols::{FittedLine, ols};
pub use rank::RankWindow;
pub use search::{partition_near, place_near};
pub use student::{normal_p, student_p};
pub use sum::Sum;
pub use tail::UpperTail;
