//! A Parquet file from buffers of rows, a row group each.
//!
//! Plain columns of floats, zstd or not packed, which are nearly all bytes, are encoded in [`super::page`]; the others by Parquet's own typed writers,
//! from our vectors: there is no Arrow array in between.

use super::buffer::{Cells, ColumnBuffer, RowBuffer};
use super::disk::LakeFile;
use super::page::FloatPages;
use super::schema::{CellType, LakeColumn, arrow_schema};
use super::settings::{FloatEncoding, LakeCompression, LakeConfig};
use super::share::{hands, shared};
use bytes::Bytes;
use parquet::arrow::ArrowSchemaConverter;
use parquet::basic::{Compression, Encoding, ZstdLevel};
use parquet::column::writer::ColumnCloseResult;
use parquet::data_type::{BoolType, ByteArrayType, DoubleType, Int32Type, Int64Type};
use parquet::errors::Result;
use parquet::file::properties::{EnabledStatistics, WriterProperties, WriterPropertiesPtr};
use parquet::file::writer::{SerializedColumnWriter, SerializedFileWriter};
use parquet::schema::types::{ColumnDescPtr, ColumnPath, TypePtr};
use std::sync::Arc;

/// Rows of a row group at most: 44 MB of the wide book in memory, and pieces that a reader's threads can share an hour by.
pub(super) const GROUP_ROWS: usize = 65_536;

/// How files of one table are written.
#[derive(Clone, Debug)]
pub(super) struct FileForm {
    schema: TypePtr,
    properties: WriterPropertiesPtr,
    /// zstd level of the columns of floats, or none, where they are written in [`super::page`].
    plain: Option<Option<i32>>,
}

impl FileForm {
    pub(super) fn new(columns: &[LakeColumn], config: &LakeConfig) -> std::result::Result<Self, String> {
        let converted = ArrowSchemaConverter::new().convert(&arrow_schema(columns)).map_err(|e| e.to_string())?;
        let compression = match config.compression {
            // The few columns that Parquet's own writer encodes cannot have a negative level.
            LakeCompression::Zstd(level) => {
                Compression::ZSTD(ZstdLevel::try_new(level.max(1)).map_err(|e| e.to_string())?)
            }
            LakeCompression::Lz4 => Compression::LZ4_RAW,
            LakeCompression::Snappy => Compression::SNAPPY,
            LakeCompression::Uncompressed => Compression::UNCOMPRESSED,
        };
        // Minimum and maximum of each row group let readers pass it over; those of each page would be a tenth of a small file.
        let mut properties = WriterProperties::builder()
            .set_compression(compression)
            .set_statistics_enabled(EnabledStatistics::Chunk)
            .set_offset_index_disabled(true)
            .set_dictionary_enabled(false)
            .set_created_by("barograph".to_owned());
        for column in columns {
            let path = ColumnPath::from(column.name.as_str());
            properties = match (column.cells, config.floats) {
                (CellType::F64, FloatEncoding::Dictionary) | (CellType::Text, _) => {
                    properties.set_column_dictionary_enabled(path, true)
                }
                (CellType::F64, FloatEncoding::ByteStreamSplit) => {
                    properties.set_column_encoding(path, Encoding::BYTE_STREAM_SPLIT)
                }
                (CellType::Moment | CellType::U64, _) => {
                    properties.set_column_encoding(path, Encoding::DELTA_BINARY_PACKED)
                }
                _ => properties,
            };
        }
        let plain = match config.compression {
            LakeCompression::Zstd(level) => Some(Some(level)),
            LakeCompression::Uncompressed => Some(None),
            LakeCompression::Lz4 | LakeCompression::Snappy => None,
        };
        let plain = plain.filter(|_| config.floats == FloatEncoding::Plain);
        Ok(Self { schema: converted.root_schema_ptr(), properties: Arc::new(properties.build()), plain })
    }
}

/// A file being written.
#[derive(Debug)]
pub(super) struct ParquetFile {
    writer: SerializedFileWriter<Box<dyn LakeFile>>,
    pages: Option<PageHands>,
}

/// Encoders of columns of floats, one for each thread.
#[derive(Debug)]
struct PageHands {
    level: Option<i32>,
    each: Vec<FloatPages>,
}

/// The bytes of a column chunk and what is to be said about it.
type Chunk = (Vec<u8>, ColumnCloseResult);

impl PageHands {
    /// Encodes the columns of floats, of the others nothing, with so many threads.
    fn encode(&mut self, rows: &RowBuffer, described: &[ColumnDescPtr], hands: usize) -> Result<Vec<Option<Chunk>>> {
        while self.each.len() < hands {
            self.each.push(FloatPages::new(self.level)?);
        }
        let encode = |pages: &mut FloatPages, n: usize| match &rows.columns[n] {
            ColumnBuffer { cells: Cells::F64(cells), nulls } => {
                pages.encode(&described[n], rows.rows, cells, nulls).map(Some)
            }
            _ => Ok(None),
        };
        shared(&mut self.each[..hands], rows.columns.len(), encode).into_iter().collect()
    }
}

impl ParquetFile {
    pub(super) fn begin(form: &FileForm, file: Box<dyn LakeFile>) -> Result<Self> {
        let writer = SerializedFileWriter::new(file, Arc::clone(&form.schema), Arc::clone(&form.properties))?;
        let pages = form.plain.map(|level| PageHands { level, each: Vec::new() });
        Ok(Self { writer, pages })
    }

    /// Adds the rows of a buffer as one row group.
    pub(super) fn write(&mut self, rows: &RowBuffer) -> Result<()> {
        let mut levels = Levels { full: vec![1; rows.rows], own: Vec::new() };
        let described = self.writer.schema_descr().columns().to_vec();
        let encoded = match &mut self.pages {
            Some(pages) => pages.encode(rows, &described, hands(rows.rows))?,
            None => Vec::new(),
        };
        let mut encoded = encoded.into_iter();
        let mut group = self.writer.next_row_group()?;
        for column in &rows.columns {
            if let Some((chunk, close)) = encoded.next().flatten() {
                group.append_column(&Bytes::from(chunk), close)?;
            } else if let Some(mut out) = group.next_column()? {
                write_column(&mut out, column, &mut levels)?;
                out.close()?;
            }
        }
        group.close()?;
        Ok(())
    }

    /// Ends the file; it is not synced yet.
    pub(super) fn finish(self) -> Result<Box<dyn LakeFile>> {
        self.writer.into_inner()
    }
}

/// Definition levels: 1 where a cell is there.
struct Levels {
    full: Vec<i16>,
    own: Vec<i16>,
}

impl Levels {
    fn of(&mut self, nulls: &[u32]) -> &[i16] {
        if nulls.is_empty() {
            return &self.full;
        }
        self.own.clone_from(&self.full);
        for row in nulls {
            if let Some(level) = usize::try_from(*row).ok().and_then(|row| self.own.get_mut(row)) {
                *level = 0;
            }
        }
        &self.own
    }
}

fn write_column(out: &mut SerializedColumnWriter<'_>, column: &ColumnBuffer, levels: &mut Levels) -> Result<()> {
    // A column without absent cells in its type has no levels; the writer does not look at them then.
    let levels = Some(levels.of(&column.nulls));
    match &column.cells {
        Cells::I64(cells) => out.typed::<Int64Type>().write_batch(cells, levels, None),
        Cells::I32(cells) => out.typed::<Int32Type>().write_batch(cells, levels, None),
        Cells::F64(cells) => out.typed::<DoubleType>().write_batch(cells, levels, None),
        Cells::Bool(cells) => out.typed::<BoolType>().write_batch(cells, levels, None),
        Cells::Bytes(cells) => out.typed::<ByteArrayType>().write_batch(cells, levels, None),
    }
    .map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layers::schema::LakeTable;
    use barograph_domain::random::SplitMix;

    #[test]
    fn how_many_threads_encode_does_not_show() {
        let table = LakeTable::orderbook();
        let columns = table.columns();
        let form = FileForm::new(columns, &LakeConfig::import("unused")).unwrap();
        let mut random = SplitMix::new(7);
        let mut rows = RowBuffer::new(columns, 0);
        for column in &mut rows.columns {
            for row in 0..500 {
                match &mut column.cells {
                    Cells::F64(_) if random.unit() < 0.1 => column.push_null(row),
                    Cells::F64(cells) => cells.push(random.unit()),
                    _ => {}
                }
            }
        }
        rows.rows = 500;
        let described: Vec<ColumnDescPtr> = {
            let columns = parquet::schema::types::SchemaDescriptor::new(Arc::clone(&form.schema));
            columns.columns().to_vec()
        };
        let encoded = |hands| -> Vec<Option<Vec<u8>>> {
            let mut pages = PageHands { level: Some(1), each: Vec::new() };
            let chunks = pages.encode(&rows, &described, hands).unwrap();
            chunks.into_iter().map(|chunk| chunk.map(|(bytes, _)| bytes)).collect()
        };
        let alone = encoded(1);
        assert_eq!(alone.iter().flatten().count(), 80, "levels of both sides");
        assert_eq!(alone, encoded(3));
    }
}
