//! The properties every feature owes (features §10), tested for all of them at once from the catalogue, on a random market
//! with every stream and on the built-in history.
//!
//! A feature that is never ready in a test proves nothing there, so each test also says which features it did compare.

use crate::support;
use barograph_domain::time::LATENESS;
use barograph_domain::{
    Cell, Event, Kind, Metric, MinuteRow, Payload, Reason, Span, State, Status, StatusState, StreamIndex, Ts,
};
use barograph_engine::catalogue::{CATALOGUE, Feature, Update, ValueType};
use barograph_engine::{Engine, Outputs};
use std::collections::BTreeSet;
use support::{Random, World, built_in_world, random_world};

fn worlds() -> Vec<(&'static str, World)> {
    vec![("random", random_world(42, 40)), ("built-in", built_in_world("BTCUSDT"))]
}

/// Features that cannot be ready in either world: there is no dated contract, and nobody publishes tiers.
const NEVER_READY: [Feature; 3] = [Feature::BasisApr, Feature::PositionHhi, Feature::MinutesToEvent];
/// These need 40 and 90 days; their own tests are the golden vectors.
const SLOW: [Feature; 2] = [Feature::VolHalflife, Feature::VolHarForecast];

fn all_but_never() -> BTreeSet<Feature> {
    CATALOGUE.iter().map(|s| s.feature).filter(|f| !NEVER_READY.contains(f)).collect()
}

fn same_row(a: &MinuteRow, b: &MinuteRow, what: &str) {
    assert_eq!(a.ts, b.ts, "{what}");
    for spec in CATALOGUE {
        let (x, y) = (a.cells[spec.feature.index()], b.cells[spec.feature.index()]);
        assert!(same_bits(&x, &y), "{what}: {} at {}: {x:?} is not {y:?}", spec.id, a.ts);
    }
    assert_eq!((a.risk, &a.cuts, &a.inputs, &a.held), (b.risk, &b.cuts, &b.inputs, &b.held), "{what} at {}", a.ts);
    assert_eq!((a.trend, a.volatility, a.heat), (b.trend, b.volatility, b.heat), "{what} at {}", a.ts);
    assert_eq!(a.timeframes, b.timeframes, "{what} at {}", a.ts);
}

fn same_bits(a: &Cell, b: &Cell) -> bool {
    a.value.to_bits() == b.value.to_bits() && a == b
}

#[test]
fn later_data_never_changes_earlier_rows() {
    for (name, world) in worlds() {
        let keep = |r: &MinuteRow| r.ts.0 / 60_000_000_000 % 7 == 0;
        let (full, told) = world.run("default", &world.events, keep);
        assert!(told.len() > 20, "{name}: {} records of alerts", told.len());
        let mut random = Random(1);
        for _ in 0..12 {
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                clippy::cast_precision_loss,
                reason = "a position"
            )]
            let cut = (world.events.len() as f64 * random.unit()) as usize;
            let known = world.events[cut].recv_ts;
            let prefix: Vec<Event> = world.events.iter().copied().take_while(|e| e.recv_ts <= known).collect();
            let (short, early) = world.run("default", &prefix, keep);
            let (early, told): (Vec<_>, Vec<_>) = (
                early.iter().filter(|a| a.known.known_at <= known).collect(),
                told.iter().filter(|a| a.known.known_at <= known).collect(),
            );
            assert_eq!(early, told, "{name} cut at {known}: records of alerts");
            let published = short.iter().filter(|r| r.ts + LATENESS <= known);
            let mut compared = 0;
            for (a, b) in published.zip(&full) {
                same_row(a, b, &format!("{name} cut at {known}"));
                compared += 1;
            }
            assert!(compared > 0 || cut < 1_000, "{name}: nothing compared at {known}");
        }
    }
}

#[test]
fn any_start_agrees_once_nothing_is_partial() {
    let mut compared: BTreeSet<Feature> = BTreeSet::new();
    // 130 days, because windows reach 90 days back and the second engine starts 20 days later.
    let long = random_world(3, 130);
    let built_in = built_in_world("ETHUSDT");
    for (name, world, late) in
        [("random", &long, Span::days(20)), ("built-in", &built_in, Span::days(9) + Span::hours(5))]
    {
        let keep = |r: &MinuteRow| r.ts.0 / 60_000_000_000 % 601 == 0;
        let early = world.rows("default", &world.events, keep);
        let start = world.events[0].recv_ts + late;
        let later: Vec<Event> = world.events.iter().copied().filter(|e| e.recv_ts >= start).collect();
        let late_rows = world.rows("default", &later, keep);
        for b in &late_rows {
            let Some(a) = early.iter().find(|r| r.ts == b.ts) else { continue };
            for spec in CATALOGUE {
                let (x, y) = (a.cells[spec.feature.index()], b.cells[spec.feature.index()]);
                let settled = |c: &Cell| c.ready().is_some() && !c.partial;
                if !settled(&x) || !settled(&y) || b.ts < start + warm_time(spec.feature) {
                    continue;
                }
                compared.insert(spec.feature);
                let fine = match spec.update {
                    _ if spec.id.starts_with("stop_density") => (x.value - y.value).abs() <= 1e-9 * x.value.abs(),
                    Update::Recursive => (x.value - y.value).abs() <= 1e-9 * x.value.abs(),
                    Update::Instant | Update::Window => x.value.to_bits() == y.value.to_bits(),
                };
                assert!(
                    fine,
                    "{name}: {} at {}: {} from the beginning, {} from {start}",
                    spec.id, b.ts, x.value, y.value
                );
            }
        }
    }
    // The forecast's window of a year is never full here.
    let missing: Vec<_> =
        all_but_never().difference(&compared).filter(|f| **f != Feature::VolHarForecast).map(|f| f.id()).collect();
    assert!(missing.is_empty(), "never compared: {missing:?}");
}

/// Wilder's average halves the memory of its start in 9.4 bars of an hour, so 1e-9 needs thirty half-lives (ten leave a
/// thousandth, ADR 0009). Densities read it and levels that live 2,000 hours.
fn warm_time(feature: Feature) -> Span {
    match feature.spec().update {
        Update::Recursive if feature == Feature::Atr14 => Span::hours(290),
        _ if feature.id().starts_with("stop_") => Span::days(98),
        Update::Recursive | Update::Instant | Update::Window => Span::ZERO,
    }
}

#[test]
fn saving_and_restoring_equals_never_having_stopped() {
    for (name, world) in worlds() {
        let keep = |r: &MinuteRow| r.ts.0 / 60_000_000_000 % 5 == 0;
        let (full, told) = world.run("default", &world.events, keep);
        let mut random = Random(9);
        let mut engine = world.engine("default");
        let (mut out, mut rows, mut alerts) = (Outputs::default(), Vec::new(), Vec::new());
        let mut restored = 0;
        for event in &world.events {
            if random.unit() < 12.0 / f64::from(u32::try_from(world.events.len()).unwrap()) {
                let bytes = engine.save();
                engine =
                    Engine::restore(support::config("default"), &world.instruments, &world.streams, &bytes).unwrap();
                assert_eq!(engine.save(), bytes, "{name}: what is restored is what was saved");
                restored += 1;
            }
            engine.step(event, &mut out);
            rows.extend(out.rows().iter().filter(|r| keep(r)).cloned());
            alerts.extend_from_slice(out.alerts());
            out.clear();
        }
        engine.finish(Ts::MAX, &mut out);
        rows.extend(out.rows().iter().filter(|r| keep(r)).cloned());
        alerts.extend_from_slice(out.alerts());
        assert_eq!(alerts, told, "{name}: records of alerts");
        assert!(restored > 3, "{name}: restored {restored} times");
        assert_eq!(rows.len(), full.len());
        for (a, b) in rows.iter().zip(&full) {
            same_row(a, b, name);
        }
    }
}

#[test]
fn a_damaged_checkpoint_is_refused() {
    let world = random_world(5, 2);
    let engine = world.engine("default");
    let bytes = engine.save();
    let restore =
        |bytes: &[u8], streams: &[_]| Engine::restore(support::config("default"), &world.instruments, streams, bytes);
    assert!(restore(&bytes, &world.streams).is_ok());
    assert!(restore(&bytes[..bytes.len() / 2], &world.streams).is_err());
    assert!(restore(&[], &world.streams).is_err());
    assert!(restore(&bytes, &world.streams[1..]).is_err(), "other streams");
}

/// Windows by the catalogue's own text: "24 h, 60 s" looks back 24 h.
fn window_of(text: &str) -> Option<Span> {
    let mut words = text.split([' ', ',']);
    let n: i64 = words.next()?.parse().ok()?;
    match words.next()? {
        "h" => Some(Span::hours(n)),
        "d" => Some(Span::days(n)),
        _ => None,
    }
}

#[test]
fn a_gap_in_the_window_is_never_a_full_reading() {
    let world = random_world(11, 40);
    let (from, until) =
        (world.events[0].event_ts + Span::days(36), world.events[0].event_ts + Span::days(36) + Span::hours(5));
    let mut events: Vec<Event> =
        world.events.iter().copied().filter(|e| e.event_ts <= from || e.event_ts >= until).collect();
    let status = Status { state: StatusState::Gap, from, until, reason: barograph_domain::GapReason::MissingRows };
    for stream in 0..u16::try_from(world.streams.len()).unwrap() {
        let stream = StreamIndex(stream);
        events.push(Event { recv_ts: until, event_ts: until, stream, seq: 0, payload: Payload::Status(status) });
    }
    events.sort_by(Event::order);
    let rows = world.rows("default", &events, |r| r.ts >= until + Span::mins(5) && r.ts <= until + Span::hours(20));
    // Differences of two instants (both ends present) and the last settlement do not look between their ends.
    let two_ends = [
        "oi_delta_1h",
        "oi_delta_4h",
        "oi_delta_24h",
        "funding_change_8h",
        "funding_reversal_flag",
        "oi_price_quadrant",
        "price_change_24h",
    ];
    let mut seen = BTreeSet::new();
    for row in rows.iter().step_by(13) {
        for spec in CATALOGUE.iter().filter(|s| s.update != Update::Recursive && !two_ends.contains(&s.id)) {
            let Some(window) = window_of(spec.window) else { continue };
            let cell = row.cells[spec.feature.index()];
            let past = cell.anchor - window >= until;
            if spec.group.starts_with("levels") || past || spec.window.contains("settlements") {
                continue;
            }
            if cell.kind == Kind::Proxy {
                continue; // Settled funding stands in: its own week has no settlement inside the gap.
            }
            seen.insert(spec.id);
            let honest = match cell.state {
                State::Ready => cell.coverage < 1.0,
                State::Undefined(r) => matches!(r, Reason::Gap | Reason::MissingInput),
                State::Warming { .. } | State::Stale => true,
            };
            assert!(honest, "{} at {}: {cell:?}", spec.id, row.ts);
        }
    }
    assert!(seen.len() >= 20, "only {seen:?}");
    let quiet = rows.iter().find(|r| r.ts == (until + Span::mins(30)).floor(Span::mins(1))).unwrap();
    assert_eq!(quiet.cells[Feature::RealizedVol1h.index()].state, State::Undefined(Reason::Gap));
}

#[test]
fn readings_stay_in_their_bounds() {
    for (name, world) in worlds() {
        let mut ready: BTreeSet<Feature> = BTreeSet::new();
        for row in world.rows("default", &world.events, |r| r.ts.0 / 60_000_000_000 % 11 == 0) {
            for spec in CATALOGUE {
                let cell = row.cells[spec.feature.index()];
                assert!((0.0..=1.0).contains(&cell.coverage), "{name} {}: coverage {}", spec.id, cell.coverage);
                let Some(v) = cell.ready() else { continue };
                ready.insert(spec.feature);
                assert!(v.is_finite(), "{name} {}", spec.id);
                assert!(cell.anchor <= row.ts, "{name} {}: anchored in the future", spec.id);
                let fine = match (spec.unit, spec.value) {
                    (_, ValueType::Bool) => [0.0_f64, 1.0].iter().any(|b| b.to_bits() == v.to_bits()),
                    (_, ValueType::Enum(words)) => {
                        (0..words.len()).any(|i| v.to_bits() == f64::from(u32::try_from(i).unwrap()).to_bits())
                    }
                    ("[0,1]", _) => (0.0..=1.0).contains(&v),
                    ("annualised fraction" | "price" | "strength" | "min", _) => v >= 0.0,
                    ("σ", _) => v.abs() <= 45.0,
                    _ => true,
                };
                assert!(fine, "{name} {} at {}: {v}", spec.id, row.ts);
            }
        }
        if name == "random" {
            let missing: Vec<_> =
                all_but_never().difference(&ready).filter(|f| !SLOW.contains(f)).map(|f| f.id()).collect();
            assert!(missing.is_empty(), "never ready: {missing:?}");
        }
    }
}

#[test]
fn units_cancel_where_they_should() {
    let world = random_world(21, 25);
    // What is no price: ratios of accounts and positions.
    let ratio = |e: &Event| {
        let metric = world.streams[e.stream.index()].metric;
        matches!(metric, Metric::LongShortRatio | Metric::TopTraderPositionRatio)
    };
    let scaled = |factor: f64, with_zones: bool| -> Vec<MinuteRow> {
        let events: Vec<Event> = world
            .events
            .iter()
            .filter(|e| with_zones || !matches!(e.payload, Payload::Liquidation { .. }))
            .map(|e| {
                let (whole, mut e) = (*e, *e);
                match &mut e.payload {
                    Payload::Bar(b) => {
                        for p in [&mut b.open, &mut b.high, &mut b.low, &mut b.close] {
                            *p *= factor;
                        }
                        b.quote_volume = b.quote_volume.map(|v| v * factor);
                    }
                    Payload::Value(v) if !ratio(&whole) => *v *= factor,
                    Payload::Liquidation { price, .. } => *price *= factor,
                    _ => {}
                }
                e
            })
            .collect();
        world.rows("default", &events, |r| r.ts.0 / 60_000_000_000 % 97 == 0)
    };
    // A power of two scales every f64 exactly, so whatever cancels does so to the last bit or two.
    for with_zones in [true, false] {
        let (one, four) = (scaled(1.0, with_zones), scaled(4.0, with_zones));
        for (a, b) in one.iter().zip(&four) {
            for spec in CATALOGUE {
                let (Some(x), Some(y)) = (a.cells[spec.feature.index()].ready(), b.cells[spec.feature.index()].ready())
                else {
                    continue;
                };
                let want = match spec.id {
                    "oi_usd" => 16.0 * x,
                    "open_interest" => 4.0 * x,
                    "oi_to_volume_24h"
                    | "atr_14"
                    | "prev_day_high"
                    | "prev_day_low"
                    | "session_high"
                    | "session_low"
                    | "trend_slope"
                    | "trend_intercept"
                    | "trend_stderr"
                    | "session_expected_volume"
                    | "liq_velocity_4h"
                    | "liq_severity_ratio" => 4.0 * x,
                    id if id.starts_with("liq_") && id.contains("_usd_") => 4.0 * x,
                    // The cascade's floor is in money.
                    "liq_cascade_flag" => continue,
                    // Zones of liquidations lie on a fixed grid of prices.
                    id if id.starts_with("stop_") && with_zones => continue,
                    // Bins have round widths, so they are others at four times the price.
                    "profile_poc" | "profile_vah" | "profile_val" => continue,
                    _ => x,
                };
                assert!((y - want).abs() <= 1e-9 * want.abs().max(1e-6), "{} at {}: {x} became {y}", spec.id, a.ts);
            }
        }
    }
}

#[test]
fn the_hot_path_does_not_allocate_after_warm_up() {
    let world = random_world(33, 12);
    let mut engine = world.engine("default");
    let mut out = Outputs::default();
    let half = world.events.len() / 2;
    for event in &world.events[..half] {
        engine.step(event, &mut out);
        out.clear();
    }
    let mut calm = 0;
    for event in &world.events[half..] {
        let counted = allocation_counter::measure(|| engine.step(event, &mut out));
        // A record of an alert is text and lists; a minute without one allocates nothing.
        if out.alerts().is_empty() {
            assert_eq!(counted.count_total, 0, "{counted:?} at {}", event.recv_ts);
            calm += out.rows().len();
        }
        out.clear();
    }
    assert!(calm > 5_000, "{calm} minutes without an alert");
}
