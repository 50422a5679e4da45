//! `universe`: how markets move together, and what a basket of them is.

use super::{Answering, ToolCall, ToolSpec, items};
use crate::answer::{RowTable, ToolAnswer};
use crate::args::{ArgKind, Param};
use crate::fault::CallFault;
use crate::keep::ShownParts;
use serde_json::{Value, json};

pub(super) const TOOL: ToolSpec = ToolSpec {
    name: "universe",
    about: "Markets together: correlations of pairs with what is usual, who leads; with holdings the label of the basket.",
    params: &[
        Param::new("markets", ArgKind::Texts, "only pairs of these"),
        Param::new(
            "holdings",
            ArgKind::Objects(&[
                Param::new("symbol", ArgKind::Text, "").needed(),
                Param::new("side", ArgKind::Word(&["long", "short"]), "").needed(),
                Param::new("notional", ArgKind::Number, "quote"),
            ]),
            "",
        ),
    ],
    has_rows: true,
    run: |call| -> Answering<'_> { Box::pin(run(call)) },
};

/// What is shown of a market.
const FIELDS: [&str; 6] = ["instrument", "price", "vol_annual", "risk", "volatility", "lead_score"];
/// What is shown of all, and by what markets are found.
const SHOWN: ShownParts<'_> = ShownParts::Within(&[
    ("timestamp", ShownParts::All),
    ("leading_asset", ShownParts::All),
    (
        "markets",
        ShownParts::Fields(&["instrument", "asset", "price", "vol_annual", "risk", "volatility", "lead_score"]),
    ),
    (
        "pairs",
        ShownParts::Within(&[
            ("asset_pair", ShownParts::All),
            ("reading", ShownParts::Fields(&["a", "b", "corr_20", "corr_30d", "band", "state", "lead"])),
        ]),
    ),
]);

async fn run(call: &ToolCall<'_>) -> Result<ToolAnswer, CallFault> {
    let mut answer = ToolAnswer::default();
    if let Some(holdings) = call.args.value("holdings") {
        let body = json!({"holdings": holdings});
        let found = call.post("portfolio", &[("as_of", call.args.as_of())], body).await?;
        let basket = &found["portfolio"];
        answer.fields(basket, &["regime", "posture", "risk_bias", "systemic", "advice", "vol_annual"]);
        answer.fields(basket, &["avg_pair_corr", "diversification_ratio", "overlaps"]);
        answer.fields(&found, &["timestamp", "basket_from", "left_out"]);
        answer.field("age_s", call.age_s(&found["timestamp"]).await?);
        let fields = ["instrument", "side", "weight", "risk", "volatility"];
        answer.rows(RowTable::of_objects("holdings", &fields, items(&found, "holdings")));
        return Ok(answer);
    }
    let found = call.get_parts("universe", &[], SHOWN).await?;
    answer.fields(&found, &["timestamp"]);
    answer.field("age_s", call.age_s(&found["timestamp"]).await?);
    answer.fields(&found, &["leading_asset"]);
    answer.field(
        "units",
        json!({"corr": "-1 to 1", "vol_annual": "fraction a year", "lead_score": "above 0 moves first"}),
    );
    let markets = items(&found, "markets");
    let name = |at: &Value| at.as_u64().and_then(|at| usize::try_from(at).ok()).and_then(|at| markets.get(at));
    let wanted = call.args.texts("markets");
    if let Some(stranger) = wanted.iter().find(|w| !markets.iter().any(|m| is_named(m, w))) {
        let known: Vec<&str> = markets.iter().filter_map(|m| m["instrument"].as_str()).collect();
        return Err(CallFault::new(format!("markets: '{stranger}' is not compared; there are {}", known.join(", "))));
    }
    let is_wanted = |pair: &&Value| {
        let of = |side: &str| name(&pair["reading"][side]).is_some_and(|m| wanted.iter().any(|w| is_named(m, w)));
        wanted.is_empty() || of("a") && of("b")
    };
    let pairs: Vec<&Value> = items(&found, "pairs").iter().filter(is_wanted).collect();
    let line = |pair: &&Value| {
        let reading = &pair["reading"];
        let lead = &reading["lead"];
        let leads =
            if lead["significant"].as_bool() == Some(true) { lead["ratio"]["value"].clone() } else { Value::Null };
        vec![
            pair["asset_pair"].clone(),
            reading["corr_20"]["value"].clone(),
            reading["corr_30d"]["value"].clone(),
            reading["band"]["low"].clone(),
            reading["band"]["high"].clone(),
            reading["state"].clone(),
            leads,
        ]
    };
    let columns = ["pair", "corr_20h", "corr_30d", "usual_low", "usual_high", "state", "lead_ratio"];
    answer.rows(RowTable::new("pairs", columns, pairs.iter().skip(call.skip).map(line)));
    let shown = markets.iter().filter(|m| wanted.is_empty() || wanted.iter().any(|w| is_named(m, w)));
    answer.rows(RowTable::of_objects("markets", &FIELDS, &shown.cloned().collect::<Vec<_>>()));
    Ok(answer)
}

/// Does a market answer to this name?
fn is_named(market: &Value, name: &str) -> bool {
    let full = market["instrument"].as_str().unwrap_or_default();
    full == name || full.split_once(':').is_some_and(|(_, symbol)| symbol == name) || market["asset"] == name
}
