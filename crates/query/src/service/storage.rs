//! How much is stored: asked of the database, counted in the journal's folder.
//!
//! Counting visits every file of the journal, so that it has a thread of its own, at most once a minute and only while somebody
//! wants to know; until it is done for the first time nothing is known. The database is not asked by the thread that turns the
//! board: it may be away.

use super::Service;
use barograph_api::feeds::StorageView;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// How long a count is good for.
const COUNTED_FOR: Duration = Duration::from_secs(60);

/// The journal's folder, and what was counted in it.
#[derive(Debug)]
pub(super) struct Journal {
    folder: PathBuf,
    counted: Mutex<Option<(Instant, Option<u64>)>>,
    counting: AtomicBool,
}

impl Journal {
    /// In this folder, which need not exist.
    fn new(folder: PathBuf) -> Arc<Self> {
        Arc::new(Self { folder, counted: Mutex::default(), counting: AtomicBool::new(false) })
    }

    /// Bytes in it as counted last; a count that is old is begun anew.
    fn bytes(self: &Arc<Self>) -> Option<u64> {
        let counted = *self.counted.lock().unwrap_or_else(PoisonError::into_inner);
        let is_old = counted.is_none_or(|(at, _)| at.elapsed() >= COUNTED_FOR);
        if is_old && !self.counting.swap(true, Ordering::AcqRel) {
            let own = Arc::clone(self);
            let count = move || {
                let bytes = size(&own.folder);
                *own.counted.lock().unwrap_or_else(PoisonError::into_inner) = Some((Instant::now(), bytes));
                own.counting.store(false, Ordering::Release);
            };
            if std::thread::Builder::new().name("storage".to_owned()).spawn(count).is_err() {
                self.counting.store(false, Ordering::Release);
            }
        }
        counted.and_then(|(_, bytes)| bytes)
    }
}

/// Bytes of the files in a folder; none where there is no such folder. What goes away meanwhile is not counted.
fn size(folder: &Path) -> Option<u64> {
    let mut sum = 0;
    for entry in std::fs::read_dir(folder).ok()?.flatten() {
        let Ok(about) = entry.metadata() else { continue };
        sum += if about.is_dir() { size(&entry.path()).unwrap_or(0) } else { about.len() };
    }
    Some(sum)
}

impl Service {
    /// The journal of this process's folder is there.
    pub fn journal_in(&self, folder: PathBuf) {
        // Set once, where the process begins.
        drop(self.journal.set(Journal::new(folder)));
    }

    /// Asks the database how much it holds.
    pub(super) fn weigh(&self) {
        let bytes = self.reader.database_bytes().ok();
        *self.weight.lock().unwrap_or_else(PoisonError::into_inner) = bytes;
    }

    /// What is stored, as far as it is known.
    pub(super) fn storage(&self) -> StorageView {
        StorageView {
            database_bytes: *self.weight.lock().unwrap_or_else(PoisonError::into_inner),
            lake_bytes: self.journal.get().and_then(Journal::bytes),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_journal_is_counted_once_and_files_in_folders_of_it_too() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("day")).unwrap();
        std::fs::write(folder.path().join("day/a"), [0; 700]).unwrap();
        std::fs::write(folder.path().join("b"), [0; 11]).unwrap();
        let journal = Journal::new(folder.path().to_owned());
        assert_eq!(journal.bytes(), None, "not before it has been counted");
        let deadline = Instant::now() + Duration::from_secs(20);
        while journal.bytes().is_none() {
            assert!(Instant::now() < deadline, "never counted");
            std::thread::sleep(Duration::from_millis(5));
        }
        assert_eq!(journal.bytes(), Some(711));
        std::fs::write(folder.path().join("c"), [0; 5]).unwrap();
        assert_eq!(journal.bytes(), Some(711), "not counted again at once");
        assert_eq!(size(&folder.path().join("nowhere")), None);
    }
}
