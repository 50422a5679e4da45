//! Levels of a book as they stand in a message.
//!
//! The procedure of the venue's sheet §6 is the chain of [`crate::session::chain`]: each change names the one before it in
//! `prev_change_id`, by arbitrary steps; what has none is a snapshot. There is no checksum. A side may rightly be empty.

use super::session::Deribit;
use super::{map, wire};
use crate::session::chain::{ChainLevels, ChainLink, Step};
use crate::session::facts::Moment;
use crate::session::kit::Kit;
use crate::session::scan::object;
use crate::session::wire::Millis;
use crate::session::{ConnId, OrderBook, Out};
use barograph_domain::GapReason;

/// Bids and asks.
struct Sides<'a>([&'a str; 2]);

impl ChainLevels for Sides<'_> {
    const ONE_SIDED: bool = true;

    fn finest(&self) -> Option<u8> {
        let mut scale = 0;
        for side in self.0 {
            wire::levels(side, |_, price, _| {
                scale = scale.max(map::decimal(price)?.scale);
                Some(())
            })?;
        }
        Some(scale)
    }

    fn set(&self, book: &mut OrderBook) -> bool {
        let mut side = |json, is_bid| {
            wire::levels(json, |verb, price, amount| {
                let price = map::decimal(price)?;
                let qty = match verb {
                    "new" | "change" => map::qty(amount)?,
                    // Whatever amount stands beside it.
                    "delete" => 0.0,
                    _ => return None,
                };
                if is_bid { book.bid(price, qty).ok() } else { book.ask(price, qty).ok() }
            })
        };
        side(self.0[0], true).is_some() && side(self.0[1], false).is_some()
    }
}

impl Kit<Deribit> {
    pub(super) fn depth(&mut self, m: Moment, conn: ConnId, data: &str, out: &mut Out) -> Option<()> {
        let read = object(data, ["type", "timestamp", "change_id", "prev_change_id", "bids", "asks"]);
        let read = read.and_then(|[kind, time, id, prev, bids, asks]| {
            let id = id.parse().ok()?;
            let prev = if kind == "snapshot" || prev.is_empty() { 0 } else { prev.parse().ok()? };
            let place = ChainLink { id, prev, seq: id, restart: false };
            Some((self.stamped(m, Millis::of(time))?, place, Sides([bids, asks])))
        });
        let Some((m, place, sides)) = read else {
            self.chained(m, Step::Broken(GapReason::Undecodable), 0, data, out);
            return None;
        };
        let book = &mut self.markets[m.market.index()].seat.book;
        let step = match place.prev {
            0 => book.snapshot(m.now, conn, self.config.book_depth, place, &sides),
            _ => book.change(m.now, conn, place, &sides),
        };
        self.chained(m, step, place.seq, data, out);
        Some(())
    }
}
