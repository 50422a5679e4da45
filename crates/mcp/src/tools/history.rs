//! `history`: how readings went, or when labels changed.

use super::{Answering, MARKET, ToolCall, ToolSpec, items, word};
use crate::answer::{RowTable, ToolAnswer};
use crate::args::{ArgKind, Param};
use crate::fault::CallFault;
use crate::keep::ShownParts;
use serde_json::Value;

pub(super) const TOOL: ToolSpec = ToolSpec {
    name: "history",
    about: "How a market went between two moments: readings of features in steps, or without features the changes of its labels.",
    params: &[
        MARKET,
        Param::new("features", ArgKind::Texts, "ids of the catalogue, as in realized_vol_1h"),
        Param::new("from", ArgKind::Text, "first moment").needed(),
        Param::new("to", ArgKind::Text, "moment after the last, default now"),
        Param::new("step", ArgKind::Text, "5m, 1h (default), 1d"),
    ],
    has_rows: true,
    run: |call| -> Answering<'_> { Box::pin(run(call)) },
};

/// Points of an answer at most.
const POINTS: usize = 200;
/// Readings that can be reached by cursors.
const READINGS: usize = 4_800;
/// Label changes read at most.
const CHANGES: usize = 500;
/// What a change of label is called among the events.
const CHANGED: &str = "REGIME_CHANGE,VOLATILITY_REGIME_CHANGE";

async fn run(call: &ToolCall<'_>) -> Result<ToolAnswer, CallFault> {
    if call.args.texts("features").is_empty() { changes(call).await } else { readings(call).await }
}

async fn readings(call: &ToolCall<'_>) -> Result<ToolAnswer, CallFault> {
    call.within(READINGS)?;
    if let Some(several) = call.args.texts("features").iter().find(|id| id.contains(',')) {
        return Err(CallFault::new(format!("features: '{several}' holds several ids; list them one by one")));
    }
    let ids = call.args.texts("features").join(",");
    let limit = (call.from + POINTS).to_string();
    let found = call
        .get(
            &call.of_market("features"),
            &[
                ("ids", Some(&ids)),
                ("start", call.args.text("from")),
                ("end", call.args.text("to")),
                ("every", call.args.text("step").or(Some("1h"))),
                ("limit", Some(&limit)),
            ],
        )
        .await?;
    let asked = call.args.texts("features");
    let rows = items(&found, "items");
    let mut answer = ToolAnswer::default();
    answer.field("market", call.args.needed("market"));
    let catalogue =
        call.get_now("catalogue", &[], ShownParts::Within(&[("items", ShownParts::Fields(&["id", "unit"]))])).await?;
    let unit = |id: &&str| {
        let known = items(&catalogue, "items").iter().find(|f| word(f, "id") == *id)?;
        Some(((*id).to_owned(), known["unit"].clone()))
    };
    answer.field("units", Value::Object(asked.iter().filter_map(unit).collect()));
    let line = |row: &Value| {
        let of = |id: &&str| row["values"][*id].clone();
        [row["ts"].clone()].into_iter().chain(asked.iter().map(of)).collect()
    };
    answer.rows(RowTable::new(
        "series",
        ["ts"].into_iter().chain(asked.iter().copied()),
        rows.iter().skip(call.skip).map(line),
    ));
    answer.beyond = usize::from(found["next_cursor"].is_string());
    Ok(answer)
}

async fn changes(call: &ToolCall<'_>) -> Result<ToolAnswer, CallFault> {
    call.within(CHANGES)?;
    let limit = CHANGES.to_string();
    let asked = [
        ("pattern", Some(CHANGED)),
        ("start", call.args.text("from")),
        ("end", call.args.text("to")),
        ("limit", Some(limit.as_str())),
    ];
    let shown = ShownParts::Within(&[
        ("instrument", ShownParts::All),
        ("timestamp", ShownParts::All),
        ("pattern_type", ShownParts::All),
        ("title", ShownParts::All),
        ("data", ShownParts::Fields(&["from", "to"])),
    ]);
    let keep = ShownParts::Within(&[("items", shown), ("next_cursor", ShownParts::All)]);
    let found = call.get_parts(&call.of_market("events"), &asked, keep).await?;
    let rows = items(&found, "items");
    let mut answer = ToolAnswer::default();
    answer.field("market", rows.first().map_or(call.args.needed("market"), |row| word(row, "instrument")));
    let line = |row: &Value| {
        let of = |name: &str| row["data"][name].clone();
        vec![row["timestamp"].clone(), row["pattern_type"].clone(), of("from"), of("to"), row["title"].clone()]
    };
    answer.rows(RowTable::new(
        "labels",
        ["ts", "change", "from", "to", "title"],
        rows.iter().skip(call.skip).map(line),
    ));
    answer.beyond = usize::from(found["next_cursor"].is_string());
    Ok(answer)
}
