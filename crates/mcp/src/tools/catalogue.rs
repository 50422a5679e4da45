//! `catalogue`: what a number means.

use super::{Answering, ToolCall, ToolSpec, items, word};
use crate::answer::{RowTable, ToolAnswer};
use crate::args::{ArgKind, Param};
use crate::fault::CallFault;
use crate::keep::ShownParts;
use barograph_api::nearest;
use serde_json::Value;

pub(super) const TOOL: ToolSpec = ToolSpec {
    name: "catalogue",
    about: "What a feature or rule means: unit, formula, inputs, window, source. Without id: those whose name or meaning holds text.",
    params: &[
        Param::new("id", ArgKind::Text, "as in realized_vol_1h or HIGH_VOL"),
        Param::new("text", ArgKind::Text, ""),
        Param::new("rules", ArgKind::Flag, "thresholds of rules instead of features"),
    ],
    has_rows: true,
    run: |call| -> Answering<'_> { Box::pin(run(call)) },
};

async fn run(call: &ToolCall<'_>) -> Result<ToolAnswer, CallFault> {
    let features = call.get_now("catalogue", &[], ShownParts::All).await?;
    let features = items(&features, "items");
    let mut answer = ToolAnswer::default();
    if let Some(feature) = call.args.text("id").and_then(|id| features.iter().find(|f| word(f, "id") == id)) {
        let names = ["id", "spoken", "unit", "formula", "inputs", "window", "warm_up", "value_type", "words", "ranks"];
        answer.fields(feature, &names);
        answer.fields(feature, &["source", "version", "group", "update"]);
        return Ok(answer);
    }
    // Rules are read where they are asked for: a book is large.
    let is_of_rules = call.args.text("id").is_some() || call.args.flag("rules");
    let rules = if is_of_rules { call.get_now("whatif", &[], ShownParts::All).await? } else { Value::Null };
    let rules = items(&rules, "items");
    if let Some(id) = call.args.text("id") {
        let of_rule: Vec<Value> =
            rules.iter().filter(|r| [word(r, "rule"), word(r, "name")].contains(&id)).cloned().collect();
        if let Some(first) = of_rule.first() {
            answer.fields(first, &["rule", "axis", "label", "text"]);
            answer.rows(thresholds(&of_rule));
            return Ok(answer);
        }
        let known = features.iter().map(|f| word(f, "id")).chain(rules.iter().map(|r| word(r, "rule")));
        let hint =
            nearest(id, known).map_or_else(|| "search with text".to_owned(), |like| format!("did you mean {like}?"));
        return Err(CallFault::new(format!("id: there is no feature and no rule '{id}'; {hint}")));
    }
    let text = call.args.text("text").map(str::to_lowercase).unwrap_or_default();
    let holds = |item: &&Value| {
        ["id", "name", "spoken", "group", "formula", "text"]
            .iter()
            .any(|field| word(item, field).to_lowercase().contains(&text))
    };
    if call.args.flag("rules") {
        let found: Vec<Value> = rules.iter().filter(holds).skip(call.skip).cloned().collect();
        answer.rows(thresholds(&found));
    } else {
        let found: Vec<Value> = features.iter().filter(holds).skip(call.skip).cloned().collect();
        answer.rows(RowTable::of_objects("features", &["id", "spoken", "unit"], &found));
    }
    Ok(answer)
}

fn thresholds(rules: &[Value]) -> RowTable {
    RowTable::of_objects("thresholds", &["name", "op", "value", "exit", "unit", "axis", "meaning"], rules)
}
