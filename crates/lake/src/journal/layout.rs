//! Names of folders and files: `venue=<id>/date=<day>/<connection>-<n>.zst` and `control/date=<day>/<n>.zst`.
//!
//! The day is that of the stamps inside: a file is closed at the end of the UTC hour of its lines, so no file reaches into a
//! second day. `n` counts the files of one connection and day upwards; a number is not used again while a later one exists.

use super::block::Content;
use super::{Error, Result};
use barograph_domain::{Span, Ts};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

const CONTROL: &str = "control";

/// `YYYY-MM-DD` of an instant.
pub(super) fn day(at: Ts) -> String {
    let (y, m, d, ..) = at.civil();
    format!("{y:04}-{m:02}-{d:02}")
}

/// Number of the UTC hour of an instant.
pub(super) const fn hour(at: Ts) -> i64 {
    at.0.div_euclid(Span::hours(1).0)
}

/// Folder and first part of the name of a file of frames.
pub(super) fn frames(root: &Path, venue: &str, connection: &str, at: Ts) -> (PathBuf, String) {
    (root.join(format!("venue={venue}")).join(format!("date={}", day(at))), format!("{connection}-"))
}

/// Folder and first part of the name of a file of control records.
pub(super) fn control(root: &Path, at: Ts) -> (PathBuf, String) {
    (root.join(CONTROL).join(format!("date={}", day(at))), String::new())
}

/// Whether a name may be part of a path: letters, digits, `.`, `_`, `-`, not beginning with a dot.
pub(super) fn check_name(what: &str, name: &str) -> Result<()> {
    let fine = |c: u8| c.is_ascii_alphanumeric() || matches!(c, b'.' | b'_' | b'-');
    if (1..=128).contains(&name.len()) && !name.starts_with('.') && name.bytes().all(fine) {
        return Ok(());
    }
    Err(Error::Misuse(format!("the {what} '{name}' is not a name; use letters, digits, '.', '_' and '-'")))
}

/// One file of a journal.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) struct Listed {
    pub(super) path: PathBuf,
    /// Bytes on disk.
    pub(super) size: u64,
}

/// Every file of a journal by day, in order of name. A journal that is not there has no files.
pub(super) fn list(root: &Path, venue: Option<&str>) -> Result<BTreeMap<String, Vec<Listed>>> {
    let sized = |path: PathBuf| {
        let size = path.metadata().map_err(Error::io(&path))?.len();
        Ok(Listed { path, size })
    };
    let days = paths(root, venue, |_| true)?.into_iter();
    days.map(|(day, files)| Ok((day, files.into_iter().map(sized).collect::<Result<_>>()?))).collect()
}

/// The same without their sizes, of some days only: folders of the others are not looked into.
pub(super) fn paths(
    root: &Path,
    venue: Option<&str>,
    wanted_day: impl Fn(&str) -> bool,
) -> Result<BTreeMap<String, Vec<PathBuf>>> {
    let mut days: BTreeMap<String, Vec<PathBuf>> = BTreeMap::new();
    for (name, top) in children(root)? {
        let wanted = match name.strip_prefix("venue=") {
            Some(id) => venue.is_none_or(|v| v == id),
            None => name == CONTROL,
        };
        if !wanted {
            continue;
        }
        for (name, folder) in children(&top)? {
            let Some(day) = name.strip_prefix("date=").filter(|day| wanted_day(day)) else { continue };
            let files = days.entry(day.to_owned()).or_default();
            files.extend(
                children(&folder)?.into_iter().filter(|(name, _)| name.ends_with(".zst")).map(|(_, path)| path),
            );
        }
    }
    Ok(days)
}

/// What the lines of a file are, as its place says: the venue and the connection, or control records.
pub(super) fn content_of(path: &Path) -> Option<Content> {
    let folder = path.parent()?.parent()?.file_name()?.to_str()?;
    let (connection, _number) = match path.file_stem()?.to_str()?.rsplit_once('-') {
        Some(parts) => parts,
        None if folder == CONTROL => return Some(Content::Control),
        None => return None,
    };
    let venue = folder.strip_prefix("venue=")?;
    Some(Content::Frames { venue: venue.to_owned(), connection: connection.to_owned(), rank: 0 })
}

/// The next free number for a name in a folder.
pub(super) fn next_number(folder: &Path, stem: &str) -> std::io::Result<u64> {
    let entries = match std::fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(0),
        Err(e) => return Err(e),
    };
    let mut next = 0;
    for entry in entries {
        let name = entry?.file_name();
        let number = name.to_str().and_then(|n| n.strip_prefix(stem)?.strip_suffix(".zst")?.parse::<u64>().ok());
        next = next.max(number.map_or(0, |n| n + 1));
    }
    Ok(next)
}

/// Entries of a folder with their names, sorted; none for a folder that is not there.
fn children(folder: &Path) -> Result<Vec<(String, PathBuf)>> {
    let entries = match std::fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(e) if matches!(e.kind(), std::io::ErrorKind::NotFound | std::io::ErrorKind::NotADirectory) => {
            return Ok(Vec::new());
        }
        Err(e) => return Err(Error::io(folder)(e)),
    };
    let mut found = Vec::new();
    for entry in entries {
        let path = entry.map_err(Error::io(folder))?.path();
        if let Some(name) = path.file_name().and_then(|n| n.to_str()) {
            found.push((name.to_owned(), path));
        }
    }
    found.sort();
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_would_leave_the_folder_are_refused() {
        for good in ["rest", "market-0", "c12", "btcusdt_perp.a"] {
            assert!(check_name("connection", good).is_ok(), "{good}");
        }
        for bad in ["", ".", "..", "a/b", "a b", "ü", "a\n", &"x".repeat(129)] {
            assert!(check_name("connection", bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn numbers_go_on_behind_the_largest_of_the_same_name() {
        let dir = tempfile::tempdir().unwrap();
        assert_eq!(next_number(&dir.path().join("none"), "a-").unwrap(), 0);
        for name in ["a-0.zst", "a-9.zst", "a-x.zst", "a-b-12.zst", "3.zst", "a-11.txt"] {
            std::fs::write(dir.path().join(name), b"").unwrap();
        }
        assert_eq!(next_number(dir.path(), "a-").unwrap(), 10);
        assert_eq!(next_number(dir.path(), "a-b-").unwrap(), 13);
        assert_eq!(next_number(dir.path(), "").unwrap(), 4);
    }

    #[test]
    fn days_and_hours_are_utc() {
        let at = Ts::from_civil(2026, 2, 5, 23, 59, 59);
        assert_eq!((day(at), day(at + Span::secs(1))), ("2026-02-05".into(), "2026-02-06".into()));
        assert_eq!(hour(at + Span::secs(1)), hour(at) + 1);
        assert_eq!(hour(Ts(-1)), -1);
    }
}
