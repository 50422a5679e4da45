//! A whole run of bars pushed at once: part after part instead of bar after bar, to the same state.

use super::{Frame, day_of, windows::Squared};
use crate::features::run::BarSeries;
use crate::liquidity::Added;
use crate::liquidity::extremes::PeriodExtremes;
use barograph_domain::Span;
use barograph_domain::time::DAY;

impl Frame {
    /// As [`Frame::push`] for each bar of a run; bars that are not newer than the last or not on the grid are left out there
    /// and here. How many were taken.
    pub fn push_run(&mut self, run: &BarSeries<'_>) -> usize {
        let run = &BarSeries { phase: self.phase, ..run.even() };
        let n = run.len();
        let index = run.index();
        let fits = run.step == self.step && run.close_ts(0).0 == index * self.step.0 + self.phase.0;
        if n < 2 || !fits || self.newest.is_some_and(|b| index <= b.index) {
            return (0..n).filter(|i| self.push(run.close_ts(*i), &run.sample(*i))).count();
        }
        if self.has_profiles() { self.push_run_by_days(run) } else { self.push_part(run) }
    }

    /// A run that goes on from the newest bar.
    pub(super) fn push_part(&mut self, run: &BarSeries<'_>) -> usize {
        let (n, index) = (run.len(), run.index());
        let squared = self.windows.push_run(run, self.newest.as_ref());
        self.add_run_to_sessions(run, &squared);
        let added = self.add_run_to_extremes(run);
        let chart = self.chart();
        let same = chart.is_some_and(|c| c.atr() == self.liquidity.atr());
        self.liquidity.push_run(run, &added);
        // Both average the ranges of the same bars, so one of them is enough.
        let atr = same.then(|| *self.liquidity.atr());
        if let Some(chart) = &mut self.own {
            chart.push_run(run, atr);
        }
        if let Some(charts) = &mut self.charts {
            charts.push_run(run, if self.own.is_none() { atr } else { None });
        }
        self.newest = Some(run.bar(index, n - 1));
        self.bars += n as u64;
        n
    }

    fn add_run_to_sessions(&mut self, run: &BarSeries<'_>, squared: &Squared) {
        if self.step > Span::hours(8) {
            return;
        }
        let mut at = 0;
        while at < run.len() {
            let close = run.close_ts(at);
            if self.stretch.is_none_or(|r| close > r.until) {
                self.close_session(close);
            }
            let Some(r) = &mut self.stretch else { return };
            let upto = at + run.upto(at, r.until).max(1);
            let of = squared.between(at, upto);
            r.squared = of.iter().fold(r.squared, |a, b| a + b);
            let count = |n: usize| i64::try_from(n).unwrap_or(i64::MAX);
            r.returns += count(of.len());
            let quotes = run.volume[at..upto].iter().zip(&run.close[at..upto]);
            r.quote = quotes.fold(r.quote, |a, (v, c)| a + v * c);
            r.bars += count(upto - at);
            let last = run.close_ts(upto - 1);
            if last == r.until {
                self.close_session(last);
            }
            at = upto;
        }
    }

    /// The levels that complete days and sessions make, each with the bar it is known with.
    fn add_run_to_extremes(&mut self, run: &BarSeries<'_>) -> Vec<Added> {
        if self.step >= DAY {
            return Vec::new();
        }
        let [days, sessions] = [0, 1].map(|which| self.add_run_to_periods(which, run));
        let mut added = Vec::with_capacity(days.len() + sessions.len());
        let mut sessions = sessions.into_iter().peekable();
        for day in days {
            // Of a bar that ends both, the day's come first, as for single bars.
            while let Some(session) = sessions.next_if(|session| session.with < day.with) {
                added.push(session);
            }
            added.push(day);
        }
        added.extend(sessions);
        added
    }

    /// The same of days, or of sessions.
    fn add_run_to_periods(&mut self, which: usize, run: &BarSeries<'_>) -> Vec<Added> {
        // 500 hours have 84 sessions.
        let mut added = Vec::with_capacity(192);
        let mut at = 0;
        while at < run.len() {
            let close = run.close_ts(at);
            let other = || if which == 0 { day_of(close) } else { self.session_of(close) };
            let period = self.extremes[which].period_at(close).unwrap_or_else(other);
            let upto = at + run.upto(at, period.end).max(1);
            if period.end - period.start >= self.step + self.step {
                let [before, ended] = self.extremes[which].push_run(period, run, (at, upto));
                for (with, range) in [(at, before), (upto - 1, ended)] {
                    added.extend(range.iter().flat_map(|range| self.levels_of(range, with)));
                }
            }
            at = upto;
        }
        added
    }

    fn levels_of(&self, range: &PeriodExtremes, with: usize) -> [Added; 2] {
        let [low, high] = range.period.kinds();
        [(low, range.low), (high, range.high)].map(|(kind, extreme)| {
            let formed = (extreme.close_ts - self.phase).0.div_euclid(self.step.0);
            Added { with, kind, price: extreme.price, formed }
        })
    }
}
