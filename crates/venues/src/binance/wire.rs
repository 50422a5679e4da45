//! Frames of the Binance sockets as they stand on the wire: names and types of the venue, nothing interpreted.
//! Source: venue sheets, USD-M section 4 and spot section 4; recorded frames of 2024.

use serde::Deserialize;
use serde_json::value::RawValue;
use std::borrow::Cow;

/// Combined-stream envelope; a raw frame has neither field.
#[derive(Deserialize)]
pub(super) struct Envelope<'a> {
    #[serde(borrow)]
    pub(super) stream: Option<Cow<'a, str>>,
    #[serde(borrow)]
    pub(super) data: Option<&'a RawValue>,
}

/// What every payload is told apart by.
#[derive(Deserialize)]
pub(super) struct Head<'a> {
    /// Event type; spot `bookTicker` and snapshots have none.
    #[serde(borrow)]
    pub(super) e: Option<Cow<'a, str>>,
    #[serde(borrow)]
    pub(super) s: Option<Cow<'a, str>>,
    /// 1 = USD-M, 2 = COIN-M, since 2026-06.
    pub(super) st: Option<u8>,
    /// REST and partial book snapshots.
    #[serde(rename = "lastUpdateId")]
    pub(super) last_update_id: Option<u64>,
    /// Futures only: previous final update id of a depth frame.
    pub(super) pu: Option<i64>,
    /// Transaction time; of book tickers futures only.
    #[serde(rename = "T")]
    pub(super) transaction_time: Option<i64>,
    /// Update id of book tickers and depth frames.
    pub(super) u: Option<u64>,
}

/// `trade` and `aggTrade`.
#[derive(Deserialize)]
pub(super) struct Trade<'a> {
    /// Aggregate id.
    pub(super) a: Option<u64>,
    /// Trade id.
    pub(super) t: Option<u64>,
    #[serde(borrow)]
    pub(super) p: Cow<'a, str>,
    #[serde(borrow)]
    pub(super) q: Cow<'a, str>,
    #[serde(rename = "T")]
    pub(super) time: i64,
    /// The buyer rested: the seller acted.
    pub(super) m: bool,
    /// Futures `trade`: `MARKET`, or a fill that is no trade of the market.
    #[serde(rename = "X", borrow)]
    pub(super) kind: Option<Cow<'a, str>>,
}

/// `bookTicker`.
#[derive(Deserialize)]
pub(super) struct BookTicker<'a> {
    #[serde(borrow)]
    pub(super) b: Cow<'a, str>,
    #[serde(borrow)]
    pub(super) a: Cow<'a, str>,
}

/// `markPriceUpdate`.
#[derive(Deserialize)]
pub(super) struct MarkPrice<'a> {
    #[serde(rename = "E")]
    pub(super) time: i64,
    #[serde(borrow)]
    pub(super) p: Cow<'a, str>,
    #[serde(borrow)]
    pub(super) i: Option<Cow<'a, str>>,
    /// Running funding rate, empty for contracts without.
    #[serde(borrow)]
    pub(super) r: Option<Cow<'a, str>>,
    /// Next settlement, 0 for none.
    #[serde(rename = "T")]
    pub(super) next: Option<i64>,
}

/// `kline`.
#[derive(Deserialize)]
pub(super) struct KlineFrame<'a> {
    #[serde(borrow)]
    pub(super) k: Kline<'a>,
}

/// The candle inside.
#[derive(Deserialize)]
pub(super) struct Kline<'a> {
    pub(super) t: i64,
    #[serde(rename = "T")]
    pub(super) close_time: i64,
    #[serde(borrow)]
    pub(super) o: Cow<'a, str>,
    #[serde(borrow)]
    pub(super) h: Cow<'a, str>,
    #[serde(borrow)]
    pub(super) l: Cow<'a, str>,
    #[serde(borrow)]
    pub(super) c: Cow<'a, str>,
    #[serde(borrow)]
    pub(super) v: Cow<'a, str>,
    #[serde(borrow)]
    pub(super) q: Cow<'a, str>,
    /// The bar is closed.
    pub(super) x: bool,
}

/// `forceOrder`.
#[derive(Deserialize)]
pub(super) struct ForceOrder<'a> {
    #[serde(borrow)]
    pub(super) o: Order<'a>,
}

/// The liquidation order inside.
#[derive(Deserialize)]
pub(super) struct Order<'a> {
    #[serde(borrow)]
    pub(super) s: Cow<'a, str>,
    /// Side of the ORDER.
    #[serde(rename = "S", borrow)]
    pub(super) side: Cow<'a, str>,
    #[serde(borrow)]
    pub(super) p: Cow<'a, str>,
    #[serde(borrow)]
    pub(super) ap: Cow<'a, str>,
    /// Filled so far.
    #[serde(borrow)]
    pub(super) z: Cow<'a, str>,
    #[serde(rename = "T")]
    pub(super) time: i64,
}
