//! The session of the four markets: what goes in is taken apart here and handed to the room it concerns.
//!
//! [`super::plan`] which streams run where, `live` what frames say, [`super::depth`] books, `asks` what is polled and asked for,
//! `backfill` what is fetched afterwards. All that has to survive a restart is in [`State`].

use super::depth::{BookSync, Phase, scale_of_tick};
use super::flavour::{Class, Flavour};
use super::frame::Levels;
use super::history::History;
use super::limits;
use super::plan::{self, Feed, Route, Tier};
use crate::policy;
use crate::session::{
    Action, Book, CloseReason, ConnId, FailReason, Input, LagMeter, Limits, Link, LinkId, MarketIndex, MarketSpec,
    Names, Out, Polls, RequestId, RestoreError, Revive, Session, SessionConfig, StreamSpec, Tracker,
};
use barograph_domain::{GapReason, Kind, Metric, Span, StatusState, Ts};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, VecDeque};

/// Names per SUBSCRIBE message.
const NAMES_MAX: usize = 200;
/// Unanswered SUBSCRIBE messages that are remembered: 12,800 streams.
const SENT_MAX: usize = 64;
/// A quiet market's book is asked for although nothing was heard, after this long.
const QUIET: Span = Span::secs(3);
/// Saved state of another layout is not read.
const FORMAT: u32 = 3;

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
    /// Data came over it: only then is it up (sheet §9.2).
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

/// All that a restart has to find again.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub(super) struct State {
    pub(super) started: bool,
    pub(super) specs: Vec<MarketSpec>,
    pub(super) markets: Vec<Market>,
    pub(super) streams: Vec<StreamSpec>,
    pub(super) tracker: Tracker,
    pub(super) routes: Vec<Route>,
    pub(super) conns: Vec<Conn>,
    pub(super) polls: Polls,
    /// Settlements of all markets have been read back to here, while some have none yet.
    pub(super) settled_before: Option<Ts>,
    /// Ratios of accounts and positions, whose budget is another.
    pub(super) ratios: Polls,
    pub(super) history: History,
    /// Requests without an answer yet, and since when.
    pub(super) asked: BTreeMap<RequestId, (Purpose, Ts)>,
    pub(super) request_last: u64,
    pub(super) message_last: u64,
    /// Subscriptions that are not answered yet.
    pub(super) sent: Vec<Sent>,
    pub(super) revive: Revive,
    pub(super) funding_info_due: Option<Ts>,
    /// Statuses are not asked for before.
    pub(super) status_due: Option<Ts>,
    /// The venue refuses this address: nothing is asked before, and then one request finds out.
    pub(super) refused_until: Option<Ts>,
    pub(super) lag: LagMeter,
}

/// A session of one of the four markets.
#[derive(Debug)]
pub(super) struct BinanceSession {
    pub(super) flavour: &'static Flavour,
    pub(super) config: SessionConfig,
    limits: Limits,
    links: Vec<Link>,
    pub(super) names: Names,
    /// Levels of the message being read; kept for its memory.
    pub(super) levels: Option<Box<Levels>>,
    pub(super) state: State,
}

impl BinanceSession {
    pub(super) fn new(flavour: &'static Flavour, config: SessionConfig) -> Self {
        let state = State {
            started: false,
            specs: Vec::new(),
            markets: Vec::new(),
            streams: Vec::new(),
            tracker: Tracker::default(),
            routes: Vec::new(),
            conns: Vec::new(),
            polls: Polls::new(config.polls_in_flight_max),
            settled_before: None,
            ratios: Polls::new(config.polls_in_flight_max),
            history: History::default(),
            asked: BTreeMap::new(),
            request_last: 0,
            message_last: 0,
            sent: Vec::new(),
            revive: Revive::default(),
            funding_info_due: None,
            status_due: None,
            refused_until: None,
            lag: LagMeter::default(),
        };
        let limits = limits::limits(flavour);
        let mut session =
            Self { flavour, config, limits, links: Vec::new(), names: Names::default(), levels: None, state };
        let markets = session.config.markets.clone();
        for spec in markets {
            session.add_market(spec);
        }
        session.replan();
        session
    }

    pub(super) fn has(&self, metric: Metric) -> bool {
        self.config.metrics.contains(&metric)
    }

    pub(super) fn spec(&self, market: MarketIndex) -> Option<&MarketSpec> {
        self.state.specs.get(market.index())
    }

    pub(super) fn poll_every(&self) -> Span {
        limits::poll_interval(
            self.flavour,
            self.state.markets.iter().filter(|m| m.wanted).count(),
            self.config.every_or(Metric::OpenInterest, self.config.poll_every),
        )
    }

    pub(super) fn add_market(&mut self, spec: MarketSpec) -> MarketIndex {
        let market = MarketIndex(u32::try_from(self.state.specs.len()).unwrap_or(u32::MAX));
        self.names.insert(spec.symbol.as_bytes(), market);
        for metric in Metric::ALL.into_iter().filter(|m| self.config.metrics.contains(m)) {
            self.state.streams.push(self.stream(market, metric, &spec));
        }
        // Twice the wanted depth: room for levels that come in while the price moves, until a new snapshot.
        let with_book = self.has(Metric::Book) && self.flavour.offers(Metric::Book, spec.kind);
        let book = with_book.then(|| BookSync::new(scale_of_tick(spec.tick), 2 * self.config.book_depth.max(20)));
        self.state.markets.push(Market {
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
        });
        self.state.specs.push(spec);
        market
    }

    fn stream(&self, market: MarketIndex, metric: Metric, spec: &MarketSpec) -> StreamSpec {
        let (cadence, delay) = match metric {
            Metric::Bar => (Span::mins(1), policy::archive_delay(metric)),
            Metric::OpenInterest => (self.poll_every(), Span::secs(2)),
            Metric::FundingRateSettled => (policy::FUNDING_INTERVAL, policy::archive_delay(metric)),
            _ if super::ratios::path(metric).is_some() => (super::ratios::PERIOD, policy::archive_delay(metric)),
            _ => (policy::STREAM_CADENCE, Span::secs(1)),
        };
        StreamSpec {
            market,
            metric,
            offered: self.flavour.offers(metric, spec.kind),
            // One order per symbol and second is shown, since 2026-04-14 the largest, before the latest.
            kind: if metric == Metric::Liquidation { Kind::Sampled } else { Kind::Measured },
            cadence,
            delay,
            filled: !matches!(metric, Metric::Bar | Metric::FundingRateSettled),
        }
    }

    /// The first input says what time it is: everything is declared at that moment.
    fn start(&mut self, now: Ts, out: &mut Out) {
        self.state.started = true;
        self.declare(now, 0, out);
        self.rest_untraded(now, 0);
        if self.flavour.is_futures() && self.has(Metric::FundingRate) {
            self.state.funding_info_due = Some(now);
        }
    }

    /// Declares the streams from this position on, and schedules what is polled for them.
    pub(super) fn declare(&mut self, now: Ts, from: usize, out: &mut Out) {
        let poll_every = self.poll_every();
        for at in from..self.state.streams.len() {
            let stream = self.state.streams[at].clone();
            let silence = self.flavour.silence(stream.metric, poll_every);
            self.state.tracker.declare(now, &stream, silence, out);
            if !stream.offered {
                continue;
            }
            // Spread over the interval, so that they do not come in bursts.
            let markets = i64::try_from(self.state.markets.len().max(1)).unwrap_or(i64::MAX);
            let offset = Span(poll_every.0 / markets * i64::from(stream.market.0).rem_euclid(markets));
            match stream.metric {
                Metric::OpenInterest => {
                    let volume = self.spec(stream.market).and_then(|s| s.volume_24h_quote);
                    self.state.polls.add(stream.market, stream.metric, poll_every, volume, now + offset);
                }
                Metric::FundingRateSettled => {
                    if let Some(market) = self.state.markets.get_mut(stream.market.index()) {
                        market.settle_due = Some(now);
                    }
                }
                metric if super::ratios::path(metric).is_some() => self.poll_ratio(now, &stream),
                _ => {}
            }
        }
    }

    /// Compares wanted and placed feeds, tells open connections, and rewrites the links.
    pub(super) fn replan(&mut self) -> Vec<plan::Change> {
        let markets = &self.state.markets;
        let is_wanted = |at: usize| markets.get(at).is_some_and(|m: &Market| m.wanted);
        let wanted = plan::wanted(self.flavour, &self.config.metrics, &self.state.specs, is_wanted);
        let changes = plan::place(self.flavour, &mut self.state.routes, &wanted);
        self.relink();
        changes
    }

    fn relink(&mut self) {
        let base = &self.config.endpoints.ws;
        let url = |tier| match tier {
            Tier::Public => format!("{base}{}", self.flavour.public),
            Tier::Market => format!("{base}{}", self.flavour.market),
        };
        let used = self.state.routes.iter().filter(|r| !r.feeds.is_empty());
        self.links = used.map(|r| Link { id: r.id, url: url(r.tier), ping: None }).collect();
    }

    pub(super) fn send(&mut self, conn: ConnId, method: &str, feeds: &[Feed], out: &mut Out) {
        for batch in feeds.chunks(NAMES_MAX) {
            self.state.message_last += 1;
            if method == "SUBSCRIBE" {
                self.state.sent.push(Sent { number: self.state.message_last, conn, feeds: batch.to_vec() });
                // Answers come in the order of the messages: what is this old will not be answered.
                if self.state.sent.len() > SENT_MAX {
                    self.state.sent.remove(0);
                }
            }
            let names: Vec<String> = batch.iter().map(|f| plan::name(*f, &self.state.specs)).collect();
            let text =
                serde_json::json!({ "method": method, "params": names, "id": self.state.message_last }).to_string();
            out.actions.push(Action::Send { conn, text });
        }
    }

    fn opened(&mut self, now: Ts, link: LinkId, conn: ConnId, out: &mut Out) {
        self.state.conns.push(Conn { id: conn, link, opened: now, delivered: false });
        self.state.conns.sort_unstable_by_key(|c| c.id);
        self.state.revive.opened(now);
        let feeds = self.state.routes.iter().find(|r| r.id == link).map(|r| r.feeds.clone());
        match feeds {
            Some(feeds) => self.send(conn, "SUBSCRIBE", &feeds, out),
            None => out.actions.push(Action::Close { conn, reason: CloseReason::Asked }),
        }
    }

    fn closed(&mut self, now: Ts, conn: ConnId, out: &mut Out) {
        let Some(at) = self.state.conns.iter().position(|c| c.id == conn) else { return };
        let gone = self.state.conns.remove(at);
        self.state.sent.retain(|s| s.conn != conn);
        if self.state.conns.iter().any(|c| c.link == gone.link && c.delivered) {
            return;
        }
        let feeds = self.state.routes.iter().find(|r| r.id == gone.link).map(|r| r.feeds.clone());
        for feed in feeds.unwrap_or_default() {
            self.lose(now, feed, out);
        }
    }

    /// A feed is gone: with its last connection, or because it is not wanted any more.
    pub(super) fn lose(&mut self, now: Ts, feed: Feed, out: &mut Out) {
        let all = 0..u32::try_from(self.state.markets.len()).unwrap_or(u32::MAX);
        let range = feed.market.map_or(all, |m| m.0..m.0 + 1);
        for market in range.map(MarketIndex) {
            if self.is_carried(market, feed.channel) {
                continue;
            }
            for metric in feed.channel.metrics() {
                self.state.tracker.lost(market, *metric, now, StatusState::Gap, GapReason::Disconnected, out);
            }
            let Some(m) = self.state.markets.get_mut(market.index()) else { continue };
            match feed.channel {
                plan::Channel::Depth => {
                    if let Some(book) = &mut m.book {
                        book.disconnected();
                    }
                }
                // Its ids are compared only between instances of one connection.
                plan::Channel::BookTicker => m.ticker_id = 0,
                _ => {}
            }
        }
    }

    /// Does the other form of this feed bring the same of a wanted market over a connection that is up? Going from one form to
    /// the other loses nothing then.
    fn is_carried(&self, market: MarketIndex, channel: plan::Channel) -> bool {
        let Some(other) = channel.other_form() else { return false };
        let brings = |f: &Feed| f.channel == other && f.market.is_none_or(|m| m == market);
        let is_up = |link: LinkId| self.state.conns.iter().any(|c| c.link == link && c.delivered);
        self.state.markets.get(market.index()).is_some_and(|m| m.wanted)
            && self.state.routes.iter().any(|r| is_up(r.id) && r.feeds.iter().any(brings))
    }

    /// Data came over this connection for the first time: what may be silent on it is live too.
    pub(super) fn delivered(&mut self, now: Ts, conn: ConnId, out: &mut Out) {
        let Ok(at) = self.state.conns.binary_search_by_key(&conn, |c| c.id) else { return };
        if core::mem::replace(&mut self.state.conns[at].delivered, true) {
            return;
        }
        let link = self.state.conns[at].link;
        let feeds = self.state.routes.iter().find(|r| r.id == link).map(|r| r.feeds.clone()).unwrap_or_default();
        for feed in feeds {
            for metric in feed.channel.metrics() {
                let quiet = *metric != Metric::Book && self.flavour.silence(*metric, Span::ZERO).is_none();
                if !quiet {
                    continue;
                }
                let all = 0..u32::try_from(self.state.markets.len()).unwrap_or(u32::MAX);
                for market in feed.market.map_or(all, |m| m.0..m.0 + 1).map(MarketIndex) {
                    if self.state.markets.get(market.index()).is_some_and(|m| m.wanted) {
                        self.state.tracker.found(market, *metric, now, out);
                    }
                }
            }
        }
    }

    fn tick(&mut self, now: Ts, out: &mut Out) {
        self.expire(now, out);
        self.build_quiet_books(now);
        for at in 0..self.state.markets.len() {
            self.ask_depth(now, MarketIndex(u32::try_from(at).unwrap_or(u32::MAX)), out);
        }
        self.ask_polls(now, out);
        self.ask_ratios(now, out);
        self.ask_settled(now, out);
        self.ask_funding_info(now, out);
        self.ask_status(now, out);
        self.ask_history(now, out);
        self.state.tracker.tick(now, out);
        self.revive(now, out);
    }

    fn build_quiet_books(&mut self, now: Ts) {
        let up = |c: &&Conn| c.delivered && now - c.opened >= QUIET;
        let open: Vec<LinkId> = self.state.conns.iter().filter(up).map(|c| c.link).collect();
        for route in self.state.routes.iter().filter(|r| open.contains(&r.id)) {
            for feed in route.feeds.iter().filter(|f| f.channel == plan::Channel::Depth) {
                let market = feed.market.and_then(|m| self.state.markets.get_mut(m.index()));
                if let Some(book) = market.and_then(|m| m.book.as_mut()).filter(|b| b.phase == Phase::Waiting) {
                    book.build_anyway(now);
                }
            }
        }
    }

    /// The configuration a saved state has to have been made with.
    fn fingerprint(&self) -> (u32, &'static str, Vec<String>, usize) {
        let metrics = self.config.metrics.iter().map(|m| m.name().to_owned()).collect();
        (FORMAT, self.flavour.id, metrics, self.config.book_depth)
    }
}

impl Session for BinanceSession {
    fn venue(&self) -> &'static str {
        self.flavour.id
    }

    fn limits(&self) -> &Limits {
        &self.limits
    }

    fn input(&mut self, now: Ts, input: &Input<'_>, out: &mut Out) {
        if !self.state.started {
            self.start(now, out);
        }
        match input {
            Input::Opened { link, conn } => self.opened(now, *link, *conn, out),
            Input::Closed { conn, .. } => self.closed(now, *conn, out),
            Input::Frame { conn, bytes } => self.frame(now, *conn, bytes, out),
            Input::Reply { request, status, body } => self.reply(now, *request, *status, body, out),
            Input::Failed { request, reason: FailReason::Forbidden } => self.forbidden(now, *request, out),
            Input::Failed { request, .. } => self.failed(now, *request, "no answer", &[], out),
            Input::Tick => self.tick(now, out),
            Input::Markets(markets) => self.change_markets(now, markets, out),
        }
    }

    fn resume(&mut self, _now: Ts) {
        self.state.polls.wake();
        self.state.ratios.wake();
    }

    fn fetching(&self, market: MarketIndex, of: &dyn Fn(Metric) -> bool) -> bool {
        self.state.history.wanted(market, of)
    }

    fn links(&self) -> &[Link] {
        &self.links
    }

    fn carried(&self, link: LinkId) -> usize {
        self.state.routes.iter().filter(|r| r.id == link).map(|r| r.feeds.len()).sum()
    }

    fn streams(&self) -> &[StreamSpec] {
        &self.state.streams
    }

    fn book(&self, market: MarketIndex) -> Option<&Book> {
        self.state.markets.get(market.index())?.book.as_ref()?.book()
    }

    fn continuity(&self) -> &Tracker {
        &self.state.tracker
    }

    fn lag(&self) -> Option<&LagMeter> {
        Some(&self.state.lag)
    }

    fn save(&self) -> Vec<u8> {
        postcard::to_allocvec(&(self.fingerprint(), &self.state)).unwrap_or_default()
    }

    fn restore(&mut self, bytes: &[u8]) -> Result<(), RestoreError> {
        type Print = (u32, String, Vec<String>, usize);
        let ((format, id, metrics, depth), rest): (Print, _) =
            postcard::take_from_bytes(bytes).map_err(|_e| RestoreError)?;
        let ours = self.fingerprint();
        if (format, &*id, &metrics, depth) != (ours.0, ours.1, &ours.2, ours.3) {
            return Err(RestoreError);
        }
        let state: State = postcard::from_bytes(rest).map_err(|_e| RestoreError)?;
        let fits = self.config.markets.len() <= state.specs.len()
            && self.config.markets.iter().zip(&state.specs).all(|(ours, saved)| ours.symbol == saved.symbol);
        if !fits {
            return Err(RestoreError);
        }
        self.names = Names::default();
        for (at, spec) in (0_u32..).zip(&state.specs) {
            self.names.insert(spec.symbol.as_bytes(), MarketIndex(at));
        }
        self.state = state;
        self.relink();
        Ok(())
    }
}

/// A session of this market, for [`super::venue`].
pub(super) fn open(flavour: &'static Flavour, config: SessionConfig) -> Box<dyn Session> {
    Box::new(BinanceSession::new(flavour, config))
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
