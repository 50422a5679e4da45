//! What can be read about the network at any moment.

use crate::world::lock;
use barograph_domain::Ts;
use core::sync::atomic::{AtomicU64, Ordering};
use std::sync::Mutex;

/// Counts of one venue since the start.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct VenueStats {
    /// Venue id.
    pub venue: &'static str,
    /// Messages received.
    pub frames: u64,
    /// Their bytes, decompressed.
    pub frame_bytes: u64,
    /// Bytes read from sockets, after TLS, before decompression.
    pub wire_bytes: u64,
    /// Messages sent, pings and pongs included.
    pub sent: u64,
    /// Messages that were not sent because their connection was gone.
    pub unsent: u64,
    /// Connections opened.
    pub connects: u64,
    /// Those that replaced a lost one.
    pub reconnects: u64,
    /// Attempts that failed.
    pub connect_failures: u64,
    /// Connections open now.
    pub open: usize,
    /// Connections wanted now.
    pub wanted: usize,
    /// Answers received.
    pub replies: u64,
    /// Their bytes, decompressed.
    pub reply_bytes: u64,
    /// Requests that got no answer.
    pub failures: u64,
    /// Requests tried again.
    pub retries: u64,
    /// Refusals by status 403, 418, 429 or 451.
    pub refusals: u64,
    /// End of the current ban, where there is one.
    pub halted_until: Option<Ts>,
    /// Budgets.
    pub pools: Vec<PoolStats>,
    /// The last thing that went wrong: when and what.
    pub last_error: Option<(Ts, String)>,
}

/// One request budget now.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct PoolStats {
    /// Its label.
    pub pool: &'static str,
    /// Weight that counts as used.
    pub used: u32,
    /// Weight left, with the margin taken off.
    pub left: u32,
    /// Requests under way.
    pub in_flight: u32,
    /// Requests waiting, most urgent first.
    pub waiting: [usize; 4],
    /// Nothing is asked before this.
    pub paused_until: Option<Ts>,
}

/// Counters of a venue, touched by many tasks.
#[derive(Default, Debug)]
pub(crate) struct Counters {
    pub(crate) frames: Count,
    pub(crate) frame_bytes: Count,
    pub(crate) wire_bytes: Count,
    pub(crate) sent: Count,
    pub(crate) unsent: Count,
    pub(crate) connects: Count,
    pub(crate) reconnects: Count,
    pub(crate) connect_failures: Count,
    pub(crate) replies: Count,
    pub(crate) reply_bytes: Count,
    pub(crate) failures: Count,
    pub(crate) retries: Count,
    pub(crate) refusals: Count,
    last_error: Mutex<Option<(Ts, String)>>,
}

impl Counters {
    /// Keeps the newest error for people.
    pub(crate) fn error(&self, at: Ts, text: String) {
        *lock(&self.last_error) = Some((at, text));
    }

    /// The counted part of the statistics.
    pub(crate) fn read(&self) -> VenueStats {
        VenueStats {
            frames: self.frames.get(),
            frame_bytes: self.frame_bytes.get(),
            wire_bytes: self.wire_bytes.get(),
            sent: self.sent.get(),
            unsent: self.unsent.get(),
            connects: self.connects.get(),
            reconnects: self.reconnects.get(),
            connect_failures: self.connect_failures.get(),
            replies: self.replies.get(),
            reply_bytes: self.reply_bytes.get(),
            failures: self.failures.get(),
            retries: self.retries.get(),
            refusals: self.refusals.get(),
            last_error: lock(&self.last_error).clone(),
            ..VenueStats::default()
        }
    }
}

/// A number that only grows.
#[derive(Default, Debug)]
pub(crate) struct Count(AtomicU64);

impl Count {
    pub(crate) fn add(&self, n: usize) {
        self.0.fetch_add(n as u64, Ordering::Relaxed);
    }
    pub(crate) fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}
