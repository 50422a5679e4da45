//! The market as it is this moment, in memory: last values, ages, continuity, the minute in progress.
//!
//! The core thread writes, the API reads; each market has its own lock, held for a few nanoseconds.

use barograph_domain::{
    Event, GapReason, Instrument, InstrumentName, Metric, Payload, Span, Status, StatusState, StreamDecl, Ts,
};
use barograph_store::BookSample;
use barograph_venues::session::Continuity;
use std::sync::{Arc, Mutex, PoisonError, RwLock};

const MINUTE: Span = Span::mins(1);

/// One stream now. It has a line of the processor's cache for itself: of a thousand markets nothing is in it when a message comes.
#[derive(Clone, Debug)]
#[repr(align(64))]
pub struct LiveStream {
    /// Shared: whoever lists all markets copies thousands of these.
    pub decl: Arc<StreamDecl>,
    /// What it is of.
    pub metric: Metric,
    /// Its continuity.
    pub state: StatusState,
    /// Why it is not live.
    pub reason: GapReason,
    /// Since when it is in this state.
    pub since: Option<Ts>,
    /// The newest fact; none before the first.
    pub last: Option<LastFact>,
    /// How often it was lost.
    pub losses: u32,
}

const _: () = assert!(size_of::<LiveStream>() == 64, "a line of the cache");

/// The newest fact of a stream.
#[derive(Clone, Copy, Debug)]
pub struct LastFact {
    /// By the venue's clock.
    pub event_ts: Ts,
    /// By ours.
    pub recv_ts: Ts,
    /// Its number, where it has one.
    pub value: Option<f64>,
}

/// A minute made of trades.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct OpenMinute {
    /// Its beginning.
    pub start: Ts,
    /// First price, in the quote currency.
    pub open: f64,
    /// Highest price, in the quote currency.
    pub high: f64,
    /// Lowest price, in the quote currency.
    pub low: f64,
    /// Last price, in the quote currency.
    pub close: f64,
    /// In units of the base.
    pub volume: f64,
    /// In units of the quote currency.
    pub quote_volume: f64,
    /// How many trades.
    pub trades: u64,
}

/// A best bid and ask as they came, in the quote currency.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct BestQuote {
    /// Best bid.
    pub bid: f64,
    /// Best ask.
    pub ask: f64,
    /// By the venue's clock.
    pub event_ts: Ts,
    /// By ours.
    pub recv_ts: Ts,
}

/// One market now.
#[derive(Clone, Debug, Default)]
pub struct LiveMarket {
    /// In the order in which they were declared.
    pub streams: Vec<LiveStream>,
    /// The minute in progress, or the last in which there was a trade.
    pub minute: Option<OpenMinute>,
    /// Best first; empty while the book cannot be trusted.
    pub bids: Vec<(f64, f64)>,
    /// The other side.
    pub asks: Vec<(f64, f64)>,
    /// The moment these levels show, by the venue's clock.
    pub book_ts: Option<Ts>,
    /// The newest best bid and ask of their own stream; none before the first.
    pub best: Option<BestQuote>,
    /// Taken off the list while running: nothing of it is due, so nothing of it is shown as lost.
    pub unwanted: bool,
}

/// A market's place; shared with whoever reads.
pub type Shared = Arc<Mutex<LiveMarket>>;

/// All markets.
#[derive(Debug, Default)]
pub struct Board {
    markets: RwLock<Arc<[Shared]>>,
    names: RwLock<Arc<[InstrumentName]>>,
}

/// The writer's side: where each stream is kept.
#[derive(Debug, Default)]
pub struct Writer {
    markets: Vec<Shared>,
    /// Market and position in it, by stream.
    places: Vec<(u32, u32)>,
    not_offered: usize,
}

impl LiveStream {
    fn new(decl: &StreamDecl, state: StatusState, reason: GapReason) -> Self {
        Self { decl: Arc::new(decl.clone()), metric: decl.metric, state, reason, since: None, last: None, losses: 0 }
    }
}

impl Board {
    /// Takes in what is new. Streams are found by position afterwards.
    pub fn grow(
        &self,
        writer: &mut Writer,
        instruments: &[Instrument],
        streams: &[StreamDecl],
        not_offered: &[StreamDecl],
    ) {
        while writer.markets.len() < instruments.len() {
            writer.markets.push(Shared::default());
        }
        for decl in &streams[writer.places.len()..] {
            let Some(market) = instruments.iter().position(|i| i.name == decl.instrument) else { continue };
            let mut held = writer.markets[market].lock().unwrap_or_else(PoisonError::into_inner);
            held.streams.push(LiveStream::new(decl, StatusState::Resync, GapReason::Starting));
            #[expect(clippy::expect_used, reason = "streams are counted in 16 bits")]
            let small = |n: usize| u32::try_from(n).expect("at most 65,536 streams");
            writer.places.push((small(market), small(held.streams.len() - 1)));
        }
        for decl in &not_offered[writer.not_offered..] {
            let Some(market) = instruments.iter().position(|i| i.name == decl.instrument) else { continue };
            let mut held = writer.markets[market].lock().unwrap_or_else(PoisonError::into_inner);
            held.streams.push(LiveStream::new(decl, StatusState::NotOffered, GapReason::NotOffered));
        }
        writer.not_offered = not_offered.len();
        *self.markets.write().unwrap_or_else(PoisonError::into_inner) = writer.markets.as_slice().into();
        *self.names.write().unwrap_or_else(PoisonError::into_inner) =
            instruments.iter().map(|i| i.name.clone()).collect();
    }

    /// A copy of one market; `None` for one that is not listened to.
    pub fn market(&self, name: &InstrumentName) -> Option<LiveMarket> {
        let copy = self.shared(name)?.lock().unwrap_or_else(PoisonError::into_inner).clone();
        Some(copy).filter(|m| !m.unwanted)
    }

    /// Is this market listened to?
    pub fn has(&self, name: &InstrumentName) -> bool {
        self.shared(name).is_some_and(|shared| !shared.lock().unwrap_or_else(PoisonError::into_inner).unwanted)
    }

    fn shared(&self, name: &InstrumentName) -> Option<Shared> {
        let at = self.names.read().unwrap_or_else(PoisonError::into_inner).iter().position(|n| n == name)?;
        self.markets.read().unwrap_or_else(PoisonError::into_inner).get(at).cloned()
    }

    /// Looks at every market that is listened to in turn; its writer waits meanwhile, so `look` is quick.
    pub fn each(&self, mut look: impl FnMut(&InstrumentName, &LiveMarket)) {
        let names = self.names.read().unwrap_or_else(PoisonError::into_inner).clone();
        let markets = self.markets.read().unwrap_or_else(PoisonError::into_inner).clone();
        for (name, market) in names.iter().zip(markets.iter()) {
            let held = market.lock().unwrap_or_else(PoisonError::into_inner);
            if !held.unwanted {
                look(name, &held);
            }
        }
    }

    /// Looks at every market that is listened to by its place, which stays: nothing is copied. Its writer waits meanwhile.
    pub fn each_place(&self, mut look: impl FnMut(usize, &LiveMarket)) {
        let markets = self.markets.read().unwrap_or_else(PoisonError::into_inner).clone();
        for (place, market) in markets.iter().enumerate() {
            let held = market.lock().unwrap_or_else(PoisonError::into_inner);
            if !held.unwanted {
                look(place, &held);
            }
        }
    }

    /// Markets there are places for.
    pub fn size(&self) -> usize {
        self.names.read().unwrap_or_else(PoisonError::into_inner).len()
    }

    /// Their names, by place.
    pub fn names(&self) -> Arc<[InstrumentName]> {
        self.names.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Copies of all markets that are listened to, with their names.
    pub fn all(&self) -> Vec<(InstrumentName, LiveMarket)> {
        let names = self.names.read().unwrap_or_else(PoisonError::into_inner).clone();
        let markets = self.markets.read().unwrap_or_else(PoisonError::into_inner).clone();
        let copy = |m: &Shared| m.lock().unwrap_or_else(PoisonError::into_inner).clone();
        names.iter().cloned().zip(markets.iter().map(copy)).filter(|(_, m)| !m.unwanted).collect()
    }
}

impl Writer {
    /// A fact arrived.
    pub fn fact(&self, event: &Event, metric: Metric) {
        let Some((market, at)) = self.places.get(event.stream.index()).copied() else { return };
        let mut held = self.markets[market as usize].lock().unwrap_or_else(PoisonError::into_inner);
        let last = &mut held.streams[at as usize].last;
        if last.is_some_and(|before| event.event_ts < before.event_ts) {
            return;
        }
        let Event { event_ts, recv_ts, payload, .. } = *event;
        *last = Some(LastFact { event_ts, recv_ts, value: payload.headline() });
        match (metric, payload) {
            (Metric::Trade, Payload::Trade { price, qty, .. }) => held.trade(event_ts, price, qty),
            (Metric::BestBidAsk, Payload::BestBidAsk { bid, ask }) => {
                held.best = Some(BestQuote { bid, ask, event_ts, recv_ts })
            }
            _ => {}
        }
    }

    /// What an earlier process knew of a stream; what is heard later counts more.
    pub fn adopt(&self, stream: barograph_domain::StreamIndex, known: &Continuity) {
        let Some((market, place)) = self.places.get(stream.index()).copied() else { return };
        let mut held = self.markets[market as usize].lock().unwrap_or_else(PoisonError::into_inner);
        let stream = &mut held.streams[place as usize];
        if stream.since.is_none() {
            (stream.state, stream.reason, stream.since) = (known.state, known.reason, Some(known.since));
        }
    }

    /// A market comes or goes. What it said before it went is not shown when it comes again.
    pub fn wanted(&self, instrument: u32, is: bool) {
        let Some(shared) = self.markets.get(instrument as usize) else { return };
        let mut held = shared.lock().unwrap_or_else(PoisonError::into_inner);
        if held.unwanted && is {
            (held.minute, held.bids, held.asks, held.best) = (None, Vec::new(), Vec::new(), None);
        }
        held.unwanted = !is;
    }

    /// Is the market of this stream listened to?
    pub fn is_wanted(&self, stream: barograph_domain::StreamIndex) -> bool {
        let Some((market, _)) = self.places.get(stream.index()).copied() else { return true };
        !self.markets[market as usize].lock().unwrap_or_else(PoisonError::into_inner).unwanted
    }

    /// Continuity of a stream changed.
    pub fn status(&self, stream: barograph_domain::StreamIndex, status: &Status, at: Ts) {
        let Some((market, place)) = self.places.get(stream.index()).copied() else { return };
        let mut held = self.markets[market as usize].lock().unwrap_or_else(PoisonError::into_inner);
        let stream = &mut held.streams[place as usize];
        stream.state = status.state;
        stream.reason = status.reason;
        stream.since = Some(at);
        stream.losses += u32::from(status.is_open());
        if stream.metric == Metric::Book {
            // No level of a book that was lost is shown, nor of one that was found again before its levels are here.
            held.bids.clear();
            held.asks.clear();
            held.book_ts = None;
        }
    }

    /// The book of a market, best levels first.
    pub fn book(&self, sample: &BookSample) {
        let Some(shared) = self.markets.get(sample.instrument) else { return };
        let mut held = shared.lock().unwrap_or_else(PoisonError::into_inner);
        held.bids.clear();
        held.bids.extend_from_slice(&sample.bids);
        held.asks.clear();
        held.asks.extend_from_slice(&sample.asks);
        held.book_ts = Some(sample.ts);
    }
}

/// A trade that is older than the mark by this says less of the price than the mark.
const TRADE_OLDER: Span = Span::mins(1);

impl LiveMarket {
    /// The newest trade, else the mark.
    pub fn price(&self) -> Option<f64> {
        let newest = |metric: Metric| {
            let of = self.streams.iter().filter(|s| s.metric == metric).filter_map(|s| s.last);
            of.filter_map(|last| Some((last.event_ts, last.value?))).max_by_key(|(at, _)| *at)
        };
        match (newest(Metric::Trade), newest(Metric::MarkPrice)) {
            (Some((traded, _)), Some((marked, mark))) if marked - traded > TRADE_OLDER => Some(mark),
            (Some((_, price)), _) | (None, Some((_, price))) => Some(price),
            (None, None) => None,
        }
    }

    fn trade(&mut self, at: Ts, price: f64, qty: f64) {
        let start = at.floor(MINUTE);
        match &mut self.minute {
            Some(m) if m.start == start => {
                m.high = m.high.max(price);
                m.low = m.low.min(price);
                m.close = price;
                m.volume += qty;
                m.quote_volume += qty * price;
                m.trades += 1;
            }
            Some(m) if m.start > start => {}
            other => {
                *other = Some(OpenMinute {
                    start,
                    open: price,
                    high: price,
                    low: price,
                    close: price,
                    volume: qty,
                    quote_volume: qty * price,
                    trades: 1,
                });
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use barograph_domain::{MarketKind, Stamp, StreamIndex};

    #[test]
    fn levels_of_a_lost_book_are_gone_at_once_and_come_back_with_the_book() {
        let name = InstrumentName::parse("coinbase:BTC-USD").unwrap();
        let instruments = [Instrument { name: name.clone(), kind: MarketKind::Spot, expiry: None }];
        let streams = [StreamDecl {
            instrument: name.clone(),
            metric: Metric::Book,
            kind: barograph_domain::Kind::Measured,
            cadence: Span::secs(1),
            source: "coinbase".to_owned(),
            delay: Span::ZERO,
            stamp: Stamp::Instant,
            filled: true,
        }];
        let (board, mut writer) = (Board::default(), Writer::default());
        board.grow(&mut writer, &instruments, &streams, &[]);
        let sample = |s| BookSample {
            instrument: 0,
            ts: Ts::from_secs(s),
            known_ts: Ts::from_secs(s + 1),
            bids: vec![(99.0, 1.0)],
            asks: vec![(101.0, 1.0)],
        };
        let status = |state, s| Status {
            state,
            from: Ts::from_secs(s),
            until: Ts::from_secs(s),
            reason: GapReason::SequenceJump,
        };
        let shown = || board.market(&name).map(|m| (m.bids.len(), m.asks.len(), m.book_ts)).unwrap();
        writer.book(&sample(10));
        assert_eq!(shown(), (1, 1, Some(Ts::from_secs(10))));
        writer.status(StreamIndex(0), &status(StatusState::Gap, 12), Ts::from_secs(12));
        assert_eq!(shown(), (0, 0, None));
        writer.status(StreamIndex(0), &status(StatusState::Live, 13), Ts::from_secs(13));
        assert_eq!(shown(), (0, 0, None), "found again, but these are the old levels");
        writer.book(&sample(14));
        assert_eq!(shown(), (1, 1, Some(Ts::from_secs(14))));
    }
}
