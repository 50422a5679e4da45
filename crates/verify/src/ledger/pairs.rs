//! Forecasts of pairs: whether their correlation falls below −0.5 within a week (verification §2, `corr_break_7d`).

use super::COVERAGE_MIN;
use super::calibration;
use super::fold::Context;
use super::market::{Counted, Market};
use super::windows::Judged;
use barograph_domain::forecast::{ForecastEvent, Forecaster, Issue, Resolution, Stated, WindowOutcome};
use barograph_domain::{InstrumentName, Span, Ts, UniverseRow};
use core::mem::take;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

const EVENT: ForecastEvent = ForecastEvent::CorrBreak7d;
/// Correlation below this is a break.
const BREAK: f64 = -0.5;
const WEEK: Span = Span::days(7);
const HOURS: u32 = 24 * 7;
/// Code of a pair that has no state yet.
const NO_STATE: u8 = u8::MAX;

/// One pair at an hour.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
struct Hour {
    ts: Ts,
    first: String,
    other: Box<str>,
    correlation: Option<f64>,
    state: u8,
}

/// A forecast that waits.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
struct Waiting {
    issued: Ts,
    place: usize,
    other: Box<str>,
    state: Option<u8>,
    label: u8,
    /// Hours that had a correlation.
    seen: u32,
    lowest: f64,
}

/// All pairs.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
pub(super) struct Pairs {
    hours: Vec<Hour>,
    waiting: Vec<Waiting>,
    /// Pairs of which one market is not listened to any more.
    gone: Vec<(usize, Box<str>)>,
    /// What came of the window that ended last, by pair.
    came: BTreeMap<(usize, Box<str>), (Ts, u8)>,
}

impl Pairs {
    pub(super) fn hour(&mut self, row: &UniverseRow) {
        for pair in &row.pairs {
            let name = |at: u16| row.markets.get(usize::from(at)).map(|m| m.instrument.to_string());
            let (Some(first), Some(other)) = (name(pair.a), name(pair.b)) else { continue };
            let state = pair.state.map_or(NO_STATE, |s| s as u8);
            self.hours.push(Hour { ts: row.ts, first, other: other.into(), correlation: pair.corr_20.value, state });
        }
    }

    pub(super) fn step(
        &mut self,
        places: &BTreeMap<InstrumentName, usize>,
        markets: &[Market],
        context: &mut Context<'_>,
    ) {
        for (place, other) in take(&mut self.gone) {
            for w in self.waiting.extract_if(.., |w| w.place == place && w.other == other) {
                context.pair_resolved(w, (WindowOutcome::Void, [None; 2]));
            }
        }
        let ts = context.ts;
        let place = |name: &str| InstrumentName::parse(name).ok().and_then(|n| places.get(&n).copied());
        let mut known = Vec::new();
        for hour in self.hours.extract_if(.., |h| h.ts <= ts) {
            let place = place(&hour.first).filter(|p| markets.get(*p).is_some_and(|m| m.begun));
            let (Some(place), Some(correlation)) = (place, hour.correlation) else { continue };
            let of = |w: &&mut Waiting| {
                w.place == place && w.other == hour.other && w.issued < hour.ts && hour.ts <= w.issued + WEEK
            };
            for waiting in self.waiting.iter_mut().filter(of) {
                waiting.seen += 1;
                waiting.lowest = waiting.lowest.min(correlation);
            }
            known.push((place, hour));
        }
        self.resolve(context);
        // One forecast a pair and hour, at the instant that knows it.
        for (place, hour) in known {
            self.issue(&hour, place, markets, context);
        }
    }

    /// A market is not listened to any more.
    pub(super) fn gone(&mut self, place: usize, name: &InstrumentName) {
        let name = name.to_string();
        let mut all: Vec<(usize, Box<str>)> = self
            .waiting
            .iter()
            .filter(|w| w.place == place || *w.other == *name)
            .map(|w| (w.place, w.other.clone()))
            .collect();
        all.sort();
        all.dedup();
        self.gone.extend(all);
    }

    /// One of a pair is not listened to any more.
    pub(super) fn void(&mut self, place: usize, other: &str) {
        self.gone.push((place, other.into()));
    }

    /// What was said before an instant that begins the ledger.
    pub(super) fn forget(&mut self, ts: Ts) {
        self.hours.retain(|h| h.ts > ts);
    }

    fn resolve(&mut self, context: &mut Context<'_>) {
        let ts = context.ts;
        for w in self.waiting.extract_if(.., |w| w.issued + WEEK <= ts) {
            let seen = f64::from(w.seen) >= COVERAGE_MIN * f64::from(HOURS);
            let outcome = match (w.lowest < BREAK, seen) {
                (true, _) => WindowOutcome::Happened,
                (false, true) => WindowOutcome::Missed,
                (false, false) => WindowOutcome::Gap,
            };
            if let Some(state) = super::references::position(outcome).and_then(|p| u8::try_from(p).ok()) {
                self.came.insert((w.place, w.other.clone()), (w.issued + WEEK, state));
            }
            let evidence = [super::windows::short(w.lowest).filter(|_| w.seen > 0), None];
            context.pair_resolved(w, (outcome, evidence));
        }
    }

    fn issue(&mut self, hour: &Hour, place: usize, markets: &[Market], context: &mut Context<'_>) {
        let Some(market) = markets.get(place) else { return };
        let ts = context.ts;
        let came = self.came.get(&(place, hour.other.clone())).filter(|(at, _)| *at == ts);
        let state = came.map(|(_, s)| *s);
        let owners = [calibration::of_market(place), calibration::of_group(market.group as usize)];
        let basis = context.calibration.state(owners, (EVENT, hour.state, 0));
        context.step.issues.push(Issue {
            event: EVENT,
            market: context.names.position(place),
            subject: Some(hour.other.clone()),
            forecaster: Forecaster::Rules,
            resolve_after: ts + WEEK,
            label: hour.state,
            raw_label: hour.state,
            state,
            stated: basis.map_or_else(Stated::Abstained, |b| b.stated),
            scope: basis.ok().map(|b| b.scope),
            cases: basis.map_or(0, |b| b.cases),
            separate: basis.map_or(0, |b| b.separate),
            input_digest: 0,
        });
        self.waiting.push(Waiting {
            issued: ts,
            place,
            other: hour.other.clone(),
            state,
            label: hour.state,
            seen: 0,
            lowest: f64::INFINITY,
        });
    }
}

impl Context<'_> {
    fn pair_resolved(&mut self, w: Waiting, (outcome, evidence): Judged) {
        self.counted.push((
            w.place,
            Counted {
                event: EVENT,
                state: w.state,
                outcome,
                issued: w.issued,
                until: w.issued + WEEK,
                label_bin: (w.label != NO_STATE).then_some((w.label, 0)),
                resolution: self.step.resolutions.len(),
            },
        ));
        self.step.resolutions.push(Resolution {
            event: EVENT,
            market: self.names.position(w.place),
            subject: Some(w.other),
            issued_ts: w.issued,
            outcome,
            evidence,
        });
    }
}
