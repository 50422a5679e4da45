//! A TOML document as a small tree in which every key and value knows its byte position.
//!
//! `[[rule]]`, `rule = [{ … }]`, tables and inline tables come out alike, so that the reader of books sees one shape.

use super::problem::Problems;
use toml_edit::{Document, Item, Value};

/// A value and where it starts.
#[derive(Clone, Debug)]
pub(super) struct Node {
    pub(super) at: usize,
    pub(super) kind: NodeKind,
}

#[derive(Clone, Debug)]
pub(super) enum NodeKind {
    Text(String),
    /// Whole and fractional numbers alike, finite.
    Number(f64),
    Bool(bool),
    List(Vec<Node>),
    Table(Vec<Entry>),
    /// A date, or a number that is not finite.
    Other(&'static str),
}

/// A key with its value.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    pub(super) at: usize,
    pub(super) key: String,
    pub(super) value: Node,
}

impl NodeKind {
    /// With an article, for messages.
    pub(super) const fn name(&self) -> &'static str {
        match self {
            Self::Text(_) => "a text",
            Self::Number(_) => "a number",
            Self::Bool(_) => "true or false",
            Self::List(_) => "a list",
            Self::Table(_) => "a table",
            Self::Other(what) => what,
        }
    }
}

/// Parses TOML; a syntax error becomes a problem.
pub(super) fn parse(text: &str, problems: &mut Problems<'_>) -> Option<Vec<Entry>> {
    let document = match Document::parse(text) {
        Ok(document) => document,
        Err(e) => {
            let message = e.message().trim().replace('\n', ", ");
            problems.add(e.span().map_or(0, |s| s.start), format!("not valid TOML: {message}"));
            return None;
        }
    };
    Some(entries(document.as_table()))
}

fn entries(table: &dyn toml_edit::TableLike) -> Vec<Entry> {
    let mut out = Vec::with_capacity(table.len());
    for (name, item) in table.iter() {
        let key_at = table.key(name).and_then(toml_edit::Key::span).map(|s| s.start);
        let value = node(item);
        // The key of an array of tables has its own place; headers without one take the value's.
        out.push(Entry { at: key_at.unwrap_or(value.at), key: name.to_owned(), value });
    }
    out
}

fn node(item: &Item) -> Node {
    let at = item.span().map_or(0, |s| s.start);
    let kind = match item {
        Item::None => NodeKind::Other("nothing"),
        Item::Value(value) => return of_value(value),
        Item::Table(table) => NodeKind::Table(entries(table)),
        Item::ArrayOfTables(tables) => NodeKind::List(
            tables
                .iter()
                .map(|t| Node { at: t.span().map_or(at, |s| s.start), kind: NodeKind::Table(entries(t)) })
                .collect(),
        ),
    };
    Node { at, kind }
}

fn of_value(value: &Value) -> Node {
    let at = value.span().map_or(0, |s| s.start);
    let kind = match value {
        Value::String(s) => NodeKind::Text(s.value().clone()),
        #[expect(clippy::cast_precision_loss, reason = "thresholds and counts are far below 2^53")]
        Value::Integer(n) => NodeKind::Number(*n.value() as f64),
        Value::Float(x) if x.value().is_finite() => NodeKind::Number(*x.value()),
        Value::Float(_) => NodeKind::Other("a number that is not finite"),
        Value::Boolean(b) => NodeKind::Bool(*b.value()),
        Value::Datetime(_) => NodeKind::Other("a date"),
        Value::Array(items) => NodeKind::List(items.iter().map(of_value).collect()),
        Value::InlineTable(table) => NodeKind::Table(entries(table)),
    };
    Node { at, kind }
}
