//! The server: a listening socket, a driver that moves the world along, and the handle that steers both.

mod body;
mod coinbase;
mod coinex;
mod conn;
mod core;
mod deliver;
mod depths;
mod http;
mod hub;
mod limits;
mod publish;
mod query;
mod rest_coinbase;
mod rest_coinex;
mod rest_spot;
mod rest_usdm;
mod session;
mod socket;
mod streams;
mod tape;
mod trouble;

use self::core::ServerCore;
use crate::clock::{Clock, machine_time};
use crate::fault::{FaultRule, Injected};
use crate::recording::Recording;
use crate::truth::WorldTruth;
use crate::world::script::HistoryMarket;
use crate::world::{SLOT, WorldConfig};
use crate::{Error, Venue};
use barograph_domain::{Span, Ts};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// Where everything that is served comes from.
#[derive(Clone, PartialEq, Debug, Default)]
pub enum Source {
    /// [`SimConfig::world`], made from its seed.
    #[default]
    Synthetic,
    /// Rows of candles, marks, funding and open interest.
    History(Vec<HistoryMarket>),
    /// Captured frames and bodies.
    Recorded(Recording),
}

impl Source {
    /// `synthetic` or `recorded`.
    #[must_use]
    pub const fn origin(&self) -> &'static str {
        match self {
            Self::Synthetic => "synthetic",
            Self::History(_) | Self::Recorded(_) => "recorded",
        }
    }
}

/// What is served.
#[derive(Clone, PartialEq, Debug)]
pub struct SimConfig {
    /// Where it comes from.
    pub source: Source,
    /// The world; its origin is replaced by the clock's present at the start.
    pub world: WorldConfig,
    /// Whether request and connection limits of the venues are enforced.
    pub enforce_limits: bool,
    /// After how long a connection is closed.
    pub connection_life: Span,
    /// Whether compression of messages is agreed to when a client offers it.
    pub deflate: bool,
    /// Bytes that may wait for a client that does not read; more, and it is disconnected.
    pub queue_bytes_max: usize,
    /// Port on 127.0.0.1; 0 takes any that is free.
    pub port: u16,
    /// What goes wrong on purpose.
    pub faults: Vec<FaultRule>,
}

impl Default for SimConfig {
    fn default() -> Self {
        Self {
            source: Source::Synthetic,
            world: WorldConfig::default(),
            enforce_limits: true,
            connection_life: core::DAY,
            deflate: false,
            queue_bytes_max: 32 << 20,
            port: 0,
            faults: Vec::new(),
        }
    }
}

/// The lock around the core, and how to start and stop tasks.
#[derive(Clone, Debug)]
pub(crate) struct SharedCore {
    core: Arc<Mutex<ServerCore>>,
    stop: watch::Receiver<bool>,
}

impl SharedCore {
    /// Never held across an await. A panic while it was held is a bug that the next holder need not repeat.
    pub(crate) fn lock(&self) -> MutexGuard<'_, ServerCore> {
        self.core.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Runs a task until it ends or the server stops.
    pub(crate) fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) -> JoinHandle<()> {
        let mut stop = self.stop.clone();
        tokio::spawn(async move {
            tokio::select! {
                () = task => {}
                _ = stop.wait_for(|stopped| *stopped) => {}
            }
        })
    }
}

/// Starts servers.
#[derive(Debug)]
pub struct Server;

/// A running server. Dropping it stops the server.
#[derive(Debug)]
pub struct Handle {
    /// Where it listens.
    pub addr: SocketAddr,
    shared: SharedCore,
    stop: watch::Sender<bool>,
    tasks: Vec<JoinHandle<()>>,
}

impl Server {
    /// Starts a server on a free port of 127.0.0.1, in the caller's tokio runtime.
    ///
    /// # Errors
    /// [`Error::Config`] when the configuration has no markets, [`Error::Listen`] when no port can be had.
    pub async fn start(config: SimConfig, clock: Arc<dyn Clock>) -> Result<Handle, Error> {
        let world = &config.world;
        let empty = match &config.source {
            Source::Synthetic => {
                world.usdm_markets + world.spot_markets + world.coinbase_markets + world.coinex_markets == 0
            }
            Source::History(markets) => markets.is_empty(),
            Source::Recorded(recording) => recording.is_empty(),
        };
        if empty {
            return Err(Error::Config("the world has no markets; give at least one venue at least one".to_owned()));
        }
        let listening = TcpListener::bind((Ipv4Addr::LOCALHOST, config.port)).await;
        let listener = listening.map_err(|source| Error::Listen { source })?;
        let addr = listener.local_addr().map_err(|source| Error::Listen { source })?;
        let (stop, stopped) = watch::channel(false);
        let shared = SharedCore { core: Arc::new(Mutex::new(ServerCore::new(config, clock))), stop: stopped };
        let tasks = vec![shared.spawn(drive(shared.clone())), shared.spawn(accept(shared.clone(), listener))];
        Ok(Handle { addr, shared, stop, tasks })
    }
}

/// Moves the world along every 5 ms, more at a time when it is behind.
async fn drive(shared: SharedCore) {
    let mut tick = tokio::time::interval(Duration::from_millis(5));
    tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        tick.tick().await;
        while shared.lock().run(core::SLOTS_PER_LOCK) {
            tokio::task::yield_now().await;
        }
    }
}

async fn accept(shared: SharedCore, listener: TcpListener) {
    loop {
        let Ok((stream, _)) = listener.accept().await else {
            tokio::time::sleep(Duration::from_millis(20)).await;
            continue;
        };
        // Small frames must not wait for each other; a socket that cannot be set so still works.
        drop(stream.set_nodelay(true));
        let for_task = shared.clone();
        shared.spawn(async move {
            let service = service_fn(|request| http::serve(for_task.clone(), request));
            let connection = http1::Builder::new().serve_connection(TokioIo::new(stream), service);
            // Clients end connections as they like.
            drop(connection.with_upgrades().await);
        });
    }
}

impl Handle {
    /// Base address of a venue's REST, without a trailing slash.
    #[must_use]
    pub fn rest_base(&self, venue: Venue) -> String {
        format!("http://{}{}", self.addr, venue.prefix())
    }

    /// Base address of a venue's sockets, without a trailing slash.
    #[must_use]
    pub fn ws_base(&self, venue: Venue) -> String {
        format!("ws://{}{}", self.addr, venue.prefix())
    }

    /// The moment up to which the world has happened and been published.
    #[must_use]
    pub fn now(&self) -> Ts {
        self.shared.lock().now()
    }

    /// How far the world is behind its clock.
    #[must_use]
    pub fn lag(&self) -> Span {
        let core = self.shared.lock();
        core.clock.now() - core.now()
    }

    /// Messages handed to sockets so far.
    #[must_use]
    pub fn messages_sent(&self) -> u64 {
        self.shared.lock().hub.sent
    }

    /// Connections given up because their client did not read.
    #[must_use]
    pub fn slow_clients(&self) -> u64 {
        self.shared.lock().hub.slow
    }

    /// Stops the world within a second of its time, at a moment when every change of every book has been published, and
    /// waits for that. What has happened is delivered, REST still answers: clients can be compared with [`Self::truth`].
    pub async fn pause(&self) {
        self.shared.lock().paused = true;
        while !self.shared.lock().rests() {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    }

    /// Lets the world go on; it catches up with the clock.
    pub fn resume(&self) {
        self.shared.lock().paused = false;
    }

    /// Adds a rule; `When::Now` makes it happen at the first occasion.
    pub fn inject(&self, rule: FaultRule) {
        self.shared.lock().hub.plan.add(rule);
    }

    /// Ends all rules; what they did stays done, spans that run go on.
    pub fn end_faults(&self) {
        self.shared.lock().hub.plan.clear();
    }

    /// Every fault that happened, oldest first: the newest 200,000.
    #[must_use]
    pub fn injected(&self) -> Vec<Injected> {
        self.shared.lock().hub.plan.records()
    }

    /// Frames of a recording that have not been played yet; 0 for other worlds.
    #[must_use]
    pub fn frames_left(&self) -> usize {
        self.shared.lock().tape.as_ref().map_or(0, tape::Tape::left)
    }

    /// How many faults happened in all.
    #[must_use]
    pub fn injected_total(&self) -> u64 {
        self.shared.lock().hub.plan.total
    }

    /// What really is and was.
    #[must_use]
    pub fn truth(&self) -> WorldTruth {
        WorldTruth { shared: self.shared.clone() }
    }

    /// WebSockets that are open, silent ones included.
    #[must_use]
    pub fn connections(&self) -> usize {
        self.shared.lock().hub.conns.iter().flatten().filter(|c| !c.ended).count()
    }

    /// Waits while a span passes in the world.
    pub async fn sleep(&self, span: Span) {
        let wait = machine_time(&*self.shared.lock().clock, span + SLOT);
        tokio::time::sleep(wait).await;
    }

    /// Closes everything and waits for it.
    pub async fn stop(mut self) {
        self.stop.send_replace(true);
        for task in self.tasks.drain(..) {
            // A task that panicked has ended too; tests see its message.
            drop(task.await);
        }
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        self.stop.send_replace(true);
    }
}

impl ServerCore {
    /// Text in a venue's clock.
    pub(crate) fn text(&self, venue: Venue) -> crate::num::Text {
        crate::num::Text::skewed(self.hub.skew_ms(venue))
    }

    /// A reply of text in a venue's clock; `body` is given what the clock shows, in milliseconds.
    pub(crate) fn written(&self, venue: Venue, body: impl FnOnce(&mut crate::num::Text, i64)) -> query::Reply {
        let mut text = self.text(venue);
        body(&mut text, self.now().as_millis());
        query::Reply::ok(text)
    }

    /// A market by its symbol, in any case.
    pub(crate) fn market(&self, venue: Venue, symbol: &str) -> Option<&crate::world::market::TradedMarket> {
        self.hub.market(venue, symbol).map(|n| &self.world.markets[n])
    }
}
