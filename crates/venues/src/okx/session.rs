//! The OKX session: which connections are wanted, what is subscribed on them, and what happens when they open, close,
//! confirm, refuse or stay silent. Data messages are read in [`super::feed`], answers to requests in [`super::replies`].

use super::books::Sync;
use super::topics::{self, Channel};
use super::{limits, map, symbols};
use crate::session::desk::{sealed, unsealed};
use crate::session::{
    Action, Book, CloseReason, ConnId, Desk, Ids, Input, LagMeter, Limits, Link, LinkId, MarketIndex, MarketSpec,
    Minutes, Names, Out, RequestId, RestoreError, Said, Session, SessionConfig, StreamSpec, Tracker,
};
use barograph_domain::{GapReason, MarketKind, Metric, Span, StatusState, Ts};
use serde::{Deserialize, Serialize};

/// History pages under way at once.
const PAGES_MAX: u32 = 8;
/// First byte of saved state.
const FORMAT: u8 = 1;

/// Trades that were missed lie between these ids, ends excluded and included; without an end the hole is still open.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(super) struct IdHole {
    pub after: u64,
    pub until: Option<u64>,
}

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
    pub trades: Ids,
    pub last_trade: Option<u64>,
    pub holes: Vec<IdHole>,
    pub liquidations: Ids,
    pub bars: Minutes,
    pub minute: Option<Ts>,
    pub said_top: Said,
    pub said_book: Option<Ts>,
    pub said_mark: Said,
    pub said_index: Said,
    pub said_funding: Said,
    pub said_interest: Said,
    pub interval_h: Option<f64>,
    pub next_settlement: Option<Ts>,
    pub settled: Ids,
}

impl Market {
    /// The connection of one of its channels.
    pub(super) fn link_of(&self, channel: Channel) -> LinkId {
        if channel == Channel::Candle { self.candles } else { self.link }
    }
}

/// A wanted connection.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
struct Room {
    id: LinkId,
    business: bool,
    markets: u32,
    books: u32,
}

/// Requests of a connection in the running hour.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
struct Spent {
    conn: ConnId,
    since: Ts,
    requests: u32,
}

/// Everything that is saved.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub(super) struct State {
    pub desk: Desk,
    pub markets: Vec<Market>,
    rooms: Vec<Room>,
    spent: Vec<Spent>,
    /// Connections whose first liquidations of a type have come.
    pub liquidating: Vec<(ConnId, MarketKind)>,
    /// Throttled answers in a row.
    pub throttled: u32,
    subscriptions: u64,
}

/// See the module.
#[derive(Debug)]
pub struct Okx {
    pub(super) config: SessionConfig,
    limits: Limits,
    pub(super) state: State,
    pub(super) names: Names,
    /// By index name, the markets that have it.
    pub(super) indexes: std::collections::BTreeMap<String, Vec<MarketIndex>>,
    links: Vec<Link>,
}

type Wanted = Vec<(MarketIndex, Channel)>;

impl Okx {
    /// A session that has seen nothing.
    #[must_use]
    pub fn new(config: SessionConfig) -> Self {
        let state = State {
            desk: Desk::new(config.backfill, PAGES_MAX),
            markets: Vec::new(),
            rooms: Vec::new(),
            spent: Vec::new(),
            liquidating: Vec::new(),
            throttled: 0,
            subscriptions: 0,
        };
        let markets = config.markets.clone();
        let mut session = Self {
            config,
            limits: limits::limits(),
            state,
            names: Names::default(),
            indexes: std::collections::BTreeMap::new(),
            links: Vec::new(),
        };
        for spec in markets {
            session.add(spec);
        }
        session.rename();
        session.relink();
        session
    }

    fn add(&mut self, spec: MarketSpec) {
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

    fn relink(&mut self) {
        let used = self.state.rooms.iter().filter(|r| r.markets > 0);
        self.links = used
            .map(|room| {
                let path = if room.business { "business" } else { "public" };
                let url = format!("{}/ws/v5/{path}", self.config.endpoints.ws);
                Link { id: room.id, url, ping: Some("ping".to_owned()) }
            })
            .collect();
    }

    fn rename(&mut self) {
        self.names = Names::default();
        self.indexes.clear();
        for (n, market) in (0_u32..).zip(&self.state.markets) {
            self.names.insert(market.spec.symbol.as_bytes(), MarketIndex(n));
            if market.spec.kind != MarketKind::Spot {
                self.indexes.entry(map::index_name(&market.spec.symbol)).or_default().push(MarketIndex(n));
            }
        }
    }

    /// Subscribes (or unsubscribes) on one connection, each argument once, in requests of allowed size.
    fn send(&mut self, now: Ts, conn: ConnId, op: &str, wanted: &[(MarketIndex, Channel)], out: &mut Out) {
        let mut args: Vec<String> = Vec::with_capacity(wanted.len());
        let mut shared = std::collections::BTreeSet::new();
        for (market, channel) in wanted {
            let arg = channel.arg(&self.state.markets[market.index()].spec);
            let once = matches!(channel, Channel::Index | Channel::Liquidation);
            if !once || shared.insert(arg.clone()) {
                args.push(arg);
            }
        }
        for part in args.chunks(limits::ARGS_MAX) {
            self.state.subscriptions += 1;
            self.spend(now, conn);
            let text = topics::request(op, self.state.subscriptions, part);
            out.actions.push(Action::Send { conn, text });
        }
    }

    fn spend(&mut self, now: Ts, conn: ConnId) {
        let Some(spent) = self.state.spent.iter_mut().find(|s| s.conn == conn) else { return };
        if now - spent.since >= Span::hours(1) {
            (spent.since, spent.requests) = (now, 0);
        }
        spent.requests += 1;
    }

    /// May a connection still afford to subscribe one book anew in this hour?
    fn affords(&self, now: Ts, conn: ConnId) -> bool {
        let spent = self.state.spent.iter().find(|s| s.conn == conn);
        spent.is_some_and(|s| now - s.since >= Span::hours(1) || s.requests + 2 <= limits::REQUESTS_MAX)
    }

    fn opened(&mut self, now: Ts, link: LinkId, conn: ConnId, out: &mut Out) {
        self.state.desk.open(conn, link);
        self.state.spent.retain(|s| s.conn != conn);
        self.state.spent.push(Spent { conn, since: now, requests: 0 });
        let mut wanted = Wanted::new();
        for (n, market) in (0_u32..).zip(&mut self.state.markets) {
            for channel in Channel::ALL {
                if market.channels & !market.refused & channel.bit() != 0 && market.link_of(channel) == link {
                    wanted.push((MarketIndex(n), channel));
                    if channel == Channel::Book && !market.book.live {
                        market.book.asked(now);
                    }
                }
            }
        }
        self.send(now, conn, "subscribe", &wanted, out);
    }

    fn closed(&mut self, now: Ts, conn: ConnId, reason: CloseReason, out: &mut Out) {
        self.state.spent.retain(|s| s.conn != conn);
        self.state.liquidating.retain(|l| l.0 != conn);
        let Some(gone) = self.state.desk.close(conn) else { return };
        let why = if reason == CloseReason::Stopping { GapReason::NotRunning } else { GapReason::Disconnected };
        for (n, market) in (0_u32..).zip(&mut self.state.markets) {
            let index = MarketIndex(n);
            // Settlements are caught up with over any connection; only while the program does not run they are missed.
            if reason == CloseReason::Stopping && market.channels != 0 && market.link == gone.link {
                self.state.desk.lost(index, Metric::FundingRateSettled, now, why, out);
            }
            for channel in Channel::ALL {
                if market.channels & channel.bit() == 0 || market.link_of(channel) != gone.link {
                    continue;
                }
                let other = self.state.desk.conns.iter().rev().find(|c| c.covers(index, channel.bit())).map(|c| c.id);
                if channel == Channel::Book {
                    market.book.closed(conn, other);
                }
                if other.is_some() {
                    continue;
                }
                if channel == Channel::Trade {
                    market.hole();
                }
                for metric in channel.metrics() {
                    self.state.desk.lost(index, *metric, now, why, out);
                }
            }
        }
    }

    /// The connection delivers this channel from now on; streams that may be silent are healthy with that.
    pub(super) fn covers(&mut self, now: Ts, conn: ConnId, market: MarketIndex, channel: Channel, out: &mut Out) {
        if self.state.desk.cover(conn, market, channel.bit()) {
            match channel {
                Channel::Trade => self.state.desk.found(market, Metric::Trade, now, out),
                Channel::Liquidation => self.state.desk.found(market, Metric::Liquidation, now, out),
                _ => {}
            }
        }
    }

    /// The venue does not have this: it is not asked for again.
    pub(super) fn refuse(&mut self, market: MarketIndex, channel: Channel) {
        self.state.markets[market.index()].refused |= channel.bit();
    }

    /// Builds one book anew: its channel is subscribed again. False: not now, the connection has used up its requests.
    pub(super) fn resubscribe(&mut self, now: Ts, market: MarketIndex, out: &mut Out) -> bool {
        let m = &mut self.state.markets[market.index()];
        m.book.asked(now);
        if m.refused & Channel::Book.bit() != 0 {
            return false;
        }
        let Some(conn) = self.state.desk.newest(m.link).filter(|c| self.affords(now, *c)) else { return false };
        self.send(now, conn, "unsubscribe", &[(market, Channel::Book)], out);
        self.send(now, conn, "subscribe", &[(market, Channel::Book)], out);
        true
    }

    fn tick(&mut self, now: Ts, out: &mut Out) {
        self.state.desk.tracker.tick(now, out);
        for n in 0..self.state.markets.len() {
            let index = MarketIndex(u32::try_from(n).unwrap_or(u32::MAX));
            let market = &mut self.state.markets[n];
            if market.channels & !market.refused & Channel::Book.bit() == 0 {
                continue;
            }
            if market.book.wants_renewal(now) {
                market.book.renewed();
                self.resubscribe(now, index, out);
            } else if market.book.wants_fetch(now) {
                self.fetch_book(now, index, out);
            }
        }
        while let Some(job) = self.state.desk.history.tick(now) {
            self.again(now, &job, out);
        }
    }

    /// The complete new list of markets.
    fn markets(&mut self, now: Ts, wanted: &[MarketSpec], out: &mut Out) {
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

    /// A number for a request that is not history.
    pub(super) fn number(&mut self) -> RequestId {
        self.state.desk.request_id()
    }

    /// What must be the same for saved state to be usable.
    fn key(config: &SessionConfig) -> Vec<u8> {
        let settings = SessionConfig { markets: Vec::new(), ..config.clone() };
        postcard::to_allocvec(&settings).unwrap_or_default()
    }
}

impl Market {
    /// Trades are missed from here on.
    fn hole(&mut self) {
        if let Some(after) = self.last_trade
            && self.holes.last().is_none_or(|h| h.until.is_some())
        {
            // The oldest of more than a handful has been fetched or given up long ago.
            if self.holes.len() >= HOLES_MAX {
                self.holes.remove(0);
            }
            self.holes.push(IdHole { after, until: None });
        }
    }
}

/// Holes in trades that are remembered per market.
const HOLES_MAX: usize = 16;

impl Session for Okx {
    fn venue(&self) -> &'static str {
        "okx"
    }

    fn limits(&self) -> &Limits {
        &self.limits
    }

    fn input(&mut self, now: Ts, input: &Input<'_>, out: &mut Out) {
        self.state.desk.declare(now, symbols::silence, out);
        match input {
            Input::Opened { link, conn } => self.opened(now, *link, *conn, out),
            Input::Closed { conn, reason } => self.closed(now, *conn, *reason, out),
            Input::Frame { conn, bytes } => return self.frame(now, *conn, bytes, out),
            Input::Reply { request, status, body } => self.reply(now, *request, *status, body, out),
            Input::Failed { request, reason } => self.failed(now, *request, *reason, out),
            Input::Tick => self.tick(now, out),
            Input::Markets(wanted) => {
                self.markets(now, wanted, out);
                self.state.desk.declare(now, symbols::silence, out);
            }
        }
        self.ask(now, out);
    }

    fn fetching(&self, market: MarketIndex, of: &dyn Fn(Metric) -> bool) -> bool {
        self.state.desk.history.wanted(market, of)
    }

    fn links(&self) -> &[Link] {
        &self.links
    }

    fn carried(&self, link: LinkId) -> usize {
        let on = |m: &Market, c: &Channel| m.channels & !m.refused & c.bit() != 0 && m.link_of(*c) == link;
        self.state.markets.iter().map(|m| Channel::ALL.iter().filter(|c| on(m, c)).count()).sum()
    }

    fn streams(&self) -> &[StreamSpec] {
        &self.state.desk.streams
    }

    fn book(&self, market: MarketIndex) -> Option<&Book> {
        let state = self.state.markets.get(market.index()).filter(|m| m.book.live)?;
        let stream = self.state.desk.tracker.get(market, Metric::Book)?;
        (stream.state == StatusState::Live).then_some(&state.book.book)
    }

    fn continuity(&self) -> &Tracker {
        &self.state.desk.tracker
    }

    fn lag(&self) -> Option<&LagMeter> {
        Some(&self.state.desk.lag)
    }

    fn save(&self) -> Vec<u8> {
        sealed(postcard::to_allocvec(&(FORMAT, Self::key(&self.config), &self.state)).unwrap_or_default())
    }

    fn restore(&mut self, bytes: &[u8]) -> Result<(), RestoreError> {
        let bytes = unsealed(bytes).ok_or(RestoreError)?;
        let Ok((saved, [])) = postcard::take_from_bytes::<(u8, Vec<u8>, State)>(bytes) else {
            return Err(RestoreError);
        };
        let (format, key, state) = saved;
        let fits = self.config.markets.len() <= state.markets.len()
            && self.config.markets.iter().zip(&state.markets).all(|(s, m)| s.symbol == m.spec.symbol);
        if format != FORMAT || key != Self::key(&self.config) || !fits {
            return Err(RestoreError);
        }
        self.state = state;
        self.rename();
        self.relink();
        Ok(())
    }
}
