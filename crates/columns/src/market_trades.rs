//! The trades of a market, second by second, with the mids before and five seconds after them.

use crate::flow::{Flow, Matured, TakenTrade};
use crate::hist::Hist;
use crate::market_book::{Quote, SECOND, end_of, second_of};
use crate::merge::{Merge as _, merge_fields};
use crate::seconds::Listened;
use crate::vpin::{BUCKETS, Vpin};
use barograph_domain::time::DAY;
use barograph_domain::{Span, Ts};
use std::collections::VecDeque;

/// A mark-out looks so far ahead.
const MARK_OUT: Span = Span::secs(5);
/// The size from which on a trade is large is asked of a day's sizes.
const LARGE: f64 = 0.95;
/// Hours of sizes that this needs.
const HOURS_MIN: usize = 6;
const HOUR: Span = Span::hours(1);

/// Trades of a second, of which some are large.
#[derive(Clone, Copy, PartialEq, Debug, Default)]
pub(crate) struct TradeFlow {
    pub(crate) flow: Flow,
    /// Trades of which it is known whether they are large, and the base of those that are.
    pub(crate) sized: u32,
    pub(crate) large: f64,
}

merge_fields!(TradeFlow { flow, sized, large });

impl TradeFlow {
    /// One more trade; `large` is the size from which on it is a large one, where that is known.
    fn add(&mut self, taken: &TakenTrade, large: Option<f64>) {
        self.flow.take(taken);
        if let Some(large) = large {
            self.sized += 1;
            self.large += if taken.qty >= large { taken.qty } else { 0.0 };
        }
    }
}

/// A second that is over by the venue's clock.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(crate) struct TradeSecond {
    pub(crate) second: i64,
    pub(crate) heard: Listened,
    pub(crate) trades: TradeFlow,
    /// Trades of one direction in a row, those of sellers negative; `None` where none is known since a gap.
    pub(crate) run: Option<f64>,
    pub(crate) vpin: Option<f64>,
    /// The stream was listened to at the end of it.
    pub(crate) live: bool,
}

/// A trade that waits for its later mid.
#[derive(Clone, Copy, PartialEq, Debug)]
struct Pending {
    due: Ts,
    taken: TakenTrade,
    /// Before it; `None` where the book was not to be used.
    spread_bps: Option<f64>,
}

/// All trades of a market.
#[derive(Clone, Debug)]
pub(crate) struct MarketTrades {
    /// Was anything ever heard of trades? Seconds before are kept from then on, as far as their rows are to come.
    any: bool,
    /// The first second whose row is to come.
    waiting: Option<i64>,
    begun: Option<Ts>,
    in_gap: bool,
    gap_now: bool,
    /// From when on trades of the second under way are missing, and what of it was missing before.
    missing: Option<Ts>,
    lost: Span,
    flow: TradeFlow,
    second: Option<i64>,
    over: VecDeque<TradeSecond>,
    last: Option<(Ts, bool)>,
    run: i64,
    sizes: Hist<1>,
    pending: VecDeque<Pending>,
    /// The mid is known up to here.
    marked: Option<Ts>,
    /// By the second in which the later mid came into force.
    matured: VecDeque<(i64, Matured)>,
    /// The day under way, its volume, and whether all of it is known.
    day: Option<(i64, f64, bool)>,
    vpin: Option<Vpin>,
}

impl Default for MarketTrades {
    fn default() -> Self {
        Self {
            any: false,
            waiting: None,
            begun: None,
            in_gap: false,
            gap_now: false,
            missing: None,
            lost: Span(0),
            flow: TradeFlow::EMPTY,
            second: None,
            over: VecDeque::new(),
            last: None,
            run: 0,
            sizes: Hist::new([LARGE]),
            pending: VecDeque::new(),
            marked: None,
            matured: VecDeque::new(),
            day: None,
            vpin: None,
        }
    }
}

impl MarketTrades {
    /// The stream of trades is listened to from a moment on, whether or not there are any.
    pub(crate) fn begin(&mut self, at: Ts) {
        self.until(at);
        self.hear();
        self.begun = self.begun.or(Some(at));
        self.missing.take().into_iter().for_each(|from| self.lost = self.lost + (at - from));
        self.gap_now |= core::mem::take(&mut self.in_gap);
    }

    /// Something was heard of trades: seconds that are over and wait for their rows are kept.
    fn hear(&mut self) {
        if core::mem::replace(&mut self.any, true) {
            return;
        }
        for second in self.waiting.into_iter().zip(self.second).flat_map(|(from, now)| from..now) {
            self.end(second);
        }
    }

    /// Something happens at a moment: seconds that ended before it are over.
    pub(crate) fn until(&mut self, event: Ts) {
        let now = second_of(event);
        let mut second = *self.second.get_or_insert(now);
        self.waiting.get_or_insert(second);
        while self.any && second < now {
            self.end(second);
            second += 1;
        }
        self.second = Some(second.max(now));
    }

    fn end(&mut self, second: i64) {
        let whole = self.begun.is_some_and(|begun| begun <= end_of(second) - SECOND) && !self.in_gap && !self.gap_now;
        let trades = core::mem::take(&mut self.flow);
        let until_end = self.missing.map_or(Span(0), |from| end_of(second) - from);
        self.missing = self.missing.map(|_| end_of(second));
        let lost_ns = u64::try_from((core::mem::take(&mut self.lost) + until_end).0).unwrap_or(0);
        let gaps = u32::from(self.in_gap || self.gap_now);
        let heard = Listened { whole: u32::from(whole), gaps, lost_ns };
        self.gap_now = false;
        let vpin = self.vpin.as_ref().and_then(Vpin::value);
        let run = self.run_now();
        self.over.push_back(TradeSecond { second, heard, trades, run, vpin, live: self.begun.is_some() });
    }

    /// A trade; `quote` was in force before it. It counts at its own second: where the row of that is made already, what it adds is
    /// handed back.
    pub(crate) fn trade(
        &mut self,
        event: Ts,
        (price, qty, is_buy): (f64, f64, bool),
        quote: Option<Quote>,
    ) -> Option<(i64, TradeFlow)> {
        let taken = TakenTrade {
            price,
            qty,
            is_buy,
            mid: quote.map(|(mid, _)| mid),
            since_ns: self.last.map(|(before, _)| (event - before).0),
            before_is_buy: self.last.map(|(_, is_buy)| is_buy),
        };
        self.hear();
        let hour = event.0.div_euclid(HOUR.0);
        self.sizes.reach(hour);
        let known = self.sizes.hours() > HOURS_MIN;
        let large = if known { self.sizes.quantiles() } else { None }.map(|[large]| large);
        self.sizes.add(hour, qty);
        let sign = if is_buy { 1 } else { -1 };
        self.run = if self.run.signum() == sign { self.run + sign } else { sign };
        self.last = Some((event, is_buy));
        let spread_bps = quote.map(|(_, spread_bps)| spread_bps);
        self.wait(Pending { due: event + MARK_OUT, taken, spread_bps });
        self.count_volume(event, qty);
        if let Some(vpin) = &mut self.vpin {
            vpin.trade(qty, is_buy);
        }
        let second = second_of(event);
        if self.second == Some(second) {
            self.flow.add(&taken, large);
            return None;
        }
        let (run, vpin) = (self.run_now(), self.vpin.as_ref().and_then(Vpin::value));
        let Some(at) = self.over.iter().position(|one| one.second == second) else {
            let mut late = TradeFlow::EMPTY;
            late.add(&taken, large);
            return Some((second, late));
        };
        self.over[at].trades.add(&taken, large);
        // Runs and buckets go by the order of receipt.
        self.over.range_mut(at..).for_each(|one| (one.run, one.vpin) = (run, vpin));
        None
    }

    /// Waits for the mid after a trade, in the order in which they are due. What is due before the newest mark comes too late for one.
    fn wait(&mut self, one: Pending) {
        if self.marked.is_some_and(|upto| one.due <= upto) {
            return;
        }
        let before = self.pending.iter().rev().take_while(|other| other.due > one.due).count();
        self.pending.insert(self.pending.len() - before, one);
    }

    fn run_now(&self) -> Option<f64> {
        (self.run != 0).then_some(self.run as f64)
    }

    /// A bucket of a day is a fiftieth of the whole day before.
    fn count_volume(&mut self, event: Ts, qty: f64) {
        let today = event.0.div_euclid(DAY.0);
        match self.day {
            Some((day, ..)) if day == today => {}
            // The bucket of the day under way stands.
            Some((day, ..)) if day > today => return,
            before => {
                let whole = before.filter(|(day, volume, whole)| *whole && *day + 1 == today && *volume > 0.0);
                match (whole, &mut self.vpin) {
                    (Some((_, volume, _)), Some(vpin)) => vpin.resize(volume / BUCKETS as f64),
                    (Some((_, volume, _)), none) => *none = Some(Vpin::new(volume / BUCKETS as f64, BUCKETS)),
                    (None, vpin) => *vpin = None,
                }
                let begins = Ts(today * DAY.0);
                self.day = Some((today, 0.0, self.begun.is_some_and(|begun| begun <= begins) && !self.in_gap));
            }
        }
        if let Some((_, volume, _)) = &mut self.day {
            *volume += qty;
        }
    }

    /// Trades are missing from here on, until they are listened to again.
    pub(crate) fn gap(&mut self, at: Ts) {
        self.until(at);
        self.hear();
        self.in_gap = true;
        self.gap_now = true;
        self.missing = self.missing.or(Some(at));
        self.begun = None;
        self.last = None;
        self.run = 0;
        if let Some(vpin) = &mut self.vpin {
            vpin.forget();
        }
        if let Some((_, _, whole)) = &mut self.day {
            *whole = false;
        }
    }

    /// The mid that was in force up to a moment is known: trades that are due by then have their mark.
    pub(crate) fn mark(&mut self, upto: Ts, quote_at: impl Fn(Ts) -> Option<Quote>) {
        self.marked = self.marked.max(Some(upto));
        while self.pending.front().is_some_and(|one| one.due <= upto) {
            let Some(one) = self.pending.pop_front() else { return };
            let Some((later, _)) = quote_at(one.due) else { continue };
            let second = second_of(one.due);
            if self.matured.back().is_none_or(|(last, _)| *last < second) {
                self.matured.push_back((second, Matured::default()));
            }
            if let Some((_, matured)) = self.matured.back_mut() {
                matured.take(&one.taken, one.spread_bps, later);
            }
        }
    }

    /// A second that is over; those before it are let go.
    pub(crate) fn take(&mut self, second: i64) -> Option<TradeSecond> {
        self.waiting = self.waiting.max(Some(second + 1));
        while self.over.front().is_some_and(|one| one.second < second) {
            self.over.pop_front();
        }
        let due = self.over.front().is_some_and(|one| one.second == second);
        if due { self.over.pop_front() } else { None }
    }

    /// Trades whose marks came into force up to a second.
    pub(crate) fn take_matured(&mut self, second: i64) -> Matured {
        let mut sum = Matured::EMPTY;
        while self.matured.front().is_some_and(|(s, _)| *s <= second) {
            if let Some((_, more)) = self.matured.pop_front() {
                sum = sum.merge(more);
            }
        }
        sum
    }
}
