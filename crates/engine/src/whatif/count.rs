//! Two replays of an axis against each other: counts that add up over markets; shares and rates are made of them where shown.

use super::replay::ReplayedAxis;
use super::runs::Runs;
use crate::rules::Ruled;
use barograph_domain::Axis;
use serde::{Deserialize, Serialize};

/// One label before and after.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct LabelCounts {
    /// The label's word.
    pub label: String,
    /// Minutes it was published: before, after.
    pub minutes: [u64; 2],
    /// Times it was entered: before, after.
    pub entries: [u64; 2],
    /// Minutes it was published in both.
    pub both: u64,
}

/// One axis before and after.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct AxisCounts {
    /// The axis whose labels were counted.
    pub axis: Axis,
    /// Stored minutes that were counted.
    pub minutes: u64,
    /// Minutes with the same label in both.
    pub same: u64,
    /// Changes of the published label: before, after.
    pub changes: [u64; 2],
    /// Changes of the raw label: before, after.
    pub raw_changes: [u64; 2],
    /// Every label, in the order of its axis.
    pub labels: Vec<LabelCounts>,
}

impl AxisCounts {
    /// Adds another market's.
    pub fn add(&mut self, other: &Self) {
        let both = |a: &mut [u64; 2], b: [u64; 2]| *a = [a[0] + b[0], a[1] + b[1]];
        self.minutes += other.minutes;
        self.same += other.same;
        both(&mut self.changes, other.changes);
        both(&mut self.raw_changes, other.raw_changes);
        for (own, more) in self.labels.iter_mut().zip(&other.labels) {
            both(&mut own.minutes, more.minutes);
            both(&mut own.entries, more.entries);
            own.both += more.both;
        }
    }
}

/// Counts the rows from `from` on and before `until`.
#[must_use]
pub fn compare<L: Ruled>(before: &ReplayedAxis<L>, after: &ReplayedAxis<L>, from: u32, until: u32) -> AxisCounts {
    let label = |l: &L| LabelCounts { label: l.word().to_owned(), minutes: [0; 2], entries: [0; 2], both: 0 };
    let mut out = AxisCounts {
        axis: L::AXIS,
        minutes: 0,
        same: 0,
        changes: [0; 2],
        raw_changes: [0; 2],
        labels: L::LABELS.iter().map(label).collect(),
    };
    for (side, replayed) in [before, after].into_iter().enumerate() {
        out.raw_changes[side] = changes(&replayed.raw, from, until);
        for (start, end, l) in replayed.labels.iter() {
            let counts = &mut out.labels[usize::from(l.code())];
            counts.minutes[side] += u64::from(end.min(until).saturating_sub(start.max(from)));
            if start > 0 && start >= from && start < until {
                counts.entries[side] += 1;
                out.changes[side] += 1;
            }
        }
    }
    let mut other = after.labels.reading();
    for (start, end, l) in before.labels.iter() {
        let (mut row, end) = (start.max(from), end.min(until));
        while row < end {
            other.go_to(row);
            let Some((m, upto)) = other.now() else { break };
            let rows = u64::from(upto.min(end) - row);
            out.minutes += rows;
            if l == m {
                out.same += rows;
                out.labels[usize::from(l.code())].both += rows;
            }
            row = upto.min(end);
        }
    }
    out
}

fn changes<L: Copy + PartialEq>(runs: &Runs<L>, from: u32, until: u32) -> u64 {
    runs.iter().filter(|(start, ..)| *start > 0 && *start >= from && *start < until).map(|_| 1).sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use barograph_domain::RiskRegime::{self, HighVol, Normal};

    fn of(labels: &[RiskRegime]) -> ReplayedAxis<RiskRegime> {
        let mut runs = Runs::default();
        labels.iter().for_each(|l| runs.push(*l, 1));
        ReplayedAxis { labels: runs.clone(), raw: runs }
    }

    #[test]
    fn counts_by_hand_and_minute_by_minute() {
        let before = of(&[Normal, HighVol, HighVol, Normal, HighVol, Normal]);
        let after = of(&[Normal, Normal, HighVol, HighVol, Normal, Normal]);
        let counts = compare(&before, &after, 1, 6);
        let high = counts.labels.iter().find(|l| l.label == "HIGH_VOL").unwrap();
        assert_eq!((counts.minutes, counts.same), (5, 2));
        assert_eq!((high.minutes, high.entries, high.both), ([3, 2], [2, 1], 1));
        assert_eq!((counts.changes, counts.raw_changes), ([4, 2], [4, 2]));
        let mut sum = counts.clone();
        sum.add(&counts);
        assert_eq!((sum.minutes, sum.labels[0].minutes[0]), (10, 2 * counts.labels[0].minutes[0]));
    }
}
