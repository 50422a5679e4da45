//! What every request shares: the query, and what stands before it. Immutable but for atomics and semaphores.

use crate::agents;
use crate::alone::Alone;
use crate::front::Front;
use crate::guard::panic_text;
use crate::problem::{Problem, ProblemKind};
use crate::query::{Query, QueryError};
use crate::serve::ServeConfig;
use axum::http::HeaderValue;
use bytes::Bytes;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use tokio::sync::{Semaphore, watch};

/// Shared by reference count.
pub(crate) type SharedState = Arc<App>;

/// What every handler shares: who answers, and the configuration and the counts of the server in front.
pub(crate) struct App {
    pub(crate) query: Arc<dyn Query>,
    pub(crate) front: Arc<Front>,
    /// The catalogue never changes while serving: rendered once.
    pub(crate) catalogue: Bytes,
    pub(crate) catalogue_etag: HeaderValue,
    /// So does the description of the API.
    pub(crate) openapi: Bytes,
    pub(crate) openapi_etag: HeaderValue,
    /// Feature ids, in row order.
    pub(crate) features: Vec<&'static str>,
    /// Reads on the blocking pool.
    pub(crate) reads: Arc<Semaphore>,
    /// Whose scorecard is being made.
    pub(crate) scorecards: Arc<Alone>,
    /// Whose changed book is being replayed.
    pub(crate) what_ifs: Arc<Alone>,
    /// Clients of the event stream.
    pub(crate) streams: Arc<Semaphore>,
    /// Turns true when the server is closing, or another query takes over.
    pub(crate) closing: watch::Receiver<bool>,
}

/// The front is part of it: handlers ask for limits and counters here.
impl core::ops::Deref for App {
    type Target = Front;
    fn deref(&self) -> &Front {
        &self.front
    }
}

impl App {
    pub(crate) fn new(query: Arc<dyn Query>, config: ServeConfig, closing: watch::Receiver<bool>) -> SharedState {
        Arc::new(Self::of(query, Front::new(config), closing))
    }

    fn of(query: Arc<dyn Query>, front: Arc<Front>, closing: watch::Receiver<bool>) -> Self {
        let entries = query.catalogue();
        let features = entries.iter().map(|e| e.id).collect();
        // Plain data with finite numbers: writing it cannot fail, and an empty list would be seen at once.
        let catalogue = Bytes::from(serde_json::to_vec(&crate::view::Catalogue { items: entries }).unwrap_or_default());
        let catalogue_etag = crate::etag::strong(&catalogue);
        let openapi = Bytes::from(crate::openapi::openapi_json());
        let openapi_etag = crate::etag::strong(&openapi);
        Self {
            reads: Arc::new(Semaphore::new(front.config.reads_max)),
            scorecards: Alone::new("scorecards"),
            what_ifs: Alone::new("replays of changed books"),
            streams: Arc::new(Semaphore::new(front.config.stream_clients_max)),
            query,
            front,
            catalogue,
            catalogue_etag,
            openapi,
            openapi_etag,
            features,
            closing,
        }
    }

    /// The same server with another query: limits, clients and counters go on.
    pub(crate) fn followed_by(&self, query: Arc<dyn Query>, closing: watch::Receiver<bool>) -> SharedState {
        Arc::new(Self {
            reads: Arc::clone(&self.reads),
            scorecards: Arc::clone(&self.scorecards),
            what_ifs: Arc::clone(&self.what_ifs),
            streams: Arc::clone(&self.streams),
            ..Self::of(query, Arc::clone(&self.front), closing)
        })
    }

    /// Runs a read that may touch the disk, away from the async threads. At most `reads_max` run at once; the place is
    /// held until the read really ends, also when its request has timed out, so that slow reads cannot pile up.
    pub(crate) async fn read<T, F>(&self, route: &'static str, read: F) -> Result<T, Problem>
    where
        T: Send + 'static,
        F: FnOnce(&dyn Query) -> Result<T, QueryError> + Send + 'static,
    {
        let place = Arc::clone(&self.reads)
            .acquire_owned()
            .await
            .map_err(|_closed| Problem::new(ProblemKind::NotReady, "the server is closing"))?;
        let query = Arc::clone(&self.query);
        let held = move || {
            let result = read(&*query);
            drop(place);
            result
        };
        let done = if agents::reads_in_place() {
            let done = catch_unwind(AssertUnwindSafe(|| tokio::task::block_in_place(held)));
            done.map_err(|panic| panic_text(&*panic))
        } else {
            tokio::task::spawn_blocking(held).await.map_err(|panicked| panicked.to_string())
        };
        match done {
            Ok(Ok(value)) => Ok(value),
            Ok(Err(error)) => Err(self.problem(route, &error)),
            Err(panicked) => {
                self.incident(route, format!("the read panicked: {panicked}"));
                Err(Problem::internal())
            }
        }
    }

    /// The same for a read of which there is one at a time. It waits for that place before it takes one of the reads, and holds both
    /// until it really ends.
    pub(crate) async fn read_alone<T, F>(&self, one: &Alone, route: &'static str, read: F) -> Result<T, Problem>
    where
        T: Send + 'static,
        F: FnOnce(&dyn Query) -> Result<T, QueryError> + Send + 'static,
    {
        let place = one.place().await?;
        let held = move |query: &dyn Query| {
            let result = read(query);
            drop(place);
            result
        };
        self.read(route, held).await
    }

    /// Runs a task beside its request; should it panic, the operator hears of it.
    pub(crate) fn spawn(self: &Arc<Self>, route: &'static str, task: impl Future<Output = ()> + Send + 'static) {
        let app = Arc::clone(self);
        tokio::spawn(async move {
            if let Err(panicked) = tokio::spawn(task).await {
                app.incident(route, format!("the task panicked: {panicked}"));
            }
        });
    }

    /// The client's document for a failed read; the operator hears of internal failures here and nowhere else.
    pub(crate) fn problem(&self, route: &'static str, error: &QueryError) -> Problem {
        if matches!(error, QueryError::Internal { .. }) {
            self.incident(route, chain(error));
        }
        Problem::from_query(error)
    }
}

/// An error with its causes, joined by colons.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(e) = cause {
        let said = e.to_string();
        if !text.ends_with(&said) {
            text = format!("{text}: {said}");
        }
        cause = e.source();
    }
    text
}
