//! The facts of an answer as lines, for clients that read text.

use crate::answer::RowTable;
use serde_json::Value;

/// A named value on one line.
pub(crate) fn field(name: &str, value: &Value) -> String {
    format!("{name}: {}", plain(value))
}

/// A head and a line for each row.
pub(crate) fn table(table: &RowTable) -> String {
    if table.rows.is_empty() {
        return format!("{}: none", table.name);
    }
    let line = |row: &Vec<Value>| row.iter().map(plain).collect::<Vec<_>>().join("|");
    let lines: Vec<String> = table.rows.iter().map(line).collect();
    format!("{} ({})\n{}", table.name, table.columns.join("|"), lines.join("\n"))
}

fn plain(value: &Value) -> String {
    match value {
        Value::Null => "-".to_owned(),
        Value::String(text) => text.clone(),
        Value::Array(items) => items.iter().map(plain).collect::<Vec<_>>().join(", "),
        Value::Object(fields) => {
            let each = |(name, value): (&String, &Value)| match value {
                Value::Array(_) | Value::Object(_) => format!("{name} ({})", plain(value)),
                _ => format!("{name} {}", plain(value)),
            };
            fields.iter().map(each).collect::<Vec<_>>().join(", ")
        }
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn every_fact_is_on_its_line() {
        let flip = json!({"feature": "realized_vol_1h", "needed": 0.8, "levels": [1, 2], "of": {"a": null}});
        assert_eq!(field("flip", &flip), "flip: feature realized_vol_1h, levels (1, 2), needed 0.8, of (a -)");
        let rows = [vec![json!("a"), json!(1.5)], vec![json!("b"), Value::Null]];
        assert_eq!(table(&RowTable::new("markets", ["market", "n"], rows)), "markets (market|n)\na|1.5\nb|-");
        assert_eq!(table(&RowTable::new("markets", ["market"], [])), "markets: none");
    }
}
