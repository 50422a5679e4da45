//! Features that are functions of other readings at the same moment (update code O1).

use crate::features::reading::Slot;
use barograph_domain::thresholds::{BASIS_FAR, FUNDING_EXTREME, PREMIUM_FAR};
use barograph_domain::{Cell, Reason, State, Ts};

/// |z| beyond which the day's score decides the crowded side (C02).
const CROWDED_Z: f64 = 2.0;
/// Percentiles beyond which the month decides it otherwise.
const CROWDED_PCT: (f64, f64) = (0.05, 0.95);
/// Moves within this are flat (features §2.2, `oi_price_quadrant`).
const FLAT: f64 = 0.002;

/// `funding_extreme_flag`.
pub(crate) fn is_extreme_funding(rate_8h: f64) -> f64 {
    flag(rate_8h.abs() > FUNDING_EXTREME)
}

/// `basis_anomaly`.
pub(crate) fn is_basis_anomaly(basis: f64) -> f64 {
    flag(basis.abs() > BASIS_FAR)
}

/// `premium_deviation_flag`.
pub(crate) fn is_premium_deviation(premium: f64) -> f64 {
    flag(premium.abs() > PREMIUM_FAR)
}

/// Mean of three capped ramps (A05): open interest 0 to 10 %, funding 0 to 2σ, volatility 30 % down to 0.
#[must_use]
pub fn squeeze_score(oi_delta_4h: f64, funding_zscore: f64, realized_vol_1h: f64) -> f64 {
    let ramp = |x: f64, top: f64| (x / top).clamp(0.0, 1.0);
    (ramp(oi_delta_4h, 0.10) + ramp(funding_zscore.abs(), 2.0) + (1.0 - realized_vol_1h / 0.30).clamp(0.0, 1.0)) / 3.0
}

/// Code of the quadrant of price return and open interest delta.
#[must_use]
pub fn quadrant(price_return: f64, oi_delta: f64) -> f64 {
    if price_return.abs() <= FLAT || oi_delta.abs() <= FLAT {
        return 0.0;
    }
    match (price_return > 0.0, oi_delta > 0.0) {
        (true, true) => 1.0,
        (false, true) => 2.0,
        (true, false) => 3.0,
        (false, false) => 4.0,
    }
}

/// A function of several readings: as fresh as the stalest, as sure as the least sure. Where a part is not ready the
/// whole has that part's state; what one part can never have, the whole never has.
pub(crate) fn combine<const N: usize>(
    t: Ts,
    parts: &[&Slot; N],
    value: impl FnOnce(&[f64]) -> Result<f64, Reason>,
) -> Slot {
    if let Some(part) = parts.iter().find(|s| s.cell.state != State::Ready) {
        return not_ready(parts, part);
    }
    let Some((first, rest)) = parts.split_first() else { return Slot::MISSING };
    let mut whole = **first;
    for part in rest {
        whole.cell.anchor = whole.cell.anchor.min(part.cell.anchor);
        if part.cell.coverage < whole.cell.coverage {
            whole.cell.coverage = part.cell.coverage;
        }
        whole.cell.kind = whole.cell.kind.max(part.cell.kind);
        whole.cell.partial |= part.cell.partial;
        whole.cell.stream = None;
        whole.expires = whole.expires.min(part.expires);
    }
    match value(&parts.map(|s| s.cell.value)) {
        Ok(v) => {
            whole.cell.value = v;
            whole
        }
        Err(reason) if t <= whole.expires => {
            Slot { cell: Cell { value: 0.0, state: State::Undefined(reason), ..whole.cell }, expires: Ts::MAX }
        }
        Err(_) => Slot::undefined(Reason::Stale),
    }
}

/// As [`combine`] of one reading, where every value gives one.
#[inline]
pub(crate) fn of_one(part: &Slot, value: impl FnOnce(f64) -> f64) -> Slot {
    if part.cell.state == State::Ready { part.with_value(value(part.cell.value)) } else { without_value(part) }
}

/// A reading that is not ready, as what rests on it says so.
fn without_value(part: &Slot) -> Slot {
    Slot { cell: Cell { value: 0.0, coverage: 0.0, partial: false, ..part.cell }, expires: Ts::MAX }
}

/// What a function of these is while this one of them is not ready.
fn not_ready(parts: &[&Slot], part: &Slot) -> Slot {
    let never = |s: &&&Slot| s.cell.state == State::Undefined(Reason::NotOffered);
    without_value(parts.iter().find(never).map_or(part, |s| *s))
}

fn flag(b: bool) -> f64 {
    f64::from(u8::from(b))
}

/// The crowded side at `t`: LONG_SQUEEZE 0, SHORT_SQUEEZE 1 (C02), from the score of funding within a day and its percentile within
/// a month.
#[must_use]
pub fn direction(z: &Slot, pct: &Slot, t: Ts) -> Slot {
    let score = z.ready(t);
    let month = pct.ready(t).and_then(|p| {
        if p > CROWDED_PCT.1 {
            Some(0.0)
        } else if p < CROWDED_PCT.0 {
            Some(1.0)
        } else {
            None
        }
    });
    match (score, month) {
        (Some(s), _) if s.abs() > CROWDED_Z => z.with_value(flag(s < 0.0)),
        (_, Some(side)) => pct.with_value(side),
        (Some(s), None) if s > 0.0 => z.with_value(0.0),
        (Some(s), None) if s < 0.0 => z.with_value(1.0),
        (Some(_), None) => Slot {
            cell: Cell { state: State::Undefined(Reason::ZeroVariance), value: 0.0, ..z.cell },
            expires: Ts::MAX,
        },
        (None, None) => combine(t, &[z], |_| Err(Reason::MissingInput)),
    }
}
