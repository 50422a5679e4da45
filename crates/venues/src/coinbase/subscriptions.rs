//! Who is listened to on which connection: subscribing, the venue's lists, refusals, replacing a broken connection.
//!
//! One channel per message; level 2 first, so that the first list already shows it; heartbeats on every connection, because
//! quiet channels are closed after 60 to 90 seconds. Level 2 holds at most 30 products per connection: when the venue says
//! "too many L2 streams", the set is split over new links and the bound is lowered. A book is refreshed by unsubscribing and
//! subscribing, in this order: the first frees the place, and subscribing to what is held brings no snapshot.

use super::conn::{self, Conn, Health};
use super::limits::{ACK_WAIT, BOOK_SILENCE_BUSY, BOOK_SILENCE_QUIET, RECONNECT_EVERY, RECONNECT_EVERY_IN_STORM};
use super::state::{State, index_of, split};
use crate::session::{Action, CloseReason, ConnId, LinkId, MarketIndex, MarketSpec, Out};
use barograph_domain::{GapReason, Metric, StatusState, Ts};

/// Channels by product, in the order they are subscribed.
const CHANNELS: [(u8, &str); 3] = [(conn::LEVEL2, "level2"), (conn::TRADES, "market_trades"), (conn::TICKER, "ticker")];

fn message(verb: &str, channel: &str, products: &[&str]) -> String {
    // Product ids are graphic ASCII without quotes: nothing has to be escaped.
    let list = products.join("\",\"");
    format!(r#"{{"type":"{verb}","product_ids":["{list}"],"channel":"{channel}"}}"#)
}

impl State {
    /// Channels that the wanted streams need.
    fn channels(&self) -> u8 {
        let mut bits = 0;
        for (metric, bit) in [
            (Metric::Book, conn::LEVEL2),
            (Metric::Trade, conn::TRADES),
            (Metric::Bar, conn::TRADES),
            (Metric::BestBidAsk, conn::TICKER),
        ] {
            bits |= if self.wants(metric) { bit } else { 0 };
        }
        bits
    }

    /// Subscriptions of a link, heartbeats included.
    pub(super) fn carried(&self, link: LinkId) -> usize {
        let products = self.markets.iter().filter(|m| m.link == Some(link)).count();
        products * self.channels().count_ones() as usize + usize::from(products > 0)
    }

    fn say(&mut self, to: ConnId, verb: &str, bits: u8, products: &[usize], out: &mut Out) {
        let names: Vec<&str> =
            products.iter().filter_map(|at| self.markets.get(*at)).map(|m| m.product.as_str()).collect();
        if names.is_empty() {
            return;
        }
        for (_, channel) in CHANNELS.iter().filter(|(bit, _)| bits & bit != 0) {
            out.actions.push(Action::Send { conn: to, text: message(verb, channel, &names) });
        }
    }

    /// Subscribes products on an open connection.
    pub(super) fn subscribe(&mut self, now: Ts, to: ConnId, products: &[usize], out: &mut Out) {
        let bits = self.channels();
        self.say(to, "subscribe", bits, products, out);
        if bits & conn::LEVEL2 != 0 {
            for at in products {
                if let Some(m) = self.markets.get_mut(*at) {
                    m.book.asked(now);
                }
            }
        }
        if let Some(conn) = self.conns.iter_mut().find(|c| c.id == to) {
            conn.asked = Some(now);
        }
    }

    /// A connection is open.
    pub(super) fn opened(&mut self, now: Ts, link: LinkId, id: ConnId, out: &mut Out) {
        self.conns.push(Conn::new(id, link, now));
        self.revive.opened(now);
        let products = self.on_link(link);
        if products.is_empty() {
            // No longer wanted while it was opening.
            self.close(id, out);
            return;
        }
        self.subscribe(now, id, &products, out);
        let text = r#"{"type":"subscribe","channel":"heartbeats"}"#.to_owned();
        out.actions.push(Action::Send { conn: id, text });
    }

    fn close(&mut self, id: ConnId, out: &mut Out) {
        if let Some(conn) = self.conns.iter_mut().find(|c| c.id == id && c.health != Health::Closing) {
            conn.health = Health::Closing;
            out.actions.push(Action::Close { conn: id, reason: CloseReason::Asked });
        }
    }

    /// A connection is gone: what only it carried is lost.
    pub(super) fn closed(&mut self, now: Ts, id: ConnId, out: &mut Out) {
        let Some(at) = self.conns.iter().position(|c| c.id == id) else { return };
        let link = self.conns.remove(at).link;
        let other =
            self.conns.iter().rev().find(|c| c.link == link && c.heard && c.health != Health::Closing).map(|c| c.id);
        for at in self.on_link(link) {
            self.off(now, at, id, other, out);
        }
    }

    /// The product is no longer fed by this connection.
    fn off(&mut self, now: Ts, at: usize, id: ConnId, other: Option<ConnId>, out: &mut Out) {
        let Some((p, mut sink)) = split(&mut self.markets, &mut self.tracker, at, now, out) else { return };
        if p.book.conn == Some(id) {
            p.book.drop_book(StatusState::Gap, GapReason::Disconnected, &mut sink);
        }
        if p.trades.conn == Some(id) {
            p.trades.conn = other;
        }
        if other.is_none() {
            for metric in [Metric::Trade, Metric::Bar, Metric::BestBidAsk] {
                sink.lost(metric, StatusState::Gap, GapReason::Disconnected);
            }
        }
    }

    /// The newest usable connection of a link.
    fn open_on(&self, link: LinkId) -> Option<ConnId> {
        self.conns.iter().rev().find(|c| c.link == link && c.health == Health::Whole).map(|c| c.id)
    }

    /// Messages of this connection were lost: no book of it can be trusted.
    pub(super) fn broken(&mut self, now: Ts, id: ConnId, out: &mut Out) {
        let Some(conn) = self.conns.iter_mut().find(|c| c.id == id) else { return };
        if conn.health == Health::Whole {
            conn.health = Health::Broken;
        }
        let link = conn.link;
        for at in self.on_link(link) {
            let Some((p, mut sink)) = split(&mut self.markets, &mut self.tracker, at, now, out) else { continue };
            if p.book.conn == Some(id) {
                p.book.drop_book(StatusState::Resync, GapReason::SequenceJump, &mut sink);
            }
            // Which quotes were lost nobody knows; trades say it by their ids.
            sink.lost(Metric::BestBidAsk, StatusState::Gap, GapReason::SequenceJump);
        }
        self.replace(now, out);
    }

    /// Closes broken connections as often as is allowed.
    fn replace(&mut self, now: Ts, out: &mut Out) {
        let every = if self.watch.storm { RECONNECT_EVERY_IN_STORM } else { RECONNECT_EVERY };
        let due: Vec<(ConnId, LinkId)> =
            self.conns.iter().filter(|c| c.health == Health::Broken).map(|c| (c.id, c.link)).collect();
        for (id, link) in due {
            match self.replaced.iter_mut().find(|(l, _)| *l == link) {
                Some((_, last)) if now - *last < every => continue,
                Some((_, last)) => *last = now,
                None => self.replaced.push((link, now)),
            }
            self.close(id, out);
        }
    }

    /// Everything that is due with time.
    pub(super) fn tend(&mut self, now: Ts, out: &mut Out) {
        self.replace(now, out);
        self.compare(now, out);
        self.revive(now, out);
        if self.wants(Metric::Book) {
            self.refresh(now, out);
        }
    }

    /// Books that are silent, that wait too long or that the price is about to leave are unsubscribed and subscribed again.
    fn refresh(&mut self, now: Ts, out: &mut Out) {
        for at in 0..self.markets.len() {
            let Some(link) = self.markets[at].link else { continue };
            let Some(to) = self.open_on(link) else { continue };
            let limit = if self.markets[at].book.pace.is_busy() { BOOK_SILENCE_BUSY } else { BOOK_SILENCE_QUIET };
            if let Some((p, mut sink)) = split(&mut self.markets, &mut self.tracker, at, now, out) {
                p.book.silent(limit, &mut sink);
                p.book.not_renewed(&mut sink);
            }
            let (overdue, renews) = (self.markets[at].book.overdue(now), self.markets[at].book.wants_renewal(now));
            if overdue || renews {
                self.say(to, "unsubscribe", conn::LEVEL2, &[at], out);
                self.say(to, "subscribe", conn::LEVEL2, &[at], out);
            }
            if overdue {
                self.markets[at].book.asked(now);
            } else if renews {
                self.markets[at].book.renewing(now);
            }
        }
    }

    /// The venue's list of what is subscribed on a connection. Unknown names are passed over.
    pub(super) fn listed(&mut self, at: usize, market: Option<MarketIndex>, channel: &[u8]) {
        let bit = CHANNELS.iter().find(|(_, name)| name.as_bytes() == channel).map(|(bit, _)| *bit);
        if let (Some(conn), Some(market), Some(bit)) = (self.conns.get_mut(at), market, bit) {
            conn.acknowledge(market, bit);
        }
    }

    /// Some time after subscribing, what was asked for is compared with the venue's list.
    fn compare(&mut self, now: Ts, out: &mut Out) {
        let wanted = self.channels();
        for n in 0..self.conns.len() {
            let conn = &self.conns[n];
            if conn.health == Health::Closing || !conn.listed || conn.asked.is_none_or(|asked| now - asked < ACK_WAIT) {
                continue;
            }
            let (id, link) = (conn.id, conn.link);
            for at in self.on_link(link) {
                let bits = self.conns[n].bits(self.markets[at].holder);
                let Some((p, mut sink)) = split(&mut self.markets, &mut self.tracker, at, now, out) else { continue };
                for (bit, channel) in CHANNELS.iter().filter(|(bit, _)| wanted & bit & !bits != 0) {
                    let why = format!("the venue does not list it as subscribed on {channel}");
                    sink.fault("not_subscribed", &why, &[]);
                    let metric = match *bit {
                        conn::LEVEL2 => Metric::Book,
                        conn::TRADES => Metric::Trade,
                        _ => Metric::BestBidAsk,
                    };
                    sink.lost(metric, StatusState::Gap, GapReason::Refused);
                }
                // Trades and quotes may rightly be silent.
                if wanted & bits & conn::TICKER != 0 {
                    sink.found(Metric::BestBidAsk);
                }
                if wanted & bits & conn::TRADES != 0 && p.trades.conn.is_none() {
                    let there = self.conns[n].venue_now;
                    self.synced(now, at, id, (there, false), out);
                }
            }
            self.conns[n].asked = None;
        }
    }

    /// Channels that the venue does not list are subscribed again, in case it has refused them for now. Level 2 is not among them:
    /// a book that has no snapshot is asked for again anyway.
    fn revive(&mut self, now: Ts, out: &mut Out) {
        let wanted = self.channels() & !conn::LEVEL2;
        for n in 0..self.conns.len() {
            let conn = &self.conns[n];
            if conn.health != Health::Whole || !conn.listed || conn.asked.is_some() {
                continue;
            }
            let (id, link) = (conn.id, conn.link);
            let mut missing = [Vec::new(), Vec::new(), Vec::new()];
            for at in self.on_link(link) {
                let holder = self.markets[at].holder;
                let bits = self.conns[n].bits(holder);
                for (missing, (bit, _)) in missing.iter_mut().zip(CHANNELS).filter(|(_, (bit, _))| wanted & bit != 0) {
                    if self.revive.look(now, holder, u16::from(bit), bits & bit != 0) {
                        missing.push(at);
                    }
                }
            }
            for (products, (bit, _)) in missing.iter().zip(CHANNELS).filter(|(products, _)| !products.is_empty()) {
                self.say(id, "unsubscribe", bit, products, out);
                self.say(id, "subscribe", bit, products, out);
                self.conns[n].asked = Some(now);
            }
        }
    }

    /// "too many L2 streams": what the venue has taken stays, the rest moves to new links.
    pub(super) fn too_many(&mut self, now: Ts, at: usize, out: &mut Out) {
        let Some(conn) = self.conns.get(at) else { return };
        let (id, link) = (conn.id, conn.link);
        let all = self.on_link(link);
        let holder = |s: &Self, at: usize| s.markets.get(at).map(|m| m.holder);
        let held: Vec<usize> = all
            .iter()
            .copied()
            .filter(|m| holder(self, *m).is_some_and(|h| conn.bits(h) & conn::LEVEL2 != 0))
            .collect();
        let kept = if held.is_empty() { all.len().div_ceil(2) } else { held.len() }.max(1);
        if kept == all.len() {
            // Nothing to split: one product, or all of them listed.
            return;
        }
        self.level2_max = self.level2_max.min(kept);
        let stay: Vec<usize> = if held.is_empty() { all.iter().copied().take(kept).collect() } else { held.clone() };
        let moved: Vec<usize> = all.iter().copied().filter(|m| !stay.contains(m)).collect();
        let bits = self.channels();
        self.say(id, "unsubscribe", bits, &moved, out);
        for at in &moved {
            self.off(now, *at, id, None, out);
            if let Some(m) = self.markets.get_mut(*at) {
                m.link = None;
            }
        }
        if held.is_empty() {
            self.say(id, "unsubscribe", conn::LEVEL2, &stay, out);
            self.say(id, "subscribe", conn::LEVEL2, &stay, out);
        }
        self.place(now, out);
    }

    /// Finds links for products without one, and subscribes where the link is open already.
    pub(super) fn place(&mut self, now: Ts, out: &mut Out) {
        let homeless: Vec<usize> = (0..self.markets.len()).filter(|at| self.markets[*at].link.is_none()).collect();
        if self.assign() {
            out.actions.push(Action::Relink);
        }
        let mut open: Vec<(ConnId, LinkId)> = Vec::new();
        for conn in self.conns.iter().filter(|c| c.health != Health::Closing) {
            open.push((conn.id, conn.link));
        }
        for (id, link) in open {
            let new: Vec<usize> = homeless.iter().copied().filter(|at| self.markets[*at].link == Some(link)).collect();
            if !new.is_empty() {
                self.subscribe(now, id, &new, out);
            }
        }
    }

    /// Takes up which names of a product are wanted now; a product without any is left.
    pub(super) fn rename(&mut self, now: Ts, at: usize, specs: &[MarketSpec], out: &mut Out) {
        let holder = index_of(at);
        let listed = |m: usize| specs.iter().any(|s| self.symbols.get(m) == Some(&s.symbol));
        let ids: Vec<MarketIndex> =
            (0..self.markets.len()).filter(|m| self.markets[*m].holder == holder && listed(*m)).map(index_of).collect();
        for id in self.markets[at].ids.clone() {
            if ids.contains(&id) {
                continue;
            }
            for metric in Metric::ALL {
                self.tracker.lost(id, metric, now, StatusState::Gap, GapReason::NotRunning, out);
            }
        }
        let left = ids.is_empty();
        self.markets[at].wanted = !left;
        self.markets[at].ids = ids;
        if left {
            self.leave(at, out);
        } else {
            self.begin_polls(now, at);
        }
    }

    fn leave(&mut self, at: usize, out: &mut Out) {
        self.polls.remove(index_of(at));
        self.history.remove(index_of(at));
        let Some(link) = self.markets.get_mut(at).and_then(|m| m.link.take()) else { return };
        let bits = self.channels();
        let open: Vec<ConnId> =
            self.conns.iter().filter(|c| c.link == link && c.health != Health::Closing).map(|c| c.id).collect();
        for id in open {
            self.say(id, "unsubscribe", bits, &[at], out);
        }
        if let Some(m) = self.markets.get_mut(at) {
            m.trades.conn = None;
            m.book.conn = None;
        }
    }
}
