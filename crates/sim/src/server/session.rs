//! What a client says on a Binance socket, and what the venue answers.
//!
//! The acknowledgement proves nothing: wrong tiers, unknown or upper-case symbols and invented names are accepted and
//! stay silent, as measured on the venue.

use crate::Venue;
use crate::server::core::ServerCore;
use crate::server::{coinbase, coinex, streams};
use serde_json::Value;

/// Streams per connection; one more is an error and the end of the connection.
pub(crate) const STREAMS_MAX: usize = 1_024;

/// Subscribes to names; true when there was room for all of them.
pub(crate) fn subscribe(core: &mut ServerCore, slot: usize, id: u64, names: &[String]) -> bool {
    for name in names {
        let Some(conn) = core.hub.conn(slot, id) else { return true };
        if conn.names.contains(name) {
            continue;
        }
        if conn.names.len() >= STREAMS_MAX {
            return false;
        }
        conn.names.push(name.clone());
        let (venue, tier, envelope) = (conn.venue, conn.tier, conn.envelope);
        if let Some(wanted) = streams::binance(venue, tier, name) {
            core.hub.want(slot, venue, name, envelope, wanted);
        }
    }
    true
}

fn unsubscribe(core: &mut ServerCore, slot: usize, id: u64, names: &[String]) {
    for name in names {
        let Some(conn) = core.hub.conn(slot, id) else { return };
        let held = conn.names.len();
        conn.names.retain(|n| n != name);
        let (venue, tier) = (conn.venue, conn.tier);
        if conn.names.len() < held
            && let Some(wanted) = streams::binance(venue, tier, name)
        {
            core.hub.unwant(slot, venue, &wanted);
        }
    }
}

/// A text message of a client.
pub(crate) fn request(core: &mut ServerCore, slot: usize, id: u64, text: &[u8]) {
    let now = core.now();
    let Some(conn) = core.hub.conn(slot, id) else { return };
    if conn.ended || conn.silent {
        return;
    }
    let allowed = conn.allow(now);
    if conn.venue == Venue::Coinex {
        coinex::request(core, slot, id, text, allowed);
        core.hub.flush();
        return;
    }
    if !allowed {
        conn.close(1008, "Too many requests");
        return;
    }
    if conn.venue == Venue::Coinbase {
        coinbase::request(core, slot, id, text);
        core.hub.flush();
        return;
    }
    let answer = match serde_json::from_slice::<Value>(text) {
        Err(e) => error(3, &format!("Invalid JSON: {e}"), &Value::Null),
        Ok(message) => binance(core, slot, id, &message),
    };
    if let Some(conn) = core.hub.conn(slot, id) {
        conn.text(&[answer.as_bytes()]);
        if answer.contains("Too many subscriptions") {
            conn.close(1008, "Invalid request");
        }
    }
    core.hub.flush();
}

fn binance(core: &mut ServerCore, slot: usize, id: u64, message: &Value) -> String {
    let request_id = message.get("id").unwrap_or(&Value::Null);
    let done = || format!("{{\"result\":null,\"id\":{request_id}}}");
    let malformed = |why: &str| error(2, &format!("Invalid request: {why}"), request_id);
    let method = message.get("method").and_then(Value::as_str).unwrap_or_default();
    let params = message.get("params").and_then(Value::as_array);
    let names: Option<Vec<String>> = params.map(|p| p.iter().filter_map(Value::as_str).map(str::to_owned).collect());
    match (method, names) {
        ("SUBSCRIBE", Some(names)) if !names.is_empty() => {
            let room = subscribe(core, slot, id, &names);
            if room { done() } else { error(4, "Too many subscriptions", request_id) }
        }
        ("UNSUBSCRIBE", Some(names)) => {
            unsubscribe(core, slot, id, &names);
            done()
        }
        ("LIST_SUBSCRIPTIONS", _) => {
            let names = core.hub.conn(slot, id).map(|c| c.names.clone()).unwrap_or_default();
            format!("{{\"result\":{},\"id\":{request_id}}}", Value::from(names))
        }
        ("SET_PROPERTY" | "GET_PROPERTY", _) => property(core, slot, id, method, message),
        ("SUBSCRIBE" | "UNSUBSCRIBE", _) => malformed("params must be an array of stream names"),
        _ => malformed("unknown method"),
    }
}

fn property(core: &mut ServerCore, slot: usize, id: u64, method: &str, message: &Value) -> String {
    let request_id = message.get("id").unwrap_or(&Value::Null);
    let Some(conn) = core.hub.conn(slot, id) else { return String::new() };
    if method == "GET_PROPERTY" {
        return format!("{{\"result\":{},\"id\":{request_id}}}", conn.envelope);
    }
    let Some(combined) = message.pointer("/params/1").and_then(Value::as_bool) else {
        return error(2, "Invalid request: params must be [\"combined\", true or false]", request_id);
    };
    conn.envelope = combined;
    let names = conn.names.clone();
    unsubscribe(core, slot, id, &names);
    subscribe(core, slot, id, &names);
    format!("{{\"result\":null,\"id\":{request_id}}}")
}

fn error(code: u8, text: &str, request_id: &Value) -> String {
    format!("{{\"error\":{{\"code\":{code},\"msg\":{}}},\"id\":{request_id}}}", Value::from(text))
}
