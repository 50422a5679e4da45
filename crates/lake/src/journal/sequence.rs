//! Whether the files of a connection follow each other: its lines are counted through all of them, so a file that was taken away
//! shows in the one behind it.
//!
//! Retention takes whole hours from the beginning. What began before the oldest hour that is left may therefore lack its first
//! files; what began later may not.

use super::block::{Content, Header};
use super::scan::end_of;
use super::source::Source;
use super::{Error, Result, layout};
use barograph_domain::Ts;
use std::collections::BTreeMap;
use std::path::Path;

/// The connection of a file: when it was opened, venue and name. Control records are one of their own.
type Key = (Ts, ConnectionName);
/// Venue and connection; `None` of control records.
type ConnectionName = Option<(String, String)>;

fn name(header: &Header) -> ConnectionName {
    match &header.content {
        Content::Frames { venue, connection, .. } => Some((venue.clone(), connection.clone())),
        Content::Control => None,
    }
}

fn key(header: &Header) -> Key {
    (header.opened, name(header))
}

/// Files whose header cannot be read do not say when their connection was opened: they are known by its name alone.
#[derive(Debug, Default)]
struct MendedEnds {
    /// The numbers of the lines behind them.
    next: Vec<u64>,
    /// One of them could not be read to its end.
    lost: bool,
}

/// What the files read so far say of those that follow.
#[derive(Debug, Default)]
pub(super) struct Sequences {
    /// The number of the next line; `None` where that cannot be known.
    next: BTreeMap<Key, Option<u64>>,
    mended: BTreeMap<ConnectionName, MendedEnds>,
    /// From this hour on no file may be missing.
    whole_from: Option<i64>,
}

impl Sequences {
    /// The first hour of the files of a day: the first day that is read says from when on all is there.
    pub(super) fn begins(&mut self, hour: Option<i64>) {
        self.whole_from = self.whole_from.or(hour);
    }

    /// A file is at its end.
    pub(super) fn ended(&mut self, file: &Source, next: u64) {
        if file.mended {
            self.mended.entry(name(&file.header)).or_default().next.push(next);
        } else {
            self.next.insert(key(&file.header), Some(next));
        }
    }

    /// A file could not be read to its end, which has been said.
    pub(super) fn lost(&mut self, file: &Source) {
        if file.mended {
            self.mended.entry(name(&file.header)).or_default().lost = true;
        } else {
            self.next.insert(key(&file.header), None);
        }
    }

    /// Files that nobody reads because they are too old; what ends each connection among them is looked at.
    pub(super) fn passed<'a>(&mut self, files: impl Iterator<Item = &'a Source>) -> Result<()> {
        let mut newest: BTreeMap<Key, (u64, &Path)> = BTreeMap::new();
        for file in files {
            if file.mended {
                let next = end_of(file.path())?.map(|end| end.first_line);
                let ends = self.mended.entry(name(&file.header)).or_default();
                ends.next.extend(next);
                ends.lost |= next.is_none();
                continue;
            }
            let of = newest.entry(key(&file.header)).or_insert((file.header.first_seq, file.path()));
            *of = (*of).max((file.header.first_seq, file.path()));
        }
        for (key, (_, path)) in newest {
            self.next.insert(key, end_of(path)?.map(|end| end.first_line));
        }
        Ok(())
    }

    /// A file is begun.
    ///
    /// # Errors
    /// [`Error::Missing`] where lines before it are in no file. The file itself can be read. [`Error::Damaged`] where they were in this one.
    pub(super) fn begun(&self, file: &Source) -> Result<()> {
        let (header, first) = (&file.header, file.header.first_seq);
        let ends = self.mended.get(&name(header));
        if ends.is_some_and(|ends| ends.lost || ends.next.contains(&first)) {
            return Ok(());
        }
        if file.mended {
            return self.mended_begun(file);
        }
        let from = match self.next.get(&key(header)) {
            Some(Some(next)) => *next,
            None if self.whole_from.is_some_and(|from| layout::hour(header.opened) >= from) => 0,
            Some(None) | None => first,
        };
        if first <= from {
            return Ok(());
        }
        Err(Error::Missing { path: file.path().to_path_buf(), from: from + 1, upto: first })
    }

    /// Of a file that is known by name, any connection of that name may be the one it goes on with.
    fn mended_begun(&self, file: &Source) -> Result<()> {
        let (of, first) = (name(&file.header), file.header.first_seq);
        let mut before = self.next.iter().filter(|((_, name), _)| *name == of).map(|(_, next)| *next).peekable();
        let follows = first == 0 || before.peek().is_none() || before.any(|next| next.is_none_or(|next| next == first));
        if follows {
            return Ok(());
        }
        Err(Error::damaged(
            file.path(),
            1,
            format!("neither its header nor what comes before line {} of its connection", first + 1),
        ))
    }
}
