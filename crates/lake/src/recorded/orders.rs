//! Order by order: Bitstamp's live orders as recorded for `ob-analytics` (`id, timestamp, exchange.timestamp, price, volume, action,
//! direction`; its guide, "Expected csv schema"). `timestamp` is the receipt in milliseconds; `exchange.timestamp` says only when an order
//! was made, in whole seconds, so the receipt stands for both clocks. Prices are in quote, volumes in 10⁻⁸ of the base, those of changes
//! what is left of the order.
//!
//! What follows from the recording, and is decided here:
//! - There is no snapshot. Orders that were there before are not known until something happens to them, so the book is given from ten
//!   minutes after the first row on, and not for a minute after an order that nobody knew of turned up at the best price or before it.
//! - An order that takes is shown in the book for a moment, which is crossed until the matches are reported: such states are not given, and
//!   their changes count for the next one that is. A book that stays crossed for five seconds holds orders whose end was not recorded:
//!   the older ones, as what is new would have been matched with them. They are taken out, and that is a loss.
//! - Trades are not reported; both their orders shrink by the same volume within a second. The order with the higher number is the taker,
//!   and the price is that of the other one. What shrinks alone is a trade whose taker is not known.

use super::listener::{RecordListener, RecordStamps, RecordedTrade};
use super::passed_on::HeardOut;
use super::piece::Piece;
use super::table::{TableRows, TableStep};
use super::view::fill;
use crate::error::Error;
use barograph_domain::depth::{BookSides, DepthLevel};
use barograph_domain::{GapReason, Span, Ts};
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

/// Volumes are integers of this part of the base.
const UNIT: f64 = 1e8;
/// The book is not given so long after the first row.
const WARM: Span = Span::mins(10);
/// Nor so long after an order turned up that should have been known.
const QUIET: Span = Span::mins(1);
/// Matches are reported within this (in the recording at hand within 584 ms).
const CROSSED: Span = Span::secs(5);
/// The two halves of a trade come within this.
const PAIR: Span = Span::secs(1);
/// Halves of a trade differ by this many units at most: volumes are rounded on their way.
const ROUNDED: u64 = 4;
/// Orders that ended are remembered for so many endings: rows of one millisecond may be in any order.
const ENDED: usize = 4_096;

/// Where the columns are.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct OrderColumns {
    id: usize,
    time: usize,
    price: usize,
    volume: usize,
    action: usize,
    direction: usize,
}

impl OrderColumns {
    pub(super) fn of(names: &[String]) -> Option<Self> {
        let find = |name: &str| names.iter().position(|n| n == name);
        find("exchange.timestamp")?;
        Some(Self {
            id: find("id")?,
            time: find("timestamp")?,
            price: find("price")?,
            volume: find("volume")?,
            action: find("action")?,
            direction: find("direction")?,
        })
    }

    /// When the row was received.
    pub(super) fn begins(&self, rows: &TableRows) -> Option<Ts> {
        rows.moment(self.time)
    }
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Action {
    Created,
    Changed,
    Deleted,
}

/// What a row says of an order.
#[derive(Clone, Copy, PartialEq, Debug)]
struct OrderRow {
    id: u64,
    at: Ts,
    action: Action,
    order: Order,
}

/// An order as it stands.
#[derive(Clone, Copy, PartialEq, Debug)]
struct Order {
    is_bid: bool,
    price: Price,
    /// Units that are left.
    volume: u64,
}

/// A price, ordered as its bits are: it is above zero.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
struct Price(u64);

impl Price {
    const fn get(self) -> f64 {
        f64::from_bits(self.0)
    }
}

/// An order that shrank; its other half is awaited.
#[derive(Clone, Copy, PartialEq, Debug)]
struct Half {
    at: Ts,
    id: u64,
    is_bid: bool,
    price: Price,
    /// Units; `None` of an order whose size was not known.
    by: Option<u64>,
}

/// All orders that are known, and their sums.
#[derive(Debug, Default)]
struct Orders {
    orders: BTreeMap<u64, Order>,
    /// Units at each price: of bids, then of asks.
    sums: [BTreeMap<Price, u64>; 2],
    ended: VecDeque<u64>,
}

impl Orders {
    fn put(&mut self, id: u64, order: Order) {
        if order.volume > 0 {
            *self.sums[usize::from(!order.is_bid)].entry(order.price).or_default() += order.volume;
            self.orders.insert(id, order);
        }
    }

    fn take(&mut self, id: u64) -> Option<Order> {
        let order = self.orders.remove(&id)?;
        let sums = &mut self.sums[usize::from(!order.is_bid)];
        if let Some(sum) = sums.get_mut(&order.price) {
            *sum -= order.volume;
            if *sum == 0 {
                sums.remove(&order.price);
            }
        }
        Some(order)
    }

    fn end(&mut self, id: u64) {
        self.ended.push_back(id);
        if self.ended.len() > ENDED {
            self.ended.pop_front();
        }
    }

    fn best(&self) -> (Option<Price>, Option<Price>) {
        (self.sums[0].keys().next_back().copied(), self.sums[1].keys().next().copied())
    }

    fn is_crossed(&self) -> bool {
        matches!(self.best(), (Some(bid), Some(ask)) if bid >= ask)
    }

    /// At the best price of its side, or before it?
    fn is_at_touch(&self, order: &Order) -> bool {
        match (order.is_bid, self.best()) {
            (true, (Some(best), _)) => order.price >= best,
            (false, (_, Some(best))) => order.price <= best,
            (true, (None, _)) | (false, (_, None)) => true,
        }
    }

    /// Takes out the side of those that cross whose newest order is the older one.
    fn uncross(&mut self) {
        let (Some(bid), Some(ask)) = self.best() else { return };
        let crossing = |is_bid: bool| {
            let crosses = move |o: &Order| o.is_bid == is_bid && if is_bid { o.price >= ask } else { o.price <= bid };
            self.orders.iter().filter(move |(_, o)| crosses(o)).map(|(id, _)| *id)
        };
        let older_is_bid = crossing(true).max() < crossing(false).max();
        let stale: Vec<u64> = crossing(older_is_bid).collect();
        for id in stale {
            self.take(id);
            self.end(id);
        }
    }
}

/// Files of one market in their order.
pub(super) struct OrderFiles<'a> {
    pub(super) files: &'a [Piece],
    pub(super) read: &'a Arc<AtomicU64>,
}

impl OrderFiles<'_> {
    pub(super) fn play<L: RecordListener>(&self, to: &mut HeardOut<'_, L>) -> Result<(), L::Failure> {
        let mut playing = Playing::default();
        for piece in self.files {
            let (names, mut rows) = TableRows::open(piece, self.read)?;
            let columns = OrderColumns::of(&names)
                .ok_or_else(|| Error::Usage(format!("{} has no columns of orders any more", piece.shown)))?;
            let mut first = true;
            loop {
                match rows.step() {
                    TableStep::Row => {}
                    TableStep::Ragged => {
                        to.done.lines += 1;
                        to.unreadable(&piece.shown, rows.number());
                        continue;
                    }
                    TableStep::End => break,
                    TableStep::Torn(why) => {
                        to.torn(&piece.shown, rows.number(), &why);
                        break;
                    }
                }
                to.done.lines += 1;
                let Some(row) = row(&rows, columns) else {
                    to.unreadable(&piece.shown, rows.number());
                    continue;
                };
                if core::mem::take(&mut first) {
                    playing.next_file(&row, to)?;
                }
                playing.row(&row, to)?;
            }
        }
        for _ in playing.halves.drain(..) {
            to.unsided();
        }
        Ok(())
    }
}

/// The orders, and what is known of them.
#[derive(Default)]
struct Playing {
    orders: Orders,
    halves: VecDeque<Half>,
    /// The book is given from here on; `None` before the first row.
    from: Option<Ts>,
    last: Option<Ts>,
    crossed_since: Option<Ts>,
    /// Rows since the last state that was given.
    updates: u32,
    bids: Vec<DepthLevel>,
    asks: Vec<DepthLevel>,
}

impl Playing {
    /// After a hole nothing is known of any order.
    fn next_file<L: RecordListener>(&mut self, row: &OrderRow, to: &mut HeardOut<'_, L>) -> Result<(), L::Failure> {
        let Some(last) = self.last.filter(|last| row.at - *last > Span::mins(1)) else { return Ok(()) };
        to.lose_book(last, GapReason::MissingRows)?;
        to.lose_trades(last, GapReason::MissingRows)?;
        (self.orders, self.from, self.crossed_since) = (Orders::default(), None, None);
        Ok(())
    }

    fn row<L: RecordListener>(&mut self, row: &OrderRow, to: &mut HeardOut<'_, L>) -> Result<(), L::Failure> {
        let at = to.reach(RecordStamps { event: row.at, recv: row.at })?;
        self.last = Some(at.event);
        to.trades_from(at.event)?;
        let from = *self.from.get_or_insert(at.event + WARM);
        while self.halves.front().is_some_and(|h| at.event - h.at > PAIR) {
            self.halves.pop_front();
            to.unsided();
        }
        let known = self.orders.take(row.id);
        let unheard = row.action != Action::Created && known.is_none() && !self.orders.ended.contains(&row.id);
        if unheard && self.orders.is_at_touch(&row.order) {
            self.from = Some(from.max(at.event + QUIET));
            to.lose_book(at.event, GapReason::MissingRows)?;
        }
        match row.action {
            Action::Created if self.orders.ended.contains(&row.id) => {}
            Action::Created | Action::Changed => self.orders.put(row.id, row.order),
            Action::Deleted => self.orders.end(row.id),
        }
        self.updates = self.updates.saturating_add(1);
        self.shrank(row, known, at, to)?;
        self.state(at, to)
    }

    /// Part of the order was matched, or all of it.
    fn shrank<L: RecordListener>(
        &mut self,
        row: &OrderRow,
        known: Option<Order>,
        at: RecordStamps,
        to: &mut HeardOut<'_, L>,
    ) -> Result<(), L::Failure> {
        let by = match (row.action, known) {
            (Action::Created, _) => return Ok(()),
            // What is left over is taken back by its owner.
            (Action::Deleted, _) if row.order.volume > 0 => return Ok(()),
            (_, Some(known)) if known.volume <= row.order.volume => return Ok(()),
            (_, Some(known)) => Some(known.volume - row.order.volume),
            (_, None) => None,
        };
        let (id, is_bid, price) = (row.id, row.order.is_bid, known.map_or(row.order.price, |k| k.price));
        let half = Half { at: at.event, id, is_bid, price, by };
        let fits = |other: &Half| {
            let same = match (other.by, by) {
                (Some(a), Some(b)) => a.abs_diff(b) <= ROUNDED,
                // The size of one of them is enough.
                (None, Some(_)) | (Some(_), None) => true,
                (None, None) => false,
            };
            other.is_bid != is_bid && same
        };
        let Some(place) = self.halves.iter().position(fits) else {
            self.halves.push_back(half);
            return Ok(());
        };
        let Some(other) = self.halves.remove(place) else { return Ok(()) };
        let (maker, taker) = if half.id < other.id { (half, other) } else { (other, half) };
        let Some(units) = half.by.or(other.by) else { return Ok(()) };
        let trade = RecordedTrade { price: maker.price.get(), size: base(units), is_buy: taker.is_bid };
        to.trade(at, trade)
    }

    fn state<L: RecordListener>(&mut self, at: RecordStamps, to: &mut HeardOut<'_, L>) -> Result<(), L::Failure> {
        if self.orders.is_crossed() {
            let since = *self.crossed_since.get_or_insert(at.event);
            if at.event - since <= CROSSED {
                return Ok(());
            }
            to.lose_book(since, GapReason::CrossedBook)?;
            self.orders.uncross();
        }
        self.crossed_since = None;
        let (Some(bid), Some(ask)) = self.orders.best() else { return Ok(()) };
        if self.from.is_none_or(|from| at.event < from) {
            return Ok(());
        }
        let reach = (0.5 * (bid.get() + ask.get()), to.reach_bps());
        let level = |(price, units): (&Price, &u64)| DepthLevel { price: price.get(), size: base(*units) };
        fill(&mut self.bids, self.orders.sums[0].iter().rev().map(level), reach);
        fill(&mut self.asks, self.orders.sums[1].iter().map(level), reach);
        let updates = core::mem::take(&mut self.updates);
        to.state(at, &BookSides { bids: &self.bids, asks: &self.asks }, updates).map(drop)
    }
}

/// Units in base.
fn base(units: u64) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "all coins of Bitstamp's are fewer units than 2^53")]
    let units = units as f64;
    units / UNIT
}

fn row(rows: &TableRows, columns: OrderColumns) -> Option<OrderRow> {
    let action = match rows.text(columns.action)? {
        b"created" => Action::Created,
        b"changed" => Action::Changed,
        b"deleted" => Action::Deleted,
        _ => return None,
    };
    let is_bid = match rows.text(columns.direction)? {
        b"bid" => true,
        b"ask" => false,
        _ => return None,
    };
    let price = rows.number_of(columns.price).filter(|p| *p > 0.0)?;
    Some(OrderRow {
        id: u64::try_from(rows.whole(columns.id)?).ok()?,
        at: rows.moment(columns.time)?,
        action,
        order: Order {
            is_bid,
            price: Price(price.to_bits()),
            volume: u64::try_from(rows.whole(columns.volume)?).ok().filter(|v| *v < 1 << 53)?,
        },
    })
}
