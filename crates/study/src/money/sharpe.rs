//! Sharpe ratios of daily returns and the moments behind them (research §6).
//!
//! Two ratios stand side by side on purpose. The one that is shown is annual and divides by the sample deviation; the one that
//! enters the probabilistic Sharpe ratio is per day and divides by the population deviation. Both need the mean and the deviation
//! of the same days, none of which may be left out: a day without a trade is a return of 0.

use barograph_domain::time::YEAR_DAYS;

/// Fewer days than this have no annual Sharpe ratio (research §6).
pub const SHARPE_DAYS_MIN: usize = 30;

/// Why days have no Sharpe ratio.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum NoSharpe {
    /// There are fewer days than are needed.
    TooFewDays {
        /// Days that there are.
        days: usize,
        /// Days that are needed.
        needed: usize,
    },
    /// Every day returned the same: a ratio to no variation means nothing.
    NoVariation,
    /// A day's return is no finite number.
    NotFinite,
}

impl core::fmt::Display for NoSharpe {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            Self::TooFewDays { days, needed } => {
                write!(f, "{}; a Sharpe ratio needs {needed}", barograph_domain::text::number_of(*days as u64, "day"))
            }
            Self::NoVariation => write!(f, "every day returned the same"),
            Self::NotFinite => write!(f, "a day's return is no finite number"),
        }
    }
}

impl core::error::Error for NoSharpe {}

/// Mean and deviations of daily returns.
#[derive(Clone, Copy, PartialEq, Debug)]
struct Spread {
    n: f64,
    mean: f64,
    /// Sums of the second, third and fourth powers of the distances from the mean.
    powers: [f64; 3],
}

fn spread(daily: &[f64], needed: usize) -> Result<Spread, NoSharpe> {
    if daily.len() < needed.max(2) {
        return Err(NoSharpe::TooFewDays { days: daily.len(), needed: needed.max(2) });
    }
    if daily.iter().any(|r| !r.is_finite()) {
        return Err(NoSharpe::NotFinite);
    }
    // Equal numbers can have a mean that differs from them in the last bit: their deviation would not be exactly 0.
    if daily.iter().all(|r| r.total_cmp(&daily[0]).is_eq()) {
        return Err(NoSharpe::NoVariation);
    }
    let n = count(daily.len());
    let mean = daily.iter().sum::<f64>() / n;
    let mut powers = [0.0; 3];
    for r in daily {
        let d = r - mean;
        powers[0] += d * d;
        powers[1] += d * d * d;
        powers[2] += d * d * d * d;
    }
    if powers[0] > 0.0 { Ok(Spread { n, mean, powers }) } else { Err(NoSharpe::NoVariation) }
}

/// `√365 · mean / sample deviation` of daily returns, for any number of days from 30 on (research §6, `sharpe_net`).
///
/// # Errors
/// Fewer than 30 days, no variation, or a return that is no number.
pub fn annual_sharpe(daily: &[f64]) -> Result<f64, NoSharpe> {
    let s = spread(daily, SHARPE_DAYS_MIN)?;
    Ok(YEAR_DAYS.sqrt() * s.mean / (s.powers[0] / (s.n - 1.0)).sqrt())
}

/// What the probabilistic Sharpe ratio needs to know of the days.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct SharpeMoments {
    /// Days there are.
    pub days: usize,
    /// Mean over deviation, per day.
    pub sharpe: f64,
    /// Third standardised moment.
    pub skewness: f64,
    /// Fourth standardised moment, 3 for the normal distribution.
    pub kurtosis: f64,
}

impl SharpeMoments {
    /// Population moments throughout, as research §6 wants them.
    ///
    /// # Errors
    /// Fewer than two days, no variation, or a return that is no number.
    pub fn population(daily: &[f64]) -> Result<Self, NoSharpe> {
        let s = spread(daily, 2)?;
        let variance = s.powers[0] / s.n;
        Ok(Self {
            days: daily.len(),
            sharpe: s.mean / variance.sqrt(),
            skewness: s.powers[1] / s.n / (variance * variance.sqrt()),
            kurtosis: s.powers[2] / s.n / (variance * variance),
        })
    }

    /// The same ratio with skewness and kurtosis corrected for their bias in small samples (Fisher's `k` statistics; Joanes and
    /// Gill, "Comparing measures of sample skewness and kurtosis", 1998). `purgedcv` 0.1.11 computes them so; boards use
    /// [`Self::population`].
    ///
    /// # Errors
    /// Fewer than four days, no variation, or a return that is no number.
    pub fn bias_corrected(daily: &[f64]) -> Result<Self, NoSharpe> {
        let s = spread(daily, 4)?;
        let plain = Self::population(daily)?;
        let n = s.n;
        let excess = (n - 1.0) / ((n - 2.0) * (n - 3.0)) * ((n + 1.0) * (plain.kurtosis - 3.0) + 6.0);
        Ok(Self { skewness: plain.skewness * (n * (n - 1.0)).sqrt() / (n - 2.0), kurtosis: excess + 3.0, ..plain })
    }
}

/// A number of days, trials or trades as a float.
#[expect(clippy::cast_precision_loss, reason = "no study has 2^53 days, trials or trades")]
pub(crate) const fn count(n: usize) -> f64 {
    n as f64
}

#[cfg(test)]
mod tests {
    use super::*;
    use barograph_testkit::GoldenTable;

    fn close(got: f64, want: f64, what: &str) {
        assert!((got - want).abs() <= 1e-9 * want.abs(), "{what}: {got} is not {want}");
    }

    #[test]
    fn ratio_and_moments_are_those_of_scipy() {
        let table = GoldenTable::part("sharpe_dsr");
        let daily: Vec<f64> = table.rows().map(|row| row.need("ret")).collect();
        let last = table.last();
        close(annual_sharpe(&daily).unwrap(), last.need("sharpe_annual"), "annual");
        let moments = SharpeMoments::population(&daily).unwrap();
        close(moments.skewness, last.need("skew"), "skewness");
        close(moments.kurtosis, last.need("kurtosis"), "kurtosis");
        let n = count(daily.len());
        close(moments.sharpe * ((n - 1.0) / n).sqrt(), last.need("sharpe_daily"), "per day, by the sample deviation");
    }

    #[test]
    fn what_has_no_ratio_says_why() {
        let few = annual_sharpe(&[0.01; 29]);
        assert_eq!(few, Err(NoSharpe::TooFewDays { days: 29, needed: 30 }));
        assert_eq!(few.unwrap_err().to_string(), "29 days; a Sharpe ratio needs 30");
        assert_eq!(annual_sharpe(&[0.1; 40]), Err(NoSharpe::NoVariation));
        let mut daily = [0.1; 40];
        daily[7] = f64::NAN;
        assert_eq!(annual_sharpe(&daily), Err(NoSharpe::NotFinite));
        assert_eq!(SharpeMoments::population(&[0.1]), Err(NoSharpe::TooFewDays { days: 1, needed: 2 }));
    }

    /// Of −1, 0, 0, 0, 4 by hand: mean 0.6, squares 15.2, cubes 34.56 and so on; corrected values are those of scipy's `bias=False`.
    #[test]
    fn the_correction_for_small_samples_is_that_of_joanes_and_gill() {
        let daily = [-1.0, 0.0, 0.0, 0.0, 4.0];
        let plain = SharpeMoments::population(&daily).unwrap();
        close(plain.sharpe, 0.6 / 3.04_f64.sqrt(), "sharpe");
        let corrected = SharpeMoments::bias_corrected(&daily).unwrap();
        close(corrected.skewness, plain.skewness * 20.0_f64.sqrt() / 3.0, "skewness");
        close(corrected.kurtosis - 3.0, 4.0 / 6.0 * (6.0 * (plain.kurtosis - 3.0) + 6.0), "kurtosis");
    }
}
