//! Signals: revisions by name, scope, moment and source; the last that was known counts.

use super::asked::{Asked as _, asked, select};
use super::db::{Connection, DbRow, NONE, Optional, SqlValue, params};
use super::digest;
use super::fault::{Inner, SqlFault};
use crate::postgres::role;
use crate::schema::insert;
use crate::signal::{SignalInfo, SignalQuery, SignalsPut};
use crate::{Page, Range};
use barograph_domain::{SignalKnown, SignalName, SignalPoint, SignalScope, Ts};
use std::collections::BTreeMap;

asked! {
    /// A revision.
    struct StoredSignal {
        name: String, scope: String, event_ts: Ts, source: String, known_ts: Ts, value: Option<f64>, tags: String,
        stated: i64,
    }
}

asked! {
    /// Of a signal and a source, counted.
    struct CountedSignal {
        name: String, scope: String, source: String,
    }
}

fn damaged(name: &str, why: &dyn std::fmt::Display) -> SqlFault {
    SqlFault::Damaged(format!("a value of the signal '{name}' cannot be read: {why}"))
}

fn read(row: DbRow<'_>) -> Inner<SignalPoint> {
    let StoredSignal { name, scope, event_ts, source, known_ts, value, tags, stated } = StoredSignal::read(row)?;
    let known = if stated == 0 { SignalKnown::Received } else { SignalKnown::Stated };
    let scope = SignalScope::parse(&scope).map_err(|e| damaged(&name, &e))?;
    let tags: BTreeMap<String, String> = serde_json::from_str(&tags).map_err(|e| damaged(&name, &e))?;
    let name = SignalName::any(&name).map_err(|e| damaged(&name, &e))?;
    Ok(SignalPoint { name, scope, source, event_ts, value, tags, known_ts, known })
}

fn tags(point: &SignalPoint) -> Inner<String> {
    serde_json::to_string(&point.tags).map_err(|e| SqlFault::Invalid(e.to_string()))
}

fn of_point(point: &SignalPoint) -> Inner<i64> {
    let [event, known] = [point.event_ts, point.known_ts].map(|t| t.0.to_le_bytes());
    let value = point.bits().map(u64::to_le_bytes);
    Ok(digest::of_columns(&[
        point.name.as_str().as_bytes(),
        point.scope.to_string().as_bytes(),
        &event,
        point.source.as_bytes(),
        &known,
        value.as_ref().map_or(&[], |v| v.as_slice()),
        tags(point)?.as_bytes(),
        &[u8::from(point.known == SignalKnown::Stated)],
    ]))
}

/// See [`crate::SignalStore::put_signals`].
pub(super) fn put(conn: &Connection, points: &[SignalPoint]) -> Inner<SignalsPut> {
    if conn.is_server() {
        // A file has one writer at a time; there two could each miss what the other adds.
        conn.query_row("SELECT pg_advisory_xact_lock(?1)", [role::key("signals")], |_| Ok(()))?;
    }
    let mut done = SignalsPut::default();
    // In the order in which they became known, so that a batch does what its values would one by one.
    let mut ordered: Vec<&SignalPoint> = points.iter().collect();
    ordered.sort_by(|a, b| (a.known_ts, a.key()).cmp(&(b.known_ts, b.key())));
    for point in ordered {
        point.check().map_err(|fault| SqlFault::Invalid(format!("{}: {fault}", point.name)))?;
        match before(conn, point)? {
            Some(last) if last.known_ts == point.known_ts && !last.is_same(point) => return Err(contradiction(point)),
            Some(last) if last.is_same(point) => {
                done.same += 1;
                // What is stated of a later moment stands by itself: a revision known in between may still be brought.
                if point.known == SignalKnown::Stated && last.known_ts != point.known_ts {
                    insert(conn, point)?;
                }
            }
            last => {
                insert(conn, point)?;
                if last.is_some() { done.revised += 1 } else { done.new += 1 }
            }
        }
    }
    Ok(done)
}

fn contradiction(point: &SignalPoint) -> SqlFault {
    SqlFault::Invalid(format!(
        "{} of {} from {} at {} has two different values known since {}; a revision is known later than what it revises",
        point.name, point.scope, point.source, point.event_ts, point.known_ts
    ))
}

/// What was known of the same key when `point` became known.
fn before(conn: &Connection, point: &SignalPoint) -> Inner<Option<SignalPoint>> {
    let sql = select!(
        StoredSignal;
        " FROM signals WHERE name = ?1 AND scope = ?2 AND event_ts = ?3 AND source = ?4 AND known_ts <= ?5
          ORDER BY known_ts DESC LIMIT 1"
    );
    let of = params![
        point.name.as_str(),
        point.scope.to_string(),
        point.event_ts.0,
        point.source.as_str(),
        point.known_ts.0
    ];
    conn.query_row(sql, of, read).optional()
}

fn insert(conn: &Connection, point: &SignalPoint) -> Inner<()> {
    let scope = point.scope.to_string();
    let (sql, row) = insert!(signals or Fail {
        name: point.name.as_str(), scope: &scope, event_ts: point.event_ts.0, source: point.source.as_str(),
        known_ts: point.known_ts.0, value: point.value, tags: tags(point)?,
        stated: point.known == SignalKnown::Stated, digest: of_point(point)?,
    });
    conn.execute(sql, row)?;
    Ok(())
}

/// See [`crate::SignalReader::signal_points`].
pub(super) fn points(conn: &Connection, query: &SignalQuery) -> Inner<Page<SignalPoint>> {
    let mut statement = conn.prepare(select!(
        StoredSignal;
        " FROM signals WHERE name = ?1 AND scope = ?2 AND event_ts >= ?3 AND event_ts < ?4 AND known_ts <= ?5
          AND (?6 = '' OR source = ?6) ORDER BY event_ts, source, known_ts"
    ))?;
    let Range { start, end } = query.range;
    let known_by = query.as_of.unwrap_or(Ts::MAX);
    // No source is an empty text.
    let source = query.source.as_deref().unwrap_or_default();
    let of = params![query.name.as_str(), query.scope.to_string(), start.0, end.0, known_by.0, source];
    let (mut rows, mut page) = (statement.query(of)?, Page::default());
    // The last revision of a key so far, which the next row may replace.
    let mut last: Option<SignalPoint> = None;
    while let Some(row) = rows.next()? {
        let point = read(row)?;
        let Some(done) = last.replace(point) else { continue };
        let Some(next) = last.as_ref() else { continue };
        let moved = next.event_ts != done.event_ts;
        let superseded = next.key() == done.key();
        let next_ts = next.event_ts;
        keep(&mut page, done, superseded, query.revisions);
        if moved && page.items.len() >= query.limit {
            page.next = Some(next_ts);
            return Ok(page);
        }
    }
    if let Some(done) = last {
        keep(&mut page, done, false, query.revisions);
    }
    Ok(page)
}

fn keep(page: &mut Page<SignalPoint>, point: SignalPoint, superseded: bool, revisions: bool) {
    if revisions || (!superseded && point.value.is_some()) {
        page.items.push(point);
    }
}

/// Counts by signal, of those that some condition more selects.
macro_rules! counted {
    ($more:literal) => {
        select!(
            CountedSignal;
            concat!(
                ", COUNT(*), COUNT(DISTINCT event_ts), MIN(event_ts), MAX(event_ts), MAX(known_ts)
                  FROM signals WHERE known_ts <= ?1", $more, " GROUP BY name, scope, source ORDER BY name, scope, source"
            )
        )
    };
}

/// See [`crate::SignalReader::signals`].
pub(super) fn list(conn: &Connection, as_of: Option<Ts>) -> Inner<Vec<SignalInfo>> {
    counts(conn, counted!(""), params![as_of.unwrap_or(Ts::MAX).0])
}

/// See [`crate::SignalReader::signals_of`].
pub(super) fn list_of(conn: &Connection, name: &SignalName, as_of: Option<Ts>) -> Inner<Vec<SignalInfo>> {
    // The key begins with the name.
    counts(conn, counted!(" AND name = ?2"), params![as_of.unwrap_or(Ts::MAX).0, name.as_str()])
}

fn counts<const N: usize>(conn: &Connection, sql: &'static str, of: [SqlValue<'_>; N]) -> Inner<Vec<SignalInfo>> {
    let mut statement = conn.prepare(sql)?;
    let info = |row: DbRow<'_>| {
        let CountedSignal { name, scope, source } = CountedSignal::read(row)?;
        let at = CountedSignal::COLUMNS.len();
        let [all, points, first, newest, newest_known] = [0, 1, 2, 3, 4].map(|i| row.get::<i64>(at + i));
        let points = points?;
        Ok(SignalInfo {
            scope: SignalScope::parse(&scope).map_err(|e| damaged(&name, &e))?,
            name: SignalName::any(&name).map_err(|e| damaged(&name, &e))?,
            source,
            points: points.unsigned_abs(),
            revisions: (all? - points).unsigned_abs(),
            first: Ts(first?),
            newest: Ts(newest?),
            newest_known: Ts(newest_known?),
        })
    };
    statement.query_map(of, info)?.collect()
}

/// See [`crate::SignalReader::signal_since`].
pub(super) fn since(
    conn: &Connection,
    name: &SignalName,
    scope: &SignalScope,
    source: Option<&str>,
) -> Inner<Option<Ts>> {
    let sql = "SELECT MIN(known_ts) FROM signals WHERE name = ?1 AND scope = ?2 AND (?3 = '' OR source = ?3)";
    let of = params![name.as_str(), scope.to_string(), source.unwrap_or_default()];
    conn.query_row(sql, of, |row| Ok(row.get::<Option<i64>>(0)?.map(Ts)))
}

/// Is every value what was written? How many there are.
pub(super) fn check(conn: &Connection) -> Inner<u64> {
    let mut statement = conn.prepare(select!(StoredSignal; ", digest FROM signals"))?;
    let (mut rows, mut found) = (statement.query(NONE)?, 0);
    while let Some(row) = rows.next()? {
        let point = read(row)?;
        if of_point(&point)? != row.get::<i64>(StoredSignal::COLUMNS.len())? {
            return Err(SqlFault::Damaged(format!(
                "the value of the signal '{}' at {} is not what was written",
                point.name, point.event_ts
            )));
        }
        found += 1;
    }
    Ok(found)
}
