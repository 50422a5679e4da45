//! Brier score, logarithmic score, and skill against a reference that has a probability of its own for every case.

use super::case::Case;
use super::sums::{float, ratio};
use barograph_domain::math;
use serde::{Deserialize, Serialize};

/// Probabilities are kept this far from 0 and 1 before their logarithm is taken.
const CLIP: f64 = 1e-6;

/// Mean squared error of the probability, `(1/n) Σ (p − o)²`; `None` without cases.
#[must_use]
pub fn brier(cases: &[Case]) -> Option<f64> {
    ratio(cases.iter().map(|c| c.loss()).sum(), float(cases.len()))
}

/// Brier score of a reference's probabilities on the same cases, in the same order.
///
/// # Panics
/// When there are not as many probabilities as cases.
#[must_use]
pub fn brier_of_reference(cases: &[Case], reference: &[f64]) -> Option<f64> {
    assert_eq!(cases.len(), reference.len(), "a reference has one probability for each case");
    ratio(cases.iter().zip(reference).map(|(c, q)| c.loss_of(*q)).sum(), float(cases.len()))
}

/// `1 − BS/BS_ref`: 1 is perfect, 0 no better than the reference. `None` where the reference is perfect, and skill undefined.
#[must_use]
pub fn skill(score: f64, reference: f64) -> Option<f64> {
    (reference > 0.0).then(|| 1.0 - score / reference)
}

/// Brier skill against a reference's probabilities on the same cases (climatology, persistence).
///
/// # Panics
/// As [`brier_of_reference`].
#[must_use]
pub fn brier_skill(cases: &[Case], reference: &[f64]) -> Option<f64> {
    skill(brier(cases)?, brier_of_reference(cases, reference)?)
}

/// Mean logarithmic loss, and how often a probability was too near 0 or 1 to be taken as it was.
#[derive(Clone, Copy, PartialEq, Debug, Serialize, Deserialize)]
pub struct LogScore {
    /// `−(1/n) Σ [o ln p + (1 − o) ln(1 − p)]` in nats; lower is better.
    pub nats: f64,
    /// Cases whose probability was clipped to [1e-6, 1 − 1e-6].
    pub clipped: usize,
}

/// The logarithmic score; `None` without cases.
#[must_use]
pub fn log_score(cases: &[Case]) -> Option<LogScore> {
    let inside = |c: &Case| c.p.clamp(CLIP, 1.0 - CLIP);
    let loss = |c: &Case| -math::ln(if c.happened { inside(c) } else { 1.0 - inside(c) });
    let nats = ratio(cases.iter().map(loss).sum(), float(cases.len()))?;
    let clipped = cases.iter().filter(|c| c.p < CLIP || c.p > 1.0 - CLIP).count();
    Some(LogScore { nats, clipped })
}

#[cfg(test)]
mod tests {
    use super::*;
    use barograph_domain::Ts;

    #[test]
    fn certainty_that_was_wrong_is_clipped_and_counted() {
        let case = |p, happened| Case { issued: Ts(0), p, happened };
        let score = log_score(&[case(0.0, true), case(1.0, true), case(0.5, false)]).unwrap();
        assert_eq!(score.clipped, 2);
        let want = (13.815_510_557_964_274 + 1.000_000_500_029_089e-6 + core::f64::consts::LN_2) / 3.0;
        assert!((score.nats - want).abs() < 1e-12, "{}", score.nats);
    }

    #[test]
    fn nothing_is_said_without_cases_or_against_a_perfect_reference() {
        assert_eq!((brier(&[]), log_score(&[]), brier_skill(&[], &[])), (None, None, None));
        let case = Case { issued: Ts(0), p: 0.9, happened: true };
        assert_eq!(brier_skill(&[case], &[1.0]), None);
    }
}
