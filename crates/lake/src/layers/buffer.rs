//! Rows on their way into a file, a vector per column, as Parquet wants them: the cells that are there, densely, and the places of
//! those that are not.

use super::schema::{CellType, FIRST_LEVEL, LakeColumn};
use super::stage::{LevelRow, LevelStage};
use arrow_array::cast::AsArray as _;
use arrow_array::types::{Float64Type, TimestampNanosecondType, UInt8Type, UInt16Type, UInt32Type, UInt64Type};
use arrow_array::{Array, ArrayRef, RecordBatch};
use parquet::data_type::ByteArray;
use std::ops::Range;

/// Cells by Parquet's physical types; counts without a sign are kept bit by bit.
#[derive(Clone, PartialEq, Debug)]
pub(super) enum Cells {
    I64(Vec<i64>),
    I32(Vec<i32>),
    F64(Vec<f64>),
    Bool(Vec<bool>),
    Bytes(Vec<ByteArray>),
}

/// One column.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct ColumnBuffer {
    pub(super) cells: Cells,
    /// Rows of the buffer whose cell is absent, rising.
    pub(super) nulls: Vec<u32>,
}

/// Rows of a table.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct RowBuffer {
    pub(super) columns: Vec<ColumnBuffer>,
    pub(super) rows: usize,
    /// Levels of the last rows that are not in their columns yet; see [`Self::settle`].
    stage: LevelStage,
}

impl ColumnBuffer {
    fn new(cells: CellType, room: usize) -> Self {
        let cells = match cells {
            CellType::Moment | CellType::U64 => Cells::I64(Vec::with_capacity(room)),
            CellType::U32 | CellType::U16 | CellType::U8 => Cells::I32(Vec::with_capacity(room)),
            CellType::F64 => Cells::F64(Vec::with_capacity(room)),
            CellType::Bool => Cells::Bool(Vec::with_capacity(room)),
            CellType::Text => Cells::Bytes(Vec::with_capacity(room)),
        };
        Self { cells, nulls: Vec::new() }
    }

    /// The cell of row `row` is absent.
    #[inline]
    pub(super) fn push_null(&mut self, row: usize) {
        // A buffer has at most `encode::GROUP_ROWS` rows.
        self.nulls.push(u32::try_from(row).unwrap_or(u32::MAX));
    }

    #[inline]
    pub(super) fn push_f64(&mut self, value: f64) {
        match &mut self.cells {
            Cells::F64(cells) => cells.push(value),
            _ => debug_assert!(false, "not a column of floats"),
        }
    }

    #[inline]
    pub(super) fn push_i64(&mut self, value: i64) {
        match &mut self.cells {
            Cells::I64(cells) => cells.push(value),
            _ => debug_assert!(false, "not a column of 64 bits"),
        }
    }

    #[inline]
    pub(super) fn push_i32(&mut self, value: i32) {
        match &mut self.cells {
            Cells::I32(cells) => cells.push(value),
            _ => debug_assert!(false, "not a column of 32 bits"),
        }
    }

    #[inline]
    pub(super) fn push_bool(&mut self, value: bool) {
        match &mut self.cells {
            Cells::Bool(cells) => cells.push(value),
            _ => debug_assert!(false, "not a column of yes and no"),
        }
    }

    pub(super) fn push_text(&mut self, value: &str) {
        match &mut self.cells {
            Cells::Bytes(cells) => cells.push(value.as_bytes().to_vec().into()),
            _ => debug_assert!(false, "not a column of texts"),
        }
    }

    /// Adds the cells of an array that are there; `before` rows are in the buffer already.
    fn extend(&mut self, array: &ArrayRef, before: usize) -> Result<(), String> {
        let there = |row: &usize| array.is_valid(*row);
        if array.null_count() > 0 {
            (0..array.len()).filter(|row| !there(row)).for_each(|row| self.push_null(before + row));
        }
        let rows = (0..array.len()).filter(there);
        match (&mut self.cells, CellTypeOf::new(array)?) {
            (Cells::I64(out), CellTypeOf::Moment(values)) if array.null_count() == 0 => out.extend_from_slice(values),
            (Cells::I64(out), CellTypeOf::Moment(values)) => out.extend(rows.map(|r| values[r])),
            (Cells::I64(out), CellTypeOf::U64(values)) => out.extend(rows.map(|r| values[r].cast_signed())),
            (Cells::I32(out), CellTypeOf::U32(values)) => out.extend(rows.map(|r| values[r].cast_signed())),
            (Cells::I32(out), CellTypeOf::U16(values)) => out.extend(rows.map(|r| i32::from(values[r]))),
            (Cells::I32(out), CellTypeOf::U8(values)) => out.extend(rows.map(|r| i32::from(values[r]))),
            (Cells::F64(out), CellTypeOf::F64(values)) if array.null_count() == 0 => out.extend_from_slice(values),
            (Cells::F64(out), CellTypeOf::F64(values)) => out.extend(rows.map(|r| values[r])),
            (Cells::Bool(out), CellTypeOf::Bool) => out.extend(rows.map(|r| array.as_boolean().value(r))),
            (Cells::Bytes(out), CellTypeOf::Text) => {
                out.extend(rows.map(|r| ByteArray::from(array.as_string::<i32>().value(r).as_bytes().to_vec())));
            }
            _ => return Err(format!("a column is of type {} here and of another elsewhere", array.data_type())),
        }
        Ok(())
    }
}

/// An array by what it holds.
enum CellTypeOf<'a> {
    Moment(&'a [i64]),
    U64(&'a [u64]),
    U32(&'a [u32]),
    U16(&'a [u16]),
    U8(&'a [u8]),
    F64(&'a [f64]),
    Bool,
    Text,
}

impl<'a> CellTypeOf<'a> {
    fn new(array: &'a ArrayRef) -> Result<Self, String> {
        use arrow_schema::{DataType, TimeUnit};
        Ok(match array.data_type() {
            DataType::Timestamp(TimeUnit::Nanosecond, _) => {
                Self::Moment(array.as_primitive::<TimestampNanosecondType>().values())
            }
            DataType::UInt64 => Self::U64(array.as_primitive::<UInt64Type>().values()),
            DataType::UInt32 => Self::U32(array.as_primitive::<UInt32Type>().values()),
            DataType::UInt16 => Self::U16(array.as_primitive::<UInt16Type>().values()),
            DataType::UInt8 => Self::U8(array.as_primitive::<UInt8Type>().values()),
            DataType::Float64 => Self::F64(array.as_primitive::<Float64Type>().values()),
            DataType::Boolean => Self::Bool,
            DataType::Utf8 => Self::Text,
            other => return Err(format!("a column of type {other} is none of the lake's")),
        })
    }
}

impl RowBuffer {
    /// An empty buffer with room for this many rows.
    pub(super) fn new(columns: &[LakeColumn], room: usize) -> Self {
        Self {
            columns: columns.iter().map(|c| ColumnBuffer::new(c.cells, room)).collect(),
            rows: 0,
            stage: LevelStage::default(),
        }
    }

    /// Adds the levels of the row under way, of which the other cells are in their columns.
    #[inline]
    pub(super) fn push_levels(&mut self, row: &LevelRow) {
        if self.stage.push(row) {
            self.settle_before(self.rows + 1);
        }
    }

    /// Puts every cell into its column.
    pub(super) fn settle(&mut self) {
        self.settle_before(self.rows);
    }

    fn settle_before(&mut self, rows: usize) {
        let staged = self.stage.len();
        if let Some(levels) = self.columns.get_mut(FIRST_LEVEL..).filter(|_| staged > 0) {
            self.stage.settle(levels, rows - staged);
        }
    }

    /// Takes every row out and keeps the room.
    pub(super) fn clear(&mut self) {
        for column in &mut self.columns {
            column.nulls.clear();
            match &mut column.cells {
                Cells::I64(cells) => cells.clear(),
                Cells::I32(cells) => cells.clear(),
                Cells::F64(cells) => cells.clear(),
                Cells::Bool(cells) => cells.clear(),
                Cells::Bytes(cells) => cells.clear(),
            }
        }
        self.rows = 0;
    }

    /// Adds rows of a file with these columns.
    pub(super) fn extend(&mut self, batch: &RecordBatch, rows: Range<usize>) -> Result<(), String> {
        let batch = batch.slice(rows.start, rows.len());
        if batch.num_columns() != self.columns.len() {
            return Err(format!("{} columns here and {} elsewhere", batch.num_columns(), self.columns.len()));
        }
        for (column, array) in self.columns.iter_mut().zip(batch.columns()) {
            column.extend(array, self.rows)?;
        }
        self.rows += rows.len();
        Ok(())
    }
}
