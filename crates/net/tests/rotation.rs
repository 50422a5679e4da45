//! The venue's cut after a day, against the built-in venue server: a planned replacement loses nothing and declares nothing, a
//! cut that nobody planned is declared and healed.
//!
//! A venue's day is 40 s of the world here, and the world runs ten times as fast; sessions, sockets and requests are the real
//! ones. The venues' own spans (24 h, replaced before) are checked in their checklists.

#![expect(clippy::unwrap_used, reason = "helpers of tests, outside of test functions")]

use barograph_domain::{Metric, Payload, Span, Status, StatusState, Ts};
use barograph_net::{Bounds, Clock, ClockOf, InboxReceiver, Incoming, Net, NetOptions, inbox};
use barograph_sim::{Clock as _, Handle, Server, SimConfig, Venue, VirtualClock};
use barograph_venues::session::{
    Action, CloseReason, Emit, Input, Limits, MarketIndex, MarketSpec, Out, Session, SessionConfig, VenueDef, venue,
};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

const RATE: f64 = 10.0;
/// After this long the server cuts a connection.
const DAY: Span = Span::secs(40);
const PATIENCE: Duration = Duration::from_secs(90);

/// A session that is driven, and everything it said.
struct World {
    runtime: tokio::runtime::Runtime,
    clock: Arc<VirtualClock>,
    server: Handle,
    spoken: Venue,
    net: Net,
    inbox: InboxReceiver,
    session: Box<dyn Session>,
    ticked: Ts,
    events: Vec<(Ts, Emit)>,
    ends: Vec<CloseReason>,
}

impl World {
    fn start(spoken: Venue, limits: impl FnOnce(Limits) -> Limits) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        let clock = Arc::new(VirtualClock::new(Ts::from_civil(2026, 10, 1, 12, 0, 20), RATE));
        let mut config =
            SimConfig { connection_life: DAY, enforce_limits: false, deflate: true, ..SimConfig::default() };
        config.world.messages_per_s = 60.0;
        (config.world.usdm_markets, config.world.spot_markets, config.world.coinbase_markets) = (0, 0, 0);
        match spoken {
            Venue::BinanceUsdm => config.world.usdm_markets = 2,
            Venue::BinanceSpot => config.world.spot_markets = 2,
            Venue::Coinbase => config.world.coinbase_markets = 2,
            Venue::Coinex => unreachable!("its sockets are not replaced by plan"),
        }
        let server =
            runtime.block_on(Server::start(config, Arc::clone(&clock) as Arc<dyn barograph_sim::Clock>)).unwrap();
        let def: &VenueDef = venue(spoken.prefix().trim_start_matches('/')).unwrap();
        let path = if spoken == Venue::Coinbase { "/ws" } else { "" };
        let endpoints = barograph_venues::session::BaseAddresses {
            rest: server.rest_base(spoken),
            ws: format!("{}{path}", server.ws_base(spoken)),
        };
        let shared: Arc<dyn Clock> = Arc::new(ClockOf::new(Arc::clone(&clock), VirtualClock::now, VirtualClock::rate));
        let markets = runtime.block_on(list(def, &endpoints, Arc::clone(&shared)));
        assert_eq!(markets.len(), 2);
        let session = (def.open)(SessionConfig {
            endpoints,
            markets,
            metrics: vec![Metric::Trade, Metric::BestBidAsk, Metric::Book],
            backfill: Span::ZERO,
            book_depth: 1_000,
            poll_every: Span::secs(60),
            polls_every: Vec::new(),
            polls_in_flight_max: 4,
            trade_side_is_maker: true,
            mcp: None,
        });
        let (stamper, inbox) = inbox(Arc::clone(&shared), Bounds::default(), Ts::MIN);
        let options = NetOptions { seed: Some(7), ..NetOptions::default() };
        let net = Net::start(runtime.handle().clone(), shared, stamper, &options).unwrap();
        // At the end the world stands still, and that is no death.
        net.add_venue(def.id, limits(Limits { dead_after: Span::secs(120), ..(def.limits)() }));
        net.relink(0, session.links());
        let ticked = clock.now();
        Self { runtime, clock, server, spoken, net, inbox, session, ticked, events: Vec::new(), ends: Vec::new() }
    }

    /// Gives the session what happens until `done`.
    fn until(&mut self, what: &str, done: impl Fn(&Self) -> bool) {
        let deadline = Instant::now() + PATIENCE;
        let mut batch = Vec::new();
        while !done(self) {
            assert!(Instant::now() < deadline, "{what}: {:?}", self.net.stats());
            let taken = self.inbox.take(&mut batch, Duration::from_millis(20));
            for (at, item) in &batch {
                let mut out = Out::default();
                let input = match item {
                    Incoming::Opened { link, conn, .. } => Input::Opened { link: *link, conn: *conn },
                    Incoming::Closed { conn, reason, .. } => {
                        self.ends.push(*reason);
                        Input::Closed { conn: *conn, reason: *reason }
                    }
                    Incoming::Frame { conn, bytes, .. } => Input::Frame { conn: *conn, bytes },
                    Incoming::Reply { request, status, body, .. } => {
                        Input::Reply { request: *request, status: *status, body }
                    }
                    Incoming::Failed { request, reason, .. } => Input::Failed { request: *request, reason: *reason },
                };
                self.session.input(*at, &input, &mut out);
                self.follow(*at, out);
            }
            if taken.now - self.ticked >= Span::secs(1) {
                self.ticked = taken.now;
                let mut out = Out::default();
                self.session.input(taken.now, &Input::Tick, &mut out);
                self.follow(taken.now, out);
            }
        }
    }

    fn follow(&mut self, at: Ts, out: Out) {
        self.events.extend(out.events.into_iter().map(|e| (at, e)));
        for action in out.actions {
            match action {
                Action::Relink => self.net.relink(0, self.session.links()),
                other => self.net.act(0, other),
            }
        }
    }

    /// Every stream, books included, can be trusted.
    fn all_live(&self) -> bool {
        let live = |s: &barograph_venues::session::StreamSpec| {
            !s.offered
                || self.session.continuity().get(s.market, s.metric).is_some_and(|c| c.state == StatusState::Live)
        };
        self.session.streams().iter().all(live)
    }

    fn statuses(&self, from: usize) -> Vec<(MarketIndex, Metric, Status)> {
        let status = |(_, e): &(Ts, Emit)| match e.payload {
            Payload::Status(s) => Some((e.market, e.metric, s)),
            _ => None,
        };
        self.events[from..].iter().filter_map(status).collect()
    }

    /// Stops the world and takes what is on its way.
    fn rest(&mut self) {
        self.runtime.block_on(self.server.pause());
        // Shorter than a silence that would be called one.
        let settled = self.clock.now() + Span::secs(3);
        self.until("the last messages", |w| w.clock.now() > settled);
    }

    /// Every trade of the server since the first that was heard came, and how often; trades in declared gaps are left out.
    fn check_trades(&self) {
        let truth = self.server.truth();
        for (n, symbol) in (0_u32..).zip(truth.symbols(self.spoken)) {
            let own: Vec<&Emit> = self.events.iter().map(|(_, e)| e).filter(|e| e.market == MarketIndex(n)).collect();
            let mut came: BTreeMap<u64, u32> = BTreeMap::new();
            for e in own.iter().filter(|e| e.metric == Metric::Trade && matches!(e.payload, Payload::Trade { .. })) {
                *came.entry(e.seq).or_default() += 1;
            }
            let first = *came.keys().next().expect("trades came");
            let id = |t: &barograph_sim::TradeTruth| match self.spoken {
                Venue::Coinbase | Venue::Coinex => t.ids.0,
                Venue::BinanceUsdm | Venue::BinanceSpot => t.aggregate_id,
            };
            let trades = truth.trades(self.spoken, &symbol).unwrap();
            let all: Vec<u64> = match self.spoken {
                // Each single trade has its own line there.
                Venue::Coinbase => trades.iter().flat_map(|t| t.ids.0..=t.ids.1).filter(|i| *i >= first).collect(),
                _ => trades.iter().map(id).filter(|i| *i >= first).collect(),
            };
            assert!(all.len() > 100, "{symbol}: only {} trades", all.len());
            let missing: Vec<u64> = all.iter().copied().filter(|i| !came.contains_key(i)).collect();
            assert!(missing.is_empty(), "{symbol}: {} of {} trades are missing: {missing:?}", missing.len(), all.len());
            let doubled: Vec<_> = came.iter().filter(|(_, n)| **n > 1).collect();
            assert!(doubled.is_empty(), "{symbol}: came twice: {doubled:?}");
        }
    }

    /// Best levels are the server's.
    fn check_books(&self) {
        let truth = self.server.truth();
        for (n, symbol) in (0_u32..).zip(truth.symbols(self.spoken)) {
            let book = self.session.book(MarketIndex(n)).unwrap_or_else(|| panic!("{symbol} has no book"));
            let want = truth.book(self.spoken, &symbol).unwrap();
            assert_eq!(book.top(), Some((want.bids[0].price, want.asks[0].price)), "{symbol}");
        }
    }
}

/// The venue's markets in the server's order.
async fn list(def: &VenueDef, at: &barograph_venues::session::BaseAddresses, clock: Arc<dyn Clock>) -> Vec<MarketSpec> {
    let (stamper, _inbox) = inbox(Arc::clone(&clock), Bounds::default(), Ts::MIN);
    let net = Net::start(tokio::runtime::Handle::current(), clock, stamper, &NetOptions::default()).unwrap();
    net.add_venue(def.id, (def.limits)());
    let mut bodies = Vec::new();
    for ask in (def.discovery)(at) {
        let fetch = barograph_net::Fetch {
            url: ask.url,
            body: ask.body,
            pool: ask.pool,
            weight: ask.weight,
            timeout: Span::secs(60),
        };
        bodies.push(net.fetch(0, fetch).await.unwrap().body.to_vec());
    }
    net.stop().await;
    (def.instruments)(&bodies).unwrap()
}

/// Three replacements of every connection, and not a word about it.
fn check_planned(spoken: Venue) {
    let mut world = World::start(spoken, |limits| Limits {
        rotate_after: Some(DAY - Span::secs(6)),
        rotate_overlap: Span::secs(8),
        ..limits
    });
    world.until("all live", World::all_live);
    let settled = world.events.len();
    let links = world.session.links().len();
    world.until("three replacements of every connection", |w| w.ends.len() >= 3 * links);
    world.rest();
    assert!(world.ends.iter().all(|e| *e == CloseReason::Replaced), "the server cut one first: {:?}", world.ends);
    assert_eq!(world.statuses(settled), [], "a planned replacement is no gap");
    assert!(world.all_live());
    world.check_trades();
    world.check_books();
    for link in &world.net.stats()[0].links {
        assert!(link.opened >= 4 && link.lost == 0 && link.compressed == Some(world.net_deflates()), "{link:?}");
    }
}

impl World {
    fn net_deflates(&self) -> bool {
        self.session.limits().deflate
    }
}

/// The server cuts; the streams of that connection say so, come back, and the trades of the hole are fetched.
fn check_unplanned(spoken: Venue) {
    let mut world = World::start(spoken, |limits| Limits { rotate_after: None, ..limits });
    world.until("all live", World::all_live);
    let settled = world.events.len();
    let links = world.session.links().len();
    world.until("every connection is cut", |w| w.ends.len() >= links);
    world.until("all live again", World::all_live);
    // What is fetched afterwards comes some seconds later.
    let later = world.clock.now() + Span::secs(20);
    world.until("the holes are filled", |w| w.clock.now() > later);
    world.rest();
    assert!(world.ends.iter().all(|e| *e == CloseReason::ByVenue), "{:?}", world.ends);
    let said = world.statuses(settled);
    for stream in world.session.streams().iter().filter(|s| s.offered) {
        let own =
            |state| said.iter().any(|(m, metric, s)| (*m, *metric, s.state) == (stream.market, stream.metric, state));
        let lost = own(StatusState::Gap) || own(StatusState::Resync);
        assert!(lost && own(StatusState::Live), "{stream:?} was cut and says {said:?}");
    }
    world.check_trades();
    world.check_books();
    assert!(world.net.stats()[0].links.iter().all(|l| l.lost >= 1), "{:?}", world.net.stats()[0].links);
}

#[test]
fn planned_replacements_of_usdm_lose_nothing_and_declare_nothing() {
    check_planned(Venue::BinanceUsdm);
}

#[test]
fn planned_replacements_of_spot_lose_nothing_and_declare_nothing() {
    check_planned(Venue::BinanceSpot);
}

#[test]
fn planned_replacements_of_coinbase_lose_nothing_and_declare_nothing() {
    check_planned(Venue::Coinbase);
}

#[test]
fn a_cut_of_usdm_that_nobody_planned_is_declared_and_healed() {
    check_unplanned(Venue::BinanceUsdm);
}

#[test]
fn a_cut_of_spot_that_nobody_planned_is_declared_and_healed() {
    check_unplanned(Venue::BinanceSpot);
}

#[test]
fn a_cut_of_coinbase_that_nobody_planned_is_declared_and_healed() {
    check_unplanned(Venue::Coinbase);
}
