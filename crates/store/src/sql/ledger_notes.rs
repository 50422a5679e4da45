//! Notes on outcomes of the ledger that stand although minutes they rest on were corrected later. Added to, never changed.

use super::asked::{Asked as _, asked, select};
use super::db::{Connection, DbRow, NONE, params};
use super::fault::{Inner, SqlFault};
use crate::schema::insert;
use barograph_domain::forecast::{ForecastEvent, OutcomeKey, OutcomeRevision, WindowOutcome};
use barograph_domain::{InstrumentName, Ts};

asked! {
    /// A stored note. A forecast without a subject has an empty one.
    struct StoredNote {
        logic_version: String, issued_ts: Ts, event: String, market: String, subject: String, known_ts: Ts, resolved_ts: Ts,
        stands: String, now: String, digest: i64,
    }
}

fn digest(logic: &str, note: &OutcomeRevision) -> i64 {
    let [issued, known, resolved] = [note.key.issued_ts, note.known_ts, note.resolved_ts].map(|t| t.0.to_le_bytes());
    let (event, market) = (note.key.event.id(), note.key.market.to_string());
    let subject = note.key.subject.as_deref().unwrap_or_default();
    super::digest::of_columns(&[
        logic.as_bytes(),
        &issued,
        event.as_bytes(),
        market.as_bytes(),
        subject.as_bytes(),
        &known,
        &resolved,
        note.stands.word().as_bytes(),
        note.now.word().as_bytes(),
    ])
}

/// Adds notes; one that is there of the same outcome and correction stays.
pub(super) fn put(conn: &Connection, logic: &str, notes: &[OutcomeRevision]) -> Inner<()> {
    for note in notes {
        let (sql, row) = insert!(ledger_notes or Keep {
            logic_version: logic, issued_ts: note.key.issued_ts.0, event: note.key.event.id(),
            market: note.key.market.to_string(), subject: note.key.subject.as_deref().unwrap_or_default(),
            known_ts: note.known_ts.0, resolved_ts: note.resolved_ts.0, stands: note.stands.word(), now: note.now.word(),
            digest: digest(logic, note),
        });
        conn.send(sql, row)?;
    }
    Ok(())
}

fn read(row: DbRow<'_>) -> Inner<(String, OutcomeRevision)> {
    let stored = StoredNote::read(row)?;
    let damaged = || {
        SqlFault::Damaged(format!(
            "the note on the outcome of {} issued {} cannot be read",
            stored.event, stored.issued_ts
        ))
    };
    let word = |w: &str| WindowOutcome::of_word(w).ok_or_else(damaged);
    let key = OutcomeKey {
        issued_ts: stored.issued_ts,
        event: ForecastEvent::from_id(&stored.event).ok_or_else(damaged)?,
        market: InstrumentName::parse(&stored.market).map_err(|_e| damaged())?,
        subject: (!stored.subject.is_empty()).then(|| stored.subject.as_str().into()),
    };
    let (stands, now) = (word(&stored.stands)?, word(&stored.now)?);
    let note = OutcomeRevision { key, known_ts: stored.known_ts, resolved_ts: stored.resolved_ts, stands, now };
    if digest(&stored.logic_version, &note) != stored.digest {
        let SqlFault::Damaged(text) = damaged() else { return Err(damaged()) };
        return Err(SqlFault::Damaged(text.replace("cannot be read", "is not what was written")));
    }
    Ok((stored.logic_version, note))
}

/// Notes with their logic versions, in order; of one version or of all.
pub(super) fn list(conn: &Connection, logic: Option<&str>) -> Inner<Vec<(String, OutcomeRevision)>> {
    let mut found = match logic {
        Some(logic) => {
            let mut statement = conn.prepare(select!(StoredNote; " FROM ledger_notes WHERE logic_version = ?1"))?;
            statement.query_map(params![logic], read)?.collect::<Inner<Vec<_>>>()?
        }
        None => {
            let mut statement = conn.prepare(select!(StoredNote; " FROM ledger_notes"))?;
            statement.query_map(NONE, read)?.collect::<Inner<Vec<_>>>()?
        }
    };
    found.sort();
    Ok(found)
}
