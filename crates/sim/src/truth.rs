//! What really is and was, whatever was sent: for checkers that compare a client with the server.
//!
//! Books, trades, liquidations, open interest, funding and minutes as the world has them at the moment of the question.
//! Memory is bounded: trades and liquidations reach back as far as the world remembers (at least 500 per market), minutes
//! at least a day. Prices and quantities are the floats nearest to the texts that were sent.

use crate::Venue;
use crate::num::pow10;
use crate::server::SharedCore;
use crate::world::bar::TickBar;
use crate::world::candles::HistoryWindow;
use crate::world::event::Mark;
use crate::world::market::TradedMarket;
use crate::world::perp::{OpenInterestPoint, SettledFunding};
use barograph_domain::Ts;

const MINUTE_MS: i64 = 60_000;

/// A price level.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct TrueLevel {
    /// Price in quote units.
    pub price: f64,
    /// Quantity in base units.
    pub quantity: f64,
}

/// A whole book.
#[derive(Clone, PartialEq, Debug)]
pub struct BookTruth {
    /// Id of the latest change.
    pub last_update_id: u64,
    /// From the best down.
    pub bids: Vec<TrueLevel>,
    /// From the best up.
    pub asks: Vec<TrueLevel>,
}

/// A trade that was sent, or would have been.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct TradeTruth {
    /// Id of the aggregate (`a`).
    pub aggregate_id: u64,
    /// First and last single trade (`f`, `l`; `t` and `trade_id` where singles are sent).
    pub ids: (u64, u64),
    /// Price and quantity.
    pub level: TrueLevel,
    /// Whether the taker sold.
    pub buyer_is_maker: bool,
    /// When it was matched.
    pub at: Ts,
}

/// A liquidation order.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct LiquidationTruth {
    /// Number in its market, from 1.
    pub id: u64,
    /// Whether the position was long (the order sold).
    pub long: bool,
    /// Average price and filled quantity.
    pub level: TrueLevel,
    /// Liquidation price of the position, which is what CoinEx lists.
    pub trigger: f64,
    /// Time of the liquidation.
    pub at: Ts,
    /// Whether the socket's sample of one per second held it.
    pub shown: bool,
}

/// A closed candle of one minute.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct CandleTruth {
    /// End of the minute.
    pub close_ts: Ts,
    /// Open, high, low and close.
    pub prices: [f64; 4],
    /// Base volume.
    pub volume: f64,
    /// Quote volume.
    pub quote_volume: f64,
    /// Trades counted.
    pub trades: i64,
}

/// Access to the truth of a running server.
#[derive(Clone, Debug)]
pub struct WorldTruth {
    pub(crate) shared: SharedCore,
}

impl WorldTruth {
    fn with<T>(&self, venue: Venue, symbol: &str, read: impl FnOnce(&TradedMarket) -> T) -> Option<T> {
        self.shared.lock().market(venue, symbol).map(read)
    }

    /// Symbols of a venue, in the order of its list.
    #[must_use]
    pub fn symbols(&self, venue: Venue) -> Vec<String> {
        let core = self.shared.lock();
        core.world.markets.iter().filter(|m| m.spec.venue == venue).map(|m| m.spec.symbol.clone()).collect()
    }

    /// A market's book.
    #[must_use]
    pub fn book(&self, venue: Venue, symbol: &str) -> Option<BookTruth> {
        self.with(venue, symbol, |m| {
            let level = |(tick, steps)| TrueLevel { price: m.spec.price(tick), quantity: m.spec.quantity(steps) };
            BookTruth {
                last_update_id: m.book.last_id,
                bids: m.book.bids.iter().map(level).collect(),
                asks: m.book.asks.iter().map(level).collect(),
            }
        })
    }

    /// The newest trades, oldest first.
    #[must_use]
    pub fn trades(&self, venue: Venue, symbol: &str) -> Option<Vec<TradeTruth>> {
        self.with(venue, symbol, |m| {
            let one = |t: &crate::world::event::Trade| TradeTruth {
                aggregate_id: t.aggregate_id,
                ids: (t.first_id, t.last_id),
                level: TrueLevel { price: m.spec.price(t.tick), quantity: m.spec.quantity(t.quantity) },
                buyer_is_maker: t.buyer_is_maker,
                at: Ts::from_millis(t.ms),
            };
            m.trades.iter().map(one).collect()
        })
    }

    /// The newest liquidation orders, oldest first.
    #[must_use]
    pub fn liquidations(&self, venue: Venue, symbol: &str) -> Option<Vec<LiquidationTruth>> {
        self.with(venue, symbol, |m| {
            let price = |units: i64| units as f64 / pow10(m.spec.price_decimals) as f64;
            let one = |l: &crate::world::event::Liquidation| LiquidationTruth {
                id: l.id,
                long: l.long,
                level: TrueLevel { price: price(l.average_units), quantity: m.spec.quantity(l.quantity) },
                trigger: m.spec.price(l.trigger_tick(&m.spec)),
                at: Ts::from_millis(l.ms),
                shown: l.shown,
            };
            m.liquidations.iter().map(one).collect()
        })
    }

    /// Open contracts, one side, in base units.
    #[must_use]
    pub fn open_interest(&self, venue: Venue, symbol: &str) -> Option<f64> {
        let read = |m: &TradedMarket| m.perp.as_ref().map(|p| m.spec.quantity(p.positions.open_interest()));
        self.with(venue, symbol, read).flatten()
    }

    /// Open interest at full five minutes since the beginning, in steps of the market, oldest first.
    #[must_use]
    pub fn open_interest_history(&self, venue: Venue, symbol: &str) -> Option<Vec<OpenInterestPoint>> {
        let read = |m: &TradedMarket| m.perp.as_ref().map(|p| p.open_interest.iter().copied().collect());
        self.with(venue, symbol, read).flatten()
    }

    /// Mark, index and running funding at the latest full second.
    #[must_use]
    pub fn mark(&self, venue: Venue, symbol: &str) -> Option<Mark> {
        self.with(venue, symbol, |m| m.perp.as_ref().map(|p| p.mark)).flatten()
    }

    /// Settled funding since the beginning, oldest first.
    #[must_use]
    pub fn settled(&self, venue: Venue, symbol: &str) -> Option<Vec<SettledFunding>> {
        self.with(venue, symbol, |m| m.perp.as_ref().map(|p| p.settled.iter().copied().collect())).flatten()
    }

    /// Complete minutes that close within `(from, until]`, oldest first, from before the beginning too.
    #[must_use]
    pub fn candles(&self, venue: Venue, symbol: &str, from: Ts, until: Ts) -> Option<Vec<CandleTruth>> {
        let core = self.shared.lock();
        let (market, now) = (core.market(venue, symbol)?, core.now().as_millis());
        let limit = usize::try_from((until - from).0 / MINUTE_MS / 1_000_000 + 2).unwrap_or(0);
        let start_ms = Some(from.as_millis().div_euclid(MINUTE_MS) * MINUTE_MS);
        let window = HistoryWindow { start_ms, end_ms: Some(until.as_millis() - 1), limit };
        let spec = &market.spec;
        let one = |b: &TickBar| CandleTruth {
            close_ts: Ts::from_millis(b.open_ms + MINUTE_MS),
            prices: [b.open, b.high, b.low, b.close].map(|tick| spec.price(tick)),
            volume: spec.quantity(b.volume),
            quote_volume: b.quote_volume,
            trades: b.trades,
        };
        let candles = market.candles(MINUTE_MS, &window, now);
        let closed = candles.iter().map(one).filter(|c| c.close_ts > from && c.close_ts <= until);
        Some(closed.filter(|c| c.close_ts.as_millis() <= now.div_euclid(MINUTE_MS) * MINUTE_MS).collect())
    }

    /// Complete minutes since the beginning, oldest first; prices in ticks, quantities in steps.
    #[must_use]
    pub fn minutes(&self, venue: Venue, symbol: &str) -> Option<Vec<TickBar>> {
        self.with(venue, symbol, |m| m.bars.iter().copied().collect())
    }
}
