//! One group of one worker: the machine of `barograph_cluster`, with threads that do what it asks for.
//!
//! What may take long stands aside: lease and journal are asked on a thread each, and the group's own machine (store, checkpoints, minutes)
//! has one, so that a lease is renewed while minutes are caught up with. All of them answer into one queue, which decides.

use super::held::{entry, key, store_token, written};
use super::machine::{GroupMachine, GroupMeans, GroupTenure};
use super::outside::Outside;
use super::stand::{GroupCounts, GroupStand, LoopPulse};
use crate::Error;
use crate::delivery::Room;
use crate::ranges::RangeAnswer;
use crate::setup::Setup;
use crate::share::Share;
use crate::storing::Keep;
use barograph_cluster::{
    CasOutcome, CasTicket, FencingToken, GroupCommand, GroupInput, GroupWorker, Holder, Hole, JournalStretch, Revision,
    Stage, StretchMessage, WorkerSettings,
};
use barograph_domain::{Span, Ts};
use barograph_lake::journal::Parcel;
use barograph_store::StoreTarget;
use core::sync::atomic::{AtomicBool, Ordering};
use core::time::Duration;
use std::io::Write as _;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Instant;

/// Orders and answers that may wait. What grows with the journal is bounded before: see [`APPLIED_MAX`].
const QUEUE: usize = 65_536;
/// Parcels that may wait for the group's machine; until it has come that far, no more of the journal is asked for.
const APPLIED_MAX: usize = 32;
/// How often time passes for the machine.
const TICK: Duration = Duration::from_millis(50);
/// How often a group's machine says how far the store is.
const STORED_EVERY: Duration = Duration::from_millis(20);
/// After a tenure that failed the next one waits so long, twice as long each time, and no longer than this.
const PAUSE: Duration = Duration::from_millis(500);
const PAUSE_MAX: Duration = Duration::from_secs(30);
/// The broker is asked for what it received since so long before the checkpoint: its clock is another one.
const BEFORE: Span = Span::secs(30);

/// What a group's threads are made of.
#[derive(Clone)]
pub struct WorkerPlan {
    /// This worker, in this life of its process.
    pub me: Holder,
    /// How many groups there are.
    pub groups: u16,
    /// Book and policy.
    pub setup: Setup,
    /// How long things are kept.
    pub keep: Keep,
    /// Where the store is.
    pub target: StoreTarget,
    /// Who writes messages of alerts, where somebody receives them.
    pub room: Option<Arc<Room>>,
    /// Times and sizes.
    pub settings: WorkerSettings,
    /// The world.
    pub outside: Arc<dyn Outside>,
}

impl core::fmt::Debug for WorkerPlan {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("WorkerPlan").field("me", &self.me).field("groups", &self.groups).finish_non_exhaustive()
    }
}

/// A group's thread and the way to it.
#[derive(Debug)]
pub struct GroupThread {
    wanted: Arc<AtomicBool>,
    stop: Arc<AtomicBool>,
    stand: Arc<Mutex<GroupStand>>,
    pulse: Arc<LoopPulse>,
    thread: JoinHandle<()>,
}

/// A parcel as the machine knows it.
#[derive(Clone, Debug)]
struct Carried(Arc<Parcel>);

impl StretchMessage for Carried {
    fn stretch(&self) -> JournalStretch {
        // A parcel that ends before it begins is not made: see `Parcel::of`.
        JournalStretch::new(self.0.after(), self.0.last()).unwrap_or_else(|| {
            let at = self.0.last();
            JournalStretch::new(at, at).unwrap_or_else(|| unreachable!("a stamp is not before itself"))
        })
    }
    fn weight(&self) -> usize {
        self.0.bytes().len()
    }
}

/// What the group's machine is asked to do.
#[derive(Debug)]
enum Work {
    Fence(FencingToken),
    Load(FencingToken),
    Begin(FencingToken),
    Apply { token: FencingToken, parcel: Arc<Parcel> },
    Declare { token: FencingToken, gap: Hole },
    Snapshot,
    Deposit { token: FencingToken, at: Ts },
    Abandon,
}

/// What the broker's keys are asked.
#[derive(Debug)]
enum LeaseWork {
    Read,
    Swap { ticket: CasTicket, expected: Revision, holder: Option<Holder> },
}

impl GroupThread {
    /// Starts the threads of a group. It is watched until [`Self::want`].
    ///
    /// # Errors
    /// A thread cannot be started.
    pub fn start(group: u16, plan: WorkerPlan) -> Result<Self, Error> {
        let (stand, pulse) = (Arc::new(Mutex::new(GroupStand::watched(group))), Arc::new(LoopPulse::default()));
        let (wanted, stop) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicBool::new(false)));
        let (w, s, shown, beats) = (Arc::clone(&wanted), Arc::clone(&stop), Arc::clone(&stand), Arc::clone(&pulse));
        let thread = std::thread::Builder::new()
            .name(format!("group-{group}"))
            .spawn(move || run(group, &plan, (&w, &s), (&shown, &beats)))
            .map_err(Error::failed)?;
        Ok(Self { wanted, stop, stand, pulse, thread })
    }

    /// Whether this worker should have the group.
    pub fn want(&self, wanted: bool) {
        self.wanted.store(wanted, Ordering::Relaxed);
    }

    /// Has it ended, although nobody asked for that?
    #[must_use]
    pub fn has_ended(&self) -> bool {
        self.thread.is_finished()
    }

    /// Where it stands.
    #[must_use]
    pub fn stand(&self) -> GroupStand {
        let stand = *self.stand.lock().unwrap_or_else(PoisonError::into_inner);
        GroupStand { silent: self.pulse.silent(), ..stand }
    }

    /// Gives the group up in order, with a last checkpoint, and ends.
    pub fn end(self) {
        self.want(false);
        self.stop.store(true, Ordering::Relaxed);
        drop(self.thread.join());
    }
}

fn report_line(group: u16, line: core::fmt::Arguments<'_>) {
    // Standard error may be closed; there is nobody left to report to.
    drop(writeln!(std::io::stderr(), "barograph: group {group}: {line}"));
}

fn run(
    group: u16,
    plan: &WorkerPlan,
    (wanted, stop): (&AtomicBool, &AtomicBool),
    (stand, pulse): (&Mutex<GroupStand>, &LoopPulse),
) {
    let began = Instant::now();
    let now = || u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX);
    let (answers, inbox) = sync_channel::<GroupInput<Carried>>(QUEUE);
    let counts = Arc::new(GroupCounts::default());
    let ((work, _), (leases, keeper), (ranges, _)) = (
        beside("machine", {
            let (p, a, c) = (plan.clone(), answers.clone(), Arc::clone(&counts));
            move |q| machine(group, &p, &q, &a, &c)
        }),
        beside("lease", {
            let (p, a) = (plan.clone(), answers.clone());
            move |q| lease(group, &p, &q, &a)
        }),
        beside("ranges", {
            let (p, a, c) = (plan.clone(), answers.clone(), Arc::clone(&counts));
            move |q| fetch(group, &p, &q, (&a, &c))
        }),
    );
    let mut worker = GroupWorker::new(plan.me.clone(), plan.settings);
    let mut followed: Option<Box<dyn super::outside::FollowedParcels>> = None;
    let (mut out, mut share, mut stage) = (Vec::new(), false, Stage::Watching);
    loop {
        pulse.beat();
        let asked = wanted.load(Ordering::Relaxed) && !stop.load(Ordering::Relaxed);
        let mut next = (asked != share).then_some(GroupInput::Share(asked));
        share = asked;
        // Answers first: there are few, and the lease is among them.
        if next.is_none() {
            next = inbox.try_recv().ok();
        }
        if next.is_none()
            && let Some(parcels) = &mut followed
            && let Some(bytes) = parcels.next(Duration::from_millis(2))
        {
            match Parcel::of(bytes) {
                Ok(parcel) => {
                    counts.parcels.fetch_add(1, Ordering::Relaxed);
                    let is_known = worker.at().is_some_and(|at| parcel.last() <= at);
                    counts.repeated.fetch_add(u64::from(is_known), Ordering::Relaxed);
                    next = Some(GroupInput::Arrived(Carried(Arc::new(parcel))));
                }
                // What is missing is fetched.
                Err(e) => report_line(group, format_args!("a parcel of the broker is not used: {}", crate::chain(&e))),
            }
        }
        let input = match next {
            Some(input) => input,
            None => match inbox.recv_timeout(if followed.is_some() { Duration::from_millis(2) } else { TICK }) {
                Ok(input) => input,
                Err(RecvTimeoutError::Timeout) => GroupInput::Tick,
                Err(RecvTimeoutError::Disconnected) => return,
            },
        };
        worker.step(now(), input, &mut out);
        for command in out.drain(..) {
            let gone = match command {
                GroupCommand::ReadLease => leases.send(LeaseWork::Read).is_err(),
                GroupCommand::Cas { ticket, expected, holder } => {
                    leases.send(LeaseWork::Swap { ticket, expected, holder }).is_err()
                }
                GroupCommand::Fetch { after, until } => ranges.send((after, until)).is_err(),
                GroupCommand::Fence(token) => work.send(Work::Fence(token)).is_err(),
                GroupCommand::Load(token) => work.send(Work::Load(token)).is_err(),
                GroupCommand::Begin { token, checkpoint, .. } => {
                    followed = Some(plan.outside.follow(checkpoint.map_or(Ts::MAX, |at| at - BEFORE)));
                    work.send(Work::Begin(token)).is_err()
                }
                GroupCommand::Apply { token, message, .. } => {
                    counts.queued.fetch_add(1, Ordering::Relaxed);
                    work.send(Work::Apply { token, parcel: message.0 }).is_err()
                }

                GroupCommand::Declare { token, gap } => work.send(Work::Declare { token, gap }).is_err(),
                GroupCommand::Snapshot(_) => work.send(Work::Snapshot).is_err(),
                GroupCommand::Deposit { token, at } => work.send(Work::Deposit { token, at }).is_err(),
                GroupCommand::Abandon(_) => {
                    followed = None;
                    work.send(Work::Abandon).is_err()
                }
            };
            // A thread that has crashed answers nothing more: the group is for another worker.
            if gone {
                report_line(group, format_args!("a thread of it has ended; this is a bug"));
                return;
            }
        }
        if worker.stage() != stage {
            report(group, &plan.me, stage, worker.stage(), worker.token());
            stage = worker.stage();
            counts.takeovers.fetch_add(u64::from(stage == Stage::Fencing), Ordering::Relaxed);
        }
        *stand.lock().unwrap_or_else(PoisonError::into_inner) = stand_of(group, &worker, &counts);
        if stop.load(Ordering::Relaxed) && stage == Stage::Watching {
            // The last write that was asked for gives the lease back: others need not wait for it to die.
            drop(leases);
            keeper.join();
            return;
        }
    }
}

fn stand_of(group: u16, worker: &GroupWorker<Carried>, counts: &GroupCounts) -> GroupStand {
    let (token, at) = (worker.token().map(|token| token.0.0), worker.at());
    // What is known of a tenure before is not true of the next one.
    let (stored, checkpoint) = if at.is_some() { (counts.stored(), counts.checkpoint()) } else { (None, None) };
    GroupStand {
        stage: worker.stage(),
        at,
        token,
        stored,
        checkpoint,
        tally: counts.tally(),
        ..GroupStand::watched(group)
    }
}

/// The lines by which people follow who has what.
fn report(group: u16, me: &Holder, before: Stage, stage: Stage, token: Option<FencingToken>) {
    match (before, stage) {
        (_, Stage::Fencing) => {
            report_line(group, format_args!("{} takes it (token {})", me.worker, token.map_or(0, |t| t.0.0)));
        }
        (Stage::CatchingUp | Stage::Loading, Stage::Following) => {
            report_line(group, format_args!("follows the journal"))
        }
        (Stage::Releasing, Stage::Watching) => report_line(group, format_args!("given up in order")),
        (Stage::Fencing | Stage::Loading | Stage::CatchingUp | Stage::Following, Stage::Watching | Stage::Taking) => {
            report_line(group, format_args!("lost: another worker has it, or the lease could not be renewed in time"));
        }
        _ => {}
    }
}

/// A thread beside, as far as it was started.
struct Beside(Option<JoinHandle<()>>);

impl Beside {
    /// Waits until it has done what it was asked.
    fn join(self) {
        drop(self.0.map(JoinHandle::join));
    }
}

/// A thread that takes orders until there are no more.
fn beside<T: Send + 'static>(name: &str, act: impl FnOnce(Receiver<T>) + Send + 'static) -> (SyncSender<T>, Beside) {
    let (orders, queue) = sync_channel(QUEUE);
    // A thread that cannot be started leaves a queue without a reader: orders fail, and the group is not held.
    let begun = std::thread::Builder::new().name(name.to_owned()).spawn(move || act(queue));
    if let Err(e) = &begun {
        drop(writeln!(std::io::stderr(), "barograph: the thread '{name}' cannot be started: {e}"));
    }
    (orders, Beside(begun.ok()))
}

fn lease(group: u16, plan: &WorkerPlan, queue: &Receiver<LeaseWork>, answers: &SyncSender<GroupInput<Carried>>) {
    let key = key(group);
    for work in queue {
        let answer = match work {
            LeaseWork::Read => plan.outside.lease(&key).map(|found| GroupInput::LeaseSeen(found.map(entry))),
            LeaseWork::Swap { ticket, expected, holder } => {
                let value = written(holder.as_ref());
                plan.outside.swap_lease(&key, expected.0, value.as_bytes()).map(|done| {
                    let outcome = done.map_or(CasOutcome::Other, |revision| CasOutcome::Written(Revision(revision)));
                    GroupInput::CasAnswer(ticket, outcome)
                })
            }
        };
        // What is not answered is asked for again.
        if let Ok(answer) = answer
            && answers.send(answer).is_err()
        {
            return;
        }
    }
}

/// Why the journal gives nothing; reported once, and not at each try.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum JournalSilence {
    /// Nobody answers.
    Away,
    /// What comes next is lost, and no start behind it is there yet.
    Lost,
}

fn fetch(
    group: u16,
    plan: &WorkerPlan,
    queue: &Receiver<(Ts, Option<Ts>)>,
    (answers, counts): (&SyncSender<GroupInput<Carried>>, &GroupCounts),
) {
    let mut silent: Option<JournalSilence> = None;
    for mut asked in queue {
        // What was asked for meanwhile stands in place of it.
        while let Ok(newer) = queue.try_recv() {
            asked = newer;
        }
        let (after, until) = asked;
        while counts.queued.load(Ordering::Relaxed) > APPLIED_MAX {
            std::thread::sleep(STORED_EVERY);
        }
        let answer = match plan.outside.range(after, until) {
            Ok(answer) => answer,
            Err(why) => {
                if silent.replace(JournalSilence::Away) != Some(JournalSilence::Away) {
                    report_line(group, format_args!("the journal is away, waiting: {why}"));
                }
                continue;
            }
        };
        let waits = matches!(answer, RangeAnswer::Lost { resumes: None, .. });
        if !waits && silent.take().is_some() {
            report_line(group, format_args!("the journal is back"));
        }
        let input = match answer {
            RangeAnswer::Next(parcel) => {
                counts.ranges.fetch_add(1, Ordering::Relaxed);
                GroupInput::Fetched(Carried(Arc::new(parcel)))
            }
            RangeAnswer::Nothing => match barograph_lake::journal::ParcelWriter::new(after).seal(after) {
                Ok(nothing) => GroupInput::Fetched(Carried(Arc::new(nothing))),
                Err(_) => continue,
            },
            RangeAnswer::Lost { resumes: Some(resumes), why } => {
                report_line(group, format_args!("{why}; it goes on with the start at {resumes}"));
                GroupInput::Lost(Hole { after, until: resumes - Span(1) })
            }
            RangeAnswer::Lost { resumes: None, why } => {
                if silent.replace(JournalSilence::Lost) != Some(JournalSilence::Lost) {
                    report_line(group, format_args!("{why}; it goes on when the process that listens is started anew"));
                }
                continue;
            }
        };
        if answers.send(input).is_err() {
            return;
        }
    }
}

/// What a tenure has at hand.
struct Hand {
    token: FencingToken,
    published: Option<Ts>,
    machine: Option<GroupMachine>,
    begun: bool,
    aside: Option<(Ts, Vec<u8>)>,
    stored: Ts,
    /// Minutes compared, and those that differed, as far as they are counted.
    compared: (u64, u64),
}

impl Hand {
    /// Counts what the machine has done since this was last asked for.
    fn count(&mut self, counts: &GroupCounts) {
        let Some(machine) = &self.machine else { return };
        counts.rows.store(machine.rows(), Ordering::Relaxed);
        let (compared, different) = machine.compared();
        counts.compared.fetch_add(compared - self.compared.0, Ordering::Relaxed);
        counts.different.fetch_add(different - self.compared.1, Ordering::Relaxed);
        self.compared = (compared, different);
    }
}

fn machine(
    group: u16,
    plan: &WorkerPlan,
    queue: &Receiver<Work>,
    answers: &SyncSender<GroupInput<Carried>>,
    counts: &GroupCounts,
) {
    let (mut hand, mut pause): (Option<Hand>, Duration) = (None, PAUSE);
    loop {
        let work = match queue.recv_timeout(STORED_EVERY) {
            Ok(work) => {
                if matches!(work, Work::Apply { .. }) {
                    counts.queued.fetch_sub(1, Ordering::Relaxed);
                }
                Some(work)
            }
            Err(RecvTimeoutError::Timeout) => None,
            Err(RecvTimeoutError::Disconnected) => {
                hand.take().and_then(|h| h.machine).into_iter().for_each(GroupMachine::abandon);
                return;
            }
        };
        if let Some(work) = work
            && let Err((token, why)) = act(group, plan, work, &mut hand, (answers, counts))
        {
            report_line(group, format_args!("given up: {why}"));
            hand.take().and_then(|h| h.machine).into_iter().for_each(GroupMachine::abandon);
            drop(answers.send(GroupInput::Refused(token)));
            // What fails again and again is not tried ten times a second.
            std::thread::sleep(pause);
            pause = (pause * 2).min(PAUSE_MAX);
            continue;
        }
        let Some(hand) = &mut hand else { continue };
        hand.count(counts);
        let Some(machine) = hand.machine.as_mut().filter(|_| hand.begun) else { continue };
        for trouble in machine.troubles() {
            report_line(group, format_args!("{trouble}"));
        }
        if machine.is_refused() {
            drop(answers.send(GroupInput::Refused(hand.token)));
            continue;
        }
        let stored = machine.stored();
        if stored > hand.stored {
            (hand.stored, pause) = (stored, PAUSE);
            counts.reaches(stored);
            drop(answers.send(GroupInput::Stored { token: hand.token, through: stored }));
        }
    }
}

fn act(
    group: u16,
    plan: &WorkerPlan,
    work: Work,
    hand: &mut Option<Hand>,
    (answers, counts): (&SyncSender<GroupInput<Carried>>, &GroupCounts),
) -> Result<(), (FencingToken, Error)> {
    let of = |hand: &Option<Hand>, token: FencingToken| hand.as_ref().is_some_and(|h| h.token == token && h.begun);
    match work {
        Work::Fence(token) => {
            let opened = plan.outside.store(group);
            let fenced = opened.and_then(|(_, mut writer)| writer.fence(group, store_token(token, &plan.me)));
            match fenced {
                Ok(state) => {
                    let (published, stored, compared) = (state.through, Ts(0), (0, 0));
                    counts.begins(published);
                    *hand = Some(Hand { token, published, machine: None, begun: false, aside: None, stored, compared });
                    drop(answers.send(GroupInput::Fenced(token)));
                    Ok(())
                }
                // The store is away: it is asked again.
                Err(e) if matches!(e.recovery(), barograph_store::Recovery::RetryAfter) => Ok(()),
                Err(e) => Err((token, Error::from(e))),
            }
        }
        Work::Load(token) => {
            let Some(held) = hand.as_mut().filter(|h| h.token == token && !h.begun) else { return Ok(()) };
            held.machine.take().into_iter().for_each(GroupMachine::abandon);
            let found = match plan.outside.checkpoint(group) {
                Ok(found) => found,
                Err(why) => {
                    report_line(group, format_args!("checkpoints are away, waiting: {why}"));
                    return Ok(());
                }
            };
            let Ok((reader, writer)) = plan.outside.store(group) else { return Ok(()) };
            let setup = Setup { share: Share::Group { group, of: plan.groups }, ..plan.setup.clone() };
            let means =
                GroupMeans { setup, keep: plan.keep.clone(), target: plan.target.clone(), room: plan.room.clone() };
            let tenure = GroupTenure { group, token: store_token(token, &plan.me), through: held.published };
            let bytes = found.as_ref().map(|(at, bytes)| (*at, &bytes[..]));
            let (machine, trouble) =
                GroupMachine::begin(means, tenure, (reader.as_ref(), writer), bytes).map_err(|e| (token, e))?;
            if let Some(trouble) = trouble {
                report_line(group, format_args!("{trouble}; the journal is run from its beginning"));
            }
            let checkpoint = Some(machine.at()).filter(|at| *at > Ts(0));
            checkpoint.into_iter().for_each(|at| counts.has_checkpoint(at));
            (held.machine, held.compared) = (Some(machine), (0, 0));
            drop(answers.send(GroupInput::Loaded { token, checkpoint, published: held.published }));
            Ok(())
        }
        Work::Begin(token) => {
            if let Some(held) = hand.as_mut().filter(|h| h.token == token) {
                held.begun = true;
            }
            Ok(())
        }
        Work::Apply { token, parcel } if of(hand, token) => {
            let machine = hand.as_mut().and_then(|h| h.machine.as_mut());
            machine.map_or(Ok(()), |machine| machine.take(&parcel)).map_err(|e| (token, e))
        }
        Work::Declare { token, gap } if of(hand, token) => {
            let why = format!("the journal has nothing between {} and {}", gap.after, gap.until);
            hand.as_mut().and_then(|h| h.machine.as_mut()).into_iter().for_each(|m| m.lost(gap.until, &why));
            Ok(())
        }
        Work::Snapshot => {
            let Some(held) = hand.as_mut().filter(|h| h.begun) else { return Ok(()) };
            let (token, Some(machine)) = (held.token, held.machine.as_mut()) else { return Ok(()) };
            held.aside = machine.snapshot().map_err(|e| (token, e))?;
            Ok(())
        }
        Work::Deposit { token, at } if of(hand, token) => {
            let Some(held) = hand.as_mut() else { return Ok(()) };
            // Without a state, before the first start of a process, there is nothing to keep.
            let kept = match &held.aside {
                Some((stamp, bytes)) if *stamp == at => plan.outside.keep_checkpoint(group, at, bytes),
                _ => Ok(()),
            };
            match kept {
                Ok(()) => {
                    counts.has_checkpoint(at);
                    drop(answers.send(GroupInput::Deposited { token, at }));
                }
                Err(why) => report_line(group, format_args!("the checkpoint is not kept, next try soon: {why}")),
            }
            Ok(())
        }
        Work::Abandon => {
            hand.take().and_then(|h| h.machine).into_iter().for_each(GroupMachine::abandon);
            Ok(())
        }
        Work::Apply { .. } | Work::Declare { .. } | Work::Deposit { .. } => Ok(()),
    }
}
