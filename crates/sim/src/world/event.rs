//! What happens in a market, before any venue's spelling.

use crate::num::round_i64;
use crate::world::bar::TickBar;
use crate::world::book::BookUpdate;
use crate::world::script::MarkSample;
use crate::world::spec::Spec;

/// Fills of one taker order at one price.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Trade {
    /// Id of the aggregate, one more for every aggregate.
    pub aggregate_id: u64,
    /// Id of the first single trade in it.
    pub first_id: u64,
    /// Id of the last single trade in it.
    pub last_id: u64,
    /// Price in ticks.
    pub tick: i64,
    /// Quantity in steps.
    pub quantity: i64,
    /// Whether the buyer rested in the book, that is, the taker sold.
    pub buyer_is_maker: bool,
    /// When it was matched, ms.
    pub ms: i64,
}

impl Trade {
    /// The single trades: (id, steps).
    pub fn singles(&self) -> impl Iterator<Item = (u64, i64)> + '_ {
        let count = i64::try_from(self.last_id - self.first_id + 1).unwrap_or(1);
        let (each, rest) = (self.quantity / count, self.quantity % count);
        (self.first_id..=self.last_id).enumerate().map(move |(n, id)| (id, if n == 0 { each + rest } else { each }))
    }
}

/// Best prices after a change.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Top {
    /// Update id.
    pub id: u64,
    /// Best bid: tick and steps.
    pub bid: (i64, i64),
    /// Best ask: tick and steps.
    pub ask: (i64, i64),
    /// When, ms.
    pub ms: i64,
}

/// The venue closes a position, or a part of it.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Liquidation {
    /// One more for every liquidation order of the market.
    pub id: u64,
    /// Whether the closed position was long; its order sells then.
    pub long: bool,
    /// Filled quantity, in steps.
    pub quantity: i64,
    /// Quantity of the last fill, in steps.
    pub last_fill: i64,
    /// Price of the order: where the position's margin is gone, in ticks.
    pub tick: i64,
    /// Average price of the fills, in price units of the market (10^-decimals).
    pub average_units: i64,
    /// Mark price when it was triggered.
    pub mark: f64,
    /// Liquidation price of the position.
    pub liquidation_price: f64,
    /// When, ms.
    pub ms: i64,
    /// Whether the socket's sample of one per second held it.
    pub shown: bool,
}

impl Liquidation {
    /// Liquidation price of the position as texts have it, in ticks.
    #[must_use]
    pub fn trigger_tick(&self, spec: &Spec) -> i64 {
        round_i64(self.liquidation_price / spec.tick_size())
    }
}

/// Mark, index and running funding at a full second.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Mark {
    /// The full second, ms.
    pub ms: i64,
    /// Mark price.
    pub mark: f64,
    /// Its moving average.
    pub average: f64,
    /// Index price.
    pub index: f64,
    /// Estimate of the settlement price.
    pub settle: f64,
    /// Estimate of the next funding rate.
    pub rate: f64,
    /// Next settlement, ms.
    pub next_ms: i64,
}

/// One thing that happened in one market.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum MarketEvent {
    /// A trade.
    Trade(Trade),
    /// Best prices changed.
    Top(Top),
    /// Changes of the book are due.
    Depth(BookUpdate),
    /// A position was closed by the venue.
    Liquidation(Liquidation),
    /// The largest liquidation of a second, which is all that the socket shows.
    ForceOrder(Liquidation),
    /// A full second of a perpetual.
    Mark(Mark),
    /// A minute is complete; in a history, a candle of its length.
    Closed(TickBar),
    /// A mark of a history.
    Sample(MarkSample),
    /// A quarter of a second has passed: open candles are published.
    Quarter,
    /// A full second has passed, ms.
    Second(i64),
}
