//! Which files of a journal do not change any more, for whoever copies them beside a running process.
//!
//! A file that was closed has an end marker. One without belongs to the present writer, or to one that died: files of those are never
//! repaired in place, so they stay what they are.

use super::layout;
use super::lock::{is_written, open_since};
use super::scan::{Unpacker, end_of};
use super::source::Source;
use super::{Error, Result};
use barograph_domain::Ts;
use std::path::{Path, PathBuf};

/// Files of a journal, by whether anything can be added to them.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct ClosedFiles {
    /// Nothing is added to these, in order of day and name.
    pub closed: Vec<PathBuf>,
    /// A process has these open.
    pub open: Vec<PathBuf>,
}

/// Files of the journal in this folder; a journal that is not there has none.
///
/// # Errors
/// When the folder or a file cannot be read.
pub fn closed_files(root: &Path) -> Result<ClosedFiles> {
    // Before the question who writes: files of a process that begins later are not among these.
    let paths = layout::paths(root, None, |_| true)?;
    let since = if is_written(root) { Some(open_since(root).unwrap_or(Ts::MIN)) } else { None };
    let mut unpacker = Unpacker::new().map_err(Error::io(root))?;
    let mut files = ClosedFiles::default();
    for path in paths.into_values().flatten() {
        match is_open(&path, since, &mut unpacker) {
            Ok(true) => files.open.push(path),
            Ok(false) => files.closed.push(path),
            // Retention took it away meanwhile.
            Err(Error::Io { source, .. }) if source.kind() == std::io::ErrorKind::NotFound => {}
            Err(e) => return Err(e),
        }
    }
    Ok(files)
}

fn is_open(path: &Path, since: Option<Ts>, unpacker: &mut Unpacker) -> Result<bool> {
    let Some(since) = since else { return Ok(false) };
    if end_of(path)?.is_some() {
        return Ok(false);
    }
    // A file whose header cannot be read may be one whose header is being written.
    match Source::open(path, unpacker) {
        Ok(Ok(source)) => Ok(source.at() >= since),
        Ok(Err(_)) | Err(Error::Damaged { .. } | Error::Newer { .. }) => Ok(true),
        Err(e) => Err(e),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::journal::{ControlRecord, JournalConfig, JournalWriter};
    use barograph_domain::Span;

    #[test]
    fn files_of_the_present_writer_are_open_and_those_of_a_dead_one_are_not() {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path().join("journal");
        assert_eq!(closed_files(&root).unwrap(), ClosedFiles::default());
        let begin = Ts::from_civil(2026, 3, 1, 12, 59, 50);
        let counts = || {
            let files = closed_files(&root).unwrap();
            (files.closed.len(), files.open.len())
        };
        let (mut writer, _) = JournalWriter::open(JournalConfig::new(&root), begin).unwrap();
        writer.control(begin + Span::secs(1), &ControlRecord::Tick).unwrap();
        writer.sync().unwrap().wait().unwrap();
        assert_eq!(counts(), (0, 1));
        writer.control(begin + Span::secs(20), &ControlRecord::Tick).unwrap();
        writer.sync().unwrap().wait().unwrap();
        assert_eq!(counts(), (1, 1), "the file of the hour before is closed");
        let unclosed = closed_files(&root).unwrap().open.remove(0);
        let torn = std::fs::read(&unclosed).unwrap();
        writer.close().unwrap();
        assert_eq!(counts(), (2, 0));
        // As a killed process leaves it, and with the next one at work.
        std::fs::write(&unclosed, torn).unwrap();
        assert_eq!(counts(), (2, 0));
        let (mut writer, _) = JournalWriter::open(JournalConfig::new(&root), begin + Span::mins(5)).unwrap();
        writer.control(begin + Span::mins(6), &ControlRecord::Tick).unwrap();
        writer.sync().unwrap().wait().unwrap();
        assert_eq!(counts(), (2, 1));
        writer.close().unwrap();
    }
}
