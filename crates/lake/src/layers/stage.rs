//! A few rows of many columns, side by side, before they go to their columns a piece at a time.
//!
//! The columns of a full buffer are half a megabyte each and begin at the same place of a page, so the ends of eighty of them share a few
//! lines of the processor's cache: putting every row into them cell by cell took a third of the time of the whole writer.

use super::buffer::{Cells, ColumnBuffer};
use super::schema::LEVELS;

/// Groups of columns of levels.
const GROUPS: usize = 4;
/// Rows that wait; as many numbers of one column as fill four lines of the cache.
const ROWS: usize = 32;

/// Numbers of the levels of one row, and how many of each group are there.
pub(super) type LevelRow = ([[f64; LEVELS]; GROUPS], [usize; GROUPS]);

/// Rows that wait.
#[derive(Clone, PartialEq, Debug, Default)]
pub(super) struct LevelStage {
    rows: Vec<LevelRow>,
}

impl LevelStage {
    /// Adds a row; `true` when it was the last that fits.
    #[inline]
    pub(super) fn push(&mut self, row: &LevelRow) -> bool {
        self.rows.push(*row);
        self.rows.len() >= ROWS
    }

    /// Puts the rows behind those of the columns, `before` in number.
    pub(super) fn settle(&mut self, columns: &mut [ColumnBuffer], before: usize) {
        for (at, column) in columns.iter_mut().enumerate().take(GROUPS * LEVELS) {
            let (group, level) = (at / LEVELS, at % LEVELS);
            let Cells::F64(cells) = &mut column.cells else { continue };
            if self.rows.iter().all(|(_, counts)| counts[group] > level) {
                cells.extend(self.rows.iter().map(|(numbers, _)| numbers[group][level]));
                continue;
            }
            let there = self.rows.iter().filter(|(_, counts)| counts[group] > level);
            cells.extend(there.map(|(numbers, _)| numbers[group][level]));
            for (row, (_, counts)) in self.rows.iter().enumerate() {
                if counts[group] <= level {
                    column.push_null(before + row);
                }
            }
        }
        self.rows.clear();
    }

    pub(super) const fn len(&self) -> usize {
        self.rows.len()
    }
}
