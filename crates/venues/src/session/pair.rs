//! Levels of order books, `["83135.50","2.699"]`, read a pair at once.
//!
//! Numbers of a list have as many places behind the point as those before, nearly always. So the end of a number is looked for, its
//! digits are moved to the end of eight bytes, and the point has its place. Prices mostly have the length of the one before, too:
//! that is a guess the processor can go on with, while what follows a quantity has to wait until its end is found.

use super::decimal::EXACT;
use super::eight::{all, digits, eight_digits, end, number, values};
use super::scan::TENS;
use crate::session::Decimal;

/// Bytes that are looked at for a pair: two numbers of at most eight, and seven around them.
const PAIR: usize = 23;
/// Those behind the price.
const REST: usize = 13;

/// How numbers end: with so many digits behind the point, or without one.
#[derive(Clone, Copy, Debug)]
struct Ending {
    /// Eight times the fewest bytes such a number has; more than there are: nothing is known.
    bits_min: u32,
    /// What is left of a point once a zero was subtracted without borrowing, at its place.
    point: u64,
    /// What carries into the mark of a byte that is too large.
    limits: u64,
    /// Bytes before the point; the others.
    whole: u64,
    fraction: u64,
    /// Digits behind the point, and ten to the power of them.
    places: u32,
    tens: f64,
    /// The last number ended in another way.
    missed: bool,
}

/// How the pairs of a message looked of late.
#[derive(Clone, Copy, Debug, Default)]
pub struct Pairs {
    price: Ending,
    qty: Ending,
    /// Eight times the length of the last price that ended like those before; 0: there was none.
    price_bits: u32,
}

/// A pair, and how many bytes it has.
pub(super) type Read = (Decimal, f64, usize);

impl Default for Ending {
    /// None is known: whatever stands in a text, it is marked.
    fn default() -> Self {
        Self {
            bits_min: u32::MAX,
            point: 0,
            limits: all(0x80),
            whole: 0,
            fraction: 0,
            places: 0,
            tens: 1.0,
            missed: false,
        }
    }
}

impl Ending {
    /// That of a decimal number.
    fn of(text: &[u8]) -> Self {
        let Some(point) = text.iter().position(|c| *c == b'.') else {
            return Self { bits_min: 8, limits: all(0x76), fraction: u64::MAX, ..Self::default() };
        };
        let places = text.len() - point - 1;
        let (1..=6, Ok(count)) = (places, u32::try_from(places)) else { return Self::default() };
        let at = 8 * (7 - count);
        let whole = (1 << at) - 1;
        Self {
            // A digit stands on either side of a point.
            bits_min: 8 * (count + 2),
            point: u64::from(b'0' ^ b'.') << at,
            limits: all(0x76) + (9 << at),
            whole,
            fraction: !whole,
            places: count,
            tens: EXACT[places],
            missed: false,
        }
    }

    /// A number came that may end in another way. Of the second one in turn the ending is taken.
    fn missed(&mut self, text: &[u8]) {
        if self.bits_min == u32::MAX || self.missed {
            *self = Self::of(text);
        } else {
            self.missed = true;
        }
    }

    /// Values of the digits of a text of so many bits, moved to the end, with zeros in front and in the place of the point.
    #[inline]
    const fn values(&self, text: [u8; 8], bits: u32) -> u64 {
        values(text).wrapping_shl(bits.wrapping_neg()) ^ self.point
    }

    /// Not zero where these values are none of a number that ends like this.
    #[inline]
    const fn misfit(&self, values: u64) -> u64 {
        (values.wrapping_add(self.limits) | values) & all(0x80)
    }

    /// Without the point.
    #[inline]
    const fn digits(&self, values: u64) -> u64 {
        (values & self.fraction) | ((values & self.whole) << 8)
    }

    /// The number that values are.
    #[inline]
    fn decimal(&self, values: u64) -> Decimal {
        let digits = self.digits(values);
        // Zeros behind the point at the end do not count.
        let zeros = ((digits | 1).leading_zeros() / 8).min(self.places);
        let [scale, ..] = (self.places - zeros).to_le_bytes();
        Decimal { mantissa: eight_digits(digits << (8 * zeros)).cast_signed(), scale }
    }

    /// As [`Self::decimal`], the nearest `f64`: both operands are exact, so the quotient is correctly rounded, with zeros at the
    /// end or without.
    #[inline]
    #[expect(clippy::cast_precision_loss, reason = "eight digits")]
    fn float(&self, values: u64) -> f64 {
        eight_digits(self.digits(values)).cast_signed() as f64 / self.tens
    }
}

impl Pairs {
    /// The pair at the beginning of a text, if it looks like those before and has a price as long as the last one.
    #[inline(always)]
    pub(super) fn usual(&self, text: &[u8; PAIR]) -> Option<Read> {
        // At most eight, which the compiler does not know. Without a known length no digit is allowed at all.
        let middle = 2 + (self.price_bits as usize / 8).min(8);
        let values = self.price.values(*text[2..].first_chunk()?, self.price_bits);
        let begin = u16::from_le_bytes(*text.first_chunk()?) ^ u16::from_le_bytes(*b"[\"");
        let (qty, length) =
            self.qty_behind(text[middle..].first_chunk()?, self.price.misfit(values) | u64::from(begin))?;
        Some((self.price.decimal(values), qty, middle + length))
    }

    /// The same with a price of another length, or so near the end of the text that less than a whole window is left.
    pub(super) fn unusual(&mut self, text: &[u8]) -> Option<Read> {
        let window = window(text);
        let price_bits = end(*window[2..].first_chunk()?);
        if price_bits < self.price.bits_min {
            return None;
        }
        let read = (Self { price_bits, ..*self }).usual(&window);
        if read.is_some() {
            self.price_bits = price_bits;
        }
        let read = read.or_else(|| self.long(text))?;
        self.met();
        Some(read)
    }

    /// The same with a price of nine to fifteen bytes, as those above 100,000 are.
    fn long(&self, text: &[u8]) -> Option<Read> {
        let lead = end(*text.get(10..)?.first_chunk()?) / 8;
        let middle = 10 + lead as usize;
        let leading = values(*text.get(2..)?.first_chunk()?);
        if !(1..8).contains(&lead) || digits(leading) < lead || !text.starts_with(b"[\"") {
            return None;
        }
        let values = self.price.values(*text.get(middle - 8..)?.first_chunk()?, 64);
        let (qty, length) = self.qty_behind(text.get(middle..)?.first_chunk()?, self.price.misfit(values))?;
        let last = self.price.decimal(values);
        // Digits of the last eight bytes that are left once zeros at the end are gone.
        let kept = 8 - u32::from(self.price.point != 0) - (self.price.places - u32::from(last.scale));
        let lead = number(leading, lead) * TENS[kept as usize & 15];
        Some((Decimal { mantissa: lead.cast_signed() + last.mantissa, ..last }, qty, middle + length))
    }

    /// The quantity behind a price, and how far it is to the end of the pair. The one decision about a whole pair: `odd` is what
    /// did not fit before the quantity, and has to be nothing.
    #[inline(always)]
    fn qty_behind(&self, text: &[u8; REST], odd: u64) -> Option<(f64, usize)> {
        let qty = *text[3..].first_chunk()?;
        let bits = end(qty);
        let values = self.qty.values(qty, bits);
        let end = 3 + (bits as usize / 8).min(8);
        let between = u32::from_le_bytes(*text.first_chunk()?) ^ u32::from_le_bytes(*b"\",\"\0");
        let behind = u16::from_le_bytes(*text[end..].first_chunk()?) ^ u16::from_le_bytes(*b"\"]");
        let odd = odd | self.qty.misfit(values) | u64::from(between << 8) | u64::from(behind);
        (odd == 0 && bits >= self.qty.bits_min).then(|| (self.qty.float(values), end + 2))
    }

    /// Such pairs came.
    #[inline]
    pub(super) const fn met(&mut self) {
        (self.price.missed, self.qty.missed) = (false, false);
    }

    /// These numbers came, which could not be read like those before.
    pub(super) fn missed(&mut self, price: &[u8], qty: &[u8]) {
        self.price.missed(price);
        self.qty.missed(qty);
        self.price_bits = 0;
    }
}

/// The beginning of a text, with zeros behind its end, where nothing of a pair can stand.
#[inline]
fn window(text: &[u8]) -> [u8; PAIR] {
    text.first_chunk().copied().unwrap_or_else(|| {
        let mut window = [0; PAIR];
        window[..text.len()].copy_from_slice(text);
        window
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::session::Scan;
    use proptest::prelude::*;

    /// A pair by the slow way.
    fn pair_of(scan: &mut Scan<'_>) -> Option<(Decimal, f64)> {
        scan.eat(b'[')?;
        let price = scan.decimal()?;
        scan.eat(b',')?;
        let qty = scan.decimal()?;
        scan.eat(b']')?;
        Some((price, qty.to_f64()))
    }

    /// A list of pairs and something behind it. `None`: it is none.
    fn read(text: &[u8], pairs: &mut Pairs, fast: bool) -> (Option<()>, Vec<(Decimal, u64)>, Option<u8>) {
        let (mut scan, mut all) = (Scan::new(text), Vec::new());
        let done = scan.array(|scan| {
            let known = all.len();
            if fast && scan.pairs_like(pairs, |price, qty| all.push((price, qty.to_bits()))) {
                assert!(all.len() > known, "something was read");
                return Some(());
            }
            let (price, qty) = if fast { scan.pair(pairs)? } else { pair_of(scan)? };
            all.push((price, qty.to_bits()));
            Some(())
        });
        (done, all, scan.peek())
    }

    /// Both ways say the same of a list. Where the slow way refuses it, so does the fast one.
    fn check(text: &str, pairs: &mut Pairs) {
        let (fast, slow) = (read(text.as_bytes(), pairs, true), read(text.as_bytes(), pairs, false));
        assert_eq!(fast.0, slow.0, "{text}");
        if slow.0.is_some() {
            assert_eq!((fast.1, fast.2), (slow.1, slow.2), "{text}");
        }
    }

    fn list(pairs: &[(String, String)], tail: &str) -> String {
        let pairs: Vec<_> = pairs.iter().map(|(price, qty)| format!("[\"{price}\",\"{qty}\"]")).collect();
        format!("[{}]{tail}", pairs.join(","))
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(8_192))]
        /// Whatever came before, pairs are read as one by one, and what is none is refused as one by one.
        #[test]
        fn pairs_are_read_as_one_by_one(
            lists in prop::collection::vec((prop::collection::vec((
                prop_oneof!["[0-9]{1,8}\\.?[0-9]{0,4}0{0,4}", "[0-9]{5}\\.[0-9]0", "[0-9]{4,7}\\.[0-9]0", "[0-9.-]{0,16}"],
                prop_oneof!["[0-9]{1,8}\\.?[0-9]{0,3}", "[0-9]{1,4}\\.[0-9]{3}", "[0-9]{0,2}\\.[0-9]{3}", "[ -!#-\\[\\]-~]{0,9}", "[0-9.-]{0,16}"],
            ), 1..5), "[!-~]{0,30}"), 1..6),
        ) {
            let mut pairs = Pairs::default();
            for (all, tail) in &lists {
                // The second time in turn an ending is taken, the third time used.
                let thrice: Vec<_> = all.iter().flat_map(|p| [p.clone(), p.clone(), p.clone()]).collect();
                check(&list(&thrice, tail), &mut pairs);
                check(&list(all, tail), &mut pairs);
            }
        }

        /// One byte is another one.
        #[test]
        fn a_wrong_byte_is_seen(
            all in prop::collection::vec(("[0-9]{4,6}\\.[0-9]0", "[0-9]{1,4}\\.[0-9]{3}"), 3..6),
            at in any::<prop::sample::Index>(),
            byte in prop_oneof![0_u8..=0x7f, b'!'..=b'?', Just(b'"'), Just(b'.')],
        ) {
            let mut pairs = Pairs::default();
            let right = list(&all, "                        ");
            check(&right, &mut pairs);
            check(&right, &mut pairs);
            let mut wrong = right.into_bytes();
            let at = at.index(wrong.len());
            wrong[at] = byte;
            check(std::str::from_utf8(&wrong).unwrap(), &mut pairs);
        }
    }

    #[test]
    fn numbers_without_a_digit_beside_the_point_are_refused() {
        let mut pairs = Pairs::default();
        let good = ("83135.50".to_owned(), "2.699".to_owned());
        check(&list(&[good.clone(), good.clone(), good.clone()], &" ".repeat(24)), &mut pairs);
        for bad in [".699", "699", "", "1234567/", "12345678901", "1.2.699", "2.69", "2.6990", "-2.699", "a.699"] {
            for pair in [(good.0.clone(), bad.to_owned()), (bad.to_owned(), good.1.clone())] {
                check(&list(&[good.clone(), pair], &" ".repeat(24)), &mut pairs);
            }
        }
    }

    #[test]
    fn a_price_that_is_missing_is_refused_whatever_came_before() {
        for before in ["0.5161000", "5", "5.50", "123456.50", "."] {
            let [known, missing] = [before, ""].map(|price| (price.to_owned(), "132.007".to_owned()));
            let mut pairs = Pairs::default();
            check(&list(&[known.clone(), known.clone(), known, missing], &" ".repeat(24)), &mut pairs);
        }
    }

    #[test]
    fn a_pair_at_the_end_of_a_text_is_read_like_any_other() {
        for (pair, behind) in
            [(r#"["3456.78","1.234"]"#, "]]}}"), (r#"["3456.78","1.234"]"#, ""), (r#"["7","1"]"#, "]")]
        {
            let mut pairs = Pairs::default();
            for known in 0..3 {
                let text = format!("{pair}{behind}");
                let read = pairs.unusual(text.as_bytes());
                assert_eq!(
                    read.map(|(.., length)| length),
                    (known > 0).then_some(pair.len()),
                    "{text}, {known} before"
                );
                let numbers: Vec<_> = pair.split('"').collect();
                if read.is_none() {
                    pairs.missed(numbers[1].as_bytes(), numbers[3].as_bytes());
                }
                for cut in 0..pair.len() {
                    assert_eq!(pairs.unusual(&pair.as_bytes()[..cut]), None, "{} is cut off", &pair[..cut]);
                }
            }
        }
    }

    /// Of odd ones far apart none becomes the rule, whichever way the usual ones between them were read.
    #[test]
    fn odd_pairs_count_only_in_turn() {
        let text = |price: &str, qty: &str| list(&[(price.to_owned(), qty.to_owned())], &" ".repeat(24));
        for usual in ["83135.50", "103135.50"] {
            let mut pairs = Pairs::default();
            let (usual, odd) = (text(usual, "2.699"), text(usual, "2.69"));
            check(&usual, &mut pairs);
            for _ in 0..3 {
                check(&odd, &mut pairs);
                check(&usual, &mut pairs);
                assert!(pairs.unusual(&usual.as_bytes()[1..]).is_some(), "{usual} is read at once");
            }
        }
    }

    #[test]
    fn numbers_of_up_to_fifteen_bytes_are_read_at_once() {
        for price in [
            "2.699",
            "83135.50",
            "103135.50",
            "12345.678",
            "7",
            "1234567.00000",
            "12345678.123456",
            "1234567890",
            "123456789012345",
        ] {
            for qty in ["2.699", "1234.567", "7", "12345678", "0.000", "1.00"] {
                let text = list(&vec![(price.to_owned(), qty.to_owned()); 4], &" ".repeat(24));
                let mut pairs = Pairs::default();
                check(&text, &mut pairs);
                let read = pairs.unusual(&text.as_bytes()[1..]);
                let want =
                    (Decimal::parse(price.as_bytes()).unwrap(), qty.parse().unwrap(), price.len() + qty.len() + 7);
                assert_eq!(read, Some(want), "{price} {qty}");
            }
        }
    }
}
