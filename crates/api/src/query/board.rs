//! What the page draws: the board, charts, and what is heard of venues this moment.

use super::{QueryError, SeriesWindow};
use crate::board::{BoardView, Hub};
use crate::chart::{ChartQuery, ChartView, ContinuityView};
use crate::clock::ClockView;
use crate::feeds::{FeedFilter, FeedHealth, FeedsPulse, FeedsView};
use crate::live::MarketNow;
use barograph_domain::{InstrumentName, Metric, StatusState, Ts};
use std::sync::Arc;

/// The board, charts, and streams as they are heard.
pub trait AskBoard {
    /// The board as it moves. Asked on the blocking pool; turning it is the affair of whoever implements this.
    ///
    /// # Errors
    /// [`QueryError::Unavailable`] where there is none.
    fn board(&self) -> Result<Arc<Hub>, QueryError>;

    /// The board as it was at most a second ago, for whoever asks again and again.
    ///
    /// # Errors
    /// See [`Self::board`].
    fn recent_board(&self) -> Result<Arc<Hub>, QueryError> {
        self.board()
    }

    /// The board as it was known at a moment.
    ///
    /// # Errors
    /// See [`Self::board`], or the store's failure.
    fn board_at(&self, moment: Ts) -> Result<BoardView, QueryError>;

    /// The clock that everything here is counted by. Answers from memory.
    fn clock(&self) -> ClockView;

    /// Candles with what was known at their closes.
    ///
    /// # Errors
    /// As [`super::AskMarkets::history`].
    fn chart(&self, id: &InstrumentName, asked: &ChartQuery) -> Result<ChartView, QueryError>;

    /// How the streams of a market stood in `start ≤ t < end`; the window has both.
    ///
    /// # Errors
    /// As [`super::AskMarkets::history`].
    fn continuity(&self, id: &InstrumentName, window: &SeriesWindow) -> Result<ContinuityView, QueryError>;

    /// A market as it is this moment.
    ///
    /// # Errors
    /// [`QueryError::NotLive`] where this process does not listen to it.
    fn live(&self, id: &InstrumentName) -> Result<MarketNow, QueryError>;

    /// Streams, venues and journal of a live process; [`FeedFilter::page`] chooses.
    ///
    /// # Errors
    /// [`QueryError::NotLive`] where this process listens to nothing.
    fn feeds(&self, filter: &FeedFilter) -> Result<FeedsView, QueryError>;

    /// How everything that listens does now, as the board's stream reports it every few seconds. Asked on the blocking pool. By
    /// default there is nothing to be delivered.
    fn feeds_pulse(&self) -> Option<FeedsPulse> {
        None
    }

    /// How many streams are listened to, and how many of them are lost.
    fn feed_health(&self) -> FeedHealth;

    /// Does the venue of this market say that it does not have this metric? By default, what [`Self::live`] says.
    fn not_offered(&self, id: &InstrumentName, metric: Metric) -> bool {
        self.live(id).is_ok_and(|live| {
            let mut of_metric = live.streams.iter().filter(|s| s.metric == metric.name()).peekable();
            of_metric.peek().is_some() && of_metric.all(|s| s.continuity == StatusState::NotOffered)
        })
    }

    /// More counters for `/metrics`, in the Prometheus text format 0.0.4. The names
    /// `barograph_build_info`, `barograph_http_…` and `barograph_snapshot_age_seconds` are taken.
    fn metrics_text(&self) -> String;
}
