//! Silences: revisions, each with the moment it was known; an end ahead of time is one more.

use super::asked::{Asked as _, asked, select};
use super::db::{Connection, DbRow, NONE, Optional, params};
use super::digest;
use super::fault::{Inner, SqlFault};
use crate::schema::insert;
use barograph_domain::Ts;
use barograph_domain::delivery::Silence;

fn print(id: &str, revision: i64, known_ts: i64, ends: i64, by: &str, body: &str) -> i64 {
    digest::of_texts(&[id, &revision.to_string(), &known_ts.to_string(), &ends.to_string(), by, body])
}

asked! {
    /// A revision.
    struct StoredSilence {
        silence: String, body: String,
    }
}

asked! {
    /// What stands beside it.
    struct Beside {
        revision: i64, known_ts: i64, ends_ts: i64, changed_by: String, digest: i64,
    }
}

fn read(row: DbRow<'_>) -> Inner<Silence> {
    let StoredSilence { silence: id, body } = StoredSilence::read(row)?;
    let silence: Silence = serde_json::from_str(&body)
        .map_err(|e| SqlFault::Damaged(format!("the silence '{id}' cannot be read: {e}")))?;
    Ok(silence)
}

fn put_revision(conn: &Connection, revision: i64, known: Ts, silence: &Silence, by: &str) -> Inner<bool> {
    let body =
        serde_json::to_string(silence).map_err(|e| SqlFault::Invalid(format!("a silence cannot be written: {e}")))?;
    let ends = silence.ends_at.0;
    let digest = print(&silence.id, revision, known.0, ends, by, &body);
    let (sql, row) = insert!(silences or Keep {
        silence: &silence.id, revision, known_ts: known.0, ends_ts: ends, changed_by: by, body, digest,
    });
    Ok(conn.execute(sql, row)? > 0)
}

/// See [`crate::OutboxDesk::put_silence`].
pub(super) fn put(conn: &Connection, silence: &Silence) -> Inner<bool> {
    if silence.matchers.is_empty() {
        return Err(SqlFault::Invalid(
            "a silence without a matcher would silence everything; give at least one".to_owned(),
        ));
    }
    if silence.ends_at <= silence.starts_at {
        return Err(SqlFault::Invalid(format!(
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
            select!(StoredSilence; ", revision FROM silences WHERE silence = ?1 ORDER BY revision DESC LIMIT 1"),
            params![id],
            |r| Ok((read(r)?, r.get::<i64>(StoredSilence::COLUMNS.len())?)),
        )
        .optional()?;
    let Some((silence, revision)) = newest.filter(|(s, _)| s.ends_at > at) else { return Ok(false) };
    put_revision(conn, revision + 1, at, &Silence { ends_at: at, ..silence }, by)
}

/// See [`crate::OutboxReader::silences`].
pub(super) fn list(conn: &Connection, as_of: Option<Ts>, active_at: Option<Ts>) -> Inner<Vec<Silence>> {
    let mut statement = conn.prepare(select!(
        StoredSilence of "s";
        " FROM silences s WHERE s.known_ts <= ?1 AND s.ends_ts > ?2 AND NOT EXISTS (
            SELECT 1 FROM silences n WHERE n.silence = s.silence AND n.revision > s.revision AND n.known_ts <= ?1)"
    ))?;
    let found = statement.query_map([as_of.unwrap_or(Ts::MAX).0, active_at.unwrap_or(Ts::MIN).0], read)?;
    let mut found = found.collect::<Inner<Vec<Silence>>>()?;
    found.sort_by(|a, b| (a.created_at, &a.id).cmp(&(b.created_at, &b.id)));
    Ok(found)
}

/// Is every revision what was written?
pub(super) fn check(conn: &Connection) -> Inner<u64> {
    let mut statement = conn.prepare(select!(StoredSilence, Beside; " FROM silences"))?;
    let mut rows = statement.query(NONE)?;
    let mut found = 0;
    while let Some(row) = rows.next()? {
        let StoredSilence { silence: id, body } = StoredSilence::read(row)?;
        let beside = Beside::read_from(StoredSilence::COLUMNS.len(), row)?;
        let Beside { revision, known_ts, ends_ts, changed_by, digest } = beside;
        let silence = read(row)?;
        let same = digest == print(&id, revision, known_ts, ends_ts, &changed_by, &body);
        if !same || silence.id != id || silence.ends_at.0 != ends_ts {
            return Err(SqlFault::Damaged(format!("the silence '{id}' is not what was written")));
        }
        found += 1;
    }
    Ok(found)
}
