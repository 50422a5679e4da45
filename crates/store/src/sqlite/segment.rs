//! Segments: which pieces of what was written make up a run, and the removal of those that no longer do.
//!
//! A run's live segments cover disjoint intervals of minutes. Everything that belongs to a segment (chunks, label
//! changes, gaps, checkpoints) counts only inside its interval.

use super::decl::Layout;
use super::fault::{Fault, Inner};
use crate::RunKey;
use crate::codec::{self, ChunkBuilder};
use barograph_domain::{MinuteRow, Span, Ts};
use rusqlite::{Connection, OptionalExtension, params};

/// Chunks removed in one transaction: about 1 MiB.
const GARBAGE_CHUNKS: i64 = 64;

/// Minutes `from ≤ ts < until` of a run.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Segment {
    pub(super) id: i64,
    pub(super) from: Ts,
    pub(super) until: Ts,
}

impl Segment {
    /// First and last possible chunk inside.
    pub(super) const fn chunks(&self) -> (i64, i64) {
        (chunk_key(self.id, self.from), chunk_key(self.id, Ts(self.until.0.saturating_sub(1))))
    }

    /// The part of it inside `from ≤ ts ≤ last`, if any.
    pub(super) fn within(&self, from: Ts, last: Ts) -> Option<Self> {
        let part = Self { id: self.id, from: self.from.max(from), until: self.until.min(Ts(last.0.saturating_add(1))) };
        (part.from < part.until).then_some(part)
    }
}

/// Key of the chunk that holds a minute: chunks of a segment lie together in the order of their hours.
pub(super) const fn chunk_key(segment: i64, ts: Ts) -> i64 {
    let hour = ts.0.div_euclid(Span::hours(1).0);
    // Hours of an i64 of nanoseconds need 23 bits.
    (segment << 32) | (hour + (1 << 31))
}

/// Id of a run.
pub(super) fn run_id(conn: &Connection, key: &RunKey) -> Inner<Option<i64>> {
    Ok(conn
        .prepare_cached("SELECT run FROM runs WHERE instrument = ?1 AND logic_version = ?2")?
        .query_row(params![key.instrument.to_string(), key.logic_version], |r| r.get(0))
        .optional()?)
}

/// Live segments in ascending order.
pub(super) fn live(conn: &Connection, run: i64) -> Inner<Vec<Segment>> {
    let mut statement =
        conn.prepare_cached("SELECT segment, from_ts, until_ts FROM segments WHERE run = ?1 ORDER BY from_ts")?;
    let found = statement
        .query_map([run], |r| Ok(Segment { id: r.get(0)?, from: Ts(r.get(1)?), until: Ts(r.get(2)?) }))?
        .collect::<Result<_, _>>()?;
    Ok(found)
}

/// A new segment that belongs to nothing yet.
pub(super) fn create(conn: &Connection, from: Ts) -> Inner<i64> {
    conn.prepare_cached("INSERT INTO segments (run, from_ts, until_ts) VALUES (NULL, ?1, ?2)")?
        .execute([from.0, i64::MAX])?;
    Ok(conn.last_insert_rowid())
}

/// One chunk ready to be stored.
#[derive(Clone, Debug)]
pub(super) struct Chunk {
    pub(super) rows: usize,
    pub(super) first: Ts,
    pub(super) last: Ts,
    pub(super) thinned: bool,
    pub(super) body: Vec<u8>,
}

impl Chunk {
    /// Packs rows of one hour that are in terms of the layout already. `None` for no rows.
    pub(super) fn pack(rows: &[MinuteRow], layout: &Layout, thinned: bool) -> Inner<Option<Self>> {
        let (Some(first), Some(last)) = (rows.first(), rows.last()) else { return Ok(None) };
        let same = (0..layout.streams.len()).map(|i| u16::try_from(i).ok()).collect();
        let mut builder = ChunkBuilder::new(layout.width(), same)?;
        for row in rows {
            builder.push(row).map_err(|e| Fault::Damaged(format!("the row of {} {e}", row.ts)))?;
        }
        let (first, last) = (first.ts, last.ts);
        Ok(Some(Self { rows: rows.len(), first, last, thinned, body: builder.finish()? }))
    }

    /// Stores it in a segment, in place of what was there.
    pub(super) fn put(&self, conn: &Connection, segment: i64, layout: i64) -> Inner<()> {
        let rows = i64::try_from(self.rows).unwrap_or(i64::MAX);
        conn.prepare_cached("INSERT OR REPLACE INTO feature_chunks VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)")?.execute(
            params![chunk_key(segment, self.first), layout, rows, self.first.0, self.last.0, self.thinned, self.body],
        )?;
        Ok(())
    }
}

/// The rows of the chunk that holds `at`, and its layout; none where there is no such chunk.
pub(super) fn chunk_at(conn: &Connection, segment: i64, at: Ts) -> Inner<Option<(i64, bool, Vec<MinuteRow>)>> {
    let key = chunk_key(segment, at);
    let found: Option<(i64, bool, Vec<u8>)> = conn
        .prepare_cached("SELECT layout, thinned, body FROM feature_chunks WHERE chunk = ?1")?
        .query_row([key], |r| Ok((r.get(0)?, r.get(1)?, r.get(2)?)))
        .optional()?;
    let Some((layout, thinned, body)) = found else { return Ok(None) };
    let width = Layout::load(conn, layout)?.width();
    let rows = codec::decode(&body, width).map_err(|e| Fault::chunk(key, e))?;
    Ok(Some((layout, thinned, rows)))
}

/// Takes everything from `from` on out of a segment, except whole chunks beyond it, which `collect_some_garbage` finds.
pub(super) fn cut(conn: &Connection, segment: i64, from: Ts) -> Inner<()> {
    if let Some((layout, thinned, mut rows)) = chunk_at(conn, segment, from)? {
        let before = rows.len();
        rows.retain(|r| r.ts < from);
        if rows.len() < before {
            match Chunk::pack(&rows, &Layout::load(conn, layout)?, thinned)? {
                Some(chunk) => chunk.put(conn, segment, layout)?,
                None => {
                    conn.prepare_cached("DELETE FROM feature_chunks WHERE chunk = ?1")?
                        .execute([chunk_key(segment, from)])?;
                }
            }
        }
    }
    for sql in [
        "DELETE FROM label_changes WHERE segment = ?1 AND ts >= ?2",
        "DELETE FROM gaps WHERE segment = ?1 AND row_ts >= ?2",
        "DELETE FROM checkpoints WHERE segment = ?1 AND ts >= ?2",
        "UPDATE segments SET until_ts = ?2 WHERE segment = ?1",
    ] {
        conn.prepare_cached(sql)?.execute([segment, from.0])?;
    }
    Ok(())
}

/// Detaches a segment from its run; its content is garbage from then on.
pub(super) fn drop_segment(conn: &Connection, segment: i64) -> Inner<()> {
    conn.prepare_cached("UPDATE segments SET run = NULL WHERE segment = ?1")?.execute([segment])?;
    Ok(())
}

/// Removes a run; its content is garbage from then on.
pub(super) fn remove_run(conn: &Connection, key: &RunKey) -> Inner<()> {
    let Some(run) = run_id(conn, key)? else {
        return Err(Fault::Invalid(format!("there is no run of {} for {}", key.logic_version, key.instrument)));
    };
    conn.execute("UPDATE segments SET run = NULL WHERE run = ?1", [run])?;
    conn.execute("DELETE FROM runs WHERE run = ?1", [run])?;
    Ok(())
}

/// Removes a little of what belongs to nothing; false when there is nothing left to remove.
pub(super) fn collect_some_garbage(conn: &Connection) -> Inner<bool> {
    let mut statement =
        conn.prepare_cached("SELECT segment, until_ts, run IS NULL FROM segments WHERE run IS NULL OR until_ts < ?1")?;
    let found = statement
        .query_map([i64::MAX], |r| Ok((r.get(0)?, Ts(r.get(1)?), r.get(2)?)))?
        .collect::<Result<Vec<(i64, Ts, bool)>, _>>()?;
    for (segment, until, dead) in found {
        // Of a live segment, the chunk that holds its last minute stays.
        let last = Ts(until.0.saturating_sub(1));
        let first = if dead { chunk_key(segment, Ts::MIN) } else { chunk_key(segment, last) + 1 };
        let removed = conn
            .prepare_cached(
                "DELETE FROM feature_chunks WHERE chunk IN
                    (SELECT chunk FROM feature_chunks WHERE chunk BETWEEN ?1 AND ?2 LIMIT ?3)",
            )?
            .execute([first, chunk_key(segment, Ts::MAX), GARBAGE_CHUNKS])?;
        if removed > 0 {
            return Ok(true);
        }
        if dead {
            for table in ["label_changes", "gaps", "checkpoints", "segments"] {
                conn.execute(&format!("DELETE FROM {table} WHERE segment = ?1"), [segment])?;
            }
            return Ok(true);
        }
    }
    Ok(false)
}
