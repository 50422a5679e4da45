//! What is said of a JSON body that does not fit: the field by its path and what is expected there, in words of JSON.
//!
//! The reader of JSON knows a place in the text and names types of this program. The place is turned into a path by walking
//! the text up to it, the types into what a client can write.

use serde_json::error::Category;

/// What is wrong with `text`, which could not be read for this reason.
pub(super) fn why(text: &[u8], e: &serde_json::Error) -> String {
    let place = format!("line {}, column {}", e.line(), e.column());
    match e.classify() {
        Category::Eof => return format!("it ends too early, at {place}"),
        Category::Syntax | Category::Io => {
            let said = e.to_string();
            return format!("{}, at {place}", said.split(" at line ").next().unwrap_or_default());
        }
        Category::Data => {}
    }
    let said = e.to_string();
    let said = said.split(" at line ").next().unwrap_or_default();
    let path = path(text, offset(text, e.line(), e.column()));
    if let Some(name) = quoted(said.strip_prefix("missing field ")) {
        let inside = if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") };
        return format!("the field '{inside}' is missing");
    }
    if let Some(rest) = said.strip_prefix("unknown field ") {
        let known: Vec<&str> = rest.split('`').skip(3).step_by(2).collect();
        let name = quoted(Some(rest)).unwrap_or_default();
        let like = crate::names::nearest(name, known.iter().copied());
        let hint = like.map_or_else(|| format!("there are {}", known.join(", ")), |l| format!("did you mean '{l}'?"));
        return format!("there is no field '{path}'; {hint}");
    }
    if quoted(said.strip_prefix("duplicate field ")).is_some() {
        return format!("the field '{path}' is given twice");
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

/// Where a line and a column are in a text, bytes.
fn offset(text: &[u8], line: usize, column: usize) -> usize {
    let lines = text.split_inclusive(|b| *b == b'\n');
    let before: usize = lines.take(line.saturating_sub(1)).map(<[u8]>::len).sum();
    (before + column).min(text.len())
}

/// One bracket that is open.
enum Open {
    /// With the key that was read last.
    Object(Option<String>),
    /// With the number of the element that has begun.
    List(Option<usize>),
}

/// The path of the value that is being read at a place: `holdings[2].side`. The text up to there is well-formed.
fn path(text: &[u8], until: usize) -> String {
    let text = text.get(..until).unwrap_or(text);
    let (mut open, mut at): (Vec<Open>, usize) = (Vec::new(), 0);
    let mut is_key = false;
    while let Some(byte) = text.get(at) {
        let begins = !byte.is_ascii_whitespace() && !matches!(byte, b']' | b'}' | b',' | b':');
        if let Some(Open::List(n @ None)) = open.last_mut().filter(|_| begins) {
            *n = Some(0);
        }
        match byte {
            b'"' => {
                let begin = at + 1;
                at = begin;
                while text.get(at).is_some_and(|b| *b != b'"') {
                    at += if text[at] == b'\\' { 2 } else { 1 };
                }
                if let Some(Open::Object(key)) = open.last_mut().filter(|_| is_key) {
                    let name = text.get(begin..at).unwrap_or_default();
                    *key = Some(String::from_utf8_lossy(name).chars().take(80).collect());
                    is_key = false;
                }
            }
            b'{' => {
                open.push(Open::Object(None));
                is_key = true;
            }
            b'[' => {
                open.push(Open::List(None));
                is_key = false;
            }
            b'}' | b']' => drop(open.pop()),
            b',' => match open.last_mut() {
                Some(Open::Object(_)) => is_key = true,
                Some(Open::List(n)) => *n = n.map(|n| n + 1),
                None => {}
            },
            _ => {}
        }
        at += 1;
    }
    let mut path = String::new();
    for one in &open {
        match one {
            Open::Object(Some(key)) => {
                if !path.is_empty() {
                    path.push('.');
                }
                path.push_str(key);
            }
            Open::List(Some(n)) => path.push_str(&format!("[{n}]")),
            Open::Object(None) | Open::List(None) => {}
        }
    }
    path
}

#[cfg(test)]
mod tests {
    use super::*;
    use barograph_domain::advice::AdviceRequest;
    use barograph_domain::portfolio::PortfolioRequest;

    fn said<T: serde::de::DeserializeOwned + core::fmt::Debug>(text: &str) -> String {
        why(text.as_bytes(), &serde_json::from_str::<T>(text).unwrap_err())
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
