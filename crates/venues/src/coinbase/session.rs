//! The machine: every input to the room that knows about it.

use super::history::{self, Next};
use super::limits;
use super::map::{self, AggressorFrom, Trade};
use super::state::{State, split};
use super::wire;
use crate::session::history::Job;
use crate::session::{
    Action, Book, FailReason, Input, LagMeter, Limits, Link, LinkId, MarketIndex, MarketSpec, Names, Out, RequestId,
    RestoreError, Session, SessionConfig, StreamSpec, Tracker, saved,
};
use barograph_domain::{Metric, Payload, StatusState, Ts};

/// First byte of saved state.
const FORMAT: u8 = 3;

/// A session with Coinbase Advanced Trade.
#[derive(Debug)]
pub struct Coinbase {
    pub(super) state: State,
    limits: Limits,
    /// Products to the market that holds their state.
    pub(super) names: Names,
    pub(super) lag: LagMeter,
    pub(super) side: AggressorFrom,
    /// Trades of one message, kept for its memory.
    pub(super) rows: Vec<(usize, Trade)>,
}

impl Coinbase {
    /// A session that has not begun.
    #[must_use]
    pub fn new(config: SessionConfig) -> Self {
        let side = AggressorFrom::configured(config.trade_side_is_maker);
        let mut session = Self {
            state: State::new(config),
            limits: limits::limits(),
            names: Names::default(),
            lag: LagMeter::default(),
            side,
            rows: Vec::new(),
        };
        session.index();
        session
    }

    /// How the word `side` of a trade is read; for the label beside every signed number.
    #[must_use]
    pub const fn aggressor_from(&self) -> AggressorFrom {
        self.side
    }

    fn index(&mut self) {
        self.names = Names::default();
        for (at, m) in (0_u32..).zip(&self.state.markets) {
            if m.holder == MarketIndex(at) {
                self.names.insert(m.product.as_bytes(), MarketIndex(at));
            }
        }
        // The venue may call a product by its alias in lists: either name is understood.
        for (symbol, m) in self.state.symbols.iter().zip(&self.state.markets) {
            self.names.insert(symbol.as_bytes(), m.holder);
        }
    }

    fn tick(&mut self, now: Ts, out: &mut Out) {
        self.state.tend(now, out);
        self.state.tracker.tick(now, out);
        while let Some(job) = self.state.history.tick(now) {
            self.retry(now, &job, "no answer", out);
        }
        self.ask(now, out);
    }

    /// Sends what is due: polls, then history.
    fn ask(&mut self, now: Ts, out: &mut Out) {
        let rest = self.state.config.endpoints.rest.clone();
        loop {
            let id = RequestId(self.state.requests_made + 1);
            let mut due = None;
            if !self.state.polls.next(now, |market, _| {
                due = Some(market);
                id
            }) {
                break;
            }
            self.state.next_request();
            if let Some(m) = due.and_then(|m| self.state.markets.get(m.index())) {
                out.actions.push(Action::Request(history::product(&rest, &m.product, id)));
            }
        }
        // Whether a candle is closed is for the venue's clock to say, which is that of its messages.
        let there = self.state.conns.iter().map(|c| c.venue_now).max();
        let closed = |job: &Job| job.metric != Metric::Bar || there.is_some_and(|t| t >= job.until);
        loop {
            let id = RequestId(self.state.requests_made + 1);
            let Some(job) = self.state.history.next_ready(now, id, closed) else { break };
            self.state.next_request();
            let product = self.state.markets.get(job.market.index()).map(|m| m.product.as_str());
            match product.and_then(|p| history::request(&rest, p, &job, id)) {
                Some(request) => out.actions.push(Action::Request(request)),
                None => self.state.history.stop(now, &job),
            }
        }
    }

    fn retry(&mut self, now: Ts, job: &Job, why: &str, out: &mut Out) {
        if !self.state.history.retry(now, job) {
            return;
        }
        out.fault("history_given_up", Some(job.market), &format!("{} history: {why}", job.metric.name()), &[]);
        if job.metric == Metric::Trade
            && let Some(m) = self.state.markets.get_mut(job.market.index())
        {
            m.trades.give_up(job.from, job.until);
        }
    }

    fn reply(&mut self, now: Ts, request: RequestId, status: u16, body: &[u8], out: &mut Out) {
        if let Some(market) = self.state.polls.asked_by(request) {
            let moved = status == 200 && self.product(now, market, body, out);
            if status != 200 {
                out.fault("poll_failed", Some(market), &format!("status {status} for the product"), body);
            }
            self.state.polls.answered(now, request, moved);
            return self.ask(now, out);
        }
        let Some(job) = self.state.history.answered(request) else { return };
        let at = job.market.index();
        let State { markets, tracker, .. } = &mut self.state;
        let next = match split(markets, tracker, at, now, out) {
            Some((p, mut sink)) if status == 200 && job.metric == Metric::Bar => {
                history::candles(body, &job, p.scale, p.bars_emitted, &mut sink)
            }
            Some((p, mut sink)) if status == 200 => history::trades(body, &job, self.side, p.trades, &mut sink),
            _ => Next::Bad,
        };
        match next {
            Next::Bad => self.retry(now, &job, &format!("status {status}, or not such a list"), out),
            Next::Page(end) => {
                self.state.history.advance(now, &job, job.from, Some(end));
            }
            Next::Done => {
                self.state.history.advance(now, &job, job.until, None);
            }
        }
        self.ask(now, out);
    }

    /// Present values of a future; true when they moved.
    fn product(&mut self, now: Ts, market: MarketIndex, body: &[u8], out: &mut Out) -> bool {
        let read = serde_json::from_slice::<wire::Product>(body).map_err(|_e| "answer is no product");
        let State { markets, tracker, .. } = &mut self.state;
        let Some((p, mut sink)) = split(markets, tracker, market.index(), now, out) else { return false };
        let derived = match read.and_then(|product| map::derived(&product, now)) {
            Ok(derived) => derived,
            Err(why) => {
                sink.fault("poll_failed", why, body);
                return false;
            }
        };
        if let Some(oi) = derived.open_interest {
            sink.live(Metric::OpenInterest, now, 0, Payload::Value(oi));
        }
        if let Some(index) = derived.index {
            sink.live(Metric::IndexPrice, now, 0, Payload::Value(index));
        }
        if let Some(rate) = derived.funding {
            let (interval_h, next_ts) = (derived.interval_h, derived.next_ts);
            sink.live(Metric::FundingRate, now, 0, Payload::Funding { rate, interval_h, next_ts, special: false });
        }
        core::mem::replace(p.derived, derived) != derived
    }

    fn failed(&mut self, now: Ts, request: RequestId, reason: FailReason, out: &mut Out) {
        if let Some((market, _)) = self.state.polls.answered(now, request, false) {
            out.fault("poll_failed", Some(market), &format!("no answer: {reason:?}"), &[]);
        } else if let Some(job) = self.state.history.answered(request) {
            self.retry(now, &job, &format!("{reason:?}"), out);
        }
        self.ask(now, out);
    }

    fn markets(&mut self, now: Ts, specs: &[MarketSpec], out: &mut Out) {
        for spec in specs {
            if !self.state.symbols.contains(&spec.symbol) {
                self.state.add(spec);
            }
        }
        self.index();
        self.state.declare(now, out);
        for at in 0..self.state.markets.len() {
            if self.state.holds(at) {
                self.state.rename(now, at, specs, out);
            }
        }
        self.state.place(now, out);
    }
}

impl Session for Coinbase {
    fn venue(&self) -> &'static str {
        "coinbase"
    }

    fn limits(&self) -> &Limits {
        &self.limits
    }

    fn input(&mut self, now: Ts, input: &Input<'_>, out: &mut Out) {
        if !self.state.declared {
            self.state.declare(now, out);
        }
        match input {
            Input::Opened { link, conn } => self.state.opened(now, *link, *conn, out),
            Input::Closed { conn, .. } => self.state.closed(now, *conn, out),
            Input::Frame { conn, bytes } => match self.state.conns.iter().position(|c| c.id == *conn) {
                Some(at) => self.frame(now, at, bytes, out),
                None => out.fault("unknown_connection", None, "message of a connection that is not open", bytes),
            },
            Input::Reply { request, status, body } => self.reply(now, *request, *status, body, out),
            Input::Failed { request, reason } => self.failed(now, *request, *reason, out),
            Input::Tick => self.tick(now, out),
            Input::Markets(specs) => self.markets(now, specs, out),
        }
    }

    fn resume(&mut self, _now: Ts) {
        self.state.polls.wake();
    }

    fn fetching(&self, market: MarketIndex, of: &dyn Fn(Metric) -> bool) -> bool {
        self.state.history.wanted(market, of)
    }

    fn links(&self) -> &[Link] {
        &self.state.links
    }

    fn carried(&self, link: LinkId) -> usize {
        self.state.carried(link)
    }

    fn streams(&self) -> &[StreamSpec] {
        &self.state.streams
    }

    fn book(&self, market: MarketIndex) -> Option<&Book> {
        let holder = self.state.markets.get(market.index())?.holder;
        let live = self.state.tracker.get(market, Metric::Book)?.state == StatusState::Live;
        self.state.markets.get(holder.index())?.book.book().filter(|_| live)
    }

    fn continuity(&self) -> &Tracker {
        &self.state.tracker
    }

    fn lag(&self) -> Option<&LagMeter> {
        Some(&self.lag)
    }

    fn save(&self) -> Vec<u8> {
        saved::save_plain(FORMAT, &(&self.state, &self.lag))
    }

    fn restore(&mut self, bytes: &[u8]) -> Result<(), RestoreError> {
        let config = &self.state.config;
        let told = |s: &(State, LagMeter)| s.0.symbols.clone();
        (self.state, self.lag) =
            saved::restore_plain::<(State, LagMeter)>(FORMAT, config, bytes, |s| (&s.0.config, told(s)))?;
        self.index();
        Ok(())
    }
}
