//! Markets that come and go while the session runs.

use super::ratios;
use super::session::Binance;
use crate::session::kit::Kit;
use crate::session::protocol::{Protocol as _, Verb};
use crate::session::{Action, ConnId, MarketIndex, MarketSpec, Out, StreamSpec};
use barograph_domain::{Metric, StatusState, Ts};

impl Kit<Binance> {
    pub(super) fn change_markets(&mut self, now: Ts, wanted: &[MarketSpec], out: &mut Out) {
        for m in &mut self.markets {
            m.wanted = false;
        }
        let (from, known) = (self.desk.streams.len(), self.markets.len());
        for spec in wanted {
            match self.venue.names.get(spec.symbol.as_bytes()) {
                Some(known) => self.markets[known.index()].wanted = true,
                None => {
                    self.add(spec.clone());
                }
            }
        }
        self.declare(now, out);
        self.schedule(now, from);
        self.rest_untraded(now, known);
        self.resume_or_drop(now);
        for change in self.replan() {
            let conns: Vec<ConnId> = self.state.conns.iter().filter(|c| c.link == change.link).map(|c| c.id).collect();
            for conn in conns {
                // First what is new: where one form takes over from another, nothing is missed in between.
                self.send_feeds(conn, Verb::Subscribe, &change.added, out);
                self.send_feeds(conn, Verb::Unsubscribe, &change.removed, out);
            }
            for feed in &change.removed {
                self.lose(now, *feed, out);
            }
        }
        // What may be silent is found again with the next data, so that new markets are too.
        for conn in &mut self.state.conns {
            conn.delivered = false;
        }
        out.actions.push(Action::Relink);
    }

    /// Polls follow what is wanted.
    fn resume_or_drop(&mut self, now: Ts) {
        let every = Binance::poll_every(self);
        for at in 0..self.markets.len() {
            let market = MarketIndex::at(at);
            let polled = self.state.polls.all().iter().any(|p| p.market == market);
            let wanted = self.markets[at].wanted;
            if wanted && !self.state.ratios.all().iter().any(|p| p.market == market) {
                let own = |s: &&StreamSpec| s.market == market && s.offered && ratios::path(s.metric).is_some();
                let streams: Vec<StreamSpec> = self.desk.streams.iter().filter(own).cloned().collect();
                streams.iter().for_each(|stream| self.poll_ratio(now, stream));
            }
            let offered =
                self.desk.tracker.get(market, Metric::OpenInterest).is_some_and(|c| c.state != StatusState::NotOffered);
            if wanted && !polled && offered {
                let volume = self.spec(market).and_then(|s| s.volume_24h_quote);
                self.state.polls.add(market, Metric::OpenInterest, every, volume, now);
            } else if !wanted {
                self.state.polls.remove(market);
                self.state.ratios.remove(market);
                self.state.history.remove(market);
            }
        }
    }
}
