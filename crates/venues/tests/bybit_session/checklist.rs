//! Every line of the sheet's conformance checklist (section 7), by number.

use super::{ALL, book, open_one};
use crate::rig::{Rig, config, is_backfill, linear, value};
use barograph_domain::{GapReason, MarketKind, Metric, Payload, Side, Span, StatusState, Ts};
use barograph_venues::session::{BaseAddresses, MarketSpec, SessionConfig, suite, venue};

const NOW: Ts = Ts::from_millis(1_795_078_800_000);

fn with_history(metrics: &[Metric], spec: MarketSpec) -> Rig {
    let wanted = SessionConfig { backfill: Span::hours(2), ..config("bybit", vec![spec], metrics) };
    let mut rig = Rig::new(wanted, "bybit", NOW);
    rig.open(0, 1);
    rig
}

fn ticker(kind: &str, ms: i64, fields: &str) -> String {
    format!(r#"{{"topic":"tickers.BTCUSDT","type":"{kind}","data":{{"symbol":"BTCUSDT",{fields}}},"cs":1,"ts":{ms}}}"#)
}

fn kline(start: i64, confirm: bool) -> String {
    format!(
        r#"{{"topic":"kline.1.BTCUSDT","type":"snapshot","ts":{},"data":[{{"start":{start},"end":{},"interval":"1","open":"100.1","close":"100.2","high":"100.3","low":"100.0","volume":"4","turnover":"400.5","confirm":{confirm},"timestamp":1}}]}}"#,
        start + 1_000,
        start + 59_999
    )
}

#[test]
fn checklist_01_ping_and_both_pongs() {
    let mut rig = open_one();
    let limits = rig.session.limits();
    assert_eq!(limits.ping_every, Some(Span::secs(20)));
    assert!(limits.dead_after > Span::secs(40) && limits.dead_after < Span::secs(60), "two pongs may be missed");
    assert_eq!(rig.session.links()[0].ping.as_deref(), Some(r#"{"op":"ping"}"#));
    rig.frame(1, r#"{"success":true,"ret_msg":"pong","conn_id":"c","req_id":"p1","op":"ping"}"#);
    rig.frame(1, r#"{"op":"pong","args":["1795078800999"],"conn_id":"c"}"#);
    assert!(rig.faults.is_empty() && rig.events.iter().all(|e| matches!(e.payload, Payload::Status(_))));
}

#[test]
fn checklist_02_http_403_stops_all_requests_for_ten_minutes() {
    for (body, kind) in [("access too frequent", "rate_limited"), ("Forbidden", "region_refused")] {
        let mut rig = with_history(&[Metric::Bar], linear("BTCUSDT", "0.1"));
        rig.frame(1, &kline(1_795_078_800_000, false));
        rig.wait(3);
        assert_eq!(rig.requests.len(), 1, "{:?}", rig.requests);
        let id = rig.requests[0].id;
        rig.reply(id, 403, body);
        assert_eq!(rig.faults.iter().map(|f| f.kind).collect::<Vec<_>>(), [kind]);
        rig.requests.clear();
        rig.wait(599);
        assert!(rig.requests.is_empty(), "{kind}");
        rig.wait(3);
        assert_eq!(rig.requests.len(), 1, "{kind}");
    }
}

#[test]
fn checklist_03_a_ret_code_is_an_error_at_http_200() {
    let mut rig = with_history(&[Metric::Bar], linear("BTCUSDT", "0.1"));
    rig.frame(1, &kline(1_795_078_800_000, false));
    rig.wait(3);
    let id = rig.requests[0].id;
    rig.reply(id, 200, r#"{"retCode":10001,"retMsg":"params error","result":{},"time":1795078803000}"#);
    assert_eq!(rig.faults.iter().map(|f| f.kind).collect::<Vec<_>>(), ["error_reply"]);
    assert!(rig.faults[0].detail.contains("10001"), "{}", rig.faults[0].detail);
    assert!(rig.data(0, Metric::Bar).is_empty());
    rig.wait(6);
    assert_eq!(rig.requests.len(), 2, "asked again");
    let lists = [br#"{"retCode":10016,"retMsg":"server error","result":{},"time":1}"#.to_vec()];
    assert!((venue("bybit").unwrap().instruments)(&lists).unwrap_err().contains("10016"));
}

/// A session wants levels, not a topic: any request is served by the next deeper topic there is, so 500 is never asked for.
#[test]
fn checklist_04_only_existing_depths_are_subscribed() {
    for (wanted, topic) in [(1, 50), (20, 50), (50, 50), (51, 200), (200, 200), (500, 1_000), (5_000, 1_000)] {
        let spec = linear("BTCUSDT", "0.1");
        let wanted = SessionConfig { book_depth: wanted, ..config("bybit", vec![spec], &[Metric::Book]) };
        let mut rig = Rig::new(wanted, "bybit", NOW);
        rig.open(0, 1);
        assert!(rig.sent[0].1.contains(&format!("\"orderbook.{topic}.BTCUSDT\"")), "{}", rig.sent[0].1);
    }
}

#[test]
fn checklist_05_a_delta_before_the_snapshot_is_dropped() {
    let mut rig = open_one();
    rig.frame(1, &book("delta", 5, r#"[["100.1","1"]]"#, r#"[["100.3","1"]]"#));
    assert!(rig.session.book(barograph_venues::session::MarketIndex(0)).is_none());
    assert!(rig.data(0, Metric::Book).is_empty());
    assert_eq!(rig.state(0, Metric::Book), Some(StatusState::Resync));
}

#[test]
fn checklist_06_a_snapshot_or_u_1_replaces_the_book() {
    let top = |rig: &Rig| rig.session.book(barograph_venues::session::MarketIndex(0)).unwrap().top().unwrap();
    for (kind, u) in [("snapshot", 3), ("delta", 1), ("snapshot", 1)] {
        let mut rig = open_one();
        rig.frame(1, &book("snapshot", 700, r#"[["100.1","1"],["100.0","2"]]"#, r#"[["100.3","1"]]"#));
        rig.frame(1, &book(kind, u, r#"[["90.1","1"]]"#, r#"[["90.3","1"]]"#));
        assert_eq!(top(&rig), (90.1, 90.3), "{kind} {u}");
        rig.frame(1, &book("delta", u + 1, r#"[["90.2","1"]]"#, "[]"));
        assert_eq!(top(&rig), (90.2, 90.3), "{kind} {u}");
        assert!(rig.holes().is_empty());
    }
}

#[test]
fn checklist_07_deleting_the_absent_is_harmless_and_sides_stay_sorted() {
    let mut rig = open_one();
    rig.frame(1, &book("snapshot", 6, r#"[["100.1","1"],["99.8","2"]]"#, r#"[["100.3","1"],["100.9","3"]]"#));
    rig.frame(1, &book("delta", 7, r#"[["99.5","0"],["100.0","5"],["99.9","4"]]"#, r#"[["100.5","2"],["101.0","0"]]"#));
    let book = rig.session.book(barograph_venues::session::MarketIndex(0)).unwrap();
    let bids: Vec<f64> = book.bids().map(|l| book.price(l.units)).collect();
    let asks: Vec<f64> = book.asks().map(|l| book.price(l.units)).collect();
    assert_eq!((bids, asks), (vec![100.1, 100.0, 99.9, 99.8], vec![100.3, 100.5, 100.9]));
    assert!(rig.faults.is_empty() && rig.holes().is_empty());
}

#[test]
fn checklist_08_u_has_to_rise_by_one_and_seq_is_no_test() {
    for u in [6, 5, 8] {
        let mut rig = open_one();
        rig.frame(1, &book("snapshot", 6, r#"[["100.1","1"]]"#, r#"[["100.3","1"]]"#));
        rig.frame(1, &book("delta", u, r#"[["100.2","1"]]"#, "[]"));
        assert_eq!(rig.holes(), [(0, Metric::Book, GapReason::SequenceJump)], "{u}");
        assert_eq!(rig.faults.iter().map(|f| f.kind).collect::<Vec<_>>(), ["sequence_jump"]);
        assert!(rig.sent.last().unwrap().1.contains("subscribe"));
    }
    let mut rig = open_one();
    rig.frame(1, &book("snapshot", 6, r#"[["100.1","1"]]"#, r#"[["100.3","1"]]"#));
    for (u, seq) in [(7, 1), (8, 99_999), (9, 5)] {
        rig.frame(1, &book("delta", u, r#"[["100.2","1"]]"#, "[]").replace("\"seq\":9", &format!("\"seq\":{seq}")));
    }
    assert!(rig.holes().is_empty() && rig.faults.is_empty());
    // The awaited snapshot does not come: asked for again, ever more slowly.
    rig.frame(1, &book("delta", 20, "[]", "[]"));
    rig.sent.clear();
    rig.wait(100);
    let subscribed = rig.sent.iter().filter(|s| s.1.contains("\"subscribe\"") && s.1.contains("orderbook")).count();
    assert_eq!(subscribed, 4, "after 5, 10, 20 and 40 s");
    rig.frame(1, &book("snapshot", 60, r#"[["100.1","1"]]"#, r#"[["100.3","1"]]"#));
    assert_eq!(rig.state(0, Metric::Book), Some(StatusState::Live));
}

/// A way that loses frames: every loss is a gap that is declared, however many there are, and a book that breaks all the time
/// is asked for less and less often.
#[test]
fn checklist_08_frequent_jumps_are_never_tolerated() {
    let mut rig = open_one();
    let mut u = 10;
    for n in 0..4 {
        rig.frame(1, &book("snapshot", u, r#"[["100.1","1"]]"#, r#"[["100.3","1"]]"#));
        assert_eq!(rig.state(0, Metric::Book), Some(StatusState::Live));
        rig.forget();
        rig.frame(1, &book("delta", u + 5, r#"[["100.2","1"]]"#, "[]"));
        assert_eq!(rig.holes(), [(0, Metric::Book, GapReason::SequenceJump)], "jump {n}");
        assert_eq!(rig.state(0, Metric::Book), Some(StatusState::Resync));
        let asked = rig.sent.iter().any(|s| s.1.contains("\"subscribe\"") && s.1.contains("orderbook"));
        assert_eq!(asked, n < 3, "jump {n}: {:?}", rig.sent);
        u += 10;
    }
    rig.frame(1, &book("delta", u + 6, r#"[["100.0","1"]]"#, "[]"));
    assert_eq!(rig.state(0, Metric::Book), Some(StatusState::Resync), "ids that rise are not enough");
    rig.forget();
    rig.wait(6);
    let subscribed = rig.sent.iter().filter(|s| s.1.contains("\"subscribe\"") && s.1.contains("orderbook")).count();
    assert_eq!(subscribed, 1, "{:?}", rig.sent);
    rig.frame(1, &book("snapshot", 900, r#"[["100.1","1"]]"#, r#"[["100.3","1"]]"#));
    assert_eq!(rig.state(0, Metric::Book), Some(StatusState::Live));
}

#[test]
fn checklist_09_ticker_deltas_merge_and_a_reconnect_starts_over() {
    let mut rig = open_one();
    rig.frame(1, &ticker("delta", 1_795_078_800_000, r#""markPrice":"90""#));
    assert!(rig.data(0, Metric::MarkPrice).is_empty(), "a delta before the snapshot");
    assert!(rig.faults.is_empty(), "which is no mistake of the venue: {:?}", rig.faults);
    let all = r#""markPrice":"100.5","indexPrice":"100.6","bid1Price":"100.1","ask1Price":"100.2""#;
    rig.frame(1, &ticker("snapshot", 1_795_078_800_100, all));
    rig.frame(1, &ticker("delta", 1_795_078_800_200, r#""ask1Price":"100.3""#));
    assert_eq!(rig.data(0, Metric::BestBidAsk)[1].payload, Payload::BestBidAsk { bid: 100.1, ask: 100.3 });
    assert_eq!(rig.data(0, Metric::MarkPrice).iter().map(value).collect::<Vec<_>>(), [100.5]);
    rig.now = rig.now + Span::secs(11);
    rig.frame(1, &ticker("delta", 1_795_078_811_200, r#""bid1Price":"100.2""#));
    assert_eq!(rig.data(0, Metric::MarkPrice).iter().map(value).collect::<Vec<_>>(), [100.5, 100.5], "still true");
    rig.close(1);
    rig.open(0, 2);
    rig.frame(2, &ticker("delta", 1_795_078_811_300, r#""bid1Price":"100.1""#));
    assert_eq!(rig.state(0, Metric::MarkPrice), Some(StatusState::Gap), "the old state is gone");
    rig.frame(2, &ticker("snapshot", 1_795_078_811_400, all));
    assert_eq!(rig.state(0, Metric::MarkPrice), Some(StatusState::Live));
}

#[test]
fn checklist_10_a_liquidated_buy_is_a_long_at_its_bankruptcy_price() {
    let frame = |data: &str| {
        format!(r#"{{"topic":"allLiquidation.BTCUSDT","type":"snapshot","ts":1795078800204,"data":{data}}}"#)
    };
    let one = |ms: i64, side: &str| format!(r#"{{"T":{ms},"s":"BTCUSDT","S":"{side}","v":"41.5","p":"152.310"}}"#);
    let mut rig = open_one();
    rig.frame(1, &frame(&format!("[{},{}]", one(1_795_078_800_001, "Buy"), one(1_795_078_800_002, "Sell"))));
    rig.frame(1, &frame(&one(1_795_078_800_003, "Buy")).replace("\"ts\":1795078800204", "\"ts\":\"1795078800204\""));
    let sides: Vec<_> = rig
        .data(0, Metric::Liquidation)
        .iter()
        .map(|e| match e.payload {
            Payload::Liquidation { liquidated_side, price, qty } => (liquidated_side, price, qty),
            other => panic!("{other:?}"),
        })
        .collect();
    let want = [Side::Long, Side::Short, Side::Long].map(|s| (s, 152.31, 41.5));
    assert_eq!(sides, want);
    assert!(rig.faults.is_empty());
}

#[test]
fn checklist_11_open_interest_is_one_sided() {
    let mut rig = open_one();
    rig.frame(1, &ticker("snapshot", 1_795_078_800_100, r#""markPrice":"100","openInterest":"52000.5""#));
    rig.frame(1, &ticker("delta", 1_795_078_800_200, r#""openInterest":"52000","singleOpenInterest":"26001""#));
    let got: Vec<f64> = rig.data(0, Metric::OpenInterest).iter().map(value).collect();
    assert_eq!(got, [26_000.25, 26_001.0], "halved until the one-sided number is there");

    let inverse = MarketSpec { inverse: true, ..linear("BTCUSDT", "0.1") };
    let metrics = [Metric::OpenInterest, Metric::OpenInterestUsd];
    let mut rig = Rig::new(config("bybit", vec![inverse], &metrics), "bybit", NOW);
    rig.open(0, 1);
    let fields = r#""markPrice":"50000","singleOpenInterest":"1000000""#;
    rig.frame(1, &ticker("snapshot", 1_795_078_800_100, fields));
    assert_eq!(rig.data(0, Metric::OpenInterestUsd).iter().map(value).collect::<Vec<_>>(), [1_000_000.0]);
    assert_eq!(rig.data(0, Metric::OpenInterest).iter().map(value).collect::<Vec<_>>(), [20.0]);

    let mut rig = with_history(&[Metric::OpenInterest], linear("BTCUSDT", "0.1"));
    rig.frame(1, &ticker("snapshot", 1_795_078_800_100, r#""markPrice":"100","openInterest":"52000""#));
    rig.wait(3);
    assert!(rig.requests[0].url.contains("/v5/market/open-interest?category=linear"), "{}", rig.requests[0].url);
    let rows = r#"[{"openInterest":"52000.0","singleOpenInterest":"26001.0","timestamp":"1795078500000"},{"openInterest":"51000.0","timestamp":"1795078200000"}]"#;
    let id = rig.requests[0].id;
    rig.reply(id, 200, &answer(rows));
    let past: Vec<_> = rig.data(0, Metric::OpenInterest).into_iter().filter(is_backfill).collect();
    let got: Vec<_> = past.iter().map(|e| (e.event_ts.as_millis(), value(e))).collect();
    assert_eq!(got, [(1_795_078_200_000, 25_500.0), (1_795_078_500_000, 26_001.0)], "oldest first");
}

fn answer(rows: &str) -> String {
    format!(
        r#"{{"retCode":0,"retMsg":"OK","result":{{"category":"linear","symbol":"BTCUSDT","list":{rows}}},"retExtInfo":{{}},"time":1795078804000}}"#
    )
}

#[test]
fn checklist_12_funding_history_always_has_both_ends() {
    let mut rig = with_history(&[Metric::FundingRateSettled, Metric::FundingRate], linear("BTCUSDT", "0.1"));
    let fields =
        r#""markPrice":"100","fundingRate":"0.0001","nextFundingTime":"1795104000000","fundingIntervalHour":"8""#;
    rig.frame(1, &ticker("snapshot", 1_795_078_800_100, fields));
    rig.wait(3);
    let url = rig.requests[0].url.clone();
    assert!(url.contains("/funding/history?") && url.contains("&startTime=") && url.contains("&endTime="), "{url}");
    let row = r#"[{"symbol":"BTCUSDT","fundingRate":"0.00004871","fundingRateTimestamp":"1795075200000"}]"#;
    let id = rig.requests[0].id;
    rig.reply(id, 200, &answer(row));
    let past = rig.data(0, Metric::FundingRateSettled);
    assert_eq!((past.len(), past[0].event_ts.as_millis(), value(&past[0])), (1, 1_795_075_200_000, 0.00004871));
    // A settlement: the ticker moves on, the row is fetched until it is there, and is then as live as it gets.
    rig.forget();
    rig.now = Ts::from_millis(1_795_104_001_000);
    let next = r#""nextFundingTime":"1795132800000","fundingRate":"0.00012""#;
    rig.frame(1, &ticker("delta", 1_795_104_000_900, next));
    rig.wait(6);
    let url = rig.requests[0].url.clone();
    assert!(url.contains("startTime=") && url.contains("endTime="), "{url}");
    let id = rig.requests[0].id;
    rig.reply(id, 200, &answer("[]"));
    assert!(rig.data(0, Metric::FundingRateSettled).is_empty());
    rig.wait(6);
    assert_eq!(rig.requests.len(), 2, "asked again");
    let id = rig.requests[1].id;
    rig.reply(id, 200, &answer(&row.replace("1795075200000", "1795104000000")));
    let settled = rig.data(0, Metric::FundingRateSettled);
    assert_eq!((settled.len(), settled[0].event_ts.as_millis()), (1, 1_795_104_000_000));
    assert!(!is_backfill(&settled[0]));
}

/// The program was away over two settlements: both are fetched. Away over none: the stream is whole as soon as that shows.
#[test]
fn checklist_12_settlements_of_an_absence_are_fetched() {
    let mut rig = with_history(&[Metric::FundingRateSettled], linear("BTCUSDT", "0.1"));
    let fields = |next: i64| {
        format!(r#""markPrice":"100","fundingRate":"0.0001","nextFundingTime":"{next}","fundingIntervalHour":"8""#)
    };
    rig.frame(1, &ticker("snapshot", 1_795_078_800_100, &fields(1_795_104_000_000)));
    rig.wait(3);
    let row = |ms: i64| format!(r#"{{"symbol":"BTCUSDT","fundingRate":"0.0001","fundingRateTimestamp":"{ms}"}}"#);
    let id = rig.requests[0].id;
    rig.reply(id, 200, &answer(&format!("[{}]", row(1_795_075_200_000))));
    let stop = |rig: &mut Rig, conn: u32| {
        rig.input(&barograph_venues::session::Input::Closed {
            conn: barograph_venues::session::ConnId(conn),
            reason: barograph_venues::session::CloseReason::Stopping,
        });
    };
    stop(&mut rig, 1);
    assert_eq!(rig.state(0, Metric::FundingRateSettled), Some(StatusState::Gap));
    rig.open(0, 2);
    rig.frame(2, &ticker("snapshot", 1_795_078_805_100, &fields(1_795_104_000_000)));
    assert_eq!(rig.state(0, Metric::FundingRateSettled), Some(StatusState::Live), "none was missed");
    stop(&mut rig, 2);
    rig.forget();
    rig.now = Ts::from_millis(1_795_140_000_000);
    rig.open(0, 3);
    rig.frame(3, &ticker("snapshot", 1_795_140_000_100, &fields(1_795_161_600_000)));
    rig.wait(6);
    let id = rig.requests[0].id;
    let rows = format!("[{},{}]", row(1_795_132_800_000), row(1_795_104_000_000));
    rig.reply(id, 200, &answer(&rows).replace("1795078804000", "1795140006000"));
    let got: Vec<i64> = rig.data(0, Metric::FundingRateSettled).iter().map(|e| e.event_ts.as_millis()).collect();
    assert_eq!(got, [1_795_104_000_000, 1_795_132_800_000]);
    assert_eq!(rig.state(0, Metric::FundingRateSettled), Some(StatusState::Live));
}

#[test]
fn checklist_13_instrument_lists_are_paged_to_their_end() {
    let page = |cursor: &str, symbol: &str| {
        format!(
            r#"{{"retCode":0,"retMsg":"OK","result":{{"category":"linear","list":[{{"symbol":"{symbol}","contractType":"LinearPerpetual","status":"Trading","baseCoin":"BTC","quoteCoin":"USDT","settleCoin":"USDT","deliveryTime":"0","fundingInterval":480,"priceFilter":{{"tickSize":"0.10"}},"lotSizeFilter":{{"qtyStep":"0.001"}}}}],"nextPageCursor":"{cursor}"}},"time":1795078804000}}"#
        )
        .into_bytes()
    };
    let host = BaseAddresses { rest: "http://h".into(), ws: "ws://h".into() };
    let first = page("first%3DBTC%26last%3DETH", "AUSDT");
    let def = venue("bybit").unwrap();
    let asks = (def.discovery)(&host);
    let next = (def.further)(&host, &asks[0], &first).unwrap();
    assert!(next.url.ends_with("&cursor=first%3DBTC%26last%3DETH"), "verbatim: {}", next.url);
    assert!(next.url.contains("category=linear"));
    let last = page("", "BUSDT");
    assert_eq!((def.further)(&host, &next, &last), None);
    let all = (def.instruments)(&[first, last]).unwrap();
    assert_eq!(all.iter().map(|s| s.symbol.as_str()).collect::<Vec<_>>(), ["AUSDT", "BUSDT"]);
    assert!(asks.iter().filter(|a| a.url.contains("instruments-info")).all(|a| a.url.contains("limit=1000")));
}

#[test]
fn checklist_14_intervals_are_minutes_in_one_place_and_hours_in_the_other() {
    let mut rig = open_one();
    let fields = |h: &str| {
        format!(
            r#""markPrice":"100","fundingRate":"0.0001","nextFundingTime":"1795104000000","fundingIntervalHour":"{h}""#
        )
    };
    rig.frame(1, &ticker("snapshot", 1_795_078_800_100, &fields("8")));
    rig.frame(1, &ticker("delta", 1_795_078_800_200, r#""fundingIntervalHour":"8""#));
    rig.frame(1, &ticker("delta", 1_795_078_800_300, r#""fundingIntervalHour":"4""#));
    let hours: Vec<_> = rig
        .data(0, Metric::FundingRate)
        .iter()
        .map(|e| if let Payload::Funding { interval_h, .. } = e.payload { interval_h } else { panic!() })
        .collect();
    assert_eq!(hours, [Some(8.0), Some(4.0)], "a change is an event, no change is none");
    let list = |m: u32| {
        format!(r#"{{"retCode":0,"result":{{"category":"linear","list":[{{"symbol":"X","contractType":"LinearPerpetual","status":"Trading","baseCoin":"X","quoteCoin":"USDT","fundingInterval":{m},"priceFilter":{{"tickSize":"0.1"}}}}]}},"time":1}}"#).into_bytes()
    };
    for (minutes, hours) in [(480, Some(8.0)), (60, Some(1.0)), (0, None)] {
        let specs = (venue("bybit").unwrap().instruments)(&[list(minutes)]).unwrap();
        assert_eq!(specs[0].funding_interval_h, hours, "{minutes}");
    }
}

#[test]
fn checklist_15_symbols_map_to_coins() {
    let row = |symbol: &str, base: &str, quote: &str| {
        format!(
            r#"{{"symbol":"{symbol}","contractType":"LinearPerpetual","status":"Trading","baseCoin":"{base}","quoteCoin":"{quote}","settleCoin":"{quote}","deliveryTime":"0","fundingInterval":480,"priceFilter":{{"tickSize":"0.1"}},"lotSizeFilter":{{"qtyStep":"0.001"}}}}"#
        )
    };
    let rows = [
        row("BTCPERP", "BTC", "USDC"),
        row("1000PEPEUSDT", "1000PEPE", "USDT"),
        row("SHIB1000USDT", "SHIB1000", "USDT"),
    ];
    let body = format!(
        r#"{{"retCode":0,"result":{{"category":"linear","list":[{}],"nextPageCursor":null}},"time":1}}"#,
        rows.join(",")
    );
    let specs = (venue("bybit").unwrap().instruments)(&[body.into_bytes()]).unwrap();
    let got: Vec<_> = specs.iter().map(|s| (s.base.as_str(), s.base_multiplier, s.quote.as_str(), s.kind)).collect();
    let perp = MarketKind::Perpetual;
    assert_eq!(got, [("BTC", 1.0, "USDC", perp), ("PEPE", 1e3, "USDT", perp), ("SHIB", 1e3, "USDT", perp)]);
    assert_eq!(specs[0].settle.as_deref(), Some("USDC"));
}

#[test]
fn checklist_16_empty_text_is_absent() {
    let mut rig = open_one();
    let fields = r#""markPrice":"100","indexPrice":"","fundingRate":"","nextFundingTime":"","openInterest":"","singleOpenInterest":"","bid1Price":"","ask1Price":"100.2""#;
    rig.frame(1, &ticker("snapshot", 1_795_078_800_100, fields));
    assert_eq!(rig.data(0, Metric::MarkPrice).len(), 1);
    for metric in [Metric::IndexPrice, Metric::FundingRate, Metric::OpenInterest, Metric::BestBidAsk] {
        assert!(rig.data(0, metric).is_empty(), "{metric:?}");
        assert_eq!(rig.state(0, metric), Some(StatusState::Resync), "{metric:?}");
    }
    assert!(rig.faults.is_empty(), "{:?}", rig.faults);
}

#[test]
fn checklist_17_lists_are_reversed_and_an_open_bar_is_never_final() {
    let mut rig = with_history(&[Metric::Bar], linear("BTCUSDT", "0.1"));
    rig.frame(1, &kline(1_795_078_800_000, false));
    assert!(rig.data(0, Metric::Bar).is_empty());
    assert_eq!(rig.state(0, Metric::Bar), Some(StatusState::Live));
    rig.wait(3);
    let url = rig.requests[0].url.clone();
    assert!(url.contains("/v5/market/kline?category=linear&symbol=BTCUSDT&interval=1&start="), "{url}");
    let row = |ms: i64| format!(r#"["{ms}","100.1","100.3","100.0","100.2","4","400.5"]"#);
    // Newest first; the newest is still open.
    let rows = [1_795_078_800_000, 1_795_078_740_000, 1_795_078_680_000].map(row).join(",");
    let id = rig.requests[0].id;
    rig.reply(id, 200, &answer(&format!("[{rows}]")));
    let closes: Vec<i64> = rig.data(0, Metric::Bar).iter().map(|e| e.event_ts.as_millis()).collect();
    assert_eq!(closes, [1_795_078_740_000, 1_795_078_800_000]);
    assert!(rig.data(0, Metric::Bar).iter().all(is_backfill));
    rig.now = Ts::from_millis(1_795_078_860_100);
    rig.frame(1, &kline(1_795_078_800_000, true));
    rig.frame(1, &kline(1_795_078_800_000, true));
    assert_eq!(rig.data(0, Metric::Bar).len(), 3, "once");
    // A minute that never closed here is a hole, and is fetched.
    rig.forget();
    rig.now = Ts::from_millis(1_795_078_981_000);
    rig.frame(1, &kline(1_795_078_980_000, false));
    assert_eq!(
        rig.statuses(0, Metric::Bar),
        [(StatusState::Gap, GapReason::SequenceJump), (StatusState::Live, GapReason::SequenceJump)]
    );
    rig.wait(3);
    assert_eq!(rig.requests.len(), 1);
    let id = rig.requests[0].id;
    let rows = [1_795_078_980_000, 1_795_078_920_000, 1_795_078_860_000, 1_795_078_800_000].map(row).join(",");
    rig.reply(id, 200, &answer(&format!("[{rows}]")).replace("1795078804000", "1795078984000"));
    let closes: Vec<i64> = rig.data(0, Metric::Bar).iter().map(|e| e.event_ts.as_millis()).collect();
    assert_eq!(closes, [1_795_078_920_000, 1_795_078_980_000], "what was there already is not said again");
}

#[test]
fn checklist_18_topics_of_a_connection_stay_below_the_limit() {
    let markets: Vec<_> = (0..700).map(|n| linear(&format!("COIN{n:04}USDT"), "0.1")).collect();
    let mut rig = Rig::new(config("bybit", markets, &ALL), "bybit", NOW);
    let links: Vec<_> = rig.session.links().iter().map(|l| l.id.0).collect();
    assert!(links.len() > 2, "{}", links.len());
    let mut markets = 0;
    for (n, link) in (0_u32..).zip(links) {
        rig.sent.clear();
        rig.open(link, n);
        let topics: Vec<String> = rig
            .sent
            .iter()
            .flat_map(|(_, text)| {
                let v: serde_json::Value = serde_json::from_str(text).unwrap();
                v["args"].as_array().unwrap().iter().map(|a| a.as_str().unwrap().to_owned()).collect::<Vec<_>>()
            })
            .collect();
        let characters: usize = topics.iter().map(|t| t.len() + 3).sum();
        assert!(characters < 21_000, "{characters}");
        markets += topics.iter().filter(|t| t.starts_with("tickers.")).count();
        assert!(rig.sent.iter().all(|(_, text)| {
            serde_json::from_str::<serde_json::Value>(text).unwrap()["args"].as_array().unwrap().len() <= 100
        }));
    }
    assert_eq!(markets, 700);
    // Spot takes ten topics in one request.
    let spot: Vec<_> = (0..30).map(|n| MarketSpec::bare(&format!("C{n}USDT"), MarketKind::Spot)).collect();
    let mut rig = Rig::new(config("bybit", spot, &[Metric::Trade]), "bybit", NOW);
    rig.open(0, 1);
    assert_eq!(rig.sent.len(), 3);
}

#[test]
fn topics_that_do_not_come_are_subscribed_again() {
    let metrics = Metric::ALL.to_vec();
    let wanted = config("bybit", vec![MarketSpec::bare("BTCUSDT", MarketKind::Perpetual)], &metrics);
    let open = venue("bybit").unwrap().open;
    let all = ["publicTrade.", "tickers.", "allLiquidation.", "kline.1."];
    suite::asks_again_for_what_does_not_come(open, &wanted, &all, |_, _, _| Vec::new());
    let number = |text: &str| text.split("\"req_id\":\"").nth(1).unwrap().split('"').next().unwrap().to_owned();
    suite::asks_again_for_what_does_not_come(open, &wanted, &["tickers.", "kline.1."], |_, _, text| {
        let op = if text.contains("unsubscribe") { "unsubscribe" } else { "subscribe" };
        let ack = format!(r#"{{"success":true,"ret_msg":"","conn_id":"x","req_id":"{}","op":"{op}"}}"#, number(text));
        vec![ack.into_bytes()]
    });
}
