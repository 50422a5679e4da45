//! State of one coin.

use crate::session::{Book, Ids, LinkId, MarketSpec, Minutes, Pace, Said, SessionConfig};
use barograph_domain::{Bar, Metric, Span, Ts};
use serde::{Deserialize, Serialize};

/// What is subscribed per coin, as bits.
pub(super) const TRADES: u16 = 1;
pub(super) const BBO: u16 = 2;
pub(super) const CONTEXT: u16 = 4;
pub(super) const BOOK: u16 = 8;
pub(super) const CANDLE: u16 = 16;
/// Not a subscription: the first message of trades, which is history, has come on a connection.
pub(super) const TRADES_BEGUN: u16 = 32;

/// Channels with their names and the streams they carry.
pub(super) const CHANNELS: [(u16, &str, &[Metric]); 5] = [
    (TRADES, "trades", &[Metric::Trade]),
    (BBO, "bbo", &[Metric::BestBidAsk]),
    (
        CONTEXT,
        "activeAssetCtx",
        &[Metric::MarkPrice, Metric::IndexPrice, Metric::FundingRate, Metric::OpenInterest, Metric::OpenInterestUsd],
    ),
    (BOOK, "l2Book", &[Metric::Book]),
    (CANDLE, "candle", &[Metric::Bar]),
];

/// Prices have at most this many decimals (`6 − szDecimals`, for any coin).
const DIGITS: u8 = 6;
/// Three times the cadence: 0.5 s and five levels with `fast`, 5 s and twenty without; one second of the former is the network's.
const FAST_SILENCE: Span = Span::secs(3);
const SLOW_SILENCE: Span = Span::secs(15);

/// One of the two books of a coin: they come on one channel and never mix.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
pub(super) struct Shape {
    pub(super) book: Option<Book>,
    /// Stamp of the newest frame.
    pub(super) time: Option<Ts>,
    /// When it came.
    pub(super) came: Option<Ts>,
    /// Neither crossed nor one-sided.
    pub(super) sound: bool,
}

/// The candle of the running minute, as last sent.
#[derive(Clone, Copy, PartialEq, Debug, Serialize, Deserialize)]
pub(super) struct Held {
    pub(super) close_ts: Ts,
    values: [f64; 4],
    volume: Option<f64>,
}

impl Held {
    pub(super) fn new(close_ts: Ts, bar: Bar) -> Self {
        Self { close_ts, values: [bar.open, bar.high, bar.low, bar.close], volume: bar.volume }
    }

    pub(super) fn bar(self) -> Bar {
        let [open, high, low, close] = self.values;
        Bar { open, high, low, close, volume: self.volume, quote_volume: None }
    }
}

/// A coin and all that is known of it.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub(super) struct Market {
    pub(super) coin: String,
    pub(super) wanted: bool,
    pub(super) link: Option<LinkId>,
    /// Channels to subscribe.
    pub(super) channels: u16,
    /// Without and with `fast`.
    pub(super) books: [Shape; 2],
    pub(super) book_shown: Option<Ts>,
    /// When the book was last subscribed again.
    pub(super) refreshed: Option<Ts>,
    pub(super) quoted: Option<Ts>,
    pub(super) quote_pace: Pace,
    pub(super) trades: Ids,
    /// Trades of first messages older than this are not wanted.
    pub(super) floor: Option<Ts>,
    pub(super) held: Option<Held>,
    pub(super) bars: Minutes,
    pub(super) said: [Said; 5],
    pub(super) next_settlement: Option<Ts>,
    /// First and last settlement said; everything between has been.
    pub(super) settled: Option<(Ts, Ts)>,
}

impl Market {
    pub(super) fn new(spec: &MarketSpec) -> Self {
        Self {
            coin: spec.symbol.clone(),
            wanted: true,
            link: None,
            channels: 0,
            books: Default::default(),
            book_shown: None,
            refreshed: None,
            quoted: None,
            quote_pace: Pace::default(),
            trades: Ids::default(),
            floor: None,
            held: None,
            bars: Minutes::default(),
            said: Default::default(),
            next_settlement: None,
            settled: None,
        }
    }

    /// The book in use: the fast one while it comes, else the slow one.
    pub(super) fn shape(&self, now: Ts) -> &Shape {
        let fresh = |s: &Shape| s.came.is_some_and(|c| now - c <= SLOW_SILENCE);
        if fresh(&self.books[1]) { &self.books[1] } else { &self.books[0] }
    }

    /// The book that a frame replaces, emptied.
    pub(super) fn replaced(&mut self, fast: bool, depth: usize) -> &mut Shape {
        let shape = &mut self.books[usize::from(fast)];
        shape.book.get_or_insert_with(|| Book::new(DIGITS, depth)).clear();
        shape
    }

    /// How long the book in use has not come, and how long it may not.
    pub(super) fn book_silence(&self, now: Ts) -> Option<(Span, Span)> {
        let of = |shape: &Shape, limit| shape.came.map(|c| (now - c, limit));
        let (fast, slow) = (of(&self.books[1], FAST_SILENCE), of(&self.books[0], SLOW_SILENCE));
        match (fast, slow) {
            // Whichever came last.
            (Some(f), Some(s)) => Some(if f.0 <= s.0 { f } else { s }),
            (one, other) => one.or(other),
        }
    }
}

/// Channels that the wanted streams need.
pub(super) fn channels(config: &SessionConfig) -> u16 {
    let needed = |metrics: &[Metric]| metrics.iter().any(|m| config.metrics.contains(m));
    CHANNELS.iter().filter(|(_, _, metrics)| needed(metrics)).map(|(bit, _, _)| bit).sum()
}
