//! OKX's messages in OKX's spelling (sheet §3 to §5). Fields nobody reads are left out; keys may come in any order.

use crate::session::Scan;
use crate::session::wire::{Millis, each, scan_millis, scan_raw, scan_text};
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

/// The parts of a data message.
#[derive(Clone, Copy, Debug)]
pub(super) struct Data<'a> {
    pub channel: &'a str,
    pub inst_id: &'a str,
    pub inst_type: &'a str,
    pub action: &'a str,
    pub data: &'a str,
}

impl<'a> Data<'a> {
    /// The usual case, in one pass and without allocation; `None`: not data, or not in the usual spelling.
    pub(super) fn scan(bytes: &'a [u8]) -> Option<Self> {
        let mut scan = Scan::new(bytes);
        let (mut channel, mut inst_id, mut inst_type, mut action, mut data) = (None, "", "", "", None);
        scan.object(|key, s| {
            match key {
                b"arg" => s.object(|key, s| {
                    match key {
                        b"channel" => channel = Some(scan_text(s)?),
                        b"instId" => inst_id = scan_text(s)?,
                        b"instType" => inst_type = scan_text(s)?,
                        _ => s.skip()?,
                    }
                    Some(())
                })?,
                b"action" => action = scan_text(s)?,
                b"data" => data = Some(scan_raw(s)?),
                // An answer, not data.
                b"event" => return None,
                _ => s.skip()?,
            }
            Some(())
        })?;
        scan.end()?;
        Some(Self { channel: channel?, inst_id, inst_type, action, data: data? })
    }

    /// Any spelling.
    pub(super) fn of(frame: &'a Frame<'a>) -> Option<Self> {
        let arg = frame.arg.as_ref()?;
        Some(Self {
            channel: &arg.channel,
            inst_id: &arg.inst_id,
            inst_type: &arg.inst_type,
            action: &frame.action,
            data: frame.data?.get(),
        })
    }
}

#[derive(Deserialize, Debug)]
#[serde(rename_all = "camelCase")]
struct RawDepth<'a> {
    #[serde(borrow)]
    asks: &'a RawValue,
    #[serde(borrow)]
    bids: &'a RawValue,
    ts: Millis,
    #[serde(default)]
    checksum: Option<i64>,
    #[serde(default)]
    seq_id: Option<i64>,
    #[serde(default)]
    prev_seq_id: Option<i64>,
}

/// A snapshot or an update of a book, on the socket and from REST: both sides as they stand in the message.
#[derive(Clone, Copy, Debug)]
pub(super) struct Depth<'a> {
    pub asks: &'a str,
    pub bids: &'a str,
    pub ts: Millis,
    /// Always 0 since 2026-06-23.
    pub checksum: Option<i64>,
    /// Frames before 2023 have none.
    pub seq: Option<i64>,
    pub prev: Option<i64>,
}

impl<'a> Depth<'a> {
    /// Each book of a list; false when it is no such list.
    pub(super) fn each(json: &'a str, mut f: impl FnMut(Self)) -> bool {
        // One, as a rule: read before anything is handed over.
        let mut scan = Scan::new(json.as_bytes());
        let (mut one, mut more) = (None, false);
        let plain = scan
            .array(|s| {
                more |= one.is_some();
                one = Some(Self::scan(s)?);
                Some(())
            })
            .and_then(|()| scan.end());
        if let (Some(()), Some(one), false) = (plain, one, more) {
            f(one);
            return true;
        }
        each(json, |raw: RawDepth<'a>| {
            f(Self {
                asks: raw.asks.get(),
                bids: raw.bids.get(),
                ts: raw.ts,
                checksum: raw.checksum,
                seq: raw.seq_id,
                prev: raw.prev_seq_id,
            });
        })
    }

    fn scan(scan: &mut Scan<'a>) -> Option<Self> {
        let (mut asks, mut bids, mut ts) = (None, None, None);
        let (mut checksum, mut seq, mut prev) = (None, None, None);
        scan.object(|key, s| {
            match key {
                b"asks" => asks = Some(scan_raw(s)?),
                b"bids" => bids = Some(scan_raw(s)?),
                b"ts" => ts = Some(scan_millis(s)?),
                b"checksum" => checksum = Some(s.integer()?),
                b"seqId" => seq = Some(s.integer()?),
                b"prevSeqId" => prev = Some(s.integer()?),
                _ => s.skip()?,
            }
            Some(())
        })?;
        Some(Self { asks: asks?, bids: bids?, ts: ts?, checksum, seq, prev })
    }
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
    /// Quantity in contracts.
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
