//! One planned file and its rows, whatever it is written in.

use crate::columnar::{self, ColumnarRows};
use crate::csv::CsvRows;
use crate::json::{JsonRows, RowFault};
use crate::lines::{End, Lines};
use crate::sniff::Content;
use crate::source::{self, ZipMember};
use barograph_domain::{Span, StreamDecl, Ts};
use barograph_venues::layout::{Format, Shape};
use barograph_venues::recording::StampUnit;
use barograph_venues::{RecordingMapper, RejectReason, Row, TableMapper};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

/// A file, or a member of a zip archive, that will be imported.
#[derive(Debug)]
pub(crate) struct PlannedFile {
    pub(crate) place: FilePlace,
    pub(crate) content: Content,
    /// Reads its rows; bound to streams once all files are known.
    pub(crate) mapper: Mapper,
    /// Declarations of each key, in the order of the shape's metrics (recordings: of each channel, one); `None` for keys
    /// left out.
    pub(crate) decls: Vec<Option<Vec<StreamDecl>>>,
    /// When its first and last row were known.
    pub(crate) known: (Ts, Ts),
    /// Receive times never step back.
    pub(crate) sorted: bool,
    /// Settled funding without an interval of its own: the declared one, to start from.
    pub(crate) infer_interval: Option<Span>,
    /// Bytes on disk.
    pub(crate) bytes: u64,
}

/// Who reads the rows.
#[derive(Clone, Debug)]
pub(crate) enum Mapper {
    Table(Box<TableMapper>),
    Recording(RecordingMapper),
}

impl Mapper {
    /// What the file is, as a summary says it.
    pub(crate) fn format(&self) -> &'static str {
        match self {
            Self::Table(mapper) => mapper.layout().format.spoken(),
            Self::Recording(mapper) => match mapper.unit() {
                Some(StampUnit::Micros) => "hftbacktest recording, receive stamps in microseconds",
                Some(StampUnit::Millis) => "hftbacktest recording, receive stamps in milliseconds",
                Some(StampUnit::Nanos) | None => Format::Recording.spoken(),
            },
        }
    }

    /// Rates whose rows do not say for how many hours they are.
    pub(crate) fn lacks_interval(&self) -> bool {
        matches!(self, Self::Table(mapper) if matches!(mapper.layout().shape, Shape::Funding { interval_h: None, .. }))
    }
}

/// Where a file is.
#[derive(Clone, Debug)]
pub(crate) struct FilePlace {
    pub(crate) path: PathBuf,
    pub(crate) member: Option<ZipMember>,
    /// As messages name it.
    pub(crate) shown: String,
}

/// The two passes: stamps and keys, or everything.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum FilePass {
    Plan,
    Read,
}

/// Rows of an open file.
pub(crate) enum RowReader {
    Csv(CsvRows),
    Json(JsonRows),
    Columnar(ColumnarRows),
    Recording(Lines),
}

/// What came next.
pub(crate) enum ReadStep<'a> {
    /// A row and its line; `whole` is false for a last line without a line break.
    Row {
        line: u64,
        row: Row<'a>,
        whole: bool,
    },
    /// A line of a recording.
    Line {
        line: u64,
        text: &'a [u8],
        whole: bool,
    },
    /// No row, but wrong.
    Fault {
        line: u64,
        reason: RejectReason,
        text: String,
    },
    /// The file cannot be read any further.
    Broken(String),
    End,
}

impl RowReader {
    /// Opens a file for one of the two passes.
    pub(crate) fn open(
        place: &FilePlace,
        content: Content,
        mapper: &Mapper,
        pass: FilePass,
        read: &Arc<AtomicU64>,
    ) -> Result<Self, String> {
        let told = |e: std::io::Error| {
            if e.raw_os_error() == Some(24) {
                return "too many files are open at once; raise the limit (ulimit -n 4096) or import fewer at a time"
                    .to_owned();
            }
            format!("cannot be read: {e}")
        };
        let bytes = || source::open(&place.path, place.member.as_ref(), read).map_err(told);
        let Mapper::Table(mapper) = mapper else { return Ok(Self::Recording(Lines::new(bytes()?))) };
        let layout = mapper.layout();
        match content {
            Content::Csv(dialect) => {
                let limit = if pass == FilePass::Plan { layout.plan_width() } else { usize::MAX };
                Ok(Self::Csv(CsvRows::new(Lines::new(bytes()?), dialect, limit)))
            }
            Content::Json => {
                let mut rows = JsonRows::new(bytes()?);
                if layout.width.is_none() {
                    rows.set_names(&layout.names);
                }
                Ok(Self::Json(rows))
            }
            Content::Columnar(format) => {
                let columns = if pass == FilePass::Plan { layout.plan_columns() } else { layout.used_columns() };
                columnar::open(&place.path, format, Some(&columns), read).map(|(_, rows)| Self::Columnar(rows))
            }
            Content::Recording => Ok(Self::Recording(Lines::new(bytes()?))),
        }
    }

    pub(crate) fn step(&mut self) -> ReadStep<'_> {
        match self {
            Self::Csv(rows) => match rows.next() {
                Some(line) => {
                    let row = Row::Text { line: rows.lines.bytes(&line), cells: rows.cells() };
                    ReadStep::Row { line: line.number, row, whole: line.terminated }
                }
                None => ended(rows.lines.end(), rows.lines.number()),
            },
            Self::Json(rows) => match rows.next() {
                Some(Ok(())) => ReadStep::Row {
                    line: rows.line(),
                    row: Row::Text { line: rows.text(), cells: rows.cells() },
                    whole: true,
                },
                Some(Err(fault)) => {
                    let (reason, text) = match fault {
                        RowFault::NotJson => (RejectReason::NotJson, "not JSON"),
                        RowFault::Truncated => (RejectReason::Truncated, "the file ends in the middle"),
                    };
                    ReadStep::Fault { line: rows.line(), reason, text: text.to_owned() }
                }
                None => ended(rows.end(), rows.line()),
            },
            Self::Columnar(rows) => match rows.next() {
                Some(Ok(row)) => {
                    let line = rows.number();
                    ReadStep::Row { line, row: Row::Typed { columns: rows.batch(), row }, whole: true }
                }
                Some(Err(e)) => ReadStep::Broken(format!("broken after row {}: {e}", rows.number())),
                None => ReadStep::End,
            },
            Self::Recording(lines) => match lines.next() {
                Some(line) => ReadStep::Line { line: line.number, text: lines.bytes(&line), whole: line.terminated },
                None => ended(lines.end(), lines.number()),
            },
        }
    }
}

fn ended(end: End, line: u64) -> ReadStep<'static> {
    match end {
        End::Whole => ReadStep::End,
        // Cut off: what is missing is one torn row and what follows. Anything else, a check sum that does not fit above all,
        // throws doubt on the rows before it.
        End::Torn(e) if e.kind() != std::io::ErrorKind::UnexpectedEof => ReadStep::Broken(format!(
            "is damaged, noticed after line {line} ({e}); rows before that were used, get it again"
        )),
        End::Torn(e) => ReadStep::Fault {
            line,
            reason: RejectReason::Truncated,
            text: format!("the file ends in the middle ({e})"),
        },
        End::TooLong => ReadStep::Broken(format!("line {} is longer than 16 MiB", line + 1)),
    }
}
