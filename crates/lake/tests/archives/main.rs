//! Archives of books and trades: what a listener gets of recordings that others made.
#![expect(
    clippy::unwrap_used,
    clippy::panic_in_result_fn,
    reason = "helpers of tests, outside of test functions; a listener that hears what cannot be stops the test"
)]

mod broken;
mod disorder;
mod support;
mod synthetic;

use barograph_domain::Ts;
use std::path::PathBuf;
use support::play;

/// A recording, and what a listener gets of it.
struct Case {
    market: &'static str,
    files: &'static [&'static str],
    /// States, trades, trades without a side, levels at most, changed levels of all states.
    counts: [u64; 5],
    /// Losses of the book and of the trades.
    lost: [u64; 2],
    /// The widest spread is below this part of the mid.
    spread: f64,
}

/// The counts were made a second time, by scripts that read the same files with other means (pyarrow for Parquet, whole books as
/// dictionaries), and agree.
const CASES: [Case; 9] = [
    Case {
        market: "bybit:XRPUSDT",
        files: &["raw/archives/xrpusdt-ob500.data.zip"],
        counts: [50, 0, 0, 21, 2_967],
        lost: [0, 0],
        spread: 2e-4,
    },
    // The snapshot's rows are bids only, and 20 million updates lie between it and the changes: nothing can be built.
    Case {
        market: "binance-usdm:BTCUSDT",
        files: &["raw/archives/btcusdt-depth-snap.csv", "raw/archives/btcusdt-depth-update.csv"],
        counts: [0, 0, 0, 0, 0],
        lost: [0, 0],
        spread: 0.0,
    },
    Case {
        market: "binance-usdm:BTCUSDT",
        files: &["raw/archives/binance-futures_book_snapshot_5_BTCUSDT.csv"],
        counts: [10, 0, 0, 5, 21],
        lost: [0, 0],
        spread: 1e-5,
    },
    Case {
        market: "binance-usdm:BTCUSDT",
        files: &["raw/archives/binance-futures_book_snapshot_25_BTCUSDT.csv"],
        counts: [10, 0, 0, 25, 60],
        lost: [0, 0],
        spread: 1e-5,
    },
    Case {
        market: "nasdaq:AAPL",
        files: &["book_trades/lobster_2012-06-21/LOBSTER_SampleFile_AAPL_2012-06-21_1.zip"],
        counts: [107_165, 34_990, 0, 1, 107_166],
        lost: [0, 0],
        spread: 2e-3,
    },
    Case {
        market: "nasdaq:AMZN",
        files: &["book_trades/lobster_2012-06-21/LOBSTER_SampleFile_AMZN_2012-06-21_5.zip"],
        counts: [153_490, 11_419, 0, 5, 153_499],
        lost: [0, 0],
        spread: 4e-3,
    },
    Case {
        market: "bitstamp:BTCUSD",
        files: &["book_trades/bitstamp_l3_2015-05-01/orders.csv.xz"],
        counts: [46_711, 570, 21, 76, 50_414],
        lost: [4, 0],
        spread: 5e-3,
    },
    Case {
        market: "binance-usdm:BTCUSDT",
        files: &[
            "book_trades/binance_5min_20260216/trades_btc_fut.parquet",
            "book_trades/binance_5min_20260216/lobdeep_btc_fut.parquet",
        ],
        counts: [2_559, 11_947, 0, 588, 213_787],
        lost: [0, 0],
        spread: 1e-4,
    },
    Case {
        market: "binance-spot:BTCUSDT",
        files: &[
            "book_trades/binance_5min_20260216/lobdeep_btc_spot.parquet",
            "book_trades/binance_5min_20260216/trades_btc_spot.parquet",
        ],
        counts: [2_559, 10_215, 0, 525, 84_170],
        lost: [0, 0],
        spread: 1e-4,
    },
];

fn recorded(files: &[&str]) -> Option<Vec<PathBuf>> {
    files.iter().map(|file| barograph_testkit::recorded(file)).collect()
}

#[test]
fn every_archive_gives_the_books_and_trades_it_holds() {
    let mut wrong = Vec::new();
    for case in &CASES {
        let Some(files) = recorded(case.files) else { continue };
        let (heard, done) = play(case.market, &files);
        let counts = [heard.books, heard.trades.len() as u64, done.played.unsided, heard.levels as u64, heard.updates];
        assert_eq!(heard.begun.is_empty(), heard.trades.is_empty(), "{}: trades that nobody recorded", case.files[0]);
        let lost = [done.played.book_losses, done.played.trade_losses];
        assert_eq!((done.unreadable, done.played.refused, done.torn.len()), (0, 0, 0), "{}: {done:?}", case.files[0]);
        if counts != case.counts || lost != case.lost || heard.spread > case.spread || heard.outside > 0 {
            let files = case.files[0];
            let lost = &heard.lost;
            wrong.push(format!(
                "{files}: {counts:?} {lost:?} spread {:e} outside {} {:?}",
                heard.spread, heard.outside, done
            ));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// The first rows as they stand in the file: event and receipt in nanoseconds, best bid and ask with their sizes.
type First = (i64, i64, [f64; 4]);
/// A trade likewise: event in nanoseconds, price, size, and whether the buyer took.
type FirstTrade = (i64, f64, f64, bool);

const FIRST: [(usize, &[First], &[FirstTrade]); 6] = [
    (
        0,
        &[
            (1_733_011_200_589_000_000, 1_733_011_200_691_000_000, [1.9531, 6_203.0, 1.9532, 10_480.0]),
            (1_733_011_200_691_000_000, 1_733_011_200_693_000_000, [1.9531, 6_198.0, 1.9532, 10_480.0]),
        ],
        &[],
    ),
    (
        2,
        &[
            (1_598_918_403_696_000_000, 1_598_918_403_810_979_000, [11_657.07, 10.896, 11_657.08, 1.714]),
            (1_598_918_403_888_000_000, 1_598_918_403_894_256_000, [11_657.07, 10.896, 11_657.08, 1.476]),
            (1_598_918_403_930_000_000, 1_598_918_403_935_479_000, [11_657.07, 10.896, 11_657.08, 1.475]),
        ],
        &[],
    ),
    (
        4,
        // 34200.004241176 s behind midnight in New York, which is 04:00 UTC.
        &[
            (1_340_285_400_004_241_176, 1_340_285_400_004_241_176, [585.33, 18.0, 585.94, 200.0]),
            (1_340_285_400_025_551_909, 1_340_285_400_025_551_909, [585.33, 18.0, 585.91, 18.0]),
            (1_340_285_400_201_743_336, 1_340_285_400_201_743_336, [585.33, 18.0, 585.92, 18.0]),
        ],
        &[
            (1_340_285_400_275_016_159, 585.74, 40.0, true),
            (1_340_285_400_275_016_159, 585.75, 25.0, true),
            (1_340_285_400_275_057_494, 585.73, 1.0, false),
        ],
    ),
    (
        6,
        &[],
        &[
            (1_430_438_404_637_000_000, 236.47, 0.211_443_31, true),
            (1_430_438_406_339_000_000, 236.47, 1.788_556_69, false),
        ],
    ),
    (
        7,
        &[(1_771_214_399_863_000_000, 1_771_214_400_140_000_000, [68_392.5, 1.2, 68_392.6, 7.019])],
        &[(1_771_214_401_422_000_000, 68_392.6, 0.28, true), (1_771_214_402_236_000_000, 68_392.6, 0.034, true)],
    ),
    (
        8,
        &[(1_771_214_399_914_000_000, 1_771_214_400_145_000_000, [68_424.81, 0.806_33, 68_424.82, 1.277_64])],
        &[
            (1_771_214_400_204_000_000, 68_424.82, 0.000_08, true),
            (1_771_214_400_204_000_000, 68_424.82, 0.000_15, true),
        ],
    ),
];

#[test]
fn the_first_rows_are_those_of_the_file() {
    for (case, states, trades) in FIRST {
        let case = &CASES[case];
        let Some(files) = recorded(case.files) else { continue };
        let (heard, _) = play(case.market, &files);
        for (want, state) in states.iter().zip(&heard.states) {
            let (bid, ask) = (state.bids[0], state.asks[0]);
            let got = (state.at.event.0, state.at.recv.0, [bid.price, bid.size, ask.price, ask.size]);
            assert_eq!(got, *want, "{}", case.files[0]);
        }
        for (want, (at, trade)) in trades.iter().zip(&heard.trades) {
            let got = (at.event.0, trade.price, trade.size, trade.is_buy);
            assert_eq!(got, *want, "{}", case.files[0]);
        }
        assert!(heard.states.len() >= states.len() && heard.trades.len() >= trades.len(), "{}", case.files[0]);
        assert!(heard.states.iter().all(|s| s.at.event > Ts::from_secs(0)));
    }
}
