//! Rows as columns of text: what is written in each cell, and which columns have room.

use super::state::{KnownBoard, WatchRow};
use super::wording::{self, NONE, Tone};
use barograph_api::board::{CellKind, Column, flags};
use barograph_domain::Ts;
use barograph_query::recorded::day;
use ratatui::text::Span;
use std::collections::BTreeMap;

/// A column of the screen.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum ScreenColumn {
    Market,
    Spark,
    Price,
    Change,
    Risk,
    Trend,
    Volatility,
    Heat,
    Funding,
    Oi,
    Margin,
    Held,
    Age,
}

const KINDS: [(ScreenColumn, &str); 13] = [
    (ScreenColumn::Market, "market"),
    (ScreenColumn::Spark, "last hour"),
    (ScreenColumn::Price, "price"),
    (ScreenColumn::Change, "24 h"),
    (ScreenColumn::Risk, "risk"),
    (ScreenColumn::Trend, "trend"),
    (ScreenColumn::Volatility, "vol"),
    (ScreenColumn::Heat, "heat"),
    (ScreenColumn::Funding, "funding 8h"),
    (ScreenColumn::Oi, "OI 4 h"),
    (ScreenColumn::Margin, "margin"),
    (ScreenColumn::Held, "held"),
    (ScreenColumn::Age, "age"),
];

/// What goes first where there is no room.
const DROPPED: [ScreenColumn; 10] = [
    ScreenColumn::Spark,
    ScreenColumn::Held,
    ScreenColumn::Margin,
    ScreenColumn::Oi,
    ScreenColumn::Funding,
    ScreenColumn::Heat,
    ScreenColumn::Trend,
    ScreenColumn::Volatility,
    ScreenColumn::Change,
    ScreenColumn::Age,
];

/// Closes in a sparkline.
const SPARK: usize = 12;

/// A cell of the screen.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(crate) struct ScreenCell {
    pub(crate) text: String,
    pub(crate) tone: Tone,
}

/// The board at a moment.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct BoardMoment {
    pub(crate) now_ms: i64,
    /// Nothing has come for so many seconds; what is shown is old.
    pub(crate) silent_s: Option<u64>,
}

/// Columns that fit, with their widths, and the rows in them.
#[derive(Debug)]
pub(crate) struct ScreenTable {
    pub(crate) columns: Vec<(ScreenColumn, &'static str, usize)>,
    pub(crate) lines: Vec<Vec<ScreenCell>>,
}

/// Width of a text on a terminal.
pub(crate) fn width(text: &str) -> usize {
    Span::raw(text).width()
}

impl ScreenTable {
    /// Of the rows that are seen, in at most `room` columns of the terminal.
    pub(crate) fn new(board: &KnownBoard, rows: &[&WatchRow], at: BoardMoment, room: usize) -> Self {
        let mut named: BTreeMap<&str, u32> = BTreeMap::new();
        for row in &board.rows {
            *named.entry(&row.symbol).or_default() += 1;
        }
        let twins = |row: &WatchRow| named.get(row.symbol.as_str()).is_some_and(|count| *count > 1);
        let mut columns: Vec<(ScreenColumn, &'static str, usize)> =
            KINDS.iter().map(|(k, name)| (*k, *name, width(name))).collect();
        let mut lines: Vec<Vec<ScreenCell>> = rows
            .iter()
            .map(|row| KINDS.iter().map(|(kind, _)| cell(board, row, *kind, at, twins(row))).collect())
            .collect();
        for line in &lines {
            for (column, cell) in columns.iter_mut().zip(line) {
                column.2 = column.2.max(width(&cell.text));
            }
        }
        for kind in DROPPED {
            // Two columns of the terminal stand before the first: where the cursor is.
            let taken: usize = columns.iter().map(|c| c.2 + 1).sum::<usize>() + 1;
            let Some(place) = columns.iter().position(|c| c.0 == kind).filter(|_| taken > room) else { continue };
            columns.remove(place);
            for line in &mut lines {
                line.remove(place);
            }
        }
        Self { columns, lines }
    }

    /// A text in its column: words to the left, numbers to the right.
    pub(crate) fn padded(kind: ScreenColumn, text: &str, room: usize) -> String {
        let gap = " ".repeat(room.saturating_sub(width(text)));
        match kind {
            ScreenColumn::Market
            | ScreenColumn::Spark
            | ScreenColumn::Risk
            | ScreenColumn::Trend
            | ScreenColumn::Volatility
            | ScreenColumn::Heat => {
                format!("{text}{gap}")
            }
            ScreenColumn::Price
            | ScreenColumn::Change
            | ScreenColumn::Funding
            | ScreenColumn::Oi
            | ScreenColumn::Margin
            | ScreenColumn::Held
            | ScreenColumn::Age => {
                format!("{gap}{text}")
            }
        }
    }
}

/// The word of a code in a column of labels; `None` where there is no reading yet.
pub(crate) fn word<'a>(board: &'a KnownBoard, row: &WatchRow, column: Column) -> Option<&'a str> {
    let CellKind::Code(axis) = column.spec().kind else { return None };
    board.labels.of(axis).get(usize::try_from(row.whole(column)?).ok()?).map(String::as_str)
}

/// Is what the row says too old to be trusted?
pub(crate) fn is_stale(row: &WatchRow, at: BoardMoment) -> bool {
    at.silent_s.is_some() || row.flag(flags::STALE) || row.flag(flags::LOST)
}

fn cell(board: &KnownBoard, row: &WatchRow, kind: ScreenColumn, at: BoardMoment, twin: bool) -> ScreenCell {
    let number = |column, print: &dyn Fn(f64) -> String| row.number(column).map_or(NONE.to_owned(), print);
    let plain = |text: String| ScreenCell { text, tone: Tone::Plain };
    let axis = |column: Column| {
        let word = word(board, row, column).unwrap_or("UNKNOWN");
        let (sign, tone) = wording::label(column.spec().name, word);
        (word, sign, tone)
    };
    let now = at.now_ms / 1_000;
    let mut cell = match kind {
        ScreenColumn::Market => plain(if twin { row.instrument.clone() } else { row.symbol.clone() }),
        ScreenColumn::Spark => plain(wording::spark(&row.spark, SPARK)),
        ScreenColumn::Price => plain(number(Column::Price, &crate::term::price)),
        ScreenColumn::Change => plain(number(Column::Change24h, &|x| wording::percent(x, 1, true))),
        ScreenColumn::Risk => {
            let (word, sign, tone) = axis(Column::Risk);
            let side = match (word, row.whole(Column::Squeeze)) {
                ("SQUEEZE_RISK", Some(1)) => "▼",
                ("SQUEEZE_RISK", Some(2)) => "▲",
                _ => "",
            };
            ScreenCell { text: format!("{word} {sign}{side}"), tone }
        }
        ScreenColumn::Trend => {
            let (_, sign, tone) = axis(Column::Trend);
            ScreenCell { text: sign.to_owned(), tone }
        }
        ScreenColumn::Volatility => {
            let (_, sign, tone) = axis(Column::Volatility);
            ScreenCell { text: format!("{sign} {}", number(Column::Vol24h, &|x| wording::percent(x, 0, false))), tone }
        }
        ScreenColumn::Heat => {
            let (_, sign, tone) = axis(Column::Heat);
            ScreenCell { text: sign.to_owned(), tone }
        }
        ScreenColumn::Funding => plain(number(Column::Funding8h, &|x| wording::percent(x, 4, false))),
        ScreenColumn::Oi => plain(number(Column::Oi4h, &|x| wording::percent(x, 1, true))),
        ScreenColumn::Margin => plain(number(Column::Margin, &|x| wording::fixed(x, 1))),
        ScreenColumn::Held => plain(row.whole(Column::RiskSince).map_or(NONE.to_owned(), |t| wording::age(now - t))),
        ScreenColumn::Age => plain(age(row, now)),
    };
    if is_stale(row, at) {
        cell.tone = Tone::Faint;
    }
    cell
}

/// How old the reading is, and in a word what is wrong with it; of a recording the day on which it ends.
fn age(row: &WatchRow, now: i64) -> String {
    let ends = row.whole(Column::RowTs).filter(|_| row.flag(flags::RECORDED));
    if let Some(end) = ends {
        return format!("until {}", day(Ts::from_millis(1_000 * end)));
    }
    let age = row.whole(Column::RowTs).map(|t| wording::age(now - t));
    let what = if row.flag(flags::LOST) {
        "lost"
    } else if row.flag(flags::STALE) {
        "stale"
    } else if row.flag(flags::WARMING) && age.is_none() {
        "warming"
    } else {
        ""
    };
    match age {
        Some(age) if what.is_empty() => age,
        Some(age) => format!("{what} {age}"),
        None if what.is_empty() => NONE.to_owned(),
        None => what.to_owned(),
    }
}
