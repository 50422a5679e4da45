//! Persistence of volatility from daily realised variance: HAR forecast and half-life (features §5, R4.16; Corsi 2009).
//!
//! One value a completed UTC day, the sum of squared returns of its samples. Both fits run once a day over at most a year of
//! days, oldest first.

use barograph_domain::Span;
use barograph_domain::math::ln;
use barograph_domain::{Reason, State};
use serde::{Deserialize, Serialize};
use std::collections::VecDeque;

/// Days remembered.
const DAYS: usize = 365;
/// Days below which nothing is forecast.
const HAR_MIN: usize = 90;
/// Days of the half-life's window, and the least it needs.
const HALFLIFE_DAYS: usize = 60;
const HALFLIFE_MIN: usize = 40;
const WEEK: usize = 5;
const MONTH: usize = 22;

/// A fitted HAR model and what it says about the next day.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Har {
    /// Constant, and the weights of the day, the week and the month.
    pub beta: [f64; 4],
    /// Share of the variance explained.
    pub r2: f64,
    /// Daily variance forecast, not below the smallest of the window.
    pub forecast: f64,
}

/// Daily realised variances, oldest first; a missing day is a hole.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct DailyVariance {
    days: VecDeque<Option<f64>>,
    newest: Option<i64>,
}

impl DailyVariance {
    /// Enters a completed day; `None` where too little of it was seen. Earlier days are ignored.
    pub fn push(&mut self, day: i64, variance: Option<f64>) {
        // The record begins with the first whole day.
        if self.days.is_empty() && variance.is_none() {
            self.newest = Some(day.max(self.newest.unwrap_or(day)));
            return;
        }
        let skipped = self.newest.filter(|_| !self.days.is_empty()).map_or(0, |n| day - n - 1);
        if skipped < 0 {
            return;
        }
        let holes = usize::try_from(skipped).unwrap_or(DAYS).min(DAYS);
        for value in core::iter::repeat_n(None, holes).chain([variance.filter(|v| *v > 0.0)]) {
            if self.days.capacity() == 0 {
                self.days.reserve_exact(DAYS);
            }
            if self.days.len() == DAYS {
                self.days.pop_front();
            }
            self.days.push_back(value);
        }
        self.newest = Some(day);
    }

    /// The newest day entered.
    #[must_use]
    pub const fn newest(&self) -> Option<i64> {
        self.newest
    }

    /// Does the record reach back over the whole window of the forecast, of the half-life?
    #[must_use]
    pub fn is_full(&self) -> (bool, bool) {
        (self.days.len() == DAYS, self.days.len() >= HALFLIFE_DAYS)
    }

    /// Are there days enough for the half-life, which needs fewer than the forecast?
    #[must_use]
    pub fn is_enough(&self) -> bool {
        self.days.len() >= HALFLIFE_MIN
    }

    /// The HAR forecast of the next day's variance.
    ///
    /// # Errors
    /// Warming below 90 days; out of domain where the regression is singular.
    pub fn har(&self) -> Result<Har, State> {
        let have = self.days.iter().flatten().count();
        if have < HAR_MIN {
            return Err(warming(have, HAR_MIN));
        }
        let days = &self.days;
        let mut normal = [[0.0; 5]; 4];
        let (mut n, mut sum, mut squares) = (0.0, 0.0, 0.0);
        for end in MONTH..days.len() {
            if let (Some(x), Some(y)) = (regressors(days, end), days[end]) {
                for i in 0..4 {
                    for j in 0..4 {
                        normal[i][j] += x[i] * x[j];
                    }
                    normal[i][4] += x[i] * y;
                }
                n += 1.0;
                sum += y;
                squares += y * y;
            }
        }
        let singular = State::Undefined(Reason::OutOfDomain);
        let beta = solve(normal).ok_or(singular)?;
        let mut residual = 0.0;
        for end in MONTH..days.len() {
            if let (Some(x), Some(y)) = (regressors(days, end), days[end]) {
                let e = y - dot(&beta, &x);
                residual += e * e;
            }
        }
        let total = squares - sum * sum / n;
        let floor = days.iter().flatten().copied().fold(f64::INFINITY, f64::min);
        let x = regressors(days, days.len()).ok_or(State::Undefined(Reason::MissingInput))?;
        Ok(Har { beta, r2: 1.0 - residual / total, forecast: dot(&beta, &x).max(floor) })
    }

    /// Autoregression of the logarithm over the last 60 days: its coefficient and the half-life in days.
    ///
    /// # Errors
    /// Warming below 40 pairs of days; out of domain where the coefficient lies outside (0, 1).
    pub fn halflife(&self) -> Result<(f64, f64), State> {
        let skip = self.days.len().saturating_sub(HALFLIFE_DAYS);
        halflife(self.days.iter().skip(skip).copied())
    }
}

/// Half-life of a series of daily variances, oldest first, holes as `None`.
///
/// # Errors
/// As [`DailyVariance::halflife`].
pub fn halflife(days: impl Iterator<Item = Option<f64>> + Clone) -> Result<(f64, f64), State> {
    let pairs = days.clone().zip(days.skip(1)).filter_map(|(a, b)| Some((ln(a?), ln(b?))));
    let have = pairs.clone().count();
    if have + 1 < HALFLIFE_MIN {
        return Err(warming(have + 1, HALFLIFE_MIN));
    }
    let line = crate::kernel::ols(pairs).ok_or(State::Undefined(Reason::ZeroVariance))?;
    let phi = line.slope;
    if phi > 0.0 && phi < 1.0 {
        Ok((phi, -core::f64::consts::LN_2 / ln(phi)))
    } else {
        Err(State::Undefined(Reason::OutOfDomain))
    }
}

/// One, the last day, the mean of 5 and the mean of 22 days, of the days before `end`.
fn regressors(days: &VecDeque<Option<f64>>, end: usize) -> Option<[f64; 4]> {
    let mean = |n: usize| {
        let window = days.range(end.checked_sub(n)?..end);
        #[expect(clippy::cast_precision_loss, reason = "22 days")]
        let n = n as f64;
        window.copied().sum::<Option<f64>>().map(|s| s / n)
    };
    Some([1.0, (*days.get(end.checked_sub(1)?)?)?, mean(WEEK)?, mean(MONTH)?])
}

fn dot(a: &[f64; 4], b: &[f64; 4]) -> f64 {
    a.iter().zip(b).map(|(x, y)| x * y).sum()
}

/// Gaussian elimination with partial pivoting of four equations; columns are scaled first, because variances are tiny.
fn solve(mut m: [[f64; 5]; 4]) -> Option<[f64; 4]> {
    let scale: [f64; 4] = core::array::from_fn(|i| m[i][i].sqrt());
    if scale.iter().any(|s| *s <= 0.0) {
        return None;
    }
    for i in 0..4 {
        for j in 0..4 {
            m[i][j] /= scale[i] * scale[j];
        }
        m[i][4] /= scale[i];
    }
    for column in 0..4 {
        let pivot = (column..4).max_by(|a, b| m[*a][column].abs().total_cmp(&m[*b][column].abs()))?;
        m.swap(column, pivot);
        if m[column][column].abs() < 1e-12 {
            return None;
        }
        let head = m[column];
        for row in m.iter_mut().skip(column + 1) {
            let factor = row[column] / head[column];
            for (x, h) in row.iter_mut().zip(head).skip(column) {
                *x -= factor * h;
            }
        }
    }
    let mut out = [0.0; 4];
    for i in (0..4).rev() {
        let known: f64 = (i + 1..4).map(|j| m[i][j] * out[j]).sum();
        out[i] = (m[i][4] - known) / m[i][i];
    }
    Some(core::array::from_fn(|i| out[i] / scale[i]))
}

#[expect(clippy::cast_possible_truncation, reason = "at most a year of days")]
fn warming(have: usize, need: usize) -> State {
    State::Warming { have: have as u32, need: need as u32 }
}

/// The UTC day an instant ends: midnight ends the day before it.
#[must_use]
pub fn day_of(close: barograph_domain::Ts) -> i64 {
    (close - Span(1)).0.div_euclid(Span::days(1).0)
}
