//! What a client says on the Coinbase socket, and what the venue answers.

use crate::Venue;
use crate::server::core::ServerCore;
use crate::server::publish::five_minutes;
use crate::server::streams::{Stream, SubscribedName};
use crate::wire::coinbase as wire;
use serde_json::Value;

/// Level-2 products of one connection at the same time.
pub(crate) const LEVEL2_MAX: usize = 30;
/// Trades in the first message of `market_trades`.
const TRADES_FIRST: usize = 100;
/// Candles in the first message of `candles`.
const CANDLES_FIRST: usize = 12;

/// A text message of a client.
pub(crate) fn request(core: &mut ServerCore, slot: usize, id: u64, text: &[u8]) {
    let Ok(message) = serde_json::from_slice::<Value>(text) else {
        return error(core, slot, id, "invalid JSON");
    };
    let field = |name: &str| message.get(name).and_then(Value::as_str).unwrap_or_default();
    let (kind, channel) = (field("type"), field("channel"));
    let products = message.get("product_ids").and_then(Value::as_array);
    let products: Vec<String> = products.into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect();
    match kind {
        "subscribe" | "unsubscribe" if !known(channel) => error(core, slot, id, "channel is not recognized"),
        "subscribe" => subscribe(core, slot, id, channel, &products),
        "unsubscribe" => {
            unsubscribe(core, slot, id, channel, &products);
            acknowledge(core, slot, id);
        }
        _ => error(core, slot, id, "message type is not recognized"),
    }
}

fn known(channel: &str) -> bool {
    channel == "heartbeats" || channel == "status" || stream(channel).is_some()
}

fn stream(channel: &str) -> Option<Stream> {
    Some(match channel {
        "level2" => Stream::Level2,
        "market_trades" => Stream::MarketTrades,
        "ticker" => Stream::ProductTicker,
        "ticker_batch" => Stream::ProductTickerBatch,
        "candles" => Stream::FiveMinutes,
        _ => return None,
    })
}

/// `X-USDC` is another name of `X-USD`, with two exceptions that are books of their own.
pub(crate) fn canonical(product: &str) -> String {
    match product.strip_suffix("-USDC") {
        Some(base) if !matches!(base, "USDT" | "EURC") => format!("{base}-USD"),
        _ => product.to_owned(),
    }
}

fn error(core: &mut ServerCore, slot: usize, id: u64, text: &str) {
    if let Some(conn) = core.hub.conn(slot, id) {
        conn.text(&[b"{\"type\":\"error\",\"message\":\"", text.as_bytes(), b"\"}"]);
    }
}

fn acknowledge(core: &mut ServerCore, slot: usize, id: u64) {
    let now_ms = core.now().as_millis();
    let channels = core.hub.conn(slot, id).map(|c| c.channels.clone()).unwrap_or_default();
    core.hub.to(slot, id, "subscriptions", None, |t| wire::subscriptions(t, &channels, now_ms));
}

fn subscribe(core: &mut ServerCore, slot: usize, id: u64, channel: &str, products: &[String]) {
    let Some(conn) = core.hub.conn(slot, id) else { return };
    let held = conn.channels.iter().find(|(c, _)| c == channel).map(|(_, p)| p.clone()).unwrap_or_default();
    let fresh: Vec<String> = match stream(channel) {
        None => vec![channel.to_owned()],
        // A refused product is just missing in the acknowledgement.
        Some(_) => {
            let recorded = |p: &str| core.tape.as_ref().is_some_and(|t| t.has_product(p));
            let exists = |p: &str| core.hub.market(Venue::Coinbase, p).is_some() || recorded(p);
            let wanted = products.iter().filter(|p| exists(&canonical(p)));
            wanted.filter(|p| !held.contains(p)).cloned().collect()
        }
    };
    if channel == "level2" && held.len() + fresh.len() > LEVEL2_MAX {
        return error(core, slot, id, "too many L2 streams requested in a single session");
    }
    let Some(conn) = core.hub.conn(slot, id) else { return };
    if let Some((_, all)) = conn.channels.iter_mut().find(|(c, _)| c == channel) {
        all.extend(fresh.iter().filter(|f| !held.contains(f)).cloned());
    } else if !fresh.is_empty() {
        conn.channels.push((channel.to_owned(), fresh.clone()));
    }
    acknowledge(core, slot, id);
    for product in fresh {
        let product = canonical(&product);
        first(core, slot, id, channel, &product);
        if let Some(stream) = stream(channel) {
            let wanted = SubscribedName::One(product.to_lowercase(), stream);
            core.hub.want(slot, Venue::Coinbase, &format!("{channel}:{product}"), false, wanted);
        }
    }
}

/// The snapshot that begins a channel.
fn first(core: &mut ServerCore, slot: usize, id: u64, channel: &str, product: &str) {
    let now_ms = core.now().as_millis();
    let ServerCore { hub, world, .. } = core;
    let market = hub.market(Venue::Coinbase, product).map(|n| &world.markets[n]);
    let name = format!("{channel}:{product}");
    let symbol = market.map(|m| m.spec.symbol.as_str());
    let offered = market.is_some_and(|m| !m.is_history() || channel == "candles");
    let (Some(market), true) = (market, channel != "status" && offered) else {
        if channel == "status" {
            let all = world.markets.iter().filter(|m| m.spec.venue == Venue::Coinbase);
            hub.to(slot, id, "status", None, |t| wire::status(t, "snapshot", all, now_ms));
        }
        return;
    };
    hub.to(slot, id, &name, symbol, |t| match channel {
        "level2" => wire::book_snapshot(t, market, now_ms),
        "market_trades" => {
            let newest = market.trades.iter().rev().take(TRADES_FIRST);
            wire::trades(t, &market.spec, "snapshot", newest, now_ms);
        }
        "candles" => {
            let bars = five_minutes(market, CANDLES_FIRST, now_ms);
            wire::candles(t, &market.spec, "snapshot", &bars, now_ms);
        }
        _ => wire::ticker(t, market, channel, "snapshot", now_ms),
    });
}

fn unsubscribe(core: &mut ServerCore, slot: usize, id: u64, channel: &str, products: &[String]) {
    let Some(conn) = core.hub.conn(slot, id) else { return };
    let all = products.is_empty();
    let mut gone = Vec::new();
    for (_, held) in conn.channels.iter_mut().filter(|(c, _)| c == channel) {
        gone.extend(held.iter().filter(|p| all || products.contains(p)).cloned());
        held.retain(|p| !gone.contains(p));
    }
    conn.channels.retain(|(_, held)| !held.is_empty());
    if let Some(stream) = stream(channel) {
        for product in gone {
            let wanted = SubscribedName::One(canonical(&product).to_lowercase(), stream);
            core.hub.unwant(slot, Venue::Coinbase, &wanted);
        }
    }
}

/// Heartbeats and the list of products, every second.
pub(crate) fn second(core: &mut ServerCore, ms: i64) {
    let ServerCore { hub, world, .. } = core;
    let has = |c: &crate::server::conn::ClientConn, channel: &str| c.channels.iter().any(|(name, _)| name == channel);
    let talking: Vec<(usize, u64, bool, bool, i64)> = hub
        .conns
        .iter()
        .enumerate()
        .filter_map(|(slot, c)| c.as_ref().map(|c| (slot, c)))
        .filter(|(_, c)| c.venue == Venue::Coinbase && !c.ended)
        .map(|(slot, c)| {
            let counter = (ms - c.opened.as_millis()) / 1_000;
            (slot, c.id, has(c, "heartbeats"), has(c, "status") && ms % 5_000 == 0, counter)
        })
        .collect();
    for (slot, id, heartbeats, status, counter) in talking {
        if heartbeats {
            hub.to(slot, id, "heartbeats", None, |t| wire::heartbeat(t, counter, ms));
        }
        if status {
            let all = world.markets.iter().filter(|m| m.spec.venue == Venue::Coinbase);
            hub.to(slot, id, "status", None, |t| wire::status(t, "update", all, ms));
        }
    }
}
