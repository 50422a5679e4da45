//! Numbers and moments as short as an answer can have them.

use serde_json::{Number, Value};

/// Significant digits of readings, and of what is a price as a rule.
const DIGITS: (i32, i32) = (5, 8);

/// All numbers of a value in few digits; what is null in an object is left out, for its reason stands beside it where there is one.
pub(crate) fn short(value: Value) -> Value {
    match value {
        Value::Number(n) => number(&n),
        Value::Array(items) => Value::Array(items.into_iter().map(short).collect()),
        Value::Object(fields) => {
            Value::Object(fields.into_iter().filter(|(_, v)| !v.is_null()).map(|(k, v)| (k, short(v))).collect())
        }
        Value::String(text) => Value::String(minute(&text).unwrap_or(text)),
        other => other,
    }
}

/// A moment to the minute, or to the second where it has one: nobody here wants it finer.
fn minute(text: &str) -> Option<String> {
    let (date, time) = text.strip_suffix('Z')?.split_once('T')?;
    let fits = date.len() == 10 && time.len() >= 8 && time.bytes().all(|c| c.is_ascii_digit() || b":.".contains(&c));
    let end = if time.get(6..8)? == "00" { 5 } else { 8 };
    fits.then(|| format!("{date}T{}Z", &time[..end]))
}

fn number(n: &Number) -> Value {
    let Some(x) = n.as_f64().filter(|_| n.is_f64()) else { return Value::Number(n.clone()) };
    let digits = if x.abs() >= 1_000.0 { DIGITS.1 } else { DIGITS.0 };
    let rounded =
        if x == 0.0 { 0.0 } else { format!("{x:.*e}", usize::try_from(digits - 1).unwrap_or(4)).parse().unwrap_or(x) };
    // Whole numbers have no point to be read.
    #[expect(clippy::cast_possible_truncation, reason = "checked to be whole and small")]
    if rounded.fract() == 0.0 && rounded.abs() < 1e15 {
        return Value::from(rounded as i64);
    }
    Number::from_f64(rounded).map_or(Value::Null, Value::Number)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn readings_have_five_digits_and_prices_eight() {
        let cases = [
            (json!(1.285_007_062_542_609_3), json!(1.285)),
            (json!(-0.066_776_179), json!(-0.066776)),
            (json!(69_365.5), json!(69_365.5)),
            (json!(2.98e-6), json!(2.98e-6)),
            (json!(0.0), json!(0)),
            (json!(1_721_000_000.4), json!(1_721_000_000)),
            (json!({"a": null, "b": [1.0, null]}), json!({"b": [1, null]})),
            (json!("1.2345678"), json!("1.2345678")),
            (json!("2026-02-05T13:01:00.200Z"), json!("2026-02-05T13:01Z")),
            (json!("2026-02-05T13:01:07.5Z"), json!("2026-02-05T13:01:07Z")),
            (json!("at 2026-02-05T13:01:00Z"), json!("at 2026-02-05T13:01:00Z")),
        ];
        for (value, expected) in cases {
            assert_eq!(short(value.clone()), expected, "{value}");
        }
    }
}
