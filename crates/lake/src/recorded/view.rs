//! The part of a followed book that research looks at.

use super::counted::Counted;
use barograph_domain::depth::{BookSides, DEPTH, DepthLevel};
use barograph_venues::session::{BookLevel, OrderBook};

/// Beyond this much quote, and where a listener does not look, nobody looks (features §7: `sweep_cost_buy_bps`).
const SWEEP_QUOTE: f64 = 100_000.0;

/// Levels of one book, taken anew after each update.
#[derive(Clone, Debug)]
pub(super) struct BookView {
    counted: Counted,
    bids: Vec<DepthLevel>,
    asks: Vec<DepthLevel>,
}

impl BookView {
    pub(super) const fn new(counted: Counted) -> Self {
        Self { counted, bids: Vec::new(), asks: Vec::new() }
    }

    /// What stands in a book that has both sides, this far from the mid.
    pub(super) fn take(&mut self, book: &OrderBook, reach_bps: f64) -> Option<BookSides<'_>> {
        let (bid, ask) = book.top()?;
        let mid = 0.5 * (bid + ask);
        let counted = self.counted;
        let level = |l: &BookLevel| {
            let price = book.price(l.units);
            DepthLevel { price, size: counted.base(l.qty, price) }
        };
        fill(&mut self.bids, book.bids().map(level), (mid, reach_bps));
        fill(&mut self.asks, book.asks().map(level), (mid, reach_bps));
        Some(BookSides { bids: &self.bids, asks: &self.asks })
    }
}

/// The levels of a side that are looked at, best first.
pub(super) fn fill(side: &mut Vec<DepthLevel>, levels: impl Iterator<Item = DepthLevel>, (mid, reach_bps): (f64, f64)) {
    side.clear();
    let mut quote = 0.0;
    for level in levels {
        side.push(level);
        quote += level.price * level.size;
        let far = 1e4 * (level.price - mid).abs() / mid > reach_bps;
        // A hundred more than is asked for: sums are added in another order there.
        if far && quote > SWEEP_QUOTE + 100.0 && side.len() >= DEPTH {
            break;
        }
    }
}
