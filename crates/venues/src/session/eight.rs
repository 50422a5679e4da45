//! Digits and ends of strings, eight bytes at once.
//!
//! Eight bytes of text are one integer whose lowest byte comes first. Marks are the highest bits of bytes; of several marks
//! only the lowest is meant, since a borrow or a carry may set those above it wrongly.

use super::decimal::EXACT;
use super::scan::TENS;
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

/// The lowest bytes, so many of eight.
#[inline]
const fn lowest(bytes: u32) -> u64 {
    if bytes < 8 { !(u64::MAX << (8 * bytes)) } else { u64::MAX }
}

/// How the decimal numbers of a list mostly look: how many digits before the point, how many behind it. What is longer than eight
/// bytes has digits in front of the last eight, as prices above 100,000 have.
///
/// Where a number ends would be known only after its bytes were looked at, and then what follows it has to wait. That it ends
/// where the one before ended is a guess the processor can go on with, and nearly always right.
#[derive(Clone, Copy, Debug)]
pub struct Shape {
    /// Bytes of the text, at most fifteen; 0: none is known.
    length: u32,
    /// Digits in front of the last eight bytes, which what follows is about; at most seven.
    lead: u32,
    /// What has to be subtracted without borrowing: a zero from every digit, a point from the point.
    pattern: u64,
    /// What carries into the mark of a byte that is too large.
    limits: u64,
    /// The marks that count.
    marks: u64,
    /// The limits behind leading digits, where all marks count. Those above refuse everything then: who reads eight bytes of each
    /// number need not ask how long it is.
    limits_behind: u64,
    /// Bytes before the point, and from there on.
    whole: u64,
    fraction: u64,
    /// Bits from the last digit to the end.
    up: u32,
    /// Digits behind the point, at most six.
    places: u32,
    /// Ten to the power of them.
    tens: f64,
    /// The last number had another shape.
    missed: bool,
}

impl Default for Shape {
    /// None is known: whatever the first byte is, it is marked.
    fn default() -> Self {
        Self {
            length: 0,
            lead: 0,
            pattern: 0,
            limits: 0x80,
            marks: 0x80,
            limits_behind: 0,
            whole: 0,
            fraction: 0,
            up: 0,
            places: 0,
            tens: 1.0,
            missed: false,
        }
    }
}

impl Shape {
    /// The shape of the number at the beginning of a text, if it is one of at most fifteen bytes with a quote behind it. Whether
    /// it is says [`Self::read`].
    #[inline]
    pub(super) fn of(text: &[u8]) -> Self {
        match text.first_chunk() {
            Some(first) if plain(*first) < 8 || text.get(8) == Some(&b'"') => Self::of_eight(*first),
            _ => Self::of_long(text),
        }
    }

    #[inline(never)]
    fn of_long(text: &[u8]) -> Self {
        let lead = text.get(8..).and_then(<[u8]>::first_chunk).map_or(8, |rest| plain(*rest));
        let last = text.get(lead as usize..).and_then(<[u8]>::first_chunk);
        match last.map(|last| Self::of_eight(*last)) {
            Some(last) if lead < 8 && last.length == 8 => {
                let (nothing, limits_behind) = (Self::default(), last.limits);
                Self { length: 8 + lead, lead, limits_behind, limits: nothing.limits, marks: nothing.marks, ..last }
            }
            _ => Self::default(),
        }
    }

    #[inline]
    fn of_eight(text: [u8; 8]) -> Self {
        let length = plain(text);
        let dots = u64::from_le_bytes(text) ^ all(b'.');
        let point = ((dots.wrapping_sub(all(1)) & !dots) & all(0x80)).trailing_zeros() / 8;
        let has_point = point < length;
        // A digit stands on either side of a point.
        if length == 0 || (has_point && (point == 0 || point + 1 == length)) {
            return Self::default();
        }
        let kept = lowest(length);
        let dot = if has_point { 1 << (8 * point) } else { 0 };
        let places = if has_point { length - point - 1 } else { 0 };
        let whole = if has_point { lowest(point) } else { u64::MAX };
        Self {
            length,
            lead: 0,
            pattern: (all(b'0') ^ (dot * u64::from(b'0' ^ b'.'))) & kept,
            limits: (all(0x76) + dot * 9) & kept,
            marks: all(0x80) & kept,
            limits_behind: 0,
            whole,
            fraction: !whole,
            up: 8 * (8 - length + u32::from(has_point)),
            places,
            tens: EXACT[places as usize & 7],
            missed: false,
        }
    }

    /// A number came that has this shape.
    #[inline]
    pub(super) const fn met(&mut self) {
        self.missed = false;
    }

    /// A number came that has another shape. Of the second one in turn the shape is taken.
    #[inline]
    pub(super) const fn missed(&mut self, other: Self) {
        if self.length == 0 || self.missed {
            *self = other;
        } else {
            self.missed = true;
        }
    }

    /// Bytes of a number of this shape.
    #[inline]
    pub(super) const fn length(&self) -> usize {
        self.length as usize
    }

    /// The number that begins with this text, if it has this shape without leading digits; what follows it has still to be looked
    /// at.
    #[inline]
    pub(super) const fn read(&self, text: [u8; 8]) -> Option<Decimal> {
        let values = self.values(text);
        if self.misfit(values) == 0 { Some(self.decimal(values)) } else { None }
    }

    /// The same with leading digits.
    pub(super) fn read_long(&self, text: &[u8]) -> Option<Decimal> {
        if self.lead == 0 {
            return None;
        }
        let leading = values(*text.first_chunk()?);
        let behind = self.values(*text.get(self.lead as usize..)?.first_chunk()?);
        let odd = (behind.wrapping_add(self.limits_behind) | behind) & all(0x80);
        if odd != 0 || digits(leading) < self.lead {
            return None;
        }
        let last = self.decimal(behind);
        // Digits of the last eight bytes that are left once zeros at the end are gone.
        let kept = 8 - self.up / 8 - (self.places - u32::from(last.scale));
        let lead = number(leading, self.lead) * TENS[kept as usize & 15];
        Some(Decimal { mantissa: lead.cast_signed() + last.mantissa, ..last })
    }

    /// Digits of the text as values, if it has this shape.
    #[inline]
    pub(super) const fn values(&self, text: [u8; 8]) -> u64 {
        u64::from_le_bytes(text) ^ self.pattern
    }

    /// Not zero where these values are not of this shape.
    #[inline]
    pub(super) const fn misfit(&self, values: u64) -> u64 {
        (values.wrapping_add(self.limits) | values) & self.marks
    }

    /// The number that values of this shape are.
    #[inline]
    pub(super) const fn decimal(&self, values: u64) -> Decimal {
        let digits = self.moved(values);
        // Zeros behind the point at the end do not count. There are fewer places than the seven bytes that are seen of nothing.
        let zeros = (digits | 1).leading_zeros() / 8;
        let zeros = if zeros < self.places { zeros } else { self.places };
        let [scale, ..] = (self.places - zeros).to_le_bytes();
        Decimal { mantissa: eight_digits(digits << (8 * zeros)).cast_signed(), scale }
    }

    /// As [`Self::decimal`], the nearest `f64`: both operands are exact, so the quotient is correctly rounded, with zeros at the
    /// end or without.
    #[inline]
    #[expect(clippy::cast_precision_loss, reason = "eight digits")]
    pub(super) const fn float(&self, values: u64) -> f64 {
        eight_digits(self.moved(values)).cast_signed() as f64 / self.tens
    }

    /// Without the point, and moved to the end.
    #[inline]
    const fn moved(&self, values: u64) -> u64 {
        ((values & self.whole) | ((values >> 8) & self.fraction)) << (self.up & 63)
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
                "[0-9]{1,17}",
                "[0-9]{1,7}\\.[0-9]{1,7}",
                "[0-9]{1,12}\\.[0-9]{1,7}",
                "[0-9]{6,7}\\.[0-9]0{0,2}",
                "[0-9]{0,2}\\.?0{0,4}[0-9]?0{0,3}",
                "-?[0-9]{1,3}\\.[0-9]{1,12}",
                "[0-9.]{1,16}[ -~]?",
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

    /// A pair by the slow way.
    fn pair_of(scan: &mut Scan<'_>) -> Option<(Decimal, f64)> {
        scan.eat(b'[')?;
        let price = scan.decimal()?;
        scan.eat(b',')?;
        let qty = scan.decimal()?;
        scan.eat(b']')?;
        Some((price, qty.to_f64()))
    }

    /// What the fast way gives for the last of some pairs; where it gives something, the slow way gives the same.
    fn last_of(pairs: &[(String, String)], tail: &str) -> Option<(Decimal, f64)> {
        let (mut shapes, mut last) = ((Shape::default(), Shape::default()), None);
        for (price, qty) in pairs {
            let text = format!("[\"{price}\",\"{qty}\"]{tail}");
            let (mut fast, mut slow) = (Scan::new(text.as_bytes()), Scan::new(text.as_bytes()));
            last = fast.pair_like(&mut shapes);
            match last {
                Some(ours) => {
                    let theirs = pair_of(&mut slow);
                    assert_eq!(theirs.map(|(p, q)| (p, q.to_bits())), Some((ours.0, ours.1.to_bits())), "{text}");
                    assert_eq!(fast.peek(), slow.peek(), "{text}");
                }
                None => {
                    let mut one_by_one = || {
                        slow.eat(b'[')?;
                        slow.decimal_like(&mut shapes.0)?;
                        slow.eat(b',')?;
                        slow.decimal_like(&mut shapes.1)
                    };
                    one_by_one();
                }
            }
        }
        last
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(4_096))]
        /// As above, for both numbers at once.
        #[test]
        fn a_pair_is_read_as_one_by_one(
            pairs in prop::collection::vec(("[0-9]{1,8}\\.?[0-9]{0,4}0{0,4}", "[0-9]{1,8}\\.?[0-9]{0,3}|[0-9.-]{1,16}"), 1..6),
            tail in "[ -~]{0,40}",
        ) {
            let thrice: Vec<_> = pairs.into_iter().flat_map(|p| [p.clone(), p.clone(), p]).collect();
            last_of(&thrice, &tail);
        }
    }

    #[test]
    fn numbers_of_up_to_fifteen_digits_have_a_shape() {
        for text in ["2.699", "83135.50", "103135.50", "12345.678", "1234567890", "1234567.00000", "12345678.123456"] {
            let quoted = format!("{text}\"{}", " ".repeat(16));
            let shape = Shape::of(quoted.as_bytes());
            assert_eq!(shape.length(), text.len(), "{text}");
            let short = quoted.as_bytes().first_chunk().and_then(|t| shape.read(*t));
            let read = short.or_else(|| shape.read_long(quoted.as_bytes()));
            assert_eq!(read, Decimal::prefix(text.as_bytes()).map(|(d, _)| d), "{text}");
        }
        let pair = ("83135.50".to_owned(), "2.699".to_owned());
        assert!(last_of(&[pair.clone(), pair.clone(), pair], &" ".repeat(40)).is_some());
    }
}
