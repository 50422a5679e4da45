//! The log of decisions as the one process that adds to it holds it; what its lines are is known to [`barograph_query::paper`].
//!
//! Each line is on the disk before anything follows from it. What was half written when the machine stopped is cut off at the next
//! start; every decision has an id made of market, bar and side, so that nothing is logged twice. One process writes at a time.

use crate::failure::Failure;
use barograph_query::paper::{PaperRecord, parse, path, whole};
use std::fs::File;
use std::io::{Read as _, Seek as _, SeekFrom, Write as _};
use std::path::Path;

/// The log, held for writing.
#[derive(Debug)]
pub(crate) struct PaperLog {
    file: File,
}

impl PaperLog {
    /// Opens the log of a data folder with all that it says; a half-written last line is cut off.
    pub(crate) fn open(data: &Path) -> Result<(Self, Vec<PaperRecord>), Failure> {
        let path = path(data);
        let at = |e: std::io::Error| Failure::broken(format!("{}: {e}", path.display()));
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder).map_err(at)?;
        }
        let mut options = File::options();
        let mut file = options.read(true).append(true).create(true).open(&path).map_err(at)?;
        if file.try_lock().is_err() {
            return Err(Failure::broken(format!("another process writes {}; one at a time does", path.display())));
        }
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes).map_err(at)?;
        let kept = whole(&bytes);
        let unread =
            |e| Failure::broken(format!("{}: {e}; nothing is added to a log that cannot be read", path.display()));
        let records = parse(&bytes).map_err(unread)?;
        if kept < bytes.len() {
            file.set_len(u64::try_from(kept).unwrap_or(0)).map_err(at)?;
            file.seek(SeekFrom::End(0)).map_err(at)?;
            file.sync_all().map_err(at)?;
        }
        Ok((Self { file }, records))
    }

    /// Adds lines in one piece; they are on the disk when this returns.
    pub(crate) fn append(&mut self, records: &[PaperRecord]) -> Result<(), Failure> {
        let mut text = Vec::new();
        for record in records {
            serde_json::to_writer(&mut text, record).map_err(Failure::broken)?;
            text.push(b'\n');
        }
        self.file.write_all(&text)?;
        Ok(self.file.sync_data()?)
    }
}

impl Drop for PaperLog {
    /// A child process that was being started holds a copy of every descriptor until it runs its program: closing ours alone
    /// would leave the log taken for that long.
    fn drop(&mut self) {
        // A lock that cannot be let go ends with the file.
        drop(self.file.unlock());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use barograph_domain::Ts;
    use barograph_query::paper::{NoDecision, read};

    fn note(reason: &str) -> PaperRecord {
        let reason = reason.to_owned();
        PaperRecord::NotMade(NoDecision { ts: Ts(0), market: None, id: None, reason, detail: String::new() })
    }

    #[test]
    fn a_torn_line_is_cut_off_and_one_process_writes() {
        let folder = tempfile::tempdir().unwrap();
        let (mut log, found) = PaperLog::open(folder.path()).ok().unwrap();
        assert_eq!(found, []);
        log.append(&[note("stale"), note("gap")]).ok().unwrap();
        assert!(PaperLog::open(folder.path()).is_err_and(|e| e.text().unwrap().contains("another process writes")));
        let _copy = log.file.try_clone().unwrap();
        drop(log);
        let path = path(folder.path());
        let mut file = File::options().append(true).open(&path).unwrap();
        file.write_all(b"{\"type\":\"NOT_MADE\",\"ts\":").unwrap();
        assert_eq!(read(&path).unwrap().len(), 2, "a reader passes over it");
        let (mut log, found) = PaperLog::open(folder.path()).ok().unwrap();
        assert_eq!(found, [note("stale"), note("gap")]);
        log.append(&[note("late")]).ok().unwrap();
        assert_eq!(read(&path).unwrap(), [note("stale"), note("gap"), note("late")]);
        drop(log);
        file.write_all(b"{}\n").unwrap();
        assert!(read(&path).is_err_and(|e| e.to_string().contains("line 4")));
        assert!(PaperLog::open(folder.path()).is_err_and(|e| e.text().unwrap().contains("line 4: missing field")));
    }
}
