//! Realised volatility and efficiency from one price series (features §2.2), with the coarser estimators that stand in
//! where minute prices are missing (features §2.7).
//!
//! Estimator by step: minute returns are the definition; a coarser step gives the same formula while the window holds at
//! least twelve returns; below that closed bars that tile the window exactly give Parkinson's range estimator.

use super::bars::Priced;
use super::daily_vol::{DailyVariance, Har, day_of};
use super::hourly::{HOUR, HourlyRank, whole_hour};
use super::moves::{MoveSlots, Moves};
use super::reading::{Fullness, ReadinessSettings, ReadingOrigin, Slot, Window, score_value};
use super::slots::slots;
use crate::kernel::{Fold, Moments, Sum, fold::Block};
use crate::series::Series;
use crate::sessions::{SessionHistory, Stretch};
use barograph_domain::math::ln;
use barograph_domain::time::{DAY, YEAR};
use barograph_domain::{Reason, Span, State, Ts};
use serde::{Deserialize, Serialize};

const MINUTE: Span = Span::mins(1);
/// Returns a window must hold for the return estimator at a step coarser than a minute.
pub(crate) const COARSE_RETURNS_MIN: i64 = 12;
const QUARTER_HOURS: usize = 2_160;
const PCT_MIN_N: usize = 336;
const MONTH_HOURS: usize = 720;
const MONTH: i64 = 720;
const MONTH_MIN_N: u32 = 168;
/// Returns below which a session or a day says nothing.
const STRETCH_RETURNS_MIN: i64 = 3;
/// Relative standard error of Parkinson's estimator per root of bar count (Parkinson 1980; features §2.7).
const PARKINSON_SE: f64 = 0.32;
/// Two-sided 95 % of the normal distribution.
const Z95: f64 = 1.96;

/// The windows offered.
pub const WINDOWS: [Span; 3] = [Span::hours(1), Span::hours(4), Span::hours(24)];
/// Place of the day among them.
const DAY_WINDOW: usize = 2;

slots! {
    /// Readings of one price series.
    pub struct VolatilitySlots {
        /// Value, lower and upper end for 1 h, 4 h and 24 h.
        pub realized: [[Slot; 3]; 3],
        /// Percentile within 90 d of the 1 h, the 4 h and the 24 h value.
        pub pct: [Slot; 3],
        /// Percentile within 30 d of the 24 h value.
        pub pct_30d: Slot,
        /// Standard score within 30 d of the logarithm of the 24 h value, at whole hours.
        pub z_30d: Slot,
        /// Logarithm of the 24 h value over its median of 90 d.
        pub reversion_gap: Slot,
        /// HAR forecast of the next day's variance.
        pub har: Slot,
        /// Half-life of daily variance.
        pub halflife: Slot,
        /// Efficiency of 12 h.
        pub efficiency_12h: Slot,
        /// The day's change.
        pub moves: MoveSlots,
    }
}

impl VolatilitySlots {
    /// Those of the parts of which `of` is true for some reading.
    fn parts(&self, among: VolatilityReadings, of: impl Fn(&Slot) -> bool) -> VolatilityReadings {
        let when = |part: VolatilityReadings, any: bool| if any { part } else { VolatilityReadings::NONE };
        let look = |part: VolatilityReadings, slots: &[&Slot]| {
            when(part, among.has(part) && slots.iter().any(|slot| of(slot)))
        };
        // The ends of an interval are in the state of its value.
        let [[hour, ..], [four_hours, ..], [day, ..]] = &self.realized;
        let [rank_1h, rank_4h, rank_24h] = &self.pct;
        look(VolatilityReadings::VALUES, &[hour, four_hours, day])
            .or(look(VolatilityReadings::RANKS, &[rank_1h, rank_4h, rank_24h, &self.reversion_gap]))
            .or(look(VolatilityReadings::MONTH_RANK, &[&self.pct_30d]))
            .or(look(VolatilityReadings::MONTH, &[&self.z_30d]))
            .or(look(VolatilityReadings::PERSISTENCE, &[&self.har, &self.halflife]))
            .or(look(VolatilityReadings::MOVE, &[&self.moves.change]))
            .or(look(VolatilityReadings::MOVE_RANK, &[&self.moves.size_pct]))
            .or(look(VolatilityReadings::EFFICIENCY, &[&self.efficiency_12h]))
    }

    /// Which of the parts are not ready at `t`, so that another feed can be asked for them?
    #[must_use]
    pub fn lacking(&self, among: VolatilityReadings, t: Ts) -> VolatilityReadings {
        self.parts(among, |s| s.ready(t).is_none())
    }

    /// Which of the parts say nothing at all, not even what they wait for?
    #[must_use]
    pub fn unsaid(&self, among: VolatilityReadings) -> VolatilityReadings {
        self.parts(among, |s| s.cell.state == State::Undefined(Reason::MissingInput))
    }

    /// Which of the parts had a value when they were last taken?
    #[must_use]
    pub fn had(&self, among: VolatilityReadings) -> VolatilityReadings {
        self.parts(among, |s| s.cell.state == State::Ready)
    }
}

/// An estimate with its standard error.
#[derive(Clone, Copy, PartialEq, Debug)]
struct Estimate {
    value: f64,
    se: f64,
    full: Fullness,
}

/// Windows over one price series.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Volatility {
    step: Span,
    squared: Fold<Sum>,
    ranges: Option<Fold<Sum>>,
    ranks: [HourlyRank; 3],
    /// Logarithms of the 24 h value at whole hours.
    logs: Fold<Moments>,
    first_log: Option<i64>,
    efficiency: Option<(i64, Result<f64, Efficiency>)>,
    sessions: SessionHistory,
    daily: DailyVariance,
    moves: Moves,
    /// Fits of the daily variances; they move once a day. Derived, so not saved.
    #[serde(skip)]
    fitted: Option<Fitted>,
    /// The month of logarithms; it moves once an hour. Derived, so not saved.
    #[serde(skip)]
    month: Option<Moments>,
}

/// Readings that are taken together, as a set of those that nobody better gives.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct VolatilityReadings(u8);

impl VolatilityReadings {
    /// Every reading.
    pub const ALL: Self = Self(0b1111_1111);
    /// No reading.
    pub const NONE: Self = Self(0);
    /// Volatilities with their intervals.
    const VALUES: Self = Self(1);
    /// What is ranked among 90 d of them.
    const RANKS: Self = Self(1 << 1);
    /// The rank among 30 d.
    const MONTH_RANK: Self = Self(1 << 2);
    const MONTH: Self = Self(1 << 3);
    const PERSISTENCE: Self = Self(1 << 4);
    const MOVE: Self = Self(1 << 5);
    const MOVE_RANK: Self = Self(1 << 6);
    const EFFICIENCY: Self = Self(1 << 7);

    fn has(self, part: Self) -> bool {
        self.0 & part.0 != 0
    }
    /// Is nothing wanted?
    #[must_use]
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }
    /// What is in both sets.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }
    /// What is in either set.
    #[must_use]
    pub const fn or(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
    /// Without what has been taken.
    #[must_use]
    pub fn without(self, taken: Self) -> Self {
        Self(self.0 & !taken.0)
    }
}

/// Newest day, forecast, and coefficient and half-life of the daily variances.
type Fitted = (Option<i64>, Result<Har, State>, Result<(f64, f64), State>);

/// Why there is no efficiency.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
enum Efficiency {
    Warming(u32),
    Gap,
    Flat,
}

impl Volatility {
    /// Windows for a series of this step; `bars` when its samples have a range.
    #[must_use]
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "at most 1,440 samples a day")]
    pub fn new(step: Span, bars: bool) -> Self {
        let day = (WINDOWS[2].0 / step.0).max(1) as usize;
        Self {
            step,
            squared: Fold::new(day),
            ranges: (bars && step > MINUTE).then(|| Fold::new(day)),
            ranks: core::array::from_fn(|i| {
                let rank = HourlyRank::new(QUARTER_HOURS, PCT_MIN_N);
                if i == DAY_WINDOW { rank.also_within(MONTH_HOURS, false) } else { rank }
            }),
            logs: Fold::new(MONTH_HOURS),
            first_log: None,
            efficiency: None,
            sessions: SessionHistory::default(),
            daily: DailyVariance::default(),
            moves: Moves::default(),
            fitted: None,
            month: None,
        }
    }

    /// Learns about the instants that changed.
    pub fn settle<V: Priced>(&mut self, series: &Series<V>, settings: &ReadinessSettings) {
        for &index in series.changed() {
            self.set_return(series, index);
            if self.squared.newest().is_some_and(|n| n > index) {
                self.set_return(series, index + 1);
            }
            if let Some(ranges) = &mut self.ranges {
                let leaf = series.at(index).and_then(|s| s.range()).map(|(high, low)| {
                    let r = ln(high / low);
                    r * r
                });
                ranges.set(index, leaf);
            }
            self.reach(series, index, settings);
            if let Some(hour) = whole_hour(series.instant(index)) {
                let present = series.at(index).is_some();
                self.moves.note_hour(hour, series, index);
                for (rank, length) in self.ranks.iter_mut().zip(WINDOWS) {
                    let estimate = present
                        .then(|| {
                            estimate(self.step, &self.squared, self.ranges.as_ref(), series, index, length, settings)
                        })
                        .flatten();
                    // A day's value from part of a day would stay in the history for three months.
                    let whole = |e: &Estimate| length != WINDOWS[2] || !e.full.partial;
                    let value = estimate.and_then(Result::ok).filter(whole).map(|e| e.value);
                    rank.push(hour, value);
                    if length == WINDOWS[2] {
                        let log = value.filter(|v| *v > 0.0).map(ln);
                        self.first_log = self.first_log.or(log.map(|_| hour));
                        self.logs.set(hour, log);
                        self.month = None;
                    }
                }
                if present && self.efficiency.is_none_or(|(h, _)| h < hour) {
                    self.efficiency = Some((hour, efficiency(series, hour)));
                }
            }
        }
    }

    fn set_return<V: Priced>(&mut self, series: &Series<V>, index: i64) {
        let leaf = match (series.at(index), series.at(index - 1)) {
            (Some(now), Some(before)) => {
                let r = ln(now.price() / before.price());
                Some(r * r)
            }
            _ => None,
        };
        self.squared.set(index, leaf);
    }

    /// Records the sessions and days that are over at an instant.
    fn reach<V: Priced>(&mut self, series: &Series<V>, index: i64, settings: &ReadinessSettings) {
        let t = series.instant(index);
        let (step, squared) = (self.step, &self.squared);
        // What was not seen from its beginning is no record: another start would have another one.
        let seen = |from: Ts| series.first().is_some_and(|f| series.instant(f) <= from);
        self.sessions.reach(t, &settings.sessions, |s| seen(s.from).then(|| stretch_vol(step, squared, s)).flatten());
        let day = day_of(t + Span(1)) - 1;
        if self.daily.newest().is_none_or(|n| day > n) {
            let until = Ts((day + 1) * DAY.0);
            let variance = squared_over(step, squared, until - DAY, until).filter(|_| seen(until - DAY));
            #[expect(clippy::cast_precision_loss, reason = "at most 1,440 samples a day")]
            let expected = (DAY.0 / step.0) as f64;
            self.daily.push(day, variance.map(|sum| sum.total() / f64::from(sum.n) * expected));
        }
    }

    /// What is usual in each session.
    #[must_use]
    pub fn sessions(&self) -> &SessionHistory {
        &self.sessions
    }

    /// The percentiles' windows (1 h, 4 h, 24 h), for cuts.
    #[must_use]
    pub fn ranks(&self) -> &[HourlyRank; 3] {
        &self.ranks
    }

    /// Takes the wanted readings at the series' anchor; the others stay as they are.
    pub fn read<V: Priced>(
        &mut self,
        series: &Series<V>,
        origin: &ReadingOrigin,
        settings: &ReadinessSettings,
        wanted: VolatilityReadings,
        slots: &mut VolatilitySlots,
    ) {
        let Some(anchor) = series.anchor() else {
            *slots = VolatilitySlots::MISSING;
            return;
        };
        if wanted.has(VolatilityReadings::VALUES.or(VolatilityReadings::RANKS).or(VolatilityReadings::MONTH_RANK)) {
            for (three, length) in slots.realized.iter_mut().zip(WINDOWS) {
                *three =
                    match estimate(self.step, &self.squared, self.ranges.as_ref(), series, anchor, length, settings) {
                        None => [Slot::MISSING; 3],
                        Some(Err(state)) => [origin.not_ready(state); 3],
                        Some(Ok(e)) => {
                            let slot = origin.ready(e.value, e.full);
                            [
                                slot,
                                slot.with_value((e.value - Z95 * e.se).max(0.0)),
                                slot.with_value(e.value + Z95 * e.se),
                            ]
                        }
                    };
            }
        }
        let day = slots.realized[DAY_WINDOW][0];
        if wanted.has(VolatilityReadings::RANKS) {
            for ((pct, rank), realized) in slots.pct.iter_mut().zip(&self.ranks).zip(&slots.realized) {
                *pct = rank.slot(&realized[0], origin.anchor, settings);
            }
            slots.reversion_gap = self.reversion_gap(&day, &slots.pct[DAY_WINDOW]);
        }
        if wanted.has(VolatilityReadings::MONTH_RANK) {
            slots.pct_30d = self.month_rank(&day, origin.anchor, settings);
        }
        if wanted.has(VolatilityReadings::MONTH) {
            slots.z_30d = self.month_score(series, origin, settings);
        }
        if wanted.has(VolatilityReadings::PERSISTENCE) {
            (slots.har, slots.halflife) = self.persistence(origin);
        }
        if wanted.has(VolatilityReadings::MOVE.or(VolatilityReadings::MOVE_RANK)) {
            slots.moves = self.moves.slots(series, origin, settings);
        }
        if wanted.has(VolatilityReadings::EFFICIENCY) {
            slots.efficiency_12h = self.efficiency_slot(series, origin);
        }
    }

    /// The parts that may have a value: there are hours and days enough for them. What is read off a single window always may.
    #[must_use]
    pub fn may_give(&mut self) -> VolatilityReadings {
        let hours = self.ranks.iter().map(|r| r.window().count()).max().unwrap_or(0);
        let when = |enough: bool, part: VolatilityReadings| if enough { part } else { VolatilityReadings::NONE };
        // The reading itself is one of the values it is ranked among.
        (VolatilityReadings::VALUES.or(VolatilityReadings::MOVE).or(VolatilityReadings::EFFICIENCY))
            .or(when(hours + 1 >= PCT_MIN_N, VolatilityReadings::RANKS))
            .or(when(hours + 1 >= MONTH_MIN_N as usize, VolatilityReadings::MONTH_RANK))
            .or(when(self.month().is_some_and(|m| m.n >= MONTH_MIN_N), VolatilityReadings::MONTH))
            .or(when(self.daily.is_enough(), VolatilityReadings::PERSISTENCE))
            .or(when(self.moves.may_rank(), VolatilityReadings::MOVE_RANK))
    }

    /// The month of logarithms up to the newest hour.
    fn month(&mut self) -> Option<Moments> {
        let hour = self.logs.newest()?;
        Some(*self.month.get_or_insert_with(|| self.logs.window(hour - MONTH, hour)))
    }

    /// The 24 h value among the last 30 days of those that its 90 d percentile ranks.
    fn month_rank(&self, of: &Slot, anchor: Ts, settings: &ReadinessSettings) -> Slot {
        self.ranks[DAY_WINDOW].slot_within(of, anchor, MONTH_MIN_N as usize, settings)
    }

    fn month_score<V: Priced>(
        &mut self,
        series: &Series<V>,
        origin: &ReadingOrigin,
        settings: &ReadinessSettings,
    ) -> Slot {
        let (Some(window), Some(hour)) = (self.month(), self.logs.newest()) else {
            return origin.not_ready(State::Warming { have: 0, need: 168 });
        };
        let instant = Ts(hour * HOUR.0);
        let at = origin.clocked(instant, series.event_at(instant), HOUR, series.max_age());
        let counted = Window {
            n: window.n,
            expected: MONTH,
            min_n: MONTH_MIN_N,
            first: self.first_log,
            anchor: hour,
            gap: series.has_gap(at.anchor - Span::days(30), at.anchor),
        };
        let newest = self.logs.leaf(hour);
        if newest.n == 0 {
            return at.undefined(Reason::MissingInput);
        }
        // `min_n` alone decides here, as for percentiles: a score within a month is one within its first week too.
        let full = counted.fullness(&ReadinessSettings { span_min: 0.0, ..*settings });
        at.windowed(full, || score_value(window.score(newest.mean)))
    }

    fn reversion_gap(&self, vol: &Slot, pct: &Slot) -> Slot {
        match (pct.cell.ready(), vol.cell.ready(), self.ranks[2].window().quantile(0.5)) {
            (Some(_), Some(v), Some(median)) if median > 0.0 && v > 0.0 => pct.with_value(ln(v / median)),
            (Some(_), ..) => Slot {
                cell: barograph_domain::Cell {
                    state: State::Undefined(Reason::ZeroDenominator),
                    value: 0.0,
                    ..pct.cell
                },
                expires: Ts::MAX,
            },
            _ => *pct,
        }
    }

    fn persistence(&mut self, origin: &ReadingOrigin) -> (Slot, Slot) {
        let newest = self.daily.newest();
        if self.fitted.is_none_or(|(day, ..)| day != newest) {
            self.fitted = Some((newest, self.daily.har(), self.daily.halflife()));
        }
        let Some((Some(day), har, halflife)) = self.fitted else { return (Slot::MISSING, Slot::MISSING) };
        let at = origin.at(Ts((day + 1) * DAY.0));
        let slot = |value: Result<f64, State>, full: bool| match value {
            Ok(v) => at.ready(v, Fullness { coverage: 1.0, partial: !full }),
            Err(state) => at.not_ready(state),
        };
        let (year, season) = self.daily.is_full();
        (slot(har.map(|h| h.forecast), year), slot(halflife.map(|(_, days)| days), season))
    }

    fn efficiency_slot<V: Priced>(&self, series: &Series<V>, origin: &ReadingOrigin) -> Slot {
        let Some((hour, value)) = self.efficiency else { return Slot::MISSING };
        let instant = Ts(hour * HOUR.0);
        let at = origin.clocked(instant, series.event_at(instant), HOUR, series.max_age());
        match value {
            Ok(e) => at.instant(e),
            Err(Efficiency::Warming(have)) => at.not_ready(State::Warming { have, need: 12 }),
            Err(Efficiency::Gap) => at.undefined(Reason::Gap),
            Err(Efficiency::Flat) => at.undefined(Reason::ZeroDenominator),
        }
    }
}

/// Sum of squared returns over `(from, until]`; `None` where the fold does not reach back so far, holds fewer than four
/// fifths of the returns, or where too few returns would make it up.
fn squared_over(step: Span, squared: &Fold<Sum>, from: Ts, until: Ts) -> Option<Sum> {
    let expected = (until - from).0 / step.0;
    if (until - from) > DAY || expected < STRETCH_RETURNS_MIN || until.0.rem_euclid(step.0) != 0 {
        return None;
    }
    let last = until.0.div_euclid(step.0);
    let sum = squared.window(last - expected, last);
    (5 * i64::from(sum.n) >= 4 * expected).then_some(sum)
}

/// Annualised volatility of one stretch of a session.
fn stretch_vol(step: Span, squared: &Fold<Sum>, stretch: &Stretch) -> Option<f64> {
    let sum = squared_over(step, squared, stretch.from, stretch.until)?;
    Some(realized(sum.total(), f64::from(sum.n), yearly(step)))
}

/// `√(Σ r² / n)`, annualised: the one definition, whatever its returns were summed by.
#[inline]
pub(crate) fn realized(squared: f64, returns: f64, yearly: f64) -> f64 {
    (squared / returns).sqrt() * yearly
}

/// What makes a deviation a step one of a year.
#[inline]
pub(crate) fn yearly(step: Span) -> f64 {
    (YEAR.as_secs_f64() / step.as_secs_f64()).sqrt()
}

/// `None` when this step can say nothing about the window at all. Within the loop over the windows nothing is handed around.
#[inline(always)]
fn estimate<V: Priced>(
    step: Span,
    squared: &Fold<Sum>,
    ranges: Option<&Fold<Sum>>,
    series: &Series<V>,
    anchor: i64,
    length: Span,
    settings: &ReadinessSettings,
) -> Option<Result<Estimate, State>> {
    // Nearly always minutes: what follows from a minute alone is not worked out again each time.
    let minutes = step == MINUTE;
    if length.0 % if minutes { MINUTE.0 } else { step.0 } != 0 {
        return None;
    }
    let expected = if minutes { length.0 / MINUTE.0 } else { length.0 / step.0 };
    let at = series.instant(anchor);
    let gap = series.has_gap(at - length, at);
    let scale = if minutes { yearly(MINUTE) } else { yearly(step) };
    if minutes || expected >= COARSE_RETURNS_MIN {
        let folded = squared.window(anchor - expected, anchor);
        let first = series.first().map(|f| f + 1);
        // Four fifths of the returns, as 48 of 60 and 192 of 240 in the tables.
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "at most 1,440 returns")]
        let min_n = ((4 * expected + 4) / 5) as u32;
        let counted = Window { n: folded.n, expected, min_n, first, anchor, gap };
        Some(counted.fullness(settings).map(|full| {
            let n = f64::from(folded.n);
            let value = realized(folded.total(), n, scale);
            Estimate { value, se: value / (2.0 * n).sqrt(), full }
        }))
    } else {
        let folded = ranges?.window(anchor - expected, anchor);
        if i64::from(folded.n) == expected {
            let n = f64::from(folded.n);
            let value = parkinson(folded.total(), n) * scale;
            let full = Fullness { coverage: 1.0, partial: false };
            return Some(Ok(Estimate { value, se: value * PARKINSON_SE / n.sqrt(), full }));
        }
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "fewer than twelve bars")]
        let (have, need) = (folded.n, expected as u32);
        let warming = series.first().is_none_or(|f| f > anchor - expected + 1);
        Some(Err(if warming { State::Warming { have, need } } else { State::Undefined(Reason::Gap) }))
    }
}

/// Parkinson (1980): `√(Σ ln(h/l)² / (4·n·ln 2))` per bar.
#[must_use]
pub fn parkinson(sum_of_squared_ranges: f64, bars: f64) -> f64 {
    (sum_of_squared_ranges / (4.0 * bars * core::f64::consts::LN_2)).sqrt()
}

fn efficiency<V: Priced>(series: &Series<V>, hour: i64) -> Result<f64, Efficiency> {
    let price = |h: i64| series.at_ts(Ts(h * HOUR.0)).map(|s| s.price());
    let (mut path, mut have) = (Sum::EMPTY, 0_u32);
    for h in hour - 11..=hour {
        if let (Some(now), Some(before)) = (price(h), price(h - 1)) {
            path = path.merge(Sum::of(ln(now / before).abs()));
            have += 1;
        }
    }
    if have < 12 {
        let began = series.first().map(|f| series.instant(f));
        let warming = began.is_none_or(|f| f > Ts((hour - 12) * HOUR.0));
        return Err(if warming { Efficiency::Warming(have) } else { Efficiency::Gap });
    }
    match (price(hour), price(hour - 12)) {
        (Some(now), Some(then)) if path.total() > 0.0 => Ok((ln(now / then).abs() / path.total()).min(1.0)),
        _ => Err(Efficiency::Flat),
    }
}
