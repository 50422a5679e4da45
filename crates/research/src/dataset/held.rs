//! The 197 columns of books and trades that somebody holds in memory.

use super::rows::{CLOSE_AFTER, SecondRows};
use crate::ResearchError;
use barograph_columns::ResearchRow;
use barograph_domain::depth::BookSides;
use barograph_domain::{GapReason, Ts};
use barograph_engine::sessions::SessionSet;
use barograph_lake::recorded::{
    CapturePlayed, HeldBooks, HeldTrade, RecordListener, RecordStamps, RecordedFeed, RecordedTrade, play_held,
};

/// Takes the row of a second that ends at a moment, and when it was known.
pub type EachRow<'a> = dyn FnMut(Ts, Ts, &ResearchRow) + 'a;

/// Plays a table of books, and one of trades where there is one, and hands on the row of every second that is over: the same code as for a
/// recording. The second under way at the end has no row. `tick` is the smallest step of prices, where it is known.
///
/// # Errors
/// A state's levels do not stand in their order, or no state has both sides.
pub fn rows_of_held(
    books: &dyn HeldBooks,
    trades: Option<&[HeldTrade]>,
    tick: Option<f64>,
    each: &mut EachRow<'_>,
) -> Result<CapturePlayed, ResearchError> {
    let mut heard = HeldRows { rows: SecondRows::new(tick, SessionSet::UTC), each };
    let played = play_held(books, trades, &mut heard)?;
    if played.played.books == 0 {
        return Err(ResearchError::Refused(format!(
            "none of the {} states of the book has both sides, the best bid below the best ask",
            books.rows()
        )));
    }
    Ok(played)
}

struct HeldRows<'a, 'b> {
    rows: SecondRows,
    each: &'a mut EachRow<'b>,
}

impl RecordListener for HeldRows<'_, '_> {
    type Failure = ResearchError;

    fn book(&mut self, at: RecordStamps, sides: &BookSides<'_>, updates: u32) -> Result<(), ResearchError> {
        self.rows.book(at, sides, updates);
        Ok(())
    }

    fn trade(&mut self, at: RecordStamps, trade: RecordedTrade) -> Result<(), ResearchError> {
        self.rows.trade(at, trade);
        Ok(())
    }

    fn lost(&mut self, feed: RecordedFeed, from: Ts, _why: GapReason) -> Result<(), ResearchError> {
        self.rows.lost(feed, from);
        Ok(())
    }

    fn trades_begin(&mut self, from: Ts) -> Result<(), ResearchError> {
        self.rows.trades_begin(from);
        Ok(())
    }

    fn passed(&mut self, recv: Ts) -> Result<(), ResearchError> {
        while let Some((t, row)) = self.rows.due(recv) {
            (self.each)(t, t + CLOSE_AFTER, &row);
        }
        Ok(())
    }
}
