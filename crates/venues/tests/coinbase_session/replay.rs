//! The recording of 2026-08-09: 25 s of seven channels and two products, 1030 messages, sequence 0 to 1029.

use crate::rig::{Rig, STREAMS, config, def};
use barograph_domain::{Metric, Payload, Side, Span, StatusState, Ts};
use barograph_venues::session::{ConnId, Input, LinkId, MarketIndex, MarketSpec, OrderBook, Origin, SessionConfig};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// One line of the recording.
pub(crate) struct Line {
    pub(crate) kind: String,
    pub(crate) at: Ts,
    pub(crate) data: String,
}

pub(crate) fn lines() -> Option<Vec<Line>> {
    let bytes = std::fs::read(barograph_testkit::recorded("raw/cryptofeed/coinbase.jsonl.zst")?).unwrap();
    let text = String::from_utf8(zstd::decode_all(&bytes[..]).unwrap()).unwrap();
    let lines = text.lines().map(|line| {
        let v: Value = serde_json::from_str(line).unwrap();
        let seconds = v["ts"].as_f64().unwrap_or_default();
        #[expect(clippy::cast_possible_truncation, reason = "microseconds of this century")]
        let at = Ts((seconds * 1e6) as i64 * 1_000);
        Line { kind: v["t"].as_str().unwrap().into(), at, data: v["data"].as_str().unwrap_or_default().into() }
    });
    Some(lines.collect())
}

pub(crate) fn recorded(lines: &[Line]) -> SessionConfig {
    let body = lines.iter().find(|l| l.kind == "http").unwrap().data.clone().into_bytes();
    let specs = (def().instruments)(&[body]).unwrap();
    let of = |symbol: &str| specs.iter().find(|s| s.symbol == symbol).unwrap().clone();
    let markets: Vec<MarketSpec> = vec![of("BTC-USD"), of("ETH-USD")];
    SessionConfig { book_depth: 100_000, metrics: STREAMS.to_vec(), backfill: Span::hours(1), ..config(markets) }
}

/// A book kept the slow way, by price text.
#[derive(Default)]
struct Plain {
    bids: BTreeMap<i64, String>,
    asks: BTreeMap<i64, String>,
}

fn cents(text: &str) -> i64 {
    let (whole, part) = text.split_once('.').unwrap_or((text, ""));
    format!("{whole}{part:0<2}").parse().unwrap()
}

impl Plain {
    fn apply(&mut self, event: &Value) {
        if event["type"] == "snapshot" {
            *self = Self::default();
        }
        for row in event["updates"].as_array().unwrap() {
            let side = if row["side"] == "bid" { &mut self.bids } else { &mut self.asks };
            let (price, qty) = (cents(row["price_level"].as_str().unwrap()), row["new_quantity"].as_str().unwrap());
            if qty == "0" {
                side.remove(&price);
            } else {
                side.insert(price, qty.to_owned());
            }
        }
    }

    fn equals(&self, book: &OrderBook) -> bool {
        let same = |ours: Vec<(i64, f64)>, theirs: Vec<(&i64, &String)>| {
            ours.len() == theirs.len()
                && ours
                    .iter()
                    .zip(theirs)
                    .all(|(a, b)| a.0 == *b.0 && a.1.to_bits() == b.1.parse::<f64>().unwrap().to_bits())
        };
        same(book.bids().map(|l| (l.units, l.qty)).collect(), self.bids.iter().rev().collect())
            && same(book.asks().map(|l| (l.units, l.qty)).collect(), self.asks.iter().collect())
    }
}

#[test]
fn the_recording_replays_with_books_checked_and_nothing_lost_or_doubled() {
    let Some(lines) = lines() else { return };
    let mut rig = Rig::new(recorded(&lines));
    let products = ["BTC-USD", "ETH-USD"];
    let mut books: BTreeMap<String, Plain> = BTreeMap::new();
    let (mut tops, mut whole, mut seen_trades) = (0, 0, BTreeSet::new());
    let (mut at_ask, mut at_bid, mut quotes, mut quotes_equal) = ([0, 0], [0, 0], 0, 0);
    let mut last_tick = lines.iter().find(|l| l.kind == "connect").unwrap().at;
    let mut candles: Vec<(String, i64, String)> = Vec::new();
    for line in &lines {
        rig.now = line.at;
        while line.kind != "header" && rig.now - last_tick >= Span::secs(1) {
            last_tick = last_tick + Span::secs(1);
            rig.input(&Input::Tick);
        }
        match line.kind.as_str() {
            "connect" => rig.input(&Input::Opened { link: LinkId(0), conn: ConnId(2) }),
            "recv" => rig.input(&Input::Frame { conn: ConnId(2), bytes: line.data.as_bytes() }),
            _ => continue,
        }
        if line.kind != "recv" {
            continue;
        }
        let message: Value = serde_json::from_str(&line.data).unwrap();
        for event in message["events"].as_array().unwrap() {
            match message["channel"].as_str().unwrap() {
                "l2_data" => {
                    let product = event["product_id"].as_str().unwrap();
                    let plain = books.entry(product.to_owned()).or_default();
                    plain.apply(event);
                    let market = MarketIndex(u32::from(product == "ETH-USD"));
                    let book = rig.session.book(market).expect("a book after every level-2 message");
                    let (bid, ask) = (book.best_bid().unwrap().units, book.best_ask().unwrap().units);
                    assert_eq!((bid, ask), (*plain.bids.keys().last().unwrap(), *plain.asks.keys().next().unwrap()));
                    tops += 1;
                    if tops % 100 == 0 || event["type"] == "snapshot" {
                        assert!(plain.equals(book), "{product} after {tops} messages");
                        whole += 1;
                    }
                }
                "market_trades" => {
                    for t in event["trades"].as_array().unwrap() {
                        let product = t["product_id"].as_str().unwrap();
                        seen_trades
                            .insert((product.to_owned(), t["trade_id"].as_str().unwrap().parse::<u64>().unwrap()));
                        let Some(plain) = books.get(product).filter(|_| event["type"] == "update") else { continue };
                        let (price, sell) = (cents(t["price"].as_str().unwrap()), usize::from(t["side"] == "SELL"));
                        if price >= *plain.asks.keys().next().unwrap() {
                            at_ask[sell] += 1;
                        } else if price <= *plain.bids.keys().last().unwrap() {
                            at_bid[sell] += 1;
                        }
                    }
                }
                "ticker" => {
                    for t in event["tickers"].as_array().unwrap() {
                        let Some(plain) = books.get(t["product_id"].as_str().unwrap()) else { continue };
                        let quote = (cents(t["best_bid"].as_str().unwrap()), cents(t["best_ask"].as_str().unwrap()));
                        quotes += 1;
                        quotes_equal += i32::from(
                            quote == (*plain.bids.keys().last().unwrap(), *plain.asks.keys().next().unwrap()),
                        );
                    }
                }
                "candles" => {
                    for c in event["candles"].as_array().unwrap() {
                        let start = c["start"].as_str().unwrap().parse().unwrap();
                        candles.push((
                            c["product_id"].as_str().unwrap().into(),
                            start,
                            c["volume"].as_str().unwrap().into(),
                        ));
                    }
                }
                _ => {}
            }
        }
    }
    assert_eq!(rig.faults(), [""; 0], "nothing in the recording is unusual");
    assert_eq!((tops, whole), (775, 9));
    // Of 154 quotes 132 are the book's top at that moment, the others are between two batches of it.
    assert_eq!((quotes, quotes_equal), (154, 132));
    // The measurement behind the default of `trade_side_is_maker`: `SELL` at the ask, `BUY` at the bid, always.
    assert_eq!((at_ask, at_bid), ([0, 48], [23, 0]));
    let trades = rig.take(Metric::Trade);
    let emitted: Vec<_> = trades.iter().map(|e| (products[e.market.index()].to_owned(), e.seq)).collect();
    assert_eq!(emitted.iter().cloned().collect::<BTreeSet<_>>(), seen_trades, "nothing lost");
    assert_eq!(emitted.len(), seen_trades.len(), "nothing doubled");
    assert_eq!(trades.iter().filter(|e| e.origin == Origin::Live).count(), 79, "snapshots of 100 are history");
    for (n, product) in (0_u32..).zip(products) {
        for metric in [Metric::Trade, Metric::BestBidAsk, Metric::Book] {
            let said: Vec<_> = rig
                .events
                .iter()
                .filter(|e| e.market == MarketIndex(n) && e.metric == metric)
                .filter_map(|e| match e.payload {
                    Payload::Status(s) => Some(s.state),
                    _ => None,
                })
                .collect();
            assert_eq!(said, [StatusState::Live], "{product} {metric:?}: no gap");
        }
    }
    let shown = rig.take(Metric::Book).len();
    assert!((44..=50).contains(&shown), "top of two books at most once a second for 24 s: {shown}");
    assert_eq!(rig.take(Metric::BestBidAsk).len(), 160);
    volumes_agree(&lines, &candles);
}

/// Trades since the beginning of a candle, added up, pass through every volume the venue printed for it: bars made of trades
/// are the venue's.
fn volumes_agree(lines: &[Line], candles: &[(String, i64, String)]) {
    let mut trades: BTreeMap<(String, u64), (Ts, f64, i64)> = BTreeMap::new();
    for line in lines.iter().filter(|l| l.kind == "recv" && l.data.contains("\"market_trades\",")) {
        let message: Value = serde_json::from_str(&line.data).unwrap();
        for t in message["events"][0]["trades"].as_array().unwrap() {
            let key = (t["product_id"].as_str().unwrap().to_owned(), t["trade_id"].as_str().unwrap().parse().unwrap());
            let time = Ts::parse(t["time"].as_str().unwrap()).unwrap();
            trades.insert(key, (time, 0.0, eighths(t["size"].as_str().unwrap())));
        }
    }
    let running = Ts::parse("2026-08-09T21:05:00Z").unwrap();
    let mut compared = 0;
    for (product, start, volume) in candles.iter().filter(|c| Ts::from_secs(c.1) == running) {
        let mut sum = 0;
        let passes = trades.iter().filter(|(k, v)| k.0 == *product && v.0 >= Ts::from_secs(*start)).any(|(_, v)| {
            sum += v.2;
            sum == eighths(volume)
        });
        assert!(passes, "{product} volume {volume}");
        compared += 1;
    }
    assert_eq!(compared, 6);
}

/// A size in units of 1e-8.
fn eighths(text: &str) -> i64 {
    let (whole, part) = text.split_once('.').unwrap_or((text, ""));
    format!("{whole}{part:0<8}").parse().unwrap()
}

#[test]
fn restoring_at_any_point_equals_never_stopping() {
    let Some(lines) = lines() else { return };
    let run = |cut: Option<usize>| {
        let config = SessionConfig { book_depth: 500, ..recorded(&lines) };
        let mut rig = Rig::new(config.clone());
        for (n, line) in lines.iter().enumerate() {
            rig.now = line.at;
            match line.kind.as_str() {
                "connect" => rig.input(&Input::Opened { link: LinkId(0), conn: ConnId(2) }),
                "recv" => rig.input(&Input::Frame { conn: ConnId(2), bytes: line.data.as_bytes() }),
                _ => {}
            }
            if n % 40 == 0 {
                rig.input(&Input::Tick);
            }
            if cut == Some(n) {
                let saved = rig.session.save();
                let mut fresh = (def().open)(config.clone());
                fresh.restore(&saved).unwrap();
                assert_eq!(fresh.save(), saved);
                rig.session = fresh;
            }
        }
        (rig.events, rig.actions, rig.faults, rig.session.save())
    };
    let never = run(None);
    for cut in [5, 14, 20, 22, 300, 801] {
        assert!(run(Some(cut)) == never, "cut after line {cut}");
    }
}

#[test]
fn aggressor_sides_follow_the_configuration() {
    let Some(lines) = lines() else { return };
    let buys = |side_is_maker: bool| {
        let config = SessionConfig { trade_side_is_maker: side_is_maker, ..recorded(&lines) };
        let mut rig = Rig::new(SessionConfig { book_depth: 10, ..config });
        for line in &lines {
            rig.now = line.at;
            match line.kind.as_str() {
                "connect" => rig.input(&Input::Opened { link: LinkId(0), conn: ConnId(2) }),
                "recv" => rig.input(&Input::Frame { conn: ConnId(2), bytes: line.data.as_bytes() }),
                _ => {}
            }
        }
        let long = |p: &Payload| matches!(p, Payload::Trade { aggressor_side: Some(Side::Long), .. });
        rig.take(Metric::Trade).iter().filter(|e| long(&e.payload)).count()
    };
    let (maker, taker) = (buys(true), buys(false));
    assert_eq!(maker + taker, 279);
    assert_ne!(maker, taker);
}
