//! Data messages of the socket to facts.

use super::session::Bybit;
use super::topics::Channel;
use super::{map, wire};
use crate::session::chain::Step;
use crate::session::facts::{Moment, Repeats};
use crate::session::kit::Kit;
use crate::session::protocol::Feed;
use crate::session::seen::identity;
use crate::session::wire::{Millis, all, levels};
use crate::session::{ConnId, Decimal, Out};
use barograph_domain::{GapReason, Metric, Span, Ts};

/// What a data message says about itself.
#[derive(Clone, Copy)]
struct Head<'a> {
    m: Moment,
    conn: ConnId,
    snapshot: bool,
    data: &'a str,
}

impl Feed for Kit<Bybit> {
    fn frame(&mut self, now: Ts, conn: ConnId, bytes: &[u8], out: &mut Out) {
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
}

impl Kit<Bybit> {
    fn data(&mut self, now: Ts, conn: ConnId, frame: wire::Data<'_>, bytes: &[u8], out: &mut Out) {
        let Some(link) = self.desk.link_of(conn) else {
            return out.fault("unknown_connection", None, "a message on a connection that is not open", bytes);
        };
        let Some((channel, symbol)) = Channel::of(frame.topic, self.venue.depth) else {
            return out.fault("unknown_topic", None, "a topic that was not asked for", frame.topic.as_bytes());
        };
        let Some(market) = self.about(self.market(link, symbol), channel, symbol, out) else { return };
        let stamp = if frame.cts == Millis(None) { frame.ts } else { frame.cts };
        let (Some(at), Some(sent)) = (stamp.by(now), frame.ts.by(now)) else {
            return out.fault("bad_stamp", Some(market), "no plausible time", bytes);
        };
        self.desk.lag.note(now, sent);
        self.covers(now, conn, market, channel, out);
        let m = Moment { now, market, at };
        let head = Head { m, conn, snapshot: frame.kind == "snapshot", data: frame.data };
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
            self.chained(h.m, Step::Broken(GapReason::Undecodable), 0, h.data, out);
            return false;
        };
        let (levels, place) = (self.venue.depth, depth.place());
        let book = &mut self.markets[h.m.market.index()].seat.book;
        // A restart is a snapshot whatever the message calls itself.
        let step = if h.snapshot || place.restart {
            book.snapshot(h.m.now, h.conn, levels, place, &depth)
        } else {
            book.change(h.m.now, h.conn, place, &depth)
        };
        self.chained(h.m, step, place.seq, h.data, out);
        true
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
        let told = &mut self.markets[h.m.market.index()].told;
        self.desk.best(h.m, (bid, ask, depth.seq), told, h.data, out);
        true
    }

    fn trades(&mut self, h: Head<'_>, out: &mut Out) -> bool {
        let market = &mut self.markets[h.m.market.index()];
        market.trades.reserve();
        all(h.data, |t: wire::Trade<'_>| {
            let payload = map::trade(&market.spec, &t.price, &t.size, &t.side);
            let Some((at, payload)) = t.time.by(h.m.now).zip(payload) else { return false };
            let id = (identity(&[t.id.as_bytes()]), &*t.id);
            self.desk.trade(Moment { at, ..h.m }, id, (t.seq, payload), &mut market.trades, out);
            true
        })
    }

    fn liquidations(&mut self, h: Head<'_>, out: &mut Out) -> bool {
        let market = &mut self.markets[h.m.market.index()];
        let mut repeats = Repeats::default();
        let mut take = |l: wire::Liquidation<'_>| {
            let payload = map::liquidation(&market.spec, &l);
            let Some((at, payload)) = l.time.by(h.m.now).zip(payload) else { return false };
            let id = repeats.identity(identity(&[l.side.as_bytes(), l.size.as_bytes(), l.price.as_bytes()]));
            self.desk.liquidation(Moment { at, ..h.m }, id, payload, &mut market.liquidations, out);
            true
        };
        // The field table says object, the samples are lists.
        if h.data.starts_with('{') { serde_json::from_str(h.data).is_ok_and(take) } else { all(h.data, &mut take) }
    }

    fn klines(&mut self, h: Head<'_>, out: &mut Out) -> bool {
        let market = &mut self.markets[h.m.market.index()];
        all(h.data, |k: wire::Kline<'_>| {
            let start = k.start.by(h.m.now).filter(|t| t.floor(Span::mins(1)) == *t);
            let texts = [&*k.open, &*k.high, &*k.low, &*k.close, &*k.volume, &*k.turnover];
            let Some((at, bar)) = start.zip(map::bar(&market.spec, texts)) else { return false };
            if market.bars.skips(at) {
                // A hole that was known ends here; the one that shows now is another.
                self.desk.alive(h.m.market, Metric::Bar, h.m.now, at, out);
            }
            self.desk.bar(Moment { at, ..h.m }, k.confirm.then_some(bar), &mut market.bars, out);
            true
        })
    }

    fn ticker(&mut self, h: Head<'_>, out: &mut Out) -> bool {
        let Ok(part) = serde_json::from_str::<wire::Ticker<'_>>(h.data) else { return false };
        let market = &mut self.markets[h.m.market.index()];
        let Some(good) = market.ticker.merge(h.m.at, h.snapshot, &part) else { return true };
        let (ticker, told) = (market.ticker, &mut market.told);
        if let Some((bid, ask)) = ticker.top()
            && self.desk.wants(h.m.market, Metric::BestBidAsk)
        {
            self.desk.best(h.m, (bid, ask, 0), told, h.data, out);
        }
        if let Some(mark) = ticker.mark() {
            self.desk.mark(h.m, mark, told, out);
        }
        if let Some(index) = ticker.index() {
            self.desk.index(h.m, index, told, out);
        }
        self.desk.settles(h.m.now, h.m.market, ticker.next(), &mut market.next_settlement, out);
        if let Some(funding) = ticker.funding() {
            self.desk.funding(h.m, funding, told, out);
        }
        if let Some((counted, mark)) = ticker.interest().zip(ticker.mark()) {
            self.desk.interest_of(h.m, market.spec.inverse, (counted, mark), told, out);
        }
        good
    }
}
