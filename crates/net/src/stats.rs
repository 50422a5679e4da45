//! What can be read about the network at any moment.

use crate::world::lock;
use barograph_domain::Ts;
use barograph_venues::session::LinkId;
use core::sync::atomic::{AtomicI64, AtomicU64, Ordering};
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
    /// Budgets of the venue's requests.
    pub pools: Vec<PoolStats>,
    /// Wanted connections.
    pub links: Vec<LinkStats>,
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

/// What a wanted connection does.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub enum LinkState {
    /// Nothing is open; the next attempt waits for its turn.
    #[default]
    Waiting,
    /// Nothing is open; an attempt is under way.
    Connecting,
    /// One instance is open.
    Open,
    /// Two instances are open: the old one is being replaced.
    Rotating,
}

/// One wanted connection now. Counts are of all its instances since it was first wanted.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct LinkStats {
    /// Its number within the venue.
    pub link: u16,
    /// Its address without user name and query: those may hold keys.
    pub url: String,
    /// What it does.
    pub state: LinkState,
    /// Since when.
    pub since: Option<Ts>,
    /// Messages received.
    pub frames: u64,
    /// Their bytes, decompressed.
    pub bytes: u64,
    /// When the last one was received.
    pub last_frame: Option<Ts>,
    /// Instances opened.
    pub opened: u64,
    /// Instances lost: ended by the venue or the network, unasked.
    pub lost: u64,
    /// Whether the newest open instance is compressed; `None` while none is open.
    pub compressed: Option<bool>,
    /// When the open instance is to be replaced; `None` where the venue cuts nothing off, or nothing is open.
    pub rotate_at: Option<Ts>,
}

/// Counters of a wanted connection, touched by its supervisor and its instances.
#[derive(Default, Debug)]
pub(crate) struct LinkMeter {
    pub(crate) frames: Count,
    pub(crate) bytes: Count,
    last_frame: AtomicI64,
    held: Mutex<InstanceStats>,
}

/// What changes with instances, not with messages.
#[derive(Clone, Copy, Default, Debug)]
pub(crate) struct InstanceStats {
    pub(crate) instances: u8,
    pub(crate) dialling: bool,
    pub(crate) compressed: Option<bool>,
    pub(crate) rotate_at: Option<Ts>,
    pub(crate) opened: u64,
    pub(crate) lost: u64,
    since: Option<Ts>,
}

impl InstanceStats {
    fn state(self) -> LinkState {
        match (self.instances, self.dialling) {
            (0, false) => LinkState::Waiting,
            (0, true) => LinkState::Connecting,
            (1, _) => LinkState::Open,
            _ => LinkState::Rotating,
        }
    }
}

impl LinkMeter {
    /// Something about the instances has changed.
    pub(crate) fn change(&self, now: Ts, change: impl FnOnce(&mut InstanceStats)) {
        let mut held = lock(&self.held);
        let before = held.state();
        change(&mut held);
        if held.state() != before || held.since.is_none() {
            held.since = Some(now);
        }
    }

    /// A message has been received.
    pub(crate) fn heard(&self, now: Ts) {
        self.last_frame.store(now.0, Ordering::Relaxed);
    }

    pub(crate) fn read(&self, link: LinkId, url: &str) -> LinkStats {
        let held = *lock(&self.held);
        LinkStats {
            link: link.0,
            url: shown(url),
            state: held.state(),
            since: held.since,
            frames: self.frames.get(),
            bytes: self.bytes.get(),
            last_frame: Some(Ts(self.last_frame.load(Ordering::Relaxed))).filter(|t| t.0 != 0),
            opened: held.opened,
            lost: held.lost,
            compressed: held.compressed,
            rotate_at: held.rotate_at,
        }
    }
}

/// An address as it may be shown to everyone.
fn shown(url: &str) -> String {
    let url = url.split(['?', '#']).next().unwrap_or_default();
    let Some((scheme, rest)) = url.split_once("://") else { return url.to_owned() };
    let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    let host = authority.rsplit('@').next().unwrap_or_default();
    format!("{scheme}://{host}{path}")
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_shown_without_what_may_be_secret() {
        for (url, want) in [
            ("wss://h.example/public/stream", "wss://h.example/public/stream"),
            ("wss://h.example/private/ws?listenKey=abc&events=x", "wss://h.example/private/ws"),
            ("wss://user:word@h.example:8443/ws#there", "wss://h.example:8443/ws"),
            ("ws://h.example/a@b", "ws://h.example/a@b"),
            ("wss://h.example?key=a/b@c", "wss://h.example"),
            ("nothing of the kind?key=abc", "nothing of the kind"),
        ] {
            assert_eq!(shown(url), want);
        }
    }

    #[test]
    fn the_moment_of_a_state_moves_with_the_state_only() {
        let meter = LinkMeter::default();
        let at = |meter: &LinkMeter| {
            let s = meter.read(LinkId(3), "ws://h/");
            (s.state, s.since)
        };
        assert_eq!(at(&meter), (LinkState::Waiting, None));
        meter.change(Ts(1), |_| {});
        meter.change(Ts(2), |h| h.dialling = true);
        assert_eq!(at(&meter), (LinkState::Connecting, Some(Ts(2))));
        meter.change(Ts(3), |h| h.instances = 1);
        meter.change(Ts(4), |h| h.dialling = false);
        assert_eq!(at(&meter), (LinkState::Open, Some(Ts(3))));
        meter.change(Ts(5), |h| h.instances = 2);
        assert_eq!(at(&meter), (LinkState::Rotating, Some(Ts(5))));
        meter.change(Ts(6), |h| h.instances = 0);
        assert_eq!(at(&meter), (LinkState::Waiting, Some(Ts(6))));
    }
}
