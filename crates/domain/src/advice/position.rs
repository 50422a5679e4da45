//! Positions the user has registered, and the notices about what changed around them (R1.71–R1.74).
//!
//! A position is what the user says it is: nobody asks a venue, nothing is closed or moved from here.

use super::{NoticeLevel, StopState, codes};
use crate::{InstrumentName, Posture, RiskBias, RiskRegime, Side, Ts, VolRegime};
use serde::{Deserialize, Serialize};

/// What a user registers.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct NewPosition {
    /// `venue:symbol` or a symbol that one market answers to.
    pub symbol: String,
    /// The side that is held: `long` or `short`.
    pub side: String,
    /// Entry price.
    pub entry: f64,
    /// Stop, where there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stop: Option<f64>,
    /// Size in base units.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub size: Option<f64>,
    /// The user's name of the strategy.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub strategy: Option<String>,
    /// When it was entered, ISO-8601; absent: now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub opened_at: Option<String>,
    /// The user's own id; absent: made from the other fields.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// These numbers are meant as they are: a stop past the entry is a trailed one, an entry far from the market an old one.
    #[serde(default, skip_serializing_if = "core::ops::Not::not")]
    pub confirm: bool,
}

/// A registered position.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Position {
    /// Its id.
    pub id: String,
    /// `venue:symbol`.
    #[cfg_attr(feature = "schema", schema(value_type = String))]
    pub instrument: InstrumentName,
    /// The side that is held, as given.
    #[cfg_attr(feature = "schema", schema(value_type = String))]
    pub side: Side,
    /// Entry price.
    pub entry: f64,
    /// Stop, where there is one.
    pub stop: Option<f64>,
    /// Size in base units.
    pub size: Option<f64>,
    /// The user's name of the strategy.
    pub strategy: Option<String>,
    /// When it was entered.
    #[cfg_attr(feature = "schema", schema(value_type = String, format = DateTime))]
    pub opened_at: Ts,
    /// Registered by the positions file (`file`) or through API or command line (`user`).
    pub registered_by: PositionBook,
}

/// Who keeps a position.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum PositionBook {
    /// API or command line.
    User,
    /// The positions file: it goes when its entry goes.
    File,
}

codes! {
    /// What a notice is about (risk §7).
    NoticeTrigger {
        /// The risk label became SQUEEZE_RISK (R1.72).
        Squeeze "risk_to_squeeze",
        /// The risk label became HIGH_VOL.
        HighVol "risk_to_high_vol",
        /// The risk label became CHOP_RISK.
        Chop "risk_to_chop",
        /// The risk label became NORMAL.
        Normal "risk_to_normal",
        /// There is no usable reading.
        Unavailable "context_unavailable",
        /// The bias became CONSERVATIVE (R1.74).
        Conservative "bias_conservative",
        /// The volatility class rose.
        Volatility "VOLATILITY_REGIME_CHANGE",
        /// The price is at the stop or beyond it.
        StopReached "stop_reached",
        /// The stop lies on a level that formed after the entry.
        StopOnLevel "stop_on_new_level",
        /// A liquidation cascade in this market.
        Cascade "LIQUIDATION_CASCADE",
    }
}

/// The mark beside a position (R1.73).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum PositionFlag {
    /// Nothing to mark.
    #[default]
    None,
    /// The context asks for a look.
    Yellow,
    /// There is no usable context.
    Grey,
}

/// The context of a market as a notice tells it.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct ContextBrief {
    /// Grid instant of the reading.
    #[cfg_attr(feature = "schema", schema(value_type = String, format = DateTime))]
    pub timestamp: Ts,
    /// The snapshot.
    pub snapshot_id: String,
    /// Risk label.
    pub risk: RiskRegime,
    /// When it was entered.
    #[cfg_attr(feature = "schema", schema(value_type = String, format = DateTime))]
    pub since: Ts,
    /// Bias.
    pub risk_bias: RiskBias,
    /// Posture.
    pub posture: Posture,
    /// Volatility class; null where it is not there.
    pub volatility: Option<VolRegime>,
    /// Price.
    pub price: Option<f64>,
    /// The minute that the price is of: recorded history and a lost feed have old ones.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schema(value_type = Option<String>, format = DateTime))]
    pub price_at: Option<Ts>,
    /// An input was too old.
    pub stale: bool,
}

/// Something changed around a position.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema), schema(as = Notice))]
pub struct PositionNotice {
    /// Name-based UUID of (position, trigger, episode, repetition).
    pub notice_id: String,
    /// The position.
    pub position_id: String,
    /// Its market.
    #[cfg_attr(feature = "schema", schema(value_type = String))]
    pub instrument: InstrumentName,
    /// The minute it is about.
    #[cfg_attr(feature = "schema", schema(value_type = String, format = DateTime))]
    pub timestamp: Ts,
    /// What it is about.
    pub trigger: NoticeTrigger,
    /// Its weight.
    pub level: NoticeLevel,
    /// The mark of the position after it.
    pub flag: PositionFlag,
    /// In words.
    pub text: String,
    /// The market at that moment in one or two sentences; empty where it is not known.
    #[serde(default)]
    pub headline: String,
    /// For positions already held.
    pub open_positions: String,
    /// For entries not yet made.
    pub new_entries: String,
    /// Start of the episode it belongs to.
    #[cfg_attr(feature = "schema", schema(value_type = String, format = DateTime))]
    pub episode: Ts,
    /// 0 for the first notice of an episode; it is told again while it lasts, once a day.
    pub repeat: u32,
    /// The context before; null for what has none.
    pub old: Option<ContextBrief>,
    /// The context now.
    pub new: ContextBrief,
}

/// A position with what is around it now.
#[derive(Clone, PartialEq, Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct PositionCard {
    /// The position.
    pub position: Position,
    /// Its mark.
    pub flag: PositionFlag,
    /// The context now; null before the first reading.
    pub context: Option<ContextBrief>,
    /// "Market context: CONSERVATIVE (high caution)" while the bias is CONSERVATIVE.
    pub card: Option<String>,
    /// Guidance, apart for what is held and what is not yet.
    pub guidance: Option<PositionTexts>,
    /// The stop against the price; null without a stop or a price.
    pub stop_state: Option<StopState>,
    /// Newest notices first.
    pub notices: Vec<PositionNotice>,
}

/// Guidance in words, split (C08).
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct PositionTexts {
    /// For positions already held.
    pub open_positions: String,
    /// For entries not yet made.
    pub new_entries: String,
}
