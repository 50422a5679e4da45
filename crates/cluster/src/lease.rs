//! The lease of one group in a key-value store that compares revisions before it writes.
//!
//! There are no synchronised clocks. An observer calls a lease dead when its revision has not changed for the time to live by the observer's
//! *own* clock; an owner that got no answer for as long by *its* clock stops by itself. Where clocks run differently both may
//! believe they own the group. That is what the token is for: the revision of the acquisition, which the store compares. Renewals make
//! higher revisions, which are never a token; a later acquisition is higher than all of them.
//!
//! Taking and renewing are each one write under the condition that the revision is still the one that was read. A write without an
//! answer may have happened or not, so it is followed by a read: an entry with this very holder is ours.

use crate::WorkerId;

/// The revision of an entry: grows with every write to the key-value store. 0 is that of an entry that was never written.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Revision(pub u64);

/// The fencing token of a tenure: the revision of its acquisition.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct FencingToken(pub Revision);

/// A write to the key-value store, for matching its answer. Counted anew by each [`Tenure`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct CasTicket(pub u64);

/// Who holds a lease: a worker, in one life of its process.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Holder {
    /// Its name in the settings.
    pub worker: WorkerId,
    /// Differs at every start of the process: a restarted worker does not take its former lease for its own.
    pub boot: u64,
}

/// A lease as it stands in the key-value store.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct LeaseEntry {
    /// Of its last write.
    pub revision: Revision,
    /// Who holds it; `None` if it was given back.
    pub holder: Option<Holder>,
}

/// What became of a write.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum CasOutcome {
    /// It was written, as this revision.
    Written(Revision),
    /// Nothing was written: the entry has another revision than expected.
    Other,
}

/// Times of a lease, in milliseconds of the own clock.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct TenurePace {
    /// Without a change for so long a lease is dead; without an answer for so long an owner stops.
    pub ttl_ms: u64,
    /// An owner renews, and an observer reads, this often: a third of the time to live leaves room for two failures.
    pub every_ms: u64,
    /// A request without an answer for so long is made again.
    pub retry_ms: u64,
}

impl TenurePace {
    /// Renews every third of the time to live, tries again after a sixth.
    #[must_use]
    pub const fn of_ttl(ttl_ms: u64) -> Self {
        Self { ttl_ms, every_ms: ttl_ms / 3, retry_ms: ttl_ms / 6 }
    }
}

/// What happens to a lease.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum LeaseInput {
    /// Time passes; wanted at least every `retry_ms`.
    Tick,
    /// The entry was read, or a watch delivered it; `None` if there never was one.
    Seen(Option<LeaseEntry>),
    /// A write was answered.
    Answered(CasTicket, CasOutcome),
}

/// What is to be done, and what has come of it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum LeaseOutput {
    /// Read the entry and hand it in with [`LeaseInput::Seen`].
    Read,
    /// Write `holder` if the entry still has the revision `expected`.
    Write {
        /// Names this write in its answer.
        ticket: CasTicket,
        /// The revision it must have; 0: there must be no entry.
        expected: Revision,
        /// Who holds it then; `None` gives it back.
        holder: Option<Holder>,
    },
    /// The lease is held from now on, with this token.
    Acquired(FencingToken),
    /// It is held no longer: nothing may be published under this token.
    Lost(FencingToken),
}

/// A write that was asked for.
#[derive(Clone, Copy, Debug)]
struct Asked {
    ticket: CasTicket,
    at_ms: u64,
}

#[derive(Clone, Debug)]
enum Hold {
    /// Someone else's, or nobody's.
    Observed,
    Taking(Asked),
    Owned {
        token: FencingToken,
        revision: Revision,
        /// When the write was asked for that was the last one known to have happened.
        sure_ms: u64,
        renewal: Option<Asked>,
        /// Since when it is unknown whether a renewal happened.
        doubt_ms: Option<u64>,
    },
}

/// One worker's side of one lease, in whatever state.
#[derive(Clone, Debug)]
pub struct Tenure {
    me: Holder,
    pace: TenurePace,
    wanted: bool,
    hold: Hold,
    /// The entry as last read, and since when it has this revision.
    seen: Option<(Option<LeaseEntry>, u64)>,
    read_ms: Option<u64>,
    tickets: u64,
}

impl Tenure {
    /// Observes until it is wanted.
    #[must_use]
    pub const fn new(me: Holder, pace: TenurePace) -> Self {
        Self { me, pace, wanted: false, hold: Hold::Observed, seen: None, read_ms: None, tickets: 0 }
    }

    /// Whether the lease is to be taken when nobody has it. One that is held stays held until [`Self::release`].
    pub const fn want(&mut self, wanted: bool) {
        self.wanted = wanted;
    }

    /// The token, while the lease is held.
    #[must_use]
    pub const fn token(&self) -> Option<FencingToken> {
        match self.hold {
            Hold::Owned { token, .. } => Some(token),
            Hold::Observed | Hold::Taking(_) => None,
        }
    }

    /// Is a write under way that takes it?
    #[must_use]
    pub const fn is_taking(&self) -> bool {
        matches!(self.hold, Hold::Taking(_))
    }

    /// Takes in what happened at `now_ms` of the own clock; what follows is appended to `out`.
    pub fn step(&mut self, now_ms: u64, input: LeaseInput, out: &mut Vec<LeaseOutput>) {
        match input {
            LeaseInput::Tick => {}
            LeaseInput::Seen(entry) => self.seen(now_ms, entry, out),
            LeaseInput::Answered(ticket, outcome) => self.answered(now_ms, ticket, outcome, out),
        }
        self.passed(now_ms, out);
    }

    /// Gives the lease back, with a write that makes it vacant. It is not held any longer from this moment, whatever becomes of the write.
    pub fn release(&mut self, now_ms: u64, out: &mut Vec<LeaseOutput>) {
        if let Hold::Owned { token, revision, .. } = self.hold {
            self.lose(token, out);
            self.write(now_ms, revision, false, out);
        }
    }

    /// Gives the lease up without a word to the key-value store: the store has seen a newer token.
    pub fn forfeit(&mut self, out: &mut Vec<LeaseOutput>) {
        if let Hold::Owned { token, .. } = self.hold {
            self.lose(token, out);
        }
    }

    fn lose(&mut self, token: FencingToken, out: &mut Vec<LeaseOutput>) {
        self.hold = Hold::Observed;
        // What was read before is not what is there now.
        (self.seen, self.read_ms) = (None, None);
        out.push(LeaseOutput::Lost(token));
    }

    fn write(&mut self, now_ms: u64, expected: Revision, held: bool, out: &mut Vec<LeaseOutput>) -> Asked {
        self.tickets += 1;
        let ticket = CasTicket(self.tickets);
        out.push(LeaseOutput::Write { ticket, expected, holder: held.then(|| self.me.clone()) });
        Asked { ticket, at_ms: now_ms }
    }

    fn read(&mut self, now_ms: u64, out: &mut Vec<LeaseOutput>) {
        self.read_ms = Some(now_ms);
        out.push(LeaseOutput::Read);
    }

    fn seen(&mut self, now_ms: u64, entry: Option<LeaseEntry>, out: &mut Vec<LeaseOutput>) {
        let read = entry.as_ref().map_or(Revision(0), |e| e.revision);
        let known = self.seen.as_ref().map(|(e, _)| e.as_ref().map_or(Revision(0), |e| e.revision));
        // A watch and a read may deliver in either order.
        if known.is_some_and(|known| known > read) {
            return;
        }
        if known != Some(read) {
            self.seen = Some((entry.clone(), now_ms));
        }
        let mine = entry.and_then(|e| e.holder).is_some_and(|h| h == self.me);
        if let Hold::Owned { token, revision, sure_ms, renewal, doubt_ms } = &mut self.hold {
            match doubt_ms {
                _ if read <= *revision => {}
                _ if !mine => {
                    let token = *token;
                    self.lose(token, out);
                }
                // The renewal in doubt did happen, not before it was asked for.
                Some(asked_ms) => (*revision, *sure_ms, *renewal, *doubt_ms) = (read, *asked_ms, None, None),
                // A watch was faster than the answer.
                None => {}
            }
        }
    }

    fn answered(&mut self, now_ms: u64, of: CasTicket, outcome: CasOutcome, out: &mut Vec<LeaseOutput>) {
        match &mut self.hold {
            Hold::Taking(asked) if asked.ticket == of => match outcome {
                CasOutcome::Written(revision) => {
                    let (token, sure_ms) = (FencingToken(revision), asked.at_ms);
                    self.hold = Hold::Owned { token, revision, sure_ms, renewal: None, doubt_ms: None };
                    out.push(LeaseOutput::Acquired(token));
                }
                CasOutcome::Other => {
                    self.hold = Hold::Observed;
                    self.read(now_ms, out);
                }
            },
            Hold::Owned { token, revision, sure_ms, renewal, doubt_ms } => {
                let Some(asked) = renewal.filter(|r| r.ticket == of) else { return };
                *renewal = None;
                match (outcome, *doubt_ms) {
                    (CasOutcome::Written(written), _) => {
                        (*revision, *sure_ms, *doubt_ms) = (written, asked.at_ms, None)
                    }
                    (CasOutcome::Other, None) => {
                        let token = *token;
                        self.lose(token, out);
                    }
                    // The other revision may be the renewal before this one, which nobody answered.
                    (CasOutcome::Other, Some(_)) => self.read(now_ms, out),
                }
            }
            Hold::Observed | Hold::Taking(_) => {}
        }
    }

    /// What time alone brings about.
    fn passed(&mut self, now_ms: u64, out: &mut Vec<LeaseOutput>) {
        let TenurePace { ttl_ms, every_ms, retry_ms } = self.pace;
        let over = |since_ms: u64, span_ms: u64| now_ms.saturating_sub(since_ms) >= span_ms;
        match &mut self.hold {
            Hold::Owned { token, sure_ms, .. } if over(*sure_ms, ttl_ms) => {
                let token = *token;
                self.lose(token, out);
                self.read(now_ms, out);
            }
            Hold::Owned { renewal: Some(asked), doubt_ms, .. } if over(asked.at_ms, retry_ms) => {
                doubt_ms.get_or_insert(asked.at_ms);
                if let Hold::Owned { renewal, .. } = &mut self.hold {
                    *renewal = None;
                }
                self.read(now_ms, out);
            }
            Hold::Owned { renewal: None, revision, sure_ms, doubt_ms, .. } => {
                let revision = *revision;
                let due = match doubt_ms {
                    // Read, and found unwritten: the write is asked for again.
                    Some(_) => self.read_ms.is_none_or(|at| over(at, retry_ms)),
                    None => over(*sure_ms, every_ms),
                };
                if due {
                    let asked = self.write(now_ms, revision, true, out);
                    if let Hold::Owned { renewal, .. } = &mut self.hold {
                        *renewal = Some(asked);
                    }
                }
            }
            Hold::Owned { .. } => {}
            Hold::Taking(asked) if over(asked.at_ms, retry_ms) => {
                self.hold = Hold::Observed;
                self.read(now_ms, out);
            }
            Hold::Taking(_) => {}
            Hold::Observed => self.observed(now_ms, out),
        }
    }

    fn observed(&mut self, now_ms: u64, out: &mut Vec<LeaseOutput>) {
        let free = self.seen.as_ref().filter(|_| self.wanted).and_then(|(entry, since_ms)| {
            let dead = now_ms.saturating_sub(*since_ms) >= self.pace.ttl_ms;
            match entry {
                None => Some(Revision(0)),
                // Ours without our knowledge: taken by a write that nobody answered.
                Some(LeaseEntry { revision, holder }) => {
                    (dead || holder.as_ref().is_none_or(|h| *h == self.me)).then_some(*revision)
                }
            }
        });
        if let Some(expected) = free {
            // Whatever becomes of it, the entry is another one then.
            self.seen = None;
            let asked = self.write(now_ms, expected, true, out);
            self.hold = Hold::Taking(asked);
        } else if self.read_ms.is_none_or(|at| now_ms.saturating_sub(at) >= self.pace.every_ms) {
            self.read(now_ms, out);
        }
    }
}

#[cfg(test)]
mod tests;
