//! The socket's messages: opened, counted, and handed to the product they are about.

use super::conn::{Health, Sequence};
use super::map::{self, Trade};
use super::session::Coinbase;
use super::trades::{HOLE_MARGIN, Wanted};
use super::wire::{self, Envelope};
use crate::session::kit::Kit;
use crate::session::protocol::Feed;
use crate::session::scan::read_plain;
use crate::session::{ConnId, MarketIndex, Out, Priority};
use barograph_domain::{Metric, Payload, Span, Ts};

impl Feed for Kit<Coinbase> {
    fn frame(&mut self, now: Ts, conn: ConnId, bytes: &[u8], out: &mut Out) {
        let Some(at) = self.state.conns.iter().position(|c| c.id == conn) else {
            return out.fault("unknown_connection", None, "message of a connection that is not open", bytes);
        };
        let mut owned = None;
        let Some(envelope) = read_plain(bytes, &mut owned, wire::envelope) else {
            // What it held is found out by the next number.
            return out.fault("undecodable", None, "message is not a JSON object of this venue", bytes);
        };
        if envelope.kind == b"error" {
            return self.error(now, conn, &envelope, out);
        }
        let (Some(number), Some(stamp)) = (envelope.sequence, map::moment(envelope.stamp, now)) else {
            return out.fault("undecodable", None, "message without a sequence_num or a plausible timestamp", bytes);
        };
        let instance = &mut self.state.conns[at];
        let verdict = instance.count(number);
        instance.heard = true;
        instance.venue_now = instance.venue_now.max(stamp);
        self.desk.lag.note(now, stamp);
        if self.state.watch.note(verdict) {
            let why = "more than one message in a hundred is out of sequence: it may not count per connection any more";
            out.fault("sequence_scope_changed", None, why, &[]);
        }
        match verdict {
            Sequence::InOrder => {}
            Sequence::Gap => {
                out.fault("sequence_gap", None, "messages of a connection were lost", envelope.channel);
                self.broken(now, conn, out);
            }
            // While the scope is in doubt, trades and quotes look after themselves; books do not.
            Sequence::Old if self.state.watch.storm && envelope.channel != b"l2_data" => {}
            Sequence::Old => {
                return out.fault("sequence_old", None, "message was overtaken: ignored", envelope.channel);
            }
        }
        if self.dispatch(now, at, stamp, &envelope, out).is_none() {
            out.fault("undecodable", None, "events of the message are not of its channel", bytes);
        }
    }
}

impl Kit<Coinbase> {
    /// The market that holds a product, while it is wanted.
    fn market(&self, product: &[u8]) -> Option<MarketIndex> {
        let at = self.venue.names.get(product)?;
        self.markets.get(at.index()).filter(|m| m.wanted).map(|_| at)
    }

    fn unknown(&self, product: &[u8], out: &mut Out) {
        // Messages on their way while a product is being left are no fault.
        if self.venue.names.get(product).is_none() {
            out.fault("unknown_symbol", None, "product was not asked for", product);
        }
    }

    fn dispatch(&mut self, now: Ts, at: usize, stamp: Ts, e: &Envelope<'_>, out: &mut Out) -> Option<()> {
        match e.channel {
            b"l2_data" => self.level2(now, at, stamp, e.events, out),
            b"market_trades" => self.trades(now, at, stamp, e.events, out),
            b"ticker" => self.ticker(now, stamp, e.events, out),
            b"heartbeats" => self.heartbeat(now, at, e.events, out),
            b"subscriptions" => {
                let id = self.state.conns[at].id;
                self.desk.uncover_all(id);
                let mut listed = Vec::new();
                wire::subscriptions(e.events, |channel, name| listed.push((channel, name)))?;
                for (channel, name) in listed {
                    self.listed(id, name, channel);
                }
                self.state.conns[at].listed = true;
                Some(())
            }
            // Counted, and not used: five-minute candles, product status, slow tickers.
            b"candles" | b"status" | b"ticker_batch" => Some(()),
            channel => {
                out.fault("unknown_channel", None, "channel was not asked for", channel);
                Some(())
            }
        }
    }

    fn level2(&mut self, now: Ts, at: usize, stamp: Ts, events: &[u8], out: &mut Out) -> Option<()> {
        let conn = self.state.conns.get(at)?;
        let (id, whole) = (conn.id, conn.health == Health::Whole);
        wire::events(events, b"updates", |event| {
            let Some(market) = self.market(event.product) else {
                self.unknown(event.product, out);
                return Some(());
            };
            let depth = self.config.book_depth;
            let (p, mut sink) = self.product(now, market, out)?;
            // A connection that lost messages feeds no book any more.
            if whole {
                p.book.take(&event, id, stamp, (p.digits, depth), &mut sink);
            }
            Some(())
        })
    }

    fn trades(&mut self, now: Ts, at: usize, stamp: Ts, events: &[u8], out: &mut Out) -> Option<()> {
        let id = self.state.conns.get(at)?.id;
        wire::events(events, b"trades", |event| {
            let mut rows = core::mem::take(&mut self.venue.rows);
            rows.clear();
            let read = wire::trades(event.rows, |row| {
                let Some(market) = self.market(row.product_id) else {
                    self.unknown(row.product_id, out);
                    return Some(());
                };
                match map::trade(&row, self.venue.side, now) {
                    // The venue's own clock said `stamp` when it sent this.
                    Ok(trade) if trade.time <= stamp + Span::secs(5) => rows.push((market, trade)),
                    Ok(_) => out.fault("bad_trade", Some(market), "trade is of the future", row.time),
                    Err(why) => out.fault("bad_trade", Some(market), why, row.trade_id),
                }
                Some(())
            });
            // Ids that do not count up say nothing about order.
            let counted = |at: MarketIndex| self.markets.get(at.index()).is_some_and(|m| m.state.trades.counted());
            rows.sort_unstable_by_key(|(at, t)| (*at, if counted(*at) { Ts::MIN } else { t.time }, t.id));
            for (market, trade) in &rows {
                self.trade(now, *market, trade, event.snapshot, out);
            }
            let mut last = None;
            for (market, _) in &rows {
                if last.replace(*market) != Some(*market) {
                    self.synced(now, *market, id, (stamp, true), out);
                }
            }
            self.venue.rows = rows;
            read
        })
    }

    fn trade(&mut self, now: Ts, market: MarketIndex, trade: &Trade, snapshot: bool, out: &mut Out) {
        let Some((p, mut sink)) = self.product(now, market, out) else { return };
        if let Wanted::Repair { hole, bars_from, bars_until } = p.trades.take(trade, snapshot, &mut sink) {
            if self.wants(Metric::Trade) {
                let (from, until) = (hole.after - HOLE_MARGIN, hole.before + HOLE_MARGIN);
                self.desk.history.want(market, Metric::Trade, from, until, Priority::Repair, now);
            }
            self.want_bars(now, market, bars_from, bars_until, Priority::Repair);
        }
    }

    fn ticker(&mut self, now: Ts, stamp: Ts, events: &[u8], out: &mut Out) -> Option<()> {
        wire::events(events, b"tickers", |event| {
            wire::tickers(event.rows, |row| {
                let Some(market) = self.market(row.product_id) else {
                    self.unknown(row.product_id, out);
                    return Some(());
                };
                let (p, mut sink) = self.product(now, market, out)?;
                if row.best_bid.is_empty() || row.best_ask.is_empty() {
                    // A product without quotes on one side.
                    return Some(());
                }
                match (map::price(row.best_bid), map::price(row.best_ask)) {
                    (Some((_, bid)), Some((_, ask))) if bid < ask => {
                        if stamp > p.quoted {
                            p.quoted = stamp;
                            sink.live(Metric::BestBidAsk, stamp, 0, Payload::BestBidAsk { bid, ask });
                        }
                    }
                    (Some(_), Some(_)) => sink.fault("crossed_quote", "best_bid is not below best_ask", row.best_bid),
                    _ => sink.fault("bad_quote", "best_bid or best_ask is no price", row.best_bid),
                }
                Some(())
            })
        })
    }

    fn heartbeat(&mut self, now: Ts, at: usize, events: &[u8], out: &mut Out) -> Option<()> {
        let beat = wire::heartbeat(events)?;
        let conn = self.state.conns.get_mut(at)?;
        if conn.beat.replace(beat).is_some_and(|last| beat > last + 1) {
            out.fault("heartbeat_jump", None, "the venue skipped heartbeats", &[]);
        }
        let (id, link, venue_now) = (conn.id, conn.link, conn.venue_now);
        for market in self.products_on(link) {
            let (p, mut sink) = self.product(now, market, out)?;
            p.trades.tick(id, venue_now, &mut sink);
        }
        Some(())
    }

    fn error(&mut self, now: Ts, conn: ConnId, e: &Envelope<'_>, out: &mut Out) {
        let found = |text: &[u8]| e.message.windows(text.len()).any(|w| w == text);
        out.fault("error_reply", None, "the venue reports an error", e.message);
        if found(b"too many L2 streams") {
            self.too_many(now, conn, out);
        }
    }
}
