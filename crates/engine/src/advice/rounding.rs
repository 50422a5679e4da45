//! Rounding to the steps of a venue: prices in a given direction, sizes always down.
//!
//! A value within the precision of doubles of a whole number of steps is that number: 49,168.4 is on a tick of 0.1
//! although its quotient is not whole in binary. Steps that divide 1 are applied by division, which gives the decimal people write.

use barograph_domain::Side;

/// Share of a step that counts as none.
const SAME: f64 = 1e-9;
/// The same, relative to the number of steps: what the division and the two decimals may be off by.
const LAST_BITS: f64 = 8.0 * f64::EPSILON;

/// Away from the entry: down for a long's stop, up for a short's.
pub(super) fn away(price: f64, side: Side, tick: Option<f64>) -> f64 {
    match side {
        Side::Long => to_step(price, tick, f64::floor),
        Side::Short => to_step(price, tick, f64::ceil),
    }
}

/// Down to the lot step, never above `size` by more than the last bit.
pub(super) fn down(size: f64, lot: Option<f64>) -> f64 {
    to_step(size, lot, f64::floor)
}

/// One step less, not below zero.
pub(super) fn one_less(size: f64, lot: f64) -> f64 {
    to_step((size - lot).max(0.0), Some(lot), f64::round)
}

fn to_step(x: f64, step: Option<f64>, cut: fn(f64) -> f64) -> f64 {
    let Some(step) = step else { return x };
    let steps = x / step;
    let near = steps.round();
    let whole = if (steps - near).abs() <= (LAST_BITS * near.abs()).max(SAME) { near } else { cut(steps) };
    let per_one = 1.0 / step;
    let by_division = per_one.round();
    let out = if by_division >= 1.0 && (per_one - by_division).abs() <= LAST_BITS * per_one {
        whole / by_division
    } else {
        whole * step
    };
    if out.is_finite() { out } else { x }
}

#[cfg(test)]
#[expect(clippy::float_cmp, reason = "the decimals people write, to the last bit")]
mod tests {
    use super::*;

    #[test]
    fn to_the_decimal_people_write() {
        assert_eq!(away(49_168.4, Side::Long, Some(0.1)), 49_168.4);
        assert_eq!(away(49_168.43, Side::Long, Some(0.1)), 49_168.4);
        assert_eq!(away(49_168.43, Side::Short, Some(0.1)), 49_168.5);
        assert_eq!(away(49_168.43, Side::Short, None), 49_168.43);
        assert_eq!(away(103.0, Side::Long, Some(25.0)), 100.0);
        assert_eq!(away(0.000_012_34, Side::Long, Some(1e-7)), 0.000_012_3);
        let far = away(978_437_485.592, Side::Long, Some(0.3));
        assert!((978_437_485.2..=978_437_485.592).contains(&far), "{far}: many steps are no reason to round up");
        let odd = away(10_000.000_000_01, Side::Long, Some(2.796_550_410_074_034e-10));
        assert!((odd - 10_000.000_000_01).abs() < 1e-9, "{odd}: a step that does not divide 1");
        assert_eq!(down(0.3, Some(0.1)), 0.3);
        assert_eq!(down(0.094_47, Some(0.001)), 0.094);
        assert_eq!(down(0.0004, Some(0.001)), 0.0);
        assert_eq!(one_less(0.3, 0.1), 0.2);
        assert_eq!(down(1e300, Some(1e-300)), 1e300, "a step no number of steps can be counted in changes nothing");
    }
}
