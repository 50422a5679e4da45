//! Is a lake what its manifests say?

use super::absent::{AbsentHours, HourAbsence, absent_in};
use super::buffer::RowBuffer;
use super::catalogue::{LakeHour, LakeQuery, markets};
use super::digest::RowsDigest;
use super::folder::{WRITER_LOCK, files_of};
use super::manifest::OpenNote;
use super::order::RowOrder;
use super::place::hour_of;
use super::reader::PartReader;
use super::{HourManifest, LayerError, LayerResult};
use crate::file_lock::{FileLock, LockRefusal};
use barograph_domain::Ts;
use std::fmt;
use std::path::{Path, PathBuf};

/// Something that is not as it should be, in plain words.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct LakeFinding {
    /// The file or folder.
    pub path: PathBuf,
    /// What was found, and what can be done.
    pub what: String,
}

impl fmt::Display for LakeFinding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.path.display(), self.what)
    }
}

/// Reads every row of a lake and compares it with the manifests. An hour that its running writer has open is looked at as far as it is
/// written.
///
/// # Errors
/// When a folder cannot be read.
pub fn check(root: &Path) -> LayerResult<Vec<LakeFinding>> {
    let mut findings = Vec::new();
    for market in markets(root, &LakeQuery::default())? {
        let running = is_held(&market.folder.join(WRITER_LOCK));
        for hour in market.hours(Ts::MIN, Ts::MAX)? {
            HourCheck { hour: &hour, running, findings: &mut findings }.run()?;
        }
    }
    let taken = |absent: &AbsentHours| absent.why == HourAbsence::TakenAway;
    let found = |absent: AbsentHours| LakeFinding { what: absent.advice(), path: absent.behind };
    findings.extend(absent_hours(root)?.into_iter().filter(taken).map(found));
    Ok(findings)
}

/// Hours that are not there between two that are, by table, market and time; those that were taken away are among the findings of
/// [`check`].
///
/// # Errors
/// When a folder cannot be read.
pub fn absent_hours(root: &Path) -> LayerResult<Vec<AbsentHours>> {
    absent_in(&markets(root, &LakeQuery::default())?)
}

/// Is the lock held by a running process? A lock that is not there is not made.
fn is_held(path: &Path) -> bool {
    path.exists() && matches!(FileLock::take(path), Err(LockRefusal::Held(_)))
}

struct HourCheck<'a> {
    hour: &'a LakeHour,
    running: bool,
    findings: &'a mut Vec<LakeFinding>,
}

/// What the files of an hour hold.
#[derive(Default)]
struct Seen {
    rows: u64,
    first_ts: Option<Ts>,
    last_ts: Option<Ts>,
    digest: Option<RowsDigest>,
    order: Option<RowOrder>,
    /// A file could not be read to its end.
    torn: bool,
}

impl HourCheck<'_> {
    fn found(&mut self, name: &str, what: impl Into<String>) {
        let path = if name.is_empty() { self.hour.folder.clone() } else { self.hour.folder.join(name) };
        self.findings.push(LakeFinding { path, what: what.into() });
    }

    fn run(&mut self) -> LayerResult<()> {
        let (files, partial) = files_of(&self.hour.folder)?;
        let manifest = match self.hour.manifest() {
            Ok(manifest) => manifest,
            Err(e) => {
                self.found("", format!("the manifest cannot be used: {e}"));
                return Ok(());
            }
        };
        // The running writer's own file is under such a name.
        let own = manifest.is_none() && self.running;
        for name in partial.iter().filter(|_| !own) {
            self.found(name, "a temporary file of a write that was cut off; the next writer or compaction removes it");
        }
        match manifest {
            None => self.open_hour(&files),
            Some(manifest) => self.closed_hour(&manifest, &files),
        }
        Ok(())
    }

    /// An hour whose writer stopped in order is as it should be: whatever follows goes on with it.
    fn open_hour(&mut self, files: &[String]) {
        let note = match OpenNote::load(&self.hour.folder) {
            Ok(note) => note.filter(|_| !self.running),
            Err(e) => {
                self.found("", format!("what it notes of itself cannot be used: {e}"));
                None
            }
        };
        if let Some(so_far) = note.and_then(|n| n.so_far) {
            return self.closed_hour(&so_far, files);
        }
        if !self.running {
            let what = "the manifest is missing: the hour is under way and its writer did not stop in order, so rows may be lost. Import the recording again \
                 to fill it, or accept the loss with: barograph lake compact --close";
            self.found("", what);
        }
        let mut seen = Seen::default();
        for name in files {
            self.read(name, &mut seen);
        }
    }

    /// Compares the files with what is written of them.
    fn closed_hour(&mut self, manifest: &HourManifest, files: &[String]) {
        for name in files.iter().filter(|name| manifest.files.iter().all(|f| f.name != **name)) {
            self.found(
                name,
                "the manifest does not name it: overlapping parts, whose rows a reader that goes by file names sees twice; \
                 compaction removes it",
            );
        }
        let mut seen = Seen::default();
        for entry in &manifest.files {
            let path = self.hour.folder.join(&entry.name);
            let Ok(bytes) = path.metadata().map(|m| m.len()) else {
                self.found(&entry.name, "the manifest names it and it is not there");
                seen.torn = true;
                continue;
            };
            if bytes != entry.bytes {
                self.found(&entry.name, format!("{bytes} bytes where the manifest says {}", entry.bytes));
            }
            let before = seen.rows;
            self.read(&entry.name, &mut seen);
            let rows = seen.rows - before;
            if rows != entry.rows {
                self.found(&entry.name, format!("{rows} rows where the manifest says {}", entry.rows));
            }
        }
        self.compare(manifest, &seen);
    }

    fn compare(&mut self, manifest: &HourManifest, seen: &Seen) {
        if seen.rows != manifest.rows {
            self.found("", format!("{} rows where the manifest says {}", seen.rows, manifest.rows));
        }
        if (seen.first_ts, seen.last_ts) != (manifest.first_ts, manifest.last_ts) {
            self.found("", "first or last moment differ from the manifest's");
        }
        if manifest.hour != self.hour.hour || manifest.market() != self.hour.market {
            self.found("", "the manifest is of another hour or market: the folder was moved");
        }
        // Without rows there is no file to know the columns by; with a torn one the digest says nothing new.
        if let Some(digest) = seen.digest.as_ref().filter(|_| !seen.torn) {
            let digest = digest.hex();
            if digest != manifest.content_sha256 {
                let said = &manifest.content_sha256;
                self.found(
                    "",
                    format!("the rows are not those that were written: digest {digest}, the manifest says {said}"),
                );
            }
        }
    }

    /// Reads a file to its end.
    fn read(&mut self, name: &str, seen: &mut Seen) {
        if let Err(e) = self.rows_of(name, seen) {
            seen.torn = true;
            let why = match e {
                LayerError::Damaged { what, .. } => what,
                other => other.to_string(),
            };
            self.found(name, format!("torn or damaged: {why}; restore a copy"));
        }
    }

    fn rows_of(&mut self, name: &str, seen: &mut Seen) -> LayerResult<()> {
        let path = self.hour.folder.join(name);
        let mut part = PartReader::open(&path, None)?;
        let columns = part.columns().to_vec();
        let sequence = columns.iter().position(|c| c.name == "sequence");
        let mut order = *seen.order.get_or_insert_with(|| RowOrder::of_column(sequence));
        let mut buffer = RowBuffer::new(&columns, 0);
        let (mut row, mut told) = (0_u64, false);
        while let Some(batch) = part.next()? {
            buffer.clear();
            buffer.extend(&batch, 0..batch.num_rows()).map_err(|e| LayerError::damaged(&path, e))?;
            seen.digest.get_or_insert_with(|| RowsDigest::new(&columns)).update(&buffer);
            let mut sequences = sequence.map(|at| buffer.sequences(at));
            for ts in buffer.moments().iter().map(|ts| Ts(*ts)) {
                let number = sequences.as_mut().and_then(Iterator::next).unwrap_or_default();
                if let (Err(e), false) = (order.step(ts, number), told) {
                    told = true;
                    self.disorder(name, row, &e);
                }
                if hour_of(ts) != self.hour.hour && !told {
                    told = true;
                    self.found(name, format!("row {row} is of {ts}, which is not in this hour"));
                }
                seen.first_ts = Some(seen.first_ts.map_or(ts, |first| first.min(ts)));
                seen.last_ts = Some(seen.last_ts.map_or(ts, |last| last.max(ts)));
                row += 1;
            }
            seen.rows += buffer.rows as u64;
        }
        seen.order = Some(order);
        Ok(())
    }

    fn disorder(&mut self, name: &str, row: u64, why: &LayerError) {
        let what = if row == 0 {
            "overlapping parts: its first row belongs before the file ahead of it"
        } else {
            "unordered rows"
        };
        self.found(name, format!("{what}, row {row}: {why}"));
    }
}
