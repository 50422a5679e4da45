//! Bybit's messages in Bybit's spelling (sheet §3 and §4). Fields nobody reads are left out; keys may come in any order.

use crate::session::Scan;
use crate::session::wire::{Millis, scan_millis, scan_raw, scan_text};
use serde::Deserialize;
use serde_json::value::RawValue;
use std::borrow::Cow;

/// Anything on the socket: data, or the answer to a request. Absent text is empty.
#[derive(Deserialize, Debug)]
pub(super) struct Frame<'a> {
    #[serde(borrow, default)]
    pub topic: Cow<'a, str>,
    #[serde(borrow, default, rename = "type")]
    pub kind: Cow<'a, str>,
    #[serde(default)]
    pub ts: Millis,
    /// When the matching engine made the book (books only).
    #[serde(default)]
    pub cts: Millis,
    #[serde(borrow, default)]
    pub data: Option<&'a RawValue>,
    #[serde(default)]
    pub success: Option<bool>,
    #[serde(borrow, default)]
    pub ret_msg: Cow<'a, str>,
    #[serde(borrow, default)]
    pub op: Cow<'a, str>,
    #[serde(borrow, default)]
    pub req_id: Cow<'a, str>,
}

/// The parts of a data message.
#[derive(Clone, Copy, Debug)]
pub(super) struct Data<'a> {
    pub topic: &'a str,
    pub kind: &'a str,
    pub ts: Millis,
    /// When the matching engine made the book (books only).
    pub cts: Millis,
    pub data: &'a str,
}

impl<'a> Data<'a> {
    /// The usual case, in one pass and without allocation; `None`: not data, or not in the usual spelling.
    pub(super) fn scan(bytes: &'a [u8]) -> Option<Self> {
        let mut scan = Scan::new(bytes);
        let (mut topic, mut kind, mut data) = (None, "", None);
        let (mut ts, mut cts) = (Millis(None), Millis(None));
        scan.object(|key, s| {
            match key {
                b"topic" => topic = Some(scan_text(s)?),
                b"type" => kind = scan_text(s)?,
                b"ts" => ts = scan_millis(s)?,
                b"cts" => cts = scan_millis(s)?,
                b"data" => data = Some(scan_raw(s)?),
                _ => s.skip()?,
            }
            Some(())
        })?;
        scan.end()?;
        Some(Self { topic: topic?, kind, ts, cts, data: data? })
    }

    /// Any spelling.
    pub(super) fn of(frame: &'a Frame<'a>) -> Option<Self> {
        let data = frame.data?.get();
        Some(Self { topic: &frame.topic, kind: &frame.kind, ts: frame.ts, cts: frame.cts, data })
    }
}

#[derive(Deserialize, Debug)]
struct RawDepth<'a> {
    #[serde(borrow)]
    b: &'a RawValue,
    #[serde(borrow)]
    a: &'a RawValue,
    u: u64,
    #[serde(default)]
    seq: u64,
}

/// A snapshot or delta of a book: both sides as they stand in the message.
#[derive(Clone, Copy, Debug)]
pub(super) struct Depth<'a> {
    pub bids: &'a str,
    pub asks: &'a str,
    pub u: u64,
    pub seq: u64,
}

impl<'a> Depth<'a> {
    pub(super) fn read(json: &'a str) -> Option<Self> {
        Self::scan(json).or_else(|| {
            let raw: RawDepth<'a> = serde_json::from_str(json).ok()?;
            Some(Self { bids: raw.b.get(), asks: raw.a.get(), u: raw.u, seq: raw.seq })
        })
    }

    fn scan(json: &'a str) -> Option<Self> {
        let mut scan = Scan::new(json.as_bytes());
        let (mut bids, mut asks, mut u, mut seq) = (None, None, None, 0);
        scan.object(|key, s| {
            match key {
                b"b" => bids = Some(scan_raw(s)?),
                b"a" => asks = Some(scan_raw(s)?),
                b"u" => u = Some(s.unsigned()?),
                b"seq" => seq = s.unsigned()?,
                _ => s.skip()?,
            }
            Some(())
        })?;
        scan.end()?;
        Some(Self { bids: bids?, asks: asks?, u: u?, seq })
    }
}

#[derive(Deserialize, Debug)]
pub(super) struct Trade<'a> {
    #[serde(rename = "T")]
    pub time: Millis,
    /// Side of the taker.
    #[serde(borrow, rename = "S")]
    pub side: Cow<'a, str>,
    #[serde(borrow, rename = "v")]
    pub size: Cow<'a, str>,
    #[serde(borrow, rename = "p")]
    pub price: Cow<'a, str>,
    #[serde(borrow, rename = "i")]
    pub id: Cow<'a, str>,
    #[serde(default)]
    pub seq: u64,
}

/// A ticker or a part of one: what is absent is unchanged.
#[derive(Deserialize, Debug)]
#[serde(rename_all = "camelCase")]
pub(super) struct Ticker<'a> {
    #[serde(borrow, default)]
    pub bid1_price: Cow<'a, str>,
    #[serde(borrow, default)]
    pub ask1_price: Cow<'a, str>,
    #[serde(borrow, default)]
    pub mark_price: Cow<'a, str>,
    #[serde(borrow, default)]
    pub index_price: Cow<'a, str>,
    /// Both sides.
    #[serde(borrow, default)]
    pub open_interest: Cow<'a, str>,
    #[serde(borrow, default)]
    pub single_open_interest: Cow<'a, str>,
    #[serde(borrow, default)]
    pub funding_rate: Cow<'a, str>,
    #[serde(default)]
    pub next_funding_time: Millis,
    /// Hours, as text or number; read as [`Millis`] because that takes both.
    #[serde(default)]
    pub funding_interval_hour: Millis,
}

#[derive(Deserialize, Debug)]
pub(super) struct Liquidation<'a> {
    #[serde(rename = "T")]
    pub time: Millis,
    /// Side of the position: `Buy` is a liquidated long.
    #[serde(borrow, rename = "S")]
    pub side: Cow<'a, str>,
    #[serde(borrow, rename = "v")]
    pub size: Cow<'a, str>,
    /// The bankruptcy price.
    #[serde(borrow, rename = "p")]
    pub price: Cow<'a, str>,
}

#[derive(Deserialize, Debug)]
pub(super) struct Kline<'a> {
    pub start: Millis,
    #[serde(borrow)]
    pub open: Cow<'a, str>,
    #[serde(borrow)]
    pub high: Cow<'a, str>,
    #[serde(borrow)]
    pub low: Cow<'a, str>,
    #[serde(borrow)]
    pub close: Cow<'a, str>,
    #[serde(borrow)]
    pub volume: Cow<'a, str>,
    #[serde(borrow)]
    pub turnover: Cow<'a, str>,
    pub confirm: bool,
}

/// A REST answer. `retCode` other than 0 is an error whatever the HTTP status.
#[derive(Deserialize, Debug)]
#[serde(rename_all = "camelCase")]
pub(super) struct Answer<'a> {
    pub ret_code: i64,
    #[serde(borrow, default)]
    pub ret_msg: Cow<'a, str>,
    #[serde(borrow, default)]
    pub result: Option<&'a RawValue>,
    /// The venue's clock.
    #[serde(default)]
    pub time: Millis,
}

#[derive(Deserialize, Debug)]
#[serde(rename_all = "camelCase")]
pub(super) struct List<'a> {
    #[serde(borrow, default)]
    pub category: Cow<'a, str>,
    #[serde(borrow)]
    pub list: &'a RawValue,
    #[serde(borrow, default)]
    pub next_page_cursor: Option<Cow<'a, str>>,
}

#[derive(Deserialize, Debug)]
#[serde(rename_all = "camelCase")]
pub(super) struct Settlement<'a> {
    #[serde(borrow)]
    pub funding_rate: Cow<'a, str>,
    pub funding_rate_timestamp: Millis,
}

#[derive(Deserialize, Debug)]
#[serde(rename_all = "camelCase")]
pub(super) struct Interest<'a> {
    #[serde(borrow)]
    pub open_interest: Cow<'a, str>,
    #[serde(borrow, default)]
    pub single_open_interest: Cow<'a, str>,
    pub timestamp: Millis,
}

#[derive(Deserialize, Debug)]
#[serde(rename_all = "camelCase")]
pub(super) struct Ratio<'a> {
    #[serde(borrow)]
    pub buy_ratio: Cow<'a, str>,
    #[serde(borrow)]
    pub sell_ratio: Cow<'a, str>,
    pub timestamp: Millis,
}

#[derive(Deserialize, Debug)]
#[serde(rename_all = "camelCase")]
pub(super) struct PastTrade<'a> {
    #[serde(borrow)]
    pub exec_id: Cow<'a, str>,
    #[serde(borrow)]
    pub price: Cow<'a, str>,
    #[serde(borrow)]
    pub size: Cow<'a, str>,
    #[serde(borrow)]
    pub side: Cow<'a, str>,
    pub time: Millis,
}

#[derive(Deserialize, Debug)]
#[serde(rename_all = "camelCase")]
pub(super) struct Instrument {
    pub symbol: String,
    #[serde(default)]
    pub contract_type: String,
    #[serde(default)]
    pub status: String,
    #[serde(default)]
    pub base_coin: String,
    #[serde(default)]
    pub quote_coin: String,
    #[serde(default)]
    pub settle_coin: Option<String>,
    #[serde(default)]
    pub delivery_time: Millis,
    /// Interval of funding in minutes.
    #[serde(default)]
    pub funding_interval: Option<u32>,
    pub price_filter: PriceFilter,
    #[serde(default)]
    pub lot_size_filter: LotSizeFilter,
}

#[derive(Deserialize, Debug)]
#[serde(rename_all = "camelCase")]
pub(super) struct PriceFilter {
    pub tick_size: String,
}

#[derive(Deserialize, Debug, Default)]
#[serde(rename_all = "camelCase")]
pub(super) struct LotSizeFilter {
    #[serde(default)]
    pub qty_step: String,
    /// Spot has this in place of `qtyStep`.
    #[serde(default)]
    pub base_precision: String,
}

#[derive(Deserialize, Debug)]
#[serde(rename_all = "camelCase")]
pub(super) struct Volume<'a> {
    #[serde(borrow)]
    pub symbol: Cow<'a, str>,
    #[serde(borrow, default)]
    pub turnover24h: Cow<'a, str>,
    #[serde(borrow, default)]
    pub volume24h: Cow<'a, str>,
}

#[derive(Deserialize, Debug)]
#[serde(rename_all = "camelCase")]
pub(super) struct Clock<'a> {
    #[serde(borrow)]
    pub time_nano: Cow<'a, str>,
}
