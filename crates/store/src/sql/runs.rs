//! Records of runs: what they were made with, whether they follow from the points, how much they hold.

use super::asked::{Asked as _, asked, select};
use super::db::{Connection, DbRow, NONE, Optional, params};
use super::decl::Layout;
use super::fault::{Inner, SqlFault};
use super::{digest, rows, segment, streams};
use crate::postgres::find_or_alone;
use crate::run::{GRID, row_of, usable_until};
use crate::schema::{insert, tables};
use crate::{Dirty, PointsVersion, RunInfo, RunKey, RunSpec, VersionInfo};
use barograph_domain::{InstrumentName, StatusState, Ts};
use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

const STATES: [StatusState; 5] =
    [StatusState::Live, StatusState::Gap, StatusState::Resync, StatusState::Stale, StatusState::NotOffered];

/// The stored word of a state of continuity.
pub(super) const fn state_word(state: StatusState) -> &'static str {
    match state {
        StatusState::Live => "LIVE",
        StatusState::Gap => "GAP",
        StatusState::Resync => "RESYNC",
        StatusState::Stale => "STALE",
        StatusState::NotOffered => "NOT_OFFERED",
    }
}

/// The state of a stored word.
pub(super) fn state_of(word: &str) -> Inner<StatusState> {
    let known = STATES.into_iter().find(|s| state_word(*s) == word);
    known.ok_or_else(|| SqlFault::Damaged(format!("'{word}' is no state of a stream")))
}

/// Stores what a run is made with; its id. A run that is new while points came in since `seen` is dirty from the start.
pub(super) fn upsert(conn: &Connection, spec: &RunSpec, layout: i64, seen: PointsVersion) -> Inner<i64> {
    let name = spec.key.instrument.to_string();
    // The same record again locks nothing: another writer may want a run of this one's list.
    let same = || {
        let sql = "SELECT run FROM runs WHERE instrument = ?1 AND logic_version = ?2 AND digest = ?3";
        conn.query_row(sql, params![&name, &spec.key.logic_version, print(spec, layout)], |r| r.get(0)).optional()
    };
    if let Some(run) = find_or_alone(conn, same)? {
        return Ok(run);
    }
    let now = points_version(conn, &name)?;
    let since = (now > seen).then_some(i64::MIN);
    let (sql, row) = insert!(runs or Then(
        "ON CONFLICT (instrument, logic_version) DO UPDATE SET release = excluded.release, book = excluded.book,
            book_text = excluded.book_text, config = excluded.config, layout = excluded.layout,
            digest = excluded.digest"
    ) {
        instrument: &name, logic_version: &spec.key.logic_version, release: &spec.release, book: &spec.book,
        book_text: &spec.book_text, config: &spec.config, layout, dirty_since: since, dirty_version: now.0,
        live_segment: None::<i64>, digest: print(spec, layout), corrected_ts: None::<i64>,
    });
    conn.execute(sql, row)?;
    segment::run_id(conn, &spec.key)?.ok_or_else(|| SqlFault::Damaged(format!("the run of {name} vanished")))
}

/// Digest of the record of a run.
fn print(spec: &RunSpec, layout: i64) -> i64 {
    let (name, layout) = (spec.key.instrument.to_string(), layout.to_string());
    let RunSpec { key, release, book, book_text, config, .. } = spec;
    digest::of_texts(&[&name, &key.logic_version, release, book, book_text, config, &layout])
}

/// Is every record of a run what was written?
pub(super) fn check(conn: &Connection) -> Inner<()> {
    let mut statement = conn.prepare(select!(StoredRun; ", digest FROM runs"))?;
    const OWN: usize = StoredRun::COLUMNS.len();
    for found in statement.query_map(NONE, |r| Ok((record(r)?, r.get::<Option<i64>>(OWN)?)))? {
        let ((_, layout, spec), digest) = found?;
        if digest.is_some_and(|d| d != print(&spec, layout)) {
            let key = &spec.key;
            return Err(SqlFault::Damaged(format!(
                "the record of the run {} {} is not what was written",
                key.instrument, key.logic_version
            )));
        }
    }
    Ok(())
}

fn points_version(conn: &Connection, name: &str) -> Inner<PointsVersion> {
    let found = conn
        .prepare("SELECT points_version FROM instruments WHERE name = ?1")?
        .query_row([name], |r| r.get(0))
        .optional()?;
    Ok(PointsVersion(found.unwrap_or(0)))
}

/// Before rows are replaced for a correction: what the run is until now goes on answering for moments before it. Editions follow
/// one another as they were made, also where a clock was set back between two corrections.
pub(super) fn retire_corrected(conn: &Connection, key: &RunKey) -> Inner<()> {
    let Some(run) = segment::run_id(conn, key)? else { return Ok(()) };
    let retired = conn
        .prepare(
            "INSERT INTO past_runs (run, instrument, logic_version, retired_ts, release, book, book_text, config, layout,
                live_segment, digest)
             SELECT (SELECT coalesce(min(run), 0) - 1 FROM past_runs), instrument, logic_version,
                coalesce((SELECT max(p.retired_ts) + 1 FROM past_runs p WHERE p.instrument = runs.instrument
                    AND p.logic_version = runs.logic_version AND p.retired_ts > runs.corrected_ts), corrected_ts),
                release, book, book_text, config, layout, live_segment, digest FROM runs
             WHERE run = ?1 AND corrected_ts IS NOT NULL
             ON CONFLICT DO NOTHING",
        )?
        .execute([run])?;
    if retired > 0 {
        let parts = tables::parts.copy_of("run", "(SELECT min(run) FROM past_runs)");
        conn.execute(format!("{parts} WHERE run = ?1"), [run])?;
    }
    Ok(())
}

/// Takes the dirty mark away if the replacement from `from` on has seen all that it stands for.
pub(super) fn clean(conn: &Connection, run: i64, from: Option<Ts>, seen: PointsVersion) -> Inner<()> {
    let (since, version): (Option<i64>, i64) = conn
        .prepare("SELECT dirty_since, dirty_version FROM runs WHERE run = ?1")?
        .query_row([run], |r| Ok((r.get(0)?, r.get(1)?)))?;
    let reaches = match (from, since) {
        (None, _) | (_, None) => true,
        (Some(from), Some(since)) => from <= row_of(Ts(since)),
    };
    if reaches && version <= seen.0 {
        conn.prepare("UPDATE runs SET dirty_since = NULL, corrected_ts = NULL WHERE run = ?1")?.execute([run])?;
    }
    Ok(())
}

/// What the positions in a run's rows mean now.
pub(super) fn layout(conn: &Connection, run: i64) -> Inner<Layout> {
    let id = conn.prepare("SELECT layout FROM runs WHERE run = ?1")?.query_row([run], |r| r.get(0))?;
    Layout::load(conn, id)
}

/// The segment of what was published of a run, if anything was.
pub(super) fn live_segment(conn: &Connection, run: i64) -> Inner<Option<i64>> {
    let mut statement = conn.prepare(
        "SELECT live_segment FROM runs WHERE run = ?1 UNION ALL SELECT live_segment FROM past_runs WHERE run = ?1",
    )?;
    statement.query_row([run], |r| r.get(0))
}

/// Which runs.
#[derive(Clone, Copy, Debug)]
pub(super) enum Which<'a> {
    All,
    Of(&'a InstrumentName),
    One(&'a RunKey),
}

/// Those runs, in the order of their keys.
pub(super) fn load(conn: &Connection, which: Which<'_>, as_of: Option<Ts>) -> Inner<Vec<(i64, RunInfo)>> {
    // A condition that may be absent is no use to an index, and the record of a run holds a whole rule book.
    let mut records = match which {
        Which::All => conn.prepare(select!(StoredRun; " FROM runs"))?.query_map(NONE, record)?,
        Which::Of(name) => conn
            .prepare(select!(StoredRun; " FROM runs WHERE instrument = ?1"))?
            .query_map([name.to_string()], record)?,
        Which::One(key) => conn
            .prepare(select!(StoredRun; " FROM runs WHERE instrument = ?1 AND logic_version = ?2"))?
            .query_map(params![key.instrument.to_string(), &key.logic_version], record)?,
    }
    .collect::<Inner<Vec<_>>>()?;
    if let Some(at) = as_of {
        for (_, past) in past_records(conn)?.into_iter().rev().filter(|(retired, _)| *retired > at) {
            // The earliest correction after the moment is written last.
            if let Some(own) = records.iter_mut().find(|own| own.2.key == past.2.key) {
                *own = past;
            }
        }
    }
    let last = as_of.map_or(Ts::MAX, usable_until);
    let mut found = Vec::with_capacity(records.len());
    // A thousand live markets have a handful of layouts between them.
    let mut layouts: BTreeMap<i64, Layout> = BTreeMap::new();
    for (run, layout, mut spec) in records {
        let layout = match layouts.entry(layout) {
            Entry::Occupied(e) => e.into_mut(),
            Entry::Vacant(e) => e.insert(Layout::load(conn, layout)?),
        };
        spec.columns = layout.columns.clone();
        spec.streams = layout.streams.clone();
        let (rows, minutes) = rows::extent(conn, run, last)?;
        found.push((run, RunInfo { spec, rows, minutes }));
    }
    found.sort_by(|a, b| a.1.spec.key.cmp(&b.1.spec.key));
    Ok(found)
}

/// What runs were before corrections: when each ended, the earliest first.
pub(super) fn past(conn: &Connection) -> Inner<Vec<(Ts, i64, RunInfo)>> {
    let mut found = Vec::new();
    for (retired, (run, layout, mut spec)) in past_records(conn)? {
        let layout = Layout::load(conn, layout)?;
        (spec.columns, spec.streams) = (layout.columns, layout.streams);
        let (rows, minutes) = rows::extent(conn, run, Ts::MAX)?;
        found.push((retired, run, RunInfo { spec, rows, minutes }));
    }
    Ok(found)
}

/// Number, layout and description of a run.
type Record = (i64, i64, RunSpec);

fn past_records(conn: &Connection) -> Inner<Vec<(Ts, Record)>> {
    let mut statement = conn.prepare(select!(
        StoredRun;
        ", retired_ts FROM past_runs ORDER BY retired_ts, instrument, logic_version"
    ))?;
    statement.query_map(NONE, |r| Ok((Ts(r.get(StoredRun::COLUMNS.len())?), record(r)?)))?.collect()
}

asked! {
    /// The record of a run, or of what one was.
    struct StoredRun {
        run: i64, instrument: String, logic_version: String, release: String, book: String, book_text: String,
        config: String, layout: i64,
    }
}

fn record(row: DbRow<'_>) -> Inner<Record> {
    let StoredRun { run, instrument, logic_version, release, book, book_text, config, layout } = StoredRun::read(row)?;
    let instrument = InstrumentName::parse(&instrument).map_err(|e| SqlFault::Damaged(e.to_string()))?;
    let key = RunKey { instrument, logic_version };
    let (columns, streams) = (crate::Columns::default(), Vec::new());
    Ok((run, layout, RunSpec { key, release, book, book_text, config, columns, streams }))
}

/// Of each run of a logic version the newest minute that was published live.
pub(super) fn published(conn: &Connection, logic_version: &str) -> Inner<Vec<(InstrumentName, Ts)>> {
    let mut statement = conn.prepare(
        "SELECT r.instrument, max(p.until_ts) FROM runs r JOIN parts p ON p.run = r.run
         WHERE r.logic_version = ?1 AND p.live = 1 GROUP BY r.instrument ORDER BY r.instrument",
    )?;
    let found = statement
        .query_map(params![logic_version], |r| {
            let name: String = r.get(0)?;
            let instrument = InstrumentName::parse(&name).map_err(|e| SqlFault::Damaged(e.to_string()))?;
            Ok((instrument, Ts(r.get::<i64>(1)?.saturating_sub(GRID.0))))
        })?
        .collect::<Inner<_>>()?;
    Ok(found)
}

/// What the runs of each logic version have in common.
pub(super) fn versions(conn: &Connection) -> Inner<Vec<VersionInfo>> {
    let mut statement = conn.prepare(
        "SELECT logic_version, book, book_text FROM runs
         WHERE run IN (SELECT max(run) FROM runs GROUP BY logic_version) ORDER BY logic_version",
    )?;
    let read = |r: DbRow<'_>| Ok(VersionInfo { logic_version: r.get(0)?, book: r.get(1)?, book_text: r.get(2)? });
    statement.query_map(NONE, read)?.collect()
}

/// The first minute that knew the newest record of alerts, of each run that shows any.
pub(super) fn alerts_reach(conn: &Connection) -> Inner<Vec<(RunKey, Ts)>> {
    // From segment to segment that has any, as most have none. Only what no part shows yet is looked for among the records of runs,
    // each of which holds a whole rule book.
    let mut statement = conn.prepare(
        "WITH RECURSIVE held(segment) AS (
            SELECT min(segment) FROM alerts
            UNION ALL
            SELECT (SELECT min(a.segment) FROM alerts a WHERE a.segment > h.segment) FROM held h
                WHERE h.segment IS NOT NULL
         ), newest AS MATERIALIZED (
            SELECT segment, (SELECT max(a.row_ts) FROM alerts a WHERE a.segment = h.segment) AS row_ts
            FROM held h WHERE segment IS NOT NULL
         )
         SELECT r.instrument, r.logic_version, n.row_ts
            FROM newest n CROSS JOIN parts p CROSS JOIN runs r WHERE p.segment = n.segment AND r.run = p.run
         UNION ALL
         SELECT r.instrument, r.logic_version, n.row_ts FROM newest n CROSS JOIN runs r
            WHERE r.live_segment = n.segment AND NOT EXISTS (SELECT 1 FROM parts p WHERE p.segment = n.segment)",
    )?;
    let mut found: BTreeMap<RunKey, Ts> = BTreeMap::new();
    for one in statement.query_map(NONE, |r| {
        let (name, logic_version): (String, String) = (r.get(0)?, r.get(1)?);
        let instrument = InstrumentName::parse(&name).map_err(|e| SqlFault::Damaged(e.to_string()))?;
        Ok((RunKey { instrument, logic_version }, Ts(r.get(2)?)))
    })? {
        let (key, newest) = one?;
        let known = found.entry(key).or_insert(newest);
        *known = newest.max(*known);
    }
    Ok(found.into_iter().collect())
}

/// Instruments whose run of this logic version lacks something.
pub(super) fn dirty(conn: &Connection, logic_version: &str) -> Inner<Vec<Dirty>> {
    let mut found = Vec::new();
    for (instrument, version) in streams::instruments(conn)? {
        let run: Option<Option<i64>> = conn
            .prepare("SELECT dirty_since FROM runs WHERE instrument = ?1 AND logic_version = ?2")?
            .query_row(params![instrument.name.to_string(), logic_version], |r| r.get(0))
            .optional()?;
        if run != Some(None) {
            let since = run.flatten().map(Ts);
            found.push(Dirty { instrument: instrument.name, since, version: PointsVersion(version) });
        }
    }
    Ok(found)
}
