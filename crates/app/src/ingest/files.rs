//! Files as the store takes them: in batches, from the beginning as often as it asks.

use super::BATCH;
use crate::progress::Progress;
use barograph_domain::{Event, StreamIndex};
use barograph_lake::{EventReader, ImportPlan, Report};
use barograph_store::Batches;
use std::cmp::Ordering;
use std::iter::Peekable;
use std::sync::mpsc::{Receiver, sync_channel};
use std::thread::JoinHandle;

/// Rows of some files, without those that others say too. They are read while the batch before is written.
pub(super) struct Files<'a> {
    plan: &'a ImportPlan,
    ahead: Ahead,
    progress: Option<Progress>,
    kept: Option<Kept<'a>>,
}

impl<'a> Files<'a> {
    pub(super) fn new(plan: &'a ImportPlan, progress: Option<Progress>) -> Self {
        Self { plan, ahead: Ahead::of(plan), progress, kept: None }
    }

    /// Leaves out what these files say alike.
    pub(super) fn without(mut self, others: Option<&'a ImportPlan>) -> Self {
        self.kept = others.map(|others| Kept::new(others, self.plan));
        self
    }

    /// What was read, and how many rows others say too.
    pub(super) fn finish(self) -> (Report, u64) {
        (self.ahead.finish(), self.kept.map_or(0, |k| k.count))
    }
}

impl Batches for Files<'_> {
    fn next(&mut self, batch: &mut Vec<Event>) {
        batch.clear();
        // A batch of which others say everything is none; an empty one is the end.
        while batch.is_empty()
            && let Ok((read, bytes)) = self.ahead.batches.recv()
        {
            *batch = read;
            if let Some(kept) = &mut self.kept {
                batch.retain(|event| !kept.has(event));
            }
            if let Some(progress) = &mut self.progress {
                progress.set(bytes);
            }
        }
    }

    fn rewind(&mut self, done: usize) {
        self.ahead = Ahead::of(self.plan);
        if let Some(kept) = &mut self.kept {
            *kept = Kept::new(kept.plan, self.plan);
        }
        let mut skipped = Vec::new();
        for _ in 0..done {
            self.next(&mut skipped);
        }
    }
}

/// A thread that reads one batch ahead.
struct Ahead {
    /// Batches, each with the bytes read up to its end.
    batches: Receiver<(Vec<Event>, u64)>,
    reading: JoinHandle<Report>,
}

impl Ahead {
    fn of(plan: &ImportPlan) -> Self {
        let mut reader = plan.open(None);
        let (full, batches) = sync_channel(1);
        let reading = std::thread::spawn(move || {
            loop {
                let batch: Vec<Event> = reader.by_ref().take(BATCH).collect();
                if batch.is_empty() || full.send((batch, reader.bytes_read())).is_err() {
                    return reader.finish();
                }
            }
        });
        Self { batches, reading }
    }

    fn finish(self) -> Report {
        let Self { batches, reading } = self;
        drop(batches);
        reading.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    }
}

/// Rows of files that stay, read beside the others: both come in the order of receipt.
struct Kept<'a> {
    plan: &'a ImportPlan,
    reader: Peekable<EventReader>,
    /// Number of each of their streams among those of the others.
    streams: Vec<Option<StreamIndex>>,
    /// What they say of the moment the others have come to.
    now: Vec<Event>,
    count: u64,
}

impl<'a> Kept<'a> {
    fn new(plan: &'a ImportPlan, others: &ImportPlan) -> Self {
        let place = |own| others.streams().iter().position(|s| s == own).and_then(|at| u16::try_from(at).ok());
        let streams = plan.streams().iter().map(|own| place(own).map(StreamIndex)).collect();
        Self { plan, reader: plan.open(None).peekable(), streams, now: Vec::new(), count: 0 }
    }

    /// Do they say this too, as known since the same moment?
    fn has(&mut self, event: &Event) -> bool {
        if self.now.first().is_none_or(|now| now.recv_ts < event.recv_ts) {
            self.now.clear();
        }
        while let Some(next) = self.reader.next_if(|next| next.recv_ts <= event.recv_ts) {
            let stream = self.streams.get(next.stream.index()).copied().flatten();
            if let Some(stream) = stream.filter(|_| next.recv_ts == event.recv_ts) {
                self.now.push(Event { stream, ..next });
            }
        }
        let said = self.now.iter().any(|now| now.order(event) == Ordering::Equal);
        self.count += u64::from(said);
        said
    }
}
