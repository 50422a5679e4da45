//! A fit: every start in a fixed list climbs a little, the one that is highest then climbs to the end (Biernacki, Celeux &
//! Govaert 2003), and its states are put in order.
//!
//! Nothing is drawn at random: starts are cuts of the sample at its own quantiles, so that the same window gives the same
//! bits. They are, in this order: for each number of the row, states from equal parts of the sample along it; states from
//! unequal parts along the first number, most of the sample in the middle, then most of it below; and states of the whole
//! sample's variance with means spread over the quantiles of the first number.

use super::em::{Climb, Rule, climb};
use super::params::{HmmParams, Raw};
use super::window::{Window, moments_of};
use serde::{Deserialize, Serialize};

/// Probability of staying, at every start.
const STAY: f64 = 0.9;

/// Rounds after which the starts are compared.
const SHORT_ROUNDS: u32 = 15;

/// The rule of published fits: a millionth of a nat per observation, 300 rounds.
pub const RULE: Rule = Rule { gain_min: 1e-6, rounds_max: 300 };

/// A fitted model and how it came to be.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Fitted {
    /// States in ascending order of the first mean; the beginning is the stationary distribution.
    pub params: HmmParams,
    /// Log-likelihood of the window at the end of the climb.
    pub ln_likelihood: f64,
    /// Observations that were present.
    pub observations: u32,
    /// Which start won, from 0.
    pub start: u32,
    /// Rounds the winner took.
    pub rounds: u32,
    /// The winner stopped by its gain, not by the cap on rounds.
    pub converged: bool,
}

/// Why a window cannot be fitted.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum FitError {
    /// Fewer observations than needed.
    TooShort {
        /// Present observations.
        have: usize,
        /// Observations that are needed.
        need: usize,
    },
    /// One of the numbers is the same in all rows.
    Flat {
        /// Its position in the row.
        dim: usize,
    },
    /// No start led to numbers that are in range.
    NoClimb,
}

impl core::fmt::Display for FitError {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            Self::TooShort { have, need } => write!(f, "{have} observations; a fit needs {need}"),
            Self::Flat { dim } => write!(f, "number {dim} of the observations never changes"),
            Self::NoClimb => f.write_str("no start led to a model"),
        }
    }
}
impl core::error::Error for FitError {}

/// Fits `states` states on a window.
///
/// # Errors
/// See [`FitError`]; ten observations per free parameter of the densities are the least.
pub fn fit(window: &Window, states: usize, rule: Rule) -> Result<Fitted, FitError> {
    let need = 20 * states * window.dims();
    if window.present() < need {
        return Err(FitError::TooShort { have: window.present(), need });
    }
    let (_, variances) = window.moments();
    if let Some(dim) = variances.iter().position(|v| *v <= 0.0) {
        return Err(FitError::Flat { dim });
    }
    let mut best: Option<(u32, Climb)> = None;
    let short = Rule { rounds_max: rule.rounds_max.min(SHORT_ROUNDS), ..rule };
    for (at, start) in (0_u32..).zip(starts(window, states)) {
        let Ok(end) = climb(window, &start, short) else { continue };
        // Of equals the first.
        if best.as_ref().is_none_or(|(_, b)| end.ln_likelihood > b.ln_likelihood) {
            best = Some((at, end));
        }
    }
    let (start, begun) = best.ok_or(FitError::NoClimb)?;
    let rest = Rule { rounds_max: rule.rounds_max - begun.rounds, ..rule };
    let end = climb(window, &begun.params, rest).map_err(|_e| FitError::NoClimb)?;
    Ok(Fitted {
        params: end.params.ordered(),
        ln_likelihood: end.ln_likelihood,
        observations: u32::try_from(window.present()).unwrap_or(u32::MAX),
        start,
        rounds: begun.rounds + end.rounds,
        converged: end.converged,
    })
}

/// The starts of a window, in their order.
#[must_use]
pub fn starts(window: &Window, states: usize) -> Vec<HmmParams> {
    let even = |j: usize| ratio(j, states);
    let middle = |j: usize| match j {
        0 => 0.0,
        j if j == states => 1.0,
        j => 0.1 + 0.8 * ratio(j - 1, states.saturating_sub(2).max(1)),
    };
    let low = |j: usize| ratio(j, states) * (2.0 - ratio(j, states));
    let mut starts: Vec<Option<HmmParams>> = (0..window.dims()).map(|dim| parts(window, states, dim, even)).collect();
    starts.push(parts(window, states, 0, middle));
    starts.push(parts(window, states, 0, low));
    starts.push(spread(window, states));
    starts.into_iter().flatten().collect()
}

#[expect(clippy::cast_precision_loss, reason = "a handful of states")]
fn ratio(a: usize, b: usize) -> f64 {
    a as f64 / b as f64
}

/// States from the parts of the sample between quantiles `edge(0) … edge(states)` of one number.
fn parts(window: &Window, states: usize, dim: usize, edge: impl Fn(usize) -> f64) -> Option<HmmParams> {
    let (_, whole) = window.moments();
    let edges: Vec<f64> = (1..states).map(|j| window.quantile(dim, edge(j))).collect::<Option<_>>()?;
    let part_of = |row: &[f64]| edges.iter().take_while(|e| row[dim] > **e).count();
    let (mut means, mut variances) = (Vec::new(), Vec::new());
    for j in 0..states {
        let rows = window.rows().filter(|r| part_of(r) == j);
        // Ties can empty a part; then this cut is no start.
        rows.clone().next()?;
        let (mean, variance) = moments_of(window.dims(), rows);
        means.extend(mean);
        variances.extend(variance.iter().zip(&whole).map(|(v, w)| v.max(0.01 * w)));
    }
    chain(states, window.dims(), means, variances)
}

/// States of the whole sample's variance, their means at the middle quantiles of the first number.
fn spread(window: &Window, states: usize) -> Option<HmmParams> {
    let (mean, whole) = window.moments();
    let mut means = Vec::new();
    for j in 0..states {
        let mut row = mean.clone();
        row[0] = window.quantile(0, ratio(2 * j + 1, 2 * states))?;
        means.extend(row);
    }
    chain(states, window.dims(), means, whole.repeat(states))
}

fn chain(states: usize, dims: usize, means: Vec<f64>, variances: Vec<f64>) -> Option<HmmParams> {
    let leave = (1.0 - STAY) / ratio(states.saturating_sub(1).max(1), 1);
    let way = |at: usize| match (at / states == at % states, states) {
        (_, 1) => 1.0,
        (true, _) => STAY,
        (false, _) => leave,
    };
    let transition = (0..states * states).map(way).collect();
    let initial = vec![1.0 / ratio(states, 1); states];
    HmmParams::new(Raw { states, dims, initial, transition, means, variances }).ok()
}
