//! What a mirror has done, for whoever shows it: counters and how the server is now.

use barograph_domain::Ts;
use core::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

/// How the server is.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub enum MirrorState {
    /// It has not been reached yet, and nothing has failed.
    #[default]
    Begun,
    /// It took what was written last.
    Written,
    /// It cannot be reached, or does not take what is written; why.
    Lost(String),
}

/// Counters since the process began.
#[derive(Debug, Default)]
pub struct MirrorStats {
    keys: AtomicU64,
    failures: AtomicU64,
    connections: AtomicU64,
    now: Mutex<(MirrorState, Option<Ts>)>,
}

impl MirrorStats {
    /// Keys that were written.
    pub fn keys(&self) -> u64 {
        self.keys.load(Ordering::Relaxed)
    }

    /// Attempts to connect or to write that failed.
    pub fn failures(&self) -> u64 {
        self.failures.load(Ordering::Relaxed)
    }

    /// Connections that were opened.
    pub fn connections(&self) -> u64 {
        self.connections.load(Ordering::Relaxed)
    }

    /// How the server is.
    pub fn state(&self) -> MirrorState {
        self.lock().0.clone()
    }

    /// The moment of the newest write, by the clock of whoever is mirrored; `None` before the first.
    pub fn written_at(&self) -> Option<Ts> {
        self.lock().1
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, (MirrorState, Option<Ts>)> {
        self.now.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn connected(&self) {
        self.connections.fetch_add(1, Ordering::Relaxed);
    }

    /// So many keys were written; how the server was before.
    pub(crate) fn wrote(&self, keys: usize, at: Ts) -> MirrorState {
        self.keys.fetch_add(keys as u64, Ordering::Relaxed);
        let mut now = self.lock();
        now.1 = Some(at);
        core::mem::replace(&mut now.0, MirrorState::Written)
    }

    /// How the server was before this failure.
    pub(crate) fn failed(&self, why: String) -> MirrorState {
        self.failures.fetch_add(1, Ordering::Relaxed);
        core::mem::replace(&mut self.lock().0, MirrorState::Lost(why))
    }
}
