//! CSV without ceremony: one line, one row; quotes are taken off, a quoted delimiter stays inside its cell, a quoted line
//! break does not exist in any market data known here.

use crate::lines::{Line, Lines};
use memchr::{memchr, memchr_iter};

/// Delimiters that occur.
const DELIMITERS: [u8; 4] = [b',', b';', b'\t', b'|'];

/// How a file is written.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Dialect {
    pub(crate) delimiter: u8,
    /// Lines before the first row: comments and the header.
    pub(crate) skip_to: u64,
}

/// Rows of a CSV file.
pub(crate) struct CsvRows {
    pub(crate) lines: Lines,
    dialect: Dialect,
    /// Cells to look for; a pass that needs the stamp only need not split the rest.
    limit: usize,
    cells: Vec<(u32, u32)>,
}

impl CsvRows {
    pub(crate) fn new(lines: Lines, dialect: Dialect, limit: usize) -> Self {
        Self { lines, dialect, limit, cells: Vec::new() }
    }
    /// The next row; its cells are [`Self::cells`].
    pub(crate) fn next(&mut self) -> Option<Line> {
        loop {
            let line = self.lines.next()?;
            if line.number > self.dialect.skip_to {
                split(self.lines.bytes(&line), self.dialect.delimiter, self.limit, &mut self.cells);
                return Some(line);
            }
        }
    }
    pub(crate) fn cells(&self) -> &[(u32, u32)] {
        &self.cells
    }
}

/// Splits a line into at most `limit` cells.
#[expect(clippy::cast_possible_truncation, reason = "a line is at most 16 MiB long")]
pub(crate) fn split(line: &[u8], delimiter: u8, limit: usize, cells: &mut Vec<(u32, u32)>) {
    cells.clear();
    if memchr(b'"', line).is_some() {
        return split_quoted(line, delimiter, limit, cells);
    }
    let mut from = 0;
    for at in memchr_iter(delimiter, line) {
        if cells.len() == limit {
            return;
        }
        cells.push((from, at as u32));
        from = at as u32 + 1;
    }
    if cells.len() < limit {
        cells.push((from, line.len() as u32));
    }
}

#[expect(clippy::cast_possible_truncation, reason = "a line is at most 16 MiB long")]
fn split_quoted(line: &[u8], delimiter: u8, limit: usize, cells: &mut Vec<(u32, u32)>) {
    let mut at = 0;
    while at <= line.len() && cells.len() < limit {
        if line.get(at) == Some(&b'"') {
            let close = memchr(b'"', &line[at + 1..]).map_or(line.len(), |n| at + 1 + n);
            cells.push((at as u32 + 1, close as u32));
            at = memchr(delimiter, &line[close..]).map_or(line.len(), |n| close + n) + 1;
        } else {
            let end = memchr(delimiter, &line[at..]).map_or(line.len(), |n| at + n);
            cells.push((at as u32, end as u32));
            at = end + 1;
        }
    }
}

/// The delimiter of a header or first row: the one that splits it most.
pub(crate) fn delimiter(line: &[u8]) -> u8 {
    let count = |d: &u8| memchr_iter(*d, line).count();
    // `max_by_key` keeps the last of equals; a comma wins a draw.
    DELIMITERS.into_iter().rev().max_by_key(count).unwrap_or(b',')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(line: &str, limit: usize, want: &[&str]) {
        let mut cells = Vec::new();
        split(line.as_bytes(), b',', limit, &mut cells);
        let got: Vec<&str> = cells.iter().map(|&(a, b)| &line[a as usize..b as usize]).collect();
        assert_eq!(got, want, "{line}");
    }

    #[test]
    fn cells_with_and_without_quotes() {
        check("a,b,,d", 9, &["a", "b", "", "d"]);
        check("a,b,", 9, &["a", "b", ""]);
        check("", 9, &[""]);
        check("a,b,c", 2, &["a", "b"]);
        check("\"a\",\"\",c", 9, &["a", "", "c"]);
        check("\"a,b\",c", 9, &["a,b", "c"]);
        check("a,\"open", 9, &["a", "open"]);
        check("\"a\",\"\"", 9, &["a", ""]);
    }

    #[test]
    fn the_delimiter_is_the_one_that_splits_most() {
        assert_eq!(delimiter(b"time;open,x;close"), b';');
        assert_eq!(delimiter(b"time\topen"), b'\t');
        assert_eq!(delimiter(b"lonely"), b',');
    }
}
