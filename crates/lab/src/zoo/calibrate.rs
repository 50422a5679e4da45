//! From a score to a probability, on rows the score was not fitted on.
//!
//! A curve never falls: where a score goes against the outcomes of the inner split, it is flat, because turning the score round would be
//! a choice made on few rows.

use super::features::float;
use super::recipe::CalibrationRule;
use barograph_domain::math::exp;
use barograph_verify::scores::isotonic;
use serde::{Deserialize, Serialize};

/// Newton's steps at most; a few are usual.
const STEPS_MAX: usize = 50;
/// The climb has ended when no step is larger.
const STEP_MIN: f64 = 1e-10;

/// `1 / (1 + e^−x)`.
pub(crate) fn sigmoid(x: f64) -> f64 {
    1.0 / (1.0 + exp(-x))
}

/// The logistic curve `σ(from + slope·score)` (Platt 1999), its targets smoothed as he does: with n₁ events `(n₁+1)/(n₁+2)` in place of
/// 1, with n₀ others `1/(n₀+2)` in place of 0.
#[derive(Clone, Copy, PartialEq, Debug, Serialize, Deserialize)]
pub struct PlattCurve {
    from: f64,
    slope: f64,
    /// Lowest and highest score it was fitted on. Beyond them it is flat: a model that hardly tells rows apart has a steep curve, and
    /// a score that was never seen would be called certain.
    seen: [f64; 2],
}

impl PlattCurve {
    /// The likeliest curve of pairs (score, whether it came); flat where the slope would fall or no score differs.
    #[must_use]
    pub fn fit(cases: &[(f64, bool)]) -> Self {
        let n = float(cases.len());
        let came = float(cases.iter().filter(|c| c.1).count());
        let reach = |[low, high]: [f64; 2], score: f64| [low.min(score), high.max(score)];
        let seen = cases.iter().fold([f64::INFINITY, f64::NEG_INFINITY], |seen, c| reach(seen, c.0));
        let flat = Self { from: logit((came + 1.0) / (n + 2.0)), slope: 0.0, seen: [0.0, 0.0] };
        let mean = cases.iter().map(|c| c.0).sum::<f64>() / n;
        let spread = (cases.iter().map(|c| (c.0 - mean) * (c.0 - mean)).sum::<f64>() / n).sqrt();
        if spread <= 0.0 || !spread.is_finite() {
            return flat;
        }
        let targets = [1.0 / (n - came + 2.0), (came + 1.0) / (came + 2.0)];
        let (mut a, mut b) = (flat.from, 0.0);
        for _ in 0..STEPS_MAX {
            let (mut slope, mut bend) = ([0.0; 2], [1e-12, 0.0, 1e-12]);
            for (score, happened) in cases {
                let z = (score - mean) / spread;
                let p = sigmoid(a + b * z);
                let (error, weight) = (targets[usize::from(*happened)] - p, p * (1.0 - p));
                slope[0] += error;
                slope[1] += error * z;
                bend[0] += weight;
                bend[1] += weight * z;
                bend[2] += weight * z * z;
            }
            let det = bend[0] * bend[2] - bend[1] * bend[1];
            let step =
                [(bend[2] * slope[0] - bend[1] * slope[1]) / det, (bend[0] * slope[1] - bend[1] * slope[0]) / det];
            // From far away a full step may overshoot.
            let length = step[0].abs().max(step[1].abs());
            let cut = if length > 2.0 { 2.0 / length } else { 1.0 };
            a += step[0] * cut;
            b += step[1] * cut;
            if length < STEP_MIN {
                break;
            }
        }
        if b > 0.0 && a.is_finite() && b.is_finite() {
            Self { from: a - b * mean / spread, slope: b / spread, seen }
        } else {
            flat
        }
    }

    /// The probability at a score.
    #[must_use]
    pub fn at(self, score: f64) -> f64 {
        // Not `clamp`: it panics where nothing was seen.
        sigmoid(self.from + self.slope * score.max(self.seen[0]).min(self.seen[1]))
    }
}

fn logit(p: f64) -> f64 {
    barograph_domain::math::ln(p / (1.0 - p))
}

/// The best curve among all that never fall (pool adjacent violators), straight between scores that were seen, flat beyond them.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct IsotonicCurve {
    scores: Vec<f64>,
    levels: Vec<f64>,
}

impl IsotonicCurve {
    /// Of pairs (score, whether it came), in any order; `None` without any.
    #[must_use]
    pub fn fit(cases: &[(f64, bool)]) -> Option<Self> {
        let mut sorted = cases.to_vec();
        sorted.sort_by(|a, b| a.0.total_cmp(&b.0));
        let mut scores: Vec<f64> = Vec::new();
        let mut tallies: Vec<(f64, f64)> = Vec::new();
        for (score, happened) in sorted {
            let came = f64::from(u8::from(happened));
            match (scores.last(), tallies.last_mut()) {
                (Some(last), Some(tally)) if *last >= score => *tally = (tally.0 + came, tally.1 + 1.0),
                _ => {
                    scores.push(score);
                    tallies.push((came, 1.0));
                }
            }
        }
        let shares: Vec<(f64, f64)> = tallies.into_iter().map(|(came, n)| (came / n, n)).collect();
        let levels = isotonic(&shares);
        // Within a flat stretch only its ends are needed.
        let last = scores.len().checked_sub(1)?;
        let flat = |i: usize, j: usize| levels[i].total_cmp(&levels[j]).is_eq();
        let kept = |i: &usize| *i == 0 || *i == last || !flat(*i, i - 1) || !flat(*i, i + 1);
        let kept: Vec<usize> = (0..=last).filter(kept).collect();
        let of = |from: &[f64]| kept.iter().map(|i| from[*i]).collect();
        Some(Self { scores: of(&scores), levels: of(&levels) })
    }

    /// The level at a score.
    #[must_use]
    pub fn at(&self, score: f64) -> f64 {
        let next = self.scores.partition_point(|s| *s < score);
        let (Some(level), Some(before)) = (self.levels.get(next), next.checked_sub(1)) else {
            return self.levels[next.min(self.levels.len() - 1)];
        };
        let share = (score - self.scores[before]) / (self.scores[next] - self.scores[before]);
        self.levels[before] + (level - self.levels[before]) * share
    }
}

/// How the scores of one question become probabilities.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub enum Calibrator {
    /// By a logistic curve.
    Platt(PlattCurve),
    /// By the best rising curve, kept away from 0 and 1 by half a case.
    Isotonic {
        /// The curve.
        curve: IsotonicCurve,
        /// Least probability said; the greatest is as far from 1.
        least: f64,
    },
}

impl Calibrator {
    /// Fitted on pairs (score, whether it came); `None` without any.
    #[must_use]
    pub fn fit(rule: CalibrationRule, cases: &[(f64, bool)]) -> Option<Self> {
        if cases.is_empty() {
            return None;
        }
        Some(match rule {
            CalibrationRule::Platt => Self::Platt(PlattCurve::fit(cases)),
            CalibrationRule::Isotonic => {
                Self::Isotonic { curve: IsotonicCurve::fit(cases)?, least: 0.5 / (float(cases.len()) + 1.0) }
            }
        })
    }

    /// The probability at a score.
    #[must_use]
    pub fn at(&self, score: f64) -> f64 {
        match self {
            Self::Platt(curve) => curve.at(score),
            Self::Isotonic { curve, least } => curve.at(score).clamp(*least, 1.0 - least),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use barograph_domain::random::SplitMix;

    fn cases(n: usize, slope: f64) -> Vec<(f64, bool)> {
        let mut random = SplitMix::new(3);
        (0..n)
            .map(|_| {
                let x = 4.0 * random.unit() - 2.0;
                (x, random.unit() < sigmoid(slope * x - 0.4))
            })
            .collect()
    }

    #[test]
    fn platt_finds_the_curve_that_made_the_cases() {
        let curve = PlattCurve::fit(&cases(40_000, 1.5));
        assert!((curve.slope - 1.5).abs() < 0.06 && (curve.from + 0.4).abs() < 0.04, "{curve:?}");
        // The scale of the score does not matter.
        let wide: Vec<_> = cases(2_000, 1.5).into_iter().map(|(x, y)| (1e4 * x + 7.0, y)).collect();
        let (a, b) = (PlattCurve::fit(&wide), PlattCurve::fit(&cases(2_000, 1.5)));
        assert!((a.at(1e4 + 7.0) - b.at(1.0)).abs() < 1e-9);
    }

    #[test]
    fn a_score_that_goes_against_the_outcomes_is_flat() {
        for curve in [PlattCurve::fit(&cases(4_000, -1.0)), PlattCurve::fit(&[(1.0, true), (1.0, false), (1.0, false)])]
        {
            assert!((curve.at(-2.0) - curve.at(2.0)).abs() < 1e-15, "{curve:?}");
        }
        assert!((PlattCurve::fit(&[(1.0, true), (1.0, false), (1.0, false)]).at(0.0) - 0.4).abs() < 1e-12);
    }

    #[test]
    fn a_score_beyond_all_that_were_seen_is_not_called_certain() {
        let narrow: Vec<_> = cases(400, 1.0).into_iter().map(|(x, y)| (1e-6 * x, y)).collect();
        let curve = PlattCurve::fit(&narrow);
        assert!(curve.at(2e-6) < 0.95 && curve.at(0.5) <= curve.at(2e-6) && curve.at(-0.5) >= curve.at(-2e-6));
    }

    #[test]
    fn the_rising_curve_is_straight_between_scores_and_flat_beyond() {
        let curve = IsotonicCurve::fit(&[(3.0, true), (0.0, false), (1.0, true), (2.0, false)]).unwrap();
        for (score, want) in [(-9.0, 0.0), (0.0, 0.0), (0.5, 0.25), (1.0, 0.5), (1.7, 0.5), (2.5, 0.75), (9.0, 1.0)] {
            assert!((curve.at(score) - want).abs() < 1e-15, "{score}: {}", curve.at(score));
        }
        let calibrator = Calibrator::fit(CalibrationRule::Isotonic, &[(0.0, false), (1.0, true)]).unwrap();
        assert!((calibrator.at(-1.0) - 1.0 / 6.0).abs() < 1e-15 && (calibrator.at(5.0) - 5.0 / 6.0).abs() < 1e-15);
        assert_eq!((IsotonicCurve::fit(&[]), Calibrator::fit(CalibrationRule::Platt, &[])), (None, None));
    }
}
