//! Frames to facts: what each frame says, in domain terms, checked.

use super::wire;
use crate::number;
use crate::policy;
use crate::reject::{Reject, RejectReason, RowOutcome, Unused};
use crate::symbols;
use barograph_domain::{Bar, Metric, Payload, Price, Side, Span, Ts};
use serde::Deserialize;
use serde_json::value::RawValue;
use std::borrow::Cow;

/// Which of the venue's markets a recording is of.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Market {
    /// `binance-usdm`.
    UsdM,
    /// `binance-coinm`.
    CoinM,
    /// `binance-spot` and `binance-us`.
    Spot,
}

impl Market {
    /// Of a venue id; `None` for other venues.
    #[must_use]
    pub fn of(venue: &str) -> Option<Self> {
        match venue {
            "binance-usdm" => Some(Self::UsdM),
            "binance-coinm" => Some(Self::CoinM),
            "binance-spot" | "binance-us" => Some(Self::Spot),
            _ => None,
        }
    }
    /// The venue id.
    #[must_use]
    pub const fn venue(self) -> &'static str {
        match self {
            Self::UsdM => "binance-usdm",
            Self::CoinM => "binance-coinm",
            Self::Spot => "binance-spot",
        }
    }
    /// The mark `st` of this market in payloads.
    const fn other_mark(self) -> Option<u8> {
        match self {
            Self::UsdM => Some(2),
            Self::CoinM => Some(1),
            Self::Spot => None,
        }
    }
}

/// One thing a frame says.
#[derive(Clone, PartialEq, Debug)]
pub struct Fact<'a> {
    /// The venue's symbol.
    pub symbol: Cow<'a, str>,
    /// What it is about.
    pub metric: Metric,
    /// Timeframe of candles, [`policy::STREAM_CADENCE`] of everything else.
    pub cadence: Span,
    /// The venue's stamp; `None` where the frame has none.
    pub event_ts: Option<Ts>,
    /// The venue's sequence.
    pub seq: u64,
    /// The numbers.
    pub payload: Payload,
    /// It came as `aggTrade`.
    pub aggregated: bool,
}

const NOT_JSON: Reject = Reject::row(RejectReason::NotJson);

/// Appends what a frame says. A frame of several rows gives several facts.
///
/// # Errors
/// Why the frame is wrong; nothing of it was appended then.
pub fn facts<'a>(body: &'a [u8], market: Market, out: &mut Vec<Fact<'a>>) -> RowOutcome {
    let before = out.len();
    let outcome = frame(body, market, out);
    if outcome.is_err() {
        out.truncate(before);
    }
    outcome
}

fn frame<'a>(body: &'a [u8], market: Market, out: &mut Vec<Fact<'a>>) -> RowOutcome {
    let text = core::str::from_utf8(body).map_err(|_e| NOT_JSON)?;
    if text.trim_start().starts_with('[') {
        return rows(text, market, out);
    }
    let envelope: wire::Envelope<'a> = read(text)?;
    match envelope.data {
        None => row(text, market, out),
        Some(data) if envelope.stream.as_deref().is_some_and(|s| s.contains("@depth")) => {
            // Books are not used yet, but a torn frame is still a wrong one: the envelope above has checked it.
            let head: wire::Head<'_> = read(data.get())?;
            Ok(Some(if head.e.is_some() { Unused::BookFrame } else { Unused::BookSnapshot }))
        }
        Some(data) if data.get().starts_with('[') => rows(data.get(), market, out),
        Some(data) => row(data.get(), market, out),
    }
}

fn rows<'a>(text: &'a str, market: Market, out: &mut Vec<Fact<'a>>) -> RowOutcome {
    let all: Vec<&'a RawValue> = read(text)?;
    let before = out.len();
    let mut unused = None;
    for one in all {
        unused = row(one.get(), market, out)?.or(unused);
    }
    Ok(if out.len() > before { None } else { unused.or(Some(Unused::Control)) })
}

fn read<'a, T: Deserialize<'a>>(text: &'a str) -> Result<T, Reject> {
    serde_json::from_str(text).map_err(|_e| NOT_JSON)
}

fn row<'a>(text: &'a str, market: Market, out: &mut Vec<Fact<'a>>) -> RowOutcome {
    let head: wire::Head<'a> = read(text)?;
    if head.st.is_some() && head.st == market.other_mark() {
        return Ok(Some(Unused::OtherMarket));
    }
    match (head.e.as_deref(), &head.s) {
        (Some("trade" | "aggTrade"), Some(_)) => trade(text, head, market, out),
        (Some("bookTicker"), Some(_)) => book_ticker(text, head, out),
        (Some("markPriceUpdate"), Some(_)) => mark_price(text, head, out),
        (Some("kline"), Some(_)) => kline(text, head, market, out),
        (Some("forceOrder"), _) => force_order(text, market, out),
        (Some("depthUpdate"), _) => Ok(Some(Unused::BookFrame)),
        (None, _) if head.last_update_id.is_some() => Ok(Some(Unused::BookSnapshot)),
        (None, Some(_)) if head.u.is_some() => book_ticker(text, head, out),
        _ => Ok(Some(Unused::Control)),
    }
}

fn trade<'a>(text: &'a str, head: wire::Head<'a>, market: Market, out: &mut Vec<Fact<'a>>) -> RowOutcome {
    let t: wire::Trade<'a> = read(text)?;
    if t.kind.as_deref().is_some_and(|kind| kind != "MARKET") {
        return Ok(Some(Unused::NotATrade));
    }
    let aggregated = head.e.as_deref() == Some("aggTrade");
    let seq = if aggregated { t.a } else { t.t };
    let symbol = head.s.ok_or(NOT_JSON)?;
    let price = price(&t.p)?;
    let qty = base_quantity(quantity(&t.q)?, price, &symbol, market);
    let aggressor_side = Some(if t.m { Side::Short } else { Side::Long });
    out.push(Fact {
        symbol,
        metric: Metric::Trade,
        cadence: policy::STREAM_CADENCE,
        event_ts: Some(time(t.time)?),
        seq: seq.unwrap_or(0),
        payload: Payload::Trade { price, qty, aggressor_side },
        aggregated,
    });
    Ok(None)
}

fn book_ticker<'a>(text: &'a str, head: wire::Head<'a>, out: &mut Vec<Fact<'a>>) -> RowOutcome {
    let t: wire::BookTicker<'a> = read(text)?;
    let (bid, ask) = (price(&t.b)?, price(&t.a)?);
    if bid > ask {
        return Err(Reject::row(RejectReason::HighBelowLow));
    }
    out.push(Fact {
        symbol: head.s.ok_or(NOT_JSON)?,
        metric: Metric::BestBidAsk,
        cadence: policy::STREAM_CADENCE,
        // Spot gives none, and none is invented.
        event_ts: head.transaction_time.map(time).transpose()?,
        seq: head.u.unwrap_or(0),
        payload: Payload::BestBidAsk { bid, ask },
        aggregated: false,
    });
    Ok(None)
}

fn mark_price<'a>(text: &'a str, head: wire::Head<'a>, out: &mut Vec<Fact<'a>>) -> RowOutcome {
    let m: wire::MarkPrice<'a> = read(text)?;
    let symbol = head.s.ok_or(NOT_JSON)?;
    let event_ts = Some(time(m.time)?);
    let mut push = |metric, payload| {
        let symbol = symbol.clone();
        out.push(Fact {
            symbol,
            metric,
            cadence: policy::STREAM_CADENCE,
            event_ts,
            seq: 0,
            payload,
            aggregated: false,
        });
    };
    push(Metric::MarkPrice, Payload::Value(price(&m.p)?));
    if let Some(index) = m.i.as_deref().filter(|t| !t.is_empty()) {
        push(Metric::IndexPrice, Payload::Value(price(index)?));
    }
    // No next settlement means no funding: dated and delisted contracts say "0" or "".
    if let (Some(rate), Some(next)) = (m.r.as_deref().filter(|t| !t.is_empty()), m.next.filter(|t| *t > 0)) {
        let rate = number(rate)?;
        if rate.abs() >= 1.0 {
            return Err(Reject::row(RejectReason::OutOfRange));
        }
        // The frame does not say it; whoever reads many finds it out.
        let interval_h = None;
        let next_ts = Some(time(next)?);
        push(Metric::FundingRate, Payload::Funding { rate, interval_h, next_ts, special: false });
    }
    Ok(None)
}

fn kline<'a>(text: &'a str, head: wire::Head<'a>, market: Market, out: &mut Vec<Fact<'a>>) -> RowOutcome {
    let wire::KlineFrame { k } = read(text)?;
    if !k.x {
        return Ok(Some(Unused::OpenCandle));
    }
    let symbol = head.s.ok_or(NOT_JSON)?;
    // The close time is the last millisecond inside the bar.
    let (from, close) = (time(k.t)?, time(k.close_time)?.ceil(Span::secs(1)));
    if close <= from {
        return Err(Reject::row(RejectReason::WrongTimeframe));
    }
    let (open, high, low, last) = (price(&k.o)?, price(&k.h)?, price(&k.l)?, price(&k.c)?);
    if high < low || open < low || open > high || last < low || last > high {
        return Err(Reject::row(RejectReason::HighBelowLow));
    }
    let (mut volume, mut quote_volume) = (quantity(&k.v)?, quantity(&k.q)?);
    if market == Market::CoinM {
        let size = f64::from(symbols::coin_m_contract_size(&symbol));
        (volume, quote_volume) = (quote_volume, volume * size);
    }
    let bar = Bar { open, high, low, close: last, volume: Some(volume), quote_volume: Some(quote_volume) };
    out.push(Fact {
        symbol,
        metric: Metric::Bar,
        cadence: close - from,
        event_ts: Some(close),
        seq: 0,
        payload: Payload::Bar(bar),
        aggregated: false,
    });
    Ok(None)
}

fn force_order<'a>(text: &'a str, market: Market, out: &mut Vec<Fact<'a>>) -> RowOutcome {
    let wire::ForceOrder { o } = read(text)?;
    let liquidated_side = match &*o.side {
        "SELL" => Side::Long,
        "BUY" => Side::Short,
        _ => return Err(Reject::row(RejectReason::UnknownWord)),
    };
    let average = number(&o.ap)?;
    let price = if average > 0.0 { average } else { price(&o.p)? };
    let qty = base_quantity(quantity(&o.z)?, price, &o.s, market);
    out.push(Fact {
        symbol: o.s,
        metric: Metric::Liquidation,
        cadence: policy::STREAM_CADENCE,
        event_ts: Some(time(o.time)?),
        seq: 0,
        payload: Payload::Liquidation { liquidated_side, price, qty },
        aggregated: false,
    });
    Ok(None)
}

/// COIN-M counts contracts of a fixed number of dollars.
fn base_quantity(qty: f64, price: f64, symbol: &str, market: Market) -> f64 {
    match market {
        Market::CoinM => qty * f64::from(symbols::coin_m_contract_size(symbol)) / price,
        Market::UsdM | Market::Spot => qty,
    }
}

fn number(text: &str) -> Result<f64, Reject> {
    // The venue writes digits; `8e4` is damage, to the sessions too.
    if text.contains(['e', 'E']) {
        return Err(Reject::row(RejectReason::NotANumber));
    }
    number::decimal(text.as_bytes()).ok_or(Reject::row(RejectReason::NotANumber))
}
fn price(text: &str) -> Result<f64, Reject> {
    number(text).and_then(|v| Price::new(v).map(Price::get).ok_or(Reject::row(RejectReason::of_price(v))))
}
fn quantity(text: &str) -> Result<f64, Reject> {
    number(text).and_then(|v| if v >= 0.0 { Ok(v) } else { Err(Reject::row(RejectReason::Negative)) })
}
/// Milliseconds, or microseconds where the connection asked for them.
fn time(n: i64) -> Result<Ts, Reject> {
    Ts::from_epoch(n).filter(|t| number::PLAUSIBLE.contains(t)).ok_or(Reject::row(RejectReason::NotATime))
}

/// Which market the frames of a recording come from, by marks only one of them has.
#[must_use]
pub fn guess_market(body: &[u8]) -> Option<Market> {
    let text = core::str::from_utf8(body).ok()?;
    let inner = match text.starts_with('{') {
        true => serde_json::from_str::<wire::Envelope<'_>>(text).ok()?.data.map_or(text, RawValue::get),
        false => text,
    };
    let first_row = |rows: &'_ str| serde_json::from_str::<Vec<Box<RawValue>>>(rows).ok()?.into_iter().next();
    let boxed = inner.starts_with('[').then(|| first_row(inner)).flatten();
    let text = boxed.as_deref().map_or(inner, RawValue::get);
    let head: wire::Head<'_> = serde_json::from_str(text).ok()?;
    let symbol = head.s.as_deref().unwrap_or_default();
    if head.st == Some(2) || symbol.contains("USD_") {
        return Some(Market::CoinM);
    }
    match head.e.as_deref() {
        Some("markPriceUpdate" | "forceOrder") => Some(Market::UsdM),
        Some("depthUpdate") => Some(if head.pu.is_some() { Market::UsdM } else { Market::Spot }),
        Some("bookTicker") => Some(Market::UsdM),
        None if head.u.is_some() && !symbol.is_empty() => Some(Market::Spot),
        _ if head.st == Some(1) => Some(Market::UsdM),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_price_that_no_market_has_is_refused() {
        assert!(price("1000000000000").is_ok());
        for wild in ["1000000000001", "0", "-1", "0.0000000000000001"] {
            assert!(price(wild).is_err(), "{wild}");
        }
    }

    fn read_one(text: &str, market: Market) -> (RowOutcome, Vec<Fact<'_>>) {
        let mut out = Vec::new();
        let outcome = facts(text.as_bytes(), market, &mut out);
        (outcome, out)
    }

    /// Frames of the venue sheet (captures of 2026-10-07).
    const MARK: &str = r#"{"e":"markPriceUpdate","E":1791383686000,"s":"BTCUSDT","p":"83134.61729710","ap":"83134.61729710","P":"83143.84436135","i":"83165.64673913","r":"0.00000253","T":1791388800000,"st":1}"#;
    const AGG: &str = r#"{"e":"aggTrade","E":1791383685696,"a":3477883931,"s":"BTCUSDT","p":"83143.00","q":"0.035","nq":"0.035","f":8153673401,"l":8153673403,"T":1791383685545,"m":false,"st":1}"#;
    const FORCE: &str = r#"{"e":"forceOrder","E":1791383690120,"o":{"s":"BTCUSDT","S":"SELL","o":"LIMIT","f":"IOC","q":"0.750","p":"82410.50","ap":"83051.20","X":"FILLED","l":"0.120","z":"0.750","T":1791383690116},"ps":"BTCUSDT","st":1}"#;
    const KLINE: &str = r#"{"e":"kline","E":1791383700013,"s":"BTCUSDT","k":{"t":1791383640000,"T":1791383699999,"s":"BTCUSDT","i":"1m","f":8153670676,"L":8153673404,"o":"83070.80","c":"83142.90","h":"83143.00","l":"83070.70","v":"86.568","n":2723,"x":true,"q":"7193689.13750","V":"55.410","Q":"4604044.96780","B":"0"}}"#;

    #[test]
    fn a_close_is_at_its_average_price_and_before_one_is_known_at_its_limit() {
        for (average, want) in [("0.0512", 0.0512), ("0", 0.0498)] {
            let text = FORCE.replace("83051.20", average).replace("82410.50", "0.0498");
            let (outcome, facts) = read_one(&text, Market::UsdM);
            assert_eq!(outcome, Ok(None), "{average}");
            let want = Payload::Liquidation { liquidated_side: Side::Long, price: want, qty: 0.75 };
            assert_eq!(facts[0].payload, want, "{average}");
        }
    }

    #[test]
    fn a_mark_price_frame_is_three_facts() {
        let (outcome, facts) = read_one(MARK, Market::UsdM);
        assert_eq!(outcome, Ok(None));
        let metrics: Vec<Metric> = facts.iter().map(|f| f.metric).collect();
        assert_eq!(metrics, [Metric::MarkPrice, Metric::IndexPrice, Metric::FundingRate]);
        assert_eq!(facts[0].payload, Payload::Value(83_134.617_297_10));
        let next_ts = Some(Ts::from_millis(1_791_388_800_000));
        let want = Payload::Funding { rate: 0.000_002_53, interval_h: None, next_ts, special: false };
        assert_eq!(facts[2].payload, want);
    }

    #[test]
    fn no_next_settlement_means_no_funding() {
        for text in [MARK.replace("\"r\":\"0.00000253\"", "\"r\":\"\""), MARK.replace("\"T\":1791388800000", "\"T\":0")]
        {
            let (outcome, facts) = read_one(&text, Market::UsdM);
            assert_eq!((outcome, facts.len()), (Ok(None), 2), "{text}");
        }
    }

    #[test]
    fn sides_are_told_the_right_way_round() {
        let (_, facts) = read_one(AGG, Market::UsdM);
        let want = Payload::Trade { price: 83_143.0, qty: 0.035, aggressor_side: Some(Side::Long) };
        assert_eq!((facts[0].payload, facts[0].seq), (want, 3_477_883_931));
        let sold = AGG.replace("\"m\":false", "\"m\":true");
        let (_, facts) = read_one(&sold, Market::UsdM);
        assert!(matches!(facts[0].payload, Payload::Trade { aggressor_side: Some(Side::Short), .. }));
        let (_, facts) = read_one(FORCE, Market::UsdM);
        let want = Payload::Liquidation { liquidated_side: Side::Long, price: 83_051.2, qty: 0.75 };
        assert_eq!(facts[0].payload, want, "a sell order closes a long");
    }

    #[test]
    fn only_closed_candles_are_used_and_their_stamp_is_the_close() {
        let (outcome, facts) = read_one(KLINE, Market::UsdM);
        assert_eq!(outcome, Ok(None));
        assert_eq!(facts[0].event_ts, Some(Ts::from_millis(1_791_383_700_000)));
        assert_eq!(facts[0].cadence, Span::mins(1));
        let open = KLINE.replace("\"x\":true", "\"x\":false");
        assert_eq!(read_one(&open, Market::UsdM).0, Ok(Some(Unused::OpenCandle)));
    }

    #[test]
    fn coin_margined_rows_never_enter_the_usd_margined_market() {
        let coin = MARK.replace("\"st\":1", "\"st\":2");
        assert_eq!(read_one(&coin, Market::UsdM).0, Ok(Some(Unused::OtherMarket)));
        let both = format!("[{MARK},{coin}]");
        let (outcome, facts) = read_one(&both, Market::UsdM);
        assert_eq!((outcome, facts.len()), (Ok(None), 3));
        let contracts = r#"{"e":"trade","E":1,"T":1723161257440,"s":"ETHUSD_PERP","t":7,"p":"2500.00","q":"5","X":"MARKET","m":true}"#;
        let (_, facts) = read_one(contracts, Market::CoinM);
        assert!(
            matches!(facts[0].payload, Payload::Trade { qty, .. } if (qty - 0.02).abs() < 1e-15),
            "5 × 10 USD / 2500"
        );
    }

    #[test]
    fn frames_without_a_use_are_named() {
        let cases = [
            (
                r#"{"stream":"btcusdt@depth@0ms","data":{"e":"depthUpdate","E":1,"U":1,"u":2,"pu":0,"b":[],"a":[]}}"#,
                Unused::BookFrame,
            ),
            (r#"{"lastUpdateId":5,"bids":[["1","2"]],"asks":[]}"#, Unused::BookSnapshot),
            (r#"{"result":null,"id":1}"#, Unused::Control),
            (r#"{"e":"24hrTicker","s":"BTCUSDT"}"#, Unused::Control),
            (
                r#"{"e":"trade","s":"BTCUSDT","t":1,"p":"0","q":"0","T":1723161257440,"X":"INSURANCE_FUND","m":true}"#,
                Unused::NotATrade,
            ),
        ];
        for (text, want) in cases {
            assert_eq!(read_one(text, Market::UsdM).0, Ok(Some(want)), "{text}");
        }
    }

    #[test]
    fn wrong_frames_are_refused_with_their_reason() {
        let cases = [
            ("not json".to_owned(), RejectReason::NotJson),
            (AGG[..AGG.len() - 3].to_owned(), RejectReason::NotJson),
            (AGG.replace("83143.00", "NaN"), RejectReason::NotANumber),
            (AGG.replace("83143.00", "-1"), RejectReason::Negative),
            (AGG.replace("83143.00", "0.0"), RejectReason::NotAboveZero),
            (AGG.replace("0.035", "-0.035"), RejectReason::Negative),
            (AGG.replace("1791383685545", "5"), RejectReason::NotATime),
            (KLINE.replace("\"l\":\"83070.70\"", "\"l\":\"90000\""), RejectReason::HighBelowLow),
            (FORCE.replace("SELL", "HOLD"), RejectReason::UnknownWord),
            (MARK.replace("0.00000253", "7"), RejectReason::OutOfRange),
        ];
        for (text, want) in cases {
            let (outcome, facts) = read_one(&text, Market::UsdM);
            assert_eq!((outcome, facts.len()), (Err(Reject::row(want)), 0), "{text}");
        }
    }

    #[test]
    fn markets_are_told_apart_by_their_frames() {
        let spot = r#"{"stream":"btcusdt@bookTicker","data":{"u":50093239212,"s":"BTCUSDT","b":"61837.63","B":"3","a":"61837.64","A":"1"}}"#;
        assert_eq!(guess_market(spot.as_bytes()), Some(Market::Spot));
        assert_eq!(guess_market(MARK.as_bytes()), Some(Market::UsdM));
        assert_eq!(guess_market(format!("[{MARK},{MARK}]").as_bytes()), Some(Market::UsdM));
        assert_eq!(guess_market(br#"{"e":"bookTicker","s":"BTCUSD_PERP","u":1,"T":2}"#), Some(Market::CoinM));
        assert_eq!(guess_market(br#"{"channel":"l2Book"}"#), None);
        let depth = br#"{"e":"depthUpdate","s":"BTCUSDT","U":1,"u":2}"#;
        assert_eq!(guess_market(depth), Some(Market::Spot), "only contracts name the update before");
        let depth = br#"{"e":"depthUpdate","s":"BTCUSDT","U":1,"u":2,"pu":0}"#;
        assert_eq!(guess_market(depth), Some(Market::UsdM));
        assert_eq!(guess_market(br#"{"e":"bookTicker","s":"BTCUSDT","u":1,"T":2}"#), Some(Market::UsdM));
        let (_, facts) = read_one(spot, Market::Spot);
        assert_eq!(facts[0].event_ts, None, "spot tickers carry no time and none is invented");
    }
}
