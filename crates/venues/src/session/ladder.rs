//! One side of an order book: levels in order of price, in short rows.
//!
//! A change moves the levels of one row, never those of the whole side: new and vanishing prices are a quarter of a busy
//! venue's changes, many of them far from the top. Rows and levels are counted, not searched: where a change lies cannot be
//! guessed, neither from the top nor from the change before.
//!
//! Prices are above zero, and are compared as if they had no sign: then a comparison is counted in the instruction after it.

use super::book::BookLevel;
use super::edges::{Edges, counted, is_worse};
use serde::{Deserialize, Serialize};

/// Levels in a row: 1 KiB.
const ROW: usize = 64;

/// One side; a price is better when it is lower on the side of the asks, higher on that of the bids.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(from = "Saved", into = "Saved")]
pub(super) struct Ladder<const ASKS: bool> {
    /// Worst row first; none is empty.
    rows: Vec<Row<ASKS>>,
    /// Of every row but the first a price that is worse than none of it and better than all of the row before.
    edges: Edges<ASKS>,
    /// Empty rows, kept for their memory.
    spare: Vec<Row<ASKS>>,
    /// Levels in all rows.
    len: usize,
    /// Prices worse than this are unknown; `None`: all that the venue sent is here.
    horizon: Option<i64>,
}

/// Levels that are neighbours, worst first.
#[derive(Clone, Debug)]
struct Row<const ASKS: bool> {
    /// Behind the levels that are there: such as are better than any.
    levels: Box<[BookLevel; ROW]>,
    len: usize,
}

impl<const ASKS: bool> Row<ASKS> {
    const FREE: BookLevel = BookLevel { units: Edges::<ASKS>::BEST, qty: 0.0 };

    fn new() -> Self {
        Self { levels: Box::new([Self::FREE; ROW]), len: 0 }
    }

    fn all(&self) -> &[BookLevel] {
        &self.levels[..self.len]
    }

    /// How many levels are worse than this price.
    #[inline(always)]
    fn place(&self, units: i64) -> usize {
        counted(|at| is_worse::<ASKS>(self.levels[at].units, units))
    }

    /// There has to be room.
    fn insert(&mut self, at: usize, level: BookLevel) {
        self.levels.copy_within(at..self.len, at + 1);
        self.levels[at] = level;
        self.len += 1;
    }

    fn remove(&mut self, at: usize) {
        self.levels.copy_within(at + 1..self.len, at);
        self.len -= 1;
        self.levels[self.len] = Self::FREE;
    }

    /// Adds better levels; there has to be room.
    fn extend(&mut self, levels: &[BookLevel]) {
        self.levels[self.len..self.len + levels.len()].copy_from_slice(levels);
        self.len += levels.len();
    }

    fn truncate(&mut self, len: usize) {
        self.levels[len..self.len].fill(Self::FREE);
        self.len = len;
    }
}

/// As it is saved.
#[derive(Serialize, Deserialize)]
struct Saved {
    /// Worst first, best last.
    levels: Vec<BookLevel>,
    /// Turns "better" into "greater".
    sign: i64,
    horizon: Option<i64>,
}

impl<const ASKS: bool> From<Ladder<ASKS>> for Saved {
    fn from(side: Ladder<ASKS>) -> Self {
        let levels = side.rows.iter().flat_map(Row::all).copied().collect();
        Self { levels, sign: if ASKS { -1 } else { 1 }, horizon: side.horizon }
    }
}

impl<const ASKS: bool> From<Saved> for Ladder<ASKS> {
    fn from(saved: Saved) -> Self {
        let mut side = Self::new();
        side.horizon = saved.horizon;
        side.len = saved.levels.len();
        // Room for some more in each.
        for part in saved.levels.chunks(ROW * 3 / 4) {
            let mut row = Row::new();
            row.extend(part);
            if !side.rows.is_empty() {
                side.edges.insert(side.rows.len() - 1, row.levels[0].units);
            }
            side.rows.push(row);
        }
        side
    }
}

impl<const ASKS: bool> PartialEq for Ladder<ASKS> {
    /// The same levels and the same horizon, in whatever rows.
    fn eq(&self, other: &Self) -> bool {
        self.len == other.len && self.horizon == other.horizon && self.iter().eq(other.iter())
    }
}

/// Rows a side of so many levels can come to need; there are always two neighbours that fit into one row before that.
fn rows_max(levels_max: usize) -> usize {
    if levels_max < ROW { 1 } else { 2 * (levels_max + 1).div_ceil(ROW) + 2 }
}

impl<const ASKS: bool> Ladder<ASKS> {
    pub(super) fn new() -> Self {
        Self { rows: Vec::new(), edges: Edges::new(), spare: Vec::new(), len: 0, horizon: None }
    }

    pub(super) fn clear(&mut self) {
        for row in &mut self.rows {
            row.truncate(0);
        }
        self.spare.append(&mut self.rows);
        self.edges.clear();
        (self.len, self.horizon) = (0, None);
    }

    /// Takes the memory of a full side now.
    pub(super) fn reserve(&mut self, levels_max: usize) {
        let count = rows_max(levels_max);
        self.rows.reserve_exact((count + 1).saturating_sub(self.rows.len()));
        self.edges.reserve(count);
        self.spare.reserve_exact((count + 1).saturating_sub(self.spare.len()));
        while self.rows.len() + self.spare.len() < count {
            self.spare.push(Row::new());
        }
    }

    /// Sets a level, or with a quantity of zero removes it.
    #[inline(always)]
    pub(super) fn set(&mut self, units: i64, qty: f64, levels_max: usize) {
        if self.horizon.is_some_and(|h| !is_worse::<ASKS>(h, units)) {
            return;
        }
        let row = self.edges.row_of(units);
        let is_gone = qty <= 0.0;
        let Some(found) = self.rows.get_mut(row) else {
            if !is_gone {
                self.insert(0, 0, BookLevel { units, qty }, levels_max);
            }
            return;
        };
        let at = found.place(units);
        match found.levels.get_mut(at).filter(|l| l.units == units) {
            Some(_) if is_gone => self.remove(row, at),
            Some(level) => level.qty = qty,
            None if is_gone => {}
            None => self.insert(row, at, BookLevel { units, qty }, levels_max),
        }
    }

    #[inline(never)]
    fn remove(&mut self, row: usize, at: usize) {
        self.rows[row].remove(at);
        self.len -= 1;
        if self.rows[row].len == 0 {
            let empty = self.rows.remove(row);
            self.spare.push(empty);
            // Of the first row the second's goes: that one is the first now.
            self.edges.remove(row.saturating_sub(1));
        }
    }

    #[inline(never)]
    fn insert(&mut self, row: usize, at: usize, level: BookLevel, levels_max: usize) {
        match self.rows.get_mut(row) {
            Some(found) if found.len < ROW => found.insert(at, level),
            _ => self.insert_splitting(row, at, level, levels_max),
        }
        self.len += 1;
        if self.len > levels_max {
            self.horizon = Some(self.rows[0].levels[0].units);
            self.remove(0, 0);
        }
    }

    /// As [`Self::insert`], where a new row is needed.
    fn insert_splitting(&mut self, row: usize, at: usize, level: BookLevel, levels_max: usize) {
        let mut fresh = self.spare.pop().unwrap_or_else(Row::new);
        let rows = self.rows.len();
        let Some(full) = self.rows.get_mut(row) else {
            fresh.extend(&[level]);
            self.rows.push(fresh);
            return;
        };
        // Halves, but at the ends a row of its own: whole sides are loaded from one end to the other.
        let cut = match at {
            0 if row == 0 => 0,
            ROW if row + 1 == rows => ROW,
            _ => ROW / 2,
        };
        fresh.extend(&full.all()[cut..]);
        full.truncate(cut);
        if at > cut || cut == ROW {
            fresh.insert(at - cut, level);
        } else {
            full.insert(at, level);
        }
        self.edges.insert(row, fresh.levels[0].units);
        self.rows.insert(row + 1, fresh);
        if self.rows.len() >= rows_max(levels_max) {
            self.join();
        }
    }

    /// Makes one row of the first two neighbours that fit into one.
    #[cold]
    fn join(&mut self) {
        let Some(at) = self.rows.windows(2).position(|two| two[0].len + two[1].len <= ROW) else { return };
        let mut upper = self.rows.remove(at + 1);
        self.edges.remove(at);
        self.rows[at].extend(upper.all());
        upper.truncate(0);
        self.spare.push(upper);
    }

    /// Best first.
    pub(super) fn iter(&self) -> impl ExactSizeIterator<Item = &BookLevel> {
        Levels { rows: self.rows.iter(), row: [].iter(), left: self.len }
    }

    pub(super) fn best(&self) -> Option<BookLevel> {
        self.rows.last()?.all().last().copied()
    }

    pub(super) fn len(&self) -> usize {
        self.len
    }

    /// Was something dropped for want of room?
    pub(super) fn is_cut(&self) -> bool {
        self.horizon.is_some()
    }
}

/// Levels of a side, best first.
struct Levels<'a, const ASKS: bool> {
    rows: core::slice::Iter<'a, Row<ASKS>>,
    row: core::slice::Iter<'a, BookLevel>,
    left: usize,
}

impl<'a, const ASKS: bool> Iterator for Levels<'a, ASKS> {
    type Item = &'a BookLevel;

    fn next(&mut self) -> Option<&'a BookLevel> {
        let level = match self.row.next_back() {
            Some(level) => level,
            None => {
                self.row = self.rows.next_back()?.all().iter();
                self.row.next_back()?
            }
        };
        self.left -= 1;
        Some(level)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.left, Some(self.left))
    }
}

impl<const ASKS: bool> ExactSizeIterator for Levels<'_, ASKS> {}

#[cfg(test)]
mod tests {
    use super::*;

    /// The same side as one sorted list.
    #[derive(Default)]
    struct Plain {
        levels: Vec<BookLevel>,
        horizon: Option<i64>,
    }

    impl Plain {
        fn set(&mut self, units: i64, qty: f64, levels_max: usize, sign: i64) {
            if self.horizon.is_some_and(|h| units * sign <= h * sign) {
                return;
            }
            let at = self.levels.partition_point(|l| l.units * sign < units * sign);
            let known = self.levels.get(at).is_some_and(|l| l.units == units);
            match (known, qty > 0.0) {
                (true, true) => self.levels[at].qty = qty,
                (true, false) => drop(self.levels.remove(at)),
                (false, true) => self.levels.insert(at, BookLevel { units, qty }),
                (false, false) => {}
            }
            if self.levels.len() > levels_max {
                self.horizon = Some(self.levels.remove(0).units);
            }
        }
    }

    fn is_kept_like_a_sorted_list<const ASKS: bool>(levels_max: usize, prices: u64, seed: u64) {
        let (mut side, mut plain) = (Ladder::<ASKS>::new(), Plain::default());
        let sign = if ASKS { -1 } else { 1 };
        side.reserve(levels_max);
        let mut random = seed;
        let mut next = |below: u64| {
            random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (random >> 33) % below
        };
        for round in 0..30_000_u64 {
            // The market walks; now and then a side is loaded in order, thinned out, or forgotten.
            let middle = 10_000 + round / 40;
            let price = match round / 3_000 % 5 {
                1 => middle + round % 500,
                2 => middle + 500 - round % 500,
                _ => middle + next(prices),
            };
            let qty = if next(10) < if round / 1_500 % 4 == 3 { 8 } else { 3 } { 0.0 } else { 1.0 + next(9) as f64 };
            let units = i64::try_from(price).unwrap();
            side.set(units, qty, levels_max);
            plain.set(units, qty, levels_max, sign);
            if round % 7_001 == 7_000 {
                side.clear();
                plain = Plain::default();
            }
            assert!(side.rows.len() <= rows_max(levels_max) && side.rows.iter().all(|r| r.len > 0));
            assert_eq!(side.rows.len() + side.spare.len(), rows_max(levels_max), "all its memory is that of the start");
            if round % 37 == 0 {
                assert!(side.iter().eq(plain.levels.iter().rev()), "{levels_max} levels, round {round}");
                assert_eq!(
                    (side.len(), side.iter().len(), side.horizon),
                    (plain.levels.len(), side.len, plain.horizon)
                );
                assert_eq!(side.best(), plain.levels.last().copied());
                let saved = Saved { levels: plain.levels.clone(), sign, horizon: plain.horizon };
                let bytes = postcard::to_allocvec(&side).unwrap();
                assert_eq!(bytes, postcard::to_allocvec(&saved).unwrap(), "saved as the list is");
                assert_eq!(postcard::from_bytes::<Ladder<ASKS>>(&bytes).unwrap(), side);
            }
        }
    }

    #[test]
    fn both_sides_are_kept_like_sorted_lists_and_within_their_memory() {
        for (seed, levels_max, prices) in
            [(1, 1, 5), (2, 20, 60), (3, 63, 100), (4, 64, 200), (5, 400, 900), (6, 2_000, 4_000), (7, 9_000, 14_000)]
        {
            is_kept_like_a_sorted_list::<false>(levels_max, prices, seed);
            is_kept_like_a_sorted_list::<true>(levels_max, prices, seed);
        }
    }
}
