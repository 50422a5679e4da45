//! A file that one process holds: an advisory lock with the holder's words inside, which begin with its process id.
//!
//! The operating system drops the lock when its holder dies, however it dies, so a lock is never stale.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Read as _, Seek as _, Write as _};
use std::path::Path;
use std::time::Duration;

/// How often it is tried while others only ask whether somebody holds the file, and the time between.
const TRIES: u32 = 100;
const PAUSE: Duration = Duration::from_millis(1);
/// A holder has written its words by then.
const WORDS: Duration = Duration::from_millis(5);

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
        for _ in 0..TRIES {
            match file.try_lock() {
                Ok(()) => return Ok(Self { file }),
                Err(TryLockError::Error(e)) => return Err(LockRefusal::Io(e)),
                Err(TryLockError::WouldBlock) => {}
            }
            // Whoever asks whether it is held shares it with others for a moment: that is no holder.
            match file.try_lock_shared() {
                Ok(()) => file.unlock().map_err(LockRefusal::Io)?,
                Err(TryLockError::Error(e)) => return Err(LockRefusal::Io(e)),
                Err(TryLockError::WouldBlock) => return Err(LockRefusal::Held(holder(&mut file))),
            }
            std::thread::sleep(PAUSE);
        }
        Err(LockRefusal::Held(None))
    }

    /// Puts these words into the file.
    pub(crate) fn write(&mut self, words: &str) -> io::Result<()> {
        self.file.set_len(0)?;
        self.file.rewind()?;
        self.file.write_all(words.as_bytes())
    }
}

/// The process id in a file that is held. Its holder may have it since a moment and not have written yet: what stood there before is of
/// another one.
fn holder(file: &mut File) -> Option<u32> {
    let mut found = None;
    for _ in 0..2 {
        std::thread::sleep(WORDS);
        let mut text = String::new();
        let read = file.rewind().and_then(|()| file.read_to_string(&mut text));
        found = read.ok().and_then(|_| text.split_whitespace().next()?.parse().ok());
    }
    found
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

    #[test]
    fn whoever_asks_whether_it_is_held_does_not_hold_it() {
        use std::sync::atomic::{AtomicBool, Ordering};
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("lock");
        let asked = File::create(&path).unwrap();
        let over = AtomicBool::new(false);
        std::thread::scope(|scope| {
            scope.spawn(|| {
                while !over.load(Ordering::Relaxed) {
                    if asked.try_lock_shared().is_ok() {
                        asked.unlock().unwrap();
                    }
                }
            });
            let taken = (0..2_000).filter(|_| FileLock::take(&path).is_ok()).count();
            over.store(true, Ordering::Relaxed);
            assert_eq!(taken, 2_000);
        });
    }
}
