//! Funding from a running rate sampled on a grid (features §2.1, base `f8`).
//!
//! One [`RunningFunding`] per series of running rates: the measured one, and the one modelled from the premium index. What
//! settled funding can stand in for is decided in `assemble`.

use super::hourly::{HOUR, HourlyRank, newest_hour, whole_hour};
use super::reading::{ReadinessSettings, ReadingOrigin, Slot, Window, score_value};
use super::slots::slots;
use crate::kernel::fold::Block;
use crate::kernel::moments::Score;
use crate::kernel::{Fold, Moments, Sum, ols};
use crate::series::Series;
use barograph_domain::time::DAY;
use barograph_domain::{Reason, Span, Ts};
use serde::{Deserialize, Serialize};

const EIGHT_HOURS: Span = Span::hours(8);
/// Samples below which a funding window says nothing (A01: with fewer than six, |z| cannot exceed 2).
const MIN_N: u32 = 6;
const MONTH_HOURS: usize = 720;
const PCT_MIN_N: usize = 168;

slots! {
    /// Readings of one running-rate series.
    pub struct FundingSlots {
        /// Rate per 8 h.
        pub rate: Slot,
        /// Standard score within 24 h.
        pub zscore: Slot,
        /// Mean of 8 h.
        pub ma_8h: Slot,
        /// Mean of 24 h.
        pub mean_24h: Slot,
        /// Population standard deviation of 24 h.
        pub std_24h: Slot,
        /// Population standard deviation of hourly differences, 24 h.
        pub vol_24h: Slot,
        /// Slope of hourly rates, 24 h.
        pub trend_24h: Slot,
        /// Percentile within 30 d.
        pub pct_30d: Slot,
        /// Percentile within 30 d of its size, whatever the sign.
        pub size_pct_30d: Slot,
        /// Difference to 8 h ago.
        pub change_8h: Slot,
    }
}

/// Leaf of the day's fold: compensated sum for means, and what [`Moments`] holds for the score. Both count the same samples, so
/// they are counted once: the day is folded anew every minute.
#[derive(Clone, Copy, PartialEq, Debug)]
struct Day {
    sum: Sum,
    mean: f64,
    m2: f64,
    min: f64,
    max: f64,
}

impl Block for Day {
    const EMPTY: Self = Self { sum: Sum::EMPTY, mean: 0.0, m2: 0.0, min: f64::INFINITY, max: f64::NEG_INFINITY };

    #[inline]
    fn of(sample: f64) -> Self {
        Self { sum: Sum::of(sample), mean: sample, m2: 0.0, min: sample, max: sample }
    }

    /// As [`Moments`] are merged, with plain comparisons: rates are numbers.
    #[inline]
    fn merge(self, right: Self) -> Self {
        if self.sum.n == 0 {
            return right;
        }
        if right.sum.n == 0 {
            return self;
        }
        self.join(right)
    }

    #[inline]
    fn join(self, right: Self) -> Self {
        let (na, nb) = (f64::from(self.sum.n), f64::from(right.sum.n));
        let n = na + nb;
        let d = right.mean - self.mean;
        Self {
            sum: self.sum.join(right.sum),
            mean: self.mean + d * (nb / n),
            m2: self.m2 + right.m2 + d * d * (na * nb / n),
            min: if right.min < self.min { right.min } else { self.min },
            max: if right.max > self.max { right.max } else { self.max },
        }
    }
}

impl Day {
    #[expect(clippy::float_cmp, reason = "features §1: zero variance is decided exactly by min == max")]
    fn is_flat(&self) -> bool {
        self.sum.n < 2 || self.min == self.max
    }

    fn sd(&self) -> f64 {
        if self.is_flat() { 0.0 } else { (self.m2 / f64::from(self.sum.n)).sqrt() }
    }

    fn score(&self, x: f64) -> Score {
        if self.is_flat() { Score::ZeroVariance } else { Score::Of((x - self.mean) / self.sd()) }
    }
}

/// Windows over one series of running rates, in fractions per 8 h.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct RunningFunding {
    fold: Fold<Day>,
    rank: HourlyRank,
    /// Some sample at a whole hour changed since the hourly readings were taken.
    hour_moved: bool,
    /// Volatility and trend of the day; they move once an hour. Derived, so not saved.
    #[serde(skip)]
    hourly: Option<[Slot; 2]>,
}

impl RunningFunding {
    /// Windows for a series of this step.
    #[must_use]
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "at most 1,440 samples a day")]
    pub fn new(step: Span) -> Self {
        Self {
            fold: Fold::new((DAY.0 / step.0).max(1) as usize),
            rank: HourlyRank::new(MONTH_HOURS, PCT_MIN_N).also_within(MONTH_HOURS, true),
            hour_moved: true,
            hourly: None,
        }
    }

    /// Learns about the instants that changed.
    pub fn settle(&mut self, series: &Series<f64>) {
        for &index in series.changed() {
            let sample = series.at(index);
            self.fold.set(index, sample);
            if let Some(hour) = whole_hour(series.instant(index)) {
                self.rank.push(hour, sample);
                self.hour_moved = true;
            }
        }
    }

    /// The percentile's window, for cuts.
    #[must_use]
    pub fn rank(&self) -> &HourlyRank {
        &self.rank
    }

    /// Takes all readings at the series' anchor.
    pub fn read(
        &mut self,
        series: &Series<f64>,
        origin: &ReadingOrigin,
        settings: &ReadinessSettings,
        slots: &mut FundingSlots,
    ) {
        let (Some(anchor), Some((at, rate))) = (series.anchor(), series.newest()) else {
            *slots = FundingSlots::MISSING;
            return;
        };
        if core::mem::take(&mut self.hour_moved) {
            self.hourly = None;
        }
        let [vol_24h, trend_24h] = self.hourly.get_or_insert_with(|| {
            [hourly(series, origin, settings, 25, difference_sd), hourly(series, origin, settings, 24, slope)]
        });
        slots.vol_24h = vol_24h.renewed(origin.expires, HOUR + series.max_age());
        slots.trend_24h = trend_24h.renewed(origin.expires, HOUR + series.max_age());
        let (of_day, of_third) = (DAY.0 / series.step().0, EIGHT_HOURS.0 / series.step().0);
        let full = |length: Span, expected: i64, n: u32| {
            let counted = Window {
                n,
                expected,
                min_n: MIN_N,
                first: series.first(),
                anchor,
                gap: series.has_gap(at - length, at),
            };
            counted.fullness(settings)
        };
        let day = self.fold.window(anchor - of_day, anchor);
        let third = self.fold.window_of(anchor - of_third, anchor, |block| block.sum);
        let (day_full, third_full) = (full(DAY, of_day, day.sum.n), full(EIGHT_HOURS, of_third, third.n));
        slots.rate = origin.instant(rate);
        slots.zscore = origin.windowed(day_full, || score_value(day.score(rate)));
        slots.ma_8h = origin.windowed(third_full, || third.mean().ok_or(Reason::MissingInput));
        slots.mean_24h = origin.windowed(day_full, || day.sum.mean().ok_or(Reason::MissingInput));
        slots.std_24h = origin.windowed(day_full, || Ok(day.sd()));
        slots.pct_30d = self.rank.slot(&slots.rate, at, settings);
        slots.size_pct_30d = self.rank.slot_within(&slots.rate, at, PCT_MIN_N, settings);
        // Eight hours ago is on the grid where they are whole steps.
        let before = (series.step().times(of_third) == EIGHT_HOURS).then(|| series.at(anchor - of_third)).flatten();
        slots.change_8h = change(series, origin, at, rate, before);
    }
}

fn change(series: &Series<f64>, origin: &ReadingOrigin, at: Ts, rate: f64, before: Option<f64>) -> Slot {
    let then = at - EIGHT_HOURS;
    match before {
        Some(before) => origin.instant(rate - before),
        None if series.has_gap(then - series.step(), at) => origin.undefined(Reason::Gap),
        None => origin.not_ready(barograph_domain::State::Warming { have: 1, need: 2 }),
    }
}

/// A reading of the last `points` whole hours, the newest included.
fn hourly(
    series: &Series<f64>,
    origin: &ReadingOrigin,
    settings: &ReadinessSettings,
    points: i64,
    value: impl Fn(&[Option<f64>]) -> (u32, Result<f64, Reason>),
) -> Slot {
    let Some(hour) = newest_hour(series) else { return origin.undefined(Reason::MissingInput) };
    let mut samples = [None; 25];
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "24 or 25 points")]
    let samples = &mut samples[..points as usize];
    for (sample, h) in samples.iter_mut().zip(hour - points + 1..) {
        *sample = series.at_ts(Ts(h * HOUR.0));
    }
    let instant = Ts(hour * HOUR.0);
    let at = origin.clocked(instant, series.event_at(instant), HOUR, series.max_age());
    let (n, value) = value(samples);
    let first = series.first().map(|f| series.instant(f).ceil(HOUR).0 / HOUR.0);
    let counted = Window {
        n,
        expected: 24,
        min_n: MIN_N,
        first: first.map(|f| if points == 25 { f + 1 } else { f }),
        anchor: hour,
        gap: series.has_gap(at.anchor - DAY, at.anchor),
    };
    at.windowed(counted.fullness(settings), || value)
}

fn difference_sd(samples: &[Option<f64>]) -> (u32, Result<f64, Reason>) {
    let moments =
        samples.windows(2).filter_map(|w| Some(Moments::of(w[1]? - w[0]?))).fold(Moments::EMPTY, Moments::merge);
    (moments.n, Ok(moments.sd()))
}

fn slope(samples: &[Option<f64>]) -> (u32, Result<f64, Reason>) {
    let points = (0_u32..).zip(samples).filter_map(|(i, y)| y.map(|y| (f64::from(i), y)));
    #[expect(clippy::cast_possible_truncation, reason = "at most 25 points")]
    let n = points.clone().count() as u32;
    // A flat line has slope 0: zero variance of y leaves no correlation, but the slope is a legal value (U0).
    (n, Ok(ols(points).map_or(0.0, |line| line.slope)))
}
