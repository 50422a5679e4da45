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
