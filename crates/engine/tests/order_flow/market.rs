//! A market made by a seed: a book in steps with orders that come and go, trades that take from it, a price that wanders. The
//! substrate that injected episodes are laid over (surveillance §9), where no recording of a day is at hand.

use super::truth::{Injected, Overlay};
use barograph_domain::random::SplitMix;
use barograph_domain::{Side, Span, Ts};
use barograph_engine::order_flow::{BookState, FlowInput, FlowLevel, RestingSide};

/// How liquid a market is.
#[derive(Clone, Copy, Debug)]
pub(crate) struct MarketClass {
    pub(crate) name: &'static str,
    /// Price in units: what a tick is in bps follows from it.
    pub(crate) units: i64,
    pub(crate) levels: usize,
    /// Base quantity that rests at a level, typically.
    pub(crate) size: f64,
    /// Levels that change in a step, at most.
    pub(crate) changes: u64,
    /// Chance of trades in a step, and how many there are at most.
    pub(crate) trade_chance: f64,
    pub(crate) trades: u64,
    /// Chance that the price moves by a tick in a step.
    pub(crate) move_chance: f64,
    pub(crate) step: Span,
}

pub(crate) const CLASSES: [MarketClass; 3] = [
    MarketClass {
        name: "deep",
        units: 100_000,
        levels: 220,
        size: 2.0,
        changes: 24,
        trade_chance: 0.6,
        trades: 5,
        move_chance: 0.2,
        step: Span::millis(100),
    },
    MarketClass {
        name: "middle",
        units: 50_000,
        levels: 80,
        size: 40.0,
        changes: 12,
        trade_chance: 0.3,
        trades: 3,
        move_chance: 0.12,
        step: Span::millis(100),
    },
    MarketClass {
        name: "thin",
        units: 9_000,
        levels: 40,
        size: 900.0,
        changes: 5,
        trade_chance: 0.08,
        trades: 2,
        move_chance: 0.03,
        step: Span::millis(200),
    },
];

pub(crate) fn class(name: &str) -> MarketClass {
    *CLASSES.iter().find(|c| c.name == name).expect("one of the classes")
}

/// A number whose logarithm is spread like a bell of this width around zero; sums of uniform numbers are near enough.
pub(crate) fn lognormal(random: &mut SplitMix, width: f64) -> f64 {
    let bell: f64 = (0..6).map(|_| random.unit()).sum::<f64>() - 3.0;
    barograph_domain::math::exp(width * 1.414 * bell)
}

/// Rounded to a venue's lot.
pub(crate) fn lot(qty: f64) -> f64 {
    ((qty * 1e4).round() / 1e4).max(1e-4)
}

#[derive(Clone, Debug)]
pub(crate) struct MadeMarket {
    pub(crate) class: MarketClass,
    pub(crate) random: SplitMix,
    /// Best first.
    bids: Vec<FlowLevel>,
    asks: Vec<FlowLevel>,
    shown: (Vec<FlowLevel>, Vec<FlowLevel>),
}

/// A trade of a step.
#[derive(Clone, Copy, Debug)]
pub(crate) struct MadeTrade {
    pub(crate) took: RestingSide,
    pub(crate) units: i64,
    pub(crate) qty: f64,
}

impl MadeMarket {
    pub(crate) fn new(class: MarketClass, seed: u64) -> Self {
        let mut random = SplitMix::new(seed);
        let mut side = |sign: i64| -> Vec<FlowLevel> {
            let level = |n: usize| {
                let units = class.units + sign * (1 + n as i64);
                FlowLevel { units, qty: lot(class.size * lognormal(&mut random, 0.8)) }
            };
            (0..class.levels).map(level).collect()
        };
        let (bids, asks) = (side(-1), side(1));
        Self { class, random, bids, asks, shown: (Vec::new(), Vec::new()) }
    }

    pub(crate) fn best(&self, side: RestingSide) -> i64 {
        if side == RestingSide::Bid { self.bids[0].units } else { self.asks[0].units }
    }

    fn fresh(&mut self) -> f64 {
        lot(self.class.size * lognormal(&mut self.random, 0.8))
    }

    /// One side loses its best price and the other gains one, so that the spread stays. What was lost.
    pub(crate) fn shift(&mut self, up: bool) -> FlowLevel {
        let (near, far) = (self.fresh(), self.fresh());
        let (lose, gain, sign) =
            if up { (&mut self.asks, &mut self.bids, 1) } else { (&mut self.bids, &mut self.asks, -1) };
        let lost = lose.remove(0);
        let end = lose[lose.len() - 1].units;
        lose.push(FlowLevel { units: end + sign, qty: far });
        let units = gain[0].units + sign;
        gain.insert(0, FlowLevel { units, qty: near });
        gain.pop();
        lost
    }

    /// A step: trades first, then what else changed.
    pub(crate) fn step(&mut self, trades: &mut Vec<MadeTrade>) {
        trades.clear();
        let c = self.class;
        if self.random.unit() < c.trade_chance {
            for _ in 0..=self.random.below(c.trades) {
                let took = if self.random.unit() < 0.5 { RestingSide::Bid } else { RestingSide::Ask };
                let best = if took == RestingSide::Bid { self.bids[0] } else { self.asks[0] };
                let qty = lot((0.15 * c.size * lognormal(&mut self.random, 1.1)).min(0.9 * best.qty));
                if qty < best.qty {
                    let level = if took == RestingSide::Bid { &mut self.bids[0] } else { &mut self.asks[0] };
                    level.qty -= qty;
                    trades.push(MadeTrade { took, units: best.units, qty });
                }
            }
        }
        if self.random.unit() < c.move_chance {
            let up = self.random.unit() < 0.5;
            let _cancelled = self.shift(up);
        }
        for _ in 0..self.random.below(c.changes + 1) {
            let of_bids = self.random.unit() < 0.5;
            // Nearer levels change more often.
            let at = (self.random.unit() * self.random.unit() * c.levels as f64) as usize;
            let (grow, part, fresh) = (self.random.unit() < 0.5, self.random.unit(), self.fresh());
            let level = if of_bids { &mut self.bids[at] } else { &mut self.asks[at] };
            // What rests returns to what is usual.
            if grow && level.qty < 3.0 * c.size {
                level.qty = lot(level.qty + 0.5 * fresh);
            } else {
                level.qty = lot(level.qty * (0.2 + 0.8 * part));
            }
        }
    }

    /// The book with what is laid over it. What the market has reached is not shown any more.
    pub(crate) fn book(&mut self, overlays: &[Overlay]) -> BookState<'_> {
        let (bids, asks) = (&mut self.shown.0, &mut self.shown.1);
        bids.clone_from(&self.bids);
        asks.clone_from(&self.asks);
        for over in overlays {
            let (own, other) =
                if over.side == RestingSide::Bid { (&mut *bids, &self.asks) } else { (&mut *asks, &self.bids) };
            if over.side.is_better(other[0].units, over.units) {
                let at = own.partition_point(|l| over.side.is_better(l.units, over.units));
                if at < own.len() {
                    if own[at].units == over.units {
                        own[at].qty += over.qty;
                    } else {
                        own.insert(at, FlowLevel { units: over.units, qty: over.qty });
                    }
                }
            }
        }
        BookState { bids, asks }
    }
}

pub(crate) const SCALE: u8 = 2;

pub(crate) fn price(units: i64) -> f64 {
    units as f64 / 100.0
}

pub(crate) fn trade<'a>(t: &MadeTrade) -> FlowInput<'a> {
    let side = if t.took == RestingSide::Ask { Side::Long } else { Side::Short };
    FlowInput::Trade { price: price(t.units), qty: t.qty, aggressor_side: Some(side) }
}

/// So many changes in one step, as pairs of states: small orders at the fifth to the fifteenth level of both sides come and go.
fn flood(mut changes: usize, at: Ts, market: &mut MadeMarket, to: &mut impl FnMut(Ts, FlowInput<'_>)) {
    let overlay = |side, units| Overlay { id: 0, side, units, qty: 0.01 };
    let (bids, asks) = (market.bids[4..15].iter(), market.asks[4..15].iter());
    let small: Vec<Overlay> = bids
        .map(|l| overlay(RestingSide::Bid, l.units))
        .chain(asks.map(|l| overlay(RestingSide::Ask, l.units)))
        .collect();
    let mut n = 0;
    while changes > 0 {
        let shown = &small[..changes.min(small.len())];
        let moment = at + Span::millis(21) + Span(n * 10_000);
        to(moment, FlowInput::Book(market.book(if n % 2 == 0 { shown } else { &[] })));
        changes -= shown.len();
        n += 1;
    }
}

/// Plays a market for so long, with what is injected laid over it.
pub(crate) fn play(
    class: MarketClass,
    seed: u64,
    length: Span,
    injected: &mut Injected,
    to: impl FnMut(Ts, FlowInput<'_>),
) {
    play_on(&mut MadeMarket::new(class, seed), super::START, length, injected, to);
}

/// The same of a market that goes on.
pub(crate) fn play_on(
    market: &mut MadeMarket,
    from: Ts,
    length: Span,
    injected: &mut Injected,
    mut to: impl FnMut(Ts, FlowInput<'_>),
) {
    let (mut at, mut trades, class) = (from, Vec::new(), market.class);
    let end = at + length;
    while at < end {
        market.step(&mut trades);
        injected.step(at, market, &mut trades);
        for (n, one) in trades.iter().enumerate() {
            to(at + Span(n as i64 * 1_000), trade(one));
        }
        let overlays = core::mem::take(&mut injected.overlays);
        to(at + Span::millis(20), FlowInput::Book(market.book(&overlays)));
        injected.overlays = overlays;
        flood(injected.flood(at, class.step), at, market, &mut to);
        at = at + class.step;
    }
    to(end, FlowInput::Tick);
}
