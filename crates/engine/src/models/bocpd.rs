//! Bayesian online change-point detection (Adams & MacKay 2007) on values that are normal within a run.
//!
//! Each hypothesis says since when the present run goes on, and carries the Normal–Inverse-Gamma posterior of its values;
//! a new value is judged by each with its Student t predictive. Read are the most probable run length and the probability
//! that the run is short; never the probability of length 0, which equals the hazard whatever the data (regimes §11).
//!
//! Run lengths end at [`RUN_MAX`]: hypotheses that reach it become one, "at least so long". A run so long loses nothing by
//! that; dropping it instead would hand its weight to short runs and look like a change. Weights under [`WEIGHT_MIN`] are
//! dropped and the rest normalised. A step without a value changes nothing: run lengths count values.

use barograph_domain::math::{exp, ln, student_t_ln_pdf};
use serde::{Deserialize, Serialize};

/// Probability of a change at any step: one in 250 hours.
pub const HAZARD: f64 = 1.0 / 250.0;
/// The longest run told apart, in values.
pub const RUN_MAX: u32 = 2_000;
/// Hypotheses with less probability are dropped.
pub const WEIGHT_MIN: f64 = 1e-10;
/// A run of at most so many values is a recent change.
pub const RECENT_MAX: u32 = 5;

/// Prior of a run: mean, its weight in values, shape and scale of the variance.
pub(super) const PRIOR: (f64, f64, f64, f64) = (0.0, 1.0, 1.0, 1.0);

/// One answer to "since when?". 32 bytes; 64 KiB at the cap on run lengths.
#[derive(Clone, Copy, PartialEq, Debug, Serialize, Deserialize)]
struct Hypothesis {
    weight: f64,
    mean: f64,
    /// Scale β of the inverse gamma; κ and α follow from the count.
    beta: f64,
    /// Values in the run.
    count: u32,
    /// When the run's first value came, as the caller numbers steps.
    since: u32,
}

/// Room for a step's densities; never part of what is compared or saved.
#[derive(Clone, Debug, Default)]
struct Scratch(Vec<f64>);

impl PartialEq for Scratch {
    fn eq(&self, _other: &Self) -> bool {
        true
    }
}

/// What the detector says after a value.
#[derive(Clone, Copy, PartialEq, Debug, Serialize, Deserialize)]
pub struct RunReading {
    /// Most probable run length in values, at most [`RUN_MAX`]; the shorter of equals.
    pub run_length: u32,
    /// Its probability.
    pub probability: f64,
    /// Probability of a run of at most [`RECENT_MAX`] values.
    pub recent_change: f64,
    /// When the first value of that run came, as the caller numbers steps.
    pub since: u32,
}

/// The detector; restored from bytes it goes on with the same bits.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Bocpd {
    /// In ascending order of run length.
    runs: Vec<Hypothesis>,
    steps: u32,
    #[serde(skip)]
    scratch: Scratch,
}

impl Default for Bocpd {
    fn default() -> Self {
        Self::new()
    }
}

impl Bocpd {
    /// Before the first value: a run of length 0 is certain.
    #[must_use]
    pub fn new() -> Self {
        Self { runs: vec![Hypothesis::begin(1.0, 0)], steps: 0, scratch: Scratch::default() }
    }

    /// Takes the value of step `at`. Returns its log density given all before it; `None`, and nothing happens, when it is no
    /// finite number.
    pub fn step(&mut self, at: u32, x: f64) -> Option<f64> {
        // Squares that overflow would poison every run for ever.
        if !(x * x).is_finite() {
            return None;
        }
        // Shifted by the largest, and no weight is below WEIGHT_MIN: the sum cannot vanish, however unlikely the value.
        let densities = &mut self.scratch.0;
        densities.clear();
        densities.extend(self.runs.iter().map(|r| r.ln_predictive(x)));
        let top = densities.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let mut total = 0.0;
        for (run, ln_density) in self.runs.iter_mut().zip(&*densities) {
            run.weight *= exp(ln_density - top);
            total += run.weight;
        }
        for run in &mut self.runs {
            run.weight *= (1.0 - HAZARD) / total;
            run.learn(at, x);
        }
        self.steps = self.steps.saturating_add(1);
        // Whatever the data, the weights of all runs that may end here sum to the hazard.
        self.runs.insert(0, Hypothesis::begin(HAZARD, at));
        self.join_longest();
        self.runs.retain(|r| r.weight >= WEIGHT_MIN);
        let kept: f64 = self.runs.iter().map(|r| r.weight).sum();
        for run in &mut self.runs {
            run.weight /= kept;
        }
        Some(top + ln(total))
    }

    /// What is known now; `None` before the first value.
    #[must_use]
    pub fn reading(&self) -> Option<RunReading> {
        if self.steps == 0 {
            return None;
        }
        let mut best = self.runs.first()?;
        for run in &self.runs[1..] {
            if run.weight > best.weight {
                best = run;
            }
        }
        let recent = self.runs.iter().filter(|r| r.count <= RECENT_MAX).map(|r| r.weight).sum();
        Some(RunReading {
            run_length: best.count.min(RUN_MAX),
            probability: best.weight,
            recent_change: recent,
            since: best.since,
        })
    }

    /// Values taken so far.
    #[must_use]
    pub const fn steps(&self) -> u32 {
        self.steps
    }

    /// Hypotheses held.
    #[must_use]
    pub fn held(&self) -> usize {
        self.runs.len()
    }

    /// Probability of a run of exactly this length.
    #[must_use]
    pub fn probability_of(&self, run_length: u32) -> f64 {
        self.runs.iter().filter(|r| r.count.min(RUN_MAX) == run_length).map(|r| r.weight).sum()
    }

    /// The two longest become one when both have reached the cap; the one with more values keeps its statistics.
    fn join_longest(&mut self) {
        while let [.., shorter, longer] = &mut self.runs[..] {
            if shorter.count < RUN_MAX {
                break;
            }
            longer.weight += shorter.weight;
            self.runs.remove(self.runs.len() - 2);
        }
    }
}

impl Hypothesis {
    const fn begin(weight: f64, since: u32) -> Self {
        Self { weight, mean: PRIOR.0, beta: PRIOR.3, count: 0, since }
    }

    fn kappa(&self) -> f64 {
        PRIOR.1 + f64::from(self.count)
    }

    fn alpha(&self) -> f64 {
        PRIOR.2 + 0.5 * f64::from(self.count)
    }

    fn ln_predictive(&self, x: f64) -> f64 {
        let (kappa, alpha) = (self.kappa(), self.alpha());
        student_t_ln_pdf(x, 2.0 * alpha, self.mean, self.beta * (kappa + 1.0) / (alpha * kappa))
    }

    fn learn(&mut self, at: u32, x: f64) {
        if self.count == 0 {
            self.since = at;
        }
        let kappa = self.kappa();
        let from = x - self.mean;
        self.beta += 0.5 * kappa * from * from / (kappa + 1.0);
        self.mean += from / (kappa + 1.0);
        self.count = self.count.saturating_add(1);
    }
}
