//! Closed sets of words for regimes and guidance, spelt as on the wire (R1.37–R1.40, regimes §1).

use serde::{Deserialize, Serialize};

/// The four orthogonal axes of a regime (C03).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Axis {
    /// Crowding and volatility risk (first original).
    Risk,
    /// Direction (second original).
    Trend,
    /// Volatility class (fourth original).
    Volatility,
    /// Activity (fourth original).
    Heat,
}

impl Axis {
    /// The word in rule books and sentences.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Risk => "risk",
            Self::Trend => "trend",
            Self::Volatility => "volatility",
            Self::Heat => "heat",
        }
    }
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
    /// High volatility.
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
    /// As people say it within a sentence.
    #[must_use]
    pub const fn spoken(self) -> &'static str {
        match self {
            Self::Normal => "normal",
            Self::ChopRisk => "chop risk",
            Self::SqueezeRisk => "squeeze risk",
            Self::HighVol => "high volatility",
            Self::Unknown => NO_READING,
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

/// Said of every axis where a needed input is not ready.
const NO_READING: &str = "no reading";

/// A label as people say it within a sentence, from its word on the wire; `None` for a word that the axis does not have.
#[must_use]
pub fn spoken_label(axis: Axis, word: &str) -> Option<&'static str> {
    match axis {
        Axis::Risk => RiskRegime::of_word(word).map(Label::spoken),
        Axis::Trend => TrendRegime::of_word(word).map(Label::spoken),
        Axis::Volatility => VolRegime::of_word(word).map(Label::spoken),
        Axis::Heat => HeatRegime::of_word(word).map(Label::spoken),
    }
}

/// How far a published label is from turning, in words; in the unit of margins, the scale of the closest clause (regimes §7).
#[must_use]
pub const fn spoken_margin(margin: f64) -> &'static str {
    match margin {
        m if m < 0.25 => "about to turn",
        m if m < 1.0 => "near",
        _ => "far",
    }
}

/// What the labels of every axis have in common, so that one machine keeps the memory of each.
pub trait Label: Copy + Eq + core::fmt::Debug + Default + Send + Sync + 'static {
    /// The axis.
    const AXIS: Axis;
    /// Every label, in the order of their stored codes.
    const LABELS: &'static [Self];
    /// A needed input is not ready.
    const UNKNOWN: Self;
    /// The word on the wire.
    fn word(self) -> &'static str;
    /// As people say it within a sentence: "strong downtrend", "larger moves". No word is one of two axes.
    fn spoken(self) -> &'static str;
    /// Position in the axis's severity order; `None` for UNKNOWN and where an axis has no such order (trend, heat).
    fn severity(self) -> Option<u8>;
    /// Stored code: position in [`Self::LABELS`].
    #[expect(clippy::cast_possible_truncation, reason = "a handful of labels")]
    fn code(self) -> u8 {
        Self::LABELS.iter().position(|l| *l == self).unwrap_or(0) as u8
    }
    /// The label of a stored code.
    fn from_code(code: u8) -> Option<Self> {
        Self::LABELS.get(usize::from(code)).copied()
    }
    /// The label of a word.
    fn of_word(word: &str) -> Option<Self> {
        Self::LABELS.iter().copied().find(|l| l.word() == word)
    }
}

impl Label for RiskRegime {
    const AXIS: Axis = Axis::Risk;
    const LABELS: &'static [Self] = &Self::ALL;
    const UNKNOWN: Self = Self::Unknown;
    fn word(self) -> &'static str {
        self.name()
    }
    fn spoken(self) -> &'static str {
        self.spoken()
    }
    fn severity(self) -> Option<u8> {
        self.severity()
    }
}

macro_rules! labels {
    ($(#[$doc:meta])* $name:ident, $axis:ident, ordered: $ordered:literal, { $($(#[$vdoc:meta])* $variant:ident $word:literal $sign:literal $spoken:literal),* $(,)? }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default, Serialize, Deserialize)]
        #[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
        #[serde(rename_all = "SCREAMING_SNAKE_CASE")]
        pub enum $name {
            $($(#[$vdoc])* $variant,)*
            /// A needed input is not ready.
            #[default]
            Unknown,
        }
        impl $name {
            /// Every label, in the order of their stored codes.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)* Self::Unknown];
            /// The word on the wire.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => $word,)*
                    Self::Unknown => "UNKNOWN",
                }
            }
            /// As people say it within a sentence.
            #[must_use]
            pub const fn spoken(self) -> &'static str {
                match self {
                    $(Self::$variant => $spoken,)*
                    Self::Unknown => NO_READING,
                }
            }
            /// The sign beside the word: colour is never the only signal (UX section 2).
            #[must_use]
            pub const fn sign(self) -> &'static str {
                match self {
                    $(Self::$variant => $sign,)*
                    Self::Unknown => "?",
                }
            }
        }
        impl Label for $name {
            const AXIS: Axis = Axis::$axis;
            const LABELS: &'static [Self] = Self::ALL;
            const UNKNOWN: Self = Self::Unknown;
            fn word(self) -> &'static str {
                self.name()
            }
            fn spoken(self) -> &'static str {
                self.spoken()
            }
            fn severity(self) -> Option<u8> {
                ($ordered && self != Self::Unknown).then(|| self.code())
            }
        }
    };
}

labels! {
    /// Labels of the trend axis (R2.17), from the steepest rise to the steepest fall.
    TrendRegime, Trend, ordered: false, {
        /// Rising fast, `p < 0.05`.
        StrongUptrend "STRONG_UPTREND" "⇈" "strong uptrend",
        /// Rising, `p < 0.05`.
        Uptrend "UPTREND" "↑" "uptrend",
        /// Neither up nor down.
        Sideways "SIDEWAYS" "→" "sideways",
        /// Falling, `p < 0.05`.
        Downtrend "DOWNTREND" "↓" "downtrend",
        /// Falling fast, `p < 0.05`.
        StrongDowntrend "STRONG_DOWNTREND" "⇊" "strong downtrend",
    }
}

labels! {
    /// Labels of the volatility axis (R4.14), in order of severity.
    VolRegime, Volatility, ordered: true, {
        /// At most 1 % a day.
        Stable "STABLE" "▁" "steady moves",
        /// At most 5 % a day.
        HighVol "HIGH_VOL" "▃" "larger moves",
        /// At most 10 % a day.
        Explosive "EXPLOSIVE" "▅" "explosive moves",
        /// More than 10 % a day.
        Extreme "EXTREME" "▇" "extreme moves",
    }
}

labels! {
    /// Labels of the heat axis (R4.21), from least to most activity.
    HeatRegime, Heat, ordered: false, {
        /// Little activity and calm.
        Cold "COLD" "▰▱▱▱▱" "cold",
        /// Below the usual activity.
        Cool "COOL" "▰▰▱▱▱" "cool",
        /// The usual activity.
        Neutral "NEUTRAL" "▰▰▰▱▱" "neutral",
        /// Above the usual activity.
        Hot "HOT" "▰▰▰▰▱" "hot",
        /// Far above it, with the price far above its day.
        SuperHot "SUPER_HOT" "▰▰▰▰▰" "super hot",
    }
}

impl TrendRegime {
    /// Rising (+1), falling (−1) or neither (0).
    #[must_use]
    pub const fn direction(self) -> i8 {
        match self {
            Self::StrongUptrend | Self::Uptrend => 1,
            Self::StrongDowntrend | Self::Downtrend => -1,
            Self::Sideways | Self::Unknown => 0,
        }
    }
    /// One of the two strong labels.
    #[must_use]
    pub const fn is_strong(self) -> bool {
        matches!(self, Self::StrongUptrend | Self::StrongDowntrend)
    }
}

impl VolRegime {
    /// Caution and stop-distance multiplier (R4.15, C16); `None` for UNKNOWN.
    #[must_use]
    pub const fn risk_multiplier(self) -> Option<f64> {
        match self {
            Self::Stable => Some(0.7),
            Self::HighVol => Some(1.2),
            Self::Explosive => Some(1.8),
            Self::Extreme => Some(2.5),
            Self::Unknown => None,
        }
    }
    /// `min(1, 1 / risk_multiplier)` (C16); `None` for UNKNOWN.
    #[must_use]
    pub fn size_factor(self) -> Option<f64> {
        self.risk_multiplier().map(|m| (1.0 / m).min(1.0))
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
    /// For smaller sizes and wider stops.
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
