//! What the venue allows, and what requests cost. Source: sheets USD-M §3.1–3.2 and §4, spot §3.1–3.2 and §4.1; COIN-M shares
//! the hosts' budget and the rules of USD-M.

use super::flavour::{Class, Flavour};
use crate::session::{Limits, Pool, PoolId};
use barograph_domain::Span;

/// Request weight per clock minute.
pub(super) const WEIGHT: PoolId = PoolId(0);
/// `fundingRate` and `fundingInfo`, together.
pub(super) const FUNDING: PoolId = PoolId(1);
/// `/futures/data/*`.
pub(super) const DATA: PoolId = PoolId(2);

/// Streams per connection. The venue allows 1,024; fewer keep one slow connection from delaying everything, and make one
/// SUBSCRIBE of the 200 names that pass as one message.
pub(super) const STREAMS_MAX: usize = 200;

/// Share of the minute's weight that regular polls may take; the rest is for books, repairs and others at this address.
const POLL_SHARE: (i64, i64) = (1, 2);

pub(super) fn limits(flavour: &Flavour) -> Limits {
    let minute = Span::mins(1);
    let weight = |weight| Pool {
        id: WEIGHT,
        name: "weight",
        weight,
        per: minute,
        aligned: true,
        used_header: Some("x-mbx-used-weight-1m"),
        in_flight_max: 8,
        // USD-M and COIN-M hosts count an address together.
        shared: flavour.is_futures().then_some("binance-futures"),
    };
    let pool = |id, name, weight| Pool {
        id,
        name,
        weight,
        per: Span::mins(5),
        aligned: false,
        used_header: None,
        in_flight_max: 4,
        shared: None,
    };
    let pools = match flavour.class {
        Class::UsdM | Class::CoinM => vec![weight(2_400), pool(FUNDING, "funding", 500), pool(DATA, "data", 1_000)],
        Class::Spot => vec![weight(6_000)],
        Class::Us => vec![weight(1_200)],
    };
    Limits {
        // Another company with other machines.
        operator: if flavour.class == Class::Us { "binance-us" } else { "binance" },
        // 5 of the 10 that futures document; spot counts pongs too, so one of the five is left for them.
        messages_per_s: if flavour.is_futures() { 5 } else { 4 },
        connects_max: 300,
        connects_per: Span::mins(5),
        // 24 h is the end; 23 h 50 min leaves room for a slow replacement.
        rotate_after: Some(Span::mins(23 * 60 + 50)),
        rotate_overlap: Span::secs(15),
        ping_every: Some(Span::secs(15)),
        // Binance.US pings every 3 min and thin markets say nothing in between; our own pings are answered.
        dead_after: Span::secs(45),
        // The largest frame is an array of all mark prices: 1,000 rows of 200 bytes, with room for ten times that.
        message_bytes_max: 4 << 20,
        rest_after_403: None,
        deflate: false,
        pools,
        host_rests_on_429: true,
    }
}

/// Interval at which every market can be polled within the budget (weight 1 each).
pub(super) fn poll_interval(flavour: &Flavour, markets: usize, wanted: Span) -> Span {
    let per_minute = limits(flavour).pools.first().map_or(1_200, |p| i64::from(p.weight)) * POLL_SHARE.0 / POLL_SHARE.1;
    let needed = Span::mins(1).0 / per_minute * i64::try_from(markets).unwrap_or(i64::MAX / Span::mins(1).0);
    wanted.max(Span(needed))
}

/// Interval at which the four ratios of every market can be polled: half of the budget of `/futures/data`, the rest is for
/// the history of open interest.
pub(super) fn ratio_interval(markets: usize, wanted: Span) -> Span {
    const RATIOS: i64 = 4;
    const PER_FIVE_MINUTES: i64 = 1_000 / 2;
    let requests = RATIOS.saturating_mul(i64::try_from(markets).unwrap_or(i64::MAX));
    wanted.max(Span((Span::mins(5).0 / PER_FIVE_MINUTES).saturating_mul(requests)))
}

/// A book snapshot: the `limit` parameter and its weight, for a book of `levels` per side.
pub(super) fn depth(flavour: &Flavour, levels: usize) -> (Option<u32>, u32) {
    match (flavour.class, levels) {
        // Without a limit: 500 levels at weight 1 (measured, sheet §3.2).
        (Class::UsdM, ..=500) => (None, 1),
        (Class::CoinM, ..=500) => (Some(500), 10),
        (Class::UsdM | Class::CoinM, _) => (Some(1_000), 20),
        (Class::Spot, ..=100) => (Some(100), 5),
        (Class::Spot, ..=500) => (Some(500), 25),
        (Class::Spot, ..=1_000) => (Some(1_000), 50),
        (Class::Spot, _) => (Some(5_000), 250),
        (Class::Us, ..=100) => (Some(100), 1),
        (Class::Us, ..=500) => (Some(500), 5),
        (Class::Us, ..=1_000) => (Some(1_000), 10),
        (Class::Us, _) => (Some(5_000), 50),
    }
}

/// Rows per page of candles and the page's weight.
pub(super) fn klines(flavour: &Flavour) -> (u32, u32) {
    match flavour.class {
        Class::UsdM | Class::CoinM => (500, 2),
        Class::Spot => (1_000, 2),
        Class::Us => (1_000, 1),
    }
}

/// Weight of a page of 1,000 aggregated trades.
pub(super) fn trades(flavour: &Flavour) -> u32 {
    match flavour.class {
        Class::UsdM | Class::CoinM => 20,
        Class::Spot => 4,
        Class::Us => 1,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::binance::flavour::{SPOT_COM, SPOT_US, USDM};

    #[test]
    fn a_thousand_markets_fit_half_the_budget() {
        assert_eq!(poll_interval(&USDM, 1_000, Span::secs(30)), Span::secs(50));
        assert_eq!(poll_interval(&USDM, 1_000, Span::secs(60)), Span::secs(60));
        assert_eq!(poll_interval(&USDM, 3, Span::secs(30)), Span::secs(30));
        assert_eq!(ratio_interval(100, Span::mins(5)), Span::mins(5));
        assert_eq!(ratio_interval(1_000, Span::mins(5)), Span::mins(40));
    }

    #[test]
    fn checklist_spot_12_depth_is_charged_by_bracket() {
        let weights = |f| [100, 500, 1_000, 5_000].map(|levels| depth(f, levels).1);
        assert_eq!(weights(&SPOT_COM), [5, 25, 50, 250]);
        assert_eq!(weights(&SPOT_US), [1, 5, 10, 50]);
    }
}
