//! What is kept beside the ticks of the ledger: heads of chains, states of the fold, and how ticks stand to the minutes.

use super::asked::{Asked as _, asked, select};
use super::db::{Connection, DbRow, NONE, Optional, params};
use super::fault::{Inner, SqlFault};
use super::ledger_notes;
use crate::schema::insert;
use crate::{LedgerHead, LedgerPart, LedgerProgress, LedgerState, Range};
use barograph_domain::Ts;
use barograph_domain::forecast::ForecastEvent;
use barograph_domain::time::DAY;

/// States of the fold that stay when old ones go.
const STATES: usize = 3;
/// And of those that begin a week, a quarter of a year: as far as minutes are whole by default.
const WEEKS: usize = 14;
const STATE_ZSTD_LEVEL: i32 = 3;

asked! {
    /// A stored head.
    struct StoredHead<'r> { logic_version: String, day: Ts, event: String, rows: i64, head: &'r [u8] }
}

/// A head and its logic version.
fn read_head(row: DbRow<'_>) -> Inner<(String, LedgerHead)> {
    let StoredHead { logic_version, day, event, rows, head } = StoredHead::read(row)?;
    let damaged = |what: &str| SqlFault::Damaged(format!("the head of the ledger's day {day} has {what}"));
    let event = ForecastEvent::from_id(&event).ok_or_else(|| damaged("no event of this build"))?;
    let head = head.try_into().map_err(|_e| damaged("another length"))?;
    let rows = u64::try_from(rows).map_err(|_e| damaged("fewer rows than none"))?;
    Ok((logic_version, LedgerHead { day, event, rows, head }))
}

fn of_head(logic: &str, one: &LedgerHead) -> i64 {
    let (day, rows) = (one.day.0.to_le_bytes(), one.rows.to_le_bytes());
    super::digest::of_columns(&[logic.as_bytes(), &day, one.event.id().as_bytes(), &rows, &one.head])
}

/// Puts heads in place of earlier ones of their chains.
pub(super) fn put_heads(conn: &Connection, logic: &str, heads: &[LedgerHead]) -> Inner<()> {
    for one in heads {
        if one.day.0.rem_euclid(DAY.0) != 0 {
            return Err(SqlFault::Invalid(format!("no day of the ledger begins at {}", one.day)));
        }
        let rows = i64::try_from(one.rows).map_err(|_e| SqlFault::Invalid(format!("{} is no count", one.rows)))?;
        let (sql, row) = insert!(ledger_heads or Update {
            logic_version: logic, day: one.day.0, event: one.event.id(), rows, head: &one.head[..],
            digest: of_head(logic, one),
        });
        conn.send(sql, row)?;
    }
    Ok(())
}

/// Heads, states and progress of a part.
pub(super) fn replace(conn: &Connection, part: &LedgerPart<'_>) -> Inner<()> {
    let (logic, Range { start, end }) = (part.logic_version, part.range);
    conn.execute(
        "DELETE FROM ledger_heads WHERE logic_version = ?1 AND day >= ?2 AND day < ?3",
        params![logic, start.0, end.0],
    )?;
    if let Some(head) = part.heads.iter().find(|h| h.day >= end || h.day.0.saturating_add(DAY.0) <= start.0) {
        return Err(SqlFault::Invalid(format!("the head of {} is not of a day that is replaced", head.day)));
    }
    put_heads(conn, logic, part.heads)?;
    conn.execute("DELETE FROM ledger_states WHERE logic_version = ?1 AND ts > ?2", params![logic, start.0])?;
    for state in part.states {
        if state.ts < start || state.ts > end {
            return Err(SqlFault::Invalid(format!("the state before {} is not of the minutes it replaces", state.ts)));
        }
        let body = zstd_of(&state.bytes)?;
        let (sql, row) = insert!(ledger_states or Update { logic_version: logic, ts: state.ts.0, body });
        conn.execute(sql, row)?;
    }
    ledger_notes::put(conn, logic, part.revisions)?;
    if let Some(markets) = part.done {
        let (sql, row) = insert!(ledger_progress or Update {
            logic_version: logic, markets, dirty_since: None::<i64>,
        });
        conn.execute(sql, row)?;
    }
    Ok(())
}

fn zstd_of(bytes: &[u8]) -> Inner<Vec<u8>> {
    use std::io::Write as _;
    let mut zstd = zstd::Encoder::new(Vec::new(), STATE_ZSTD_LEVEL)?;
    zstd.include_checksum(true)?;
    zstd.write_all(bytes)?;
    Ok(zstd.finish()?)
}

/// Minutes of a logic version have changed from `since` on.
pub(super) fn mark(conn: &Connection, logic: &str, since: Ts) -> Inner<()> {
    let (sql, row) = insert!(ledger_progress or Then(
        "ON CONFLICT (logic_version) DO UPDATE SET dirty_since = CASE
            WHEN ledger_progress.dirty_since IS NULL OR ledger_progress.dirty_since > excluded.dirty_since
            THEN excluded.dirty_since ELSE ledger_progress.dirty_since END"
    ) { logic_version: logic, markets: "", dirty_since: since.0 });
    conn.execute(sql, row)?;
    Ok(())
}

/// See [`crate::Reader::ledger_progress`].
pub(super) fn progress(conn: &Connection, logic: &str) -> Inner<Option<LedgerProgress>> {
    let sql = "SELECT markets, dirty_since FROM ledger_progress WHERE logic_version = ?1";
    conn.query_row(sql, params![logic], |r| {
        Ok(LedgerProgress { markets: r.get(0)?, dirty_since: r.get::<Option<i64>>(1)?.map(Ts) })
    })
    .optional()
}

/// See [`crate::Reader::ledger_heads`].
pub(super) fn heads(conn: &Connection, logic: &str, range: Range) -> Inner<Vec<LedgerHead>> {
    let mut statement =
        conn.prepare(select!(StoredHead; " FROM ledger_heads WHERE logic_version = ?1 AND day >= ?2 AND day < ?3"))?;
    let found = statement.query_map(params![logic, range.start.0, range.end.0], |r| Ok(read_head(r)?.1))?;
    let mut found = found.collect::<Inner<Vec<_>>>()?;
    found.sort_by_key(|h| (h.day, h.event));
    Ok(found)
}

/// See [`crate::Reader::ledger_state`].
pub(super) fn state(conn: &Connection, logic: &str, at: Ts) -> Inner<Option<LedgerState>> {
    let sql = "SELECT ts, body FROM ledger_states WHERE logic_version = ?1 AND ts <= ?2 ORDER BY ts DESC LIMIT 1";
    conn.query_row(sql, params![logic, at.0], read_state).optional()
}

/// See [`crate::Reader::ledger_states`].
pub(super) fn states(conn: &Connection, logic: &str) -> Inner<Vec<Ts>> {
    let mut statement = conn.prepare("SELECT ts FROM ledger_states WHERE logic_version = ?1 ORDER BY ts")?;
    statement.query_map(params![logic], |r| Ok(Ts(r.get(0)?)))?.collect()
}

/// Saves the state of a live process.
pub(super) fn put_state(conn: &Connection, logic: &str, state: &LedgerState) -> Inner<()> {
    let body = zstd_of(&state.bytes)?;
    let (sql, row) = insert!(ledger_states or Keep { logic_version: logic, ts: state.ts.0, body });
    conn.send(sql, row)
}

fn read_state(row: DbRow<'_>) -> Inner<LedgerState> {
    let ts = Ts(row.get(0)?);
    let bytes = zstd::stream::decode_all(row.blob(1)?);
    let bytes = bytes.map_err(|e| SqlFault::Damaged(format!("the state of the ledger before {ts}: {e}")))?;
    Ok(LedgerState { ts, bytes })
}

/// Every head with its logic version, each of them what was written, in order.
pub(super) fn all_heads(conn: &Connection) -> Inner<Vec<(String, LedgerHead)>> {
    let mut statement = conn.prepare(select!(StoredHead; ", digest FROM ledger_heads"))?;
    let (mut rows, mut found) = (statement.query(NONE)?, Vec::new());
    while let Some(row) = rows.next()? {
        let (logic, head) = read_head(row)?;
        if of_head(&logic, &head) != row.get::<i64>(StoredHead::COLUMNS.len())? {
            let (event, day) = (head.event.id(), head.day);
            return Err(SqlFault::Damaged(format!("the head of {event} on {day} is not what was written")));
        }
        found.push((logic, head));
    }
    found.sort_by(|(a, x), (b, y)| (a, x.day, x.event).cmp(&(b, y.day, y.event)));
    Ok(found)
}

/// Can every state be read?
pub(super) fn check_states(conn: &Connection) -> Inner<()> {
    let mut statement = conn.prepare("SELECT ts, body FROM ledger_states")?;
    let mut rows = statement.query(NONE)?;
    while let Some(row) = rows.next()? {
        read_state(row)?;
    }
    Ok(())
}

/// Removes old states, but for the newest of each logic version and those of the last weeks; how many.
pub(super) fn prune(conn: &Connection) -> Inner<u64> {
    let mut statement = conn.prepare("SELECT logic_version, ts FROM ledger_states ORDER BY logic_version, ts DESC")?;
    let found = statement.query_map(NONE, |r| Ok((r.get(0)?, r.get(1)?)))?.collect::<Inner<Vec<(String, i64)>>>()?;
    let mut removed = 0;
    let begins_week = |ts: i64| ts.rem_euclid(DAY.0 * 7) == 0;
    let old = |own: &[(String, i64)]| {
        let (mut weeks, mut gone) = (0, Vec::new());
        for (n, (logic, ts)) in own.iter().enumerate() {
            weeks += usize::from(begins_week(*ts));
            if n >= STATES && !(begins_week(*ts) && weeks <= WEEKS) {
                gone.push((logic.clone(), *ts));
            }
        }
        gone
    };
    for (logic, ts) in found.chunk_by(|a, b| a.0 == b.0).flat_map(old) {
        let sql = "DELETE FROM ledger_states WHERE logic_version = ?1 AND ts = ?2";
        removed += conn.execute(sql, params![logic, ts])? as u64;
    }
    Ok(removed)
}
