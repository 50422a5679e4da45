//! Parts of a document: of an answer of a hundred kilobytes a tool shows a few. What it does not show is read over and never made.

use core::fmt;
use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};
use std::borrow::Cow;

/// What of a value is kept.
#[derive(Clone, Copy, Debug)]
pub(crate) enum ShownParts<'a> {
    /// All of it.
    All,
    /// These fields of an object, or of each object in a list, whole.
    Fields(&'a [&'a str]),
    /// These fields, each as far as it says.
    Within(&'a [(&'a str, Self)]),
}

impl<'a> ShownParts<'a> {
    /// The parts of a document; fields that it does not have are not there.
    pub(crate) fn read(self, document: &[u8]) -> serde_json::Result<Value> {
        let mut reader = serde_json::Deserializer::from_slice(document);
        let value = self.deserialize(&mut reader)?;
        reader.end()?;
        Ok(value)
    }

    fn of(self, name: &str) -> Option<Self> {
        match self {
            Self::All => Some(Self::All),
            Self::Fields(names) => names.contains(&name).then_some(Self::All),
            Self::Within(parts) => parts.iter().find(|(known, _)| *known == name).map(|(_, keep)| *keep),
        }
    }
}

impl<'de> DeserializeSeed<'de> for ShownParts<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<Value, D::Error> {
        from.deserialize_any(self)
    }
}

/// The name of a field, which is no part of the document where it has an escape.
struct Name;

impl<'de> DeserializeSeed<'de> for Name {
    type Value = Cow<'de, str>;

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<Self::Value, D::Error> {
        from.deserialize_str(self)
    }
}

impl<'de> Visitor<'de> for Name {
    type Value = Cow<'de, str>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the name of a field")
    }

    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Self::Value, E> {
        Ok(Cow::Borrowed(text))
    }

    fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
        Ok(Cow::Owned(text.to_owned()))
    }
}

impl<'de> Visitor<'de> for ShownParts<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, is: bool) -> Result<Value, E> {
        Ok(is.into())
    }

    fn visit_i64<E>(self, n: i64) -> Result<Value, E> {
        Ok(n.into())
    }

    fn visit_u64<E>(self, n: u64) -> Result<Value, E> {
        Ok(n.into())
    }

    fn visit_f64<E>(self, x: f64) -> Result<Value, E> {
        Ok(x.into())
    }

    fn visit_str<E>(self, text: &str) -> Result<Value, E> {
        Ok(text.into())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut kept = Vec::new();
        while let Some(item) = items.next_element_seed(self)? {
            kept.push(item);
        }
        Ok(kept.into())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<Value, A::Error> {
        let mut kept = Map::new();
        while let Some(name) = fields.next_key_seed(Name)? {
            match self.of(&name) {
                Some(keep) => {
                    let value = fields.next_value_seed(keep)?;
                    kept.insert(name.into_owned(), value);
                }
                None => {
                    let IgnoredAny = fields.next_value()?;
                }
            }
        }
        Ok(kept.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_is_kept_is_as_it_was_and_the_rest_is_not_there() {
        let document = json!({"a": 1, "b": {"c": -2, "d": [1.5, null, true]}, "items": [{"x": "\u{e9}\"", "y": {"z": 1}}, {"x": null}]});
        let cases = [
            (ShownParts::All, document.clone()),
            (ShownParts::Fields(&["a", "b", "none"]), json!({"a": 1, "b": document["b"]})),
            (
                ShownParts::Within(&[("b", ShownParts::Fields(&["d"])), ("items", ShownParts::Fields(&["x"]))]),
                json!({"b": {"d": [1.5, null, true]}, "items": [{"x": "\u{e9}\""}, {"x": null}]}),
            ),
        ];
        for (keep, expected) in cases {
            assert_eq!(keep.read(document.to_string().as_bytes()).unwrap(), expected, "{keep:?}");
        }
        assert!(
            ShownParts::Fields(&["a"]).read(br#"{"a": 1, "b": }"#).is_err(),
            "what is not kept is read all the same"
        );
        assert!(ShownParts::All.read(b"{} x").is_err());
        assert_eq!(ShownParts::Fields(&["a"]).read(br#"{"\u0061": 1}"#).unwrap(), json!({"a": 1}));
    }
}
