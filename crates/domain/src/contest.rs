//! The contest: which forecaster of an event has earned it to be used (regimes §11, verification §4.1).
//!
//! Differences of losses are positive where the contestant is the better one. A number that cannot be said is null.

use crate::Ts;
use crate::forecast::{ForecastEvent, Forecaster};
use crate::scorecard::{SequenceReading, SkillReading};
use serde::{Deserialize, Serialize};

/// What a contestant's record on an event amounts to.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum ContestVerdict {
    /// Better than persistence and better than the rules, beyond doubt.
    MayBeUsed,
    /// Not shown to be better than persistence.
    NoBetterThanPersistence,
    /// Better than persistence, but not shown to be better than the rules.
    NoBetterThanRules,
    /// Too few forecasts or windows to say.
    TooLittleData,
}

impl ContestVerdict {
    /// As people read it.
    #[must_use]
    pub const fn spoken(self) -> &'static str {
        match self {
            Self::MayBeUsed => "may be used",
            Self::NoBetterThanPersistence => "no better than persistence",
            Self::NoBetterThanRules => "no better than the rules",
            Self::TooLittleData => "too little data",
        }
    }
}

/// One contestant on one event, over all markets together.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct ContestRow {
    /// What was forecast.
    pub event: ForecastEvent,
    /// By whom.
    pub forecaster: Forecaster,
    /// Forecasts that were resolved and stated a probability.
    pub n: u64,
    /// Resolved forecasts without a probability.
    pub abstained: u64,
    /// Windows among the scored that do not overlap.
    pub windows: u64,
    /// Brier score, or ranked probability score of classes.
    pub score: Option<f64>,
    /// Skill over persistence with its 90 % band.
    pub persistence: SkillReading,
    /// Skill over the rules, on cases for which both stated a probability; of the rules themselves nothing.
    pub rules: SkillReading,
    /// 95 % confidence sequence of the difference to persistence.
    pub over_persistence: Option<SequenceReading>,
    /// The same of the difference to the rules.
    pub over_rules: Option<SequenceReading>,
    /// What that amounts to; null for the rules, which are used unless something else is chosen.
    pub verdict: Option<ContestVerdict>,
}

/// The contest over a data folder.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct ContestReport {
    /// Logic version of the rules that all are held against.
    pub logic_version: String,
    /// Rule book.
    pub book: String,
    /// First and newest tick of the rules' ledger.
    #[cfg_attr(feature = "schema", schema(value_type = Option<[String; 2]>))]
    pub span: Option<[Ts; 2]>,
    /// Markets in it.
    pub markets: Vec<String>,
    /// Seed of the bands.
    pub seed: u64,
    /// By event, the rules first.
    pub rows: Vec<ContestRow>,
}
