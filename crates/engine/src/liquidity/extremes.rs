//! Highest and lowest price of a day or session, complete when it ends (features §3, §4.2, A12).
//!
//! Which sessions there are is the caller's: a period is known by its start and end. Fed with the finest closed bars, so an
//! hour too thin to be a bar still has its high and low.

use crate::features::run::BarSeries;
use barograph_domain::{LevelType, TradingSession, Ts};
use serde::{Deserialize, Serialize};

/// A day or a session.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Period {
    /// Which session; `None` for a UTC day.
    pub session: Option<TradingSession>,
    /// First instant.
    pub start: Ts,
    /// First instant after it.
    pub end: Ts,
}

impl Period {
    /// Types of its extremes (low, high).
    #[must_use]
    pub const fn kinds(&self) -> [LevelType; 2] {
        if self.session.is_some() {
            [LevelType::SessionLow, LevelType::SessionHigh]
        } else {
            [LevelType::PrevDayLow, LevelType::PrevDayHigh]
        }
    }
}

/// A price and the close of the bar that made it.
#[derive(Clone, Copy, PartialEq, Debug, Serialize, Deserialize)]
pub struct Extreme {
    /// The price.
    pub price: f64,
    /// Close of the first bar that reached it.
    pub close_ts: Ts,
}

/// Extremes of a period so far.
#[derive(Clone, Copy, PartialEq, Debug, Serialize, Deserialize)]
pub struct PeriodExtremes {
    /// Of which period.
    pub period: Period,
    /// Lowest price.
    pub low: Extreme,
    /// Highest price.
    pub high: Extreme,
    /// Close of the first bar seen in it.
    pub first: Ts,
    /// Bars seen in it.
    pub bars: u32,
}

impl PeriodExtremes {
    #[inline]
    fn add(&mut self, close_ts: Ts, low: f64, high: f64) {
        self.bars = self.bars.saturating_add(1);
        if low < self.low.price {
            self.low = Extreme { price: low, close_ts };
        }
        if high > self.high.price {
            self.high = Extreme { price: high, close_ts };
        }
    }
}

/// The running period and the last complete one.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
pub struct Extremes {
    running: Option<PeriodExtremes>,
    complete: Option<PeriodExtremes>,
}

impl Extremes {
    /// Takes a closed bar that lies within the period under way and does not end it; `false` where there is no such period, and
    /// [`Extremes::push`] is to be asked. Periods must not overlap.
    #[inline]
    pub fn goes_on(&mut self, close_ts: Ts, low: f64, high: f64) -> bool {
        let Some(range) = &mut self.running else { return false };
        if close_ts >= range.period.end || close_ts <= range.period.start {
            return false;
        }
        range.add(close_ts, low, high);
        true
    }

    /// The period under way, where a bar that closes at `close_ts` lies within it.
    #[must_use]
    pub fn period_at(&self, close_ts: Ts) -> Option<Period> {
        let period = self.running.as_ref()?.period;
        (period.start < close_ts && close_ts <= period.end).then_some(period)
    }

    /// [`Extremes::push`] for the bars of a run from `from` up to `upto`, all of them within `period`.
    pub fn push_run(
        &mut self,
        period: Period,
        run: &BarSeries<'_>,
        (from, upto): (usize, usize),
    ) -> [Option<PeriodExtremes>; 2] {
        let first = self.push(period, run.close_ts(from), run.low[from], run.high[from]);
        if from + 1 >= upto {
            return first;
        }
        self.go_on(run, from + 1, upto);
        let ended = if run.close_ts(upto - 1) >= period.end { self.running.take() } else { None };
        if ended.is_some() {
            self.complete = ended;
        }
        [first[0], ended]
    }

    /// [`Extremes::goes_on`] for the bars of a run from `from` up to `upto`, for all of which it holds.
    fn go_on(&mut self, run: &BarSeries<'_>, from: usize, upto: usize) {
        let Some(range) = &mut self.running else { return };
        let (mut low, mut high) = ((range.low.price, None), (range.high.price, None));
        for (i, (l, h)) in (from..).zip(run.low[from..upto].iter().zip(&run.high[from..upto])) {
            low = if *l < low.0 { (*l, Some(i)) } else { low };
            high = if *h > high.0 { (*h, Some(i)) } else { high };
        }
        for (extreme, (price, i)) in [(&mut range.low, low), (&mut range.high, high)] {
            if let Some(i) = i {
                *extreme = Extreme { price, close_ts: run.close_ts(i) };
            }
        }
        range.bars = range.bars.saturating_add(u32::try_from(upto - from).unwrap_or(u32::MAX));
    }

    /// Takes a closed bar of a period; the period that this completes, if it does. A period without its last bar is
    /// complete when the first bar of another one comes, which may end its own at once; hence a pair.
    pub fn push(&mut self, period: Period, close_ts: Ts, low: f64, high: f64) -> [Option<PeriodExtremes>; 2] {
        let before = self.running.take_if(|r| r.period != period);
        let fresh = |price| Extreme { price, close_ts };
        let range = self.running.get_or_insert_with(|| PeriodExtremes {
            period,
            low: fresh(low),
            high: fresh(high),
            first: close_ts,
            bars: 0,
        });
        range.add(close_ts, low, high);
        let ended = if close_ts >= period.end { self.running.take() } else { None };
        if ended.is_some() || before.is_some() {
            self.complete = ended.or(before);
        }
        [before, ended]
    }

    /// The period that is running.
    #[must_use]
    pub fn running(&self) -> Option<&PeriodExtremes> {
        self.running.as_ref()
    }

    /// The last one that is complete.
    #[must_use]
    pub fn complete(&self) -> Option<&PeriodExtremes> {
        self.complete.as_ref()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use barograph_domain::Span;

    #[test]
    fn a_period_is_complete_at_its_end_or_when_another_begins() {
        let day = |n: i64| Period { session: None, start: Ts(0) + Span::days(n), end: Ts(0) + Span::days(n + 1) };
        let at = |d: i64, h: i64| Ts(0) + Span::days(d) + Span::hours(h);
        let mut e = Extremes::default();
        assert_eq!(e.push(day(0), at(0, 1), 9.0, 11.0), [None; 2]);
        assert_eq!(e.push(day(0), at(0, 2), 9.0, 12.0), [None; 2]);
        let [None, Some(done)] = e.push(day(0), at(1, 0), 10.0, 12.0) else { panic!("the day has ended") };
        assert_eq!((done.low.close_ts, done.high.close_ts, done.bars), (at(0, 1), at(0, 2), 3));
        e.push(day(1), at(1, 1), 5.0, 6.0);
        let [Some(cut), None] = e.push(day(2), at(2, 1), 7.0, 8.0) else { panic!("another day") };
        assert_eq!((cut.period, e.complete().map(|r| r.high.price)), (day(1), Some(6.0)));
        assert_eq!(e.running().map(|r| r.bars), Some(1));
    }
}
