//! The recording and fixtures of other clients.

use crate::rig::{Rig, capture, config, fixture, fixtures, value};
use crate::suite::recorded;
use crate::{ALL, BTC, inverse};
use barograph_domain::{Bar, MarketKind, Metric, Payload, Side, Span, StatusState, Ts};
use barograph_venues::session::{Decimal, MarketIndex, MarketSpec, venue};
use serde_json::Value;
use std::collections::BTreeMap;

/// Every book of the recording, level by level, against the plainest reading of its messages.
#[test]
fn the_recording_replays_with_every_book_checked() {
    let Some((markets, frames)) = recorded() else { return };
    let mut rig = Rig::new(config("deribit", markets.clone(), &ALL), "deribit", frames[0].0);
    rig.open(0, 1);
    let mut sides: BTreeMap<(String, &str), BTreeMap<String, f64>> = BTreeMap::new();
    let (mut books, mut one_sided) = (0, 0);
    for (at, text) in &frames {
        rig.now = (*at).max(rig.now);
        rig.frame(1, text);
        let message: Value = serde_json::from_str(text).unwrap();
        let data = &message["params"]["data"];
        if !message["params"]["channel"].as_str().is_some_and(|c| c.starts_with("book.")) {
            continue;
        }
        let name = data["instrument_name"].as_str().unwrap();
        for side in ["bids", "asks"] {
            let plain = sides.entry((name.to_owned(), side)).or_default();
            if data["type"] == "snapshot" {
                plain.clear();
            }
            for level in data[side].as_array().unwrap() {
                let price = format!("{:012.4}", level[1].as_f64().unwrap());
                if level[0] == "delete" {
                    plain.remove(&price);
                } else {
                    plain.insert(price, level[2].as_f64().unwrap());
                }
            }
        }
        let index = MarketIndex::at(markets.iter().position(|m| m.symbol == name).unwrap());
        let [bids, asks] = ["bids", "asks"].map(|side| &sides[&(name.to_owned(), side)]);
        let Some(book) = rig.session.book(index) else {
            assert!(bids.is_empty() || asks.is_empty(), "{name}");
            one_sided += 1;
            continue;
        };
        let shown = |l: &barograph_venues::session::BookLevel| (format!("{:012.4}", book.price(l.units)), l.qty);
        let plain = |side: &BTreeMap<String, f64>| side.clone().into_iter().collect::<Vec<_>>();
        assert_eq!(book.bids().map(shown).collect::<Vec<_>>(), plain(bids).into_iter().rev().collect::<Vec<_>>());
        assert_eq!(book.asks().map(shown).collect::<Vec<_>>(), plain(asks));
        books += 1;
    }
    println!("{books} books compared, {one_sided} with one side at most");
    assert_eq!((books + one_sided, rig.faults.len()), (46, 0), "{:?}", rig.faults);
    let live = (0..10).filter(|m| rig.state(*m, Metric::MarkPrice) == Some(StatusState::Live)).count();
    assert_eq!(live, 10);
}

#[test]
fn instrument_lists_are_read_whole() {
    let (Some(lines), Some(files)) = (capture("deribit"), fixtures("nautilus_deribit_public")) else { return };
    let bodies: Vec<Vec<u8>> = lines.iter().filter(|l| l.kind == "http").map(|l| l.data.clone().into_bytes()).collect();
    let old = (venue("deribit").unwrap().instruments)(&bodies).unwrap();
    let find = |symbol: &str| old.iter().find(|s| s.symbol == symbol).unwrap();
    assert!(old.iter().all(|s| s.kind == MarketKind::Perpetual && s.trading));
    let btc = find(BTC);
    assert_eq!((btc.inverse, btc.settle.as_deref(), &*btc.quote), (true, Some("BTC"), "USD"));
    let doge = find("DOGE_USDC-PERPETUAL");
    assert_eq!((doge.inverse, doge.settle.as_deref(), doge.contract_size), (false, Some("USDC"), Some(100.0)));
    assert_eq!(doge.tick, Decimal::parse(b"0.00001"));
    let summary = r#"{"jsonrpc":"2.0","result":[{"volume_usd":1092371540.0,"instrument_name":"BTC-PERPETUAL"}]}"#;
    let bodies = [fixture(&files, "http_get_instruments.json").into_bytes(), summary.as_bytes().to_vec()];
    let new = (venue("deribit").unwrap().instruments)(&bodies).unwrap();
    let want = MarketSpec {
        base: "BTC".to_owned(),
        quote: "USD".to_owned(),
        settle: Some("BTC".to_owned()),
        step: Decimal::parse(b"10"),
        contract_size: Some(10.0),
        volume_24h_quote: Some(1_092_371_540.0),
        ..inverse()
    };
    assert_eq!(new, [want], "dated contracts are left out");
    let error = br#"{"jsonrpc":"2.0","error":{"code":10028,"message":"too_many_requests"}}"#.to_vec();
    let why = (venue("deribit").unwrap().instruments)(&[error]).unwrap_err();
    assert!(why.contains("answer 0") && why.contains("too_many_requests"), "{why}");
    let time = (venue("deribit").unwrap().read_time)(fixture(&files, "http_get_time.json").as_bytes());
    assert_eq!(time, Some(Ts::from_millis(1_733_338_800_000)));
}

/// Fixtures are stamped all over the years; each gets a session of its own time.
fn with(message: &str, ms: i64) -> Rig {
    let spec = inverse();
    let mut rig = Rig::new(config("deribit", vec![spec], &ALL), "deribit", Ts::from_millis(ms + 100));
    rig.open(0, 1);
    rig.frame(1, message);
    rig
}

#[test]
fn fixtures_of_other_clients_map_as_stated() {
    let Some(files) = fixtures("nautilus_deribit_public") else { return };
    let rig = with(&fixture(&files, "ws_ticker.json"), 1_765_541_474_086);
    let first = |metric| rig.data(0, metric)[0];
    assert_eq!(value(&first(Metric::MarkPrice)).to_bits(), 92_281.78_f64.to_bits());
    assert_eq!(value(&first(Metric::IndexPrice)).to_bits(), 92_263.55_f64.to_bits());
    assert_eq!(value(&first(Metric::OpenInterestUsd)).to_bits(), 1_132_329_370_f64.to_bits());
    assert_eq!(value(&first(Metric::OpenInterest)).to_bits(), (1_132_329_370_f64 / 92_281.78).to_bits());
    let funding = Payload::Funding { rate: 0.000_017_42, interval_h: Some(8.0), next_ts: None, special: false };
    assert_eq!(first(Metric::FundingRate).payload, funding);
    let rig = with(&fixture(&files, "ws_quote.json"), 1_765_541_767_174);
    assert_eq!(rig.data(0, Metric::BestBidAsk)[0].payload, Payload::BestBidAsk { bid: 92_288.0, ask: 92_288.5 });
    let rig = with(&fixture(&files, "ws_trades.json"), 1_765_531_356_452);
    let got: Vec<_> = rig.data(0, Metric::Trade).iter().map(|e| (e.seq, e.payload)).collect();
    let trade = |price: f64, usd: f64, side| Payload::Trade { price, qty: usd / price, aggressor_side: side };
    let want = [(271_252_854, trade(92_294.5, 10.0, None)), (271_252_855, trade(92_288.5, 750.0, Some(Side::Short)))];
    assert_eq!(got, want, "the leg of a combination takes from no book");
    let mut rig = with(&fixture(&files, "ws_chart.json"), 1_767_200_099_000);
    assert!(rig.data(0, Metric::Bar).is_empty(), "the minute is not over");
    // The venue's clock is past it by two seconds.
    rig.now = rig.now + Span::secs(3);
    let ms = rig.now.as_millis();
    rig.frame(
        1,
        &crate::note(
            "quote.BTC-PERPETUAL",
            &format!(r#"{{"timestamp":{ms},"best_bid_price":0.0,"best_ask_price":null}}"#),
        ),
    );
    rig.wait(1);
    let bar = Bar {
        open: 87_490.0,
        high: 87_500.0,
        low: 87_465.0,
        close: 87_474.0,
        volume: Some(0.959_788_96),
        quote_volume: Some(83_970.0),
    };
    let got: Vec<_> = rig.data(0, Metric::Bar).iter().map(|e| (e.event_ts, e.payload)).collect();
    assert_eq!(got, [(Ts::from_millis(1_767_200_100_000), Payload::Bar(bar))]);
    assert!(rig.faults.is_empty(), "{:?}", rig.faults);
    let mut rig = with(&fixture(&files, "ws_book_snapshot.json"), 1_699_999_999_000);
    rig.now = rig.now + Span::secs(1);
    let top = |rig: &Rig| rig.session.book(MarketIndex(0)).and_then(|b| b.top());
    assert_eq!(top(&rig), Some((42_500.0, 42_501.0)), "no previous id is null here");
    rig.frame(1, &fixture(&files, "ws_book_delta.json"));
    assert_eq!(top(&rig), Some((42_500.0, 42_501.5)));
    rig.frame(1, &fixture(&files, "ws_test_request.json"));
    assert!(rig.sent.last().unwrap().1.contains("\"public/test\""));
    assert!(rig.faults.is_empty(), "{:?}", rig.faults);
}
