//! Messages of the socket to facts (sheet §3).

use super::map::{self, Deal};
use super::session::Coinex;
use super::topics::{self, Channel, DEALS_BEGUN};
use super::wire::{Frame, Refusal, refusal};
use crate::session::facts::Moment;
use crate::session::kit::Kit;
use crate::session::protocol::{Channel as _, Feed};
use crate::session::scan::{elements, object, read_plain};
use crate::session::wire::Millis;
use crate::session::{Action, Admit, CloseReason, ConnId, Out};
use barograph_domain::{Metric, Ts};

impl Feed for Kit<Coinex> {
    fn frame(&mut self, now: Ts, conn: ConnId, bytes: &[u8], out: &mut Out) {
        if self.desk.link_of(conn).is_none() {
            return out.fault("unknown_connection", None, "a message on a connection that is not open", bytes);
        }
        self.state.came(conn);
        let mut unpacker = core::mem::take(&mut self.venue.unpacker);
        if let Some(text) = unpacker.open(bytes) {
            self.message(now, conn, text, out);
        } else {
            // What was in it is lost, of whatever stream: all begin anew.
            out.fault("corrupt_frame", None, "a compressed message that is damaged: the connection is replaced", b"");
            out.actions.push(Action::Close { conn, reason: CloseReason::Asked });
        }
        self.venue.unpacker = unpacker;
    }
}

impl Kit<Coinex> {
    fn message(&mut self, now: Ts, conn: ConnId, text: &[u8], out: &mut Out) {
        let mut owned = None;
        let Some(frame) = read_plain(text, &mut owned, Frame::read) else {
            return out.fault("undecodable", None, "not a message of this venue", text);
        };
        if let Some(topic) = frame.method.strip_suffix(".update") {
            return self.data(now, conn, topic, frame.data, out);
        }
        if !frame.method.is_empty() || frame.id.is_empty() || frame.code.is_empty() {
            return out.fault("unknown_message", None, "neither data nor an answer", text);
        }
        self.answered(now, conn, &frame, text, out);
    }

    /// A request was answered. Its code decides, whatever data there are.
    fn answered(&mut self, now: Ts, conn: ConnId, frame: &Frame<'_>, text: &[u8], out: &mut Out) {
        if frame.id == topics::PING_ID && frame.code == "0" {
            return;
        }
        let wanted = frame.id.parse().ok().and_then(|number| self.state.asked.answered(conn, number));
        let wanted = wanted.unwrap_or_default();
        if frame.code == "0" {
            for (market, channel) in wanted {
                self.covers(now, conn, market, channel, out);
            }
            return;
        }
        match frame.code.parse().map_or(Refusal::Later, refusal) {
            Refusal::TooMany => self.rest(now, text, out),
            Refusal::Final => {
                out.fault("subscription_refused", None, "the venue refused a request", text);
                self.refused_together(now, conn, &wanted, out);
            }
            // Asked for again later.
            Refusal::Forbidden | Refusal::Later => out.fault("error_reply", None, frame.message, text),
        }
    }

    fn data(&mut self, now: Ts, conn: ConnId, topic: &str, data: &str, out: &mut Out) {
        let Some(channel) = Channel::parse(topic) else {
            return out.fault("unknown_topic", None, "a channel that was not asked for", topic.as_bytes());
        };
        if channel == Channel::State {
            if self.states(now, conn, data, out).is_none() {
                out.fault("undecodable", None, "data this channel does not have", data.as_bytes());
            }
            return;
        }
        let Some([symbol]) = object(data, ["market"]) else {
            return out.fault("undecodable", None, "data this channel does not have", data.as_bytes());
        };
        let market = self.mine(conn, symbol, channel);
        let Some(market) = self.about(market, channel, symbol, out) else { return };
        self.covers(now, conn, market, channel, out);
        let m = Moment { now, market, at: now };
        let read = match channel {
            Channel::Book => self.depth(m, conn, data, out),
            Channel::Trade => self.deals(m, conn, data, out),
            Channel::Quote => self.quote(m, data, out),
            Channel::State => None,
        };
        if read.is_none() {
            out.fault("undecodable", Some(market), "data this channel does not have", data.as_bytes());
        }
    }

    /// With the venue's stamp, which shows how late it is there.
    pub(super) fn stamped(&mut self, m: Moment, stamp: Millis) -> Option<Moment> {
        let at = stamp.by(m.now)?;
        self.desk.lag.note(m.now, at);
        self.state.venue_now = self.state.venue_now.max(Some(at));
        Some(Moment { at, ..m })
    }

    /// The first message of a connection is history up to now.
    fn deals(&mut self, m: Moment, conn: ConnId, data: &str, out: &mut Out) -> Option<()> {
        let [list] = object(data, ["deal_list"])?;
        let is_history = self.desk.cover(conn, m.market, DEALS_BEGUN);
        let mut deals = core::mem::take(&mut self.venue.deals);
        deals.clear();
        self.markets[m.market.index()].deals.reserve();
        let read = Deal::each(&self.markets[m.market.index()].spec, m.now, list, |deal| deals.push(deal));
        deals.sort_unstable_by_key(|deal| (deal.at, deal.id));
        for deal in &deals {
            self.deal(m, *deal, is_history, out);
        }
        self.venue.deals = deals;
        read
    }

    fn deal(&mut self, m: Moment, deal: Deal, is_history: bool, out: &mut Out) {
        let market = &mut self.markets[m.market.index()];
        let floor = *market.floor.get_or_insert(m.now - self.config.backfill);
        market.deal_came(deal.id);
        if !is_history {
            self.desk.lag.note(m.now, deal.at);
            self.state.venue_now = self.state.venue_now.max(Some(deal.at));
            let m = Moment { at: deal.at, ..m };
            self.desk.trade(m, (deal.id, ""), (deal.id, deal.payload()), &mut market.deals, out);
        } else if market.deals.admit(deal.at, deal.id) == Admit::New
            && deal.at >= floor
            && self.desk.wants(m.market, Metric::Trade)
        {
            out.backfilled(m.market, Metric::Trade, deal.at, deal.id, deal.payload());
        }
    }

    fn quote(&mut self, m: Moment, data: &str, out: &mut Out) -> Option<()> {
        let [time, bid, ask] = object(data, ["updated_at", "best_bid_price", "best_ask_price"])?;
        let m = self.stamped(m, Millis::of(time))?;
        if map::is_no_price(bid) || map::is_no_price(ask) {
            return Some(());
        }
        let told = &mut self.markets[m.market.index()].told;
        self.desk.best(m, (map::price(bid)?, map::price(ask)?, 0), told, data, out);
        Some(())
    }

    /// States of many markets, among them such as nobody can trade (`ETHUSD_SIGNPRICE`): what was not asked for is passed over.
    fn states(&mut self, now: Ts, conn: ConnId, data: &str, out: &mut Out) -> Option<()> {
        let [list] = object(data, ["state_list"])?;
        elements(list, |row| {
            let [symbol] = object(row, ["market"])?;
            let market = self.mine(conn, symbol.trim(), Channel::State);
            let Some(market) = market.filter(|m| self.is_wanted(*m)) else { return Some(()) };
            self.covers(now, conn, market, Channel::State, out);
            let m = Moment { now, market, at: now };
            if self.prices(m, row, "open_interest_size", out).and(self.funding(m, row, out)).is_none() {
                out.fault("undecodable", Some(market), "data this channel does not have", row.as_bytes());
            }
            Some(())
        })
    }

    /// Mark, index and open interest of a row of the state stream or of the tickers, which have another word for the last one.
    pub(super) fn prices(&mut self, m: Moment, row: &str, interest: &str, out: &mut Out) -> Option<()> {
        let [mark, index, interest] = object(row, ["mark_price", "index_price", interest])?;
        let (mark, index, interest) = (map::price(mark)?, map::price(index)?, map::qty(interest)?);
        let market = &mut self.markets[m.market.index()];
        self.desk.mark(m, mark, &mut market.told, out);
        self.desk.index(m, index, &mut market.told, out);
        self.desk.interest_of(m, market.spec.inverse, (interest, mark), &mut market.told, out);
        Some(())
    }

    /// The rate of the next settlement, and how long after the last one that is.
    pub(super) fn funding(&mut self, m: Moment, row: &str, out: &mut Out) -> Option<()> {
        let [rate, latest, next] = object(row, ["next_funding_rate", "latest_funding_time", "next_funding_time"])?;
        if rate.is_empty() {
            return Some(());
        }
        let (latest, next) = (Millis::of(latest), Millis::of(next));
        let (rate, next_ts, interval_h) = (map::rate(rate)?, next.ts(), map::interval_h(latest, next));
        let market = &mut self.markets[m.market.index()];
        market.interval_h = interval_h.or(market.interval_h);
        self.desk.funding(m, (rate, interval_h, next_ts), &mut market.told, out);
        self.desk.settles(m.now, m.market, next_ts, &mut market.next_settlement, out);
        Some(())
    }
}
