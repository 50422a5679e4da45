//! Settings files as one kind of tree, whether written in TOML or in YAML, with the line of every key.
//!
//! The extension decides: `.yaml` and `.yml` are YAML 1.2, everything else is TOML. Nothing is interpreted here.

use crate::failure::Failure;
use saphyr::{LoadableYamlNode as _, MarkedYaml, Scalar, YamlData};
use std::path::Path;

/// A value with its place.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct Node {
    /// Counted from 1.
    pub(super) line: usize,
    pub(super) value: Value,
}

/// What can be written; numbers keep their spelling.
#[derive(Clone, PartialEq, Debug)]
pub(super) enum Value {
    Text(String),
    Number(String),
    Bool(bool),
    List(Vec<Node>),
    Table(Table),
    /// YAML's empty value.
    Nothing,
}

/// Key, its line, what it holds; in the order of the file.
pub(super) type Table = Vec<(String, usize, Node)>;

/// The file's outermost table.
pub(super) fn read(path: &Path) -> Result<Table, Failure> {
    let text = std::fs::read_to_string(path).map_err(|e| Failure::usage(format!("{}: {e}", path.display())))?;
    let yaml = path.extension().is_some_and(|e| e.eq_ignore_ascii_case("yaml") || e.eq_ignore_ascii_case("yml"));
    let table = if yaml { of_yaml(&text) } else { of_toml(&text) };
    table.map_err(|(line, why)| Failure::usage(format!("{}:{line}: {why}", path.display())))
}

type Wrong = (usize, String);

fn of_toml(text: &str) -> Result<Table, Wrong> {
    let document = toml_edit::Document::parse(text)
        .map_err(|e| (e.span().map_or(1, |s| line_of(text, s.start)), e.message().to_owned()))?;
    toml_table(text, document.as_table())
}

fn line_of(text: &str, at: usize) -> usize {
    text.bytes().take(at).filter(|b| *b == b'\n').count() + 1
}

fn toml_table(text: &str, table: &dyn toml_edit::TableLike) -> Result<Table, Wrong> {
    let mut out = Table::new();
    for (key, item) in table.iter() {
        let line = table.key(key).and_then(toml_edit::Key::span).map_or(1, |s| line_of(text, s.start));
        out.push((key.to_owned(), line, Node { line, value: toml_item(text, key, line, item)? }));
    }
    Ok(out)
}

fn toml_item(text: &str, key: &str, line: usize, item: &toml_edit::Item) -> Result<Value, Wrong> {
    if let Some(tables) = item.as_array_of_tables() {
        let node = |table: &toml_edit::Table| {
            let line = table.span().map_or(line, |s| line_of(text, s.start));
            Ok(Node { line, value: Value::Table(toml_table(text, table)?) })
        };
        return Ok(Value::List(tables.iter().map(node).collect::<Result<_, Wrong>>()?));
    }
    match (item.as_table_like(), item.as_value()) {
        (Some(table), _) => Ok(Value::Table(toml_table(text, table)?)),
        (None, Some(value)) => toml_value(key, line, value),
        (None, None) => Err((line, format!("`{key}` must be a value, a list or a table"))),
    }
}

fn toml_value(key: &str, line: usize, value: &toml_edit::Value) -> Result<Value, Wrong> {
    Ok(match value {
        toml_edit::Value::String(s) => Value::Text(s.value().clone()),
        toml_edit::Value::Integer(n) => Value::Number(n.value().to_string()),
        toml_edit::Value::Float(n) => Value::Number(n.value().to_string()),
        toml_edit::Value::Boolean(b) => Value::Bool(*b.value()),
        toml_edit::Value::Array(items) => {
            let node = |v| Ok(Node { line, value: toml_value(key, line, v)? });
            Value::List(items.iter().map(node).collect::<Result<_, Wrong>>()?)
        }
        toml_edit::Value::Datetime(_) | toml_edit::Value::InlineTable(_) => {
            return Err((line, format!("`{key}` must be a text or a number")));
        }
    })
}

fn of_yaml(text: &str) -> Result<Table, Wrong> {
    let documents = MarkedYaml::load_from_str(text).map_err(|e| (e.marker().line(), e.info().to_owned()))?;
    match &documents[..] {
        [] => Ok(Table::new()),
        [one] => match yaml_node(one)? {
            Node { value: Value::Table(table), .. } => Ok(table),
            Node { value: Value::Nothing, .. } => Ok(Table::new()),
            Node { line, .. } => Err((line, "a settings file holds keys with values".to_owned())),
        },
        [_, second, ..] => Err((second.span.start.line(), "a settings file is one document".to_owned())),
    }
}

fn yaml_node(node: &MarkedYaml<'_>) -> Result<Node, Wrong> {
    let line = node.span.start.line();
    let value = match &node.data {
        YamlData::Value(Scalar::String(text)) => Value::Text(text.to_string()),
        YamlData::Value(Scalar::Integer(n)) => Value::Number(n.to_string()),
        YamlData::Value(Scalar::FloatingPoint(n)) => Value::Number(n.to_string()),
        YamlData::Value(Scalar::Boolean(b)) => Value::Bool(*b),
        YamlData::Value(Scalar::Null) => Value::Nothing,
        YamlData::Sequence(items) => Value::List(items.iter().map(yaml_node).collect::<Result<_, _>>()?),
        YamlData::Mapping(entries) => {
            let mut table = Table::new();
            for (key, value) in entries {
                let at = key.span.start.line();
                let YamlData::Value(Scalar::String(name)) = &key.data else {
                    return Err((at, "a key must be a text".to_owned()));
                };
                table.push((name.to_string(), at, yaml_node(value)?));
            }
            Value::Table(table)
        }
        _ => return Err((line, "tags and aliases are not used in settings files".to_owned())),
    };
    Ok(Node { line, value })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn toml_and_yaml_give_the_same_tree_with_the_lines_of_the_keys() {
        let toml = "# one\nsymbols = [\"BTC/USDT\"]\n[market]\nenabled = true\nvolume = 10000\nshare = 0.5\n";
        let yaml = "# one\nsymbols: [BTC/USDT]\nmarket:\n  enabled: true\n  volume: 10000\n  share: 0.5\n";
        let (toml, yaml) = (of_toml(toml).unwrap(), of_yaml(yaml).unwrap());
        let keys = |t: &Table| t.iter().map(|(k, line, _)| (k.clone(), *line)).collect::<Vec<_>>();
        assert_eq!(keys(&toml), [("symbols".to_owned(), 2), ("market".to_owned(), 3)]);
        assert_eq!(keys(&yaml), keys(&toml));
        let inner = |t: &Table| match &t[1].2.value {
            Value::Table(inner) => inner.iter().map(|(k, l, n)| (k.clone(), *l, n.value.clone())).collect::<Vec<_>>(),
            other => panic!("{other:?}"),
        };
        assert_eq!(inner(&yaml), inner(&toml));
        assert_eq!(inner(&yaml)[2], ("share".to_owned(), 6, Value::Number("0.5".to_owned())));
    }

    #[test]
    fn what_cannot_be_read_names_its_line() {
        for (text, line) in [("a: 1\nb: [1\n", 3), ("a: 1\n---\nb: 2\n", 3), ("a: 1\na: 2\n", 2), ("just words\n", 1)] {
            let (at, why) = of_yaml(text).unwrap_err();
            assert_eq!(at, line, "{text}: {why}");
        }
        assert_eq!(of_toml("a = 1\nb = \n").unwrap_err().0, 2);
        assert_eq!(of_yaml("").unwrap(), Table::new());
    }
}
