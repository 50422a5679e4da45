//! Columns handed in by slices.

use super::buffer::{Cells, ColumnBuffer};
use super::schema::{CellType, LakeColumn};
use super::{LayerError, LayerResult};
use barograph_domain::Ts;
use parquet::data_type::ByteArray;
use std::ops::Range;

/// Cells of one column for some rows.
#[derive(Clone, Copy, Debug)]
pub enum CellSlice<'a> {
    /// Moments in nanoseconds.
    Moment(&'a [Ts]),
    /// Numbers that are all there.
    F64(&'a [f64]),
    /// Numbers, some of which are absent.
    OptionF64(&'a [Option<f64>]),
    /// Numbers, and whether each is there; where it is not, its value is not looked at.
    MaskedF64(&'a [f64], &'a [bool]),
    /// Counts up to 2⁶⁴.
    U64(&'a [u64]),
    /// The same, some of which are absent.
    OptionU64(&'a [Option<u64>]),
    /// Counts up to 2³².
    U32(&'a [u32]),
    /// Counts up to 2¹⁶.
    U16(&'a [u16]),
    /// Categories up to 2⁸.
    U8(&'a [u8]),
    /// The same, some of which are absent.
    OptionU8(&'a [Option<u8>]),
    /// Yes or no.
    Bool(&'a [bool]),
    /// Texts in UTF-8.
    Text(&'a [&'a str]),
    /// The same, some of which are absent.
    OptionText(&'a [Option<&'a str>]),
}

impl CellSlice<'_> {
    /// Rows of the slice.
    #[must_use]
    pub const fn len(&self) -> usize {
        match self {
            Self::Moment(s) => s.len(),
            Self::F64(s) | Self::MaskedF64(s, _) => s.len(),
            Self::OptionF64(s) => s.len(),
            Self::U64(s) => s.len(),
            Self::OptionU64(s) => s.len(),
            Self::U32(s) => s.len(),
            Self::U16(s) => s.len(),
            Self::U8(s) => s.len(),
            Self::OptionU8(s) => s.len(),
            Self::Bool(s) => s.len(),
            Self::Text(s) => s.len(),
            Self::OptionText(s) => s.len(),
        }
    }

    /// Are there no rows?
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.len() == 0
    }

    const fn cells(&self) -> CellType {
        match self {
            Self::Moment(_) => CellType::Moment,
            Self::F64(_) | Self::OptionF64(_) | Self::MaskedF64(..) => CellType::F64,
            Self::U64(_) | Self::OptionU64(_) => CellType::U64,
            Self::U32(_) => CellType::U32,
            Self::U16(_) => CellType::U16,
            Self::U8(_) | Self::OptionU8(_) => CellType::U8,
            Self::Bool(_) => CellType::Bool,
            Self::Text(_) | Self::OptionText(_) => CellType::Text,
        }
    }

    const fn may_lack(&self) -> bool {
        matches!(
            self,
            Self::OptionF64(_) | Self::MaskedF64(..) | Self::OptionU64(_) | Self::OptionU8(_) | Self::OptionText(_)
        )
    }

    /// Do these cells fit into a column of so many rows?
    pub(super) fn check(&self, column: &LakeColumn, rows: usize) -> LayerResult<()> {
        let wrong = |what: String| Err(LayerError::Misuse(format!("column '{}': {what}", column.name)));
        if self.cells() != column.cells {
            return wrong(format!("cells are {} where the table has {}", self.cells().word(), column.cells.word()));
        }
        if self.may_lack() && !column.nullable {
            return wrong("cells may be absent, which the table does not allow".to_owned());
        }
        let masked = match self {
            Self::MaskedF64(_, mask) => mask.len(),
            _ => rows,
        };
        if self.len() != rows || masked != rows {
            return wrong(format!("{} rows where 'ts' has {rows}", self.len()));
        }
        match self.first_nan() {
            Some(row) => wrong(format!("row {row} is not a number; absence is null")),
            None => Ok(()),
        }
    }

    fn first_nan(&self) -> Option<usize> {
        match self {
            Self::F64(s) => s.iter().position(|v| v.is_nan()),
            Self::OptionF64(s) => s.iter().position(|v| v.is_some_and(f64::is_nan)),
            Self::MaskedF64(s, mask) => s.iter().zip(*mask).position(|(v, there)| *there && v.is_nan()),
            _ => None,
        }
    }

    /// Adds a range of rows to a column that has `before` rows. The cells were checked.
    pub(super) fn append(&self, out: &mut ColumnBuffer, rows: Range<usize>, before: usize) {
        let from = rows.start;
        let place = |row: usize| before + row - from;
        match (self, &mut out.cells) {
            (Self::Moment(s), Cells::I64(out)) => out.extend(s[rows].iter().map(|t| t.0)),
            (Self::F64(s), Cells::F64(out)) => out.extend_from_slice(&s[rows]),
            (Self::U64(s), Cells::I64(out)) => out.extend(s[rows].iter().map(|v| v.cast_signed())),
            (Self::U32(s), Cells::I32(out)) => out.extend(s[rows].iter().map(|v| v.cast_signed())),
            (Self::U16(s), Cells::I32(out)) => out.extend(s[rows].iter().map(|v| i32::from(*v))),
            (Self::U8(s), Cells::I32(out)) => out.extend(s[rows].iter().map(|v| i32::from(*v))),
            (Self::Bool(s), Cells::Bool(out)) => out.extend_from_slice(&s[rows]),
            (Self::Text(s), Cells::Bytes(out)) => out.extend(s[rows].iter().map(|t| bytes(t))),
            _ => {
                for row in rows {
                    if !self.append_one(out, row) {
                        out.push_null(place(row));
                    }
                }
            }
        }
    }

    /// Adds the cell of a row; `false` where it is absent.
    fn append_one(&self, out: &mut ColumnBuffer, row: usize) -> bool {
        match (self, &mut out.cells) {
            (Self::OptionF64(s), Cells::F64(out)) => put(out, s[row]),
            (Self::MaskedF64(s, mask), Cells::F64(out)) => put(out, mask[row].then_some(s[row])),
            (Self::OptionU64(s), Cells::I64(out)) => put(out, s[row].map(u64::cast_signed)),
            (Self::OptionU8(s), Cells::I32(out)) => put(out, s[row].map(i32::from)),
            (Self::OptionText(s), Cells::Bytes(out)) => put(out, s[row].map(bytes)),
            _ => false,
        }
    }
}

fn put<T>(out: &mut Vec<T>, value: Option<T>) -> bool {
    let there = value.is_some();
    out.extend(value);
    there
}

fn bytes(text: &str) -> ByteArray {
    ByteArray::from(text.as_bytes().to_vec())
}
