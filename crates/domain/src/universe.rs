//! Readings between markets: pair correlations, who leads whom, and the portfolio as one (features §5, §6; regimes §13).
//!
//! A row holds everything of one whole hour; it is made once, by what was known 200 ms after that hour, and never changed.
//! Pairs refer to markets by their position in the row.

use crate::{InstrumentName, Posture, Reason, RiskBias, RiskRegime, Severity, Ts, VolRegime};
use serde::{Deserialize, Serialize};

/// A number with the samples behind it, or why there is none.
#[derive(Clone, Copy, PartialEq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Gauge {
    /// The number; null with a reason.
    pub value: Option<f64>,
    /// Why there is no number; null with one.
    #[cfg_attr(feature = "schema", schema(value_type = Option<String>))]
    pub reason: Option<Reason>,
    /// Samples present.
    pub n: u32,
    /// Samples needed.
    pub need: u32,
    /// The window is not yet full.
    pub partial: bool,
}

impl Gauge {
    /// A number.
    #[must_use]
    pub const fn of(value: f64, n: u32, need: u32, partial: bool) -> Self {
        Self { value: Some(value), reason: None, n, need, partial }
    }
    /// No number, and why.
    #[must_use]
    pub const fn none(reason: Reason, n: u32, need: u32) -> Self {
        Self { value: None, reason: Some(reason), n, need, partial: true }
    }
    /// The same samples with another number.
    #[must_use]
    pub fn map(self, change: impl FnOnce(f64) -> f64) -> Self {
        Self { value: self.value.map(change), ..self }
    }
}

/// How a pair's correlation stands to its normal band (features §5, `pair_state`; C17).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum PairState {
    /// Within the band or above it.
    Normal,
    /// Below the band.
    Watch,
    /// Below −0.5; in the `default` book also far below what the pair has shown in 180 days (S10).
    Break,
}

impl PairState {
    /// Every state, in the order of their stored codes.
    pub const ALL: [Self; 3] = [Self::Normal, Self::Watch, Self::Break];
    /// The word on the wire.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Normal => "NORMAL",
            Self::Watch => "WATCH",
            Self::Break => "BREAK",
        }
    }
    /// The sign beside the word: colour is never the only signal.
    #[must_use]
    pub const fn sign(self) -> &'static str {
        match self {
            Self::Normal => "○",
            Self::Watch => "◔",
            Self::Break => "⨯",
        }
    }
}

/// Where a normal band comes from.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum BandSource {
    /// The stated bands of BTC/ETH, ETH/SOL and BTC/SOL (R4.23).
    Stated,
    /// The pair's own 180 days, 10th to 90th percentile, taken once a day.
    History,
}

/// The normal band of a pair's correlation.
#[derive(Clone, Copy, PartialEq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct PairBand {
    /// Below it the pair is on WATCH.
    pub low: f64,
    /// Upper end, for display.
    pub high: f64,
    /// Where it comes from.
    pub source: BandSource,
}

/// For how many of the last 90 days' hours each state held.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct StateHours {
    /// Hours with a state at all.
    pub known: u32,
    /// Hours of NORMAL.
    pub normal: u32,
    /// Hours of WATCH.
    pub watch: u32,
    /// Hours of BREAK.
    pub broken: u32,
}

/// The lag at which two markets move together most, zero left out.
#[derive(Clone, Copy, PartialEq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct BestLag {
    /// In minutes; positive: the pair's first market moves first.
    pub lag: i8,
    /// Correlation at that lag.
    pub rho: f64,
    /// `ρ·√n`.
    pub t: f64,
}

/// Who of a pair leads, over 24 h of one-minute returns (features §6).
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct LeadReading {
    /// `Σ ρ(l)² / Σ ρ(−l)²`, l = 1…10: above 1 the first market leads.
    pub ratio: Gauge,
    /// The strongest lag.
    pub best: Option<BestLag>,
    /// `|t| > 3.1` on two windows that follow each other without overlap, with the same sign of the lag; null while
    /// there is only one window.
    pub significant: Option<bool>,
    /// Correlations at lags −10…10; empty while the window is filling.
    pub xcorr: Vec<f64>,
}

/// One pair at one hour.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct PairReading {
    /// Position of the first market.
    pub a: u16,
    /// Position of the second market.
    pub b: u16,
    /// Correlation of the last 20 hourly returns.
    pub corr_20: Gauge,
    /// Its 95 % band (Fisher).
    pub corr_20_ci: Option<[f64; 2]>,
    /// Correlation of the last 720 hourly returns.
    pub corr_30d: Gauge,
    /// Its 95 % band (Fisher).
    pub corr_30d_ci: Option<[f64; 2]>,
    /// Percentile of `corr_20` in its own 180 days.
    pub corr_20_pct_180d: Gauge,
    /// The normal band, once there is one.
    pub band: Option<PairBand>,
    /// State of the pair; null while the correlation or the band is.
    pub state: Option<PairState>,
    /// How serious the state is; null for NORMAL.
    pub severity: Option<Severity>,
    /// Only in BREAK: `|corr_20|` below −0.5, else how far it lies below the band (S10).
    pub divergence_strength: Option<f64>,
    /// `corr_20 > 0.9`: positions in both are nearly one position (R2.56).
    pub exposure_overlap: Option<bool>,
    /// How often each state held in the last 90 days.
    pub held_90d: StateHours,
    /// Who leads.
    pub lead: LeadReading,
}

/// One market of a row.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct UniverseMarket {
    /// The market.
    #[cfg_attr(feature = "schema", schema(value_type = String))]
    pub instrument: InstrumentName,
    /// The asset it prices.
    pub asset: String,
    /// Price at the hour.
    pub price: Option<f64>,
    /// `realized_vol_24h`, annualised.
    pub vol_annual: Option<f64>,
    /// Published label of the risk axis.
    pub risk: RiskRegime,
    /// Published label of the volatility axis.
    pub volatility: VolRegime,
    /// Mean ln `lead_ratio` over its pairs; above 0 it tends to move first.
    pub lead_score: Option<f64>,
}

/// Everything between the markets at one whole hour.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct UniverseRow {
    /// The hour.
    #[cfg_attr(feature = "schema", schema(value_type = String))]
    pub ts: Ts,
    /// From when on the row may be used: 200 ms later.
    #[cfg_attr(feature = "schema", schema(value_type = String))]
    pub known_ts: Ts,
    /// The watch-list, in its order.
    pub markets: Vec<UniverseMarket>,
    /// Every pair, first by its first market, then by its second.
    pub pairs: Vec<PairReading>,
    /// Position of the asset that leads (mean ln lead ratio above ln 1.2), if one does.
    pub leading: Option<u16>,
}

impl UniverseRow {
    /// The pair of two positions, in either order.
    #[must_use]
    pub fn pair(&self, a: usize, b: usize) -> Option<&PairReading> {
        let (a, b) = (a.min(b), a.max(b));
        self.pairs.iter().find(|p| usize::from(p.a) == a && usize::from(p.b) == b)
    }
}

/// Two positions that are nearly one.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Overlap {
    /// First asset.
    pub a: String,
    /// Second asset.
    pub b: String,
    /// `pair_corr_20`.
    pub corr: f64,
}

/// Share of a portfolio under one label.
#[derive(Clone, Copy, PartialEq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct LabelShare {
    /// The label.
    pub label: RiskRegime,
    /// Sum of the weights of the markets that have it.
    pub share: f64,
}

/// A basket judged as one (regimes §13).
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Portfolio {
    /// `positions`: notionals the user gave; `equal`: the watch-list in equal parts.
    pub weights_from: WeightsFrom,
    /// Weight of each market; negative for a short position, absolute values add up to 1.
    pub weights: Vec<f64>,
    /// Share of each label, most severe first, UNKNOWN last.
    pub shares: Vec<LabelShare>,
    /// The portfolio's label.
    pub regime: RiskRegime,
    /// Bias of that label.
    pub risk_bias: RiskBias,
    /// Posture of that label.
    pub posture: Posture,
    /// True when most of the markets are in turmoil, whatever their weights.
    pub systemic: bool,
    /// `√(wᵀΣw)`, annualised.
    pub vol_annual: Gauge,
    /// Pairs for which a correlation of 1 stood in, because there was none.
    pub assumed_pairs: u32,
    /// `Σ |wᵢ|σᵢ / vol_annual`.
    pub diversification_ratio: Option<f64>,
    /// Mean of `pair_corr_20` over the pairs that have one.
    pub avg_pair_corr: Option<f64>,
    /// Positions that are nearly one.
    pub overlaps: Vec<Overlap>,
    /// What to consider, in sentences.
    pub advice: Vec<String>,
}

/// Where the weights of a portfolio come from.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum WeightsFrom {
    /// Notionals of the user's positions.
    Positions,
    /// Equal parts of the watch-list.
    Equal,
}
