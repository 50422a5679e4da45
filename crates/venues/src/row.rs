//! A row as every format hands it over: cells by position, text or typed, nothing copied.
//!
//! CSV and JSON give the bytes as they stand, so a price is parsed exactly once from its decimal text. Parquet and
//! Feather give numbers that are numbers already.

use crate::number;
use crate::reject::{Reject, RejectReason};
use barograph_domain::Ts;

/// One cell.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum TableCell<'a> {
    /// Nothing there: an empty field, a null, a float that is no number.
    Empty,
    /// Text without its quotes.
    Text(&'a [u8]),
    /// A binary float.
    Float(f64),
    /// A binary integer.
    Int(i64),
    /// A typed instant; naive ones count as UTC.
    Time(Ts),
}

/// A table whose cells are typed (Parquet, Feather). Implemented where the file is read.
pub trait TypedColumns {
    /// Number of columns.
    fn width(&self) -> usize;
    /// The cell, [`TableCell::Empty`] where there is none.
    fn cell(&self, column: usize, row: usize) -> TableCell<'_>;
}

/// A row of any table.
#[derive(Clone, Copy)]
pub enum Row<'a> {
    /// Byte ranges of one line.
    Text {
        /// The line.
        line: &'a [u8],
        /// Begin and end of each cell in it, quotes left out.
        cells: &'a [(u32, u32)],
    },
    /// A position in a typed table.
    Typed {
        /// The table.
        columns: &'a dyn TypedColumns,
        /// The position.
        row: usize,
    },
}

impl std::fmt::Debug for Row<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries((0..self.width()).map(|i| self.cell(i))).finish()
    }
}

impl<'a> Row<'a> {
    /// Number of cells.
    #[must_use]
    pub fn width(&self) -> usize {
        match self {
            Self::Text { cells, .. } => cells.len(),
            Self::Typed { columns, .. } => columns.width(),
        }
    }
    /// The cell; [`TableCell::Empty`] beyond the last.
    #[must_use]
    pub fn cell(&self, column: usize) -> TableCell<'a> {
        match *self {
            Self::Text { line, cells } => match cells.get(column) {
                Some(&(from, until)) if from < until => TableCell::Text(&line[from as usize..until as usize]),
                _ => TableCell::Empty,
            },
            Self::Typed { columns, row } => columns.cell(column, row),
        }
    }
    /// A number that must be there.
    ///
    /// # Errors
    /// Empty or no number.
    pub fn number(&self, column: usize) -> Result<f64, Reject> {
        self.optional(column)?.ok_or(Reject::cell(RejectReason::MissingValue, column))
    }
    /// A number or absence.
    ///
    /// # Errors
    /// Present and no finite number.
    pub fn optional(&self, column: usize) -> Result<Option<f64>, Reject> {
        let value = match self.cell(column) {
            TableCell::Empty => return Ok(None),
            TableCell::Text(text) => number::decimal(text),
            TableCell::Float(v) => Some(v),
            TableCell::Int(n) => number::whole(n),
            TableCell::Time(_) => None,
        };
        match value {
            Some(v) if v.is_finite() => Ok(Some(v)),
            _ => Err(Reject::cell(RejectReason::NotANumber, column)),
        }
    }
    /// An unsigned integer that must be there (trade ids).
    ///
    /// # Errors
    /// Empty or no unsigned integer.
    pub fn id(&self, column: usize) -> Result<u64, Reject> {
        let value = match self.cell(column) {
            TableCell::Empty => return Err(Reject::cell(RejectReason::MissingValue, column)),
            TableCell::Text(text) => number::unsigned(text),
            TableCell::Int(n) => u64::try_from(n).ok(),
            TableCell::Float(_) | TableCell::Time(_) => None,
        };
        value.ok_or(Reject::cell(RejectReason::NotANumber, column))
    }
    /// An instant or absence.
    ///
    /// # Errors
    /// Present and no instant between 2009 and 2200.
    pub fn optional_time(&self, column: usize) -> Result<Option<Ts>, Reject> {
        let at = match self.cell(column) {
            TableCell::Empty => return Ok(None),
            TableCell::Text(text) => number::instant(text),
            TableCell::Int(n) => Ts::from_epoch(n),
            TableCell::Float(v) => number::whole_float(v).and_then(Ts::from_epoch),
            TableCell::Time(at) => Some(at),
        };
        match at {
            Some(at) if number::PLAUSIBLE.contains(&at) => Ok(Some(at)),
            _ => Err(Reject::cell(RejectReason::NotATime, column)),
        }
    }
    /// An instant that must be there.
    ///
    /// # Errors
    /// Empty, or no instant between 2009 and 2200.
    pub fn time(&self, column: usize) -> Result<Ts, Reject> {
        self.optional_time(column)?.ok_or(Reject::cell(RejectReason::MissingValue, column))
    }
    /// Text as it stands; numbers and times have none.
    #[must_use]
    pub fn text(&self, column: usize) -> Option<&'a [u8]> {
        match self.cell(column) {
            TableCell::Text(text) => Some(text),
            TableCell::Empty | TableCell::Float(_) | TableCell::Int(_) | TableCell::Time(_) => None,
        }
    }
    /// The cell as a message shows it, at most 40 characters.
    #[must_use]
    pub fn shown(&self, column: usize) -> String {
        let text = match self.cell(column) {
            TableCell::Empty => String::new(),
            TableCell::Text(text) => String::from_utf8_lossy(text).into_owned(),
            TableCell::Float(v) => v.to_string(),
            TableCell::Int(n) => n.to_string(),
            TableCell::Time(at) => at.iso(),
        };
        let clean = |c: char| if c.is_control() { '\u{fffd}' } else { c };
        if text.chars().count() <= 40 {
            return text.chars().map(clean).collect();
        }
        text.chars().take(39).map(clean).chain(['…']).collect()
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// Splits a line at its commas, for tests.
    pub(crate) fn spans(line: &str) -> Vec<(u32, u32)> {
        let mut at = 0;
        line.split(',')
            .map(|cell| {
                let from = at;
                at += u32::try_from(cell.len()).unwrap() + 1;
                (from, at - 1)
            })
            .collect()
    }

    #[test]
    fn cells_are_read_as_what_they_are_or_refused_with_their_column() {
        let line = "1735689600000,1.5,,abc,-7,NaN";
        let cells = spans(line);
        let row = Row::Text { line: line.as_bytes(), cells: &cells };
        assert_eq!(row.time(0), Ok(Ts::from_millis(1_735_689_600_000)));
        assert_eq!(row.number(1), Ok(1.5));
        assert_eq!(row.optional(2), Ok(None));
        assert_eq!(row.number(2), Err(Reject::cell(RejectReason::MissingValue, 2)));
        assert_eq!(row.number(3), Err(Reject::cell(RejectReason::NotANumber, 3)));
        assert_eq!(row.number(5), Err(Reject::cell(RejectReason::NotANumber, 5)));
        assert_eq!(row.time(3), Err(Reject::cell(RejectReason::NotATime, 3)));
        assert_eq!(row.id(4), Err(Reject::cell(RejectReason::NotANumber, 4)));
        assert_eq!(row.number(99), Err(Reject::cell(RejectReason::MissingValue, 99)));
    }
}
