//! Named columns of any table that is read here, row by row, for studies that want no events: CSV, Parquet and Feather, packed or not.

use crate::columnar;
use crate::csv::CsvRows;
use crate::lines::{End, Lines};
use crate::sniff::{self, Content};
use crate::source;
use barograph_domain::text::number_of;
use barograph_venues::Row;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

/// A table whose names have been looked at, before its rows are read.
#[derive(Debug)]
pub struct TableIn<'a> {
    path: &'a Path,
    content: Content,
    names: Vec<String>,
}

impl<'a> TableIn<'a> {
    /// Looks at a file.
    ///
    /// # Errors
    /// One sentence: what the file is instead of a table with names.
    pub fn open(path: &'a Path) -> Result<Self, String> {
        let sniffed = sniff::sniff(path, None)?;
        let names = match sniffed.content {
            Content::Csv(_) | Content::Columnar(_) => sniffed.sample.names,
            Content::Json | Content::Recording => None,
        };
        let names =
            names.ok_or("is no table with the names of its columns: give CSV with a header, Parquet or Feather")?;
        Ok(Self { path, content: sniffed.content, names })
    }

    /// Names of its columns.
    #[must_use]
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// Place of a column, whatever the case of its name.
    #[must_use]
    pub fn place(&self, name: &str) -> Option<usize> {
        self.names.iter().position(|n| n.eq_ignore_ascii_case(name))
    }

    /// Hands over every row with its line, or its number in files that have no lines. Cells are by place in [`Self::names`].
    ///
    /// # Errors
    /// One sentence: why the file cannot be read to its end.
    pub fn rows(&self, each: &mut dyn FnMut(u64, Row<'_>)) -> Result<(), String> {
        let unread = Arc::new(AtomicU64::new(0));
        match self.content {
            Content::Columnar(format) => {
                let (_, mut rows) = columnar::open(self.path, format, None, &unread)?;
                while let Some(row) = rows.next() {
                    let row = row?;
                    each(rows.number(), Row::Typed { columns: rows.batch(), row });
                }
                Ok(())
            }
            Content::Csv(dialect) => {
                let bytes = source::open(self.path, None, &unread).map_err(|e| format!("cannot be read: {e}"))?;
                let mut rows = CsvRows::new(Lines::new(bytes), dialect, usize::MAX);
                while let Some(line) = rows.next() {
                    each(line.number, Row::Text { line: rows.lines.bytes(&line), cells: rows.cells() });
                }
                let lines = || number_of(usize::try_from(rows.lines.number()).unwrap_or(usize::MAX), "line");
                let read = lines();
                match rows.lines.end() {
                    End::Whole => Ok(()),
                    End::Torn(e) => Err(format!("breaks off after {read}: {e}; fetch it again")),
                    End::TooLong => Err(format!("has a line of more than 16 MiB after {read}")),
                }
            }
            Content::Json | Content::Recording => Err("is no table".to_owned()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Vec<(u64, f64)>, String> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("t.csv");
        std::fs::write(&path, text).unwrap();
        let table = TableIn::open(&path)?;
        let (usd, mut out) = (table.place("USD").ok_or("no usd")?, Vec::new());
        table.rows(&mut |line, row| out.push((line, row.number(usd).unwrap_or(-1.0))))?;
        Ok(out)
    }

    #[test]
    fn rows_come_with_their_lines_and_cells_by_name() {
        let rows = read("time,usd\n2023-01-01T00:00:00Z,5\n2023-01-01T00:00:01Z,x\n").unwrap();
        assert_eq!(rows, [(2, 5.0), (3, -1.0)]);
        assert!(read("").unwrap_err().contains("empty"));
        assert!(read("{\"a\":1}\n").unwrap_err().contains("no table"));
    }
}
