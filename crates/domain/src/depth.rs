//! A book as research looks at it: levels of both sides, best first, in base and quote.

use crate::cell::Reason;

/// Levels of each side that have columns of their own.
pub const DEPTH: usize = 20;

/// One level.
#[derive(Clone, Copy, PartialEq, Debug, Default)]
pub struct DepthLevel {
    /// Price of the level, in quote.
    pub price: f64,
    /// What stands there, in base.
    pub size: f64,
}

/// Both sides, best first: all levels that are known, or the twenty of a wide snapshot.
#[derive(Clone, Copy, PartialEq, Debug, Default)]
pub struct BookSides<'a> {
    /// Falling prices.
    pub bids: &'a [DepthLevel],
    /// Rising prices.
    pub asks: &'a [DepthLevel],
}

impl BookSides<'_> {
    /// Nothing is used of a book of which the best bid is not below the best ask. One side alone is neither.
    ///
    /// # Errors
    /// The book is crossed or locked, or a price is none.
    pub fn uncrossed(&self) -> Result<(), Reason> {
        match self.best() {
            Err(Reason::OutOfDomain) => Err(Reason::OutOfDomain),
            _ => Ok(()),
        }
    }

    /// Best bid and ask.
    ///
    /// # Errors
    /// A side is empty, or the book is crossed or locked: nothing of it is used then.
    pub fn best(&self) -> Result<(DepthLevel, DepthLevel), Reason> {
        let (Some(bid), Some(ask)) = (self.bids.first(), self.asks.first()) else {
            return Err(Reason::InsufficientLevels);
        };
        if bid.price > 0.0 && bid.price < ask.price { Ok((*bid, *ask)) } else { Err(Reason::OutOfDomain) }
    }
}
