//! Registered positions, notices about them, and the memory of the watch. Each record carries a digest of itself.

use super::db::{Connection, DbRow, NONE, Optional, params};
use super::digest;
use super::fault::{Inner, SqlFault};
use crate::Outgoing;
use crate::position::{NoticeQuery, Registered, WatchState};
use crate::schema::insert;
use barograph_domain::Ts;
use barograph_domain::advice::{Position, PositionNotice};

fn text<T: serde::Serialize>(value: &T) -> Inner<String> {
    serde_json::to_string(value).map_err(|e| SqlFault::Invalid(e.to_string()))
}

fn parsed<T: serde::de::DeserializeOwned>(row: DbRow<'_>, what: &str) -> Inner<T> {
    let body: String = row.get(0)?;
    serde_json::from_str(&body).map_err(|e| SqlFault::Damaged(format!("a {what} cannot be read: {e}")))
}

fn of_position(id: &str, since: i64, until: Option<i64>, body: &str) -> i64 {
    let until = until.map_or_else(String::new, |t| t.to_string());
    digest::of_texts(&[id, &since.to_string(), &until, body])
}

fn of_state(id: &str, body: &str) -> i64 {
    digest::of_texts(&[id, body])
}

fn of_notice(id: &str, position: &str, instrument: &str, ts: i64, body: &str) -> i64 {
    digest::of_texts(&[id, position, instrument, &ts.to_string(), body])
}

/// Is every record what was written, and is it readable?
pub(super) fn check(conn: &Connection) -> Inner<()> {
    let same = |what: &str, id: &str, said: Option<i64>, is: i64| match said {
        Some(said) if said != is => Err(SqlFault::Damaged(format!("the {what} '{id}' is not what was written"))),
        _ => Ok(()),
    };
    let mut statement = conn.prepare("SELECT body, id, registered_at, removed_at, digest FROM positions")?;
    let mut rows = statement.query(NONE)?;
    while let Some(row) = rows.next()? {
        let (body, id): (String, String) = (row.get(0)?, row.get(1)?);
        same("position", &id, row.get(4)?, of_position(&id, row.get(2)?, row.get(3)?, &body))?;
        parsed::<Position>(row, "position")?;
    }
    let mut statement = conn.prepare("SELECT body, id, digest FROM position_states")?;
    let mut rows = statement.query(NONE)?;
    while let Some(row) = rows.next()? {
        let (body, id): (String, String) = (row.get(0)?, row.get(1)?);
        same("memory of the position", &id, row.get(2)?, of_state(&id, &body))?;
    }
    let mut statement =
        conn.prepare("SELECT body, notice_id, position_id, instrument, ts, digest FROM position_notices")?;
    let mut rows = statement.query(NONE)?;
    while let Some(row) = rows.next()? {
        let (body, id, position, instrument): (String, String, String, String) =
            (row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?);
        same("notice", &id, row.get(5)?, of_notice(&id, &position, &instrument, row.get(4)?, &body))?;
        parsed::<PositionNotice>(row, "notice")?;
    }
    Ok(())
}

/// See [`crate::PositionWriter::put_position`].
pub(super) fn put(conn: &Connection, position: &Position, at: Ts) -> Inner<Registered> {
    let body = text(position)?;
    let known = conn
        .query_row("SELECT body, removed_at, registered_at FROM positions WHERE id = ?1", params![&position.id], |r| {
            Ok((r.get::<String>(0)?, r.get::<Option<i64>>(1)?, r.get::<i64>(2)?))
        })
        .optional()?;
    match known {
        Some((stored, None, _)) if stored == body => return Ok(Registered::Same),
        Some((_, None, since)) => {
            let digest = of_position(&position.id, since, None, &body);
            conn.execute(
                "UPDATE positions SET body = ?2, digest = ?3 WHERE id = ?1",
                params![&position.id, body, digest],
            )?;
            return Ok(Registered::Changed);
        }
        // Registered again under the id of one that went: a new one, with a memory of its own.
        Some((_, Some(_), _)) => {
            conn.execute("DELETE FROM position_states WHERE id = ?1", params![&position.id])?;
            conn.execute("DELETE FROM positions WHERE id = ?1", params![&position.id])?;
        }
        None => {}
    }
    let digest = of_position(&position.id, at.0, None, &body);
    let (sql, row) = insert!(positions or Fail {
        id: &position.id, registered_at: at.0, removed_at: None::<i64>, body, digest,
    });
    conn.execute(sql, row)?;
    Ok(Registered::New)
}

/// See [`crate::PositionWriter::remove_position`].
pub(super) fn remove(conn: &Connection, id: &str, at: Ts) -> Inner<bool> {
    let known: Option<(i64, String)> = conn
        .query_row("SELECT registered_at, body FROM positions WHERE id = ?1 AND removed_at IS NULL", params![id], |r| {
            Ok((r.get(0)?, r.get(1)?))
        })
        .optional()?;
    let gone = match known {
        Some((since, body)) => {
            let digest = of_position(id, since, Some(at.0), &body);
            let sql = "UPDATE positions SET removed_at = ?2, digest = ?3 WHERE id = ?1 AND removed_at IS NULL";
            conn.execute(sql, params![id, at.0, digest])?
        }
        None => 0,
    };
    conn.execute("DELETE FROM position_states WHERE id = ?1", params![id])?;
    Ok(gone > 0)
}

/// See [`crate::PositionWriter::record_check`].
pub(super) fn record(
    conn: &Connection,
    states: &[WatchState],
    notices: &[PositionNotice],
    messages: &[Outgoing],
) -> Inner<()> {
    for s in states {
        conn.execute(
            "INSERT INTO position_states (id, body, digest)
             SELECT id, ?2, CAST(?3 AS BIGINT) FROM positions WHERE id = ?1 AND removed_at IS NULL
             ON CONFLICT (id) DO UPDATE SET body = excluded.body, digest = excluded.digest",
            params![&s.position, &s.state, of_state(&s.position, &s.state)],
        )?;
    }
    for n in notices {
        let (instrument, body) = (n.instrument.to_string(), text(n)?);
        let digest = of_notice(&n.notice_id, &n.position_id, &instrument, n.timestamp.0, &body);
        let (sql, row) = insert!(position_notices or Keep {
            notice_id: &n.notice_id, position_id: &n.position_id, instrument, ts: n.timestamp.0, body, digest,
        });
        conn.execute(sql, row)?;
    }
    super::outbox::put_all(conn, messages).map(drop)
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
pub(super) fn notices(conn: &Connection, query: &NoticeQuery) -> Inner<Vec<PositionNotice>> {
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
