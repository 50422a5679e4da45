//! What earlier processes left in the folder, seen before the first line is written. Nothing is changed.

use super::block::Marker;
use super::layout::{self, Listed};
use super::scan::{Blocks, Step, Unpacker, end_of};
use super::{Error, Result};
use barograph_domain::Ts;
use std::path::{Path, PathBuf};

/// What was found when a journal was opened.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct RecoveredJournal {
    /// The newest stamp that can be read; the next one must be later. `None` for an empty journal.
    pub last: Option<Ts>,
    /// Files that were not closed in order, the most recent last.
    pub unclosed: Vec<Tail>,
    /// Files that hold something no crash leaves behind; reading them ends with an error at that place.
    pub damaged: Vec<PathBuf>,
}

/// The end of a file that was not closed in order.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Tail {
    /// The file.
    pub path: PathBuf,
    /// Bytes behind the last readable block; 0 when the process was killed between two writes.
    pub bytes_lost: u64,
    /// Stamp of the last readable line; `None` when there is none.
    pub last_good: Option<Ts>,
    /// Readable lines, without the header.
    pub lines: u64,
}

/// Looks at a journal without taking it: the newest stamp, tails, damage. Beside a running writer, its open files are listed as
/// unclosed. A journal that is not there is empty.
///
/// # Errors
/// When the folder or a file cannot be read.
pub fn survey(root: &Path) -> Result<RecoveredJournal> {
    let mut unpacker = Unpacker::new().map_err(Error::io(root))?;
    let mut recovered = RecoveredJournal::default();
    // Oldest day first, so that the most recent tails come last.
    for Listed { path, .. } in layout::list(root, None)?.into_values().flatten() {
        let last = match end_of(&path)? {
            Some(end) => Some(end.last),
            None => match walk(&path, &mut unpacker)? {
                Walked::Tail(tail) => {
                    let last = tail.last_good;
                    recovered.unclosed.push(tail);
                    last
                }
                Walked::Damage(last) => {
                    recovered.damaged.push(path);
                    last
                }
            },
        };
        recovered.last = recovered.last.max(last);
    }
    recovered.unclosed.sort_by(|a, b| (a.last_good, &a.path).cmp(&(b.last_good, &b.path)));
    Ok(recovered)
}

enum Walked {
    Tail(Tail),
    /// With the newest stamp anywhere in the file.
    Damage(Option<Ts>),
}

/// Walks over the markers and reads the last block: what a crash damages is the end.
fn walk(path: &Path, unpacker: &mut Unpacker) -> Result<Walked> {
    let mut blocks = Blocks::open(path)?;
    let mut file = blocks.file()?;
    let mut found = Vec::new();
    let mut end = loop {
        match blocks.step(&mut file)? {
            Step::Block { marker, at } => found.push((marker, at)),
            Step::End(_) => break blocks.len(),
            Step::Tail { at } => break at,
            Step::Damage { .. } => return newest(path).map(Walked::Damage),
        }
    };
    let mut text = Vec::new();
    while let Some((marker, at)) = found.last() {
        match blocks.text(&mut file, unpacker, (marker, *at), &mut text)? {
            None => break,
            Some(Step::Tail { at }) => end = at,
            Some(_) => return newest(path).map(Walked::Damage),
        }
        found.pop();
    }
    let lines = found.iter().map(|(m, _)| u64::from(m.lines)).sum();
    let last_good = found.iter().rfind(|(m, _)| m.lines > 0).map(|(m, _)| m.last);
    Ok(Walked::Tail(Tail { path: path.to_path_buf(), bytes_lost: blocks.len() - end, last_good, lines }))
}

/// The newest stamp of a damaged file, before or behind the damage: it must not be used again.
fn newest(path: &Path) -> Result<Option<Ts>> {
    let bytes = std::fs::read(path).map_err(Error::io(path))?;
    let (mut position, mut newest) = (0, None);
    while let Some(found) = Marker::find(&bytes[position..]) {
        position += found;
        newest = newest.max(Marker::read(&bytes[position..]).map(|m| m.last));
        position += 1;
    }
    Ok(newest)
}
