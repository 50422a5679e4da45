//! The conformance checklist of spot and Binance.US (spot §11), line by line. Lines 1 and 11 (pongs, `Retry-After`) are the
//! driver's, in its own tests; line 12 is in `limits.rs` beside the numbers.

use crate::rig::{Rig, config, data_of, status_of};
use barograph_domain::{GapReason, MarketKind, Metric, Payload, Side, Span, StatusState, Ts};
use barograph_venues::number;
use barograph_venues::session::suite::Step;
use barograph_venues::session::{CloseReason, ConnId, MarketIndex, MarketSpec, Origin, venue};

const METRICS: [Metric; 5] = [Metric::Trade, Metric::BestBidAsk, Metric::Bar, Metric::Book, Metric::FundingRate];

fn spot(symbol: &str) -> MarketSpec {
    MarketSpec::bare(symbol, MarketKind::Spot)
}

fn opened(id: &str) -> Rig {
    let mut rig = Rig::new(id, config(id, vec![spot("BTCUSDT")], &METRICS));
    rig.open_all(0);
    rig
}

fn agg(rig: &Rig, id: u64, maker: bool) -> String {
    let t = rig.now.as_millis();
    format!(
        r#"{{"stream":"btcusdt@aggTrade","data":{{"e":"aggTrade","E":{t},"s":"BTCUSDT","a":{id},"p":"91250.11000000","q":"0.01500000","f":1,"l":1,"T":{t},"m":{maker},"M":true}}}}"#
    )
}

fn depth(rig: &Rig, first: u64, last: u64, bid: (&str, &str)) -> String {
    let t = rig.now.as_millis();
    format!(
        r#"{{"stream":"btcusdt@depth@100ms","data":{{"e":"depthUpdate","E":{t},"s":"BTCUSDT","U":{first},"u":{last},"b":[["{}","{}"]],"a":[]}}}}"#,
        bid.0, bid.1
    )
}

fn snapshot(id: u64) -> String {
    format!(
        r#"{{"lastUpdateId":{id},"bids":[["91250.10000000","0.8"],["91250.00000000","1.2"]],"asks":[["91250.11000000","0.03"]]}}"#
    )
}

/// A live book with update id 105.
fn with_book() -> Rig {
    let mut rig = opened("binance-spot");
    let first = depth(&rig, 98, 105, ("91250.05000000", "2"));
    rig.on(0, &first);
    let id = rig.request("/api/v3/depth?symbol=BTCUSDT&limit=1000").expect("asked").id;
    rig.answer(id, 200, &snapshot(100));
    assert!(rig.live(0), "line 4: an event that straddles the snapshot is applied whole");
    rig
}

fn bids(rig: &Rig) -> Vec<f64> {
    let book = rig.session.book(MarketIndex(0)).expect("live");
    book.bids().map(|l| book.price(l.units)).collect()
}

#[test]
fn checklist_02_messages_are_few_and_names_are_batched() {
    let limits = (venue("binance-spot").unwrap().limits)();
    assert!(limits.messages_per_s < 5, "pongs count too");
    let markets: Vec<MarketSpec> = (0..150).map(|n| spot(&format!("C{n}USDT"))).collect();
    let mut rig = Rig::new("binance-spot", config("binance-spot", markets, &[Metric::Trade, Metric::BestBidAsk]));
    rig.open_all(0);
    assert_eq!(rig.sent.len(), 2, "300 streams are two messages, on two connections");
}

#[test]
fn checklist_03_a_snapshot_older_than_what_is_held_is_fetched_again_and_nothing_held_is_lost() {
    let mut rig = opened("binance-spot");
    let first = depth(&rig, 98, 105, ("91250.05000000", "2"));
    rig.on(0, &first);
    let id = rig.request("/depth").unwrap().id;
    rig.answer(id, 200, &snapshot(50));
    assert!(!rig.live(0));
    assert!(rig.request("/depth").is_none(), "not at once");
    rig.tick(1);
    let id = rig.request("/depth").expect("again").id;
    rig.answer(id, 200, &snapshot(100));
    assert_eq!(bids(&rig), [91_250.1, 91_250.05, 91_250.0], "what was held is in it");
}

#[test]
fn checklist_04_events_in_the_snapshot_are_dropped_silently() {
    let mut rig = opened("binance-spot");
    for (first, last, price) in [(90, 100, "91249.00000000"), (101, 102, "91250.05000000")] {
        let text = depth(&rig, first, last, (price, "2"));
        rig.on(0, &text);
    }
    let id = rig.request("/depth").unwrap().id;
    rig.answer(id, 200, &snapshot(100));
    assert_eq!(bids(&rig), [91_250.1, 91_250.05, 91_250.0], "the first was in the snapshot already");
    assert_eq!(rig.kinds(), [""; 0]);
}

#[test]
fn checklist_05_a_hole_is_one_gap_and_no_old_level_survives() {
    let mut rig = with_book();
    let text = depth(&rig, 107, 108, ("91250.06000000", "1"));
    let said = status_of(&rig.on(0, &text), Metric::Book);
    assert_eq!(said.len(), 1);
    assert_eq!((said[0].state, said[0].reason), (StatusState::Resync, GapReason::SequenceJump));
    rig.tick(1);
    let id = rig.request("/depth").expect("a resync").id;
    rig.answer(id, 200, &snapshot(107));
    assert_eq!(bids(&rig), [91_250.1, 91_250.06, 91_250.0], "91250.05 was of the old book");
}

#[test]
fn checklist_06_duplicates_of_an_overlap_change_nothing() {
    let mut rig = with_book();
    let link = rig.session.links()[0].id;
    rig.give(&Step::Opened(link, ConnId(9)));
    let again = depth(&rig, 98, 105, ("91250.05000000", "9"));
    assert!(rig.on(9, &again).is_empty());
    let next = depth(&rig, 106, 107, ("91250.04000000", "1"));
    rig.on(9, &next);
    let twice = depth(&rig, 106, 107, ("91250.04000000", "0"));
    assert!(rig.on(0, &twice).is_empty());
    assert_eq!(bids(&rig), [91_250.1, 91_250.05, 91_250.04, 91_250.0]);
}

#[test]
fn checklist_07_zero_deletes_also_what_is_not_there() {
    let mut rig = with_book();
    for (n, price) in [(106, "91250.05000000"), (107, "91111.00000000")] {
        let text = depth(&rig, n, n, (price, "0.00000000"));
        rig.on(0, &text);
    }
    assert_eq!(bids(&rig), [91_250.1, 91_250.0]);
    assert_eq!(rig.kinds(), [""; 0]);
}

#[test]
fn checklist_08_a_maker_who_buys_is_a_taker_who_sells() {
    let mut rig = opened("binance-spot");
    for (id, maker, side) in [(1, true, Side::Short), (2, false, Side::Long)] {
        let text = agg(&rig, id, maker);
        let events = rig.on(0, &text);
        let want = Payload::Trade { price: 91_250.11, qty: 0.015, aggressor_side: Some(side) };
        assert_eq!(data_of(&events, Metric::Trade)[0].payload, want);
    }
}

#[test]
fn checklist_09_a_hole_in_trades_is_fetched_and_its_rows_are_flagged() {
    let mut rig = opened("binance-spot");
    let text = agg(&rig, 41, true);
    rig.on(0, &text);
    let text = agg(&rig, 45, true);
    let events = rig.on(0, &text);
    let said = status_of(&events, Metric::Trade);
    assert_eq!(
        (said[0].state, said[0].reason, said[1].state),
        (StatusState::Gap, GapReason::SequenceJump, StatusState::Live)
    );
    let request = rig.request("/api/v3/aggTrades?symbol=BTCUSDT&fromId=42").expect("from the last id plus one");
    let t = rig.now.as_millis();
    let row = |a: u64| format!(r#"{{"a":{a},"p":"91250.11000000","q":"0.015","f":1,"l":1,"T":{t},"m":true,"M":true}}"#);
    let body = format!("[{},{},{},{}]", row(42), row(43), row(44), row(45));
    let events = rig.answer(request.id, 200, &body);
    let rows = data_of(&events, Metric::Trade);
    assert_eq!(rows.iter().map(|e| e.seq).collect::<Vec<_>>(), [42, 43, 44], "45 is known");
    assert!(rows.iter().all(|e| e.origin == Origin::Backfill
        && matches!(e.payload, Payload::Trade { aggressor_side: Some(Side::Short), .. })));
}

#[test]
fn checklist_10_milliseconds_and_microseconds_are_the_same_instant() {
    assert_eq!(number::instant(b"1741046400062"), number::instant(b"1741046400062000"));
    let mut rig = opened("binance-spot");
    let text = agg(&rig, 1, true).replace(&rig.now.as_millis().to_string(), &(rig.now.as_millis() * 1_000).to_string());
    let events = rig.on(0, &text);
    assert_eq!(data_of(&events, Metric::Trade)[0].event_ts, rig.now);
}

#[test]
fn checklist_13_a_shutdown_notice_asks_for_a_replacement_first() {
    let mut rig = opened("binance-spot");
    rig.on(0, r#"{"e":"serverShutdown","E":1795158003000}"#);
    rig.on(0, r#"{"stream":"!serverShutdown","data":{"e":"serverShutdown","E":1795158003000}}"#);
    assert_eq!((rig.replaced.len(), rig.kinds().len()), (2, 0));
}

#[test]
fn checklist_14_open_lists_are_read() {
    let info = br#"{"timezone":"UTC","new":{},"symbols":[{"symbol":"BTCUSDT","status":"HALT","baseAsset":"BTC","quoteAsset":"USDT","strange":[1],
        "filters":[{"filterType":"PRICE_FILTER","tickSize":"0.01000000"},{"filterType":"SOMETHING_NEW","x":1},{"filterType":"LOT_SIZE","stepSize":"0.00000000"}]}]}"#;
    let tickers = br#"[{"symbol":"BTCUSDT","quoteVolume":"123.5"}]"#;
    let markets = (venue("binance-spot").unwrap().instruments)(&[info.to_vec(), tickers.to_vec()]).unwrap();
    let m = &markets[0];
    assert!(!m.trading, "halted");
    assert_eq!((m.tick.map(|t| t.to_f64()), m.step, m.volume_24h_quote), (Some(0.01), None, Some(123.5)));
}

#[test]
fn checklist_15_letters_of_every_script_make_the_round_trip() {
    let mut rig = Rig::new("binance-spot", config("binance-spot", vec![spot("币安人生USDT")], &METRICS));
    rig.open_all(0);
    assert!(rig.sent[0].1.contains("币安人生usdt@aggTrade"), "{}", rig.sent[0].1);
    let t = rig.now.as_millis();
    let text = format!(r#"{{"e":"depthUpdate","E":{t},"s":"币安人生USDT","U":1,"u":2,"b":[],"a":[]}}"#);
    rig.on(0, &text);
    let request = rig.request("/depth").expect("asked");
    assert!(request.url.contains("symbol=%E5%B8%81%E5%AE%89%E4%BA%BA%E7%94%9FUSDT"), "{}", request.url);
    // The same with the letters escaped: another spelling of the same message.
    let escaped = text.replace("币安人生", "\\u5e01\\u5b89\\u4eba\\u751f");
    rig.on(0, &escaped);
    assert_eq!(rig.kinds(), [""; 0]);
}

#[test]
fn checklist_16_tickers_have_no_time_and_none_is_invented() {
    let mut rig = opened("binance-spot");
    rig.now = rig.now + Span::millis(17);
    let text = r#"{"stream":"btcusdt@bookTicker","data":{"u":5,"s":"BTCUSDT","b":"91250.10000000","B":"0.8","a":"91250.11000000","A":"0.016"}}"#;
    let events = rig.on(0, text);
    assert_eq!(data_of(&events, Metric::BestBidAsk)[0].event_ts, rig.now, "as old as its receipt");
    assert!(rig.session.lag().unwrap().lag().is_none(), "and nothing is learnt about clocks");
}

#[test]
fn checklist_17_two_silent_minutes_of_a_thin_pair_are_no_alert() {
    for (id, quiet) in [("binance-us", true), ("binance-spot", false)] {
        let mut rig = opened(id);
        let text = r#"{"stream":"btcusdt@bookTicker","data":{"u":5,"s":"BTCUSDT","b":"91250.1","B":"0.8","a":"91250.2","A":"0.016"}}"#;
        let events = rig.on(0, text);
        assert_eq!(status_of(&events, Metric::Trade).len(), usize::from(quiet), "trades are live with the connection");
        let events = rig.tick(120);
        assert_eq!(status_of(&events, Metric::BestBidAsk).is_empty(), quiet, "{id}");
    }
}

#[test]
fn checklist_18_rotation_leaves_no_hole_in_the_book() {
    let mut rig = with_book();
    assert!(rig.session.limits().rotate_after.is_some_and(|t| t < Span::hours(24)));
    let link = rig.session.links()[0].id;
    rig.give(&Step::Opened(link, ConnId(9)));
    // The new instance cuts its batches elsewhere: its first event begins inside of what is known.
    let overlap = depth(&rig, 104, 107, ("91250.04000000", "1"));
    rig.on(9, &overlap);
    assert!(rig.close(0, CloseReason::Replaced).is_empty());
    let next = depth(&rig, 108, 108, ("91250.03000000", "1"));
    rig.on(9, &next);
    assert_eq!(bids(&rig), [91_250.1, 91_250.05, 91_250.04, 91_250.03, 91_250.0]);
}

/// What spot does not have is said, not left empty (spot §1 point 6).
#[test]
fn funding_of_spot_is_not_offered() {
    let rig = opened("binance-us");
    let state = rig.session.continuity().get(MarketIndex(0), Metric::FundingRate).unwrap();
    assert_eq!((state.state, state.since), (StatusState::NotOffered, rig.now));
    assert_eq!(state.newest, None::<Ts>);
}
