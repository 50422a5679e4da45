//! JSON straight into memory: byte for byte what `serde_json` writes, at less than half its cost.
//!
//! Names of fields and variants are written as they stand, texts after eight bytes at a time were found to need no escapes, numbers
//! of at most four decimals digit by digit. Other numbers, and texts that do need escapes, are left to `serde_json`; so are its errors.
//! Raw values are not known here.

use serde::Serialize;
use serde::ser::{self, Serializer};
use serde_json::Error;

/// Appends a value, without white space.
///
/// # Errors
/// When its own `Serialize` fails, or a map has keys that are neither texts nor numbers.
pub fn write<T: Serialize + ?Sized>(out: &mut Vec<u8>, value: &T) -> Result<(), Error> {
    value.serialize(Writer(out))
}

struct Writer<'a>(&'a mut Vec<u8>);

/// A list or an object in the making.
struct Parts<'a> {
    out: &'a mut Vec<u8>,
    first: bool,
    close: &'static str,
}

impl<'a> Writer<'a> {
    #[inline]
    fn put(self, text: &str) -> Result<(), Error> {
        self.0.extend_from_slice(text.as_bytes());
        Ok(())
    }
    #[inline]
    fn open(self, bracket: u8, close: &'static str) -> Result<Parts<'a>, Error> {
        self.0.push(bracket);
        Ok(Parts { out: self.0, first: true, close })
    }
    /// An object of one field, for enums with data.
    fn open_variant(self, variant: &'static str, bracket: u8, close: &'static str) -> Result<Parts<'a>, Error> {
        self.0.push(b'{');
        name(self.0, variant);
        self.open(bracket, close)
    }
    fn others(&mut self) -> serde_json::Serializer<&mut Vec<u8>> {
        serde_json::Serializer::new(&mut *self.0)
    }
}

/// A name in source code: it needs no escapes.
#[inline(always)]
fn name(out: &mut Vec<u8>, name: &'static str) {
    out.push(b'"');
    out.extend_from_slice(name.as_bytes());
    out.extend_from_slice(b"\":");
}

/// No quote, no backslash, no control character.
#[inline]
fn is_plain(text: &[u8]) -> bool {
    let Some(last) = text.last_chunk::<8>() else {
        return text.iter().all(|b| *b >= 0x20 && *b != b'"' && *b != b'\\');
    };
    let (words, _) = text.as_chunks::<8>();
    words.iter().chain([last]).all(|word| is_plain_word(u64::from_le_bytes(*word)))
}

/// The same of eight bytes at once: the highest bit of a byte shows that the byte minus a bound borrowed (Hacker's Delight 6-1).
#[inline]
const fn is_plain_word(word: u64) -> bool {
    const ONES: u64 = u64::MAX / 255;
    let (quote, slash) = (word ^ (ONES * b'"' as u64), word ^ (ONES * b'\\' as u64));
    let found =
        word.wrapping_sub(ONES * 0x20) & !word | quote.wrapping_sub(ONES) & !quote | slash.wrapping_sub(ONES) & !slash;
    found & (ONES * 0x80) == 0
}

/// Writes a number that has four decimals at most and, without its point, fifteen digits at most, and says whether it was one. No other text of
/// so few digits is read as the same number, so this is the shortest one, which `serde_json` looks for.
fn put_short(out: &mut Vec<u8>, v: f64) -> bool {
    const PARTS: f64 = 1e4;
    let scaled = v * PARTS;
    if scaled.is_nan() || scaled.abs() >= 1e15 {
        return false;
    }
    #[expect(clippy::cast_possible_truncation, reason = "below 1e15")]
    let parts = (scaled + 0.5_f64.copysign(scaled)) as i64;
    #[expect(clippy::cast_precision_loss, reason = "below 2^53")]
    let again = parts as f64 / PARTS;
    if again.to_bits() != v.to_bits() {
        return false;
    }
    let (mut whole, mut rest) = (parts.unsigned_abs() / 10_000, parts.unsigned_abs() % 10_000);
    let mut decimals = 4;
    while decimals > 1 && rest.is_multiple_of(10) {
        (rest, decimals) = (rest / 10, decimals - 1);
    }
    let (mut text, mut at) = ([0_u8; 24], 24);
    let mut put = |byte: u8| {
        at -= 1;
        text[at] = byte;
    };
    let digit = |n: u64| b'0' + u8::try_from(n % 10).unwrap_or_default();
    for _ in 0..decimals {
        put(digit(rest));
        rest /= 10;
    }
    put(b'.');
    loop {
        put(digit(whole));
        whole /= 10;
        if whole == 0 {
            break;
        }
    }
    if parts < 0 {
        put(b'-');
    }
    out.extend_from_slice(&text[at..]);
    true
}

macro_rules! left_to_serde_json {
    ($($each:ident: $of:ty),*) => { $(
        fn $each(mut self, v: $of) -> Result<(), Error> {
            self.others().$each(v)
        }
    )* };
}

impl<'a> Serializer for Writer<'a> {
    type Ok = ();
    type Error = Error;
    type SerializeSeq = Parts<'a>;
    type SerializeTuple = Parts<'a>;
    type SerializeTupleStruct = Parts<'a>;
    type SerializeTupleVariant = Parts<'a>;
    type SerializeMap = Parts<'a>;
    type SerializeStruct = Parts<'a>;
    type SerializeStructVariant = Parts<'a>;

    #[inline]
    fn serialize_bool(self, v: bool) -> Result<(), Error> {
        self.put(if v { "true" } else { "false" })
    }
    left_to_serde_json!(
        serialize_i8: i8, serialize_i16: i16, serialize_i32: i32, serialize_i64: i64, serialize_i128: i128,
        serialize_u8: u8, serialize_u16: u16, serialize_u32: u32, serialize_u64: u64, serialize_u128: u128,
        serialize_f32: f32, serialize_char: char, serialize_bytes: &[u8]
    );
    fn serialize_f64(mut self, v: f64) -> Result<(), Error> {
        if put_short(self.0, v) { Ok(()) } else { self.others().serialize_f64(v) }
    }
    fn serialize_str(mut self, v: &str) -> Result<(), Error> {
        if !is_plain(v.as_bytes()) {
            return self.others().serialize_str(v);
        }
        self.0.reserve(v.len() + 2);
        self.0.push(b'"');
        self.0.extend_from_slice(v.as_bytes());
        self.0.push(b'"');
        Ok(())
    }
    #[inline]
    fn serialize_none(self) -> Result<(), Error> {
        self.put("null")
    }
    #[inline]
    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<(), Error> {
        value.serialize(self)
    }
    #[inline]
    fn serialize_unit(self) -> Result<(), Error> {
        self.put("null")
    }
    fn serialize_unit_struct(self, _name: &'static str) -> Result<(), Error> {
        self.put("null")
    }
    #[inline]
    fn serialize_unit_variant(self, _name: &'static str, _index: u32, variant: &'static str) -> Result<(), Error> {
        self.serialize_str(variant)
    }
    #[inline]
    fn serialize_newtype_struct<T: Serialize + ?Sized>(self, _name: &'static str, value: &T) -> Result<(), Error> {
        value.serialize(self)
    }
    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _name: &'static str,
        _index: u32,
        variant: &'static str,
        value: &T,
    ) -> Result<(), Error> {
        self.0.push(b'{');
        name(self.0, variant);
        write(self.0, value)?;
        self.put("}")
    }
    #[inline]
    fn serialize_seq(self, _len: Option<usize>) -> Result<Parts<'a>, Error> {
        self.open(b'[', "]")
    }
    fn serialize_tuple(self, _len: usize) -> Result<Parts<'a>, Error> {
        self.open(b'[', "]")
    }
    fn serialize_tuple_struct(self, _name: &'static str, _len: usize) -> Result<Parts<'a>, Error> {
        self.open(b'[', "]")
    }
    fn serialize_tuple_variant(
        self,
        _name: &'static str,
        _index: u32,
        variant: &'static str,
        _len: usize,
    ) -> Result<Parts<'a>, Error> {
        self.open_variant(variant, b'[', "]}")
    }
    #[inline]
    fn serialize_map(self, _len: Option<usize>) -> Result<Parts<'a>, Error> {
        self.open(b'{', "}")
    }
    #[inline]
    fn serialize_struct(self, _name: &'static str, _len: usize) -> Result<Parts<'a>, Error> {
        self.open(b'{', "}")
    }
    fn serialize_struct_variant(
        self,
        _name: &'static str,
        _index: u32,
        variant: &'static str,
        _len: usize,
    ) -> Result<Parts<'a>, Error> {
        self.open_variant(variant, b'{', "}}")
    }
}

impl Parts<'_> {
    #[inline]
    fn comma(&mut self) {
        if !self.first {
            self.out.push(b',');
        }
        self.first = false;
    }
    #[inline]
    fn element<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Error> {
        self.comma();
        write(self.out, value)
    }
    // Always: where the key is known its bytes are stored, not copied by their length.
    #[inline(always)]
    fn field<T: Serialize + ?Sized>(&mut self, key: &'static str, value: &T) -> Result<(), Error> {
        self.comma();
        name(self.out, key);
        write(self.out, value)
    }
    #[inline]
    fn done(self) -> Result<(), Error> {
        self.out.extend_from_slice(self.close.as_bytes());
        Ok(())
    }
}

macro_rules! elements {
    ($($of:ident :: $each:ident),*) => { $(
        impl ser::$of for Parts<'_> {
            type Ok = ();
            type Error = Error;
            #[inline]
            fn $each<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Error> {
                self.element(value)
            }
            #[inline]
            fn end(self) -> Result<(), Error> {
                self.done()
            }
        }
    )* };
}
elements!(
    SerializeSeq::serialize_element,
    SerializeTuple::serialize_element,
    SerializeTupleStruct::serialize_field,
    SerializeTupleVariant::serialize_field
);

macro_rules! fields {
    ($($of:ident),*) => { $(
        impl ser::$of for Parts<'_> {
            type Ok = ();
            type Error = Error;
            #[inline(always)]
            fn serialize_field<T: Serialize + ?Sized>(&mut self, key: &'static str, value: &T) -> Result<(), Error> {
                self.field(key, value)
            }
            #[inline]
            fn end(self) -> Result<(), Error> {
                self.done()
            }
        }
    )* };
}
fields!(SerializeStruct, SerializeStructVariant);

impl ser::SerializeMap for Parts<'_> {
    type Ok = ();
    type Error = Error;
    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), Error> {
        self.comma();
        let at = self.out.len();
        write(self.out, key)?;
        match self.out.get(at) {
            Some(b'"') => Ok(()),
            // Numbers and flags are keys in quotes.
            Some(b'-' | b'0'..=b'9' | b't' | b'f') => {
                self.out.insert(at, b'"');
                self.out.push(b'"');
                Ok(())
            }
            _ => Err(ser::Error::custom("key must be a string")),
        }
    }
    #[inline]
    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Error> {
        self.out.push(b':');
        write(self.out, value)
    }
    #[inline]
    fn end(self) -> Result<(), Error> {
        self.done()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    fn same<T: Serialize>(value: &T) {
        let mut out = Vec::new();
        write(&mut out, value).unwrap();
        assert_eq!(String::from_utf8(out).unwrap(), serde_json::to_string(value).unwrap());
    }

    #[derive(Serialize)]
    enum Any {
        Unit,
        New(f64),
        Pair(u8, Option<i64>),
        Named { text: &'static str, list: Vec<Self> },
    }
    #[derive(Serialize)]
    struct Wrapped(Any);
    #[derive(Serialize)]
    struct Both(char, f32);
    #[derive(Serialize)]
    struct Nothing;
    #[derive(Serialize)]
    struct Part {
        #[serde(rename = "1h")]
        renamed: bool,
        #[serde(skip_serializing_if = "Option::is_none")]
        left_out: Option<u8>,
        #[serde(flatten)]
        rest: BTreeMap<&'static str, i128>,
    }

    #[test]
    fn every_shape_is_written_as_serde_json_writes_it() {
        let list = vec![Any::Unit, Any::New(-0.0), Any::New(1e300), Any::New(f64::NAN), Any::Pair(7, None)];
        same(&Wrapped(Any::Named { text: "", list }));
        same(&(Any::Pair(0, Some(i64::MIN)), Both('"', 0.1), Nothing, (), [u64::MAX; 2], -5_i8, [true, false]));
        same(&Part { renamed: true, left_out: None, rest: BTreeMap::from([("a", i128::MAX), ("b", -1)]) });
        same(&Part { renamed: false, left_out: Some(3), rest: BTreeMap::new() });
        same(&BTreeMap::from([(-3, "x"), (12, "y")]));
        same(&BTreeMap::from([(true, Vec::<u8>::new())]));
        same(&serde_json::json!({"a": [1, 2.5, null, {"b\n": "c"}], "": {}}));
        assert!(write(&mut Vec::new(), &BTreeMap::from([(vec![1], 1)])).is_err());
    }

    /// Around every number of few decimals, of many digits, and of those that have neither.
    #[test]
    fn every_number_is_as_short_as_serde_json_writes_it() {
        let whole = (0..20_000_i64).chain((4..19).flat_map(|n| {
            let power = 10_i64.pow(n);
            [power - 1, power, power + 1, power / 3, power / 7 * 2]
        }));
        let numbers = whole.flat_map(|n| {
            #[expect(clippy::cast_precision_loss, reason = "the nearest number will do")]
            [1.0, 10.0, 100.0, 1e3, 1e4, 1e5, 7.0].map(|parts| n as f64 / parts)
        });
        let others = [f64::MIN_POSITIVE, f64::MAX, f64::INFINITY, f64::NAN, 1e15, 1e11, 1e16, 1e17, 5e-324];
        for x in numbers.chain(others).flat_map(|x| [x, x.next_up(), x.next_down()]).flat_map(|x| [x, -x]) {
            same(&x);
        }
    }

    #[test]
    fn every_byte_at_every_place_of_a_text() {
        let letters: Vec<char> = (0..0x180).filter_map(char::from_u32).chain(['…', '\u{1f321}']).collect();
        for length in 0..20 {
            for at in 0..=length {
                for letter in &letters {
                    let mut text = "é".repeat(at / 2) + &"x".repeat(length - at / 2);
                    text.insert(if at % 2 == 0 { 0 } else { text.len() }, *letter);
                    same(&text);
                }
            }
        }
    }
}
