//! Greedy averaging of models (Caruana, Niculescu-Mizil, Crew and Ksikes, "Ensemble selection from libraries of models", 2004).

use super::features::float;

/// Steps of the selection; a model may be taken in more than one.
pub const BLEND_STEPS: usize = 25;

/// Weights of the models, in their order, that add up to one: in every step that model is added whose addition makes the loss of the
/// average smallest, the first of equals; at the end the steps are cut back to the best of them. `said` holds what each model says of
/// the same cases, `loss` the loss of such a list. Empty without models.
#[must_use]
pub fn greedy_weights(said: &[Vec<f64>], loss: impl Fn(&[f64]) -> f64) -> Vec<f64> {
    let Some(cases) = said.first().map(Vec::len) else { return Vec::new() };
    let mut sum = vec![0.0; cases];
    let mut taken: Vec<usize> = Vec::new();
    let mut best = (f64::INFINITY, 1);
    for step in 1..=BLEND_STEPS {
        let n = float(step);
        let with = |model: &Vec<f64>| loss(&sum.iter().zip(model).map(|(s, x)| (s + x) / n).collect::<Vec<_>>());
        let losses: Vec<f64> = said.iter().map(with).collect();
        let mut least = 0;
        for (at, l) in losses.iter().enumerate() {
            if *l < losses[least] {
                least = at;
            }
        }
        sum.iter_mut().zip(&said[least]).for_each(|(s, x)| *s += x);
        taken.push(least);
        if losses[least] < best.0 {
            best = (losses[least], step);
        }
    }
    taken.truncate(best.1);
    let share = 1.0 / float(taken.len());
    let mut weights = vec![0.0; said.len()];
    taken.into_iter().for_each(|at| weights[at] += share);
    weights
}

#[cfg(test)]
mod tests {
    use super::*;

    fn squared(truth: &[f64]) -> impl Fn(&[f64]) -> f64 + '_ {
        move |said| said.iter().zip(truth).map(|(a, b)| (a - b) * (a - b)).sum()
    }

    #[test]
    fn errors_that_cancel_are_weighed_against_each_other() {
        let truth = [1.0, 2.0, 3.0, 4.0];
        let off = |by: f64| truth.iter().map(|t| t + by).collect::<Vec<_>>();
        // One too high by 3, one too low by 1: a quarter and three quarters meet the truth.
        let weights = greedy_weights(&[off(3.0), off(-1.0), off(50.0)], squared(&truth));
        assert!((weights[0] - 0.25).abs() < 1e-12 && (weights[1] - 0.75).abs() < 1e-12, "{weights:?}");
        assert_eq!(greedy_weights(&[off(0.0), off(1.0)], squared(&truth)), [1.0, 0.0]);
        assert_eq!(greedy_weights(&[], squared(&truth)), Vec::<f64>::new());
    }
}
