//! Points as pieces: those written live are one blob per instrument and tick, merged into one per hour once the hour is over;
//! those imported are one per hour at once (see `imported`).
//!
//! A thousand markets of eight streams each would touch eight thousand places of the table of points every minute; this
//! way it is one per market. A key is either in a piece or in the table, never in both: whoever writes points at times
//! that a piece covers first moves the piece into the table (`unpack`).

use super::db::Connection;
use super::fault::{Inner, SqlFault};
use super::points::Target;
use super::streams::{self, Stored};
use crate::Provenance;
use crate::codec::points::{self as packed, PackedPoint};
use crate::schema::insert;
use barograph_domain::{Event, Payload, Span, StreamDecl, StreamIndex, Ts};
use std::cmp::{Ordering, Reverse};
use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BinaryHeap, VecDeque};

/// A stored point of a stream.
#[derive(Clone, Copy, Debug)]
pub(super) struct Fact {
    /// Its stream index is 0.
    pub(super) event: Event,
    pub(super) provenance: Provenance,
}

impl Fact {
    pub(super) const fn key(&self) -> (Ts, u64) {
        (self.event.event_ts, self.event.seq)
    }

    pub(super) fn bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(56);
        self.event.payload.encode(&mut bytes);
        bytes
    }
}

/// The clock by which a scan is ordered and limited.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum By {
    Event,
    Known,
}

/// A fact in the heap of a scan.
#[derive(Debug)]
struct Head {
    by: By,
    fact: Fact,
}

impl Ord for Head {
    fn cmp(&self, other: &Self) -> Ordering {
        let (a, b) = (&self.fact.event, &other.fact.event);
        match self.by {
            By::Event => a.event_ts.cmp(&b.event_ts).then(a.seq.cmp(&b.seq)).then_with(|| a.order(b)),
            By::Known => a.order(b),
        }
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

/// The points of one stream in pieces, in order; a piece is read when its first point could be next.
#[derive(Debug)]
pub(super) struct Scan {
    by: By,
    stream: Stored,
    from: Ts,
    last: Ts,
    /// First time in it, and its number.
    ahead: VecDeque<(Ts, i64)>,
    heap: BinaryHeap<Reverse<Head>>,
}

impl Scan {
    /// Points with `from ≤ event_ts ≤ last` by (`event_ts`, sequence).
    pub(super) fn by_event(conn: &Connection, stream: &Stored, from: Ts, last: Ts) -> Inner<Self> {
        let sql = "SELECT first_event, piece FROM live_points INDEXED BY live_points_times
                   WHERE instrument = ?1 AND newest_event >= ?2 AND first_event <= ?3 ORDER BY first_event, piece";
        Self::begin(conn, sql, By::Event, stream, from, last)
    }

    /// Points with `from ≤ known_ts ≤ last` in the total order of events.
    pub(super) fn by_known(conn: &Connection, stream: &Stored, from: Ts, last: Ts) -> Inner<Self> {
        let sql = "SELECT first_known, piece FROM live_points INDEXED BY live_points_times
                   WHERE instrument = ?1 AND newest_known >= ?2 AND first_known <= ?3 ORDER BY first_known, piece";
        Self::begin(conn, sql, By::Known, stream, from, last)
    }

    fn begin(conn: &Connection, sql: &'static str, by: By, stream: &Stored, from: Ts, last: Ts) -> Inner<Self> {
        if conn.is_server() {
            let (stream, ahead) = (stream.clone(), VecDeque::new());
            return Ok(Self { by, stream, from, last, ahead, heap: BinaryHeap::new() });
        }
        let mut statement = conn.prepare(sql)?;
        let ahead = statement
            .query_map([stream.instrument, from.0, last.0], |r| Ok((Ts(r.get(0)?), r.get(1)?)))?
            .collect::<Inner<_>>()?;
        Ok(Self { by, stream: stream.clone(), from, last, ahead, heap: BinaryHeap::new() })
    }

    /// The next one.
    pub(super) fn next(&mut self, conn: &Connection) -> Inner<Option<Fact>> {
        self.next_of(conn, None)
    }

    /// The next one, where other scans want the same pieces at about the same time.
    pub(super) fn next_among(&mut self, conn: &Connection, recent: &mut Recent) -> Inner<Option<Fact>> {
        self.next_of(conn, Some(recent))
    }

    fn next_of(&mut self, conn: &Connection, mut recent: Option<&mut Recent>) -> Inner<Option<Fact>> {
        while let Some((first, piece)) = self.ahead.front().copied() {
            if self.heap.peek().is_some_and(|Reverse(head)| self.time(&head.fact) < first) {
                break;
            }
            self.ahead.pop_front();
            if let Some(recent) = &mut recent {
                for point in recent.piece(conn, self.stream.instrument, piece)? {
                    self.take(point);
                }
                continue;
            }
            let metric = self.stream.decl.metric;
            let read = |stream, bytes: &[u8]| {
                // Other streams of the piece are not looked at.
                if stream == self.stream.id { Payload::decode(metric, bytes) } else { Some(Payload::Tick) }
            };
            for point in &load(conn, self.stream.instrument, piece, read)? {
                self.take(point);
            }
        }
        Ok(self.heap.pop().map(|Reverse(head)| head.fact))
    }

    fn take(&mut self, point: &PackedPoint) {
        if point.stream != self.stream.id {
            return;
        }
        let fact = fact(point);
        let time = self.time(&fact);
        if self.from <= time && time <= self.last {
            self.heap.push(Reverse(Head { by: self.by, fact }));
        }
    }

    const fn time(&self, fact: &Fact) -> Ts {
        match self.by {
            By::Event => fact.event.event_ts,
            By::Known => fact.event.recv_ts,
        }
    }
}

/// Pieces read last, for scans of several streams that go through the same ones.
#[derive(Debug, Default)]
pub(super) struct Recent {
    decls: BTreeMap<i64, BTreeMap<i64, StreamDecl>>,
    pieces: VecDeque<(i64, i64, Vec<PackedPoint>)>,
    /// One that is too large to be kept.
    large: Vec<PackedPoint>,
}

/// Of each instrument the streams may stand at an hour's end, some before it and some behind.
const RECENT_PER_INSTRUMENT: usize = 2;
/// A piece with more points, 100 bytes each, is read again for each stream.
const RECENT_POINTS_MAX: usize = 10_000;

impl Recent {
    fn piece(&mut self, conn: &Connection, instrument: i64, piece: i64) -> Inner<&[PackedPoint]> {
        let kept = self.pieces.iter().position(|(i, p, _)| (*i, *p) == (instrument, piece));
        if let Some(at) = kept {
            return Ok(self.pieces.get(at).map_or(&[], |(_, _, points)| points));
        }
        let decls = match self.decls.entry(instrument) {
            Entry::Occupied(found) => found.into_mut(),
            Entry::Vacant(new) => new.insert(streams::metrics(conn, instrument)?),
        };
        let points = load_all(conn, instrument, piece, decls)?;
        if points.len() > RECENT_POINTS_MAX {
            self.large = points;
            return Ok(&self.large);
        }
        if self.pieces.len() >= RECENT_PER_INSTRUMENT * self.decls.len() {
            self.pieces.pop_front();
        }
        self.pieces.push_back((instrument, piece, points));
        Ok(self.pieces.back().map_or(&[], |(_, _, points)| points))
    }
}

pub(super) fn fact(point: &PackedPoint) -> Fact {
    let event = Event {
        recv_ts: point.known_ts,
        event_ts: point.event_ts,
        stream: StreamIndex(0),
        seq: point.seq,
        payload: point.payload,
    };
    Fact { event, provenance: point.provenance }
}

fn load(
    conn: &Connection,
    instrument: i64,
    piece: i64,
    read: impl Fn(i64, &[u8]) -> Option<Payload>,
) -> Inner<Vec<PackedPoint>> {
    let mut statement = conn.prepare("SELECT body FROM live_points WHERE instrument = ?1 AND piece = ?2")?;
    let mut rows = statement.query([instrument, piece])?;
    let Some(row) = rows.next()? else { return Ok(Vec::new()) };
    let body = row.blob(0)?;
    packed::decode(body, read)
        .map_err(|e| SqlFault::Damaged(format!("piece {piece} of the live points of instrument {instrument} {e}")))
}

/// The points of a piece, whatever stream they are of.
pub(super) fn load_all(
    conn: &Connection,
    instrument: i64,
    piece: i64,
    decls: &BTreeMap<i64, StreamDecl>,
) -> Inner<Vec<PackedPoint>> {
    load(conn, instrument, piece, |stream, bytes| Payload::decode(decls.get(&stream)?.metric, bytes))
}

/// Stores points, which lie stream by stream, as a piece.
pub(super) fn put(conn: &Connection, instrument: i64, piece: i64, points: &[PackedPoint]) -> Inner<()> {
    put_body(conn, instrument, piece, points, &packed::encode(points)?)
}

/// The same, with the bytes made already.
pub(super) fn put_body(
    conn: &Connection,
    instrument: i64,
    piece: i64,
    points: &[PackedPoint],
    body: &[u8],
) -> Inner<()> {
    let mut ends = [Ts::MAX, Ts::MIN, Ts::MAX, Ts::MIN];
    for p in points {
        ends[0] = ends[0].min(p.event_ts);
        ends[1] = ends[1].max(p.event_ts);
        ends[2] = ends[2].min(p.known_ts);
        ends[3] = ends[3].max(p.known_ts);
    }
    let count = i64::try_from(points.len()).unwrap_or(i64::MAX);
    let (sql, row) = insert!(live_points or Replace {
        instrument, piece, points: count, first_event: ends[0].0, newest_event: ends[1].0, first_known: ends[2].0,
        newest_known: ends[3].0, body,
    });
    conn.execute(sql, row)?;
    Ok(())
}

fn remove(conn: &Connection, instrument: i64, piece: i64) -> Inner<()> {
    conn.prepare("DELETE FROM live_points WHERE instrument = ?1 AND piece = ?2")?.execute([instrument, piece])?;
    Ok(())
}

/// Moves the pieces that cover a stretch of time into the table of points. A server has no pieces.
pub(super) fn unpack(conn: &Connection, instrument: i64, from: Ts, last: Ts) -> Inner<()> {
    if conn.is_server() {
        return Ok(());
    }
    let mut statement = conn.prepare(
        "SELECT piece FROM live_points INDEXED BY live_points_times
             WHERE instrument = ?1 AND newest_event >= ?2 AND first_event <= ?3",
    )?;
    let found = statement.query_map([instrument, from.0, last.0], |r| r.get(0))?.collect::<Inner<Vec<i64>>>()?;
    if found.is_empty() {
        return Ok(());
    }
    let decls = streams::metrics(conn, instrument)?;
    for piece in found {
        for own in load_all(conn, instrument, piece, &decls)?.chunk_by(|a, b| a.stream == b.stream) {
            let Some((id, decl)) = own.first().and_then(|p| decls.get_key_value(&p.stream)) else { continue };
            let mut target = Target::new(conn, *id, decl, Provenance::Live)?;
            for point in own {
                let Fact { event, provenance } = fact(point);
                target.put_beside(&event, provenance)?;
            }
        }
        remove(conn, instrument, piece)?;
    }
    Ok(())
}

/// The latest piece of an instrument: its number and bytes.
pub(super) fn latest(conn: &Connection, instrument: i64) -> Inner<Option<(i64, Vec<u8>)>> {
    if conn.is_server() {
        return Ok(None);
    }
    let mut statement =
        conn.prepare("SELECT piece, body FROM live_points WHERE instrument = ?1 ORDER BY piece DESC LIMIT 1")?;
    let mut rows = statement.query([instrument])?;
    rows.next()?.map(|r| Ok((r.get(0)?, r.get(1)?))).transpose()
}

/// The number of the next imported piece of an instrument: they count down from −1, so that those written live are found apart.
pub(super) fn next_imported(conn: &Connection, instrument: i64) -> Inner<i64> {
    let newest: Option<i64> =
        conn.query_row("SELECT min(piece) FROM live_points WHERE instrument = ?1", [instrument], |r| r.get(0))?;
    Ok(newest.unwrap_or(0).min(0) - 1)
}

/// Pieces of one tick are of one hour of receipt; this merges those of each hour that ended by `now` into one.
pub(super) fn merge_hours(conn: &Connection, instrument: i64, since: i64, now: Ts) -> Inner<()> {
    let mut statement = conn.prepare(
        "SELECT piece, newest_known FROM live_points
         WHERE instrument = ?1 AND piece >= max(?2, 0) AND newest_known < ?3 ORDER BY piece",
    )?;
    let found = statement
        .query_map([instrument, since, now.floor(HOUR).0], |r| Ok((r.get(0)?, Ts(r.get(1)?))))?
        .collect::<Inner<Vec<(i64, Ts)>>>()?;
    let decls = streams::metrics(conn, instrument)?;
    for hour in found.chunk_by(|a, b| a.1.floor(HOUR) == b.1.floor(HOUR)) {
        let [(first, _), _, ..] = hour else { continue };
        let mut all = Vec::new();
        for (piece, _) in hour {
            all.extend(load_all(conn, instrument, *piece, &decls)?);
            remove(conn, instrument, *piece)?;
        }
        // Stable: of equal keys the order of writing stays.
        all.sort_by_key(|p| (p.stream, p.event_ts, p.seq));
        put(conn, instrument, *first, &all)?;
    }
    Ok(())
}

const HOUR: Span = Span::hours(1);

/// How old the points of a stream may be.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limit {
    /// What was received live, or asked for to fill a hole.
    pub(super) received: Ts,
    /// What was imported; `None`: as old as it likes.
    pub(super) imported: Option<Ts>,
}

impl Limit {
    fn is_passed(&self, point: &PackedPoint) -> bool {
        match point.provenance {
            Provenance::Live | Provenance::Backfill => point.event_ts < self.received,
            _ => self.imported.is_some_and(|limit| point.event_ts < limit),
        }
    }
}

/// Removes points older than the limit of their stream. Returns them.
pub(super) fn prune(conn: &Connection, instrument: i64, limits: &BTreeMap<i64, Limit>) -> Inner<Vec<PackedPoint>> {
    let received = limits.values().map(|l| l.received).max().unwrap_or(Ts::MIN);
    let imported = limits.values().filter_map(|l| l.imported).max().unwrap_or(Ts::MIN);
    if conn.is_server() {
        return Ok(Vec::new());
    }
    let mut statement = conn.prepare(
        "SELECT piece FROM live_points INDEXED BY live_points_times
         WHERE instrument = ?1 AND first_event < CASE WHEN piece < 0 THEN ?3 ELSE max(?2, ?3) END",
    )?;
    let found =
        statement.query_map([instrument, received.0, imported.0], |r| r.get(0))?.collect::<Inner<Vec<i64>>>()?;
    let decls = streams::metrics(conn, instrument)?;
    let mut gone = Vec::new();
    for piece in found {
        let old = |p: &PackedPoint| limits.get(&p.stream).is_some_and(|limit| limit.is_passed(p));
        let (out, stays): (Vec<_>, Vec<_>) = load_all(conn, instrument, piece, &decls)?.into_iter().partition(old);
        if out.is_empty() {
            continue;
        }
        gone.extend(out);
        if stays.is_empty() {
            remove(conn, instrument, piece)?;
        } else {
            put(conn, instrument, piece, &stays)?;
        }
    }
    Ok(gone)
}
