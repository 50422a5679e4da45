//! The port of a worker: whether it runs, whether it can work, what it counts. It opens before the broker is asked for, so that a
//! worker that waits is seen to wait.

use crate::cli::Up;
use crate::clock::now;
use crate::commands::serve::{bind, serve_config};
use crate::config::Settings;
use crate::failure::Failure;
use barograph_api::{AskWorker, Error, ServeConfig, serve_worker};
use barograph_domain::text::number_of;
use barograph_live::worker::{EngineStand, UniverseStand, engine_metrics, held, universe_metrics};
use barograph_query::chain;
use barograph_store::{Error as StoreError, StoreTarget, open_reader};
use core::sync::atomic::{AtomicBool, Ordering};
use core::time::Duration;
use std::io::Write as _;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

/// A loop that has not come round for so long is stuck: each of its calls waits a few seconds at most.
const STUCK: Duration = Duration::from_secs(60);
/// The same of what makes hours, which reads months back when it begins.
const STUCK_MAKING: Duration = Duration::from_secs(30 * 60);
/// How often the database is asked whether it answers.
const CHECK_EVERY: Duration = Duration::from_secs(5);
/// An answer counts for so long: a server that hangs gives no other.
const ANSWER_KEPT: Duration = Duration::from_secs(30);
/// How often the thread that asks sees whether it is to end.
const STEP: Duration = Duration::from_millis(200);

/// What a worker does, as its threads show it.
#[derive(Clone, Debug)]
pub(super) enum WorkerStand {
    Engine(Arc<EngineStand>),
    Universe(Arc<UniverseStand>),
}

/// The newest answer of the database and when it came; `None` before the first.
type DatabaseAnswer = Arc<Mutex<Option<(Instant, bool)>>>;

/// What is behind the port.
struct PortView {
    stand: WorkerStand,
    database: DatabaseAnswer,
    /// What it works on has begun: broker and database were asked for the first time.
    begun: Arc<AtomicBool>,
}

/// What answers at the port, and how it ended.
type ServedPort = tokio::task::JoinHandle<Result<(), Error>>;

/// An open port, or none.
pub(super) struct WorkerPort {
    served: Option<(ServedPort, Arc<tokio::sync::Notify>)>,
    begun: Arc<AtomicBool>,
}

impl WorkerPort {
    /// Listens on the address of the settings, unless the command line says that nothing is to be served.
    pub(super) fn open(
        args: &Up,
        settings: &Settings,
        runtime: &tokio::runtime::Runtime,
        (stand, stop): (WorkerStand, &Arc<AtomicBool>),
    ) -> Result<Self, Failure> {
        let begun = Arc::new(AtomicBool::new(false));
        if args.no_serve {
            return Ok(Self { served: None, begun });
        }
        let listener = bind(runtime, settings.listen()?)?;
        let addr = listener.local_addr()?;
        let database = DatabaseAnswer::default();
        ask_database(crate::commands::target(settings), Arc::clone(&database), Arc::clone(stop))?;
        let shown = Arc::new(PortView { stand, database, begun: Arc::clone(&begun) });
        let role = shown.role();
        let done = Arc::new(tokio::sync::Notify::new());
        // Agents ask for markets, which are not here.
        let config = ServeConfig { agents: None, agent_sessions: None, ..serve_config(settings)? };
        let ends = Arc::clone(&done);
        let served = serve_worker(listener, shown, config, async move { ends.notified().await });
        let served = runtime.spawn(served);
        let mut err = std::io::stderr().lock();
        writeln!(err, "the worker answers /healthz, /readyz and /metrics on http://{addr}/; its role is {role}")?;
        if !addr.ip().to_canonical().is_loopback() {
            writeln!(err, "answers are not encrypted: put a proxy that speaks TLS before {addr}")?;
        }
        Ok(Self { served: Some((served, done)), begun })
    }

    /// The work begins, so its loops have to come round from now on.
    pub(super) fn begins(&self) {
        self.begun.store(true, Ordering::Relaxed);
    }

    /// Closes it, once requests under way are answered.
    pub(super) fn close(self, runtime: &tokio::runtime::Runtime) -> Result<(), Failure> {
        let Some((served, done)) = self.served else { return Ok(()) };
        done.notify_one();
        runtime.block_on(served).map_err(Failure::broken)?.map_err(Failure::from)
    }
}

/// Asks the database now and then, on a thread of its own: a worker without groups has no other way to it.
fn ask_database(target: StoreTarget, answer: DatabaseAnswer, stop: Arc<AtomicBool>) -> Result<(), Failure> {
    let ask = move || {
        let (mut reader, mut answered) = (None, true);
        while !stop.load(Ordering::Relaxed) {
            let asked = match reader.take().map_or_else(|| open_reader(&target), Ok) {
                // One that has lost its server finds it again.
                Ok(open) => reader.insert(open).live_groups().map(drop),
                // It answers, and has no tables before the first worker has written some.
                Err(StoreError::Missing { .. }) => Ok(()),
                Err(e) => Err(e),
            };
            // Why it does not is for whoever runs the worker: the log has it, the port does not.
            let news = match (&asked, answered) {
                (Err(e), true) => Some(format!("the database does not answer: {}", chain(e))),
                (Ok(()), false) => Some("the database answers again".to_owned()),
                (Ok(()), true) | (Err(_), false) => None,
            };
            if let Some(news) = news {
                drop(writeln!(std::io::stderr(), "barograph: {news}"));
            }
            answered = asked.is_ok();
            *answer.lock().unwrap_or_else(PoisonError::into_inner) = Some((Instant::now(), answered));
            let mut left = CHECK_EVERY;
            while !left.is_zero() && !stop.load(Ordering::Relaxed) {
                std::thread::sleep(STEP.min(left));
                left = left.saturating_sub(STEP);
            }
        }
    };
    std::thread::Builder::new().name("database".to_owned()).spawn(ask).map(drop).map_err(Failure::broken)
}

impl PortView {
    fn broker(&self) -> Result<(), String> {
        match &self.stand {
            WorkerStand::Engine(stand) => stand.broker.now(),
            WorkerStand::Universe(stand) => stand.broker.now(),
        }
    }

    fn database(&self) -> Result<(), String> {
        match *self.database.lock().unwrap_or_else(PoisonError::into_inner) {
            Some((at, true)) if at.elapsed() < ANSWER_KEPT => Ok(()),
            Some((at, true)) => Err(format!("the database has not answered for {} s", at.elapsed().as_secs())),
            Some((_, false)) => Err("the database does not answer".to_owned()),
            None => Err("the database has not answered yet".to_owned()),
        }
    }
}

impl AskWorker for PortView {
    fn role(&self) -> &'static str {
        match &self.stand {
            WorkerStand::Engine(_) => "engine",
            WorkerStand::Universe(_) => "universe",
        }
    }

    fn alive(&self) -> Result<(), Vec<String>> {
        if !self.begun.load(Ordering::Relaxed) {
            return Ok(());
        }
        let still = |what: &str, silent: Duration, limit: Duration| {
            (silent > limit).then(|| format!("{what} has not moved for {} s", silent.as_secs()))
        };
        let stuck: Vec<String> = match &self.stand {
            WorkerStand::Engine(stand) => {
                let groups = stand.groups();
                let of_groups = groups.iter().filter_map(|g| still(&format!("group {}", g.group), g.silent, STUCK));
                still("what shares out the groups", stand.pulse.silent(), STUCK).into_iter().chain(of_groups).collect()
            }
            WorkerStand::Universe(stand) => {
                let making = still("what makes hours", stand.making.silent(), STUCK_MAKING);
                still("the lease", stand.lease.silent(), STUCK).into_iter().chain(making).collect()
            }
        };
        if stuck.is_empty() { Ok(()) } else { Err(stuck) }
    }

    fn ready(&self) -> Result<Vec<String>, Vec<String>> {
        let mut missing: Vec<String> = [self.broker(), self.database()].into_iter().filter_map(Result::err).collect();
        let does = match &self.stand {
            WorkerStand::Engine(stand) => match held(&stand.groups()) {
                0 if !stand.is_listed() => {
                    missing.push("this worker is not among those that groups are shared out to yet".to_owned());
                    String::new()
                }
                0 => "a spare: it holds no group, and takes its share when another worker goes".to_owned(),
                held => {
                    let held = u64::try_from(held).unwrap_or(u64::MAX);
                    format!("it holds {}", number_of(held, "group"))
                }
            },
            WorkerStand::Universe(stand) => match stand.token() {
                Some(token) => format!("it makes hours and the ledger (token {token})"),
                None => "in waiting: another worker has the lease, or it is about to be taken".to_owned(),
            },
        };
        if missing.is_empty() { Ok(vec![does]) } else { Err(missing) }
    }

    fn metrics_text(&self) -> String {
        match &self.stand {
            WorkerStand::Engine(stand) => engine_metrics(stand, now()),
            WorkerStand::Universe(stand) => universe_metrics(stand),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Read as _;

    fn shown(stand: WorkerStand) -> PortView {
        let begun = Arc::new(AtomicBool::new(true));
        PortView { stand, database: Arc::new(Mutex::new(Some((Instant::now(), true)))), begun }
    }

    #[test]
    fn a_worker_that_nobody_has_answered_is_alive_and_not_ready() {
        for stand in [
            WorkerStand::Engine(Arc::new(EngineStand::new(3))),
            WorkerStand::Universe(Arc::new(UniverseStand::default())),
        ] {
            let shown = shown(stand);
            assert_eq!(shown.alive(), Ok(()));
            let missing = shown.ready().unwrap_err().join("; ");
            assert!(missing.contains("the broker has not answered yet"), "{missing}");
            assert!(!missing.contains("database"), "{missing}");
            *shown.database.lock().unwrap() = Some((Instant::now(), false));
            assert!(shown.ready().unwrap_err().join("; ").contains("the database does not answer"));
        }
    }

    #[test]
    fn its_port_answers_three_addresses_and_names_the_role_at_every_other() {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let listener = runtime.block_on(tokio::net::TcpListener::bind("127.0.0.1:0")).unwrap();
        let addr = listener.local_addr().unwrap();
        let worker = Arc::new(shown(WorkerStand::Engine(Arc::new(EngineStand::new(2)))));
        runtime.spawn(serve_worker(listener, worker, ServeConfig::default(), std::future::pending()));
        let ask = |path: &str, host: &str| {
            let mut socket = std::net::TcpStream::connect(addr).unwrap();
            write!(socket, "GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n").unwrap();
            let mut text = String::new();
            socket.read_to_string(&mut text).unwrap();
            text
        };
        for (path, host, status, part) in [
            ("/healthz", "localhost", 200, "\"status\":\"ok\""),
            ("/readyz", "localhost", 503, "urn:barograph:problem:not-ready"),
            ("/metrics", "localhost", 200, "barograph_cluster_group_held{group=\"1\"} 0"),
            ("/metrics", "localhost", 200, "barograph_build_info{"),
            ("/api/v1/markets", "localhost", 404, "with the role engine"),
            ("/", "localhost", 404, "a process with the role serve answers"),
            ("/metrics?x=1", "localhost", 400, "unknown-parameter"),
            ("/healthz", "evil.example", 421, "wrong-host"),
        ] {
            let text = ask(path, host);
            assert!(text.starts_with(&format!("HTTP/1.1 {status} ")) && text.contains(part), "{path} {host}: {text}");
        }
    }
}
