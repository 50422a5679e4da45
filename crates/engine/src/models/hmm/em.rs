//! Expectation–maximisation for a Gaussian hidden Markov model (Baum et al. 1970), from one given start.
//!
//! Densities are logarithms shifted by the largest of each step, forward and backward passes are normalised per step, and
//! every way from state to state keeps at least [`WAY_MIN`]: the weight of a step is then at least that, so nothing can
//! underflow to zero over zero. Steps without an observation carry no weight for means and variances. Both passes see the
//! whole window: this is fitting, not filtering, and only the parameters leave it.

use super::params::{HmmParams, Raw};
use super::window::Window;
use barograph_domain::math::{exp, ln};

/// Least transition probability; over 180 days of hours it adds no visit in a million windows.
pub const WAY_MIN: f64 = 1e-10;
/// A state's variance is never below this share of the whole sample's: a state that holds one point would otherwise have
/// infinite likelihood.
pub const VARIANCE_SHARE_MIN: f64 = 1e-3;
/// A state with less weight than this many observations keeps its parameters in that round.
const WEIGHT_MIN: f64 = 1e-3;

/// When to stop.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Rule {
    /// Stop when a round gains less log-likelihood than this per observation.
    pub gain_min: f64,
    /// Stop after so many rounds.
    pub rounds_max: u32,
}

/// What one start led to.
#[derive(Clone, PartialEq, Debug)]
pub struct Climb {
    /// Where it ended; states in the order of the start.
    pub params: HmmParams,
    /// Log-likelihood of the window under [`Self::params`].
    pub ln_likelihood: f64,
    /// Rounds taken.
    pub rounds: u32,
    /// The gain fell below the rule's, rather than the rounds running out.
    pub converged: bool,
}

/// Climbs from `start` until the rule says stop.
///
/// # Errors
/// A sentence, when numbers left their range; then this start is none.
pub fn climb(window: &Window, start: &HmmParams, rule: Rule) -> Result<Climb, String> {
    if window.is_empty() {
        return Err("there is nothing to climb on".to_owned());
    }
    let mut pass = Pass::new(window, start.states());
    let mut now =
        Climb { params: start.clone(), ln_likelihood: pass.expect(window, start), rounds: 0, converged: false };
    let floor = variance_floor(window);
    while now.rounds < rule.rounds_max && !now.converged {
        let params = pass.maximise(window, &now.params, &floor)?;
        let ln_likelihood = pass.expect(window, &params);
        #[expect(clippy::cast_precision_loss, reason = "thousands of hours")]
        let gain = (ln_likelihood - now.ln_likelihood) / window.present().max(1) as f64;
        now = Climb { params, ln_likelihood, rounds: now.rounds + 1, converged: gain < rule.gain_min };
    }
    if now.ln_likelihood.is_finite() { Ok(now) } else { Err("the likelihood left its range".to_owned()) }
}

/// Probability of each state at each step given the whole window: what a round of fitting weighs with. It knows the future
/// of its step, so it is never shown.
#[must_use]
pub fn posterior(window: &Window, params: &HmmParams) -> Vec<f64> {
    if window.is_empty() {
        return Vec::new();
    }
    let mut pass = Pass::new(window, params.states());
    pass.expect(window, params);
    pass.forward.iter().zip(&pass.backward).map(|(f, b)| f * b).collect()
}

fn variance_floor(window: &Window) -> Vec<f64> {
    let (_, variances) = window.moments();
    variances.iter().map(|v| v * VARIANCE_SHARE_MIN).collect()
}

/// Buffers of both passes.
struct Pass {
    k: usize,
    /// Density of each step under each state over the step's largest.
    weights: Vec<f64>,
    forward: Vec<f64>,
    backward: Vec<f64>,
    /// Normaliser of each step of the forward pass.
    scale: Vec<f64>,
}

impl Pass {
    fn new(window: &Window, k: usize) -> Self {
        let cells = vec![0.0; window.len() * k];
        Self { k, weights: cells.clone(), forward: cells.clone(), backward: cells, scale: vec![0.0; window.len()] }
    }

    /// Forward and backward pass. Returns the log-likelihood.
    fn expect(&mut self, window: &Window, params: &HmmParams) -> f64 {
        let (k, n) = (self.k, window.len());
        let a = params.transition();
        let mut total = 0.0;
        for t in 0..n {
            let row = &mut self.weights[t * k..(t + 1) * k];
            if let Some(y) = window.at(t) {
                for (j, w) in row.iter_mut().enumerate() {
                    *w = params.ln_density(j, y);
                }
                let top = row.iter().copied().fold(f64::NEG_INFINITY, f64::max);
                row.iter_mut().for_each(|w| *w = exp(*w - top));
                total += top;
            } else {
                row.fill(1.0);
            }
            let (before, now) = self.forward.split_at_mut(t * k);
            let before = &before[t.saturating_sub(1) * k..];
            for j in 0..k {
                let ways: f64 = match t {
                    0 => params.initial()[j],
                    _ => (0..k).map(|i| before[i] * a[i * k + j]).sum(),
                };
                now[j] = ways * row[j];
            }
            let scale: f64 = now[..k].iter().sum();
            now[..k].iter_mut().for_each(|p| *p /= scale);
            self.scale[t] = scale;
            total += ln(scale);
        }
        self.backward[(n - 1) * k..].fill(1.0);
        for t in (0..n - 1).rev() {
            let (now, after) = self.backward.split_at_mut((t + 1) * k);
            for i in 0..k {
                let ways: f64 = (0..k).map(|j| a[i * k + j] * self.weights[(t + 1) * k + j] * after[j]).sum();
                now[t * k + i] = ways / self.scale[t + 1];
            }
        }
        total
    }

    /// New parameters from the passes under `old`.
    fn maximise(&self, window: &Window, old: &HmmParams, floor: &[f64]) -> Result<HmmParams, String> {
        let (k, d, n) = (self.k, window.dims(), window.len());
        let share = |t: usize, j: usize| self.forward[t * k + j] * self.backward[t * k + j];
        let mut ways = vec![0.0; k * k];
        for t in 0..n - 1 {
            for i in 0..k {
                for j in 0..k {
                    let next = self.weights[(t + 1) * k + j] * self.backward[(t + 1) * k + j] / self.scale[t + 1];
                    ways[i * k + j] += self.forward[t * k + i] * old.transition()[i * k + j] * next;
                }
            }
        }
        let (mut weight, mut sums, mut squares) = (vec![0.0; k], vec![0.0; k * d], vec![0.0; k * d]);
        for t in 0..n {
            let Some(y) = window.at(t) else { continue };
            for j in 0..k {
                let p = share(t, j);
                weight[j] += p;
                for (i, y) in y.iter().enumerate() {
                    // Around the old mean: the square of a sum of large numbers would lose the small difference.
                    let from = y - old.means()[j * d + i];
                    sums[j * d + i] += p * from;
                    squares[j * d + i] += p * from * from;
                }
            }
        }
        let (mut means, mut variances) = (old.means().to_vec(), old.variances().to_vec());
        for at in 0..k * d {
            let w = weight[at / d];
            if w > WEIGHT_MIN {
                let shift = sums[at] / w;
                means[at] += shift;
                variances[at] = (squares[at] / w - shift * shift).max(floor[at % d]);
            }
        }
        let mut transition = Vec::with_capacity(k * k);
        for i in 0..k {
            let row = &ways[i * k..(i + 1) * k];
            transition.extend(floored(if row.iter().sum::<f64>() > WEIGHT_MIN {
                row
            } else {
                &old.transition()[i * k..(i + 1) * k]
            }));
        }
        let initial = floored(&(0..k).map(|j| share(0, j)).collect::<Vec<_>>()).collect();
        HmmParams::new(Raw { states: k, dims: d, initial, transition, means, variances })
    }
}

/// Shares of a row of weights, none below [`WAY_MIN`].
fn floored(row: &[f64]) -> impl Iterator<Item = f64> {
    let total: f64 = row.iter().sum();
    let raised: f64 = row.iter().map(|w| (w / total).max(WAY_MIN)).sum();
    row.iter().map(move |w| (w / total).max(WAY_MIN) / raised)
}
