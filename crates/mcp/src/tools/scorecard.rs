//! `scorecard`: how good past calls were.

use super::{Answering, ToolCall, ToolSpec, items};
use crate::answer::{RowTable, ToolAnswer};
use crate::args::{ArgKind, Param};
use crate::fault::CallFault;
use serde_json::{Value, json};

pub(super) const TOOL: ToolSpec = ToolSpec {
    name: "scorecard",
    about: "How good past calls were: skill over persistence with its 90 % band, cases, how often the event came anyway; alerts with precision and recall.",
    params: &[
        Param::new("event", ArgKind::Text, "as in hv_1h"),
        Param::new("market", ArgKind::Text, "a market, all (default), btc, eth or other"),
        Param::new("window", ArgKind::Word(&["30d", "90d", "365d", "all"]), "default all"),
    ],
    has_rows: true,
    run: |call| -> Answering<'_> { Box::pin(run(call)) },
};

async fn run(call: &ToolCall<'_>) -> Result<ToolAnswer, CallFault> {
    let parameters = [
        ("event", call.args.text("event")),
        ("market", call.args.text("market").or(Some("all"))),
        ("window", call.args.text("window").or(Some("all"))),
    ];
    let found = call.get("scorecard", &parameters).await?;
    let mut answer = ToolAnswer::default();
    answer.fields(&found, &["span", "markets"]);
    let line = |row: &Value| {
        let skill = &row["persistence"];
        let cases = &row["denominators"];
        vec![
            row["event"].clone(),
            row["scope"].clone(),
            row["verdict"].clone(),
            skill["value"].clone(),
            json!([skill["low"], skill["high"]]),
            row["n_eff"].clone(),
            cases["scored"].clone(),
            cases["void"].clone(),
            cases["abstained"].clone(),
            row["base_rate"].clone(),
            row["ece"].clone(),
        ]
    };
    let columns = [
        "event",
        "scope",
        "verdict",
        "skill",
        "band_90",
        "n_eff",
        "scored",
        "void",
        "abstained",
        "base_rate",
        "calibration_error",
    ];
    answer.rows(RowTable::new("scores", columns, items(&found, "rows").iter().skip(call.skip).map(line)));
    let fields = ["alert", "event", "n", "precision", "precision_band", "recall", "lead_min", "per_day"];
    answer.rows(RowTable::of_objects("alerts", &fields, items(&found, "alerts")));
    Ok(answer)
}
