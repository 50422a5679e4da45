//! What happened to levels: like gaps it belongs to a segment and to the first minute whose row knows it, and counts only
//! where its segment shows that minute; what was published live always counts.
//!
//! Nothing is ever changed. A level as of a moment is the last thing that happened to it until then, and every record holds
//! the whole level, so an answer needs no other tables.

use super::asked::{Asked as _, asked, select};
use super::db::{Connection, DbRow, NONE, params};
use super::fault::{Inner, SqlFault};
use super::runs;
use super::segment::{self, Part};
use crate::codec::level::{self, LevelBeside};
use crate::run::row_of;
use crate::schema::insert;
use crate::{LevelQuery, Page, Range};
use barograph_domain::{LevelChange, Ts};
use std::collections::BTreeMap;

/// Stores the thing that happened as number `step` of its minute; false when it is there already.
pub(super) fn put(conn: &Connection, segment: i64, step: u32, change: &LevelChange) -> Inner<bool> {
    let wrong = |e| SqlFault::Invalid(format!("a level known at {} {e}", change.known_at));
    let beside = LevelBeside::of(change).map_err(wrong)?;
    let body = level::encode(change, &beside);
    let (sql, row) = insert!(level_changes or Keep {
        segment, row_ts: row_of(change.known_at).0, step: i64::from(step), known_ts: beside.known_at.0,
        confirmed_ts: beside.confirmed_at.0, level: &beside.id[..], body,
    });
    Ok(conn.execute(sql, row)? > 0)
}

/// Numbers what happened within a minute.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Steps {
    minute: Option<Ts>,
    next: u32,
}

impl Steps {
    /// The number of the next one, in the order in which they are reported.
    pub(super) fn of(&mut self, change: &LevelChange) -> u32 {
        let minute = row_of(change.known_at);
        if self.minute != Some(minute) {
            *self = Self { minute: Some(minute), next: 0 };
        }
        self.next += 1;
        self.next - 1
    }
}

/// Where a record stands: minute and number within it.
type Place = (Ts, i64);

asked! {
    /// A record: its place, and what it says.
    struct StoredLevel<'r> {
        row_ts: Ts, step: i64, known_ts: Ts, confirmed_ts: Ts, level: &'r [u8], body: &'r [u8],
    }
}

fn read(row: DbRow<'_>) -> Inner<(Place, LevelChange)> {
    let StoredLevel { row_ts, step, known_ts, confirmed_ts, level: id, body } = StoredLevel::read(row)?;
    let place = (row_ts, step);
    let damaged = |e: &dyn core::fmt::Display| {
        SqlFault::Damaged(format!("what happened to a level in the minute of {row_ts} {e}"))
    };
    let id = id.try_into().map_err(|_e| damaged(&"has an id that is none"))?;
    let beside = LevelBeside { known_at: known_ts, confirmed_at: confirmed_ts, id };
    let change = level::decode(body, &beside).map_err(|e| damaged(&e))?;
    Ok((place, change))
}

/// Looks at every record of a segment: can it be read beside its columns, does it stand at its minute, and is none missing between
/// others of it?
fn check_segment(conn: &Connection, segment: i64) -> Inner<()> {
    let mut statement = conn.prepare(select!(
        StoredLevel;
        " FROM level_changes WHERE segment = ?1 ORDER BY row_ts, step"
    ))?;
    let mut rows = statement.query([segment])?;
    let mut expected = (Ts::MIN, 0);
    while let Some(row) = rows.next()? {
        let (place, change) = read(row)?;
        if place.0 != expected.0 {
            expected = (place.0, 0);
        }
        if place.0 != row_of(change.known_at) {
            return Err(SqlFault::Damaged(format!(
                "what happened to a level in the minute of {} is kept under another time or level",
                place.0
            )));
        }
        if place != expected {
            return Err(SqlFault::Damaged(format!(
                "something that happened to levels in the minute of {} is missing",
                place.0
            )));
        }
        expected.1 += 1;
    }
    Ok(())
}

/// Looks at all that is stored about levels.
pub(super) fn check(conn: &Connection) -> Inner<()> {
    let mut statement = conn.prepare("SELECT DISTINCT segment FROM level_changes")?;
    for segment in statement.query_map(NONE, |r| r.get::<i64>(0))? {
        check_segment(conn, segment?)?;
    }
    Ok(())
}

/// Everything known in `first ≤ known_ts ≤ last` of levels confirmed at `confirmed` or later, in order.
fn walk(
    conn: &Connection,
    run: i64,
    (first, last): (Ts, Ts),
    confirmed: Ts,
    mut each: impl FnMut(Place, LevelChange),
) -> Inner<()> {
    let published = runs::live_segment(conn, run)?;
    let all = Part { id: published.unwrap_or(0), from: Ts::MIN, until: Ts::MAX, live: true };
    let shown = segment::parts(conn, run)?.into_iter().filter(|p| !p.live).chain(published.map(|_| all));
    for part in shown {
        let Some(part) = part.within(row_of(first), row_of(last)) else { continue };
        let mut statement = conn.prepare(select!(
            StoredLevel;
            " FROM level_changes
             WHERE segment = ?1 AND row_ts >= ?2 AND row_ts < ?3 AND known_ts >= ?4 AND known_ts <= ?5
                AND confirmed_ts >= ?6
             ORDER BY row_ts, step"
        ))?;
        let mut rows = statement.query(params![part.id, part.from.0, part.until.0, first.0, last.0, confirmed.0])?;
        while let Some(row) = rows.next()? {
            let (place, change) = read(row)?;
            each(place, change);
        }
    }
    Ok(())
}

/// What happened, by the time it was known.
pub(super) fn changes(
    conn: &Connection,
    run: i64,
    range: Range,
    limit: usize,
    as_of: Option<Ts>,
) -> Inner<Page<LevelChange>> {
    let last = Ts(range.end.0.saturating_sub(1)).min(as_of.unwrap_or(Ts::MAX));
    let mut found = BTreeMap::new();
    walk(conn, run, (range.start, last), Ts::MIN, |place, change| {
        found.insert(place, change);
    })?;
    let mut items: Vec<LevelChange> = Vec::new();
    for change in found.into_values() {
        if items.len() >= limit && items.last().is_some_and(|c| c.known_at < change.known_at) {
            return Ok(Page { items, next: Some(change.known_at) });
        }
        items.push(change);
    }
    Ok(Page { items, next: None })
}

/// Levels as they were known to be, by confirmation and id.
pub(super) fn list(conn: &Connection, run: i64, query: &LevelQuery) -> Inner<Page<LevelChange>> {
    let last = query.as_of.unwrap_or(Ts::MAX);
    let mut latest: BTreeMap<(Ts, String), (Place, LevelChange)> = BTreeMap::new();
    // Nothing is known of a level before it is confirmed.
    walk(conn, run, (query.range.start, last), query.range.start, |place, change| {
        let level = &change.level;
        let wanted = query.range.contains(level.confirmed_at)
            && query.timeframe.is_none_or(|t| t == level.timeframe)
            && (query.kinds.is_empty() || query.kinds.contains(&level.kind));
        if !wanted {
            return;
        }
        let key = (level.confirmed_at, level.level_id.clone());
        if latest.get(&key).is_none_or(|(before, _)| *before < place) {
            latest.insert(key, (place, change));
        }
    })?;
    let mut items: Vec<LevelChange> = Vec::new();
    for (_, change) in latest.into_values() {
        if query.standing && change.level.mitigated_at.is_some() {
            continue;
        }
        let confirmed = change.level.confirmed_at;
        if items.len() >= query.limit && items.last().is_some_and(|c| c.level.confirmed_at < confirmed) {
            return Ok(Page { items, next: Some(confirmed) });
        }
        items.push(change);
    }
    Ok(Page { items, next: None })
}
