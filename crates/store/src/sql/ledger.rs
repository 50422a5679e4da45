//! Ticks of the forecast ledger in pieces: one tick each until their hour is over, then an hour each, then a day.
//!
//! Pieces of a logic version do not overlap, and none reaches over midnight, so that a reader finds those of a stretch by where they
//! begin. What comes between two ticks of a piece takes it apart. Published pieces are never replaced.

use super::alerts;
use super::asked::{Asked as _, asked, select};
use super::db::{Connection, DbRow, Optional, params};
use super::fault::{Inner, SqlFault};
use super::ledger_kept as kept;
use crate::codec::ledger::{self as packed, LedgerBuilder};
use crate::run::GRID;
use crate::schema::insert;
use crate::{LedgerPart, LiveLedger, Range, RunKey};
use barograph_domain::forecast::LedgerTick;
use barograph_domain::time::DAY;
use barograph_domain::{Span, Ts};
use std::ops::ControlFlow;

const HOUR: Span = Span::hours(1);
/// A piece in the making is closed at this size: a day of more than a thousand markets becomes several.
const PIECE_BYTES: usize = 64 << 20;

asked! {
    /// Where a piece lies.
    struct Extent { first_ts: Ts, last_ts: Ts, live: i64 }
}

fn read_extent(row: DbRow<'_>) -> Inner<Extent> {
    Extent::read(row)
}

/// The day of UTC, counted from 1970.
pub(super) const fn day_of(ts: Ts) -> i64 {
    ts.0.div_euclid(DAY.0)
}

pub(super) fn unreadable(first: Ts, e: crate::codec::CodecError) -> SqlFault {
    SqlFault::Damaged(format!("the piece of the ledger from {first} {e}"))
}

/// The digest of a piece's other columns.
pub(super) fn digest(logic: &str, first: Ts, last: Ts, live: i64, body: &[u8]) -> i64 {
    let [first, last, live] = [first.0, last.0, live].map(i64::to_le_bytes);
    super::digest::of_columns(&[logic.as_bytes(), &first, &last, &live, body])
}

fn put_body(conn: &Connection, logic: &str, (first, last): (Ts, Ts), live: bool, body: Vec<u8>) -> Inner<()> {
    let digest = digest(logic, first, last, live.into(), &body);
    let (sql, row) = insert!(ledger_pieces or Fail {
        logic_version: logic, first_ts: first.0, last_ts: last.0, live, body, digest,
    });
    conn.send(sql, row)
}

/// Stores ticks of one day as one piece.
fn put(conn: &Connection, logic: &str, ticks: &[LedgerTick], live: bool) -> Inner<()> {
    let (Some(first), Some(last)) = (ticks.first(), ticks.last()) else { return Ok(()) };
    let refused = |e| SqlFault::Invalid(format!("the ledger from {} on {e}", first.ts));
    put_body(conn, logic, (first.ts, last.ts), live, packed::encode(ticks).map_err(refused)?)
}

fn remove(conn: &Connection, logic: &str, first: Ts) -> Inner<()> {
    conn.send("DELETE FROM ledger_pieces WHERE logic_version = ?1 AND first_ts = ?2", params![logic, first.0])
}

fn on_grid(tick: &LedgerTick) -> Inner<()> {
    if tick.ts.0.rem_euclid(GRID.0) == 0 {
        return Ok(());
    }
    Err(SqlFault::Invalid(format!("the tick of the ledger at {} is not on the minute grid", tick.ts)))
}

/// Publishes a tick; false when it is published already with the same content.
pub(super) fn publish(conn: &Connection, one: &LiveLedger) -> Inner<bool> {
    let (logic, tick) = (&one.logic_version, &one.tick);
    on_grid(tick)?;
    let around = conn
        .query_row(
            select!(Extent; " FROM ledger_pieces WHERE logic_version = ?1 AND first_ts <= ?2 ORDER BY first_ts DESC LIMIT 1"),
            params![logic, tick.ts.0],
            read_extent,
        )
        .optional()?;
    if let Some(around) = around.filter(|p| p.last_ts >= tick.ts) {
        let ticks = load(conn, logic, around.first_ts)?;
        let stored = ticks.iter().find(|t| t.ts == tick.ts);
        if let Some(stored) = stored.filter(|_| around.live == 1) {
            return if packed::canonical(stored) == packed::canonical(tick) {
                Ok(false)
            } else {
                Err(conflict(logic, stored, tick))
            };
        }
        if stored.is_some() {
            alerts::forget_drift(conn, logic, Range { start: tick.ts, end: Ts(tick.ts.0.saturating_add(1)) }, &[])?;
        }
        remove(conn, logic, around.first_ts)?;
        let before = ticks.partition_point(|t| t.ts < tick.ts);
        put(conn, logic, &ticks[..before], around.live == 1)?;
        put(conn, logic, &ticks[before + usize::from(stored.is_some())..], around.live == 1)?;
    }
    put(conn, logic, std::slice::from_ref(tick), true)?;
    kept::put_heads(conn, logic, &one.heads)?;
    Ok(true)
}

/// The first market of which the two say different things.
fn conflict(logic: &str, stored: &LedgerTick, tick: &LedgerTick) -> SqlFault {
    let issue = stored.issues.iter().zip(&tick.issues).find(|(a, b)| a != b).map(|(a, _)| a.market);
    let resolution = stored.resolutions.iter().zip(&tick.resolutions).find(|(a, b)| a != b).map(|(a, _)| a.market);
    match stored.market(issue.or(resolution).unwrap_or_default()).or_else(|| tick.markets.first()) {
        Some(instrument) => {
            let key = RunKey { instrument: instrument.clone(), logic_version: logic.to_owned() };
            SqlFault::Conflict { key, minute: tick.ts }
        }
        None => SqlFault::Invalid(format!("the tick of the ledger at {} is published with other content", tick.ts)),
    }
}

/// The ticks of the piece that begins at a minute.
fn load(conn: &Connection, logic: &str, first: Ts) -> Inner<Vec<LedgerTick>> {
    let sql = "SELECT body FROM ledger_pieces WHERE logic_version = ?1 AND first_ts = ?2";
    let ticks = conn.query_row(sql, params![logic, first.0], |r| Ok(packed::decode(r.blob(0)?)))?;
    ticks.map_err(|e| unreadable(first, e))
}

/// See [`crate::Writer::replace_ledger`].
pub(super) fn replace(conn: &Connection, part: &LedgerPart<'_>) -> Inner<u64> {
    let Range { start, end } = part.range;
    if let Some(tick) = part.ticks.iter().find(|t| !part.range.contains(t.ts)) {
        return Err(SqlFault::Invalid(format!(
            "the tick of the ledger at {} is not in the minutes it replaces",
            tick.ts
        )));
    }
    if !part.ticks.is_sorted_by(|a, b| a.ts < b.ts) {
        return Err(SqlFault::Invalid("ticks of the ledger are not in order".to_owned()));
    }
    part.ticks.iter().try_for_each(on_grid)?;
    let mut published = Vec::new();
    for piece in extents(conn, part.logic_version, part.range)? {
        if piece.live == 1 {
            published.extend(apart(conn, part, &piece)?);
            continue;
        }
        let whole = start <= piece.first_ts && piece.last_ts < end;
        let ticks = if whole { Vec::new() } else { load(conn, part.logic_version, piece.first_ts)? };
        remove(conn, part.logic_version, piece.first_ts)?;
        if !whole {
            let (first, last) = (ticks.partition_point(|t| t.ts < start), ticks.partition_point(|t| t.ts < end));
            put(conn, part.logic_version, &ticks[..first], false)?;
            put(conn, part.logic_version, &ticks[last..], false)?;
        }
    }
    let fresh: Vec<&LedgerTick> = part.ticks.iter().filter(|t| published.binary_search(&t.ts).is_err()).collect();
    // A piece ends where a published tick comes between.
    let place = |t: &LedgerTick| (day_of(t.ts), published.partition_point(|p| *p < t.ts));
    for group in fresh.chunk_by(|a, b| place(a) == place(b)) {
        let mut builder = LedgerBuilder::default();
        let (Some(first), Some(last)) = (group.first(), group.last()) else { continue };
        let refused = |e| SqlFault::Invalid(format!("the ledger from {} on {e}", first.ts));
        group.iter().try_for_each(|t| builder.push(t)).map_err(refused)?;
        put_body(conn, part.logic_version, (first.ts, last.ts), false, builder.finish().map_err(refused)?)?;
    }
    if let Some(one) = part.alerts.iter().find(|a| !part.range.contains(a.alert.alert.ts)) {
        let ts = one.alert.alert.ts;
        return Err(SqlFault::Invalid(format!(
            "what the tick of the ledger at {ts} says is not in the minutes it replaces"
        )));
    }
    alerts::forget_drift(conn, part.logic_version, part.range, &published)?;
    for one in part.alerts.iter().filter(|a| published.binary_search(&a.alert.alert.ts).is_err()) {
        alerts::put_pair(conn, part.logic_version, one)?;
    }
    kept::replace(conn, part)?;
    Ok(fresh.len() as u64)
}

/// Pieces that have something of a stretch in them, or lie around it, in order.
fn extents(conn: &Connection, logic: &str, Range { start, end }: Range) -> Inner<Vec<Extent>> {
    let mut statement = conn.prepare(select!(
        Extent;
        " FROM ledger_pieces WHERE logic_version = ?1 AND first_ts > ?2 AND first_ts < ?3 AND last_ts >= ?4 ORDER BY first_ts"
    ))?;
    let a_day_before = start.0.saturating_sub(DAY.0);
    statement.query_map(params![logic, a_day_before, end.0, start.0], read_extent)?.collect()
}

/// The minutes of a published piece, which is taken apart where computed ticks come between.
fn apart(conn: &Connection, part: &LedgerPart<'_>, piece: &Extent) -> Inner<Vec<Ts>> {
    let logic = part.logic_version;
    if piece.first_ts == piece.last_ts {
        return Ok(vec![piece.first_ts]);
    }
    let ticks = load(conn, logic, piece.first_ts)?;
    let times: Vec<Ts> = ticks.iter().map(|t| t.ts).collect();
    let between: Vec<Ts> = part.ticks.iter().map(|t| t.ts).filter(|ts| times.binary_search(ts).is_err()).collect();
    let place = |t: &LedgerTick| between.partition_point(|ts| *ts < t.ts);
    let groups: Vec<&[LedgerTick]> = ticks.chunk_by(|a, b| place(a) == place(b)).collect();
    if groups.len() > 1 {
        remove(conn, logic, piece.first_ts)?;
        groups.into_iter().try_for_each(|group| put(conn, logic, group, true))?;
    }
    Ok(times)
}

/// Packs published ticks of hours of today that have ended, and of days that have.
pub(super) fn pack(conn: &Connection, now: Ts) -> Inner<()> {
    let (hour, today) = (now.floor(HOUR), day_of(now));
    let mut statement = conn.prepare(
        "SELECT logic_version, min(first_ts) FROM ledger_pieces
         WHERE live = 1 AND first_ts < ?1 AND (first_ts = last_ts OR first_ts >= ?2)
         GROUP BY logic_version ORDER BY logic_version",
    )?;
    let yesterday = today.saturating_sub(1).saturating_mul(DAY.0);
    let found = statement.query_map([hour.0, yesterday], |r| Ok((r.get(0)?, r.get(1)?)))?;
    for (logic, first) in found.collect::<Inner<Vec<(String, i64)>>>()? {
        let start = Ts(day_of(Ts(first)).saturating_mul(DAY.0));
        let pieces = extents(conn, &logic, Range { start, end: hour })?;
        let place = |p: &Extent| (day_of(p.first_ts), (day_of(p.first_ts) == today).then(|| p.first_ts.floor(HOUR)));
        let together = |a: &Extent, b: &Extent| a.live == 1 && b.live == 1 && place(a) == place(b);
        for group in pieces.chunk_by(together).filter(|g| g.len() > 1) {
            pack_group(conn, &logic, group)?;
        }
    }
    Ok(())
}

/// Makes one piece of several, or as few as their size allows.
fn pack_group(conn: &Connection, logic: &str, group: &[Extent]) -> Inner<()> {
    let mut builder = LedgerBuilder::default();
    let mut extent: Option<(Ts, Ts)> = None;
    for (at, piece) in group.iter().enumerate() {
        let sql = "SELECT body FROM ledger_pieces WHERE logic_version = ?1 AND first_ts = ?2";
        let body = conn.query_row(sql, params![logic, piece.first_ts.0], |r| Ok(r.blob(0)?.to_vec()))?;
        let mut refusal = None;
        let _all = packed::scan(&body, &[], |tick| match builder.push(tick) {
            Ok(()) => ControlFlow::Continue(()),
            Err(e) => {
                refusal = Some(e);
                ControlFlow::Break(())
            }
        })
        .map_err(|e| unreadable(piece.first_ts, e))?;
        if let Some(e) = refusal {
            return Err(unreadable(piece.first_ts, e));
        }
        remove(conn, logic, piece.first_ts)?;
        extent = Some((extent.map_or(piece.first_ts, |(first, _)| first), piece.last_ts));
        if (at + 1 == group.len() || builder.bytes() > PIECE_BYTES)
            && let Some(extent) = extent.take()
        {
            let body = builder.finish().map_err(|e| unreadable(extent.0, e))?;
            put_body(conn, logic, extent, true, body)?;
        }
    }
    Ok(())
}
