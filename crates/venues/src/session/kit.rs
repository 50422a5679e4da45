//! The machine that all venues share: links, streams, markets, requests, ticks, saving and restoring; and for venues with one
//! subscription per market and channel also subscribing, what is lost with a connection, what is subscribed again, markets that
//! come and go.
//!
//! What a venue adds is in [`super::protocol`]; everything is dispatched at compile time.

use crate::session::chain::{Chained, Step};
use crate::session::facts::Moment;
use crate::session::history::Job;
use crate::session::protocol::{Channel, Feed, Market as _, Protocol, Rest, Seat, Verb, WantedChannels};
use crate::session::{
    Action, CloseReason, ConnId, Desk, FailReason, Input, LagMeter, Limits, Link, LinkId, MarketIndex, MarketSpec,
    Names, OrderBook, Out, PoolId, Priority, Request, RequestId, RestoreError, Session, SessionConfig, StreamSpec,
    Tracker, offer, saved,
};
use barograph_domain::{GapReason, Metric, Span, StatusState, Ts};

/// Pages of trades: of a hole, and at first start.
const REPAIR_PAGES: u32 = 100;
const START_PAGES: u32 = 10;
/// A venue that is not available from here is not asked for this long.
const FORBIDDEN: Span = Span::mins(10);

/// What is to be said on the connections of each link.
type Changes<P> = Vec<(LinkId, Verb, WantedChannels<P>)>;

/// A session with a venue.
#[derive(Debug)]
pub(crate) struct Kit<P: Protocol> {
    pub config: SessionConfig,
    limits: Limits,
    links: Vec<Link>,
    pub desk: Desk,
    pub markets: Vec<P::Market>,
    /// The venue's names to markets; not saved.
    pub names: Names,
    /// What else is saved.
    pub state: P::State,
    /// What is not.
    pub venue: P,
}

/// The channels of these bits.
fn among<C: Channel>(bits: u16) -> impl Iterator<Item = C> {
    C::ALL.iter().copied().filter(move |c| bits & c.bit() != 0)
}

impl<P: Protocol> Kit<P> {
    /// A session with this venue that has seen nothing.
    pub(crate) fn new(venue: P, config: SessionConfig) -> Self {
        let mut kit = Self {
            limits: (venue.terms().limits)(),
            links: Vec::new(),
            desk: Desk::new(config.backfill, P::PAGES_MAX),
            markets: Vec::new(),
            names: Names::default(),
            state: P::State::default(),
            venue,
            config,
        };
        for spec in kit.config.markets.clone() {
            kit.add(spec);
        }
        P::index(&mut kit);
        P::begin(&mut kit);
        kit.relink();
        kit
    }

    /// Adds a market that was never wanted before, with its streams.
    pub(crate) fn add(&mut self, spec: MarketSpec) -> MarketIndex {
        let index = MarketIndex::at(self.markets.len());
        for metric in Metric::ALL.into_iter().filter(|m| self.config.metrics.contains(m)) {
            let (rows, poll) = (self.venue.terms().streams, || P::poll_every(self));
            let stream = offer::stream(rows, P::DELAY, (index, &spec), metric, poll);
            self.desk.streams.push(stream);
        }
        let market = P::market(self, spec);
        self.markets.push(market);
        index
    }

    /// Reads again which connections are wanted. True: others than before.
    pub(crate) fn relink(&mut self) -> bool {
        let links = P::links(self);
        let moved = links != self.links;
        self.links = links;
        moved
    }

    /// Adds to the tracker the streams that were added.
    pub(crate) fn declare(&mut self, now: Ts, out: &mut Out) {
        if !self.desk.has_declared() {
            let (rows, poll) = (self.venue.terms().streams, P::poll_every(self));
            self.desk.declare(now, |metric| offer::silence(rows, metric, poll), out);
        }
    }

    /// Bits of the channels that the wanted streams of a market need.
    pub(crate) fn channels_of(&self, spec: &MarketSpec) -> u16 {
        let rows = self.venue.terms().streams;
        offer::channels(rows, spec.kind, &self.config).fold(0, |bits, channel| bits | channel.bit())
    }

    /// A channel of a market, while it is subscribed, on the connections of this link.
    pub(crate) fn on_link(&self, link: LinkId) -> impl Iterator<Item = (MarketIndex, P::Channel)> {
        self.markets.iter().enumerate().flat_map(move |(at, market)| {
            let here = among(market.channels() & !market.refused()).filter(move |c| market.link_of(*c) == Some(link));
            here.map(move |channel| (MarketIndex::at(at), channel))
        })
    }

    /// A new connection: everything of its link is subscribed.
    pub(crate) fn conn_opened(&mut self, now: Ts, link: LinkId, conn: ConnId, out: &mut Out) {
        self.desk.open(conn, link);
        self.desk.revive.opened(now);
        let wanted: WantedChannels<P> = self.on_link(link).collect();
        for market in self.markets.iter_mut().filter(|m| m.link() == Some(link)) {
            P::subscribed(market, now);
        }
        P::send(self, now, conn, Verb::Subscribe, &wanted, out);
    }

    /// With a connection goes what no other one brings.
    pub(crate) fn conn_closed(&mut self, now: Ts, conn: ConnId, reason: CloseReason, out: &mut Out) {
        P::forget(&mut self.state, conn);
        let Some(gone) = self.desk.close(conn) else { return };
        let why = if reason == CloseReason::Stopping { GapReason::NotRunning } else { GapReason::Disconnected };
        for (at, market) in self.markets.iter_mut().enumerate() {
            let index = MarketIndex::at(at);
            // Settlements come over no connection; only while the program does not run they are missed.
            if reason == CloseReason::Stopping && market.channels() != 0 && market.link() == Some(gone.link) {
                self.desk.lost(index, Metric::FundingRateSettled, now, why, out);
            }
            for channel in among::<P::Channel>(market.channels()) {
                if market.link_of(channel) != Some(gone.link) {
                    continue;
                }
                let other = self.desk.conns.iter().rev().find(|c| c.covers(index, channel.bit())).map(|c| c.id);
                P::channel_closed(market, channel, conn, other);
                if other.is_none() {
                    for metric in channel.metrics() {
                        self.desk.lost(index, *metric, now, why, out);
                    }
                }
            }
        }
    }

    /// The connection delivers this channel from now on; streams that may be silent are healthy with that.
    #[inline]
    pub(crate) fn covers(&mut self, now: Ts, conn: ConnId, market: MarketIndex, channel: P::Channel, out: &mut Out) {
        if self.desk.cover(conn, market, channel.bit()) {
            for metric in channel.metrics() {
                if matches!(metric, Metric::Trade | Metric::Liquidation) {
                    self.desk.found(market, *metric, now, out);
                }
            }
        }
    }

    /// A place for a market that was never wanted before, whose book is wanted this deep.
    pub(crate) fn seat(&mut self, spec: &MarketSpec, depth: usize) -> Seat {
        let channels = self.channels_of(spec);
        let book = Chained::new(spec.tick.map_or(0, |t| t.scale), depth);
        Seat { link: P::room(self, spec, channels), channels, refused: 0, book }
    }

    /// Names to markets, anew.
    pub(crate) fn name(&mut self) {
        self.names = Names::default();
        for (at, market) in self.markets.iter().enumerate() {
            self.names.insert(market.symbol().as_bytes(), MarketIndex::at(at));
        }
    }

    /// The market of a symbol, if this connection is the one for that channel of it.
    pub(crate) fn mine(&self, conn: ConnId, symbol: &str, channel: P::Channel) -> Option<MarketIndex> {
        let index = self.names.get(symbol.as_bytes())?;
        let link = self.markets.get(index.index())?.link_of(channel);
        (self.desk.link_of(conn)? == link?).then_some(index)
    }

    /// The market that a message is about, while this channel of it is wanted: a message may have been under way when it was
    /// unsubscribed. `None` for a symbol that nobody asked for is a fault.
    pub(crate) fn about(
        &self,
        market: Option<MarketIndex>,
        channel: P::Channel,
        symbol: &str,
        out: &mut Out,
    ) -> Option<MarketIndex> {
        if market.is_none() {
            out.fault("unknown_symbol", None, "a symbol that was not asked for", symbol.as_bytes());
        }
        market.filter(|m| self.markets[m.index()].channels() & channel.bit() != 0)
    }

    /// The venue refused these, subscribed with one request. A bad one takes its whole request down: it is halved until the bad one
    /// stands alone.
    pub(crate) fn refused_together(&mut self, now: Ts, conn: ConnId, all: &[(MarketIndex, P::Channel)], out: &mut Out) {
        match all {
            [] => {}
            [(market, channel)] => self.refused(now, *market, *channel, out),
            many => {
                let (a, b) = many.split_at(many.len() / 2);
                P::send(self, now, conn, Verb::Subscribe, a, out);
                P::send(self, now, conn, Verb::Subscribe, b, out);
            }
        }
    }

    /// The venue does not have this channel of a market: what it carries is lost for good.
    pub(crate) fn refused(&mut self, now: Ts, market: MarketIndex, channel: P::Channel, out: &mut Out) {
        self.markets[market.index()].refuse(channel.bit());
        for metric in channel.metrics() {
            self.desk.lost(market, *metric, now, GapReason::Refused, out);
        }
    }

    /// Subscribes again what does not come, and replaces connections on which nothing does, or that have fallen silent.
    pub(crate) fn revive(&mut self, now: Ts, out: &mut Out) {
        for link in self.links.iter().map(|l| l.id).collect::<Vec<_>>() {
            let conn = self.desk.newest(link);
            let Some(conn) = conn.filter(|conn| P::affords(self, now, *conn)) else { continue };
            let all: WantedChannels<P> = self.on_link(link).collect();
            let (mut carried, mut again, mut heard) = (Vec::new(), Vec::new(), Vec::new());
            for (market, channel) in all {
                heard.push((market, channel.metrics()));
                let Some(metrics) = P::revives(channel) else { continue };
                carried.push((market, channel.bit()));
                if self.desk.is_to_revive(now, market, channel.bit(), metrics) {
                    again.push((market, channel));
                }
            }
            if self.desk.is_mute(now, &heard) || self.desk.condemns(&carried) {
                out.actions.push(Action::Close { conn, reason: CloseReason::Asked });
            } else {
                P::again(self, now, conn, &again, out);
            }
        }
    }

    /// What a message did to a chained book; `sample` is what it says.
    pub(crate) fn chained(&mut self, m: Moment, step: Step, seq: u64, sample: &str, out: &mut Out) {
        let Some((seat, told)) = self.markets[m.market.index()].seat_mut() else { return };
        let book = &mut seat.book;
        match step {
            Step::Ignored => {}
            Step::Applied => self.desk.book_moved(m, seq, told, &book.book, out),
            Step::OneSided => self.desk.lost(m.market, Metric::Book, m.now, GapReason::EmptyBook, out),
            Step::Broken(why) => {
                book.drop_book();
                self.desk.book_broken(m.now, m.market, why, sample, out);
                if book.breaks_often() {
                    book.asked(m.now);
                } else {
                    self.rebuild(m.now, m.market, out);
                }
            }
        }
    }

    /// Builds one chained book anew: it is subscribed again, which begins with a snapshot.
    pub(crate) fn rebuild(&mut self, now: Ts, market: MarketIndex, out: &mut Out) {
        let m = &mut self.markets[market.index()];
        let (Some(channel), Some((seat, _))) = (P::BOOK, m.seat_mut()) else { return };
        seat.book.asked(now);
        let conn = m.link_of(channel).and_then(|link| self.desk.newest(link));
        if let Some(conn) = conn.filter(|conn| P::affords(self, now, *conn)) {
            P::send(self, now, conn, Verb::Unsubscribe, &[(market, channel)], out);
            P::send(self, now, conn, Verb::Subscribe, &[(market, channel)], out);
        }
    }

    /// Chained books whose snapshot did not come are subscribed anew, and those whose kept part is nearly used up.
    pub(crate) fn late_books(&mut self, now: Ts, out: &mut Out) {
        for at in 0..self.markets.len() {
            let Some((seat, _)) = self.markets[at].seat_mut() else { return };
            let late = seat.book.overdue(now);
            if late {
                seat.book.late();
            }
            if late || (P::WHOLE_BOOKS && seat.book.is_used_up()) {
                self.rebuild(now, MarketIndex::at(at), out);
            }
        }
    }

    /// Asks for the pages of history that are due, at the address and from the budget that `page` says. What the venue keeps no
    /// history of is not wanted any longer.
    pub(crate) fn ask_pages(&mut self, now: Ts, page: impl Fn(&Self, &Job) -> Option<(String, PoolId)>, out: &mut Out) {
        while let Some((id, job)) = self.desk.page(now) {
            if let Some((url, pool)) = page(self, &job) {
                out.actions.push(Action::Request(Request::get(id, url, pool, job.priority)));
            } else {
                self.desk.history.answered(id);
                self.desk.history.stop(now, &job);
            }
        }
    }

    /// A page of trades was read. `next` names the one behind it, and where the trades lie that are not read yet; of too many the
    /// rest is given up.
    pub(crate) fn trades_paged(&mut self, now: Ts, job: &Job, next: Option<(u64, [Ts; 2])>, out: &mut Out) {
        let first = job.priority == Priority::Backfill;
        let most = if first { START_PAGES } else { REPAIR_PAGES };
        if let Some((cursor, _)) = next.filter(|_| job.pages + 1 < most) {
            self.desk.history.advance(now, job, job.from, Some(cursor));
            return;
        }
        if let Some((_, [from, until])) = next.filter(|_| !first) {
            let why = format!("trades between {from} and {until} are too many to fetch");
            out.fault("history_cut", Some(job.market), &why, b"");
        }
        self.desk.history.stop(now, job);
    }

    /// Nobody answered a request for a page of history.
    pub(crate) fn no_answer(&mut self, now: Ts, request: RequestId, reason: FailReason, out: &mut Out) {
        let Some(job) = self.desk.history.answered(request) else { return };
        if reason == FailReason::Forbidden {
            let why = format!("{} is not available from here", self.venue.terms().id);
            out.fault("region_refused", Some(job.market), &why, b"");
            self.desk.quiet_until = Some(now + FORBIDDEN);
        }
        self.retry(now, &job, "", out);
    }

    fn tick(&mut self, now: Ts, out: &mut Out) {
        P::before_tick(self, now, out);
        self.desk.tracker.tick(now, out);
        P::revive(self, now, out);
        P::after_tick(self, now, out);
        while let Some(job) = self.desk.history.tick(now) {
            self.retry(now, &job, "no answer", out);
        }
    }

    /// Tries a page of history again later; says so when that was the last time.
    pub(crate) fn retry(&mut self, now: Ts, job: &Job, why: &str, out: &mut Out) {
        if self.desk.history.retry(now, job) {
            let said = P::given_up(self, job, why);
            out.fault("history_given_up", Some(job.market), &said, b"");
        }
    }

    /// A page of history was read, up to `page`. `None`: it is no such list; false: what is waited for is not in it yet.
    pub(crate) fn paged(&mut self, now: Ts, job: &Job, read: Option<bool>, page: Ts, body: &[u8], out: &mut Out) {
        if read.is_none() {
            out.fault("undecodable", Some(job.market), "an answer that is no such list", body);
        }
        if read == Some(true) {
            self.desk.history.advance(now, job, page, None);
        } else {
            self.retry(now, job, "not such a list", out);
        }
    }

    /// The complete new list of markets: what is not in it is left, what is new finds a place.
    pub(crate) fn markets_changed(&mut self, now: Ts, wanted: &[MarketSpec], out: &mut Out) {
        let mut changes = Changes::<P>::new();
        for at in 0..self.markets.len() {
            let spec = wanted.iter().find(|spec| P::is(&self.markets[at], spec));
            match (spec, self.markets[at].channels()) {
                (None, 1..) => {
                    let bits = self.left(now, MarketIndex::at(at), out);
                    self.note(&mut changes, MarketIndex::at(at), Verb::Unsubscribe, bits);
                }
                (Some(spec), 0) => {
                    P::join(self, MarketIndex::at(at), spec);
                    self.came(&mut changes, now, MarketIndex::at(at));
                }
                _ => {}
            }
        }
        for spec in wanted {
            if !self.markets.iter().any(|m| P::is(m, spec)) {
                let market = self.add(spec.clone());
                self.came(&mut changes, now, market);
            }
        }
        for (link, verb, wanted) in changes {
            let conns: Vec<ConnId> = self.desk.conns.iter().filter(|c| c.link == link).map(|c| c.id).collect();
            for conn in conns {
                P::send(self, now, conn, verb, &wanted, out);
            }
        }
        self.config.markets = wanted.to_vec();
        P::index(self);
        self.relink();
        out.actions.push(Action::Relink);
    }

    /// A market is not wanted any more. Returns the channels to be unsubscribed.
    fn left(&mut self, now: Ts, market: MarketIndex, out: &mut Out) -> u16 {
        let bits = P::leave(self, market);
        self.desk.uncover(market, u16::MAX);
        self.desk.history.remove(market);
        for metric in &self.config.metrics {
            self.desk.lost(market, *metric, now, GapReason::NotRunning, out);
        }
        bits
    }

    fn came(&mut self, changes: &mut Changes<P>, now: Ts, index: MarketIndex) {
        let market = &mut self.markets[index.index()];
        P::joined(market, now);
        let bits = market.channels();
        self.note(changes, index, Verb::Subscribe, bits);
    }

    /// Adds channels of a market to what is said on their connections.
    fn note(&self, changes: &mut Changes<P>, index: MarketIndex, verb: Verb, bits: u16) {
        let market = &self.markets[index.index()];
        for channel in among::<P::Channel>(bits) {
            let Some(link) = market.link_of(channel) else { continue };
            match changes.iter_mut().find(|c| c.0 == link && c.1 == verb) {
                Some(known) => known.2.push((index, channel)),
                None => changes.push((link, verb, vec![(index, channel)])),
            }
        }
    }
}

impl<P: Protocol> Session for Kit<P>
where
    Self: Feed + Rest,
{
    fn venue(&self) -> &'static str {
        self.venue.terms().id
    }

    fn limits(&self) -> &Limits {
        &self.limits
    }

    fn input(&mut self, now: Ts, input: &Input<'_>, out: &mut Out) {
        self.declare(now, out);
        P::before(self, now, out);
        match input {
            Input::Opened { link, conn } => P::opened(self, now, *link, *conn, out),
            Input::Closed { conn, reason } => P::closed(self, now, *conn, *reason, out),
            Input::Frame { conn, bytes } => return self.frame(now, *conn, bytes, out),
            Input::Reply { request, status, body } => self.reply(now, *request, *status, body, out),
            Input::Failed { request, reason } => self.failed(now, *request, *reason, out),
            Input::Tick => self.tick(now, out),
            Input::Markets(wanted) => {
                P::change(self, now, wanted, out);
                self.declare(now, out);
            }
        }
        if P::asks(input) {
            self.ask(now, out);
        }
    }

    fn resume(&mut self, now: Ts) {
        P::resume(self, now);
    }

    fn fetching(&self, market: MarketIndex, of: &dyn Fn(Metric) -> bool) -> bool {
        P::fetching(self, market, of)
    }

    fn links(&self) -> &[Link] {
        &self.links
    }

    fn carried(&self, link: LinkId) -> usize {
        P::carried(self, link)
    }

    fn streams(&self) -> &[StreamSpec] {
        &self.desk.streams
    }

    fn book(&self, market: MarketIndex) -> Option<&OrderBook> {
        let book = P::book(self, self.markets.get(market.index())?)?;
        let stream = self.desk.tracker.get(market, Metric::Book);
        (P::SHOWS_SILENT_BOOKS || stream?.state == StatusState::Live).then_some(book)
    }

    fn continuity(&self) -> &Tracker {
        &self.desk.tracker
    }

    fn lag(&self) -> Option<&LagMeter> {
        Some(&self.desk.lag)
    }

    fn save(&self) -> Vec<u8> {
        let Self { config, desk, markets, state, .. } = self;
        if P::SEALED {
            saved::save(P::FORMAT, config, &(desk, markets, state))
        } else {
            saved::save_plain(P::FORMAT, &(config, desk, markets, state))
        }
    }

    fn restore(&mut self, bytes: &[u8]) -> Result<(), RestoreError> {
        let symbols = |markets: &Vec<P::Market>| markets.iter().map(|m| m.symbol().to_owned()).collect();
        (self.desk, self.markets, self.state) = if P::SEALED {
            saved::restore(P::FORMAT, &self.config, bytes, |s: &(_, _, _)| symbols(&s.1))?
        } else {
            type Whole<P> = (SessionConfig, Desk, Vec<<P as Protocol>::Market>, <P as Protocol>::State);
            let (_, desk, markets, state) =
                saved::restore_plain::<Whole<P>>(P::FORMAT, &self.config, bytes, |s| (&s.0, symbols(&s.2)))?;
            (desk, markets, state)
        };
        P::index(self);
        self.relink();
        Ok(())
    }
}
