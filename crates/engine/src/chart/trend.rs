//! Regression of closes on their position, with the p-values of its slope (features §5, R2.19–R2.21, R2.24).
//!
//! `trend_p < 0.05` on price levels is a filter, not significance: residuals of prices are autocorrelated. The
//! heteroskedasticity- and autocorrelation-consistent p-value (Newey & West 1987) stands beside it and enters no rule.

use crate::kernel::{normal_p, ols, student_p};
use barograph_domain::Reason;

/// The line through the closes of a window.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Trend {
    /// Price per bar.
    pub slope: f64,
    /// Price at the window's first bar.
    pub intercept: f64,
    /// Correlation of position and close.
    pub r: f64,
    /// Standard error of the slope, price per bar.
    pub stderr: f64,
    /// Two-sided p of the slope, Student t with n − 2 degrees of freedom.
    pub p: f64,
    /// Two-sided normal p of the slope with a Newey–West standard error.
    pub p_hac: f64,
    /// Slope in percent of the last close per bar.
    pub slope_pct: f64,
}

impl Trend {
    /// Of the closes of consecutive bars, oldest first; at least three.
    ///
    /// # Errors
    /// `zero_variance` when all closes are equal.
    pub fn of(closes: &[f64]) -> Result<Self, Reason> {
        let line = ols((0_u32..).zip(closes).map(|(i, c)| (f64::from(i), *c))).ok_or(Reason::ZeroVariance)?;
        let last = closes.last().copied().ok_or(Reason::MissingInput)?;
        #[expect(clippy::cast_precision_loss, reason = "50 bars")]
        let n = closes.len() as f64;
        // Sxx of 0…n−1 in closed form.
        let sxx = n * (n * n - 1.0) / 12.0;
        let mean = closes.iter().sum::<f64>() / n;
        let syy = closes.iter().map(|c| (c - mean) * (c - mean)).sum::<f64>();
        let stderr = ((1.0 - line.r * line.r).max(0.0) * syy / sxx / (n - 2.0)).sqrt();
        let p = if stderr > 0.0 { student_p(line.slope / stderr, n - 2.0) } else { 0.0 };
        Ok(Self {
            slope: line.slope,
            intercept: line.intercept,
            r: line.r,
            stderr,
            p,
            p_hac: hac_p(closes, line.slope, line.intercept, sxx, n),
            slope_pct: line.slope / last * 100.0,
        })
    }
}

/// Longest window of a chart, and some more.
const ROOM: usize = 64;

/// Newey–West with Bartlett weights and ⌊4(n/100)^{2/9}⌋ lags, no small-sample correction.
fn hac_p(closes: &[f64], slope: f64, intercept: f64, sxx: f64, n: f64) -> f64 {
    let mean_x = 0.5 * (n - 1.0);
    let score = |(i, close): (u32, &f64)| {
        let x = f64::from(i);
        (x - mean_x) * (close - intercept - slope * x)
    };
    // The windows of charts fit on the stack, so that a closed bar allocates nothing.
    let (mut room, mut more) = ([0.0; ROOM], Vec::new());
    let scores = if closes.len() <= ROOM {
        &mut room[..closes.len()]
    } else {
        more.resize(closes.len(), 0.0);
        &mut more[..]
    };
    for (to, of) in scores.iter_mut().zip((0..).zip(closes)) {
        *to = score(of);
    }
    let scores = &*scores;
    let lags = lags(n);
    let mut total = scores.iter().map(|s| s * s).sum::<f64>();
    for lag in 1..=lags {
        let covariance = scores.iter().skip(lag).zip(scores).map(|(a, b)| a * b).sum::<f64>();
        #[expect(clippy::cast_precision_loss, reason = "a handful of lags")]
        let weight = 1.0 - lag as f64 / (lags as f64 + 1.0);
        total += 2.0 * weight * covariance;
    }
    // The slope's row of the sandwich: its influence on the intercept's is removed by centring x.
    let stderr = total.max(0.0).sqrt() / sxx;
    if stderr > 0.0 { normal_p(slope / stderr) } else { 0.0 }
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a handful of lags")]
fn lags(n: f64) -> usize {
    (4.0 * barograph_domain::math::pow(n / 100.0, 2.0 / 9.0)) as usize
}
