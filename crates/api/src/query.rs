//! The questions this crate asks of the rest of the program: [`Query`], the sum of fourteen small traits.
//!
//! Methods are synchronous. [`AskMarkets::context`] without book and `as_of`, [`AskMarkets::now`], [`AskMarkets::instruments`],
//! [`AskMarkets::health`], [`AskEvents::subscribe`], [`AskBoard::live`], [`AskBoard::feeds`], [`AskBoard::feed_health`] and
//! [`AskBoard::metrics_text`] are called on the async threads and must answer from memory, within about a millisecond; everything
//! else runs on the blocking pool and may touch the disk. Point-in-time rule for all of them: `as_of` filters on
//! `known_ts ≤ as_of`, and it is never later than [`AskMarkets::now`] (this crate has seen to it).

mod board;
mod cases;
mod cross_venue;
mod deliveries;
mod error;
mod events;
mod markets;
mod options;
mod paper;
mod positions;
mod scores;
mod signals;
mod studies;
mod watches;
mod whatif;

pub use board::AskBoard;
pub use cases::AskCases;
pub use cross_venue::AskCrossVenue;
pub use deliveries::AskDeliveries;
pub use error::{DeliveryName, QueryError};
pub use events::{AskEvents, EventFilter, STREAM_BUFFER, StreamEvent};
pub use markets::{AskMarkets, Health, LevelFilter, MarketHealth, Rendered};
pub use options::AskOptions;
pub use paper::AskPaper;
pub use positions::AskPositions;
pub use scores::{AskScores, DriftFilter, ForecastFilter, ScorecardFilter};
pub use signals::AskSignals;
pub use studies::AskStudies;
pub use watches::AskWatches;
pub use whatif::AskWhatIf;

use barograph_domain::{Span, Ts};

/// Everything the HTTP surface needs to know; `barograph_query` implements the parts over store and engine.
pub trait Query:
    AskMarkets
    + AskEvents
    + AskBoard
    + AskCases
    + AskCrossVenue
    + AskDeliveries
    + AskOptions
    + AskPaper
    + AskPositions
    + AskScores
    + AskSignals
    + AskStudies
    + AskWatches
    + AskWhatIf
    + Send
    + Sync
    + 'static
{
}

impl<T> Query for T where
    T: AskMarkets
        + AskEvents
        + AskBoard
        + AskCases
        + AskCrossVenue
        + AskDeliveries
        + AskOptions
        + AskPaper
        + AskPositions
        + AskScores
        + AskSignals
        + AskStudies
        + AskWatches
        + AskWhatIf
        + Send
        + Sync
        + 'static
{
}

/// Which rows of an ascending series: `start ≤ ts < end`, then `skip`, then at most `limit`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct SeriesWindow {
    /// First instant; `None`: from the beginning.
    pub start: Option<Ts>,
    /// First instant no longer wanted; `None`: to the end.
    pub end: Option<Ts>,
    /// Keep only rows whose instant is a whole multiple of this since 1970, so that thinning does not depend on where
    /// a page begins. `None` keeps all.
    pub every: Option<Span>,
    /// Rows at exactly `start` that an earlier page has shown already.
    pub skip: usize,
    /// Most rows wanted; at least 1.
    pub limit: usize,
    /// Only what was known then; `None`: everything known.
    pub as_of: Option<Ts>,
}

/// Some rows, and whether the window holds more after them.
#[derive(Clone, PartialEq, Debug)]
pub struct Page<T> {
    /// At most `limit` rows, ascending unless asked for the other way round.
    pub items: Vec<T>,
    /// There are more.
    pub more: bool,
}
