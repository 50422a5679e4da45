//! What has to be known about a message to place it: of Binance its stream, and the number that says whether it was seen; of
//! Coinbase its products.

use serde::Deserialize;
use serde::de::{Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use std::fmt;

/// Whether a message says which of its stream it is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum MessageNumber {
    Number(u64),
    Nothing,
}

#[derive(Deserialize)]
struct Combined<'a> {
    #[serde(borrow)]
    stream: std::borrow::Cow<'a, str>,
}

/// Name of the stream of a combined-stream message; `None` for any other message.
pub(super) fn name(bytes: &[u8]) -> Option<String> {
    // The venue writes the name first; anything else is read the long way.
    let quick = bytes.strip_prefix(b"{\"stream\":\"").and_then(|rest| {
        let name = &rest[..memchr::memchr(b'"', rest)?];
        (!name.contains(&b'\\')).then(|| std::str::from_utf8(name).ok().map(str::to_owned))?
    });
    quick.or_else(|| serde_json::from_slice::<Combined<'_>>(bytes).ok().map(|c| c.stream.into_owned()))
}

/// The number of a message within its stream: `u` of depth updates and best prices, `t` of trades, `a` of aggregated trades.
pub(super) fn number(stream: &str, bytes: &[u8]) -> MessageNumber {
    let kind = stream.split('@').nth(1).unwrap_or_default();
    let field: fn(Data) -> Id = match kind {
        "bookTicker" => |d| d.u,
        "trade" => |d| d.t,
        "aggTrade" => |d| d.a,
        _ if kind.starts_with("depth") => |d| d.u,
        _ => return MessageNumber::Nothing,
    };
    match serde_json::from_slice::<Message>(bytes) {
        Ok(Message { data }) => field(data).0.map_or(MessageNumber::Nothing, MessageNumber::Number),
        Err(_) => MessageNumber::Nothing,
    }
}

/// An aggregate trade as the `trade` message that says the same; `None` for any other message. Aggregated are trades of one
/// order at one price, so price, time and side are those of each of them and the quantity is their sum.
pub(super) fn as_trade(stream: &str, bytes: &[u8]) -> Option<Vec<u8>> {
    let symbol = stream.strip_suffix("@aggTrade")?;
    let trade = serde_json::from_slice::<Aggregated<'_>>(bytes).ok()?.data;
    let name = format!("{symbol}@trade");
    let message = serde_json::json!({ "stream": name, "data": {
        "e": "trade", "E": trade.event_ms, "T": trade.trade_ms, "s": trade.symbol, "t": trade.id, "p": trade.price,
        "q": trade.quantity, "X": "MARKET", "m": trade.buyer_is_maker,
    } });
    serde_json::to_vec(&message).ok()
}

#[derive(Deserialize)]
struct Aggregated<'a> {
    #[serde(borrow)]
    data: Trade<'a>,
}

#[derive(Deserialize)]
struct Trade<'a> {
    #[serde(rename = "E")]
    event_ms: i64,
    #[serde(rename = "T")]
    trade_ms: i64,
    #[serde(rename = "s", borrow)]
    symbol: std::borrow::Cow<'a, str>,
    #[serde(rename = "a")]
    id: u64,
    /// As the venue spells it.
    #[serde(rename = "p", borrow)]
    price: std::borrow::Cow<'a, str>,
    #[serde(rename = "q", borrow)]
    quantity: std::borrow::Cow<'a, str>,
    #[serde(rename = "m")]
    buyer_is_maker: bool,
}

/// Whether an address asks for the order book of a symbol (given in small letters).
pub(super) fn is_depth_request(url: &str, symbol: &str) -> bool {
    let Some((path, query)) = url.split_once('?') else { return false };
    path.ends_with("/depth")
        && query.split('&').any(|pair| {
            pair.split_once('=').is_some_and(|(key, value)| key == "symbol" && value.eq_ignore_ascii_case(symbol))
        })
}

/// Whether a body is an order book, and not the text of an error.
pub(super) fn is_snapshot(bytes: &[u8]) -> bool {
    serde_json::from_slice::<Snapshot>(bytes).is_ok()
}

#[derive(Deserialize)]
#[expect(dead_code, reason = "read to see whether they are there")]
struct Snapshot {
    #[serde(rename = "lastUpdateId")]
    last_update_id: u64,
    bids: IgnoredAny,
    asks: IgnoredAny,
}

/// A product that a message of Coinbase is about.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Product {
    /// In small letters.
    pub(super) name: String,
    /// It begins with the whole book.
    pub(super) whole_book: bool,
}

/// The products of a message, in order; empty for answers and heartbeats.
pub(super) fn products(bytes: &[u8]) -> Vec<Product> {
    let Ok(message) = serde_json::from_slice::<Events>(bytes) else { return Vec::new() };
    let mut found = Vec::new();
    for event in message.events {
        let whole_book = message.channel == "l2_data" && event.kind == "snapshot";
        let names = event.product_id.into_iter().chain(event.trades.into_iter().map(|t| t.product_id));
        for name in names.map(|n| n.to_ascii_lowercase()) {
            if !found.iter().any(|p: &Product| p.name == name && p.whole_book == whole_book) {
                found.push(Product { name, whole_book });
            }
        }
    }
    found
}

#[derive(Deserialize)]
struct Events {
    channel: String,
    #[serde(default)]
    events: Vec<ProductEvent>,
}

#[derive(Deserialize)]
struct ProductEvent {
    #[serde(default, rename = "type")]
    kind: String,
    product_id: Option<String>,
    #[serde(default)]
    trades: Vec<ProductTrade>,
}

#[derive(Deserialize)]
struct ProductTrade {
    product_id: String,
}

#[derive(Deserialize)]
struct Message {
    data: Data,
}

/// One letter means different things in different messages: a number is taken, anything else is passed over.
#[derive(Deserialize)]
struct Data {
    #[serde(default)]
    u: Id,
    #[serde(default)]
    t: Id,
    #[serde(default)]
    a: Id,
}

#[derive(Default)]
struct Id(Option<u64>);

impl<'de> Deserialize<'de> for Id {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(IdVisitor)
    }
}

struct IdVisitor;

impl<'de> Visitor<'de> for IdVisitor {
    type Value = Id;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a number, or anything else")
    }
    fn visit_u64<E>(self, v: u64) -> Result<Id, E> {
        Ok(Id(Some(v)))
    }
    fn visit_i64<E>(self, _v: i64) -> Result<Id, E> {
        Ok(Id(None))
    }
    fn visit_f64<E>(self, _v: f64) -> Result<Id, E> {
        Ok(Id(None))
    }
    fn visit_bool<E>(self, _v: bool) -> Result<Id, E> {
        Ok(Id(None))
    }
    fn visit_str<E>(self, _v: &str) -> Result<Id, E> {
        Ok(Id(None))
    }
    fn visit_unit<E>(self) -> Result<Id, E> {
        Ok(Id(None))
    }
    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Id, A::Error> {
        while seq.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Id(None))
    }
    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Id, A::Error> {
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(Id(None))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn streams_are_named_wherever_the_name_stands() {
        let is = |text: &str, want: Option<&str>| assert_eq!(name(text.as_bytes()).as_deref(), want, "{text}");
        is("{\"stream\":\"btcusdt@trade\",\"data\":{}}", Some("btcusdt@trade"));
        is(" {\"data\":{\"a\":[1]}, \"stream\" : \"btcusdt@depth\"}", Some("btcusdt@depth"));
        is("{\"result\":null,\"id\":1}", None);
        is("{\"e\":\"trade\"}", None);
        is("not json", None);
    }

    #[test]
    fn messages_of_coinbase_say_their_products() {
        let is = |text: &str, want: &[(&str, bool)]| {
            let found = products(text.as_bytes());
            let found: Vec<(&str, bool)> = found.iter().map(|p| (p.name.as_str(), p.whole_book)).collect();
            assert_eq!(found, want, "{text}");
        };
        let book = |kind: &str| {
            format!(
                r#"{{"channel":"l2_data","sequence_num":1,"events":[{{"type":"{kind}","product_id":"BTC-USD","updates":[]}}]}}"#
            )
        };
        is(&book("snapshot"), &[("btc-usd", true)]);
        is(&book("update"), &[("btc-usd", false)]);
        is(
            r#"{"channel":"market_trades","events":[{"type":"update","trades":[{"product_id":"ETH-USD"},{"product_id":"ETH-USD"},{"product_id":"BTC-USD"}]}]}"#,
            &[("eth-usd", false), ("btc-usd", false)],
        );
        is(r#"{"channel":"subscriptions","events":[{"subscriptions":{"level2":["BTC-USD"]}}]}"#, &[]);
        is(r#"{"type":"error","message":"no"}"#, &[]);
    }

    #[test]
    fn numbers_come_from_the_field_of_the_kind() {
        let check = |stream: &str, data: &str, want: MessageNumber| {
            let text = format!("{{\"stream\":\"{stream}\",\"data\":{data}}}");
            assert_eq!(number(stream, text.as_bytes()), want, "{text}");
        };
        check(
            "x@depth@100ms",
            "{\"U\":1,\"u\":5,\"b\":[[\"1\",\"2\"]],\"a\":[[\"1\",\"2\"]]}",
            MessageNumber::Number(5),
        );
        check("x@bookTicker", "{\"u\":7,\"b\":\"1\",\"a\":\"2\"}", MessageNumber::Number(7));
        check("x@trade", "{\"t\":9,\"a\":{\"b\":1},\"u\":null}", MessageNumber::Number(9));
        check("x@aggTrade", "{\"a\":3,\"T\":1,\"t\":true}", MessageNumber::Number(3));
        check("x@aggTrade", "{\"a\":-3}", MessageNumber::Nothing);
        check("x@trade", "{\"t\":1.5}", MessageNumber::Nothing);
        check("x@markPrice", "{\"u\":1}", MessageNumber::Nothing);
    }

    #[test]
    fn aggregate_trades_become_trades() {
        let text = b"{\"stream\":\"btcusdt@aggTrade\",\"data\":{\"e\":\"aggTrade\",\"E\":7,\"s\":\"BTCUSDT\",\"a\":5,\"p\":\"0.10\",\"q\":\"2.0\",\"f\":1,\"l\":2,\"T\":6,\"m\":true}}";
        let made: serde_json::Value = serde_json::from_slice(&as_trade("btcusdt@aggTrade", text).unwrap()).unwrap();
        let want = serde_json::json!({ "stream": "btcusdt@trade", "data": { "e": "trade", "E": 7, "T": 6, "s": "BTCUSDT", "t": 5,
            "p": "0.10", "q": "2.0", "X": "MARKET", "m": true } });
        assert_eq!(made, want);
        assert_eq!(as_trade("btcusdt@trade", text), None);
        assert_eq!(as_trade("btcusdt@aggTrade", b"{\"stream\":\"btcusdt@aggTrade\",\"data\":{}}"), None);
    }

    #[test]
    fn depth_requests_are_those_of_the_symbol() {
        let base = "https://fapi.binance.com/fapi/v1";
        assert!(is_depth_request(&format!("{base}/depth?symbol=BTCUSDT&limit=1000"), "btcusdt"));
        assert!(is_depth_request(&format!("{base}/depth?limit=1000&symbol=btcusdt"), "btcusdt"));
        for other in
            ["depth?symbol=ETHUSDT", "klines?symbol=BTCUSDT", "depth", "depth?limit=5", "depth?asymbol=BTCUSDT"]
        {
            assert!(!is_depth_request(&format!("{base}/{other}"), "btcusdt"), "{other}");
        }
        assert!(is_snapshot(b"{\"lastUpdateId\":1,\"bids\":[],\"asks\":[]}"));
        assert!(!is_snapshot(b"{\"code\":-1003,\"msg\":\"Too many requests.\"}"));
        assert!(!is_snapshot(b"{\"lastUpdateId\":1,\"bids\":[],\"as"));
    }
}
