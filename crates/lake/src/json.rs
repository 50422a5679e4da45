//! JSON arrays of rows, element by element: pages of klines and funding as the REST API gives them, freqtrade's JSON.
//!
//! Read without building a document, so a file of any size needs one element of memory. Accepted at the top: an array of
//! rows, several such arrays one after the other (pages), or bare rows one after the other. A row is a flat array or a
//! flat object; a nested value stays one cell of text.

use crate::lines::End;
use crate::lines::LONGEST;
use crate::source::Bytes;
use std::io::{self, Read};
use std::ops::Range;

/// First buffer size.
const START: usize = 64 * 1024;

/// Why there is no row here.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum RowFault {
    /// Something between rows, or inside one, that is no JSON.
    NotJson,
    /// The text ends inside a row or a page.
    Truncated,
}

/// Rows of a JSON text.
pub(crate) struct JsonRows {
    from: Bytes,
    buf: Vec<u8>,
    at: usize,
    filled: usize,
    line: u64,
    /// Pages that are open around the present place.
    open_pages: u32,
    end: Option<End>,
    /// Nothing more will come, whatever [`Self::end`] has handed out.
    ended: bool,
    names: Vec<Vec<u8>>,
    cells: Vec<(u32, u32)>,
    /// Keys and values of an object in its own order.
    keys: Vec<(u32, u32)>,
    values: Vec<(u32, u32)>,
    row: Range<usize>,
}

impl JsonRows {
    pub(crate) fn new(from: Bytes) -> Self {
        Self {
            from,
            buf: vec![0; START],
            at: 0,
            filled: 0,
            line: 1,
            open_pages: 0,
            end: None,
            ended: false,
            names: Vec::new(),
            cells: Vec::new(),
            keys: Vec::new(),
            values: Vec::new(),
            row: 0..0,
        }
    }
    /// Names that cells of objects are sorted by; without them the object's own order is kept.
    pub(crate) fn set_names(&mut self, names: &[String]) {
        self.names = names.iter().map(|n| n.as_bytes().to_vec()).collect();
    }
    /// Line of the row given out last, counted from 1.
    pub(crate) fn line(&self) -> u64 {
        self.line
    }
    /// The text of the row given out last.
    pub(crate) fn text(&self) -> &[u8] {
        &self.buf[self.row.clone()]
    }
    /// Its cells.
    pub(crate) fn cells(&self) -> &[(u32, u32)] {
        &self.cells
    }
    /// Its keys; empty for arrays.
    pub(crate) fn keys(&self) -> impl Iterator<Item = &[u8]> {
        let text = self.text();
        self.keys.iter().map(|&(a, b)| &text[a as usize..b as usize])
    }
    /// How the text ended.
    pub(crate) fn end(&mut self) -> End {
        self.end.take().unwrap_or(End::Whole)
    }

    /// Moves to the next row.
    pub(crate) fn next(&mut self) -> Option<Result<(), RowFault>> {
        loop {
            let Some(byte) = self.peek(0) else {
                let open = std::mem::take(&mut self.open_pages) > 0;
                return open.then_some(Err(RowFault::Truncated));
            };
            match byte {
                b'\n' => self.line += 1,
                b' ' | b'\t' | b'\r' | b',' => {}
                b']' if self.open_pages > 0 => self.open_pages -= 1,
                b'[' if self.opens_page() => self.open_pages += 1,
                b'[' | b'{' => return Some(self.row()),
                _ => {
                    self.skip_garbage();
                    return Some(Err(RowFault::NotJson));
                }
            }
            self.at += 1;
        }
    }

    /// The byte `ahead` of the present place, reading more where needed.
    fn peek(&mut self, ahead: usize) -> Option<u8> {
        while self.at + ahead >= self.filled {
            if !self.refill() {
                return None;
            }
        }
        Some(self.buf[self.at + ahead])
    }

    fn refill(&mut self) -> bool {
        if self.ended {
            return false;
        }
        if self.at > 0 {
            self.buf.copy_within(self.at..self.filled, 0);
            self.filled -= self.at;
            self.at = 0;
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

    /// `[` followed by a row or by nothing opens a page; followed by a value it is a row itself.
    fn opens_page(&mut self) -> bool {
        let mut ahead = 1;
        loop {
            match self.peek(ahead) {
                Some(b' ' | b'\t' | b'\r' | b'\n') => ahead += 1,
                Some(b'[' | b'{' | b']') | None => return true,
                Some(_) => return false,
            }
        }
    }

    /// Forward to the next place where a row could begin.
    fn skip_garbage(&mut self) {
        loop {
            self.at += 1;
            match self.peek(0) {
                Some(b'\n') => self.line += 1,
                None | Some(b'[' | b'{') => return,
                Some(_) => {}
            }
        }
    }

    /// Takes the element that begins here and splits it.
    fn row(&mut self) -> Result<(), RowFault> {
        let (mut depth, mut in_string, mut length, mut breaks) = (0_u32, false, 0, 0);
        loop {
            let Some(byte) = self.peek(length) else {
                self.at = self.filled;
                self.open_pages = 0;
                return Err(RowFault::Truncated);
            };
            length += 1;
            match byte {
                b'\\' if in_string => length += 1,
                b'"' => in_string = !in_string,
                b'\n' => breaks += 1,
                _ if in_string => {}
                b'[' | b'{' => depth += 1,
                b']' | b'}' => depth -= 1,
                _ => {}
            }
            if depth == 0 {
                break;
            }
        }
        self.row = self.at..self.at + length;
        self.at += length;
        let ok = self.split();
        self.line += breaks;
        if ok { Ok(()) } else { Err(RowFault::NotJson) }
    }

    fn split(&mut self) -> bool {
        let text = &self.buf[self.row.clone()];
        self.cells.clear();
        self.keys.clear();
        let mut p = Parser { text, at: 1 };
        if text[0] == b'[' {
            return p.array(&mut self.cells);
        }
        self.values.clear();
        if !p.object(&mut self.keys, &mut self.values) {
            return false;
        }
        self.sort();
        true
    }

    /// Puts the cells of the present object into the order of names; without names its own order stays.
    pub(crate) fn sort(&mut self) {
        if self.names.is_empty() {
            self.cells.clone_from(&self.values);
        } else {
            sort_cells(&self.buf[self.row.clone()], &self.names, &self.keys, &self.values, &mut self.cells);
        }
    }
}

/// Puts the cells of an object into the order of `names`; absent ones become empty.
fn sort_cells(text: &[u8], names: &[Vec<u8>], keys: &[(u32, u32)], values: &[(u32, u32)], cells: &mut Vec<(u32, u32)>) {
    let key = |i: usize| keys.get(i).map(|&(a, b)| &text[a as usize..b as usize]);
    cells.clear();
    for (i, name) in names.iter().enumerate() {
        // Rows mostly repeat the order of the first.
        let at = if key(i) == Some(name) { Some(i) } else { (0..keys.len()).find(|i| key(*i) == Some(name)) };
        cells.push(at.map_or((0, 0), |i| values[i]));
    }
}

/// Splits one flat row.
struct Parser<'a> {
    text: &'a [u8],
    at: usize,
}

impl Parser<'_> {
    fn space(&mut self) {
        while matches!(self.text.get(self.at), Some(b' ' | b'\t' | b'\r' | b'\n')) {
            self.at += 1;
        }
    }
    fn eat(&mut self, byte: u8) -> bool {
        self.space();
        let found = self.text.get(self.at) == Some(&byte);
        self.at += usize::from(found);
        found
    }
    fn array(&mut self, cells: &mut Vec<(u32, u32)>) -> bool {
        if self.eat(b']') {
            return true;
        }
        loop {
            match self.value() {
                Some(cell) => cells.push(cell),
                None => return false,
            }
            if self.eat(b',') {
                continue;
            }
            return self.eat(b']') && self.at == self.text.len();
        }
    }
    fn object(&mut self, keys: &mut Vec<(u32, u32)>, cells: &mut Vec<(u32, u32)>) -> bool {
        if self.eat(b'}') {
            return true;
        }
        loop {
            self.space();
            let Some(key) = self.string() else { return false };
            if !self.eat(b':') {
                return false;
            }
            let Some(cell) = self.value() else { return false };
            keys.push(key);
            cells.push(cell);
            if self.eat(b',') {
                continue;
            }
            return self.eat(b'}') && self.at == self.text.len();
        }
    }
    /// A string without its quotes, a number or word as it stands; `null` is empty.
    #[expect(clippy::cast_possible_truncation, reason = "a row is at most 16 MiB long")]
    fn value(&mut self) -> Option<(u32, u32)> {
        self.space();
        match self.text.get(self.at)? {
            b'"' => self.string(),
            b'[' | b'{' => self.nested(),
            _ => {
                let from = self.at;
                while matches!(
                    self.text.get(self.at),
                    Some(b'0'..=b'9' | b'a'..=b'z' | b'A'..=b'Z' | b'+' | b'-' | b'.')
                ) {
                    self.at += 1;
                }
                let word = &self.text[from..self.at];
                if word == b"null" || word == b"NaN" {
                    return Some((from as u32, from as u32));
                }
                (!word.is_empty()).then_some((from as u32, self.at as u32))
            }
        }
    }
    #[expect(clippy::cast_possible_truncation, reason = "a row is at most 16 MiB long")]
    fn string(&mut self) -> Option<(u32, u32)> {
        if self.text.get(self.at) != Some(&b'"') {
            return None;
        }
        let from = self.at + 1;
        self.at = from;
        loop {
            match self.text.get(self.at)? {
                b'\\' => self.at += 2,
                b'"' => break,
                _ => self.at += 1,
            }
        }
        self.at += 1;
        Some((from as u32, self.at as u32 - 1))
    }
    #[expect(clippy::cast_possible_truncation, reason = "a row is at most 16 MiB long")]
    fn nested(&mut self) -> Option<(u32, u32)> {
        let from = self.at;
        let mut depth = 0_u32;
        loop {
            match self.text.get(self.at)? {
                b'"' => {
                    self.string()?;
                    continue;
                }
                b'[' | b'{' => depth += 1,
                b']' | b'}' => depth -= 1,
                _ => {}
            }
            self.at += 1;
            if depth == 0 {
                return Some((from as u32, self.at as u32));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Cursor;

    fn read(text: &str, names: &[&str]) -> Vec<Result<(u64, Vec<String>), RowFault>> {
        let mut rows = JsonRows::new(Box::new(Cursor::new(text.as_bytes().to_vec())));
        rows.set_names(&names.iter().map(|n| (*n).to_owned()).collect::<Vec<_>>());
        let mut out = Vec::new();
        while let Some(row) = rows.next() {
            let cells = |rows: &JsonRows| {
                let text = rows.text();
                let cell = |&(a, b): &(u32, u32)| String::from_utf8_lossy(&text[a as usize..b as usize]).into_owned();
                rows.cells().iter().map(cell).collect::<Vec<_>>()
            };
            out.push(row.map(|()| (rows.line(), cells(&rows))));
        }
        out
    }

    fn row(line: u64, cells: &[&str]) -> Result<(u64, Vec<String>), RowFault> {
        Ok((line, cells.iter().map(|c| (*c).to_owned()).collect()))
    }

    #[test]
    fn pages_rows_and_bare_rows() {
        assert_eq!(read("[[1,\"2\"],[3, 4]]", &[]), [row(1, &["1", "2"]), row(1, &["3", "4"])]);
        assert_eq!(read("[[1]]\n[]\n[[2]]\n", &[]), [row(1, &["1"]), row(3, &["2"])]);
        assert_eq!(read("[1,2]\n[3,null]", &[]), [row(1, &["1", "2"]), row(2, &["3", ""])]);
        assert_eq!(read("[]", &[]), []);
    }

    #[test]
    fn objects_are_sorted_by_name_and_may_leave_some_out() {
        let text = r#"[{"a":1,"b":"x]}"},{"b":"\"q\"","c":[1,{"d":2}]}]"#;
        assert_eq!(read(text, &["a", "b"]), [row(1, &["1", "x]}"]), row(1, &["", "\\\"q\\\""])]);
        assert_eq!(read(text, &[])[1], row(1, &["\\\"q\\\"", "[1,{\"d\":2}]"]));
    }

    #[test]
    fn what_is_broken_says_how() {
        assert_eq!(read("[[1,2],[3", &[]), [row(1, &["1", "2"]), Err(RowFault::Truncated)]);
        assert_eq!(read("[[1,2]", &[]), [row(1, &["1", "2"]), Err(RowFault::Truncated)]);
        assert_eq!(read("[[1,,2],[3,4]]", &[]), [Err(RowFault::NotJson), row(1, &["3", "4"])]);
        assert_eq!(read("hello [1,2]", &[]), [Err(RowFault::NotJson), row(1, &["1", "2"])]);
        assert_eq!(read("{\"a\"}", &[]), [Err(RowFault::NotJson)]);
        assert_eq!(read("[{\"a\":1}] x", &["a"]), [row(1, &["1"]), Err(RowFault::NotJson)]);
    }
}
