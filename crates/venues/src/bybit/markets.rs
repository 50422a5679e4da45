//! Markets of the Bybit session: each gets its place on a connection; the list may change while it runs.

use super::books::Sync;
use super::map::{self, Category};
use super::session::{Bybit, Market, Room};
use super::ticker::Merged;
use super::topics::{self, Channel};
use super::{limits, symbols};
use crate::session::{Action, ConnId, Desk, Ids, LinkId, MarketIndex, MarketSpec, Minutes, Out, Said};
use barograph_domain::{GapReason, Ts};

/// Topics to subscribe (or not) on a connection.
type Change = (ConnId, &'static str, Vec<(MarketIndex, Channel)>);

impl Bybit {
    pub(super) fn add(&mut self, spec: MarketSpec) {
        let index = MarketIndex(u32::try_from(self.state.markets.len()).unwrap_or(u32::MAX));
        let category = map::category(&spec);
        for metric in &self.config.metrics {
            self.state.desk.streams.push(symbols::stream(index, &spec, *metric));
        }
        let channels = topics::channels(&spec, &self.config);
        let link = self.room(category, topics::characters(&spec.symbol, channels, self.depth));
        self.names[category as usize].insert(spec.symbol.as_bytes(), index);
        self.state.markets.push(Market {
            book: Sync::new(spec.tick.map_or(0, |t| t.scale), self.depth),
            spec,
            category,
            link,
            channels,
            refused: 0,
            ticker: Merged::default(),
            trades: Ids::default(),
            liquidations: Ids::default(),
            bars: Minutes::default(),
            minute: None,
            top_u: 0,
            said_top: Said::default(),
            said_book: None,
            said_mark: Said::default(),
            said_index: Said::default(),
            said_funding: Said::default(),
            said_interest: Said::default(),
            next_settlement: None,
            ratio_due: None,
            settled: Ids::default(),
        });
    }

    /// The first connection of a category with room for so many characters, a new one if there is none.
    fn room(&mut self, category: Category, characters: usize) -> LinkId {
        let fits = |r: &&mut Room| r.category == category && r.characters + characters <= limits::ARGS_MAX;
        if let Some(room) = self.state.rooms.iter_mut().find(fits) {
            room.characters += characters;
            return room.id;
        }
        let id = LinkId(u16::try_from(self.state.rooms.len()).unwrap_or(u16::MAX));
        self.state.rooms.push(Room { id, category, characters });
        id
    }

    /// The complete new list of markets.
    pub(super) fn markets(&mut self, now: Ts, wanted: &[MarketSpec], out: &mut Out) {
        let same = |m: &Market, s: &MarketSpec| m.spec.symbol == s.symbol && map::category(s) == m.category;
        let mut changes: Vec<Change> = Vec::new();
        let mut change = |desk: &Desk, link: LinkId, op: &'static str, topics: &[(MarketIndex, Channel)]| {
            for conn in desk.conns.iter().filter(|c| c.link == link) {
                match changes.iter_mut().find(|c| c.0 == conn.id && c.1 == op) {
                    Some(known) => known.2.extend_from_slice(topics),
                    None => changes.push((conn.id, op, topics.to_vec())),
                }
            }
        };
        let list = |index: MarketIndex, bits: u16| -> Vec<(MarketIndex, Channel)> {
            Channel::ALL.into_iter().filter(|c| bits & c.bit() != 0).map(|c| (index, c)).collect()
        };
        for n in 0..self.state.markets.len() {
            let index = MarketIndex(u32::try_from(n).unwrap_or(u32::MAX));
            let market = &mut self.state.markets[n];
            let spec = wanted.iter().find(|s| same(market, s));
            match spec {
                None if market.channels != 0 => {
                    let bits = core::mem::take(&mut market.channels);
                    market.book.drop_book();
                    market.ticker = Merged::default();
                    let characters = topics::characters(&market.spec.symbol, bits, self.depth);
                    let link = market.link;
                    if let Some(room) = self.state.rooms.iter_mut().find(|r| r.id == link) {
                        room.characters -= characters.min(room.characters);
                    }
                    change(&self.state.desk, link, "unsubscribe", &list(index, bits));
                    self.state.desk.uncover(index, u16::MAX);
                    self.state.desk.history.remove(index);
                    for metric in &self.config.metrics {
                        self.state.desk.lost(index, *metric, now, GapReason::NotRunning, out);
                    }
                }
                Some(spec) if market.channels == 0 => {
                    let bits = topics::channels(spec, &self.config);
                    let characters = topics::characters(&spec.symbol, bits, self.depth);
                    let link = self.room(map::category(spec), characters);
                    let market = &mut self.state.markets[n];
                    (market.channels, market.link, market.refused) = (bits, link, 0);
                    market.book.asked(now);
                    change(&self.state.desk, link, "subscribe", &list(index, bits));
                }
                None | Some(_) => {}
            }
        }
        for spec in wanted {
            if self.state.markets.iter().any(|m| same(m, spec)) {
                continue;
            }
            self.add(spec.clone());
            if let Some(market) = self.state.markets.last_mut() {
                market.book.asked(now);
                let index = MarketIndex(u32::try_from(self.state.markets.len() - 1).unwrap_or(u32::MAX));
                let market = &self.state.markets[index.index()];
                change(&self.state.desk, market.link, "subscribe", &list(index, market.channels));
            }
        }
        for (conn, op, topics) in changes {
            self.send(conn, op, &topics, out);
        }
        self.config.markets = wanted.to_vec();
        self.relink();
        out.actions.push(Action::Relink);
    }
}
