//! Bodies of REST answers, as they stand; checked where they become facts.
//! Source: sheets USD-M §3.3, spot §3.3; fixtures `jkorf_binance_public` for COIN-M.

use crate::number;
use crate::session::Decimal;
use barograph_domain::{Bar, Payload, Side, Ts};
use serde::Deserialize;
use std::borrow::Cow;

/// Text, or a bare number: the venue has changed its mind about some of them.
#[derive(Deserialize)]
#[serde(untagged)]
enum Either<'a> {
    Text(#[serde(borrow)] Cow<'a, str>),
    Int(i64),
    Float(f64),
}

impl Either<'_> {
    fn number(&self) -> Option<f64> {
        match self {
            Self::Text(text) => {
                Decimal::parse(text.as_bytes()).map(Decimal::to_f64).or_else(|| number::decimal(text.as_bytes()))
            }
            Self::Int(n) => number::whole(*n),
            Self::Float(v) => Some(*v),
        }
    }

    fn instant(&self) -> Option<Ts> {
        match self {
            Self::Text(text) => number::instant(text.as_bytes()),
            Self::Int(n) => Ts::from_epoch(*n),
            Self::Float(v) => number::whole_float(*v).and_then(Ts::from_epoch),
        }
        .filter(|t| number::PLAUSIBLE.contains(t))
    }
}

fn above_zero(v: f64) -> Option<f64> {
    (v > 0.0 && v.is_finite()).then_some(v)
}
fn not_negative(v: f64) -> Option<f64> {
    (v >= 0.0 && v.is_finite()).then_some(v)
}

/// `/openInterest`: stamp, amount as the venue counts it.
pub(super) fn open_interest(body: &[u8]) -> Option<(Ts, f64)> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Answer<'a> {
        #[serde(borrow)]
        open_interest: Either<'a>,
        #[serde(borrow)]
        time: Either<'a>,
    }
    let a: Answer<'_> = serde_json::from_slice(body).ok()?;
    Some((a.time.instant()?, a.open_interest.number().and_then(not_negative)?))
}

/// One row of `/futures/data/openInterestHist`: label, amount, its value.
pub(super) fn open_interest_history(body: &[u8]) -> Option<Vec<(Ts, f64, f64)>> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Row<'a> {
        #[serde(borrow)]
        sum_open_interest: Either<'a>,
        #[serde(borrow)]
        sum_open_interest_value: Either<'a>,
        #[serde(borrow)]
        timestamp: Either<'a>,
    }
    let rows: Vec<Row<'_>> = serde_json::from_slice(body).ok()?;
    let row = |r: &Row<'_>| {
        let amount = r.sum_open_interest.number().and_then(not_negative)?;
        Some((r.timestamp.instant()?, amount, r.sum_open_interest_value.number().and_then(not_negative)?))
    };
    rows.iter().map(row).collect()
}

/// One row of `/futures/data/*Ratio`: label and ratio; `None` where the list is empty.
pub(super) fn ratio(body: &[u8]) -> Option<Option<(Ts, f64)>> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Row<'a> {
        #[serde(borrow)]
        long_short_ratio: Option<Either<'a>>,
        #[serde(borrow)]
        buy_sell_ratio: Option<Either<'a>>,
        #[serde(borrow)]
        timestamp: Either<'a>,
    }
    let rows: Vec<Row<'_>> = serde_json::from_slice(body).ok()?;
    let Some(row) = rows.last() else { return Some(None) };
    let ratio = row.long_short_ratio.as_ref().or(row.buy_sell_ratio.as_ref())?;
    Some(Some((row.timestamp.instant()?, ratio.number().and_then(above_zero)?)))
}

/// One settlement.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct Settled {
    pub(super) symbol: String,
    pub(super) at: Ts,
    pub(super) rate: f64,
    pub(super) special: bool,
}

/// `/fundingRate`; rows without a rate say nothing and are left out.
pub(super) fn funding(body: &[u8]) -> Option<Vec<Settled>> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Row<'a> {
        #[serde(borrow)]
        symbol: Cow<'a, str>,
        #[serde(borrow)]
        funding_time: Either<'a>,
        #[serde(borrow)]
        funding_rate: Either<'a>,
        #[serde(borrow)]
        rate_type: Option<Cow<'a, str>>,
    }
    let rows: Vec<Row<'_>> = serde_json::from_slice(body).ok()?;
    let mut out = Vec::with_capacity(rows.len());
    for r in rows {
        if matches!(&r.funding_rate, Either::Text(t) if t.is_empty()) {
            continue;
        }
        let rate = r.funding_rate.number().filter(|v| v.abs() < 1.0)?;
        let special = r.rate_type.as_deref().is_some_and(|t| t.eq_ignore_ascii_case("special"));
        out.push(Settled { symbol: r.symbol.into_owned(), at: r.funding_time.instant()?, rate, special });
    }
    Some(out)
}

/// `/fundingInfo`: symbol and hours.
pub(super) fn funding_info(body: &[u8]) -> Option<Vec<(String, f64)>> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Row<'a> {
        #[serde(borrow)]
        symbol: Cow<'a, str>,
        #[serde(borrow)]
        funding_interval_hours: Either<'a>,
    }
    let rows: Vec<Row<'_>> = serde_json::from_slice(body).ok()?;
    let row = |r: Row<'_>| {
        let hours = r.funding_interval_hours.number().filter(|h| *h > 0.0 && *h <= 24.0 * 7.0)?;
        Some((r.symbol.into_owned(), hours))
    };
    rows.into_iter().map(row).collect()
}

/// A candle: opening, close (the beginning of the next), volumes in the order of the wire.
pub(super) struct Candle {
    pub(super) open_ts: Ts,
    pub(super) close_ts: Ts,
    pub(super) bar: Bar,
}

/// `/klines` of one minute.
pub(super) fn klines(body: &[u8]) -> Option<Vec<Candle>> {
    let rows: Vec<Vec<Either<'_>>> = serde_json::from_slice(body).ok()?;
    let row = |r: &Vec<Either<'_>>| {
        let [open_time, o, h, l, c, volume, close_time, quote_volume, ..] = r.as_slice() else { return None };
        let price = |e: &Either<'_>| e.number().and_then(above_zero);
        let open_ts = open_time.instant()?;
        // The close time is the last millisecond (or microsecond) inside the bar.
        let close_ts = close_time.instant()?.ceil(barograph_domain::Span::secs(1));
        let bar = Bar {
            open: price(o)?,
            high: price(h)?,
            low: price(l)?,
            close: price(c)?,
            volume: Some(volume.number().and_then(not_negative)?),
            quote_volume: Some(quote_volume.number().and_then(not_negative)?),
        };
        (is_bar(&bar) && close_ts > open_ts).then_some(Candle { open_ts, close_ts, bar })
    };
    rows.iter().map(row).collect()
}

/// The high is the highest and the low the lowest.
pub(super) fn is_bar(b: &Bar) -> bool {
    b.low <= b.open && b.open <= b.high && b.low <= b.close && b.close <= b.high
}

/// An aggregated trade: id, stamp, price, quantity as the venue counts it, who acted.
pub(super) struct AggTrade {
    pub(super) id: u64,
    pub(super) at: Ts,
    pub(super) price: f64,
    pub(super) qty: f64,
    pub(super) aggressor_side: Side,
}

impl AggTrade {
    pub(super) fn payload(&self, qty: f64) -> Payload {
        Payload::Trade { price: self.price, qty, aggressor_side: Some(self.aggressor_side) }
    }
}

/// `/aggTrades`.
pub(super) fn agg_trades(body: &[u8]) -> Option<Vec<AggTrade>> {
    #[derive(Deserialize)]
    struct Row<'a> {
        a: u64,
        #[serde(borrow)]
        p: Either<'a>,
        #[serde(borrow)]
        q: Either<'a>,
        #[serde(rename = "T", borrow)]
        time: Either<'a>,
        m: bool,
    }
    let rows: Vec<Row<'_>> = serde_json::from_slice(body).ok()?;
    let row = |r: &Row<'_>| {
        Some(AggTrade {
            id: r.a,
            at: r.time.instant()?,
            price: r.p.number().and_then(above_zero)?,
            qty: r.q.number().and_then(not_negative)?,
            aggressor_side: if r.m { Side::Short } else { Side::Long },
        })
    };
    rows.iter().map(row).collect()
}

/// `/time`.
pub(super) fn server_time(body: &[u8]) -> Option<Ts> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Answer {
        server_time: i64,
    }
    let a: Answer = serde_json::from_slice(body).ok()?;
    Ts::from_epoch(a.server_time)
}
