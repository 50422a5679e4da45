//! Strength of a level (features §4.9, R2.13, A13): members × age × volume × untouchedness, each in [0, 1].
//!
//! Age is a power of two read from a table, so asking costs a few multiplications and gives the same bits wherever the
//! process started. With other exponents or another half-life the powers are computed.

use super::options::TimeframeOptions;
use barograph_domain::math::{exp2, pow};

/// The half-life the table is made for.
const HALF_LIFE: usize = 200;

/// 2^(−i/200), by repeated multiplication with 2^(−1/200): at most 200 roundings.
const DECAY: [f64; HALF_LIFE] = {
    let mut table = [1.0; HALF_LIFE];
    let mut i = 1;
    while i < HALF_LIFE {
        table[i] = table[i - 1] * 0.996_540_262_827_868_3;
        i += 1;
    }
    table
};

/// 2^(−n) exactly.
fn halved(n: u32) -> f64 {
    f64::from_bits(u64::from(1_023_u32.saturating_sub(n.min(1_022))) << 52)
}

/// `2^(−age/half_life)`.
fn aged(age: i64, half_life: f64) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "ages are at most some thousands of bars")]
    let bars = age.max(0) as f64;
    match usize::try_from(age.max(0)) {
        #[expect(clippy::float_cmp, reason = "the default, set literally")]
        Ok(bars) if half_life == 200.0 => {
            DECAY[bars % HALF_LIFE] * halved(u32::try_from(bars / HALF_LIFE).unwrap_or(u32::MAX))
        }
        _ => exp2(-bars / half_life),
    }
}

/// Strength of a level with `members` defining touches, `age` bars after confirmation, touched `touches` times, whose
/// defining volume has this `rank`.
#[must_use]
pub(super) fn of(members: u32, age: i64, touches: u32, rank: f64, options: &TimeframeOptions) -> f64 {
    let untouched = halved(touches / 2) * if touches % 2 == 1 { core::f64::consts::FRAC_1_SQRT_2 } else { 1.0 };
    let factors = [1.0 - halved(members), aged(age, options.half_life), rank];
    let mut product = untouched;
    for (factor, exponent) in factors.into_iter().zip(options.exponents) {
        #[expect(clippy::float_cmp, reason = "the default, set literally")]
        let plain = exponent == 1.0;
        product *= if plain { factor } else { pow(factor, exponent) };
    }
    product
}

#[cfg(test)]
#[expect(clippy::float_cmp, reason = "these are exact in binary")]
mod tests {
    use super::*;

    #[test]
    fn factors_are_those_of_the_definition() {
        let options = TimeframeOptions::default();
        let cases = [
            ((1, 0, 0, 1.0), 0.5),
            ((2, 0, 0, 1.0), 0.75),
            ((1, 200, 0, 1.0), 0.25),
            ((1, 400, 2, 0.8), 0.5 * 0.25 * 0.5 * 0.8),
            ((3, 37, 5, 0.3), 0.875 * (-37.0_f64 / 200.0).exp2() * 0.3 * (-2.5_f64).exp2()),
        ];
        for ((members, age, touches, rank), want) in cases {
            let got = of(members, age, touches, rank, &options);
            assert!((got - want).abs() < 1e-13, "{members} {age} {touches} {rank}: {got}, not {want}");
        }
    }

    #[test]
    fn the_table_and_the_function_agree_and_exponents_count() {
        for age in [0, 1, 199, 200, 201, 1_999] {
            let exact = aged(age, 200.000_000_000_000_03);
            assert!((aged(age, 200.0) / exact - 1.0).abs() < 1e-12, "age {age}");
        }
        let squared = TimeframeOptions { exponents: [2.0, 1.0, 1.0], ..TimeframeOptions::default() };
        assert_eq!(of(1, 0, 0, 1.0, &squared), 0.25);
    }
}
