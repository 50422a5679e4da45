//! The contest of forecasters, as far as it is kept and judged: whose ledger is whose, and what their records amount to (regimes §11,
//! verification §4.1).
//!
//! Contestants state probabilities for the same events at the same ticks as the rules, and every one has a ledger of its own in the
//! same form, under a logic version that names the rules' one, the contestant and the digest of its parameters. Who makes the
//! statements is elsewhere (`lab`); here nothing is fitted.

mod parameters;
mod standing;

pub use parameters::{
    BOOST, BoostRules, CASES_MIN, EMBARGO, EPISODES_MIN, LOGISTIC, LogisticRules, OUTLIER_SHARE, REFIT, RIDGE,
    TRAINED_ON, TrainingGrid, week_begins, week_of,
};
pub use standing::{CaseLoss, NON_OVERLAPPING_MIN, Numbering, RESOLVED_MIN, standing, standing_of_rules};

use barograph_domain::forecast::{ForecastEvent, Forecaster};
use sha2::{Digest as _, Sha256};

/// Who takes part beside the rules.
pub const CONTESTANTS: [Forecaster; 4] =
    [Forecaster::Hmm, Forecaster::Bocpd, Forecaster::Logistic, Forecaster::Boosting];

/// What they forecast.
pub const EVENTS: [ForecastEvent; 8] = ForecastEvent::EVERY_TICK;

fn digest(text: &str) -> String {
    Sha256::digest(text.as_bytes()).iter().take(6).map(|b| format!("{b:02x}")).collect()
}

/// Logic version of a forecaster's ledger beside that of the rules: theirs is their own, a contestant's names it and the digest of its
/// parameters, so that another parameter begins another ledger.
#[must_use]
pub fn ledger_of(rules: &str, who: Forecaster) -> String {
    match who {
        Forecaster::Rules => rules.to_owned(),
        Forecaster::Hmm | Forecaster::Bocpd | Forecaster::Logistic | Forecaster::Boosting => {
            format!("{rules}~{}.{}", who.id(), digest(&parameters::of(who)))
        }
    }
}

/// Where the state of the contest itself is kept; no tick is ever stored under it.
#[must_use]
pub fn state_of(rules: &str) -> String {
    let all: String = CONTESTANTS.into_iter().map(parameters::of).collect();
    format!("{rules}~contest.{}", digest(&all))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_ledger_has_a_name_of_its_own() {
        let mut names: Vec<String> = Forecaster::ALL.into_iter().map(|f| ledger_of("v1+a", f)).collect();
        assert_eq!(names[0], "v1+a");
        assert!(names[1].starts_with("v1+a~hmm.") && names[1].len() == "v1+a~hmm.".len() + 12, "{}", names[1]);
        names.push(state_of("v1+a"));
        names.sort();
        names.dedup();
        assert_eq!(names.len(), 6);
        assert_ne!(ledger_of("v1+a", Forecaster::Hmm), ledger_of("v1+b", Forecaster::Hmm));
    }
}
