//! Episodes of `testdata/episodes`: hourly candles and settled funding, replayed on every checkout.

use crate::episode::Episode;
use crate::input::Inputs;
use crate::{CONTEXT, USUAL};

const FUNDING: &[&str] = &["funding_zscore_24h", "funding_pct_30d", "funding_apr"];

/// The first week of April: tariffs on everybody, the lowest prices of the year, and the hour in which most were taken back.
#[test]
fn tariffs_of_april_2025() {
    let episode = Episode {
        name: "tariffs_2025_04",
        inputs: Inputs::Shipped("tariffs_2025_04"),
        flags: &[],
        shown: ("2025-04-02T00:00:00Z", "2025-04-12T00:00:00Z"),
        rows: None,
        moments: &[
            ("binance-usdm:BTCUSDT", "2025-04-07T08:00:00Z", USUAL),
            ("binance-usdm:BTCUSDT", "2025-04-09T19:00:00Z", CONTEXT),
            ("binance-usdm:ETHUSDT", "2025-04-09T19:00:00Z", USUAL),
            ("binance-usdm:SOLUSDT", "2025-04-07T08:00:00Z", CONTEXT),
            ("binance-usdm:SOLUSDT", "2025-04-07T08:00:00Z", FUNDING),
        ],
    };
    episode.check();
}

/// A climb without a fright: what must not be called one.
#[test]
fn record_of_july_2025() {
    let episode = Episode {
        name: "record_2025_07",
        inputs: Inputs::Shipped("record_2025_07"),
        flags: &[],
        shown: ("2025-07-08T00:00:00Z", "2025-07-17T00:00:00Z"),
        rows: None,
        moments: &[
            ("binance-usdm:BTCUSDT", "2025-07-11T12:00:00Z", USUAL),
            ("binance-usdm:BTCUSDT", "2025-07-14T09:00:00Z", CONTEXT),
            ("binance-usdm:ETHUSDT", "2025-07-11T12:00:00Z", CONTEXT),
            ("binance-usdm:ETHUSDT", "2025-07-14T09:00:00Z", FUNDING),
        ],
    };
    episode.check();
}

/// The same night as `crash_2025_10_10`, as hourly candles see it, on two venues.
#[test]
fn crash_of_october_2025_by_the_hour() {
    let episode = Episode {
        name: "crash_2025_10_10_hourly",
        inputs: Inputs::Shipped("crash_2025_10_10_hourly"),
        flags: &[],
        shown: ("2025-10-09T00:00:00Z", "2025-10-14T00:00:00Z"),
        rows: None,
        moments: &[
            ("binance-usdm:BTCUSDT", "2025-10-10T23:00:00Z", USUAL),
            ("binance-usdm:BTCUSDT", "2025-10-12T12:00:00Z", CONTEXT),
            ("binance-usdm:SOLUSDT", "2025-10-10T23:00:00Z", CONTEXT),
            ("bybit:BTCUSDT", "2025-10-10T23:00:00Z", USUAL),
            ("bybit:BTCUSDT", "2025-10-12T12:00:00Z", FUNDING),
        ],
    };
    episode.check();
}

/// Weeks of falling to the low of 21 November, and the days after it.
#[test]
fn fall_of_november_2025() {
    let episode = Episode {
        name: "fall_2025_11",
        inputs: Inputs::Shipped("fall_2025_11"),
        flags: &[],
        shown: ("2025-11-18T00:00:00Z", "2025-11-25T00:00:00Z"),
        rows: None,
        moments: &[
            ("binance-usdm:BTCUSDT", "2025-11-21T13:00:00Z", USUAL),
            ("binance-usdm:BTCUSDT", "2025-11-21T13:00:00Z", CONTEXT),
            ("binance-usdm:ETHUSDT", "2025-11-23T12:00:00Z", CONTEXT),
            ("binance-usdm:ETHUSDT", "2025-11-21T13:00:00Z", FUNDING),
        ],
    };
    episode.check();
}
