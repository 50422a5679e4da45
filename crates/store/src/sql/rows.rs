//! Reading rows and what goes with them: label changes, gaps, checkpoints.

use super::asked::{Asked as _, asked, select};
use super::db::{Connection, params};
use super::decl::{self, Layout};
use super::fault::{Inner, SqlFault};
use super::segment::{self, Part};
use crate::run::{GRID, stream_slots, usable_until};
use crate::{Checkpoint, Columns, Gap, LabelChange, Page, Range, RowQuery, Rows, codec, run::row_of};
use barograph_domain::{GapReason, MinuteRow, RiskRegime, Span, Status, StreamDecl, StreamIndex, Ts};
use std::collections::{BTreeMap, BTreeSet};

/// Rows gathered chunk by chunk, each still in terms of its own layout.
#[derive(Default)]
pub(super) struct Gathered {
    layouts: BTreeMap<i64, Layout>,
    rows: Vec<(i64, MinuteRow)>,
    /// Readings wanted, where that is not all of a row.
    only: Option<Vec<String>>,
}

impl Gathered {
    /// Decodes the rows of a chunk that are picked by the times of all.
    fn decode(
        &mut self,
        conn: &Connection,
        (key, layout, body): (i64, i64, &[u8]),
        pick: impl FnOnce(&[Ts]) -> Vec<usize>,
    ) -> Inner<Vec<MinuteRow>> {
        let known = match self.layouts.entry(layout) {
            std::collections::btree_map::Entry::Occupied(e) => e.into_mut(),
            std::collections::btree_map::Entry::Vacant(e) => e.insert(Layout::load(conn, layout)?),
        };
        let rows = match &self.only {
            None => codec::decode_at(body, known.width(), pick),
            Some(only) => {
                let place = |id: &String| known.columns.features.iter().position(|c| c.id == *id);
                codec::glance(body, known.width(), &only.iter().filter_map(place).collect::<Vec<_>>(), pick)
            }
        };
        rows.map_err(|e| SqlFault::chunk(key, e))
    }

    /// Adds the rows of a chunk that are picked.
    pub(super) fn take(
        &mut self,
        conn: &Connection,
        (chunk, layout, body): (i64, i64, &[u8]),
        pick: impl FnOnce(&[Ts]) -> Vec<usize>,
    ) -> Inner<()> {
        let rows = self.decode(conn, (chunk, layout, body), pick)?;
        self.rows.extend(rows.into_iter().map(|row| (layout, row)));
        Ok(())
    }

    /// All rows in terms of one list of streams.
    pub(super) fn into_rows(self, next: Option<Ts>) -> Inner<Rows> {
        let used = || self.rows.iter().map(|(id, _)| id).collect::<BTreeSet<_>>();
        let layouts: Vec<(&i64, &Layout)> =
            used().into_iter().filter_map(|id| self.layouts.get_key_value(id)).collect();
        let mut streams: Vec<StreamDecl> = layouts.iter().flat_map(|(_, l)| l.streams.iter().cloned()).collect();
        streams.sort();
        streams.dedup();
        let mut columns = layouts.first().map(|(_, l)| l.columns.clone()).unwrap_or_default();
        if layouts.iter().any(|(_, l)| l.columns != columns) {
            return Err(SqlFault::Damaged("one run has rows with different columns".to_owned()));
        }
        if let Some(only) = &self.only {
            let found = |id: &String| columns.features.iter().find(|c| c.id == *id).cloned();
            columns = Columns { features: only.iter().filter_map(found).collect(), ..Columns::default() };
        }
        let place = |s| streams.binary_search(s).ok().and_then(|p| u16::try_from(p).ok()).map(StreamIndex);
        let maps: BTreeMap<i64, Vec<Option<StreamIndex>>> =
            layouts.iter().map(|(id, l)| (**id, l.streams.iter().map(place).collect())).collect();
        let mut rows = Vec::with_capacity(self.rows.len());
        for (id, mut row) in self.rows {
            let map = maps.get(&id).map_or(&[][..], Vec::as_slice);
            let ts = row.ts;
            for slot in stream_slots(&mut row) {
                let new = map.get(slot.index()).copied().flatten();
                *slot = new.ok_or_else(|| SqlFault::Damaged(format!("the row of {ts} names stream {}", slot.0)))?;
            }
            rows.push(row);
        }
        Ok(Rows { columns, streams, rows, next, corrected: BTreeMap::new() })
    }
}

/// The newest `count` rows not later than `last`, oldest first.
pub(super) fn latest(conn: &Connection, run: i64, count: usize, last: Ts) -> Inner<Rows> {
    let mut gathered = Gathered::default();
    for segment in segment::parts(conn, run)?.into_iter().rev() {
        let Some(part) = segment.within(Ts::MIN, last) else { continue };
        let (low, high) = part.chunks();
        let mut statement = conn.prepare(select!(
            PackedRows;
            " FROM feature_chunks WHERE chunk BETWEEN ?1 AND ?2 ORDER BY chunk DESC LIMIT ?3"
        ))?;
        // The first and the last may hold rows outside of the part only.
        let most = i64::try_from(count - gathered.rows.len().min(count)).unwrap_or(i64::MAX).saturating_add(2);
        let mut chunks = statement.query([low, high, most])?;
        while gathered.rows.len() < count
            && let Some(chunk) = chunks.next()?
        {
            let PackedRows { chunk, layout, body } = PackedRows::read(chunk)?;
            let wanted = count - gathered.rows.len();
            let newest = |times: &[Ts]| {
                (0..times.len()).rev().filter(|at| part.contains(times[*at])).take(wanted).collect::<Vec<_>>()
            };
            gathered.take(conn, (chunk, layout, body), newest)?;
        }
    }
    gathered.rows.reverse();
    gathered.into_rows(None)
}

/// Rows of an interval; with `only`, a few of their readings, the labels and the price.
pub(super) fn history(conn: &Connection, run: i64, query: &RowQuery, only: Option<&[&str]>) -> Inner<Rows> {
    let every = query.every.unwrap_or(GRID);
    if every.0 <= 0 || query.limit == 0 {
        return Err(SqlFault::Invalid("'every' and 'limit' have to be positive".to_owned()));
    }
    let after = query.after.unwrap_or(Span::ZERO);
    if after < Span::ZERO || after >= every {
        return Err(SqlFault::Invalid("'after' has to be less than 'every', and not negative".to_owned()));
    }
    // The first row that is asked for, at a moment or after it.
    let next = |ts: Ts| (ts - after).ceil(every) + after;
    let only = only.map(|ids| ids.iter().map(|id| (*id).to_owned()).collect());
    let mut gathered = Gathered { only, ..Gathered::default() };
    let last = Ts(query.range.end.0.saturating_sub(1)).min(query.as_of.map_or(Ts::MAX, usable_until));
    for segment in segment::parts(conn, run)? {
        let Some(part) = segment.within(query.range.start, last) else { continue };
        let (low, high) = part.chunks();
        let mut after = low - 1;
        loop {
            let mut statement = conn.prepare(
                "SELECT chunk, layout, first_ts, last_ts, body FROM feature_chunks WHERE chunk > ?1 AND chunk <= ?2
                 ORDER BY chunk LIMIT ?3",
            )?;
            let mut chunks = statement.query([after, high, CHUNKS])?;
            let mut count = 0;
            while let Some(chunk) = chunks.next()? {
                (after, count) = (chunk.get(0)?, count + 1);
                let (first, last) = (Ts(chunk.get(2)?), Ts(chunk.get(3)?));
                if next(first) > last {
                    continue;
                }
                let layout = chunk.get(1)?;
                let asked = |ts: Ts| part.contains(ts) && next(ts) == ts;
                let places = |times: &[Ts]| (0..times.len()).filter(|at| asked(times[*at])).collect();
                for row in gathered.decode(conn, (after, layout, chunk.blob(4)?), places)? {
                    if gathered.rows.len() == query.limit {
                        return gathered.into_rows(Some(row.ts));
                    }
                    gathered.rows.push((layout, row));
                }
            }
            if count < CHUNKS {
                break;
            }
        }
    }
    gathered.into_rows(None)
}

/// Chunks asked for at once: an answer is held in memory, 20 kB a chunk.
const CHUNKS: i64 = 64;

/// Number of rows not later than `last`, with the first and last minute of them.
pub(super) fn extent(conn: &Connection, run: i64, last: Ts) -> Inner<(u64, Option<(Ts, Ts)>)> {
    let mut count = 0_u64;
    let mut minutes: Option<(Ts, Ts)> = None;
    for segment in segment::parts(conn, run)? {
        let Some(part) = segment.within(Ts::MIN, last) else { continue };
        let mut seen = |ts: Ts| minutes = Some(minutes.map_or((ts, ts), |(a, b)| (a.min(ts), b.max(ts))));
        let (low, high) = part.chunks();
        let mut statement = conn.prepare(
            "SELECT CAST(sum(rows) AS BIGINT), min(first_ts), max(last_ts)
             FROM feature_chunks INDEXED BY feature_chunks_extent
             WHERE chunk BETWEEN ?1 AND ?2 AND first_ts >= ?3 AND last_ts < ?4",
        )?;
        let (whole, first, until): (Option<i64>, Option<i64>, Option<i64>) =
            statement.query_row([low, high, part.from.0, part.until.0], |r| Ok((r.get(0)?, r.get(1)?, r.get(2)?)))?;
        count += whole.unwrap_or(0).unsigned_abs();
        [first, until].into_iter().flatten().for_each(|ts| seen(Ts(ts)));
        // The chunks that the ends of the part cut through.
        let mut statement = conn.prepare(select!(
            PackedRows;
            " FROM feature_chunks WHERE chunk IN
                (SELECT chunk FROM feature_chunks INDEXED BY feature_chunks_extent
                 WHERE chunk BETWEEN ?1 AND ?2 AND (first_ts < ?3 OR last_ts >= ?4))"
        ))?;
        let mut chunks = statement.query([low, high, part.from.0, part.until.0])?;
        while let Some(chunk) = chunks.next()? {
            for row in PackedRows::read(chunk)?.decode(conn)?.iter().filter(|r| part.contains(r.ts)) {
                count += 1;
                seen(row.ts);
            }
        }
    }
    Ok((count, minutes))
}

/// Which points the rows follow from, which segments show a stretch, and how many rows their chunks hold. The same points and logic
/// make the same rows; those that are published, thinned or copied on are another number of them, or lie elsewhere.
pub(super) fn mark(conn: &Connection, run: i64, range: Range) -> Inner<String> {
    let (points, since, corrected): (i64, Option<i64>, Option<i64>) = conn
        .prepare("SELECT dirty_version, dirty_since, corrected_ts FROM runs WHERE run = ?1")?
        .query_row([run], |r| Ok((r.get(0)?, r.get(1)?, r.get(2)?)))?;
    let mut found = format!("{run} {points} {since:?} {corrected:?};");
    for part in segment::parts(conn, run)? {
        let Some(part) = part.within(range.start, Ts(range.end.0.saturating_sub(1))) else { continue };
        let (low, high) = part.chunks();
        let mut statement = conn.prepare(
            "SELECT count(*), CAST(sum(rows) AS BIGINT), max(last_ts) FROM feature_chunks INDEXED BY feature_chunks_extent
             WHERE chunk BETWEEN ?1 AND ?2",
        )?;
        let (chunks, rows, last): (i64, Option<i64>, Option<i64>) =
            statement.query_row([low, high], |r| Ok((r.get(0)?, r.get(1)?, r.get(2)?)))?;
        let last = Ts(last.unwrap_or(0)).min(part.until);
        found.push_str(&format!(
            "{} {} {} {chunks} {} {};",
            part.id,
            part.from.0,
            last.0,
            rows.unwrap_or(0),
            part.live
        ));
    }
    Ok(found)
}

asked! {
    /// A chunk.
    struct PackedRows<'r> {
        chunk: i64, layout: i64, body: &'r [u8],
    }
}

impl PackedRows<'_> {
    /// Its rows.
    pub(super) fn decode(&self, conn: &Connection) -> Inner<Vec<MinuteRow>> {
        codec::decode(self.body, Layout::load(conn, self.layout)?.width()).map_err(|e| SqlFault::chunk(self.chunk, e))
    }
}

/// The first row at or after a minute, with its segment and layout.
pub(super) fn first_from(conn: &Connection, run: i64, at: Ts) -> Inner<Option<(i64, i64, MinuteRow)>> {
    for part in segment::parts(conn, run)? {
        let Some(part) = part.within(at, Ts::MAX) else { continue };
        let (low, high) = part.chunks();
        let mut statement = conn.prepare(select!(
            PackedRows;
            " FROM feature_chunks WHERE chunk BETWEEN ?1 AND ?2 AND last_ts >= ?3 ORDER BY chunk LIMIT 2"
        ))?;
        let mut chunks = statement.query([low, high, part.from.0])?;
        while let Some(chunk) = chunks.next()? {
            let packed = PackedRows::read(chunk)?;
            if let Some(row) = packed.decode(conn)?.into_iter().find(|r| part.contains(r.ts)) {
                return Ok(Some((part.id, packed.layout, row)));
            }
        }
    }
    Ok(None)
}

/// Says anew whether the label changes at the first row at or after a minute: what is before it has changed.
pub(super) fn settle_label(conn: &Connection, run: i64, at: Ts) -> Inner<()> {
    let Some((segment, _, row)) = first_from(conn, run, at)? else { return Ok(()) };
    super::axes::settle(conn, run, segment, &row)?;
    let from = label_before(conn, run, row.ts)?;
    if from == Some(row.risk.label) {
        conn.prepare("DELETE FROM label_changes WHERE segment = ?1 AND ts = ?2")?.execute([segment, row.ts.0])?;
        return Ok(());
    }
    super::replace::store_label(conn, segment, &LabelChange { ts: row.ts, from, to: row.risk.label })
}

fn label(word: &str) -> Inner<RiskRegime> {
    RiskRegime::from_name(word).ok_or_else(|| SqlFault::Damaged(format!("'{word}' is no label")))
}

/// The published label in force just before a minute.
pub(super) fn label_before(conn: &Connection, run: i64, before: Ts) -> Inner<Option<RiskRegime>> {
    let last = Ts(before.0.saturating_sub(1));
    for segment in segment::parts(conn, run)?.into_iter().rev() {
        let Some(part) = segment.within(Ts::MIN, last) else { continue };
        let mut statement = conn.prepare(
            "SELECT after FROM label_changes WHERE segment = ?1 AND ts >= ?2 AND ts < ?3 ORDER BY ts DESC LIMIT 1",
        )?;
        let mut rows = statement.query([part.id, part.from.0, part.until.0])?;
        if let Some(row) = rows.next()? {
            let word: String = row.get(0)?;
            return label(&word).map(Some);
        }
    }
    Ok(None)
}

/// Changes of the label.
pub(super) fn label_changes(
    conn: &Connection,
    run: i64,
    range: Range,
    limit: usize,
    as_of: Option<Ts>,
) -> Inner<Page<LabelChange>> {
    let last = Ts(range.end.0.saturating_sub(1)).min(as_of.map_or(Ts::MAX, usable_until));
    let mut items = Vec::new();
    for segment in segment::parts(conn, run)? {
        let Some(part) = segment.within(range.start, last) else { continue };
        let mut statement = conn.prepare(
            "SELECT ts, before, after FROM label_changes WHERE segment = ?1 AND ts >= ?2 AND ts < ?3 ORDER BY ts",
        )?;
        let mut rows = statement.query([part.id, part.from.0, part.until.0])?;
        while let Some(row) = rows.next()? {
            let ts = Ts(row.get(0)?);
            if items.len() == limit {
                return Ok(Page { items, next: Some(ts) });
            }
            let (before, after): (Option<String>, String) = (row.get(1)?, row.get(2)?);
            let from = before.as_deref().map(label).transpose()?;
            items.push(LabelChange { ts, from, to: label(&after)? });
        }
    }
    Ok(Page { items, next: None })
}

/// Gaps by the time they were known.
pub(super) fn gaps(conn: &Connection, run: i64, range: Range, limit: usize, as_of: Option<Ts>) -> Inner<Page<Gap>> {
    let last = Ts(range.end.0.saturating_sub(1)).min(as_of.unwrap_or(Ts::MAX));
    let mut items: Vec<Gap> = Vec::new();
    for stored in stored_gaps(conn, run, range.start, last)? {
        if items.len() >= limit && items.last().is_some_and(|g| g.known_ts < stored.known_ts) {
            return Ok(Page { items, next: Some(stored.known_ts) });
        }
        items.push(stored.gap()?);
    }
    Ok(Page { items, next: None })
}

asked! {
    /// A gap as it is stored, in the order in which gaps are reported.
    #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
    struct StoredGap {
        known_ts: Ts, decl: String, state: String, from_ts: Ts, until_ts: Ts, reason: String,
    }
}

impl StoredGap {
    pub(super) fn gap(&self) -> Inner<Gap> {
        let state = super::runs::state_of(&self.state)?;
        let reason = GapReason::from_word(&self.reason);
        let reason = reason.ok_or_else(|| SqlFault::Damaged(format!("'{}' is no reason of a gap", self.reason)))?;
        let status = Status { state, from: self.from_ts, until: self.until_ts, reason };
        Ok(Gap { stream: decl::from_text(&self.decl)?, status, known_ts: self.known_ts })
    }
}

/// Gaps known in `first ≤ known_ts ≤ last`: those of the parts that show their minutes, and all that were published.
pub(super) fn stored_gaps(conn: &Connection, run: i64, first: Ts, last: Ts) -> Inner<BTreeSet<StoredGap>> {
    let published = super::runs::live_segment(conn, run)?;
    let all = Part { id: published.unwrap_or(0), from: Ts::MIN, until: Ts::MAX, live: true };
    let shown = segment::parts(conn, run)?.into_iter().filter(|p| !p.live).chain(published.map(|_| all));
    let mut found = BTreeSet::new();
    for part in shown {
        let Some(part) = part.within(row_of(first), row_of(last)) else { continue };
        let mut statement = conn.prepare(select!(
            StoredGap;
            " FROM gaps WHERE segment = ?1 AND row_ts >= ?2 AND row_ts < ?3 AND known_ts >= ?4 AND known_ts <= ?5"
        ))?;
        let mut rows = statement.query(params![part.id, part.from.0, part.until.0, first.0, last.0])?;
        while let Some(row) = rows.next()? {
            found.insert(StoredGap::read(row)?);
        }
    }
    Ok(found)
}

/// The newest checkpoint not later than `at`.
pub(super) fn checkpoint(conn: &Connection, run: i64, at: Ts) -> Inner<Option<Checkpoint>> {
    for segment in segment::parts(conn, run)?.into_iter().rev() {
        let Some(part) = segment.within(Ts::MIN, at) else { continue };
        let mut statement = conn.prepare(
            "SELECT ts, body FROM checkpoints WHERE segment = ?1 AND ts >= ?2 AND ts < ?3 ORDER BY ts DESC LIMIT 1",
        )?;
        let mut rows = statement.query([part.id, part.from.0, part.until.0])?;
        if let Some(row) = rows.next()? {
            let ts = Ts(row.get(0)?);
            let packed = row.blob(1)?;
            let bytes = zstd::stream::decode_all(packed);
            let bytes = bytes.map_err(|e| SqlFault::Damaged(format!("the checkpoint of {ts}: {e}")))?;
            return Ok(Some(Checkpoint { ts, bytes }));
        }
    }
    Ok(None)
}

/// The minutes among these rows at which the label changed.
pub(super) fn change_minutes(conn: &Connection, segment: i64, rows: &[MinuteRow]) -> Inner<BTreeSet<Ts>> {
    let (Some(first), Some(last)) = (rows.first(), rows.last()) else { return Ok(BTreeSet::new()) };
    let mut statement = conn.prepare("SELECT ts FROM label_changes WHERE segment = ?1 AND ts BETWEEN ?2 AND ?3")?;
    let found = statement.query_map([segment, first.ts.0, last.ts.0], |r| r.get(0).map(Ts))?;
    found.collect::<Inner<_>>()
}
