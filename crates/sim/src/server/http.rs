//! The HTTP side: routes requests, charges budgets, and turns upgrades into sockets.

use crate::Venue;
use crate::clock::machine_time;
use crate::fault::InjectedFault;
use crate::num::Text;
use crate::server::body::Body;
use crate::server::conn::{CHUNKS_MAX, SocketLine};
use crate::server::core::{Opening, ServerCore};
use crate::server::limits::{BudgetAnswer, Cost, PER_SECOND};
use crate::server::query::{QueryString, Reply};
use crate::server::{SharedCore, rest_coinbase, rest_coinex, rest_spot, rest_usdm, socket};
use crate::wire::deflate::AGREED;
use crate::wire::usdm_rest::list;
use crate::world::market::TradedMarket;
use barograph_domain::Span;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hyper::body::Incoming;
use hyper::header::{
    CONNECTION, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue, SEC_WEBSOCKET_ACCEPT, SEC_WEBSOCKET_EXTENSIONS,
    SEC_WEBSOCKET_KEY, UPGRADE,
};
use hyper::{Method, Request, Response, StatusCode};
use std::convert::Infallible;
use std::sync::Arc;
use tokio::sync::mpsc;

/// What a synthetic market offers on every venue, and what a perpetual adds.
const SPOT_HAS: [&str; 4] = ["candles", "trades", "book", "bbo"];
const FUTURES_HAVE: [&str; 5] = ["mark", "index", "funding", "open_interest", "liquidations"];
/// Appended to a client's key before hashing (RFC 6455 section 1.3).
const HANDSHAKE_SUFFIX: &str = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

/// Answers one request.
pub(crate) async fn serve(shared: SharedCore, request: Request<Incoming>) -> Result<Response<Body>, Infallible> {
    let path = request.uri().path().to_owned();
    let query = request.uri().query().unwrap_or_default().to_owned();
    let reply = if path == "/sim/capabilities" {
        shared.lock().capabilities()
    } else if path == "/sim/cut" {
        if request.method() == Method::POST { shared.lock().cut_all() } else { Reply::error(405, -1, "POST cuts") }
    } else if let Some((venue, rest)) = Venue::split(&path) {
        match upgrade_key(request.headers()) {
            Some(key) => return Ok(upgrade(&shared, venue, rest, &query, &key, request)),
            None if request.method() == Method::GET => shared.lock().rest(venue, rest, &query),
            None => Reply::error(405, -1, "only GET is served"),
        }
    } else {
        Reply::absent("no venue has this prefix")
    };
    if let Some(late) = reply.late {
        let wait = machine_time(&*Arc::clone(&shared.lock().clock), late);
        tokio::time::sleep(wait).await;
    }
    Ok(respond(reply))
}

fn respond(reply: Reply) -> Response<Body> {
    let mut response = Response::new(if reply.cut { Body::half(reply.body) } else { Body::whole(reply.body) });
    *response.status_mut() = StatusCode::from_u16(reply.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json;charset=UTF-8"));
    for (name, value) in reply.headers {
        if let Ok(value) = HeaderValue::from_str(&value) {
            response.headers_mut().insert(HeaderName::from_static(name), value);
        }
    }
    response
}

/// The client's key, when it asks for a WebSocket.
fn upgrade_key(headers: &HeaderMap) -> Option<String> {
    let websocket = headers.get(UPGRADE)?.to_str().ok()?.eq_ignore_ascii_case("websocket");
    let key = headers.get(SEC_WEBSOCKET_KEY)?.to_str().ok()?;
    websocket.then(|| key.to_owned())
}

fn upgrade(
    shared: &SharedCore,
    venue: Venue,
    rest: &str,
    query: &str,
    key: &str,
    request: Request<Incoming>,
) -> Response<Body> {
    let Some(opening) = Opening::of(venue, rest, query) else {
        return respond(Reply::absent("no socket on this path"));
    };
    if let Err(refused) = shared.lock().admit(venue) {
        return respond(refused);
    }
    let accept = STANDARD.encode(sha1_smol::Sha1::from(format!("{key}{HANDSHAKE_SUFFIX}")).digest().bytes());
    let (tx, rx) = mpsc::channel(CHUNKS_MAX);
    let for_task = shared.clone();
    let waiting_max = shared.lock().config.queue_bytes_max;
    let offered = request.headers().get_all(SEC_WEBSOCKET_EXTENSIONS).iter().filter_map(|v| v.to_str().ok());
    let mut offered = offered;
    let deflate = shared.lock().config.deflate && offered.any(|o| o.contains("permessage-deflate"));
    let coming = hyper::upgrade::on(request);
    let line = SocketLine { tx, waiting: Arc::default(), waiting_max, abort: Arc::default(), deflate };
    shared.spawn(async move {
        if let Ok(upgraded) = coming.await {
            let (waiting, abort) = (Arc::clone(&line.waiting), Arc::clone(&line.abort));
            let (slot, id) = for_task.lock().open(&opening, line);
            tokio::select! {
                () = socket::run(&for_task, upgraded, rx, &waiting, (slot, id), deflate) => {}
                () = abort.notified() => {}
            }
            for_task.lock().hub.leave(slot, id);
        }
    });
    let mut response = Response::new(Body::whole(Vec::new()));
    *response.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
    let headers = response.headers_mut();
    headers.insert(UPGRADE, HeaderValue::from_static("websocket"));
    headers.insert(CONNECTION, HeaderValue::from_static("Upgrade"));
    if deflate {
        headers.insert(SEC_WEBSOCKET_EXTENSIONS, HeaderValue::from_static(AGREED));
    }
    if let Ok(value) = HeaderValue::from_str(&accept) {
        headers.insert(SEC_WEBSOCKET_ACCEPT, value);
    }
    response
}

impl ServerCore {
    /// Answers a GET of a venue's REST, or refuses it.
    fn rest(&mut self, venue: Venue, path: &str, query: &str) -> Reply {
        let query = QueryString::parse(query);
        let cost = match venue {
            Venue::BinanceUsdm => rest_usdm::cost(path, &query),
            Venue::BinanceSpot => rest_spot::cost(path, &query),
            Venue::Coinbase | Venue::Coinex => Cost::PerSecond,
        };
        let symbol = ["symbol", "product_id", "market"].iter().find_map(|name| query.get(name)).map(str::to_owned);
        let fault = self.rest_fault(venue, path, symbol.as_deref());
        match fault {
            Some(InjectedFault::TooManyRequests(wait)) => return too_many(venue, 429, wait),
            Some(InjectedFault::Banned(wait)) => return too_many(venue, 418, wait),
            Some(InjectedFault::ServerError(status)) => return Reply::error(status, -1_000, "Unknown error"),
            _ => {}
        }
        let reply = match self.limits.charge(venue, cost, self.now()) {
            BudgetAnswer::Allowed(used) => {
                let now = self.now();
                let tape = self.tape.as_ref().filter(|t| t.venue() == venue && !path.ends_with("/time"));
                let reply = match venue {
                    _ if tape.is_some() => {
                        tape.map_or_else(|| Reply::absent("Path not found"), |t| t.answer(path, &query, now))
                    }
                    Venue::BinanceUsdm => rest_usdm::answer(self, path, &query),
                    Venue::BinanceSpot => rest_spot::answer(self, path, &query),
                    Venue::Coinbase => rest_coinbase::answer(self, path, &query),
                    Venue::Coinex => rest_coinex::answer(self, path, &query),
                };
                with_budget(venue, reply, used)
            }
            BudgetAnswer::TooMany(wait) => too_many(venue, 429, Some(wait)),
            BudgetAnswer::Banned(wait) => too_many(venue, 418, Some(wait)),
        };
        match fault {
            Some(InjectedFault::SlowRest(span)) => Reply { late: Some(span), ..reply },
            Some(InjectedFault::CutBody) => Reply { cut: true, ..reply },
            _ => reply,
        }
    }

    /// Whether one more socket may be opened.
    fn admit(&mut self, venue: Venue) -> Result<(), Reply> {
        let now = self.now();
        if let Some(refused) = self.refuse_socket(venue) {
            return Err(refused);
        }
        self.limits.socket(venue, now).map_err(|wait| too_many(venue, 429, Some(wait)))
    }

    /// Drops every socket at once, as a network does that goes away.
    fn cut_all(&mut self) -> Reply {
        let open = self.hub.conns.iter_mut().flatten().filter(|c| !c.ended);
        let cut = open.map(crate::server::conn::ClientConn::cut).count();
        let mut t = Text::default();
        t.s("{\"cut\":").u(cut as u64).s("}");
        Reply::ok(t)
    }

    /// What this server offers and where its data comes from.
    fn capabilities(&self) -> Reply {
        let mut t = Text::default();
        t.s("{\"origin\":\"").s(self.origin).s("\",\"now\":\"").s(&self.now().iso_millis()).s("\",\"venues\":{");
        for (n, venue) in Venue::ALL.into_iter().enumerate() {
            let markets: Vec<&TradedMarket> = self.world.markets.iter().filter(|m| m.spec.venue == venue).collect();
            let offered = match (&self.tape, markets.first()) {
                (Some(tape), _) if tape.venue() == venue => vec!["capture"],
                (_, None) => Vec::new(),
                (_, Some(market)) => match &market.script {
                    Some(script) => script.offered(),
                    None if venue.has_perpetuals() => [&SPOT_HAS[..], &FUTURES_HAVE].concat(),
                    None => SPOT_HAS.to_vec(),
                },
            };
            t.s(if n == 0 { "\"" } else { ",\"" })
                .s(&venue.prefix()[1..])
                .s("\":{\"markets\":")
                .u(markets.len() as u64);
            t.s(",\"offered\":");
            list(&mut t, offered, |t, name| _ = t.s("\"").s(name).s("\""));
            t.s("}");
        }
        t.s("}}");
        Reply::ok(t)
    }
}

/// Reports how much of the budget is used, as each venue does.
fn with_budget(venue: Venue, reply: Reply, used: Option<u32>) -> Reply {
    match (venue, used) {
        (Venue::Coinbase, Some(used)) => reply
            .with("x-ratelimit-limit", &PER_SECOND.0)
            .with("x-ratelimit-remaining", &PER_SECOND.0.saturating_sub(used))
            .with("x-ratelimit-reset", &1),
        (Venue::Coinex, Some(used)) => reply
            .with("x-ratelimit-limit", &PER_SECOND.1)
            .with("x-ratelimit-remaining", &PER_SECOND.1.saturating_sub(used)),
        (_, Some(used)) => reply.with("x-mbx-used-weight-1m", &used),
        (_, None) => reply,
    }
}

fn too_many(venue: Venue, status: u16, wait: Option<Span>) -> Reply {
    if venue == Venue::Coinex {
        return rest_coinex::too_many(status, wait);
    }
    let reply = if venue == Venue::Coinbase {
        let text = b"{\"errors\":[{\"id\":\"rate_limit_exceeded\",\"message\":\"Too many requests\"}]}";
        Reply::new(status, text.to_vec())
    } else {
        let text = "Too many requests; current limit of IP is exceeded. Please use the websocket for live updates.";
        Reply::error(status, -1_003, text)
    };
    match wait {
        Some(wait) => reply.after(wait),
        None => reply,
    }
}
