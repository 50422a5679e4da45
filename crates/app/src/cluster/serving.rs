//! The process of a cluster that answers questions. Parts of a cluster start in any order, so a database that is away or has no minute yet
//! is waited for; and what is read of it is mirrored where `redis` is set.

use super::end_after;
use crate::cli::Up;
use crate::clock::SystemClock;
use crate::commands::serve::{Stored, bind, runtime, serve_config, watch_for_stop};
use crate::config::Settings;
use crate::failure::Failure;
use crate::setup::configured;
use barograph_api::{AskWorker, Query, ServeConfig, serve, serve_worker};
use barograph_live::mirror::mirror_stored;
use core::sync::atomic::{AtomicBool, Ordering};
use core::time::Duration;
use std::io::Write as _;
use std::net::TcpListener;
use std::sync::{Arc, Mutex, PoisonError};

/// How often the database is asked for a first minute.
const AGAIN: Duration = Duration::from_secs(1);
/// How often a process that is to end sees it.
const STEP: Duration = Duration::from_millis(100);

/// Serves the database of a cluster until it is asked to stop.
pub(super) fn run(args: &Up, settings: &Settings) -> Result<(), Failure> {
    if settings.db_url.is_none() {
        return Err(Failure::usage(
            "what serves a cluster reads its PostgreSQL: set db_url, as in db_url = \"postgres://user@host/barograph\"",
        ));
    }
    // What is wrong with the settings is wrong for ever.
    let logic = configured(settings, barograph_venues::policy::text())?.logic_version;
    let runtime = runtime()?;
    let stop = watch_for_stop(&runtime);
    end_after(args, &stop);
    let listener = bind(&runtime, settings.listen()?)?.into_std()?;
    let Some(stored) = first_minute(&runtime, settings, &listener, &stop)? else { return Ok(()) };
    let mirror = settings.redis.clone().map(|to| mirror_stored(to, &stored.service, &logic, Arc::clone(&stop)));
    let mirror = mirror.transpose().map_err(Failure::broken)?;
    writeln!(std::io::stderr(), "serving the cluster on http://{}/", listener.local_addr()?)?;
    let (service, config) = (Arc::clone(&stored.service) as Arc<dyn Query>, serve_config(settings)?);
    let asked = Arc::clone(&stop);
    let served = runtime.block_on(async move {
        serve(tokio::net::TcpListener::from_std(listener)?, service, config, stopped(asked))
            .await
            .map_err(Failure::from)
    });
    stop.store(true, Ordering::Relaxed);
    if let Some(mirror) = mirror {
        mirror.close();
    }
    stored.close();
    served
}

/// Until the process is to stop.
async fn stopped(stop: Arc<AtomicBool>) {
    while !stop.load(Ordering::Relaxed) {
        tokio::time::sleep(STEP).await;
    }
}

/// What is stored, once something is; `None` where the process is to stop before. Meanwhile the port answers why it is not ready.
fn first_minute(
    runtime: &tokio::runtime::Runtime,
    settings: &Settings,
    listener: &TcpListener,
    stop: &Arc<AtomicBool>,
) -> Result<Option<Stored>, Failure> {
    let open = || {
        let stored = Stored::open(settings, Arc::new(SystemClock), false)?;
        if !stored.service.listened_minutes().is_empty() {
            return Ok(stored);
        }
        stored.close();
        Err(Failure::broken("the database has no minute yet"))
    };
    let mut failure = match open() {
        Ok(stored) => return Ok(Some(stored)),
        Err(failure) => failure,
    };
    let (waiting, done) = (Arc::new(Waiting::default()), Arc::new(AtomicBool::new(false)));
    let addr = listener.local_addr()?;
    writeln!(std::io::stderr(), "http://{addr}/ answers /healthz and /readyz until the database has a first minute")?;
    let (door, shown, ends) = (listener.try_clone()?, Arc::clone(&waiting), Arc::clone(&done));
    let config = ServeConfig { agents: None, agent_sessions: None, ..serve_config(settings)? };
    let answered = runtime.spawn(async move {
        serve_worker(tokio::net::TcpListener::from_std(door)?, shown, config, stopped(ends))
            .await
            .map_err(Failure::from)
    });
    let found = loop {
        if let Some(news) = waiting.waits_for(failure.text().unwrap_or_default()) {
            writeln!(std::io::stderr(), "barograph: {news}; waiting for it")?;
        }
        std::thread::sleep(AGAIN);
        if stop.load(Ordering::Relaxed) {
            break None;
        }
        match open() {
            Ok(stored) => break Some(stored),
            Err(again) => failure = again,
        }
    };
    done.store(true, Ordering::Relaxed);
    runtime.block_on(answered).map_err(Failure::broken)??;
    Ok(found)
}

/// A process that has nothing to answer from yet.
#[derive(Default)]
struct Waiting(Mutex<String>);

impl Waiting {
    /// What is waited for, where that is news.
    fn waits_for(&self, why: String) -> Option<String> {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        (*known != why).then(|| {
            known.clone_from(&why);
            why
        })
    }
}

impl AskWorker for Waiting {
    fn role(&self) -> &'static str {
        "serve"
    }

    fn alive(&self) -> Result<(), Vec<String>> {
        Ok(())
    }

    /// Why is for whoever runs it: the log has it, the port does not.
    fn ready(&self) -> Result<Vec<String>, Vec<String>> {
        Err(vec!["the database has no minute of this cluster yet, or does not answer".to_owned()])
    }

    fn metrics_text(&self) -> String {
        String::new()
    }
}
