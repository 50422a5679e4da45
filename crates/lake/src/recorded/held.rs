//! Books and trades that somebody holds in memory, row by row: played as a file of wide snapshots with a file of trades beside it is.

use super::capture::CapturePlayed;
use super::listener::{RecordListener, RecordStamps, RecordedTrade};
use super::passed_on::HeardOut;
use super::pulled::{Pulled, PulledTrades, PulledWhat};
use super::snapshots::SnapshotBook;
use crate::error::Error;
use barograph_domain::depth::DepthLevel;
use barograph_domain::{GapReason, Ts};

/// States of a book in the order of receipt, as a table has them: a row each.
pub trait HeldBooks {
    /// How many states.
    fn rows(&self) -> usize;
    /// When a state was so, and when it was received.
    fn stamps(&self, row: usize) -> RecordStamps;
    /// Appends the levels of a state, best first; levels that do not exist are left out.
    fn levels(&self, row: usize, bids: &mut Vec<DepthLevel>, asks: &mut Vec<DepthLevel>);
    /// Levels that the venue's update changed; `None` where the table does not say, then they are counted.
    fn updates(&self, row: usize) -> Option<u32>;
    /// Place in the order of receipt of books and trades together; `None` where the table has none.
    fn sequence(&self, row: usize) -> Option<u64>;
    /// Is nothing known between this state and the one before? `None` where the table does not say it of any row: then a minute without a
    /// state is a gap.
    fn gap(&self, row: usize) -> Option<bool>;
}

/// A trade of a table, in the order of receipt.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct HeldTrade {
    /// When it was made and when it was received.
    pub at: RecordStamps,
    /// Place in the order of receipt of books and trades together; 0 where the table has none: before a book of the same moment.
    pub sequence: u64,
    /// Is nothing known between this trade and the one before?
    pub gap: bool,
    /// Price, size and who took.
    pub trade: RecordedTrade,
}

/// Without a state for longer than this, states are missing, where the table does not say so itself.
const HOLE: barograph_domain::Span = barograph_domain::Span::mins(1);

/// Plays a table of books, and one of trades where there is one.
///
/// # Errors
/// Levels of a state do not stand in their order; or what the listener fails with.
pub fn play_held<L: RecordListener>(
    books: &dyn HeldBooks,
    trades: Option<&[HeldTrade]>,
    listener: &mut L,
) -> Result<CapturePlayed, L::Failure> {
    let mut to = HeardOut::new(listener, trades.map(|all| PulledTrades::Held(pulled(all).into())));
    let mut book = SnapshotBook::default();
    let (mut bids, mut asks) = (Vec::new(), Vec::new());
    for row in 0..books.rows() {
        to.done.lines += 1;
        bids.clear();
        asks.clear();
        books.levels(row, &mut bids, &mut asks);
        book.begin();
        bids.iter().for_each(|l| book.bid(l.price, l.size));
        asks.iter().for_each(|l| book.ask(l.price, l.size));
        if !book.is_ordered() {
            let text = format!("row {row} of the book: levels are not in order, from the best price outwards");
            return Err(Error::Usage(text).into());
        }
        let at = books.stamps(row);
        let at = match books.sequence(row) {
            Some(sequence) => to.reach_behind(at, sequence)?,
            None => to.reach(at)?,
        };
        let newest = to.newest();
        let missing = match books.gap(row) {
            Some(gap) => gap,
            None => newest.is_some_and(|newest| at.event - newest > HOLE),
        };
        if missing {
            to.lose_book(newest.unwrap_or(at.event), GapReason::MissingRows)?;
        }
        let updates = books.updates(row).unwrap_or_else(|| book.changed());
        if to.state(at, &book.sides(to.reach_bps()), updates)? {
            book.keep();
        }
    }
    to.finish()
}

fn pulled(trades: &[HeldTrade]) -> Vec<Pulled> {
    let mut last: Option<Ts> = None;
    let of = |held: &HeldTrade| {
        let from = last.replace(held.at.event).unwrap_or(held.at.event);
        let lost = held.gap.then_some((from, GapReason::MissingRows));
        Pulled { at: held.at, sequence: held.sequence, lost, what: PulledWhat::Trade(held.trade) }
    };
    trades.iter().map(of).collect()
}
