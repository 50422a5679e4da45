//! `[[receiver]]` tables of the settings file, and the originals' `WEBHOOKS_…` variables (R4.30): who receives alerts.
//!
//! A value written as `env:NAME` is read from that variable, so that a file may be shared without its secrets. Nothing here
//! prints a value.

use super::file::{Node, Value};
use crate::failure::Failure;
use barograph_notify::receiver::{Permitted, Receiver, ReceiverConfig, from_env};
use barograph_query::delivery::made::MadeReceivers;
use serde_json::Value as Json;
use std::path::{Path, PathBuf};

/// The key of the tables.
pub(super) const KEY: &str = "receiver";
/// What a value from the environment begins with.
const FROM_ENV: &str = "env:";

/// One table with its place.
#[derive(Clone, Debug)]
pub(super) struct Table {
    pub(super) path: PathBuf,
    pub(super) line: usize,
    pub(super) json: Json,
}

/// The tables under a key.
pub(super) fn tables(key: &str, path: &Path, line: usize, node: &Node) -> Result<Vec<Table>, Failure> {
    let wrong =
        |line: usize| Failure::usage(format!("{}:{line}: {key}s are written as [[{key}]] tables", path.display()));
    let Value::List(items) = &node.value else { return Err(wrong(line)) };
    let table = |item: &Node| match &item.value {
        Value::Table(_) => Ok(Table { path: path.to_owned(), line: item.line, json: json(item) }),
        Value::Text(_) | Value::Number(_) | Value::Bool(_) | Value::List(_) | Value::Nothing => Err(wrong(item.line)),
    };
    items.iter().map(table).collect()
}

fn json(node: &Node) -> Json {
    match &node.value {
        Value::Text(text) => Json::String(text.clone()),
        Value::Number(text) => serde_json::from_str(text).unwrap_or_else(|_| Json::String(text.clone())),
        Value::Bool(is) => Json::Bool(*is),
        Value::List(items) => Json::Array(items.iter().map(json).collect()),
        Value::Table(entries) => Json::Object(entries.iter().map(|(key, _, n)| (key.clone(), json(n))).collect()),
        Value::Nothing => Json::Null,
    }
}

/// All receivers, checked. `given` reads a variable of the environment.
pub(super) fn all(
    tables: &[Table],
    given: impl Fn(&str) -> Option<String> + Copy,
    dashboard: &str,
) -> Result<Vec<Receiver>, Failure> {
    let mut out: Vec<Receiver> = Vec::new();
    for table in tables {
        let at = |why: String| Failure::usage(format!("{}:{}: {why}", table.path.display(), table.line));
        let filled = filled(&table.json, given).map_err(at)?;
        let config: ReceiverConfig =
            serde_json::from_value(filled.clone()).map_err(|e| at(unread(&filled, &e.to_string())))?;
        let receiver = config.receiver(dashboard).map_err(at)?;
        if out.iter().any(|r| r.name == receiver.name) {
            return Err(at(format!("there is a receiver '{}' already; names tell them apart", receiver.name)));
        }
        out.push(receiver);
    }
    out.extend(from_env(given, dashboard).map_err(Failure::usage)?);
    Ok(out)
}

/// Those made on the page, of a data folder.
pub(super) fn made(
    folder: &Path,
    given: impl Fn(&str) -> Option<String>,
    dashboard: &str,
) -> Result<MadeReceivers, Failure> {
    Ok(MadeReceivers::of(folder, dashboard, Permitted::from_env(given).map_err(Failure::usage)?))
}

/// What is wrong with a table; of an unknown key the nearest one. What was written is never repeated: it may be a secret that
/// stands where a list should.
fn unread(table: &Json, said: &str) -> String {
    unknown_in("a receiver", said)
        .or_else(|| misplaced(table))
        .unwrap_or_else(|| "a receiver's table cannot be read".to_owned())
}

/// What is wrong with a table of this kind, which holds no secret but in texts; of an unknown key the nearest one.
pub(super) fn unread_in(what: &str, said: &str) -> String {
    let plain = said.split(" at line ").next().unwrap_or_default();
    // What stands where something else should is not repeated: it may be a secret.
    let expected = plain.rsplit_once(", expected ").map(|(_, expected)| format!("expected {expected}"));
    unknown_in(what, said).unwrap_or_else(|| format!("{what} cannot be read: {}", expected.as_deref().unwrap_or(plain)))
}

fn unknown_in(what: &str, said: &str) -> Option<String> {
    let quoted: Vec<&str> = said.split('`').skip(1).step_by(2).collect();
    let [key, ref known @ ..] = quoted[..] else { return None };
    said.starts_with("unknown field").then(|| {
        let hint = super::nearest(key, known.iter().copied());
        let hint =
            hint.map_or_else(|| format!("; there are {}", known.join(", ")), |n| format!(" — did you mean `{n}`?"));
        format!("{what} has no key `{key}`{hint}")
    })
}

/// The first key whose value is of another kind, and what it should be.
fn misplaced(table: &Json) -> Option<String> {
    table.as_object()?.iter().find_map(|(key, value)| {
        let alone = Json::Object([(key.clone(), value.clone())].into_iter().collect());
        let said = serde_json::from_value::<ReceiverConfig>(alone).err()?.to_string();
        let want = match said.rsplit_once(", expected ") {
            Some((_, want)) => want.to_owned(),
            None if key == "allow_private" => "a list of addresses such as \"192.168.1.20:8080\"".to_owned(),
            None => "something else".to_owned(),
        };
        Some(format!("`{key}` of a receiver must be {want}"))
    })
}

/// The same with the values of the variables that it names.
pub(super) fn filled(json: &Json, given: impl Fn(&str) -> Option<String> + Copy) -> Result<Json, String> {
    Ok(match json {
        Json::String(text) => match text.strip_prefix(FROM_ENV) {
            Some(name) => Json::String(given(name).ok_or_else(|| format!("the variable {name} is not set"))?),
            None => json.clone(),
        },
        Json::Array(items) => Json::Array(items.iter().map(|i| filled(i, given)).collect::<Result<_, _>>()?),
        Json::Object(entries) => {
            let each = entries.iter().map(|(key, value)| Ok((key.clone(), filled(value, given)?)));
            Json::Object(each.collect::<Result<_, String>>()?)
        }
        Json::Null | Json::Bool(_) | Json::Number(_) => json.clone(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[expect(clippy::panic_in_result_fn, reason = "what a receiver's table gives is the result that is looked at")]
    fn read(text: &str) -> Result<Vec<Receiver>, String> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("barograph.toml");
        std::fs::write(&path, text).unwrap();
        let root = super::super::file::read(&path).unwrap();
        let given = |name: &str| match name {
            "HOOK" => Some("https://hooks.example/s3cret".to_owned()),
            "WEBHOOKS_ALL" => Some("https://all.example/x".to_owned()),
            _ => None,
        };
        let mut found = Vec::new();
        for (key, line, node) in root {
            assert_eq!(key, KEY);
            found = tables(KEY, &path, line, &node).map_err(|e| e.text().unwrap())?;
        }
        all(&found, given, "http://127.0.0.1:8600").map_err(|e| e.text().unwrap())
    }

    #[test]
    fn tables_and_variables_become_receivers() {
        let text = "[[receiver]]\nname = \"desk\"\nformat = \"json\"\nurl = \"env:HOOK\"\nseverity = \"HIGH\"\n\
                    [[receiver]]\nname = \"home\"\nformat = \"ntfy\"\nurl = \"http://127.0.0.1:8099/t\"\nallow_http = true\n\
                    allow_private = [\"127.0.0.1/32:8099\"]\n";
        let names: Vec<String> = read(text).unwrap().into_iter().map(|r| r.name).collect();
        assert_eq!(names[..2], ["desk", "home"]);
        assert!(names.len() == 3 && names[2].starts_with("env-all-"), "{names:?}");
    }

    #[test]
    fn mistakes_are_named_with_their_line_and_without_secrets() {
        let base = "# whom\n[[receiver]]\nname = \"desk\"\nformat = \"json\"\nurl = \"https://h.example/s3cret\"\n";
        for (text, want) in [
            (base.replace("format", "formt"), "a receiver has no key `formt` — did you mean `format`?"),
            (base.replace("\"json\"", "\"jsn\""), "'jsn' is no format"),
            (base.replace("https://h.example/s3cret", "env:NOT_THERE"), "the variable NOT_THERE is not set"),
            (base.replace("https://h", "http://h"), "its url is http"),
            (format!("{base}{base}"), "there is a receiver 'desk' already"),
            (format!("{base}token = [\"s3cret\"]\n"), "`token` of a receiver must be"),
            (
                format!("{base}secrets = 5\ntypes = \"s3cret\"\n"),
                "`secrets` of a receiver must be a text or a list of texts",
            ),
            (format!("{base}types = \"s3cret\"\n"), "`types` of a receiver must be a sequence"),
            (format!("{base}severity = \"s3cret\"\n"), "`severity` of a receiver must be one of"),
            (
                format!("{base}allow_private = [\"s3cret\"]\n"),
                "`allow_private` of a receiver must be a list of addresses",
            ),
            ("receiver = 3\n".to_owned(), "receivers are written as [[receiver]] tables"),
        ] {
            let why = read(&text).unwrap_err();
            assert!(why.contains(want) && why.contains("barograph.toml:"), "{why}");
            assert!(!why.contains("s3cret"), "{why}");
        }
    }
}
