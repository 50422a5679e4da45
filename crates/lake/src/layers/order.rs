//! The order of the rows of an hour: by `sequence` where the table has one, strictly rising, while `ts` may step back by what clocks of
//! venues jitter; else by `ts`, never falling.

use super::buffer::{Cells, RowBuffer};
use super::schema::LakeTable;
use super::{LayerError, LayerResult};
use barograph_domain::Ts;

/// Where rows have come to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum RowOrder {
    /// The column of sequence numbers and the last of them.
    Sequence { column: usize, last: Option<u64> },
    /// The last `ts`.
    Moment { last: Option<Ts> },
}

impl RowOrder {
    /// Before the first row.
    pub(super) fn of(table: &LakeTable) -> Self {
        Self::of_column(table.place_of("sequence"))
    }

    /// The same, where only the place of the column `sequence` is known.
    pub(super) const fn of_column(sequence: Option<usize>) -> Self {
        match sequence {
            Some(column) => Self::Sequence { column, last: None },
            None => Self::Moment { last: None },
        }
    }

    /// Goes on to the next row.
    #[inline]
    pub(super) fn step(&mut self, ts: Ts, sequence: u64) -> LayerResult<()> {
        match self {
            Self::Sequence { last, .. } => {
                if let Some(last) = *last
                    && sequence <= last
                {
                    return Err(LayerError::Order(format!("sequence {sequence} comes after {last}")));
                }
                *last = Some(sequence);
            }
            Self::Moment { last } => {
                if let Some(last) = *last
                    && ts < last
                {
                    return Err(LayerError::Order(format!("a row of {ts} comes after one of {last}")));
                }
                *last = Some(ts);
            }
        }
        Ok(())
    }

    /// The last sequence number; `None` without one.
    pub(super) const fn last_sequence(&self) -> Option<u64> {
        match self {
            Self::Sequence { last, .. } => *last,
            Self::Moment { .. } => None,
        }
    }

    /// Goes to the end of rows that are in a file already, whatever their order.
    pub(super) fn skip_to_end(&mut self, rows: &RowBuffer) {
        match self {
            Self::Sequence { column, last } => *last = (*last).max(rows.sequences(*column).max()),
            Self::Moment { last } => *last = (*last).max(rows.moments().iter().max().map(|ts| Ts(*ts))),
        }
    }
}

impl RowBuffer {
    /// The column `ts`, which is the first of every table.
    pub(super) fn moments(&self) -> &[i64] {
        self.longs(0)
    }

    /// The column `known_ts`, which is the second.
    pub(super) fn known_moments(&self) -> &[i64] {
        self.longs(1)
    }

    /// A column of counts.
    pub(super) fn sequences(&self, column: usize) -> impl Iterator<Item = u64> {
        self.longs(column).iter().map(|v| v.cast_unsigned())
    }

    fn longs(&self, column: usize) -> &[i64] {
        match self.columns.get(column).map(|c| &c.cells) {
            Some(Cells::I64(cells)) => cells,
            _ => &[],
        }
    }
}
