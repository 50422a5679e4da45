//! One interface for everything that names a regime: rules, filters, learnt models (R1.47, regimes §11).
//!
//! A classifier itself holds what is configured or fitted and never changes while it runs; all memory is in its state,
//! which is handed in, can be serialised, and belongs to one market. The same features and the same state give the same
//! verdict and the same next state.

use barograph_domain::{Span, Ts};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use std::borrow::Cow;

/// How far probabilities have been held against outcomes.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Calibration {
    /// Never, or on too few outcomes.
    #[default]
    Uncalibrated,
    /// On resolved forecasts (regimes §7).
    Calibrated,
}

impl Calibration {
    /// The word on the wire.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Uncalibrated => "uncalibrated",
            Self::Calibrated => "calibrated",
        }
    }
}

/// What a classifier says at one step.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Classification {
    /// The label.
    pub label: Cow<'static, str>,
    /// Probability of every label, in the classifier's order of labels; empty for rules, which are true or not.
    pub probabilities: Vec<(Cow<'static, str>, f64)>,
    /// Since when: of a label, since when it has been said without a break; of a change detector, since when its most
    /// probable run goes on.
    pub since: Ts,
    /// How long it is expected to go on; `None` where the classifier cannot say.
    pub expected_remaining: Option<Span>,
    /// Probability that the present stretch began only now; `None` where the classifier cannot say.
    pub recent_change: Option<f64>,
    /// See [`Calibration`].
    pub calibration: Calibration,
    /// What decided, as name and number, in a fixed order.
    pub trace: Vec<(Cow<'static, str>, f64)>,
}

impl Classification {
    /// How long that is at `now`.
    #[must_use]
    pub fn age(&self, now: Ts) -> Span {
        now - self.since
    }

    /// Probability of the label; `None` where the classifier gives none.
    #[must_use]
    pub fn probability(&self) -> Option<f64> {
        self.probabilities.iter().find(|(label, _)| *label == self.label).map(|(_, p)| *p)
    }
}

/// A classifier of regimes: pure, one step at a time.
pub trait Classifier {
    /// What it is shown at each step.
    type Features<'a>;
    /// Its memory of one market.
    type State: Clone + Serialize + DeserializeOwned;

    /// Its id on the wire: `rules`, `hmm`, `bocpd`.
    fn id(&self) -> &'static str;

    /// What its numbers come from, for the logic version and beside every reading.
    fn digest(&self) -> String;

    /// The memory it begins with.
    fn begin(&self) -> Self::State;

    /// Takes the features of the step that ends at `at`. `None` while it cannot say anything. Steps come in order of time;
    /// what was said is never taken back.
    fn classify(&self, at: Ts, features: Self::Features<'_>, state: &mut Self::State) -> Option<Classification>;
}
