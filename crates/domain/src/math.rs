//! The one source of transcendental functions for rings 0 and 1.
//!
//! Platform maths libraries differ in the last bit, so the standard library's `ln`, `exp` and `powf` are forbidden by
//! `clippy.toml` in pure crates. `libm` is a pure-Rust port of musl's. Square root is exact by IEEE 754 and stays
//! with the standard library.

/// Natural logarithm.
#[must_use]
pub fn ln(x: f64) -> f64 {
    libm::log(x)
}
/// Base-e exponential.
#[must_use]
pub fn exp(x: f64) -> f64 {
    libm::exp(x)
}
/// Sine of an angle in radians.
#[must_use]
pub fn sin(x: f64) -> f64 {
    libm::sin(x)
}
/// Cosine of an angle in radians.
#[must_use]
pub fn cos(x: f64) -> f64 {
    libm::cos(x)
}
/// Two to the power `x`.
#[must_use]
pub fn exp2(x: f64) -> f64 {
    libm::exp2(x)
}
/// `x` to the power `y`.
#[must_use]
pub fn pow(x: f64, y: f64) -> f64 {
    libm::pow(x, y)
}
/// Base-10 logarithm.
#[must_use]
pub fn log10(x: f64) -> f64 {
    libm::log10(x)
}
/// Hyperbolic tangent.
#[must_use]
pub fn tanh(x: f64) -> f64 {
    libm::tanh(x)
}
/// Inverse hyperbolic tangent (Fisher's transformation of a correlation); ±∞ at ±1.
#[must_use]
pub fn atanh(x: f64) -> f64 {
    libm::atanh(x)
}
/// Logarithm of the gamma function, for positive `x`.
#[must_use]
pub fn ln_gamma(x: f64) -> f64 {
    libm::lgamma(x)
}
/// Complementary error function.
#[must_use]
pub fn erfc(x: f64) -> f64 {
    libm::erfc(x)
}
/// `ln Σ exp(x)` of logarithms, shifted by the largest so that nothing overflows; −∞ when all are −∞ or there are none.
#[must_use]
pub fn log_sum_exp(logs: impl Iterator<Item = f64> + Clone) -> f64 {
    let top = logs.clone().fold(f64::NEG_INFINITY, f64::max);
    if top.is_finite() { top + ln(logs.map(|x| exp(x - top)).sum()) } else { top }
}
/// `ln Γ(a + ½) − ln Γ(a)` for positive `a`: beyond 16 by its asymptotic series (Tricomi & Erdélyi 1951), whose first term
/// left out is below 1e-13 there, in place of the difference of two large numbers.
#[must_use]
pub fn ln_gamma_half_step(a: f64) -> f64 {
    if a < 16.0 {
        return ln_gamma(a + 0.5) - ln_gamma(a);
    }
    let (i, i2) = (1.0 / a, 1.0 / (a * a));
    0.5 * ln(a) - i * (1.0 / 8.0 - i2 * (1.0 / 192.0 - i2 * (1.0 / 640.0 - i2 * (17.0 / 14_336.0))))
}
/// Log density at `x` of Student's t with `dof` degrees of freedom around `centre`; `scale2` is the squared scale.
#[must_use]
pub fn student_t_ln_pdf(x: f64, dof: f64, centre: f64, scale2: f64) -> f64 {
    let d = x - centre;
    ln_gamma_half_step(0.5 * dof)
        - 0.5 * ln(dof * core::f64::consts::PI * scale2)
        - 0.5 * (dof + 1.0) * libm::log1p(d * d / (dof * scale2))
}

/// Wilson's interval of a frequency `p` over `n` cases at the normal quantile `z` (Wilson 1927). `n` above 0; it may be
/// fractional, because cases that overlap count as less than one.
#[must_use]
pub fn wilson(p: f64, n: f64, z: f64) -> [f64; 2] {
    let z2 = z * z;
    let centre = (p + z2 / (2.0 * n)) / (1.0 + z2 / n);
    let half = z * (p * (1.0 - p) / n + z2 / (4.0 * n * n)).sqrt() / (1.0 + z2 / n);
    [(centre - half).max(0.0), (centre + half).min(1.0)]
}

/// 95 % quantile of the normal distribution: that of two-sided 90 % intervals.
pub const Z_90: f64 = 1.644_853_626_951_472_2;

#[cfg(test)]
mod tests {
    use super::*;

    fn close(got: f64, want: f64) {
        assert!((got - want).abs() <= 1e-13 * want.abs().max(1.0), "{got} is not {want}");
    }

    #[test]
    fn gamma_of_whole_and_half_numbers() {
        let mut factorial = 1.0;
        for n in 1_u32..20 {
            close(ln_gamma(f64::from(n)), ln(factorial));
            factorial *= f64::from(n);
        }
        close(ln_gamma(0.5), 0.5 * ln(core::f64::consts::PI));
    }

    #[test]
    fn half_steps_of_gamma_join_where_the_series_begins() {
        for a in [15.999_999, 16.0, 16.000_001, 40.0, 200.5, 1_001.0] {
            let plain = ln_gamma(a + 0.5) - ln_gamma(a);
            assert!((ln_gamma_half_step(a) - plain).abs() < 1e-12 * ln_gamma(a).max(1.0), "{a}");
        }
        // Two half steps are a whole one: Γ(a + 1) = a Γ(a).
        for a in [0.5, 3.0, 20.0, 500.0] {
            close(ln_gamma_half_step(a) + ln_gamma_half_step(a + 0.5), ln(a));
        }
    }

    #[test]
    fn student_t_of_one_degree_is_cauchy_and_of_many_normal() {
        for x in [-3.0, -0.5, 0.0, 0.1, 7.0] {
            close(student_t_ln_pdf(x, 1.0, 0.0, 1.0), -ln(core::f64::consts::PI * (1.0 + x * x)));
        }
        let normal = -0.5 * ln(2.0 * core::f64::consts::PI * 4.0) - 0.5 * (3.0 - 1.0) * (3.0 - 1.0) / 4.0;
        assert!((student_t_ln_pdf(3.0, 1e9, 1.0, 4.0) - normal).abs() < 1e-6);
    }

    #[test]
    fn sums_of_logarithms_neither_overflow_nor_vanish() {
        close(log_sum_exp([1_000.0, 1_000.0].into_iter()), 1_000.0 + core::f64::consts::LN_2);
        close(log_sum_exp([-1_000.0, f64::NEG_INFINITY].into_iter()), -1_000.0);
        assert!(log_sum_exp([f64::NEG_INFINITY].into_iter()) < f64::MIN);
    }
}
