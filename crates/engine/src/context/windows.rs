//! Volatility of the last hour, four hours and day from the bars of a frame, and where it stands among the last 90 days
//! (features §2.2, §2.7).
//!
//! Squared returns where a window holds at least twelve, Parkinson's estimator over the bars that tile it otherwise; a
//! window shorter than a bar is not offered. Windows are summed when they are asked for, oldest first.

use crate::features::bars::BuiltBar;
use crate::features::run::BarSeries;
use crate::features::volatility::{COARSE_RETURNS_MIN, parkinson, realized, yearly};
use barograph_domain::math::ln;
use barograph_domain::time::DAY;
use barograph_domain::{Reason, Span, State, Ts};
use serde::{Deserialize, Serialize};
use std::collections::VecDeque;

const HOUR: Span = Span::hours(1);
const DAY_HOURS: usize = 24;
/// Hours of 90 days, and a day before the first.
const HOURS: usize = 2_184;
/// Hourly values below which there is no percentile (features §5).
const RANKED_MIN: usize = 336;
const RANKED: usize = 2_160;

#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
struct Part {
    index: i64,
    close: f64,
    /// Squared return, where the bar before is there.
    squared: Option<f64>,
    /// High over low.
    ratio: f64,
    quote: Option<f64>,
}

#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
struct Hour {
    hour: i64,
    squared: f64,
    n: u32,
}

/// Squared returns of a run; the first bar has none where the bar before it is not there.
pub(super) struct Squared {
    values: Vec<f64>,
    /// Bars at the beginning that have none: one or zero.
    without: usize,
}

impl Squared {
    /// Those of the bars from `from` up to `upto`.
    pub(super) fn between(&self, from: usize, upto: usize) -> &[f64] {
        &self.values[from.saturating_sub(self.without)..upto.saturating_sub(self.without)]
    }
}

/// The last day of bars with the one before it, and the last 90 days of hours.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Windows {
    step: Span,
    /// Bars of a day, at least one.
    day: usize,
    parts: VecDeque<Part>,
    hours: VecDeque<Hour>,
}

impl Windows {
    pub(super) fn new(step: Span) -> Self {
        let day = usize::try_from(DAY.0 / step.0).unwrap_or(1).max(1);
        Self { step, day, parts: VecDeque::with_capacity(32), hours: VecDeque::with_capacity(512) }
    }

    /// A day of bars, and the close it began with.
    const fn kept(&self) -> usize {
        self.day + 1
    }

    /// Takes a bar; its squared return.
    pub(super) fn push(&mut self, close: Ts, bar: &BuiltBar, before: Option<&BuiltBar>) -> Option<f64> {
        let squared = before.filter(|b| b.index + 1 == bar.index).map(|b| {
            let r = ln(bar.close / b.close);
            r * r
        });
        if self.parts.len() == self.kept() {
            self.parts.pop_front();
        }
        self.parts.push_back(part(bar, squared));
        if self.step <= HOUR {
            let hour = close.ceil(HOUR).0 / HOUR.0;
            match self.hours.back_mut().filter(|h| h.hour == hour) {
                Some(h) => {
                    h.squared += squared.unwrap_or(0.0);
                    h.n += u32::from(squared.is_some());
                }
                None => {
                    if self.hours.len() == HOURS {
                        self.hours.pop_front();
                    }
                    let n = u32::from(squared.is_some());
                    self.hours.push_back(Hour { hour, squared: squared.unwrap_or(0.0), n });
                }
            }
        }
        squared
    }

    /// As [`Self::push`] for each bar of a run.
    pub(super) fn push_run(&mut self, run: &BarSeries<'_>, before: Option<&BuiltBar>) -> Squared {
        let (n, first) = (run.len(), run.index());
        let of = |before: f64, close: f64| {
            let r = ln(close / before);
            r * r
        };
        let mut values = Vec::with_capacity(n);
        values.extend(before.filter(|b| b.index + 1 == first).map(|b| of(b.close, run.close[0])));
        let without = 1 - values.len();
        values.extend(run.close.windows(2).map(|c| of(c[0], c[1])));
        let squared = Squared { values, without };
        let shown = n.min(self.kept());
        let surplus = (self.parts.len() + shown).saturating_sub(self.kept());
        self.parts.drain(..surplus);
        self.parts.extend((n - shown..n).map(|i| {
            let bar = run.bar(first, i);
            part(&bar, squared.between(i, i + 1).first().copied())
        }));
        if self.step <= HOUR {
            self.add_run_to_hours(run, &squared);
        }
        squared
    }

    fn add_run_to_hours(&mut self, run: &BarSeries<'_>, squared: &Squared) {
        if self.step == HOUR {
            // Every bar is an hour of its own.
            let shown = run.len().min(HOURS);
            let from = run.len() - shown;
            self.hours.drain(..(self.hours.len() + shown).saturating_sub(HOURS));
            let first = run.close_ts(from).ceil(HOUR).0 / HOUR.0;
            let lone = squared.between(from, from + 1).first().copied();
            self.hours.push_back(Hour { hour: first, squared: lone.unwrap_or(0.0), n: u32::from(lone.is_some()) });
            let rest = squared.between(from + 1, run.len()).iter();
            self.hours.extend((first + 1..).zip(rest).map(|(hour, s)| Hour { hour, squared: *s, n: 1 }));
            return;
        }
        let mut at = 0;
        while at < run.len() {
            let end = run.close_ts(at).ceil(HOUR);
            let upto = at + run.upto(at, end).max(1);
            let hour = end.0 / HOUR.0;
            if self.hours.back().is_none_or(|h| h.hour != hour) {
                if self.hours.len() == HOURS {
                    self.hours.pop_front();
                }
                // A first return that is not there is added as zero, as for a single bar.
                self.hours.push_back(Hour { hour, squared: 0.0, n: 0 });
            }
            if let Some(h) = self.hours.back_mut() {
                let of = squared.between(at, upto);
                h.squared = of.iter().fold(h.squared, |a, b| a + b);
                h.n += u32::try_from(of.len()).unwrap_or(u32::MAX);
            }
            at = upto;
        }
    }

    /// Annualised volatility of a window that ends with the newest bar.
    ///
    /// # Errors
    /// Not offered where the window is shorter than a bar or no whole number of bars; warming below four fifths of it.
    pub(super) fn realized(&self, window: Span) -> Result<f64, State> {
        let expected = window.0 / self.step.0;
        if expected < 1 || window.0 % self.step.0 != 0 {
            return Err(State::Undefined(Reason::NotOffered));
        }
        let Some(newest) = self.parts.back().map(|p| p.index) else { return Err(warming(0, expected)) };
        let parts = self.parts.iter().skip(self.parts.partition_point(|p| p.index <= newest - expected));
        if expected >= COARSE_RETURNS_MIN {
            let (mut sum, mut n) = (0.0, 0_i64);
            for s in parts.filter_map(|p| p.squared) {
                sum += s;
                n += 1;
            }
            if 5 * n < 4 * expected {
                return Err(warming(n, (4 * expected + 4) / 5));
            }
            #[expect(clippy::cast_precision_loss, reason = "at most 1,440 returns")]
            return Ok(realized(sum, n as f64, yearly(self.step)));
        }
        let (mut sum, mut n) = (0.0, 0_i64);
        for p in parts {
            let range = ln(p.ratio);
            sum += range * range;
            n += 1;
        }
        if n < expected {
            return Err(warming(n, expected));
        }
        #[expect(clippy::cast_precision_loss, reason = "fewer than twelve bars")]
        Ok(parkinson(sum, n as f64) * yearly(self.step))
    }

    /// Quote volume a minute of the last hour; of the newest bar where that is longer.
    pub(super) fn volume(&self) -> Option<f64> {
        let expected = (HOUR.0 / self.step.0).max(1);
        let newest = self.parts.back()?.index;
        let (mut sum, mut n) = (0.0, 0_i64);
        for q in self.parts.iter().skip(self.parts.partition_point(|p| p.index <= newest - expected)) {
            sum += q.quote?;
            n += 1;
        }
        #[expect(clippy::cast_precision_loss, reason = "at most 60 bars")]
        let minutes = n as f64 * self.step.as_secs_f64() / 60.0;
        (5 * n >= 4 * expected).then(|| sum / minutes)
    }

    /// Move of the close within a day, a fraction; `None` where the close a day before the newest is not there, or a day is no
    /// whole number of bars.
    pub(super) fn day_change(&self) -> Option<f64> {
        let newest = self.parts.back()?;
        if DAY.0 % self.step.0 != 0 {
            return None;
        }
        let index = newest.index - DAY.0 / self.step.0;
        let before = self.parts.get(self.parts.partition_point(|p| p.index < index))?;
        (before.index == index && before.close > 0.0).then(|| newest.close / before.close - 1.0)
    }

    /// Mean squared return of the day that ends with each hour; `None` below four fifths of its bars.
    fn days(&self) -> Vec<Option<f64>> {
        let least = u32::try_from(4 * (DAY.0 / self.step.0) / 5).unwrap_or(u32::MAX);
        // Hours that are not there stand as zeros, which change no sum; of a long hole a day of them is enough.
        let before = DAY_HOURS - 1;
        let (mut squared, mut n) = (vec![0.0; before], vec![0; before]);
        let mut last = None;
        let mut ends = Vec::with_capacity(self.hours.len());
        for h in &self.hours {
            let hole = last.map_or(0, |l: i64| usize::try_from(h.hour - l - 1).unwrap_or(0).min(DAY_HOURS));
            squared.extend(std::iter::repeat_n(0.0, hole));
            n.extend(std::iter::repeat_n(0, hole));
            ends.push(squared.len() - before);
            squared.push(h.squared);
            n.push(h.n);
            last = Some(h.hour);
        }
        let sums = sums_of_days(&squared);
        let mut counted: u32 = 0;
        let counts: Vec<u32> = (0..sums.len())
            .map(|end| {
                counted += n[end + before];
                let within = counted;
                counted -= n[end];
                within
            })
            .collect();
        ends.into_iter().map(|end| (counts[end] >= least).then(|| sums[end] / f64::from(counts[end]))).collect()
    }

    /// Mid-rank of the day's volatility among those at whole hours of the last 90 days.
    ///
    /// # Errors
    /// Not offered for bars longer than an hour; warming below 336 values.
    pub(super) fn day_rank(&self) -> Result<f64, State> {
        if self.step > HOUR {
            return Err(State::Undefined(Reason::NotOffered));
        }
        let values = self.days();
        let now = values.last().copied().flatten();
        let first = values.len().saturating_sub(RANKED);
        let among: Vec<f64> = values[first..].iter().copied().flatten().collect();
        match now {
            Some(x) if among.len() >= RANKED_MIN => {
                let twice = among.iter().fold(0_u32, |c, v| c + u32::from(*v < x) + u32::from(*v <= x));
                #[expect(clippy::cast_precision_loss, reason = "at most 2,160 hours")]
                Ok(0.5 * f64::from(twice) / among.len() as f64)
            }
            #[expect(clippy::cast_possible_wrap, reason = "at most 2,160 hours")]
            _ => Err(warming(among.len() as i64, RANKED_MIN as i64)),
        }
    }
}

/// Sums of the day of hours that ends with each element of `of` from the 24th on, each added oldest first.
///
/// A day has its own chain of additions, and eight days are taken at once: a sliding sum would round otherwise.
fn sums_of_days(of: &[f64]) -> Vec<f64> {
    let mut sums = vec![0.0; of.len().saturating_sub(DAY_HOURS - 1)];
    let (eights, rest) = sums.as_chunks_mut::<8>();
    let done = 8 * eights.len();
    for (sums, from) in eights.iter_mut().zip((0..).step_by(8)) {
        for hours in of[from..from + DAY_HOURS + 7].windows(8) {
            sums.iter_mut().zip(hours).for_each(|(sum, x)| *sum += x);
        }
    }
    for (sum, hours) in rest.iter_mut().zip(of[done..].windows(DAY_HOURS)) {
        *sum = hours.iter().fold(0.0, |a, x| a + x);
    }
    sums
}

fn part(bar: &BuiltBar, squared: Option<f64>) -> Part {
    Part { index: bar.index, close: bar.close, squared, ratio: bar.high / bar.low, quote: bar.quote_volume }
}

fn warming(have: i64, need: i64) -> State {
    let small = |n: i64| u32::try_from(n).unwrap_or(u32::MAX);
    State::Warming { have: small(have), need: small(need) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bar(index: i64, close: f64) -> BuiltBar {
        BuiltBar { index, open: close, high: close, low: close, close, volume: None, quote_volume: None }
    }

    /// The sum of each day as it is defined: its hours, oldest first.
    fn plainly(w: &Windows) -> Vec<Option<f64>> {
        let least = u32::try_from(4 * (DAY.0 / w.step.0) / 5).unwrap();
        let of = |end: &Hour| {
            let hours = w.hours.iter().filter(|h| end.hour - 24 < h.hour && h.hour <= end.hour);
            let (sum, n) = hours.fold((0.0, 0), |(sum, n), h| (sum + h.squared, n + h.n));
            (n >= least).then(|| sum / f64::from(n))
        };
        w.hours.iter().map(of).collect()
    }

    #[test]
    fn every_day_is_the_sum_of_its_hours_to_the_last_bit() {
        for (step, bars, hole) in [(60, 3_000, 97), (60, 900, 1_000_000), (60, 40, 9), (15, 5_000, 41), (60, 2_400, 30)]
        {
            let mut w = Windows::new(Span::mins(step));
            let (mut seed, mut index, mut before) = (7_u64, 0, None);
            for i in 1..=bars {
                seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                // Now and then some bars, or some days, are not there.
                index += if i % hole == 0 { i64::try_from(seed >> 57).unwrap() } else { 1 };
                let b = bar(index, 100.0 + f64::from(u32::try_from(seed >> 34).unwrap()) / 1e9);
                w.push(Ts(index * w.step.0), &b, before.as_ref());
                before = Some(b);
            }
            let bits = |of: Vec<Option<f64>>| of.into_iter().map(|d| d.map(f64::to_bits)).collect::<Vec<_>>();
            assert_eq!(bits(w.days()), bits(plainly(&w)), "bars of {step} minutes, holes every {hole}");
        }
    }
}
