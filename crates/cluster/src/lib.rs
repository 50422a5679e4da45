//! A cluster over one journal, as state machines without a socket, file, clock or thread.
//!
//! The ingest node gives every input a unique, growing stamp and syncs it to its journal before it sends it on. A broker carries
//! stretches of inputs and may lose what it acknowledged. An engine worker computes a *group* of instruments: it holds the group's
//! lease ([`Tenure`]), gives the store its token before it reads anything ([`GroupWorker`]), follows the stretches and fetches
//! what is missing ([`Follower`]). A universe worker makes hours behind a [`Watermark`].
//!
//! Whoever drives these machines brings messages, answers and a monotonic time in milliseconds, and carries out the commands that
//! come back. Payloads stay with the driver. Why it is cut this way: docs/adr/0046-a-cluster-over-one-journal.md.
#![warn(missing_docs)]

mod course;
mod groups;
mod lease;
mod roster;
mod stretch;
mod takeover;
mod watermark;

pub use course::CoursePace;
pub use groups::{GroupId, WorkerId, group_of, shares};
pub use lease::{
    CasOutcome, CasTicket, FencingToken, Holder, LeaseEntry, LeaseInput, LeaseOutput, Revision, Tenure, TenurePace,
};
pub use roster::Roster;
pub use stretch::{Follower, Hole, JournalStretch, KeptLimits, NextStretch, StretchMessage, StretchVerdict};
pub use takeover::{GroupCommand, GroupInput, GroupWorker, Stage, WorkerSettings};
pub use watermark::Watermark;
