//! Lines of the sheet's conformance checklist (section 6) that are about the socket, by number.

use crate::rig::{Rig, value};
use crate::{
    ALL, ASKS, ASKS_SUM, BIDS, NOW, SUM, asked, btc, deals, depth, kinds, opened, perpetual, push, state, states,
};
use barograph_domain::{GapReason, Metric, Payload, Side, Span, StatusState, Ts};
use barograph_venues::session::{CloseReason, ConnId, Input, MarketIndex, SessionConfig, venue};
use flate2::Compression;
use flate2::write::{GzEncoder, ZlibEncoder};
use std::io::Write as _;

fn gzip(text: &str) -> Vec<u8> {
    let mut packed = GzEncoder::new(Vec::new(), Compression::default());
    packed.write_all(text.as_bytes()).unwrap();
    packed.finish().unwrap()
}

fn top(rig: &Rig) -> Option<(f64, f64)> {
    rig.session.book(MarketIndex(0)).and_then(barograph_venues::session::OrderBook::top)
}

#[test]
fn checklist_01_frames_are_unpacked_and_damaged_ones_close_the_connection() {
    let mut rig = btc(&[Metric::MarkPrice]);
    let text = states(&[state("BTCUSDT", "210.40")]);
    let mut zlib = ZlibEncoder::new(Vec::new(), Compression::fast());
    zlib.write_all(text.as_bytes()).unwrap();
    for bytes in [gzip(&text), zlib.finish().unwrap(), text.clone().into_bytes()] {
        rig.now = rig.now + Span::secs(11);
        rig.input(&Input::Frame { conn: ConnId(1), bytes: &bytes });
    }
    assert_eq!(rig.data(0, Metric::MarkPrice).iter().map(value).collect::<Vec<_>>(), [84_308.1; 3]);
    assert!(rig.faults.is_empty() && rig.closes.is_empty());
    let mut bad = gzip(&text);
    let middle = bad.len() / 2;
    bad[middle] ^= 0xff;
    rig.input(&Input::Frame { conn: ConnId(1), bytes: &bad });
    assert_eq!((kinds(&rig), &rig.closes[..]), (vec!["corrupt_frame"], &[ConnId(1)][..]));
    // Text that is none is a fault, and no reason to go.
    rig.forget();
    rig.frame(1, "{\"method\":");
    assert_eq!((kinds(&rig), rig.closes.len()), (vec!["undecodable"], 0));
}

#[test]
fn checklist_02_a_ping_every_twenty_seconds_and_five_for_the_answer() {
    let pings = |rig: &mut Rig| {
        let pings = rig.sent.iter().filter(|s| s.1 == r#"{"method":"server.ping","params":{},"id":0}"#).count();
        rig.sent.clear();
        pings
    };
    let mut rig = btc(&[Metric::MarkPrice]);
    assert!(rig.session.links().iter().all(|l| l.ping.is_none()) && rig.session.limits().ping_every.is_none());
    for _ in 0..5 {
        rig.wait(19);
        assert_eq!(pings(&mut rig), 0);
        rig.wait(1);
        assert_eq!(pings(&mut rig), 1);
        rig.frame(1, r#"{"id":0,"code":0,"data":{"result":"pong"},"message":"OK"}"#);
    }
    rig.faults.clear();
    rig.wait(20);
    rig.wait(4);
    assert!(rig.closes.is_empty() && pings(&mut rig) == 1);
    rig.wait(1);
    assert_eq!((kinds(&rig), &rig.closes[..]), (vec!["ping_unanswered"], &[ConnId(1)][..]));
    rig.input(&Input::Closed { conn: ConnId(1), reason: CloseReason::Dead });
    rig.forget();
    rig.wait(60);
    assert_eq!((pings(&mut rig), rig.closes.len()), (0, 0), "nothing for a connection that is gone");
    rig.open(0, 2);
    rig.wait(20);
    assert_eq!(pings(&mut rig), 1);
    // Whatever comes shows that it is there.
    rig.wait(4);
    rig.frame(2, &states(&[state("BTCUSDT", "1")]));
    rig.wait(10);
    assert!(rig.closes.is_empty());
}

#[test]
fn checklist_03_a_refused_subscription_is_halved_and_a_throttled_one_rests() {
    let mut rig = opened(&["BTCUSDT", "ETHUSDT"], &[Metric::BestBidAsk], Span::ZERO);
    let both = r#"{"method":"bbo.subscribe","params":{"market_list":["BTCUSDT","ETHUSDT"]},"id":1}"#;
    assert_eq!(rig.sent[0].1, both);
    rig.forget();
    // Data beside a code do not count.
    rig.frame(1, r#"{"id":1,"code":20001,"message":"invalid argument","data":{"result":"pong"}}"#);
    let sent: Vec<_> = rig.sent.iter().map(|s| s.1.contains("ETHUSDT")).collect();
    assert_eq!((kinds(&rig), sent), (vec!["subscription_refused"], vec![false, true]));
    rig.frame(1, r#"{"id":2,"code":0,"message":"OK"}"#);
    rig.frame(1, r#"{"id":3,"code":20001,"message":"invalid argument"}"#);
    let stream = rig.session.continuity().get(MarketIndex(1), Metric::BestBidAsk).unwrap();
    assert_eq!(stream.reason, GapReason::Refused);
    let mut rig = btc(&[Metric::BestBidAsk]);
    rig.forget();
    rig.frame(1, r#"{"id":1,"code":23002,"message":"too frequent"}"#);
    assert_eq!(kinds(&rig), ["rate_limited"]);
    rig.wait(1);
    assert!(!rig.sent.iter().any(|s| s.1.contains("bbo")) && rig.requests.is_empty());
}

#[test]
fn checklist_04_books_are_subscribed_at_a_depth_the_venue_has() {
    for (wanted, asked) in [(1, 5), (10, 10), (15, 20), (50, 50), (200, 50)] {
        let settings =
            SessionConfig { book_depth: wanted, ..crate::config("coinex", vec![perpetual("BTCUSDT")], &ALL) };
        let mut rig = Rig::new(settings, "coinex", NOW);
        rig.open(0, 1);
        let want = format!(
            r#"{{"method":"depth.subscribe","params":{{"market_list":[["BTCUSDT",{asked},"0",false]]}},"id":1}}"#
        );
        assert_eq!(rig.sent[0].1, want);
    }
}

#[test]
fn checklist_05_a_book_whose_texts_differ_is_not_the_venues() {
    let mut rig = btc(&[Metric::Book]);
    rig.frame(1, &depth(true, BIDS, ASKS, SUM));
    assert_eq!((top(&rig), kinds(&rig)), (Some((84_310.5, 84_311.2)), vec![]));
    rig.frame(1, &depth(true, BIDS, &ASKS.replace("84312.0", "84312"), SUM));
    assert_eq!((top(&rig), kinds(&rig)), (None, vec!["checksum_mismatch"]));
}

#[test]
fn checklist_06_checksums_may_be_signed() {
    for sum in [ASKS_SUM, -975_491_012] {
        let mut rig = btc(&[Metric::Book]);
        rig.frame(1, &depth(true, "[]", ASKS, sum));
        assert!(rig.faults.is_empty() && rig.holes().is_empty());
        // A side without orders is nobody's fault: it may come.
        rig.frame(1, &depth(false, BIDS, "[]", SUM));
        assert_eq!(top(&rig), Some((84_310.5, 84_311.2)), "{sum}");
    }
}

#[test]
fn checklist_07_changes_need_a_full_book_and_a_mismatch_is_one_resubscription() {
    let mut rig = btc(&[Metric::Book]);
    rig.forget();
    rig.frame(1, &depth(false, BIDS, "[]", 7));
    assert!(top(&rig).is_none() && rig.faults.is_empty() && rig.sent.is_empty(), "dropped");
    rig.frame(
        1,
        &depth(true, r#"[["84000","1"],["83000","1"]]"#, r#"[["85000","1"]]"#, crc("84000:1:83000:1:85000:1")),
    );
    rig.frame(1, &depth(true, BIDS, ASKS, SUM));
    assert_eq!(top(&rig), Some((84_310.5, 84_311.2)), "replaced");
    let ask = r#"[["84311.2","0"],["84311.9","0.30"]]"#;
    rig.frame(1, &depth(false, "[]", ask, crc("84310.5:0.52:84309.9:1.07:84311.9:0.30:84312.0:2.15")));
    assert_eq!(top(&rig), Some((84_310.5, 84_311.9)));
    assert!(rig.faults.is_empty());
    for _ in 0..4 {
        rig.frame(1, &depth(false, r#"[["84310.6","1"]]"#, "[]", 1));
    }
    assert_eq!((top(&rig), kinds(&rig)), (None, vec!["checksum_mismatch"]));
    assert_eq!(rig.holes(), [(0, Metric::Book, GapReason::ChecksumMismatch)]);
    let verbs: Vec<_> = rig.sent.iter().map(|s| s.1.contains("depth.unsubscribe")).collect();
    assert_eq!(verbs, [true, false], "{:?}", rig.sent);
    rig.frame(1, &depth(true, BIDS, ASKS, SUM));
    assert_eq!(rig.statuses(0, Metric::Book).last(), Some(&(StatusState::Live, GapReason::ChecksumMismatch)));
}

fn crc(text: &str) -> i64 {
    let mut crc = flate2::Crc::new();
    crc.update(text.as_bytes());
    i64::from(crc.sum())
}

#[test]
fn a_book_that_never_fits_is_not_asked_for_in_a_loop() {
    let mut rig = btc(&[Metric::Book]);
    rig.forget();
    for _ in 0..600 {
        rig.frame(1, &depth(true, BIDS, ASKS, 5));
        rig.wait(1);
    }
    let asked = rig.sent.iter().filter(|s| s.1.contains("depth.subscribe")).count();
    assert!((3..200).contains(&asked), "{asked} subscriptions in ten minutes");
}

#[test]
fn checklist_08_deals_are_reported_once_over_reconnects() {
    let mut rig = btc(&[Metric::Trade]);
    // Old ones nobody asked for; newest first.
    rig.frame(1, &deals("BTCUSDT", &[(102, 50), (101, 0)]));
    assert!(rig.data(0, Metric::Trade).is_empty());
    rig.frame(1, &deals("BTCUSDT", &[(104, 900), (103, 800)]));
    rig.frame(1, &deals("BTCUSDT", &[(104, 900)]));
    rig.wait(1);
    rig.close(1);
    rig.open(0, 2);
    rig.frame(2, &deals("BTCUSDT", &[(107, 1_900), (106, 1_100), (104, 900), (102, 50)]));
    rig.frame(2, &deals("BTCUSDT", &[(107, 1_900), (108, 1_950)]));
    let got: Vec<_> = rig.data(0, Metric::Trade).iter().map(|e| (e.seq, crate::rig::is_backfill(e))).collect();
    assert_eq!(got, [(103, false), (104, false), (106, true), (107, true), (108, false)]);
    let want = Payload::Trade { price: 84_310.5, qty: 0.012, aggressor_side: Some(Side::Long) };
    assert_eq!(rig.data(0, Metric::Trade)[0].payload, want);
    // What is missing between is asked for, from the last that was known.
    rig.wait(3);
    let found = asked(&mut rig, "deals");
    assert!(found.len() == 1 && found[0].url.ends_with("/deals?market=BTCUSDT&limit=1000&last_id=104"), "{found:?}");
    // More come before the answer than are remembered.
    let more: Vec<(u64, i64)> = (0..1_100).map(|n| (200 + n, 2_000 + i64::try_from(n).unwrap())).collect();
    rig.frame(2, &deals("BTCUSDT", &more));
    let page = format!("[{},{},{}]", crate::deal(107, 1_900), crate::deal(106, 1_100), crate::deal(105, 1_050));
    rig.reply(found[0].id, 200, &crate::answer(&page, false));
    let last = *rig.data(0, Metric::Trade).last().unwrap();
    assert_eq!((rig.data(0, Metric::Trade).len(), last.seq), (5 + 1_100 + 1, 105));
    assert!(rig.faults.is_empty(), "{:?}", rig.faults);
}

/// The second hole came between the request and its answer, which knows nothing of it.
#[test]
fn a_hole_that_comes_before_the_answer_about_another_is_filled_too() {
    let mut rig = btc(&[Metric::Trade]);
    rig.frame(1, &deals("BTCUSDT", &[(102, 50), (101, 0)]));
    rig.frame(1, &deals("BTCUSDT", &[(104, 900), (103, 800)]));
    rig.wait(1);
    rig.close(1);
    rig.open(0, 2);
    rig.frame(2, &deals("BTCUSDT", &[(107, 1_900), (106, 1_100), (104, 900), (102, 50)]));
    rig.wait(3);
    let first = asked(&mut rig, "deals");
    rig.close(2);
    rig.open(0, 3);
    rig.frame(3, &deals("BTCUSDT", &[(120, 5_900), (119, 5_800)]));
    let page = format!("[{},{},{}]", crate::deal(107, 1_900), crate::deal(106, 1_100), crate::deal(105, 1_050));
    rig.reply(first[0].id, 200, &crate::answer(&page, false));
    rig.wait(5);
    let second = asked(&mut rig, "deals");
    assert!(second.len() == 1 && second[0].url.ends_with("&last_id=107"), "{second:?}");
}

#[test]
fn checklist_10_open_interest_of_socket_and_tickers_is_one_series() {
    let metrics = [Metric::OpenInterest, Metric::OpenInterestUsd];
    let mut rig = opened(&["BTCUSDT", "BTCUSD"], &metrics, Span::hours(2));
    let found = asked(&mut rig, "ticker");
    let ticker = |market: &str| {
        format!(
            r#"{{"market":"{market}","last":"84310.5","volume":"912.40","value":"76480112.4","index_price":"84322.4","mark_price":"84308.1","open_interest_volume":"210.40","period":86400}}"#
        )
    };
    rig.reply(
        found[0].id,
        200,
        &format!(r#"{{"code":0,"data":[{},{}],"message":"OK"}}"#, ticker("BTCUSDT"), ticker("X_SIGNPRICE")),
    );
    rig.now = rig.now + Span::secs(1);
    rig.frame(1, &states(&[state("BTCUSDT", "210.40"), state("BTCUSD", "16861620")]));
    rig.now = rig.now + Span::secs(1);
    rig.frame(1, &states(&[state("BTCUSDT", "211.5")]));
    assert_eq!(rig.data(0, Metric::OpenInterest).iter().map(value).collect::<Vec<_>>(), [210.4, 211.5]);
    let inverse = (value(&rig.data(1, Metric::OpenInterest)[0]), value(&rig.data(1, Metric::OpenInterestUsd)[0]));
    assert_eq!(inverse, (16_861_620.0 / 84_308.1, 16_861_620.0));
    // There is no history, and none is asked for.
    rig.wait(120);
    assert!(rig.events.iter().all(|e| !crate::rig::is_backfill(e)));
    let urls: Vec<_> =
        rig.requests.iter().filter(|r| !r.url.ends_with("/ticker") && !r.url.ends_with("/funding-rate")).collect();
    assert!(urls.is_empty(), "{urls:?}");
    assert!(rig.faults.iter().all(|f| f.kind == "ping_unanswered"), "{:?}", rig.faults);
}

#[test]
fn checklist_11_the_interval_is_between_the_last_settlement_and_the_next() {
    let hour = 3_600_000;
    for hours in [1, 2, 4, 8, 24] {
        let mut rig = btc(&[Metric::FundingRate]);
        let next = format!("\"next_funding_time\":{}", 1_795_075_200_000_i64 + hours * hour);
        rig.frame(1, &states(&[state("BTCUSDT", "1").replace("\"next_funding_time\":1795104000000", &next)]));
        #[expect(clippy::cast_precision_loss, reason = "at most 24")]
        let interval_h = Some(hours as f64);
        let next_ts = Some(Ts::from_millis(1_795_075_200_000 + hours * hour));
        let want = Payload::Funding { rate: 0.000_065_12, interval_h, next_ts, special: false };
        assert_eq!(rig.data(0, Metric::FundingRate)[0].payload, want);
    }
}

#[test]
fn checklist_12_markets_that_are_none_are_passed_over() {
    let mut rig = btc(&[Metric::MarkPrice]);
    rig.frame(1, &states(&[state("ETHUSD_SIGNPRICE", "1"), state("BTCUSDT_INDEXPRICE", "1"), state("BTCUSDT", "1")]));
    assert_eq!((rig.data(0, Metric::MarkPrice).len(), rig.faults.len()), (1, 0));
    // One bad row is that row's.
    rig.now = rig.now + Span::secs(20);
    rig.frame(1, &states(&[state("BTCUSDT", "x")]));
    assert_eq!(kinds(&rig), ["undecodable"]);
    let list = |rows: &str| {
        (venue("coinex").unwrap().instruments)(&[format!(r#"{{"code":0,"data":{rows},"message":"OK"}}"#).into_bytes()])
    };
    assert_eq!(list(r#"[{"market":"ETHUSD_SIGNPRICE","last":"1"}]"#), Ok(vec![]));
}

#[test]
fn best_prices_come_with_the_venues_stamp() {
    let mut rig = opened(&["ETHUSDT"], &[Metric::BestBidAsk], Span::ZERO);
    let bbo = r#"{"market":"ETHUSDT","updated_at":1795078800130,"best_bid_price":"3120.40","best_bid_size":"2.1","best_ask_price":"3120.55","best_ask_size":"1.4"}"#;
    rig.frame(1, &push("bbo", bbo));
    let got = rig.data(0, Metric::BestBidAsk)[0];
    assert_eq!(
        (got.payload, got.event_ts.as_millis()),
        (Payload::BestBidAsk { bid: 3120.4, ask: 3120.55 }, 1_795_078_800_130)
    );
    rig.frame(1, &push("bbo", &bbo.replace("3120.55", "0")));
    assert!(rig.faults.is_empty(), "no orders on one side");
    rig.frame(1, &push("bbo", &bbo.replace("ETHUSDT", "XRPUSDT")));
    rig.frame(1, &push("kline", "{}"));
    assert_eq!(kinds(&rig), ["unknown_symbol", "unknown_topic"]);
}
