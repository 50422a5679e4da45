//! The one way by which this process writes positions and notices: opened when first needed, and again after a failure.

use barograph_api::watches::{UserWatch, WatchChange};
use barograph_domain::Ts;
use barograph_domain::advice::{Position, PositionNotice};
use barograph_engine::advice::{OperatorSettings as Rules, PositionWatch};
use barograph_store::{Outgoing, PositionWriter, Registered, Result, StoreTarget, WatchState, open_positions};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Receivers of a process that delivers.
pub trait NoticeReceivers: Send + Sync {
    /// The message about a notice; `None` where nobody wants it.
    fn of_position(&self, notice: &PositionNotice) -> Option<Outgoing>;
    /// The message about a watch that came true; `None` where nobody wants it.
    fn of_watch(&self, watch: &UserWatch, turn: &WatchChange) -> Option<Outgoing>;
    /// These have been stored just now, and nobody else hands them over.
    fn stored(&self, messages: Vec<Outgoing>);
}

/// Writer of positions and notices, with the watch over them.
pub struct PositionDesk {
    target: StoreTarget,
    /// What the operator has set for advice.
    pub(crate) rules: Rules,
    writer: Mutex<Option<Box<dyn PositionWriter>>>,
    receivers: Option<Arc<dyn NoticeReceivers>>,
    watched: Mutex<Watched>,
}

/// The watch over positions of this process, and when each was looked at.
#[derive(Debug)]
pub(crate) struct Watched {
    /// What earlier processes remembered has been read.
    pub(crate) loaded: bool,
    pub(crate) watch: PositionWatch,
    /// By position: the minute it was checked against, and when.
    pub(crate) looked: BTreeMap<String, (Ts, Ts)>,
    /// The newest minute of all markets, and how many had it, when positions were last looked at.
    pub(crate) newest: Option<(Ts, usize)>,
    /// When that was.
    pub(crate) asked: Ts,
}

impl Default for Watched {
    fn default() -> Self {
        Self { loaded: false, watch: PositionWatch::default(), looked: BTreeMap::new(), newest: None, asked: Ts(0) }
    }
}

impl core::fmt::Debug for PositionDesk {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("PositionDesk").field("target", &self.target).finish_non_exhaustive()
    }
}

impl PositionDesk {
    /// Writes into this store, once something is to be written.
    pub fn new(target: StoreTarget, rules: Rules) -> Self {
        Self { target, rules, writer: Mutex::default(), receivers: None, watched: Mutex::default() }
    }

    /// The watch, for one check at a time.
    pub(crate) fn watched(&self) -> MutexGuard<'_, Watched> {
        self.watched.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Registers a position.
    pub(crate) fn put(&self, position: &Position, at: Ts) -> Result<Registered> {
        self.with(|w| w.put_position(position, at))
    }

    /// Takes one out.
    pub(crate) fn remove(&self, id: &str, at: Ts) -> Result<bool> {
        self.with(|w| w.remove_position(id, at))
    }

    /// Notices go to these receivers.
    pub fn delivering_to(mut self, receivers: Option<Arc<dyn NoticeReceivers>>) -> Self {
        self.receivers = receivers;
        self
    }

    /// Stores what a check found, and what is to be reported of it.
    pub(crate) fn record(&self, states: &[WatchState], notices: &[PositionNotice]) -> Result<()> {
        let of =
            |receivers: &Arc<dyn NoticeReceivers>| notices.iter().filter_map(|n| receivers.of_position(n)).collect();
        let messages: Vec<Outgoing> = self.receivers.as_ref().map(of).unwrap_or_default();
        self.with(|w| w.record_check(states, notices, &messages))?;
        if let Some(receivers) = &self.receivers {
            receivers.stored(messages);
        }
        Ok(())
    }

    /// Stores what is to be reported of watches that came true; one that is stored already is stored once.
    pub(crate) fn deliver_changes(&self, turns: &[(UserWatch, WatchChange)]) -> Result<()> {
        let Some(receivers) = &self.receivers else { return Ok(()) };
        let messages: Vec<Outgoing> = turns.iter().filter_map(|(w, turn)| receivers.of_watch(w, turn)).collect();
        if messages.is_empty() {
            return Ok(());
        }
        self.with(|w| w.record_check(&[], &[], &messages))?;
        receivers.stored(messages);
        Ok(())
    }

    fn with<T>(&self, work: impl FnOnce(&mut dyn PositionWriter) -> Result<T>) -> Result<T> {
        let mut held = self.writer.lock().unwrap_or_else(PoisonError::into_inner);
        if held.is_none() {
            *held = Some(open_positions(&self.target)?);
        }
        let Some(writer) = held.as_mut() else { return Err(barograph_store::Error::Invalid("no writer".to_owned())) };
        let done = work(writer.as_mut());
        if done.is_err() {
            // After a failed write nobody knows what is on disk until it is opened again.
            *held = None;
        }
        done
    }
}
