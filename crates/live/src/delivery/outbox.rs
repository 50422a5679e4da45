//! The dispatcher's outbox over the store, on a connection of its own that is opened again after a failure.

use crate::chain;
use barograph_domain::delivery::{Attempt, EndpointState, Message, Silence};
use barograph_domain::{Span, Ts};
use barograph_notify::outbox::{Change, Join, Outbox, OutboxError, Outgoing, Recovered};
use barograph_store::{Error, OutboxStore, Recovery, StoreTarget, open_outbox};
use core::sync::atomic::{AtomicU64, Ordering};
use std::sync::Arc;

/// Messages taken up at a time; more are asked for behind the last of them.
const UNFINISHED_MAX: usize = 20_000;
/// Storms of the last minutes go on after a restart.
const RECENT: Span = Span::mins(10);

/// The outbox of the dispatcher, kept in the database of this process.
pub(crate) struct StoreOutbox {
    target: StoreTarget,
    store: Option<Box<dyn OutboxStore>>,
    now: Arc<dyn Fn() -> Ts + Send + Sync>,
    /// Raised with every change.
    changes: Arc<AtomicU64>,
}

impl StoreOutbox {
    /// Over an open outbox.
    pub(crate) fn new(
        target: StoreTarget,
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

/// What another process holds or what is away for now may come back, and what is opened again may work; the rest needs a person.
fn refused(error: &Error) -> OutboxError {
    match error.recovery() {
        Recovery::RetryAfter | Recovery::Reopen => OutboxError::Unavailable(chain(error)),
        // Whoever holds the role may end.
        Recovery::Fatal if matches!(error, Error::Locked { .. }) => OutboxError::Unavailable(chain(error)),
        Recovery::Fatal | Recovery::Refuse | Recovery::Stop => OutboxError::Broken(chain(error)),
    }
}

/// Silences that ended while nobody delivered: since the last sign of somebody who did.
fn ended(store: &mut dyn OutboxStore, now: Ts) -> Result<Vec<Silence>, Error> {
    let Some(since) = store.last_sign()? else { return Ok(Vec::new()) };
    let mut silences = store.silences(None, Some(since))?;
    silences.retain(|s| s.ends_at <= now);
    Ok(silences)
}

impl Outbox for StoreOutbox {
    fn recover(&mut self) -> Result<Recovered, OutboxError> {
        let now = (self.now)();
        self.with(|store| {
            // First: what is reported from here on is no sign of a time before.
            let ended = ended(store, now)?;
            let unfinished = store.unfinished(UNFINISHED_MAX)?;
            Ok(Recovered {
                more: unfinished.len() == UNFINISHED_MAX,
                unfinished,
                recent: store.recent(now - RECENT)?,
                firing: store.firing()?,
                endpoints: store.endpoint_states()?,
                silences: store.silences(None, Some(now))?,
                ended,
            })
        })
    }

    fn unfinished_after(&mut self, last: &Message) -> Result<(Vec<Outgoing>, bool), OutboxError> {
        self.with(|store| {
            let page = store.unfinished_after(last, UNFINISHED_MAX)?;
            let more = page.len() == UNFINISHED_MAX;
            Ok((page, more))
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

#[cfg(test)]
mod tests {
    use super::*;
    use barograph_domain::delivery::{Compare, Matcher};
    use barograph_notify::sample;
    use std::path::PathBuf;

    #[test]
    fn only_what_a_person_must_mend_breaks_the_outbox() {
        let path = || PathBuf::from("barograph.db");
        let passing = [
            Error::Busy { path: path() },
            Error::Poisoned { cause: "x".to_owned() },
            Error::Locked { role: "delivery", pid: None, path: path() },
            Error::Unavailable { path: path(), retry_after: std::time::Duration::ZERO, reason: "x".to_owned() },
        ];
        for error in passing {
            assert!(matches!(refused(&error), OutboxError::Unavailable(_)), "{error}");
        }
        let broken = [
            Error::Full { path: path() },
            Error::Corrupt { path: path(), detail: "x".to_owned() },
            Error::Invalid("x".to_owned()),
        ];
        for error in broken {
            assert!(matches!(refused(&error), OutboxError::Broken(_)), "{error}");
        }
    }

    #[test]
    fn silences_that_ended_while_nobody_delivered_are_found() {
        let dir = tempfile::tempdir().unwrap();
        let target = StoreTarget::Folder(dir.path().to_owned());
        let last = Ts::from_civil(2026, 2, 5, 12, 0, 0);
        let now = last + Span::hours(8);
        let mut store = open_outbox(&target).unwrap();
        let message = sample::message(last);
        store.enqueue(&[Outgoing { message, deliveries: Vec::new() }], &[]).unwrap();
        for (id, ends_at) in
            [("before", last - Span::mins(1)), ("meanwhile", last + Span::hours(1)), ("on", now + Span::hours(1))]
        {
            let starts_at = last - Span::hours(2);
            let matchers = vec![Matcher { label: "venue".into(), op: Compare::Is, value: "okx".into() }];
            let (author, reason) = ("ann".to_owned(), "work".to_owned());
            let id = id.to_owned();
            let silence = Silence { id, matchers, author, reason, starts_at, ends_at, created_at: starts_at };
            store.put_silence(&silence).unwrap();
        }
        let found = StoreOutbox::new(target, store, Arc::new(move || now), Arc::default()).recover().unwrap();
        let ids = |of: &[Silence]| of.iter().map(|s| s.id.clone()).collect::<Vec<_>>();
        assert_eq!((ids(&found.ended), ids(&found.silences)), (vec!["meanwhile".to_owned()], vec!["on".to_owned()]));
        assert!(!found.more);
    }
}
