//! How far a journal was read, file by file: whoever reads it again and again as it grows reads each part of it once.

use super::block::{Header, Marker};
use super::sequence::Sequences;
use barograph_domain::Ts;
use std::collections::BTreeMap;
use std::path::PathBuf;

/// What of a journal was read ([`super::JournalReader::into_cursor`]), so that another reader goes on behind it
/// ([`super::JournalReader::resume`]). An empty one is at the beginning.
#[derive(Debug, Default)]
pub struct JournalCursor {
    pub(super) files: BTreeMap<PathBuf, FileStand>,
    pub(super) sequences: Sequences,
    pub(super) bytes_read: u64,
}

impl JournalCursor {
    /// Bytes that were read of the journal's files so far.
    #[must_use]
    pub const fn bytes_read(&self) -> u64 {
        self.bytes_read
    }
}

/// How far a file was read.
#[derive(Debug)]
pub(super) enum FileStand {
    /// To its end, or as far as it can be read: it is not looked at again.
    Over,
    /// Up to here; there may be more.
    At(Box<FileMark>),
}

/// Where reading goes on: at a block.
#[derive(Debug)]
pub(super) struct FileMark {
    pub(super) header: Header,
    pub(super) mended: bool,
    pub(super) begun: bool,
    pub(super) position: u64,
    /// The block before.
    pub(super) marker: Option<Marker>,
    /// Stamp of the last line before.
    pub(super) at: Ts,
    /// Nothing more was there when the file had this length.
    pub(super) ended: Option<u64>,
}
