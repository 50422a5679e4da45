//! What a client asks on the CoinEx socket, and what the venue answers.
//!
//! Answers go the way of data, so that they can be lost and be late as data can.

use crate::Venue;
use crate::server::conn::ClientConn;
use crate::server::core::ServerCore;
use crate::server::depths::depth_of;
use crate::server::streams::{Stream, SubscribedName};
use crate::wire::coinex as wire;
use crate::wire::usdm_rest::list;
use crate::world::market::TradedMarket;
use serde_json::Value;

const VENUE: Venue = Venue::Coinex;
/// Deals in the first message of a subscription.
const DEALS_FIRST: usize = 100;
/// Name of a subscription to the states of all markets.
const ALL: &str = "*";

/// A refusal: code and words (sheet section 3).
type Refused = (u32, &'static str);

const MALFORMED: Refused = (20_001, "invalid argument");
const UNKNOWN: Refused = (20_002, "unknown method");
const TOO_FREQUENT: Refused = (23_002, "request too frequent");

/// A text message of a client.
pub(crate) fn request(core: &mut ServerCore, slot: usize, id: u64, text: &[u8], allowed: bool) {
    let message = serde_json::from_slice::<Value>(text).unwrap_or(Value::Null);
    let number = message.get("id").filter(|n| n.is_number()).unwrap_or(&Value::Null).to_string();
    let method = message.get("method").and_then(Value::as_str).unwrap_or_default();
    let (now, skew_ms) = (core.now(), core.hub.skew_ms(VENUE));
    if let Some(conn) = core.hub.conn(slot, id) {
        conn.heard = now;
    }
    let mut begun = Vec::new();
    let done = match method {
        _ if !allowed => Err(TOO_FREQUENT),
        _ if let Some(code) = core.refuse_request(VENUE, id, method) => Err((code, "refused")),
        "server.ping" => Ok("{\"result\":\"pong\"}".to_owned()),
        "server.time" => Ok(format!("{{\"timestamp\":{}}}", now.as_millis() + skew_ms)),
        _ => subscription(core, slot, id, method, &message, &mut begun).map(|()| String::new()),
    };
    let ((code, words), data) = match done {
        Ok(data) => ((0, "OK"), data),
        Err(refused) => (refused, String::new()),
    };
    core.hub.to(slot, id, "answer", None, |t| wire::answered(t, &number, code, words, &data));
    for (topic, subscribed) in begun {
        begin(core, slot, id, topic, &subscribed);
    }
}

/// One market of a request, or all of them.
#[derive(Clone, PartialEq, Eq, Debug)]
struct Subscribed {
    market: String,
    stream: Option<Stream>,
}

/// Subscribes or unsubscribes; what is new goes into `begun`. A request with one bad market does nothing.
fn subscription(
    core: &mut ServerCore,
    slot: usize,
    id: u64,
    method: &str,
    message: &Value,
    begun: &mut Vec<(&'static str, Subscribed)>,
) -> Result<(), Refused> {
    let (topic, verb) = method.split_once('.').ok_or(UNKNOWN)?;
    let topic = ["depth", "deals", "bbo", "state"].into_iter().find(|t| *t == topic).ok_or(UNKNOWN)?;
    let names = message.pointer("/params/market_list").and_then(Value::as_array).ok_or(MALFORMED)?;
    let mut wanted = names.iter().map(|name| one(core, topic, name)).collect::<Result<Vec<_>, _>>()?;
    if wanted.is_empty() {
        wanted = all(core, topic)?;
    }
    let Some(conn) = core.hub.conn(slot, id) else { return Ok(()) };
    let place = conn.channels.iter().position(|(t, _)| t == topic).unwrap_or_else(|| {
        conn.channels.push((topic.to_owned(), Vec::new()));
        conn.channels.len() - 1
    });
    let held = &mut conn.channels[place].1;
    match verb {
        "subscribe" => {
            wanted.retain(|w| !held.contains(&w.market));
            held.extend(wanted.iter().map(|w| w.market.clone()));
            begun.extend(wanted.into_iter().map(|w| (topic, w)));
        }
        "unsubscribe" => {
            held.retain(|name| !wanted.iter().any(|w| w.market == *name));
            for Subscribed { market, stream } in wanted {
                if let Some(stream) = stream {
                    core.hub.unwant(slot, VENUE, &SubscribedName::One(market.to_lowercase(), stream));
                }
            }
        }
        _ => return Err(UNKNOWN),
    }
    Ok(())
}

/// A market of a list, which has to exist.
fn one(core: &ServerCore, topic: &str, name: &Value) -> Result<Subscribed, Refused> {
    let (market, stream) = match topic {
        "depth" => {
            let parts = name.as_array().map(Vec::as_slice).ok_or(MALFORMED)?;
            let [market, depth, merged, whole] = parts else { return Err(MALFORMED) };
            let depth = depth.as_i64().and_then(depth_of).ok_or(MALFORMED)?;
            // Prices that are merged are not served.
            let whole = whole.as_bool().filter(|_| merged == "0").ok_or(MALFORMED)?;
            (market, Some(Stream::Window(depth, whole)))
        }
        "deals" => (name, Some(Stream::Deals)),
        "bbo" => (name, Some(Stream::Best)),
        _ => (name, None),
    };
    let market = market.as_str().and_then(|m| core.market(VENUE, m)).ok_or(MALFORMED)?;
    Ok(Subscribed { market: market.spec.symbol.clone(), stream })
}

/// An empty list: all markets, of the topics that allow it.
fn all(core: &ServerCore, topic: &str) -> Result<Vec<Subscribed>, Refused> {
    let markets = core.world.markets.iter().filter(|m| m.spec.venue == VENUE);
    match topic {
        "state" => Ok(vec![Subscribed { market: ALL.to_owned(), stream: None }]),
        "deals" => {
            Ok(markets.map(|m| Subscribed { market: m.spec.symbol.clone(), stream: Some(Stream::Deals) }).collect())
        }
        _ => Err(MALFORMED),
    }
}

/// Begins to deliver what was subscribed, with what comes first.
fn begin(core: &mut ServerCore, slot: usize, id: u64, topic: &'static str, subscribed: &Subscribed) {
    let now_ms = core.now().as_millis();
    let ServerCore { hub, world, .. } = core;
    let name = format!("{topic}:{}", subscribed.market);
    let found = hub.market(VENUE, &subscribed.market).filter(|n| !world.markets[*n].is_history());
    let (Some(stream), Some(number)) = (subscribed.stream, found) else { return };
    let market = &world.markets[number];
    let (spec, symbol) = (&market.spec, Some(market.spec.symbol.as_str()));
    match stream {
        Stream::Window(depth, _) => {
            let window = hub.begin_depth(number, market, depth);
            hub.to(slot, id, &name, symbol, |t| {
                wire::pushed(t, topic, |t| wire::depth(t, market, &window, &window, true, now_ms));
            });
        }
        Stream::Deals => {
            if !hub.is_wanted(number, Stream::Deals) {
                hub.batch(number, market.aggregate_id());
            }
            let newest = market.trades.iter().rev().take(DEALS_FIRST);
            hub.to(slot, id, &name, symbol, |t| wire::deal_list(t, spec, newest));
        }
        _ => {
            if let Some(top) = market.book.top() {
                hub.to(slot, id, &name, symbol, |t| wire::best(t, spec, top, now_ms));
            }
        }
    }
    hub.want(slot, VENUE, &name, false, SubscribedName::One(spec.lower.clone(), stream));
}

/// States, each second: one message for each connection, and where all are wanted with a market that is none.
pub(crate) fn second(core: &mut ServerCore) {
    let ServerCore { hub, world, .. } = core;
    let states = |c: &ClientConn| c.channels.iter().find(|(topic, _)| topic == "state").map(|(_, held)| held.clone());
    let open = hub.conns.iter().enumerate().filter_map(|(slot, c)| c.as_ref().map(|c| (slot, c)));
    let wanted: Vec<(usize, u64, Vec<String>)> = open
        .filter(|(_, c)| c.venue == VENUE && !c.ended)
        .filter_map(|(slot, c)| states(c).filter(|held| !held.is_empty()).map(|held| (slot, c.id, held)))
        .collect();
    for (slot, id, held) in wanted {
        let all = held.iter().any(|name| name == ALL);
        let at_venue = world.markets.iter().filter(|m| m.spec.venue == VENUE && m.perp.is_some());
        let rows: Vec<&TradedMarket> = at_venue.filter(|m| all || held.contains(&m.spec.symbol)).collect();
        hub.to(slot, id, "state", None, |t| {
            wire::pushed(t, "state", |t| {
                t.s("{\"state_list\":");
                let none = rows.first().filter(|_| all).map(|m| (format!("{}_SIGNPRICE", m.spec.symbol), *m));
                let named = rows.iter().map(|m| (m.spec.symbol.clone(), *m)).chain(none);
                list(t, named, |t, (name, market)| wire::state(t, &name, market));
                t.s("}");
            });
        });
    }
}
