//! Positions people have registered, what was reported about each, and the memory of the watch over them (R1.71–R1.74).
//!
//! They are the user's, not the market's: no part of the content hash, and written without a role, so that a command line
//! can register one while a live process writes minutes. Each call is one short transaction. A position that goes is kept
//! with the moment it went; notices stay.

use crate::{Outgoing, Result};
use barograph_domain::advice::{Position, PositionNotice};
use barograph_domain::{InstrumentName, Ts};

/// What a registration did.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Registered {
    /// It was not there.
    New,
    /// It was there with other content.
    Changed,
    /// It was there.
    Same,
}

/// Which notices are wanted; newest first.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct NoticeQuery {
    /// One position only.
    pub position: Option<String>,
    /// One market only.
    pub instrument: Option<InstrumentName>,
    /// Only what was reported by then; `None`: all.
    pub as_of: Option<Ts>,
    /// At most so many.
    pub limit: usize,
}

/// What the watch remembers of one position, as it wrote it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct WatchState {
    /// The position.
    pub position: String,
    /// Its memory, JSON.
    pub state: String,
}

/// Writes positions; several processes may at once.
pub trait PositionWriter: Send {
    /// Registers a position, or puts this content in place of what is registered under its id.
    ///
    /// # Errors
    /// When the store cannot be written; so for every method here.
    fn put_position(&mut self, position: &Position, at: Ts) -> Result<Registered>;

    /// Takes a position out; false when there is none of that id. What was reported about it stays.
    ///
    /// # Errors
    /// See [`Self::put_position`].
    fn remove_position(&mut self, id: &str, at: Ts) -> Result<bool>;

    /// Stores what a check found, and what is to be delivered of it, all or nothing. A notice or message that is stored already stays as it is; the memory of positions
    /// that are gone is not kept.
    ///
    /// # Errors
    /// See [`Self::put_position`].
    fn record_check(&mut self, states: &[WatchState], notices: &[PositionNotice], messages: &[Outgoing]) -> Result<()>;
}
