//! Values that somebody brings, and those that are fetched beside the venues.

use super::{Page, QueryError, SeriesWindow};
use crate::onchain::OnchainView;
use crate::signals::{SignalBarsQuery, SignalBarsView, SignalsTaken, SignalsView};
use crate::view::MetricPoint;
use barograph_domain::{InstrumentName, SignalName, Ts};

/// Signals: brought, listed, read.
pub trait AskSignals {
    /// The signals that speak of a market, and what each amounts to.
    ///
    /// # Errors
    /// The store's failure.
    fn signals(&self, id: &InstrumentName, as_of: Option<Ts>) -> Result<SignalsView, QueryError>;

    /// Readings of on-chain and sentiment sources, of one market or of all, from what was known then.
    ///
    /// # Errors
    /// The store's failure.
    fn onchain(&self, id: Option<&InstrumentName>, as_of: Option<Ts>) -> Result<OnchainView, QueryError>;

    /// Values of one signal of a market, or of every market where it has none of its own; ascending by (timestamp, source), the
    /// newest revision known at `as_of` of each.
    ///
    /// # Errors
    /// [`QueryError::UnknownMetric`] when no signal of that name speaks of the market, or the store's failure.
    fn signal_points(
        &self,
        id: &InstrumentName,
        name: &SignalName,
        window: &SeriesWindow,
    ) -> Result<Page<MetricPoint>, QueryError>;

    /// Signals at the candles of a chart, each value from the moment on since when it was known; or what there is to draw.
    ///
    /// # Errors
    /// [`QueryError::TooMuch`] where a stretch holds more values than one answer reads, or the store's failure.
    fn signal_bars(&self, id: &InstrumentName, asked: &SignalBarsQuery) -> Result<SignalBarsView, QueryError>;

    /// Stores the values in a text about a market, known from now on where they do not state since when; all or none.
    ///
    /// # Errors
    /// [`QueryError::BadField`] when one cannot be taken, [`QueryError::TooMuch`], [`QueryError::Unavailable`] where this process
    /// stores nothing.
    fn put_signals(&self, id: &InstrumentName, text: &str) -> Result<SignalsTaken, QueryError>;
}
