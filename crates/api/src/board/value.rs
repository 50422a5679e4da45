//! One cell of the board, and how it is written: as short as JSON allows.

use core::fmt::Write as _;
use serde::{Serialize, Serializer};

/// Significant digits of readings. People are shown four at most; prices are not rounded.
pub const DIGITS: i32 = 4;

/// A cell.
#[derive(Clone, Copy, PartialEq, Debug, Default)]
pub enum Value {
    /// Not known; the row's `reasons` say why.
    #[default]
    Null,
    /// A code, a count, or epoch seconds.
    Whole(i64),
    /// A finite number.
    Number(f64),
    /// One character per timeframe, ASCII.
    Digits([u8; 4]),
}

impl Value {
    /// A number as it is; null where it is not finite.
    #[must_use]
    pub fn full(x: f64) -> Self {
        if x.is_finite() { Self::Number(x) } else { Self::Null }
    }

    /// A number with [`DIGITS`] significant digits.
    #[must_use]
    pub fn reading(x: f64) -> Self {
        Self::full(rounded(x))
    }

    /// The whole number in it.
    #[must_use]
    pub const fn whole(self) -> Option<i64> {
        match self {
            Self::Whole(n) => Some(n),
            Self::Null | Self::Number(_) | Self::Digits(_) => None,
        }
    }

    /// Writes it as JSON.
    pub(crate) fn write(self, out: &mut String) {
        // Writing to a String cannot fail.
        let _infallible = match self {
            Self::Null => out.write_str("null"),
            Self::Whole(n) => write!(out, "{n}"),
            Self::Number(x) if x.abs() < 1e-3 && x.abs() > 0.0 => write!(out, "{x:e}"),
            Self::Number(x) if x.abs() >= 1e15 => write!(out, "{x:e}"),
            Self::Number(x) => write!(out, "{x}"),
            Self::Digits(d) => write!(out, "\"{}\"", core::str::from_utf8(&d).unwrap_or("....")),
        };
    }
}

impl Serialize for Value {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Null => s.serialize_unit(),
            Self::Whole(n) => s.serialize_i64(*n),
            Self::Number(x) => s.serialize_f64(*x),
            Self::Digits(d) => s.serialize_str(core::str::from_utf8(d).unwrap_or("....")),
        }
    }
}

/// The nearest number with [`DIGITS`] significant digits.
#[must_use]
pub fn rounded(x: f64) -> f64 {
    if x == 0.0 || !x.is_finite() {
        return x;
    }
    #[expect(clippy::cast_possible_truncation, reason = "a decimal exponent is below 400")]
    let places = DIGITS - 1 - x.abs().log10().floor() as i32;
    // Divided by a whole power of ten in both cases, so that the result is the double nearest to the short decimal.
    let near = if places >= 0 {
        let scale = 10_f64.powi(places);
        (x * scale).round() / scale
    } else {
        let scale = 10_f64.powi(-places);
        (x / scale).round() * scale
    };
    if near.is_finite() { near } else { x }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_are_short_and_mean_what_they_say() {
        for (value, want) in [
            (Value::full(63_120.5), "63120.5"),
            (Value::full(0.000_123_456), "1.23456e-4"),
            (Value::reading(0.000_123_456), "1.235e-4"),
            (Value::reading(-0.012_345_6), "-0.01235"),
            (Value::reading(1.180_04), "1.18"),
            (Value::reading(123_456.0), "123500"),
            (Value::reading(0.0), "0"),
            (Value::full(f64::NAN), "null"),
            (Value::Whole(-3), "-3"),
            (Value::Digits(*b"12.."), "\"12..\""),
        ] {
            let mut text = String::new();
            value.write(&mut text);
            assert_eq!(text, want);
            let read: serde_json::Value = serde_json::from_str(&text).unwrap();
            let written = serde_json::to_value(value).unwrap();
            assert_eq!(read.as_f64().map(f64::to_bits), written.as_f64().map(f64::to_bits), "{want}");
            assert_eq!(read.as_str(), written.as_str());
        }
    }
}
