//! A recorded world: frames and bodies of a capture, ready to be played in the world's clock.
//!
//! Frames keep their text; only times are moved, by the distance between the capture and the world, and candles stay on
//! their minutes. A diff-depth stream answers to any diff-depth name of its symbol, because captures hold speeds that
//! the venues no longer name (`depth@0ms`). What the capture does not hold is not offered.

use crate::{Error, Venue};
use barograph_domain::{InstrumentName, Span, Ts};
use core::ops::Range;
use serde_json::{Value, json};

/// One captured frame.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct CapturedFrame {
    pub(crate) ns: i64,
    /// Binance: the stream. Coinbase: the channel as it is subscribed.
    pub(crate) name: String,
    /// Coinbase: the product.
    pub(crate) product: Option<String>,
    /// The payload without an envelope.
    pub(crate) text: String,
}

/// One captured body of REST.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Body {
    pub(crate) ns: i64,
    /// Path without host, query or the server's prefix.
    pub(crate) path: String,
    pub(crate) symbol: Option<String>,
    pub(crate) text: String,
}

/// A capture of one venue.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Recording {
    pub(crate) venue: Venue,
    pub(crate) frames: Vec<CapturedFrame>,
    pub(crate) bodies: Vec<Body>,
    /// Frames that are answers to a client and not data, or of no known kind.
    skipped: usize,
}

impl Recording {
    /// An empty capture.
    #[must_use]
    pub const fn new(venue: Venue) -> Self {
        Self { venue, frames: Vec::new(), bodies: Vec::new(), skipped: 0 }
    }

    /// Whether nothing is in it.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.frames.is_empty()
    }

    /// When the first frame was received.
    #[must_use]
    pub fn begins(&self) -> Option<Ts> {
        self.frames.first().map(|f| Ts(f.ns))
    }

    /// From the first to the last frame.
    #[must_use]
    pub fn length(&self) -> Span {
        match (self.frames.first(), self.frames.last()) {
            (Some(first), Some(last)) => Span(last.ns - first.ns),
            _ => Span::ZERO,
        }
    }

    /// Markets that frames are of, in order of their names.
    #[must_use]
    pub fn markets(&self) -> Vec<String> {
        let of_name = |f: &CapturedFrame| f.name.split_once('@').map(|(symbol, _)| symbol.to_uppercase());
        let names = self.frames.iter().filter_map(|f| f.product.clone().or_else(|| of_name(f)));
        // All-market streams begin with a mark of their own.
        names.filter(|n| !n.starts_with('!')).collect::<std::collections::BTreeSet<_>>().into_iter().collect()
    }

    /// Frames, and those that were left out because they are no data.
    #[must_use]
    pub const fn counts(&self) -> (usize, usize) {
        (self.frames.len(), self.skipped)
    }

    /// Adds a frame as it was received. Frames must come in order of time.
    ///
    /// # Errors
    /// [`Error::Recording`] when the text is not JSON or the order is broken.
    pub fn frame(&mut self, ns: i64, text: &str) -> Result<(), Error> {
        let index = self.frames.len() + self.skipped;
        let fail = |reason: String| Error::Recording { index, reason };
        let value: Value = serde_json::from_str(text).map_err(|e| fail(format!("not JSON: {e}")))?;
        if self.frames.last().is_some_and(|f| f.ns > ns) {
            return Err(fail(format!("received at {ns}, before the frame in front of it")));
        }
        let frames = if self.venue == Venue::Coinbase { coinbase(ns, text, &value) } else { binance(ns, text, &value) };
        if frames.is_none() {
            self.skipped += 1;
        }
        self.frames.extend(frames);
        Ok(())
    }

    /// Adds a body of REST: its path (with or without host), the symbol it was asked for, and its text.
    pub fn body(&mut self, ns: i64, url: &str, symbol: Option<&str>, text: &str) {
        let (address, query) = url.split_once('?').unwrap_or((url, ""));
        let path = address.split_once("://").map_or(address, |(_, rest)| rest.find('/').map_or("", |at| &rest[at..]));
        let asked = form_urlencoded::parse(query.as_bytes()).find(|(k, _)| k == "symbol" || k == "product_id");
        let symbol = symbol.map(str::to_owned).or_else(|| asked.map(|(_, v)| v.into_owned()));
        self.bodies.push(Body { ns, path: path.to_owned(), symbol, text: text.to_owned() });
    }

    /// Lines of hftbacktest's collector: receive time, a space, the untouched text. The first line says by its size whether
    /// the file counts in nano-, micro- or milliseconds. Lines with a snapshot of the book become bodies of `/depth`.
    ///
    /// # Errors
    /// [`Error::Recording`] for a line of another form.
    pub fn of_hftbacktest<'a>(venue: Venue, symbol: &str, lines: impl Iterator<Item = &'a str>) -> Result<Self, Error> {
        let mut recording = Self::new(venue);
        let mut unit_ns = None;
        for (index, line) in lines.enumerate() {
            let fail = |reason: String| Error::Recording { index, reason };
            let parts = line.split_once(' ').and_then(|(stamp, text)| Some((stamp.parse::<i64>().ok()?, text)));
            let (stamp, text) = parts.ok_or_else(|| fail("no receive time before the text".to_owned()))?;
            unit_ns = unit_ns.or_else(|| unit_of(stamp));
            let ns = unit_ns.and_then(|unit| stamp.checked_mul(unit));
            let ns = ns.ok_or_else(|| fail(format!("receive time {stamp} is in no known unit")))?;
            if text.starts_with("{\"lastUpdateId\"") {
                let path = if venue == Venue::BinanceSpot { "/api/v3/depth" } else { "/fapi/v1/depth" };
                recording.body(ns, path, Some(symbol), text);
            } else {
                recording.frame(ns, text)?;
            }
        }
        recording.list(symbol);
        Ok(recording)
    }

    /// The list of markets that every client asks for first, and that such a capture lacks: its one market, without steps of
    /// price and size, which nobody recorded.
    fn list(&mut self, symbol: &str) {
        let Some(first) = self.frames.first().map(|f| f.ns) else { return };
        let symbol = symbol.to_uppercase();
        let split = |name: InstrumentName| name.base_quote();
        let (base, quote) = InstrumentName::new(&self.venue.prefix()[1..], &symbol)
            .ok()
            .and_then(split)
            .unwrap_or_else(|| (symbol.clone(), String::new()));
        let (path, kind) = match self.venue {
            Venue::BinanceUsdm => ("/fapi/v1/exchangeInfo", json!("PERPETUAL")),
            Venue::BinanceSpot => ("/api/v3/exchangeInfo", Value::Null),
            Venue::Coinbase | Venue::Coinex => return,
        };
        let market = json!({
            "symbol": symbol, "baseAsset": base, "quoteAsset": quote, "marginAsset": quote, "contractType": kind,
            "status": "TRADING", "filters": [],
        });
        let text = json!({ "timezone": "UTC", "symbols": [market] }).to_string();
        self.bodies.push(Body { ns: first, path: path.to_owned(), symbol: None, text });
    }

    /// Lines of cryptofeed's raw files, format 2.
    ///
    /// # Errors
    /// [`Error::Recording`] for a line of another form.
    pub fn of_cryptofeed<'a>(venue: Venue, lines: impl Iterator<Item = &'a str>) -> Result<Self, Error> {
        let mut recording = Self::new(venue);
        for (index, line) in lines.enumerate() {
            let fail = |reason: String| Error::Recording { index, reason };
            let value: Value = serde_json::from_str(line).map_err(|e| fail(format!("not JSON: {e}")))?;
            let text = |name: &str| value.get(name).and_then(Value::as_str).unwrap_or_default();
            let seconds = value.get("ts").and_then(Value::as_f64).unwrap_or_default();
            let ns = crate::num::round_i64(seconds * 1e6) * 1_000;
            match text("t") {
                "http" => recording.body(ns, text("url"), None, text("data")),
                "recv" => recording.frame(ns, text("data"))?,
                "header" | "connect" | "send" => {}
                other => return Err(fail(format!("kind '{other}' is unknown"))),
            }
        }
        Ok(recording)
    }
}

/// Nanoseconds in what receive times are counted in: collectors of 2023 wrote microseconds, later ones nanoseconds. What is
/// plausible in one unit is centuries off in the others.
fn unit_of(stamp: i64) -> Option<i64> {
    const PLAUSIBLE: Range<Ts> = Ts::from_civil(2009, 1, 1, 0, 0, 0)..Ts::from_civil(2200, 1, 1, 0, 0, 0);
    let plausible = |unit: &i64| stamp.checked_mul(*unit).is_some_and(|ns| PLAUSIBLE.contains(&Ts(ns)));
    [1_000_000, 1_000, 1].into_iter().find(plausible)
}

fn binance(ns: i64, text: &str, value: &Value) -> Option<CapturedFrame> {
    let field = |name: &str| value.get(name).and_then(Value::as_str);
    if let (Some(name), Some(_)) = (field("stream"), value.get("data")) {
        let at = text.find("\"data\":")? + 7;
        let payload = text[at..].trim_end().strip_suffix('}')?;
        return Some(CapturedFrame { ns, name: name.to_owned(), product: None, text: payload.to_owned() });
    }
    let kind = match field("e") {
        Some("depthUpdate") => "depth".to_owned(),
        Some("markPriceUpdate") => "markPrice@1s".to_owned(),
        Some("24hrTicker") => "ticker".to_owned(),
        Some("kline") => format!("kline_{}", value.pointer("/k/i").and_then(Value::as_str)?),
        Some(kind @ ("aggTrade" | "trade" | "bookTicker" | "forceOrder")) => kind.to_owned(),
        Some(_) => return None,
        None => value.get("u").map(|_| "bookTicker".to_owned())?,
    };
    let symbol = field("s").or_else(|| value.pointer("/o/s").and_then(Value::as_str))?.to_lowercase();
    Some(CapturedFrame { ns, name: format!("{symbol}@{kind}"), product: None, text: text.to_owned() })
}

fn coinbase(ns: i64, text: &str, value: &Value) -> Option<CapturedFrame> {
    let channel = match value.get("channel").and_then(Value::as_str)? {
        "l2_data" => "level2",
        channel @ ("market_trades" | "ticker" | "ticker_batch" | "candles" | "status") => channel,
        // Heartbeats and acknowledgements belong to the connection, not to the market.
        _ => return None,
    };
    let event = value.pointer("/events/0")?;
    let inner =
        ["trades", "tickers", "candles"].iter().find_map(|list| event.pointer(&format!("/{list}/0/product_id")));
    let product = event.get("product_id").or(inner).and_then(Value::as_str).map(str::to_owned);
    Some(CapturedFrame { ns, name: channel.to_owned(), product, text: text.to_owned() })
}

/// Moves the times in a text by `by_ms`.
pub(crate) fn restamp(text: &str, by_ms: i64) -> String {
    let mut out = String::with_capacity(text.len() + 16);
    let mut rest = text;
    while let Some(at) = rest.find("\":") {
        let key = rest[..at].rsplit('"').next().unwrap_or_default();
        let (head, tail) = rest.split_at(at + 2);
        out.push_str(head);
        let (moved, used) = match key {
            "E" | "T" | "t" | "serverTime" => milliseconds(tail, by_ms),
            "timestamp" | "time" | "event_time" => iso(tail, by_ms),
            "start" => seconds(tail, by_ms),
            _ => (None, 0),
        };
        if let Some(moved) = moved {
            out.push_str(&moved);
        }
        rest = &tail[used..];
    }
    out.push_str(rest);
    out
}

/// 13 digits are milliseconds. Those on a minute, or one before it, stay so.
fn milliseconds(tail: &str, by_ms: i64) -> (Option<String>, usize) {
    const MINUTE: i64 = 60_000;
    let digits = tail.bytes().take_while(u8::is_ascii_digit).count();
    let Some(ms) = (digits == 13).then(|| tail[..13].parse::<i64>().ok()).flatten() else { return (None, 0) };
    let moved = match ms.rem_euclid(MINUTE) {
        0 => (ms + by_ms).div_euclid(MINUTE) * MINUTE,
        59_999 => (ms + 1 + by_ms).div_euclid(MINUTE) * MINUTE - 1,
        _ => ms + by_ms,
    };
    (Some(moved.to_string()), 13)
}

fn iso(tail: &str, by_ms: i64) -> (Option<String>, usize) {
    let Some(value) = tail.trim_start().strip_prefix('"').and_then(|t| t.split('"').next()) else { return (None, 0) };
    let skipped = tail.len() - tail.trim_start().len();
    match Ts::parse(value) {
        // The epoch is how the venue says that it does not know.
        Ok(ts) if ts.0 > 0 => {
            let (y, mo, d, h, mi, s, ns) = (ts + Span::millis(by_ms)).civil();
            let moved = format!("\"{y:04}-{mo:02}-{d:02}T{h:02}:{mi:02}:{s:02}.{ns:09}Z\"");
            (Some(moved), skipped + value.len() + 2)
        }
        _ => (None, 0),
    }
}

fn seconds(tail: &str, by_ms: i64) -> (Option<String>, usize) {
    const BUCKET: i64 = 300;
    let value = tail.strip_prefix('"').and_then(|t| t.split('"').next()).unwrap_or_default();
    let moved = value.parse::<i64>().map(|s| (s * 1_000 + by_ms).div_euclid(BUCKET * 1_000) * BUCKET);
    moved.map_or((None, 0), |s| (Some(format!("\"{s}\"")), value.len() + 2))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_move_and_nothing_else() {
        let cases = [
            (
                "{\"e\":\"aggTrade\",\"E\":1626992741017,\"a\":1626992741017,\"T\":1626992741012}",
                1_000,
                "{\"e\":\"aggTrade\",\"E\":1626992742017,\"a\":1626992741017,\"T\":1626992742012}",
            ),
            (
                "{\"E\":1626992741017,\"k\":{\"t\":1626992700000,\"T\":1626992759999,\"n\":3}}",
                1_500,
                "{\"E\":1626992742517,\"k\":{\"t\":1626992700000,\"T\":1626992759999,\"n\":3}}",
            ),
            (
                "{\"timestamp\":\"2026-08-09T21:05:48.228568804Z\",\"x\":\"y\",\"event_time\":\"1970-01-01T00:00:00Z\"}",
                60_000,
                "{\"timestamp\":\"2026-08-09T21:06:48.228568804Z\",\"x\":\"y\",\"event_time\":\"1970-01-01T00:00:00Z\"}",
            ),
            ("{\"t\":6021300443,\"start\":\"1786309500\"}", 300_000, "{\"t\":6021300443,\"start\":\"1786309800\"}"),
        ];
        for (text, by, want) in cases {
            assert_eq!(restamp(text, by), want);
            assert_eq!(restamp(text, 0), text);
        }
    }

    #[test]
    fn frames_are_named_with_or_without_an_envelope() {
        let mut r = Recording::new(Venue::BinanceUsdm);
        r.frame(1, "{\"stream\":\"btcusdt@depth@0ms\",\"data\":{\"e\":\"depthUpdate\",\"s\":\"BTCUSDT\"}}").unwrap();
        r.frame(2, "{\"e\":\"forceOrder\",\"o\":{\"s\":\"ETHUSDT\"}}").unwrap();
        r.frame(3, "{\"result\":null,\"id\":1}").unwrap();
        let got: Vec<(&str, &str)> = r.frames.iter().map(|f| (f.name.as_str(), f.text.as_str())).collect();
        let want = [
            ("btcusdt@depth@0ms", "{\"e\":\"depthUpdate\",\"s\":\"BTCUSDT\"}"),
            ("ethusdt@forceOrder", "{\"e\":\"forceOrder\",\"o\":{\"s\":\"ETHUSDT\"}}"),
        ];
        assert_eq!(got, want);
        assert_eq!(r.counts(), (2, 1));
        assert!(r.frame(1, "{}").is_err() && r.frame(9, "nonsense").is_err());
        r.body(4, "https://fapi.binance.com/fapi/v1/depth?symbol=BTCUSDT&limit=1000", None, "{}");
        assert_eq!((r.bodies[0].path.as_str(), r.bodies[0].symbol.as_deref()), ("/fapi/v1/depth", Some("BTCUSDT")));
    }
}
