//! Plays the messages of one market to the venue's session, as the live program does, and hands on what its book and trades do.

use super::listener::{Received, RecordListener, RecordedFeed, RecordedTrade};
use super::view::BookView;
use barograph_domain::event::Side;
use barograph_domain::{GapReason, Metric, Payload, Span, StatusState, Ts};
use barograph_venues::session::{
    Action, BookVersion, ConnId, Emit, FailReason, Input, LinkId, MarketIndex, MarketSpec, Out, RequestId, Session,
    SessionConfig, VenueDef,
};
use std::collections::BTreeSet;

/// Levels that are followed on each side, where the recording does not say how many it holds.
pub(super) const LEVELS: usize = 1_000;
/// What the session says of messages that are of other markets: a recording may hold many.
const OF_OTHERS: [&str; 2] = ["unknown_symbol", "unknown_topic"];
/// A request that the recording holds no answer to is given up after so long.
const ANSWER_WAIT: Span = Span::secs(10);

/// What was played.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Played {
    /// States of the book.
    pub books: u64,
    /// Trades whose taker is known.
    pub trades: u64,
    /// Trades whose taker is not known: nothing is made of them.
    pub unsided: u64,
    /// Times the book was lost.
    pub book_losses: u64,
    /// Times the trades were lost.
    pub trade_losses: u64,
    /// Messages that the session refused.
    pub refused: u64,
    /// The first thing that was refused, as a sentence.
    pub first_refused: Option<String>,
}

/// A request that is open.
#[derive(Clone, Debug)]
struct Asked {
    id: RequestId,
    url: String,
    until: Ts,
}

/// One market of one venue.
pub struct RecordedMarket {
    session: Box<dyn Session>,
    view: BookView,
    version: BookVersion,
    /// Its book was trusted when it was last looked at.
    live: bool,
    opened: BTreeSet<LinkId>,
    asked: Vec<Asked>,
    ticked: Option<Ts>,
    now: Ts,
    out: Out,
    played: Played,
}

impl core::fmt::Debug for RecordedMarket {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("RecordedMarket").field("now", &self.now).field("played", &self.played).finish_non_exhaustive()
    }
}

const MARKET: MarketIndex = MarketIndex(0);

impl RecordedMarket {
    /// A market of which nothing was played yet; its messages are of a book of so many levels, where they say so.
    #[must_use]
    pub fn new(venue: &VenueDef, spec: MarketSpec, levels: usize) -> Self {
        let view = BookView::new(&spec);
        let config = SessionConfig {
            endpoints: (venue.endpoints)(),
            markets: vec![spec],
            metrics: vec![Metric::Trade, Metric::BestBidAsk, Metric::Book],
            backfill: Span::ZERO,
            book_depth: levels,
            poll_every: Span::mins(1),
            polls_every: Vec::new(),
            polls_in_flight_max: 1,
            trade_side_is_maker: true,
        };
        Self {
            session: (venue.open)(config),
            view,
            version: BookVersion::default(),
            live: false,
            opened: BTreeSet::new(),
            asked: Vec::new(),
            ticked: None,
            now: Ts::MIN,
            out: Out::default(),
            played: Played::default(),
        }
    }

    /// What was played so far.
    #[must_use]
    pub fn played(&self) -> &Played {
        &self.played
    }

    /// A message that was received. Stamps that step back are taken as the newest before.
    ///
    /// # Errors
    /// What the listener fails with.
    pub fn frame<L: RecordListener>(&mut self, at: Ts, bytes: &[u8], to: &mut L) -> Result<(), L::Failure> {
        self.time(at, to)?;
        let conn = self.conn_of(bytes);
        self.input(&Input::Frame { conn, bytes }, to)
    }

    /// Time passes, with nothing received.
    ///
    /// # Errors
    /// What the listener fails with.
    pub fn time<L: RecordListener>(&mut self, at: Ts, to: &mut L) -> Result<(), L::Failure> {
        self.now = self.now.max(at);
        to.passed(self.now)?;
        self.open_links(to)?;
        if self.ticked.is_none_or(|t| self.now - t >= Span::secs(1)) {
            self.ticked = Some(self.now);
            self.input(&Input::Tick, to)?;
        }
        while let Some(late) = self.asked.iter().position(|a| a.until <= self.now) {
            let request = self.asked.remove(late).id;
            self.input(&Input::Failed { request, reason: FailReason::Timeout }, to)?;
        }
        Ok(())
    }

    /// The oldest open request that a recorded answer fits.
    #[must_use]
    pub fn awaits(&self, fits: impl Fn(&str) -> bool) -> Option<RequestId> {
        self.asked.iter().find(|a| fits(&a.url)).map(|a| a.id)
    }

    /// The answer to a request.
    ///
    /// # Errors
    /// What the listener fails with.
    pub fn reply<L: RecordListener>(&mut self, request: RequestId, body: &[u8], to: &mut L) -> Result<(), L::Failure> {
        self.asked.retain(|a| a.id != request);
        self.input(&Input::Reply { request, status: 200, body }, to)
    }

    fn open_links<L: RecordListener>(&mut self, to: &mut L) -> Result<(), L::Failure> {
        let new: Vec<LinkId> =
            self.session.links().iter().map(|l| l.id).filter(|id| !self.opened.contains(id)).collect();
        for link in new {
            self.opened.insert(link);
            // One instance of each connection, numbered as it is.
            self.input(&Input::Opened { link, conn: ConnId(u32::from(link.0)) }, to)?;
        }
        Ok(())
    }

    /// Recordings do not say which connection brought a message. Where a venue has several, what they carry tells them apart.
    fn conn_of(&self, bytes: &[u8]) -> ConnId {
        let links = self.session.links();
        let head = &bytes[..bytes.len().min(120)];
        let has = |part: &str| memchr::memmem::find(head, part.as_bytes()).is_some();
        let tier = if has("@depth") || has("@bookTicker") { "/public/" } else { "/market/" };
        let link = links.iter().find(|l| l.url.contains(tier)).or(links.first());
        ConnId(link.map_or(0, |l| u32::from(l.id.0)))
    }

    fn input<L: RecordListener>(&mut self, input: &Input<'_>, to: &mut L) -> Result<(), L::Failure> {
        let mut out = core::mem::take(&mut self.out);
        out.clear();
        self.session.input(self.now, input, &mut out);
        for fault in out.faults.iter().filter(|f| !OF_OTHERS.contains(&f.kind)) {
            self.played.refused += 1;
            if self.played.first_refused.is_none() {
                self.played.first_refused = Some(format!("{}: {}", fault.kind, fault.detail));
            }
        }
        for action in out.actions.drain(..) {
            if let Action::Request(request) = action {
                self.asked.push(Asked { id: request.id, url: request.url, until: self.now + ANSWER_WAIT });
            }
        }
        // The state of the book comes with its message, trades in the order they are told.
        let moved = self.book(&out.events, to);
        let traded = out.events.iter().try_for_each(|emit| self.emit(emit, to));
        self.out = out;
        moved.and(traded)
    }

    fn emit<L: RecordListener>(&mut self, emit: &Emit, to: &mut L) -> Result<(), L::Failure> {
        if emit.metric != Metric::Trade {
            return Ok(());
        }
        match emit.payload {
            Payload::Trade { price, qty, aggressor_side: Some(side) } => {
                self.played.trades += 1;
                let trade = RecordedTrade { price, size: qty, is_buy: side == Side::Long };
                to.trade(Received { event: emit.event_ts, recv: self.now }, trade)
            }
            Payload::Trade { aggressor_side: None, .. } => {
                self.played.unsided += 1;
                Ok(())
            }
            Payload::Status(status) if status.state == StatusState::Live => to.trades_begin(status.until),
            Payload::Status(status) => {
                self.played.trade_losses += 1;
                to.lost(RecordedFeed::Trades, status.from, status.reason)
            }
            _ => Ok(()),
        }
    }

    fn book<L: RecordListener>(&mut self, events: &[Emit], to: &mut L) -> Result<(), L::Failure> {
        let lost = events.iter().find_map(|e| match e.payload {
            Payload::Status(s) if e.metric == Metric::Book && s.state != StatusState::Live => Some((s.from, s.reason)),
            _ => None,
        });
        let book = self.session.book(MARKET);
        if self.live && (lost.is_some() || book.is_none()) {
            self.played.book_losses += 1;
            let (from, why) = lost.unwrap_or((self.now, GapReason::Undecodable));
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
        let Some(sides) = self.view.take(book) else { return Ok(()) };
        let newest = self.session.continuity().get(MARKET, Metric::Book).and_then(|c| c.newest);
        // A snapshot changes nothing that is known to have happened; it counts as one.
        let updates = if version.wholes == before.wholes { version.levels.saturating_sub(before.levels) } else { 1 };
        self.played.books += 1;
        let at = Received { event: newest.unwrap_or(self.now), recv: self.now };
        to.book(at, &sides, u32::try_from(updates).unwrap_or(u32::MAX))
    }
}
