//! Registered positions, notices about them, and the memory of the watch.

use super::db::{Connection, NONE, Optional, Row, params};
use super::fault::{Fault, Inner};
use crate::position::{NoticeQuery, Registered, WatchState};
use barograph_domain::Ts;
use barograph_domain::advice::{Notice, Position};

fn text<T: serde::Serialize>(value: &T) -> Inner<String> {
    serde_json::to_string(value).map_err(|e| Fault::Invalid(e.to_string()))
}

fn parsed<T: serde::de::DeserializeOwned>(row: Row<'_>, what: &str) -> Inner<T> {
    let body: String = row.get(0)?;
    serde_json::from_str(&body).map_err(|e| Fault::Damaged(format!("a {what} cannot be read: {e}")))
}

/// See [`crate::PositionWriter::put_position`].
pub(super) fn put(conn: &Connection, position: &Position, at: Ts) -> Inner<Registered> {
    let body = text(position)?;
    let known = conn
        .query_row("SELECT body, removed_at FROM positions WHERE id = ?1", params![&position.id], |r| {
            Ok((r.get::<String>(0)?, r.get::<Option<i64>>(1)?))
        })
        .optional()?;
    match known {
        Some((stored, None)) if stored == body => return Ok(Registered::Same),
        Some((_, None)) => {
            conn.execute("UPDATE positions SET body = ?2 WHERE id = ?1", params![&position.id, body])?;
            return Ok(Registered::Changed);
        }
        // Registered again under the id of one that went: a new one, with a memory of its own.
        Some((_, Some(_))) => {
            conn.execute("DELETE FROM position_states WHERE id = ?1", params![&position.id])?;
            conn.execute("DELETE FROM positions WHERE id = ?1", params![&position.id])?;
        }
        None => {}
    }
    conn.execute(
        "INSERT INTO positions (id, registered_at, removed_at, body) VALUES (?1, ?2, NULL, ?3)",
        params![&position.id, at.0, body],
    )?;
    Ok(Registered::New)
}

/// See [`crate::PositionWriter::remove_position`].
pub(super) fn remove(conn: &Connection, id: &str, at: Ts) -> Inner<bool> {
    let sql = "UPDATE positions SET removed_at = ?2 WHERE id = ?1 AND removed_at IS NULL";
    let gone = conn.execute(sql, params![id, at.0])?;
    conn.execute("DELETE FROM position_states WHERE id = ?1", params![id])?;
    Ok(gone > 0)
}

/// See [`crate::PositionWriter::record_check`].
pub(super) fn record(conn: &Connection, states: &[WatchState], notices: &[Notice]) -> Inner<()> {
    for s in states {
        conn.execute(
            "INSERT INTO position_states (id, body)
             SELECT id, ?2 FROM positions WHERE id = ?1 AND removed_at IS NULL
             ON CONFLICT (id) DO UPDATE SET body = excluded.body",
            params![&s.position, &s.state],
        )?;
    }
    for n in notices {
        conn.execute(
            "INSERT INTO position_notices (notice_id, position_id, instrument, ts, body) VALUES (?1, ?2, ?3, ?4, ?5)
             ON CONFLICT DO NOTHING",
            params![&n.notice_id, &n.position_id, n.instrument.to_string(), n.timestamp.0, text(n)?],
        )?;
    }
    Ok(())
}

/// Positions that are registered, oldest first.
pub(super) fn load(conn: &Connection, as_of: Option<Ts>) -> Inner<Vec<Position>> {
    let at = as_of.unwrap_or(Ts::MAX).0;
    let mut statement = conn.prepare(
        "SELECT body FROM positions WHERE registered_at <= ?1 AND (removed_at IS NULL OR removed_at > ?1)
         ORDER BY registered_at, id",
    )?;
    statement.query_map([at], |r| parsed(r, "position"))?.collect()
}

/// What the watch remembers, by position.
pub(super) fn states(conn: &Connection) -> Inner<Vec<WatchState>> {
    let mut statement = conn.prepare("SELECT id, body FROM position_states ORDER BY id")?;
    statement.query_map(NONE, |r| Ok(WatchState { position: r.get(0)?, state: r.get(1)? }))?.collect()
}

/// Notices, newest first.
pub(super) fn notices(conn: &Connection, query: &NoticeQuery) -> Inner<Vec<Notice>> {
    let until = query.as_of.unwrap_or(Ts::MAX).0;
    let limit = i64::try_from(query.limit).unwrap_or(i64::MAX);
    let position = query.position.clone().unwrap_or_default();
    let market = query.instrument.as_ref().map(ToString::to_string).unwrap_or_default();
    let mut statement = conn.prepare(
        "SELECT body FROM position_notices
         WHERE ts <= ?1 AND (?2 = '' OR position_id = ?2) AND (?3 = '' OR instrument = ?3)
         ORDER BY ts DESC, notice_id LIMIT ?4",
    )?;
    statement.query_map(params![until, position, market, limit], |r| parsed(r, "notice"))?.collect()
}
