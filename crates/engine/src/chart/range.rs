//! Volatility from the ranges of bars: four estimators of the same quantity, annualised (features §5, C04).
//!
//! Parkinson (1980), Garman & Klass (1980), Rogers & Satchell (1991), Yang & Zhang (2000). They are views beside the one
//! canonical estimator and enter no rule.

use crate::features::bars::BuiltBar;
use crate::features::volatility::{parkinson, yearly};
use crate::kernel::Block as _;
use crate::kernel::{Moments, Sum};
use barograph_domain::math::ln;
use barograph_domain::{Reason, Span};

/// The four views of one window.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct RangeVolatility {
    /// From high and low.
    pub parkinson: f64,
    /// From high, low, open, close; a negative sum is out of its domain.
    pub garman_klass: Result<f64, Reason>,
    /// As before, without the assumption of no drift.
    pub rogers_satchell: f64,
    /// With the jumps between bars.
    pub yang_zhang: f64,
}

/// Bars in the window.
pub const RANGE_BARS: usize = 24;
/// Bars below which there is no reading.
pub const RANGE_BARS_MIN: usize = 20;

impl RangeVolatility {
    /// Of consecutive bars, oldest first; `before` is the close of the bar before the first one. Needs two bars.
    #[must_use]
    pub fn of<'a>(bars: impl Iterator<Item = &'a BuiltBar>, before: f64, timeframe: Span) -> Option<Self> {
        let (mut hl, mut gk, mut rs) = (Sum::EMPTY, Sum::EMPTY, Sum::EMPTY);
        let (mut overnight, mut intraday) = (Moments::EMPTY, Moments::EMPTY);
        let mut last = before;
        for b in bars {
            let (range, body) = (ln(b.high / b.low), ln(b.close / b.open));
            let (up, down) = (ln(b.high / b.open), ln(b.low / b.open));
            hl = hl.merge(Sum::of(range * range));
            gk = gk.merge(Sum::of(0.5 * range * range - (2.0 * core::f64::consts::LN_2 - 1.0) * body * body));
            rs = rs.merge(Sum::of((up - body) * up + (down - body) * down));
            overnight = overnight.merge(Moments::of(ln(b.open / last)));
            intraday = intraday.merge(Moments::of(body));
            last = b.close;
        }
        if hl.n < 2 {
            return None;
        }
        let n = f64::from(hl.n);
        let year = yearly(timeframe);
        let sample = |m: Moments| m.sd() * m.sd() * n / (n - 1.0);
        let k = 0.34 / (1.34 + (n + 1.0) / (n - 1.0));
        let rs_mean = rs.total() / n;
        let yz = sample(overnight) + k * sample(intraday) + (1.0 - k) * rs_mean;
        let gk_mean = gk.total() / n;
        Some(Self {
            parkinson: parkinson(hl.total(), n) * year,
            garman_klass: if gk_mean < 0.0 { Err(Reason::OutOfDomain) } else { Ok(gk_mean.sqrt() * year) },
            rogers_satchell: rs_mean.max(0.0).sqrt() * year,
            yang_zhang: yz.max(0.0).sqrt() * year,
        })
    }
}
