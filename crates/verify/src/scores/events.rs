//! Events as people count them: maximal runs of a condition, runs closer than the horizon taken as one.

use barograph_domain::{Span, Ts};
use serde::{Deserialize, Serialize};

/// One event.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct EventRun {
    /// The first moment at which the condition held: its onset.
    pub begins: Ts,
    /// The last moment at which it held.
    pub ends: Ts,
}

/// The events of a condition evaluated at rising times. Neighbouring samples belong to one run, unless a hole longer than the horizon
/// lies between them; runs of which one begins less than the horizon after the other's end are one event.
#[must_use]
pub fn event_runs(samples: impl IntoIterator<Item = (Ts, bool)>, horizon: Span) -> Vec<EventRun> {
    let mut runs: Vec<EventRun> = Vec::new();
    let mut held_before = false;
    for (t, holds) in samples {
        if holds {
            match runs.last_mut() {
                Some(run) if t - run.ends < horizon || (held_before && t - run.ends == horizon) => run.ends = t,
                _ => runs.push(EventRun { begins: t, ends: t }),
            }
        }
        held_before = holds;
    }
    runs
}

/// Does an event begin within `(t, t + horizon]`? The events are in the order of time.
#[must_use]
pub fn onset_within(events: &[EventRun], t: Ts, horizon: Span) -> bool {
    let next = events.partition_point(|event| event.begins <= t);
    events.get(next).is_some_and(|event| event.begins <= t + horizon)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(minute: i64) -> Ts {
        Ts(0) + Span::mins(minute)
    }

    fn runs(samples: &[(i64, bool)], horizon: i64) -> Vec<(i64, i64)> {
        let events = event_runs(samples.iter().map(|(m, holds)| (at(*m), *holds)), Span::mins(horizon));
        events.iter().map(|e| ((e.begins - at(0)).as_secs() / 60, (e.ends - at(0)).as_secs() / 60)).collect()
    }

    #[test]
    fn runs_closer_than_the_horizon_are_one_event() {
        let at_5_and_30 = [(0, false), (5, true), (10, true), (15, false), (30, true), (35, false)];
        assert_eq!(runs(&at_5_and_30, 20), [(5, 10), (30, 30)]);
        assert_eq!(runs(&at_5_and_30, 21), [(5, 30)]);
        // Samples as far apart as the horizon: one run while the condition holds, two once it was seen not to.
        assert_eq!(runs(&[(0, true), (60, true), (120, false), (180, true)], 60), [(0, 60), (180, 180)]);
        // Nobody saw what was between.
        assert_eq!(runs(&[(0, true), (600, true)], 60), [(0, 0), (600, 600)]);
        assert_eq!(runs(&[], 60), []);
    }

    #[test]
    fn a_window_is_open_at_its_start_and_closed_at_its_end() {
        let events = [EventRun { begins: at(10), ends: at(12) }];
        let within = |t| onset_within(&events, at(t), Span::mins(5));
        assert_eq!([4, 5, 9, 10, 11].map(within), [false, true, true, false, false]);
    }
}
