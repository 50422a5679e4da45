//! Streams: one metric of one instrument from one source at one cadence, with what is declared about it.
//!
//! The declaration is configuration, not data: cadence, delay and stamp are printed, hashed into the configuration,
//! and known before the first row. Features §1 ("delays", "window", "bars") is where the rules come from.

use crate::{InstrumentName, Kind, Metric, Span, Ts};
use serde::{Deserialize, Serialize};

/// Position of a stream in the sorted list of declared streams of one run.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(transparent)]
pub struct StreamIndex(pub u16);

impl StreamIndex {
    /// As a list position.
    #[must_use]
    pub fn index(self) -> usize {
        usize::from(self.0)
    }
}

/// What a row's time stamp means.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Stamp {
    /// Beginning of the bar or period.
    Open,
    /// End of the bar or period.
    Close,
    /// The moment the value was true.
    Instant,
}

/// What is declared about one stream. Ordered by instrument, metric, measured before proxy, finest cadence first:
/// that order is the source rank of the total order of events, so it must not depend on the order of arguments.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
pub struct StreamDecl {
    /// Whose market this describes.
    pub instrument: InstrumentName,
    /// What is measured.
    pub metric: Metric,
    /// Measured, sampled, modelled or proxy.
    pub kind: Kind,
    /// Bars: the timeframe. Settled funding: the interval. Series: time between rows. Event streams: one second.
    pub cadence: Span,
    /// Who said it: a venue id, or another provider's name.
    pub source: String,
    /// How long after its stamp (bars: after the close) a row may be used.
    pub delay: Span,
    /// What the time stamp in the file means. Events always carry the close or the instant.
    pub stamp: Stamp,
    /// True for live streams, whose last value holds until the next one (within `max_age`). False for archives: a
    /// missing row there is missing, never filled.
    pub filled: bool,
}

/// Source of a market that a seeded world makes up.
pub const SYNTHETIC: &str = "synthetic";
/// Source of a market that is played from a recording as if it were live.
pub const RECORDED: &str = "recorded";

impl StreamDecl {
    /// Does the market speak for itself, or does another source stand in? What the built-in venue server says about its
    /// own market is the market's own.
    #[must_use]
    pub fn is_own(&self) -> bool {
        self.source == self.instrument.venue.as_str() || matches!(self.source.as_str(), SYNTHETIC | RECORDED)
    }

    /// Freshness limit of this stream: `max(table, 2 × cadence + delay)` for imported or polled series (features §9);
    /// bars add their timeframe to the table value, settled funding its interval.
    #[must_use]
    #[inline]
    pub fn max_age(&self) -> Span {
        let base = match self.metric {
            Metric::Bar | Metric::FundingRateSettled => self.cadence + self.metric.max_age_base(),
            _ => self.metric.max_age_base(),
        };
        if self.filled { base } else { base.max(self.cadence.times(2) + self.delay) }
    }
    /// Age at which the gap becomes an operations alert and a label gives up: `max(2 h, 2 × max_age)` (features §9).
    #[must_use]
    pub fn gap_alert(&self) -> Span {
        Span::hours(2).max(self.max_age().times(2))
    }
    /// The instant a row with this event time may first be used.
    #[must_use]
    pub fn known_ts(&self, event_ts: Ts) -> Ts {
        event_ts + self.delay
    }
    /// The key people see: `binance-usdm:BTCUSDT bar 1m binance-usdm`.
    #[must_use]
    pub fn label(&self) -> String {
        format!("{} {} {} {}", self.instrument, self.metric.name(), self.cadence, self.source)
    }
}
