//! Rows between markets, hour by hour, and what is scheduled.
//!
//! Rows belong to a logic version, not to a market. Those of a live process stay as they were published; those computed from
//! stored minutes are replaced when the minutes are. Calendar entries are revisions: appended and never changed.

use crate::Range;
use barograph_domain::{InstrumentName, KnownAlert, Ts, UniverseRow};

/// The row of an hour that a live process publishes.
#[derive(Clone, PartialEq, Debug)]
pub struct LiveUniverse {
    /// Book, policy and arithmetic it was made by.
    pub logic_version: String,
    /// The row.
    pub row: UniverseRow,
}

/// What an hour says of a pair: a record of an alert, kept with the run of the pair's first market (surveillance §2).
#[derive(Clone, PartialEq, Debug)]
pub struct PairRecord {
    /// The first market.
    pub instrument: InstrumentName,
    /// The record; its moment is the hour.
    pub alert: KnownAlert,
}

/// Some hours computed anew from stored minutes.
#[derive(Clone, Copy, Debug)]
pub struct UniversePart<'a> {
    /// Book, policy and arithmetic they were made by.
    pub logic_version: &'a str,
    /// The hours that are replaced, rows or not.
    pub range: Range,
    /// Their rows, ascending.
    pub rows: &'a [UniverseRow],
    /// What they say of pairs; it is replaced with them, and that of published hours stays.
    pub alerts: &'a [PairRecord],
    /// All hours follow from the minutes when this is written: the markets compared ([`watch_words`]).
    pub done: Option<&'a str>,
}

/// How the rows of a logic version stand to the minutes.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct UniverseState {
    /// The markets that the rows compare ([`watch_words`]); empty before they were computed for the first time.
    pub watch: String,
    /// Rows do not follow from the minutes from this instant on.
    pub dirty_since: Option<Ts>,
}

/// The markets of a watch-list in one text, as they are stored beside a row.
pub fn watch_words<'a>(markets: impl Iterator<Item = &'a InstrumentName>) -> String {
    markets.map(ToString::to_string).collect::<Vec<_>>().join(",")
}
