//! Positions the user has registered, checked at every snapshot of their market (R1.71–R1.74, R1.86, risk §7).
//!
//! [`PositionWatch`] is a state machine: positions and contexts in, notices out; its state is serialisable and survives a
//! restart. A notice is reported once per position, trigger and episode, and again only while it lasts, once a day. What holds
//! when a position is first seen is its baseline and no change.

mod check;
mod notice;
mod register;

pub use check::PositionState;
pub use register::{FarEntry, PositionError, register};

use super::context::AdviceContext;
use crate::explain::Care;
use barograph_domain::Ts;
use barograph_domain::advice::{
    ContextBrief, NoticeLevel, Position, PositionCard, PositionNotice, PositionTexts, StopReach, StopState,
};
use barograph_domain::guidance::{new_entries, open_positions};
use barograph_domain::{RiskBias, RiskRegime};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Words on the card of a position while the bias is CONSERVATIVE (R1.74).
pub const CONSERVATIVE_CARD: &str = "Market context: CONSERVATIVE (high caution)";

/// The context of a position's market.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct PositionContext<'a> {
    /// As for advice.
    pub market: AdviceContext<'a>,
    /// When the volatility class was entered; `None` where that is not known.
    pub volatility_since: Option<Ts>,
    /// A liquidation cascade in this market now.
    pub cascade: Option<CascadeNote<'a>>,
}

/// A liquidation cascade as it is reported.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct CascadeNote<'a> {
    /// When it began.
    pub episode: Ts,
    /// HIGH or CRITICAL.
    pub level: NoticeLevel,
    /// Its description.
    pub text: &'a str,
}

/// All registered positions and what was reported about them.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
pub struct PositionWatch {
    states: BTreeMap<String, PositionState>,
}

impl PositionWatch {
    /// Goes on from what was reported of a position before.
    pub fn restore(&mut self, id: &str, state: PositionState) {
        self.states.insert(id.to_owned(), state);
    }
    /// What is remembered of a position.
    #[must_use]
    pub fn state(&self, id: &str) -> Option<&PositionState> {
        self.states.get(id)
    }
    /// Checks one position against its market; the notices that are due.
    pub fn check(&mut self, position: &Position, ctx: &PositionContext<'_>) -> Vec<PositionNotice> {
        self.states.entry(position.id.clone()).or_default().check(position, ctx)
    }
    /// Forgets positions that are registered no more.
    pub fn retain(&mut self, is_open: impl Fn(&str) -> bool) {
        self.states.retain(|id, _| is_open(id));
    }
    /// The card of a position: its mark, its context, its guidance, its notices.
    #[must_use]
    pub fn card(&self, position: &Position, notices: Vec<PositionNotice>) -> PositionCard {
        self.state(&position.id).map_or_else(|| bare(position, Vec::new()), |s| s.card(position, notices))
    }
}

fn bare(position: &Position, notices: Vec<PositionNotice>) -> PositionCard {
    let flag = barograph_domain::advice::PositionFlag::None;
    PositionCard {
        position: position.clone(),
        flag,
        context: None,
        card: None,
        guidance: None,
        stop_state: None,
        notices,
    }
}

impl PositionState {
    /// The card of a position.
    #[must_use]
    pub fn card(&self, position: &Position, notices: Vec<PositionNotice>) -> PositionCard {
        let Some(now) = self.newest() else { return bare(position, notices) };
        PositionCard {
            flag: self.flag(),
            card: (now.risk_bias == RiskBias::Conservative).then(|| CONSERVATIVE_CARD.to_owned()),
            guidance: Some(self.texts(now)),
            stop_state: self.stop().copied(),
            context: Some(now.clone()),
            ..bare(position, notices)
        }
    }
}

/// Guidance of a position, apart for what is held and what is not yet (C08): by the book's posture table with the row of its
/// own stop, else by the risk label.
fn texts(brief: &ContextBrief, stop: Option<&StopState>, care: Option<&Care>) -> PositionTexts {
    care.map_or_else(
        || of_label(brief, stop),
        |care| PositionTexts { open_positions: care.open_positions.clone(), new_entries: care.new_entries.clone() },
    )
}

/// The stop comes before the label: a position at its stop never reads that nothing is to be done.
fn of_label(brief: &ContextBrief, stop: Option<&StopState>) -> PositionTexts {
    let unread = brief.stale && brief.risk == RiskRegime::Normal;
    let label = if unread { RiskRegime::Unknown } else { brief.risk };
    let held = match stop.map(|s| s.state) {
        Some(StopReach::Reached) => "stop reached: close or reset it, as your plan says",
        Some(StopReach::Near) if label == RiskRegime::Normal => "stop is near: watch it",
        _ => open_positions(label),
    };
    PositionTexts { open_positions: held.to_owned(), new_entries: new_entries(label, brief.posture).to_owned() }
}
