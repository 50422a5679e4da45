//! What passes between the core thread and the writer thread: jobs, bounded by bytes, and buffers that come back.
//!
//! When the queue is full the core waits, and the waiting is counted: a journal that cannot keep up slows the process down
//! instead of losing frames or growing without bound. A failed write is kept here and answers every later call.

use super::{Error, Result};
use barograph_domain::{Span, Ts};
use std::collections::VecDeque;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

/// Lines of one file, ready to be packed.
#[derive(Debug, Default)]
pub(super) struct Text {
    pub(super) bytes: Vec<u8>,
    pub(super) lines: u32,
    pub(super) first_line: u64,
    pub(super) first: Ts,
    pub(super) last: Ts,
}

/// Work for the writer thread, done in order.
#[derive(Debug)]
pub(super) enum Job {
    /// Create a file; nothing reaches the disk before its first lines.
    Open {
        file: u64,
        folder: PathBuf,
        stem: String,
        header: Vec<u8>,
        first: Ts,
    },
    Lines {
        file: u64,
        text: Text,
    },
    Close {
        file: u64,
    },
    /// Say that everything before is with the operating system, or on the device.
    Mark {
        ticket: u64,
        sync: bool,
    },
}

#[derive(Debug, Default)]
struct State {
    jobs: VecDeque<Job>,
    queued: usize,
    spare: Vec<Vec<u8>>,
    spare_bytes: usize,
    done: u64,
    stopping: bool,
    failed: Option<String>,
    tally: Tally,
}

/// Counts the two threads keep together.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Tally {
    pub(super) written: u64,
    pub(super) files_open: u64,
    pub(super) blocked: u64,
    pub(super) blocked_for: Span,
}

/// Buffers kept for reuse: what hundreds of connections of some 50 KB/s need between two flushes.
const SPARE_BYTES_MAX: usize = 32 << 20;

#[derive(Debug)]
pub(super) struct Shared {
    limit: usize,
    /// Whether `State::failed` is set, for those who ask often.
    broken: AtomicBool,
    state: Mutex<State>,
    room: Condvar,
    work: Condvar,
    marked: Condvar,
}

impl Shared {
    pub(super) fn new(limit: usize) -> Arc<Self> {
        Arc::new(Self {
            limit,
            broken: AtomicBool::new(false),
            state: Mutex::default(),
            room: Condvar::new(),
            work: Condvar::new(),
            marked: Condvar::new(),
        })
    }

    /// A panic of the other thread is reported through `failed`, so a poisoned mutex says nothing new.
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Hands a job over, waiting for room.
    pub(super) fn push(&self, job: Job) -> Result<()> {
        let size = size(&job);
        let mut state = self.state();
        // One text larger than the whole queue passes once the queue is empty.
        if state.queued > 0 && size > 0 && state.queued + size > self.limit && state.failed.is_none() {
            let began = Instant::now();
            state.tally.blocked += 1;
            while state.queued > 0 && state.queued + size > self.limit && state.failed.is_none() {
                state = self.room.wait(state).unwrap_or_else(PoisonError::into_inner);
            }
            let waited = i64::try_from(began.elapsed().as_nanos()).unwrap_or(i64::MAX);
            state.tally.blocked_for = Span(state.tally.blocked_for.0.saturating_add(waited));
        }
        refuse_after_failure(&state)?;
        state.queued += size;
        state.jobs.push_back(job);
        drop(state);
        self.work.notify_one();
        Ok(())
    }

    /// The next job; `None` when the writer stops and everything is done.
    pub(super) fn pop(&self) -> Option<Job> {
        let mut state = self.state();
        loop {
            if let Some(job) = state.jobs.pop_front() {
                return Some(job);
            }
            if state.stopping {
                return None;
            }
            state = self.work.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// A text is written: its memory comes back, and there is room again.
    pub(super) fn wrote(&self, mut buffer: Vec<u8>, written: u64) {
        let mut state = self.state();
        state.queued -= buffer.len();
        state.tally.written += written;
        if state.spare_bytes + buffer.capacity() <= SPARE_BYTES_MAX {
            buffer.clear();
            state.spare_bytes += buffer.capacity();
            state.spare.push(buffer);
        }
        drop(state);
        self.room.notify_all();
    }

    /// A buffer to fill.
    pub(super) fn buffer(&self) -> Vec<u8> {
        let mut state = self.state();
        let buffer = state.spare.pop().unwrap_or_default();
        state.spare_bytes -= buffer.capacity();
        buffer
    }

    pub(super) fn files_open(&self, n: usize) {
        self.state().tally.files_open = n as u64;
    }

    pub(super) fn mark(&self, ticket: u64) {
        self.state().done = ticket;
        self.marked.notify_all();
    }

    /// The first failure stays; everybody who waits wakes up to it.
    pub(super) fn fail(&self, cause: String) {
        let mut state = self.state();
        state.failed.get_or_insert(cause);
        state.jobs.clear();
        state.queued = 0;
        // Before the lock is given back: who saw the failure by waiting must find it by asking, too.
        self.broken.store(true, Ordering::Release);
        drop(state);
        self.room.notify_all();
        self.marked.notify_all();
    }

    pub(super) fn stop(&self) {
        self.state().stopping = true;
        self.work.notify_all();
    }

    /// The first failure, if there was one; costs next to nothing while there is none.
    pub(super) fn check(&self) -> Result<()> {
        if self.broken.load(Ordering::Acquire) { refuse_after_failure(&self.state()) } else { Ok(()) }
    }

    /// Counts, bytes waiting, and the first failure.
    pub(super) fn counts(&self) -> (Tally, usize, Option<String>) {
        let state = self.state();
        (state.tally, state.queued, state.failed.clone())
    }

    fn wait(&self, ticket: u64) -> Result<()> {
        let mut state = self.state();
        while state.done < ticket {
            refuse_after_failure(&state)?;
            state = self.marked.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        Ok(())
    }
}

fn refuse_after_failure(state: &State) -> Result<()> {
    state.failed.as_ref().map_or(Ok(()), |cause| Err(Error::Poisoned { cause: cause.clone() }))
}

fn size(job: &Job) -> usize {
    match job {
        Job::Lines { text, .. } => text.bytes.len(),
        Job::Open { .. } | Job::Close { .. } | Job::Mark { .. } => 0,
    }
}

/// Stands for everything handed in before it was given out; any thread may wait on it.
#[derive(Clone, Debug)]
pub struct Ticket {
    pub(super) number: u64,
    pub(super) shared: Arc<Shared>,
}

impl Ticket {
    /// Waits until everything before this ticket has reached the level it was asked for.
    ///
    /// # Errors
    /// When the writer failed before that.
    pub fn wait(&self) -> Result<()> {
        self.shared.wait(self.number)
    }

    /// Whether waiting would return at once.
    #[must_use]
    pub fn is_done(&self) -> bool {
        let state = self.shared.state();
        state.done >= self.number || state.failed.is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_saw_the_failure_finds_it_by_asking() {
        for _ in 0..2_000 {
            let shared = Shared::new(1);
            let failing = Arc::clone(&shared);
            let writer = std::thread::spawn(move || failing.fail("no room".to_owned()));
            while shared.counts().2.is_none() {}
            assert!(shared.check().is_err());
            writer.join().unwrap();
        }
    }
}
