//! The Bybit session against recordings, fixtures and the sheet's checklist.
#![expect(
    clippy::unwrap_used,
    clippy::disallowed_types,
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "a test may fail by panicking, and reads recordings from files named by the environment"
)]

#[path = "../rig/mod.rs"]
mod rig;

mod checklist;
mod evidence;
mod silence;

use barograph_domain::{GapReason, MarketKind, Metric, Payload, Side, Span, StatusState, Ts};
use barograph_venues::session::{Decimal, MarketIndex, MarketSpec, venue};
use rig::{Rig, capture, config, linear};
use std::collections::BTreeMap;

const ALL: [Metric; 9] = [
    Metric::Bar,
    Metric::Trade,
    Metric::BestBidAsk,
    Metric::MarkPrice,
    Metric::IndexPrice,
    Metric::FundingRate,
    Metric::OpenInterest,
    Metric::Liquidation,
    Metric::Book,
];

/// The markets of the capture, as its instrument list has them.
fn captured_markets(lines: &[rig::Line]) -> Vec<MarketSpec> {
    let bodies: Vec<Vec<u8>> = lines.iter().filter(|l| l.kind == "http").map(|l| l.data.clone().into_bytes()).collect();
    let all = (venue("bybit").unwrap().instruments)(&bodies).unwrap();
    assert!(all.len() > 900, "{}", all.len());
    let mut wanted = Vec::new();
    for (kind, symbols) in [
        (MarketKind::Perpetual, ["BTCUSDT", "ETHUSDT", "SOLUSDT", "DOGEUSDT"].as_slice()),
        (MarketKind::Spot, ["BTCUSDT", "ETHUSDT"].as_slice()),
    ] {
        for symbol in symbols {
            wanted.push(all.iter().find(|s| s.kind == kind && s.symbol == *symbol).unwrap().clone());
        }
    }
    wanted
}

/// The recorded session, replayed from its beginning with its own receive stamps.
fn replay(lines: &[rig::Line], mut seen: impl FnMut(&mut Rig, &rig::Line)) -> Rig {
    let markets = captured_markets(lines);
    let mut rig = Rig::new(config("bybit", markets, &ALL), "bybit", lines[1].ts);
    let links: Vec<_> = rig.session.links().iter().map(|l| (l.id.0, l.url.clone())).collect();
    assert_eq!(links.len(), 2);
    for line in lines {
        if line.ts > rig.now {
            rig.now = line.ts;
        }
        let conn = if line.conn.ends_with(".2") { 1 } else { 2 };
        match line.kind.as_str() {
            "connect" => {
                let link = links.iter().find(|l| l.1 == line.url).unwrap().0;
                rig.open(link, conn);
            }
            "recv" => {
                rig.frame(conn, &line.data);
                seen(&mut rig, line);
            }
            _ => {}
        }
    }
    rig
}

#[test]
fn the_capture_replays_without_gap_or_fault_and_its_books_agree_with_its_tickers() {
    let Some(lines) = capture("bybit") else { return };
    // The top of each book by event number, and the best prices the tickers name with their event number.
    let mut tops: [BTreeMap<u64, (f64, f64)>; 6] = Default::default();
    let mut named = Vec::new();
    let rig = replay(&lines, |rig, line| {
        let v: serde_json::Value = serde_json::from_str(&line.data).unwrap();
        let Some(topic) = v["topic"].as_str() else { return };
        let spot = if line.conn.ends_with(".3") { 4 } else { 0 };
        let coins = ["BTCUSDT", "ETHUSDT", "SOLUSDT", "DOGEUSDT"];
        let market = spot + coins.iter().position(|c| topic.ends_with(c)).unwrap();
        if topic.starts_with("orderbook") {
            let book = rig.session.book(MarketIndex(u32::try_from(market).unwrap())).expect("a live book");
            assert_eq!((book.bids().count(), book.asks().count()), (200, 200), "{topic}");
            tops[market].insert(v["data"]["seq"].as_u64().unwrap(), book.top().unwrap());
        } else if topic.starts_with("tickers") && spot == 0 {
            let price = |key: &str| v["data"][key].as_str().map(|t| t.parse::<f64>().unwrap());
            named.push((market, v["cs"].as_u64().unwrap(), price("bid1Price"), price("ask1Price")));
        }
    });
    // Where the book's top is the same before and after the ticker's event, the ticker has to agree; between the two, within
    // 100 ms, it may have moved and come back, which is rare.
    let (mut same, mut other) = (0, 0);
    for (market, cs, bid, ask) in named {
        let before = tops[market].range(..=cs).next_back().map(|t| *t.1);
        let after = tops[market].range(cs..).next().map(|t| *t.1);
        let (Some(before), Some(after)) = (before, after) else { continue };
        for (ours, theirs, still) in [(before.0, bid, before.0 - after.0), (before.1, ask, before.1 - after.1)] {
            if let Some(theirs) = theirs.filter(|_| still.abs() < 1e-12) {
                if (theirs - ours).abs() < 1e-12 { same += 1 } else { other += 1 }
            }
        }
    }
    println!("best prices of tickers: {same} agree with the book, {other} between two messages do not");
    assert!(same > 500 && other == 0, "{same} agree, {other} do not");
    assert_eq!(rig.holes(), []);
    assert_eq!(rig.faults.iter().map(|f| (f.kind, f.detail.clone())).collect::<Vec<_>>(), []);
    for market in 0..6 {
        assert_eq!(rig.state(market, Metric::Book), Some(StatusState::Live), "{market}");
        assert_eq!(rig.statuses(market, Metric::Book), [(StatusState::Live, GapReason::Starting)]);
        assert!(!rig.data(market, Metric::Trade).is_empty(), "{market}");
        assert!(!rig.data(market, Metric::Bar).is_empty(), "{market}");
    }
    // Every trade of the file, once.
    let mut trades = 0;
    for line in lines.iter().filter(|l| l.kind == "recv" && l.data.contains("\"publicTrade.")) {
        let v: serde_json::Value = serde_json::from_str(&line.data).unwrap();
        trades += v["data"].as_array().unwrap().len();
    }
    let ours: usize = (0..6).map(|m| rig.data(m, Metric::Trade).len()).sum();
    assert_eq!(ours, trades);
}

#[test]
fn the_first_ticker_of_the_capture_is_read_in_full() {
    let Some(lines) = capture("bybit") else { return };
    let rig = replay(&lines, |_, _| {});
    let first = |metric| rig.data(0, metric)[0];
    assert_eq!(first(Metric::MarkPrice).payload, Payload::Value(65117.44));
    assert_eq!(first(Metric::IndexPrice).payload, Payload::Value(65137.76));
    assert_eq!(first(Metric::OpenInterest).payload, Payload::Value(29945.866));
    assert_eq!(first(Metric::BestBidAsk).payload, Payload::BestBidAsk { bid: 65114.2, ask: 65114.3 });
    let next_ts = Some(Ts::from_millis(1_786_320_000_000));
    let funding = Payload::Funding { rate: 0.0001, interval_h: Some(8.0), next_ts, special: false };
    assert_eq!(first(Metric::FundingRate).payload, funding);
    assert_eq!(first(Metric::MarkPrice).event_ts, Ts::from_millis(1_786_310_817_583));
    assert_eq!(rig.state(4, Metric::MarkPrice), Some(StatusState::NotOffered), "spot has no mark price");
    let trade = rig.data(0, Metric::Trade)[0];
    let want = Payload::Trade { price: 65114.2, qty: 0.004, aggressor_side: Some(Side::Short) };
    assert_eq!((trade.payload, trade.event_ts), (want, Ts::from_millis(1_786_310_819_680)));
    let bars = rig.data(0, Metric::Bar);
    assert_eq!(bars.iter().map(|b| b.event_ts).collect::<Vec<_>>(), [Ts::from_millis(1_786_310_820_000)]);
}

fn open_one() -> Rig {
    let now = Ts::from_millis(1_795_078_800_000);
    let spec = MarketSpec { tick: Decimal::parse(b"0.10"), ..linear("BTCUSDT", "0.1") };
    let mut rig = Rig::new(config("bybit", vec![spec], &ALL), "bybit", now);
    rig.open(0, 1);
    rig
}

fn book(kind: &str, u: u64, bids: &str, asks: &str) -> String {
    format!(
        r#"{{"topic":"orderbook.200.BTCUSDT","type":"{kind}","ts":1795078800020,"data":{{"s":"BTCUSDT","b":{bids},"a":{asks},"u":{u},"seq":9}},"cts":1795078800017}}"#
    )
}

#[test]
fn a_jump_of_u_rebuilds_that_book_only() {
    let mut rig = open_one();
    rig.frame(1, &book("delta", 5, r#"[["1.0","1"]]"#, "[]"));
    assert_eq!(rig.state(0, Metric::Book), Some(StatusState::Resync), "a delta before the snapshot is dropped");
    rig.frame(1, &book("snapshot", 6, r#"[["100.1","1"]]"#, r#"[["100.3","1"]]"#));
    assert_eq!(rig.state(0, Metric::Book), Some(StatusState::Live));
    rig.forget();
    rig.frame(1, &book("delta", 8, r#"[["100.2","1"]]"#, "[]"));
    assert_eq!(rig.statuses(0, Metric::Book), [(StatusState::Resync, GapReason::SequenceJump)]);
    let sent: Vec<_> = rig.sent.iter().map(|s| s.1.clone()).collect();
    assert_eq!(sent.len(), 2);
    assert!(sent[0].contains("unsubscribe") && sent[1].contains("\"subscribe\""), "{sent:?}");
    assert!(sent.iter().all(|s| s.contains("orderbook.200.BTCUSDT") && !s.contains("tickers")), "{sent:?}");
    rig.frame(1, &book("delta", 9, r#"[["100.2","1"]]"#, "[]"));
    assert_eq!(rig.sent.len(), 2, "one resubscription per gap");
    rig.now = rig.now + Span::secs(1);
    rig.frame(1, &book("snapshot", 20, r#"[["100.1","1"]]"#, r#"[["100.3","1"]]"#));
    assert_eq!(rig.state(0, Metric::Book), Some(StatusState::Live));
}

/// `orderbook.1` is the whole top of a spot market each time. A level that cannot be read makes the message none; a side that is
/// empty makes no price.
#[test]
fn the_top_of_spot_is_read_whole_or_refused() {
    let good = r#"[["100.1","1"],["100.0","2"]]"#;
    let best = Payload::BestBidAsk { bid: 100.1, ask: 100.3 };
    let cases: [(&str, &str, Option<Payload>, &[&str]); 7] = [
        (good, r#"[["100.3","1"]]"#, Some(best), &[]),
        (r#"[["x","1"],["100.1","1"]]"#, r#"[["100.3","1"]]"#, None, &["undecodable"]),
        (r#"[["100.1","x"]]"#, r#"[["100.3","1"]]"#, None, &["undecodable"]),
        (good, r#"[["100.3","1"],["y","1"]]"#, None, &["undecodable"]),
        (good, "[]", None, &[]),
        ("[]", r#"[["100.3","1"]]"#, None, &[]),
        (good, r#"[["100.1","1"]]"#, None, &["crossed_top"]),
    ];
    for (bids, asks, want, faults) in cases {
        let spot = MarketSpec::bare("BTCUSDT", MarketKind::Spot);
        let now = Ts::from_millis(1_795_078_800_000);
        let mut rig = Rig::new(config("bybit", vec![spot], &[Metric::BestBidAsk]), "bybit", now);
        rig.open(0, 1);
        rig.frame(1, &book("snapshot", 7, bids, asks).replace("orderbook.200", "orderbook.1"));
        assert_eq!(rig.data(0, Metric::BestBidAsk).first().map(|e| e.payload), want, "{bids} {asks}");
        assert_eq!(rig.faults.iter().map(|f| f.kind).collect::<Vec<_>>(), faults, "{bids} {asks}");
    }
}
