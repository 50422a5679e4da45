//! The one way by which this process writes positions and notices: opened when first needed, and again after a failure.

use crate::reopened::Reopened;
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
    /// What the operator has set for advice.
    pub(crate) rules: Rules,
    writer: Reopened<dyn PositionWriter>,
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
        f.debug_struct("PositionDesk").field("writer", &self.writer).finish_non_exhaustive()
    }
}

impl PositionDesk {
    /// Writes into this store, once something is to be written.
    pub fn new(target: StoreTarget, rules: Rules) -> Self {
        Self { rules, writer: Reopened::new(target, open_positions), receivers: None, watched: Mutex::default() }
    }

    /// The watch, for one check at a time.
    pub(crate) fn watched(&self) -> MutexGuard<'_, Watched> {
        self.watched.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Registers a position.
    pub(crate) fn put(&self, position: &Position, at: Ts) -> Result<Registered> {
        self.writer.with(|w| w.put_position(position, at))
    }

    /// Takes one out.
    pub(crate) fn remove(&self, id: &str, at: Ts) -> Result<bool> {
        self.writer.with(|w| w.remove_position(id, at))
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
        self.writer.with(|w| w.record_check(states, notices, &messages))?;
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
        self.writer.with(|w| w.record_check(&[], &[], &messages))?;
        receivers.stored(messages);
        Ok(())
    }
}
