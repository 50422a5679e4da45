//! Wide rows that do not stand in the order of receipt, or stand there twice; and files that are filed under another market.

use crate::archives::support::{open, play};
use crate::archives::synthetic::written;
use barograph_domain::Ts;

const HEAD: &str = "timestamp,local_timestamp,bid_price_L0,bid_size_L0,ask_price_L0,ask_size_L0\n";

/// A row that happened and was received at these seconds, with its bid.
fn row(event: i64, recv: i64, bid: i64) -> String {
    format!("15989184{event:02}000000,15989184{recv:02}500000,{bid},1,50,1\n")
}

fn text(rows: &[(i64, i64, i64)]) -> String {
    HEAD.to_owned() + &rows.iter().map(|(event, recv, bid)| row(*event, *recv, *bid)).collect::<String>()
}

/// Files, the bids that are heard, how many rows are passed over as said before and refused as out of order, and where the first is.
type Case = (&'static [&'static [(i64, i64, i64)]], &'static [i64], (u64, u64), &'static str);

const CASES: [Case; 7] = [
    (&[&[(1, 1, 10), (2, 2, 11), (3, 3, 12)]], &[10, 11, 12], (0, 0), ""),
    // The venue's clock, or the way, may jitter.
    (&[&[(1, 1, 10), (3, 2, 11), (2, 3, 12)]], &[10, 11, 12], (0, 0), ""),
    // Two states of one moment.
    (&[&[(1, 1, 10), (1, 1, 11), (2, 2, 11)]], &[10, 11, 11], (0, 0), ""),
    (&[&[(1, 1, 10), (1, 1, 10), (2, 2, 11), (2, 2, 11)]], &[10, 11], (2, 0), "0.csv, line 3"),
    (&[&[(1, 1, 10), (4, 4, 13), (2, 2, 11), (3, 3, 12), (5, 5, 14)]], &[10, 13, 14], (0, 2), "0.csv, line 4: it was"),
    // A file is given twice, and one goes over the end of another.
    (&[&[(1, 1, 10), (2, 2, 11)], &[(1, 1, 10), (2, 2, 11)]], &[10, 11], (2, 0), "1.csv, line 2"),
    (&[&[(1, 1, 10), (3, 3, 12)], &[(2, 2, 11), (3, 3, 12), (4, 4, 13)]], &[10, 12, 13], (2, 0), "1.csv, line 2"),
];

#[test]
fn wide_rows_keep_the_order_of_receipt_and_are_taken_once() {
    for (files, bids, (repeated, refused), first) in CASES {
        let folder = tempfile::tempdir().unwrap();
        let texts: Vec<(String, String)> =
            files.iter().enumerate().map(|(n, rows)| (format!("{n}.csv"), text(rows))).collect();
        let named: Vec<(&str, &str)> = texts.iter().map(|(name, text)| (name.as_str(), text.as_str())).collect();
        let (heard, done) = play("okx:X", &written(&folder, &named));
        let heard_bids: Vec<f64> = heard.states.iter().map(|s| s.bids[0].price).collect();
        let want: Vec<f64> = bids.iter().map(|b| f64::from(i32::try_from(*b).unwrap())).collect();
        assert_eq!(heard_bids, want, "{files:?}");
        assert_eq!((done.repeated, done.played.refused), (repeated, refused), "{files:?}: {done:?}");
        let said = done.first_repeated.or(done.played.first_refused).unwrap_or_default();
        assert!(said.contains(first), "{files:?}: {said}");
        // What is kept was received when its row says.
        let second = |s: &crate::archives::support::State| (s.at.recv - Ts::from_secs(1_598_918_400)).0 / 1_000_000_000;
        assert!(
            heard.states.iter().all(|s| second(s) >= 1 && s.at.recv > s.at.event - barograph_domain::Span::secs(2))
        );
    }
}

#[test]
fn a_file_that_runs_backwards_is_refused_before_anything_of_it_is_played() {
    let folder = tempfile::tempdir().unwrap();
    let rows: Vec<(i64, i64, i64)> = (1..40).rev().map(|n| (n, n, n)).collect();
    let said = open("okx:X", &written(&folder, &[("back.csv", &text(&rows))])).unwrap_err().to_string();
    assert!(said.contains("38 of the first 38 were received before") && said.contains("sort the file"), "{said}");
}

const MESSAGE: &str = "34200.5,1,11,100,1000000,1\n";
const BOOK: &str = "1000200,50,1000000,100\n";
const ORDERS: &str = "id,timestamp,exchange.timestamp,price,volume,action,direction\n\
    65196045,1430438399975,1430438400000,235.9,100000000,created,bid\n";

#[test]
fn recordings_of_one_exchange_are_filed_under_no_other() {
    for (market, files, want) in [
        (
            "binance-usdm:AAPL",
            &[("AAPL_2012-06-21_message_1.csv", MESSAGE), ("AAPL_2012-06-21_orderbook_1.csv", BOOK)][..],
            "as nasdaq:SYMBOL or lobster:SYMBOL, not binance-usdm:AAPL",
        ),
        (
            "binance-usdm:BTCUSDT",
            &[("AAPL_2012-06-21_message_1.csv", MESSAGE), ("AAPL_2012-06-21_orderbook_1.csv", BOOK)],
            "LOBSTER's files are not of binance-usdm",
        ),
        (
            "nasdaq:BTCUSDT",
            &[("AAPL_2012-06-21_message_1.csv", MESSAGE), ("AAPL_2012-06-21_orderbook_1.csv", BOOK)],
            "of AAPL by their names, not of nasdaq:BTCUSDT; give nasdaq:AAPL",
        ),
        ("nasdaq:AAPL", &[("a_message_b.csv", MESSAGE), ("a_orderbook_b.csv", BOOK)], "rename it and its other half"),
        ("nasdaq:AAPL", &[("a.csv", MESSAGE), ("b.csv", BOOK)], "named alike but for message and orderbook"),
        ("binance-usdm:BTCUSDT", &[("orders.csv", ORDERS)], "as bitstamp:SYMBOL, not binance-usdm:BTCUSDT"),
        ("kraken:BTC-USD", &[("orders.csv", ORDERS)], "are not of kraken"),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let said = open(market, &written(&folder, files)).expect_err(want).to_string();
        assert!(said.contains(want), "{market}: {said}");
    }
}
