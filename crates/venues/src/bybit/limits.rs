//! What Bybit allows (sheet §2 and §4): numbers are the venue's, the driver keeps its own margin.

use crate::session::{BaseAddresses, Limits, Pool, PoolId};
use barograph_domain::Span;

/// The one request budget: 600 requests in 5 s per address, public routes count for nothing else.
pub(super) const POOL: PoolId = PoolId(0);
/// Characters of all topics of one connection: 21,000 less the brackets and a margin for a second request under way.
pub(super) const ARGS_MAX: usize = 20_000;
/// Topics in one request: spot refuses more than 10.
pub(super) const ARGS_SPOT_MAX: usize = 10;
/// Topics in one request elsewhere, where the number is free: what one refused topic can take down with it.
pub(super) const ARGS_OTHER_MAX: usize = 100;
/// Depths there are topics for.
pub(super) const DEPTHS: [usize; 3] = [50, 200, 1_000];
/// A ban for too many requests lifts itself after 10 minutes without any.
pub(super) const BAN: Span = Span::mins(10);

/// Production hosts.
pub(super) fn endpoints() -> BaseAddresses {
    BaseAddresses { rest: "https://api.bybit.com".into(), ws: "wss://stream.bybit.com".into() }
}

/// What the venue allows.
pub(super) fn limits() -> Limits {
    Limits {
        // Not documented; far below what was ever refused.
        messages_per_s: 20,
        connects_max: 500,
        connects_per: Span::mins(5),
        ping_every: Some(Span::secs(20)),
        // Two pongs missed.
        dead_after: Span::secs(45),
        // A snapshot of 2 × 1,000 levels is below 100 kB, 1,024 trades below 300 kB.
        message_bytes_max: 4 << 20,
        rest_after_403: Some(BAN),
        pools: vec![Pool::own(POOL, "ip", 600, Span::secs(5), 20)],
        ..Limits::usual("bybit")
    }
}
