//! Tail probabilities of the normal and of Student's t distribution, as two-sided p-values of a test statistic.
//!
//! The t tail is the regularised incomplete beta function I(ν/(ν + t²); ν/2, ½), evaluated by its continued fraction
//! (modified Lentz; Press et al., Numerical Recipes §6.4), which converges fast on the side of its mean that is used.

use barograph_domain::math::{erfc, exp, ln, ln_gamma};

/// Relative change of the continued fraction below which it has converged.
const CONVERGED: f64 = 1e-15;
/// Far more terms than ν below a thousand needs.
const TERMS_MAX: u32 = 400;
const TINY: f64 = 1e-300;

/// P(|T| ≥ |t|) for `dof` > 0 degrees of freedom.
#[must_use]
pub fn student_p(t: f64, dof: f64) -> f64 {
    let t2 = t * t;
    if t2 <= 0.0 {
        return 1.0;
    }
    let (a, b, x) = (0.5 * dof, 0.5, dof / (dof + t2));
    if t2.is_infinite() || x <= 0.0 {
        return 0.0;
    }
    // 1 − x computed from t keeps its digits where x is near 1.
    let rest = t2 / (dof + t2);
    let front = exp(ln_gamma(a + b) - ln_gamma(a) - ln_gamma(b) + a * ln(x) + b * ln(rest));
    if x < (a + 1.0) / (a + b + 2.0) { front * fraction(a, b, x) / a } else { 1.0 - front * fraction(b, a, rest) / b }
}

/// P(|Z| ≥ |z|) of the standard normal distribution.
#[must_use]
pub fn normal_p(z: f64) -> f64 {
    erfc(z.abs() * core::f64::consts::FRAC_1_SQRT_2)
}

fn fraction(a: f64, b: f64, x: f64) -> f64 {
    let away = |v: f64| if v.abs() < TINY { TINY } else { v };
    let mut c = 1.0;
    let mut d = 1.0 / away(1.0 - (a + b) * x / (a + 1.0));
    let mut h = d;
    for k in 1..=TERMS_MAX {
        let m = f64::from(k);
        for term in [
            m * (b - m) * x / ((a + 2.0 * m - 1.0) * (a + 2.0 * m)),
            -(a + m) * (a + b + m) * x / ((a + 2.0 * m) * (a + 2.0 * m + 1.0)),
        ] {
            d = 1.0 / away(1.0 + term * d);
            c = away(1.0 + term / c);
            h *= d * c;
            if (d * c - 1.0).abs() < CONVERGED && k > 1 {
                return h;
            }
        }
    }
    h
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tails_are_those_of_tables() {
        // Two-sided critical values: t(48) at 5 % is 2.010635, t(1) at 50 % is 1, the normal's at 5 % is 1.959964.
        for (t, dof, want) in
            [(2.010_634_757_624_233, 48.0, 0.05), (1.0, 1.0, 0.5), (12.706_204_736_432_095, 1.0, 0.05)]
        {
            assert!((student_p(t, dof) / want - 1.0).abs() < 1e-10, "{t} {dof}: {}", student_p(t, dof));
            assert!((student_p(-t, dof) - student_p(t, dof)).abs() < 1e-15);
        }
        assert!((normal_p(1.959_963_984_540_054) / 0.05 - 1.0).abs() < 1e-12);
        assert!((student_p(0.0, 5.0) - 1.0).abs() < 1e-15);
        assert!(student_p(60.0, 48.0) > 0.0 && student_p(60.0, 48.0) < 1e-40);
    }
}
