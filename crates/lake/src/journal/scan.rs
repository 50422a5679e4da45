//! Walking through the blocks of one file, and distinguishing a torn tail from damage.
//!
//! A file may end anywhere: a killed process leaves a block half written, a power failure leaves its last blocks empty or
//! scrambled. Whatever cannot be read and has nothing readable behind it is a tail, and the file ends before it. What cannot
//! be read although something readable follows was not caused by a crash: that is damage.

use super::block::{BLOCK_RAW_MAX, Kind, MARKER, Marker};
use super::{Error, Result};
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use zstd::bulk::Decompressor;

/// Decompresses blocks, reusing its memory. One for any number of files: a block is decoded in one call straight into its
/// text, so that no window is kept.
pub(super) struct Unpacker {
    decompressor: Decompressor<'static>,
    packed: Vec<u8>,
}

impl Unpacker {
    pub(super) fn new() -> io::Result<Self> {
        Ok(Self { decompressor: Decompressor::new()?, packed: Vec::new() })
    }

    /// Reads the text of a block; false when its bytes are not what was written.
    fn read(&mut self, file: &mut File, at: u64, marker: &Marker, text: &mut Vec<u8>) -> io::Result<bool> {
        text.clear();
        let raw = marker.raw as usize;
        if raw > BLOCK_RAW_MAX {
            return Ok(false);
        }
        file.seek(SeekFrom::Start(at))?;
        self.packed.resize(marker.packed as usize, 0);
        file.read_exact(&mut self.packed)?;
        text.reserve_exact(raw);
        let fine = self.decompressor.decompress_to_buffer(&self.packed, text).is_ok_and(|n| n == raw);
        self.packed.shrink_to(1 << 20);
        if !fine {
            text.clear();
        }
        Ok(fine)
    }
}

/// What stands at the present position of a file.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Step {
    /// A block; its bytes begin at `at`.
    Block { marker: Marker, at: u64 },
    /// The file was closed here.
    End(Marker),
    /// The file ends here without having been closed: nothing behind `at` can be read, nothing is missing before it.
    Tail { at: u64 },
    /// Bytes at `at` cannot be read although something behind them can.
    Damage { at: u64 },
}

/// The position in a file. The file is opened for each block that is read and not kept open, so that any number of files
/// can be read at the same time.
#[derive(Debug)]
pub(super) struct Blocks {
    path: PathBuf,
    len: u64,
    position: u64,
    /// Bytes that were read of it.
    read: u64,
}

impl Blocks {
    pub(super) fn open(path: &Path) -> Result<Self> {
        let len = path.metadata().map_err(Error::io(path))?.len();
        Ok(Self { path: path.to_path_buf(), len, position: 0, read: 0 })
    }

    /// Goes on at a place where a block begins, or will begin.
    pub(super) const fn go_to(&mut self, position: u64) {
        self.position = position;
    }

    /// Where the next step begins.
    pub(super) const fn position(&self) -> u64 {
        self.position
    }

    /// Bytes that were read so far.
    pub(super) const fn read(&self) -> u64 {
        self.read
    }

    /// The whole content.
    pub(super) fn bytes(&mut self) -> Result<Vec<u8>> {
        let bytes = std::fs::read(&self.path).map_err(Error::io(&self.path))?;
        self.read += bytes.len() as u64;
        Ok(bytes)
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    pub(super) const fn len(&self) -> u64 {
        self.len
    }

    /// Takes the next step, without reading the block it finds.
    pub(super) fn step(&mut self, file: &mut File) -> Result<Step> {
        self.step_in(file).map_err(Error::io(&self.path))
    }

    fn step_in(&mut self, file: &mut File) -> io::Result<Step> {
        let at = self.position;
        self.read += (MARKER as u64).min(self.len.saturating_sub(at));
        let Some(marker) = read_marker(file, at)? else { return self.tail_or_damage(file, at, at + 1) };
        let block = at + MARKER as u64;
        if marker.kind == Kind::End {
            self.position = block;
            return Ok(if block == self.len { Step::End(marker) } else { Step::Damage { at: block } });
        }
        let end = block + u64::from(marker.packed);
        if end > self.len {
            return Ok(Step::Tail { at });
        }
        self.position = end;
        Ok(Step::Block { marker, at: block })
    }

    /// The text of a block, or what its bytes are instead: a tail or damage.
    pub(super) fn text(
        &mut self,
        file: &mut File,
        unpacker: &mut Unpacker,
        (marker, at): (&Marker, u64),
        text: &mut Vec<u8>,
    ) -> Result<Option<Step>> {
        self.read += u64::from(marker.packed);
        let fine = unpacker.read(file, at, marker, text).map_err(Error::io(&self.path))?;
        if fine {
            return Ok(None);
        }
        let end = at + u64::from(marker.packed);
        self.tail_or_damage(file, at - MARKER as u64, end).map(Some).map_err(Error::io(&self.path))
    }

    /// Decides by what can be read at or behind `from`.
    fn tail_or_damage(&mut self, file: &mut File, at: u64, from: u64) -> io::Result<Step> {
        let mut rest = Vec::new();
        if from >= self.len {
            return Ok(Step::Tail { at });
        }
        file.seek(SeekFrom::Start(from))?;
        self.read += file.read_to_end(&mut rest)? as u64;
        let mut unpacker = Unpacker::new()?;
        let (mut position, mut text) = (0, Vec::new());
        while let Some(found) = Marker::find(&rest[position..]) {
            position += found;
            let block = from + (position + MARKER) as u64;
            let readable = match Marker::read(&rest[position..]) {
                Some(m) if m.kind == Kind::End => true,
                Some(m) if block + u64::from(m.packed) <= self.len => unpacker.read(file, block, &m, &mut text)?,
                _ => false,
            };
            if readable {
                return Ok(Step::Damage { at });
            }
            position += 1;
        }
        Ok(Step::Tail { at })
    }

    /// The file, to be held for some steps only.
    pub(super) fn file(&self) -> Result<File> {
        File::open(&self.path).map_err(Error::io(&self.path))
    }
}

/// The end marker of a file that was closed in order.
pub(super) fn end_of(path: &Path) -> Result<Option<Marker>> {
    let read = || -> io::Result<Option<Marker>> {
        let mut file = File::open(path)?;
        let len = file.metadata()?.len();
        let Some(at) = len.checked_sub(MARKER as u64) else { return Ok(None) };
        Ok(read_marker(&mut file, at)?.filter(|m| m.kind == Kind::End))
    };
    read().map_err(Error::io(path))
}

fn read_marker(file: &mut File, at: u64) -> io::Result<Option<Marker>> {
    let mut bytes = Vec::with_capacity(MARKER);
    file.seek(SeekFrom::Start(at))?;
    file.take(MARKER as u64).read_to_end(&mut bytes)?;
    Ok(Marker::read(&bytes))
}
