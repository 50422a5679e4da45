//! How good forecasts have been lately: once a day the Brier skill over persistence of what resolved in the last 30 days, by event and
//! group of markets (verification §5).
//!
//! It reads ticks of the ledger and nothing else. A forecast counts where it stated a probability and persistence had seen enough to
//! state one; classes are scored elsewhere. Kept are sums by day, so the band draws whole days again.

use crate::scores::bootstrap::{BlockSeries, DRAWS, SEED};
use barograph_domain::forecast::{
    CLIMATOLOGY_MIN, ForecastEvent, Forecaster, GroupSkill, LedgerTick, Resolution, Stated, SymbolGroup, WindowOutcome,
};
use barograph_domain::time::DAY;
use barograph_domain::{Span, Ts};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, VecDeque};

/// Days that a skill speaks of.
const DAYS: i64 = 30;
/// Windows that do not overlap before a skill is stated: two in three days, of events a day long.
const SEPARATE_MIN: u32 = 20;

/// Forecasts of one event that were registered together and wait.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
struct Wave {
    /// Market, its probability, that of persistence; by market.
    stated: Vec<(u16, f64, f64)>,
    /// How many are not resolved.
    left: usize,
}

/// Sums of a day.
#[derive(Clone, Copy, PartialEq, Debug, Default, Serialize, Deserialize)]
struct Sums {
    day: i64,
    n: u32,
    separate: u32,
    /// Forecasts whose event came.
    came: u32,
    own: f64,
    persistence: f64,
}

/// One event over the markets of a group.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
struct Recent {
    days: VecDeque<Sums>,
    /// Until when the last separate window lasts.
    busy_until: Option<Ts>,
}

/// All of them.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
pub(super) struct Skills {
    /// By event and moment of issue. Markets are positions of the list below.
    waiting: BTreeMap<(ForecastEvent, Ts), Wave>,
    /// Names of markets, in the order they came.
    names: Vec<String>,
    recent: BTreeMap<(ForecastEvent, SymbolGroup), Recent>,
    /// The day of the last tick.
    day: Option<i64>,
    /// Positions here of the markets of the last tick, and how many these were: names are only added.
    #[serde(skip)]
    places: Vec<u16>,
}

impl Skills {
    /// What is stated at the first tick of a day, before it is taken.
    pub(super) fn at(&mut self, ts: Ts) -> Vec<GroupSkill> {
        let day = ts.0.div_euclid(DAY.0);
        if self.day.replace(day).is_none_or(|before| before == day) {
            return Vec::new();
        }
        for recent in self.recent.values_mut() {
            recent.days.retain(|s| s.day >= day - DAYS);
        }
        // What will never resolve: its window is long over.
        self.waiting.retain(|(_, issued), _| issued.0.div_euclid(DAY.0) >= day - DAYS);
        self.recent.iter().filter_map(|((event, group), recent)| recent.skill(*event, *group)).collect()
    }

    /// Takes a tick.
    pub(super) fn take(&mut self, tick: &LedgerTick) {
        self.name(tick);
        for one in tick.resolutions.iter().filter(|r| r.subject.is_none()) {
            self.resolve(tick, one);
        }
        // What has a subject has no state before it, so nothing persists.
        for issue in tick.issues.iter().filter(|i| i.forecaster == Forecaster::Rules && i.subject.is_none()) {
            let (Stated::Probability(p), Some(state)) = (issue.stated, issue.state) else { continue };
            let Some(reference) = tick.reference(issue) else { continue };
            let enough = reference.persistence_cases(state) >= CLIMATOLOGY_MIN;
            let Some(persistence) = reference.persistence(Some(state), 1).filter(|_| enough) else { continue };
            let wave = self.waiting.entry((issue.event, tick.ts)).or_default();
            wave.stated.push((self.places.get(usize::from(issue.market)).copied().unwrap_or(u16::MAX), p, persistence));
            wave.left += 1;
        }
        for event in ForecastEvent::ALL {
            if let Some(wave) = self.waiting.get_mut(&(event, tick.ts)) {
                wave.stated.sort_by_key(|(market, ..)| *market);
            }
        }
    }

    fn name(&mut self, tick: &LedgerTick) {
        if self.places.len() == tick.markets.len() {
            return;
        }
        self.places.clear();
        for name in tick.markets.iter() {
            let name = name.to_string();
            let at = self.names.iter().position(|n| *n == name).unwrap_or_else(|| {
                self.names.push(name);
                self.names.len() - 1
            });
            self.places.push(u16::try_from(at).unwrap_or(u16::MAX));
        }
    }

    fn resolve(&mut self, tick: &LedgerTick, one: &Resolution) {
        let place = self.places.get(usize::from(one.market)).copied().unwrap_or(u16::MAX);
        let key = (one.event, one.issued_ts);
        let Some(wave) = self.waiting.get_mut(&key) else { return };
        let Ok(at) = wave.stated.binary_search_by_key(&place, |(market, ..)| *market) else { return };
        let (_, p, persistence) = wave.stated[at];
        wave.left = wave.left.saturating_sub(1);
        if wave.left == 0 {
            self.waiting.remove(&key);
        }
        let came = match one.outcome {
            WindowOutcome::Happened => 1.0,
            WindowOutcome::Missed => 0.0,
            WindowOutcome::Gap | WindowOutcome::Void | WindowOutcome::Class(_) => return,
        };
        let Some(name) = tick.market(one.market) else { return };
        let recent = self.recent.entry((one.event, SymbolGroup::of(name))).or_default();
        let square = |p: f64| (p - came) * (p - came);
        recent.count((tick.ts, one.issued_ts), came > 0.0, [square(p), square(persistence)], horizon(one.event));
    }
}

fn horizon(event: ForecastEvent) -> Span {
    event.horizon().unwrap_or(Span::hours(12))
}

impl Recent {
    fn count(&mut self, (now, issued): (Ts, Ts), came: bool, [own, persistence]: [f64; 2], horizon: Span) {
        let day = now.0.div_euclid(DAY.0);
        if self.days.back().is_none_or(|last| last.day != day) {
            self.days.push_back(Sums { day, ..Sums::default() });
        }
        let apart = self.busy_until.is_none_or(|until| issued >= until);
        if apart {
            self.busy_until = Some(issued + horizon);
        }
        if let Some(sums) = self.days.back_mut() {
            sums.n += 1;
            sums.separate += u32::from(apart);
            sums.came += u32::from(came);
            sums.own += own;
            sums.persistence += persistence;
        }
    }

    /// Where only one outcome came there is no skill: a reference that expects nothing else is as good as perfect there.
    fn skill(&self, event: ForecastEvent, group: SymbolGroup) -> Option<GroupSkill> {
        let sum = |of: fn(&Sums) -> u32| self.days.iter().map(of).sum::<u32>();
        let (n, separate, came) = (sum(|s| s.n), sum(|s| s.separate), sum(|s| s.came));
        if separate < SEPARATE_MIN || came == 0 || came == n {
            return None;
        }
        let days = self.days.iter().map(|s| (Ts(s.day * DAY.0), [s.own, s.persistence]));
        let series = BlockSeries::<2>::new(days, DAY, horizon(event));
        let score = |sums: &[f64; 2]| (sums[1] > 0.0).then(|| 1.0 - sums[0] / sums[1]);
        let skill = score(&series.total())?;
        let band = series.resamples(DRAWS, SEED).and_then(|r| r.band(score)).map(|b| [b.low, b.high]);
        Some(GroupSkill { event, group, skill, band, n, separate })
    }
}
