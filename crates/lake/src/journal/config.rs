//! How a journal is written, and what it counts.

use barograph_domain::Span;
use std::path::PathBuf;

/// How a journal is written. [`Self::new`] gives the defaults, each with its reason.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct JournalConfig {
    /// Folder of the journal: `<data>/journal`. Made when it is not there.
    pub root: PathBuf,
    /// zstd level. Default 1: on recorded frames of six streams it packs 7.75 times at 758 MB/s of one core. Frames repeat
    /// themselves within a few kilobytes, so levels 2 to 5 look further, take longer and pack less (level 3: 7.31 times at
    /// 597 MB/s); level 6 gains 4 % at a quarter of the speed (ADR 11; `cargo bench -p barograph-lake --bench journal`).
    pub level: i32,
    /// Bytes of text after which a block is packed. Default 128 KiB: larger ones pack no better, and a reader of hundreds of
    /// connections holds one block of each.
    pub block_bytes: usize,
    /// Bytes of text after which a file is closed and the next begun, besides the end of each UTC hour. Default 512 MiB: about
    /// 70 MiB on disk, a second of reading.
    pub rotate_bytes: u64,
    /// Everything is with the operating system at the latest this long after its stamp. Default one second: what a killed
    /// process may lose. Measured by the stamps: multiply it where the clock runs faster than real time.
    pub flush_every: Span,
    /// Everything is on the device at the latest this long after its stamp. Default 10 s: what a power failure may lose; on
    /// the devices seen, a sync takes some milliseconds per open file.
    pub sync_every: Span,
    /// Bytes that may wait for the writer thread before the caller waits too. Default 64 MiB: ten seconds of a thousand markets
    /// (20,000 messages/s of 300 bytes) while a device stalls.
    pub queue_bytes: usize,
}

impl JournalConfig {
    /// The defaults for a folder.
    pub fn new(root: impl Into<PathBuf>) -> Self {
        Self {
            root: root.into(),
            level: 1,
            block_bytes: 128 << 10,
            rotate_bytes: 512 << 20,
            flush_every: Span::secs(1),
            sync_every: Span::secs(10),
            queue_bytes: 64 << 20,
        }
    }
}

/// Counts since the journal was opened.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct JournalStats {
    /// Frames handed in.
    pub frames: u64,
    /// Control records handed in.
    pub records: u64,
    /// Bytes of text handed in, stamps and newlines included.
    pub bytes_raw: u64,
    /// Bytes written to files.
    pub bytes_written: u64,
    /// Bytes of text that wait for the writer thread.
    pub queue_bytes: u64,
    /// Files open now.
    pub files_open: u64,
    /// How often the caller had to wait because the queue was full.
    pub blocked: u64,
    /// How long it waited altogether, by the real clock.
    pub blocked_for: Span,
    /// The first failure; nothing is written after it.
    pub failed: Option<String>,
}
