//! The socket's messages.

use super::map;
use super::market::{Channel, TRADES_BEGUN};
use super::session::Hyperliquid;
use super::wire;
use crate::session::kit::Kit;
use crate::session::protocol::{Channel as _, Feed};
use crate::session::scan::read_plain;
use crate::session::{Admit, BookFault, ConnId, MarketIndex, Origin, Out, RepeatedValue};
use barograph_domain::{Bar, GapReason, Metric, Payload, Span, StatusState, Ts};

/// The top of a book is shown at most this often.
const SHOWN_EVERY: Span = Span::secs(1);
/// A value that does not change is said again after this long.
const REPEAT_EVERY: Span = Span::secs(30);

impl Feed for Kit<Hyperliquid> {
    fn frame(&mut self, now: Ts, conn: ConnId, bytes: &[u8], out: &mut Out) {
        if self.desk.link_of(conn).is_none() {
            return out.fault("unknown_connection", None, "message of a connection that is not open", bytes);
        }
        if bytes == b"Websocket connection established." {
            // The greeting of some nodes is no JSON.
            return;
        }
        let mut owned = None;
        let Some(envelope) = read_plain(bytes, &mut owned, wire::envelope) else {
            return out.fault("undecodable", None, "message is not a JSON object of this venue", bytes);
        };
        let read = match envelope.channel {
            b"l2Book" => self.book_frame(now, conn, envelope.data, out),
            b"bbo" => self.bbo(now, conn, envelope.data, out),
            b"trades" => self.trades(now, conn, envelope.data, out),
            b"activeAssetCtx" => self.active(now, conn, envelope.data, out),
            b"candle" => self.candle(now, conn, envelope.data, out),
            b"subscriptionResponse" => self.confirmed(now, conn, envelope.data, out),
            b"pong" => Some(()),
            b"error" => {
                out.fault("error_reply", None, "the venue reports an error", envelope.data);
                Some(())
            }
            b"" => None,
            channel => {
                out.fault("unknown_channel", None, "channel was not asked for", channel);
                Some(())
            }
        };
        if read.is_none() {
            out.fault("undecodable", None, "data of the message are not of its channel", bytes);
        }
    }
}

impl Kit<Hyperliquid> {
    fn market(&self, coin: &[u8], out: &mut Out) -> Option<MarketIndex> {
        let Some(index) = self.names.get(coin) else {
            out.fault("unknown_symbol", None, "coin was not asked for", coin);
            return None;
        };
        // Messages on their way while a coin is being left are no fault.
        self.markets.get(index.index()).filter(|m| m.wanted).map(|_| index)
    }

    /// A stamp of the venue was seen.
    fn stamped(&mut self, now: Ts, at: Ts) {
        self.desk.lag.note(now, at);
        self.state.venue_now = self.state.venue_now.max(Some(at));
    }

    fn emit(
        &mut self,
        now: Ts,
        market: MarketIndex,
        metric: Metric,
        (at, seq): (Ts, u64),
        payload: Payload,
        out: &mut Out,
    ) {
        if self.desk.wants(market, metric) {
            self.desk.tracker.progress(market, metric, now, at, out);
            out.live(market, metric, at, seq, payload);
        }
    }

    fn book_frame(&mut self, now: Ts, conn: ConnId, data: &[u8], out: &mut Out) -> Option<()> {
        let frame = wire::levels(data)?;
        if frame.aggregated {
            return Some(());
        }
        let Some(market) = self.market(frame.coin, out) else { return Some(()) };
        let Some(time) = map::moment(frame.time, now) else {
            out.fault("bad_stamp", Some(market), "time of a book is not plausible", frame.coin);
            return Some(());
        };
        self.desk.cover(conn, market, Channel::Book.bit());
        let depth = self.config.book_depth;
        let m = self.markets.get_mut(market.index())?;
        if m.books[usize::from(frame.fast)].time.is_some_and(|t| time < t) {
            // Overtaken on another connection.
            return Some(());
        }
        let shape = m.replaced(frame.fast, depth);
        let book = shape.book.as_mut()?;
        let mut bad = None;
        let read = wire::sides(frame.sides, |side, px, sz| {
            let (Some((price, _)), Some(qty)) = (map::price(px), map::qty(sz).filter(|q| *q > 0.0)) else {
                bad = Some("level is no price and quantity");
                return None;
            };
            let set = if side == 0 { book.bid(price, qty) } else { book.ask(price, qty) };
            bad = set.is_err().then_some("price has more than six decimals");
            set.ok()
        });
        let verdict = book.check();
        let top = book.top();
        (shape.time, shape.came) = (Some(time), Some(now));
        shape.sound = read.is_some() && verdict.is_ok();
        self.stamped(now, time);
        let lost = |s: &mut Self, reason, out: &mut Out| {
            s.desk.tracker.lost(market, Metric::Book, now, StatusState::Resync, reason, out);
        };
        if read.is_none() {
            out.fault("bad_level", Some(market), bad.unwrap_or("levels are not two lists"), frame.sides);
            lost(self, GapReason::Undecodable, out);
            return Some(());
        }
        match verdict {
            Ok(()) => self.show(now, market, time, top, out),
            Err(BookFault::Empty) => lost(self, GapReason::EmptyBook, out),
            Err(BookFault::Crossed | BookFault::OffTick) => {
                let (bid, ask) = top.unwrap_or_default();
                let why = format!("best bid {bid} is not below best ask {ask}");
                out.fault("crossed_book", Some(market), &why, &[]);
                lost(self, GapReason::CrossedBook, out);
            }
        }
        Some(())
    }

    fn show(&mut self, now: Ts, market: MarketIndex, time: Ts, top: Option<(f64, f64)>, out: &mut Out) {
        self.desk.tracker.progress(market, Metric::Book, now, time, out);
        let Some(m) = self.markets.get_mut(market.index()) else { return };
        if m.book_shown.is_some_and(|s| now - s < SHOWN_EVERY) {
            return;
        }
        m.book_shown = Some(now);
        if let Some((bid, ask)) = top {
            self.emit(now, market, Metric::Book, (time, 0), Payload::BestBidAsk { bid, ask }, out);
        }
    }

    fn bbo(&mut self, now: Ts, conn: ConnId, data: &[u8], out: &mut Out) -> Option<()> {
        let frame = wire::levels(data)?;
        let sides = wire::top(frame.sides)?;
        let Some(market) = self.market(frame.coin, out) else { return Some(()) };
        let Some(time) = map::moment(frame.time, now) else {
            out.fault("bad_stamp", Some(market), "time of a quote is not plausible", frame.coin);
            return Some(());
        };
        self.desk.cover(conn, market, Channel::Bbo.bit());
        let m = self.markets.get_mut(market.index())?;
        if m.quoted.is_some_and(|q| time <= q) {
            return Some(());
        }
        let quote = match sides {
            [Some(bid), Some(ask)] => match (map::price(bid), map::price(ask)) {
                (Some((_, bid)), Some((_, ask))) if bid < ask => Some((bid, ask)),
                (Some(_), Some(_)) => {
                    out.fault("crossed_quote", Some(market), "best bid is not below best ask", frame.sides);
                    return Some(());
                }
                _ => {
                    out.fault("bad_quote", Some(market), "best bid or ask is no price", frame.sides);
                    return Some(());
                }
            },
            // A side without orders: there is no quote, and nothing is lost.
            _ => None,
        };
        m.quoted = Some(time);
        m.quote_pace.note(now);
        self.stamped(now, time);
        match quote {
            Some((bid, ask)) => {
                self.emit(now, market, Metric::BestBidAsk, (time, 0), Payload::BestBidAsk { bid, ask }, out);
            }
            None => self.desk.tracker.progress(market, Metric::BestBidAsk, now, time, out),
        }
        Some(())
    }

    fn trades(&mut self, now: Ts, conn: ConnId, data: &[u8], out: &mut Out) -> Option<()> {
        let mut rows = core::mem::take(&mut self.venue.rows);
        rows.clear();
        let read = wire::trades(data, |row| {
            if let Some(market) = self.market(row.coin, out) {
                match map::trade(&row, now) {
                    Ok(trade) => rows.push((market, rows.len(), trade)),
                    Err(why) => out.fault("bad_trade", Some(market), why, row.px),
                }
            }
            Some(())
        });
        // Batches of old trades are not in order; within a block the venue's order stays.
        rows.sort_unstable_by_key(|(market, n, t)| (*market, t.time, *n));
        let mut first = None;
        for (n, (market, _, trade)) in rows.iter().enumerate() {
            if n == 0 || rows.get(n - 1).is_some_and(|p| p.0 != *market) {
                // The first message on a connection is history up to now.
                first = Some(self.desk.cover(conn, *market, Channel::Trades.bit() | TRADES_BEGUN));
            }
            self.trade(now, *market, trade, first == Some(true), out);
        }
        self.venue.rows = rows;
        read
    }

    fn trade(&mut self, now: Ts, market: MarketIndex, t: &map::Trade, first: bool, out: &mut Out) {
        let Some(m) = self.markets.get_mut(market.index()) else { return };
        if m.trades.admit(t.time, t.tid) != Admit::New {
            return;
        }
        let payload = Payload::Trade { price: t.price, qty: t.qty, aggressor_side: t.side };
        let origin = if first { Origin::Backfill } else { Origin::Live };
        let floor = m.floor;
        match origin {
            Origin::Live => {
                self.stamped(now, t.time);
                self.emit(now, market, Metric::Trade, (t.time, t.tid), payload, out);
            }
            // Newer than the request for history, else nobody asked.
            Origin::Backfill if floor.is_some_and(|f| t.time >= f) && self.desk.wants(market, Metric::Trade) => {
                out.backfilled(market, Metric::Trade, t.time, t.tid, payload);
            }
            Origin::Backfill => {}
        }
    }

    fn active(&mut self, now: Ts, conn: ConnId, data: &[u8], out: &mut Out) -> Option<()> {
        let (coin, row) = wire::active(data)?;
        let Some(market) = self.market(coin, out) else { return Some(()) };
        self.desk.cover(conn, market, Channel::Context.bit());
        self.context(now, market, &row, out);
        Some(())
    }

    /// Values of a context, from the socket or the poll. The venue does not stamp them: they are of now.
    pub(super) fn context(&mut self, now: Ts, market: MarketIndex, row: &wire::Context<'_>, out: &mut Out) {
        let context = match map::context(row) {
            Ok(context) => context,
            Err(why) => return out.fault("bad_context", Some(market), why, row.mark_px),
        };
        let next = (now + Span(1)).ceil(Span::hours(1));
        let funding = |rate| Payload::Funding { rate, interval_h: Some(1.0), next_ts: Some(next), special: false };
        let usd = context.open_interest.zip(context.mark).map(|(oi, mark)| oi * mark);
        let values = [
            (Metric::MarkPrice, context.mark, context.mark.map(Payload::Value)),
            (Metric::IndexPrice, context.oracle, context.oracle.map(Payload::Value)),
            (Metric::FundingRate, context.funding, context.funding.map(funding)),
            (Metric::OpenInterest, context.open_interest, context.open_interest.map(Payload::Value)),
            (Metric::OpenInterestUsd, usd, usd.map(Payload::Value)),
        ];
        for (n, (metric, value, payload)) in values.into_iter().enumerate() {
            let (Some(value), Some(payload)) = (value, payload) else { continue };
            let Some(m) = self.markets.get_mut(market.index()) else { return };
            // The next settlement moves with the hour, also at an unchanged rate.
            let key = [value, if metric == Metric::FundingRate { next.0 as f64 } else { 0.0 }, 0.0];
            if m.said.get_mut(n).is_some_and(|s: &mut RepeatedValue| s.due(now, key, REPEAT_EVERY)) {
                self.emit(now, market, metric, (now, 0), payload, out);
            } else {
                self.desk.tracker.progress(market, metric, now, now, out);
            }
        }
        if context.funding.is_some()
            && let Some(m) = self.markets.get_mut(market.index())
        {
            self.desk.settlement(now, market, Some(next), &mut m.next_settlement);
        }
    }

    fn candle(&mut self, now: Ts, conn: ConnId, data: &[u8], out: &mut Out) -> Option<()> {
        let row: wire::Candle<'_> = serde_json::from_slice(data).ok()?;
        let Some(market) = self.market(row.s.as_bytes(), out) else { return Some(()) };
        self.desk.cover(conn, market, Channel::Candle.bit());
        let Some((close_ts, bar)) = map::candle(&row).filter(|(close, _)| *close <= now + Span::mins(2)) else {
            out.fault("bad_candle", Some(market), "candle is not a sound minute", data);
            return Some(());
        };
        if let Some((close, held)) = self.markets.get_mut(market.index())?.held.hold(close_ts, bar.into()) {
            self.closed(now, market, (close, held.into()), out);
        }
        Some(())
    }

    /// A candle is final.
    fn closed(&mut self, now: Ts, market: MarketIndex, (close_ts, bar): (Ts, Bar), out: &mut Out) {
        let Some(m) = self.markets.get_mut(market.index()) else { return };
        if m.bars.admit(close_ts) == Admit::New && self.desk.wants(market, Metric::Bar) {
            self.desk.alive(market, Metric::Bar, now, close_ts, out);
            out.live(market, Metric::Bar, close_ts, 0, Payload::Bar(bar));
        }
    }

    /// Candles whose end is past by the venue's clock are final although no newer one came.
    pub(super) fn close_candles(&mut self, now: Ts, out: &mut Out) {
        let Some(there) = self.state.venue_now else { return };
        for n in 0..self.markets.len() {
            let market = MarketIndex::at(n);
            // Of one that nobody brings its last state was perhaps not seen.
            let over = self.markets[n].held.is_over(there) && self.desk.covered(market, Channel::Candle.bit());
            if let Some((close, held)) = self.markets[n].held.take_if(over) {
                self.closed(now, market, (close, held.into()), out);
            }
        }
    }

    /// A subscription was confirmed. The venue fills in defaults: kind and coin say which.
    fn confirmed(&mut self, now: Ts, conn: ConnId, data: &[u8], out: &mut Out) -> Option<()> {
        let ack: wire::Ack<'_> = serde_json::from_slice(data).ok()?;
        let Some(channel) = Channel::parse(ack.subscription.kind) else { return Some(()) };
        let Some(market) = self.market(ack.subscription.coin.as_bytes(), out) else { return Some(()) };
        if ack.method == "subscribe" {
            self.desk.cover(conn, market, channel.bit());
            if channel == Channel::Trades {
                // Trades may rightly be silent.
                self.desk.tracker.found(market, Metric::Trade, now, out);
            }
        }
        Some(())
    }
}
