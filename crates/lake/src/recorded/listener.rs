//! What a recording of books and trades says, as whoever listens hears it: in the order of receipt.

use crate::error::Error;
use barograph_domain::depth::BookSides;
use barograph_domain::{GapReason, Ts};

/// Beyond this many basis points research does not look (features §7: `bid_depth_10bps`).
const REACH_BPS: f64 = 10.0;

/// When something happened, and when it could be used.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct RecordStamps {
    /// By the venue's clock.
    pub event: Ts,
    /// By the recorder's.
    pub recv: Ts,
}

/// What can be missing for a while without the other.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum RecordedFeed {
    /// States of the book.
    Book,
    /// Trades of the market.
    Trades,
}

/// A trade whose taker is known.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct RecordedTrade {
    /// In quote.
    pub price: f64,
    /// In base.
    pub size: f64,
    /// The buyer took.
    pub is_buy: bool,
}

/// Takes what one market's recording says. Nothing comes twice, and a hole in it is said. Any failure ends the reading.
pub trait RecordListener {
    /// What ends the reading.
    type Failure: From<Error>;
    /// How far from the mid levels are looked at, in basis points.
    fn reach_bps(&self) -> f64 {
        REACH_BPS
    }
    /// The book after one update of the venue to so many levels. All levels are given that lie within [`Self::reach_bps`] of the mid, or that
    /// an order of 100,000 quote reaches, and at least the best twenty, where they are known.
    fn book(&mut self, at: RecordStamps, sides: &BookSides<'_>, updates: u32) -> Result<(), Self::Failure>;
    /// A trade.
    fn trade(&mut self, at: RecordStamps, trade: RecordedTrade) -> Result<(), Self::Failure>;
    /// Nothing is known of a feed from a moment on, by the venue's clock.
    fn lost(&mut self, feed: RecordedFeed, from: Ts, why: GapReason) -> Result<(), Self::Failure>;
    /// Trades are listened to from a moment on, whether or not there are any. The next state of a book says this by itself.
    fn trades_begin(&mut self, from: Ts) -> Result<(), Self::Failure>;
    /// All that was received up to a moment has been given.
    fn passed(&mut self, recv: Ts) -> Result<(), Self::Failure>;
    /// Whoever recorded was not there since what was given before, and is again from a moment on, by the receive clock. What was known
    /// until then was said to be lost. A file is recorded in one go: only a journal says this.
    ///
    /// # Errors
    /// What ends the reading.
    fn resumed(&mut self, _recv: Ts) -> Result<(), Self::Failure> {
        Ok(())
    }
}
