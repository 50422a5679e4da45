//! What frames say: every event checked, what came twice left out, continuity reported, facts emitted.

use super::depth::{Ids, Step};
use super::flavour::Class;
use super::frame::{self, Data, Fields, Levels, Token};
use super::history::{Piece, Task};
use super::rest::is_bar;
use super::session::{Binance, Market, TradeIds, base_quantity, contract_size};
use crate::number;
use crate::session::kit::Kit;
use crate::session::protocol::Feed;
use crate::session::seen::identity;
use crate::session::{ConnId, Decimal, MarketIndex, Out, scan};
use barograph_domain::{Bar, GapReason, Metric, Payload, Price, Side, Span, StatusState, Ts};

/// Stamps further from the receive clock than this are refused: a clock may be wrong by minutes, not by days.
const AHEAD_MAX: Span = Span::days(1);
const BEHIND_MAX: Span = Span::days(7);
/// The top of a book is reported this often.
const TOP_EVERY: Span = Span::secs(1);
const MINUTE: Span = Span::mins(1);
/// Liquidations remembered per market: one a second is shown at most, and connections overlap for some seconds.
const LIQUIDATIONS_KEPT: usize = 64;

/// Why an event is refused; the counter's label.
type Refused = &'static str;
const BAD_NUMBER: Refused = "bad_number";
const BAD_TIME: Refused = "bad_time";
const MISSING: Refused = "missing_field";

fn decimal(token: Token<'_>) -> Result<f64, Refused> {
    let text = token.text().ok_or(MISSING)?;
    Decimal::parse(text).map(Decimal::to_f64).ok_or(BAD_NUMBER)
}
fn price(token: Token<'_>) -> Result<f64, Refused> {
    let v = decimal(token)?;
    let refused = if v > 0.0 { "price_out_of_range" } else { "price_not_above_zero" };
    Price::new(v).map(Price::get).ok_or(refused)
}
fn quantity(token: Token<'_>) -> Result<f64, Refused> {
    decimal(token).and_then(|v| if v >= 0.0 { Ok(v) } else { Err("negative_quantity") })
}
/// Milliseconds or microseconds, near the receive clock.
fn stamp(now: Ts, n: Option<u64>) -> Result<Ts, Refused> {
    let n = n.ok_or(MISSING)?;
    let ts =
        i64::try_from(n).ok().and_then(Ts::from_epoch).filter(|t| number::PLAUSIBLE.contains(t)).ok_or(BAD_TIME)?;
    if ts - now > AHEAD_MAX || now - ts > BEHIND_MAX { Err(BAD_TIME) } else { Ok(ts) }
}

impl Feed for Kit<Binance> {
    fn frame(&mut self, now: Ts, conn: ConnId, bytes: &[u8], out: &mut Out) {
        let mut levels = self.venue.levels.take().unwrap_or_default();
        if let Some(frame) = frame::read(bytes, &mut levels) {
            self.take_frame(now, conn, &frame, &levels, bytes, out);
        } else {
            self.unusual_frame(now, conn, bytes, &mut levels, out);
        }
        self.venue.levels = Some(levels);
    }
}

impl Kit<Binance> {
    /// Blanks, escapes, or no JSON at all.
    #[cold]
    fn unusual_frame(&mut self, now: Ts, conn: ConnId, bytes: &[u8], levels: &mut Levels, out: &mut Out) {
        let Some(plain) = scan::plain(bytes) else {
            out.fault("undecodable", None, "the frame is not JSON", bytes);
            return;
        };
        match frame::read(&plain, levels) {
            Some(frame) => self.take_frame(now, conn, &frame, levels, &plain, out),
            None => out.fault("unexpected_shape", None, "a field has another type, or a number that cannot be", bytes),
        }
    }

    fn take_frame(
        &mut self,
        now: Ts,
        conn: ConnId,
        frame: &frame::Frame<'_>,
        levels: &Levels,
        bytes: &[u8],
        out: &mut Out,
    ) {
        match &frame.data {
            Data::One(fields) => self.event(now, conn, fields, levels, bytes, out),
            Data::Many(rows) => {
                let (mut unused, none) = (Levels::default(), Levels::default());
                let each = frame::each(rows, &mut unused, |fields| self.event(now, conn, fields, &none, bytes, out));
                if each.is_none() {
                    out.fault("unexpected_shape", None, "a row of the array is no event", bytes);
                }
            }
        }
    }

    fn event(&mut self, now: Ts, conn: ConnId, f: &Fields<'_>, levels: &Levels, bytes: &[u8], out: &mut Out) {
        if f.st.is_some() && f.st == self.venue.flavour.foreign_mark() {
            return;
        }
        let outcome = match f.e {
            b"depthUpdate" => self.named(f, bytes, out).map_or(Ok(()), |m| self.depth(now, conn, m, f, levels, out)),
            b"aggTrade" => {
                self.named(f, bytes, out).map_or(Ok(()), |m| self.trade(now, conn, m, f, TradeIds::Aggregated, out))
            }
            b"trade" => {
                self.named(f, bytes, out).map_or(Ok(()), |m| self.trade(now, conn, m, f, TradeIds::Single, out))
            }
            b"bookTicker" => self.named(f, bytes, out).map_or(Ok(()), |m| self.ticker(now, conn, m, f, out)),
            b"" if f.u.is_some() && f.b.is_present() => {
                self.named(f, bytes, out).map_or(Ok(()), |m| self.ticker(now, conn, m, f, out))
            }
            // Arrays of all markets hold many that are not wanted.
            b"markPriceUpdate" => self.venue.names.get(f.s).map_or(Ok(()), |m| self.mark_price(now, conn, m, f, out)),
            b"indexPriceUpdate" => self.index_price(now, conn, f, out),
            b"kline" => self.named(f, bytes, out).map_or(Ok(()), |m| self.kline(now, conn, m, f, out)),
            b"forceOrder" => self.force_order(now, conn, f, out),
            b"serverShutdown" => {
                out.actions.push(crate::session::Action::Replace { conn });
                Ok(())
            }
            b"" => {
                self.control(now, conn, f, bytes, out);
                Ok(())
            }
            _ => Err("unexpected_event"),
        };
        if let Err(kind) = outcome {
            out.fault(kind, self.venue.names.get(f.s), "an event was refused", bytes);
        }
    }

    /// The market of an event that was subscribed by name.
    fn named(&self, f: &Fields<'_>, bytes: &[u8], out: &mut Out) -> Option<MarketIndex> {
        let market = self.venue.names.get(f.s);
        if market.is_none() {
            out.fault("unknown_symbol", None, "a stream of a market that was not asked for", bytes);
        }
        market
    }

    /// Continuity of a stream whose data just came; false when nobody wants it.
    fn live(&mut self, now: Ts, market: MarketIndex, metric: Metric, event_ts: Ts, out: &mut Out) -> bool {
        if !self.has(metric) || !self.markets.get(market.index()).is_some_and(|m| m.wanted) {
            return false;
        }
        self.desk.tracker.progress(market, metric, now, event_ts, out);
        true
    }

    fn depth(
        &mut self,
        now: Ts,
        conn: ConnId,
        market: MarketIndex,
        f: &Fields<'_>,
        levels: &Levels,
        out: &mut Out,
    ) -> Result<(), Refused> {
        let (Some(first), Some(last), true) = (f.U, f.u, f.has_levels) else { return Err(MISSING) };
        if first > last || (self.venue.flavour.is_futures() && f.pu.is_none()) {
            return Err("bad_sequence");
        }
        let sent = stamp(now, f.E);
        if let Some(kind) = levels.wrong {
            // Both may be wrong, and both are said.
            if let Err(kind) = sent {
                out.fault(kind, Some(market), "an event was refused", &[]);
            }
            return Err(kind);
        }
        let sent = sent?;
        let event_ts = if f.T.is_some() { stamp(now, f.T)? } else { sent };
        self.desk.lag.note(now, sent);
        self.delivered(now, conn, out);
        let ids = Ids { first, last, previous: f.pu };
        let Some(book) = self.markets.get_mut(market.index()).filter(|m| m.wanted).and_then(|m| m.book.as_mut()) else {
            return Ok(());
        };
        match book.event(now, conn, ids, event_ts, levels) {
            Step::Applied => self.book_moved(now, market, event_ts, last, out),
            Step::Nothing => self.ask_depth(now, market, out),
            Step::Lost(why) => {
                self.desk.tracker.lost(market, Metric::Book, now, StatusState::Resync, why, out);
                self.ask_depth(now, market, out);
            }
        }
        Ok(())
    }

    /// The book is good and newer: its continuity, and at most once a second its top.
    pub(super) fn book_moved(&mut self, now: Ts, market: MarketIndex, event_ts: Ts, seq: u64, out: &mut Out) {
        self.desk.tracker.progress(market, Metric::Book, now, event_ts, out);
        let Some(book) = self.markets.get_mut(market.index()).and_then(|m| m.book.as_mut()) else { return };
        if book.told.is_some_and(|told| now - told < TOP_EVERY) {
            return;
        }
        let Some((bid, ask)) = book.book().and_then(crate::session::OrderBook::top) else { return };
        book.told = Some(now);
        out.live(market, Metric::Book, event_ts, seq, Payload::BestBidAsk { bid, ask });
    }

    fn trade(
        &mut self,
        now: Ts,
        conn: ConnId,
        market: MarketIndex,
        f: &Fields<'_>,
        kind: TradeIds,
        out: &mut Out,
    ) -> Result<(), Refused> {
        let id = if kind == TradeIds::Aggregated { f.a } else { f.t }.int().ok_or(MISSING)?;
        let event_ts = stamp(now, f.T)?;
        // Fills that are no trade of the market (`INSURANCE_FUND`, `NA`) have a price of zero and a place in the ids.
        let is_trade = f.X.text().is_none_or(|x| x == b"MARKET");
        let numbers = if is_trade { Some((price(f.p)?, quantity(f.q)?)) } else { None };
        let aggressor_side = Some(if f.m.ok_or(MISSING)? { Side::Short } else { Side::Long });
        if let Ok(sent) = stamp(now, f.E) {
            self.desk.lag.note(now, sent);
        }
        self.delivered(now, conn, out);
        if !self.follow_trade(now, market, id, kind, event_ts, out)?
            || !self.live(now, market, Metric::Trade, event_ts, out)
        {
            return Ok(());
        }
        if let (Some((price, qty)), Some(spec)) = (numbers, self.spec(market)) {
            let qty = base_quantity(self.venue.flavour.class, spec, qty, price);
            out.live(market, Metric::Trade, event_ts, id, Payload::Trade { price, qty, aggressor_side });
        }
        Ok(())
    }

    /// Ids are dense: what came before is left out, a jump is a hole that is fetched. False: nothing new.
    fn follow_trade(
        &mut self,
        now: Ts,
        market: MarketIndex,
        id: u64,
        kind: TradeIds,
        event_ts: Ts,
        out: &mut Out,
    ) -> Result<bool, Refused> {
        let Some(m) = self.markets.get_mut(market.index()) else { return Ok(false) };
        // `trade` and `aggTrade` of one market say the same twice, with ids of their own.
        if *m.trade_ids.get_or_insert(kind) != kind {
            return Err("unexpected_event");
        }
        let last = m.trade_last;
        if last.is_some_and(|last| id <= last) {
            return Ok(false);
        }
        let before = m.trade_ts;
        (m.trade_last, m.trade_ts) = (Some(id), Some(event_ts));
        match last {
            Some(last) if id > last + 1 => {
                self.desk.tracker.lost(market, Metric::Trade, now, StatusState::Gap, GapReason::SequenceJump, out);
                let from = before.unwrap_or(event_ts);
                self.repair_trades(now, market, kind, last + 1, id, from, event_ts, out);
            }
            Some(_) => {}
            None => self.begin_trades(now, market, kind, id, event_ts, out),
        }
        Ok(true)
    }

    fn ticker(
        &mut self,
        now: Ts,
        conn: ConnId,
        market: MarketIndex,
        f: &Fields<'_>,
        out: &mut Out,
    ) -> Result<(), Refused> {
        let id = f.u.ok_or(MISSING)?;
        let (bid, ask) = (price(f.b)?, price(f.a)?);
        if bid > ask {
            return Err("crossed_ticker");
        }
        // Spot sends no time, and none is invented: the fact is as old as its receipt.
        let event_ts = if f.T.is_some() { stamp(now, f.T)? } else { now };
        if f.E.is_some() {
            self.desk.lag.note(now, stamp(now, f.E)?);
        }
        self.delivered(now, conn, out);
        let Some(m) = self.markets.get_mut(market.index()) else { return Ok(()) };
        if id <= m.ticker_id {
            return Ok(());
        }
        m.ticker_id = id;
        if self.live(now, market, Metric::BestBidAsk, event_ts, out) {
            out.live(market, Metric::BestBidAsk, event_ts, id, Payload::BestBidAsk { bid, ask });
        }
        Ok(())
    }

    fn mark_price(
        &mut self,
        now: Ts,
        conn: ConnId,
        market: MarketIndex,
        f: &Fields<'_>,
        out: &mut Out,
    ) -> Result<(), Refused> {
        let event_ts = stamp(now, f.E)?;
        let mark = price(f.p)?;
        let index = match f.i.text() {
            Some(text) if !text.is_empty() => Some(price(f.i)?),
            _ => None,
        };
        let next = f.T.filter(|t| *t > 0).and_then(|t| i64::try_from(t).ok()).and_then(Ts::from_epoch);
        let rate = match f.r.text() {
            Some(text) if !text.is_empty() => Some(decimal(f.r)?),
            _ => None,
        };
        if rate.is_some_and(|r| r.abs() >= 1.0) {
            return Err("rate_out_of_range");
        }
        self.desk.lag.note(now, event_ts);
        self.delivered(now, conn, out);
        let Some(m) = self.markets.get_mut(market.index()) else { return Ok(()) };
        if m.mark_ts.is_some_and(|t| event_ts <= t) {
            return Ok(());
        }
        (m.mark_ts, m.mark) = (Some(event_ts), Some(mark));
        let interval_h = Some(m.interval_h);
        let missed = note_next_funding(m, next, event_ts);
        if let Some(missed) = missed.filter(|_| self.has(Metric::FundingRateSettled)) {
            self.repair_settled(now, market, missed);
        }
        if self.live(now, market, Metric::MarkPrice, event_ts, out) {
            out.live(market, Metric::MarkPrice, event_ts, 0, Payload::Value(mark));
        }
        if let Some(index) = index {
            self.index_value(now, market, event_ts, index, out);
        }
        // Without a next settlement there is no funding: delisted and dated contracts say 0 and "".
        if let (Some(rate), Some(_)) = (rate, next)
            && self.live(now, market, Metric::FundingRate, event_ts, out)
        {
            let payload = Payload::Funding { rate, interval_h, next_ts: next, special: false };
            out.live(market, Metric::FundingRate, event_ts, 0, payload);
        }
        self.begin(now, market, event_ts);
        Ok(())
    }

    fn index_value(&mut self, now: Ts, market: MarketIndex, event_ts: Ts, index: f64, out: &mut Out) {
        let Some(m) = self.markets.get_mut(market.index()) else { return };
        if m.index_ts.is_some_and(|t| event_ts <= t) {
            return;
        }
        m.index_ts = Some(event_ts);
        if self.live(now, market, Metric::IndexPrice, event_ts, out) {
            out.live(market, Metric::IndexPrice, event_ts, 0, Payload::Value(index));
        }
    }

    /// COIN-M: one index per pair, for all its contracts.
    fn index_price(&mut self, now: Ts, conn: ConnId, f: &Fields<'_>, out: &mut Out) -> Result<(), Refused> {
        let event_ts = stamp(now, f.E)?;
        let (pair, index) = (f.i.text().ok_or(MISSING)?, price(f.p)?);
        self.desk.lag.note(now, event_ts);
        self.delivered(now, conn, out);
        for at in 0..self.markets.len() {
            let of_pair = self.markets[at].spec.symbol.split_once('_').is_some_and(|(p, _)| p.as_bytes() == pair);
            if of_pair {
                self.index_value(now, MarketIndex::at(at), event_ts, index, out);
            }
        }
        Ok(())
    }

    fn kline(
        &mut self,
        now: Ts,
        conn: ConnId,
        market: MarketIndex,
        f: &Fields<'_>,
        out: &mut Out,
    ) -> Result<(), Refused> {
        let mut k = Candle::default();
        frame::nested(f.k, |key, token| k.take(key, token)).ok_or(MISSING)?;
        if let Ok(sent) = stamp(now, f.E) {
            self.desk.lag.note(now, sent);
        }
        self.delivered(now, conn, out);
        if !k.closed.ok_or(MISSING)? {
            return Ok(());
        }
        // The close time is the last millisecond inside the bar.
        let (open_ts, close) = (stamp(now, k.open_ts)?, stamp(now, k.close_ts)?.ceil(Span::secs(1)));
        if close - open_ts != MINUTE || close.floor(MINUTE) != close {
            return Err("wrong_timeframe");
        }
        let (mut volume, mut quote_volume) = (quantity(k.v)?, quantity(k.q)?);
        if let Some(spec) = self.spec(market).filter(|_| self.venue.flavour.class == Class::CoinM) {
            // Contracts and base units there.
            (volume, quote_volume) = (quote_volume, volume * contract_size(spec));
        }
        let bar = Bar {
            open: price(k.o)?,
            high: price(k.h)?,
            low: price(k.l)?,
            close: price(k.c)?,
            volume: Some(volume),
            quote_volume: Some(quote_volume),
        };
        if !is_bar(&bar) {
            return Err("high_below_low");
        }
        let Some(m) = self.markets.get_mut(market.index()) else { return Ok(()) };
        if m.bar_ts.is_some_and(|t| close <= t) {
            return Ok(());
        }
        let before = m.bar_ts.replace(close);
        if let Some(from) = before.filter(|t| close - *t > MINUTE) {
            self.desk.tracker.lost(market, Metric::Bar, now, StatusState::Gap, GapReason::MissingRows, out);
            self.state
                .history
                .add(Task { repair: true, ..self.task(now, market, Piece::Klines, from, close - MINUTE) });
        }
        if self.live(now, market, Metric::Bar, close, out) {
            out.live(market, Metric::Bar, close, 0, Payload::Bar(bar));
        }
        self.begin(now, market, close);
        Ok(())
    }

    fn force_order(&mut self, now: Ts, conn: ConnId, f: &Fields<'_>, out: &mut Out) -> Result<(), Refused> {
        let mut o = Order::default();
        frame::nested(f.o, |key, token| o.take(key, token)).ok_or(MISSING)?;
        self.delivered(now, conn, out);
        let Some(market) = self.venue.names.get(o.symbol.text().ok_or(MISSING)?) else { return Ok(()) };
        let liquidated_side = match o.side.text() {
            Some(b"SELL") => Side::Long,
            Some(b"BUY") => Side::Short,
            _ => return Err("unknown_word"),
        };
        let average = decimal(o.average)?;
        let price = if average > 0.0 { average } else { price(o.price)? };
        let qty = quantity(o.filled)?;
        let event_ts = stamp(now, o.at.int())?;
        let (Some(spec), class) = (self.spec(market), self.venue.flavour.class) else { return Ok(()) };
        let qty = base_quantity(class, spec, qty, price);
        let Some(m) = self.markets.get_mut(market.index()) else { return Ok(()) };
        // The same order comes over another connection again. Stamps do not show it: a venue's clock may be set back.
        let side = [u8::from(liquidated_side == Side::Long)];
        let (at, price_bits, qty_bits) = (event_ts.0.to_le_bytes(), price.to_le_bytes(), qty.to_le_bytes());
        let order = identity(&[&at, &side, &price_bits, &qty_bits]);
        if m.liquidations.contains(&order) {
            return Ok(());
        }
        if m.liquidations.len() == LIQUIDATIONS_KEPT {
            m.liquidations.pop_front();
        }
        m.liquidations.push_back(order);
        if self.live(now, market, Metric::Liquidation, event_ts, out) {
            out.live(market, Metric::Liquidation, event_ts, 0, Payload::Liquidation { liquidated_side, price, qty });
        }
        Ok(())
    }
}

/// A settlement has passed when the next one is another: it is asked for a little later. Returns the range of those that
/// passed before it and were never read, as after an absence.
fn note_next_funding(m: &mut Market, next: Option<Ts>, now_there: Ts) -> Option<(Ts, Ts)> {
    /// Settlements are listed some seconds after they happened, and stamped some milliseconds after their hour.
    const LISTED: Span = Span::secs(15);
    const LATE: Span = Span::secs(10);
    /// The shortest interval there is.
    const INTERVAL_MIN: Span = Span::hours(1);
    let next = next?;
    let old = m.next_funding.replace(next).filter(|old| next > *old)?;
    #[expect(clippy::cast_possible_truncation, reason = "hours between two settlements: 1 to 24")]
    let interval = Span::mins((m.interval_h * 60.0) as i64).max(INTERVAL_MIN);
    let newest = if now_there - old < INTERVAL_MIN { old } else { old.max(next - interval) };
    (m.settle_from, m.settle_due, m.settle_attempts) = (Some(newest), Some(now_there + LISTED), 0);
    let known = m.settled.map_or(old - LATE, |t| t + Span::millis(1));
    let until = newest - LATE - Span::millis(1);
    // Counted from the last one that was read: one that was never listed in time is missing too.
    if m.settled.map_or(newest <= old, |t| newest - t < interval + LATE) || known > until {
        return None;
    }
    m.settled = Some(until);
    Some((known, until))
}

#[derive(Default)]
struct Candle<'a> {
    open_ts: Option<u64>,
    close_ts: Option<u64>,
    o: Token<'a>,
    h: Token<'a>,
    l: Token<'a>,
    c: Token<'a>,
    v: Token<'a>,
    q: Token<'a>,
    closed: Option<bool>,
}

impl<'a> Candle<'a> {
    fn take(&mut self, key: &[u8], token: Token<'a>) {
        match key {
            b"t" => self.open_ts = token.int(),
            b"T" => self.close_ts = token.int(),
            b"o" => self.o = token,
            b"h" => self.h = token,
            b"l" => self.l = token,
            b"c" => self.c = token,
            b"v" => self.v = token,
            b"q" => self.q = token,
            b"x" => {
                self.closed = match token {
                    Token::Bool(x) => Some(x),
                    _ => None,
                }
            }
            _ => {}
        }
    }
}

#[derive(Default)]
struct Order<'a> {
    symbol: Token<'a>,
    side: Token<'a>,
    price: Token<'a>,
    average: Token<'a>,
    filled: Token<'a>,
    at: Token<'a>,
}

impl<'a> Order<'a> {
    fn take(&mut self, key: &[u8], token: Token<'a>) {
        match key {
            b"s" => self.symbol = token,
            b"S" => self.side = token,
            b"p" => self.price = token,
            b"ap" => self.average = token,
            b"z" => self.filled = token,
            b"T" => self.at = token,
            _ => {}
        }
    }
}
