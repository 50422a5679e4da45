//! The models of one market: its hours, both classifiers, and when a fit is due.
//!
//! An hour comes in once and in order; readings follow from hours up to it. A fit is asked for as soon as 30 days of hours
//! are there and then once a week, at an hour of the week that follows from the instrument's name, so that a thousand
//! markets do not ask at once. New parameters are filtered over the hours that are kept, all of them past: what was said
//! under the old ones stays said.

use super::bocpd::Bocpd;
use super::classify::{Classification, Classifier};
use super::fitting::{FIRST_FIT_H, FitRequest, ModelUpdate, REFIT_H, WINDOW_H};
use super::hmm::Window;
use super::observation::{HourReadings, Hourly, Observation};
use super::shadow::{ChangeWatch, FIRST_WORD_H, HiddenState, HiddenStates};
use barograph_domain::{InstrumentName, Model, ModelReading, Span, Ts};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use std::collections::VecDeque;

/// What one classifier says, or why it does not yet.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct ClassifierReading {
    /// `hmm` or `bocpd`.
    pub classifier: String,
    /// `None` while it warms up.
    pub verdict: Option<Classification>,
    /// Observed hours, while it warms up.
    pub have: u32,
    /// Observed hours it begins with.
    pub need: u32,
    /// Digest of its parameters, where there are any.
    pub digest: Option<String>,
    /// Nothing after this entered its parameters; `None` of a classifier without a fit.
    pub fitted_until: Option<Ts>,
}

/// The fitted model in force.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
struct InForce {
    classifier: HiddenStates,
    state: HiddenState,
    digest: String,
    fitted_until: Ts,
}

/// Models of one market. About 95 KiB with a full window, and up to 64 KiB of run lengths.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct MarketModels {
    instrument: InstrumentName,
    hourly: Hourly,
    /// Observed hours of the window and their rows, oldest first.
    hours: VecDeque<i64>,
    rows: VecDeque<[f64; 2]>,
    changes: Bocpd,
    change_verdict: Option<Classification>,
    hidden: Option<InForce>,
    hidden_verdict: Option<Classification>,
    /// The cut-off of a fit that was asked for and has not come.
    awaited: Option<i64>,
    /// A fit was asked for before.
    asked: bool,
}

impl MarketModels {
    /// Models that have seen nothing.
    #[must_use]
    pub fn new(instrument: InstrumentName) -> Self {
        Self {
            instrument,
            hourly: Hourly::default(),
            hours: VecDeque::new(),
            rows: VecDeque::new(),
            changes: ChangeWatch.begin(),
            change_verdict: None,
            hidden: None,
            hidden_verdict: None,
            awaited: None,
            asked: false,
        }
    }

    /// Takes the readings of the hour that ends at `hour` (hours since 1970). True when a fit is due.
    pub fn hour(&mut self, hour: i64, readings: &HourReadings) -> bool {
        let before = self.hourly.newest();
        // Hours that were passed over are missing ones. Beyond a window of them nothing is left to forget.
        let skipped = before.map_or(hour, |newest| (newest + 1).max(hour - window_hours()));
        for hole in skipped..hour {
            if let Some(nothing) = self.hourly.push(hole, &HourReadings::default()) {
                self.observe(&nothing);
            }
        }
        let Some(observation) = self.hourly.push(hour, readings) else { return false };
        self.observe(&observation);
        let enough = self.hours.len() >= FIRST_FIT_H;
        // A week begins at the market's own hour; one that fell into a hole is made up for after it.
        let week = |h: i64| (h - self.slot()).div_euclid(REFIT_H);
        let due = enough && (!self.asked || before.is_some_and(|b| week(b) < week(hour)));
        if due {
            self.asked = true;
            self.awaited = Some(hour);
        }
        due
    }

    fn observe(&mut self, observation: &Observation) {
        while self.hours.front().is_some_and(|h| *h <= observation.hour - window_hours()) {
            self.hours.pop_front();
            self.rows.pop_front();
        }
        if let Some(y) = observation.y {
            self.hours.push_back(observation.hour);
            self.rows.push_back(y);
        }
        let at = end_of(observation.hour);
        self.change_verdict = ChangeWatch.classify(at, observation, &mut self.changes);
        if let Some(model) = &mut self.hidden {
            self.hidden_verdict = model.classifier.classify(at, observation, &mut model.state);
        }
    }

    /// The hour of the week at which this market is fitted.
    fn slot(&self) -> i64 {
        let hash = Sha256::digest(self.instrument.to_string().as_bytes());
        i64::from(u16::from_le_bytes([hash[0], hash[1]])).rem_euclid(REFIT_H)
    }

    /// The fit that is awaited.
    #[must_use]
    pub fn wanted(&self) -> Option<FitRequest> {
        let cut_off = self.awaited?;
        let mut window = Window::new(2);
        let mut next = *self.hours.front()?;
        for (hour, row) in self.hours.iter().zip(&self.rows).take_while(|(hour, _)| **hour <= cut_off) {
            for _ in next..*hour {
                window.push(None);
            }
            window.push(Some(row));
            next = hour + 1;
        }
        for _ in next..=cut_off {
            window.push(None);
        }
        Some(FitRequest { instrument: self.instrument.clone(), cut_off, window })
    }

    /// Is a fit awaited?
    #[must_use]
    pub const fn awaits(&self) -> bool {
        self.awaited.is_some()
    }

    /// A fit came, known at `now`. The present model stays where the fit has none, or is none newer.
    ///
    /// # Errors
    /// A sentence, when the fit saw data from after `now`, or is not of this market; nothing changes then.
    pub fn enter(&mut self, now: Ts, result: ModelUpdate) -> Result<(), String> {
        if result.instrument != self.instrument {
            return Err(format!("a model of {} was given to {}", result.instrument, self.instrument));
        }
        if result.fitted_until > now {
            return Err(format!("a model fitted until {} cannot be known at {now}", result.fitted_until));
        }
        if self.awaited.is_some_and(|cut_off| end_of(cut_off) <= result.fitted_until) {
            self.awaited = None;
        }
        let older = self.hidden.as_ref().is_some_and(|h| h.fitted_until >= result.fitted_until);
        if let (Ok(fitted), false) = (result.outcome, older) {
            let classifier = HiddenStates { params: fitted.params };
            let state = self.refilter(&classifier);
            let (digest, fitted_until) = (result.digest, result.fitted_until);
            self.hidden = Some(InForce { classifier, state, digest, fitted_until });
        }
        Ok(())
    }

    /// Runs a model over the hours that are kept; what it says after the newest is said from now on.
    fn refilter(&mut self, classifier: &HiddenStates) -> HiddenState {
        let mut state = classifier.begin();
        self.hidden_verdict = None;
        let mut next = self.hours.front().copied();
        for (hour, row) in self.hours.iter().zip(&self.rows) {
            for hole in next.unwrap_or(*hour)..*hour {
                classifier.classify(end_of(hole), &Observation::missing(hole), &mut state);
            }
            let seen = Observation { hour: *hour, y: Some(*row), shock: None };
            self.hidden_verdict = classifier.classify(end_of(*hour), &seen, &mut state);
            next = Some(hour + 1);
        }
        let newest = self.hourly.newest();
        for hole in next.into_iter().flat_map(|n| n..=newest.unwrap_or(n - 1)) {
            self.hidden_verdict = classifier.classify(end_of(hole), &Observation::missing(hole), &mut state);
        }
        state
    }

    /// Takes over the model of an earlier state of the same market, where it is newer than the one here: history that was
    /// fetched makes another market of it, but a fit that was made stays made.
    pub fn adopt(&mut self, other: &Self) {
        let Some(theirs) = &other.hidden else { return };
        if self.awaited.is_some_and(|cut_off| end_of(cut_off) <= theirs.fitted_until) {
            self.awaited = None;
        }
        if self.hidden.as_ref().is_none_or(|h| h.fitted_until < theirs.fitted_until) {
            let state = self.refilter(&theirs.classifier);
            self.hidden = Some(InForce { state, ..theirs.clone() });
            self.asked = true;
        }
    }

    /// Whose models.
    #[must_use]
    pub const fn instrument(&self) -> &InstrumentName {
        &self.instrument
    }

    /// What the classifiers say after the newest hour, as it stands in rows.
    #[must_use]
    pub fn shown(&self) -> [ModelReading; 2] {
        let count = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
        let hidden = self.hidden.as_ref();
        let digest = |text: &str| u64::from_str_radix(text, 16).unwrap_or(0);
        [
            ModelReading {
                have: count(self.hours.len()),
                need: count(FIRST_FIT_H),
                digest: hidden.map_or(0, |h| digest(&h.digest)),
                fitted_until: hidden.map(|h| h.fitted_until),
                ..reading(Model::Hmm, self.hidden_verdict.as_ref())
            },
            ModelReading {
                have: self.changes.steps(),
                need: FIRST_WORD_H,
                digest: digest(&ChangeWatch.digest()),
                ..reading(Model::Bocpd, self.change_verdict.as_ref())
            },
        ]
    }

    /// What the classifiers say after the newest hour, with their traces, the hidden states first.
    #[must_use]
    pub fn readings(&self) -> [ClassifierReading; 2] {
        let count = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
        let hidden = self.hidden.as_ref();
        [
            ClassifierReading {
                classifier: "hmm".to_owned(),
                verdict: self.hidden_verdict.clone(),
                have: count(self.hours.len()),
                need: count(FIRST_FIT_H),
                digest: hidden.map(|h| h.digest.clone()),
                fitted_until: hidden.map(|h| h.fitted_until),
            },
            ClassifierReading {
                classifier: ChangeWatch.id().to_owned(),
                verdict: self.change_verdict.clone(),
                have: self.changes.steps(),
                need: FIRST_WORD_H,
                digest: Some(ChangeWatch.digest()),
                fitted_until: None,
            },
        ]
    }

    /// Probabilities of the hidden states `hours` ahead of the newest hour, LOW to HIGH; `None` before the first fit.
    #[must_use]
    pub fn ahead(&self, hours: usize) -> Option<Vec<f64>> {
        let model = self.hidden.as_ref()?;
        Some(model.state.filter().predict(&model.classifier.params, hours))
    }
}

fn reading(model: Model, verdict: Option<&Classification>) -> ModelReading {
    let mut probabilities = [0.0; 3];
    for (p, (_, q)) in probabilities.iter_mut().zip(verdict.iter().flat_map(|v| &v.probabilities)) {
        *p = *q;
    }
    ModelReading {
        model,
        state: verdict.and_then(|v| model.states().iter().copied().find(|s| s.name() == v.label)),
        probabilities,
        since: verdict.map_or(Ts(0), |v| v.since),
        expected_remaining: verdict.and_then(|v| v.expected_remaining),
        recent_change: verdict.and_then(|v| v.recent_change),
        have: 0,
        need: 0,
        digest: 0,
        fitted_until: None,
    }
}

fn end_of(hour: i64) -> Ts {
    Ts(0) + Span::hours(hour)
}

#[expect(clippy::cast_possible_wrap, reason = "a few thousand")]
const fn window_hours() -> i64 {
    WINDOW_H as i64
}
