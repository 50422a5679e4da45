//! Questions about instruments, streams, metric points and imports.

use super::db::{Connection, DbRow, NONE, params};
use super::fault::{Inner, SqlFault};
use super::pieces::{Fact, Scan};
use super::streams::{self, Stored};
use super::{corrections, points};
use crate::{ImportRecord, Inserted, InstrumentInfo, Page, Point, PointQuery, PointsVersion, Provenance, StreamInfo};
use barograph_domain::{Event, InstrumentName, Payload, Ts};
use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

/// What counts of corrected streams, with the digest of all their rows that it was counted at. Readers ask every second, and
/// counting takes as long as reading a stream.
pub(super) type Counted = Mutex<BTreeMap<i64, (i64, Figures)>>;

/// What counts of a stream.
#[derive(Clone, Copy, Debug)]
pub(super) struct Figures {
    points: u64,
    first_event: Ts,
    newest_event: Ts,
    newest_known: Ts,
}

/// What is stored of each stream, as it was known at `as_of`.
pub(super) fn streams(
    conn: &Connection,
    instrument: Option<&InstrumentName>,
    as_of: Option<Ts>,
    counted: &Counted,
) -> Inner<Vec<StreamInfo>> {
    let corrected = corrections::streams_with_any(conn, instrument)?;
    let mut found = Vec::new();
    for stream in streams::load(conn, instrument)? {
        let figures = if corrected.contains(&stream.id) { Some(Figures::now(conn, &stream, counted)?) } else { None };
        found.extend(match as_of {
            Some(t) if t < stream.newest_known && figures.is_some() => Figures::of(conn, &stream, t)?.info(&stream),
            Some(t) if t < stream.newest_known => past(conn, &stream, t)?,
            _ => Some(present(stream, figures)),
        });
    }
    Ok(found)
}

/// A stream now. Of one that was taken back whole nothing counts, and its times are those of what is stored.
fn present(stream: Stored, figures: Option<Figures>) -> StreamInfo {
    let info = StreamInfo {
        points: stream.points.unsigned_abs(),
        first_event: stream.first_event,
        newest_event: stream.newest_event,
        newest_known: stream.newest_known,
        decl: stream.decl,
    };
    match figures {
        None => info,
        Some(Figures { points: 0, .. }) => StreamInfo { points: 0, ..info },
        Some(Figures { points, first_event, newest_event, .. }) => {
            StreamInfo { points, first_event, newest_event, ..info }
        }
    }
}

/// Instant, moment of being known, origin and bytes of a row.
type PointRow = (Ts, Ts, Provenance, Vec<u8>);

impl Figures {
    const NOTHING: Self = Self { points: 0, first_event: Ts::MAX, newest_event: Ts::MIN, newest_known: Ts::MIN };

    /// What counts now of a stream that was corrected.
    fn now(conn: &Connection, stream: &Stored, counted: &Counted) -> Inner<Self> {
        let known = counted.lock().unwrap_or_else(PoisonError::into_inner).get(&stream.id).copied();
        if let Some((_, figures)) = known.filter(|(digest, _)| *digest == stream.digest) {
            return Ok(figures);
        }
        let figures = Self::of(conn, stream, Ts::MAX)?;
        counted.lock().unwrap_or_else(PoisonError::into_inner).insert(stream.id, (stream.digest, figures));
        Ok(figures)
    }

    /// What counted at a moment, row by row: a row may take the place of another, or say that there is none.
    fn of(conn: &Connection, stream: &Stored, known: Ts) -> Inner<Self> {
        let last = if known < Ts::MAX { Ts(known.0.saturating_sub(stream.lag_min)) } else { Ts::MAX };
        let event_stream = points::is_event_stream(stream.decl.metric);
        let (mut found, mut group, mut key) = (Self::NOTHING, Vec::<PointRow>::new(), None);
        points::walk(conn, stream, Ts::MIN, last, |fact| {
            let Event { event_ts, recv_ts, payload, .. } = fact.event;
            if recv_ts > known {
                return Ok(true);
            }
            if key.is_some_and(|key| key != fact.key()) {
                found.add(&mut group, event_stream);
            }
            key = Some(fact.key());
            group.push((event_ts, recv_ts, fact.provenance, bytes(&payload)));
            Ok(true)
        })?;
        found.add(&mut group, event_stream);
        Ok(found)
    }

    /// Adds what counts of the rows of one key.
    fn add(&mut self, group: &mut Vec<PointRow>, event_stream: bool) {
        corrections::counting(group, event_stream, |(_, known, origin, bytes)| (*known, *origin, bytes.clone()));
        for (event_ts, known, ..) in group.drain(..) {
            self.points += 1;
            self.first_event = self.first_event.min(event_ts);
            self.newest_event = self.newest_event.max(event_ts);
            self.newest_known = self.newest_known.max(known);
        }
    }

    fn info(self, stream: &Stored) -> Option<StreamInfo> {
        let Self { points, first_event, newest_event, newest_known } = self;
        let decl = stream.decl.clone();
        (points > 0).then_some(StreamInfo { decl, points, first_event, newest_event, newest_known })
    }
}

/// A stream as it was: counted, because running figures only know the present.
fn past(conn: &Connection, stream: &Stored, as_of: Ts) -> Inner<Option<StreamInfo>> {
    let delay = stream.decl.delay.0;
    // No point that was known by then happened later than this.
    let last = as_of.0.saturating_sub(stream.lag_min);
    let mut statement = conn.prepare(
        "SELECT count(*), min(event_ts), max(event_ts), max(coalesce(known_ts, event_ts + ?2)) FROM points
         WHERE stream = ?1 AND event_ts <= ?3 AND coalesce(known_ts, event_ts + ?2) <= ?4",
    )?;
    let (count, first, newest, known): (i64, Option<i64>, Option<i64>, Option<i64>) = statement
        .query_row(params![stream.id, delay, last, as_of.0], |r| Ok((r.get(0)?, r.get(1)?, r.get(2)?, r.get(3)?)))?;
    let mut found = StreamInfo {
        decl: stream.decl.clone(),
        points: count.unsigned_abs(),
        first_event: first.map_or(Ts::MAX, Ts),
        newest_event: newest.map_or(Ts::MIN, Ts),
        newest_known: known.map_or(Ts::MIN, Ts),
    };
    let mut live = Scan::by_known(conn, stream, Ts::MIN, as_of)?;
    while let Some(Fact { event, .. }) = live.next(conn)? {
        found.points += 1;
        found.first_event = found.first_event.min(event.event_ts);
        found.newest_event = found.newest_event.max(event.event_ts);
        found.newest_known = found.newest_known.max(event.recv_ts);
    }
    Ok((found.points > 0).then_some(found))
}

/// What is stored of each instrument.
pub(super) fn instruments(conn: &Connection, as_of: Option<Ts>, counted: &Counted) -> Inner<Vec<InstrumentInfo>> {
    let mut of: BTreeMap<InstrumentName, Vec<StreamInfo>> = BTreeMap::new();
    for stream in streams(conn, None, as_of, counted)? {
        of.entry(stream.decl.instrument.clone()).or_default().push(stream);
    }
    let mut found = Vec::new();
    for (instrument, version) in streams::instruments(conn)? {
        let Some(own) = of.get(&instrument.name) else { continue };
        let (mut points, mut first_event, mut newest_event) = (0, Ts::MAX, Ts::MIN);
        let counts = own.iter().any(|s| s.points > 0);
        for s in own.iter().filter(|s| s.points > 0 || !counts) {
            points += s.points;
            first_event = first_event.min(s.first_event);
            newest_event = newest_event.max(s.newest_event);
        }
        let version = PointsVersion(version);
        found.push(InstrumentInfo { instrument, points, first_event, newest_event, version });
    }
    Ok(found)
}

/// Latest revisions of an interval, from all streams that match.
pub(super) fn points(conn: &Connection, q: &PointQuery) -> Inner<Page<Point>> {
    if q.limit == 0 {
        return Err(SqlFault::Invalid("'limit' has to be positive".to_owned()));
    }
    let matches = |s: &Stored| {
        s.decl.metric == q.metric
            && q.source.as_ref().is_none_or(|source| *source == s.decl.source)
            && q.cadence.is_none_or(|cadence| cadence == s.decl.cadence)
    };
    // Up to here every stream has given all it has.
    let mut complete = Ts::MAX;
    let mut all: Vec<(usize, Point)> = Vec::new();
    let found = streams::load(conn, Some(&q.instrument))?.into_iter().filter(matches);
    for (rank, stream) in found.enumerate() {
        let (own, next) = of_stream(conn, &stream, q)?;
        all.extend(own.into_iter().map(|p| (rank, p)));
        complete = complete.min(next.unwrap_or(Ts::MAX));
    }
    all.sort_by_key(|(rank, p)| (p.event_ts, *rank, p.seq));
    let mut items: Vec<Point> = Vec::new();
    for (_, point) in all {
        let boundary = items.last().is_some_and(|last| last.event_ts < point.event_ts);
        if (boundary && items.len() >= q.limit) || point.event_ts >= complete {
            return Ok(Page { items, next: Some(point.event_ts) });
        }
        items.push(point);
    }
    let next = (complete < Ts::MAX).then_some(complete);
    Ok(Page { items, next })
}

/// The points of one stream until the limit is reached; with the first `event_ts` left out.
fn of_stream(conn: &Connection, stream: &Stored, q: &PointQuery) -> Inner<(Vec<Point>, Option<Ts>)> {
    let known = q.as_of.unwrap_or(Ts::MAX);
    let last = if q.as_of.is_some() { known.0.saturating_sub(stream.lag_min) } else { i64::MAX };
    let last = last.min(q.range.end.0.saturating_sub(1));
    let mut items = Vec::new();
    let mut group: Vec<Point> = Vec::new();
    let mut next = None;
    points::walk(conn, stream, q.range.start, Ts(last), |fact| {
        let point = point(&fact, stream);
        if point.known_ts > known {
            return Ok(true);
        }
        if group.first().is_some_and(|g| (g.event_ts, g.seq) != (point.event_ts, point.seq)) {
            close(&mut group, &mut items, stream);
        }
        if items.len() >= q.limit && items.last().is_some_and(|i| i.event_ts < point.event_ts) && group.is_empty() {
            next = Some(point.event_ts);
            return Ok(false);
        }
        group.push(point);
        Ok(true)
    })?;
    if next.is_none() {
        close(&mut group, &mut items, stream);
    }
    Ok((items, next))
}

fn point(fact: &Fact, stream: &Stored) -> Point {
    Point {
        stream: stream.decl.clone(),
        event_ts: fact.event.event_ts,
        known_ts: fact.event.recv_ts,
        seq: fact.event.seq,
        payload: fact.event.payload,
        provenance: fact.provenance,
    }
}

/// Of the revisions of one key the latest counts; facts that merely share a key all do.
fn close(group: &mut Vec<Point>, items: &mut Vec<Point>, stream: &Stored) {
    let event_stream = points::is_event_stream(stream.decl.metric);
    corrections::counting(group, event_stream, |p| (p.known_ts, p.provenance, bytes(&p.payload)));
    items.append(group);
}

fn bytes(payload: &Payload) -> Vec<u8> {
    let mut out = Vec::with_capacity(48);
    payload.encode(&mut out);
    out
}

/// The table of imports.
pub(super) fn imports(conn: &Connection) -> Inner<Vec<ImportRecord>> {
    let mut statement = conn.prepare(
        "SELECT started, finished, release, source, points_new, points_revised, points_same, points_earlier, rejected,
            detail FROM imports ORDER BY import",
    )?;
    let count = |r: DbRow<'_>, at: usize| r.get(at).map(i64::unsigned_abs);
    let found = statement.query_map(NONE, |r| {
        Ok(ImportRecord {
            started: Ts(r.get(0)?),
            finished: Ts(r.get(1)?),
            release: r.get(2)?,
            source: r.get(3)?,
            inserted: Inserted { new: count(r, 4)?, revised: count(r, 5)?, same: count(r, 6)?, earlier: count(r, 7)? },
            rejected: count(r, 8)?,
            detail: r.get(9)?,
        })
    })?;
    found.collect::<Inner<_>>()
}
