//! What a signal was at moments that go forward: of all its revisions those that were known by then (R1.19).
//!
//! A chart beside its candles and a rule in a study both ask what was known at each of many moments. An answer of the store is of one moment;
//! here every revision is given once, and the moment moves over them. What does not belong here: where revisions are read, and for how
//! long a value counts.

use crate::signals::{SIGNAL_MONTH, SIGNAL_VALUES_MIN, SIGNAL_WEEK, change_of, score_of};
use barograph_domain::{SignalNumber, Span, Ts};
use std::collections::BTreeMap;
use std::ops::Bound;

/// For how long behind its moment a value stands on a chart; one that is older says nothing of now.
pub const SIGNAL_STANDS: Span = SIGNAL_WEEK;
/// Values so far behind the newest are forgotten: the longest window, and a day in which newer ones may be taken back.
const KEPT: Span = Span(SIGNAL_MONTH.0 + Span::days(1).0);

/// Where the moment comes from since when a revision is known.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum RevisionKnown {
    /// It arrived then.
    Arrived,
    /// Its owner or its source states it.
    Stated,
    /// Assumed here, from how late its source usually is: history that nobody watched.
    Assumed,
}

/// One revision of one value of a signal.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct SignalRevision {
    /// The moment it is of.
    pub event_ts: Ts,
    /// Since when it may be used, never before its moment.
    pub known_ts: Ts,
    /// The value in the unit of its source; `None` takes back what was there.
    pub value: Option<f64>,
    /// Where that moment comes from.
    pub known: RevisionKnown,
}

/// A signal of one source at a moment that goes forward.
#[derive(Clone, PartialEq, Debug)]
pub struct SignalTrack {
    /// Ascending by the moment since when they are known.
    revisions: Vec<SignalRevision>,
    next: usize,
    values: BTreeMap<Ts, f64>,
    month: Option<SortedMonth>,
}

/// The values of the month that ends at the newest one, in ascending order. A rank is then two searches, where counting would pass over some
/// forty thousand values of a minutely signal for each one that comes.
#[derive(Clone, PartialEq, Debug, Default)]
struct SortedMonth {
    /// Values of later moments than this are in it; `None`: nothing is known yet.
    after: Option<Ts>,
    sorted: Vec<f64>,
}

impl SortedMonth {
    fn holds(&self, at: Ts) -> bool {
        self.after.is_some_and(|after| at > after)
    }

    /// Where values of this size begin, and where they end: both zeros are of one size.
    fn place(&self, value: f64) -> (usize, usize) {
        (self.sorted.partition_point(|v| *v < value), self.sorted.partition_point(|v| *v <= value))
    }

    fn add(&mut self, value: f64) {
        self.sorted.insert(self.place(value).0, value);
    }

    fn drop_one(&mut self, value: f64) {
        let (begin, end) = self.place(value);
        if begin < end {
            self.sorted.remove(begin);
        }
    }

    /// A value has taken the place of another, each of which may be none.
    fn replaced(&mut self, at: Ts, before: Option<f64>, now: Option<f64>) {
        if self.holds(at) {
            before.into_iter().for_each(|v| self.drop_one(v));
            now.into_iter().for_each(|v| self.add(v));
        }
    }

    /// Ends at the newest of `values` from now on.
    fn ends(&mut self, values: &BTreeMap<Ts, f64>) {
        let after = values.last_key_value().map(|(newest, _)| *newest - SIGNAL_MONTH);
        let between = |low: Ts, high: Ts| (Bound::Excluded(low), Bound::Included(high));
        match (self.after, after) {
            (Some(old), Some(new)) if old < new => values.range(between(old, new)).for_each(|(_, v)| self.drop_one(*v)),
            (Some(old), Some(new)) if new < old => values.range(between(new, old)).for_each(|(_, v)| self.add(*v)),
            (Some(_), None) => self.sorted.clear(),
            (None, Some(new)) => {
                let later = values.range((Bound::Excluded(new), Bound::Unbounded));
                later.for_each(|(_, v)| self.add(*v));
            }
            (Some(_), Some(_)) | (None, None) => {}
        }
        self.after = after;
    }

    /// Rank of a value among those in it; equal ones count half. `None` where they are too few.
    fn rank(&self, value: f64) -> Option<f64> {
        let n = u32::try_from(self.sorted.len()).ok().filter(|n| *n >= SIGNAL_VALUES_MIN)?;
        let (below, upto) = self.place(value);
        let [below, equal] = [below, upto - below].map(|n| u32::try_from(n).map_or(f64::MAX, f64::from));
        // Halves add up without an error, so this is the mean that a sum of them gives.
        Some((below + 0.5 * equal) / f64::from(n))
    }
}

impl SignalTrack {
    /// Before anything is known. The revisions may come in any order.
    #[must_use]
    pub fn new(mut revisions: Vec<SignalRevision>) -> Self {
        revisions.sort_by_key(|r| (r.known_ts, r.event_ts));
        Self { revisions, next: 0, values: BTreeMap::new(), month: None }
    }

    /// The same for one of which ranks are asked for as well, which cost their part of each value that comes.
    #[must_use]
    pub fn ranked(revisions: Vec<SignalRevision>) -> Self {
        Self { month: Some(SortedMonth::default()), ..Self::new(revisions) }
    }

    /// Goes on to what was known at `at`; true where something came. Nothing becomes unknown again: an earlier moment changes nothing.
    pub fn advance(&mut self, at: Ts) -> bool {
        let from = self.next;
        while let Some(revision) = self.revisions.get(self.next).filter(|r| r.known_ts <= at) {
            let at = revision.event_ts;
            let before = match revision.value {
                Some(value) => self.values.insert(at, value),
                None => self.values.remove(&at),
            };
            if let Some(month) = &mut self.month {
                month.replaced(at, before, revision.value);
            }
            self.next += 1;
        }
        if let Some(month) = self.month.as_mut().filter(|_| self.next > from) {
            month.ends(&self.values);
        }
        let forgotten = self.newest().map(|(newest, _)| newest - KEPT);
        while self.values.first_key_value().is_some_and(|(ts, _)| forgotten.is_some_and(|limit| *ts < limit)) {
            self.values.pop_first();
        }
        self.next > from
    }

    /// The newest value that was not taken back, and the moment it is of.
    #[must_use]
    pub fn newest(&self) -> Option<(Ts, f64)> {
        self.values.last_key_value().map(|(ts, value)| (*ts, *value))
    }

    /// One number of the values known so far, as `signals::signal_readings` makes it; `None` where there is none. Only the window of that
    /// number is passed over: of a score seven days, of the others none. A rank is there where it was asked for from the beginning.
    #[must_use]
    pub fn number(&self, number: SignalNumber) -> Option<f64> {
        let (at, now) = self.newest()?;
        let back = |until: Ts| self.values.range(..=until).rev().map(|(ts, v)| (*ts, *v));
        match number {
            SignalNumber::Value => Some(now),
            SignalNumber::Delta24h => change_of(back, at, now).value.ok(),
            SignalNumber::Z7d => score_of(back(at), at, now).value.ok(),
            SignalNumber::Percentile30d => self.month.as_ref()?.rank(now),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::signals::{SignalReading, signal_readings};

    const T0: Ts = Ts::from_civil(2026, 3, 1, 0, 0, 0);

    fn revision(event_h: i64, known_h: i64, value: Option<f64>) -> SignalRevision {
        let (event_ts, known_ts) = (T0 + Span::hours(event_h), T0 + Span::hours(known_h));
        SignalRevision { event_ts, known_ts, value, known: RevisionKnown::Arrived }
    }

    fn newest_at(revisions: &[SignalRevision], hours: &[i64]) -> Vec<Option<(i64, f64)>> {
        let mut track = SignalTrack::new(revisions.to_vec());
        let at = |h: &i64| {
            track.advance(T0 + Span::hours(*h));
            track.newest().map(|(ts, v)| ((ts - T0).as_secs() / 3_600, v))
        };
        hours.iter().map(at).collect()
    }

    #[test]
    fn a_value_counts_from_the_moment_it_is_known() {
        let late = [revision(1, 3, Some(10.0)), revision(2, 2, Some(20.0))];
        assert_eq!(newest_at(&late, &[0, 1, 2, 3]), [None, None, Some((2, 20.0)), Some((2, 20.0))]);
    }

    #[test]
    fn revisions_replace_and_take_back_from_their_own_moment_on() {
        let of =
            [revision(1, 1, Some(1.0)), revision(2, 2, Some(2.0)), revision(2, 4, Some(2.5)), revision(2, 6, None)];
        assert_eq!(newest_at(&of, &[1, 2, 4, 6]), [Some((1, 1.0)), Some((2, 2.0)), Some((2, 2.5)), Some((1, 1.0))]);
    }

    /// What a number is by the plain computation over all values that were known.
    fn plain(revisions: &[SignalRevision], at: Ts) -> [Option<f64>; 4] {
        let mut known: Vec<&SignalRevision> = revisions.iter().filter(|r| r.known_ts <= at).collect();
        known.sort_by_key(|r| (r.known_ts, r.event_ts));
        let mut values = BTreeMap::new();
        for revision in known {
            match revision.value {
                Some(value) => drop(values.insert(revision.event_ts, value)),
                None => drop(values.remove(&revision.event_ts)),
            }
        }
        let values: Vec<(Ts, f64)> = values.into_iter().collect();
        let Some(found) = signal_readings(&values) else { return [None; 4] };
        let of = |reading: SignalReading| reading.value.ok();
        [Some(found.newest.1), of(found.delta_24h), of(found.z_7d), of(found.percentile_30d)]
    }

    fn bits(of: [Option<f64>; 4]) -> [Option<u64>; 4] {
        of.map(|v| v.map(f64::to_bits))
    }

    /// However far the moment goes at once, numbers are those of what was known, to the last bit.
    #[test]
    fn numbers_are_those_of_the_plain_computation_whatever_comes_late_or_is_taken_back() {
        // A walk of a fixed seed: gaps of up to two days, values out of order, equal ones, both zeros, revisions and take-backs.
        let mut state = 7_u64;
        let mut random = |below: u64| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            i64::try_from((state >> 33) % below).unwrap()
        };
        let (mut all, mut hour) = (Vec::new(), 0);
        for _ in 0..900 {
            hour += if random(40) == 0 { 48 } else { random(4) };
            let event = hour - random(3) * random(20);
            let value = f64::from(i32::try_from(random(9)).unwrap() - 4) * if random(2) == 0 { 0.1 } else { -0.1 };
            let value = if random(12) == 0 { None } else { Some(value) };
            all.push(revision(event, event.max(hour) + random(3), value));
        }
        let mut stepped = SignalTrack::ranked(all.clone());
        for h in (0..=hour + 4).step_by(5) {
            let at = T0 + Span::hours(h);
            stepped.advance(at);
            let wanted = bits(plain(&all, at));
            assert_eq!(bits(SignalNumber::ALL.map(|n| stepped.number(n))), wanted, "{h} h");
            if h % 100 == 0 {
                let mut leapt = SignalTrack::ranked(all.clone());
                leapt.advance(at);
                assert_eq!(bits(SignalNumber::ALL.map(|n| leapt.number(n))), wanted, "{h} h at once");
            }
        }
    }

    #[test]
    fn nothing_is_known_of_nothing() {
        let mut none = SignalTrack::ranked(Vec::new());
        assert!(!none.advance(Ts::MAX));
        assert_eq!((none.newest(), SignalNumber::ALL.map(|n| none.number(n))), (None, [None; 4]));
        let mut one = SignalTrack::new(vec![revision(1, 1, Some(1.0))]);
        assert!(one.advance(Ts::MAX) && !one.advance(Ts::MAX), "nothing new came");
    }
}
