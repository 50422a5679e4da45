//! Questions that take every core for seconds and memory by the hundred megabytes: of each kind one is answered at a time.
//!
//! Whoever waits for such a place holds none of those that reads have, so that a crowd here stops nobody else.

use crate::problem::{Problem, ProblemKind};
use core::sync::atomic::{AtomicUsize, Ordering};
use std::sync::Arc;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Requests that wait for the place at most, whose time limit goes on; the next is sent away.
const WAITING_MAX: usize = 3;
/// When a place may be free again, seconds: a year of ten markets takes as long.
const AGAIN_S: u32 = 5;

/// One place, and how many wait for it.
#[derive(Debug)]
pub(crate) struct Alone {
    what: &'static str,
    place: Arc<Semaphore>,
    waiting: AtomicUsize,
}

impl Alone {
    /// `what` are they, for whoever is sent away.
    pub(crate) fn new(what: &'static str) -> Arc<Self> {
        Arc::new(Self { what, place: Arc::new(Semaphore::new(1)), waiting: AtomicUsize::new(0) })
    }

    /// The place, once nobody else has it.
    pub(crate) async fn place(&self) -> Result<OwnedSemaphorePermit, Problem> {
        if let Ok(place) = Arc::clone(&self.place).try_acquire_owned() {
            return Ok(place);
        }
        let _waits = Waits::of(self)?;
        let place = Arc::clone(&self.place).acquire_owned().await;
        place.map_err(|_closed| Problem::new(ProblemKind::NotReady, "the server is closing"))
    }
}

/// One of those that wait, until it has the place or has gone.
struct Waits<'a>(&'a AtomicUsize);

impl<'a> Waits<'a> {
    fn of(alone: &'a Alone) -> Result<Self, Problem> {
        let waits = Self(&alone.waiting);
        if alone.waiting.fetch_add(1, Ordering::AcqRel) < WAITING_MAX {
            return Ok(waits);
        }
        let detail = format!("one of the {} is computed at a time, and {WAITING_MAX} wait already", alone.what);
        Err(Problem::new(ProblemKind::Busy, detail).retry_after(Some(AGAIN_S)).hint("ask again after Retry-After"))
    }
}

impl Drop for Waits<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::AcqRel);
    }
}
