//! Decimal strings to numbers, exactly once.
//!
//! Venues send prices and quantities as decimal text. A [`Decimal`] is that text without loss: an integer and a power of
//! ten. `f64` comes from it with correct rounding, integer ticks by rescaling; neither goes through the other.

use serde::{Deserialize, Serialize};

/// `mantissa × 10^−scale`.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Decimal {
    /// All digits, signed.
    pub mantissa: i64,
    /// Digits after the point, at most 18.
    pub scale: u8,
}

/// Powers of ten that an `f64` holds exactly, as far as a scale reaches.
pub(super) const EXACT: [f64; 19] =
    [1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18];
/// Largest integer up to which every integer is an `f64`.
const EXACT_MAX: u64 = 1 << 53;

/// Most digits after the point.
const SCALE_MAX: u8 = 18;
/// As many digits, and a point, never wrap a `u64` and have no more than [`SCALE_MAX`] places.
const DIGITS_SAFE: usize = 19;
/// Powers of ten that an `i64` holds.
const TENS: [i64; 19] = {
    let mut tens = [1; 19];
    let mut at = 1;
    while at < 19 {
        tens[at] = tens[at - 1] * 10;
        at += 1;
    }
    tens
};

#[inline]
fn digit(text: &[u8], at: usize) -> Option<u64> {
    let value = text.get(at)?.wrapping_sub(b'0');
    (value < 10).then_some(u64::from(value))
}

impl Decimal {
    /// Reads `-?digits[.digits]`. Trailing zeros after the point are dropped, so that equal numbers are equal. `None` for
    /// anything else: plus signs, exponents, spaces, empty parts, more digits than an `i64` or more than 18 places.
    #[must_use]
    pub fn parse(text: &[u8]) -> Option<Self> {
        Self::prefix(text).filter(|(_, length)| *length == text.len()).map(|(decimal, _)| decimal)
    }

    /// As [`Self::parse`], of as much of the beginning of `text` as is a decimal number; also says how much that was.
    #[inline]
    #[must_use]
    pub fn prefix(text: &[u8]) -> Option<(Self, usize)> {
        let start = usize::from(text.first() == Some(&b'-'));
        let mut at = start;
        // Wraps beyond 19 digits; those are read again with checks.
        let mut all: u64 = 0;
        while let Some(digit) = digit(text, at) {
            all = all.wrapping_mul(10).wrapping_add(digit);
            at += 1;
        }
        if at == start {
            return None;
        }
        let (mut mantissa, mut scale) = (all, 0);
        if text.get(at) == Some(&b'.') {
            at += 1;
            let point = at;
            // Digits up to the last one that is not zero are the ones that count.
            while let Some(digit) = digit(text, at) {
                all = all.wrapping_mul(10).wrapping_add(digit);
                at += 1;
                if digit != 0 {
                    (mantissa, scale) = (all, at - point);
                }
            }
            if at == point {
                return None;
            }
        }
        if at - start > DIGITS_SAFE {
            return Self::long(text.get(..at)?).map(|decimal| (decimal, at));
        }
        let (mantissa, scale) = (i64::try_from(mantissa).ok()?, u8::try_from(scale).ok()?);
        Some((Self { mantissa: if start == 1 { -mantissa } else { mantissa }, scale }, at))
    }

    /// The same for texts so long that digits could be lost.
    #[cold]
    fn long(text: &[u8]) -> Option<Self> {
        let (mut mantissa, mut all) = (0_u64, Some(0_u64));
        let (mut scale, mut point) = (0, None);
        for (at, c) in text.iter().enumerate() {
            match c {
                b'-' => {}
                b'.' => point = Some(at),
                _ => {
                    let value = u64::from(c - b'0');
                    all = all.and_then(|n| n.checked_mul(10)?.checked_add(value));
                    match point {
                        // Zeros at the end do not count, however many there are.
                        Some(_) if value == 0 => {}
                        Some(point) => (mantissa, scale) = (all?, at - point),
                        None => mantissa = all?,
                    }
                }
            }
        }
        let scale = u8::try_from(scale).ok().filter(|s| *s <= SCALE_MAX)?;
        let mantissa = i64::try_from(mantissa).ok()?;
        Some(Self { mantissa: if text.first() == Some(&b'-') { -mantissa } else { mantissa }, scale })
    }

    /// The nearest `f64`.
    #[inline]
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "exact below 2^53; larger ones go another way")]
    pub fn to_f64(self) -> f64 {
        if self.mantissa.unsigned_abs() <= EXACT_MAX {
            // Both operands are exact, so the quotient is correctly rounded.
            return self.mantissa as f64 / EXACT[usize::from(self.scale.min(18))];
        }
        self.long_to_f64()
    }

    /// The nearest `f64` of more than 15 digits: the standard library rounds correctly.
    #[cold]
    #[inline(never)]
    #[expect(clippy::cast_precision_loss, reason = "only of what cannot be read back, and nothing is such")]
    fn long_to_f64(self) -> f64 {
        format!("{}e-{}", self.mantissa, self.scale).parse().unwrap_or(self.mantissa as f64)
    }

    /// The same number in units of `10^−scale`; `None` when it has more digits than that, or is too large.
    #[inline]
    #[must_use]
    pub fn units(self, scale: u8) -> Option<i64> {
        let up = scale.checked_sub(self.scale)?;
        self.mantissa.checked_mul(*TENS.get(usize::from(up))?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decimals_are_read_without_loss_or_refused() {
        let d = |t: &str| Decimal::parse(t.as_bytes()).map(|d| (d.mantissa, d.scale));
        assert_eq!(d("83135.50"), Some((831_355, 1)));
        assert_eq!(d("0.00000253"), Some((253, 8)));
        assert_eq!(d("-0.001"), Some((-1, 3)));
        assert_eq!(d("100"), Some((100, 0)));
        assert_eq!(d("100.00"), Some((100, 0)));
        assert_eq!(d("0.10200"), Some((102, 3)));
        assert_eq!(d("1.50000000000000000000000000"), Some((15, 1)), "zeros at the end never overflow");
        assert_eq!(d("1.50000000000000000000000001"), None);
        assert_eq!(d("100000000000000000.1"), Some((1_000_000_000_000_000_001, 1)), "19 digits, and they fit");
        assert_eq!(d("9999999999999999999"), None, "19 digits, and they do not");
        assert_eq!(d("0.000000000000000001"), Some((1, 18)));
        assert_eq!(d("0.0000000000000000001"), None);
        assert_eq!(d("9223372036854775807"), Some((i64::MAX, 0)));
        assert_eq!(d("99999999999999999999999999999999999999.5"), None);
        assert_eq!(Decimal::prefix(b"12.50\"rest"), Some((Decimal { mantissa: 125, scale: 1 }, 5)));
        for bad in ["", "-", ".", "1.", ".5", "+1", "1e5", "1 ", "1.2.3", "NaN", "99999999999999999999"] {
            assert_eq!(d(bad), None, "{bad:?}");
        }
    }

    #[test]
    fn floats_are_those_of_the_standard_library() {
        for text in
            ["83134.61729710", "0.1", "0.00000253", "123456789.123456789", "9007199254740993", "1.7976931348623157"]
        {
            let ours = Decimal::parse(text.as_bytes()).unwrap().to_f64();
            assert_eq!(ours.to_bits(), text.parse::<f64>().unwrap().to_bits(), "{text}");
        }
    }

    #[test]
    fn ticks_are_integers_of_a_scale() {
        let d = Decimal::parse(b"83135.50").unwrap();
        assert_eq!((d.units(2), d.units(1), d.units(0)), (Some(8_313_550), Some(831_355), None));
    }
}
