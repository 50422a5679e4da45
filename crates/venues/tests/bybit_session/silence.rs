//! Half-alive venues: sockets that answer pings and deliver nothing; and quiet markets, which are no such thing.

use super::{book, open_one};
use crate::rig::Rig;
use barograph_domain::{GapReason, Metric, Span, StatusState, Ts};
use barograph_venues::session::{ConnId, Input, rhythm::Rhythm};
use std::collections::BTreeMap;
use std::io::Read as _;

/// A frame every `ms`, numbered from 1, and a tick every second, for `seconds`.
fn sending(mut rig: Rig, (ms, seconds): (i64, i64), frame: impl Fn(i64, &Rig) -> String) -> Rig {
    let until = rig.now + Span::secs(seconds);
    let mut tick = rig.now + Span::secs(1);
    let mut n = 0;
    while rig.now < until {
        rig.now = rig.now + Span::millis(ms);
        while tick <= rig.now {
            rig.input(&Input::Tick);
            tick = tick + Span::secs(1);
        }
        n += 1;
        let text = frame(n, &rig);
        rig.frame(1, &text);
    }
    rig.forget();
    rig
}

/// A book that speaks every `ms`, for `seconds`.
fn speaking(ms: i64, seconds: i64) -> Rig {
    let mut rig = open_one();
    rig.frame(1, &book("snapshot", 10, r#"[["100.1","1"]]"#, r#"[["100.3","1"]]"#));
    sending(rig, (ms, seconds), |n, _| book("delta", 10 + n.unsigned_abs(), r#"[["100.1","2"]]"#, "[]"))
}

/// Best prices that come every `ms` with the ticker, while everything else is silent, for `seconds`.
fn quoting(ms: i64, seconds: i64) -> Rig {
    sending(open_one(), (ms, seconds), |n, rig| {
        let stamp = rig.now.as_millis();
        let fields = format!(r#""bid1Price":"100.{}","bid1Size":"1","ask1Price":"101.3","ask1Size":"1""#, n % 10);
        format!(
            r#"{{"topic":"tickers.BTCUSDT","type":"snapshot","data":{{"symbol":"BTCUSDT",{fields}}},"cs":{n},"ts":{stamp}}}"#
        )
    })
}

#[test]
fn a_book_that_spoke_ten_times_a_second_is_suspect_after_seconds_and_its_connection_is_replaced() {
    let mut rig = speaking(100, 60);
    rig.wait(4);
    assert_eq!(rig.state(0, Metric::Book), Some(StatusState::Live), "an ordinary pause of the way");
    rig.wait(3);
    assert_eq!(rig.state(0, Metric::Book), Some(StatusState::Stale));
    assert!(rig.holes().contains(&(0, Metric::Book, GapReason::Silent)), "{:?}", rig.holes());
    assert_eq!(rig.closes.first(), Some(&ConnId(1)));
}

#[test]
fn best_prices_that_came_ten_times_a_second_are_suspect_after_seconds() {
    let mut rig = quoting(100, 60);
    rig.wait(4);
    assert_eq!(rig.state(0, Metric::BestBidAsk), Some(StatusState::Live), "an ordinary pause of the way");
    rig.wait(3);
    assert_eq!(rig.state(0, Metric::BestBidAsk), Some(StatusState::Stale));
    assert!(rig.holes().contains(&(0, Metric::BestBidAsk, GapReason::Silent)), "{:?}", rig.holes());
    let mut slow = quoting(10_000, 1_200);
    slow.wait(60);
    assert_eq!(slow.state(0, Metric::BestBidAsk), Some(StatusState::Live), "a quiet market may be silent for a minute");
}

#[test]
fn a_book_that_speaks_every_ten_seconds_may_be_silent_for_a_minute() {
    let mut rig = speaking(10_000, 1_200);
    rig.wait(60);
    assert_eq!(rig.state(0, Metric::Book), Some(StatusState::Live));
    assert!(rig.closes.is_empty());
}

#[test]
fn a_process_that_was_held_up_itself_says_nothing_about_streams() {
    let mut rig = speaking(100, 60);
    // No tick for nine seconds, and none of what came meanwhile has been read yet.
    rig.now = rig.now + Span::secs(9);
    rig.input(&Input::Tick);
    assert_eq!(rig.state(0, Metric::Book), Some(StatusState::Live));
}

/// When each stream of a recording spoke.
fn spoke(name: &str) -> Option<BTreeMap<String, Vec<Ts>>> {
    let file = std::fs::File::open(barograph_testkit::recorded(&format!("raw/hftbacktest/{name}"))?).unwrap();
    let mut text = String::new();
    flate2::read::MultiGzDecoder::new(file).read_to_string(&mut text).unwrap();
    let mut found: BTreeMap<String, Vec<Ts>> = BTreeMap::new();
    for line in text.lines() {
        let Some((at, json)) = line.split_once(' ') else { continue };
        let Some(stream) = json.split_once("\"stream\":\"").and_then(|(_, rest)| rest.split('"').next()) else {
            continue;
        };
        let at: i64 = at.parse().unwrap();
        // Older recordings are in microseconds.
        found.entry(stream.to_owned()).or_default().push(Ts(if at < 1_000_000_000_000_000_000 {
            at * 1_000
        } else {
            at
        }));
    }
    Some(found)
}

/// Books and best prices as they were recorded, and thinned to every 10th and 50th message, as quieter markets speak.
#[test]
fn recorded_streams_are_never_suspected() {
    let files = [
        "binance-spot_btcusdt_20240808.gz",
        "binance-spot_ethusdt_20240808.gz",
        "binance-usdm_btcusdt_20240718.gz",
        "binance-usdm_ethusdt_20240808.gz",
        "binance-coinm_ethusd_perp_20240808.gz",
    ];
    let (mut judged, mut suspected) = (0, Vec::new());
    for file in files {
        let Some(streams) = spoke(file) else { return };
        for ((stream, times), nth) in streams.iter().flat_map(|s| [1, 10, 50].map(|nth| (s, nth))) {
            let mut rhythm = Rhythm::default();
            let mut before: Option<Ts> = None;
            for at in times.iter().step_by(nth) {
                let pause = before.map(|b| *at - b);
                before = before.max(Some(*at));
                let Some(pause) = pause.filter(|p| p.0 > 0) else { continue };
                if let Some(limit) = rhythm.limit() {
                    judged += 1;
                    if pause > limit && !stream.contains("rade") {
                        suspected.push((file, stream.clone(), nth, pause, limit));
                    }
                }
                rhythm.note(*at, pause);
            }
        }
    }
    assert!(judged > 100_000, "{judged}");
    assert!(suspected.is_empty(), "of {judged} pauses: {suspected:?}");
}
