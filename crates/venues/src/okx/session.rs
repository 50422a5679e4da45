//! The OKX session: markets and their places on connections, what is said on them, what a connection may still be asked.
//! Data messages are read in [`super::feed`], answers to requests in [`super::replies`].

use super::books::Sync;
use super::topics::{self, Channel};
use super::trades::Trades;
use super::{limits, map, replies};
use crate::session::facts::{EmittedBars, LastReported};
use crate::session::kit::Kit;
use crate::session::protocol::{self, Channel as _, Protocol, Terms, Verb, WantedChannels};
use crate::session::rooms::Rooms;
use crate::session::{Action, ConnId, Ids, Link, LinkId, MarketIndex, MarketSpec, OrderBook, Out};
use barograph_domain::{MarketKind, Metric, Span, Ts};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// A market and all that is known of it.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub(super) struct Market {
    pub spec: MarketSpec,
    /// Its connection on the public socket.
    pub link: LinkId,
    /// Its connection on the business socket.
    pub candles: LinkId,
    /// Channels wanted; none once the market is not.
    pub channels: u16,
    /// Channels the venue refused.
    pub refused: u16,
    pub book: Sync,
    pub trades: Trades,
    pub liquidations: Ids,
    pub bars: EmittedBars,
    pub told: LastReported,
    pub interval_h: Option<f64>,
    pub next_settlement: Option<Ts>,
    pub settled: Ids,
    /// When each ratio is asked for next.
    pub ratio_due: [Option<Ts>; 3],
}

impl protocol::Market<Channel> for Market {
    fn symbol(&self) -> &str {
        &self.spec.symbol
    }

    fn link(&self) -> Option<LinkId> {
        Some(self.link)
    }

    fn link_of(&self, channel: Channel) -> Option<LinkId> {
        Some(if channel == Channel::Candle { self.candles } else { self.link })
    }

    fn channels(&self) -> u16 {
        self.channels
    }

    fn refused(&self) -> u16 {
        self.refused
    }

    fn refuse(&mut self, channels: u16) {
        self.refused |= channels;
    }
}

impl Market {
    fn has_book(&self) -> bool {
        self.channels & !self.refused & Channel::Book.bit() != 0
    }
}

/// Requests of a connection in the running hour.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
struct Spent {
    conn: ConnId,
    since: Ts,
    requests: u32,
}

/// What is saved besides desk and markets.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
pub(super) struct State {
    /// On the business socket or not, by markets and books.
    rooms: Rooms<bool, (u32, u32)>,
    spent: Vec<Spent>,
    /// Connections whose first liquidations of a type have come.
    pub liquidating: Vec<(ConnId, MarketKind)>,
    /// Throttled answers in a row.
    pub throttled: u32,
    subscriptions: u64,
}

impl State {
    /// Connections for a market's channels: of the public and of the business socket.
    fn rooms(&mut self, channels: u16) -> (LinkId, LinkId) {
        let candle = Channel::Candle.bit();
        let book = u32::from(channels & Channel::Book.bit() != 0);
        let mut room = |business, load, most| self.rooms.take(business, load, (most, limits::BOOKS_MAX));
        let nowhere = LinkId(u16::MAX);
        let public = if channels & !candle == 0 { nowhere } else { room(false, (1, book), limits::MARKETS_MAX) };
        let business = if channels & candle == 0 { nowhere } else { room(true, (1, 0), limits::CANDLE_MARKETS_MAX) };
        (public, business)
    }

    fn spend(&mut self, now: Ts, conn: ConnId) {
        let Some(spent) = self.spent.iter_mut().find(|s| s.conn == conn) else { return };
        if now - spent.since >= Span::hours(1) {
            (spent.since, spent.requests) = (now, 0);
        }
        spent.requests += 1;
    }
}

/// What is not saved.
#[derive(Debug, Default)]
pub(super) struct Okx {
    /// By index name, the markets that have it.
    pub indexes: BTreeMap<String, Vec<MarketIndex>>,
}

impl Protocol for Okx {
    const FORMAT: u8 = 4;
    const PAGES_MAX: u32 = 8;

    type Channel = Channel;
    type Market = Market;
    type State = State;

    fn terms(&self) -> Terms<Channel> {
        Terms { id: "okx", limits: limits::limits, streams: &topics::STREAMS }
    }

    fn market(kit: &mut Kit<Self>, spec: MarketSpec) -> Market {
        let channels = kit.channels_of(&spec);
        let (link, candles) = kit.state.rooms(channels);
        Market {
            book: Sync::new(spec.tick.map_or(0, |t| t.scale)),
            spec,
            link,
            candles,
            channels,
            refused: 0,
            trades: Trades::default(),
            liquidations: Ids::default(),
            bars: EmittedBars::default(),
            told: LastReported::default(),
            interval_h: None,
            next_settlement: None,
            settled: Ids::default(),
            ratio_due: [None; 3],
        }
    }

    fn links(kit: &Kit<Self>) -> Vec<Link> {
        let path = |business: &bool| if *business { "business" } else { "public" };
        let url = |business: &bool| format!("{}/ws/v5/{}", kit.config.endpoints.ws, path(business));
        kit.state.rooms.links(Some("ping"), url)
    }

    fn index(kit: &mut Kit<Self>) {
        kit.name();
        kit.venue = Self::default();
        for (n, market) in (0_u32..).zip(&kit.markets).filter(|(_, m)| m.spec.kind != MarketKind::Spot) {
            kit.venue.indexes.entry(map::index_of(&market.spec)).or_default().push(MarketIndex(n));
        }
    }

    /// Each argument once.
    fn send(kit: &mut Kit<Self>, now: Ts, conn: ConnId, verb: Verb, wanted: &[(MarketIndex, Channel)], out: &mut Out) {
        let mut args: Vec<String> = Vec::with_capacity(wanted.len());
        let mut shared = BTreeSet::new();
        for (market, channel) in wanted {
            let arg = channel.arg(&kit.markets[market.index()].spec);
            if !channel.is_shared() || shared.insert(arg.clone()) {
                args.push(arg);
            }
        }
        for part in args.chunks(limits::ARGS_MAX) {
            kit.state.subscriptions += 1;
            kit.state.spend(now, conn);
            let text = topics::request(verb.word(), kit.state.subscriptions, part);
            out.actions.push(Action::Send { conn, text });
        }
    }

    fn book<'a>(_: &'a Kit<Self>, market: &'a Market) -> Option<&'a OrderBook> {
        market.book.live.then_some(&market.book.book)
    }

    fn opened(kit: &mut Kit<Self>, now: Ts, link: LinkId, conn: ConnId, out: &mut Out) {
        kit.state.spent.retain(|s| s.conn != conn);
        kit.state.spent.push(Spent { conn, since: now, requests: 0 });
        kit.conn_opened(now, link, conn, out);
    }

    fn subscribed(market: &mut Market, now: Ts) {
        if market.has_book() && !market.book.live {
            market.book.asked(now);
        }
    }

    fn forget(state: &mut State, conn: ConnId) {
        state.spent.retain(|s| s.conn != conn);
        state.liquidating.retain(|l| l.0 != conn);
    }

    fn channel_closed(market: &mut Market, channel: Channel, conn: ConnId, other: Option<ConnId>) {
        match channel {
            Channel::Book => market.book.closed(conn, other),
            Channel::Trade if other.is_none() => market.trades.hole(),
            _ => {}
        }
    }

    /// May a connection still afford to subscribe something anew in this hour?
    fn affords(kit: &Kit<Self>, now: Ts, conn: ConnId) -> bool {
        let spent = kit.state.spent.iter().find(|s| s.conn == conn);
        spent.is_some_and(|s| now - s.since >= Span::hours(1) || s.requests + 2 <= limits::REQUESTS_MAX)
    }

    fn revives(channel: Channel) -> Option<&'static [Metric]> {
        (channel != Channel::Book).then(|| channel.metrics())
    }

    fn again(kit: &mut Kit<Self>, now: Ts, conn: ConnId, wanted: &WantedChannels<Self>, out: &mut Out) {
        // What several markets share goes on for the others meanwhile.
        let alone: WantedChannels<Self> = wanted.iter().filter(|w| !w.1.is_shared()).copied().collect();
        Self::send(kit, now, conn, Verb::Unsubscribe, &alone, out);
        Self::send(kit, now, conn, Verb::Subscribe, wanted, out);
    }

    fn after_tick(kit: &mut Kit<Self>, now: Ts, out: &mut Out) {
        kit.want_ratios(now);
        for n in 0..kit.markets.len() {
            let index = MarketIndex::at(n);
            let market = &mut kit.markets[n];
            if !market.has_book() {
                continue;
            }
            if market.book.wants_renewal(now) {
                market.book.renewed();
                kit.resubscribe(now, index, out);
            } else if market.book.wants_fetch(now) {
                kit.fetch_book(now, index, out);
            }
        }
    }

    fn leave(kit: &mut Kit<Self>, index: MarketIndex) -> u16 {
        let market = &mut kit.markets[index.index()];
        let bits = core::mem::take(&mut market.channels);
        market.book.drop_book();
        kit.state.rooms.give_back(market.link, (1, u32::from(bits & Channel::Book.bit() != 0)));
        kit.state.rooms.give_back(market.candles, (1, 0));
        // What several markets share stays; its other markets may need it.
        bits & !(Channel::Index.bit() | Channel::Liquidation.bit())
    }

    fn join(kit: &mut Kit<Self>, index: MarketIndex, spec: &MarketSpec) {
        let bits = kit.channels_of(spec);
        let (link, candles) = kit.state.rooms(bits);
        let market = &mut kit.markets[index.index()];
        (market.channels, market.refused, market.link, market.candles) = (bits, 0, link, candles);
    }

    fn joined(market: &mut Market, now: Ts) {
        market.book.asked(now);
    }
}

impl Kit<Okx> {
    /// Wants the newest row of each market and ratio whose turn it is.
    fn want_ratios(&mut self, now: Ts) {
        let count = self.markets.len();
        for (n, market) in (0_u32..).zip(&mut self.markets).filter(|(_, m)| m.channels != 0) {
            let ratios = replies::RATIOS.map(|(metric, _)| metric);
            self.desk.want_ratios(now, (MarketIndex(n), count), &ratios, &mut market.ratio_due, &self.config);
        }
    }

    /// Builds one book anew, unless the connection has used up its requests: its channel is subscribed again.
    pub(super) fn resubscribe(&mut self, now: Ts, market: MarketIndex, out: &mut Out) {
        let m = &mut self.markets[market.index()];
        m.book.asked(now);
        if m.refused & Channel::Book.bit() != 0 {
            return;
        }
        let conn = self.desk.newest(m.link);
        let Some(conn) = conn.filter(|conn| Okx::affords(self, now, *conn)) else { return };
        Okx::send(self, now, conn, Verb::Unsubscribe, &[(market, Channel::Book)], out);
        Okx::send(self, now, conn, Verb::Subscribe, &[(market, Channel::Book)], out);
    }
}
