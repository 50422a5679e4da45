//! Rows between markets by logic version and hour, how they stand to the minutes, and the calendar's revisions.

use super::alerts;
use super::asked::{Asked as _, asked, select};
use super::db::{Connection, DbRow, Optional, params};
use super::digest;
use super::fault::{Inner, SqlFault};
use crate::codec::universe as packed;
use crate::schema::insert;
use crate::{LiveUniverse, Page, Range, UniversePart, UniverseState, watch_words};
use barograph_domain::{CalendarEntry, Impact, Ts, UniverseRow};

fn unreadable(ts: Ts, e: crate::codec::CodecError) -> SqlFault {
    SqlFault::Damaged(format!("the row between markets of {ts} {e}"))
}

fn read(row: DbRow<'_>) -> Inner<UniverseRow> {
    let ts = Ts(row.get(0)?);
    let found = packed::decode(row.blob(1)?).map_err(|e| unreadable(ts, e))?;
    if found.ts == ts {
        Ok(found)
    } else {
        Err(SqlFault::Damaged(format!("the row between markets of {ts} says it is of {}", found.ts)))
    }
}

fn of_row(logic: &str, ts: i64, known: i64, watch: &str, live: i64, body: &[u8]) -> i64 {
    let [ts, known, live] = [ts, known, live].map(i64::to_le_bytes);
    digest::of_columns(&[logic.as_bytes(), &ts, &known, watch.as_bytes(), &live, body])
}

fn of_entry(e: &CalendarEntry) -> i64 {
    let [known, at] = [e.known_ts, e.at].map(|t| t.0.to_le_bytes());
    let cancelled = [u8::from(e.cancelled)];
    digest::of_columns(&[
        e.id.as_bytes(),
        &known,
        &at,
        e.impact.name().as_bytes(),
        e.name.as_bytes(),
        e.source.as_bytes(),
        &cancelled,
    ])
}

/// Is every record what was written? The numbers of rows and of calendar entries.
pub(super) fn check(conn: &Connection) -> Inner<(u64, u64)> {
    let mut statement =
        conn.prepare("SELECT logic_version, ts, known_ts, watch, live, body, digest FROM universe_rows")?;
    let (mut rows, mut hours) = (statement.query(super::db::NONE)?, 0);
    while let Some(row) = rows.next()? {
        let (logic, ts, watch): (String, i64, String) = (row.get(0)?, row.get(1)?, row.get(3)?);
        if of_row(&logic, ts, row.get(2)?, &watch, row.get(4)?, row.blob(5)?) != row.get::<i64>(6)? {
            return Err(SqlFault::Damaged(format!("the row between markets of {} is not what was written", Ts(ts))));
        }
        hours += 1;
    }
    let mut statement = conn.prepare(select!(StoredEntry; ", digest FROM calendar_entries"))?;
    let (mut rows, mut entries) = (statement.query(super::db::NONE)?, 0);
    while let Some(row) = rows.next()? {
        let entry = read_entry(row)?;
        if of_entry(&entry) != row.get::<i64>(StoredEntry::COLUMNS.len())? {
            return Err(SqlFault::Damaged(format!("the calendar entry '{}' is not what was written", entry.id)));
        }
        entries += 1;
    }
    Ok((hours, entries))
}

fn put(conn: &Connection, logic: &str, row: &UniverseRow, live: bool) -> Inner<()> {
    let body =
        packed::encode(row).map_err(|e| SqlFault::Invalid(format!("the row between markets of {} {e}", row.ts)))?;
    let watch = watch_words(row.markets.iter().map(|m| &m.instrument));
    let digest = of_row(logic, row.ts.0, row.known_ts.0, &watch, live.into(), &body);
    let (sql, row) = insert!(universe_rows or Update {
        logic_version: logic, ts: row.ts.0, known_ts: row.known_ts.0, watch, live, body, digest,
    });
    conn.execute(sql, row)?;
    Ok(())
}

/// Publishes an hour; false when it is published already: then it stays as it is.
pub(super) fn publish(conn: &Connection, one: &LiveUniverse) -> Inner<bool> {
    let sql = "SELECT live FROM universe_rows WHERE logic_version = ?1 AND ts = ?2";
    let live: Option<i64> = conn.query_row(sql, params![&one.logic_version, one.row.ts.0], |r| r.get(0)).optional()?;
    if live == Some(1) {
        return Ok(false);
    }
    if live.is_some() {
        let ts = one.row.ts;
        alerts::forget_pairs(conn, &one.logic_version, Range { start: ts, end: Ts(ts.0.saturating_add(1)) })?;
    }
    put(conn, &one.logic_version, &one.row, true)?;
    Ok(true)
}

/// See [`crate::Writer::replace_universe`].
pub(super) fn replace(conn: &Connection, part: &UniversePart<'_>) -> Inner<u64> {
    let Range { start, end } = part.range;
    conn.execute(
        "DELETE FROM universe_rows WHERE logic_version = ?1 AND ts >= ?2 AND ts < ?3 AND live = 0",
        params![part.logic_version, start.0, end.0],
    )?;
    let mut statement =
        conn.prepare("SELECT ts FROM universe_rows WHERE logic_version = ?1 AND ts >= ?2 AND ts < ?3 ORDER BY ts")?;
    let published: Vec<i64> =
        statement.query_map(params![part.logic_version, start.0, end.0], |r| r.get(0))?.collect::<Inner<_>>()?;
    alerts::forget_pairs(conn, part.logic_version, part.range)?;
    let told = part.alerts.iter().map(|a| a.alert.alert.ts);
    if let Some(ts) = part.rows.iter().map(|r| r.ts).chain(told).find(|ts| !part.range.contains(*ts)) {
        return Err(SqlFault::Invalid(format!("the row between markets of {ts} is not in the hours it replaces")));
    }
    for one in part.alerts.iter().filter(|a| published.binary_search(&a.alert.alert.ts.0).is_err()) {
        alerts::put_pair(conn, part.logic_version, one)?;
    }
    let mut stored = 0;
    for row in part.rows {
        if published.binary_search(&row.ts.0).is_err() {
            put(conn, part.logic_version, row, false)?;
            stored += 1;
        }
    }
    if let Some(watch) = part.done {
        let (sql, row) = insert!(universe_state or Update {
            logic_version: part.logic_version, watch, dirty_since: None::<i64>,
        });
        conn.execute(sql, row)?;
    }
    Ok(stored)
}

/// Minutes of a logic version have changed from `since` on.
pub(super) fn mark(conn: &Connection, logic: &str, since: Ts) -> Inner<()> {
    let (sql, row) = insert!(universe_state or Then(
        "ON CONFLICT (logic_version) DO UPDATE SET dirty_since = CASE
            WHEN universe_state.dirty_since IS NULL OR universe_state.dirty_since > excluded.dirty_since
            THEN excluded.dirty_since ELSE universe_state.dirty_since END"
    ) { logic_version: logic, watch: "", dirty_since: since.0 });
    conn.execute(sql, row)?;
    Ok(())
}

/// See [`crate::Reader::universe_state`].
pub(super) fn state(conn: &Connection, logic: &str) -> Inner<Option<UniverseState>> {
    let sql = "SELECT watch, dirty_since FROM universe_state WHERE logic_version = ?1";
    conn.query_row(sql, params![logic], |r| {
        Ok(UniverseState { watch: r.get(0)?, dirty_since: r.get::<Option<i64>>(1)?.map(Ts) })
    })
    .optional()
}

/// See [`crate::Reader::universe`].
pub(super) fn list(
    conn: &Connection,
    logic: &str,
    range: Range,
    limit: usize,
    as_of: Option<Ts>,
) -> Inner<Page<UniverseRow>> {
    let wanted = i64::try_from(limit.saturating_add(1)).unwrap_or(i64::MAX);
    let mut statement = conn.prepare(
        "SELECT ts, body FROM universe_rows WHERE logic_version = ?1 AND ts >= ?2 AND ts < ?3 AND known_ts <= ?4
         ORDER BY ts LIMIT ?5",
    )?;
    let until = as_of.unwrap_or(Ts::MAX).0;
    let found = statement.query_map(params![logic, range.start.0, range.end.0, until, wanted], read)?;
    let mut items = found.collect::<Inner<Vec<_>>>()?;
    let next = items.get(limit).map(|r| r.ts);
    items.truncate(limit);
    Ok(Page { items, next })
}

/// See [`crate::Reader::published_hours`].
pub(super) fn published(conn: &Connection, logic: &str, range: Range) -> Inner<Vec<Ts>> {
    let mut statement = conn.prepare(
        "SELECT ts FROM universe_rows WHERE logic_version = ?1 AND ts >= ?2 AND ts < ?3 AND live = 1 ORDER BY ts",
    )?;
    statement.query_map(params![logic, range.start.0, range.end.0], |r| r.get(0).map(Ts))?.collect()
}

/// See [`crate::Reader::latest_universe`].
pub(super) fn latest(conn: &Connection, logic: &str, as_of: Option<Ts>) -> Inner<Option<UniverseRow>> {
    let sql = "SELECT ts, body FROM universe_rows WHERE logic_version = ?1 AND known_ts <= ?2 ORDER BY ts DESC LIMIT 1";
    conn.query_row(sql, params![logic, as_of.unwrap_or(Ts::MAX).0], read).optional()
}

/// Every row with its logic version, in order.
pub(super) fn walk(conn: &Connection, mut each: impl FnMut(&str, &UniverseRow) -> Inner<()>) -> Inner<()> {
    let mut versions = conn.prepare("SELECT DISTINCT logic_version FROM universe_rows ORDER BY logic_version")?;
    for logic in versions.query_map(super::db::NONE, |r| r.get::<String>(0))? {
        let logic = logic?;
        let mut start = Ts::MIN;
        loop {
            let page = list(conn, &logic, Range { start, end: Ts::MAX }, 1_000, None)?;
            page.items.iter().try_for_each(|row| each(&logic, row))?;
            match page.next {
                Some(next) => start = next,
                None => break,
            }
        }
    }
    Ok(())
}

/// Adds revisions of scheduled events; how many were not there.
pub(super) fn put_calendar(conn: &Connection, entries: &[CalendarEntry]) -> Inner<u64> {
    let mut new = 0;
    for e in entries {
        let (sql, row) = insert!(calendar_entries or Keep {
            id: &e.id, known_ts: e.known_ts.0, at: e.at.0, impact: e.impact.name(), name: &e.name, source: &e.source,
            cancelled: e.cancelled, digest: of_entry(e),
        });
        new += conn.execute(sql, row)? as u64;
    }
    Ok(new)
}

asked! {
    /// A stored entry.
    struct StoredEntry {
        id: String, known_ts: Ts, at: Ts, impact: String, name: String, source: String, cancelled: i64,
    }
}

fn read_entry(r: DbRow<'_>) -> Inner<CalendarEntry> {
    let StoredEntry { id, known_ts, at, impact, name, source, cancelled } = StoredEntry::read(r)?;
    let impact = Impact::from_name(&impact)
        .ok_or_else(|| SqlFault::Damaged(format!("the calendar entry '{id}' has the impact '{impact}'")))?;
    Ok(CalendarEntry { id, name, impact, at, source, known_ts, cancelled: cancelled != 0 })
}

/// See [`crate::Reader::calendar`].
pub(super) fn calendar(conn: &Connection, as_of: Option<Ts>) -> Inner<Vec<CalendarEntry>> {
    let mut statement =
        conn.prepare(select!(StoredEntry; " FROM calendar_entries WHERE known_ts <= ?1 ORDER BY known_ts, at, id"))?;
    statement.query_map([as_of.unwrap_or(Ts::MAX).0], read_entry)?.collect()
}
