//! The machine: every input to the room that knows about it.

use super::conn::{Health, Sequence};
use super::history::{self, Next};
use super::limits;
use super::map::{self, AggressorFrom, Trade};
use super::state::{State, index_of, split};
use super::trades::{HOLE_MARGIN, Wanted};
use super::wire::{self, Envelope};
use crate::session::history::Job;
use crate::session::scan::plain;
use crate::session::{
    Action, Book, FailReason, Input, LagMeter, Limits, Link, MarketIndex, MarketSpec, Names, Out, Priority, RequestId,
    RestoreError, Session, SessionConfig, StreamSpec, Tracker,
};
use barograph_domain::{Metric, Payload, Span, StatusState, Ts};

/// First byte of saved state.
const FORMAT: u8 = 1;

/// A session with Coinbase Advanced Trade.
#[derive(Debug)]
pub struct Coinbase {
    state: State,
    limits: Limits,
    /// Products to the market that holds their state.
    names: Names,
    lag: LagMeter,
    side: AggressorFrom,
    /// Trades of one message, kept for its memory.
    rows: Vec<(usize, Trade)>,
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

    /// A product's market while it is wanted.
    fn market(&self, product: &[u8]) -> Option<usize> {
        let at = self.names.get(product)?.index();
        self.state.markets.get(at).filter(|m| m.wanted).map(|_| at)
    }

    fn unknown(&self, product: &[u8], out: &mut Out) {
        // Messages on their way while a product is being left are no fault.
        if self.names.get(product).is_none() {
            out.fault("unknown_symbol", None, "product was not asked for", product);
        }
    }

    fn frame(&mut self, now: Ts, at: usize, bytes: &[u8], out: &mut Out) {
        let owned;
        let envelope = match wire::envelope(bytes) {
            Some(envelope) => envelope,
            None => {
                owned = plain(bytes);
                match owned.as_deref().and_then(wire::envelope) {
                    Some(envelope) => envelope,
                    // What it held is found out by the next number.
                    None => return out.fault("undecodable", None, "message is not a JSON object of this venue", bytes),
                }
            }
        };
        if envelope.kind == b"error" {
            return self.error(now, at, &envelope, out);
        }
        let (Some(number), Some(stamp)) = (envelope.sequence, map::moment(envelope.stamp, now)) else {
            return out.fault("undecodable", None, "message without a sequence_num or a plausible timestamp", bytes);
        };
        let Some(conn) = self.state.conns.get_mut(at) else { return };
        let (id, verdict) = (conn.id, conn.count(number));
        conn.heard = true;
        conn.venue_now = conn.venue_now.max(stamp);
        self.lag.note(now, stamp);
        if self.state.watch.note(verdict) {
            let why = "more than one message in a hundred is out of sequence: it may not count per connection any more";
            out.fault("sequence_scope_changed", None, why, &[]);
        }
        match verdict {
            Sequence::InOrder => {}
            Sequence::Gap => {
                out.fault("sequence_gap", None, "messages of a connection were lost", envelope.channel);
                self.state.broken(now, id, out);
            }
            // While the scope is in doubt, trades and quotes look after themselves; books do not.
            Sequence::Old if self.state.watch.storm && envelope.channel != b"l2_data" => {}
            Sequence::Old => {
                return out.fault("sequence_old", None, "message was overtaken: ignored", envelope.channel);
            }
        }
        if self.dispatch(now, at, stamp, &envelope, out).is_none() {
            out.fault("undecodable", None, "events of the message are not of its channel", bytes);
        }
    }

    fn dispatch(&mut self, now: Ts, at: usize, stamp: Ts, e: &Envelope<'_>, out: &mut Out) -> Option<()> {
        match e.channel {
            b"l2_data" => self.level2(now, at, stamp, e.events, out),
            b"market_trades" => self.trades(now, at, stamp, e.events, out),
            b"ticker" => self.ticker(now, stamp, e.events, out),
            b"heartbeats" => self.heartbeat(now, at, e.events, out),
            b"subscriptions" => {
                self.state.conns[at].acked.clear();
                let mut listed = Vec::new();
                wire::subscriptions(e.events, |channel, name| listed.push((channel, name)))?;
                for (channel, name) in listed {
                    let market = self.names.get(name);
                    self.state.listed(at, market, channel);
                }
                self.state.conns[at].listed = true;
                Some(())
            }
            // Counted, and not used: five-minute candles, product status, slow tickers.
            b"candles" | b"status" | b"ticker_batch" => Some(()),
            channel => {
                out.fault("unknown_channel", None, "channel was not asked for", channel);
                Some(())
            }
        }
    }

    fn level2(&mut self, now: Ts, at: usize, stamp: Ts, events: &[u8], out: &mut Out) -> Option<()> {
        let conn = self.state.conns.get(at)?;
        let (id, whole) = (conn.id, conn.health == Health::Whole);
        wire::events(events, b"updates", |event| {
            let Some(market) = self.market(event.product) else {
                self.unknown(event.product, out);
                return Some(());
            };
            let depth = self.state.config.book_depth;
            let State { markets, tracker, .. } = &mut self.state;
            let (p, mut sink) = split(markets, tracker, market, now, out)?;
            // A connection that lost messages feeds no book any more.
            if whole {
                p.book.take(&event, id, stamp, (p.digits, depth), &mut sink);
            }
            Some(())
        })
    }

    fn trades(&mut self, now: Ts, at: usize, stamp: Ts, events: &[u8], out: &mut Out) -> Option<()> {
        let id = self.state.conns.get(at)?.id;
        wire::events(events, b"trades", |event| {
            let mut rows = core::mem::take(&mut self.rows);
            rows.clear();
            let read = wire::trades(event.rows, |row| {
                let Some(market) = self.market(row.product_id) else {
                    self.unknown(row.product_id, out);
                    return Some(());
                };
                match map::trade(&row, self.side, now) {
                    // The venue's own clock said `stamp` when it sent this.
                    Ok(trade) if trade.time <= stamp + Span::secs(5) => rows.push((market, trade)),
                    Ok(_) => out.fault("bad_trade", Some(index_of(market)), "trade is of the future", row.time),
                    Err(why) => out.fault("bad_trade", Some(index_of(market)), why, row.trade_id),
                }
                Some(())
            });
            // Ids that do not count up say nothing about order.
            let counted = |at: usize| self.state.markets.get(at).is_some_and(|m| !m.future);
            rows.sort_unstable_by_key(|(at, t)| (*at, if counted(*at) { Ts::MIN } else { t.time }, t.id));
            for (market, trade) in &rows {
                self.trade(now, *market, trade, event.snapshot, out);
            }
            let mut last = None;
            for (market, _) in &rows {
                if last.replace(*market) != Some(*market) {
                    self.state.synced(now, *market, id, (stamp, true), out);
                }
            }
            self.rows = rows;
            read
        })
    }

    fn trade(&mut self, now: Ts, market: usize, trade: &Trade, snapshot: bool, out: &mut Out) {
        let State { markets, tracker, .. } = &mut self.state;
        let Some((p, mut sink)) = split(markets, tracker, market, now, out) else { return };
        if let Wanted::Repair { hole, bars_from, bars_until } = p.trades.take(trade, snapshot, &mut sink) {
            let index = index_of(market);
            if self.state.wants(Metric::Trade) {
                let (from, until) = (hole.after - HOLE_MARGIN, hole.before + HOLE_MARGIN);
                self.state.history.want(index, Metric::Trade, from, until, Priority::Repair, now);
            }
            self.state.want_bars(now, market, bars_from, bars_until, Priority::Repair);
        }
    }

    fn ticker(&mut self, now: Ts, stamp: Ts, events: &[u8], out: &mut Out) -> Option<()> {
        wire::events(events, b"tickers", |event| {
            wire::tickers(event.rows, |row| {
                let Some(market) = self.market(row.product_id) else {
                    self.unknown(row.product_id, out);
                    return Some(());
                };
                let State { markets, tracker, .. } = &mut self.state;
                let (p, mut sink) = split(markets, tracker, market, now, out)?;
                if row.best_bid.is_empty() || row.best_ask.is_empty() {
                    // A product without quotes on one side.
                    return Some(());
                }
                match (map::price(row.best_bid), map::price(row.best_ask)) {
                    (Some((_, bid)), Some((_, ask))) if bid < ask => {
                        if stamp > *p.quoted {
                            *p.quoted = stamp;
                            sink.live(Metric::BestBidAsk, stamp, 0, Payload::BestBidAsk { bid, ask });
                        }
                    }
                    (Some(_), Some(_)) => sink.fault("crossed_quote", "best_bid is not below best_ask", row.best_bid),
                    _ => sink.fault("bad_quote", "best_bid or best_ask is no price", row.best_bid),
                }
                Some(())
            })
        })
    }

    fn heartbeat(&mut self, now: Ts, at: usize, events: &[u8], out: &mut Out) -> Option<()> {
        let beat = wire::heartbeat(events)?;
        let conn = self.state.conns.get_mut(at)?;
        if conn.beat.replace(beat).is_some_and(|last| beat > last + 1) {
            out.fault("heartbeat_jump", None, "the venue skipped heartbeats", &[]);
        }
        let (id, link, venue_now) = (conn.id, conn.link, conn.venue_now);
        for market in 0..self.state.markets.len() {
            if self.state.markets[market].link == Some(link) {
                let State { markets, tracker, .. } = &mut self.state;
                let (p, mut sink) = split(markets, tracker, market, now, out)?;
                p.trades.tick(id, venue_now, &mut sink);
            }
        }
        Some(())
    }

    fn error(&mut self, now: Ts, at: usize, e: &Envelope<'_>, out: &mut Out) {
        let found = |text: &[u8]| e.message.windows(text.len()).any(|w| w == text);
        out.fault("error_reply", None, "the venue reports an error", e.message);
        if found(b"too many L2 streams") {
            self.state.too_many(now, at, out);
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
        loop {
            let id = RequestId(self.state.requests_made + 1);
            let Some(job) = self.state.history.next(now, id) else { break };
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
        let poll = self.state.polls.all().iter().find(|p| p.asked == Some(request)).map(|p| p.market);
        if let Some(market) = poll {
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

    fn links(&self) -> &[Link] {
        &self.state.links
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
        let mut bytes = vec![FORMAT];
        // Writing to memory cannot fail; an empty save would be refused on restore.
        bytes.extend(postcard::to_allocvec(&(&self.state, &self.lag)).unwrap_or_default());
        bytes
    }

    fn restore(&mut self, bytes: &[u8]) -> Result<(), RestoreError> {
        let Some((&FORMAT, body)) = bytes.split_first() else { return Err(RestoreError) };
        let (state, rest): ((State, LagMeter), &[u8]) =
            postcard::take_from_bytes(body).map_err(|_damaged| RestoreError)?;
        if !rest.is_empty() || state.0.config != self.state.config {
            return Err(RestoreError);
        }
        (self.state, self.lag) = state;
        self.index();
        Ok(())
    }
}
