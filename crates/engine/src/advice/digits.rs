//! Numbers in the words of an advice (UX §1): four significant digits of what was worked out, all digits of what the caller
//! gave.

/// Significant digits of a computed number.
const DIGITS: usize = 4;
/// Most that a price gets.
const DIGITS_MAX: usize = 8;
/// A price is written so closely that rounding moves it by less than this share of its distance to the entry.
const BLUR: f64 = 0.01;

/// What the caller gave, exactly as given: the fewest digits that read back as the same number, thousands apart.
#[must_use]
pub fn own(x: f64) -> String {
    grouped(&format!("{x}"))
}

/// A computed number.
#[must_use]
pub fn number(x: f64) -> String {
    rounded(x, DIGITS)
}

/// A computed size: rounded down, because a larger one would lose more than was worked out.
#[must_use]
pub fn size(x: f64) -> String {
    let value = worth(x, DIGITS);
    // From the rounded value: a unit off the size itself could cross a power of ten and show more digits of a smaller one.
    if value > x { rounded(value - unit(x, DIGITS), DIGITS) } else { rounded(x, DIGITS) }
}

/// A computed price that lies `distance` from the entry: a fifth digit only where four would blur that.
#[must_use]
pub fn price(x: f64, distance: Option<f64>) -> String {
    let least = distance.map_or(f64::INFINITY, |d| (d * BLUR).abs());
    let digits = (DIGITS..DIGITS_MAX).find(|digits| (worth(x, *digits) - x).abs() <= least);
    rounded(x, digits.unwrap_or(DIGITS_MAX))
}

/// So many significant digits, without zeros at the end, thousands apart.
fn rounded(x: f64, digits: usize) -> String {
    Significant::of(x, digits).map_or_else(|| by_text::rounded(x, digits), Significant::text)
}

/// The number that so many significant digits say.
fn worth(x: f64, digits: usize) -> f64 {
    Significant::of(x, digits).map_or_else(|| by_text::read(&by_text::rounded(x, digits)), Significant::value)
}

/// What the last of so many significant digits is worth.
fn unit(x: f64, digits: usize) -> f64 {
    let last = exponent(x.abs()).and_then(|e| Some(e - i32::try_from(digits).ok()? + 1));
    let unit = last.and_then(|last| if last < 0 { DOWN.get(below(last)) } else { UP.get(below(-last)) });
    unit.copied().unwrap_or_else(|| by_text::unit(x, digits))
}

/// Powers of ten that an `f64` holds exactly.
const UP: [f64; 23] = [
    1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20,
    1e21, 1e22,
];
/// The nearest to those below one.
const DOWN: [f64; 14] = [1e0, 1e-1, 1e-2, 1e-3, 1e-4, 1e-5, 1e-6, 1e-7, 1e-8, 1e-9, 1e-10, 1e-11, 1e-12, 1e-13];
/// Numbers from the first of these up to the last one are written without going through text.
const DECADES: [f64; 25] = [
    1e-9, 1e-8, 1e-7, 1e-6, 1e-5, 1e-4, 1e-3, 1e-2, 1e-1, 1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11,
    1e12, 1e13, 1e14, 1e15,
];
/// A product this close to the middle between two integers may have been rounded to its other side: it has at most eight digits
/// before the point, so it is off by some 1e-8.
const UNSURE: f64 = 1e-6;

/// Where a negative power of ten stands in a table of them.
fn below(power: i32) -> usize {
    usize::try_from(-power).unwrap_or(usize::MAX)
}

/// The power of ten of the first digit, within the decades.
fn exponent(x: f64) -> Option<i32> {
    let at = DECADES.partition_point(|decade| *decade <= x);
    let known = at > 0 && at < DECADES.len();
    i32::try_from(at).ok().filter(|_| known).map(|at| at - 10)
}

/// A number of few digits: `digits × 10^last`.
#[derive(Clone, Copy)]
struct Significant {
    is_negative: bool,
    digits: u32,
    last: i32,
}

impl Significant {
    /// The digits that the standard library gives, at most eight; `None` where a multiplication does not decide it.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "at most eight digits, not negative")]
    fn of(x: f64, digits: usize) -> Option<Self> {
        let size = x.abs();
        let last = exponent(size)? - i32::try_from(digits).ok().filter(|d| (1..=8).contains(d))? + 1;
        // Powers of ten are exact here, so this is rounded once.
        let scaled = if last < 0 { size * UP.get(below(last))? } else { size / UP.get(below(-last))? };
        let whole = scaled.floor();
        let rest = scaled - whole;
        if (rest - 0.5).abs() < UNSURE {
            return None;
        }
        let mut found = Self { is_negative: x < 0.0, digits: whole as u32 + u32::from(rest > 0.5), last };
        while found.digits.is_multiple_of(10) {
            found.digits /= 10;
            found.last += 1;
        }
        Some(found)
    }

    /// The nearest `f64`: both operands are exact.
    fn value(self) -> f64 {
        let digits = f64::from(self.digits);
        let size = if self.last < 0 { digits / UP[below(self.last)] } else { digits * UP[below(-self.last)] };
        if self.is_negative { -size } else { size }
    }

    fn text(self) -> String {
        // Sixteen places, sixteen digits in front of them, five commas and a point.
        let mut out = [b'0'; 40];
        let mut at = out.len();
        let mut left = u64::from(self.digits);
        for _ in self.last..0 {
            at -= 1;
            out[at] += (left % 10).to_le_bytes()[0];
            left /= 10;
        }
        if self.last < 0 {
            at -= 1;
            out[at] = b'.';
        }
        left *= 10_u64.pow(self.last.max(0).unsigned_abs());
        for place in 0.. {
            if place > 0 && place % 3 == 0 {
                at -= 1;
                out[at] = b',';
            }
            at -= 1;
            out[at] += (left % 10).to_le_bytes()[0];
            left /= 10;
            if left == 0 {
                break;
            }
        }
        let sign = if self.is_negative { "−" } else { "" };
        [sign, core::str::from_utf8(&out[at..]).unwrap_or_default()].concat()
    }
}

/// The same for every number there is, by way of texts of the standard library.
mod by_text {
    use super::grouped;

    pub(super) fn read(text: &str) -> f64 {
        text.replace(',', "").replace('−', "-").parse().unwrap_or(f64::NAN)
    }

    /// Written out by way of text, exact for every magnitude.
    pub(super) fn unit(x: f64, digits: usize) -> f64 {
        let text = format!("{x:e}");
        let exponent: i32 = text.split_once('e').and_then(|(_, e)| e.parse().ok()).unwrap_or(0);
        let last = exponent - i32::try_from(digits).unwrap_or(i32::MAX) + 1;
        format!("1e{last}").parse().unwrap_or(0.0)
    }

    pub(super) fn rounded(x: f64, digits: usize) -> String {
        // Through the exponent form, whose digits are the significant ones.
        let text = format!("{x:.*e}", digits.saturating_sub(1));
        let value: f64 = text.parse().unwrap_or(x);
        grouped(&format!("{value}"))
    }
}

/// A decimal text with thousands separators and a typographic minus: `-1234.5` is `−1,234.5`.
pub fn grouped(text: &str) -> String {
    let (sign, text) = text.strip_prefix('-').map_or(("", text), |rest| ("−", rest));
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let mut out = sign.to_owned();
    for (i, digit) in whole.chars().enumerate() {
        if i > 0 && (whole.len() - i) % 3 == 0 {
            out.push(',');
        }
        out.push(digit);
    }
    if !fraction.is_empty() {
        out.push('.');
        out.push_str(fraction);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(20_000))]
        /// The short way and the way through text say the same, to the last bit and letter.
        #[test]
        fn short_and_long_ways_agree(
            mantissa in prop_oneof![1.0_f64..10.0, (10_000_u32..100_000).prop_map(|n| f64::from(n) / 1e4)],
            power in -12_i32..18,
            nudge in -2_i64..=2,
            digits in 1_usize..=8,
        ) {
            let written: f64 = format!("{mantissa}e{power}").parse().unwrap();
            let nudged = f64::from_bits(written.to_bits().wrapping_add_signed(nudge));
            for x in [nudged, -nudged] {
                let text = by_text::rounded(x, digits);
                prop_assert_eq!(rounded(x, digits), text.clone());
                prop_assert_eq!(worth(x, digits).to_bits(), by_text::read(&text).to_bits());
                prop_assert_eq!(unit(x, digits).to_bits(), by_text::unit(x, digits).to_bits());
            }
        }
    }

    #[test]
    fn what_is_no_ordinary_number_is_written_as_ever() {
        for x in [0.0, -0.0, f64::NAN, f64::INFINITY, f64::MIN_POSITIVE, 5e-324, 1e-9, 1e15, 1e22, f64::MAX] {
            for digits in 1..=8 {
                assert_eq!(rounded(x, digits), by_text::rounded(x, digits), "{x}");
            }
        }
    }

    #[test]
    fn four_digits_of_what_was_worked_out_and_all_of_what_was_given() {
        for (x, computed, given) in [
            (64_769.055, "64,770", "64,769.055"),
            (999.88, "999.9", "999.88"),
            (0.234_567_8, "0.2346", "0.2345678"),
            (0.000_012_345_6, "0.00001235", "0.0000123456"),
            (27.78, "27.78", "27.78"),
            (1_234_567.0, "1,235,000", "1,234,567"),
            (-12.345, "−12.35", "−12.345"),
            (0.2, "0.2", "0.2"),
            (0.0, "0", "0"),
        ] {
            assert_eq!((number(x).as_str(), own(x).as_str()), (computed, given));
        }
    }

    #[test]
    fn a_size_is_never_written_larger_than_it_is() {
        for (x, want) in [
            (0.026_196, "0.02619"),
            (0.234_567_8, "0.2345"),
            (0.02, "0.02"),
            (99_999.0, "99,990"),
            (1e-7, "0.0000001"),
            (1.0006, "1"),
            (10.006, "10"),
            (1_000.6, "1,000"),
        ] {
            assert_eq!(size(x), want);
        }
    }

    #[test]
    fn a_price_near_the_entry_keeps_the_digits_that_tell_them_apart() {
        for (x, distance, want) in [
            (64_769.055, Some(5_231.0), "64,770"),
            (103_450.0, Some(300.0), "103,450"),
            (103_452.7, Some(20.0), "103,452.7"),
            (69_123.456_789_12, Some(0.001), "69,123.457"),
            (64_769.055, None, "64,770"),
        ] {
            assert_eq!(price(x, distance), want);
        }
    }
}
