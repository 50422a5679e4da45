//! Open interest: deltas, week's score, trend, and the percentile of the 4 h delta (features §2.2).

use super::hourly::{HOUR, HourlyRank, newest_hour, whole_hour};
use super::reading::{ReadinessSettings, ReadingOrigin, Slot, Window, score_value};
use super::slots::slots;
use crate::kernel::{Fold, Moments, ols};
use crate::series::Series;
use barograph_domain::math::ln;
use barograph_domain::{Reason, Span, State, Ts};
use serde::{Deserialize, Serialize};

const WEEK: Span = Span::days(7);
const QUARTER_HOURS: usize = 2_160;
const PCT_MIN_N: usize = 336;
const MONTH_HOURS: usize = 720;
const SIZE_MIN_N: usize = 168;
const SCORE_MIN_N: u32 = 6;
const TREND_MIN_N: u32 = 12;

slots! {
    /// Readings of one open interest series.
    pub struct OpenInterestSlots {
        /// Base units.
        pub value: Slot,
        /// Delta of 1 h.
        pub delta_1h: Slot,
        /// Delta of 4 h.
        pub delta_4h: Slot,
        /// Delta of 24 h.
        pub delta_24h: Slot,
        /// Standard score within 7 d.
        pub zscore_7d: Slot,
        /// Slope of the logarithm over 24 h, per day.
        pub trend_24h: Slot,
        /// Percentile of the 4 h delta within 90 d.
        pub delta_4h_pct: Slot,
        /// Percentile within 30 d of the size of the 24 h delta.
        pub delta_24h_size_pct: Slot,
    }
}

/// Windows over one open interest series.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct OpenInterest {
    week: Fold<Moments>,
    rank: HourlyRank,
    /// Sizes of the 24 h delta.
    sizes: HourlyRank,
    /// Line of the day's logarithms; it moves once an hour. Derived, so not saved.
    #[serde(skip)]
    line: Option<DayLine>,
}

/// The line through the logarithms of the 24 whole hours up to one.
#[derive(Clone, Copy, Debug)]
struct DayLine {
    hour: i64,
    n: u32,
    /// Change per hour, where the logarithms vary.
    slope: Option<f64>,
}

impl DayLine {
    fn of(series: &Series<f64>, hour: i64) -> Self {
        let (mut points, mut n) = ([(0.0, 0.0); 24], 0);
        for i in 0..24_i32 {
            let x = series.at_ts(Ts((hour - 23 + i64::from(i)) * HOUR.0)).filter(|x| *x > 0.0);
            if let Some(x) = x {
                points[n] = (f64::from(i), ln(x));
                n += 1;
            }
        }
        let slope = ols(points[..n].iter().copied()).map(|line| line.slope);
        #[expect(clippy::cast_possible_truncation, reason = "at most 24 points")]
        let n = n as u32;
        Self { hour, n, slope }
    }
}

impl OpenInterest {
    /// Windows for a series of this step.
    #[must_use]
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "at most 2,016 samples a week at 300 s"
    )]
    pub fn new(step: Span) -> Self {
        Self {
            week: Fold::new((WEEK.0 / step.0).max(1) as usize),
            rank: HourlyRank::new(QUARTER_HOURS, PCT_MIN_N),
            sizes: HourlyRank::new(MONTH_HOURS, SIZE_MIN_N),
            line: None,
        }
    }

    /// Learns about the instants that changed.
    pub fn settle(&mut self, series: &Series<f64>) {
        for &index in series.changed() {
            self.week.set(index, series.at(index));
            if let Some(hour) = whole_hour(series.instant(index)) {
                self.rank.push(hour, delta_at(series, index, Span::hours(4)).ok());
                self.sizes.push(hour, delta_at(series, index, Span::hours(24)).ok().map(f64::abs));
                self.line = None;
            }
        }
    }

    /// The percentile's window, for cuts.
    #[must_use]
    pub fn rank(&self) -> &HourlyRank {
        &self.rank
    }

    /// All readings at the series' anchor.
    #[must_use]
    pub fn slots(
        &mut self,
        series: &Series<f64>,
        origin: &ReadingOrigin,
        settings: &ReadinessSettings,
    ) -> OpenInterestSlots {
        let (Some(anchor), Some((at, value))) = (series.anchor(), series.newest()) else {
            return OpenInterestSlots::MISSING;
        };
        let delta = |lag| match delta_at(series, anchor, lag) {
            Ok(d) => origin.instant(d),
            Err(state) => origin.not_ready(state),
        };
        let expected = WEEK.0 / series.step().0;
        let week = self.week.window(anchor - expected, anchor);
        let counted = Window {
            n: week.n,
            expected,
            min_n: SCORE_MIN_N,
            first: series.first(),
            anchor,
            gap: series.has_gap(at - WEEK, at),
        };
        let (delta_4h, delta_24h) = (delta(Span::hours(4)), delta(Span::hours(24)));
        let size_24h = delta_24h.with_value(delta_24h.cell.value.abs());
        OpenInterestSlots {
            value: origin.instant(value),
            delta_1h: delta(Span::hours(1)),
            delta_4h,
            delta_24h,
            zscore_7d: origin.windowed(counted.fullness(settings), || score_value(week.score(value))),
            trend_24h: self.trend(series, origin, settings),
            delta_4h_pct: self.rank.slot(&delta_4h, at, settings),
            delta_24h_size_pct: self.sizes.slot(&size_24h, at, settings),
        }
    }

    fn trend(&mut self, series: &Series<f64>, origin: &ReadingOrigin, settings: &ReadinessSettings) -> Slot {
        let Some(hour) = newest_hour(series) else { return origin.undefined(Reason::MissingInput) };
        let line = self.line.filter(|l| l.hour == hour).unwrap_or_else(|| DayLine::of(series, hour));
        self.line = Some(line);
        let instant = Ts(hour * HOUR.0);
        let at = origin.clocked(instant, series.event_at(instant), HOUR, series.max_age());
        let counted = Window {
            n: line.n,
            expected: 24,
            min_n: TREND_MIN_N,
            first: series.first().map(|f| series.instant(f).ceil(HOUR).0 / HOUR.0),
            anchor: hour,
            gap: series.has_gap(at.anchor - Span::hours(24), at.anchor),
        };
        at.windowed(counted.fullness(settings), || line.slope.map(|slope| 24.0 * slope).ok_or(Reason::ZeroVariance))
    }
}

/// `x(t)/x(t − lag) − 1` at a grid index.
///
/// # Errors
/// The state of the reading instead: warming before the lag is reached, a gap where an end is missing, a zero
/// denominator, or missing input where the lag is no multiple of the grid.
pub fn delta_at(series: &Series<f64>, index: i64, lag: Span) -> Result<f64, State> {
    if lag.0 % series.step().0 != 0 {
        return Err(State::Undefined(Reason::MissingInput));
    }
    let before = index - lag.0 / series.step().0;
    match (series.at(index), series.at(before)) {
        (Some(now), Some(then)) if then > 0.0 => Ok(now / then - 1.0),
        (Some(_), Some(_)) => Err(State::Undefined(Reason::ZeroDenominator)),
        (Some(_), None) if series.first().is_none_or(|f| f > before) => Err(State::Warming { have: 1, need: 2 }),
        _ => Err(State::Undefined(Reason::Gap)),
    }
}
