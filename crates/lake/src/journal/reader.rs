//! The reading side: every line of every file, in the order in which it was processed.

use super::block::Content;
use super::cursor::{FileStand, JournalCursor};
use super::escape::unescape;
use super::layout;
use super::record::{ControlRecord, read_line};
use super::recover::Tail;
use super::scan::Unpacker;
use super::sequence::Sequences;
use super::source::{Source, Stand};
use super::{Error, REST, Result};
use barograph_domain::Ts;
use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, BinaryHeap};
use std::path::{Path, PathBuf};

/// Which part of a journal to read.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Selection {
    /// Only what is later than this.
    pub after: Option<Ts>,
    /// Nothing later than this.
    pub until: Option<Ts>,
    /// Only frames of this venue. Control records are read in any case.
    pub venue: Option<String>,
}

/// One line of a journal.
#[derive(Clone, PartialEq, Debug)]
pub struct Entry<'a> {
    /// Its receive stamp.
    pub at: Ts,
    /// What it is.
    pub kind: EntryKind<'a>,
}

/// What a line is.
#[derive(Clone, PartialEq, Debug)]
pub enum EntryKind<'a> {
    /// A frame as it was received.
    Frame {
        /// Venue id.
        venue: &'a str,
        /// Name of the connection.
        connection: &'a str,
        /// Rank given when the connection was opened.
        rank: u32,
        /// How many frames came before it on this connection.
        seq: u64,
        /// The frame.
        bytes: &'a [u8],
    },
    /// A control record.
    Control(ControlRecord),
}

/// Merges the files of a journal by stamp.
///
/// Memory: one block of text for each file whose lines overlap in time, and the headers of one day. Files of past days are
/// passed over by name, blocks before [`Selection::after`] without decompressing them.
#[derive(Debug)]
pub struct JournalReader {
    selection: Selection,
    unpacker: UnpackerBox,
    /// Days still to come, the next one last.
    days: Vec<(String, Vec<PathBuf>)>,
    /// Files of the present day whose first line has not been reached, the next one last.
    waiting: Vec<Source>,
    active: BTreeMap<usize, Source>,
    heap: BinaryHeap<Reverse<(Ts, Class, u32, usize)>>,
    opened: usize,
    /// The file whose line was returned last.
    present: Option<usize>,
    last: Option<(Ts, Class)>,
    tails: Vec<Tail>,
    mended: Vec<PathBuf>,
    sequences: Sequences,
    cursor: JournalCursor,
    /// What is later than wanted was reached.
    over: bool,
    scratch: Vec<u8>,
    /// Damage that was met and has not been said yet.
    damage: Vec<Error>,
    /// The file whose line could not be read; it is not read further.
    given_up: Option<usize>,
    /// After an error, what follows is an order with a hole in it.
    failed: Option<Hole>,
}

/// What an error left behind.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Hole {
    /// One file is damaged; the others can be read.
    OneFile,
    Everything,
}

impl Hole {
    fn of(e: &Error) -> Self {
        if matches!(e, Error::Damaged { .. } | Error::Missing { .. }) { Self::OneFile } else { Self::Everything }
    }
}

/// A reply record comes before its body, which has the same stamp.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
enum Class {
    Control,
    Frame,
}

impl JournalReader {
    /// Opens a journal for reading everything later than `after`. It may be in use: what is not yet flushed is not seen.
    ///
    /// # Errors
    /// When the folder cannot be read.
    pub fn open(root: &Path, after: Option<Ts>) -> Result<Self> {
        Self::open_selected(root, Selection { after, ..Selection::default() })
    }

    /// Opens a journal for reading a part of it.
    ///
    /// # Errors
    /// When the folder cannot be read.
    pub fn open_selected(root: &Path, selection: Selection) -> Result<Self> {
        Self::resume(root, selection, JournalCursor::default())
    }

    /// Opens a journal for reading what lies behind the reader that the cursor is of, whose selection was of the same venue and ended where
    /// this one begins. What that one has read is not read again.
    ///
    /// # Errors
    /// When the folder cannot be read.
    pub fn resume(root: &Path, selection: Selection, mut cursor: JournalCursor) -> Result<Self> {
        let (from, to) = (selection.after.map(layout::day), selection.until.map(layout::day));
        let wanted = |day: &str| from.as_deref().is_none_or(|f| day >= f) && to.as_deref().is_none_or(|t| day <= t);
        let days = layout::paths(root, selection.venue.as_deref(), wanted)?;
        let there: BTreeSet<&PathBuf> = days.values().flatten().collect();
        cursor.files.retain(|path, _| there.contains(path));
        let mut days: Vec<_> = days.into_iter().collect();
        days.reverse();
        Ok(Self {
            selection,
            unpacker: UnpackerBox(Unpacker::new().map_err(Error::io(root))?),
            days,
            waiting: Vec::new(),
            active: BTreeMap::new(),
            heap: BinaryHeap::new(),
            opened: 0,
            present: None,
            last: None,
            tails: Vec::new(),
            mended: Vec::new(),
            sequences: core::mem::take(&mut cursor.sequences),
            cursor,
            over: false,
            scratch: Vec::new(),
            damage: Vec::new(),
            given_up: None,
            failed: None,
        })
    }

    /// The next line; `None` at the end.
    ///
    /// # Errors
    /// When a file is damaged, missing, or written by a newer release; nothing more can be read then, except after
    /// [`Self::pass_over`]. What a crash cut off is no error: see [`Self::tails`].
    #[expect(
        clippy::should_implement_trait,
        reason = "the entry borrows from the reader, which an iterator cannot say"
    )]
    pub fn next(&mut self) -> Result<Option<Entry<'_>>> {
        if self.failed.is_some() {
            return Err(Error::Misuse("a reader is asked for more after an error".to_owned()));
        }
        let stepped = self.step();
        self.failed = stepped.as_ref().err().map(Hole::of);
        let Some(id) = stepped? else { return Ok(None) };
        let Some(source) = self.active.get(&id) else { return Ok(None) };
        let entry = entry(source, &mut self.scratch);
        if let Err(e) = &entry {
            self.failed = Some(Hole::of(e));
            self.given_up = Some(id);
        }
        entry.map(Some)
    }

    /// After [`Error::Damaged`] and [`Error::Missing`]: goes on without the rest of the damaged file. What is read from then on has a hole in it,
    /// which the caller declares. False where the error was another one.
    pub fn pass_over(&mut self) -> bool {
        let may = self.failed != Some(Hole::Everything);
        if may {
            self.failed = None;
        }
        may
    }

    /// Goes to the next line and says which file stands on it.
    fn step(&mut self) -> Result<Option<usize>> {
        if self.over {
            return Ok(None);
        }
        if let Some(id) = self.given_up.take() {
            self.present = None;
            self.give_up(id);
        }
        if let Some(id) = self.present.take() {
            self.go_on(id)?;
        }
        self.fill()?;
        let Some(Reverse((at, class, _, id))) = self.heap.pop() else { return Ok(None) };
        if self.selection.until.is_some_and(|u| at > u) {
            self.over = true;
            return Ok(None);
        }
        self.present = Some(id);
        let Some(source) = self.active.get(&id) else { return Ok(None) };
        if let Err(e) = check_order(self.last, (at, class), source) {
            self.given_up = Some(id);
            return Err(e);
        }
        self.last = Some((at, class));
        Ok(Some(id))
    }

    /// Files that ended without having been closed, as far as they have been read.
    #[must_use]
    pub fn tails(&self) -> &[Tail] {
        &self.tails
    }

    /// Files whose header cannot be read, as far as they have been opened: their names and blocks say what they are, and their lines are read.
    #[must_use]
    pub fn mended(&self) -> &[PathBuf] {
        &self.mended
    }

    /// How far was read: everything up to [`Selection::until`], or to the end. To be asked for when [`Self::next`] has said that nothing
    /// more comes.
    #[must_use]
    pub fn into_cursor(mut self) -> JournalCursor {
        let read = self.active.into_values().chain(self.waiting);
        for source in read {
            self.cursor.bytes_read += source.bytes_read();
            self.cursor.files.insert(source.path().to_owned(), FileStand::At(Box::new(source.mark())));
        }
        self.cursor.sequences = self.sequences;
        self.cursor
    }

    /// Sees to it that the smallest stamp is on the heap.
    fn fill(&mut self) -> Result<()> {
        loop {
            if let Some(e) = self.damage.pop() {
                return Err(e);
            }
            let top = self.heap.peek().map(|Reverse((at, ..))| *at);
            match self.waiting.last() {
                // `<=`: a control record and a body may have the same stamp.
                Some(next) if top.is_none_or(|t| next.at() <= t) => {
                    if let Some(mut source) = self.waiting.pop() {
                        self.opened += 1;
                        if !core::mem::replace(&mut source.begun, true) {
                            self.damage.extend(self.sequences.begun(&source).err());
                        }
                        self.active.insert(self.opened, source);
                        self.go_on(self.opened)?;
                    }
                }
                Some(_) => return Ok(()),
                None if top.is_some() => return Ok(()),
                None => match self.days.pop() {
                    Some((_, files)) => self.open_day(&files)?,
                    None => return Ok(()),
                },
            }
        }
    }

    /// Steps one file and puts it back on the heap, or drops it at its end.
    fn go_on(&mut self, id: usize) -> Result<()> {
        let Some(source) = self.active.get_mut(&id) else { return Ok(()) };
        let stand = source.advance(&mut self.unpacker.0, self.selection.after);
        if stand.is_err() {
            self.give_up(id);
            return stand.map(drop);
        }
        match stand? {
            Stand::Line => {
                let (class, rank) = match &source.header.content {
                    Content::Control => (Class::Control, 0),
                    Content::Frames { rank, .. } => (Class::Frame, *rank),
                };
                self.heap.push(Reverse((source.at(), class, rank, id)));
            }
            Stand::End(tail) => {
                self.sequences.ended(source, source.expected());
                self.cursor.bytes_read += source.bytes_read();
                let stand = match &tail {
                    None => FileStand::Over,
                    Some(tail) => FileStand::At(Box::new(source.mark_end(tail))),
                };
                self.cursor.files.insert(source.path().to_owned(), stand);
                self.tails.extend(tail);
                self.active.remove(&id);
            }
        }
        Ok(())
    }

    /// Reads a file no further.
    fn give_up(&mut self, id: usize) {
        if let Some(source) = self.active.remove(&id) {
            self.sequences.lost(&source);
            self.cursor.bytes_read += source.bytes_read();
            self.cursor.files.insert(source.path().to_owned(), FileStand::Over);
        }
    }

    /// A file from its beginning, or from where the last reader was; `None` where nothing more is to be read of it.
    fn open_file(&mut self, path: &Path) -> Result<Option<core::result::Result<Source, Tail>>> {
        match self.cursor.files.remove(path) {
            None => {}
            Some(FileStand::Over) => {
                self.cursor.files.insert(path.to_owned(), FileStand::Over);
                return Ok(None);
            }
            Some(FileStand::At(mark)) => {
                if mark.ended.is_some_and(|length| path.metadata().is_ok_and(|m| m.len() == length)) {
                    self.cursor.files.insert(path.to_owned(), FileStand::At(mark));
                    return Ok(None);
                }
                if let Some(source) = Source::go_on(path, &mark)? {
                    return Ok(Some(Ok(source)));
                }
            }
        }
        match Source::open(path, &mut self.unpacker.0) {
            Err(e @ Error::Damaged { .. }) => {
                self.damage.push(e);
                self.cursor.files.insert(path.to_owned(), FileStand::Over);
                Ok(None)
            }
            Ok(Ok(source)) if source.mended => {
                self.mended.push(path.to_owned());
                Ok(Some(Ok(source)))
            }
            opened => opened.map(Some),
        }
    }

    /// Reads the headers of a day. Within one, the hour of the first stamp says whether a file can be passed over.
    fn open_day(&mut self, files: &[PathBuf]) -> Result<()> {
        let mut past = Vec::new();
        for path in files {
            let Some(opened) = self.open_file(path)? else { continue };
            match opened {
                Ok(source) if self.selection.after.is_some_and(|a| layout::hour(source.at()) < layout::hour(a)) => {
                    past.push(source);
                }
                Ok(source) => self.waiting.push(source),
                Err(tail) => self.tails.push(tail),
            }
        }
        self.sequences.begins(past.iter().chain(&self.waiting).map(|f| layout::hour(f.at())).min());
        self.sequences.passed(past.iter())?;
        for file in past {
            self.cursor.bytes_read += file.bytes_read();
            self.cursor.files.insert(file.path().to_owned(), FileStand::Over);
        }
        self.waiting.sort_by(|a, b| (b.at(), b.path()).cmp(&(a.at(), a.path())));
        Ok(())
    }
}

/// Stamps increase strictly, except from a reply to its body.
fn check_order(before: Option<(Ts, Class)>, (at, class): (Ts, Class), source: &Source) -> Result<()> {
    let Some((last, of)) = before else { return Ok(()) };
    let is_rest = matches!(&source.header.content, Content::Frames { connection, .. } if connection == REST);
    let body = at == last && of == Class::Control && class == Class::Frame && is_rest;
    if at > last || body {
        return Ok(());
    }
    let what = format!("stamp {} follows {} of another file", at.0, last.0);
    Err(Error::damaged(source.path(), source.number(), what))
}

fn entry<'a>(source: &'a Source, scratch: &'a mut Vec<u8>) -> Result<Entry<'a>> {
    let kind = match &source.header.content {
        Content::Control => EntryKind::Control(read_line(source.line(), source.path(), source.number())?),
        Content::Frames { venue, connection, rank } => {
            let bytes = unescape(source.line(), scratch)
                .ok_or_else(|| Error::damaged(source.path(), source.number(), "a backslash that escapes nothing"))?;
            EntryKind::Frame { venue, connection, rank: *rank, seq: source.seq(), bytes }
        }
    };
    Ok(Entry { at: source.at(), kind })
}

/// The decompressor has no `Debug` of its own.
struct UnpackerBox(Unpacker);

impl std::fmt::Debug for UnpackerBox {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Unpacker")
    }
}
