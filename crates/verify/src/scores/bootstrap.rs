//! Bands of a score: circular moving-block bootstrap over moments, all symbols of a moment kept together (Politis and Romano,
//! "A circular block-resampling procedure for stationary data", 1992). For display; what is decided is decided by [`super::sequence`].
//!
//! Any score that is a function of sums over the cases fits: the sums of a moment are added up once, a block is then the difference of
//! two running sums, and one set of resamples serves every score of the same cases, which is what pairs two classifiers.
//!
//! Exactly, so that others can repeat it: moments lie on a grid of `step` slots, from the first on; where nothing was said for longer
//! than a block, the hole is closed up to one block. A block covers `ceil(L / step)` slots, `L = max(h, 24 h)`. A resample draws
//! `ceil(slots / block)` starts with [`SplitMix::below`]`(slots)`, one after another, each block running on at the first slot behind
//! the last; the final block is cut so that every resample has as many slots as the series. The generator starts once, with the seed,
//! before the first of 1,000 resamples. The band lies between the type-7 quantiles 5 % and 95 %.

use super::case::n_eff;
use super::random::SplitMix;
use super::sums::quantile;
use barograph_domain::time::DAY;
use barograph_domain::{Span, Ts};
use serde::{Deserialize, Serialize};

/// Resamples behind a band.
pub const DRAWS: usize = 1_000;
/// Fewer stretches of a block's length than this are too little data for a band.
pub const BLOCKS_MIN: usize = 10;
/// The seed of every published band.
pub const SEED: u64 = 20_260_101;

/// Sums over the cases of each moment, on a grid, ready to be resampled.
#[derive(Clone, Debug)]
pub struct BlockSeries<const S: usize> {
    /// Running sums: entry `i` is what lies before slot `i`.
    before: Vec<[f64; S]>,
    /// Slots of a block.
    block: usize,
    /// Stretches of a block's length that hold cases and do not overlap.
    blocks: usize,
}

impl<const S: usize> BlockSeries<S> {
    /// The series of cases on a grid of `step`, for forecasts of `horizon`: blocks of `max(horizon, 24 h)`.
    ///
    /// # Panics
    /// When the cases are not in the order of time.
    #[must_use]
    pub fn new(cases: impl IntoIterator<Item = (Ts, [f64; S])>, step: Span, horizon: Span) -> Self {
        Self::with_block(cases, step, horizon.max(DAY))
    }

    /// The same with blocks of a given length.
    ///
    /// # Panics
    /// As [`Self::new`].
    #[must_use]
    pub fn with_block(cases: impl IntoIterator<Item = (Ts, [f64; S])>, step: Span, block: Span) -> Self {
        let slots_of = |span: Span| usize::try_from(span.0.div_euclid(step.0)).unwrap_or_default();
        let block_slots = slots_of(block + step - Span(1)).max(1);
        let mut moments = Vec::new();
        let mut slots: Vec<[f64; S]> = Vec::new();
        let mut newest = None;
        for (t, sums) in cases {
            if newest.replace(t) == Some(t)
                && let Some(last) = slots.last_mut()
            {
                *last = plus(*last, sums);
                continue;
            }
            let t = t.floor(step);
            let ahead = moments.last().map_or(1, |before: &Ts| {
                assert!(*before <= t, "cases out of order: {t} after {before}");
                slots_of(t - *before).min(block_slots)
            });
            if ahead > 0 {
                moments.push(t);
                slots.resize(slots.len() + ahead, [0.0; S]);
            }
            if let Some(last) = slots.last_mut() {
                *last = plus(*last, sums);
            }
        }
        let running = slots.iter().scan([0.0; S], |sum, slot| {
            *sum = plus(*sum, *slot);
            Some(*sum)
        });
        let before = std::iter::once([0.0; S]).chain(running).collect();
        Self { before, block: block_slots, blocks: n_eff(moments, block) }
    }

    /// Slots of the grid from the first moment to the last.
    #[must_use]
    pub const fn slots(&self) -> usize {
        self.before.len() - 1
    }
    /// Slots of one block.
    #[must_use]
    pub const fn block_slots(&self) -> usize {
        self.block
    }
    /// Stretches of a block's length that hold cases and do not overlap.
    #[must_use]
    pub const fn blocks(&self) -> usize {
        self.blocks
    }
    /// Sums over all cases.
    #[must_use]
    pub fn total(&self) -> [f64; S] {
        self.before[self.slots()]
    }

    /// Sums of the resample whose blocks begin at these slots, cut to as many slots as the series has.
    ///
    /// # Panics
    /// When a start lies behind the last slot.
    #[must_use]
    pub fn resampled(&self, starts: impl IntoIterator<Item = usize>) -> [f64; S] {
        let (slots, mut left, mut sum) = (self.slots(), self.slots(), [0.0; S]);
        for start in starts {
            assert!(start < slots, "slot {start} of {slots}");
            let length = self.block.min(left);
            left -= length;
            let end = start + length;
            let wrapped = end.saturating_sub(slots);
            let (first, rest) = (self.before[end - wrapped], self.before[wrapped]);
            let begin = self.before[start];
            for column in 0..S {
                sum[column] += first[column] - begin[column] + rest[column];
            }
        }
        sum
    }

    /// The resamples of this seed; `None` where fewer than ten blocks hold cases: too little data.
    #[must_use]
    pub fn resamples(&self, draws: usize, seed: u64) -> Option<Resamples<S>> {
        if self.blocks < BLOCKS_MIN {
            return None;
        }
        let (slots, starts) = (self.slots() as u64, self.slots().div_ceil(self.block));
        let mut random = SplitMix::new(seed);
        let mut start = || usize::try_from(random.below(slots)).unwrap_or_default();
        let sums = (0..draws).map(|_| self.resampled(std::iter::repeat_with(&mut start).take(starts))).collect();
        Some(Resamples { total: self.total(), sums, blocks: self.blocks })
    }
}

fn plus<const S: usize>(mut a: [f64; S], b: [f64; S]) -> [f64; S] {
    a.iter_mut().zip(b).for_each(|(a, b)| *a += b);
    a
}

/// Sums of every resample; each score of the same cases is read from the same ones.
#[derive(Clone, Debug)]
pub struct Resamples<const S: usize> {
    total: [f64; S],
    sums: Vec<[f64; S]>,
    blocks: usize,
}

/// A score with its band.
#[derive(Clone, Copy, PartialEq, Debug, Serialize, Deserialize)]
pub struct ScoreBand {
    /// The score of all cases.
    pub value: f64,
    /// 5 % quantile over the resamples.
    pub low: f64,
    /// 95 % quantile over the resamples.
    pub high: f64,
    /// Blocks that hold cases.
    pub blocks: usize,
}

impl ScoreBand {
    /// Does the band hold zero: no skill shown?
    #[must_use]
    pub const fn holds_zero(&self) -> bool {
        self.low <= 0.0 && self.high >= 0.0
    }
}

impl<const S: usize> Resamples<S> {
    /// The score's value in every resample in which it is defined, in the order drawn.
    pub fn values(&self, score: impl Fn(&[f64; S]) -> Option<f64>) -> Vec<f64> {
        self.sums.iter().filter_map(score).collect()
    }

    /// The score of all cases with its 90 % band. `None` where it is undefined for all cases, or in more than a twentieth of the
    /// resamples: leaving those out would bend the band.
    pub fn band(&self, score: impl Fn(&[f64; S]) -> Option<f64>) -> Option<ScoreBand> {
        let value = score(&self.total)?;
        let mut values = self.values(score);
        if values.len() * 20 < self.sums.len() * 19 {
            return None;
        }
        values.sort_by(f64::total_cmp);
        Some(ScoreBand { value, low: quantile(&values, 0.05)?, high: quantile(&values, 0.95)?, blocks: self.blocks })
    }
}
