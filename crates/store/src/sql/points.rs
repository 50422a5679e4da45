//! Metric points: writing, idempotent and order-free, and the row form of a payload.
//!
//! A point is identified by (stream, `event_ts`, sequence, content). Of two times at which the same value was known the
//! earlier counts, whichever came first: so the result depends on the set of writes only. The price is that a value
//! that returns to an earlier one is no third revision; seen twice in a polled series that is far more often the echo
//! of a slower source than a correction of a correction (A09: idempotent when the value is equal). How it was known
//! goes with the time at which it was; of equal times the provenance that is declared first counts.

use super::asked::{Asked as _, asked, select};
use super::db::{Connection, Statement, params};
use super::fault::{Inner, SqlFault};
use super::originals::{Gathered, Newest};
use super::pieces::{self, Fact, Scan};
use super::streams::{self, Stored};
use super::{bulk, digest, imported};
use crate::schema::{insert_sql, row};
use crate::{Inserted, Provenance};
use barograph_domain::{Event, Instrument, InstrumentName, Metric, Payload, StreamDecl, StreamIndex, Ts};
use std::collections::BTreeMap;

/// Is the whole payload in its headline?
fn is_all_headline(payload: &Payload) -> Option<f64> {
    let value = match *payload {
        Payload::Value(v) => v,
        Payload::Funding { rate, interval_h: None, next_ts: None, special: false } => rate,
        Payload::Funding { .. }
        | Payload::Bar(_)
        | Payload::Trade { .. }
        | Payload::BestBidAsk { .. }
        | Payload::Liquidation { .. }
        | Payload::Status(_)
        | Payload::Tick => return None,
    };
    // SQLite stores whole numbers as integers and would lose the sign of a negative zero.
    (value.to_bits() != (-0.0_f64).to_bits()).then_some(value)
}

/// The payload of a row.
pub(super) fn payload(metric: Metric, value: Option<f64>, blob: Option<&[u8]>) -> Inner<Payload> {
    let found = match (blob, value) {
        (Some(bytes), _) => Payload::decode(metric, bytes),
        (None, Some(rate)) if matches!(metric, Metric::FundingRate | Metric::FundingRateSettled) => {
            Some(Payload::Funding { rate, interval_h: None, next_ts: None, special: false })
        }
        (None, Some(v)) => Payload::decode(metric, &v.to_le_bytes()),
        (None, None) => None,
    };
    found.ok_or_else(|| SqlFault::Damaged(format!("a point of {} has no readable value", metric.name())))
}

/// Several facts may share a key: they are events of their own, not revisions of one value.
pub(super) const fn is_event_stream(metric: Metric) -> bool {
    matches!(metric, Metric::Trade | Metric::Liquidation)
}

const fn fits(metric: Metric, payload: &Payload) -> bool {
    match payload {
        Payload::Bar(_) => matches!(metric, Metric::Bar),
        Payload::Trade { .. } => matches!(metric, Metric::Trade),
        Payload::BestBidAsk { .. } => matches!(metric, Metric::BestBidAsk | Metric::Book),
        Payload::Funding { .. } => matches!(metric, Metric::FundingRate | Metric::FundingRateSettled),
        Payload::Liquidation { .. } => matches!(metric, Metric::Liquidation),
        Payload::Value(_) => !matches!(
            metric,
            Metric::Bar
                | Metric::Trade
                | Metric::BestBidAsk
                | Metric::Book
                | Metric::FundingRate
                | Metric::FundingRateSettled
                | Metric::Liquidation
        ),
        Payload::Status(_) | Payload::Tick => false,
    }
}

/// The number and the bytes of a row: bytes only where the number does not say it all.
pub(super) fn columns(payload: &Payload) -> (Option<f64>, Option<Vec<u8>>) {
    match is_all_headline(payload) {
        Some(v) => (Some(v), None),
        None => {
            let mut bytes = Vec::with_capacity(56);
            payload.encode(&mut bytes);
            (payload.headline().filter(|v| v.is_finite()), Some(bytes))
        }
    }
}

/// The same of a row of some provenance: what is taken back shows no number.
pub(super) fn columns_of(payload: &Payload, provenance: Provenance) -> (Option<f64>, Option<Vec<u8>>) {
    if provenance != Provenance::TakenBack {
        return columns(payload);
    }
    let mut bytes = Vec::with_capacity(56);
    payload.encode(&mut bytes);
    (None, Some(bytes))
}

/// The time of a row: `NULL` where the stream's declaration already says it.
pub(super) const fn known_column(event: &Event, delay: i64) -> Option<i64> {
    match event.event_ts.0.checked_add(delay) {
        Some(t) if t == event.recv_ts.0 => None,
        _ => Some(event.recv_ts.0),
    }
}

/// What a batch did to one stream.
#[derive(Clone, Copy, Debug)]
pub(super) struct Tally {
    pub(super) inserted: Inserted,
    points: i64,
    first_event: Ts,
    newest_event: Ts,
    newest_known: Ts,
    lag_min: i64,
    digest: i64,
    /// Earliest moment at which what is known has changed.
    since: Ts,
    /// Latest of the times that were replaced by earlier ones.
    outdated: Option<Ts>,
}

impl Tally {
    pub(super) const fn new() -> Self {
        Self {
            inserted: Inserted { new: 0, revised: 0, same: 0, earlier: 0 },
            points: 0,
            first_event: Ts::MAX,
            newest_event: Ts::MIN,
            newest_known: Ts::MIN,
            lag_min: i64::MAX,
            digest: 0,
            since: Ts::MAX,
            outdated: None,
        }
    }

    pub(super) fn add(&mut self, event: &Event, provenance: Provenance, scratch: &mut Vec<u8>) {
        self.points += 1;
        self.known(event, provenance, scratch);
    }

    pub(super) const fn since(&self) -> Ts {
        self.since
    }

    /// The value of an event is known earlier than was thought.
    pub(super) fn earlier(
        &mut self,
        event: &Event,
        provenance: Provenance,
        before: (Ts, Provenance),
        scratch: &mut Vec<u8>,
    ) {
        let later = Event { recv_ts: before.0, ..*event };
        self.digest = self.digest.wrapping_sub(digest::of_point(&later, before.1, scratch));
        self.known(event, provenance, scratch);
        self.outdated = self.outdated.max(Some(before.0));
        self.inserted.earlier += 1;
    }

    fn known(&mut self, event: &Event, provenance: Provenance, scratch: &mut Vec<u8>) {
        self.first_event = self.first_event.min(event.event_ts);
        self.newest_event = self.newest_event.max(event.event_ts);
        self.newest_known = self.newest_known.max(event.recv_ts);
        self.lag_min = self.lag_min.min(event.recv_ts.0.saturating_sub(event.event_ts.0));
        self.digest = self.digest.wrapping_add(digest::of_point(event, provenance, scratch));
        self.since = self.since.min(event.recv_ts);
    }
}

/// One stream of a batch: the statements and the stream they write to.
pub(super) struct Target<'a> {
    insert: Statement<'a>,
    conn: &'a Connection,
    id: i64,
    delay: i64,
    metric: Metric,
    provenance: Provenance,
    bytes: Vec<u8>,
}

/// Writes an imported batch inside the transaction that `conn` is in.
pub(super) fn insert(
    conn: &Connection,
    instruments: &[Instrument],
    decls: &[StreamDecl],
    events: &[Event],
) -> Inner<Inserted> {
    let mut touched: BTreeMap<InstrumentName, Ts> = BTreeMap::new();
    let mut total = Inserted::default();
    let mut gathered = Gathered::default();
    let mut sorted = Vec::new();
    for (stream, order) in by_stream(decls, events)? {
        let Some(stored) = decls.get(stream).map(|decl| streams::find(conn, decl)).transpose()? else { continue };
        let (rest, told) = match stored {
            Some(stored) if !conn.is_server() => imported::untold(conn, &stored, events, order)?,
            _ => (order, 0),
        };
        total.same += told;
        sorted.push((stream, rest));
    }
    let orders: Vec<imported::Order<'_>> = sorted.iter().map(|(stream, order)| (*stream, order.as_slice())).collect();
    let tallies = imported::write(conn, instruments, decls, events, &orders)?;
    for ((stream, order), tally) in orders.into_iter().zip(tallies) {
        let Some(decl) = decls.get(stream) else { continue };
        add(&mut total, tally.inserted);
        if tally.inserted.changed() {
            gathered.note_all(conn, decl, order.iter().filter_map(|i| events.get(*i as usize)))?;
            let since = touched.entry(decl.instrument.clone()).or_insert(Ts::MAX);
            *since = tally.since.min(*since);
        }
    }
    gathered.flush(conn, &mut Newest::default())?;
    for (instrument, since) in touched {
        mark_dirty(conn, &instrument, since, None)?;
    }
    Ok(total)
}

pub(super) const fn add(total: &mut Inserted, part: Inserted) {
    total.new += part.new;
    total.revised += part.revised;
    total.same += part.same;
    total.earlier += part.earlier;
}

/// Positions of the events of each stream, in the order of their keys.
pub(super) fn by_stream(decls: &[StreamDecl], events: &[Event]) -> Inner<BTreeMap<usize, Vec<u32>>> {
    let mut by_stream: BTreeMap<usize, Vec<u32>> = BTreeMap::new();
    for (at, event) in (0_u32..).zip(events) {
        check(decls, event)?;
        by_stream.entry(event.stream.index()).or_default().push(at);
    }
    let key = |i: &u32| events.get(*i as usize).map(|e| (e.event_ts, e.seq));
    for order in by_stream.values_mut().filter(|o| !o.is_sorted_by_key(key)) {
        order.sort_by_key(key);
    }
    Ok(by_stream)
}

pub(super) fn check(decls: &[StreamDecl], event: &Event) -> Inner<()> {
    let refuse = |what: &str| Err(SqlFault::Invalid(format!("an event at {} {what}", event.event_ts)));
    let Some(decl) = decls.get(event.stream.index()) else {
        return refuse("belongs to a stream that is not declared");
    };
    if !fits(decl.metric, &event.payload) {
        return refuse(&format!("carries no {}", decl.metric.name()));
    }
    if event.seq > i64::MAX.cast_unsigned() {
        return refuse("has a sequence above 2^63");
    }
    if event.payload.headline().is_some_and(f64::is_nan) {
        return refuse("has a value that is not a number");
    }
    Ok(())
}

/// Writes events of one stream, given in the order of their keys.
pub(super) fn insert_stream(
    conn: &Connection,
    instruments: &[Instrument],
    decl: &StreamDecl,
    events: &[Event],
    order: &[u32],
    provenance: Provenance,
) -> Inner<Tally> {
    let Some(instrument) = instruments.iter().find(|i| i.name == decl.instrument) else {
        return Err(SqlFault::Invalid(format!("'{}' has points but is not described", decl.instrument)));
    };
    let instrument = streams::ensure_instrument(conn, instrument)?;
    let stored = streams::ensure(conn, instrument, decl)?;
    let id = stored.id;
    let mut tally = Tally::new();
    let own = || order.iter().filter_map(|i| events.get(*i as usize));
    if conn.is_server() {
        bulk::insert(conn, &stored, own(), provenance, &mut tally)?;
    } else {
        if let (Some(first), Some(last)) = (own().next(), own().next_back()) {
            // A key is in one place only.
            pieces::unpack(conn, instrument, first.event_ts, last.event_ts)?;
        }
        let mut target = Target::new(conn, id, decl, provenance)?;
        for event in own() {
            if target.put(event, 0)? {
                tally.inserted.new += 1;
                tally.add(event, provenance, &mut target.bytes);
            } else {
                target.settle(event, &mut tally)?;
            }
        }
    }
    account(conn, &stored, &tally)?;
    if tally.outdated.is_some_and(|t| stored.newest_known.max(tally.newest_known) <= t) {
        streams::refigure(conn, &stored)?;
    }
    Ok(tally)
}

/// Adds what was written to the figures of its stream.
pub(super) fn account(conn: &Connection, stored: &Stored, tally: &Tally) -> Inner<()> {
    conn.send(
        "UPDATE streams SET points = ?2, first_event = ?3, newest_event = ?4, newest_known = ?5, lag_min = ?6,
            digest = ?7
         WHERE stream = ?1",
        [
            stored.id,
            stored.points + tally.points,
            stored.first_event.min(tally.first_event).0,
            stored.newest_event.max(tally.newest_event).0,
            stored.newest_known.max(tally.newest_known).0,
            stored.lag_min.min(tally.lag_min),
            stored.digest.wrapping_add(tally.digest),
        ],
    )
}

impl<'a> Target<'a> {
    pub(super) fn new(conn: &'a Connection, id: i64, decl: &StreamDecl, provenance: Provenance) -> Inner<Self> {
        Ok(Self {
            insert: conn.prepare(insert_sql!(points or Keep))?,
            conn,
            id,
            delay: decl.delay.0,
            metric: decl.metric,
            provenance,
            bytes: Vec::with_capacity(64),
        })
    }

    /// Inserts a point whose key is nowhere else but perhaps among others put here.
    pub(super) fn put_beside(&mut self, event: &Event, provenance: Provenance) -> Inner<()> {
        self.provenance = provenance;
        let mut rev = 0;
        while !self.put(event, rev)? {
            rev += 1;
        }
        Ok(())
    }

    /// Inserts into a slot that is free.
    pub(super) fn put_at(&mut self, event: &Event, rev: i64, provenance: Provenance) -> Inner<()> {
        self.provenance = provenance;
        if self.put(event, rev)? {
            return Ok(());
        }
        Err(SqlFault::Damaged(format!("a point at {} was written beside its own transaction", event.event_ts)))
    }

    /// Inserts into a slot; false when the slot is taken.
    fn put(&mut self, event: &Event, rev: i64) -> Inner<bool> {
        let known = known_column(event, self.delay);
        let (value, blob) = columns_of(&event.payload, self.provenance);
        let seq = event.seq.cast_signed();
        let changed = self.insert.execute(row!(points {
            stream: self.id,
            event_ts: event.event_ts.0,
            seq,
            rev,
            known_ts: known,
            value,
            payload: blob,
            provenance: self.provenance.code(),
        }))?;
        Ok(changed > 0)
    }

    /// The key exists: is the value the same, known earlier, or a revision?
    fn settle(&mut self, event: &Event, tally: &mut Tally) -> Inner<()> {
        let mut wanted = Vec::new();
        event.payload.encode(&mut wanted);
        let mut statement = self.conn.prepare(
            "SELECT rev, known_ts, value, payload, provenance FROM points WHERE stream = ?1 AND event_ts = ?2 AND seq = ?3",
        )?;
        let mut rows = statement.query(params![self.id, event.event_ts.0, event.seq.cast_signed()])?;
        let mut next = 0;
        while let Some(row) = rows.next()? {
            let rev: i64 = row.get(0)?;
            next = next.max(rev + 1);
            let stored = payload(self.metric, row.get(2)?, row.blob_or_null(3)?)?;
            self.bytes.clear();
            stored.encode(&mut self.bytes);
            if self.bytes == wanted {
                let known: Option<i64> = row.get(1)?;
                let known = Ts(known.unwrap_or_else(|| event.event_ts.0.saturating_add(self.delay)));
                return self.same_value(event, rev, (known, provenance(row.get(4)?)?), tally);
            }
        }
        self.put(event, next)?;
        tally.inserted.revised += 1;
        tally.add(event, self.provenance, &mut self.bytes);
        Ok(())
    }

    fn same_value(&mut self, event: &Event, rev: i64, known: (Ts, Provenance), tally: &mut Tally) -> Inner<()> {
        if known <= (event.recv_ts, self.provenance) {
            tally.inserted.same += 1;
            return Ok(());
        }
        self.conn
            .prepare(
                "UPDATE points SET known_ts = ?5, provenance = ?6
                 WHERE stream = ?1 AND event_ts = ?2 AND seq = ?3 AND rev = ?4",
            )?
            .execute(params![
                self.id,
                event.event_ts.0,
                event.seq.cast_signed(),
                rev,
                known_column(event, self.delay),
                self.provenance.code()
            ])?;
        tally.earlier(event, self.provenance, known, &mut self.bytes);
        Ok(())
    }
}

/// How a point was known, by its number.
fn provenance(code: i64) -> Inner<Provenance> {
    Provenance::from_code(code).ok_or_else(|| SqlFault::Damaged(format!("{code} is no provenance of a point")))
}

/// Rows asked for at once: an answer is held in memory, 100 bytes a row.
const PAGE: i64 = 10_000;

/// All points of a stream with `from ≤ event_ts ≤ last`, wherever they are, in the order of (`event_ts`, sequence),
/// until `each` says false.
pub(super) fn walk(
    conn: &Connection,
    stream: &Stored,
    from: Ts,
    last: Ts,
    mut each: impl FnMut(Fact) -> Inner<bool>,
) -> Inner<()> {
    let mut live = Scan::by_event(conn, stream, from, last)?;
    let mut next = live.next(conn)?;
    let mut after = (from.0, i64::MIN, i64::MIN);
    loop {
        let mut statement = conn.prepare(select!(
            StoredPoint;
            " FROM points
             WHERE stream = ?1 AND event_ts >= ?2 AND event_ts <= ?3 AND (event_ts, seq, rev) > (?2, ?4, ?5)
             ORDER BY event_ts, seq, rev LIMIT ?6"
        ))?;
        let mut rows = statement.query([stream.id, after.0, last.0, after.1, after.2, PAGE])?;
        let mut count = 0;
        while let Some(row) = rows.next()? {
            let point = StoredPoint::read(row)?;
            count += 1;
            after = point.place();
            let fact = point.fact(stream)?;
            while let Some(earlier) = next.take_if(|n| n.key() < fact.key()) {
                if !each(earlier)? {
                    return Ok(());
                }
                next = live.next(conn)?;
            }
            if !each(fact)? {
                return Ok(());
            }
        }
        if count < PAGE {
            break;
        }
    }
    while let Some(fact) = next {
        if !each(fact)? {
            return Ok(());
        }
        next = live.next(conn)?;
    }
    Ok(())
}

asked! {
    /// A row of the table of points.
    struct StoredPoint<'r> {
        event_ts: i64, seq: i64, known_ts: Option<i64>, value: Option<f64>, payload: Option<&'r [u8]>,
        provenance: i64, rev: i64,
    }
}

impl StoredPoint<'_> {
    /// Its key within the stream.
    pub(super) const fn place(&self) -> (i64, i64, i64) {
        (self.event_ts, self.seq, self.rev)
    }

    /// What it says.
    pub(super) fn fact(&self, stream: &Stored) -> Inner<Fact> {
        let event = Event {
            recv_ts: Ts(self.known_ts.unwrap_or_else(|| self.event_ts.saturating_add(stream.decl.delay.0))),
            event_ts: Ts(self.event_ts),
            stream: StreamIndex(0),
            seq: self.seq.cast_unsigned(),
            payload: payload(stream.decl.metric, self.value, self.payload)?,
        };
        Ok(Fact { event, provenance: provenance(self.provenance)? })
    }
}

/// Every run of the instrument now lacks something from `since` on; `corrected`: because of a correction known since then. Of
/// several the last counts: until its rows are replaced a run answers as before the first.
pub(super) fn mark_dirty(
    conn: &Connection,
    instrument: &InstrumentName,
    since: Ts,
    corrected: Option<Ts>,
) -> Inner<()> {
    let name = instrument.to_string();
    conn.prepare("UPDATE instruments SET points_version = points_version + 1 WHERE name = ?1")?.execute([&name])?;
    conn.prepare(
        "UPDATE runs SET dirty_since = CASE WHEN dirty_since < ?2 THEN dirty_since ELSE ?2 END,
            corrected_ts = CASE WHEN corrected_ts >= CAST(?3 AS BIGINT) THEN corrected_ts
                ELSE coalesce(CAST(?3 AS BIGINT), corrected_ts) END,
            dirty_version = (SELECT points_version FROM instruments WHERE name = ?1)
         WHERE instrument = ?1",
    )?
    .execute(params![name, since.0, corrected.map(|t| t.0)])?;
    Ok(())
}
