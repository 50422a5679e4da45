//! Why a row did not become an event: wrong (a [`Reject`]) or fine but not used here ([`Unused`]).
//!
//! A wrong row never stops a run and never passes silently: whoever reads files counts it by [`RejectReason`] and keeps the
//! first of each with its place. The text of a rejection is only made for that first one, so a file full of wrong rows
//! costs no more than a file of right ones.

use serde::{Deserialize, Serialize};

/// Kinds of wrong rows, in the order a summary lists them.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RejectReason {
    /// More or fewer columns than the header or the format says.
    WrongColumnCount,
    /// A cell that must hold a number holds something else.
    NotANumber,
    /// A cell that must hold a time holds something else, or a time outside 2009 to 2200.
    NotATime,
    /// A cell the format always fills is empty.
    MissingValue,
    /// A price or a quantity below zero.
    Negative,
    /// A price of exactly zero.
    NotAboveZero,
    /// A number no market can have, such as a funding rate above 100 % per interval or a price of 1e20.
    OutOfRange,
    /// High below low, or open or close outside of them.
    HighBelowLow,
    /// The bar's own close time does not fit the timeframe.
    WrongTimeframe,
    /// A word that is none of the format's, such as a side that is neither BUY nor SELL.
    UnknownWord,
    /// A line or element that is not the JSON it should be.
    NotJson,
    /// Stamped later than the present.
    Future,
    /// Received before the bar it reports had closed.
    KnownBeforeClose,
    /// Earlier than the row before it, in a format that promises order.
    OutOfOrder,
    /// Equal to a row of the same file.
    Duplicate,
    /// The file ends in the middle.
    Truncated,
}

impl RejectReason {
    /// Every reason, in order.
    pub const ALL: [Self; 16] = [
        Self::WrongColumnCount,
        Self::NotANumber,
        Self::NotATime,
        Self::MissingValue,
        Self::Negative,
        Self::NotAboveZero,
        Self::OutOfRange,
        Self::HighBelowLow,
        Self::WrongTimeframe,
        Self::UnknownWord,
        Self::NotJson,
        Self::Future,
        Self::KnownBeforeClose,
        Self::OutOfOrder,
        Self::Duplicate,
        Self::Truncated,
    ];
    /// What is wrong with a number that is no price.
    pub(crate) fn of_price(price: f64) -> Self {
        match price {
            p if p < 0.0 => Self::Negative,
            p if p > 0.0 => Self::OutOfRange,
            _ => Self::NotAboveZero,
        }
    }
    /// As a summary says it.
    #[must_use]
    pub const fn spoken(self) -> &'static str {
        match self {
            Self::WrongColumnCount => "wrong column count",
            Self::NotANumber => "not a number",
            Self::NotATime => "not a time",
            Self::MissingValue => "missing value",
            Self::Negative => "negative",
            Self::NotAboveZero => "not above zero",
            Self::OutOfRange => "out of range",
            Self::HighBelowLow => "high below low, or open or close outside",
            Self::WrongTimeframe => "wrong timeframe",
            Self::UnknownWord => "unknown word",
            Self::NotJson => "not json",
            Self::Future => "in the future",
            Self::KnownBeforeClose => "known before its bar closed",
            Self::OutOfOrder => "out of order",
            Self::Duplicate => "duplicate",
            Self::Truncated => "truncated file",
        }
    }
}

/// A wrong row: why, and the column to blame where it is one column.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Reject {
    /// What kind of wrong.
    pub reason: RejectReason,
    /// Position of the cell at fault.
    pub column: Option<usize>,
}

impl Reject {
    /// The whole row is at fault.
    #[must_use]
    pub const fn row(reason: RejectReason) -> Self {
        Self { reason, column: None }
    }
    /// One cell is at fault.
    #[must_use]
    pub const fn cell(reason: RejectReason, column: usize) -> Self {
        Self { reason, column: Some(column) }
    }
}

/// A right row that makes no event here. Counted and shown, never called an error.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Unused {
    /// Order book frames: not used yet.
    BookFrame,
    /// Order book snapshots over REST: not used yet.
    BookSnapshot,
    /// A candle that had not closed when it was sent.
    OpenCandle,
    /// COIN-M rows that travel on the USD-M socket (`st` = 2).
    OtherMarket,
    /// Insurance fund and auto-deleveraging fills: not trades of the market.
    NotATrade,
    /// `aggTrade` and `trade` of one symbol: whichever came second says the same trades again.
    SecondTrades,
    /// Answers to requests, and streams without a use here.
    Control,
    /// Every value of the row is empty: absence, not an error.
    Empty,
    /// Left out by the user's filter.
    Filtered,
}

impl Unused {
    /// As a summary says it.
    #[must_use]
    pub const fn spoken(self) -> &'static str {
        match self {
            Self::BookFrame => "order book frames, not used yet",
            Self::BookSnapshot => "order book snapshots, not used yet",
            Self::OpenCandle => "candles still open",
            Self::OtherMarket => "coin-m rows on the usd-m socket",
            Self::NotATrade => "insurance fund and deleveraging fills",
            Self::SecondTrades => "trades said a second time, as trade and aggTrade",
            Self::Control => "other messages",
            Self::Empty => "rows without a value",
            Self::Filtered => "left out by the filter",
        }
    }
}

/// What became of one row.
pub type RowOutcome = Result<Option<Unused>, Reject>;
