//! The board as it moves: one multiplexed stream per page (server-sent events).
//!
//! Cells, headers, changes, alerts and ticks are written once by [`crate::board::Hub`]; a client's task only hands on shared
//! bytes. What waits for a client is bounded three times over: [`QUEUE`] events of its own, the hub's channel, which all clients
//! share, and the time it may take for one event. A client that is more than [`BEHIND`] events behind is given a fresh `board`
//! in place of the cells it missed; what the table does not hold is still delivered, in one piece. One that has missed the whole
//! channel gets `lagged` and is let go, and one that takes nothing for half of `write_stall` is cut; both are counted. A stream
//! ends within [`ADMITTED_EVERY`] when the token it was opened with is revoked.

use crate::access::Pass;
use crate::board::{Hub, News, Topic, Value, frame};
use crate::feeds::FeedFilter;
use crate::live::MarketNow;
use crate::params::{Params, parameters};
use crate::problem::{Problem, ProblemKind};
use crate::query::{Query, QueryError};
use crate::state::SharedState;
use crate::telemetry::Dropped;
use axum::body::Body;
use axum::extract::{Extension, State};
use axum::http::{Method, Response};
use barograph_domain::{InstrumentName, Ts};
use bytes::Bytes;
use serde::Serialize;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::broadcast::error::{RecvError, TryRecvError};
use tokio::sync::{OwnedSemaphorePermit, broadcast, mpsc};
use tokio::time::{Instant, MissedTickBehavior};
use tokio_stream::wrappers::ReceiverStream;
use utoipa::ToSchema;

/// Events between the feeder and the socket.
const QUEUE: usize = 4;
/// Events a client may be behind before cells are left out for it: about three seconds.
const BEHIND: usize = 24;
/// How often the market a client looks at is looked at.
const MARKET_EVERY: Duration = Duration::from_millis(200);
/// How often it is asked whether a client may still listen.
pub(super) const ADMITTED_EVERY: Duration = Duration::from_secs(2);
/// Asks clients to wait two seconds before they reconnect.
const GREETING: &[u8] = b"retry: 2000\n\n";
/// Keeps proxies and sockets awake.
const KEEP_ALIVE: &[u8] = b": keep-alive\n\n";

parameters! {
    /// What else is reported.
    pub(super) struct Topics {
        /// Also what is heard of this market, and each new snapshot of it.
        #[param(example = "binance-usdm:BTCUSDT")]
        market: Option<String>,
        /// `1`: also the states of all streams.
        #[param(example = "1")]
        feeds: Option<String>,
    }
}

/// One market this moment, as far as it moves.
#[derive(Clone, PartialEq, Debug, Serialize, ToSchema)]
pub(crate) struct PulseView {
    /// `venue:symbol`.
    #[schema(value_type = String)]
    instrument: InstrumentName,
    /// The moment, epoch milliseconds.
    t: i64,
    /// Newest trade, else mark.
    price: Option<f64>,
    /// How old it is, milliseconds.
    price_age_ms: Option<i64>,
    /// The minute in progress: start (epoch seconds), open, high, low, close, volume; null before its first trade.
    #[schema(value_type = Option<Vec<f64>>)]
    minute: Option<(i64, f64, f64, f64, f64, f64)>,
    /// Best bid, from the book.
    bid: Option<f64>,
    /// Best ask, from the book.
    ask: Option<f64>,
    /// How old they are, milliseconds.
    book_age_ms: Option<i64>,
}

/// The board and its changes (server-sent events).
///
/// Events: `board` (as `/api/v1/board`, first, and again for a client that fell behind), `cells` (`{"n","t","r","c":[[i,mask,v…]…]}`,
/// bit = column, values in the order of columns, `risk_since` and `row_ts` counted from `r`), `header`, `changes` (a list), `rows`
/// (markets that came), `reasons` (`[[i, {column: word}]…]`, rows whose nulls have other reasons), `alerts` (items of
/// `/api/v1/events`), `deliveries` and `notices` (`{"t"}`: something of them changed), `tick` (`{"t"}`, each second); with `market`
/// also `market` and `snapshot`, with `feeds=1` also `feeds` (`[instrument, metric, state, reason, age_ms]`, all first, then those
/// that changed) and `venues` (`FeedsPulse`, first and every five seconds); `lagged` and `closing` end the stream.
#[utoipa::path(
    get,
    path = "/api/v1/board/stream",
    operation_id = "streamBoard",
    tag = "board",
    params(Topics),
    responses((status = 200, description = "events without end", body = String, content_type = "text/event-stream"))
)]
pub(super) async fn stream(
    State(app): State<SharedState>,
    method: Method,
    pass: Option<Extension<Pass>>,
    Params((topics,)): Params<(Topics,)>,
) -> Result<Response<Body>, Problem> {
    let market = topics.market.text().map(|name| app.query.resolve(name, false));
    let market = market.transpose().map_err(|e| app.problem("board-stream", &e))?;
    let feeds = wants_feeds(&topics)?;
    if method == Method::HEAD {
        return Ok(super::reply::body("text/event-stream", Body::empty()));
    }
    let Ok(place) = Arc::clone(&app.streams).try_acquire_owned() else {
        let detail = format!("{} clients are listening already", app.config.stream_clients_max);
        return Err(Problem::new(ProblemKind::Busy, detail).hint("try again later, or read /api/v1/board now and then"));
    };
    // The first table may be large: written away from the async threads.
    let (hub, joined) = app
        .read("board-stream", |q| {
            let hub = q.board()?;
            let joined = hub.join();
            Ok((hub, joined))
        })
        .await?;
    let (frames, receiver) = mpsc::channel(QUEUE);
    if feeds {
        hub.want_feeds();
    }
    let client = Client {
        app: Arc::clone(&app),
        hub,
        news: joined.news,
        frames,
        market,
        feeds,
        seen: Seen::default(),
        has: 0,
        pass: pass.map(|Extension(pass)| pass),
    };
    app.spawn("board-stream", client.run(joined.board, place));
    Ok(super::reply::body("text/event-stream", Body::from_stream(ReceiverStream::new(receiver))))
}

fn wants_feeds(topics: &Topics) -> Result<bool, Problem> {
    match topics.feeds.text() {
        None | Some("0" | "false") => Ok(false),
        Some("1" | "true") => Ok(true),
        Some(other) => {
            let why = format!("'{other}' is neither 1 nor 0");
            Err(topics.feeds.refused(ProblemKind::BadRequest, why, "write feeds=1, or leave it out"))
        }
    }
}

/// Why a client's task ends.
enum End {
    /// The client has gone, or does not read.
    Gone,
    /// With a last word.
    Said(Bytes),
}

/// What a client's task waits for.
enum Came {
    Closing,
    Left,
    News(Result<News, RecvError>),
    Look,
    Ask,
    Quiet,
}

/// What has been published of the one market.
#[derive(Default)]
struct Seen {
    pulse: Option<PulseView>,
    stamp: Option<[Value; 3]>,
}

struct Client {
    app: SharedState,
    hub: Arc<Hub>,
    news: broadcast::Receiver<News>,
    frames: mpsc::Sender<Result<Bytes, Infallible>>,
    market: Option<InstrumentName>,
    feeds: bool,
    seen: Seen,
    /// Batches up to this one are in the table it was given.
    has: u64,
    /// What it was admitted with.
    pass: Option<Pass>,
}

impl Drop for Client {
    fn drop(&mut self) {
        if self.feeds {
            self.hub.leave_feeds();
        }
    }
}

impl Client {
    async fn run(mut self, board: Bytes, place: OwnedSemaphorePermit) {
        let app = Arc::clone(&self.app);
        let _client = app.telemetry.stream_client();
        let end = match self.greet(board).await {
            Ok(()) => self.follow().await,
            Err(end) => end,
        };
        if let End::Said(word) = end {
            // Nobody to report to if that fails too.
            let _gone = self.send(word).await;
        }
        drop(place);
    }

    async fn greet(&mut self, board: Bytes) -> Result<(), End> {
        self.send(Bytes::from_static(GREETING)).await?;
        self.send(board).await?;
        if self.feeds
            // The listing of some thousand streams is written away from the async threads.
            && let Ok(all) = self.app.read("board-stream", |q| Ok(feeds_at_first(q))).await
        {
            self.send(all).await?;
        }
        self.publish_moved().await
    }

    async fn follow(&mut self) -> End {
        let mut closing = self.app.closing.clone();
        let keep_alive = self.app.config.keep_alive;
        let mut quiet_until = Instant::now() + keep_alive;
        let mut looks = tokio::time::interval(MARKET_EVERY);
        looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let looking = self.market.is_some();
        let mut asks = tokio::time::interval(ADMITTED_EVERY);
        asks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            let came = tokio::select! {
                biased;
                _closing = closing.wait_for(|closing| *closing) => Came::Closing,
                () = self.frames.closed() => Came::Left,
                _tick = asks.tick() => Came::Ask,
                received = self.news.recv() => Came::News(received),
                _tick = looks.tick(), if looking => Came::Look,
                () = tokio::time::sleep_until(quiet_until) => Came::Quiet,
            };
            let sent = match came {
                Came::Closing | Came::News(Err(RecvError::Closed)) => Err(End::Said(frame("closing", None, b"{}"))),
                Came::Left => Err(End::Gone),
                Came::News(Ok(news)) => self.pass(news).await,
                Came::News(Err(RecvError::Lagged(missed))) => Err(self.lagged(missed)),
                Came::Ask if self.app.config.access.still(self.pass.as_ref()) => continue,
                Came::Ask => Err(End::Said(frame("closing", None, b"{}"))),
                Came::Look => self.publish_moved().await,
                Came::Quiet => self.send(Bytes::from_static(KEEP_ALIVE)).await,
            };
            if let Err(end) = sent {
                return end;
            }
            quiet_until = Instant::now() + keep_alive;
        }
    }

    fn lagged(&self, missed: u64) -> End {
        self.app.telemetry.dropped(Dropped::Lagged);
        End::Said(frame("lagged", None, format!("{{\"missed\":{missed}}}").as_bytes()))
    }

    /// Hands on one event; a client that has fallen behind gets the table instead of the cells it missed.
    async fn pass(&mut self, news: News) -> Result<(), End> {
        if self.news.len() <= BEHIND {
            return self.hand(news).await;
        }
        let mut kept = vec![news];
        loop {
            match self.news.try_recv() {
                Ok(next) => kept.push(next),
                Err(TryRecvError::Empty | TryRecvError::Closed) => break,
                Err(TryRecvError::Lagged(missed)) => return Err(self.lagged(missed)),
            }
        }
        let mut together = Vec::new();
        for news in kept.iter().filter(|n| self.is_beside_the_table(n.topic)) {
            together.extend_from_slice(&news.bytes);
        }
        drop(kept);
        if !together.is_empty() {
            self.send(together.into()).await?;
        }
        let hub = Arc::clone(&self.hub);
        let again = tokio::task::spawn_blocking(move || hub.again()).await;
        let Ok((board, n)) = again else { return Err(End::Gone) };
        self.has = n;
        self.send(board).await
    }

    /// Is an event of this kind wanted, and published by no table?
    const fn is_beside_the_table(&self, topic: Topic) -> bool {
        match topic {
            Topic::Cells | Topic::Header | Topic::Rows | Topic::Reasons | Topic::Headlines | Topic::Tick => false,
            Topic::Changes | Topic::Alerts | Topic::Deliveries | Topic::Notices => true,
            Topic::Feeds | Topic::Venues => self.feeds,
        }
    }

    async fn hand(&self, news: News) -> Result<(), End> {
        let known = news.topic == Topic::Cells && news.n <= self.has;
        if known || (matches!(news.topic, Topic::Feeds | Topic::Venues) && !self.feeds) {
            return Ok(());
        }
        self.send(news.bytes).await
    }

    /// Publishes what has moved at the one market since the last look.
    async fn publish_moved(&mut self) -> Result<(), End> {
        let Some(id) = &self.market else { return Ok(()) };
        if let Ok(live) = self.app.query.live(id) {
            let pulse = PulseView::of(&live);
            if !self.seen.pulse.as_ref().is_some_and(|seen| seen.is(&pulse)) {
                let json = serde_json::to_vec(&pulse).unwrap_or_default();
                self.seen.pulse = Some(pulse);
                self.send(frame("market", None, &json)).await?;
            }
        }
        let Some(id) = &self.market else { return Ok(()) };
        let stamp = self.hub.stamp(id);
        if stamp.is_none() || self.seen.stamp == stamp {
            return Ok(());
        }
        // A market without a minute is looked for in the store: not on this thread, and not again before something moves.
        let asked = id.clone();
        let newest = self.app.read("board-stream", move |q| match q.context(&asked, None, None) {
            Ok(newest) => Ok(Some(newest)),
            Err(QueryError::NothingYet { .. } | QueryError::OtherBook { .. }) => Ok(None),
            Err(other) => Err(other),
        });
        match newest.await {
            Ok(newest) => {
                self.seen.stamp = stamp;
                let Some(newest) = newest else { return Ok(()) };
                self.send(frame("snapshot", Some(&newest.snapshot.snapshot_id), &newest.json)).await
            }
            Err(problem) => {
                let json = serde_json::to_vec(&problem.document()).unwrap_or_default();
                Err(End::Said(frame("problem", None, &json)))
            }
        }
    }

    /// Hands bytes over, waiting as long as a client may stall.
    async fn send(&self, bytes: Bytes) -> Result<(), End> {
        // Sooner than the socket gives up by itself, so that who is let go is counted here.
        match tokio::time::timeout(self.app.config.write_stall / 2, self.frames.send(Ok(bytes))).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(_gone)) => Err(End::Gone),
            Err(_stalled) => {
                self.app.telemetry.dropped(Dropped::Stalled);
                Err(End::Gone)
            }
        }
    }
}

/// Every stream as it is now, none where nothing is listened to, and how everything does.
fn feeds_at_first(query: &dyn Query) -> Bytes {
    let mut first = Vec::new();
    // Words and finite numbers: writing them cannot fail.
    if let Ok(feeds) = query.feeds(&FeedFilter::all(usize::MAX)) {
        let items = feeds.items.iter();
        let lines: Vec<_> =
            items.map(|s| (&s.instrument, s.metric, s.continuity, s.reason.map(|r| r.word), s.age_ms)).collect();
        first.extend_from_slice(&frame("feeds", None, &serde_json::to_vec(&lines).unwrap_or_default()));
    }
    if let Some(pulse) = query.feeds_pulse() {
        first.extend_from_slice(&frame("venues", None, &serde_json::to_vec(&pulse).unwrap_or_default()));
    }
    first.into()
}

impl PulseView {
    fn of(live: &MarketNow) -> Self {
        let newest = |metric: &str| {
            let of = live.streams.iter().filter(|s| s.metric == metric && s.value.is_some());
            of.max_by_key(|s| s.event_ts)
        };
        let price = newest("trade").or_else(|| newest("mark_price"));
        let book = live.book.as_ref();
        let millis = |t: Ts| t.as_millis();
        Self {
            instrument: live.instrument.clone(),
            t: millis(live.ts),
            price: price.and_then(|s| s.value),
            price_age_ms: price.and_then(|s| s.age_ms),
            minute: live.minute.map(|m| (millis(m.start) / 1_000, m.open, m.high, m.low, m.close, m.volume)),
            bid: book.and_then(|b| b.bids.first()).map(|l| l.price),
            ask: book.and_then(|b| b.asks.first()).map(|l| l.price),
            book_age_ms: book.and_then(|b| b.age_ms),
        }
    }

    /// Is it the same, as far as ages do not count?
    fn is(&self, other: &Self) -> bool {
        let same_age = self.price == other.price && self.minute == other.minute;
        same_age && (self.bid, self.ask) == (other.bid, other.ask)
    }
}
