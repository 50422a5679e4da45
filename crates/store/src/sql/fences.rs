//! Groups of markets and their tokens. Whoever writes a group holds its row until the end of the transaction, so that a newer
//! owner waits for a batch that is under way, and an older one that comes later is refused.

use super::db::{Connection, DbRow, NONE, Optional};
use super::fault::{Inner, SqlFault};
use crate::schema::insert;
use crate::{Fence, GroupState};
use barograph_domain::Ts;

/// Shows a token and locks the group; how far it is published.
pub(super) fn claim(conn: &Connection, fence: Fence) -> Inner<Option<Ts>> {
    let Fence { group, token, through } = fence;
    let shown = i64::try_from(token).map_err(|_e| {
        SqlFault::Invalid(format!("the token {token} of group {group} is above 2^63 - 1; use the lease's revision"))
    })?;
    let (sql, row) = insert!(live_groups or Then(
        "ON CONFLICT (group_id) DO UPDATE SET token = excluded.token, through_ts = CASE
            WHEN live_groups.through_ts IS NULL OR live_groups.through_ts < excluded.through_ts
            THEN excluded.through_ts ELSE live_groups.through_ts END
         WHERE live_groups.token <= excluded.token RETURNING through_ts"
    ) { group_id: i64::from(group), token: shown, through_ts: through.map(|t| t.0) });
    if let Some(stored) = conn.query_row(sql, row, |r| r.get::<Option<i64>>(0)).optional()? {
        return Ok(stored.map(Ts));
    }
    // The row is locked by now, also where the token was too small: it is of the owner.
    let sql = "SELECT group_id, token, through_ts FROM live_groups WHERE group_id = ?1";
    let owner = conn.query_row(sql, [i64::from(group)], read)?;
    Err(SqlFault::Fenced { group, token, newer: owner.token })
}

fn read(row: DbRow<'_>) -> Inner<GroupState> {
    let (group, token, through): (i64, i64, Option<i64>) = (row.get(0)?, row.get(1)?, row.get(2)?);
    match (u16::try_from(group), u64::try_from(token)) {
        (Ok(group), Ok(token)) => Ok(GroupState { group, token, through: through.map(Ts) }),
        _ => Err(SqlFault::Damaged(format!("the group {group} of markets with the token {token} is none"))),
    }
}

/// See [`crate::Reader::live_groups`].
pub(super) fn list(conn: &Connection) -> Inner<Vec<GroupState>> {
    let mut statement = conn.prepare("SELECT group_id, token, through_ts FROM live_groups ORDER BY group_id")?;
    statement.query_map(NONE, read)?.collect()
}

/// Takes a group over. A batch of the owner before has a second to end, as against milliseconds that one takes.
pub(super) fn raise(conn: &Connection, group: u16, token: u64) -> Inner<Option<Ts>> {
    if conn.is_server() {
        conn.execute_batch("SET LOCAL lock_timeout = '1s'")?;
    }
    claim(conn, Fence { group, token, through: None })
}

/// Ends the connection that has a group locked, and with it the transaction: its process was stopped in the middle of one.
pub(super) fn cut_off(conn: &Connection, group: u16) -> Inner<()> {
    let sql = "SELECT pg_terminate_backend(l.pid) FROM live_groups g JOIN pg_locks l ON l.transactionid = g.xmax
         WHERE g.group_id = ?1 AND l.locktype = 'transactionid' AND l.granted AND l.pid <> pg_backend_pid()";
    conn.prepare(sql)?.query_map([i64::from(group)], |r| r.get::<bool>(0))?.try_for_each(|ended| ended.map(drop))
}

/// May a writer of one group, or of all markets, write a batch with this fence?
pub(super) fn fits(group: Option<u16>, fence: Option<Fence>) -> Result<(), String> {
    match (group, fence) {
        (None, _) => Ok(()),
        (Some(own), Some(fence)) if fence.group == own => Ok(()),
        (Some(own), Some(fence)) => {
            Err(format!("this writer was opened for group {own}; open another one for group {}", fence.group))
        }
        (Some(own), None) => {
            Err(format!("this writer was opened for group {own} and writes nothing without its fence"))
        }
    }
}
