//! Patterns in books and trades (surveillance §5): six detectors over one accounting of what happened at each price.
//!
//! One [`OrderFlow`] follows one market. It takes states of the book, trades, what is known of funding and the clock, in order of
//! time, and gives records of alerts as the other detectors do: one machine of episodes, the score of all evidence, base rates,
//! suspension while a stream is lost. It judges at the end of every second, so that how input is cut into calls changes nothing.
//! Parts: [`accounting`] adds, trades and cancels at a price; `posted` large orders that are followed; `usual` what the market's own
//! last day was like; `seconds`, `hours` what trades come to; one file for each detector; `watch` episodes and records.
//!
//! A feed of levels knows neither orders nor accounts. What is found is consistent with a behaviour; nothing more is known.

pub mod accounting;
mod facts;
mod feint;
mod finding;
mod funding_minute;
mod hours;
mod layering;
mod limits;
mod posted;
mod pump;
mod recent;
mod rise;
mod seconds;
mod spoofing;
mod stack;
mod stuffing;
mod thresholds;
mod usual;
mod view;
mod wash;
mod wash_signs;
mod wash_tape;
mod watch;
mod window_pressure;

pub use accounting::{BookState, FlowAccounting, FlowLevel, LevelFlow, RestingSide};
pub use finding::{EvidenceStrength, FlowFinding, FlowVerdict, Strengths, union_score};
pub use limits::FlowLimits;
pub use thresholds::{FLOW_KEYS, FlowKey, FlowThresholds};
pub use wash_signs::WashSigns;
pub use wash_tape::{TAPE_HOURS_MAX, TapeSpanFault, WashHour, WashTape};
pub use watch::FLOW_PATTERNS;

use barograph_domain::{Alert, OpenExperimental, Pattern, Side, Span, Ts};
use facts::RecentFlow;
use hours::Hours;
use posted::{BookMoment, Posted};
use seconds::{SecondSum, Seconds, Tenths};
use serde::{Deserialize, Serialize};
use usual::Usual;
use view::FlowView;
use watch::FlowWatch;

const SECOND: Span = Span::secs(1);
/// Seconds that are closed one by one after a pause; over a longer one nothing can be claimed and the rings begin anew.
const PAUSE_MAX: i64 = 900;
/// Levels of each side whose distances give the tick.
const TICK_LEVELS: usize = 10;

/// Which of a market's streams.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum FlowStream {
    /// States of the book.
    Book,
    /// Trades of the market, one by one.
    Trades,
}

/// What is known of an hour from elsewhere; each is `None` where it is not.
#[derive(Clone, Copy, PartialEq, Debug, Default, Serialize, Deserialize)]
pub struct HourContext {
    /// Rank of its realised volatility among 30 days, in 0 to 1.
    pub volatility_pct: Option<f64>,
    /// Rank of the size of its change of open interest among 30 days, in 0 to 1.
    pub open_interest_pct: Option<f64>,
    /// Median over other venues of the effect of first digits against Benford's law.
    pub digits_elsewhere: Option<f64>,
}

/// One input of a market.
#[derive(Clone, Copy, Debug)]
pub enum FlowInput<'a> {
    /// The book is like this now.
    Book(BookState<'a>),
    /// A trade: price in quote, quantity in base.
    Trade {
        /// Price, in quote.
        price: f64,
        /// Base quantity.
        qty: f64,
        /// Side that took; where it is not known, that of the nearer side of the book.
        aggressor_side: Option<Side>,
    },
    /// A stream runs.
    Begins(FlowStream),
    /// A stream is lost: nothing is known of it until it begins again.
    Lost(FlowStream),
    /// Mark over index, less one.
    Premium(f64),
    /// When funding is settled next.
    NextFunding(Ts),
    /// What is known of the hour that ends next, from elsewhere.
    Hour(HourContext),
    /// Time passed.
    Tick,
}

/// Ten to a whole power, as a decimal of the venue is read.
fn pow10(exponent: f64) -> f64 {
    barograph_domain::math::pow(10.0, exponent)
}

/// One market as a detector looks at it; a function would borrow its detectors as well.
macro_rules! view_of {
    ($of:ident, $now:expr, $t:expr) => {
        FlowView {
            now: $now,
            t: $t,
            usual: &$of.usual,
            posted: &mut $of.posted,
            seconds: &mut $of.seconds,
            tenths: &$of.tenths,
            tick: $of.tick.unwrap_or(1) as f64,
            has_book: $of.book,
            has_trades: $of.trades,
        }
    };
}

/// All detectors of one market, with everything they remember.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct OrderFlow {
    /// Prices are whole numbers of `10^-scale`.
    scale: u8,
    accounting: FlowAccounting,
    posted: Posted,
    usual: Usual,
    seconds: Seconds,
    tenths: Tenths,
    hours: Hours,
    context: HourContext,
    recent: RecentFlow,
    watch: FlowWatch,
    /// The second under way and its number.
    open: SecondSum,
    second: Option<i64>,
    now: Ts,
    last_book: Option<Ts>,
    tick: Option<i64>,
    book: bool,
    trades: bool,
    #[serde(skip)]
    flows: Vec<LevelFlow>,
}

impl OrderFlow {
    /// A market whose prices are whole numbers of `10^-scale`; nothing is known of it yet.
    #[must_use]
    pub fn new(scale: u8) -> Self {
        Self {
            scale,
            accounting: FlowAccounting::default(),
            posted: Posted::default(),
            usual: Usual::default(),
            seconds: Seconds::default(),
            tenths: Tenths::default(),
            hours: Hours::begin(),
            context: HourContext::default(),
            recent: RecentFlow::default(),
            watch: FlowWatch::default(),
            open: SecondSum::default(),
            second: None,
            now: Ts::MIN,
            last_book: None,
            tick: None,
            book: false,
            trades: false,
            flows: Vec::new(),
        }
    }

    /// Takes one input; records that follow are added to `out`. Times never go back: an earlier one counts as the newest.
    pub fn step(&mut self, at: Ts, input: FlowInput<'_>, t: &FlowThresholds, out: &mut Vec<Alert>) {
        self.reach(at, t, out);
        let at = self.now;
        match input {
            FlowInput::Book(state) => self.take_book(at, state, t),
            FlowInput::Trade { price, qty, aggressor_side } => self.trade(at, price, qty, aggressor_side),
            FlowInput::Begins(FlowStream::Book) => self.book = true,
            FlowInput::Begins(FlowStream::Trades) => self.trades = true,
            FlowInput::Lost(FlowStream::Book) => self.lose_book(),
            FlowInput::Lost(FlowStream::Trades) => self.lose_trades(),
            FlowInput::Premium(premium) => self.watch.pressure.premium(premium),
            FlowInput::NextFunding(next) => self.watch.pressure.next_funding(next),
            FlowInput::Hour(context) => self.context = context,
            FlowInput::Tick => {}
        }
    }

    /// Scale of its prices.
    #[must_use]
    pub const fn scale(&self) -> u8 {
        self.scale
    }

    /// Does the book come often enough for the detectors of books? `false` as well before that is known.
    #[must_use]
    pub fn is_offered(&self, t: &FlowThresholds) -> bool {
        self.usual.levels.interval_ms.is_some_and(|ms| ms <= t.book_interval_ms)
    }

    /// How far first digits of this hour's sizes are from Benford's law so far, as sign (b) of WASH_TRADING measures it. `None` before
    /// there are trades enough for that sign, where sizes span less than two decades, and where part of the hour was not seen.
    #[must_use]
    pub fn digits_so_far(&self, t: &FlowThresholds) -> Option<f64> {
        let hour = &self.hours.open;
        let enough = !hour.broken && f64::from(hour.trades) >= t.wash_trades;
        hour.first_digits().filter(|_| enough).map(|digits| digits.effect)
    }

    /// Of each detector: could it judge the last second that is over?
    #[must_use]
    pub fn judges(&mut self, t: &FlowThresholds) -> [(Pattern, bool); FLOW_PATTERNS.len()] {
        let view = view_of!(self, self.now, t);
        let watch = &self.watch;
        FLOW_PATTERNS.map(|pattern| (pattern, watch.is_known(pattern, &view)))
    }

    /// Its open episodes, as a row of this moment has them.
    #[must_use]
    pub fn open(&self, ts: Ts) -> OpenExperimental {
        self.watch.open(ts)
    }

    fn take_book(&mut self, at: Ts, state: BookState<'_>, t: &FlowThresholds) {
        let (Some(bid), Some(ask)) = (state.bids.first(), state.asks.first()) else { return self.lose_book() };
        self.book = true;
        if let Some(last) = self.last_book.replace(at).filter(|last| at > *last) {
            self.usual.interval(at, at - last);
        }
        for side in [state.bids, state.asks] {
            let gaps = side.iter().zip(side.iter().skip(1)).take(TICK_LEVELS).map(|(a, b)| (a.units - b.units).abs());
            self.tick = gaps.chain(self.tick).filter(|gap| *gap > 0).min();
        }
        let mid2 = (bid.units + ask.units) as f64;
        let now = BookMoment {
            at,
            mid2,
            spread: (ask.units - bid.units) as f64,
            moved: self.open.mid.replace(mid2).map_or(0.0, |before| 0.5 * (mid2 - before)),
            tick: self.tick.unwrap_or(1) as f64,
        };
        let mut flows = core::mem::take(&mut self.flows);
        flows.clear();
        self.accounting.update(at, state, &mut flows);
        let reach = 0.5 * mid2 * t.band_bps / 1e4;
        for flow in flows.iter().filter(|f| (f.units as f64 - 0.5 * mid2).abs() <= reach) {
            self.open.updates = self.open.updates.saturating_add(u32::from(flow.late <= 0.0));
            self.posted.flow(flow, now, state, &mut self.usual, t);
        }
        // Kept for its memory alone: it is no part of what a market is.
        flows.clear();
        self.flows = flows;
    }

    fn trade(&mut self, at: Ts, price: f64, qty: f64, aggressor_side: Option<Side>) {
        #[expect(clippy::cast_possible_truncation, reason = "a price of a venue in its own scale")]
        let units = (price * pow10(f64::from(self.scale))).round() as i64;
        let side = match aggressor_side {
            Some(Side::Long) => RestingSide::Ask,
            Some(Side::Short) => RestingSide::Bid,
            None => match self.open.mid {
                Some(mid2) if 2.0 * units as f64 > mid2 => RestingSide::Ask,
                Some(_) => RestingSide::Bid,
                None => return,
            },
        };
        self.trades = true;
        self.accounting.trade(side, units, qty);
        self.tenths.trade(at, side, qty);
        self.hours.trade(at, (units, self.tick.unwrap_or(1) as f64), qty, side);
        self.recent.trade(at, price, qty, side == RestingSide::Ask);
        self.watch.pressure.trade(at, side, qty);
        self.open.trades = self.open.trades.saturating_add(1);
        match side {
            RestingSide::Ask => self.open.bought += qty,
            RestingSide::Bid => self.open.sold += qty,
        }
    }

    /// Ends what is open, each with a record, because nothing follows it any more.
    pub fn end(&mut self, at: Ts, out: &mut Vec<Alert>) {
        self.watch.end(at, out);
    }

    fn lose_book(&mut self) {
        (self.book, self.last_book, self.open.mid) = (false, None, None);
        self.accounting.lose();
        self.posted.lose();
        self.recent.lose_book();
        self.watch.stuffing.lose();
    }

    fn lose_trades(&mut self) {
        self.trades = false;
        self.hours.lose();
        self.watch.pressure.lose();
    }

    /// Closes the seconds that are over.
    fn reach(&mut self, at: Ts, t: &FlowThresholds, out: &mut Vec<Alert>) {
        self.now = self.now.max(at);
        let second = self.now.0.div_euclid(SECOND.0);
        let first = *self.second.get_or_insert(second);
        if second - first > PAUSE_MAX {
            self.second = Some(second);
            self.hours.lose();
        }
        while let Some(over) = self.second.filter(|open| *open < second) {
            self.second = Some(over + 1);
            self.close(over, t, out);
        }
    }

    /// A second is over.
    fn close(&mut self, second: i64, t: &FlowThresholds, out: &mut Vec<Alert>) {
        let now = Ts((second + 1) * SECOND.0);
        // The middle stands until it moves.
        let next = SecondSum { mid: self.open.mid, ..SecondSum::default() };
        self.seconds.push(second, core::mem::replace(&mut self.open, next));
        if self.book {
            self.recent.book(now, self.accounting.state());
        }
        self.hours.second(second, &self.seconds);
        self.posted.second(now, &mut self.usual);
        let mut view = view_of!(self, now, t);
        self.watch.spoofing.second(&mut view);
        self.watch.layering.second(&mut view);
        let hit = self.watch.stuffing.second(&view);
        self.watch.pump.second(second, &view, &self.hours);
        self.watch.pressure.second(&view);
        if (second + 1) % 3_600 == 0 {
            let (hour, row) = self.hours.close(second.div_euclid(3_600));
            if self.watch.wash.hour((&hour, &row), &self.hours, &self.context, t) {
                self.hours.keep(row);
            }
            self.context = HourContext::default();
        }
        self.watch.judge(&view, (&self.recent, self.scale), out);
        self.usual.second(now, &self.seconds, hit, t);
    }
}
