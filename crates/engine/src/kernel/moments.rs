//! Mean, spread and extremes by pairwise merging (Chan, Golub & LeVeque 1979): no catastrophic cancellation at
//! 10⁻⁴-sized funding, and zero variance is decided exactly by `min == max`.

use super::fold::Block;
use serde::{Deserialize, Serialize};

/// Count, mean, sum of squared deviations, extremes.
#[derive(Clone, Copy, PartialEq, Debug, Serialize, Deserialize)]
pub struct Moments {
    /// Samples present.
    pub n: u32,
    /// Mean of the samples, in their unit.
    pub mean: f64,
    m2: f64,
    min: f64,
    max: f64,
}

/// A standard score, or why there is none.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Score {
    /// (x − mean) / population sd.
    Of(f64),
    /// All values of the window are equal.
    ZeroVariance,
}

impl Moments {
    /// One sample.
    #[must_use]
    pub const fn of(x: f64) -> Self {
        Self { n: 1, mean: x, m2: 0.0, min: x, max: x }
    }
    /// True when all samples are equal (or there is at most one).
    #[must_use]
    #[expect(clippy::float_cmp, reason = "features §1: zero variance is decided exactly by min == max")]
    pub fn is_flat(self) -> bool {
        self.n < 2 || self.min == self.max
    }
    /// Population standard deviation; exactly 0 for a flat window.
    #[must_use]
    pub fn sd(self) -> f64 {
        if self.is_flat() { 0.0 } else { (self.m2 / f64::from(self.n)).sqrt() }
    }
    /// Standard score of `x` against this window, which must include it.
    #[must_use]
    pub fn score(self, x: f64) -> Score {
        if self.is_flat() { Score::ZeroVariance } else { Score::Of((x - self.mean) / self.sd()) }
    }
}

impl Block for Moments {
    const EMPTY: Self = Self { n: 0, mean: 0.0, m2: 0.0, min: f64::INFINITY, max: f64::NEG_INFINITY };

    #[inline]
    fn of(sample: f64) -> Self {
        Self::of(sample)
    }

    #[inline]
    fn merge(self, right: Self) -> Self {
        if self.n == 0 {
            return right;
        }
        if right.n == 0 {
            return self;
        }
        self.join(right)
    }

    #[inline]
    fn join(self, right: Self) -> Self {
        let (na, nb) = (f64::from(self.n), f64::from(right.n));
        let n = na + nb;
        let d = right.mean - self.mean;
        Self {
            n: self.n + right.n,
            mean: self.mean + d * (nb / n),
            m2: self.m2 + right.m2 + d * d * (na * nb / n),
            min: self.min.min(right.min),
            max: self.max.max(right.max),
        }
    }
}
