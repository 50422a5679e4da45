//! Quantiles of a trailing window in bounded memory: counts in bins of equal ratio, sixteen to a doubling, one set of counts for
//! each slot of the window (features §1.2, code HIST).
//!
//! Counts are whole numbers, so the same samples give the same bits in any order and after a restore. A quantile lies within one
//! bin, 4.4 %, of that of the samples. What is not above zero is counted apart: it has no logarithm, and it is often the most
//! frequent value there is. Of each slot only the bins between its least and its greatest sample are held.

use barograph_domain::bins::{OCTAVE, bin_of};
use barograph_domain::{Span, Ts, math};
use serde::{Deserialize, Serialize};
use std::collections::VecDeque;

/// Powers of two that are told apart; what lies outside counts at the end it lies beyond. A slot holds at most 100 × 16 counts.
const EXPONENTS: core::ops::Range<i32> = -40..60;

/// Counts between the least and the greatest bin that has any.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
struct Bins {
    first: i32,
    counts: Vec<u32>,
    /// Samples of zero or less.
    nothing: u32,
    samples: u32,
}

impl Bins {
    fn add(&mut self, bin: Option<i32>, n: u32) {
        self.samples += n;
        let Some(bin) = bin else {
            self.nothing += n;
            return;
        };
        if self.counts.is_empty() {
            self.first = bin;
        }
        if bin < self.first {
            let more = usize::try_from(self.first - bin).unwrap_or(0);
            self.counts.splice(0..0, core::iter::repeat_n(0, more));
            self.first = bin;
        }
        let at = usize::try_from(bin - self.first).unwrap_or(0);
        if at >= self.counts.len() {
            self.counts.resize(at + 1, 0);
        }
        self.counts[at] += n;
    }

    fn each(&self) -> impl Iterator<Item = (i32, u32)> {
        (self.first..).zip(self.counts.iter().copied()).filter(|(_, n)| *n > 0)
    }

    fn take_out(&mut self, gone: &Self) {
        self.samples -= gone.samples;
        self.nothing -= gone.nothing;
        for (bin, n) in gone.each() {
            self.counts[usize::try_from(bin - self.first).unwrap_or(0)] -= n;
        }
    }
}

/// Counts of one stretch of the window.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
struct HistSlot {
    index: i64,
    bins: Bins,
}

/// The bin of a number above zero.
fn bin_above_zero(x: f64) -> Option<i32> {
    (x > 0.0).then(|| bin_of(x, &EXPONENTS))
}

/// The distribution of the samples of the last so many slots, the one under way among them.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct TrailingHist {
    slot: Span,
    keep: usize,
    /// Oldest first; slots without samples are not held.
    slots: VecDeque<HistSlot>,
    all: Bins,
}

impl TrailingHist {
    /// An empty window of `keep` slots of this length.
    #[must_use]
    pub fn new(slot: Span, keep: usize) -> Self {
        Self { slot, keep: keep.max(1), slots: VecDeque::new(), all: Bins::default() }
    }

    /// A day of hours.
    #[must_use]
    pub fn day() -> Self {
        Self::new(Span::hours(1), 24)
    }

    /// Enters a sample; samples come in order of time. NaN is none.
    pub fn push(&mut self, t: Ts, x: f64) {
        if x.is_nan() {
            return;
        }
        self.reach(t);
        let index = t.0.div_euclid(self.slot.0);
        if self.slots.back().is_none_or(|last| last.index < index) {
            self.slots.push_back(HistSlot { index, bins: Bins::default() });
        }
        let bin = bin_above_zero(x);
        if let Some(last) = self.slots.back_mut() {
            last.bins.add(bin, 1);
            self.all.add(bin, 1);
        }
    }

    /// It is `t` now: slots that have left the window are let go.
    pub fn reach(&mut self, t: Ts) {
        let oldest = t.0.div_euclid(self.slot.0) - i64::try_from(self.keep).unwrap_or(i64::MAX);
        while self.slots.front().is_some_and(|first| first.index <= oldest) {
            if let Some(gone) = self.slots.pop_front() {
                self.all.take_out(&gone.bins);
            }
        }
    }

    /// Samples in the window.
    #[must_use]
    pub const fn samples(&self) -> u32 {
        self.all.samples
    }

    /// Slots that have any.
    #[must_use]
    pub fn slots(&self) -> usize {
        self.slots.len()
    }

    /// The value at a rank in 0 to 1, by even steps of the logarithm within its bin; 0 where that lies among what is not above
    /// zero. `None` without samples.
    #[must_use]
    pub fn quantile(&self, p: f64) -> Option<f64> {
        let last = self.all.samples.checked_sub(1)?;
        let rank = p.clamp(0.0, 1.0) * f64::from(last);
        let mut below = f64::from(self.all.nothing);
        if rank < below {
            return Some(0.0);
        }
        let mut found = None;
        for (bin, n) in self.all.each() {
            let n = f64::from(n);
            found = Some((f64::from(bin) + ((rank - below + 0.5) / n).min(1.0)) / f64::from(OCTAVE));
            if below + n > rank {
                break;
            }
            below += n;
        }
        Some(found.map_or(0.0, math::exp2))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        /// Of the samples of the window and of no others, in any order of slots, restored or not.
        #[test]
        fn a_quantile_is_within_a_bin_of_that_of_the_samples(
            samples in prop::collection::vec((0_i64..900, prop_oneof![Just(0.0), 1e-6..1e9_f64]), 1..400),
            p in 0.0..1.0_f64,
        ) {
            let mut ordered = samples;
            ordered.sort_by_key(|(at, _)| *at);
            let mut hist = TrailingHist::new(Span::secs(10), 24);
            for (at, x) in &ordered {
                hist.push(Ts::from_secs(*at), *x);
            }
            let newest = ordered.last().unwrap().0;
            let mut kept: Vec<f64> =
                ordered.iter().filter(|(at, _)| at.div_euclid(10) > newest.div_euclid(10) - 24).map(|(_, x)| *x).collect();
            kept.sort_by(f64::total_cmp);
            prop_assert_eq!(hist.samples() as usize, kept.len());
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a rank among hundreds")]
            let rank = (p * (kept.len() - 1) as f64).floor() as usize;
            let got = hist.quantile(p).unwrap();
            let bin = math::exp2(1.0 / f64::from(OCTAVE)) * (1.0 + 1e-12);
            prop_assert!(got <= kept[rank] * bin && got >= kept[rank] / bin, "{} for {}", got, kept[rank]);
            let saved = postcard::to_allocvec(&hist).unwrap();
            prop_assert_eq!(postcard::from_bytes::<TrailingHist>(&saved).unwrap(), hist);
        }
    }

    #[test]
    fn what_left_the_window_is_forgotten() {
        let mut hist = TrailingHist::day();
        assert_eq!(hist.quantile(0.5), None);
        for hour in 0..30 {
            hist.push(Ts::from_secs(hour * 3_600), if hour < 6 { 1e6 } else { 1.0 });
        }
        assert_eq!((hist.samples(), hist.slots()), (24, 24));
        assert!(hist.quantile(1.0).unwrap() < 1.05);
        hist.reach(Ts::from_secs(60 * 3_600));
        assert_eq!((hist.samples(), hist.quantile(0.5)), (0, None));
    }
}
