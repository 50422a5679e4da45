//! What CoinEx allows (sheet §1): 400 requests a second of one address. Connections and messages have no published limit.

use crate::session::{BaseAddresses, Limits, Pool, PoolId};
use barograph_domain::Span;

/// All public requests.
pub(super) const PUBLIC: PoolId = PoolId(0);
/// Markets on one connection, and in one request: a connection is subscribed with one request for each channel.
pub(super) const MARKETS_MAX: usize = 100;
/// A ping is sent this often.
pub(super) const PING_EVERY: Span = Span::secs(20);
/// A connection on which nothing comes for this long after a ping is closed.
pub(super) const ANSWER_WITHIN: Span = Span::secs(5);
/// First pause after "too many requests"; doubles with each further one up to 2 s × 2^6.
pub(super) const PAUSE: Span = Span::secs(2);
/// Most doublings of it.
pub(super) const PAUSE_DOUBLINGS: u32 = 6;
/// Nothing is asked for this long once the venue has refused this address.
pub(super) const FORBIDDEN: Span = Span::mins(10);
/// Largest message, compressed and unpacked: a full book of 2 × 50 levels is below 5 kB, the state of all markets below 200 kB.
pub(super) const MESSAGE_BYTES_MAX: usize = 4 << 20;

/// Production hosts; there is no test net.
pub(super) fn endpoints() -> BaseAddresses {
    BaseAddresses { rest: "https://api.coinex.com".into(), ws: "wss://socket.coinex.com".into() }
}

/// What the venue allows.
pub(super) fn limits() -> Limits {
    Limits {
        connects_max: 5,
        connects_per: Span::secs(10),
        // The session pings by itself: the answer has to be awaited.
        ping_every: None,
        dead_after: Span::secs(30),
        message_bytes_max: MESSAGE_BYTES_MAX,
        // Messages are compressed as such.
        deflate: false,
        pools: vec![Pool::own(PUBLIC, "public", 400, Span::secs(1), 16)],
        host_rests_on_429: true,
        ..Limits::usual("coinex")
    }
}
