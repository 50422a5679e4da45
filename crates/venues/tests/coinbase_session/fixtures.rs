//! Messages other clients keep as fixtures, and the suite of behaviour every session owes, over the recording.

use crate::replay::{lines, recorded};
use crate::rig::{Rig, config, def, spot};
use barograph_domain::{MarketKind, Metric, Payload, Side, Span, Ts};
use barograph_venues::session::suite::{self, Script};
use barograph_venues::session::{ConnId, Input, MarketSpec, SessionConfig};
use std::collections::BTreeMap;
use std::io::Read;

/// Files of a small tar archive, by name.
fn untar(below: &str) -> Option<BTreeMap<String, String>> {
    let mut bytes = Vec::new();
    flate2::read::GzDecoder::new(std::fs::File::open(barograph_testkit::recorded(below)?).unwrap())
        .read_to_end(&mut bytes)
        .unwrap();
    let mut files = BTreeMap::new();
    let mut at = 0;
    let text = |b: &[u8]| String::from_utf8_lossy(b).trim_end_matches('\0').trim().to_owned();
    while at + 512 <= bytes.len() && bytes[at] != 0 {
        let head = &bytes[at..at + 512];
        let name = text(&head[..100]).trim_end_matches('\0').split('\0').next().unwrap().to_owned();
        let size = usize::from_str_radix(text(&head[124..136]).trim_matches('\0'), 8).unwrap();
        files.insert(name, String::from_utf8_lossy(&bytes[at + 512..at + 512 + size]).into_owned());
        at += 512 + size.div_ceil(512) * 512;
    }
    Some(files)
}

fn file<'a>(files: &'a BTreeMap<String, String>, end: &str) -> &'a str {
    files.iter().find(|(name, _)| name.ends_with(end)).unwrap_or_else(|| panic!("no {end}")).1
}

#[test]
fn products_of_another_client_map_as_the_sheet_says() {
    let Some(files) = untar("raw/fixtures/nautilus_coinbase_public.tar.gz") else { return };
    let answers = ["http_products.json", "http_products_future.json"].map(|f| file(&files, f).as_bytes().to_vec());
    let specs = (def().instruments)(&answers).unwrap();
    let names: Vec<&str> = specs.iter().map(|s| s.symbol.as_str()).collect();
    assert_eq!(names, ["BTC-USD", "BIP-20DEC30-CDE", "BIT-24APR26-CDE"], "the alias BTC-USDC is the first");
    let [spot, perp, dated] = &specs[..] else { panic!("three") };
    assert_eq!(
        (spot.kind, spot.base.as_str(), spot.quote.as_str(), &spot.settle),
        (MarketKind::Spot, "BTC", "USD", &None)
    );
    assert_eq!(spot.volume_24h_quote, Some(758_532_193.02));
    let usd = Some("USD".to_owned());
    assert_eq!((perp.kind, perp.base.as_str(), &perp.settle), (MarketKind::Perpetual, "BTC", &usd));
    assert_eq!((perp.contract_size, perp.funding_interval_h, perp.expiry), (Some(0.01), Some(1.0), None));
    assert_eq!((dated.kind, dated.funding_interval_h), (MarketKind::DatedFuture, None));
    assert_eq!(dated.expiry, Some(Ts::parse("2026-04-24T15:00:00Z").unwrap()));
    assert!(specs.iter().all(|s| s.trading));
}

#[test]
fn the_recorded_list_has_920_products_and_520_books() {
    let Some(lines) = lines() else { return };
    let body = lines.iter().find(|l| l.kind == "http").unwrap().data.clone().into_bytes();
    let specs = (def().instruments)(&[body]).unwrap();
    // 920 listed, 400 of them aliases; five that end in -USDC are books of their own.
    assert_eq!(specs.len(), 520);
    let usdc: Vec<&str> = specs.iter().map(|s| s.symbol.as_str()).filter(|s| s.ends_with("-USDC")).collect();
    assert_eq!(usdc, ["USDT-USDC", "EURC-USDC", "XSGD-USDC", "TGBP-USDC", "AUDD-USDC"]);
    assert_eq!(specs.iter().filter(|s| !s.trading).count(), 4, "four of the eight delisted ones are aliases");
    assert!(specs.iter().all(|s| s.tick.is_some()));
}

#[test]
fn socket_messages_of_other_clients_are_read() {
    let Some(files) = untar("raw/fixtures/nautilus_coinbase_public.tar.gz") else { return };
    let mut rig = Rig::new(SessionConfig { backfill: Span::days(400), ..config(vec![spot("BTC-USD")]) });
    rig.now = Ts::parse("2026-04-07T14:30:11Z").unwrap();
    rig.open(0, 1);
    // Pretty-printed: the slow way in. Each was taken from another connection, so their numbers do not follow.
    for name in ["ws_l2_data_snapshot", "ws_l2_data_update", "ws_market_trades", "ws_ticker", "ws_subscriptions"] {
        rig.frame(1, file(&files, &format!("{name}.json")));
    }
    rig.faults.retain(|f| !f.kind.starts_with("sequence"));
    assert_eq!(rig.faults, []);
    assert_eq!(rig.take(Metric::Trade).iter().map(|e| e.seq).collect::<Vec<_>>(), [995_098_700, 995_098_701]);
    assert_eq!(rig.take(Metric::BestBidAsk)[0].payload, Payload::BestBidAsk { bid: 68_900.0, ask: 68_901.0 });
    assert_eq!(rig.take(Metric::Book)[0].payload, Payload::BestBidAsk { bid: 68_900.0, ask: 68_901.0 });

    let Some(files) = untar("raw/fixtures/jkorf_coinbase_public.tar.gz") else { return };
    let mut rig = Rig::new(config(vec![spot("ETH-USDT")]));
    rig.open(0, 1);
    let received = |name: &str| -> Vec<String> {
        let text = file(&files, name);
        let (ack, data) = text.split_once("\n= ").unwrap();
        vec![ack.rsplit_once("< ").unwrap().1.trim().to_owned(), data.trim().to_owned()]
    };
    for name in ["Trades.txt", "Ticker.txt", "Klines.txt", "Symbol.txt", "BatchTicker.txt", "Heartbeat.txt"] {
        for text in received(&format!("Subscriptions/AdvancedTrade/{name}")) {
            rig.frame(1, &text);
        }
    }
    rig.faults.retain(|f| !f.kind.starts_with("sequence"));
    assert_eq!(rig.faults, []);
    let trades: Vec<_> = rig.take(Metric::Trade).iter().map(|e| (e.seq, e.payload)).collect();
    let trade = |id| (id, Payload::Trade { price: 2_375.56, qty: 0.5, aggressor_side: Some(Side::Short) });
    assert_eq!(trades, [trade(22_381_690), trade(22_381_691)], "in order of their ids");
}

#[test]
fn rest_answers_of_another_client_are_read() {
    let Some(files) = untar("raw/fixtures/nautilus_coinbase_public.tar.gz") else { return };
    let mut rig = Rig::new(SessionConfig { backfill: Span::mins(5), ..config(vec![spot("BTC-USD")]) });
    rig.now = Ts::parse("2026-04-07T00:28:50Z").unwrap();
    rig.open(0, 1).trades(1, 0, "update", "BTC-USD", &[(995_098_660, "68923.00", "1", "BUY")]);
    rig.now = Ts::parse("2026-04-07T00:29:00Z").unwrap();
    rig.trades(1, 1, "update", "BTC-USD", &[(995_098_664, "68923.00", "1", "BUY")]);
    rig.take(Metric::Trade);
    rig.wait(1);
    let repair = rig.requests().into_iter().find(|r| r.url.contains("/ticker?")).unwrap();
    rig.reply(&repair, 200, file(&files, "http_ticker.json"));
    let ids: Vec<u64> = rig.take(Metric::Trade).iter().map(|e| e.seq).collect();
    assert_eq!((ids, rig.faults()), (vec![995_098_661, 995_098_662, 995_098_663], vec![]));
    // Hourly candles of 2024 answer no question that was asked: nothing is taken from them.
    rig.wait(70);
    let candles = rig.requests().into_iter().find(|r| r.url.contains("/candles?")).unwrap();
    rig.reply(&candles, 200, file(&files, "http_candles.json"));
    assert_eq!(rig.take(Metric::Bar), []);
}

#[test]
fn messages_of_the_older_exchange_feed_are_refused() {
    let Some(path) = barograph_testkit::recorded("raw/fixtures/crypto-msg-parser_coinbase_pro.jsonl.gz") else {
        return;
    };
    let mut text = String::new();
    flate2::read::GzDecoder::new(std::fs::File::open(path).unwrap()).read_to_string(&mut text).unwrap();
    let mut messages: Vec<String> = text
        .lines()
        .map(|l| serde_json::from_str::<serde_json::Value>(l).unwrap()["message"].as_str().unwrap().to_owned())
        .collect();
    if let Some(path) = barograph_testkit::recorded("vectors/venue_mapping/tardis_mappers.json.gz") {
        let vectors: serde_json::Value =
            serde_json::from_reader(flate2::read::GzDecoder::new(std::fs::File::open(path).unwrap())).unwrap();
        let old = vectors["map coinbase messages"]["inputs"]["messages"].as_array().unwrap();
        messages.extend(old.iter().map(ToString::to_string));
    }
    let mut rig = Rig::new(config(vec![spot("BTC-USD"), spot("ETC-GBP"), spot("ETH-USD")]));
    rig.open(0, 1);
    rig.events.clear();
    for message in &messages {
        rig.frame(1, message);
    }
    // Another protocol on another host (`type` instead of `channel`): sheet §8, do not mix parsers.
    assert_eq!((messages.len(), rig.faults().len(), rig.events.len()), (15, 15, 0));
}

fn script() -> Option<Script> {
    let lines = lines()?;
    let config = SessionConfig { book_depth: 400, ..recorded(&lines) };
    let start = lines.iter().find(|l| l.kind == "recv")?.at;
    let frames: Vec<(Ts, Vec<u8>)> =
        lines.into_iter().filter(|l| l.kind == "recv").map(|l| (l.at, l.data.into_bytes())).collect();
    let candles = move |url: &str| {
        let minute = start.floor(Span::mins(1)).as_millis() / 1_000 - 60;
        let body = format!(
            r#"{{"candles":[{{"start":"{minute}","low":"1","high":"3","open":"2","close":"2","volume":"7"}}]}}"#
        );
        url.contains("/candles?").then(|| (200, body.into_bytes()))
    };
    Some(Script::record(def().open, config, frames, |_, _| 0, |request| candles(&request.url)))
}

#[test]
fn the_suite_holds_over_the_recording() {
    let Some(script) = script() else { return };
    let open = def().open;
    suite::is_deterministic(open, &script);
    suite::survives_restarts(open, &script, 97);
    suite::survives_a_new_list(open, &script, "XYZ-USD");
    suite::takes_any_ticks(open, &script);
    suite::declares_what_is_not_offered(open, &script);
    suite::loses_and_finds_once(open, &script, |_| false);
    suite::refuses_garbage(open, &script);
}

#[test]
fn hot_messages_allocate_nothing() {
    let Some(script) = script() else { return };
    let hot = |bytes: &[u8]| {
        [&b"{\"channel\":\"l2_data\""[..], b"{\"channel\":\"market_trades\"", b"{\"channel\":\"ticker\""]
            .iter()
            .any(|head| bytes.starts_with(head))
    };
    suite::allocates_nothing(def().open, &script, hot, |run| allocation_counter::measure(run).count_total);
}

/// Sets the number of a message, so that what is damaged elsewhere is looked at and not only counted.
fn numbered(bytes: &mut Vec<u8>, number: u64) {
    let head = b"\"sequence_num\":";
    let Some(at) = bytes.windows(head.len()).position(|w| w == head).map(|at| at + head.len()) else { return };
    let digits = bytes[at..].iter().take_while(|b| b.is_ascii_digit()).count();
    bytes.splice(at..at + digits, number.to_string().into_bytes());
}

#[test]
fn damaged_messages_never_panic_and_memory_stays_bounded() {
    let Some(lines) = lines() else { return };
    // An equal share of all venues' million.
    let count = std::env::var("FUZZ_FRAMES").ok().and_then(|n| n.parse::<usize>().ok()).unwrap_or(24_000) / 6;
    let config = SessionConfig { book_depth: 400, ..recorded(&lines) };
    // The two snapshots of 5 and 2 MB would be most of the bytes; short ones stand for them.
    let frames: Vec<Vec<u8>> = lines
        .iter()
        .filter(|l| l.kind == "recv" && l.data.len() < 20_000)
        .map(|l| l.data.clone().into_bytes())
        .collect();
    let frames: Vec<&Vec<u8>> = frames.iter().collect();
    let mut next = suite_random(0x2545_f491_4f6c_dd1d);
    let (mut largest, mut books) = (0, 0);
    for _ in 0..count.div_ceil(250) {
        let mut rig = Rig::new(config.clone());
        rig.now = lines.last().unwrap().at;
        rig.open(0, 1)
            .snapshot(1, 0, "BTC-USD", "65083.66", "65083.67")
            .snapshot(1, 1, "ETH-USD", "1919.28", "1919.38");
        let (mut conn, mut number) = (1, 2);
        for n in 0..250 {
            let mut bytes = suite::mutated(&frames, &mut next);
            if next(20) > 0 {
                numbered(&mut bytes, number);
            }
            number += 1;
            rig.now = rig.now + Span::millis(20);
            rig.input(&Input::Frame { conn: ConnId(conn), bytes: &bytes });
            if n % 50 == 0 {
                rig.input(&Input::Tick);
            }
            if rig.faults().contains(&"sequence_gap") {
                // Damage that cannot be read at all is noticed by the next number: the connection is replaced.
                rig.wait(21);
                if rig.closes() == 0 {
                    // So much damage is a storm: the next one waits for ten minutes.
                    rig.wait(600);
                    assert_eq!(rig.closes(), 1);
                }
                rig.close(conn);
                (conn, number) = (conn + 1, 2);
                rig.open(0, conn);
                rig.snapshot(conn, 0, "BTC-USD", "65083.66", "65083.67");
                rig.snapshot(conn, 1, "ETH-USD", "1919.28", "1919.38");
            }
            for market in [0, 1] {
                // What is handed out as a book is one.
                if let Some((bid, ask)) = rig.top(market) {
                    assert!(0.0 < bid && bid < ask && ask < 1e12, "{bid} {ask}");
                    books += 1;
                }
            }
        }
        for e in &rig.events {
            if let Payload::Trade { price, qty, .. } = e.payload {
                assert!(price > 0.0 && qty > 0.0 && price < 1e12 && qty < 1e15, "{e:?}");
            }
        }
        largest = largest.max(rig.session.save().len());
        assert!(largest < 300_000, "state grew to {largest} bytes");
    }
    assert!(books > count / 20, "books were seen {books} times in {count} messages");
    println!("state of two books: at most {largest} bytes after {count} damaged messages");
}

#[test]
fn damaged_answers_never_panic_and_nothing_wild_is_taken_from_them() {
    let Some(files) = untar("raw/fixtures/nautilus_coinbase_public.tar.gz") else { return };
    let count = std::env::var("FUZZ_FRAMES").ok().and_then(|n| n.parse::<usize>().ok()).unwrap_or(24_000) / 60;
    let body = |name: &str| file(&files, name).as_bytes().to_vec();
    let (candles, trades, list) =
        (body("http_candles.json"), body("http_ticker.json"), body("http_products_future.json"));
    let product: serde_json::Value = serde_json::from_slice(&list).unwrap();
    let product = product["products"][0].to_string().into_bytes();
    let mut next = suite_random(0x9e37_79b9_7f4a_7c15);
    let perp = MarketSpec { contract_size: Some(0.01), ..MarketSpec::bare("BIP-20DEC30-CDE", MarketKind::Perpetual) };
    let wanted = SessionConfig { backfill: Span::mins(5), ..config(vec![spot("BTC-USD"), perp]) };
    let mut taken = 0;
    for _ in 0..count {
        let mut rig = Rig::new(wanted.clone());
        rig.now = Ts::parse("2024-04-04T02:20:00Z").unwrap();
        rig.open(0, 1).trades(1, 0, "update", "BTC-USD", &[(995_098_650, "66000.00", "1", "BUY")]);
        rig.trades(1, 1, "update", "BTC-USD", &[(995_098_670, "66000.00", "1", "BUY")]).wait(66);
        rig.events.clear();
        for request in rig.requests() {
            let from = if request.url.contains("/candles?") {
                &candles
            } else if request.url.contains("/ticker?") {
                &trades
            } else {
                &product
            };
            let damaged = suite::mutated(&[from, &list], &mut next);
            rig.input(&Input::Reply { request: request.id, status: 200, body: &damaged });
        }
        drop((def().instruments)(&[suite::mutated(&[&list], &mut next)]));
        for e in &rig.events {
            taken += 1;
            let sane = match e.payload {
                Payload::Bar(b) => {
                    0.0 < b.low && b.low <= b.high && b.high < 1e12 && b.volume.is_some_and(|v| v >= 0.0)
                }
                Payload::Trade { price, qty, .. } => price > 0.0 && qty > 0.0,
                Payload::Value(v) => (0.0..1e18).contains(&v),
                Payload::Funding { rate, .. } => rate.abs() <= 1.0,
                _ => true,
            };
            assert!(sane, "{e:?}");
        }
    }
    assert!(taken > count / 4, "{taken} facts from {count} rounds");
}

/// Xorshift, as in the suite.
fn suite_random(mut random: u64) -> impl FnMut(usize) -> usize {
    move |below: usize| {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        usize::try_from(random >> 16).unwrap() % below.max(1)
    }
}

/// Every product of the list is a market with a name the rest of the system takes.
#[test]
fn listed_symbols_are_instrument_names() {
    let Some(lines) = lines() else { return };
    let body = lines.iter().find(|l| l.kind == "http").unwrap().data.clone().into_bytes();
    for MarketSpec { symbol, .. } in (def().instruments)(&[body]).unwrap() {
        assert!(barograph_domain::InstrumentName::new("coinbase", &symbol).is_ok(), "{symbol}");
    }
}
