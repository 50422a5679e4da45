//! How good forecasts were: the answer of the scorecard (verification §4, §5, §8).
//!
//! A number that cannot be said is null; a skill without its band is never said. Shares and probabilities lie in [0, 1], scores are
//! without unit, log scores in nats.

use crate::forecast::{ForecastEvent, Forecaster};
use crate::{Pattern, Ts};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Cases at each step; each step's parts add up to the one before (verification §4.1).
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Denominators {
    /// Instants at which the event was asked: issued and not issued.
    pub asked: u64,
    /// Forecasts registered.
    pub issued: u64,
    /// Forecasts not registered, by reason.
    pub not_issued: BTreeMap<String, u64>,
    /// Of the issued: their window is not over.
    pub waiting: u64,
    /// Void: the market was halted or taken off the list.
    pub void: u64,
    /// Too little of the window was seen.
    pub unresolvable: u64,
    /// Resolved.
    pub resolved: u64,
    /// Of the resolved: no probability was stated, by reason.
    pub abstained: BTreeMap<String, u64>,
    /// Of the resolved: scored.
    pub scored: u64,
    /// Of the resolved: minutes that the outcome rests on were corrected a day later or more, and would now say otherwise. It stands.
    pub revised: u64,
}

/// Skill against a reference over the cases for which that has seen enough.
#[derive(Clone, Copy, PartialEq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct SkillReading {
    /// `1 − BS/BS_ref`.
    pub value: Option<f64>,
    /// Lower end of its 90 % band (block bootstrap); null where there is too little data for one.
    pub low: Option<f64>,
    /// Upper end.
    pub high: Option<f64>,
    /// Cases it is of.
    pub n: u64,
    /// Score of the forecasts on these cases.
    pub brier: Option<f64>,
    /// Score of the reference on these cases.
    pub reference_brier: Option<f64>,
}

/// What a skill amounts to. That it is there is said once it is decided: by the confidence sequence, which holds however often one looks.
/// A band says what a skill looks like so far.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum SkillVerdict {
    /// Decided: the confidence sequence has excluded that persistence is as good, and the band lies above zero.
    Skill,
    /// The band against persistence lies above zero; not decided.
    BetterSoFar,
    /// The band holds zero.
    NoSkillShown,
    /// The band lies below zero; not decided.
    WorseSoFar,
    /// Decided: the whole confidence sequence lies below zero, and so does the band.
    WorseThanPersistence,
    /// There is no band.
    TooLittleData,
}

impl SkillVerdict {
    /// What a band against persistence allows to be said; nothing is decided by it.
    #[must_use]
    pub const fn of_band(low: Option<f64>, high: Option<f64>) -> Self {
        match (low, high) {
            (Some(low), Some(_)) if low > 0.0 => Self::BetterSoFar,
            (Some(_), Some(high)) if high < 0.0 => Self::WorseSoFar,
            (Some(_), Some(_)) => Self::NoSkillShown,
            _ => Self::TooLittleData,
        }
    }

    /// The same beside the confidence sequence of the whole ledger; of a window that moves there is none that would hold.
    #[must_use]
    pub const fn decided_by(self, sequence: Option<&SequenceReading>) -> Self {
        match (self, sequence) {
            (Self::BetterSoFar, Some(s)) if s.activated_at.is_some() => Self::Skill,
            (Self::WorseSoFar, Some(s)) if s.high < 0.0 => Self::WorseThanPersistence,
            _ => self,
        }
    }

    /// As people read it.
    #[must_use]
    pub const fn spoken(self) -> &'static str {
        match self {
            Self::Skill => "better than persistence",
            Self::BetterSoFar => "better so far",
            Self::NoSkillShown => "no skill shown",
            Self::WorseSoFar => "worse so far",
            Self::WorseThanPersistence => "worse than persistence",
            Self::TooLittleData => "too little data",
        }
    }
}

/// One bin of the reliability table.
#[derive(Clone, Copy, PartialEq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct ReliabilityRow {
    /// Mean stated probability in the bin.
    pub stated: f64,
    /// Share that happened.
    pub observed: f64,
    /// Cases.
    pub n: u64,
    /// Windows of them that do not overlap; below 10 the bin says little.
    pub n_eff: u64,
    /// Lower end of Wilson's 90 % interval on `n_eff`.
    pub low: f64,
    /// Upper end.
    pub high: f64,
}

/// One step of the reliability curve by isotonic regression (CORP).
#[derive(Clone, Copy, PartialEq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct CurveStep {
    /// Smallest stated probability of the step.
    pub from: f64,
    /// Largest.
    pub upto: f64,
    /// Calibrated probability.
    pub calibrated: f64,
    /// Cases.
    pub n: u64,
}

/// The parts of a Brier score.
#[derive(Clone, Copy, PartialEq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct ScoreParts {
    /// Reliability (Murphy, ten equal bins).
    pub rel: f64,
    /// Resolution.
    pub res: f64,
    /// Uncertainty `ō(1 − ō)`.
    pub unc: f64,
    /// Variance of the stated probabilities within bins.
    pub wbv: f64,
    /// Covariance within bins.
    pub wbc: f64,
    /// Miscalibration (CORP).
    pub mcb: f64,
    /// Discrimination (CORP).
    pub dsc: f64,
}

/// The label alone as a yes or no to the event.
#[derive(Clone, Copy, PartialEq, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct LabelTable {
    /// Said and happened.
    pub hits: u64,
    /// Said and did not happen.
    pub false_alarms: u64,
    /// Happened without being said.
    pub misses: u64,
    /// Neither.
    pub correct_negatives: u64,
    /// Probability of detection.
    pub pod: Option<f64>,
    /// False alarm ratio.
    pub far: Option<f64>,
    /// Probability of false detection.
    pub pofd: Option<f64>,
    /// Critical success index.
    pub csi: Option<f64>,
    /// Hanssen–Kuipers, POD − POFD.
    pub hk: Option<f64>,
}

/// The decision that may be looked at every day: a 95 % confidence sequence of how much better than persistence, on windows that do
/// not overlap.
#[derive(Clone, Copy, PartialEq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct SequenceReading {
    /// Windows.
    pub n: u64,
    /// Mean difference of losses, persistence minus forecast.
    pub mean: f64,
    /// Lower bound.
    pub low: f64,
    /// Upper bound.
    pub high: f64,
    /// When the lower bound first rose above zero.
    #[cfg_attr(feature = "schema", schema(value_type = Option<String>))]
    pub activated_at: Option<Ts>,
}

/// One calendar month of the timeline.
#[derive(Clone, Copy, PartialEq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct MonthReading {
    /// First instant of the month, UTC.
    #[cfg_attr(feature = "schema", schema(value_type = String))]
    pub month: Ts,
    /// Cases scored.
    pub n: u64,
    /// Brier score.
    pub brier: f64,
    /// Skill against climatology on the month's cases.
    pub skill_climatology: Option<f64>,
    /// Skill against persistence.
    pub skill_persistence: Option<f64>,
}

/// One row of the scorecard.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct ScoreRow {
    /// What was forecast.
    pub event: ForecastEvent,
    /// By whom.
    pub forecaster: Forecaster,
    /// `all`, a group (`btc`, `eth`, `other`) or a market.
    pub scope: String,
    /// `30d`, `90d`, `365d` or `all`; counted back from the newest tick, by the moment of issue.
    pub window: String,
    /// First and last issue that count.
    #[cfg_attr(feature = "schema", schema(value_type = Option<[String; 2]>))]
    pub span: Option<[Ts; 2]>,
    /// Cases at each step.
    pub denominators: Denominators,
    /// Windows among the scored that do not overlap.
    pub n_eff: u64,
    /// Share of the scored in which it happened.
    pub base_rate: Option<f64>,
    /// Mean squared error of the probabilities, or ranked probability score over the four classes.
    pub score: Option<f64>,
    /// Skill against climatology.
    pub climatology: SkillReading,
    /// Skill against persistence: the hurdle that counts.
    pub persistence: SkillReading,
    /// What that amounts to.
    pub verdict: SkillVerdict,
    /// Skill of persistence said as a hard yes or no, against climatology; shown for comparison.
    pub persistence_hard_brier: Option<f64>,
    /// Parts of the score; null for classes.
    pub parts: Option<ScoreParts>,
    /// Expected calibration error over ten bins.
    pub ece: Option<f64>,
    /// Mean negative log likelihood in nats, probabilities clipped to [1e-6, 1 − 1e-6].
    pub log_score: Option<f64>,
    /// Probabilities that were clipped.
    pub clipped: u64,
    /// Area under the ROC curve.
    pub auc: Option<f64>,
    /// Variance of the probabilities.
    pub sharpness: Option<f64>,
    /// Reliability table.
    pub reliability: Vec<ReliabilityRow>,
    /// Reliability curve.
    pub curve: Vec<CurveStep>,
    /// The label alone; null where no label asserts the event.
    pub label: Option<LabelTable>,
    /// The decision; of the window `all` only: of windows that move no sequence holds.
    pub sequence: Option<SequenceReading>,
    /// Months, oldest first; of the window `all` only.
    pub timeline: Vec<MonthReading>,
    /// Share of the scored that the largest market has.
    pub largest_share: Option<f64>,
}

/// How a label of the risk axis or a detector did as an alert.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct AlertRow {
    /// The label or the detector.
    pub alert: String,
    /// The detector, where it is one.
    pub pattern: Option<Pattern>,
    /// What it is held against.
    pub event: ForecastEvent,
    /// `all`, a group or a market.
    pub scope: String,
    /// As of a row of the scorecard, by the moment of the alert.
    pub window: String,
    /// Alerts, with an outcome or without.
    pub alerts: u64,
    /// Alerts with an outcome.
    pub n: u64,
    /// Of them followed by the event.
    pub hits: u64,
    /// Their share.
    pub precision: Option<f64>,
    /// Wilson's 90 % interval on alerts that do not overlap.
    pub precision_band: Option<[f64; 2]>,
    /// Events.
    pub events: Option<u64>,
    /// Share of events that an alert came before, within the horizon.
    pub recall: Option<f64>,
    /// Wilson's 90 % interval.
    pub recall_band: Option<[f64; 2]>,
    /// Minutes from the alert to the event: median, 10th and 90th percentile.
    pub lead_min: Option<[f64; 3]>,
    /// Market-days in which there was something to judge: instants at which `hv_1h` was registered.
    pub days: Option<f64>,
    /// Alerts per such day; null before the first is over.
    pub per_day: Option<f64>,
    /// Share of alerts that opened before the window of the one before, of the same market, was over.
    pub dup_rate: Option<f64>,
    /// How much likelier the event is after the alert than in any window.
    pub lift: Option<f64>,
    /// Lower bound of it.
    pub lift_low: Option<f64>,
}

/// How steady the labels of an axis are, on the grid of forecasts.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct StabilityRow {
    /// `risk`, `trend` or `volatility`.
    pub axis: String,
    /// `all`, a group or a market.
    pub scope: String,
    /// As of a row of the scorecard.
    pub window: String,
    /// Market-days.
    pub days: f64,
    /// Changes of the published label per market-day.
    pub flip_rate: Option<f64>,
    /// Changes of the raw label per market-day.
    pub raw_flip_rate: Option<f64>,
    /// Flip-flop index (Griffiths et al. 2019), mean over days; null for an axis without an order of severity.
    pub flip_flop: Option<f64>,
    /// Share of episodes shorter than 15 min.
    pub short_episodes: Option<f64>,
    /// Median and 90th percentile of an episode's length, hours.
    pub episode_h: Option<[f64; 2]>,
}

/// Head of a chain of hashes.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct HeadReading {
    /// The UTC day.
    #[cfg_attr(feature = "schema", schema(value_type = String))]
    pub day: Ts,
    /// The event.
    pub event: ForecastEvent,
    /// Rows of the day so far.
    pub rows: u64,
    /// SHA-256 of the last of them, hexadecimal.
    pub head: String,
}

/// The scorecard.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Scorecard {
    /// Logic version of everything in it.
    pub logic_version: String,
    /// Rule book.
    pub book: String,
    /// First and newest tick of the ledger that counts.
    #[cfg_attr(feature = "schema", schema(value_type = Option<[String; 2]>))]
    pub span: Option<[Ts; 2]>,
    /// Markets in it.
    pub markets: Vec<String>,
    /// Seed of the resamples behind every band.
    pub seed: u64,
    /// Rows by (event, forecaster, scope, window), pooled ones first.
    pub rows: Vec<ScoreRow>,
    /// Alerts.
    pub alerts: Vec<AlertRow>,
    /// Labels.
    pub stability: Vec<StabilityRow>,
    /// Heads of the newest day.
    pub heads: Vec<HeadReading>,
}
