//! The suite every session owes, fixtures, and the peer's expected mappings.

use super::checklist::{open, swap};
use super::{ALL, captured_markets};
use crate::rig::{self, Rig, capture, config, fixture, fixtures, value};
use barograph_domain::{MarketKind, Metric, Payload, Side, Span, StatusState, Ts};
use barograph_venues::session::suite::{self, Script};
use barograph_venues::session::{ConnId, Input, MarketIndex, MarketSpec, RequestId, SessionConfig, venue};
use std::io::Read as _;

/// The capture as a script of inputs; history is answered with nothing the venue keeps.
fn script() -> Option<Script> {
    let lines = capture("okx")?;
    let metrics: Vec<Metric> = ALL.into_iter().chain([Metric::PremiumIndex]).collect();
    let wanted = SessionConfig { backfill: Span::hours(1), ..config("okx", captured_markets(&lines), &metrics) };
    let frames: Vec<(Ts, Vec<u8>)> =
        lines.iter().filter(|l| l.kind == "recv").map(|l| (l.ts, l.data.clone().into_bytes())).collect();
    let public = |urls: &[String], _: &[u8]| urls.iter().position(|u| u.ends_with("/public")).unwrap();
    let empty = br#"{"code":"0","msg":"","data":[]}"#;
    Some(Script::record(venue("okx").unwrap().open, wanted, frames, public, |_| Some((200, empty.to_vec()))))
}

#[test]
fn the_suite_holds() {
    let Some(script) = script() else { return };
    let open = venue("okx").unwrap().open;
    suite::is_deterministic(open, &script);
    suite::survives_restarts(open, &script, 23);
    suite::survives_a_new_list(open, &script, "XYZ-USDT-SWAP");
    suite::takes_any_ticks(open, &script);
    suite::declares_what_is_not_offered(open, &script);
    suite::refuses_garbage(open, &script);
}

/// `FUZZ_FRAMES` frames, some thousands without it.
#[test]
fn damaged_frames_say_nothing_impossible() {
    let Some(script) = numbered() else { return };
    let count = std::env::var("FUZZ_FRAMES").ok().and_then(|n| n.parse().ok()).unwrap_or(4_000);
    rig::says_nothing_impossible("okx", &script, count);
}

/// `FUZZ_FRAMES` frames, some thousands without it.
#[test]
fn damaged_frames_neither_panic_nor_grow() {
    let Some(script) = script() else { return };
    let count = std::env::var("FUZZ_FRAMES").ok().and_then(|n| n.parse().ok()).unwrap_or(4_000);
    // Three books of 2 × 800 levels of 16 bytes, their texts, 256 waiting updates each, trades, liquidations, the lag meter.
    let largest = suite::stays_bounded(venue("okx").unwrap().open, &script, count, 1_500_000);
    println!("{count} damaged frames, state at most {largest} bytes");
}

/// The capture has no sequence ids; with ids chained through its books the same messages are of today's form.
fn numbered() -> Option<Script> {
    let mut script = script()?;
    let mut seq = std::collections::BTreeMap::new();
    for (_, step) in &mut script.inputs {
        let suite::Step::Frame(_, bytes) = step else { continue };
        let text = String::from_utf8(bytes.clone()).unwrap();
        if !text.contains("\"checksum\":") {
            continue;
        }
        let name = text.split('"').nth(9).unwrap().to_owned();
        let last: &mut i64 = seq.entry(name).or_insert(-1);
        let next = *last + 7;
        let at = text.find("\"checksum\":").unwrap();
        *bytes = format!("{}\"checksum\":0,\"prevSeqId\":{last},\"seqId\":{next}}}]}}", &text[..at]).into_bytes();
        *last = next;
    }
    assert_eq!(seq.len(), 3);
    Some(script)
}

#[test]
fn hot_messages_allocate_nothing() {
    let Some(script) = numbered() else { return };
    let hot = |bytes: &[u8]| {
        let text = String::from_utf8_lossy(bytes);
        text.contains("\"data\"") && ["\"trades\"", "\"books\"", "\"tickers\""].iter().any(|c| text.contains(c))
    };
    suite::allocates_nothing(venue("okx").unwrap().open, &script, hot, |run| {
        allocation_counter::measure(run).count_total
    });
    let (session, did) = script.run(venue("okx").unwrap().open);
    assert!((0..3).all(|m| session.book(MarketIndex(m)).is_some()));
    assert!(did.iter().all(|d| d.faults.is_empty()));
}

#[test]
fn every_stream_is_lost_and_found_once() {
    let Some(script) = numbered() else { return };
    suite::loses_and_finds_once(venue("okx").unwrap().open, &script, |m| m == Metric::FundingRateSettled);
}

fn at(ms: i64, spec: MarketSpec) -> Rig {
    let mut rig = open(&ALL, spec, Span::ZERO);
    rig.now = Ts::from_millis(ms + 100);
    rig
}

#[test]
fn fixtures_of_other_adapters_map_as_stated() {
    let (Some(jkorf), Some(nautilus)) = (fixtures("jkorf_okx_public"), fixtures("nautilus_okx_public")) else { return };
    let spot = || MarketSpec::bare("BTC-USDT", MarketKind::Spot);
    let sub = |name: &str| fixture(&jkorf, &format!("Subscriptions/Unified/ExchangeData/{name}"));
    // The older snapshot, of which the checksum is that of the documentation and fits nothing: it has ids, so it is accepted.
    let mut rig = at(1_597_026_383_085, spot());
    rig.frame(1, &fixture(&nautilus, "ws_books_snapshot.json"));
    assert_eq!(rig.session.book(MarketIndex(0)).unwrap().top(), Some((8476.97, 8476.98)));
    rig.frame(1, &fixture(&nautilus, "ws_tickers.json"));
    assert_eq!(rig.data(0, Metric::BestBidAsk)[0].payload, Payload::BestBidAsk { bid: 8888.88, ask: 9999.99 });
    assert!(rig.faults.is_empty(), "{:?}", rig.faults);
    // Name and data of the samples often differ: what counts is the subscription.
    let mut rig = at(1_630_048_897_897, MarketSpec::bare("ETH-USDT", MarketKind::Spot));
    rig.frame(1, &sub("Trades.txt"));
    let trade = Payload::Trade { price: 42219.9, qty: 0.12060306, aggressor_side: Some(Side::Long) };
    assert_eq!(rig.data(0, Metric::Trade)[0].payload, trade);
    assert_eq!(rig.data(0, Metric::Trade)[0].seq, 130_639_474);
    let mut rig = at(1_744_590_349_506, swap("BTC-USDT-SWAP", Some(0.01)));
    rig.frame(1, &fixture(&nautilus, "ws_funding_rate.json"));
    let next_ts = Some(Ts::from_millis(1_744_590_349_506));
    let want = Payload::Funding { rate: 0.0001, interval_h: Some(8.0), next_ts, special: false };
    assert_eq!(rig.data(0, Metric::FundingRate)[0].payload, want);
    for (name, ms, metric, want) in [
        ("MarkPrice.txt", 1_597_026_383_085, Metric::MarkPrice, 0.1),
        ("Interest.txt", 1_597_026_383_085, Metric::OpenInterest, 555.55),
        ("FundingRate.txt", 1_700_724_675_402, Metric::FundingRate, 0.0001875391284828),
    ] {
        // The samples name ETH-USDT where a contract has to stand.
        let mut rig = at(ms, swap("ETH-USDT-SWAP", Some(0.1)));
        rig.frame(1, &sub(name).replace("\"instId\": \"ETH-USDT\"", "\"instId\": \"ETH-USDT-SWAP\""));
        assert_eq!(value(&rig.data(0, metric)[0]).to_bits(), f64::to_bits(want), "{name}: {:?}", rig.faults);
    }
    let mut rig = at(1_597_026_383_085, swap("ETH-USDT-SWAP", Some(0.1)));
    rig.frame(1, &sub("IndexTicker.txt"));
    assert_eq!(rig.data(0, Metric::IndexPrice).iter().map(value).collect::<Vec<_>>(), [0.1]);
    // Book of the samples: several messages' worth of text in one file; and options, which nobody asked for.
    let mut rig = at(1_597_026_383_085, spot());
    rig.frame(1, &sub("OptionSummary.txt"));
    assert_eq!(rig.faults[0].kind, "unknown_topic");
}

#[test]
fn instrument_fixtures_map_as_stated() {
    let Some(nautilus) = fixtures("nautilus_okx_public") else { return };
    let read = |name: &str| {
        (venue("okx").unwrap().instruments)(&[fixture(&nautilus, name).into_bytes()])
            .unwrap_or_else(|e| panic!("{name}: {e}"))
    };
    let swaps = read("http_get_instruments_swap.json");
    let of = |symbol: &str| swaps.iter().find(|s| s.symbol == symbol).unwrap();
    let inverse = of("BTC-USD-SWAP");
    assert_eq!((inverse.inverse, inverse.contract_size, inverse.settle.as_deref()), (true, Some(100.0), Some("BTC")));
    let linear = of("ETH-USDT-SWAP");
    assert_eq!((linear.inverse, linear.contract_size, linear.base.as_str()), (false, Some(0.1), "ETH"));
    let dated = &read("http_get_instruments_futures.json")[0];
    assert_eq!((dated.kind, dated.expiry), (MarketKind::DatedFuture, Some(Ts::from_millis(1_734_681_600_000))));
    let spot = &read("http_get_instruments_spot.json")[0];
    assert_eq!((spot.kind, spot.contract_size), (MarketKind::Spot, None));
    assert!(read("http_get_instruments_option.json").is_empty(), "options are left out");
    let time = br#"{"code":"0","msg":"","data":[{"ts":"1597026383085"}]}"#;
    assert_eq!((venue("okx").unwrap().read_time)(time), Some(Ts::from_millis(1_597_026_383_085)));
}

/// The messages of the fifth version, and what a peer makes of them. Its first version ended in 2021 and is not spoken here.
#[test]
fn peer_mappings_of_tardis_agree() {
    let Some(path) = barograph_testkit::recorded("vectors/venue_mapping/tardis_mappers.json.gz") else { return };
    let mut text = String::new();
    flate2::read::GzDecoder::new(std::fs::File::open(path).unwrap()).read_to_string(&mut text).unwrap();
    let all: serde_json::Value = serde_json::from_str(&text).unwrap();
    let okx = &all["map okex messages"];
    let old = okx["inputs"]["messages"].as_array().unwrap().len();
    let inputs = okx["inputs"]["okexV5Messages"].as_array().unwrap();
    let expected = &okx["expected_in_order"].as_array().unwrap()[old..];
    assert_eq!(inputs.len(), expected.len());
    let mut compared = 0;
    for (message, events) in inputs.iter().zip(expected) {
        let symbol = message["arg"]["instId"].as_str().unwrap();
        let mut rig = open(&ALL, MarketSpec::bare(symbol, MarketKind::Spot), Span::ZERO);
        // These two are of channels that are not subscribed; their messages are those of `books` and `trades`.
        let channel = message["arg"]["channel"].as_str().unwrap();
        let ours = channel.replace("books-l2-tbt", "books").replace("trades-all", "trades");
        rig.frame(1, &message.to_string().replace(channel, &ours));
        for event in events.as_array().unwrap() {
            let number = |k: &str| event[k].as_f64().unwrap();
            let at = Ts::parse(event["timestamp"].as_str().unwrap()).unwrap();
            match event["type"].as_str().unwrap() {
                "trade" => {
                    let got = rig.data(0, Metric::Trade)[0];
                    let side = if event["side"] == "buy" { Side::Long } else { Side::Short };
                    let (price, qty) = (number("price"), number("amount"));
                    assert_eq!(got.payload, Payload::Trade { price, qty, aggressor_side: Some(side) });
                    assert_eq!((got.seq.to_string(), got.event_ts), (event["id"].as_str().unwrap().to_owned(), at));
                }
                "book_ticker" => {
                    let got = rig.data(0, Metric::BestBidAsk)[0];
                    let (bid, ask) = (number("bidPrice"), number("askPrice"));
                    assert_eq!((got.payload, got.event_ts), (Payload::BestBidAsk { bid, ask }, at));
                }
                "book_change" if event["isSnapshot"] == true => {
                    // Two of a side's many levels were kept, so its checksum fits nothing; a snapshot without ids that does
                    // not agree with its checksum is refused, with it left out the levels are these.
                    let mut rig = open(&ALL, MarketSpec::bare(symbol, MarketKind::Spot), Span::ZERO);
                    let mut message = message.clone();
                    message["arg"]["channel"] = "books".into();
                    message["data"][0]["checksum"] = 0.into();
                    rig.frame(1, &message.to_string());
                    let book = rig.session.book(MarketIndex(0)).unwrap();
                    let side = |k: &str| {
                        let levels = event[k].as_array().unwrap().iter();
                        levels
                            .map(|l| (l["price"].as_f64().unwrap(), l["amount"].as_f64().unwrap()))
                            .collect::<Vec<_>>()
                    };
                    let bids: Vec<_> = book.bids().map(|l| (book.price(l.units), l.qty)).collect();
                    let asks: Vec<_> = book.asks().map(|l| (book.price(l.units), l.qty)).collect();
                    assert_eq!((bids, asks), (side("bids"), side("asks")));
                }
                // An update without its snapshot: nothing to apply it to, here.
                "book_change" => assert!(rig.session.book(MarketIndex(0)).is_none()),
                other => panic!("{other}"),
            }
            compared += 1;
        }
    }
    assert_eq!(compared, 5);
}

/// After a hole trades are fetched by id, page by page, and merged trades of the socket are not counted again in parts.
#[test]
fn trades_of_a_hole_are_repaired_once() {
    let mut rig = open(&[Metric::Trade], swap("BTC-USDT-SWAP", Some(0.01)), Span::ZERO);
    let live = |id: u64, count: u64, ms: i64| {
        format!(
            r#"{{"arg":{{"channel":"trades","instId":"BTC-USDT-SWAP"}},"data":[{{"instId":"BTC-USDT-SWAP","tradeId":"{id}","px":"100","sz":"1","side":"buy","ts":"{ms}","count":"{count}"}}]}}"#
        )
    };
    let start = 1_795_158_001_000;
    rig.frame(1, &live(100, 1, start));
    rig.close(1);
    rig.now = Ts::from_millis(start + 10_000);
    rig.open(0, 2);
    // Matches 106 to 108 in one.
    rig.frame(2, &live(108, 3, start + 9_900));
    rig.wait(3);
    let first = rig.requests[0].clone();
    assert!(first.url.contains("/history-trades?instId=BTC-USDT-SWAP&type=2&after="), "{}", first.url);
    let rows = |ids: std::ops::RangeInclusive<u64>, ms: i64| {
        let all: Vec<String> = ids
            .rev()
            .map(|id| {
                format!(
                    r#"{{"instId":"BTC-USDT-SWAP","side":"sell","sz":"2","px":"100","tradeId":"{id}","ts":"{ms}"}}"#
                )
            })
            .collect();
        format!(r#"{{"code":"0","msg":"","data":[{}]}}"#, all.join(","))
    };
    rig.reply(first.id, 200, &rows(104..=108, start + 5_000));
    let second = rig.requests[1].clone();
    assert!(second.url.contains("&type=1&after=104&"), "{}", second.url);
    rig.reply(second.id, 200, &rows(97..=103, start - 1));
    let got: Vec<_> = rig.data(0, Metric::Trade).iter().map(|e| (e.seq, rig::is_backfill(e))).collect();
    assert_eq!(
        got,
        [(100, false), (108, false), (104, true), (105, true)],
        "older than the hole's beginning is not in it"
    );
    rig.wait(30);
    assert_eq!(rig.requests.len(), 2, "done");
}

#[test]
fn history_pages_go_forward_and_keep_to_what_the_venue_keeps() {
    let metrics = [Metric::OpenInterest, Metric::FundingRate, Metric::FundingRateSettled];
    let mut rig = open(&metrics, swap("BTC-USDT-SWAP", Some(0.01)), Span::days(30));
    let one = |channel: &str, row: &str| {
        format!(r#"{{"arg":{{"channel":"{channel}","instId":"BTC-USDT-SWAP"}},"data":[{row}]}}"#)
    };
    rig.frame(
        1,
        &one(
            "open-interest",
            r#"{"instId":"BTC-USDT-SWAP","oi":"5","oiCcy":"0.05","oiUsd":"4500","ts":"1795158001000"}"#,
        ),
    );
    rig.frame(1, &one("funding-rate", r#"{"instId":"BTC-USDT-SWAP","fundingRate":"0.0001","fundingTime":"1795161600000","nextFundingTime":"1795190400000","ts":"1795158001000"}"#));
    rig.wait(2);
    let find = |rig: &Rig, part: &str| rig.requests.iter().find(|r| r.url.contains(part)).expect("asked").clone();
    let interest = find(&rig, "open-interest-history?instId=BTC-USDT-SWAP&period=5m&begin=");
    let begin: i64 = interest.url.split("begin=").nth(1).unwrap().split('&').next().unwrap().parse().unwrap();
    assert!(rig.now.as_millis() - begin < 6 * 86_400_000, "five days are kept");
    let bucket = begin - begin % 300_000 + 300_000;
    let rows = format!(
        r#"{{"code":"0","msg":"","data":[["{}","500","5.5","450000"],["{bucket}","400","4.5","350000"]]}}"#,
        bucket + 300_000
    );
    rig.reply(interest.id, 200, &rows);
    let past: Vec<_> = rig.data(0, Metric::OpenInterest).into_iter().filter(rig::is_backfill).collect();
    let got: Vec<_> = past.iter().map(|e| (e.event_ts.as_millis(), value(e))).collect();
    assert_eq!(
        got,
        [(bucket + 300_000, 4.5), (bucket + 600_000, 5.5)],
        "base units, known at the end of their five minutes"
    );
    let funding = find(&rig, "/funding-rate-history?instId=BTC-USDT-SWAP&before=");
    let paid = rig.now.as_millis() - 29 * 86_400_000;
    let paid = paid - paid % 28_800_000;
    rig.reply(funding.id, 200, &format!(r#"{{"code":"0","msg":"","data":[{{"instType":"SWAP","instId":"BTC-USDT-SWAP","fundingRate":"0.0001515032","realizedRate":"0.00015","fundingTime":"{paid}"}}]}}"#));
    let settled = rig.data(0, Metric::FundingRateSettled);
    assert_eq!((settled.len(), value(&settled[0]), settled[0].event_ts.as_millis()), (1, 0.00015, paid));
    assert!(rig::is_backfill(&settled[0]));
    // Wrong parameters stay wrong: not asked again.
    let next = rig.requests.last().unwrap().clone();
    let asked = rig.requests.len();
    rig.reply(next.id, 200, r#"{"code":"51000","msg":"Parameter begin error","data":[]}"#);
    assert_eq!(rig.faults.iter().map(|f| f.kind).collect::<Vec<_>>(), ["error_reply"]);
    let metric = if next.url.contains("open-interest") { "open-interest" } else { "funding" };
    rig.wait(60);
    assert!(rig.requests[asked..].iter().all(|r| !r.url.contains(metric)), "{metric}");
}

/// Rows as the official page shows them, `[ts, ratio]`; no capture has any.
#[test]
fn ratios_of_contracts_are_polled() {
    const RATIOS: [(Metric, &str); 3] = [
        (Metric::LongShortRatio, "/long-short-account-ratio-contract?"),
        (Metric::TopTraderAccountRatio, "/long-short-account-ratio-contract-top-trader?"),
        (Metric::TopTraderPositionRatio, "/long-short-position-ratio-contract-top-trader?"),
    ];
    let metrics: Vec<Metric> = RATIOS.iter().map(|(m, _)| *m).chain([Metric::Bar]).collect();
    let mut rig = open(&metrics, swap("BTC-USDT-SWAP", Some(0.01)), Span::ZERO);
    let asked = |rig: &Rig, path: &str| -> Vec<(RequestId, String)> {
        rig.requests.iter().filter(|r| r.url.contains(path)).map(|r| (r.id, r.url.clone())).collect()
    };
    rig.wait(1);
    let begun = rig.now.floor(Span::mins(5)) - Span::mins(5);
    for (n, (metric, path)) in (0_u32..).zip(RATIOS) {
        let found = asked(&rig, path);
        assert_eq!(found.len(), 1, "{path}: {found:?}");
        let (id, url) = found[0].clone();
        assert!(url.contains("/api/v5/rubik/stat/contracts/"), "{url}");
        assert!(url.ends_with("?instId=BTC-USDT-SWAP&period=5m&limit=1"), "{url}");
        let rows = format!(r#"{{"code":"0","msg":"","data":[["{}","1.{n}739"]]}}"#, begun.as_millis());
        rig.reply(id, 200, &rows);
        let got: Vec<_> = rig.data(0, metric).iter().map(|e| (e.event_ts, value(e), rig::is_backfill(e))).collect();
        let want: f64 = format!("1.{n}739").parse().unwrap();
        assert_eq!(got, [(begun + Span::mins(5), want, false)], "{metric:?}: known when its five minutes are over");
    }
    // Five minutes later again: the same row is nothing new, an empty list is none yet, anything else is said.
    rig.wait(301);
    let again: Vec<_> = RATIOS.iter().map(|(_, path)| asked(&rig, path)[1].0).collect();
    rig.faults.clear();
    rig.reply(again[0], 200, &format!(r#"{{"code":"0","msg":"","data":[["{}","1.5"]]}}"#, begun.as_millis()));
    rig.reply(again[1], 200, r#"{"code":"0","msg":"","data":[]}"#);
    assert!(rig.faults.is_empty(), "{:?}", rig.faults);
    rig.reply(again[2], 200, r#"{"code":"0","msg":"","data":[["1795158000000","none"]]}"#);
    assert_eq!(rig.faults.iter().map(|f| f.kind).collect::<Vec<_>>(), ["undecodable"]);
    assert!(RATIOS.iter().all(|(metric, _)| rig.data(0, *metric).len() == 1));
}

#[test]
fn spot_has_no_ratios() {
    let spec = MarketSpec::bare("BTC-USDT", MarketKind::Spot);
    let mut rig = open(&[Metric::LongShortRatio, Metric::Bar], spec, Span::ZERO);
    rig.wait(2);
    assert_eq!(rig.state(0, Metric::LongShortRatio), Some(StatusState::NotOffered));
    assert!(rig.requests.iter().all(|r| !r.url.contains("ratio")));
}

#[test]
fn markets_can_be_changed_while_running() {
    let mut rig = open(&ALL, swap("BTC-USDT-SWAP", Some(0.01)), Span::ZERO);
    assert_eq!(rig.session.links().len(), 2, "public and business");
    rig.forget();
    let now = [swap("BTC-USDT-SWAP", Some(0.01)), swap("ETH-USDT-SWAP", Some(0.1))];
    rig.input(&Input::Markets(&now));
    assert_eq!(rig.sent.len(), 2, "one request per connection: {:?}", rig.sent);
    assert!(rig.sent.iter().all(|s| s.1.contains("ETH-USDT-SWAP") && !s.1.contains("BTC")));
    let mark = r#"{"arg":{"channel":"mark-price","instId":"ETH-USDT-SWAP"},"data":[{"instId":"ETH-USDT-SWAP","markPx":"3000","ts":"1795158001000"}]}"#;
    rig.frame(1, mark);
    assert_eq!(rig.data(1, Metric::MarkPrice).len(), 1);
    let (open, beginning) = (venue("okx").unwrap().open, config("okx", now[..1].to_vec(), &ALL));
    let another = mark.replace("3000", "3001").replace("1795158001000", "1795158001200");
    suite::knows_what_was_added(open, beginning, &mut *rig.session, rig.now, ConnId(1), another.as_bytes());
    rig.forget();
    rig.input(&Input::Markets(&now[1..]));
    assert!(rig.sent.iter().all(|s| s.1.contains("\"unsubscribe\"") && !s.1.contains("ETH")), "{:?}", rig.sent);
    rig.frame(1, r#"{"arg":{"channel":"mark-price","instId":"BTC-USDT-SWAP"},"data":[{"instId":"BTC-USDT-SWAP","markPx":"3000","ts":"1795158001000"}]}"#);
    assert!(rig.data(0, Metric::MarkPrice).is_empty() && rig.faults.is_empty(), "still under way");
    assert_eq!(rig.session.streams().len(), 20);
}
