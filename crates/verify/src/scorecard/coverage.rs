//! In how much time there was something to judge: instants at which `hv_1h`, which is asked of every market at every instant, was
//! registered. Alerts of labels and of detectors a day are over the same time, so that they can be compared; years in which only funding
//! is known, and holes, are no part of it (verification §5).

use crate::ledger::GRID;
use crate::scores::alerts::alerts_per_day;
use barograph_domain::scorecard::AlertRow;
use barograph_domain::time::DAY;
use barograph_domain::{Span, Ts};
use std::collections::BTreeMap;

/// Time of all markets of a scope together, by window and scope.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Coverage(BTreeMap<(String, String), Span>);

impl Coverage {
    /// Adds a market's instants to what a scope has of a window.
    pub(super) fn add(&mut self, window: &str, scope: &str, instants: usize) {
        let time = self.0.entry((window.to_owned(), scope.to_owned())).or_default();
        *time = *time + GRID.times(i64::try_from(instants).unwrap_or(i64::MAX));
    }

    /// Days and alerts per day of each row; of a day or less a rate says nothing.
    pub fn fill(&self, rows: &mut [AlertRow]) {
        for row in rows {
            let key = (row.window.clone(), row.scope.clone());
            let time = self.0.get(&key).copied().unwrap_or_default();
            row.days = Some(time.as_days_f64());
            let alerts = usize::try_from(row.alerts).unwrap_or(usize::MAX);
            row.per_day = if time > DAY { alerts_per_day(alerts, time) } else { None };
        }
    }
}

/// Instants of a market from a moment on, of those in order.
pub(super) fn since(instants: &[Ts], from: Ts) -> usize {
    instants.len() - instants.partition_point(|t| *t < from)
}
