//! What the ledger states of one market at a tick: the calls that a snapshot carries (regimes §7).

use super::{
    CLASSES, CLIMATOLOGY_MIN, CalibrationScope, ForecastEvent, Forecaster, Issue, LedgerTick, ReferenceCounts, Stated,
};
use crate::{InstrumentName, Ts, math};

/// A forecast as whoever reads a snapshot needs it.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Call {
    /// What it is about.
    pub event: ForecastEvent,
    /// Who states it.
    pub forecaster: Forecaster,
    /// Raw label of the axis that it was made under, by its code.
    pub raw_label: u8,
    /// What is stated.
    pub stated: Stated,
    /// Whose history that comes from.
    pub scope: Option<CalibrationScope>,
    /// Resolved forecasts that were alike; 0 without a number.
    pub cases: u32,
    /// Windows of them that do not overlap.
    pub separate: u32,
    /// How often the event comes in all moments (climatology); `None` before there are 100 cases, and for classes.
    pub usual: Option<f64>,
    /// How often it follows the state it is in (persistence); `None` likewise, and where that state is not known.
    pub after_state: Option<f64>,
}

impl Call {
    /// 90 % interval of the probability; `None` without one.
    #[must_use]
    pub fn interval(&self) -> Option<[f64; 2]> {
        match self.stated {
            Stated::Probability(p) => Some(frequency_interval(p, self.separate)),
            Stated::Classes(_) | Stated::Abstained(_) => None,
        }
    }
}

/// Wilson's 90 % interval of a frequency, by the windows that do not overlap (regimes §7).
#[must_use]
pub fn frequency_interval(p: f64, separate: u32) -> [f64; 2] {
    math::wilson(p, f64::from(separate.max(1)), math::Z_90)
}

/// The calls of one market, in the order of events.
#[derive(Clone, PartialEq, Debug)]
pub struct Calls {
    /// The tick that registered them.
    pub ts: Ts,
    /// One per event that was registered.
    pub all: Vec<Call>,
}

impl Calls {
    /// Those of a market in a tick, made by a forecaster; `None` where the tick registers nothing of it.
    #[must_use]
    pub fn of(tick: &LedgerTick, market: &InstrumentName, by: Forecaster) -> Option<Self> {
        let at = tick.markets.binary_search(market).ok()?;
        let mine = |i: &&Issue| {
            usize::from(i.market) == at && i.forecaster == by && i.subject.is_none() && is_of_every_tick(i.event)
        };
        let all: Vec<Call> = tick.issues.iter().filter(mine).map(|i| call(i, tick.reference(i))).collect();
        (!all.is_empty()).then_some(Self { ts: tick.ts, all })
    }

    /// The same with the call of another forecaster in place of that of its event.
    pub fn replace(&mut self, other: Call) {
        if let Some(own) = self.all.iter_mut().find(|c| c.event == other.event) {
            *own = other;
        }
    }

    /// That of an event.
    #[must_use]
    pub fn get(&self, event: ForecastEvent) -> Option<&Call> {
        self.all.iter().find(|c| c.event == event)
    }
}

fn is_of_every_tick(event: ForecastEvent) -> bool {
    ForecastEvent::EVERY_TICK.contains(&event)
}

fn call(issue: &Issue, counts: Option<&ReferenceCounts>) -> Call {
    let two = ReferenceCounts::outcomes(issue.event) != CLASSES;
    let enough = |c: &&ReferenceCounts| two && c.cases() >= CLIMATOLOGY_MIN;
    let counts = counts.filter(enough);
    let known = |c: &&ReferenceCounts| issue.state.is_some_and(|s| c.persistence_cases(s) >= CLIMATOLOGY_MIN);
    Call {
        event: issue.event,
        forecaster: issue.forecaster,
        raw_label: issue.raw_label,
        stated: issue.stated,
        scope: issue.scope,
        cases: issue.cases,
        separate: issue.separate,
        usual: counts.map(|c| c.climatology(1).0),
        after_state: counts.filter(known).and_then(|c| c.persistence(issue.state, 1)),
    }
}
