//! Books that come as whole states, one after the other: what changed between two of them.

use super::view::fill;
use barograph_domain::depth::{BookSides, DepthLevel};
use core::cmp::Ordering;

/// The state that is being read, the one before, and what of it is handed on.
#[derive(Debug, Default)]
pub(super) struct SnapshotBook {
    bids: Vec<DepthLevel>,
    asks: Vec<DepthLevel>,
    before_bids: Vec<DepthLevel>,
    before_asks: Vec<DepthLevel>,
    given_bids: Vec<DepthLevel>,
    given_asks: Vec<DepthLevel>,
}

impl SnapshotBook {
    /// A new state begins; the one that was handed on last stays to compare with.
    pub(super) fn begin(&mut self) {
        self.bids.clear();
        self.asks.clear();
    }

    pub(super) fn bid(&mut self, price: f64, size: f64) {
        self.bids.push(DepthLevel { price, size });
    }

    pub(super) fn ask(&mut self, price: f64, size: f64) {
        self.asks.push(DepthLevel { price, size });
    }

    /// The levels stand in their order, best first.
    pub(super) fn is_ordered(&self) -> bool {
        let falls = |w: &[DepthLevel]| w[0].price > w[1].price;
        let rises = |w: &[DepthLevel]| w[0].price < w[1].price;
        self.bids.windows(2).all(falls) && self.asks.windows(2).all(rises)
    }

    /// Levels that differ from the state before. A snapshot says nothing of what lies behind its last level, so only prices count that
    /// both states reach; the first state differs in all of its levels.
    pub(super) fn changed(&self) -> u32 {
        let bids = changed(&self.before_bids, &self.bids, |a, b| b.total_cmp(&a));
        let asks = changed(&self.before_asks, &self.asks, |a, b| a.total_cmp(&b));
        bids.saturating_add(asks)
    }

    /// The state is, to the last level, the one that was used before it.
    pub(super) fn is_as_before(&self) -> bool {
        self.bids == self.before_bids && self.asks == self.before_asks
    }

    /// The state as it is handed on, to whoever looks this far.
    pub(super) fn sides(&mut self, reach_bps: f64) -> BookSides<'_> {
        if let (Some(bid), Some(ask)) = (self.bids.first(), self.asks.first()) {
            let mid = 0.5 * (bid.price + ask.price);
            fill(&mut self.given_bids, self.bids.iter().copied(), (mid, reach_bps));
            fill(&mut self.given_asks, self.asks.iter().copied(), (mid, reach_bps));
        } else {
            self.given_bids.clear();
            self.given_asks.clear();
        }
        BookSides { bids: &self.given_bids, asks: &self.given_asks }
    }

    /// This state was used: the next one is compared with it.
    pub(super) fn keep(&mut self) {
        core::mem::swap(&mut self.bids, &mut self.before_bids);
        core::mem::swap(&mut self.asks, &mut self.before_asks);
    }
}

/// Levels of one side that differ; `order` puts the better price first.
fn changed(before: &[DepthLevel], now: &[DepthLevel], order: impl Fn(f64, f64) -> Ordering) -> u32 {
    let (Some(old_end), Some(new_end)) = (before.last(), now.last()) else {
        return u32::try_from(before.len() + now.len()).unwrap_or(u32::MAX);
    };
    let end = if order(old_end.price, new_end.price).is_lt() { old_end.price } else { new_end.price };
    let reached = |l: &&DepthLevel| order(l.price, end).is_le();
    let (mut old, mut new) = (before.iter().take_while(reached).peekable(), now.iter().take_while(reached).peekable());
    let mut count = 0;
    loop {
        let step = match (old.peek(), new.peek()) {
            (None, None) => return count,
            (Some(_), None) => Ordering::Less,
            (None, Some(_)) => Ordering::Greater,
            (Some(o), Some(n)) => order(o.price, n.price),
        };
        let differs = match step {
            Ordering::Less => old.next().is_some(),
            Ordering::Greater => new.next().is_some(),
            Ordering::Equal => {
                let sizes = (old.next().map(|l| l.size.to_bits()), new.next().map(|l| l.size.to_bits()));
                sizes.0 != sizes.1
            }
        };
        count += u32::from(differs);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Price and size of each level.
    type Levels = &'static [(f64, f64)];

    fn side(levels: Levels) -> Vec<DepthLevel> {
        levels.iter().map(|&(price, size)| DepthLevel { price, size }).collect()
    }

    #[test]
    fn what_differs_counts_once_where_both_states_reach() {
        let cases: [(Levels, Levels, u32); 7] = [
            (&[], &[(10.0, 1.0), (11.0, 1.0)], 2),
            (&[(10.0, 1.0), (11.0, 1.0)], &[(10.0, 1.0), (11.0, 1.0)], 0),
            (&[(10.0, 1.0), (11.0, 1.0)], &[(10.0, 2.0), (11.0, 1.0)], 1),
            // The best went: the level that comes into sight behind was there before.
            (&[(10.0, 1.0), (11.0, 1.0)], &[(11.0, 1.0), (12.0, 1.0)], 1),
            // A better one came: the level that fell out of sight is still there.
            (&[(10.0, 1.0), (11.0, 1.0)], &[(9.0, 1.0), (10.0, 1.0)], 1),
            (&[(10.0, 1.0)], &[(9.0, 1.0)], 1),
            (&[(10.0, 1.0)], &[(12.0, 1.0)], 1),
        ];
        for (before, now, want) in cases {
            let got = changed(&side(before), &side(now), |a, b| a.total_cmp(&b));
            assert_eq!(got, want, "{before:?} {now:?}");
        }
    }
}
