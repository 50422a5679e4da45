//! One writer per journal: an advisory lock on `writer.lock`, with the holder's process id and its first moment inside.
//!
//! The id serves the message; the moment shows [`super::prune`] which unclosed files belong to the present writer and which to one
//! that died.

use super::{Error, Result};
use crate::file_lock::{FileLock, LockRefusal};
use barograph_domain::Ts;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

/// Held as long as this lives.
#[derive(Debug)]
pub(super) struct WriterLock {
    lock: FileLock,
    path: PathBuf,
}

impl WriterLock {
    /// Takes the lock or says who has it.
    pub(super) fn take(root: &Path, now: Ts) -> Result<Self> {
        let path = file(root);
        let lock = match FileLock::take(&path) {
            Ok(lock) => lock,
            Err(LockRefusal::Io(e)) => return Err(Error::io(&path)(e)),
            Err(LockRefusal::Held(pid)) => return Err(Error::Locked { pid, path }),
        };
        let mut lock = Self { lock, path };
        lock.write_text(&format!("{} {}\n", std::process::id(), now.0))?;
        Ok(lock)
    }

    /// Says that no file is open any more.
    pub(super) fn clear(&mut self) -> Result<()> {
        self.write_text("")
    }

    fn write_text(&mut self, text: &str) -> Result<()> {
        self.lock.write(text).map_err(Error::io(&self.path))
    }
}

/// Does a process write this journal now? Its lock says so, and goes with it however it ends.
#[must_use]
pub fn is_written(root: &Path) -> bool {
    let Ok(file) = std::fs::File::open(file(root)) else { return false };
    matches!(file.try_lock_shared(), Err(std::fs::TryLockError::WouldBlock))
}

/// When its lock file was changed last: each process that writes the journal does so when it begins.
pub(super) fn last_change(root: &Path) -> Option<SystemTime> {
    file(root).metadata().and_then(|m| m.modified()).ok()
}

/// The first moment of the writer that has files open, or died with files open.
pub(super) fn open_since(root: &Path) -> Option<Ts> {
    let text = std::fs::read_to_string(file(root)).ok()?;
    text.trim().split(' ').nth(1)?.parse().ok().map(Ts)
}

fn file(root: &Path) -> PathBuf {
    root.join("writer.lock")
}
