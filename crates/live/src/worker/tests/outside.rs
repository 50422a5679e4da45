//! The world of workers over memory: leases whose revisions are compared, a broker that may lose, double and reorder, a real journal,
//! and a real store.
//!
//! A file has one writer at a time, so the workers of a test share one that is opened for all markets. Tokens are compared in it by the
//! same statement as on a server; what is not tried here is the lock between two connections.

use super::super::{FollowedParcels, OpenStore, Outside, decode_range, encode_range};
use super::scene::{self, SceneLine};
use crate::ranges::range;
use barograph_domain::time::LATENESS;
use barograph_domain::{CalendarEntry, Event, Instrument, StreamDecl, Ts};
use barograph_lake::journal::Parcel;
use barograph_store::{
    Appended, Batches, Error, FenceState, Forgotten, ImportRecord, Imported, Inserted, LedgerPart, LiveBatch,
    PointsVersion, Pruned, Reader, Result as Stored, Retention, RunKey, RunSpec, RunWriter, SqliteWriter, StoreTarget,
    UniversePart, Writer, WriterRole, open_reader,
};
use core::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use core::time::Duration;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;
use tempfile::TempDir;

/// Longer than anything here takes on a busy machine.
pub(super) const PATIENCE: Duration = Duration::from_secs(60);
const STEP: Duration = Duration::from_millis(5);

/// Waits for something.
#[track_caller]
pub(super) fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !is_so() {
        assert!(begun.elapsed() < PATIENCE, "not within {} s: {what}", PATIENCE.as_secs());
        std::thread::sleep(STEP);
    }
}

fn locked<T>(of: &Mutex<T>) -> MutexGuard<'_, T> {
    of.lock().unwrap_or_else(PoisonError::into_inner)
}

/// How the broker carries parcels that it has acknowledged.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum BrokerMood {
    Honest,
    /// Of every ten parcels the last three, and all at the end.
    Loses,
    Doubles,
    /// Four by four, the last one first.
    Reorders,
    /// Nothing arrives.
    Swallows,
}

/// What is wrong for one worker.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) enum SeatTrouble {
    /// Neither leases nor parcels nor ranges.
    BrokerAway,
    /// Parcels alone do not come.
    NoParcels,
    StoreAway,
    /// A write of rows that has begun does not reach the store yet.
    WritesHeld,
    /// Whatever the worker asks for is answered when this is over.
    Paused,
    /// The next write is stored, and the worker is gone before the answer.
    EndsBehindWrite,
    /// Nothing is answered any more.
    Gone,
}

/// What the store has seen.
#[derive(Clone, Debug, Default)]
pub(super) struct StoreWitness {
    /// Batches that came with a token that was too small.
    pub(super) refused: u64,
    /// Rows that came as news and were published before.
    pub(super) repeated: u64,
    /// Tokens of each group in the order of its first rows.
    pub(super) tokens: BTreeMap<u16, Vec<u64>>,
    /// Hours between markets, and whether every group was stored behind them.
    pub(super) hours: Vec<(Ts, bool)>,
}

/// Entries of the key-value store by key, with their revisions.
type StoredEntries = BTreeMap<String, (u64, Vec<u8>)>;

/// What all workers share.
pub(super) struct MemoryWorld {
    pub(super) folder: TempDir,
    pub(super) lines: Vec<(Ts, SceneLine)>,
    pub(super) parcels: Vec<Parcel>,
    groups: u16,
    /// The newest revision, and the entries.
    entries: Mutex<(u64, StoredEntries)>,
    /// What the broker has kept, with the stamps at which each ends.
    log: Mutex<Vec<(Ts, Vec<u8>)>>,
    synced: AtomicI64,
    checkpoints: Mutex<BTreeMap<u16, (Ts, Vec<u8>)>>,
    store: Mutex<Box<dyn Writer>>,
    witness: Mutex<StoreWitness>,
}

impl MemoryWorld {
    pub(super) fn of(lines: Vec<(Ts, SceneLine)>, groups: u16) -> Arc<Self> {
        let folder = tempfile::tempdir().unwrap();
        scene::write(folder.path(), &lines);
        let store: Box<dyn Writer> = Box::new(SqliteWriter::open(folder.path(), &WriterRole::ALL).unwrap());
        Arc::new(Self {
            parcels: scene::parcels(&lines),
            folder,
            lines,
            groups,
            entries: Mutex::default(),
            log: Mutex::default(),
            synced: AtomicI64::new(0),
            checkpoints: Mutex::default(),
            store: Mutex::new(store),
            witness: Mutex::default(),
        })
    }

    pub(super) fn target(&self) -> StoreTarget {
        StoreTarget::Folder(self.folder.path().to_owned())
    }

    pub(super) fn reader(&self) -> Box<dyn Reader> {
        open_reader(&self.target()).unwrap()
    }

    pub(super) fn witness(&self) -> StoreWitness {
        locked(&self.witness).clone()
    }

    pub(super) fn checkpoint_at(&self, group: u16) -> Option<Ts> {
        locked(&self.checkpoints).get(&group).map(|(at, _)| *at)
    }

    pub(super) fn entry(&self, key: &str) -> Option<(u64, String)> {
        let (revision, value) = locked(&self.entries).1.get(key).cloned()?;
        Some((revision, String::from_utf8(value).unwrap()))
    }

    /// Journals these parcels and hands them to the broker.
    pub(super) fn publish(&self, numbers: core::ops::Range<usize>, mood: BrokerMood) {
        let parcels = &self.parcels[numbers];
        self.synced.store(parcels.last().unwrap().last().0, Ordering::Release);
        let mut order: Vec<usize> = (0..parcels.len()).collect();
        match mood {
            BrokerMood::Honest => {}
            BrokerMood::Loses => order.retain(|n| n % 10 < 7),
            BrokerMood::Doubles => order = order.iter().flat_map(|n| [*n, n.saturating_sub(5), *n]).collect(),
            BrokerMood::Reorders => order.chunks_mut(4).for_each(<[usize]>::reverse),
            BrokerMood::Swallows => order.clear(),
        }
        locked(&self.log).extend(order.into_iter().map(|n| (parcels[n].last(), parcels[n].bytes().to_vec())));
    }

    /// How far a group is stored.
    pub(super) fn through(&self, group: u16) -> Option<Ts> {
        self.reader().live_groups().unwrap().into_iter().find(|state| state.group == group)?.through
    }

    /// Waits until these groups are stored up to the last tick in the parcels before `end`.
    #[track_caller]
    pub(super) fn stored(&self, groups: core::ops::Range<u16>, end: usize) {
        // The last parcel of a life has no tick, and a stop counts as one.
        let want = self.parcels[end - 1].last();
        until(&format!("the store of groups up to {want}"), || {
            groups.clone().into_iter().all(|group| self.through(group) >= Some(want))
        });
    }

    fn witnessed(&self, batch: &LiveBatch<'_>, answer: &Stored<Appended>) {
        let mut witness = locked(&self.witness);
        match answer {
            Ok(done) => {
                witness.repeated += done.rows_same;
                if let Some(fence) = batch.fence.filter(|_| done.rows > 0) {
                    let tokens = witness.tokens.entry(fence.group).or_default();
                    if tokens.last() != Some(&fence.token) {
                        tokens.push(fence.token);
                    }
                }
                for hour in batch.universe {
                    let groups = self.reader().live_groups().unwrap();
                    let behind = |group: u16| {
                        let through = groups.iter().find(|state| state.group == group).and_then(|s| s.through);
                        through.is_some_and(|through| through >= hour.row.ts + LATENESS)
                    };
                    witness.hours.push((hour.row.ts, (0..self.groups).all(behind)));
                }
            }
            Err(Error::Fenced { .. }) => witness.refused += 1,
            Err(other) => panic!("the store: {other}"),
        }
    }
}

/// The world as one worker has it.
pub(super) struct MemorySeat {
    pub(super) world: Arc<MemoryWorld>,
    troubles: Mutex<BTreeSet<SeatTrouble>>,
    /// Nothing of the journal behind this stamp reaches it.
    reach: AtomicI64,
    /// Writes that have waited at [`SeatTrouble::WritesHeld`].
    pub(super) held: AtomicU64,
    /// Writes that the store was asked for.
    pub(super) asked: AtomicU64,
}

/// As the worker has it.
#[derive(Clone)]
pub(super) struct MemoryOutside(pub(super) Arc<MemorySeat>);

impl MemoryOutside {
    pub(super) fn new(world: &Arc<MemoryWorld>) -> Self {
        Self(Arc::new(MemorySeat {
            world: Arc::clone(world),
            troubles: Mutex::default(),
            reach: AtomicI64::new(i64::MAX),
            held: AtomicU64::new(0),
            asked: AtomicU64::new(0),
        }))
    }

    pub(super) fn begins(&self, trouble: SeatTrouble) {
        locked(&self.0.troubles).insert(trouble);
    }

    pub(super) fn ends(&self, trouble: SeatTrouble) {
        locked(&self.0.troubles).remove(&trouble);
    }

    pub(super) fn has(&self, trouble: SeatTrouble) -> bool {
        self.0.has(trouble)
    }

    pub(super) fn reaches(&self, at: Ts) {
        self.0.reach.store(at.0, Ordering::Release);
    }
}

impl MemorySeat {
    fn has(&self, trouble: SeatTrouble) -> bool {
        locked(&self.troubles).contains(&trouble)
    }

    fn waits(&self, trouble: SeatTrouble) {
        let begun = Instant::now();
        while self.has(trouble) && begun.elapsed() < PATIENCE {
            std::thread::sleep(STEP);
        }
    }

    fn broker(&self) -> Result<(), String> {
        self.waits(SeatTrouble::Paused);
        let away = self.has(SeatTrouble::BrokerAway) || self.has(SeatTrouble::Gone);
        if away { Err("the broker is away".to_owned()) } else { Ok(()) }
    }

    fn store(&self) -> Stored<()> {
        self.waits(SeatTrouble::Paused);
        let away = self.has(SeatTrouble::StoreAway) || self.has(SeatTrouble::Gone);
        if away { Err(refusal()) } else { Ok(()) }
    }

    fn reach(&self) -> Ts {
        Ts(self.reach.load(Ordering::Acquire))
    }
}

fn refusal() -> Error {
    Error::Unavailable { path: "here".into(), retry_after: STEP, reason: "it is away".to_owned() }
}

impl Outside for MemoryOutside {
    fn lease(&self, key: &str) -> Result<Option<(u64, Vec<u8>)>, String> {
        self.0.broker()?;
        Ok(locked(&self.0.world.entries).1.get(key).cloned())
    }

    fn swap_lease(&self, key: &str, expected: u64, value: &[u8]) -> Result<Option<u64>, String> {
        self.0.broker()?;
        let mut entries = locked(&self.0.world.entries);
        if entries.1.get(key).map_or(0, |(revision, _)| *revision) != expected {
            return Ok(None);
        }
        entries.0 += 1;
        let revision = entries.0;
        entries.1.insert(key.to_owned(), (revision, value.to_vec()));
        Ok(Some(revision))
    }

    fn leases(&self, prefix: &str) -> Result<Vec<(String, u64)>, String> {
        self.0.broker()?;
        let entries = locked(&self.0.world.entries);
        let own = entries.1.iter().filter(|(key, _)| key.starts_with(prefix));
        Ok(own.map(|(key, (revision, _))| (key.clone(), *revision)).collect())
    }

    fn follow(&self, since: Ts) -> Box<dyn FollowedParcels> {
        let log = locked(&self.0.world.log);
        let next = log.iter().position(|(last, _)| *last >= since).unwrap_or(log.len());
        Box::new(SeatParcels { seat: Arc::clone(&self.0), next })
    }

    fn range(&self, after: Ts, until: Option<Ts>) -> Result<crate::ranges::RangeAnswer, String> {
        self.0.broker()?;
        let world = &self.0.world;
        let synced = Ts(world.synced.load(Ordering::Acquire)).min(self.0.reach());
        decode_range(encode_range(range(world.folder.path(), after, until.unwrap_or(Ts::MAX), synced)))
    }

    fn checkpoint(&self, group: u16) -> Result<Option<(Ts, Vec<u8>)>, String> {
        self.0.broker()?;
        Ok(locked(&self.0.world.checkpoints).get(&group).cloned())
    }

    fn remove(&self, key: &str) {
        if self.0.broker().is_ok() {
            locked(&self.0.world.entries).1.remove(key);
        }
    }

    fn keep_checkpoint(&self, group: u16, at: Ts, bytes: &[u8]) -> Result<(), String> {
        self.0.broker()?;
        let mut checkpoints = locked(&self.0.world.checkpoints);
        if checkpoints.get(&group).is_none_or(|(newest, _)| *newest <= at) {
            checkpoints.insert(group, (at, bytes.to_vec()));
        }
        Ok(())
    }

    fn store(&self, _group: u16) -> Stored<OpenStore> {
        self.0.store()?;
        Ok((self.0.world.reader(), Box::new(SeatWriter(Arc::clone(&self.0)))))
    }
}

/// Parcels of the broker.
struct SeatParcels {
    seat: Arc<MemorySeat>,
    next: usize,
}

impl FollowedParcels for SeatParcels {
    fn next(&mut self, within: Duration) -> Option<Vec<u8>> {
        let seat = &self.seat;
        if seat.broker().is_ok() && !seat.has(SeatTrouble::NoParcels) {
            let log = locked(&seat.world.log);
            if let Some((_, bytes)) = log.get(self.next).filter(|(last, _)| *last <= seat.reach()) {
                self.next += 1;
                return Some(bytes.clone());
            }
        }
        std::thread::sleep(within);
        None
    }
}

/// The shared writer, by one worker's way to it.
struct SeatWriter(Arc<MemorySeat>);

fn nothing_else<T>() -> Stored<T> {
    Err(Error::Invalid("a worker of a cluster writes batches of its groups".to_owned()))
}

impl Writer for SeatWriter {
    fn fence(&mut self, group: u16, token: u64) -> Stored<FenceState> {
        self.0.store()?;
        locked(&self.0.world.store).fence(group, token)
    }
    fn append(&mut self, batch: &LiveBatch<'_>) -> Stored<Appended> {
        let seat = &self.0;
        seat.asked.fetch_add(1, Ordering::AcqRel);
        if !batch.rows.is_empty() && seat.has(SeatTrouble::WritesHeld) {
            seat.held.fetch_add(1, Ordering::AcqRel);
            seat.waits(SeatTrouble::WritesHeld);
        }
        seat.store()?;
        let mut store = locked(&seat.world.store);
        let answer = store.append(batch);
        seat.world.witnessed(batch, &answer);
        if seat.has(SeatTrouble::EndsBehindWrite) && !batch.rows.is_empty() {
            locked(&seat.troubles).insert(SeatTrouble::Gone);
            return Err(refusal());
        }
        answer
    }
    fn prune(&mut self, retention: &Retention) -> Stored<Pruned> {
        self.0.store()?;
        locked(&self.0.world.store).prune(retention)
    }
    fn insert_points(&mut self, _: &[Instrument], _: &[StreamDecl], _: &[Event]) -> Stored<Inserted> {
        nothing_else()
    }
    fn import_points(&mut self, _: &[Instrument], _: &[StreamDecl], _: &[Event], _: Ts) -> Stored<Imported> {
        nothing_else()
    }
    fn import_batches(&mut self, _: &[Instrument], _: &[StreamDecl], _: &mut dyn Batches, _: Ts) -> Stored<Imported> {
        nothing_else()
    }
    fn forget_batches(&mut self, _: &[StreamDecl], _: &mut dyn Batches, _: Ts, _: bool) -> Stored<Forgotten> {
        nothing_else()
    }
    fn replace<'a>(&'a mut self, _: &RunSpec, _: Option<Ts>, _: PointsVersion) -> Stored<Box<dyn RunWriter + 'a>> {
        nothing_else()
    }
    fn remove_run(&mut self, _: &RunKey) -> Stored<()> {
        nothing_else()
    }
    fn replace_universe(&mut self, _: &UniversePart<'_>) -> Stored<u64> {
        nothing_else()
    }
    fn replace_ledger(&mut self, _: &LedgerPart<'_>) -> Stored<u64> {
        nothing_else()
    }
    fn put_calendar(&mut self, _: &[CalendarEntry]) -> Stored<u64> {
        nothing_else()
    }
    fn record_import(&mut self, _: &ImportRecord) -> Stored<()> {
        nothing_else()
    }
}
