//! What Coinbase allows (venue sheet §3, read 2026-11-20), and the margins kept.

use crate::session::{Limits, Pool, PoolId};
use barograph_domain::Span;

/// Public REST: 10 requests per second and address.
pub(super) const PUBLIC: PoolId = PoolId(0);
/// Level-2 products per connection. The venue takes 30 (undocumented, probed 2026-09); with 25 a hot change still has room.
pub const LEVEL2_PER_LINK: usize = 25;
/// Products per connection where no books are wanted. No cap is known; this keeps one lost connection a small loss and a
/// subscription under 2 kB.
pub(super) const PRODUCTS_PER_LINK: usize = 100;
/// Candles per answer: 350; the range holds both ends.
pub(super) const CANDLES_MAX: i64 = 350;
/// Trades asked for at once. The venue states no maximum; fewer rows than asked for are paged.
pub(super) const TRADES_PER_PAGE: u32 = 1_000;
/// A connection is replaced for a sequence gap at most this often.
pub(super) const RECONNECT_EVERY: Span = Span::secs(20);
/// The same while the scope of the sequence is in doubt.
pub(super) const RECONNECT_EVERY_IN_STORM: Span = Span::mins(10);
/// A subscription that is not in the venue's list after this long was refused.
pub(super) const ACK_WAIT: Span = Span::secs(10);
/// A book that moves at least once a second on average is stale after this long without an update.
pub(super) const BOOK_SILENCE_BUSY: Span = Span::secs(30);
/// The same for all others.
pub(super) const BOOK_SILENCE_QUIET: Span = Span::mins(10);

/// Limits of the public feed.
///
/// The venue counts eight connections and eight messages per second over all connections of an address. A connection says
/// four things when it opens, so two new ones per second with two messages per second each stay below both.
pub(super) fn limits() -> Limits {
    Limits {
        messages_per_s: 2,
        connects_max: 2,
        connects_per: Span::secs(1),
        ping_every: None,
        // Heartbeats come every second.
        dead_after: Span::secs(5),
        // The first level-2 message of BTC-USD was 5.1 MB in August 2026; above the limit nothing but silence is seen.
        message_bytes_max: 128 << 20,
        pools: vec![Pool::own(PUBLIC, "public", 10, Span::secs(1), 5)],
        ..Limits::usual("coinbase")
    }
}
