//! Second pass: all files as one stream of events in the total order, each file open only while the merge needs it.

use crate::file::{PlannedFile, Reader, Step};
use crate::order::{IN_MEMORY, InOrder, Item, Sorted, Sorter};
use crate::plan::Plan;
use crate::report::{FailedFile, Report, Tally};
use barograph_domain::{Event, Metric, Payload, Ts};
use barograph_venues::funding::Intervals;
use barograph_venues::{Reason, Sink, TableMapper};
use std::cmp::{Ordering, Reverse};
use std::collections::BinaryHeap;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

/// Events of an import in the order of [`Event::order`], exact duplicates removed and counted.
pub struct EventReader {
    files: Arc<Vec<PlannedFile>>,
    metrics: Vec<Metric>,
    cut: Option<Ts>,
    /// Files not yet opened, the latest first.
    waiting: Vec<usize>,
    heads: BinaryHeap<Reverse<Head>>,
    sources: Vec<Option<Box<Source>>>,
    /// Accounts of files that are done, by position.
    done: Vec<Option<(Tally, Option<String>)>>,
    last: Option<Event>,
    read: Arc<AtomicU64>,
    already_seen: u64,
    events: u64,
    report: Report,
}

struct Head {
    item: Item,
    file: usize,
}

impl PartialEq for Head {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}
impl Eq for Head {}
impl PartialOrd for Head {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}
impl Ord for Head {
    fn cmp(&self, other: &Self) -> Ordering {
        self.item.event.order(&other.item.event).then(self.file.cmp(&other.file))
    }
}

impl std::fmt::Debug for EventReader {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("EventReader").field("cut", &self.cut).field("waiting", &self.waiting.len()).finish()
    }
}

impl EventReader {
    pub(crate) fn new(plan: &Plan, cut: Option<Ts>) -> Self {
        let files = Arc::clone(&plan.files);
        let known = |i: &usize| cut.is_none_or(|cut| files[*i].known.0 <= cut);
        let mut waiting: Vec<usize> = (0..files.len()).filter(known).collect();
        waiting.sort_by_key(|i| Reverse((files[*i].known.0, *i)));
        let report = Report { failed: plan.failed.clone(), skipped: plan.skipped.clone(), ..Report::default() };
        Self {
            metrics: plan.streams.iter().map(|d| d.metric).collect(),
            cut,
            waiting,
            heads: BinaryHeap::new(),
            sources: files.iter().map(|_| None).collect(),
            done: files.iter().map(|_| None).collect(),
            files,
            last: None,
            read: Arc::new(AtomicU64::new(0)),
            already_seen: 0,
            events: 0,
            report,
        }
    }

    /// Bytes read from disk so far.
    #[must_use]
    pub fn bytes_read(&self) -> u64 {
        self.read.load(std::sync::atomic::Ordering::Relaxed)
    }
    /// The account so far: files that are done, and failures. Complete once the iterator has ended.
    #[must_use]
    pub fn report(&self) -> &Report {
        &self.report
    }
    /// The account. Files that were not read to their end count as far as they were read.
    #[must_use]
    pub fn finish(mut self) -> Report {
        for file in 0..self.sources.len() {
            self.close(file);
        }
        self.settle();
        self.report
    }

    /// Opens every file whose first row could come before `head`.
    fn activate(&mut self) {
        while let Some(&file) = self.waiting.last() {
            let first = self.files[file].known.0;
            if self.heads.peek().is_some_and(|Reverse(h)| first > h.item.event.recv_ts) {
                return;
            }
            self.waiting.pop();
            self.sources[file] = Some(Box::new(Source::open(&self.files[file], &self.metrics, self.cut, &self.read)));
            if let Some(item) = self.pull(file) {
                self.heads.push(Reverse(Head { item, file }));
            }
        }
    }

    fn pull(&mut self, file: usize) -> Option<Item> {
        let source = self.sources[file].as_mut()?;
        let item = source.next(&self.files[file]);
        if item.is_none() {
            self.close(file);
        }
        item
    }

    fn close(&mut self, file: usize) {
        if let Some(source) = self.sources[file].take() {
            self.done[file] = Some((source.tally, source.broken));
        }
    }

    /// Makes the report, once, in the order of files.
    fn settle(&mut self) {
        for (file, done) in self.files.iter().zip(&mut self.done) {
            let Some((tally, broken)) = done.take() else { continue };
            let mut streams: Vec<String> = file.decls.iter().flatten().flatten().map(|d| d.label()).collect();
            streams.dedup();
            let kind = file.mapper.layout().format.spoken();
            self.report.add(tally.report(&file.place.shown, kind, streams));
            if let Some(error) = broken {
                self.report.failed.push(FailedFile { path: file.place.shown.clone(), error });
            }
        }
        self.report.already_seen = self.already_seen;
        self.report.events = self.events;
    }
}

impl Iterator for EventReader {
    type Item = Event;

    fn next(&mut self) -> Option<Event> {
        loop {
            self.activate();
            let Some(Reverse(Head { item, file })) = self.heads.peek() else {
                self.settle();
                return None;
            };
            let (item, file) = (*item, *file);
            match self.pull(file) {
                // Replacing the head costs one sift instead of two.
                Some(next) => {
                    if let Some(mut head) = self.heads.peek_mut() {
                        head.0.item = next;
                    }
                }
                None => {
                    self.heads.pop();
                }
            }
            if self.last.as_ref().is_some_and(|last| last.order(&item.event) == Ordering::Equal) {
                self.already_seen += u64::from(item.lead);
                continue;
            }
            self.last = Some(item.event);
            self.events += 1;
            return Some(item.event);
        }
    }
}

/// One open file.
struct Source {
    mapper: TableMapper,
    feed: Feed,
    tally: Tally,
    broken: Option<String>,
    cut: Option<Ts>,
    sink: Sink,
    last: Option<Event>,
    /// Interval memory per stream of settled funding, where the file does not say.
    intervals: Vec<(barograph_domain::StreamIndex, Intervals)>,
}

enum Feed {
    InOrder { reader: Reader, order: InOrder, frontier: Ts, ended: bool },
    Sorted(Sorted),
    Nothing,
}

impl Source {
    fn open(file: &PlannedFile, metrics: &[Metric], cut: Option<Ts>, read: &Arc<AtomicU64>) -> Self {
        let mut source = Self {
            mapper: file.mapper.clone(),
            feed: Feed::Nothing,
            tally: Tally::default(),
            broken: None,
            cut,
            sink: Sink::new(),
            last: None,
            intervals: Vec::new(),
        };
        let columns = file.mapper.layout().used_columns();
        match Reader::open(&file.place, file.content, &file.mapper, usize::MAX, &columns, read) {
            Err(e) => source.broken = Some(e),
            Ok(reader) if file.sorted => {
                source.feed = Feed::InOrder { reader, order: InOrder::default(), frontier: Ts::MIN, ended: false };
            }
            Ok(reader) => match source.sort(file, reader, metrics) {
                Ok(sorted) => source.feed = Feed::Sorted(sorted),
                Err(e) => source.broken = Some(format!("cannot be sorted: {e}")),
            },
        }
        source
    }

    /// Reads all rows and sorts them.
    fn sort(&mut self, file: &PlannedFile, mut reader: Reader, metrics: &[Metric]) -> std::io::Result<Sorted> {
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

    /// Maps the next row into the sink; `None` at the end of the file or of what was known.
    fn row(&mut self, file: &PlannedFile, reader: &mut Reader) -> Option<u64> {
        loop {
            match reader.step() {
                Step::End => return None,
                Step::Broken(e) => {
                    self.broken = Some(e);
                    return None;
                }
                Step::Fault { line, reason, text } => {
                    self.tally.rows += 1;
                    self.tally.reject(reason, || format!("{}:{line}: {text}", file.place.shown));
                }
                Step::Row { line, row, whole } => {
                    if let Some(cut) = self.cut {
                        match self.mapper.known_ts(&row) {
                            Ok(known) if known > cut && file.sorted => return None,
                            Ok(known) if known > cut => continue,
                            _ => {}
                        }
                    }
                    self.tally.rows += 1;
                    match self.mapper.map(&row, &mut self.sink) {
                        Ok(None) => {
                            self.tally.accepted += 1;
                            return Some(line);
                        }
                        Ok(Some(unused)) => self.tally.unused(unused),
                        Err(reject) => {
                            let torn = !whole && reject.reason == Reason::WrongColumnCount;
                            let reason = if torn { Reason::Truncated } else { reject.reason };
                            self.tally.reject(reason, || {
                                format!("{}:{line}: {}", file.place.shown, explain(&self.mapper, &row, reject, torn))
                            });
                        }
                    }
                }
            }
        }
    }

    fn next(&mut self, file: &PlannedFile) -> Option<Item> {
        loop {
            let item = self.ordered(file)?;
            if self.last.as_ref().is_some_and(|last| last.order(&item.event) == Ordering::Equal) {
                if item.lead {
                    self.tally.accepted = self.tally.accepted.saturating_sub(1);
                    self.tally.reject(Reason::Duplicate, || {
                        format!("{}:{}: equal to an earlier row of the file", file.place.shown, item.line)
                    });
                }
                continue;
            }
            self.last = Some(item.event);
            return Some(self.with_interval(file, item));
        }
    }

    fn ordered(&mut self, file: &PlannedFile) -> Option<Item> {
        loop {
            let mut feed = std::mem::replace(&mut self.feed, Feed::Nothing);
            let item = match &mut feed {
                Feed::Nothing => return None,
                Feed::Sorted(sorted) => match sorted.next() {
                    Ok(item) => item,
                    Err(e) => {
                        self.broken = Some(format!("sorted rows cannot be read back: {e}"));
                        None
                    }
                },
                Feed::InOrder { reader, order, frontier, ended } => match order.pop((!*ended).then_some(*frontier)) {
                    Some(item) => Some(item),
                    None if *ended => None,
                    None => {
                        self.fill(file, reader, order, frontier, ended);
                        self.feed = feed;
                        continue;
                    }
                },
            };
            if item.is_some() {
                self.feed = feed;
            }
            return item;
        }
    }

    /// One more row into the held ones.
    fn fill(
        &mut self,
        file: &PlannedFile,
        reader: &mut Reader,
        order: &mut InOrder,
        frontier: &mut Ts,
        ended: &mut bool,
    ) {
        let Some(line) = self.row(file, reader) else {
            *ended = true;
            return;
        };
        let earliest = self.sink.iter().map(|e| e.recv_ts).min().unwrap_or(*frontier);
        if earliest < *frontier {
            // The file has changed since it was planned.
            self.sink.clear();
            self.tally.accepted = self.tally.accepted.saturating_sub(1);
            self.tally
                .reject(Reason::OutOfOrder, || format!("{}:{line}: earlier than the row before it", file.place.shown));
            return;
        }
        *frontier = earliest;
        let mut lead = true;
        for event in self.sink.drain(..) {
            order.push(Item { event, line, lead });
            lead = false;
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

/// `close 'abc' is not a number`.
fn explain(
    mapper: &TableMapper,
    row: &barograph_venues::Row<'_>,
    reject: barograph_venues::Reject,
    torn: bool,
) -> String {
    let layout = mapper.layout();
    match (reject.reason, reject.column) {
        (Reason::WrongColumnCount, _) => {
            let want = layout.width.unwrap_or_default();
            let has = format!("{} of {want} columns", row.width());
            if torn {
                format!("the file ends in the middle of a row, {has}")
            } else {
                format!("wrong column count, {has}")
            }
        }
        (Reason::MissingValue, Some(column)) => format!("{} is empty", layout.column_name(column)),
        (reason, Some(column)) => {
            format!("{} '{}': {}", layout.column_name(column), row.shown(column), reason.spoken())
        }
        (reason, None) => reason.spoken().to_owned(),
    }
}
