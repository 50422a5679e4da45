//! What one market's book and trades do, as its session reports them: the one place where a session's facts become what a listener hears.

use super::counted::Counted;
use super::listener::{RecordListener, RecordStamps, RecordedFeed, RecordedTrade};
use super::view::BookView;
use barograph_domain::event::Side;
use barograph_domain::{GapReason, Metric, Payload, StatusState, Ts};
use barograph_venues::session::{BookVersion, Emit, Fault, MarketIndex, OrderBook, Origin, Session};

/// What the session says of messages that are of other markets, of which a recording may hold many, and of requests that the recording
/// holds no answer to.
const OF_OTHERS: [&str; 3] = ["unknown_symbol", "unknown_topic", "request_failed"];

/// What was played.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Played {
    /// States of the book.
    pub books: u64,
    /// Trades whose taker is known.
    pub trades: u64,
    /// Trades whose taker is not known: nothing is made of them.
    pub unsided: u64,
    /// Trades that were fetched after a hole: they come out of order, and nothing is made of them. The hole stays one.
    pub fetched: u64,
    /// Times the book was lost.
    pub book_losses: u64,
    /// Times the trades were lost.
    pub trade_losses: u64,
    /// Messages that the session refused; of a journal, those of the market's venue.
    pub refused: u64,
    /// The first thing that was refused, as a sentence.
    pub first_refused: Option<String>,
}

impl Played {
    /// Counts what a session could not use, where it was meant for it.
    pub(super) fn refuse(&mut self, faults: &[Fault]) {
        for fault in faults.iter().filter(|f| !OF_OTHERS.contains(&f.kind)) {
            self.refused += 1;
            if self.first_refused.is_none() {
                self.first_refused = Some(format!("{}: {}", fault.kind, fault.detail));
            }
        }
    }
}

/// What is known of the trades.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum TradesHeard {
    /// Nothing, or the session said what is missing.
    Not,
    /// They come.
    Yes,
    /// The recorder went away, and that was said: what the session says of it besides is the same hole.
    Away,
}

/// One market of a session.
#[derive(Debug)]
pub(super) struct MarketEar {
    market: MarketIndex,
    view: BookView,
    version: BookVersion,
    /// Its book was trusted when it was last looked at.
    live: bool,
    /// The recorder went away, and the session has not noticed: its book is what it was before.
    stale: bool,
    trades: TradesHeard,
    pub(super) played: Played,
}

impl MarketEar {
    /// Of a market of which nothing was heard.
    pub(super) fn new(market: MarketIndex, counted: Counted) -> Self {
        Self {
            market,
            view: BookView::new(counted),
            version: BookVersion::default(),
            live: false,
            stale: false,
            trades: TradesHeard::Not,
            played: Played::default(),
        }
    }

    /// Another session speaks of it from now on; what the last one left open must have been given up with [`Self::away`].
    pub(super) fn follow(&mut self, market: MarketIndex, counted: Counted) {
        (self.market, self.view, self.version) = (market, BookView::new(counted), BookVersion::default());
        self.stale = false;
    }

    /// The book, where it can be trusted.
    fn trusted<'a>(&mut self, session: &'a dyn Session) -> Option<&'a OrderBook> {
        let book = session.book(self.market);
        self.stale &= book.is_some_and(|book| book.version() == self.version);
        book.filter(|_| !self.stale)
    }

    /// Is there anything in what the session has just said, or in its book?
    pub(super) fn stirs(&mut self, session: &dyn Session, events: &[Emit]) -> bool {
        let book = self.trusted(session).map(OrderBook::version);
        book.is_some() != self.live
            || book.is_some_and(|version| version != self.version)
            || events.iter().any(|e| e.market == self.market && matches!(e.metric, Metric::Trade | Metric::Book))
    }

    /// Hands on what the session has just said, received at `now`.
    pub(super) fn hear<L: RecordListener>(
        &mut self,
        (session, events): (&dyn Session, &[Emit]),
        now: Ts,
        to: &mut L,
    ) -> Result<(), L::Failure> {
        // The state of the book comes with its message, trades in the order of the message.
        let own = |e: &&Emit| e.market == self.market;
        let lost = events.iter().filter(own).find_map(book_lost);
        self.book(session, lost, now, to)?;
        let market = self.market;
        events.iter().filter(|e| e.market == market).try_for_each(|emit| self.emit(emit, now, to))
    }

    /// Whoever recorded was not there any more: what was known is not from its newest fact on.
    pub(super) fn away<L: RecordListener>(
        &mut self,
        session: &dyn Session,
        now: Ts,
        why: GapReason,
        to: &mut L,
    ) -> Result<(), L::Failure> {
        let newest = |metric| session.continuity().get(self.market, metric).and_then(|c| c.newest).unwrap_or(now);
        if core::mem::take(&mut self.live) {
            self.stale = true;
            self.played.book_losses += 1;
            to.lost(RecordedFeed::Book, newest(Metric::Book), why)?;
        }
        if self.trades == TradesHeard::Yes {
            self.trades = TradesHeard::Away;
            self.played.trade_losses += 1;
            to.lost(RecordedFeed::Trades, newest(Metric::Trade), why)?;
        }
        Ok(())
    }

    fn emit<L: RecordListener>(&mut self, emit: &Emit, now: Ts, to: &mut L) -> Result<(), L::Failure> {
        if emit.metric != Metric::Trade {
            return Ok(());
        }
        match emit.payload {
            Payload::Trade { .. } if emit.origin == Origin::Backfill => {
                self.played.fetched += 1;
                Ok(())
            }
            Payload::Trade { price, qty, aggressor_side: Some(side) } => {
                self.played.trades += 1;
                let trade = RecordedTrade { price, size: qty, is_buy: side == Side::Long };
                to.trade(RecordStamps { event: emit.event_ts, recv: now }, trade)
            }
            Payload::Trade { aggressor_side: None, .. } => {
                self.played.unsided += 1;
                Ok(())
            }
            Payload::Status(status) if status.state == StatusState::Live => {
                self.trades = TradesHeard::Yes;
                to.trades_begin(status.until)
            }
            Payload::Status(_) if self.trades == TradesHeard::Away => Ok(()),
            Payload::Status(status) => {
                self.trades = TradesHeard::Not;
                self.played.trade_losses += 1;
                to.lost(RecordedFeed::Trades, status.from, status.reason)
            }
            _ => Ok(()),
        }
    }

    fn book<L: RecordListener>(
        &mut self,
        session: &dyn Session,
        lost: Option<(Ts, GapReason)>,
        now: Ts,
        to: &mut L,
    ) -> Result<(), L::Failure> {
        let book = self.trusted(session);
        if self.live && (lost.is_some() || book.is_none()) {
            self.played.book_losses += 1;
            let (from, why) = lost.unwrap_or((now, GapReason::Undecodable));
            to.lost(RecordedFeed::Book, from, why)?;
        }
        let found = !self.live && book.is_some();
        self.live = book.is_some();
        let Some(book) = book else { return Ok(()) };
        let (before, version) = (self.version, book.version());
        if version == before && !found {
            return Ok(());
        }
        self.version = version;
        let Some(sides) = self.view.take(book, to.reach_bps()) else { return Ok(()) };
        let newest = session.continuity().get(self.market, Metric::Book).and_then(|c| c.newest);
        // A snapshot changes nothing that is known to have happened; it counts as one.
        let updates = if version.wholes == before.wholes { version.levels.saturating_sub(before.levels) } else { 1 };
        self.played.books += 1;
        let at = RecordStamps { event: newest.unwrap_or(now), recv: now };
        to.book(at, &sides, u32::try_from(updates).unwrap_or(u32::MAX))
    }
}

fn book_lost(emit: &Emit) -> Option<(Ts, GapReason)> {
    match emit.payload {
        Payload::Status(s) if emit.metric == Metric::Book && s.state != StatusState::Live => Some((s.from, s.reason)),
        _ => None,
    }
}
