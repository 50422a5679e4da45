//! What a line of the catalogue says, and the words of enumerations.

use super::Feature;
use barograph_domain::Metric;

/// What a reading's number stands for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ValueType {
    /// A number.
    Number,
    /// 0 or 1.
    Bool,
    /// Index into the words.
    Enum(&'static [&'static str]),
}

/// How the value comes about; properties differ by kind (features §10).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Update {
    /// A function of current readings only.
    Instant,
    /// A function of the samples inside its window: two engines agree bit for bit once neither is partial.
    Window,
    /// A recursion from its first sample: two engines agree to 1e-9 after its half-life has passed ten times.
    Recursive,
}

/// One line of the catalogue.
#[derive(Clone, Copy, Debug)]
pub struct FeatureSpec {
    /// Which feature.
    pub feature: Feature,
    /// Name in code, API and storage.
    pub id: &'static str,
    /// Bumped when the arithmetic changes.
    pub version: u16,
    /// Group heading.
    pub group: &'static str,
    /// Unit of the value.
    pub unit: &'static str,
    /// Number, flag or enumeration.
    pub value: ValueType,
    /// Definition in one line; what a rule book states stands as `{key}`, see [`Self::formula`].
    pub definition: &'static str,
    /// Metrics it needs; used for `not_offered` and for naming sources.
    pub inputs: &'static [Metric],
    /// Window and clock.
    pub window: &'static str,
    /// Samples needed before it is ready.
    pub warm_up: &'static str,
    /// How it is kept up to date.
    pub update: Update,
    /// The feature whose history this percentile ranks (regimes §10.1: the two are one feature when flipped).
    pub ranks: Option<Feature>,
    /// Margin unit (regimes §7) used by clauses that state none.
    pub scale: Option<f64>,
    /// Requirement ids.
    pub source: &'static str,
    /// What people call it in a sentence.
    pub spoken: &'static str,
}

/// What a line says that says nothing else.
pub(super) const BASE: FeatureSpec = FeatureSpec {
    feature: Feature::FundingRate8h,
    id: "",
    version: 1,
    group: "",
    unit: "",
    value: ValueType::Number,
    definition: "",
    inputs: &[],
    window: "instant",
    warm_up: "1",
    update: Update::Window,
    ranks: None,
    scale: None,
    source: "",
    spoken: "",
};

/// Words of `squeeze_direction`, in code order.
pub const SQUEEZE_DIRECTION: &[&str] = &["LONG_SQUEEZE", "SHORT_SQUEEZE"];
/// Words of `oi_price_quadrant`, in code order.
pub const OI_PRICE_QUADRANT: &[&str] = &["FLAT", "LONGS_OPENING", "SHORTS_OPENING", "SHORTS_CLOSING", "LONGS_CLOSING"];
/// Words of the stop vulnerability features, in code order.
pub const STOP_LEVELS: &[&str] = &["LOW", "MEDIUM", "HIGH"];

/// Words of `session`, in code order.
pub const SESSIONS: &[&str] = &["ASIAN", "LONDON", "NY", "ROLLOVER"];
/// Words of `vol_class`, in code order.
pub const VOL_CLASS: &[&str] = &["STABLE", "HIGH_VOL", "EXPLOSIVE", "EXTREME"];
/// Words of `funding_anomaly_reasons`, in code order: every combination.
pub use crate::features::funding_signals::ANOMALY_REASONS;
/// Words of `liq_side_bias`, in code order.
pub use crate::liquidations::slots::SIDE_BIAS;
/// Words of `vol_class_pct`, in code order.
pub const VOL_CLASS_PCT: &[&str] = &["LOW", "NORMAL", "HIGH", "EXTREME"];
