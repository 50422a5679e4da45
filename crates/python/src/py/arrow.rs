//! Tables through the Arrow C stream interface (`__arrow_c_stream__`): Polars, pyarrow, and whoever else offers it.
//!
//! A table in one piece is read where it lies; pieces are joined, other number types converted.

use super::convert::wrong;
use super::frames::{Floats, Ints, Times};
use arrow_array::cast::AsArray;
use arrow_array::ffi_stream::{FFI_ArrowArrayStream, RecordBatchStreamReader};
use arrow_array::types::{
    Date32Type, Date64Type, Float32Type, Float64Type, Int32Type, Int64Type, TimestampMicrosecondType,
    TimestampMillisecondType, TimestampNanosecondType, TimestampSecondType, UInt32Type, UInt64Type,
};
use arrow_array::{Array, ArrayRef, RecordBatch};
use arrow_schema::{DataType, TimeUnit};
use barograph_domain::time::DAY;
use pyo3::prelude::*;
use pyo3::types::{PyCapsule, PyCapsuleMethods};

/// A table that stays where it is.
#[derive(Debug)]
pub(super) struct Table {
    batches: Vec<RecordBatch>,
}

impl Table {
    /// Takes the stream of an object that offers one.
    pub(super) fn of(frame: &Bound<'_, PyAny>) -> PyResult<Self> {
        let capsule = frame.call_method0("__arrow_c_stream__")?;
        let capsule = capsule.cast_into::<PyCapsule>().map_err(PyErr::from)?;
        let pointer = capsule.pointer_checked(Some(c"arrow_array_stream"))?.cast::<FFI_ArrowArrayStream>();
        #[expect(
            unsafe_code,
            reason = "the Arrow C interface is a pointer in a capsule of this name; reading moves it out"
        )]
        // SAFETY: the capsule's name says that it holds a stream, which is valid while the capsule lives; `from_raw` leaves a
        // released stream behind, as the interface asks.
        let reader = unsafe { RecordBatchStreamReader::from_raw(pointer.as_ptr()) };
        let reader = reader.map_err(|e| wrong(format!("the Arrow stream cannot be read: {e}")))?;
        let batches = reader.collect::<Result<Vec<_>, _>>();
        let batches = batches.map_err(|e| wrong(format!("the Arrow stream cannot be read: {e}")))?;
        Ok(Self { batches: batches.into_iter().filter(|b| b.num_rows() > 0).collect() })
    }

    /// Names of the columns; empty for a table without rows.
    pub(super) fn names(&self) -> Vec<String> {
        let first = self.batches.first();
        first.map_or_else(Vec::new, |b| b.schema().fields().iter().map(|f| f.name().clone()).collect())
    }

    /// A column as it lies there.
    pub(super) fn pieces(&self, name: &str) -> PyResult<Vec<ArrayRef>> {
        let of = |b: &RecordBatch| b.column_by_name(name).cloned().ok_or_else(|| wrong(format!("no column '{name}'")));
        self.batches.iter().map(of).collect()
    }

    /// A column of numbers; `null_is_nan` says that a missing one may be.
    pub(super) fn floats(&self, name: &str, null_is_nan: bool) -> PyResult<Floats<'static>> {
        let pieces = self.pieces(name)?;
        if !null_is_nan && let Some(at) = pieces.iter().position(|p| p.null_count() > 0) {
            let row = (0..pieces[at].len()).find(|i| pieces[at].is_null(*i)).unwrap_or(0);
            return Err(wrong(format!("column '{name}' has no value in row {row}: drop the row, do not fill it")));
        }
        if let [one] = pieces.as_slice()
            && one.null_count() == 0
            && let Some(array) = one.as_primitive_opt::<Float64Type>()
        {
            return Ok(Floats::Arrow(array.clone()));
        }
        let mut out = Vec::new();
        for piece in &pieces {
            append(&mut out, piece, name)?;
        }
        Ok(Floats::Own(out))
    }

    /// A column of words; `None` where a cell is null.
    pub(super) fn words(&self, name: &str) -> PyResult<Vec<Option<String>>> {
        let mut out = Vec::new();
        let owned = |x: Option<&str>| x.map(str::to_owned);
        for piece in &self.pieces(name)? {
            match piece.data_type() {
                DataType::Utf8 => out.extend(piece.as_string::<i32>().iter().map(owned)),
                DataType::LargeUtf8 => out.extend(piece.as_string::<i64>().iter().map(owned)),
                DataType::Utf8View => out.extend(piece.as_string_view().iter().map(owned)),
                other => return Err(wrong(format!("column '{name}' is {other}: give words"))),
            }
        }
        Ok(out)
    }

    /// A column of stamps.
    pub(super) fn times(&self, name: &str) -> PyResult<Times<'static>> {
        let pieces = self.pieces(name)?;
        let Some(first) = pieces.first() else { return Ok(Times { stamps: Ints::Own(Vec::new()), unit: 1 }) };
        let unit = match first.data_type() {
            DataType::Timestamp(TimeUnit::Second, _) => 1_000_000_000,
            DataType::Timestamp(TimeUnit::Millisecond, _) | DataType::Date64 => 1_000_000,
            DataType::Timestamp(TimeUnit::Microsecond, _) => 1_000,
            DataType::Timestamp(TimeUnit::Nanosecond, _) => 1,
            DataType::Date32 => DAY.0,
            DataType::Int64 => 0,
            other => {
                return Err(wrong(format!(
                    "column '{name}' is {other}: give stamps, dates or whole numbers since 1970"
                )));
            }
        };
        let mut out: Vec<i64> = Vec::new();
        for piece in &pieces {
            if piece.null_count() > 0 {
                return Err(wrong(format!("column '{name}' has a row without a stamp")));
            }
            match stamps(piece) {
                Some(values) if pieces.len() == 1 && unit != DAY.0 => {
                    let unit = if unit == 0 {
                        super::convert::unit_of(values.values().first().copied().unwrap_or(0))
                    } else {
                        unit
                    };
                    return Ok(Times { stamps: Ints::Arrow(values), unit });
                }
                Some(values) => out.extend(values.values().iter().copied()),
                None => out.extend(piece.as_primitive::<Date32Type>().values().iter().map(|d| i64::from(*d))),
            }
        }
        let unit = if unit == 0 { super::convert::unit_of(out.first().copied().unwrap_or(0)) } else { unit };
        Ok(Times { stamps: Ints::Own(out), unit })
    }
}

/// Values of 64 bits where they lie.
fn stamps(piece: &ArrayRef) -> Option<arrow_array::Int64Array> {
    macro_rules! first {
        ($($kind:ty),*) => { $(
            if let Some(a) = piece.as_primitive_opt::<$kind>() {
                return Some(arrow_array::Int64Array::new(a.values().clone(), None));
            }
        )* };
    }
    first!(
        TimestampSecondType,
        TimestampMillisecondType,
        TimestampMicrosecondType,
        TimestampNanosecondType,
        Date64Type,
        Int64Type
    );
    None
}

fn append(out: &mut Vec<f64>, piece: &ArrayRef, name: &str) -> PyResult<()> {
    macro_rules! first {
        ($($kind:ty => $to:expr),*) => { $(
            if let Some(a) = piece.as_primitive_opt::<$kind>() {
                out.extend(a.iter().map(|x| x.map_or(f64::NAN, $to)));
                return Ok(());
            }
        )* };
    }
    #[expect(clippy::cast_precision_loss, reason = "volumes beyond 2^53 keep 53 bits")]
    {
        first!(
            Float64Type => |x| x, Float32Type => f64::from, Int32Type => f64::from, UInt32Type => f64::from,
            Int64Type => |x| x as f64, UInt64Type => |x| x as f64
        );
    }
    Err(wrong(format!("column '{name}' is {}: give numbers", piece.data_type())))
}
