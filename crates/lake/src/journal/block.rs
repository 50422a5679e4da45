//! The bytes of a journal file: blocks, each a complete zstd frame with its own checksum behind a small marker.
//!
//! A file is `marker block marker block … end-marker`. The marker is a zstd skippable frame, which every zstd tool passes
//! over, so `zstdcat` shows the text; it says what the block holds, so that a reader can pass over blocks it does not need
//! and recovery can find the last whole one without decompressing the rest. The first block is the header line alone. The
//! end marker says the file was closed in order; a file without one ends where its last whole block ends.
//!
//! Complete frames instead of one long stream: at 128 KiB they cost less than one per cent of space on recorded frames, any
//! prefix of a file is readable up to its last whole block, and one compressor serves hundreds of open files (ADR 11).

use super::{Error, Result};
use barograph_domain::Ts;
use serde::{Deserialize, Serialize};
use std::io;
use std::path::Path;
use zstd::bulk::Compressor;
use zstd::zstd_safe::CParameter;

/// Version of the file format; in the header of every file.
pub const VERSION: u32 = 1;
/// Largest block a reader accepts: several times the largest frame, and small enough to fit in memory.
pub(super) const BLOCK_RAW_MAX: usize = 256 << 20;

/// One of the sixteen numbers the zstd format leaves to its users.
const SKIPPABLE: u32 = 0x184D_2A5B;
const TAG: [u8; 4] = *b"bgj1";
/// Bytes behind magic number and length: tag 4, kind 1, packed 4, raw 4, first line 8, lines 4, first 8, last 8, check 8.
const PAYLOAD: usize = 49;
/// That length as it stands in the marker.
const LENGTH: [u8; 4] = [49, 0, 0, 0];
/// Bytes of a whole marker.
pub(super) const MARKER: usize = 8 + PAYLOAD;

/// What a marker announces.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Kind {
    /// The header line.
    Header,
    /// Lines with stamps.
    Lines,
    /// Nothing: the file was closed here. Counts and stamps are those of the whole file.
    End,
}

/// What stands before a block.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Marker {
    pub(super) kind: Kind,
    /// Bytes of the compressed block that follows.
    pub(super) packed: u32,
    /// Bytes of its text.
    pub(super) raw: u32,
    /// Sequence of its first line.
    pub(super) first_line: u64,
    /// Lines in it.
    pub(super) lines: u32,
    /// Stamp of its first line.
    pub(super) first: Ts,
    /// Stamp of its last line.
    pub(super) last: Ts,
}

impl Marker {
    fn write(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&SKIPPABLE.to_le_bytes());
        out.extend_from_slice(&LENGTH);
        let from = out.len();
        out.extend_from_slice(&TAG);
        out.push(match self.kind {
            Kind::Header => 0,
            Kind::Lines => 1,
            Kind::End => 2,
        });
        out.extend_from_slice(&self.packed.to_le_bytes());
        out.extend_from_slice(&self.raw.to_le_bytes());
        out.extend_from_slice(&self.first_line.to_le_bytes());
        out.extend_from_slice(&self.lines.to_le_bytes());
        out.extend_from_slice(&self.first.0.to_le_bytes());
        out.extend_from_slice(&self.last.0.to_le_bytes());
        let check = fnv1a(&out[from..]);
        out.extend_from_slice(&check.to_le_bytes());
    }

    /// Reads a marker at the beginning of `bytes`; `None` when there is none, or not a whole one.
    pub(super) fn read(bytes: &[u8]) -> Option<Self> {
        let payload = bytes.get(..MARKER)?.strip_prefix(&SKIPPABLE.to_le_bytes())?;
        let payload = payload.strip_prefix(&LENGTH)?;
        let (body, check) = payload.split_at(PAYLOAD - 8);
        if fnv1a(body).to_le_bytes() != *check {
            return None;
        }
        let mut at = Cursor(body.strip_prefix(&TAG)?);
        Some(Self {
            kind: match at.take::<1>()? {
                [0] => Kind::Header,
                [1] => Kind::Lines,
                [2] => Kind::End,
                _ => return None,
            },
            packed: u32::from_le_bytes(at.take()?),
            raw: u32::from_le_bytes(at.take()?),
            first_line: u64::from_le_bytes(at.take()?),
            lines: u32::from_le_bytes(at.take()?),
            first: Ts(i64::from_le_bytes(at.take()?)),
            last: Ts(i64::from_le_bytes(at.take()?)),
        })
    }

    /// Position of the first whole marker in `bytes`.
    pub(super) fn find(bytes: &[u8]) -> Option<usize> {
        memchr::memmem::find_iter(bytes, &SKIPPABLE.to_le_bytes()).find(|at| Self::read(&bytes[*at..]).is_some())
    }
}

struct Cursor<'a>(&'a [u8]);

impl Cursor<'_> {
    fn take<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (head, rest) = self.0.split_first_chunk::<N>()?;
        self.0 = rest;
        Some(*head)
    }
}

/// Fowler–Noll–Vo 1a, 64 bits: enough to distinguish a marker from bytes that look like one. The blocks have zstd's own checksum.
fn fnv1a(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |h, b| (h ^ u64::from(*b)).wrapping_mul(0x0000_0100_0000_01b3))
}

/// The JSON behind `#` in the first line of a file.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(super) struct Header {
    /// Always `barograph-journal`.
    pub format: String,
    /// [`VERSION`].
    pub version: u32,
    /// What the lines are.
    #[serde(flatten)]
    pub content: Content,
    /// When the connection was opened; for control files when the journal was.
    pub opened: Ts,
    /// Stamp of the first line of this file, nanoseconds.
    pub first_ns: i64,
    /// Sequence of the first line of this file: the lines of one connection are counted through all its files.
    pub first_seq: u64,
}

/// What the lines of a file are.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub(super) enum Content {
    /// Frames of one connection.
    Frames {
        /// Venue id.
        venue: String,
        /// Name of the connection.
        connection: String,
        /// Place among the sources of the run where stamps are equal.
        rank: u32,
    },
    /// Control records of the process.
    Control,
}

pub(super) const FORMAT: &str = "barograph-journal";

impl Header {
    /// The first line, newline included.
    pub(super) fn line(&self) -> Result<Vec<u8>> {
        let mut line = vec![b'#'];
        serde_json::to_writer(&mut line, self)
            .map_err(|e| Error::Misuse(format!("a header is not writable as JSON: {e}")))?;
        line.push(b'\n');
        Ok(line)
    }

    /// Reads the text of the first block.
    pub(super) fn parse(text: &[u8], path: &Path) -> Result<Self> {
        let json = text
            .strip_prefix(b"#")
            .and_then(|t| t.strip_suffix(b"\n"))
            .ok_or_else(|| Error::damaged(path, 1, "the header line is not a '#' with JSON behind it"))?;
        // The version is looked at first: a newer header may lack what this release expects.
        let value: serde_json::Value =
            serde_json::from_slice(json).map_err(|e| Error::damaged(path, 1, format!("header: {e}")))?;
        match value.get("version").and_then(serde_json::Value::as_u64) {
            Some(v) if v > u64::from(VERSION) => {
                let what = format!("format version {v}, and this release reads up to {VERSION}");
                return Err(Error::Newer { path: path.to_path_buf(), what });
            }
            _ => {}
        }
        let header: Self =
            serde_json::from_value(value).map_err(|e| Error::damaged(path, 1, format!("header: {e}")))?;
        if header.format == FORMAT {
            return Ok(header);
        }
        Err(Error::damaged(path, 1, format!("the header says format '{}'", header.format)))
    }
}

/// Turns text into marker and block, reusing its memory.
pub(super) struct Packer {
    compressor: Compressor<'static>,
    packed: Vec<u8>,
}

impl Packer {
    pub(super) fn new(level: i32) -> io::Result<Self> {
        let mut compressor = Compressor::new(level)?;
        compressor.set_parameter(CParameter::ChecksumFlag(true))?;
        Ok(Self { compressor, packed: Vec::new() })
    }

    /// Appends marker and block of `text`; `packed` and `raw` of the marker are filled in here.
    pub(super) fn append(&mut self, out: &mut Vec<u8>, marker: Marker, text: &[u8]) -> io::Result<()> {
        let too_large = |_e| io::Error::new(io::ErrorKind::InvalidInput, "a block of 4 GiB or more");
        self.packed.clear();
        self.packed.reserve(zstd::zstd_safe::compress_bound(text.len()));
        self.compressor.compress_to_buffer(text, &mut self.packed)?;
        let packed = u32::try_from(self.packed.len()).map_err(too_large)?;
        let raw = u32::try_from(text.len()).map_err(too_large)?;
        Marker { packed, raw, ..marker }.write(out);
        out.extend_from_slice(&self.packed);
        // One huge frame must not keep its memory for good.
        self.packed.shrink_to(1 << 20);
        Ok(())
    }

    /// Appends the end marker of a file of `lines` lines.
    pub(super) fn end(out: &mut Vec<u8>, next_line: u64, lines: u32, first: Ts, last: Ts) {
        Marker { kind: Kind::End, packed: 0, raw: 0, first_line: next_line, lines, first, last }.write(out);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn marker() -> Marker {
        Marker {
            kind: Kind::Lines,
            packed: 3,
            raw: 9,
            first_line: 1 << 40,
            lines: 2,
            first: Ts(-5),
            last: Ts(i64::MAX),
        }
    }

    #[test]
    fn markers_come_back_and_any_changed_bit_is_noticed() {
        let mut bytes = Vec::new();
        marker().write(&mut bytes);
        assert_eq!((bytes.len(), Marker::read(&bytes)), (MARKER, Some(marker())));
        for bit in 0..MARKER * 8 {
            let mut bad = bytes.clone();
            bad[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(Marker::read(&bad), None, "bit {bit}");
        }
        for cut in 0..MARKER {
            assert_eq!(Marker::read(&bytes[..cut]), None);
        }
        assert_eq!(Marker::find(&[b"[*M".as_slice(), &bytes].concat()), Some(3));
    }

    #[test]
    fn a_header_of_another_format_or_a_newer_version_is_refused() {
        let text = |t: &str| Header::parse(t.as_bytes(), Path::new("f.zst")).unwrap_err().to_string();
        assert!(
            text("#{\"format\":\"barograph-journal\",\"version\":2}\n").contains("newer release: format version 2")
        );
        let other = "#{\"format\":\"x\",\"version\":1,\"kind\":\"control\",\"opened\":\"2026-01-01T00:00:00Z\",\
                     \"first_ns\":1,\"first_seq\":0}\n";
        assert!(text(other).contains("format 'x'"));
        assert!(text("1 frame\n").contains("line 1"));
    }

    #[test]
    fn packed_text_is_what_any_zstd_reader_shows() {
        let (mut out, mut packer) = (Vec::new(), Packer::new(3).unwrap());
        packer.append(&mut out, marker(), b"#{}\n").unwrap();
        packer.append(&mut out, marker(), b"1 a\n2 b\n").unwrap();
        Packer::end(&mut out, 2, 2, Ts(1), Ts(2));
        assert_eq!(zstd::decode_all(&out[..]).unwrap(), b"#{}\n1 a\n2 b\n");
    }
}
