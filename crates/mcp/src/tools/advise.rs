//! `advise`: what a trade somebody has in mind is walking into.

use super::{Answering, MARKET, ToolCall, ToolSpec, items};
use crate::answer::{RowTable, ToolAnswer};
use crate::args::{ArgKind, Param};
use crate::fault::CallFault;
use serde_json::Value;

pub(super) const TOOL: ToolSpec = ToolSpec {
    name: "advise",
    about: "What a trade on a side you name is walking into: verdict with its base rate, reasons, size, stop, options. It never picks a side.",
    params: &[
        MARKET,
        Param::new("side", ArgKind::Word(&["long", "short"]), "").needed(),
        Param::new("entry", ArgKind::Number, "price").needed(),
        Param::new("stop", ArgKind::Number, "price"),
        Param::new("equity", ArgKind::Number, "in quote; without it no size"),
        Param::new("taker_fee", ArgKind::Number, "fraction"),
    ],
    has_rows: false,
    run: |call| -> Answering<'_> { Box::pin(run(call)) },
};

async fn run(call: &ToolCall<'_>) -> Result<ToolAnswer, CallFault> {
    let named =
        [("market", "symbol"), ("entry", "entry"), ("stop", "stop"), ("equity", "equity"), ("taker_fee", "taker_fee")];
    let mut body = call.chosen(&named);
    body.insert("side".into(), call.args.needed("side").to_uppercase().into());
    let found = call.post("advice", &[("as_of", call.args.as_of())], Value::Object(body)).await?;
    let mut answer = ToolAnswer::default();
    answer.fields(&found, &["summary", "verdict", "instrument", "market"]);
    // How often a verdict comes was counted over hours that may lie behind the moment asked about.
    if call.args.as_of().is_none() {
        answer.fields(&found, &["verdict_base_rate_text"]);
    }
    answer.fields(&found, &["size", "stop", "target"]);
    answer.rows(RowTable::of_objects("reasons", &["code", "verdict", "text"], items(&found, "reasons")));
    answer.rows(RowTable::of_objects("options", &["option", "text", "size", "stop"], items(&found, "options")));
    answer.fields(
        &found,
        &["new_entries", "open_positions", "expected_value", "error", "not_evaluated", "defaults_used"],
    );
    Ok(answer)
}
