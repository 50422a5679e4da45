//! A week of decisions on paper and what came of them (R2.46, R2.47, R2.52).
//!
//! Results are in units of risk (R): the distance from entry to stop. No order stands behind any of them.

use crate::advice::Verdict;
use crate::{Side, Ts};
use serde::Serialize;
use std::collections::BTreeMap;

/// Decisions with something in common.
#[derive(Clone, PartialEq, Debug, Default, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct GroupOutcome {
    /// How many there are.
    pub decisions: u32,
    /// Of these: the outcome is not known yet.
    pub open: u32,
    /// Bars are missing, so that nothing can be said.
    pub unresolved: u32,
    /// The outcome is known.
    pub resolved: u32,
    /// Of the resolved: ended above the entry, in the side's direction.
    pub won: u32,
    /// Share of the resolved that won.
    pub win_rate: Option<f64>,
    /// Its 95 % Wilson interval.
    pub win_rate_band: Option<(f64, f64)>,
    /// Mean result before costs, R.
    pub mean_r: Option<f64>,
    /// Mean result after costs, R.
    pub mean_r_after_costs: Option<f64>,
    /// Of the same entries with the plain pair of stop and target, after costs, R.
    pub plain_mean_r_after_costs: Option<f64>,
}

/// What is known of a decision's end.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum PaperEnd {
    /// The target was reached.
    Target,
    /// The stop was reached.
    Stop,
    /// Neither within the horizon.
    Time,
    /// Bars are missing.
    Unresolved,
    /// It is not over yet.
    Open,
}

/// One decision of the week.
#[derive(Clone, PartialEq, Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct ListedTrade {
    /// Made of market, bar and side.
    pub id: String,
    /// Market, as `venue:symbol`.
    pub market: String,
    /// The strategy that considered it.
    pub strategy: String,
    /// What the strategy read, by name: prices in quote units, volumes in base units, ratios as such.
    pub readings: BTreeMap<String, f64>,
    /// Close of the bar that decided.
    #[cfg_attr(feature = "schema", schema(value_type = String, format = DateTime))]
    pub bar_close: Ts,
    /// Side of the entry that the strategy considered.
    #[cfg_attr(feature = "schema", schema(value_type = String))]
    pub side: Side,
    /// Its price.
    pub entry: f64,
    /// What the advice said.
    pub verdict: Verdict,
    /// Why, as codes of the advice.
    pub reasons: Vec<String>,
    /// Would have been entered.
    pub taken: bool,
    /// Else why not: `avoid` or `position_open`.
    pub skipped: Option<String>,
    /// Confidence of the advice; null where it has none.
    pub confidence: Option<f64>,
    /// How it ended; skipped ones are followed like taken ones.
    pub end: PaperEnd,
    /// When it ended.
    #[cfg_attr(feature = "schema", schema(value_type = Option<String>, format = DateTime))]
    pub ended_at: Option<Ts>,
    /// Result after costs, R.
    pub r_after_costs: Option<f64>,
    /// Of the same entry with the plain pair, R.
    pub plain_r_after_costs: Option<f64>,
}

/// Win rates by confidence.
#[derive(Clone, PartialEq, Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct ConfidenceReview {
    /// Above 0.7.
    pub above_07: GroupOutcome,
    /// From 0.4 to 0.7.
    pub between: GroupOutcome,
    /// Below 0.4.
    pub below_04: GroupOutcome,
    /// Without a confidence.
    pub null: GroupOutcome,
    /// Win rate of the first group less that of the third; null with fewer than 30 resolved in either.
    pub gap: Option<f64>,
    /// Why there is none.
    pub gap_missing: Option<&'static str>,
}

/// A week.
#[derive(Clone, PartialEq, Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct PaperReview {
    /// ISO week, as in `2026-W08`.
    pub week: String,
    /// Its Monday, 00:00 UTC.
    #[cfg_attr(feature = "schema", schema(value_type = String, format = DateTime))]
    pub from: Ts,
    /// First moment no longer counted.
    #[cfg_attr(feature = "schema", schema(value_type = String, format = DateTime))]
    pub until: Ts,
    /// Decisions by strategy; where there is more than one, the groups are of all of them together.
    pub by_strategy: BTreeMap<String, u32>,
    /// All decisions.
    pub all: GroupOutcome,
    /// Those that would have been entered.
    pub taken: GroupOutcome,
    /// Those that would not.
    pub skipped: GroupOutcome,
    /// By verdict of the advice: ALLOW, CAUTION, AVOID.
    pub by_verdict: BTreeMap<&'static str, GroupOutcome>,
    /// By confidence.
    pub confidence: ConfidenceReview,
    /// Decisions with a confidence below 0.4, or none.
    pub low_confidence: Vec<ListedTrade>,
    /// How often no decision was made, by reason.
    pub not_made: BTreeMap<String, u32>,
    /// The best of those taken, after costs.
    pub best: Vec<ListedTrade>,
    /// The worst of them.
    pub worst: Vec<ListedTrade>,
}

/// A week that the log has something of.
#[derive(Clone, PartialEq, Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct PaperWeek {
    /// ISO week.
    pub week: String,
    /// Its Monday, 00:00 UTC.
    #[cfg_attr(feature = "schema", schema(value_type = String, format = DateTime))]
    pub from: Ts,
    /// Decisions of it.
    pub decisions: u32,
}

/// The log of a data folder, one week of it in full.
#[derive(Clone, PartialEq, Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct PaperView {
    /// Weeks of which something is logged, the newest first; empty where nothing was logged yet.
    pub weeks: Vec<PaperWeek>,
    /// The week asked for, else the newest; null where nothing was logged yet.
    pub review: Option<PaperReview>,
    /// Decisions of the week, the newest first.
    pub decisions: Vec<ListedTrade>,
    /// Older decisions of the week that are not listed.
    pub more: u32,
    /// When a process last began to watch; null where none did.
    #[cfg_attr(feature = "schema", schema(value_type = Option<String>, format = DateTime))]
    pub started_at: Option<Ts>,
    /// The strategy it follows.
    pub strategy: Option<String>,
}
