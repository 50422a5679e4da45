//! Small recordings whose every state and trade is written out here.

use crate::archives::support::{Heard, play};
use barograph_domain::{GapReason, Ts};
use barograph_lake::layers::{BookHead, BookWriter, LakeConfig, LakeMarket, TradeWriter, WideTrade};
use barograph_lake::recorded::RecordedFeed;
use std::path::PathBuf;

/// A recording of some files, and what a listener gets of it.
struct Story {
    name: &'static str,
    market: &'static str,
    files: &'static [(&'static str, &'static str)],
    /// Best bid and ask of each state with their sizes, and the levels that changed.
    states: &'static [(f64, f64, f64, f64, u32)],
    /// Price, size, and whether the buyer took.
    trades: &'static [(f64, f64, bool)],
    lost: &'static [(RecordedFeed, i64, GapReason)],
    /// `b` and `t` in the order of hearing.
    order: &'static str,
    unsided: u64,
}

const TARDIS: &str = "exchange,symbol,timestamp,local_timestamp,is_snapshot,side,price,amount\n\
    deribit,BTC-PERPETUAL,1600000000000000,1600000000100000,false,bid,1,1\n\
    deribit,BTC-PERPETUAL,1600000001000000,1600000001100000,true,bid,100.5,4\n\
    deribit,BTC-PERPETUAL,1600000001000000,1600000001100000,true,bid,100,5\n\
    deribit,BTC-PERPETUAL,1600000001000000,1600000001100000,true,ask,101,2\n\
    deribit,ETH-PERPETUAL,1600000001000000,1600000001150000,true,ask,7,2\n\
    deribit,BTC-PERPETUAL,1600000002000000,1600000002100000,false,bid,100.5,0\n\
    deribit,BTC-PERPETUAL,1600000002000000,1600000002100000,false,bid,100,6\n\
    deribit,BTC-PERPETUAL,1600000003000000,1600000003100000,true,bid,99,1\n\
    deribit,BTC-PERPETUAL,1600000003000000,1600000003100000,true,ask,99.5,3\n\
    deribit,BTC-PERPETUAL,1600000004000000,1600000004100000,false,bid,99.5,1\n\
    deribit,BTC-PERPETUAL,1600000005000000,1600000005100000,false,bid,99.5,0\n\
    deribit,BTC-PERPETUAL,1600000006000000,1600000006100000,true,bid,98,1\n\
    deribit,BTC-PERPETUAL,1600000006000000,1600000006100000,true,ask,98.5,1\n\
    deribit,BTC-PERPETUAL,1600000007000000,1600000007100000,false,bid,x,1\n\
    deribit,BTC-PERPETUAL,1600000008000000,1600000008100000,false,bid,98,2\n";
const TARDIS_TRADES: &str = "exchange,symbol,timestamp,local_timestamp,id,side,price,amount\n\
    deribit,BTC-PERPETUAL,1600000001500000,1600000001600000,a,buy,101,0.5\n\
    deribit,BTC-PERPETUAL,1600000002000000,1600000002100000,b,sell,100.5,4\n\
    deribit,BTC-PERPETUAL,1600000002200000,1600000002300000,c,unknown,100.5,1\n\
    deribit,BTC-PERPETUAL,1600000009000000,1600000009100000,d,sell,98,1\n";
const DEPTH_SNAP: &str = "symbol,timestamp,first_update_id,last_update_id,side,update_type,price,qty,pu\n\
    BTCUSDT,1600000000000,100,100,b,snap,10.5,1,-1\n\
    BTCUSDT,1600000000000,100,100,b,snap,10.4,2,-1\n\
    BTCUSDT,1600000000000,100,100,a,snap,10.6,3,-1\n\
    BTCUSDT,1600000002500,110,110,b,snap,10.2,7,-1\n\
    BTCUSDT,1600000002500,110,110,a,snap,10.3,8,-1\n\
    BTCUSDT,1600000004000,150,150,b,snap,10.1,7,-1\n\
    BTCUSDT,1600000004000,150,150,a,snap,10.2,8,-1\n";
const DEPTH_SET: &str = "symbol,timestamp,first_update_id,last_update_id,side,update_type,price,qty,pu\n\
    BTCUSDT,1599999999000,91,95,b,set,10.5,9,90\n\
    BTCUSDT,1600000001000,96,101,b,set,10.5,4,95\n\
    BTCUSDT,1600000001000,96,101,a,set,10.7,1,95\n\
    BTCUSDT,1600000002000,102,103,a,set,10.6,0,101\n\
    BTCUSDT,1600000003000,120,130,a,set,10.65,5,119\n\
    BTCUSDT,1600000005000,149,160,b,set,10.1,6,148\n";
const OB500: &str = "{\"topic\":\"orderbook.500.XRPUSDT\",\"type\":\"snapshot\",\"ts\":1600000000100,\"data\":{\"s\":\"XRPUSDT\",\"b\":[[\"1.50\",\"10\"]],\"a\":[[\"1.51\",\"20\"]],\"u\":7,\"seq\":70},\"cts\":1600000000090}\n\
    {\"topic\":\"orderbook.500.XRPUSDT\",\"type\":\"delta\",\"ts\":1600000000200,\"data\":{\"s\":\"XRPUSDT\",\"b\":[[\"1.50\",\"11\"]],\"a\":[[\"1.52\",\"5\"]],\"u\":8,\"seq\":71},\"cts\":1600000000190}\n\
    {\"topic\":\"orderbook.500.XRPUSDT\",\"type\":\"delta\",\"ts\":1600000000300,\"data\":{\"s\":\"XRPUSDT\",\"b\":[[\"1.49\",\"3\"]],\"a\":[],\"u\":10,\"seq\":73},\"cts\":1600000000290}\n\
    {\"topic\":\"orderbook.500.XRPUSDT\",\"type\":\"snapshot\",\"ts\":1600000000400,\"data\":{\"s\":\"XRPUSDT\",\"b\":[[\"1.49\",\"3\"]],\"a\":[[\"1.51\",\"1\"]],\"u\":11,\"seq\":74},\"cts\":1600000000390}\n";
const BYBIT_TRADES: &str = "timestamp,symbol,side,size,price,tickDirection,trdMatchID,grossValue,homeNotional,foreignNotional\n\
    1600000000.1500,XRPUSDT,Buy,5,1.51,PlusTick,m1,7.55e+08,5,7.55\n\
    1600000000.4500,XRPUSDT,Sell,2,1.49,MinusTick,m2,2.98e+08,2,2.98\n";
const LOBSTER_MESSAGES: &str = "34200.5,1,11,100,1000000,1\n34201,4,11,40,1000000,1\n34202,7,0,0,-1,-1\n34203,1,12,10,1000100,1\n\
    34204,7,0,0,0,-1\n34205,7,0,0,1,-1\n34206,5,0,7,1000050,-1\n34207,6,-1,500,1000000,-1\n34208,1,13,10,1000100,1\n";
const LOBSTER_BOOKS: &str = "1000200,50,1000000,100\n1000200,50,1000000,60\n1000200,50,1000000,60\n1000200,50,1000100,10\n\
    1000200,50,1000100,10\n1000200,50,1000100,10\n1000200,50,1000100,10\n1000200,50,1000100,10\n9999999999,0,1000100,20\n";
const WIDE: &str = "timestamp,bid_price_L0,bid_price_L1,bid_size_L0,bid_size_L1,ask_price_L0,ask_price_L1,ask_size_L0,ask_size_L1\n\
    2020-09-13T12:26:40Z,10,9,1,2,11,12,3,4\n\
    2020-09-13T12:26:41Z,10,9,1,2,11,,5,\n\
    2020-09-13T12:26:42Z,11,9,1,2,11,12,3,4\n\
    2020-09-13T12:26:43Z,9,10,1,2,11,12,3,4\n\
    2020-09-13T12:26:44Z,10,9,1,2,11,12,3,4\n";
const ORDERS: &str = "id,timestamp,exchange.timestamp,price,volume,action,direction\n\
    1,1600000000000,1600000000000,100,500000000,created,bid\n\
    2,1600000000001,1600000000000,101,300000000,created,ask\n\
    3,1600000700000,1600000700000,99,100000000,created,bid\n\
    4,1600000701000,1600000701000,101.5,100000000,created,bid\n\
    4,1600000701010,1600000701000,101.5,0,deleted,bid\n\
    2,1600000701012,1600000000000,101,200000000,changed,ask\n\
    3,1600000702000,1600000700000,99,100000000,deleted,bid\n\
    1,1600000703000,1600000000000,100,400000000,changed,bid\n\
    0,1600000704500,1600000000000,100.5,10,deleted,bid\n\
    5,1600000705000,1600000705000,98,100000000,created,bid\n\
    6,1600000770000,1600000770000,97,100000000,created,bid\n";

const STORIES: [Story; 6] = [
    Story {
        name: "Tardis: before the first snapshot, a new connection, a crossed book and a row that is none",
        market: "deribit:BTC-PERPETUAL",
        files: &[("deltas.csv", TARDIS), ("deribit_trades_2020-09-13_BTC-PERPETUAL.csv", TARDIS_TRADES)],
        // Amounts of inverse contracts are dollars.
        states: &[
            (100.5, 4.0 / 100.5, 101.0, 2.0 / 101.0, 1),
            (100.0, 6.0 / 100.0, 101.0, 2.0 / 101.0, 2),
            (99.0, 1.0 / 99.0, 99.5, 3.0 / 99.5, 1),
            (98.0, 1.0 / 98.0, 98.5, 1.0 / 98.5, 1),
        ],
        trades: &[(101.0, 0.5 / 101.0, true), (100.5, 4.0 / 100.5, false), (98.0, 1.0 / 98.0, false)],
        lost: &[
            (RecordedFeed::Book, 1_600_000_002_000, GapReason::Disconnected),
            (RecordedFeed::Book, 1_600_000_004_000, GapReason::CrossedBook),
            (RecordedFeed::Book, 1_600_000_007_000, GapReason::Undecodable),
        ],
        order: "bttbbbt",
        unsided: 1,
    },
    Story {
        name: "Binance: changes before the snapshot, a jump, a snapshot that is too old, and one that fits again",
        market: "binance-usdm:BTCUSDT",
        files: &[("update.csv", DEPTH_SET), ("snap.csv", DEPTH_SNAP)],
        states: &[(10.5, 4.0, 10.6, 3.0, 1), (10.5, 4.0, 10.7, 1.0, 1), (10.1, 6.0, 10.2, 8.0, 1)],
        trades: &[],
        lost: &[(RecordedFeed::Book, 1_600_000_003_000, GapReason::SequenceJump)],
        order: "bbb",
        unsided: 0,
    },
    Story {
        name: "Bybit: a number that jumps, a snapshot behind it, and trades of its archive",
        market: "bybit:XRPUSDT",
        files: &[("XRPUSDT2020-09-13.csv", BYBIT_TRADES), ("2020-09-13_XRPUSDT_ob500.data", OB500)],
        states: &[(1.5, 10.0, 1.51, 20.0, 1), (1.5, 11.0, 1.51, 20.0, 2), (1.49, 3.0, 1.51, 1.0, 1)],
        trades: &[(1.51, 5.0, true), (1.49, 2.0, false)],
        lost: &[(RecordedFeed::Book, 1_600_000_000_190, GapReason::SequenceJump)],
        order: "btbbt",
        unsided: 0,
    },
    Story {
        name: "LOBSTER: an execution, a halt, a hidden execution, an auction and an empty side",
        market: "nasdaq:X",
        files: &[
            ("X_2020-09-14_34200000_57600000_message_1.csv", LOBSTER_MESSAGES),
            ("X_2020-09-14_34200000_57600000_orderbook_1.csv", LOBSTER_BOOKS),
        ],
        states: &[(100.0, 100.0, 100.02, 50.0, 2), (100.0, 60.0, 100.02, 50.0, 1)],
        trades: &[(100.0, 40.0, false)],
        lost: &[
            // 09:30:02 in New York is 13:30:02 UTC.
            (RecordedFeed::Book, 1_600_090_202_000, GapReason::Refused),
            (RecordedFeed::Trades, 1_600_090_202_000, GapReason::Refused),
        ],
        order: "btb",
        unsided: 2,
    },
    Story {
        name: "wide: a level that is not there, a crossed state, and one out of order",
        market: "okx:X-USDT",
        files: &[("wide.csv", WIDE)],
        states: &[(10.0, 1.0, 11.0, 3.0, 4), (10.0, 1.0, 11.0, 5.0, 1), (10.0, 1.0, 11.0, 3.0, 1)],
        trades: &[],
        lost: &[(RecordedFeed::Book, 1_600_000_002_000, GapReason::CrossedBook)],
        order: "bbb",
        unsided: 0,
    },
    Story {
        name: "orders: warm-up, a match behind a crossed moment, a half alone, and an order nobody knew",
        market: "bitstamp:BTCUSD",
        files: &[("orders.csv", ORDERS)],
        states: &[
            (100.0, 5.0, 101.0, 3.0, 3),
            (100.0, 5.0, 101.0, 3.0, 2),
            (100.0, 5.0, 101.0, 2.0, 1),
            (100.0, 5.0, 101.0, 2.0, 1),
            (100.0, 4.0, 101.0, 2.0, 1),
            (100.0, 4.0, 101.0, 2.0, 3),
        ],
        trades: &[(101.0, 1.0, true)],
        lost: &[(RecordedFeed::Book, 1_600_000_704_500, GapReason::MissingRows)],
        order: "bbtbbbb",
        unsided: 1,
    },
];

pub(crate) fn written(folder: &tempfile::TempDir, files: &[(&str, &str)]) -> Vec<PathBuf> {
    let write = |(name, text): &(&str, &str)| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        path
    };
    files.iter().map(write).collect()
}

fn states(heard: &Heard) -> Vec<(f64, f64, f64, f64, u32)> {
    let state = |s: &crate::archives::support::State| {
        (s.bids[0].price, s.bids[0].size, s.asks[0].price, s.asks[0].size, s.updates)
    };
    heard.states.iter().map(state).collect()
}

#[test]
fn small_recordings_are_heard_as_they_are_written() {
    for story in &STORIES {
        let name = story.name;
        let folder = tempfile::tempdir().unwrap();
        let (heard, done) = play(story.market, &written(&folder, story.files));
        assert_eq!(heard.order, story.order, "{name}: {done:?}");
        assert_eq!(states(&heard), story.states, "{name}");
        let trades: Vec<_> = heard.trades.iter().map(|(_, t)| (t.price, t.size, t.is_buy)).collect();
        assert_eq!(trades, story.trades, "{name}");
        let lost: Vec<_> = heard.lost.iter().map(|(feed, from, why)| (*feed, from.as_millis(), *why)).collect();
        assert_eq!(lost, story.lost, "{name}");
        assert_eq!((done.played.unsided, done.torn.len()), (story.unsided, 0), "{name}: {done:?}");
    }
}

#[test]
fn a_lake_is_heard_as_it_was_written() {
    let folder = tempfile::tempdir().unwrap();
    let market = LakeMarket::new("okx", "BTC-USDT");
    let at = |ms: i64| Ts::from_millis(1_600_000_000_000 + ms);
    let (mut books, _) = BookWriter::open(LakeConfig::import(folder.path()), market.clone()).unwrap();
    let (mut trades, _) = TradeWriter::open(LakeConfig::import(folder.path()), market).unwrap();
    let late = GapReason::Disconnected;
    // The second and third have the moment of a trade; the last is of the next hour, behind a gap.
    for (ms, updates, sequence, gap) in
        [(0, 2, 1, None), (500, 1, 2, None), (500, 3, 4, None), (3_600_000, 4, 6, Some(late))]
    {
        let head = BookHead { ts: at(ms), known_ts: at(ms + 20), updates, sequence, gap };
        let bids = [(10.0, f64::from(updates)), (9.0, 1.0)];
        books.push(&head, bids, [(11.0, 1.0)]).unwrap();
    }
    for (ms, sequence, gap) in [(500, 3, None), (900, 5, None), (3_600_500, 7, Some(late))] {
        let trade =
            WideTrade { ts: at(ms), known_ts: at(ms + 20), sequence, price: 10.5, size: 2.0, is_buy: true, gap };
        trades.push(&trade).unwrap();
    }
    books.into_partition().finish().unwrap();
    trades.into_partition().finish().unwrap();
    let (heard, _) = play("okx:BTC-USDT", &[folder.path().to_owned()]);
    assert_eq!(heard.order, "bbtbtbt", "as the sequence numbers say");
    let bid = |sizes: &Heard| sizes.states.iter().map(|s| (s.bids[0].size, s.updates)).collect::<Vec<_>>();
    assert_eq!(bid(&heard), [(2.0, 2), (1.0, 1), (3.0, 3), (4.0, 4)]);
    let (first, last) = (&heard.states[0], &heard.states[3]);
    assert_eq!((first.at.event, first.at.recv, last.at.event), (at(0), at(20), at(3_600_000)));
    let lost = [(RecordedFeed::Book, at(500), late), (RecordedFeed::Trades, at(900), late)];
    assert_eq!(heard.lost, lost);
    assert_eq!(heard.begun, [at(500), at(3_600_500)]);
}
