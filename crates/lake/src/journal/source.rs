//! The lines of one file, in order, one block of text in memory.

use super::block::{Content, FORMAT, Header, Kind, MARKER, Marker, VERSION};
use super::cursor::FileMark;
use super::record;
use super::recover::Tail;
use super::scan::{Blocks, Step, Unpacker, end_of};
use super::{Error, Result, layout};
use barograph_domain::Ts;
use memchr::memchr;
use std::fs::File;
use std::io::{self, Read, Seek};
use std::ops::Range;
use std::path::Path;

/// A file that is being read; standing on a line.
#[derive(Debug)]
pub(super) struct Source {
    blocks: Blocks,
    pub(super) header: Header,
    /// The header cannot be read: what the name of the file and its blocks say stands in for it.
    pub(super) mended: bool,
    /// An earlier reader has begun it.
    pub(super) begun: bool,
    text: Vec<u8>,
    /// The present block.
    marker: Option<Marker>,
    /// Lines of it already read.
    taken: u32,
    /// Where it stood before the present block: the place, the block before that, the stamp.
    before: (u64, Option<Marker>, Ts),
    /// Where the next line begins.
    next: usize,
    /// The present line: its stamp, and what follows the stamp (the whole line for control records).
    at: Ts,
    line: Range<usize>,
}

/// What a step of a source led to.
pub(super) enum Stand {
    /// On a line.
    Line,
    /// The file is at its end; `Some` when it was not closed in order.
    End(Option<Tail>),
}

impl Source {
    /// Reads the header; `Err(tail)` when not even that was written. Where only the header is damaged, the rest is read without it.
    pub(super) fn open(path: &Path, unpacker: &mut Unpacker) -> Result<std::result::Result<Self, Tail>> {
        match Self::open_whole(path, unpacker) {
            Err(e @ Error::Damaged { .. }) => match mended(path)? {
                Some((blocks, header)) => Ok(Ok(Self { mended: true, ..Self::at_first(blocks, header) })),
                None => Err(e),
            },
            opened => opened,
        }
    }

    fn open_whole(path: &Path, unpacker: &mut Unpacker) -> Result<std::result::Result<Self, Tail>> {
        let mut blocks = Blocks::open(path)?;
        let mut file = blocks.file()?;
        let mut text = Vec::new();
        let nothing = |blocks: &Blocks, at: u64| {
            let bytes_lost = blocks.len() - at;
            Ok(Err(Tail { path: path.to_path_buf(), bytes_lost, last_good: None, lines: 0 }))
        };
        match blocks.step(&mut file)? {
            Step::Block { marker, at } if marker.kind == Kind::Header => {
                match blocks.text(&mut file, unpacker, (&marker, at), &mut text)? {
                    None => {}
                    Some(Step::Tail { at }) => return nothing(&blocks, at),
                    Some(_) => return Err(Error::damaged(path, 1, "the header cannot be decompressed")),
                }
            }
            Step::Tail { at } if !begins_with_a_frame(&mut file).map_err(Error::io(path))? => {
                return nothing(&blocks, at);
            }
            Step::Tail { .. } | Step::Block { .. } | Step::End(_) | Step::Damage { .. } => {
                return Err(Error::damaged(path, 1, "it does not begin with a journal header"));
            }
        }
        let header = Header::parse(&text, path)?;
        Ok(Ok(Self::at_first(blocks, header)))
    }

    /// Before the first line. Until it is its turn, a file holds no text.
    fn at_first(blocks: Blocks, header: Header) -> Self {
        let at = Ts(header.first_ns);
        Self {
            before: (blocks.position(), None, at),
            blocks,
            header,
            mended: false,
            begun: false,
            text: Vec::new(),
            marker: None,
            taken: 0,
            next: 0,
            at,
            line: 0..0,
        }
    }

    /// Behind what an earlier reader has read; `None` where the file has become shorter since: then it is another one.
    pub(super) fn go_on(path: &Path, mark: &FileMark) -> Result<Option<Self>> {
        let mut blocks = Blocks::open(path)?;
        let FileMark { header, mended, begun, position, marker, at, .. } = mark;
        if blocks.len() < *position {
            return Ok(None);
        }
        blocks.go_to(*position);
        let taken = marker.map_or(0, |m| m.lines);
        let source = Self::at_first(blocks, header.clone());
        let before = (*position, *marker, *at);
        Ok(Some(Self { mended: *mended, begun: *begun, marker: *marker, taken, before, at: *at, ..source }))
    }

    /// Where a reader goes on that has read every line before the present one: at the block that holds it.
    pub(super) fn mark(&self) -> FileMark {
        let (position, marker, at) = self.before;
        let Self { mended, begun, .. } = *self;
        FileMark { header: self.header.clone(), mended, begun, position, marker, at, ended: None }
    }

    /// Where a reader goes on when the file, of which every line was read, becomes longer.
    pub(super) fn mark_end(&self, tail: &Tail) -> FileMark {
        let length = self.blocks.len();
        let (position, marker, at) = (length - tail.bytes_lost, self.marker, self.at);
        FileMark { position, marker, at, ended: Some(length), ..self.mark() }
    }

    /// Bytes that were read of it.
    pub(super) const fn bytes_read(&self) -> u64 {
        self.blocks.read()
    }

    pub(super) fn path(&self) -> &Path {
        self.blocks.path()
    }

    /// Stamp of the present line; before the first step, of the first line of the file.
    pub(super) const fn at(&self) -> Ts {
        self.at
    }

    pub(super) fn line(&self) -> &[u8] {
        &self.text[self.line.clone()]
    }

    /// Number of the present line in the sequence of its connection.
    pub(super) fn seq(&self) -> u64 {
        self.marker.map_or(self.header.first_seq, |m| m.first_line + u64::from(self.taken) - 1)
    }

    /// Number of the present line in the text of the file, the header being 1.
    pub(super) fn number(&self) -> u64 {
        self.seq() - self.header.first_seq + 2
    }

    /// Goes to the next line later than `after`.
    pub(super) fn advance(&mut self, unpacker: &mut Unpacker, after: Option<Ts>) -> Result<Stand> {
        loop {
            while self.marker.is_some_and(|m| self.taken < m.lines) {
                self.take_line()?;
                if after.is_none_or(|a| self.at > a) {
                    return Ok(Stand::Line);
                }
            }
            if let Some(end) = self.load(unpacker, after)? {
                self.text = Vec::new();
                return Ok(end);
            }
        }
    }

    fn take_line(&mut self) -> Result<()> {
        let Some(marker) = self.marker else { return Ok(()) };
        let rest = &self.text[self.next..];
        let Some(end) = memchr(b'\n', rest) else { return Err(self.damaged("a line without an end")) };
        let line = &rest[..end];
        let (stamp, from) = match self.header.content {
            Content::Control => (record::stamp(line), 0),
            Content::Frames { .. } => frame_stamp(line),
        };
        let first = self.taken == 0;
        self.line = self.next + from..self.next + end;
        self.next += end + 1;
        self.taken += 1;
        let Some(stamp) = stamp else { return Err(self.damaged("a line without a stamp")) };
        // The marker was written with the block; whether they agree is checked at both ends.
        let last = self.taken == marker.lines;
        if (first && stamp != marker.first) || (last && (stamp != marker.last || self.next != self.text.len())) {
            return Err(self.damaged("the block and its marker disagree"));
        }
        let begun = !first || marker.first_line > self.header.first_seq;
        if begun && stamp <= self.at {
            return Err(self.damaged(&format!("stamp {} after {}", stamp.0, self.at.0)));
        }
        self.at = stamp;
        Ok(())
    }

    /// Reads the next block that holds a line later than `after`.
    fn load(&mut self, unpacker: &mut Unpacker, after: Option<Ts>) -> Result<Option<Stand>> {
        let mut file = self.blocks.file()?;
        loop {
            match self.blocks.step(&mut file)? {
                Step::Block { marker, at } => {
                    if marker.kind != Kind::Lines || marker.lines == 0 || self.expected() != marker.first_line {
                        return Err(self.damaged("a block that does not follow from the one before"));
                    }
                    self.before = (at - MARKER as u64, self.marker, self.at);
                    if after.is_some_and(|a| marker.last <= a) {
                        (self.marker, self.taken, self.at) = (Some(marker), marker.lines, marker.last);
                        continue;
                    }
                    match self.blocks.text(&mut file, unpacker, (&marker, at), &mut self.text)? {
                        None => {
                            (self.marker, self.taken, self.next) = (Some(marker), 0, 0);
                            return Ok(None);
                        }
                        Some(Step::Tail { at }) => return Ok(Some(Stand::End(Some(self.tail(at))))),
                        Some(_) => return Err(self.damaged_next("the block cannot be decompressed")),
                    }
                }
                Step::End(end) if end.first_line == self.expected() => return Ok(Some(Stand::End(None))),
                Step::End(_) => return Err(self.damaged_next("lines are missing before the end")),
                Step::Tail { at } => return Ok(Some(Stand::End(Some(self.tail(at))))),
                Step::Damage { .. } => return Err(self.damaged_next("neither a block nor the end of the file")),
            }
        }
    }

    /// Sequence of the line that must follow.
    pub(super) fn expected(&self) -> u64 {
        self.marker.map_or(self.header.first_seq, |m| m.first_line + u64::from(m.lines))
    }

    fn tail(&self, at: u64) -> Tail {
        Tail {
            path: self.path().to_path_buf(),
            bytes_lost: self.blocks.len() - at,
            last_good: self.marker.map(|m| m.last),
            lines: self.expected() - self.header.first_seq,
        }
    }

    fn damaged(&self, what: &str) -> Error {
        Error::damaged(self.path(), self.number(), what)
    }

    fn damaged_next(&self, what: &str) -> Error {
        Error::damaged(self.path(), self.expected() - self.header.first_seq + 2, what)
    }
}

/// The header that a file must have had, by its name and its blocks, and its blocks from the first readable one on; `None` where no block is
/// readable or the name says nothing.
///
/// The end of a file that was closed says which line was its first, so a block that is damaged together with the header is missed.
fn mended(path: &Path) -> Result<Option<(Blocks, Header)>> {
    let Some(content) = layout::content_of(path) else { return Ok(None) };
    let mut blocks = Blocks::open(path)?;
    let bytes = blocks.bytes()?;
    let (end, mut position, mut first) = (end_of(path)?, 0, None);
    while let Some(found) = Marker::find(&bytes[position..]) {
        position += found;
        first = Marker::read(&bytes[position..]).filter(|m| m.kind != Kind::Header && m.lines > 0);
        if first.is_some() {
            break;
        }
        position += 1;
    }
    let Some(first) = first else { return Ok(None) };
    blocks.go_to(position as u64);
    let (first_seq, first_ns) = match end {
        Some(end) => (end.first_line - u64::from(end.lines), end.first),
        None => (first.first_line, first.first),
    };
    let (format, version) = (FORMAT.to_owned(), VERSION);
    Ok(Some((blocks, Header { format, version, content, opened: first_ns, first_ns: first_ns.0, first_seq })))
}

/// Whether a file is zstd of another program: no crash turns the beginning of a journal into that.
fn begins_with_a_frame(file: &mut File) -> io::Result<bool> {
    let mut magic = Vec::new();
    file.rewind()?;
    file.take(4).read_to_end(&mut magic)?;
    Ok(magic == zstd::zstd_safe::MAGICNUMBER.to_le_bytes())
}

/// The stamp of a line of frames, and where the frame begins.
fn frame_stamp(line: &[u8]) -> (Option<Ts>, usize) {
    let digits = line.iter().take(20).take_while(|c| c.is_ascii_digit()).count();
    if digits == 0 || line.get(digits) != Some(&b' ') {
        return (None, 0);
    }
    let number = line[..digits].iter().try_fold(0_i64, |n, c| n.checked_mul(10)?.checked_add(i64::from(c - b'0')));
    (number.map(Ts), digits + 1)
}

#[cfg(test)]
mod tests {
    use super::super::JournalReader;
    use super::super::block::Packer;
    use super::*;

    /// A file of one block with this text and marker; what reading it says.
    fn check(text: &str, marker: (u64, u32, i64, i64), end: (u64, u32), want: &str) {
        let dir = tempfile::tempdir().unwrap();
        let folder = dir.path().join("venue=v/date=1970-01-01");
        std::fs::create_dir_all(&folder).unwrap();
        let (mut out, mut packer) = (Vec::new(), Packer::new(1).unwrap());
        let (first_line, lines, first, last) = marker;
        let content = Content::Frames { venue: "v".into(), connection: "c".into(), rank: 0 };
        let header = Header {
            format: FORMAT.into(),
            version: VERSION,
            content,
            opened: Ts(1_700_000_000_000_000_000),
            first_ns: 5,
            first_seq: 0,
        };
        let marker =
            Marker { kind: Kind::Lines, packed: 0, raw: 0, first_line, lines, first: Ts(first), last: Ts(last) };
        let of_header = Marker { kind: Kind::Header, lines: 0, ..marker };
        packer.append(&mut out, of_header, &header.line().unwrap()).unwrap();
        packer.append(&mut out, marker, text.as_bytes()).unwrap();
        Packer::end(&mut out, end.0, end.1, Ts(first), Ts(last));
        std::fs::write(folder.join("c-0.zst"), out).unwrap();
        let mut reader = JournalReader::open(dir.path(), None).unwrap();
        let said = loop {
            match reader.next() {
                Ok(Some(_)) => {}
                Ok(None) => break "fine".to_owned(),
                Err(e) => break e.to_string(),
            }
        };
        assert!(said.contains(want), "{text:?}: {said}");
    }

    #[test]
    fn what_no_writer_writes_is_an_error_with_its_line() {
        check("5 a\n6 b\n7 c\n", (0, 3, 5, 7), (3, 3), "fine");
        check("5 a\n3 b\n7 c\n", (0, 3, 5, 7), (3, 3), "line 3: stamp 3 after 5");
        check("5 a\n5 b\n7 c\n", (0, 3, 5, 7), (3, 3), "line 3: stamp 5 after 5");
        check("5 a\nx b\n7 c\n", (0, 3, 5, 7), (3, 3), "line 3: a line without a stamp");
        check("5 a\n99999999999999999999 b\n", (0, 2, 5, 7), (2, 2), "line 3: a line without a stamp");
        check("5 a\n6\n", (0, 2, 5, 6), (2, 2), "line 3: a line without a stamp");
        check("5 a\n6 b", (0, 2, 5, 6), (2, 2), "a line without an end");
        check("5 a\n6 b\\t\n", (0, 2, 5, 6), (2, 2), "line 3: a backslash that escapes nothing");
        check("5 a\n6 b\n", (0, 2, 4, 6), (2, 2), "line 2: the block and its marker disagree");
        check("5 a\n6 b\n", (0, 2, 5, 7), (2, 2), "line 3: the block and its marker disagree");
        check("5 a\n6 b\n", (0, 1, 5, 5), (1, 1), "line 2: the block and its marker disagree");
        check("5 a\n6 b\n", (1, 2, 5, 6), (3, 2), "a block that does not follow");
        check("5 a\n6 b\n", (0, 2, 5, 6), (9, 9), "line 4: lines are missing before the end");
    }
}
