//! What a Coinbase session remembers; all of it is saved and restored.

use super::books::BookFeed;
use super::conn::{Conn, Watch};
use super::history::CANDLE_SETTLES;
use super::limits::{LEVEL2_PER_LINK, PRODUCTS_PER_LINK};
use super::map::Derived;
use super::sink::Sink;
use super::symbols::canonical;
use super::trades::TradeFeed;
use crate::session::history::History;
use crate::session::offer::{self, Of, Offer};
use crate::session::seen::Minutes;
use crate::session::{
    ConnId, Link, LinkId, MarketIndex, MarketSpec, Out, Polls, Priority, RequestId, Revive, SessionConfig, StreamSpec,
    Tracker,
};
use barograph_domain::{MarketKind, Metric, Span, Ts};
use serde::{Deserialize, Serialize};

/// One market, and if it is the first to name its product, the state of the product.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub(super) struct Market {
    /// Product id in the venue's messages.
    pub(super) product: String,
    /// Wanted markets that stand for the product; only its holder has some.
    pub(super) ids: Vec<MarketIndex>,
    /// The market that holds the state of the product: itself, unless another named the product before.
    pub(super) holder: MarketIndex,
    pub(super) wanted: bool,
    pub(super) future: bool,
    /// Base units of one unit the venue counts: contract size of futures.
    pub(super) scale: f64,
    pub(super) digits: u8,
    /// Volume of 24 h when it was listed.
    pub(super) volume_24h_quote: Option<f64>,
    pub(super) link: Option<LinkId>,
    pub(super) book: BookFeed,
    pub(super) trades: TradeFeed,
    pub(super) bars_emitted: Minutes,
    /// Stamp of the newest quote.
    pub(super) quoted: Ts,
    pub(super) derived: Derived,
}

/// State of the session.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub(super) struct State {
    /// As it was opened with.
    pub(super) config: SessionConfig,
    /// All symbols ever wanted, in the order of their index.
    pub(super) symbols: Vec<String>,
    pub(super) markets: Vec<Market>,
    pub(super) streams: Vec<StreamSpec>,
    pub(super) tracker: Tracker,
    pub(super) polls: Polls,
    pub(super) history: History,
    pub(super) links: Vec<Link>,
    pub(super) links_made: u16,
    /// When a connection of a link was last replaced for a gap.
    pub(super) replaced: Vec<(LinkId, Ts)>,
    /// Level-2 products per link; lowered when the venue refuses.
    pub(super) level2_max: usize,
    pub(super) conns: Vec<Conn>,
    pub(super) watch: Watch,
    pub(super) requests_made: u64,
    /// Subscriptions that the venue does not list.
    pub(super) revive: Revive,
    /// The streams have been declared.
    pub(super) declared: bool,
}

/// A list position as a market.
pub(super) fn index_of(at: usize) -> MarketIndex {
    MarketIndex(u32::try_from(at).unwrap_or(u32::MAX))
}

const fn offer(metric: Metric, of: Of) -> Offer<()> {
    Offer::new(metric, of, None)
}

/// What a poll of the product brings. Polls of quiet products are stretched up to four times; two may fail.
const fn polled(metric: Metric, of: Of) -> Offer<()> {
    offer(metric, of).polled().silence_polls(12)
}

/// What the venue offers.
pub(super) const STREAMS: [Offer<()>; 7] = [
    offer(Metric::Bar, Of::All).every(Span::mins(1)).delay(Span::secs(2)),
    offer(Metric::Trade, Of::All),
    offer(Metric::BestBidAsk, Of::All),
    polled(Metric::IndexPrice, Of::Contracts),
    polled(Metric::FundingRate, Of::Perpetuals),
    polled(Metric::OpenInterest, Of::Contracts),
    offer(Metric::Book, Of::All),
];
/// Streams the venue has for at least one kind of market.
pub(super) const METRICS: [Metric; 7] = offer::metrics(&STREAMS);
/// How long after its stamp a value is usually received.
const DELAY: Span = Span::secs(1);

impl State {
    pub(super) fn new(config: SessionConfig) -> Self {
        let polls = Polls::new(config.polls_in_flight_max);
        let mut state = Self {
            symbols: Vec::new(),
            markets: Vec::new(),
            streams: Vec::new(),
            tracker: Tracker::default(),
            polls,
            // Two pages at once leave most of the ten requests per second to polls.
            history: History::new(2),
            links: Vec::new(),
            links_made: 0,
            replaced: Vec::new(),
            level2_max: LEVEL2_PER_LINK,
            conns: Vec::new(),
            watch: Watch::default(),
            requests_made: 0,
            revive: Revive::default(),
            declared: false,
            config,
        };
        for spec in state.config.markets.clone() {
            state.add(&spec);
        }
        state.assign();
        state
    }

    pub(super) fn wants(&self, metric: Metric) -> bool {
        self.config.metrics.contains(&metric)
    }

    fn per_link(&self) -> usize {
        if self.wants(Metric::Book) { self.level2_max } else { PRODUCTS_PER_LINK }
    }

    /// Adds a market that was never wanted before.
    pub(super) fn add(&mut self, spec: &MarketSpec) -> MarketIndex {
        let index = index_of(self.markets.len());
        let product = canonical(&spec.symbol).to_owned();
        let holder = self.markets.iter().find(|m| m.product == product).map_or(index, |m| m.holder);
        let future = spec.kind != MarketKind::Spot;
        let scale = spec.contract_size.filter(|_| future).unwrap_or(1.0);
        self.symbols.push(spec.symbol.clone());
        self.markets.push(Market {
            product,
            ids: if holder == index { vec![index] } else { Vec::new() },
            holder,
            wanted: true,
            future,
            scale,
            // Without a known tick: eight digits, the most of any spot product.
            digits: spec.tick.map_or(8, |t| t.scale),
            volume_24h_quote: spec.volume_24h_quote,
            link: None,
            book: BookFeed::new(),
            trades: TradeFeed::new(scale, !future),
            bars_emitted: Minutes::default(),
            quoted: Ts::MIN,
            derived: Derived::default(),
        });
        if holder != index
            && let Some(first) = self.markets.get_mut(holder.index())
        {
            first.ids.push(index);
            first.wanted = true;
        }
        for metric in Metric::ALL.into_iter().filter(|m| self.config.metrics.contains(m)) {
            self.streams.push(offer::stream(&STREAMS, DELAY, (index, spec), metric, &self.config));
        }
        index
    }

    /// Declares what has been added since the last time, and begins its polls.
    pub(super) fn declare(&mut self, now: Ts, out: &mut Out) {
        let done = self.tracker.all().len();
        let floor = now - self.config.backfill;
        for spec in self.streams.get(done..).unwrap_or_default() {
            let silence = offer::silence(&STREAMS, spec.metric, &self.config);
            self.tracker.declare(now, spec, silence, out);
        }
        for at in 0..self.markets.len() {
            self.begin_polls(now, at);
        }
        for market in &mut self.markets {
            market.trades.since(floor);
        }
        self.declared = true;
    }

    /// Polls the product of a future, unless that is done already. One answer serves all three streams.
    pub(super) fn begin_polls(&mut self, now: Ts, at: usize) {
        let market = index_of(at);
        let of = |s: &&StreamSpec| s.offered && s.market == market && offer::is_polled(&STREAMS, s.metric);
        let polled = self.streams.iter().find(of);
        let begun = self.polls.all().iter().any(|p| p.market == market);
        if let (Some(spec), false, true) = (polled, begun, self.markets[at].wanted && self.holds(at)) {
            let every = self.config.every_or(Metric::OpenInterest, self.config.poll_every);
            // Not all at once.
            let first = now + Span(i64::from(market.0 % 16) * every.0 / 16);
            self.polls.add(market, spec.metric, every, self.markets[at].volume_24h_quote, first);
        }
    }

    /// Gives every wanted product a link with room; unneeded links go. True when the links changed.
    pub(super) fn assign(&mut self) -> bool {
        let before = self.links.clone();
        let max = self.per_link();
        for at in 0..self.markets.len() {
            if !self.holds(at) || !self.markets[at].wanted || self.markets[at].link.is_some() {
                continue;
            }
            let count = |id: LinkId| self.markets.iter().filter(|m| m.link == Some(id)).count();
            let free = self.links.iter().map(|l| l.id).find(|id| count(*id) < max);
            let id = free.unwrap_or_else(|| {
                let id = LinkId(self.links_made);
                self.links_made = self.links_made.saturating_add(1);
                self.links.push(Link { id, url: self.config.endpoints.ws.clone(), ping: None });
                id
            });
            self.markets[at].link = Some(id);
        }
        let markets = &self.markets;
        self.links.retain(|l| markets.iter().any(|m| m.link == Some(l.id)));
        self.links != before
    }

    /// Does this market hold the state of its product?
    pub(super) fn holds(&self, at: usize) -> bool {
        self.markets.get(at).is_some_and(|m| m.holder.index() == at)
    }

    /// Bars that end in `(from, until]` are to be fetched once the last of them is closed.
    pub(super) fn want_bars(&mut self, now: Ts, at: usize, from: Option<Ts>, until: Ts, priority: Priority) {
        if let (Some(from), true) = (from, self.wants(Metric::Bar)) {
            let due = (until + CANDLE_SETTLES).max(now);
            self.history.want(index_of(at), Metric::Bar, from, until, priority, due);
        }
    }

    /// Trades of a product come over this connection, the first of them stamped `stamp` or before. `seen`: ids told that none
    /// is missing, or which; else what was before is not known.
    pub(super) fn synced(&mut self, now: Ts, at: usize, conn: ConnId, (stamp, seen): (Ts, bool), out: &mut Out) {
        let Some((p, mut sink)) = split(&mut self.markets, &mut self.tracker, at, now, out) else { return };
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

    /// Position of the holders on a link.
    pub(super) fn on_link(&self, link: LinkId) -> Vec<usize> {
        (0..self.markets.len()).filter(|at| self.markets[*at].link == Some(link)).collect()
    }

    pub(super) fn next_request(&mut self) -> RequestId {
        self.requests_made += 1;
        RequestId(self.requests_made)
    }
}

/// A product and its way out, at the same time.
pub(super) fn split<'a>(
    markets: &'a mut [Market],
    tracker: &'a mut Tracker,
    at: usize,
    now: Ts,
    out: &'a mut Out,
) -> Option<(Product<'a>, Sink<'a>)> {
    let m = markets.get_mut(at)?;
    let product = Product {
        book: &mut m.book,
        trades: &mut m.trades,
        bars_emitted: &mut m.bars_emitted,
        quoted: &mut m.quoted,
        derived: &mut m.derived,
        scale: m.scale,
        digits: m.digits,
    };
    Some((product, Sink { now, ids: &m.ids, tracker, out }))
}

/// The changing parts of a [`Market`].
pub(super) struct Product<'a> {
    pub(super) book: &'a mut BookFeed,
    pub(super) trades: &'a mut TradeFeed,
    pub(super) bars_emitted: &'a mut Minutes,
    pub(super) quoted: &'a mut Ts,
    pub(super) derived: &'a mut Derived,
    pub(super) scale: f64,
    pub(super) digits: u8,
}
