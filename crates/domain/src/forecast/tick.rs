//! A tick of the ledger: what is registered and resolved at one minute, with the counts that references are made of (verification §1,
//! §7).

use super::{CLASSES, FeatureDrift, ForecastEvent, GroupSkill, Issue, MoveBase, NotIssued, Resolution, SymbolGroup};
use crate::{InstrumentName, Ts};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// How often an event had come by a tick, over 180 days of one group's resolved windows that ended before it: what climatology and
/// persistence are made of (verification §1).
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct ReferenceCounts {
    /// Of what.
    pub event: ForecastEvent,
    /// Of which markets.
    pub group: SymbolGroup,
    /// By the state before the window, and by outcome: for two outcomes `[state][outcome]` with states false, true, unknown (6
    /// numbers), for classes states 0 to 3 and unknown (20 numbers).
    pub counts: Box<[u32]>,
}

/// Cases before which a reference is one half and says so.
pub const CLIMATOLOGY_MIN: u32 = 100;

impl ReferenceCounts {
    /// Outcomes that the event can have.
    #[must_use]
    pub const fn outcomes(event: ForecastEvent) -> usize {
        match event {
            ForecastEvent::VolClass24h => CLASSES,
            _ => 2,
        }
    }

    /// Nothing seen yet.
    #[must_use]
    pub fn none(event: ForecastEvent, group: SymbolGroup) -> Self {
        let k = Self::outcomes(event);
        Self { event, group, counts: vec![0; (k + 1) * k].into() }
    }

    /// Cases after this state; the last state is the unknown one.
    fn row(&self, state: usize) -> &[u32] {
        let k = Self::outcomes(self.event);
        self.counts.get(state * k..(state + 1) * k).unwrap_or_default()
    }

    /// Cases in all.
    #[must_use]
    pub fn cases(&self) -> u32 {
        self.counts.iter().sum()
    }

    /// Climatology: frequency of an outcome, and whether there are too few cases for it (then all outcomes are alike).
    #[must_use]
    pub fn climatology(&self, outcome: usize) -> (f64, bool) {
        let k = Self::outcomes(self.event);
        let n = self.cases();
        if n < CLIMATOLOGY_MIN {
            return (1.0 / if k == CLASSES { 4.0 } else { 2.0 }, true);
        }
        let hits: u32 = (0..=k).map(|s| self.row(s).get(outcome).copied().unwrap_or_default()).sum();
        (f64::from(hits) / f64::from(n), false)
    }

    /// Persistence: frequency of an outcome after the present state, Jeffreys smoothed; `None` where the state is not known.
    #[must_use]
    pub fn persistence(&self, state: Option<u8>, outcome: usize) -> Option<f64> {
        let row = self.row(usize::from(state?));
        let hits = row.get(outcome).copied()?;
        let n: u32 = row.iter().sum();
        let prior = if Self::outcomes(self.event) == CLASSES { 4.0 } else { 2.0 } * 0.5;
        Some((f64::from(hits) + 0.5) / (f64::from(n) + prior))
    }

    /// Cases that the persistence of this state rests on.
    #[must_use]
    pub fn persistence_cases(&self, state: u8) -> u32 {
        self.row(usize::from(state)).iter().sum()
    }
}

/// Everything that is registered and resolved at one minute under one logic version.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct LedgerTick {
    /// The minute; it is known 200 ms later.
    pub ts: Ts,
    /// The markets that positions mean, by name.
    pub markets: Arc<[InstrumentName]>,
    /// Registered now, by (event, forecaster, market, subject).
    pub issues: Vec<Issue>,
    /// Not registered, by (event, market).
    pub not_issued: Vec<NotIssued>,
    /// Resolved now, by (event, issued, market, subject).
    pub resolutions: Vec<Resolution>,
    /// What references of this tick's issues are made of, by (event, group).
    pub references: Vec<ReferenceCounts>,
    /// Nothing before this tick is known to it: the fold began here.
    pub begins: bool,
    /// How far inputs have moved, once a week, by (market, feature).
    pub drift: Vec<FeatureDrift>,
    /// Skill of the last 30 days, once a day, by (event, group).
    pub skills: Vec<GroupSkill>,
    /// How often prices moved as alerts say they may, once a day, by market.
    pub bases: Vec<MoveBase>,
}

impl LedgerTick {
    /// Nothing happened in it.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        let forecasts = self.issues.is_empty() && self.not_issued.is_empty() && self.resolutions.is_empty();
        forecasts && self.drift.is_empty() && self.skills.is_empty() && self.bases.is_empty()
    }

    /// The name of a position.
    #[must_use]
    pub fn market(&self, at: u16) -> Option<&InstrumentName> {
        self.markets.get(usize::from(at))
    }

    /// The counts that an issue's references are made of.
    #[must_use]
    pub fn reference(&self, issue: &Issue) -> Option<&ReferenceCounts> {
        self.reference_of(issue.event, SymbolGroup::of(self.market(issue.market)?))
    }

    /// The counts of an event over a group.
    #[must_use]
    pub fn reference_of(&self, event: ForecastEvent, group: SymbolGroup) -> Option<&ReferenceCounts> {
        self.references.iter().find(|r| r.event == event && r.group == group)
    }
}
