//! Records of alerts: like gaps they belong to a segment and to the first minute whose row knows them, and count only where
//! their segment shows that minute; what was published live always counts.
//!
//! An episode may begin in computed minutes and end in published ones, where nobody reported its end. That end, as it was
//! computed, is kept with the minutes that began it, and shown unless a published record ends the same episode.
//!
//! A record that an event made is known before the row of its minute is, and a live process may publish the two in different
//! batches, so a record is keyed by itself (the moment, the episode, its number within it) and not by its place in a list.

use super::asked::{Asked as _, asked, select};
use super::db::{Connection, DbRow, NONE, Rows, params};
use super::digest;
use super::fault::{Inner, SqlFault};
use super::runs;
use super::segment::{self, Part};
use crate::run::row_of;
use crate::schema::insert;
use crate::{AlertQuery, Page, PairRecord, Range, RunKey};
use barograph_domain::alert::AlertChange;
use barograph_domain::{Alert, AlertState, KnownAlert, Pattern, Severity, Ts};
use std::collections::BTreeMap;

/// Where a record stands: when it was known, its episode, its number within that.
type Place = (Ts, String, u32);
/// Records by their place.
type Found = BTreeMap<Place, KnownAlert>;

/// More than can be known of one market at one moment: fourteen patterns, some in several ways.
const TIES: usize = 64;
/// Characters of an id: hexadecimal digits in five groups.
const ID_LENGTH: usize = 36;

fn rank(severity: Severity) -> i64 {
    Severity::ALL.iter().position(|s| *s == severity).and_then(|p| i64::try_from(p).ok()).unwrap_or(0)
}

/// Digest of a record: everything but the segment and the minute, which follow from it.
fn print(known_at: Ts, id: &str, body: &str) -> i64 {
    digest::of_texts(&[&known_at.0.to_string(), id, body])
}

/// Stores a record; false when it is there already.
pub(super) fn put(conn: &Connection, segment: i64, key: &RunKey, known: &KnownAlert) -> Inner<bool> {
    let KnownAlert { known_at, alert } = known;
    let id = alert.id(&key.instrument, &key.logic_version);
    let body = serde_json::to_string(alert)
        .map_err(|e| SqlFault::Invalid(format!("an alert known at {known_at} cannot be written: {e}")))?;
    let digest = print(*known_at, &id, &body);
    let (sql, row) = insert!(alerts or Keep {
        segment, row_ts: row_of(*known_at).0, known_ts: known_at.0, alert: id, revision: i64::from(alert.revision),
        pattern: alert.pattern.name(), change: alert.change.name(), severity: rank(alert.severity),
        opened_ts: alert.opened_at.0, body, digest,
    });
    Ok(conn.execute(sql, row)? > 0)
}

/// Does a segment say how an episode ends in a minute, from this one on, that the run has published?
pub(super) fn ends_beside(conn: &Connection, run: i64, segment: i64, from: Ts) -> Inner<bool> {
    let found: i64 = conn
        .prepare(
            "SELECT count(*) FROM alerts a JOIN parts p ON a.row_ts >= p.from_ts AND a.row_ts < p.until_ts
             WHERE p.run = ?1 AND p.live = 1 AND a.segment = ?2 AND a.row_ts >= ?3 AND a.change = ?4",
        )?
        .query_row(params![run, segment, from.0, AlertChange::Closed.name()], |r| r.get(0))?;
    Ok(found > 0)
}

/// Records of a pattern that computed minutes of runs show, and ends of episodes that they keep beside published ones, `w`.
const OF_PATTERN: &str = "FROM runs r JOIN parts p ON p.run = r.run AND p.live = 0
            JOIN parts w ON w.run = p.run AND (w.from_ts = p.from_ts OR w.live = 1)
            JOIN alerts a ON a.segment = p.segment AND a.row_ts >= w.from_ts AND a.row_ts < w.until_ts
         WHERE a.pattern = ?1 AND a.row_ts >= ?2 AND a.row_ts < ?3 AND r.logic_version = ?4";

/// And of them those whose hour is not published.
const OF_COMPUTED_HOURS: &str =
    "AND a.row_ts NOT IN (SELECT ts FROM universe_rows WHERE logic_version = ?4 AND live = 1)";

/// Removes what computed hours said of pairs. What a published hour said stays, and so does what a run was shown to say before
/// a correction.
pub(super) fn forget_pairs(conn: &Connection, logic: &str, hours: Range) -> Inner<()> {
    forget(conn, Pattern::CorrelationBreak, logic, hours, OF_COMPUTED_HOURS)
}

/// Removes what computed ticks of the ledger said of drift; what the ticks at `published` said stays.
pub(super) fn forget_drift(conn: &Connection, logic: &str, range: Range, published: &[Ts]) -> Inner<()> {
    for pattern in [Pattern::FeatureDrift, Pattern::SkillLost] {
        let sql =
            "SELECT DISTINCT row_ts FROM alerts WHERE pattern = ?1 AND row_ts >= ?2 AND row_ts < ?3 ORDER BY row_ts";
        let mut statement = conn.prepare(sql)?;
        let found = statement.query_map(params![pattern.name(), range.start.0, range.end.0], |r| Ok(Ts(r.get(0)?)))?;
        let found: Vec<Ts> = found.collect::<Inner<_>>()?;
        for ts in found.into_iter().filter(|ts| published.binary_search(ts).is_err()) {
            forget(conn, pattern, logic, Range { start: ts, end: Ts(ts.0.saturating_add(1)) }, "")?;
        }
    }
    Ok(())
}

fn forget(conn: &Connection, pattern: Pattern, logic: &str, range: Range, unless: &str) -> Inner<()> {
    let pattern = pattern.name();
    let which = || params![pattern, range.start.0, range.end.0, logic];
    let shared = conn
        .prepare(format!(
            "SELECT DISTINCT p.run, p.segment, p.from_ts, p.until_ts {OF_PATTERN} {unless}
                AND EXISTS (SELECT 1 FROM parts o WHERE o.segment = p.segment AND o.run <> p.run)"
        ))?
        .query_map(which(), |r| {
            Ok((r.get(0)?, Part { id: r.get(1)?, from: Ts(r.get(2)?), until: Ts(r.get(3)?), live: false }))
        })?
        .collect::<Inner<Vec<_>>>()?;
    for (run, part) in shared {
        segment::part_with_copy(conn, run, part, Ts::MAX)?;
    }
    conn.execute(
        format!(
            "DELETE FROM alerts WHERE (segment, row_ts, known_ts, alert, revision) IN
                (SELECT a.segment, a.row_ts, a.known_ts, a.alert, a.revision {OF_PATTERN} {unless})"
        ),
        which(),
    )?;
    let unless = unless.replace("a.row_ts", "row_ts");
    conn.execute(
        format!(
            "DELETE FROM alerts WHERE pattern = ?1 AND row_ts >= ?2 AND row_ts < ?3
                AND segment IN (SELECT live_segment FROM runs WHERE logic_version = ?4 AND live_segment IS NOT NULL) {unless}"
        ),
        which(),
    )?;
    Ok(())
}

/// Stores what an hour says of a pair where the first market's run shows that hour, and nowhere that shows what it was before a
/// correction. Without such a run there is nobody to report to.
pub(super) fn put_pair(conn: &Connection, logic: &str, one: &PairRecord) -> Inner<()> {
    let key = RunKey { instrument: one.instrument.clone(), logic_version: logic.to_owned() };
    let Some(run) = segment::run_id(conn, &key)? else { return Ok(()) };
    let minute = row_of(one.alert.known_at);
    let part = segment::parts(conn, run)?.into_iter().find(|p| p.contains(minute));
    let segment = match part.filter(|p| !p.live) {
        Some(part) if segment::is_shared(conn, part.id, run)? => {
            Some(segment::part_with_copy(conn, run, part, Ts::MAX)?.id)
        }
        Some(part) => Some(part.id),
        None => runs::live_segment(conn, run)?,
    };
    if let Some(segment) = segment {
        put(conn, segment, &key, &one.alert)?;
    }
    Ok(())
}

asked! {
    /// A record.
    struct StoredAlert {
        known_ts: Ts, alert: String, revision: i64, body: String,
    }
}

fn read(row: DbRow<'_>) -> Inner<(Place, KnownAlert)> {
    let StoredAlert { known_ts: known_at, alert: id, revision, body } = StoredAlert::read(row)?;
    let alert: Alert = serde_json::from_str(&body)
        .map_err(|e| SqlFault::Damaged(format!("the alert known at {known_at} cannot be read: {e}")))?;
    let place = (known_at, id, u32::try_from(revision).unwrap_or(u32::MAX));
    Ok((place, KnownAlert { known_at, alert }))
}

/// The segments that show records of a run, the minutes they show, the published one last.
fn shown(conn: &Connection, run: i64, first: Ts, last: Ts) -> Inner<Vec<Part>> {
    let published = runs::live_segment(conn, run)?;
    let all = Part { id: published.unwrap_or(0), from: Ts::MIN, until: Ts::MAX, live: true };
    let parts = segment::parts(conn, run)?.into_iter().filter(|p| !p.live).chain(published.map(|_| all));
    Ok(parts.filter_map(|p| p.within(row_of(first), row_of(last))).collect())
}

/// Words for LIKE: `,A,B,`, or nothing for all.
fn list<T: Copy>(words: &[T], name: fn(T) -> &'static str) -> String {
    if words.is_empty() {
        return String::new();
    }
    words.iter().fold(",".to_owned(), |text, w| text + name(*w) + ",")
}

/// First and last moment that a query asks about.
fn ends(query: &AlertQuery) -> (Ts, Ts) {
    let last = Ts(query.range.end.0.saturating_sub(1)).min(query.as_of.unwrap_or(Ts::MAX));
    (query.range.start, last)
}

/// Leaves out episodes whose beginning and end the same part shows. An end alone stays: it ends what another part began. The lists are
/// made once a query: asked about each record by itself, SQLite reads the whole segment again for each.
const NOT_OVER: &str = "AND CASE WHEN a.change = 'CLOSED'
                THEN a.alert NOT IN (SELECT c.alert FROM alerts c WHERE c.segment = ?1 AND c.row_ts >= ?2 AND c.row_ts < ?3
                    AND c.known_ts <= ?5 AND c.change = 'OPENED')
                ELSE a.alert NOT IN (SELECT c.alert FROM alerts c WHERE c.segment = ?1 AND c.row_ts >= ?2 AND c.row_ts < ?3
                    AND c.known_ts <= ?5 AND c.change = 'CLOSED') END";

/// Of the ends that were computed for published minutes: those of episodes that computed minutes begin and nothing
/// published ends.
const ENDS_UNTOLD: &str = "AND a.change = 'CLOSED'
            AND a.alert IN (SELECT o.alert FROM alerts o JOIN parts p ON p.segment = o.segment
                WHERE p.run = ?11 AND p.live = 0 AND o.row_ts >= p.from_ts AND o.row_ts < p.until_ts AND o.change = 'OPENED')
            AND a.alert NOT IN (SELECT c.alert FROM alerts c WHERE c.segment = ?12 AND c.change = 'CLOSED')";

/// The minutes that were published, as each segment of computed minutes would show them.
fn untold(conn: &Connection, run: i64, first: Ts, last: Ts) -> Inner<Vec<Part>> {
    let parts = segment::parts(conn, run)?;
    let mut computed: Vec<i64> = parts.iter().filter(|p| !p.live).map(|p| p.id).collect();
    computed.sort_unstable();
    computed.dedup();
    let published = parts.iter().filter(|p| p.live).filter_map(|p| p.within(row_of(first), row_of(last)));
    Ok(published.flat_map(|p| computed.iter().map(move |id| Part { id: *id, ..p })).collect())
}

/// At most `take` records of each part, from the end the query begins at; and the moment from which on some may be missing.
fn gather(conn: &Connection, run: i64, query: &AlertQuery, take: usize) -> Inner<(Found, Option<Ts>)> {
    let (first, last) = ends(query);
    let order = if query.newest_first { "DESC" } else { "ASC" };
    let going_on = if query.open { NOT_OVER } else { "" };
    let asked = select!(StoredAlert; " FROM alerts a");
    // Words of its own for each, so that an id is found by its index and everything else is not.
    let episode = match query.episode.len() {
        0 => "AND ?10 = ''",
        ID_LENGTH => "AND a.alert = ?10",
        _ => "AND a.alert >= ?10 AND a.alert < ?10 || 'g'",
    };
    let wanted = query.episode.as_str();
    let sql = |more: &str| {
        format!(
            "{asked}
             WHERE segment = ?1 AND row_ts >= ?2 AND row_ts < ?3 AND known_ts >= ?4 AND known_ts <= ?5
                AND severity >= ?6 AND (?7 = '' OR ?7 LIKE '%,' || pattern || ',%')
                AND (?8 = '' OR ?8 LIKE '%,' || change || ',%') {episode} {more}
             ORDER BY row_ts {order}, known_ts {order} LIMIT ?9"
        )
    };
    let limit = i64::try_from(take).unwrap_or(i64::MAX);
    let (patterns, changes) = (list(&query.patterns, Pattern::name), list(&query.changes, AlertChange::name));
    let severity = query.severity.map_or(0, rank);
    let (mut found, mut missing) = (Found::new(), None);
    let mut take_in = |rows: &mut Rows<'_>| -> Inner<()> {
        let (mut count, mut end) = (0_usize, None);
        while let Some(row) = rows.next()? {
            let (place, alert) = read(row)?;
            count += 1;
            end = Some(place.0);
            // What was published comes last and stays.
            found.insert(place, alert);
        }
        if count >= take {
            missing = if query.newest_first { missing.max(end) } else { missing.min(end).or(end) };
        }
        Ok(())
    };
    let live = runs::live_segment(conn, run)?.unwrap_or(0);
    for part in untold(conn, run, first, last)? {
        let (from, until) = (part.from.0, part.until.0);
        let mut statement = conn.prepare(sql(ENDS_UNTOLD))?;
        take_in(&mut statement.query(params![
            part.id, from, until, first.0, last.0, severity, &patterns, &changes, limit, wanted, run, live
        ])?)?;
    }
    for part in shown(conn, run, first, last)? {
        let (from, until) = (part.from.0, part.until.0);
        let mut statement = conn.prepare(sql(going_on))?;
        take_in(
            &mut statement
                .query(params![part.id, from, until, first.0, last.0, severity, &patterns, &changes, limit, wanted])?,
        )?;
    }
    if let Some(from) = missing {
        found.retain(|place, _| if query.newest_first { place.0 > from } else { place.0 < from });
    }
    Ok((found, missing))
}

/// Cuts a page out of records in the order of the query.
fn page(items: impl Iterator<Item = KnownAlert>, query: &AlertQuery) -> (Page<KnownAlert>, bool) {
    let mut page = Page { items: Vec::new(), next: None };
    for alert in items {
        let other = page.items.last().is_some_and(|a: &KnownAlert| a.known_at != alert.known_at);
        if page.items.len() >= query.limit && other {
            let at = alert.known_at;
            page.next = Some(if query.newest_first { Ts(at.0.saturating_add(1)) } else { at });
            return (page, true);
        }
        page.items.push(alert);
    }
    (page, false)
}

/// Records of a run.
pub(super) fn records(conn: &Connection, run: i64, query: &AlertQuery) -> Inner<Page<KnownAlert>> {
    if query.open {
        return open(conn, run, query);
    }
    let mut take = query.limit.saturating_add(TIES);
    loop {
        let (found, missing) = gather(conn, run, query, take)?;
        let (page, full) =
            if query.newest_first { page(found.into_values().rev(), query) } else { page(found.into_values(), query) };
        if full || missing.is_none() {
            return Ok(page);
        }
        take = take.saturating_mul(4);
    }
}

/// Episodes that are not over, each by the last that was known of it, whatever it was. The range is where that last record
/// lies: an episode is over by its end, wherever that is known from, so that every page of a walk speaks of the same ones.
fn open(conn: &Connection, run: i64, query: &AlertQuery) -> Inner<Page<KnownAlert>> {
    let everything = AlertQuery {
        range: Range { start: Ts::MIN, end: Ts::MAX },
        changes: EPISODES.to_vec(),
        severity: None,
        newest_first: false,
        limit: usize::MAX,
        ..query.clone()
    };
    let mut last: BTreeMap<String, (Place, KnownAlert)> = BTreeMap::new();
    for (place, alert) in gather(conn, run, &everything, usize::MAX)?.0 {
        if alert.alert.state == AlertState::Closed {
            last.remove(&place.1);
        } else {
            last.insert(place.1.clone(), (place, alert));
        }
    }
    let wanted = |known: &KnownAlert| {
        query.range.contains(known.known_at)
            && query.severity.is_none_or(|s| known.alert.severity >= s)
            && (query.changes.is_empty() || query.changes.contains(&known.alert.change))
    };
    let found: Found = last.into_values().filter(|(_, known)| wanted(known)).collect();
    let (page, _) =
        if query.newest_first { page(found.into_values().rev(), query) } else { page(found.into_values(), query) };
    Ok(page)
}

/// What can happen to something that has a length.
const EPISODES: [AlertChange; 5] =
    [AlertChange::Opened, AlertChange::Updated, AlertChange::Suspended, AlertChange::Resumed, AlertChange::Closed];

asked! {
    /// What stands beside a record and follows from it.
    struct Beside {
        digest: i64, row_ts: Ts, pattern: String, change: String, severity: i64, opened_ts: Ts,
    }
}

/// Looks at all that is stored: is every record what was written, and do the columns beside it say what it says?
pub(super) fn check(conn: &Connection) -> Inner<()> {
    let mut statement = conn.prepare(select!(StoredAlert, Beside; " FROM alerts"))?;
    let mut rows = statement.query(NONE)?;
    while let Some(row) = rows.next()? {
        let StoredAlert { known_ts: at, alert: id, revision, body } = StoredAlert::read(row)?;
        let beside = Beside::read_from(StoredAlert::COLUMNS.len(), row)?;
        if print(at, &id, &body) != beside.digest {
            return Err(SqlFault::Damaged(format!("the alert '{id}' known at {at} is not what was written")));
        }
        let (_, KnownAlert { known_at, alert }) = read(row)?;
        let same = revision == i64::from(alert.revision)
            && beside.row_ts == row_of(known_at)
            && beside.pattern == alert.pattern.name()
            && beside.change == alert.change.name()
            && beside.severity == rank(alert.severity)
            && beside.opened_ts == alert.opened_at;
        if !same {
            return Err(SqlFault::Damaged(format!(
                "the alert '{id}' known at {at} is kept under other words or times"
            )));
        }
    }
    Ok(())
}
