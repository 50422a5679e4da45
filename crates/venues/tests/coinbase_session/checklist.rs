//! Every line of the conformance checklist in the venue's sheet.

use crate::rig::{Rig, STREAMS, config, def, spot, trade};
use barograph_domain::{GapReason, MarketKind, Metric, Payload, Side, Span, StatusState, Ts};
use barograph_venues::session::{
    Action, ConnId, Emit, Input, LinkId, MarketIndex, MarketSpec, Origin, SessionConfig, suite,
};

/// One market, open on connection 1, with a book.
fn ready() -> Rig {
    let mut rig = Rig::new(config(vec![spot("BTC-USD")]));
    rig.open(0, 1).snapshot(1, 0, "BTC-USD", "100.00", "100.01");
    rig.sent();
    rig
}

fn many(n: usize) -> Vec<MarketSpec> {
    (0..n).map(|n| spot(&format!("C{n}-USD"))).collect()
}

fn products(text: &str) -> usize {
    let message: serde_json::Value = serde_json::from_str(text).unwrap();
    message["product_ids"].as_array().map_or(0, Vec::len)
}

fn acknowledge(rig: &mut Rig, conn: u32, sequence: u64, channels: &[(&str, &[&str])]) {
    let lists: Vec<String> =
        channels.iter().map(|(c, names)| format!(r#""{c}":["{}"]"#, names.join("\",\""))).collect();
    rig.say(conn, sequence, "subscriptions", &format!(r#"[{{"subscriptions":{{{}}}}}]"#, lists.join(",")));
}

#[test]
fn checklist_01_no_key_is_needed() {
    let mut rig = Rig::new(config(vec![spot("BTC-USD")]));
    rig.open(0, 1);
    for (_, text) in rig.sent() {
        assert!(!text.contains("jwt") && !text.contains("api_key"), "{text}");
    }
    rig.snapshot(1, 0, "BTC-USD", "100.00", "100.01");
    assert_eq!(rig.top(0), Some((100.0, 100.01)));
}

#[test]
fn checklist_02_one_channel_per_message_sent_when_the_connection_opens() {
    let mut rig = Rig::new(config(vec![spot("BTC-USD"), spot("ETH-USD")]));
    rig.open(0, 1);
    let texts: Vec<String> = rig.sent().into_iter().map(|(_, text)| text).collect();
    assert_eq!(
        texts,
        [
            r#"{"type":"subscribe","product_ids":["BTC-USD","ETH-USD"],"channel":"level2"}"#,
            r#"{"type":"subscribe","product_ids":["BTC-USD","ETH-USD"],"channel":"market_trades"}"#,
            r#"{"type":"subscribe","product_ids":["BTC-USD","ETH-USD"],"channel":"ticker"}"#,
            r#"{"type":"subscribe","channel":"heartbeats"}"#,
        ]
    );
    // In the input that says it is open; at two messages a second the first leaves at once and the last after 1.5 s.
    assert!(rig.session.limits().messages_per_s >= 1);
}

#[test]
fn checklist_03_heartbeats_on_every_connection_and_five_seconds_are_too_long() {
    let mut rig = Rig::new(config(many(60)));
    for link in 0..3 {
        rig.open(link, u32::from(link));
    }
    for conn in 0..3 {
        let beats = rig
            .actions
            .iter()
            .filter(|a| matches!(a, Action::Send { conn: c, text } if c.0 == conn && text.contains("heartbeats")));
        assert_eq!(beats.count(), 1);
    }
    // The driver closes what is silent for this long and opens it again with backoff and jitter (tested in `net`).
    assert_eq!(rig.session.limits().dead_after, Span::secs(5));
    assert_eq!(rig.session.limits().ping_every, None, "pongs would hide the silence");
}

#[test]
fn checklist_04_a_snapshot_of_20_megabytes_is_accepted() {
    let mut rig = Rig::new(config(vec![spot("BTC-USD")]));
    assert!(rig.session.limits().message_bytes_max >= 100 << 20);
    let row = |side: &str, n: i64| {
        format!(
            r#"{{"side":"{side}","event_time":"1970-01-01T00:00:00Z","price_level":"{}.00","new_quantity":"1.5"}}"#,
            if side == "bid" { 200_000 - n } else { 200_001 + n }
        )
    };
    let rows: Vec<String> = (0..102_000).map(|n| row("bid", n)).chain((0..102_000).map(|n| row("offer", n))).collect();
    let events = format!(r#"[{{"type":"snapshot","product_id":"BTC-USD","updates":[{}]}}]"#, rows.join(","));
    assert!(events.len() > 20_000_000, "{}", events.len());
    rig.open(0, 1).say(1, 0, "l2_data", &events);
    assert_eq!(rig.top(0), Some((200_000.0, 200_001.0)));
    let book = rig.session.book(MarketIndex(0)).unwrap();
    assert_eq!((book.bids().len(), book.asks().len()), (1_000, 1_000), "and bounded");
    assert_eq!(rig.faults(), [""; 0]);
}

#[test]
fn checklist_05_no_connection_has_more_than_25_books() {
    let mut rig = Rig::new(config(many(130)));
    let links: Vec<LinkId> = rig.session.links().iter().map(|l| l.id).collect();
    assert_eq!(links.len(), 6, "130 / 25");
    for (n, link) in (0..).zip(&links) {
        rig.open(link.0, n);
    }
    let sizes: Vec<usize> = rig.sent().iter().filter(|(_, t)| t.contains("level2")).map(|(_, t)| products(t)).collect();
    assert_eq!(sizes, [25, 25, 25, 25, 25, 5]);
    let trades = SessionConfig { metrics: vec![Metric::Trade], ..config(many(130)) };
    assert_eq!(Rig::new(trades).session.links().len(), 2, "without books more fit on one");
}

#[test]
fn checklist_06_a_refusal_splits_and_missing_names_are_reported() {
    let mut rig = Rig::new(config(many(20)));
    rig.open(0, 1);
    rig.sent();
    let too_many = r#"{"type":"error","message":"too many L2 streams requested in a single session"}"#;
    rig.frame(1, too_many);
    assert_eq!(rig.session.links().len(), 2, "half of them on a new connection");
    assert!(rig.actions.iter().any(|a| matches!(a, Action::Relink)));
    assert_eq!(rig.closes(), 0);
    let said: Vec<(String, usize)> =
        rig.sent().iter().filter(|(_, t)| t.contains("level2")).map(|(_, t)| (t[9..20].into(), products(t))).collect();
    assert_eq!(said, [("unsubscribe".into(), 10), ("unsubscribe".into(), 10), ("subscribe\",".into(), 10)]);
    rig.open(1, 2);
    assert_eq!(rig.sent().iter().map(|(_, t)| products(t)).max(), Some(10));
    assert_eq!(rig.faults(), ["error_reply"]);

    // The venue has taken four of six: those stay.
    let mut rig = Rig::new(config(many(6)));
    rig.open(0, 1);
    acknowledge(&mut rig, 1, 0, &[("level2", &["C0-USD", "C1-USD", "C2-USD", "C3-USD"])]);
    rig.frame(1, too_many);
    let links: Vec<_> = rig.session.links().iter().map(|l| l.id).collect();
    assert_eq!(links.len(), 2);
    rig.sent();
    rig.open(links[1].0, 2);
    assert_eq!(rig.sent().iter().map(|(_, t)| products(t)).max(), Some(2));

    // A name that is missing in the venue's list.
    let mut rig = Rig::new(config(vec![spot("BTC-USD"), spot("NOPE-USD")]));
    rig.open(0, 1);
    let both: &[&str] = &["BTC-USD", "NOPE-USD"];
    acknowledge(&mut rig, 1, 0, &[("level2", &["BTC-USD"]), ("market_trades", both), ("ticker", both)]);
    rig.wait(9);
    assert_eq!(rig.faults(), [""; 0]);
    rig.wait(2);
    assert_eq!(
        rig.faults.iter().map(|f| (f.kind, f.market)).collect::<Vec<_>>(),
        [("not_subscribed", Some(MarketIndex(1)))]
    );

    // A book is refreshed by unsubscribing and subscribing.
    let mut rig = ready();
    rig.update(1, 1, "BTC-USD", &[("bid", "100.02", "1")]);
    assert_eq!((rig.faults(), rig.top(0)), (vec!["crossed_book"], None));
    rig.wait(1);
    let texts: Vec<String> = rig.sent().into_iter().map(|(_, t)| t).collect();
    assert_eq!(
        texts,
        [
            r#"{"type":"unsubscribe","product_ids":["BTC-USD"],"channel":"level2"}"#,
            r#"{"type":"subscribe","product_ids":["BTC-USD"],"channel":"level2"}"#
        ]
    );
    rig.update(1, 2, "BTC-USD", &[("bid", "99.00", "1")]);
    assert_eq!(rig.top(0), None, "an update before the snapshot");
    rig.snapshot(1, 3, "BTC-USD", "100.00", "100.01");
    assert_eq!(rig.top(0), Some((100.0, 100.01)));
}

#[test]
fn checklist_07_the_sequence_is_checked_over_all_channels_before_anything_else() {
    let mut rig = ready();
    rig.say(1, 1, "something_new", "[]").update(1, 2, "BTC-USD", &[("bid", "99.00", "1")]);
    assert_eq!(rig.faults(), ["unknown_channel"], "unknown channels count");
    rig.statuses(Metric::Book);
    rig.update(1, 4, "BTC-USD", &[("bid", "100.00", "7")]);
    assert_eq!(rig.faults(), ["sequence_gap"]);
    assert_eq!((rig.top(0), rig.state(0, Metric::Book)), (None, (StatusState::Resync, GapReason::SequenceJump)));
    assert_eq!(rig.statuses(Metric::Book), [(StatusState::Resync, GapReason::SequenceJump)]);
    assert_eq!(rig.closes(), 1, "the connection is replaced");
    rig.close(1).open(0, 2);
    // Again within 20 s: the books go, the reconnect waits.
    rig.snapshot(2, 0, "BTC-USD", "100.00", "100.01").say(2, 2, "heartbeats", r#"[{"heartbeat_counter":1}]"#);
    assert_eq!((rig.top(0), rig.closes()), (None, 0));
    rig.wait(19);
    assert_eq!(rig.closes(), 0);
    rig.wait(1);
    assert_eq!(rig.closes(), 1, "at most once in 20 s");
    rig.close(2).open(0, 3);
    rig.faults();
    // Lower numbers are ignored.
    rig.snapshot(3, 10, "BTC-USD", "100.00", "100.01").snapshot(3, 9, "BTC-USD", "90.00", "90.01");
    assert_eq!((rig.top(0), rig.faults()), (Some((100.0, 100.01)), vec!["sequence_old"]));
    // A storm of gaps is one fault, and no storm of reconnects.
    for n in 0..400 {
        rig.say(3, 11 + 2 * n, "heartbeats", r#"[{"heartbeat_counter":1}]"#).wait(1);
    }
    let storms = rig.faults().iter().filter(|f| **f == "sequence_scope_changed").count();
    assert_eq!((storms, rig.closes()), (1, 0), "the next reconnect waits for ten minutes");
}

#[test]
fn checklist_08_level2_comes_as_l2_data_and_offers_are_asks() {
    let mut rig = ready();
    rig.update(1, 1, "BTC-USD", &[("offer", "100.005", "3")]);
    assert_eq!(rig.faults(), ["off_tick"]);
    let mut rig = ready();
    rig.update(1, 1, "BTC-USD", &[("offer", "100.03", "3"), ("bid", "99.00", "4")]);
    let book = rig.session.book(MarketIndex(0)).unwrap();
    assert_eq!(book.asks().map(|l| (l.units, l.qty)).collect::<Vec<_>>(), [(10_001, 2.0), (10_003, 3.0)]);
    assert_eq!(book.bids().map(|l| (l.units, l.qty)).collect::<Vec<_>>(), [(10_000, 1.0), (9_900, 4.0)]);
    rig.update(1, 2, "BTC-USD", &[("ask", "100.04", "3")]);
    assert_eq!(rig.faults(), ["bad_level"], "no other word is an ask");
}

#[test]
fn checklist_09_zero_deletes_also_what_is_not_there() {
    let mut rig = ready();
    let rows =
        [("bid", "99.50", "5"), ("bid", "100.00", "0"), ("bid", "42.00", "0"), ("offer", "100.01", "0.00000000")];
    rig.update(1, 1, "BTC-USD", &[("offer", "101.00", "1")]).update(1, 2, "BTC-USD", &rows);
    assert_eq!((rig.top(0), rig.faults()), (Some((99.5, 101.0)), vec![]));
}

#[test]
fn checklist_10_a_second_snapshot_replaces_everything() {
    let mut rig = ready();
    rig.update(1, 1, "BTC-USD", &[("bid", "99.00", "4")]).snapshot(1, 2, "BTC-USD", "98.00", "98.50");
    let book = rig.session.book(MarketIndex(0)).unwrap();
    assert_eq!((book.bids().len(), book.asks().len(), rig.top(0)), (1, 1, Some((98.0, 98.5))));
}

#[test]
fn checklist_11_frames_of_the_canonical_product_answer_for_its_alias() {
    let specs = vec![spot("BTC-USDC"), spot("BTC-USD"), spot("USDT-USDC"), spot("EURC-USDC")];
    let mut rig = Rig::new(config(specs));
    rig.open(0, 1);
    let (_, first) = &rig.sent()[0];
    assert!(first.contains(r#"["BTC-USD","USDT-USDC","EURC-USDC"]"#), "one subscription per product: {first}");
    rig.snapshot(1, 0, "BTC-USD", "100.00", "100.01");
    assert_eq!((rig.top(0), rig.top(1), rig.top(2)), (Some((100.0, 100.01)), Some((100.0, 100.01)), None));
    rig.trades(1, 1, "update", "BTC-USD", &[(7, "100.00", "1", "BUY")]);
    assert_eq!(rig.take(Metric::Trade).iter().map(|e| e.market.0).collect::<Vec<_>>(), [0, 1], "under both names");
    rig.snapshot(1, 2, "USDT-USD", "1.00", "1.01");
    assert_eq!((rig.top(2), rig.faults()), (None, vec!["unknown_symbol"]), "another book");
    rig.snapshot(1, 3, "USDT-USDC", "1.00", "1.01").snapshot(1, 4, "EURC-USDC", "1.10", "1.11");
    assert_eq!((rig.top(2), rig.top(3)), (Some((1.0, 1.01)), Some((1.1, 1.11))));
}

#[test]
fn checklist_12_a_stamp_of_1970_is_no_latency_sample() {
    let mut rig = Rig::new(config(vec![spot("BTC-USD")]));
    rig.open(0, 1);
    for n in 0..40 {
        rig.snapshot(1, n, "BTC-USD", "100.00", "100.01");
    }
    let stamps: Vec<Ts> = rig.take(Metric::Book).iter().map(|e| e.event_ts).collect();
    assert_eq!(stamps, [rig.now], "the message's stamp");
    let lag = rig.session.lag().unwrap().lag().unwrap();
    assert_eq!((lag.min, lag.max), (Span::ZERO, Span::ZERO));
}

#[test]
fn checklist_13_an_empty_text_is_absent() {
    let mut rig = ready();
    rig.say(1, 1, "ticker", r#"[{"type":"update","tickers":[{"product_id":"BTC-USD","best_bid":"","best_ask":"1"}]}]"#);
    assert_eq!((rig.take(Metric::BestBidAsk).len(), rig.faults()), (0, vec![]));
    let body = r#"{"products":[{"product_id":"X-USD","price_increment":"","base_increment":"","status":"online",
        "quote_increment":"","approximate_quote_24h_volume":"","alias":"","base_currency_id":"X","quote_currency_id":"USD"}]}"#;
    let spec = &(def().instruments)(&[body.as_bytes().to_vec()]).unwrap()[0];
    assert_eq!((spec.tick, spec.step, spec.volume_24h_quote, spec.settle.as_ref()), (None, None, None, None));
}

#[test]
fn checklist_14_five_minute_candles_of_the_socket_are_no_bars() {
    let mut rig = ready();
    let candle = r#"[{"type":"update","candles":[{"start":"1775521800","high":"2","low":"1","open":"1","close":"2",
        "volume":"1","product_id":"BTC-USD"}]}]"#;
    rig.say(1, 1, "candles", candle);
    assert_eq!((rig.take(Metric::Bar), rig.faults()), (vec![], vec![]), "counted, not used");
    // `start` is seconds as text: asked for over REST.
    let mut rig = Rig::new(SessionConfig { backfill: Span::mins(3), ..config(vec![spot("BTC-USD")]) });
    rig.open(0, 1).trades(1, 0, "snapshot", "BTC-USD", &[(1, "100.00", "1", "BUY")]);
    rig.wait(70);
    assert_eq!(rig.requests(), [], "by our clock the minute is over; the venue has not said so");
    rig.say(1, 1, "heartbeats", r#"[{"current_time":"","heartbeat_counter":"1"}]"#).wait(1);
    let request = rig.requests().pop().unwrap();
    let (now, minute) =
        (rig.now, |n: i64| (Ts::parse("2026-11-19T09:00:00Z").unwrap() + Span::mins(n)).0 / 1_000_000_000);
    let row = |n: i64, v: &str| {
        format!(r#"{{"start":"{}","low":"1","high":"3","open":"2","close":"2.5","volume":"{v}"}}"#, minute(n))
    };
    let rows = [row(1, "9"), row(0, "7"), row(-1, "5"), row(-3, "4"), row(-9, "3")].join(",");
    rig.reply(&request, 200, &format!(r#"{{"candles":[{rows}]}}"#));
    let bars: Vec<(Ts, f64, Origin)> = rig.take(Metric::Bar).iter().map(bar).collect();
    let close = |n: i64| Ts::from_secs(minute(n) + 60);
    let back = Origin::Backfill;
    assert_eq!(
        bars,
        [(close(-3), 4.0, back), (close(-1), 5.0, back), (close(0), 7.0, back)],
        "the open one never: {now}"
    );
}

fn bar(e: &Emit) -> (Ts, f64, Origin) {
    match e.payload {
        Payload::Bar(b) => (e.event_ts, b.volume.unwrap(), e.origin),
        _ => panic!("no bar: {e:?}"),
    }
}

#[test]
fn checklist_15_the_side_of_trades_is_interpreted_as_configured_and_labelled() {
    use barograph_venues::coinbase::AggressorFrom;
    for (is_maker, want, label) in [(true, Side::Short, "maker"), (false, Side::Long, "taker")] {
        let config = SessionConfig { trade_side_is_maker: is_maker, ..config(vec![spot("BTC-USD")]) };
        let side = AggressorFrom::configured(config.trade_side_is_maker);
        assert_eq!(serde_json::to_string(&side).unwrap(), format!("\"{label}\""));
        let mut rig = Rig::new(config);
        rig.open(0, 1).trades(1, 0, "update", "BTC-USD", &[(1, "100.00", "1", "BUY")]);
        let said = rig.take(Metric::Trade)[0].payload;
        assert_eq!(said, Payload::Trade { price: 100.0, qty: 1.0, aggressor_side: Some(want) });
    }
}

#[test]
fn checklist_16_contracts_become_base_units_and_3600s_an_hour() {
    let spec = MarketSpec { contract_size: Some(0.01), ..MarketSpec::bare("BIP-20DEC30-CDE", MarketKind::Perpetual) };
    let mut rig = Rig::new(config(vec![spec]));
    rig.open(0, 1).wait(1);
    let request = rig.requests().pop().expect("a poll");
    assert_eq!(request.url, "https://rest/api/v3/brokerage/market/products/BIP-20DEC30-CDE");
    let body = r#"{"product_id":"BIP-20DEC30-CDE","future_product_details":{"contract_size":"0.01","open_interest":"183283",
        "funding_interval":"3600s","funding_rate":"0.000013","funding_time":"2026-04-07T00:00:00Z","index_price":"68899.882564",
        "perpetual_details":{"open_interest":"7","funding_rate":""}}}"#;
    rig.reply(&request, 200, body);
    assert_eq!(rig.take(Metric::OpenInterest)[0].payload, Payload::Value(183_283.0 * 0.01));
    assert_eq!(rig.take(Metric::IndexPrice)[0].payload, Payload::Value(68_899.882_564));
    assert_eq!(
        rig.take(Metric::FundingRate)[0].payload,
        Payload::Funding { rate: 0.000_013, interval_h: Some(1.0), next_ts: None, special: false }
    );
    assert_eq!(rig.state(0, Metric::MarkPrice).0, StatusState::NotOffered);
    rig.trades(1, 0, "update", "BIP-20DEC30-CDE", &[(1, "68930", "20", "SELL")]);
    assert!(matches!(rig.take(Metric::Trade)[0].payload, Payload::Trade { qty: 0.2, .. }), "contracts");
    // A rate beyond one is damage.
    rig.wait(16);
    let request = rig.requests().pop().unwrap();
    rig.reply(&request, 200, &body.replace("0.000013", "13.5"));
    assert_eq!((rig.take(Metric::FundingRate).len(), rig.faults()), (0, vec!["poll_failed"]));
}

#[test]
fn checklist_17_never_more_than_350_candles_and_pages_go_backwards() {
    let mut rig = Rig::new(SessionConfig { backfill: Span::days(1), ..config(vec![spot("BTC-USD")]) });
    rig.open(0, 1).trades(1, 0, "snapshot", "BTC-USD", &[(1, "100.00", "1", "BUY")]);
    rig.wait(70);
    assert_eq!(rig.requests(), [], "by our clock the minute is over; the venue has not said so");
    rig.say(1, 1, "heartbeats", r#"[{"current_time":"","heartbeat_counter":"1"}]"#).wait(1);
    let (mut ends, mut minutes) = (Vec::new(), 0);
    while let Some(request) = rig.requests().pop() {
        let field = |name: &str| -> i64 {
            let (_, rest) = request.url.split_once(&format!("{name}=")).unwrap();
            rest.split('&').next().unwrap().parse().unwrap()
        };
        let asked = (field("end") - field("start")) / 60 + 1;
        assert!(asked <= 350 && request.url.contains("granularity=ONE_MINUTE"), "{}", request.url);
        minutes += asked;
        ends.push(field("end"));
        rig.reply(&request, 200, r#"{"candles":[]}"#);
    }
    assert_eq!(minutes, 24 * 60 + 1, "each minute once, the one of the start too");
    assert!(ends.len() == 5 && ends.windows(2).all(|w| w[0] > w[1]), "{ends:?}");
}

#[test]
fn checklist_18_nothing_of_the_international_exchange_is_left() {
    let endpoints = (def().endpoints)();
    for ask in (def().discovery)(&endpoints) {
        assert!(!ask.url.contains("international") && !ask.url.contains("INTX"), "{}", ask.url);
    }
    assert!(!endpoints.ws.contains("international") && !endpoints.rest.contains("international"));
    let body = br#"{"products":[{"product_id":"BTC-PERP-INTX","status":"online","future_product_details":{}}]}"#;
    assert_eq!((def().instruments)(&[body.to_vec()]).unwrap(), []);
}

/// An id far from the count is refused four times and believed the fifth; one of the count in between begins that anew.
#[test]
fn a_trade_id_far_from_the_count_is_believed_when_the_venue_insists() {
    const FAR: u64 = 20_000_000;
    let mut rig = Rig::new(config(vec![spot("BTC-USD")]));
    rig.open(0, 1).snapshot(1, 0, "BTC-USD", "100.00", "100.01");
    let mut sequence = 0;
    let mut came = |rig: &mut Rig, id: u64| {
        sequence += 1;
        rig.wait(1);
        rig.trades(1, sequence, "update", "BTC-USD", &[(id, "100.00", "1", "BUY")]);
        let ids: Vec<u64> = rig.take(Metric::Trade).iter().map(|e| e.seq).collect();
        (ids, rig.faults().iter().filter(|kind| **kind == "wild_trade_id").count())
    };
    assert_eq!(came(&mut rig, 100), (vec![100], 0));
    for round in 0..2 {
        for nth in 0..4 {
            assert_eq!(came(&mut rig, FAR + nth), (vec![], 1), "round {round}, wild one {nth}");
        }
        assert_eq!(came(&mut rig, 101 + round), (vec![101 + round], 0));
    }
    for nth in 0..4 {
        assert_eq!(came(&mut rig, FAR + nth), (vec![], 1));
    }
    assert_eq!(came(&mut rig, FAR + 4), (vec![FAR + 4], 1), "the venue counts anew");
}

#[test]
fn trades_are_neither_lost_nor_doubled_and_holes_are_filled() {
    let mut rig = Rig::new(SessionConfig { backfill: Span::secs(5), ..config(vec![spot("BTC-USD")]) });
    rig.open(0, 1).snapshot(1, 0, "BTC-USD", "100.00", "100.01");
    rig.trades(1, 1, "snapshot", "BTC-USD", &[(12, "100.00", "1", "BUY"), (11, "100.00", "1", "BUY")]);
    assert_eq!(rig.take(Metric::Trade).len(), 2, "history of the last five seconds is wanted");
    rig.statuses(Metric::Trade);
    rig.trades(1, 2, "update", "BTC-USD", &[(13, "100.00", "1", "BUY"), (12, "100.00", "1", "BUY")]);
    rig.trades(1, 3, "update", "BTC-USD", &[(17, "100.00", "1", "SELL")]);
    let ids = |rig: &mut Rig| rig.take(Metric::Trade).iter().map(|e| (e.seq, e.origin)).collect::<Vec<_>>();
    assert_eq!(ids(&mut rig), [(13, Origin::Live), (17, Origin::Live)]);
    assert_eq!(
        rig.statuses(Metric::Trade),
        [(StatusState::Gap, GapReason::SequenceJump), (StatusState::Live, GapReason::SequenceJump)]
    );
    rig.wait(1);
    let request = rig.requests().into_iter().find(|r| r.url.contains("/ticker?")).expect("a repair");
    let time = (rig.now - Span::millis(1_100)).iso();
    let rows: Vec<String> =
        [18, 17, 16, 15, 13].iter().map(|id| trade("BTC-USD", *id, "100.00", "1", "BUY", &time)).collect();
    rig.reply(&request, 200, &format!(r#"{{"trades":[{}]}}"#, rows.join(",")));
    assert_eq!(ids(&mut rig), [(15, Origin::Backfill), (16, Origin::Backfill)]);
    let older = rig.requests().into_iter().find(|r| r.url.contains("/ticker?")).expect("an older page");
    rig.reply(&older, 200, r#"{"trades":[]}"#);
    assert_eq!(rig.faults(), ["hole_given_up"], "14 is not to be had");
    // A reconnect that the snapshot bridges: the rest comes, once.
    rig.close(1);
    assert_eq!(rig.state(0, Metric::Trade), (StatusState::Gap, GapReason::Disconnected));
    rig.wait(2).open(0, 2);
    let all: Vec<(u64, &str, &str, &str)> = (10..=20).rev().map(|id| (id, "100.00", "1", "BUY")).collect();
    rig.trades(2, 0, "snapshot", "BTC-USD", &all);
    assert_eq!(ids(&mut rig), [(18, Origin::Backfill), (19, Origin::Backfill), (20, Origin::Backfill)]);
    assert_eq!(rig.state(0, Metric::Trade).0, StatusState::Live);
}

#[test]
fn two_instances_of_a_link_deliver_once_and_one_may_close() {
    let mut rig = ready();
    rig.trades(1, 1, "update", "BTC-USD", &[(5, "100.00", "1", "BUY")]);
    rig.open(0, 2).snapshot(2, 0, "BTC-USD", "100.00", "100.01");
    rig.trades(2, 1, "snapshot", "BTC-USD", &[(5, "100.00", "1", "BUY"), (4, "100.00", "1", "BUY")]);
    for id in 6..9 {
        rig.trades(1, id - 4, "update", "BTC-USD", &[(id, "100.00", "1", "BUY")]);
        rig.trades(2, id - 4, "update", "BTC-USD", &[(id, "100.00", "1", "BUY")]);
        rig.update(1, id + 10, "BTC-USD", &[("bid", "99.00", "1")]);
    }
    rig.faults();
    rig.actions.clear();
    assert_eq!(rig.take(Metric::Trade).iter().map(|e| e.seq).collect::<Vec<_>>(), [5, 6, 7, 8]);
    assert_eq!(rig.session.book(MarketIndex(0)).unwrap().bids().len(), 1, "the newer instance feeds the book");
    rig.events.clear();
    rig.close(1);
    assert_eq!(rig.events, [], "no gap: the other one delivers");
    rig.close(2);
    assert_eq!(rig.state(0, Metric::Trade), (StatusState::Gap, GapReason::Disconnected));
    assert_eq!(rig.state(0, Metric::Book), (StatusState::Gap, GapReason::Disconnected));
    assert_eq!(rig.top(0), None);
}

#[test]
fn a_silent_product_is_subscribed_again_while_heartbeats_go_on() {
    let mut rig = ready();
    let mut sequence = 0;
    let mut beat = |rig: &mut Rig| {
        sequence += 1;
        rig.say(1, sequence + 1_000, "heartbeats", r#"[{"heartbeat_counter":1}]"#);
    };
    for n in 1..=100 {
        rig.now = rig.now + Span::millis(200);
        rig.update(1, n, "BTC-USD", &[("bid", "99.00", "1")]);
    }
    beat(&mut rig);
    rig.faults();
    rig.actions.clear();
    // The gap before the first beat replaced the connection; begin again with a busy book.
    rig.close(1).open(0, 2).snapshot(2, 0, "BTC-USD", "100.00", "100.01");
    rig.sent();
    rig.wait(30);
    assert_eq!(rig.sent().len(), 0);
    rig.wait(1);
    assert_eq!(rig.state(0, Metric::Book), (StatusState::Stale, GapReason::Silent));
    assert_eq!(rig.sent().len(), 2, "unsubscribe and subscribe");
}

#[test]
fn bars_are_made_of_trades_and_the_first_minute_is_fetched() {
    let mut rig = Rig::new(config(vec![spot("BTC-USD")]));
    rig.now = Ts::parse("2026-11-19T09:00:30Z").unwrap();
    rig.open(0, 1);
    for (id, second) in (1..).zip(0..200) {
        rig.now = rig.now + Span::secs(1);
        let price = format!("{}.00", 100 + second % 7);
        rig.trades(1, u64::try_from(second).unwrap() * 2, "update", "BTC-USD", &[(id, &price, "0.1", "BUY")]);
        rig.say(1, u64::try_from(second).unwrap() * 2 + 1, "heartbeats", r#"[{"heartbeat_counter":1}]"#);
    }
    let bars: Vec<(Ts, f64, Origin)> = rig.take(Metric::Bar).iter().map(bar).collect();
    let at = |text: &str| Ts::parse(text).unwrap();
    // Sixty tenths are six, exactly.
    assert_eq!(
        bars,
        [(at("2026-11-19T09:02:00Z"), 6.0, Origin::Live), (at("2026-11-19T09:03:00Z"), 6.0, Origin::Live)]
    );
    assert_eq!(rig.faults(), [""; 0]);
}

#[test]
fn markets_change_while_it_runs() {
    let mut rig = Rig::new(config(vec![spot("BTC-USD"), spot("ETH-USD")]));
    rig.open(0, 1).snapshot(1, 0, "BTC-USD", "100.00", "100.01").snapshot(1, 1, "ETH-USD", "10.00", "10.01");
    rig.sent();
    let links = rig.session.links().to_vec();
    rig.input(&Input::Markets(&[spot("ETH-USD"), spot("SOL-USD")]));
    let texts: Vec<String> = rig.sent().into_iter().map(|(_, t)| t).collect();
    assert_eq!(texts.len(), 6, "{texts:?}");
    assert!(texts[0].contains("unsubscribe") && texts[0].contains("BTC-USD"), "{texts:?}");
    assert!(texts[3].contains(r#""subscribe","product_ids":["SOL-USD"],"channel":"level2""#), "{texts:?}");
    assert_eq!(rig.session.links(), links, "on the connection that is open");
    assert_eq!(rig.session.streams().len(), 3 * STREAMS.len());
    assert_eq!((rig.state(0, Metric::Book), rig.top(0)), ((StatusState::Gap, GapReason::NotRunning), None));
    rig.update(1, 2, "BTC-USD", &[("bid", "99.00", "1")]).snapshot(1, 3, "SOL-USD", "5.00", "5.01");
    assert_eq!((rig.top(1), rig.top(2), rig.faults()), (Some((10.0, 10.01)), Some((5.0, 5.01)), vec![]));
    let (at, beginning) = (rig.now.iso(), config(vec![spot("BTC-USD"), spot("ETH-USD")]));
    let trade = format!(
        r#"{{"channel":"market_trades","client_id":"","timestamp":"{at}","sequence_num":4,"events":[{{"type":"update","trades":[{}]}}]}}"#,
        trade("SOL-USD", 7, "5.00", "1", "BUY", &at)
    );
    suite::knows_what_was_added(def().open, beginning, &mut *rig.session, rig.now, ConnId(1), trade.as_bytes());
    // Back again: the same index.
    rig.input(&Input::Markets(&[spot("BTC-USD")]));
    rig.snapshot(1, 5, "BTC-USD", "101.00", "101.01");
    assert_eq!((rig.top(0), rig.top(1)), (Some((101.0, 101.01)), None));
    rig.input(&Input::Markets(&[]));
    assert_eq!(rig.session.links(), []);
    assert!(rig.actions.contains(&Action::Relink));
}

#[test]
fn messages_of_other_connections_and_unknown_shapes_are_faults() {
    let mut rig = ready();
    rig.frame(9, "{}").frame(1, "not json").frame(1, r#"{"channel":"l2_data"}"#).frame(1, "[]");
    assert_eq!(rig.faults(), ["unknown_connection", "undecodable", "undecodable", "undecodable"]);
    rig.input(&Input::Opened { link: LinkId(77), conn: ConnId(5) });
    assert_eq!(rig.closes(), 1, "a link nobody wants");
}

#[test]
fn a_product_is_left_with_its_last_name_only() {
    let mut rig = Rig::new(config(vec![spot("BTC-USD"), spot("BTC-USDC")]));
    rig.open(0, 1).snapshot(1, 0, "BTC-USD", "100.00", "100.01");
    rig.sent();
    rig.input(&Input::Markets(&[spot("BTC-USDC")]));
    assert_eq!(rig.sent(), [], "the alias is still wanted");
    assert_eq!(
        (rig.state(0, Metric::Book), rig.state(1, Metric::Book).0),
        ((StatusState::Gap, GapReason::NotRunning), StatusState::Live)
    );
    rig.events.clear();
    rig.trades(1, 1, "update", "BTC-USD", &[(7, "100.00", "1", "BUY")]);
    assert_eq!(rig.take(Metric::Trade).iter().map(|e| e.market.0).collect::<Vec<_>>(), [1]);
    rig.input(&Input::Markets(&[]));
    assert_eq!((rig.sent().len(), rig.session.links().len()), (3, 0));
}

#[test]
fn a_future_that_comes_back_is_polled_again() {
    let spec = MarketSpec { contract_size: Some(0.1), ..MarketSpec::bare("ETP-20DEC30-CDE", MarketKind::Perpetual) };
    let mut rig = Rig::new(config(vec![spec.clone()]));
    rig.open(0, 1).wait(1);
    assert_eq!(rig.requests().len(), 1);
    rig.input(&Input::Markets(&[]));
    rig.wait(100);
    assert_eq!(rig.requests(), []);
    rig.input(&Input::Markets(&[spec]));
    rig.wait(1);
    assert_eq!(rig.requests().len(), 1);
    // Ids of futures say nothing about order or holes: time does, and what is old is not reported twice.
    let link = rig.session.links()[0].id;
    rig.open(link.0, 2).trades(2, 0, "update", "ETP-20DEC30-CDE", &[(900, "2000", "3", "BUY")]);
    rig.trades(2, 1, "update", "ETP-20DEC30-CDE", &[(4, "2001", "1", "BUY"), (900, "2000", "3", "BUY")]);
    rig.now = rig.now + Span::secs(1);
    rig.trades(2, 2, "update", "ETP-20DEC30-CDE", &[(4_000_000_000, "2001", "1", "BUY")]);
    assert_eq!(rig.take(Metric::Trade).iter().map(|e| e.seq).collect::<Vec<_>>(), [900, 4, 4_000_000_000]);
    assert_eq!((rig.state(0, Metric::Trade).0, rig.faults()), (StatusState::Live, vec![]));
}
