//! Messages of the socket to facts.

use super::session::Deribit;
use super::topics::{self, Channel};
use super::wire::Frame;
use super::{limits, map};
use crate::session::facts::Moment;
use crate::session::kit::Kit;
use crate::session::protocol::Feed;
use crate::session::scan::{list, object, read_plain};
use crate::session::wire::Millis;
use crate::session::{Action, ConnId, MarketIndex, Out};
use barograph_domain::{Bar, GapReason, Metric, Payload, Span, StatusState, Ts};

impl Feed for Kit<Deribit> {
    fn frame(&mut self, now: Ts, conn: ConnId, bytes: &[u8], out: &mut Out) {
        if self.desk.link_of(conn).is_none() {
            return out.fault("unknown_connection", None, "a message on a connection that is not open", bytes);
        }
        let mut owned = None;
        let Some(frame) = read_plain(bytes, &mut owned, Frame::read) else {
            return out.fault("undecodable", None, "not a message of this venue", bytes);
        };
        match (frame.method, frame.kind) {
            ("subscription", _) => self.data(now, conn, &frame, out),
            // The connection is closed if this is not answered.
            ("heartbeat", "test_request") => out.actions.push(Action::Send { conn, text: topics::TEST.to_owned() }),
            ("heartbeat", _) => {}
            ("", _) if !frame.result.is_empty() || !frame.error.is_empty() => self.answered(now, conn, &frame, out),
            _ => out.fault("unknown_message", None, "neither data nor an answer", bytes),
        }
    }
}

impl Kit<Deribit> {
    /// A request was answered: the names that are subscribed now, or why none is.
    fn answered(&mut self, now: Ts, conn: ConnId, frame: &Frame<'_>, out: &mut Out) {
        if let Some(sent) = frame.sent {
            self.desk.lag.note(now, sent);
        }
        let wanted = frame.id.parse().ok().and_then(|number| self.state.asked.answered(conn, number));
        let wanted = wanted.unwrap_or_default();
        if !frame.error.is_empty() {
            out.fault("error_reply", None, "the venue refused a request", frame.error.as_bytes());
            if frame.code == Frame::TOO_MANY {
                self.desk.quiet_until = Some(now + limits::PAUSE);
            } else if frame.is_final() {
                self.refused_together(now, conn, &wanted, out);
            }
            return;
        }
        let names = list(frame.result).unwrap_or_default();
        for (market, channel) in wanted {
            let topic = channel.topic(&self.markets[market.index()].spec.symbol);
            if names.contains(&topic.as_str()) {
                self.covers(now, conn, market, channel, out);
            } else {
                // Asked for again later.
                out.fault("not_subscribed", Some(market), "the venue does not list it as subscribed", topic.as_bytes());
            }
        }
    }

    fn data(&mut self, now: Ts, conn: ConnId, frame: &Frame<'_>, out: &mut Out) {
        let Some((channel, symbol)) = Channel::of(frame.channel) else {
            return out.fault("unknown_topic", None, "a channel that was not asked for", frame.channel.as_bytes());
        };
        let market = self.mine(conn, symbol, channel);
        let Some(market) = self.about(market, channel, symbol, out) else { return };
        self.covers(now, conn, market, channel, out);
        let m = Moment { now, market, at: now };
        let read = match channel {
            Channel::Book => self.depth(m, conn, frame.data, out),
            Channel::Trade => self.trades(m, frame.data, out),
            Channel::Quote => self.quote(m, frame.data, out),
            Channel::Ticker => self.ticker(m, frame.data, out),
            Channel::Chart => self.chart(m, frame.data, out),
        };
        if read.is_none() {
            out.fault("undecodable", Some(market), "data this channel does not have", frame.data.as_bytes());
        }
    }

    /// With the venue's stamp, which says how late it is there.
    pub(super) fn stamped(&mut self, m: Moment, stamp: Millis) -> Option<Moment> {
        let at = stamp.by(m.now)?;
        self.desk.lag.note(m.now, at);
        self.state.venue_now = Some(at);
        Some(Moment { at, ..m })
    }

    fn trades(&mut self, m: Moment, data: &str, out: &mut Out) -> Option<()> {
        let market = &mut self.markets[m.market.index()];
        market.trades.reserve();
        map::Trade::each(&market.spec, data, |t| {
            let m = Moment { at: t.time.by(m.now)?, ..m };
            // Numbers count up by one.
            let next = market.last.map(|last| last + 1);
            market.last = market.last.max(Some(t.seq));
            if let Some(next) = next.filter(|next| t.seq > *next) {
                market.hole.get_or_insert(next);
                self.desk.lost(m.market, Metric::Trade, m.now, GapReason::SequenceJump, out);
            }
            if self.desk.trade(m, (t.seq, t.id), (t.seq, t.payload()), &mut market.trades, out) {
                for (id, payload) in t.liquidations() {
                    self.desk.liquidation(m, id, payload, &mut market.liquidations, out);
                }
            }
            Some(())
        })
    }

    fn quote(&mut self, m: Moment, data: &str, out: &mut Out) -> Option<()> {
        let [time, bid, ask] = object(data, ["timestamp", "best_bid_price", "best_ask_price"])?;
        let m = self.stamped(m, Millis::of(time))?;
        if map::is_no_price(bid) || map::is_no_price(ask) {
            return Some(());
        }
        let told = &mut self.markets[m.market.index()].told;
        self.desk.best(m, (map::price(bid)?, map::price(ask)?, 0), told, data, out);
        Some(())
    }

    fn ticker(&mut self, m: Moment, data: &str, out: &mut Out) -> Option<()> {
        let keys = ["timestamp", "state", "mark_price", "index_price", "funding_8h", "open_interest"];
        let [time, state, mark, index, funding, interest] = object(data, keys)?;
        let m = self.stamped(m, Millis::of(time))?;
        let (mark, index, interest) = (map::price(mark)?, map::price(index)?, map::qty(interest)?);
        let market = &mut self.markets[m.market.index()];
        let told = &mut market.told;
        self.desk.mark(m, mark, told, out);
        self.desk.index(m, index, told, out);
        self.desk.interest_of(m, market.spec.inverse, (interest, mark), told, out);
        if !funding.is_empty() {
            // The mean of the last eight hours. Funding accrues all the time and is written down each hour.
            self.desk.funding(m, (map::rate(funding)?, Some(8.0), None), told, out);
            let hour = (m.now + Span(1)).ceil(Span::hours(1));
            self.desk.settles(m.now, m.market, Some(hour), &mut market.next_settlement, out);
        }
        if !matches!(state, "" | "open") {
            // Settlement takes seconds: the book goes on where it stood.
            self.desk.tracker.lost(m.market, Metric::Book, m.now, StatusState::Stale, GapReason::Silent, out);
        }
        Some(())
    }

    fn chart(&mut self, m: Moment, data: &str, out: &mut Out) -> Option<()> {
        let (close, bar) = map::bar(object(data, ["tick", "open", "high", "low", "close", "volume", "cost"])?)?;
        let at = Some(close - Span::mins(1)).filter(|at| *at <= m.now + Span::mins(1))?;
        let over = self.markets[m.market.index()].held.hold(close, bar);
        self.closed(m.now, m.market, over, out);
        self.desk.bar(Moment { at, ..m }, None, &mut self.markets[m.market.index()].bars, out);
        Some(())
    }

    /// A bar is final.
    fn closed(&mut self, now: Ts, market: MarketIndex, over: Option<(Ts, Bar)>, out: &mut Out) {
        if let Some((close, bar)) = over {
            let (m, bars) = (Moment { now, market, at: close - Span::mins(1) }, &mut self.markets[market.index()].bars);
            self.desk.bar(m, Some(Payload::Bar(bar)), bars, out);
        }
    }

    /// Bars whose end is past by the venue's clock are final although no newer one came.
    pub(super) fn close_bars(&mut self, now: Ts, out: &mut Out) {
        let Some(there) = self.state.venue_now else { return };
        for at in 0..self.markets.len() {
            let held = &mut self.markets[at].held;
            let over = held.take_if(held.is_over(there));
            self.closed(now, MarketIndex::at(at), over, out);
        }
    }
}
