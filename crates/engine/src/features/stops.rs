//! Levels of one bar series, and what is read off them near the price (features §3, §4.6, §4.10; A04).
//!
//! Bars of 1 h and 15 min are built from the finest ones and pushed through [`Liquidity`]; days and sessions give their
//! extremes, completed days their volume nodes, and the trailing day its profile. What happened to levels is kept until the
//! minute takes it. Density and vulnerability are modelled: nobody outside the venue sees stops.

use super::bars::{BarBuilder, BarSample, BuiltBar};
use super::hourly::hour_of;
use super::nearby::Nearby;
use super::quarters::{self, QUARTER, Quarters};
use super::reading::{Fullness, ReadinessSettings, ReadingOrigin, Slot, Window};
use super::slots::slots;
use crate::kernel::RankWindow;
use crate::liquidity::density::{self, REACH_ATR, TYPES_NAMED, Zone};
use crate::liquidity::extremes::{Extremes, Period, PeriodExtremes};
use crate::liquidity::profile::{self, Profile, ValueArea};
use crate::liquidity::{Face, LevelHappening, LevelSink, Liquidity, Record, TimeframeOptions};
use crate::series::Series;
use barograph_domain::time::DAY;
use barograph_domain::{Kind, Reason, Span, State, Ts};
use serde::{Deserialize, Serialize};
use std::collections::VecDeque;

const MONTH_HOURS: usize = 720;
/// Hourly values below which fixed cuts are used.
const TERCILE_MIN_N: usize = 168;
/// Closed bars below which LOW is not believed.
const BARS_MIN: i64 = 50;
/// Equal highs or lows, swing, order block, session extreme, previous day: five of the types features §4.10 names.
/// Liquidation zones are the sixth, where liquidations are followed.
const TYPES_BUILT: f32 = 5.0;
/// Coverage below which LOW is reported as MEDIUM.
pub const COVERAGE_MIN: f32 = 0.5;
/// Changes of one minute there is room for: those of an hour, a quarter, a day and a session that end together.
const PENDING_ROOM: usize = 64;
const HOUR: Span = Span::hours(1);
/// Hours of a day, and two for what comes late.
const VOLUMES_KEPT: usize = 26;

/// Timeframes levels are built on, in the order of [`Pending::timeframe`].
pub const LEVEL_TIMEFRAMES: [Span; 2] = [HOUR, QUARTER];

/// Something that happened to a level and was not taken yet.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Pending {
    /// Timeframe of its bars.
    pub timeframe: Span,
    /// What happened.
    pub change: LevelHappening,
}

/// Keeps changes for the minute under way.
struct Keep<'a> {
    pending: &'a mut Vec<Pending>,
    timeframe: Span,
}

impl LevelSink for Keep<'_> {
    fn level(&mut self, change: &LevelHappening) {
        self.pending.push(Pending { timeframe: self.timeframe, change: *change });
    }
}

slots! {
    /// Readings of levels and stops.
    pub struct StopSlots {
        /// ATR(14) of 1 h bars.
        pub atr_14: Slot,
        /// High of the last completed UTC day.
        pub prev_day_high: Slot,
        /// Low of the last completed UTC day.
        pub prev_day_low: Slot,
        /// High of the session under way.
        pub session_high: Slot,
        /// Low of the session under way.
        pub session_low: Slot,
        /// Point of control, value area high and low of the trailing day.
        pub profile: [Slot; 3],
        /// Density below and above the price.
        pub density: [Slot; 2],
        /// Vulnerability below the price, above it, and of both in one word.
        pub vulnerability: [Slot; 3],
    }
}

/// How much of the trailing day its profile has seen.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
enum Seen {
    Full(Fullness),
    Warming { have: u32, need: u32 },
    Gap,
}

impl Seen {
    fn of(full: Result<Fullness, State>) -> Self {
        match full {
            Ok(full) => Self::Full(full),
            Err(State::Warming { have, need }) => Self::Warming { have, need },
            Err(_) => Self::Gap,
        }
    }
    fn fullness(self) -> Result<Fullness, State> {
        match self {
            Self::Full(full) => Ok(full),
            Self::Warming { have, need } => Err(State::Warming { have, need }),
            Self::Gap => Err(State::Undefined(Reason::Gap)),
        }
    }
}

/// Profile of the 24 h up to an instant.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
struct Trailing {
    at: Ts,
    seen: Seen,
    area: Option<ValueArea>,
}

/// Bars, levels and density history of one market.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Stops {
    step: Span,
    hour: BarBuilder,
    quarter: Option<BarBuilder>,
    hour_levels: Liquidity,
    quarter_levels: Liquidity,
    day: Extremes,
    session: Extremes,
    /// First price of the day under way and of the one before: the width of bins follows from it.
    opened: [Option<(Ts, f64)>; 2],
    trailing: Option<Trailing>,
    /// Hour and volume of the latest hourly bars: the defining bars of a day's extremes.
    volumes: VecDeque<(i64, Option<f64>)>,
    last_part: Option<Ts>,
    last_bar: Option<Ts>,
    history: [RankWindow; 2],
    /// Its changes are reported; a lesser feed of the same market keeps levels for its readings only.
    told: bool,
    #[serde(skip)]
    pending: Vec<Pending>,
    #[serde(skip)]
    nodes: Vec<Record>,
    /// Memory for profiles.
    #[serde(skip)]
    profile: Profile,
    #[serde(skip)]
    quarters: Quarters,
    /// Levels of the hour and of the quarter near the price, and whether any of either changed since. Derived, so not saved.
    #[serde(skip)]
    nearby: [Nearby; 2],
    #[serde(skip)]
    moved: [bool; 2],
    /// Where LOW ends and HIGH begins on each side; it moves once an hour. Derived, so not saved.
    #[serde(skip)]
    cuts: Option<[Cuts; 2]>,
}

/// Shares of one side's history: for the side, and for the worse of both.
#[derive(Clone, Copy, Debug)]
struct Cuts {
    side: (f64, f64),
    worse: (f64, f64),
}

impl Stops {
    /// Fed with bars of this step; `None` when no timeframe of an hour can be built from them.
    #[must_use]
    pub fn new(step: Span, options: TimeframeOptions) -> Option<Self> {
        if HOUR.0 % step.0 != 0 {
            return None;
        }
        Some(Self {
            step,
            hour: BarBuilder::new(HOUR, step),
            quarter: (QUARTER.0 % step.0 == 0).then(|| BarBuilder::new(QUARTER, step)),
            hour_levels: Liquidity::new(options),
            quarter_levels: Liquidity::new(options),
            day: Extremes::default(),
            session: Extremes::default(),
            opened: [None; 2],
            trailing: None,
            volumes: VecDeque::with_capacity(VOLUMES_KEPT),
            last_part: None,
            last_bar: None,
            history: [RankWindow::new(MONTH_HOURS), RankWindow::new(MONTH_HOURS)],
            told: false,
            pending: Vec::new(),
            nodes: Vec::with_capacity(profile::NODES_MAX),
            profile: Profile::roomy(),
            quarters: if QUARTER.0 % step.0 == 0 { Quarters::roomy() } else { Quarters::default() },
            nearby: Default::default(),
            moved: [false; 2],
            cuts: None,
        })
    }

    /// From now on what happens to its levels is kept for [`Self::take`].
    pub fn keep_changes(&mut self) {
        self.told = true;
        self.pending.reserve(PENDING_ROOM);
    }

    /// Takes the closed bars that `series` has learnt, usable from `known_at` on.
    pub fn settle(&mut self, series: &Series<BarSample>, known_at: Ts, settings: &ReadinessSettings) {
        for &index in series.changed() {
            self.quarters.forget(series.instant(index));
            if let Some(bar) = series.at(index) {
                self.push(series, series.instant(index), &bar, known_at, settings);
            }
        }
        let Some(last) = self.last_part else { return };
        let due = last.floor(QUARTER);
        if self.trailing.as_ref().is_none_or(|t| t.at < due) {
            self.read_profile(series, due, settings);
        }
        if !self.told {
            self.pending.clear();
        }
        if let Some((_, bar)) = series.newest() {
            self.reread_near(bar.close);
        }
    }

    /// Has the levels near the price at hand where they changed or the price has left them.
    fn reread_near(&mut self, price: f64) {
        let Some(reach) = self.reach() else { return };
        let levels = [&self.hour_levels, &self.quarter_levels];
        for ((nearby, moved), levels) in self.nearby.iter_mut().zip(&mut self.moved).zip(levels) {
            if core::mem::take(moved) || nearby.is_left(price) {
                nearby.read(levels, price, reach);
            }
        }
    }

    /// How far levels count; `None` until the ATR is ready.
    fn reach(&self) -> Option<f64> {
        self.hour_levels.atr().value().filter(|a| *a > 0.0).map(|atr| REACH_ATR * atr)
    }

    fn push(
        &mut self,
        series: &Series<BarSample>,
        close_ts: Ts,
        bar: &BarSample,
        known_at: Ts,
        settings: &ReadinessSettings,
    ) {
        // Late and revised bars are left out: levels and extremes are never rewritten.
        if self.last_part.is_some_and(|l| close_ts <= l) {
            return;
        }
        self.last_part = Some(close_ts);
        if let Some(quarter) = &mut self.quarter {
            let levels = &mut self.quarter_levels;
            let mut keep = Keep { pending: &mut self.pending, timeframe: QUARTER };
            let moved = &mut self.moved[1];
            quarter.push(close_ts, bar, |built| {
                levels.push(&built, known_at, &mut keep);
                *moved = true;
            });
        }
        let mut finished = None;
        self.hour.push(close_ts, bar, |built| finished = Some(built));
        if let Some(built) = finished {
            self.push_hour(&built, known_at);
        }
        // Nearly every bar lies within the session and the day under way.
        if !self.session.goes_on(close_ts, bar.low, bar.high) {
            let session = self.session_at(close_ts - Span(1), settings);
            for ended in self.session.push(session, close_ts, bar.low, bar.high).into_iter().flatten() {
                self.add_extremes(&ended, known_at);
            }
        }
        if !self.day.goes_on(close_ts, bar.low, bar.high) {
            self.push_day(series, close_ts, bar, known_at);
        }
    }

    fn push_hour(&mut self, bar: &BuiltBar, known_at: Ts) {
        self.last_bar = Some(Ts(bar.index * HOUR.0));
        let mut keep = Keep { pending: &mut self.pending, timeframe: HOUR };
        self.hour_levels.push(bar, known_at, &mut keep);
        self.moved[0] = true;
        if self.volumes.len() == VOLUMES_KEPT {
            self.volumes.pop_front();
        }
        self.volumes.push_back((bar.index, bar.volume));
    }

    /// The session that an instant lies in, by the book's hours.
    fn session_at(&self, t: Ts, settings: &ReadinessSettings) -> Period {
        let running = self.session.running().map(|r| r.period);
        running.filter(|p| p.start <= t && t < p.end).unwrap_or_else(|| {
            let set = &settings.sessions;
            Period { session: Some(set.session(t)), start: set.start(t), end: set.end(t) }
        })
    }

    /// Extremes from the bars themselves: an hour too thin to be a bar of an hour still had its high and low.
    fn push_day(&mut self, series: &Series<BarSample>, close_ts: Ts, bar: &BarSample, known_at: Ts) {
        let start = (close_ts - Span(1)).floor(DAY);
        let day = Period { session: None, start, end: start + DAY };
        let [before, ended] = self.day.push(day, close_ts, bar.low, bar.high);
        if let Some(range) = before {
            self.finish_day(series, &range, known_at);
        }
        if self.opened[0].is_none_or(|(at, _)| at != start) {
            self.opened = [Some((start, bar.open)), self.opened[0]];
        }
        if let Some(range) = ended {
            self.finish_day(series, &range, known_at);
        }
    }

    fn finish_day(&mut self, series: &Series<BarSample>, range: &PeriodExtremes, known_at: Ts) {
        self.add_extremes(range, known_at);
        if self.count_profile(series, range.period.start, range.period.end).is_some()
            && let Some(newest) = self.hour_levels.newest()
        {
            self.profile.nodes(newest, &mut self.nodes);
            let mut keep = Keep { pending: &mut self.pending, timeframe: HOUR };
            self.hour_levels.replace_nodes(&self.nodes, known_at, &mut keep);
            self.moved[0] = true;
        }
    }

    fn add_extremes(&mut self, range: &PeriodExtremes, known_at: Ts) {
        let [low, high] = range.period.kinds();
        for (kind, extreme) in [(low, range.low), (high, range.high)] {
            let hour = hour_of(extreme.close_ts);
            let volume = self.volumes.iter().find(|(h, _)| *h == hour).and_then(|(_, v)| *v);
            let mut keep = Keep { pending: &mut self.pending, timeframe: HOUR };
            self.hour_levels.add_extreme(kind, &extreme, (hour, volume), known_at, &mut keep);
            self.moved[0] = true;
        }
    }

    /// Counts the volume by price of bars that closed in `(from, upto]`; bins as of the day that `upto` ends or lies in.
    fn count_profile(&mut self, series: &Series<BarSample>, from: Ts, upto: Ts) -> Option<()> {
        let day = (upto - Span(1)).floor(DAY);
        let (_, opened) = self.opened.iter().flatten().find(|(at, _)| *at == day)?;
        self.profile.restart(profile::width(*opened, None)?);
        if self.quarter.is_some() {
            self.quarters.count(series, (from, upto), &mut self.profile);
        } else {
            quarters::add(series, (from, upto), &mut self.profile);
        }
        Some(())
    }

    fn read_profile(&mut self, series: &Series<BarSample>, at: Ts, settings: &ReadinessSettings) {
        if self.count_profile(series, at - DAY, at).is_none() {
            return;
        }
        let window = Window {
            n: self.profile.bars(),
            expected: DAY.0 / self.step.0,
            min_n: profile::BARS_MIN,
            first: series.first(),
            anchor: at.0.div_euclid(self.step.0),
            gap: series.has_gap(at - DAY, at),
        };
        let seen = Seen::of(window.fullness(settings));
        self.trailing = Some(Trailing { at, seen, area: self.profile.value_area() });
    }

    /// Densities at this price, below and above; `None` until the ATR is ready.
    #[must_use]
    pub fn densities(&self, price: f64, zones: &[Zone]) -> Option<[f64; 2]> {
        let reach = self.reach()?;
        let of = |face| self.density(price, reach, zones, face);
        Some([of(Face::Low), of(Face::High)])
    }

    fn density(&self, price: f64, reach: f64, zones: &[Zone], face: Face) -> f64 {
        let [hour, quarter] = &self.nearby;
        let hours = hour.density(price, reach, face);
        let hours = hours.unwrap_or_else(|| density::of_levels(&self.hour_levels, price, reach, face));
        let quarters = quarter.density(price, reach, face);
        let quarters = quarters.unwrap_or_else(|| density::of_levels(&self.quarter_levels, price, reach, face));
        hours + quarters + density::of_zones(zones, price, reach, face)
    }

    /// Enters the densities of a whole hour into the history that the terciles are taken from.
    pub fn note_hour(&mut self, hour: i64, densities: Option<[f64; 2]>) {
        for (window, value) in self.history.iter_mut().zip([0, 1]) {
            window.push(hour, densities.map(|d| d[value]));
        }
        self.cuts = Some(self.read_cuts());
    }

    /// What separates LOW, MEDIUM and HIGH: thirds of what was, or fixed numbers until there is enough of that.
    fn read_cuts(&self) -> [Cuts; 2] {
        let timeframes = if self.quarter.is_some() { 2.0 } else { 1.0 };
        let of = |history: &RankWindow, shares: (f64, f64), fixed: (f64, f64)| match (
            history.quantile(shares.0),
            history.quantile(shares.1),
        ) {
            (Some(a), Some(b)) if history.count() >= TERCILE_MIN_N => (a, b),
            _ => (fixed.0 * timeframes, fixed.1 * timeframes),
        };
        [0, 1].map(|side| Cuts {
            side: of(&self.history[side], density::THIRDS, density::SIDE_CUTS),
            worse: of(&self.history[side], density::WORSE_THIRDS, density::WORSE_CUTS),
        })
    }

    /// What happened to levels since this was asked last.
    pub fn take(&mut self) -> impl Iterator<Item = Pending> + '_ {
        self.pending.drain(..)
    }

    /// Standing levels of the hour and of the quarter of an hour, with the bars they are counted in.
    pub fn levels(&self) -> impl Iterator<Item = (&Liquidity, Span, &Record)> {
        let hours = self.hour_levels.levels().map(|r| (&self.hour_levels, HOUR, r));
        hours.chain(self.quarter_levels.levels().map(|r| (&self.quarter_levels, QUARTER, r)))
    }

    /// Close of the newest hourly bar.
    #[must_use]
    pub fn anchor(&self) -> Option<Ts> {
        self.last_bar
    }

    /// All readings at a price; `origin` is the bars', with their age limit. `zones`: realised liquidations, where they are
    /// followed. They are written where they shall stand.
    pub fn read(&self, price: Option<f64>, zones: Option<&[Zone]>, origin: &ReadingOrigin, out: &mut StopSlots) {
        let Some(last_bar) = self.last_bar else {
            *out = StopSlots::MISSING;
            return;
        };
        let bars = ReadingOrigin { kind: Kind::Measured, ..origin.at(last_bar) };
        let full = Fullness { coverage: 1.0, partial: false };
        let (atr, have) = (self.hour_levels.atr(), self.hour_levels.atr().bars());
        out.atr_14 = match atr.value() {
            Some(v) => bars.ready(v, full),
            None => bars.not_ready(State::Warming { have, need: 15 }),
        };
        let modelled = ReadingOrigin { kind: Kind::Modelled, ..bars };
        let types = TYPES_BUILT + if zones.is_some() { 1.0 } else { 0.0 };
        let stops = Fullness { coverage: types / TYPES_NAMED, partial: self.hour_levels.is_partial() };
        let [below, above] = &mut out.density;
        let [low, high, both] = &mut out.vulnerability;
        match price.and_then(|p| self.densities(p, zones.unwrap_or_default())) {
            Some([long, short]) => {
                let levels = self.vulnerability([long, short], stops.coverage);
                *below = modelled.ready(long, stops);
                *above = modelled.ready(short, stops);
                *low = modelled.ready(levels[0], stops);
                *high = modelled.ready(levels[1], stops);
                *both = modelled.ready(levels[2], stops);
            }
            None => {
                let none = match price {
                    None => modelled.undefined(Reason::MissingInput),
                    Some(_) => modelled.not_ready(State::Warming { have, need: 15 }),
                };
                [below, above, low, high, both].into_iter().for_each(|slot| *slot = none);
            }
        }
        self.read_yesterday(&bars, out);
        self.read_session(&bars, out);
        self.read_profile_slots(&bars, out);
    }

    /// Low and high of the last completed day: yesterday only until today is over.
    fn read_yesterday(&self, bars: &ReadingOrigin, out: &mut StopSlots) {
        let Some(range) = self.day.complete() else {
            let none = bars.not_ready(State::Warming { have: 0, need: 1 });
            (out.prev_day_low, out.prev_day_high) = (none, none);
            return;
        };
        let end = range.period.end;
        let origin = ReadingOrigin { expires: bars.expires.min(end + DAY), ..bars.at(end) };
        let seen = self.seen_of(range, end);
        out.prev_day_low = origin.ready(range.low.price, seen);
        out.prev_day_high = origin.ready(range.high.price, seen);
    }

    /// Low and high of the session under way, or of the one that has just ended.
    fn read_session(&self, bars: &ReadingOrigin, out: &mut StopSlots) {
        let (Some(range), Some(at)) = (self.session.running().or(self.session.complete()), self.last_part) else {
            let none = bars.not_ready(State::Warming { have: 0, need: 1 });
            (out.session_low, out.session_high) = (none, none);
            return;
        };
        let origin = ReadingOrigin { expires: bars.expires.min(range.period.end), ..bars.at(at) };
        let seen = self.seen_of(range, at);
        out.session_low = origin.ready(range.low.price, seen);
        out.session_high = origin.ready(range.high.price, seen);
    }

    #[expect(clippy::cast_precision_loss, reason = "at most 1,440 bars")]
    fn seen_of(&self, range: &PeriodExtremes, until: Ts) -> Fullness {
        let expected = ((until - range.period.start).0 / self.step.0).max(1) as f32;
        let partial = range.first > range.period.start + self.step;
        Fullness { coverage: (range.bars as f32 / expected).min(1.0), partial }
    }

    fn read_profile_slots(&self, bars: &ReadingOrigin, out: &mut StopSlots) {
        let [poc, vah, val] = &mut out.profile;
        let Some(trailing) = &self.trailing else {
            let none = bars.not_ready(State::Warming { have: 0, need: profile::BARS_MIN });
            [poc, vah, val].into_iter().for_each(|slot| *slot = none);
            return;
        };
        let origin = bars.at(trailing.at);
        match (trailing.seen.fullness(), &trailing.area) {
            (Ok(full), Some(area)) => {
                *poc = origin.ready(area.poc, full);
                *vah = origin.ready(area.vah, full);
                *val = origin.ready(area.val, full);
            }
            (full, _) => {
                let none = origin.windowed(full, || Err(Reason::ZeroDenominator));
                [poc, vah, val].into_iter().for_each(|slot| *slot = none);
            }
        }
    }

    /// Codes of LOW, MEDIUM or HIGH below, above, and for both in one word. LOW is never reported for lack of data.
    fn vulnerability(&self, densities: [f64; 2], coverage: f32) -> [f64; 3] {
        let cuts = self.cuts.unwrap_or_else(|| self.read_cuts());
        let ([low, high], [below, above]) = (densities, cuts);
        let both = density::class(low, below.worse).max(density::class(high, above.worse));
        let unbelieved = coverage < COVERAGE_MIN || self.hour_levels.bars() < BARS_MIN;
        let said = |level: f64| if level <= 0.0 && unbelieved { 1.0 } else { level };
        [said(density::class(low, below.side)), said(density::class(high, above.side)), said(both)]
    }
}
