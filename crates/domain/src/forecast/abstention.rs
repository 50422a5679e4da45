//! Why a forecast has no probability.

use serde::{Deserialize, Serialize};

/// Why there is no probability (regimes §7, abstention).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Abstention {
    /// Fewer than 100 resolved forecasts under this label.
    FewForecasts,
    /// Fewer than 30 windows of them that do not overlap.
    FewEpisodes,
    /// Only one outcome has been seen.
    OneOutcome,
    /// The 90 % interval is wider than 0.5.
    WideInterval,
    /// The axis gives no label, or its margin cannot be measured.
    NoLabel,
    /// An input is stale.
    Stale,
    /// The moment lies outside what the model was fitted on.
    Outlier,
    /// Nothing states a probability for this event.
    NotModelled,
}

impl Abstention {
    /// Every reason, in the order of their stored codes.
    pub const ALL: [Self; 8] = [
        Self::FewForecasts,
        Self::FewEpisodes,
        Self::OneOutcome,
        Self::WideInterval,
        Self::NoLabel,
        Self::Stale,
        Self::Outlier,
        Self::NotModelled,
    ];

    /// The word on the wire.
    #[must_use]
    pub const fn id(self) -> &'static str {
        match self {
            Self::FewForecasts => "few_forecasts",
            Self::FewEpisodes => "few_episodes",
            Self::OneOutcome => "one_outcome",
            Self::WideInterval => "wide_interval",
            Self::NoLabel => "no_label",
            Self::Stale => "stale",
            Self::Outlier => "outlier",
            Self::NotModelled => "not_modelled",
        }
    }

    /// As people read it.
    #[must_use]
    pub const fn spoken(self) -> &'static str {
        match self {
            Self::FewForecasts => "fewer than 100 earlier cases under this label",
            Self::FewEpisodes => "fewer than 30 separate earlier cases under this label",
            Self::OneOutcome => "all earlier cases ended the same way",
            Self::WideInterval => "earlier cases leave too wide a range",
            Self::NoLabel => "the label or its margin is not known",
            Self::Stale => "an input is too old",
            Self::Outlier => "unlike anything the model has seen",
            Self::NotModelled => "no probability is made for this event",
        }
    }
}
