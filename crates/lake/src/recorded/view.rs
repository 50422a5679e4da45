//! The part of a followed book that research looks at.

use barograph_domain::depth::{BookSides, DEPTH, DepthLevel};
use barograph_venues::session::{BookLevel, MarketSpec, OrderBook};

/// Beyond this many basis points, and this much quote, nobody looks (features §7.1: `bid_depth_10bps`, `sweep_cost_buy_bps`).
const FAR_BPS: f64 = 10.0;
const SWEEP_QUOTE: f64 = 100_000.0;

/// How a venue counts quantities.
#[derive(Clone, Copy, PartialEq, Debug)]
enum Counted {
    /// In base, so much at a time.
    Base(f64),
    /// In contracts that are worth so much quote.
    Quote(f64),
}

/// Levels of one book, taken anew after each update.
#[derive(Clone, Debug)]
pub(super) struct BookView {
    counted: Counted,
    bids: Vec<DepthLevel>,
    asks: Vec<DepthLevel>,
}

impl BookView {
    pub(super) fn new(spec: &MarketSpec) -> Self {
        let size = spec.contract_size.unwrap_or(1.0);
        let counted = if spec.inverse { Counted::Quote(size) } else { Counted::Base(size) };
        Self { counted, bids: Vec::new(), asks: Vec::new() }
    }

    /// What stands in a book that has both sides.
    pub(super) fn take(&mut self, book: &OrderBook) -> Option<BookSides<'_>> {
        let (bid, ask) = book.top()?;
        let mid = 0.5 * (bid + ask);
        let counted = self.counted;
        let level = |l: &BookLevel| {
            let price = book.price(l.units);
            let size = match counted {
                Counted::Base(unit) => l.qty * unit,
                Counted::Quote(worth) => l.qty * worth / price,
            };
            DepthLevel { price, size }
        };
        fill(&mut self.bids, book.bids().map(level), mid);
        fill(&mut self.asks, book.asks().map(level), mid);
        Some(BookSides { bids: &self.bids, asks: &self.asks })
    }
}

fn fill(side: &mut Vec<DepthLevel>, levels: impl Iterator<Item = DepthLevel>, mid: f64) {
    side.clear();
    let mut quote = 0.0;
    for level in levels {
        side.push(level);
        quote += level.price * level.size;
        let far = 1e4 * (level.price - mid).abs() / mid > FAR_BPS;
        // A hundred more than is asked for: sums are added in another order there.
        if far && quote > SWEEP_QUOTE + 100.0 && side.len() >= DEPTH {
            break;
        }
    }
}
