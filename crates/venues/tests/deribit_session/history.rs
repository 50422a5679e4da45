//! What is asked for: trades that were missed, bars, settled funding.

use crate::rig::{Rig, config, fixture, fixtures, is_backfill};
use crate::{ALL, BTC, NOW, inverse, opened, trade, trades};
use barograph_domain::{GapReason, Metric, Payload, Span, StatusState, Ts};
use barograph_venues::session::{FailReason, RequestId, SessionConfig};

fn asked(rig: &mut Rig, method: &str) -> Vec<(RequestId, String)> {
    let found = rig.requests.iter().filter(|r| r.url.contains(&format!("/public/{method}?")));
    let found = found.map(|r| (r.id, r.url.clone())).collect();
    rig.requests.clear();
    found
}

#[test]
fn checklist_09_a_hole_in_trades_is_fetched_by_number() {
    let mut rig = opened(inverse(), &ALL);
    rig.frame(1, &trades(&[trade(5, NOW, "buy", ""), trade(6, NOW, "buy", "")]));
    rig.now = rig.now + Span::secs(1);
    rig.forget();
    rig.frame(1, &trades(&[trade(9, rig.now, "buy", "")]));
    let gap = [(StatusState::Gap, GapReason::SequenceJump), (StatusState::Live, GapReason::SequenceJump)];
    assert_eq!(rig.statuses(0, Metric::Trade), gap);
    rig.wait(3);
    let found = asked(&mut rig, "get_last_trades_by_instrument");
    assert_eq!(found.len(), 1);
    assert!(found[0].1.ends_with("?instrument_name=BTC-PERPETUAL&start_seq=7&count=1000&sorting=asc"), "{found:?}");
    // Two pages, the second from where the first ended; what is known is not said again.
    let page = |rows: &[String], more: bool| {
        format!(r#"{{"jsonrpc":"2.0","result":{{"trades":[{}],"has_more":{more}}}}}"#, rows.join(","))
    };
    rig.reply(found[0].0, 200, &page(&[trade(7, NOW, "sell", ",\"liquidation\":\"T\"")], true));
    let found = asked(&mut rig, "get_last_trades_by_instrument");
    assert!(found[0].1.contains("start_seq=8"), "{found:?}");
    rig.reply(found[0].0, 200, &page(&[trade(8, NOW, "sell", ""), trade(9, NOW + Span::secs(1), "buy", "")], false));
    let got: Vec<_> = rig.data(0, Metric::Trade).iter().map(|e| (e.seq, is_backfill(e))).collect();
    assert_eq!(got, [(9, false), (7, true), (8, true)]);
    assert_eq!(rig.data(0, Metric::Liquidation).len(), 1);
    rig.wait(60);
    assert!(asked(&mut rig, "get_last_trades_by_instrument").is_empty());
}

#[test]
fn trades_that_a_closed_connection_missed_are_fetched_once() {
    let mut rig = opened(inverse(), &ALL);
    rig.frame(1, &trades(&[trade(5, NOW, "buy", "")]));
    rig.wait(1);
    rig.close(1);
    rig.wait(5);
    rig.open(0, 2);
    rig.forget();
    rig.frame(2, &trades(&[trade(12, rig.now, "buy", "")]));
    assert_eq!(rig.statuses(0, Metric::Trade), [(StatusState::Live, GapReason::Disconnected)], "one hole");
    rig.wait(3);
    let found = asked(&mut rig, "get_last_trades_by_instrument");
    assert!(found.len() == 1 && found[0].1.contains("start_seq=6&"), "{found:?}");
    rig.fail(found[0].0, FailReason::Timeout);
    rig.wait(6);
    assert_eq!(asked(&mut rig, "get_last_trades_by_instrument").len(), 1, "again, later");
}

#[test]
fn what_was_before_the_first_trade_is_fetched_by_time() {
    let wanted = SessionConfig { backfill: Span::hours(1), ..config("deribit", vec![inverse()], &ALL) };
    let mut rig = Rig::new(wanted, "deribit", NOW);
    rig.open(0, 1);
    rig.frame(1, &trades(&[trade(5, NOW, "buy", "")]));
    rig.wait(3);
    let from = (NOW - Span::hours(1)).as_millis();
    let found = asked(&mut rig, "get_last_trades_by_instrument_and_time");
    assert!(found.len() == 1 && found[0].1.contains(&format!("start_timestamp={from}&")), "{found:?}");
    rig.reply(found[0].0, 429, r#"{"error":{"code":10028,"message":"too_many_requests"}}"#);
    assert_eq!(rig.faults.iter().map(|f| f.kind).collect::<Vec<_>>(), ["rate_limited"]);
    rig.wait(9);
    assert!(rig.requests.is_empty(), "quiet for ten seconds");
    rig.wait(2);
    assert_eq!(asked(&mut rig, "get_last_trades_by_instrument_and_time").len(), 1);
}

#[test]
fn an_answer_that_is_no_answer_is_a_fault_and_asked_for_again() {
    let wanted = SessionConfig { backfill: Span::hours(1), ..config("deribit", vec![inverse()], &ALL) };
    let mut rig = Rig::new(wanted, "deribit", NOW);
    rig.open(0, 1);
    rig.frame(1, &trades(&[trade(5, NOW, "buy", "")]));
    rig.wait(3);
    let found = asked(&mut rig, "get_last_trades_by_instrument_and_time");
    rig.reply(found[0].0, 502, "<html>");
    assert_eq!(rig.faults.iter().map(|f| f.kind).collect::<Vec<_>>(), ["error_reply"]);
    rig.wait(60);
    assert_eq!(asked(&mut rig, "get_last_trades_by_instrument_and_time").len(), 1);
}

fn candle(start: Ts) -> String {
    let tick = start.as_millis();
    let data = format!(r#"{{"tick":{tick},"open":5.0,"high":6.0,"low":4.0,"close":5.5,"volume":1.0,"cost":5.0}}"#);
    crate::note("chart.trades.BTC-PERPETUAL.1", &data)
}

#[test]
fn a_minute_that_never_closed_is_fetched() {
    let Some(files) = fixtures("nautilus_deribit_public") else { return };
    // The fixture's five minutes; the middle ones were not heard.
    let first = Ts::from_millis(1_766_483_460_000);
    let mut rig = Rig::new(config("deribit", vec![inverse()], &ALL), "deribit", first + Span::secs(5));
    rig.open(0, 1);
    rig.frame(1, &candle(first));
    rig.close(1);
    rig.now = first + Span::secs(245);
    rig.open(0, 2);
    rig.frame(2, &candle(first + Span::mins(4)));
    rig.wait(4);
    let found = asked(&mut rig, "get_tradingview_chart_data");
    let (start, end) = (first.as_millis(), (first + Span::mins(4)).as_millis());
    assert!(
        found.len() == 1 && found[0].1.contains(&format!("instrument_name={BTC}&start_timestamp={start}")),
        "{found:?}"
    );
    assert!(
        found[0].1.ends_with("&resolution=1") && !found[0].1.contains(&format!("end_timestamp={end}")),
        "{found:?}"
    );
    rig.reply(found[0].0, 200, &fixture(&files, "http_get_tradingview_chart_data.json"));
    let got: Vec<_> = rig.data(0, Metric::Bar).iter().map(|e| (e.event_ts - first).as_secs()).collect();
    assert_eq!(got, [60, 120, 180, 240]);
    let Payload::Bar(bar) = rig.data(0, Metric::Bar)[0].payload else { panic!("a bar") };
    assert_eq!((bar.volume, bar.quote_volume), (Some(2.943_752_16), Some(257_490.0)));
    assert!(rig.faults.is_empty(), "{:?}", rig.faults);
}

#[test]
fn checklist_15_funding_of_each_hour_is_fetched_and_is_hourly() {
    let hour = NOW + Span::hours(1);
    let mut rig = opened(inverse(), &ALL);
    let ticker = |rig: &mut Rig| {
        let at = rig.now.as_millis();
        let data = format!(
            r#"{{"timestamp":{at},"state":"open","mark_price":1.0,"index_price":1.0,"open_interest":5.0,"funding_8h":1.0e-5}}"#
        );
        rig.frame(1, &crate::note("ticker.BTC-PERPETUAL.100ms", &data));
    };
    ticker(&mut rig);
    rig.now = hour + Span::secs(1);
    ticker(&mut rig);
    rig.wait(30);
    let found = asked(&mut rig, "get_funding_rate_history");
    let from = (hour - Span::mins(1)).as_millis();
    assert!(found.len() == 1 && found[0].1.contains(&format!("start_timestamp={from}&")), "{found:?}");
    rig.reply(found[0].0, 200, r#"{"result":[],"usOut":1795158001200456}"#);
    assert!(rig.data(0, Metric::FundingRateSettled).is_empty(), "not there yet: asked for again");
    rig.wait(10);
    let found = asked(&mut rig, "get_funding_rate_history");
    let row = format!(
        r#"{{"result":[{{"timestamp":{},"index_price":1.0,"prev_index_price":1.0,"interest_1h":-7.9e-9,"interest_8h":1.0e-6}}]}}"#,
        hour.as_millis()
    );
    rig.reply(found[0].0, 200, &row);
    let got = rig.data(0, Metric::FundingRateSettled);
    let want = Payload::Funding { rate: -7.9e-9, interval_h: Some(1.0), next_ts: None, special: false };
    assert_eq!((got.len(), got[0].event_ts, got[0].payload), (1, hour, want));
}
