//! A market followed through time: states of its book and trades in the order of receipt, a row for each second.
//!
//! A row is made once, when all that counts for it has arrived; what arrives later counts for later rows.

use crate::latency::Latency;
use crate::market_book::{MarketBook, SECOND, end_of, second_of};
use crate::market_trades::MarketTrades;
use crate::row::ResearchRow;
use crate::windows::Windows;
use barograph_domain::cell::Reason;
use barograph_domain::depth::BookSides;
use barograph_domain::time::DAY;
use barograph_domain::{Ts, math};

/// When something happened and when it could be used.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Arrival {
    /// By the venue's clock.
    pub event: Ts,
    /// By ours.
    pub recv: Ts,
}

/// What other feeds say at the moment of a row.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct OtherFeeds {
    /// Columns 174 to 185.
    pub derivatives: [Result<f64, Reason>; 12],
    /// 0 Asian, 1 London, 2 New York, 3 rollover.
    pub session: u8,
    /// Column 190.
    pub session_vol_ratio: Result<f64, Reason>,
    /// Columns 191 to 193.
    pub venues: [Result<f64, Reason>; 3],
}

impl Default for OtherFeeds {
    fn default() -> Self {
        let none = Err(Reason::MissingInput);
        Self { derivatives: [none; 12], session: 0, session_vol_ratio: none, venues: [none; 3] }
    }
}

/// One market.
#[derive(Clone, Debug)]
pub struct MarketColumns {
    book: MarketBook,
    trades: MarketTrades,
    windows: Windows,
    latency: Latency,
    /// The next second that has no row.
    next: Option<i64>,
    late: u64,
    /// A minute of the day, with its sine and cosine.
    clock: (i64, [f64; 2]),
}

impl MarketColumns {
    /// Nothing is known yet; `tick` is the smallest step of prices, where it is known.
    #[must_use]
    pub fn new(tick: Option<f64>) -> Self {
        Self {
            book: MarketBook::new(tick),
            trades: MarketTrades::default(),
            windows: Windows::new(),
            latency: Latency::default(),
            next: None,
            late: 0,
            clock: (-1, [0.0; 2]),
        }
    }

    /// The same market, of which nothing is known any more.
    #[must_use]
    pub fn anew(&self, tick: Option<f64>) -> Self {
        Self { late: self.late, ..Self::new(tick) }
    }

    /// Trades are listened to from a moment on, whether or not there are any.
    pub fn trades_begin(&mut self, at: Ts) {
        self.trades.begin(at);
        self.windows.begin(at);
        // Seconds before the first state of the book have rows too.
        self.book.listen(at);
    }

    /// The book changed, from one state to the next, by one update of the venue to so many levels. The first state, also after a gap, is
    /// the first of a series.
    pub fn book(&mut self, at: Arrival, before: &BookSides<'_>, after: &BookSides<'_>, updates: u32) {
        self.windows.begin(at.event);
        self.book.until(at.event, before);
        // Up to this moment the state before was in force.
        self.trades.mark(Ts(at.event.0 - 1), |due| self.book.quote(due));
        let delay = at.recv - at.event;
        if let Some((second, late)) = self.book.change(at.event, delay, after, updates) {
            self.late += 1;
            self.windows.amend_book(second, &late);
            self.latency.add(second, delay);
        }
    }

    /// A trade, of a buyer or a seller who took liquidity: price, base.
    pub fn trade(&mut self, at: Arrival, price: f64, qty: f64, is_buy: bool) {
        self.trades.until(at.event);
        if let Some((second, late)) = self.trades.trade(at.event, (price, qty, is_buy), self.book.quote(at.event)) {
            self.late += 1;
            self.windows.amend_trades(second, &late);
        }
    }

    /// Changes of the book and trades that arrived after the row of their second was made: they count there for later rows.
    #[must_use]
    pub const fn late(&self) -> u64 {
        self.late
    }

    /// Changes of the book are missing from a moment on, until its next state.
    pub fn book_gap(&mut self, at: Ts, before: &BookSides<'_>) {
        self.book.until(at, before);
        self.book.gap();
    }

    /// Trades are missing from a moment on, until they are listened to again.
    pub fn trades_gap(&mut self, at: Ts) {
        self.trades.gap(at);
    }

    /// Everything that counts for the second that ends at `t` has arrived: its row. `now` is the book as it stands, which is not asked
    /// where it has changed since `t`. Seconds that were left out have no rows; windows count them.
    pub fn close(&mut self, t: Ts, now: &BookSides<'_>, known: &OtherFeeds) -> Box<ResearchRow> {
        let second = second_of(t);
        let after = Ts(end_of(second).0 + 1);
        self.book.until(after, now);
        self.trades.until(after);
        self.trades.mark(end_of(second), |due| self.book.quote(due));
        let mut row = None;
        // What happened before the first row counts in its windows.
        for at in self.next.or_else(|| self.book.oldest()).unwrap_or(second)..=second {
            let Some(book) = self.book.over(at) else { continue };
            if self.next.is_none() && at < second {
                book.forget_state();
            }
            let traded = self.trades.take(at);
            let matured = self.trades.take_matured(at);
            self.windows.push(book, traded.as_ref(), matured);
            book.delays.iter().for_each(|delay| self.latency.add(at, *delay));
            if at == second {
                let mut own = book.row.take().unwrap_or_default();
                self.windows.fill(book, traded.as_ref(), &mut own);
                row = Some(own);
            }
        }
        self.book.let_go(second);
        self.next = Some(second + 1);
        let mut row = row.unwrap_or_default();
        self.fill_known(t, known, &mut row);
        row
    }

    fn fill_known(&mut self, t: Ts, known: &OtherFeeds, row: &mut ResearchRow) {
        for (n, value) in known.derivatives.into_iter().enumerate() {
            row.put_or(at::DERIVATIVES + n, value);
        }
        let minute = t.0.rem_euclid(DAY.0).div_euclid(60 * SECOND.0);
        if self.clock.0 != minute {
            let angle = core::f64::consts::TAU * minute as f64 / 1_440.0;
            self.clock = (minute, [math::sin(angle), math::cos(angle)]);
        }
        row.put(at::SESSION, f64::from(known.session));
        row.put_all(at::SESSION + 1, &self.clock.1);
        // 1 January 1970 was a Thursday.
        row.put(at::SESSION + 3, (t.0.div_euclid(DAY.0) + 3).rem_euclid(7) as f64);
        row.put_or(at::SESSION + 4, known.session_vol_ratio);
        for (n, value) in known.venues.into_iter().enumerate() {
            row.put_or(at::VENUES + n, value);
        }
        row.put_or(at::LATENCY, self.latency.median(second_of(t)).ok_or(Reason::Warming));
    }
}

/// Places of columns that other feeds say.
pub(crate) mod at {
    pub(crate) const DERIVATIVES: usize = 173;
    pub(crate) const SESSION: usize = 185;
    pub(crate) const VENUES: usize = 190;
    pub(crate) const LATENCY: usize = 195;
}
