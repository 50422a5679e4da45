//! One open file: its rows mapped, accounted for, put in order, freed of its own duplicates.

use crate::file::{FilePass, Mapper, PlannedFile, ReadStep, RowReader};
use crate::order::{IN_MEMORY, InOrder, Item, Sorted, Sorter};
use crate::report::FileTally;
use barograph_domain::{Event, Metric, Payload, StreamIndex, Ts};
use barograph_venues::funding::Intervals;
use barograph_venues::reject::RowOutcome;
use barograph_venues::{EventSink, Reject, RejectReason, Row, TableMapper, recording};
use std::cmp::Ordering;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

/// Events of one file in the total order.
pub(crate) struct FileFeed {
    pub(crate) tally: FileTally,
    /// Why the file could not be read to its end.
    pub(crate) broken: Option<String>,
    mapper: Mapper,
    cut: Option<Ts>,
    sink: EventSink,
    rows: Rows,
    last: Option<Event>,
    /// Interval memory per stream of settled funding, where the file does not say.
    intervals: Vec<(StreamIndex, Intervals)>,
}

/// Where rows come from.
enum Rows {
    InOrder(Box<Stream>),
    Sorted(Sorted),
    None,
}

/// A file whose rows are in order.
struct Stream {
    reader: RowReader,
    held: InOrder,
    /// No later row is received before this.
    frontier: Ts,
    ended: bool,
}

impl FileFeed {
    pub(crate) fn open(file: &PlannedFile, metrics: &[Metric], cut: Option<Ts>, read: &Arc<AtomicU64>) -> Self {
        let mut feed = Self {
            tally: FileTally::default(),
            broken: None,
            mapper: file.mapper.clone(),
            cut,
            sink: EventSink::new(),
            rows: Rows::None,
            last: None,
            intervals: Vec::new(),
        };
        match RowReader::open(&file.place, file.content, &file.mapper, FilePass::Read, read) {
            Err(e) => feed.broken = Some(e),
            Ok(reader) if file.sorted => {
                let held = InOrder::default();
                feed.rows = Rows::InOrder(Box::new(Stream { reader, held, frontier: Ts::MIN, ended: false }));
            }
            Ok(reader) => match feed.sort(file, reader, metrics) {
                Ok(sorted) => feed.rows = Rows::Sorted(sorted),
                Err(e) => feed.broken = Some(format!("cannot be sorted: {e}")),
            },
        }
        feed
    }

    /// The next event of the file, its own duplicates removed and counted.
    pub(crate) fn next(&mut self, file: &PlannedFile) -> Option<Item> {
        loop {
            let item = self.ordered(file)?;
            if self.last.as_ref().is_some_and(|last| last.order(&item.event) == Ordering::Equal) {
                // A row is counted by its first event.
                if item.lead {
                    self.tally.accepted = self.tally.accepted.saturating_sub(1);
                    self.tally.reject(RejectReason::Duplicate, || {
                        format!("{}:{}: duplicate of an earlier row", file.place.shown, item.line)
                    });
                }
                continue;
            }
            self.last = Some(item.event);
            return Some(self.with_interval(file, item));
        }
    }

    /// Reads all rows and sorts them.
    fn sort(&mut self, file: &PlannedFile, mut reader: RowReader, metrics: &[Metric]) -> std::io::Result<Sorted> {
        let mut sorter = Sorter::new(metrics, IN_MEMORY);
        while let Some(line) = self.row(file, &mut reader) {
            let mut lead = true;
            for event in self.sink.drain(..) {
                sorter.push(Item { event, line, lead })?;
                lead = false;
            }
        }
        sorter.finish()
    }

    fn ordered(&mut self, file: &PlannedFile) -> Option<Item> {
        let mut rows = std::mem::replace(&mut self.rows, Rows::None);
        let item = match &mut rows {
            Rows::None => return None,
            Rows::Sorted(sorted) => sorted.next().unwrap_or_else(|e| {
                self.broken = Some(format!("sorted rows cannot be read back: {e}"));
                None
            }),
            Rows::InOrder(stream) => loop {
                match stream.held.pop((!stream.ended).then_some(stream.frontier)) {
                    Some(item) => break Some(item),
                    None if stream.ended => break None,
                    None => self.fill(file, stream),
                }
            },
        };
        if item.is_some() {
            self.rows = rows;
        }
        item
    }

    /// One more row into the held ones.
    fn fill(&mut self, file: &PlannedFile, stream: &mut Stream) {
        let Some(line) = self.row(file, &mut stream.reader) else {
            stream.ended = true;
            return;
        };
        let earliest = self.sink.iter().map(|e| e.recv_ts).min().unwrap_or(stream.frontier);
        if earliest < stream.frontier {
            // Only a file that has changed since it was planned comes here.
            self.sink.clear();
            self.tally.accepted = self.tally.accepted.saturating_sub(1);
            self.tally.reject(RejectReason::OutOfOrder, || {
                format!("{}:{line}: earlier than the row before it", file.place.shown)
            });
            return;
        }
        stream.frontier = earliest;
        let mut lead = true;
        for event in self.sink.drain(..) {
            stream.held.push(Item { event, line, lead });
            lead = false;
        }
    }

    /// Maps the next row into the sink; `None` at the end of the file or of what was known.
    fn row(&mut self, file: &PlannedFile, reader: &mut RowReader) -> Option<u64> {
        loop {
            let step = reader.step();
            let (line, whole, known) = match (&step, &self.mapper) {
                (ReadStep::End, _) => return None,
                (ReadStep::Broken(e), _) => {
                    self.broken = Some(e.clone());
                    return None;
                }
                (ReadStep::Fault { line, reason, text }, _) => {
                    self.tally.rows += 1;
                    self.tally.reject(*reason, || format!("{}:{line}: {text}", file.place.shown));
                    continue;
                }
                (ReadStep::Row { line, row, whole }, Mapper::Table(m)) => {
                    (*line, *whole, self.cut.and_then(|_| m.known_ts(row).ok()))
                }
                (ReadStep::Line { line, text, whole }, Mapper::Recording(m)) => {
                    (*line, *whole, self.cut.and_then(|_| m.known_ts(text).ok()))
                }
                (ReadStep::Row { .. }, Mapper::Recording(_)) | (ReadStep::Line { .. }, Mapper::Table(_)) => continue,
            };
            if let (Some(cut), Some(known)) = (self.cut, known) {
                // What was not known yet does not exist. Rows in order: nothing after it does either.
                match (known > cut, file.sorted) {
                    (true, true) => return None,
                    (true, false) => continue,
                    (false, _) => {}
                }
            }
            self.tally.rows += 1;
            let outcome = map(&mut self.mapper, &step, &mut self.sink);
            if let Some(cut) = self.cut {
                self.sink.retain(|e| e.recv_ts <= cut);
            }
            match outcome {
                Ok(None) => {
                    self.tally.accepted += 1;
                    return Some(line);
                }
                Ok(Some(unused)) => self.tally.unused(unused),
                Err(reject) => {
                    let torn =
                        !whole && matches!(reject.reason, RejectReason::WrongColumnCount | RejectReason::NotJson);
                    let reason = if torn { RejectReason::Truncated } else { reject.reason };
                    self.tally.reject(reason, || {
                        format!("{}:{line}: {}", file.place.shown, explain(&self.mapper, &step, reject, torn))
                    });
                }
            }
        }
    }

    /// Settled funding learns its interval from the settlements before it.
    fn with_interval(&mut self, file: &PlannedFile, mut item: Item) -> Item {
        let Some(declared) = file.infer_interval else { return item };
        if let Payload::Funding { interval_h: interval @ None, special: false, .. } = &mut item.event.payload {
            let stream = item.event.stream;
            let at = match self.intervals.iter().position(|(s, _)| *s == stream) {
                Some(at) => at,
                None => {
                    self.intervals.push((stream, Intervals::new(declared)));
                    self.intervals.len() - 1
                }
            };
            *interval = Some(self.intervals[at].1.settle(item.event.event_ts));
        }
        item
    }
}

fn map(mapper: &mut Mapper, step: &ReadStep<'_>, sink: &mut EventSink) -> RowOutcome {
    match (mapper, step) {
        (Mapper::Table(mapper), ReadStep::Row { row, .. }) => mapper.map(row, sink),
        (Mapper::Recording(mapper), ReadStep::Line { text, .. }) => mapper.map(text, sink),
        _ => Err(Reject::row(RejectReason::NotJson)),
    }
}

/// `close 'abc': not a number`.
fn explain(mapper: &Mapper, step: &ReadStep<'_>, reject: Reject, torn: bool) -> String {
    match (mapper, step) {
        (Mapper::Table(mapper), ReadStep::Row { row, .. }) => explain_row(mapper, row, reject, torn),
        (_, ReadStep::Line { text, .. }) if !torn => format!("{}: {}", reject.reason.spoken(), recording::shown(text)),
        _ => "the file ends in the middle of a line".to_owned(),
    }
}

fn explain_row(mapper: &TableMapper, row: &Row<'_>, reject: Reject, torn: bool) -> String {
    let layout = mapper.layout();
    match (reject.reason, reject.column) {
        (RejectReason::WrongColumnCount, _) => {
            let has = format!("{} of {} columns", row.width(), layout.width.unwrap_or_default());
            if torn {
                format!("the file ends in the middle of a row, {has}")
            } else {
                format!("wrong column count, {has}")
            }
        }
        (RejectReason::MissingValue, Some(column)) => format!("{} is empty", layout.column_name(column)),
        (reason, Some(column)) => {
            format!("{} '{}': {}", layout.column_name(column), row.shown(column), reason.spoken())
        }
        (reason, None) => reason.spoken().to_owned(),
    }
}
