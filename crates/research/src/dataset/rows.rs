//! Rows of the data set as a recording goes by: a second's row is made when everything that counts for it can be known.

use barograph_columns::{Arrival, MarketColumns, OtherFeeds, ResearchRow, SECOND};
use barograph_domain::depth::{BookSides, DepthLevel};
use barograph_domain::{Span, Ts};
use barograph_engine::sessions::SessionSet;
use barograph_lake::recorded::{RecordStamps, RecordedFeed, RecordedTrade};

/// A second's row is made this long after its end, by the receive clock; what arrives later counts for later rows. The same as for
/// minutes.
pub const CLOSE_AFTER: Span = Span::millis(200);

const MINUTE: Span = Span::mins(1);

/// No window is longer: what was known before an absence of this length counts for nothing behind it.
const LONGEST: Span = Span::days(1);

/// Where neither the book nor trades are heard of for so long, the seconds that follow get no rows: a hole of weeks between two files is
/// one hole, not two million rows.
const SILENT_ROWS_MAX: Span = Span::mins(10);

/// One market's rows.
#[derive(Clone, Debug)]
pub struct SecondRows {
    columns: MarketColumns,
    tick: Option<f64>,
    /// The book as it stands.
    bids: Vec<DepthLevel>,
    asks: Vec<DepthLevel>,
    sessions: SessionSet,
    /// The end of the next second that gets a row; rows begin with the first state of the book.
    next: Option<Ts>,
    /// Whoever recorded was away: rows begin again with the next state of the book.
    waits: bool,
    /// Event time of the newest state or trade.
    heard: Option<Ts>,
    /// Trades are listened to.
    listens: bool,
}

impl SecondRows {
    /// Nothing is known yet; `tick` is the smallest step of prices, where it is known.
    #[must_use]
    pub fn new(tick: Option<f64>, sessions: SessionSet) -> Self {
        Self {
            columns: MarketColumns::new(tick),
            tick,
            bids: Vec::new(),
            asks: Vec::new(),
            sessions,
            next: None,
            waits: false,
            heard: None,
            listens: false,
        }
    }

    /// States and trades that arrived after the row of their second was made: they count at their own second, for later rows.
    #[must_use]
    pub const fn late(&self) -> u64 {
        self.columns.late()
    }

    /// The next state of the book.
    pub fn book(&mut self, at: RecordStamps, sides: &BookSides<'_>, updates: u32) {
        self.hear(at);
        let before = BookSides { bids: &self.bids, asks: &self.asks };
        self.columns.book(Arrival { event: at.event, recv: at.recv }, &before, sides, updates);
        replace(&mut self.bids, sides.bids);
        replace(&mut self.asks, sides.asks);
        let first = first_row(at);
        if core::mem::take(&mut self.waits) {
            self.next = self.next.max(Some(first));
        }
        self.next.get_or_insert(first);
    }

    /// A trade.
    pub fn trade(&mut self, at: RecordStamps, trade: RecordedTrade) {
        self.hear(at);
        self.columns.trade(Arrival { event: at.event, recv: at.recv }, trade.price, trade.size, trade.is_buy);
    }

    /// Nothing is known of a feed from a moment on.
    pub fn lost(&mut self, feed: RecordedFeed, from: Ts) {
        match feed {
            RecordedFeed::Book => {
                self.columns.book_gap(from, &BookSides { bids: &self.bids, asks: &self.asks });
                self.bids.clear();
                self.asks.clear();
            }
            RecordedFeed::Trades => {
                self.listens = false;
                self.columns.trades_gap(from);
            }
        }
    }

    /// Something happens: behind a long silence, and where rows were withheld that were due before this arrived, rows begin again here.
    fn hear(&mut self, at: RecordStamps) {
        let event = at.event;
        let withheld = |next: Ts, heard: Ts| next + CLOSE_AFTER < at.recv && next - heard > SILENT_ROWS_MAX;
        let silent = self
            .next
            .zip(self.heard)
            .is_some_and(|(next, heard)| event - heard > SILENT_ROWS_MAX + MINUTE || withheld(next, heard));
        self.heard = self.heard.max(Some(event));
        if silent && !self.waits {
            self.pass_over(event);
            self.next = self.next.max(Some(first_row(at)));
        }
    }

    /// Trades are listened to from a moment on.
    pub fn trades_begin(&mut self, from: Ts) {
        self.listens = true;
        self.columns.trades_begin(from);
    }

    /// Whoever recorded was away and is there again, both feeds having been lost. Seconds of the absence get no rows: they begin again with
    /// the next state of the book.
    pub fn resumed(&mut self, now: Ts) {
        if self.next.is_some() {
            self.waits = true;
            self.pass_over(now);
        }
    }

    /// Seconds up to a moment get no rows. The windows see them pass, a minute at a time: all of it at once would be held in memory.
    fn pass_over(&mut self, upto: Ts) {
        let Some(next) = self.next else { return };
        if upto - next > LONGEST {
            self.columns = self.columns.anew(self.tick);
            if self.listens {
                self.columns.trades_begin(upto);
            }
            return;
        }
        let sides = BookSides { bids: &self.bids, asks: &self.asks };
        let mut t = next + MINUTE;
        while t < upto.floor(SECOND) {
            self.columns.close(t, &sides, &OtherFeeds::default());
            self.next = Some(t + SECOND);
            t = t + MINUTE;
        }
    }

    /// The next row that is due, where everything received up to `now` was given: the end of its second, and the row.
    pub fn due(&mut self, now: Ts) -> Option<(Ts, Box<ResearchRow>)> {
        self.due_with(now, &mut |_| OtherFeeds::default())
    }

    /// The same with what other feeds said; its session is not used.
    pub fn due_with(&mut self, now: Ts, known: &mut dyn FnMut(Ts) -> OtherFeeds) -> Option<(Ts, Box<ResearchRow>)> {
        let t = self.next.filter(|t| !self.waits && *t + CLOSE_AFTER < now)?;
        if self.heard.is_some_and(|heard| t - heard > SILENT_ROWS_MAX) {
            return None;
        }
        self.next = Some(t + SECOND);
        // As in the program's own rows a boundary belongs to the session that starts (features §3).
        let session = self.sessions.session(t);
        let known = OtherFeeds { session: u8::try_from(session.index()).unwrap_or_default(), ..known(t) };
        let now = BookSides { bids: &self.bids, asks: &self.asks };
        Some((t, self.columns.close(t, &now, &known)))
    }
}

/// The first second whose row can know of something: it ends behind it, and is made no earlier than it was received.
fn first_row(at: RecordStamps) -> Ts {
    (at.event.floor(SECOND) + SECOND).max((at.recv - CLOSE_AFTER).ceil(SECOND))
}

fn replace(side: &mut Vec<DepthLevel>, by: &[DepthLevel]) {
    side.clear();
    side.extend_from_slice(by);
}

#[cfg(test)]
mod tests {
    use super::*;
    use barograph_columns::place_of;
    use barograph_domain::cell::Reason;

    fn at(t: Ts) -> RecordStamps {
        RecordStamps { event: t, recv: t + Span::millis(20) }
    }

    /// Two minutes of a book each half second, from a moment on.
    fn listen(rows: &mut SecondRows, from: Ts) -> Vec<(Ts, Box<ResearchRow>)> {
        let mut made = Vec::new();
        for n in 0..240 {
            let t = from + Span::millis(500 * n);
            made.extend(core::iter::from_fn(|| rows.due(t)));
            let level = |price| [DepthLevel { price, size: 1.0 }];
            let (bids, asks) = (level(100.0), level(101.0 + f64::from(u8::try_from(n % 3).unwrap())));
            rows.book(at(t), &BookSides { bids: &bids, asks: &asks }, 1);
        }
        made
    }

    #[test]
    fn rows_begin_again_with_the_first_state_behind_an_absence() {
        let (mid, vol) = (place_of("mid_price").unwrap(), place_of("realized_vol_60s").unwrap());
        for away in [Span::secs(6), Span::mins(2), Span::hours(2), Span::days(40)] {
            let mut rows = SecondRows::new(None, SessionSet::UTC);
            let begin = Ts::from_civil(2026, 2, 5, 14, 0, 0);
            let before = listen(&mut rows, begin);
            let last = begin + Span::secs(120);
            rows.lost(RecordedFeed::Book, last);
            let back = last + away;
            rows.resumed(back);
            assert!(rows.due(back + Span::hours(1)).is_none(), "nobody was there: {away:?}");
            // The venue takes three seconds to send a book.
            let after = listen(&mut rows, back + Span::secs(3));
            let expected = (back + Span::secs(4), before.len());
            assert_eq!((after[0].0, after.len()), expected, "{away:?}");
            assert!(after.iter().all(|(_, row)| row.get(mid).is_ok()), "{away:?}");
            // What is summed over a minute knows of the absence as long as it is in it.
            assert!(after[10].1.get(vol).is_err_and(|why| matches!(why, Reason::Gap | Reason::Warming)), "{away:?}");
            assert!(after[100].1.get(vol).is_ok(), "{away:?}: {:?}", after[100].1.get(vol));
        }
    }
}
