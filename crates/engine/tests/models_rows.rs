//! Models in rows: with them on, rows owe what every row owes, and everything else in them stays as it is without.

#![expect(clippy::unwrap_used, reason = "tests may panic")]

use crate::support;
use barograph_domain::time::LATENESS;
use barograph_domain::{AxisState, Event, MinuteRow, Model, ModelReading, Span, Ts};
use barograph_engine::models::fitting::run;
use barograph_engine::models::policy::FIT_DELAY;
use barograph_engine::models::{Classifier as _, Fits, ModelMarkets, ModelPolicy, ModelUpdate, RuleAxis, RuleInputs};
use barograph_engine::rules::Ruled;
use barograph_engine::{Config, Engine, Outputs};
use serde::Serialize;
use serde::de::DeserializeOwned;
use support::{World, built_in_world, config, random_world};

fn with(markets: ModelMarkets, fits: Fits) -> Config {
    Config { models: ModelPolicy { markets, fits }, ..config("default") }
}

fn inline() -> Config {
    with(ModelMarkets::First(1), Fits::Inline { delay: FIT_DELAY })
}

fn engine(world: &World, config: Config) -> Engine {
    Engine::new(config, &world.instruments, &world.streams)
}

/// Rows of whole hours and of the minutes around them.
fn keep(row: &MinuteRow) -> bool {
    row.ts.0 / 60_000_000_000 % 60 < 2
}

fn feed(engine: &mut Engine, events: &[Event]) -> Vec<MinuteRow> {
    let (mut out, mut rows) = (Outputs::default(), Vec::new());
    for event in events {
        engine.step(event, &mut out);
        rows.extend(out.rows().iter().filter(|r| keep(r)).cloned());
        out.clear();
    }
    rows
}

fn hidden(row: &MinuteRow) -> &ModelReading {
    row.models.iter().find(|m| m.model == Model::Hmm).unwrap()
}

/// Both worlds: minutes for 40 days, and real hours with candles only.
fn worlds() -> [(&'static str, World); 2] {
    [("random", random_world(42, 40)), ("built-in", built_in_world("BTCUSDT"))]
}

#[test]
fn models_stand_beside_the_rules_and_change_nothing_else() {
    for (name, world) in worlds() {
        let on = feed(&mut engine(&world, inline()), &world.events);
        let off = feed(&mut engine(&world, config("default")), &world.events);
        assert_eq!(on.len(), off.len());
        let (mut fitted, mut changes) = (0, 0);
        for (a, b) in on.iter().zip(&off) {
            assert!(b.models.is_empty() && a.models.len() == 2, "{name} at {}", a.ts);
            assert_eq!((a.ts, &a.cells, a.risk, &a.held), (b.ts, &b.cells, b.risk, &b.held), "{name} at {}", a.ts);
            let reading = hidden(a);
            if let (Some(_), Some(until)) = (reading.state, reading.fitted_until) {
                assert!(until + FIT_DELAY <= a.ts, "{name} at {}: fitted until {until}", a.ts);
                fitted += 1;
            }
            changes += usize::from(a.models.iter().any(|m| m.recent_change.is_some()));
        }
        assert!(fitted > 200 && changes > 200, "{name}: {fitted} fitted, {changes} watched");
    }
}

#[test]
fn later_data_never_changes_what_models_said() {
    for (name, world) in worlds() {
        let full = feed(&mut engine(&world, inline()), &world.events);
        for share in [3, 5, 7] {
            let known = world.events[world.events.len() * share / 8].recv_ts;
            let prefix: Vec<Event> = world.events.iter().copied().take_while(|e| e.recv_ts <= known).collect();
            let short = feed(&mut engine(&world, inline()), &prefix);
            let published: Vec<_> = short.iter().filter(|r| r.ts + LATENESS <= known).collect();
            assert!(published.len() > 100);
            for (a, b) in published.iter().zip(&full) {
                assert_eq!((a.ts, &a.models), (b.ts, &b.models), "{name} cut at {known}");
            }
        }
    }
}

#[test]
fn saving_and_restoring_goes_on_with_the_same_models() {
    let world = random_world(42, 40);
    let full = feed(&mut engine(&world, inline()), &world.events);
    // Within the hour between cut-off and entry of the first fit, and at other moments.
    let first = full.iter().find(|r| hidden(r).fitted_until.is_some()).unwrap();
    let waiting = hidden(first).fitted_until.unwrap() + Span::mins(20);
    let mut cuts: Vec<usize> = [2, 5, 7].iter().map(|n| world.events.len() * n / 8).collect();
    cuts.push(world.events.iter().position(|e| e.recv_ts > waiting).unwrap());
    cuts.sort_unstable();
    let mut engine = engine(&world, inline());
    let (mut rows, mut from) = (Vec::new(), 0);
    for cut in cuts {
        rows.extend(feed(&mut engine, &world.events[from..cut]));
        let bytes = engine.save();
        engine = Engine::restore(inline(), &world.instruments, &world.streams, &bytes).unwrap();
        assert_eq!(engine.save(), bytes);
        from = cut;
    }
    rows.extend(feed(&mut engine, &world.events[from..]));
    assert_eq!(rows.len(), full.len());
    for (a, b) in rows.iter().zip(&full) {
        assert_eq!((a.ts, &a.models), (b.ts, &b.models));
    }
}

/// Fits from outside, brought `late` after their minute; what was said, and what was brought when.
fn outside(world: &World, late: Span) -> (Vec<MinuteRow>, Vec<(Ts, ModelUpdate)>) {
    let mut engine = engine(world, with(ModelMarkets::First(1), Fits::Outside));
    let (mut out, mut rows, mut brought) = (Outputs::default(), Vec::new(), Vec::new());
    let mut under_way: Option<(Ts, ModelUpdate)> = None;
    for event in &world.events {
        if let Some((at, update)) = under_way.take_if(|(at, _)| *at < event.recv_ts) {
            engine.update_model(at, &update, &mut out).unwrap();
            assert!(engine.fit_wanted().is_none());
            brought.push((at, update));
        }
        engine.step(event, &mut out);
        if !out.rows().is_empty()
            && under_way.is_none()
            && let Some(request) = engine.fit_wanted()
        {
            under_way = Some((event.recv_ts + late, run(&request)));
        }
        rows.extend(out.rows().iter().filter(|r| keep(r)).cloned());
        out.clear();
    }
    (rows, brought)
}

#[test]
fn a_fit_from_outside_enters_at_its_moment_and_its_record_makes_the_same_rows_again() {
    let world = random_world(42, 40);
    let (rows, brought) = outside(&world, Span::mins(7));
    assert!(brought.len() >= 2, "{} fits", brought.len());
    for row in &rows {
        let known = brought.iter().rev().find(|(at, _)| *at < row.ts + LATENESS).map(|(_, u)| u.fitted_until);
        assert_eq!(hidden(row).fitted_until, known, "at {}", row.ts);
    }
    // Again from the record: nothing is fitted.
    let mut engine = engine(&world, with(ModelMarkets::First(1), Fits::Outside));
    let (mut out, mut again, mut next) = (Outputs::default(), Vec::new(), brought.iter().peekable());
    for event in &world.events {
        while let Some((at, update)) = next.next_if(|(at, _)| *at < event.recv_ts) {
            engine.update_model(*at, update, &mut out).unwrap();
        }
        engine.step(event, &mut out);
        again.extend(out.rows().iter().filter(|r| keep(r)).cloned());
        out.clear();
    }
    assert_eq!(again, rows);
    let (at, update) = brought[0].clone();
    let early = engine.update_model(update.fitted_until - Span(1), &update, &mut out);
    assert!(early.unwrap_err().contains("cannot be known"), "{at}");
}

#[test]
fn history_that_comes_late_keeps_a_fit_that_was_made() {
    let world = random_world(42, 40);
    let outside = || with(ModelMarkets::First(1), Fits::Outside);
    let mut live = engine(&world, outside());
    let (mut out, half) = (Outputs::default(), world.events.len() * 9 / 10);
    feed(&mut live, &world.events[..half]);
    let request = live.fit_wanted().unwrap();
    let update = run(&request);
    let now = world.events[half].recv_ts;
    live.update_model(now, &update, &mut out).unwrap();
    let fresh = live.fresh_market(0, &world.instruments[0]).unwrap();
    live.catch_up(0, fresh, &world.events[..half]);
    let rows = feed(&mut live, &world.events[half..]);
    assert_eq!(hidden(&rows[0]).fitted_until, Some(update.fitted_until));
    assert!(hidden(&rows[0]).state.is_some());
}

#[test]
fn models_can_be_turned_on_and_off_and_chosen_by_name() {
    let world = random_world(1, 2);
    for (markets, want) in [
        (ModelMarkets::Off, 0),
        (ModelMarkets::First(0), 0),
        (ModelMarkets::First(1), 2),
        (ModelMarkets::Named(vec!["BTC/USDT".to_owned()]), 2),
        (ModelMarkets::Named(vec!["binance-usdm:BTCUSDT".to_owned()]), 2),
        (ModelMarkets::Named(vec!["bybit:BTCUSDT".to_owned(), "ETHUSDT".to_owned()]), 0),
    ] {
        let policy = ModelPolicy { markets: markets.clone(), fits: Fits::Outside };
        let mut engine = engine(&world, config("default"));
        let half = world.events.len() / 2;
        assert!(feed(&mut engine, &world.events[..half]).iter().all(|r| r.models.is_empty()));
        engine.set_models(policy, &world.instruments);
        assert!(feed(&mut engine, &world.events[half..]).iter().all(|r| r.models.len() == want), "{markets:?}");
    }
}

/// Rows of an engine through the interface: its labels, their age, and the same after the memory was saved and restored.
fn behind_the_interface<L: Ruled + Serialize + DeserializeOwned>(
    rows: &[MinuteRow],
    world: &World,
    published: fn(&MinuteRow) -> AxisState<L>,
) {
    let rules = RuleAxis::<L>::new(config("default").book, world.streams.as_slice().into());
    let (mut state, mut labels) = (rules.begin(), std::collections::BTreeSet::new());
    for (n, row) in rows.iter().enumerate() {
        if n % 97 == 0 {
            let bytes = serde_json::to_string(&state).unwrap();
            state = serde_json::from_str(&bytes).unwrap();
        }
        let seen = RuleInputs { cells: &row.cells, inputs: &row.inputs };
        let verdict = rules.classify(row.ts, seen, &mut state).unwrap();
        let want = published(row);
        assert_eq!((&*verdict.label, verdict.since), (want.label.word(), want.since), "{:?} at {}", L::AXIS, row.ts);
        labels.insert(verdict.label.into_owned());
    }
    assert!(labels.len() > 1 && rules.id() == "rules" && rules.digest().starts_with('v'), "{labels:?}");
}

#[test]
fn rules_stand_behind_the_same_interface() {
    let world = random_world(42, 8);
    let rows = world.rows("default", &world.events, |_| true);
    behind_the_interface(&rows, &world, |r| r.risk);
    behind_the_interface(&rows, &world, |r| r.trend);
    behind_the_interface(&rows, &world, |r| r.volatility);
    behind_the_interface(&rows, &world, |r| r.heat);
}
