//! `markets`: all of them in lines, or those that fit.

use super::{Answering, ToolCall, ToolSpec};
use crate::answer::{RowTable, ToolAnswer};
use crate::args::{ArgKind, Param};
use crate::ask;
use crate::fault::CallFault;
use barograph_domain::Ts;
use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Value, json};
use std::borrow::Cow;

pub(super) const TOOL: ToolSpec = ToolSpec {
    name: "markets",
    about: "A line for each market, most at risk first: labels, price, margin of the risk label, volatility, funding, age.",
    params: &[
        Param::new("venue", ArgKind::Text, "as in bybit"),
        Param::new("label", ArgKind::Text, "on any axis, as in SQUEEZE_RISK"),
        Param::new("text", ArgKind::Text, "part of the name"),
        Param::new("min_oi_usd", ArgKind::Number, "least open interest, USD"),
    ],
    has_rows: true,
    run: |call| -> Answering<'_> { Box::pin(run(call)) },
};

/// A second of a stamp.
const SECOND: i64 = 1_000_000_000;
/// Columns of the board that are left out: codes, or what `context` says better.
const LEFT_OUT: [&str; 12] = [
    "squeeze",
    "risk_since",
    "flags",
    "confidence",
    "long_bias",
    "risk_multiplier",
    "tf_trend",
    "tf_vol",
    "vol_4h",
    "vol_halflife",
    "open_experimental",
    "row_ts",
];

#[derive(Deserialize)]
struct Board<'a> {
    ts: Cow<'a, str>,
    columns: Vec<Cow<'a, str>>,
    labels: std::collections::BTreeMap<Cow<'a, str>, Vec<Cow<'a, str>>>,
    #[serde(borrow)]
    rows: Vec<BoardRow<'a>>,
}

/// Cells stay text until a row is known to be shown: a thousand markets are a megabyte.
#[derive(Deserialize)]
struct BoardRow<'a> {
    #[serde(borrow)]
    instrument: Cow<'a, str>,
    #[serde(borrow)]
    symbol: Cow<'a, str>,
    #[serde(borrow)]
    venue: Cow<'a, str>,
    #[serde(borrow)]
    cells: &'a RawValue,
}

/// A market that fits, with its cells read.
struct Shown<'a> {
    row: &'a BoardRow<'a>,
    cells: Vec<Value>,
}

async fn run(call: &ToolCall<'_>) -> Result<ToolAnswer, CallFault> {
    let found = ask::bytes(call.inside, &ask::address("/api/v1/board", &[("as_of", call.args.as_of())]), None).await?;
    let board: Board<'_> =
        serde_json::from_slice(&found).map_err(|e| CallFault::new(format!("the board cannot be read: {e}")))?;
    let place = |name: &str| board.columns.iter().position(|c| c == name);
    let axes: Vec<(usize, &Vec<Cow<'_, str>>)> =
        board.labels.iter().filter_map(|(axis, words)| Some((place(axis)?, words))).collect();
    let label = call.args.text("label").map(str::to_uppercase);
    if let Some(label) = &label
        && !axes.iter().any(|(_, words)| words.iter().any(|w| w == label))
    {
        return Err(unknown_label(label, &axes));
    }
    if let Some(venue) = call.args.text("venue")
        && !board.rows.iter().any(|row| row.venue == venue)
    {
        let known: std::collections::BTreeSet<&str> = board.rows.iter().map(|row| row.venue.as_ref()).collect();
        let known = known.into_iter().collect::<Vec<_>>().join(", ");
        return Err(CallFault::new(format!("venue: no market of '{venue}' is known; there are {known}")));
    }
    let (risk, interest, row_ts) = (place("risk"), place("oi_usd"), place("row_ts"));
    let number = |cells: &[Value], at: Option<usize>| at.and_then(|at| cells.get(at)).and_then(Value::as_f64);
    let fits = |row: &BoardRow<'_>| {
        let text = call.args.text("text").map(str::to_lowercase);
        let named = |text: String| [&row.instrument, &row.symbol].iter().any(|n| n.to_lowercase().contains(&text));
        call.args.text("venue").is_none_or(|venue| row.venue == venue) && text.is_none_or(named)
    };
    let mut shown = Vec::new();
    for row in board.rows.iter().filter(|row| fits(row)) {
        let cells: Vec<Value> = serde_json::from_str(row.cells.get()).unwrap_or_default();
        let has_label =
            |label: &String| axes.iter().any(|(at, words)| word(&cells, *at, words) == Some(label.as_str()));
        let is_large = |least: f64| number(&cells, interest).is_some_and(|oi| oi >= least);
        if label.as_ref().is_none_or(has_label) && call.args.number("min_oi_usd").is_none_or(is_large) {
            shown.push(Shown { row, cells });
        }
    }
    let severity = |one: &Shown<'_>| risk.and_then(|at| one.cells.get(at)).and_then(Value::as_i64);
    shown.sort_by_key(|one| core::cmp::Reverse(severity(one)));
    let mut answer = ToolAnswer::default();
    answer.field("as_of", board.ts.as_ref());
    answer.field("count", shown.len());
    answer.field("units", json!({"change_24h": "fraction", "margin": "scales", "vol": "fraction a year, 1 h", "funding_8h": "fraction", "oi_4h": "fraction", "vol_24h": "fraction a year", "oi_usd": "USD", "vol_pct_90d": "rank 0 to 1", "health": "0 to 100"}));
    let columns: Vec<usize> =
        (0..board.columns.len()).filter(|at| !LEFT_OUT.contains(&board.columns[*at].as_ref())).collect();
    let now = Ts::parse(&board.ts).ok();
    let line = |one: &Shown<'_>| {
        let minute = row_ts.and_then(|at| one.cells.get(at)).and_then(Value::as_i64);
        let age = || Some(now?.0.div_euclid(SECOND) - minute?);
        let cell = |at: &usize| {
            let words = axes.iter().find(|(axis, _)| axis == at);
            match words.and_then(|(at, words)| word(&one.cells, *at, words)) {
                Some(label) => label.into(),
                None => one.cells.get(*at).cloned().unwrap_or_default(),
            }
        };
        [one.row.instrument.as_ref().into(), age().into()].into_iter().chain(columns.iter().map(cell)).collect()
    };
    let names = ["market", "age_s"].into_iter().chain(columns.iter().map(|at| board.columns[*at].as_ref()));
    answer.rows(RowTable::new("markets", names, shown.iter().skip(call.skip).map(line)));
    Ok(answer)
}

/// The word of a code.
fn word<'a>(cells: &[Value], at: usize, words: &'a [Cow<'a, str>]) -> Option<&'a str> {
    let code = cells.get(at).and_then(Value::as_u64).and_then(|code| usize::try_from(code).ok())?;
    words.get(code).map(Cow::as_ref)
}

fn unknown_label(label: &str, axes: &[(usize, &Vec<Cow<'_, str>>)]) -> CallFault {
    let all = || axes.iter().flat_map(|(_, words)| words.iter().map(Cow::as_ref));
    let like = barograph_api::nearest(label, all());
    let hint = match like {
        Some(like) => format!("did you mean {like}?"),
        None => format!(
            "there are {}",
            all().collect::<std::collections::BTreeSet<_>>().into_iter().collect::<Vec<_>>().join(", ")
        ),
    };
    CallFault::new(format!("label: no axis has '{label}'; {hint}"))
}
