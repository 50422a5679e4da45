//! Books and trades around the moment of an alert, step by step (surveillance §7, §12).
//!
//! A recording is what the journal or the store held when it was asked for. Where they hold nothing there is no recording: a
//! ladder is never made up from prices. Levels beyond the tenth and what exceeds the bounds are counted, not kept.

use crate::{Side, Ts};
use serde::{Deserialize, Serialize};

/// Levels of each side that a step shows.
pub const BOOK_LEVELS: usize = 10;

/// Books and trades that a recording holds unless more are asked for, and at most (surveillance §7).
pub const STEPS: (StepBounds, StepBounds) =
    (StepBounds { books: 20, trades: 200 }, StepBounds { books: 200, trades: 2_000 });

/// How much of a recording is wanted.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct StepBounds {
    /// At most so many books, those nearest to the moment.
    pub books: usize,
    /// At most so many trades, likewise.
    pub trades: usize,
}

/// A level of a book.
#[derive(Clone, Copy, PartialEq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct PriceLevel {
    /// Price, quote units.
    pub price: f64,
    /// What rests there, base units.
    pub qty: f64,
}

/// A book at a moment.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct BookStep {
    /// The moment it shows, by the venue's clock.
    #[cfg_attr(feature = "schema", schema(value_type = String, format = DateTime))]
    pub at: Ts,
    /// When it was received.
    #[cfg_attr(feature = "schema", schema(value_type = String, format = DateTime))]
    pub known_at: Ts,
    /// The best ten bids, the highest first.
    pub bids: Vec<PriceLevel>,
    /// The best ten asks, the lowest first.
    pub asks: Vec<PriceLevel>,
}

/// A trade on the tape.
#[derive(Clone, Copy, PartialEq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct TapeTrade {
    /// When it happened, by the venue's clock.
    #[cfg_attr(feature = "schema", schema(value_type = String, format = DateTime))]
    pub at: Ts,
    /// When it was received.
    #[cfg_attr(feature = "schema", schema(value_type = String, format = DateTime))]
    pub known_at: Ts,
    /// Price, quote units.
    pub price: f64,
    /// Base units.
    pub qty: f64,
    /// Who took liquidity: `long` a buyer, `short` a seller; null where the venue does not say.
    #[cfg_attr(feature = "schema", schema(value_type = Option<String>))]
    pub aggressor_side: Option<Side>,
}

/// Where a recording was taken from.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum RecordedFrom {
    /// Raw frames, each change of the book.
    Journal,
    /// Rows of the store: books as they were sampled, and trades.
    Store,
}

impl RecordedFrom {
    /// The word on the wire.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Journal => "journal",
            Self::Store => "store",
        }
    }
}

/// Books and trades of one alert.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct CaseRecording {
    /// Whose alert.
    pub alert_id: String,
    /// Where it comes from.
    pub source: RecordedFrom,
    /// The moment it is of: when the episode began.
    #[cfg_attr(feature = "schema", schema(value_type = String, format = DateTime))]
    pub moment: Ts,
    /// Beginning of the stretch that was looked at.
    #[cfg_attr(feature = "schema", schema(value_type = String, format = DateTime))]
    pub from: Ts,
    /// Its end.
    #[cfg_attr(feature = "schema", schema(value_type = String, format = DateTime))]
    pub until: Ts,
    /// Books, the oldest first.
    pub books: Vec<BookStep>,
    /// Trades, the oldest first.
    pub trades: Vec<TapeTrade>,
    /// Books of the stretch that are not among them.
    pub books_left_out: u64,
    /// Trades of the stretch that are not among them.
    pub trades_left_out: u64,
}
