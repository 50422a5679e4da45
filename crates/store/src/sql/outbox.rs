//! The outbox, written: messages with the facts they report, what became of deliveries, and what is too old to keep.
//!
//! A delivery that has ended has a moment of its end, and nothing but a replay takes that away again; every change says so in
//! its condition, so that repeating a batch changes nothing. Messages carry a digest of themselves and never change.

use super::db::{Connection, Optional, params};
use super::digest;
use super::fault::{Inner, SqlFault};
use super::outbox_read;
use crate::schema::insert;
use crate::{DeliveryChange, Join, Outgoing, ReplayOutcome};
use barograph_domain::Ts;
use barograph_domain::delivery::{
    Attempt, DELIVER_FIRED_WITHIN, DELIVER_RESOLVED_WITHIN, Delivery, DeliveryState, EndpointState, Message, Phase,
};

/// Messages removed in one transaction: with their deliveries and tries a few milliseconds.
const PRUNED_AT_ONCE: i64 = 500;

/// Digest of a message: everything, because the other columns follow from the body.
pub(super) fn print(id: &str, fingerprint: &str, known_at: i64, body: &str) -> i64 {
    digest::of_texts(&[id, fingerprint, &known_at.to_string(), body])
}

/// Name of the market in the store; empty for a group of several.
pub(super) fn market(message: &Message) -> String {
    message.notice.instrument.as_ref().map(ToString::to_string).unwrap_or_default()
}

/// Stores messages with their deliveries. Handed back is what was not there: messages, each with the deliveries that are new.
pub(super) fn put_all(conn: &Connection, messages: &[Outgoing]) -> Inner<Vec<Outgoing>> {
    let mut new = Vec::new();
    for one in messages {
        let is_new = put(conn, &one.message)?;
        let mut deliveries = Vec::new();
        for delivery in &one.deliveries {
            if delivery.message != one.message.id {
                return Err(SqlFault::Invalid(format!(
                    "a delivery to '{}' is stored with message '{}' and names '{}'",
                    delivery.endpoint, one.message.id, delivery.message
                )));
            }
            if put_delivery(conn, delivery, one.message.known_at, is_new)? {
                deliveries.push(delivery.clone());
            }
        }
        if is_new || !deliveries.is_empty() {
            new.push(Outgoing { message: one.message.clone(), deliveries });
        }
    }
    Ok(new)
}

fn put(conn: &Connection, message: &Message) -> Inner<bool> {
    let notice = &message.notice;
    let body = serde_json::to_string(notice)
        .map_err(|e| SqlFault::Invalid(format!("message '{}' cannot be written: {e}", message.id)))?;
    let digest = print(&message.id, &message.fingerprint, message.known_at.0, &body);
    let (sql, row) = insert!(messages or Keep {
        message: &message.id, fingerprint: &message.fingerprint, kind: notice.kind.name(), phase: notice.phase.name(),
        instrument: market(message), revision: i64::from(notice.revision), known_ts: message.known_at.0, body, digest,
    });
    Ok(conn.execute(sql, row)? > 0)
}

/// Stores a delivery; whether it was not there. Of a new message none is there, so that no answer is waited for.
fn put_delivery(conn: &Connection, delivery: &Delivery, known_at: Ts, of_new: bool) -> Inner<bool> {
    if delivery.state.is_final() != delivery.ended_at.is_some() {
        return Err(SqlFault::Invalid(format!(
            "the delivery of '{}' to '{}' is {} and has {} moment of its end",
            delivery.message,
            delivery.endpoint,
            delivery.state.name(),
            if delivery.ended_at.is_some() { "a" } else { "no" }
        )));
    }
    let (sql, row) = insert!(deliveries or Keep {
        message: &delivery.message, endpoint: &delivery.endpoint, known_ts: known_at.0, state: delivery.state.name(),
        via: delivery.via.as_ref(), reason: &delivery.reason, deliver_until: delivery.deliver_until.0,
        attempts: i64::from(delivery.attempts), next_try: delivery.next_try.0,
        ended_ts: delivery.ended_at.map(|t| t.0),
    });
    if of_new { conn.send(sql, row).map(|()| true) } else { Ok(conn.execute(sql, row)? > 0) }
}

/// See [`crate::OutboxStore::enqueue`].
pub(super) fn enqueue(conn: &Connection, messages: &[Outgoing], joins: &[Join]) -> Inner<()> {
    put_all(conn, messages)?;
    for join in joins {
        conn.send(
            "UPDATE deliveries SET state = 'grouped', via = ?3 WHERE message = ?1 AND endpoint = ?2 AND ended_ts IS NULL",
            params![&join.message, &join.endpoint, &join.via],
        )?;
    }
    Ok(())
}

/// See [`crate::OutboxStore::record`].
pub(super) fn record(
    conn: &Connection,
    changes: &[DeliveryChange],
    attempts: &[Attempt],
    endpoints: &[EndpointState],
) -> Inner<()> {
    for attempt in attempts {
        put_attempt(conn, attempt)?;
    }
    for one in changes {
        if one.state == DeliveryState::Grouped {
            return Err(SqlFault::Invalid(format!(
                "message '{}' can only be enqueued to go with a group",
                one.message
            )));
        }
        change(conn, one)?;
    }
    for state in endpoints {
        put_endpoint(conn, state)?;
    }
    Ok(())
}

fn put_attempt(conn: &Connection, attempt: &Attempt) -> Inner<()> {
    let (sql, row) = insert!(attempts or Keep {
        message: &attempt.message, endpoint: &attempt.endpoint, at_ts: attempt.at.0,
        status: attempt.status.map(i64::from), latency_ms: i64::from(attempt.latency_ms), outcome: &attempt.outcome,
        excerpt: &attempt.excerpt,
    });
    conn.send(sql, row)
}

fn change(conn: &Connection, one: &DeliveryChange) -> Inner<()> {
    let ended = one.state.is_final().then_some(one.at.0);
    conn.send(
        "UPDATE deliveries SET state = ?3, reason = ?4, attempts = ?5, next_try = ?6, ended_ts = ?7, via = NULL
         WHERE message = ?1 AND endpoint = ?2 AND ended_ts IS NULL",
        params![
            &one.message,
            &one.endpoint,
            one.state.name(),
            &one.reason,
            i64::from(one.attempts),
            one.next_try.0,
            ended
        ],
    )?;
    let Some(ended) = ended else { return Ok(()) };
    // What went with it keeps the name of the group's message, which is where its tries are.
    conn.send(
        "UPDATE deliveries SET state = ?3, reason = ?4, ended_ts = ?5 WHERE via = ?1 AND endpoint = ?2 AND ended_ts IS NULL",
        params![&one.message, &one.endpoint, one.state.name(), &one.reason, ended],
    )
}

/// See [`crate::OutboxDesk::enable_endpoint`].
pub(super) fn enable_endpoint(conn: &Connection, name: &str) -> Inner<bool> {
    let changed = conn.execute(
        "UPDATE endpoint_states SET disabled = NULL, failing_since = NULL WHERE endpoint = ?1 AND disabled IS NOT NULL",
        params![name],
    )?;
    Ok(changed > 0)
}

fn put_endpoint(conn: &Connection, state: &EndpointState) -> Inner<()> {
    let (sql, row) = insert!(endpoint_states or Update {
        endpoint: &state.endpoint, disabled: state.disabled.as_ref(), failing_since: state.failing_since.map(|t| t.0),
        learned: state.learned.as_ref(),
    });
    conn.send(sql, row)
}

/// See [`crate::OutboxDesk::replay`].
pub(super) fn replay(conn: &Connection, endpoint: &str, message: &str, now: Ts) -> Inner<ReplayOutcome> {
    let Some(mut found) = outbox_read::one(conn, message)? else { return Ok(ReplayOutcome::Missing) };
    found.deliveries.retain(|d| d.endpoint == endpoint);
    let Some(delivery) = found.deliveries.first_mut() else { return Ok(ReplayOutcome::Missing) };
    match delivery.state {
        DeliveryState::Waiting | DeliveryState::Grouped => return Ok(ReplayOutcome::Unfinished),
        DeliveryState::Delivered => return Ok(ReplayOutcome::Delivered),
        DeliveryState::Superseded | DeliveryState::HeldBack | DeliveryState::Expired | DeliveryState::Dead => {}
    }
    let within = match found.message.notice.phase {
        Phase::Resolved => DELIVER_RESOLVED_WITHIN,
        Phase::Firing | Phase::NoData | Phase::Happened => DELIVER_FIRED_WITHIN,
    };
    *delivery = Delivery {
        state: DeliveryState::Waiting,
        via: None,
        reason: String::new(),
        deliver_until: delivery.deliver_until.max(now + within),
        attempts: 0,
        next_try: now,
        ended_at: None,
        ..delivery.clone()
    };
    conn.execute(
        "UPDATE deliveries SET state = 'waiting', via = NULL, reason = '', deliver_until = ?3, attempts = 0, next_try = ?4,
            ended_ts = NULL
         WHERE message = ?1 AND endpoint = ?2",
        params![message, endpoint, delivery.deliver_until.0, now.0],
    )?;
    Ok(ReplayOutcome::Waits(Box::new(found)))
}

/// When the newest message was known.
pub(super) fn newest(conn: &Connection) -> Inner<Option<Ts>> {
    let newest: Option<i64> =
        conn.query_row("SELECT max(known_ts) FROM messages", super::db::NONE, |r| r.get(0)).optional()?.flatten();
    Ok(newest.map(Ts))
}

/// Removes some messages known before `oldest` all of whose deliveries have ended; how many.
pub(super) fn prune_some(conn: &Connection, oldest: Ts) -> Inner<u64> {
    let mut statement = conn.prepare(
        "SELECT m.message FROM messages m WHERE m.known_ts < ?1
            AND NOT EXISTS (SELECT 1 FROM deliveries d WHERE d.message = m.message AND d.ended_ts IS NULL)
         ORDER BY m.known_ts, m.message LIMIT ?2",
    )?;
    let ids = statement.query_map([oldest.0, PRUNED_AT_ONCE], |r| r.get::<String>(0))?.collect::<Inner<Vec<_>>>()?;
    for id in &ids {
        // Another connection may have one of them sent again just now: that one stays, and its message with it.
        conn.send("DELETE FROM deliveries WHERE message = ?1 AND ended_ts IS NOT NULL", params![id])?;
        conn.send(
            "DELETE FROM attempts WHERE message = ?1 AND NOT EXISTS (SELECT 1 FROM deliveries WHERE message = ?1)",
            params![id],
        )?;
        conn.send(
            "DELETE FROM messages WHERE message = ?1 AND NOT EXISTS (SELECT 1 FROM deliveries WHERE message = ?1)",
            params![id],
        )?;
    }
    Ok(ids.len() as u64)
}
