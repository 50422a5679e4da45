//! Logistic regression by Newton's steps with a ridge (Hoerl and Kennard 1970), on standardised inputs; where an input was missing in
//! the training, an indicator says so.

use super::gate::{Scale, scales};
use super::linear::Cholesky;
use super::sighting::{LOGISTIC_INPUTS, ModelInputs};
use barograph_domain::math::exp;
use barograph_verify::contest::{LOGISTIC, RIDGE};

/// A fitted regression.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct Logistic {
    scales: Vec<Scale>,
    /// Intercept first.
    weights: Vec<f64>,
}

fn sigmoid(x: f64) -> f64 {
    1.0 / (1.0 + exp(-x))
}

impl Logistic {
    /// `None` where the inputs say nothing.
    pub(super) fn fit(rows: &[&ModelInputs], happened: &[bool]) -> Option<Self> {
        let scales = scales(rows, LOGISTIC_INPUTS);
        if scales.is_empty() {
            return None;
        }
        let mut model = Self { scales, weights: Vec::new() };
        let design: Vec<Vec<f64>> = rows.iter().map(|r| model.columns(r)).collect();
        let d = design.first()?.len();
        model.weights = vec![0.0; d];
        for _ in 0..LOGISTIC.steps_max {
            let step = newton(&design, happened, &model.weights)?;
            model.weights.iter_mut().zip(&step).for_each(|(w, s)| *w += s);
            if step.iter().all(|s| s.abs() < LOGISTIC.step_min) {
                break;
            }
        }
        Some(model)
    }

    fn columns(&self, inputs: &ModelInputs) -> Vec<f64> {
        let mut all = vec![1.0];
        for scale in &self.scales {
            all.push(scale.standard(inputs));
            if scale.gaps {
                all.push(f64::from(u8::from(inputs.get(scale.at).is_none())));
            }
        }
        all
    }

    pub(super) fn score(&self, inputs: &ModelInputs) -> f64 {
        sigmoid(self.columns(inputs).iter().zip(&self.weights).map(|(x, w)| x * w).sum())
    }
}

/// One step towards the largest penalised likelihood. The curvature has the ridge added, so it can always be solved; a step is cut to
/// length one, so that the climb cannot overshoot from far away.
fn newton(design: &[Vec<f64>], happened: &[bool], weights: &[f64]) -> Option<Vec<f64>> {
    let d = weights.len();
    let (mut slope, mut bend) = (vec![0.0; d], vec![0.0; d * d]);
    for (x, o) in design.iter().zip(happened) {
        let p = sigmoid(x.iter().zip(weights).map(|(x, w)| x * w).sum());
        let (error, spread) = (f64::from(u8::from(*o)) - p, p * (1.0 - p));
        for i in 0..d {
            slope[i] += error * x[i];
            for j in 0..=i {
                bend[i * d + j] += spread * x[i] * x[j];
            }
        }
    }
    for i in 0..d {
        for j in 0..i {
            bend[j * d + i] = bend[i * d + j];
        }
        // The intercept is not held back, but for what keeps the system regular.
        let ridge = if i == 0 { 1e-9 } else { RIDGE };
        bend[i * d + i] += ridge;
        slope[i] -= ridge * weights[i];
    }
    let step = Cholesky::of(&bend, d)?.solve(&slope);
    let length = step.iter().map(|s| s * s).sum::<f64>().sqrt();
    let cut = if length > 1.0 { 1.0 / length } else { 1.0 };
    Some(step.into_iter().map(|s| s * cut).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::contest::sighting::INPUTS;

    fn inputs(x: [Option<f64>; 4]) -> ModelInputs {
        ModelInputs::of(core::array::from_fn::<_, INPUTS, _>(|n| x.get(n).copied().flatten()))
    }

    /// At the largest penalised likelihood the slope is zero; another fit would have to agree.
    #[test]
    fn the_climb_ends_where_nothing_is_gained_any_more() {
        let (mut rows, mut came) = (Vec::new(), Vec::new());
        for n in 0..600_u32 {
            let x = f64::from(n % 23) / 10.0 - 1.0;
            let gap = n.is_multiple_of(11);
            rows.push(inputs([Some(x), Some(x * x + f64::from(n % 5)), None, (!gap).then_some(f64::from(n % 3))]));
            came.push((f64::from(n * 7 % 100) / 100.0) < sigmoid(1.5 * x - 0.5 + if gap { 1.0 } else { 0.0 }));
        }
        let rows: Vec<&ModelInputs> = rows.iter().collect();
        let model = Logistic::fit(&rows, &came).unwrap();
        let design: Vec<Vec<f64>> = rows.iter().map(|r| model.columns(r)).collect();
        assert_eq!(design[0].len(), 5, "intercept, three inputs, one indicator");
        for (at, step) in newton(&design, &came, &model.weights).unwrap().into_iter().enumerate() {
            assert!(step.abs() < 1e-9, "{at}: {step}");
        }
        assert!(model.weights[1] > 0.5, "{:?}", model.weights);
        let (low, high) =
            (inputs([Some(-1.0), Some(2.0), None, Some(1.0)]), inputs([Some(1.2), Some(2.0), None, Some(1.0)]));
        assert!(model.score(&high) > model.score(&low) + 0.3);
    }

    #[test]
    fn what_separates_perfectly_stays_finite() {
        let rows: Vec<ModelInputs> = (0..200).map(|n| inputs([Some(f64::from(n)), None, None, None])).collect();
        let came: Vec<bool> = (0..200).map(|n| n >= 100).collect();
        let model = Logistic::fit(&rows.iter().collect::<Vec<_>>(), &came).unwrap();
        assert!(model.weights.iter().all(|w| w.is_finite() && w.abs() < 50.0), "{:?}", model.weights);
    }
}
