//! Accounting: what was read, taken, refused and left out, file by file. Nothing is dropped without a count.

use barograph_venues::{RejectReason, Unused};
use serde::Serialize;
use std::collections::BTreeMap;

/// A file that could not be imported at all, or not to its end.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct FailedFile {
    /// As given.
    pub path: String,
    /// One sentence.
    pub error: String,
}

/// Wrong rows of one reason.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Rejection {
    /// Reason for which rows were rejected.
    pub reason: RejectReason,
    /// How many.
    pub count: u64,
    /// The first: `file:line: reason`. Lines count from 1, header included; in Parquet and Feather, rows do.
    pub example: String,
}

/// One file.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Default)]
pub struct FileReport {
    /// As given.
    pub path: String,
    /// What it turned out to be.
    pub kind: String,
    /// Labels of the streams it feeds.
    pub streams: Vec<String>,
    /// Rows looked at.
    pub rows: u64,
    /// Rows that gave events.
    pub accepted: u64,
    /// Wrong rows.
    pub rejected: Vec<Rejection>,
    /// Right rows without a use here.
    pub unused: BTreeMap<Unused, u64>,
}

impl FileReport {
    /// Number of wrong rows.
    #[must_use]
    pub fn rejected_rows(&self) -> u64 {
        self.rejected.iter().map(|r| r.count).sum()
    }
}

/// The whole import.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Default)]
pub struct Report {
    /// Rows looked at.
    pub rows: u64,
    /// Rows that gave events.
    pub accepted: u64,
    /// Wrong rows.
    pub rejected_rows: u64,
    /// Rows that another file had brought already, equal in every number.
    pub already_seen: u64,
    /// Rows of one stream and stamp whose numbers differ, between two files or inside one. The one in the file whose path
    /// sorts last counts, in one file the later line; many of them mean that two markets were given one name.
    pub disagreeing: u64,
    /// The first of them: stream, stamp and both files; inside one file `file:line: …`, the line of the later row.
    pub disagreement: Option<String>,
    /// Events handed out.
    pub events: u64,
    /// Wrong rows by reason, the first of each in the order of files and lines.
    pub rejected: Vec<Rejection>,
    /// Right rows without a use here.
    pub unused: BTreeMap<Unused, u64>,
    /// Every file read so far, in the order of names.
    pub files: Vec<FileReport>,
    /// Files that could not be read, or not to their end.
    pub failed: Vec<FailedFile>,
    /// Files nobody means as data: check sums, notes, hidden ones.
    pub skipped: Vec<String>,
}

impl Report {
    /// Adds a file's account to the totals.
    pub(crate) fn add(&mut self, file: FileReport) {
        self.rows += file.rows;
        self.accepted += file.accepted;
        self.rejected_rows += file.rejected_rows();
        for (unused, count) in &file.unused {
            *self.unused.entry(*unused).or_default() += count;
        }
        for rejection in &file.rejected {
            match self.rejected.iter_mut().find(|r| r.reason == rejection.reason) {
                Some(known) => known.count += rejection.count,
                None => self.rejected.push(rejection.clone()),
            }
        }
        self.rejected.sort_by_key(|r| r.reason);
        self.files.push(file);
    }
}

/// Running account of one file.
#[derive(Clone, Debug, Default)]
pub(crate) struct FileTally {
    pub(crate) rows: u64,
    pub(crate) accepted: u64,
    pub(crate) rejected: BTreeMap<RejectReason, (u64, String)>,
    pub(crate) unused: BTreeMap<Unused, u64>,
}

impl FileTally {
    /// Counts a wrong row; the text is made for the first of its reason only.
    pub(crate) fn reject(&mut self, reason: RejectReason, example: impl FnOnce() -> String) {
        self.rejected.entry(reason).or_insert_with(|| (0, example())).0 += 1;
    }
    pub(crate) fn unused(&mut self, unused: Unused) {
        *self.unused.entry(unused).or_default() += 1;
    }
    pub(crate) fn report(self, path: &str, kind: &str, streams: Vec<String>) -> FileReport {
        let rejected = self.rejected.into_iter();
        FileReport {
            path: path.to_owned(),
            kind: kind.to_owned(),
            streams,
            rows: self.rows,
            accepted: self.accepted,
            rejected: rejected.map(|(reason, (count, example))| Rejection { reason, count, example }).collect(),
            unused: self.unused,
        }
    }
}
