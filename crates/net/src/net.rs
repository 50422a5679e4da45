//! The handle the program holds: venues in, what happened out through the inbox.

use crate::clock::Clock;
use crate::dial::Dialer;
use crate::error::{Error, Result};
use crate::http::door::Carrier;
use crate::http::job::{Fetch, Fetched, WaitingRequest};
use crate::http::worker;
use crate::inbox::{Depth, Stamper};
use crate::incoming::VenueIndex;
use crate::link::conn::Wire;
use crate::link::supervisor::LinkEntry;
use crate::stats::VenueStats;
use crate::world::{NetState, VenueLinks, lock};
use barograph_tls::CertificateDer;
use barograph_venues::session::{Action, CloseReason, ConnId, Limits, Link};
use core::time::Duration;
use std::sync::{Arc, Mutex};
use tokio::runtime::Handle;

/// Everything closes within a second of being asked; what has not is ended then.
const SETTLE: Duration = Duration::from_millis(900);

/// What can be chosen.
#[derive(Clone, Debug)]
pub struct NetOptions {
    /// Seed of jitter, masks and keys; `None`: from the operating system.
    pub seed: Option<u64>,
    /// Number of the first connection. After a restart: one more than the largest in the journal.
    pub first_conn: u32,
    /// Largest answer to a request, decompressed, in bytes.
    pub body_bytes_max: usize,
    /// Further trusted certificates, DER.
    pub trusted: Vec<Vec<u8>>,
}

impl Default for NetOptions {
    /// Bodies up to 64 MiB: the largest instrument list of the venues here is about 20 MB.
    fn default() -> Self {
        Self { seed: None, first_conn: 1, body_bytes_max: 64 << 20, trusted: Vec::new() }
    }
}

/// The network of the program.
pub struct Net {
    world: Arc<NetState>,
    venues: Mutex<Vec<Arc<VenueLinks>>>,
}

impl Net {
    /// Starts without venues. Tasks run on `handle`; what happens goes into the inbox of `stamper`.
    ///
    /// # Errors
    /// When one of the trusted certificates cannot be read.
    pub fn start(handle: Handle, clock: Arc<dyn Clock>, stamper: Stamper, options: &NetOptions) -> Result<Self> {
        let trusted: Vec<_> = options.trusted.iter().map(|der| CertificateDer::from(der.clone())).collect();
        let dialer = Dialer::new(&trusted)?;
        let world = NetState::new(handle, clock, stamper, dialer, options);
        Ok(Self { world: Arc::new(world), venues: Mutex::default() })
    }

    /// Adds a venue with what it allows, and returns its number. At most 256 venues.
    pub fn add_venue(&self, id: &'static str, limits: Limits) -> VenueIndex {
        self.add(id, limits, None)
    }

    /// As [`Self::add_venue`], of a venue whose requests `caller` carries out.
    pub fn add_called(&self, id: &'static str, limits: Limits, caller: Arc<dyn Carrier>) -> VenueIndex {
        self.add(id, limits, Some(caller))
    }

    fn add(&self, id: &'static str, limits: Limits, caller: Option<Arc<dyn Carrier>>) -> VenueIndex {
        let mut venues = lock(&self.venues);
        let index = VenueIndex::try_from(venues.len()).unwrap_or(VenueIndex::MAX);
        assert!(venues.len() <= usize::from(VenueIndex::MAX), "more than 256 venues");
        let venue = Arc::new(VenueLinks::new(index, (id, limits), caller, &self.world.shared));
        self.world.spawn(worker::serve(Arc::clone(&self.world), Arc::clone(&venue)));
        venues.push(venue);
        index
    }

    /// The connections wanted from now on. Those no longer wanted, and those whose address has changed, are closed
    /// (`Asked`); new ones are opened; the others are not touched.
    pub fn relink(&self, venue: VenueIndex, links: &[Link]) {
        let Some(venue) = self.venue(venue) else { return };
        if self.world.is_stopping() {
            return;
        }
        let mut entries = lock(&venue.links);
        entries.retain(|_, entry| {
            let wanted = links.contains(&entry.link);
            if !wanted {
                entry.stop(CloseReason::Asked);
            }
            wanted
        });
        for link in links {
            entries.entry(link.id).or_insert_with(|| LinkEntry::start(&self.world, &venue, link.clone()));
        }
    }

    /// Does what a session asked for; returns at once. [`Action::Relink`] is for the caller, who has the session: read its
    /// links and call [`Self::relink`]. A text for a connection that is gone is dropped and counted.
    pub fn act(&self, venue: VenueIndex, action: Action) {
        let Some(venue) = self.venue(venue) else { return };
        match action {
            Action::Send { conn, text } => {
                let sent = wire(&venue, conn).is_some_and(|wire| wire.send(text));
                if !sent {
                    venue.counters.unsent.add(1);
                }
            }
            Action::Close { conn, reason } => {
                if let Some(wire) = wire(&venue, conn) {
                    wire.close(reason);
                }
            }
            Action::Replace { conn } => {
                if let Some(wire) = wire(&venue, conn) {
                    wire.replace();
                }
            }
            Action::Request(request) => worker::submit(&self.world, &venue, WaitingRequest::of_session(request)),
            Action::Relink => {}
        }
    }

    /// Asks within the same budgets as the sessions, before everything else that waits.
    ///
    /// # Errors
    /// When the venue refuses, does not answer after several attempts, or the program stops.
    pub async fn fetch(&self, venue: VenueIndex, fetch: Fetch) -> Result<Fetched> {
        let venue = self.venue(venue).ok_or(Error::NoSuchPool { pool: fetch.pool })?;
        let (job, answer) = WaitingRequest::of_caller(fetch);
        worker::submit(&self.world, &venue, job);
        answer.await.unwrap_or(Err(Error::Dropped))
    }

    /// What has happened so far, and what budgets are left, per venue.
    #[must_use]
    pub fn stats(&self) -> Vec<VenueStats> {
        let now = self.world.now();
        let venues = lock(&self.venues).clone();
        let stats = |venue: &Arc<VenueLinks>| {
            let links: Vec<_> = lock(&venue.links).values().map(|e| e.meter.read(e.link.id, &e.link.url)).collect();
            VenueStats {
                venue: venue.id,
                open: lock(&venue.wires).len(),
                wanted: links.len(),
                halted_until: venue.halted(now),
                pools: lock(&venue.desk).stats(now),
                links,
                ..venue.counters.read()
            }
        };
        venues.iter().map(stats).collect()
    }

    /// What waits for the core.
    #[must_use]
    pub fn inbox_depth(&self) -> Depth {
        self.world.stamper.depth()
    }

    /// Closes every connection, gives up every request, and ends the inbox. Done within about a second.
    pub async fn stop(&self) {
        self.world.stopping.send_replace(true);
        let venues = lock(&self.venues).clone();
        for venue in &venues {
            lock(&venue.links).values().for_each(|entry| entry.stop(CloseReason::Stopping));
        }
        self.world.settle(SETTLE).await;
        for carrier in venues.iter().filter_map(|venue| venue.caller.as_ref()) {
            carrier.close().await;
        }
        // Whoever joined a line while it was being closed.
        venues.iter().for_each(|venue| worker::close(&self.world, venue));
        self.world.stamper.end();
    }

    fn venue(&self, index: VenueIndex) -> Option<Arc<VenueLinks>> {
        lock(&self.venues).get(usize::from(index)).cloned()
    }
}

fn wire(venue: &VenueLinks, conn: ConnId) -> Option<Wire> {
    lock(&venue.wires).get(&conn).cloned()
}

impl core::fmt::Debug for Net {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "Net({} venues)", lock(&self.venues).len())
    }
}
