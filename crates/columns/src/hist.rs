//! Quantiles of a day in little memory: counts in bins of equal ratio, sixteen to a doubling, an hour at a time (features §1.2, code
//! HIST). Counts are whole, so that the same samples give the same bits in any order; a quantile is within 4.4 % of that of the samples.

use barograph_domain::bins::{OCTAVE, bin_of};
use barograph_domain::math;
use core::cmp::Ordering;
use std::collections::VecDeque;

/// Powers of two that are told apart; what lies outside counts at the end it lies beyond.
const EXPONENTS: core::ops::Range<i32> = -32..32;
/// Of sixty-four doublings.
const BINS: usize = 1_024;
/// Hours that count, the one under way among them.
const HOURS: i64 = 24;

/// The place of a number that is not negative among the counts.
fn place_of(x: f64) -> usize {
    usize::try_from(bin_of(x, &EXPONENTS) - EXPONENTS.start * OCTAVE).unwrap_or(0)
}

/// Counts of one hour.
#[derive(Clone, Debug)]
struct Hour {
    number: i64,
    /// Bins that have any, in order.
    counts: Vec<(u16, u32)>,
}

/// A quantile that is asked for again and again: one more case moves it by a bin or so.
#[derive(Clone, Copy, Debug)]
struct Mark {
    /// In 0 to 1.
    p: f64,
    bin: usize,
    /// Cases in bins before its own.
    below: u32,
}

/// Counts of the last day, with the quantiles that are asked of them.
#[derive(Clone, Debug)]
pub struct Hist<const N: usize> {
    all: Box<[u32; BINS]>,
    cases: u32,
    /// Oldest first.
    hours: VecDeque<Hour>,
    marks: [Mark; N],
}

impl<const N: usize> Hist<N> {
    /// Nothing was counted; quantiles at each of these, in 0 to 1.
    #[must_use]
    pub fn new(p: [f64; N]) -> Self {
        let marks = p.map(|p| Mark { p: p.clamp(0.0, 1.0), bin: 0, below: 0 });
        Self { all: Box::new([0; BINS]), cases: 0, hours: VecDeque::new(), marks }
    }

    /// A sample of an hour; hours come in order, and a negative number is none.
    pub fn add(&mut self, hour: i64, x: f64) {
        self.reach(hour);
        if x < 0.0 || x.is_nan() {
            return;
        }
        let bin = place_of(x);
        if self.hours.back().is_none_or(|last| last.number < hour) {
            self.hours.push_back(Hour { number: hour, counts: Vec::new() });
        }
        let Some(last) = self.hours.back_mut() else { return };
        let key = u16::try_from(bin).unwrap_or(u16::MAX);
        match last.counts.binary_search_by_key(&key, |(b, _)| *b) {
            Ok(at) => last.counts[at].1 += 1,
            Err(at) => last.counts.insert(at, (key, 1)),
        }
        self.all[bin] += 1;
        self.cases += 1;
        self.marks.iter_mut().for_each(|mark| mark.below += u32::from(bin < mark.bin));
    }

    /// It is this hour now: what lies a day back is let go.
    pub fn reach(&mut self, hour: i64) {
        while self.hours.front().is_some_and(|first| first.number <= hour - HOURS) {
            for (bin, n) in self.hours.pop_front().into_iter().flat_map(|gone| gone.counts) {
                let bin = usize::from(bin);
                self.all[bin] -= n;
                self.cases -= n;
                self.marks.iter_mut().for_each(|mark| mark.below -= if bin < mark.bin { n } else { 0 });
            }
        }
    }

    /// Numbers that count.
    #[must_use]
    pub const fn cases(&self) -> u32 {
        self.cases
    }

    /// Hours that have any.
    #[must_use]
    pub fn hours(&self) -> usize {
        self.hours.len()
    }

    /// How a number stands to each of [`Self::quantiles`]: mostly its bin says so, and one that begins a bin is above those of the bin before.
    /// `None` of nothing, or of a negative number.
    #[must_use]
    pub fn judge(&mut self, x: f64) -> Option<[Ordering; N]> {
        let last = self.cases.checked_sub(1).filter(|_| x >= 0.0)?;
        let (all, bin) = (&self.all, place_of(x));
        self.marks.iter_mut().for_each(|mark| mark.settle(all, last));
        Some(self.marks.map(|mark| match bin.cmp(&mark.bin) {
            Ordering::Equal => x.total_cmp(&mark.value(all, last)),
            other => other,
        }))
    }

    /// The quantiles: by even steps of the logarithm within their bins. `None` of nothing.
    #[must_use]
    pub fn quantiles(&mut self) -> Option<[f64; N]> {
        let last = self.cases.checked_sub(1)?;
        let all = &self.all;
        self.marks.iter_mut().for_each(|mark| mark.settle(all, last));
        Some(self.marks.map(|mark| mark.value(all, last)))
    }
}

impl Mark {
    /// Of all cases, of which the last has this number.
    fn rank(&self, last: u32) -> f64 {
        self.p * f64::from(last)
    }

    /// Its quantile, once it is in its bin.
    fn value(&self, all: &[u32; BINS], last: u32) -> f64 {
        let within = (self.rank(last) - f64::from(self.below) + 0.5) / f64::from(all[self.bin].max(1));
        math::exp2((self.bin as f64 + within.min(1.0)) / f64::from(OCTAVE) + f64::from(EXPONENTS.start))
    }

    /// Goes to the bin that holds its rank.
    fn settle(&mut self, all: &[u32; BINS], last: u32) {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "no more than there are cases")]
        let whole = self.rank(last) as u32;
        while self.below > whole {
            self.bin -= 1;
            self.below -= all[self.bin];
        }
        while self.bin + 1 < BINS && self.below + all[self.bin] <= whole {
            self.below += all[self.bin];
            self.bin += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_lies_outside_counts_at_the_ends() {
        assert_eq!([0.0, 1e-300, 1.0, 1e300, f64::INFINITY].map(place_of), [0, 0, BINS / 2, BINS - 1, BINS - 1]);
    }

    proptest! {
        #[test]
        fn quantiles_are_near_those_of_the_samples(
            samples in prop::collection::vec(1e-6_f64..1e6, 1..300),
            p in 0.0_f64..=1.0,
        ) {
            let mut hist = Hist::new([p]);
            for (n, x) in samples.iter().enumerate() {
                hist.add(i64::try_from(n / 20).unwrap(), *x);
            }
            let mut sorted = samples.clone();
            sorted.sort_by(f64::total_cmp);
            let rank = p * (sorted.len() - 1) as f64;
            let beside = |n: &usize| (*n as f64 - rank).abs() < 1.0;
            let near: Vec<f64> = (0..sorted.len()).filter(beside).map(|n| sorted[n]).collect();
            let (low, high) = (near[0], near[near.len() - 1]);
            let [got] = hist.quantiles().unwrap();
            for x in samples.iter().copied().chain([got / 1.01, got * 1.01]) {
                prop_assert_eq!(hist.judge(x), Some([x.total_cmp(&got)]), "{} to {}", x, got);
            }
            prop_assert!(got >= low / 1.045 && got <= high * 1.045, "{} in {} to {}", got, low, high);
        }

        #[test]
        fn a_day_back_nothing_counts(hours in prop::collection::vec(0_i64..80, 1..100)) {
            let mut hours = hours;
            hours.sort_unstable();
            let mut hist = Hist::new([0.5]);
            for hour in &hours {
                hist.add(*hour, 1.0 + *hour as f64);
                prop_assert!(hist.quantiles().is_some());
            }
            let newest = hours[hours.len() - 1];
            let kept: Vec<i64> = hours.into_iter().filter(|h| *h > newest - HOURS).collect();
            prop_assert_eq!(hist.cases() as usize, kept.len());
            let mut alone = Hist::new([0.5]);
            kept.iter().for_each(|hour| alone.add(*hour, 1.0 + *hour as f64));
            prop_assert_eq!(hist.quantiles().map(|q| q.map(f64::to_bits)), alone.quantiles().map(|q| q.map(f64::to_bits)));
        }
    }

    #[test]
    fn of_nothing_there_is_no_quantile() {
        let mut hist = Hist::new([0.5]);
        hist.add(5, -1.0);
        assert_eq!((hist.quantiles(), hist.cases(), hist.hours()), (None, 0, 0));
    }
}
