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
/// Logarithm of the gamma function, for positive `x`.
#[must_use]
pub fn ln_gamma(x: f64) -> f64 {
    libm::lgamma(x)
}
/// `ln Σ exp(x)` of logarithms, shifted by the largest so that nothing overflows; −∞ when all are −∞ or there are none.
#[must_use]
pub fn log_sum_exp(logs: impl Iterator<Item = f64> + Clone) -> f64 {
    let top = logs.clone().fold(f64::NEG_INFINITY, f64::max);
    if top.is_finite() { top + ln(logs.map(|x| exp(x - top)).sum()) } else { top }
}
/// Log density at `x` of Student's t with `dof` degrees of freedom around `centre`; `scale2` is the squared scale.
#[must_use]
pub fn student_t_ln_pdf(x: f64, dof: f64, centre: f64, scale2: f64) -> f64 {
    let d = x - centre;
    ln_gamma(0.5 * (dof + 1.0))
        - ln_gamma(0.5 * dof)
        - 0.5 * ln(dof * core::f64::consts::PI * scale2)
        - 0.5 * (dof + 1.0) * libm::log1p(d * d / (dof * scale2))
}

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
