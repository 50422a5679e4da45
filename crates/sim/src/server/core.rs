//! The server's state behind one lock, and the step that moves it along with the clock.

use crate::clock::Clock;
use crate::fault::FaultPlan;
use crate::server::Source;
use crate::server::conn::{ClientConn, SocketLine};
use crate::server::hub::ClientHub;
use crate::server::limits::ClientBudgets;
use crate::server::streams::Tier;
use crate::server::tape::Tape;
use crate::server::{coinbase, coinex, session};
use crate::world::event::MarketEvent;
use crate::world::{SLOT, World};
use crate::{SimConfig, Venue};
use barograph_domain::{Span, Ts};
use std::sync::Arc;

/// Everything that is shared between the driver, the sockets and the REST routes.
pub(crate) struct ServerCore {
    pub(crate) world: World,
    pub(crate) hub: ClientHub,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) limits: ClientBudgets,
    pub(crate) config: SimConfig,
    /// `synthetic` or `recorded`.
    pub(crate) origin: &'static str,
    pub(crate) tape: Option<Tape>,
    pub(crate) paused: bool,
    /// New sockets are refused before these moments.
    pub(crate) refused_until: [Ts; Venue::COUNT],
    events: Vec<MarketEvent>,
    second: i64,
}

impl ServerCore {
    pub(crate) fn new(config: SimConfig, clock: Arc<dyn Clock>) -> Self {
        let mut config = config;
        let name = config.source.origin();
        config.world.origin = clock.now();
        let origin = config.world.origin;
        let mut tape = None;
        let world = match core::mem::take(&mut config.source) {
            Source::Synthetic => World::new(&config.world),
            Source::History(markets) => World::of_history(&markets, origin),
            Source::Recorded(recording) => {
                tape = Some(Tape::new(recording));
                World::of_history(&[], origin)
            }
        };
        let faults = core::mem::take(&mut config.faults);
        let hub = ClientHub::new(&world, FaultPlan::new(config.world.seed, world.now(), faults));
        let second = world.now().as_millis().div_euclid(1_000);
        let limits = ClientBudgets::new(config.enforce_limits);
        Self {
            world,
            hub,
            clock,
            limits,
            config,
            origin: name,
            tape,
            paused: false,
            refused_until: [Ts::MIN; Venue::COUNT],
            events: Vec::new(),
            second,
        }
    }

    /// The moment up to which the world has been published.
    pub(crate) const fn now(&self) -> Ts {
        self.world.now()
    }

    /// Whether the world stands still: asked to, and nothing is left to publish.
    pub(crate) const fn rests(&self) -> bool {
        self.paused && self.world.is_published()
    }

    /// Moves the world up to the clock, `slots` of 5 ms at most; true when there is more to do.
    pub(crate) fn run(&mut self, slots: usize) -> bool {
        let target = self.clock.now();
        let mut left = slots;
        while left > 0 && self.world.now() + SLOT <= target && !self.rests() {
            self.step();
            left -= 1;
        }
        self.hub.flush();
        self.world.now() + SLOT <= target && !self.rests()
    }

    fn step(&mut self) {
        let Self { world, hub, events, .. } = self;
        hub.now = world.now() + SLOT;
        let now_ms = hub.now.as_millis();
        world.advance(events, |number, market, events| hub.publish(number, market, events, now_ms));
        if let Some(tape) = &mut self.tape {
            tape.play(&mut self.hub);
        }
        // All markets have passed the full second by the end of the tenth slot after it.
        let second = (now_ms - 50).div_euclid(1_000);
        if second > self.second {
            self.second = second;
            self.hub.publish_everywhere(&self.world, second * 1_000);
            coinbase::second(self, second * 1_000);
            coinex::second(self);
            self.maintain();
            self.trouble(true);
        } else if now_ms % 50 == 0 {
            self.trouble(false);
        }
    }

    /// Pings, patience and the end of a connection's life.
    fn maintain(&mut self) {
        let now = self.world.now();
        let life = self.config.connection_life;
        for conn in self.hub.conns.iter_mut().flatten().filter(|c| !c.ended && !c.silent) {
            let late = now - conn.opened > SUBSCRIBE_WITHIN && conn.channels.is_empty() && conn.sequence == 0;
            if conn.ends_at.is_some_and(|at| now >= at) {
                conn.cut();
            } else if conn.venue == Venue::Coinbase && late {
                conn.close(1008, "no subscription in time");
            } else if now - conn.opened >= life {
                conn.close(1001, "connection lifetime reached");
            } else if now - conn.heard >= conn.patience() {
                conn.close(1008, "no pong");
            } else if now >= conn.next_ping {
                conn.ping(now);
            }
        }
    }

    /// A WebSocket was opened on a path with these stream names in its address.
    pub(crate) fn open(&mut self, open: &Opening, line: SocketLine) -> (usize, u64) {
        let now = self.now();
        let (slot, id) = self.hub.join(|id| ClientConn::new(id, open.venue, open.tier, open.envelope, line, now));
        session::subscribe(self, slot, id, &open.streams);
        self.hub.flush();
        (slot, id)
    }
}

/// How a WebSocket was opened.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Opening {
    pub(crate) venue: Venue,
    pub(crate) tier: Tier,
    pub(crate) envelope: bool,
    pub(crate) streams: Vec<String>,
}

impl Opening {
    /// Reads the path (without the venue's prefix) and the query of an address; `None` where the venue has no socket.
    ///
    /// An address of USD-M without a tier still connects and gets the public one: the venue's trap of 2026-04-23.
    pub(crate) fn of(venue: Venue, path: &str, query: &str) -> Option<Self> {
        let (tier, path) = match venue {
            Venue::BinanceUsdm => ["/public", "/market"]
                .iter()
                .find_map(|t| path.strip_prefix(t).map(|rest| (*t, rest)))
                .map_or((Tier::Public, path), |(t, rest)| {
                    (if t == "/market" { Tier::Market } else { Tier::Public }, rest)
                }),
            Venue::BinanceSpot | Venue::Coinbase | Venue::Coinex => (Tier::Whole, path),
        };
        if venue == Venue::Coinex {
            return (path == "/v2/futures").then_some(Self { venue, tier, envelope: false, streams: Vec::new() });
        }
        if venue == Venue::Coinbase {
            // The venue's sockets are at the root of a host of their own; a client that derives it from the base of REST ends
            // at the bare prefix.
            let known = matches!(path, "" | "/" | "/ws" | "/ws/");
            return known.then_some(Self { venue, tier, envelope: false, streams: Vec::new() });
        }
        let split = |names: &str| names.split('/').filter(|n| !n.is_empty()).map(str::to_owned).collect();
        if path == "/stream" {
            let pairs = form_urlencoded::parse(query.as_bytes());
            let names = pairs.filter(|(key, _)| key == "streams").map(|(_, v)| v.into_owned()).collect::<Vec<_>>();
            return Some(Self { venue, tier, envelope: true, streams: split(&names.join("/")) });
        }
        let names = path.strip_prefix("/ws").filter(|rest| rest.is_empty() || rest.starts_with('/'))?;
        Some(Self { venue, tier, envelope: false, streams: split(names) })
    }
}

impl core::fmt::Debug for ServerCore {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "Core(at {}, {} markets)", self.now(), self.world.markets.len())
    }
}

/// How far behind the clock the world may be before slots are counted in bigger helpings.
pub(crate) const SLOTS_PER_LOCK: usize = 200;

/// A Coinbase client has so long to say what it wants.
const SUBSCRIBE_WITHIN: Span = Span::secs(5);

/// A day: the life of a connection unless configured otherwise.
pub(crate) const DAY: Span = Span::days(1);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_open_what_the_venue_opens() {
        let case = |path: &str, query: &str, tier, envelope, streams: &[&str]| {
            let got = Opening::of(Venue::BinanceUsdm, path, query).unwrap();
            let streams = streams.iter().map(|s| (*s).to_owned()).collect();
            assert_eq!(got, Opening { venue: Venue::BinanceUsdm, tier, envelope, streams }, "{path}?{query}");
        };
        case("/public/stream", "streams=a@depth/b@depth", Tier::Public, true, &["a@depth", "b@depth"]);
        case("/market/ws/a@aggTrade", "", Tier::Market, false, &["a@aggTrade"]);
        case("/market/stream", "", Tier::Market, true, &[]);
        case("/ws", "", Tier::Public, false, &[]);
        case("/stream", "streams=%E5%B8%81usdt%40trade", Tier::Public, true, &["币usdt@trade"]);
        assert_eq!(Opening::of(Venue::BinanceUsdm, "/public/websocket", ""), None);
        assert_eq!(Opening::of(Venue::Coinbase, "/public/ws", ""), None);
        assert_eq!(Opening::of(Venue::Coinex, "/v2/spot", ""), None);
        assert!(Opening::of(Venue::Coinex, "/v2/futures", "").is_some());
        for path in ["", "/", "/ws"] {
            assert!(Opening::of(Venue::Coinbase, path, "").is_some(), "'{path}'");
        }
    }
}
