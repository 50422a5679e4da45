//! Who hears what: every event is written once per stream and copied to those who asked for it.
//!
//! Nothing is written for which nobody asked. The bytes of a tick gather per connection and leave in one piece, so that
//! twenty thousand messages a second cost a few hundred writes.

use crate::Venue;
use crate::fault::FaultPlan;
use crate::num::Text;
use crate::server::conn::ClientConn;
use crate::server::deliver::{OutgoingMessage, deliver};
use crate::server::depths::SentDepths;
use crate::server::streams::{Everything, Stream, SubscribedName};
use crate::world::World;
use crate::world::book::TouchedLevel;
use crate::world::market::TradedMarket;
use barograph_domain::Ts;
use std::collections::BTreeMap;

/// One connection's interest in one stream of a market.
#[derive(Debug)]
struct Sub {
    stream: Stream,
    slot: usize,
    name: Box<str>,
    /// `{"stream":"…","data":` or nothing.
    prefix: Box<[u8]>,
}

/// Everybody's interest in one market.
#[derive(Debug, Default)]
struct Interest {
    bits: u32,
    subs: Vec<Sub>,
    /// Newest aggregate trade that went into a batch (Coinbase, CoinEx).
    batched: u64,
    /// Changes of the book are held back until then.
    stale_until: Option<Ts>,
}

/// A subscription to all markets at once.
#[derive(Debug)]
struct AllSub {
    what: Everything,
    slot: usize,
    name: Box<str>,
    prefix: Box<[u8]>,
}

/// Connections, interests, and scratch space.
#[derive(Debug)]
pub(crate) struct ClientHub {
    pub(crate) conns: Vec<Option<ClientConn>>,
    interests: Vec<Interest>,
    /// What was last sent of each market's book (CoinEx).
    pub(crate) depths: Vec<SentDepths>,
    all: Vec<AllSub>,
    lookup: BTreeMap<(Venue, String), usize>,
    text: Text,
    changed: Vec<TouchedLevel>,
    next_id: u64,
    /// What goes wrong on purpose.
    pub(crate) plan: FaultPlan,
    /// By how much each venue's clock is wrong, and until when.
    pub(crate) skews: [(i64, Ts); Venue::COUNT],
    pub(crate) now: Ts,
    /// Messages handed to connections so far.
    pub(crate) sent: u64,
    /// Connections given up because their client did not read.
    pub(crate) slow: u64,
}

impl ClientHub {
    pub(crate) fn new(world: &World, plan: FaultPlan) -> Self {
        let lookup = world.markets.iter().enumerate().map(|(n, m)| ((m.spec.venue, m.spec.lower.clone()), n)).collect();
        Self {
            conns: Vec::new(),
            interests: world.markets.iter().map(|_| Interest::default()).collect(),
            depths: world.markets.iter().map(|_| SentDepths::default()).collect(),
            all: Vec::new(),
            lookup,
            text: Text::default(),
            changed: Vec::new(),
            next_id: 1,
            plan,
            skews: [(0, Ts::MIN); Venue::COUNT],
            now: world.now(),
            sent: 0,
            slow: 0,
        }
    }

    /// Position of a market; the symbol in any case.
    pub(crate) fn market(&self, venue: Venue, symbol: &str) -> Option<usize> {
        self.lookup.get(&(venue, symbol.to_lowercase())).copied()
    }

    /// Takes a new connection in; its slot and its id.
    pub(crate) fn join(&mut self, make: impl FnOnce(u64) -> ClientConn) -> (usize, u64) {
        let id = self.next_id;
        self.next_id += 1;
        let conn = make(id);
        let free = self.conns.iter().position(Option::is_none);
        let slot = free.unwrap_or_else(|| {
            self.conns.push(None);
            self.conns.len() - 1
        });
        self.conns[slot] = Some(conn);
        (slot, id)
    }

    /// Forgets a connection.
    pub(crate) fn leave(&mut self, slot: usize, id: u64) {
        if self.conns.get(slot).and_then(Option::as_ref).is_some_and(|c| c.id == id) {
            self.conns[slot] = None;
            for interest in &mut self.interests {
                if interest.subs.iter().any(|s| s.slot == slot) {
                    interest.subs.retain(|s| s.slot != slot);
                    interest.count();
                }
            }
            self.all.retain(|a| a.slot != slot);
        }
    }

    pub(crate) fn conn(&mut self, slot: usize, id: u64) -> Option<&mut ClientConn> {
        self.conns.get_mut(slot)?.as_mut().filter(|c| c.id == id)
    }

    /// Begins to deliver what a name asks for. A symbol that does not exist delivers nothing, as on the venue.
    pub(crate) fn want(&mut self, slot: usize, venue: Venue, name: &str, envelope: bool, wanted: SubscribedName) {
        let prefix = if envelope { format!("{{\"stream\":\"{name}\",\"data\":") } else { String::new() };
        let prefix = prefix.into_bytes().into_boxed_slice();
        let name = name.into();
        match wanted {
            SubscribedName::All(what) => self.all.push(AllSub { what, slot, name, prefix }),
            SubscribedName::One(symbol, stream) => {
                if let Some(number) = self.market(venue, &symbol) {
                    let interest = &mut self.interests[number];
                    interest.subs.push(Sub { stream, slot, name, prefix });
                    interest.count();
                }
            }
        }
    }

    /// Ends what [`Self::want`] began.
    pub(crate) fn unwant(&mut self, slot: usize, venue: Venue, wanted: &SubscribedName) {
        match wanted {
            SubscribedName::All(what) => self.all.retain(|a| !(a.what == *what && a.slot == slot)),
            SubscribedName::One(symbol, stream) => {
                if let Some(number) = self.market(venue, symbol) {
                    let interest = &mut self.interests[number];
                    interest.subs.retain(|s| !(s.stream == *stream && s.slot == slot));
                    interest.count();
                }
            }
        }
    }

    /// By how much a venue's clock is wrong now.
    pub(crate) fn skew_ms(&self, venue: Venue) -> i64 {
        let (by, until) = self.skews[venue as usize];
        if self.now < until { by } else { 0 }
    }

    /// Whether anybody asked for something of this market, or of all.
    pub(crate) fn is_heard(&self, number: usize) -> bool {
        !self.all.is_empty() || self.interests[number].bits != 0
    }

    /// Whether anybody asked for this stream.
    pub(crate) fn is_wanted(&self, number: usize, stream: Stream) -> bool {
        let interest = &self.interests[number];
        interest.bits & stream.bit() != 0 && interest.subs.iter().any(|s| s.stream == stream)
    }

    /// Remembers up to which aggregate trades were batched; the previous mark.
    pub(crate) fn batch(&mut self, number: usize, newest: u64) -> u64 {
        core::mem::replace(&mut self.interests[number].batched, newest)
    }

    /// Holds changes of a book back.
    pub(crate) fn hold_book(&mut self, number: usize, until: Ts) {
        self.interests[number].stale_until = Some(until);
    }

    /// Whether a market's book is held back now.
    pub(crate) fn is_stale(&self, number: usize) -> bool {
        self.interests[number].stale_until.is_some_and(|until| self.now < until)
    }

    /// Writes a payload once and copies it to the subscribers of a stream.
    pub(crate) fn one(
        &mut self,
        number: usize,
        market: &TradedMarket,
        stream: Stream,
        write: impl FnOnce(&mut Text, &mut Vec<TouchedLevel>),
    ) {
        if !self.is_wanted(number, stream) {
            return;
        }
        self.text.restart(self.skew_ms(market.spec.venue));
        write(&mut self.text, &mut self.changed);
        for sub in self.interests[number].subs.iter().filter(|s| s.stream == stream) {
            if let Some(conn) = self.conns.get_mut(sub.slot).and_then(Option::as_mut) {
                let message = OutgoingMessage {
                    venue: market.spec.venue,
                    market: Some(&market.spec.symbol),
                    name: &sub.name,
                    prefix: &sub.prefix,
                    payload: &self.text,
                };
                self.sent += deliver(conn, &mut self.plan, self.now, &message);
            }
        }
    }

    /// Writes a frame of all markets for those who asked for it.
    pub(crate) fn everyone(&mut self, venue: Venue, what: Everything, write: impl FnOnce(&mut Text)) {
        let at_venue = |conns: &[Option<ClientConn>], a: &AllSub| {
            a.what == what && conns.get(a.slot).and_then(Option::as_ref).is_some_and(|c| c.venue == venue)
        };
        if !self.all.iter().any(|a| at_venue(&self.conns, a)) {
            return;
        }
        self.text.restart(self.skew_ms(venue));
        write(&mut self.text);
        if self.text.bytes.is_empty() {
            return;
        }
        for sub in &self.all {
            if !at_venue(&self.conns, sub) {
                continue;
            }
            if let Some(conn) = self.conns.get_mut(sub.slot).and_then(Option::as_mut) {
                let message =
                    OutgoingMessage { venue, market: None, name: &sub.name, prefix: &sub.prefix, payload: &self.text };
                self.sent += deliver(conn, &mut self.plan, self.now, &message);
            }
        }
    }

    /// Sends one message to one connection.
    pub(crate) fn to(&mut self, slot: usize, id: u64, name: &str, market: Option<&str>, write: impl FnOnce(&mut Text)) {
        let now = self.now;
        let Some(venue) = self.conn(slot, id).map(|c| c.venue) else { return };
        let mut text = Text::skewed(self.skew_ms(venue));
        write(&mut text);
        if let Some(conn) = self.conns.get_mut(slot).and_then(Option::as_mut) {
            let message = OutgoingMessage { venue, market, name, prefix: b"", payload: &text };
            self.sent += deliver(conn, &mut self.plan, now, &message);
        }
    }

    /// Hands everything that has gathered to the sockets.
    pub(crate) fn flush(&mut self) {
        for conn in self.conns.iter_mut().flatten() {
            if !conn.flush(self.now) {
                self.slow += 1;
            }
        }
    }
}

impl Interest {
    fn count(&mut self) {
        self.bits = self.subs.iter().fold(0, |bits, s| bits | s.stream.bit());
    }
}
