//! What happened at each price between two states of a book: added, traded, cancelled (surveillance §5). The one accounting that
//! every detector of order flow stands on.
//!
//! A feed of levels shows only what rests at a price after an update. From that and the trades since the update before follow
//! `add = max(0, Δq)`, `removed = max(0, −Δq)`, `cancelled = max(0, removed − traded)`. What was added and cancelled within one
//! update is not seen: the smaller of both is missing from each, so both are lower bounds on a feed that publishes in steps.
//!
//! Two streams are never quite in step. A trade may arrive after the update that shows what it took: the cancel counted there is
//! taken back and given out as [`LevelFlow::late`]. And a trade may arrive an update early: what of it found nothing removed is held
//! for one more update. Prices are whole numbers of the book's scale; a level beyond the last one that both states know is neither
//! added nor removed, it has come into sight or gone out of it.

use barograph_domain::{Span, Ts};
use serde::{Deserialize, Serialize};
use std::collections::VecDeque;

/// Which side of a book something rests on.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
pub enum RestingSide {
    /// Buyers wait.
    Bid,
    /// Sellers wait.
    Ask,
}

impl RestingSide {
    /// The other one.
    #[must_use]
    pub const fn opposite(self) -> Self {
        match self {
            Self::Bid => Self::Ask,
            Self::Ask => Self::Bid,
        }
    }
    /// Word for people and payloads.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Bid => "bid",
            Self::Ask => "ask",
        }
    }
    /// Is price `a` of this side nearer to the market than `b`?
    #[must_use]
    pub const fn is_better(self, a: i64, b: i64) -> bool {
        match self {
            Self::Bid => a > b,
            Self::Ask => a < b,
        }
    }
}

/// What rests at one price.
#[derive(Clone, Copy, PartialEq, Debug, Serialize, Deserialize)]
pub struct FlowLevel {
    /// Price in whole numbers of the book's scale.
    pub units: i64,
    /// Quantity in base; above zero.
    pub qty: f64,
}

/// Both sides of a book, best first.
#[derive(Clone, Copy, Debug)]
pub struct BookState<'a> {
    /// Falling prices.
    pub bids: &'a [FlowLevel],
    /// Rising prices.
    pub asks: &'a [FlowLevel],
}

/// What happened at one price between two states of the book.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct LevelFlow {
    /// Side it rests on.
    pub side: RestingSide,
    /// Price in whole numbers of the book's scale.
    pub units: i64,
    /// Base quantity before.
    pub before: f64,
    /// Base quantity after.
    pub after: f64,
    /// Base volume of trades that took it, known by now.
    pub traded: f64,
    /// Of an earlier update's `cancelled`: base volume that a trade which arrived only now has taken.
    pub late: f64,
}

impl LevelFlow {
    /// Base quantity that came, at least.
    #[must_use]
    pub fn add(&self) -> f64 {
        (self.after - self.before).max(0.0)
    }
    /// Base quantity that went.
    #[must_use]
    pub fn removed(&self) -> f64 {
        (self.before - self.after).max(0.0)
    }
    /// Of what went: base quantity that nobody traded, at least.
    #[must_use]
    pub fn cancelled(&self) -> f64 {
        (self.removed() - self.traded).max(0.0)
    }
}

/// A trade that no update has shown yet, summed by price.
#[derive(Clone, Copy, PartialEq, Debug, Serialize, Deserialize)]
struct Unmatched {
    side: RestingSide,
    units: i64,
    qty: f64,
    /// Updates that have passed without it.
    updates: u8,
}

/// What an update has counted as cancelled: a late trade may yet explain it.
#[derive(Clone, Copy, PartialEq, Debug, Serialize, Deserialize)]
struct Counted {
    at: Ts,
    side: RestingSide,
    units: i64,
    cancelled: f64,
}

/// Trades are looked for among the cancels of so long before them: a late frame of a busy venue.
const LATE: Span = Span::millis(500);
/// Prices traded at between two updates, and cancels remembered; of more the oldest are let go.
const UNMATCHED_MAX: usize = 256;
const COUNTED_MAX: usize = 256;
/// Base quantities below this part of what they are part of are rounding.
const DUST: f64 = 1e-9;

/// The accounting of one book.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
pub struct FlowAccounting {
    bids: Vec<FlowLevel>,
    asks: Vec<FlowLevel>,
    unmatched: VecDeque<Unmatched>,
    counted: VecDeque<Counted>,
}

impl FlowAccounting {
    /// Forgets the book: a gap. Nothing is known of what happened until the next state.
    pub fn lose(&mut self) {
        (self.bids, self.asks) = (Vec::new(), Vec::new());
        self.unmatched.clear();
        self.counted.clear();
    }

    /// The newest state; a side is empty before the first.
    #[must_use]
    pub fn state(&self) -> BookState<'_> {
        BookState { bids: &self.bids, asks: &self.asks }
    }

    /// A trade took `qty` of what rested on this side at this price.
    pub fn trade(&mut self, side: RestingSide, units: i64, qty: f64) {
        if let Some(known) = self.unmatched.iter_mut().find(|u| u.side == side && u.units == units && u.updates == 0) {
            known.qty += qty;
            return;
        }
        if self.unmatched.len() == UNMATCHED_MAX {
            self.unmatched.pop_front();
        }
        self.unmatched.push_back(Unmatched { side, units, qty, updates: 0 });
    }

    /// The book is now like this. What happened since the state before is added to `flows`: first what changed, bids before asks,
    /// best first, then trades that explain earlier cancels.
    pub fn update(&mut self, at: Ts, state: BookState<'_>, flows: &mut Vec<LevelFlow>) {
        let from = flows.len();
        // Without a state before there is nothing to compare with.
        if !self.bids.is_empty() && !self.asks.is_empty() {
            compare(RestingSide::Bid, &self.bids, state.bids, flows);
            compare(RestingSide::Ask, &self.asks, state.asks, flows);
        }
        self.bids.clear();
        self.bids.extend_from_slice(state.bids);
        self.asks.clear();
        self.asks.extend_from_slice(state.asks);
        self.settle(at, from, flows);
    }

    /// Finds out which of the new flows trades have made.
    fn settle(&mut self, at: Ts, from: usize, flows: &mut Vec<LevelFlow>) {
        while self.counted.front().is_some_and(|c| at - c.at > LATE) {
            self.counted.pop_front();
        }
        if !self.unmatched.is_empty() {
            for flow in flows[from..].iter_mut().filter(|f| f.removed() > 0.0) {
                for trade in self.unmatched.iter_mut().filter(|u| u.side == flow.side && u.units == flow.units) {
                    let of = trade.qty.min((flow.removed() - flow.traded).max(0.0));
                    trade.qty -= of;
                    flow.traded += of;
                }
            }
            for at in 0..self.unmatched.len() {
                let Unmatched { side, units, qty, .. } = self.unmatched[at];
                let late = if qty > 0.0 { self.take_back(side, units, qty) } else { 0.0 };
                self.unmatched[at].qty -= late;
                self.unmatched[at].updates += 1;
                if late > 0.0 {
                    let resting = self.resting(side, units);
                    flows.push(LevelFlow { side, units, before: resting, after: resting, traded: late, late });
                }
            }
            self.unmatched.retain(|u| u.updates < 2 && u.qty > 0.0);
        }
        for flow in &flows[from..] {
            let cancelled = flow.cancelled();
            if cancelled > DUST * flow.before {
                if self.counted.len() == COUNTED_MAX {
                    self.counted.pop_front();
                }
                self.counted.push_back(Counted { at, side: flow.side, units: flow.units, cancelled });
            }
        }
    }

    /// How much of earlier cancels at this price a trade explains.
    fn take_back(&mut self, side: RestingSide, units: i64, qty: f64) -> f64 {
        let mut left = qty;
        for counted in self.counted.iter_mut().filter(|c| c.side == side && c.units == units) {
            let of = left.min(counted.cancelled);
            counted.cancelled -= of;
            left -= of;
        }
        qty - left
    }

    fn resting(&self, side: RestingSide, units: i64) -> f64 {
        let levels = if side == RestingSide::Bid { &self.bids } else { &self.asks };
        let at = levels.partition_point(|l| side.is_better(l.units, units));
        levels.get(at).filter(|l| l.units == units).map_or(0.0, |l| l.qty)
    }
}

/// Changes of one side, up to the last price that both states know. The far level of a side that is given whole is lost by that;
/// it lies outside every detector's reach.
fn compare(side: RestingSide, before: &[FlowLevel], after: &[FlowLevel], flows: &mut Vec<LevelFlow>) {
    let (Some(old_end), Some(new_end)) = (before.last(), after.last()) else { return };
    let end = if side.is_better(old_end.units, new_end.units) { old_end.units } else { new_end.units };
    let (mut b, mut a) = (0, 0);
    let mut push = |units, before, after| {
        flows.push(LevelFlow { side, units, before, after, traded: 0.0, late: 0.0 });
    };
    loop {
        let (old, new) = (before.get(b), after.get(a));
        let units = match (old, new) {
            (Some(old), Some(new)) if old.units == new.units => {
                if old.qty.to_bits() != new.qty.to_bits() {
                    push(old.units, old.qty, new.qty);
                }
                (a, b) = (a + 1, b + 1);
                continue;
            }
            (Some(old), Some(new)) if side.is_better(old.units, new.units) => old.units,
            (Some(old), None) => old.units,
            (_, Some(new)) => new.units,
            (None, None) => return,
        };
        if side.is_better(end, units) {
            return;
        }
        match old.filter(|old| old.units == units) {
            Some(old) => {
                push(units, old.qty, 0.0);
                b += 1;
            }
            None => {
                push(units, 0.0, new.map_or(0.0, |new| new.qty));
                a += 1;
            }
        }
    }
}
