//! Data messages of the socket to facts.

use super::books::Step;
use super::session::Okx;
use super::topics::Channel;
use super::{map, wire};
use crate::session::seen::identity;
use crate::session::wire::{Millis, each};
use crate::session::{Action, Admit, ConnId, MarketIndex, Out};
use barograph_domain::{GapReason, MarketKind, Metric, Payload, Span, Ts};

/// The top of a book is said at most this often.
const TOP_EVERY: Span = Span::secs(1);
/// A value that has not changed is said again after this long, so that its age shows that it is still true.
const AGAIN: Span = Span::secs(10);

/// What a data message says about itself.
#[derive(Clone, Copy)]
struct Head<'a> {
    now: Ts,
    conn: ConnId,
    market: MarketIndex,
    data: &'a str,
}

impl Okx {
    /// One message.
    pub(super) fn frame(&mut self, now: Ts, conn: ConnId, bytes: &[u8], out: &mut Out) {
        if bytes == b"pong" {
            return;
        }
        if let Some(data) = wire::Data::scan(bytes) {
            return self.data(now, conn, data, bytes, out);
        }
        let Ok(frame) = serde_json::from_slice::<wire::Frame<'_>>(bytes) else {
            return out.fault("undecodable", None, "not a message of this venue", bytes);
        };
        match wire::Data::of(&frame) {
            _ if !frame.event.is_empty() => self.control(now, conn, &frame, bytes, out),
            Some(data) => self.data(now, conn, data, bytes, out),
            None => out.fault("unknown_message", None, "neither data nor an event", bytes),
        }
    }

    fn data(&mut self, now: Ts, conn: ConnId, frame: wire::Data<'_>, bytes: &[u8], out: &mut Out) {
        let Some(channel) = Channel::parse(frame.channel) else {
            return out.fault("unknown_topic", None, "a channel nobody asked for", frame.channel.as_bytes());
        };
        if self.state.desk.link_of(conn).is_none() {
            return out.fault("unknown_connection", None, "a message on a connection that is not open", bytes);
        }
        let data = frame.data;
        let good = match channel {
            Channel::Liquidation => self.liquidations(now, conn, frame.inst_type, data, out),
            Channel::Index => self.index(now, conn, frame.inst_id, data, out),
            _ => {
                let Some(market) = self.mine(conn, frame.inst_id, channel) else {
                    return out.fault("unknown_symbol", None, "a symbol nobody asked for", frame.inst_id.as_bytes());
                };
                if self.state.markets[market.index()].channels & channel.bit() == 0 {
                    // Still under way when it was unsubscribed.
                    return;
                }
                self.covers(now, conn, market, channel, out);
                let head = Head { now, conn, market, data };
                match channel {
                    Channel::Book => self.books(head, frame.action, out),
                    Channel::Trade => self.trades(head, out),
                    Channel::Ticker => self.ticker(head, out),
                    Channel::Mark => self.mark(head, out),
                    Channel::Funding => self.funding(head, out),
                    Channel::Interest => self.interest(head, out),
                    Channel::Candle => self.candles(head, out),
                    Channel::Liquidation | Channel::Index => true,
                }
            }
        };
        if !good {
            out.fault("undecodable", None, "data this channel does not have", bytes);
        }
    }

    /// The market of a symbol, if this connection is the one for it.
    fn mine(&self, conn: ConnId, symbol: &str, channel: Channel) -> Option<MarketIndex> {
        let index = self.names.get(symbol.as_bytes())?;
        let market = self.state.markets.get(index.index())?;
        (self.state.desk.link_of(conn)? == market.link_of(channel)).then_some(index)
    }

    fn control(&mut self, now: Ts, conn: ConnId, frame: &wire::Frame<'_>, bytes: &[u8], out: &mut Out) {
        match frame.event.as_ref() {
            "subscribe" => {
                let Some(arg) = &frame.arg else { return };
                let Some(channel) = Channel::parse(&arg.channel) else { return };
                match channel {
                    Channel::Liquidation => {
                        self.all_covered(now, conn, channel, |m| map::inst_type(m) == arg.inst_type, out)
                    }
                    Channel::Index => {
                        for market in self.indexes.get(&*arg.inst_id).cloned().unwrap_or_default() {
                            self.covers_if_mine(now, conn, market, channel, out);
                        }
                    }
                    _ => {
                        if let Some(market) = self.mine(conn, &arg.inst_id, channel) {
                            self.covers(now, conn, market, channel, out);
                        }
                    }
                }
            }
            "error" => self.error(now, frame, bytes, out),
            // An upgrade in about a minute: the replacement first, then this one closes.
            "notice" if frame.code == "64008" => out.actions.push(Action::Replace { conn }),
            "unsubscribe" | "channel-conn-count" | "notice" => {}
            _ => out.fault("unknown_message", None, "an event this venue is not known for", bytes),
        }
    }

    fn all_covered(&mut self, now: Ts, conn: ConnId, channel: Channel, of: impl Fn(MarketKind) -> bool, out: &mut Out) {
        for n in 0..self.state.markets.len() {
            if of(self.state.markets[n].spec.kind) {
                self.covers_if_mine(now, conn, MarketIndex(u32::try_from(n).unwrap_or(u32::MAX)), channel, out);
            }
        }
    }

    fn covers_if_mine(&mut self, now: Ts, conn: ConnId, market: MarketIndex, channel: Channel, out: &mut Out) {
        let m = &self.state.markets[market.index()];
        if m.channels & channel.bit() != 0 && self.state.desk.link_of(conn) == Some(m.link_of(channel)) {
            self.covers(now, conn, market, channel, out);
        }
    }

    /// Some refusals of a subscription are final: trying again would be refused again. After the others ("too frequent") what was
    /// not confirmed is subscribed again later.
    fn error(&mut self, now: Ts, frame: &wire::Frame<'_>, bytes: &[u8], out: &mut Out) {
        let final_ = matches!(&*frame.code, "60018" | "64002" | "64003" | "64004");
        let word = |key: &str| {
            let rest = frame.msg.split_once(key)?.1;
            rest.split([',', ' ', '"', '}']).find(|w| !w.is_empty())
        };
        let named = frame.arg.as_ref().map(|a| (a.channel.to_string(), a.inst_id.to_string()));
        let told = word("channel:").zip(word("instId:")).map(|(c, i)| (c.to_owned(), i.to_owned()));
        if final_
            && let Some((channel, symbol)) = named.or(told)
            && let Some(channel) = Channel::parse(&channel)
            && let Some(market) = self.names.get(symbol.as_bytes())
        {
            self.refuse(now, market, channel, out);
            return out.fault("subscription_refused", Some(market), "the venue refused a subscription", bytes);
        }
        out.fault("error_reply", None, "the venue refused a request", bytes);
    }

    fn books(&mut self, h: Head<'_>, action: &str, out: &mut Out) -> bool {
        let mut good = true;
        let whole = wire::Depth::each(h.data, |d| {
            if d.ts.0 == Some(0) {
                // Sent now and then, and means nothing.
                return;
            }
            let Some(at) = map::stamp(d.ts, h.now) else {
                good = false;
                return;
            };
            self.state.desk.lag.note(h.now, at);
            let book = &mut self.state.markets[h.market.index()].book;
            let step = match action {
                "snapshot" => book.snapshot(h.conn, &d),
                "update" => book.update(h.conn, &d),
                _ => {
                    good = false;
                    return;
                }
            };
            self.stepped(h, at, step, d.seq, out);
        });
        if !whole {
            let book = &mut self.state.markets[h.market.index()].book;
            book.drop_book();
            self.stepped(h, h.now, Step::Broken(GapReason::Undecodable), None, out);
        }
        good
    }

    fn stepped(&mut self, h: Head<'_>, at: Ts, step: Step, seq: Option<i64>, out: &mut Out) {
        match step {
            Step::Ignored => {}
            Step::Alive => self.state.desk.alive(h.market, Metric::Book, h.now, at, out),
            Step::Applied => self.book_moved(h.now, h.market, at, seq, out),
            Step::Broken(why) => {
                self.broken(h.now, h.market, why, h.data, out);
                self.resubscribe(h.now, h.market, out);
            }
        }
    }

    pub(super) fn broken(&mut self, now: Ts, market: MarketIndex, why: GapReason, data: &str, out: &mut Out) {
        self.state.desk.lost(market, Metric::Book, now, why, out);
        let kind = match why {
            GapReason::CrossedBook => "crossed_book",
            GapReason::EmptyBook => "empty_book",
            GapReason::SequenceJump => "sequence_jump",
            GapReason::ChecksumMismatch => "checksum_mismatch",
            _ => "undecodable",
        };
        out.fault(kind, Some(market), "the book is built anew", data.as_bytes());
    }

    pub(super) fn book_moved(&mut self, now: Ts, market: MarketIndex, at: Ts, seq: Option<i64>, out: &mut Out) {
        self.state.desk.alive(market, Metric::Book, now, at, out);
        let m = &mut self.state.markets[market.index()];
        if m.said_book.is_some_and(|t| now - t < TOP_EVERY) {
            return;
        }
        if let Some((bid, ask)) = m.book.book.top() {
            m.said_book = Some(now);
            let seq = seq.and_then(|s| u64::try_from(s).ok()).unwrap_or(0);
            out.live(market, Metric::Book, at, seq, Payload::BestBidAsk { bid, ask });
        }
    }

    fn trades(&mut self, h: Head<'_>, out: &mut Out) -> bool {
        let mut good = true;
        self.state.markets[h.market.index()].trades.reserve();
        let whole = each(h.data, |t: wire::Trade<'_>| {
            let market = &mut self.state.markets[h.market.index()];
            let id: Option<u64> = t.trade_id.parse().ok();
            let (Some(at), Some(payload), Some(id)) = (map::stamp(t.ts, h.now), map::trade(&market.spec, &t), id)
            else {
                good = false;
                return;
            };
            self.state.desk.lag.note(h.now, at);
            match market.trades.admit(at, id) {
                Admit::Seen => {}
                Admit::TooLate => {
                    let why = "older than all that is remembered";
                    out.fault("late_trade", Some(h.market), why, t.trade_id.as_bytes());
                }
                Admit::New => {
                    let merged = t.count.parse().unwrap_or(1_u64).max(1);
                    market.numbered(id, merged);
                    self.state.desk.alive(h.market, Metric::Trade, h.now, at, out);
                    out.live(h.market, Metric::Trade, at, id, payload);
                }
            }
        });
        good && whole
    }

    fn ticker(&mut self, h: Head<'_>, out: &mut Out) -> bool {
        let mut good = true;
        let whole = each(h.data, |t: wire::Ticker<'_>| {
            let (bid, ask) = (map::price(&t.bid_px), map::price(&t.ask_px));
            let Some(at) = map::stamp(t.ts, h.now) else {
                good = false;
                return;
            };
            self.state.desk.lag.note(h.now, at);
            // One side may be empty; that is no price and no mistake.
            let (Some(bid), Some(ask)) = (bid, ask) else {
                good &= t.bid_px.is_empty() || t.ask_px.is_empty();
                return;
            };
            if bid >= ask {
                return out.fault("crossed_top", Some(h.market), "best bid not below best ask", h.data.as_bytes());
            }
            self.state.desk.alive(h.market, Metric::BestBidAsk, h.now, at, out);
            if self.state.markets[h.market.index()].said_top.say(at, [bid, ask, 0.0], AGAIN) {
                out.live(h.market, Metric::BestBidAsk, at, 0, Payload::BestBidAsk { bid, ask });
            }
        });
        good && whole
    }

    fn mark(&mut self, h: Head<'_>, out: &mut Out) -> bool {
        let mut good = true;
        let whole = each(h.data, |m: wire::Mark<'_>| {
            good &= self.value(h, Metric::MarkPrice, m.ts, map::price(&m.mark_px), out);
        });
        good && whole
    }

    /// A price that is said when it changes.
    fn value(&mut self, h: Head<'_>, metric: Metric, at: Millis, value: Option<f64>, out: &mut Out) -> bool {
        let (Some(at), Some(value)) = (map::stamp(at, h.now), value) else { return false };
        self.state.desk.lag.note(h.now, at);
        self.state.desk.alive(h.market, metric, h.now, at, out);
        let market = &mut self.state.markets[h.market.index()];
        let said = if metric == Metric::MarkPrice { &mut market.said_mark } else { &mut market.said_index };
        if said.say(at, [value, 0.0, 0.0], AGAIN) {
            out.live(h.market, metric, at, 0, Payload::Value(value));
        }
        true
    }

    /// One message for all markets with this index.
    fn index(&mut self, now: Ts, conn: ConnId, name: &str, data: &str, out: &mut Out) -> bool {
        let known = self.indexes.get(name).map_or(0, Vec::len);
        if known == 0 {
            out.fault("unknown_symbol", None, "an index nobody asked for", name.as_bytes());
            return true;
        }
        let mut good = true;
        let whole = each(data, |i: wire::Index<'_>| {
            for n in 0..known {
                let Some(market) = self.indexes.get(name).and_then(|all| all.get(n)).copied() else { continue };
                let m = &self.state.markets[market.index()];
                let here = self.state.desk.link_of(conn) == Some(m.link);
                if here && m.channels & Channel::Index.bit() != 0 {
                    self.covers(now, conn, market, Channel::Index, out);
                    let head = Head { now, conn, market, data };
                    good &= self.value(head, Metric::IndexPrice, i.ts, map::price(&i.idx_px), out);
                }
            }
        });
        good && whole
    }

    fn interest(&mut self, h: Head<'_>, out: &mut Out) -> bool {
        let mut good = true;
        let whole = each(h.data, |i: wire::Interest<'_>| {
            let (Some(at), Some(base)) = (map::stamp(i.ts, h.now), map::qty(&i.oi_ccy)) else {
                good = false;
                return;
            };
            self.state.desk.lag.note(h.now, at);
            let say = self.state.markets[h.market.index()].said_interest.say(at, [base, 0.0, 0.0], AGAIN);
            for (metric, value) in [(Metric::OpenInterest, Some(base)), (Metric::OpenInterestUsd, map::qty(&i.oi_usd))]
            {
                let Some(value) = value.filter(|_| self.state.desk.wants(h.market, metric)) else { continue };
                self.state.desk.alive(h.market, metric, h.now, at, out);
                if say {
                    out.live(h.market, metric, at, 0, Payload::Value(value));
                }
            }
        });
        good && whole
    }

    fn funding(&mut self, h: Head<'_>, out: &mut Out) -> bool {
        let mut good = true;
        let whole = each(h.data, |f: wire::Funding<'_>| {
            let at = if f.ts.0.is_none() { Some(h.now) } else { map::stamp(f.ts, h.now) };
            let (Some(at), Some(rate), Some(next)) = (at, map::rate(&f.funding_rate), f.funding_time.ts()) else {
                good = false;
                return;
            };
            self.state.desk.lag.note(h.now, at);
            let interval_h = map::interval_h(&f);
            let market = &mut self.state.markets[h.market.index()];
            market.interval_h = interval_h.or(market.interval_h);
            // A settlement this message itself tells is not fetched.
            if f.prev_funding_time.ts().is_none() {
                self.state.desk.settlement(h.now, h.market, Some(next), &mut market.next_settlement);
            } else if market.next_settlement.replace(next).is_none() {
                self.state.desk.began(h.market, Metric::FundingRateSettled, h.now, h.now);
            }
            if self.state.desk.wants(h.market, Metric::FundingRate) {
                self.state.desk.alive(h.market, Metric::FundingRate, h.now, at, out);
                #[expect(clippy::cast_precision_loss, reason = "an identity of the value, never used as a number")]
                let value = [rate, interval_h.unwrap_or(-1.0), next.0 as f64];
                if self.state.markets[h.market.index()].said_funding.say(at, value, AGAIN) {
                    let payload = Payload::Funding { rate, interval_h, next_ts: Some(next), special: false };
                    out.live(h.market, Metric::FundingRate, at, 0, payload);
                }
            }
            self.settled(h, &f, out);
        });
        good && whole
    }

    /// The last settlement, as the running message tells it.
    fn settled(&mut self, h: Head<'_>, f: &wire::Funding<'_>, out: &mut Out) {
        let (Some(at), Some(rate)) = (map::stamp(f.prev_funding_time, h.now), map::rate(&f.sett_funding_rate)) else {
            return;
        };
        let settled = f.sett_state == "settled" && at <= h.now + Span::mins(1);
        if !settled || !self.state.desk.wants(h.market, Metric::FundingRateSettled) {
            return;
        }
        let market = &mut self.state.markets[h.market.index()];
        let before = market.settled.newest();
        if before == Some(at) {
            return self.state.desk.none_missed(h.now, h.market, out);
        }
        if before.is_some_and(|b| at <= b) || market.settled.admit(at, 0) != Admit::New {
            return;
        }
        let hours = before.map(|b| (at - b).as_secs_f64() / 3_600.0);
        let interval_h = hours.filter(|h| h.fract() < f64::EPSILON && (1.0..=24.0).contains(h)).or(market.interval_h);
        // More than one interval since the last one: those between are fetched.
        if let (Some(before), Some(gap), Some(usual)) = (before, hours, market.interval_h)
            && gap > usual * 1.5
        {
            self.state.desk.missed(h.market, Metric::FundingRateSettled, h.now, before, at);
        }
        self.state.desk.tracker.progress(h.market, Metric::FundingRateSettled, h.now, at, out);
        let payload = Payload::Funding { rate, interval_h, next_ts: None, special: false };
        out.live(h.market, Metric::FundingRateSettled, at, 0, payload);
    }

    /// The first message after a subscription is old history.
    fn liquidations(&mut self, now: Ts, conn: ConnId, inst_type: &str, data: &str, out: &mut Out) -> bool {
        let kind = match inst_type {
            "SWAP" => MarketKind::Perpetual,
            "FUTURES" => MarketKind::DatedFuture,
            _ => return false,
        };
        let history = !self.state.liquidating.contains(&(conn, kind));
        if history {
            self.state.liquidating.push((conn, kind));
        }
        let mut good = true;
        let whole = each(data, |l: wire::Liquidated<'_>| {
            // All contracts of the type come; those nobody asked for are no mistake.
            let Some(index) = self.mine(conn, &l.inst_id, Channel::Liquidation) else { return };
            if self.state.markets[index.index()].channels & Channel::Liquidation.bit() == 0 {
                return;
            }
            self.covers(now, conn, index, Channel::Liquidation, out);
            let (mut last, mut ordinal) = (0, 0_u64);
            for detail in &l.details {
                let market = &mut self.state.markets[index.index()];
                let found = (map::stamp(detail.ts, now), map::liquidation(&market.spec, detail));
                let (Some(at), Some(payload)) = found else {
                    good = false;
                    continue;
                };
                let id = identity(&[detail.side.as_bytes(), detail.bk_px.as_bytes(), detail.sz.as_bytes()]);
                ordinal = if id == last { ordinal + 1 } else { 0 };
                last = id;
                if market.liquidations.admit(at, id.wrapping_add(ordinal)) != Admit::New {
                    continue;
                }
                if history {
                    out.backfilled(index, Metric::Liquidation, at, 0, payload);
                } else {
                    self.state.desk.alive(index, Metric::Liquidation, now, at, out);
                    out.live(index, Metric::Liquidation, at, 0, payload);
                }
            }
        });
        good && whole
    }

    fn candles(&mut self, h: Head<'_>, out: &mut Out) -> bool {
        let mut good = true;
        let whole = each(h.data, |row: [&str; 9]| {
            let spec = &self.state.markets[h.market.index()].spec;
            let Some((closed, close, bar)) = map::candle(spec, &row).filter(|c| c.1 <= h.now + Span::mins(10)) else {
                good = false;
                return;
            };
            self.candle(h, close, closed.then_some(bar), out);
        });
        good && whole
    }

    /// A bar, closed or still open. That a minute is open says that all before it are closed: one that was not said by then
    /// is fetched.
    fn candle(&mut self, h: Head<'_>, close: Ts, closed: Option<Payload>, out: &mut Out) {
        let start = close - Span::mins(1);
        let market = &mut self.state.markets[h.market.index()];
        let known = market.minute;
        if known.is_none_or(|m| start >= m) {
            let missed = known.filter(|m| start > *m && !market.bars.has(start));
            market.minute = Some(start);
            if let Some(from) = missed {
                self.state.desk.lost(h.market, Metric::Bar, h.now, GapReason::SequenceJump, out);
                self.state.desk.alive(h.market, Metric::Bar, h.now, start, out);
                self.state.desk.missed(h.market, Metric::Bar, h.now, from, start);
            } else {
                self.state.desk.alive(h.market, Metric::Bar, h.now, start, out);
            }
        }
        if let Some(bar) = closed
            && self.state.markets[h.market.index()].bars.admit(close) == Admit::New
        {
            self.state.desk.alive(h.market, Metric::Bar, h.now, close, out);
            out.live(h.market, Metric::Bar, close, 0, bar);
        }
    }
}
