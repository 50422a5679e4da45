//! CORP reliability: consistent, optimally binned, reproducible, by pool-adjacent-violators (Dimitriadis, Gneiting and Jordan,
//! "Stable reliability diagrams for probabilistic classifiers", 2021).
//!
//! The best non-decreasing recalibration of the forecasts is found by isotonic regression of outcomes on probabilities. What it
//! gains is miscalibration, what remains better than the constant rate is discrimination. No bins are chosen by anybody.

use super::brier::brier;
use super::case::{Case, base_rate};
use super::sums::{Tie, float, ties_of};
use barograph_domain::scorecard::CurveStep;
use serde::{Deserialize, Serialize};

/// A stretch of the scale on which the recalibrated probability is the same.
#[derive(Clone, Copy, PartialEq, Debug, Serialize, Deserialize)]
pub struct CorpStep {
    /// Least probability stated in it.
    pub p_from: f64,
    /// Greatest probability stated in it.
    pub p_upto: f64,
    /// Cases in it.
    pub n: usize,
    /// How often the event came there: the recalibrated probability.
    pub observed: f64,
}

impl From<&CorpStep> for CurveStep {
    fn from(step: &CorpStep) -> Self {
        Self { from: step.p_from, upto: step.p_upto, calibrated: step.observed, n: step.n as u64 }
    }
}

/// The split of the Brier score and the curve behind it; `BS = MCB − DSC + UNC`.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Corp {
    /// MCB: what recalibration would gain; 0 is calibrated.
    pub miscalibration: f64,
    /// DSC: what the recalibrated forecasts are better than the constant rate; 0 tells nothing apart.
    pub discrimination: f64,
    /// UNC: the Brier score of the constant rate.
    pub uncertainty: f64,
    /// The reliability curve, from the least probability to the greatest; `observed` rises from step to step.
    pub curve: Vec<CorpStep>,
}

impl Corp {
    /// The Brier score that the parts add up to.
    #[must_use]
    pub fn brier(&self) -> f64 {
        self.miscalibration - self.discrimination + self.uncertainty
    }
}

/// One pool of the algorithm: its weight, its weighted sum, and how many of the inputs it holds.
#[derive(Clone, Copy, Debug)]
struct Pool {
    weight: f64,
    sum: f64,
    inputs: usize,
}

impl Pool {
    fn value(self) -> f64 {
        self.sum / self.weight
    }
}

/// Neighbours whose means would fall are pooled, until none do.
fn pools(inputs: impl IntoIterator<Item = (f64, f64)>) -> Vec<Pool> {
    let mut pools: Vec<Pool> = Vec::new();
    for (value, weight) in inputs {
        let mut last = Pool { weight, sum: value * weight, inputs: 1 };
        while let Some(before) = pools.pop_if(|before| before.value() >= last.value()) {
            last.weight += before.weight;
            last.sum += before.sum;
            last.inputs += before.inputs;
        }
        pools.push(last);
    }
    pools
}

/// Weighted isotonic regression of (value, weight), weights positive: the nearest non-decreasing values in the sense of least squares.
#[must_use]
pub fn isotonic(inputs: &[(f64, f64)]) -> Vec<f64> {
    let pools = pools(inputs.iter().copied());
    pools.into_iter().flat_map(|pool| std::iter::repeat_n(pool.value(), pool.inputs)).collect()
}

/// The CORP split and curve of these cases, in any order; `None` without any.
#[must_use]
pub fn corp(cases: &[Case]) -> Option<Corp> {
    corp_of(cases, &ties_of(cases))
}

/// The same of cases whose [`ties_of`] are known.
pub(crate) fn corp_of(cases: &[Case], groups: &[Tie]) -> Option<Corp> {
    let (score, rate) = (brier(cases)?, base_rate(cases)?);
    // Cases of one probability can only be recalibrated together.
    let mut groups_left = groups.iter();
    let mut curve = Vec::new();
    let mut recalibrated = 0.0;
    for pool in pools(groups.iter().map(|g| (float(g.came) / float(g.n), float(g.n)))) {
        let mut held = groups_left.by_ref().take(pool.inputs);
        let first = held.next()?;
        let (mut p_upto, mut n, mut came) = (first.x, first.n, first.came);
        for group in held {
            (p_upto, n, came) = (group.x, n + group.n, came + group.came);
        }
        let observed = float(came) / float(n);
        recalibrated += float(came) * (1.0 - observed);
        curve.push(CorpStep { p_from: first.x, p_upto, n, observed });
    }
    let (recalibrated, uncertainty) = (recalibrated / float(cases.len()), rate * (1.0 - rate));
    Some(Corp { miscalibration: score - recalibrated, discrimination: uncertainty - recalibrated, uncertainty, curve })
}

#[cfg(test)]
mod tests {
    use super::*;
    use barograph_domain::Ts;
    use barograph_testkit::GoldenTable;

    #[test]
    fn isotonic_regression_is_that_of_scikit_learn() {
        let table = GoldenTable::whole("isotonic");
        let inputs: Vec<_> = table.rows().map(|row| (row.need("freq"), row.need("n"))).collect();
        for (i, (row, got)) in table.rows().zip(isotonic(&inputs)).enumerate() {
            let want = row.need("isotonic");
            assert_eq!(row.text("bin"), i.to_string());
            assert!((got - want).abs() <= 1e-10 * want, "bin {i}: {got} is not {want}");
        }
    }

    #[test]
    fn a_curve_pools_what_falls_and_keeps_what_rises() {
        let case = |p, happened| Case { issued: Ts(0), p, happened };
        let said = [case(0.1, false), case(0.3, true), case(0.5, false), case(0.9, true), case(0.9, true)];
        let corp = corp(&said).unwrap();
        let steps: Vec<_> = corp.curve.iter().map(|s| (s.p_from, s.p_upto, s.n, s.observed)).collect();
        assert_eq!(steps, [(0.1, 0.1, 1, 0.0), (0.3, 0.5, 2, 0.5), (0.9, 0.9, 2, 1.0)]);
        assert!((corp.uncertainty - 0.24).abs() < 1e-15 && (corp.discrimination - 0.14).abs() < 1e-15);
        assert_eq!(super::corp(&[]), None);
    }
}
