//! Up to which stamp a journal can be read while its process writes it, so that nothing at or before that stamp comes later.
//!
//! Files are flushed one after another, the control file first, and all of them once a second. A stamp of the control file is therefore
//! settled when the file has moved on from it twice, looked at about a second apart. Of a process that has ended everything is settled.

use super::Result;
use super::cursor::JournalCursor;
use super::lock::{is_written, last_change};
use super::reader::{JournalReader, Selection};
use super::recover::survey;
use barograph_domain::Ts;
use std::collections::VecDeque;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

/// How often the control file has to have moved on.
const MOVES: usize = 2;
/// No venue has this name: its frames are not read, control records are.
const NO_VENUE: &str = "-";

/// Looks at a journal again and again, about once a second.
#[derive(Debug)]
pub struct SettledJournal {
    root: PathBuf,
    /// The newest control stamps that were met, oldest first.
    newest: VecDeque<Ts>,
    cursor: JournalCursor,
    /// What was found when no process wrote it, and what its lock file was then: each process changes that.
    ended: Option<(SystemTime, Option<Ts>)>,
}

impl SettledJournal {
    /// Of the journal in this folder.
    #[must_use]
    pub fn new(root: &Path) -> Self {
        Self { root: root.to_owned(), newest: VecDeque::new(), cursor: JournalCursor::default(), ended: None }
    }

    /// Bytes of control files that were read while a process wrote them.
    #[must_use]
    pub const fn bytes_read(&self) -> u64 {
        self.cursor.bytes_read()
    }

    /// Up to which stamp it can be read now; `None` while that is not known. To be asked no more often than once a second.
    ///
    /// # Errors
    /// When the folder or a control file cannot be read.
    pub fn poll(&mut self) -> Result<Option<Ts>> {
        if !is_written(&self.root) {
            let changed = last_change(&self.root);
            if let Some((_, last)) = self.ended.filter(|(at, _)| changed == Some(*at)) {
                return Ok(last);
            }
            let last = survey(&self.root)?.last;
            // Asked again: a process may have begun meanwhile, and its stamps are behind these.
            if !is_written(&self.root) {
                self.ended = changed.filter(|_| changed == last_change(&self.root)).map(|at| (at, last));
                return Ok(last);
            }
        }
        let after = self.newest.back().copied();
        let selection = Selection { after, venue: Some(NO_VENUE.to_owned()), ..Selection::default() };
        let mut reader = JournalReader::resume(&self.root, selection, core::mem::take(&mut self.cursor))?;
        let mut newest = None;
        loop {
            match reader.next() {
                Ok(Some(entry)) => newest = Some(entry.at),
                Ok(None) => break,
                Err(e) => {
                    if !reader.pass_over() {
                        return Err(e);
                    }
                }
            }
        }
        self.cursor = reader.into_cursor();
        self.newest.extend(newest);
        while self.newest.len() > MOVES + 1 {
            self.newest.pop_front();
        }
        Ok(self.newest.front().copied().filter(|_| self.newest.len() > MOVES))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::journal::{ControlRecord, JournalConfig, JournalWriter};
    use barograph_domain::Span;

    #[test]
    fn a_stamp_is_settled_when_two_flushes_came_behind_it_and_all_are_once_the_process_has_ended() {
        let dir = tempfile::tempdir().unwrap();
        let begin = Ts::from_civil(2026, 3, 1, 12, 0, 0);
        let at = |n: i64| begin + Span::secs(n);
        let mut settled = SettledJournal::new(dir.path());
        let (mut writer, _) = JournalWriter::open(JournalConfig::new(dir.path()), begin).unwrap();
        let mut polled = Vec::new();
        for n in 1..6 {
            writer.control(at(n), &ControlRecord::Tick).unwrap();
            writer.flush().unwrap().wait().unwrap();
            polled.push(settled.poll().unwrap());
            assert_eq!(settled.poll().unwrap(), polled[polled.len() - 1], "nothing was written since");
        }
        assert_eq!(polled, [None, None, Some(at(1)), Some(at(2)), Some(at(3))]);
        writer.close().unwrap();
        assert_eq!(settled.poll().unwrap(), Some(at(5)));
    }
}
