//! How sure a Sharpe ratio is, and what is left of it after so many trials (research §6, PSR and DSR).
//!
//! Bailey and López de Prado, "The Sharpe ratio efficient frontier" (2012) and "The deflated Sharpe ratio" (2014).

use super::normal::{normal_below, normal_quantile};
use super::sharpe::{SharpeMoments, count};

/// Euler's constant γ, from the expected largest of many normal numbers.
pub const EULER_GAMMA: f64 = 0.577_215_664_901_532_9;

/// Probability that the true Sharpe ratio per day is above `benchmark`, given the days. `None` where the estimate of its error is
/// not positive, which happens only for corrected moments of very few days.
#[must_use]
pub fn probabilistic_sharpe(moments: &SharpeMoments, benchmark: f64) -> Option<f64> {
    let SharpeMoments { days, sharpe, skewness, kurtosis } = *moments;
    let variance = 1.0 - skewness * sharpe + 0.25 * (kurtosis - 1.0) * sharpe * sharpe;
    let z = (sharpe - benchmark) * (count(days) - 1.0).sqrt() / variance.sqrt();
    (variance > 0.0 && z.is_finite()).then(|| normal_below(z))
}

/// The Sharpe ratio that the best of so many trials is expected to show when none has any skill; `variance` is that of the trials'
/// ratios. In the unit of those ratios.
///
/// One trial needs no correction and has 0. The number of effective trials is fractional; just above 1 the formula would be
/// negative, which no expected maximum is: there it is 0 as well.
#[must_use]
pub fn expected_best_sharpe(trials: f64, variance: f64) -> f64 {
    let quantile = |share: f64| normal_quantile(1.0 - share);
    let largest = quantile(1.0 / trials)
        .zip(quantile(1.0 / (trials * core::f64::consts::E)))
        .map_or(0.0, |(plain, thinned)| (1.0 - EULER_GAMMA) * plain + EULER_GAMMA * thinned);
    largest.max(0.0) * variance.max(0.0).sqrt()
}

/// What all trials of a target have in common with the one that is judged.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct TrialSpread {
    /// Every configuration that was fitted, whatever came of it.
    pub trials: usize,
    /// As many independent trials as those are worth: `ρ̄ + (1 − ρ̄)·N` with the mean correlation `ρ̄` of their daily net P&L, held
    /// within [0, 1]. Equal to the number of trials where no two series vary.
    pub trials_effective: f64,
    /// Sample variance of the trials' Sharpe ratios per day; 0 for a single one.
    pub variance: f64,
}

impl TrialSpread {
    /// From the daily net P&L of the trials that have one, all over the same days, and the number of all trials, those without
    /// any trade among them. A number below that of the series counts as theirs.
    #[must_use]
    pub fn new(trials: usize, daily: &[Vec<f64>]) -> Self {
        let trials = trials.max(daily.len()).max(1);
        let ratios: Vec<f64> =
            daily.iter().filter_map(|d| SharpeMoments::population(d).ok()).map(|m| m.sharpe).collect();
        let correlation = mean_correlation(daily).unwrap_or(0.0).clamp(0.0, 1.0);
        Self {
            trials,
            trials_effective: correlation + (1.0 - correlation) * count(trials),
            variance: sample_variance(&ratios).unwrap_or(0.0),
        }
    }
}

/// Sharpe ratio after the number of trials is taken off it.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct DeflatedSharpe {
    /// Trials that were taken off.
    pub trials: f64,
    /// Ratio per day that the best of them is expected to show without skill.
    pub benchmark: f64,
    /// Probability that the true ratio is above that.
    pub probability: f64,
}

impl DeflatedSharpe {
    /// With a number of trials and the variance of their ratios. `None` as for [`probabilistic_sharpe`].
    #[must_use]
    pub fn new(moments: &SharpeMoments, trials: f64, variance: f64) -> Option<Self> {
        let benchmark = expected_best_sharpe(trials, variance);
        Some(Self { trials, benchmark, probability: probabilistic_sharpe(moments, benchmark)? })
    }

    /// With all trials, which is the criterion of research §8, and with the effective ones.
    #[must_use]
    pub fn both(moments: &SharpeMoments, spread: &TrialSpread) -> Option<[Self; 2]> {
        let with = |trials| Self::new(moments, trials, spread.variance);
        Some([with(count(spread.trials))?, with(spread.trials_effective)?])
    }
}

/// Sample variance, over `n − 1`; `None` of fewer than two values.
#[must_use]
pub fn sample_variance(values: &[f64]) -> Option<f64> {
    let n = count(values.len());
    let mean = values.iter().sum::<f64>() / n;
    (values.len() > 1).then(|| values.iter().map(|v| (v - mean) * (v - mean)).sum::<f64>() / (n - 1.0))
}

/// Mean over all pairs of series that vary; `None` with fewer than two of those.
///
/// Summed without going through the pairs: with every series brought to length 1, the pairs' products are half of what the square
/// of their sum has more than their own squares.
fn mean_correlation(daily: &[Vec<f64>]) -> Option<f64> {
    let days = daily.iter().map(Vec::len).min()?;
    let mut sum = vec![0.0; days];
    let mut varying = 0_usize;
    for series in daily.iter().map(|s| &s[..days]) {
        if SharpeMoments::population(series).is_err() {
            continue;
        }
        let mean = series.iter().sum::<f64>() / count(days);
        let length = series.iter().map(|r| (r - mean) * (r - mean)).sum::<f64>().sqrt();
        sum.iter_mut().zip(series).for_each(|(to, r)| *to += (r - mean) / length);
        varying += 1;
    }
    let n = count(varying);
    let square: f64 = sum.iter().map(|s| s * s).sum();
    (varying > 1).then(|| (square - n) / (n * (n - 1.0)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use barograph_testkit::GoldenTable;

    /// Worked numbers of research §12.
    #[test]
    fn the_worked_example_comes_out() {
        let moments = SharpeMoments { days: 250, sharpe: 0.12, skewness: -0.3, kurtosis: 5.0 };
        let deflated = DeflatedSharpe::new(&moments, 50.0, 0.0025).unwrap();
        let psr = probabilistic_sharpe(&moments, 0.0).unwrap();
        for (got, want, digits) in
            [(deflated.benchmark, 0.113_815, 5e-7), (psr, 0.9677, 5e-5), (deflated.probability, 0.5379, 5e-5)]
        {
            assert!((got - want).abs() < digits, "{got} is not {want}");
        }
    }

    /// The vector divides by the sample deviation; everything else is as on a board.
    #[test]
    fn the_golden_vector_comes_out() {
        let table = GoldenTable::whole("sharpe_dsr");
        let daily: Vec<f64> = table.rows().map(|row| row.need("ret")).collect();
        assert!(table.rows().enumerate().all(|(n, row)| row.text("day") == n.to_string()));
        let last = table.last();
        let population = SharpeMoments::population(&daily).unwrap();
        let moments = SharpeMoments { sharpe: last.need("sharpe_daily"), ..population };
        let annual = moments.sharpe * 365.0_f64.sqrt();
        let deflated = DeflatedSharpe::new(&moments, 40.0, 0.0049).unwrap();
        for (got, want) in [
            (annual, last.need("sharpe_annual")),
            (moments.skewness, last.need("skew")),
            (moments.kurtosis, last.need("kurtosis")),
            (deflated.benchmark, last.need("sr_star_n40_v0049")),
            (probabilistic_sharpe(&moments, 0.0).unwrap(), last.need("psr0")),
            (deflated.probability, last.need("dsr")),
        ] {
            assert!((got - want).abs() <= 1e-9 * want.abs(), "{got} is not {want}");
        }
    }

    #[test]
    fn more_trials_take_off_more_and_one_takes_nothing() {
        assert!(expected_best_sharpe(1.0, 0.01).abs() < 1e-300);
        assert!(expected_best_sharpe(1.01, 0.01).abs() < 1e-300, "no expected maximum is negative");
        let best: Vec<f64> = [2.0, 3.0, 10.0, 1e3, 1e6].map(|n| expected_best_sharpe(n, 1.0)).to_vec();
        assert!(best.windows(2).all(|w| 0.0 < w[0] && w[0] < w[1]), "{best:?}");
    }

    #[test]
    fn trials_that_move_together_count_as_few() {
        let wave = |k: usize| (0..60).map(|d| count((d * 7 + d * d * k) % 11) - 4.0).collect::<Vec<f64>>();
        let same = TrialSpread::new(10, &vec![wave(1); 10]);
        assert!((same.trials_effective - 1.0).abs() < 1e-9 && same.variance.abs() < 1e-30, "{same:?}");
        let opposite = TrialSpread::new(2, &[wave(1), wave(1).iter().map(|r| -r).collect()]);
        assert!((opposite.trials_effective - 2.0).abs() < 1e-12, "a negative correlation adds no trials");
        let silent = TrialSpread::new(9, &[wave(1), vec![0.0; 60]]);
        assert_eq!((silent.trials, silent.trials_effective.to_bits()), (9, 9.0_f64.to_bits()));
    }

    /// The sum over pairs, pair by pair.
    #[test]
    fn the_mean_over_pairs_needs_no_pairs() {
        let series: Vec<Vec<f64>> = (1..6).map(|k| (0..40).map(|d| count((d * d * k + d) % 13)).collect()).collect();
        let correlation = |a: &[f64], b: &[f64]| {
            let (ma, mb) = (a.iter().sum::<f64>() / 40.0, b.iter().sum::<f64>() / 40.0);
            let dot =
                |x: &[f64], mx: f64, y: &[f64], my: f64| x.iter().zip(y).map(|(x, y)| (x - mx) * (y - my)).sum::<f64>();
            dot(a, ma, b, mb) / (dot(a, ma, a, ma) * dot(b, mb, b, mb)).sqrt()
        };
        let pairs: Vec<f64> = (0..5)
            .flat_map(|a| (0..a).map(move |b| (a, b)))
            .map(|(a, b)| correlation(&series[a], &series[b]))
            .collect();
        let want = pairs.iter().sum::<f64>() / count(pairs.len());
        assert!((mean_correlation(&series).unwrap() - want).abs() < 1e-12);
    }
}
