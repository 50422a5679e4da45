//! Recordings are played to the sessions: what a listener gets of each market.
#![expect(clippy::panic_in_result_fn, reason = "a listener that hears what cannot be stops the test")]

use barograph_domain::depth::BookSides;
use barograph_domain::{GapReason, InstrumentName, MarketKind, Ts};
use barograph_lake::Error;
use barograph_lake::recorded::{RecordListener, RecordStamps, Recorded, RecordedFeed, RecordedTrade};
use barograph_venues::session::{MarketSpec, venue};

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
const RECORDINGS: [(&str, &[&str], [u64; 3]); 12] = [
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
    ("okx:UNI-USD-SWAP", &["cryptofeed/okx.jsonl.zst"], [93, 0, 36]),
    ("hyperliquid:BTC", &["hftbacktest/hyperliquid_btc_20250126.gz"], [46, 34, 20]),
];

#[test]
fn every_recording_gives_books_and_trades() {
    for (name, files, expected) in RECORDINGS {
        let found = files.iter().map(|file| barograph_testkit::recorded(&format!("raw/{file}")));
        let Some(files) = found.collect::<Option<Vec<_>>>() else { continue };
        let market = InstrumentName::parse(name).unwrap();
        let kind = market.kind(venue(market.venue.as_str()).map(|v| v.trades)).unwrap_or(MarketKind::Perpetual);
        let capture = Recorded::open(&market, &files).unwrap();
        let mut heard = Heard::default();
        let done = capture.play(MarketSpec::bare(&market.symbol, kind), &mut heard).unwrap();
        assert_eq!([heard.books, heard.trades, heard.levels as u64], expected, "{name}: {done:?}");
        assert_eq!((heard.crossed, heard.outside, done.unreadable), (0, 0, 0), "{name}");
        assert!(heard.begun.len() == 1 && heard.lost.is_empty(), "{name}: nothing is missing: {:?}", heard.lost);
    }
}
