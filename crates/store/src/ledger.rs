//! The forecast ledger of a logic version: what was registered and what came of it, tick by tick (verification §7).
//!
//! Ticks that a live process publishes never change; those computed from stored minutes are replaced when the minutes are, as
//! rows between markets are. Heads of hash chains and states of the fold are kept beside them: what they mean is made elsewhere.

use crate::{PairRecord, Range};
use barograph_domain::Ts;
use barograph_domain::forecast::{ForecastEvent, LedgerTick, OutcomeRevision};

/// The head of the hash chain of one event over one day of UTC.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct LedgerHead {
    /// Where the day begins.
    pub day: Ts,
    /// What the chain is about.
    pub event: ForecastEvent,
    /// Rows in the chain so far.
    pub rows: u64,
    /// Hash of the last of them, SHA-256.
    pub head: [u8; 32],
}

/// A tick that a live process publishes.
#[derive(Clone, PartialEq, Debug)]
pub struct LiveLedger {
    /// Book, policy and arithmetic it was made by.
    pub logic_version: String,
    /// The tick.
    pub tick: LedgerTick,
    /// The chains that it made longer, as they are after it. Those of a tick that was published before are passed over.
    pub heads: Vec<LedgerHead>,
}

/// The fold as it was saved before a tick.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct LedgerState {
    /// The tick, which it does not know.
    pub ts: Ts,
    /// Whatever the fold says of itself.
    pub bytes: Vec<u8>,
}

/// A state that a live process saves.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct LiveLedgerState {
    /// Book, policy and arithmetic it was made by.
    pub logic_version: String,
    /// The state. One that is there of the same moment stays.
    pub state: LedgerState,
}

/// Some ticks computed anew from stored minutes.
#[derive(Clone, Copy, Debug)]
pub struct LedgerPart<'a> {
    /// Book, policy and arithmetic they were made by.
    pub logic_version: &'a str,
    /// The minutes whose computed ticks are replaced, ticks or not.
    pub range: Range,
    /// The ticks, ascending. Of a published minute the published one stays.
    pub ticks: &'a [LedgerTick],
    /// Heads of the days that begin in the range, all there are, in place of those that were; also of the day it begins in. They
    /// go on over what is published of a day already.
    pub heads: &'a [LedgerHead],
    /// States saved on the way. Earlier ones of moments after the beginning of the range follow from it no more and go.
    pub states: &'a [LedgerState],
    /// Outcomes that stand although minutes they rest on were corrected. A note that is there stays as it is, and none goes.
    pub revisions: &'a [OutcomeRevision],
    /// What these ticks made the book's rules about drift say. It replaces what computed ticks of the range had said; that of a
    /// published tick stays.
    pub alerts: &'a [PairRecord],
    /// All ticks follow from the minutes when this is written: the markets that were followed ([`crate::watch_words`]).
    pub done: Option<&'a str>,
}

/// How the ticks of a logic version stand to the minutes.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct LedgerProgress {
    /// The markets that were followed ([`crate::watch_words`]); empty before ticks were computed for the first time.
    pub markets: String,
    /// Ticks do not follow from the minutes from this instant on. States of later moments are no use then.
    pub dirty_since: Option<Ts>,
}
