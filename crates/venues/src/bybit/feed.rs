//! Data messages of the socket to facts.

use super::books::Step;
use super::session::Bybit;
use super::ticker::AGAIN;
use super::topics::Channel;
use super::{map, wire};
use crate::session::seen::identity;
use crate::session::wire::{Millis, each, levels};
use crate::session::{Admit, ConnId, Decimal, MarketIndex, Out};
use barograph_domain::{GapReason, Metric, Payload, Span, Ts};

/// The top of a book is said at most this often.
const TOP_EVERY: Span = Span::secs(1);

/// What a data message says about itself.
#[derive(Clone, Copy)]
struct Head<'a> {
    now: Ts,
    conn: ConnId,
    market: MarketIndex,
    at: Ts,
    snapshot: bool,
    data: &'a str,
}

impl Bybit {
    /// One message.
    pub(super) fn frame(&mut self, now: Ts, conn: ConnId, bytes: &[u8], out: &mut Out) {
        if let Some(data) = wire::Data::scan(bytes) {
            return self.data(now, conn, data, bytes, out);
        }
        let Ok(frame) = serde_json::from_slice::<wire::Frame<'_>>(bytes) else {
            return out.fault("undecodable", None, "not a message of this venue", bytes);
        };
        match wire::Data::of(&frame) {
            _ if frame.topic.is_empty() => self.control(now, conn, &frame, bytes, out),
            Some(data) => self.data(now, conn, data, bytes, out),
            None => out.fault("undecodable", None, "a topic without data", bytes),
        }
    }

    fn data(&mut self, now: Ts, conn: ConnId, frame: wire::Data<'_>, bytes: &[u8], out: &mut Out) {
        let Some(link) = self.state.desk.link_of(conn) else {
            return out.fault("unknown_connection", None, "a message on a connection that is not open", bytes);
        };
        let Some((channel, symbol)) = Channel::parse(frame.topic, self.depth) else {
            return out.fault("unknown_topic", None, "a topic nobody asked for", frame.topic.as_bytes());
        };
        let Some(market) = self.market(link, symbol) else {
            return out.fault("unknown_symbol", None, "a symbol nobody asked for", symbol.as_bytes());
        };
        if self.state.markets[market.index()].channels & channel.bit() == 0 {
            // Still under way when it was unsubscribed.
            return;
        }
        let stamp = if frame.cts == Millis(None) { frame.ts } else { frame.cts };
        let (Some(at), Some(sent)) = (map::stamp(stamp, now), map::stamp(frame.ts, now)) else {
            return out.fault("bad_stamp", Some(market), "no plausible time", bytes);
        };
        self.state.desk.lag.note(now, sent);
        self.covers(now, conn, market, channel, out);
        let head = Head { now, conn, market, at, snapshot: frame.kind == "snapshot", data: frame.data };
        let good = match channel {
            Channel::Book => self.depth(head, out),
            Channel::Top => self.top(head, out),
            Channel::Trade => self.trades(head, out),
            Channel::Ticker => self.ticker(head, out),
            Channel::Liquidation => self.liquidations(head, out),
            Channel::Kline => self.klines(head, out),
        };
        if !good {
            out.fault("undecodable", Some(market), "data this topic does not have", frame.data.as_bytes());
        }
    }

    fn control(&mut self, now: Ts, conn: ConnId, frame: &wire::Frame<'_>, bytes: &[u8], out: &mut Out) {
        match (frame.op.as_ref(), frame.success) {
            // Both shapes of the pong; the driver counts any frame as a sign of life.
            ("ping", Some(true) | None) | ("pong", _) => {}
            ("subscribe", Some(success)) => {
                self.acknowledged(now, conn, &frame.req_id, success, &frame.ret_msg, out);
            }
            ("unsubscribe", Some(_)) => {}
            (_, Some(false)) => out.fault("error_reply", None, "the venue refused a request", frame.ret_msg.as_bytes()),
            _ => out.fault("unknown_message", None, "neither data nor an answer", bytes),
        }
    }

    fn depth(&mut self, h: Head<'_>, out: &mut Out) -> bool {
        let Some(depth) = wire::Depth::read(h.data) else {
            self.broken(h, GapReason::Undecodable, out);
            return false;
        };

        let levels = self.depth;
        let book = &mut self.state.markets[h.market.index()].book;
        // A restart is a snapshot whatever the message calls itself.
        let step = if h.snapshot || depth.u == 1 {
            book.snapshot(h.now, h.conn, levels, &depth)
        } else {
            book.delta(h.now, h.conn, &depth)
        };
        match step {
            Step::Ignored => {}
            Step::Applied => self.book_moved(h, depth.seq, out),
            Step::Broken(why) => self.broken(h, why, out),
        }
        true
    }

    fn book_moved(&mut self, h: Head<'_>, seq: u64, out: &mut Out) {
        self.state.desk.alive(h.market, Metric::Book, h.now, h.at, out);
        let market = &mut self.state.markets[h.market.index()];
        if market.said_book.is_some_and(|t| h.now - t < TOP_EVERY) {
            return;
        }
        if let Some((bid, ask)) = market.book.book.top() {
            market.said_book = Some(h.now);
            out.live(h.market, Metric::Book, h.at, seq, Payload::BestBidAsk { bid, ask });
        }
    }

    fn broken(&mut self, h: Head<'_>, why: GapReason, out: &mut Out) {
        self.state.markets[h.market.index()].book.drop_book();
        self.state.desk.lost(h.market, Metric::Book, h.now, why, out);
        let kind = match why {
            GapReason::CrossedBook => "crossed_book",
            GapReason::EmptyBook => "empty_book",
            GapReason::SequenceJump => "sequence_jump",
            _ => "undecodable",
        };
        out.fault(kind, Some(h.market), "the book is built anew", h.data.as_bytes());
        let book = &mut self.state.markets[h.market.index()].book;
        if book.breaks_often() {
            book.asked(h.now);
        } else {
            self.resubscribe(h.now, h.market, out);
        }
    }

    /// `orderbook.1`: each message is the whole top.
    fn top(&mut self, h: Head<'_>, out: &mut Out) -> bool {
        let Some(depth) = wire::Depth::read(h.data) else { return false };
        let best = |json: &str| {
            let mut best = None;
            let whole = levels(json, |p, q| {
                let read = (Decimal::parse(p), Decimal::parse(q));
                let (Some(price), Some(_)) = read else { return false };
                best = best.or(Some(price.to_f64()).filter(|p| *p > 0.0));
                true
            });
            whole.then_some(best)
        };
        let (Some(bid), Some(ask)) = (best(depth.bids), best(depth.asks)) else { return false };
        let (Some(bid), Some(ask)) = (bid, ask) else { return true };
        self.best(h, bid, ask, depth.seq, out);
        true
    }

    fn best(&mut self, h: Head<'_>, bid: f64, ask: f64, seq: u64, out: &mut Out) {
        if bid >= ask {
            return out.fault("crossed_top", Some(h.market), "best bid not below best ask", h.data.as_bytes());
        }
        self.state.desk.alive(h.market, Metric::BestBidAsk, h.now, h.at, out);
        if self.state.markets[h.market.index()].said_top.say(h.at, [bid, ask, 0.0], AGAIN) {
            out.live(h.market, Metric::BestBidAsk, h.at, seq, Payload::BestBidAsk { bid, ask });
        }
    }

    fn trades(&mut self, h: Head<'_>, out: &mut Out) -> bool {
        let mut good = true;
        self.state.markets[h.market.index()].trades.reserve();
        let whole = each(h.data, |t: wire::Trade<'_>| {
            let spec = &self.state.markets[h.market.index()].spec;
            let (Some(at), Some(payload)) = (map::stamp(t.time, h.now), map::trade(spec, &t.price, &t.size, &t.side))
            else {
                good = false;
                return;
            };
            self.trade(h.now, h.market, at, &t.id, t.seq, payload, out);
        });
        good && whole
    }

    /// A trade, once.
    #[expect(clippy::too_many_arguments, reason = "the parts of one trade")]
    fn trade(&mut self, now: Ts, market: MarketIndex, at: Ts, id: &str, seq: u64, payload: Payload, out: &mut Out) {
        match self.state.markets[market.index()].trades.admit(at, identity(&[id.as_bytes()])) {
            Admit::Seen => {}
            Admit::TooLate => out.fault("late_trade", Some(market), "older than all that is remembered", id.as_bytes()),
            Admit::New => {
                self.state.desk.alive(market, Metric::Trade, now, at, out);
                out.live(market, Metric::Trade, at, seq, payload);
            }
        }
    }

    fn liquidations(&mut self, h: Head<'_>, out: &mut Out) -> bool {
        let mut good = true;
        // The same liquidation twice in one message is two of them; the same message twice is one.
        let (mut last, mut ordinal) = (0, 0_u64);
        let mut take = |l: wire::Liquidation<'_>| {
            let market = &mut self.state.markets[h.market.index()];
            let (Some(at), Some(payload)) = (map::stamp(l.time, h.now), map::liquidation(&market.spec, &l)) else {
                good = false;
                return;
            };
            let id = identity(&[l.side.as_bytes(), l.size.as_bytes(), l.price.as_bytes()]);
            ordinal = if id == last { ordinal + 1 } else { 0 };
            last = id;
            if market.liquidations.admit(at, id.wrapping_add(ordinal)) == Admit::New {
                self.state.desk.alive(h.market, Metric::Liquidation, h.now, at, out);
                out.live(h.market, Metric::Liquidation, at, 0, payload);
            }
        };
        // The field table says object, the samples are lists.
        let whole = if h.data.starts_with('{') {
            serde_json::from_str(h.data).map(&mut take).is_ok()
        } else {
            each(h.data, &mut take)
        };
        good && whole
    }

    fn klines(&mut self, h: Head<'_>, out: &mut Out) -> bool {
        let mut good = true;
        let whole = each(h.data, |k: wire::Kline<'_>| {
            let start = k.start.ts().filter(|t| *t <= h.now + Span::mins(10) && t.floor(Span::mins(1)) == *t);
            let texts = [&*k.open, &*k.high, &*k.low, &*k.close, &*k.volume, &*k.turnover];
            let bar = map::bar(&self.state.markets[h.market.index()].spec, texts);
            let (Some(start), Some(bar)) = (start, bar) else {
                good = false;
                return;
            };
            self.kline(h, start, k.confirm.then_some(bar), out);
        });
        good && whole
    }

    /// A bar, closed or still open. That a minute is open says that all before it are closed: one that was not said by then
    /// is fetched.
    fn kline(&mut self, h: Head<'_>, start: Ts, closed: Option<Payload>, out: &mut Out) {
        let close = start + Span::mins(1);
        let market = &mut self.state.markets[h.market.index()];
        let known = market.minute;
        if known.is_none_or(|m| start > m) {
            market.minute = Some(start);
            self.state.desk.alive(h.market, Metric::Bar, h.now, start, out);
            if let Some(known) = known.filter(|m| start > *m) {
                self.bars_missed(h.now, h.market, known, start, out);
            }
        } else if known == Some(start) {
            self.state.desk.alive(h.market, Metric::Bar, h.now, start, out);
        }
        if let Some(bar) = closed
            && self.state.markets[h.market.index()].bars.admit(close) == Admit::New
        {
            self.state.desk.alive(h.market, Metric::Bar, h.now, close, out);
            out.live(h.market, Metric::Bar, close, 0, bar);
        }
    }

    /// The minute `start` is open although the one that was open, `known`, never closed here.
    fn bars_missed(&mut self, now: Ts, market: MarketIndex, known: Ts, start: Ts, out: &mut Out) {
        let said = self.state.markets[market.index()].bars.has(start);
        if !said {
            self.state.desk.lost(market, Metric::Bar, now, GapReason::SequenceJump, out);
            self.state.desk.alive(market, Metric::Bar, now, start, out);
            self.state.desk.missed(market, Metric::Bar, now, known, start);
        }
    }

    fn ticker(&mut self, h: Head<'_>, out: &mut Out) -> bool {
        let Ok(part) = serde_json::from_str::<wire::Ticker<'_>>(h.data) else { return false };
        let market = &mut self.state.markets[h.market.index()];
        let Some(good) = market.ticker.merge(h.at, h.snapshot, &part) else { return true };
        let ticker = market.ticker;
        if let Some((bid, ask)) = ticker.top()
            && self.state.desk.wants(h.market, Metric::BestBidAsk)
        {
            self.best(h, bid, ask, 0, out);
        }
        for (metric, value) in [(Metric::MarkPrice, ticker.mark()), (Metric::IndexPrice, ticker.index())] {
            let Some(value) = value.filter(|_| self.state.desk.wants(h.market, metric)) else { continue };
            self.state.desk.alive(h.market, metric, h.now, h.at, out);
            let market = &mut self.state.markets[h.market.index()];
            let said = if metric == Metric::MarkPrice { &mut market.said_mark } else { &mut market.said_index };
            if said.say(h.at, [value, 0.0, 0.0], AGAIN) {
                out.live(h.market, metric, h.at, 0, Payload::Value(value));
            }
        }
        self.funding(h, out);
        self.interest(h, out);
        good
    }

    #[expect(clippy::cast_precision_loss, reason = "an identity of the value, compared and never used as a number")]
    fn funding(&mut self, h: Head<'_>, out: &mut Out) {
        let market = &mut self.state.markets[h.market.index()];
        let next = market.ticker.next();
        if next.is_some() && next == market.next_settlement {
            self.state.desk.none_missed(h.now, h.market, out);
        }
        self.state.desk.settlement(h.now, h.market, next, &mut market.next_settlement);
        let Some((rate, interval_h, next_ts)) = market.ticker.funding() else { return };
        if !self.state.desk.wants(h.market, Metric::FundingRate) {
            return;
        }
        self.state.desk.alive(h.market, Metric::FundingRate, h.now, h.at, out);
        let value = [rate, interval_h.unwrap_or(-1.0), next_ts.map_or(-1.0, |t| t.0 as f64)];
        if self.state.markets[h.market.index()].said_funding.say(h.at, value, AGAIN) {
            let payload = Payload::Funding { rate, interval_h, next_ts, special: false };
            out.live(h.market, Metric::FundingRate, h.at, 0, payload);
        }
    }

    /// Linear contracts: base units. Inverse ones are counted in USD; base units need the mark price.
    fn interest(&mut self, h: Head<'_>, out: &mut Out) {
        let market = &mut self.state.markets[h.market.index()];
        let (Some(counted), Some(mark)) = (market.ticker.interest(), market.ticker.mark()) else { return };
        let (base, usd) = if market.spec.inverse { (counted / mark, counted) } else { (counted, counted * mark) };
        // Said when the venue's number moves, not with every tick of the mark price.
        let say = market.said_interest.say(h.at, [counted, 0.0, 0.0], AGAIN);
        for (metric, value) in [(Metric::OpenInterest, base), (Metric::OpenInterestUsd, usd)] {
            if self.state.desk.wants(h.market, metric) {
                self.state.desk.alive(h.market, metric, h.now, h.at, out);
                if say {
                    out.live(h.market, metric, h.at, 0, Payload::Value(value));
                }
            }
        }
    }
}
