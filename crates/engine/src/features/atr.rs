//! Wilder's average true range (features §1.1): seeded with the mean of the first fourteen true ranges.

use serde::{Deserialize, Serialize};

const LENGTH: u32 = 14;

/// Recursion state.
#[derive(Clone, Copy, PartialEq, Debug, Default, Serialize, Deserialize)]
pub struct Atr {
    close: Option<f64>,
    ranges: u32,
    value: f64,
}

impl Atr {
    /// Takes a closed bar.
    #[inline]
    pub fn push(&mut self, high: f64, low: f64, close: f64) {
        if let Some(before) = self.close {
            // A plain comparison is one instruction, `max` minds what is not a number.
            let larger = |a: f64, b: f64| if b > a { b } else { a };
            let range = larger(larger(high - low, (high - before).abs()), (low - before).abs());
            self.ranges = (self.ranges + 1).min(LENGTH + 1);
            if self.ranges <= LENGTH {
                // Until the seed is complete `value` holds the sum of the ranges.
                self.value += range;
                if self.ranges == LENGTH {
                    self.value /= f64::from(LENGTH);
                }
            } else {
                self.value += (range - self.value) / f64::from(LENGTH);
            }
        }
        self.close = Some(close);
    }

    /// The average, once fifteen bars are known.
    #[must_use]
    pub fn value(&self) -> Option<f64> {
        (self.ranges >= LENGTH).then_some(self.value)
    }

    /// Bars known so far, at most fifteen.
    #[must_use]
    pub fn bars(&self) -> u32 {
        if self.close.is_none() { 0 } else { (self.ranges + 1).min(LENGTH + 1) }
    }
}
