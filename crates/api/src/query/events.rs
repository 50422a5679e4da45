//! What happened and what is to come: events, hours between the markets, the calendar.

use super::{Page, QueryError, SeriesWindow};
use crate::events::{EventView, HourOfLiquidations};
use crate::universe::CalendarView;
use barograph_domain::alert::AlertChange;
use barograph_domain::{InstrumentName, Pattern, Severity, Ts, UniverseRow};
use bytes::Bytes;
use std::sync::Arc;
use tokio::sync::broadcast;

/// Events, of one market and between them.
pub trait AskEvents {
    /// Events of one market, or of all (`None`), by `known_at` and then by market; of equal ones the window's `skip` passes over
    /// the first. `every` is not asked for.
    ///
    /// # Errors
    /// As [`super::AskMarkets::history`]; a market without a run of the book has none where all are asked for.
    fn events(
        &self,
        id: Option<&InstrumentName>,
        book: Option<&str>,
        filter: &EventFilter,
        window: &SeriesWindow,
    ) -> Result<Page<EventView>, QueryError>;

    /// One event by its id, or the beginning of it: its newest record, with what followed and the earlier episodes most like it.
    ///
    /// # Errors
    /// [`QueryError::Unknown`] where there is none, [`QueryError::BadField`] where several begin like this; the store's failure.
    fn event(&self, id: &str, as_of: Option<Ts>) -> Result<EventView, QueryError>;

    /// The burst of liquidations that goes on in a market at `as_of` (`None`: now): its newest record with the sums of all that is
    /// known of it. `None`: none goes on, or its newest record says all.
    ///
    /// # Errors
    /// As [`super::AskMarkets::history`].
    fn burst_so_far(&self, id: &InstrumentName, as_of: Option<Ts>) -> Result<Option<EventView>, QueryError>;

    /// Stored liquidations of all markets by hour, the earliest first: every hour with `start ≤ t < end`, both of which are whole
    /// hours.
    ///
    /// # Errors
    /// [`QueryError::Unavailable`] or [`QueryError::Internal`].
    fn liquidations_by_hour(
        &self,
        start: Ts,
        end: Ts,
        as_of: Option<Ts>,
    ) -> Result<Vec<HourOfLiquidations>, QueryError>;

    /// New snapshots and alerts of the configured book, as they are published. The channel should hold [`STREAM_BUFFER`]; nobody
    /// listens while its sender's `receiver_count()` is 0, and then nothing needs to be rendered.
    fn subscribe(&self) -> broadcast::Receiver<Arc<StreamEvent>>;

    /// The newest whole hour between the markets that was known at `as_of` (`None`: now).
    ///
    /// # Errors
    /// The store's failure; so for [`Self::universe_history`] and [`Self::calendar`].
    fn universe(&self, as_of: Option<Ts>) -> Result<Option<UniverseRow>, QueryError>;

    /// Whole hours between the markets, ascending. `every` is not asked for.
    ///
    /// # Errors
    /// See [`Self::universe`].
    fn universe_history(&self, window: &SeriesWindow) -> Result<Page<UniverseRow>, QueryError>;

    /// What is scheduled, as known at `as_of` (`None`: now).
    ///
    /// # Errors
    /// See [`Self::universe`].
    fn calendar(&self, as_of: Option<Ts>) -> Result<CalendarView, QueryError>;
}

/// Snapshots that a channel behind [`AskEvents::subscribe`] should hold: four minutes of a thousand markets that all publish at
/// once. At about 8 kB each this is 33 MB at most; all clients share them, and one is dropped once every client has read it.
pub const STREAM_BUFFER: usize = 4_096;

/// Which events.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct EventFilter {
    /// These patterns only; empty: all.
    pub patterns: Vec<Pattern>,
    /// These changes only; empty: all.
    pub changes: Vec<AlertChange>,
    /// At least as severe.
    pub severity: Option<Severity>,
    /// Only episodes that are not over, each by the last that was known of it.
    pub open: bool,
    /// The newest first: the window is walked from its end.
    pub newest_first: bool,
}

/// What has just been published.
#[derive(Clone, Debug)]
pub struct StreamEvent {
    /// Market of the event.
    pub instrument: InstrumentName,
    /// Id of a snapshot, which is the event's id on the stream; `None`: a record of an alert.
    pub snapshot_id: Option<String>,
    /// Its canonical JSON on one line, as [`Rendered::fixed`] makes it; that of an [`EventView`] for an alert.
    pub json: Bytes,
}
