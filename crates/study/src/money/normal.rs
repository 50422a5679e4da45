//! The normal distribution and its quantiles, from the complementary error function alone.

use barograph_domain::math::{erfc, exp, ln};

/// Probability that a standard normal number is at most `z`.
#[must_use]
pub fn normal_below(z: f64) -> f64 {
    0.5 * erfc(-z * core::f64::consts::FRAC_1_SQRT_2)
}

/// The number that a standard normal one is below with probability `p`; `None` unless `0 < p < 1`.
#[must_use]
pub fn normal_quantile(p: f64) -> Option<f64> {
    if !(p > 0.0 && p < 1.0) {
        return None;
    }
    // 1 − p keeps all its digits only where p is above a half, which is where it is needed.
    Some(if p < 0.5 { -upper_quantile(p) } else { upper_quantile(1.0 - p) })
}

/// `z` with probability `tail` (at most a half) above it.
///
/// Newton's method on the logarithm of the tail: that is concave and falls, so from beyond the solution no step leaps over it. The tail
/// is at most `½·exp(−z²/2)`, which gives a start beyond.
fn upper_quantile(tail: f64) -> f64 {
    let (mut z, goal) = ((-2.0 * ln(2.0 * tail)).max(0.0).sqrt(), ln(tail));
    for _ in 0..100 {
        let above = normal_below(-z);
        let density = exp(-0.5 * z * z) / (2.0 * core::f64::consts::PI).sqrt();
        let step = (ln(above) - goal) * above / density;
        z += step;
        if step.abs() <= 1e-15 * z.abs() {
            break;
        }
    }
    z
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_those_of_the_tables() {
        let table = [
            (0.5, 0.0),
            (0.95, 1.644_853_626_951_472_2),
            (0.975, 1.959_963_984_540_054),
            (0.98, 2.053_748_910_631_823),
            (0.001, -3.090_232_306_167_813_5),
            (1e-20, -9.262_340_089_798_408),
        ];
        for (p, want) in table {
            let got = normal_quantile(p).unwrap();
            assert!((got - want).abs() < 2e-15 * want.abs().max(1.0), "{p}: {got} is not {want}");
        }
        for p in [0.0, 1.0, -0.1, f64::NAN] {
            assert_eq!(normal_quantile(p), None, "{p}");
        }
    }

    #[test]
    fn a_quantile_undoes_the_probability() {
        for n in 1_u32..1_000 {
            let p = f64::from(n) / 1_000.0;
            let back = normal_below(normal_quantile(p).unwrap());
            assert!((back - p).abs() < 1e-15, "{p}: {back}");
        }
    }
}
