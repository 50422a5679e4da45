//! `whatif`: what a changed rule would have said of stored readings.

use super::{Answering, ToolCall, ToolSpec, items};
use crate::answer::{RowTable, ToolAnswer};
use crate::args::{ArgKind, Param};
use crate::fault::CallFault;
use barograph_domain::Ts;
use serde_json::Value;

pub(super) const TOOL: ToolSpec = ToolSpec {
    name: "whatif",
    about: "How often changed thresholds would have held on stored readings, against today's. Their names: catalogue with rules.",
    params: &[
        Param::new("set", ArgKind::Texts, "as in HIGH_VOL.realized_vol_1h=0.9"),
        Param::new("when", ArgKind::Text, "a condition on signals of one's own, as in x.mood > 0.6"),
        Param::new("markets", ArgKind::Texts, "default all"),
        Param::new("from", ArgKind::Text, ""),
        Param::new("to", ArgKind::Text, ""),
    ],
    has_rows: false,
    run: |call| -> Answering<'_> { Box::pin(run(call)) },
};

async fn run(call: &ToolCall<'_>) -> Result<ToolAnswer, CallFault> {
    let mut body =
        call.chosen(&[("set", "set"), ("when", "when"), ("markets", "markets"), ("from", "from"), ("to", "to")]);
    // What is asked as of a moment ends there.
    if let Some(moment) = call.as_of {
        let asked =
            call.args.text("to").map(Ts::parse).transpose().map_err(|why| CallFault::new(format!("to: {why}")))?;
        body.insert("to".into(), asked.map_or(moment, |to| to.min(moment)).iso().into());
    }
    let found = call.post("whatif", &[], Value::Object(body)).await?;
    let mut answer = ToolAnswer::default();
    answer.fields(&found, &["base", "from", "to", "changes"]);
    let all = &found["all"];
    answer.fields(all, &["market_days", "alerts_per_day"]);
    let mut signals = found["signals"].clone();
    if call.as_of.is_some()
        && let Some(fields) = signals.as_object_mut()
    {
        fields.remove("forecasts");
    }
    answer.field("signals", signals);
    answer.fields(&found, &["left_out"]);
    answer.rows(labels(items(all, "axes")));
    answer.field("minutes_not_as_published", all["minutes_not_as_published"].clone());
    let line = |market: &Value| vec![market["instrument"].clone(), market["alerts_per_day"].clone()];
    answer.rows(RowTable::new("markets", ["market", "alerts_per_day"], items(&found, "markets").iter().map(line)));
    answer.fields(all, &["rules"]);
    // What followed is not known of a moment.
    if call.args.as_of().is_none() {
        answer.fields(all, &["forecasts"]);
    }
    Ok(answer)
}

/// A row for each label of each axis.
fn labels(axes: &[Value]) -> RowTable {
    let row = |axis: &Value, label: &Value| {
        let both = |of: &str| [label[of]["before"].clone(), label[of]["after"].clone()];
        let [share, entries] = [both("share"), both("entries_per_day")];
        let named = [axis["axis"].clone(), label["label"].clone()];
        named.into_iter().chain(share).chain(entries).chain([label["overlap"].clone()]).collect()
    };
    let rows: Vec<Vec<Value>> =
        axes.iter().flat_map(|axis| items(axis, "labels").iter().map(move |label| row(axis, label))).collect();
    let columns = ["axis", "label", "share", "share_changed", "entries_per_day", "entries_per_day_changed", "overlap"];
    RowTable::new("labels", columns, rows)
}
