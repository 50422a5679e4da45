//! Retention: the oldest hours go first, each with everything in it or not at all.
//!
//! An hour without one of its connections, or without its control records, cannot be replayed; so an hour is removed whole.
//! The present hour and files a writer has open are never touched. What is left can be replayed from any checkpoint taken
//! within it; records that began earlier (an open connection, a request) are then known from the checkpoint.

use super::layout::{self, Listed};
use super::scan::{Unpacker, end_of};
use super::source::Source;
use super::{Error, Result, lock};
use barograph_domain::{Span, Ts};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// How much of a journal is kept. Both limits hold.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Retention {
    /// Hours that ended longer ago than this are removed.
    pub max_age: Span,
    /// While the files together are larger than this, the oldest hour is removed.
    pub max_bytes: u64,
}

/// What was removed.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Pruned {
    /// Begin of each removed hour, oldest first.
    pub hours: Vec<Ts>,
    /// The files, in order of removal.
    pub files: Vec<PathBuf>,
    /// Their bytes on disk.
    pub bytes: u64,
    /// Bytes left.
    pub left: u64,
}

/// Removes what the retention does not keep. May be called beside a running writer.
///
/// # Errors
/// When a file cannot be read or removed; what was removed before stays removed.
pub fn prune(root: &Path, now: Ts, retention: &Retention) -> Result<Pruned> {
    let days = layout::list(root, None)?;
    let mut pruned = Pruned { left: days.values().flatten().map(|f| f.size).sum(), ..Pruned::default() };
    let mut unpacker = Unpacker::new().map_err(Error::io(root))?;
    let open_since = lock::open_since(root);
    for (day, files) in days {
        // A day that nothing asks to be removed from ends it, before its headers are read.
        let Ok(begin) = Ts::parse(&day) else { continue };
        let wanted =
            |hour: Ts, left: u64| hour + Span::hours(1) + retention.max_age <= now || left > retention.max_bytes;
        if !wanted(begin, pruned.left) {
            return Ok(pruned);
        }
        for (hour, files) in by_hour(begin, files, open_since, &mut unpacker)? {
            if !wanted(hour, pruned.left) || layout::hour(hour) >= layout::hour(now) || files.open {
                return Ok(pruned);
            }
            remove(hour, files.files, &mut pruned)?;
        }
    }
    Ok(pruned)
}

#[derive(Default)]
struct Hour {
    files: Vec<Listed>,
    /// One of them is being written.
    open: bool,
}

fn by_hour(day: Ts, files: Vec<Listed>, open_since: Option<Ts>, unpacker: &mut Unpacker) -> Result<BTreeMap<Ts, Hour>> {
    let mut hours: BTreeMap<Ts, Hour> = BTreeMap::new();
    for file in files {
        // A file whose header was never written, or is damaged, says nothing about its hour: it goes with the last one.
        let first = match Source::open(&file.path, unpacker) {
            Ok(Ok(source)) => Some(source.at()),
            Ok(Err(_)) | Err(Error::Damaged { .. } | Error::Newer { .. }) => None,
            Err(e) => return Err(e),
        };
        let hour = first.map_or(day + Span::hours(23), |f| f.floor(Span::hours(1)));
        let open = open_since.is_some_and(|since| first.is_none_or(|f| f >= since)) && end_of(&file.path)?.is_none();
        let entry = hours.entry(hour).or_default();
        entry.open |= open;
        entry.files.push(file);
    }
    Ok(hours)
}

fn remove(hour: Ts, files: Vec<Listed>, pruned: &mut Pruned) -> Result<()> {
    for file in files {
        std::fs::remove_file(&file.path).map_err(Error::io(&file.path))?;
        pruned.bytes += file.size;
        pruned.left -= file.size;
        if let Some(day) = file.path.parent() {
            // Fails as long as other files are in it, which is the usual case.
            match std::fs::remove_dir(day) {
                Ok(()) | Err(_) => {}
            }
        }
        pruned.files.push(file.path);
    }
    pruned.hours.push(hour);
    Ok(())
}
