//! The ingest node: a journal with a synced part, which is the truth, and a tail that a crash takes away.

use super::engine::{Entry, Frames, Kind};
use barograph_cluster::{Hole, JournalStretch};
use barograph_domain::Ts;

/// Lines of one answer to a fetch.
const ANSWER_MAX: usize = 60;

/// What a fetch is answered with.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Fetched {
    Frames(Frames),
    Lost(Hole),
}

#[derive(Debug, Default)]
pub(crate) struct Ingest {
    pub(crate) boot: u64,
    pub(crate) is_up: bool,
    pub(crate) journal: Vec<Entry>,
    /// So many lines are synced.
    pub(crate) synced: usize,
    /// So many were sent: the next message begins there.
    sent: usize,
    /// Synced lines that cannot be read any more.
    pub(crate) damaged: Vec<(usize, usize)>,
}

impl Ingest {
    pub(crate) fn append(&mut self, now_ms: u64, kind: Kind) {
        let last = self.journal.last().map_or(0, |e| e.stamp.0);
        let stamp = Ts((now_ms.cast_signed() * 1_000_000).max(last + 1));
        self.journal.push(Entry { stamp, kind });
    }

    pub(crate) fn crash(&mut self) {
        self.is_up = false;
        self.boot += 1;
        self.journal.truncate(self.synced);
    }

    pub(crate) fn start(&mut self, now_ms: u64) {
        self.is_up = true;
        // What was synced and never sent is missing for everybody, and fetched.
        self.sent = self.synced;
        self.append(now_ms, Kind::Start);
    }

    /// Syncs what is there; the message that carries it, unless a crash comes first.
    pub(crate) fn flush(&mut self, crashes: bool) -> Option<Frames> {
        self.synced = self.journal.len();
        let (from, to) = (self.sent, self.synced);
        if crashes || from == to {
            return None;
        }
        self.sent = to;
        Some(self.frames(self.stamp_before(from), from, to))
    }

    fn stamp_before(&self, line: usize) -> Ts {
        line.checked_sub(1).map_or(Ts(0), |n| self.journal[n].stamp)
    }

    fn frames(&self, after: Ts, from: usize, to: usize) -> Frames {
        let last = if from == to { after } else { self.journal[to - 1].stamp };
        Frames { stretch: JournalStretch::new(after, last).unwrap(), from, to }
    }

    /// The last stamp that was synced.
    pub(crate) fn last(&self) -> Ts {
        self.stamp_before(self.synced)
    }

    pub(crate) fn fetch(&self, after: Ts, until: Option<Ts>) -> Fetched {
        let synced = &self.journal[..self.synced];
        let from = synced.partition_point(|e| e.stamp <= after);
        let mut to = until.map_or(self.synced, |until| synced.partition_point(|e| e.stamp <= until));
        to = to.max(from).min(from + ANSWER_MAX);
        for (bad_from, bad_to) in &self.damaged {
            if (*bad_from..*bad_to).contains(&from) && to > from {
                return Fetched::Lost(Hole { after, until: self.journal[bad_to - 1].stamp });
            }
            if *bad_from > from {
                to = to.min(*bad_from);
            }
        }
        Fetched::Frames(self.frames(after, from, to))
    }

    /// Can no line of this hole be read?
    pub(crate) fn is_damaged(&self, hole: Hole) -> bool {
        let from = self.journal.partition_point(|e| e.stamp <= hole.after);
        let to = self.journal.partition_point(|e| e.stamp <= hole.until);
        (from..to).all(|line| self.damaged.iter().any(|(a, b)| (*a..*b).contains(&line)))
    }
}
