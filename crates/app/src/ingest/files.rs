//! Files as the store takes them: in batches, from the beginning as often as it asks.

use super::BATCH;
use crate::progress::Progress;
use barograph_domain::{Event, StreamIndex};
use barograph_lake::{EventReader, Plan, Report};
use barograph_store::Batches;
use std::cmp::Ordering;
use std::iter::Peekable;

/// Rows of some files, without those that others say too.
pub(super) struct Files<'a> {
    plan: &'a Plan,
    reader: EventReader,
    progress: Option<Progress>,
    kept: Option<Kept<'a>>,
}

impl<'a> Files<'a> {
    pub(super) fn new(plan: &'a Plan, progress: Option<Progress>) -> Self {
        Self { plan, reader: plan.open(None), progress, kept: None }
    }

    /// Leaves out what these files say alike.
    pub(super) fn without(mut self, others: Option<&'a Plan>) -> Self {
        self.kept = others.map(|others| Kept::new(others, self.plan));
        self
    }

    /// What was read, and how many rows others say too.
    pub(super) fn finish(self) -> (Report, u64) {
        (self.reader.finish(), self.kept.map_or(0, |k| k.count))
    }
}

impl Batches for Files<'_> {
    fn next(&mut self, batch: &mut Vec<Event>) {
        if let Some(progress) = &mut self.progress {
            progress.set(self.reader.bytes_read());
        }
        batch.clear();
        while batch.len() < BATCH
            && let Some(event) = self.reader.next()
        {
            if self.kept.as_mut().is_none_or(|kept| !kept.says(&event)) {
                batch.push(event);
            }
        }
    }

    fn rewind(&mut self, done: usize) {
        self.reader = self.plan.open(None);
        if let Some(kept) = &mut self.kept {
            *kept = Kept::new(kept.plan, self.plan);
        }
        let mut skipped = Vec::new();
        for _ in 0..done {
            self.next(&mut skipped);
        }
    }
}

/// Rows of files that stay, read beside the others: both come in the order of receipt.
struct Kept<'a> {
    plan: &'a Plan,
    reader: Peekable<EventReader>,
    /// Number of each of their streams among those of the others.
    streams: Vec<Option<StreamIndex>>,
    /// What they say of the moment the others have come to.
    now: Vec<Event>,
    count: u64,
}

impl<'a> Kept<'a> {
    fn new(plan: &'a Plan, others: &Plan) -> Self {
        let place = |own| others.streams().iter().position(|s| s == own).and_then(|at| u16::try_from(at).ok());
        let streams = plan.streams().iter().map(|own| place(own).map(StreamIndex)).collect();
        Self { plan, reader: plan.open(None).peekable(), streams, now: Vec::new(), count: 0 }
    }

    /// Do they say this too, as known since the same moment?
    fn says(&mut self, event: &Event) -> bool {
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
