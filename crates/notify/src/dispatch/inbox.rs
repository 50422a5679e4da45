//! What reaches the dispatcher's thread: messages, ends of requests, commands. Bounded; when it is full, the store is read instead.

use super::send::Finished;
use super::stats::Stats;
use crate::outbox::Outgoing;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Messages that wait to be taken.
const ROWS_MAX: usize = 8_192;
/// Commands that wait; people give few.
const COMMANDS_MAX: usize = 1_024;

/// What somebody wants done.
#[derive(Debug)]
pub(super) enum Command {
    Reread,
    Enable(String),
    Replay(Box<Outgoing>),
}

/// How to end.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Stop {
    /// After requests under way, but not later than this.
    Within(Duration),
    /// At once.
    Now,
}

/// Everything that came since it was asked last.
#[derive(Debug, Default)]
pub(super) struct Batch {
    pub(super) rows: Vec<Outgoing>,
    pub(super) finished: Vec<Finished>,
    /// Positions of endpoints whose refresh has ended.
    pub(super) refreshed: Vec<usize>,
    pub(super) commands: Vec<Command>,
    pub(super) reread: bool,
    /// There was no room for all rows: none of them is here.
    pub(super) overflown: bool,
    pub(super) stop: Option<Stop>,
}

impl Batch {
    const fn is_empty(&self) -> bool {
        self.rows.is_empty()
            && self.finished.is_empty()
            && self.refreshed.is_empty()
            && self.commands.is_empty()
            && !self.reread
            && !self.overflown
            && self.stop.is_none()
    }
}

#[derive(Debug, Default)]
pub(super) struct Inbox {
    batch: Mutex<Batch>,
    changed: Condvar,
    stats: Mutex<Stats>,
}

impl Inbox {
    fn open(&self) -> MutexGuard<'_, Batch> {
        self.batch.lock().unwrap_or_else(PoisonError::into_inner)
    }
    pub(super) fn deliver(&self, messages: Vec<Outgoing>) {
        let mut batch = self.open();
        if batch.overflown || batch.rows.len() + messages.len() > ROWS_MAX {
            // A part of them would bring news ahead of what it follows: the store has all, in order.
            batch.overflown = true;
            batch.rows.clear();
        } else {
            batch.rows.extend(messages);
        }
        drop(batch);
        self.changed.notify_one();
    }
    pub(super) fn command(&self, command: Command) {
        let mut batch = self.open();
        match command {
            Command::Reread => batch.reread = true,
            // Beyond that the store knows: what was replayed or enabled waits there.
            other if batch.commands.len() < COMMANDS_MAX => batch.commands.push(other),
            Command::Enable(_) | Command::Replay(_) => batch.reread = true,
        }
        drop(batch);
        self.changed.notify_one();
    }
    /// Bounded by the requests under way.
    pub(super) fn finished(&self, finished: Finished) {
        self.open().finished.push(finished);
        self.changed.notify_one();
    }
    /// A refresh of this endpoint has ended.
    pub(super) fn refreshed(&self, place: usize) {
        self.open().refreshed.push(place);
        self.changed.notify_one();
    }
    /// An end at once is not softened by a later one.
    pub(super) fn stop(&self, within: Option<Duration>) {
        let mut batch = self.open();
        if batch.stop.is_none() {
            batch.stop = Some(within.map_or(Stop::Now, Stop::Within));
        }
        drop(batch);
        self.changed.notify_one();
    }
    /// Waits for news, at most so long. The stop stays.
    pub(super) fn take(&self, within: Duration) -> Batch {
        let batch = self.open();
        let (mut batch, _) =
            self.changed.wait_timeout_while(batch, within, |b| b.is_empty()).unwrap_or_else(PoisonError::into_inner);
        let stop = batch.stop;
        let taken = core::mem::take(&mut *batch);
        batch.stop = stop;
        drop(batch);
        taken
    }
    /// As [`Self::take`] for one that ends: the stop itself is no news.
    pub(super) fn take_last(&self, within: Duration) -> Vec<Finished> {
        let batch = self.open();
        let (mut batch, _) = self
            .changed
            .wait_timeout_while(batch, within, |b| b.finished.is_empty())
            .unwrap_or_else(PoisonError::into_inner);
        core::mem::take(&mut batch.finished)
    }
    pub(super) fn stats(&self) -> Stats {
        self.stats.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
    pub(super) fn count(&self, change: impl FnOnce(&mut Stats)) {
        change(&mut self.stats.lock().unwrap_or_else(PoisonError::into_inner));
    }
}
