//! Volume by price of the UTC day under way, and the volume nodes it leaves as levels when it is over (features §4.6).

use super::{Frame, day_of};
use crate::features::bars::BuiltBar;
use crate::features::run::BarSeries;
use crate::liquidity::profile::{self, NODES_MAX, Profile};
use barograph_domain::{Span, Ts};
use serde::{Deserialize, Serialize};

/// The day under way.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Day {
    end: Ts,
    profile: Profile,
}

impl Frame {
    /// A whole day has bars enough for a profile.
    pub(super) fn has_profiles(&self) -> bool {
        self.step.0 * i64::from(profile::BARS_MIN) <= Span::days(1).0
    }

    /// A bar of a later day ends the one under way, whose last bars are missing.
    pub(super) fn end_day_before(&mut self, close: Ts) {
        if self.day.as_ref().is_some_and(|d| close > d.end) {
            self.end_day(close);
        }
    }

    /// Counts a bar that was pushed; the last one of its day ends it.
    pub(super) fn add_to_day(&mut self, close: Ts, bar: &BuiltBar) {
        if !self.has_profiles() {
            return;
        }
        if self.day.is_none() {
            let Some(width) = profile::width(bar.open, None) else { return };
            self.day = Some(Day { end: day_of(close).end, profile: Profile::new(width) });
        }
        let Some(day) = &mut self.day else { return };
        if let Some(volume) = bar.volume {
            day.profile.add(bar.low, bar.high, volume);
        }
        if close >= day.end {
            self.end_day(close);
        }
    }

    fn end_day(&mut self, known_at: Ts) {
        let (Some(day), Some(newest)) = (self.day.take(), self.liquidity.newest()) else { return };
        let mut nodes = Vec::with_capacity(NODES_MAX);
        day.profile.nodes(newest, &mut nodes);
        self.liquidity.replace_nodes(&nodes, known_at, &mut ());
    }

    /// A run day by day, so that the nodes of each are there for the bars of the next.
    pub(super) fn push_run_by_days(&mut self, run: &BarSeries<'_>) -> usize {
        let (mut at, index) = (0, run.index());
        while at < run.len() {
            let first = run.close_ts(at);
            let upto = at + run.upto(at, day_of(first).end).max(1);
            self.end_day_before(first);
            self.push_part(&run.part(at, upto));
            for i in at..upto {
                self.add_to_day(run.close_ts(i), &run.bar(index, i));
            }
            at = upto;
        }
        run.len()
    }
}
