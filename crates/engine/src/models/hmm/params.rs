//! Parameters of a Gaussian hidden Markov model with diagonal covariance: checked on construction, frozen afterwards.
//!
//! Matrices are row by row. `transition[i][j]` is the probability of going from state i to state j in one step. What is
//! published is ordered by the mean of the first dimension (regimes §11: mean ln rv), so that state 0 is the calmest.

use super::super::digest;
use barograph_domain::math::ln;
use serde::{Deserialize, Serialize};

/// Rows of probabilities sum to one within this.
const SUM_TOLERANCE: f64 = 1e-6;

/// Checked parameters.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(try_from = "Raw", into = "Raw")]
pub struct HmmParams {
    raw: Raw,
    ln_initial: Vec<f64>,
    ln_transition: Vec<f64>,
    /// `−½ Σ ln(2π σ²)` per state.
    ln_scale: Vec<f64>,
}

/// Parameters as they are written down; [`HmmParams::new`] checks them.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Raw {
    /// Number of states.
    pub states: usize,
    /// Numbers per observation.
    pub dims: usize,
    /// Probability of each state before the first observation.
    pub initial: Vec<f64>,
    /// `states × states`, rows sum to one.
    pub transition: Vec<f64>,
    /// `states × dims`.
    pub means: Vec<f64>,
    /// `states × dims`, positive.
    pub variances: Vec<f64>,
}

impl TryFrom<Raw> for HmmParams {
    type Error = String;
    fn try_from(raw: Raw) -> Result<Self, String> {
        Self::new(raw)
    }
}
impl From<HmmParams> for Raw {
    fn from(params: HmmParams) -> Self {
        params.raw
    }
}

impl HmmParams {
    /// Checks sizes, probabilities and variances.
    ///
    /// # Errors
    /// A sentence with the first thing that is wrong.
    pub fn new(raw: Raw) -> Result<Self, String> {
        let (k, d) = (raw.states, raw.dims);
        if k == 0 || d == 0 {
            return Err(format!("a model of {k} states and {d} numbers per observation cannot be"));
        }
        for (what, have, want) in [
            ("initial probabilities", raw.initial.len(), k),
            ("transition probabilities", raw.transition.len(), k * k),
            ("means", raw.means.len(), k * d),
            ("variances", raw.variances.len(), k * d),
        ] {
            if have != want {
                return Err(format!("{have} {what} for {k} states of {d} numbers; {want} are needed"));
            }
        }
        for row in core::iter::once(&raw.initial[..]).chain(raw.transition.chunks(k)) {
            let total: f64 = row.iter().sum();
            if !row.iter().all(|p| (0.0..=1.0).contains(p)) || (total - 1.0).abs() > SUM_TOLERANCE {
                return Err(format!("{row:?} are not probabilities that sum to one"));
            }
        }
        if let Some(mean) = raw.means.iter().find(|m| !m.is_finite()) {
            return Err(format!("the mean {mean} is not a finite number"));
        }
        if let Some(variance) = raw.variances.iter().find(|v| !(v.is_finite() && **v > 0.0)) {
            return Err(format!("the variance {variance} is not a positive finite number"));
        }
        let tau = 2.0 * core::f64::consts::PI;
        Ok(Self {
            ln_initial: raw.initial.iter().map(|p| ln(*p)).collect(),
            ln_transition: raw.transition.iter().map(|p| ln(*p)).collect(),
            ln_scale: raw.variances.chunks(d).map(|v| -0.5 * v.iter().map(|v| ln(tau * v)).sum::<f64>()).collect(),
            raw,
        })
    }

    /// Number of states.
    #[must_use]
    pub fn states(&self) -> usize {
        self.raw.states
    }
    /// Numbers per observation.
    #[must_use]
    pub fn dims(&self) -> usize {
        self.raw.dims
    }
    /// Probability of each state before the first observation.
    #[must_use]
    pub fn initial(&self) -> &[f64] {
        &self.raw.initial
    }
    /// Transition probabilities, row by row.
    #[must_use]
    pub fn transition(&self) -> &[f64] {
        &self.raw.transition
    }
    /// Means, state by state.
    #[must_use]
    pub fn means(&self) -> &[f64] {
        &self.raw.means
    }
    /// Variances, state by state.
    #[must_use]
    pub fn variances(&self) -> &[f64] {
        &self.raw.variances
    }
    pub(super) fn ln_initial(&self) -> &[f64] {
        &self.ln_initial
    }
    pub(super) fn ln_transition(&self, from: usize, to: usize) -> f64 {
        self.ln_transition[from * self.raw.states + to]
    }

    /// Log density of an observation under one state.
    #[must_use]
    pub fn ln_density(&self, state: usize, y: &[f64]) -> f64 {
        let at = state * self.raw.dims..(state + 1) * self.raw.dims;
        let squares = y
            .iter()
            .zip(&self.raw.means[at.clone()])
            .zip(&self.raw.variances[at])
            .map(|((y, mean), variance)| (y - mean) * (y - mean) / variance);
        self.ln_scale[state] - 0.5 * squares.sum::<f64>()
    }

    /// Expected steps a state goes on, this one included: `1/(1 − A_jj)`; `None` for a state that is never left.
    #[must_use]
    pub fn expected_duration(&self, state: usize) -> Option<f64> {
        // From the ways out, not from 1 − A_jj: that difference loses all its digits where A_jj is near one.
        let k = self.raw.states;
        let out: f64 = (0..k).filter(|j| *j != state).map(|j| self.raw.transition[state * k + j]).sum();
        (out > 0.0).then(|| 1.0 / out)
    }

    /// The same model with its states in ascending order of their means, dimension by dimension, and with the stationary
    /// distribution as its beginning.
    #[must_use]
    pub fn ordered(&self) -> Self {
        let (k, d) = (self.raw.states, self.raw.dims);
        let mean = |j: usize| &self.raw.means[j * d..(j + 1) * d];
        let mut order: Vec<usize> = (0..k).collect();
        order.sort_by(|a, b| {
            let by_dim = mean(*a).iter().zip(mean(*b)).map(|(x, y)| x.total_cmp(y));
            by_dim.fold(core::cmp::Ordering::Equal, core::cmp::Ordering::then).then(a.cmp(b))
        });
        let pick = |values: &[f64]| order.iter().flat_map(|j| values[j * d..(j + 1) * d].to_vec()).collect();
        let transition: Vec<f64> =
            order.iter().flat_map(|i| order.iter().map(move |j| self.raw.transition[i * k + j])).collect();
        let initial = stationary(&transition, k);
        let raw =
            Raw { initial, transition, means: pick(&self.raw.means), variances: pick(&self.raw.variances), ..self.raw };
        // Reordering what was checked keeps it right; a chain that falls apart has no stationary distribution, and then
        // the old beginning stays.
        Self::new(raw).unwrap_or_else(|_e| self.clone())
    }

    /// First 12 hex digits of the SHA-256 of the parameters in shortest round-trip form.
    #[must_use]
    pub fn digest(&self) -> String {
        let mut text = format!("hmm.v1\nstates = {}\ndims = {}\n", self.raw.states, self.raw.dims);
        for (name, values) in [
            ("initial", &self.raw.initial),
            ("transition", &self.raw.transition),
            ("means", &self.raw.means),
            ("variances", &self.raw.variances),
        ] {
            for (i, value) in values.iter().enumerate() {
                text += &format!("{name}.{i} = {value:?}\n");
            }
        }
        digest(text.as_bytes())
    }
}

/// Stationary distribution of a transition matrix by elimination without subtraction (Grassmann, Taksar & Heyman 1985).
/// Of a chain that falls apart it is one of many, or holds no probabilities at all.
#[must_use]
pub fn stationary(transition: &[f64], states: usize) -> Vec<f64> {
    let k = states;
    let mut a = transition.to_vec();
    for n in (1..k).rev() {
        let out: f64 = (0..n).map(|j| a[n * k + j]).sum();
        for i in 0..n {
            a[i * k + n] /= out;
            for j in 0..n {
                a[i * k + j] += a[i * k + n] * a[n * k + j];
            }
        }
    }
    let mut weights = vec![1.0; k];
    for n in 1..k {
        weights[n] = (0..n).map(|i| weights[i] * a[i * k + n]).sum();
    }
    let total: f64 = weights.iter().sum();
    weights.iter().map(|w| w / total).collect()
}
