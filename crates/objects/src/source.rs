//! What is put: bytes at hand or a file, with size and digest known beforehand.

use crate::{Error, ObjectDigest, Result};
use std::fs::File;
use std::io::{Read as _, Seek as _, SeekFrom};
use std::path::{Path, PathBuf};

/// Bytes to put, which can be read more than once: a part that did not arrive is sent again.
#[derive(Clone, Debug)]
pub struct ObjectSource<'a> {
    from: From<'a>,
    size: u64,
    sha256: ObjectDigest,
}

#[derive(Clone, Debug)]
enum From<'a> {
    Bytes(&'a [u8]),
    File(PathBuf),
}

impl<'a> ObjectSource<'a> {
    /// These bytes.
    #[must_use]
    pub fn of_bytes(bytes: &'a [u8]) -> Self {
        Self { size: bytes.len() as u64, sha256: ObjectDigest::of(bytes), from: From::Bytes(bytes) }
    }

    /// A file, which is read once for its digest.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn of_file(path: &Path) -> Result<Self> {
        let mut file = File::open(path).map_err(Error::io(path))?;
        let (sha256, size) = ObjectDigest::of_reader(&mut file).map_err(Error::io(path))?;
        Ok(Self { from: From::File(path.to_owned()), size, sha256 })
    }

    /// Bytes of it.
    #[must_use]
    pub const fn size(&self) -> u64 {
        self.size
    }

    /// SHA-256 of it, as it was when this was made.
    #[must_use]
    pub const fn sha256(&self) -> ObjectDigest {
        self.sha256
    }

    /// The bytes from `offset` on, `len` of them; `key` names it where a file has become shorter.
    pub(crate) fn piece(&self, key: &str, offset: u64, len: usize) -> Result<Vec<u8>> {
        match &self.from {
            From::Bytes(bytes) => {
                let begin = usize::try_from(offset).ok();
                let piece = begin.and_then(|begin| bytes.get(begin..begin.checked_add(len)?));
                piece.map(<[u8]>::to_vec).ok_or_else(|| Error::Changed { key: key.to_owned() })
            }
            From::File(path) => {
                let mut file = File::open(path).map_err(Error::io(path))?;
                let mut piece = vec![0; len];
                let read = file.seek(SeekFrom::Start(offset)).and_then(|_| file.read_exact(&mut piece));
                match read {
                    Ok(()) => Ok(piece),
                    Err(e) if e.kind() == std::io::ErrorKind::UnexpectedEof => {
                        Err(Error::Changed { key: key.to_owned() })
                    }
                    Err(e) => Err(Error::io(path)(e)),
                }
            }
        }
    }
}
