//! How often events came, over 180 days of resolved windows of one group of markets: what climatology and persistence are made of
//! (verification §1).

use barograph_domain::forecast::{ForecastEvent, ReferenceCounts, SymbolGroup, WindowOutcome};
use barograph_domain::{Ts, time};
use serde::{Deserialize, Serialize};
use std::collections::VecDeque;

/// Days that count, the present one included.
const DAYS: i64 = 180;

/// Position of an outcome among those of its event.
pub(super) fn position(outcome: WindowOutcome) -> Option<usize> {
    match outcome {
        WindowOutcome::Missed => Some(0),
        WindowOutcome::Happened => Some(1),
        WindowOutcome::Class(c) => Some(usize::from(c)),
        WindowOutcome::Gap | WindowOutcome::Void => None,
    }
}

/// One event of one group.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
struct Trail {
    now: ReferenceCounts,
    /// Counts of each day that has any, oldest first.
    days: VecDeque<(i64, Box<[u32]>)>,
}

impl Trail {
    fn new(event: ForecastEvent, group: SymbolGroup) -> Self {
        Self { now: ReferenceCounts::none(event, group), days: VecDeque::new() }
    }

    /// Lets go what is older than 180 days at a day.
    fn reach(&mut self, day: i64) {
        while self.days.front().is_some_and(|(d, _)| *d <= day - DAYS) {
            let Some((_, gone)) = self.days.pop_front() else { break };
            for (now, gone) in self.now.counts.iter_mut().zip(gone.iter()) {
                *now = now.saturating_sub(*gone);
            }
        }
    }

    fn count(&mut self, day: i64, at: usize) {
        if self.days.back().is_none_or(|(d, _)| *d != day) {
            self.days.push_back((day, vec![0; self.now.counts.len()].into()));
        }
        let today = self.days.back_mut().and_then(|(_, counts)| counts.get_mut(at));
        if let (Some(now), Some(today)) = (self.now.counts.get_mut(at), today) {
            *now = now.saturating_add(1);
            *today = today.saturating_add(1);
        }
    }
}

/// Every event of every group.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
pub(super) struct References {
    /// By (event, group).
    trails: Vec<Trail>,
}

impl References {
    fn of(&mut self, event: ForecastEvent, group: SymbolGroup) -> &mut Trail {
        let found = self.trails.binary_search_by_key(&(event, group), |t| (t.now.event, t.now.group));
        let at = found.unwrap_or_else(|at| {
            self.trails.insert(at, Trail::new(event, group));
            at
        });
        &mut self.trails[at]
    }

    /// A window ended at a moment; `state`: what the event was before it, where known.
    pub(super) fn count(
        &mut self,
        (event, group): (ForecastEvent, SymbolGroup),
        state: Option<u8>,
        outcome: WindowOutcome,
        at: Ts,
    ) {
        let outcomes = ReferenceCounts::outcomes(event);
        let Some(outcome) = position(outcome).filter(|o| *o < outcomes) else { return };
        let state = state.map_or(outcomes, usize::from).min(outcomes);
        let day = at.0.div_euclid(time::DAY.0);
        let trail = self.of(event, group);
        trail.reach(day);
        trail.count(day, state * outcomes + outcome);
    }

    /// What there is at a moment.
    pub(super) fn at(&mut self, event: ForecastEvent, group: SymbolGroup, at: Ts) -> ReferenceCounts {
        let trail = self.of(event, group);
        trail.reach(at.0.div_euclid(time::DAY.0));
        trail.now.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use barograph_domain::Span;

    #[test]
    fn half_a_year_counts_and_no_more() {
        let key = (ForecastEvent::HighVol1h, SymbolGroup::Btc);
        let at = |day: i64| Ts(0) + Span::days(day) + Span::hours(3);
        let mut r = References::default();
        for day in 0..200 {
            r.count(key, Some(u8::from(day % 2 == 0)), WindowOutcome::Happened, at(day));
            r.count(key, None, WindowOutcome::Missed, at(day));
            r.count(key, None, WindowOutcome::Gap, at(day));
        }
        let now = r.at(key.0, key.1, at(199));
        assert_eq!(now.counts.as_ref(), [0, 90, 0, 90, 180, 0]);
        assert_eq!(r.at(key.0, key.1, at(379)).cases(), 0);
        assert_eq!(r.at(key.0, SymbolGroup::Eth, at(199)).cases(), 0);
    }
}
