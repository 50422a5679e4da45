//! What a model was fitted on, and what lies outside of it: scales, fillings and the distance of Mahalanobis (1936).

use super::linear::Cholesky;
use super::sighting::ModelInputs;
use barograph_verify::contest::OUTLIER_SHARE;

/// Share of a variance that is added to it: two inputs may say the same.
const JITTER: f64 = 1e-6;

/// Median, mean and deviation of one input over the training moments in which it is there.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(super) struct Scale {
    pub(super) at: usize,
    median: f64,
    mean: f64,
    deviation: f64,
    /// It was missing in some of them.
    pub(super) gaps: bool,
}

impl Scale {
    fn of(rows: &[&ModelInputs], at: usize) -> Option<Self> {
        let mut there: Vec<f64> = rows.iter().filter_map(|r| r.get(at)).collect();
        there.sort_by(f64::total_cmp);
        let n = float(there.len());
        let mean = there.iter().sum::<f64>() / n;
        let deviation = (there.iter().map(|x| (x - mean) * (x - mean)).sum::<f64>() / n).sqrt();
        let usable = there.len() > 1 && deviation > 0.0 && deviation.is_finite();
        let gaps = there.len() < rows.len();
        usable.then(|| Self { at, median: quantile(&there, 0.5), mean, deviation, gaps })
    }

    /// In deviations from the mean; a missing one stands at the median.
    pub(super) fn standard(&self, inputs: &ModelInputs) -> f64 {
        (inputs.get(self.at).unwrap_or(self.median) - self.mean) / self.deviation
    }
}

/// Scales of those of the first `n` inputs that say anything.
pub(super) fn scales(rows: &[&ModelInputs], n: usize) -> Vec<Scale> {
    (0..n).filter_map(|at| Scale::of(rows, at)).collect()
}

/// Linear quantile of sorted values (type 7).
pub(super) fn quantile(sorted: &[f64], q: f64) -> f64 {
    let Some(last) = sorted.len().checked_sub(1) else { return 0.0 };
    let place = q * float(last);
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a place in the list")]
    let at = (place as usize).min(last);
    let next = sorted[(at + 1).min(last)];
    sorted[at] + (next - sorted[at]) * (place - float(at))
}

pub(super) fn float(n: usize) -> f64 {
    f64::from(u32::try_from(n).unwrap_or(u32::MAX))
}

/// Finds moments unlike those of the training.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct Gate {
    scales: Vec<Scale>,
    factor: Cholesky,
    /// Squared distance that the outermost training moments exceed.
    limit: f64,
}

impl Gate {
    /// Of the first `n` inputs of the training moments; `None` where they say nothing.
    pub(super) fn of(rows: &[&ModelInputs], n: usize) -> Option<Self> {
        let scales = scales(rows, n);
        let d = scales.len();
        let mut sums = vec![0.0; d * d];
        for row in rows {
            let z: Vec<f64> = scales.iter().map(|s| s.standard(row)).collect();
            for i in 0..d {
                for j in 0..=i {
                    sums[i * d + j] += z[i] * z[j];
                }
            }
        }
        let n = float(rows.len());
        let mut a = vec![0.0; d * d];
        for i in 0..d {
            for j in 0..d {
                a[i * d + j] = sums[i.max(j) * d + i.min(j)] / n;
            }
            a[i * d + i] += JITTER;
        }
        let mut gate = Self { factor: Cholesky::of(&a, d).filter(|_| d > 0)?, scales, limit: f64::INFINITY };
        let mut distances: Vec<f64> = rows.iter().map(|r| gate.distance(r)).collect();
        distances.sort_by(f64::total_cmp);
        gate.limit = quantile(&distances, OUTLIER_SHARE);
        Some(gate)
    }

    fn distance(&self, inputs: &ModelInputs) -> f64 {
        let z: Vec<f64> = self.scales.iter().map(|s| s.standard(inputs)).collect();
        self.factor.forward(&z).iter().map(|y| y * y).sum()
    }

    /// Is the moment further out than all but the outermost of the training?
    pub(super) fn is_outside(&self, inputs: &ModelInputs) -> bool {
        self.distance(inputs) > self.limit
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::contest::sighting::INPUTS;

    fn inputs(x: &[f64]) -> ModelInputs {
        ModelInputs::of(core::array::from_fn::<_, INPUTS, _>(|n| x.get(n).copied()))
    }

    #[test]
    fn what_is_far_from_all_training_moments_is_outside_also_where_each_input_alone_is_common() {
        let rows: Vec<ModelInputs> = (0..2_000)
            .map(|n| {
                let x = f64::from(n % 41) - 20.0;
                inputs(&[x, 2.0 * x + f64::from(n % 7)])
            })
            .collect();
        let gate = Gate::of(&rows.iter().collect::<Vec<_>>(), 4).unwrap();
        assert!(rows.iter().filter(|r| gate.is_outside(r)).count() <= 10);
        assert!(!gate.is_outside(&inputs(&[10.0, 23.0])));
        assert!(gate.is_outside(&inputs(&[10.0, -20.0])), "against the grain");
        assert!(gate.is_outside(&inputs(&[500.0, 1_003.0])));
        assert!(Gate::of(&[&inputs(&[1.0]), &inputs(&[1.0])], 4).is_none(), "nothing varies");
    }
}
