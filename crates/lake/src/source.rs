//! Bytes of a file, whatever it is packed in: plain, gzip, zstd, xz, or a member of a zip archive.
//!
//! Small files are taken into memory at once, so that a thousand daily files that overlap need no thousand handles.

use flate2::Crc;
use flate2::bufread::{DeflateDecoder, MultiGzDecoder};
use lzma_rust2::XzReader;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Cursor, Read, Seek, SeekFrom};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// Files up to this size are read at once and closed: a daily archive file has 10 to 100 KB.
const SMALL: u64 = 256 * 1024;
/// Read buffer of larger files.
const BUFFER: usize = 128 * 1024;
/// Packings inside packings that are followed: a gzip inside a zip.
const DEPTH: usize = 3;
/// What an xz file may ask for, in KiB: its highest level, `-9`, needs 65 MiB to unpack; beyond that a file is made to hurt.
const XZ_KIB: u32 = 80 * 1024;

/// Bytes as they come out of their packing.
pub(crate) type Bytes = Box<dyn BufRead + Send>;

/// One member of a zip archive: where its packed bytes lie.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct ZipMember {
    pub(crate) name: String,
    start: u64,
    packed: u64,
    crc: u32,
    method: Method,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Method {
    Stored,
    Deflate,
    Zstd,
}

/// Counts bytes read from disk, for the progress line.
struct Counted<R> {
    inner: R,
    read: Arc<AtomicU64>,
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let n = self.inner.read(buf)?;
        self.read.fetch_add(n as u64, Ordering::Relaxed);
        Ok(n)
    }
}

/// Opens a file, or a member of it, and takes off every packing.
pub(crate) fn open(path: &Path, member: Option<&ZipMember>, read: &Arc<AtomicU64>) -> io::Result<Bytes> {
    let mut file = File::open(path)?;
    let length = match member {
        Some(member) => {
            file.seek(SeekFrom::Start(member.start))?;
            member.packed
        }
        None => file.metadata()?.len(),
    };
    let counted = Counted { inner: file, read: Arc::clone(read) };
    let raw: Bytes = if length <= SMALL {
        let mut all = Vec::new();
        counted.take(length).read_to_end(&mut all)?;
        Box::new(Cursor::new(all))
    } else {
        Box::new(BufReader::with_capacity(BUFFER, counted.take(length)))
    };
    let raw: Bytes = match member {
        None => raw,
        Some(member) => match member.method {
            Method::Stored => buffered(Checked::new(raw, member.crc)),
            Method::Deflate => buffered(Checked::new(DeflateDecoder::new(raw), member.crc)),
            Method::Zstd => buffered(Checked::new(zstd::Decoder::with_buffer(raw)?, member.crc)),
        },
    };
    unpack(raw, DEPTH)
}

/// Opens a file for what reads its text by itself; gzip, zstd and xz are taken off.
///
/// # Errors
/// When it cannot be opened. What is wrong with its packing comes when it is read.
pub fn unpacked(path: &Path) -> io::Result<Box<dyn BufRead + Send>> {
    open(path, None, &Arc::default())
}

fn buffered(inner: impl Read + Send + 'static) -> Bytes {
    Box::new(BufReader::with_capacity(BUFFER, inner))
}

/// Takes off gzip, zstd and xz, however often they are wrapped.
fn unpack(mut raw: Bytes, depth: usize) -> io::Result<Bytes> {
    if depth == 0 {
        return Ok(raw);
    }
    let head = raw.fill_buf()?;
    if head.starts_with(&[0x1f, 0x8b]) {
        return unpack_lenient(buffered(MultiGzDecoder::new(raw)), depth);
    }
    if head.starts_with(&[0x28, 0xb5, 0x2f, 0xfd]) {
        return unpack_lenient(buffered(zstd::Decoder::with_buffer(raw)?), depth);
    }
    if head.starts_with(b"\xfd7zXZ\0") {
        return unpack_lenient(buffered(XzReader::new_mem_limit(raw, true, XZ_KIB)), depth);
    }
    Ok(raw)
}

/// The head of a broken packing cannot be looked at; its error comes back when it is read.
fn unpack_lenient(mut inner: Bytes, depth: usize) -> io::Result<Bytes> {
    match inner.fill_buf() {
        Ok(_) => unpack(inner, depth - 1),
        Err(e) => Ok(Box::new(BufReader::new(Broken(Some(e))))),
    }
}

struct Broken(Option<io::Error>);

impl Read for Broken {
    fn read(&mut self, _buf: &mut [u8]) -> io::Result<usize> {
        match self.0.take() {
            Some(e) => Err(e),
            None => Err(io::ErrorKind::UnexpectedEof.into()),
        }
    }
}

/// Compares the check sum of a zip member at its end.
struct Checked<R> {
    inner: R,
    crc: Crc,
    want: u32,
}

impl<R: Read> Checked<R> {
    fn new(inner: R, want: u32) -> Self {
        Self { inner, crc: Crc::new(), want }
    }
}

impl<R: Read> Read for Checked<R> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let n = self.inner.read(buf)?;
        self.crc.update(&buf[..n]);
        if n == 0 && !buf.is_empty() && self.crc.sum() != self.want {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "check sum of the zip member does not fit"));
        }
        Ok(n)
    }
}

/// Members of a zip archive that may hold data, in the order of their names.
///
/// # Errors
/// One sentence, when the archive is none or broken.
pub(crate) fn members(path: &Path) -> Result<Vec<ZipMember>, String> {
    let broken = |e: &dyn std::fmt::Display| format!("not a readable zip archive: {e}");
    let file = File::open(path).map_err(|e| broken(&e))?;
    let mut archive = zip::ZipArchive::new(BufReader::new(file)).map_err(|e| broken(&e))?;
    let mut members = Vec::new();
    for i in 0..archive.len() {
        let entry = archive.by_index_raw(i).map_err(|e| broken(&e))?;
        let name = entry.name().map_err(|e| broken(&e))?.into_owned();
        let beside = name.ends_with('/') || name.starts_with("__MACOSX/") || crate::walk::is_beside(&name);
        if !entry.is_file() || beside {
            continue;
        }
        if entry.encrypted() {
            return Err(format!("'{name}' in the archive is encrypted; unpack it first"));
        }
        let method = match entry.compression() {
            zip::CompressionMethod::STORE => Method::Stored,
            zip::CompressionMethod::DEFLATE => Method::Deflate,
            zip::CompressionMethod::ZSTD => Method::Zstd,
            other => return Err(format!("'{name}' is packed as {other}, which is not read; unpack it first")),
        };
        let start = entry.data_start().ok_or_else(|| broken(&"no data"))?;
        members.push(ZipMember { name, start, packed: entry.compressed_size(), crc: entry.crc32(), method });
    }
    members.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(members)
}
