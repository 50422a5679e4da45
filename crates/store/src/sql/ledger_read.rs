//! Ticks of the forecast ledger as they are asked for: in pages of pieces, one after the other, the newest; and their check.

use super::asked::{Asked as _, asked, select};
use super::db::{Connection, NONE, Optional, params};
use super::fault::{Inner, SqlFault};
use super::ledger::{day_of, digest, unreadable};
use crate::codec::ledger as packed;
use crate::{Page, Range};
use barograph_domain::Ts;
use barograph_domain::forecast::{ForecastEvent, LedgerTick};
use barograph_domain::time::{DAY, LATENESS};
use std::ops::ControlFlow;

/// Pieces that a scan holds at a time: days of a hundred markets are 2 MB each.
const PIECES: usize = 8;

asked! {
    /// A piece.
    struct StoredPiece<'r> { first_ts: Ts, last_ts: Ts, body: &'r [u8] }
}

/// A piece in memory.
pub(super) struct Piece {
    first: Ts,
    last: Ts,
    body: Vec<u8>,
}

/// What of a stretch was known at a moment.
fn known(range: Range, as_of: Option<Ts>) -> Range {
    let until = as_of.map_or(Ts::MAX, |t| Ts(t.0.saturating_sub(LATENESS.0).saturating_add(1)));
    Range { start: range.start, end: range.end.min(until) }
}

/// Pieces that have something of a stretch in them, in order.
fn pieces(conn: &Connection, logic: &str, range: Range, limit: usize) -> Inner<Vec<Piece>> {
    let mut statement = conn.prepare(select!(
        StoredPiece;
        " FROM ledger_pieces WHERE logic_version = ?1 AND first_ts > ?2 AND first_ts < ?3 AND last_ts >= ?4
         ORDER BY first_ts LIMIT ?5"
    ))?;
    let a_day_before = range.start.0.saturating_sub(DAY.0);
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let found = statement.query_map(params![logic, a_day_before, range.end.0, range.start.0, limit], |r| {
        let StoredPiece { first_ts, last_ts, body } = StoredPiece::read(r)?;
        Ok(Piece { first: first_ts, last: last_ts, body: body.to_vec() })
    })?;
    found.collect()
}

impl Piece {
    /// Hands out the ticks of a stretch.
    fn scan(
        &self,
        range: Range,
        events: &[ForecastEvent],
        mut each: impl FnMut(&LedgerTick) -> ControlFlow<()>,
    ) -> Inner<ControlFlow<()>> {
        let inside = |tick: &LedgerTick| if range.contains(tick.ts) { each(tick) } else { ControlFlow::Continue(()) };
        packed::scan(&self.body, events, inside).map_err(|e| unreadable(self.first, e))
    }
}

/// See [`crate::Reader::ledger`].
pub(super) fn list(
    conn: &Connection,
    logic: &str,
    range: Range,
    events: &[ForecastEvent],
    limit_pieces: usize,
    as_of: Option<Ts>,
) -> Inner<Page<LedgerTick>> {
    let (range, limit) = (known(range, as_of), limit_pieces.max(1));
    let mut found = pieces(conn, logic, range, limit.saturating_add(1))?;
    let next = found.get(limit).map(|p| p.first);
    found.truncate(limit);
    let mut items = Vec::new();
    for piece in &found {
        let _all = piece.scan(range, events, |tick| {
            items.push(tick.clone());
            ControlFlow::Continue(())
        })?;
    }
    Ok(Page { items, next })
}

/// What is left to scan of a stretch.
pub(super) struct Scan<'a> {
    logic: &'a str,
    rest: Range,
    ahead: Vec<Piece>,
}

impl<'a> Scan<'a> {
    /// Reads the first pieces.
    pub(super) fn begin(conn: &Connection, logic: &'a str, range: Range, as_of: Option<Ts>) -> Inner<Self> {
        let mut scan = Self { logic, rest: known(range, as_of), ahead: Vec::new() };
        scan.advance(conn)?;
        Ok(scan)
    }

    fn advance(&mut self, conn: &Connection) -> Inner<()> {
        self.ahead = pieces(conn, self.logic, self.rest, PIECES)?;
        Ok(())
    }

    /// Hands out all of it.
    pub(super) fn run(
        mut self,
        conn: &Connection,
        events: &[ForecastEvent],
        each: &mut dyn FnMut(&LedgerTick) -> ControlFlow<()>,
    ) -> Inner<()> {
        while !self.ahead.is_empty() {
            for piece in std::mem::take(&mut self.ahead) {
                if piece.scan(self.rest, events, &mut *each)?.is_break() {
                    return Ok(());
                }
                self.rest.start = self.rest.start.max(Ts(piece.last.0.saturating_add(1)));
            }
            self.advance(conn)?;
        }
        Ok(())
    }
}

/// See [`crate::Reader::latest_ledger`].
pub(super) fn latest(conn: &Connection, logic: &str, as_of: Option<Ts>) -> Inner<Option<LedgerTick>> {
    let range = known(Range::ALL, as_of);
    let sql = select!(
        StoredPiece;
        " FROM ledger_pieces WHERE logic_version = ?1 AND first_ts < ?2 ORDER BY first_ts DESC LIMIT 1"
    );
    let piece = conn
        .query_row(sql, params![logic, range.end.0], |r| {
            let StoredPiece { first_ts, last_ts, body } = StoredPiece::read(r)?;
            Ok(Piece { first: first_ts, last: last_ts, body: body.to_vec() })
        })
        .optional()?;
    let Some(piece) = piece else { return Ok(None) };
    let mut newest = None;
    let _all = piece.scan(range, &[], |tick| {
        newest = Some(tick.clone());
        ControlFlow::Continue(())
    })?;
    Ok(newest)
}

/// See [`crate::Reader::published_ticks`].
pub(super) fn published(conn: &Connection, logic: &str, range: Range) -> Inner<Vec<Ts>> {
    let mut statement = conn.prepare(select!(
        StoredPiece;
        " FROM ledger_pieces WHERE logic_version = ?1 AND first_ts > ?2 AND first_ts < ?3 AND last_ts >= ?4 AND live = 1
         ORDER BY first_ts"
    ))?;
    let a_day_before = range.start.0.saturating_sub(DAY.0);
    let mut found = Vec::new();
    let mut rows = statement.query(params![logic, a_day_before, range.end.0, range.start.0])?;
    while let Some(row) = rows.next()? {
        let StoredPiece { first_ts, last_ts, body } = StoredPiece::read(row)?;
        if first_ts == last_ts {
            found.push(first_ts);
        } else {
            found.extend(packed::times(body).map_err(|e| unreadable(first_ts, e))?);
        }
    }
    found.retain(|ts| range.contains(*ts));
    Ok(found)
}

/// Every tick with its logic version, in order.
pub(super) fn walk(conn: &Connection, mut each: impl FnMut(&str, &LedgerTick)) -> Inner<()> {
    let mut versions = conn.prepare("SELECT DISTINCT logic_version FROM ledger_pieces ORDER BY logic_version")?;
    for logic in versions.query_map(NONE, |r| r.get::<String>(0))? {
        let logic = logic?;
        Scan::begin(conn, &logic, Range::ALL, None)?.run(conn, &[], &mut |tick| {
            each(&logic, tick);
            ControlFlow::Continue(())
        })?;
    }
    Ok(())
}

/// Is every piece what was written, and where it belongs? The number of ticks.
pub(super) fn check(conn: &Connection) -> Inner<u64> {
    let mut places =
        conn.prepare("SELECT logic_version, first_ts FROM ledger_pieces ORDER BY logic_version, first_ts")?;
    let places = places.query_map(NONE, |r| Ok((r.get(0)?, r.get(1)?)))?.collect::<Inner<Vec<(String, i64)>>>()?;
    let (mut ticks, mut before) = (0, (String::new(), Ts::MIN));
    for (logic, first) in places {
        let sql = "SELECT last_ts, live, body, digest FROM ledger_pieces WHERE logic_version = ?1 AND first_ts = ?2";
        let first = Ts(first);
        let last = conn.query_row(sql, params![&logic, first.0], |r| {
            let (last, body) = (Ts(r.get(0)?), r.blob(2)?);
            if digest(&logic, first, last, r.get(1)?, body) != r.get::<i64>(3)? {
                return Err(SqlFault::Damaged(format!("the piece of the ledger from {first} is not what was written")));
            }
            let mut times = Vec::new();
            let _all = packed::scan(body, &[], |tick| {
                times.push(tick.ts);
                ControlFlow::Continue(())
            })
            .map_err(|e| unreadable(first, e))?;
            if (times.first(), times.last()) != (Some(&first), Some(&last)) || day_of(first) != day_of(last) {
                return Err(SqlFault::Damaged(format!(
                    "the piece of the ledger from {first} does not hold the ticks its record says"
                )));
            }
            ticks += times.len() as u64;
            Ok(last)
        })?;
        if before.0 == logic && before.1 >= first {
            return Err(SqlFault::Damaged(format!("the piece of the ledger from {first} overlaps another")));
        }
        before = (logic, last);
    }
    Ok(ticks)
}
