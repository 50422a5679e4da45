//! Digits and ends of strings, eight bytes at once.
//!
//! Eight bytes of text are one integer whose lowest byte comes first. Marks are the highest bits of bytes; of several marks
//! only the lowest is meant, since a borrow or a carry may set those above it wrongly.

/// This byte, eight times.
pub(super) const fn all(byte: u8) -> u64 {
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
pub(super) const fn eight_digits(values: u64) -> u64 {
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

/// Eight times the place of the first byte that has neither the bit 0x10 nor 0x08, as a quote; 64: there is none here. Digits have the
/// first, the point has the second: in front of it stands a decimal number, or what is none.
#[inline]
pub(super) const fn end(text: [u8; 8]) -> u32 {
    let text = u64::from_le_bytes(text);
    let marks = !(text | (text >> 1)) & all(0x08);
    marks.trailing_zeros() & !7
}

#[cfg(test)]
mod tests {
    use super::*;
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
            // A number and its quote are told apart, and nothing in front of a quote is taken for one.
            let number = text.iter().take_while(|b| b.is_ascii_digit() || **b == b'.').count();
            prop_assert!(end(text) <= 64 && end(text).is_multiple_of(8));
            prop_assert!(end(text) as usize >= 8 * number);
            prop_assert!(text.get(number) != Some(&b'"') || end(text) as usize == 8 * number);
        }
    }
}
