//! Order books as they are at a moment, for the board and the store.

use crate::core::Core;
use barograph_domain::{Metric, Ts};
use barograph_store::{BOOK_LEVELS_MAX, BookSample};
use barograph_venues::session::MarketIndex;

/// Books that can be trusted, of the markets whose minutes are made here.
pub(crate) fn books_of(core: &Core, at: Ts, mut take: impl FnMut(BookSample)) {
    for venue in &core.venues {
        for (market, instrument) in (0_u32..).zip(&venue.instruments) {
            if !core.mine.0[*instrument as usize] {
                continue;
            }
            let Some(book) = venue.session.book(MarketIndex(market)) else { continue };
            let stream = venue.session.continuity().get(MarketIndex(market), Metric::Book);
            let level = |l: &barograph_venues::session::BookLevel| (book.price(l.units), l.qty);
            take(BookSample {
                instrument: *instrument as usize,
                ts: stream.and_then(|s| s.newest).unwrap_or(at),
                known_ts: at,
                bids: book.bids().take(BOOK_LEVELS_MAX).map(level).collect(),
                asks: book.asks().take(BOOK_LEVELS_MAX).map(level).collect(),
            });
        }
    }
}
