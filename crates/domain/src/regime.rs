//! Closed sets of words for regimes and guidance, spelt as on the wire (R1.37–R1.40, regimes §1).

use serde::{Deserialize, Serialize};

/// The four orthogonal axes of a regime (C03).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Axis {
    /// Crowding and volatility risk (seed 1).
    Risk,
    /// Direction (seed 2).
    Trend,
    /// Volatility class (seed 4).
    Volatility,
    /// Activity (seed 4).
    Heat,
}

/// Labels of the risk axis, in order of severity; `Unknown` stands outside that order.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum RiskRegime {
    /// No extremes.
    Normal,
    /// Volatile without new positions.
    ChopRisk,
    /// Crowded, growing and quiet.
    SqueezeRisk,
    /// Extreme volatility.
    HighVol,
    /// A needed input is not ready and no other rule decides.
    #[default]
    Unknown,
}

impl RiskRegime {
    /// Every label, in the order of their stored codes.
    pub const ALL: [Self; 5] = [Self::Normal, Self::ChopRisk, Self::SqueezeRisk, Self::HighVol, Self::Unknown];
    /// The word on the wire.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Normal => "NORMAL",
            Self::ChopRisk => "CHOP_RISK",
            Self::SqueezeRisk => "SQUEEZE_RISK",
            Self::HighVol => "HIGH_VOL",
            Self::Unknown => "UNKNOWN",
        }
    }
    /// The label of this word.
    #[must_use]
    pub fn from_name(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|l| l.name() == word)
    }
    /// The sign beside the word: colour is never the only signal (UX section 2).
    #[must_use]
    pub const fn sign(self) -> &'static str {
        match self {
            Self::Normal => "○",
            Self::ChopRisk => "≈",
            Self::SqueezeRisk => "⇥",
            Self::HighVol => "⚡",
            Self::Unknown => "?",
        }
    }
    /// Position in the severity order, NORMAL 0 to HIGH_VOL 3; `None` for UNKNOWN.
    #[must_use]
    pub const fn severity(self) -> Option<u8> {
        match self {
            Self::Normal => Some(0),
            Self::ChopRisk => Some(1),
            Self::SqueezeRisk => Some(2),
            Self::HighVol => Some(3),
            Self::Unknown => None,
        }
    }
}

/// Why the published label differs from the raw one.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum HeldBy {
    /// It does not differ.
    #[default]
    None,
    /// The relaxed exit thresholds still hold.
    Hysteresis,
    /// A new label has not stood long enough, or the old one not yet its minimum time.
    Dwell,
}

/// Caution in the choice of size and stops (R1.38), from most to least cautious.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum RiskBias {
    /// Caution.
    Conservative,
    /// Usual tolerance.
    Neutral,
    /// Favourable conditions; never above 1 % risk per trade (R1.41).
    Aggressive,
}

/// What to do with open positions (R1.40), from strictest to freest.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Posture {
    /// Consider reducing or closing.
    Reduce,
    /// Keep what you have.
    Hold,
    /// Usual conditions.
    Normal,
    /// Favourable conditions.
    Aggressive,
}

/// Estimated density of stops near the price (R1.39), per side.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum StopVulnerability {
    /// Stops spread out.
    Low,
    /// Some clustering.
    Medium,
    /// Heavy clustering.
    High,
}

impl RiskBias {
    /// The word on the wire.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Conservative => "CONSERVATIVE",
            Self::Neutral => "NEUTRAL",
            Self::Aggressive => "AGGRESSIVE",
        }
    }
}
impl Posture {
    /// The word on the wire.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Reduce => "REDUCE",
            Self::Hold => "HOLD",
            Self::Normal => "NORMAL",
            Self::Aggressive => "AGGRESSIVE",
        }
    }
}
impl StopVulnerability {
    /// Every level, in the order of their stored codes.
    pub const ALL: [Self; 3] = [Self::Low, Self::Medium, Self::High];
    /// The word on the wire.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Low => "LOW",
            Self::Medium => "MEDIUM",
            Self::High => "HIGH",
        }
    }
}
