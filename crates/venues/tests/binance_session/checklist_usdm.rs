//! The conformance checklist of USD-M (sheet §9), line by line.

use crate::rig::{FUTURES, Rig, START, config, data_of, perpetual, status_of};
use barograph_domain::{GapReason, Kind, MarketKind, Metric, Payload, Side, Span, StatusState, Ts};
use barograph_venues::binance::archive::{LABEL_SWITCH, LabelShift};
use barograph_venues::session::suite::Step;
use barograph_venues::session::{
    CloseReason, ConnId, FailReason, MarketIndex, MarketSpec, Origin, SessionConfig, venue,
};

/// Connection numbers after `open_all(0)`.
const MARKET: u32 = 0;
const PUBLIC: u32 = 1;

fn ms(now: Ts) -> i64 {
    now.as_millis()
}

fn opened(metrics: &[Metric]) -> Rig {
    let mut rig = Rig::new("binance-usdm", config("binance-usdm", vec![perpetual("BTCUSDT")], metrics));
    rig.open_all(0);
    rig
}

fn mark(rig: &Rig, more: &str) -> String {
    let e = ms(rig.now);
    format!(
        r#"{{"stream":"btcusdt@markPrice@1s","data":{{"e":"markPriceUpdate","E":{e},"s":"BTCUSDT","p":"83134.6","i":"83165.6","r":"0.00000253","T":1791388800000,"st":1{more}}}}}"#
    )
}

fn agg(rig: &Rig, id: u64) -> String {
    let t = ms(rig.now);
    format!(
        r#"{{"stream":"btcusdt@aggTrade","data":{{"e":"aggTrade","E":{t},"a":{id},"s":"BTCUSDT","p":"83143.00","q":"0.035","f":1,"l":1,"T":{t},"m":false,"st":1}}}}"#
    )
}

fn depth(rig: &Rig, first: u64, last: u64, previous: u64, bid: &str) -> String {
    let t = ms(rig.now);
    format!(
        r#"{{"stream":"btcusdt@depth@100ms","data":{{"e":"depthUpdate","E":{t},"T":{t},"s":"BTCUSDT","ps":"BTCUSDT","U":{first},"u":{last},"pu":{previous},"b":[["{bid}","2.699"]],"a":[["83135.60","7.557"]],"st":1}}}}"#
    )
}

fn snapshot(id: u64) -> String {
    format!(
        r#"{{"lastUpdateId":{id},"E":1,"T":1,"bids":[["83135.50","1"],["83000.00","1"]],"asks":[["83135.60","1"],["83200.00","1"]]}}"#
    )
}

/// A live book with update id 100.
fn with_book() -> Rig {
    let mut rig = Rig::new("binance-usdm", config("binance-usdm", vec![perpetual("BTCUSDT")], &[Metric::Book]));
    rig.open_all(0);
    let first = depth(&rig, 90, 100, 89, "83135.50");
    rig.on(0, &first);
    let request = rig.request("/fapi/v1/depth?symbol=BTCUSDT").expect("asked after the first event");
    rig.answer(request.id, 200, &snapshot(95));
    assert!(rig.live(0));
    rig
}

#[test]
fn checklist_01_every_stream_runs_under_its_route() {
    let rig = opened(&FUTURES);
    let urls: Vec<&str> = rig.session.links().iter().map(|l| &*l.url).collect();
    assert_eq!(urls, ["wss://fstream.binance.com/market/stream", "wss://fstream.binance.com/public/stream"]);
    let names = |conn| rig.sent.iter().filter(|s| s.0 == ConnId(conn)).map(|s| &*s.1).collect::<String>();
    for stream in ["@aggTrade", "@markPrice@1s", "@kline_1m", "@forceOrder"] {
        assert!(names(MARKET).contains(stream) && !names(PUBLIC).contains(stream), "{stream}");
    }
    for stream in ["btcusdt@depth@100ms", "btcusdt@bookTicker"] {
        assert!(names(PUBLIC).contains(stream) && !names(MARKET).contains(stream), "{stream}");
    }
}

/// No source file of the venue holds an address of the sockets with a path of its own: routes are put behind the host in one
/// place.
#[test]
fn no_address_is_without_a_route() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src/binance");
    let mut hosts = 0;
    for file in std::fs::read_dir(folder).unwrap() {
        let text = std::fs::read_to_string(file.unwrap().path()).unwrap();
        for after in text.split("fstream.binance.com").skip(1) {
            hosts += 1;
            assert!(after.starts_with('"'), "{}", &after[..after.len().min(40)]);
        }
    }
    assert!(hosts > 0, "the host is somewhere");
    let rig = opened(&FUTURES);
    assert!(rig.session.links().iter().all(|l| l.url.contains("/public/") || l.url.contains("/market/")));
}

#[test]
fn checklist_02_up_is_the_first_frame_not_the_ack_and_ten_silent_seconds_are_a_fault() {
    let mut rig = opened(&FUTURES);
    assert!(rig.on(MARKET, r#"{"result":null,"id":1}"#).is_empty(), "an ack proves nothing");
    let state = |rig: &Rig| rig.session.continuity().get(MarketIndex(0), Metric::MarkPrice).unwrap().state;
    assert_eq!(state(&rig), StatusState::Resync);
    let text = mark(&rig, "");
    rig.on(MARKET, &text);
    assert_eq!(state(&rig), StatusState::Live);
    rig.tick(10);
    assert_eq!(state(&rig), StatusState::Live);
    let said = status_of(&rig.tick(1), Metric::MarkPrice);
    assert_eq!((said[0].state, said[0].reason), (StatusState::Stale, GapReason::Silent));
}

#[test]
fn checklist_03_coin_margined_rows_never_enter() {
    let mut rig = opened(&FUTURES);
    let row = |st, e| {
        format!(r#"{{"e":"markPriceUpdate","E":{e},"s":"BTCUSDT","p":"5.0","i":"5.0","r":"0","T":0,"st":{st}}}"#)
    };
    let e = ms(rig.now);
    let both = format!(r#"{{"stream":"!markPrice@arr@1s","data":[{},{}]}}"#, row(2, e), row(1, e + 1));
    let events = rig.on(MARKET, &both);
    let marks = data_of(&events, Metric::MarkPrice);
    assert_eq!(marks.len(), 1);
    assert_eq!(marks[0].event_ts, Ts::from_millis(e + 1), "the row with st 2 is not it");
    let text = agg(&rig, 7).replace("\"st\":1", "\"st\":2");
    assert!(rig.on(MARKET, &text).is_empty());
    assert_eq!(rig.kinds(), [""; 0]);
}

#[test]
fn checklist_04_numbers_are_read_once_and_ids_fit() {
    let mut rig = Rig::new(
        "binance-usdm",
        config("binance-usdm", vec![perpetual("BTCUSDT")], &[Metric::Book, Metric::BestBidAsk]),
    );
    rig.open_all(0);
    let large = 9_007_199_254_740_993_u64;
    let first = depth(&rig, large - 5, large + 2, large - 6, "83135.50");
    rig.on(0, &first);
    let id = rig.request("/depth").unwrap().id;
    rig.answer(id, 200, &snapshot(large));
    assert!(rig.live(0), "an id that no float holds");
    let later = depth(&rig, large + 3, large + 4, large + 2, "83135.55");
    let now = ms(rig.now);
    rig.on(0, &later);
    let request = rig.request("/depth").expect("a price with more digits than the book has: built anew");
    assert!(!rig.live(0));
    rig.answer(request.id, 200, &snapshot(large + 3));
    assert_eq!(rig.session.book(MarketIndex(0)).unwrap().top(), Some((83_135.55, 83_135.6)));
    let ticker = format!(
        r#"{{"stream":"btcusdt@bookTicker","data":{{"e":"bookTicker","u":1,"s":"BTCUSDT","ps":"BTCUSDT","b":"0.1","B":"2.699","a":"0.3","A":"7.556","T":{now},"E":{now},"st":1}}}}"#
    );
    let events = rig.on(0, &ticker);
    let best = data_of(&events, Metric::BestBidAsk);
    assert_eq!(best[0].payload, Payload::BestBidAsk { bid: 0.1, ask: 0.3 }, "bit for bit");
}

#[test]
fn checklist_05_a_broken_chain_hides_the_book_until_a_snapshot_is_spliced() {
    let mut rig = with_book();
    let old = depth(&rig, 80, 94, 79, "83135.90");
    assert!(rig.on(0, &old).is_empty(), "older than the book");
    assert!(rig.live(0));
    let hole = depth(&rig, 103, 104, 102, "83135.40");
    let said = status_of(&rig.on(0, &hole), Metric::Book);
    assert_eq!((said[0].state, said[0].reason), (StatusState::Resync, GapReason::SequenceJump));
    assert!(!rig.live(0));
    let next = depth(&rig, 105, 106, 104, "83135.30");
    assert!(rig.on(0, &next).is_empty(), "held, not shown");
    rig.tick(1);
    let request = rig.request("/depth").expect("asked again");
    assert!(rig.answer(request.id, 200, &snapshot(90)).is_empty(), "older than everything held");
    assert!(!rig.live(0));
    rig.tick(2);
    let request = rig.request("/depth").expect("and again, after a pause");
    let said = status_of(&rig.answer(request.id, 200, &snapshot(104)), Metric::Book);
    assert_eq!((said[0].state, said[0].reason), (StatusState::Live, GapReason::SequenceJump));
    let book = rig.session.book(MarketIndex(0)).unwrap();
    let bids: Vec<f64> = book.bids().map(|l| book.price(l.units)).collect();
    assert_eq!(bids, [83_135.5, 83_135.4, 83_135.3, 83_000.0], "what was held is in it");
}

#[test]
fn checklist_06_a_sell_order_closes_a_long_and_the_series_is_sampled() {
    let mut rig = opened(&FUTURES);
    let t = ms(rig.now);
    let order = |side: &str, t: i64| {
        format!(
            r#"{{"stream":"btcusdt@forceOrder","data":{{"e":"forceOrder","E":{t},"o":{{"s":"BTCUSDT","S":"{side}","o":"LIMIT","f":"IOC","q":"0.750","p":"82410.50","ap":"83051.20","X":"FILLED","l":"0.120","z":"0.750","T":{t}}},"ps":"BTCUSDT","st":1}}}}"#
        )
    };
    for (side, want, at) in [("SELL", Side::Long, t), ("BUY", Side::Short, t + 1)] {
        let events = rig.on(MARKET, &order(side, at));
        let payload = Payload::Liquidation { liquidated_side: want, price: 83_051.2, qty: 0.75 };
        assert_eq!(data_of(&events, Metric::Liquidation)[0].payload, payload);
    }
    assert!(data_of(&rig.on(MARKET, &order("BUY", t + 1)), Metric::Liquidation).is_empty(), "the same again");
    let back = data_of(&rig.on(MARKET, &order("SELL", t - 3_000)), Metric::Liquidation);
    assert_eq!(back.len(), 1, "the venue's clock was set back: another order");
    assert!(data_of(&rig.on(MARKET, &order("SELL", t)), Metric::Liquidation).is_empty(), "that of another connection");
    rig.on(MARKET, &order("HOLD", t + 2));
    assert_eq!(rig.kinds(), ["unknown_word"]);
    let stream = rig.session.streams().iter().find(|s| s.metric == Metric::Liquidation).unwrap();
    assert_eq!(stream.kind, Kind::Sampled);
}

#[test]
fn checklist_07_and_08_special_settlements_are_marked_and_the_interval_is_stored_with_each_row() {
    let mut rig = opened(&FUTURES);
    rig.tick(0);
    let info = rig.request("/fapi/v1/fundingInfo").unwrap();
    rig.answer(info.id, 200, r#"[{"symbol":"XAUUSDT","fundingIntervalHours":4}]"#);
    let request = rig.request("/fapi/v1/fundingRate?symbol=BTCUSDT").unwrap();
    let rows = r#"[{"symbol":"BTCUSDT","fundingTime":1791331200002,"fundingRate":"-0.00000743","markPrice":"","rateType":"Regular"},
        {"symbol":"BTCUSDT","fundingTime":1791340000000,"fundingRate":"0.001","markPrice":"1","rateType":"Special"}]"#;
    let events = rig.answer(request.id, 200, rows);
    let rows: Vec<Payload> = data_of(&events, Metric::FundingRateSettled).iter().map(|e| e.payload).collect();
    let row = |rate, special| Payload::Funding { rate, interval_h: Some(8.0), next_ts: None, special };
    assert_eq!(rows, [row(-0.000_007_43, false), row(0.001, true)], "absent from the list means 8 h");
    rig.tick(1_801);
    let info = rig.request("/fapi/v1/fundingInfo").expect("asked again: intervals change");
    rig.answer(info.id, 200, r#"[{"symbol":"BTCUSDT","fundingIntervalHours":4}]"#);
    let text = mark(&rig, "");
    let events = rig.on(MARKET, &text);
    assert!(
        matches!(data_of(&events, Metric::FundingRate)[0].payload, Payload::Funding { interval_h: Some(h), .. } if h == 4.0)
    );
}

#[test]
fn checklist_09_no_rate_and_no_next_settlement_are_absent_not_zero() {
    let mut rig = opened(&FUTURES);
    for (from, to) in [("\"r\":\"0.00000253\"", "\"r\":\"\""), ("\"T\":1791388800000", "\"T\":0")] {
        rig.now = rig.now + Span::secs(1);
        let text = mark(&rig, "").replace(from, to);
        let events = rig.on(MARKET, &text);
        assert_eq!(data_of(&events, Metric::MarkPrice).len(), 1);
        assert!(data_of(&events, Metric::FundingRate).is_empty(), "{to}");
    }
    assert_eq!(rig.kinds(), [""; 0]);
}

#[test]
fn checklist_10_open_interest_is_base_units_of_one_side() {
    let mut rig = opened(&FUTURES);
    rig.tick(0);
    let request = rig.request("/fapi/v1/openInterest?symbol=BTCUSDT").unwrap();
    assert_eq!(request.weight, 1);
    let body = format!(r#"{{"symbol":"BTCUSDT","openInterest":"95702.530","time":{}}}"#, ms(rig.now));
    let events = rig.answer(request.id, 200, &body);
    assert_eq!(data_of(&events, Metric::OpenInterest)[0].payload, Payload::Value(95_702.53));
}

/// Waiting after 429 and 418 is the driver's (its tests); here: refusals are not answered with requests.
#[test]
fn checklist_11_a_restricted_region_is_said_once_and_asked_about_every_ten_minutes() {
    let markets: Vec<MarketSpec> = (0..50).map(|n| perpetual(&format!("C{n}USDT"))).collect();
    let wanted = SessionConfig { backfill: Span::days(1), ..config("binance-usdm", markets, &FUTURES) };
    let mut rig = Rig::new("binance-usdm", wanted);
    rig.open_all(0);
    let mut told = Vec::new();
    let (mut first, mut later) = (0, Vec::new());
    for second in 0..1_900_i64 {
        for n in 0..50 {
            // Data make the session want history and books.
            let symbol = format!("C{n}USDT");
            let (mark, depth) = (mark(&rig, ""), depth(&rig, 90, 100, 89, "83135.50"));
            told.extend(rig.on(MARKET, &mark.replace("BTCUSDT", &symbol)));
            told.extend(rig.on(PUBLIC, &depth.replace("BTCUSDT", &symbol)));
        }
        while !rig.asked.is_empty() {
            let request = rig.asked.remove(0);
            if second == 0 {
                first += 1
            } else {
                later.push(second)
            }
            told.extend(rig.give(&Step::Failed(request.id, FailReason::Forbidden)));
        }
        told.extend(rig.tick(1));
    }
    assert!((1..=60).contains(&first), "{first} were under way before the first answer");
    assert_eq!(later.len(), 3, "one request finds out, every ten minutes: {later:?}");
    assert_eq!(rig.kinds(), ["region_refused"; 4], "said once each time");
    for metric in [Metric::Book, Metric::OpenInterest, Metric::FundingRateSettled] {
        let said = status_of(&told, metric);
        assert_eq!(said.len(), 50, "{metric:?}: once per market");
        assert!(said.iter().all(|s| (s.state, s.reason) == (StatusState::Gap, GapReason::Refused)), "{said:?}");
    }
    let marks = rig.session.continuity().get(MarketIndex(0), Metric::MarkPrice).unwrap();
    assert_eq!(marks.state, StatusState::Live, "what comes by itself is taken");
    // The venue changes its mind: everything is asked for.
    rig.tick(600);
    let request = rig.asked.remove(0);
    assert!(rig.asked.is_empty(), "one");
    rig.answer(request.id, 400, "{}");
    rig.tick(1);
    assert!(rig.asked.len() > 20, "{} requests", rig.asked.len());
}

#[test]
fn checklist_12_funding_and_data_routes_have_budgets_of_their_own() {
    let def = venue("binance-usdm").unwrap();
    let pools = (def.limits)().pools;
    let of = |name: &str| pools.iter().find(|p| p.name == name).unwrap();
    assert_eq!((of("weight").weight, of("weight").per, of("weight").aligned), (2_400, Span::mins(1), true));
    assert_eq!((of("funding").weight, of("funding").per), (500, Span::mins(5)));
    assert_eq!((of("data").weight, of("data").per), (1_000, Span::mins(5)));
    let mut with_history = config("binance-usdm", vec![perpetual("BTCUSDT")], &FUTURES);
    with_history.backfill = Span::days(40);
    let mut rig = Rig::new("binance-usdm", with_history);
    rig.open_all(0);
    let text = mark(&rig, "");
    rig.on(MARKET, &text);
    rig.tick(1);
    for (part, pool) in [
        ("/fundingRate", "funding"),
        ("/fundingInfo", "funding"),
        ("/futures/data/openInterestHist", "data"),
        ("/klines", "weight"),
    ] {
        assert_eq!(rig.request(part).unwrap_or_else(|| panic!("{part}")).pool, of(pool).id, "{part}");
    }
}

/// Which contracts and days are asked for, page by page, when every page comes empty.
fn open_interest_pages(spec: MarketSpec, days: i64) -> Vec<(String, String, String)> {
    let mut wanted = config("binance-coinm", vec![spec], &[Metric::MarkPrice, Metric::OpenInterest]);
    wanted.backfill = Span::days(days);
    let mut rig = Rig::new("binance-coinm", wanted);
    rig.open_all(0);
    let text = mark(&rig, "").replace("BTCUSDT", "BTCUSD_261225").replace("\"st\":1", "\"st\":2");
    rig.on(MARKET, &text);
    let mut pages = Vec::new();
    for _ in 0..200 {
        rig.tick(1);
        while let Some(request) = rig.request("/futures/data/openInterestHist") {
            let of = |name: &str| request.url.split(&format!("{name}=")).nth(1).unwrap().split('&').next().unwrap();
            let day = |name: &str| Ts::from_millis(of(name).parse().unwrap()).iso();
            assert_eq!((of("pair"), of("limit")), ("BTCUSD", "500"));
            pages.push((of("contractType").to_owned(), day("startTime"), day("endTime")));
            rig.answer(request.id, 200, "[]");
        }
    }
    pages
}

#[test]
fn statistics_of_dated_contracts_are_asked_for_by_the_name_of_their_quarter() {
    // The world begins on 2026-10-07; the expiry before it was on 2026-09-25 at 08:00.
    let expiry = Some(Ts::from_civil(2026, 12, 25, 8, 0, 0));
    let dated = MarketSpec { expiry, ..MarketSpec::bare("BTCUSD_261225", MarketKind::DatedFuture) };
    let pages = open_interest_pages(dated.clone(), 30);
    let change = pages.iter().position(|p| p.0 == "CURRENT_QUARTER").expect("the present name");
    assert!(pages[..change].iter().all(|p| p.0 == "NEXT_QUARTER"), "{pages:?}");
    assert_eq!(pages[change - 1].2, "2026-09-25T07:59:59.999Z", "{pages:?}");
    assert_eq!(pages[change].1, "2026-09-25T08:00:00Z");
    assert_eq!(pages.last().unwrap().2, START.iso());
    let later = MarketSpec { expiry: Some(Ts::from_civil(2027, 3, 26, 8, 0, 0)), ..dated.clone() };
    let pages = open_interest_pages(later, 30);
    assert_eq!(pages[0].1, "2026-09-25T08:00:00Z", "before that it had no name");
    assert!(pages.iter().all(|p| p.0 == "NEXT_QUARTER"));
    assert_eq!(open_interest_pages(MarketSpec { expiry: None, ..dated.clone() }, 30), [], "of no known quarter");
    let perpetual = MarketSpec { kind: MarketKind::Perpetual, ..dated };
    let pages = open_interest_pages(perpetual, 30);
    assert!(pages.iter().all(|p| p.0 == "PERPETUAL"));
    // 8,640 rows of five minutes, at most 500 to a page; the next page begins where the one before ended.
    assert_eq!(pages.len(), 18, "{pages:?}");
}

#[test]
fn checklist_13_a_socket_is_replaced_with_overlap_and_nothing_is_doubled_or_lost() {
    let mut rig = opened(&FUTURES);
    assert!(rig.session.limits().rotate_after.unwrap() < Span::hours(24));
    let mut trades = Vec::new();
    let mut statuses = 0;
    let mut feed = |rig: &mut Rig, conn, ids: &[u64]| {
        for id in ids {
            let text = agg(rig, *id);
            let events = rig.on(conn, &text);
            trades.extend(data_of(&events, Metric::Trade).iter().map(|e| e.seq));
            statuses += status_of(&events, Metric::Trade).len();
        }
    };
    feed(&mut rig, MARKET, &[1, 2, 3]);
    let link = rig.session.links()[0].id;
    rig.give(&Step::Opened(link, ConnId(77)));
    feed(&mut rig, 77, &[3, 4]);
    feed(&mut rig, MARKET, &[4, 5]);
    feed(&mut rig, 77, &[5]);
    assert!(rig.close(MARKET, CloseReason::Replaced).is_empty(), "the other instance goes on");
    feed(&mut rig, 77, &[6]);
    assert_eq!((trades, statuses), (vec![1, 2, 3, 4, 5, 6], 1), "live once, at the beginning");
    assert!(!status_of(&rig.close(77, CloseReason::Network), Metric::Trade).is_empty(), "the last one is a loss");
}

#[test]
fn checklist_14_metrics_of_the_archive_are_shifted_from_the_switch_on() {
    assert_eq!(LabelShift::MetricsOfDay(LABEL_SWITCH).of(LABEL_SWITCH), Span::mins(5));
    assert_eq!(LabelShift::MetricsOfDay(LABEL_SWITCH - Span::days(1)).of(LABEL_SWITCH), Span::ZERO);
}

#[test]
fn checklist_15_the_open_candle_is_never_a_fact() {
    let mut with_history = config("binance-usdm", vec![perpetual("BTCUSDT")], &[Metric::Bar, Metric::MarkPrice]);
    with_history.backfill = Span::mins(3);
    let mut rig = Rig::new("binance-usdm", with_history);
    rig.open_all(0);
    rig.now = rig.now + Span::secs(30);
    let text = mark(&rig, "");
    rig.on(MARKET, &text);
    rig.tick(1);
    let open = |n: i64| START + Span::mins(n);
    let row =
        |n: i64| format!(r#"[{},"1.0","2.0","0.5","1.5","7",{},"9",3,"1","1","0"]"#, ms(open(n)), ms(open(n + 1)) - 1);
    let request = rig.request("/fapi/v1/klines?symbol=BTCUSDT").unwrap();
    let body = format!("[{},{},{}]", row(-2), row(-1), row(0));
    let events = rig.answer(request.id, 200, &body);
    let bars = data_of(&events, Metric::Bar);
    assert_eq!(bars.iter().map(|b| b.event_ts).collect::<Vec<_>>(), [open(-1), open(0)], "closes; not the running one");
    assert!(bars.iter().all(|b| b.origin == Origin::Backfill));
    let kline = |n: i64, closed| {
        format!(
            r#"{{"stream":"btcusdt@kline_1m","data":{{"e":"kline","E":{},"s":"BTCUSDT","k":{{"t":{},"T":{},"s":"BTCUSDT","i":"1m","f":1,"L":2,"o":"1.0","c":"1.5","h":"2.0","l":"0.5","v":"7","n":2,"x":{closed},"q":"9","V":"1","Q":"1","B":"0"}}}}}}"#,
            ms(open(n + 1)),
            ms(open(n)),
            ms(open(n + 1)) - 1
        )
    };
    rig.now = open(1);
    assert!(data_of(&rig.on(MARKET, &kline(0, false)), Metric::Bar).is_empty());
    assert_eq!(data_of(&rig.on(MARKET, &kline(0, true)), Metric::Bar)[0].event_ts, open(1));
    assert!(rig.on(MARKET, &kline(0, true)).is_empty(), "once");
    rig.now = open(4);
    let said = status_of(&rig.on(MARKET, &kline(3, true)), Metric::Bar);
    assert_eq!(
        (said[0].state, said[0].from, said[1].state, said[1].until),
        (StatusState::Gap, open(1), StatusState::Live, open(4))
    );
    rig.tick(1);
    let request = rig.request("/klines").expect("the two that are missing");
    assert!(request.url.contains(&format!("startTime={}&endTime={}", ms(open(1)), ms(open(3)) - 1)), "{}", request.url);
}

/// A thousand markets: streams of all markets where there are such, connections of at most 200 streams, polls in the budget.
#[test]
fn a_thousand_markets_fit_the_venue() {
    let metrics = [
        Metric::Trade,
        Metric::BestBidAsk,
        Metric::MarkPrice,
        Metric::FundingRate,
        Metric::OpenInterest,
        Metric::Liquidation,
    ];
    let markets: Vec<MarketSpec> = (0..1_000).map(|n| perpetual(&format!("C{n}USDT"))).collect();
    let mut settings = config("binance-usdm", markets.clone(), &metrics);
    settings.poll_every = Span::secs(30);
    let mut rig = Rig::new("binance-usdm", settings);
    rig.open_all(0);
    assert_eq!(
        rig.session.links().len(),
        11,
        "5 of tickers, 5 of trades, and the two streams of all markets in one of a sixth"
    );
    let text: String = rig.sent.iter().map(|s| &*s.1).collect();
    assert!(
        text.contains("!markPrice@arr@1s") && text.contains("!forceOrder@arr") && !text.contains("@markPrice@1s\"")
    );
    for (_, message) in &rig.sent {
        let v: serde_json::Value = serde_json::from_str(message).unwrap();
        assert!(v["params"].as_array().unwrap().len() <= 200);
    }
    let mut weight = 0;
    for _ in 0..60 {
        rig.tick(1);
        while let Some(request) = rig.request("/openInterest") {
            weight += request.weight;
            let body = format!(r#"{{"symbol":"X","openInterest":"5","time":{}}}"#, ms(rig.now));
            rig.answer(request.id, 200, &body);
        }
    }
    assert!((1_100..=1_300).contains(&weight), "{weight} of 2,400 in a minute");
    let fewer: Vec<MarketSpec> = markets[..999].iter().cloned().chain([perpetual("NEWUSDT")]).collect();
    rig.sent.clear();
    rig.give(&Step::Markets(fewer));
    let sent: Vec<&str> = rig.sent.iter().map(|s| &*s.1).collect();
    assert!(sent.iter().any(|s| s.contains("UNSUBSCRIBE") && s.contains("c999usdt@aggTrade")), "{sent:?}");
    assert!(sent.iter().any(|s| s.contains("\"SUBSCRIBE\"") && s.contains("newusdt@bookTicker")), "{sent:?}");
    assert_eq!(sent.len(), 4, "nothing else is touched");
}

/// A settlement is asked for after it passed, until it is listed.
#[test]
fn a_settlement_is_fetched_after_it_happened() {
    let mut rig = opened(&FUTURES);
    rig.tick(0);
    let at_start = rig.request("/fundingRate").unwrap();
    rig.answer(at_start.id, 200, "[]");
    let text = mark(&rig, "").replace("1791388800000", &ms(START + Span::secs(2)).to_string());
    rig.on(MARKET, &text);
    rig.now = rig.now + Span::secs(3);
    let text = mark(&rig, "").replace("1791388800000", &ms(START + Span::hours(8)).to_string());
    rig.on(MARKET, &text);
    rig.asked.clear();
    rig.tick(20);
    let request = rig.request("/fundingRate").expect("15 s later");
    assert!(request.url.contains("startTime="), "{}", request.url);
    rig.answer(request.id, 200, "[]");
    rig.tick(31);
    let request = rig.request("/fundingRate").expect("not listed yet: again");
    let body =
        format!(r#"[{{"symbol":"BTCUSDT","fundingTime":{},"fundingRate":"0.0001"}}]"#, ms(START + Span::secs(2)) + 4);
    let events = rig.answer(request.id, 200, &body);
    assert_eq!(data_of(&events, Metric::FundingRateSettled).len(), 1);
    rig.tick(60);
    assert!(rig.request("/fundingRate").is_none(), "it is there");
}

/// From fifty markets on marks and liquidations come in one stream for all.
#[test]
fn a_market_more_or_less_does_not_lose_the_streams_of_the_others_where_their_form_changes() {
    const CHANGING: [Metric; 4] = [Metric::MarkPrice, Metric::IndexPrice, Metric::FundingRate, Metric::Liquidation];
    let markets = |count: usize| (0..count).map(|n| perpetual(&format!("M{n}USDT"))).collect::<Vec<_>>();
    let row = |rig: &Rig, n: usize| {
        let e = ms(rig.now);
        format!(
            r#"{{"e":"markPriceUpdate","E":{e},"s":"M{n}USDT","p":"83134.6","i":"83165.6","r":"0.00000253","T":1791388800000,"st":1}}"#
        )
    };
    let mut rig = Rig::new("binance-usdm", config("binance-usdm", markets(49), &CHANGING));
    rig.open_all(0);
    for n in 0..49 {
        let text = format!(r#"{{"stream":"m{n}usdt@markPrice@1s","data":{}}}"#, row(&rig, n));
        rig.on(MARKET, &text);
    }
    let state = |rig: &Rig, n: u32, metric| rig.session.continuity().get(MarketIndex(n), metric).unwrap().state;
    let all_live = |rig: &Rig, count: u32| {
        (0..count).all(|n| CHANGING.into_iter().all(|metric| state(rig, n, metric) == StatusState::Live))
    };
    assert!(all_live(&rig, 49));
    rig.now = rig.now + Span::secs(1);
    rig.sent.clear();
    let events = rig.give(&Step::Markets(markets(50)));
    assert_eq!(events, [], "nothing is lost");
    let methods: Vec<bool> = rig.sent.iter().map(|(_, text)| text.contains(r#""UNSUBSCRIBE""#)).collect();
    assert!(methods.is_sorted() && methods.first() == Some(&false), "the new form comes first: {:?}", rig.sent);
    assert!(rig.sent[0].1.contains("!markPrice@arr@1s") && rig.sent[0].1.contains("!forceOrder@arr"));
    // Both forms for a moment: each price is one fact.
    let rows: Vec<String> = (0..50).map(|n| row(&rig, n)).collect();
    let text = format!(r#"{{"stream":"!markPrice@arr@1s","data":[{}]}}"#, rows.join(","));
    assert_eq!(data_of(&rig.on(MARKET, &text), Metric::MarkPrice).len(), 50);
    let text = format!(r#"{{"stream":"m3usdt@markPrice@1s","data":{}}}"#, row(&rig, 3));
    assert_eq!(data_of(&rig.on(MARKET, &text), Metric::MarkPrice), []);
    assert!(all_live(&rig, 50));
    // And back: only what is not wanted any more is lost.
    rig.now = rig.now + Span::secs(1);
    let events = rig.give(&Step::Markets(markets(49)));
    assert!(!events.is_empty() && events.iter().all(|e| e.market == MarketIndex(49)), "{events:?}");
    assert!(all_live(&rig, 49));
}
