//! Points into a server: what is stored under the keys of a batch is read at once, the rest is decided here, and all that
//! is new goes over in one COPY. The rules are those of [`super::points`].

use super::asked::{Asked as _, select};
use super::db::{Connection, SqlValue, params};
use super::fault::Inner;
use super::points::{self, StoredPoint, Tally};
use super::streams::Stored;
use crate::Provenance;
use crate::postgres::{PointRow, copy_points};
use barograph_domain::{Event, Ts};
use std::borrow::Cow;
use std::collections::BTreeMap;

/// A value under a key.
struct Slot {
    rev: i64,
    known: (Ts, Provenance),
    bytes: Vec<u8>,
    /// Where it waits to be copied; `None`: it is stored.
    waiting: Option<usize>,
}

/// The row of an event that is not stored yet.
pub(super) fn row(stream: &Stored, event: &Event, rev: i64, provenance: Provenance) -> PointRow {
    let (value, bytes) = points::columns_of(&event.payload, provenance);
    PointRow {
        stream: stream.id,
        event_ts: event.event_ts,
        seq: event.seq.cast_signed(),
        rev,
        known_ts: points::known_column(event, stream.decl.delay.0),
        value,
        bytes,
        provenance: provenance.code(),
        payload: event.payload,
    }
}

/// Writes events of one stream, given in the order of their keys.
pub(super) fn insert<'e>(
    conn: &Connection,
    stream: &Stored,
    events: impl Iterator<Item = &'e Event> + Clone,
    provenance: Provenance,
    tally: &mut Tally,
) -> Inner<()> {
    let mut known = stored_under(conn, stream, events.clone())?;
    let mut new: Vec<PointRow> = Vec::new();
    let mut scratch = Vec::new();
    for event in events {
        let mut bytes = Vec::with_capacity(48);
        event.payload.encode(&mut bytes);
        let slots = known.entry((event.event_ts, event.seq)).or_default();
        let Some(slot) = slots.iter_mut().find(|s| s.bytes == bytes) else {
            let rev = slots.iter().map(|s| s.rev + 1).max().unwrap_or(0);
            if slots.is_empty() {
                tally.inserted.new += 1
            } else {
                tally.inserted.revised += 1
            }
            slots.push(Slot { rev, known: (event.recv_ts, provenance), bytes, waiting: Some(new.len()) });
            new.push(row(stream, event, rev, provenance));
            tally.add(event, provenance, &mut scratch);
            continue;
        };
        if slot.known <= (event.recv_ts, provenance) {
            tally.inserted.same += 1;
            continue;
        }
        let column = points::known_column(event, stream.decl.delay.0);
        match slot.waiting.and_then(|at| new.get_mut(at)) {
            Some(row) => (row.known_ts, row.provenance) = (column, provenance.code()),
            None => conn.send(
                "UPDATE points SET known_ts = ?5, provenance = ?6
                 WHERE stream = ?1 AND event_ts = ?2 AND seq = ?3 AND rev = ?4",
                params![stream.id, event.event_ts.0, event.seq.cast_signed(), slot.rev, column, provenance.code()],
            )?,
        }
        tally.earlier(event, provenance, slot.known, &mut scratch);
        slot.known = (event.recv_ts, provenance);
    }
    copy_points(conn, &new)
}

type Known = BTreeMap<(Ts, u64), Vec<Slot>>;

/// What is stored at the times of these events.
fn stored_under<'e>(conn: &Connection, stream: &Stored, events: impl Iterator<Item = &'e Event>) -> Inner<Known> {
    let mut known = Known::new();
    let mut times: Vec<i64> =
        events.map(|e| e.event_ts.0).filter(|t| stream.first_event.0 <= *t && *t <= stream.newest_event.0).collect();
    times.dedup();
    if stream.points == 0 || times.is_empty() {
        return Ok(known);
    }
    let mut statement = conn.prepare(select!(StoredPoint; " FROM points WHERE stream = ?1 AND event_ts = ANY (?2)"))?;
    let mut rows = statement.query([SqlValue::Int(stream.id), SqlValue::Ints(Cow::Owned(times))])?;
    while let Some(row) = rows.next()? {
        let point = StoredPoint::read(row)?;
        let fact = point.fact(stream)?;
        let mut bytes = Vec::with_capacity(48);
        fact.event.payload.encode(&mut bytes);
        let known_at = (fact.event.recv_ts, fact.provenance);
        known.entry(fact.key()).or_default().push(Slot { rev: point.rev, known: known_at, bytes, waiting: None });
    }
    Ok(known)
}
