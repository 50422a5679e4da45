//! Numbers and instants from their text, exactly once and exactly right.
//!
//! [`decimal`] gives the float nearest to the decimal text, as the standard library does, faster for what markets
//! print: a mantissa below 2^53 times a power of ten up to 22 needs one exact division or multiplication (Clinger 1990,
//! the fast path every correct parser has). Anything else goes to the standard library.

use barograph_domain::Ts;
use core::ops::Range;

/// Stamps outside are refused: no coin is older than 2009, and arithmetic on them cannot overflow.
pub const PLAUSIBLE: Range<Ts> = Ts::from_civil(2009, 1, 1, 0, 0, 0)..Ts::from_civil(2200, 1, 1, 0, 0, 0);

const TENS: [f64; 23] = [
    1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20,
    1e21, 1e22,
];

/// The float nearest to a decimal text; `None` for anything that is not a plain decimal number (`nan`, `inf`, hex and
/// digit groups among it).
#[must_use]
pub fn decimal(text: &[u8]) -> Option<f64> {
    let (negative, digits) = match text {
        [b'-', rest @ ..] => (true, rest),
        [b'+', rest @ ..] => (false, rest),
        rest => (false, rest),
    };
    let mut mantissa = 0_u64;
    let mut seen = 0_usize;
    let mut scale = None;
    for (i, b) in digits.iter().enumerate() {
        match b {
            b'0'..=b'9' => {
                mantissa = mantissa.wrapping_mul(10).wrapping_add(u64::from(b - b'0'));
                seen += 1;
            }
            b'.' if scale.is_none() => scale = Some(i),
            b'e' | b'E' => return slow(text),
            _ => return None,
        }
    }
    if seen == 0 {
        return None;
    }
    let places = scale.map_or(0, |dot| digits.len() - dot - 1);
    // 19 digits cannot overflow a u64; beyond 2^53 the mantissa itself is not exact.
    if seen > 19 || mantissa > 1 << 53 || places >= TENS.len() {
        return slow(text);
    }
    #[expect(clippy::cast_precision_loss, reason = "checked: at most 2^53")]
    let value = mantissa as f64 / TENS[places];
    Some(if negative { -value } else { value })
}

#[cold]
fn slow(text: &[u8]) -> Option<f64> {
    // Only digits, dot, sign and exponent: the standard library would also take "inf" and "nan".
    if !text.iter().all(|b| matches!(b, b'0'..=b'9' | b'.' | b'-' | b'+' | b'e' | b'E')) {
        return None;
    }
    core::str::from_utf8(text).ok()?.parse().ok().filter(|v: &f64| v.is_finite())
}

/// An unsigned integer of digits only.
#[must_use]
pub fn unsigned(text: &[u8]) -> Option<u64> {
    if text.is_empty() || text.len() > 20 {
        return None;
    }
    text.iter().try_fold(0_u64, |n, b| {
        if b.is_ascii_digit() { n.checked_mul(10)?.checked_add(u64::from(b - b'0')) } else { None }
    })
}

/// A binary integer as a float, where that is exact.
#[must_use]
pub fn whole(n: i64) -> Option<f64> {
    #[expect(clippy::cast_precision_loss, reason = "checked: at most 2^53")]
    (n.unsigned_abs() <= 1 << 53).then_some(n as f64)
}

/// A float that is a whole number, as an integer: epoch stamps that passed through a float column.
#[must_use]
pub fn whole_float(v: f64) -> Option<i64> {
    #[expect(clippy::cast_possible_truncation, reason = "checked: whole and within 2^63")]
    (v.is_finite() && v.abs() < 9.0e18 && v.fract().abs() < f64::MIN_POSITIVE).then_some(v as i64)
}

/// An instant: epoch digits in s, ms, µs or ns, or ISO-8601 text; no zone means UTC.
#[must_use]
pub fn instant(text: &[u8]) -> Option<Ts> {
    // The two spellings of archives first: 13 digits of milliseconds, 16 of microseconds.
    if (text.len() == 13 || text.len() == 16)
        && let Some(n) = unsigned(text)
    {
        return i64::try_from(n).ok().and_then(Ts::from_epoch);
    }
    core::str::from_utf8(text).ok().and_then(|t| Ts::parse(t).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decimals_equal_the_standard_library_bit_for_bit() {
        for text in [
            "0",
            "0.1",
            "0.3",
            "115715.50",
            "-0.00012359",
            "213658733.84120",
            "5134.123456789",
            "1e-7",
            "1.5E+3",
            "9007199254740993",
            "0.000000000000000000000001",
            "123456789012345678901234567890",
            ".5",
            "5.",
            "+1",
            "8064963864.475081",
            "00000000000000000001.10",
            "99999999999999999999.5",
            "-0",
        ] {
            let want: f64 = text.parse().unwrap();
            let got = decimal(text.as_bytes()).unwrap();
            assert_eq!(got.to_bits(), want.to_bits(), "{text}: {got} {want}");
        }
    }

    #[test]
    fn random_decimals_equal_the_standard_library_too() {
        let mut seed = 1_u64;
        for _ in 0..200_000 {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let digits = (seed >> (seed % 50)).to_string();
            let (whole, part) = digits.split_at(usize::try_from(seed >> 40).unwrap_or(0) % (digits.len() + 1));
            let text = format!("{whole}.{part}");
            let want: f64 = text.parse().unwrap();
            assert_eq!(decimal(text.as_bytes()).map(f64::to_bits), Some(want.to_bits()), "{text}");
        }
    }

    #[test]
    fn what_is_no_decimal_is_refused() {
        for text in [
            "",
            "-",
            ".",
            "nan",
            "NaN",
            "inf",
            "-Infinity",
            "1,5",
            "0x10",
            "1_000",
            "1.2.3",
            "1e",
            "12a",
            " 1",
            "1e999",
        ] {
            assert_eq!(decimal(text.as_bytes()), None, "{text}");
        }
    }

    #[test]
    fn the_same_instant_in_milliseconds_and_microseconds() {
        let want = Ts::from_civil(2025, 1, 1, 0, 0, 0);
        for text in
            ["1735689600000", "1735689600000000", "1735689600", "2025-01-01 00:00:00", "2025-01-01T00:00:00+00:00"]
        {
            assert_eq!(instant(text.as_bytes()), Some(want), "{text}");
        }
        assert_eq!(instant(b"open_time"), None);
    }

    #[test]
    fn floats_that_are_stamps() {
        assert_eq!(whole_float(1.735_689_6e12), Some(1_735_689_600_000));
        assert_eq!(whole_float(0.5), None);
        assert_eq!(whole_float(f64::NAN), None);
        assert_eq!(whole(1 << 60), None);
    }
}
