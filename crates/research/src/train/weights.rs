//! How much each row counts in a fit (research §3).

use barograph_study::folds::LearningRows;
use serde::{Deserialize, Serialize};

/// How much each row counts where a model is fitted. What is judged counts every row alike.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RowWeights {
    /// All alike.
    #[default]
    Even,
    /// By how much of its own a label says: the mean over its life of one over the labels alive.
    Uniqueness,
}

impl RowWeights {
    /// Do all rows count alike?
    #[must_use]
    pub const fn is_even(&self) -> bool {
        matches!(self, Self::Even)
    }

    /// As it is typed.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Even => "even",
            Self::Uniqueness => "uniqueness",
        }
    }

    /// Weights of the rows to fit on, then of those to tune by, each among its own and with a mean of one, so that ridges and least leaves
    /// mean what they mean without weights; `None` where all count alike.
    pub(super) fn of(self, learn: &LearningRows) -> Option<Vec<f64>> {
        match self {
            Self::Even => None,
            Self::Uniqueness => {
                let mut weights = with_mean_one(learn.fit.uniqueness());
                weights.extend(with_mean_one(learn.tune.uniqueness()));
                Some(weights)
            }
        }
    }
}

fn with_mean_one(mut weights: Vec<f64>) -> Vec<f64> {
    let n = f64::from(u32::try_from(weights.len()).unwrap_or(u32::MAX));
    let mean = weights.iter().sum::<f64>() / n;
    weights.iter_mut().for_each(|w| *w /= mean);
    weights
}
