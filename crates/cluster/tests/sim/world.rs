//! The queue of what happens, the network between the nodes, and one run from its seed to its report.

use super::engine::{Engine, Frames, Kind};
use super::faults::{CLEAN_KILL_MS, CLEAN_START_MS, Fault, OVER_MS, Planned, plan};
use super::ingest::{Fetched, Ingest};
use super::judge;
use super::nodes::{Depot, Kv};
use super::store::{Batch, Published, Store};
use super::universe::Universe;
use super::worker::{Note, Worker};
use barograph_cluster::{CasTicket, FencingToken, GroupInput, Holder, Revision};
use barograph_domain::Ts;
use barograph_domain::random::SplitMix;
use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};
use std::fmt::Display;
use std::rc::Rc;

/// The last input.
const LAST_MS: u64 = CLEAN_START_MS + 4_000;
/// Everything is stored by then, or never.
const SETTLED_MS: u64 = LAST_MS + 30_000;
const TRACED: usize = 60;

/// A mistake that is planted, to see that the checks find it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Bug {
    None,
    /// The store takes rows of any token.
    FenceIgnored,
    /// A message behind a hole is applied as if it were the next.
    HolesIgnored,
    /// Renewals write without comparing, and their revision is the token.
    RenewalToken,
    /// What is published is read when the lease is taken, before the store has the token.
    PublishedBeforeFence,
    /// A checkpoint is written before the store has what came before it.
    CheckpointEarly,
    /// An hour is made when the first group has passed it.
    HoursByArrival,
    /// Frames count for the watermark as ticks do.
    FramesCloseHours,
}

/// All of them.
pub(crate) const BUGS: [Bug; 7] = [
    Bug::FenceIgnored,
    Bug::HolesIgnored,
    Bug::RenewalToken,
    Bug::PublishedBeforeFence,
    Bug::CheckpointEarly,
    Bug::HoursByArrival,
    Bug::FramesCloseHours,
];

/// The first of 200 seeds that finds a mistake.
pub(crate) fn found(bug: Bug) -> Option<u64> {
    (1..=200).find(|seed| !World::new(*seed, bug, false).played().violations.is_empty())
}

/// What one run came to.
#[derive(Clone, Debug, Default)]
pub(crate) struct Report {
    pub(crate) violations: Vec<String>,
    /// What happened last before the first violation; empty without one.
    pub(crate) trace: Vec<String>,
    /// From the kill until the store took rows of another owner, of the slowest group, virtual milliseconds.
    pub(crate) takeover_ms: u64,
    pub(crate) takeovers: u32,
    pub(crate) fetches: u32,
    pub(crate) gaps: u32,
    pub(crate) refused: u32,
    pub(crate) rows: usize,
    pub(crate) hours: usize,
    pub(crate) events: u64,
}

#[derive(Clone, Debug)]
pub(crate) enum KvAsk {
    Present,
    Lease(u16),
    Write { group: u16, ticket: CasTicket, expected: Option<Revision>, holder: Option<Holder> },
}

#[derive(Clone, Debug)]
pub(crate) enum StoreAsk {
    Fence { worker: usize, boot: u64, group: u16, token: FencingToken },
    Published { worker: usize, boot: u64, group: u16, token: FencingToken },
    Append { worker: usize, boot: u64, id: u64, batch: Rc<Batch> },
    Marks { boot: u64 },
    Hour(i64),
}

#[derive(Clone, Debug)]
pub(crate) enum DepotAsk {
    Put { worker: usize, boot: u64, group: u16, token: FencingToken, state: Box<Engine> },
    Get { worker: usize, boot: u64, group: u16, token: FencingToken, published: Published },
}

#[derive(Clone, Debug)]
pub(crate) enum Happens {
    Begins(Planned),
    Ends(Fault),
    Frame(u64),
    Tick(u64),
    Flush(u64),
    Broker(u16, Frames),
    Noted(usize, u64, Note),
    Kv(usize, u64, KvAsk),
    Store(StoreAsk),
    Depot(DepotAsk),
    Fetch { worker: usize, boot: u64, group: u16, after: Ts, until: Option<Ts> },
    UniverseTick(u64),
    Marks(u64, Vec<Option<Ts>>, Option<i64>),
    CleanKill,
    CleanStart(usize),
}

#[derive(Debug)]
struct Scheduled {
    at_ms: u64,
    number: u64,
    what: Happens,
}

impl PartialEq for Scheduled {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}
impl Eq for Scheduled {}
impl PartialOrd for Scheduled {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}
impl Ord for Scheduled {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        (self.at_ms, self.number).cmp(&(other.at_ms, other.number))
    }
}

/// How many faults of a kind are on.
#[derive(Debug, Default)]
pub(super) struct Wrong {
    pub(super) kv: u32,
    pub(super) kv_slow: u32,
    pub(super) store: u32,
    pub(super) store_slow: u32,
    pub(super) depot: u32,
    pub(super) broker: u32,
    pub(super) broker_bad: u32,
    pub(super) broker_drops: Vec<u32>,
}

#[derive(Debug)]
pub(crate) struct World {
    random: SplitMix,
    pub(crate) bug: Bug,
    pub(crate) now_ms: u64,
    numbers: u64,
    queue: BinaryHeap<Reverse<Scheduled>>,
    pub(super) wrong: Wrong,
    pub(crate) groups: u16,
    pub(crate) instruments: u8,
    pub(crate) ingest: Ingest,
    kv: Kv,
    pub(crate) store: Store,
    pub(crate) depot: Depot,
    pub(crate) workers: Vec<Worker>,
    pub(crate) universe: Universe,
    pub(crate) report: Report,
    pub(crate) is_traced: bool,
    last: VecDeque<String>,
    /// Groups that lost their owner in the clean kill, with its token.
    pub(super) orphans: Vec<(u16, FencingToken)>,
}

/// One run of the cluster as it is; one that violates something is run again, with what happened before.
pub(crate) fn run(seed: u64) -> Report {
    let report = World::new(seed, Bug::None, false).played();
    if report.violations.is_empty() { report } else { World::new(seed, Bug::None, true).played() }
}

impl World {
    fn new(seed: u64, bug: Bug, is_traced: bool) -> Self {
        let mut random = SplitMix::new(seed);
        let groups = 2 + u16::try_from(random.below(4)).unwrap();
        let workers = 2 + usize::try_from(random.below(3)).unwrap();
        let mut store = Store::new(usize::from(groups));
        (store.ignores_fence, store.frames_count) = (bug == Bug::FenceIgnored, bug == Bug::FramesCloseHours);
        let planned = plan(&mut random, workers, groups);
        let mut world = Self {
            bug,
            now_ms: 0,
            numbers: 0,
            queue: BinaryHeap::new(),
            wrong: Wrong { broker_drops: vec![0; usize::from(groups)], ..Wrong::default() },
            groups,
            instruments: 1 + u8::try_from(random.below(3)).unwrap(),
            ingest: Ingest::default(),
            kv: Kv::new(usize::from(groups), workers),
            store,
            depot: Depot::new(usize::from(groups)),
            workers: Vec::new(),
            universe: Universe::new(1, groups),
            report: Report::default(),
            is_traced,
            last: VecDeque::new(),
            orphans: Vec::new(),
            random,
        };
        world.start_ingest();
        for n in 0..workers {
            world.workers.push(Worker::new(n, n as u64 + 1, groups, 0));
            let after = world.below(300);
            world.send(after, Happens::Noted(n, n as u64 + 1, Note::Tick));
        }
        world.send(50, Happens::UniverseTick(1));
        for planned in planned {
            world.send(planned.begin_ms, Happens::Begins(planned));
        }
        world.send(CLEAN_KILL_MS, Happens::CleanKill);
        world
    }

    fn played(mut self) -> Report {
        while let Some(Reverse(next)) = self.queue.pop() {
            self.now_ms = next.at_ms;
            self.report.events += 1;
            self.happens(next.what);
            let is_settled = self.now_ms > LAST_MS + 500 && self.is_settled();
            if is_settled || self.now_ms > SETTLED_MS || !self.report.violations.is_empty() {
                break;
            }
        }
        if self.report.violations.is_empty() {
            if !self.orphans.is_empty() {
                self.wrong(format!("nobody took over {:?}", self.orphans));
            }
            if !self.is_settled() {
                let through: Vec<_> = self.store.shelves.iter().map(|s| s.through).collect();
                self.wrong(format!(
                    "not settled: {through:?} of {:?}, hours {}",
                    self.ingest.last(),
                    self.store.hours.len()
                ));
            }
            for violation in judge::judge(&self) {
                self.wrong(violation);
            }
        }
        self.report.refused = self.store.refused;
        self.report.hours = self.store.hours.len();
        self.report.rows = self.store.shelves.iter().map(|s| s.rows.len()).sum();
        self.report
    }

    fn is_settled(&self) -> bool {
        let is_stored = self.store.shelves.iter().all(|s| s.through == Some(self.ingest.last()));
        is_stored && i64::try_from(self.store.hours.len()) == Ok(judge::due(self))
    }

    pub(crate) fn wrong(&mut self, what: impl Display) {
        if self.report.violations.is_empty() {
            self.report.trace = self.last.iter().cloned().collect();
        }
        self.report.violations.push(format!("at {} ms: {what}", self.now_ms));
    }

    pub(crate) fn trace(&mut self, what: impl Display) {
        if self.last.len() == TRACED {
            self.last.pop_front();
        }
        self.last.push_back(format!("{} ms: {what}", self.now_ms));
    }

    pub(crate) fn below(&mut self, n: u64) -> u64 {
        self.random.below(n)
    }

    pub(crate) const fn number(&mut self) -> u64 {
        self.numbers += 1;
        self.numbers
    }

    pub(crate) fn send(&mut self, after_ms: u64, what: Happens) {
        let number = self.number();
        self.queue.push(Reverse(Scheduled { at_ms: self.now_ms + after_ms, number, what }));
    }

    /// One way through a network that works.
    pub(crate) fn hop(&mut self) -> u64 {
        1 + self.below(8)
    }

    pub(crate) fn ask_kv(&mut self, n: usize, ask: KvAsk) {
        let boot = self.workers[n].boot;
        let after = if self.wrong.kv_slow > 0 { self.below(1_500) } else { self.hop() };
        self.send(after, Happens::Kv(n, boot, ask));
    }

    /// Some rows are under way twice, and the second time for long.
    pub(crate) fn ask_store(&mut self, ask: StoreAsk) {
        if self.now_ms < OVER_MS && matches!(ask, StoreAsk::Append { .. }) && self.below(40) == 0 {
            let after = self.below(5_000);
            self.send(after, Happens::Store(ask.clone()));
        }
        let after = if self.wrong.store_slow > 0 { self.below(2_500) } else { 2 + self.below(15) };
        self.send(after, Happens::Store(ask));
    }

    pub(crate) fn ask_depot(&mut self, ask: DepotAsk) {
        let after = 2 + self.below(40);
        self.send(after, Happens::Depot(ask));
    }

    fn note(&mut self, n: usize, boot: u64, note: Note) {
        let hop = self.hop();
        self.send(hop, Happens::Noted(n, boot, note));
    }

    fn happens(&mut self, what: Happens) {
        if self.is_traced && !matches!(what, Happens::Frame(_) | Happens::Tick(_) | Happens::Noted(_, _, Note::Tick)) {
            self.trace(format!("{what:?}"));
        }
        match what {
            Happens::Begins(planned) => self.begins(planned),
            Happens::Ends(fault) => self.ends(fault),
            Happens::Frame(boot) => self.framed(boot),
            Happens::Tick(boot) if self.is_ingesting(boot) => {
                self.ingest.append(self.now_ms, Kind::Tick);
                self.send(1_000, Happens::Tick(boot));
            }
            Happens::Tick(_) => {}
            Happens::Flush(boot) => self.flushed(boot),
            Happens::Broker(group, frames) => self.carried(group, frames),
            Happens::Noted(n, boot, note) => self.reached(n, boot, note),
            Happens::Kv(n, boot, ask) => self.kv_asked(n, boot, ask),
            Happens::Store(ask) => self.store_asked(ask),
            Happens::Depot(ask) => self.depot_asked(ask),
            Happens::Fetch { worker, boot, group, after, until } if self.ingest.is_up => {
                let answer = match self.ingest.fetch(after, until) {
                    Fetched::Frames(frames) => GroupInput::Fetched(frames),
                    Fetched::Lost(hole) => GroupInput::Lost(hole),
                };
                self.note(worker, boot, Note::Group(group, answer));
            }
            Happens::Fetch { .. } => {}
            Happens::UniverseTick(boot) => self.universe_ticked(boot),
            Happens::Marks(boot, ticked, written) => self.marks(boot, &ticked, written),
            Happens::CleanKill => self.clean_kill(),
            Happens::CleanStart(n) => self.start_worker(n),
        }
    }

    fn is_ingesting(&self, boot: u64) -> bool {
        self.ingest.is_up && self.ingest.boot == boot && self.now_ms <= LAST_MS
    }

    pub(super) fn start_ingest(&mut self) {
        self.ingest.start(self.now_ms);
        let boot = self.ingest.boot;
        let (frame, tick, flush) = (self.below(50), self.below(1_000), self.below(100));
        self.send(frame, Happens::Frame(boot));
        self.send(tick, Happens::Tick(boot));
        self.send(flush, Happens::Flush(boot));
    }

    fn framed(&mut self, boot: u64) {
        if self.is_ingesting(boot) {
            let group = u16::try_from(self.below(u64::from(self.groups))).unwrap();
            let instrument = u8::try_from(self.below(u64::from(self.instruments))).unwrap();
            let value = self.random.bits();
            self.ingest.append(self.now_ms, Kind::Frame { group, instrument, value });
            let after = 5 + self.below(90);
            self.send(after, Happens::Frame(boot));
        }
    }

    fn flushed(&mut self, boot: u64) {
        if self.ingest.boot != boot || !self.ingest.is_up || self.now_ms > LAST_MS + 300 {
            return;
        }
        if let Some(frames) = self.ingest.flush(false) {
            for group in 0..self.groups {
                let hop = self.hop();
                self.send(hop, Happens::Broker(group, frames));
            }
        }
        let after = 50 + self.below(100);
        self.send(after, Happens::Flush(boot));
    }

    /// The broker has acknowledged a message, and delivers it or not.
    fn carried(&mut self, group: u16, frames: Frames) {
        let is_bad = self.wrong.broker_bad > 0;
        if self.wrong.broker > 0 || self.wrong.broker_drops[usize::from(group)] > 0 {
            return;
        }
        for n in 0..self.workers.len() {
            if !self.workers[n].is_up || !self.workers[n].follows(group) || is_bad && self.below(4) == 0 {
                continue;
            }
            let copies = if is_bad { 1 + self.below(2) } else { 1 };
            for _ in 0..copies {
                let late = if is_bad { self.below(500) } else { 0 };
                let (hop, boot) = (self.hop(), self.workers[n].boot);
                self.send(hop + late, Happens::Noted(n, boot, Note::Group(group, GroupInput::Arrived(frames))));
            }
        }
    }

    fn reached(&mut self, n: usize, boot: u64, note: Note) {
        let worker = &mut self.workers[n];
        match () {
            () if worker.boot != boot || !worker.is_up => {}
            () if worker.pauses > 0 => worker.mailbox.push_back(note),
            () => self.noted(n, note),
        }
    }

    /// Is a request lost on its way, and if not, its answer?
    fn fate(&mut self, away: u32) -> (bool, bool) {
        if away == 0 {
            return (true, true);
        }
        (self.below(3) == 0, false)
    }

    fn kv_asked(&mut self, n: usize, boot: u64, ask: KvAsk) {
        let (arrives, answers) = self.fate(self.wrong.kv + self.workers[n].partitions);
        if !arrives {
            return;
        }
        let note = match ask {
            KvAsk::Present => {
                self.kv.present(n);
                Note::Roster(self.kv.present.clone())
            }
            KvAsk::Lease(group) => {
                Note::Group(group, GroupInput::LeaseSeen(self.kv.leases[usize::from(group)].clone()))
            }
            KvAsk::Write { group, ticket, expected, holder } => {
                Note::Group(group, GroupInput::CasAnswer(ticket, self.kv.write(group, expected, holder)))
            }
        };
        if answers {
            self.note(n, boot, note);
        }
    }

    fn store_asked(&mut self, ask: StoreAsk) {
        let (arrives, answers) = self.fate(self.wrong.store);
        if !arrives {
            return;
        }
        match ask {
            StoreAsk::Fence { worker, boot, group, token } => {
                let input = if self.store.fence(group, token, (worker, boot)) {
                    GroupInput::Fenced(token)
                } else {
                    GroupInput::Refused(token)
                };
                if answers {
                    self.note(worker, boot, Note::Group(group, input));
                }
            }
            StoreAsk::Published { worker, boot, group, token } => {
                let published = self.store.published(group);
                if answers {
                    self.ask_depot(DepotAsk::Get { worker, boot, group, token, published });
                }
            }
            StoreAsk::Append { worker, boot, id, batch } => {
                let taken = self.store.append(&batch);
                if let Ok(Some(wrong)) = &taken {
                    self.wrong(wrong.clone());
                }
                if taken.is_ok() {
                    self.taken_over(batch.group, batch.tenure);
                }
                if answers {
                    let note = Note::Taken { group: batch.group, batch: id, is_taken: taken.is_ok() };
                    self.note(worker, boot, note);
                }
            }
            StoreAsk::Marks { boot } => {
                let ticked = self.store.shelves.iter().map(|s| s.ticked).collect();
                let written = self.store.hours.last_key_value().map(|(hour, _)| *hour);
                if answers {
                    let hop = self.hop();
                    self.send(hop, Happens::Marks(boot, ticked, written));
                }
            }
            StoreAsk::Hour(hour) => {
                if let Some(wrong) = self.store.write_hour(hour) {
                    self.wrong(wrong);
                }
            }
        }
    }

    fn depot_asked(&mut self, ask: DepotAsk) {
        let (arrives, answers) = self.fate(self.wrong.depot);
        if !arrives {
            return;
        }
        let (worker, boot, note) = match ask {
            DepotAsk::Put { worker, boot, group, token, state } => {
                let at = state.at;
                self.depot.put(group, at, *state);
                (worker, boot, Note::Group(group, GroupInput::Deposited { token, at }))
            }
            DepotAsk::Get { worker, boot, group, token, published } => {
                let is_damaged = self.now_ms < OVER_MS && self.below(10) == 0;
                let state = self.depot.get(group, is_damaged).map(Box::new);
                (worker, boot, Note::State { group, token, state, published })
            }
        };
        if answers {
            self.note(worker, boot, note);
        }
    }
}
