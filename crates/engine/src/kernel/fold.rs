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
    /// The same where neither is empty, which need not be asked then.
    #[must_use]
    fn join(self, right: Self) -> Self {
        self.merge(right)
    }
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
    /// From the index after this one on no sample is missing, so that a window need not ask.
    whole_after: i64,
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
        (self.there_from(at) & 1 == 1).then(|| self.values[at])
    }

    /// The bits of the samples from a place on, up to the next multiple of 64.
    #[inline]
    fn there_from(&self, at: usize) -> u64 {
        self.there[at / 64] >> (at % 64)
    }

    #[inline]
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
        if let Some(newest) = fold.newest {
            let missing = |i: &i64| fold.samples.get(fold.place(*i)).is_none();
            fold.whole_after = (newest - fold.span()..newest + 1).rev().find(missing).unwrap_or(newest);
        }
        for at in (1..fold.blocks.len()).rev() {
            fold.fold_again(at);
        }
        fold
    }
}

impl<B: Block> Fold<B> {
    /// Room for windows of up to `samples` leaves.
    #[must_use]
    pub fn new(samples: usize) -> Self {
        let places = samples.max(2).next_power_of_two();
        Self { blocks: vec![B::EMPTY; places / 4], samples: Samples::new(places), newest: None, whole_after: i64::MIN }
    }

    /// The block of four samples that begins at a place of the ring; `WHOLE` where none is missing.
    #[inline(always)]
    fn four<C: Block, const WHOLE: bool>(&self, at: usize) -> C {
        let samples = &self.samples;
        match samples.values[at..] {
            [a, b, c, d, ..] if WHOLE || samples.there_from(at) & 15 == 15 => {
                C::of(a).join(C::of(b)).join(C::of(c).join(C::of(d)))
            }
            _ => self.four_with_holes(at),
        }
    }

    #[cold]
    #[inline(never)]
    fn four_with_holes<C: Block>(&self, at: usize) -> C {
        self.two::<C, false>(at).merge(self.two::<C, false>(at + 2))
    }

    /// The block of two samples that begins at a place of the ring.
    #[inline(always)]
    fn two<C: Block, const WHOLE: bool>(&self, at: usize) -> C {
        let samples = &self.samples;
        match samples.values[at..] {
            [a, b, ..] if WHOLE || samples.there_from(at) & 3 == 3 => C::of(a).join(C::of(b)),
            _ => self.two_with_holes(at),
        }
    }

    #[cold]
    #[inline(never)]
    fn two_with_holes<C: Block>(&self, at: usize) -> C {
        self.one::<C, false>(at).merge(self.one::<C, false>(at + 1))
    }

    /// The block of the sample at a place of the ring.
    #[inline(always)]
    fn one<C: Block, const WHOLE: bool>(&self, at: usize) -> C {
        let samples = &self.samples;
        if WHOLE || samples.there_from(at) & 1 == 1 { C::of(samples.values[at]) } else { C::EMPTY }
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
        ring_place(index, self.samples.len() - 1)
    }

    /// Sets the leaf of `index`. Indices skipped since the newest one become missing; an index older than the ring
    /// is ignored.
    #[inline]
    pub fn set(&mut self, index: i64, sample: Option<f64>) {
        if self.newest == Some(index - 1) {
            self.append(index, sample);
        } else {
            self.set_elsewhere(index, sample);
        }
    }

    /// Sets a leaf that is not the next one.
    fn set_elsewhere(&mut self, index: i64, sample: Option<f64>) {
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
            }
            _ => {
                self.blocks.fill(B::EMPTY);
                self.samples.there.fill(0);
                self.whole_after = index - 1;
                self.append(index, sample);
            }
        }
    }

    /// Amortised O(1): a block is folded when its last leaf arrives.
    #[inline]
    fn append(&mut self, index: i64, sample: Option<f64>) {
        let at = self.keep(index, sample);
        self.newest = Some(index);
        if (at + 1).is_multiple_of(KEPT) {
            self.complete(at);
        }
    }

    /// Makes the kept blocks that end with a place.
    fn complete(&mut self, at: usize) {
        let mut node = (self.samples.len() + at) / KEPT;
        let mut ended = (at + 1) / KEPT;
        self.fold_again(node);
        while node > 1 && ended.is_multiple_of(2) {
            node /= 2;
            ended /= 2;
            self.fold_again(node);
        }
    }

    /// O(log n): a past leaf changes every block above it. Blocks that are not complete yet are folded again by
    /// [`Self::append`] when they are.
    fn rewrite(&mut self, index: i64, sample: Option<f64>) {
        let at = self.keep(index, sample);
        let mut node = (self.samples.len() + at) / KEPT;
        while node > 0 {
            self.fold_again(node);
            node /= 2;
        }
    }

    /// Keeps a sample and gives its place.
    fn keep(&mut self, index: i64, sample: Option<f64>) -> usize {
        let at = self.place(index);
        self.samples.set(at, sample);
        if sample.is_none() {
            self.whole_after = self.whole_after.max(index);
        }
        at
    }

    /// Makes a kept block from its halves.
    fn fold_again(&mut self, node: usize) {
        let (halves, kept) = (2 * node, self.blocks.len());
        self.blocks[node] = if halves < kept {
            self.blocks[halves].merge(self.blocks[halves + 1])
        } else {
            let at = (halves - kept) * (KEPT / 2);
            self.four::<B, false>(at).merge(self.four::<B, false>(at + KEPT / 2))
        };
    }

    /// The leaf at `index`; empty outside the ring.
    #[must_use]
    pub fn leaf(&self, index: i64) -> B {
        match (self.oldest(), self.newest) {
            (Some(oldest), Some(newest)) if (oldest..=newest).contains(&index) => {
                self.one::<B, false>(self.place(index))
            }
            _ => B::EMPTY,
        }
    }

    /// Fold of the leaves in `(after, upto]`, in order. What the ring no longer or not yet holds counts as missing.
    #[must_use]
    pub fn window(&self, after: i64, upto: i64) -> B {
        self.window_of(after, upto, |block| *block)
    }

    /// A part of [`Self::window`], without the rest of it: `part` gives of a block what `C` makes of the same samples.
    ///
    /// Blocks grow from the first leaf on, each as long as its place is aligned for, up to the longest of the window, and shrink
    /// towards the last leaf, one for each power of two in the number of leaves that are left.
    #[must_use]
    pub fn window_of<C: Block>(&self, after: i64, upto: i64, part: impl Fn(&B) -> C) -> C {
        let Some(newest) = self.newest else { return C::EMPTY };
        let first = (after + 1).max(newest - self.span() + 1);
        match usize::try_from(upto.min(newest) - first + 1) {
            Ok(count) if count > 0 && first > self.whole_after => self.folded::<C, true>(first, count, part),
            Ok(count) if count > 0 => self.folded::<C, false>(first, count, part),
            _ => C::EMPTY,
        }
    }

    /// Fold of at least one leaf; `WHOLE` where none is missing.
    ///
    /// The window's longest alignment lies where its ends first differ: blocks grow up to there and shrink behind it, one for
    /// each bit of the two lengths, so that nothing is searched for. A window that goes on at the beginning of the ring is
    /// aligned there.
    #[inline]
    fn folded<C: Block, const WHOLE: bool>(&self, first: i64, count: usize, part: impl Fn(&B) -> C) -> C {
        let merged = |left: C, right: C| if WHOLE { left.join(right) } else { left.merge(right) };
        let (places, blocks) = (self.samples.len(), &self.blocks[..]);
        let at = ring_place(first, places - 1);
        let end = at + count;
        let middle = end & (usize::MAX << (at ^ end).ilog2());
        // Nodes from the beginning of the ring on, which the middle may be: there the ring's end is.
        let (growing, shrinking) = (places + middle, places + end - if middle == places { places } else { 0 });
        let (mut up, mut down) = (middle - at, end - middle);
        let mut folded = match up & up.wrapping_neg() {
            1 => self.one::<C, WHOLE>(at),
            2 => self.two::<C, WHOLE>(at),
            4 => self.four::<C, WHOLE>(at),
            length => part(&blocks[(places + at) >> length.trailing_zeros()]),
        };
        up &= up - 1;
        if up & 2 != 0 {
            folded = merged(folded, self.two::<C, WHOLE>(middle - up));
            up -= 2;
        }
        if up & 4 != 0 {
            folded = merged(folded, self.four::<C, WHOLE>(middle - up));
            up -= 4;
        }
        while up != 0 {
            folded = merged(folded, part(&blocks[(growing - up) >> up.trailing_zeros()]));
            up &= up - 1;
        }
        while down >= KEPT {
            let level = down.ilog2();
            folded = merged(folded, part(&blocks[(shrinking >> level) - 1]));
            down -= 1 << level;
        }
        let mut at = shrinking - places - down;
        if down & 4 != 0 {
            folded = merged(folded, self.four::<C, WHOLE>(at));
            at += 4;
        }
        if down & 2 != 0 {
            folded = merged(folded, self.two::<C, WHOLE>(at));
            at += 2;
        }
        if down & 1 != 0 {
            folded = merged(folded, self.one::<C, WHOLE>(at));
        }
        folded
    }
}

/// Samples of the shortest block that is kept.
const KEPT: usize = 8;

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

    /// The block of `length` leaves from `first` on, from its halves.
    fn plain_block(samples: &std::collections::BTreeMap<i64, f64>, first: i64, length: i64) -> Sum {
        if length == 1 {
            return samples.get(&first).map_or(Sum::EMPTY, |x| Sum::of(*x));
        }
        let half = length / 2;
        plain_block(samples, first, half).merge(plain_block(samples, first + half, half))
    }

    #[test]
    fn a_window_is_the_ordered_fold_of_the_longest_aligned_blocks() {
        for places in [2_i64, 4, 8, 64] {
            let mut fold = Fold::<Sum>::new(usize::try_from(places).unwrap());
            let mut plain = std::collections::BTreeMap::new();
            let mut seed = 7_u64;
            for i in -40_i64..200 {
                seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                let value =
                    (!(seed >> 40).is_multiple_of(13)).then_some(f64::from(u32::try_from(seed >> 32).unwrap()) * 1e-3);
                // Now and then an earlier one again.
                let index = if (seed >> 50).is_multiple_of(9) { i - 1 - (i & 1) } else { i };
                fold.set(index, value);
                plain.remove(&index);
                plain.extend(value.map(|v| (index, v)));
                let (newest, mut wanted) = (fold.newest().unwrap(), Vec::new());
                plain.retain(|i, _| *i > newest - places);
                for length in 1..=places {
                    let (mut first, mut sum) = (newest - length + 1, Sum::EMPTY);
                    while first <= newest {
                        let left = newest - first + 1;
                        let mut block = 1;
                        while 2 * block <= left && first % (2 * block) == 0 {
                            block *= 2;
                        }
                        sum = sum.merge(plain_block(&plain, first, block));
                        first += block;
                    }
                    wanted.push((sum.n, sum.total().to_bits()));
                }
                let got: Vec<_> = (1..=places).map(|w| sum_of(&fold, newest - w, newest)).collect();
                assert_eq!(got, wanted, "{places} places, newest {newest}");
            }
        }
    }
}
