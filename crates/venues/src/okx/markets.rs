//! Markets of the OKX session: each gets its place on a public and a business connection; the list may change while it runs.

use super::books::Sync;
use super::session::{Market, Okx, Room, Wanted};
use super::topics::{self, Channel};
use super::{limits, symbols};
use crate::session::{Action, ConnId, Ids, LinkId, MarketIndex, MarketSpec, Minutes, Out, Said};
use barograph_domain::{GapReason, Ts};

impl Okx {
    pub(super) fn add(&mut self, spec: MarketSpec) {
        let index = MarketIndex(u32::try_from(self.state.markets.len()).unwrap_or(u32::MAX));
        for metric in &self.config.metrics {
            self.state.desk.streams.push(symbols::stream(index, &spec, *metric));
        }
        let channels = topics::channels(&spec, &self.config);
        let (link, candles) = self.rooms(channels);
        self.state.markets.push(Market {
            book: Sync::new(spec.tick.map_or(0, |t| t.scale)),
            spec,
            link,
            candles,
            channels,
            refused: 0,
            trades: Ids::default(),
            last_trade: None,
            holes: Vec::new(),
            liquidations: Ids::default(),
            bars: Minutes::default(),
            minute: None,
            said_top: Said::default(),
            said_book: None,
            said_mark: Said::default(),
            said_index: Said::default(),
            said_funding: Said::default(),
            said_interest: Said::default(),
            interval_h: None,
            next_settlement: None,
            settled: Ids::default(),
            ratio_due: [None; 3],
        });
    }

    /// Connections for a market's channels: of the public and of the business socket.
    fn rooms(&mut self, channels: u16) -> (LinkId, LinkId) {
        let candle = Channel::Candle.bit();
        let book = u32::from(channels & Channel::Book.bit() != 0);
        let public = if channels & !candle == 0 { LinkId(u16::MAX) } else { self.room(false, book) };
        let business = if channels & candle == 0 { LinkId(u16::MAX) } else { self.room(true, 0) };
        (public, business)
    }

    fn room(&mut self, business: bool, books: u32) -> LinkId {
        let most = if business { limits::CANDLE_MARKETS_MAX } else { limits::MARKETS_MAX };
        let fits = |r: &&mut Room| r.business == business && r.markets < most && r.books + books <= limits::BOOKS_MAX;
        if let Some(room) = self.state.rooms.iter_mut().find(fits) {
            room.markets += 1;
            room.books += books;
            return room.id;
        }
        let id = LinkId(u16::try_from(self.state.rooms.len()).unwrap_or(u16::MAX));
        self.state.rooms.push(Room { id, business, markets: 1, books });
        id
    }

    /// The complete new list of markets.
    pub(super) fn markets(&mut self, now: Ts, wanted: &[MarketSpec], out: &mut Out) {
        let mut changes: Vec<(LinkId, &str, Wanted)> = Vec::new();
        let mut change = |market: &Market, index: MarketIndex, op: &'static str, bits: u16| {
            for channel in Channel::ALL.into_iter().filter(|c| bits & c.bit() != 0) {
                let link = market.link_of(channel);
                match changes.iter_mut().find(|c| c.0 == link && c.1 == op) {
                    Some(known) => known.2.push((index, channel)),
                    None => changes.push((link, op, vec![(index, channel)])),
                }
            }
        };
        for n in 0..self.state.markets.len() {
            let index = MarketIndex(u32::try_from(n).unwrap_or(u32::MAX));
            let spec = wanted.iter().find(|s| s.symbol == self.state.markets[n].spec.symbol);
            let market = &mut self.state.markets[n];
            match spec {
                None if market.channels != 0 => {
                    let bits = core::mem::take(&mut market.channels);
                    market.book.drop_book();
                    let (link, candles, book) = (market.link, market.candles, bits & Channel::Book.bit() != 0);
                    // What several markets share stays; its other markets may need it.
                    let shared = Channel::Index.bit() | Channel::Liquidation.bit();
                    change(&self.state.markets[n], index, "unsubscribe", bits & !shared);
                    for room in self.state.rooms.iter_mut().filter(|r| r.id == link || r.id == candles) {
                        room.markets = room.markets.saturating_sub(1);
                        room.books = room.books.saturating_sub(u32::from(book && !room.business));
                    }
                    self.state.desk.uncover(index, u16::MAX);
                    self.state.desk.history.remove(index);
                    for metric in &self.config.metrics {
                        self.state.desk.lost(index, *metric, now, GapReason::NotRunning, out);
                    }
                }
                Some(spec) if market.channels == 0 => {
                    let bits = topics::channels(spec, &self.config);
                    let (link, candles) = self.rooms(bits);
                    let market = &mut self.state.markets[n];
                    (market.channels, market.refused, market.link, market.candles) = (bits, 0, link, candles);
                    market.book.asked(now);
                    change(&self.state.markets[n], index, "subscribe", bits);
                }
                None | Some(_) => {}
            }
        }
        for spec in wanted {
            if self.state.markets.iter().all(|m| m.spec.symbol != spec.symbol) {
                let index = MarketIndex(u32::try_from(self.state.markets.len()).unwrap_or(u32::MAX));
                self.add(spec.clone());
                let market = &mut self.state.markets[index.index()];
                market.book.asked(now);
                change(market, index, "subscribe", market.channels);
            }
        }
        for (link, op, topics) in changes {
            let conns: Vec<ConnId> = self.state.desk.conns.iter().filter(|c| c.link == link).map(|c| c.id).collect();
            for conn in conns {
                self.send(now, conn, op, &topics, out);
            }
        }
        self.config.markets = wanted.to_vec();
        self.rename();
        self.relink();
        out.actions.push(Action::Relink);
    }
}
