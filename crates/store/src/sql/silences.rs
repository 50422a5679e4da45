//! Silences: revisions, each with the moment it was known; an end ahead of time is one more.

use super::db::{Connection, NONE, Optional, Row, params};
use super::digest;
use super::fault::{Fault, Inner};
use barograph_domain::Ts;
use barograph_domain::delivery::Silence;

fn print(id: &str, revision: i64, known_ts: i64, ends: i64, by: &str, body: &str) -> i64 {
    digest::of_texts(&[id, &revision.to_string(), &known_ts.to_string(), &ends.to_string(), by, body])
}

fn read(row: Row<'_>) -> Inner<Silence> {
    let (id, body): (String, String) = (row.get(0)?, row.get(1)?);
    let silence: Silence =
        serde_json::from_str(&body).map_err(|e| Fault::Damaged(format!("the silence '{id}' cannot be read: {e}")))?;
    Ok(silence)
}

fn put_revision(conn: &Connection, revision: i64, known: Ts, silence: &Silence, by: &str) -> Inner<bool> {
    let body =
        serde_json::to_string(silence).map_err(|e| Fault::Invalid(format!("a silence cannot be written: {e}")))?;
    let ends = silence.ends_at.0;
    let digest = print(&silence.id, revision, known.0, ends, by, &body);
    let stored = conn.execute(
        "INSERT INTO silences VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7) ON CONFLICT DO NOTHING",
        params![&silence.id, revision, known.0, ends, by, body, digest],
    )?;
    Ok(stored > 0)
}

/// See [`crate::OutboxDesk::put_silence`].
pub(super) fn put(conn: &Connection, silence: &Silence) -> Inner<bool> {
    if silence.matchers.is_empty() {
        return Err(Fault::Invalid(
            "a silence without a matcher would silence everything; give at least one".to_owned(),
        ));
    }
    if silence.ends_at <= silence.starts_at {
        return Err(Fault::Invalid(format!(
            "a silence from {} ends at {}; let it end later",
            silence.starts_at, silence.ends_at
        )));
    }
    put_revision(conn, 1, silence.created_at, silence, &silence.author)
}

/// See [`crate::OutboxDesk::end_silence`].
pub(super) fn end(conn: &Connection, id: &str, at: Ts, by: &str) -> Inner<bool> {
    let newest = conn
        .query_row(
            "SELECT silence, body, revision FROM silences WHERE silence = ?1 ORDER BY revision DESC LIMIT 1",
            params![id],
            |r| Ok((read(r)?, r.get::<i64>(2)?)),
        )
        .optional()?;
    let Some((silence, revision)) = newest.filter(|(s, _)| s.ends_at > at) else { return Ok(false) };
    put_revision(conn, revision + 1, at, &Silence { ends_at: at, ..silence }, by)
}

/// See [`crate::OutboxReader::silences`].
pub(super) fn list(conn: &Connection, as_of: Option<Ts>, active_at: Option<Ts>) -> Inner<Vec<Silence>> {
    let mut statement = conn.prepare(
        "SELECT s.silence, s.body FROM silences s WHERE s.known_ts <= ?1 AND s.ends_ts > ?2 AND NOT EXISTS (
            SELECT 1 FROM silences n WHERE n.silence = s.silence AND n.revision > s.revision AND n.known_ts <= ?1)",
    )?;
    let found = statement.query_map([as_of.unwrap_or(Ts::MAX).0, active_at.unwrap_or(Ts::MIN).0], read)?;
    let mut found = found.collect::<Inner<Vec<Silence>>>()?;
    found.sort_by(|a, b| (a.created_at, &a.id).cmp(&(b.created_at, &b.id)));
    Ok(found)
}

/// Is every revision what was written?
pub(super) fn check(conn: &Connection) -> Inner<u64> {
    let mut statement =
        conn.prepare("SELECT silence, body, revision, known_ts, ends_ts, changed_by, digest FROM silences")?;
    let mut rows = statement.query(NONE)?;
    let mut found = 0;
    while let Some(row) = rows.next()? {
        let (id, body, by): (String, String, String) = (row.get(0)?, row.get(1)?, row.get(5)?);
        let digest = print(&id, row.get(2)?, row.get(3)?, row.get(4)?, &by, &body);
        let silence = read(row)?;
        if digest != row.get::<i64>(6)? || silence.id != id || silence.ends_at.0 != row.get::<i64>(4)? {
            return Err(Fault::Damaged(format!("the silence '{id}' is not what was written")));
        }
        found += 1;
    }
    Ok(found)
}
