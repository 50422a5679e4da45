//! Shapes several venues share on the wire, read without allocating: stamps that are numbers or text, lists whose elements
//! are looked at one by one, and levels of a book.

use crate::session::{Decimal, OrderBook, Scan};
use barograph_domain::{Span, Ts};
use core::fmt;
use core::marker::PhantomData;
use serde::de::{self, Deserialize, Deserializer, SeqAccess, Visitor};

/// Milliseconds since 1970, as an integer or as text; empty text is absent.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Millis(pub Option<i64>);

impl Millis {
    /// An integer in a text; none where there is none.
    #[must_use]
    pub fn of(text: &str) -> Self {
        Self(text.parse().ok())
    }

    /// The instant, if it is one between 2009 and 2200.
    #[must_use]
    pub fn ts(self) -> Option<Ts> {
        let ts = Ts(self.0?.checked_mul(1_000_000)?);
        crate::number::PLAUSIBLE.contains(&ts).then_some(ts)
    }
}

/// A stamp may be this far ahead of the receive clock; more is a broken stamp, and would shut out all later ones.
const AHEAD_MAX: Span = Span::mins(10);

impl Millis {
    /// The instant, if it is one of the present or the past.
    #[must_use]
    pub fn by(self, now: Ts) -> Option<Ts> {
        self.ts().filter(|t| *t - now <= AHEAD_MAX)
    }
}

impl<'de> Deserialize<'de> for Millis {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        struct Read;
        impl Visitor<'_> for Read {
            type Value = Millis;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("milliseconds as an integer or as text")
            }
            fn visit_u64<E: de::Error>(self, v: u64) -> Result<Millis, E> {
                i64::try_from(v).map(|v| Millis(Some(v))).map_err(E::custom)
            }
            fn visit_i64<E: de::Error>(self, v: i64) -> Result<Millis, E> {
                Ok(Millis(Some(v)))
            }
            fn visit_str<E: de::Error>(self, v: &str) -> Result<Millis, E> {
                if v.is_empty() { Ok(Millis(None)) } else { v.parse().map(|v| Millis(Some(v))).map_err(E::custom) }
            }
            fn visit_unit<E: de::Error>(self) -> Result<Millis, E> {
                Ok(Millis(None))
            }
        }
        d.deserialize_any(Read)
    }
}

/// Reads a stamp with a [`Scan`]: an integer, or one in a string.
#[inline]
pub fn scan_millis(scan: &mut Scan<'_>) -> Option<Millis> {
    if scan.peek()? != b'"' {
        return scan.integer().map(|ms| Millis(Some(ms)));
    }
    let text = scan.string()?;
    let ms = crate::number::unsigned(text).and_then(|ms| i64::try_from(ms).ok());
    (text.is_empty() || ms.is_some()).then_some(Millis(ms))
}

/// Steps over a value with a [`Scan`] and gives its text.
#[inline]
pub fn scan_raw<'a>(scan: &mut Scan<'a>) -> Option<&'a str> {
    core::str::from_utf8(scan.raw()?).ok()
}

/// A string without escapes.
#[inline]
pub fn scan_text<'a>(scan: &mut Scan<'a>) -> Option<&'a str> {
    core::str::from_utf8(scan.string()?).ok()
}

/// Reads a JSON list and hands over each element; the list itself is never built. False: not such a list (elements before
/// the bad one have been handed over).
pub fn each<'a, T: Deserialize<'a>>(json: &'a str, f: impl FnMut(T)) -> bool {
    struct Each<T, F>(F, PhantomData<T>);
    impl<'de, T: Deserialize<'de>, F: FnMut(T)> Visitor<'de> for Each<T, F> {
        type Value = ();
        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a list")
        }
        fn visit_seq<A: SeqAccess<'de>>(mut self, mut seq: A) -> Result<(), A::Error> {
            while let Some(element) = seq.next_element()? {
                (self.0)(element);
            }
            Ok(())
        }
    }
    let mut reader = serde_json::Deserializer::from_str(json);
    reader.deserialize_seq(Each(f, PhantomData)).is_ok() && reader.end().is_ok()
}

/// The rows of a JSON list, as `read` makes them of its elements. `None`: not such a list, or an element that cannot be read.
pub fn rows<'a, T: Deserialize<'a>, R>(json: &'a str, mut read: impl FnMut(T) -> Option<R>) -> Option<Vec<R>> {
    let (mut rows, mut good) = (Vec::new(), true);
    let whole = each(json, |element| match read(element) {
        Some(row) => rows.push(row),
        None => good = false,
    });
    (whole && good).then_some(rows)
}

/// As [`each`], over elements that may be refused: false also when `f` says so of one.
pub fn all<'a, T: Deserialize<'a>>(json: &'a str, mut f: impl FnMut(T) -> bool) -> bool {
    let mut good = true;
    let whole = each(json, |element| good &= f(element));
    good && whole
}

/// Digits after the point of the finest price in both sides of a snapshot: the tick may be finer than the list says, after a
/// change. `None`: not levels.
#[must_use]
pub fn finest(bids: &str, asks: &str) -> Option<u8> {
    let mut scale = 0;
    let mut widen = |price: &[u8], _: &[u8]| match Decimal::parse(price) {
        Some(p) => {
            scale = scale.max(p.scale);
            true
        }
        None => false,
    };
    let whole = levels(bids, &mut widen) && levels(asks, &mut widen);
    whole.then_some(scale)
}

/// Sets the levels of a message in a book, as the venue wrote them. False: one of them is none, and the book is half changed.
#[must_use]
pub fn set_levels(book: &mut OrderBook, bids: &str, asks: &str) -> bool {
    let mut set = |price: &[u8], qty: &[u8], is_bid: bool| {
        let read = (Decimal::parse(price), Decimal::parse(qty).map(Decimal::to_f64).filter(|q| *q >= 0.0));
        let (Some(price), Some(qty)) = read else { return false };
        if is_bid { book.bid(price, qty).is_ok() } else { book.ask(price, qty).is_ok() }
    };
    levels(bids, |p, q| set(p, q, true)) && levels(asks, |p, q| set(p, q, false))
}

/// Reads `[["price","quantity",…],…]` (already known to be JSON) and hands over price and quantity of each level; further
/// columns are skipped. Stops with false at the first that is not such a level, or when `f` says so.
pub fn levels(json: &str, mut f: impl FnMut(&[u8], &[u8]) -> bool) -> bool {
    let mut rest = json.as_bytes();
    if !eat(&mut rest, b'[') {
        return false;
    }
    if eat(&mut rest, b']') {
        return true;
    }
    loop {
        if !eat(&mut rest, b'[') {
            return false;
        }
        let Some(price) = text(&mut rest) else { return false };
        if !eat(&mut rest, b',') {
            return false;
        }
        let Some(qty) = text(&mut rest) else { return false };
        while eat(&mut rest, b',') {
            if text(&mut rest).is_none() {
                return false;
            }
        }
        if !eat(&mut rest, b']') || !f(price, qty) {
            return false;
        }
        if eat(&mut rest, b']') {
            return true;
        }
        if !eat(&mut rest, b',') {
            return false;
        }
    }
}

fn eat(rest: &mut &[u8], want: u8) -> bool {
    let all = *rest;
    let blank = all.iter().take_while(|b| b.is_ascii_whitespace()).count();
    let found = all.get(blank) == Some(&want);
    if found {
        *rest = &all[blank + 1..];
    }
    found
}

/// Text without escapes, in quotes.
fn text<'a>(rest: &mut &'a [u8]) -> Option<&'a [u8]> {
    eat(rest, b'"').then_some(())?;
    let all = *rest;
    let end = all.iter().position(|b| *b == b'"')?;
    *rest = &all[end + 1..];
    Some(&all[..end])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn levels_are_read_or_refused() {
        let read = |json: &str| {
            let mut got = Vec::new();
            let ok = levels(json, |p, q| {
                got.push(format!("{}@{}", String::from_utf8_lossy(q), String::from_utf8_lossy(p)));
                true
            });
            (ok, got.join(" "))
        };
        assert_eq!(read("[]"), (true, String::new()));
        assert_eq!(read(r#"[["1.5","2"],["1.4","0"]]"#), (true, "2@1.5 0@1.4".into()));
        assert_eq!(read(r#"[ [ "1.5" , "2", "0" ,"7"] ]"#), (true, "2@1.5".into()));
        for bad in ["", "{}", "[[]]", r#"[["1"]]"#, "[[1,2]]", r#"["1","2"]"#, r#"[["1","2"]"#, r#"[["1","2"],]"#] {
            assert!(!read(bad).0, "{bad}");
        }
    }

    #[test]
    fn stamps_are_numbers_or_text() {
        let read = |json: &str| serde_json::from_str::<Millis>(json).ok().map(|m| m.0);
        assert_eq!(read("1795078800020"), Some(Some(1_795_078_800_020)));
        assert_eq!(read("\"1795078800020\""), Some(Some(1_795_078_800_020)));
        assert_eq!((read("\"\""), read("null")), (Some(None), Some(None)));
        assert_eq!((read("\"x\""), read("1.5"), read("[]")), (None, None, None));
        assert_eq!(Millis(Some(i64::MAX)).ts(), None);
        assert_eq!(Millis(Some(0)).ts(), None);
        assert_eq!(Millis(Some(1_795_078_800_020)).ts(), Some(Ts::from_millis(1_795_078_800_020)));
    }

    #[test]
    fn lists_are_read_element_by_element() {
        let mut got = Vec::new();
        assert!(each("[1,2]", |n: u8| got.push(n)));
        assert!(!each("[3,400]", |n: u8| got.push(n)));
        assert!(!each("{}", |n: u8| got.push(n)));
        assert!(!each("[4] 5", |n: u8| got.push(n)));
        assert_eq!(got, [1, 2, 3, 4]);
    }
}
