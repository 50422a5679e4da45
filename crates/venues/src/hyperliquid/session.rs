//! The machine: links, subscriptions, what comes and goes with connections, what is due with time.

use super::limits::{self, ACK_WAIT, PER_LINK, SUBSCRIPTIONS_MAX};
use super::map::Trade;
use super::market::{self, BOOK, CHANNELS, CONTEXT, Market};
use crate::session::{
    Action, Book, CloseReason, ConnId, Desk, FailReason, Input, LagMeter, Limits, Link, LinkId, MarketIndex,
    MarketSpec, Names, Out, RequestId, RestoreError, Session, SessionConfig, StreamSpec, Tracker,
};
use barograph_domain::{GapReason, Kind, Metric, Span, StatusState, Ts};
use serde::{Deserialize, Serialize};

/// First byte of saved state.
const FORMAT: u8 = 3;
/// History pages under way at once.
const PAGES_MAX: u32 = 2;
/// A busy quote that does not move for this long is stale.
const QUOTE_SILENCE: Span = Span::secs(10);
/// A book that does not come for this long is subscribed again, this often at most.
const REFRESH_AFTER: Span = Span::mins(1);
const REFRESH_EVERY: Span = Span::mins(5);
/// Contexts come with every change, and by poll every minute: three of those may fail.
const CONTEXT_SILENCE: Span = Span::mins(3);

/// Everything that is saved.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub(super) struct State {
    pub(super) desk: Desk,
    pub(super) markets: Vec<Market>,
    links: Vec<Link>,
    links_made: u16,
    /// Connections whose subscriptions are not compared yet, with when they were sent.
    asked: Vec<(ConnId, Ts)>,
    /// Newest stamp of the venue.
    pub(super) venue_now: Option<Ts>,
    pub(super) contexts_asked: Option<RequestId>,
    pub(super) contexts_due: Ts,
    /// Present time at the last input.
    now: Ts,
}

/// A session with Hyperliquid.
#[derive(Debug)]
pub struct Hyperliquid {
    pub(super) config: SessionConfig,
    limits: Limits,
    pub(super) state: State,
    pub(super) names: Names,
    /// Trades of one message, kept for its memory.
    pub(super) rows: Vec<(MarketIndex, usize, Trade)>,
}

fn stream(market: MarketIndex, metric: Metric, config: &SessionConfig) -> StreamSpec {
    let offered = super::VENUE.metrics.contains(&metric);
    let cadence = match metric {
        Metric::Bar => Span::mins(1),
        Metric::FundingRateSettled => Span::hours(1),
        Metric::OpenInterest | Metric::OpenInterestUsd => config.every_or(Metric::OpenInterest, config.poll_every),
        _ => Span::secs(1),
    };
    let kept = matches!(metric, Metric::Bar | Metric::FundingRateSettled);
    let delay = if kept { Span::secs(2) } else { Span::millis(500) };
    StreamSpec { market, metric, offered, kind: Kind::Measured, cadence, delay, filled: !kept }
}

fn silence(metric: Metric) -> Option<Span> {
    let context = CHANNELS.iter().any(|(bit, _, metrics)| *bit == CONTEXT && metrics.contains(&metric));
    context.then_some(CONTEXT_SILENCE)
}

impl Hyperliquid {
    /// A session that has not begun.
    #[must_use]
    pub fn new(config: SessionConfig) -> Self {
        let state = State {
            desk: Desk::new(config.backfill, PAGES_MAX),
            markets: Vec::new(),
            links: Vec::new(),
            links_made: 0,
            asked: Vec::new(),
            venue_now: None,
            contexts_asked: None,
            contexts_due: Ts::MIN,
            now: Ts::MIN,
        };
        let specs = config.markets.clone();
        let mut session = Self { config, limits: limits::limits(), state, names: Names::default(), rows: Vec::new() };
        for spec in &specs {
            session.add(spec);
        }
        session.place();
        session
    }

    fn add(&mut self, spec: &MarketSpec) {
        let index = MarketIndex(u32::try_from(self.state.markets.len()).unwrap_or(u32::MAX));
        for metric in Metric::ALL.into_iter().filter(|m| self.config.metrics.contains(m)) {
            self.state.desk.streams.push(stream(index, metric, &self.config));
        }
        self.names.insert(spec.symbol.as_bytes(), index);
        self.state.markets.push(Market::new(spec));
    }

    fn subscribed(&self, link: Option<LinkId>) -> usize {
        let of = |m: &&Market| m.link.is_some() && (link.is_none() || m.link == link);
        self.state.markets.iter().filter(of).map(|m| m.channels.count_ones() as usize).sum()
    }

    /// Finds a link for every wanted coin without one. Contexts are polled where the venue's bound on subscriptions leaves no
    /// room; coins for which there is none at all stay without. Returns the positions placed.
    fn place(&mut self) -> Vec<usize> {
        let all = market::channels(&self.config);
        let mut placed = Vec::new();
        for at in 0..self.state.markets.len() {
            if !self.state.markets[at].wanted || self.state.markets[at].link.is_some() {
                continue;
            }
            let room = SUBSCRIPTIONS_MAX.saturating_sub(self.subscribed(None));
            let fits = |bits: u16| bits.count_ones() as usize <= room;
            let Some(bits) = [all, all & !CONTEXT].into_iter().find(|b| fits(*b)) else { continue };
            let size = bits.count_ones() as usize;
            let free = self.state.links.iter().map(|l| l.id);
            let free = free.into_iter().find(|id| self.subscribed(Some(*id)) + size <= PER_LINK);
            let id = free.unwrap_or_else(|| {
                let id = LinkId(self.state.links_made);
                self.state.links_made = self.state.links_made.saturating_add(1);
                let url = format!("{}/ws", self.config.endpoints.ws);
                self.state.links.push(Link { id, url, ping: Some(r#"{"method":"ping"}"#.to_owned()) });
                id
            });
            let market = &mut self.state.markets[at];
            (market.link, market.channels) = (Some(id), bits);
            placed.push(at);
        }
        let markets = &self.state.markets;
        self.state.links.retain(|l| markets.iter().any(|m| m.link == Some(l.id)));
        placed
    }

    fn say(&self, conn: ConnId, method: &str, at: usize, bits: u16, out: &mut Out) {
        let Some(m) = self.state.markets.get(at) else { return };
        for (_, kind, _) in CHANNELS.iter().filter(|(bit, _, _)| bits & m.channels & bit != 0) {
            let more = match *kind {
                // Five levels twice a second; without it twenty every five seconds.
                "l2Book" => r#","fast":true"#,
                "candle" => r#","interval":"1m""#,
                _ => "",
            };
            let coin = &m.coin;
            let what = format!(r#"{{"type":"{kind}","coin":"{coin}"{more}}}"#);
            out.actions.push(Action::Send { conn, text: format!(r#"{{"method":"{method}","subscription":{what}}}"#) });
        }
    }

    fn opened(&mut self, now: Ts, link: LinkId, conn: ConnId, out: &mut Out) {
        self.state.desk.open(conn, link);
        self.state.desk.revive.opened(now);
        for at in 0..self.state.markets.len() {
            if self.state.markets[at].link == Some(link) {
                self.say(conn, "subscribe", at, u16::MAX, out);
            }
        }
        self.state.asked.push((conn, now));
    }

    fn closed_conn(&mut self, now: Ts, conn: ConnId, out: &mut Out) {
        self.state.asked.retain(|(id, _)| *id != conn);
        let Some(gone) = self.state.desk.close(conn) else { return };
        for n in 0..self.state.markets.len() {
            let Ok(index) = u32::try_from(n) else { continue };
            let market = MarketIndex(index);
            for (bit, _, metrics) in CHANNELS {
                if !gone.covers(market, bit) || self.state.desk.covered(market, bit) {
                    continue;
                }
                for metric in metrics {
                    self.state.desk.tracker.lost(market, *metric, now, StatusState::Gap, GapReason::Disconnected, out);
                }
                if bit == market::CANDLE {
                    // Its last state is not known: history has it.
                    self.state.markets[n].held = None;
                }
            }
        }
    }

    fn tick(&mut self, now: Ts, out: &mut Out) {
        self.close_candles(now, out);
        self.judge_silence(now, out);
        self.compare(now, out);
        self.state.desk.tracker.tick(now, out);
        self.revive(now, out);
        while let Some(job) = self.state.desk.history.tick(now) {
            self.retry(now, &job, "no answer", out);
        }
        self.ask(now, out);
    }

    /// Books that do not come and busy quotes that do not move are stale; the next message makes them live again.
    fn judge_silence(&mut self, now: Ts, out: &mut Out) {
        for at in 0..self.state.markets.len() {
            let Ok(index) = u32::try_from(at) else { continue };
            let market = MarketIndex(index);
            let m = &self.state.markets[at];
            let quote = m.quote_pace.silence(now).filter(|_| m.quote_pace.is_busy());
            let book = m.book_silence(now);
            let link = m.link;
            let tracker = &mut self.state.desk.tracker;
            if quote.is_some_and(|s| s > QUOTE_SILENCE) {
                tracker.lost(market, Metric::BestBidAsk, now, StatusState::Stale, GapReason::Silent, out);
            }
            let Some((silent, limit)) = book else { continue };
            if silent > limit {
                tracker.lost(market, Metric::Book, now, StatusState::Stale, GapReason::Silent, out);
            }
            let again = self.state.markets[at].refreshed.is_none_or(|r| now - r >= REFRESH_EVERY);
            let to = link.and_then(|l| self.state.desk.newest(l));
            if let Some(conn) = to.filter(|_| silent > REFRESH_AFTER && again) {
                self.state.markets[at].refreshed = Some(now);
                self.say(conn, "unsubscribe", at, BOOK, out);
                self.say(conn, "subscribe", at, BOOK, out);
            }
        }
    }

    /// Subscribes again what does not come, and replaces connections on which nothing does. A book that has come sees to itself.
    fn revive(&mut self, now: Ts, out: &mut Out) {
        let links: Vec<LinkId> = self.state.links.iter().map(|l| l.id).collect();
        for link in links {
            let Some(conn) = self.state.desk.newest(link) else { continue };
            let (mut carried, mut again, mut heard) = (Vec::new(), Vec::new(), Vec::new());
            for at in (0..self.state.markets.len()).filter(|at| self.state.markets[*at].link == Some(link)) {
                let market = MarketIndex(u32::try_from(at).unwrap_or(u32::MAX));
                for (bit, _, metrics) in CHANNELS {
                    if self.state.markets[at].channels & bit == 0 {
                        continue;
                    }
                    carried.push((market, bit));
                    heard.push((market, metrics));
                    let metrics = if bit == BOOK { &[] } else { metrics };
                    if self.state.desk.is_to_revive(now, market, bit, metrics) {
                        again.push((at, bit));
                    }
                }
            }
            if self.state.desk.is_mute(now, &heard) || self.state.desk.condemns(&carried) {
                out.actions.push(Action::Close { conn, reason: CloseReason::Asked });
                continue;
            }
            for (at, bit) in &again {
                self.say(conn, "unsubscribe", *at, *bit, out);
                self.say(conn, "subscribe", *at, *bit, out);
            }
            if !again.is_empty() && !self.state.asked.iter().any(|(id, _)| *id == conn) {
                self.state.asked.push((conn, now));
            }
        }
    }

    /// Subscriptions that were neither confirmed nor brought data were refused.
    fn compare(&mut self, now: Ts, out: &mut Out) {
        while let Some(at) = self.state.asked.iter().position(|(_, t)| now - *t >= ACK_WAIT) {
            let (conn, _) = self.state.asked.swap_remove(at);
            let Some(link) = self.state.desk.link_of(conn) else { continue };
            for n in 0..self.state.markets.len() {
                let (on, bits) = (self.state.markets[n].link == Some(link), self.state.markets[n].channels);
                let Ok(index) = u32::try_from(n) else { continue };
                let market = MarketIndex(index);
                for (bit, kind, metrics) in CHANNELS {
                    if !on || bits & bit == 0 || self.state.desk.covered(market, bit) {
                        continue;
                    }
                    out.fault("not_subscribed", Some(market), &format!("the venue did not confirm {kind}"), &[]);
                    for metric in metrics {
                        let (state, reason) = (StatusState::Gap, GapReason::Refused);
                        self.state.desk.tracker.lost(market, *metric, now, state, reason, out);
                    }
                }
            }
        }
    }

    fn failed(&mut self, now: Ts, request: RequestId, reason: FailReason, out: &mut Out) {
        if self.state.contexts_asked == Some(request) {
            self.state.contexts_asked = None;
            self.state.contexts_due = now + Span::secs(10);
            out.fault("poll_failed", None, &format!("contexts: {reason:?}"), &[]);
        } else if let Some(job) = self.state.desk.history.answered(request) {
            self.retry(now, &job, &format!("{reason:?}"), out);
        }
        self.ask(now, out);
    }

    fn markets(&mut self, now: Ts, specs: &[MarketSpec], out: &mut Out) {
        for at in 0..self.state.markets.len() {
            let wanted = specs.iter().any(|s| s.symbol == self.state.markets[at].coin);
            if !wanted && self.state.markets[at].wanted {
                self.leave(now, at, out);
            }
            self.state.markets[at].wanted = wanted;
        }
        for spec in specs {
            if !self.state.markets.iter().any(|m| m.coin == spec.symbol) {
                self.add(spec);
            }
        }
        self.declare(now, out);
        let before = self.state.links.clone();
        let placed = self.place();
        if self.state.links != before {
            out.actions.push(Action::Relink);
        }
        let open: Vec<(ConnId, LinkId)> = self.state.desk.conns.iter().map(|c| (c.id, c.link)).collect();
        for (conn, link) in open {
            let here: Vec<usize> =
                placed.iter().copied().filter(|at| self.state.markets[*at].link == Some(link)).collect();
            for at in &here {
                self.say(conn, "subscribe", *at, u16::MAX, out);
            }
            if !here.is_empty() {
                self.state.asked.retain(|(id, _)| *id != conn);
                self.state.asked.push((conn, now));
            }
        }
        self.unplaced(now, out);
    }

    fn leave(&mut self, now: Ts, at: usize, out: &mut Out) {
        let Some(link) = self.state.markets[at].link else { return };
        let open: Vec<ConnId> = self.state.desk.conns.iter().filter(|c| c.link == link).map(|c| c.id).collect();
        for conn in open {
            self.say(conn, "unsubscribe", at, u16::MAX, out);
        }
        let Ok(index) = u32::try_from(at) else { return };
        let market = MarketIndex(index);
        self.state.desk.uncover(market, u16::MAX);
        self.state.desk.history.remove(market);
        let m = &mut self.state.markets[at];
        (m.link, m.channels, m.held, m.books) = (None, 0, None, Default::default());
        for metric in Metric::ALL {
            self.state.desk.tracker.lost(market, metric, now, StatusState::Gap, GapReason::NotRunning, out);
        }
    }

    /// Coins beyond the venue's bound say so.
    fn unplaced(&mut self, now: Ts, out: &mut Out) {
        for (n, m) in (0_u32..).zip(&self.state.markets) {
            if m.wanted && m.link.is_none() {
                let why = format!("{SUBSCRIPTIONS_MAX} subscriptions are all the venue allows: this coin is left out");
                out.fault("too_many_subscriptions", Some(MarketIndex(n)), &why, &[]);
                for metric in Metric::ALL {
                    let (state, reason) = (StatusState::Gap, GapReason::Refused);
                    self.state.desk.tracker.lost(MarketIndex(n), metric, now, state, reason, out);
                }
            }
        }
    }

    fn declare(&mut self, now: Ts, out: &mut Out) {
        self.state.desk.declare(now, silence, out);
        let floor = now - self.config.backfill;
        for market in &mut self.state.markets {
            market.floor.get_or_insert(floor);
        }
    }
}

impl Session for Hyperliquid {
    fn venue(&self) -> &'static str {
        "hyperliquid"
    }

    fn limits(&self) -> &Limits {
        &self.limits
    }

    fn input(&mut self, now: Ts, input: &Input<'_>, out: &mut Out) {
        if self.state.now == Ts::MIN {
            self.declare(now, out);
            self.unplaced(now, out);
        }
        self.state.now = now;
        match input {
            Input::Opened { link, conn } => self.opened(now, *link, *conn, out),
            Input::Closed { conn, .. } => self.closed_conn(now, *conn, out),
            Input::Frame { conn, bytes } => {
                if self.state.desk.link_of(*conn).is_some() {
                    self.frame(now, *conn, bytes, out);
                } else {
                    out.fault("unknown_connection", None, "message of a connection that is not open", bytes);
                }
            }
            Input::Reply { request, status, body } => self.reply(now, *request, *status, body, out),
            Input::Failed { request, reason } => self.failed(now, *request, *reason, out),
            Input::Tick => self.tick(now, out),
            Input::Markets(specs) => self.markets(now, specs, out),
        }
    }

    fn resume(&mut self, now: Ts) {
        self.state.contexts_due = now;
    }

    fn fetching(&self, market: MarketIndex, of: &dyn Fn(Metric) -> bool) -> bool {
        self.state.desk.history.wanted(market, of)
    }

    fn links(&self) -> &[Link] {
        &self.state.links
    }

    fn carried(&self, link: LinkId) -> usize {
        self.subscribed(Some(link))
    }

    fn streams(&self) -> &[StreamSpec] {
        &self.state.desk.streams
    }

    fn book(&self, market: MarketIndex) -> Option<&Book> {
        let live = self.state.desk.tracker.get(market, Metric::Book)?.state == StatusState::Live;
        let shape = self.state.markets.get(market.index())?.shape(self.state.now);
        shape.book.as_ref().filter(|_| live && shape.sound)
    }

    fn continuity(&self) -> &Tracker {
        &self.state.desk.tracker
    }

    fn lag(&self) -> Option<&LagMeter> {
        Some(&self.state.desk.lag)
    }

    fn save(&self) -> Vec<u8> {
        let mut bytes = vec![FORMAT];
        // Writing to memory cannot fail; an empty save would be refused on restore.
        bytes.extend(postcard::to_allocvec(&(&self.config, &self.state)).unwrap_or_default());
        bytes
    }

    fn restore(&mut self, bytes: &[u8]) -> Result<(), RestoreError> {
        let Some((&FORMAT, body)) = bytes.split_first() else { return Err(RestoreError) };
        let (saved, rest): ((SessionConfig, State), &[u8]) =
            postcard::take_from_bytes(body).map_err(|_damaged| RestoreError)?;
        // What was added while it ran is in the state, and in the list it is opened with since.
        let fits = self.config.markets.len() <= saved.1.markets.len()
            && self.config.markets.iter().zip(&saved.1.markets).all(|(spec, market)| spec.symbol == market.coin);
        if !rest.is_empty() || !fits || !saved.0.differs_in_markets_only(&self.config) {
            return Err(RestoreError);
        }
        self.state = saved.1;
        self.names = Names::default();
        for (n, market) in (0_u32..).zip(&self.state.markets) {
            self.names.insert(market.coin.as_bytes(), MarketIndex(n));
        }
        Ok(())
    }
}
