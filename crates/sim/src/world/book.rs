//! The order book of one market: two ladders of integer ticks, and the log of what changed.
//!
//! Update ids rise with every change of a level and never fall. Each publication speed has its own place in the log, so
//! that the ids of its updates join end to end whatever the other speeds do. Quantities are absolute.

use crate::num::index;

/// One side, sorted so that the best price is last: changes happen near the end and cost little.
#[derive(Clone, Debug)]
pub struct Ladder {
    /// +1 for bids, -1 for asks: the key of a level is its tick times this.
    sign: i64,
    levels: Vec<(i64, i64)>,
}

impl Ladder {
    const fn new(sign: i64) -> Self {
        Self { sign, levels: Vec::new() }
    }
    /// Best price, in ticks, and its quantity, in steps.
    #[must_use]
    pub fn best(&self) -> Option<(i64, i64)> {
        self.levels.last().map(|(key, qty)| (key * self.sign, *qty))
    }
    /// Levels from the best outward: (tick, steps).
    pub fn iter(&self) -> impl Iterator<Item = (i64, i64)> + '_ {
        self.levels.iter().rev().map(|(key, qty)| (key * self.sign, *qty))
    }
    /// How many levels there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.levels.len()
    }
    /// Whether there is no level.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.levels.is_empty()
    }
    /// Steps at a price; 0 where there is no level.
    #[must_use]
    pub fn quantity(&self, tick: i64) -> i64 {
        self.find(tick * self.sign).map_or(0, |at| self.levels[at].1)
    }
    /// The outermost price.
    pub(super) fn worst(&self) -> Option<i64> {
        self.levels.first().map(|(key, _)| key * self.sign)
    }

    fn find(&self, key: i64) -> Result<usize, usize> {
        // Nearly every change is within a few levels of the best.
        let near = self.levels.len().saturating_sub(8);
        match self.levels.get(near) {
            Some((first, _)) if *first <= key => {
                for (n, (k, _)) in self.levels[near..].iter().enumerate() {
                    if *k >= key {
                        return if *k == key { Ok(near + n) } else { Err(near + n) };
                    }
                }
                Err(self.levels.len())
            }
            _ => self.levels.binary_search_by_key(&key, |(k, _)| *k),
        }
    }

    fn set(&mut self, tick: i64, qty: i64) -> bool {
        let key = tick * self.sign;
        match (self.find(key), qty > 0) {
            (Ok(at), true) if self.levels[at].1 != qty => self.levels[at].1 = qty,
            (Ok(at), false) => drop(self.levels.remove(at)),
            (Err(at), true) => self.levels.insert(at, (key, qty)),
            (Ok(_), true) | (Err(_), false) => return false,
        }
        true
    }
}

/// How often a stream of changes is published.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Speed {
    /// Every 50 ms, which is every step.
    Ms50,
    /// Every 100 ms.
    Ms100,
    /// Every 200 ms.
    Ms200,
    /// Every 250 ms.
    Ms250,
    /// Every 500 ms.
    Ms500,
    /// Every second.
    Ms1000,
}

impl Speed {
    /// All of them.
    pub const ALL: [Self; Self::COUNT] = [Self::Ms50, Self::Ms100, Self::Ms200, Self::Ms250, Self::Ms500, Self::Ms1000];
    const COUNT: usize = 6;

    /// In steps of a market, which are 50 ms.
    #[must_use]
    pub const fn steps(self) -> u64 {
        match self {
            Self::Ms50 => 1,
            Self::Ms100 => 2,
            Self::Ms200 => 4,
            Self::Ms250 => 5,
            Self::Ms500 => 10,
            Self::Ms1000 => 20,
        }
    }
}

/// One publication: the changes `from..to` of the log.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct BookUpdate {
    /// Which stream it belongs to.
    pub speed: Speed,
    /// First update id in it (`U`).
    pub first_id: u64,
    /// Last update id in it (`u`).
    pub last_id: u64,
    /// Last update id of the publication before (`pu`).
    pub previous_id: u64,
    from: u64,
    to: u64,
}

/// A side and a price that changed.
pub type TouchedLevel = (bool, i64);

/// Both sides, the update id and the log.
#[derive(Clone, Debug)]
pub struct BookHistory {
    /// Bids, by price.
    pub bids: Ladder,
    /// Asks, by price.
    pub asks: Ladder,
    /// Id of the latest change.
    pub last_id: u64,
    log: Vec<TouchedLevel>,
    /// Position of `log[0]` since the beginning of time.
    base: u64,
    cursors: [(u64, u64); Speed::COUNT],
}

impl BookHistory {
    /// An empty book whose next change has an id after `last_id`.
    #[must_use]
    pub fn new(last_id: u64) -> Self {
        Self {
            bids: Ladder::new(1),
            asks: Ladder::new(-1),
            last_id,
            log: Vec::new(),
            base: 0,
            cursors: [(0, last_id); Speed::COUNT],
        }
    }

    /// Sets a level to an absolute quantity; 0 removes it.
    pub fn set(&mut self, bid: bool, tick: i64, qty: i64) {
        let side = if bid { &mut self.bids } else { &mut self.asks };
        if side.set(tick, qty) {
            self.last_id += 1 + (self.last_id & 3);
            self.log.push((bid, tick));
        }
    }

    /// Makes the ids jump as if `count` changes had happened that nobody heard of.
    pub(crate) const fn jump(&mut self, count: u64) {
        self.last_id += count;
        let mut n = 0;
        while n < self.cursors.len() {
            self.cursors[n].1 += count;
            n += 1;
        }
    }

    /// Both sides in one view: `(ladder, is it bids)`.
    pub(super) const fn side(&self, bid: bool) -> &Ladder {
        if bid { &self.bids } else { &self.asks }
    }

    /// What is due on `speed`, if anything changed since its last publication.
    pub(super) fn publish(&mut self, speed: Speed) -> Option<BookUpdate> {
        let end = self.base + self.log.len() as u64;
        let (from, previous_id) = self.cursors[speed as usize];
        self.cursors[speed as usize] = (end, self.last_id);
        let update = BookUpdate { speed, first_id: previous_id + 1, last_id: self.last_id, previous_id, from, to: end };
        (from < end).then_some(update)
    }

    /// Forgets changes that every speed has published. Call before a step, never between a publication and its use.
    pub(super) fn forget(&mut self) {
        let oldest = self.cursors.iter().map(|c| c.0).min().unwrap_or(self.base);
        if oldest - self.base >= 256 || oldest == self.base + self.log.len() as u64 {
            self.log.drain(..index(i64::try_from(oldest - self.base).unwrap_or(0)));
            self.base = oldest;
        }
    }

    /// The distinct changed prices of an update: bids from high to low, then asks from low to high.
    pub fn changed(&self, update: &BookUpdate, into: &mut Vec<TouchedLevel>) {
        into.clear();
        let at = |position: u64| index(i64::try_from(position.saturating_sub(self.base)).unwrap_or(0));
        into.extend_from_slice(&self.log[at(update.from)..at(update.to)]);
        into.sort_unstable_by_key(|(bid, tick)| (!bid, if *bid { -tick } else { *tick }));
        into.dedup();
    }

    /// Best bid and best ask, when both sides have one.
    #[must_use]
    pub fn top(&self) -> Option<((i64, i64), (i64, i64))> {
        Some((self.bids.best()?, self.asks.best()?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    #[test]
    fn updates_rebuild_the_book_at_every_speed() {
        let mut rng = crate::rng::Random::new(1, 1, 1);
        for speed in Speed::ALL {
            let mut book = BookHistory::new(1_000);
            let mut copy: BTreeMap<TouchedLevel, i64> = BTreeMap::new();
            let (mut previous, mut changed) = (1_000, Vec::new());
            for step in 1..400_u64 {
                book.forget();
                for _ in 0..rng.below(6) {
                    let bid = rng.chance(0.5);
                    let tick = if bid { 100 - rng.below(40) } else { 101 + rng.below(40) };
                    book.set(bid, tick, rng.below(4));
                }
                if step % speed.steps() != 0 {
                    continue;
                }
                let Some(update) = book.publish(speed) else { continue };
                assert_eq!(update.previous_id, previous);
                assert!(update.first_id == previous + 1 && update.last_id >= update.first_id);
                previous = update.last_id;
                book.changed(&update, &mut changed);
                for (bid, tick) in &changed {
                    copy.insert((*bid, *tick), book.side(*bid).quantity(*tick));
                }
                copy.retain(|_, qty| *qty > 0);
                let bids = book.bids.iter().map(|(tick, qty)| ((true, tick), qty));
                let all: BTreeMap<_, _> = bids.chain(book.asks.iter().map(|(t, q)| ((false, t), q))).collect();
                assert_eq!(copy, all, "after step {step} at {speed:?}");
            }
        }
    }

    #[test]
    fn the_best_price_is_first_and_ids_only_rise() {
        let mut book = BookHistory::new(5);
        for tick in [10, 12, 11, 9, 8, 7, 6, 5, 4, 3, 2, 1] {
            book.set(true, tick, 1);
            book.set(false, 20 + tick, 2);
        }
        assert_eq!(book.top(), Some(((12, 1), (21, 2))));
        assert!(book.bids.iter().map(|l| l.0).is_sorted_by(|a, b| a > b));
        assert!(book.asks.iter().map(|l| l.0).is_sorted_by(|a, b| a < b));
        let before = book.last_id;
        book.set(true, 12, 1);
        assert_eq!(book.last_id, before, "nothing changed");
        book.set(true, 1, 0);
        assert!(book.last_id > before);
        assert_eq!((book.bids.worst(), book.bids.len()), (Some(2), 11));
    }
}
