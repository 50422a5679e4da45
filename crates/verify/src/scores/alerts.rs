//! How good a rule's alerts are: how many were right, how many events they saw coming and how early, how many a day, how much better
//! than chance, how many twice.

use super::case::n_eff;
use super::events::EventRun;
use super::random::SplitMix;
use super::stability::{Durations, durations};
use super::sums::{float, ratio};
use super::wilson::wilson_90;
use barograph_domain::{Span, Ts};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// Windows drawn for a base rate.
const DRAWS: usize = 1_000;
/// An onset within the minute in which the alert opened counts as no lead at all.
const MINUTE: Span = Span::mins(1);

/// One alert as a forecast.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct AlertCase {
    /// When it opened.
    pub opened: Ts,
    /// Did the event happen within its horizon? `None` while that is open, or where it cannot be known.
    pub happened: Option<bool>,
}

/// How many alerts were right.
#[derive(Clone, Copy, PartialEq, Debug, Serialize, Deserialize)]
pub struct Precision {
    /// Alerts after which the event came.
    pub hits: usize,
    /// Alerts whose outcome is known.
    pub resolved: usize,
    /// Those of them whose windows do not overlap.
    pub n_eff: usize,
    /// `hits / resolved`.
    pub value: f64,
    /// Wilson's 90 % interval, of `resolved` cases taken as independent.
    pub wilson_90: (f64, f64),
}

/// Precision of alerts in the order of time; `None` without a resolved one.
///
/// # Panics
/// When the alerts are not in order.
#[must_use]
pub fn precision(alerts: &[AlertCase], horizon: Span) -> Option<Precision> {
    let resolved = || alerts.iter().filter_map(|a| a.happened.map(|happened| (a.opened, happened)));
    let (n, hits) = (resolved().count(), resolved().filter(|(_, happened)| *happened).count());
    Some(Precision {
        hits,
        resolved: n,
        n_eff: n_eff(resolved().map(|(opened, _)| opened), horizon),
        value: ratio(float(hits), float(n))?,
        wilson_90: wilson_90(float(hits), float(n))?,
    })
}

/// How many events an alert preceded, and by how much.
#[derive(Clone, Copy, PartialEq, Debug, Serialize, Deserialize)]
pub struct Recall {
    /// Events with an alert that opened at most the horizon before their onset.
    pub warned: usize,
    /// Events in all.
    pub events: usize,
    /// `warned / events`.
    pub value: f64,
    /// Wilson's 90 % interval.
    pub wilson_90: (f64, f64),
    /// Onset less opening of the first alert of each warned event; `None` where none was warned of.
    pub lead_time: Option<Durations>,
}

/// Recall of alerts (their openings, in the order of time) for these events; `None` without events.
#[must_use]
pub fn recall(opened: &[Ts], events: &[EventRun], horizon: Span) -> Option<Recall> {
    let leads = lead_times(opened, events, horizon);
    let (warned, n) = (float(leads.len()), float(events.len()));
    Some(Recall {
        warned: leads.len(),
        events: events.len(),
        value: ratio(warned, n)?,
        wilson_90: wilson_90(warned, n)?,
        lead_time: durations(leads),
    })
}

/// Onset less opening of the first alert of each event that one preceded by at most the horizon, in the order of the events.
#[must_use]
pub fn lead_times(opened: &[Ts], events: &[EventRun], horizon: Span) -> Vec<Span> {
    events.iter().filter_map(|event| lead(opened, event.begins, horizon)).collect()
}

/// How long before the onset the first alert of its window opened.
fn lead(opened: &[Ts], onset: Ts, horizon: Span) -> Option<Span> {
    let first = opened.get(opened.partition_point(|t| *t < onset - horizon))?;
    let together = first.floor(MINUTE) == onset.floor(MINUTE);
    (*first <= onset || together).then(|| if together { Span::ZERO } else { onset - *first })
}

/// Alerts per symbol-day over the time covered; `None` without time.
#[must_use]
pub fn alerts_per_day(alerts: usize, covered: Span) -> Option<f64> {
    ratio(float(alerts), covered.as_days_f64())
}

/// How much likelier the event is after an alert than in any window.
#[derive(Clone, Copy, PartialEq, Debug, Serialize, Deserialize)]
pub struct Lift {
    /// Precision over base rate.
    pub value: f64,
    /// Lower bound: Wilson's 90 % lower bound of the precision of non-overlapping alerts, over the 90 % upper bound of the base rate. Both
    /// ends are taken against the rule, so the error is below 10 %.
    pub low: f64,
    /// Frequency of the event in random windows.
    pub base_rate: f64,
    /// Random windows whose outcome is known.
    pub windows: usize,
}

/// Lift of a rule over windows of the same length drawn at random from `[from, upto − horizon]`, to the minute, 1,000 from this seed.
/// `happens` says of a window's start whether the event came within `(t, t + horizon]`, or `None` where nobody knows. `None` where
/// the span holds no window, or the event came in none of them.
pub fn lift(
    precision: &Precision,
    (from, upto): (Ts, Ts),
    horizon: Span,
    seed: u64,
    mut happens: impl FnMut(Ts) -> Option<bool>,
) -> Option<Lift> {
    let room = (upto - horizon - from).0.div_euclid(MINUTE.0);
    let minutes = u64::try_from(room).ok()? + 1;
    let mut random = SplitMix::new(seed);
    let mut draw = || from + MINUTE.times(i64::try_from(random.below(minutes)).unwrap_or_default());
    let known: Vec<_> = (0..DRAWS).filter_map(|_| happens(draw())).collect();
    let (came, n) = (float(known.iter().filter(|came| **came).count()), float(known.len()));
    let base_rate = ratio(came, n).filter(|rate| *rate > 0.0)?;
    let independent = float(precision.n_eff);
    let (low, _) = wilson_90(precision.value * independent, independent)?;
    let (_, high) = wilson_90(came, n)?;
    Some(Lift { value: precision.value / base_rate, low: low / high, base_rate, windows: known.len() })
}

/// Share of alerts that say again what another of the same episode and cause had said; `None` without alerts.
#[must_use]
pub fn dup_rate<K: Ord>(episode_and_cause: impl IntoIterator<Item = K>) -> Option<f64> {
    let (mut n, mut distinct) = (0, BTreeSet::new());
    for key in episode_and_cause {
        n += 1;
        distinct.insert(key);
    }
    ratio(float(n - distinct.len()), float(n))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scores::events::onset_within;

    fn at(minute: i64) -> Ts {
        Ts(0) + Span::mins(minute)
    }

    fn event(minute: i64) -> EventRun {
        EventRun { begins: at(minute), ends: at(minute) }
    }

    #[test]
    fn open_outcomes_are_no_part_of_precision() {
        let alert = |m, happened| AlertCase { opened: at(m), happened };
        let alerts = [alert(0, Some(true)), alert(30, Some(false)), alert(60, Some(true)), alert(90, None)];
        let got = precision(&alerts, Span::hours(1)).unwrap();
        assert_eq!((got.hits, got.resolved, got.n_eff, got.value), (2, 3, 2, 2.0 / 3.0));
        assert_eq!(Some(got.wilson_90), wilson_90(2.0, 3.0));
        assert_eq!(precision(&alerts[3..], Span::hours(1)), None);
    }

    #[test]
    fn the_first_alert_of_the_window_gives_the_lead() {
        let check = |opened: &[i64], onset: i64, want: Option<i64>| {
            let opened: Vec<_> = opened.iter().map(|m| at(*m)).collect();
            assert_eq!(lead(&opened, at(onset), Span::hours(1)), want.map(Span::mins), "{opened:?} before {onset}");
        };
        check(&[10, 50], 65, Some(55));
        check(&[4], 65, None);
        check(&[5], 65, Some(60));
        check(&[70], 65, None);
        check(&[65], 65, Some(0));
        check(&[], 65, None);
        // Within the opening minute: no lead, though the alert is the later one.
        assert_eq!(lead(&[at(65) + Span::secs(40)], at(65) + Span::secs(10), Span::hours(1)), Some(Span::ZERO));
        assert_eq!(lead(&[at(65) + Span::secs(10)], at(65) + Span::secs(40), Span::hours(1)), Some(Span::ZERO));
    }

    #[test]
    fn recall_counts_events_not_alerts() {
        let got = recall(&[at(0), at(1), at(500)], &[event(30), event(300), event(510)], Span::hours(1)).unwrap();
        assert_eq!((got.warned, got.events, got.value), (2, 3, 2.0 / 3.0));
        assert_eq!(got.lead_time.map(|lead| (lead.n, lead.median)), Some((2, Span::mins(20))));
        let none = recall(&[], &[event(30)], Span::hours(1)).unwrap();
        assert_eq!((none.value, none.lead_time), (0.0, None));
        assert_eq!(recall(&[at(0)], &[], Span::hours(1)), None);
    }

    #[test]
    fn lift_is_precision_over_what_any_window_has() {
        // An onset every ten hours: a window of one hour holds one in a tenth of all places.
        let events: Vec<_> = (1..1_000).map(|i| event(600 * i)).collect();
        let alerts: Vec<_> = (0..60).map(|i| AlertCase { opened: at(600 * i), happened: Some(i % 2 == 0) }).collect();
        let precision = precision(&alerts, Span::hours(1)).unwrap();
        let span = (at(0), at(600_000));
        let of =
            |seed| lift(&precision, span, Span::hours(1), seed, |t| Some(onset_within(&events, t, Span::hours(1))));
        let got = of(1).unwrap();
        assert!((0.08..0.12).contains(&got.base_rate) && (4.0..6.5).contains(&got.value), "{got:?}");
        assert!(got.low > 2.5 && got.low < got.value && got.windows == 1_000, "{got:?}");
        // Both ends are taken against the rule.
        let (ends, came) = (wilson_90(30.0, 60.0).unwrap(), got.base_rate * 1_000.0);
        assert!((got.low - ends.0 / wilson_90(came, 1_000.0).unwrap().1).abs() < 1e-12, "{got:?}");
        // Alerts of which many share a window are worth fewer.
        let crowded = Precision { n_eff: 10, ..precision };
        let crowded =
            lift(&crowded, span, Span::hours(1), 1, |t| Some(onset_within(&events, t, Span::hours(1)))).unwrap();
        assert!(crowded.low < got.low && (crowded.value - got.value).abs() < 1e-12, "{crowded:?}");
        assert_eq!(of(1), Some(got));
        assert_ne!(of(2), Some(got));
        // No room for a window, an event that never came, windows of which nobody knows.
        assert_eq!(lift(&precision, (at(0), at(59)), Span::hours(1), 1, |_| Some(true)), None);
        assert!(lift(&precision, (at(0), at(60)), Span::hours(1), 1, |t| Some(t == at(0))).is_some());
        assert_eq!(lift(&precision, span, Span::hours(1), 1, |_| Some(false)), None);
        assert_eq!(lift(&precision, span, Span::hours(1), 1, |_| None), None);
    }

    #[test]
    fn repeats_are_counted_per_episode_and_cause() {
        assert_eq!(dup_rate([(1, "a"), (1, "a"), (1, "b"), (2, "a")]), Some(0.25));
        assert_eq!(dup_rate::<u8>([]), None);
        assert_eq!((alerts_per_day(3, Span::hours(12)), alerts_per_day(3, Span::ZERO)), (Some(6.0), None));
    }
}
