//! What a later import says otherwise, and what is taken back.
//!
//! A file that is imported for the first time is known as its streams declare. Another number under a key that is stored
//! already cannot have been known then: it is a correction, known since the moment of its import, and all corrections of one
//! import share that moment. Of the rows of a key the newest counts, so the last import wins for every answer after it, whole,
//! and answers before it stay. Taking back is the same: a row that says from when on a value counts no more, and beside it,
//! where an earlier value lies beneath, a row that says that this counts again.

use super::asked::{Asked as _, select};
use super::db::{Connection, NONE, params};
use super::fault::Inner;
use super::originals::{self, Gathered, Newest};
use super::points::{self, StoredPoint, Tally, Target};
use super::streams;
use super::{bulk, imported, pieces};
use crate::model::{Contradiction, Forgotten, Imported};
use crate::postgres::copy_points;
use crate::{Inserted, Provenance};
use barograph_domain::{Event, Instrument, InstrumentName, Payload, StreamDecl, Ts};
use std::collections::{BTreeMap, BTreeSet};

/// A stored row of a key.
#[derive(Clone, Debug)]
struct Slot {
    rev: i64,
    known: Ts,
    provenance: Provenance,
    payload: Payload,
    bytes: Vec<u8>,
}

impl Slot {
    const fn order(&self) -> (Ts, u8) {
        (self.known, self.provenance.rank())
    }
}

type Slots = BTreeMap<(Ts, u64), Vec<Slot>>;

/// Of the rows of one key, those that count: of one value the newest, of facts that share a key the newest word on each.
pub(super) fn counting<T>(rows: &mut Vec<T>, event_stream: bool, place: impl Fn(&T) -> (Ts, Provenance, Vec<u8>)) {
    let order = |row: &T| {
        let (known, provenance, bytes) = place(row);
        (known, provenance.rank(), bytes)
    };
    rows.sort_by_cached_key(order);
    let taken_back = |row: &T| place(row).1 == Provenance::TakenBack;
    if !event_stream {
        let newest = rows.pop().filter(|row| !taken_back(row));
        rows.clear();
        rows.extend(newest);
    } else if rows.iter().any(|row| place(row).1.corrects()) {
        let mut last: BTreeMap<Vec<u8>, usize> = BTreeMap::new();
        for (at, row) in rows.iter().enumerate() {
            last.insert(place(row).2, at);
        }
        let mut at = 0;
        rows.retain(|row| {
            at += 1;
            last.get(&place(row).2) == Some(&(at - 1)) && !taken_back(row)
        });
    }
}

/// Rows that change what is stored, in the order of their keys.
#[derive(Default)]
struct Changes {
    rows: Vec<(Event, i64, Provenance)>,
    /// Earliest moment at which what counts has changed.
    since: Option<Ts>,
}

impl Changes {
    /// First and last time of what has changed.
    fn span(&self) -> Option<(Ts, Ts)> {
        let times = || self.rows.iter().map(|(event, ..)| event.event_ts);
        times().min().zip(times().max())
    }

    /// Adds a row, also to those of its key: another of the same batch may share it.
    fn add(&mut self, event: &Event, known: Ts, slots: &mut Vec<Slot>, provenance: Provenance) {
        let rev = slots.iter().map(|s| s.rev + 1).max().unwrap_or(0);
        let mut bytes = Vec::with_capacity(56);
        event.payload.encode(&mut bytes);
        slots.push(Slot { rev, known, provenance, payload: event.payload, bytes });
        self.since = Some(self.since.map_or(event.recv_ts, |t| t.min(event.recv_ts)));
        self.rows.push((Event { recv_ts: known, ..*event }, rev, provenance));
    }
}

/// Writes an imported batch inside the transaction that `conn` is in.
pub(super) fn import(
    conn: &Connection,
    instruments: &[Instrument],
    decls: &[StreamDecl],
    events: &[Event],
    at: Ts,
) -> Inner<Imported> {
    let (sorted, total) = sort(conn, decls, events, at)?;
    write_sorted(conn, instruments, decls, events, at, (sorted, total))
}

/// The same; writes nothing and gives `None` where the batch changes what counts.
pub(super) fn import_plain(
    conn: &Connection,
    instruments: &[Instrument],
    decls: &[StreamDecl],
    events: &[Event],
    at: Ts,
) -> Inner<Option<Imported>> {
    let (sorted, total) = sort(conn, decls, events, at)?;
    if sorted.iter().any(|(_, of)| !of.changes.rows.is_empty()) {
        return Ok(None);
    }
    write_sorted(conn, instruments, decls, events, at, (sorted, total)).map(Some)
}

/// The streams of a batch, sorted out, and what contradicts.
type Batch = (Vec<(usize, Sorted)>, Imported);

fn sort(conn: &Connection, decls: &[StreamDecl], events: &[Event], at: Ts) -> Inner<Batch> {
    let (mut found, mut total) = (Vec::new(), Imported::default());
    for (stream, order) in points::by_stream(decls, events)? {
        let Some(decl) = decls.get(stream) else { continue };
        found.push((stream, split(conn, decl, events, order, at, &mut total)?));
    }
    Ok((found, total))
}

fn write_sorted(
    conn: &Connection,
    instruments: &[Instrument],
    decls: &[StreamDecl],
    events: &[Event],
    at: Ts,
    (batch, mut total): Batch,
) -> Inner<Imported> {
    let mut touched: BTreeMap<InstrumentName, (Ts, bool)> = BTreeMap::new();
    let mut gathered = Gathered::default();
    let mut renewed = Vec::new();
    let orders: Vec<imported::Order<'_>> = batch.iter().map(|(stream, of)| (*stream, of.plain.as_slice())).collect();
    let tallies = imported::write(conn, instruments, decls, events, &orders)?;
    for ((stream, sorted), tally) in batch.iter().zip(tallies) {
        let Some(decl) = decls.get(*stream) else { continue };
        points::add(&mut total.inserted, tally.inserted);
        if tally.inserted.changed() {
            gathered.note_all(conn, decl, sorted.plain.iter().filter_map(|i| events.get(*i as usize)))?;
        }
        let changed = write(conn, decl, &sorted.changes)?;
        renewed.extend(sorted.changes.span().map(|span| (decl, span)));
        total.inserted.revised += changed;
        total.inserted.same += sorted.same;
        let since = [tally.inserted.changed().then(|| tally.since()), sorted.changes.since];
        if let Some(since) = since.into_iter().flatten().min() {
            let entry = touched.entry(decl.instrument.clone()).or_insert((since, false));
            *entry = (entry.0.min(since), entry.1 || changed > 0);
        }
    }
    gathered.flush(conn, &mut Newest::default())?;
    renew(conn, &renewed)?;
    for (instrument, (since, corrected)) in touched {
        points::mark_dirty(conn, &instrument, since, corrected.then_some(at))?;
    }
    Ok(total)
}

/// Makes the originals' tables say what counts now.
fn renew(conn: &Connection, changed: &[(&StreamDecl, (Ts, Ts))]) -> Inner<()> {
    for (decl, (first, last)) in changed {
        if let Some(stream) = streams::find(conn, decl)? {
            originals::renew(conn, stream.instrument, &decl.instrument, *first, *last)?;
        }
    }
    Ok(())
}

/// A batch of one stream, sorted out.
#[derive(Default)]
struct Sorted {
    /// Positions of what nothing stored contradicts.
    plain: Vec<u32>,
    same: u64,
    changes: Changes,
}

fn split(
    conn: &Connection,
    decl: &StreamDecl,
    events: &[Event],
    order: Vec<u32>,
    at: Ts,
    total: &mut Imported,
) -> Inner<Sorted> {
    let (order, same) = match streams::find(conn, decl)? {
        Some(stream) if !conn.is_server() => imported::untold(conn, &stream, events, order)?,
        _ => (order, 0),
    };
    let Some(mut stored) = stored_under(conn, decl, events, &order)? else {
        return Ok(Sorted { plain: order, same, ..Sorted::default() });
    };
    let event_stream = points::is_event_stream(decl.metric);
    let mut sorted = Sorted { same, ..Sorted::default() };
    let mut bytes = Vec::with_capacity(56);
    for position in order {
        let Some(event) = events.get(position as usize) else { continue };
        let Some(slots) = stored.get_mut(&(event.event_ts, event.seq)) else {
            sorted.plain.push(position);
            continue;
        };
        bytes.clear();
        event.payload.encode(&mut bytes);
        let own = |s: &&Slot| !event_stream || s.bytes == bytes;
        let Some(newest) = slots.iter().filter(own).max_by_key(|s| s.order()).cloned() else {
            sorted.plain.push(position);
            continue;
        };
        let corrected = slots.iter().any(|s| s.provenance.corrects());
        let counts = newest.bytes == bytes && newest.provenance != Provenance::TakenBack;
        // What was received at another moment is an observation of its own, not a contradiction.
        let contradicts = !slots.iter().any(|s| s.bytes == bytes) && slots.iter().any(|s| s.known == event.recv_ts);
        match (corrected, counts) {
            (true, true) => {
                sorted.same += 1;
                continue;
            }
            (false, _) if !contradicts => {
                sorted.plain.push(position);
                continue;
            }
            (true, false) | (false, _) => {}
        }
        let known = at.max(Ts(newest.known.0.saturating_add(1)));
        sorted.changes.add(event, known, slots, Provenance::Correction);
        if newest.provenance != Provenance::TakenBack {
            total.contradiction.add(&newest.payload, &event.payload);
        }
    }
    Ok(sorted)
}

/// Takes back what these events say, where it is what counts. `dry`: only counts.
pub(super) fn forget(conn: &Connection, decls: &[StreamDecl], events: &[Event], at: Ts, dry: bool) -> Inner<Forgotten> {
    let mut touched: BTreeMap<InstrumentName, Ts> = BTreeMap::new();
    let mut total = Forgotten::default();
    let mut renewed = Vec::new();
    for (stream, order) in points::by_stream(decls, events)? {
        let Some(decl) = decls.get(stream) else { continue };
        let Some(mut stored) = stored_under(conn, decl, events, &order)? else {
            total.not_stored += order.len() as u64;
            continue;
        };
        let mut changes = Changes::default();
        for event in order.iter().filter_map(|i| events.get(*i as usize)) {
            match stored.get_mut(&(event.event_ts, event.seq)) {
                Some(slots) => take_back(decl, event, slots, at, &mut changes, &mut total),
                None => total.not_stored += 1,
            }
        }
        if let Some(since) = changes.since.filter(|_| !dry) {
            write(conn, decl, &changes)?;
            renewed.extend(changes.span().map(|span| (decl, span)));
            let entry = touched.entry(decl.instrument.clone()).or_insert(since);
            *entry = since.min(*entry);
        }
    }
    renew(conn, &renewed)?;
    for (instrument, since) in touched {
        points::mark_dirty(conn, &instrument, since, Some(at))?;
    }
    Ok(total)
}

fn take_back(
    decl: &StreamDecl,
    event: &Event,
    slots: &mut Vec<Slot>,
    at: Ts,
    changes: &mut Changes,
    total: &mut Forgotten,
) {
    let mut bytes = Vec::with_capacity(56);
    event.payload.encode(&mut bytes);
    let mut standing = standing(slots);
    if points::is_event_stream(decl.metric) {
        standing.retain(|s| s.bytes == bytes);
    }
    let imported = |s: &Slot| matches!(s.provenance, Provenance::Import | Provenance::Correction);
    match standing.pop() {
        Some(counts) if counts.bytes == bytes && imported(&counts) => {}
        _ if standing.iter().any(|s| s.bytes == bytes) => {
            total.superseded += 1;
            return;
        }
        _ => {
            total.not_stored += 1;
            return;
        }
    }
    let newest = slots.iter().map(|s| s.known).max().unwrap_or(at);
    let known = at.max(Ts(newest.0.saturating_add(1)));
    changes.add(event, known, slots, Provenance::TakenBack);
    total.taken_back += 1;
    if let Some(beneath) = standing.last() {
        let again = Event { payload: beneath.payload, ..*event };
        changes.add(&again, known, slots, Provenance::Correction);
        total.restored += 1;
    }
}

/// The values of a key that were not taken back, what counts last.
fn standing(slots: &[Slot]) -> Vec<Slot> {
    let mut all: Vec<&Slot> = slots.iter().collect();
    all.sort_by_key(|s| s.order());
    let mut standing: Vec<Slot> = Vec::new();
    for slot in all {
        standing.retain(|s| s.bytes != slot.bytes);
        if slot.provenance != Provenance::TakenBack {
            standing.push(slot.clone());
        }
    }
    standing
}

/// What is stored under the keys of a batch; `None` where nothing can be.
fn stored_under(conn: &Connection, decl: &StreamDecl, events: &[Event], order: &[u32]) -> Inner<Option<Slots>> {
    let at = |i: &u32| events.get(*i as usize).map(|e| e.event_ts);
    let (Some(first), Some(last)) = (order.first().and_then(at), order.last().and_then(at)) else { return Ok(None) };
    let Some(stream) = streams::find(conn, decl)? else { return Ok(None) };
    if stream.points == 0 || last < stream.first_event || first > stream.newest_event {
        return Ok(None);
    }
    // A key is in one place only.
    pieces::unpack(conn, stream.instrument, first, last)?;
    let keys: BTreeSet<(Ts, u64)> =
        order.iter().filter_map(|i| events.get(*i as usize)).map(|e| (e.event_ts, e.seq)).collect();
    let mut found = Slots::new();
    let mut statement = conn.prepare(select!(
        StoredPoint;
        " FROM points WHERE stream = ?1 AND event_ts >= ?2 AND event_ts <= ?3 ORDER BY event_ts, seq, rev"
    ))?;
    let mut rows = statement.query([stream.id, first.0, last.0])?;
    while let Some(row) = rows.next()? {
        let point = StoredPoint::read(row)?;
        let fact = point.fact(&stream)?;
        if !keys.contains(&fact.key()) {
            continue;
        }
        let mut bytes = Vec::with_capacity(48);
        fact.event.payload.encode(&mut bytes);
        let (rev, known, payload) = (point.rev, fact.event.recv_ts, fact.event.payload);
        found.entry(fact.key()).or_default().push(Slot { rev, known, provenance: fact.provenance, payload, bytes });
    }
    drop(rows);
    drop(statement);
    Ok(Some(found))
}

/// Writes rows under keys that exist; how many values they change.
fn write(conn: &Connection, decl: &StreamDecl, changes: &Changes) -> Inner<u64> {
    let Some(stream) = streams::find(conn, decl)?.filter(|_| !changes.rows.is_empty()) else { return Ok(0) };
    let mut tally = Tally::new();
    let mut scratch = Vec::new();
    for (event, _, provenance) in &changes.rows {
        tally.add(event, *provenance, &mut scratch);
    }
    if conn.is_server() {
        let row = |(event, rev, provenance): &(Event, i64, Provenance)| bulk::row(&stream, event, *rev, *provenance);
        copy_points(conn, &changes.rows.iter().map(row).collect::<Vec<_>>())?;
    } else {
        let mut target = Target::new(conn, stream.id, decl, Provenance::Correction)?;
        for (event, rev, provenance) in &changes.rows {
            target.put_at(event, *rev, *provenance)?;
        }
    }
    points::account(conn, &stream, &tally)?;
    Ok(changes.rows.iter().filter(|(_, _, p)| *p == Provenance::Correction).count() as u64)
}

/// Streams that have anything that corrects, of one instrument or of all. Without the hint SQLite takes the table's own key
/// and reads every row of a stream that has nothing.
pub(super) fn streams_with_any(conn: &Connection, instrument: Option<&InstrumentName>) -> Inner<BTreeSet<i64>> {
    const ANY: &str = "EXISTS (SELECT 1 FROM points AS p INDEXED BY points_corrected
        WHERE p.stream = s.stream AND p.provenance >= 3)";
    match instrument {
        Some(name) => conn
            .prepare(format!(
                "SELECT s.stream FROM instruments i JOIN streams s ON s.instrument = i.instrument WHERE i.name = ?1 AND {ANY}"
            ))?
            .query_map([name.to_string()], |r| r.get(0))?,
        None => conn.prepare(format!("SELECT s.stream FROM streams s WHERE {ANY}"))?.query_map(NONE, |r| r.get(0))?,
    }
    .collect()
}

/// Has the stream anything that corrects?
pub(super) fn has_any(conn: &Connection, stream: i64) -> Inner<bool> {
    let found: i64 = conn.query_row(
        "SELECT count(*) FROM
            (SELECT 1 AS one FROM points INDEXED BY points_corrected
             WHERE stream = ?1 AND provenance >= 3 LIMIT 1) AS found",
        params![stream],
        |r| r.get(0),
    )?;
    Ok(found > 0)
}

impl Contradiction {
    fn add(&mut self, old: &Payload, new: &Payload) {
        self.rows += 1;
        let change = match (old.headline(), new.headline()) {
            (Some(a), Some(b)) if a != 0.0 => b / a - 1.0,
            _ => return,
        };
        if change.is_finite() && self.largest.is_none_or(|l| l.abs() < change.abs()) {
            self.largest = Some(change);
        }
    }
}

impl Forgotten {
    /// Adds what another batch did.
    pub fn add(&mut self, part: &Self) {
        self.taken_back += part.taken_back;
        self.restored += part.restored;
        self.superseded += part.superseded;
        self.not_stored += part.not_stored;
    }
}

impl Imported {
    /// Adds what another batch of the same import did.
    pub fn add(&mut self, part: &Self) {
        let Inserted { new, revised, same, earlier } = part.inserted;
        points::add(&mut self.inserted, Inserted { new, revised, same, earlier });
        self.contradiction.rows += part.contradiction.rows;
        let larger = |a: f64, b: f64| if b.abs() > a.abs() { b } else { a };
        self.contradiction.largest = match (self.contradiction.largest, part.contradiction.largest) {
            (Some(a), Some(b)) => Some(larger(a, b)),
            (a, b) => a.or(b),
        };
    }
}
