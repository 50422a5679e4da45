//! Second pass: all files as one stream of events in the total order, each file open only while the merge needs it.

use crate::feed::FileFeed;
use crate::file::PlannedFile;
use crate::order::Item;
use crate::plan::ImportPlan;
use crate::report::{FailedFile, FileTally, Report};
use barograph_domain::{Event, Metric, StreamIndex, Ts, leg};
use barograph_venues::policy;
use std::cmp::{Ordering, Reverse};
use std::collections::BinaryHeap;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

/// Events of an import in the order of [`Event::order`], exact duplicates removed and counted. Of rows that say different
/// things of one moment the one in the file whose path sorts last counts, in one file the later line: whole files win, not
/// whichever row has the larger bytes.
pub struct EventReader {
    files: Arc<Vec<PlannedFile>>,
    metrics: Vec<Metric>,
    labels: Vec<String>,
    cut: Option<Ts>,
    /// Files not yet opened, the latest first.
    waiting: Vec<usize>,
    heads: BinaryHeap<Reverse<Head>>,
    feeds: Vec<Option<Box<FileFeed>>>,
    /// Accounts of files that are done, by position.
    done: Vec<Option<(FileTally, Option<String>)>>,
    /// What is handed out next unless another row says it too, or says otherwise; and its file.
    held: Option<(Item, usize)>,
    read: Arc<AtomicU64>,
    already_seen: u64,
    disagreeing: u64,
    /// The first of them: both rows and their files.
    disagreement: Option<[(Item, usize); 2]>,
    events: u64,
    report: Report,
    legs: Vec<(StreamIndex, StreamIndex)>,
    /// Spot prices that wait to be repeated, the last first.
    repeated: Vec<Event>,
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
    pub(crate) fn new(plan: &ImportPlan, cut: Option<Ts>) -> Self {
        let files = Arc::clone(&plan.files);
        let known = |i: &usize| cut.is_none_or(|cut| files[*i].known.0 <= cut);
        let mut waiting: Vec<usize> = (0..files.len()).filter(known).collect();
        waiting.sort_by_key(|i| Reverse((files[*i].known.0, *i)));
        let report = Report { failed: plan.failed.clone(), skipped: plan.skipped.clone(), ..Report::default() };
        Self {
            metrics: plan.streams.iter().map(|d| d.metric).collect(),
            labels: plan.streams.iter().map(|d| d.label()).collect(),
            cut,
            waiting,
            heads: BinaryHeap::new(),
            feeds: files.iter().map(|_| None).collect(),
            done: files.iter().map(|_| None).collect(),
            files,
            held: None,
            read: Arc::new(AtomicU64::new(0)),
            already_seen: 0,
            disagreeing: 0,
            disagreement: None,
            events: 0,
            report,
            legs: plan.legs.clone(),
            repeated: Vec::new(),
        }
    }

    /// Bytes read from disk so far.
    #[must_use]
    pub fn bytes_read(&self) -> u64 {
        self.read.load(std::sync::atomic::Ordering::Relaxed)
    }
    /// The account; filled in when the iterator ends, before that only failures of planning.
    #[must_use]
    pub fn report(&self) -> &Report {
        &self.report
    }
    /// The account. Files that were not read to their end count as far as they were read.
    #[must_use]
    pub fn finish(mut self) -> Report {
        for file in 0..self.feeds.len() {
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
            self.feeds[file] = Some(Box::new(FileFeed::open(&self.files[file], &self.metrics, self.cut, &self.read)));
            if let Some(item) = self.pull(file) {
                self.heads.push(Reverse(Head { item, file }));
            }
        }
    }

    fn pull(&mut self, file: usize) -> Option<Item> {
        let feed = self.feeds[file].as_mut()?;
        let item = feed.next(&self.files[file]);
        if item.is_none() {
            self.close(file);
        }
        item
    }

    fn close(&mut self, file: usize) {
        if let Some(feed) = self.feeds[file].take() {
            self.done[file] = Some((feed.tally, feed.broken));
        }
    }

    /// Two numbers for one moment of one series. Trades and the like may well share a moment.
    fn disagree(&self, a: &Event, b: &Event) -> bool {
        let same = (a.stream, a.event_ts, a.recv_ts, a.seq) == (b.stream, b.event_ts, b.recv_ts, b.seq);
        same && self.metrics.get(a.stream.index()).is_some_and(|m| !policy::is_event_stream(*m))
    }

    /// A spot price is one of its contracts' streams, too.
    fn repeat(&mut self, event: &Event) {
        for (_, to) in self.legs.iter().filter(|(from, _)| *from == event.stream) {
            if let Some(payload) = leg::price(&event.payload) {
                self.repeated.push(Event { stream: *to, payload, ..*event });
            }
        }
        self.repeated.sort_by(|a, b| b.order(a));
    }

    /// Makes the report, once, in the order of files.
    fn settle(&mut self) {
        for (file, done) in self.files.iter().zip(&mut self.done) {
            let Some((tally, broken)) = done.take() else { continue };
            let mut streams: Vec<String> = file.decls.iter().flatten().flatten().map(|d| d.label()).collect();
            streams.dedup();
            let kind = file.mapper.format();
            self.report.add(tally.report(&file.place.shown, kind, streams));
            if let Some(error) = broken {
                self.report.failed.push(FailedFile { path: file.place.shown.clone(), error });
            }
        }
        self.report.already_seen = self.already_seen;
        self.report.disagreeing = self.disagreeing;
        self.report.disagreement = self.disagreement.map(|mut rows| {
            rows.sort_by_key(|(item, file)| (*file, item.line));
            let [(first, a), (second, b)] = rows;
            let what = format!("{} at {}", self.labels[first.event.stream.index()], first.event.event_ts);
            let file = |f: usize| self.files[f].place.shown.as_str();
            if a == b {
                format!("{}:{}: {what}: other numbers than line {}", file(a), second.line, first.line)
            } else {
                format!("{what}: {} and {}", file(a), file(b))
            }
        });
        self.report.events = self.events;
    }
}

impl EventReader {
    /// The next item of all files.
    fn take(&mut self) -> Option<(Item, usize)> {
        self.activate();
        let Reverse(Head { item, file }) = self.heads.peek()?;
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
        Some((item, file))
    }
}

impl Iterator for EventReader {
    type Item = Event;

    fn next(&mut self) -> Option<Event> {
        loop {
            // The spot prices to be repeated wait for whatever comes before them.
            if self.held.is_none()
                && let Some(take) = self.take()
            {
                self.held = Some(take);
            }
            let next = self.held.map(|(held, _)| held.event);
            if let Some(event) = self.repeated.pop_if(|e| next.is_none_or(|next| e.order(&next) != Ordering::Greater)) {
                return Some(event);
            }
            let Some((item, file)) = self.take() else {
                let Some((held, _)) = self.held.take() else {
                    self.settle();
                    return None;
                };
                self.events += 1;
                self.repeat(&held.event);
                return Some(held.event);
            };
            let Some((held, held_file)) = self.held else {
                self.held = Some((item, file));
                continue;
            };
            let later = (file, item.line) > (held_file, held.line);
            if held.event.order(&item.event) == Ordering::Equal {
                self.already_seen += u64::from(item.lead);
                if later {
                    self.held = Some((Item { line: item.line, ..held }, file));
                }
                continue;
            }
            if self.disagree(&held.event, &item.event) {
                self.disagreeing += 1;
                self.disagreement.get_or_insert([(held, held_file), (item, file)]);
                if later {
                    self.held = Some((item, file));
                }
                continue;
            }
            self.held = Some((item, file));
            self.events += 1;
            self.repeat(&held.event);
            return Some(held.event);
        }
    }
}
