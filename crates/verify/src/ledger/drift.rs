//! Has the market changed? Once a week, how differently each reading that the rules look at was spread than in the 13 weeks before
//! (verification §5, research: population stability index).
//!
//! A value every five minutes is counted in a narrow step of a scale that is the same for all: sixteen steps between a number and its
//! double. So a week is some dozen counts, sums of weeks are exact, and which minutes came first leaves no trace. A week begins on
//! Monday, 00:00 UTC, and is judged with the first minute on the grid after it; too little of it, or of what it is held against,
//! gives no reading. What an index means is said by the weeks before it, see [`FeatureDrift::word`].

use crate::scores::drift::psi_of_steps;
use crate::scores::quantile_of;
use barograph_domain::forecast::FeatureDrift;
use barograph_domain::{Span, Ts};
use barograph_engine::catalogue::CATALOGUE;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, VecDeque};

/// Monday, 5 January 1970.
const MONDAY: Span = Span::days(4);
const WEEK: Span = Span::days(7);
/// Weeks that a week is held against: 91 days.
const REFERENCE_WEEKS: i32 = 13;
/// Values of a week on a grid of five minutes.
const WEEK_VALUES: u32 = 7 * 24 * 12;
/// Half of a week must have been seen.
const WEEK_MIN: u32 = WEEK_VALUES / 2;
/// And half of what it is held against.
const REFERENCE_MIN: u32 = WEEK_VALUES * 13 / 2;
const BINS: usize = 10;
/// Weeks that an index is held against: two years.
const PAST_MAX: usize = 104;
/// Of half a year of weeks the greatest is about the 95th percentile.
const PAST_MIN: usize = 26;
/// Bits that are left out below sign, exponent and four of the mantissa.
const DROPPED_BITS: u32 = 48;

/// The step of a number; rising with it.
fn step_of(x: f64) -> i16 {
    let size = i16::try_from(x.abs().to_bits() >> DROPPED_BITS).unwrap_or(i16::MAX);
    if x < 0.0 { -size } else { size }
}

/// The week of a moment, from the first Monday of 1970 on.
fn week_of(t: Ts) -> i32 {
    i32::try_from((t.0 - MONDAY.0).div_euclid(WEEK.0)).unwrap_or(i32::MAX)
}

/// How many values of a week lie in each step, rising.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
struct Counted {
    week: i32,
    steps: Vec<(i16, u16)>,
}

impl Counted {
    fn count(&mut self, x: f64) {
        let step = step_of(x);
        match self.steps.binary_search_by_key(&step, |(s, _)| *s) {
            Ok(at) => self.steps[at].1 = self.steps[at].1.saturating_add(1),
            Err(at) => self.steps.insert(at, (step, 1)),
        }
    }

    fn values(&self) -> u32 {
        self.steps.iter().map(|(_, n)| u32::from(*n)).sum()
    }
}

/// One reading of one market.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
struct Spread {
    now: Counted,
    /// At most 13 weeks, oldest first.
    before: VecDeque<Counted>,
    /// Indices of earlier weeks, oldest first.
    past: VecDeque<f64>,
}

impl Spread {
    /// The week is over.
    fn close(&mut self, market: u16, feature: &str) -> Option<FeatureDrift> {
        let week = core::mem::take(&mut self.now);
        self.before.retain(|w| w.week >= week.week - REFERENCE_WEEKS);
        let found = self.judge(&week, market, feature);
        if let Some(found) = &found {
            if self.past.len() == PAST_MAX {
                self.past.pop_front();
            }
            self.past.push_back(found.psi);
        }
        self.before.push_back(week);
        found
    }

    fn judge(&self, week: &Counted, market: u16, feature: &str) -> Option<FeatureDrift> {
        let reference: u32 = self.before.iter().map(Counted::values).sum();
        if week.values() < WEEK_MIN || reference < REFERENCE_MIN {
            return None;
        }
        let mut all: BTreeMap<i16, u32> = BTreeMap::new();
        for (step, n) in self.before.iter().flat_map(|w| &w.steps) {
            *all.entry(*step).or_default() += u32::from(*n);
        }
        let all: Vec<(i16, u32)> = all.into_iter().collect();
        let own: Vec<(i16, u32)> = week.steps.iter().map(|(step, n)| (*step, u32::from(*n))).collect();
        let index = psi_of_steps(&all, &own, BINS)?;
        let mut past: Vec<f64> = self.past.iter().copied().collect();
        past.sort_by(f64::total_cmp);
        let usual = |p: f64| quantile_of(&past, p).filter(|_| past.len() >= PAST_MIN);
        Some(FeatureDrift {
            market,
            feature: feature.into(),
            psi: index.psi,
            by_chance: index.by_chance,
            n: week.values(),
            reference,
            weeks: u32::try_from(past.len()).unwrap_or(u32::MAX),
            p80: usual(0.80),
            p95: usual(0.95),
        })
    }
}

/// All readings of one market.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
pub(super) struct Spreads {
    week: Option<i32>,
    of: BTreeMap<u8, Spread>,
}

impl Spreads {
    /// Takes the values of an instant on the grid; what follows of a week that is over is added to `out`, by name of the reading.
    pub(super) fn take(&mut self, market: u16, ts: Ts, values: &[(u8, f64)], out: &mut Vec<FeatureDrift>) {
        let week = week_of(ts);
        if self.week.replace(week).is_some_and(|before| before != week) {
            let from = out.len();
            for (place, spread) in &mut self.of {
                let name = CATALOGUE.get(usize::from(*place)).map_or("", |spec| spec.id);
                out.extend(spread.close(market, name));
            }
            out[from..].sort_by(|a, b| a.feature.cmp(&b.feature));
        }
        for (place, value) in values {
            let spread = self.of.entry(*place).or_default();
            spread.now.week = week;
            spread.now.count(*value);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::GRID;
    use super::*;
    use crate::scores::random::SplitMix;

    const PLACE: u8 = 3;

    /// `weeks` weeks from a Monday on, of which `value` makes the value of each instant from a number between 0 and 1.
    fn run(
        weeks: i64,
        value: impl Fn(i64, f64) -> Option<f64>,
        kept: impl Fn(Spreads) -> Spreads,
    ) -> Vec<FeatureDrift> {
        let (mut spreads, mut out, mut random) = (Spreads::default(), Vec::new(), SplitMix::new(7));
        for n in 0..=weeks * i64::from(WEEK_VALUES) {
            let x = value(n / i64::from(WEEK_VALUES), random.unit());
            let values: Vec<(u8, f64)> = x.map(|x| (PLACE, x)).into_iter().collect();
            spreads.take(0, Ts(MONDAY.0) + GRID.times(n), &values, &mut out);
            if n % 1_500 == 0 {
                spreads = kept(spreads);
            }
        }
        out
    }

    #[test]
    fn steps_rise_with_their_numbers() {
        let numbers = [-1e300, -2.0, -1.0, -1e-9, 0.0, 1e-9, 0.5, 0.6, 1.0, 1.07, 2.0, 1e300];
        assert!(numbers.windows(2).all(|w| step_of(w[0]) < step_of(w[1])), "{:?}", numbers.map(step_of));
        assert_eq!((step_of(-0.0), step_of(1.01)), (step_of(0.0), step_of(1.0)));
        assert_eq!([week_of(Ts(MONDAY.0)), week_of(Ts(MONDAY.0 - 1))], [0, -1]);
    }

    #[test]
    fn a_week_is_held_against_thirteen_and_its_index_against_those_before() {
        let same = |_, x: f64| Some(x + 0.1);
        let found = run(60, same, |s| s);
        // Seven weeks make half of thirteen.
        assert_eq!((found.len(), found[0].reference), (53, 7 * WEEK_VALUES));
        assert_eq!((found[52].n, found[52].reference, found[52].weeks), (WEEK_VALUES, 13 * WEEK_VALUES, 52));
        assert!(found.iter().all(|f| f.psi < 3.0 * f.by_chance), "{found:?}");
        assert!(found[25].word().is_none() && found[26].word().is_some());
        let moved = run(60, |week, x| Some(if week == 59 { x + 0.4 } else { x + 0.1 }), |s| s);
        assert_eq!(moved[..52], found[..52]);
        assert_eq!(moved[52].word(), Some(barograph_domain::forecast::DriftWord::Changed), "{:?}", moved[52]);
    }

    #[test]
    fn too_little_gives_no_reading() {
        // Of the tenth week less than half is there.
        let holes = |week: i64, x: f64| (week != 9 || x < 0.4).then_some(x + 0.1);
        assert_eq!(run(12, holes, |s| s).len(), 4);
        assert_eq!(run(12, |_, _| Some(1.0), |s| s), [], "one value is not spread");
        // A reading that was away for half a year begins again.
        let away = |week: i64, x: f64| (!(10..36).contains(&week)).then_some(x + 0.1);
        assert_eq!(run(44, away, |s| s).len(), 3 + 1);
    }

    #[test]
    fn a_stop_changes_nothing_and_nor_does_what_comes_later() {
        let same = |week: i64, x: f64| Some(x + 0.01 * f64::from(i32::try_from(week).unwrap()));
        let through_bytes = |s: Spreads| postcard::from_bytes(&postcard::to_allocvec(&s).unwrap()).unwrap();
        let whole = run(45, same, |s| s);
        assert_eq!(run(45, same, through_bytes), whole);
        assert_eq!(run(30, same, |s| s), whole[..30 - 7]);
    }
}
