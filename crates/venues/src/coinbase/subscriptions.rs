//! Who is listened to on which connection: subscribing, the venue's lists, refusals, replacing a broken connection.
//!
//! Level 2 holds at most 30 products per connection: when the venue says "too many L2 streams", the set is split over new links
//! and the bound is lowered. A book is refreshed by unsubscribing and subscribing, in this order: the first frees the place, and
//! subscribing to what is held brings no snapshot.

use super::conn::{Conn, Health};
use super::limits::{
    ACK_WAIT, BOOK_SILENCE_BUSY, BOOK_SILENCE_QUIET, LEVEL2_PER_LINK, RECONNECT_EVERY, RECONNECT_EVERY_IN_STORM,
};
use super::session::{Coinbase, State};
use super::topics::Channel;
use crate::session::kit::Kit;
use crate::session::protocol::{Channel as _, Protocol as _, Verb, WantedChannels};
use crate::session::{Action, CloseReason, ConnId, LinkId, MarketIndex, Out};
use barograph_domain::{GapReason, Metric, StatusState, Ts};

impl State {
    /// Connections that nobody has asked to close, with their links.
    pub(super) fn open_conns(&self) -> Vec<(ConnId, LinkId)> {
        self.conns.iter().filter(|c| c.health != Health::Closing).map(|c| (c.id, c.link)).collect()
    }

    /// The newest connection of a link on which nothing was lost.
    fn whole_on(&self, link: LinkId) -> Option<ConnId> {
        self.conns.iter().rev().find(|c| c.link == link && c.health == Health::Whole).map(|c| c.id)
    }
}

impl Kit<Coinbase> {
    /// What is subscribed of these products.
    fn all_of(&self, products: &[MarketIndex]) -> WantedChannels<Coinbase> {
        let of = |m: MarketIndex| Channel::ALL.iter().map(move |channel| (m, *channel));
        let all = products.iter().flat_map(|m| of(*m));
        all.filter(|(m, channel)| self.markets[m.index()].channels & channel.bit() != 0).collect()
    }

    /// Does the newest list of this connection hold a product's channel?
    fn lists(&self, conn: ConnId, market: MarketIndex, channel: Channel) -> bool {
        self.desk.conns.iter().any(|c| c.id == conn && c.covers(market, channel.bit()))
    }

    /// Subscribes products on an open connection.
    pub(super) fn subscribe(&mut self, now: Ts, to: ConnId, products: &[MarketIndex], out: &mut Out) {
        let all = self.all_of(products);
        Coinbase::send(self, now, to, Verb::Subscribe, &all, out);
        for at in products {
            Coinbase::subscribed(&mut self.markets[at.index()], now);
        }
        if let Some(conn) = self.state.conns.iter_mut().find(|c| c.id == to) {
            conn.asked = Some(now);
        }
    }

    pub(super) fn close(&mut self, id: ConnId, out: &mut Out) {
        if let Some(conn) = self.state.conns.iter_mut().find(|c| c.id == id && c.health != Health::Closing) {
            conn.health = Health::Closing;
            out.actions.push(Action::Close { conn: id, reason: CloseReason::Asked });
        }
    }

    /// A connection is gone: what only it carried is lost.
    pub(super) fn lose(&mut self, now: Ts, id: ConnId, out: &mut Out) {
        let Some(link) = self.desk.close(id).map(|c| c.link) else { return };
        self.state.conns.retain(|c| c.id != id);
        let serves = |c: &&Conn| c.link == link && c.heard && c.health != Health::Closing;
        let other = self.state.conns.iter().rev().find(serves).map(|c| c.id);
        for at in self.products_on(link) {
            self.off(now, at, id, other, out);
        }
    }

    /// The product is no longer fed by this connection.
    fn off(&mut self, now: Ts, at: MarketIndex, id: ConnId, other: Option<ConnId>, out: &mut Out) {
        let Some((p, mut sink)) = self.product(now, at, out) else { return };
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

    /// Messages of this connection were lost: no book of it can be trusted.
    pub(super) fn broken(&mut self, now: Ts, id: ConnId, out: &mut Out) {
        let Some(conn) = self.state.conns.iter_mut().find(|c| c.id == id) else { return };
        if conn.health == Health::Whole {
            conn.health = Health::Broken;
        }
        let link = conn.link;
        for at in self.products_on(link) {
            let Some((p, mut sink)) = self.product(now, at, out) else { continue };
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
        let every = if self.state.watch.storm { RECONNECT_EVERY_IN_STORM } else { RECONNECT_EVERY };
        let broken = self.state.conns.iter().filter(|c| c.health == Health::Broken);
        for (id, link) in broken.map(|c| (c.id, c.link)).collect::<Vec<_>>() {
            match self.state.replaced.iter_mut().find(|(l, _)| *l == link) {
                Some((_, last)) if now - *last < every => continue,
                Some((_, last)) => *last = now,
                None => self.state.replaced.push((link, now)),
            }
            self.close(id, out);
        }
    }

    /// Everything that is due with time.
    pub(super) fn tend(&mut self, now: Ts, out: &mut Out) {
        self.replace(now, out);
        self.compare(now, out);
        self.ask_again(now, out);
        if self.wants(Metric::Book) {
            self.refresh(now, out);
        }
    }

    /// Books that are silent, that wait too long or that the price is about to leave are unsubscribed and subscribed again.
    fn refresh(&mut self, now: Ts, out: &mut Out) {
        for at in (0..self.markets.len()).map(MarketIndex::at) {
            let link = self.markets[at.index()].link;
            let Some(to) = link.and_then(|link| self.state.whole_on(link)) else { continue };
            let Some((p, mut sink)) = self.product(now, at, out) else { continue };
            let limit = if p.book.pace.is_busy() { BOOK_SILENCE_BUSY } else { BOOK_SILENCE_QUIET };
            p.book.silent(limit, &mut sink);
            p.book.not_renewed(&mut sink);
            let (is_overdue, renews) = (p.book.overdue(now), p.book.wants_renewal(now));
            if is_overdue {
                p.book.asked(now);
            } else if renews {
                p.book.renewing(now);
            }
            if is_overdue || renews {
                Coinbase::again(self, now, to, &vec![(at, Channel::Level2)], out);
            }
        }
    }

    /// The venue's list of what is subscribed on a connection, name by name. Unknown names are passed over.
    pub(super) fn listed(&mut self, conn: ConnId, name: &[u8], channel: &[u8]) {
        let channel = core::str::from_utf8(channel).ok().and_then(Channel::parse);
        if let (Some(market), Some(channel)) = (self.venue.names.get(name), channel) {
            self.desk.cover(conn, market, channel.bit());
        }
    }

    /// Some time after subscribing, what was asked for is compared with the venue's list.
    fn compare(&mut self, now: Ts, out: &mut Out) {
        for n in 0..self.state.conns.len() {
            let conn = &self.state.conns[n];
            if conn.health == Health::Closing || !conn.listed || conn.asked.is_none_or(|asked| now - asked < ACK_WAIT) {
                continue;
            }
            let (id, there) = (conn.id, conn.venue_now);
            for at in self.products_on(conn.link) {
                let (listed, missing): (WantedChannels<Coinbase>, WantedChannels<Coinbase>) =
                    self.all_of(&[at]).into_iter().partition(|(market, channel)| self.lists(id, *market, *channel));
                let is_listed = |channel| listed.contains(&(at, channel));
                let Some((p, mut sink)) = self.product(now, at, out) else { continue };
                for (_, channel) in missing {
                    let why = format!("the venue does not list it as subscribed on {}", channel.word());
                    sink.fault("not_subscribed", &why, &[]);
                    sink.lost(channel.metrics()[0], StatusState::Gap, GapReason::Refused);
                }
                // Trades and quotes may rightly be silent.
                if is_listed(Channel::Ticker) {
                    sink.found(Metric::BestBidAsk);
                }
                if is_listed(Channel::Trades) && p.trades.conn.is_none() {
                    self.synced(now, at, id, (there, false), out);
                }
            }
            self.state.conns[n].asked = None;
        }
    }

    /// Channels that the venue does not list are subscribed again, in case it has refused them for now. Level 2 is not among them:
    /// a book that has no snapshot is asked for again anyway.
    fn ask_again(&mut self, now: Ts, out: &mut Out) {
        for n in 0..self.state.conns.len() {
            let conn = &self.state.conns[n];
            if conn.health != Health::Whole || !conn.listed || conn.asked.is_some() {
                continue;
            }
            let (id, all) = (conn.id, self.all_of(&self.products_on(conn.link)));
            for channel in [Channel::Trades, Channel::Ticker] {
                let mut missing: WantedChannels<Coinbase> = all.iter().filter(|w| w.1 == channel).copied().collect();
                missing.retain(|(market, _)| {
                    let comes = self.lists(id, *market, channel);
                    self.desk.revive.check(now, *market, channel.bit(), comes)
                });
                if !missing.is_empty() {
                    Coinbase::again(self, now, id, &missing, out);
                    self.state.conns[n].asked = Some(now);
                }
            }
        }
    }

    /// "too many L2 streams": what the venue has taken stays, the rest moves to new links.
    pub(super) fn too_many(&mut self, now: Ts, id: ConnId, out: &mut Out) {
        let Some(link) = self.desk.link_of(id) else { return };
        let all = self.products_on(link);
        let mut stay: Vec<MarketIndex> =
            all.iter().copied().filter(|at| self.lists(id, *at, Channel::Level2)).collect();
        let is_none_held = stay.is_empty();
        if is_none_held {
            stay.extend(all.iter().take(all.len().div_ceil(2)));
        }
        if stay.len() == all.len() {
            // Nothing to split: one product, or all of them listed.
            return;
        }
        self.state.level2_max = Some(self.state.level2_max.unwrap_or(LEVEL2_PER_LINK).min(stay.len()));
        let moved: Vec<MarketIndex> = all.iter().copied().filter(|at| !stay.contains(at)).collect();
        let unsubscribed = self.all_of(&moved);
        Coinbase::send(self, now, id, Verb::Unsubscribe, &unsubscribed, out);
        for at in moved {
            self.off(now, at, id, None, out);
            self.markets[at.index()].link = None;
        }
        if is_none_held {
            let stay: WantedChannels<Coinbase> = stay.into_iter().map(|at| (at, Channel::Level2)).collect();
            Coinbase::again(self, now, id, &stay, out);
        }
        self.place(now, out);
    }

    /// No name of the product is wanted any more.
    pub(super) fn leave(&mut self, now: Ts, at: MarketIndex, out: &mut Out) {
        self.state.polls.remove(at);
        self.desk.history.remove(at);
        let Some(link) = self.markets[at.index()].link.take() else { return };
        let all = self.all_of(&[at]);
        for (id, _) in self.state.open_conns().into_iter().filter(|(_, of)| *of == link) {
            Coinbase::send(self, now, id, Verb::Unsubscribe, &all, out);
        }
        let state = &mut self.markets[at.index()].state;
        (state.trades.conn, state.book.conn) = (None, None);
    }
}
