//! One worker's side of one group: from watching its lease to following the journal, and back.
//!
//! ```text
//! Watching → Taking → Fencing → Loading → Following → Releasing → Watching
//!     ▲                  └─────────┴─── lost ──┴──────────┘ │
//!     └─────────────────────────────────────────────────────┘
//! ```
//!
//! The order is what makes a takeover safe. First the store is given the token, so that it refuses what the former owner still has under way.
//! Then what is published is read, which nobody else can change from then on, and the newest checkpoint is loaded. Then the inputs
//! behind the checkpoint are fetched and applied. Rows made by inputs up to what is published are not published again.
//!
//! # For whoever drives it
//!
//! Each [`GroupWorker::step`] takes one [`GroupInput`] with the own monotonic time and appends commands, to be carried out in their order. Give it
//! [`GroupInput::Tick`] at least every [`crate::TenurePace::retry_ms`]. No command has to succeed: what
//! is not answered is asked for again. Answers that come late, twice or for an earlier tenure change nothing.

use crate::course::{Course, CoursePace, Errand};
use crate::lease::{
    CasOutcome, CasTicket, FencingToken, Holder, LeaseEntry, LeaseInput, LeaseOutput, Revision, Tenure, TenurePace,
};
use crate::stretch::{Hole, StretchMessage};
use barograph_domain::Ts;

/// Times and sizes of a [`GroupWorker`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct WorkerSettings {
    /// Of the lease. Fencing and loading are tried again after its `retry_ms`.
    pub lease: TenurePace,
    /// Of following.
    pub course: CoursePace,
    /// Before the first stamp of the journal: where a group without a checkpoint begins.
    pub beginning: Ts,
    /// So long a group that is given up may take to write its last checkpoint, milliseconds; then it is released without.
    pub release_ms: u64,
    /// Reading what is published and a checkpoint is tried again after so long, milliseconds.
    pub load_ms: u64,
}

/// What happens to a worker's group.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum GroupInput<M> {
    /// Time passes.
    Tick,
    /// Whether this worker should hold the group, as [`crate::shares`] has it.
    Share(bool),
    /// The lease was read, or a watch delivered it; `None` if there never was one.
    LeaseSeen(Option<LeaseEntry>),
    /// [`GroupCommand::Cas`] was answered.
    CasAnswer(CasTicket, CasOutcome),
    /// The store has the token, and refuses smaller ones from now on.
    Fenced(FencingToken),
    /// The store has refused this token, for the fence or for rows: there is a newer one.
    Refused(FencingToken),
    /// [`GroupCommand::Load`] was answered.
    Loaded {
        /// That of the command.
        token: FencingToken,
        /// The stamp of the newest checkpoint that can be used; `None` if there is none.
        checkpoint: Option<Ts>,
        /// The store has everything made by inputs up to this stamp; `None` if it has nothing of the group.
        published: Option<Ts>,
    },
    /// The broker delivered a message of the group.
    Arrived(M),
    /// The journal's answer to [`GroupCommand::Fetch`]: it begins at or before `after` and may end before `until`. One that is empty, or ends at
    /// `after`, means that there is nothing newer.
    Fetched(M),
    /// The journal's answer to [`GroupCommand::Fetch`]: inputs of this range cannot be read any more. It reads on behind `until`.
    Lost(Hole),
    /// The store has taken everything that was applied or declared up to `through`, under this token. These come in the order of what
    /// was applied; one may cover several pieces.
    Stored {
        /// That of the rows.
        token: FencingToken,
        /// The end of what was applied.
        through: Ts,
    },
    /// The depot has the checkpoint of [`GroupCommand::Deposit`].
    Deposited {
        /// That of the command.
        token: FencingToken,
        /// Its stamp.
        at: Ts,
    },
}

/// What is to be done for a group.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum GroupCommand<M> {
    /// Read the lease, and answer with [`GroupInput::LeaseSeen`].
    ReadLease,
    /// Write the lease if it still has the revision `expected`.
    Cas {
        /// Names the write in its answer.
        ticket: CasTicket,
        /// The revision it must have; 0: there must be no entry.
        expected: Revision,
        /// Who holds it then; `None` makes it vacant.
        holder: Option<Holder>,
    },
    /// Give the store the token: from its answer on it takes nothing of the group under a smaller one. It keeps the holder with it, and
    /// refuses an equal token of another: a key-value store that lost what it acknowledged may give a revision again.
    Fence(FencingToken),
    /// Read from the store what is published, *then* find the newest checkpoint; answer with [`GroupInput::Loaded`] and keep the state at hand.
    Load(FencingToken),
    /// The answer to [`GroupCommand::Load`] is accepted: make its state the group's state, or an empty one without a checkpoint. What is made by
    /// inputs up to `published` is not to be stored again, and neither are rows of minutes that the store had when it was read: where
    /// the tick that made a minute is lost, a later tick makes that minute anew, and otherwise.
    Begin {
        /// Everything from here on happens under this token.
        token: FencingToken,
        /// The stamp of the checkpoint; `None` begins empty.
        checkpoint: Option<Ts>,
        /// As it was loaded.
        published: Option<Ts>,
    },
    /// Ask the ingest node for stamps later than `after`, up to `until` or, without it, to the end of what is synced.
    Fetch {
        /// Not asked for any more.
        after: Ts,
        /// The last that is missing.
        until: Option<Ts>,
    },
    /// Step the engine with the inputs of this message that are later than `after`. Store what they make, and that the stretch is done
    /// even if they make nothing; then answer with [`GroupInput::Stored`].
    Apply {
        /// The token to store with.
        token: FencingToken,
        /// The inputs.
        message: M,
        /// Earlier ones were applied.
        after: Ts,
    },
    /// Step the engine with this gap and store it; answer as for [`GroupCommand::Apply`].
    Declare {
        /// The token to store with.
        token: FencingToken,
        /// The stamps that are missing for ever.
        gap: Hole,
    },
    /// Set the present state aside, in memory, in place of any other. Its stamp is that of the end of what was applied.
    Snapshot(Ts),
    /// Write the state that was set aside into the depot, named by group and stamp: the store has everything before it.
    Deposit {
        /// Names it in the answer.
        token: FencingToken,
        /// Its stamp.
        at: Ts,
    },
    /// The group is not this worker's any more: drop its state, and everything not sent under this token.
    Abandon(FencingToken),
}

/// Where a worker stands with a group.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Stage {
    /// Someone else's, nobody's, or not wanted.
    Watching,
    /// A write is under way that takes the lease.
    Taking,
    /// The store is given the token.
    Fencing,
    /// What is published and the checkpoint are read.
    Loading,
    /// Inputs behind the checkpoint are fetched.
    CatchingUp,
    /// Inputs come from the broker.
    Following,
    /// The last checkpoint is being written.
    Releasing,
}

#[derive(Clone, Debug)]
enum Phase<M> {
    Idle,
    Fencing { asked_ms: u64 },
    Loading { asked_ms: u64 },
    Running(Course<M>),
    Releasing { course: Course<M>, since_ms: u64 },
}

/// One worker's side of one group.
#[derive(Clone, Debug)]
pub struct GroupWorker<M> {
    settings: WorkerSettings,
    tenure: Tenure,
    wanted: bool,
    phase: Phase<M>,
    leased: Vec<LeaseOutput>,
    errands: Vec<Errand<M>>,
}

impl<M: StretchMessage> GroupWorker<M> {
    /// Watches until it is given the group as its share. `me` names this life of the process.
    #[must_use]
    pub const fn new(me: Holder, settings: WorkerSettings) -> Self {
        let tenure = Tenure::new(me, settings.lease);
        Self { settings, tenure, wanted: false, phase: Phase::Idle, leased: Vec::new(), errands: Vec::new() }
    }

    /// Where it stands.
    #[must_use]
    pub const fn stage(&self) -> Stage {
        match &self.phase {
            Phase::Idle if self.tenure.is_taking() => Stage::Taking,
            Phase::Idle => Stage::Watching,
            Phase::Fencing { .. } => Stage::Fencing,
            Phase::Loading { .. } => Stage::Loading,
            Phase::Running(course) if course.is_joined() => Stage::Following,
            Phase::Running(_) => Stage::CatchingUp,
            Phase::Releasing { .. } => Stage::Releasing,
        }
    }

    /// The token of its tenure, while it has one.
    #[must_use]
    pub const fn token(&self) -> Option<FencingToken> {
        self.tenure.token()
    }

    /// The last stamp that was applied or declared a gap; `None` before [`GroupCommand::Begin`].
    #[must_use]
    pub const fn at(&self) -> Option<Ts> {
        match &self.phase {
            Phase::Running(course) | Phase::Releasing { course, .. } => Some(course.at()),
            Phase::Idle | Phase::Fencing { .. } | Phase::Loading { .. } => None,
        }
    }

    /// Takes in what happened at `now_ms` of the own clock. What is to be done is appended to `out`, in order.
    pub fn step(&mut self, now_ms: u64, input: GroupInput<M>, out: &mut Vec<GroupCommand<M>>) {
        // An owner that was paused for too long stops before it does anything else.
        self.lease(now_ms, LeaseInput::Tick, out);
        match input {
            GroupInput::Tick => {}
            GroupInput::Share(wanted) => self.share(wanted),
            GroupInput::LeaseSeen(entry) => self.lease(now_ms, LeaseInput::Seen(entry), out),
            GroupInput::CasAnswer(ticket, outcome) => self.lease(now_ms, LeaseInput::Answered(ticket, outcome), out),
            GroupInput::Fenced(token) => self.fenced(now_ms, token, out),
            GroupInput::Refused(token) => self.refused(now_ms, token, out),
            GroupInput::Loaded { token, checkpoint, published } => {
                self.loaded(now_ms, token, checkpoint, published, out)
            }
            GroupInput::Arrived(message) => {
                self.course(out, |course, errands| course.arrived(now_ms, message, errands))
            }
            GroupInput::Fetched(message) => {
                self.course(out, |course, errands| course.fetched(now_ms, message, errands))
            }
            GroupInput::Lost(hole) => self.course(out, |course, errands| course.lost(now_ms, hole, errands)),
            GroupInput::Stored { token, through } => self.stored(now_ms, token, through, out),
            GroupInput::Deposited { token, at } => self.deposited(now_ms, token, at),
        }
        self.passed(now_ms, out);
    }

    const fn share(&mut self, wanted: bool) {
        self.wanted = wanted;
        self.tenure.want(wanted);
    }

    fn lease(&mut self, now_ms: u64, input: LeaseInput, out: &mut Vec<GroupCommand<M>>) {
        let mut leased = std::mem::take(&mut self.leased);
        self.tenure.step(now_ms, input, &mut leased);
        self.follow_lease(now_ms, &mut leased, out);
        self.leased = leased;
    }

    fn follow_lease(&mut self, now_ms: u64, leased: &mut Vec<LeaseOutput>, out: &mut Vec<GroupCommand<M>>) {
        for output in leased.drain(..) {
            match output {
                LeaseOutput::Read => out.push(GroupCommand::ReadLease),
                LeaseOutput::Write { ticket, expected, holder } => {
                    out.push(GroupCommand::Cas { ticket, expected, holder })
                }
                LeaseOutput::Acquired(token) => {
                    self.phase = Phase::Fencing { asked_ms: now_ms };
                    out.push(GroupCommand::Fence(token));
                }
                LeaseOutput::Lost(token) => {
                    self.phase = Phase::Idle;
                    out.push(GroupCommand::Abandon(token));
                }
            }
        }
    }

    fn fenced(&mut self, now_ms: u64, token: FencingToken, out: &mut Vec<GroupCommand<M>>) {
        if matches!(self.phase, Phase::Fencing { .. }) && self.token() == Some(token) {
            self.phase = Phase::Loading { asked_ms: now_ms };
            out.push(GroupCommand::Load(token));
        }
    }

    fn refused(&mut self, now_ms: u64, token: FencingToken, out: &mut Vec<GroupCommand<M>>) {
        if self.token() == Some(token) {
            let mut leased = Vec::new();
            self.tenure.forfeit(&mut leased);
            self.follow_lease(now_ms, &mut leased, out);
        }
    }

    fn loaded(
        &mut self,
        now_ms: u64,
        token: FencingToken,
        checkpoint: Option<Ts>,
        published: Option<Ts>,
        out: &mut Vec<GroupCommand<M>>,
    ) {
        if matches!(self.phase, Phase::Loading { .. }) && self.token() == Some(token) {
            out.push(GroupCommand::Begin { token, checkpoint, published });
            let at = checkpoint.unwrap_or(self.settings.beginning);
            self.phase = Phase::Running(Course::new(now_ms, at, published, self.settings.course));
        }
    }

    fn stored(&mut self, now_ms: u64, token: FencingToken, through: Ts, out: &mut Vec<GroupCommand<M>>) {
        if self.token() != Some(token) {
            return;
        }
        if let Phase::Running(course) | Phase::Releasing { course, .. } = &mut self.phase {
            course.stored(now_ms, through, &mut self.errands);
            self.run(token, out);
        }
    }

    fn deposited(&mut self, now_ms: u64, token: FencingToken, at: Ts) {
        if self.token() == Some(token)
            && let Phase::Running(course) | Phase::Releasing { course, .. } = &mut self.phase
        {
            course.deposited(now_ms, at);
        }
    }

    /// Lets a running course do something.
    fn course(&mut self, out: &mut Vec<GroupCommand<M>>, act: impl FnOnce(&mut Course<M>, &mut Vec<Errand<M>>)) {
        if let (Phase::Running(course), Some(token)) = (&mut self.phase, self.tenure.token()) {
            act(course, &mut self.errands);
            self.run(token, out);
        }
    }

    fn run(&mut self, token: FencingToken, out: &mut Vec<GroupCommand<M>>) {
        out.extend(self.errands.drain(..).map(|errand| match errand {
            Errand::Fetch { after, until } => GroupCommand::Fetch { after, until },
            Errand::Apply { message, after } => GroupCommand::Apply { token, message, after },
            Errand::Declare(gap) => GroupCommand::Declare { token, gap },
            Errand::Snapshot(at) => GroupCommand::Snapshot(at),
            Errand::Deposit(at) => GroupCommand::Deposit { token, at },
        }));
    }

    /// What time alone brings about.
    fn passed(&mut self, now_ms: u64, out: &mut Vec<GroupCommand<M>>) {
        let Some(token) = self.token() else { return };
        let over = |since_ms: u64, span_ms: u64| now_ms.saturating_sub(since_ms) >= span_ms;
        match &mut self.phase {
            Phase::Fencing { asked_ms } if over(*asked_ms, self.settings.lease.retry_ms) => {
                *asked_ms = now_ms;
                out.push(GroupCommand::Fence(token));
            }
            Phase::Loading { asked_ms } if over(*asked_ms, self.settings.load_ms) => {
                *asked_ms = now_ms;
                out.push(GroupCommand::Load(token));
            }
            Phase::Running(course) if self.wanted => {
                course.passed(now_ms, &mut self.errands);
                self.run(token, out);
            }
            Phase::Running(_) => self.give_up(now_ms, token, out),
            Phase::Releasing { course, since_ms } => {
                let since_ms = *since_ms;
                course.passed(now_ms, &mut self.errands);
                let done = course.is_finished();
                self.run(token, out);
                if done || over(since_ms, self.settings.release_ms) {
                    self.release(now_ms, out);
                }
            }
            Phase::Fencing { .. } | Phase::Loading { .. } if !self.wanted => self.release(now_ms, out),
            Phase::Fencing { .. } | Phase::Loading { .. } | Phase::Idle => {}
        }
    }

    fn give_up(&mut self, now_ms: u64, token: FencingToken, out: &mut Vec<GroupCommand<M>>) {
        if let Phase::Running(mut course) = std::mem::replace(&mut self.phase, Phase::Idle) {
            course.finish(now_ms, &mut self.errands);
            self.run(token, out);
            self.phase = Phase::Releasing { course, since_ms: now_ms };
        }
    }

    fn release(&mut self, now_ms: u64, out: &mut Vec<GroupCommand<M>>) {
        let mut leased = Vec::new();
        self.tenure.release(now_ms, &mut leased);
        self.follow_lease(now_ms, &mut leased, out);
    }
}

#[cfg(test)]
mod tests;
