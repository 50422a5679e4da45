//! Levels of a book as they stand in a message: texts of price and quantity.
//!
//! The book algorithm of the venue's sheet §4 is the chain of [`crate::session::chain`]: `u` rises by one per message, and `u` = 1
//! is a restart. `seq` orders events across topics and is never a gap test. Ids that only rise are never enough: every recorded
//! one rises by exactly one (README).

use super::wire::Depth;
use crate::session::OrderBook;
use crate::session::chain::{ChainLevels, ChainLink};
use crate::session::wire::{finest, set_levels};

impl Depth<'_> {
    pub(super) fn place(&self) -> ChainLink {
        ChainLink { id: self.u, prev: self.u.wrapping_sub(1), seq: self.seq, restart: self.u == 1 }
    }
}

impl ChainLevels for Depth<'_> {
    fn finest(&self) -> Option<u8> {
        finest(self.bids, self.asks)
    }

    fn set(&self, book: &mut OrderBook) -> bool {
        set_levels(book, self.bids, self.asks)
    }
}
