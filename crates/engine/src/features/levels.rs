//! Swing and previous-day levels with the strength that stop density needs (features §4.1, §4.2, §4.9, §4.10).
//!
//! A level exists from the bar that confirms it, never earlier, and until a close goes through it or it is ten half-lives
//! old (less than a thousandth of its strength is left). Order blocks, gaps, clusters and zones are not built here.

use super::bars::BuiltBar;
use serde::{Deserialize, Serialize};
use std::collections::VecDeque;

/// Bars on either side of a swing (features §4.2).
const WING: usize = 2;
/// What is left of a level's strength after one bar: 2^(−1/200), a half-life of 200 bars.
const DECAY: f64 = 0.996_540_262_827_868_3;
/// Age in bars at which a level is dropped: ten half-lives.
pub const LIFETIME: i64 = 2_000;
/// Bars whose volume a level's defining bar is ranked against.
const VOLUME_BARS: usize = 200;
/// `s_t` of a single swing or day extreme: 1 − 2⁻¹.
const SINGLE: f64 = 0.5;

/// Which side of the market a level's stops belong to.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum LevelSide {
    /// A low: stops of longs lie below it.
    Low,
    /// A high: stops of shorts lie above it.
    High,
}

/// What made a level.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum LevelType {
    /// `SWING_HIGH` or `SWING_LOW`.
    Swing,
    /// `PREV_DAY_HIGH` or `PREV_DAY_LOW`.
    PreviousDay,
}

/// A level that no close has gone through.
#[derive(Clone, Copy, PartialEq, Debug, Serialize, Deserialize)]
pub struct Level {
    /// Its price.
    pub price: f64,
    /// High or low.
    pub side: LevelSide,
    /// Swing or previous day.
    pub kind: LevelType,
    /// Bar that carries the price.
    pub formed: i64,
    /// Bar that completed the definition.
    pub confirmed: i64,
    /// Strength at the newest bar, in [0, 1]: `s_t · s_v`, aged bar by bar and weakened by each touch. The recursion
    /// begins at the confirming bar, so it has the same bits wherever the process started.
    pub strength: f64,
    aged_to: i64,
}

/// Levels of one timeframe, sorted by price.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Levels {
    recent: VecDeque<BuiltBar>,
    volumes: VecDeque<Option<f64>>,
    levels: Vec<Level>,
    bars: i64,
    first: Option<i64>,
    newest: Option<i64>,
}

impl Default for Levels {
    fn default() -> Self {
        Self {
            recent: VecDeque::with_capacity(2 * WING + 2),
            volumes: VecDeque::with_capacity(VOLUME_BARS + 1),
            levels: Vec::with_capacity(1_024),
            bars: 0,
            first: None,
            newest: None,
        }
    }
}

impl Levels {
    /// Takes a closed bar: touches and breaks of what is known, then what it confirms.
    pub fn push(&mut self, bar: &BuiltBar) {
        self.first.get_or_insert(bar.index);
        self.newest = Some(bar.index);
        self.bars += 1;
        self.age(bar);
        self.remember(bar);
        self.confirm_swing();
    }

    /// Adds the extremes of a completed day, defined by the bars at `formed` (low, high).
    pub fn day(&mut self, low: (f64, i64, Option<f64>), high: (f64, i64, Option<f64>)) {
        let Some(confirmed) = self.newest else { return };
        for (side, (price, formed, volume)) in [(LevelSide::Low, low), (LevelSide::High, high)] {
            self.add(side, LevelType::PreviousDay, price, formed, confirmed, volume);
        }
    }

    /// Levels sorted by price.
    #[must_use]
    pub fn all(&self) -> &[Level] {
        &self.levels
    }

    /// Closed bars seen.
    #[must_use]
    pub fn bars(&self) -> i64 {
        self.bars
    }

    /// True while levels older than the first bar may still be missing.
    #[must_use]
    pub fn is_partial(&self) -> bool {
        match (self.first, self.newest) {
            (Some(first), Some(newest)) => newest - first < LIFETIME,
            _ => true,
        }
    }

    /// `Σ strength·(1 − d/reach)` over levels of one side within `reach` of the price, d ≥ 0 the distance beyond it.
    #[must_use]
    pub fn density(&self, price: f64, reach: f64, side: LevelSide) -> f64 {
        let (from, to) = match side {
            LevelSide::Low => (price - reach, price),
            LevelSide::High => (price, price + reach),
        };
        let start = self.levels.partition_point(|l| l.price < from);
        self.levels[start..]
            .iter()
            .take_while(|l| l.price <= to)
            .filter(|l| l.side == side)
            .fold(0.0, |sum, l| sum + l.strength * (1.0 - (price - l.price).abs() / reach))
    }

    fn age(&mut self, bar: &BuiltBar) {
        self.levels.retain_mut(|level| {
            let broken = match level.side {
                LevelSide::Low => bar.close < level.price,
                LevelSide::High => bar.close > level.price,
            };
            if broken || bar.index - level.confirmed > LIFETIME {
                return false;
            }
            for _ in level.aged_to..bar.index {
                level.strength *= DECAY;
            }
            level.aged_to = bar.index;
            if bar.low <= level.price && level.price <= bar.high {
                level.strength *= core::f64::consts::FRAC_1_SQRT_2;
            }
            true
        });
    }

    /// Swings need five bars in a row; a missing bar starts the count again.
    fn remember(&mut self, bar: &BuiltBar) {
        if self.recent.back().is_some_and(|b| b.index + 1 != bar.index) {
            self.recent.clear();
        }
        if self.recent.len() == 2 * WING + 1 {
            self.recent.pop_front();
        }
        self.recent.push_back(*bar);
        if self.volumes.len() == VOLUME_BARS {
            self.volumes.pop_front();
        }
        self.volumes.push_back(bar.volume);
    }

    fn confirm_swing(&mut self) {
        if self.recent.len() < 2 * WING + 1 {
            return;
        }
        let (middle, confirmed) = (self.recent[WING], self.recent[2 * WING].index);
        let before = |f: fn(&BuiltBar) -> f64| self.recent.range(..WING).map(f);
        let after = |f: fn(&BuiltBar) -> f64| self.recent.range(WING + 1..).map(f);
        let high = before(|b| b.high).all(|h| middle.high > h) && after(|b| b.high).all(|h| middle.high >= h);
        let low = before(|b| b.low).all(|l| middle.low < l) && after(|b| b.low).all(|l| middle.low <= l);
        if high {
            self.add(LevelSide::High, LevelType::Swing, middle.high, middle.index, confirmed, middle.volume);
        }
        if low {
            self.add(LevelSide::Low, LevelType::Swing, middle.low, middle.index, confirmed, middle.volume);
        }
    }

    fn add(&mut self, side: LevelSide, kind: LevelType, price: f64, formed: i64, confirmed: i64, volume: Option<f64>) {
        let strength = SINGLE * self.volume_rank(volume);
        let level = Level { price, side, kind, formed, confirmed, strength, aged_to: confirmed };
        let place = self.levels.partition_point(|l| l.price < price);
        self.levels.insert(place, level);
    }

    /// Mid-rank of the defining bar's volume among the last 200 bars. Without volumes the factor is left out.
    fn volume_rank(&self, volume: Option<f64>) -> f64 {
        let Some(v) = volume else { return 1.0 };
        let (mut n, mut below, mut equal) = (0_u32, 0_u32, 0_u32);
        for other in self.volumes.iter().flatten() {
            n += 1;
            below += u32::from(*other < v);
            equal += u32::from(other.to_bits() == v.to_bits());
        }
        if n == 0 { 1.0 } else { (f64::from(below) + 0.5 * f64::from(equal)) / f64::from(n) }
    }
}
