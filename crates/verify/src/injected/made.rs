//! A market made by a seed: a book in steps with orders that come and go, trades that take from it, a price that wanders. The
//! substrate that episodes are laid over (surveillance §9), where no recording of a day is at hand.
#![expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "levels of a made book and steps of made days: numbers of known size"
)]

use super::START;
use super::acts::{LaidActs, LaidOrder, LaidTrade, Substrate, flood, lay_over};
use barograph_domain::random::SplitMix;
use barograph_domain::{Side, Span, Ts};
use barograph_engine::order_flow::{BookState, FlowInput, FlowLevel, RestingSide};

/// How liquid a market is.
#[derive(Clone, Copy, Debug)]
pub struct MarketClass {
    /// As tables and options have it.
    pub name: &'static str,
    /// Price in units: what a tick is in bps follows from it.
    pub units: i64,
    /// Levels of each side.
    pub levels: usize,
    /// Base quantity that rests at a level, typically.
    pub size: f64,
    /// Levels that change in a step, at most.
    pub changes: u64,
    /// Chance of trades in a step.
    pub trade_chance: f64,
    /// The most trades of a step that has any, and one more.
    pub trades: u64,
    /// Chance that the price moves by a tick in a step.
    pub move_chance: f64,
    /// Time between two states of the book.
    pub step: Span,
}

/// All of them, the most liquid first.
pub const CLASSES: [MarketClass; 3] = [
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

/// The class of this name.
#[must_use]
pub fn class(name: &str) -> Option<MarketClass> {
    CLASSES.iter().copied().find(|c| c.name == name)
}

/// A number whose logarithm is spread like a bell of this width around zero; sums of uniform numbers are near enough.
pub(super) fn lognormal(random: &mut SplitMix, width: f64) -> f64 {
    let bell: f64 = (0..6).map(|_| random.unit()).sum::<f64>() - 3.0;
    barograph_domain::math::exp(width * 1.414 * bell)
}

/// Rounded to a venue's lot.
pub(super) fn lot(qty: f64) -> f64 {
    ((qty * 1e4).round() / 1e4).max(1e-4)
}

/// A market on its way.
#[derive(Clone, Debug)]
pub struct MadeMarket {
    class: MarketClass,
    random: SplitMix,
    /// Best first.
    bids: Vec<FlowLevel>,
    asks: Vec<FlowLevel>,
    shown: (Vec<FlowLevel>, Vec<FlowLevel>),
}

impl MadeMarket {
    /// Before its first step; everything follows from the seed.
    #[must_use]
    pub fn new(class: MarketClass, seed: u64) -> Self {
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

    fn fresh(&mut self) -> f64 {
        lot(self.class.size * lognormal(&mut self.random, 0.8))
    }

    /// One side loses its best price and the other gains one, so that the spread stays. What was lost.
    fn lose_best(&mut self, up: bool) -> FlowLevel {
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
    pub fn step(&mut self, trades: &mut Vec<LaidTrade>) {
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
                    trades.push(LaidTrade { took, units: best.units, qty });
                }
            }
        }
        if self.random.unit() < c.move_chance {
            let up = self.random.unit() < 0.5;
            let _cancelled = self.lose_best(up);
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
    pub fn book(&mut self, laid: &[LaidOrder]) -> BookState<'_> {
        lay_over(BookState { bids: &self.bids, asks: &self.asks }, laid, &mut self.shown);
        BookState { bids: &self.shown.0, asks: &self.shown.1 }
    }
}

impl Substrate for MadeMarket {
    fn best(&self, side: RestingSide) -> i64 {
        if side == RestingSide::Bid { self.bids[0].units } else { self.asks[0].units }
    }
    fn last(&self, side: RestingSide) -> i64 {
        let levels = if side == RestingSide::Bid { &self.bids } else { &self.asks };
        levels[levels.len() - 1].units
    }
    fn tick(&self) -> i64 {
        1
    }
    fn lot(&self, qty: f64) -> f64 {
        lot(qty)
    }
    fn shift(&mut self, up: bool) -> Option<FlowLevel> {
        Some(self.lose_best(up))
    }
    fn takes_what_it_reaches(&self) -> bool {
        false
    }
}

/// Prices of made markets have so many decimals.
pub const SCALE: u8 = 2;

fn price(units: i64) -> f64 {
    units as f64 / 100.0
}

pub(super) fn trade<'a>(t: &LaidTrade) -> FlowInput<'a> {
    let side = if t.took == RestingSide::Ask { Side::Long } else { Side::Short };
    FlowInput::Trade { price: price(t.units), qty: t.qty, aggressor_side: Some(side) }
}

/// Plays a market for so long, with what is injected laid over it.
pub fn play(class: MarketClass, seed: u64, length: Span, laid: &mut LaidActs, to: impl FnMut(Ts, FlowInput<'_>)) {
    play_on(&mut MadeMarket::new(class, seed), START, length, laid, to);
}

/// The same of a market that goes on.
pub fn play_on(
    market: &mut MadeMarket,
    from: Ts,
    length: Span,
    laid: &mut LaidActs,
    mut to: impl FnMut(Ts, FlowInput<'_>),
) {
    let (mut at, mut trades, class) = (from, Vec::new(), market.class);
    let end = at + length;
    while at < end {
        market.step(&mut trades);
        laid.step(at, market, &mut trades);
        for (n, one) in trades.iter().enumerate() {
            to(at + Span(n as i64 * 1_000), trade(one));
        }
        let orders = core::mem::take(&mut laid.orders);
        to(at + Span::millis(20), FlowInput::Book(market.book(&orders)));
        laid.orders = orders;
        let (real, shown) = (BookState { bids: &market.bids, asks: &market.asks }, &mut market.shown);
        flood(laid.flood(at, class.step), (at + Span::millis(21), 0.01), real, shown, &mut to);
        at = at + class.step;
    }
    to(end, FlowInput::Tick);
}
