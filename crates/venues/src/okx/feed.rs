//! Data messages of the socket to facts.

use super::books::Step;
use super::session::Okx;
use super::topics::Channel;
use super::{map, wire};
use crate::session::facts::{Moment, Repeats};
use crate::session::kit::Kit;
use crate::session::protocol::{Channel as _, Feed, Market as _};
use crate::session::seen::identity;
use crate::session::wire::{Millis, all};
use crate::session::{Action, Admit, ConnId, MarketIndex, Out};
use barograph_domain::{GapReason, MarketKind, Metric, Payload, Span, Ts};

/// What a data message says about itself.
#[derive(Clone, Copy)]
struct Head<'a> {
    now: Ts,
    conn: ConnId,
    market: MarketIndex,
    data: &'a str,
}

impl Head<'_> {
    fn at(&self, at: Ts) -> Moment {
        Moment { now: self.now, market: self.market, at }
    }
}

impl Feed for Kit<Okx> {
    fn frame(&mut self, now: Ts, conn: ConnId, bytes: &[u8], out: &mut Out) {
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
}

impl Kit<Okx> {
    fn data(&mut self, now: Ts, conn: ConnId, frame: wire::Data<'_>, bytes: &[u8], out: &mut Out) {
        let Some(channel) = Channel::parse(frame.channel) else {
            return out.fault("unknown_topic", None, "a channel that was not asked for", frame.channel.as_bytes());
        };
        if self.desk.link_of(conn).is_none() {
            return out.fault("unknown_connection", None, "a message on a connection that is not open", bytes);
        }
        let data = frame.data;
        let good = match channel {
            Channel::Liquidation => self.liquidations(now, conn, frame.inst_type, data, out),
            Channel::Index => self.index(now, conn, frame.inst_id, data, out),
            _ => {
                let market = self.mine(conn, frame.inst_id, channel);
                let Some(market) = self.about(market, channel, frame.inst_id, out) else { return };
                self.covers(now, conn, market, channel, out);
                let head = Head { now, conn, market, data };
                match channel {
                    Channel::Book => self.books(head, frame.action, out),
                    Channel::Trade => self.trades(head, out),
                    Channel::Ticker => self.ticker(head, out),
                    Channel::Mark => self.marks(head, out),
                    Channel::Funding => self.fundings(head, out),
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

    fn control(&mut self, now: Ts, conn: ConnId, frame: &wire::Frame<'_>, bytes: &[u8], out: &mut Out) {
        match frame.event.as_ref() {
            "subscribe" => {
                let Some(arg) = &frame.arg else { return };
                let Some(channel) = Channel::parse(&arg.channel) else { return };
                match channel {
                    Channel::Liquidation => {
                        for market in (0..self.markets.len()).filter_map(|n| u32::try_from(n).ok()).map(MarketIndex) {
                            if map::inst_type(self.markets[market.index()].spec.kind) == arg.inst_type {
                                self.covers_if_mine(now, conn, market, channel, out);
                            }
                        }
                    }
                    Channel::Index => {
                        for market in self.venue.indexes.get(&*arg.inst_id).cloned().unwrap_or_default() {
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

    /// True: it wants the channel, over this connection.
    fn covers_if_mine(&mut self, now: Ts, conn: ConnId, market: MarketIndex, channel: Channel, out: &mut Out) -> bool {
        let m = &self.markets[market.index()];
        let mine = m.channels & channel.bit() != 0 && self.desk.link_of(conn) == m.link_of(channel);
        if mine {
            self.covers(now, conn, market, channel, out);
        }
        mine
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
            self.refused(now, market, channel, out);
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
            let Some(at) = d.ts.by(h.now) else {
                good = false;
                return;
            };
            self.desk.lag.note(h.now, at);
            let book = &mut self.markets[h.market.index()].book;
            let step = match action {
                "snapshot" => book.snapshot(h.conn, &d),
                "update" => book.update(h.conn, &d),
                _ => {
                    good = false;
                    return;
                }
            };
            self.stepped(h.at(at), h.data, step, d.seq, out);
        });
        if !whole {
            self.markets[h.market.index()].book.drop_book();
            self.stepped(h.at(h.now), h.data, Step::Broken(GapReason::Undecodable), None, out);
        }
        good
    }

    /// What a message, or a snapshot that was fetched, did to a book.
    pub(super) fn stepped(&mut self, m: Moment, data: &str, step: Step, seq: Option<i64>, out: &mut Out) {
        match step {
            Step::Ignored => {}
            Step::Alive => self.desk.alive(m.market, Metric::Book, m.now, m.at, out),
            Step::Applied => {
                let market = &mut self.markets[m.market.index()];
                let seq = seq.and_then(|s| u64::try_from(s).ok()).unwrap_or(0);
                self.desk.book_moved(m, seq, &mut market.told, &market.book.book, out);
            }
            Step::Broken(why) => {
                self.desk.book_broken(m.now, m.market, why, data, out);
                self.resubscribe(m.now, m.market, out);
            }
        }
    }

    fn trades(&mut self, h: Head<'_>, out: &mut Out) -> bool {
        let market = &mut self.markets[h.market.index()];
        market.trades.seen.reserve();
        all(h.data, |t: wire::Trade<'_>| {
            let id: Option<u64> = t.trade_id.parse().ok();
            let Some(((at, payload), id)) = t.ts.by(h.now).zip(map::trade(&market.spec, &t)).zip(id) else {
                return false;
            };
            self.desk.lag.note(h.now, at);
            let trades = &mut market.trades;
            if self.desk.trade(h.at(at), (id, &t.trade_id), (id, payload), &mut trades.seen, out) {
                trades.numbered(id, t.count.parse().unwrap_or(1_u64).max(1));
            }
            true
        })
    }

    fn ticker(&mut self, h: Head<'_>, out: &mut Out) -> bool {
        let told = &mut self.markets[h.market.index()].told;
        all(h.data, |t: wire::Ticker<'_>| {
            let Some(at) = t.ts.by(h.now) else { return false };
            self.desk.lag.note(h.now, at);
            // One side may be empty; that is no price and no mistake.
            let (Some(bid), Some(ask)) = (map::price(&t.bid_px), map::price(&t.ask_px)) else {
                return t.bid_px.is_empty() || t.ask_px.is_empty();
            };
            self.desk.best(h.at(at), (bid, ask, 0), told, h.data, out);
            true
        })
    }

    fn marks(&mut self, h: Head<'_>, out: &mut Out) -> bool {
        let told = &mut self.markets[h.market.index()].told;
        all(h.data, |m: wire::Mark<'_>| {
            let Some((at, mark)) = m.ts.by(h.now).zip(map::price(&m.mark_px)) else { return false };
            self.desk.lag.note(h.now, at);
            self.desk.mark(h.at(at), mark, told, out);
            true
        })
    }

    /// One message for all markets with this index.
    fn index(&mut self, now: Ts, conn: ConnId, name: &str, data: &str, out: &mut Out) -> bool {
        let known = self.venue.indexes.get(name).map_or(0, Vec::len);
        if known == 0 {
            out.fault("unknown_symbol", None, "an index that was not asked for", name.as_bytes());
            return true;
        }
        all(data, |i: wire::Index<'_>| {
            let mut good = true;
            for n in 0..known {
                let Some(market) = self.venue.indexes.get(name).and_then(|all| all.get(n)).copied() else { continue };
                if !self.covers_if_mine(now, conn, market, Channel::Index, out) {
                    continue;
                }
                let Some((at, index)) = i.ts.by(now).zip(map::price(&i.idx_px)) else {
                    good = false;
                    continue;
                };
                self.desk.lag.note(now, at);
                let told = &mut self.markets[market.index()].told;
                self.desk.index(Moment { now, market, at }, index, told, out);
            }
            good
        })
    }

    fn interest(&mut self, h: Head<'_>, out: &mut Out) -> bool {
        let told = &mut self.markets[h.market.index()].told;
        all(h.data, |i: wire::Interest<'_>| {
            let Some((at, base)) = i.ts.by(h.now).zip(map::qty(&i.oi_ccy)) else { return false };
            self.desk.lag.note(h.now, at);
            self.desk.interest(h.at(at), base, (base, map::qty(&i.oi_usd)), told, out);
            true
        })
    }

    fn fundings(&mut self, h: Head<'_>, out: &mut Out) -> bool {
        all(h.data, |f: wire::Funding<'_>| {
            let at = if f.ts == Millis(None) { Some(h.now) } else { f.ts.by(h.now) };
            let (Some(at), Some(rate), Some(next)) = (at, map::rate(&f.funding_rate), f.funding_time.ts()) else {
                return false;
            };
            self.desk.lag.note(h.now, at);
            let interval_h = map::interval_h(&f);
            let market = &mut self.markets[h.market.index()];
            market.interval_h = interval_h.or(market.interval_h);
            // A settlement this message itself has is not fetched.
            if f.prev_funding_time.ts().is_none() {
                self.desk.settlement(h.now, h.market, Some(next), &mut market.next_settlement);
            } else if market.next_settlement.replace(next).is_none() {
                self.desk.began(h.market, Metric::FundingRateSettled, h.now, h.now);
            }
            self.desk.funding(h.at(at), (rate, interval_h, Some(next)), &mut market.told, out);
            self.settled(h, &f, out);
            true
        })
    }

    /// The last settlement, as the running message has it.
    fn settled(&mut self, h: Head<'_>, f: &wire::Funding<'_>, out: &mut Out) {
        let paid = f.prev_funding_time.by(h.now).zip(map::rate(&f.sett_funding_rate));
        let Some((at, rate)) = paid.filter(|(at, _)| f.sett_state == "settled" && *at <= h.now + Span::mins(1)) else {
            return;
        };
        if !self.desk.wants(h.market, Metric::FundingRateSettled) {
            return;
        }
        let market = &mut self.markets[h.market.index()];
        let before = market.settled.newest();
        if before == Some(at) {
            return self.desk.none_missed(h.now, h.market, out);
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
            self.desk.missed(h.market, Metric::FundingRateSettled, h.now, before, at);
        }
        self.desk.tracker.progress(h.market, Metric::FundingRateSettled, h.now, at, out);
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
        all(data, |l: wire::Liquidated<'_>| {
            // All contracts of the type come; those nobody asked for are no mistake.
            let Some(market) = self.mine(conn, &l.inst_id, Channel::Liquidation) else { return true };
            if !self.covers_if_mine(now, conn, market, Channel::Liquidation, out) {
                return true;
            }
            let m = &mut self.markets[market.index()];
            let (mut repeats, mut good) = (Repeats::default(), true);
            for detail in &l.details {
                let Some((at, payload)) = detail.ts.by(now).zip(map::liquidation(&m.spec, detail)) else {
                    good = false;
                    continue;
                };
                let says = [detail.side.as_bytes(), detail.bk_px.as_bytes(), detail.sz.as_bytes()];
                let id = repeats.identity(identity(&says));
                if !history {
                    self.desk.liquidation(Moment { now, market, at }, id, payload, &mut m.liquidations, out);
                } else if m.liquidations.admit(at, id) == Admit::New {
                    out.backfilled(market, Metric::Liquidation, at, 0, payload);
                }
            }
            good
        })
    }

    fn candles(&mut self, h: Head<'_>, out: &mut Out) -> bool {
        let market = &mut self.markets[h.market.index()];
        all(h.data, |row: [&str; 9]| {
            let candle = map::candle(&market.spec, &row).filter(|c| c.1 <= h.now + Span::mins(10));
            let Some((closed, close, bar)) = candle else { return false };
            self.desk.bar(h.at(close - Span::mins(1)), closed.then_some(bar), &mut market.bars, out);
            true
        })
    }
}
