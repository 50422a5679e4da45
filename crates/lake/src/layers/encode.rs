//! A Parquet file from buffers of rows, a row group each.
//!
//! Plain columns of floats, zstd or not packed, which are nearly all bytes, are encoded in [`super::page`]; the others by Parquet's own typed writers,
//! from our vectors: there is no Arrow array in between.

use super::buffer::{Cells, ColumnBuffer, RowBuffer};
use super::disk::LakeFile;
use super::page::FloatPages;
use super::schema::{CellType, LakeColumn, arrow_schema};
use super::settings::{FloatEncoding, LakeCompression, LakeConfig};
use bytes::Bytes;
use parquet::arrow::ArrowSchemaConverter;
use parquet::basic::{Compression, Encoding, ZstdLevel};
use parquet::data_type::{BoolType, ByteArrayType, DoubleType, Int32Type, Int64Type};
use parquet::errors::Result;
use parquet::file::properties::{EnabledStatistics, WriterProperties, WriterPropertiesPtr};
use parquet::file::writer::{SerializedColumnWriter, SerializedFileWriter};
use parquet::schema::types::{ColumnPath, TypePtr};
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
    pages: Option<FloatPages>,
}

impl ParquetFile {
    pub(super) fn begin(form: &FileForm, file: Box<dyn LakeFile>) -> Result<Self> {
        let writer = SerializedFileWriter::new(file, Arc::clone(&form.schema), Arc::clone(&form.properties))?;
        let pages = form.plain.map(FloatPages::new).transpose()?;
        Ok(Self { writer, pages })
    }

    /// Adds the rows of a buffer as one row group.
    pub(super) fn write(&mut self, rows: &RowBuffer) -> Result<()> {
        let mut levels = Levels { full: vec![1; rows.rows], own: Vec::new() };
        let described = self.writer.schema_descr().columns().to_vec();
        let mut group = self.writer.next_row_group()?;
        for (column, described) in rows.columns.iter().zip(&described) {
            if let (Some(pages), Cells::F64(cells)) = (&mut self.pages, &column.cells) {
                let (chunk, close) = pages.encode(described, rows.rows, cells, &column.nulls)?;
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
