//! One writer per journal: an advisory lock on `writer.lock`, with the holder's process id and its first moment inside.
//!
//! The operating system drops the lock when its holder dies, however it dies, so a lock is never stale. The id serves the
//! message; the moment shows [`super::prune`] which unclosed files belong to the present writer and which to one that died.

use super::{Error, Result};
use barograph_domain::Ts;
use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read, Seek, Write};
use std::path::{Path, PathBuf};

/// Held as long as this lives.
#[derive(Debug)]
pub(super) struct WriterLock {
    file: File,
    path: PathBuf,
}

impl WriterLock {
    /// Takes the lock or says who has it.
    pub(super) fn take(root: &Path, now: Ts) -> Result<Self> {
        let path = file(root);
        let mut file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(&path)
            .map_err(Error::io(&path))?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::Error(e)) => return Err(Error::io(&path)(e)),
            Err(TryLockError::WouldBlock) => {
                let mut text = String::new();
                let pid = file.read_to_string(&mut text).ok().and_then(|_| text.split(' ').next()?.parse().ok());
                return Err(Error::Locked { pid, path });
            }
        }
        let mut lock = Self { file, path };
        lock.write_text(&format!("{} {}\n", std::process::id(), now.0))?;
        Ok(lock)
    }

    /// Says that no file is open any more.
    pub(super) fn clear(&mut self) -> Result<()> {
        self.write_text("")
    }

    fn write_text(&mut self, text: &str) -> Result<()> {
        self.file
            .set_len(0)
            .and_then(|()| self.file.rewind())
            .and_then(|()| self.file.write_all(text.as_bytes()))
            .map_err(Error::io(&self.path))
    }
}

impl Drop for WriterLock {
    /// A child process that was being started holds a copy of every descriptor until it runs its program: closing ours alone
    /// would leave the journal locked for that long.
    fn drop(&mut self) {
        // A lock that cannot be let go ends with the file.
        drop(self.file.unlock());
    }
}

/// The first moment of the writer that has files open, or died with files open.
pub(super) fn open_since(root: &Path) -> Option<Ts> {
    let text = std::fs::read_to_string(file(root)).ok()?;
    text.trim().split(' ').nth(1)?.parse().ok().map(Ts)
}

fn file(root: &Path) -> PathBuf {
    root.join("writer.lock")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_copy_of_the_descriptor_does_not_keep_the_lock() {
        let dir = tempfile::tempdir().unwrap();
        let first = WriterLock::take(dir.path(), Ts(0)).unwrap();
        let _copy = first.file.try_clone().unwrap();
        WriterLock::take(dir.path(), Ts(0)).unwrap_err();
        drop(first);
        WriterLock::take(dir.path(), Ts(0)).unwrap();
    }
}
