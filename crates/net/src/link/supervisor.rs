//! One wanted connection: opens it, opens it again when it is lost, replaces it before the venue would cut it.
//!
//! A planned replacement opens the new instance first; both run for the whole overlap, because the first message of the
//! new one is on many venues only the acknowledgement of its subscription. The old one goes when the overlap is over and
//! the new one has spoken; it stays for up to three overlaps while the new one is silent, and as long as it lives while
//! no new one can be opened.

use super::conn::{LinkTask, Wire};
use crate::address::{Address, Speaks};
use crate::clock;
use crate::error::{Error, Result};
use crate::limit::backoff::Backoff;
use crate::random::Random;
use crate::refusal::{self, BAN_UNSAID, FORBIDDEN_UNSAID, PAUSE_UNSAID};
use crate::stats::LinkMeter;
use crate::world::{NetState, VenueLinks, lock};
use crate::ws::handshake;
use barograph_domain::{Span, Ts};
use barograph_venues::session::{CloseReason, Link};
use core::pin::Pin;
use core::time::Duration;
use std::sync::Arc;
use tokio::sync::{oneshot, watch};
use tokio::time::Instant;

/// Longest pause after the first failure, and the longest pause there is.
const PAUSE_FIRST: Span = Span::millis(500);
const PAUSE_MAX: Span = Span::secs(60);
/// A connection that lived this long was not part of the trouble before it.
const HEALTHY: Span = Span::secs(60);
/// Name lookup, TCP, TLS and the upgrade together; with a floor in the machine's own time, since they are its work.
const OPEN_WITHIN: Span = Span::secs(10);
const OPEN_WITHIN_REAL: Duration = Duration::from_secs(3);
/// An address that cannot be read will not become readable.
const HOPELESS_PAUSE: Span = Span::mins(15);
/// The old instance waits for the first word of the new one for at most this many overlaps.
const OVERLAPS_MAX: i64 = 3;

/// A running supervisor, as the venue knows it.
#[derive(Debug)]
pub(crate) struct LinkEntry {
    pub(crate) link: Link,
    pub(crate) meter: Arc<LinkMeter>,
    stop: watch::Sender<Option<CloseReason>>,
}

impl LinkEntry {
    /// Starts keeping `link` open.
    pub(crate) fn start(world: &Arc<NetState>, venue: &Arc<VenueLinks>, link: Link) -> Self {
        let stop = watch::Sender::new(None);
        let mut random = world.random();
        let meter = Arc::new(LinkMeter::default());
        let supervisor = Supervisor {
            meter: Arc::clone(&meter),
            world: Arc::clone(world),
            venue: Arc::clone(venue),
            link: link.clone(),
            backoff: Backoff::new(PAUSE_FIRST, PAUSE_MAX, random.fork()),
            random,
            current: None,
            old: None,
            pause: Span::ZERO,
            lost: false,
        };
        world.spawn(supervisor.run(stop.subscribe()));
        Self { link, meter, stop }
    }

    /// Closes its connections and ends.
    pub(crate) fn stop(&self, reason: CloseReason) {
        self.stop.send_replace(Some(reason));
    }
}

/// An open instance.
struct Live {
    wire: Wire,
    opened: Instant,
    opened_ts: Ts,
    compressed: bool,
    rotate_at: Option<Ts>,
    over: oneshot::Receiver<()>,
}

struct Supervisor {
    world: Arc<NetState>,
    venue: Arc<VenueLinks>,
    link: Link,
    meter: Arc<LinkMeter>,
    backoff: Backoff,
    random: Random,
    current: Option<Live>,
    old: Option<Live>,
    /// Before the next attempt.
    pause: Span,
    /// An instance has been lost, so the next one is a reconnect.
    lost: bool,
}

type Attempt = Pin<Box<dyn Future<Output = Result<Live>> + Send>>;

impl Supervisor {
    async fn run(mut self, mut stop: watch::Receiver<Option<CloseReason>>) {
        let mut attempt: Option<Attempt> = None;
        loop {
            let now = self.world.now();
            self.report(now);
            if attempt.is_none() && self.wants_new(now) {
                attempt = Some(self.attempt());
            }
            let wake = self.wake_at(now, attempt.is_some());
            let world = Arc::clone(&self.world);
            tokio::select! {
                reason = stopped(&mut stop) => return self.end(reason).await,
                opened = outcome(&mut attempt), if attempt.is_some() => {
                    attempt = None;
                    self.opened(opened);
                }
                news = news(&mut self.current, self.old.is_none()) => match news {
                    News::Over => self.current_lost(),
                    News::ReplacementAsked => self.rotate_now(),
                },
                _over = news(&mut self.old, false) => self.old = None,
                () = until(&world, wake) => self.retire_old(),
            }
        }
    }

    /// For those who ask how this connection does.
    fn report(&self, now: Ts) {
        let (current, old) = (self.current.as_ref(), self.old.as_ref());
        self.meter.change(now, |held| {
            held.instances = u8::from(current.is_some()) + u8::from(old.is_some());
            held.compressed = current.map(|live| live.compressed);
            held.rotate_at = current.and_then(|live| live.rotate_at);
        });
    }

    /// An instance is missing, or the present one is to be replaced.
    fn wants_new(&self, now: Ts) -> bool {
        match &self.current {
            None => true,
            Some(live) => self.old.is_none() && live.rotate_at.is_some_and(|at| now >= at),
        }
    }

    fn wake_at(&self, now: Ts, attempting: bool) -> Option<Ts> {
        let rotate = self.current.as_ref().and_then(|l| l.rotate_at).filter(|_| self.old.is_none() && !attempting);
        let retire = match (&self.old, &self.current) {
            (Some(_), Some(new)) => {
                let overlap = self.venue.limits.rotate_overlap;
                let over = new.opened_ts + overlap;
                // The new one is still silent: look again a few times per overlap.
                Some(if now < over { over } else { now + Span((overlap.0 / 8).max(1_000_000)) })
            }
            _ => None,
        };
        [rotate, retire].into_iter().flatten().min()
    }

    fn rotate_now(&mut self) {
        let now = self.world.now();
        if let Some(live) = &mut self.current {
            live.rotate_at = Some(now);
        }
    }

    fn retire_old(&mut self) {
        let (Some(old), Some(new)) = (&self.old, &self.current) else { return };
        let overlap = self.venue.limits.rotate_overlap;
        let age = self.world.now() - new.opened_ts;
        if age >= overlap && (new.wire.spoke() || age >= overlap.times(OVERLAPS_MAX)) {
            old.wire.close(CloseReason::Replaced);
        }
    }

    fn current_lost(&mut self) {
        let Some(live) = self.current.take() else { return };
        self.lost = true;
        self.meter.change(self.world.now(), |held| held.lost += 1);
        let lived = Instant::now().saturating_duration_since(live.opened);
        if lived >= clock::real(&*self.world.clock, HEALTHY) {
            self.backoff.healthy();
        }
        self.pause = self.backoff.failed();
        // Lost within the overlap: the old instance serves on, and is overdue.
        self.current = self.old.take();
    }

    fn opened(&mut self, opened: Result<Live>) {
        self.meter.change(self.world.now(), |held| {
            held.dialling = false;
            held.opened += u64::from(opened.is_ok());
        });
        match opened {
            Ok(live) => {
                self.old = self.current.replace(live);
                self.pause = Span::ZERO;
                if core::mem::take(&mut self.lost) {
                    self.venue.counters.reconnects.add(1);
                }
            }
            Err(e) => self.pause = self.refused(&e),
        }
    }

    /// What a failed attempt means for the next one.
    fn refused(&mut self, e: &Error) -> Span {
        let now = self.world.now();
        let counters = &self.venue.counters;
        counters.connect_failures.add(1);
        counters.error(now, e.to_string());
        let pause = self.backoff.failed();
        let Error::Refused { status, retry_after_s, .. } = e else {
            return if matches!(e, Error::Address { .. }) { HOPELESS_PAUSE } else { pause };
        };
        counters.refusals.add(1);
        match status {
            418 => self.venue.halt(now, refusal::rest(*retry_after_s, BAN_UNSAID)),
            429 => lock(&self.venue.connects).pause(now + refusal::rest(*retry_after_s, PAUSE_UNSAID)),
            403 if let Some(rest) = self.venue.limits.rest_after_403 => self.venue.halt(now, rest),
            // Not from here: no other connection and no request will fare better.
            _ => self.venue.forbid(now, *status, refusal::rest(*retry_after_s, FORBIDDEN_UNSAID)),
        }
        pause
    }

    /// Everything from the pause to the open connection, as one future that borrows nothing.
    fn attempt(&mut self) -> Attempt {
        let (world, venue, link) = (Arc::clone(&self.world), Arc::clone(&self.venue), self.link.clone());
        let (meter, pause) = (Arc::clone(&self.meter), self.pause);
        let mut random = self.random.fork();
        Box::pin(async move {
            world.sleep_until(world.now() + pause).await;
            admitted(&world, &venue).await;
            meter.change(world.now(), |held| held.dialling = true);
            let within = clock::real_at_least(&*world.clock, OPEN_WITHIN, OPEN_WITHIN_REAL);
            let address = Address::parse(&link.url, Speaks::WebSocket)?;
            let opening = async {
                let stream = world.dialer.open(&address).await?;
                handshake::shake(stream, &address, venue.limits.deflate, &mut random).await
            };
            let shaken = tokio::time::timeout(within, opening)
                .await
                .map_err(|_late| Error::Timeout { what: "connection", to: address.place() })??;
            venue.counters.connects.add(1);
            let opened_ts = world.now();
            let rotate_at = rotation(&venue, opened_ts, &mut random);
            let compressed = shaken.deflate.is_some();
            let (_id, wire, task) = LinkTask::open(Arc::clone(&world), venue, &link, meter, shaken);
            let (over_in, over) = oneshot::channel();
            world.spawn(async move {
                task.await;
                // The supervisor may be gone; then nobody waits for this.
                drop(over_in);
            });
            Ok(Live { wire, opened: Instant::now(), opened_ts, compressed, rotate_at, over })
        })
    }

    async fn end(self, reason: CloseReason) {
        for live in [self.old, self.current].into_iter().flatten() {
            live.wire.close(reason);
            drop(live.over.await);
        }
    }
}

/// The moment of the planned replacement: an overlap before the limit, less up to a twentieth, so that connections opened
/// together are not all replaced together.
fn rotation(venue: &VenueLinks, opened: Ts, random: &mut Random) -> Option<Ts> {
    let after = venue.limits.rotate_after?;
    let latest = after - venue.limits.rotate_overlap;
    let latest = if latest.0 > after.0 / 2 { latest } else { Span(after.0 / 2) };
    Some(opened + Span(latest.0 - random.up_to(latest.0 / 20)))
}

/// Waits for the end of a ban, and for a place among the venue's new connections.
async fn admitted(world: &NetState, venue: &VenueLinks) {
    loop {
        let now = world.now();
        let until = match venue.halted(now) {
            Some(until) => until,
            None => {
                let mut connects = lock(&venue.connects);
                let at = connects.ready_at(now, 1, u32::MAX);
                if at <= now {
                    connects.spend(now, 1);
                    return;
                }
                at
            }
        };
        world.sleep_until(until).await;
    }
}

async fn outcome(attempt: &mut Option<Attempt>) -> Result<Live> {
    match attempt {
        Some(attempt) => attempt.await,
        None => core::future::pending().await,
    }
}

async fn stopped(stop: &mut watch::Receiver<Option<CloseReason>>) -> CloseReason {
    stop.wait_for(Option::is_some).await.ok().and_then(|reason| *reason).unwrap_or(CloseReason::Stopping)
}

/// What an instance reports.
enum News {
    Over,
    ReplacementAsked,
}

async fn news(live: &mut Option<Live>, may_replace: bool) -> News {
    let Some(Live { wire, over, .. }) = live else { return core::future::pending().await };
    tokio::select! {
        ended = over => {
            drop(ended);
            News::Over
        }
        () = wire.replacement_asked(), if may_replace => News::ReplacementAsked,
    }
}

async fn until(world: &NetState, at: Option<Ts>) {
    match at {
        Some(at) => world.sleep_until(at).await,
        None => core::future::pending().await,
    }
}
