//! `events`: alerts and changes, the newest first, or one of them as a case.

use super::{Answering, ToolCall, ToolSpec, items, word};
use crate::answer::{RowTable, ToolAnswer};
use crate::args::{ArgKind, Param};
use crate::ask::segment;
use crate::fault::CallFault;
use crate::keep::ShownParts;
use serde_json::Value;

pub(super) const TOOL: ToolSpec = ToolSpec {
    name: "events",
    about: "Alerts and label changes, newest first. id: one of them with evidence, base rate, similar earlier ones, what followed.",
    params: &[
        Param::new("market", ArgKind::Text, "default all"),
        Param::new("pattern", ArgKind::Text, "as in LIQUIDATION_CASCADE"),
        Param::new("severity", ArgKind::Word(&["INFO", "LOW", "MEDIUM", "HIGH", "CRITICAL"]), "at least"),
        Param::new("open", ArgKind::Flag, "not over yet"),
        Param::new("from", ArgKind::Text, ""),
        Param::new("to", ArgKind::Text, ""),
        Param::new("id", ArgKind::Text, "alert_id, or its first characters"),
    ],
    has_rows: true,
    run: |call| -> Answering<'_> { Box::pin(run(call)) },
};

/// Records of events read at most: an alert has one for its begin and one for its end.
const MOST: usize = 1_000;
/// What is shown of an event.
const FIELDS: [&str; 8] =
    ["opened_at", "instrument", "pattern_type", "severity", "state", "title", "experimental", "alert_id"];
/// Records read for a row.
const EACH: usize = 2;

async fn run(call: &ToolCall<'_>) -> Result<ToolAnswer, CallFault> {
    match call.args.text("id") {
        Some(id) => one(call, id).await,
        None => all(call).await,
    }
}

async fn all(call: &ToolCall<'_>) -> Result<ToolAnswer, CallFault> {
    call.within(MOST / EACH)?;
    let limit = EACH.saturating_mul(call.from.saturating_add(call.most)).min(MOST).to_string();
    let parameters = [
        ("market", call.args.text("market")),
        ("pattern", call.args.text("pattern")),
        ("severity", call.args.text("severity")),
        ("open", call.args.flag("open").then_some("true")),
        ("start", call.args.text("from")),
        ("end", call.args.text("to")),
        ("order", Some("desc")),
        ("limit", Some(limit.as_str())),
    ];
    let keep = ShownParts::Within(&[("items", ShownParts::Fields(&FIELDS)), ("next_cursor", ShownParts::All)]);
    let found = call.get_parts("events", &parameters, keep).await?;
    // The newest record of an alert says what became of it.
    let mut seen = std::collections::BTreeSet::new();
    let newest = items(&found, "items").iter().filter(|event| seen.insert(word(event, "alert_id").to_owned()));
    let rows: Vec<&Value> = newest.skip(call.skip).collect();
    let mut answer = ToolAnswer::default();
    answer.rows(RowTable::of_first("events", &FIELDS, &rows, call.most));
    answer.beyond = rows.len().saturating_sub(call.most) + usize::from(found["next_cursor"].is_string());
    Ok(answer)
}

async fn one(call: &ToolCall<'_>, id: &str) -> Result<ToolAnswer, CallFault> {
    let found = call.get(&format!("events/{}", segment(id)), &[]).await?;
    let mut answer = ToolAnswer::default();
    answer.fields(&found, &["title", "instrument", "pattern_type", "severity", "state", "experimental"]);
    answer.fields(
        &found,
        &["opened_at", "known_at", "closed_at", "description", "new_entries", "open_positions", "clears"],
    );
    let evidence = &found["evidence"];
    answer.rows(RowTable::of_objects(
        "statistics",
        &["name", "value", "threshold", "unit", "percentile"],
        items(evidence, "statistics"),
    ));
    answer.fields(evidence, &["base_rate", "outcome", "limits", "similar", "similar_reason", "window"]);
    answer.fields(&found, &["data", "moment", "alert_id", "logic_version"]);
    Ok(answer)
}
