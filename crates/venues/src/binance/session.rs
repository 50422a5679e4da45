//! The session of the four markets: who is listened to where, what is scheduled, what is lost with a connection.
//!
//! [`super::plan`] which streams run where, `live` what frames say, [`super::depth`] books, `asks` what is polled and asked for,
//! `backfill` what is fetched afterwards. All that has to survive a restart is in [`State`] and [`Market`].

use super::depth::{BookSync, Phase, scale_of_tick};
use super::flavour::{COINM, Class, Flavour, SPOT_COM, SPOT_US, USDM};
use super::frame::Levels;
use super::history::History;
use super::limits;
use super::plan::{self, Channel, Feed, Route, Tier};
use super::ratios;
use crate::session::kit::Kit;
use crate::session::protocol::{self, Channel as _, Protocol, Rest as _, Terms, Verb};
use crate::session::{
    Action, CloseReason, ConnId, Input, Limits, Link, LinkId, MarketIndex, MarketSpec, Names, OrderBook, Out, Polls,
    RequestId,
};
use barograph_domain::{GapReason, Metric, Span, StatusState, Ts};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, VecDeque};

/// Names per SUBSCRIBE message.
const NAMES_MAX: usize = 200;
/// Unanswered SUBSCRIBE messages that are remembered: 12,800 streams.
const SENT_MAX: usize = 64;
/// A quiet market's book is asked for although nothing was heard, after this long.
const QUIET: Span = Span::secs(3);

/// What a request was for.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(super) enum Purpose {
    Depth(MarketIndex),
    OpenInterest,
    Ratio,
    FundingInfo,
    /// Settlements of one market, or of all.
    Settled(Option<MarketIndex>),
    History,
    /// Whether one market is traded, or all are.
    Status(Option<MarketIndex>),
}

/// An open connection.
#[derive(Clone, Copy, PartialEq, Debug, Serialize, Deserialize)]
pub(super) struct Conn {
    pub(super) id: ConnId,
    pub(super) link: LinkId,
    pub(super) opened: Ts,
    /// Data came over it: only then is it up (sheet §9 line 2).
    pub(super) delivered: bool,
}

/// A SUBSCRIBE message under way.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub(super) struct Sent {
    pub(super) number: u64,
    pub(super) conn: ConnId,
    pub(super) feeds: Vec<Feed>,
}

/// Kind of trade ids a market's stream has.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(super) enum TradeIds {
    Aggregated,
    Single,
}

/// What is remembered of a market.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub(super) struct Market {
    pub(super) spec: MarketSpec,
    pub(super) wanted: bool,
    pub(super) trade_ids: Option<TradeIds>,
    pub(super) trade_last: Option<u64>,
    pub(super) trade_ts: Option<Ts>,
    pub(super) ticker_id: u64,
    pub(super) mark_ts: Option<Ts>,
    pub(super) index_ts: Option<Ts>,
    pub(super) mark: Option<f64>,
    /// Identities of the newest liquidations.
    pub(super) liquidations: VecDeque<u64>,
    /// Close of the newest candle that is known, or was asked for.
    pub(super) bar_ts: Option<Ts>,
    pub(super) open_interest: Option<(Ts, f64)>,
    /// Its amount as the venue counts it.
    pub(super) interest_raw: Option<f64>,
    pub(super) interval_h: f64,
    /// Next settlement by the mark price stream.
    pub(super) next_funding: Option<Ts>,
    /// Newest settlement that was emitted.
    pub(super) settled: Option<Ts>,
    /// A settlement at or after this instant is expected; asked for from `settle_due` on.
    pub(super) settle_from: Option<Ts>,
    pub(super) settle_due: Option<Ts>,
    pub(super) settle_attempts: u32,
    pub(super) book: Option<BookSync>,
    /// Its status was last asked for.
    pub(super) status_at: Option<Ts>,
    /// History was asked for at the first start.
    pub(super) begun: bool,
}

impl Market {
    /// One of which nothing is known yet.
    fn new(spec: MarketSpec, book: Option<BookSync>) -> Self {
        Self {
            wanted: true,
            trade_ids: None,
            trade_last: None,
            trade_ts: None,
            ticker_id: 0,
            mark_ts: None,
            index_ts: None,
            mark: None,
            liquidations: VecDeque::new(),
            bar_ts: None,
            open_interest: None,
            interest_raw: None,
            interval_h: spec.funding_interval_h.unwrap_or(8.0),
            next_funding: None,
            settled: None,
            settle_from: None,
            settle_due: None,
            settle_attempts: 0,
            book,
            status_at: None,
            begun: false,
            spec,
        }
    }
}

impl protocol::Market<Channel> for Market {
    fn symbol(&self) -> &str {
        &self.spec.symbol
    }
}

/// What is saved besides desk and markets.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
pub(super) struct State {
    started: bool,
    pub(super) routes: Vec<Route>,
    /// By their numbers.
    pub(super) conns: Vec<Conn>,
    pub(super) polls: Polls,
    /// Settlements of all markets have been read back to here, while some have none yet.
    pub(super) settled_before: Option<Ts>,
    /// Ratios of accounts and positions, whose budget is another.
    pub(super) ratios: Polls,
    pub(super) history: History,
    /// Requests without an answer yet, and since when.
    pub(super) asked: BTreeMap<RequestId, (Purpose, Ts)>,
    message_last: u64,
    /// Subscriptions that are not answered yet.
    pub(super) sent: Vec<Sent>,
    pub(super) funding_info_due: Option<Ts>,
    /// Statuses are not asked for before.
    pub(super) status_due: Option<Ts>,
    /// The venue refuses this address: nothing is asked before, and then one request finds out.
    pub(super) refused_until: Option<Ts>,
}

/// One of the four markets, and what is not saved.
#[derive(Debug)]
pub(super) struct Binance {
    pub(super) flavour: &'static Flavour,
    pub(super) names: Names,
    /// Levels of the message being read; kept for its memory.
    pub(super) levels: Option<Box<Levels>>,
}

impl Binance {
    /// Before there are markets.
    pub(super) fn new(flavour: &'static Flavour) -> Self {
        Self { flavour, names: Names::default(), levels: None }
    }
}

impl Protocol for Binance {
    const SHOWS_SILENT_BOOKS: bool = true;
    const FORMAT: u8 = 4;
    /// Its history is its own: ranges of trades have ids.
    const PAGES_MAX: u32 = 1;

    type Channel = Channel;
    type Market = Market;
    type State = State;

    fn terms(&self) -> Terms<Channel> {
        let limits: fn() -> Limits = match self.flavour.class {
            Class::UsdM => || limits::limits(&USDM),
            Class::CoinM => || limits::limits(&COINM),
            Class::Spot => || limits::limits(&SPOT_COM),
            Class::Us => || limits::limits(&SPOT_US),
        };
        Terms { id: self.flavour.id, limits, streams: self.flavour.streams }
    }

    fn market(kit: &mut Kit<Self>, spec: MarketSpec) -> Market {
        kit.venue.names.insert(spec.symbol.as_bytes(), MarketIndex::at(kit.markets.len()));
        // Twice the wanted depth: room for levels that come in while the price moves, until a new snapshot.
        let levels = 2 * kit.config.book_depth.max(20);
        let book = kit.has(Metric::Book).then(|| BookSync::new(scale_of_tick(spec.tick), levels));
        Market::new(spec, book)
    }

    fn links(kit: &Kit<Self>) -> Vec<Link> {
        let (base, flavour) = (&kit.config.endpoints.ws, kit.venue.flavour);
        let url = |tier| match tier {
            Tier::Public => format!("{base}{}", flavour.public),
            Tier::Market => format!("{base}{}", flavour.market),
        };
        let used = kit.state.routes.iter().filter(|r| !r.feeds.is_empty());
        used.map(|r| Link { id: r.id, url: url(r.tier), ping: None }).collect()
    }

    fn poll_every(kit: &Kit<Self>) -> Span {
        let wanted = kit.config.every_or(Metric::OpenInterest, kit.config.poll_every);
        limits::poll_interval(kit.venue.flavour, kit.markets.iter().filter(|m| m.wanted).count(), wanted)
    }

    fn carried(kit: &Kit<Self>, link: LinkId) -> usize {
        kit.feeds(link).len()
    }

    fn index(kit: &mut Kit<Self>) {
        kit.venue.names = Names::default();
        for (at, market) in kit.markets.iter().enumerate() {
            kit.venue.names.insert(market.spec.symbol.as_bytes(), MarketIndex::at(at));
        }
    }

    fn begin(kit: &mut Kit<Self>) {
        let polls = Polls::new(kit.config.polls_in_flight_max);
        (kit.state.polls, kit.state.ratios) = (polls.clone(), polls);
        kit.replan();
    }

    fn book<'a>(_: &'a Kit<Self>, market: &'a Market) -> Option<&'a OrderBook> {
        market.book.as_ref()?.book()
    }

    /// The first input says what time it is: everything is scheduled at that moment.
    fn before(kit: &mut Kit<Self>, now: Ts, _: &mut Out) {
        if core::mem::replace(&mut kit.state.started, true) {
            return;
        }
        kit.schedule(now, 0);
        kit.rest_untraded(now, 0);
        if kit.venue.flavour.is_futures() && kit.has(Metric::FundingRate) {
            kit.state.funding_info_due = Some(now);
        }
    }

    fn asks(_: &Input<'_>) -> bool {
        false
    }

    fn opened(kit: &mut Kit<Self>, now: Ts, link: LinkId, conn: ConnId, out: &mut Out) {
        kit.state.conns.push(Conn { id: conn, link, opened: now, delivered: false });
        kit.state.conns.sort_unstable_by_key(|c| c.id);
        kit.desk.revive.opened(now);
        if kit.state.routes.iter().any(|r| r.id == link) {
            let feeds = kit.feeds(link).to_vec();
            kit.send_feeds(conn, Verb::Subscribe, &feeds, out);
        } else {
            out.actions.push(Action::Close { conn, reason: CloseReason::Asked });
        }
    }

    fn closed(kit: &mut Kit<Self>, now: Ts, conn: ConnId, _: CloseReason, out: &mut Out) {
        let Some(at) = kit.state.conns.iter().position(|c| c.id == conn) else { return };
        let gone = kit.state.conns.remove(at);
        kit.state.sent.retain(|s| s.conn != conn);
        if !kit.is_up(gone.link) {
            for feed in kit.feeds(gone.link).to_vec() {
                kit.lose(now, feed, out);
            }
        }
    }

    fn revive(kit: &mut Kit<Self>, now: Ts, out: &mut Out) {
        kit.revive_feeds(now, out);
    }

    fn before_tick(kit: &mut Kit<Self>, now: Ts, out: &mut Out) {
        kit.expire(now, out);
        kit.build_quiet_books(now);
        kit.ask(now, out);
    }

    fn change(kit: &mut Kit<Self>, now: Ts, wanted: &[MarketSpec], out: &mut Out) {
        kit.change_markets(now, wanted, out);
    }

    fn resume(kit: &mut Kit<Self>, _: Ts) {
        kit.state.polls.wake();
        kit.state.ratios.wake();
    }

    fn fetching(kit: &Kit<Self>, market: MarketIndex, of: &dyn Fn(Metric) -> bool) -> bool {
        kit.state.history.wanted(market, of)
    }
}

impl Kit<Binance> {
    pub(super) fn has(&self, metric: Metric) -> bool {
        self.config.metrics.contains(&metric)
    }

    pub(super) fn spec(&self, market: MarketIndex) -> Option<&MarketSpec> {
        self.markets.get(market.index()).map(|m| &m.spec)
    }

    /// This market, or all.
    pub(super) fn each(&self, of: Option<MarketIndex>) -> impl Iterator<Item = MarketIndex> + use<> {
        let all = 0..self.markets.len();
        of.map_or(all, |m| m.index()..m.index() + 1).map(MarketIndex::at)
    }

    /// What runs over a link.
    fn feeds(&self, link: LinkId) -> &[Feed] {
        self.state.routes.iter().find(|r| r.id == link).map_or(&[], |r| &r.feeds)
    }

    /// Have data come over a connection of this link?
    fn is_up(&self, link: LinkId) -> bool {
        self.state.conns.iter().any(|c| c.link == link && c.delivered)
    }

    /// Schedules what is polled for the streams from this position on.
    pub(super) fn schedule(&mut self, now: Ts, from: usize) {
        let poll_every = Binance::poll_every(self);
        for at in from..self.desk.streams.len() {
            let stream = self.desk.streams[at].clone();
            if !stream.offered {
                continue;
            }
            // Spread over the interval, so that they do not come in bursts.
            let markets = i64::try_from(self.markets.len().max(1)).unwrap_or(i64::MAX);
            let offset = Span(poll_every.0 / markets * i64::from(stream.market.0).rem_euclid(markets));
            match stream.metric {
                Metric::OpenInterest => {
                    let volume = self.spec(stream.market).and_then(|s| s.volume_24h_quote);
                    self.state.polls.add(stream.market, stream.metric, poll_every, volume, now + offset);
                }
                Metric::FundingRateSettled => {
                    if let Some(market) = self.markets.get_mut(stream.market.index()) {
                        market.settle_due = Some(now);
                    }
                }
                metric if ratios::path(metric).is_some() => self.poll_ratio(now, &stream),
                _ => {}
            }
        }
    }

    /// Compares wanted and placed feeds; says what changes on which link.
    pub(super) fn replan(&mut self) -> Vec<plan::Change> {
        let wanted = plan::wanted(self.venue.flavour, &self.config, &self.markets);
        let changes = plan::place(self.venue.flavour, &mut self.state.routes, &wanted);
        self.relink();
        changes
    }

    pub(super) fn send_feeds(&mut self, conn: ConnId, verb: Verb, feeds: &[Feed], out: &mut Out) {
        for batch in feeds.chunks(NAMES_MAX) {
            self.state.message_last += 1;
            if verb == Verb::Subscribe {
                self.state.sent.push(Sent { number: self.state.message_last, conn, feeds: batch.to_vec() });
                // Answers come in the order of the messages: what is this old will not be answered.
                if self.state.sent.len() > SENT_MAX {
                    self.state.sent.remove(0);
                }
            }
            let names: Vec<String> = batch.iter().map(|f| plan::name(*f, &self.markets)).collect();
            let (method, id) = (verb.word().to_ascii_uppercase(), self.state.message_last);
            let text = serde_json::json!({ "method": method, "params": names, "id": id }).to_string();
            out.actions.push(Action::Send { conn, text });
        }
    }

    /// A feed is gone: with its last connection, or because it is not wanted any more.
    pub(super) fn lose(&mut self, now: Ts, feed: Feed, out: &mut Out) {
        for market in self.each(feed.market) {
            if self.is_carried(market, feed.channel) {
                continue;
            }
            for metric in feed.channel.metrics() {
                self.desk.tracker.lost(market, *metric, now, StatusState::Gap, GapReason::Disconnected, out);
            }
            let Some(m) = self.markets.get_mut(market.index()) else { continue };
            match feed.channel {
                Channel::Depth => {
                    if let Some(book) = &mut m.book {
                        book.disconnected();
                    }
                }
                // Its ids are compared only between instances of one connection.
                Channel::BookTicker => m.ticker_id = 0,
                _ => {}
            }
        }
    }

    /// Does the other form of this feed bring the same of a wanted market over a connection that is up? Going from one form to
    /// the other loses nothing then.
    fn is_carried(&self, market: MarketIndex, channel: Channel) -> bool {
        let Some(other) = channel.other_form() else { return false };
        let brings = |f: &Feed| f.channel == other && f.market.is_none_or(|m| m == market);
        self.markets.get(market.index()).is_some_and(|m| m.wanted)
            && self.state.routes.iter().any(|r| self.is_up(r.id) && r.feeds.iter().any(brings))
    }

    /// Data came over this connection for the first time: what may be silent on it is live too.
    pub(super) fn delivered(&mut self, now: Ts, conn: ConnId, out: &mut Out) {
        let Ok(at) = self.state.conns.binary_search_by_key(&conn, |c| c.id) else { return };
        if core::mem::replace(&mut self.state.conns[at].delivered, true) {
            return;
        }
        for feed in self.feeds(self.state.conns[at].link).to_vec() {
            for metric in feed.channel.metrics() {
                let quiet = if self.is_quiet(*metric) { self.markets_of(feed) } else { Vec::new() };
                for market in quiet {
                    self.desk.tracker.found(market, *metric, now, out);
                }
            }
        }
    }

    fn build_quiet_books(&mut self, now: Ts) {
        let up = |c: &&Conn| c.delivered && now - c.opened >= QUIET;
        let open: Vec<LinkId> = self.state.conns.iter().filter(up).map(|c| c.link).collect();
        for route in self.state.routes.iter().filter(|r| open.contains(&r.id)) {
            for feed in route.feeds.iter().filter(|f| f.channel == Channel::Depth) {
                let market = feed.market.and_then(|m| self.markets.get_mut(m.index()));
                if let Some(book) = market.and_then(|m| m.book.as_mut()).filter(|b| b.phase == Phase::Waiting) {
                    book.build_anyway(now);
                }
            }
        }
    }
}

/// COIN-M counts contracts; everything else base units.
pub(super) fn base_quantity(class: Class, spec: &MarketSpec, qty: f64, price: f64) -> f64 {
    if class != Class::CoinM {
        return qty;
    }
    contract_size(spec) * qty / price
}

/// USD in one contract of COIN-M.
pub(super) fn contract_size(spec: &MarketSpec) -> f64 {
    spec.contract_size.unwrap_or_else(|| f64::from(crate::symbols::coin_m_contract_size(&spec.symbol)))
}
