//! Single minutes that were read before. Lists of events explain each of theirs by its own minute and are asked again and again, and
//! out of the bytes of an hour one minute takes as long as all.

use super::db::{Connection, params};
use super::fault::Inner;
use super::rows::Gathered;
use super::segment;
use crate::run::{GRID, usable_until};
use crate::{RowQuery, Rows};
use barograph_domain::Ts;
use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Minutes kept at most, with the bytes of their hours: 8 MB.
const MOST: usize = 256;

/// The minutes used last, by chunk and moment.
#[derive(Default)]
pub(super) struct ReadMinutes(Mutex<Kept>);

#[derive(Default)]
struct Kept {
    minutes: BTreeMap<(i64, Ts), ReadMinute>,
    /// How often one was used or kept.
    uses: u64,
}

/// A minute, and what it was read from: the same bytes of the same layout are the same minute.
struct ReadMinute {
    layout: Vec<u8>,
    body: Vec<u8>,
    rows: Rows,
    used: u64,
}

impl ReadMinutes {
    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Kept {
    fn get(&mut self, at: (i64, Ts), layout: &[u8], body: &[u8]) -> Option<Rows> {
        self.uses += 1;
        let found = self.minutes.get_mut(&at).filter(|m| m.layout == layout && m.body == body)?;
        found.used = self.uses;
        Some(found.rows.clone())
    }

    fn keep(&mut self, at: (i64, Ts), minute: ReadMinute) {
        if self.minutes.len() >= MOST && !self.minutes.contains_key(&at) {
            let oldest = self.minutes.iter().min_by_key(|(_, m)| m.used).map(|(at, _)| *at);
            oldest.and_then(|at| self.minutes.remove(&at));
        }
        self.minutes.insert(at, ReadMinute { used: self.uses, ..minute });
    }
}

/// The minute that is all that is asked for.
pub(super) fn asked(q: &RowQuery) -> Option<Ts> {
    let ts = q.range.start;
    let alone = ts.0.checked_add(1) == Some(q.range.end.0) && ts.floor(GRID) == ts;
    (alone && q.every.is_none() && q.after.is_none() && q.limit > 0).then_some(ts)
}

/// The row of a minute, as [`super::rows::history`] has it.
pub(super) fn read(conn: &Connection, run: i64, ts: Ts, as_of: Option<Ts>, kept: &ReadMinutes) -> Inner<Rows> {
    if as_of.is_some_and(|as_of| ts > usable_until(as_of)) {
        return Ok(Rows::default());
    }
    let parts = segment::parts(conn, run)?;
    let Some(part) = parts.iter().find_map(|part| part.within(ts, ts)) else { return Ok(Rows::default()) };
    let (low, high) = part.chunks();
    let mut statement = conn.prepare(
        "SELECT c.chunk, c.layout, l.sha256, c.body FROM feature_chunks c JOIN layouts l ON l.layout = c.layout
         WHERE c.chunk BETWEEN ?1 AND ?2 AND c.first_ts <= ?3 AND c.last_ts >= ?3 ORDER BY c.chunk",
    )?;
    let mut chunks = statement.query(params![low, high, ts.0])?;
    while let Some(found) = chunks.next()? {
        let (chunk, layout): (i64, i64) = (found.get(0)?, found.get(1)?);
        let (sha256, body) = (found.blob(2)?, found.blob(3)?);
        if let Some(rows) = kept.kept().get((chunk, ts), sha256, body) {
            return Ok(rows);
        }
        let mut gathered = Gathered::default();
        gathered
            .take(conn, (chunk, layout, body), |times| times.iter().position(|t| *t == ts).into_iter().collect())?;
        let rows = gathered.into_rows(None)?;
        if !rows.rows.is_empty() {
            let minute = ReadMinute { layout: sha256.to_owned(), body: body.to_owned(), rows: rows.clone(), used: 0 };
            kept.kept().keep((chunk, ts), minute);
            return Ok(rows);
        }
    }
    Ok(Rows::default())
}
