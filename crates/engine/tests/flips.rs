//! Every flip and every exit reported on real replays, applied (regimes §10.1): the label changes to the one reported, in
//! the minute reported, all of them.
//!
//! Markets are the built-in history and, where recorded data lies beside the repository, a month of minutes and a winter
//! of five-minute open interest. What is applied is what the published snapshot says. The percentiles of a changed feature
//! are ranked anew in the market's own window, which is gathered here from the rows and owes nothing to the engine's
//! memory or to the cuts in the row; the cuts are checked against that window instead.
#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "helpers of tests, outside of test functions")]

use crate::support;
use barograph_domain::snapshot::Flip;
use barograph_domain::{
    Cell, HeldBy, InputAge, InstrumentName, Metric, MinuteRow, Payload, RiskRegime, Span, Stamp, StreamDecl,
    StreamIndex, Ts,
};
use barograph_engine::catalogue::Feature;
use barograph_engine::rules::{RiskAxis, RuleBook, Scene, apply_exit, apply_flip, cut, evaluate, rank_of};
use barograph_engine::{Outputs, explain};
use std::collections::BTreeMap;
use support::{Rows, World, built_in_world, candle, config, decl, recorded, world_of};

/// Hours a percentile looks back.
fn reach(percentile: Feature) -> Span {
    if percentile == Feature::FundingPct30d { Span::days(30) } else { Span::days(90) }
}

/// What every ranked feature was at whole hours, and the windows of the percentiles as of the latest row.
#[derive(Default)]
struct Windows {
    seen: BTreeMap<(Feature, StreamIndex), BTreeMap<Ts, f64>>,
    /// The other values of a percentile's window, ascending, with the hour and stream they belong to.
    others: BTreeMap<Feature, (StreamIndex, Ts, Vec<f64>)>,
    cuts_checked: usize,
}

impl Windows {
    fn learn(&mut self, row: &MinuteRow, book: &RuleBook) {
        for (percentile, ranked) in Feature::percentiles() {
            let cell = row.cells[ranked.index()];
            if let (Some(x), Some(stream)) = (cell.ready(), cell.stream)
                && cell.anchor.floor(Span::hours(1)) == cell.anchor
                // A day's value from part of a day does not enter the history.
                && !(percentile == Feature::VolPctRank && cell.partial)
            {
                self.seen.entry((ranked, stream)).or_default().insert(cell.anchor, x);
            }
            self.gather(row, book, percentile, ranked);
        }
    }

    fn gather(&mut self, row: &MinuteRow, book: &RuleBook, percentile: Feature, ranked: Feature) {
        let cell = row.cells[percentile.index()];
        let (Some(rank), Some(stream)) = (cell.ready(), cell.stream) else {
            self.others.remove(&percentile);
            return;
        };
        // The reading takes the place of the hour under way, among the hours before it.
        let newest = row.cells[ranked.index()].ready().unwrap();
        let hour = cell.anchor.ceil(Span::hours(1));
        if let Some((_, _, others)) = self.others.get(&percentile).filter(|(s, at, _)| (*s, *at) == (stream, hour)) {
            assert_eq!(rank_of(others, newest).to_bits(), rank.to_bits(), "{} at {}", percentile.id(), row.ts);
            return;
        }
        let seen = &self.seen[&(ranked, stream)];
        let window = seen.range(..hour).filter(|(at, _)| **at > hour - reach(percentile));
        let mut others: Vec<f64> = window.map(|(_, v)| *v).collect();
        others.sort_by(f64::total_cmp);
        assert_eq!(rank_of(&others, newest).to_bits(), rank.to_bits(), "{} at {}", percentile.id(), row.ts);
        for (request, shown) in book.cuts().iter().zip(&row.cuts).filter(|(r, _)| r.percentile == percentile) {
            let proven = cut(&others, request.op, request.theta);
            assert_eq!(proven.map(f64::to_bits), shown.map(f64::to_bits), "{request:?} at {}", row.ts);
            self.cuts_checked += 1;
        }
        self.others.insert(percentile, (stream, hour, others));
    }

    /// The row with one feature changed and its percentiles ranked anew.
    fn with(&self, cells: &[Cell], feature: Feature, x: f64) -> Vec<Cell> {
        let mut cells = cells.to_vec();
        cells[feature.index()].value = x;
        for (percentile, _) in Feature::percentiles().filter(|(_, ranked)| *ranked == feature) {
            if let Some((_, _, others)) = self.others.get(&percentile) {
                cells[percentile.index()].value = rank_of(others, x);
            }
        }
        cells
    }
}

/// What was applied in one replay.
#[derive(Default, Debug)]
struct Tally {
    rows: usize,
    flips: usize,
    exits: usize,
    cuts: usize,
    /// Exits by the label they leave.
    left: BTreeMap<RiskRegime, usize>,
    /// Flips and exits that move a percentile along.
    ranked: usize,
    /// Exits that wait for dwell.
    waits: usize,
    /// Rows with a reading for which nothing was said, though the label does not end by itself.
    silent: usize,
}

/// One replay with everything that is needed to apply what its snapshots say.
struct Replay<'a> {
    book: &'a RuleBook,
    world: &'a World,
    axis: RiskAxis,
    windows: Windows,
    tally: Tally,
}

impl Replay<'_> {
    fn apply(&mut self, row: &MinuteRow) {
        let ctx = explain::Context {
            book: self.book,
            logic_version: "v0",
            instrument: &self.world.instruments[0],
            streams: &self.world.streams,
            held: None,
            calls: None,
        };
        let said = explain::render(&ctx, row, None).explanation;
        self.tally.rows += 1;
        if let Some(flip) = &said.nearest_flip {
            self.flip(row, flip);
        } else if row.risk.raw_label != RiskRegime::Unknown {
            self.tally.silent += 1;
        }
        if let Some(exit) = &said.nearest_exit {
            self.exit(row, exit);
        } else if row.risk.held_by != HeldBy::Dwell && row.risk.raw_label != RiskRegime::Unknown {
            self.tally.silent += 1;
        }
    }

    fn flip(&mut self, row: &MinuteRow, flip: &Flip) {
        let feature = Feature::from_id(flip.feature).unwrap();
        let scene = Scene { book: self.book, cells: &row.cells, cuts: &row.cuts, streams: &self.world.streams };
        let there = evaluate::<RiskRegime>(self.book, &self.windows.with(&row.cells, feature, flip.needed)).raw;
        assert_ne!(there, row.risk.raw_label, "{} {flip:?}", row.ts);
        assert_eq!(there, flip.label, "{} {flip:?}", row.ts);
        assert_eq!(apply_flip::<RiskRegime>(&scene, feature, flip.needed), flip.label, "{} {flip:?}", row.ts);
        self.tally.flips += 1;
        self.tally.ranked += usize::from(flip.percentile.is_some());
    }

    fn exit(&mut self, row: &MinuteRow, exit: &Flip) {
        let feature = Feature::from_id(exit.feature).unwrap();
        let cells = self.windows.with(&row.cells, feature, exit.needed);
        let minutes = i64::from(exit.readings).max((exit.dwell_left_s + 59) / 60);
        let mut axis = self.axis.clone();
        for n in 1..=minutes {
            let later = Span::mins(n);
            let aged = |i: &InputAge| InputAge { anchor: i.anchor + later, ..*i };
            let inputs: Vec<InputAge> = row.inputs.iter().map(aged).collect();
            // Each of these minutes brings readings of its own.
            let cells: Vec<Cell> = cells.iter().map(|c| Cell { anchor: c.anchor + later, ..*c }).collect();
            let state = axis.step(self.book, row.ts + later, &cells, &inputs, &self.world.streams);
            let want = if n == minutes { exit.label } else { row.risk.label };
            assert_eq!(state.label, want, "{} minute {n} of {minutes}: {exit:?}", row.ts);
        }
        let scene = Scene { book: self.book, cells: &row.cells, cuts: &row.cuts, streams: &self.world.streams };
        let labels = apply_exit(&scene, &self.axis, exit, row.ts, &row.inputs, &self.world.streams);
        assert_eq!(labels.last(), Some(&exit.label), "{} {exit:?}", row.ts);
        self.tally.exits += 1;
        self.tally.ranked += usize::from(exit.percentile.is_some());
        self.tally.waits += usize::from(exit.dwell_left_s > 60);
        *self.tally.left.entry(row.risk.label).or_default() += 1;
    }
}

/// Replays a market and applies what is said in every row.
fn apply_all(world: &World, book_name: &str) -> Tally {
    let config = config(book_name);
    let book = &*config.book;
    let axis = RiskAxis::new();
    let mut replay = Replay { book, world, axis, windows: Windows::default(), tally: Tally::default() };
    let mut on_row = |row: &MinuteRow| {
        replay.windows.learn(row, book);
        let state = replay.axis.step(book, row.ts, &row.cells, &row.inputs, &world.streams);
        assert_eq!(state, row.risk, "the axis alone, over the rows, says what the engine said");
        replay.apply(row);
    };
    let mut engine = world.engine(book_name);
    let mut out = Outputs::default();
    for event in &world.events {
        engine.step(event, &mut out);
        out.rows().iter().for_each(&mut on_row);
        out.clear();
    }
    engine.finish(Ts::MAX, &mut out);
    out.rows().iter().for_each(&mut on_row);
    replay.tally.cuts = replay.windows.cuts_checked;
    assert_eq!(replay.tally.silent, 0, "{:?}", replay.tally);
    replay.tally
}

fn check_built_in(symbol: &str, book: &str) -> Tally {
    let tally = apply_all(&built_in_world(symbol), book);
    println!("{symbol} {book}: {tally:?}");
    assert!(tally.rows > 8_000 && tally.flips + tally.exits > 10_000, "{tally:?}");
    assert!(tally.waits > 100, "{tally:?}");
    tally
}

#[test]
fn every_flip_and_exit_of_the_built_in_history_happens() {
    for symbol in ["BTCUSDT", "ETHUSDT", "SOLUSDT"] {
        let tally = check_built_in(symbol, "default");
        assert!(tally.ranked > 500 && tally.cuts > 5_000, "{tally:?}");
        // A squeeze of a single hourly reading is not published; those that are, come with open interest by five minutes.
        for label in [RiskRegime::Normal, RiskRegime::ChopRisk, RiskRegime::HighVol] {
            assert!(tally.left.contains_key(&label), "no exit from {label:?} was seen: {tally:?}");
        }
    }
}

#[test]
fn every_flip_and_exit_of_the_built_in_history_happens_under_fixed_numbers() {
    for symbol in ["BTCUSDT", "ETHUSDT", "SOLUSDT"] {
        let tally = check_built_in(symbol, "absolute");
        assert_eq!(tally.ranked, 0, "{tally:?}");
    }
}

fn stream(name: &str, metric: Metric, cadence: Span, delay: Span, stamp: Stamp) -> StreamDecl {
    let instrument = InstrumentName::parse(name).unwrap();
    StreamDecl {
        source: instrument.venue.as_str().to_owned(),
        instrument,
        ..decl(metric, cadence, delay, stamp, false)
    }
}

/// Minutes of a perpetual without open interest: long stretches are UNKNOWN, and between two hours volatility moves while
/// its percentile stands.
#[test]
fn every_flip_and_exit_of_a_month_of_minutes_happens() {
    let Some(csv) = recorded("ohlcv/1m_2022-01/btc-perp_1m.csv.gz") else { return };
    let minutes = Rows {
        decl: stream("ftx:BTC-PERP", Metric::Bar, Span::mins(1), Span::secs(2), Stamp::Close),
        csv: &csv,
        shift: Span::ZERO,
        between: (Ts(0), Ts::MAX),
        payload: candle,
    };
    let world = world_of(&[minutes]);
    let mut applied = 0;
    for book in ["default", "absolute"] {
        let tally = apply_all(&world, book);
        println!("minutes {book}: {tally:?}");
        applied += tally.flips + tally.exits;
    }
    assert!(applied > 10_000, "{applied}");
}

/// Open interest every five minutes and hourly candles: inputs of different ages, readings that change between hours.
#[test]
fn every_flip_and_exit_of_a_winter_with_open_interest_happens() {
    let files = [
        "ohlcv/1h_2023_2026-06/btcusdt_1h.csv.gz",
        "derivatives/oi_5m_2025-12_2026-06/btcusdt_oi_5m.csv.gz",
        "derivatives/oi_5m_2025-12_2026-06/btcusdt_funding.csv",
    ];
    let [Some(candles), Some(open_interest), Some(funding)] = files.map(recorded) else { return };
    let own = |metric, cadence, delay, stamp| stream("binance-usdm:BTCUSDT", metric, cadence, delay, stamp);
    let rows = |decl, csv, shift, payload| {
        let between = (Ts::from_civil(2025, 11, 1, 0, 0, 0), Ts::from_civil(2026, 3, 1, 0, 0, 0));
        Rows { decl, csv, shift, between, payload }
    };
    let hour = Span::hours(1);
    let world = world_of(&[
        rows(own(Metric::Bar, hour, Span::secs(2), Stamp::Open), &candles, hour, candle),
        rows(
            own(Metric::OpenInterest, Span::mins(5), Span::mins(1), Stamp::Instant),
            &open_interest,
            Span::ZERO,
            |n| Payload::Value(n[0]),
        ),
        // The file's rates are the venue's divided by eight.
        rows(
            own(Metric::FundingRateSettled, hour.times(8), Span::mins(1), Stamp::Instant),
            &funding,
            Span::ZERO,
            |n| Payload::Funding { rate: 8.0 * n[0], interval_h: Some(8.0), next_ts: None, special: false },
        ),
    ]);
    let mut applied = 0;
    for book in ["default", "absolute"] {
        let tally = apply_all(&world, book);
        println!("open interest {book}: {tally:?}");
        assert!(book != "default" || tally.left.contains_key(&RiskRegime::SqueezeRisk), "{tally:?}");
        applied += tally.flips + tally.exits;
    }
    assert!(applied > 10_000, "{applied}");
}
