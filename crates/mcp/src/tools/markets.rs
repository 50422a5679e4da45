//! `markets`: all of them in lines, or those that fit.

use super::{Answering, ToolCall, ToolSpec};
use crate::answer::{RowTable, ToolAnswer};
use crate::args::{ArgKind, Param};
use crate::ask;
use crate::fault::CallFault;
use barograph_domain::Ts;
use serde::Deserialize;
use serde_json::{Value, json};
use std::borrow::Cow;
use std::collections::BTreeSet;

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
    found: usize,
}

#[derive(Deserialize)]
struct BoardRow<'a> {
    #[serde(borrow)]
    instrument: Cow<'a, str>,
    #[serde(borrow)]
    venue: Cow<'a, str>,
    cells: Vec<Value>,
}

/// Most rows that the board gives at once.
const TOP_MAX: usize = 1_000;

impl<'a> Board<'a> {
    fn read(found: &'a [u8]) -> Result<Self, CallFault> {
        serde_json::from_slice(found).map_err(|e| CallFault::new(format!("the board cannot be read: {e}")))
    }
}

async fn run(call: &ToolCall<'_>) -> Result<ToolAnswer, CallFault> {
    let top = call.skip.saturating_add(call.most).min(TOP_MAX).to_string();
    let least = call.args.number("min_oi_usd").map(|least| least.to_string());
    let part = [
        ("as_of", call.args.as_of()),
        ("venue", call.args.text("venue")),
        ("label", call.args.text("label")),
        ("text", call.args.text("text")),
        ("min_oi_usd", least.as_deref()),
        ("top", Some(top.as_str())),
    ];
    let found = ask::bytes(call.inside, &ask::address("/api/v1/board", &part), None).await?;
    let board = Board::read(&found)?;
    if let (Some(venue), true) = (call.args.text("venue"), board.rows.is_empty()) {
        known_venue(call, venue).await?;
    }
    let place = |name: &str| board.columns.iter().position(|c| c == name);
    let axes: Vec<(usize, &Vec<Cow<'_, str>>)> =
        board.labels.iter().filter_map(|(axis, words)| Some((place(axis)?, words))).collect();
    let row_ts = place("row_ts");
    let shown = &board.rows;
    let mut answer = ToolAnswer::default();
    answer.field("as_of", board.ts.as_ref());
    answer.field("count", board.found);
    answer.field("units", json!({"change_24h": "fraction", "margin": "scales", "vol": "fraction a year, 1 h", "funding_8h": "fraction", "oi_4h": "fraction", "vol_24h": "fraction a year", "oi_usd": "USD", "vol_pct_90d": "rank 0 to 1", "health": "0 to 100"}));
    let columns: Vec<usize> =
        (0..board.columns.len()).filter(|at| !LEFT_OUT.contains(&board.columns[*at].as_ref())).collect();
    let now = Ts::parse(&board.ts).ok();
    let line = |row: &BoardRow<'_>| {
        let minute = row_ts.and_then(|at| row.cells.get(at)).and_then(Value::as_i64);
        let age = || Some(now?.0.div_euclid(SECOND) - minute?);
        let cell = |at: &usize| {
            let words = axes.iter().find(|(axis, _)| axis == at);
            let label = words.and_then(|(at, words)| word(&row.cells, *at, words));
            label.map_or_else(|| row.cells.get(*at).cloned().unwrap_or_default(), Into::into)
        };
        [row.instrument.as_ref().into(), age().into()].into_iter().chain(columns.iter().map(cell)).collect()
    };
    let names = ["market", "age_s"].into_iter().chain(columns.iter().map(|at| board.columns[*at].as_ref()));
    let written = &shown[call.skip.min(shown.len())..];
    answer.rows(RowTable::new("markets", names, written.iter().map(line)));
    answer.beyond = board.found.saturating_sub(shown.len());
    Ok(answer)
}

/// The word of a code.
fn word<'a>(cells: &[Value], at: usize, words: &'a [Cow<'a, str>]) -> Option<&'a str> {
    let code = cells.get(at).and_then(Value::as_u64).and_then(|code| usize::try_from(code).ok())?;
    words.get(code).map(Cow::as_ref)
}

/// Refuses a venue of which no market is known; of a known one none fits.
async fn known_venue(call: &ToolCall<'_>, venue: &str) -> Result<(), CallFault> {
    let all = TOP_MAX.to_string();
    let parameters = [("as_of", call.args.as_of()), ("top", Some(all.as_str()))];
    let found = ask::bytes(call.inside, &ask::address("/api/v1/board", &parameters), None).await?;
    let board = Board::read(&found)?;
    let known: BTreeSet<&str> = board.rows.iter().map(|row| row.venue.as_ref()).collect();
    if known.contains(venue) {
        return Ok(());
    }
    let known = known.into_iter().collect::<Vec<_>>().join(", ");
    Err(CallFault::new(format!("venue: no market of '{venue}' is known; there are {known}")))
}
