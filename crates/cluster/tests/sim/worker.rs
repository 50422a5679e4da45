//! An engine worker: drives one [`GroupWorker`] for each group, as a real process does, with a store thread that repeats what is not
//! answered.

use super::engine::{Engine, Frames, Kind, Row};
use super::store::{Batch, Published};
use super::world::{Bug, DepotAsk, Happens, KvAsk, StoreAsk, World};
use barograph_cluster::{
    CoursePace, FencingToken, GroupCommand, GroupId, GroupInput, GroupWorker, Holder, KeptLimits, Revision, Roster,
    Stage, StretchMessage as _, TenurePace, WorkerId, WorkerSettings, shares,
};
use barograph_domain::Ts;
use std::collections::VecDeque;
use std::rc::Rc;

const TTL_MS: u64 = 1_500;
const LEASE: TenurePace = TenurePace::of_ttl(TTL_MS);
pub(crate) const TICK_MS: u64 = 100;
/// A batch without an answer for so long is sent again.
const STORE_RETRY_MS: u64 = 400;

const SETTINGS: WorkerSettings = WorkerSettings {
    lease: LEASE,
    course: CoursePace {
        kept: KeptLimits { count: 12, bytes: 4_000 },
        hole_ms: 100,
        silent_ms: 1_500,
        retry_ms: 300,
        unstored_max: 16,
        checkpoint_pieces: 40,
        checkpoint_min_ms: 2_000,
        checkpoint_max_ms: 8_000,
        deposit_ms: 500,
    },
    beginning: Ts(0),
    release_ms: 1_000,
    load_ms: 600,
};

/// What reaches a worker.
#[derive(Clone, Debug)]
pub(crate) enum Note {
    Tick,
    Roster(Vec<Revision>),
    Group(u16, GroupInput<Frames>),
    State { group: u16, token: FencingToken, state: Option<Box<Engine>>, published: Published },
    Taken { group: u16, batch: u64, is_taken: bool },
}

#[derive(Debug)]
struct Seat {
    machine: GroupWorker<Frames>,
    engine: Option<Engine>,
    published: Published,
    /// What was read, until it is accepted.
    loaded: (Option<Box<Engine>>, Published),
    aside: Option<Engine>,
    outbox: VecDeque<Batch>,
    /// The batch under way: its number, when it was sent last.
    sent: Option<(u64, u64, Rc<Batch>)>,
    /// For planted bugs: the newest revision this worker wrote, and what was published before the fence.
    written: Option<Revision>,
    published_early: Option<Published>,
}

#[derive(Debug)]
pub(crate) struct Worker {
    pub(crate) name: WorkerId,
    pub(crate) boot: u64,
    pub(crate) is_up: bool,
    pub(crate) pauses: u32,
    pub(crate) partitions: u32,
    pub(crate) mailbox: VecDeque<Note>,
    rate: u64,
    clock: (u64, u64),
    roster: Roster,
    presence_ms: Option<u64>,
    seats: Vec<Seat>,
}

impl Worker {
    pub(crate) fn new(n: usize, boot: u64, groups: u16, now_ms: u64) -> Self {
        let name = WorkerId::new(&format!("engine-{n}"));
        let me = Holder { worker: name.clone(), boot };
        let seats = (0..groups).map(|_| Seat {
            machine: GroupWorker::new(me.clone(), SETTINGS),
            engine: None,
            published: Published::default(),
            loaded: (None, Published::default()),
            aside: None,
            outbox: VecDeque::new(),
            sent: None,
            written: None,
            published_early: None,
        });
        Self {
            boot,
            is_up: true,
            pauses: 0,
            partitions: 0,
            mailbox: VecDeque::new(),
            rate: 1_000,
            // Every process counts from somewhere else.
            clock: (boot * 77_777, now_ms),
            roster: Roster::new(name.clone(), TTL_MS),
            presence_ms: None,
            seats: seats.collect(),
            name,
        }
    }

    pub(crate) const fn local_ms(&self, now_ms: u64) -> u64 {
        self.clock.0 + (now_ms - self.clock.1) * self.rate / 1_000
    }

    pub(crate) const fn set_rate(&mut self, now_ms: u64, rate: u64) {
        self.clock = (self.local_ms(now_ms), now_ms);
        self.rate = rate;
    }

    /// So long a tick takes in true time.
    pub(crate) const fn tick_ms(&self) -> u64 {
        TICK_MS * 1_000 / self.rate
    }

    pub(crate) fn holds(&self, group: u16) -> Option<FencingToken> {
        self.seats[usize::from(group)].machine.token()
    }

    pub(crate) fn follows(&self, group: u16) -> bool {
        !matches!(self.seats[usize::from(group)].machine.stage(), Stage::Watching | Stage::Taking)
    }
}

impl World {
    /// Something reaches a worker that runs.
    pub(crate) fn noted(&mut self, n: usize, note: Note) {
        match note {
            Note::Tick => self.ticked(n),
            Note::Roster(seen) => {
                let worker = &mut self.workers[n];
                let local = worker.local_ms(self.now_ms);
                for (other, revision) in seen.into_iter().enumerate().filter(|(_, r)| r.0 > 0) {
                    worker.roster.seen(local, &WorkerId::new(&format!("engine-{other}")), revision);
                }
            }
            Note::Group(group, mut input) => {
                let seat = &mut self.workers[n].seats[usize::from(group)];
                if let (Bug::HolesIgnored, GroupInput::Arrived(frames), Some(at)) =
                    (self.bug, &mut input, seat.machine.at())
                {
                    let after = frames.stretch.after().min(at);
                    frames.stretch = barograph_cluster::JournalStretch::new(after, frames.stretch.last()).unwrap();
                }
                if let GroupInput::CasAnswer(_, barograph_cluster::CasOutcome::Written(revision)) = input {
                    seat.written = Some(revision);
                }
                self.step(n, group, input);
            }
            Note::State { group, token, state, mut published } => {
                let seat = &mut self.workers[n].seats[usize::from(group)];
                if let Some(early) = seat.published_early {
                    published = early;
                }
                let checkpoint = state.as_ref().map(|s| s.at);
                seat.loaded = (state, published);
                let published = published.through;
                self.step(n, group, GroupInput::Loaded { token, checkpoint, published });
            }
            Note::Taken { group, batch, is_taken } => {
                let seat = &mut self.workers[n].seats[usize::from(group)];
                let Some((_, _, sent)) = seat.sent.take_if(|(id, _, _)| *id == batch) else { return };
                let (token, through) = (sent.tenure, sent.through);
                if is_taken {
                    self.step(n, group, GroupInput::Stored { token, through });
                } else {
                    self.step(n, group, GroupInput::Refused(token));
                }
                self.send_batch(n, group);
            }
        }
    }

    fn ticked(&mut self, n: usize) {
        let groups = self.groups;
        let local = self.workers[n].local_ms(self.now_ms);
        if self.workers[n].presence_ms.is_none_or(|at| local - at >= LEASE.every_ms) {
            self.workers[n].presence_ms = Some(local);
            self.ask_kv(n, KvAsk::Present);
        }
        let live = self.workers[n].roster.live(local);
        let mine = live.iter().position(|w| *w == self.workers[n].name).unwrap();
        let mine = &shares(groups, &live)[mine];
        for group in 0..groups {
            self.repeat_batch(n, group, local);
            self.step(n, group, GroupInput::Share(mine.contains(&GroupId(group))));
        }
        let (boot, after) = (self.workers[n].boot, self.workers[n].tick_ms());
        self.send(after, Happens::Noted(n, boot, Note::Tick));
    }

    fn step(&mut self, n: usize, group: u16, input: GroupInput<Frames>) {
        let worker = &mut self.workers[n];
        let local = worker.local_ms(self.now_ms);
        let mut commands = Vec::new();
        worker.seats[usize::from(group)].machine.step(local, input, &mut commands);
        for command in commands {
            self.carry_out(n, group, command);
        }
    }

    fn carry_out(&mut self, n: usize, group: u16, command: GroupCommand<Frames>) {
        if self.is_traced {
            self.trace(format!("worker {n} group {group}: {command:?}"));
        }
        let boot = self.workers[n].boot;
        let published = self.store.published(group);
        let seat = &mut self.workers[n].seats[usize::from(group)];
        match command {
            GroupCommand::ReadLease => self.ask_kv(n, KvAsk::Lease(group)),
            GroupCommand::Cas { ticket, expected, holder } => {
                let renews = seat.machine.token().is_some() && holder.is_some();
                let expected = (self.bug != Bug::RenewalToken || !renews).then_some(expected);
                self.ask_kv(n, KvAsk::Write { group, ticket, expected, holder });
            }
            GroupCommand::Fence(token) => {
                self.report.takeovers += 1;
                if self.bug == Bug::PublishedBeforeFence {
                    seat.published_early.get_or_insert(published);
                }
                self.ask_store(StoreAsk::Fence { worker: n, boot, group, token });
            }
            GroupCommand::Load(token) => self.ask_store(StoreAsk::Published { worker: n, boot, group, token }),
            GroupCommand::Begin { .. } => {
                let (state, published) = std::mem::take(&mut seat.loaded);
                seat.engine = Some(state.map_or_else(|| Engine::new(group, self.instruments), |s| *s));
                seat.published = published;
            }
            GroupCommand::Fetch { after, until } => {
                self.report.fetches += 1;
                let hop = self.hop();
                self.send(hop, Happens::Fetch { worker: n, boot, group, after, until });
            }
            GroupCommand::Apply { token, message, after } => self.apply(n, group, token, message, after),
            GroupCommand::Declare { token, gap } => {
                self.report.gaps += 1;
                let engine = seat.engine.as_mut().unwrap();
                let from = engine.at;
                engine.gap(gap);
                let batch = Batch { through: gap.until, gaps: vec![gap], ..batch_of(group, token, engine) };
                if from != gap.after {
                    self.wrong(format!("group {group}: a gap behind {:?} declared at {from:?}", gap.after));
                }
                self.queue_batch(n, group, batch);
            }
            GroupCommand::Snapshot(at) => {
                seat.aside.clone_from(&seat.engine);
                if seat.aside.as_ref().is_none_or(|s| s.at != at) {
                    self.wrong(format!("group {group}: a checkpoint of {at:?} at another place"));
                } else if self.bug == Bug::CheckpointEarly
                    && let Some(state) = seat.aside.clone()
                {
                    self.depot.put(group, at, state);
                }
            }
            GroupCommand::Deposit { token, at } => {
                let state = seat.aside.clone().map(Box::new).unwrap();
                if state.at != at {
                    self.wrong(format!("group {group}: a checkpoint of {at:?} written from another state"));
                }
                self.ask_depot(DepotAsk::Put { worker: n, boot, group, token, state });
            }
            GroupCommand::Abandon(_) => {
                (seat.engine, seat.aside, seat.sent) = (None, None, None);
                (seat.written, seat.published_early) = (None, None);
                seat.outbox.clear();
            }
        }
    }

    fn apply(&mut self, n: usize, group: u16, token: FencingToken, message: Frames, after: Ts) {
        let seat = &mut self.workers[n].seats[usize::from(group)];
        let engine = seat.engine.as_mut().unwrap();
        if engine.at != after {
            let at = engine.at;
            self.wrong(format!("group {group}: applied behind {after:?} at {at:?}"));
            return;
        }
        let mut rows: Vec<Row> = Vec::new();
        let mut ticked = None;
        for entry in self.ingest.journal[message.from..message.to].iter().filter(|e| e.stamp > after) {
            engine.step(entry, &mut rows);
            if entry.kind == Kind::Tick {
                ticked = Some(entry.stamp);
            }
        }
        let through = message.stretch().last();
        engine.at = through;
        if Some(through) <= seat.published.through {
            return;
        }
        rows.retain(|row| Some(row.stamp) > seat.published.through && Some(row.minute) > seat.published.minute);
        let batch = Batch { through, ticked, rows, ..batch_of(group, token, engine) };
        self.queue_batch(n, group, batch);
    }

    fn queue_batch(&mut self, n: usize, group: u16, batch: Batch) {
        self.workers[n].seats[usize::from(group)].outbox.push_back(batch);
        self.send_batch(n, group);
    }

    /// Sends what waits as one batch, if none is under way.
    fn send_batch(&mut self, n: usize, group: u16) {
        let id = self.number();
        let (now_ms, renewals) = (self.now_ms, self.bug == Bug::RenewalToken);
        let worker = &mut self.workers[n];
        let local = worker.local_ms(now_ms);
        let boot = worker.boot;
        let seat = &mut worker.seats[usize::from(group)];
        if seat.sent.is_some() {
            return;
        }
        let Some(mut batch) = seat.outbox.pop_front() else { return };
        // Pieces before and behind a gap differ in lineage, and only those that share one go together.
        while seat.outbox.front().is_some_and(|next| next.lineage == batch.lineage)
            && let Some(next) = seat.outbox.pop_front()
        {
            (batch.through, batch.ticked) = (next.through, next.ticked.or(batch.ticked));
            batch.rows.extend(next.rows);
            batch.gaps.extend(next.gaps);
        }
        if let Some(written) = seat.written.filter(|_| renewals) {
            batch.token = FencingToken(written);
        }
        let batch = Rc::new(batch);
        seat.sent = Some((id, local, Rc::clone(&batch)));
        self.ask_store(StoreAsk::Append { worker: n, boot, id, batch });
    }

    /// Sends a batch once more that was sent too long before `local`.
    pub(crate) fn repeat_batch(&mut self, n: usize, group: u16, local: u64) {
        let worker = &mut self.workers[n];
        let boot = worker.boot;
        if let Some((id, sent_ms, batch)) = &mut worker.seats[usize::from(group)].sent
            && local.saturating_sub(*sent_ms) >= STORE_RETRY_MS
        {
            *sent_ms = local.min(*sent_ms + STORE_RETRY_MS);
            let (id, batch) = (*id, Rc::clone(batch));
            self.ask_store(StoreAsk::Append { worker: n, boot, id, batch });
        }
    }
}

fn batch_of(group: u16, token: FencingToken, engine: &Engine) -> Batch {
    let (rows, gaps, lineage) = (Vec::new(), Vec::new(), Rc::clone(&engine.gaps));
    Batch { group, token, tenure: token, through: engine.at, ticked: None, rows, gaps, lineage }
}
