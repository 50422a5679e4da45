//! The skill of a label as a forecast: its squared error beside that of persistence (verification §1, §4), over stored readings.
//!
//! Both are forecasters of the simplest kind. One is in one of two states, the label in force or not, and states the share of earlier
//! moments in the same state that the event followed; so does persistence by whether the event has just happened. Only outcomes that
//! were known at the moment count, and a moment is scored where both states had been seen a hundred times.

use super::outcome::Outcomes;
use barograph_domain::Ts;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Earlier cases that a state needs before it states a share (verification §1).
const CASES_MIN: u32 = 100;
const DAY_NS: i64 = 86_400_000_000_000;

/// Squared errors by UTC day, counted from 1970; adds up over markets.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
pub struct DayLosses {
    /// Moments scored, the sum of the label's squared errors, that of persistence.
    pub days: BTreeMap<i64, [f64; 3]>,
}

impl DayLosses {
    /// Adds another market's.
    pub fn add(&mut self, other: &Self) {
        for (day, sums) in &other.days {
            let own = self.days.entry(*day).or_default();
            own.iter_mut().zip(sums).for_each(|(a, b)| *a += b);
        }
    }
}

/// How often the event followed a state.
#[derive(Clone, Copy, Default)]
struct Followed {
    came: u32,
    of: u32,
}

impl Followed {
    fn take(&mut self, o: bool) {
        self.came += u32::from(o);
        self.of += 1;
    }
    fn share(self) -> Option<f64> {
        (self.of >= CASES_MIN).then(|| f64::from(self.came) / f64::from(self.of))
    }
}

/// A moment with what both forecasters went by, and what followed.
#[derive(Clone, Copy)]
struct Moment {
    ts: Ts,
    states: [bool; 2],
    o: bool,
}

/// The losses of a label between `from` and `until`. `in_force`: was it published at a moment; `None` where no label was known. It
/// is asked of ascending moments.
#[must_use]
pub fn losses(
    outcomes: &dyn Outcomes,
    mut in_force: impl FnMut(Ts) -> Option<bool>,
    (from, until): (Ts, Ts),
) -> DayLosses {
    let (grid, horizon) = (outcomes.grid(), outcomes.horizon());
    let mut out = DayLosses::default();
    let mut moments: Vec<Moment> = Vec::new();
    let (mut before, mut resolved) = (0, 0);
    let mut seen = [[Followed::default(); 2]; 2];
    for (ts, o) in grid.iter().filter(|(ts, _)| from <= *ts && *ts < until) {
        // What followed the moment a horizon ago is what has just happened.
        while grid.get(before).is_some_and(|(t, _)| *t < *ts - horizon) {
            before += 1;
        }
        let just = grid.get(before).filter(|(t, _)| *t == *ts - horizon);
        let (Some((_, just)), Some(on)) = (just, in_force(*ts)) else { continue };
        while let Some(m) = moments.get(resolved).filter(|m| m.ts + horizon <= *ts) {
            seen.iter_mut().zip(m.states).for_each(|(of, state)| of[usize::from(state)].take(m.o));
            resolved += 1;
        }
        let states = [on, *just];
        let [label, persistence] = [0, 1].map(|which| seen[which][usize::from(states[which])].share());
        if let (Some(p), Some(q)) = (label, persistence) {
            let came = f64::from(u8::from(*o));
            let sums = out.days.entry(ts.0.div_euclid(DAY_NS)).or_default();
            *sums = [sums[0] + 1.0, sums[1] + (p - came) * (p - came), sums[2] + (q - came) * (q - came)];
        }
        moments.push(Moment { ts: *ts, states, o: *o });
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use barograph_domain::Span;

    struct Every(Vec<(Ts, bool)>);

    impl Outcomes for Every {
        fn event(&self) -> &'static str {
            "hv_1h"
        }
        fn horizon(&self) -> Span {
            Span::hours(1)
        }
        fn happened(&self, _t: Ts) -> Option<bool> {
            None
        }
        fn onsets(&self) -> &[Ts] {
            &[]
        }
        fn base(&self) -> (u64, u64) {
            (0, 0)
        }
        fn grid(&self) -> &[(Ts, bool)] {
            &self.0
        }
    }

    fn at(n: i64) -> Ts {
        Ts(0) + Span::mins(5).times(n)
    }

    /// An event that comes by turns of three hours: what has just happened says half of the time what comes.
    fn by_turns(count: i64) -> Every {
        Every((0..count).map(|n| (at(n), n / 36 % 2 == 0)).collect())
    }

    fn skill(losses: &DayLosses) -> (f64, f64) {
        let sum = losses.days.values().fold([0.0; 3], |a, b| [a[0] + b[0], a[1] + b[1], a[2] + b[2]]);
        (sum[0], 1.0 - sum[1] / sum[2])
    }

    #[test]
    fn a_label_that_knows_beats_persistence_and_one_that_says_nothing_does_not() {
        let (event, range) = (by_turns(4_000), (at(12), at(4_000)));
        let (n, perfect) = skill(&losses(&event, |t| Some((t.0 / at(1).0) / 36 % 2 == 0), range));
        assert!(perfect > 0.999 && n > 3_500.0, "{perfect} of {n}");
        let (_, same) = skill(&losses(&event, |t| Some((t.0 / at(1).0 - 12) / 36 % 2 == 0), range));
        assert!(same.abs() < 0.01, "the state of persistence under another name: {same}");
        let (_, silent) = skill(&losses(&event, |_| Some(false), range));
        assert!(silent < -0.1, "{silent}");
    }

    #[test]
    fn only_what_was_known_then_counts() {
        let event = by_turns(400);
        let range = (at(12), at(400));
        // 100 cases of one state and 12 moments of waiting come before the first score; without a label there is none.
        let scored = losses(&event, |_| Some(true), range);
        assert!(scored.days.values().map(|s| s[0]).sum::<f64>() < f64::from(400 - 12 - 200));
        assert_eq!(losses(&event, |_| None, range), DayLosses::default());
        // Later outcomes change no earlier loss.
        let mut other = by_turns(400);
        other.0[380..].iter_mut().for_each(|(_, o)| *o = !*o);
        let (a, b) = (losses(&event, |_| Some(true), range), losses(&other, |_| Some(true), range));
        assert_eq!(a.days.get(&0), b.days.get(&0));
        assert_ne!(a, b);
    }

    #[test]
    fn markets_add_up_by_day() {
        let one = losses(&by_turns(1_000), |_| Some(true), (at(12), at(1_000)));
        let mut two = one.clone();
        two.add(&one);
        assert!((skill(&two).0 - 2.0 * skill(&one).0).abs() < 1e-9);
        assert_eq!(two.days.len(), one.days.len());
    }
}
