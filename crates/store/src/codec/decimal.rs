//! Numbers that people wrote as decimals, or that are sums of such: a few digits instead of eight bytes, bit for bit.
//!
//! A code of four bits says how a number is written. Prices and volumes of venues have few digits; a sum of them is off the decimal
//! by an ulp or two, which are written beside it; everything else is written as its bits.

use super::CodecError;
use super::bytes::{Input, put_uint, unzigzag, zigzag};

/// Digits behind the point that are tried; the codes below are those numbers of digits.
const DIGITS_MAX: u8 = 8;
const POWERS: [f64; 9] = [1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8];
/// The number handed in beside it.
const SAME: u8 = 9;
/// A decimal and the ulps it is off by.
const NEAR: u8 = 10;
/// Sixty-four bits.
const BITS: u8 = 15;
/// Ulps in one byte.
const ULPS_MAX: u64 = 1 << 7;
/// A numerator below this takes at most six bytes.
const NUMERATOR_MAX: f64 = (1_u64 << 41) as f64;

/// Appends a number; its code. `beside` is a number that the reader has by then.
pub(super) fn put(out: &mut Vec<u8>, x: f64, beside: Option<f64>) -> u8 {
    if beside.is_some_and(|b| b.to_bits() == x.to_bits()) {
        return SAME;
    }
    for digits in 0..=DIGITS_MAX {
        let Some((numerator, ulps)) = decimal(x, digits) else { continue };
        if ulps == 0 {
            put_uint(out, zigzag(numerator.cast_unsigned()));
            return digits;
        }
        out.push(digits);
        put_uint(out, ulps);
        put_uint(out, zigzag(numerator.cast_unsigned()));
        return NEAR;
    }
    out.extend_from_slice(&x.to_bits().to_le_bytes());
    BITS
}

/// The decimal of so many digits next to a number, and by how much the number is off; `None` where that is no shorter than its bits.
fn decimal(x: f64, digits: u8) -> Option<(i64, u64)> {
    let power = POWERS.get(usize::from(digits))?;
    let rounded = (x * power).round();
    if rounded.is_nan() || rounded.abs() >= NUMERATOR_MAX {
        return None;
    }
    #[expect(clippy::cast_possible_truncation, reason = "a whole number of at most 41 bits")]
    let numerator = rounded as i64;
    let ulps = zigzag(x.to_bits().wrapping_sub(of(numerator, *power).to_bits()));
    (ulps < ULPS_MAX).then_some((numerator, ulps))
}

#[expect(clippy::cast_precision_loss, reason = "written from a number of at most 41 bits; another one is damage")]
fn of(numerator: i64, power: f64) -> f64 {
    numerator as f64 / power
}

/// The number of a code.
pub(super) fn get(input: &mut Input<'_>, code: u8, beside: Option<f64>) -> Result<f64, CodecError> {
    let unknown = CodecError("writes a number in a way this build does not know");
    let power = |digits: u8| POWERS.get(usize::from(digits)).copied().ok_or(unknown);
    match code {
        SAME => beside.ok_or(unknown),
        NEAR => {
            let (power, ulps) = (power(input.byte()?)?, unzigzag(input.uint()?));
            let near = of(unzigzag(input.uint()?).cast_signed(), power);
            Ok(f64::from_bits(near.to_bits().wrapping_add(ulps)))
        }
        BITS => {
            let bits = input.take(8)?.first_chunk::<8>().copied().unwrap_or_default();
            Ok(f64::from_bits(u64::from_le_bytes(bits)))
        }
        digits => Ok(of(unzigzag(input.uint()?).cast_signed(), power(digits)?)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_survive_bit_for_bit_in_few_bytes() {
        let cases = [
            (0.0, 1),
            (-0.0, 8),
            (1998.94, 3),
            (-0.0175, 2),
            (60_000.1, 3),
            (0.1 + 0.2, 3),
            (1_396.507_000_000_000_5, 6),
            (1e300, 8),
            (f64::NAN, 8),
            (f64::INFINITY, 8),
            (f64::MIN_POSITIVE / 2.0, 8),
            (1.0 / 3.0, 8),
        ];
        for (x, most) in cases {
            let mut out = Vec::new();
            let code = put(&mut out, x, Some(5.0));
            assert!(out.len() <= most, "{x}: {} bytes", out.len());
            let mut input = Input(&out);
            assert_eq!(get(&mut input, code, Some(5.0)).map(f64::to_bits), Ok(x.to_bits()), "{x}");
            assert!(input.0.is_empty());
        }
        let mut out = Vec::new();
        assert_eq!((put(&mut out, 5.0, Some(5.0)), out.len()), (SAME, 0));
        assert_eq!(get(&mut Input(&[]), SAME, Some(5.0)), Ok(5.0));
        for code in [SAME, 11, 14, NEAR, BITS, 0] {
            assert!(get(&mut Input(&[]), code, None).is_err(), "{code}");
        }
    }

    #[test]
    fn every_pattern_of_bits_survives() {
        let mut bits = 0x9e37_79b9_7f4a_7c15_u64;
        for _ in 0..10_000 {
            bits = bits.wrapping_mul(0x5851_f42d_4c95_7f2d).wrapping_add(1);
            for x in [f64::from_bits(bits), f64::from_bits(bits >> 12 | 1_023 << 52) - 1.0] {
                let mut out = Vec::new();
                let code = put(&mut out, x, None);
                assert_eq!(get(&mut Input(&out), code, None).map(f64::to_bits), Ok(x.to_bits()));
            }
        }
    }
}
