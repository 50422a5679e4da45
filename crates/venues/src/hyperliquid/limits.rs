//! What Hyperliquid allows per address (venue sheet §3), and the margins kept.

use crate::session::{Limits, Pool, PoolId};
use barograph_domain::Span;

/// Weight of info requests.
pub(super) const INFO: PoolId = PoolId(0);
/// 1000 subscriptions over all connections; the rest is room for changes.
pub(super) const SUBSCRIPTIONS_MAX: usize = 980;
/// Subscriptions per connection: five connections of the ten allowed hold them all.
pub(super) const PER_LINK: usize = 200;
/// A subscription that is not confirmed after this long was refused. A full connection is subscribed in 34 s.
pub(super) const ACK_WAIT: Span = Span::secs(60);
/// Rows of one `fundingHistory` answer.
pub(super) const FUNDING_ROWS: i64 = 500;
/// Candles asked for at once.
pub(super) const CANDLE_ROWS: i64 = 500;
/// The venue keeps the newest 5000 candles of each interval.
pub(super) const CANDLES_KEPT: i64 = 5_000;

/// Weight of a request that returns so many rows, one more for every `per` of them.
pub(super) fn weight(rows: i64, per: i64) -> u32 {
    20 + u32::try_from(rows.max(0).div_euclid(per) + 1).unwrap_or(0)
}

/// Limits of the public API.
pub(super) fn limits() -> Limits {
    Limits {
        // 2000 messages per minute over at most five connections.
        messages_per_s: 6,
        connects_max: 25,
        connects_per: Span::mins(1),
        ping_every: Some(Span::secs(30)),
        // A ping every 30 s is answered within 10 s.
        dead_after: Span::secs(40),
        message_bytes_max: 16 << 20,
        pools: vec![Pool::own(INFO, "info", 1_200, Span::mins(1), 4)],
        ..Limits::usual("hyperliquid")
    }
}
