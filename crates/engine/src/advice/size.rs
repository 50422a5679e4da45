//! Size: the smallest of fractional Kelly, 1 %, and the user's cap, times volatility and posture (R1.41, R2.27, C09).
//!
//! Invariant: size times (distance to the stop plus costs) is at most 1 % of equity, for every input, after rounding. The
//! smallest limit is named; a limit equal to an earlier one does not take its name.

use super::intent::{CallerLimits, Intent};
use super::kelly::Kelly;
use super::parameters::Parameters;
use super::rounding;
use super::stop::StopPlan;
use barograph_domain::advice::{Missing, SizeLimit};

/// Never more of the equity at risk (R1.41).
pub(super) const ONE_PERCENT: f64 = 0.01;
/// What AGGRESSIVE adds to the usual risk; the caps stand.
const MORE: f64 = 1.25;

/// How much.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Sizing {
    /// Share of equity at risk; `None` when the record of trades admits none.
    pub fraction: Option<RiskFraction>,
    /// Kelly arithmetic.
    pub kelly: Kelly,
    /// Fees and half the spread, quote units per base unit.
    pub cost_per_unit: f64,
    /// Size for the equity and the stop.
    pub units: Option<Units>,
    /// Why there is no size, or why it is zero.
    pub missing: Option<Missing>,
}

/// Share of equity at risk.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct RiskFraction {
    /// The share, with volatility and posture.
    pub value: f64,
    /// The smallest limit.
    pub limit: SizeLimit,
}

/// A size and what it loses at the stop.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Units {
    /// Base units, a whole number of lots.
    pub size: f64,
    /// What holds it down.
    pub binding: SizeLimit,
    /// Equity times share.
    pub budget: f64,
    /// Size times entry.
    pub notional: f64,
    /// Loss at the stop with costs.
    pub loss: f64,
    /// The same as a share of equity.
    pub loss_fraction: f64,
}

pub(super) fn sizing(intent: &Intent<'_>, parameters: &Parameters, stop: &StopPlan) -> Sizing {
    let kelly = Kelly::of(intent.trades);
    let cost_per_unit = intent.costs.per_unit(intent.entry);
    let fraction = (!kelly.is_out_of_domain()).then(|| risk_fraction(intent.limits, &kelly, parameters));
    let sized = match (fraction, stop.r, intent.equity) {
        (None, _, _) => Err(Missing::OutOfDomain),
        (_, None, _) => Err(Missing::NoStop),
        (_, _, None) => Err(Missing::NoEquity),
        (Some(f), Some(r), Some(equity)) => size_for(intent, f, r, equity),
    };
    let missing = match sized {
        Err(why) => Some(why),
        Ok(u) if u.binding == SizeLimit::MinNotional => Some(Missing::BelowMinNotional),
        Ok(_) => None,
    };
    Sizing { fraction, kelly, cost_per_unit, units: sized.ok(), missing }
}

/// The share of equity that may be lost at the stop.
#[must_use]
pub fn risk_fraction(limits: CallerLimits, kelly: &Kelly, parameters: &Parameters) -> RiskFraction {
    let base = limits.base_risk.unwrap_or(limits.user_cap);
    let usual = if parameters.aggressive { MORE * base } else { base };
    // With Kelly earned, the usual risk is Kelly's to set; AGGRESSIVE scales the usual risk and never the cap.
    let with_base = kelly.fraction.is_none() || parameters.aggressive;
    let candidates = [
        (Some(limits.user_cap), SizeLimit::UserCap),
        (with_base.then_some(usual), SizeLimit::BaseRisk),
        (kelly.fraction, SizeLimit::Kelly),
    ];
    let mut least = (ONE_PERCENT, SizeLimit::OnePercent);
    for (value, limit) in candidates {
        if let Some(v) = value
            && v < least.0
        {
            least = (v, limit);
        }
    }
    RiskFraction { value: least.0 * parameters.reduction(), limit: least.1 }
}

/// Base units for this share, distance and equity.
///
/// # Errors
/// `out_of_domain` when the numbers are too large or too small for a size to be one.
pub fn size_for(intent: &Intent<'_>, fraction: RiskFraction, r: f64, equity: f64) -> Result<Units, Missing> {
    let per_unit = r + intent.costs.per_unit(intent.entry);
    let budget = equity * fraction.value;
    let by_leverage = intent.limits.max_leverage * equity / intent.entry;
    let by_risk = budget / per_unit;
    if !(per_unit > 0.0 && per_unit.is_finite() && by_risk.is_finite() && by_leverage.is_finite()) {
        return Err(Missing::OutOfDomain);
    }
    let (wanted, mut binding) =
        if by_leverage < by_risk { (by_leverage, SizeLimit::MaxLeverage) } else { (by_risk, fraction.limit) };
    let mut size = within(wanted, per_unit, equity, intent.rules.lot);
    let too_small = intent.rules.min_notional.is_some_and(|least| size * intent.entry < least);
    if too_small || (size <= 0.0 && intent.rules.lot.is_some()) {
        (size, binding) = (0.0, SizeLimit::MinNotional);
    }
    let loss = size * per_unit;
    Ok(Units { size, binding, budget, notional: size * intent.entry, loss, loss_fraction: loss / equity })
}

/// Rounded down to the lot, and down once more where a last bit would break the 1 %.
pub(super) fn within(wanted: f64, per_unit: f64, equity: f64, lot: Option<f64>) -> f64 {
    let most = ONE_PERCENT * equity;
    let fits = |size: f64| size * per_unit <= most && size * per_unit / equity <= ONE_PERCENT;
    let size = rounding::down(wanted, lot);
    if fits(size) {
        return size;
    }
    let less = match lot {
        Some(lot) => rounding::one_less(size, lot),
        None => size * (1.0 - 4.0 * f64::EPSILON),
    };
    if fits(less) { less } else { 0.0 }
}

/// The second original's `get_position_size(base_size)`: reduced by volatility and posture, never above the size for the equity.
#[must_use]
pub fn position_size(base_size: f64, parameters: &Parameters, units: Option<&Units>) -> Option<f64> {
    if !(base_size.is_finite() && base_size >= 0.0) {
        return None;
    }
    let reduced = base_size * parameters.reduction();
    Some(units.map_or(reduced, |u| reduced.min(u.size)))
}
