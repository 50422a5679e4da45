//! Asking how a basket stands as one: what is held, on which side, as the user says it.

use crate::Side;
use serde::{Deserialize, Serialize};

/// A basket to be judged as one. Without holdings the registered positions count; without those the watch-list in equal parts.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct PortfolioRequest {
    /// What is held.
    #[serde(default)]
    pub holdings: Vec<Holding>,
    /// Judge by what was known at this moment instead of now.
    #[serde(default)]
    pub as_of: Option<String>,
}

/// One holding.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct Holding {
    /// `venue:symbol` or a symbol that only one market has.
    #[cfg_attr(feature = "schema", schema(example = "binance-usdm:BTCUSDT"))]
    pub symbol: String,
    /// `long` or `short`, as it is held.
    #[cfg_attr(feature = "schema", schema(example = "long"))]
    pub side: String,
    /// Its size in any one currency, or as a share; only the proportions count.
    #[cfg_attr(feature = "schema", schema(example = 15000.0))]
    pub notional: f64,
}

/// Where the weights of an answer come from.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum BasketFrom {
    /// Given with the question.
    Request,
    /// Registered positions.
    Registered,
    /// The watch-list in equal parts.
    WatchList,
}

/// One market of a judged basket.
#[derive(Clone, PartialEq, Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct HoldingView {
    /// The market.
    pub instrument: String,
    /// The asset it prices.
    pub asset: String,
    /// As held; null for the watch-list.
    #[cfg_attr(feature = "schema", schema(value_type = Option<String>))]
    pub side: Option<Side>,
    /// Share of the absolute notional; negative for a short holding.
    pub weight: f64,
    /// Published label of the risk axis.
    pub risk: crate::RiskRegime,
    /// Published label of the volatility axis.
    pub volatility: crate::VolRegime,
}

/// What could not be judged, and why.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct LeftOut {
    /// The market.
    pub instrument: String,
    /// Why it is left out, in words.
    pub reason: String,
}

/// A basket judged as one, with what it was judged by.
#[derive(Clone, PartialEq, Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct PortfolioView {
    /// The hour whose correlations were used.
    #[cfg_attr(feature = "schema", schema(value_type = String, format = DateTime))]
    pub timestamp: crate::Ts,
    /// Since when that hour was known.
    #[cfg_attr(feature = "schema", schema(value_type = String, format = DateTime))]
    pub known_ts: crate::Ts,
    /// Where the weights come from.
    pub basket_from: BasketFrom,
    /// The basket, in the order of the weights.
    pub holdings: Vec<HoldingView>,
    /// What is held and not in the basket.
    pub left_out: Vec<LeftOut>,
    /// The judgement.
    pub portfolio: crate::universe::Portfolio,
}
