//! Liquidity levels: price zones with the five stamps of their life (features §4.1, R2.8, A12).
//!
//! A level is known from `known_at` on, never earlier, and what is set stays as it is: a cluster that grows appends a
//! revision with its own `known_at`.

use crate::{Kind, Side, Span, Ts};
use serde::{Deserialize, Serialize};

/// What made a level.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum LevelType {
    /// Two or more swing highs within the tolerance.
    EqualHighs,
    /// Two or more swing lows within the tolerance.
    EqualLows,
    /// The last falling bar before a break upwards.
    BullishOb,
    /// The last rising bar before a break downwards.
    BearishOb,
    /// A gap of three bars on the way up.
    BullishFvg,
    /// A gap of three bars on the way down.
    BearishFvg,
    /// A local maximum of the volume profile.
    VolumeNode,
    /// A bar above its neighbours.
    SwingHigh,
    /// A bar below its neighbours.
    SwingLow,
    /// Highest price of a completed session.
    SessionHigh,
    /// Lowest price of a completed session.
    SessionLow,
    /// Highest price of a completed UTC day.
    PrevDayHigh,
    /// Lowest price of a completed UTC day.
    PrevDayLow,
    /// A price range of much realised liquidation.
    LiquidationZone,
}

impl LevelType {
    /// Every type, in the order of their stored codes.
    pub const ALL: [Self; 14] = [
        Self::EqualHighs,
        Self::EqualLows,
        Self::BullishOb,
        Self::BearishOb,
        Self::BullishFvg,
        Self::BearishFvg,
        Self::VolumeNode,
        Self::SwingHigh,
        Self::SwingLow,
        Self::SessionHigh,
        Self::SessionLow,
        Self::PrevDayHigh,
        Self::PrevDayLow,
        Self::LiquidationZone,
    ];
    /// As people say it within a sentence.
    #[must_use]
    pub const fn spoken(self) -> &'static str {
        match self {
            Self::EqualHighs => "equal highs",
            Self::EqualLows => "equal lows",
            Self::BullishOb => "bullish order block",
            Self::BearishOb => "bearish order block",
            Self::BullishFvg => "bullish fair value gap",
            Self::BearishFvg => "bearish fair value gap",
            Self::VolumeNode => "volume node",
            Self::SwingHigh => "swing high",
            Self::SwingLow => "swing low",
            Self::SessionHigh => "session high",
            Self::SessionLow => "session low",
            Self::PrevDayHigh => "previous day's high",
            Self::PrevDayLow => "previous day's low",
            Self::LiquidationZone => "liquidation zone",
        }
    }
    /// The word on the wire.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::EqualHighs => "EQUAL_HIGHS",
            Self::EqualLows => "EQUAL_LOWS",
            Self::BullishOb => "BULLISH_OB",
            Self::BearishOb => "BEARISH_OB",
            Self::BullishFvg => "BULLISH_FVG",
            Self::BearishFvg => "BEARISH_FVG",
            Self::VolumeNode => "VOLUME_NODE",
            Self::SwingHigh => "SWING_HIGH",
            Self::SwingLow => "SWING_LOW",
            Self::SessionHigh => "SESSION_HIGH",
            Self::SessionLow => "SESSION_LOW",
            Self::PrevDayHigh => "PREV_DAY_HIGH",
            Self::PrevDayLow => "PREV_DAY_LOW",
            Self::LiquidationZone => "LIQUIDATION_ZONE",
        }
    }
    /// The type of this word.
    #[must_use]
    pub fn from_name(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|t| t.name() == word)
    }
    /// Stored code: position in [`Self::ALL`].
    #[must_use]
    pub const fn code(self) -> u8 {
        self as u8
    }
}

/// One level as of one moment (the latest revision known then).
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Level {
    /// Name-based UUID of (symbol, timeframe, type, `formed_at`, price rounded to the tick); the same for all revisions.
    pub level_id: String,
    /// Counts from 1; a cluster that takes another member has a further one.
    pub revision: u32,
    /// What made it.
    pub kind: LevelType,
    /// Timeframe of the bars.
    pub timeframe: Span,
    /// Whose stops or liquidations lie there; `None` for what has no side (volume node).
    pub side: Option<Side>,
    /// Reference price.
    pub price: f64,
    /// Upper edge, at least `price`.
    pub top: f64,
    /// Lower edge, at most `price`.
    pub bottom: f64,
    /// Close of the bar that carries the price.
    pub formed_at: Ts,
    /// Close of the bar that completes the definition.
    pub confirmed_at: Ts,
    /// When this revision may first be used.
    pub known_at: Ts,
    /// Close of the first later bar whose range enters the zone.
    pub touched_at: Option<Ts>,
    /// Close of the first later bar that trades through the far edge (the type's own rule).
    pub mitigated_at: Option<Ts>,
    /// Close of the first bar that swept it.
    pub swept_at: Option<Ts>,
    /// Touches after confirmation.
    pub touches: u32,
    /// Base volume of the defining bar; `None` where bars have none.
    pub volume: Option<f64>,
    /// In [0, 1] (features §4.9).
    pub strength: f64,
    /// Measured or modelled.
    pub source: Kind,
}

/// What happened to a level (features §4.3).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum LevelEvent {
    /// It became known.
    Known,
    /// A cluster took another member.
    Revised,
    /// A bar entered the zone.
    Touched,
    /// A bar went beyond it and closed back.
    Swept,
    /// A bar traded through the far edge without closing beyond it, or the level left its profile.
    Mitigated,
    /// A bar traded through the far edge and closed beyond it.
    Broken,
}

impl LevelEvent {
    /// Every one, in the order of their stored codes.
    pub const ALL: [Self; 6] = [Self::Known, Self::Revised, Self::Touched, Self::Swept, Self::Mitigated, Self::Broken];
    /// The word on the wire.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Known => "KNOWN",
            Self::Revised => "REVISED",
            Self::Touched => "TOUCHED",
            Self::Swept => "SWEPT",
            Self::Mitigated => "MITIGATED",
            Self::Broken => "BROKEN",
        }
    }
    /// Stored code: position in [`Self::ALL`].
    #[must_use]
    pub const fn code(self) -> u8 {
        self as u8
    }
}

/// Something that happened to a level, with the level after it: what is stored and streamed.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct LevelChange {
    /// What happened.
    pub event: LevelEvent,
    /// Close of the bar at which it happened.
    pub at: Ts,
    /// When this may first be used.
    pub known_at: Ts,
    /// The level after it; its strength is that of this bar.
    pub level: Level,
    /// Members of a cluster, or defining touches; 1 for everything else.
    pub members: u32,
    /// Mid-rank in [0, 1] of the defining bar's volume, one factor of the strength.
    pub volume_rank: f64,
}
