//! Lines of the checklist that are about requests, by number; bars, funding and discovery.

use crate::rig::{Rig, is_backfill};
use crate::{NOW, answer, asked, btc, kinds, opened, state, states};
use barograph_domain::{GapReason, MarketKind, Metric, Payload, Side, Span, StatusState, Ts};
use barograph_venues::session::{Decimal, FailReason, MarketIndex, venue};

fn row(side: &str, market: &str, amount: &str, ms: i64) -> String {
    format!(
        r#"{{"market":"{market}","side":"{side}","liq_price":"152.31","liq_amount":"{amount}","bkr_price":"151.80","created_at":{}}}"#,
        1_795_078_800_000 + ms
    )
}

#[test]
fn checklist_03_the_code_decides_before_the_data() {
    let mut rig = btc(&[Metric::MarkPrice]);
    let found = asked(&mut rig, "ticker");
    let data =
        r#"[{"market":"BTCUSDT","mark_price":"84308.1","index_price":"84322.4","open_interest_volume":"210.40"}]"#;
    rig.reply(found[0].id, 200, &format!(r#"{{"data":{data},"message":"busy","code":4001}}"#));
    assert!(rig.data(0, Metric::MarkPrice).is_empty());
    assert_eq!(kinds(&rig), ["error_reply"]);
    rig.wait(11);
    let found = asked(&mut rig, "ticker");
    rig.reply(found[0].id, 200, &format!(r#"{{"code":0,"data":{data},"message":"OK"}}"#));
    assert_eq!(rig.data(0, Metric::MarkPrice).len(), 1, "asked again");
}

#[test]
fn checklist_03_too_many_requests_rest_and_a_bad_parameter_is_final() {
    for (status, body) in [
        (200, r#"{"code":4213,"data":{},"message":"too frequent"}"#),
        (200, r#"{"code":4123}"#),
        (200, r#"{"code":213}"#),
        (429, "<html>"),
    ] {
        let mut rig = opened(&["SOLUSDT"], &[Metric::Liquidation], Span::ZERO);
        rig.wait(1);
        let mut pauses = Vec::new();
        for _ in 0..3 {
            let found = asked(&mut rig, "liquidation-history");
            rig.reply(found[0].id, status, body);
            rig.requests.clear();
            let at = rig.now;
            while rig.requests.is_empty() {
                rig.wait(1);
            }
            pauses.push((rig.now - at).as_secs());
            while !rig.requests.iter().any(|r| r.url.contains("liquidation")) {
                rig.wait(1);
            }
        }
        assert!(pauses.is_sorted() && pauses[0] >= 2, "{pauses:?}");
        assert_eq!(rig.faults.iter().filter(|f| f.kind == "rate_limited").count(), 3, "{:?}", rig.faults);
    }
    let mut rig = opened(&["SOLUSDT"], &[Metric::FundingRateSettled], Span::days(1));
    rig.frame(1, &states(&[state("SOLUSDT", "1")]));
    rig.wait(3);
    let found = asked(&mut rig, "funding-rate-history");
    rig.reply(found[0].id, 200, r#"{"code":4004,"data":{},"message":"invalid parameter"}"#);
    assert_eq!(kinds(&rig), ["bad_request"]);
    for _ in 0..700 {
        rig.frame(1, &states(&[state("SOLUSDT", "1")]));
        rig.wait(1);
    }
    assert!(asked(&mut rig, "funding-rate-history").is_empty());
    let mut rig = btc(&[Metric::Bar, Metric::Liquidation]);
    rig.wait(1);
    let all = core::mem::take(&mut rig.requests);
    assert_eq!(all.len(), 4, "tickers, rates, bars, liquidations");
    for request in all {
        rig.reply(request.id, 200, r#"{"code":4004,"data":{},"message":"invalid parameter"}"#);
    }
    assert_eq!(kinds(&rig), ["bad_request"; 4]);
    for metric in [Metric::Bar, Metric::Liquidation] {
        assert_eq!(rig.session.continuity().get(MarketIndex(0), metric).unwrap().reason, GapReason::Refused);
    }
    rig.wait(700);
    assert!(rig.requests.is_empty(), "{:?}", rig.requests);
}

/// Nothing is asked for ten minutes: what only answers bring is missed at once, not when its silence is long enough.
#[test]
fn who_is_shut_out_misses_what_is_asked_for() {
    let mut rig = btc(&[Metric::Bar, Metric::Liquidation, Metric::Trade]);
    rig.wait(1);
    for metric in ["kline", "liquidation-history"] {
        let first = rig.requests.iter().position(|r| r.url.contains(metric)).unwrap();
        let request = rig.requests.remove(first);
        rig.reply(
            request.id,
            200,
            &answer(
                &format!("[{}]", if metric == "kline" { candle(1_795_078_740_000, "84310.5") } else { String::new() }),
                false,
            ),
        );
    }
    rig.frame(1, &crate::deals("BTCUSDT", &[(1, 0)]));
    let state = |rig: &crate::rig::Rig, metric| {
        let found = rig.session.continuity().get(MarketIndex(0), metric).unwrap();
        (found.state, found.reason)
    };
    assert_eq!(state(&rig, Metric::Liquidation).0, StatusState::Live);
    let sweep = core::mem::take(&mut rig.requests);
    rig.reply(sweep[0].id, 200, r#"{"code":4007,"data":{},"message":"IP prohibited"}"#);
    for metric in [Metric::Bar, Metric::Liquidation] {
        assert_eq!(state(&rig, metric), (StatusState::Gap, GapReason::Refused), "{metric:?}");
    }
    assert_eq!(state(&rig, Metric::Trade).0, StatusState::Live, "the socket goes on");
    rig.wait(590);
    assert!(rig.requests.is_empty(), "{:?}", rig.requests);
    rig.wait(30);
    let found = asked(&mut rig, "liquidation-history");
    rig.reply(found[0].id, 200, &answer("[]", false));
    assert_eq!(state(&rig, Metric::Liquidation).0, StatusState::Live);
}

#[test]
fn checklist_09_liquidations_are_of_positions_and_come_once() {
    let mut rig = opened(&["SOLUSDT"], &[Metric::Liquidation], Span::ZERO);
    rig.now = Ts::from_millis(1_795_078_862_000);
    rig.wait(1);
    let found = asked(&mut rig, "liquidation-history");
    assert_eq!(found.len(), 1);
    let tail = "&page=1&limit=100";
    assert!(found[0].url.contains("?market=SOLUSDT&start_time=") && found[0].url.ends_with(tail), "{}", found[0].url);
    let rows = [
        row("long", " SOLUSDT", "41.5", 60_000),
        row("short", "SOLUSDT", "41.5", 60_000),
        row("long", "SOLUSDT", "41.5", 60_000),
        row("long", "ETHUSDT", "41.5", 60_000),
        row("long", "SOLUSDT", "41.6", 61_000),
    ];
    let page = answer(&format!("[{}]", rows.join(",")), false);
    rig.reply(found[0].id, 200, &page);
    let got = rig.data(0, Metric::Liquidation);
    let sides: Vec<_> = got.iter().map(|e| e.payload).collect();
    let one = |liquidated_side, qty| Payload::Liquidation { liquidated_side, price: 152.31, qty };
    assert_eq!(sides, [one(Side::Long, 41.5), one(Side::Short, 41.5), one(Side::Long, 41.6)]);
    assert!(got.iter().all(|e| !is_backfill(e)) && rig.faults.is_empty());
    assert_eq!(rig.state(0, Metric::Liquidation), Some(StatusState::Live));
    rig.wait(15);
    let found = asked(&mut rig, "liquidation-history");
    rig.reply(found[0].id, 200, &page);
    assert_eq!(rig.data(0, Metric::Liquidation).len(), 3, "the same again");
    // Silence of the venue's own is none; silence of its answers is.
    rig.wait(400);
    assert_eq!(rig.state(0, Metric::Liquidation), Some(StatusState::Stale));
}

#[test]
fn checklist_11_settlements_are_what_was_paid() {
    let mut rig = btc(&[Metric::FundingRate, Metric::FundingRateSettled]);
    let states_of = |rig: &mut Rig, latest: i64, next: i64| {
        let row = state("BTCUSDT", "1").replace("1795104000000", &next.to_string());
        rig.frame(1, &states(&[row.replace("1795075200000", &latest.to_string())]));
    };
    states_of(&mut rig, 1_795_075_200_000, 1_795_104_000_000);
    rig.now = Ts::from_millis(1_795_104_001_000);
    states_of(&mut rig, 1_795_104_000_000, 1_795_118_400_000);
    rig.requests.clear();
    rig.wait(6);
    let found = asked(&mut rig, "funding-rate-history");
    assert!(found.len() == 1 && found[0].url.contains("&page=1&limit=100"), "{found:?}");
    rig.reply(found[0].id, 200, &answer("[]", false));
    rig.wait(6);
    let found = asked(&mut rig, "funding-rate-history");
    let rows = r#"[{"market":"BTCUSDT","funding_time":1795104000000,"theoretical_funding_rate":"0.00008100","actual_funding_rate":"0.00010000"}]"#;
    rig.reply(found[0].id, 200, &answer(rows, false));
    let got = rig.data(0, Metric::FundingRateSettled);
    let want = Payload::Funding { rate: 0.0001, interval_h: Some(4.0), next_ts: None, special: false };
    assert_eq!((got.len(), got[0].payload, got[0].event_ts.as_millis()), (1, want, 1_795_104_000_000));
    let hours: Vec<_> = rig.data(0, Metric::FundingRate).iter().map(|e| e.payload).collect();
    let of = |p: &Payload| if let Payload::Funding { interval_h, .. } = p { *interval_h } else { None };
    assert_eq!(hours.iter().map(of).collect::<Vec<_>>(), [Some(8.0), Some(4.0)], "each row its own");
}

#[test]
fn checklist_13_pages_end_where_there_is_none_behind() {
    let mut rig = opened(&["SOLUSDT"], &[Metric::Liquidation], Span::hours(1));
    rig.wait(1);
    let mut pages = Vec::new();
    for n in 1..=3 {
        let found = asked(&mut rig, "liquidation-history");
        assert_eq!(found.len(), 1, "page {n}");
        pages.push(found[0].url.split("&page=").nth(1).unwrap().to_owned());
        let rows = row("long", "SOLUSDT", &n.to_string(), -i64::from(n) * 1_000_000);
        rig.reply(found[0].id, 200, &answer(&format!("[{rows}]"), n < 3));
    }
    assert_eq!(pages, ["1&limit=100", "2&limit=100", "3&limit=100"]);
    let got = rig.data(0, Metric::Liquidation);
    assert!(got.len() == 3 && got.iter().all(is_backfill), "{got:?}");
    rig.wait(10);
    assert!(asked(&mut rig, "liquidation-history").is_empty());
    // A page with nothing on it is the last, whatever it claims.
    rig.wait(5);
    let found = asked(&mut rig, "liquidation-history");
    rig.reply(found[0].id, 200, &answer("[]", true));
    assert!(asked(&mut rig, "liquidation-history").is_empty() && rig.faults.is_empty());
}

fn candle(start: i64, close: &str) -> String {
    format!(
        r#"{{"market":"BTCUSDT","created_at":{start},"open":"84300.1","close":"{close}","high":"84350.0","low":"84260.2","volume":"1.284","value":"108251.20"}}"#
    )
}

#[test]
fn bars_are_asked_for_each_minute_and_are_final() {
    let mut rig = btc(&[Metric::Bar]);
    let zero = 1_795_078_800_000;
    rig.wait(1);
    let found = asked(&mut rig, "kline");
    let want = format!("/kline?market=BTCUSDT&period=1min&limit=1000&start_time={}&end_time={zero}", zero - 60_000);
    assert!(found.len() == 1 && found[0].url.ends_with(&want), "{found:?}");
    let rows = format!("[{},{}]", candle(zero - 60_000, "84310.5"), candle(zero, "84310.6"));
    rig.reply(found[0].id, 200, &format!(r#"{{"code":0,"data":{rows},"message":"OK"}}"#));
    let got = rig.data(0, Metric::Bar);
    let Payload::Bar(bar) = got[0].payload else { panic!("{got:?}") };
    assert_eq!((got.len(), got[0].event_ts.as_millis(), is_backfill(&got[0])), (1, zero, false));
    assert_eq!((bar.close, bar.volume, bar.quote_volume), (84_310.5, Some(1.284), Some(108_251.2)));
    rig.now = Ts::from_millis(zero + 61_000);
    rig.wait(1);
    let found = asked(&mut rig, "kline");
    assert_eq!(found.len(), 1);
    // Not there yet, and a stamp that is none.
    let rows = format!("[{},{}]", candle(zero - 60_000, "84310.5"), candle(17_950_788_000_000, "84310.6"));
    rig.faults.clear();
    rig.reply(found[0].id, 200, &format!(r#"{{"code":0,"data":{rows},"message":"OK"}}"#));
    assert_eq!(kinds(&rig), ["bad_candle"]);
    rig.wait(5);
    let found = asked(&mut rig, "kline");
    rig.reply(found[0].id, 200, &format!(r#"{{"code":0,"data":[{}],"message":"OK"}}"#, candle(zero, "84320.6")));
    assert_eq!(rig.data(0, Metric::Bar).len(), 2, "over by the clock");
    assert_eq!(rig.state(0, Metric::Bar), Some(StatusState::Live));
    // Some minutes without answers: the next one has them all.
    rig.wait(52);
    for _ in 0..3 {
        for request in asked(&mut rig, "kline") {
            rig.fail(request.id, FailReason::Timeout);
        }
        rig.wait(60);
    }
    while rig.requests.iter().all(|r| !r.url.contains("kline")) {
        rig.wait(1);
    }
    let found = asked(&mut rig, "kline");
    assert!(found[0].url.contains(&format!("start_time={}&", zero + 60_000)), "{found:?}");
}

#[test]
fn history_of_bars_goes_forward_in_pages() {
    let mut rig = opened(&["BTCUSDT"], &[Metric::Bar], Span::hours(20));
    let zero = 1_795_078_800_000;
    rig.wait(1);
    let found = asked(&mut rig, "kline");
    rig.reply(
        found[0].id,
        200,
        &format!(r#"{{"code":0,"data":[{}],"message":"OK"}}"#, candle(zero - 60_000, "84310.5")),
    );
    rig.wait(3);
    let mut starts = Vec::new();
    for _ in 0..2 {
        let found = asked(&mut rig, "kline");
        let of = |key: &str| {
            found[0].url.split(&format!("{key}=")).nth(1).unwrap().split('&').next().unwrap().parse::<i64>().unwrap()
        };
        let (start, end) = (of("start_time"), of("end_time"));
        starts.push((end - start) / 60_000);
        let rows: Vec<_> = (0..(end - start) / 60_000).map(|n| candle(start + n * 60_000, "84310.5")).collect();
        rig.reply(found[0].id, 200, &format!(r#"{{"code":0,"data":[{}],"message":"OK"}}"#, rows.join(",")));
    }
    assert_eq!(starts[0], 999);
    let bars = rig.data(0, Metric::Bar);
    assert!(bars.len() >= 1_199 && bars.iter().skip(1).all(is_backfill), "{}", bars.len());
}

#[test]
fn discovery_makes_perpetual_contracts_of_both_lists() {
    let market = |market: &str, kind: &str, base: &str, quote: &str| {
        format!(
            r#"{{"market":"{market}","contract_type":"{kind}","base_ccy":"{base}","quote_ccy":"{quote}","base_ccy_precision":8,"quote_ccy_precision":2,"tick_size":"0.01","min_amount":"0.0001","taker_fee_rate":"0.0005","leverage":["1","2"],"open_interest_volume":"210.4000","is_market_available":true,"status":"online","delisted_at":0}}"#
        )
    };
    let rows = [
        market("BTCUSDT", "linear", "BTC", "USDT"),
        market("BTCUSD", "inverse", "BTC", "USD"),
        market("1000PEPEUSDT", "linear", "1000PEPE", "USDT").replace("online", "other"),
    ];
    let list = format!(r#"{{"code":0,"message":"OK","data":[{}]}}"#, rows.join(","));
    let tickers = r#"{"code":0,"message":"OK","data":[{"market":"BTCUSDT","last":"84310.5","volume":"912.40","value":"76480112.4"},{"market":"BTCUSD","volume":"5000","value":"0.06"}]}"#;
    let def = venue("coinex").unwrap();
    let specs = (def.instruments)(&[list.into_bytes(), tickers.as_bytes().to_vec()]).unwrap();
    let [linear, inverse, units] = &specs[..] else { panic!("{specs:?}") };
    assert_eq!((linear.base.as_str(), linear.quote.as_str(), linear.settle.as_deref()), ("BTC", "USDT", Some("USDT")));
    assert_eq!((linear.kind, linear.inverse, linear.tick), (MarketKind::Perpetual, false, Decimal::parse(b"0.01")));
    assert_eq!((linear.volume_24h_quote, inverse.volume_24h_quote), (Some(76_480_112.4), Some(5_000.0)));
    assert_eq!((inverse.inverse, inverse.settle.as_deref()), (true, Some("BTC")));
    assert_eq!((units.base.as_str(), units.base_multiplier, units.trading), ("PEPE", 1_000.0, false));
    let why = (def.instruments)(&[br#"{"code":4213,"message":"too frequent","data":[]}"#.to_vec()]).unwrap_err();
    assert_eq!(why, "answer 0: coinex answers 4213 too frequent");
    let time = (def.read_time)(br#"{"code":0,"data":{"timestamp":1795078801000},"message":"OK"}"#);
    assert_eq!(time, Some(NOW));
    let urls: Vec<_> = (def.discovery)(&(def.endpoints)()).into_iter().map(|a| a.url).collect();
    assert_eq!(urls, ["https://api.coinex.com/v2/futures/market", "https://api.coinex.com/v2/futures/ticker"]);
}
