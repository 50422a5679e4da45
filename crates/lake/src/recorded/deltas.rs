//! Books that come as changes of levels, a row per level: rows of one message are taken together, and a book that cannot be is lost
//! until the next snapshot.

use super::counted::Counted;
use super::listener::{RecordListener, RecordStamps};
use super::passed_on::HeardOut;
use super::view::BookView;
use barograph_domain::GapReason;
use barograph_venues::session::{Decimal, OrderBook};

/// Levels that are kept of each side: more than any venue sends at once.
const LEVELS: usize = 20_000;
/// Digits of prices altogether: as many as a float holds, with room to rise ten thousandfold.
const DIGITS: usize = 15;

/// The book as changes build it.
pub(super) struct DeltaBook {
    view: BookView,
    book: Option<OrderBook>,
    /// A snapshot was there, and nothing has gone wrong since.
    whole: bool,
    /// Levels that rows of this message set.
    changes: u32,
    /// A row of this message could not be used.
    spoilt: bool,
}

impl DeltaBook {
    pub(super) const fn new(counted: Counted) -> Self {
        Self { view: BookView::new(counted), book: None, whole: false, changes: 0, spoilt: false }
    }

    /// Is the book built on a snapshot?
    pub(super) const fn is_whole(&self) -> bool {
        self.whole
    }

    /// A snapshot begins.
    pub(super) fn begin(&mut self) {
        if let Some(book) = &mut self.book {
            book.clear();
        }
        self.whole = true;
    }

    /// Nothing is known until the next snapshot.
    pub(super) fn forget(&mut self) {
        (self.whole, self.changes, self.spoilt) = (false, 0, false);
    }

    /// Sets a level; zero removes it.
    pub(super) fn set(&mut self, is_bid: bool, price: Decimal, qty: f64) {
        self.changes = self.changes.saturating_add(1);
        if !self.whole {
            return;
        }
        let book = self.book.get_or_insert_with(|| OrderBook::new(scale_of(price), LEVELS));
        let set = if is_bid { book.bid(price, qty) } else { book.ask(price, qty) };
        self.spoilt |= set.is_err();
    }

    /// A row could not be read: the message is not known.
    pub(super) fn spoil(&mut self) {
        self.spoilt = true;
    }

    /// The message is complete; was it a snapshot?
    pub(super) fn given<L: RecordListener>(
        &mut self,
        at: RecordStamps,
        snapshot: bool,
        to: &mut HeardOut<'_, L>,
    ) -> Result<(), L::Failure> {
        let (changes, spoilt) = (self.changes, self.spoilt);
        (self.changes, self.spoilt) = (0, false);
        let at = to.reach(at)?;
        if !self.whole {
            return Ok(());
        }
        if spoilt {
            self.whole = false;
            return to.lose_book(at.event, GapReason::Undecodable);
        }
        let wrong = match &self.book {
            None => Some(GapReason::EmptyBook),
            Some(book) => book.check().err().map(|fault| fault.reason()),
        };
        if let Some(why) = wrong {
            self.whole = false;
            return to.lose_book(at.event, why);
        }
        let reach = to.reach_bps();
        let Some(sides) = self.book.as_ref().and_then(|book| self.view.take(book, reach)) else { return Ok(()) };
        // A snapshot changes nothing that is known to have happened; it counts as one.
        to.state(at, &sides, if snapshot { 1 } else { changes }).map(drop)
    }
}

/// Places behind the point: coins that cost little have many.
fn scale_of(price: Decimal) -> u8 {
    let digits = price.mantissa.unsigned_abs().to_string().len();
    let before = digits.saturating_sub(usize::from(price.scale));
    u8::try_from(DIGITS.saturating_sub(before)).unwrap_or(0).max(price.scale)
}
