//! The Bybit session: which connections are wanted, what is subscribed on them, and what happens when they open, close,
//! confirm, refuse or stay silent. Data messages are read in [`super::feed`], answers to requests in [`super::replies`].

use super::books::Sync;
use super::map::Category;
use super::ticker::Merged;
use super::topics::{self, Channel};
use super::{limits, symbols};
use crate::session::{
    Action, Book, CloseReason, ConnId, Continuity, Desk, Ids, Input, LagMeter, Limits, Link, LinkId, MarketIndex,
    MarketSpec, Minutes, Names, Out, RestoreError, Said, Session, SessionConfig, StreamSpec, Tracker, saved,
};
use barograph_domain::{GapReason, Metric, StatusState, Ts};
use serde::{Deserialize, Serialize};

/// History pages under way at once.
const PAGES_MAX: u32 = 8;
/// First byte of saved state.
const FORMAT: u8 = 3;

/// A market and all that is known of it.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub(super) struct Market {
    pub spec: MarketSpec,
    pub category: Category,
    pub link: LinkId,
    /// Channels wanted; none once the market is not.
    pub channels: u16,
    /// Channels the venue refused.
    pub refused: u16,
    pub book: Sync,
    pub ticker: Merged,
    pub trades: Ids,
    pub liquidations: Ids,
    pub bars: Minutes,
    /// Beginning of the minute that is open.
    pub minute: Option<Ts>,
    /// Last update id of `orderbook.1`.
    pub top_u: u64,
    pub said_top: Said,
    pub said_book: Option<Ts>,
    pub said_mark: Said,
    pub said_index: Said,
    pub said_funding: Said,
    pub said_interest: Said,
    /// The settlement that is awaited.
    pub next_settlement: Option<Ts>,
    /// Its ratio is asked for next.
    pub ratio_due: Option<Ts>,
    /// Newest settlements said.
    pub settled: Ids,
}

/// A wanted connection.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(super) struct Room {
    pub id: LinkId,
    pub category: Category,
    /// Characters of its topics.
    pub characters: usize,
}

/// A subscription that is not confirmed yet.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
struct Pending {
    number: u64,
    conn: ConnId,
    topics: Vec<(MarketIndex, Channel)>,
}

/// Everything that is saved.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub(super) struct State {
    pub desk: Desk,
    pub markets: Vec<Market>,
    pub rooms: Vec<Room>,
    pending: Vec<Pending>,
    subscriptions: u64,
}

/// See the module.
#[derive(Debug)]
pub struct Bybit {
    pub(super) config: SessionConfig,
    limits: Limits,
    pub(super) depth: usize,
    pub(super) state: State,
    /// By category: symbols to markets.
    pub(super) names: [Names; 3],
    links: Vec<Link>,
}

impl Bybit {
    /// A session that has seen nothing.
    #[must_use]
    pub fn new(config: SessionConfig) -> Self {
        let desk = Desk::new(config.backfill, PAGES_MAX);
        let state = State { desk, markets: Vec::new(), rooms: Vec::new(), pending: Vec::new(), subscriptions: 0 };
        let depth = topics::depth(config.book_depth);
        let markets = config.markets.clone();
        let (limits, names) = (limits::limits(), Default::default());
        let mut session = Self { config, limits, depth, state, names, links: Vec::new() };
        for spec in markets {
            session.add(spec);
        }
        session.relink();
        session
    }

    pub(super) fn relink(&mut self) {
        let used = self.state.rooms.iter().filter(|r| r.characters > 0);
        self.links = used
            .map(|room| Link {
                id: room.id,
                url: format!("{}/v5/public/{}", self.config.endpoints.ws, room.category.word()),
                ping: Some("{\"op\":\"ping\"}".to_owned()),
            })
            .collect();
    }

    fn rename(&mut self) {
        self.names = Default::default();
        for (n, market) in (0_u32..).zip(&self.state.markets) {
            self.names[market.category as usize].insert(market.spec.symbol.as_bytes(), MarketIndex(n));
        }
    }

    /// Subscribes (or unsubscribes) channels of markets on one connection, in requests of allowed size.
    pub(super) fn send(&mut self, conn: ConnId, op: &str, wanted: &[(MarketIndex, Channel)], out: &mut Out) {
        let Some((first, _)) = wanted.first() else { return };
        let size = topics::batch(self.state.markets[first.index()].category);
        for part in wanted.chunks(size) {
            self.state.subscriptions += 1;
            let number = self.state.subscriptions;
            let texts: Vec<String> =
                part.iter().map(|(m, c)| c.topic(&self.state.markets[m.index()].spec.symbol, self.depth)).collect();
            out.actions.push(Action::Send { conn, text: topics::request(op, number, &texts) });
            if op == "subscribe" {
                self.state.pending.push(Pending { number, conn, topics: part.to_vec() });
            }
        }
    }

    /// A new connection: everything of its link is subscribed.
    fn opened(&mut self, now: Ts, link: LinkId, conn: ConnId, out: &mut Out) {
        self.state.desk.open(conn, link);
        self.state.desk.revive.opened(now);
        let mut wanted = Vec::new();
        for (n, market) in (0_u32..).zip(&mut self.state.markets) {
            if market.link != link {
                continue;
            }
            for channel in Channel::ALL {
                if market.channels & !market.refused & channel.bit() != 0 {
                    wanted.push((MarketIndex(n), channel));
                }
            }
            if market.channels & Channel::Book.bit() != 0 && !market.book.live {
                market.book.asked(now);
            }
        }
        self.send(conn, "subscribe", &wanted, out);
    }

    fn closed(&mut self, now: Ts, conn: ConnId, reason: CloseReason, out: &mut Out) {
        self.state.pending.retain(|p| p.conn != conn);
        let Some(gone) = self.state.desk.close(conn) else { return };
        let why = if reason == CloseReason::Stopping { GapReason::NotRunning } else { GapReason::Disconnected };
        for (n, market) in (0_u32..).zip(&mut self.state.markets) {
            let index = MarketIndex(n);
            if market.link != gone.link {
                continue;
            }
            // Settlements come over no connection; only while the program does not run they are missed.
            if reason == CloseReason::Stopping && market.channels != 0 {
                self.state.desk.lost(index, Metric::FundingRateSettled, now, why, out);
            }
            for channel in Channel::ALL {
                let bit = channel.bit();
                if market.channels & bit == 0 {
                    continue;
                }
                let other = self.state.desk.conns.iter().rev().find(|c| c.covers(index, bit)).map(|c| c.id);
                if channel == Channel::Book {
                    market.book.closed(conn, other);
                }
                if other.is_some() {
                    continue;
                }
                if channel == Channel::Ticker {
                    market.ticker = Merged::default();
                }
                for metric in channel.metrics() {
                    self.state.desk.lost(index, *metric, now, why, out);
                }
            }
        }
    }

    /// A request was confirmed or refused.
    pub(super) fn acknowledged(
        &mut self,
        now: Ts,
        conn: ConnId,
        number: &str,
        success: bool,
        why: &str,
        out: &mut Out,
    ) {
        let mine = |p: &Pending| p.conn == conn && number.parse() == Ok(p.number);
        let Some(at) = self.state.pending.iter().position(mine) else {
            if !success {
                out.fault("error_reply", None, "the venue refused a request", why.as_bytes());
            }
            return;
        };
        let pending = self.state.pending.swap_remove(at);
        if success {
            for (market, channel) in pending.topics {
                self.covers(now, conn, market, channel, out);
            }
            return;
        }
        out.fault("subscription_refused", None, "the venue refused a subscription", why.as_bytes());
        match pending.topics.as_slice() {
            [] => {}
            // The one it does not have.
            [(market, channel)] => {
                let (market, channel) = (*market, *channel);
                self.state.markets[market.index()].refused |= channel.bit();
                for metric in channel.metrics() {
                    self.state.desk.lost(market, *metric, now, GapReason::Refused, out);
                }
            }
            // One bad topic takes its whole request down: halve it until the bad one stands alone.
            many => {
                let (a, b) = many.split_at(many.len() / 2);
                self.send(conn, "subscribe", a, out);
                self.send(conn, "subscribe", b, out);
            }
        }
    }

    /// The connection delivers this channel from now on; streams that may be silent are healthy with that.
    pub(super) fn covers(&mut self, now: Ts, conn: ConnId, market: MarketIndex, channel: Channel, out: &mut Out) {
        if self.state.desk.cover(conn, market, channel.bit()) {
            match channel {
                Channel::Trade => self.state.desk.found(market, Metric::Trade, now, out),
                Channel::Liquidation => self.state.desk.found(market, Metric::Liquidation, now, out),
                Channel::Book | Channel::Ticker | Channel::Kline | Channel::Top => {}
            }
        }
    }

    /// Builds one book anew: its topic is subscribed again, which begins with a snapshot.
    pub(super) fn resubscribe(&mut self, now: Ts, market: MarketIndex, out: &mut Out) {
        let link = self.state.markets[market.index()].link;
        self.state.markets[market.index()].book.asked(now);
        if let Some(conn) = self.state.desk.newest(link) {
            self.send(conn, "unsubscribe", &[(market, Channel::Book)], out);
            self.send(conn, "subscribe", &[(market, Channel::Book)], out);
        }
    }

    /// Subscribes again what does not come, and replaces connections on which nothing does, or that have fallen silent. Books see
    /// to themselves.
    fn revive(&mut self, now: Ts, out: &mut Out) {
        let links: Vec<LinkId> = self.links.iter().map(|l| l.id).collect();
        for link in links {
            let Some(conn) = self.state.desk.newest(link) else { continue };
            let (mut carried, mut again, mut heard) = (Vec::new(), Vec::new(), Vec::new());
            for (n, market) in (0_u32..).zip(&self.state.markets).filter(|(_, m)| m.link == link) {
                for channel in Channel::ALL {
                    if market.channels & !market.refused & channel.bit() == 0 {
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
            for pending in self.state.pending.iter_mut().filter(|p| p.conn == conn) {
                pending.topics.retain(|topic| !again.contains(topic));
            }
            self.state.pending.retain(|p| !p.topics.is_empty());
            self.send(conn, "unsubscribe", &again, out);
            self.send(conn, "subscribe", &again, out);
        }
    }

    fn tick(&mut self, now: Ts, out: &mut Out) {
        self.state.desk.tracker.tick(now, out);
        self.revive(now, out);
        self.want_ratios(now);
        for n in 0..self.state.markets.len() {
            if self.state.markets[n].book.overdue(now) {
                self.state.markets[n].book.late();
                self.resubscribe(now, MarketIndex(u32::try_from(n).unwrap_or(u32::MAX)), out);
            }
        }
        while let Some(job) = self.state.desk.history.tick(now) {
            self.given_up(now, &job, out);
        }
    }
}

impl Session for Bybit {
    fn venue(&self) -> &'static str {
        "bybit"
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
        let here = self.state.markets.iter().filter(|m| m.link == link);
        here.map(|m| (m.channels & !m.refused).count_ones() as usize).sum()
    }

    fn streams(&self) -> &[StreamSpec] {
        &self.state.desk.streams
    }

    fn book(&self, market: MarketIndex) -> Option<&Book> {
        let trusted = |c: &Continuity| c.state == StatusState::Live;
        let market_state = self.state.markets.get(market.index()).filter(|m| m.book.live)?;
        self.state.desk.tracker.get(market, Metric::Book).is_some_and(trusted).then_some(&market_state.book.book)
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
