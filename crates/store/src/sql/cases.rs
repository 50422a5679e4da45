//! Cases, their entries and recordings: added to, never changed. Each record carries a digest of itself.

use super::asked::{Asked as _, asked, select};
use super::db::{Connection, NONE, Optional, params};
use super::digest;
use super::fault::{Inner, SqlFault};
use crate::schema::insert;
use crate::{CaseOutcome, CaseQuery, CasesLike, StoredCase};
use barograph_domain::case::{
    CASE_ALERTS_MAX, CaseCount, CaseEntry, CaseFile, CaseRecording, CaseStanding, CaseStep, Disposition, EntryDraft,
};
use barograph_domain::{Pattern, Ts};
use std::collections::BTreeMap;

asked! {
    /// What was filed.
    struct FiledCase {
        case_id: String, filed_at: Ts, patterns: String, body: String, digest: i64,
    }
}

asked! {
    /// An entry.
    struct StoredCaseEntry {
        case_id: String, seq: i64, at: Ts, author: String, kind: String, disposition: Option<String>, note: Option<String>,
        digest: i64,
    }
}

asked! {
    /// What was recorded around one alert.
    struct StoredRecording {
        case_id: String, alert: String, source: String, until_ts: i64, recorded_at: Ts, body: String, digest: i64,
    }
}

/// Entries by case.
type Entries = BTreeMap<String, Vec<CaseEntry>>;

fn of_file(id: &str, filed_at: Ts, patterns: &str, body: &str) -> i64 {
    digest::of_texts(&[id, &filed_at.0.to_string(), patterns, body])
}

fn of_entry(e: &CaseEntry) -> i64 {
    let disposition = e.step.disposition().map_or("", Disposition::name);
    // A note has words, so that no note and an empty one are the same.
    let note = e.note.as_deref().unwrap_or_default();
    digest::of_texts(&[
        &e.case_id,
        &e.seq.to_string(),
        &e.at.0.to_string(),
        &e.author,
        e.step.kind(),
        disposition,
        note,
    ])
}

fn text<T: serde::Serialize>(value: &T) -> Inner<String> {
    serde_json::to_string(value).map_err(|e| SqlFault::Invalid(format!("a case cannot be written: {e}")))
}

fn words(patterns: &[Pattern]) -> String {
    patterns.iter().map(|p| p.name()).collect::<Vec<_>>().join(",")
}

impl FiledCase {
    fn parsed(&self) -> Inner<CaseFile> {
        let file: CaseFile = serde_json::from_str(&self.body)
            .map_err(|e| SqlFault::Damaged(format!("the case '{}' cannot be read: {e}", self.case_id)))?;
        Ok(file)
    }
}

impl StoredCaseEntry {
    fn parsed(self) -> Inner<(CaseEntry, i64)> {
        let damaged = || SqlFault::Damaged(format!("entry {} of the case '{}' cannot be read", self.seq, self.case_id));
        let disposition =
            self.disposition.as_deref().map(|w| Disposition::from_name(w).ok_or_else(damaged)).transpose()?;
        let step = CaseStep::from_words(&self.kind, disposition).ok_or_else(damaged)?;
        let seq = u32::try_from(self.seq).map_err(|_e| damaged())?;
        let Self { case_id, at, author, note, digest, .. } = self;
        Ok((CaseEntry { case_id, seq, at, author, step, note }, digest))
    }
}

fn put_entry(conn: &Connection, e: &CaseEntry) -> Inner<()> {
    let (sql, row) = insert!(case_entries or Fail {
        case_id: &e.case_id, seq: i64::from(e.seq), at: e.at.0, author: &e.author, kind: e.step.kind(),
        disposition: e.step.disposition().map(Disposition::name), note: e.note.as_deref(), digest: of_entry(e),
    });
    conn.execute(sql, row).map(drop)
}

/// See [`crate::CaseWriter::file_case`].
pub(super) fn file(
    conn: &Connection,
    file: &CaseFile,
    first: &EntryDraft,
    recordings: &[CaseRecording],
) -> Inner<bool> {
    if file.evidence.is_empty() || file.evidence.len() > CASE_ALERTS_MAX {
        let count = file.evidence.len();
        return Err(SqlFault::Invalid(format!("a case has 1 to {CASE_ALERTS_MAX} alerts, this one has {count}")));
    }
    if let Some(bare) = file.evidence.iter().find(|e| e.records.is_empty()) {
        return Err(SqlFault::Invalid(format!("nothing is known of the alert '{}'", bare.alert_id)));
    }
    let entry = match first.behind(&file.case_id, &[]) {
        Ok(Some(entry)) if entry.step == CaseStep::Filed => entry,
        _ => return Err(SqlFault::Invalid("the first entry of a case files it".to_owned())),
    };
    let (id, patterns, body) = (&file.case_id, words(&file.patterns()), text(file)?);
    let digest = of_file(id, file.filed_at, &patterns, &body);
    let (sql, row) = insert!(cases or Keep { case_id: id, filed_at: file.filed_at.0, patterns, body, digest });
    if conn.execute(sql, row)? == 0 {
        return Ok(false);
    }
    put_entry(conn, &entry)?;
    record(conn, id, recordings, file.filed_at)?;
    Ok(true)
}

fn of_recording(r: &StoredRecording) -> i64 {
    let StoredRecording { case_id, alert, source, until_ts, recorded_at, body, .. } = r;
    digest::of_texts(&[case_id, alert, source, &until_ts.to_string(), &recorded_at.0.to_string(), body])
}

/// See [`crate::CaseWriter::record_case`].
pub(super) fn record(conn: &Connection, id: &str, recordings: &[CaseRecording], at: Ts) -> Inner<usize> {
    let mut added = 0;
    for one in recordings {
        let (alert, source, until_ts) = (one.alert_id.as_str(), one.source.name(), one.until.0);
        let further: i64 = conn.query_row(
            "SELECT count(*) FROM case_recordings WHERE case_id = ?1 AND alert = ?2 AND source = ?3 AND until_ts >= ?4",
            params![id, alert, source, until_ts],
            |r| r.get(0),
        )?;
        if further > 0 {
            continue;
        }
        let [case_id, alert, source] = [id, alert, source].map(str::to_owned);
        let new = StoredRecording { case_id, alert, source, until_ts, recorded_at: at, body: text(one)?, digest: 0 };
        let digest = of_recording(&new);
        let StoredRecording { case_id, alert, source, body, .. } = new;
        let (sql, row) = insert!(case_recordings or Keep {
            case_id, alert, source, until_ts, recorded_at: at.0, body, digest,
        });
        added += conn.execute(sql, row)?;
    }
    Ok(added)
}

/// See [`crate::CaseWriter::write_case`].
pub(super) fn write(conn: &Connection, id: &str, draft: &EntryDraft) -> Inner<CaseOutcome> {
    // Of two processes that write at once, the later one reads what the earlier one wrote: a server keeps it waiting here.
    if conn.is_server() {
        let sql = "SELECT case_id FROM cases WHERE case_id = ?1 FOR UPDATE";
        conn.query_row(sql, params![id], |r| r.get::<String>(0)).optional()?;
    }
    let before = own_entries(conn, id, None)?;
    if before.is_empty() {
        return Ok(CaseOutcome::Missing);
    }
    match draft.behind(id, &before) {
        Ok(Some(entry)) => {
            put_entry(conn, &entry)?;
            Ok(CaseOutcome::Written(entry))
        }
        Ok(None) => Ok(CaseOutcome::Same),
        Err(refusal) => Ok(CaseOutcome::Refused(refusal)),
    }
}

/// Entries of one case that were written by then, in their order.
fn own_entries(conn: &Connection, id: &str, as_of: Option<Ts>) -> Inner<Vec<CaseEntry>> {
    let mut statement =
        conn.prepare(select!(StoredCaseEntry; " FROM case_entries WHERE case_id = ?1 AND at <= ?2 ORDER BY seq"))?;
    let mut rows = statement.query(params![id, as_of.unwrap_or(Ts::MAX).0])?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        found.push(StoredCaseEntry::read(row)?.parsed()?.0);
    }
    Ok(found)
}

/// Entries of all cases that were written by then, in their order.
fn entries(conn: &Connection, as_of: Option<Ts>) -> Inner<Entries> {
    let mut statement =
        conn.prepare(select!(StoredCaseEntry; " FROM case_entries WHERE at <= ?1 ORDER BY case_id, seq"))?;
    let mut rows = statement.query(params![as_of.unwrap_or(Ts::MAX).0])?;
    let mut found = Entries::new();
    while let Some(row) = rows.next()? {
        let (entry, _) = StoredCaseEntry::read(row)?.parsed()?;
        found.entry(entry.case_id.clone()).or_default().push(entry);
    }
    Ok(found)
}

#[expect(clippy::redundant_closure, reason = "the function alone is of one lifetime, and a row may have any")]
fn stored(conn: &Connection, id: &str, entries: Vec<CaseEntry>) -> Inner<Option<StoredCase>> {
    let Some(standing) = CaseStanding::of(&entries) else { return Ok(None) };
    let filed = conn
        .query_row(select!(FiledCase; " FROM cases WHERE case_id = ?1"), params![id], |r| FiledCase::read(r))
        .optional()?;
    let file = filed.ok_or_else(|| SqlFault::Damaged(format!("the case '{id}' has entries and no file")))?.parsed()?;
    Ok(Some(StoredCase { file, entries, standing }))
}

/// See [`crate::CaseReader::case`].
pub(super) fn one(conn: &Connection, id: &str, as_of: Option<Ts>) -> Inner<Option<StoredCase>> {
    stored(conn, id, own_entries(conn, id, as_of)?)
}

/// See [`crate::CaseReader::cases_like`]. Patterns have a column, so that only the evidence of what is taken is read.
pub(super) fn like(conn: &Connection, query: &CasesLike) -> Inner<Vec<StoredCase>> {
    // A case that was closed stays closed.
    let mut statement = conn.prepare(
        "SELECT case_id, patterns FROM cases WHERE filed_at <= ?1 AND case_id <> ?2 AND EXISTS (SELECT 1 FROM \
         case_entries e WHERE e.case_id = cases.case_id AND e.kind = 'closed' AND e.at <= ?3) ORDER BY filed_at DESC, case_id",
    )?;
    let until = query.as_of.unwrap_or(Ts::MAX).0;
    let closed: Vec<(String, String)> = statement
        .query_map(params![query.filed_until.0, query.case_id.as_str(), until], |r| Ok((r.get(0)?, r.get(1)?)))?
        .collect::<Inner<_>>()?;
    let wanted: Vec<&str> = query.patterns.iter().map(|p| p.name()).collect();
    let alike = closed.iter().filter(|(_, patterns)| patterns.split(',').any(|word| wanted.contains(&word)));
    let mut found = Vec::new();
    for (id, _) in alike.take(query.limit) {
        found.extend(one(conn, id, query.as_of)?);
    }
    Ok(found)
}

/// See [`crate::CaseReader::cases`].
pub(super) fn list(conn: &Connection, query: &CaseQuery) -> Inner<(Vec<StoredCase>, bool)> {
    let mut wanted: Vec<(Ts, String, Vec<CaseEntry>)> = Vec::new();
    for (id, own) in entries(conn, query.as_of)? {
        let (Some(standing), Some(first)) = (CaseStanding::of(&own), own.first()) else { continue };
        if query.state.is_none_or(|s| s == standing.state) {
            wanted.push((first.at, id, own));
        }
    }
    wanted.sort_by(|a, b| b.0.cmp(&a.0).then_with(|| a.1.cmp(&b.1)));
    let more = wanted.len() > query.limit;
    let mut found = Vec::new();
    for (_, id, own) in wanted.into_iter().take(query.limit) {
        found.extend(stored(conn, &id, own)?);
    }
    Ok((found, more))
}

/// See [`crate::CaseReader::case_ids`].
pub(super) fn ids(conn: &Connection, beginning: &str) -> Inner<Vec<String>> {
    let length = i64::try_from(beginning.chars().count()).unwrap_or(i64::MAX);
    let mut statement = conn.prepare(
        "SELECT case_id FROM cases WHERE substr(case_id, 1, CAST(?2 AS INTEGER)) = ?1 ORDER BY case_id LIMIT 2",
    )?;
    statement.query_map(params![beginning, length], |r| r.get(0))?.collect()
}

/// See [`crate::CaseReader::case_recordings`].
pub(super) fn recordings(conn: &Connection, id: &str, as_of: Option<Ts>) -> Inner<Vec<CaseRecording>> {
    let mut statement = conn.prepare(select!(
        StoredRecording;
        " FROM case_recordings WHERE case_id = ?1 AND recorded_at <= ?2 ORDER BY alert, source, until_ts DESC"
    ))?;
    statement
        .query_map(params![id, as_of.unwrap_or(Ts::MAX).0], |r| read_recording(&StoredRecording::read(r)?))?
        .collect()
}

fn read_recording(stored: &StoredRecording) -> Inner<CaseRecording> {
    serde_json::from_str(&stored.body).map_err(|e| {
        let StoredRecording { case_id, alert, .. } = stored;
        SqlFault::Damaged(format!("the recording of '{alert}' in the case '{case_id}' cannot be read: {e}"))
    })
}

/// See [`crate::CaseReader::case_counts`].
pub(super) fn counts(conn: &Connection, as_of: Option<Ts>) -> Inner<Vec<CaseCount>> {
    let mut statement = conn.prepare("SELECT case_id, patterns FROM cases ORDER BY case_id")?;
    let patterns: BTreeMap<String, String> =
        statement.query_map(NONE, |r| Ok((r.get(0)?, r.get(1)?)))?.collect::<Inner<_>>()?;
    let mut found: BTreeMap<Pattern, CaseCount> = BTreeMap::new();
    for (id, own) in entries(conn, as_of)? {
        let Some(disposition) = CaseStanding::of(&own).and_then(|s| s.disposition) else { continue };
        for word in patterns.get(&id).map(String::as_str).unwrap_or_default().split(',') {
            let pattern = Pattern::from_name(word)
                .ok_or_else(|| SqlFault::Damaged(format!("the case '{id}' is of no pattern known here: '{word}'")))?;
            found.entry(pattern).or_insert_with(|| CaseCount::none(pattern)).add(disposition);
        }
    }
    Ok(found.into_values().collect())
}

/// Is every record what was written, readable, and part of a case whose entries are numbered without a gap? The number of cases.
pub(super) fn check(conn: &Connection) -> Inner<u64> {
    let mut found = 0;
    let mut all = BTreeMap::new();
    let mut statement = conn.prepare(select!(StoredCaseEntry; " FROM case_entries ORDER BY case_id, seq"))?;
    let mut rows = statement.query(NONE)?;
    while let Some(row) = rows.next()? {
        let (entry, digest) = StoredCaseEntry::read(row)?.parsed()?;
        if of_entry(&entry) != digest {
            let CaseEntry { seq, case_id, .. } = entry;
            return Err(SqlFault::Damaged(format!("entry {seq} of the case '{case_id}' is not what was written")));
        }
        let last = all.entry(entry.case_id.clone()).or_insert(0);
        if entry.seq != *last + 1 {
            return Err(SqlFault::Damaged(format!("entry {} of the case '{}' is missing", *last + 1, entry.case_id)));
        }
        *last = entry.seq;
    }
    let mut statement = conn.prepare(select!(FiledCase; " FROM cases"))?;
    let mut rows = statement.query(NONE)?;
    while let Some(row) = rows.next()? {
        let filed = FiledCase::read(row)?;
        let file = filed.parsed()?;
        let FiledCase { case_id: id, filed_at, patterns, body, digest } = filed;
        let same = of_file(&id, filed_at, &patterns, &body) == digest;
        if !same || file.case_id != id || file.filed_at != filed_at || words(&file.patterns()) != patterns {
            return Err(SqlFault::Damaged(format!("the case '{id}' is not what was written")));
        }
        if all.remove(&id).is_none() {
            return Err(SqlFault::Damaged(format!("the case '{id}' has no entry")));
        }
        found += 1;
    }
    if let Some(stray) = all.into_keys().next() {
        return Err(SqlFault::Damaged(format!("the case '{stray}' has entries and no file")));
    }
    let mut statement = conn.prepare(select!(StoredRecording; " FROM case_recordings"))?;
    let mut rows = statement.query(NONE)?;
    while let Some(row) = rows.next()? {
        let stored = StoredRecording::read(row)?;
        read_recording(&stored)?;
        if of_recording(&stored) != stored.digest {
            let StoredRecording { case_id, alert, .. } = stored;
            let what = format!("the recording of '{alert}' in the case '{case_id}' is not what was written");
            return Err(SqlFault::Damaged(what));
        }
    }
    Ok(found)
}
