//! The answer to "what am I walking into?", as it goes to JSON. Parameters belong to the side the user gave; numbers that
//! could not be computed are null with their reason beside them.

use super::{Missing, NoticeLevel, ReasonCode, SizeLimit, Verdict, WarningCode};
use crate::{LevelType, Posture, RiskBias, RiskRegime, Side, TradingSession, TrendRegime, Ts, VolRegime};
use serde::Serialize;

/// Advice on one trade in mind.
#[derive(Clone, PartialEq, Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct AdviceView {
    /// `venue:symbol`.
    pub instrument: String,
    /// The side the user gave.
    #[cfg_attr(feature = "schema", schema(value_type = String))]
    pub side: Side,
    /// The entry the user gave.
    pub entry: f64,
    /// Where the market is; null while it has no price.
    pub market: Option<MarketPrice>,
    /// The user's name of the strategy, as given.
    pub strategy: Option<String>,
    /// What it was judged by; null without a snapshot.
    pub snapshot: Option<SnapshotRef>,
    /// `no_snapshot` where there is none: the verdict is then AVOID for want of data, never a failure of the caller.
    pub error: Option<Missing>,
    /// ALLOW, CAUTION or AVOID.
    pub verdict: Verdict,
    /// How often this verdict comes out, as a share of hours; null for a rule book nobody has measured.
    pub verdict_base_rate: Option<f64>,
    /// The same in words, with what it was measured on.
    pub verdict_base_rate_text: Option<String>,
    /// The reason that decided.
    pub decided_by: ReasonCode,
    /// One sentence.
    pub summary: String,
    /// All reasons, in order of weight.
    pub reasons: Vec<VerdictReason>,
    /// Conditions that could not be judged because their source is not there.
    pub not_evaluated: Vec<ReasonCode>,
    /// What to know before the entry.
    pub warnings: Vec<WarningView>,
    /// What could be done instead, and the user's own numbers unchanged.
    pub options: Vec<AdviceOption>,
    /// Parameters for this side.
    pub parameters: ParameterView,
    /// Where the stop lies, and where it could.
    pub stop: StopView,
    /// Where a target could lie.
    pub target: TargetView,
    /// How much, and what holds it down.
    pub size: SizeView,
    /// Expected value by the user's own record; null without one.
    pub expected_value: Option<ExpectedValue>,
    /// For entries not yet made.
    pub new_entries: String,
    /// For positions already held.
    pub open_positions: String,
    /// Everything that stands in for something missing, in words.
    pub defaults_used: Vec<String>,
}

impl AdviceView {
    /// The same with the fields that follow from its others: whoever renders an answer leaves them at their defaults, so that another
    /// one is added in this file, for every surface at once.
    #[must_use]
    pub fn completed(mut self) -> Self {
        let stop = &mut self.stop;
        stop.r = stop.used.map(|used| (self.entry - used).abs()).filter(|r| *r > 0.0);
        stop.r_atr = stop.r.zip(stop.atr.filter(|atr| *atr > 0.0)).map(|(r, atr)| r / atr);
        self
    }
}

/// The market's price behind an answer, and how old it is.
#[derive(Clone, Copy, PartialEq, Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct MarketPrice {
    /// Quote units.
    pub price: f64,
    /// The minute it is of.
    #[cfg_attr(feature = "schema", schema(value_type = String, format = DateTime))]
    pub at: Ts,
    /// Seconds from then to the moment asked about.
    pub age_s: i64,
}

/// The snapshot behind an answer.
#[derive(Clone, PartialEq, Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct SnapshotRef {
    /// Its id.
    pub snapshot_id: String,
    /// Its grid instant.
    #[cfg_attr(feature = "schema", schema(value_type = String, format = DateTime))]
    pub timestamp: Ts,
    /// Its logic version.
    pub logic_version: String,
    /// Risk label.
    pub risk: RiskRegime,
    /// Trend label; null where it is not there.
    pub trend: Option<TrendRegime>,
    /// Volatility class; null where it is not there.
    pub volatility: Option<VolRegime>,
    /// Session; null where it is not there.
    pub session: Option<TradingSession>,
    /// Bias.
    pub risk_bias: RiskBias,
    /// Posture.
    pub posture: Posture,
}

/// One reason of the verdict.
#[derive(Clone, PartialEq, Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema), schema(as = ReasonView))]
pub struct VerdictReason {
    /// Its code.
    pub code: ReasonCode,
    /// What it asks for on its own.
    pub verdict: Verdict,
    /// In words, with its numbers.
    pub text: String,
}

/// One warning.
#[derive(Clone, PartialEq, Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct WarningView {
    /// Its code.
    pub code: WarningCode,
    /// Its weight.
    pub level: NoticeLevel,
    /// In words.
    pub text: String,
    /// The reason it speaks for, where its code alone does not say.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<ReasonCode>,
}

/// What could be done (R1.69).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum OptionKind {
    /// A smaller size.
    SmallerSize,
    /// The stop off the cluster.
    MoveStop,
    /// Wait for NORMAL.
    Wait,
    /// The user's own numbers, unchanged.
    ProceedUnchanged,
}

/// One option with its numbers.
#[derive(Clone, PartialEq, Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct AdviceOption {
    /// The kind of option.
    pub option: OptionKind,
    /// In words.
    pub text: String,
    /// Size, base units.
    pub size: Option<f64>,
    /// Stop.
    pub stop: Option<f64>,
    /// Distance from entry to stop.
    pub r: Option<f64>,
    /// Loss at the stop with costs, quote units.
    pub risk_quote: Option<f64>,
    /// The same as a share of equity.
    pub risk_fraction: Option<f64>,
    /// More than 1 % of equity; null without equity and size.
    pub above_one_percent: Option<bool>,
    /// Age of the regime waited for to end, seconds (`wait` only).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub regime_age_s: Option<i64>,
    /// Median of past durations, seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub median_s: Option<i64>,
    /// 10 % of past durations were shorter, seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub low_s: Option<i64>,
    /// 10 % of past durations were longer, seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub high_s: Option<i64>,
    /// How many past durations that is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub episodes: Option<u32>,
    /// Why a number is missing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub missing: Option<Missing>,
}

/// Parameters of risk §1.
#[derive(Clone, Copy, PartialEq, Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct ParameterView {
    /// Stop distance in ATR.
    pub stop_loss_atr_mult: f64,
    /// Why it is the fallback; null when it is not.
    pub stop_loss_atr_mult_fallback: Option<Missing>,
    /// Reward over risk.
    pub risk_reward_ratio: f64,
    /// Why it is the fallback; null when it is not.
    pub risk_reward_ratio_fallback: Option<Missing>,
    /// Trend label; SIDEWAYS where it is not there.
    pub market_regime: TrendRegime,
    /// How often what the label says followed similar moments; null where that is not known.
    pub confidence: Option<f64>,
    /// Why it is not known: a reason of abstention of the ledger, `label_changed` or `no_forecasts`.
    pub confidence_reason: Option<&'static str>,
    /// `calibrated`, `heuristic` or `not_available`.
    pub confidence_kind: &'static str,
    /// `min(1, 1 / risk multiplier)` of the volatility class.
    pub size_factor: f64,
    /// Why it is the fallback; null when it is not.
    pub size_factor_fallback: Option<Missing>,
    /// Factor of the posture.
    pub posture_factor: f64,
    /// Why it is the fallback; null when it is not.
    pub posture_factor_fallback: Option<Missing>,
    /// Some parameter is a fallback.
    pub fallback: bool,
}

/// The stop: the user's, the computed one, and one off the cluster.
#[derive(Clone, PartialEq, Debug, Default, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct StopView {
    /// The stop all further numbers use: the user's, or the computed one where none was given.
    pub used: Option<f64>,
    /// `user`, `base` or `beyond_cluster`.
    pub source: Option<&'static str>,
    /// Distance from the entry to it (R).
    pub r: Option<f64>,
    /// The same in ATR, to be held against `stop_loss_atr_mult`; null without an ATR.
    pub r_atr: Option<f64>,
    /// `entry ∓ multiplier · ATR`.
    pub base: Option<f64>,
    /// ATR the distances are measured in.
    pub atr: Option<f64>,
    /// The level the stop in use lies on; null when on none, or not known.
    pub on_cluster: Option<NearbyLevel>,
    /// A stop beyond that cluster; never put in place of the user's.
    pub stop_alternative: Option<f64>,
    /// Why something here is null.
    pub missing: Option<Missing>,
}

/// A liquidity level that matters for the trade.
#[derive(Clone, PartialEq, Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct NearbyLevel {
    /// Its id.
    pub level_id: String,
    /// What made it.
    #[serde(rename = "type")]
    pub level_type: LevelType,
    /// Timeframe of its bars, as in lists of levels.
    pub timeframe: String,
    /// Reference price.
    pub price: f64,
    /// Upper edge.
    pub top: f64,
    /// Lower edge.
    pub bottom: f64,
    /// In [0, 1].
    pub strength: f64,
    /// Since when it was known.
    #[cfg_attr(feature = "schema", schema(value_type = String, format = DateTime))]
    pub known_at: Ts,
}

/// Where a target comes from (risk §3).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum TargetSource {
    /// Just before a liquidity level.
    Liquidity,
    /// The reward/risk ratio.
    Ratio,
    /// Three ATR: the legacy parameter.
    Fallback,
}

/// The target.
#[derive(Clone, PartialEq, Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct TargetView {
    /// Price; null when there is none.
    pub price: Option<f64>,
    /// Where it comes from.
    pub target_source: Option<TargetSource>,
    /// The level it lies before.
    pub level: Option<NearbyLevel>,
    /// Distance to it over distance to the stop: what the trade really offers (S07).
    pub effective_rr: Option<f64>,
    /// Why it lies there, in words.
    pub text: String,
    /// It was pulled in to 10 ATR.
    pub capped: bool,
    /// Why it is null.
    pub missing: Option<Missing>,
}

/// How much, for the user's equity and stop (risk §4).
#[derive(Clone, PartialEq, Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct SizeView {
    /// Share of equity at risk.
    pub risk_fraction: Option<f64>,
    /// What held the share down before the factors of volatility and posture.
    pub fraction_limit: Option<SizeLimit>,
    /// What holds the size down in the end.
    pub binding_limit: Option<SizeLimit>,
    /// The same in words.
    pub binding_limit_text: Option<&'static str>,
    /// Equity times share, quote units.
    pub risk_quote: Option<f64>,
    /// Fees of both executions and half the spread, quote units per base unit.
    pub cost_per_unit: f64,
    /// Size, base units, rounded down to the step.
    pub size_base_units: Option<f64>,
    /// Its notional.
    pub notional: Option<f64>,
    /// Loss at the stop with costs, quote units; never above 1 % of equity.
    pub loss_at_stop: Option<f64>,
    /// The same as a share of equity.
    pub loss_fraction: Option<f64>,
    /// Kelly arithmetic.
    pub kelly: KellyView,
    /// Why a number is missing.
    pub missing: Option<Missing>,
}

/// Kelly, from the user's record only (C09).
#[derive(Clone, Copy, PartialEq, Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct KellyView {
    /// Kelly fraction at the observed win rate; shown, not used.
    pub kelly_full: Option<f64>,
    /// Lower 90 % Wilson bound of the win rate.
    pub p_used: Option<f64>,
    /// A quarter of the Kelly fraction at that bound; null below 100 trades.
    pub kelly_fraction: Option<f64>,
    /// Resolved trades behind it.
    pub n: u32,
    /// Why it is null.
    pub missing: Option<Missing>,
}

/// Expected value in units of risk: `w·b − (1 − w)` (R2.53).
#[derive(Clone, Copy, PartialEq, Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct ExpectedValue {
    /// In R.
    pub value_r: f64,
    /// Win rate.
    pub win_rate: f64,
    /// Average win over average loss.
    pub payoff: f64,
    /// Trades behind it.
    pub n: u32,
}
