//! Running funding modelled from the premium index (features §2.7): `P̄ + clamp(I − P̄, ±0.0005)`, capped.
//!
//! P̄ is the mean premium since the last settlement and I the interest rate of 0.01 % per 8 h; both as the venue's own
//! funding formula has them. The venue's order-book weighting of the premium is already inside its premium index.

use crate::kernel::{Fold, Sum};
use crate::series::Series;
use barograph_domain::{Span, Ts};
use serde::{Deserialize, Serialize};

/// Interest rate of the funding formula, per 8 h (Binance USD-M, venue sheet section 3.3).
const INTEREST_8H: f64 = 0.0001;
/// Damper of the funding formula: the premium moves funding freely beyond this distance from interest.
const DAMPER: f64 = 0.0005;
/// Cap where the instrument's own is unknown: 2 % per interval, the widest this venue publishes.
const CAP: f64 = 0.02;

/// Mean premium since the last settlement, as a funding rate per 8 h.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct PremiumFunding {
    fold: Fold<Sum>,
    interval: Span,
}

impl PremiumFunding {
    /// For premium samples of this step, settling every 8 h unless set otherwise.
    #[must_use]
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "at most 480 samples per interval")]
    pub fn new(step: Span) -> Self {
        let interval = Span::hours(8);
        Self { fold: Fold::new((interval.0 / step.0).max(1) as usize), interval }
    }

    /// The funding interval seen in settlements.
    pub fn set_interval_hours(&mut self, hours: f64) {
        #[expect(clippy::cast_possible_truncation, reason = "venues use 1, 2, 4 and 8 hours")]
        let span = Span::hours(hours as i64);
        if span > Span::ZERO && span <= Span::hours(8) {
            self.interval = span;
        }
    }

    /// Modelled rates for the instants that changed, handed to `emit` with their instant.
    pub fn settle(&mut self, premium: &Series<f64>, mut emit: impl FnMut(Ts, f64)) {
        for &index in premium.changed() {
            self.fold.set(index, premium.at(index));
        }
        for &index in premium.changed() {
            if premium.at(index).is_none() {
                continue;
            }
            let at = premium.instant(index);
            let settled = (at - Span(1)).floor(self.interval);
            let window = self.fold.window(settled.0.div_euclid(premium.step().0), index);
            if let Some(mean) = window.mean() {
                emit(at, modelled_rate(mean));
            }
        }
    }
}

fn modelled_rate(mean_premium: f64) -> f64 {
    (mean_premium + (INTEREST_8H - mean_premium).clamp(-DAMPER, DAMPER)).clamp(-CAP, CAP)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn small_premiums_pay_interest_and_large_ones_pay_themselves_less_the_damper() {
        for (premium, want) in [(0.0, 0.0001), (0.0004, 0.0001), (0.0016, 0.0011), (-0.0016, -0.0011), (0.5, 0.02)] {
            assert!((modelled_rate(premium) - want).abs() < 1e-15, "{premium}");
        }
    }
}
