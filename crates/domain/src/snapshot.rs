//! The published context of one market at one minute (R1.35, R1.36, regimes §10 and §14), as it goes to JSON.
//!
//! Rendered from a [`crate::MinuteRow`] and a rule book; holds no number that is not in them. Absent things are null
//! and named in `not_available`; undefined readings are null with their reason beside them.

use crate::health::HealthScore;
use crate::model::ModelView;
use crate::{
    Axis, HeadlinePart, HeatRegime, HeldBy, InstrumentName, Kind, Posture, RiskBias, RiskRegime, StopVulnerability,
    TradingSession, TrendRegime, Ts, VolRegime,
};
use serde::Serialize;
use std::collections::BTreeMap;

/// A value on the wire: number, boolean, word, or null.
#[derive(Clone, PartialEq, Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(untagged)]
pub enum WireValue {
    /// A number.
    Number(f64),
    /// A flag.
    Bool(bool),
    /// An enumeration's word.
    Word(&'static str),
    /// Nothing; the reason stands beside it.
    Null,
}

/// Market context of one instrument at one minute.
#[derive(Clone, PartialEq, Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Snapshot {
    /// Name-based UUID of (symbol, time, logic version, input digest): a replay yields the same id (A08).
    pub snapshot_id: String,
    /// The grid instant, ISO-8601 UTC.
    #[cfg_attr(feature = "schema", schema(value_type = String, format = DateTime))]
    pub timestamp: Ts,
    /// The earliest moment it may be used: 200 ms after `timestamp`; of a minute that a corrected import made anew the moment of that import.
    #[cfg_attr(feature = "schema", schema(value_type = String, format = DateTime))]
    pub known_ts: Ts,
    /// `venue:symbol`.
    #[cfg_attr(feature = "schema", schema(value_type = String))]
    pub instrument: InstrumentName,
    /// The venue's symbol, bare.
    pub symbol: String,
    /// Release and hash of everything that touches the numbers (regimes §12).
    pub logic_version: String,
    /// Name of the rule book.
    pub book: String,
    /// Source words of all streams that entered.
    pub sources_used: Vec<String>,
    /// Mark price, or last where there is no mark; quote units.
    pub price: Option<f64>,
    /// The most telling thing of everything known, in one or two sentences (UX §1).
    pub headline: String,
    /// What the headline is made of, in order.
    pub headline_parts: Vec<HeadlinePart>,
    /// The four axes.
    pub regimes: Regimes,
    /// The trading session and what it means for stops.
    pub session: SessionView,
    /// What statistical classifiers say beside the rules; null where they are off.
    pub models: Option<Vec<ModelView>>,
    /// What the label means for a person.
    pub guidance: Guidance,
    /// Estimated stop density per side.
    pub stop_vulnerability: StopVulnerabilityView,
    /// Calibrated chance of `event_id` within `horizon`; null until there is enough history.
    pub probability: Option<f64>,
    /// `calibrated`, or `uncalibrated` where there is no probability.
    pub calibration: &'static str,
    /// Horizon of the probability.
    pub horizon: Option<&'static str>,
    /// The event the probability refers to.
    pub event_id: Option<&'static str>,
    /// What the ledger of forecasts states of what comes, and what followed in similar moments; null where it has no tick of the ten
    /// minutes before this one.
    pub calls: Option<CallsView>,
    /// Why this and not something else.
    pub explanation: Explanation,
    /// Fields that are null because their source is not built or not configured.
    pub not_available: Vec<&'static str>,
    /// Seconds between `timestamp` and the reading; only on a read at the present moment.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub age_s: Option<i64>,
    /// The market is a recording that ends here: nothing listens to it, and its newest minute is older than a day. The headline is
    /// that of this minute; only on a read at the present moment.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schema(value_type = Option<String>, format = DateTime, required = false))]
    pub recorded_until: Option<Ts>,
    /// How healthy the market looks, with what takes points (R3.28); only on a read at the present moment, and not before its last hour
    /// has been read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub health: Option<HealthScore>,
}

/// Forecasts that were registered before this minute, by the newest tick of the ledger (regimes §7).
#[derive(Clone, PartialEq, Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct CallsView {
    /// The tick; its labels and margins are those of that minute.
    #[cfg_attr(feature = "schema", schema(value_type = String, format = DateTime))]
    pub ts: Ts,
    /// What followed in similar moments, in words.
    pub sentence: String,
    /// By event.
    pub events: Vec<CallView>,
}

/// One of them.
#[derive(Clone, PartialEq, Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct CallView {
    /// The event (verification §2).
    pub event_id: &'static str,
    /// Within which it is to come.
    pub horizon: &'static str,
    /// Who states it: `rules`, or a contestant that was chosen for the event and has a forecast of this tick.
    pub forecaster: &'static str,
    /// Chance that it comes; null where there is too little history, and for an event of classes.
    pub probability: Option<f64>,
    /// 90 % interval of that frequency, by the windows that do not overlap.
    #[cfg_attr(feature = "schema", schema(value_type = Option<Vec<f64>>))]
    pub interval: Option<[f64; 2]>,
    /// Chance of each volatility class, calmest first; only for `vol_class_24h`.
    #[cfg_attr(feature = "schema", schema(value_type = Option<Vec<f64>>))]
    pub classes: Option<[f64; 4]>,
    /// `calibrated` or `uncalibrated`.
    pub calibration: &'static str,
    /// Whose history it comes from: `market`, `group` or `all`.
    pub calibration_scope: Option<&'static str>,
    /// Why there is no probability.
    pub abstain_reason: Option<&'static str>,
    /// Similar earlier moments: same label, about the same margin, outcome known.
    pub cases: u32,
    /// Windows of them that do not overlap.
    pub windows: u32,
    /// How often it came in all moments of such markets in 180 days.
    pub usual: Option<f64>,
    /// How often it followed the state it is in.
    pub after_state: Option<f64>,
}

/// The regime vector.
#[derive(Clone, PartialEq, Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Regimes {
    /// Crowding and volatility risk.
    pub risk: AxisView<RiskRegime>,
    /// Direction.
    pub trend: AxisView<TrendRegime>,
    /// Volatility class.
    pub volatility: AxisView<VolRegime>,
    /// Activity.
    pub heat: AxisView<HeatRegime>,
}

/// One axis.
#[derive(Clone, PartialEq, Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct AxisView<L> {
    /// Published label.
    pub label: L,
    /// Label before hysteresis, dwell and staleness.
    pub raw_label: L,
    /// Why they differ: `none`, `hysteresis` or `dwell`.
    pub held_by: HeldBy,
    /// When the label was entered.
    #[cfg_attr(feature = "schema", schema(value_type = String, format = DateTime))]
    pub since: Ts,
    /// Seconds since then.
    pub age_s: i64,
    /// Distance of the raw label to its nearest alternative in scale units (regimes §7); null where unknown.
    pub margin: Option<f64>,
    /// An input this axis reads is stale.
    pub stale: bool,
    /// Share of the axis's rules that could be judged here (not-applicable rules are left out).
    pub axis_coverage: f64,
    /// Share of the judged minutes of the last 90 days in which the rule behind `label` held, the published label, kept or not;
    /// for the label that rests when no rule holds, in which none did. Null before a day was judged.
    pub held_share_90d: Option<f64>,
    /// Smallest single-feature change that changes the raw label; null when none does.
    pub nearest_flip: Option<Flip<L>>,
    /// The same for the published label, with exit thresholds and dwell; null for UNKNOWN.
    pub nearest_exit: Option<Flip<L>>,
    /// What the longer timeframes say.
    pub confirmation: ConfirmationView<L>,
    /// Risk axis in `SQUEEZE_RISK` only: which side suffers, `LONG_SQUEEZE` or `SHORT_SQUEEZE`.
    pub direction: Option<&'static str>,
    /// Calibrated chance of what the label says of the window to come; null without enough history, and for labels that say nothing
    /// of it.
    pub probability: Option<f64>,
    /// `calibrated`, or `uncalibrated` where there is no probability.
    pub calibration: &'static str,
    /// The event the probability refers to.
    pub event_id: Option<&'static str>,
    /// Probability if calibrated; else `q` times the share of agreeing timeframes (regimes §7), a heuristic.
    pub confidence: Option<f64>,
    /// `calibrated` or `heuristic`.
    pub confidence_kind: &'static str,
}

impl<L: Copy + PartialEq> AxisView<L> {
    /// How far the published label is from turning, in scale units: 0 where the latest reading differs and only has to last, else the
    /// distance of its nearest exit; where no single number ends it, the margin. `margin` is about the latest reading: a label that
    /// is kept by its exit thresholds can be far from turning while that is near.
    #[must_use]
    pub fn turning(&self) -> Option<f64> {
        match (&self.nearest_exit, self.held_by) {
            (_, HeldBy::Dwell) => self.margin.map(|_| 0.0),
            (Some(exit), _) => Some(exit.distance),
            (None, _) => self.margin,
        }
    }
}

/// An axis on 1 h, 4 h, 1 d and 1 w, from closed bars only (R4.18–R4.20).
#[derive(Clone, PartialEq, Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct ConfirmationView<L> {
    /// Label per timeframe; null where a timeframe is not ready.
    pub timeframes: TimeframeLabels<L>,
    /// Most frequent label; null with fewer than three timeframes ready.
    #[cfg_attr(feature = "schema", schema(value_type = Option<String>))]
    pub primary: Option<L>,
    /// Share of the ready timeframes that agree with it.
    pub confidence: Option<f64>,
    /// More than 70 % agree.
    pub confirmed: bool,
}

/// One label per timeframe.
#[derive(Clone, PartialEq, Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct TimeframeLabels<L> {
    /// One hour.
    #[serde(rename = "1h")]
    #[cfg_attr(feature = "schema", schema(value_type = Option<String>))]
    pub h1: Option<L>,
    /// Four hours.
    #[serde(rename = "4h")]
    #[cfg_attr(feature = "schema", schema(value_type = Option<String>))]
    pub h4: Option<L>,
    /// A UTC day.
    #[serde(rename = "1d")]
    #[cfg_attr(feature = "schema", schema(value_type = Option<String>))]
    pub d1: Option<L>,
    /// A week, Monday 00:00 UTC on.
    #[serde(rename = "1w")]
    #[cfg_attr(feature = "schema", schema(value_type = Option<String>))]
    pub w1: Option<L>,
}

/// The trading session (R2.1–R2.6).
#[derive(Clone, PartialEq, Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct SessionView {
    /// ASIAN, LONDON, NY or ROLLOVER.
    pub name: TradingSession,
    /// Share of it that is over, in [0, 1).
    pub elapsed_frac: Option<f64>,
    /// Base multiplier of this session, in average true ranges.
    pub base_multiplier: Option<f64>,
    /// Stop distance for these conditions, in average true ranges.
    pub adaptive_multiplier: Option<f64>,
    /// Volatility of the last hour over what is usual in this session; null before ten sessions of the name.
    pub vol_ratio: Option<f64>,
    /// Conditions that make it a bad time for entries; empty when none holds.
    pub bad_period: Vec<&'static str>,
    /// Numbers that took a default for want of history.
    pub defaults_used: Vec<&'static str>,
}

/// Advice in words; never an order, a side or a size (C01).
#[derive(Clone, PartialEq, Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Guidance {
    /// CONSERVATIVE, NEUTRAL or AGGRESSIVE.
    pub risk_bias: RiskBias,
    /// What the bias asks for.
    pub risk_bias_action: &'static str,
    /// REDUCE, HOLD, NORMAL or AGGRESSIVE.
    pub posture: Posture,
    /// What the posture asks for.
    pub posture_action: &'static str,
    /// For entries not yet made.
    pub new_entries: String,
    /// For positions already held.
    pub open_positions: String,
    /// `new_entries` without what stop density adds; for answers about one side.
    #[serde(skip)]
    pub entries_alone: String,
    /// Conditions of the AGGRESSIVE upgrade that are not met; empty only when it applies (regimes §8).
    pub upgrade_blocked_by: Vec<&'static str>,
}

/// Stop vulnerability of both sides (A04); modelled, so `estimated`.
#[derive(Clone, PartialEq, Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct StopVulnerabilityView {
    /// Below the price: stops of longs.
    pub long: Option<StopVulnerability>,
    /// Above the price: stops of shorts.
    pub short: Option<StopVulnerability>,
    /// The worse of the two.
    pub worst: Option<StopVulnerability>,
    /// Level types that are built and have ready inputs, as a share of those the definition names.
    pub coverage: f64,
    /// Always `estimated`: nobody outside the venue sees the stops.
    pub label: &'static str,
}

/// The explanation (regimes §10). Every number in `reasoning` is also a number in here.
#[derive(Clone, PartialEq, Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Explanation {
    /// One or two sentences a trader would say, made from the parts below only.
    pub reasoning: String,
    /// The rule's own fixed text (R1.46); what the original interfaces print.
    pub rule_text: String,
    /// Readings of all features a rule reads, and of those the original payload names.
    #[cfg_attr(feature = "schema", schema(value_type = BTreeMap<String, FeatureView>))]
    pub features: BTreeMap<&'static str, FeatureView>,
    /// As in the snapshot.
    pub logic_version: String,
    /// SHA-256 of all readings behind the snapshot: (id, state, value bits).
    pub input_digest: String,
    /// Every rule with its clauses.
    pub trace: Vec<RuleTrace>,
    /// Ids of the rule that gave the raw label; empty for NORMAL and UNKNOWN.
    pub fired: Vec<String>,
    /// Other true rules (A07).
    pub also_matched: Vec<String>,
    /// Why label and raw label differ.
    pub held_by: HeldBy,
    /// Smallest single-feature change that changes the raw label; null when none does.
    pub nearest_flip: Option<Flip>,
    /// The same for the published label, with exit thresholds and dwell; null for UNKNOWN.
    pub nearest_exit: Option<Flip>,
    /// What moved since the previous snapshot.
    pub changed_since_last: Option<Changed>,
    /// Earlier episodes like this one; null until outcomes are resolved.
    pub similar_episodes: Option<Vec<String>>,
    /// "Data stale (6 minutes old)" when an input is too old.
    pub freshness_warning: Option<String>,
    /// Names of stale inputs, oldest first.
    pub stale_metrics: Vec<&'static str>,
    /// Age of every input the book reads.
    pub inputs: Vec<InputView>,
    /// Features read from a window that is not yet full.
    pub partial: Vec<&'static str>,
    /// Fixed numbers used in place of history, or defaults, each with its reason.
    pub defaults_used: Vec<String>,
    /// Features that are modelled or stand for another quantity, with their source.
    pub modelled_inputs: Vec<String>,
    /// Rules that cannot be judged on this market.
    pub not_applicable: Vec<String>,
}

/// One reading on the wire.
#[derive(Clone, PartialEq, Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct FeatureView {
    /// Number, boolean, word or null.
    pub value: WireValue,
    /// Unit from the catalogue.
    pub unit: &'static str,
    /// `ready`, `warming`, `stale` or `undefined`.
    pub state: &'static str,
    /// Reason code when not ready.
    pub reason: Option<&'static str>,
    /// Seconds since the grid instant the value belongs to; null when there is none.
    pub age_s: Option<i64>,
    /// Source words.
    pub sources: Vec<String>,
    /// measured, sampled, modelled or proxy.
    pub kind: Kind,
    /// Present samples / expected samples.
    pub coverage: f64,
    /// Window not yet full.
    pub partial: bool,
    /// Samples present so far; only while warming.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub have: Option<u32>,
    /// Samples needed; only while warming.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub need: Option<u32>,
}

/// One rule, evaluated.
#[derive(Clone, PartialEq, Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct RuleTrace {
    /// Rule id.
    pub id: String,
    /// Axis it belongs to.
    pub axis: Axis,
    /// Label it asserts.
    pub label: &'static str,
    /// `true`, `false`, `unknown` or `not_applicable`.
    pub result: &'static str,
    /// Smallest of its parts' margins (regimes §7); null when a part is unknown.
    pub margin: Option<f64>,
    /// Share of the last 90 days in which it was true; null before the first reading.
    pub held_share_90d: Option<f64>,
    /// Days of these 90 in which it could be judged.
    pub judged_days: f64,
    /// Its clauses in order; members of one `any` group share a group number.
    pub clauses: Vec<ClauseTrace>,
}

/// One clause, evaluated.
#[derive(Clone, PartialEq, Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct ClauseTrace {
    /// Feature id.
    pub feature: &'static str,
    /// Whether the absolute value is compared.
    pub abs: bool,
    /// The reading; null when not ready.
    pub value: WireValue,
    /// `>`, `>=`, `<`, `<=`, `==`, `in`.
    pub op: &'static str,
    /// What it is compared with.
    pub threshold: serde_json::Value,
    /// Relaxed threshold that keeps a published label.
    pub exit: Option<f64>,
    /// `true`, `false` or `unknown`.
    pub result: &'static str,
    /// Distance to the threshold in scale units, positive when the clause holds.
    pub margin: Option<f64>,
    /// Number of the `any` group it belongs to, from 1; null for a plain member of `all`.
    pub group: Option<usize>,
    /// Set when a fixed clause stands in for missing history.
    pub by_default: bool,
}

/// The smallest change of one feature that changes the label (regimes §10.1).
#[derive(Clone, PartialEq, Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Flip<L = RiskRegime> {
    /// Feature id.
    pub feature: &'static str,
    /// Its value now.
    pub value: f64,
    /// The value it would need.
    pub needed: f64,
    /// `above` or `below`: on which side of the threshold `needed` lies.
    pub direction: &'static str,
    /// The threshold itself, in the feature's own unit.
    pub threshold: f64,
    /// `needed − value`.
    pub delta: f64,
    /// Absolute delta in scale units.
    pub distance: f64,
    /// The label reached.
    pub label: L,
    /// Consecutive evaluations it must stand (exit only).
    pub readings: u32,
    /// How far apart readings that count are, in s: 60 where each minute is one, 3600 where its inputs come by the hour.
    pub cadence_s: i64,
    /// Seconds of minimum dwell still to pass (exit only).
    pub dwell_left_s: i64,
    /// The percentile that moves with it, where one does.
    pub percentile: Option<&'static str>,
    /// Always true for rules.
    pub exact: bool,
}

/// What moved since the previous snapshot.
#[derive(Clone, PartialEq, Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Changed {
    /// Label before, when it differs.
    pub label_from: Option<RiskRegime>,
    /// Up to three features with the largest change in margin units.
    pub features: Vec<ChangedFeature>,
}

/// One feature that moved.
#[derive(Clone, PartialEq, Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct ChangedFeature {
    /// Feature id.
    pub feature: &'static str,
    /// Value before; null when it was not ready.
    pub from: Option<f64>,
    /// Value now; null when it is not ready.
    pub to: Option<f64>,
    /// Absolute change in scale units; null when either end is missing.
    pub distance: Option<f64>,
}

/// One input and its age.
#[derive(Clone, PartialEq, Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct InputView {
    /// Metric name.
    pub metric: &'static str,
    /// Metric of the stream that serves it: trades or candles of a market without a mark price; null when never seen.
    pub served_by: Option<&'static str>,
    /// Source word; null when never seen.
    pub source: Option<String>,
    /// Kind of the stream.
    pub kind: Option<Kind>,
    /// Seconds since its newest grid instant; null when never seen.
    pub age_s: Option<i64>,
    /// Limit in seconds; null when never seen.
    pub max_age_s: Option<i64>,
    /// Declared time between rows, seconds; null when never seen.
    pub cadence_s: Option<i64>,
    /// Older than the limit.
    pub stale: bool,
    /// Why the stream is lost at this moment; null while it is continuous.
    pub gap: Option<&'static str>,
}
