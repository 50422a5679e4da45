//! Retention (A22): thinning old rows to the 5-minute grid and label changes, and, where asked for, removing old points.
//!
//! A little per transaction. Each step leaves a state that is right in itself, so a prune that was killed is completed
//! by the next one.

use super::asked::{Asked as _, select};
use super::db::{Connection, params};
use super::decl::Layout;
use super::fault::{Inner, SqlFault};
use super::pieces::Limit;
use super::points::StoredPoint;
use super::rows::PackedRows;
use super::segment::{self, Chunk, Part};
use super::streams::{self, Stored};
use super::writer::Core;
use super::{digest, ledger_kept, originals, outbox, pieces, rows, runs};
use crate::postgres;
use crate::{Pruned, Result, Retention, WriterRole, codec};
use barograph_domain::{InstrumentName, MinuteRow, Span, Ts};
use std::collections::{BTreeMap, BTreeSet};

/// What stays of old rows.
const COARSE_GRID: Span = Span::mins(5);
/// Chunks read and written in one transaction: 1.5 MB.
const CHUNKS: usize = 64;
/// Points removed in one transaction: about 50 ms.
const POINTS: i64 = 50_000;

/// Markets that a writer may touch; `None`: all.
pub(super) type Only<'a> = Option<&'a BTreeSet<i64>>;

/// See [`crate::Writer::prune`].
pub(super) fn prune(writer: &mut Core, retention: &Retention) -> Result<Pruned> {
    let own = writer.own_markets();
    if own.is_none() {
        writer.need(WriterRole::Context)?;
    }
    let mut pruned = Pruned::default();
    for (segment, cutoff) in writer.read(|conn| old_segments(conn, retention.minute_rows, own.as_ref()))? {
        let mut next = Some(segment.chunks().0);
        while let Some(first) = next {
            let (removed, further) = writer.write(|tx| thin_some(tx, segment, first, cutoff))?;
            pruned.rows += removed;
            next = further;
        }
    }
    pruned.ledger_states += writer.write(ledger_kept::prune)?;
    prune_outbox(writer, retention.deliveries, &mut pruned)?;
    if own.is_some() || writer.need(WriterRole::Ingest).is_ok() {
        prune_raw(writer, retention, own.as_ref(), &mut pruned)?;
    } else if retention.points.is_some() {
        writer.need(WriterRole::Ingest)?;
    }
    Ok(pruned)
}

/// Messages that have been delivered, or never will be.
fn prune_outbox(writer: &mut Core, keep: Span, pruned: &mut Pruned) -> Result<()> {
    let Some(newest) = writer.read(outbox::newest)? else { return Ok(()) };
    let oldest = Ts(newest.0.saturating_sub(keep.0));
    loop {
        let removed = writer.write(|tx| outbox::prune_some(tx, oldest))?;
        pruned.messages += removed;
        if removed == 0 {
            return Ok(());
        }
    }
}

/// Points and order books.
fn prune_raw(writer: &mut Core, retention: &Retention, only: Only<'_>, pruned: &mut Pruned) -> Result<()> {
    let mut by_instrument: BTreeMap<i64, Vec<Stored>> =
        writer.read(streams::numbers)?.into_iter().map(|id| (id, Vec::new())).collect();
    for stream in writer.read(|conn| streams::load(conn, None))? {
        by_instrument.entry(stream.instrument).or_default().push(stream);
    }
    // The writer of another market remembers the figures of its streams.
    by_instrument.retain(|id, _| only.is_none_or(|own| own.contains(id)));
    for (instrument, own) in by_instrument {
        let limit = |s: &Stored, keep: Span| Ts(s.newest_event.0.saturating_sub(keep.0));
        let keep = retention.points.map_or(retention.raw, |p| p.min(retention.raw));
        let imported = |s: &Stored| retention.points.map(|keep| limit(s, keep));
        let limits = own.iter().map(|s| (s.id, Limit { received: limit(s, keep), imported: imported(s) })).collect();
        pruned.points += writer.write(|tx| remove_live_points(tx, instrument, &own, &limits))?;
        for stream in &own {
            // From the table of points: first what was live, then all of it where that is asked for.
            for (keep, which) in [(Some(retention.raw), (1, 2)), (retention.points, (0, 4))] {
                let Some(oldest) = keep.map(|k| limit(stream, k)) else { continue };
                let mut removed = 1;
                while removed > 0 && stream.first_event < oldest {
                    removed = writer.write(|tx| remove_some_points(tx, stream, oldest, which))?;
                    pruned.points += removed;
                }
            }
        }
        pruned.books += writer.write(|tx| super::books::prune(tx, instrument, retention.raw))?;
    }
    writer.write(|tx| originals::prune(tx, retention.raw, only))?;
    for table in ["points", "books"] {
        // Someone reads it just now: the next prune tries again.
        if let Err(e) = writer.write(|tx| postgres::drop_empty(tx, table))
            && !matches!(e, crate::Error::Busy { .. })
        {
            return Err(e);
        }
    }
    Ok(())
}

/// Removes points that are older than the limits of their streams from the pieces of an instrument.
fn remove_live_points(conn: &Connection, instrument: i64, own: &[Stored], limits: &BTreeMap<i64, Limit>) -> Inner<u64> {
    let gone = pieces::prune(conn, instrument, limits)?;
    let mut scratch = Vec::new();
    for stream in own {
        let (mut count, mut sum) = (0_i64, 0_i64);
        for point in gone.iter().filter(|p| p.stream == stream.id) {
            let fact = pieces::fact(point);
            sum = sum.wrapping_add(digest::of_point(&fact.event, fact.provenance, &mut scratch));
            count += 1;
        }
        take_off(conn, stream, count, sum)?;
    }
    Ok(gone.len() as u64)
}

/// Takes removed points out of the figures of their stream.
fn take_off(conn: &Connection, stream: &Stored, count: i64, sum: i64) -> Inner<()> {
    if count == 0 {
        return Ok(());
    }
    let sum = streams::digest(conn, stream.id)?.wrapping_sub(sum);
    conn.prepare("UPDATE streams SET points = points - ?2, digest = ?3 WHERE stream = ?1")?
        .execute([stream.id, count, sum])?;
    streams::refigure(conn, stream)
}

/// The parts of runs that lie before the minute from which everything is kept.
fn old_segments(conn: &Connection, keep: Span, only: Only<'_>) -> Inner<Vec<(Part, Ts)>> {
    let names = only.map(|own| streams::names(conn, own)).transpose()?;
    let mut newest: BTreeMap<InstrumentName, Ts> = BTreeMap::new();
    let mut runs = runs::load(conn, runs::Which::All, None)?;
    for (_, info) in &runs {
        if let Some((_, last)) = info.minutes {
            let entry = newest.entry(info.spec.key.instrument.clone()).or_insert(last);
            *entry = last.max(*entry);
        }
    }
    runs.extend(runs::past(conn)?.into_iter().map(|(_, run, info)| (run, info)));
    runs.retain(|(_, info)| names.as_ref().is_none_or(|own| own.contains(&info.spec.key.instrument)));
    let mut found = Vec::new();
    for (run, info) in &runs {
        let Some(newest) = newest.get(&info.spec.key.instrument) else { continue };
        // By whole hours, so that a chunk is thinned or it is not.
        let cutoff = Ts(newest.0.saturating_sub(keep.0)).floor(Span::hours(1));
        let old = segment::parts(conn, *run)?;
        found.extend(old.iter().filter_map(|s| s.within(Ts::MIN, Ts(cutoff.0.saturating_sub(1)))).map(|s| (s, cutoff)));
    }
    Ok(found)
}

/// Thins a few chunks from key `first` on. Returns how many rows went, and where to go on.
fn thin_some(conn: &Connection, segment: Part, first: i64, cutoff: Ts) -> Inner<(u64, Option<i64>)> {
    let mut statement = conn.prepare(select!(
        PackedRows;
        " FROM feature_chunks INDEXED BY feature_chunks_extent
         WHERE chunk BETWEEN ?1 AND ?2 AND thinned = 0 ORDER BY chunk LIMIT ?3"
    ))?;
    let found = statement
        .query_map(params![first, segment.chunks().1, i64::try_from(CHUNKS).unwrap_or(i64::MAX)], |r| {
            let PackedRows { chunk, layout, body } = PackedRows::read(r)?;
            Ok((chunk, layout, body.to_vec()))
        })?
        .collect::<Inner<Vec<_>>>()?;
    let next = found.last().filter(|_| found.len() == CHUNKS).map(|(key, _, _)| key + 1);
    let mut removed = 0;
    for (key, layout_id, body) in found {
        let layout = Layout::load(conn, layout_id)?;
        let rows = codec::decode(&body, layout.width()).map_err(|e| SqlFault::chunk(key, e))?;
        let changes = rows::change_minutes(conn, segment.id, &rows)?;
        removed += thin(conn, key, layout_id, &layout, rows, &changes, cutoff)?;
    }
    Ok((removed, next))
}

fn thin(
    conn: &Connection,
    key: i64,
    layout_id: i64,
    layout: &Layout,
    mut rows: Vec<MinuteRow>,
    changes: &BTreeSet<Ts>,
    cutoff: Ts,
) -> Inner<u64> {
    let before = rows.len();
    // A chunk that reaches beyond the cutoff is looked at again next time.
    let whole = rows.last().is_some_and(|r| r.ts.floor(Span::hours(1)) + Span::hours(1) <= cutoff);
    rows.retain(|r| r.ts >= cutoff || r.ts.floor(COARSE_GRID) == r.ts || changes.contains(&r.ts));
    if rows.len() < before || whole {
        match Chunk::pack(&rows, layout, whole)? {
            Some(chunk) => chunk.put(conn, key, layout_id)?,
            None => {
                conn.prepare("DELETE FROM feature_chunks WHERE chunk = ?1")?.execute([key])?;
            }
        }
    }
    Ok((before - rows.len()) as u64)
}

/// Removes points of a stream that happened before `oldest`, of the first to the last provenance by number.
fn remove_some_points(conn: &Connection, stream: &Stored, oldest: Ts, which: (i64, i64)) -> Inner<u64> {
    let mut statement = conn.prepare(select!(
        StoredPoint;
        " FROM points
         WHERE stream = ?1 AND event_ts < ?2 AND provenance BETWEEN ?3 AND ?4 ORDER BY event_ts, seq, rev LIMIT ?5"
    ))?;
    let mut rows = statement.query(params![stream.id, oldest.0, which.0, which.1, POINTS])?;
    let (mut count, mut sum, mut last) = (0_i64, 0_i64, (i64::MIN, 0_i64, 0_i64));
    let mut scratch = Vec::new();
    while let Some(row) = rows.next()? {
        let point = StoredPoint::read(row)?;
        last = point.place();
        let fact = point.fact(stream)?;
        sum = sum.wrapping_add(digest::of_point(&fact.event, fact.provenance, &mut scratch));
        count += 1;
    }
    drop(rows);
    if count > 0 {
        conn.prepare(
            "DELETE FROM points WHERE stream = ?1 AND (event_ts, seq, rev) <= (?2, ?3, ?4) AND provenance BETWEEN ?5 AND ?6",
        )?
        .execute(params![stream.id, last.0, last.1, last.2, which.0, which.1])?;
    }
    take_off(conn, stream, count, sum)?;
    Ok(count.unsigned_abs())
}
