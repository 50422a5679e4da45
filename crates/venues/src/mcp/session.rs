//! The session: which calls are due, what their answers are, and what it means that one did not come.

use super::read::{FactRow, Unusable, answer, rows};
use super::table::{McpCall, McpFact, McpSource};
use super::{CALLS, limits};
use crate::session::facts::{EmittedBars, Moment};
use crate::session::history::Job;
use crate::session::seen::{Admit, Ids, identity};
use crate::session::{
    Action, Desk, FailReason, Input, Limits, Link, LinkId, MarketIndex, MarketSpec, OrderBook, Out, Priority,
    RepeatedValue, Request, RequestId, RestoreError, Session, SessionConfig, StreamSpec, Tracker, saved,
};
use barograph_domain::{GapReason, Kind, Metric, Payload, Span, StatusState, Ts};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;

const FORMAT: u8 = 1;
const MINUTE: Span = Span::mins(1);
/// An answer is waited for this long.
const TIMEOUT: Span = Span::secs(15);
/// Bars are asked for this long after the end of their minute, those of several markets over some seconds.
const BAR_AFTER: Span = Span::secs(2);
const BARS_WITHIN: u32 = 5;
/// A bar is final this long after its end.
const BAR_SETTLES: Span = Span::secs(1);
/// What is younger is reported as it happened, what is older as fetched afterwards.
const FRESH: Span = Span::mins(3);
/// A call that failed is made again after this long, doubled with each further failure up to [`AGAIN_MAX`].
const AGAIN: Span = Span::secs(5);
const AGAIN_MAX: Span = Span::mins(5);
const DOUBLINGS: u32 = 6;
/// So many calls may fail in a row before the late ones count as a silence.
const LATE_CALLS: i64 = 3;
/// History is not waited for any longer after so many failures.
const TRIES: u32 = 3;
/// A list with so many rows, none of which was known, may have been cut.
const CUT_AT: usize = 10;

/// One call of one market, or of all.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
struct McpPoll {
    /// When it is made next; `None`: at once.
    due: Option<Ts>,
    asked: Option<RequestId>,
    /// In a row.
    failures: u32,
    /// It was answered once.
    came: bool,
}

/// A market and what is known of it.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
struct PolledMarket {
    spec: MarketSpec,
    wanted: bool,
    /// Nothing older is wanted.
    floor: Option<Ts>,
    /// By the calls of the table.
    polls: Vec<McpPoll>,
    values: BTreeMap<Metric, RepeatedValue>,
    bars: EmittedBars,
    settled: Ids,
    liquidations: Ids,
    interval_h: Option<f64>,
}

/// What is saved besides the desk.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
struct State {
    markets: Vec<PolledMarket>,
    /// Calls that are of all markets.
    shared: Vec<McpPoll>,
}

/// Whose call it is: of a market, or of all.
type CallOf = (usize, Option<MarketIndex>);

/// A session with a server.
#[derive(Debug)]
pub(super) struct McpSession {
    config: SessionConfig,
    source: McpSource,
    limits: Limits,
    desk: Desk,
    state: State,
}

impl McpSession {
    pub(super) fn new(config: SessionConfig) -> Self {
        let source = config.mcp.clone().unwrap_or_default();
        let shared = vec![McpPoll::default(); source.calls.len()];
        let desk = Desk::new(config.backfill, 1);
        let state = State { markets: Vec::new(), shared };
        let mut session = Self { limits: limits(), source, desk, state, config };
        for spec in session.config.markets.clone() {
            session.add(spec);
        }
        session
    }

    fn add(&mut self, spec: MarketSpec) {
        let market = MarketIndex::at(self.state.markets.len());
        for metric in Metric::ALL.into_iter().filter(|m| self.config.metrics.contains(m)) {
            let stream = self.stream(market, &spec, metric);
            self.desk.streams.push(stream);
        }
        self.state.markets.push(PolledMarket {
            spec,
            wanted: true,
            floor: None,
            polls: vec![McpPoll::default(); self.source.calls.len()],
            values: BTreeMap::new(),
            bars: EmittedBars::default(),
            settled: Ids::default(),
            liquidations: Ids::default(),
            interval_h: None,
        });
    }

    /// How often a metric is asked for; `None`: it is not offered.
    fn every(&self, metric: Metric) -> Option<Span> {
        let brings = |call: &&McpCall| call.facts.iter().any(|fact| fact.metric == metric) && self.has(call);
        self.source.calls.iter().filter(brings).map(|call| call.every).min()
    }

    fn has(&self, call: &McpCall) -> bool {
        self.source.tools.contains(&call.tool)
    }

    fn stream(&self, market: MarketIndex, spec: &MarketSpec, metric: Metric) -> StreamSpec {
        let every = self.every(metric);
        let asked = every.unwrap_or(MINUTE);
        #[expect(clippy::cast_possible_truncation, reason = "checked: 1 to 24")]
        let settles = spec.funding_interval_h.filter(|h| (1.0..=24.0).contains(h)).map_or(8, |h| h as i64);
        let (cadence, delay) = match metric {
            Metric::Bar => (MINUTE, BAR_AFTER + Span::secs(i64::from(BARS_WITHIN)) + BAR_SETTLES),
            Metric::FundingRateSettled => (Span::hours(settles), asked),
            Metric::Liquidation => (asked, asked),
            _ => (asked, Span::secs(1)),
        };
        let kind = if matches!(metric, Metric::Book | Metric::BestBidAsk) { Kind::Sampled } else { Kind::Measured };
        let filled = !matches!(metric, Metric::Bar | Metric::FundingRateSettled);
        StreamSpec { market, metric, offered: every.is_some(), kind, cadence, delay, filled }
    }

    /// Silence after which a stream is stale; what may rightly be silent has none.
    fn silence(&self, metric: Metric) -> Option<Span> {
        let every = self.every(metric)?;
        let is_rare = matches!(metric, Metric::FundingRateSettled | Metric::Liquidation);
        (!is_rare).then(|| every.times(LATE_CALLS).max(MINUTE))
    }

    fn declare(&mut self, now: Ts, out: &mut Out) {
        if self.desk.has_declared() {
            return;
        }
        let silences: BTreeMap<Metric, Option<Span>> =
            self.config.metrics.iter().map(|metric| (*metric, self.silence(*metric))).collect();
        self.desk.declare(now, |metric| silences.get(&metric).copied().flatten(), out);
        let oldest = now - self.config.backfill;
        self.state.markets.iter_mut().for_each(|market| _ = market.floor.get_or_insert(oldest));
    }

    fn poll_mut(&mut self, (call, of): CallOf) -> Option<&mut McpPoll> {
        match of {
            Some(market) => self.state.markets.get_mut(market.index())?.polls.get_mut(call),
            None => self.state.shared.get_mut(call),
        }
    }

    /// Every call that is made, with its poll.
    fn polls(&self) -> impl Iterator<Item = (CallOf, &McpPoll)> {
        let made = self.source.calls.iter().enumerate().filter(|(_, call)| self.has(call));
        made.flat_map(move |(at, call)| {
            let single = call.is_of_one_market();
            let own = self.state.markets.iter().enumerate().filter(move |(_, market)| single && market.wanted);
            let own = own.filter_map(move |(n, m)| Some(((at, Some(MarketIndex::at(n))), m.polls.get(at)?)));
            let is_wanted = self.state.markets.iter().any(|market| market.wanted);
            let shared = self.state.shared.get(at).filter(|_| !single && is_wanted).map(|poll| ((at, None), poll));
            own.chain(shared)
        })
    }

    /// Makes the calls that are due, the one that waits longest first.
    fn ask(&mut self, now: Ts, out: &mut Out) {
        let most = usize::try_from(self.config.polls_in_flight_max).unwrap_or(1).max(1);
        let mut under_way = self.polls().filter(|(_, poll)| poll.asked.is_some()).count();
        while under_way < most {
            let due = self.polls().filter(|(_, p)| p.asked.is_none() && p.due.is_none_or(|due| due <= now));
            let Some((of, _)) = due.min_by_key(|(of, poll)| (poll.due, of.0, of.1)) else { return };
            let id = self.desk.request_id();
            let call = &self.source.calls[of.0];
            let body = self.arguments(call, of.1);
            let request = Request {
                body: Some(body),
                timeout: TIMEOUT,
                ..Request::get(id, call.address(), CALLS, Priority::Poll)
            };
            out.actions.push(Action::Request(request));
            if let Some(poll) = self.poll_mut(of) {
                poll.asked = Some(id);
            }
            under_way += 1;
        }
    }

    /// Arguments of a call, with the names of its market.
    fn arguments(&self, call: &McpCall, of: Option<MarketIndex>) -> String {
        let Some(market) = of.and_then(|market| self.state.markets.get(market.index())) else {
            return call.arguments.clone();
        };
        let spec = &market.spec;
        let names = [("{symbol}", &spec.symbol), ("{base}", &spec.base), ("{quote}", &spec.quote)];
        let filled = |text: &str| names.iter().fold(text.to_owned(), |text, (name, with)| text.replace(name, with));
        let mut value: Value = serde_json::from_str(&call.arguments).unwrap_or_default();
        fill(&mut value, &filled);
        value.to_string()
    }

    /// When a call is made next: on its own grid of absolute time, those of several markets spread over it.
    fn next(&self, now: Ts, (at, of): CallOf) -> Ts {
        let call = &self.source.calls[at];
        let place = of.map_or(0, |market| market.0);
        let offset = if call.facts.iter().any(|fact| fact.metric == Metric::Bar) {
            BAR_AFTER + Span::secs(i64::from(place % BARS_WITHIN))
        } else {
            let markets = i64::try_from(self.state.markets.len()).unwrap_or(i64::MAX).max(1);
            Span(call.every.0 / markets).times(i64::from(place))
        };
        (now - offset).floor(call.every) + call.every + offset
    }

    /// Takes the call of this request from those that are under way.
    fn answered(&mut self, request: RequestId) -> Option<CallOf> {
        let (of, _) = self.polls().find(|(_, poll)| poll.asked == Some(request))?;
        self.poll_mut(of)?.asked = None;
        Some(of)
    }

    /// A call brought nothing: what it brings is missed, of each market it is of.
    fn missed(&mut self, now: Ts, of: CallOf, why: GapReason, out: &mut Out) {
        if let Some(poll) = self.poll_mut(of) {
            let pause = Span(AGAIN.0 << poll.failures.min(DOUBLINGS)).min(AGAIN_MAX);
            poll.failures = poll.failures.saturating_add(1);
            poll.due = Some(now + pause);
        }
        let metrics: Vec<Metric> = self.source.calls[of.0].facts.iter().map(|fact| fact.metric).collect();
        for market in self.markets_of(of) {
            for metric in &metrics {
                self.lost(market, *metric, now, why, out);
            }
        }
    }

    /// A stream is missed. A book too is a gap: what is asked for is there again with the next answer.
    fn lost(&mut self, market: MarketIndex, metric: Metric, now: Ts, why: GapReason, out: &mut Out) {
        self.desk.tracker.lost(market, metric, now, StatusState::Gap, why, out);
    }

    fn markets_of(&self, of: CallOf) -> Vec<MarketIndex> {
        match of.1 {
            Some(market) => vec![market],
            None => (0..self.state.markets.len()).map(MarketIndex::at).filter(|m| self.is_wanted(*m)).collect(),
        }
    }

    fn is_wanted(&self, market: MarketIndex) -> bool {
        self.state.markets.get(market.index()).is_some_and(|m| m.wanted)
    }

    fn reply(&mut self, now: Ts, request: RequestId, status: u16, body: &[u8], out: &mut Out) {
        let Some(of) = self.answered(request) else { return };
        let call = self.source.calls[of.0].clone();
        let read = if status == 200 { answer(&call, body) } else { Err(Unusable::Broken("no answer of a tool")) };
        let value = match read {
            Ok(value) => value,
            Err(why) => {
                let (kind, sentence, sample, gap) = match &why {
                    Unusable::Broken(how) => ("undecodable", *how, body, GapReason::Undecodable),
                    Unusable::Failed(words) => ("tool_error", "the tool failed", words.as_bytes(), GapReason::Refused),
                    Unusable::Refused(text) => ("error_reply", "refused", text.as_bytes(), GapReason::Refused),
                };
                out.fault(kind, of.1, &format!("{}: {sentence}", call.tool), sample);
                return self.missed(now, of, gap, out);
            }
        };
        let next = self.next(now, of);
        if let Some(poll) = self.poll_mut(of) {
            *poll = McpPoll { due: Some(next), asked: None, failures: 0, came: true };
        }
        for market in self.markets_of(of) {
            for fact in &call.facts {
                if self.desk.wants(market, fact.metric) {
                    self.facts(now, market, (&call.tool, fact), &value, out);
                }
            }
            // What was missed is in the next answer as far as the server lists it; nothing else is asked for.
            self.desk.history.remove(market);
        }
    }

    /// The facts of one metric of a market in an answer.
    fn facts(&mut self, now: Ts, market: MarketIndex, (tool, fact): (&str, &McpFact), answer: &Value, out: &mut Out) {
        let spec = self.state.markets[market.index()].spec.clone();
        let all = rows(fact, answer);
        let is_list = all.is_some();
        let read = |row| FactRow { fact, row, now };
        let own: Vec<FactRow<'_>> = all.unwrap_or_default().into_iter().map(read).filter(|r| r.is_of(&spec)).collect();
        let is_rare = matches!(fact.metric, Metric::FundingRateSettled | Metric::Liquidation);
        if !is_list || (own.is_empty() && !is_rare) {
            let metric = fact.metric.name();
            out.fault("undecodable", Some(market), &format!("{tool}: no {metric} of {} in it", spec.symbol), b"");
            return self.lost(market, fact.metric, now, GapReason::Undecodable, out);
        }
        let bad = match fact.metric {
            Metric::Bar => self.bars(now, market, &own, out),
            Metric::FundingRateSettled => self.settlements(now, market, &own, out),
            Metric::Liquidation => self.liquidations(now, market, &own, spec.inverse, out),
            _ => self.values(now, market, &own, out),
        };
        if let Some(row) = bad {
            let why = format!("{tool}: a row that is no {}", fact.metric.name());
            out.fault("undecodable", Some(market), &why, row.as_bytes());
            if own.len() == 1 {
                self.lost(market, fact.metric, now, GapReason::Undecodable, out);
            }
        }
    }

    /// Values, each with its stamp; those that are known are passed over. Gives the last row that is none.
    fn values(&mut self, now: Ts, market: MarketIndex, rows: &[FactRow<'_>], out: &mut Out) -> Option<String> {
        let (mut found, mut bad) = (Vec::new(), None);
        for row in rows {
            match row.at().zip(payload(row)) {
                Some(value) => found.push(value),
                None => bad = Some(row.row.to_string()),
            }
        }
        found.sort_by_key(|(at, _)| *at);
        let metric = rows.first()?.fact.metric;
        let known = self.state.markets.get_mut(market.index())?;
        let newest = self.desk.tracker.get(market, metric).and_then(|stream| stream.newest);
        for (at, payload) in found {
            if known.floor.is_some_and(|floor| at < floor && now - at >= FRESH)
                || newest.is_some_and(|newest| at < newest)
            {
                continue;
            }
            self.desk.tracker.progress(market, metric, now, at, out);
            // What has not changed is said again each time: that it was asked is what its age counts from.
            if known.values.entry(metric).or_default().due(at, identity_of(&payload), Span(1)) {
                emit(out, (market, metric), (now, at), payload);
            }
            if let Payload::Funding { interval_h, .. } = payload {
                known.interval_h = interval_h.or(known.interval_h);
            }
        }
        bad
    }

    fn bars(&mut self, now: Ts, market: MarketIndex, rows: &[FactRow<'_>], out: &mut Out) -> Option<String> {
        let (mut found, mut bad) = (Vec::new(), None);
        for row in rows {
            match row.bar() {
                Some(bar) => found.push(bar),
                None => bad = Some(row.row.to_string()),
            }
        }
        found.sort_by_key(|(close, _)| *close);
        let known = self.state.markets.get_mut(market.index())?;
        let job = Job::once(market, Metric::Bar, [known.floor.unwrap_or(now), now], Priority::Poll);
        for (close, bar) in found.into_iter().filter(|(close, _)| *close <= now - BAR_SETTLES) {
            if now - close < FRESH {
                let m = Moment { now, market, at: close - MINUTE };
                self.desk.bar(m, Some(Payload::Bar(bar)), &mut known.bars, out);
            } else {
                Desk::past_bars(&job, core::iter::once((close, Payload::Bar(bar))), now, &mut known.bars, out);
            }
        }
        bad
    }

    fn settlements(&mut self, now: Ts, market: MarketIndex, rows: &[FactRow<'_>], out: &mut Out) -> Option<String> {
        let (mut found, mut bad) = (Vec::new(), None);
        for row in rows {
            match row.at().zip(row.rate()) {
                Some(settled) => found.push(settled),
                None => bad = Some(row.row.to_string()),
            }
        }
        found.sort_by_key(|(at, _)| *at);
        let known = self.state.markets.get_mut(market.index())?;
        let hours = known.interval_h.or(known.spec.funding_interval_h).unwrap_or(8.0);
        let floor = known.floor.unwrap_or(now);
        let recent = now - Span::hours(1);
        for job in [
            Job::once(market, Metric::FundingRateSettled, [floor, recent], Priority::Backfill),
            Job::once(market, Metric::FundingRateSettled, [recent.max(floor), now], Priority::Poll),
        ] {
            self.desk.settlements(now, &job, found.iter().copied(), hours, &mut known.settled, out);
        }
        self.desk.none_missed(now, market, out);
        self.desk.tracker.found(market, Metric::FundingRateSettled, now, out);
        bad
    }

    fn liquidations(
        &mut self,
        now: Ts,
        market: MarketIndex,
        rows: &[FactRow<'_>],
        inverse: bool,
        out: &mut Out,
    ) -> Option<String> {
        let metric = Metric::Liquidation;
        let (mut found, mut bad) = (Vec::new(), None);
        for row in rows {
            match row.at().zip(row.liquidation(inverse)) {
                Some((at, liquidated)) => found.push((at, identity(&[row.row.to_string().as_bytes()]), liquidated)),
                None => bad = Some(row.row.to_string()),
            }
        }
        found.sort_by_key(|(at, id, _)| (*at, *id));
        let known = self.state.markets.get_mut(market.index())?;
        let before = known.liquidations.newest();
        let is_cut = found.len() >= CUT_AT && found.first().is_some_and(|(at, ..)| before.is_some_and(|b| *at > b));
        if is_cut {
            out.fault("history_cut", Some(market), "more liquidations happened than the server lists", b"");
            self.desk.tracker.lost(market, metric, now, StatusState::Gap, GapReason::SequenceJump, out);
        }
        self.desk.tracker.found(market, metric, now, out);
        let floor = known.floor.unwrap_or(now);
        for (at, id, (liquidated_side, price, qty)) in found {
            if at >= floor && known.liquidations.admit(at, id) == Admit::New {
                self.desk.tracker.progress(market, metric, now, at, out);
                emit(out, (market, metric), (now, at), Payload::Liquidation { liquidated_side, price, qty });
            }
        }
        bad
    }

    fn changed(&mut self, now: Ts, wanted: &[MarketSpec], out: &mut Out) {
        for at in 0..self.state.markets.len() {
            let market = &mut self.state.markets[at];
            let stays = wanted.iter().any(|spec| spec.symbol == market.spec.symbol);
            let left = market.wanted && !stays;
            market.wanted = stays;
            if left {
                market.polls.iter_mut().for_each(|poll| *poll = McpPoll { came: poll.came, ..McpPoll::default() });
                for metric in self.config.metrics.clone() {
                    self.lost(MarketIndex::at(at), metric, now, GapReason::NotRunning, out);
                }
            }
        }
        for spec in wanted {
            if !self.state.markets.iter().any(|market| market.spec.symbol == spec.symbol) {
                self.add(spec.clone());
            }
        }
        self.config.markets = wanted.to_vec();
        self.declare(now, out);
    }
}

/// Replaces the texts of a value.
fn fill(value: &mut Value, filled: &impl Fn(&str) -> String) {
    match value {
        Value::String(text) => *text = filled(text),
        Value::Array(all) => all.iter_mut().for_each(|one| fill(one, filled)),
        Value::Object(fields) => fields.values_mut().for_each(|one| fill(one, filled)),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// What a row of a value is, by its metric.
fn payload(row: &FactRow<'_>) -> Option<Payload> {
    let top = |(bid, ask): (f64, f64)| (bid < ask).then_some(Payload::BestBidAsk { bid, ask });
    match row.fact.metric {
        Metric::BestBidAsk => row.top().and_then(top),
        Metric::Book => row.book_top().and_then(top),
        Metric::FundingRate => row.funding().map(|(rate, interval_h, next_ts)| Payload::Funding {
            rate,
            interval_h,
            next_ts,
            special: false,
        }),
        _ => row.value().map(Payload::Value),
    }
}

/// What two values have in common when they are one.
fn identity_of(payload: &Payload) -> [f64; 3] {
    match *payload {
        Payload::BestBidAsk { bid, ask } => [bid, ask, 0.0],
        Payload::Funding { rate, interval_h, .. } => [rate, interval_h.unwrap_or(-1.0), 0.0],
        Payload::Value(value) => [value, 0.0, 0.0],
        _ => [0.0; 3],
    }
}

/// A fact: as it happened where it is young enough, else as fetched afterwards.
fn emit(out: &mut Out, (market, metric): (MarketIndex, Metric), (now, at): (Ts, Ts), payload: Payload) {
    if now - at < FRESH {
        out.live(market, metric, at, 0, payload);
    } else {
        out.backfilled(market, metric, at, 0, payload);
    }
}

impl Session for McpSession {
    fn venue(&self) -> &'static str {
        "mcp"
    }

    fn limits(&self) -> &Limits {
        &self.limits
    }

    fn input(&mut self, now: Ts, input: &Input<'_>, out: &mut Out) {
        self.declare(now, out);
        match input {
            Input::Reply { request, status, body } => self.reply(now, *request, *status, body, out),
            Input::Failed { request, reason } => {
                if let Some(of) = self.answered(*request) {
                    let why = match reason {
                        FailReason::Refused | FailReason::Forbidden => GapReason::Refused,
                        FailReason::Timeout | FailReason::Network | FailReason::Dropped => GapReason::Disconnected,
                    };
                    let tool = &self.source.calls[of.0].tool;
                    out.fault("poll_failed", of.1, &format!("{tool}: the server does not answer"), b"");
                    self.missed(now, of, why, out);
                }
            }
            Input::Tick => self.desk.tracker.tick(now, out),
            Input::Markets(wanted) => self.changed(now, wanted, out),
            Input::Opened { .. } | Input::Closed { .. } | Input::Frame { .. } => {}
        }
        self.ask(now, out);
    }

    fn resume(&mut self, _now: Ts) {
        let again = |poll: &mut McpPoll| (poll.due, poll.asked) = (None, None);
        self.state.shared.iter_mut().for_each(again);
        self.state.markets.iter_mut().flat_map(|market| &mut market.polls).for_each(again);
    }

    fn fetching(&self, market: MarketIndex, of: &dyn Fn(Metric) -> bool) -> bool {
        let keeps = |metric: Metric| matches!(metric, Metric::Bar | Metric::FundingRateSettled | Metric::PremiumIndex);
        self.config.backfill > Span::ZERO
            && self.polls().any(|((call, own), poll)| {
                let brings = self.source.calls[call].facts.iter().any(|f| keeps(f.metric) && of(f.metric));
                own.is_none_or(|own| own == market) && brings && !poll.came && poll.failures < TRIES
            })
    }

    fn links(&self) -> &[Link] {
        &[]
    }

    fn carried(&self, _link: LinkId) -> usize {
        0
    }

    fn streams(&self) -> &[StreamSpec] {
        &self.desk.streams
    }

    fn book(&self, _market: MarketIndex) -> Option<&OrderBook> {
        None
    }

    fn continuity(&self) -> &Tracker {
        &self.desk.tracker
    }

    fn save(&self) -> Vec<u8> {
        saved::save(FORMAT, &self.config, &(&self.desk, &self.state))
    }

    fn restore(&mut self, bytes: &[u8]) -> Result<(), RestoreError> {
        let symbols = |state: &(Desk, State)| state.1.markets.iter().map(|m| m.spec.symbol.clone()).collect();
        (self.desk, self.state) = saved::restore(FORMAT, &self.config, bytes, symbols)?;
        Ok(())
    }
}
