//! `serve`: the HTTP API over a data folder. Reads only; another process may write.

use crate::commands::open_reader;
use crate::config::Settings;
use crate::failure::Failure;
use crate::service::Service;
use crate::setup::book_id;
use barograph_api::{Reporter, ServeConfig, serve};
use std::io::Write as _;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// How often the store is asked for new minutes.
const LOOK_EVERY: Duration = Duration::from_secs(1);

pub(crate) fn run(settings: &Settings) -> Result<(), Failure> {
    let addr = settings.listen()?;
    let runtime = runtime()?;
    let listener = bind(&runtime, addr)?;
    until_stopped(&runtime, settings, listener, false, |addr| {
        let mut err = std::io::stderr().lock();
        writeln!(err, "serving {} on http://{addr}/", settings.data().display())?;
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

/// Serves until SIGINT or SIGTERM, then drains. `history`: the data are recorded and may be old.
pub(crate) fn until_stopped(
    runtime: &tokio::runtime::Runtime,
    settings: &Settings,
    listener: tokio::net::TcpListener,
    history: bool,
    ready: impl FnOnce(SocketAddr) -> Result<(), Failure>,
) -> Result<(), Failure> {
    let reader = open_reader(&settings.data())?;
    let service = Arc::new(Service::new(reader, book_id(settings)?, settings.text("default_venue").to_owned())?);
    let stop = Arc::new(AtomicBool::new(false));
    let looker = look_for_news(Arc::clone(&service), Arc::clone(&stop), history)?;
    let config = ServeConfig {
        host_names: settings.host_names(),
        stream_clients_max: settings.number("stream_clients_max")?,
        version: env!("CARGO_PKG_VERSION").to_owned(),
        report: Reporter(Arc::new(|incident| {
            drop(writeln!(std::io::stderr(), "barograph: [HTTP] {}: {}", incident.route, incident.detail));
        })),
        ..ServeConfig::default()
    };
    ready(listener.local_addr()?)?;
    let served = runtime.block_on(serve(listener, service, config, stopped()));
    stop.store(true, Ordering::Relaxed);
    drop(looker.join());
    Ok(served?)
}

fn look_for_news(
    service: Arc<Service>,
    stop: Arc<AtomicBool>,
    history: bool,
) -> Result<std::thread::JoinHandle<()>, Failure> {
    std::thread::Builder::new()
        .name("look".to_owned())
        .spawn(move || {
            while !stop.load(Ordering::Relaxed) {
                std::thread::park_timeout(LOOK_EVERY);
                // The store may be busy or being replaced; the next look finds it again.
                let failed = service.look().err().and_then(Failure::text);
                for line in failed.into_iter().chain(service.freshness_news(history)) {
                    drop(writeln!(std::io::stderr(), "barograph: [MKT] {line}"));
                }
            }
        })
        .map_err(Failure::broken)
}

async fn stopped() {
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
