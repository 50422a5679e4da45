//! A table of ours for others: read where it lies, through the Arrow C stream interface.

use super::asked::refused;
use arrow_array::ffi_stream::FFI_ArrowArrayStream;
use arrow_array::{Array as _, RecordBatch, RecordBatchIterator, RecordBatchReader};
use arrow_schema::{ArrowError, Field, Schema, SchemaRef};
use pyo3::prelude::*;
use pyo3::types::{PyCapsule, PyDict};
use std::sync::Arc;

/// Rows of columns, immutable. Polars, pyarrow and pandas read it without a copy.
#[pyclass(module = "barograph.lab", name = "Table", frozen)]
#[derive(Debug)]
pub(crate) struct ArrowTable {
    schema: SchemaRef,
    batches: Vec<RecordBatch>,
}

impl ArrowTable {
    pub(super) fn new(schema: SchemaRef, batches: Vec<RecordBatch>) -> Self {
        Self { schema, batches }
    }

    /// Of whole columns.
    pub(super) fn of(columns: Vec<(String, arrow_array::ArrayRef)>) -> PyResult<Self> {
        let field = |(name, array): &(String, arrow_array::ArrayRef)| {
            Field::new(name, array.data_type().clone(), array.is_nullable() || array.null_count() > 0)
        };
        let schema = Arc::new(Schema::new(columns.iter().map(field).collect::<Vec<_>>()));
        let arrays = columns.into_iter().map(|(_, array)| array).collect();
        let batch = RecordBatch::try_new(Arc::clone(&schema), arrays).map_err(refused)?;
        Ok(Self { schema, batches: vec![batch] })
    }

    fn rows(&self) -> usize {
        self.batches.iter().map(RecordBatch::num_rows).sum()
    }
}

/// Instants as a column.
pub(super) fn moments(all: impl IntoIterator<Item = barograph_domain::Ts>) -> arrow_array::ArrayRef {
    let array: arrow_array::TimestampNanosecondArray = all.into_iter().map(|t| t.0).collect::<Vec<_>>().into();
    Arc::new(array.with_timezone("UTC"))
}

#[pymethods]
impl ArrowTable {
    /// The rows for whoever reads Arrow.
    #[pyo3(signature = (requested_schema=None))]
    fn __arrow_c_stream__<'py>(
        &self,
        py: Python<'py>,
        requested_schema: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyCapsule>> {
        // Another schema may be wished for; a producer may give its own all the same, and the consumer converts.
        let _ignored = requested_schema;
        let batches: Vec<Result<RecordBatch, ArrowError>> = self.batches.iter().cloned().map(Ok).collect();
        let reader: Box<dyn RecordBatchReader + Send> =
            Box::new(RecordBatchIterator::new(batches, Arc::clone(&self.schema)));
        PyCapsule::new_with_value(py, FFI_ArrowArrayStream::new(reader), c"arrow_array_stream")
    }

    fn __len__(&self) -> usize {
        self.rows()
    }

    fn __repr__(&self) -> String {
        format!("barograph.lab.Table({} rows, {} columns)", self.rows(), self.schema.fields().len())
    }

    /// Names of the columns in their order.
    #[getter]
    fn columns(&self) -> Vec<String> {
        self.schema.fields().iter().map(|f| f.name().clone()).collect()
    }

    /// As a Polars frame, without a copy.
    fn to_polars<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        slf.py().import("polars")?.call_method1("DataFrame", (slf,))
    }

    /// As an Arrow table of pyarrow, without a copy.
    fn to_arrow<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        slf.py().import("pyarrow")?.call_method1("table", (slf,))
    }

    /// As a pandas frame, by pyarrow. Columns without a missing number are not copied; in others a missing one is NaN.
    fn to_pandas<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        let options = PyDict::new(slf.py());
        // One block for all columns would be a copy of each.
        options.set_item("split_blocks", true)?;
        Self::to_arrow(slf)?.call_method("to_pandas", (), Some(&options))
    }

    /// Writes the rows to a Parquet file, by pyarrow.
    fn write_parquet(slf: &Bound<'_, Self>, path: &Bound<'_, PyAny>) -> PyResult<()> {
        let options = PyDict::new(slf.py());
        options.set_item("compression", "zstd")?;
        let table = Self::to_arrow(slf)?;
        slf.py().import("pyarrow.parquet")?.call_method("write_table", (table, path), Some(&options)).map(drop)
    }
}
