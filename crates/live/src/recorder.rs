//! The journal of a process, and the same lines onward to those who make minutes of them elsewhere.
//!
//! What goes onward is on the device before: lines come together for some milliseconds, the journal is asked to sync, and once it has,
//! they leave as one parcel. Nobody waits for whoever takes it: a parcel that finds no room is let go, and the one behind it shows the
//! hole, which is fetched from the journal ([`crate::ranges`]).

use crate::Error;
use barograph_domain::Ts;
use barograph_lake::journal::{
    ControlRecord, FileKey, JournalStats, JournalWriter, Parcel, ParcelWriter, Result as Journalled, Ticket,
};
use barograph_venues::session::RequestId;
use core::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use core::time::Duration;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::time::Instant;

/// Lines come together for so long: what a sync costs is shared by them, and a minute is readable that much later.
const GATHER: Duration = Duration::from_millis(20);
/// How soon a sync that is still under way is looked at again.
const AGAIN: Duration = Duration::from_millis(5);
/// Or until there are so many bytes of them.
const GATHER_BYTES: usize = 512 << 10;
/// What may come together behind a sync that takes long: then another one is asked for.
const GATHERED_MAX: usize = 8 << 20;
/// Parcels that may wait for their sync.
const WAITING_MAX: usize = 256;

/// Takes parcels that are on the device, in order. It may lose them.
pub type Onward = Box<dyn FnMut(Parcel) + Send>;

/// Up to where a journal is on the device, and what went onward.
#[derive(Debug, Default)]
pub struct Relayed {
    synced: AtomicI64,
    /// Parcels handed on.
    pub parcels: AtomicU64,
    /// Parcels that found no room.
    pub let_go: AtomicU64,
}

impl Relayed {
    /// Nothing at or before this stamp comes to the journal later, and everything of it is on the device.
    #[must_use]
    pub fn synced(&self) -> Ts {
        Ts(self.synced.load(Ordering::Acquire))
    }
}

/// A journal that is written, and the way onward for its lines where there is one.
#[derive(Debug)]
pub(crate) struct Recorder {
    journal: JournalWriter,
    relay: Option<Relay>,
}

/// The way onward.
#[derive(Debug)]
struct Relay {
    gathered: ParcelWriter,
    since: Option<Instant>,
    names: Vec<(FileKey, String, String)>,
    parcels: SyncSender<(Parcel, Ticket)>,
    /// The sync under way: lines come together until it is done.
    under_way: Option<Ticket>,
    relayed: Arc<Relayed>,
}

impl Recorder {
    /// A journal that stays where it is.
    pub(crate) const fn alone(journal: JournalWriter) -> Self {
        Self { journal, relay: None }
    }

    /// One whose lines go onward. `relayed` knows what is on the device then.
    pub(crate) fn relayed(journal: JournalWriter, onward: Onward, relayed: Arc<Relayed>) -> Result<Self, Error> {
        let (parcels, waiting) = sync_channel(WAITING_MAX);
        let after = journal.last().unwrap_or(Ts(0));
        relayed.synced.store(after.0, Ordering::Release);
        let counts = Arc::clone(&relayed);
        std::thread::Builder::new()
            .name("relay".to_owned())
            .spawn(move || pass_on(&waiting, onward, &counts))
            .map_err(Error::failed)?;
        let relay = Relay {
            gathered: ParcelWriter::new(after),
            since: None,
            names: Vec::new(),
            parcels,
            under_way: None,
            relayed,
        };
        Ok(Self { journal, relay: Some(relay) })
    }

    pub(crate) fn connection(&mut self, venue: &str, connection: &str, rank: u32, now: Ts) -> Journalled<FileKey> {
        let key = self.journal.connection(venue, connection, rank, now)?;
        if let Some(relay) = &mut self.relay {
            relay.names.push((key, venue.to_owned(), connection.to_owned()));
        }
        Ok(key)
    }

    pub(crate) fn frame(&mut self, key: FileKey, at: Ts, bytes: &[u8]) -> Journalled<()> {
        self.journal.frame(key, at, bytes)?;
        match &mut self.relay {
            Some(relay) => relay.frame(key, at, bytes),
            None => Ok(()),
        }
    }

    pub(crate) fn control(&mut self, at: Ts, record: &ControlRecord) -> Journalled<()> {
        self.journal.control(at, record)?;
        match &mut self.relay {
            Some(relay) => relay.control(at, record),
            None => Ok(()),
        }
    }

    pub(crate) fn reply(&mut self, key: FileKey, at: Ts, id: RequestId, status: u16, body: &[u8]) -> Journalled<()> {
        self.journal.reply(key, at, id, status, body)?;
        let Some(relay) = &mut self.relay else { return Ok(()) };
        let venue = relay.names.iter().find(|(of, ..)| *of == key).map(|(_, venue, _)| venue.clone());
        relay.control(at, &ControlRecord::Reply { venue: venue.unwrap_or_default(), id, status })?;
        relay.frame(key, at, body)
    }

    pub(crate) fn close_connection(&mut self, key: FileKey, now: Ts) -> Journalled<()> {
        if let Some(relay) = &mut self.relay {
            relay.names.retain(|(of, ..)| *of != key);
        }
        self.journal.close_connection(key, now)
    }

    /// Sends onward what has come together for long enough; `all`: whatever there is.
    pub(crate) fn pass_on(&mut self, all: bool) -> Journalled<()> {
        let Some(relay) = &mut self.relay else { return Ok(()) };
        let due =
            relay.since.is_some_and(|since| since.elapsed() >= GATHER) || relay.gathered.plain_bytes() >= GATHER_BYTES;
        if relay.gathered.is_empty() || !(all || due) {
            return Ok(());
        }
        // One sync at a time, however slow the disk is; what comes meanwhile shares the next one.
        let busy = relay.under_way.as_ref().is_some_and(|ticket| !ticket.is_done());
        if busy && !all && relay.gathered.plain_bytes() < GATHERED_MAX {
            return Ok(());
        }
        relay.since = None;
        let ticket = self.journal.sync()?;
        relay.under_way = Some(ticket.clone());
        let last = relay.gathered.last();
        let parcel = relay.gathered.seal(last)?;
        match relay.parcels.try_send((parcel, ticket)) {
            Ok(()) => {}
            Err(TrySendError::Full(_) | TrySendError::Disconnected(_)) => {
                relay.relayed.let_go.fetch_add(1, Ordering::Relaxed);
            }
        }
        Ok(())
    }

    /// How soon something that has come together is to go onward.
    pub(crate) fn pass_on_within(&self) -> Option<Duration> {
        let since = self.relay.as_ref()?.since?;
        Some(GATHER.saturating_sub(since.elapsed()).max(AGAIN))
    }

    pub(crate) fn poll(&mut self, now: Ts) -> Journalled<()> {
        self.journal.poll(now)
    }

    pub(crate) fn flush(&mut self) -> Journalled<Ticket> {
        self.journal.flush()
    }

    pub(crate) fn stats(&self) -> JournalStats {
        self.journal.stats()
    }

    pub(crate) fn close(mut self) -> Journalled<()> {
        self.pass_on(true)?;
        self.journal.close()
    }

    #[cfg(test)]
    pub(crate) fn abandon(self) {
        self.journal.abandon();
    }
}

impl Relay {
    fn frame(&mut self, key: FileKey, at: Ts, bytes: &[u8]) -> Journalled<()> {
        self.since.get_or_insert_with(Instant::now);
        match self.names.iter().find(|(of, ..)| *of == key) {
            Some((_, venue, connection)) => self.gathered.frame(at, venue, connection, bytes),
            None => Ok(()),
        }
    }

    fn control(&mut self, at: Ts, record: &ControlRecord) -> Journalled<()> {
        self.since.get_or_insert_with(Instant::now);
        self.gathered.control(at, record)
    }
}

/// Waits for each parcel's sync, then hands it on.
fn pass_on(waiting: &Receiver<(Parcel, Ticket)>, mut onward: Onward, relayed: &Relayed) {
    while let Ok((parcel, ticket)) = waiting.recv() {
        // A journal that has failed ends the process; what is not on the device goes nowhere.
        if ticket.wait().is_err() {
            return;
        }
        relayed.synced.fetch_max(parcel.last().0, Ordering::AcqRel);
        relayed.parcels.fetch_add(1, Ordering::Relaxed);
        onward(parcel);
    }
}
