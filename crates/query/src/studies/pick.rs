//! Fields of a JSON value as what they are meant to be, or nothing.

use serde_json::Value;
use std::collections::BTreeMap;

pub(super) fn text(of: &Value, field: &str) -> Option<String> {
    of[field].as_str().map(str::to_owned)
}

pub(super) fn number(of: &Value, field: &str) -> Option<f64> {
    of[field].as_f64()
}

pub(super) fn count(of: &Value, field: &str) -> Option<u64> {
    of[field].as_u64()
}

/// Two texts.
pub(super) fn span(of: &Value) -> Option<[String; 2]> {
    match of.as_array()?.as_slice() {
        [from, to] => Some([from.as_str()?.to_owned(), to.as_str()?.to_owned()]),
        _ => None,
    }
}

/// Two numbers.
pub(super) fn pair(of: &Value) -> Option<[f64; 2]> {
    match numbers(of).as_slice() {
        [low, high] => Some([*low, *high]),
        _ => None,
    }
}

pub(super) fn numbers(of: &Value) -> Vec<f64> {
    of.as_array().into_iter().flatten().filter_map(Value::as_f64).collect()
}

pub(super) fn texts(of: &Value) -> Vec<String> {
    of.as_array().into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect()
}

/// Sentences by name.
pub(super) fn reasons(of: &Value) -> BTreeMap<String, String> {
    let all = of.as_object().into_iter().flatten();
    all.filter_map(|(name, why)| Some((name.clone(), why.as_str()?.to_owned()))).collect()
}

/// Whole numbers by name.
pub(super) fn counts(of: &Value) -> BTreeMap<String, u64> {
    let all = of.as_object().into_iter().flatten();
    all.filter_map(|(name, n)| Some((name.clone(), n.as_u64()?))).collect()
}
