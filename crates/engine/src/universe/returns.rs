//! Prices on an absolute grid and the log returns between neighbours (features §1.1, `r_i`).
//!
//! A return exists only where both of its prices do. A price is never replaced; one that arrives late fills its place and makes
//! the returns on either side of it.

use barograph_domain::math::ln;
use serde::{Deserialize, Serialize};

/// Ring of prices and of the returns that end at them.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(from = "Saved", into = "Saved")]
pub(super) struct Returns {
    prices: Vec<Option<f64>>,
    returns: Vec<Option<f64>>,
    newest: Option<i64>,
    first: Option<i64>,
}

/// Saved are the prices; the returns follow from them.
#[derive(Clone, Serialize, Deserialize)]
struct Saved {
    places: u32,
    held: Vec<(i64, f64)>,
    newest: Option<i64>,
    first: Option<i64>,
}

/// More places than any ring here has; a damaged file does not get to ask for more.
const PLACES_MAX: u32 = 1 << 16;

impl From<Returns> for Saved {
    fn from(ring: Returns) -> Self {
        let span = i64::try_from(ring.prices.len()).unwrap_or(i64::MAX);
        let indices = ring.newest.map(|n| n - span + 1..=n).into_iter().flatten();
        Self {
            places: u32::try_from(ring.prices.len()).unwrap_or(PLACES_MAX),
            held: indices.filter_map(|i| Some((i, ring.price(i)?))).collect(),
            newest: ring.newest,
            first: ring.first,
        }
    }
}

impl From<Saved> for Returns {
    fn from(saved: Saved) -> Self {
        let mut ring = Self::new(saved.places.min(PLACES_MAX) as usize);
        ring.newest = saved.newest;
        for (index, price) in saved.held {
            ring.fill(index, price);
        }
        ring.first = saved.first;
        ring
    }
}

impl Returns {
    /// Room for this many prices; rounded up to a power of two.
    pub(super) fn new(places: usize) -> Self {
        let places = places.max(2).next_power_of_two();
        Self { prices: vec![None; places], returns: vec![None; places], newest: None, first: None }
    }

    #[expect(clippy::cast_possible_truncation, reason = "the mask keeps the low bits only")]
    fn place(&self, index: i64) -> usize {
        (index.cast_unsigned() as usize) & (self.prices.len() - 1)
    }

    fn holds(&self, index: i64) -> bool {
        let span = i64::try_from(self.prices.len()).unwrap_or(i64::MAX);
        self.newest.is_some_and(|n| index <= n && n - index < span)
    }

    fn price(&self, index: i64) -> Option<f64> {
        if self.holds(index) { self.prices[self.place(index)] } else { None }
    }

    /// The return that ends at `index`.
    pub(super) fn at(&self, index: i64) -> Option<f64> {
        if self.holds(index) { self.returns[self.place(index)] } else { None }
    }

    /// Newest index reached.
    pub(super) fn newest(&self) -> Option<i64> {
        self.newest
    }

    /// Index of the first price ever.
    pub(super) fn first(&self) -> Option<i64> {
        self.first
    }

    /// Oldest index still held.
    pub(super) fn oldest(&self) -> Option<i64> {
        let span = i64::try_from(self.prices.len()).unwrap_or(i64::MAX);
        self.newest.map(|n| n - span + 1)
    }

    /// Moves on to `index`, as yet without a price. Older indices are left alone.
    pub(super) fn advance(&mut self, index: i64) {
        let span = i64::try_from(self.prices.len()).unwrap_or(i64::MAX);
        let from = self.newest.map_or(index, |n| (n + 1).max(index - span + 1));
        for i in from..=index {
            let at = self.place(i);
            (self.prices[at], self.returns[at]) = (None, None);
        }
        self.newest = Some(self.newest.map_or(index, |n| n.max(index)));
    }

    /// Enters a price at an index that is held and has none. True when something changed.
    pub(super) fn fill(&mut self, index: i64, price: f64) -> bool {
        if !self.holds(index) || self.price(index).is_some() || price <= 0.0 {
            return false;
        }
        let at = self.place(index);
        self.prices[at] = Some(price);
        self.first = Some(self.first.map_or(index, |f| f.min(index)));
        for end in [index, index + 1] {
            if let (Some(before), Some(after)) = (self.price(end - 1), self.price(end)) {
                let at = self.place(end);
                self.returns[at] = Some(ln(after / before));
            }
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_return_needs_both_prices_and_a_late_one_makes_two() {
        let mut ring = Returns::new(8);
        for (i, price) in [(10, Some(100.0)), (11, None), (12, Some(121.0)), (13, Some(110.0))] {
            ring.advance(i);
            if let Some(p) = price {
                assert!(ring.fill(i, p));
            }
        }
        assert_eq!((ring.at(10), ring.at(11), ring.at(12)), (None, None, None));
        assert_eq!(ring.at(13), Some(ln(110.0 / 121.0)));
        assert!(ring.fill(11, 110.0) && !ring.fill(11, 999.0), "a price is never replaced");
        assert_eq!((ring.at(11), ring.at(12)), (Some(ln(1.1)), Some(ln(121.0 / 110.0))));
        assert!(
            !ring.fill(14, 1.0) && !ring.fill(13, 1.0) && !ring.fill(5, 1.0),
            "neither the future nor what is gone"
        );
    }

    #[test]
    fn the_ring_forgets_and_a_jump_empties_it() {
        let mut ring = Returns::new(4);
        for i in 0..6 {
            ring.advance(i);
            ring.fill(i, 100.0 + f64::from(i32::try_from(i).unwrap()));
        }
        assert_eq!((ring.at(2), ring.oldest()), (Some(ln(102.0 / 101.0)), Some(2)));
        assert_eq!(ring.at(1), None);
        ring.advance(1_000);
        assert!((990..=1_000).all(|i| ring.at(i).is_none()));
        assert_eq!(ring.first(), Some(0));
    }
}
