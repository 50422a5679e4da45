//! Subscriptions after they were sent: confirmed, refused, or silent although they are confirmed.
//!
//! An answer names the number of its SUBSCRIBE message, and so the streams: refused ones say so. What stays silent, or was
//! refused, is unsubscribed and subscribed again with growing pauses ([`crate::session::revive`]); a connection on which nothing
//! comes is replaced.

use super::frame::Fields;
use super::plan::{Channel, Feed};
use super::session::Binance;
use crate::session::kit::Kit;
use crate::session::offer;
use crate::session::protocol::{Channel as _, Verb};
use crate::session::{Action, CloseReason, ConnId, LinkId, MarketIndex, Out};
use barograph_domain::{GapReason, Metric, Span, StatusState, Ts};

/// Stands for all markets.
const ALL: MarketIndex = MarketIndex(u32::MAX);

impl Kit<Binance> {
    /// Answers to what was sent, and what the venue says about the connection.
    pub(super) fn control(&mut self, now: Ts, conn: ConnId, f: &Fields<'_>, bytes: &[u8], out: &mut Out) {
        let refused = f.error.is_present() || (f.code.is_present() && f.msg.is_present());
        let confirmed = f.result.is_present() && f.id.is_present();
        if !(refused || confirmed) {
            return out.fault("unexpected_shape", None, "neither an event nor an answer", bytes);
        }
        let number = f.id.int();
        let at = self.state.sent.iter().position(|s| s.conn == conn && Some(s.number) == number);
        let feeds = at.map(|at| self.state.sent.remove(at).feeds).unwrap_or_default();
        if refused {
            out.fault("error_reply", None, "the venue refused a message", bytes);
        }
        for feed in feeds {
            for market in self.markets_of(feed) {
                for metric in feed.channel.metrics() {
                    if refused {
                        self.desk.tracker.lost(market, *metric, now, StatusState::Gap, GapReason::Refused, out);
                    } else if self.is_quiet(*metric) && self.is_refused(market, *metric) {
                        self.desk.tracker.found(market, *metric, now, out);
                    }
                }
            }
        }
    }

    pub(super) fn markets_of(&self, feed: Feed) -> Vec<MarketIndex> {
        let wanted = |m: &MarketIndex| self.markets.get(m.index()).is_some_and(|m| m.wanted);
        self.each(feed.market).filter(wanted).collect()
    }

    /// May the stream rightly have nothing to say?
    pub(super) fn is_quiet(&self, metric: Metric) -> bool {
        metric != Metric::Book && offer::silence(self.venue.flavour.streams, metric, Span::ZERO).is_none()
    }

    fn is_refused(&self, market: MarketIndex, metric: Metric) -> bool {
        self.desk.tracker.get(market, metric).is_some_and(|s| s.reason == GapReason::Refused && is_lost(s.state))
    }

    /// Does this stream of the venue bring what it should? One of all markets does while any of them has data.
    fn comes(&self, feed: Feed) -> bool {
        let is_silent = |market: MarketIndex, metric: Metric| {
            let stale = self.desk.tracker.get(market, metric).is_some_and(|s| s.state == StatusState::Stale);
            // While requests are refused, a book waits for its snapshot and not for its stream.
            let refused = feed.channel != Channel::Depth || self.state.refused_until.is_none();
            stale || (refused && self.is_refused(market, metric))
        };
        let has_silent = |market: MarketIndex| feed.channel.metrics().iter().any(|metric| is_silent(market, *metric));
        match feed.market {
            Some(market) => !has_silent(market),
            None => self.markets_of(feed).into_iter().any(|market| !has_silent(market)),
        }
    }

    /// Subscribes again what does not come, and replaces connections on which nothing does, or that have fallen silent.
    pub(super) fn revive_feeds(&mut self, now: Ts, out: &mut Out) {
        let links: Vec<LinkId> = self.state.routes.iter().map(|r| r.id).collect();
        for link in links {
            let conn = self.state.conns.iter().rev().find(|c| c.link == link).map(|c| c.id);
            let at = self.state.routes.iter().position(|r| r.id == link);
            let (Some(conn), Some(at)) = (conn, at) else { continue };
            let feeds = core::mem::take(&mut self.state.routes[at].feeds);
            let key = |feed: &Feed| (feed.market.unwrap_or(ALL), feed.channel.bit());
            let mut again = Vec::new();
            for feed in &feeds {
                let (market, channel) = key(feed);
                let comes = self.comes(*feed);
                if self.desk.revive.check(now, market, channel, comes) {
                    again.push(*feed);
                }
            }
            let is_hopeless = |f: &Feed| self.desk.revive.is_hopeless(key(f).0, key(f).1);
            let carried = feeds.iter().flat_map(|f| {
                let markets = self.markets_of(*f).into_iter();
                markets.flat_map(move |market| f.channel.metrics().iter().map(move |metric| (market, *metric)))
            });
            if self.desk.tracker.is_mute(now, carried) {
                out.actions.push(Action::Close { conn, reason: CloseReason::Asked });
            } else if !feeds.is_empty() && feeds.iter().all(is_hopeless) {
                feeds.iter().for_each(|f| self.desk.revive.condemned(key(f).0, key(f).1));
                out.actions.push(Action::Close { conn, reason: CloseReason::Asked });
            } else if !again.is_empty() {
                self.send_feeds(conn, Verb::Unsubscribe, &again, out);
                self.send_feeds(conn, Verb::Subscribe, &again, out);
            }
            self.state.routes[at].feeds = feeds;
        }
    }
}

fn is_lost(state: StatusState) -> bool {
    !matches!(state, StatusState::Live | StatusState::NotOffered)
}
