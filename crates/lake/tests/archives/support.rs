//! Hears a recording, and holds it against what a market can do.

use barograph_domain::depth::{BookSides, DepthLevel};
use barograph_domain::{GapReason, InstrumentName, Ts};
use barograph_lake::Error;
use barograph_lake::recorded::{CapturePlayed, RecordListener, RecordStamps, Recorded, RecordedFeed, RecordedTrade};
use std::path::PathBuf;

/// A state of the book that was heard.
#[derive(Clone, PartialEq, Debug)]
pub(crate) struct State {
    pub(crate) at: RecordStamps,
    pub(crate) bids: Vec<DepthLevel>,
    pub(crate) asks: Vec<DepthLevel>,
    pub(crate) updates: u32,
}

/// Everything that was heard, in its order; of the states only the first hundred.
#[derive(Default)]
pub(crate) struct Heard {
    pub(crate) states: Vec<State>,
    pub(crate) trades: Vec<(RecordStamps, RecordedTrade)>,
    pub(crate) books: u64,
    pub(crate) updates: u64,
    pub(crate) levels: usize,
    pub(crate) lost: Vec<(RecordedFeed, Ts, GapReason)>,
    pub(crate) begun: Vec<Ts>,
    /// `b` and `t` in the order of hearing, the first hundred.
    pub(crate) order: String,
    now: Option<Ts>,
    mid: f64,
    /// Trades that are a percent away from the mid before them.
    pub(crate) outside: usize,
    /// The widest spread, as a part of the mid.
    pub(crate) spread: f64,
}

impl Heard {
    fn heard(&mut self, at: RecordStamps, what: char) {
        assert_eq!(self.now, Some(at.recv), "all that was received before was said to have passed");
        if self.order.len() < 100 {
            self.order.push(what);
        }
    }
}

impl RecordListener for Heard {
    type Failure = Error;

    fn book(&mut self, at: RecordStamps, sides: &BookSides<'_>, updates: u32) -> Result<(), Error> {
        self.heard(at, 'b');
        assert!(updates > 0, "a state comes of an update");
        let (bid, ask) = sides.best().expect("never crossed, never empty");
        assert!(sides.bids.windows(2).all(|w| w[0].price > w[1].price), "bids fall");
        assert!(sides.asks.windows(2).all(|w| w[0].price < w[1].price), "asks rise");
        assert!(sides.bids.iter().chain(sides.asks).all(|l| l.size > 0.0 && l.size.is_finite()));
        self.mid = 0.5 * (bid.price + ask.price);
        self.spread = self.spread.max((ask.price - bid.price) / self.mid);
        self.books += 1;
        self.updates += u64::from(updates);
        self.levels = self.levels.max(sides.bids.len()).max(sides.asks.len());
        if self.states.len() < 100 {
            let (bids, asks) = (sides.bids.to_vec(), sides.asks.to_vec());
            self.states.push(State { at, bids, asks, updates });
        }
        Ok(())
    }

    fn trade(&mut self, at: RecordStamps, trade: RecordedTrade) -> Result<(), Error> {
        self.heard(at, 't');
        assert!(!self.begun.is_empty(), "trades are listened to");
        assert!(trade.price > 0.0 && trade.size > 0.0);
        self.outside += usize::from(self.mid > 0.0 && (trade.price - self.mid).abs() > 0.01 * self.mid);
        self.trades.push((at, trade));
        Ok(())
    }

    fn lost(&mut self, feed: RecordedFeed, from: Ts, why: GapReason) -> Result<(), Error> {
        self.lost.push((feed, from, why));
        Ok(())
    }

    fn trades_begin(&mut self, from: Ts) -> Result<(), Error> {
        self.begun.push(from);
        Ok(())
    }

    fn passed(&mut self, recv: Ts) -> Result<(), Error> {
        assert!(self.now.is_none_or(|now| now <= recv), "in the order of receipt");
        self.now = Some(recv);
        Ok(())
    }
}

/// Opens files as a market's recording.
pub(crate) fn open(market: &str, files: &[PathBuf]) -> Result<Recorded, Error> {
    Recorded::open(&InstrumentName::parse(market).unwrap(), files)
}

/// Plays files; what was heard, and the account of it, which has to agree.
pub(crate) fn play(market: &str, files: &[PathBuf]) -> (Heard, CapturePlayed) {
    let mut heard = Heard::default();
    let recorded = open(market, files).unwrap_or_else(|e| panic!("{market}: {e}"));
    let done = recorded.play(recorded.spec(None).unwrap(), &mut heard).unwrap();
    let of = |feed| heard.lost.iter().filter(|l| l.0 == feed).count() as u64;
    let played = &done.played;
    assert_eq!((played.books, played.trades), (heard.books, heard.trades.len() as u64), "{market}");
    assert_eq!(
        (played.book_losses, played.trade_losses),
        (of(RecordedFeed::Book), of(RecordedFeed::Trades)),
        "{market}"
    );
    let (bytes, read) = recorded.progress();
    let read = read.load(std::sync::atomic::Ordering::Relaxed);
    assert!(bytes > 0 && read > 0, "{market}: progress {read} of {bytes}");
    (heard, done)
}
