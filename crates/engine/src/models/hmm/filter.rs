//! The forward filter (Hamilton 1989): what is known of the state at t from observations up to t, and nothing later.
//!
//! `α_t(j) ∝ f_j(y_t) · Σ_i α_{t−1}(i) · A_ij`, in logarithms, normalised by log-sum-exp at each step. A step without an
//! observation predicts only. No smoothing and no Viterbi path: both rewrite the past.

use super::params::HmmParams;
use barograph_domain::math::{exp, log_sum_exp};
use serde::{Deserialize, Serialize};

/// Filtered state probabilities; restored from bytes it goes on with the same bits.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
pub struct HmmFilter {
    /// Empty before the first step.
    ln_alpha: Vec<f64>,
}

impl HmmFilter {
    /// Before the first step.
    #[must_use]
    pub const fn new() -> Self {
        Self { ln_alpha: Vec::new() }
    }

    /// One step. The first observation is judged against the model's initial probabilities. Returns the log-likelihood of
    /// the observation given all before it; 0 for a step without one.
    ///
    /// # Panics
    /// When the filter has been run with a model of another number of states.
    pub fn step(&mut self, params: &HmmParams, y: Option<&[f64]>) -> f64 {
        let k = params.states();
        let mut next: Vec<f64> = if self.ln_alpha.is_empty() {
            params.ln_initial().to_vec()
        } else {
            assert_eq!(self.ln_alpha.len(), k, "a filter goes on with the model it began with");
            let into = |j: usize| log_sum_exp((0..k).map(|i| self.ln_alpha[i] + params.ln_transition(i, j)));
            (0..k).map(into).collect()
        };
        // An observation that is no number says nothing.
        if let Some(y) = y.filter(|y| y.iter().all(|v| v.is_finite())) {
            for (j, ln_p) in next.iter_mut().enumerate() {
                *ln_p += params.ln_density(j, y);
            }
        }
        let total = log_sum_exp(next.iter().copied());
        // Squares of absurd observations overflow in every state: predict only.
        if total.is_finite() {
            for ln_p in &mut next {
                *ln_p -= total;
            }
            self.ln_alpha = next;
            total
        } else {
            self.step(params, None)
        }
    }

    /// Probabilities of the states now; those of the model's beginning before the first step.
    #[must_use]
    pub fn probabilities(&self, params: &HmmParams) -> Vec<f64> {
        if self.ln_alpha.is_empty() {
            params.initial().to_vec()
        } else {
            self.ln_alpha.iter().map(|p| exp(*p)).collect()
        }
    }

    /// Probabilities of the states `h` steps ahead: `α_t · A^h`.
    #[must_use]
    pub fn predict(&self, params: &HmmParams, h: usize) -> Vec<f64> {
        let k = params.states();
        let mut now = self.probabilities(params);
        for _ in 0..h {
            now = (0..k).map(|j| (0..k).map(|i| now[i] * params.transition()[i * k + j]).sum()).collect();
        }
        now
    }

    /// The most probable state now; the first of equals.
    #[must_use]
    pub fn best(&self, params: &HmmParams) -> usize {
        let p = self.probabilities(params);
        (1..p.len()).fold(0, |best, j| if p[j] > p[best] { j } else { best })
    }
}
