//! What is laid over a market (surveillance §9): orders that are shown and taken back, trades beside the market's own, floods of small
//! changes. One set of rules for every substrate: the book is never crossed, and nothing is taken from what really rests.

use super::score::Injection;
use barograph_domain::{Span, Ts};
use barograph_engine::order_flow::{BookState, FlowInput, FlowLevel, RestingSide};

/// What episodes are laid over.
pub trait Substrate {
    /// Best price of a side, in units.
    fn best(&self, side: RestingSide) -> i64;
    /// The last price of a side that is known.
    fn last(&self, side: RestingSide) -> i64;
    /// Smallest step of prices, in units.
    fn tick(&self) -> i64;
    /// A quantity as the market could have it.
    fn lot(&self, qty: f64) -> f64;
    /// Moves the price by a tick: what was traded through. `None` of a market whose prices are a matter of record.
    fn shift(&mut self, up: bool) -> Option<FlowLevel>;
    /// Does an order trade that the market reaches? Otherwise it is gone.
    fn takes_what_it_reaches(&self) -> bool;
}

/// An order that is laid over a book.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct LaidOrder {
    /// Its number within a run.
    pub id: u64,
    /// Where it rests.
    pub side: RestingSide,
    /// At which price.
    pub units: i64,
    /// What is left of it, in base.
    pub qty: f64,
}

/// A trade beside those of the market.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct LaidTrade {
    /// The side that it took from.
    pub took: RestingSide,
    /// At which price.
    pub units: i64,
    /// Base quantity.
    pub qty: f64,
}

/// A thing to do at a moment.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum LaidAct {
    /// Shows an order this far from the best price of its side.
    Post {
        /// Its number.
        id: u64,
        /// Its side.
        side: RestingSide,
        /// Distance from the best price of its side.
        bps: f64,
        /// Its size, in base.
        qty: f64,
    },
    /// Takes back what is left of it.
    Pull {
        /// Of which order.
        id: u64,
    },
    /// Takes it back as soon as the market has left it behind: by more than five ticks and by more than half of its distance.
    PullBehind {
        /// Of which order.
        id: u64,
    },
    /// Part of it trades.
    Fill {
        /// Of which order.
        id: u64,
        /// Which part of what is left.
        part: f64,
    },
    /// Takes from the best price.
    Take {
        /// Which side's.
        took: RestingSide,
        /// Base volume.
        qty: f64,
    },
    /// Buys and sells the same quantity at one price, one behind the other.
    Pair {
        /// The first of them takes asks.
        bought: bool,
        /// Base quantity of each.
        qty: f64,
        /// Time between them.
        gap: Span,
    },
    /// Trades at a price.
    Print(LaidTrade),
    /// The price moves by so many ticks, where it can be moved.
    Move {
        /// Which way.
        up: bool,
        /// How far.
        ticks: u32,
    },
}

/// An order that goes when the market has left it behind.
#[derive(Clone, Copy, Debug)]
struct LeftBehind {
    id: u64,
    side: RestingSide,
    /// Twice the middle when it was shown, and how far that has to go.
    mid2: i64,
    away2: i64,
}

/// So many levels change a second, in states of their own.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct LaidFlood {
    /// First moment.
    pub from: Ts,
    /// The moment after the last.
    pub to: Ts,
    /// Changes a second.
    pub rate: f64,
}

/// Everything that is laid over a market, as time goes on.
#[derive(Clone, Debug, Default)]
pub struct LaidActs {
    /// In order of time.
    acts: Vec<(Ts, LaidAct)>,
    next: usize,
    /// What is shown now.
    pub(super) orders: Vec<LaidOrder>,
    behind: Vec<LeftBehind>,
    /// In order of time.
    pub(super) floods: Vec<LaidFlood>,
    /// Orders that the market has left behind.
    pub(super) left_behind: usize,
    /// Orders shown, and how many of them lay behind the last level that is known.
    pub(super) posts: usize,
    pub(super) out_of_sight: usize,
}

impl LaidActs {
    /// Acts in any order.
    #[must_use]
    pub fn of(mut acts: Vec<(Ts, LaidAct)>, floods: Vec<LaidFlood>) -> Self {
        acts.sort_by_key(|(at, _)| *at);
        Self { acts, floods, ..Self::default() }
    }

    /// What is shown over the book now.
    #[must_use]
    pub fn orders(&self) -> &[LaidOrder] {
        &self.orders
    }

    /// Another episode, behind everything that was done.
    pub(super) fn add(&mut self, acts: Vec<(Ts, LaidAct)>, floods: Vec<LaidFlood>) {
        self.acts.drain(..self.next);
        self.next = 0;
        self.acts.extend(acts);
        self.acts.sort_by_key(|(at, _)| *at);
        self.floods = floods;
    }

    /// When the next thing is to be done.
    pub(super) fn due(&self) -> Option<Ts> {
        self.acts.get(self.next).map(|(at, _)| *at)
    }

    /// Nothing of what was laid over is there any more, nor comes.
    pub(super) fn clear(&mut self) {
        (self.acts, self.next) = (Vec::new(), 0);
        (self.orders, self.behind, self.floods) = (Vec::new(), Vec::new(), Vec::new());
    }

    /// Does what is due before this moment's state is shown; trades are added to `trades`.
    pub fn step<S: Substrate>(&mut self, at: Ts, market: &mut S, trades: &mut Vec<LaidTrade>) {
        while let Some((_, act)) = self.acts.get(self.next).filter(|(t, _)| *t <= at) {
            let act = *act;
            self.next += 1;
            self.act(at, act, market, trades);
        }
        self.reached(market, trades);
        self.left(market);
    }

    fn act<S: Substrate>(&mut self, at: Ts, act: LaidAct, market: &mut S, trades: &mut Vec<LaidTrade>) {
        match act {
            LaidAct::Post { id, side, bps, qty } => {
                let (best, tick) = (market.best(side), market.tick());
                let away = tick * ticks_of(bps * best as f64 / 1e4 / tick as f64).max(1);
                let units = if side == RestingSide::Bid { best - away } else { best + away };
                self.posts += 1;
                self.out_of_sight += usize::from(!side.is_better(units, market.last(side)));
                self.orders.push(LaidOrder { id, side, units, qty });
            }
            LaidAct::Pull { id } => self.orders.retain(|o| o.id != id),
            LaidAct::PullBehind { id } => {
                for order in self.orders.iter().filter(|o| o.id == id) {
                    let distance = (market.best(order.side) - order.units).abs();
                    let away2 = 2 * (6 * market.tick()).max(distance / 2 + market.tick());
                    let (id, side, mid2) = (order.id, order.side, mid2(market));
                    self.behind.push(LeftBehind { id, side, mid2, away2 });
                }
            }
            LaidAct::Fill { id, part } => {
                for order in self.orders.iter_mut().filter(|o| o.id == id) {
                    let qty = market.lot(part * order.qty);
                    order.qty -= qty;
                    trades.push(LaidTrade { took: order.side, units: order.units, qty });
                }
            }
            LaidAct::Take { took, qty } => {
                trades.push(LaidTrade { took, units: market.best(took), qty: market.lot(qty) });
            }
            LaidAct::Pair { bought, qty, gap } => {
                let took = if bought { RestingSide::Ask } else { RestingSide::Bid };
                let trade = LaidTrade { took, units: market.best(took), qty: market.lot(qty) };
                trades.push(trade);
                let back = LaidTrade { took: took.opposite(), ..trade };
                let place = self.acts.partition_point(|(t, _)| *t <= at + gap).max(self.next);
                self.acts.insert(place, (at + gap, LaidAct::Print(back)));
            }
            LaidAct::Print(trade) => trades.push(trade),
            // Prices are traded through.
            LaidAct::Move { up, ticks } => trades.extend((0..ticks).map_while(|_| {
                let lost = market.shift(up)?;
                let took = if up { RestingSide::Ask } else { RestingSide::Bid };
                Some(LaidTrade { took, units: lost.units, qty: lost.qty })
            })),
        }
    }

    /// What the market has reached is gone: where its trades are a matter of record, to somebody who took it.
    fn reached<S: Substrate>(&mut self, market: &S, trades: &mut Vec<LaidTrade>) {
        let takes = market.takes_what_it_reaches();
        self.orders.retain(|o| {
            let best = market.best(o.side);
            let stands = o.side.is_better(best, o.units) || best == o.units;
            if !stands && takes && o.qty > 0.0 {
                trades.push(LaidTrade { took: o.side, units: o.units, qty: o.qty });
            }
            stands
        });
    }

    fn left<S: Substrate>(&mut self, market: &S) {
        if self.behind.is_empty() {
            return;
        }
        let now = mid2(market);
        let (orders, left_behind) = (&mut self.orders, &mut self.left_behind);
        self.behind.retain(|b| {
            let up = now - b.mid2;
            let gone = if b.side == RestingSide::Bid { up } else { -up } >= b.away2;
            let shown = orders.len();
            if gone {
                orders.retain(|o| o.id != b.id);
                *left_behind += usize::from(orders.len() < shown);
            }
            !gone && orders.iter().any(|o| o.id == b.id)
        });
    }

    /// Changes within so long from this moment on.
    #[must_use]
    pub fn flood(&self, at: Ts, step: Span) -> usize {
        let rate = self.floods.iter().find(|f| at >= f.from && at < f.to).map_or(0.0, |f| f.rate);
        changes_of(rate * step.as_secs_f64())
    }
}

fn mid2<S: Substrate>(market: &S) -> i64 {
    market.best(RestingSide::Bid) + market.best(RestingSide::Ask)
}

#[expect(clippy::cast_possible_truncation, reason = "a few basis points in ticks")]
fn ticks_of(ticks: f64) -> i64 {
    ticks.round() as i64
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "changes of a book within a second at most"
)]
pub(super) fn changes_of(changes: f64) -> usize {
    changes.round() as usize
}

/// A book with orders laid over it. One that would cross it, or that lies behind the last level that is known, is not shown.
pub fn lay_over(real: BookState<'_>, orders: &[LaidOrder], shown: &mut (Vec<FlowLevel>, Vec<FlowLevel>)) {
    let (bids, asks) = (&mut shown.0, &mut shown.1);
    bids.clear();
    bids.extend_from_slice(real.bids);
    asks.clear();
    asks.extend_from_slice(real.asks);
    for order in orders {
        let (own, other) =
            if order.side == RestingSide::Bid { (&mut *bids, real.asks) } else { (&mut *asks, real.bids) };
        let crosses = other.first().is_none_or(|best| !order.side.is_better(best.units, order.units));
        if !crosses && order.qty > 0.0 {
            let at = own.partition_point(|l| order.side.is_better(l.units, order.units));
            if at < own.len() {
                if own[at].units == order.units {
                    own[at].qty += order.qty;
                } else {
                    own.insert(at, FlowLevel { units: order.units, qty: order.qty });
                }
            }
        }
    }
}

/// So many changes, as pairs of states from this moment on: orders of this size at the fifth to the fifteenth level of both sides come
/// and go. How many there were room for: none in a book of fewer levels.
pub(super) fn flood(
    mut changes: usize,
    (at, qty): (Ts, f64),
    real: BookState<'_>,
    shown: &mut (Vec<FlowLevel>, Vec<FlowLevel>),
    to: &mut impl FnMut(Ts, FlowInput<'_>),
) -> usize {
    let levels = |side: RestingSide, of: &[FlowLevel]| -> Vec<LaidOrder> {
        of.iter().take(15).skip(4).map(|l| LaidOrder { id: 0, side, units: l.units, qty }).collect()
    };
    let mut small = levels(RestingSide::Bid, real.bids);
    small.extend(levels(RestingSide::Ask, real.asks));
    let (mut n, mut made) = (0, 0);
    while changes > 0 && !small.is_empty() {
        let some = &small[..changes.min(small.len())];
        lay_over(real, if n % 2 == 0 { some } else { &[] }, shown);
        to(at + Span(n * 10_000), FlowInput::Book(BookState { bids: &shown.0, asks: &shown.1 }));
        changes -= some.len();
        made += some.len();
        n += 1;
    }
    made
}

/// What was planned of one episode.
#[derive(Clone, Debug)]
pub(super) struct PlannedEpisode {
    pub(super) acts: Vec<(Ts, LaidAct)>,
    pub(super) floods: Vec<LaidFlood>,
    pub(super) laid: Injection,
}
