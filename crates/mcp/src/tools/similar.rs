//! `similar`: past hours most like a moment, and what came of them.

use super::{Answering, MARKET, ToolCall, ToolSpec, items};
use crate::answer::{RowTable, ToolAnswer};
use crate::fault::CallFault;
use serde_json::json;

pub(super) const TOOL: ToolSpec = ToolSpec {
    name: "similar",
    about: "Past hours of a market most like a moment (as_of, default now), and how price moved in 4 h and 24 h after them against all hours.",
    params: &[MARKET],
    has_rows: true,
    run: |call| -> Answering<'_> { Box::pin(run(call)) },
};

async fn run(call: &ToolCall<'_>) -> Result<ToolAnswer, CallFault> {
    let found = call.get(&call.of_market("similar"), &[]).await?;
    let mut answer = ToolAnswer::default();
    answer.fields(&found, &["sentence", "instrument", "ts"]);
    answer.field("age_s", call.age_s(&found["ts"]).await?);
    answer.field("units", json!({"move": "fraction", "realized_vol": "fraction a year", "distance": "scales"}));
    answer.fields(&found, &["raw_label", "moments", "hours", "span", "reason", "moves"]);
    let fields = ["ts", "distance", "raw_label", "price", "move_4h", "move_24h", "realized_vol_1h_after"];
    let episodes = items(&found, "episodes");
    answer.rows(RowTable::of_objects("episodes", &fields, &episodes[call.skip.min(episodes.len())..]));
    Ok(answer)
}
