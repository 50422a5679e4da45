//! Segments: which pieces of what was written make up a run, and the removal of those that no longer do.
//!
//! A segment holds what was written in one go, or all that was published live of one run. The parts of a run say which
//! segment shows which minutes; they do not overlap, and several may show minutes of one segment. Everything in a
//! segment (chunks, label changes, gaps, checkpoints) counts only inside its parts, except that gaps published live
//! always do. A chunk is keyed by the minute from which on it may hold rows, and never reaches beyond its hour.

use super::db::{Connection, NONE, Optional, params};
use super::decl::Layout;
use super::fault::{Inner, SqlFault};
use crate::RunKey;
use crate::codec::{self, ChunkBuilder};
use crate::schema::{TableDef, insert, tables};
use barograph_domain::{MinuteRow, Span, Ts};

/// Chunks removed in one transaction: about 1 MiB.
const GARBAGE_CHUNKS: i64 = 64;

/// What a segment says beside its chunks, and the column of the minute that it says it in: copied, cut and removed with it.
const BESIDE_ROWS: [(TableDef, &str); 6] = [
    (tables::label_changes, "ts"),
    (tables::axis_changes, "ts"),
    (tables::gaps, "row_ts"),
    (tables::level_changes, "row_ts"),
    (tables::alerts, "row_ts"),
    (tables::checkpoints, "ts"),
];

/// Minutes `from ≤ ts < until` of a run.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Part {
    /// The segment that shows them.
    pub(super) id: i64,
    pub(super) from: Ts,
    pub(super) until: Ts,
    /// Published: never replaced.
    pub(super) live: bool,
}

impl Part {
    /// First and last possible chunk inside.
    pub(super) const fn chunks(&self) -> (i64, i64) {
        (hour_key(self.id, self.from), chunk_key(self.id, Ts(self.until.0.saturating_sub(1))))
    }

    pub(super) fn contains(&self, ts: Ts) -> bool {
        self.from <= ts && ts < self.until
    }

    /// The part of it inside `from ≤ ts ≤ last`, if any.
    pub(super) fn within(&self, from: Ts, last: Ts) -> Option<Self> {
        let part = Self { from: self.from.max(from), until: self.until.min(Ts(last.0.saturating_add(1))), ..*self };
        (part.from < part.until).then_some(part)
    }
}

/// Key of a chunk that may hold rows from a minute on: those of a segment lie together in the order of time.
pub(super) const fn chunk_key(segment: i64, ts: Ts) -> i64 {
    let minute = ts.0.div_euclid(Span::mins(1).0);
    // Minutes of an i64 of nanoseconds need 29 bits.
    (segment << 32) | (minute + (1 << 31))
}

/// Key of the chunk of a whole hour; the first that can hold a minute of it.
pub(super) const fn hour_key(segment: i64, ts: Ts) -> i64 {
    let hour = Span::hours(1).0;
    chunk_key(segment, Ts(ts.0.saturating_sub(ts.0.rem_euclid(hour))))
}

/// Id of a run.
pub(super) fn run_id(conn: &Connection, key: &RunKey) -> Inner<Option<i64>> {
    conn.query_row(
        "SELECT run FROM runs WHERE instrument = ?1 AND logic_version = ?2",
        params![key.instrument.to_string(), &key.logic_version],
        |r| r.get(0),
    )
    .optional()
}

/// Id of what answers for a run at a moment: itself, or what it was before the first correction after that moment.
pub(super) fn edition(conn: &Connection, key: &RunKey, as_of: Option<Ts>) -> Inner<Option<i64>> {
    if let Some(at) = as_of {
        let past = conn
            .prepare(
                "SELECT run FROM past_runs WHERE instrument = ?1 AND logic_version = ?2 AND retired_ts > ?3
                 ORDER BY retired_ts LIMIT 1",
            )?
            .query_row(params![key.instrument.to_string(), &key.logic_version, at.0], |r| r.get(0))
            .optional()?;
        if past.is_some() {
            return Ok(past);
        }
    }
    run_id(conn, key)
}

/// Does another run, or what one was, show minutes of a segment too?
pub(super) fn is_shared(conn: &Connection, segment: i64, run: i64) -> Inner<bool> {
    let others: i64 = conn
        .prepare("SELECT count(*) FROM parts WHERE segment = ?1 AND run <> ?2")?
        .query_row([segment, run], |r| r.get(0))?;
    Ok(others > 0)
}

/// The parts of a run in ascending order.
pub(super) fn parts(conn: &Connection, run: i64) -> Inner<Vec<Part>> {
    let mut statement =
        conn.prepare("SELECT segment, from_ts, until_ts, live FROM parts WHERE run = ?1 ORDER BY from_ts")?;
    let found = statement
        .query_map([run], |r| {
            Ok(Part { id: r.get(0)?, from: Ts(r.get(1)?), until: Ts(r.get(2)?), live: r.get::<i64>(3)? != 0 })
        })?
        .collect::<Inner<_>>()?;
    Ok(found)
}

/// See [`crate::Reader::thinned_until`]. Whole hours are thinned, one chunk each.
pub(super) fn thinned_until(conn: &Connection, run: i64) -> Inner<Option<Ts>> {
    let mut until = None;
    for part in parts(conn, run)? {
        let (low, high) = part.chunks();
        let sql = "SELECT max(last_ts) FROM feature_chunks WHERE chunk BETWEEN ?1 AND ?2 AND thinned = 1";
        let last = conn.query_row(sql, [low, high], |r| r.get::<Option<i64>>(0))?;
        until = until.max(last.map(|last| (Ts(last).floor(Span::hours(1)) + Span::hours(1)).min(part.until)));
    }
    Ok(until)
}

/// Makes a part; nothing where it is empty.
pub(super) fn add_part(conn: &Connection, run: i64, part: Part) -> Inner<()> {
    if part.from < part.until {
        let (sql, row) = insert!(parts or Fail {
            run, from_ts: part.from.0, until_ts: part.until.0, segment: part.id, live: part.live,
        });
        conn.execute(sql, row)?;
    }
    Ok(())
}

pub(super) fn remove_part(conn: &Connection, run: i64, part: Part) -> Inner<()> {
    conn.prepare("DELETE FROM parts WHERE run = ?1 AND from_ts = ?2")?.execute([run, part.from.0])?;
    Ok(())
}

/// Gives a run's part a segment of its own: its minutes, and what the old one says before `until`.
pub(super) fn part_with_copy(conn: &Connection, run: i64, part: Part, until: Ts) -> Inner<Part> {
    let own = Part { id: create(conn)?, ..part };
    let (first, last) = part.chunks();
    // Keys are the segment's number before the minute's.
    let shift = own.chunks().0 - first;
    let chunks = tables::feature_chunks.copy_of("chunk", "chunk + CAST(?3 AS BIGINT)");
    conn.execute(format!("{chunks} WHERE chunk BETWEEN ?1 AND ?2"), [first, last, shift])?;
    for (table, ts) in BESIDE_ROWS {
        let said = table.copy_of("segment", "CAST(?2 AS BIGINT)");
        conn.execute(format!("{said} WHERE segment = ?1 AND {ts} < ?3"), [part.id, own.id, until.0])?;
    }
    conn.prepare("UPDATE parts SET segment = ?3 WHERE run = ?1 AND from_ts = ?2")?.execute([
        run,
        part.from.0,
        own.id,
    ])?;
    Ok(own)
}

/// A new segment that no part shows yet.
pub(super) fn create(conn: &Connection) -> Inner<i64> {
    conn.query_row("INSERT INTO segments DEFAULT VALUES RETURNING segment", NONE, |r| r.get(0))
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
            builder.push(row).map_err(|e| SqlFault::Damaged(format!("the row of {} {e}", row.ts)))?;
        }
        let (first, last) = (first.ts, last.ts);
        Ok(Some(Self { rows: rows.len(), first, last, thinned, body: builder.finish()? }))
    }

    /// Stores it under a key, in place of what was there.
    pub(super) fn put(&self, conn: &Connection, key: i64, layout: i64) -> Inner<()> {
        let rows = i64::try_from(self.rows).unwrap_or(i64::MAX);
        let (sql, row) = insert!(feature_chunks or Update {
            chunk: key, layout, rows, first_ts: self.first.0, last_ts: self.last.0, thinned: self.thinned,
            body: &self.body,
        });
        conn.send(sql, row)
    }
}

/// The rows of the chunk of a whole hour that holds `at`, and its layout; none where there is no such chunk.
pub(super) fn hour_at(conn: &Connection, segment: i64, at: Ts) -> Inner<Option<(i64, bool, Vec<MinuteRow>)>> {
    let key = hour_key(segment, at);
    let found: Option<(i64, i64, Vec<u8>)> = conn
        .prepare("SELECT layout, thinned, body FROM feature_chunks WHERE chunk = ?1")?
        .query_row([key], |r| Ok((r.get(0)?, r.get(1)?, r.get(2)?)))
        .optional()?;
    let Some((layout, thinned, body)) = found else { return Ok(None) };
    let width = Layout::load(conn, layout)?.width();
    let rows = codec::decode(&body, width).map_err(|e| SqlFault::chunk(key, e))?;
    Ok(Some((layout, thinned != 0, rows)))
}

/// Takes everything from `from` on out of a segment that is not live.
pub(super) fn cut(conn: &Connection, segment: i64, from: Ts) -> Inner<()> {
    let key = hour_key(segment, from);
    if let Some((layout, thinned, mut rows)) = hour_at(conn, segment, from)? {
        let before = rows.len();
        rows.retain(|r| r.ts < from);
        if rows.len() < before {
            match Chunk::pack(&rows, &Layout::load(conn, layout)?, thinned)? {
                Some(chunk) => chunk.put(conn, key, layout)?,
                None => {
                    conn.prepare("DELETE FROM feature_chunks WHERE chunk = ?1")?.execute([key])?;
                }
            }
        }
    }
    for (table, ts) in BESIDE_ROWS {
        conn.execute(format!("DELETE FROM {} WHERE segment = ?1 AND {ts} >= ?2", table.name), [segment, from.0])?;
    }
    Ok(())
}

/// Removes a run; its content is garbage from then on.
pub(super) fn remove_run(conn: &Connection, key: &RunKey) -> Inner<()> {
    let Some(run) = run_id(conn, key)? else {
        return Err(SqlFault::Invalid(format!("there is no run of {} for {}", key.logic_version, key.instrument)));
    };
    conn.execute(
        "DELETE FROM parts WHERE run = ?1
            OR run IN (SELECT run FROM past_runs WHERE instrument = ?2 AND logic_version = ?3)",
        params![run, key.instrument.to_string(), &key.logic_version],
    )?;
    conn.execute(
        "DELETE FROM past_runs WHERE instrument = ?1 AND logic_version = ?2",
        params![key.instrument.to_string(), &key.logic_version],
    )?;
    conn.execute("DELETE FROM runs WHERE run = ?1", [run])?;
    super::universe::mark(conn, &key.logic_version, Ts::MIN)?;
    super::ledger_kept::mark(conn, &key.logic_version, Ts::MIN)
}

/// Removes a little of what no part shows; false when there is nothing left to remove.
pub(super) fn collect_some_garbage(conn: &Connection) -> Inner<bool> {
    let mut statement = conn.prepare(
        "SELECT segment, (SELECT max(until_ts) FROM parts WHERE parts.segment = segments.segment) FROM segments
         WHERE segment NOT IN (SELECT live_segment FROM runs WHERE live_segment IS NOT NULL)",
    )?;
    let found = statement
        .query_map(NONE, |r| Ok((r.get(0)?, r.get::<Option<i64>>(1)?.map(Ts))))?
        .collect::<Inner<Vec<(i64, Option<Ts>)>>>()?;
    for (segment, until) in found.into_iter().filter(|(_, until)| *until != Some(Ts::MAX)) {
        // Of a segment in use, what lies beyond the chunk that holds its last minute.
        let first = until.map_or(chunk_key(segment, Ts::MIN), |t| chunk_key(segment, Ts(t.0.saturating_sub(1))) + 1);
        let removed = conn
            .prepare(
                "DELETE FROM feature_chunks WHERE chunk IN
                    (SELECT chunk FROM feature_chunks WHERE chunk BETWEEN ?1 AND ?2 LIMIT ?3)",
            )?
            .execute([first, chunk_key(segment, Ts::MAX), GARBAGE_CHUNKS])?;
        if removed > 0 {
            return Ok(true);
        }
        if until.is_none() {
            for table in BESIDE_ROWS.iter().map(|(table, _)| table).chain([&tables::segments]) {
                conn.execute(format!("DELETE FROM {} WHERE segment = ?1", table.name), [segment])?;
            }
            return Ok(true);
        }
    }
    Ok(false)
}
