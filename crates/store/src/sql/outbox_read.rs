//! The outbox, read: for the dispatcher that starts, for people who ask, and for the check.

use super::asked::{Asked as _, asked, select};
use super::db::{Connection, DbRow, NONE, Optional, params};
use super::fault::{Inner, SqlFault};
use super::outbox::{market, newest, print};
use crate::{DeliveryPlace, DeliveryQuery, EndpointCount, Firing, MessageLog, Outgoing, Sent};
use barograph_domain::Ts;
use barograph_domain::delivery::{Attempt, Delivery, DeliveryState, EndpointState, Message};
use std::collections::BTreeMap;

/// Messages looked at by the check in one question.
const CHECKED_AT_ONCE: i64 = 1000;

asked! {
    /// A message.
    struct StoredMessage {
        message: String, fingerprint: String, known_ts: Ts, body: String,
    }
}

asked! {
    /// A delivery of it.
    struct StoredDelivery {
        endpoint: String, state: String, via: Option<String>, reason: String, deliver_until: Ts, attempts: i64,
        next_try: Ts, ended_ts: Option<Ts>,
    }
}

/// Where a delivery stands behind its message.
const DELIVERY: usize = StoredMessage::COLUMNS.len();

fn message(row: DbRow<'_>) -> Inner<Message> {
    let StoredMessage { message: id, fingerprint, known_ts, body } = StoredMessage::read(row)?;
    let notice = serde_json::from_str(&body)
        .map_err(|e| SqlFault::Damaged(format!("the message '{id}' cannot be read: {e}")))?;
    Ok(Message { id, fingerprint, known_at: known_ts, notice })
}

fn count(n: i64) -> u32 {
    u32::try_from(n).unwrap_or(u32::MAX)
}

/// The delivery of a message, where there is one.
fn delivery(row: DbRow<'_>, id: &str) -> Inner<Option<Delivery>> {
    if row.get::<Option<String>>(DELIVERY)?.is_none() {
        return Ok(None);
    }
    let d = StoredDelivery::read_from(DELIVERY, row)?;
    let state = DeliveryState::from_name(&d.state).ok_or_else(|| {
        SqlFault::Damaged(format!("the delivery of '{id}' to '{}' is '{}', which is no state", d.endpoint, d.state))
    })?;
    Ok(Some(Delivery {
        endpoint: d.endpoint,
        message: id.to_owned(),
        state,
        via: d.via,
        reason: d.reason,
        deliver_until: d.deliver_until,
        attempts: count(d.attempts),
        next_try: d.next_try,
        ended_at: d.ended_ts,
    }))
}

/// Rows of the same message one after another become one.
fn gather(rows: &mut super::db::Rows<'_>) -> Inner<Vec<Outgoing>> {
    let mut found: Vec<Outgoing> = Vec::new();
    while let Some(row) = rows.next()? {
        let id: String = row.get(0)?;
        let delivery = delivery(row, &id)?;
        match found.last_mut().filter(|o| o.message.id == id) {
            Some(known) => known.deliveries.extend(delivery),
            None => found.push(Outgoing { message: message(row)?, deliveries: delivery.into_iter().collect() }),
        }
    }
    Ok(found)
}

/// See [`crate::OutboxStore::unfinished`] and [`crate::OutboxStore::unfinished_after`].
pub(super) fn unfinished(conn: &Connection, after: Option<&Message>, limit: usize) -> Inner<Vec<Outgoing>> {
    let mut statement = conn.prepare(select!(
        StoredMessage of "m", StoredDelivery of "d";
        " FROM messages m JOIN deliveries d ON d.message = m.message AND d.ended_ts IS NULL
         WHERE m.message IN (
            SELECT u.message FROM deliveries o JOIN messages u ON u.message = o.message WHERE o.ended_ts IS NULL
                AND (u.known_ts, u.revision, u.message) > (?2, ?3, ?4)
            GROUP BY u.message, u.known_ts, u.revision ORDER BY u.known_ts, u.revision, u.message LIMIT ?1)
         ORDER BY m.known_ts, m.revision, m.message, d.endpoint"
    ))?;
    let place = after.map_or((Ts::MIN.0, -1, ""), |m| (m.known_at.0, i64::from(m.notice.revision), m.id.as_str()));
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    gather(&mut statement.query(params![limit, place.0, place.1, place.2])?)
}

/// See [`crate::OutboxStore::last_sign`].
pub(super) fn last_sign(conn: &Connection) -> Inner<Option<Ts>> {
    let tried: Option<i64> =
        conn.query_row("SELECT max(at_ts) FROM attempts", NONE, |r| r.get(0)).optional()?.flatten();
    Ok(newest(conn)?.max(tried.map(Ts)))
}

/// See [`crate::OutboxStore::recent`].
pub(super) fn recent(conn: &Connection, since: Ts) -> Inner<Vec<Outgoing>> {
    let mut statement = conn.prepare(select!(
        StoredMessage of "m", StoredDelivery of "d";
        " FROM messages m LEFT JOIN deliveries d ON d.message = m.message WHERE m.known_ts >= ?1
         ORDER BY m.known_ts, m.revision, m.message, d.endpoint"
    ))?;
    gather(&mut statement.query([since.0])?)
}

/// One message with all its deliveries.
pub(super) fn one(conn: &Connection, id: &str) -> Inner<Option<Outgoing>> {
    let mut statement = conn.prepare(select!(
        StoredMessage of "m", StoredDelivery of "d";
        " FROM messages m LEFT JOIN deliveries d ON d.message = m.message WHERE m.message = ?1 ORDER BY d.endpoint"
    ))?;
    Ok(gather(&mut statement.query(params![id])?)?.pop())
}

asked! {
    /// A try of a delivery.
    struct StoredAttempt {
        endpoint: String, at_ts: Ts, status: Option<i64>, latency_ms: i64, outcome: String, excerpt: String,
    }
}

/// See [`crate::OutboxReader::message`].
pub(super) fn log(conn: &Connection, id: &str) -> Inner<Option<MessageLog>> {
    let Some(outgoing) = one(conn, id)? else { return Ok(None) };
    let mut statement =
        conn.prepare(select!(StoredAttempt; " FROM attempts WHERE message = ?1 ORDER BY at_ts, endpoint"))?;
    let attempt = |r: DbRow<'_>| {
        let StoredAttempt { endpoint, at_ts, status, latency_ms, outcome, excerpt } = StoredAttempt::read(r)?;
        let status = status.and_then(|s| u16::try_from(s).ok());
        let message = id.to_owned();
        Ok(Attempt { endpoint, message, at: at_ts, status, latency_ms: count(latency_ms), outcome, excerpt })
    };
    let attempts = statement.query_map(params![id], attempt)?.collect::<Inner<_>>()?;
    Ok(Some(MessageLog { outgoing, attempts }))
}

/// See [`crate::OutboxStore::firing`]. Nobody waits for the end of a sample.
pub(super) fn firing(conn: &Connection) -> Inner<Vec<Firing>> {
    let mut statement = conn.prepare(select!(
        StoredMessage of "m";
        " FROM messages m
         WHERE m.phase = 'firing' AND m.kind <> 'sample' AND NOT EXISTS (
            SELECT 1 FROM messages n WHERE n.fingerprint = m.fingerprint
                AND (n.known_ts, n.revision, n.message) > (m.known_ts, m.revision, m.message))
         ORDER BY m.known_ts, m.revision, m.message"
    ))?;
    let newest = statement.query_map(NONE, message)?.collect::<Inner<Vec<_>>>()?;
    let mut told = conn.prepare(
        "SELECT DISTINCT d.endpoint FROM messages m JOIN deliveries d ON d.message = m.message
         WHERE m.fingerprint = ?1 AND m.known_ts >= ?2 AND d.state = 'delivered' ORDER BY d.endpoint",
    )?;
    newest
        .into_iter()
        .map(|message| {
            let since = params![&message.fingerprint, message.notice.opened_at.0];
            let told = told.query_map(since, |r| r.get(0))?.collect::<Inner<_>>()?;
            Ok(Firing { message, told })
        })
        .collect()
}

/// See [`crate::OutboxReader::groups`].
pub(super) fn groups(conn: &Connection, since: Ts, as_of: Option<Ts>) -> Inner<Vec<Message>> {
    let mut statement = conn.prepare(select!(
        StoredMessage of "m";
        " FROM messages m
         WHERE m.kind = 'group' AND m.known_ts <= ?2 AND (m.known_ts >= ?1 OR m.phase = 'firing') AND NOT EXISTS (
            SELECT 1 FROM messages n WHERE n.fingerprint = m.fingerprint AND n.known_ts <= ?2
                AND (n.known_ts, n.revision, n.message) > (m.known_ts, m.revision, m.message))
         ORDER BY m.known_ts DESC, m.revision DESC, m.message DESC"
    ))?;
    statement.query_map([since.0, as_of.unwrap_or(Ts::MAX).0], message)?.collect()
}

/// See [`crate::OutboxReader::deliveries`].
pub(super) fn deliveries(conn: &Connection, query: &DeliveryQuery) -> Inner<Vec<Sent>> {
    let end = |at: Ts| DeliveryPlace { known_at: at, message: String::new(), endpoint: String::new() };
    let before = query.before.clone().unwrap_or_else(|| end(Ts::MAX));
    let after = query.after.clone().unwrap_or_else(|| end(Ts::MIN));
    let mut statement = conn.prepare(select!(
        StoredMessage of "m", StoredDelivery of "d";
        " FROM deliveries d JOIN messages m ON m.message = d.message
         WHERE (?1 = '' OR d.state = ?1) AND (?2 = '' OR d.endpoint = ?2) AND (?3 = '' OR m.instrument = ?3)
            AND (?4 = '' OR m.kind = ?4) AND d.known_ts <= ?5
            AND (d.known_ts, d.message, d.endpoint) < (?6, ?7, ?8)
            AND (d.known_ts, d.message, d.endpoint) > (?9, ?10, ?11)
         ORDER BY d.known_ts DESC, d.message DESC, d.endpoint DESC LIMIT ?12"
    ))?;
    let mut rows = statement.query(params![
        query.state.map_or("", DeliveryState::name),
        query.endpoint.clone().unwrap_or_default(),
        query.instrument.as_ref().map(ToString::to_string).unwrap_or_default(),
        query.kind.map_or("", |k| k.name()),
        query.as_of.unwrap_or(Ts::MAX).0,
        before.known_at.0,
        &before.message,
        &before.endpoint,
        after.known_at.0,
        &after.message,
        &after.endpoint,
        i64::try_from(query.limit).unwrap_or(i64::MAX)
    ])?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        let message = message(row)?;
        if let Some(delivery) = delivery(row, &message.id)? {
            found.push(Sent { delivery, message });
        }
    }
    Ok(found)
}

/// See [`crate::OutboxReader::delivered_counts`].
pub(super) fn counts(conn: &Connection, since: Ts) -> Inner<Vec<EndpointCount>> {
    let mut all: BTreeMap<String, EndpointCount> = BTreeMap::new();
    fn of(all: &mut BTreeMap<String, EndpointCount>, endpoint: String) -> &mut EndpointCount {
        all.entry(endpoint.clone()).or_insert_with(|| EndpointCount { endpoint, ..EndpointCount::default() })
    }
    let mut statement = conn.prepare(
        "SELECT endpoint, sum(CASE WHEN ended_ts IS NULL THEN 1 ELSE 0 END) FROM deliveries GROUP BY endpoint",
    )?;
    let mut rows = statement.query(NONE)?;
    while let Some(row) = rows.next()? {
        of(&mut all, row.get(0)?).waiting = row.get::<i64>(1)?.unsigned_abs();
    }
    let mut held = conn.prepare(
        "SELECT endpoint, count(*) FROM deliveries WHERE state = 'held_back' AND ended_ts >= ?1 GROUP BY endpoint",
    )?;
    let mut rows = held.query([since.0])?;
    while let Some(row) = rows.next()? {
        of(&mut all, row.get(0)?).held_back = row.get::<i64>(1)?.unsigned_abs();
    }
    let mut statement = conn.prepare(
        "SELECT endpoint, latency_ms, count(*) FROM attempts WHERE at_ts >= ?1 AND outcome = 'delivered'
         GROUP BY endpoint, latency_ms ORDER BY endpoint, latency_ms",
    )?;
    let mut latencies: BTreeMap<String, Vec<(u32, u64)>> = BTreeMap::new();
    let mut rows = statement.query([since.0])?;
    while let Some(row) = rows.next()? {
        latencies.entry(row.get(0)?).or_default().push((count(row.get(1)?), row.get::<i64>(2)?.unsigned_abs()));
    }
    for (endpoint, list) in latencies {
        let one = of(&mut all, endpoint);
        one.delivered = list.iter().map(|(_, n)| n).sum();
        one.latency_ms_p50 = rank(&list, one.delivered, 50);
        one.latency_ms_p99 = rank(&list, one.delivered, 99);
    }
    Ok(all.into_values().collect())
}

/// The smallest latency that so many of a hundred do not exceed (nearest rank).
fn rank(ascending: &[(u32, u64)], total: u64, percent: u64) -> Option<u32> {
    let wanted = (total * percent).div_ceil(100);
    let mut seen = 0;
    ascending.iter().find_map(|(latency, n)| {
        seen += n;
        (seen >= wanted).then_some(*latency)
    })
}

asked! {
    /// What is known of an endpoint.
    struct StoredState {
        endpoint: String, disabled: Option<String>, failing_since: Option<Ts>, learned: Option<String>,
    }
}

/// See [`crate::OutboxReader::endpoint_states`].
pub(super) fn endpoint_states(conn: &Connection) -> Inner<Vec<EndpointState>> {
    let mut statement = conn.prepare(select!(StoredState; " FROM endpoint_states ORDER BY endpoint"))?;
    let state = |r: DbRow<'_>| {
        let StoredState { endpoint, disabled, failing_since, learned } = StoredState::read(r)?;
        Ok(EndpointState { endpoint, disabled, failing_since, learned, ..EndpointState::default() })
    };
    statement.query_map(NONE, state)?.collect()
}

/// Is every message what was written, does every delivery say what can be? Numbers of both.
pub(super) fn check(conn: &Connection) -> Inner<(u64, u64)> {
    let mut messages = 0;
    let mut last = String::new();
    loop {
        let mut statement = conn.prepare(select!(
            StoredMessage, Beside;
            " FROM messages WHERE message > ?1 ORDER BY message LIMIT ?2"
        ))?;
        let mut rows = statement.query(params![&last, CHECKED_AT_ONCE])?;
        let mut some = false;
        while let Some(row) = rows.next()? {
            last = one_sound(row)?;
            messages += 1;
            some = true;
        }
        if !some {
            break;
        }
    }
    let strange: i64 = conn.query_row(
        "SELECT count(*) FROM deliveries d LEFT JOIN messages m ON m.message = d.message
         WHERE m.message IS NULL OR m.known_ts <> d.known_ts
            OR d.state NOT IN ('waiting', 'grouped', 'delivered', 'superseded', 'held_back', 'expired', 'dead')
            OR (d.state IN ('waiting', 'grouped')) <> (d.ended_ts IS NULL) OR (d.state = 'grouped' AND d.via IS NULL)",
        NONE,
        |r| r.get(0),
    )?;
    let stray: i64 = conn.query_row(
        "SELECT count(*) FROM attempts a LEFT JOIN messages m ON m.message = a.message WHERE m.message IS NULL",
        NONE,
        |r| r.get(0),
    )?;
    if strange + stray > 0 {
        return Err(SqlFault::Damaged(format!(
            "deliveries that say what cannot be: {strange}; tries that belong to no message: {stray}"
        )));
    }
    let deliveries: i64 = conn.query_row("SELECT count(*) FROM deliveries", NONE, |r| r.get(0))?;
    Ok((messages, deliveries.unsigned_abs()))
}

asked! {
    /// What stands beside a message and follows from it.
    struct Beside {
        digest: i64, kind: String, phase: String, instrument: String, revision: i64,
    }
}

/// The id of a message that is what was written.
fn one_sound(row: DbRow<'_>) -> Inner<String> {
    let found = message(row)?;
    let beside = Beside::read_from(StoredMessage::COLUMNS.len(), row)?;
    let digest = print(&found.id, &found.fingerprint, found.known_at.0, &StoredMessage::read(row)?.body);
    if beside.digest != digest {
        return Err(SqlFault::Damaged(format!("the message '{}' is not what was written", found.id)));
    }
    let notice = &found.notice;
    let same = beside.kind == notice.kind.name()
        && beside.phase == notice.phase.name()
        && beside.instrument == market(&found)
        && beside.revision == i64::from(notice.revision);
    if !same {
        return Err(SqlFault::Damaged(format!("the message '{}' has other words beside it than in it", found.id)));
    }
    Ok(found.id)
}

#[cfg(test)]
mod tests {
    use super::rank;

    #[test]
    fn percentiles_are_of_the_nearest_rank() {
        let hundred: Vec<(u32, u64)> = (1..=100).map(|n| (n, 1)).collect();
        for (list, want) in [
            (vec![], (None, None)),
            (vec![(7, 1)], (Some(7), Some(7))),
            (vec![(1, 1), (9, 1)], (Some(1), Some(9))),
            (vec![(1, 99), (9, 1)], (Some(1), Some(1))),
            (vec![(1, 98), (9, 2)], (Some(1), Some(9))),
            (hundred, (Some(50), Some(99))),
        ] {
            let total = list.iter().map(|(_, n)| n).sum();
            assert_eq!((rank(&list, total, 50), rank(&list, total, 99)), want, "{list:?}");
        }
    }
}
