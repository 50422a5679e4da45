//! Just enough JSON Schema to hold every answer against the committed OpenAPI document: references, types, required and
//! unknown fields, arrays, maps, enumerations, alternatives and objects put together of several.

use serde_json::Value;

pub(crate) fn document() -> Value {
    serde_json::from_str(include_str!("../../openapi.json")).unwrap()
}

/// Everything in which a value is not what the schema says.
pub(crate) fn differences(api: &Value, schema: &Value, value: &Value, at: &str) -> Vec<String> {
    if let Some(name) = schema["$ref"].as_str().and_then(|r| r.rsplit('/').next()) {
        return differences(api, &api["components"]["schemas"][name], value, at);
    }
    if let Some(options) = schema["oneOf"].as_array().or(schema["anyOf"].as_array()) {
        let tried: Vec<Vec<String>> = options.iter().map(|o| differences(api, o, value, at)).collect();
        return tried.into_iter().min_by_key(Vec::len).unwrap_or_default();
    }
    if let Some(parts) = schema["allOf"].as_array() {
        return differences(api, &merged(api, parts), value, at);
    }
    let mut wrong = Vec::new();
    if !type_fits(&schema["type"], value) {
        wrong.push(format!("{at}: {value} is not {}", schema["type"]));
    }
    if let Some(words) = schema["enum"].as_array()
        && !words.contains(value)
    {
        wrong.push(format!("{at}: {value} is none of {words:?}"));
    }
    match value {
        Value::Object(fields) => {
            let needed = schema["required"].as_array().into_iter().flatten();
            for name in needed.filter_map(Value::as_str).filter(|n| !fields.contains_key(*n)) {
                wrong.push(format!("{at}: {name} is missing"));
            }
            for (name, field) in fields {
                let known = &schema["properties"][name];
                let known = if known.is_null() { &schema["additionalProperties"] } else { known };
                if known.is_null() {
                    wrong.push(format!("{at}: {name} is not documented"));
                } else {
                    wrong.extend(differences(api, known, field, &format!("{at}.{name}")));
                }
            }
        }
        Value::Array(items) => {
            for (n, item) in items.iter().enumerate() {
                wrong.extend(differences(api, &schema["items"], item, &format!("{at}[{n}]")));
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
    wrong
}

/// One object of the fields of several.
fn merged(api: &Value, parts: &[Value]) -> Value {
    let (mut properties, mut required) = (serde_json::Map::new(), Vec::new());
    for part in parts {
        let named = part["$ref"].as_str().and_then(|r| r.rsplit('/').next());
        let part = named.map_or(part, |name| &api["components"]["schemas"][name]);
        properties.extend(part["properties"].as_object().unwrap().clone());
        required.extend(part["required"].as_array().into_iter().flatten().cloned());
    }
    serde_json::json!({ "type": "object", "properties": properties, "required": required })
}

fn type_fits(wanted: &Value, value: &Value) -> bool {
    let fits = |name: &str| match name {
        "null" => value.is_null(),
        "boolean" => value.is_boolean(),
        "integer" => value.is_i64() || value.is_u64(),
        "number" => value.is_number(),
        "string" => value.is_string(),
        "array" => value.is_array(),
        "object" => value.is_object(),
        _ => false,
    };
    match wanted {
        Value::String(name) => fits(name),
        Value::Array(names) => names.iter().filter_map(Value::as_str).any(fits),
        _ => true,
    }
}

#[test]
fn the_checker_finds_what_is_wrong() {
    let api = document();
    let schema = serde_json::json!({"$ref": "#/components/schemas/MetricPoint"});
    let good = serde_json::json!({
        "timestamp": "2026-02-05T00:00:00Z", "symbol": "BTCUSDT", "metric_name": "funding_rate", "value": 0.1,
        "source": "binance_futures", "tags": {"contract": "perpetual"}, "known_ts": "2026-02-05T00:00:05Z"
    });
    assert_eq!(differences(&api, &schema, &good, ""), Vec::<String>::new());
    for (field, value) in [("value", "text".into()), ("extra", 1.into()), ("tags", serde_json::json!({"a": 1}))] {
        let mut bad = good.clone();
        bad[field] = value;
        assert_eq!(differences(&api, &schema, &bad, "").len(), 1, "{field}");
    }
    let mut bad = good.clone();
    bad.as_object_mut().unwrap().remove("known_ts");
    assert_eq!(differences(&api, &schema, &bad, ""), [": known_ts is missing"]);
}
