//! Golden replays: real markets on days people remember, frozen (`testdata/replays`).
//!
//! Each episode is files as they were recorded, put through the real binary. What is frozen: every label change of the days
//! shown, some readings to the last digit, and a hash over every minute of the run; of the built-in history, whose licence
//! allows it, whole feature rows too. Readings computed by hand from the same files (`by_hand*.csv`) are met to 1e-9.
//!
//! `BAROGRAPH_BLESS=1` writes what is now into the frozen files, comments kept; read the diff before it is committed.
//! Five episodes lie in the repository (`testdata/history`, `testdata/episodes`). The recordings of the others live outside; where
//! they are missing an episode says `skipped: …` and passes.
#![expect(clippy::unwrap_used, clippy::print_stderr, reason = "helpers of tests, outside of test functions")]

mod by_hand;
mod episode;
mod frozen;
mod input;
mod rows;
mod said;
mod shipped;

use episode::Episode;
use input::Inputs;

/// What is compared to the last digit wherever an episode names a moment.
const USUAL: &[&str] = &["realized_vol_1h", "realized_vol_1h_pct_90d", "realized_vol_4h", "efficiency_12h", "atr_14"];
const CONTEXT: &[&str] =
    &["slope_pct", "trend_p", "vol_daily", "vol_yang_zhang", "heat", "price_z_24h", "adaptive_mult"];
const CROWD: &[&str] =
    &["oi_delta_4h", "oi_delta_4h_pct_90d", "funding_zscore_24h", "funding_pct_30d", "squeeze_risk_score"];

#[test]
fn sell_off_of_february_2026_built_in() {
    let episode = Episode {
        name: "sell_off_2026_02_05",
        inputs: Inputs::BuiltIn,
        flags: &[],
        shown: ("2025-12-07T00:00:00Z", "2026-03-06T00:00:00Z"),
        rows: Some(("2026-02-04T00:00:00Z", "2026-02-07T00:00:01Z")),
        moments: &[],
    };
    episode.check();
}

#[test]
fn sell_off_of_february_2026_with_five_minute_open_interest() {
    let episode = Episode {
        name: "sell_off_2026_02_05_open_interest",
        inputs: Inputs::Cut {
            between: ("2025-10-20T00:00:00Z", "2026-02-09T00:00:00Z"),
            files: &[
                ("ohlcv/usdm_2023_2026/btcusdt_30m.parquet", VENUE),
                ("ohlcv/usdm_2023_2026/ethusdt_30m.parquet", VENUE),
                ("ohlcv/usdm_2023_2026/solusdt_1h.parquet", VENUE),
                ("derivatives/oi_5m_2025-12_2026-06/btcusdt_oi_5m.csv.gz", VENUE),
                ("derivatives/oi_5m_2025-12_2026-06/ethusdt_oi_5m.csv.gz", VENUE),
                ("derivatives/oi_5m_2025-12_2026-06/solusdt_oi_5m.csv.gz", VENUE),
                ("derivatives/funding_full_2019_2026/btcusdt_funding.json.gz", VENUE),
                ("derivatives/funding_full_2019_2026/ethusdt_funding.json.gz", VENUE),
                ("derivatives/funding_full_2019_2026/solusdt_funding.json.gz", VENUE),
            ],
        },
        flags: &[],
        shown: ("2026-01-29T00:00:00Z", "2026-02-08T00:00:00Z"),
        rows: None,
        moments: &[
            ("binance-usdm:BTCUSDT", "2026-02-05T15:00:00Z", USUAL),
            ("binance-usdm:BTCUSDT", "2026-02-05T15:00:00Z", CROWD),
            ("binance-usdm:BTCUSDT", "2026-02-05T15:00:00Z", CONTEXT),
            ("binance-usdm:ETHUSDT", "2026-02-05T16:00:00Z", USUAL),
            ("binance-usdm:SOLUSDT", "2026-01-30T00:00:00Z", CROWD),
        ],
    };
    episode.check();
}
const VENUE: &str = "venue = \"binance-usdm\"";

#[test]
fn crash_of_october_2025() {
    let episode = Episode {
        name: "crash_2025_10_10",
        inputs: Inputs::Cut {
            between: ("2025-08-15T00:00:00Z", "2025-10-16T00:00:00Z"),
            files: &[
                ("ohlcv/5m_2025-10_crash/btcusdt_usdm_5m.json.gz", VENUE),
                ("ohlcv/5m_2025-10_crash/ethusdt_usdm_5m.json.gz", VENUE),
                ("ohlcv/5m_2025-10_crash/btcusdt_bybit_perp_5m.feather", "venue = \"bybit\""),
                ("derivatives/funding_full_2019_2026/btcusdt_funding.json.gz", VENUE),
                ("derivatives/funding_full_2019_2026/ethusdt_funding.json.gz", VENUE),
                ("derivatives/multi_venue_2025_2026/funding_rates.parquet", BYBIT_FUNDING),
            ],
        },
        flags: &[],
        shown: ("2025-10-09T00:00:00Z", "2025-10-14T00:00:00Z"),
        rows: None,
        moments: &[
            ("binance-usdm:BTCUSDT", "2025-10-10T22:00:00Z", USUAL),
            ("binance-usdm:BTCUSDT", "2025-10-10T22:00:00Z", CONTEXT),
            ("binance-usdm:ETHUSDT", "2025-10-10T22:00:00Z", USUAL),
            ("bybit:BTCUSDT", "2025-10-10T22:00:00Z", USUAL),
            ("bybit:BTCUSDT", "2025-10-12T12:00:00Z", &["funding_zscore_24h", "funding_pct_30d"]),
        ],
    };
    episode.check();
}
/// One table of all venues and coins: the rows of one market are picked out.
const BYBIT_FUNDING: &str = r#"venue = "bybit"
symbol = "BTCUSDT"
metric = "funding_rate_settled"
cadence = "8h"
columns = { time = "timestamp", rate = "funding_rate" }
where = { venue = "bybit", coin = "BTC" }"#;

/// The night of 2023-08-17 on Binance: a fall of a tenth within minutes after weeks of quiet; no open interest is known.
#[test]
fn flash_crash_of_august_2023() {
    let episode = Episode {
        name: "flash_crash_2023_08_17",
        inputs: Inputs::Cut {
            between: ("2023-04-15T00:00:00Z", "2023-08-21T00:00:00Z"),
            files: &[
                ("ohlcv/5m_usdm_2023_2024/btcusdt_5m.feather", VENUE),
                ("ohlcv/5m_usdm_2023_2024/ethusdt_5m.feather", VENUE),
                ("derivatives/funding_full_2019_2026/btcusdt_funding.json.gz", VENUE),
                ("derivatives/funding_full_2019_2026/ethusdt_funding.json.gz", VENUE),
            ],
        },
        flags: &[],
        shown: ("2023-08-16T00:00:00Z", "2023-08-20T00:00:00Z"),
        rows: None,
        moments: &[
            ("binance-usdm:BTCUSDT", "2023-08-17T22:00:00Z", USUAL),
            ("binance-usdm:BTCUSDT", "2023-08-17T22:00:00Z", CONTEXT),
            ("binance-usdm:ETHUSDT", "2023-08-17T22:00:00Z", USUAL),
            ("binance-usdm:ETHUSDT", "2023-08-18T06:00:00Z", CONTEXT),
        ],
    };
    episode.check();
}

#[test]
fn depeg_of_march_2023_on_spot() {
    let episode = Episode {
        name: "depeg_2023_03",
        inputs: Inputs::Whole {
            files: &[
                ("ohlcv/1m_depeg_2023-03/binance_btcusdc_1m.parquet", BINANCE_US),
                ("ohlcv/1m_depeg_2023-03/binance_btcusdt_1m.parquet", BINANCE_US),
                ("ohlcv/1m_depeg_2023-03/coinbase_btcusd_1m.parquet", ""),
                ("ohlcv/1m_depeg_2023-03/coinbase_usdtusd_1m.parquet", ""),
                ("ohlcv/1m_depeg_2023-03/kraken_btcusd_1m.parquet", ""),
                ("ohlcv/1m_depeg_2023-03/kraken_usdcusd_1m.parquet", ""),
            ],
        },
        flags: &[],
        shown: ("2023-03-09T00:00:00Z", "2023-03-14T00:00:00Z"),
        rows: None,
        moments: &[
            ("coinbase:BTCUSD", "2023-03-10T14:00:00Z", USUAL),
            ("coinbase:BTCUSD", "2023-03-10T14:00:00Z", CONTEXT),
            ("kraken:BTCUSD", "2023-03-13T14:00:00Z", USUAL),
            ("kraken:USDCUSD", "2023-03-11T08:00:00Z", USUAL),
            ("binance-us:BTCUSDC", "2023-03-11T08:00:00Z", USUAL),
        ],
    };
    episode.check();
}
const BINANCE_US: &str = "venue = \"binance-us\"\nmarket = \"spot\"";

/// Bitcoin and Ether perpetuals of OKX with settled funding of Gate, which says so.
const OKX: &[(&str, &str)] = &[
    ("ohlcv/5m_okx_2022_stress/btc-usdt-swap_5m.feather", "venue = \"okx\""),
    ("ohlcv/5m_okx_2022_stress/eth-usdt-swap_5m.feather", "venue = \"okx\""),
    ("derivatives/funding_2020_2023/btc-usdt_gate.csv.gz", GATE_BTC),
    ("derivatives/funding_2020_2023/eth-usdt_gate.csv.gz", GATE_ETH),
];
const GATE_BTC: &str = r#"venue = "okx"
symbol = "BTC-USDT-SWAP"
source = "gate"
metric = "funding_rate_settled"
cadence = "8h"
columns = { time = "Date", rate = "Funding Rate" }"#;
const GATE_ETH: &str = r#"venue = "okx"
symbol = "ETH-USDT-SWAP"
source = "gate"
metric = "funding_rate_settled"
cadence = "8h"
columns = { time = "Date", rate = "Funding Rate" }"#;

#[test]
fn luna_of_may_2022() {
    let episode = Episode {
        name: "luna_2022_05",
        inputs: Inputs::Cut { between: ("2022-03-20T00:00:00Z", "2022-05-17T00:00:00Z"), files: OKX },
        flags: &[],
        shown: ("2022-05-08T00:00:00Z", "2022-05-14T00:00:00Z"),
        rows: None,
        moments: &[
            ("okx:BTC-USDT-SWAP", "2022-05-12T07:00:00Z", USUAL),
            ("okx:BTC-USDT-SWAP", "2022-05-12T07:00:00Z", CONTEXT),
            ("okx:ETH-USDT-SWAP", "2022-05-12T07:00:00Z", USUAL),
            ("okx:BTC-USDT-SWAP", "2022-05-12T07:00:00Z", &["funding_zscore_24h", "funding_pct_30d"]),
        ],
    };
    episode.check();
}

#[test]
fn ftx_of_november_2022() {
    let episode = Episode {
        name: "ftx_2022_11",
        inputs: Inputs::Cut { between: ("2022-08-05T00:00:00Z", "2022-11-16T00:00:00Z"), files: OKX },
        flags: &[],
        shown: ("2022-11-06T00:00:00Z", "2022-11-15T00:00:00Z"),
        rows: None,
        moments: &[
            ("okx:BTC-USDT-SWAP", "2022-11-08T20:00:00Z", USUAL),
            ("okx:ETH-USDT-SWAP", "2022-11-09T22:00:00Z", USUAL),
            ("okx:ETH-USDT-SWAP", "2022-11-09T22:00:00Z", &["funding_zscore_24h", "funding_pct_30d"]),
        ],
    };
    episode.check();
}

#[test]
fn minutes_of_may_and_june_2025() {
    let episode = Episode {
        name: "minutes_2025_05",
        inputs: Inputs::AsTheyLie { path: "ohlcv/1m_2025_2026" },
        flags: &[],
        shown: ("2025-05-21T00:00:00Z", "2025-05-25T00:00:00Z"),
        rows: None,
        moments: &[
            ("binance-usdm:BTCUSDT", "2025-05-23T13:00:00Z", USUAL),
            ("binance-usdm:ETHUSDT", "2025-05-23T13:00:00Z", USUAL),
            ("binance-usdm:SOLUSDT", "2025-05-24T18:00:00Z", USUAL),
        ],
    };
    episode.check();
}

#[test]
fn minutes_of_january_2022() {
    let episode = Episode {
        name: "minutes_2022_01",
        inputs: Inputs::AsTheyLie { path: "ohlcv/1m_2022-01" },
        // The stamp is the end of the minute as far as anyone can know; taken for the beginning it is safe but late.
        flags: &["--venue", "ftx", "--market", "perpetual", "--stamp", "close"],
        shown: ("2022-01-20T00:00:00Z", "2022-01-25T00:00:00Z"),
        rows: None,
        moments: &[("ftx:BTC-PERP", "2022-01-21T14:00:00Z", USUAL), ("ftx:BTC-PERP", "2022-01-24T15:00:00Z", USUAL)],
    };
    episode.check();
}
