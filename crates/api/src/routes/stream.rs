//! The event stream: new snapshots and alerts as server-sent events.
//!
//! A client first gets the newest snapshot of each market it asked for, as seen from now, then every new one. A client
//! that reads slower than snapshots are published hears so and is let go: it reconnects and is up to date again, which
//! is better than a queue that grows. Ids are snapshot ids; a reconnecting client does not get the last one twice.
//!
//! What waits for a client is bounded twice: [`crate::STREAM_BUFFER`] snapshots in the channel, which all clients share, and
//! [`QUEUE`] frames of its own. A minute in which a thousand markets publish at once fits the first with room for three more
//! minutes, so a client that keeps reading gets all of them, however slowly; one that does not read for `write_stall` is cut.
//! A stream ends within [`ADMITTED_EVERY`] when the token it was opened with is revoked.

use super::board_stream::ADMITTED_EVERY;
use crate::access::Pass;
use crate::board::frame;
use crate::params::{Params, parameters};
use crate::problem::{Problem, ProblemKind};
use crate::query::{QueryError, StreamEvent};
use crate::state::SharedState;
use crate::telemetry::Dropped;
use axum::body::Body;
use axum::extract::{Extension, State};
use axum::http::{HeaderMap, Method, Response};
use barograph_domain::InstrumentName;
use bytes::Bytes;
use std::collections::BTreeMap;
use std::convert::Infallible;
use std::sync::Arc;
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::{OwnedSemaphorePermit, broadcast, mpsc};
use tokio::time::{Instant, MissedTickBehavior};
use tokio_stream::wrappers::ReceiverStream;

/// Frames between the feeder and the socket; beyond that a client counts as slow.
const QUEUE: usize = 8;
/// Asks clients to wait five seconds before they reconnect.
const GREETING: &[u8] = b"retry: 5000\n\n";
/// Keeps proxies and sockets awake.
const KEEP_ALIVE: &[u8] = b": keep-alive\n\n";

parameters! {
    /// Which markets.
    pub(super) struct Markets {
        /// Only these markets, separated by commas. Left out: all.
        #[param(example = "binance-usdm:BTCUSDT")]
        markets: Option<String>,
    }
}

/// New snapshots as they are published (server-sent events).
///
/// Events: `snapshot` (id = snapshot id, data = the snapshot's JSON), `alert` (no id; data as an item of `/api/v1/events`), `lagged` (too slow; the connection ends),
/// `closing` (the server stops; the connection ends). The newest snapshot of each market comes first.
#[utoipa::path(
    get,
    path = "/api/v1/stream",
    operation_id = "streamSnapshots",
    tag = "context",
    params(Markets, ("Last-Event-ID" = Option<String>, Header, description = "id of the last event seen")),
    responses((status = 200, description = "events without end", body = String, content_type = "text/event-stream"))
)]
pub(super) async fn stream(
    State(app): State<SharedState>,
    method: Method,
    pass: Option<Extension<Pass>>,
    Params((markets,)): Params<(Markets,)>,
    headers: HeaderMap,
) -> Result<Response<Body>, Problem> {
    let wanted = wanted(&app, &markets)?;
    if method == Method::HEAD {
        return Ok(super::reply::body("text/event-stream", Body::empty()));
    }
    let Ok(place) = Arc::clone(&app.streams).try_acquire_owned() else {
        let detail = format!("{} clients are listening already", app.config.stream_clients_max);
        return Err(Problem::new(ProblemKind::Busy, detail).hint("try again later, or read /context now and then"));
    };
    let seen = headers.get("last-event-id").and_then(|v| v.to_str().ok()).map(str::to_owned);
    let (frames, receiver) = mpsc::channel(QUEUE);
    let events = app.query.subscribe();
    let pass = pass.map(|Extension(pass)| pass);
    let feeder = Feeder { events, wanted, shown: BTreeMap::new(), frames, pass, app: Arc::clone(&app) };
    app.spawn("stream", feeder.run(seen, place));
    Ok(super::reply::body("text/event-stream", Body::from_stream(ReceiverStream::new(receiver))))
}

/// The markets a client asked for; `None` for all, those to come included.
fn wanted(app: &SharedState, asked: &Markets) -> Result<Option<Vec<InstrumentName>>, Problem> {
    if !asked.markets.is_given() {
        return Ok(None);
    }
    let names = asked.markets.words();
    names
        .map(|n| app.query.resolve(n, false).map_err(|e| app.problem("stream", &e)))
        .collect::<Result<_, _>>()
        .map(Some)
}

/// Why a feeder ends.
enum End {
    /// The client has gone, or does not read.
    Gone,
    /// With a last word.
    Said(Bytes),
}

struct Feeder {
    app: SharedState,
    events: broadcast::Receiver<Arc<StreamEvent>>,
    wanted: Option<Vec<InstrumentName>>,
    /// Newest snapshot sent of each market.
    shown: BTreeMap<InstrumentName, String>,
    frames: mpsc::Sender<Result<Bytes, Infallible>>,
    /// What it was admitted with.
    pass: Option<Pass>,
}

impl Feeder {
    async fn run(mut self, seen: Option<String>, place: OwnedSemaphorePermit) {
        let app = Arc::clone(&self.app);
        let _client = app.telemetry.stream_client();
        let end = match self.greet(seen).await {
            Ok(()) => self.follow().await,
            Err(end) => end,
        };
        if let End::Said(word) = end {
            // Nobody to report to if that fails too.
            let _gone = self.send(word).await;
        }
        drop(place);
    }

    /// The newest snapshot of each market. The subscription is older than these reads, so nothing falls between.
    async fn greet(&mut self, seen: Option<String>) -> Result<(), End> {
        self.send(Bytes::from_static(GREETING)).await?;
        let all = self.app.query.instruments();
        let markets: Vec<InstrumentName> = self.wanted.clone().unwrap_or_else(|| all.to_vec());
        for id in markets {
            let newest = match self.app.query.context(&id, None, None) {
                Ok(rendered) => rendered,
                // Markets of another book have nothing to say here; others may.
                Err(QueryError::NothingYet { .. } | QueryError::OtherBook { .. }) => continue,
                Err(error) => {
                    let problem = self.app.problem("stream", &error);
                    return Err(End::Said(frame(
                        "problem",
                        None,
                        &serde_json::to_vec(&problem.document()).unwrap_or_default(),
                    )));
                }
            };
            let snapshot_id = newest.snapshot.snapshot_id.clone();
            if seen.as_ref() != Some(&snapshot_id) {
                self.send(frame("snapshot", Some(&snapshot_id), &newest.json)).await?;
            }
            self.shown.insert(id, snapshot_id);
        }
        Ok(())
    }

    async fn follow(&mut self) -> End {
        let mut closing = self.app.closing.clone();
        let keep_alive = self.app.config.keep_alive;
        let mut quiet_until = Instant::now() + keep_alive;
        let mut asks = tokio::time::interval(ADMITTED_EVERY);
        asks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            let received = tokio::select! {
                biased;
                _closing = closing.wait_for(|closing| *closing) => return End::Said(frame("closing", None, b"{}")),
                () = self.frames.closed() => return End::Gone,
                _tick = asks.tick() => {
                    if self.app.config.access.still(self.pass.as_ref()) {
                        continue;
                    }
                    return End::Said(frame("closing", None, b"{}"));
                }
                received = tokio::time::timeout_at(quiet_until, self.events.recv()) => received,
            };
            let sent = match received {
                Err(_quiet) => self.send(Bytes::from_static(KEEP_ALIVE)).await.map(|()| true),
                Ok(Ok(event)) => self.publish(&event).await,
                Ok(Err(RecvError::Lagged(missed))) => {
                    self.app.telemetry.dropped(Dropped::Lagged);
                    return End::Said(frame("lagged", None, format!("{{\"missed\":{missed}}}").as_bytes()));
                }
                Ok(Err(RecvError::Closed)) => return End::Said(frame("closing", None, b"{}")),
            };
            match sent {
                // News of other markets does not count: this client has heard nothing.
                Ok(false) => {}
                Ok(true) => quiet_until = Instant::now() + keep_alive,
                Err(end) => return end,
            }
        }
    }

    /// Sends an event if this client wants it; says whether it did.
    async fn publish(&mut self, event: &StreamEvent) -> Result<bool, End> {
        let elsewhere = self.wanted.as_ref().is_some_and(|wanted| !wanted.contains(&event.instrument));
        let snapshot_id = event.snapshot_id.as_ref();
        if elsewhere || (snapshot_id.is_some() && self.shown.get(&event.instrument) == snapshot_id) {
            return Ok(false);
        }
        let word = if let Some(id) = snapshot_id {
            self.shown.insert(event.instrument.clone(), id.clone());
            frame("snapshot", Some(id), &event.json)
        } else {
            // No id: a client that comes back says which snapshot it has seen.
            frame("alert", None, &event.json)
        };
        self.send(word).await.map(|()| true)
    }

    /// Hands a frame over, waiting as long as a client may stall.
    async fn send(&self, bytes: Bytes) -> Result<(), End> {
        match tokio::time::timeout(self.app.config.write_stall, self.frames.send(Ok(bytes))).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(_gone)) => Err(End::Gone),
            Err(_stalled) => {
                self.app.telemetry.dropped(Dropped::Stalled);
                Err(End::Gone)
            }
        }
    }
}
