//! `levels`: price levels around the price, the nearest first.

use super::{Answering, MARKET, ToolCall, ToolSpec, items};
use crate::answer::{RowTable, ToolAnswer};
use crate::args::{ArgKind, Param};
use crate::fault::CallFault;
use crate::keep::ShownParts;
use serde_json::Value;

pub(super) const TOOL: ToolSpec = ToolSpec {
    name: "levels",
    about: "Price levels of a market that stand (swings, sessions, order blocks, gaps), nearest first. away: fraction of the price.",
    params: &[
        MARKET,
        Param::new("side", ArgKind::Word(&["above", "below"]), ""),
        Param::new("within", ArgKind::Number, "percent of the price"),
    ],
    has_rows: true,
    run: |call| -> Answering<'_> { Box::pin(run(call)) },
};

/// What is shown of a level.
const FIELDS: [&str; 8] = ["price", "type", "timeframe", "side", "strength", "touches", "known_at", "swept_at"];
/// Levels read at most: more than stand in any market.
const MOST: &str = "5000";

async fn run(call: &ToolCall<'_>) -> Result<ToolAnswer, CallFault> {
    if call.args.number("within").is_some_and(|within| within < 0.0) {
        return Err(CallFault::new("within: it is a distance in percent, 0 or more"));
    }
    let keep = ShownParts::Fields(&["instrument", "timestamp", "price"]);
    let context = call.get_parts(&call.of_market("context"), &[], keep).await?;
    let keep = ShownParts::Within(&[("items", ShownParts::Fields(&FIELDS))]);
    let asked = [("active", Some("true")), ("limit", Some(MOST))];
    let found = call.get_parts(&call.of_market("levels"), &asked, keep).await?;
    let price = context["price"].as_f64().filter(|p| *p > 0.0);
    let mut answer = ToolAnswer::default();
    answer.fields(&context, &["instrument", "timestamp"]);
    answer.field("age_s", call.age_s(&context["timestamp"]).await?);
    answer.fields(&context, &["price"]);
    let Some(price) = price else {
        answer.field("reason", "no price is known, so nothing is near");
        return Ok(answer);
    };
    let away = |level: &Value| level["price"].as_f64().map(|p| p / price - 1.0);
    let is_wanted = |away: f64| {
        let side = match call.args.text("side") {
            Some("above") => away >= 0.0,
            Some(_) => away < 0.0,
            None => true,
        };
        side && call.args.number("within").is_none_or(|most| 100.0 * away.abs() <= most)
    };
    let mut near: Vec<(f64, &Value)> = items(&found, "items")
        .iter()
        .filter_map(|level| Some((away(level).filter(|a| is_wanted(*a))?, level)))
        .collect();
    near.sort_by(|a, b| a.0.abs().total_cmp(&b.0.abs()));
    answer.field("count", near.len());
    // A row takes more than the least, so that no more of them have room.
    let shown = &near[call.skip.min(near.len())..];
    answer.beyond = shown.len().saturating_sub(call.most);
    let shown = &shown[..call.most.min(shown.len())];
    let line = |(away, level): &(f64, &Value)| {
        let of = |name: &&str| level[*name].clone();
        [Value::from(*away)].into_iter().chain(FIELDS.iter().map(of)).collect()
    };
    answer.rows(RowTable::new("levels", ["away"].into_iter().chain(FIELDS), shown.iter().map(line)));
    Ok(answer)
}
