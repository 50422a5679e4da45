//! Signals: values that somebody brings beside what venues publish (R1.18, R1.19).
//!
//! They are the user's: no part of the content hash, and written without a role, so that a script can bring them while a live
//! process writes minutes. Appended and never changed; what counts is the last revision that was known at the moment asked for.

use crate::{Page, Range, Result};
use barograph_domain::{SignalName, SignalPoint, SignalScope, Ts};

/// What became of values that were brought.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct SignalsPut {
    /// Were not there.
    pub new: u64,
    /// Say something else of a moment that had a value; the earlier one stays for answers before.
    pub revised: u64,
    /// Were there already.
    pub same: u64,
}

/// Which values are wanted, by the moment they are of.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SignalQuery {
    /// What is measured.
    pub name: SignalName,
    /// Of what.
    pub scope: SignalScope,
    /// One source only.
    pub source: Option<String>,
    /// The moments they are of.
    pub range: Range,
    /// What was known by then; `None`: all.
    pub as_of: Option<Ts>,
    /// Every revision, those that take back among them; else of each key the last, if it is a value.
    pub revisions: bool,
    /// A page ends at the first change of the moment after so many.
    pub limit: usize,
}

/// One signal of one scope from one source, and how much of it is stored.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SignalInfo {
    /// What is measured.
    pub name: SignalName,
    /// Of what.
    pub scope: SignalScope,
    /// Who measured it.
    pub source: String,
    /// Moments that have a revision.
    pub points: u64,
    /// Revisions beyond the first of each moment.
    pub revisions: u64,
    /// The first moment.
    pub first: Ts,
    /// The newest.
    pub newest: Ts,
    /// When the newest revision became known.
    pub newest_known: Ts,
}

/// Reads signals.
pub trait SignalReader {
    /// Values of one signal, ascending by moment and source.
    ///
    /// # Errors
    /// When the store cannot be read.
    fn signal_points(&self, query: &SignalQuery) -> Result<Page<SignalPoint>>;

    /// What signals there are, by name, scope and source.
    ///
    /// # Errors
    /// See [`Self::signal_points`].
    fn signals(&self, as_of: Option<Ts>) -> Result<Vec<SignalInfo>>;

    /// The same of one name, without looking at any other.
    ///
    /// # Errors
    /// See [`Self::signal_points`].
    fn signals_of(&self, name: &SignalName, as_of: Option<Ts>) -> Result<Vec<SignalInfo>>;

    /// Since when a value of one scope is known, of one source or of any; `None` without one.
    ///
    /// # Errors
    /// See [`Self::signal_points`].
    fn signal_since(&self, name: &SignalName, scope: &SignalScope, source: Option<&str>) -> Result<Option<Ts>>;
}

/// Brings signals; several processes may at once.
pub trait SignalStore: Send {
    /// Adds values, all or none. One that says what was known at its moment already changes nothing.
    ///
    /// # Errors
    /// `Invalid` when one cannot be stored ([`SignalPoint::check`]), or when two of them, or one of them and a stored one, say
    /// different things of one key since the same moment; others when the store cannot be written.
    fn put_signals(&mut self, points: &[SignalPoint]) -> Result<SignalsPut>;
}
