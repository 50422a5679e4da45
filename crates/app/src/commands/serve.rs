//! `serve`: the HTTP API over a data folder. Reads only; another process may write.

use crate::advice::rules;
use crate::cases::{JournalRecorder, PATIENCE};
use crate::clock::{Clock, SystemClock};
use crate::config::Settings;
use crate::failure::Failure;
use crate::positions;
use crate::reload::{Choose, Watcher};
use crate::setup::book_id;
use barograph_api::clock::StoryView;
use barograph_api::{Error, Query, Reporter, ServeConfig, serve, serve_each};
use barograph_live::replay::journal_folder;
use barograph_live::start::Running;
use barograph_query::cases::CaseDesk;
use barograph_query::chain;
use barograph_query::positions::{NoticeReceivers, PositionDesk};
use barograph_query::service::Service;
use barograph_query::service::board::EVERY;
use std::io::Write as _;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio::sync::watch;

/// How often the store is asked for new minutes.
const CHECK_EVERY: Duration = Duration::from_secs(1);
/// Looking takes at most one part in so many of the time: with a thousand markets on a server it is slow.
const CHECK_SHARE: u32 = 10;

pub(crate) fn run(settings: &Settings) -> Result<(), Failure> {
    let addr = settings.listen()?;
    let runtime = runtime()?;
    let listener = bind(&runtime, addr)?;
    until_stopped(&runtime, settings, listener, false, |addr| {
        let mut err = std::io::stderr().lock();
        writeln!(err, "serving {} on http://{addr}/", settings.data.display())?;
        Ok(())
    })
}

pub(crate) fn runtime() -> Result<tokio::runtime::Runtime, Failure> {
    tokio::runtime::Builder::new_multi_thread().enable_all().build().map_err(Failure::broken)
}

/// Takes the address before any work is done for it.
pub(crate) fn bind(runtime: &tokio::runtime::Runtime, addr: SocketAddr) -> Result<tokio::net::TcpListener, Failure> {
    runtime
        .block_on(tokio::net::TcpListener::bind(addr))
        .map_err(|e| Failure::broken(format!("cannot listen on {addr}: {e}; choose another address with --listen")))
}

/// Cases are written into the store of the settings, with books and trades of its journal where they come soon enough.
fn case_desk(settings: &Settings) -> CaseDesk {
    let recorder = JournalRecorder::new(journal_folder(&settings.data), Some(PATIENCE));
    CaseDesk::new(super::target(settings), Some(Box::new(recorder)))
}

/// Serves until SIGINT or SIGTERM, then drains. `history`: the data are recorded and may be old.
pub(crate) fn until_stopped(
    runtime: &tokio::runtime::Runtime,
    settings: &Settings,
    listener: tokio::net::TcpListener,
    history: bool,
    ready: impl FnOnce(SocketAddr) -> Result<(), Failure>,
) -> Result<(), Failure> {
    let stored = Stored::open(settings, Arc::new(SystemClock), history)?;
    let config = serve_config(settings)?;
    ready(listener.local_addr()?)?;
    let served = runtime.block_on(serve(listener, Arc::clone(&stored.service) as Arc<dyn Query>, config, stopped()));
    stored.close();
    Ok(served?)
}

/// Answers from what is stored, and looks for what comes in.
pub(crate) struct Stored {
    pub(crate) service: Arc<Service>,
    stop: Arc<AtomicBool>,
    threads: Vec<std::thread::JoinHandle<()>>,
}

impl Stored {
    /// `history`: the data are recorded and may be old.
    pub(crate) fn open(settings: &Settings, clock: Arc<dyn Clock>, history: bool) -> Result<Self, Failure> {
        let reader = super::reader(settings)?;
        let venue = settings.default_venue.as_str().to_owned();
        let service = Arc::new(Service::new(reader, clock, None, book_id(settings)?, venue)?);
        super::contest::choose(&service, settings)?;
        service.keep_positions(Arc::new(PositionDesk::new(super::target(settings), rules(settings))));
        service.keep_signals(super::target(settings));
        service.keep_cases(Arc::new(case_desk(settings)));
        service.journal_in(journal_folder(&settings.data));
        service.keep_in(settings.data.clone());
        service.studies_in(settings.studies_folder());
        let stop = Arc::new(AtomicBool::new(false));
        let news = NewsSource::Store { history };
        let looker = watch_news(Arc::clone(&service), Arc::clone(&stop), news, CHECK_EVERY)?;
        let board = update_board(Arc::clone(&service), Arc::clone(&stop))?;
        Ok(Self { service, stop, threads: vec![looker, board] })
    }

    pub(crate) fn close(self) {
        self.stop.store(true, Ordering::Relaxed);
        for thread in self.threads {
            thread.thread().unpark();
            drop(thread.join());
        }
    }
}

/// Serves what is stored while more of it comes in, until a live process takes over.
pub(crate) struct Meanwhile {
    addr: SocketAddr,
    service: Arc<Service>,
    queries: watch::Sender<Arc<dyn Query>>,
    stop: Arc<AtomicBool>,
    done: Arc<tokio::sync::Notify>,
    served: tokio::task::JoinHandle<Result<(), Error>>,
    looker: std::thread::JoinHandle<()>,
}

impl Meanwhile {
    pub(crate) fn start(
        runtime: &tokio::runtime::Runtime,
        settings: &Settings,
        listener: tokio::net::TcpListener,
    ) -> Result<Self, Failure> {
        let addr = listener.local_addr()?;
        let reader = super::reader(settings)?;
        let venue = settings.default_venue.as_str().to_owned();
        let service = Arc::new(Service::new(reader, Arc::new(SystemClock), None, book_id(settings)?, venue)?);
        service.studies_in(settings.studies_folder());
        let stop = Arc::new(AtomicBool::new(false));
        let looker =
            watch_news(Arc::clone(&service), Arc::clone(&stop), NewsSource::Store { history: true }, CHECK_EVERY / 50)?;
        let done = Arc::new(tokio::sync::Notify::new());
        let (config, ends) = (serve_config(settings)?, Arc::clone(&done));
        let (queries, asked) = watch::channel(Arc::clone(&service) as Arc<dyn Query>);
        let served = runtime.spawn(serve_each(listener, asked, config, async move { ends.notified().await }));
        Ok(Self { addr, service, queries, stop, done, served, looker })
    }

    /// Where it listens.
    pub(crate) const fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// A first reader of the page is shown this stretch: all of it is stored.
    pub(crate) fn begin_with(&self, story: StoryView) {
        // The newest minutes of what was stored since the last look.
        drop(self.service.refresh());
        self.service.begin_with(story);
    }

    /// Answers from this one from now on, on the same connections, until it is asked to stop.
    fn go_on(
        self,
        runtime: &tokio::runtime::Runtime,
        next: Arc<Service>,
        until: impl Future<Output = ()>,
    ) -> Result<(), Failure> {
        self.stop.store(true, Ordering::Relaxed);
        self.looker.thread().unpark();
        drop(self.queries.send_replace(next));
        drop(self.looker.join());
        let mut served = self.served;
        let ended = runtime.block_on(async {
            tokio::select! {
                () = until => {}
                ended = &mut served => return ended,
            }
            self.done.notify_one();
            served.await
        });
        ended.map_err(Failure::broken)?.map_err(Failure::from)
    }
}

/// Where a live process is served.
pub(crate) enum Door {
    /// Nobody has listened there yet.
    New(tokio::net::TcpListener),
    /// Something stored was served there before.
    Open(Meanwhile),
}

/// Serves a live process until it is asked to stop, then lets it write everything. `limit`: stop by itself after this long.
pub(crate) fn serve_live(
    runtime: &tokio::runtime::Runtime,
    settings: &Settings,
    door: Option<Door>,
    running: Running,
    choose: Choose,
    limit: Option<Duration>,
) -> Result<(), Failure> {
    let Running { service, net, changes, stop, thread, config, room, mirror, .. } = running;
    let markets = config.venues.iter().map(|v| v.session.markets.len()).sum();
    let gone = Arc::clone(&stop);
    let thread = Arc::new(thread);
    let core = Arc::clone(&thread);
    let until = async move {
        let limit = async {
            match limit {
                Some(limit) => tokio::time::sleep(limit).await,
                None => std::future::pending().await,
            }
        };
        let ended = async {
            // The core ends by itself only when something is broken.
            while !core.is_finished() && !gone.load(Ordering::Relaxed) {
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        };
        tokio::select! {
            () = stopped() => {}
            () = limit => {}
            () = ended => {}
        }
        gone.store(true, Ordering::Relaxed);
    };
    let venues = config.venues.iter().map(|v| v.id.clone()).collect();
    let runtime_handle = runtime.handle().clone();
    let watcher = Watcher { settings: settings.clone(), choose, net, venues, runtime: runtime_handle, changes };
    let watcher = watcher.start(Arc::clone(&stop))?;
    let looker = watch_news(Arc::clone(&service), Arc::clone(&stop), NewsSource::Freshness, CHECK_EVERY)?;
    let desk = PositionDesk::new(super::target(settings), rules(settings))
        .delivering_to(room.clone().map(|room| room as Arc<dyn NoticeReceivers>));
    service.keep_positions(Arc::new(desk));
    service.keep_signals(super::target(settings));
    service.use_taker_fees(settings.taker_fees.clone());
    service.keep_cases(Arc::new(case_desk(settings)));
    service.journal_in(journal_folder(&settings.data));
    service.keep_in(settings.data.clone());
    service.studies_in(settings.studies_folder());
    if let Some(room) = &room {
        room.makes(settings.made_receivers()?);
        service.deliver_through(Arc::new(room.desk(super::target(settings))));
    }
    let board = update_board(Arc::clone(&service), Arc::clone(&stop))?;
    let watched =
        positions::watch::WatchedFiles { listed: settings.positions_file.clone(), folder: settings.data.clone() };
    let positions = positions::watch::start(Arc::clone(&service), watched, Arc::clone(&stop))?;
    let served = match door {
        Some(Door::New(listener)) => {
            super::up::greet(listener.local_addr()?, markets)?;
            runtime.block_on(serve(listener, service, serve_config(settings)?, until)).map_err(Failure::from)
        }
        Some(Door::Open(meanwhile)) => {
            super::up::greet(meanwhile.addr(), markets)?;
            meanwhile.go_on(runtime, service, until)
        }
        None => {
            runtime.block_on(until);
            Ok(())
        }
    };
    stop.store(true, Ordering::Relaxed);
    drop(watcher.join());
    drop(looker.join());
    drop(board.join());
    drop(positions.join());
    let thread = Arc::into_inner(thread).ok_or_else(|| Failure::broken("the core is still being watched"))?;
    let ended = thread.join().map_err(|_panic| Failure::broken("the thread of the engine has crashed"))?;
    if let Some(room) = room {
        room.close();
    }
    if let Some(mirror) = mirror {
        mirror.close();
    }
    served.and(ended.map_err(Failure::from))
}

/// Who answers agents.
#[cfg(feature = "mcp")]
fn agents() -> Option<barograph_api::AgentDoor> {
    Some(barograph_api::AgentDoor(Arc::new(barograph_mcp::OverHttp::new(env!("CARGO_PKG_VERSION")))))
}

/// Who keeps their sessions.
#[cfg(feature = "mcp")]
fn agent_sessions(settings: &Settings) -> Option<barograph_api::agent_sessions::SessionRoom> {
    let room = crate::agent_sessions::AgentRoom::new(&settings.data);
    Some(barograph_api::agent_sessions::SessionRoom(Arc::new(room)))
}

/// This program was built without tools for agents.
#[cfg(not(feature = "mcp"))]
const fn agent_sessions(_settings: &Settings) -> Option<barograph_api::agent_sessions::SessionRoom> {
    None
}

/// This program was built without tools for agents.
#[cfg(not(feature = "mcp"))]
const fn agents() -> Option<barograph_api::AgentDoor> {
    None
}

pub(crate) fn serve_config(settings: &Settings) -> Result<ServeConfig, Failure> {
    Ok(ServeConfig {
        host_names: settings.host_names.clone(),
        access: settings.access()?,
        stream_clients_max: settings.stream_clients_max,
        version: env!("CARGO_PKG_VERSION").to_owned(),
        agents: agents(),
        agent_sessions: agent_sessions(settings),
        report: Reporter(Arc::new(|incident| {
            drop(writeln!(std::io::stderr(), "barograph: [HTTP] {}: {}", incident.route, incident.detail));
        })),
        ..ServeConfig::default()
    })
}

/// What the looking thread does each second.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum NewsSource {
    /// New minutes are in the store; data may be old (recorded) or not.
    Store { history: bool },
    /// New minutes come from memory; only freshness is watched.
    Freshness,
}

fn watch_news(
    service: Arc<Service>,
    stop: Arc<AtomicBool>,
    look: NewsSource,
    every: Duration,
) -> Result<std::thread::JoinHandle<()>, Failure> {
    std::thread::Builder::new()
        .name("look".to_owned())
        .spawn(move || {
            let (mut took, mut away) = (Duration::ZERO, None);
            while !stop.load(Ordering::Relaxed) {
                // In steps, so that an end is noticed.
                let mut pause = every.max(took * CHECK_SHARE);
                while !pause.is_zero() && !stop.load(Ordering::Relaxed) {
                    let step = pause.min(CHECK_EVERY);
                    std::thread::park_timeout(step);
                    pause -= step;
                }
                let began = std::time::Instant::now();
                // The store may be busy or being replaced; the next look finds it again.
                let (failed, history) = match look {
                    NewsSource::Store { history } => (service.refresh().err().map(|e| chain(&e)), history),
                    // What lies in the folder from before may be old; only what is listened to can become stale.
                    NewsSource::Freshness => (None, true),
                };
                // A store that stays away is reported once, and once that it is there again.
                let told = match (&failed, &away) {
                    (Some(_), Some(_)) => None,
                    (None, Some(_)) => Some("the store answers again".to_owned()),
                    _ => failed.clone(),
                };
                away = failed;
                for line in told.into_iter().chain(service.freshness_news(history)) {
                    drop(writeln!(std::io::stderr(), "barograph: [MKT] {line}"));
                }
                if matches!(look, NewsSource::Store { .. }) {
                    service.check_moves();
                }
                took = began.elapsed();
            }
        })
        .map_err(Failure::broken)
}

/// How often the board is turned while nobody follows it, in turns left out.
const UNFOLLOWED: u32 = 5;

/// Turns the board: five times a second where somebody follows it, else once.
fn update_board(service: Arc<Service>, stop: Arc<AtomicBool>) -> Result<std::thread::JoinHandle<()>, Failure> {
    let every = Duration::from_millis(u64::try_from(EVERY.0 / 1_000_000).unwrap_or(200));
    std::thread::Builder::new()
        .name("board".to_owned())
        .spawn(move || {
            let mut left_out = UNFOLLOWED;
            while !stop.load(Ordering::Relaxed) {
                if service.board_is_followed() || left_out >= UNFOLLOWED {
                    left_out = 0;
                    service.update_board();
                }
                left_out += 1;
                std::thread::park_timeout(every);
            }
        })
        .map_err(Failure::broken)
}

/// Set from the first SIGINT or SIGTERM on, also while nobody serves yet.
pub(crate) fn watch_for_stop(runtime: &tokio::runtime::Runtime) -> Arc<AtomicBool> {
    let (stop, told) = (Arc::new(AtomicBool::new(false)), Arc::new(tokio::sync::Notify::new()));
    let (sets, listens) = (Arc::clone(&stop), Arc::clone(&told));
    runtime.spawn(async move {
        let mut stopped = core::pin::pin!(stopped());
        // The handlers are there once it has been looked at.
        core::future::poll_fn(|cx| {
            let seen = core::future::Future::poll(stopped.as_mut(), cx);
            listens.notify_one();
            seen
        })
        .await;
        sets.store(true, Ordering::Relaxed);
    });
    runtime.block_on(told.notified());
    stop
}

pub(crate) async fn stopped() {
    let interrupt = tokio::signal::ctrl_c();
    #[cfg(unix)]
    {
        let Ok(mut terminate) = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate()) else {
            drop(interrupt.await);
            return;
        };
        tokio::select! {
            _ = interrupt => {}
            _ = terminate.recv() => {}
        }
    }
    #[cfg(not(unix))]
    drop(interrupt.await);
}
