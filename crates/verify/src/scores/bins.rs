//! Reliability by bins of the stated probability: how often it came where so much was said.
//!
//! The table beside the CORP curve; fixed bins are arbitrary, which is why the curve is what a page shows. Empty bins are dropped.

use super::case::{Case, n_eff};
use super::sums::{float, ratio};
use super::wilson::wilson_90;
use barograph_domain::Span;
use barograph_domain::scorecard::ReliabilityRow;
use serde::{Deserialize, Serialize};

/// Bins of a table.
pub(super) const BINS: usize = 10;
/// So many observations a bin needs to be more than a hint.
const SOLID: usize = 10;

/// How probabilities are put into ten bins.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Binning {
    /// A tenth of the scale each: `[0, 0.1)` … `[0.9, 1]`.
    #[default]
    EqualWidth,
    /// A tenth of the cases each, by rank; equal probabilities share the bin in which the first of them falls.
    EqualCount,
}

/// One bin that holds cases.
#[derive(Clone, Copy, PartialEq, Debug, Serialize, Deserialize)]
pub struct ReliabilityBin {
    /// Its place among the ten, from 0.
    pub index: usize,
    /// Cases in it.
    pub n: usize,
    /// How many of them do not overlap.
    pub n_eff: usize,
    /// Mean probability stated, which is not the bin's centre.
    pub mean_p: f64,
    /// Frequency of the event.
    pub observed: f64,
    /// Wilson's 90 % interval of that frequency, of `n` cases taken as independent.
    pub wilson_90: (f64, f64),
}

/// As a table has it. The interval is that of windows that do not overlap: neighbouring cases share their outcome.
impl From<&ReliabilityBin> for ReliabilityRow {
    fn from(bin: &ReliabilityBin) -> Self {
        let independent = float(bin.n_eff.max(1));
        let (low, high) = wilson_90(bin.observed * independent, independent).unwrap_or((0.0, 1.0));
        Self { stated: bin.mean_p, observed: bin.observed, n: bin.n as u64, n_eff: bin.n_eff as u64, low, high }
    }
}

impl ReliabilityBin {
    /// Fewer than ten observations: shown grey.
    #[must_use]
    pub const fn is_thin(&self) -> bool {
        self.n_eff < SOLID
    }
}

/// The bin of a probability among ten of equal width; the tiny addend keeps 0.3 in the bin that begins with it.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped to [0, 9] first")]
pub(super) fn equal_width(p: f64) -> usize {
    (10.0 * p + 1e-12).floor().clamp(0.0, 9.0) as usize
}

/// The bin of every case, in their order.
pub(super) fn assigned(cases: &[Case], binning: Binning) -> Vec<usize> {
    match binning {
        Binning::EqualWidth => cases.iter().map(|c| equal_width(c.p)).collect(),
        Binning::EqualCount => {
            let mut order: Vec<_> = (0..cases.len()).collect();
            order.sort_by(|a, b| cases[*a].p.total_cmp(&cases[*b].p));
            let mut bins = vec![0; cases.len()];
            let mut before: Option<(f64, usize)> = None;
            for (rank, place) in order.into_iter().enumerate() {
                let p = cases[place].p;
                let tied = before.filter(|(q, _)| q.total_cmp(&p).is_eq());
                let bin = tied.map_or(rank * BINS / cases.len(), |(_, bin)| bin);
                bins[place] = bin;
                before = Some((p, bin));
            }
            bins
        }
    }
}

/// The table of time-ordered cases whose windows are `horizon` long.
///
/// # Panics
/// When the cases are not in the order of time.
#[must_use]
pub fn reliability(cases: &[Case], binning: Binning, horizon: Span) -> Vec<ReliabilityBin> {
    let mut held: [Vec<Case>; BINS] = Default::default();
    for (case, bin) in cases.iter().zip(assigned(cases, binning)) {
        held[bin].push(*case);
    }
    held.iter().enumerate().filter_map(|(index, of)| bin(index, of, horizon)).collect()
}

fn bin(index: usize, cases: &[Case], horizon: Span) -> Option<ReliabilityBin> {
    let n = float(cases.len());
    let came: f64 = cases.iter().map(|c| c.outcome()).sum();
    Some(ReliabilityBin {
        index,
        n: cases.len(),
        n_eff: n_eff(cases.iter().map(|c| c.issued), horizon),
        mean_p: ratio(cases.iter().map(|c| c.p).sum(), n)?,
        observed: ratio(came, n)?,
        wilson_90: wilson_90(came, n)?,
    })
}

/// Expected calibration error, `Σ n_k/n · |p̄_k − ō_k|`; `None` without cases.
#[must_use]
pub fn ece(bins: &[ReliabilityBin]) -> Option<f64> {
    let n: usize = bins.iter().map(|b| b.n).sum();
    ratio(bins.iter().map(|b| float(b.n) * (b.mean_p - b.observed).abs()).sum(), float(n))
}

#[cfg(test)]
mod tests {
    use super::*;
    use barograph_domain::Ts;

    fn cases(p: &[f64]) -> Vec<Case> {
        let at = |i: usize| Ts(0) + Span::mins(5 * i64::try_from(i).unwrap());
        p.iter().enumerate().map(|(i, p)| Case { issued: at(i), p: *p, happened: i % 2 == 0 }).collect()
    }

    #[test]
    fn a_bin_begins_with_its_tenth_and_the_last_holds_one() {
        let tenths = [0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0];
        let got: Vec<_> = tenths.iter().map(|p| equal_width(*p)).collect();
        assert_eq!(got, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 9]);
        assert_eq!(equal_width(0.1 + 0.2 - 1e-15), 3);
    }

    #[test]
    fn bins_of_equal_count_hold_equal_counts_but_for_ties() {
        let p: Vec<_> = (0..40).map(|i| f64::from(i * 17 % 40) / 100.0).collect();
        let table = reliability(&cases(&p), Binning::EqualCount, Span::mins(5));
        assert!(table.len() == 10 && table.iter().all(|b| b.n == 4 && b.n_eff == 4 && b.is_thin()), "{table:?}");
        let tied = reliability(&cases(&[0.2; 30]), Binning::EqualCount, Span::mins(5));
        assert_eq!((tied.len(), tied[0].n, tied[0].is_thin()), (1, 30, false));
    }

    #[test]
    fn overlapping_windows_count_once() {
        let table = reliability(&cases(&[0.5; 24]), Binning::EqualWidth, Span::hours(1));
        assert_eq!((table[0].n, table[0].n_eff, table[0].observed), (24, 2, 0.5));
        assert_eq!((reliability(&[], Binning::EqualWidth, Span::hours(1)), ece(&[])), (vec![], None));
    }
}
