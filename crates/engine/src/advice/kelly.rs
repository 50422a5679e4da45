//! The Kelly fraction of equity at risk, taken at the lower bound of the win rate (R2.23, C09).
//!
//! A point estimate overbets, so `p` is the lower 90 % Wilson bound of wins over resolved trades, and a quarter of the
//! fraction is used. Below 100 trades there is no Kelly at all, which is not the same as zero.

use super::intent::Trades;
use barograph_domain::advice::Missing;

/// 95 % quantile of the normal distribution: the two-sided 90 % interval.
const Z_90: f64 = 1.644_853_626_951_472_2;
/// Resolved trades from which the estimate counts.
const GATE: u32 = 100;
/// Share of the Kelly fraction that is used.
const PART: f64 = 0.25;

/// Kelly arithmetic of a record.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Kelly {
    /// At the observed win rate.
    pub full: Option<f64>,
    /// Lower Wilson bound of the win rate.
    pub p_used: Option<f64>,
    /// A quarter of Kelly at that bound, at least 0; `None` below the gate.
    pub fraction: Option<f64>,
    /// Trades behind it.
    pub n: u32,
    /// Why `fraction` is `None`.
    pub missing: Option<Missing>,
}

impl Kelly {
    /// Kelly of this record.
    #[must_use]
    pub fn of(record: Option<Trades>) -> Self {
        let Some(t) = record else {
            return Self { full: None, p_used: None, fraction: None, n: 0, missing: Some(Missing::NoRecord) };
        };
        let b = payoff(t);
        let p_used = wilson(t.wins, t.n, Z_90).map(|(low, _)| low);
        let full = b.and_then(|b| kelly_fraction(rate(t)?, b));
        let at_bound = b.zip(p_used).and_then(|(b, p)| kelly_fraction(p, b));
        let fraction = at_bound.filter(|_| t.n >= GATE).map(|f| PART * f.max(0.0));
        let missing = match fraction {
            Some(_) => None,
            None if t.n < GATE => Some(Missing::FewTrades),
            None => Some(Missing::OutOfDomain),
        };
        Self { full, p_used, fraction, n: t.n, missing }
    }
    /// Enough trades, but numbers no fraction follows from: nothing is sized on them.
    pub(super) fn is_out_of_domain(&self) -> bool {
        self.missing == Some(Missing::OutOfDomain)
    }
}

/// `(p·b − (1 − p)) / b`; `None` unless `b > 0` and `0 < p < 1`.
#[must_use]
pub fn kelly_fraction(p: f64, b: f64) -> Option<f64> {
    (b.is_finite() && b > 0.0 && p > 0.0 && p < 1.0).then(|| (p * b - (1.0 - p)) / b)
}

/// Wilson interval of `k` out of `n` at normal quantile `z`; `None` without a sample.
#[must_use]
pub fn wilson(k: u32, n: u32, z: f64) -> Option<(f64, f64)> {
    if n == 0 || k > n {
        return None;
    }
    let (k, n) = (f64::from(k), f64::from(n));
    let [low, high] = barograph_domain::math::wilson(k / n, n, z);
    Some((low, high))
}

/// Expected value in units of risk, win rate and payoff: `w·b − (1 − w)` (R2.53).
#[must_use]
pub fn expected_value(record: Trades) -> Option<(f64, f64, f64)> {
    let (w, b) = (rate(record)?, payoff(record)?);
    Some((w * b - (1.0 - w), w, b))
}

fn rate(t: Trades) -> Option<f64> {
    (t.n > 0).then(|| f64::from(t.wins) / f64::from(t.n))
}

fn payoff(t: Trades) -> Option<f64> {
    let b = t.average_win / t.average_loss;
    b.is_finite().then_some(b)
}
