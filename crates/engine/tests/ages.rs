//! What a reading says about itself: how old it is, what it is made of, and which session it speaks for. Each against an
//! account kept here from the events alone.
#![allow(
    clippy::allow_attributes,
    clippy::unwrap_used,
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::float_cmp,
    reason = "tests may panic; minutes of days are small; exact numbers are meant"
)]

use crate::support;
use barograph_domain::alert::AlertChange;
use barograph_domain::{
    Bar, Cell, Event, Kind, Metric, MinuteRow, Pattern, Payload, Reason, RiskRegime, Span, Stamp, State, StreamDecl,
    StreamIndex, TradingSession, Ts,
};
use barograph_engine::catalogue::Feature;
use barograph_engine::rules::{RuleBook, Scene, nearest_flip};
use barograph_engine::sessions::SessionSet;
use barograph_engine::{AlertOut, Config, Engine, Outputs};
use std::collections::BTreeMap;
use std::sync::Arc;
use support::{Random, decl, perpetual};

const MINUTE: Span = Span::mins(1);
const HOUR: Span = Span::hours(1);

fn start() -> Ts {
    Ts::from_civil(2026, 3, 2, 0, 0, 0)
}

/// Rows and alerts of a perpetual with these streams and what they said.
fn told(config: &Config, streams: &[(StreamDecl, Vec<(Ts, Payload)>)]) -> (Vec<MinuteRow>, Vec<AlertOut>) {
    told_at(config, streams, |_| true)
}

/// The same, of some minutes only.
fn told_at(
    config: &Config,
    streams: &[(StreamDecl, Vec<(Ts, Payload)>)],
    keep: impl Fn(Ts) -> bool,
) -> (Vec<MinuteRow>, Vec<AlertOut>) {
    let mut sorted: Vec<StreamDecl> = streams.iter().map(|(d, _)| d.clone()).collect();
    sorted.sort();
    let mut events = Vec::new();
    for (decl, said) in streams {
        let stream = StreamIndex(u16::try_from(sorted.iter().position(|s| s == decl).unwrap()).unwrap());
        for (at, payload) in said {
            let recv_ts = *at + decl.delay;
            events.push(Event { recv_ts, event_ts: *at, stream, seq: 0, payload: *payload });
        }
    }
    events.sort_by(Event::order);
    let mut gaps = Gaps::default();
    let mut engine = Engine::new(config.clone(), &[perpetual()], &sorted);
    let (mut out, mut rows, mut alerts) = (Outputs::default(), Vec::new(), Vec::new());
    for event in &events {
        let gap = gaps.before(event, &sorted);
        for e in gap.iter().chain([event]) {
            engine.step(e, &mut out);
            rows.extend(out.rows().iter().filter(|r| keep(r.ts)).cloned());
            alerts.extend_from_slice(out.alerts());
            out.clear();
        }
    }
    engine.finish(Ts::MAX, &mut out);
    rows.extend(out.rows().iter().filter(|r| keep(r.ts)).cloned());
    (rows, alerts)
}

/// Holes of archives, as the importer declares them: more than one and a half steps between two rows.
#[derive(Default)]
struct Gaps(BTreeMap<u16, Ts>);

impl Gaps {
    fn before(&mut self, event: &Event, streams: &[StreamDecl]) -> Option<Event> {
        let decl = &streams[event.stream.index()];
        let from = self.0.insert(event.stream.0, event.event_ts)?;
        let limit = decl.cadence.0 + decl.cadence.0 / 2;
        if decl.filled || decl.metric == Metric::FundingRateSettled || (event.event_ts - from).0 <= limit {
            return None;
        }
        let status = barograph_domain::Status {
            state: barograph_domain::StatusState::Gap,
            from,
            until: event.event_ts,
            reason: barograph_domain::GapReason::MissingRows,
        };
        Some(Event { payload: Payload::Status(status), ..*event })
    }
}

fn config() -> Config {
    support::config("default")
}

fn candle(price: f64) -> Payload {
    let (open, close) = (price, price);
    Payload::Bar(Bar { open, high: price * 1.0001, low: price * 0.9999, close, volume: Some(1.0), quote_volume: None })
}

fn bars(step: Span) -> StreamDecl {
    decl(Metric::Bar, step, Span::secs(2), Stamp::Open, false)
}

fn minutes(n: i64) -> Vec<(Ts, Payload)> {
    (1..=n).map(|m| (start() + MINUTE.times(m), candle(100.0))).collect()
}

fn cell(row: &MinuteRow, feature: Feature) -> &Cell {
    &row.cells[feature.index()]
}

fn ready(row: &MinuteRow, feature: Feature) -> Option<f64> {
    cell(row, feature).ready()
}

#[test]
fn a_reading_is_as_old_as_the_event_it_was_read_from() {
    // Polled each minute at five seconds past, until it falls silent.
    let polls = |until: i64| (0..=until).map(|m| start() + MINUTE.times(m) + Span::secs(5));
    let last = 30;
    let oi = decl(Metric::OpenInterest, MINUTE, Span::ZERO, Stamp::Instant, true);
    let said = polls(last).enumerate().map(|(i, at)| (at, Payload::Value(1_000.0 + i as f64))).collect();
    let (rows, _) = told(&config(), &[(bars(MINUTE), minutes(60)), (oi, said)]);
    let silent_since = start() + MINUTE.times(last) + Span::secs(5);
    for row in rows.iter().filter(|r| r.ts >= start() + MINUTE.times(5)) {
        let grid = row.ts.floor(Span::mins(5));
        let event = polls(last).rfind(|at| *at <= grid).unwrap();
        let stale = row.ts - silent_since > Span::secs(300);
        let c = cell(row, Feature::OpenInterest);
        if row.ts - silent_since <= Span::secs(300) {
            assert_eq!((c.state, c.anchor), (State::Ready, event), "{}", row.ts);
        }
        assert_eq!(c.state == State::Stale, stale, "{}: {:?} of {}", row.ts, c.state, c.anchor);
        let input = row.inputs.iter().find(|i| i.metric == Metric::OpenInterest).unwrap();
        assert_eq!(input.anchor, polls(last).rfind(|at| *at <= row.ts).unwrap(), "{}", row.ts);
    }
}

#[test]
fn a_stream_that_speaks_is_not_stale_between_two_instants_of_the_grid() {
    // One poll before the instant is lost: the sample is then older than the limit before the next one is due.
    let at = |m: i64| start() + MINUTE.times(m) - Span::millis(100);
    let oi = decl(Metric::OpenInterest, MINUTE, Span::ZERO, Stamp::Instant, true);
    let said: Vec<_> = (1..=40).filter(|m| *m != 20).map(|m| (at(m), Payload::Value(1_000.0))).collect();
    let (rows, _) = told(&config(), &[(bars(MINUTE), minutes(40)), (oi, said)]);
    let row = |m: i64| rows.iter().find(|r| r.ts == start() + MINUTE.times(m)).unwrap();
    let old = cell(row(24), Feature::OpenInterest);
    assert_eq!((old.state, old.anchor), (State::Ready, at(19).floor(Span::secs(1))));
    assert_eq!(cell(row(25), Feature::OpenInterest).anchor, at(25).floor(Span::secs(1)));
}

#[test]
fn a_price_that_holds_is_as_old_as_when_it_was_said() {
    let mark = decl(Metric::MarkPrice, Span::secs(1), Span::ZERO, Stamp::Instant, true);
    let index = decl(Metric::IndexPrice, Span::secs(1), Span::ZERO, Stamp::Instant, true);
    let said = |every: i64| -> Vec<_> {
        (0..60)
            .filter(|m| m % every == 0)
            .map(|m| (start() + MINUTE.times(m) + Span::secs(40), Payload::Value(100.0)))
            .collect()
    };
    let (rows, _) = told(&config(), &[(mark, said(1)), (index, said(4))]);
    for row in rows.iter().filter(|r| r.ts > start() + MINUTE) {
        // The pair is as old as the older of its two prices.
        let m = (row.ts - start()).0 / MINUTE.0 - 1;
        let event = start() + MINUTE.times(m - m % 4) + Span::secs(40);
        assert_eq!((cell(row, Feature::Premium).state, cell(row, Feature::Premium).anchor), (State::Ready, event));
    }
}

#[test]
fn a_basis_from_before_a_hole_is_not_served_after_it() {
    // Hourly index, candles of a minute with a hole over a whole hour; far apart before it, equal after it.
    let hole = (630, 665);
    let index = decl(Metric::IndexPrice, HOUR, Span::secs(2), Stamp::Open, false);
    let futures = (1..=900).filter(|m| *m <= hole.0 || *m >= hole.1).map(|m| {
        let price = if m < hole.1 { 103.0 } else { 100.0 };
        (start() + MINUTE.times(m), candle(price))
    });
    let indexed = (1..=15).map(|h| (start() + HOUR.times(h), Payload::Value(100.0))).collect();
    let (rows, alerts) = told(&config(), &[(bars(MINUTE), futures.collect()), (index, indexed)]);
    let at = |m: i64| start() + MINUTE.times(m);
    let (from, until) = (at(hole.0), at(hole.1));
    for row in rows.iter().filter(|r| r.ts > at(61)) {
        let (basis, score) = (cell(row, Feature::Basis), cell(row, Feature::BasisZscore7d));
        if row.ts <= from {
            assert!((basis.ready().unwrap() - 0.03).abs() < 1e-9, "{}", row.ts);
        } else if row.ts >= until && row.ts <= at(720) {
            assert_ne!(basis.state, State::Ready, "{}", row.ts);
            assert_ne!(score.state, State::Ready, "{}", row.ts);
        } else if row.ts > at(721) {
            assert_eq!(basis.ready(), Some(0.0), "{}", row.ts);
        }
        if row.ts > until && row.ts <= at(720) {
            assert_eq!(basis.state, State::Undefined(Reason::Gap), "{}", row.ts);
        }
    }
    let of_basis = |a: &&AlertOut| a.known.alert.pattern == Pattern::BasisManipulation;
    assert!(alerts.iter().filter(of_basis).any(|a| a.known.alert.ts < from), "it fired while it was true");
    let back = alerts.iter().filter(of_basis).find(|a| a.known.alert.change == AlertChange::Resumed);
    assert!(
        back.is_none_or(|a| a.known.alert.ts > at(720)),
        "it is back when there is a value of after the hole: {back:?}"
    );
}

/// Candles whose moves differ from session to session.
fn session_candles(step: Span, days: i64, set: &SessionSet) -> Vec<(Ts, Payload)> {
    let mut random = Random(7);
    let mut price = 100.0;
    (1..=days * 24 * HOUR.0 / step.0)
        .map(|n| {
            let at = start() + step.times(n);
            let wild = 1.0 + set.session(at - Span(1)).index() as f64;
            price *= 1.0 + 0.0005 * wild * (step.0 as f64 / MINUTE.0 as f64).sqrt() * random.normal();
            (at, candle(price))
        })
        .collect()
}

#[test]
fn the_first_minute_of_a_session_is_that_sessions() {
    const OF_A_SESSION: [Feature; 4] =
        [Feature::SessionExpectedVol, Feature::SessionBaseMult, Feature::AdaptiveMult, Feature::SessionExpectedVolume];
    for (step, days, set, measured) in [
        (MINUTE, 12, SessionSet::UTC, true),
        (HOUR, 30, SessionSet::UTC, true),
        // New York moves its clock on 8 March, London on the 29th.
        (HOUR, 34, SessionSet::LOCAL, true),
        (Span::hours(4), 30, SessionSet::UTC, false),
    ] {
        let mut book = RuleBook::shipped("default").unwrap();
        book.sessions = set;
        let candles = [(bars(step), session_candles(step, days, &set))];
        let near = |t: Ts| (t + MINUTE).0.rem_euclid(HOUR.0) <= 2 * MINUTE.0;
        let (rows, _) = told_at(&Config::new(Arc::new(book)), &candles, near);
        let (mut boundaries, mut moved) = (0, 0);
        for at in 1..rows.len() - 1 {
            let [before, first, next] = [&rows[at - 1], &rows[at], &rows[at + 1]];
            let session = |r: &MinuteRow| ready(r, Feature::Session).unwrap();
            let said = TradingSession::ALL[ready(first, Feature::Session).unwrap() as usize];
            assert_eq!(said, set.session(first.ts), "{}", first.ts);
            // New multipliers are made at midnight, when the day's last candle has come.
            if session(before) == session(first) || first.ts.floor(Span::days(1)) == first.ts {
                continue;
            }
            boundaries += 1;
            for feature in OF_A_SESSION.into_iter().filter(|f| *f != Feature::AdaptiveMult) {
                assert_eq!(ready(first, feature), ready(next, feature), "{step} {} {}", feature.id(), first.ts);
            }
            moved += i32::from(OF_A_SESSION.iter().any(|f| ready(before, *f) != ready(first, *f)));
            let (usual, now) = (ready(first, Feature::SessionExpectedVol), ready(first, Feature::RealizedVol1h));
            if let (Some(usual), Some(now)) = (usual, now) {
                let ratio = ready(first, Feature::SessionVolRatio).unwrap();
                assert!((ratio - now / usual).abs() < 1e-12, "{}", first.ts);
            }
        }
        assert!(boundaries > 3 * (days as i32 - 2), "{step}: {boundaries}");
        assert_eq!(moved, boundaries, "{step}: every session has numbers of its own");
        let last = rows.last().unwrap();
        assert_eq!(ready(last, Feature::SessionExpectedVol).is_some(), measured, "{step}");
    }
}

#[test]
fn a_settlement_is_the_hours_it_was_due_at_however_late() {
    let settled = decl(Metric::FundingRateSettled, HOUR, Span::secs(60), Stamp::Instant, false);
    // Lateness in seconds as Hyperliquid stamped it on 2023-05-23, 2023-12-17 and 2025-07-19, and a clock that is ahead.
    let late = BTreeMap::from([(5, 1_433.04), (9, 250.61), (14, 887.645), (20, -90.0), (21, 5.457)]);
    let said: Vec<(Ts, Payload)> = (0..30)
        .map(|h| {
            let off = Span((late.get(&h).copied().unwrap_or(0.079) * 1e9) as i64);
            let rate =
                Payload::Funding { rate: 1e-5 * (h + 1) as f64, interval_h: Some(1.0), next_ts: None, special: false };
            (start() + HOUR.times(h) + off, rate)
        })
        .collect();
    let (rows, _) = told(&config(), &[(bars(MINUTE), minutes(1_800)), (settled, said.clone())]);
    for row in &rows {
        let known: Vec<usize> = (0..30).filter(|h| said[*h].0 + Span::secs(60) <= row.ts + Span::millis(200)).collect();
        let Some(newest) = known.last() else { continue };
        let c = cell(row, Feature::FundingRateSettled8h);
        let want = 8e-5 * (*newest + 1) as f64;
        assert!((c.value - want).abs() < 1e-12, "{}: {} instead of {want}", row.ts, c.value);
        assert!(row.ts >= c.anchor, "{}: stamped {}", row.ts, c.anchor);
        let block = cell(row, Feature::FundingBlock8h);
        if let (Some(sum), true) = (block.ready(), row.ts < start() + HOUR.times(29)) {
            let end = (row.ts - Span::mins(90)).floor(HOUR);
            let whole = ((end - start()).0 / HOUR.0 + 1) / 8 * 8;
            let want: f64 = (whole - 8..whole).map(|h| 1e-5 * (h + 1) as f64).sum();
            let next: f64 = (whole..whole + 8).map(|h| 1e-5 * (h + 1) as f64).sum();
            assert!((sum - want).abs() < 1e-12 || (sum - next).abs() < 1e-12, "{}: {sum} of {whole}", row.ts);
        }
    }
}

#[test]
fn running_funding_without_an_interval_is_used_and_marked() {
    let running = decl(Metric::FundingRate, MINUTE, Span::secs(2), Stamp::Instant, false);
    let of = |rate: f64, interval_h: Option<f64>| Payload::Funding { rate, interval_h, next_ts: None, special: false };
    let said: Vec<_> = (1..=600).map(|m| (start() + MINUTE.times(m), of(1e-4 + 1e-7 * (m % 7) as f64, None))).collect();
    let settled = decl(Metric::FundingRateSettled, Span::hours(4), Span::secs(60), Stamp::Instant, false);
    let paid: Vec<_> = (0..3).map(|n| (start() + Span::hours(4 * n), of(1e-4, Some(4.0)))).collect();
    for (with_settled, factor, kind) in [(false, 1.0, Kind::Proxy), (true, 2.0, Kind::Measured)] {
        let mut streams = vec![(bars(MINUTE), minutes(600)), (running.clone(), said.clone())];
        if with_settled {
            streams.push((settled.clone(), paid.clone()));
        }
        let (rows, _) = told(&config(), &streams);
        let row = rows.iter().find(|r| r.ts == start() + MINUTE.times(590)).unwrap();
        let c = cell(row, Feature::FundingRate8h);
        let want = factor * (1e-4 + 1e-7 * f64::from(589 % 7));
        assert!(c.state == State::Ready && (c.value - want).abs() < 1e-15, "{c:?} instead of {want}");
        assert_eq!(c.kind, kind);
        assert!(ready(row, Feature::FundingZscore24h).is_some());
        assert!(ready(row, Feature::FundingMean24h).is_some());
    }
}

/// What is declared and not heard may not influence: an archive of settlements that is added later leaves earlier rows alone.
#[test]
fn settlements_to_come_leave_earlier_rows_alone() {
    let running = decl(Metric::FundingRate, MINUTE, Span::secs(2), Stamp::Instant, false);
    let of = |rate: f64, interval_h: Option<f64>| Payload::Funding { rate, interval_h, next_ts: None, special: false };
    let said: Vec<_> = (1..=600).map(|m| (start() + MINUTE.times(m), of(1e-4, None))).collect();
    let settled = decl(Metric::FundingRateSettled, Span::hours(4), Span::secs(60), Stamp::Instant, false);
    let first_paid = start() + Span::hours(8);
    let base = vec![(bars(MINUTE), minutes(600)), (running, said)];
    let mut more = base.clone();
    more.push((settled, vec![(first_paid, of(1e-4, Some(4.0)))]));
    let (alone, _) = told(&config(), &base);
    let (later, _) = told(&config(), &more);
    let rate = |row: &MinuteRow| {
        let c = cell(row, Feature::FundingRate8h);
        (row.ts, c.state, c.ready(), c.kind)
    };
    let before = |rows: &[MinuteRow]| rows.iter().filter(|r| r.ts <= first_paid).map(rate).collect::<Vec<_>>();
    assert!(before(&alone).iter().any(|(_, state, ..)| *state == State::Ready));
    assert_eq!(before(&alone), before(&later));
    // From the settlement on the interval is known, and rates over another one are in no statistic.
    let last = later.iter().find(|r| r.ts == start() + MINUTE.times(590)).unwrap();
    let c = cell(last, Feature::FundingRate8h);
    assert!(c.state == State::Ready && (c.value - 2e-4).abs() < 1e-15 && c.kind == Kind::Measured, "{c:?}");
    assert!(ready(last, Feature::FundingMean24h).is_none_or(|mean| (mean - 2e-4).abs() < 1e-12));
}

#[test]
fn a_contract_of_which_there_are_candles_alone_is_judged_by_them() {
    let candles = session_candles(HOUR, 60, &SessionSet::UTC);
    let config = config();
    let (rows, _) = told_at(&config, &[(bars(HOUR), candles)], |t| t.0.rem_euclid(HOUR.0) == 30 * MINUTE.0);
    let whole: Vec<&MinuteRow> = rows.iter().filter(|r| r.ts > start() + Span::days(15)).collect();
    for row in &whole {
        for feature in [Feature::FundingZscore24h, Feature::OiDelta4h, Feature::SqueezeRiskScore, Feature::LiqCount60s]
        {
            assert_eq!(cell(row, feature).state, State::Undefined(Reason::NotOffered), "{}", feature.id());
        }
        assert_ne!(row.risk.raw_label, RiskRegime::Unknown, "{}", row.ts);
        let scene = Scene { book: &config.book, cells: &row.cells, cuts: &row.cuts, streams: &[] };
        let flip = nearest_flip::<RiskRegime>(&scene);
        assert!(flip.is_none_or(|f| f.label != RiskRegime::Unknown), "{}", row.ts);
    }
    assert!(whole.iter().any(|r| r.risk.label == RiskRegime::Normal));
}
