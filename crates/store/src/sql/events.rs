//! Stored points as events in the total order, in bounded memory.
//!
//! Three feeds per stream: points whose `known_ts` follows from the declaration come in key order, which is then also
//! their order of receipt; the others come from the index on `known_ts`; those written live are merged from their pieces.
//! Each feed reads a page at a time; a heap merges them. Where a stream has corrections, whole keys are read and the
//! correction comes at the time of what it corrects (see `placed`). One read transaction spans the whole iteration, so the
//! answer is of one moment; the log cannot be merged meanwhile, which costs disk, not memory.

use super::asked::{Asked as _, asked, select};
use super::db::{Connection, SqlValue, params};
use super::fault::Inner;
use super::pieces::{Fact, Recent, Scan};
use super::placed::{Placed, placed};
use super::points::StoredPoint;
use super::pool::Loan;
use super::streams::Stored;
use super::{corrections, points};
use crate::Result;
use barograph_domain::{Event, StreamIndex, Ts};
use std::cmp::Ordering;
use std::collections::{BinaryHeap, VecDeque};

/// Events read at once per feed: about 200 kB, and the cost of a query is spread over enough of them.
const PAGE: usize = 2048;

/// Where the points of a feed come from.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Clock {
    /// `known_ts` = `event_ts` + declared delay.
    Declared,
    /// `known_ts` is stored.
    Received,
    /// Points in pieces.
    Live,
}

/// Key of the last point read: known (`Received` only), event, sequence, slot.
type Place = (i64, i64, i64, i64);

#[derive(Debug)]
struct Feed {
    stream: Stored,
    index: StreamIndex,
    clock: Clock,
    after: Place,
    last: Ts,
    page: VecDeque<Event>,
    live: Option<Scan>,
    /// The stream has rows that correct others.
    corrected: bool,
    done: bool,
}

asked! {
    /// A row of the table of points, without what corrects.
    struct Received<'r> {
        known_ts: Option<i64>, event_ts: i64, seq: i64, rev: i64, value: Option<f64>, payload: Option<&'r [u8]>,
    }
}

/// The event at the front of a feed, ordered so that a max-heap yields the earliest.
struct Head {
    event: Event,
    feed: usize,
}

impl Ord for Head {
    fn cmp(&self, other: &Self) -> Ordering {
        other.event.order(&self.event).then(other.feed.cmp(&self.feed))
    }
}
impl PartialOrd for Head {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}
impl PartialEq for Head {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}
impl Eq for Head {}

/// See [`crate::Reader::events`].
pub(super) struct Merge<'a> {
    conn: Loan<'a>,
    feeds: Vec<Feed>,
    heads: BinaryHeap<Head>,
    recent: Recent,
    failed: bool,
}

impl<'a> Merge<'a> {
    /// `conn` is inside the read transaction of the whole iteration.
    pub(super) fn begin(
        conn: Loan<'a>,
        streams: Vec<(StreamIndex, Stored)>,
        after: Option<Ts>,
        as_of: Option<Ts>,
    ) -> Inner<Self> {
        let last = as_of.unwrap_or(Ts::MAX);
        let mut feeds = Vec::with_capacity(2 * streams.len());
        for (index, stream) in streams {
            let corrected = corrections::has_any(&conn, stream.id)?;
            let from = after.map_or(Ts::MIN, |t| Ts(t.0.saturating_add(1)));
            for clock in [Clock::Declared, Clock::Received, Clock::Live] {
                let place = after.map_or((i64::MIN, i64::MIN, i64::MIN, i64::MIN), |t| match clock {
                    Clock::Declared => (0, t.0.saturating_sub(stream.decl.delay.0), i64::MAX, i64::MAX),
                    Clock::Received | Clock::Live => (t.0, i64::MAX, i64::MAX, i64::MAX),
                });
                let live = match clock {
                    Clock::Live => Some(Scan::by_known(&conn, &stream, from, last)?),
                    Clock::Declared | Clock::Received => None,
                };
                let page = VecDeque::new();
                feeds.push(Feed {
                    stream: stream.clone(),
                    index,
                    clock,
                    after: place,
                    last,
                    page,
                    live,
                    corrected,
                    done: false,
                });
            }
        }
        let mut merge = Self { conn, feeds, heads: BinaryHeap::new(), recent: Recent::default(), failed: false };
        for feed in 0..merge.feeds.len() {
            merge.advance(feed)?;
        }
        Ok(merge)
    }

    fn advance(&mut self, feed: usize) -> Inner<()> {
        if let Some(event) = self.feeds[feed].next(&self.conn, &mut self.recent)? {
            self.heads.push(Head { event, feed });
        }
        Ok(())
    }
}

impl Iterator for Merge<'_> {
    type Item = Result<Event>;

    fn next(&mut self) -> Option<Result<Event>> {
        if self.failed {
            return None;
        }
        let mut top = self.heads.peek_mut()?;
        let (event, feed) = (top.event, top.feed);
        // Most often the same feed stays in front: replacing the top is half the work of taking it off.
        match self.feeds[feed].next(&self.conn, &mut self.recent) {
            Ok(Some(next)) => top.event = next,
            Ok(None) => {
                std::collections::binary_heap::PeekMut::pop(top);
            }
            Err(f) => {
                self.failed = true;
                return Some(Err(f.at(self.conn.path())));
            }
        }
        Some(Ok(event))
    }
}

impl Feed {
    fn next(&mut self, conn: &Connection, recent: &mut Recent) -> Inner<Option<Event>> {
        if let Some(live) = &mut self.live {
            return Ok(live.next_among(conn, recent)?.map(|fact| Event { stream: self.index, ..fact.event }));
        }
        while self.page.is_empty() && !self.done {
            match self.clock {
                Clock::Declared if self.corrected => self.read_keys(conn)?,
                Clock::Received if self.corrected => self.read_received(conn)?,
                Clock::Declared | Clock::Received | Clock::Live => self.read(conn)?,
            }
        }
        Ok(self.page.pop_front())
    }

    fn read(&mut self, conn: &Connection) -> Inner<()> {
        let (known, event, seq, rev) = self.after;
        let id = self.stream.id;
        let limit = i64::try_from(PAGE).unwrap_or(i64::MAX);
        match self.clock {
            Clock::Declared => {
                let last = self.last.0.saturating_sub(self.stream.decl.delay.0);
                self.take(
                    conn,
                    select!(
                        Received;
                        " FROM points
                     WHERE stream = ?1 AND (event_ts, seq, rev) > (?2, ?3, ?4) AND event_ts <= ?5 AND known_ts IS NULL
                     ORDER BY event_ts, seq, rev LIMIT ?6"
                    ),
                    params![id, event, seq, rev, last, limit],
                )?;
            }
            Clock::Received | Clock::Live => {
                let last = self.last.0;
                self.take(
                    conn,
                    select!(
                        Received;
                        " FROM points INDEXED BY points_known
                 WHERE stream = ?1 AND (known_ts, event_ts, seq, rev) > (?2, ?3, ?4, ?5) AND known_ts <= ?6
                    AND known_ts IS NOT NULL
                 ORDER BY known_ts, event_ts, seq, rev LIMIT ?7"
                    ),
                    params![id, known, event, seq, rev, last, limit],
                )?;
            }
        }
        self.done = self.page.len() < PAGE;
        if !self.done {
            self.complete(conn)?;
        }
        // Slots are no order: the last tie is broken by content.
        self.page.make_contiguous().sort_by(Event::order);
        Ok(())
    }

    /// Reads whole keys of a stream with corrections: what counts of each comes when its first row was known.
    fn read_keys(&mut self, conn: &Connection) -> Inner<()> {
        let (_, event, seq, rev) = self.after;
        let last = self.last.0.saturating_sub(self.stream.decl.delay.0);
        let mut statement = conn.prepare(select!(
            StoredPoint;
            " FROM points WHERE stream = ?1 AND (event_ts, seq, rev) > (?2, ?3, ?4) AND event_ts <= ?5
             ORDER BY event_ts, seq, rev LIMIT ?6"
        ))?;
        let limit = i64::try_from(PAGE).unwrap_or(i64::MAX);
        let mut facts = Vec::with_capacity(PAGE);
        let mut rows = statement.query([self.stream.id, event, seq, rev, last, limit])?;
        self.keep(&mut rows, &mut facts)?;
        self.done = facts.len() < PAGE;
        if !self.done {
            let (_, event, seq, rev) = self.after;
            let mut statement = conn.prepare(select!(
                StoredPoint;
                " FROM points WHERE stream = ?1 AND event_ts = ?2 AND seq = ?3 AND rev > ?4 ORDER BY rev"
            ))?;
            let mut rows = statement.query([self.stream.id, event, seq, rev])?;
            self.keep(&mut rows, &mut facts)?;
        }
        for key in facts.chunk_by(|a, b| a.key() == b.key()) {
            self.counting(key);
        }
        self.page.make_contiguous().sort_by(Event::order);
        Ok(())
    }

    fn keep(&mut self, rows: &mut super::db::Rows<'_>, facts: &mut Vec<Fact>) -> Inner<()> {
        while let Some(row) = rows.next()? {
            let point = StoredPoint::read(row)?;
            self.after = (0, point.event_ts, point.seq, point.rev);
            facts.push(point.fact(&self.stream)?);
        }
        Ok(())
    }

    /// Of one key: what counts at the declared time.
    fn counting(&mut self, key: &[Fact]) {
        let Some(event) = key.first().map(|f| f.event) else { return };
        let recv_ts = self.declared(&event);
        for (at, payload) in self.placed(key) {
            if at.is_none_or(|at| key[at].event.recv_ts == recv_ts) {
                self.page.push_back(Event { recv_ts, stream: self.index, payload, ..event });
            }
        }
    }

    fn declared(&self, event: &Event) -> Ts {
        Ts(event.event_ts.0.saturating_add(self.stream.decl.delay.0))
    }

    fn placed(&self, key: &[Fact]) -> Vec<Placed> {
        let Some(first) = key.first() else { return Vec::new() };
        let event_stream = points::is_event_stream(self.stream.decl.metric);
        placed(key, self.last, event_stream, self.declared(&first.event))
    }

    /// Reads rows by receipt, each with all that is said under its key.
    fn read_received(&mut self, conn: &Connection) -> Inner<()> {
        let limit = i64::try_from(PAGE).unwrap_or(i64::MAX);
        self.done = self.receive(conn, (self.last.0, i64::MAX, i64::MAX), limit)? < PAGE;
        if !self.done {
            // The remaining revisions of the last key: see `complete`.
            let (known, event, seq, _) = self.after;
            self.receive(conn, (known, event, seq), i64::MAX)?;
        }
        self.page.make_contiguous().sort_by(Event::order);
        Ok(())
    }

    /// The next rows by receipt up to a place; how many there were.
    fn receive(&mut self, conn: &Connection, last: (i64, i64, i64), limit: i64) -> Inner<usize> {
        let (known, event, seq, rev) = self.after;
        const OWN: usize = StoredPoint::COLUMNS.len();
        let mut statement = conn.prepare(select!(
            StoredPoint of "k";
            ", p.known_ts, p.rev
             FROM (SELECT known_ts, event_ts, seq, rev FROM points INDEXED BY points_known
                 WHERE stream = ?1 AND (known_ts, event_ts, seq, rev) > (?2, ?3, ?4, ?5)
                    AND (known_ts, event_ts, seq) <= (?6, ?7, ?8) AND known_ts IS NOT NULL AND provenance < 3
                 ORDER BY known_ts, event_ts, seq, rev LIMIT ?9) p
             JOIN points k ON k.stream = ?1 AND k.event_ts = p.event_ts AND k.seq = p.seq
             ORDER BY p.known_ts, p.event_ts, p.seq, p.rev, k.rev"
        ))?;
        let mut rows = statement.query([self.stream.id, known, event, seq, rev, last.0, last.1, last.2, limit])?;
        let (mut count, mut at, mut own, mut key) = (0, None, None, Vec::new());
        while let Some(row) = rows.next()? {
            let point = StoredPoint::read(row)?;
            let place = (row.get(OWN)?, point.event_ts, point.seq, row.get(OWN + 1)?);
            if at != Some(place) {
                self.received(own, &key);
                (count, at, own) = (count + 1, Some(place), None);
                key.clear();
                self.after = place;
            }
            if point.rev == place.3 {
                own = Some(key.len());
            }
            key.push(point.fact(&self.stream)?);
        }
        self.received(own, &key);
        Ok(count)
    }

    /// Of one key: what counts at the time of this row of it.
    fn received(&mut self, own: Option<usize>, key: &[Fact]) {
        for (at, payload) in self.placed(key) {
            if let Some(row) = at.filter(|_| at == own).map(|at| key[at].event) {
                self.page.push_back(Event { stream: self.index, payload, ..row });
            }
        }
    }

    /// Adds the remaining revisions of the last key, so that no group of equal keys is cut in two.
    fn complete(&mut self, conn: &Connection) -> Inner<()> {
        let (known, event, seq, rev) = self.after;
        let (id, known) = (self.stream.id, (self.clock == Clock::Received).then_some(known));
        self.take(
            conn,
            select!(
                Received;
                " FROM points
             WHERE stream = ?1 AND event_ts = ?2 AND seq = ?3 AND rev > ?4 AND known_ts IS NOT DISTINCT FROM ?5
                AND provenance < 3 ORDER BY rev"
            ),
            params![id, event, seq, rev, known],
        )
    }

    fn take<const N: usize>(&mut self, conn: &Connection, sql: &'static str, params: [SqlValue<'_>; N]) -> Inner<()> {
        let metric = self.stream.decl.metric;
        let mut statement = conn.prepare(sql)?;
        let mut rows = statement.query(params)?;
        while let Some(row) = rows.next()? {
            let Received { known_ts, event_ts, seq, rev, value, payload } = Received::read(row)?;
            self.after = (known_ts.unwrap_or(0), event_ts, seq, rev);
            self.page.push_back(Event {
                recv_ts: Ts(known_ts.unwrap_or_else(|| event_ts.saturating_add(self.stream.decl.delay.0))),
                event_ts: Ts(event_ts),
                stream: self.index,
                seq: seq.cast_unsigned(),
                payload: points::payload(metric, value, payload)?,
            });
        }
        Ok(())
    }
}
