//! Plays the messages of one market to the venue's session, as the live program does, and hands on what its book and trades do.

use super::counted::Counted;
use super::ear::{MarketEar, Played};
use super::listener::RecordListener;
use barograph_domain::{Metric, Span, Ts};
use barograph_venues::session::{
    Action, ConnId, FailReason, Input, LinkId, MarketIndex, MarketSpec, Out, RequestId, Session, SessionConfig,
    VenueDef,
};
use std::collections::BTreeSet;

/// Levels that are followed on each side, where the recording does not say how many it holds.
pub(super) const LEVELS: usize = 1_000;
/// A request that the recording holds no answer to is given up after so long.
const ANSWER_WAIT: Span = Span::secs(10);

/// A request that is open.
#[derive(Clone, Debug)]
struct Asked {
    id: RequestId,
    url: String,
    until: Ts,
}

/// One market of one venue.
pub(super) struct RecordedMarket {
    session: Box<dyn Session>,
    ear: MarketEar,
    opened: BTreeSet<LinkId>,
    asked: Vec<Asked>,
    ticked: Option<Ts>,
    now: Ts,
    out: Out,
}

impl core::fmt::Debug for RecordedMarket {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("RecordedMarket").field("now", &self.now).field("ear", &self.ear).finish_non_exhaustive()
    }
}

const MARKET: MarketIndex = MarketIndex(0);

impl RecordedMarket {
    /// A market of which nothing was played yet; its messages are of a book of so many levels, where they say so.
    #[must_use]
    pub(super) fn new(venue: &VenueDef, spec: MarketSpec, counted: Counted, levels: usize) -> Self {
        let ear = MarketEar::new(MARKET, counted);
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
            mcp: None,
        };
        Self {
            session: (venue.open)(config),
            ear,
            opened: BTreeSet::new(),
            asked: Vec::new(),
            ticked: None,
            now: Ts::MIN,
            out: Out::default(),
        }
    }

    /// What was played so far.
    #[must_use]
    pub(super) fn played(&self) -> &Played {
        &self.ear.played
    }

    /// A message that was received. Stamps that step back are taken as the newest before.
    ///
    /// # Errors
    /// What the listener fails with.
    pub(super) fn frame<L: RecordListener>(&mut self, at: Ts, bytes: &[u8], to: &mut L) -> Result<(), L::Failure> {
        self.time(at, to)?;
        let conn = self.conn_of(bytes);
        self.input(&Input::Frame { conn, bytes }, to)
    }

    /// Time passes, with nothing received.
    ///
    /// # Errors
    /// What the listener fails with.
    pub(super) fn time<L: RecordListener>(&mut self, at: Ts, to: &mut L) -> Result<(), L::Failure> {
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
    pub(super) fn awaits(&self, fits: impl Fn(&str) -> bool) -> Option<RequestId> {
        self.asked.iter().find(|a| fits(&a.url)).map(|a| a.id)
    }

    /// The answer to a request.
    ///
    /// # Errors
    /// What the listener fails with.
    pub(super) fn reply<L: RecordListener>(
        &mut self,
        request: RequestId,
        body: &[u8],
        to: &mut L,
    ) -> Result<(), L::Failure> {
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
        self.ear.played.refuse(&out.faults);
        for action in out.actions.drain(..) {
            if let Action::Request(request) = action {
                self.asked.push(Asked { id: request.id, url: request.url, until: self.now + ANSWER_WAIT });
            }
        }
        let heard = self.ear.hear((self.session.as_ref(), &out.events), self.now, to);
        self.out = out;
        heard
    }
}
