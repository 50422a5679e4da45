//! Past moments that were like a moment, and what came of them, as they go to JSON (regimes §10, similar episodes).

use crate::{RiskRegime, Ts};
use serde::Serialize;

/// What followed the moments most like one.
#[derive(Clone, PartialEq, Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct SimilarView {
    /// `venue:symbol`.
    pub instrument: String,
    /// Logic version of the rows that were compared.
    pub logic_version: String,
    /// The minute that was compared.
    #[cfg_attr(feature = "schema", schema(value_type = String, format = DateTime))]
    pub ts: Ts,
    /// Its risk label, before hysteresis.
    pub raw_label: RiskRegime,
    /// Full hours that it was compared with; all of their outcomes are known.
    pub hours: usize,
    /// The first and the last of them.
    #[cfg_attr(feature = "schema", schema(value_type = Option<Vec<String>>))]
    pub span: Option<[Ts; 2]>,
    /// In words.
    pub sentence: String,
    /// Hours that are the most alike, four hours apart at least; their moves are below. 0 where there are too few hours.
    pub moments: usize,
    /// What price did after them, beside what it did after all hours.
    pub moves: Vec<MovesView>,
    /// The nearest, a day apart at least.
    pub episodes: Vec<EpisodeView>,
}

/// Changes of price over a horizon, as fractions.
#[derive(Clone, PartialEq, Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct MovesView {
    /// `4h` or `24h`.
    pub horizon: &'static str,
    /// After similar moments.
    pub similar: SpreadView,
    /// After all hours.
    pub all: SpreadView,
}

/// Spread of a sample: a tenth lies below `p10`, a tenth above `p90`.
#[derive(Clone, Copy, PartialEq, Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct SpreadView {
    /// Moves that are known.
    pub n: usize,
    /// 10th percentile; null without a move.
    pub p10: Option<f64>,
    /// Median.
    pub p50: Option<f64>,
    /// 90th percentile.
    pub p90: Option<f64>,
}

/// One earlier episode.
#[derive(Clone, PartialEq, Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct EpisodeView {
    /// Its minute.
    #[cfg_attr(feature = "schema", schema(value_type = String, format = DateTime))]
    pub ts: Ts,
    /// Distance in margin space: root of the mean squared difference of the clauses' margins, in scale units.
    pub distance: f64,
    /// Risk label, before hysteresis.
    pub raw_label: RiskRegime,
    /// Price then.
    pub price: Option<f64>,
    /// Change of price in the 4 h after it, as a fraction.
    pub move_4h: Option<f64>,
    /// The same in 24 h.
    pub move_24h: Option<f64>,
    /// 1 h volatility an hour later, annualised fraction.
    pub realized_vol_1h_after: Option<f64>,
    /// Risk label 4 h later, before hysteresis.
    pub raw_label_4h_after: Option<RiskRegime>,
}
