//! One venue of a journal: its session, run with what the journal says that it was given.

use super::counted::Counted;
use super::ear::{MarketEar, Played};
use super::listener::RecordListener;
use barograph_domain::{GapReason, Metric, Ts};
use barograph_venues::session::{
    Action, CloseReason, ConnId, FailReason, Input, MarketIndex, MarketSpec, Out, RequestId, Session, SessionConfig,
    VenueDef,
};
use std::collections::{BTreeMap, BTreeSet};

/// One market that somebody listens to.
#[derive(Debug)]
pub(super) struct HeardMarket<L> {
    pub(super) symbol: String,
    pub(super) listener: L,
    counted: Counted,
    ear: MarketEar,
}

impl<L> HeardMarket<L> {
    pub(super) fn played(&self) -> &Played {
        &self.ear.played
    }
}

/// A session with what is open of it, and the markets that are listened to.
pub(super) struct JournalVenue<L> {
    pub(super) id: &'static str,
    session: Box<dyn Session>,
    /// Every market it ever had, by its index.
    pub(super) known: Vec<MarketSpec>,
    /// How many of them were offered to whoever listens.
    pub(super) offered: usize,
    pub(super) markets: Vec<HeardMarket<L>>,
    open: BTreeSet<ConnId>,
    /// Requests without an answer, with their addresses.
    asked: BTreeMap<RequestId, String>,
    /// Addresses of what the process asked for, by its own numbers.
    requested: BTreeMap<RequestId, String>,
    /// Nothing more is used until the next start: a part of its journal is damaged, or the process left it out.
    pub(super) silent: bool,
    out: Out,
}

impl<L> core::fmt::Debug for JournalVenue<L> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("JournalVenue").field("id", &self.id).field("silent", &self.silent).finish_non_exhaustive()
    }
}

impl<L: RecordListener> JournalVenue<L> {
    pub(super) fn new(def: &VenueDef, config: SessionConfig) -> Self {
        Self {
            id: def.id,
            known: config.markets.clone(),
            session: (def.open)(config),
            offered: 0,
            markets: Vec::new(),
            open: BTreeSet::new(),
            asked: BTreeMap::new(),
            requested: BTreeMap::new(),
            silent: false,
            out: Out::default(),
        }
    }

    /// Another session in its place: the process began from nothing. Markets that are listened to are followed there.
    pub(super) fn renew(&mut self, def: &VenueDef, config: SessionConfig) {
        let mut markets = core::mem::take(&mut self.markets);
        *self = Self::new(def, config);
        for one in &mut markets {
            if let Some(at) = self.known.iter().position(|m| m.symbol == one.symbol) {
                one.counted = Counted::of(self.id, &self.known[at]).unwrap_or(one.counted);
                one.ear.follow(MarketIndex::at(at), one.counted);
            }
        }
        self.markets = markets;
    }

    /// Somebody listens to the market of this place from now on.
    pub(super) fn listen(&mut self, at: usize, counted: Counted, listener: L) {
        let ear = MarketEar::new(MarketIndex::at(at), counted);
        self.markets.push(HeardMarket { symbol: self.known[at].symbol.clone(), listener, counted, ear });
    }

    /// Does the venue have a book of this market, and was it wanted?
    pub(super) fn has_book(&self, at: usize) -> bool {
        let market = MarketIndex::at(at);
        self.session.streams().iter().any(|s| s.market == market && s.metric == Metric::Book && s.offered)
    }

    /// Are these the markets it knows, in this order?
    pub(super) fn lists(&self, markets: &[MarketSpec]) -> bool {
        self.known.iter().map(|m| &m.symbol).eq(markets.iter().map(|m| &m.symbol))
    }

    /// The process asked for something.
    pub(super) fn request(&mut self, id: RequestId, url: String) {
        self.requested.insert(id, url);
    }

    /// The session's own number of a request of the process. They are the same, unless the journal lost the beginning of a
    /// process: then the address decides.
    pub(super) fn own_request(&mut self, id: RequestId) -> RequestId {
        let Some(url) = self.requested.remove(&id) else { return id };
        if self.asked.get(&id) == Some(&url) {
            return id;
        }
        self.asked.iter().find(|(_, asked)| **asked == url).map_or(id, |(own, _)| *own)
    }

    /// Gives the session one input.
    pub(super) fn input(&mut self, now: Ts, input: &Input<'_>) -> Result<(), L::Failure> {
        match input {
            Input::Opened { conn, .. } => {
                self.open.insert(*conn);
            }
            Input::Closed { conn, .. } => {
                self.open.remove(conn);
            }
            Input::Reply { request, .. } | Input::Failed { request, .. } => {
                self.asked.remove(request);
            }
            Input::Frame { .. } | Input::Tick | Input::Markets(_) => {}
        }
        let mut out = core::mem::take(&mut self.out);
        out.clear();
        self.session.input(now, input, &mut out);
        for action in out.actions.drain(..) {
            if let Action::Request(request) = action {
                self.asked.insert(request.id, request.url);
            }
        }
        let session = self.session.as_ref();
        let heard = self.markets.iter_mut().try_for_each(|one| {
            one.ear.played.refuse(&out.faults);
            if !one.ear.stirs(session, &out.events) {
                return Ok(());
            }
            one.listener.passed(now)?;
            one.ear.hear((session, &out.events), now, &mut one.listener)
        });
        self.out = out;
        heard
    }

    /// A new list of its markets; those it has keep their places.
    pub(super) fn change(&mut self, now: Ts, markets: &[MarketSpec]) -> Result<(), L::Failure> {
        let new = |m: &&MarketSpec| !self.known.iter().any(|k| k.symbol == m.symbol);
        let new: Vec<MarketSpec> = markets.iter().filter(new).cloned().collect();
        self.known.extend(new);
        self.input(now, &Input::Markets(markets))
    }

    /// Everything up to a moment was given.
    pub(super) fn passed(&mut self, now: Ts) -> Result<(), L::Failure> {
        self.markets.iter_mut().try_for_each(|one| one.listener.passed(now))
    }

    /// Whoever recorded is not there: what is followed is lost.
    pub(super) fn away(&mut self, now: Ts, why: GapReason) -> Result<(), L::Failure> {
        let session = self.session.as_ref();
        self.markets.iter_mut().try_for_each(|one| one.ear.away(session, now, why, &mut one.listener))
    }

    /// Whoever recorded is there again, or for the first time.
    pub(super) fn back(&mut self, now: Ts) -> Result<(), L::Failure> {
        self.markets.iter_mut().try_for_each(|one| one.listener.resumed(now))
    }

    /// Another process goes on: connections of the last one are gone, and its requests will not be answered.
    pub(super) fn resume(&mut self, now: Ts) -> Result<(), L::Failure> {
        self.requested.clear();
        for conn in self.open.clone() {
            self.input(now, &Input::Closed { conn, reason: CloseReason::Stopping })?;
        }
        let asked: Vec<RequestId> = self.asked.keys().copied().collect();
        for request in asked {
            self.input(now, &Input::Failed { request, reason: FailReason::Dropped })?;
        }
        self.session.resume(now);
        Ok(())
    }
}
