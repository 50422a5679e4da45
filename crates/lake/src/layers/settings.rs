//! How the lake is written.

use barograph_domain::Span;
use std::path::PathBuf;

/// How columns are compressed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum LakeCompression {
    /// zstd of a level up to 22; negative ones are faster and pack less.
    Zstd(i32),
    /// LZ4, in the form without frames (`LZ4_RAW`).
    Lz4,
    /// Snappy, in its raw form.
    Snappy,
    /// As it is.
    Uncompressed,
}

/// How floating-point columns are laid out before they are compressed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum FloatEncoding {
    /// Eight bytes after eight bytes.
    Plain,
    /// Each value once, and its number where it stands.
    Dictionary,
    /// All first bytes, then all second bytes, …
    ByteStreamSplit,
}

/// How a partition is written. [`Self::live`] and [`Self::import`] give the defaults: zstd 1 over plain floats.
///
/// Measured by `benches/layers.rs` on the wide book table (85 columns, books of a recorded session of BTCUSDT at Binance), everything
/// included: on two quiet cores, which share out the columns, zstd 1 packs 8.2 times at 300 to 317 MB/s of raw columns in real time. On one
/// core that five other programs were using: zstd 1 at 216 to 240, zstd 3 9.2 times at 200, zstd −9 4.3 times at 255; nothing packed 277 to
/// 330. Through Parquet's own writer, which the release profile hardly optimises: LZ4 5.2 times at 150, Snappy 5.3 at 150, zstd 1 over dictionaries 7.8 at 133, over split bytes 3.4 at 69: values that stand
/// for several rows are what a book has, and splitting their bytes hides that.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct LakeConfig {
    /// Folder of the lake: `<root>/{bronze,silver,gold}`. Made when it is not there.
    pub root: PathBuf,
    /// Rows become a part file at the latest when a row comes that was known this much later than the first of them: what a crash may
    /// lose. A part file is synced, so a short interval costs two syncs each.
    pub flush_every: Span,
    /// Is an hour of several parts made one file as soon as it is closed, on the calling thread? Otherwise [`super::compact`] does it.
    pub compact_on_close: bool,
    /// Compression of all columns.
    pub compression: LakeCompression,
    /// Layout of the floating-point columns.
    pub floats: FloatEncoding,
}

impl LakeConfig {
    /// For rows as they come in: at most a second is lost by a crash.
    pub fn live(root: impl Into<PathBuf>) -> Self {
        Self {
            root: root.into(),
            flush_every: Span::secs(1),
            compact_on_close: true,
            compression: LakeCompression::Zstd(1),
            floats: FloatEncoding::Plain,
        }
    }

    /// For rows that can be read again: an hour is one file from the beginning, and what a crash costs is the hour under way.
    pub fn import(root: impl Into<PathBuf>) -> Self {
        Self { flush_every: Span(i64::MAX), ..Self::live(root) }
    }
}
