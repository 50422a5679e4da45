//! The order book of one product: steps of the procedure in the venue's sheet §4.
//!
//! - 1: subscribe `level2`.
//! - 2: the first event of the product is a snapshot: clear, then apply.
//! - 3: every update sets absolute quantities; zero removes, also what is not there.
//! - 4: a later snapshot replaces everything.
//! - 5: there is no checksum and no sequence of the book's own: when the connection lost messages, when a row cannot be read,
//!   when the book is crossed, it is dropped and the product is unsubscribed and subscribed again (subscribing alone brings no
//!   snapshot). A one-sided book is not trusted and stays fed.
//!
//! The snapshot holds every level and the book keeps `book_depth` of a side. When the price has walked so far that less than
//! half of them are left, the product is unsubscribed and subscribed again in good time, at most every [`RENEW_PAUSE`]; the
//! book goes on until the new snapshot, and is dropped should none come. So is one whose kept levels are all gone.
//!
//! A book belongs to the connection whose snapshot came last. Updates of other connections, and updates before the snapshot,
//! are passed over, so nothing has to be buffered.

use super::map;
use super::market::Sink;
use super::wire;
use crate::session::{BookFault, ConnId, OrderBook, Pace};
use barograph_domain::{GapReason, Metric, Payload, Span, StatusState, Ts};
use serde::{Deserialize, Serialize};

/// The top is shown at most this often.
const SHOWN_EVERY: Span = Span::secs(1);
/// A snapshot has to come within this time of asking; doubles with every try.
const SNAPSHOT_WAIT: Span = Span::secs(15);
const SNAPSHOT_WAIT_MAX: Span = Span::mins(5);
/// A book is renewed no sooner after its snapshot than this: that of BTC-USD has five megabytes.
const RENEW_PAUSE: Span = Span::secs(20);

/// After being sound for this long, earlier failures are forgotten.
const SOUND_FOR: Span = Span::mins(1);

/// State of one book.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub(super) struct BookFeed {
    book: Option<OrderBook>,
    /// The connection that feeds it; `None`: waiting for a snapshot.
    pub(super) conn: Option<ConnId>,
    /// Neither crossed nor one-sided.
    sound: bool,
    /// Since when it is.
    sound_since: Ts,
    shown: Ts,
    pub(super) pace: Pace,
    /// When its snapshot came.
    snapped: Ts,
    /// A new snapshot was asked for while the book goes on; it has to come by then.
    renewed_by: Option<Ts>,
    /// When asking again is due, while waiting.
    due: Ts,
    tries: u32,
}

impl BookFeed {
    pub(super) fn new() -> Self {
        Self {
            book: None,
            conn: None,
            sound: false,
            sound_since: Ts::MIN,
            shown: Ts::MIN,
            pace: Pace::default(),
            snapped: Ts::MIN,
            renewed_by: None,
            due: Ts::MIN,
            tries: 0,
        }
    }

    /// The book, while it can be trusted.
    pub(super) fn book(&self) -> Option<&OrderBook> {
        self.book.as_ref().filter(|_| self.conn.is_some() && self.sound)
    }

    /// It was asked for: the next try is due when no snapshot came.
    pub(super) fn asked(&mut self, now: Ts) {
        let wait = Span((SNAPSHOT_WAIT.0 << self.tries.min(8)).min(SNAPSHOT_WAIT_MAX.0));
        self.tries = self.tries.saturating_add(1);
        self.due = now + wait;
    }

    /// Shall it be asked for (again)?
    pub(super) fn overdue(&self, now: Ts) -> bool {
        self.conn.is_none() && now >= self.due
    }

    /// Has the price nearly left what is kept of the book, so that a new snapshot is to be asked for now?
    pub(super) fn wants_renewal(&self, now: Ts) -> bool {
        self.book().is_some_and(OrderBook::is_thin) && self.renewed_by.is_none() && now - self.snapped >= RENEW_PAUSE
    }

    /// A new snapshot was asked for; the book goes on.
    pub(super) fn renewing(&mut self, now: Ts) {
        self.renewed_by = Some(now + SNAPSHOT_WAIT);
    }

    /// The new snapshot did not come: whether the book is still fed nobody knows.
    pub(super) fn not_renewed(&mut self, sink: &mut Sink<'_>) {
        if self.conn.is_some() && self.renewed_by.is_some_and(|by| sink.now >= by) {
            self.drop_book(StatusState::Resync, GapReason::Silent, sink);
        }
    }

    /// Drops the book: it waits for a snapshot, asked for at once the first time, later when that happens again soon.
    pub(super) fn drop_book(&mut self, state: StatusState, reason: GapReason, sink: &mut Sink<'_>) {
        let was_fed = self.conn.take().is_some();
        self.sound = false;
        self.renewed_by = None;
        if let Some(book) = &mut self.book {
            book.clear();
        }
        if was_fed && self.tries <= 1 {
            self.due = sink.now;
        }
        sink.lost(Metric::Book, state, reason);
    }

    /// No update for too long: true when it was dropped for that.
    pub(super) fn silent(&mut self, limit: Span, sink: &mut Sink<'_>) -> bool {
        let silent = self.conn.is_some() && self.pace.silence(sink.now).is_some_and(|s| s > limit);
        if silent {
            self.drop_book(StatusState::Stale, GapReason::Silent, sink);
        }
        silent
    }

    /// Takes an event. `stamp` is that of the message; `scale` and `depth` are for the first snapshot.
    pub(super) fn take(
        &mut self,
        event: &wire::Event<'_>,
        conn: ConnId,
        stamp: Ts,
        (scale, depth): (u8, usize),
        sink: &mut Sink<'_>,
    ) {
        if !event.snapshot && self.conn != Some(conn) {
            return;
        }
        let book = self.book.get_or_insert_with(|| OrderBook::new(scale, depth));
        if event.snapshot {
            book.clear();
            book.reserve();
            self.conn = Some(conn);
            (self.snapped, self.renewed_by) = (sink.now, None);
        }
        let (mut newest, mut bad) = (None, None);
        let read = wire::levels(event.rows, |row| {
            if newest.is_none() {
                newest = Some(row.event_time);
            }
            bad = apply(book, &row).err();
            bad.is_none().then_some(())
        });
        if read.is_none() {
            let (kind, why) = bad.unwrap_or(("undecodable", "level2 rows are not a list of levels"));
            sink.fault(kind, why, event.rows);
            self.drop_book(StatusState::Resync, GapReason::Undecodable, sink);
            return;
        }
        self.pace.note(sink.now);
        // Stamps of a snapshot's rows are those of old changes, or 1970; an update happened when its rows did.
        let own = newest.filter(|_| !event.snapshot).and_then(|t| map::moment(wire::stamp(t), sink.now));
        self.judge(own.unwrap_or(stamp), sink);
    }

    fn judge(&mut self, event_ts: Ts, sink: &mut Sink<'_>) {
        let Some(book) = &self.book else { return };
        match book.check() {
            Ok(()) => {
                if !core::mem::replace(&mut self.sound, true) {
                    self.sound_since = sink.now;
                }
                if sink.now - self.sound_since >= SOUND_FOR {
                    self.tries = 0;
                }
                sink.progress(Metric::Book, event_ts);
                if sink.now - self.shown.max(Ts(0)) < SHOWN_EVERY {
                    return;
                }
                self.shown = sink.now;
                if let Some((bid, ask)) = book.top() {
                    sink.live(Metric::Book, event_ts, 0, Payload::BestBidAsk { bid, ask });
                }
            }
            // All that was kept is gone, and there is more: nothing that comes can fill it.
            Err(BookFault::Empty) if book.is_thin() => self.drop_book(StatusState::Resync, GapReason::EmptyBook, sink),
            Err(BookFault::Empty) => {
                // A quiet product may have one side only; the next update can fill it, so it stays fed.
                self.sound = false;
                sink.lost(Metric::Book, StatusState::Resync, GapReason::EmptyBook);
            }
            Err(BookFault::Crossed | BookFault::OffTick) => {
                let (bid, ask) = book.top().unwrap_or_default();
                sink.fault("crossed_book", &format!("best bid {bid} is not below best ask {ask}"), &[]);
                self.drop_book(StatusState::Resync, GapReason::CrossedBook, sink);
            }
        }
    }
}

fn apply(book: &mut OrderBook, row: &wire::Level<'_>) -> Result<(), (&'static str, &'static str)> {
    let (price, _) = map::price(row.price_level).ok_or(("bad_level", "price_level is no price"))?;
    let (_, qty) = map::qty(row.new_quantity).ok_or(("bad_level", "new_quantity is no quantity"))?;
    match row.side {
        b"bid" => book.bid(price, qty),
        b"offer" => book.ask(price, qty),
        _ => return Err(("bad_level", "side is neither bid nor offer")),
    }
    .map_err(|_fault| ("off_tick", "price_level has more digits than the tick"))
}
