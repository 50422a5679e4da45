//! Questions about instruments, streams, metric points and imports.

use super::db::{Connection, DbRow, NONE, params};
use super::fault::{Inner, SqlFault};
use super::pieces::{Fact, Scan};
use super::streams::{self, Stored};
use super::{corrections, digest, points};
use crate::{ImportRecord, Inserted, InstrumentInfo, Page, Point, PointQuery, PointsVersion, Provenance, StreamInfo};
use barograph_domain::{Event, InstrumentName, Payload, Ts};
use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

/// What was counted of corrected streams. Readers ask every second, and counting a stream takes as long as reading it.
pub(super) type Counted = Mutex<BTreeMap<i64, Count>>;

/// What was counted of a stream.
#[derive(Clone, Copy, Debug)]
pub(super) struct Count {
    /// Digest of all its rows then.
    digest: i64,
    figures: Figures,
    /// Where the next count begins.
    mark: Mark,
}

impl Count {
    /// What counts now, from what was counted before; and how many rows were read for it.
    fn of(conn: &Connection, stream: &Stored, before: Option<Self>) -> Inner<(Self, usize)> {
        let mark = before.map_or(Mark::BEGINNING, |count| count.mark);
        let mut counter = Counter::of(conn, stream, mark, Ts::MAX)?;
        let mut rows = counter.rows;
        if counter.digest != stream.digest && mark.from > Ts::MIN {
            // Something before the mark was written or removed.
            counter = Counter::of(conn, stream, Mark::BEGINNING, Ts::MAX)?;
            rows += counter.rows;
        }
        Ok((Self { digest: stream.digest, figures: counter.figures, mark: counter.marks[0] }, rows))
    }
}

/// A place in a stream where counting may go on, because the digest of the rows before it shows whether any of them changed.
#[derive(Clone, Copy, Debug)]
struct Mark {
    /// Rows that happened before this are before it.
    from: Ts,
    /// What counts of those, and the sum of their digests.
    figures: Figures,
    digest: i64,
}

impl Mark {
    const BEGINNING: Self = Self { from: Ts::MIN, figures: Figures::NOTHING, digest: 0 };
}

/// Between once and twice so many of a stream's newest rows are counted again after a write: what comes late is among them, and
/// they take a few milliseconds.
const COUNTED_AGAIN: usize = 1_000;

/// What counts of a stream.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Figures {
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
        let is_corrected = corrected.contains(&stream.id);
        found.extend(match as_of {
            Some(t) if t < stream.newest_known && is_corrected => {
                Counter::of(conn, &stream, Mark::BEGINNING, t)?.figures.info(&stream)
            }
            Some(t) if t < stream.newest_known => past(conn, &stream, t)?,
            _ if is_corrected => {
                let figures = Figures::now(conn, &stream, counted)?;
                Some(present(stream, Some(figures)))
            }
            _ => Some(present(stream, None)),
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
        if let Some(count) = known.filter(|count| count.digest == stream.digest) {
            return Ok(count.figures);
        }
        let (count, _rows) = Count::of(conn, stream, known)?;
        counted.lock().unwrap_or_else(PoisonError::into_inner).insert(stream.id, count);
        Ok(count.figures)
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

/// Counts a stream row by row: a row may take the place of another, or say that there is none.
struct Counter {
    figures: Figures,
    /// Of all rows up to here.
    digest: i64,
    /// The last two, at least [`COUNTED_AGAIN`] rows apart: the next count begins at the first.
    marks: [Mark; 2],
    /// Rows read, and how many of them before the last mark.
    rows: usize,
    rows_marked: usize,
    event_stream: bool,
    /// Rows of the key that comes last.
    group: Vec<PointRow>,
    key: Option<(Ts, u64)>,
    scratch: Vec<u8>,
}

impl Counter {
    /// Counts on from a mark what counted at a moment.
    fn of(conn: &Connection, stream: &Stored, mark: Mark, known: Ts) -> Inner<Self> {
        let mut counter = Self {
            figures: mark.figures,
            digest: mark.digest,
            marks: [mark; 2],
            rows: 0,
            rows_marked: 0,
            event_stream: points::is_event_stream(stream.decl.metric),
            group: Vec::new(),
            key: None,
            scratch: Vec::with_capacity(56),
        };
        let last = if known < Ts::MAX { Ts(known.0.saturating_sub(stream.lag_min)) } else { Ts::MAX };
        points::walk(conn, stream, mark.from, last, |fact| {
            if fact.event.recv_ts <= known {
                counter.take(&fact);
            }
            Ok(true)
        })?;
        counter.figures.add(&mut counter.group, counter.event_stream);
        Ok(counter)
    }

    fn take(&mut self, fact: &Fact) {
        let Event { event_ts, recv_ts, payload, .. } = fact.event;
        if let Some((before, _)) = self.key.filter(|key| *key != fact.key()) {
            self.figures.add(&mut self.group, self.event_stream);
            if before < event_ts && self.rows - self.rows_marked >= COUNTED_AGAIN {
                let here = Mark { from: event_ts, figures: self.figures, digest: self.digest };
                (self.marks, self.rows_marked) = ([self.marks[1], here], self.rows);
            }
        }
        self.key = Some(fact.key());
        self.group.push((event_ts, recv_ts, fact.provenance, bytes(&payload)));
        self.digest = self.digest.wrapping_add(digest::of_point(&fact.event, fact.provenance, &mut self.scratch));
        self.rows += 1;
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::suite::sample;
    use crate::{OneBatch, SqliteWriter, Writer, WriterRole};
    use barograph_domain::{Metric, Span, StreamDecl};

    const MINUTES: i64 = 6_000;
    const MORE: usize = 50;

    /// Minutes of a price of which some are corrected, and a connection that reads them.
    struct Place {
        _folder: tempfile::TempDir,
        writer: SqliteWriter,
        conn: Connection,
        streams: Vec<StreamDecl>,
        events: Vec<Event>,
        more: Vec<Event>,
        counted: Counted,
    }

    impl Place {
        fn new(metric: Metric) -> Self {
            let folder = tempfile::tempdir().unwrap();
            let mut writer = SqliteWriter::open(folder.path(), &WriterRole::ALL).unwrap();
            let instruments = [sample::instrument("BTCUSDT")];
            let mut streams = sample::streams(&instruments);
            streams.retain(|s| s.metric == metric);
            let mut events = sample::events(&streams, MINUTES, 3);
            let more = events.split_off(events.len() - MORE);
            let again = sample::events(&streams, 40, 4);
            writer.import_points(&instruments, &streams, &events, at(1)).unwrap();
            writer.import_points(&instruments, &streams, &again, at(2)).unwrap();
            writer.forget_batches(&streams, &mut OneBatch::new(&again[..5]), at(2), false).unwrap();
            let conn = rusqlite::Connection::open(folder.path().join(crate::sqlite::FILE)).unwrap();
            let (conn, counted) = (Connection::File(conn), Counted::default());
            Self { _folder: folder, writer, conn, streams, events, more, counted }
        }

        fn import(&mut self, events: &[Event], at: Ts) {
            let instruments = [sample::instrument("BTCUSDT")];
            self.writer.import_points(&instruments, &self.streams, events, at).unwrap();
        }

        fn stored(&self) -> Stored {
            streams::load(&self.conn, None).unwrap().remove(0)
        }

        /// What counts now is what a count from the beginning says.
        fn check(&self, what: &str) -> u64 {
            let stream = self.stored();
            let figures = Figures::now(&self.conn, &stream, &self.counted).unwrap();
            let whole = Counter::of(&self.conn, &stream, Mark::BEGINNING, Ts::MAX).unwrap();
            assert_eq!((figures, stream.digest), (whole.figures, whole.digest), "{what}");
            figures.points
        }
    }

    fn at(day: i64) -> Ts {
        Ts::from_civil(2027, 1, day, 0, 0, 0)
    }

    #[test]
    fn a_corrected_stream_that_is_written_on_is_not_counted_whole_again() {
        for metric in [Metric::MarkPrice, Metric::Trade] {
            let mut place = Place::new(metric);
            let before = place.check("a first count");
            for (n, event) in (1..).zip(place.more.clone()) {
                place.import(&[event], at(3));
                let stream = place.stored();
                let known = place.counted.lock().unwrap().get(&stream.id).copied();
                let (_, rows) = Count::of(&place.conn, &stream, known).unwrap();
                assert!(rows <= 2 * COUNTED_AGAIN + 1, "{rows} rows are counted after one more");
                assert_eq!(place.check("written on"), before + n);
            }
        }
    }

    #[test]
    fn what_changes_behind_is_counted() {
        let mut place = Place::new(Metric::MarkPrice);
        let before = place.check("a first count");
        let (streams, behind) = (place.streams.clone(), place.events[500..510].to_vec());
        let gone = &mut OneBatch::new(&behind);
        place.writer.forget_batches(&streams, gone, at(3), false).unwrap();
        assert_eq!(place.check("taken back"), before - 10);
        place.import(&behind, at(4));
        assert_eq!(place.check("imported again"), before);
        let mut early = place.events[0];
        (early.event_ts, early.recv_ts) = (early.event_ts - Span::days(1), early.recv_ts - Span::days(1));
        place.import(&[early], at(5));
        assert_eq!(place.check("an earlier one"), before + 1);
    }
}
