//! Single messages that others have kept: what each says, worked out here from its JSON by other means than the session's.

use crate::rig::{FUTURES, Rig, config, data_of, shared};
use barograph_domain::{MarketKind, Metric, Payload, Side, Ts};
use barograph_venues::session::suite::Step;
use barograph_venues::session::{Emit, MarketIndex, MarketSpec, venue};
use serde_json::Value;
use std::collections::BTreeMap;

fn number(v: &Value) -> f64 {
    v.as_str().unwrap_or_else(|| panic!("{v} is no text")).parse().unwrap()
}

fn near(a: f64, b: f64) -> bool {
    (a - b).abs() <= 1e-12 * b.abs().max(1e-12)
}

/// The files of a `.tar.gz`.
fn files(below: &str) -> Option<BTreeMap<String, Vec<u8>>> {
    let tar = shared(below)?;
    let (mut at, mut all) = (0, BTreeMap::new());
    while at + 512 <= tar.len() && tar[at] != 0 {
        let text = |from: usize, to: usize| {
            String::from_utf8_lossy(&tar[at + from..at + to]).trim_end_matches(['\0', ' ']).to_owned()
        };
        let size = usize::from_str_radix(text(124, 136).trim(), 8).expect("octal size");
        let name = text(0, 100);
        all.insert(name.trim_start_matches("./").to_owned(), tar[at + 512..at + 512 + size].to_vec());
        at += 512 + size.div_ceil(512) * 512;
    }
    Some(all)
}

/// One session with one market at the time of the message.
fn rig(id: &str, symbol: &str, contract: Option<f64>, at_ms: i64) -> Rig {
    let kind = if id == "binance-spot" { MarketKind::Spot } else { MarketKind::Perpetual };
    let mut spec = MarketSpec::bare(symbol, kind);
    (spec.contract_size, spec.inverse) = (contract, contract.is_some());
    let mut rig = Rig::new(id, config(id, vec![spec], &FUTURES));
    rig.now = Ts::from_millis(at_ms);
    rig.open_all(0);
    rig
}

fn venue_of(case: &str) -> Option<&'static str> {
    match case.split('_').next()? {
        "spot" => Some("binance-spot"),
        "linear" => Some("binance-usdm"),
        "inverse" => Some("binance-coinm"),
        _ => None,
    }
}

/// The facts a frame must give, by the letters of the venue.
fn expected(kind: &str, d: &Value, contract: Option<f64>) -> Vec<(Metric, Payload)> {
    let base = |qty: f64, price: f64| contract.map_or(qty, |size| qty * size / price);
    match kind {
        "trade" => {
            let price = number(&d["p"]);
            let aggressor_side = Some(if d["m"] == true { Side::Short } else { Side::Long });
            vec![(Metric::Trade, Payload::Trade { price, qty: base(number(&d["q"]), price), aggressor_side })]
        }
        "bbo" => vec![(Metric::BestBidAsk, Payload::BestBidAsk { bid: number(&d["b"]), ask: number(&d["a"]) })],
        "funding_rate" => {
            let mut all = vec![(Metric::MarkPrice, Payload::Value(number(&d["p"])))];
            if d["i"].is_string() {
                all.push((Metric::IndexPrice, Payload::Value(number(&d["i"]))));
            }
            if d["T"].as_i64() != Some(0) {
                let next_ts = d["T"].as_i64().map(Ts::from_millis);
                all.push((
                    Metric::FundingRate,
                    Payload::Funding { rate: number(&d["r"]), interval_h: Some(8.0), next_ts, special: false },
                ));
            }
            all
        }
        _ => Vec::new(),
    }
}

fn same(a: &Payload, b: &Payload) -> bool {
    match (a, b) {
        (Payload::Trade { price: p, qty: q, aggressor_side: s }, Payload::Trade { price, qty, aggressor_side }) => {
            p == price && near(*q, *qty) && s == aggressor_side
        }
        _ => a == b,
    }
}

fn facts(events: &[Emit]) -> Vec<(Metric, Payload)> {
    let data = events.iter().filter(|e| !matches!(e.payload, Payload::Status(_)));
    data.map(|e| (e.metric, e.payload)).collect()
}

#[test]
fn captured_messages_of_three_markets() {
    let Some(text) = shared("raw/fixtures/crypto-msg-parser_binance.jsonl.gz") else { return };
    let mut seen: BTreeMap<String, usize> = BTreeMap::new();
    for line in text.split(|b| *b == b'\n').filter(|l| !l.is_empty()) {
        let line: Value = serde_json::from_slice(line).unwrap();
        let (kind, case) = (line["kind"].as_str().unwrap(), line["case"].as_str().unwrap());
        let Some(id) = venue_of(case) else { continue };
        let message = line["message"].as_str().unwrap();
        let body: Value = serde_json::from_str(message).unwrap();
        let stream = body["stream"].as_str().unwrap_or_default().to_owned();
        let data = if body["data"].is_null() { &body } else { &body["data"] };
        let first = if data.is_array() { &data[0] } else { data };
        let symbol = first["s"].as_str().or(first["symbol"].as_str()).unwrap_or("BTCUSDT").to_owned();
        let size = if symbol.starts_with("BTCUSD") { 100.0 } else { 10.0 };
        let contract = (id == "binance-coinm").then_some(size);
        let at = first["E"].as_i64().or(first["time"].as_i64()).unwrap_or(1_654_000_000_000);
        let mut rig = rig(id, &symbol, contract, at);
        *seen.entry(kind.to_owned()).or_default() += 1;
        match kind {
            "trade" | "bbo" | "funding_rate" => {
                let got = facts(&rig.on(0, message));
                let want = expected(kind, first, contract);
                assert!(!want.is_empty() && got.len() == want.len(), "{message}: {got:?}");
                for (g, w) in got.iter().zip(&want) {
                    assert!(g.0 == w.0 && same(&g.1, &w.1), "{message}: {g:?} is not {w:?}");
                }
                assert_eq!(rig.kinds(), [""; 0], "{message}");
            }
            "l2_event" => {
                assert!(facts(&rig.on(0, message)).is_empty(), "held");
                let id = rig.request("/depth").expect("asked").id;
                let last = first["u"].as_u64().unwrap();
                let body =
                    format!(r#"{{"lastUpdateId":{last},"bids":[["0.00000001","1"]],"asks":[["99999999","1"]]}}"#);
                rig.answer(id, 200, &body);
                let book = rig.session.book(MarketIndex(0)).expect("live");
                // On spot the event is in the snapshot, on futures it straddles it and is applied again.
                let applied = id_is_futures(rig.session.venue());
                let count = |side: &str| first[side].as_array().unwrap().iter().filter(|l| number(&l[1]) > 0.0).count();
                let want = if applied { count("b") + 1 } else { 1 };
                assert_eq!(book.bids().count(), want, "{message}");
            }
            "candlestick" => {
                assert!(data_of(&rig.on(0, message), Metric::Bar).is_empty(), "all of them are open: {stream}");
                let closed = message.replace("\"x\":false", "\"x\":true");
                let bars = data_of(&rig.on(0, &closed), Metric::Bar);
                if stream.ends_with("kline_1M") {
                    // A candle that ends days from now cannot be closed.
                    assert_eq!((bars.len(), rig.kinds()), (0, vec!["bad_time"]));
                    continue;
                }
                let k = &first["k"];
                let Payload::Bar(bar) = bars[0].payload else { panic!("no bar") };
                assert_eq!(
                    (bar.open, bar.high, bar.low, bar.close),
                    (number(&k["o"]), number(&k["h"]), number(&k["l"]), number(&k["c"]))
                );
                let want = contract.map_or(number(&k["v"]), |_| number(&k["q"]));
                assert!(near(bar.volume.unwrap(), want), "base volume");
                assert_eq!(bars[0].event_ts, Ts::from_millis(k["T"].as_i64().unwrap() + 1));
            }
            "open_interest" => {
                rig.give(&Step::Tick);
                let id = rig.request("/openInterest").expect("polled").id;
                let events = rig.answer(id, 200, message);
                // COIN-M counts contracts, and no price is known here.
                let want =
                    if contract.is_some() { vec![] } else { vec![Payload::Value(number(&first["openInterest"]))] };
                assert_eq!(data_of(&events, Metric::OpenInterest).iter().map(|e| e.payload).collect::<Vec<_>>(), want);
            }
            "ticker" | "l2_topk" => {
                // Not subscribed: 24 h tickers come from REST; partial books have no chain (`pu` of -1, or no symbol).
                let _ = rig.on(0, message);
            }
            "l2_snapshot" => {}
            other => panic!("a new kind: {other}"),
        }
    }
    assert!(
        ["trade", "bbo", "funding_rate", "l2_event", "candlestick", "open_interest"].iter().all(|k| seen[*k] >= 3),
        "{seen:?}"
    );
}

fn id_is_futures(id: &str) -> bool {
    id != "binance-spot"
}

#[test]
fn messages_of_nautilus() {
    let Some(files) = files("raw/fixtures/nautilus_binance_public.tar.gz") else { return };
    let frame = |name: &str| {
        let (_, body) = files.iter().find(|(path, _)| path.ends_with(name)).unwrap_or_else(|| panic!("{name}"));
        String::from_utf8(body.clone()).unwrap()
    };
    // Pretty-printed: read through the slow way of the scan.
    let mut r = rig("binance-usdm", "BTCUSDT", None, 1_562_305_380_000);
    let got = facts(&r.on(0, &frame("mark_price_stream.json")));
    let next_ts = Some(Ts::from_millis(1_562_306_400_000));
    let funding = Payload::Funding { rate: 0.000_381_67, interval_h: Some(8.0), next_ts, special: false };
    assert_eq!(
        got,
        [
            (Metric::MarkPrice, Payload::Value(11_794.15)),
            (Metric::IndexPrice, Payload::Value(11_784.626_590_91)),
            (Metric::FundingRate, funding),
        ]
    );
    let mut r = rig("binance-usdm", "BTCUSDT", None, 1_568_014_460_893);
    let got = facts(&r.on(0, &frame("liquidation_stream.json")));
    let want = Payload::Liquidation { liquidated_side: Side::Long, price: 9_910.123_456_78, qty: 0.014 };
    assert_eq!(got, [(Metric::Liquidation, want)]);
    let mut r = rig("binance-usdm", "BNBUSDT", None, 1_568_014_460_893);
    let got = facts(&r.on(0, &frame("book_ticker_stream.json")));
    assert_eq!(got, [(Metric::BestBidAsk, Payload::BestBidAsk { bid: 25.3519, ask: 25.3652 })]);
    let mut r = rig("binance-usdm", "BTCUSDT", None, 1_638_747_660_000);
    assert_eq!(facts(&r.on(0, &frame("kline_stream_open.json"))), []);
    assert_eq!(facts(&r.on(0, &frame("kline_stream_closed.json"))).len(), 1);
    // Documentation examples with a time of 1973 are refused for it; a ticker was never asked for.
    for (name, kind) in [
        ("agg_trade_stream.json", "bad_time"),
        ("futures/market_data_json/trade_stream.json", "bad_time"),
        ("depth_update_stream.json", "bad_time"),
        ("futures/market_data_json/ticker_stream.json", "unexpected_event"),
    ] {
        r.kinds();
        assert_eq!(facts(&r.on(0, &frame(name))), []);
        assert_eq!(r.kinds(), [kind], "{name}");
    }
}

#[test]
fn instrument_lists_and_answers_of_jkorf() {
    let Some(files) = files("raw/fixtures/jkorf_binance_public.tar.gz") else { return };
    let body = |name: &str| {
        let (_, text) =
            files.iter().find(|(path, _)| path.ends_with(&format!("{name}.txt"))).unwrap_or_else(|| panic!("{name}"));
        let text = String::from_utf8(text.clone()).unwrap();
        // Method, path and authorisation stand on the first three lines.
        text.splitn(4, '\n').nth(3).unwrap().as_bytes().to_vec()
    };
    let coin = |name: &str| body(&format!("CoinFutures/ExchangeData/{name}"));
    let def = venue("binance-coinm").unwrap();
    let markets = (def.instruments)(&[coin("GetExchangeInfo"), coin("GetTickers"), coin("GetFundingInfo")]).unwrap();
    let m = markets.iter().find(|m| m.symbol == "BTCUSD_200925").expect("listed");
    assert_eq!((m.contract_size, m.inverse, m.kind, m.trading), (Some(100.0), true, MarketKind::DatedFuture, true));
    assert_eq!((m.settle.as_deref(), m.expiry), (Some("BTC"), Some(Ts::from_millis(1_601_020_800_000))));
    assert_eq!(m.volume_24h_quote, Some(49_410_900.0), "494,109 contracts of 100 USD");
    let mut r = rig("binance-coinm", "BTCUSD_200626", Some(100.0), 1_591_261_042_378);
    r.give(&Step::Tick);
    let mark = r#"{"e":"markPriceUpdate","E":1591261042000,"s":"BTCUSD_200626","p":"9646.0","P":"1","r":"","T":0}"#;
    r.on(0, mark);
    let id = r.request("/dapi/v1/openInterest?symbol=BTCUSD_200626").expect("polled").id;
    let events = r.answer(id, 200, core::str::from_utf8(&coin("GetOpenInterest")).unwrap());
    let Payload::Value(amount) = data_of(&events, Metric::OpenInterest)[0].payload else { panic!() };
    assert!(near(amount, 15_004.0 * 100.0 / 9_646.0), "contracts become base units by the mark price");
    let id = r.request("/dapi/v1/fundingRate").expect("asked at start").id;
    let mine = String::from_utf8(coin("GetFundingRates")).unwrap().replace("BTCUSD_PERP", "BTCUSD_200626");
    let events = r.answer(id, 200, &mine);
    let settled = data_of(&events, Metric::FundingRateSettled);
    assert_eq!(settled.len(), 1, "the newest; the one before is history");
    assert_eq!(settled[0].event_ts, Ts::from_millis(1_698_796_800_000));
}

/// Events of a peer for the same messages (`vectors/venue_mapping`), books spliced as it does.
#[test]
fn the_mapping_of_tardis() {
    let Some(text) = shared("vectors/venue_mapping/tardis_mappers.json.gz") else { return };
    let all: Value = serde_json::from_slice(&text).unwrap();
    let case = &all["map binance messages"];
    let inputs = case["inputs"]["messages"].as_array().unwrap();
    let expected = case["expected_in_order"].as_array().unwrap();
    let mut trades = 0;
    for (message, want) in inputs.iter().zip(expected) {
        let symbol = message["data"]["s"].as_str().unwrap_or("BTCUSDT");
        let at = message["data"]["E"].as_i64().unwrap_or(1_567_296_001_275);
        let mut r = rig("binance-spot", symbol, None, at);
        let got = data_of(&r.on(0, &message.to_string()), Metric::Trade);
        let is_trade = want[0]["type"] == "trade";
        assert_eq!(got.len(), usize::from(is_trade));
        if is_trade {
            let side = Some(if want[0]["side"] == "buy" { Side::Long } else { Side::Short });
            let payload = Payload::Trade {
                price: want[0]["price"].as_f64().unwrap(),
                qty: want[0]["amount"].as_f64().unwrap(),
                aggressor_side: side,
            };
            assert_eq!((got[0].payload, got[0].seq.to_string()), (payload, want[0]["id"].as_str().unwrap().to_owned()));
            assert_eq!(got[0].event_ts, Ts::parse(want[0]["timestamp"].as_str().unwrap()).unwrap());
            trades += 1;
        }
    }
    assert_eq!(trades, 2);
    // GNTBTC: two events, the snapshot between them, one event.
    let mut r = rig("binance-spot", "GNTBTC", None, 1_554_076_807_698);
    for n in [6, 7] {
        assert!(facts(&r.on(0, &inputs[n].to_string())).is_empty());
    }
    let id = r.request("/depth").expect("asked").id;
    r.answer(id, 200, &inputs[8]["data"].to_string());
    let levels = |r: &Rig| -> Vec<(f64, f64)> {
        let book = r.session.book(MarketIndex(0)).expect("live");
        book.bids().map(|l| (book.price(l.units), l.qty)).collect()
    };
    let theirs: Vec<(f64, f64)> = expected[8][0]["bids"]
        .as_array()
        .unwrap()
        .iter()
        .map(|l| (l["price"].as_f64().unwrap(), l["amount"].as_f64().unwrap()))
        .collect();
    assert!(levels(&r).starts_with(&theirs[..2]), "{:?} and {theirs:?}", levels(&r));
    r.now = r.now + barograph_domain::Span::secs(2);
    r.on(0, &inputs[9].to_string());
    assert_eq!(r.kinds(), [""; 0]);
    assert!(r.live(0));
}

/// The depth archive of a peer: the snapshot is ten minutes older than the updates, so it must not become their book.
#[test]
fn the_depth_archive_of_nautilus() {
    let (Some(snap), Some(update)) =
        (shared("raw/archives/btcusdt-depth-snap.csv"), shared("raw/archives/btcusdt-depth-update.csv"))
    else {
        return;
    };
    let rows = |bytes: Vec<u8>| -> Vec<Vec<String>> {
        let text = String::from_utf8(bytes).unwrap();
        text.lines().skip(1).map(|l| l.split(',').map(str::to_owned).collect()).collect()
    };
    let (snap, update) = (rows(snap), rows(update));
    // symbol, timestamp, first id, last id, side, type, price, quantity, previous id
    let side = |rows: &[Vec<String>], s: &str| -> String {
        let all: Vec<String> =
            rows.iter().filter(|r| r[4] == s).map(|r| format!(r#"["{}","{}"]"#, r[6], r[7])).collect();
        format!("[{}]", all.join(","))
    };
    let mut r = rig("binance-usdm", "BTCUSDT", None, update[0][1].parse().unwrap());
    let mut updates = 0;
    for g in update.chunk_by(|a, b| a[3] == b[3]) {
        let text = format!(
            r#"{{"e":"depthUpdate","E":{t},"T":{t},"s":"BTCUSDT","U":{},"u":{},"pu":{},"b":{},"a":{}}}"#,
            g[0][2],
            g[0][3],
            g[0][8],
            side(g, "b"),
            side(g, "a"),
            t = g[0][1]
        );
        assert!(facts(&r.on(0, &text)).is_empty());
        updates += 1;
    }
    assert!(updates > 0);
    let id = r.request("/depth").expect("asked").id;
    let body = format!(r#"{{"lastUpdateId":{},"bids":{},"asks":{}}}"#, snap[0][3], side(&snap, "b"), side(&snap, "a"));
    r.answer(id, 200, &body);
    assert!(!r.live(0), "older than every update");
    r.tick(1);
    assert!(r.request("/depth").is_some(), "asked again");
    assert_eq!(r.kinds(), [""; 0]);
}
