//! How the lake is written.

use barograph_domain::Span;
use std::path::PathBuf;

/// How columns are compressed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum LakeCompression {
    /// zstd of a level from 1 to 22.
    Zstd(i32),
    /// LZ4, in the form without frames (`LZ4_RAW`).
    Lz4,
    /// Snappy.
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

/// How a partition is written. [`Self::live`] and [`Self::import`] give the defaults.
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
