//! The file watches are kept in, `watches.json` of the data folder: read once, written whole and atomically with every change.
//!
//! One process writes it, under a lock that ends with the process; others read. What this version cannot read is refused with the
//! file's name and never overwritten.

use super::Kept;
use core::fmt;
use serde::{Deserialize, Serialize};
use std::fs::{File, OpenOptions, TryLockError};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

const FILE: &str = "watches.json";
const LOCK: &str = "watches.lock";
/// Format of the file.
const VERSION: u32 = 1;
/// Watches that go on at a time. Each is judged every minute, which takes about a microsecond; a person loses track long before.
pub const WAITING_MAX: usize = 200;
/// Watches that have ended and are still listed.
const ENDED_KEPT: usize = 100;

#[derive(Serialize, Deserialize)]
struct Stored {
    version: u32,
    watches: Vec<Kept>,
}

/// Why the file cannot be used.
#[derive(Debug)]
pub enum DeskError {
    /// Another process writes it.
    Held,
    /// It cannot be read or written.
    Io(PathBuf, std::io::Error),
    /// It is none of this version's.
    Unreadable(PathBuf, String),
}

impl fmt::Display for DeskError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Held => f.write_str("another process keeps the watches of this data folder"),
            Self::Io(path, e) => write!(f, "{}: {e}", path.display()),
            Self::Unreadable(path, why) => {
                write!(f, "{} cannot be read ({why}); move it away to begin without watches", path.display())
            }
        }
    }
}

impl std::error::Error for DeskError {}

/// Everything there is, without a lock.
///
/// # Errors
/// When the file is there and cannot be read.
pub fn read(folder: &Path) -> Result<Vec<Kept>, DeskError> {
    let path = folder.join(FILE);
    let text = match std::fs::read_to_string(&path) {
        Ok(text) => text,
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(e) => return Err(DeskError::Io(path, e)),
    };
    let stored: Stored = match serde_json::from_str(&text) {
        Ok(stored) => stored,
        Err(e) => return Err(DeskError::Unreadable(path, e.to_string())),
    };
    if stored.version != VERSION {
        return Err(DeskError::Unreadable(path, format!("it is of version {}", stored.version)));
    }
    Ok(stored.watches)
}

/// The one writer.
#[derive(Debug)]
pub struct WatchDesk {
    folder: PathBuf,
    /// Held as long as this is.
    _lock: File,
    kept: Mutex<Vec<Kept>>,
}

impl WatchDesk {
    /// Takes the file.
    ///
    /// # Errors
    /// [`DeskError::Held`] while another process has it, and as [`read`].
    pub fn open(folder: &Path) -> Result<Self, DeskError> {
        let path = folder.join(LOCK);
        let open = || {
            std::fs::create_dir_all(folder)?;
            OpenOptions::new().create(true).write(true).truncate(false).open(&path)
        };
        let lock = match open() {
            Ok(lock) => lock,
            Err(e) => return Err(DeskError::Io(path, e)),
        };
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(DeskError::Held),
            Err(TryLockError::Error(e)) => return Err(DeskError::Io(path, e)),
        }
        let kept = Mutex::new(read(folder)?);
        Ok(Self { folder: folder.to_owned(), _lock: lock, kept })
    }

    /// All there are, for one change at a time.
    pub fn all(&self) -> MutexGuard<'_, Vec<Kept>> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Writes what is to be kept from now on: what cannot be written has not happened.
    ///
    /// # Errors
    /// When the file cannot be written; what was kept before stays.
    pub fn replace(&self, held: &mut MutexGuard<'_, Vec<Kept>>, mut new: Vec<Kept>) -> Result<(), DeskError> {
        let mut ended: Vec<_> = new.iter().filter_map(|k| k.watch.ended_at).collect();
        ended.sort_unstable();
        if let Some(oldest) = ended.len().checked_sub(ENDED_KEPT).filter(|n| *n > 0).and_then(|n| ended.get(n)).copied()
        {
            new.retain(|k| k.watch.ended_at.is_none_or(|at| at >= oldest));
        }
        let path = self.folder.join(FILE);
        let beside = self.folder.join(format!("{FILE}.new"));
        let stored = Stored { version: VERSION, watches: new };
        let write = || {
            let text = serde_json::to_vec_pretty(&stored)?;
            let mut out = File::create(&beside)?;
            out.write_all(&text)?;
            out.sync_all()?;
            std::fs::rename(&beside, &path)
        };
        match write() {
            Ok(()) => {
                **held = stored.watches;
                Ok(())
            }
            Err(e) => Err(DeskError::Io(path, e)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::watch;
    use super::*;
    use barograph_domain::Ts;

    fn kept(n: i64, ended: bool) -> Kept {
        let mut watch = watch(false, Ts(n));
        watch.id = format!("wat_{n}");
        watch.ended_at = ended.then_some(Ts(n));
        Kept { watch, last: Some("no".to_owned()), judged: Some(Ts(n)), unreported: 0 }
    }

    #[test]
    fn one_process_writes_and_what_it_wrote_is_there_after_a_restart() {
        let dir = tempfile::tempdir().unwrap();
        let desk = WatchDesk::open(dir.path()).unwrap();
        assert!(matches!(WatchDesk::open(dir.path()), Err(DeskError::Held)));
        let all: Vec<Kept> = (0..3).map(|n| kept(n, false)).collect();
        desk.replace(&mut desk.all(), all.clone()).unwrap();
        assert_eq!((&*desk.all(), read(dir.path()).unwrap()), (&all, all.clone()));
        drop(desk);
        assert_eq!(*WatchDesk::open(dir.path()).unwrap().all(), all);
    }

    #[test]
    fn the_newest_of_those_that_have_ended_are_kept() {
        let dir = tempfile::tempdir().unwrap();
        let desk = WatchDesk::open(dir.path()).unwrap();
        desk.replace(&mut desk.all(), (0..110).map(|n| kept(n, n > 0)).collect()).unwrap();
        let ids: Vec<String> = desk.all().iter().map(|k| k.watch.id.clone()).collect();
        assert_eq!((ids.len(), ids[0].as_str(), ids[1].as_str()), (101, "wat_0", "wat_10"));
    }

    #[test]
    fn a_file_of_another_version_is_refused_and_left_alone() {
        let dir = tempfile::tempdir().unwrap();
        for text in ["{\"version\":2,\"watches\":[]}", "[]", "{"] {
            std::fs::write(dir.path().join(FILE), text).unwrap();
            let refused = WatchDesk::open(dir.path()).unwrap_err().to_string();
            assert!(refused.contains("watches.json cannot be read") && refused.contains("move it away"), "{refused}");
            assert_eq!(std::fs::read_to_string(dir.path().join(FILE)).unwrap(), text);
        }
    }

    #[test]
    fn what_cannot_be_written_has_not_happened() {
        let dir = tempfile::tempdir().unwrap();
        let desk = WatchDesk::open(dir.path()).unwrap();
        desk.replace(&mut desk.all(), vec![kept(1, false)]).unwrap();
        // A folder stands where the new file is to be written.
        std::fs::create_dir(dir.path().join("watches.json.new")).unwrap();
        assert!(matches!(desk.replace(&mut desk.all(), Vec::new()), Err(DeskError::Io(..))));
        assert_eq!((desk.all().len(), read(dir.path()).unwrap().len()), (1, 1));
    }
}
