//! What OKX allows (sheet §3 and §4): numbers are the venue's, the driver keeps its own margin.

use crate::session::{BaseAddresses, Limits, Pool, PoolId};
use barograph_domain::Span;

/// `/market/books`.
pub(super) const BOOKS: PoolId = PoolId(0);
/// `/market/candles`.
pub(super) const CANDLES: PoolId = PoolId(1);
/// `/market/history-candles`.
pub(super) const PAST_CANDLES: PoolId = PoolId(2);
/// `/public/funding-rate-history`.
pub(super) const FUNDING: PoolId = PoolId(3);
/// `/rubik/stat/contracts/open-interest-history`.
pub(super) const INTEREST: PoolId = PoolId(4);
/// `/market/history-trades`.
pub(super) const TRADES: PoolId = PoolId(5);
/// `/public/instruments`, `/market/tickers`.
pub(super) const LISTS: PoolId = PoolId(6);
/// `/public/time`.
pub(super) const TIME: PoolId = PoolId(7);

/// `/rubik/stat/contracts/long-short-…`. The venue counts by address and instrument; one count for all stays below that.
pub(super) const RATIOS: PoolId = PoolId(8);

/// Books on one connection: the venue asks for fewer than 30.
pub(super) const BOOKS_MAX: u32 = 25;
/// Markets on one connection of the public socket: 8 channels each.
pub(super) const MARKETS_MAX: u32 = 100;
/// Markets on one connection of the business socket: one channel each.
pub(super) const CANDLE_MARKETS_MAX: u32 = 240;
/// Topics in one request: about 12 kB of the 64 kB a request may have.
pub(super) const ARGS_MAX: usize = 200;
/// Requests of one connection per hour, of 480; the rest is for what cannot wait.
pub(super) const REQUESTS_MAX: u32 = 440;
/// Levels of the book channel.
pub(super) const DEPTH: usize = 400;
/// First pause after a throttled request; doubles with each further one.
pub(super) const PAUSE: Span = Span::secs(2);
/// Longest such pause: 2 s × 2^6.
pub(super) const PAUSE_DOUBLINGS: u32 = 6;

/// Production hosts.
pub(super) fn endpoints() -> BaseAddresses {
    BaseAddresses { rest: "https://www.okx.com".into(), ws: "wss://ws.okx.com:8443".into() }
}

/// What the venue allows.
pub(super) fn limits() -> Limits {
    let pool = |id, name, weight| Pool::own(id, name, weight, Span::secs(2), 8);
    Limits {
        messages_per_s: 5,
        connects_max: 3,
        connects_per: Span::secs(1),
        ping_every: Some(Span::secs(20)),
        // The venue closes after 30 s of silence; a pong is due within 10 s of the ping.
        dead_after: Span::secs(30),
        // A snapshot of 2 × 400 levels is below 50 kB; the largest list of instruments comes over HTTP.
        message_bytes_max: 4 << 20,
        pools: vec![
            pool(BOOKS, "books", 40),
            pool(CANDLES, "candles", 40),
            pool(PAST_CANDLES, "history_candles", 20),
            pool(FUNDING, "funding_history", 10),
            pool(INTEREST, "open_interest_history", 5),
            pool(TRADES, "history_trades", 20),
            pool(LISTS, "lists", 20),
            pool(TIME, "time", 10),
            pool(RATIOS, "long_short_ratios", 5),
        ],
        ..Limits::usual("okx")
    }
}
