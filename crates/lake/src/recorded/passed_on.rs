//! What all origins do alike: they report in the order of receipt, keep account, and put trades of other files between their books.

use super::capture::CapturePlayed;
use super::listener::{RecordListener, RecordStamps, RecordedFeed, RecordedTrade};
use super::pulled::{Pulled, PulledTrades, PulledWhat};
use crate::lines::{End, Lines};
use barograph_domain::cell::Reason;
use barograph_domain::depth::BookSides;
use barograph_domain::{GapReason, Span, Ts};

/// Files of one market follow each other when no more than this lies between them.
const HOLE: Span = Span::mins(1);

/// A listener, and what is known of what it has heard.
pub(super) struct HeardOut<'a, L> {
    to: &'a mut L,
    trades: Option<PulledTrades>,
    head: Option<Pulled>,
    /// The newest receipt.
    now: Ts,
    /// When the newest thing happened.
    newest: Option<Ts>,
    /// The newest state of the book.
    newest_book: Option<RecordStamps>,
    /// The book is known.
    book: bool,
    /// Trades are listened to.
    listening: bool,
    pub(super) done: CapturePlayed,
}

impl<'a, L: RecordListener> HeardOut<'a, L> {
    pub(super) fn new(to: &'a mut L, trades: Option<PulledTrades>) -> Self {
        let done = CapturePlayed::default();
        Self {
            to,
            trades,
            head: None,
            now: Ts::MIN,
            newest: None,
            newest_book: None,
            book: false,
            listening: false,
            done,
        }
    }

    /// A row of the origin was received: trades of other files come before it, those of the same moment among them, as a trade is made
    /// against the book before it.
    pub(super) fn reach(&mut self, at: RecordStamps) -> Result<RecordStamps, L::Failure> {
        self.reach_behind(at, u64::MAX)
    }

    /// As [`Self::reach`]; of the same moment only trades come before it whose place in the order of receipt is before this one.
    pub(super) fn reach_behind(&mut self, at: RecordStamps, sequence: u64) -> Result<RecordStamps, L::Failure> {
        // Stamps that step back are taken as the newest before.
        let recv = at.recv.max(self.now);
        while let Some(pulled) = self.pull()? {
            if (pulled.at.recv, pulled.sequence) >= (recv, sequence) {
                self.head = Some(pulled);
                break;
            }
            self.hand_on(pulled)?;
        }
        self.pass(recv)?;
        Ok(RecordStamps { event: at.event, recv })
    }

    fn pull(&mut self) -> Result<Option<Pulled>, L::Failure> {
        if let Some(head) = self.head.take() {
            return Ok(Some(head));
        }
        match &mut self.trades {
            Some(trades) => Ok(trades.next(&mut self.done)?),
            None => Ok(None),
        }
    }

    fn hand_on(&mut self, pulled: Pulled) -> Result<(), L::Failure> {
        self.done.lines += 1;
        let at = RecordStamps { event: pulled.at.event, recv: pulled.at.recv.max(self.now) };
        self.pass(at.recv)?;
        if let Some((from, why)) = pulled.lost {
            self.lose_trades(from, why)?;
        }
        match pulled.what {
            PulledWhat::Trade(trade) => self.trade(at, trade),
            PulledWhat::Unsided => {
                self.unsided();
                Ok(())
            }
        }
    }

    fn pass(&mut self, recv: Ts) -> Result<(), L::Failure> {
        self.now = recv;
        self.done.span = Some((self.done.span.map_or(recv, |(from, _)| from), recv));
        self.to.passed(recv)
    }

    /// The first row of another file: what lies between it and the file before is lost, if it is more than a minute.
    pub(super) fn next_file(&mut self, first: RecordStamps, with_trades: bool) -> Result<(), L::Failure> {
        let Some(newest) = self.newest.filter(|newest| first.event - *newest > HOLE) else { return Ok(()) };
        self.lose_book(newest, GapReason::MissingRows)?;
        if with_trades { self.lose_trades(newest, GapReason::MissingRows) } else { Ok(()) }
    }

    /// A state of the book. One that cannot be is none: the book is lost then, and found again with the next one that can be.
    pub(super) fn state(&mut self, at: RecordStamps, sides: &BookSides<'_>, updates: u32) -> Result<bool, L::Failure> {
        match sides.best() {
            Ok(_) => {}
            Err(Reason::InsufficientLevels) => return self.lose_book(at.event, GapReason::EmptyBook).map(|()| false),
            Err(_) => return self.lose_book(at.event, GapReason::CrossedBook).map(|()| false),
        }
        self.book = true;
        self.newest = Some(at.event);
        self.newest_book = Some(at);
        self.done.played.books += 1;
        self.to.book(at, sides, updates.max(1))?;
        Ok(true)
    }

    pub(super) fn trade(&mut self, at: RecordStamps, trade: RecordedTrade) -> Result<(), L::Failure> {
        self.trades_from(at.event)?;
        self.done.played.trades += 1;
        self.to.trade(at, trade)
    }

    /// Trades are listened to from here on, if they were not.
    pub(super) fn trades_from(&mut self, event: Ts) -> Result<(), L::Failure> {
        if self.listening {
            return Ok(());
        }
        self.listening = true;
        self.to.trades_begin(event)
    }

    /// A trade whose taker is not known.
    pub(super) fn unsided(&mut self) {
        self.done.played.unsided += 1;
    }

    /// Nothing is known of the book from here on; said once.
    pub(super) fn lose_book(&mut self, from: Ts, why: GapReason) -> Result<(), L::Failure> {
        if !self.book {
            return Ok(());
        }
        self.book = false;
        self.done.played.book_losses += 1;
        self.to.lost(RecordedFeed::Book, from, why)
    }

    /// Nothing is known of the trades from here on; said once.
    pub(super) fn lose_trades(&mut self, from: Ts, why: GapReason) -> Result<(), L::Failure> {
        if !self.listening {
            return Ok(());
        }
        self.listening = false;
        self.done.played.trade_losses += 1;
        self.to.lost(RecordedFeed::Trades, from, why)
    }

    /// When the newest state of the book was so.
    pub(super) fn newest(&self) -> Option<Ts> {
        self.newest
    }

    /// A row that is none of the form.
    pub(super) fn unreadable(&mut self, shown: &str, row: u64) {
        self.done.cannot_read(shown, row);
    }

    /// A row that says again what was said before.
    pub(super) fn repeated(&mut self, shown: &str, row: u64) {
        self.done.repeated += 1;
        self.done.first_repeated.get_or_insert_with(|| format!("{shown}, line {row}"));
    }

    /// When the newest state of the book was received and was so.
    pub(super) fn heard_until_book(&self) -> Option<RecordStamps> {
        self.newest_book
    }

    /// A row that is of the form and cannot be.
    pub(super) fn refused(&mut self, why: impl FnOnce() -> String) {
        self.done.played.refused += 1;
        self.done.played.first_refused.get_or_insert_with(why);
    }

    /// A file ended in the middle.
    pub(super) fn torn(&mut self, shown: &str, row: u64, why: &str) {
        self.done.torn.push(format!("{shown} breaks off after line {row}: {why}"));
    }

    /// Lines of a file have ended: in order, or not.
    pub(super) fn lines_ended(&mut self, shown: &str, lines: &mut Lines) {
        match lines.end() {
            End::Whole => {}
            End::Torn(e) => self.torn(shown, lines.number(), &e.to_string()),
            End::TooLong => self.torn(shown, lines.number(), "a line has no end"),
        }
    }

    /// The origin has ended: trades that are left over follow.
    pub(super) fn finish(mut self) -> Result<CapturePlayed, L::Failure> {
        while let Some(pulled) = self.pull()? {
            self.hand_on(pulled)?;
        }
        Ok(self.done)
    }
}

/// A capture's session reports through it too, so that trades of other files find their place.
impl<L: RecordListener> RecordListener for HeardOut<'_, L> {
    type Failure = L::Failure;

    fn reach_bps(&self) -> f64 {
        self.to.reach_bps()
    }
    fn book(&mut self, at: RecordStamps, sides: &BookSides<'_>, updates: u32) -> Result<(), L::Failure> {
        self.to.book(at, sides, updates)
    }
    fn trade(&mut self, at: RecordStamps, trade: RecordedTrade) -> Result<(), L::Failure> {
        self.to.trade(at, trade)
    }
    fn lost(&mut self, feed: RecordedFeed, from: Ts, why: GapReason) -> Result<(), L::Failure> {
        if feed == RecordedFeed::Trades && self.trades.is_some() {
            return Ok(());
        }
        self.to.lost(feed, from, why)
    }
    fn trades_begin(&mut self, from: Ts) -> Result<(), L::Failure> {
        // Where trades come from files of their own, those say when they begin and end.
        if self.trades.is_some() { Ok(()) } else { self.to.trades_begin(from) }
    }
    fn passed(&mut self, recv: Ts) -> Result<(), L::Failure> {
        self.reach(RecordStamps { event: recv, recv }).map(drop)
    }
}
