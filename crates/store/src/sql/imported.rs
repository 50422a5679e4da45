//! Imported points on their way in: hours that nothing is stored of become pieces, everything else goes row by row.
//!
//! A minute of a market as a piece takes a quarter of what its rows take, and is written in a fraction of the time. What a later
//! import says otherwise moves a piece into the table first (`unpack`); what it says again is looked up in the pieces, so that the
//! same files imported every day leave them as they are.

use super::db::Connection;
use super::fault::Inner;
use super::pieces::{self, Scan};
use super::points::{self, Tally, Target};
use super::streams::{self, Stored};
use crate::Provenance;
use crate::codec::points::PackedPoint;
use barograph_domain::{Event, Instrument, Payload, Span, StreamDecl};
use std::collections::BTreeMap;

const HOUR: Span = Span::hours(1);
/// An hour with fewer points stays in rows: a piece of a few points takes more than they do.
const PIECE_MIN: usize = 24;

/// Positions in a batch of the events of one stream, in the order of their keys.
pub(super) type Order<'a> = (usize, &'a [u32]);

/// Writes imported events, given stream by stream. Returns what was done to each stream, in the same order.
pub(super) fn write(
    conn: &Connection,
    instruments: &[Instrument],
    decls: &[StreamDecl],
    events: &[Event],
    orders: &[Order<'_>],
) -> Inner<Vec<Tally>> {
    let mut tallies = Vec::with_capacity(orders.len());
    let mut fresh: BTreeMap<i64, Vec<PackedPoint>> = BTreeMap::new();
    let mut scratch = Vec::new();
    for (stream, order) in orders {
        let Some(decl) = decls.get(*stream) else { continue };
        let found = if conn.is_server() { None } else { ahead(conn, instruments, decl, events, order)? };
        let Some(stored) = found else {
            tallies.push(points::insert_stream(conn, instruments, decl, events, order, Provenance::Import)?);
            continue;
        };
        let mut tally = Tally::new();
        let own = fresh.entry(stored.instrument).or_default();
        for event in order.iter().filter_map(|i| events.get(*i as usize)) {
            own.push(packed(&stored, event));
            tally.inserted.new += 1;
            tally.add(event, Provenance::Import, &mut scratch);
        }
        points::account(conn, &stored, &tally)?;
        tallies.push(tally);
    }
    for (instrument, own) in fresh {
        put(conn, instrument, own)?;
    }
    Ok(tallies)
}

/// The stream of these events, where each is later than all that is stored of it and than the one before.
fn ahead(
    conn: &Connection,
    instruments: &[Instrument],
    decl: &StreamDecl,
    events: &[Event],
    order: &[u32],
) -> Inner<Option<Stored>> {
    let key = |i: &u32| events.get(*i as usize).map(|e| (e.event_ts, e.seq));
    let Some((first, _)) = order.first().and_then(key) else { return Ok(None) };
    if !order.is_sorted_by(|a, b| key(a) < key(b)) {
        return Ok(None);
    }
    let Some(instrument) = instruments.iter().find(|i| i.name == decl.instrument) else { return Ok(None) };
    let instrument = streams::ensure_instrument(conn, instrument)?;
    let stored = streams::ensure(conn, instrument, decl)?;
    Ok((stored.points == 0 || stored.newest_event < first).then_some(stored))
}

const fn packed(stored: &Stored, event: &Event) -> PackedPoint {
    let Event { recv_ts: known_ts, event_ts, seq, payload, .. } = *event;
    PackedPoint { stream: stored.id, event_ts, known_ts, seq, provenance: Provenance::Import, payload }
}

/// Stores points whose keys are nowhere yet.
fn put(conn: &Connection, instrument: i64, mut points: Vec<PackedPoint>) -> Inner<()> {
    points.sort_by_key(|p| (p.event_ts.floor(HOUR), p.stream, p.event_ts, p.seq));
    let mut next = pieces::next_imported(conn, instrument)?;
    let mut few: BTreeMap<i64, Vec<&PackedPoint>> = BTreeMap::new();
    for hour in points.chunk_by(|a, b| a.event_ts.floor(HOUR) == b.event_ts.floor(HOUR)) {
        if hour.len() < PIECE_MIN {
            hour.iter().for_each(|p| few.entry(p.stream).or_default().push(p));
            continue;
        }
        pieces::put(conn, instrument, next, hour)?;
        next -= 1;
    }
    if few.is_empty() {
        return Ok(());
    }
    let decls = streams::metrics(conn, instrument)?;
    for (stream, own) in few {
        let Some(decl) = decls.get(&stream) else { continue };
        let mut target = Target::new(conn, stream, decl, Provenance::Import)?;
        for point in own {
            target.put_beside(&pieces::fact(point).event, point.provenance)?;
        }
    }
    Ok(())
}

/// Those of the events that the pieces do not say already, and how many they do.
pub(super) fn untold(conn: &Connection, stream: &Stored, events: &[Event], order: Vec<u32>) -> Inner<(Vec<u32>, u64)> {
    let time = |i: &u32| events.get(*i as usize).map(|e| e.event_ts);
    let (Some(first), Some(last)) = (order.first().and_then(time), order.last().and_then(time)) else {
        return Ok((order, 0));
    };
    let mut scan = Scan::by_event(conn, stream, first, last)?;
    let mut next = scan.next(conn)?;
    if next.is_none() {
        return Ok((order, 0));
    }
    let bytes = |payload: &Payload| {
        let mut bytes = Vec::with_capacity(56);
        payload.encode(&mut bytes);
        bytes
    };
    let (all, mut rest) = (order.len(), Vec::new());
    for position in order {
        let Some(event) = events.get(position as usize) else { continue };
        while next.is_some_and(|f| f.key() < (event.event_ts, event.seq)) {
            next = scan.next(conn)?;
        }
        let told = next.is_some_and(|f| {
            f.key() == (event.event_ts, event.seq)
                && (f.event.recv_ts, f.provenance) <= (event.recv_ts, Provenance::Import)
                && bytes(&f.event.payload) == bytes(&event.payload)
        });
        if !told {
            rest.push(position);
        }
    }
    let told = (all - rest.len()) as u64;
    Ok((rest, told))
}
