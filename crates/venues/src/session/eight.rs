//! Digits and ends of strings, eight bytes at once.
//!
//! Eight bytes of text are one integer whose lowest byte comes first. Marks are the highest bits of bytes; of several marks
//! only the lowest is meant, since a borrow or a carry may set those above it wrongly.

use crate::session::Decimal;

/// This byte, eight times.
const fn all(byte: u8) -> u64 {
    u64::from_le_bytes([byte; 8])
}

/// Text as values of digits; what is none has a value above nine.
#[inline]
pub(super) const fn values(text: [u8; 8]) -> u64 {
    u64::from_le_bytes(text) ^ all(b'0')
}

/// How many of eight values are digits, up to the first that is none.
#[inline]
pub(super) const fn digits(values: u64) -> u32 {
    let marks = (values.wrapping_add(all(0x76)) | values) & all(0x80);
    marks.trailing_zeros() / 8
}

/// The number that the first `count` of eight digits are, zero to eight. What is behind them may be anything.
#[inline]
pub(super) const fn number(values: u64, count: u32) -> u64 {
    // Shifted to the end, with zeros in front. In two steps, for a count of zero.
    eight_digits(values << (4 * (8 - count)) << (4 * (8 - count)))
}

/// The number that eight digits are: pairs first, then fours and eights at once.
#[inline]
const fn eight_digits(values: u64) -> u64 {
    let pairs = values.wrapping_mul(10).wrapping_add(values >> 8);
    let odd = (pairs & 0x0000_00ff_0000_00ff).wrapping_mul(100 + (1_000_000 << 32));
    let even = ((pairs >> 16) & 0x0000_00ff_0000_00ff).wrapping_mul(1 + (10_000 << 32));
    odd.wrapping_add(even) >> 32
}

/// Length of the text in front of the first quote, backslash or control character; 8: there is none here.
#[inline]
pub(super) const fn plain(text: [u8; 8]) -> u32 {
    let text = u64::from_le_bytes(text);
    let (quote, slash) = (text ^ all(b'"'), text ^ all(b'\\'));
    let marks = (quote.wrapping_sub(all(1)) & !quote)
        | (slash.wrapping_sub(all(1)) & !slash)
        | (text.wrapping_sub(all(0x20)) & !text);
    (marks & all(0x80)).trailing_zeros() / 8
}

/// How the decimal numbers of a list mostly look: how many digits before the point, how many behind it.
///
/// Where a number ends would be known only after its bytes were looked at, and then what follows it has to wait. That it ends
/// where the one before ended is a guess the processor can go on with, and nearly always right.
#[derive(Clone, Copy, Debug, Default)]
pub struct Shape {
    /// Bytes of the text, at most eight; 0: none is known.
    length: usize,
    /// What has to be subtracted without borrowing: a zero from every digit, a point from the point.
    pattern: u64,
    /// What carries into the mark of a byte that is too large.
    limits: u64,
    /// The marks that count.
    marks: u64,
    /// Bytes before the point.
    whole: u64,
    /// Bits from the last digit to the end.
    up: u32,
    /// Digits behind the point.
    places: u32,
    /// The last number had another shape.
    missed: bool,
}

impl Shape {
    /// The shape of a decimal number. Of those with a sign or more than eight bytes there is none.
    pub(super) fn of(number: &[u8]) -> Self {
        let length = number.len();
        if length == 0 || length > 8 || number[0] == b'-' {
            return Self::default();
        }
        let point = number.iter().position(|b| *b == b'.');
        let (mut pattern, mut limits, mut marks) = ([0; 8], [0; 8], [0; 8]);
        for (at, byte) in number.iter().enumerate() {
            (pattern[at], limits[at], marks[at]) = if *byte == b'.' { (b'.', 0x7f, 0x80) } else { (b'0', 0x76, 0x80) };
        }
        let digits = length - usize::from(point.is_some());
        let bits = |bytes: usize| u32::try_from(8 * bytes).unwrap_or(0);
        Self {
            length,
            pattern: u64::from_le_bytes(pattern),
            limits: u64::from_le_bytes(limits),
            marks: u64::from_le_bytes(marks),
            whole: point.map_or(u64::MAX, |at| !(u64::MAX << bits(at))),
            up: bits(8 - digits),
            places: point.map_or(0, |at| bits(length - at - 1) / 8),
            missed: false,
        }
    }

    /// A number came that has this shape.
    #[inline]
    pub(super) const fn met(&mut self) {
        self.missed = false;
    }

    /// A number came that has another shape. Of the second one in turn the shape is taken.
    pub(super) fn missed(&mut self, number: &[u8]) {
        if self.length == 0 || self.missed {
            *self = Self::of(number);
        } else {
            self.missed = true;
        }
    }

    /// Bytes of a number of this shape.
    #[inline]
    pub(super) const fn length(&self) -> usize {
        self.length
    }

    /// The number that begins with this text, if it has this shape; what follows it has still to be looked at.
    #[inline]
    pub(super) fn read(&self, text: [u8; 8]) -> Option<Decimal> {
        let values = u64::from_le_bytes(text) ^ self.pattern;
        if self.length == 0 || (values.wrapping_add(self.limits) | values) & self.marks != 0 {
            return None;
        }
        // Without the point, and moved to the end.
        let digits = ((values & self.whole) | ((values >> 8) & !self.whole)) << self.up;
        // Zeros behind the point at the end do not count.
        let zeros = (digits.leading_zeros() / 8).min(self.places);
        let [scale, ..] = (self.places - zeros).to_le_bytes();
        // In two steps: all eight may be zeros.
        let digits = digits << (4 * zeros) << (4 * zeros);
        Some(Decimal { mantissa: eight_digits(digits).cast_signed(), scale })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::session::Scan;
    use proptest::prelude::*;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(4_096))]
        #[test]
        fn eight_bytes_are_read_as_one_by_one(text in prop_oneof![
            any::<[u8; 8]>(),
            prop::array::uniform8(b'+'..=b'<'),
            prop::array::uniform8(prop_oneof![b'0'..=b'9', b'0'..=b'9', b'0'..=b'9', any::<u8>()]),
            prop::array::uniform8(prop_oneof![b' '..=b'~', b' '..=b'~', any::<u8>(), Just(b'"'), Just(b'\\'), Just(0x1f)]),
        ]) {
            let count = text.iter().take_while(|b| b.is_ascii_digit()).count();
            prop_assert_eq!(digits(values(text)) as usize, count);
            for some in 0..=count {
                let want = text[..some].iter().fold(0, |n, b| n * 10 + u64::from(b - b'0'));
                prop_assert_eq!(number(values(text), u32::try_from(some).unwrap()), want);
            }
            let length = text.iter().take_while(|b| !matches!(b, b'"' | b'\\' | 0..=0x1f)).count();
            prop_assert_eq!(plain(text) as usize, length);
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(4_096))]
        /// Whatever shape is expected, a number is read as without any, and what is no number is refused as without any.
        #[test]
        fn a_shape_changes_nothing_but_time(
            texts in prop::collection::vec(prop_oneof![
                "[0-9]{1,9}",
                "[0-9]{1,7}\\.[0-9]{1,7}",
                "[0-9]{0,2}\\.?0{0,4}[0-9]?0{0,3}",
                "-?[0-9]{1,3}\\.[0-9]{1,12}",
                "[0-9.]{1,8}[ -~]?",
            ], 1..8),
            tail in "[ -!#-~]{0,12}",
        ) {
            let mut shape = Shape::default();
            for text in &texts {
                // The second time in turn its shape is taken, the third time used.
                for _ in 0..3 {
                    let quoted = format!("\"{text}\"{tail}");
                    let (mut with, mut without) = (Scan::new(quoted.as_bytes()), Scan::new(quoted.as_bytes()));
                    let (ours, theirs) = (with.decimal_like(&mut shape), without.decimal());
                    prop_assert_eq!(ours, theirs, "{}", &quoted);
                    if theirs.is_some() {
                        prop_assert_eq!(with.raw(), without.raw());
                        prop_assert_eq!(with.peek(), without.peek());
                    }
                }
            }
        }
    }
}
