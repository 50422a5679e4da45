//! Compensated sum (Neumaier 1974): the running total and what it lost, merged exactly enough that 10⁻⁴-sized funding
//! rates keep their last digits.

use super::fold::Block;
use serde::{Deserialize, Serialize};

/// Count, total and compensation.
#[derive(Clone, Copy, PartialEq, Debug, Serialize, Deserialize)]
pub struct Sum {
    /// Samples present.
    pub n: u32,
    sum: f64,
    carry: f64,
}

impl Sum {
    /// One sample.
    #[must_use]
    pub const fn of(x: f64) -> Self {
        Self { n: 1, sum: x, carry: 0.0 }
    }
    /// The sum.
    #[must_use]
    pub fn total(self) -> f64 {
        self.sum + self.carry
    }
    /// The mean; `None` when empty.
    #[must_use]
    pub fn mean(self) -> Option<f64> {
        (self.n > 0).then(|| self.total() / f64::from(self.n))
    }
}

impl Block for Sum {
    const EMPTY: Self = Self { n: 0, sum: 0.0, carry: 0.0 };

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
        let sum = self.sum + right.sum;
        // What rounding took, exactly and without asking which is larger (Knuth 1969, TwoSum).
        let added = sum - self.sum;
        let lost = (self.sum - (sum - added)) + (right.sum - added);
        Self { n: self.n + right.n, sum, carry: self.carry + right.carry + lost }
    }
}
