//! One tenure's way through the journal, from a checkpoint on: what is applied next, what is fetched, when a checkpoint is written.

use crate::stretch::{Follower, Hole, KeptLimits, StretchMessage, StretchVerdict};
use barograph_domain::Ts;
use std::collections::VecDeque;

/// Times and sizes of following; milliseconds are of the own clock.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct CoursePace {
    /// What may wait behind a hole.
    pub kept: KeptLimits,
    /// A hole is fetched when it is this old: messages overtake each other.
    pub hole_ms: u64,
    /// When nothing arrived for so long, what is new is fetched: the ingest node ticks once a second, so the broker is silent or away.
    pub silent_ms: u64,
    /// A fetch without an answer for so long is made again.
    pub retry_ms: u64,
    /// Applied pieces that the store may be behind; beyond it nothing is applied.
    pub unstored_max: usize,
    /// A checkpoint is due after so many applied pieces …
    pub checkpoint_pieces: u32,
    /// … or, if anything was applied, after ten times what the last one took, but not sooner than this …
    pub checkpoint_min_ms: u64,
    /// … and not later than this.
    pub checkpoint_max_ms: u64,
    /// A checkpoint without an answer for so long is written again.
    pub deposit_ms: u64,
}

/// Between two checkpoints lie at least so many times what the first one took, unless that is longer than the longest wait: what a takeover
/// has to run again is what came since, so it is made as often as its size lets it.
const CHECKPOINT_SHARE: u64 = 10;

/// What a course wants done; [`crate::GroupCommand`] says what each means.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Errand<M> {
    Fetch { after: Ts, until: Option<Ts> },
    Apply { message: M, after: Ts },
    Declare(Hole),
    Snapshot(Ts),
    Deposit(Ts),
}

/// A fetch under way.
#[derive(Clone, Copy, Debug)]
struct Fetch {
    asked_ms: u64,
    /// Up to what is there, not up to a known stamp.
    open: bool,
}

#[derive(Clone, Debug)]
pub(crate) struct Course<M> {
    pace: CoursePace,
    follower: Follower<M>,
    /// The store has everything up to this stamp.
    stored: Ts,
    /// Ends of what was applied and is not stored.
    unstored: VecDeque<Ts>,
    /// The end of the newest gap that this tenure has declared and the store has not confirmed. It may lie within what is published.
    owed: Option<Ts>,
    fetch: Option<Fetch>,
    /// Follows the broker without a hole to what the checkpoint lacked.
    joined: bool,
    hole_since_ms: Option<u64>,
    moved_ms: u64,
    aside: Aside,
    aside_ms: u64,
    /// From setting the last one aside until the depot had it.
    aside_took_ms: u64,
    pieces: u32,
    /// Nothing more is to be applied.
    ends: bool,
}

/// The state that was last set aside.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Aside {
    Nothing,
    /// The store lacks something before it.
    Waits(Ts),
    /// The depot was asked to keep it.
    Asked {
        at: Ts,
        asked_ms: u64,
    },
    Kept(Ts),
}

impl<M: StretchMessage> Course<M> {
    pub(crate) fn new(now_ms: u64, at: Ts, published: Option<Ts>, pace: CoursePace) -> Self {
        Self {
            pace,
            follower: Follower::new(at, pace.kept),
            stored: published.map_or(at, |p| p.max(at)),
            unstored: VecDeque::new(),
            owed: None,
            fetch: None,
            joined: false,
            hole_since_ms: None,
            moved_ms: now_ms,
            aside: Aside::Nothing,
            aside_ms: now_ms,
            aside_took_ms: 0,
            pieces: 0,
            ends: false,
        }
    }

    pub(crate) const fn at(&self) -> Ts {
        self.follower.at()
    }

    pub(crate) const fn is_joined(&self) -> bool {
        self.joined
    }

    /// From the broker.
    pub(crate) fn arrived(&mut self, now_ms: u64, message: M, out: &mut Vec<Errand<M>>) {
        self.moved_ms = now_ms;
        if matches!(self.follower.judge(message.stretch()), StretchVerdict::Next | StretchVerdict::Overlaps) {
            self.joined = true;
        }
        self.follower.offer(message);
        self.pump(now_ms, out);
    }

    /// From the journal.
    pub(crate) fn fetched(&mut self, now_ms: u64, message: M, out: &mut Vec<Errand<M>>) {
        let Some(fetch) = self.fetch.take() else { return self.arrived(now_ms, message, out) };
        self.moved_ms = now_ms;
        if message.stretch().last() <= self.at() {
            // Nothing newer. A hole that the journal does not know yet is asked about again, but not at once.
            self.joined |= fetch.open;
            self.fetch = (!fetch.open).then_some(Fetch { asked_ms: now_ms, ..fetch });
        }
        self.follower.offer(message);
        self.pump(now_ms, out);
    }

    /// The journal does not have it.
    pub(crate) fn lost(&mut self, now_ms: u64, lost: Hole, out: &mut Vec<Errand<M>>) {
        self.fetch = None;
        self.moved_ms = now_ms;
        if let Some(gap) = self.follower.lost(lost) {
            self.done(gap.until);
            self.owed = Some(gap.until);
            out.push(Errand::Declare(gap));
        }
        self.pump(now_ms, out);
    }

    /// The store has everything up to `through`.
    pub(crate) fn stored(&mut self, now_ms: u64, through: Ts, out: &mut Vec<Errand<M>>) {
        self.stored = self.stored.max(through);
        self.owed = self.owed.filter(|gap| *gap > through);
        while self.unstored.front().is_some_and(|end| *end <= self.stored) {
            self.unstored.pop_front();
        }
        self.pump(now_ms, out);
    }

    /// The depot has the checkpoint of `at`.
    pub(crate) fn deposited(&mut self, now_ms: u64, at: Ts) {
        if matches!(self.aside, Aside::Asked { at: asked, .. } if asked == at) {
            self.aside = Aside::Kept(at);
            self.aside_took_ms = now_ms.saturating_sub(self.aside_ms);
        }
    }

    /// Time has passed.
    pub(crate) fn passed(&mut self, now_ms: u64, out: &mut Vec<Errand<M>>) {
        if self.fetch.is_some_and(|f| now_ms.saturating_sub(f.asked_ms) >= self.pace.retry_ms) {
            self.fetch = None;
        }
        self.pump(now_ms, out);
    }

    /// Sets the present state aside, as the last of this tenure: nothing is applied or fetched after it.
    pub(crate) fn finish(&mut self, now_ms: u64, out: &mut Vec<Errand<M>>) {
        self.ends = true;
        if self.aside_at() != Some(self.at()) {
            self.set_aside(now_ms, out);
        }
        self.deposit(now_ms, out);
    }

    /// Is the checkpoint of the present state in the depot?
    pub(crate) fn is_finished(&self) -> bool {
        self.aside == Aside::Kept(self.at())
    }

    /// Applies what is here and asks for what is not.
    fn pump(&mut self, now_ms: u64, out: &mut Vec<Errand<M>>) {
        self.deposit(now_ms, out);
        if self.ends {
            return;
        }
        while self.unstored.len() < self.pace.unstored_max {
            let Some(next) = self.follower.take() else { break };
            self.done(next.message.stretch().last());
            out.push(Errand::Apply { message: next.message, after: next.after });
            if self.is_checkpoint_due(now_ms) {
                self.set_aside(now_ms, out);
                self.deposit(now_ms, out);
            }
        }
        self.ask(now_ms, out);
    }

    fn done(&mut self, end: Ts) {
        self.pieces += 1;
        if end > self.stored {
            self.unstored.push_back(end);
        }
    }

    const fn aside_at(&self) -> Option<Ts> {
        match self.aside {
            Aside::Nothing => None,
            Aside::Waits(at) | Aside::Asked { at, .. } | Aside::Kept(at) => Some(at),
        }
    }

    /// One state at a time is set aside: the next waits until the depot has the one before.
    fn is_checkpoint_due(&self, now_ms: u64) -> bool {
        let CoursePace { checkpoint_min_ms: least, checkpoint_max_ms: most, .. } = self.pace;
        let wait = self.aside_took_ms.saturating_mul(CHECKPOINT_SHARE).max(least).min(most);
        let long = now_ms.saturating_sub(self.aside_ms) >= wait;
        let free = matches!(self.aside, Aside::Nothing | Aside::Kept(_));
        free && (self.pieces >= self.pace.checkpoint_pieces || long)
    }

    fn set_aside(&mut self, now_ms: u64, out: &mut Vec<Errand<M>>) {
        (self.aside, self.aside_ms, self.pieces) = (Aside::Waits(self.at()), now_ms, 0);
        out.push(Errand::Snapshot(self.at()));
    }

    /// A checkpoint ahead of the store would hide rows that were never stored, or a gap that was never declared, so it waits for it.
    fn deposit(&mut self, now_ms: u64, out: &mut Vec<Errand<M>>) {
        let at = match self.aside {
            Aside::Waits(at) if at <= self.stored && self.owed.is_none() => at,
            Aside::Asked { at, asked_ms } if now_ms.saturating_sub(asked_ms) >= self.pace.deposit_ms => at,
            Aside::Nothing | Aside::Waits(_) | Aside::Asked { .. } | Aside::Kept(_) => return,
        };
        self.aside = Aside::Asked { at, asked_ms: now_ms };
        out.push(Errand::Deposit(at));
    }

    fn ask(&mut self, now_ms: u64, out: &mut Vec<Errand<M>>) {
        let hole = self.follower.hole();
        let since = match (hole, self.hole_since_ms) {
            (None, _) => None,
            (Some(_), None) => Some(now_ms),
            (Some(_), since) => since,
        };
        self.hole_since_ms = since;
        if self.fetch.is_some() || self.follower.is_ready() {
            return;
        }
        let silent = now_ms.saturating_sub(self.moved_ms) >= self.pace.silent_ms;
        let old = since.is_some_and(|since| now_ms.saturating_sub(since) >= self.pace.hole_ms);
        let until = match hole {
            Some(hole) if old => Some(hole.until),
            _ if silent || !self.joined => None,
            _ => return,
        };
        self.fetch = Some(Fetch { asked_ms: now_ms, open: until.is_none() });
        out.push(Errand::Fetch { after: self.at(), until });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stretch::JournalStretch;

    const PACE: CoursePace = CoursePace {
        kept: KeptLimits { count: 10, bytes: 1_000 },
        hole_ms: 100,
        silent_ms: u64::MAX,
        retry_ms: 1_000,
        unstored_max: 10,
        checkpoint_pieces: u32::MAX,
        checkpoint_min_ms: 5_000,
        checkpoint_max_ms: 60_000,
        deposit_ms: 20_000,
    };

    /// When the second checkpoint is set aside, a piece coming every tenth of a second, where the first took this long to reach the depot.
    fn second_after(took_ms: u64) -> u64 {
        let mut course = Course::new(0, Ts(0), None, PACE);
        let mut first = None;
        for n in 1..1_000_i64 {
            let (now_ms, mut out) = (100 * u64::try_from(n).unwrap(), Vec::new());
            course.arrived(now_ms, JournalStretch::new(Ts(n - 1), Ts(n)).unwrap(), &mut out);
            course.stored(now_ms, Ts(n), &mut out);
            let aside = out.iter().any(|errand| matches!(errand, Errand::Snapshot(_)));
            match first {
                None if aside => first = Some((now_ms, Ts(n))),
                Some((begun, _)) if aside => return now_ms - begun,
                Some((begun, at)) if now_ms == begun + took_ms => course.deposited(now_ms, at),
                _ => {}
            }
        }
        panic!("there was no second one");
    }

    #[test]
    fn checkpoints_are_as_frequent_as_their_cost_allows() {
        for (took_ms, want_ms) in [(100, 5_000), (1_000, 10_000), (4_000, 40_000), (30_000, 60_000)] {
            assert_eq!(second_after(took_ms), want_ms, "{took_ms} ms");
        }
    }
}
