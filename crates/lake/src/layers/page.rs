//! Columns of floats as Parquet pages, written out here: one page of a row group's numbers, eight bytes after eight bytes, zstd
//! or as they are.
//!
//! Nearly all bytes of the lake are such columns. Parquet's own writer goes over each number for levels, statistics and buffers in code
//! that the release profile hardly optimises, because its other users wait for people; the wide book was written at half the rate that is
//! asked for (`benches/layers.rs`). For this case the format is short (Parquet format, "Data Pages" and "Run Length Encoding"): the
//! length of the levels, the levels as runs, the numbers.

use bytes::Bytes;
use parquet::basic::{Compression, Encoding, ZstdLevel};
use parquet::column::page::{CompressedPage, Page, PageWriter as _};
use parquet::column::writer::ColumnCloseResult;
use parquet::errors::{ParquetError, Result};
use parquet::file::metadata::ColumnChunkMetaData;
use parquet::file::statistics::Statistics;
use parquet::file::writer::{SerializedPageWriter, TrackedWrite};
use parquet::schema::types::ColumnDescPtr;
use zstd::bulk::Compressor;

/// Encodes columns of floats.
pub(super) struct FloatPages {
    zstd: Option<Compressor<'static>>,
    body: Vec<u8>,
    packed: Vec<u8>,
}

impl std::fmt::Debug for FloatPages {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("FloatPages").field("zstd", &self.zstd.is_some()).finish_non_exhaustive()
    }
}

impl FloatPages {
    /// Packs with zstd of a level, which may be negative; not at all for `None`.
    pub(super) fn new(level: Option<i32>) -> Result<Self> {
        let zstd = level.map(Compressor::new).transpose().map_err(failed)?;
        Ok(Self { zstd, body: Vec::new(), packed: Vec::new() })
    }

    /// The bytes of a column chunk of one page, and what is to be said about it. `nulls` are the rows whose cell is absent.
    pub(super) fn encode(
        &mut self,
        column: &ColumnDescPtr,
        rows: usize,
        cells: &[f64],
        nulls: &[u32],
    ) -> Result<(Vec<u8>, ColumnCloseResult)> {
        self.body.clear();
        if column.max_def_level() > 0 {
            self.body.extend([0; 4]);
            levels(&mut self.body, rows, nulls);
            let length = u32::try_from(self.body.len() - 4).unwrap_or(u32::MAX);
            self.body[..4].copy_from_slice(&length.to_le_bytes());
        }
        let from = self.body.len();
        self.body.resize(from + 8 * cells.len(), 0);
        for (out, cell) in self.body[from..].chunks_exact_mut(8).zip(cells) {
            out.copy_from_slice(&cell.to_le_bytes());
        }
        if let Some(zstd) = &mut self.zstd {
            self.packed.clear();
            self.packed.reserve(zstd::zstd_safe::compress_bound(self.body.len()));
            zstd.compress_to_buffer(&self.body, &mut self.packed).map_err(failed)?;
        }
        self.chunk(column, rows, statistics(cells, nulls.len()))
    }

    fn chunk(
        &self,
        column: &ColumnDescPtr,
        rows: usize,
        statistics: Statistics,
    ) -> Result<(Vec<u8>, ColumnCloseResult)> {
        let (bytes, compression) = match self.zstd {
            // Readers want to know that it is zstd and not the level; Parquet's type for levels has no negative ones.
            Some(_) => (&self.packed, Compression::ZSTD(ZstdLevel::default())),
            None => (&self.body, Compression::UNCOMPRESSED),
        };
        let page = Page::DataPage {
            buf: Bytes::copy_from_slice(bytes),
            num_values: u32::try_from(rows).unwrap_or(u32::MAX),
            encoding: Encoding::PLAIN,
            def_level_encoding: Encoding::RLE,
            rep_level_encoding: Encoding::RLE,
            statistics: None,
        };
        let mut out = TrackedWrite::new(Vec::new());
        let written = SerializedPageWriter::new(&mut out).write_page(CompressedPage::new(page, self.body.len()))?;
        let chunk = out.into_inner()?;
        let count = |n: usize| i64::try_from(n).unwrap_or(i64::MAX);
        let metadata = ColumnChunkMetaData::builder(column.clone())
            .set_compression(compression)
            .set_encodings(vec![Encoding::PLAIN, Encoding::RLE])
            .set_num_values(count(rows))
            .set_total_compressed_size(count(chunk.len()))
            .set_total_uncompressed_size(count(written.uncompressed_size))
            .set_data_page_offset(0)
            .set_statistics(statistics)
            .build()?;
        let close = ColumnCloseResult {
            bytes_written: chunk.len() as u64,
            rows_written: rows as u64,
            metadata,
            bloom_filter: None,
            column_index: None,
            offset_index: None,
        };
        Ok((chunk, close))
    }
}

fn failed(e: std::io::Error) -> ParquetError {
    ParquetError::External(Box::new(e))
}

/// Levels of one bit, as runs: 1 where a cell is there.
fn levels(out: &mut Vec<u8>, rows: usize, nulls: &[u32]) {
    let mut at = 0;
    let mut nulls = nulls.iter().filter_map(|row| usize::try_from(*row).ok()).peekable();
    while at < rows {
        let there = nulls.peek() != Some(&at);
        let mut until = at;
        if there {
            until = nulls.peek().map_or(rows, |next| *next);
        } else {
            while nulls.next_if_eq(&until).is_some() {
                until += 1;
            }
        }
        run(out, until - at, there);
        at = until;
    }
}

/// A run: its length and a zero bit as a number of seven bits per byte, then what is repeated.
fn run(out: &mut Vec<u8>, length: usize, there: bool) {
    let mut number = length << 1;
    let low = |number: usize| number.to_le_bytes()[0] & 0x7f;
    while number >= 0x80 {
        out.push(low(number) | 0x80);
        number >>= 7;
    }
    out.push(low(number));
    out.push(u8::from(there));
}

/// Minimum and maximum, a zero with the sign that lets readers find either (Parquet format, "ColumnOrder").
fn statistics(cells: &[f64], nulls: usize) -> Statistics {
    let mut bounds = (f64::INFINITY, f64::NEG_INFINITY);
    for cell in cells {
        bounds = (if *cell < bounds.0 { *cell } else { bounds.0 }, if *cell > bounds.1 { *cell } else { bounds.1 });
    }
    let signed = |bound: f64, zero: f64| if bound == 0.0 { zero } else { bound };
    let bounds = (!cells.is_empty()).then(|| (signed(bounds.0, -0.0), signed(bounds.1, 0.0)));
    Statistics::double(bounds.map(|b| b.0), bounds.map(|b| b.1), None, Some(nulls as u64), false)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(rows: usize, nulls: &[u32], want: &[u8]) {
        let mut out = Vec::new();
        levels(&mut out, rows, nulls);
        assert_eq!(out, want, "{rows} rows without {nulls:?}");
    }

    #[test]
    fn levels_are_runs() {
        check(0, &[], &[]);
        check(1, &[], &[2, 1]);
        check(1, &[0], &[2, 0]);
        check(63, &[], &[126, 1]);
        check(64, &[], &[0x80, 1, 1]);
        check(65_536, &[], &[0x80, 0x80, 8, 1]);
        check(5, &[0, 1, 3], &[4, 0, 2, 1, 2, 0, 2, 1]);
        check(4, &[3], &[6, 1, 2, 0]);
    }

    #[test]
    fn bounds_are_those_of_the_cells_and_zeros_have_both_signs() {
        let bounds = |cells: &[f64]| match statistics(cells, 1) {
            Statistics::Double(s) => (s.min_opt().map(|v| v.to_bits()), s.max_opt().map(|v| v.to_bits())),
            _ => (None, None),
        };
        let bits = |a: f64, b: f64| (Some(a.to_bits()), Some(b.to_bits()));
        assert_eq!(bounds(&[]), (None, None));
        assert_eq!(bounds(&[2.0, -3.0, 1.0]), bits(-3.0, 2.0));
        assert_eq!(bounds(&[0.0, -0.0]), bits(-0.0, 0.0));
        assert_eq!(bounds(&[-0.0, 5.0]), bits(-0.0, 5.0));
    }
}
