//! The best levels of a book, for venues that send no more than those.

use crate::world::book::{BookHistory, Ladder};

/// Levels of each side, best first: tick and steps.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct DepthWindow {
    /// Bids, from the best down.
    pub bids: Vec<(i64, i64)>,
    /// Asks, from the best up.
    pub asks: Vec<(i64, i64)>,
}

impl DepthWindow {
    /// The best levels there are now.
    #[must_use]
    pub fn of(book: &BookHistory, depth: u8) -> Self {
        let best = |side: &Ladder| side.iter().take(depth.into()).collect();
        Self { bids: best(&book.bids), asks: best(&book.asks) }
    }

    /// The levels that have to be set to get from an older window to this one; those that are no more with no quantity.
    #[must_use]
    pub fn since(&self, older: &Self) -> Self {
        let side = |new: &[(i64, i64)], old: &[(i64, i64)]| {
            let set = new.iter().filter(|level| !old.contains(level)).copied();
            let gone = old.iter().filter(|(tick, _)| !new.iter().any(|(t, _)| t == tick)).map(|(tick, _)| (*tick, 0));
            set.chain(gone).collect()
        };
        Self { bids: side(&self.bids, &older.bids), asks: side(&self.asks, &older.asks) }
    }

    /// Whether there is no level.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.bids.is_empty() && self.asks.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn changes_lead_from_one_window_to_the_next() {
        let old = DepthWindow { bids: vec![(10, 1), (9, 2), (8, 3)], asks: vec![(11, 1), (12, 5)] };
        let new = DepthWindow { bids: vec![(11, 4), (10, 1), (9, 7)], asks: vec![(12, 5), (13, 6)] };
        let changed = new.since(&old);
        assert_eq!(changed.bids, [(11, 4), (9, 7), (8, 0)]);
        assert_eq!(changed.asks, [(13, 6), (11, 0)]);
        assert!(new.since(&new).is_empty());
    }
}
