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
    let text = rounded(x, DIGITS);
    let step = unit(x, DIGITS);
    // From the rounded value: a unit off the size itself could cross a power of ten and show more digits of a smaller one.
    if read(&text) > x { rounded(read(&text) - step, DIGITS) } else { text }
}

/// A computed price that lies `distance` from the entry: a fifth digit only where four would blur that.
#[must_use]
pub fn price(x: f64, distance: Option<f64>) -> String {
    let least = distance.map_or(f64::INFINITY, |d| (d * BLUR).abs());
    let of = |digits: &usize| rounded(x, *digits);
    let digits = (DIGITS..DIGITS_MAX).find(|d| (read(&of(d)) - x).abs() <= least);
    of(&digits.unwrap_or(DIGITS_MAX))
}

fn read(text: &str) -> f64 {
    text.replace(',', "").replace('−', "-").parse().unwrap_or(f64::NAN)
}

/// What the last of so many significant digits is worth; written out by way of text, exact for every magnitude.
fn unit(x: f64, digits: usize) -> f64 {
    let text = format!("{x:e}");
    let exponent: i32 = text.split_once('e').and_then(|(_, e)| e.parse().ok()).unwrap_or(0);
    let last = exponent - i32::try_from(digits).unwrap_or(i32::MAX) + 1;
    format!("1e{last}").parse().unwrap_or(0.0)
}

/// So many significant digits, without zeros at the end, thousands apart.
fn rounded(x: f64, digits: usize) -> String {
    // Through the exponent form, whose digits are the significant ones.
    let text = format!("{x:.*e}", digits.saturating_sub(1));
    let value: f64 = text.parse().unwrap_or(x);
    grouped(&format!("{value}"))
}

fn grouped(text: &str) -> String {
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
