//! A file that one process holds: an advisory lock with the holder's words inside, which begin with its process id.
//!
//! The operating system drops the lock when its holder dies, however it dies, so a lock is never stale.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Read as _, Seek as _, Write as _};
use std::path::Path;

/// Held as long as this lives.
#[derive(Debug)]
pub(crate) struct FileLock {
    file: File,
}

/// Why a file could not be held.
#[derive(Debug)]
pub(crate) enum LockRefusal {
    /// Another process holds it: its id, where it can be read.
    Held(Option<u32>),
    /// The operating system refused.
    Io(io::Error),
}

impl FileLock {
    /// Holds the file, which is made when it is not there, or says who does.
    pub(crate) fn take(path: &Path) -> Result<Self, LockRefusal> {
        let options = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path);
        let mut file = options.map_err(LockRefusal::Io)?;
        match file.try_lock() {
            Ok(()) => Ok(Self { file }),
            Err(TryLockError::Error(e)) => Err(LockRefusal::Io(e)),
            Err(TryLockError::WouldBlock) => {
                let mut text = String::new();
                let pid =
                    file.read_to_string(&mut text).ok().and_then(|_| text.split_whitespace().next()?.parse().ok());
                Err(LockRefusal::Held(pid))
            }
        }
    }

    /// Puts these words into the file.
    pub(crate) fn write(&mut self, words: &str) -> io::Result<()> {
        self.file.set_len(0)?;
        self.file.rewind()?;
        self.file.write_all(words.as_bytes())
    }
}

impl Drop for FileLock {
    /// A child process that was being started holds a copy of every descriptor until it runs its program: closing ours alone
    /// would leave the file held for that long.
    fn drop(&mut self) {
        // A lock that cannot be let go ends with the file.
        drop(self.file.unlock());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_copy_of_the_descriptor_does_not_keep_the_lock() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("lock");
        let mut first = FileLock::take(&path).unwrap();
        first.write("12 34\n").unwrap();
        let _copy = first.file.try_clone().unwrap();
        assert!(matches!(FileLock::take(&path), Err(LockRefusal::Held(Some(12)))));
        drop(first);
        FileLock::take(&path).unwrap();
    }
}
