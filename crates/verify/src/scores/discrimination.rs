//! Whether higher probabilities went with the event (AUC), and how far they stray from one another (sharpness).
//!
//! Neither asks whether a stated 30 % came in 30 of 100 cases: that is reliability.

use super::bins::{BINS, equal_width};
use super::sums::{Tie, float, ratio, ties};
use serde::{Deserialize, Serialize};

/// Area under the receiver operating characteristic, as Mann and Whitney count it: the chance that a case with the event was given
/// more than one without, ties a half. Any rising score will do. `None` without cases of both kinds.
#[must_use]
pub fn auc(scored: impl IntoIterator<Item = (f64, bool)>) -> Option<f64> {
    auc_of(&ties(scored))
}

/// The same of scores whose ties are known.
pub(crate) fn auc_of(ties: &[Tie]) -> Option<f64> {
    // Pairs won, counted in halves so that the sum stays a whole number.
    let (mut halves, mut below, mut came) = (0.0, 0, 0);
    for tie in ties {
        let without = tie.n - tie.came;
        halves += float(tie.came) * (2.0 * float(below) + float(without));
        (below, came) = (below + without, came + tie.came);
    }
    ratio(halves, 2.0 * float(came) * float(below))
}

/// How far probabilities stray.
#[derive(Clone, Copy, PartialEq, Debug, Serialize, Deserialize)]
pub struct Sharpness {
    /// Population variance of the probabilities.
    pub variance: f64,
    /// Cases in each tenth of the scale.
    pub histogram: [usize; BINS],
}

/// Sharpness of these probabilities; `None` without any.
#[must_use]
pub fn sharpness(p: impl IntoIterator<Item = f64> + Clone) -> Option<Sharpness> {
    let (mut histogram, mut sum) = ([0; BINS], 0.0);
    for p in p.clone() {
        histogram[equal_width(p)] += 1;
        sum += p;
    }
    let n = float(histogram.iter().sum());
    let mean = ratio(sum, n)?;
    let variance = ratio(p.into_iter().map(|p| (p - mean) * (p - mean)).sum(), n)?;
    Some(Sharpness { variance, histogram })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pairs_are_counted_and_ties_are_halves() {
        let check = |scored: &[(f64, bool)], want| assert_eq!(auc(scored.iter().copied()), want, "{scored:?}");
        check(&[(0.2, false), (0.8, true)], Some(1.0));
        check(&[(0.8, false), (0.2, true)], Some(0.0));
        check(&[(0.5, false), (0.5, true)], Some(0.5));
        check(&[(-0.0, false), (0.0, true)], Some(0.5));
        check(&[(0.1, false), (0.5, true), (0.5, false), (0.9, true)], Some(0.875));
        check(&[(0.1, true)], None);
        check(&[], None);
    }

    #[test]
    fn one_probability_for_all_has_no_sharpness() {
        let flat = sharpness([0.25; 4]).unwrap();
        assert_eq!((flat.variance, flat.histogram[2]), (0.0, 4));
        let sharp = sharpness([0.0, 1.0]).unwrap();
        assert_eq!((sharp.variance, sharp.histogram), (0.25, [1, 0, 0, 0, 0, 0, 0, 0, 0, 1]));
        assert_eq!(sharpness([]), None);
    }
}
