//! Bands: circular moving-block bootstrap by day (Politis & Romano 1992; risk §8).
//!
//! All trades that were entered on one UTC day, of all markets, stay together, and days are drawn in blocks as long as a trade may
//! last. Every figure of a report sees the same resamples, so that a difference of two is paired. The seed is part of the report.

use barograph_domain::random::SplitMix;
use serde::Serialize;

/// Resamples behind every band.
pub const RESAMPLES: usize = 1_000;
/// Blocks below which no band is given.
const BLOCKS_MIN: usize = 10;
/// Share of resamples that a band leaves out on both sides together.
pub(super) const OUTSIDE: f64 = 0.05;

/// A figure with what it rests on.
#[derive(Clone, Copy, PartialEq, Debug, Serialize)]
pub struct KpiBand {
    /// Trades behind it.
    pub n: u32,
    /// The figure.
    pub value: Option<f64>,
    /// Lower end of the 95 % band.
    pub low: Option<f64>,
    /// Upper end.
    pub high: Option<f64>,
    /// Why figure or band is not there.
    pub missing: Option<&'static str>,
}

impl KpiBand {
    /// Nothing, and why.
    #[must_use]
    pub const fn none(n: u32, why: &'static str) -> Self {
        Self { n, value: None, low: None, high: None, missing: Some(why) }
    }
    /// Does the band lie on one side of zero? `None` without a band.
    #[must_use]
    pub fn excludes_zero(&self) -> Option<bool> {
        self.low.zip(self.high).map(|(low, high)| low > 0.0 || high < 0.0)
    }
}

/// Positions drawn by their remainder, as the published figures were; its bias is below the number of positions over 2^64.
#[derive(Clone, Debug)]
pub(super) struct Draws(SplitMix);

impl Draws {
    pub(super) const fn new(seed: u64) -> Self {
        Self(SplitMix::new(seed))
    }
    /// A position in `0..len`; 0 for none.
    pub(super) fn below(&mut self, len: usize) -> usize {
        let len = u64::try_from(len).unwrap_or(u64::MAX).max(1);
        usize::try_from(self.0.bits() % len).unwrap_or(0)
    }
}

/// How often each day comes up in each resample.
#[derive(Debug)]
pub(super) struct Resamples {
    /// Day of each trade, as position among the days that have one.
    day_of: Vec<usize>,
    days: usize,
    block: usize,
    counts: Vec<Vec<u16>>,
}

impl Resamples {
    /// For trades entered on these days (any numbering), in blocks of so many days.
    pub(super) fn new(days: &[i64], block: usize, seed: u64) -> Self {
        let mut all = days.to_vec();
        all.sort_unstable();
        all.dedup();
        let day_of = days.iter().map(|d| all.partition_point(|x| x < d)).collect();
        let block = block.max(1);
        let mut draws = Draws::new(seed);
        let counts = if all.len() / block < BLOCKS_MIN {
            Vec::new()
        } else {
            (0..RESAMPLES).map(|_| resample(all.len(), block, &mut draws)).collect()
        };
        Self { day_of, days: all.len(), block, counts }
    }

    pub(super) fn days(&self) -> usize {
        self.days
    }

    pub(super) fn block(&self) -> usize {
        self.block
    }

    /// A statistic of sums over trades: `terms` gives those of each trade, in the order of the days given before. The band leaves
    /// `outside` of the resamples out.
    pub(super) fn band<const K: usize>(
        &self,
        (n, outside): (u32, f64),
        terms: impl Fn(usize) -> Option<[f64; K]>,
        statistic: impl Fn(&[f64; K]) -> Option<f64>,
    ) -> KpiBand {
        let mut by_day = vec![[0.0; K]; self.days];
        let mut whole = [0.0; K];
        for (trade, &day) in self.day_of.iter().enumerate() {
            let Some(own) = terms(trade) else { continue };
            for ((sum, total), x) in by_day[day].iter_mut().zip(&mut whole).zip(own) {
                *sum += x;
                *total += x;
            }
        }
        let Some(value) = statistic(&whole) else { return KpiBand::none(n, "no cases") };
        let mut found: Vec<f64> = self.counts.iter().filter_map(|c| statistic(&total(&by_day, c))).collect();
        // A resample without a case has no value; with many of those the rest says little.
        if found.len() * 10 < RESAMPLES * 9 {
            return KpiBand { n, value: Some(value), low: None, high: None, missing: Some("too little data") };
        }
        found.sort_by(f64::total_cmp);
        let at = |q| crate::kernel::rank::quantile(&found, q);
        KpiBand { n, value: Some(value), low: at(outside / 2.0), high: at(1.0 - outside / 2.0), missing: None }
    }
}

fn resample(days: usize, block: usize, draws: &mut Draws) -> Vec<u16> {
    let mut counts = vec![0; days];
    let mut left = days;
    while left > 0 {
        let start = draws.below(days);
        for day in start..start + block.min(left) {
            counts[day % days] += 1;
        }
        left -= block.min(left);
    }
    counts
}

fn total<const K: usize>(by_day: &[[f64; K]], counts: &[u16]) -> [f64; K] {
    let mut out = [0.0; K];
    for (sums, &times) in by_day.iter().zip(counts).filter(|(_, times)| **times > 0) {
        for (total, x) in out.iter_mut().zip(sums) {
            *total += f64::from(times) * x;
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mean_band(days: &[i64], values: &[f64], block: usize, seed: u64) -> KpiBand {
        let resamples = Resamples::new(days, block, seed);
        let n = u32::try_from(values.len()).unwrap();
        resamples.band((n, OUTSIDE), |i| Some([values[i], 1.0]), |[sum, n]| (*n > 0.0).then(|| sum / n))
    }

    #[test]
    fn a_band_is_that_of_the_mean_and_the_seed_decides_it() {
        // One trade a day, ±1 in no order: the standard error of the mean of 400 is 0.05.
        let mut draws = Draws::new(7);
        let values: Vec<f64> = (0..400).map(|_| if draws.below(2) == 0 { 1.0 } else { -1.0 }).collect();
        let days: Vec<i64> = (0..400).collect();
        let band = mean_band(&days, &values, 1, 1);
        let width = band.high.unwrap() - band.low.unwrap();
        assert!((width - 2.0 * 1.96 * 0.05).abs() < 0.03, "{band:?}");
        assert_eq!(band, mean_band(&days, &values, 1, 1));
        assert_ne!(band, mean_band(&days, &values, 1, 2));
        // Ten trades that say the same each day are one case, not ten.
        let (days10, values10): (Vec<i64>, Vec<f64>) =
            days.iter().zip(&values).flat_map(|(d, v)| core::iter::repeat_n((*d, *v), 10)).unzip();
        let wide = mean_band(&days10, &values10, 1, 1);
        assert!((wide.high.unwrap() - wide.low.unwrap() - width).abs() < 1e-9, "{wide:?}");
        // What lasts for days is seen by blocks of days only.
        let runs: Vec<f64> = (0..400).map(|d| if (d / 10) % 2 == 0 { 1.0 } else { -1.0 }).collect();
        let of = |block| mean_band(&days, &runs, block, 1);
        assert!(of(5).high.unwrap() > 1.5 * of(1).high.unwrap(), "{:?} {:?}", of(5), of(1));
    }

    #[test]
    fn few_days_have_a_figure_and_no_band() {
        let band = mean_band(&[1, 2, 3], &[1.0, 2.0, 3.0], 1, 1);
        assert_eq!((band.value, band.low, band.missing), (Some(2.0), None, Some("too little data")));
        assert_eq!(mean_band(&[], &[], 1, 1), KpiBand::none(0, "no cases"));
        assert_eq!(band.excludes_zero(), None);
    }

    #[test]
    fn every_resample_has_as_many_days_as_there_are() {
        let mut draws = Draws::new(3);
        for (days, block) in [(10, 1), (10, 3), (11, 4), (7, 9)] {
            let counts = resample(days, block, &mut draws);
            assert_eq!(counts.iter().map(|c| usize::from(*c)).sum::<usize>(), days);
        }
    }
}
