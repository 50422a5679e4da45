//! A book that a snapshot begins and changes continue, each of which names the one before it: 1. a snapshot replaces everything;
//! 2. changes set or delete levels; 3. a change that does not follow on the one before breaks the book, which is subscribed anew.
//!
//! Ids are the venue's, not the connection's, so two connections are merged by them: what is at or below the book's own id has
//! been applied. Changes that come while the snapshot is awaited are dropped, because a new subscription begins with one: nothing
//! is buffered.
//!
//! Where jumps are frequent the way to the venue loses frames: each is a declared gap, and the book is asked for ever less often
//! until it is better.

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
pub(crate) enum Step {
    /// It is part of the book now.
    Applied,
    /// It is, and one side has no levels: nobody can say more of the book, and the next change may fill it.
    OneSided,
    /// Already known, or nothing to apply it to.
    Ignored,
    /// The book cannot be trusted any longer.
    Broken(GapReason),
}

/// Where a message stands among the others of its book.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct ChainLink {
    /// Its number.
    pub id: u64,
    /// That of the change before it; of a snapshot nobody asks.
    pub prev: u64,
    /// The venue's order across topics, never a gap test.
    pub seq: u64,
    /// A snapshot whose number may be lower than any before.
    pub restart: bool,
}

/// The levels of a message, in the venue's spelling.
pub(crate) trait ChainLevels {
    /// A side may be empty for as long as it likes.
    const ONE_SIDED: bool = false;
    /// Digits after the point of the finest price. `None`: not levels.
    fn finest(&self) -> Option<u8>;
    /// Sets them in a book. False: one of them is none, and the book is half changed.
    fn set(&self, book: &mut OrderBook) -> bool;
}

/// A book and where it stands.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub(crate) struct Chained {
    pub book: OrderBook,
    pub live: bool,
    /// Id of the book.
    id: u64,
    /// `seq` of the last message applied.
    seq: u64,
    /// The connection whose message was applied last.
    source: Option<ConnId>,
    /// When the awaited snapshot was asked for.
    asked: Option<Ts>,
    failures: u32,
    jumps: u32,
    jumps_since: Option<Ts>,
}

impl Chained {
    /// Books hold twice the wanted depth: a message may add levels before it deletes the ones they push out.
    pub(crate) fn new(scale: u8, depth: usize) -> Self {
        Self {
            book: OrderBook::new(scale, depth * 2),
            live: false,
            id: 0,
            seq: 0,
            source: None,
            asked: None,
            failures: 0,
            jumps: 0,
            jumps_since: None,
        }
    }

    /// A subscription was sent: its snapshot is awaited from now on.
    pub(crate) fn asked(&mut self, now: Ts) {
        self.asked = Some(now);
    }

    /// The price has walked towards the end of what is kept, and no snapshot is awaited.
    pub(crate) fn is_used_up(&self) -> bool {
        self.live && self.asked.is_none() && self.book.is_thin()
    }

    /// The awaited snapshot is late: subscribe anew.
    pub(crate) fn overdue(&self, now: Ts) -> bool {
        let doublings = self.failures.max(self.jumps.saturating_sub(JUMPS_MAX + 1)).min(AWAIT_DOUBLINGS);
        self.asked.is_some_and(|asked| now - asked >= Span(AWAIT.0 << doublings))
    }

    /// Breaks so often that asking for it at once would only add to the load: it waits until it is overdue.
    pub(crate) fn breaks_often(&self) -> bool {
        self.jumps > JUMPS_MAX
    }

    /// The awaited snapshot did not come.
    pub(crate) fn late(&mut self) {
        self.failures = self.failures.saturating_add(1);
    }

    /// The book is no longer trusted.
    pub(crate) fn drop_book(&mut self) {
        self.live = false;
        self.source = None;
        self.book.clear();
    }

    /// The connection is gone, and with the last one that brings it the book.
    pub(crate) fn closed(&mut self, conn: ConnId, other: Option<ConnId>) {
        if self.source == Some(conn) {
            self.source = other;
        }
        if other.is_none() {
            self.drop_book();
            self.asked = None;
        }
    }

    /// A snapshot.
    pub(crate) fn snapshot<L: ChainLevels>(
        &mut self,
        now: Ts,
        conn: ConnId,
        depth: usize,
        at: ChainLink,
        levels: &L,
    ) -> Step {
        let known = self.live && self.source != Some(conn) && !at.restart && at.id <= self.id;
        if known && self.asked.is_none() {
            return Step::Ignored;
        }
        let Some(scale) = levels.finest() else { return self.broken(now, GapReason::Undecodable) };
        if scale > self.book.scale() {
            self.book = OrderBook::new(scale, depth * 2);
        }
        self.book.clear();
        self.book.reserve();
        self.apply(now, conn, at, levels, |book| {
            (book.live, book.asked, book.failures) = (true, None, 0);
        })
    }

    /// A change.
    pub(crate) fn change<L: ChainLevels>(&mut self, now: Ts, conn: ConnId, at: ChainLink, levels: &L) -> Step {
        if !self.live {
            return Step::Ignored;
        }
        let other = self.source.is_some_and(|s| s != conn);
        if at.id <= self.id && other {
            return Step::Ignored;
        }
        if at.prev != self.id {
            self.count_jump(now);
            return self.broken(now, GapReason::SequenceJump);
        }
        self.apply(now, conn, at, levels, |_| {})
    }

    /// A message was applied, and the book is not what the venue's checksum says it is: counts like a jump.
    pub(crate) fn mismatched(&mut self, now: Ts) -> Step {
        self.count_jump(now);
        self.broken(now, GapReason::ChecksumMismatch)
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

    fn apply<L: ChainLevels>(
        &mut self,
        now: Ts,
        conn: ConnId,
        at: ChainLink,
        levels: &L,
        begun: impl FnOnce(&mut Self),
    ) -> Step {
        if !levels.set(&mut self.book) {
            return self.broken(now, GapReason::Undecodable);
        }
        let step = match self.book.check() {
            Ok(()) => Step::Applied,
            Err(BookFault::Empty) if L::ONE_SIDED => Step::OneSided,
            Err(fault) => return self.broken(now, fault.reason()),
        };
        (self.id, self.seq, self.source) = (at.id, at.seq, Some(conn));
        begun(self);
        step
    }
}
