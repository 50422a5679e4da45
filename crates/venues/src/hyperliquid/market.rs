//! State of one coin.

use crate::session::facts::RunningBar;
use crate::session::offer::{self, Of, Offer};
use crate::session::protocol::{self, Channel as _, channels};
use crate::session::{Ids, LinkId, MarketSpec, Minutes, OrderBook, Pace, RepeatedValue, SessionConfig};
use barograph_domain::{Bar, MarketKind, Metric, Span, Ts};
use serde::{Deserialize, Serialize};

channels! {
    /// What is subscribed per coin.
    Channel {
        Trades "trades" [Trade],
        Bbo "bbo" [BestBidAsk],
        Context "activeAssetCtx" [MarkPrice, IndexPrice, FundingRate, OpenInterest, OpenInterestUsd],
        Book "l2Book" [Book],
        Candle "candle" [Bar],
    }
}

/// Not a subscription: the first message of trades, which is history, has come on a connection.
pub(super) const TRADES_BEGUN: u16 = 32;

const fn offer(metric: Metric, channel: Channel) -> Offer<Channel> {
    Offer::new(metric, Of::All, Some(channel))
}

/// Contexts come with every change, and by poll every minute: three of those may fail.
const fn context(metric: Metric) -> Offer<Channel> {
    offer(metric, Channel::Context).silence(Span::mins(3))
}

/// What the venue offers; settled funding is fetched.
pub(super) const STREAMS: [Offer<Channel>; 10] = [
    offer(Metric::Bar, Channel::Candle).every(Span::mins(1)).delay(Span::secs(2)),
    offer(Metric::Trade, Channel::Trades),
    offer(Metric::BestBidAsk, Channel::Bbo),
    context(Metric::MarkPrice),
    context(Metric::IndexPrice),
    context(Metric::FundingRate),
    Offer::new(Metric::FundingRateSettled, Of::All, None).every(Span::hours(1)).delay(Span::secs(2)),
    context(Metric::OpenInterest).polled(),
    context(Metric::OpenInterestUsd).polled(),
    offer(Metric::Book, Channel::Book),
];
/// Streams the venue has.
pub(super) const METRICS: [Metric; 10] = offer::metrics(&STREAMS);

/// Prices have at most this many decimals (`6 − szDecimals`, for any coin).
const DIGITS: u8 = 6;
/// Three times the cadence: 0.5 s and five levels with `fast`, 5 s and twenty without; one second of the former is the network's.
const FAST_SILENCE: Span = Span::secs(3);
const SLOW_SILENCE: Span = Span::secs(15);

/// One of the two books of a coin: they come on one channel and never mix.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
pub(super) struct Shape {
    pub(super) book: Option<OrderBook>,
    /// Stamp of the newest frame.
    pub(super) time: Option<Ts>,
    /// When it came.
    pub(super) came: Option<Ts>,
    /// Neither crossed nor one-sided.
    pub(super) sound: bool,
}

/// Numbers of a candle.
#[derive(Clone, Copy, PartialEq, Debug, Serialize, Deserialize)]
pub(super) struct Held {
    values: [f64; 4],
    volume: Option<f64>,
}

impl From<Bar> for Held {
    fn from(bar: Bar) -> Self {
        Self { values: [bar.open, bar.high, bar.low, bar.close], volume: bar.volume }
    }
}

impl From<Held> for Bar {
    fn from(held: Held) -> Self {
        let [open, high, low, close] = held.values;
        Self { open, high, low, close, volume: held.volume, quote_volume: None }
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
    pub(super) held: RunningBar<Held>,
    pub(super) bars: Minutes,
    pub(super) said: [RepeatedValue; 5],
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
            held: RunningBar::default(),
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
        shape.book.get_or_insert_with(|| OrderBook::new(DIGITS, depth)).clear();
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

impl protocol::Market<Channel> for Market {
    fn symbol(&self) -> &str {
        &self.coin
    }

    fn link(&self) -> Option<LinkId> {
        self.link
    }

    fn channels(&self) -> u16 {
        self.channels
    }
}

/// Channels that the wanted streams need.
pub(super) fn channels(config: &SessionConfig) -> u16 {
    offer::channels(&STREAMS, MarketKind::Perpetual, config).fold(0, |bits, channel| bits | channel.bit())
}
