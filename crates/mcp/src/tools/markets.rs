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
    cells: Vec<&'a RawValue>,
}

impl BoardRow<'_> {
    /// A cell that is a whole number.
    fn code(&self, at: usize) -> Option<i64> {
        self.cells.get(at)?.get().parse().ok()
    }

    fn number(&self, at: usize) -> Option<f64> {
        self.cells.get(at)?.get().parse().ok()
    }

    fn cell(&self, at: usize) -> Value {
        self.cells.get(at).and_then(|cell| serde_json::from_str(cell.get()).ok()).unwrap_or_default()
    }

    /// The word of a code.
    fn word<'w>(&self, at: usize, words: &'w [Cow<'_, str>]) -> Option<&'w str> {
        words.get(usize::try_from(self.code(at)?).ok()?).map(Cow::as_ref)
    }
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
    let fits = |row: &BoardRow<'_>| {
        let text = call.args.text("text").map(str::to_lowercase);
        let named = |text: String| [&row.instrument, &row.symbol].iter().any(|n| n.to_lowercase().contains(&text));
        call.args.text("venue").is_none_or(|venue| row.venue == venue) && text.is_none_or(named)
    };
    let has_label = |row: &BoardRow<'_>| {
        label.as_ref().is_none_or(|label| axes.iter().any(|(at, words)| row.word(*at, words) == Some(label.as_str())))
    };
    let is_large = |row: &BoardRow<'_>| {
        let least = call.args.number("min_oi_usd");
        least.is_none_or(|least| interest.and_then(|at| row.number(at)).is_some_and(|oi| oi >= least))
    };
    let mut shown: Vec<&BoardRow<'_>> =
        board.rows.iter().filter(|row| fits(row) && has_label(row) && is_large(row)).collect();
    shown.sort_by_key(|row| core::cmp::Reverse(risk.and_then(|at| row.code(at))));
    let mut answer = ToolAnswer::default();
    answer.field("as_of", board.ts.as_ref());
    answer.field("count", shown.len());
    answer.field("units", json!({"change_24h": "fraction", "margin": "scales", "vol": "fraction a year, 1 h", "funding_8h": "fraction", "oi_4h": "fraction", "vol_24h": "fraction a year", "oi_usd": "USD", "vol_pct_90d": "rank 0 to 1", "health": "0 to 100"}));
    let columns: Vec<usize> =
        (0..board.columns.len()).filter(|at| !LEFT_OUT.contains(&board.columns[*at].as_ref())).collect();
    let now = Ts::parse(&board.ts).ok();
    let line = |row: &&BoardRow<'_>| {
        let minute = row_ts.and_then(|at| row.code(at));
        let age = || Some(now?.0.div_euclid(SECOND) - minute?);
        let cell = |at: &usize| {
            let words = axes.iter().find(|(axis, _)| axis == at);
            let label = words.and_then(|(at, words)| row.word(*at, words));
            label.map_or_else(|| row.cell(*at), Into::into)
        };
        [row.instrument.as_ref().into(), age().into()].into_iter().chain(columns.iter().map(cell)).collect()
    };
    let names = ["market", "age_s"].into_iter().chain(columns.iter().map(|at| board.columns[*at].as_ref()));
    let asked_for = &shown[call.skip.min(shown.len())..];
    let written = &asked_for[..call.most.min(asked_for.len())];
    answer.rows(RowTable::new("markets", names, written.iter().map(line)));
    answer.beyond = asked_for.len() - written.len();
    Ok(answer)
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
