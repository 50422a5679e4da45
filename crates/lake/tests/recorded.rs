//! Recordings are played to the sessions: what is heard of each market.

use barograph_domain::depth::BookSides;
use barograph_domain::{InstrumentName, MarketKind, Ts};
use barograph_lake::Error;
use barograph_lake::recorded::{Capture, Received, RecordListener, RecordedFeed, RecordedTrade};
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

    fn book(&mut self, at: Received, sides: &BookSides<'_>, updates: u32) -> Result<(), Error> {
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

    fn trade(&mut self, _: Received, trade: RecordedTrade) -> Result<(), Error> {
        self.trades += 1;
        self.outside += u64::from(self.mid > 0.0 && (trade.price - self.mid).abs() > 0.01 * self.mid);
        Ok(())
    }

    fn lost(&mut self, feed: RecordedFeed, from: Ts) -> Result<(), Error> {
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

#[test]
fn every_recording_gives_books_and_trades() {
    for (name, below) in [
        ("binance-usdm:BTCUSDT", "raw/hftbacktest/binance-usdm_btcusdt_20240808.gz"),
        ("binance-coinm:BTCUSD_PERP", "raw/hftbacktest/binance-coinm_btcusd_perp_20240808.gz"),
        ("binance-spot:BTCUSDT", "raw/hftbacktest/binance-spot_btcusdt_20240808.gz"),
        ("coinbase:BTC-USD", "raw/cryptofeed/coinbase.jsonl.zst"),
        ("coinbase:ETH-USD", "raw/cryptofeed/coinbase.jsonl.zst"),
        ("bybit:BTCUSDT", "raw/cryptofeed/bybit.jsonl.zst"),
        ("binance-spot:NKNUSDT", "raw/cryptofeed/binance.jsonl.zst"),
        ("binance-usdm:SUSHIUSDT", "raw/cryptofeed/binance_futures.jsonl.zst"),
        ("okx:UNI-USD-SWAP", "raw/cryptofeed/okx.jsonl.zst"),
        ("deribit:BTC-PERPETUAL", "raw/cryptofeed/deribit.jsonl.zst"),
        ("hyperliquid:BTC", "raw/hftbacktest/hyperliquid_btc_20250126.gz"),
    ] {
        let Some(path) = barograph_testkit::recorded(below) else { continue };
        let market = InstrumentName::parse(name).unwrap();
        let kind = market.kind(venue(market.venue.as_str()).map(|v| v.trades)).unwrap_or(MarketKind::Perpetual);
        let capture = Capture::open(&market, &[path]).unwrap();
        let mut heard = Heard::default();
        let done = capture.play(MarketSpec::bare(&market.symbol, kind), &mut heard).unwrap();
        println!(
            "{name}: {} books, {} trades, levels {}, crossed {}, outside {}, mid {} spread {} lost {:?} begun {:?} {:?}",
            heard.books,
            heard.trades,
            heard.levels,
            heard.crossed,
            heard.outside,
            heard.mid,
            heard.spread,
            heard.lost,
            heard.begun,
            done
        );
    }
}
