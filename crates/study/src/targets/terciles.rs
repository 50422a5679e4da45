//! Classes of forward volatility: cut points from training rows.

use super::id::TargetId;
use super::labelled::LabelledRows;
use crate::folds::TrainRows;
use crate::order::quantile;
use serde::{Deserialize, Serialize};

/// Low, middle or high, against the training window.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
pub enum VolTercile {
    /// At most the lower cut point.
    Low,
    /// Between the two.
    Mid,
    /// Above the upper cut point.
    High,
}

impl VolTercile {
    /// 0, 1 or 2.
    #[must_use]
    pub const fn index(self) -> usize {
        self as usize
    }
}

/// The two cut points, in annualised volatility (R5.32, A30). The column `realized_vol_1800s` is in the same unit, so that the class
/// of the last half hour, which `persistence` repeats, is cut by the same points.
#[derive(Clone, Copy, PartialEq, Debug, Serialize, Deserialize)]
pub struct VolTerciles {
    /// A third of the training labels is not above it.
    pub lower: f64,
    /// Two thirds are not above it.
    pub upper: f64,
}

impl VolTerciles {
    /// Cuts the labels of training rows into three; quantiles of type 7. `None` where there are no rows, where the fold was made from
    /// other labels, or where these are not `vol_regime_fwd`.
    #[must_use]
    pub fn fit(labels: &LabelledRows, train: &TrainRows) -> Option<Self> {
        let mut values = labels.of(train).filter(|_| labels.target() == TargetId::VolRegime)?;
        Some(Self { lower: quantile(&mut values, 1, 3)?, upper: quantile(&mut values, 2, 3)? })
    }

    /// The class of a volatility.
    #[must_use]
    pub fn class(self, vol: f64) -> VolTercile {
        match vol {
            v if v <= self.lower => VolTercile::Low,
            v if v <= self.upper => VolTercile::Mid,
            _ => VolTercile::High,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn classes_are_ordered_and_cut_points_belong_to_the_lower() {
        let cuts = VolTerciles { lower: 0.2, upper: 0.5 };
        let classes = [0.0, 0.2, 0.3, 0.5, 0.51].map(|v| cuts.class(v).index());
        assert_eq!(classes, [0, 0, 1, 1, 2]);
    }
}
