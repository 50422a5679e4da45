//! The suite every session owes, archives and fixtures.

use super::{ALL, captured_markets};
use crate::rig::{self, Rig, capture, config, fixture, fixtures, linear, value};
use barograph_domain::{MarketKind, Metric, Payload, Side, Span, StatusState, Ts};
use barograph_venues::session::suite::{self, Script};
use barograph_venues::session::{ConnId, MarketIndex, MarketSpec, SessionConfig, venue};

/// The capture as a script of inputs; history is answered with nothing the venue keeps.
fn script() -> Option<Script> {
    let mut lines = capture("bybit")?;
    // The file has one connection after the other.
    lines.sort_by_key(|l| l.ts);
    let metrics: Vec<Metric> = ALL.into_iter().chain([Metric::FundingRateSettled, Metric::PremiumIndex]).collect();
    let wanted = SessionConfig { backfill: Span::hours(1), ..config("bybit", captured_markets(&lines), &metrics) };
    let mut conns = std::collections::VecDeque::new();
    let frames: Vec<(Ts, Vec<u8>)> = lines
        .iter()
        .filter(|l| l.kind == "recv")
        .map(|l| {
            conns.push_back(l.conn.ends_with(".3"));
            (l.ts, l.data.clone().into_bytes())
        })
        .collect();
    let conns = std::cell::RefCell::new(conns);
    let link_of = |urls: &[String], _: &[u8]| {
        let part = if conns.borrow_mut().pop_front().unwrap() { "/spot" } else { "/linear" };
        urls.iter().position(|u| u.ends_with(part)).unwrap()
    };
    let empty = br#"{"retCode":0,"retMsg":"OK","result":{"category":"linear","list":[]},"time":1786310817197}"#;
    let open = venue("bybit").unwrap().open;
    Some(Script::record(open, wanted, frames, link_of, |_| Some((200, empty.to_vec()))))
}

#[test]
fn the_suite_holds() {
    let Some(script) = script() else { return };
    let open = venue("bybit").unwrap().open;
    suite::is_deterministic(open, &script);
    suite::survives_restarts(open, &script, 97);
    suite::survives_a_new_list(open, &script, "XYZUSDT");
    suite::takes_any_ticks(open, &script);
    suite::declares_what_is_not_offered(open, &script);
    suite::loses_and_finds_once(open, &script, |m| m == Metric::FundingRateSettled);
    suite::refuses_garbage(open, &script);
}

/// `FUZZ_FRAMES` frames, some thousands without it.
#[test]
fn damaged_frames_say_nothing_impossible() {
    let Some(script) = script() else { return };
    let count = std::env::var("FUZZ_FRAMES").ok().and_then(|n| n.parse().ok()).unwrap_or(4_000);
    rig::says_nothing_impossible("bybit", &script, count);
}

/// `FUZZ_FRAMES` frames, some thousands without it.
#[test]
fn damaged_frames_neither_panic_nor_grow() {
    let Some(script) = script() else { return };
    let count = std::env::var("FUZZ_FRAMES").ok().and_then(|n| n.parse().ok()).unwrap_or(4_000);
    // Six books of 2 × 400 levels of 16 bytes, six times 1,024 trades and liquidations of 16 bytes, the lag meter, streams.
    let largest = suite::stays_bounded(venue("bybit").unwrap().open, &script, count, 600_000);
    println!("{count} damaged frames, state at most {largest} bytes");
}

#[test]
fn hot_messages_allocate_nothing() {
    let Some(script) = script() else { return };
    let hot = |bytes: &[u8]| {
        let text = String::from_utf8_lossy(bytes);
        let delta = text.contains("\"orderbook.") && text.contains("\"delta\"");
        delta || text.contains("\"publicTrade.") || text.contains("\"tickers.")
    };
    suite::allocates_nothing(venue("bybit").unwrap().open, &script, hot, |run| {
        allocation_counter::measure(run).count_total
    });
}

/// A recorded 500-level topic of 2024; no such topic exists any more, so its messages are given the name of the 1,000-level one.
#[test]
fn the_archive_of_500_levels_replays_without_a_gap() {
    let Some(path) = barograph_testkit::recorded("raw/archives/xrpusdt-ob500.data.zip") else { return };
    let bytes = std::fs::read(path).unwrap();
    // One member, stored as it is; its local header says where it begins and ends.
    let number = |at: usize| usize::from(u16::from_le_bytes([bytes[at], bytes[at + 1]]));
    assert_eq!(number(8), 0, "stored");
    let from = 30 + number(26) + number(28);
    let size = number(22) + (number(24) << 16);
    let text = String::from_utf8(bytes[from..from + size].to_vec()).unwrap();
    let spec = linear("XRPUSDT", "0.0001");
    let wanted = SessionConfig { book_depth: 500, ..config("bybit", vec![spec], &[Metric::Book]) };
    let mut rig = Rig::new(wanted, "bybit", Ts::from_millis(1_733_011_201_000));
    rig.open(0, 1);
    let mut messages = 0;
    for line in text.lines() {
        rig.now = rig.now + Span::millis(100);
        rig.frame(1, &line.replace("orderbook.500.", "orderbook.1000."));
        let book = rig.session.book(MarketIndex(0)).expect("a live book");
        assert_eq!((book.bids().count(), book.asks().count()), (500, 500));
        messages += 1;
    }
    assert_eq!((messages, rig.faults.len(), rig.holes().len()), (50, 0, 0));
}

/// Fixtures are stamped all over the years; each gets a session of its own time.
fn with(topic_market: MarketSpec, ms: i64, metrics: &[Metric]) -> Rig {
    let mut rig = Rig::new(config("bybit", vec![topic_market], metrics), "bybit", Ts::from_millis(ms + 100));
    rig.open(0, 1);
    rig
}

#[test]
fn fixtures_of_other_adapters_map_as_stated() {
    let (Some(jkorf), Some(nautilus)) = (fixtures("jkorf_bybit_public"), fixtures("nautilus_bybit_public")) else {
        return;
    };
    let trade = Payload::Trade { price: 16578.5, qty: 0.001, aggressor_side: Some(Side::Long) };
    for (name, kind) in [("V5/Linear/Trades.txt", MarketKind::Perpetual), ("V5/Spot/Trades.txt", MarketKind::Spot)] {
        let mut rig = with(MarketSpec::bare("BTCUSDT", kind), 1_672_304_486_868, &ALL);
        rig.frame(1, &fixture(&jkorf, name));
        let got = rig.data(0, Metric::Trade);
        assert_eq!((got.len(), got[0].payload, got[0].event_ts.as_millis()), (1, trade, 1_672_304_486_865), "{name}");
    }
    let mut rig = with(linear("ETHUSDT", "0.01"), 1_739_502_303_204, &ALL);
    rig.frame(1, &fixture(&jkorf, "V5/Linear/Liquidations.txt"));
    let want = Payload::Liquidation { liquidated_side: Side::Short, price: 0.04499, qty: 20_000.0 };
    assert_eq!(rig.data(0, Metric::Liquidation)[0].payload, want);
    for (files, name) in [(&jkorf, "V5/Linear/Ticker.txt"), (&nautilus, "ws_ticker_linear.json")] {
        let mut rig = with(linear("BTCUSDT", "0.1"), 1_673_272_861_686, &ALL);
        rig.frame(1, &fixture(files, name));
        let of = |m| rig.data(0, m)[0].payload;
        assert_eq!(of(Metric::MarkPrice), Payload::Value(17217.33), "{name}");
        assert_eq!(of(Metric::IndexPrice), Payload::Value(17227.36), "{name}");
        assert_eq!(of(Metric::OpenInterest), Payload::Value(68744.761 / 2.0), "{name}: both sides, before 2026-06-11");
        assert_eq!(of(Metric::BestBidAsk), Payload::BestBidAsk { bid: 17215.5, ask: 17216.0 }, "{name}");
        assert_eq!(value(&rig.data(0, Metric::FundingRate)[0]).to_bits(), (-0.000212_f64).to_bits(), "{name}");
        assert!(rig.faults.is_empty(), "{name}");
    }
    // Spot: a ticker without best prices, a five-minute candle nobody asked for, a topic of another interval.
    let mut rig = with(MarketSpec::bare("BTCUSDT", MarketKind::Spot), 1_673_853_746_003, &ALL);
    rig.frame(1, &fixture(&nautilus, "ws_kline.json"));
    assert_eq!(rig.faults.iter().map(|f| f.kind).collect::<Vec<_>>(), ["unknown_topic"]);
    // Level 1 as a delta with a deleted best ask: no top, and no mistake.
    let mut rig = with(MarketSpec::bare("BTCUSDT", MarketKind::Spot), 1_709_891_679_500, &ALL);
    rig.frame(1, &fixture(&nautilus, "ws_orderbook_snapshot.json"));
    let top = Payload::BestBidAsk { bid: 27450.0, ask: 27451.0 };
    assert_eq!(rig.data(0, Metric::BestBidAsk).iter().map(|e| e.payload).collect::<Vec<_>>(), [top]);
    rig.frame(1, &fixture(&nautilus, "ws_subscription_ack.json"));
    assert!(rig.faults.is_empty());
    rig.frame(1, &fixture(&nautilus, "ws_subscription_failure.json"));
    assert_eq!(rig.faults.iter().map(|f| f.kind).collect::<Vec<_>>(), ["error_reply"]);
}

#[test]
fn instrument_fixtures_map_as_stated() {
    let (Some(jkorf), Some(nautilus)) = (fixtures("jkorf_bybit_public"), fixtures("nautilus_bybit_public")) else {
        return;
    };
    let read = |files: &[(String, String)], name: &str| {
        let body = fixture(files, name).into_bytes();
        (venue("bybit").unwrap().instruments)(&[body]).unwrap_or_else(|e| panic!("{name}: {e}"))
    };
    let specs = read(&jkorf, "GetLinearInverseSymbols.txt");
    let s = &specs[0];
    assert_eq!((s.symbol.as_str(), s.kind, s.inverse, s.trading), ("BTCUSDT", MarketKind::Perpetual, false, true));
    assert_eq!((s.funding_interval_h, s.expiry, s.contract_size), (Some(8.0), None, Some(1.0)));
    assert_eq!(s.tick.map(|t| t.to_f64()), Some(0.1));
    let specs = read(&nautilus, "http_get_instruments_inverse.json");
    assert_eq!((specs[0].symbol.as_str(), specs[0].inverse, specs[0].settle.as_deref()), ("BTCUSD", true, Some("BTC")));
    let specs = read(&nautilus, "http_get_instruments_spot.json");
    assert_eq!((specs.len(), specs[0].kind, specs[0].step.map(|t| t.to_f64())), (2, MarketKind::Spot, Some(0.0001)));
    assert!(read(&nautilus, "http_get_instruments_option.json").is_empty(), "options are left out");
    let tickers = fixture(&jkorf, "GetSpotTickers.txt").into_bytes();
    let lists = [fixture(&nautilus, "http_get_instruments_spot.json").into_bytes(), tickers];
    let body = String::from_utf8(lists[0].clone()).unwrap();
    let lists = [body.into_bytes(), lists[1].clone()];
    let specs = (venue("bybit").unwrap().instruments)(&lists).unwrap();
    assert_eq!(specs[0].volume_24h_quote, Some(243_765_620.658_998_66));
    let time = br#"{"retCode":0,"retMsg":"OK","result":{"timeSecond":"1795078800","timeNano":"1795078800123456789"},"time":1795078800123}"#;
    assert_eq!((venue("bybit").unwrap().read_time)(time), Some(Ts(1_795_078_800_123_456_789)));
}

/// Two connections of one link deliver the same; the older one closes: nothing is doubled, nothing lost, nothing declared.
#[test]
fn a_rotation_with_overlap_leaves_no_trace() {
    let Some(lines) = capture("bybit") else { return };
    let markets = captured_markets(&lines);
    let facts = |rotate: bool| {
        let mut rig = Rig::new(config("bybit", markets.clone(), &ALL), "bybit", lines[1].ts);
        let links: Vec<_> = rig.session.links().iter().map(|l| (l.id.0, l.url.clone())).collect();
        let mut linear = 0;
        let (mut seen, mut late) = (0, std::collections::VecDeque::new());
        for line in &lines {
            rig.now = rig.now.max(line.ts);
            let first = if line.conn.ends_with(".2") { 1 } else { 2 };
            match line.kind.as_str() {
                "connect" => {
                    let link = links.iter().find(|l| l.1 == line.url).unwrap().0;
                    linear = if first == 1 { link } else { linear };
                    rig.open(link, first);
                }
                "recv" if first == 2 || !rotate => rig.frame(first, &line.data),
                "recv" => {
                    seen += 1;
                    // From 800 to 1600 both run, the second one 5 messages late; then the first one is gone.
                    if seen == 800 {
                        rig.open(linear, 7);
                    }
                    if seen <= 1_600 {
                        rig.frame(1, &line.data);
                    }
                    if seen >= 800 {
                        late.push_back(&line.data);
                    }
                    if seen == 1_600 {
                        while let Some(data) = late.pop_front() {
                            rig.frame(7, data);
                        }
                        rig.close(1);
                    } else if late.len() > 5 || seen > 1_600 {
                        rig.frame(7, late.pop_front().unwrap());
                    }
                }
                _ => {}
            }
        }
        assert_eq!(rig.holes(), [], "rotate: {rotate}");
        assert_eq!(rig.faults.iter().map(|f| f.detail.clone()).collect::<Vec<_>>(), Vec::<String>::new());
        let books: Vec<_> = (0..6).map(|m| rig.session.book(MarketIndex(m)).cloned()).collect();
        let mut facts = Vec::new();
        for metric in [Metric::Trade, Metric::Bar, Metric::Liquidation] {
            facts.extend((0..6).flat_map(|m| rig.data(m, metric)));
        }
        (books, rig::shown(&facts))
    };
    let (one, two) = (facts(false), facts(true));
    assert_eq!(one.0, two.0, "books");
    assert_eq!(one.1, two.1, "facts");
}

/// A second connection of the spot part must not be taken for the linear one: both have a BTCUSDT.
#[test]
fn markets_can_be_changed_while_running() {
    let mut rig = super::open_one();
    rig.forget();
    let now = [linear("BTCUSDT", "0.1"), linear("ETHUSDT", "0.01"), MarketSpec::bare("BTCUSDT", MarketKind::Spot)];
    rig.input(&barograph_venues::session::Input::Markets(&now));
    assert_eq!(rig.session.links().len(), 2, "spot is another socket");
    assert!(rig.sent.len() == 1 && rig.sent[0].1.contains("tickers.ETHUSDT") && !rig.sent[0].1.contains("BTCUSDT"));
    rig.open(1, 5);
    let trade = |p: &str| {
        format!(
            r#"{{"topic":"publicTrade.BTCUSDT","type":"snapshot","ts":1795078800060,"data":[{{"T":1795078800058,"s":"BTCUSDT","S":"Buy","v":"0.010","p":"{p}","i":"x","BT":false,"RPI":false,"seq":1}}]}}"#
        )
    };
    rig.frame(1, &trade("100.1"));
    rig.frame(5, &trade("200.1"));
    assert_eq!(rig.data(0, Metric::Trade).iter().map(value).collect::<Vec<_>>(), [100.1]);
    assert_eq!(rig.data(2, Metric::Trade).iter().map(value).collect::<Vec<_>>(), [200.1]);
    let (open, beginning) = (venue("bybit").unwrap().open, config("bybit", vec![linear("BTCUSDT", "0.1")], &ALL));
    let another = trade("200.2").replace(r#""i":"x""#, r#""i":"y""#);
    suite::knows_what_was_added(open, beginning, &mut *rig.session, rig.now, ConnId(5), another.as_bytes());
    rig.forget();
    rig.input(&barograph_venues::session::Input::Markets(&now[1..2]));
    assert!(rig.sent.iter().all(|s| s.1.contains("unsubscribe")), "{:?}", rig.sent);
    assert_eq!(rig.session.links().len(), 1);
    rig.frame(1, &trade("100.2"));
    assert!(rig.data(0, Metric::Trade).is_empty() && rig.faults.is_empty(), "still under way");
    assert_eq!(rig.session.streams().len(), 27, "a market keeps its place");
}

/// A refused topic takes down its request: the request is halved until the bad one stands alone, and is not asked for again.
#[test]
fn a_refused_topic_is_found_and_left_out() {
    let mut rig = super::open_one();
    let mut refused = Vec::new();
    let mut rounds = 0;
    while let Some((conn, text)) = (!rig.sent.is_empty()).then(|| rig.sent.remove(0)) {
        rounds += 1;
        assert!(rounds < 40, "no end");
        let v: serde_json::Value = serde_json::from_str(&text).unwrap();
        let bad = text.contains("allLiquidation");
        let id = v["req_id"].as_str().unwrap();
        if bad && v["args"].as_array().unwrap().len() == 1 {
            refused.push(text.clone());
        }
        rig.frame(
            conn.0,
            &format!(
                r#"{{"success":{},"ret_msg":"Invalid topic","conn_id":"c","req_id":"{id}","op":"subscribe"}}"#,
                !bad
            ),
        );
    }
    assert_eq!(refused.len(), 1, "{refused:?}");
    rig.close(1);
    rig.open(0, 2);
    assert!(rig.sent.iter().all(|s| !s.1.contains("allLiquidation")), "{:?}", rig.sent);
    assert!(rig.sent.iter().any(|s| s.1.contains("tickers")));
}

/// The venue lists the newest 60 trades of spot, and the newest 1,000 of contracts.
#[test]
fn no_more_trades_of_spot_are_asked_for_than_there_are() {
    let spot = MarketSpec::bare("BTCUSDT", MarketKind::Spot);
    let mut rig = Rig::new(config("bybit", vec![spot], &[Metric::Trade]), "bybit", Ts::from_millis(1_795_078_800_000));
    let frame = |ms: i64, id: &str| {
        format!(
            r#"{{"topic":"publicTrade.BTCUSDT","type":"snapshot","ts":{ms},"data":[{{"T":{ms},"s":"BTCUSDT","S":"Buy","v":"1","p":"100.1","i":"{id}","BT":false,"seq":1}}]}}"#
        )
    };
    rig.open(0, 1);
    rig.frame(1, &frame(1_795_078_800_050, "a"));
    rig.close(1);
    rig.now = Ts::from_millis(1_795_078_810_000);
    rig.open(0, 2);
    rig.frame(2, &frame(1_795_078_810_500, "d"));
    rig.wait(3);
    let request = rig.requests.iter().find(|r| r.url.contains("recent-trade")).expect("a repair");
    assert!(request.url.contains("category=spot") && request.url.ends_with("&limit=60"), "{}", request.url);
}

/// After a hole trades are fetched and told apart from those that came before and after it.
#[test]
fn trades_of_a_hole_are_repaired_once() {
    let mut rig = super::open_one();
    let frame = |ms: i64, id: &str| {
        format!(
            r#"{{"topic":"publicTrade.BTCUSDT","type":"snapshot","ts":{ms},"data":[{{"T":{ms},"s":"BTCUSDT","S":"Buy","v":"1","p":"100.1","i":"{id}","BT":false,"seq":1}}]}}"#
        )
    };
    let (before, after) = (1_795_078_800_050, 1_795_078_810_500);
    rig.frame(1, &frame(before, "a"));
    rig.close(1);
    rig.now = Ts::from_millis(1_795_078_810_000);
    rig.open(0, 2);
    rig.frame(2, &frame(after, "d"));
    rig.wait(3);
    let request = rig.requests.iter().find(|r| r.url.contains("recent-trade")).expect("a repair").clone();
    assert!(request.url.ends_with("&limit=1000"), "{}", request.url);
    let row = |ms: i64, id: &str| {
        format!(
            r#"{{"execId":"{id}","symbol":"BTCUSDT","price":"100.2","size":"1","side":"Sell","time":"{ms}","isBlockTrade":false}}"#
        )
    };
    let rows = [row(after, "d"), row(1_795_078_805_000, "c"), row(before, "b"), row(before, "a"), row(before - 5, "0")]
        .join(",");
    rig.reply(
        request.id,
        200,
        &format!(r#"{{"retCode":0,"result":{{"category":"linear","list":[{rows}]}},"time":1795078813000}}"#),
    );
    let got: Vec<_> =
        rig.data(0, Metric::Trade).iter().map(|e| (e.event_ts.as_millis(), rig::is_backfill(e))).collect();
    assert_eq!(got, [(before, false), (after, false), (before, true), (1_795_078_805_000, true)]);
}

/// Rows as the official page shows them; no capture has any.
#[test]
fn the_ratio_of_contracts_is_polled() {
    let now = Ts::from_millis(1_795_078_800_000);
    let metrics = [Metric::LongShortRatio, Metric::MarkPrice];
    let mut rig = Rig::new(config("bybit", vec![linear("BTCUSDT", "0.1")], &metrics), "bybit", now);
    rig.open(0, 1);
    let answer = |list: &str| {
        format!(
            r#"{{"retCode":0,"retMsg":"OK","result":{{"list":[{list}],"nextPageCursor":""}},"time":1795078804000}}"#
        )
    };
    let row = |begun: Ts, long: &str, short: &str| {
        let stamp = begun.as_millis();
        answer(&format!(r#"{{"symbol":"BTCUSDT","buyRatio":"{long}","sellRatio":"{short}","timestamp":"{stamp}"}}"#))
    };
    let got = |rig: &Rig| -> Vec<(Ts, f64, bool)> {
        rig.data(0, Metric::LongShortRatio).iter().map(|e| (e.event_ts, value(e), rig::is_backfill(e))).collect()
    };
    // What the next poll asks for.
    let asked = |rig: &mut Rig, seconds: i64| {
        rig.requests.clear();
        rig.wait(seconds);
        let found: Vec<_> = rig.requests.iter().filter(|r| r.url.contains("account-ratio")).collect();
        assert_eq!(found.len(), 1, "{found:?}");
        let url = &found[0].url;
        assert!(url.contains("/v5/market/account-ratio?"), "{url}");
        assert!(url.ends_with("?category=linear&symbol=BTCUSDT&period=5min&limit=1"), "{url}");
        found[0].id
    };
    let begun = now - Span::mins(5);
    let id = asked(&mut rig, 3);
    rig.reply(id, 200, &row(begun, "0.6", "0.4"));
    let first = (now, 0.6 / 0.4, false);
    assert_eq!(got(&rig), [first], "longs for each short, known when its five minutes are over");
    // The same row is nothing new, an empty list is none yet, a newer row is.
    let id = asked(&mut rig, 300);
    rig.reply(id, 200, &row(begun, "0.5", "0.5"));
    let id = asked(&mut rig, 300);
    rig.reply(id, 200, &answer(""));
    assert_eq!(got(&rig), [first]);
    let id = asked(&mut rig, 300);
    rig.reply(id, 200, &row(now + Span::mins(5), "0.25", "0.75"));
    assert_eq!(got(&rig), [first, (now + Span::mins(10), 0.25 / 0.75, false)]);
    assert!(rig.faults.is_empty(), "{:?}", rig.faults);
    // Anything else is said and is no ratio; none short is no number.
    for (long, short) in [("many", "0.4"), ("1", "0"), ("", "")] {
        let id = asked(&mut rig, 300);
        rig.faults.clear();
        rig.reply(id, 200, &row(now + Span::mins(30), long, short));
        assert_eq!(rig.faults.iter().map(|f| f.kind).collect::<Vec<_>>(), ["undecodable"], "'{long}' '{short}'");
    }
    assert_eq!(got(&rig).len(), 2);
}

#[test]
fn spot_has_no_ratio() {
    let now = Ts::from_millis(1_795_078_800_000);
    let spot = MarketSpec::bare("BTCUSDT", MarketKind::Spot);
    let mut rig = Rig::new(config("bybit", vec![spot], &[Metric::LongShortRatio, Metric::Trade]), "bybit", now);
    rig.open(0, 1);
    rig.wait(5);
    assert_eq!(rig.state(0, Metric::LongShortRatio), Some(StatusState::NotOffered));
    assert!(rig.requests.iter().all(|r| !r.url.contains("account-ratio")));
}

/// What a hostile venue writes beside its refusal is for people and logs, on one line.
#[test]
fn a_refusal_stays_on_its_line() {
    let now = Ts::from_millis(1_795_078_800_000);
    let mut rig = Rig::new(config("bybit", vec![linear("BTCUSDT", "0.1")], &[Metric::LongShortRatio]), "bybit", now);
    rig.open(0, 1);
    rig.wait(3);
    let id = rig.requests.iter().find(|r| r.url.contains("account-ratio")).expect("asked").id;
    rig.reply(id, 404, "gone\r\n[CASCADE] forged\u{1b}[2J");
    let said: Vec<_> = rig.faults.iter().map(|f| (f.kind, f.detail.as_str())).collect();
    assert_eq!(said, [("error_reply", r"http 404: gone\r\n[CASCADE] forged\u{1b}[2J")]);
}
