//! One order book, kept in step as the venue's sheet §6 says.
//!
//! Mode A: A1 subscribe; A2 the snapshot replaces the book, last := `seqId`; A3 each update has `prevSeqId` = last, then
//! last := `seqId`, even if that is lower (maintenance). Mode B, when no snapshot comes: B1 updates are buffered from the
//! subscription on; B2 the snapshot is fetched, S = its `seqId`; B3 S below the first buffered `prevSeqId`: again; B4 updates
//! up to S are dropped; B5 the first kept one satisfies `prevSeqId` ≤ S < `seqId`; B6 then as A3.
//!
//! Sequence ids are the venue's, not the connection's: two connections are merged by them. Frames without ids (recordings
//! before 2023) are checked by their checksum instead. Buffered are at most [`BUFFER_MAX`] updates of a book, while it is built.

use super::checksum::Texts;
use super::limits;
use super::wire::Depth;
use crate::session::wire::{Millis, finest, set_levels};
use crate::session::{BookFault, ConnId, OrderBook, RequestId};
use barograph_domain::{GapReason, Span, Ts};
use serde::{Deserialize, Serialize};

/// Updates kept while the snapshot is fetched: 100 ms each, so 25 s.
pub(super) const BUFFER_MAX: usize = 256;
/// Without a snapshot for this long it is fetched.
const IN_BAND: Span = Span::secs(2);
/// Pause before a failed fetch is tried again; doubles up to 64 s.
const AGAIN: Span = Span::secs(1);
const AGAIN_DOUBLINGS: u32 = 6;
/// A subscription is renewed when the book has not come for this long; doubles up to 2 minutes.
const RENEW: Span = Span::secs(30);
const RENEW_DOUBLINGS: u32 = 2;

/// What a message did to the book.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Step {
    /// It is part of the book now.
    Applied,
    /// Nothing changed, and that is right.
    Alive,
    /// Already known, or kept for later.
    Ignored,
    /// The book cannot be trusted any longer.
    Broken(GapReason),
}

/// An update that waits for its snapshot.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
struct Waiting {
    prev: i64,
    seq: i64,
    bids: String,
    asks: String,
}

/// A book and where it stands.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub(super) struct Sync {
    pub book: OrderBook,
    pub live: bool,
    /// `seqId` of the last message applied.
    last: i64,
    /// The id before a maintenance reset: what others still send from before it is old.
    before_reset: Option<i64>,
    /// Fetched over REST: the first update may overlap (B5).
    spliced: bool,
    source: Option<ConnId>,
    /// When the subscription that has to bring a snapshot was sent.
    asked: Option<Ts>,
    /// When the next fetch may go out.
    fetch_at: Option<Ts>,
    pub fetching: Option<RequestId>,
    failures: u32,
    renewals: u32,
    buffer: Vec<Waiting>,
    /// Only for frames without ids.
    texts: Option<Texts>,
}

impl Sync {
    /// Books hold twice the channel's depth: a message may add levels before it deletes the ones they push out.
    pub(super) fn new(scale: u8) -> Self {
        Self {
            book: OrderBook::new(scale, limits::DEPTH * 2),
            live: false,
            last: 0,
            before_reset: None,
            spliced: false,
            source: None,
            asked: None,
            fetch_at: None,
            fetching: None,
            failures: 0,
            renewals: 0,
            buffer: Vec::new(),
            texts: None,
        }
    }

    /// A subscription was sent.
    pub(super) fn asked(&mut self, now: Ts) {
        self.asked = Some(now);
        self.fetch_at = Some(now + IN_BAND);
        self.buffer = Vec::new();
    }

    /// The snapshot did not come in band: time to fetch it.
    pub(super) fn wants_fetch(&self, now: Ts) -> bool {
        !self.live && self.asked.is_some() && self.fetching.is_none() && self.fetch_at.is_some_and(|t| now >= t)
    }

    /// Neither way brought a book: time to subscribe anew.
    pub(super) fn wants_renewal(&self, now: Ts) -> bool {
        let wait = Span(RENEW.0 << self.renewals.min(RENEW_DOUBLINGS));
        !self.live && self.asked.is_some_and(|t| now - t >= wait)
    }

    pub(super) fn renewed(&mut self) {
        self.renewals = self.renewals.saturating_add(1);
    }

    /// A fetch failed, or its snapshot was too old: again, later.
    pub(super) fn fetch_failed(&mut self, now: Ts) {
        self.fetching = None;
        self.fetch_at = Some(now + Span(AGAIN.0 << self.failures.min(AGAIN_DOUBLINGS)));
        self.failures = self.failures.saturating_add(1);
    }

    /// The book is no longer trusted.
    pub(super) fn drop_book(&mut self) {
        self.live = false;
        self.source = None;
        self.book.clear();
        self.buffer = Vec::new();
        self.texts = None;
    }

    /// The connection is gone; with the last one goes the book.
    pub(super) fn closed(&mut self, conn: ConnId, other: Option<ConnId>) {
        if self.source == Some(conn) {
            self.source = other;
        }
        if other.is_none() {
            self.drop_book();
            (self.asked, self.fetch_at, self.fetching) = (None, None, None);
        }
    }

    /// A2. From another connection an older one is no news.
    pub(super) fn snapshot(&mut self, conn: ConnId, message: &Depth<'_>) -> Step {
        let older = message.seq.is_none_or(|s| s <= self.last);
        if self.live && self.source.is_some_and(|s| s != conn) && older {
            return Step::Ignored;
        }
        self.start(Some(conn), message, false)
    }

    fn start(&mut self, conn: Option<ConnId>, message: &Depth<'_>, spliced: bool) -> Step {
        let Some(scale) = finest(message.bids, message.asks) else { return self.broken(GapReason::Undecodable) };
        if scale > self.book.scale() {
            self.book = OrderBook::new(scale, limits::DEPTH * 2);
        }
        self.book.clear();
        self.book.reserve();
        self.texts = message.seq.is_none().then(Texts::default);
        if let Err(why) = self.apply(message) {
            return self.broken(why);
        }
        (self.live, self.last, self.source) = (true, message.seq.unwrap_or(0), conn);
        (self.spliced, self.before_reset) = (spliced, None);
        (self.asked, self.fetch_at, self.failures, self.renewals) = (None, None, 0, 0);
        Step::Applied
    }

    /// A3 and B1.
    pub(super) fn update(&mut self, conn: ConnId, message: &Depth<'_>) -> Step {
        let (Some(seq), Some(prev)) = (message.seq, message.prev) else { return self.unnumbered(message) };
        if !self.live {
            self.keep(prev, seq, message);
            return Step::Ignored;
        }
        let other = self.source.is_some_and(|s| s != conn);
        if self.spliced {
            if seq <= self.last {
                return Step::Ignored;
            }
            if prev > self.last {
                return self.broken(GapReason::SequenceJump);
            }
        } else if prev != self.last {
            let old = seq <= self.last || self.before_reset.is_some_and(|b| seq <= b);
            return if other && old { Step::Ignored } else { self.broken(GapReason::SequenceJump) };
        }
        self.spliced = false;
        if seq < prev {
            self.before_reset = Some(prev);
        }
        self.source = Some(conn);
        self.last = seq;
        if seq == prev && message.bids == "[]" && message.asks == "[]" {
            return Step::Alive;
        }
        match self.apply(message) {
            Ok(()) => Step::Applied,
            Err(why) => self.broken(why),
        }
    }

    /// Frames without ids: the checksum is the only test.
    fn unnumbered(&mut self, message: &Depth<'_>) -> Step {
        if !self.live || self.texts.is_none() {
            return Step::Ignored;
        }
        match self.apply(message) {
            Ok(()) => Step::Applied,
            Err(why) => self.broken(why),
        }
    }

    fn keep(&mut self, prev: i64, seq: i64, message: &Depth<'_>) {
        if self.asked.is_none() {
            return;
        }
        if self.buffer.len() >= BUFFER_MAX {
            // Too long without a snapshot: only what follows from here can still be spliced.
            self.buffer.clear();
        }
        let (bids, asks) = (message.bids.to_owned(), message.asks.to_owned());
        self.buffer.push(Waiting { prev, seq, bids, asks });
    }

    /// B3 to B6: a snapshot was fetched. `Ignored`: it is too old, fetch again.
    pub(super) fn splice(&mut self, message: &Depth<'_>) -> Step {
        self.fetching = None;
        let Some(at) = message.seq.filter(|_| !self.live) else { return Step::Ignored };
        if self.buffer.first().is_some_and(|first| at < first.prev) {
            return Step::Ignored;
        }
        let waiting = core::mem::take(&mut self.buffer);
        let started = self.start(None, message, true);
        if started != Step::Applied {
            return started;
        }
        for w in waiting {
            let (seq, prev) = (Some(w.seq), Some(w.prev));
            let update = Depth { bids: &w.bids, asks: &w.asks, ts: Millis(None), seq, prev, checksum: None };
            let step = self.update(ConnId(u32::MAX), &update);
            if let Step::Broken(_) = step {
                return step;
            }
        }
        // The connection that goes on is not known yet.
        self.source = None;
        Step::Applied
    }

    fn broken(&mut self, why: GapReason) -> Step {
        self.drop_book();
        Step::Broken(why)
    }

    fn apply(&mut self, message: &Depth<'_>) -> Result<(), GapReason> {
        if !set_levels(&mut self.book, message.bids, message.asks) {
            return Err(GapReason::Undecodable);
        }
        if let Some(texts) = &mut self.texts {
            let fits = texts.apply(message.bids, message.asks)
                && message.checksum.is_none_or(|c| c == 0 || c == i64::from(texts.checksum()));
            if !fits {
                return Err(GapReason::ChecksumMismatch);
            }
        }
        self.book.check().map_err(BookFault::reason)
    }
}
