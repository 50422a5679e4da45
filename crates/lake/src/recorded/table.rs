//! Rows with a header, of CSV, Parquet or Feather: cells by column.

use super::piece::Piece;
use crate::columnar::{self, ColumnarRows};
use crate::csv::{self, CsvRows, Dialect};
use crate::error::Error;
use crate::lines::{End, Line, Lines};
use barograph_domain::Ts;
use barograph_venues::session::Decimal;
use barograph_venues::{TableCell, TypedColumns, number};
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

/// What a step to the next row came to.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum TableStep {
    Row,
    /// A row with another number of cells than the header has.
    Ragged,
    End,
    /// The file breaks off.
    Torn(String),
}

/// Rows of one file.
pub(super) struct TableRows {
    rows: Rows,
    width: usize,
    number: u64,
}

enum Rows {
    Csv(Box<CsvRows>, Option<Line>),
    Columnar(Box<ColumnarRows>, usize),
}

impl TableRows {
    /// The names of the header and the rows below it; names are trimmed and in lower case.
    pub(super) fn open(piece: &Piece, read: &Arc<AtomicU64>) -> Result<(Vec<String>, Self), Error> {
        if let Some(format) = piece.columnar() {
            let unread = |e: String| Error::Usage(format!("{} is {e}", piece.shown));
            let (heading, rows) = columnar::open(&piece.path, format, None, read).map_err(unread)?;
            let names: Vec<String> = heading.names.iter().map(|n| n.trim().to_ascii_lowercase()).collect();
            let width = names.len();
            return Ok((names, Self { rows: Rows::Columnar(Box::new(rows), 0), width, number: 0 }));
        }
        let mut lines = piece.lines(read)?;
        let (mut names, mut delimiter, mut skip_to) = (Vec::new(), b',', 0);
        if let Some(line) = lines.next() {
            let bytes = lines.bytes(&line);
            let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
            (delimiter, skip_to) = (csv::delimiter(bytes), line.number);
            names = String::from_utf8_lossy(bytes)
                .split(char::from(delimiter))
                .map(|n| n.trim().trim_matches('"').to_ascii_lowercase())
                .collect();
        }
        let width = names.len();
        let rows = CsvRows::new(lines, Dialect { delimiter, skip_to }, usize::MAX);
        Ok((names, Self { rows: Rows::Csv(Box::new(rows), None), width, number: skip_to }))
    }

    /// The next row: its cells are then [`Self::cell`].
    pub(super) fn step(&mut self) -> TableStep {
        match &mut self.rows {
            Rows::Csv(rows, line) => {
                *line = rows.next();
                let Some(line) = line else { return ended(&mut rows.lines) };
                if !line.terminated {
                    // What its last number would have gone on with is not known.
                    return TableStep::Torn("its last line has no end".to_owned());
                }
                self.number = line.number;
                if rows.cells().len() == self.width { TableStep::Row } else { TableStep::Ragged }
            }
            Rows::Columnar(rows, row) => match rows.next() {
                None => TableStep::End,
                Some(Err(why)) => TableStep::Torn(why),
                Some(Ok(at)) => {
                    (*row, self.number) = (at, rows.number());
                    TableStep::Row
                }
            },
        }
    }

    /// Number of the row that was stepped to last: its line in text.
    pub(super) fn number(&self) -> u64 {
        self.number
    }

    /// The cell of a column.
    pub(super) fn cell(&self, column: usize) -> TableCell<'_> {
        match &self.rows {
            Rows::Columnar(rows, row) => rows.batch().cell(column, *row),
            Rows::Csv(rows, Some(line)) => match rows.cells().get(column) {
                Some(&(from, to)) if from < to => TableCell::Text(&rows.lines.bytes(line)[from as usize..to as usize]),
                _ => TableCell::Empty,
            },
            Rows::Csv(_, None) => TableCell::Empty,
        }
    }

    /// A finite number.
    pub(super) fn number_of(&self, column: usize) -> Option<f64> {
        match self.cell(column) {
            TableCell::Text(text) => number::decimal(text),
            TableCell::Float(v) => Some(v).filter(|v| v.is_finite()),
            TableCell::Int(n) => number::whole(n),
            TableCell::Empty | TableCell::Time(_) => None,
        }
    }

    /// A number as its digits say, where there are digits.
    pub(super) fn decimal(&self, column: usize) -> Option<Decimal> {
        if let TableCell::Text(text) = self.cell(column) { Decimal::parse(text) } else { None }
    }

    /// A whole number, `-1` and the like included.
    pub(super) fn whole(&self, column: usize) -> Option<i64> {
        match self.cell(column) {
            TableCell::Text(text) => core::str::from_utf8(text).ok()?.parse().ok(),
            TableCell::Int(n) => Some(n),
            TableCell::Float(v) => number::whole_float(v),
            TableCell::Empty | TableCell::Time(_) => None,
        }
    }

    /// A moment of our time: typed, in digits since 1970 of whatever unit, or as text.
    pub(super) fn moment(&self, column: usize) -> Option<Ts> {
        let at = match self.cell(column) {
            TableCell::Time(at) => Some(at),
            TableCell::Text(text) => number::instant(text).or_else(|| seconds(text)),
            TableCell::Int(n) => Ts::from_epoch(n),
            TableCell::Float(v) => number::whole_float(v).and_then(Ts::from_epoch),
            TableCell::Empty => None,
        };
        at.filter(|at| number::PLAUSIBLE.contains(at))
    }

    /// Yes or no, of whatever type.
    pub(super) fn flag(&self, column: usize) -> Option<bool> {
        match self.cell(column) {
            TableCell::Text(text) if text.eq_ignore_ascii_case(b"true") || text == b"1" => Some(true),
            TableCell::Text(text) if text.eq_ignore_ascii_case(b"false") || text == b"0" => Some(false),
            TableCell::Int(n @ 0..=1) => Some(n == 1),
            TableCell::Float(v) => number::whole_float(v).filter(|n| (0..=1).contains(n)).map(|n| n == 1),
            TableCell::Text(_) | TableCell::Int(_) | TableCell::Empty | TableCell::Time(_) => None,
        }
    }

    /// Text as it stands.
    pub(super) fn text(&self, column: usize) -> Option<&[u8]> {
        if let TableCell::Text(text) = self.cell(column) { Some(text) } else { None }
    }
}

/// Seconds since 1970 with decimals, exactly as they are written.
fn seconds(text: &[u8]) -> Option<Ts> {
    let (whole, part) = core::str::from_utf8(text).ok()?.split_once('.')?;
    let digits = u32::try_from(part.len()).ok().filter(|digits| (1..=9).contains(digits))?;
    let part = i64::try_from(number::unsigned(part.as_bytes())?).ok()?.checked_mul(10_i64.pow(9 - digits))?;
    let whole = i64::try_from(number::unsigned(whole.as_bytes())?).ok()?;
    whole.checked_mul(1_000_000_000)?.checked_add(part).map(Ts)
}

fn ended(lines: &mut Lines) -> TableStep {
    match lines.end() {
        End::Whole => TableStep::End,
        End::Torn(e) => TableStep::Torn(e.to_string()),
        End::TooLong => TableStep::Torn("a line has no end".to_owned()),
    }
}

/// Is this the market's symbol, whatever the case and whatever stands between its parts?
pub(super) fn same_symbol(text: &[u8], symbol: &str) -> bool {
    let letters =
        |s: &[u8]| -> Vec<u8> { s.iter().filter(|b| b.is_ascii_alphanumeric()).map(u8::to_ascii_uppercase).collect() };
    text == symbol.as_bytes() || letters(text) == letters(symbol.as_bytes())
}
