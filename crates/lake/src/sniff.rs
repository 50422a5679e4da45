//! What is in these bytes? Decided by the bytes themselves; the ending of a name decides nothing.

use crate::columnar::{self, Columnar};
use crate::csv::{self, Dialect};
use crate::json::JsonRows;
use crate::lines::{End, Lines};
use crate::source::{self, ZipMember};
use barograph_venues::{Owned, Sample, TableCell, TypedColumns, number};
use std::io::BufRead;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

/// Rows looked at to tell formats apart: enough that a quiet market trades at least once.
const ROWS: usize = 600;

/// How the rows are written.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Content {
    Csv(Dialect),
    Json,
    Columnar(Columnar),
    /// `<receive stamp> <message>` per line.
    Recording,
}

/// Content and its first rows.
#[derive(Debug)]
pub(crate) struct Sniffed {
    pub(crate) content: Content,
    pub(crate) sample: Sample,
    /// First lines of a recording.
    pub(crate) lines: Vec<Vec<u8>>,
}

/// Is the file a zip archive?
pub(crate) fn is_zip(path: &Path) -> std::io::Result<bool> {
    let mut head = Vec::new();
    std::io::Read::read_to_end(&mut std::io::Read::take(std::fs::File::open(path)?, 4), &mut head)?;
    Ok(head.starts_with(b"PK\x03\x04") || head.starts_with(b"PK\x05\x06"))
}

/// Looks at the beginning of a file or zip member.
///
/// # Errors
/// One sentence saying what the file is instead.
pub(crate) fn sniff(path: &Path, member: Option<&ZipMember>) -> Result<Sniffed, String> {
    let unread = Arc::new(AtomicU64::new(0));
    let mut bytes = source::open(path, member, &unread).map_err(|e| format!("cannot be read: {e}"))?;
    let head = bytes.fill_buf().map_err(|e| format!("packing is broken: {e}"))?;
    let packed = member.is_some() || !starts_like_disk(path, head);
    match kind(head)? {
        Kind::Columnar(_) if packed => Err("parquet or feather inside another packing; unpack it first".to_owned()),
        Kind::Columnar(format) => columnar_sample(path, format),
        Kind::Json => json_sample(JsonRows::new(bytes)),
        Kind::Lines => {
            let mut lines = Lines::new(bytes);
            let mut first = Vec::new();
            while let (true, Some(line)) = (first.len() < ROWS, lines.next()) {
                first.push((line.number, lines.bytes(&line).to_vec()));
            }
            match (first.is_empty(), lines.end()) {
                (true, End::Torn(e)) => Err(format!("packing is broken: {e}")),
                (true, End::TooLong) => Err("has a first line of more than 16 MiB and is no table".to_owned()),
                _ => text_sample(&first),
            }
        }
    }
}

enum Kind {
    Columnar(Columnar),
    Json,
    Lines,
}

/// True when the unpacked bytes are the bytes on disk.
fn starts_like_disk(path: &Path, head: &[u8]) -> bool {
    let mut disk = Vec::new();
    let file = std::fs::File::open(path);
    let read = file.and_then(|f| std::io::Read::read_to_end(&mut std::io::Read::take(f, 6), &mut disk));
    read.is_ok() && head.starts_with(&disk)
}

fn kind(head: &[u8]) -> Result<Kind, String> {
    let says = |text: &str| Err(text.to_owned());
    if head.is_empty() {
        return says("is empty");
    }
    for (magic, what) in [
        (&b"BZh"[..], "a bzip2 file"),
        (b"7z\xbc\xaf", "a 7-zip archive"),
        (b"Rar!", "a rar archive"),
        (b"PK\x03\x04", "a zip archive inside another packing"),
        (b"FEA1", "a feather file of version 1; write it again as feather version 2"),
        (b"SQLite format 3", "a database"),
        (b"\x89HDF", "an HDF5 file"),
        (b"%PDF", "a PDF"),
    ] {
        if head.starts_with(magic) {
            return Err(format!("is {what}, which is not read; give plain, gzip, zstd or zip"));
        }
    }
    if head.get(257..262) == Some(b"ustar") {
        return says("is a tar archive; unpack it first");
    }
    if head.starts_with(b"PAR1") {
        return Ok(Kind::Columnar(Columnar::Parquet));
    }
    if head.starts_with(b"ARROW1") {
        return Ok(Kind::Columnar(Columnar::Feather));
    }
    if head[..head.len().min(4096)].contains(&0) {
        return says("is binary and none of the known formats");
    }
    match head.iter().find(|b| !b.is_ascii_whitespace() && !matches!(b, 0xef | 0xbb | 0xbf)) {
        None => says("is empty"),
        Some(b'<') => says("is a web page or XML, not data; it may be an error message saved in place of the file"),
        Some(b'[' | b'{') => Ok(Kind::Json),
        Some(_) => Ok(Kind::Lines),
    }
}

fn text_sample(lines: &[(u64, Vec<u8>)]) -> Result<Sniffed, String> {
    if lines.first().is_some_and(|(_, l)| is_recorded(l)) {
        let lines = lines.iter().map(|(_, l)| l.clone()).collect();
        return Ok(Sniffed { content: Content::Recording, sample: Sample::default(), lines });
    }
    let mut skip_to = 0;
    let mut names: Option<Vec<String>> = None;
    let mut rows = Vec::new();
    let mut delimiter = b',';
    let mut cells = Vec::new();
    for (number, line) in lines {
        let line = line.strip_prefix(b"\xef\xbb\xbf").unwrap_or(line);
        let before_rows = names.is_none() && rows.is_empty();
        if before_rows && line.starts_with(b"#") {
            skip_to = *number;
            continue;
        }
        if before_rows {
            delimiter = csv::delimiter(line);
        }
        csv::split(line, delimiter, usize::MAX, &mut cells);
        let texts: Vec<&[u8]> = cells.iter().map(|&(a, b)| &line[a as usize..b as usize]).collect();
        if before_rows && is_header(&texts) {
            skip_to = *number;
            names = Some(texts.iter().map(|t| String::from_utf8_lossy(t.trim_ascii()).into_owned()).collect());
            continue;
        }
        rows.push(texts.iter().map(|t| owned_text(t)).collect());
    }
    if rows.is_empty() {
        let what = match &names {
            Some(names)
                if names.iter().any(|n| n.contains(|c: char| c.is_control() || c == char::REPLACEMENT_CHARACTER)) =>
            {
                "bytes that are no text"
            }
            Some(_) => "a header and no row",
            None => "nothing but comments",
        };
        return Err(format!("holds {what}"));
    }
    let dialect = Dialect { delimiter, skip_to };
    Ok(Sniffed {
        content: Content::Csv(dialect),
        sample: Sample { names, rows, strict_width: true },
        lines: Vec::new(),
    })
}

/// A header has no cell that is a number or a time, and at least one letter.
fn is_header(cells: &[&[u8]]) -> bool {
    let value = |c: &&[u8]| number::decimal(c).is_some() || number::instant(c).is_some();
    !cells.iter().any(value) && cells.iter().any(|c| c.iter().any(|b| b.is_ascii_alphabetic() || !b.is_ascii()))
}

/// `1723161256172216566 {"stream":…`, or the same in micro- or milliseconds.
fn is_recorded(line: &[u8]) -> bool {
    let digits = line.iter().take_while(|b| b.is_ascii_digit()).count();
    (13..=19).contains(&digits) && line.get(digits) == Some(&b' ') && matches!(line.get(digits + 1), Some(b'{' | b'['))
}

fn owned_text(text: &[u8]) -> Owned {
    if text.is_empty() { Owned::Empty } else { Owned::Text(String::from_utf8_lossy(text).into_owned()) }
}

fn json_sample(mut json: JsonRows) -> Result<Sniffed, String> {
    let mut names: Option<Vec<String>> = None;
    let mut rows = Vec::new();
    let mut first_fault = None;
    while rows.len() < ROWS {
        match json.next() {
            None => break,
            Some(Err(fault)) => {
                first_fault.get_or_insert((json.line(), fault));
                continue;
            }
            Some(Ok(())) => {}
        }
        let keys: Vec<String> = json.keys().map(|k| String::from_utf8_lossy(k).into_owned()).collect();
        if rows.is_empty() && !keys.is_empty() {
            if let Some(message) = venue_error(&keys, &json) {
                return Err(format!("is an error answer of the venue, not data: {message}"));
            }
            json.set_names(&keys);
            names = Some(keys);
        } else if let (Some(names), false) = (&mut names, keys.is_empty()) {
            // Optional fields: a later row may have more of them. Cells of this row are in its own order.
            let more: Vec<String> = keys.into_iter().filter(|k| !names.contains(k)).collect();
            if !more.is_empty() {
                names.extend(more);
                json.set_names(names);
                json.sort();
            }
        }
        let text = json.text();
        rows.push(json.cells().iter().map(|&(a, b)| owned_text(&text[a as usize..b as usize])).collect::<Vec<_>>());
    }
    match (rows.is_empty(), first_fault) {
        (true, Some((line, _))) => Err(format!("line {line} is not JSON")),
        (true, None) => Err("holds no row".to_owned()),
        (false, _) => Ok(Sniffed {
            content: Content::Json,
            sample: Sample { strict_width: names.is_none(), names, rows },
            lines: Vec::new(),
        }),
    }
}

/// `{"code":-1121,"msg":"Invalid symbol."}`
fn venue_error(keys: &[String], json: &JsonRows) -> Option<String> {
    let at = keys.iter().position(|k| k == "msg")?;
    keys.iter().position(|k| k == "code")?;
    let &(a, b) = json.cells().get(at)?;
    Some(String::from_utf8_lossy(&json.text()[a as usize..b as usize]).into_owned())
}

fn columnar_sample(path: &Path, format: Columnar) -> Result<Sniffed, String> {
    let unread = Arc::new(AtomicU64::new(0));
    let (heading, mut rows) = columnar::open(path, format, None, &unread)?;
    let mut sample = Sample { names: Some(heading.names), rows: Vec::new(), strict_width: false };
    while sample.rows.len() < ROWS {
        match rows.next() {
            None => break,
            Some(Err(e)) => return Err(format!("broken: {e}")),
            Some(Ok(row)) => {
                let batch = rows.batch();
                sample.rows.push((0..batch.width()).map(|c| owned(batch.cell(c, row))).collect());
            }
        }
    }
    if sample.rows.is_empty() {
        return Err("holds no row".to_owned());
    }
    Ok(Sniffed { content: Content::Columnar(format), sample, lines: Vec::new() })
}

fn owned(cell: TableCell<'_>) -> Owned {
    match cell {
        TableCell::Empty => Owned::Empty,
        TableCell::Text(t) => owned_text(t),
        TableCell::Float(v) => Owned::Float(v),
        TableCell::Int(n) => Owned::Int(n),
        TableCell::Time(at) => Owned::Time(at),
    }
}
