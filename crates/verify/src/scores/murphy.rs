//! Murphy's split of the Brier score into reliability, resolution and uncertainty, made exact: forecasts within a bin differ, so two
//! more terms belong to it (Stephenson, Coelho and Jolliffe, "Two extra components in the Brier score decomposition", 2008).

use super::bins::{BINS, Binning, assigned};
use super::case::{Case, base_rate};
use super::sums::float;
use serde::{Deserialize, Serialize};

/// The five terms; `BS = REL − RES + UNC + WBV − WBC`.
#[derive(Clone, Copy, PartialEq, Debug, Serialize, Deserialize)]
pub struct Murphy {
    /// `Σ n_k/n (p̄_k − ō_k)²`: 0 is calibrated.
    pub reliability: f64,
    /// `Σ n_k/n (ō_k − ō)²`: how far the bins tell cases apart.
    pub resolution: f64,
    /// `ō(1 − ō)`: what the events themselves leave open.
    pub uncertainty: f64,
    /// Variance of the probabilities within their bins.
    pub within_variance: f64,
    /// Twice the covariance of probability and outcome within their bins.
    pub within_covariance: f64,
}

impl Murphy {
    /// The Brier score that the terms add up to.
    #[must_use]
    pub fn brier(self) -> f64 {
        self.reliability - self.resolution + self.uncertainty + self.within_variance - self.within_covariance
    }
}

/// Splits the Brier score of these cases; `None` without any.
#[must_use]
pub fn murphy(cases: &[Case], binning: Binning) -> Option<Murphy> {
    let n = float(cases.len());
    let rate = base_rate(cases)?;
    let bins = assigned(cases, binning);
    // Count, probabilities and outcomes of each bin.
    let mut held = [(0.0, 0.0, 0.0); BINS];
    for (case, bin) in cases.iter().zip(&bins) {
        let (count, p, o) = &mut held[*bin];
        (*count, *p, *o) = (*count + 1.0, *p + case.p, *o + case.outcome());
    }
    let (mut reliability, mut resolution) = (0.0, 0.0);
    for (count, p, o) in held.iter_mut().filter(|(count, _, _)| *count > 0.0) {
        (*p, *o) = (*p / *count, *o / *count);
        reliability += *count * (*p - *o) * (*p - *o);
        resolution += *count * (*o - rate) * (*o - rate);
    }
    let (mut variance, mut covariance) = (0.0, 0.0);
    for (case, bin) in cases.iter().zip(&bins) {
        let (_, p, o) = held[*bin];
        variance += (case.p - p) * (case.p - p);
        covariance += (case.p - p) * (case.outcome() - o);
    }
    Some(Murphy {
        reliability: reliability / n,
        resolution: resolution / n,
        uncertainty: rate * (1.0 - rate),
        within_variance: variance / n,
        within_covariance: 2.0 * covariance / n,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use barograph_domain::Ts;

    /// The worked example (verification §9).
    #[test]
    fn five_cases_by_hand() {
        let [said, came] = [[0.1, 0.1, 0.4, 0.4, 0.8], [0.0, 0.0, 1.0, 0.0, 1.0]];
        let cases = said.into_iter().zip(came).map(|(p, o)| Case { issued: Ts(0), p, happened: o > 0.5 });
        let cases: Vec<_> = cases.collect();
        let split = murphy(&cases, Binning::EqualWidth).unwrap();
        let got = [split.reliability, split.resolution, split.uncertainty, split.brier()];
        for (got, want) in got.into_iter().zip([0.016, 0.14, 0.24, 0.116]) {
            assert!((got - want).abs() < 1e-12, "{got} is not {want}");
        }
        assert!(split.within_variance.abs() < 1e-30 && split.within_covariance.abs() < 1e-30);
        assert!((super::super::brier_skill(&cases, &[0.4; 5]).unwrap() - 0.124 / 0.24).abs() < 1e-12);
        assert_eq!(murphy(&[], Binning::EqualWidth), None);
    }
}
