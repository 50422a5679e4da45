//! The two statistical classifiers behind the interface, over hourly observations.

use super::bocpd::{self, Bocpd};
use super::classify::{Calibration, Classification, Classifier};
use super::digest;
use super::hmm::{HmmFilter, HmmParams};
use super::observation::Observation;
use barograph_domain::{Span, Ts};
use serde::{Deserialize, Serialize};
use std::borrow::Cow;

/// Words of three states in ascending order of mean ln rv.
pub const STATE_WORDS: [&str; 3] = ["LOW", "MID", "HIGH"];

fn state_word(states: usize, state: usize) -> Cow<'static, str> {
    match (states, state) {
        (3, j) => Cow::Borrowed(STATE_WORDS[j]),
        (2, 0) => Cow::Borrowed(STATE_WORDS[0]),
        (2, _) => Cow::Borrowed(STATE_WORDS[2]),
        (_, j) => Cow::Owned(format!("STATE_{j}")),
    }
}

/// Filtered hidden states under frozen parameters.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct HiddenStates {
    /// The parameters, states in order of mean ln rv.
    pub params: HmmParams,
}

/// Memory of [`HiddenStates`].
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
pub struct HiddenState {
    filter: HmmFilter,
    /// The most probable state, and since when it has been.
    stretch: Option<(usize, Ts)>,
}

impl HiddenState {
    /// The filter, for predictions.
    #[must_use]
    pub const fn filter(&self) -> &HmmFilter {
        &self.filter
    }
}

impl Classifier for HiddenStates {
    type Features<'a> = &'a Observation;
    type State = HiddenState;

    fn id(&self) -> &'static str {
        "hmm"
    }

    fn digest(&self) -> String {
        self.params.digest()
    }

    fn begin(&self) -> HiddenState {
        HiddenState::default()
    }

    fn classify(&self, at: Ts, features: &Observation, state: &mut HiddenState) -> Option<Classification> {
        let params = &self.params;
        let k = params.states();
        let predicted = state.filter.predict(params, usize::from(state.stretch.is_some()));
        let ln_likelihood = state.filter.step(params, features.y.as_ref().map(|y| &y[..]));
        let best = state.filter.best(params);
        let since = state.stretch.filter(|(s, _)| *s == best).map_or(at, |(_, since)| since);
        state.stretch = Some((best, since));
        let now = state.filter.probabilities(params);
        let mut trace: Vec<(Cow<'static, str>, f64)> = Vec::with_capacity(k + 3);
        if let Some([ln_rv, ratio]) = features.y {
            trace.push((Cow::Borrowed("ln_rv_1h"), ln_rv));
            trace.push((Cow::Borrowed("r_over_rv_1h"), ratio));
            trace.push((Cow::Borrowed("ln_likelihood"), ln_likelihood));
        }
        trace.extend((0..k).map(|j| (Cow::Owned(format!("predicted_{}", state_word(k, j))), predicted[j])));
        Some(Classification {
            label: state_word(k, best),
            probabilities: (0..k).map(|j| (state_word(k, j), now[j])).collect(),
            since,
            expected_remaining: params.expected_duration(best).and_then(hours),
            recent_change: None,
            calibration: Calibration::Uncalibrated,
            trace,
        })
    }
}

/// `None` where no time could say it.
#[expect(clippy::cast_possible_truncation, reason = "checked against the range")]
fn hours(h: f64) -> Option<Span> {
    let ns = h * 3.6e12;
    (ns < 9e18).then_some(Span(ns as i64))
}

/// Values before the change detector says anything: a day.
pub const FIRST_WORD_H: u32 = 24;

/// The change detector. Its label says whether a change is recent.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct ChangeWatch;

/// Words of [`ChangeWatch`]: the probability of a recent change is above one half, or it is not.
pub const CHANGE_WORDS: [&str; 2] = ["RECENT_CHANGE", "STEADY"];

impl Classifier for ChangeWatch {
    type Features<'a> = &'a Observation;
    type State = Bocpd;

    fn id(&self) -> &'static str {
        "bocpd"
    }

    fn digest(&self) -> String {
        digest(
            format!(
                "bocpd.v1\nhazard = {:?}\nrun_max = {}\nweight_min = {:?}\nrecent_max = {}\nprior = {:?}\n",
                bocpd::HAZARD,
                bocpd::RUN_MAX,
                bocpd::WEIGHT_MIN,
                bocpd::RECENT_MAX,
                bocpd::PRIOR
            )
            .as_bytes(),
        )
    }

    fn begin(&self) -> Bocpd {
        Bocpd::new()
    }

    fn classify(&self, at: Ts, features: &Observation, state: &mut Bocpd) -> Option<Classification> {
        let mut trace: Vec<(Cow<'static, str>, f64)> = Vec::with_capacity(5);
        if let (Some(shock), Ok(hour)) = (features.shock, u32::try_from(at.0 / Span::hours(1).0))
            && let Some(ln_likelihood) = state.step(hour, shock)
        {
            trace.push((Cow::Borrowed("r_1h_over_rv_24h"), shock));
            trace.push((Cow::Borrowed("ln_likelihood"), ln_likelihood));
        }
        // The first values of all are a recent change by themselves.
        let reading = state.reading().filter(|_| state.steps() >= FIRST_WORD_H)?;
        trace.push((Cow::Borrowed("run_length"), f64::from(reading.run_length)));
        trace.push((Cow::Borrowed("run_length_probability"), reading.probability));
        let recent = reading.recent_change.min(1.0);
        let word = CHANGE_WORDS[usize::from(recent <= 0.5)];
        Some(Classification {
            label: Cow::Borrowed(word),
            probabilities: vec![
                (Cow::Borrowed(CHANGE_WORDS[0]), recent),
                (Cow::Borrowed(CHANGE_WORDS[1]), 1.0 - recent),
            ],
            // The age is that of the most probable run, not of the word: since when things have been as they are. The first
            // value of a run describes the hour before it, so the run began an hour earlier.
            since: Ts(0) + Span::hours(i64::from(reading.since) - 1),
            expected_remaining: None,
            recent_change: Some(recent),
            calibration: Calibration::Uncalibrated,
            trace,
        })
    }
}
