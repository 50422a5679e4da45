//! What a user says about the trade in hand. Every number is checked before it is used; fields not given stay absent.

use serde::{Deserialize, Serialize};

/// The trade in mind: side, entry and stop are the user's, all else is optional.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct AdviceRequest {
    /// `venue:symbol` or a symbol that one market answers to.
    pub symbol: String,
    /// The side the user chose: `long` or `short`.
    pub side: String,
    /// Price at which the trade would begin.
    pub entry: f64,
    /// The user's stop; absent: the computed one is used where there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stop: Option<f64>,
    /// The user's name of the strategy; repeated in the answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub strategy: Option<String>,
    /// Account value in quote units.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub equity: Option<f64>,
    /// The size the user has in mind, base units.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub size: Option<f64>,
    /// Average true range of the user's own timeframe; absent: ATR(14) of the snapshot.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub atr: Option<f64>,
    /// Largest share of equity the user puts at risk; 0.01 unless given, and never more than 0.01 in effect.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user_cap: Option<f64>,
    /// Share of equity the user usually puts at risk; the cap unless given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub base_risk: Option<f64>,
    /// Notional over equity; 3 unless given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_leverage: Option<f64>,
    /// Fee of one execution as a fraction; 0.0005 unless given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub taker_fee: Option<f64>,
    /// Half the spread in quote units; 0 unless given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub half_spread: Option<f64>,
    /// Smallest step of the price.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tick: Option<f64>,
    /// Smallest step of the size.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lot: Option<f64>,
    /// Smallest notional the venue accepts, quote units.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min_notional: Option<f64>,
    /// Resolved trades of the same strategy; opens the Kelly gate from 100 on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trades: Option<TradeRecord>,
    /// The entry is meant as it is, however far it lies from the market; without it such an entry is refused.
    #[serde(default, skip_serializing_if = "core::ops::Not::not")]
    pub confirm: bool,
    /// Answer with what was known at that moment, ISO-8601; absent: now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub as_of: Option<String>,
}

/// How the trades of a strategy ended.
#[derive(Clone, Copy, PartialEq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct TradeRecord {
    /// Trades that ended above zero.
    pub wins: u32,
    /// All resolved trades.
    pub n: u32,
    /// Mean of the wins in units of risk.
    pub average_win: f64,
    /// Mean size of the losses in units of risk, positive.
    pub average_loss: f64,
}
