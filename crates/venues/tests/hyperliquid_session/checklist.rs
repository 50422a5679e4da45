//! Every line of the conformance checklist in the venue's sheet.

use crate::rig::{Rig, candle, config, def, perp};
use barograph_domain::{GapReason, Metric, Payload, Span, StatusState, Ts};
use barograph_venues::session::{ConnId, Fault, Input, MarketIndex, Origin, SessionConfig, suite};

#[test]
fn checklist_01_a_first_frame_that_is_no_json_is_ignored() {
    let mut rig = Rig::new(config(&["BTC"]));
    rig.frame(1, "Websocket connection established.");
    assert_eq!(rig.faults(), [""; 0]);
    rig.frame(1, "Something else.");
    assert_eq!(rig.faults(), ["undecodable"], "only the greeting is");
}

#[test]
fn checklist_02_a_ping_every_30_seconds_and_no_answer_is_the_end() {
    // The driver sends it and counts the silence (tested in `net`); here is what it hears.
    let mut rig = Rig::new(config(&["BTC"]));
    assert_eq!(rig.session.links()[0].ping.as_deref(), Some(r#"{"method":"ping"}"#));
    let limits = rig.session.limits();
    assert_eq!((limits.ping_every, limits.dead_after), (Some(Span::secs(30)), Span::secs(40)));
    rig.frame(1, r#"{"channel":"pong"}"#);
    assert_eq!(rig.faults(), [""; 0]);
}

#[test]
fn checklist_03_fast_and_slow_books_never_overwrite_each_other() {
    let mut rig = Rig::new(config(&["BTC"]));
    rig.book("BTC", "100.0", "101.0", "");
    assert_eq!(rig.top(0), Some((100.0, 101.0)));
    rig.book("BTC", "100.5", "100.7", r#","fast":true"#).book("BTC", "99.0", "102.0", "");
    assert_eq!(rig.top(0), Some((100.5, 100.7)), "the fast one is in use while it comes");
    rig.wait(16).book("BTC", "98.0", "103.0", "");
    assert_eq!(rig.top(0), Some((98.0, 103.0)), "else the slow one");
    rig.book("BTC", "90.0", "110.0", r#","spread":"5""#);
    assert_eq!(rig.top(0), Some((98.0, 103.0)), "rounded prices are no book");
    let texts = rig.texts();
    assert!(
        texts.contains(&r#"{"method":"subscribe","subscription":{"type":"l2Book","coin":"BTC","fast":true}}"#.into())
    );
}

#[test]
fn checklist_04_an_old_book_is_stale_and_the_next_frame_makes_it_live() {
    for (more, limit) in [(r#","fast":true"#, 3), ("", 15)] {
        let mut rig = Rig::new(config(&["BTC"]));
        rig.book("BTC", "100.0", "101.0", more);
        rig.texts();
        rig.wait(limit);
        assert_eq!(rig.state(0, Metric::Book).0, StatusState::Live);
        rig.wait(1);
        assert_eq!((rig.state(0, Metric::Book), rig.top(0)), ((StatusState::Stale, GapReason::Silent), None));
        rig.statuses(Metric::Book);
        rig.book("BTC", "100.0", "101.0", more);
        assert_eq!(rig.statuses(Metric::Book), [(StatusState::Live, GapReason::Silent)]);
        assert_eq!((rig.top(0), rig.texts()), (Some((100.0, 101.0)), vec![]), "without subscribing again");
        // A subscription that stays silent does not heal by itself.
        rig.wait(61);
        let texts = rig.texts().into_iter().filter(|text| text.contains("l2Book"));
        assert_eq!(texts.count(), 2, "unsubscribe and subscribe");
    }
}

const UNIVERSE: &str = r#"[{"universe":[{"name":"BTC","szDecimals":5,"maxLeverage":40,"marginTableId":56},
    {"name":"OLD","szDecimals":1,"maxLeverage":3,"marginTableId":3,"isDelisted":true},
    {"name":"kPEPE","szDecimals":0,"maxLeverage":10,"marginTableId":52}],"marginTables":[],"collateralToken":0},
    [{"funding":"0.0000125","openInterest":"28911.42176","prevDayPx":"90110.0","dayNtlVlm":"2911405511.2","premium":"0.00021",
      "oraclePx":"91238.0","markPx":"91252.0","midPx":"91250.5","impactPxs":["91250.0","91251.0"]},
     {"funding":"0.0","openInterest":"0.0","prevDayPx":"1.0","dayNtlVlm":"0.0","premium":null,"oraclePx":"1.0","markPx":"1.0",
      "midPx":null,"impactPxs":null},
     {"funding":"-0.0001","openInterest":"7000.0","prevDayPx":"0.02","dayNtlVlm":"5.5","premium":null,"oraclePx":"0.0201",
      "markPx":"0.02","midPx":null,"impactPxs":null}]]"#;

#[test]
fn checklist_05_contexts_are_joined_by_position_past_delisted_coins() {
    let mut rig = Rig::new(config(&["BTC", "kPEPE"]));
    rig.wait(1);
    let request = rig.asked("metaAndAssetCtxs").pop().unwrap();
    assert_eq!((request.url.as_str(), request.weight), ("https://rest/info", 20));
    rig.reply(&request, 200, UNIVERSE);
    let marks: Vec<_> = rig.take(Metric::MarkPrice).iter().map(|e| (e.market.0, e.payload)).collect();
    assert_eq!(marks, [(0, Payload::Value(91_252.0)), (1, Payload::Value(0.02))]);
    let specs = (def().instruments)(&[UNIVERSE.as_bytes().to_vec()]).unwrap();
    let volumes: Vec<_> = specs.iter().map(|s| (s.symbol.as_str(), s.volume_24h_quote, s.trading)).collect();
    assert_eq!(volumes, [("BTC", Some(2_911_405_511.2), true), ("OLD", Some(0.0), false), ("kPEPE", Some(5.5), true)]);
    let short = UNIVERSE.replacen(r#"{"funding":"0.0","openInterest":"0.0","prevDayPx":"1.0","dayNtlVlm":"0.0","premium":null,"oraclePx":"1.0","markPx":"1.0",
      "midPx":null,"impactPxs":null},"#, "", 1);
    assert!((def().instruments)(&[short.into_bytes()]).unwrap_err().contains("3 coins and 2 contexts"));
}

const CONTEXT: &str = r#"{"coin":"BTC","ctx":{"funding":"0.0000125","openInterest":"28911.42176","prevDayPx":"90110.0",
    "dayNtlVlm":"2911405511.2","premium":null,"oraclePx":"91238.0","markPx":"91252.0","midPx":null,"impactPxs":null}}"#;

#[test]
fn checklist_06_absent_middle_and_impact_prices_are_none() {
    let mut rig = Rig::new(config(&["BTC"]));
    rig.say("activeAssetCtx", CONTEXT);
    assert_eq!(rig.faults(), [""; 0]);
    assert_eq!(rig.take(Metric::IndexPrice)[0].payload, Payload::Value(91_238.0));
    let nothing = CONTEXT.replace("\"91252.0\"", "null").replace("\"91238.0\"", "\"\"");
    rig.say("activeAssetCtx", &nothing);
    assert_eq!((rig.take(Metric::MarkPrice).len(), rig.faults()), (1, vec![]), "what is absent is not said");
    rig.say("activeAssetCtx", &CONTEXT.replace("91252.0", "-3"));
    assert_eq!(rig.faults(), ["bad_context"]);
}

#[test]
fn checklist_07_a_small_k_is_a_thousand_and_keeps_its_case() {
    let specs = (def().instruments)(&[UNIVERSE.as_bytes().to_vec()]).unwrap();
    let pepe = &specs[2];
    assert_eq!((pepe.base.as_str(), pepe.base_multiplier, pepe.symbol.as_str()), ("PEPE", 1_000.0, "kPEPE"));
    let mut rig = Rig::new(config(&["kPEPE"]));
    let texts = rig.texts();
    assert!(texts.len() == 5 && texts.iter().all(|t| t.contains(r#""coin":"kPEPE""#)), "{texts:?}");
    rig.book("KPEPE", "1.0", "2.0", "");
    assert_eq!((rig.top(0), rig.faults()), (None, vec!["unknown_symbol"]));
}

#[test]
fn checklist_08_settlements_join_their_hour_and_intervals_are_computed() {
    let ask = |from: &str, rows: &[(&str, i64)]| {
        let wanted = SessionConfig { backfill: Span::days(2), ..config(&["BTC"]) };
        let mut rig = Rig::at(Ts::parse(from).unwrap(), wanted);
        rig.say("activeAssetCtx", CONTEXT).wait(3);
        let request = rig.asked("fundingHistory").pop().unwrap();
        let rows: Vec<String> = rows
            .iter()
            .map(|(at, ms)| {
                let time = Ts::parse(at).unwrap().as_millis() + ms;
                format!(r#"{{"coin":"BTC","fundingRate":"0.0000125","premium":"0.0002","time":{time}}}"#)
            })
            .collect();
        rig.reply(&request, 200, &format!("[{}]", rows.join(",")));
        assert_eq!(rig.faults(), [""; 0]);
        let read = rig.take(Metric::FundingRateSettled).into_iter();
        read.map(|e| match e.payload {
            Payload::Funding { interval_h, rate, .. } => (e.event_ts.iso(), interval_h, rate),
            _ => panic!("no funding"),
        })
        .collect::<Vec<_>>()
    };
    let now = ask("2026-11-19T12:30:00Z", &[("2026-11-19T11:00:00Z", 0), ("2026-11-19T12:00:00Z", 48)]);
    assert_eq!(
        now,
        [
            ("2026-11-19T11:00:00Z".to_owned(), Some(1.0), 0.000_012_5),
            ("2026-11-19T12:00:00Z".to_owned(), Some(1.0), 0.000_012_5)
        ]
    );
    let old = ask(
        "2023-05-12T17:00:00Z",
        &[("2023-05-12T00:00:00Z", 48), ("2023-05-12T08:00:00Z", 76), ("2023-05-12T16:00:00Z", 48)],
    );
    assert_eq!(old.iter().map(|r| r.1).collect::<Vec<_>>(), [Some(8.0); 3]);
    assert_eq!(ask("2023-05-12T17:00:00Z", &[("2023-05-12T16:00:00Z", 48)])[0].1, None, "one row of then says nothing");
}

#[test]
fn checklist_09_rates_of_other_venues_are_not_taken() {
    // `predictedFundings` has other venues' rates per their own intervals; those venues are asked themselves.
    let mut rig = Rig::new(SessionConfig { backfill: Span::days(1), ..config(&["BTC"]) });
    rig.say("activeAssetCtx", CONTEXT).wait(120);
    assert_eq!(rig.asked("predictedFundings"), []);
}

#[test]
fn checklist_10_open_interest_is_base_units_and_usd_is_that_times_mark() {
    let mut rig = Rig::new(config(&["BTC"]));
    rig.say("activeAssetCtx", CONTEXT);
    assert_eq!(rig.take(Metric::OpenInterest)[0].payload, Payload::Value(28_911.421_76));
    assert_eq!(rig.take(Metric::OpenInterestUsd)[0].payload, Payload::Value(28_911.421_76 * 91_252.0));
    let hour = Ts::parse("2026-11-19T10:00:00Z").unwrap();
    let funding = Payload::Funding { rate: 0.000_012_5, interval_h: Some(1.0), next_ts: Some(hour), special: false };
    assert_eq!(rig.take(Metric::FundingRate)[0].payload, funding);
}

#[test]
fn checklist_11_known_trade_ids_are_dropped_and_jumps_are_no_gaps() {
    let mut rig = Rig::new(config(&["BTC"]));
    rig.trades(1, "BTC", &[]).trades(1, "BTC", &[(900, 500, "10.0")]);
    rig.take(Metric::Trade);
    rig.statuses(Metric::Trade);
    rig.trades(1, "BTC", &[(5, 400, "10.0"), (700_000_000_000, 400, "10.0")]).trades(1, "BTC", &[(5, 400, "10.0")]);
    assert_eq!(rig.take(Metric::Trade).iter().map(|e| e.seq).collect::<Vec<_>>(), [5, 700_000_000_000]);
    assert_eq!((rig.statuses(Metric::Trade), rig.faults()), (vec![(StatusState::Live, GapReason::Starting)], vec![]));
}

#[test]
fn checklist_12_the_first_frame_of_trades_is_history() {
    let mut rig = Rig::new(config(&["BTC"]));
    rig.wait(5).trades(1, "BTC", &[(3, 50_000, "10.0"), (2, 30_000, "10.0"), (1, 1_000, "10.0")]);
    assert_eq!(rig.take(Metric::Trade).iter().map(|e| (e.seq, e.origin)).collect::<Vec<_>>(), [(1, Origin::Backfill)]);
    rig.trades(1, "BTC", &[(4, 100, "10.0")]);
    assert_eq!(rig.take(Metric::Trade).iter().map(|e| (e.seq, e.origin)).collect::<Vec<_>>(), [(4, Origin::Live)]);
    // After a reconnect: what was not seen comes as history, once.
    rig.close(1);
    assert_eq!(rig.state(0, Metric::Trade), (StatusState::Gap, GapReason::Disconnected));
    rig.wait(10).open(0, 2).trades(2, "BTC", &[(6, 3_000, "10.0"), (4, 10_100, "10.0"), (1, 11_000, "10.0")]);
    assert_eq!(rig.take(Metric::Trade).iter().map(|e| (e.seq, e.origin)).collect::<Vec<_>>(), [(6, Origin::Backfill)]);
    rig.trades(2, "BTC", &[(7, 100, "10.0")]);
    assert_eq!(rig.state(0, Metric::Trade), (StatusState::Live, GapReason::Disconnected), "and the gap is declared");
}

#[test]
fn checklist_13_funding_pages_past_500_rows() {
    let mut rig = Rig::new(SessionConfig { backfill: Span::days(60), ..config(&["BTC"]) });
    rig.say("activeAssetCtx", CONTEXT).wait(3);
    let (mut seen, mut pages) = (Vec::new(), 0);
    while let Some(request) = rig.asked("fundingHistory").pop() {
        let body: serde_json::Value = serde_json::from_str(request.body.as_ref().unwrap()).unwrap();
        let (start, end) = (body["startTime"].as_i64().unwrap(), body["endTime"].as_i64().unwrap());
        let first = (start - 48).div_euclid(3_600_000) + i64::from((start - 48).rem_euclid(3_600_000) > 0);
        let rows: Vec<String> = (first..)
            .map(|hour| hour * 3_600_000 + 48)
            .take_while(|t| *t <= end)
            .take(500)
            .map(|time| format!(r#"{{"coin":"BTC","fundingRate":"0.00001","premium":"0.0","time":{time}}}"#))
            .collect();
        rig.reply(&request, 200, &format!("[{}]", rows.join(",")));
        seen.extend(rig.take(Metric::FundingRateSettled).iter().map(|e| e.event_ts));
        pages += 1;
    }
    assert_eq!((pages, seen.len()), (3, 60 * 24 + 1), "neither duplicates nor holes, both ends");
    assert!(seen.windows(2).all(|w| w[1] - w[0] == Span::hours(1)));
}

#[test]
fn checklist_14_candles_older_than_the_newest_5000_are_not_available() {
    let mut rig = Rig::new(SessionConfig { backfill: Span::days(5), ..config(&["BTC"]) });
    let now = rig.now;
    rig.candle("BTC", now - Span::mins(1), "11.0", "1").candle("BTC", now, "12.0", "1");
    rig.wait(3);
    assert_eq!(rig.faults(), ["not_kept"], "not an empty truth");
    let (mut minutes, mut first) = (0, None);
    while let Some(request) = rig.asked("candleSnapshot").pop() {
        let body: serde_json::Value = serde_json::from_str(request.body.as_ref().unwrap()).unwrap();
        let (start, end) = (body["req"]["startTime"].as_i64().unwrap(), body["req"]["endTime"].as_i64().unwrap());
        let rows: Vec<String> = (0..=(end - start) / 60_000)
            .map(|n| candle("BTC", Ts::from_millis(start + n * 60_000), "3.0", "1"))
            .collect();
        first = first.or(Some(start));
        assert!(rows.len() <= 500);
        rig.reply(&request, 200, &format!("[{}]", rows.join(",")));
        minutes += rig.take(Metric::Bar).iter().filter(|e| e.origin == Origin::Backfill).count();
    }
    assert!((4_996..5_000).contains(&minutes), "{minutes}");
    assert!((now.as_millis() - first.unwrap()) / 60_000 < 5_000);
}

#[test]
fn checklist_15_weights_count_rows_and_the_budget_is_1200() {
    let limits = (def().limits)();
    assert_eq!((limits.pools[0].weight, limits.pools[0].per), (1_200, Span::mins(1)));
    let mut rig = Rig::new(SessionConfig { backfill: Span::hours(200), ..config(&["BTC"]) });
    rig.say("activeAssetCtx", CONTEXT).wait(3);
    let request = rig.asked("fundingHistory").pop().unwrap();
    assert_eq!(request.weight, 20 + 200 / 20 + 1, "rounded up; the driver spends no more than it has");
}

#[test]
fn checklist_16_at_most_30_connection_attempts_per_minute() {
    let limits = (def().limits)();
    assert!(limits.connects_max <= 30 && limits.connects_per == Span::mins(1));
    // 1000 subscriptions and ten sockets are all the venue allows.
    let coins: Vec<String> = (0..300).map(|n| format!("C{n}")).collect();
    let coins: Vec<&str> = coins.iter().map(String::as_str).collect();
    let mut rig = Rig::new(config(&coins));
    let (links, texts) = (rig.session.links().len(), rig.texts().len());
    assert!(links <= 5 && texts <= 980, "{links} links, {texts} subscriptions");
    let left_out = rig.faults.iter().filter(|f| f.kind == "too_many_subscriptions").count();
    assert_eq!(left_out, 300 - 196, "five channels each until four fit no more: said, not silent");
    assert_eq!(rig.state(299, Metric::Trade), (StatusState::Gap, GapReason::Refused), "never live, and says why");
}

#[test]
fn checklist_17_a_builders_coin_never_merges_with_the_core_one() {
    let mut rig = Rig::new(config(&["BTC"]));
    rig.book("hyna:BTC", "1.0", "2.0", "").trades(1, "xyz:BTC", &[(1, 5, "1.0")]);
    assert_eq!((rig.top(0), rig.faults(), rig.take(Metric::Trade).len()), (None, vec!["unknown_symbol"; 2], 0));
    let body = br#"[{"universe":[{"name":"hyna:BTC","szDecimals":5}]},[{}]]"#;
    assert_eq!((def().instruments)(&[body.to_vec()]).unwrap(), []);
}

#[test]
fn checklist_18_no_liquidation_comes_from_trades() {
    let mut rig = Rig::new(config(&["BTC"]));
    rig.trades(1, "BTC", &[]).trades(1, "BTC", &[(1, 5, "1.0")]);
    assert_eq!(rig.state(0, Metric::Liquidation), (StatusState::NotOffered, GapReason::NotOffered));
    assert_eq!(rig.take(Metric::Liquidation), []);
}

#[test]
fn candles_close_once_and_holes_are_fetched() {
    let mut rig = Rig::new(config(&["BTC"]));
    let minute = |n: i64| Ts::parse("2026-11-19T09:00:00Z").unwrap() + Span::mins(n);
    rig.candle("BTC", minute(0), "11.0", "1").candle("BTC", minute(0), "12.0", "2");
    assert_eq!(rig.take(Metric::Bar), [], "open");
    rig.wait(59).candle("BTC", minute(1), "13.0", "1");
    let bars = rig.take(Metric::Bar);
    assert!(bars.len() == 1 && bars[0].event_ts == minute(1) && bars[0].payload.headline() == Some(12.0), "{bars:?}");
    // No newer candle: closed by the venue's clock.
    rig.wait(62).book("BTC", "10.0", "11.0", "");
    rig.wait(1);
    assert_eq!(rig.take(Metric::Bar), [], "a grace of two seconds");
    rig.now = minute(2) + Span::secs(3);
    rig.book("BTC", "10.0", "11.0", "").wait(1);
    assert_eq!(rig.take(Metric::Bar).iter().map(|e| e.event_ts).collect::<Vec<_>>(), [minute(2)]);
    rig.candle("BTC", minute(1), "99.0", "9").wait(1);
    assert_eq!(rig.take(Metric::Bar), [], "once");
    // A hole of ten minutes.
    rig.candle("BTC", minute(2), "14.0", "1").close(1);
    assert_eq!(rig.state(0, Metric::Bar), (StatusState::Gap, GapReason::Disconnected));
    rig.now = minute(12);
    rig.open(0, 1).candle("BTC", minute(12), "15.0", "1");
    rig.now = minute(13);
    rig.candle("BTC", minute(13), "15.0", "1").wait(3);
    assert_eq!(rig.take(Metric::Bar).iter().map(|e| e.event_ts).collect::<Vec<_>>(), [minute(13)]);
    let request = rig.asked("candleSnapshot").pop().expect("the hole is asked for");
    let rows: Vec<String> = (0..14).map(|n| candle("BTC", minute(n), "3.0", "1")).collect();
    rig.reply(&request, 200, &format!("[{}]", rows.join(",")));
    let filled: Vec<Ts> = rig.take(Metric::Bar).iter().map(|e| e.event_ts).collect();
    assert_eq!(filled, (3..=12).map(minute).collect::<Vec<_>>(), "each minute once, the open one never");
    rig.faults.retain(|f| f.kind != "not_subscribed");
    assert_eq!(rig.faults(), [""; 0]);
}

#[test]
fn quotes_without_a_side_are_none_and_times_never_go_back() {
    let mut rig = Rig::new(config(&["BTC"]));
    let time = rig.now.as_millis();
    let say = |rig: &mut Rig, ms: i64, bid: &str, ask: &str| {
        let data = format!(r#"{{"coin":"BTC","time":{},"bbo":[{bid},{ask}]}}"#, time + ms);
        rig.say("bbo", &data);
        rig.take(Metric::BestBidAsk).len()
    };
    let level = |px: &str| format!(r#"{{"px":"{px}","sz":"1.2","n":4}}"#);
    assert_eq!(say(&mut rig, 0, &level("10.0"), &level("11.0")), 1);
    assert_eq!(say(&mut rig, 10, "null", &level("11.0")), 0);
    assert_eq!(rig.state(0, Metric::BestBidAsk).0, StatusState::Live);
    assert_eq!(say(&mut rig, 5, &level("10.0"), &level("11.0")), 0, "overtaken");
    assert_eq!(rig.faults(), [""; 0]);
    assert_eq!(say(&mut rig, 20, &level("11.0"), &level("11.0")), 0);
    assert_eq!(rig.faults(), ["crossed_quote"]);
    rig.book("BTC", "11.0", "10.0", "");
    assert_eq!((rig.top(0), rig.faults()), (None, vec!["crossed_book"]));
}

#[test]
fn subscriptions_are_compared_by_what_they_mean() {
    let mut rig = Rig::new(config(&["BTC", "NOPE"]));
    for coin in ["BTC", "NOPE"] {
        for kind in ["trades", "bbo", "activeAssetCtx", "candle", "l2Book"] {
            if (coin, kind) == ("NOPE", "trades") {
                continue;
            }
            let more = if kind == "l2Book" { r#","nSigFigs":null,"mantissa":null,"fast":true"# } else { "" };
            let data = format!(r#"{{"method":"subscribe","subscription":{{"type":"{kind}","coin":"{coin}"{more}}}}}"#);
            rig.say("subscriptionResponse", &data);
        }
    }
    assert_eq!(rig.state(0, Metric::Trade).0, StatusState::Live, "trades may be silent");
    rig.wait(59);
    assert_eq!(rig.faults(), [""; 0]);
    rig.wait(1);
    assert_eq!(
        rig.faults.iter().map(|f| (f.kind, f.market)).collect::<Vec<_>>(),
        [("not_subscribed", Some(MarketIndex(1)))]
    );
    rig.say("error", "\"Already subscribed: {}\"");
    assert_eq!(rig.faults.last().unwrap().kind, "error_reply");
}

#[test]
fn two_instances_of_a_link_deliver_once_and_one_may_close() {
    let mut rig = Rig::new(SessionConfig { backfill: Span::mins(1), ..config(&["BTC"]) });
    rig.trades(1, "BTC", &[(1, 500, "1.0")]);
    rig.trades(1, "BTC", &[(2, 400, "1.0")]).open(0, 2).trades(2, "BTC", &[(2, 400, "1.0"), (1, 500, "1.0")]);
    for tid in 3..6 {
        let ago = 300 - i64::try_from(tid).unwrap();
        rig.trades(1, "BTC", &[(tid, ago, "1.0")]).trades(2, "BTC", &[(tid, ago, "1.0")]);
    }
    assert_eq!(rig.take(Metric::Trade).iter().map(|e| e.seq).collect::<Vec<_>>(), [1, 2, 3, 4, 5]);
    rig.events.clear();
    rig.close(1);
    assert_eq!(rig.events, [], "no gap: the other one delivers");
    rig.close(2);
    assert_eq!(rig.statuses(Metric::Trade), [(StatusState::Gap, GapReason::Disconnected)]);
}

#[test]
fn markets_change_while_it_runs() {
    let mut rig = Rig::new(config(&["BTC", "ETH"]));
    rig.book("BTC", "10.0", "11.0", "").book("ETH", "1.0", "1.1", "");
    rig.texts();
    rig.input(&Input::Markets(&[perp("ETH"), perp("SOL")]));
    let texts = rig.texts();
    assert_eq!(texts.iter().filter(|t| t.contains("unsubscribe") && t.contains("BTC")).count(), 5);
    assert_eq!(texts.iter().filter(|t| t.contains(r#""subscribe""#) && t.contains("SOL")).count(), 5);
    assert_eq!(rig.state(0, Metric::Book), (StatusState::Gap, GapReason::NotRunning));
    rig.book("BTC", "12.0", "13.0", "").book("SOL", "5.0", "6.0", "");
    assert_eq!((rig.top(0), rig.top(1), rig.top(2)), (None, Some((1.0, 1.1)), Some((5.0, 6.0))));
    assert_eq!(rig.faults(), [""; 0]);
    // The first message of trades is history.
    rig.trades(1, "SOL", &[(4, 500, "5.0")]);
    let trade = format!(
        r#"{{"channel":"trades","data":[{{"coin":"SOL","side":"B","px":"5.5","sz":"1","time":{},"hash":"0x0","tid":5,"users":["0xa","0xb"]}}]}}"#,
        rig.now.as_millis()
    );
    let beginning = config(&["BTC", "ETH"]);
    suite::knows_what_was_added(def().open, beginning, &mut *rig.session, rig.now, ConnId(1), trade.as_bytes());
    rig.input(&Input::Markets(&[]));
    assert_eq!(rig.session.links(), []);
}

#[test]
fn a_coin_that_comes_back_is_confirmed_anew() {
    let mut rig = Rig::new(config(&["BTC", "ETH"]));
    rig.book("BTC", "10.0", "11.0", "").book("ETH", "1.0", "1.1", "").wait(61);
    rig.input(&Input::Markets(&[perp("ETH")]));
    rig.input(&Input::Markets(&[perp("ETH"), perp("BTC")]));
    rig.faults();
    rig.book("ETH", "1.0", "1.1", "").wait(61);
    let refused = |f: &&Fault| f.kind == "not_subscribed" && f.market == Some(MarketIndex(0));
    let said: Vec<&str> = rig.faults.iter().filter(refused).map(|f| f.detail.as_str()).collect();
    assert!(said.iter().any(|d| d.contains("l2Book")), "what came before it left confirms nothing: {said:?}");
}

#[test]
fn subscriptions_that_do_not_come_are_sent_again() {
    let all = ["\"trades\"", "\"bbo\"", "activeAssetCtx", "\"candle\"", "l2Book"];
    suite::asks_again_for_what_does_not_come(def().open, &config(&["BTC", "ETH"]), &all, |_, _, _| Vec::new());
}
