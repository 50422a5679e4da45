//! Messages in the venue's spelling. Socket messages are walked without allocation; REST bodies are read with serde.
//!
//! Nothing is interpreted here: numbers stay text until `map`. All prices, sizes and ids are strings; an empty string means
//! that there is no value. Seen in the recording of 2026-08-09 and in the sheet §4 and §5.

use crate::session::Scan;
use barograph_domain::{Span, Ts};
use serde::Deserialize;

/// What every message has around it.
#[derive(Clone, Copy, Default, Debug)]
pub(super) struct Envelope<'a> {
    /// Channel of data; empty for errors.
    pub(super) channel: &'a [u8],
    pub(super) stamp: Option<Ts>,
    pub(super) sequence: Option<u64>,
    /// The array of events, as text.
    pub(super) events: &'a [u8],
    /// `error` for errors.
    pub(super) kind: &'a [u8],
    /// Text of an error, with its quotes.
    pub(super) message: &'a [u8],
}

/// Opens a message. `None`: not plain JSON, or not an object.
pub(super) fn envelope(bytes: &[u8]) -> Option<Envelope<'_>> {
    let mut e = Envelope::default();
    let mut scan = Scan::new(bytes);
    scan.object(|key, s| {
        match key {
            b"channel" => e.channel = s.string()?,
            b"timestamp" => e.stamp = Some(stamp(s.string()?)?),
            b"sequence_num" => e.sequence = Some(s.unsigned()?),
            b"events" => e.events = s.raw()?,
            b"type" => e.kind = s.string()?,
            b"message" => e.message = s.raw()?,
            _ => s.skip()?,
        }
        Some(())
    })?;
    scan.end()?;
    Some(e)
}

/// One event of a channel whose events are a list with a name.
#[derive(Clone, Copy, Default, Debug)]
pub(super) struct Event<'a> {
    pub(super) snapshot: bool,
    /// Only level 2 names the product here.
    pub(super) product: &'a [u8],
    /// The list, as text.
    pub(super) rows: &'a [u8],
}

/// Events of `l2_data`, `market_trades` or `ticker`; `list` is the name of their list.
pub(super) fn events<'a>(events: &'a [u8], list: &[u8], mut each: impl FnMut(Event<'a>) -> Option<()>) -> Option<()> {
    Scan::new(events).array(|s| {
        let mut event = Event::default();
        s.object(|key, s| {
            match key {
                b"type" => event.snapshot = s.string()? == b"snapshot",
                b"product_id" => event.product = s.string()?,
                _ if key == list => event.rows = s.raw()?,
                _ => s.skip()?,
            }
            Some(())
        })?;
        each(event)
    })
}

/// A change of one price level.
#[derive(Clone, Copy, Default, Debug)]
pub(super) struct Level<'a> {
    pub(super) side: &'a [u8],
    pub(super) event_time: &'a [u8],
    pub(super) price_level: &'a [u8],
    pub(super) new_quantity: &'a [u8],
}

/// Rows of a level-2 event.
pub(super) fn levels<'a>(rows: &'a [u8], mut each: impl FnMut(Level<'a>) -> Option<()>) -> Option<()> {
    Scan::new(rows).array(|s| {
        let mut row = Level::default();
        s.object(|key, s| {
            match key {
                b"side" => row.side = s.text()?,
                b"event_time" => row.event_time = s.text()?,
                b"price_level" => row.price_level = s.text()?,
                b"new_quantity" => row.new_quantity = s.text()?,
                _ => s.skip()?,
            }
            Some(())
        })?;
        each(row)
    })
}

/// A trade; the same words in REST.
#[derive(Clone, Copy, Default, Debug, Deserialize)]
pub(super) struct Trade<'a> {
    #[serde(borrow, with = "bytes")]
    pub(super) product_id: &'a [u8],
    #[serde(borrow, with = "bytes")]
    pub(super) trade_id: &'a [u8],
    #[serde(borrow, with = "bytes")]
    pub(super) price: &'a [u8],
    #[serde(borrow, with = "bytes")]
    pub(super) size: &'a [u8],
    #[serde(borrow, with = "bytes")]
    pub(super) side: &'a [u8],
    #[serde(borrow, with = "bytes")]
    pub(super) time: &'a [u8],
}

/// Borrowed strings as bytes, as the socket scan gives them.
mod bytes {
    use serde::Deserialize as _;

    pub(super) fn deserialize<'de, D: serde::Deserializer<'de>>(from: D) -> Result<&'de [u8], D::Error> {
        <&str>::deserialize(from).map(str::as_bytes)
    }
}

/// Rows of a trade event.
pub(super) fn trades<'a>(rows: &'a [u8], mut each: impl FnMut(Trade<'a>) -> Option<()>) -> Option<()> {
    Scan::new(rows).array(|s| {
        let mut row = Trade::default();
        s.object(|key, s| {
            match key {
                b"product_id" => row.product_id = s.text()?,
                b"trade_id" => row.trade_id = s.text()?,
                b"price" => row.price = s.text()?,
                b"size" => row.size = s.text()?,
                b"side" => row.side = s.text()?,
                b"time" => row.time = s.text()?,
                _ => s.skip()?,
            }
            Some(())
        })?;
        each(row)
    })
}

/// A ticker row.
#[derive(Clone, Copy, Default, Debug)]
pub(super) struct Ticker<'a> {
    pub(super) product_id: &'a [u8],
    pub(super) best_bid: &'a [u8],
    pub(super) best_ask: &'a [u8],
}

/// Rows of a ticker event.
pub(super) fn tickers<'a>(rows: &'a [u8], mut each: impl FnMut(Ticker<'a>) -> Option<()>) -> Option<()> {
    Scan::new(rows).array(|s| {
        let mut row = Ticker::default();
        s.object(|key, s| {
            match key {
                b"product_id" => row.product_id = s.text()?,
                b"best_bid" => row.best_bid = s.text()?,
                b"best_ask" => row.best_ask = s.text()?,
                _ => s.skip()?,
            }
            Some(())
        })?;
        each(row)
    })
}

/// Every name in an acknowledgement, with its channel.
pub(super) fn subscriptions<'a>(events: &'a [u8], mut each: impl FnMut(&'a [u8], &'a [u8])) -> Option<()> {
    Scan::new(events).array(|s| {
        s.object(|key, s| {
            if key != b"subscriptions" {
                return s.skip();
            }
            s.object(|channel, s| {
                s.array(|s| {
                    each(channel, s.string()?);
                    Some(())
                })
            })
        })
    })
}

/// Counter of a heartbeat.
pub(super) fn heartbeat(events: &[u8]) -> Option<u64> {
    let mut counter = None;
    Scan::new(events).array(|s| {
        s.object(|key, s| {
            match key {
                b"heartbeat_counter" => counter = Some(s.unsigned()?),
                _ => s.skip()?,
            }
            Some(())
        })
    })?;
    counter
}

/// `2026-08-09T21:05:48.228568804Z`, with up to nine digits of a second.
pub(super) fn stamp(text: &[u8]) -> Option<Ts> {
    let number = |from: usize, digits: usize| {
        text.get(from..from + digits)?
            .iter()
            .try_fold(0_i64, |n, b| b.is_ascii_digit().then(|| n * 10 + i64::from(b - b'0')))
    };
    let mark = |at: usize, wanted: u8| (text.get(at) == Some(&wanted)).then_some(());
    mark(4, b'-')?;
    mark(7, b'-')?;
    mark(10, b'T')?;
    mark(13, b':')?;
    mark(16, b':')?;
    let (year, month, day) = (number(0, 4)?, number(5, 2)?, number(8, 2)?);
    let (hour, minute, second) = (number(11, 2)?, number(14, 2)?, number(17, 2)?);
    let in_range = (1970..2262).contains(&year) && (1..=12).contains(&month) && (1..=31).contains(&day);
    if !in_range || hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    let fraction = match text.get(19..)? {
        b"Z" => 0,
        [b'.', digits @ .., b'Z'] if (1..=9).contains(&digits.len()) => {
            let mut n = number(20, digits.len())?;
            for _ in digits.len()..9 {
                n *= 10;
            }
            n
        }
        _ => return None,
    };
    Some(Ts::from_civil(year, month, day, hour, minute, second) + Span(fraction))
}

/// Answer of `/time`.
pub(super) fn time(body: &[u8]) -> Option<Ts> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Time<'a> {
        epoch_millis: &'a str,
    }
    let time: Time<'_> = serde_json::from_slice(body).ok()?;
    let millis = time.epoch_millis.parse::<i64>().ok()?;
    crate::number::PLAUSIBLE.contains(&Ts(millis.checked_mul(1_000_000)?)).then(|| Ts::from_millis(millis))
}

/// Answer of `/market/products/{id}/candles`, newest first.
#[derive(Deserialize, Debug)]
pub(super) struct Candles<'a> {
    #[serde(borrow)]
    pub(super) candles: Vec<Candle<'a>>,
}

/// A candle; `start` is a string of seconds.
#[derive(Deserialize, Debug)]
pub(super) struct Candle<'a> {
    pub(super) start: &'a str,
    pub(super) low: &'a str,
    pub(super) high: &'a str,
    pub(super) open: &'a str,
    pub(super) close: &'a str,
    pub(super) volume: &'a str,
}

/// Answer of `/market/products/{id}/ticker`, newest first.
#[derive(Deserialize, Debug)]
pub(super) struct Trades<'a> {
    #[serde(borrow)]
    pub(super) trades: Vec<Trade<'a>>,
}

/// Answer of `/market/products`.
#[derive(Deserialize, Debug)]
pub(super) struct Products {
    pub(super) products: Vec<Product>,
    /// Since 2026; null or missing before.
    #[serde(default)]
    pub(super) pagination: Option<Pagination>,
}

/// Where a list goes on.
#[derive(Deserialize, Debug)]
pub(super) struct Pagination {
    #[serde(default)]
    pub(super) has_next: bool,
    #[serde(default)]
    pub(super) next_cursor: String,
}

/// A product. Strings may be empty.
#[derive(Deserialize, Debug)]
pub(super) struct Product {
    pub(super) product_id: String,
    #[serde(default)]
    pub(super) status: String,
    #[serde(default)]
    pub(super) alias: String,
    #[serde(default)]
    pub(super) base_increment: String,
    #[serde(default)]
    pub(super) quote_increment: String,
    #[serde(default)]
    pub(super) price_increment: String,
    #[serde(default)]
    pub(super) base_currency_id: String,
    #[serde(default)]
    pub(super) quote_currency_id: String,
    #[serde(default)]
    pub(super) approximate_quote_24h_volume: String,
    #[serde(default)]
    pub(super) is_disabled: bool,
    #[serde(default)]
    pub(super) trading_disabled: bool,
    #[serde(default)]
    pub(super) view_only: bool,
    #[serde(default)]
    pub(super) fcm_trading_session_details: Option<FcmSession>,
    #[serde(default)]
    pub(super) future_product_details: Option<Future>,
}

/// Trading hours of a US future.
#[derive(Deserialize, Debug)]
pub(super) struct FcmSession {
    #[serde(default)]
    pub(super) is_session_open: bool,
}

/// What only futures have. The top level counts, not `perpetual_details`.
#[derive(Deserialize, Debug)]
pub(super) struct Future {
    #[serde(default)]
    pub(super) contract_expiry: Option<String>,
    #[serde(default)]
    pub(super) contract_size: String,
    #[serde(default)]
    pub(super) contract_root_unit: String,
    #[serde(default)]
    pub(super) funding_interval: Option<String>,
    #[serde(default)]
    pub(super) funding_rate: Option<String>,
    #[serde(default)]
    pub(super) funding_time: Option<String>,
    #[serde(default)]
    pub(super) open_interest: Option<String>,
    #[serde(default)]
    pub(super) index_price: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stamps_are_read_to_the_nanosecond_or_refused() {
        let base = Ts::from_civil(2026, 8, 9, 21, 5, 48);
        for (text, ns) in [
            ("2026-08-09T21:05:48.228568804Z", 228_568_804),
            ("2026-08-09T21:05:48.2Z", 200_000_000),
            ("2026-08-09T21:05:48Z", 0),
        ] {
            assert_eq!(stamp(text.as_bytes()), Some(base + Span(ns)), "{text}");
        }
        assert_eq!(stamp(b"1970-01-01T00:00:00Z"), Some(Ts(0)));
        for bad in [
            "",
            "2026-08-09",
            "2026-08-09T21:05:48",
            "2026-08-09T21:05:48.Z",
            "2026-13-09T21:05:48Z",
            "2026-08-09T21:05:48.0000000001Z",
            "0001-01-01T00:00:00Z",
            "2026-08-09 21:05:48Z",
            "2026-08-0aT21:05:48Z",
        ] {
            assert_eq!(stamp(bad.as_bytes()), None, "{bad}");
        }
    }
}
