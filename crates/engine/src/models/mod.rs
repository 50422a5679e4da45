//! Statistical regimes beside the rules, behind one interface (regimes §11, R1.47).
//!
//! A classifier takes the features of one step and its own state, and says a label with probabilities, its age, how long it
//! is expected to go on, how far its probabilities are calibrated, and why. `hmm` filters hidden states, `bocpd` watches for
//! changes; both run in shadow, uncalibrated, and enter no rule. Fits are pure functions of a window of the past
//! ([`fitting`]); who runs them decides on which thread, and their results enter at a stated moment.
//! Reading order: `classify`, `observation`, `hmm`, `bocpd`, `fitting`, `market`,
//! `policy`, `runner`.

pub mod bocpd;
pub mod classify;
pub mod fitting;
pub mod hmm;
pub mod market;
pub mod observation;
pub mod policy;
pub mod rules;
pub mod runner;
mod shadow;

pub use bocpd::Bocpd;
pub use classify::{Calibration, Classification, Classifier};
pub use fitting::{FitRequest, ModelUpdate};
pub use market::{ClassifierReading, MarketModels};
pub use observation::{HourReadings, Hourly, Observation};
pub use policy::{Fits, ModelMarkets, ModelPolicy};
pub use rules::{RuleAxis, RuleInputs};
pub use runner::Runner;
pub use shadow::{CHANGE_WORDS, ChangeWatch, FIRST_WORD_H, HiddenState, HiddenStates, STATE_WORDS};

use sha2::{Digest as _, Sha256};

/// First 12 hex digits of the SHA-256.
fn digest(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().take(6).map(|b| format!("{b:02x}")).collect()
}
