//! Rows read back, hour by hour, the wanted columns only.

use super::catalogue::LakeHour;
use super::schema::{LakeColumn, columns_of};
use super::{LayerError, LayerResult};
use crate::columnar::guarded;
use arrow_array::cast::AsArray as _;
use arrow_array::types::{Float64Type, TimestampNanosecondType, UInt8Type, UInt16Type, UInt32Type, UInt64Type};
use arrow_array::{Array as _, Float64Array, RecordBatch};
use arrow_schema::DataType;
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{ParquetRecordBatchReader, ParquetRecordBatchReaderBuilder};
use std::collections::VecDeque;
use std::fs::File;
use std::path::{Path, PathBuf};

/// Rows decoded at a time.
const BATCH: usize = 8 * 1024;

/// Some rows of an hour.
#[derive(Clone, Debug)]
pub struct LakeBatch {
    batch: RecordBatch,
}

/// Numbers of a column, some of which may be absent.
#[derive(Clone, Copy, Debug)]
pub struct LakeNumbers<'a> {
    array: &'a Float64Array,
}

impl LakeNumbers<'_> {
    /// The number of a row; `None` where it is absent or there is no such row.
    #[must_use]
    #[inline]
    pub fn get(&self, row: usize) -> Option<f64> {
        (row < self.array.len() && self.array.is_valid(row)).then(|| self.array.value(row))
    }

    /// Every row in order.
    pub fn iter(&self) -> impl Iterator<Item = Option<f64>> {
        self.array.iter()
    }

    /// All numbers without a copy; `None` where one is absent.
    #[must_use]
    pub fn whole(&self) -> Option<&[f64]> {
        (self.array.null_count() == 0).then(|| &self.array.values()[..])
    }
}

impl LakeBatch {
    /// Rows of the batch.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.batch.num_rows()
    }

    /// The rows as Arrow has them.
    #[must_use]
    pub const fn record_batch(&self) -> &RecordBatch {
        &self.batch
    }

    /// Moments of a column, in nanoseconds since 1970; `None` when it is not there or of another type.
    #[must_use]
    pub fn moments(&self, name: &str) -> Option<&[i64]> {
        Some(&self.batch.column_by_name(name)?.as_primitive_opt::<TimestampNanosecondType>()?.values()[..])
    }

    /// Numbers of a column; `None` when it is not there or of another type.
    #[must_use]
    pub fn numbers(&self, name: &str) -> Option<LakeNumbers<'_>> {
        Some(LakeNumbers { array: self.batch.column_by_name(name)?.as_primitive_opt::<Float64Type>()? })
    }

    /// The count or category in a cell; `None` when it is absent, or the column is not there or of another type.
    #[must_use]
    pub fn count(&self, name: &str, row: usize) -> Option<u64> {
        let array = self.batch.column_by_name(name)?;
        if row >= array.len() || array.is_null(row) {
            return None;
        }
        match array.data_type() {
            DataType::UInt64 => Some(array.as_primitive::<UInt64Type>().value(row)),
            DataType::UInt32 => Some(array.as_primitive::<UInt32Type>().value(row).into()),
            DataType::UInt16 => Some(array.as_primitive::<UInt16Type>().value(row).into()),
            DataType::UInt8 => Some(array.as_primitive::<UInt8Type>().value(row).into()),
            _ => None,
        }
    }

    /// Yes or no in a cell; `None` as [`Self::count`].
    #[must_use]
    pub fn flag(&self, name: &str, row: usize) -> Option<bool> {
        let array = self.batch.column_by_name(name)?.as_boolean_opt()?;
        (row < array.len() && array.is_valid(row)).then(|| array.value(row))
    }

    /// The text in a cell; `None` as [`Self::count`].
    #[must_use]
    pub fn text(&self, name: &str, row: usize) -> Option<&str> {
        let array = self.batch.column_by_name(name)?.as_string_opt::<i32>()?;
        (row < array.len() && array.is_valid(row)).then(|| array.value(row))
    }
}

/// Rows of hours in their order.
#[derive(Debug)]
pub struct LakeReader {
    hours: VecDeque<LakeHour>,
    wanted: Option<Vec<String>>,
    files: VecDeque<PathBuf>,
    file: Option<PartReader>,
    hour: Option<LakeHour>,
    /// The first error ends it.
    failed: bool,
}

impl LakeReader {
    /// Reads these hours; `columns` are given back in this order, all of them for `None`.
    #[must_use]
    pub fn new(hours: Vec<LakeHour>, columns: Option<&[&str]>) -> Self {
        let wanted = columns.map(|names| names.iter().map(|n| (*n).to_owned()).collect());
        Self { hours: hours.into(), wanted, files: VecDeque::new(), file: None, hour: None, failed: false }
    }

    /// The hour of the batch that was given back last.
    #[must_use]
    pub const fn hour(&self) -> Option<&LakeHour> {
        self.hour.as_ref()
    }

    fn step(&mut self) -> LayerResult<Option<LakeBatch>> {
        loop {
            if let Some(file) = &mut self.file {
                if let Some(batch) = file.next()? {
                    return Ok(Some(LakeBatch { batch }));
                }
                self.file = None;
            }
            let Some(path) = self.files.pop_front() else {
                let Some(hour) = self.hours.pop_front() else { return Ok(None) };
                self.files = hour.files()?.into();
                self.hour = Some(hour);
                continue;
            };
            self.file = Some(PartReader::open(&path, self.wanted.as_deref())?);
        }
    }
}

impl Iterator for LakeReader {
    type Item = LayerResult<LakeBatch>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.failed {
            return None;
        }
        let step = self.step();
        self.failed = step.is_err();
        step.transpose()
    }
}

/// Rows of one file.
#[derive(Debug)]
pub(super) struct PartReader {
    path: PathBuf,
    reader: ParquetRecordBatchReader,
    columns: Vec<LakeColumn>,
    /// Where the wanted columns are among those that are decoded.
    order: Option<Vec<usize>>,
    rows: u64,
}

impl PartReader {
    pub(super) fn open(path: &Path, wanted: Option<&[String]>) -> LayerResult<Self> {
        let file = File::open(path).map_err(LayerError::io(path))?;
        guarded(|| Self::begin(path, file, wanted)).map_err(|what| LayerError::damaged(path, what))
    }

    fn begin(path: &Path, file: File, wanted: Option<&[String]>) -> Result<Self, String> {
        let said = |e: parquet::errors::ParquetError| format!("not a readable parquet file: {e}");
        let builder = ParquetRecordBatchReaderBuilder::try_new(file).map_err(said)?;
        let columns = columns_of(builder.schema())?;
        let rows = u64::try_from(builder.metadata().file_metadata().num_rows()).unwrap_or(0);
        let mut order = None;
        let mut mask = ProjectionMask::all();
        if let Some(wanted) = wanted {
            let place = |name: &String| {
                columns.iter().position(|c| c.name == *name).ok_or_else(|| format!("it has no column '{name}'"))
            };
            let places = wanted.iter().map(place).collect::<Result<Vec<usize>, String>>()?;
            mask = ProjectionMask::roots(builder.parquet_schema(), places.iter().copied());
            let mut decoded = places.clone();
            decoded.sort_unstable();
            decoded.dedup();
            order = Some(places.iter().filter_map(|p| decoded.binary_search(p).ok()).collect());
        }
        let reader = builder.with_projection(mask).with_batch_size(BATCH).build().map_err(said)?;
        Ok(Self { path: path.to_path_buf(), reader, columns, order, rows })
    }

    /// All columns of the file.
    pub(super) fn columns(&self) -> &[LakeColumn] {
        &self.columns
    }

    /// Rows of the file.
    pub(super) const fn rows(&self) -> u64 {
        self.rows
    }

    pub(super) fn next(&mut self) -> LayerResult<Option<RecordBatch>> {
        let next = guarded(|| match self.reader.next() {
            None => Ok(None),
            Some(Err(e)) => Err(e.to_string()),
            Some(Ok(batch)) => match &self.order {
                None => Ok(Some(batch)),
                Some(order) => batch.project(order).map(Some).map_err(|e| e.to_string()),
            },
        });
        next.map_err(|what| LayerError::damaged(&self.path, what))
    }
}
