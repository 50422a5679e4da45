//! How a worker does, written by its threads and read by whoever asks its port.
//!
//! Everything here is a number, a stamp or a sentence of its own: a reader never waits for a thread that works.

use barograph_cluster::Stage;
use barograph_domain::Ts;
use core::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, AtomicUsize, Ordering};
use core::time::Duration;
use std::io::Write as _;
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

/// When a loop has last come round.
#[derive(Debug)]
pub struct LoopPulse {
    began: Instant,
    beat_ms: AtomicU64,
}

impl Default for LoopPulse {
    /// It comes round now.
    fn default() -> Self {
        Self { began: Instant::now(), beat_ms: AtomicU64::new(0) }
    }
}

impl LoopPulse {
    /// It comes round.
    pub(super) fn beat(&self) {
        self.beat_ms.store(u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX), Ordering::Relaxed);
    }

    /// How long ago that was.
    #[must_use]
    pub fn silent(&self) -> Duration {
        self.began.elapsed().saturating_sub(Duration::from_millis(self.beat_ms.load(Ordering::Relaxed)))
    }
}

/// The newest answer of the broker.
#[derive(Debug, Default)]
pub struct BrokerStand(Mutex<Option<Result<(), String>>>);

impl BrokerStand {
    /// Keeps an answer; whoever runs the worker reads of a change in its log.
    pub(super) fn answered(&self, answer: Result<(), String>) {
        let mut newest = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match (&answer, newest.as_ref().is_none_or(Result::is_ok)) {
            (Err(why), true) => report(format_args!("{why}")),
            (Ok(()), false) => report(format_args!("the broker answers again")),
            (Ok(()), true) | (Err(_), false) => {}
        }
        *newest = Some(answer);
    }

    /// Whether it answered when it was last asked.
    ///
    /// # Errors
    /// Why not, as a sentence; also where it has not been asked yet.
    pub fn now(&self) -> Result<(), String> {
        let newest = self.0.lock().unwrap_or_else(PoisonError::into_inner).clone();
        newest.unwrap_or_else(|| Err("the broker has not answered yet".to_owned()))
    }
}

fn report(line: core::fmt::Arguments<'_>) {
    // Standard error may be closed; there is nobody left to report to.
    drop(writeln!(std::io::stderr(), "barograph: {line}"));
}

/// Where a group stands here, for people and for measures.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct GroupStand {
    /// Its number.
    pub group: u16,
    /// What is done for it.
    pub stage: Stage,
    /// Taken up to here.
    pub at: Option<Ts>,
    /// The token of this worker's tenure, while it has one.
    pub token: Option<u64>,
    /// The store has everything made of inputs up to here; known while it is held.
    pub stored: Option<Ts>,
    /// The stamp of the newest checkpoint that was kept or loaded here; known while it is held.
    pub checkpoint: Option<Ts>,
    /// What has happened to it here.
    pub tally: GroupTally,
    /// How long ago its loop has last come round.
    pub silent: Duration,
}

impl GroupStand {
    /// A group that is somebody else's, or nobody's.
    pub(super) fn watched(group: u16) -> Self {
        let (at, token, stored, checkpoint) = (None, None, None, None);
        let (tally, silent) = (GroupTally::default(), Duration::ZERO);
        Self { group, stage: Stage::Watching, at, token, stored, checkpoint, tally, silent }
    }

    /// Does this worker hold it?
    #[must_use]
    pub const fn is_held(&self) -> bool {
        !matches!(self.stage, Stage::Watching | Stage::Taking)
    }
}

/// What has happened to a group since the process began.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct GroupTally {
    /// Rows made in this tenure.
    pub rows: u64,
    /// Parcels that the broker delivered.
    pub parcels: u64,
    /// Those of them that held nothing new.
    pub repeated: u64,
    /// Pieces of the journal that the listening process was asked for, and gave.
    pub ranges: u64,
    /// Times that this worker began to take the group over.
    pub takeovers: u64,
    /// Published minutes that were made again and compared.
    pub compared: u64,
    /// Those of them that came out otherwise.
    pub different: u64,
}

/// The same as the threads of a group count it.
#[derive(Debug, Default)]
pub(super) struct GroupCounts {
    pub(super) rows: AtomicU64,
    pub(super) parcels: AtomicU64,
    pub(super) repeated: AtomicU64,
    pub(super) ranges: AtomicU64,
    pub(super) takeovers: AtomicU64,
    pub(super) compared: AtomicU64,
    pub(super) different: AtomicU64,
    /// Parcels on their way to the group's machine.
    pub(super) queued: AtomicUsize,
    stored: AtomicI64,
    checkpoint: AtomicI64,
}

impl GroupCounts {
    /// A tenure begins with what is published up to a stamp.
    pub(super) fn begins(&self, stored: Option<Ts>) {
        self.reaches(stored.unwrap_or(Ts(0)));
        self.checkpoint.store(0, Ordering::Relaxed);
    }

    /// The store has everything up to here.
    pub(super) fn reaches(&self, stored: Ts) {
        self.stored.store(stored.0, Ordering::Relaxed);
    }

    /// A checkpoint of this stamp was kept or loaded.
    pub(super) fn has_checkpoint(&self, at: Ts) {
        self.checkpoint.store(at.0, Ordering::Relaxed);
    }

    pub(super) fn stored(&self) -> Option<Ts> {
        stamp(&self.stored)
    }

    pub(super) fn checkpoint(&self) -> Option<Ts> {
        stamp(&self.checkpoint)
    }

    pub(super) fn tally(&self) -> GroupTally {
        let get = |count: &AtomicU64| count.load(Ordering::Relaxed);
        GroupTally {
            rows: get(&self.rows),
            parcels: get(&self.parcels),
            repeated: get(&self.repeated),
            ranges: get(&self.ranges),
            takeovers: get(&self.takeovers),
            compared: get(&self.compared),
            different: get(&self.different),
        }
    }
}

/// A stamp; 0 is none.
fn stamp(of: &AtomicI64) -> Option<Ts> {
    Some(Ts(of.load(Ordering::Relaxed))).filter(|at| at.0 > 0)
}

/// How a worker with groups does.
#[derive(Debug)]
pub struct EngineStand {
    /// Its loop, which shares out the groups.
    pub pulse: LoopPulse,
    /// What it asks about leases and workers.
    pub broker: BrokerStand,
    groups: Mutex<Vec<GroupStand>>,
    listed: AtomicBool,
}

impl EngineStand {
    /// Of a process that has begun nothing yet.
    #[must_use]
    pub fn new(groups: u16) -> Self {
        let watched = (0..groups).map(GroupStand::watched).collect();
        let (pulse, broker) = (LoopPulse::default(), BrokerStand::default());
        Self { pulse, broker, groups: Mutex::new(watched), listed: AtomicBool::new(false) }
    }

    /// Where each group stands, by number.
    #[must_use]
    pub fn groups(&self) -> Vec<GroupStand> {
        self.groups.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Has it entered itself among the workers, so that groups are shared out to it?
    #[must_use]
    pub fn is_listed(&self) -> bool {
        self.listed.load(Ordering::Relaxed)
    }

    /// The loop comes round: where the groups stand, and whether the worker is among those that are there.
    pub(super) fn comes_round(&self, groups: Vec<GroupStand>, is_listed: bool) {
        *self.groups.lock().unwrap_or_else(PoisonError::into_inner) = groups;
        self.listed.store(is_listed, Ordering::Relaxed);
        self.pulse.beat();
    }
}

/// How far the groups have come, as the universe worker has read it.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct GroupsReach {
    /// The newest minute that every group has stored; `None` while one has stored nothing.
    pub complete: Option<Ts>,
    /// Groups that have not stored the newest minute that another has.
    pub behind: usize,
}

/// How a universe worker does.
#[derive(Debug, Default)]
pub struct UniverseStand {
    /// The thread that keeps the lease.
    pub lease: LoopPulse,
    /// What makes hours and the ledger; it reads months back when it begins.
    pub making: LoopPulse,
    /// What is asked about the lease.
    pub broker: BrokerStand,
    token: AtomicU64,
    reach: Mutex<Option<GroupsReach>>,
    /// The minute up to which everything is made and stored, by this process; 0 is none.
    made: AtomicI64,
}

impl UniverseStand {
    /// The token, while it holds the lease.
    #[must_use]
    pub fn token(&self) -> Option<u64> {
        Some(self.token.load(Ordering::Relaxed)).filter(|token| *token > 0)
    }

    /// How far the groups have come; known while the lease is held.
    #[must_use]
    pub fn reach(&self) -> Option<GroupsReach> {
        *self.reach.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The minute up to which this process has made and stored hours and the ledger.
    #[must_use]
    pub fn made(&self) -> Option<Ts> {
        stamp(&self.made)
    }

    pub(super) fn has_made(&self, minute: Ts) {
        self.made.store(minute.0, Ordering::Relaxed);
    }

    pub(super) fn holds(&self, token: Option<u64>) {
        self.token.store(token.unwrap_or(0), Ordering::Relaxed);
    }

    pub(super) fn reads(&self, reach: Option<GroupsReach>) {
        *self.reach.lock().unwrap_or_else(PoisonError::into_inner) = reach;
    }
}
