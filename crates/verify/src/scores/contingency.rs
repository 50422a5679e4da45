//! Labels without a probability are forecasts too: the four counts of said and came, and the rates forecasters read from them.

use super::sums::{float, ratio};
use serde::{Deserialize, Serialize};

/// Counts of said against came.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Contingency {
    /// Said, and it came.
    pub hits: usize,
    /// Said, and it did not come.
    pub false_alarms: usize,
    /// Not said, and it came.
    pub misses: usize,
    /// Not said, and it did not come.
    pub correct_negatives: usize,
}

impl Contingency {
    /// Counts pairs of (said, came).
    #[must_use]
    pub fn of(pairs: impl IntoIterator<Item = (bool, bool)>) -> Self {
        let mut table = Self::default();
        for pair in pairs {
            *match pair {
                (true, true) => &mut table.hits,
                (true, false) => &mut table.false_alarms,
                (false, true) => &mut table.misses,
                (false, false) => &mut table.correct_negatives,
            } += 1;
        }
        table
    }
    /// Probability of detection: hits of what came; `None` where nothing came.
    #[must_use]
    pub fn pod(self) -> Option<f64> {
        part(self.hits, self.misses)
    }
    /// False alarm ratio: false alarms of what was said; `None` where nothing was said.
    #[must_use]
    pub fn far(self) -> Option<f64> {
        part(self.false_alarms, self.hits)
    }
    /// Probability of false detection: false alarms of what did not come; `None` where everything came.
    #[must_use]
    pub fn pofd(self) -> Option<f64> {
        part(self.false_alarms, self.correct_negatives)
    }
    /// Critical success index: hits of what was said or came; `None` where neither was.
    #[must_use]
    pub fn csi(self) -> Option<f64> {
        part(self.hits, self.misses + self.false_alarms)
    }
    /// Hanssen and Kuipers: `POD − POFD`; 0 says nothing, 1 all. `None` where one of them is undefined.
    #[must_use]
    pub fn hk(self) -> Option<f64> {
        Some(self.pod()? - self.pofd()?)
    }
    /// F1, the harmonic mean of POD and of hits among what was said; `None` where nothing was said or came.
    #[must_use]
    pub fn f1(self) -> Option<f64> {
        part(2 * self.hits, self.false_alarms + self.misses)
    }
    /// How often it came, said or not; `None` without cases.
    #[must_use]
    pub fn base_rate(self) -> Option<f64> {
        part(self.hits + self.misses, self.false_alarms + self.correct_negatives)
    }
    /// Cases counted.
    #[must_use]
    pub const fn n(self) -> usize {
        self.hits + self.false_alarms + self.misses + self.correct_negatives
    }
}

/// `a / (a + b)`.
fn part(a: usize, b: usize) -> Option<f64> {
    ratio(float(a), float(a + b))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Finley's tornado forecasts of 1884, the table that half of the literature starts from.
    #[test]
    fn finleys_tornadoes() {
        let table = Contingency { hits: 28, false_alarms: 72, misses: 23, correct_negatives: 2_680 };
        let got = [table.pod(), table.far(), table.pofd(), table.csi(), table.hk(), table.base_rate()];
        let want = [28.0 / 51.0, 0.72, 72.0 / 2_752.0, 28.0 / 123.0, 28.0 / 51.0 - 72.0 / 2_752.0, 51.0 / 2_803.0];
        for (got, want) in got.into_iter().zip(want) {
            assert!((got.unwrap() - want).abs() < 1e-15, "{got:?} is not {want}");
        }
        assert_eq!(table.n(), 2_803);
    }

    #[test]
    fn each_rate_is_undefined_where_its_denominator_is_empty() {
        let nothing_came = Contingency::of([(true, false), (false, false)]);
        assert_eq!((nothing_came.pod(), nothing_came.hk(), nothing_came.far()), (None, None, Some(1.0)));
        let nothing_said = Contingency::of([(false, true)]);
        assert_eq!((nothing_said.far(), nothing_said.pofd(), nothing_said.csi()), (None, None, Some(0.0)));
        assert_eq!(Contingency::default().base_rate(), None);
    }
}
