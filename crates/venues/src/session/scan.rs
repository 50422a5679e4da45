//! Reading hot JSON messages without allocation, in one pass.
//!
//! A [`Scan`] walks over compact JSON as venues send it: no blanks between tokens, no escapes in the strings that are read.
//! It is strict: whatever it steps over has to be well-formed JSON (numbers, nesting, commas), and whatever it hands out is
//! of the asked type, else it says `None`. `None` means "not plain", not "wrong": the caller then has the message brought
//! into plain form by [`plain`], which reads it with `serde_json`, and scans that. So blanks, escapes and odd spellings cost
//! time and nothing else, and only one piece of code interprets messages. Measured against serde_json, simd-json and
//! sonic-rs in `benches/decode.rs`; numbers in ADR 0010.

use super::eight;
use super::pair::Pairs;
use crate::session::Decimal;

/// Powers of ten of up to eight digits; what is behind them is never asked for.
pub(super) const TENS: [u64; 16] =
    [1, 10, 100, 1_000, 10_000, 100_000, 1_000_000, 10_000_000, 100_000_000, 0, 0, 0, 0, 0, 0, 0];

/// Deepest nesting that is stepped over; venues use five.
const DEPTH_MAX: u32 = 32;

/// A place in a message.
#[derive(Clone, Copy, Debug)]
pub struct Scan<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Scan<'a> {
    /// At the beginning of `bytes`.
    #[must_use]
    pub fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, at: 0 }
    }

    /// The next byte, without taking it.
    #[inline]
    #[must_use]
    pub fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    /// Takes this byte, which has to be there.
    #[inline]
    pub fn eat(&mut self, byte: u8) -> Option<()> {
        (self.peek()? == byte).then(|| self.at += 1)
    }

    /// `Some` at the end of the message.
    #[inline]
    #[must_use]
    pub fn end(&self) -> Option<()> {
        (self.at == self.bytes.len()).then_some(())
    }

    /// An object: `field` is called with every key, and takes its value.
    #[inline]
    pub fn object(&mut self, mut field: impl FnMut(&'a [u8], &mut Self) -> Option<()>) -> Option<()> {
        self.eat(b'{')?;
        if self.peek()? == b'}' {
            self.at += 1;
            return Some(());
        }
        loop {
            let key = self.string()?;
            self.eat(b':')?;
            field(key, self)?;
            match self.peek()? {
                b',' => self.at += 1,
                b'}' => {
                    self.at += 1;
                    return Some(());
                }
                _ => return None,
            }
        }
    }

    /// The values of these keys of an object: strings without their quotes, which have no escapes, all else as it stands; empty
    /// where there is no such key, and for `null`.
    pub fn fields<const N: usize>(&mut self, keys: [&str; N]) -> Option<[&'a str; N]> {
        let mut found = [""; N];
        self.object(|key, s| {
            let Some(at) = keys.iter().position(|k| k.as_bytes() == key) else { return s.skip() };
            let value = if s.peek()? == b'"' { s.string()? } else { s.raw()? };
            found[at] = core::str::from_utf8(value).ok().filter(|text| *text != "null").unwrap_or_default();
            Some(())
        })?;
        Some(found)
    }

    /// An array: `item` is called in front of every item, and takes it.
    #[inline]
    pub fn array(&mut self, mut item: impl FnMut(&mut Self) -> Option<()>) -> Option<()> {
        self.eat(b'[')?;
        if self.peek()? == b']' {
            self.at += 1;
            return Some(());
        }
        loop {
            item(self)?;
            match self.peek()? {
                b',' => self.at += 1,
                b']' => {
                    self.at += 1;
                    return Some(());
                }
                _ => return None,
            }
        }
    }

    /// A string without escapes.
    #[inline]
    pub fn string(&mut self) -> Option<&'a [u8]> {
        self.eat(b'"')?;
        let start = self.at;
        self.plain()?;
        let text = self.bytes.get(start..self.at)?;
        self.eat(b'"')?;
        Some(text)
    }

    /// Goes on to the next quote, backslash or control character; `None` when there is none.
    #[inline]
    fn plain(&mut self) -> Option<()> {
        loop {
            let rest = self.bytes.get(self.at..)?;
            let Some(next) = rest.first_chunk() else {
                self.at += rest.iter().position(|b| matches!(b, b'"' | b'\\' | 0..=0x1f))?;
                return Some(());
            };
            let length = eight::plain(*next);
            self.at += length as usize;
            if length < 8 {
                return Some(());
            }
        }
    }

    /// A string without escapes; empty for `null`, numbers and what else is none.
    #[inline]
    pub fn text(&mut self) -> Option<&'a [u8]> {
        if self.peek()? == b'"' {
            return self.string();
        }
        self.skip()?;
        Some(b"")
    }

    /// An integer that is not negative, without point or exponent.
    #[inline]
    pub fn unsigned(&mut self) -> Option<u64> {
        let start = self.at;
        let mut n: u64 = 0;
        // Up to sixteen digits at once, which wrap nothing.
        if let Some((high, Some(low))) =
            self.bytes.get(self.at..).and_then(|r| r.split_first_chunk()).map(|(high, rest)| (high, rest.first_chunk()))
        {
            let high = eight::values(*high);
            let count = eight::digits(high);
            n = eight::number(high, count);
            self.at += count as usize;
            if count == 8 {
                let low = eight::values(*low);
                let count = eight::digits(low);
                n = n * TENS[count as usize & 15] + eight::number(low, count);
                self.at += count as usize;
            }
        }
        while let Some(c @ b'0'..=b'9') = self.peek() {
            n = n.checked_mul(10)?.checked_add(u64::from(c - b'0'))?;
            self.at += 1;
        }
        let digits = self.at - start;
        let padded = digits > 1 && self.bytes.get(start) == Some(&b'0');
        let goes_on = matches!(self.peek(), Some(b'.' | b'e' | b'E'));
        (digits > 0 && !padded && !goes_on).then_some(n)
    }

    /// An integer.
    #[inline]
    pub fn integer(&mut self) -> Option<i64> {
        if self.peek()? == b'-' {
            self.at += 1;
            return i64::try_from(self.unsigned()?).ok()?.checked_neg();
        }
        i64::try_from(self.unsigned()?).ok()
    }

    /// `true` or `false`.
    #[inline]
    pub fn boolean(&mut self) -> Option<bool> {
        match self.peek()? {
            b't' => self.word(b"true").map(|()| true),
            _ => self.word(b"false").map(|()| false),
        }
    }

    /// A decimal number in a string: `"83135.50"`.
    #[inline]
    pub fn decimal(&mut self) -> Option<Decimal> {
        self.eat(b'"')?;
        let (decimal, length) = Decimal::prefix(self.bytes.get(self.at..)?)?;
        self.at += length;
        self.eat(b'"')?;
        Some(decimal)
    }

    /// Takes pairs like `["83135.50","2.699"]` with commas between them, as long as they look like those before; true where there
    /// was one. All of a pair is looked at before anything is decided: one branch, which is nearly always the same.
    #[inline]
    pub fn pairs_like(&mut self, pairs: &mut Pairs, mut each: impl FnMut(Decimal, f64)) -> bool {
        let (like, bytes, mut from, start) = (*pairs, self.bytes, self.at, self.at);
        while let Some((price, qty, length)) =
            bytes.get(from..).and_then(<[u8]>::first_chunk).and_then(|text| like.usual(text))
        {
            each(price, qty);
            self.at = from + length;
            if bytes.get(self.at) != Some(&b',') {
                break;
            }
            from = self.at + 1;
        }
        let some = self.at > start;
        if some {
            pairs.met();
        }
        some
    }

    /// A pair that looks otherwise.
    #[inline(never)]
    pub fn pair(&mut self, pairs: &mut Pairs) -> Option<(Decimal, f64)> {
        if let Some((price, qty, length)) = pairs.unusual(self.bytes.get(self.at..)?) {
            self.at += length;
            return Some((price, qty));
        }
        self.eat(b'[')?;
        let (price, price_text) = self.decimal_with_text()?;
        self.eat(b',')?;
        let (qty, qty_text) = self.decimal_with_text()?;
        pairs.missed(price_text, qty_text);
        // Old spot snapshots have a third, empty item.
        while self.peek()? == b',' {
            self.eat(b',')?;
            self.skip()?;
        }
        self.eat(b']')?;
        Some((price, qty.to_f64()))
    }

    fn decimal_with_text(&mut self) -> Option<(Decimal, &'a [u8])> {
        let start = self.at + 1;
        let decimal = self.decimal()?;
        Some((decimal, self.bytes.get(start..self.at - 1)?))
    }

    /// A decimal number in a string or bare, without exponent.
    #[inline]
    pub fn number(&mut self) -> Option<Decimal> {
        if self.peek()? == b'"' {
            return self.decimal();
        }
        let (decimal, length) = Decimal::prefix(self.bytes.get(self.at..)?)?;
        self.at += length;
        (!matches!(self.peek(), Some(b'e' | b'E'))).then_some(decimal)
    }

    fn word(&mut self, word: &[u8]) -> Option<()> {
        self.bytes.get(self.at..)?.starts_with(word).then(|| self.at += word.len())
    }

    /// Steps over a value of any type.
    pub fn skip(&mut self) -> Option<()> {
        self.skip_below(DEPTH_MAX)
    }

    /// Steps over a value and gives its text.
    pub fn raw(&mut self) -> Option<&'a [u8]> {
        let start = self.at;
        self.skip()?;
        self.bytes.get(start..self.at)
    }

    fn skip_below(&mut self, depth: u32) -> Option<()> {
        match self.peek()? {
            b'"' => self.skip_string(),
            b'{' => {
                let depth = depth.checked_sub(1)?;
                self.object(|_, inner| inner.skip_below(depth))
            }
            b'[' => {
                let depth = depth.checked_sub(1)?;
                self.array(|inner| inner.skip_below(depth))
            }
            b't' => self.word(b"true"),
            b'f' => self.word(b"false"),
            b'n' => self.word(b"null"),
            _ => self.skip_number(),
        }
    }

    /// Strings that nobody reads may hold escapes.
    fn skip_string(&mut self) -> Option<()> {
        self.eat(b'"')?;
        loop {
            self.plain()?;
            let c = self.peek()?;
            self.at += 1;
            match c {
                b'"' => return Some(()),
                b'\\' => match self.peek()? {
                    b'u' => {
                        let digits = self.bytes.get(self.at + 1..self.at + 5)?;
                        digits.iter().all(u8::is_ascii_hexdigit).then(|| self.at += 5)?;
                    }
                    b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't' => self.at += 1,
                    _ => return None,
                },
                0..=0x1f => return None,
                _ => {}
            }
        }
    }

    fn digits(&mut self) -> Option<usize> {
        let start = self.at;
        while matches!(self.peek(), Some(b'0'..=b'9')) {
            self.at += 1;
        }
        (self.at > start).then_some(self.at - start)
    }

    fn skip_number(&mut self) -> Option<()> {
        if self.peek()? == b'-' {
            self.at += 1;
        }
        let leading_zero = self.peek()? == b'0';
        if self.digits()? > 1 && leading_zero {
            return None;
        }
        if self.peek() == Some(b'.') {
            self.at += 1;
            self.digits()?;
        }
        if matches!(self.peek(), Some(b'e' | b'E')) {
            self.at += 1;
            if matches!(self.peek(), Some(b'+' | b'-')) {
                self.at += 1;
            }
            self.digits()?;
        }
        Some(())
    }
}

/// The same message without blanks and escapes; `None` when it is not JSON. Allocates: for what [`Scan`] could not read.
#[must_use]
pub fn plain(bytes: &[u8]) -> Option<Vec<u8>> {
    let value: serde_json::Value = serde_json::from_slice(bytes).ok()?;
    serde_json::to_vec(&value).ok()
}

/// The values of these keys of an object, as [`Scan::fields`] gives them.
#[must_use]
pub fn object<'a, const N: usize>(json: &'a str, keys: [&str; N]) -> Option<[&'a str; N]> {
    let mut scan = Scan::new(json.as_bytes());
    let found = scan.fields(keys)?;
    scan.end().map(|()| found)
}

/// Hands over the text of each element of a list. `None`: not such a list, or `element` says so of one.
pub fn elements<'a>(json: &'a str, mut element: impl FnMut(&'a str) -> Option<()>) -> Option<()> {
    let mut scan = Scan::new(json.as_bytes());
    scan.array(|s| element(core::str::from_utf8(s.raw()?).ok()?))?;
    scan.end()
}

/// The elements of a list: strings without their quotes, all else as it stands.
#[must_use]
pub fn list(json: &str) -> Option<Vec<&str>> {
    let mut all = Vec::new();
    elements(json, |element| {
        all.push(element.trim_matches('"'));
        Some(())
    })?;
    Some(all)
}

/// What `read` finds in a message; one that is not plain is brought into plain form first, in `owned`.
pub fn read_plain<'a, T>(
    bytes: &'a [u8],
    owned: &'a mut Option<Vec<u8>>,
    read: impl Fn(&'a [u8]) -> Option<T>,
) -> Option<T> {
    if let Some(found) = read(bytes) {
        return Some(found);
    }
    *owned = plain(bytes);
    owned.as_deref().and_then(read)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn skips(text: &str) -> bool {
        let mut scan = Scan::new(text.as_bytes());
        scan.skip().and_then(|()| scan.end()).is_some()
    }

    #[test]
    fn fields_are_read_in_any_order_and_the_rest_is_stepped_over() {
        let text = br#"{"x":[1,{"y":"a\"b"}],"p":"83135.50","id":18446744073709551615,"m":true,"t":-5,"n":1.5}"#;
        let (mut p, mut id, mut m, mut t, mut n) = (None, None, None, None, None);
        let mut scan = Scan::new(text);
        let read = scan.object(|key, s| {
            match key {
                b"p" => p = Some(s.decimal()?),
                b"id" => id = Some(s.unsigned()?),
                b"m" => m = Some(s.boolean()?),
                b"t" => t = Some(s.integer()?),
                b"n" => n = Some(s.number()?),
                _ => s.skip()?,
            }
            Some(())
        });
        assert_eq!((read, scan.end()), (Some(()), Some(())));
        assert_eq!(p, Decimal::parse(b"83135.5"));
        assert_eq!((id, m, t), (Some(u64::MAX), Some(true), Some(-5)));
        assert_eq!(n, Decimal::parse(b"1.5"));
    }

    #[test]
    fn what_is_not_json_is_not_stepped_over() {
        for good in ["{}", "[]", "[1,-0.5e+3,null,true,false]", r#"{"a":{"b":[[]]}}"#, r#""\u00e9\n""#, "0", "10.0"] {
            assert!(skips(good), "{good}");
        }
        let nested = "[".repeat(40) + &"]".repeat(40);
        let bad = [
            "",
            "{",
            "[1,]",
            "{,}",
            r#"{"a"}"#,
            r#"{"a":}"#,
            "01",
            "1.",
            ".5",
            "-",
            "1e",
            "tru",
            "nul",
            "+1",
            "\"a",
            r#""\x""#,
            r#""\u12g4""#,
            r#""\u123g""#,
            "[1 2]",
            "{}x",
            "\"\t\"",
            &nested,
        ];
        for bad in bad {
            assert!(!skips(bad), "{bad}");
        }
    }

    #[test]
    fn integers_are_integers() {
        for bad in ["01", "1.5", "1e3", "", "-1", "18446744073709551616"] {
            assert_eq!(Scan::new(bad.as_bytes()).unsigned(), None, "{bad}");
        }
        assert_eq!(Scan::new(b"-9223372036854775808").integer(), None, "one less than that is read");
        assert_eq!(Scan::new(b"-9223372036854775807").integer(), Some(-i64::MAX));
    }

    #[test]
    fn the_unusual_becomes_plain() {
        let odd = b"{ \"s\" : \"\\u5e01A\",\n \"b\": [ [ \"1\", \"2\" ] ] }";
        assert_eq!(plain(odd).unwrap(), r#"{"b":[["1","2"]],"s":"币A"}"#.as_bytes());
        assert_eq!(plain(b"{ \"s\" : "), None);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(512))]
        /// Whatever the scan steps over, serde_json reads too: nothing that is not JSON is taken for it.
        #[test]
        fn nothing_is_accepted_that_is_not_json(text in r#"[\{\}\[\],:"0-9a\\.eE+\-tn ]{0,24}"#) {
            if skips(&text) {
                prop_assert!(serde_json::from_str::<serde::de::IgnoredAny>(&text).is_ok(), "{}", text);
            }
        }

        /// Plain JSON is always stepped over.
        #[test]
        fn all_plain_json_is_accepted(keys in prop::collection::vec("[a-z]{1,4}", 0..4), n in any::<i32>(), x in "[ -~]{0,8}") {
            let text = serde_json::json!({ "k": keys, "n": n, "x": x, "f": 1.25, "o": { "e": null } }).to_string();
            prop_assert!(skips(&text), "{}", text);
        }
    }
}
