//! What Deribit allows (sheet §3). It counts credits, and does not say how many an address without credentials has: half of what
//! accounts have is taken.

use crate::session::{Limits, Pool, PoolId};
use barograph_domain::Span;

/// Public requests: 500 credits each of 10,000 a second.
pub(super) const PUBLIC: PoolId = PoolId(0);
/// Instrument lists, which cost far more: one in ten seconds.
pub(super) const LISTS: PoolId = PoolId(1);
/// Channels on one connection: three requests, so that the answer to a `test_request` waits for no more than a second.
pub(super) const CHANNELS_MAX: usize = 300;
/// After "too many requests" nothing is asked for this long.
pub(super) const PAUSE: Span = Span::secs(10);

/// What the venue allows.
pub(super) fn limits() -> Limits {
    Limits {
        // 3,000 credits for each subscription, 10,000 a second.
        messages_per_s: 3,
        connects_max: 5,
        connects_per: Span::secs(10),
        // The venue asks whether we are there, see `topics::HEARTBEAT`.
        ping_every: None,
        // Two heartbeats missed.
        dead_after: Span::secs(65),
        // 32 connections of an address, requests under way among them.
        pools: vec![Pool::own(PUBLIC, "public", 10, Span::secs(1), 8), Pool::own(LISTS, "lists", 1, Span::secs(10), 1)],
        host_rests_on_429: true,
        ..Limits::usual("deribit")
    }
}
