//! The OKX session: which connections are wanted, what is subscribed on them, and what happens when they open, close,
//! confirm, refuse or stay silent. Data messages are read in [`super::feed`], answers to requests in [`super::replies`].

use super::books::Sync;
use super::topics::{self, Channel};
use super::{limits, map, symbols};
use crate::session::{
    Action, Book, CloseReason, ConnId, Desk, Ids, Input, LagMeter, Limits, Link, LinkId, MarketIndex, MarketSpec,
    Minutes, Names, Out, RequestId, RestoreError, Said, Session, SessionConfig, StreamSpec, Tracker, saved,
};
use barograph_domain::{GapReason, MarketKind, Metric, Span, StatusState, Ts};
use serde::{Deserialize, Serialize};

/// History pages under way at once.
const PAGES_MAX: u32 = 8;
/// First byte of saved state.
const FORMAT: u8 = 4;

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
    /// When each ratio is asked for next.
    pub ratio_due: [Option<Ts>; 3],
}

impl Market {
    /// The connection of one of its channels.
    pub(super) fn link_of(&self, channel: Channel) -> LinkId {
        if channel == Channel::Candle { self.candles } else { self.link }
    }
}

/// A wanted connection.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(super) struct Room {
    pub id: LinkId,
    pub business: bool,
    pub markets: u32,
    pub books: u32,
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
    pub rooms: Vec<Room>,
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

pub(super) type Wanted = Vec<(MarketIndex, Channel)>;

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

    pub(super) fn relink(&mut self) {
        let used = self.state.rooms.iter().filter(|r| r.markets > 0);
        self.links = used
            .map(|room| {
                let path = if room.business { "business" } else { "public" };
                let url = format!("{}/ws/v5/{path}", self.config.endpoints.ws);
                Link { id: room.id, url, ping: Some("ping".to_owned()) }
            })
            .collect();
    }

    pub(super) fn rename(&mut self) {
        self.names = Names::default();
        self.indexes.clear();
        for (n, market) in (0_u32..).zip(&self.state.markets) {
            self.names.insert(market.spec.symbol.as_bytes(), MarketIndex(n));
            if market.spec.kind != MarketKind::Spot {
                self.indexes.entry(map::index_of(&market.spec)).or_default().push(MarketIndex(n));
            }
        }
    }

    /// Subscribes (or unsubscribes) on one connection, each argument once, in requests of allowed size.
    pub(super) fn send(&mut self, now: Ts, conn: ConnId, op: &str, wanted: &[(MarketIndex, Channel)], out: &mut Out) {
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
        self.state.desk.revive.opened(now);
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
    pub(super) fn refuse(&mut self, now: Ts, market: MarketIndex, channel: Channel, out: &mut Out) {
        self.state.markets[market.index()].refused |= channel.bit();
        for metric in channel.metrics() {
            self.state.desk.lost(market, *metric, now, GapReason::Refused, out);
        }
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

    /// Subscribes again what does not come, as far as the connection's requests of this hour allow, and replaces connections on
    /// which nothing does, or that have fallen silent. Books see to themselves.
    fn revive(&mut self, now: Ts, out: &mut Out) {
        let links: Vec<LinkId> = self.links.iter().map(|l| l.id).collect();
        for link in links {
            let Some(conn) = self.state.desk.newest(link).filter(|c| self.affords(now, *c)) else { continue };
            let (mut carried, mut again, mut heard) = (Vec::new(), Wanted::new(), Vec::new());
            for (n, market) in (0_u32..).zip(&self.state.markets) {
                for channel in Channel::ALL {
                    let on = market.link_of(channel) == link;
                    if !on || market.channels & !market.refused & channel.bit() == 0 {
                        continue;
                    }
                    let index = MarketIndex(n);
                    heard.push((index, channel.metrics()));
                    if channel == Channel::Book {
                        continue;
                    }
                    carried.push((index, channel.bit()));
                    if self.state.desk.is_to_revive(now, index, channel.bit(), channel.metrics()) {
                        again.push((index, channel));
                    }
                }
            }
            if self.state.desk.is_mute(now, &heard) || self.state.desk.condemns(&carried) {
                out.actions.push(Action::Close { conn, reason: CloseReason::Asked });
                continue;
            }
            // What several markets share goes on for the others meanwhile.
            let alone = |w: &&(MarketIndex, Channel)| !matches!(w.1, Channel::Index | Channel::Liquidation);
            let alone: Wanted = again.iter().filter(alone).copied().collect();
            self.send(now, conn, "unsubscribe", &alone, out);
            self.send(now, conn, "subscribe", &again, out);
        }
    }

    fn tick(&mut self, now: Ts, out: &mut Out) {
        self.state.desk.tracker.tick(now, out);
        self.revive(now, out);
        self.want_ratios(now);
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

    /// A number for a request that is not history.
    pub(super) fn number(&mut self) -> RequestId {
        self.state.desk.request_id()
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
        saved::save(FORMAT, &self.config, &self.state)
    }

    fn restore(&mut self, bytes: &[u8]) -> Result<(), RestoreError> {
        self.state = saved::restore(FORMAT, &self.config, bytes, |state: &State| {
            state.markets.iter().map(|m| &m.spec).collect()
        })?;
        self.rename();
        self.relink();
        Ok(())
    }
}
