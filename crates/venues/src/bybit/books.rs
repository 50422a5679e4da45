//! One order book, kept in step as the book algorithm of the venue's sheet §4 says: 1. a snapshot replaces everything; 2. deltas set or
//! delete levels; 3. `u` rises by one per message, else the book is built anew; 4. `u` = 1 is a restart.
//!
//! The update ids are the venue's, not the connection's, so two connections are merged by them: what is at or below the
//! book's own id has been applied. `seq` orders events across topics and is never a gap test. Deltas that come while the
//! snapshot is awaited are dropped, because a new subscription begins with one: nothing is buffered.
//!
//! Where jumps are frequent the way to the venue loses frames: each is a declared gap, and the book is asked for ever less often
//! until it is better. Ids that only rise are never enough: every recorded one rises by exactly one (README).

use super::wire::Depth;
use crate::session::wire::{finest, set_levels};
use crate::session::{BookFault, ConnId, OrderBook};
use barograph_domain::{GapReason, Span, Ts};
use serde::{Deserialize, Serialize};

/// More jumps than this within [`JUMPS_WITHIN`], and the next snapshot is not asked for at once.
const JUMPS_MAX: u32 = 3;
const JUMPS_WITHIN: Span = Span::mins(3);
/// A snapshot is awaited for this long; doubles with each failure up to a minute.
const AWAIT: Span = Span::secs(5);
const AWAIT_DOUBLINGS: u32 = 4;

/// What a message did to the book.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Step {
    /// It is part of the book now.
    Applied,
    /// Already known, or nothing to apply it to.
    Ignored,
    /// The book cannot be trusted any longer.
    Broken(GapReason),
}

/// A book and where it stands.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub(super) struct Sync {
    pub book: OrderBook,
    pub live: bool,
    /// Update id of the book.
    u: u64,
    /// `seq` of the last message applied.
    pub seq: u64,
    /// The connection whose message was applied last.
    source: Option<ConnId>,
    /// When the awaited snapshot was asked for.
    asked: Option<Ts>,
    failures: u32,
    jumps: u32,
    jumps_since: Option<Ts>,
}

impl Sync {
    /// Books hold twice the subscribed depth: a message may add levels before it deletes the ones they push out.
    pub(super) fn new(scale: u8, depth: usize) -> Self {
        Self {
            book: OrderBook::new(scale, depth * 2),
            live: false,
            u: 0,
            seq: 0,
            source: None,
            asked: None,
            failures: 0,
            jumps: 0,
            jumps_since: None,
        }
    }

    /// A subscription was sent: its snapshot is awaited from now on.
    pub(super) fn asked(&mut self, now: Ts) {
        self.asked = Some(now);
    }

    /// The awaited snapshot is late: subscribe anew.
    pub(super) fn overdue(&self, now: Ts) -> bool {
        let doublings = self.failures.max(self.jumps.saturating_sub(JUMPS_MAX + 1)).min(AWAIT_DOUBLINGS);
        self.asked.is_some_and(|asked| now - asked >= Span(AWAIT.0 << doublings))
    }

    /// Breaks so often that asking for it at once would only add to the load: it waits until it is overdue.
    pub(super) fn breaks_often(&self) -> bool {
        self.jumps > JUMPS_MAX
    }

    /// The awaited snapshot did not come.
    pub(super) fn late(&mut self) {
        self.failures = self.failures.saturating_add(1);
    }

    /// The book is no longer trusted.
    pub(super) fn drop_book(&mut self) {
        self.live = false;
        self.source = None;
        self.book.clear();
    }

    /// The connection is gone. False: with it the book.
    pub(super) fn closed(&mut self, conn: ConnId, other: Option<ConnId>) -> bool {
        if self.source == Some(conn) {
            self.source = other;
        }
        if other.is_none() {
            self.drop_book();
            self.asked = None;
        }
        self.live
    }

    /// A snapshot.
    pub(super) fn snapshot(&mut self, now: Ts, conn: ConnId, depth: usize, message: &Depth<'_>) -> Step {
        let renewal = self.asked.is_some();
        let known = self.live && self.source != Some(conn) && message.u != 1 && message.u <= self.u;
        if known && !renewal {
            return Step::Ignored;
        }
        let Some(scale) = finest(message.bids, message.asks) else { return self.broken(now, GapReason::Undecodable) };
        if scale > self.book.scale() {
            self.book = OrderBook::new(scale, depth * 2);
        }
        self.book.clear();
        self.book.reserve();
        match self.apply(message) {
            Ok(()) => {
                (self.live, self.u, self.seq, self.source) = (true, message.u, message.seq, Some(conn));
                (self.asked, self.failures) = (None, 0);
                Step::Applied
            }
            Err(why) => self.broken(now, why),
        }
    }

    /// A delta.
    pub(super) fn delta(&mut self, now: Ts, conn: ConnId, message: &Depth<'_>) -> Step {
        if !self.live {
            return Step::Ignored;
        }
        let other = self.source.is_some_and(|s| s != conn);
        if message.u <= self.u && other {
            return Step::Ignored;
        }
        if message.u != self.u + 1 {
            self.count_jump(now);
            return self.broken(now, GapReason::SequenceJump);
        }
        match self.apply(message) {
            Ok(()) => {
                (self.u, self.seq, self.source) = (message.u, message.seq, Some(conn));
                Step::Applied
            }
            Err(why) => self.broken(now, why),
        }
    }

    fn count_jump(&mut self, now: Ts) {
        if self.jumps_since.is_none_or(|t| now - t > JUMPS_WITHIN) {
            (self.jumps, self.jumps_since) = (0, Some(now));
        }
        self.jumps = self.jumps.saturating_add(1);
    }

    fn broken(&mut self, now: Ts, why: GapReason) -> Step {
        self.drop_book();
        self.asked = Some(now);
        Step::Broken(why)
    }

    fn apply(&mut self, message: &Depth<'_>) -> Result<(), GapReason> {
        if !set_levels(&mut self.book, message.bids, message.asks) {
            return Err(GapReason::Undecodable);
        }
        self.book.check().map_err(BookFault::reason)
    }
}
