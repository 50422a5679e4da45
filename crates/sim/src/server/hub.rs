//! Who hears what: every event is written once per stream and copied to those who asked for it.
//!
//! Nothing is written for which nobody asked. The bytes of a tick gather per connection and leave in one piece, so that
//! twenty thousand messages a second cost a few hundred writes.

use crate::Venue;
use crate::num::Text;
use crate::server::conn::Conn;
use crate::server::streams::{Everything, Stream, Wanted};
use crate::wire::usdm;
use crate::world::World;
use crate::world::bar::{INTERVALS, interval_start};
use crate::world::book::Changed;
use crate::world::candles::Window;
use crate::world::event::{Event, Trade};
use crate::world::market::Market;
use std::collections::BTreeMap;

/// One connection's interest in one stream of a market.
#[derive(Debug)]
struct Sub {
    stream: Stream,
    slot: usize,
    /// `{"stream":"…","data":` or nothing.
    prefix: Box<[u8]>,
}

/// Everybody's interest in one market.
#[derive(Debug, Default)]
struct Interest {
    bits: u32,
    subs: Vec<Sub>,
}

/// Connections, interests, and scratch space.
#[derive(Debug)]
pub(crate) struct Hub {
    pub(crate) conns: Vec<Option<Conn>>,
    interests: Vec<Interest>,
    all: Vec<(Everything, usize, Box<[u8]>)>,
    lookup: BTreeMap<(Venue, String), usize>,
    text: Text,
    changed: Vec<Changed>,
    next_id: u64,
    /// Messages handed to connections so far.
    pub(crate) sent: u64,
    /// Connections given up because their client did not read.
    pub(crate) slow: u64,
}

impl Hub {
    pub(crate) fn new(world: &World) -> Self {
        let lookup = world.markets.iter().enumerate().map(|(n, m)| ((m.spec.venue, m.spec.lower.clone()), n)).collect();
        Self {
            conns: Vec::new(),
            interests: world.markets.iter().map(|_| Interest::default()).collect(),
            all: Vec::new(),
            lookup,
            text: Text::default(),
            changed: Vec::new(),
            next_id: 1,
            sent: 0,
            slow: 0,
        }
    }

    /// Position of a market; the symbol in any case.
    pub(crate) fn market(&self, venue: Venue, symbol: &str) -> Option<usize> {
        self.lookup.get(&(venue, symbol.to_lowercase())).copied()
    }

    /// Takes a new connection in; its slot and its id.
    pub(crate) fn join(&mut self, make: impl FnOnce(u64) -> Conn) -> (usize, u64) {
        let id = self.next_id;
        self.next_id += 1;
        let conn = make(id);
        let free = self.conns.iter().position(Option::is_none);
        let slot = free.unwrap_or_else(|| {
            self.conns.push(None);
            self.conns.len() - 1
        });
        self.conns[slot] = Some(conn);
        (slot, id)
    }

    /// Forgets a connection.
    pub(crate) fn leave(&mut self, slot: usize, id: u64) {
        if self.conns.get(slot).and_then(Option::as_ref).is_some_and(|c| c.id == id) {
            self.conns[slot] = None;
            for interest in &mut self.interests {
                if interest.subs.iter().any(|s| s.slot == slot) {
                    interest.subs.retain(|s| s.slot != slot);
                    interest.count();
                }
            }
            self.all.retain(|a| a.1 != slot);
        }
    }

    pub(crate) fn conn(&mut self, slot: usize, id: u64) -> Option<&mut Conn> {
        self.conns.get_mut(slot)?.as_mut().filter(|c| c.id == id)
    }

    /// Begins to deliver what a name asks for. A symbol that does not exist delivers nothing, as on the venue.
    pub(crate) fn want(&mut self, slot: usize, venue: Venue, name: &str, envelope: bool, wanted: Wanted) {
        let prefix = if envelope { format!("{{\"stream\":\"{name}\",\"data\":") } else { String::new() };
        let prefix = prefix.into_bytes().into_boxed_slice();
        match wanted {
            Wanted::All(what) => self.all.push((what, slot, prefix)),
            Wanted::One(symbol, stream) => {
                if let Some(number) = self.market(venue, &symbol) {
                    let interest = &mut self.interests[number];
                    interest.subs.push(Sub { stream, slot, prefix });
                    interest.count();
                }
            }
        }
    }

    /// Ends what [`Self::want`] began.
    pub(crate) fn unwant(&mut self, slot: usize, venue: Venue, wanted: &Wanted) {
        match wanted {
            Wanted::All(what) => self.all.retain(|a| !(a.0 == *what && a.1 == slot)),
            Wanted::One(symbol, stream) => {
                if let Some(number) = self.market(venue, symbol) {
                    let interest = &mut self.interests[number];
                    interest.subs.retain(|s| !(s.stream == *stream && s.slot == slot));
                    interest.count();
                }
            }
        }
    }

    /// Writes what happened in one market to those who asked.
    pub(crate) fn tell(&mut self, number: usize, market: &Market, events: &[Event], now_ms: i64) {
        if self.all.is_empty() && self.interests[number].bits == 0 {
            return;
        }
        for event in events {
            match event {
                Event::Trade(trade) => self.tell_trade(number, market, trade, now_ms),
                Event::Top(top) => {
                    self.one(number, Stream::BookTicker, |t, _| usdm::book_ticker(t, &market.spec, top));
                }
                Event::Depth(update) => {
                    self.one(number, Stream::Depth(update.speed), |t, changed| {
                        market.book.changed(update, changed);
                        usdm::depth_update(t, market, update, changed, now_ms);
                    });
                    for levels in [5, 10, 20] {
                        self.one(number, Stream::Partial(levels, update.speed), |t, _| {
                            usdm::partial_depth(t, market, levels.into(), update, now_ms);
                        });
                    }
                }
                Event::ForceOrder(order) => {
                    self.one(number, Stream::ForceOrder, |t, _| {
                        usdm::force_order(t, &market.spec, order, now_ms);
                    });
                    self.everyone(Everything::ForceOrders, |t| usdm::force_order(t, &market.spec, order, now_ms));
                }
                Event::Mark(mark) => {
                    let write = |t: &mut Text, _: &mut Vec<Changed>| {
                        usdm::mark_price(t, &market.spec.symbol, mark, "1");
                    };
                    self.one(number, Stream::Mark(1), write);
                    if mark.ms % 3_000 == 0 {
                        self.one(number, Stream::Mark(3), write);
                    }
                }
                Event::Quarter => self.tell_candles(number, market, None, now_ms),
                Event::Closed(bar) => self.tell_candles(number, market, Some(bar.open_ms), now_ms),
                Event::Second(ms) => self.tell_second(number, market, *ms),
                Event::Liquidation(_) => {}
            }
        }
    }

    fn tell_trade(&mut self, number: usize, market: &Market, trade: &Trade, now_ms: i64) {
        self.one(number, Stream::AggTrade, |t, _| usdm::agg_trade(t, &market.spec, trade, now_ms));
        if self.interests[number].bits & Stream::Trade.bit() != 0 {
            for (id, quantity) in trade.singles() {
                self.one(number, Stream::Trade, |t, _| usdm::trade(t, &market.spec, trade, id, quantity, now_ms));
            }
        }
    }

    fn tell_second(&mut self, number: usize, market: &Market, ms: i64) {
        if ms % 2_000 == 0 {
            self.one(number, Stream::Ticker, |t, _| usdm::ticker(t, market, ms));
            self.one(number, Stream::MiniTicker, |t, _| usdm::mini_ticker(t, market, ms));
        }
    }

    /// Open candles, or those that end with the minute that began at `closed`.
    fn tell_candles(&mut self, number: usize, market: &Market, closed: Option<i64>, now_ms: i64) {
        if self.interests[number].bits & Stream::Kline(0).bit() == 0 {
            return;
        }
        for (n, interval) in (0_u8..).zip(INTERVALS) {
            let stream = Stream::Kline(n);
            if !self.interests[number].subs.iter().any(|s| s.stream == stream) {
                continue;
            }
            let minute = closed.unwrap_or(market.bar.open_ms);
            let open_ms = interval_start(minute, interval.1);
            if closed.is_some() && minute + 60_000 != open_ms + interval.1 {
                continue;
            }
            let window = Window { start_ms: Some(open_ms), end_ms: None, limit: 1 };
            let candle = if n == 0 && closed.is_none() {
                Some(market.bar)
            } else {
                market.candles(interval.1, &window, now_ms).first().copied()
            };
            if let Some(bar) = candle {
                self.one(number, stream, |t, _| {
                    usdm::kline(t, &market.spec, &bar, interval, closed.is_some(), now_ms);
                });
            }
        }
    }

    /// Frames of all markets at once, every second.
    pub(crate) fn tell_everyone(&mut self, world: &World, ms: i64) {
        if self.all.is_empty() {
            return;
        }
        let perps = || world.markets.iter().filter(|m| m.spec.venue == Venue::BinanceUsdm);
        for every in [1_u8, 3] {
            if ms % (i64::from(every) * 1_000) == 0 {
                for tradfi in [false, true] {
                    self.everyone(Everything::Marks(every), |t| usdm::mark_prices(t, perps(), tradfi));
                }
            }
        }
        self.everyone(Everything::Tickers, |t| usdm::tickers(t, perps(), ms));
        self.everyone(Everything::MiniTickers, |t| usdm::mini_tickers(t, perps(), ms));
        if ms % 5_000 == 0 {
            for market in perps() {
                self.everyone(Everything::BookTickers, |t| usdm::book_ticker_now(t, market, ms));
            }
        }
    }

    /// Writes a payload once and copies it to the subscribers of a stream.
    fn one(&mut self, number: usize, stream: Stream, write: impl FnOnce(&mut Text, &mut Vec<Changed>)) {
        let interest = &self.interests[number];
        if interest.bits & stream.bit() == 0 || !interest.subs.iter().any(|s| s.stream == stream) {
            return;
        }
        self.text.bytes.clear();
        write(&mut self.text, &mut self.changed);
        for sub in interest.subs.iter().filter(|s| s.stream == stream) {
            if let Some(conn) = self.conns.get_mut(sub.slot).and_then(Option::as_mut) {
                send(conn, &sub.prefix, &self.text.bytes);
                self.sent += 1;
            }
        }
    }

    fn everyone(&mut self, what: Everything, write: impl FnOnce(&mut Text)) {
        if !self.all.iter().any(|a| a.0 == what) {
            return;
        }
        self.text.bytes.clear();
        write(&mut self.text);
        if self.text.bytes.is_empty() {
            return;
        }
        for (_, slot, prefix) in self.all.iter().filter(|a| a.0 == what) {
            if let Some(conn) = self.conns.get_mut(*slot).and_then(Option::as_mut) {
                send(conn, prefix, &self.text.bytes);
                self.sent += 1;
            }
        }
    }

    /// Hands everything that has gathered to the sockets.
    pub(crate) fn flush(&mut self) {
        for conn in self.conns.iter_mut().flatten() {
            if !conn.flush() {
                self.slow += 1;
            }
        }
    }
}

impl Interest {
    fn count(&mut self) {
        self.bits = self.subs.iter().fold(0, |bits, s| bits | s.stream.bit());
    }
}

fn send(conn: &mut Conn, prefix: &[u8], payload: &[u8]) {
    if prefix.is_empty() { conn.text(&[payload]) } else { conn.text(&[prefix, payload, b"}"]) }
}
