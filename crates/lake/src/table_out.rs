//! Tables written as Parquet, for other tools: columns of words, numbers, counts and moments, a piece at a time.
//!
//! A column may say what it is: the pairs stand in the metadata of its Arrow field, where pyarrow, Polars and DuckDB find them.
//!
//! A file appears whole or not at all ([`WholeFile`]).

use crate::whole_file::WholeFile;
use arrow_array::{ArrayRef, Float64Array, Int64Array, RecordBatch, StringArray, TimestampNanosecondArray};
use arrow_schema::{DataType, Field, Schema, TimeUnit};
use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression, ZstdLevel};
use parquet::file::properties::WriterProperties;
use std::collections::BTreeMap;
use std::fs::File;
use std::io;
use std::path::Path;
use std::sync::Arc;

/// Values of one column; `None` is null.
#[derive(Clone, PartialEq, Debug)]
pub enum TableColumn {
    /// Texts, UTF-8.
    Words(Vec<Option<String>>),
    /// Floating-point numbers.
    Numbers(Vec<Option<f64>>),
    /// Whole numbers.
    Counts(Vec<Option<i64>>),
    /// Nanoseconds since 1970, UTC.
    Moments(Vec<Option<i64>>),
}

impl TableColumn {
    fn data_type(&self) -> DataType {
        match self {
            Self::Words(_) => DataType::Utf8,
            Self::Numbers(_) => DataType::Float64,
            Self::Counts(_) => DataType::Int64,
            Self::Moments(_) => DataType::Timestamp(TimeUnit::Nanosecond, Some("UTC".into())),
        }
    }

    fn array(self) -> ArrayRef {
        match self {
            Self::Words(all) => Arc::new(StringArray::from(all)),
            Self::Numbers(all) => Arc::new(Float64Array::from(all)),
            Self::Counts(all) => Arc::new(Int64Array::from(all)),
            Self::Moments(all) => Arc::new(TimestampNanosecondArray::from(all).with_timezone("UTC")),
        }
    }
}

/// A file on its way.
#[derive(Debug)]
pub struct ParquetOut {
    writer: ArrowWriter<File>,
    schema: Arc<Schema>,
    whole: WholeFile,
}

impl ParquetOut {
    /// Can such a file be written at all? In a program that was built without Parquet it cannot.
    ///
    /// # Errors
    /// None here.
    pub const fn offered() -> io::Result<()> {
        Ok(())
    }

    /// Begins a file with these columns; `like` says their types.
    ///
    /// # Errors
    /// When the file cannot be made.
    pub fn create(path: &Path, like: &[(&str, TableColumn)]) -> io::Result<Self> {
        Self::described(path, like, |_| Vec::new())
    }

    /// The same with what is to be said of each column, by its name: pairs of a key and a text.
    ///
    /// # Errors
    /// When the file cannot be made.
    pub fn described(
        path: &Path,
        like: &[(&str, TableColumn)],
        about: impl Fn(&str) -> Vec<(String, String)>,
    ) -> io::Result<Self> {
        let field = |(name, cells): &(&str, TableColumn)| {
            let said: BTreeMap<String, String> = about(name).into_iter().collect();
            Field::new(*name, cells.data_type(), true).with_metadata(said)
        };
        let schema = Arc::new(Schema::new(like.iter().map(field).collect::<Vec<_>>()));
        let (whole, file) = WholeFile::begin(path)?;
        let level = ZstdLevel::try_new(3).map_err(io::Error::other)?;
        let properties = WriterProperties::builder().set_compression(Compression::ZSTD(level)).build();
        let writer = ArrowWriter::try_new(file, Arc::clone(&schema), Some(properties)).map_err(io::Error::other)?;
        Ok(Self { writer, schema, whole })
    }

    /// Adds rows: the columns of [`Self::create`], in their order and all of one length.
    ///
    /// # Errors
    /// When the columns are others, or the file cannot be written.
    pub fn write(&mut self, columns: Vec<TableColumn>) -> io::Result<()> {
        let arrays = columns.into_iter().map(TableColumn::array).collect();
        let batch = RecordBatch::try_new(Arc::clone(&self.schema), arrays).map_err(io::Error::other)?;
        self.writer.write(&batch).map_err(io::Error::other)
    }

    /// Puts the file in its place.
    ///
    /// # Errors
    /// When it cannot be written or renamed.
    pub fn finish(self) -> io::Result<()> {
        let file = self.writer.into_inner().map_err(io::Error::other)?;
        self.whole.finish(&file)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;

    #[test]
    fn a_table_is_read_back_as_it_was_written() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("t.parquet");
        let columns = || {
            vec![
                TableColumn::Words(vec![Some("a".to_owned()), None]),
                TableColumn::Numbers(vec![None, Some(0.25)]),
                TableColumn::Counts(vec![Some(-3), Some(4)]),
                TableColumn::Moments(vec![Some(1_700_000_000_000_000_000), None]),
            ]
        };
        let named: Vec<(&str, TableColumn)> = ["w", "n", "c", "t"].into_iter().zip(columns()).collect();
        let about = |name: &str| if name == "n" { vec![("unit".to_owned(), "bps".to_owned())] } else { Vec::new() };
        let mut out = ParquetOut::described(&path, &named, about).unwrap();
        out.write(columns()).unwrap();
        out.write(columns()).unwrap();
        assert!(!path.exists(), "nothing is there before it is whole");
        out.finish().unwrap();
        let file = File::open(&path).unwrap();
        let batches: Vec<_> =
            ParquetRecordBatchReaderBuilder::try_new(file).unwrap().build().unwrap().map(Result::unwrap).collect();
        assert_eq!(batches.iter().map(RecordBatch::num_rows).sum::<usize>(), 4);
        let names: Vec<_> = batches[0].schema().fields().iter().map(|f| f.name().clone()).collect();
        assert_eq!(names, ["w", "n", "c", "t"]);
        assert_eq!(batches[0].column(1).null_count(), 2);
        let units: Vec<_> = batches[0].schema().fields().iter().map(|f| f.metadata().get("unit").cloned()).collect();
        assert_eq!(units, [None, Some("bps".to_owned()), None, None]);
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1, "no temporary file stays");
    }
}
