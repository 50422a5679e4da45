//! One board as text or as JSON lines, for a pipe.

use super::client::ServerTarget;
use super::state::{KnownBoard, WatchRow};
use super::table::{BoardMoment, ScreenColumn, ScreenTable, word};
use super::wording;
use crate::failure::Failure;
use barograph_api::board::{CellKind, Column};
use serde_json::Value;
use std::io::Write as _;

/// A pipe has no width; nothing is left out.
const WIDE: usize = 1_000;

pub(crate) fn print(target: &ServerTarget, json: bool) -> Result<(), Failure> {
    let hint = |why: String| Failure::Broken(format!("{why}; start one with: barograph up; or say where with --url"));
    let mut board = KnownBoard::default();
    board.apply("board", target.get("/api/v1/board").map_err(hint)?).map_err(Failure::Broken)?;
    let mut out = std::io::stdout().lock();
    if json {
        for line in lines(&board) {
            writeln!(out, "{line}")?;
        }
    } else {
        write!(out, "{}", text(&board))?;
    }
    Ok(out.flush()?)
}

/// The board as people read it.
fn text(board: &KnownBoard) -> String {
    let view = super::keys::View::default();
    let rows = view.rows(board);
    let at = BoardMoment { now_ms: board.now_ms, silent_s: None };
    let table = ScreenTable::new(board, &rows, at, WIDE);
    let mut out = format!("{}\n{}\n", wording::moment(board.now_ms), super::draw::counts(board));
    if rows.is_empty() {
        out.push_str("no market yet; record with: barograph up\n");
        return out;
    }
    let line = |texts: &mut dyn Iterator<Item = &str>| {
        let padded =
            table.columns.iter().zip(texts).map(|((kind, _, width), text)| ScreenTable::padded(*kind, text, *width));
        padded.collect::<Vec<_>>().join(" ").trim_end().to_owned()
    };
    out.push_str(&format!("{}\n", line(&mut table.columns.iter().map(|c| c.1))));
    for cells in &table.lines {
        out.push_str(&format!("{}\n", line(&mut cells.iter().map(|c| c.text.as_str()))));
    }
    headlines(&mut out, &rows, &table);
    out
}

/// Below the table, what it comes to for each market.
fn headlines(out: &mut String, rows: &[&WatchRow], table: &ScreenTable) {
    let Some(room) = table.columns.first().map(|(_, _, width)| *width) else { return };
    let mut apart = "\n";
    for (row, cells) in rows.iter().zip(&table.lines).filter(|(row, _)| !row.headline.is_empty()) {
        let market = cells.first().map_or("", |cell| cell.text.as_str());
        out.push_str(&format!("{apart}{} {}\n", ScreenTable::padded(ScreenColumn::Market, market, room), row.headline));
        apart = "";
    }
}

/// One object per row: cells by name, labels as words.
fn lines(board: &KnownBoard) -> Vec<Value> {
    let line = |row: &WatchRow| {
        let mut line = serde_json::Map::new();
        for (name, value) in [("instrument", &row.instrument), ("symbol", &row.symbol), ("venue", &row.venue)] {
            line.insert(name.to_owned(), Value::from(value.as_str()));
        }
        line.insert("headline".to_owned(), Value::from(row.headline.as_str()));
        for (spec, value) in Column::ALL.iter().zip(&row.cells) {
            let value = match spec.kind {
                CellKind::Code(_) => word(board, row, spec.column).map_or(Value::Null, Value::from),
                _ => value.clone(),
            };
            line.insert(spec.name.to_owned(), value);
        }
        line.insert("reasons".to_owned(), serde_json::json!(row.reasons));
        Value::Object(line)
    };
    board.rows.iter().map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::watch::state::tests::board;

    #[test]
    fn a_pipe_gets_every_column_and_words_instead_of_codes() {
        let text = text(&board());
        for part in [
            "2026-02-05 14:35:00Z",
            "feeds 1 live, 1 lost",
            "synthetic",
            "BTC/USDT ▁▅ █",
            "63,120 −8.1 % HIGH_VOL ⚡",
            "SQUEEZE_RISK ⇥▼",
            "stale 14 min",
        ] {
            assert!(text.contains(part), "'{part}' is not in\n{text}");
        }
        assert!(!text.contains('\x1b'));
        assert!(text.ends_with("\n\nBTC/USDT High volatility (1 h vol 118 % annualised).\n"), "{text}");
        let lines = lines(&board());
        assert_eq!((&lines[0]["risk"], &lines[0]["price"]), (&Value::from("HIGH_VOL"), &Value::from(63120.5)));
        assert_eq!(lines[0]["headline"], "High volatility (1 h vol 118 % annualised).");
        assert_eq!(lines[1]["reasons"]["change_24h"], "warming");
        assert_eq!(lines[1]["change_24h"], Value::Null);
    }
}
