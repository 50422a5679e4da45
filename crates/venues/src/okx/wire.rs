//! OKX's messages in OKX's spelling (sheet §3 to §5). Fields nobody reads are left out; keys may come in any order.

use crate::session::wire::Millis;
use serde::Deserialize;
use serde_json::value::RawValue;
use std::borrow::Cow;

/// Anything on the socket but `pong`. Absent text is empty.
#[derive(Deserialize, Debug)]
pub(super) struct Frame<'a> {
    #[serde(borrow, default)]
    pub arg: Option<Arg<'a>>,
    #[serde(borrow, default)]
    pub action: Cow<'a, str>,
    #[serde(borrow, default)]
    pub data: Option<&'a RawValue>,
    #[serde(borrow, default)]
    pub event: Cow<'a, str>,
    #[serde(borrow, default)]
    pub code: Cow<'a, str>,
    #[serde(borrow, default)]
    pub msg: Cow<'a, str>,
}

#[derive(Deserialize, Debug)]
#[serde(rename_all = "camelCase")]
pub(super) struct Arg<'a> {
    #[serde(borrow, default)]
    pub channel: Cow<'a, str>,
    #[serde(borrow, default)]
    pub inst_id: Cow<'a, str>,
    #[serde(borrow, default)]
    pub inst_type: Cow<'a, str>,
}

/// A snapshot or an update of a book, on the socket and from REST.
#[derive(Deserialize, Debug)]
#[serde(rename_all = "camelCase")]
pub(super) struct Depth<'a> {
    #[serde(borrow)]
    pub asks: &'a RawValue,
    #[serde(borrow)]
    pub bids: &'a RawValue,
    pub ts: Millis,
    /// Always 0 since 2026-06-23.
    #[serde(default)]
    pub checksum: Option<i64>,
    /// Frames before 2023 have none.
    #[serde(default)]
    pub seq_id: Option<i64>,
    #[serde(default)]
    pub prev_seq_id: Option<i64>,
}

#[derive(Deserialize, Debug)]
#[serde(rename_all = "camelCase")]
pub(super) struct Trade<'a> {
    #[serde(borrow)]
    pub trade_id: Cow<'a, str>,
    #[serde(borrow)]
    pub px: Cow<'a, str>,
    /// Contracts; base units of spot.
    #[serde(borrow)]
    pub sz: Cow<'a, str>,
    /// Side of the taker.
    #[serde(borrow)]
    pub side: Cow<'a, str>,
    pub ts: Millis,
    /// Matches merged into this one; `tradeId` is the last of them.
    #[serde(borrow, default)]
    pub count: Cow<'a, str>,
}

#[derive(Deserialize, Debug)]
#[serde(rename_all = "camelCase")]
pub(super) struct Ticker<'a> {
    #[serde(borrow, default)]
    pub inst_id: Cow<'a, str>,
    #[serde(borrow, default)]
    pub last: Cow<'a, str>,
    #[serde(borrow, default)]
    pub ask_px: Cow<'a, str>,
    #[serde(borrow, default)]
    pub bid_px: Cow<'a, str>,
    /// Base units of derivatives, quote units of spot.
    #[serde(borrow, default)]
    pub vol_ccy24h: Cow<'a, str>,
    #[serde(default)]
    pub ts: Millis,
}

#[derive(Deserialize, Debug)]
#[serde(rename_all = "camelCase")]
pub(super) struct Mark<'a> {
    #[serde(borrow)]
    pub mark_px: Cow<'a, str>,
    pub ts: Millis,
}

#[derive(Deserialize, Debug)]
#[serde(rename_all = "camelCase")]
pub(super) struct Index<'a> {
    #[serde(borrow)]
    pub idx_px: Cow<'a, str>,
    pub ts: Millis,
}

#[derive(Deserialize, Debug)]
#[serde(rename_all = "camelCase")]
pub(super) struct Interest<'a> {
    /// Base units, one side.
    #[serde(borrow, default)]
    pub oi_ccy: Cow<'a, str>,
    #[serde(borrow, default)]
    pub oi_usd: Cow<'a, str>,
    pub ts: Millis,
}

/// `fundingTime` is the settlement the running rate is for; `settFundingRate` was paid at `prevFundingTime`.
#[derive(Deserialize, Debug)]
#[serde(rename_all = "camelCase")]
pub(super) struct Funding<'a> {
    #[serde(borrow)]
    pub funding_rate: Cow<'a, str>,
    pub funding_time: Millis,
    #[serde(default)]
    pub prev_funding_time: Millis,
    #[serde(default)]
    pub next_funding_time: Millis,
    #[serde(borrow, default)]
    pub sett_funding_rate: Cow<'a, str>,
    #[serde(borrow, default)]
    pub sett_state: Cow<'a, str>,
    /// Fixtures of 2025 have it, samples of 2023 too; without it the receive time is all there is.
    #[serde(default)]
    pub ts: Millis,
}

#[derive(Deserialize, Debug)]
#[serde(rename_all = "camelCase")]
pub(super) struct Liquidated<'a> {
    #[serde(borrow)]
    pub inst_id: Cow<'a, str>,
    #[serde(borrow)]
    pub details: Vec<Liquidation<'a>>,
}

#[derive(Deserialize, Debug)]
#[serde(rename_all = "camelCase")]
pub(super) struct Liquidation<'a> {
    /// Side of the order: `sell` closes a long.
    #[serde(borrow)]
    pub side: Cow<'a, str>,
    /// `long`, `short`, or `net`.
    #[serde(borrow, default)]
    pub pos_side: Cow<'a, str>,
    /// Bankruptcy price.
    #[serde(borrow)]
    pub bk_px: Cow<'a, str>,
    /// Contracts.
    #[serde(borrow)]
    pub sz: Cow<'a, str>,
    pub ts: Millis,
}

/// A REST answer. A code other than 0 is an error whatever the HTTP status.
#[derive(Deserialize, Debug)]
pub(super) struct Answer<'a> {
    #[serde(borrow, default)]
    pub code: Cow<'a, str>,
    #[serde(borrow, default)]
    pub msg: Cow<'a, str>,
    #[serde(borrow, default)]
    pub data: Option<&'a RawValue>,
}

#[derive(Deserialize, Debug)]
#[serde(rename_all = "camelCase")]
pub(super) struct Settlement<'a> {
    #[serde(borrow, default)]
    pub funding_rate: Cow<'a, str>,
    /// What was paid.
    #[serde(borrow, default)]
    pub realized_rate: Cow<'a, str>,
    pub funding_time: Millis,
}

#[derive(Deserialize, Debug)]
#[serde(rename_all = "camelCase")]
pub(super) struct Instrument {
    pub inst_id: String,
    pub inst_type: String,
    #[serde(default)]
    pub uly: String,
    #[serde(default)]
    pub base_ccy: String,
    #[serde(default)]
    pub quote_ccy: String,
    #[serde(default)]
    pub settle_ccy: String,
    #[serde(default)]
    pub ct_type: String,
    #[serde(default)]
    pub ct_val: String,
    #[serde(default)]
    pub ct_mult: String,
    #[serde(default)]
    pub ct_val_ccy: String,
    #[serde(default)]
    pub lot_sz: String,
    #[serde(default)]
    pub tick_sz: String,
    #[serde(default)]
    pub exp_time: Millis,
    #[serde(default)]
    pub state: String,
}

#[derive(Deserialize, Debug)]
pub(super) struct Clock {
    pub ts: Millis,
}
