//! Calendars as tables: TOML, CSV, JSON.

use super::fields::Fields;
use crate::cells::records;
use serde_json::Value;

/// Names a field goes by, ours first; others are what exports call it.
const NAMES: [(&str, &[&str]); 9] = [
    ("id", &["id", "uid"]),
    ("name", &["name", "event", "title", "summary"]),
    ("impact", &["impact", "importance"]),
    ("at", &["at", "date", "datetime", "timestamp", "ts"]),
    ("time", &["time"]),
    ("zone", &["zone", "timezone", "tz", "tzid"]),
    ("source", &["source"]),
    ("known", &["known", "known_ts", "published"]),
    ("cancelled", &["cancelled", "canceled", "status"]),
];

impl Fields {
    /// Sets a field by one of its names; false for a name of none.
    fn set(&mut self, name: &str, value: String) -> bool {
        let lower = name.trim().to_ascii_lowercase();
        let Some((field, _)) = NAMES.iter().find(|(_, names)| names.contains(&lower.as_str())) else { return false };
        let place = match *field {
            "id" => &mut self.id,
            "name" => &mut self.name,
            "impact" => &mut self.impact,
            "at" => &mut self.at,
            "time" => &mut self.time,
            "zone" => &mut self.zone,
            "source" => &mut self.source,
            "known" => &mut self.known,
            _ => &mut self.cancelled,
        };
        *place = value;
        true
    }
}

fn fields_list() -> String {
    NAMES.iter().map(|(f, _)| *f).collect::<Vec<_>>().join(", ")
}

pub(super) fn toml(text: &str) -> Result<Vec<Fields>, String> {
    let document: toml_edit::Document<String> =
        text.to_owned().parse().map_err(|e: toml_edit::TomlError| format!("not TOML: {}", e.message()))?;
    let events = document.get("event").or_else(|| document.get("events"));
    let Some(tables) = events.and_then(toml_edit::Item::as_array_of_tables) else {
        return Err("no [[event]] tables; write one for each event".to_owned());
    };
    tables
        .iter()
        .map(|table| {
            let mut fields = Fields::default();
            for (key, item) in table {
                let value = item.as_value().map_or_else(String::new, plain);
                if !fields.set(key, value) {
                    return Err(format!("'{key}' is no field of an event; the fields are {}", fields_list()));
                }
            }
            Ok(fields)
        })
        .collect()
}

/// A TOML value without its quotes.
fn plain(value: &toml_edit::Value) -> String {
    match value.as_str() {
        Some(text) => text.to_owned(),
        None => value.to_string().trim().to_owned(),
    }
}

pub(super) fn csv(text: &str) -> Result<Vec<Fields>, String> {
    let mut records = records(text)?.into_iter();
    let header =
        records.next().ok_or("the calendar is empty; its first line names the columns, as in name,at,zone,impact")?;
    let mut probe = Fields::default();
    for name in &header {
        probe.set(name, "x".to_owned());
    }
    if probe.name.is_empty() || probe.at.is_empty() {
        return Err(format!(
            "the first line must name the columns, 'name' and 'at' among them; the fields are {}",
            fields_list()
        ));
    }
    let mut list = Vec::new();
    for record in records {
        if record.len() == 1 && record[0].trim().is_empty() {
            continue;
        }
        let mut fields = Fields::default();
        for (name, cell) in header.iter().zip(record) {
            fields.set(name, cell);
        }
        list.push(fields);
    }
    Ok(list)
}

pub(super) fn json(text: &str) -> Result<Vec<Fields>, String> {
    let value: Value = serde_json::from_str(text).map_err(|e| format!("not JSON: {e}"))?;
    let list = match &value {
        Value::Array(list) => list,
        Value::Object(object) => object
            .get("events")
            .or_else(|| object.get("event"))
            .and_then(Value::as_array)
            .ok_or("an object without an 'events' array")?,
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {
            return Err("neither an array of events nor an object with one".to_owned());
        }
    };
    Ok(list.iter().map(of_json).collect())
}

/// An object by its names, or `[date, name, impact]`.
fn of_json(value: &Value) -> Fields {
    let text = |v: &Value| match v {
        Value::String(s) => s.clone(),
        Value::Null => String::new(),
        Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => v.to_string(),
    };
    let mut fields = Fields::default();
    match value {
        Value::Object(object) => {
            for (key, v) in object {
                fields.set(key, text(v));
            }
        }
        Value::Array(cells) => {
            for (name, v) in ["at", "name", "impact"].iter().zip(cells) {
                fields.set(name, text(v));
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
    fields
}
