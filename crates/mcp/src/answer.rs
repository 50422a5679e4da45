//! An answer before it is cut: parts, those that matter most first.

use crate::number::short;
use core::borrow::Borrow;
use serde_json::{Value, json};

/// What a tool answers.
#[derive(Clone, PartialEq, Debug, Default)]
pub(crate) struct ToolAnswer {
    pub(crate) parts: Vec<Part>,
    /// Place of the first row among all there are.
    pub(crate) from: usize,
    /// Rows behind those here, as far as they are known to be.
    pub(crate) beyond: usize,
}

/// A part of it.
#[derive(Clone, PartialEq, Debug)]
pub(crate) enum Part {
    /// A named value.
    Field(String, Value),
    /// Rows, of which the last may be left out.
    Rows(RowTable),
}

/// Rows with the same columns.
#[derive(Clone, PartialEq, Debug)]
pub(crate) struct RowTable {
    pub(crate) name: &'static str,
    pub(crate) columns: Vec<String>,
    pub(crate) rows: Vec<Vec<Value>>,
}

impl RowTable {
    pub(crate) fn new<C: Into<String>>(
        name: &'static str,
        columns: impl IntoIterator<Item = C>,
        rows: impl IntoIterator<Item = Vec<Value>>,
    ) -> Self {
        let rows = rows.into_iter().map(|row| row.into_iter().map(short).collect()).collect();
        Self { name, columns: columns.into_iter().map(Into::into).collect(), rows }
    }

    /// Rows from objects: a column for each of these fields that any of them has.
    pub(crate) fn of_objects(name: &'static str, fields: &[&str], objects: &[Value]) -> Self {
        Self::of_first(name, fields, objects, usize::MAX)
    }

    /// The same, of which only the first `most` are written.
    pub(crate) fn of_first<V: Borrow<Value>>(name: &'static str, fields: &[&str], objects: &[V], most: usize) -> Self {
        let has = |object: &V, field: &str| object.borrow().get(field).is_some_and(|v| !v.is_null());
        let columns: Vec<&str> =
            fields.iter().filter(|field| objects.iter().any(|object| has(object, field))).copied().collect();
        let row = |object: &V| columns.iter().map(|c| object.borrow().get(*c).cloned().unwrap_or_default()).collect();
        Self::new(name, columns.iter().copied(), objects.iter().take(most).map(row))
    }

    pub(crate) fn first(&self, count: usize) -> Self {
        Self { rows: self.rows[..count].to_vec(), ..self.clone() }
    }

    pub(crate) fn value(&self) -> Value {
        json!({"columns": self.columns, "rows": self.rows})
    }
}

impl Part {
    pub(crate) fn field_name(&self) -> Option<&str> {
        match self {
            Self::Field(name, _) => Some(name),
            Self::Rows(_) => None,
        }
    }

    pub(crate) fn row_count(&self) -> Option<usize> {
        match self {
            Self::Field(..) => None,
            Self::Rows(table) => Some(table.rows.len()),
        }
    }
}

impl ToolAnswer {
    /// Adds a value, unless it says nothing.
    pub(crate) fn field(&mut self, name: impl Into<String>, value: impl Into<Value>) {
        let value = short(value.into());
        let says_nothing = match &value {
            Value::Null => true,
            Value::Array(items) => items.is_empty(),
            Value::Object(fields) => fields.is_empty(),
            _ => false,
        };
        if !says_nothing {
            self.parts.push(Part::Field(name.into(), value));
        }
    }

    /// Adds a value as it is, in all its digits: what is put on record is read again.
    pub(crate) fn exact(&mut self, name: &str, value: impl Into<Value>) {
        self.parts.push(Part::Field(name.to_owned(), value.into()));
    }

    /// Adds these fields of an object, as far as it has them.
    pub(crate) fn fields(&mut self, object: &Value, names: &[&str]) {
        for name in names {
            if let Some(value) = object.get(*name) {
                self.field(*name, value.clone());
            }
        }
    }

    /// Adds rows; none are said too.
    pub(crate) fn rows(&mut self, table: RowTable) {
        self.parts.push(Part::Rows(table));
    }
}
