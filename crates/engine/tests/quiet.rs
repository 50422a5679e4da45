//! A spot market in which nothing trades for some minutes: what its closed hours say stands until the next hour has closed.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

use crate::support;
use barograph_domain::{
    Bar, Event, Instrument, InstrumentName, MarketKind, Metric, Payload, Span, Stamp, StreamDecl, StreamIndex,
    TrendRegime, Ts,
};
use barograph_engine::Feature;
use support::{Random, World, decl};

const M: Span = Span::mins(1);

fn at(minute: i64) -> Ts {
    Ts::from_civil(2026, 2, 2, 0, 0, 0) + M.times(minute)
}

/// Live minute bars for `hours`; a minute for which `trades` is false has none.
fn spot(hours: i64, trades: impl Fn(i64) -> bool) -> World {
    let instrument = InstrumentName::parse("binance:BTCUSDT").unwrap();
    let bars = StreamDecl {
        instrument: instrument.clone(),
        source: "binance".to_owned(),
        ..decl(Metric::Bar, M, Span::secs(2), Stamp::Open, true)
    };
    let mut r = Random(5);
    let mut close = 60_000.0_f64;
    let mut events = Vec::new();
    for minute in 1..=60 * hours {
        let open = close;
        close *= 1.0 + 0.000_02 + 0.0002 * r.normal();
        if !trades(minute) {
            continue;
        }
        let (high, low) = (open.max(close), open.min(close));
        let bar = Bar { open, high, low, close, volume: Some(1.0), quote_volume: Some(close) };
        let (event_ts, stream) = (at(minute), StreamIndex(0));
        events.push(Event { recv_ts: event_ts + bars.delay, event_ts, stream, seq: 0, payload: Payload::Bar(bar) });
    }
    World { instruments: vec![Instrument::from_name(instrument, MarketKind::Spot)], streams: vec![bars], events }
}

#[test]
fn quiet_minutes_do_not_make_the_trend_unknown() {
    // After fifty hours there is a trend. Nine minutes without a trade in every hour, and some around one close.
    let quiet = |minute: i64| matches!(minute % 60, 20..=24 | 41..=44) || matches!(minute - 60 * 55, -1..=0);
    let world = spot(60, |minute| minute < 52 * 60 || !quiet(minute));
    let rows = world.rows("default", &world.events, |r| r.ts >= at(52 * 60 + 1));
    assert!(rows.len() > 400);
    for row in &rows {
        let slope = row.cells[Feature::SlopePct.index()];
        assert_ne!(row.trend.label, TrendRegime::Unknown, "{}: {slope:?}", row.ts);
        assert_ne!(row.timeframes.trend[0], TrendRegime::Unknown, "{}: {slope:?}", row.ts);
        assert!(row.ts - slope.anchor <= Span::hours(1) + M.times(2), "{}: {slope:?}", row.ts);
    }
}

#[test]
fn a_stream_that_has_gone_silent_says_nothing_after_the_next_close() {
    let mut world = spot(60, |_| true);
    let last = at(60 * 60);
    // Another stream keeps the clock of the market going.
    let index = StreamDecl {
        instrument: world.instruments[0].name.clone(),
        ..decl(Metric::BestBidAsk, Span::secs(1), Span::ZERO, Stamp::Instant, true)
    };
    world.streams.push(index);
    let quote = |minute: i64| Event {
        recv_ts: at(minute),
        event_ts: at(minute),
        stream: StreamIndex(1),
        seq: 0,
        payload: Payload::BestBidAsk { bid: 60_000.0, ask: 60_001.0 },
    };
    world.events.extend((60 * 60 + 1..63 * 60).map(quote));
    let rows = world.rows("default", &world.events, |r| r.ts > last);
    let ready = |t: Ts| rows.iter().find(|r| r.ts == t).map(|r| r.cells[Feature::SlopePct.index()].ready().is_some());
    assert_eq!(ready(last + M.times(59)), Some(true), "the next close is still to come");
    assert_eq!(ready(last + M.times(62)), Some(true), "and may be late");
    assert_eq!(ready(last + M.times(63)), Some(false));
}
