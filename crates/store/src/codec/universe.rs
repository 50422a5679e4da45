//! The row of one hour between markets as one blob: its JSON, compressed, with a checksum.
//!
//! One row an hour is little (two markets 1 kB, twelve 20 kB), so words may stay words: a new variant elsewhere cannot shift
//! old ones, and every number comes back bit for bit (shortest digits that do).

use super::CodecError;
use barograph_domain::UniverseRow;
use std::io::{Read as _, Write as _};

/// Written first in every blob.
const FORMAT: u8 = 1;
const ZSTD_LEVEL: i32 = 3;
/// Twelve markets make some 100 kB of text; a blob that claims more is damaged.
const RAW_BYTES_MAX: u64 = 4 << 20;

/// The text of a row.
///
/// # Errors
/// When a number is not finite, which no row has.
pub fn text(row: &UniverseRow) -> Result<Vec<u8>, CodecError> {
    serde_json::to_vec(row).map_err(|_e| CodecError("cannot be written as JSON"))
}

/// Packs a row.
///
/// # Errors
/// As [`text`], or when the compressor fails (memory).
pub fn encode(row: &UniverseRow) -> Result<Vec<u8>, CodecError> {
    let failed = |_e: std::io::Error| CodecError("cannot be compressed");
    let mut zstd = zstd::Encoder::new(vec![FORMAT], ZSTD_LEVEL).map_err(failed)?;
    zstd.include_checksum(true).map_err(failed)?;
    zstd.write_all(&text(row)?).map_err(failed)?;
    zstd.finish().map_err(failed)
}

/// The row of a blob.
///
/// # Errors
/// When the blob is damaged or of a newer format.
pub fn decode(blob: &[u8]) -> Result<UniverseRow, CodecError> {
    let (format, packed) = blob.split_first().ok_or(CodecError("is empty"))?;
    if *format != FORMAT {
        return Err(CodecError("has a format this build does not know"));
    }
    let damaged = |_e: std::io::Error| CodecError("does not decompress");
    let mut raw = Vec::new();
    zstd::Decoder::new(packed).map_err(damaged)?.take(RAW_BYTES_MAX).read_to_end(&mut raw).map_err(damaged)?;
    serde_json::from_slice(&raw).map_err(|_e| CodecError("holds no row of an hour"))
}
