//! The serving loop: accepts, bounds, and drains.
//!
//! axum routes; this loop stands under it because three limits live here: how long a request may take to arrive, how
//! long an answer may take to leave, and how many connections there are. On shutdown the listener closes at once,
//! streams are asked to end, requests under way finish, and what is left after the deadline is cut.

use crate::access::Access;
use crate::agent_sessions::SessionRoom;
use crate::agents::AgentDoor;
use crate::clients::{ClientLimits, ClientPlace};
use crate::error::{Error, check_listen};
use crate::front::Front;
use crate::query::Query;
use crate::routes;
use crate::stall::Stall;
use crate::state::App;
use crate::telemetry::Dropped;
use core::convert::Infallible;
use core::fmt;
use core::pin::pin;
use hyper::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::{Service as _, service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::task::JoinSet;

/// Bytes of request line and header fields that are buffered at most; [`crate::guard`] refuses earlier and says why.
const HEAD_BYTES_MAX: usize = 16 * 1024;
/// Header fields at most; browsers send about twenty.
const HEADER_FIELDS_MAX: usize = 64;

/// Something only the operator can act on.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Incident {
    /// The route it happened on, or `accept`.
    pub route: &'static str,
    /// What happened, with its causes.
    pub detail: String,
}

/// Where incidents go: the program's log.
#[derive(Clone)]
pub struct Reporter(pub Arc<dyn Fn(&Incident) + Send + Sync>);

impl fmt::Debug for Reporter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Reporter")
    }
}

impl Default for Reporter {
    /// Incidents are only counted (`barograph_http_incidents_total`).
    fn default() -> Self {
        Self(Arc::new(|_incident| {}))
    }
}

/// Limits and names. The defaults suit one machine with a few dozen clients.
#[derive(Clone, Debug)]
pub struct ServeConfig {
    /// Host names besides loopback that requests may be addressed to.
    pub host_names: Vec<String>,
    /// Who may ask.
    pub access: Access,
    /// What one client of another machine may do.
    pub clients: ClientLimits,
    /// Connections at once; more wait to be accepted.
    pub connections_max: usize,
    /// Requests being answered at once; more get 503.
    pub requests_max: usize,
    /// Reads of the store at once; more wait within their time limit.
    pub reads_max: usize,
    /// Clients of the event stream at once; more get 503.
    pub stream_clients_max: usize,
    /// From the first byte of a request to its last header, and the life of an idle connection.
    pub header_timeout: Duration,
    /// From the end of a request's head to the beginning of its answer.
    pub request_timeout: Duration,
    /// How long an answer may make no progress because the client does not read.
    pub write_stall: Duration,
    /// Time between comments on an idle event stream.
    pub keep_alive: Duration,
    /// How long a shutdown waits for requests under way.
    pub drain: Duration,
    /// Release of the program, for `/healthz` and `/metrics`.
    pub version: String,
    /// Who answers agents at `/mcp`; `None`: nobody.
    pub agents: Option<AgentDoor>,
    /// Who keeps sessions of agents; `None`: nobody.
    pub agent_sessions: Option<SessionRoom>,
    /// Where incidents go.
    pub report: Reporter,
}

impl Default for ServeConfig {
    fn default() -> Self {
        Self {
            host_names: Vec::new(),
            access: Access::Open,
            clients: ClientLimits::default(),
            connections_max: 1_024,
            requests_max: 256,
            reads_max: 4,
            stream_clients_max: 256,
            header_timeout: Duration::from_secs(15),
            request_timeout: Duration::from_secs(10),
            write_stall: Duration::from_secs(20),
            keep_alive: Duration::from_secs(15),
            drain: Duration::from_secs(10),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            agents: None,
            agent_sessions: None,
            report: Reporter::default(),
        }
    }
}

/// Where a request comes from.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Peer(pub(crate) IpAddr);

/// What answers at the moment.
struct Responder {
    app: Arc<App>,
    router: axum::Router,
    /// Asks streams to end, for their clients to come again.
    over: watch::Sender<bool>,
}

impl Responder {
    fn first(query: Arc<dyn Query>, config: ServeConfig) -> Self {
        let (over, closing) = watch::channel(false);
        Self::of(App::new(query, config, closing), over)
    }
    fn next(&self, query: Arc<dyn Query>) -> Self {
        let (over, closing) = watch::channel(false);
        Self::of(self.app.followed_by(query, closing), over)
    }
    fn of(app: Arc<App>, over: watch::Sender<bool>) -> Self {
        Self { router: routes::router(&app), app, over }
    }
}

/// Serves until `shutdown` resolves, then drains.
///
/// # Errors
/// [`Error::Exposed`] when the listener is not on a loopback address, [`Error::Listener`] when it is broken.
pub async fn serve(
    listener: TcpListener,
    query: Arc<dyn Query>,
    config: ServeConfig,
    shutdown: impl Future<Output = ()> + Send,
) -> Result<(), Error> {
    serve_each(listener, watch::channel(query).1, config, shutdown).await
}

/// As [`serve`], from whichever query was sent last. Connections stay when another takes over: requests under way are answered by
/// the one they were asked of, later ones by the other, and streams end with `closing`.
///
/// # Errors
/// As [`serve`].
pub async fn serve_each(
    listener: TcpListener,
    mut queries: watch::Receiver<Arc<dyn Query>>,
    config: ServeConfig,
    shutdown: impl Future<Output = ()> + Send,
) -> Result<(), Error> {
    check_listen(listener.local_addr().map_err(|source| Error::Listener { source })?, &config.access)?;
    let query = Arc::clone(&queries.borrow_and_update());
    let mut turn = Responder::first(query, config);
    let front = Arc::clone(&turn.app.front);
    let (show, shown) = watch::channel(turn.router.clone());
    let (close, closing) = watch::channel(false);
    let turns = async {
        loop {
            let next = turn.next(following(&mut queries).await);
            drop(show.send_replace(next.router.clone()));
            core::mem::replace(&mut turn, next).over.send_replace(true);
        }
    };
    let connections = accept_until(listener, &front, (shown, closing), turns, shutdown).await;
    close.send_replace(true);
    turn.over.send_replace(true);
    drain(&front, connections).await;
    Ok(())
}

/// Serves one router until `shutdown` resolves, then drains.
///
/// # Errors
/// As [`serve`].
pub(crate) async fn serve_router(
    listener: TcpListener,
    front: &Arc<Front>,
    router: axum::Router,
    shutdown: impl Future<Output = ()> + Send,
) -> Result<(), Error> {
    check_listen(listener.local_addr().map_err(|source| Error::Listener { source })?, &front.config.access)?;
    let (_show, shown) = watch::channel(router);
    let (close, closing) = watch::channel(false);
    let connections = accept_until(listener, front, (shown, closing), std::future::pending(), shutdown).await;
    close.send_replace(true);
    drain(front, connections).await;
    Ok(())
}

/// Accepts until `shutdown` resolves, and lets `beside`, which never ends, do its work meanwhile. The connections that are left.
async fn accept_until(
    listener: TcpListener,
    front: &Arc<Front>,
    (shown, closing): (watch::Receiver<axum::Router>, watch::Receiver<bool>),
    beside: impl Future<Output = Infallible> + Send,
    shutdown: impl Future<Output = ()> + Send,
) -> JoinSet<()> {
    let slots = Arc::new(Semaphore::new(front.config.connections_max));
    let mut connections = JoinSet::new();
    let (mut beside, mut shutdown) = (pin!(beside), pin!(shutdown));
    loop {
        tokio::select! {
            biased;
            () = &mut shutdown => return connections,
            Some(ended) = connections.join_next() => {
                if let Err(panicked) = ended {
                    front.incident("connection", format!("a connection panicked: {panicked}"));
                }
            }
            (stream, peer, slot) = accept(&listener, &slots, front) => {
                let peer = Peer(peer.ip().to_canonical());
                // A client that has all its connections is let go without a word: answering would cost one more.
                let Some(place) = front.clients.connection(peer.0) else {
                    front.telemetry.dropped(Dropped::Connections);
                    continue;
                };
                let places = (slot, place);
                connections.spawn(connection(stream, peer, places, shown.clone(), Arc::clone(front), closing.clone()));
            }
            never = &mut beside => match never {},
        }
    }
}

/// Waits for requests under way, and cuts what is left after the limit.
async fn drain(front: &Front, mut connections: JoinSet<()>) {
    let drained = tokio::time::timeout(front.config.drain, async { while connections.join_next().await.is_some() {} });
    if drained.await.is_err() {
        front.incident("shutdown", format!("{} connections were cut after the drain limit", connections.len()));
        connections.shutdown().await;
    }
}

/// The query that takes over, once there is one.
async fn following(queries: &mut watch::Receiver<Arc<dyn Query>>) -> Arc<dyn Query> {
    match queries.changed().await {
        Ok(()) => Arc::clone(&queries.borrow_and_update()),
        // Whoever could send another has gone.
        Err(_) => std::future::pending().await,
    }
}

/// The next connection, once there is a place for it. Failures to accept concern one peer (it has gone again) or the
/// whole process (no file handles left); both pass, so the loop waits a moment and goes on.
async fn accept(
    listener: &TcpListener,
    slots: &Arc<Semaphore>,
    front: &Front,
) -> (TcpStream, SocketAddr, OwnedSemaphorePermit) {
    loop {
        if let Ok(slot) = Arc::clone(slots).acquire_owned().await {
            match listener.accept().await {
                Ok((stream, peer)) => return (stream, peer, slot),
                Err(e)
                    if matches!(
                        e.kind(),
                        std::io::ErrorKind::ConnectionAborted | std::io::ErrorKind::ConnectionReset
                    ) => {}
                Err(e) => {
                    front.incident("accept", format!("a connection could not be accepted: {e}"));
                    tokio::time::sleep(Duration::from_secs(1)).await;
                }
            }
        }
    }
}

async fn connection(
    stream: TcpStream,
    peer: Peer,
    places: (OwnedSemaphorePermit, ClientPlace),
    router: watch::Receiver<axum::Router>,
    front: Arc<Front>,
    mut closing: watch::Receiver<bool>,
) {
    let _places = places;
    let _open = front.telemetry.connection();
    // Answers are small and written at once; waiting to coalesce them only adds delay. Failure costs nothing but that.
    let _best_effort = stream.set_nodelay(true);
    let io = TokioIo::new(Stall::new(stream, front.config.write_stall));
    let routes = service_fn(move |mut request: Request<Incoming>| {
        request.extensions_mut().insert(peer);
        let router = router.borrow().clone();
        TowerToHyperService::new(router).call(request)
    });
    let mut served = pin!(
        http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(front.config.header_timeout)
            .max_buf_size(HEAD_BYTES_MAX)
            .max_headers(HEADER_FIELDS_MAX)
            .serve_connection(io, routes)
    );
    tokio::select! {
        // An error here is the peer's: it went away, stalled, or spoke no HTTP. It has been answered where possible.
        _ended = served.as_mut() => return,
        _closing = closing.wait_for(|closing| *closing) => served.as_mut().graceful_shutdown(),
    }
    let _ended = served.await;
}
