//! Reading a JSON text, and what is said of one that does not fit: the field by its path and what is expected there, in words of JSON.
//!
//! The reader names types of this program; they are turned into what a client can write.

use serde::de::DeserializeOwned;
use serde_json::error::Category;
use serde_path_to_error::Path;

/// Of a name that nobody knows so many characters are shown.
const KEY_MAX: usize = 80;

/// The value of a text, or what is wrong with the text.
pub(super) fn read<T: DeserializeOwned>(text: &[u8]) -> Result<T, String> {
    let mut reader = serde_json::Deserializer::from_slice(text);
    let value = serde_path_to_error::deserialize(&mut reader).map_err(|e| why(e.path(), e.inner()))?;
    reader.end().map_err(|e| syntax(&e))?;
    Ok(value)
}

fn syntax(e: &serde_json::Error) -> String {
    let said = e.to_string();
    format!("{}, at line {}, column {}", said.split(" at line ").next().unwrap_or_default(), e.line(), e.column())
}

fn why(path: &Path, e: &serde_json::Error) -> String {
    match e.classify() {
        Category::Eof => return format!("it ends too early, at line {}, column {}", e.line(), e.column()),
        Category::Syntax | Category::Io => return syntax(e),
        Category::Data => {}
    }
    let said = e.to_string();
    let said = said.split(" at line ").next().unwrap_or_default();
    let path = if path.iter().next().is_some() { path.to_string() } else { String::new() };
    let inside = |name: &str| if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") };
    if let Some(name) = quoted(said.strip_prefix("missing field ")) {
        return format!("the field '{}' is missing", inside(name));
    }
    if let Some(rest) = said.strip_prefix("unknown field ") {
        let known: Vec<&str> = rest.split('`').skip(3).step_by(2).collect();
        let name = quoted(Some(rest)).unwrap_or_default();
        let like = crate::names::nearest(name, known.iter().copied());
        let hint = like.map_or_else(|| format!("there are {}", known.join(", ")), |l| format!("did you mean '{l}'?"));
        let shown: String = name.chars().take(KEY_MAX).collect();
        return format!("there is no field '{}{shown}'; {hint}", path.strip_suffix(name).unwrap_or_default());
    }
    if let Some(name) = quoted(said.strip_prefix("duplicate field ")) {
        return format!("the field '{}' is given twice", inside(name));
    }
    let place = if path.is_empty() { "it".to_owned() } else { format!("'{path}'") };
    match said.rsplit_once(", expected ") {
        Some((found, wanted)) => format!("{place} must be {}; it is {}", expected(wanted), unexpected(found)),
        None => format!("{place} cannot be read"),
    }
}

fn quoted(text: Option<&str>) -> Option<&str> {
    text?.split('`').nth(1)
}

/// What a client can write for a type of this program.
fn expected(word: &str) -> &'static str {
    match word.split(' ').next().unwrap_or_default() {
        "struct" | "map" => "an object",
        "f64" | "f32" => "a number",
        "u8" | "u16" | "u32" | "u64" | "usize" => "a whole number from 0 up",
        "i8" | "i16" | "i32" | "i64" => "a whole number",
        _ => match word {
            "a string" => "a text",
            "a boolean" => "true or false",
            "a sequence" => "a list",
            _ => "of another kind",
        },
    }
}

/// What was written, with the value where it is short.
fn unexpected(found: &str) -> String {
    let found = found.strip_prefix("invalid type: ").or_else(|| found.strip_prefix("invalid value: ")).unwrap_or(found);
    let value = found.split_once(['`', '"']).map(|(_, rest)| rest.trim_end_matches(['`', '"']));
    let shown = value.filter(|v| v.chars().count() <= 40);
    let kind = match found.split([' ', '`']).next().unwrap_or_default() {
        "string" => "a text",
        "boolean" => "a truth value",
        "integer" => "a whole number",
        "floating" => "a number",
        "null" => "null",
        "map" => "an object",
        "sequence" => "a list",
        _ => "something else",
    };
    shown.map_or_else(|| kind.to_owned(), |v| format!("{kind}, '{v}'"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use barograph_domain::advice::AdviceRequest;
    use barograph_domain::portfolio::PortfolioRequest;

    fn said<T: DeserializeOwned + core::fmt::Debug>(text: &str) -> String {
        read::<T>(text.as_bytes()).unwrap_err()
    }

    #[test]
    fn a_field_is_named_with_what_is_expected_there() {
        for (text, want) in [
            (r#"{"symbol": "B", "side": "long", "entry": "x"}"#, "'entry' must be a number; it is a text, 'x'"),
            (r#"{"symbol": "B", "side": 1, "entry": 1}"#, "'side' must be a text; it is a whole number, '1'"),
            (r#"{"symbol": "B", "entry": [1], "side": "long"}"#, "'entry' must be a number; it is a list"),
            (r#"{"symbol": "B", "entry": null}"#, "'entry' must be a number; it is null"),
            (r#"{"symbol": {"a": 1}}"#, "'symbol' must be a text; it is an object"),
            (r#"{"symbol": "B", "side": "long"}"#, "the field 'entry' is missing"),
            (r#"{"symbol": "B", "equtiy": 1}"#, "there is no field 'equtiy'; did you mean 'equity'?"),
            (r#"{"symbol": "B", "symbol": "C"}"#, "the field 'symbol' is given twice"),
            (
                r#"{"trades": {"wins": -1}}"#,
                "'trades.wins' must be a whole number from 0 up; it is a whole number, '-1'",
            ),
            (r#"{"trades": {"wins": 1.5}}"#, "'trades.wins' must be a whole number from 0 up; it is a number, '1.5'"),
            (r#"{"trades": {"wins": 1, "n": 2}, "side": "long"}"#, "the field 'trades.average_win' is missing"),
            (r#"{"symbol": true}"#, "'symbol' must be a text; it is a truth value, 'true'"),
            (r#"{"tik"}"#, "there is no field 'tik'; did you mean 'tick'?"),
            ("{", "it ends too early, at line 1, column 1"),
            ("{\n  symbol: 1}", "key must be a string, at line 2, column 3"),
        ] {
            assert_eq!(said::<AdviceRequest>(text), want, "{text}");
        }
        for (text, want) in [
            (r#"{"holdings": 5}"#, "'holdings' must be a list; it is a whole number, '5'"),
            (
                r#"{"holdings": [{"symbol": "a,]\"", "side": "long", "notional": 1}, {"symbol": "b", "notional": "2"}]}"#,
                "'holdings[1].notional' must be a number; it is a text, '2'",
            ),
            (r#"{"holdings": [{"symbol": "a", "side": "long"}]}"#, "the field 'holdings[0].notional' is missing"),
            (r#"{"holdings": ["a"]}"#, "'holdings[0]' must be an object; it is a text, 'a'"),
        ] {
            assert_eq!(said::<PortfolioRequest>(text), want, "{text}");
        }
    }
}
