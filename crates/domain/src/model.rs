//! What a statistical classifier says of a market, as it stands in a row beside the rules (regimes §11).
//!
//! Such readings are shown and scored; they enter no rule, and their probabilities are not calibrated.

use crate::{Span, Ts};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A statistical classifier.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Model {
    /// Hidden Markov model of hourly volatility and return, filtered forward.
    Hmm,
    /// Bayesian online change-point detection on hourly returns.
    Bocpd,
}

impl Model {
    /// Every classifier, in the order of their stored codes.
    pub const ALL: [Self; 2] = [Self::Hmm, Self::Bocpd];
    /// The id on the wire.
    #[must_use]
    pub const fn id(self) -> &'static str {
        match self {
            Self::Hmm => "hmm",
            Self::Bocpd => "bocpd",
        }
    }
    /// What it can say, in the order of its probabilities.
    #[must_use]
    pub const fn states(self) -> &'static [ModelState] {
        match self {
            Self::Hmm => &[ModelState::Low, ModelState::Mid, ModelState::High],
            Self::Bocpd => &[ModelState::RecentChange, ModelState::Steady],
        }
    }
}

/// What a classifier can say.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum ModelState {
    /// The hidden state of least volatility.
    Low,
    /// The one between.
    Mid,
    /// The hidden state of most volatility.
    High,
    /// The present run of returns more probably began within the last five hours than not.
    RecentChange,
    /// It more probably did not.
    Steady,
}

impl ModelState {
    /// Every state, in the order of their stored codes.
    pub const ALL: [Self; 5] = [Self::Low, Self::Mid, Self::High, Self::RecentChange, Self::Steady];
    /// The word on the wire.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Low => "LOW",
            Self::Mid => "MID",
            Self::High => "HIGH",
            Self::RecentChange => "RECENT_CHANGE",
            Self::Steady => "STEADY",
        }
    }
}

/// One classifier at one moment.
#[derive(Clone, Copy, PartialEq, Debug, Serialize, Deserialize)]
pub struct ModelReading {
    /// The classifier.
    pub model: Model,
    /// The most probable state; `None` while it warms up.
    pub state: Option<ModelState>,
    /// Probability of each of [`Model::states`]; 0 where it has fewer, and while it warms up.
    pub probabilities: [f64; 3],
    /// Hidden states: since when the state has been the most probable one. Change detection: since when the most probable run
    /// goes on. Meaningless while it warms up.
    pub since: Ts,
    /// How long the state is expected to go on; `None` where the classifier cannot say.
    pub expected_remaining: Option<Span>,
    /// Probability that the present run began within the last five hours; `None` where the classifier cannot say.
    pub recent_change: Option<f64>,
    /// Observed hours.
    pub have: u32,
    /// Observed hours it begins with.
    pub need: u32,
    /// First 48 bits of the SHA-256 of its parameters; 0 before it has any.
    pub digest: u64,
    /// Nothing after this moment entered its parameters; `None` before the first fit, and of a classifier without one.
    pub fitted_until: Option<Ts>,
}

impl ModelReading {
    /// Probability of its state; `None` while it warms up.
    #[must_use]
    pub fn probability(&self) -> Option<f64> {
        let at = self.model.states().iter().position(|s| Some(*s) == self.state)?;
        self.probabilities.get(at).copied()
    }

    /// Twelve hex digits of the parameters; `None` before it has any.
    #[must_use]
    pub fn digest_text(&self) -> Option<String> {
        (self.digest != 0).then(|| format!("{:012x}", self.digest))
    }
}

/// One classifier in a snapshot. It stands beside the rules and enters none of them.
#[derive(Clone, PartialEq, Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct ModelView {
    /// `hmm`: hidden states of hourly volatility and return; `bocpd`: change points of hourly returns.
    pub classifier: &'static str,
    /// Always `shadow`: scored, never in force.
    pub role: &'static str,
    /// The most probable state; null while it warms up.
    pub state: Option<ModelState>,
    /// Its probability, filtered from the past only.
    pub probability: Option<f64>,
    /// Probability of every state; empty while it warms up.
    #[cfg_attr(feature = "schema", schema(value_type = BTreeMap<String, f64>))]
    pub probabilities: BTreeMap<&'static str, f64>,
    /// `hmm`: since when the state has been the most probable one. `bocpd`: since when the most probable run goes on.
    #[cfg_attr(feature = "schema", schema(value_type = Option<String>, format = DateTime))]
    pub since: Option<Ts>,
    /// Seconds since then.
    pub age_s: Option<i64>,
    /// Seconds the state is expected to go on; null where the classifier cannot say.
    pub expected_remaining_s: Option<i64>,
    /// Probability that the present run began within the last five hours; null where the classifier cannot say.
    pub recent_change: Option<f64>,
    /// First 12 hex digits of the SHA-256 of its parameters.
    pub parameters: Option<String>,
    /// Nothing after this moment entered its parameters; null of a classifier without a fit.
    #[cfg_attr(feature = "schema", schema(value_type = Option<String>, format = DateTime))]
    pub fitted_until: Option<Ts>,
    /// Always `uncalibrated` so far.
    pub calibration: &'static str,
    /// Observed hours.
    pub hours: u32,
    /// Observed hours it begins with.
    pub hours_needed: u32,
    /// Why there is no state; null when there is one.
    pub reason: Option<&'static str>,
}
