//! Published rows: one chunk per row until the hour is over, then one per hour.
//!
//! All of them lie in one segment of their run, which no replacement touches. A row that follows the last published one
//! takes three or four statements; any other goes through the parts of the run and settles labels around it.

use super::asked::{Asked as _, select};
use super::axes::{self, Labels, LabelsChanged};
use super::db::{Connection, params};
use super::decl::Layout;
use super::fault::{Inner, SqlFault};
use super::rows::PackedRows;
use super::segment::{self, Chunk, Part};
use super::{replace, rows, runs};
use crate::codec::ChunkBuilder;
use crate::postgres::alone;
use crate::run::{GRID, stream_slots};
use crate::{LabelChange, RunKey};
use barograph_domain::{MinuteRow, RiskRegime, Span, StreamIndex, Ts};

const HOUR: Span = Span::hours(1);

/// A run that rows are published into.
pub(super) struct RunSlot {
    run: i64,
    pub(super) layout: Layout,
    layout_id: i64,
    container: Option<i64>,
    /// The latest published part.
    tail: Option<Part>,
    /// The part behind it that is not published, if it follows at once.
    behind: bool,
    /// The last row, published or not.
    last: Option<Ts>,
    label: Option<RiskRegime>,
    /// Of the other axes.
    labels: Labels,
    /// A minute of the earliest hour with single rows.
    unpacked: Option<Ts>,
}

impl RunSlot {
    pub(super) fn load(conn: &Connection, run: i64, layout_id: i64, layout: Layout) -> Inner<Self> {
        let container = runs::live_segment(conn, run)?;
        let parts = segment::parts(conn, run)?;
        let tail = parts.iter().rfind(|p| p.live).copied();
        let behind = tail.is_some_and(|t| parts.iter().any(|p| p.from == t.until));
        let last = rows::latest(conn, run, 1, Ts::MAX)?.rows.last().map(|r| r.ts);
        let label = rows::label_before(conn, run, Ts::MAX)?;
        let labels = axes::before(conn, run, Ts::MAX)?;
        let unpacked = container.map(|c| first_single(conn, c)).transpose()?.flatten();
        Ok(Self { run, layout, layout_id, container, tail, behind, last, label, labels, unpacked })
    }

    /// Sees to it that there is the segment, where others may publish into the run too: the universe's worker its alerts.
    pub(super) fn begin(&mut self, conn: &Connection) -> Inner<()> {
        if self.container.is_none() && alone(conn)? {
            self.container = runs::live_segment(conn, self.run)?;
        }
        self.container(conn).map(drop)
    }

    /// The segment of what is published, made on first use.
    pub(super) fn container(&mut self, conn: &Connection) -> Inner<i64> {
        if let Some(id) = self.container {
            return Ok(id);
        }
        let id = segment::create(conn)?;
        conn.prepare("UPDATE runs SET live_segment = ?2 WHERE run = ?1")?.execute([self.run, id])?;
        self.container = Some(id);
        Ok(id)
    }
}

fn first_single(conn: &Connection, container: i64) -> Inner<Option<Ts>> {
    let mut statement = conn.prepare(
        "SELECT min(first_ts) FROM feature_chunks INDEXED BY feature_chunks_extent
         WHERE chunk BETWEEN ?1 AND ?2 AND rows = 1 AND thinned = 0",
    )?;
    let ends = [segment::chunk_key(container, Ts::MIN), segment::chunk_key(container, Ts::MAX)];
    Ok(statement.query_row(ends, |r| r.get::<Option<i64>>(0))?.map(Ts))
}

/// Publishes a row, which is in terms of the slot's layout; false when it is published already.
pub(super) fn publish(
    conn: &Connection,
    slot: &mut RunSlot,
    key: &RunKey,
    row: &MinuteRow,
    builder: &mut ChunkBuilder,
) -> Inner<bool> {
    if let Err(e) = builder.push(row) {
        return Err(SqlFault::Invalid(format!("the row of {} {e}", row.ts)));
    }
    let body = builder.finish()?;
    let next = Ts(row.ts.0.saturating_add(GRID.0));
    let chunk = Chunk { rows: 1, first: row.ts, last: row.ts, thinned: false, body };
    let container = slot.container(conn)?;
    match slot.tail {
        Some(tail) if tail.until == row.ts && slot.last < Some(row.ts) => {
            chunk.put(conn, segment::chunk_key(container, row.ts), slot.layout_id)?;
            if slot.behind {
                conn.send(
                    "UPDATE parts SET from_ts = ?3 WHERE run = ?1 AND from_ts = ?2",
                    [slot.run, row.ts.0, next.0],
                )?;
            }
            conn.prepare("UPDATE parts SET until_ts = ?3 WHERE run = ?1 AND from_ts = ?2")?.execute([
                slot.run,
                tail.from.0,
                next.0,
            ])?;
            slot.tail = Some(Part { until: next, ..tail });
            if slot.label != Some(row.risk.label) {
                let change = LabelChange { ts: row.ts, from: slot.label, to: row.risk.label };
                replace::store_label(conn, container, &change)?;
            }
            axes::store(conn, container, &LabelsChanged { ts: row.ts, before: slot.labels, after: axes::of(row) })?;
        }
        _ => {
            let parts = segment::parts(conn, slot.run)?;
            if parts.iter().any(|p| p.live && p.contains(row.ts)) {
                return if agrees(conn, container, row, &slot.layout, &chunk.body, builder)? {
                    Ok(false)
                } else {
                    Err(SqlFault::Conflict { key: key.clone(), minute: row.ts })
                };
            }
            join(conn, slot.run, container, &parts, row.ts, next)?;
            open_hour(conn, container, row.ts)?;
            chunk.put(conn, segment::chunk_key(container, row.ts), slot.layout_id)?;
            rows::settle_label(conn, slot.run, row.ts)?;
            rows::settle_label(conn, slot.run, next)?;
            *slot = RunSlot::load(conn, slot.run, slot.layout_id, slot.layout.clone())?;
            return Ok(true);
        }
    }
    slot.label = Some(row.risk.label);
    slot.labels = axes::of(row);
    slot.last = Some(row.ts);
    slot.unpacked = slot.unpacked.or(Some(row.ts));
    Ok(true)
}

/// Is a minute published with other content than this row, which is in terms of the slot's layout?
pub(super) fn differs(conn: &Connection, slot: &RunSlot, row: &MinuteRow, builder: &mut ChunkBuilder) -> Inner<bool> {
    let Some(container) = slot.container else { return Ok(false) };
    builder.push(row).map_err(|e| SqlFault::Invalid(format!("the row of {} {e}", row.ts)))?;
    let body = builder.finish()?;
    Ok(!agrees(conn, container, row, &slot.layout, &body, builder)?)
}

/// Makes a minute published: takes it out of the part that shows it and joins it to published neighbours.
fn join(conn: &Connection, run: i64, container: i64, parts: &[Part], ts: Ts, next: Ts) -> Inner<()> {
    let mut own = Part { id: container, from: ts, until: next, live: true };
    for part in parts {
        if part.live && (part.until == ts || part.from == next) {
            segment::remove_part(conn, run, *part)?;
            own = Part { from: own.from.min(part.from), until: own.until.max(part.until), ..own };
        } else if !part.live && part.contains(ts) {
            segment::remove_part(conn, run, *part)?;
            segment::add_part(conn, run, Part { until: ts, ..*part })?;
            segment::add_part(conn, run, Part { from: next, ..*part })?;
        }
    }
    segment::add_part(conn, run, own)
}

/// Is the stored row of this minute the same? `body` is the new one, packed. What retention has removed cannot differ.
fn agrees(
    conn: &Connection,
    container: i64,
    row: &MinuteRow,
    layout: &Layout,
    body: &[u8],
    builder: &mut ChunkBuilder,
) -> Inner<bool> {
    let mut statement =
        conn.prepare(select!(PackedRows; " FROM feature_chunks WHERE chunk BETWEEN ?1 AND ?2 AND last_ts >= ?3"))?;
    let ends = params![segment::hour_key(container, row.ts), segment::chunk_key(container, row.ts), row.ts.0];
    let mut chunks = statement.query(ends)?;
    while let Some(chunk) = chunks.next()? {
        let packed = PackedRows::read(chunk)?;
        let Some(mut stored) = packed.decode(conn)?.into_iter().find(|r| r.ts == row.ts) else { continue };
        let old = Layout::load(conn, packed.layout)?;
        if old.columns != layout.columns {
            return Ok(false);
        }
        for slot in stream_slots(&mut stored) {
            let decl = old.streams.get(slot.index());
            let place = decl.and_then(|d| layout.streams.binary_search(d).ok()).and_then(|p| u16::try_from(p).ok());
            let Some(place) = place else { return Ok(false) };
            *slot = StreamIndex(place);
        }
        builder.push(&stored).map_err(|e| SqlFault::Damaged(format!("the row of {} {e}", row.ts)))?;
        return Ok(builder.finish()? == body);
    }
    Ok(true)
}

/// Takes a packed hour apart, so that a row can be put between.
fn open_hour(conn: &Connection, container: i64, ts: Ts) -> Inner<()> {
    let end = Ts(ts.floor(HOUR).0.saturating_add(HOUR.0 - 1));
    let mut statement =
        conn.prepare(select!(PackedRows; " FROM feature_chunks WHERE chunk BETWEEN ?1 AND ?2 AND rows > 1"))?;
    let mut chunks = statement.query([segment::hour_key(container, ts), segment::chunk_key(container, end)])?;
    let mut found = Vec::new();
    while let Some(chunk) = chunks.next()? {
        let packed = PackedRows::read(chunk)?;
        found.push((packed.chunk, packed.layout, packed.decode(conn)?));
    }
    for (key, layout, rows) in found {
        conn.prepare("DELETE FROM feature_chunks WHERE chunk = ?1")?.execute([key])?;
        let meaning = Layout::load(conn, layout)?;
        for row in &rows {
            if let Some(single) = Chunk::pack(std::slice::from_ref(row), &meaning, false)? {
                single.put(conn, segment::chunk_key(container, row.ts), layout)?;
            }
        }
    }
    Ok(())
}

/// Packs the single rows of hours that ended by `hour`; false when there are none.
pub(super) fn pack(conn: &Connection, slot: &mut RunSlot, hour: Ts) -> Inner<bool> {
    let (Some(container), Some(first)) = (slot.container, slot.unpacked.filter(|t| *t < hour)) else {
        return Ok(false);
    };
    let mut statement =
        conn.prepare(select!(PackedRows; " FROM feature_chunks WHERE chunk >= ?1 AND chunk < ?2 ORDER BY chunk"))?;
    let mut chunks = statement.query([segment::hour_key(container, first), segment::chunk_key(container, hour)])?;
    let mut found: Vec<(i64, i64, Vec<MinuteRow>)> = Vec::new();
    while let Some(chunk) = chunks.next()? {
        let packed = PackedRows::read(chunk)?;
        found.push((packed.chunk, packed.layout, packed.decode(conn)?));
    }
    let hour_of = |c: &(i64, i64, Vec<MinuteRow>)| c.2.first().map(|r| r.ts.floor(HOUR));
    for group in found.chunk_by(|a, b| a.1 == b.1 && hour_of(a) == hour_of(b)) {
        let [(key, layout, _), _, ..] = group else { continue };
        for (key, _, _) in group {
            conn.prepare("DELETE FROM feature_chunks WHERE chunk = ?1")?.execute([*key])?;
        }
        let rows: Vec<MinuteRow> = group.iter().flat_map(|(_, _, rows)| rows.iter().cloned()).collect();
        if let Some(chunk) = Chunk::pack(&rows, &Layout::load(conn, *layout)?, false)? {
            chunk.put(conn, *key, *layout)?;
        }
    }
    slot.unpacked = slot.last.filter(|t| *t >= hour).map(|_| hour);
    Ok(true)
}
