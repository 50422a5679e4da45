//! Quantiles of a trailing window in bounded memory: counts in bins of equal ratio, sixteen to a doubling, one set of counts for
//! each slot of the window (features §1.2, code HIST).
//!
//! Counts are whole numbers, so the same samples give the same bits in any order and after a restore. A quantile lies within one
//! bin, 4.4 %, of that of the samples. What is not above zero is counted apart: it has no logarithm, and it is often the most
//! frequent value there is. Of each slot only the bins between its least and its greatest sample are held.

use barograph_domain::{Span, Ts, math};
use serde::{Deserialize, Serialize};
use std::collections::VecDeque;

/// Bins of a doubling.
const OCTAVE: i32 = 16;
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
fn bin_of(x: f64) -> Option<i32> {
    if x <= 0.0 || x.is_nan() {
        return None;
    }
    let bits = x.to_bits();
    let exponent = i32::try_from(bits >> 52).unwrap_or(i32::MAX) - 1_023;
    if exponent < EXPONENTS.start {
        return Some(EXPONENTS.start * OCTAVE);
    }
    if exponent >= EXPONENTS.end {
        return Some(EXPONENTS.end * OCTAVE - 1);
    }
    let mantissa = f64::from_bits(bits & ((1 << 52) - 1) | 1_023 << 52);
    let within = EDGES.partition_point(|edge| *edge <= mantissa);
    Some(exponent * OCTAVE + i32::try_from(within).unwrap_or(1) - 1)
}

/// Lower edges of the bins of a doubling, over its beginning: `2^(n/16)`.
const EDGES: [f64; 16] = [
    1.0,
    1.044_273_782_427_413_8,
    1.090_507_732_665_257_7,
    1.138_788_634_756_691_6,
    1.189_207_115_002_721,
    1.241_857_812_073_484,
    1.296_839_554_651_009_6,
    1.354_255_546_936_892_7,
    core::f64::consts::SQRT_2,
    1.476_826_145_939_499_3,
    1.542_210_825_407_940_7,
    1.610_490_331_949_254_3,
    1.681_792_830_507_429,
    1.756_252_160_373_299_5,
    1.834_008_086_409_342_4,
    1.915_206_561_397_147_2,
];

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
        let bin = bin_of(x);
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

    #[test]
    fn a_bin_begins_at_its_edge() {
        for (n, edge) in (0..).zip(EDGES) {
            for exponent in [-20, 0, 7] {
                let x = edge * f64::from(exponent).exp2();
                let bin = exponent * OCTAVE + n;
                assert_eq!((bin_of(x), bin_of(x.next_down())), (Some(bin), Some(bin - 1)), "{x}");
            }
        }
        assert_eq!((bin_of(0.0), bin_of(-1.0), bin_of(f64::NAN)), (None, None, None));
        assert_eq!((bin_of(1e-300), bin_of(f64::INFINITY)), (Some(-640), Some(959)));
    }

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
            let bin = EDGES[1] * (1.0 + 1e-12);
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
