//! Lines of any byte stream with their numbers, from one reused buffer.
//!
//! A read error in the middle (a cut gzip, a bad check sum) ends the stream; lines that were whole before it are given
//! out first, the torn one never.

use crate::source::Bytes;
use memchr::memchr;
use std::io::{self, BufRead, Read};
use std::ops::Range;

/// First buffer size; grows to the longest line.
const START: usize = 64 * 1024;
/// A longer line is no line of any format read here: a 1,000-level book snapshot has 60 KB.
pub(crate) const LONGEST: usize = 16 * 1024 * 1024;

/// How a stream ended.
#[derive(Debug)]
pub(crate) enum End {
    /// With its last byte.
    Whole,
    /// In the middle: the packing broke off or its check failed.
    Torn(io::Error),
    /// A line longer than [`LONGEST`].
    TooLong,
}

/// Splits a stream into lines.
pub(crate) struct Lines {
    from: Bytes,
    buf: Vec<u8>,
    start: usize,
    filled: usize,
    /// Number of the line given out last, counted from 1.
    number: u64,
    end: Option<End>,
    /// Nothing more will come, whatever [`Self::end`] has handed out.
    ended: bool,
}

/// One line in the buffer, without its line break.
#[derive(Clone, Debug)]
pub(crate) struct Line {
    pub(crate) number: u64,
    pub(crate) range: Range<usize>,
    /// It ended with a line break; the last of a cut file does not.
    pub(crate) terminated: bool,
}

impl Lines {
    pub(crate) fn new(from: Bytes) -> Self {
        Self { from, buf: vec![0; START], start: 0, filled: 0, number: 0, end: None, ended: false }
    }
    pub(crate) fn bytes(&self, line: &Line) -> &[u8] {
        &self.buf[line.range.clone()]
    }
    pub(crate) fn number(&self) -> u64 {
        self.number
    }
    /// How the stream ended, once [`Self::next`] has given `None`.
    pub(crate) fn end(&mut self) -> End {
        self.end.take().unwrap_or(End::Whole)
    }

    /// The next line that is not empty.
    pub(crate) fn next(&mut self) -> Option<Line> {
        let mut searched = self.start;
        loop {
            if let Some(at) = memchr(b'\n', &self.buf[searched..self.filled]) {
                let line = self.take(searched + at, true);
                self.start = searched + at + 1;
                searched = self.start;
                if line.range.is_empty() {
                    continue;
                }
                return Some(line);
            }
            searched = self.filled;
            if !self.refill(&mut searched) {
                let torn = !matches!(self.end, Some(End::Whole));
                let rest = self.start..self.filled;
                let line = self.take(self.filled, false);
                self.start = self.filled;
                if rest.is_empty() {
                    self.number -= 1;
                    return None;
                }
                return (!torn && !line.range.is_empty()).then_some(line);
            }
        }
    }

    fn take(&mut self, end: usize, terminated: bool) -> Line {
        self.number += 1;
        let mut range = self.start..end;
        if self.buf[range.clone()].last() == Some(&b'\r') {
            range.end -= 1;
        }
        Line { number: self.number, range, terminated }
    }

    /// Reads more; false at the end. Moves what is left to the front, so earlier ranges are void.
    fn refill(&mut self, searched: &mut usize) -> bool {
        if self.ended {
            return false;
        }
        if self.start > 0 {
            self.buf.copy_within(self.start..self.filled, 0);
            self.filled -= self.start;
            *searched -= self.start;
            self.start = 0;
        }
        if self.filled == self.buf.len() {
            if self.buf.len() >= LONGEST {
                (self.end, self.ended) = (Some(End::TooLong), true);
                return false;
            }
            self.buf.resize(self.buf.len() * 2, 0);
        }
        loop {
            match self.from.read(&mut self.buf[self.filled..]) {
                Ok(0) => (self.end, self.ended) = (Some(End::Whole), true),
                Ok(n) => {
                    self.filled += n;
                    return true;
                }
                Err(e) if e.kind() == io::ErrorKind::Interrupted => continue,
                Err(e) => (self.end, self.ended) = (Some(End::Torn(e)), true),
            }
            return false;
        }
    }
}

/// Lines of a text with their numbers, for what reads rows by itself: a line without an end is an error, never all of the memory.
pub struct TextLines(Lines);

impl core::fmt::Debug for TextLines {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        // Of the text nothing: it may name accounts.
        f.debug_struct("TextLines").field("line", &self.0.number()).finish_non_exhaustive()
    }
}

impl TextLines {
    /// The lines of what [`crate::unpacked`] opens.
    #[must_use]
    pub fn new(from: Box<dyn BufRead + Send>) -> Self {
        Self(Lines::new(from))
    }

    /// The next line that is not empty, with its number; `None` at the end.
    ///
    /// # Errors
    /// Which line cannot be read and why; nothing comes behind a stream that broke off. Its content is not part of the message.
    pub fn next_line(&mut self) -> Result<Option<(u64, &str)>, String> {
        let Some(line) = self.0.next() else {
            let number = self.0.number();
            return match self.0.end() {
                End::Whole => Ok(None),
                End::Torn(e) => Err(format!("it breaks off near line {number}: {e}")),
                End::TooLong => Err(format!("line {number} is longer than {} MiB", LONGEST >> 20)),
            };
        };
        let number = line.number;
        let text = core::str::from_utf8(self.0.bytes(&line));
        text.map(|text| Some((number, text))).map_err(|_plain| format!("line {number} is not UTF-8 text"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Cursor;

    fn read(text: &str) -> Vec<(u64, String, bool)> {
        let mut lines = Lines::new(Box::new(Cursor::new(text.as_bytes().to_vec())));
        let mut out = Vec::new();
        while let Some(line) = lines.next() {
            out.push((line.number, String::from_utf8_lossy(lines.bytes(&line)).into_owned(), line.terminated));
        }
        assert!(matches!(lines.end(), End::Whole));
        out
    }

    #[test]
    fn lines_keep_their_numbers_over_blank_ones_and_either_break() {
        let want = vec![(1, "a".to_owned(), true), (3, "b".to_owned(), true), (4, "c".to_owned(), false)];
        assert_eq!(read("a\n\nb\r\nc"), want);
        assert_eq!(read(""), vec![]);
        assert_eq!(read("\n\n"), vec![]);
    }

    #[test]
    fn lines_longer_than_the_buffer_come_whole() {
        let long = "x".repeat(3 * START + 7);
        let got = read(&format!("{long}\nshort\n{long}"));
        assert_eq!(got.iter().map(|l| l.1.len()).collect::<Vec<_>>(), [long.len(), 5, long.len()]);
    }

    #[test]
    fn a_text_without_line_breaks_is_refused_at_its_limit() {
        let endless = io::BufReader::new(io::repeat(b'x'));
        let mut lines = TextLines::new(Box::new(Cursor::new(b"a\n".to_vec()).chain(endless)));
        assert_eq!(lines.next_line(), Ok(Some((1, "a"))));
        assert_eq!(lines.next_line(), Err("line 2 is longer than 16 MiB".to_owned()));
        let mut lines = TextLines::new(Box::new(Cursor::new(b"a\n\xff\nb".to_vec())));
        assert_eq!(lines.next_line(), Ok(Some((1, "a"))));
        assert_eq!(lines.next_line(), Err("line 2 is not UTF-8 text".to_owned()));
        assert_eq!(lines.next_line(), Ok(Some((3, "b"))));
        assert_eq!(lines.next_line(), Ok(None));
    }

    #[test]
    fn a_torn_stream_gives_its_whole_lines_and_says_so() {
        struct Tears(Vec<u8>);
        impl Read for Tears {
            fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
                if self.0.is_empty() {
                    return Err(io::ErrorKind::UnexpectedEof.into());
                }
                let n = self.0.len().min(buf.len());
                buf[..n].copy_from_slice(&self.0[..n]);
                self.0.drain(..n);
                Ok(n)
            }
        }
        let mut lines = Lines::new(Box::new(io::BufReader::new(Tears(b"one\ntwo\nthr".to_vec()))));
        assert_eq!((lines.next().map(|l| l.number), lines.next().map(|l| l.number)), (Some(1), Some(2)));
        assert!(lines.next().is_none());
        assert!(matches!(lines.end(), End::Torn(_)));
        assert!(lines.next().is_none() && matches!(lines.end(), End::Whole), "said once");
        assert_eq!(lines.number(), 3, "the torn line has a number to be blamed by");
        let mut lines = TextLines::new(Box::new(io::BufReader::new(Tears(b"one\nthr".to_vec()))));
        assert_eq!(lines.next_line(), Ok(Some((1, "one"))));
        assert!(lines.next_line().unwrap_err().starts_with("it breaks off near line 2: "));
    }
}
