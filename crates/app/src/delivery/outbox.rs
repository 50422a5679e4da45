//! The dispatcher's outbox over the store, on a connection of its own that is opened again after a failure.

use crate::failure::chain;
use barograph_domain::delivery::{Attempt, EndpointState, Silence};
use barograph_domain::{Span, Ts};
use barograph_notify::outbox::{Change, Join, Outbox, OutboxError, Outgoing, Recovered};
use barograph_store::{Error, OutboxStore, Target, open_outbox};
use core::sync::atomic::{AtomicU64, Ordering};
use std::sync::Arc;

/// Messages taken up at a time: more wait in the store and are looked for when these have ended.
const UNFINISHED_MAX: usize = 20_000;
/// Storms of the last minutes go on after a restart.
const RECENT: Span = Span::mins(10);

/// See the module.
pub(crate) struct StoreOutbox {
    target: Target,
    store: Option<Box<dyn OutboxStore>>,
    now: Arc<dyn Fn() -> Ts + Send + Sync>,
    /// Raised with every change.
    changes: Arc<AtomicU64>,
}

impl StoreOutbox {
    /// Over an open outbox.
    pub(crate) fn new(
        target: Target,
        store: Box<dyn OutboxStore>,
        now: Arc<dyn Fn() -> Ts + Send + Sync>,
        changes: Arc<AtomicU64>,
    ) -> Self {
        Self { target, store: Some(store), now, changes }
    }

    /// The same, which is seen by whoever counts changes.
    fn change<T>(&mut self, work: impl FnOnce(&mut dyn OutboxStore) -> Result<T, Error>) -> Result<T, OutboxError> {
        let done = self.with(work);
        self.changes.fetch_add(1, Ordering::Relaxed);
        done
    }

    fn with<T>(&mut self, work: impl FnOnce(&mut dyn OutboxStore) -> Result<T, Error>) -> Result<T, OutboxError> {
        let store = match &mut self.store {
            Some(store) => store,
            None => self.store.insert(open_outbox(&self.target).map_err(|e| refused(&e))?),
        };
        let done = work(store.as_mut());
        if done.is_err() {
            // After a failed write nobody knows what is on disk until it is opened again.
            self.store = None;
        }
        done.map_err(|e| refused(&e))
    }
}

/// What another process holds or what is away for now may come back; the rest needs a person.
fn refused(error: &Error) -> OutboxError {
    match error {
        Error::Unavailable { .. } | Error::Locked { .. } => OutboxError::Unavailable(chain(error)),
        other => OutboxError::Broken(chain(other)),
    }
}

impl Outbox for StoreOutbox {
    fn recover(&mut self) -> Result<Recovered, OutboxError> {
        let now = (self.now)();
        self.with(|store| {
            Ok(Recovered {
                unfinished: store.unfinished(UNFINISHED_MAX)?,
                recent: store.recent(now - RECENT)?,
                firing: store.firing()?,
                endpoints: store.endpoint_states()?,
                silences: store.silences(None, Some(now))?,
            })
        })
    }

    fn enqueue(&mut self, messages: &[Outgoing], joins: &[Join]) -> Result<(), OutboxError> {
        self.change(|store| store.enqueue(messages, joins))
    }

    fn record(
        &mut self,
        changes: &[Change],
        attempts: &[Attempt],
        states: &[EndpointState],
    ) -> Result<(), OutboxError> {
        self.change(|store| store.record(changes, attempts, states))
    }

    fn silences(&mut self) -> Result<Vec<Silence>, OutboxError> {
        let now = (self.now)();
        self.with(|store| store.silences(None, Some(now)))
    }
}
