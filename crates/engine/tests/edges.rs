//! Where a definition turns: the last instant of a minute, flags just below and above their threshold, what moves in a minute in
//! which nothing arrives, events that come too late, sums that wait for a price. Each is a fault of one character that other
//! tests, which compare whole histories with themselves, do not see.
#![expect(clippy::unwrap_used, reason = "tests may panic")]

use crate::support;
use barograph_domain::{
    Bar, Event, Instrument, MarketKind, Metric, MinuteRow, Pattern, Payload, Severity, Span, Stamp, State, StreamDecl,
    StreamIndex, Ts,
};
use barograph_engine::detect::rarity::fixed_severity;
use barograph_engine::sessions::SessionSet;
use barograph_engine::{AlertOut, Engine, Feature, Outputs};
use barograph_testkit::GoldenTable;
use std::collections::BTreeMap;
use support::{World, decl, perpetual, random_world};

const MINUTE: Span = Span::mins(1);

fn start() -> Ts {
    Ts::from_civil(2026, 3, 2, 0, 0, 0)
}

fn flat(price: f64) -> Payload {
    Payload::Bar(Bar { open: price, high: price, low: price, close: price, volume: Some(1.0), quote_volume: None })
}

/// A market of these streams, each with what it says at which stamp.
fn world(instrument: Instrument, said: Vec<(StreamDecl, Vec<(Ts, Payload)>)>) -> World {
    let mut streams: Vec<StreamDecl> = said.iter().map(|(d, _)| d.clone()).collect();
    streams.sort();
    let mut events = Vec::new();
    for (decl, said) in said {
        let stream = StreamIndex(u16::try_from(streams.iter().position(|s| *s == decl).unwrap()).unwrap());
        let of = |(at, payload)| Event { recv_ts: at + decl.delay, event_ts: at, stream, seq: 0, payload };
        events.extend(said.into_iter().map(of));
    }
    events.sort_by(Event::order);
    World { instruments: vec![instrument], streams, events }
}

fn told(world: &World) -> (Vec<MinuteRow>, Vec<AlertOut>) {
    world.run("default", &world.events, |_| true)
}

fn value(row: &MinuteRow, feature: Feature) -> Option<f64> {
    row.cells[feature.index()].ready()
}

/// features §1: the row of t is made after every input received up to t + 200 ms, and before any later one.
#[test]
fn an_input_belongs_to_a_minute_up_to_its_last_instant() {
    for (after, belongs) in
        [(Span::millis(200) - Span(1), true), (Span::millis(200), true), (Span::millis(200) + Span(1), false)]
    {
        let mark = decl(Metric::MarkPrice, MINUTE, Span::ZERO, Stamp::Instant, false);
        let mut world = world(
            perpetual(),
            vec![(mark, (0..6).map(|m| (start() + MINUTE.times(m), Payload::Value(100.0))).collect())],
        );
        // The price stamped 00:05 is another one, and arrives a little later.
        let last = world.events.last_mut().unwrap();
        (last.payload, last.recv_ts) = (Payload::Value(101.0), last.event_ts + after);
        let (rows, _) = told(&world);
        let row = rows.iter().find(|r| r.ts == start() + MINUTE.times(5)).unwrap();
        assert_eq!(row.price, Some(if belongs { 101.0 } else { 100.0 }), "received {after:?} after the minute");
    }
}

/// features §2.7 and the vector `basis_premium`: a contract 30 days before it expires, against its spot market and its index.
#[test]
fn basis_and_premium_of_a_dated_contract_with_their_flags() {
    let table = GoldenTable::whole("basis_premium");
    assert_eq!(table.rows().len(), 5);
    for (line, row) in table.rows().enumerate() {
        let number = |column: &str| row.need(column);
        let said = |column: &str| row.truth(column);
        let (now, alerts) = dated([number("futures"), number("spot"), number("mark"), number("index")]);
        let near = |feature: Feature, column: &str| {
            let got = value(&now, feature).unwrap();
            assert!((got - number(column)).abs() <= 1e-10, "{line}: {column} is {got}");
        };
        near(Feature::Basis, "basis");
        near(Feature::Premium, "premium");
        near(Feature::BasisApr, "basis_apr_30d");
        let flag = |feature: Feature| value(&now, feature) == Some(1.0);
        assert_eq!(flag(Feature::BasisAnomaly), said("basis_anomaly"), "{line}");
        assert_eq!(flag(Feature::PremiumDeviationFlag), said("premium_flag"), "{line}");
        // Of ten minutes: what the book says before rarity, which needs a week of data.
        let severity = |pattern: Pattern| {
            let found = alerts.iter().find(|a| a.known.alert.pattern == pattern);
            found.map(|a| fixed_severity(&a.known.alert))
        };
        for (pattern, flagged, high) in [
            (Pattern::BasisManipulation, said("basis_anomaly"), said("basis_high")),
            (Pattern::PremiumDeviation, said("premium_flag"), said("premium_high")),
        ] {
            assert_eq!(severity(pattern).is_some(), flagged, "{line}: {pattern:?}");
            assert_eq!(severity(pattern).is_some_and(|s| s >= Severity::High), high, "{line}: {pattern:?}");
        }
    }
}

/// The last row of ten minutes in which futures, spot, mark and index stand at these prices, and what it was 30 days before the
/// contract expires.
fn dated([futures, spot, mark, index]: [f64; 4]) -> (MinuteRow, Vec<AlertOut>) {
    let minutes = |of: &dyn Fn() -> Payload| (1..=10).map(|m| (start() + MINUTE.times(m), of())).collect::<Vec<_>>();
    let own = |metric, stamp| decl(metric, MINUTE, Span::ZERO, stamp, false);
    let price = |p: f64| minutes(&move || Payload::Value(p));
    let expiry = Some(start() + MINUTE.times(10) + Span::days(30));
    let instrument = Instrument { kind: MarketKind::DatedFuture, expiry, ..perpetual() };
    let streams = vec![
        (own(Metric::Bar, Stamp::Open), minutes(&|| flat(futures))),
        (own(Metric::SpotPrice, Stamp::Instant), price(spot)),
        (own(Metric::MarkPrice, Stamp::Instant), price(mark)),
        (own(Metric::IndexPrice, Stamp::Instant), price(index)),
    ];
    let (rows, alerts) = told(&world(instrument, streams));
    (rows.last().unwrap().clone(), alerts)
}

/// The flags are strict (R3.11, R3.24): just below and above.
#[test]
fn flags_of_basis_and_premium_turn_at_two_and_one_per_cent() {
    let flags = |basis: f64, premium: f64| {
        let (row, _) = dated([100.0 * (1.0 + basis), 100.0, 100.0 * (1.0 + premium), 100.0]);
        [Feature::BasisAnomaly, Feature::PremiumDeviationFlag].map(|f| value(&row, f).unwrap() > 0.5)
    };
    for sign in [1.0, -1.0] {
        assert_eq!(flags(0.0199 * sign, 0.0099 * sign), [false, false]);
        assert_eq!(flags(0.0201 * sign, 0.0101 * sign), [true, true]);
    }
}

/// features §3, R2.55: the clock goes on in minutes in which nothing arrives.
#[test]
fn what_follows_the_clock_moves_in_quiet_minutes() {
    let bars = decl(Metric::Bar, Span::hours(1), Span::secs(2), Stamp::Open, false);
    let rate = |at: Ts| Payload::Funding {
        rate: 0.0001,
        interval_h: Some(8.0),
        next_ts: Some(at + Span::hours(6)),
        special: false,
    };
    let funding = decl(Metric::FundingRate, Span::hours(1), Span::ZERO, Stamp::Instant, false);
    let hours = |of: &dyn Fn(Ts) -> Payload| {
        (1..=30).map(|h| start() + Span::hours(h)).map(|at| (at, of(at))).collect::<Vec<_>>()
    };
    let world = world(perpetual(), vec![(bars, hours(&|_| flat(100.0))), (funding, hours(&rate))]);
    let (rows, _) = told(&world);
    assert!(rows.len() > 29 * 60);
    for row in &rows {
        let session = SessionSet::UTC.stretch(row.ts);
        let share = (row.ts - session.from).as_secs_f64() / (session.until - session.from).as_secs_f64();
        assert_eq!(value(row, Feature::SessionElapsedFrac), Some(share), "{}", row.ts);
        // The newest rate says that the next settlement is six hours after it.
        let minute = (row.ts - row.ts.floor(Span::hours(1))).as_secs_f64() / 60.0;
        assert_eq!(value(row, Feature::MinutesToFunding), Some(360.0 - minute), "{}", row.ts);
    }
}

/// Of eight events two come after their minute was made although they are declared to come at once.
#[test]
fn events_that_come_after_their_minute_are_counted() {
    let mark = decl(Metric::MarkPrice, MINUTE, Span::ZERO, Stamp::Instant, false);
    let mut world =
        world(perpetual(), vec![(mark, (0..8).map(|m| (start() + MINUTE.times(m), Payload::Value(100.0))).collect())]);
    let late = [(2, Span::secs(90)), (4, Span::mins(3)), (6, Span::millis(200))];
    late.into_iter().for_each(|(i, after)| world.events[i].recv_ts = world.events[i].event_ts + after);
    world.events.sort_by(Event::order);
    let mut engine: Engine = world.engine("default");
    let mut out = Outputs::default();
    for event in &world.events {
        engine.step(event, &mut out);
        out.clear();
    }
    assert_eq!(engine.markets()[0].late_events(), 2);
}

/// Open interest stated in USD waits for the price of its instant: here seven minutes, in which the next is stated.
#[test]
fn open_interest_in_usd_waits_for_its_price() {
    let five = Span::mins(5);
    let usd = decl(Metric::OpenInterestUsd, five, Span::ZERO, Stamp::Instant, false);
    let bars = decl(Metric::Bar, MINUTE, Span::mins(7), Stamp::Open, false);
    let stated = (1..=300)
        .map(|i| (start() + five.times(i), Payload::Value(1e6 * f64::from(u32::try_from(i).unwrap()))))
        .collect();
    let prices = (1..=1_500).map(|m| (start() + MINUTE.times(m), flat(100.0))).collect();
    let (rows, _) = told(&world(perpetual(), vec![(usd, stated), (bars, prices)]));
    let mut compared = 0;
    for row in &rows {
        let cell = row.cells[Feature::OiDelta1h.index()];
        if cell.state == State::Ready {
            let now = (cell.anchor - start()).as_secs_f64() / 300.0;
            let want = now / (now - 12.0) - 1.0;
            assert!((cell.value - want).abs() < 1e-12, "{}: {} is not {want}", row.ts, cell.value);
            compared += 1;
        }
    }
    assert!(compared > 1_000, "ready in {compared} minutes of {}", rows.len());
}

/// regimes §8: what heat and risk were at the last close of each timeframe.
#[test]
fn the_labels_of_timeframes_are_those_of_their_last_close() {
    let world = random_world(11, 9);
    let (rows, _) = told(&world);
    let mut closed = BTreeMap::new();
    let mut heats = std::collections::BTreeSet::new();
    for row in &rows {
        for (i, length) in barograph_domain::TIMEFRAMES.into_iter().take(3).enumerate() {
            if row.ts.floor(length) == row.ts {
                closed.insert(i, (row.risk.label, row.heat.label));
            }
            if let Some((risk, heat)) = closed.get(&i) {
                assert_eq!(
                    (row.timeframes.risk[i], row.timeframes.heat[i]),
                    (*risk, *heat),
                    "{} at {length:?}",
                    row.ts
                );
                heats.insert(format!("{heat:?}"));
            }
        }
    }
    assert!(heats.len() > 2, "{heats:?}");
}
