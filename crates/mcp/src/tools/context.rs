//! `context`: the weather of one market.

use super::{Answering, MARKET, ToolCall, ToolSpec, items, word};
use crate::answer::{RowTable, ToolAnswer};
use crate::args::{ArgKind, Param};
use crate::fault::CallFault;
use crate::keep::ShownParts;
use serde_json::{Value, json};

pub(super) const TOOL: ToolSpec = ToolSpec {
    name: "context",
    about: "Weather of a market: four axes (risk, trend, volatility, heat), what they mean for stops and size, how old it is.",
    params: &[MARKET, Param::new("why", ArgKind::Flag, "adds rules, what would flip it, readings")],
    has_rows: false,
    run: |call| -> Answering<'_> { Box::pin(run(call)) },
};

/// The axes, the worst first.
const AXES: [&str; 4] = ["risk", "trend", "volatility", "heat"];
/// What of an axis is left out: it says the same another way, or is a part of `why`.
const LEFT_OUT: [&str; 10] = [
    "raw_label",
    "held_by",
    "axis_coverage",
    "nearest_flip",
    "nearest_exit",
    "confirmation",
    "calibration",
    "event_id",
    "confidence_kind",
    "stale",
];

async fn run(call: &ToolCall<'_>) -> Result<ToolAnswer, CallFault> {
    let told =
        if call.args.flag("why") { ShownParts::All } else { ShownParts::Fields(&["freshness_warning", "reasoning"]) };
    let named = ["headline", "instrument", "timestamp", "recorded_until", "price", "regimes", "guidance"];
    let keep = [
        named.map(|name| (name, ShownParts::All)).as_slice(),
        &[
            ("explanation", told),
            ("calls", ShownParts::Fields(&["sentence"])),
            ("stop_vulnerability", ShownParts::Fields(&["long", "short"])),
            ("health", ShownParts::Fields(&["score"])),
        ],
    ]
    .concat();
    let found = call.get_parts(&call.of_market("context"), &[], ShownParts::Within(&keep)).await?;
    let mut answer = ToolAnswer::default();
    answer.fields(&found, &["headline"]);
    answer.field("market", word(&found, "instrument"));
    answer.fields(&found, &["timestamp"]);
    answer.field("age_s", call.age_s(&found["timestamp"]).await?);
    answer.field("freshness_warning", found["explanation"]["freshness_warning"].clone());
    answer.fields(&found, &["recorded_until", "price"]);
    answer.rows(axes(&found["regimes"]));
    let guidance = &found["guidance"];
    for name in ["posture", "posture_action", "risk_bias", "new_entries", "open_positions"] {
        answer.field(name, guidance[name].clone());
    }
    answer.field("reason", found["explanation"]["reasoning"].clone());
    answer.field("probabilities", found["calls"]["sentence"].clone());
    answer.field("stop_vulnerability", vulnerability(&found["stop_vulnerability"]));
    // Health is of what could be judged: of old data it says nothing.
    if found["explanation"]["freshness_warning"].is_null() {
        answer.field("health", found["health"]["score"].clone());
    }
    if call.args.flag("why") {
        why(&found, &mut answer);
    }
    Ok(answer)
}

/// One row an axis: every plain field that says what no other does.
fn axes(regimes: &Value) -> RowTable {
    let all: Vec<Value> = AXES
        .iter()
        .map(|axis| {
            let mut fields = regimes[*axis].as_object().cloned().unwrap_or_default();
            fields.retain(|name, value| !LEFT_OUT.contains(&name.as_str()) && !value.is_object());
            fields.insert("axis".into(), (*axis).into());
            // How long the label holds is no age of a reading.
            if let Some(held) = fields.remove("age_s") {
                fields.insert("held_s".into(), held);
            }
            Value::Object(fields)
        })
        .collect();
    let mut names = vec!["axis", "label", "since", "held_s", "margin", "direction", "held_share_90d"];
    // What an axis gains elsewhere comes last here.
    for axis in &all {
        for name in axis.as_object().into_iter().flatten().map(|(name, _)| name.as_str()) {
            if !names.contains(&name) {
                names.push(name);
            }
        }
    }
    RowTable::of_objects("axes", &names, &all)
}

fn vulnerability(found: &Value) -> Value {
    json!({"long": found["long"], "short": found["short"]})
}

/// Rules, flips and readings.
fn why(found: &Value, answer: &mut ToolAnswer) {
    let explanation = &found["explanation"];
    answer.fields(explanation, &["rule_text", "fired", "nearest_flip", "nearest_exit"]);
    for axis in &AXES[1..] {
        answer.field(format!("{axis}_flip"), found["regimes"][*axis]["nearest_flip"].clone());
    }
    let trace = items(explanation, "trace");
    answer.rows(RowTable::of_objects("rules", &["id", "axis", "result", "margin", "held_share_90d"], trace));
    let readings = explanation["features"].as_object().cloned().unwrap_or_default();
    let readings: Vec<Value> = readings
        .into_iter()
        .map(|(name, mut reading)| {
            reading["feature"] = name.into();
            reading
        })
        .collect();
    answer.rows(RowTable::of_objects(
        "readings",
        &["feature", "value", "unit", "age_s", "state", "kind", "reason"],
        &readings,
    ));
    answer.fields(explanation, &["stale_metrics", "modelled_inputs", "defaults_used", "logic_version"]);
}
