//! Is everything stored readable, and does it agree with itself?
//!
//! Five witnesses: SQLite's own structure check; the sum of digests kept per stream, which finds a number that changed
//! on disk; checksums inside chunks and bodies, with the columns beside a body that must say what it says; digests of
//! records that stand for themselves; and label changes, which must follow from the rows.

use super::db::{Connection, NONE};
use super::decl::Layout;
use super::fault::{Inner, SqlFault};
use super::pieces::Fact;
use super::segment::{self, Part};
use super::streams::{self, Stored};
use super::{digest, hash, points, rows, runs};
use crate::schema::{self, Database};
use crate::{AlertQuery, CheckReport, LabelChange, Range, RunInfo, codec};
use barograph_domain::text::number_of;
use barograph_domain::{MinuteRow, RiskRegime, Span, Ts};

/// Problems listed; a file that is damaged all over need not fill the screen.
const PROBLEMS_MAX: usize = 20;

/// See [`crate::Reader::check`].
pub(super) fn check(conn: &Connection, with_hash: bool) -> Inner<CheckReport> {
    let mut report = CheckReport::default();
    let steps: [fn(&Connection, &mut CheckReport) -> Inner<()>; 13] = [
        structure,
        metric_points,
        |conn, _| runs::check(conn),
        all_runs,
        |conn, _| super::levels::check(conn),
        |conn, _| super::alerts::check(conn),
        |conn, _| super::positions::check(conn),
        cases,
        outbox,
        signals,
        between_markets,
        ledger,
        totals,
    ];
    for step in steps {
        if let Err(f) = step(conn, &mut report) {
            report.problems.push(readable(f)?);
        }
    }
    if with_hash {
        match hash::of_content(conn) {
            Ok(found) => report.hash = Some(found),
            Err(f) => report.problems.push(readable(f)?),
        }
    }
    report.problems.dedup();
    report.problems.truncate(PROBLEMS_MAX);
    Ok(report)
}

/// A fault of the content is a finding; any other is a failure of the check.
fn readable(f: SqlFault) -> Inner<String> {
    match f {
        SqlFault::Damaged(what) => Ok(what),
        SqlFault::Sql(e) if e.sqlite_error_code() == Some(rusqlite::ErrorCode::DatabaseCorrupt) => Ok(e.to_string()),
        SqlFault::Sql(e @ rusqlite::Error::InvalidColumnType(..)) => Ok(e.to_string()),
        SqlFault::NoRow => Ok("a record is missing".to_owned()),
        other => Err(other),
    }
}

/// The structure of a file; a server looks after its own.
fn structure(conn: &Connection, report: &mut CheckReport) -> Inner<()> {
    let Some(conn) = conn.file() else { return Ok(()) };
    let mut statement = conn.prepare("PRAGMA integrity_check(20)")?;
    for line in statement.query_map([], |r| r.get::<_, String>(0))? {
        let line = line?;
        if line != "ok" {
            report.problems.push(line);
        }
    }
    columns(conn, report)
}

/// A changed letter in the name of a column leaves the structure sound.
fn columns(conn: &rusqlite::Connection, report: &mut CheckReport) -> Inner<()> {
    let version: u8 = conn.pragma_query_value(None, "user_version", |r| r.get(0))?;
    let mut statement = conn.prepare("SELECT name FROM pragma_table_info(?1)")?;
    for table in schema::tables::ALL {
        let there = statement.query_map([table.name], |r| r.get(0))?.collect::<Result<Vec<String>, _>>()?;
        let declared = table.columns(Database::File).filter(|c| c.since.within(table.since, Database::File) <= version);
        let missing = declared.filter(|c| !there.is_empty() && !there.iter().any(|name| name == c.name));
        report.problems.extend(missing.map(|c| format!("the table '{}' has no column '{}'", table.name, c.name)));
    }
    Ok(())
}

fn count(conn: &Connection, table: &str) -> Inner<u64> {
    let n: i64 = conn.query_row(format!("SELECT count(*) FROM {table}"), NONE, |r| r.get(0))?;
    Ok(n.unsigned_abs())
}

fn totals(conn: &Connection, report: &mut CheckReport) -> Inner<()> {
    for table in ["instruments", "imports"] {
        report.counts.push((table, count(conn, table)?));
    }
    let mut books = 0;
    super::books::walk(conn, |_, _| books += 1)?;
    report.counts.push(("order books", books));
    let strays: i64 = conn.query_row(
        "SELECT (SELECT count(*) FROM parts WHERE run NOT IN (SELECT run FROM runs UNION ALL SELECT run FROM past_runs)
                OR segment NOT IN (SELECT segment FROM segments))
            + (SELECT count(*) FROM alerts WHERE segment NOT IN (SELECT segment FROM segments))
            + (SELECT count(*) FROM level_changes WHERE segment NOT IN (SELECT segment FROM segments))
            + (SELECT count(*) FROM streams WHERE instrument NOT IN (SELECT instrument FROM instruments))",
        NONE,
        |r| r.get(0),
    )?;
    if strays > 0 {
        report.problems.push(format!("segments or streams that belong to nothing: {strays}"));
    }
    Ok(())
}

fn metric_points(conn: &Connection, report: &mut CheckReport) -> Inner<()> {
    let stored = streams::load(conn, None)?;
    let mut total = 0;
    for stream in &stored {
        let found = recount(conn, stream)?;
        total += found.points;
        let same = found.points == stream.points
            && (found.first_event, found.newest_event) == (stream.first_event, stream.newest_event)
            && (found.newest_known, found.lag_min) == (stream.newest_known, stream.lag_min);
        if !same {
            report.problems.push(format!(
                "'{}' has {} from {} to {}, its record says {} from {} to {}",
                stream.decl.label(),
                number_of(found.points, "point"),
                found.first_event,
                found.newest_event,
                stream.points,
                stream.first_event,
                stream.newest_event
            ));
        } else if found.digest != stream.digest {
            report.problems.push(format!("a point of '{}' is not what was written", stream.decl.label()));
        }
    }
    let live: i64 = match conn {
        Connection::File(_) => {
            conn.query_row("SELECT coalesce(sum(points), 0) FROM live_points", NONE, |r| r.get(0))?
        }
        Connection::Server(_) => 0,
    };
    let all = count(conn, "points")? + live.unsigned_abs();
    if all != total.unsigned_abs() {
        report.problems.push(format!("the store has {}, its streams have {total}", number_of(all, "point")));
    }
    report.counts.push(("streams", stored.len() as u64));
    report.counts.push(("points", all));
    Ok(())
}

/// The figures kept about a stream, from its points.
fn recount(conn: &Connection, stream: &Stored) -> Inner<Stored> {
    let mut found = Stored {
        points: 0,
        first_event: Ts::MAX,
        newest_event: Ts::MIN,
        newest_known: Ts::MIN,
        lag_min: i64::MAX,
        digest: 0,
        ..stream.clone()
    };
    let mut scratch = Vec::new();
    points::walk(conn, stream, Ts::MIN, Ts::MAX, |Fact { event, provenance }| {
        found.points += 1;
        found.first_event = found.first_event.min(event.event_ts);
        found.newest_event = found.newest_event.max(event.event_ts);
        found.newest_known = found.newest_known.max(event.recv_ts);
        found.lag_min = found.lag_min.min(event.recv_ts.0.saturating_sub(event.event_ts.0));
        found.digest = found.digest.wrapping_add(digest::of_point(&event, provenance, &mut scratch));
        Ok(true)
    })?;
    Ok(found)
}

fn all_runs(conn: &Connection, report: &mut CheckReport) -> Inner<()> {
    let (mut row_count, mut label_count, mut gap_count) = (0, 0, 0);
    let (mut level_count, mut alert_count) = (0, 0);
    let all = runs::load(conn, runs::Which::All, None)?;
    for (run, info) in &all {
        let name = format!("{} {}", info.spec.key.instrument, info.spec.key.logic_version);
        match one_run(conn, *run, info) {
            Ok((rows, labels, gaps)) => {
                row_count += rows;
                label_count += labels;
                gap_count += gaps;
                level_count += levels(conn, *run, &name, report)?;
                alert_count += alerts(conn, *run, &name, report)?;
            }
            Err(f) => report.problems.push(format!("{name}: {}", readable(f)?)),
        }
    }
    for (retired, run, info) in runs::past(conn)? {
        if let Err(f) = one_run(conn, run, &info) {
            let key = &info.spec.key;
            let fault = readable(f)?;
            report.problems.push(format!("{} {} until {retired}: {fault}", key.instrument, key.logic_version));
        }
    }
    report.counts.push(("runs", all.len() as u64));
    report.counts.push(("rows", row_count));
    report.counts.push(("label changes", label_count));
    report.counts.push(("gaps", gap_count));
    report.counts.push(("levels", level_count));
    report.counts.push(("alerts", alert_count));
    Ok(())
}

/// Rows between markets and calendar entries, all of them readable and where they belong.
fn between_markets(conn: &Connection, report: &mut CheckReport) -> Inner<()> {
    let mut hours = 0;
    super::universe::walk(conn, |logic, row| {
        hours += 1;
        if row.ts.floor(Span::hours(1)) != row.ts || row.known_ts < row.ts {
            return Err(SqlFault::Damaged(format!(
                "{logic} has a row between markets of {}, which is no hour",
                row.ts
            )));
        }
        Ok(())
    })?;
    let (stored, entries) = super::universe::check(conn)?;
    report.counts.push(("hours between markets", stored));
    report.counts.push(("calendar entries", entries));
    if stored == hours {
        return Ok(());
    }
    let stored = number_of(stored, "row");
    Err(SqlFault::Damaged(format!("the store has {stored} between markets, {hours} can be read in order")))
}

/// Ticks of the forecast ledger, heads and states, all of them readable and where they belong.
fn ledger(conn: &Connection, report: &mut CheckReport) -> Inner<()> {
    report.counts.push(("ledger ticks", super::ledger_read::check(conn)?));
    super::ledger_kept::all_heads(conn)?;
    super::ledger_notes::list(conn, None)?;
    super::ledger_kept::check_states(conn)
}

/// Cases with their entries and recordings.
fn cases(conn: &Connection, report: &mut CheckReport) -> Inner<()> {
    report.counts.push(("cases", super::cases::check(conn)?));
    Ok(())
}

/// What is to be delivered, and what is to be kept quiet.
fn outbox(conn: &Connection, report: &mut CheckReport) -> Inner<()> {
    let (messages, deliveries) = super::outbox_read::check(conn)?;
    report.counts.push(("messages", messages));
    report.counts.push(("deliveries", deliveries));
    report.counts.push(("silences", super::silences::check(conn)?));
    Ok(())
}

/// Values of signals, all of them as they were written.
fn signals(conn: &Connection, report: &mut CheckReport) -> Inner<()> {
    report.counts.push(("signal values", super::signals::check(conn)?));
    Ok(())
}

/// Number of things that happened to levels, all of them readable.
fn levels(conn: &Connection, run: i64, name: &str, report: &mut CheckReport) -> Inner<u64> {
    match super::levels::changes(conn, run, Range::ALL, usize::MAX, None) {
        Ok(found) => Ok(found.items.len() as u64),
        Err(f) => {
            report.problems.push(format!("{name}: {}", readable(f)?));
            Ok(0)
        }
    }
}

/// Number of records of alerts, all of them readable.
fn alerts(conn: &Connection, run: i64, name: &str, report: &mut CheckReport) -> Inner<u64> {
    match super::alerts::records(conn, run, &AlertQuery::default()) {
        Ok(found) => Ok(found.items.len() as u64),
        Err(f) => {
            report.problems.push(format!("{name}: {}", readable(f)?));
            Ok(0)
        }
    }
}

/// Numbers of rows, label changes and gaps; the first thing wrong is the error.
fn one_run(conn: &Connection, run: i64, info: &RunInfo) -> Inner<(u64, u64, u64)> {
    let mut walk = Walk { rows: 0, last: None, label: None, changes: Vec::new() };
    let mut gaps = 0;
    let mut end = Ts::MIN;
    for part in segment::parts(conn, run)? {
        if part.from < end || part.until <= part.from {
            return Err(SqlFault::Damaged(format!("segment {} overlaps another", part.id)));
        }
        end = part.until;
        walk.segment(conn, part, info)?;
        readable_checkpoints(conn, part)?;
    }
    if walk.rows != info.rows {
        return Err(SqlFault::Damaged(format!(
            "{} can be read, its record says {}",
            number_of(walk.rows, "row"),
            info.rows
        )));
    }
    for gap in rows::stored_gaps(conn, run, Ts::MIN, Ts::MAX)? {
        gap.gap()?;
        gaps += 1;
    }
    let stored = rows::label_changes(conn, run, Range::ALL, usize::MAX, None)?.items;
    if stored != walk.changes {
        return Err(SqlFault::Damaged(format!(
            "the store has {}, its rows make {}, or they differ",
            number_of(stored.len(), "label change"),
            walk.changes.len()
        )));
    }
    Ok((walk.rows, stored.len() as u64, gaps))
}

/// What was seen of a run so far.
struct Walk {
    rows: u64,
    last: Option<Ts>,
    label: Option<RiskRegime>,
    changes: Vec<LabelChange>,
}

impl Walk {
    fn segment(&mut self, conn: &Connection, part: Part, info: &RunInfo) -> Inner<()> {
        let (low, high) = part.chunks();
        let mut statement = conn.prepare(
            "SELECT chunk, layout, rows, first_ts, last_ts, body FROM feature_chunks WHERE chunk BETWEEN ?1 AND ?2
             ORDER BY chunk",
        )?;
        let mut chunks = statement.query([low, high])?;
        while let Some(chunk) = chunks.next()? {
            let key: i64 = chunk.get(0)?;
            let layout = Layout::load(conn, chunk.get(1)?)?;
            if layout.columns != info.spec.columns {
                return Err(SqlFault::Damaged(format!("chunk {key} has other columns than its run")));
            }
            let body = chunk.blob(5)?;
            let rows = codec::decode(body, layout.width()).map_err(|e| SqlFault::chunk(key, e))?;
            let says: (i64, i64, i64) = (chunk.get(2)?, chunk.get(3)?, chunk.get(4)?);
            let has = (i64::try_from(rows.len()).unwrap_or(i64::MAX), ends(&rows));
            if (says.0, Some((Ts(says.1), Ts(says.2)))) != has {
                return Err(SqlFault::Damaged(format!("chunk {key} does not hold the rows its record says")));
            }
            for row in &rows {
                self.row(row, key, part)?;
            }
        }
        Ok(())
    }

    fn row(&mut self, row: &MinuteRow, key: i64, part: Part) -> Inner<()> {
        let hour = segment::hour_key(part.id, row.ts);
        let inside = hour <= key && key <= segment::chunk_key(part.id, row.ts);
        if inside && !part.contains(row.ts) {
            return Ok(());
        }
        let ordered = self.last.is_none_or(|last| last < row.ts);
        if !ordered || !inside || row.ts.floor(Span::mins(1)) != row.ts {
            return Err(SqlFault::Damaged(format!("chunk {key} has a row of {} where it cannot be", row.ts)));
        }
        if self.label != Some(row.risk.label) {
            self.changes.push(LabelChange { ts: row.ts, from: self.label, to: row.risk.label });
            self.label = Some(row.risk.label);
        }
        self.last = Some(row.ts);
        self.rows += 1;
        Ok(())
    }
}

fn ends(rows: &[MinuteRow]) -> Option<(Ts, Ts)> {
    Some((rows.first()?.ts, rows.last()?.ts))
}

fn readable_checkpoints(conn: &Connection, part: Part) -> Inner<()> {
    let mut statement = conn.prepare("SELECT ts, body FROM checkpoints WHERE segment = ?1 AND ts >= ?2 AND ts < ?3")?;
    let mut rows = statement.query([part.id, part.from.0, part.until.0])?;
    while let Some(row) = rows.next()? {
        let (ts, body): (i64, Vec<u8>) = (row.get(0)?, row.get(1)?);
        let unpacked = zstd::stream::decode_all(body.as_slice());
        unpacked.map_err(|e| SqlFault::Damaged(format!("the checkpoint of {}: {e}", Ts(ts))))?;
    }
    Ok(())
}
