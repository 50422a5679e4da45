//! The Coinbase session: products and their places on connections, what is polled, what changes with the list of markets.
//! Who is listened to where is in [`super::subscriptions`], messages are read in [`super::feed`], answers in [`super::replies`].

use super::conn::{Conn, Watch};
use super::limits::{self, LEVEL2_PER_LINK, PRODUCTS_PER_LINK};
use super::map::{AggressorFrom, Trade};
use super::market::Market;
use super::replies::CANDLE_SETTLES;
use super::symbols::canonical;
use super::topics::{self, Channel};
use crate::session::history::Job;
use crate::session::kit::Kit;
use crate::session::link::Links;
use crate::session::offer;
use crate::session::protocol::{Channel as _, Protocol, Terms, Verb, WantedChannels};
use crate::session::{
    Action, CloseReason, ConnId, Input, Link, LinkId, MarketIndex, MarketSpec, Names, OrderBook, Out, Polls, Priority,
    SessionConfig, StreamSpec,
};
use barograph_domain::{GapReason, Metric, Span, StatusState, Ts};
use serde::{Deserialize, Serialize};

/// What is saved besides desk and markets.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
pub(super) struct State {
    links: Links,
    /// When a connection of a link was last replaced for a gap.
    pub(super) replaced: Vec<(LinkId, Ts)>,
    /// Level-2 products per link, once the venue has refused some.
    pub(super) level2_max: Option<usize>,
    pub(super) conns: Vec<Conn>,
    pub(super) watch: Watch,
    pub(super) polls: Polls,
    /// There was an input: polls are under way.
    begun: bool,
}

/// What is not saved.
#[derive(Debug)]
pub(super) struct Coinbase {
    /// Products to the market that holds their state.
    pub(super) names: Names,
    pub(super) side: AggressorFrom,
    /// Trades of one message, kept for its memory.
    pub(super) rows: Vec<(MarketIndex, Trade)>,
}

impl Coinbase {
    /// Before there are markets.
    pub(super) fn new(config: &SessionConfig) -> Self {
        let side = AggressorFrom::configured(config.trade_side_is_maker);
        Self { names: Names::default(), side, rows: Vec::new() }
    }
}

impl Protocol for Coinbase {
    const FORMAT: u8 = 4;
    /// Two pages at once leave most of the ten requests per second to polls.
    const PAGES_MAX: u32 = 2;

    type Channel = Channel;
    type Market = Market;
    type State = State;

    fn terms(&self) -> Terms<Channel> {
        Terms { id: "coinbase", limits: limits::limits, streams: &topics::STREAMS }
    }

    fn market(kit: &mut Kit<Self>, spec: MarketSpec) -> Market {
        let index = MarketIndex::at(kit.markets.len());
        let product = canonical(&spec.symbol);
        let holder = kit.markets.iter().find(|m| m.product == product).map_or(index, |m| m.holder);
        if let Some(first) = kit.markets.get_mut(holder.index()) {
            first.ids.push(index);
            first.wanted = true;
        }
        Market::new(index, holder, kit.channels_of(&spec), spec)
    }

    fn links(kit: &Kit<Self>) -> Vec<Link> {
        kit.state.links.all().to_vec()
    }

    fn index(kit: &mut Kit<Self>) {
        let mut names = Names::default();
        for (at, m) in kit.markets.iter().enumerate().filter(|(at, m)| m.holder.index() == *at) {
            names.insert(m.product.as_bytes(), MarketIndex::at(at));
        }
        // The venue may call a product by its alias in lists: either name is understood.
        for m in &kit.markets {
            names.insert(m.symbol.as_bytes(), m.holder);
        }
        kit.venue.names = names;
    }

    /// Heartbeats are one more.
    fn carried(kit: &Kit<Self>, link: LinkId) -> usize {
        kit.on_link(link).count() + usize::from(!kit.products_on(link).is_empty())
    }

    fn begin(kit: &mut Kit<Self>) {
        kit.state.polls = Polls::new(kit.config.polls_in_flight_max);
        kit.assign();
    }

    fn send(kit: &mut Kit<Self>, _: Ts, conn: ConnId, verb: Verb, wanted: &[(MarketIndex, Channel)], out: &mut Out) {
        for channel in Channel::ALL {
            let of = wanted.iter().filter(|(_, wanted)| wanted == channel);
            let products: Vec<&str> = of.map(|(m, _)| kit.markets[m.index()].product.as_str()).collect();
            if !products.is_empty() {
                out.actions.push(Action::Send { conn, text: topics::message(verb, *channel, &products) });
            }
        }
    }

    fn book<'a>(kit: &'a Kit<Self>, market: &'a Market) -> Option<&'a OrderBook> {
        kit.markets.get(market.holder.index())?.state.book.book()
    }

    fn before(kit: &mut Kit<Self>, now: Ts, _: &mut Out) {
        if !core::mem::replace(&mut kit.state.begun, true) {
            kit.begin_polls(now);
        }
    }

    fn asks(input: &Input<'_>) -> bool {
        matches!(input, Input::Tick | Input::Failed { .. })
    }

    fn opened(kit: &mut Kit<Self>, now: Ts, link: LinkId, conn: ConnId, out: &mut Out) {
        kit.state.conns.push(Conn::new(conn, link, now));
        kit.conn_opened(now, link, conn, out);
        if kit.products_on(link).is_empty() {
            // No longer wanted while it was opening.
            kit.close(conn, out);
        } else {
            out.actions.push(Action::Send { conn, text: topics::HEARTBEATS.to_owned() });
        }
    }

    fn subscribed(market: &mut Market, now: Ts) {
        if market.channels & Channel::Level2.bit() != 0 {
            market.state.book.asked(now);
        }
    }

    fn closed(kit: &mut Kit<Self>, now: Ts, conn: ConnId, _: CloseReason, out: &mut Out) {
        kit.lose(now, conn, out);
    }

    fn revive(_: &mut Kit<Self>, _: Ts, _: &mut Out) {
        // Before the tick, from the venue's lists.
    }

    fn again(kit: &mut Kit<Self>, now: Ts, conn: ConnId, wanted: &WantedChannels<Self>, out: &mut Out) {
        for verb in [Verb::Unsubscribe, Verb::Subscribe] {
            Self::send(kit, now, conn, verb, wanted, out);
        }
    }

    fn before_tick(kit: &mut Kit<Self>, now: Ts, out: &mut Out) {
        kit.tend(now, out);
    }

    fn given_up(kit: &mut Kit<Self>, job: &Job, why: &str) -> String {
        if job.metric == Metric::Trade
            && let Some(m) = kit.markets.get_mut(job.market.index())
        {
            m.state.trades.give_up(job.from, job.until);
        }
        format!("{} history: {why}", job.metric.name())
    }

    fn change(kit: &mut Kit<Self>, now: Ts, specs: &[MarketSpec], out: &mut Out) {
        for spec in specs {
            if !kit.markets.iter().any(|m| m.symbol == spec.symbol) {
                kit.add(spec.clone());
            }
        }
        Self::index(kit);
        kit.declare(now, out);
        kit.begin_polls(now);
        for at in (0..kit.markets.len()).map(MarketIndex::at) {
            if kit.markets[at.index()].holder == at {
                kit.rename(now, at, specs, out);
            }
        }
        kit.place(now, out);
    }

    fn resume(kit: &mut Kit<Self>, _: Ts) {
        kit.state.polls.wake();
    }
}

impl Kit<Coinbase> {
    pub(super) fn wants(&self, metric: Metric) -> bool {
        self.config.metrics.contains(&metric)
    }

    /// The holders on a link.
    pub(super) fn products_on(&self, link: LinkId) -> Vec<MarketIndex> {
        (0..self.markets.len()).filter(|at| self.markets[*at].link == Some(link)).map(MarketIndex::at).collect()
    }

    /// Begins the polls of what was added, and says since when its trades are wanted.
    fn begin_polls(&mut self, now: Ts) {
        let floor = now - self.config.backfill;
        for at in 0..self.markets.len() {
            self.begin_poll(now, MarketIndex::at(at));
            self.markets[at].state.trades.since(floor);
        }
    }

    /// Polls the product of a future, unless that is done already. One answer serves all three streams.
    fn begin_poll(&mut self, now: Ts, market: MarketIndex) {
        let m = &self.markets[market.index()];
        let of = |s: &&StreamSpec| s.offered && s.market == market && offer::is_polled(&topics::STREAMS, s.metric);
        let polled = self.desk.streams.iter().find(of);
        let begun = self.state.polls.all().iter().any(|p| p.market == market);
        if let (Some(spec), false, true) = (polled, begun, m.wanted && m.holder == market) {
            let every = self.config.every_or(Metric::OpenInterest, self.config.poll_every);
            // Not all at once.
            let first = now + Span(i64::from(market.0 % 16) * every.0 / 16);
            self.state.polls.add(market, spec.metric, every, m.volume_24h_quote, first);
        }
    }

    /// Gives every wanted product a link with room; unneeded links go.
    fn assign(&mut self) {
        let level2_max = self.state.level2_max.unwrap_or(LEVEL2_PER_LINK);
        let max = if self.wants(Metric::Book) { level2_max } else { PRODUCTS_PER_LINK };
        for at in 0..self.markets.len() {
            let m = &self.markets[at];
            if m.holder.index() != at || !m.wanted || m.link.is_some() {
                continue;
            }
            let count = |id: LinkId| self.markets.iter().filter(|m| m.link == Some(id)).count();
            let free = self.state.links.all().iter().map(|l| l.id).find(|id| count(*id) < max);
            let id = free.unwrap_or_else(|| self.state.links.open(self.config.endpoints.ws.clone(), None));
            self.markets[at].link = Some(id);
        }
        self.state.links.keep(|id| self.markets.iter().any(|m| m.link == Some(id)));
    }

    /// Finds links for products without one, and subscribes where the link is open already.
    pub(super) fn place(&mut self, now: Ts, out: &mut Out) {
        let homeless: Vec<usize> = (0..self.markets.len()).filter(|at| self.markets[*at].link.is_none()).collect();
        self.assign();
        if self.relink() {
            out.actions.push(Action::Relink);
        }
        for (id, link) in self.state.open_conns() {
            let new = homeless.iter().copied().filter(|at| self.markets[*at].link == Some(link));
            let new: Vec<MarketIndex> = new.map(MarketIndex::at).collect();
            if !new.is_empty() {
                self.subscribe(now, id, &new, out);
            }
        }
    }

    /// Takes up which names of a product are wanted now; a product without any is left.
    fn rename(&mut self, now: Ts, holder: MarketIndex, specs: &[MarketSpec], out: &mut Out) {
        let is_listed = |symbol: &str| specs.iter().any(|s| s.symbol == symbol);
        let named = self.markets.iter().enumerate().filter(|(_, m)| m.holder == holder && is_listed(&m.symbol));
        let ids: Vec<MarketIndex> = named.map(|(at, _)| MarketIndex::at(at)).collect();
        let (is_wanted, m) = (!ids.is_empty(), &mut self.markets[holder.index()]);
        m.wanted = is_wanted;
        for id in core::mem::replace(&mut m.ids, ids.clone()).into_iter().filter(|id| !ids.contains(id)) {
            for metric in Metric::ALL {
                self.desk.tracker.lost(id, metric, now, StatusState::Gap, GapReason::NotRunning, out);
            }
        }
        if is_wanted {
            self.begin_poll(now, holder);
        } else {
            self.leave(now, holder, out);
        }
    }

    /// Bars that end in `(from, until]` are to be fetched once the last of them is closed.
    pub(super) fn want_bars(&mut self, now: Ts, at: MarketIndex, from: Option<Ts>, until: Ts, priority: Priority) {
        if let (Some(from), true) = (from, self.wants(Metric::Bar)) {
            let due = (until + CANDLE_SETTLES).max(now);
            self.desk.history.want(at, Metric::Bar, from, until, priority, due);
        }
    }

    /// Trades of a product come over this connection, the first of them stamped `stamp` or before. `seen`: ids reported that none
    /// is missing, or which; else what was before is not known.
    pub(super) fn synced(&mut self, now: Ts, at: MarketIndex, conn: ConnId, (stamp, seen): (Ts, bool), out: &mut Out) {
        let Some((p, mut sink)) = self.product(now, at, out) else { return };
        if !p.trades.synced(conn) {
            return;
        }
        sink.found(Metric::Trade);
        if !p.trades.bars.begun() {
            let (_, until) = p.trades.bars.restart(stamp);
            let backfill = self.config.backfill;
            let from = (backfill > Span::ZERO).then(|| (now - backfill).floor(Span::mins(1)));
            self.want_bars(now, at, from, until, Priority::Backfill);
        } else if !(seen && p.trades.counted()) {
            let (from, until) = p.trades.bars.restart(stamp);
            self.want_bars(now, at, from, until, Priority::Repair);
        }
    }
}
