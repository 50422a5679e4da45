//! Files that are not what they seem, or not whole.

use crate::archives::support::{open, play};
use crate::archives::synthetic::written;
use barograph_domain::GapReason;
use barograph_lake::recorded::RecordedFeed;
use std::io::Write as _;

/// Market, files, and what the error says.
type Refusal = (&'static str, &'static [(&'static str, &'static str)], &'static str);

const SNAPSHOT: &str = "exchange,symbol,timestamp,local_timestamp,asks[0].price,asks[0].amount,bids[0].price,bids[0].amount\n\
    binance-futures,BTCUSDT,1598918403696000,1598918403810979,11657.08,1.714,11657.07,10.896\n";
const MESSAGE: &str = "34200.5,1,11,100,1000000,1\n";
const BOOK: &str = "1000200,50,1000000,100\n";

const REFUSED: [Refusal; 10] = [
    ("okx:X", &[], "no file was given"),
    ("okx:X", &[("a.csv", "")], "is empty"),
    ("okx:X", &[("a.csv", "hello\nworld\n")], "understood are"),
    ("okx:X", &[("a.csv", "timestamp,bid_price_L0,bid_size_L0\n1,2,3\n")], "understood are"),
    ("okx:BTCUSDT", &[("a.csv", SNAPSHOT)], "is of binance-usdm, not of okx"),
    ("nasdaq:X", &[("X_2012-06-21_1_2_message_1.csv", MESSAGE)], "come in pairs"),
    ("nasdaq:X", &[("message.csv", MESSAGE), ("message2.csv", MESSAGE)], "come in pairs"),
    ("nasdaq:X", &[("X_message_1.csv", MESSAGE), ("X_orderbook_1.csv", BOOK)], "says its day in its name"),
    ("nasdaq:Y", &[("X_2012-06-21_message_1.csv", MESSAGE), ("X_2012-06-21_orderbook_1.csv", BOOK)], "are of X"),
    (
        "binance-usdm:BTCUSDT",
        &[("a.csv", SNAPSHOT), ("X_2012-06-21_message_1.csv", MESSAGE), ("X_2012-06-21_orderbook_1.csv", BOOK)],
        "books of several forms",
    ),
];

#[test]
fn what_cannot_be_a_recording_is_refused_with_a_reason() {
    for (market, files, want) in REFUSED {
        let folder = tempfile::tempdir().unwrap();
        let said = open(market, &written(&folder, files)).expect_err(want).to_string();
        assert!(said.contains(want), "{files:?}: {said}");
    }
    let folder = tempfile::tempdir().unwrap();
    let said = open("okx:X", &[folder.path().to_owned()]).expect_err("a folder").to_string();
    assert!(said.contains("is a folder and no lake"), "{said}");
    std::fs::create_dir(folder.path().join("bronze")).unwrap();
    let said = open("okx:X", &[folder.path().to_owned()]).expect_err("an empty lake").to_string();
    assert!(said.contains("holds nothing of okx:X"), "{said}");
}

/// A row of Tardis' changes.
fn change(second: u32, snapshot: bool, side: &str, price: u32) -> String {
    format!("deribit,X,16000000{second:02}000000,16000000{second:02}000000,{snapshot},{side},{price},1\n")
}

#[test]
fn files_that_break_off_are_played_as_far_as_they_go() {
    let head = "exchange,symbol,timestamp,local_timestamp,is_snapshot,side,price,amount\n";
    let rows: String = [
        change(1, true, "bid", 10),
        change(1, true, "ask", 20),
        change(2, false, "bid", 11),
        change(3, false, "bid", 12),
    ]
    .concat();
    let text = format!("{head}{rows}");
    let folder = tempfile::tempdir().unwrap();
    // In the middle of the last line: the message of the row before it may have had more rows.
    let cut = written(&folder, &[("cut.csv", &text[..text.len() - 4])]);
    let (heard, done) = play("deribit:X", &cut);
    assert_eq!((heard.order.as_str(), done.torn.len()), ("b", 1), "{done:?}");
    assert!(matches!(heard.lost[..], [(RecordedFeed::Book, _, GapReason::MissingRows)]), "{:?}", heard.lost);
    // In the middle of the packing.
    let many =
        format!("{head}{rows}{}", (0..40_000).map(|n| change(4 + n % 50, false, "bid", 1 + n % 9)).collect::<String>());
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    packed.write_all(many.as_bytes()).unwrap();
    let packed = packed.finish().unwrap();
    let path = folder.path().join("cut.csv.gz");
    std::fs::write(&path, &packed[..packed.len() / 2]).unwrap();
    let (heard, done) = play("deribit:X", &[path]);
    assert!(heard.books > 3 && done.torn.len() == 1, "{done:?}");
}

#[test]
fn levels_that_are_none_are_counted_and_the_book_does_not_go_on_with_them() {
    let folder = tempfile::tempdir().unwrap();
    let head = "exchange,symbol,timestamp,local_timestamp,asks[0].price,asks[0].amount,bids[0].price,bids[0].amount,\
        asks[1].price,asks[1].amount,bids[1].price,bids[1].amount\n";
    let row = |second: u32, behind: &str| {
        format!("binance-futures,BTCUSDT,15989184{second:02}696000,15989184{second:02}810979,11,1,10,1,{behind}\n")
    };
    let rows = [
        row(3, "12,1,9,1"),
        row(4, ",,,"),
        row(5, "12,-1,9,1"),
        row(6, "12,1,9,x"),
        row(7, ",1,9,1"),
        row(8, "12,0,9,0"),
    ];
    let (heard, done) =
        play("binance-usdm:BTCUSDT", &written(&folder, &[("a.csv", &format!("{head}{}", rows.concat()))]));
    assert_eq!((heard.books, done.played.refused, done.unreadable), (3, 3, 0), "{done:?}");
    assert!(
        done.played.first_refused.as_ref().is_some_and(|why| why.contains("row 4: level 1 of the asks")),
        "{done:?}"
    );
    // Of changes, the book is lost until the next snapshot.
    let head = "exchange,symbol,timestamp,local_timestamp,is_snapshot,side,price,amount\n";
    for broken in ["10,-1", "-10,1", "0,1", "10,nan", ",1"] {
        let rows = [
            change(1, true, "bid", 10),
            change(1, true, "ask", 20),
            format!("deribit,X,1600000002000000,1600000002000000,false,bid,{broken}\n"),
            change(3, false, "bid", 11),
        ];
        let (heard, done) = play("deribit:X", &written(&folder, &[("b.csv", &format!("{head}{}", rows.concat()))]));
        assert_eq!((heard.books, done.unreadable), (1, 1), "{broken}: {done:?}");
        assert!(
            matches!(heard.lost[..], [(RecordedFeed::Book, _, GapReason::Undecodable)]),
            "{broken}: {:?}",
            heard.lost
        );
    }
}

#[test]
fn spot_and_futures_of_one_symbol_are_kept_apart() {
    let folder = tempfile::tempdir().unwrap();
    let file = |kind: &str| {
        format!(
            "ts_ms,exch_ts_ms,venue,market_type,symbol,trade_id,price,qty,side\n1771214400100,1771214400090,Binance,{kind},BTCUSDT,1,10,1,buy\n"
        )
    };
    let (spot, futures) = (file("spot"), file("fut"));
    for (market, files, want) in [
        ("binance-usdm:BTCUSDT", &[("fut.csv", futures.as_str())][..], None),
        ("binance-spot:BTCUSDT", &[("spot.csv", spot.as_str())], None),
        (
            "binance-usdm:BTCUSDT",
            &[("fut.csv", &futures), ("spot.csv", &spot)],
            Some("spot.csv is of the market type 'spot'"),
        ),
        ("binance-spot:BTCUSDT", &[("fut.csv", &futures)], Some("of the market type 'fut'")),
    ] {
        let opened = open(market, &written(&folder, files));
        match want {
            None => assert!(opened.is_ok(), "{market}: {opened:?}"),
            Some(want) => assert!(opened.unwrap_err().to_string().contains(want), "{market}"),
        }
    }
}

#[test]
fn a_lobster_pair_is_played_as_far_as_both_halves_go() {
    let folder = tempfile::tempdir().unwrap();
    let (messages, books) = (format!("{MESSAGE}34201,1,12,1,1000000,1\n"), format!("{BOOK}1000200,50,1000"));
    let files = [("X_2012-06-21_message_1.csv", messages.as_str()), ("X_2012-06-21_orderbook_1.csv", books.as_str())];
    let (heard, done) = play("nasdaq:X", &written(&folder, &files));
    assert_eq!((heard.order.as_str(), done.unreadable), ("b", 0), "{done:?}");
    assert!(!done.torn.is_empty(), "{done:?}");
}

#[test]
fn xz_that_is_cut_or_damaged_is_played_as_far_as_it_goes() {
    let Some(path) = barograph_testkit::recorded("book_trades/bitstamp_l3_2015-05-01/orders.csv.xz") else { return };
    let whole = std::fs::read(path).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let cut = folder.path().join("cut.xz");
    std::fs::write(&cut, &whole[..whole.len() / 2]).unwrap();
    let (heard, done) = play("bitstamp:BTCUSD", std::slice::from_ref(&cut));
    assert!(heard.books > 1_000 && done.torn.len() == 1, "{done:?}");
    let mut wrong = whole;
    let middle = wrong.len() / 2;
    wrong[middle] ^= 0x55;
    std::fs::write(&cut, &wrong).unwrap();
    let (_, done) = play("bitstamp:BTCUSD", &[cut]);
    assert_eq!(done.torn.len(), 1, "{done:?}");
}
