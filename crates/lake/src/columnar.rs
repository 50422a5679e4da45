//! Parquet and Feather (the Arrow file format) as rows of typed cells, a batch at a time, wanted columns only.
//!
//! Naive time stamps are UTC. Decimals go through their decimal text, so they become floats exactly once.

use crate::feather;
use arrow_array::cast::AsArray;
use arrow_array::types::{
    Date32Type, Date64Type, Decimal128Type, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type,
    TimestampMicrosecondType, TimestampMillisecondType, TimestampNanosecondType, TimestampSecondType, UInt8Type,
    UInt16Type, UInt32Type, UInt64Type,
};
use arrow_array::{Array, ArrayRef, RecordBatch};
use arrow_ipc::reader::FileReader;
use arrow_schema::{DataType, Schema, TimeUnit};
use barograph_domain::Ts;
use barograph_domain::time::DAY;
use barograph_venues::{TableCell, TypedColumns, number};
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{ParquetRecordBatchReader, ParquetRecordBatchReaderBuilder};
use std::fs::File;
use std::io::BufReader;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// Rows decoded at a time.
const BATCH: usize = 8 * 1024;

/// Which of the two formats.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Columnar {
    Parquet,
    Feather,
}

enum Batches {
    Parquet(ParquetRecordBatchReader),
    Feather(Box<FileReader<BufReader<File>>>),
}

/// Rows of a file.
pub(crate) struct ColumnarRows {
    /// Taken away at the end, and by the first error: a decoder that failed is not asked again.
    batches: Option<Batches>,
    /// Position in the file of each column of a batch.
    wanted: Vec<usize>,
    width: usize,
    batch: DecodedBatch,
    row: usize,
    number: u64,
    /// Bytes of the file and its rows, for progress by share of rows.
    bytes: u64,
    rows: u64,
    counted: u64,
    read: Arc<AtomicU64>,
}

/// One decoded batch.
pub(crate) struct DecodedBatch {
    columns: Vec<Option<Column>>,
    rows: usize,
}

/// Column names and row count of a file.
pub(crate) struct Heading {
    pub(crate) names: Vec<String>,
}

/// Runs a decoder. The decoders of both formats assert what a damaged file does not keep (seen by fuzzing: negative
/// column offsets in Parquet); such a panic is about the file, not about this process, and the decoder is dropped.
pub(crate) fn guarded<T>(decode: impl FnOnce() -> Result<T, String>) -> Result<T, String> {
    catch_unwind(AssertUnwindSafe(decode)).unwrap_or_else(|_| Err("damaged: its decoder gave up".to_owned()))
}

/// Opens a file. `wanted` are the columns to decode; `None` decodes all that can be cells.
pub(crate) fn open(
    path: &Path,
    format: Columnar,
    wanted: Option<&[usize]>,
    read: &Arc<AtomicU64>,
) -> Result<(Heading, ColumnarRows), String> {
    guarded(|| open_unguarded(path, format, wanted, read))
}

fn open_unguarded(
    path: &Path,
    format: Columnar,
    wanted: Option<&[usize]>,
    read: &Arc<AtomicU64>,
) -> Result<(Heading, ColumnarRows), String> {
    let mut file = File::open(path).map_err(|e| format!("cannot be read: {e}"))?;
    let bytes = file.metadata().map_or(0, |m| m.len());
    let pick = |schema: &Schema| -> Vec<usize> {
        let flat = |i: &usize| is_cell(schema.field(*i).data_type());
        let all = 0..schema.fields().len();
        all.filter(|i| wanted.is_none_or(|w| w.contains(i))).filter(flat).collect()
    };
    let names = |schema: &Schema| schema.fields().iter().map(|f| f.name().clone()).collect::<Vec<_>>();
    let (names, wanted, batches, rows) = match format {
        Columnar::Parquet => {
            let broken = |e: &dyn std::fmt::Display| format!("not a readable parquet file: {e}");
            let builder = ParquetRecordBatchReaderBuilder::try_new(file).map_err(|e| broken(&e))?;
            let schema = Arc::clone(builder.schema());
            let wanted = pick(&schema);
            let rows = builder.metadata().file_metadata().num_rows();
            let mask = ProjectionMask::roots(builder.parquet_schema(), wanted.iter().copied());
            let reader = builder.with_projection(mask).with_batch_size(BATCH).build().map_err(|e| broken(&e))?;
            (names(&schema), wanted, Batches::Parquet(reader), u64::try_from(rows).unwrap_or(0))
        }
        Columnar::Feather => {
            let broken = |e: &dyn std::fmt::Display| format!("not a readable feather file: {e}");
            feather::check(&mut file)?;
            let reader = FileReader::try_new(BufReader::new(file), None).map_err(|e| broken(&e))?;
            let schema = reader.schema();
            let wanted = pick(&schema);
            let file = File::open(path).map_err(|e| e.to_string())?;
            let reader = FileReader::try_new(BufReader::new(file), Some(wanted.clone())).map_err(|e| broken(&e))?;
            (names(&schema), wanted, Batches::Feather(Box::new(reader)), 0)
        }
    };
    let width = names.len();
    let batch = DecodedBatch { columns: Vec::new(), rows: 0 };
    let read = Arc::clone(read);
    let rows =
        ColumnarRows { batches: Some(batches), wanted, width, batch, row: 0, number: 0, bytes, rows, counted: 0, read };
    Ok((Heading { names }, rows))
}

impl ColumnarRows {
    /// The next row: its position in [`Self::batch`]. Rows count from 1 in messages.
    pub(crate) fn next(&mut self) -> Option<Result<usize, String>> {
        while self.row >= self.batch.rows {
            let mut batches = self.batches.take()?;
            let next = guarded(|| match &mut batches {
                Batches::Parquet(reader) => reader.next().transpose().map_err(|e| e.to_string()),
                Batches::Feather(reader) => reader.next().transpose().map_err(|e| e.to_string()),
            });
            match next {
                Ok(None) => {
                    self.count(self.bytes);
                    return None;
                }
                Err(e) => return Some(Err(e)),
                Ok(Some(batch)) => {
                    self.batch = DecodedBatch::new(&batch, &self.wanted, self.width);
                    self.row = 0;
                    self.batches = Some(batches);
                }
            }
        }
        self.row += 1;
        self.number += 1;
        if self.row == self.batch.rows && self.rows > 0 {
            self.count(self.bytes * self.number.min(self.rows) / self.rows);
        }
        Some(Ok(self.row - 1))
    }
    pub(crate) fn batch(&self) -> &DecodedBatch {
        &self.batch
    }
    pub(crate) fn number(&self) -> u64 {
        self.number
    }
    fn count(&mut self, done: u64) {
        self.read.fetch_add(done.saturating_sub(self.counted), Ordering::Relaxed);
        self.counted = self.counted.max(done);
    }
}

impl DecodedBatch {
    fn new(batch: &RecordBatch, wanted: &[usize], width: usize) -> Self {
        let mut columns: Vec<Option<Column>> = (0..width).map(|_| None).collect();
        for (array, at) in batch.columns().iter().zip(wanted) {
            columns[*at] = Column::new(array);
        }
        Self { columns, rows: batch.num_rows() }
    }
}

impl TypedColumns for DecodedBatch {
    fn width(&self) -> usize {
        self.columns.len()
    }
    fn cell(&self, column: usize, row: usize) -> TableCell<'_> {
        match self.columns.get(column) {
            Some(Some(column)) if row < self.rows => column.cell(row),
            _ => TableCell::Empty,
        }
    }
}

/// Types that are one cell; lists and structures are not.
fn is_cell(t: &DataType) -> bool {
    match t {
        DataType::Dictionary(_, value) => is_cell(value),
        _ => {
            matches!(t, DataType::Boolean | DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View)
                || matches!(
                    t,
                    DataType::Date32 | DataType::Date64 | DataType::Timestamp(_, _) | DataType::Decimal128(_, _)
                )
                || t.is_integer()
                || matches!(t, DataType::Float32 | DataType::Float64)
        }
    }
}

/// One array, by what its cells are.
struct Column {
    array: ArrayRef,
    /// For dictionaries: the values; `array` then holds the keys.
    values: Option<Box<Self>>,
}

impl Column {
    fn new(array: &ArrayRef) -> Option<Self> {
        if !is_cell(array.data_type()) {
            return None;
        }
        let Some(dictionary) = array.as_any_dictionary_opt() else {
            return Some(Self { array: Arc::clone(array), values: None });
        };
        let keys = dictionary.keys();
        let values = Self::new(dictionary.values())?;
        Some(Self { array: keys.slice(0, keys.len()), values: Some(Box::new(values)) })
    }

    fn cell(&self, row: usize) -> TableCell<'_> {
        if self.array.is_null(row) {
            return TableCell::Empty;
        }
        match (&self.values, self.plain(row)) {
            (None, cell) => cell,
            (Some(values), TableCell::Int(key)) => match usize::try_from(key) {
                Ok(key) if key < values.array.len() => values.cell(key),
                _ => TableCell::Empty,
            },
            (Some(_), _) => TableCell::Empty,
        }
    }

    fn plain(&self, row: usize) -> TableCell<'_> {
        let a = &self.array;
        match a.data_type() {
            DataType::Float64 => float(a.as_primitive::<Float64Type>().value(row)),
            DataType::Float32 => float(f64::from(a.as_primitive::<Float32Type>().value(row))),
            DataType::Int64 => TableCell::Int(a.as_primitive::<Int64Type>().value(row)),
            DataType::Int32 => TableCell::Int(a.as_primitive::<Int32Type>().value(row).into()),
            DataType::Int16 => TableCell::Int(a.as_primitive::<Int16Type>().value(row).into()),
            DataType::Int8 => TableCell::Int(a.as_primitive::<Int8Type>().value(row).into()),
            DataType::UInt64 => {
                i64::try_from(a.as_primitive::<UInt64Type>().value(row)).map_or(TableCell::Empty, TableCell::Int)
            }
            DataType::UInt32 => TableCell::Int(a.as_primitive::<UInt32Type>().value(row).into()),
            DataType::UInt16 => TableCell::Int(a.as_primitive::<UInt16Type>().value(row).into()),
            DataType::UInt8 => TableCell::Int(a.as_primitive::<UInt8Type>().value(row).into()),
            DataType::Utf8 => text(a.as_string::<i32>().value(row)),
            DataType::LargeUtf8 => text(a.as_string::<i64>().value(row)),
            DataType::Utf8View => text(a.as_string_view().value(row)),
            DataType::Boolean => TableCell::Text(if a.as_boolean().value(row) { b"true" } else { b"false" }),
            DataType::Timestamp(unit, _) => self.time(*unit, row),
            DataType::Date32 => time(i64::from(a.as_primitive::<Date32Type>().value(row)), DAY.0),
            DataType::Date64 => time(a.as_primitive::<Date64Type>().value(row), 1_000_000),
            DataType::Decimal128(_, _) => {
                let value = a.as_primitive::<Decimal128Type>().value_as_string(row);
                number::decimal(value.as_bytes()).map_or(TableCell::Empty, TableCell::Float)
            }
            _ => TableCell::Empty,
        }
    }

    fn time(&self, unit: TimeUnit, row: usize) -> TableCell<'_> {
        let a = &self.array;
        match unit {
            TimeUnit::Second => time(a.as_primitive::<TimestampSecondType>().value(row), 1_000_000_000),
            TimeUnit::Millisecond => time(a.as_primitive::<TimestampMillisecondType>().value(row), 1_000_000),
            TimeUnit::Microsecond => time(a.as_primitive::<TimestampMicrosecondType>().value(row), 1_000),
            TimeUnit::Nanosecond => time(a.as_primitive::<TimestampNanosecondType>().value(row), 1),
        }
    }
}

fn float(v: f64) -> TableCell<'static> {
    // In typed tables "not a number" is how absence is written.
    if v.is_nan() { TableCell::Empty } else { TableCell::Float(v) }
}

fn text(t: &str) -> TableCell<'_> {
    if t.is_empty() { TableCell::Empty } else { TableCell::Text(t.as_bytes()) }
}

fn time(n: i64, ns_per_unit: i64) -> TableCell<'static> {
    n.checked_mul(ns_per_unit).map_or(TableCell::Empty, |ns| TableCell::Time(Ts(ns)))
}
