//! Whether an input still looks as it did: the population stability index of a feature against a reference sample.
//!
//! `PSI = Σ (a_k − e_k) ln(a_k/e_k)` over the quantile bins of the reference, which stay fixed; `e_k`, `a_k` are shares of the reference
//! and of the sample now (Siddiqi, "Credit Risk Scorecards", 2006; it is Jeffreys' divergence of the two binned distributions).
//! Half a case is added to each bin on both sides, so that an empty bin has a finite weight. By custom 0.1 is some drift and 0.25 much;
//! two equal distributions give about `(bins − 1)(1/n + 1/m)` by chance, which stands beside it. Overlapping samples make it larger
//! still: it says that an input moved, not that a forecast is worse.

use super::sums::{float, quantile};
use barograph_domain::math;
use serde::{Deserialize, Serialize};

/// Quantile bins of a reference sample, to which later ones are compared.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct PsiBins {
    /// Upper edges of all bins but the last, rising; a value equal to an edge lies below it.
    edges: Vec<f64>,
    /// Values of the reference in each bin.
    counts: Vec<usize>,
}

/// The index of one sample.
#[derive(Clone, Copy, PartialEq, Debug, Serialize, Deserialize)]
pub struct PsiReading {
    /// The index; 0 for equal shares.
    pub psi: f64,
    /// What two samples of this size from one distribution give on average, their values being independent.
    pub by_chance: f64,
    /// Values of the sample.
    pub n: usize,
}

impl PsiBins {
    /// Bins of about equal count of a reference: `bins` of them, fewer where many values are equal. `None` where the reference is empty,
    /// holds what is no number, or is one value only.
    #[must_use]
    pub fn of(reference: &[f64], bins: usize) -> Option<Self> {
        if reference.iter().any(|x| !x.is_finite()) {
            return None;
        }
        let mut sorted = reference.to_vec();
        sorted.sort_by(f64::total_cmp);
        let top = *sorted.last()?;
        let cuts = (1..bins).filter_map(|k| quantile(&sorted, float(k) / float(bins)));
        let mut edges: Vec<_> = cuts.filter(|edge| *edge < top).collect();
        edges.dedup_by(|a, b| *a <= *b);
        if edges.is_empty() {
            return None;
        }
        let mut of = Self { counts: vec![0; edges.len() + 1], edges };
        of.counts = of.counted(&sorted);
        Some(of)
    }

    fn counted(&self, sample: &[f64]) -> Vec<usize> {
        let mut counts = vec![0; self.counts.len()];
        for x in sample {
            counts[self.edges.partition_point(|edge| edge < x)] += 1;
        }
        counts
    }

    /// The index of a sample; `None` where it is empty or holds what is no number.
    #[must_use]
    pub fn psi(&self, sample: &[f64]) -> Option<PsiReading> {
        if sample.is_empty() || sample.iter().any(|x| !x.is_finite()) {
            return None;
        }
        Some(index(&self.counted(sample), &self.counts))
    }

    /// The index of a part of the reference against the rest of it; `None` as for [`Self::psi`], and where it is no part of it or all of it.
    #[must_use]
    pub fn psi_of_part(&self, part: &[f64]) -> Option<PsiReading> {
        if part.is_empty() || part.iter().any(|x| !x.is_finite()) {
            return None;
        }
        let counts = self.counted(part);
        let rest =
            self.counts.iter().zip(&counts).map(|(all, part)| all.checked_sub(*part)).collect::<Option<Vec<_>>>()?;
        rest.iter().any(|n| *n > 0).then(|| index(&counts, &rest))
    }
}

/// The index of counts in the same bins, on neither side of which all are zero.
fn index(now: &[usize], reference: &[usize]) -> PsiReading {
    let bins = float(reference.len());
    let (of_sample, of_reference) = (now.iter().sum(), float(reference.iter().sum()));
    let n = float(of_sample);
    let share = |count: usize, of: f64| (float(count) + 0.5) / (of + 0.5 * bins);
    let pairs = now.iter().zip(reference).map(|(a, e)| (share(*a, n), share(*e, of_reference)));
    let psi = pairs.map(|(a, e)| (a - e) * math::ln(a / e)).sum();
    PsiReading { psi, by_chance: (bins - 1.0) * (1.0 / n + 1.0 / of_reference), n: of_sample }
}

/// The index of a sample that is known by how many values lie in each of many narrow steps of an ordered scale, against a reference
/// known in the same way; both rising. Bins end where a step does. `None` where either is empty or the reference is one step only.
#[must_use]
pub fn psi_of_steps(reference: &[(i16, u32)], sample: &[(i16, u32)], bins: usize) -> Option<PsiReading> {
    let total: u64 = reference.iter().map(|(_, n)| u64::from(*n)).sum();
    let (top, bins) = (reference.last()?.0, bins as u64);
    let (mut edges, mut below, mut tenths) = (Vec::new(), 0_u64, 0);
    for (step, n) in reference.iter().take_while(|(step, _)| *step < top) {
        below += u64::from(*n);
        let passed = below * bins / total;
        if passed > tenths {
            edges.push(*step);
            tenths = passed;
        }
    }
    if edges.is_empty() || sample.is_empty() {
        return None;
    }
    let counted = |values: &[(i16, u32)]| {
        let mut counts = vec![0_usize; edges.len() + 1];
        for (step, n) in values {
            counts[edges.partition_point(|edge| edge < step)] += usize::try_from(*n).unwrap_or(usize::MAX);
        }
        counts
    };
    Some(index(&counted(sample), &counted(reference)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scores::random::SplitMix;

    fn sample(n: usize, seed: u64, shift: f64) -> Vec<f64> {
        let mut random = SplitMix::new(seed);
        (0..n).map(|_| random.unit() + random.unit() + shift).collect()
    }

    #[test]
    fn the_same_sample_has_no_drift_and_a_moved_one_has() {
        let reference = sample(2_000, 1, 0.0);
        let bins = PsiBins::of(&reference, 10).unwrap();
        assert!(bins.psi(&reference).unwrap().psi < 1e-20);
        let [same, moved] = [0.0, 0.4].map(|shift| bins.psi(&sample(2_000, 2, shift)).unwrap());
        assert!((same.by_chance - 0.009).abs() < 1e-12 && same.psi < 3.0 * same.by_chance, "{same:?}");
        assert!(moved.psi > 0.25, "{moved:?}");
        // What was never seen has a finite index.
        assert!(bins.psi(&[100.0; 50]).unwrap().psi.is_finite());
    }

    #[test]
    fn two_bins_by_hand() {
        let bins = PsiBins::of(&[1.0, 2.0, 3.0, 4.0], 2).unwrap();
        // The edge is 2.5, and lies in the lower bin.
        let got = bins.psi(&[1.0, 1.0, 2.5, 9.0]).unwrap().psi;
        let want = (0.7 - 0.5) * math::ln(0.7 / 0.5) + (0.3 - 0.5) * math::ln(0.3 / 0.5);
        assert!((got - want).abs() < 1e-15, "{got} is not {want}");
    }

    #[test]
    fn a_part_is_held_against_the_rest() {
        let (part, rest) = (sample(500, 5, 0.3), sample(1_500, 6, 0.0));
        let bins = PsiBins::of(&[part.clone(), rest.clone()].concat(), 10).unwrap();
        let want = index(&bins.counted(&part), &bins.counted(&rest));
        assert_eq!(bins.psi_of_part(&part), Some(want));
        assert!(want.psi > bins.psi(&part).unwrap().psi, "against all of it a part is nearer");
        assert_eq!(
            (bins.psi_of_part(&[9.0; 500]), bins.psi_of_part(&[])),
            (None, None),
            "more than the reference has there"
        );
        assert_eq!(bins.psi_of_part(&[part, rest].concat()), None);
    }

    /// Whole numbers are steps of themselves, and a narrow bin of ten thousand of them is as good as its quantile.
    #[test]
    fn steps_give_what_their_values_give() {
        #[expect(clippy::cast_possible_truncation, reason = "numbers up to 1,000")]
        let step = |x: &f64| (x * 400.0) as i16;
        let steps = |values: &[f64]| {
            let mut sorted: Vec<i16> = values.iter().map(step).collect();
            sorted.sort_unstable();
            sorted.chunk_by(|a, b| a == b).map(|run| (run[0], u32::try_from(run.len()).unwrap())).collect::<Vec<_>>()
        };
        let (reference, now) = (sample(8_000, 3, 0.0), sample(2_000, 4, 0.2));
        let whole = |all: &[f64]| all.iter().map(|x| f64::from(step(x))).collect::<Vec<_>>();
        let want = PsiBins::of(&whole(&reference), 10).unwrap().psi(&whole(&now)).unwrap();
        let got = psi_of_steps(&steps(&reference), &steps(&now), 10).unwrap();
        assert!((got.psi / want.psi - 1.0).abs() < 0.02, "{got:?} is not {want:?}");
        assert_eq!((got.n, got.by_chance), (want.n, want.by_chance));
        let check = |reference: &[(i16, u32)], sample: &[(i16, u32)], want: Option<usize>| {
            assert_eq!(psi_of_steps(reference, sample, 10).map(|r| r.n), want, "{reference:?} {sample:?}");
        };
        check(&[(1, 5)], &[(1, 5)], None);
        check(&[], &[(1, 5)], None);
        check(&[(1, 5), (2, 5)], &[], None);
        // Nothing of the reference reaches a tenth before its last step.
        check(&[(1, 5), (2, 95)], &[(1, 5)], None);
        check(&[(1, 10), (2, 90)], &[(1, 5)], Some(5));
    }

    #[test]
    fn equal_values_make_fewer_bins_and_nothing_else_makes_none() {
        let mostly_zero = [vec![0.0; 80], (1..21).map(f64::from).collect()].concat();
        assert_eq!(PsiBins::of(&mostly_zero, 10).unwrap().counts.iter().sum::<usize>(), 100);
        assert_eq!(
            (PsiBins::of(&[], 10), PsiBins::of(&[1.0; 9], 10), PsiBins::of(&[f64::NAN, 1.0], 10)),
            (None, None, None)
        );
        assert_eq!(PsiBins::of(&[1.0, 2.0], 10).unwrap().psi(&[]), None);
    }
}
