//! Stop density and vulnerability near the price (features §4.10, A04). Modelled: nobody outside the venue sees stops.

use super::bars::{BarBuilder, BarSample, BuiltBar};
use super::hourly::hour_of;
use super::levels::{Level, LevelSide, Levels};
use super::reading::{Fullness, Origin, Slot};
use crate::features::atr::Atr;
use crate::kernel::RankWindow;
use barograph_domain::{Kind, Reason, Span, State, Ts};
use serde::{Deserialize, Serialize};
use std::collections::VecDeque;

/// Density looks this many average true ranges around the price.
const REACH_ATR: f64 = 2.0;
const MONTH_HOURS: usize = 720;
/// Hourly values below which fixed cuts are used.
const TERCILE_MIN_N: usize = 168;
/// Fixed cuts of the density before there is history.
const FIXED_CUTS: (f64, f64) = (0.5, 1.5);
/// Closed bars below which LOW is not believed.
const BARS_MIN: i64 = 50;
/// Level types that features §4.10 names for a side: equal highs or lows, swing, order block, session, previous day,
/// liquidation zone. Swing and previous day are built.
const TYPES_NAMED: f32 = 6.0;
const TYPES_BUILT: f32 = 2.0;
/// Coverage below which LOW is reported as MEDIUM.
pub const COVERAGE_MIN: f32 = 0.5;
const DAY: Span = Span::days(1);
/// Hours of a day, and two for what comes late.
const VOLUMES_KEPT: usize = 26;

/// Extremes of a day with the bars that made them.
#[derive(Clone, Copy, PartialEq, Debug, Serialize, Deserialize)]
struct DayRange {
    day: i64,
    /// Hours with at least one bar.
    hours: u8,
    last_hour: i64,
    /// Price and the hour that made it.
    low: (f64, i64),
    high: (f64, i64),
}

/// Readings of levels and stops.
#[derive(Clone, Copy, Debug)]
pub struct StopSlots {
    /// ATR(14) of 1 h bars.
    pub atr_14: Slot,
    /// High of the last completed UTC day.
    pub prev_day_high: Slot,
    /// Low of the last completed UTC day.
    pub prev_day_low: Slot,
    /// Density below the price.
    pub density_long: Slot,
    /// Density above the price.
    pub density_short: Slot,
    /// Vulnerability below.
    pub vulnerability_long: Slot,
    /// Vulnerability above.
    pub vulnerability_short: Slot,
}

impl StopSlots {
    /// Nothing seen.
    pub const MISSING: Self = Self {
        atr_14: Slot::MISSING,
        prev_day_high: Slot::MISSING,
        prev_day_low: Slot::MISSING,
        density_long: Slot::MISSING,
        density_short: Slot::MISSING,
        vulnerability_long: Slot::MISSING,
        vulnerability_short: Slot::MISSING,
    };
}

/// Bars, levels and density history of one market.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Stops {
    hour: BarBuilder,
    quarter: Option<BarBuilder>,
    atr: Atr,
    hour_levels: Levels,
    quarter_levels: Levels,
    today: Option<DayRange>,
    yesterday: Option<DayRange>,
    /// Hour and volume of the latest hourly bars: the defining bars of a day's extremes.
    volumes: VecDeque<(i64, Option<f64>)>,
    last_part: Option<Ts>,
    last_bar: Option<Ts>,
    history: [RankWindow; 2],
}

impl Stops {
    /// Fed with bars of this step; `None` when no timeframe of an hour can be built from them.
    #[must_use]
    pub fn new(step: Span) -> Option<Self> {
        let (hour, quarter) = (Span::hours(1), Span::mins(15));
        if hour.0 % step.0 != 0 {
            return None;
        }
        Some(Self {
            hour: BarBuilder::new(hour, step),
            quarter: (quarter.0 % step.0 == 0).then(|| BarBuilder::new(quarter, step)),
            atr: Atr::default(),
            hour_levels: Levels::default(),
            quarter_levels: Levels::default(),
            today: None,
            yesterday: None,
            volumes: VecDeque::with_capacity(VOLUMES_KEPT),
            last_part: None,
            last_bar: None,
            history: [RankWindow::new(MONTH_HOURS), RankWindow::new(MONTH_HOURS)],
        })
    }

    /// Takes a closed bar of the finest step.
    pub fn push(&mut self, close_ts: Ts, bar: &BarSample) {
        // Late and revised bars are left out: levels and extremes are never rewritten.
        if self.last_part.is_some_and(|l| close_ts <= l) {
            return;
        }
        self.last_part = Some(close_ts);
        if let Some(quarter) = &mut self.quarter {
            let levels = &mut self.quarter_levels;
            quarter.push(close_ts, bar, |built| levels.push(&built));
        }
        let mut finished = None;
        self.hour.push(close_ts, bar, |built| finished = Some(built));
        if let Some(built) = finished {
            self.push_hour(&built);
        }
        self.push_day(close_ts, bar);
    }

    fn push_hour(&mut self, bar: &BuiltBar) {
        let close_ts = Ts(bar.index * Span::hours(1).0);
        // A missing hour breaks the recursion: its true range is not known, so the average starts again.
        if self.last_bar.is_some_and(|l| close_ts - l > Span::hours(1)) {
            self.atr = Atr::default();
        }
        self.last_bar = Some(close_ts);
        self.atr.push(bar.high, bar.low, bar.close);
        self.hour_levels.push(bar);
        if self.volumes.len() == VOLUMES_KEPT {
            self.volumes.pop_front();
        }
        self.volumes.push_back((bar.index, bar.volume));
    }

    /// Extremes of the day from the bars themselves: an hour too thin to be a bar of an hour still had its high and low.
    fn push_day(&mut self, close_ts: Ts, bar: &BarSample) {
        let day = (close_ts - Span(1)).floor(DAY).0 / DAY.0;
        if let Some(done) = self.today.filter(|d| d.day != day) {
            self.finish_day(done);
        }
        let hour = hour_of(close_ts);
        let (low, high) = ((bar.low, hour), (bar.high, hour));
        let range = self.today.map_or(DayRange { day, hours: 1, last_hour: hour, low, high }, |d| DayRange {
            day,
            hours: d.hours.saturating_add(u8::from(hour != d.last_hour)),
            last_hour: hour,
            low: if bar.low < d.low.0 { low } else { d.low },
            high: if bar.high > d.high.0 { high } else { d.high },
        });
        self.today = Some(range);
        if close_ts.0 % DAY.0 == 0 {
            self.finish_day(range);
        }
    }

    fn finish_day(&mut self, range: DayRange) {
        let volume = |hour: i64| self.volumes.iter().find(|(h, _)| *h == hour).and_then(|(_, v)| *v);
        let [low, high] = [range.low, range.high].map(|(price, hour)| (price, hour, volume(hour)));
        self.hour_levels.day(low, high);
        self.yesterday = Some(range);
        self.today = None;
    }

    /// Densities at this price, below and above; `None` until the ATR is ready.
    #[must_use]
    pub fn densities(&self, price: f64) -> Option<[f64; 2]> {
        let reach = REACH_ATR * self.atr.value().filter(|a| *a > 0.0)?;
        Some(
            [LevelSide::Low, LevelSide::High].map(|side| {
                self.hour_levels.density(price, reach, side) + self.quarter_levels.density(price, reach, side)
            }),
        )
    }

    /// Enters the densities of a whole hour into the history that the terciles are taken from.
    pub fn note_hour(&mut self, hour: i64, densities: Option<[f64; 2]>) {
        for (window, value) in self.history.iter_mut().zip([0, 1]) {
            window.push(hour, densities.map(|d| d[value]));
        }
    }

    /// Levels of the hour and of the quarter of an hour.
    pub fn levels(&self) -> core::iter::Chain<core::slice::Iter<'_, Level>, core::slice::Iter<'_, Level>> {
        self.hour_levels.all().iter().chain(self.quarter_levels.all().iter())
    }

    /// Close of the newest hourly bar.
    #[must_use]
    pub fn anchor(&self) -> Option<Ts> {
        self.last_bar
    }

    /// All readings at a price; `origin` is the bars', with their age limit.
    #[must_use]
    pub fn slots(&self, price: Option<f64>, origin: &Origin) -> StopSlots {
        let Some(last_bar) = self.last_bar else { return StopSlots::MISSING };
        let bars = Origin { anchor: last_bar, kind: Kind::Measured, ..*origin };
        let full = Fullness { coverage: 1.0, partial: false };
        let have = self.atr.bars();
        let atr_14 = match self.atr.value() {
            Some(v) => bars.ready(v, full),
            None => bars.not_ready(State::Warming { have, need: 15 }),
        };
        let day = |pick: fn(&DayRange) -> f64| match &self.yesterday {
            Some(d) => {
                let seen = Fullness { coverage: (f32::from(d.hours) / 24.0).min(1.0), partial: d.hours < 24 };
                // The last completed day is yesterday only until today is over.
                let expires = bars.expires.min(Ts((d.day + 2) * DAY.0));
                Origin { anchor: Ts((d.day + 1) * DAY.0), expires, ..bars }.ready(pick(d), seen)
            }
            None => bars.not_ready(State::Warming { have: 0, need: 1 }),
        };
        let modelled = Origin { kind: Kind::Modelled, ..bars };
        let stops = Fullness { coverage: TYPES_BUILT / TYPES_NAMED, partial: self.hour_levels.is_partial() };
        let densities = price.and_then(|p| self.densities(p));
        let density = |i: usize| match densities {
            Some(d) => modelled.ready(d[i], stops),
            None if price.is_none() => modelled.undefined(Reason::MissingInput),
            None => modelled.not_ready(State::Warming { have, need: 15 }),
        };
        let vulnerability = |i: usize| match densities {
            Some(d) => modelled.ready(self.vulnerability(i, d[i], stops.coverage), stops),
            None => density(i),
        };
        StopSlots {
            atr_14,
            prev_day_high: day(|d| d.high.0),
            prev_day_low: day(|d| d.low.0),
            density_long: density(0),
            density_short: density(1),
            vulnerability_long: vulnerability(0),
            vulnerability_short: vulnerability(1),
        }
    }

    /// Code of LOW, MEDIUM or HIGH. LOW is never reported for lack of data.
    fn vulnerability(&self, side: usize, density: f64, coverage: f32) -> f64 {
        let history = &self.history[side];
        let (low, medium) = match (history.quantile(1.0 / 3.0), history.quantile(2.0 / 3.0)) {
            (Some(a), Some(b)) if history.count() >= TERCILE_MIN_N => (a, b),
            _ => FIXED_CUTS,
        };
        let level = if density <= 0.0 || density <= low {
            0.0
        } else if density <= medium {
            1.0
        } else {
            2.0
        };
        let unbelieved = coverage < COVERAGE_MIN || self.hour_levels.bars() < BARS_MIN;
        if level == 0.0 && unbelieved { 1.0 } else { level }
    }
}
