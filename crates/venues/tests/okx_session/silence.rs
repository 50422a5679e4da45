//! Half-alive venue: sockets that answer pings and deliver nothing; and quiet markets, which are no such thing.

use super::checklist::{open, swap};
use crate::rig::Rig;
use barograph_domain::{GapReason, Metric, Span, StatusState};
use barograph_venues::session::{ConnId, Input};

/// The n-th message of a book, or of best bid and ask, stamped now.
fn message(rig: &Rig, metric: Metric, n: i64) -> String {
    let ms = rig.now.as_millis();
    if metric == Metric::BestBidAsk {
        return format!(
            r#"{{"arg":{{"channel":"tickers","instId":"BTC-USDT-SWAP"}},"data":[{{"instType":"SWAP","instId":"BTC-USDT-SWAP","last":"100.2","bidPx":"100.1","bidSz":"{}","askPx":"100.{}","askSz":"3","ts":"{ms}"}}]}}"#,
            n + 1,
            3 + n % 2
        );
    }
    let (action, asks, before) = match n {
        0 => ("snapshot", r#"[["100.3","1","0","1"]]"#, -1),
        _ => ("update", "[]", n - 1),
    };
    format!(
        r#"{{"arg":{{"channel":"books","instId":"BTC-USDT-SWAP"}},"action":"{action}","data":[{{"asks":{asks},"bids":[["100.1","{}","0","1"]],"ts":"{ms}","checksum":0,"prevSeqId":{before},"seqId":{n}}}]}}"#,
        n + 1
    )
}

/// A stream that has spoken every `ms`, for `seconds`.
fn spoken(metric: Metric, ms: i64, seconds: i64) -> Rig {
    let mut rig = open(&[metric], swap("BTC-USDT-SWAP", Some(0.01)), Span::ZERO);
    let until = rig.now + Span::secs(seconds);
    let mut tick = rig.now + Span::secs(1);
    let mut n = 0;
    while rig.now < until {
        let text = message(&rig, metric, n);
        rig.frame(1, &text);
        n += 1;
        rig.now = rig.now + Span::millis(ms);
        while tick <= rig.now {
            rig.input(&Input::Tick);
            tick = tick + Span::secs(1);
        }
    }
    assert_eq!((rig.state(0, metric), rig.faults.len()), (Some(StatusState::Live), 0), "{metric:?} {:?}", rig.faults);
    rig.forget();
    rig
}

#[test]
fn what_spoke_ten_times_a_second_is_suspect_after_seconds_and_its_connection_is_replaced() {
    for metric in [Metric::Book, Metric::BestBidAsk] {
        let mut rig = spoken(metric, 100, 61);
        rig.wait(3);
        assert_eq!(rig.state(0, metric), Some(StatusState::Live), "{metric:?}: an ordinary pause of the way");
        // Pings are answered all the while.
        rig.frame(1, "pong");
        rig.wait(4);
        assert_eq!(rig.state(0, metric), Some(StatusState::Stale), "{metric:?}");
        assert_eq!(rig.holes(), [(0, metric, GapReason::Silent)]);
        assert_eq!(rig.closes.first(), Some(&ConnId(1)), "{metric:?}");
    }
}

#[test]
fn what_speaks_every_ten_seconds_may_be_silent_for_a_minute() {
    for metric in [Metric::Book, Metric::BestBidAsk] {
        let mut rig = spoken(metric, 10_000, 1_200);
        rig.wait(60);
        assert_eq!(rig.state(0, metric), Some(StatusState::Live), "{metric:?}");
        assert!(rig.holes().is_empty() && rig.closes.is_empty(), "{metric:?}");
    }
}
