//! Realised volatility and efficiency from one price series (features §2.2), with the coarser estimators that stand in
//! where minute prices are missing (§2.7).
//!
//! Estimator by step: minute returns are the definition; a coarser step gives the same formula while the window holds at
//! least twelve returns; below that closed bars that tile the window exactly give Parkinson's range estimator.

use super::bars::Priced;
use super::hourly::{HOUR, HourlyRank, whole_hour};
use super::reading::{Fullness, Origin, Settings, Slot, Window};
use crate::kernel::{Fold, Sum, fold::Block};
use crate::series::Series;
use barograph_domain::math::ln;
use barograph_domain::{Reason, Span, State, Ts};
use serde::{Deserialize, Serialize};

const YEAR_S: f64 = 31_536_000.0;
const MINUTE: Span = Span::mins(1);
/// Returns a window must hold for the return estimator at a step coarser than a minute.
const COARSE_RETURNS_MIN: i64 = 12;
const QUARTER_HOURS: usize = 2_160;
const PCT_MIN_N: usize = 336;
/// Relative standard error of Parkinson's estimator per root of bar count (Parkinson 1980; features §2.7).
const PARKINSON_SE: f64 = 0.32;
/// Two-sided 95 % of the normal distribution.
const Z95: f64 = 1.96;

/// The windows offered.
pub const WINDOWS: [Span; 3] = [Span::hours(1), Span::hours(4), Span::hours(24)];

/// Readings of one price series.
#[derive(Clone, Copy, Debug)]
pub struct VolatilitySlots {
    /// Value, lower and upper end for 1 h, 4 h and 24 h.
    pub realized: [[Slot; 3]; 3],
    /// Percentile within 90 d of the 1 h and the 4 h value.
    pub pct: [Slot; 2],
    /// Efficiency of 12 h.
    pub efficiency_12h: Slot,
}

impl VolatilitySlots {
    /// Nothing seen.
    pub const MISSING: Self =
        Self { realized: [[Slot::MISSING; 3]; 3], pct: [Slot::MISSING; 2], efficiency_12h: Slot::MISSING };
}

impl VolatilitySlots {
    /// Is every reading ready at `t`, so that no other feed can be asked for one?
    #[must_use]
    pub fn is_complete(&self, t: Ts) -> bool {
        let ready = |s: &Slot| s.ready(t).is_some();
        self.realized.iter().flatten().all(ready) && self.pct.iter().all(ready) && ready(&self.efficiency_12h)
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
    ranks: [HourlyRank; 2],
    efficiency: Option<(i64, Result<f64, Efficiency>)>,
}

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
            ranks: [HourlyRank::new(QUARTER_HOURS, PCT_MIN_N), HourlyRank::new(QUARTER_HOURS, PCT_MIN_N)],
            efficiency: None,
        }
    }

    /// Learns about the instants that changed.
    pub fn settle<V: Priced>(&mut self, series: &Series<V>, settings: &Settings) {
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
            if let Some(hour) = whole_hour(series.instant(index)) {
                let present = series.at(index).is_some();
                for (rank, length) in self.ranks.iter_mut().zip(WINDOWS) {
                    let estimate = present
                        .then(|| {
                            estimate(self.step, &self.squared, self.ranges.as_ref(), series, index, length, settings)
                        })
                        .flatten();
                    rank.push(hour, estimate.and_then(Result::ok).map(|e| e.value));
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

    /// The percentiles' windows (1 h, 4 h), for cuts.
    #[must_use]
    pub fn ranks(&self) -> &[HourlyRank; 2] {
        &self.ranks
    }

    /// All readings at the series' anchor.
    #[must_use]
    pub fn slots<V: Priced>(&self, series: &Series<V>, origin: &Origin, settings: &Settings) -> VolatilitySlots {
        let Some(anchor) = series.anchor() else { return VolatilitySlots::MISSING };
        let realized = WINDOWS.map(|length| {
            match estimate(self.step, &self.squared, self.ranges.as_ref(), series, anchor, length, settings) {
                None => [Slot::MISSING; 3],
                Some(Err(state)) => [origin.not_ready(state); 3],
                Some(Ok(e)) => {
                    let slot = origin.ready(e.value, e.full);
                    [slot, slot.with_value((e.value - Z95 * e.se).max(0.0)), slot.with_value(e.value + Z95 * e.se)]
                }
            }
        });
        let pct = [0, 1].map(|i| self.ranks[i].slot(&realized[i][0], settings));
        VolatilitySlots { realized, pct, efficiency_12h: self.efficiency_slot(series, origin) }
    }

    fn efficiency_slot<V: Priced>(&self, series: &Series<V>, origin: &Origin) -> Slot {
        let Some((hour, value)) = self.efficiency else { return Slot::MISSING };
        let at = origin.clocked(Ts(hour * HOUR.0), HOUR, series.max_age());
        match value {
            Ok(e) => at.instant(e),
            Err(Efficiency::Warming(have)) => at.not_ready(State::Warming { have, need: 12 }),
            Err(Efficiency::Gap) => at.undefined(Reason::Gap),
            Err(Efficiency::Flat) => at.undefined(Reason::ZeroDenominator),
        }
    }
}

/// `None` when this step can say nothing about the window at all.
fn estimate<V: Priced>(
    step: Span,
    squared: &Fold<Sum>,
    ranges: Option<&Fold<Sum>>,
    series: &Series<V>,
    anchor: i64,
    length: Span,
    settings: &Settings,
) -> Option<Result<Estimate, State>> {
    if length.0 % step.0 != 0 {
        return None;
    }
    let expected = length.0 / step.0;
    let at = series.instant(anchor);
    let gap = series.has_gap(at - length, at);
    let scale = (YEAR_S / step.as_secs_f64()).sqrt();
    if step == MINUTE || expected >= COARSE_RETURNS_MIN {
        let folded = squared.window(anchor - expected, anchor);
        let first = series.first().map(|f| f + 1);
        // Four fifths of the returns, as 48 of 60 and 192 of 240 in the tables.
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "at most 1,440 returns")]
        let min_n = ((4 * expected + 4) / 5) as u32;
        let counted = Window { n: folded.n, expected, min_n, first, anchor, gap };
        Some(counted.fullness(settings).map(|full| {
            let n = f64::from(folded.n);
            let value = (folded.total() / n).sqrt() * scale;
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
