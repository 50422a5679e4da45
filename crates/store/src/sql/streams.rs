//! Instruments and streams: their rows, and the running figures kept about each stream.

use super::asked::{Asked as _, asked, select};
use super::db::{Connection, DbRow, NONE, Optional, params};
use super::decl;
use super::fault::{Inner, SqlFault};
use super::pieces::Scan;
use crate::postgres::{alone, find_or_alone};
use crate::schema::insert;
use barograph_domain::{Instrument, InstrumentName, MarketKind, StreamDecl, Ts};
use std::collections::{BTreeMap, BTreeSet};

/// A stream with the figures kept about it.
#[derive(Clone, Debug)]
pub(super) struct Stored {
    pub(super) id: i64,
    pub(super) instrument: i64,
    pub(super) decl: StreamDecl,
    pub(super) points: i64,
    pub(super) first_event: Ts,
    pub(super) newest_event: Ts,
    pub(super) newest_known: Ts,
    pub(super) lag_min: i64,
    pub(super) digest: i64,
}

asked! {
    /// A stream's record.
    struct StoredStream {
        stream: i64, decl: String, points: i64, first_event: Ts, newest_event: Ts, newest_known: Ts, lag_min: i64,
        digest: i64, instrument: i64,
    }
}

fn stored(row: DbRow<'_>) -> Inner<Stored> {
    let s = StoredStream::read(row)?;
    Ok(Stored {
        id: s.stream,
        instrument: s.instrument,
        decl: decl::from_text(&s.decl)?,
        points: s.points,
        first_event: s.first_event,
        newest_event: s.newest_event,
        newest_known: s.newest_known,
        lag_min: s.lag_min,
        digest: s.digest,
    })
}

/// All streams of an instrument by number, with their metrics.
pub(super) fn metrics(conn: &Connection, instrument: i64) -> Inner<BTreeMap<i64, StreamDecl>> {
    let mut statement = conn.prepare("SELECT stream, decl FROM streams WHERE instrument = ?1")?;
    let mut rows = statement.query([instrument])?;
    let mut found = BTreeMap::new();
    while let Some(row) = rows.next()? {
        let text: String = row.get(1)?;
        found.insert(row.get(0)?, decl::from_text(&text)?);
    }
    Ok(found)
}

/// The number of every instrument.
pub(super) fn numbers(conn: &Connection) -> Inner<Vec<i64>> {
    let mut statement = conn.prepare("SELECT instrument FROM instruments")?;
    statement.query_map(NONE, |r| r.get(0))?.collect()
}

/// The names of instruments.
pub(super) fn names(conn: &Connection, of: &BTreeSet<i64>) -> Inner<BTreeSet<InstrumentName>> {
    let mut statement = conn.prepare("SELECT instrument, name FROM instruments")?;
    let (mut rows, mut found) = (statement.query(NONE)?, BTreeSet::new());
    while let Some(row) = rows.next()? {
        if of.contains(&row.get(0)?) {
            let name: String = row.get(1)?;
            found.insert(InstrumentName::parse(&name).map_err(|e| SqlFault::Damaged(e.to_string()))?);
        }
    }
    Ok(found)
}

/// Streams that have points, in rank order.
pub(super) fn load(conn: &Connection, instrument: Option<&InstrumentName>) -> Inner<Vec<Stored>> {
    let mut found = match instrument {
        Some(name) => conn
            .prepare(select!(
                StoredStream of "s";
                " FROM instruments i JOIN streams s ON s.instrument = i.instrument WHERE s.points > 0 AND i.name = ?1"
            ))?
            .query_map([name.to_string()], stored)?,
        None => conn.prepare(select!(StoredStream; " FROM streams WHERE points > 0"))?.query_map(NONE, stored)?,
    }
    .collect::<Inner<Vec<_>>>()?;
    found.sort_by(|a, b| a.decl.cmp(&b.decl));
    Ok(found)
}

/// The stream of this declaration.
pub(super) fn find(conn: &Connection, decl: &StreamDecl) -> Inner<Option<Stored>> {
    let mut statement = conn.prepare(select!(StoredStream; " FROM streams WHERE decl = ?1"))?;
    let found = statement.query_map([decl::to_text(decl)?], stored)?.next();
    found.transpose()
}

/// The stored word of a kind of market.
pub(super) const fn kind_word(kind: MarketKind) -> &'static str {
    match kind {
        MarketKind::Spot => "spot",
        MarketKind::Perpetual => "perpetual",
        MarketKind::DatedFuture => "dated_future",
    }
}

fn kind_of(word: &str) -> Inner<MarketKind> {
    [MarketKind::Spot, MarketKind::Perpetual, MarketKind::DatedFuture]
        .into_iter()
        .find(|k| kind_word(*k) == word)
        .ok_or_else(|| SqlFault::Damaged(format!("'{word}' is no kind of market")))
}

/// Id of an instrument, stored on first sight. What is stored and what is said must agree; an expiry may be learnt.
pub(super) fn ensure_instrument(conn: &Connection, instrument: &Instrument) -> Inner<i64> {
    let name = instrument.name.to_string();
    let find = || {
        let sql = "SELECT instrument, kind, expiry FROM instruments WHERE name = ?1";
        conn.query_row(sql, [&name], |r| Ok((r.get(0)?, r.get(1)?, r.get(2)?))).optional()
    };
    let known: Option<(i64, String, Option<i64>)> = find_or_alone(conn, find)?;
    let expiry = instrument.expiry.map(|t| t.0);
    let Some((id, kind, known_expiry)) = known else {
        let (sql, row) = insert!(instruments or Then("RETURNING instrument") {
            name, kind: kind_word(instrument.kind), expiry, points_version: 0_i64,
        });
        let id = conn.query_row(sql, row, |r| r.get(0))?;
        super::originals::register(conn, id, instrument)?;
        return Ok(id);
    };
    if kind != kind_word(instrument.kind) {
        let now = kind_word(instrument.kind);
        return Err(SqlFault::Invalid(format!("'{name}' is stored as {kind}, not {now}; choose another data folder")));
    }
    match (known_expiry, instrument.expiry) {
        (Some(old), Some(new)) if old != new.0 => Err(SqlFault::Invalid(format!(
            "'{name}' is stored as expiring {}, not {new}; choose another data folder",
            Ts(old)
        ))),
        (None, Some(_)) if alone(conn)? => ensure_instrument(conn, instrument),
        (None, Some(new)) => {
            conn.execute("UPDATE instruments SET expiry = ?2 WHERE instrument = ?1", params![id, new.0])?;
            Ok(id)
        }
        _ => Ok(id),
    }
}

/// A stream, stored on first sight.
pub(super) fn ensure(conn: &Connection, instrument: i64, decl: &StreamDecl) -> Inner<Stored> {
    if let Some(found) = find_or_alone(conn, || find(conn, decl))? {
        return Ok(found);
    }
    let (sql, row) = insert!(streams or Fail {
        instrument, source: &decl.source, metric: decl.metric.name(), cadence: decl.cadence.0, delay: decl.delay.0,
        decl: decl::to_text(decl)?, points: 0_i64, first_event: i64::MAX, newest_event: i64::MIN,
        newest_known: i64::MIN, lag_min: i64::MAX, digest: 0_i64,
    });
    conn.execute(sql, row)?;
    super::originals::streamed(conn, instrument, decl)?;
    find(conn, decl)?.ok_or_else(|| SqlFault::Damaged(format!("'{}' vanished", decl.label())))
}

/// Every instrument: id, what it is, version of its points.
pub(super) fn instruments(conn: &Connection) -> Inner<Vec<(Instrument, i64)>> {
    let mut statement = conn.prepare("SELECT name, kind, expiry, points_version FROM instruments")?;
    let mut rows = statement.query(NONE)?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        let name: String = row.get(0)?;
        let kind: String = row.get(1)?;
        let expiry: Option<i64> = row.get(2)?;
        let name = InstrumentName::parse(&name).map_err(|e| SqlFault::Damaged(e.to_string()))?;
        found.push((Instrument { name, kind: kind_of(&kind)?, expiry: expiry.map(Ts) }, row.get(3)?));
    }
    found.sort_by(|a, b| a.0.name.cmp(&b.0.name));
    Ok(found)
}

/// Sum of the digests of a stream's points. SQLite's own addition would overflow into a float.
pub(super) fn digest(conn: &Connection, stream: i64) -> Inner<i64> {
    conn.query_row("SELECT digest FROM streams WHERE stream = ?1", [stream], |r| r.get(0))
}

/// Says anew what follows from all points of a stream except their number and digest: some are gone or known earlier.
pub(super) fn refigure(conn: &Connection, stream: &Stored) -> Inner<()> {
    let mut statement = conn.prepare(
        "SELECT min(event_ts), max(coalesce(known_ts, event_ts + ?2)), min(coalesce(known_ts - event_ts, ?2))
         FROM points WHERE stream = ?1",
    )?;
    let (first, known, lag): (Option<i64>, Option<i64>, Option<i64>) =
        statement.query_row([stream.id, stream.decl.delay.0], |r| Ok((r.get(0)?, r.get(1)?, r.get(2)?)))?;
    let (mut first, mut known) = (first.map_or(Ts::MAX, Ts), known.map_or(Ts::MIN, Ts));
    let mut lag = lag.unwrap_or(i64::MAX);
    let mut live = Scan::by_event(conn, stream, Ts::MIN, Ts::MAX)?;
    while let Some(fact) = live.next(conn)? {
        first = first.min(fact.event.event_ts);
        known = known.max(fact.event.recv_ts);
        lag = lag.min(fact.event.recv_ts.0.saturating_sub(fact.event.event_ts.0));
    }
    conn.prepare("UPDATE streams SET first_event = ?2, newest_known = ?3, lag_min = ?4 WHERE stream = ?1")?
        .execute([stream.id, first.0, known.0, lag])?;
    Ok(())
}
