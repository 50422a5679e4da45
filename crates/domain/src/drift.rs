//! Has the market changed? The answer that people and programs read: each reading's newest week in a word, and how good forecasts
//! have been over 30 days (verification §5).
//!
//! It is the newest of what ticks of the ledger say ([`crate::forecast::FeatureDrift`], [`crate::forecast::GroupSkill`]). A number
//! that cannot be said is null.

use crate::Ts;
use crate::forecast::{DriftWord, ForecastEvent};
use crate::scorecard::SkillVerdict;
use serde::{Deserialize, Serialize};

/// One reading of one market over its newest week.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct DriftRow {
    /// The market.
    pub market: String,
    /// Id of the reading.
    pub feature: String,
    /// When the week ended: Monday, 00:00 UTC, or the first minute after it that was published.
    #[cfg_attr(feature = "schema", schema(value_type = String))]
    pub week_ended: Ts,
    /// Population stability index of the week against the 13 weeks before it, over tenths of these.
    pub psi: f64,
    /// What samples of these sizes give by chance where neighbouring values do not depend on each other.
    pub by_chance: f64,
    /// Values of the week: one every five minutes.
    pub n: u32,
    /// Values of the weeks before it.
    pub reference_n: u32,
    /// Earlier weeks that the index is held against, at most 104.
    pub weeks: u32,
    /// Four of five of these lie below this; null before there are 26.
    pub p80: Option<f64>,
    /// And 19 of 20 below this.
    pub p95: Option<f64>,
    /// What it amounts to; null before there are 26 earlier weeks.
    pub word: Option<DriftWord>,
    /// The weeks that were asked for, this one included, oldest first.
    pub past: Vec<DriftWeek>,
}

/// One week of one reading.
#[derive(Clone, Copy, PartialEq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct DriftWeek {
    /// When it ended.
    #[cfg_attr(feature = "schema", schema(value_type = String))]
    pub week_ended: Ts,
    /// Its index.
    pub psi: f64,
    /// What it amounted to.
    pub word: Option<DriftWord>,
}

/// Skill of one event over the markets of a group.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct SkillRow {
    /// Of what.
    pub event: ForecastEvent,
    /// Of which markets: `btc`, `eth`, `other`.
    pub group: String,
    /// The beginning of the day on which it was stated: 30 days before it are looked at.
    #[cfg_attr(feature = "schema", schema(value_type = String))]
    pub stated: Ts,
    /// Brier skill over persistence.
    pub skill: f64,
    /// Lower end of its 90 % band.
    pub low: Option<f64>,
    /// Upper end.
    pub high: Option<f64>,
    /// Forecasts that were scored.
    pub n: u32,
    /// Windows of them that do not overlap.
    pub n_eff: u32,
    /// What it amounts to.
    pub verdict: SkillVerdict,
}

/// The whole answer.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct DriftReport {
    /// Book, policy and arithmetic that the ledger was made by.
    pub logic_version: String,
    /// Name of the rule book.
    pub book: String,
    /// The newest tick.
    #[cfg_attr(feature = "schema", schema(value_type = String))]
    pub newest: Ts,
    /// By market, the furthest beyond its own weeks first.
    pub readings: Vec<DriftRow>,
    /// By event and group.
    pub skills: Vec<SkillRow>,
}
