//! Recordings are played to the sessions: what a listener gets of each market.
#![expect(clippy::panic_in_result_fn, reason = "a listener that hears what cannot be stops the test")]

use barograph_domain::depth::BookSides;
use barograph_domain::{GapReason, InstrumentName, Ts};
use barograph_lake::Error;
use barograph_lake::recorded::{RecordListener, RecordStamps, Recorded, RecordedFeed, RecordedTrade};

/// Counts, and holds what it hears against what a market can do.
#[derive(Default)]
struct Heard {
    books: u64,
    trades: u64,
    crossed: u64,
    outside: u64,
    levels: usize,
    lost: Vec<(RecordedFeed, Ts)>,
    begun: Vec<Ts>,
    last: Option<Ts>,
    mid: f64,
    spread: f64,
    first_size: Option<f64>,
}

impl RecordListener for Heard {
    type Failure = Error;

    fn book(&mut self, at: RecordStamps, sides: &BookSides<'_>, updates: u32) -> Result<(), Error> {
        assert!(updates > 0, "a state comes of an update");
        assert!(self.last.is_none_or(|last| last <= at.recv), "in the order of receipt");
        self.last = Some(at.recv);
        self.books += 1;
        match sides.best() {
            Ok((bid, ask)) => (self.mid, self.spread) = (0.5 * (bid.price + ask.price), ask.price - bid.price),
            Err(_) => self.crossed += 1,
        }
        self.levels = self.levels.max(sides.bids.len());
        Ok(())
    }

    fn trade(&mut self, _: RecordStamps, trade: RecordedTrade) -> Result<(), Error> {
        self.trades += 1;
        self.first_size.get_or_insert(trade.size);
        self.outside += u64::from(self.mid > 0.0 && (trade.price - self.mid).abs() > 0.01 * self.mid);
        Ok(())
    }

    fn lost(&mut self, feed: RecordedFeed, from: Ts, _: GapReason) -> Result<(), Error> {
        self.lost.push((feed, from));
        Ok(())
    }

    fn trades_begin(&mut self, from: Ts) -> Result<(), Error> {
        self.begun.push(from);
        Ok(())
    }

    fn passed(&mut self, _: Ts) -> Result<(), Error> {
        Ok(())
    }
}

/// Market, its files, states of the book, trades, bids at most.
const RECORDINGS: [(&str, &[&str], [u64; 3]); 14] = [
    ("binance-usdm:BTCUSDT", &["hftbacktest/binance-usdm_btcusdt_20240808.gz"], [6_546, 21_313, 474]),
    ("binance-usdm:ETHUSDT", &["hftbacktest/binance-usdm_ethusdt_20240808.gz"], [6_580, 14_076, 252]),
    ("binance-coinm:BTCUSD_PERP", &["hftbacktest/binance-coinm_btcusd_perp_20240808.gz"], [26_823, 2_286, 181]),
    ("binance-spot:BTCUSDT", &["hftbacktest/binance-spot_btcusdt_20240808.gz"], [3_449, 9_757, 562]),
    // The second file goes on where the first ends, and holds no snapshot.
    (
        "binance-usdm:BTCUSDT",
        &["hftbacktest/binance-usdm_btcusdt_20240719.gz", "hftbacktest/binance-usdm_btcusdt_20240718.gz"],
        [9_017, 10_701, 589],
    ),
    ("coinbase:BTC-USD", &["cryptofeed/coinbase.jsonl.zst"], [400, 47, 170]),
    ("coinbase:ETH-USD", &["cryptofeed/coinbase.jsonl.zst"], [375, 32, 107]),
    ("bybit:BTCUSDT", &["cryptofeed/bybit.jsonl.zst"], [414, 56, 200]),
    ("binance-spot:NKNUSDT", &["cryptofeed/binance.jsonl.zst"], [150, 1, 36]),
    ("binance-usdm:SUSHIUSDT", &["cryptofeed/binance_futures.jsonl.zst"], [253, 40, 20]),
    ("okx:BTC-USDT", &["cryptofeed/okx.jsonl.zst"], [98, 69, 73]),
    ("okx:BTC-USD-220527", &["cryptofeed/okx.jsonl.zst"], [99, 4, 20]),
    ("okx:UNI-USD-SWAP", &["cryptofeed/okx.jsonl.zst"], [93, 1, 28]),
    ("hyperliquid:BTC", &["hftbacktest/hyperliquid_btc_20250126.gz"], [46, 34, 20]),
];

#[test]
fn every_recording_gives_books_and_trades() {
    for (name, files, expected) in RECORDINGS {
        let found = files.iter().map(|file| barograph_testkit::recorded(&format!("raw/{file}")));
        let Some(files) = found.collect::<Option<Vec<_>>>() else { continue };
        let market = InstrumentName::parse(name).unwrap();
        let capture = Recorded::open(&market, &files).unwrap();
        let mut heard = Heard::default();
        let done = capture.play(capture.spec(None).unwrap(), &mut heard).unwrap();
        assert_eq!([heard.books, heard.trades, heard.levels as u64], expected, "{name}: {done:?}");
        assert_eq!((heard.crossed, heard.outside, done.unreadable), (0, 0, 0), "{name}");
        assert!(heard.begun.len() == 1 && heard.lost.is_empty(), "{name}: nothing is missing: {:?}", heard.lost);
    }
}

/// Contracts of OKX are worth what the list in the same capture says: 100 USD of the dated one and 10 USD of UNI, at the trade's price.
#[test]
fn contracts_are_counted_in_base_units() {
    let Some(file) = barograph_testkit::recorded("raw/cryptofeed/okx.jsonl.zst") else { return };
    for (name, want) in [
        ("okx:BTC-USDT", 0.0002),
        ("okx:BTC-USD-220527", 1.0 * 100.0 / 30_218.8),
        ("okx:UNI-USD-SWAP", 100.0 * 10.0 / 5.123),
    ] {
        let capture = Recorded::open(&InstrumentName::parse(name).unwrap(), std::slice::from_ref(&file)).unwrap();
        let mut heard = Heard::default();
        let done = capture.play(capture.spec(None).unwrap(), &mut heard).unwrap();
        let first = heard.first_size.unwrap();
        assert!((first / want - 1.0).abs() < 1e-12, "{name}: {first}, not {want}");
        assert_eq!(done.played.refused, 0, "{name}: {:?}", done.played.first_refused);
    }
}

/// The same messages without the list: what a contract is worth has to be said.
#[test]
fn a_contract_without_a_size_is_refused_until_one_is_given() {
    use std::io::{BufRead as _, Write as _};
    let Some(file) = barograph_testkit::recorded("raw/cryptofeed/okx.jsonl.zst") else { return };
    let folder = tempfile::tempdir().unwrap();
    let bare = folder.path().join("okx.jsonl");
    let mut out = std::fs::File::create(&bare).unwrap();
    let all = zstd::Decoder::new(std::fs::File::open(file).unwrap()).unwrap();
    for line in std::io::BufReader::new(all).lines().map(Result::unwrap).filter(|l| !l.contains("\"t\":\"http\"")) {
        writeln!(out, "{line}").unwrap();
    }
    let name = InstrumentName::parse("okx:UNI-USD-SWAP").unwrap();
    let capture = Recorded::open(&name, &[bare]).unwrap();
    let mut heard = Heard::default();
    let refused = capture.play(capture.spec(None).unwrap(), &mut heard).unwrap_err().to_string();
    assert!(refused.contains("--contract-size, in quote units") && heard.books == 0, "{refused}");
    capture.play(capture.spec(Some(10.0)).unwrap(), &mut heard).unwrap();
    assert!(heard.trades == 1 && (heard.first_size.unwrap() * 5.123 / 1_000.0 - 1.0).abs() < 1e-12);
}

/// Files in the lake's own form are in base units already, whatever the venue counts.
#[test]
fn a_table_in_base_units_needs_no_contract_size() {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        path
    };
    let t = 1_772_409_600_000_000_000_i64;
    let books = file(
        "books.csv",
        &format!("ts,known_ts,bid_price_L0,bid_size_L0,ask_price_L0,ask_size_L0\n{t},{t},99,2,101,3\n"),
    );
    let trades =
        file("trades.csv", &format!("ts,known_ts,sequence,price,size,is_buy,gap\n{t},{t},1,101,0.5,true,false\n"));
    let capture = Recorded::open(&InstrumentName::parse("okx:BTC-USDT-SWAP").unwrap(), &[books, trades]).unwrap();
    for size in [None, Some(0.01)] {
        let mut heard = Heard::default();
        capture.play(capture.spec(size).unwrap(), &mut heard).unwrap();
        assert_eq!((heard.books, heard.trades, heard.first_size), (1, 1, Some(0.5)), "{size:?}");
    }
}

/// Trades of an archive beside them are what the venue counts, whatever the books are.
#[test]
fn trades_in_contracts_beside_books_in_base_units_need_a_contract_size() {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        path
    };
    let ms = 1_772_409_600_000_i64;
    let books = file(
        "books.csv",
        &format!("ts,known_ts,bid_price_L0,bid_size_L0,ask_price_L0,ask_size_L0\n{ms}000000,{ms}000000,99,2,101,3\n"),
    );
    let collected =
        format!("ts_ms,exch_ts_ms,symbol,price,qty,side,reconnect_flag\n{ms},{ms},BTC-USDT-SWAP,101,50,buy,0\n");
    let trades = file("trades.csv", &collected);
    let capture = Recorded::open(&InstrumentName::parse("okx:BTC-USDT-SWAP").unwrap(), &[books, trades]).unwrap();
    let mut heard = Heard::default();
    let refused = capture.play(capture.spec(None).unwrap(), &mut heard).unwrap_err().to_string();
    assert!(refused.contains("--contract-size") && heard.trades == 0, "{refused}");
    capture.play(capture.spec(Some(0.01)).unwrap(), &mut heard).unwrap();
    assert_eq!((heard.trades, heard.first_size), (1, Some(0.5)));
}
