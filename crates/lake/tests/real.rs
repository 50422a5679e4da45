//! Files as the world writes them: recorded sets beside the repository, and the history shipped with it. Row and gap counts
//! are those of the sets' own description.

use crate::common;
use barograph_domain::{Event, Metric, Payload, Span, Ts};
use barograph_lake::ImportOptions;
use barograph_testkit::recorded;
use barograph_venues::{ColumnMap, Continuity, Unused};
use common::{Imported, btc, import, options};
use std::path::Path;

fn gaps(got: &Imported) -> Vec<Event> {
    let mut continuity = Continuity::new(got.plan.streams());
    got.events.iter().filter_map(|e| continuity.push(e)).collect()
}

/// Imports one recorded file; nothing may be rejected. `None` where the set is missing.
fn check(
    below: &str,
    options: &ImportOptions,
    metric: Metric,
    cadence: Span,
    rows: usize,
    holes: usize,
) -> Option<Imported> {
    let got = import(&[recorded(below)?], options);
    assert_eq!(got.rejections(), Vec::<String>::new(), "{below}");
    assert_eq!((got.events.len(), gaps(&got).len()), (rows, holes), "{below}: rows, gaps");
    let streams = got.plan.streams();
    assert_eq!((streams.len(), streams[0].metric, streams[0].cadence), (1, metric, cadence), "{below}");
    Some(got)
}

#[test]
fn candles_of_every_shape() {
    let (minute, hour) = (Span::mins(1), Span::hours(1));
    for (below, cadence, rows, holes) in [
        ("ohlcv/1d_full_2019_2026/btcusdt_1d.json.gz", Span::days(1), 2471, 0),
        ("ohlcv/1h_2023_2026-06/btcusdt_1h.csv.gz", hour, 26_309, 0),
        ("ohlcv/1h_spot_2017_2024/btcusdt_1h.feather", hour, 58_419, 28),
        ("ohlcv/1h_usdm_full_klines_2025_2026/ethusdt_1h.csv.gz", hour, 4_500, 0),
        ("ohlcv/1m_2022-01/btc-perp_1m.csv.gz", minute, 45_031, 0),
        ("ohlcv/1m_2023-07/ethusdt_usdm_1m.feather", minute, 64_066, 0),
        ("ohlcv/1m_2025_2026/btc-usdt-swap_okx_1m.feather", minute, 22_078, 0),
        ("ohlcv/1m_depeg_2023-03/binance_btcusdc_1m.parquet", minute, 30_240, 0),
        ("ohlcv/1m_depeg_2023-03/coinbase_btcusd_1m.parquet", minute, 29_950, 11),
        ("ohlcv/1m_depeg_2023-03/kraken_btcusd_1m.parquet", minute, 30_179, 47),
        ("ohlcv/1m_depeg_2023-03/kraken_usdcusd_1m.parquet", minute, 20_934, 4_573),
        ("ohlcv/4h_usdm_2022_2026/btcusdt_4h.parquet", Span::hours(4), 9_205, 0),
        ("ohlcv/5m_2025-10_crash/btcusdt_usdm_5m.json.gz", Span::mins(5), 11_123, 0),
        ("ohlcv/5m_okx_2022_stress/sol-usdt-swap_5m.feather", Span::mins(5), 70_499, 0),
        ("ohlcv/usdm_2023_2026/btcusdt_30m.parquet", Span::mins(30), 56_619, 0),
    ] {
        check(below, &btc(), Metric::Bar, cadence, rows, holes);
    }
}

#[test]
fn the_crash_of_2025_10_10_is_where_it_was() {
    let Some(got) =
        check("ohlcv/5m_2025-10_crash/btcusdt_usdm_5m.json.gz", &btc(), Metric::Bar, Span::mins(5), 11_123, 0)
    else {
        return;
    };
    let low = |e: &Event| if let Payload::Bar(b) = e.payload { b.low } else { f64::MAX };
    let deepest = got.events.iter().min_by(|a, b| low(a).total_cmp(&low(b))).unwrap();
    assert_eq!(
        deepest.event_ts,
        Ts::from_civil(2025, 10, 10, 21, 25, 0),
        "the bar that opens at 21:20 closes at 21:25"
    );
    assert_eq!(deepest.recv_ts, deepest.event_ts + Span::secs(2));
}

#[test]
fn marks_and_funding_of_freqtrade() {
    let eight = Span::hours(8);
    let mark = "derivatives/mark_1h_okx_2022_2026/eth-usdt-swap_1h_mark.feather";
    check(mark, &btc(), Metric::MarkPrice, Span::hours(1), 32_551, 0);
    check("ohlcv/5m_usdm_2023_2024/btcusdt_8h_mark.feather", &btc(), Metric::MarkPrice, eight, 1_498, 0);
    check("ohlcv/5m_usdm_2023_2024/btcusdt_8h_funding.feather", &btc(), Metric::FundingRateSettled, eight, 1_498, 0);
    let long = "derivatives/mark_funding_8h_2022_2025/btcusdt_8h-funding_rate.feather";
    check(long, &btc(), Metric::FundingRateSettled, eight, 4_188, 0);
}

#[test]
fn an_interval_that_changes_inside_the_file_is_followed() {
    let file = "derivatives/hyperliquid_funding_2023_2025/btc_funding.feather";
    let Some(got) = check(file, &btc(), Metric::FundingRateSettled, Span::hours(8), 18_778, 0) else { return };
    let hours = |e: &Event| if let Payload::Funding { interval_h, .. } = e.payload { interval_h } else { None };
    assert_eq!(hours(&got.events[0]), Some(8.0), "May 2023: every eight hours");
    assert_eq!(hours(&got.events[18_777]), Some(1.0), "2025: every hour");
    let changed = got.events.windows(2).filter(|w| hours(&w[0]) != hours(&w[1])).count();
    assert_eq!(changed, 1, "once");
}

#[test]
fn funding_and_open_interest_people_keep() {
    let eight = Span::hours(8);
    let pages = "derivatives/funding_full_2019_2026/solusdt_funding.json.gz";
    check(pages, &options(), Metric::FundingRateSettled, eight, 6_351, 0);
    check(
        "derivatives/funding_2020_2023/eth-usdt_gate.csv.gz",
        &options(),
        Metric::FundingRateSettled,
        eight,
        4_290,
        1,
    );
    let dydx = "derivatives/funding_2020_2023/btc-usdt_dydx.csv.gz";
    check(dydx, &options(), Metric::FundingRateSettled, eight, 17_520, 0);
    let csv = "derivatives/oi_5m_2025-12_2026-06/btcusdt_funding.csv";
    check(csv, &btc(), Metric::FundingRateSettled, eight, 546, 0);
    let oi = "derivatives/oi_5m_2025-12_2026-06/ethusdt_oi_5m.csv.gz";
    check(oi, &btc(), Metric::OpenInterest, Span::mins(5), 55_296, 0);
    check("derivatives/oi_4h_2026/btcusdt_oi_4h.csv.gz", &btc(), Metric::OpenInterest, Span::hours(4), 168, 0);
    let parquet = "derivatives/binance_bybit_15m_2026/oi_15m.parquet";
    check(parquet, &btc(), Metric::OpenInterest, Span::mins(15), 2_794, 0);
}

#[test]
fn long_tables_through_a_map() {
    let map = |text: &str| ImportOptions { columns: Some(ColumnMap::parse(text).unwrap()), ..btc() };
    let only = "where.venue=Binance,where.coin=BTC";
    let candles = map(&format!("time=timestamp,open=o,high=h,low=l,close=c,volume=v,{only}"));
    let file = |name: &str| format!("derivatives/multi_venue_2025_2026/{name}.parquet");
    check(&file("candles"), &candles, Metric::Bar, Span::hours(1), 8_736, 0);
    let funding = map(&format!("time=timestamp,rate=funding_rate,{only}"));
    check(&file("funding_rates"), &funding, Metric::FundingRateSettled, Span::hours(8), 1_092, 0);
    let usd = map("time=timestamp,usd=oi_usd,where.venue=hyperliquid,where.coin=BTC");
    let usd = ImportOptions { source: Some("hyperliquid".into()), ..usd };
    let Some(got) = check(&file("open_interest"), &usd, Metric::OpenInterestUsd, Span::hours(1), 2_142, 1) else {
        return;
    };
    let hole = gaps(&got)[0];
    let Payload::Status(hole) = hole.payload else { panic!("no gap") };
    assert_eq!((hole.from, hole.until - hole.from), (Ts::from_civil(2026, 1, 18, 23, 0, 0), Span::hours(19)));
}

#[test]
fn overlapping_recordings_of_one_market_are_joined() {
    let Some(folder) = recorded("ohlcv/1m_2025_2026") else { return };
    let files = ["btcusdt_usdm_1m_a.feather", "btcusdt_usdm_1m_b.feather"].map(|n| folder.join(n));
    let got = import(&files, &btc());
    assert_eq!((got.events.len(), got.report.disagreeing, gaps(&got).len()), (73_139, 0, 0));
    assert_eq!(got.report.already_seen, 2 * 43_199 - 73_139);
}

#[test]
fn recordings_of_three_markets() {
    let Some(folder) = recorded("raw/hftbacktest") else { return };
    for (file, market, used, books, snapshots) in [
        ("binance-usdm_btcusdt_20240718.gz", "binance-usdm:BTCUSDT", 7_113 + 974, 3_326, 1),
        ("binance-spot_btcusdt_20240809.gz", "binance-spot:BTCUSDT", 45_134 + 10_147, 3_044, 0),
        ("binance-coinm_ethusd_perp_20240808.gz", "binance-coinm:ETHUSD_PERP", 15_812 + 1_732, 22_909, 1),
    ] {
        let got = import(&[folder.join(file)], &options());
        assert_eq!(got.rejections(), Vec::<String>::new(), "{file}");
        let unused = |u: Unused| got.report.unused.get(&u).copied().unwrap_or(0);
        let counts = (got.events.len(), unused(Unused::BookFrame), unused(Unused::BookSnapshot));
        assert_eq!(counts, (used, books, snapshots), "{file}");
        assert_eq!(got.plan.instruments()[0].name.to_string(), market);
        let trade = |e: &&Event| matches!(e.payload, Payload::Trade { .. });
        // Coin-margined contracts became coins: 10 USD each.
        if let (Some(first), true) = (got.events.iter().find(trade), file.contains("coinm")) {
            let Payload::Trade { price, qty, .. } = first.payload else { panic!("not a trade") };
            let contracts = qty * price / 10.0;
            assert!((contracts - contracts.round()).abs() < 1e-6, "{contracts} contracts");
        }
    }
}

#[test]
fn the_shipped_history_says_everything_about_itself() {
    let shipped = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../testdata/history");
    let got = import(&[shipped], &options());
    assert_eq!(
        (got.events.len(), got.streams().len(), got.plan.instruments().len()),
        (3 * (2_122 + 266 + 2_093), 9, 3)
    );
    assert_eq!((got.report.rejected_rows, got.report.failed.len()), (0, 0));
    let proxies =
        got.plan.streams().iter().filter(|d| d.kind == barograph_domain::Kind::Proxy && d.source == "hyperliquid");
    assert_eq!(proxies.count(), 3);
    let holes = gaps(&got);
    assert_eq!(holes.len(), 3, "one hole in each series of open interest");
    let Payload::Status(hole) = holes[0].payload else { panic!("no gap") };
    assert_eq!(hole.until - hole.from, Span::hours(19));
}
