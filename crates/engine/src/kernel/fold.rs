//! Aligned block fold (features §1.2, code ABF): a window is the ordered fold of at most 2·log₂n dyadic blocks aligned to
//! the absolute grid index.
//!
//! Nothing is ever subtracted, so nothing drifts, and the same window gives the same bits from any starting point. The
//! blocks form a binary tree over a ring whose length is a power of two: block `j` of level `k` covers grid indices
//! `[j·2^k, (j+1)·2^k)` and lies at a fixed place however often the ring has turned.
//!
//! Blocks of two and four samples are made when asked for: keeping them would take three quarters of the memory and save a few
//! additions. A sample is eight bytes and one bit.

use serde::{Deserialize, Serialize};

/// Something that can be folded: associative up to rounding, with an identity that changes no bit.
pub trait Block: Copy {
    /// Identity of [`Block::merge`]; also the leaf of a missing sample.
    const EMPTY: Self;
    /// The block of one sample.
    fn of(sample: f64) -> Self;
    /// This block followed by `right`.
    #[must_use]
    fn merge(self, right: Self) -> Self;
}

/// Ring of samples with the blocks above them.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(bound(serialize = "", deserialize = "B: Block"), from = "Saved", into = "Saved")]
pub struct Fold<B: Block> {
    /// Heap order: node 1 is the root, the nodes from `samples.len()` on are the samples. Kept are nodes of eight samples and
    /// more, which are those before a quarter of the samples.
    blocks: Vec<B>,
    samples: Samples,
    newest: Option<i64>,
}

/// Samples that may be missing.
#[derive(Clone, Debug)]
struct Samples {
    values: Vec<f64>,
    /// One bit per value: whether it is there.
    there: Vec<u64>,
}

impl Samples {
    fn new(places: usize) -> Self {
        Self { values: vec![0.0; places], there: vec![0; places.div_ceil(64)] }
    }

    fn len(&self) -> usize {
        self.values.len()
    }

    fn get(&self, at: usize) -> Option<f64> {
        (self.there[at / 64] >> (at % 64) & 1 == 1).then(|| self.values[at])
    }

    fn set(&mut self, at: usize, sample: Option<f64>) {
        let bit = 1_u64 << (at % 64);
        match sample {
            Some(value) => {
                self.values[at] = value;
                self.there[at / 64] |= bit;
            }
            None => self.there[at / 64] &= !bit,
        }
    }
}

/// Saved are the samples that are there; the blocks follow from them.
#[derive(Serialize, Deserialize)]
struct Saved {
    places: u32,
    held: Vec<(u32, f64)>,
    newest: Option<i64>,
}

/// The longest window of any feature has some thousands of samples; a damaged file does not get to ask for more.
const PLACES_MAX: u32 = 1 << 20;

impl<B: Block> From<Fold<B>> for Saved {
    fn from(fold: Fold<B>) -> Self {
        let held =
            (0_u32..).zip(0..fold.samples.len()).filter_map(|(n, at)| Some((n, fold.samples.get(at)?))).collect();
        Self { places: u32::try_from(fold.samples.len()).unwrap_or(PLACES_MAX), held, newest: fold.newest }
    }
}

impl<B: Block> From<Saved> for Fold<B> {
    fn from(saved: Saved) -> Self {
        let mut fold = Self::new(saved.places.min(PLACES_MAX) as usize);
        fold.newest = saved.newest;
        for (at, sample) in saved.held {
            if (at as usize) < fold.samples.len() {
                fold.samples.set(at as usize, Some(sample));
            }
        }
        for at in (1..fold.blocks.len()).rev() {
            fold.blocks[at] = fold.node(2 * at).merge(fold.node(2 * at + 1));
        }
        fold
    }
}

impl<B: Block> Fold<B> {
    /// Room for windows of up to `samples` leaves.
    #[must_use]
    pub fn new(samples: usize) -> Self {
        let places = samples.max(2).next_power_of_two();
        Self { blocks: vec![B::EMPTY; places / 4], samples: Samples::new(places), newest: None }
    }

    #[inline]
    fn node(&self, at: usize) -> B {
        if let Some(block) = self.blocks.get(at) {
            return *block;
        }
        let places = self.samples.len();
        // Not kept are blocks of one, two and four samples.
        let level = places.ilog2() - at.ilog2();
        self.few((at << level) - places, level)
    }

    /// The block of one, two or four samples that begins at a place of the ring.
    #[inline]
    fn few(&self, at: usize, level: u32) -> B {
        // Aligned samples share a word of the mask.
        let there = self.samples.there[at / 64] >> (at % 64);
        let values = &self.samples.values[at..at + (1 << level)];
        match *values {
            [a] if there & 1 == 1 => B::of(a),
            [a, b] if there & 3 == 3 => B::of(a).merge(B::of(b)),
            [a, b, c, d] if there & 15 == 15 => B::of(a).merge(B::of(b)).merge(B::of(c).merge(B::of(d))),
            _ => self.few_with_holes(at, level),
        }
    }

    #[cold]
    fn few_with_holes(&self, at: usize, level: u32) -> B {
        match level {
            0 => self.samples.get(at).map_or(B::EMPTY, B::of),
            _ => {
                let half = 1 << (level - 1);
                self.few(at, level - 1).merge(self.few(at + half, level - 1))
            }
        }
    }

    /// Newest grid index that has a leaf, present or missing.
    #[must_use]
    pub fn newest(&self) -> Option<i64> {
        self.newest
    }

    /// Oldest grid index that can still be asked for or changed.
    #[must_use]
    pub fn oldest(&self) -> Option<i64> {
        self.newest.map(|n| n - self.span() + 1)
    }

    fn span(&self) -> i64 {
        i64::try_from(self.samples.len()).unwrap_or(i64::MAX)
    }

    fn place(&self, index: i64) -> usize {
        self.samples.len() + ring_place(index, self.samples.len() - 1)
    }

    /// Sets the leaf of `index`. Indices skipped since the newest one become missing; an index older than the ring
    /// is ignored.
    pub fn set(&mut self, index: i64, sample: Option<f64>) {
        match self.newest {
            Some(newest) if index <= newest => {
                if newest - index < self.span() {
                    self.rewrite(index, sample);
                }
            }
            Some(newest) if index - newest <= self.span() => {
                for skipped in newest + 1..index {
                    self.append(skipped, None);
                }
                self.append(index, sample);
                self.newest = Some(index);
            }
            _ => {
                self.blocks.fill(B::EMPTY);
                self.samples.there.fill(0);
                self.append(index, sample);
                self.newest = Some(index);
            }
        }
    }

    /// Amortised O(1): a parent is folded when its last leaf arrives.
    fn append(&mut self, index: i64, sample: Option<f64>) {
        let mut at = self.place(index);
        self.samples.set(at - self.samples.len(), sample);
        let mut covered = index;
        while at > 1 && covered & 1 == 1 {
            at >>= 1;
            covered >>= 1;
            self.fold_again(at);
        }
    }

    /// O(log n): a past leaf changes every block above it. Blocks that are not complete yet are folded again by
    /// [`Self::append`] when they are.
    fn rewrite(&mut self, index: i64, sample: Option<f64>) {
        let mut at = self.place(index);
        self.samples.set(at - self.samples.len(), sample);
        while at > 1 {
            at >>= 1;
            self.fold_again(at);
        }
    }

    /// Makes a block from its halves, where it is kept.
    fn fold_again(&mut self, at: usize) {
        if at < self.blocks.len() {
            self.blocks[at] = self.node(2 * at).merge(self.node(2 * at + 1));
        }
    }

    /// The leaf at `index`; empty outside the ring.
    #[must_use]
    pub fn leaf(&self, index: i64) -> B {
        match (self.oldest(), self.newest) {
            (Some(oldest), Some(newest)) if (oldest..=newest).contains(&index) => self.node(self.place(index)),
            _ => B::EMPTY,
        }
    }

    /// Fold of the leaves in `(after, upto]`, in order. What the ring no longer or not yet holds counts as missing.
    #[must_use]
    pub fn window(&self, after: i64, upto: i64) -> B {
        self.window_of(after, upto, |block| block)
    }

    /// A part of [`Self::window`], without the rest of it.
    #[must_use]
    pub fn window_of<C: Block>(&self, after: i64, upto: i64, part: impl Fn(B) -> C) -> C {
        let (Some(oldest), Some(newest)) = (self.oldest(), self.newest) else { return C::EMPTY };
        let mut first = (after + 1).max(oldest);
        let last = upto.min(newest);
        let (mask, depth) = (self.samples.len() - 1, self.samples.len().ilog2());
        let mut folded = C::EMPTY;
        while first <= last {
            // The largest aligned block that starts here and does not reach beyond the last.
            let level = first.trailing_zeros().min((last - first + 1).ilog2()).min(depth);
            let at = ring_place(first, mask);
            let block = if level > FEW { self.blocks[(self.samples.len() + at) >> level] } else { self.few(at, level) };
            folded = folded.merge(part(block));
            first += 1_i64 << level;
        }
        folded
    }
}

/// Blocks up to this level are not kept.
const FEW: u32 = 2;

/// Place of a grid index in a ring. The mask keeps the low bits only, so the cast of a negative index is meant and harmless.
#[inline]
#[expect(clippy::cast_possible_truncation, reason = "the mask keeps the low bits only")]
const fn ring_place(index: i64, mask: usize) -> usize {
    (index.cast_unsigned() as usize) & mask
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::Sum;

    fn sum_of(fold: &Fold<Sum>, after: i64, upto: i64) -> (u32, u64) {
        let s = fold.window(after, upto);
        (s.n, s.total().to_bits())
    }

    #[test]
    fn any_start_gives_the_same_bits() {
        let value = |i: i64| f64::from(i32::try_from(i * 7919 % 1000).unwrap()) * 1e-4 + 1e6;
        let mut long = Fold::<Sum>::new(100);
        let mut short = Fold::<Sum>::new(100);
        for i in -300..500 {
            long.set(i, Some(value(i)));
            if i >= 200 {
                short.set(i, Some(value(i)));
            }
            if i >= 300 {
                assert_eq!(sum_of(&long, i - 100, i), sum_of(&short, i - 100, i), "at {i}");
            }
        }
    }

    #[test]
    fn window_equals_the_plain_count_with_holes_rewrites_and_jumps() {
        let mut fold = Fold::<Sum>::new(64);
        let mut plain = std::collections::BTreeMap::new();
        let mut at = 1_000_i64;
        let mut seed = 1_u64;
        for _ in 0..5_000 {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            let r = seed >> 33;
            let step = if r.is_multiple_of(97) { 200 } else { i64::try_from(r % 4).unwrap() };
            let index = if r.is_multiple_of(11) { at - i64::try_from(r % 30).unwrap() } else { at + step };
            at = at.max(index);
            if r.is_multiple_of(5) {
                fold.set(index, None);
                plain.remove(&index);
            } else {
                fold.set(index, Some(1.0));
                plain.insert(index, ());
            }
            for window in [1_i64, 7, 33, 64] {
                let want = plain.range(at - window + 1..=at).count();
                assert_eq!(fold.window(at - window, at).n as usize, want, "window {window} at {at}");
            }
        }
    }
}
