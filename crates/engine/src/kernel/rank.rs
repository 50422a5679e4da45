//! Mid-rank percentile of the newest value in a trailing window (features §1.1, `pct`; "sorted ring").
//!
//! Values are kept twice: in order of arrival, to know what leaves, and sorted, to find the rank by bisection. One value
//! enters per hour, so the memory move of an insertion costs less than a tree would.

use super::partition_near;
use serde::{Deserialize, Serialize};
use std::cell::Cell;
use std::collections::VecDeque;

/// Trailing window over an integer grid.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct RankWindow {
    length: i64,
    arrived: VecDeque<(i64, f64)>,
    sorted: Vec<f64>,
    first: Option<i64>,
    newest: Option<i64>,
    within: Option<Within>,
    #[serde(skip)]
    place: Place,
}

/// Where the value asked for last would stand. The next is nearly always that of a minute later and stands beside it; no answer
/// depends on it, so it is not saved.
#[derive(Clone, Default, Debug)]
struct Place(Cell<usize>);

/// What a window leaves out of the samples held.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Omission {
    /// It holds them all.
    Nothing,
    /// Its oldest, or the one whose place a value takes; so it is in nearly every hour.
    One(f64),
    /// After missing hours; to be looked for.
    More,
}

impl Omission {
    fn add(&mut self, gone: f64) {
        *self = if *self == Self::Nothing { Self::One(gone) } else { Self::More };
    }
}

/// The newest part of a window, sorted once more: a second percentile of the same samples.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Within {
    length: i64,
    /// Values count without their sign.
    sizes: bool,
    sorted: Vec<f64>,
    #[serde(skip)]
    place: Place,
}

impl Within {
    fn value(&self, v: f64) -> f64 {
        if self.sizes { v.abs() } else { v }
    }

    fn insert(&mut self, v: f64) {
        let v = self.value(v);
        let at = self.sorted.partition_point(|s| s.total_cmp(&v).is_lt());
        self.sorted.insert(at, v);
    }

    fn remove(&mut self, v: f64) {
        let v = self.value(v);
        let at = self.sorted.partition_point(|s| s.total_cmp(&v).is_lt());
        self.sorted.remove(at);
    }
}

impl RankWindow {
    /// A window of `length` grid steps, the newest included.
    #[must_use]
    pub fn new(length: usize) -> Self {
        Self {
            length: i64::try_from(length).unwrap_or(i64::MAX),
            arrived: VecDeque::with_capacity(length + 1),
            sorted: Vec::with_capacity(length + 1),
            first: None,
            newest: None,
            within: None,
            place: Place::default(),
        }
    }

    /// Also ranks among the newest `length` grid steps, by the values' sizes where `sizes` says so. To be said before the first
    /// sample.
    #[must_use]
    pub fn also_within(self, length: usize, sizes: bool) -> Self {
        let sorted = Vec::with_capacity(length + 1);
        let length = i64::try_from(length).unwrap_or(i64::MAX).min(self.length);
        Self { within: Some(Within { length, sizes, sorted, place: Place::default() }), ..self }
    }

    /// Enters the sample of `index`, or `None` where it is missing. Indices must rise; an older one is ignored.
    pub fn push(&mut self, index: i64, value: Option<f64>) {
        if self.newest.is_some_and(|n| index <= n) {
            return;
        }
        let before = self.newest.replace(index);
        if let (Some(within), Some(before)) = (&mut self.within, before) {
            for (_, gone) in aged(&self.arrived, before - within.length, index - within.length) {
                within.remove(*gone);
            }
        }
        while let Some(&(oldest, gone)) = self.arrived.front() {
            if oldest > index - self.length {
                break;
            }
            self.arrived.pop_front();
            let at = self.sorted.partition_point(|v| v.total_cmp(&gone).is_lt());
            self.sorted.remove(at);
        }
        if let Some(v) = value {
            // +0.0 and −0.0 are equal values; one spelling keeps their ranks equal too.
            let v = v + 0.0;
            self.first.get_or_insert(index);
            self.arrived.push_back((index, v));
            let at = self.sorted.partition_point(|s| s.total_cmp(&v).is_lt());
            self.sorted.insert(at, v);
            if let Some(within) = &mut self.within {
                within.insert(v);
            }
        }
    }

    /// Samples present.
    #[must_use]
    pub fn count(&self) -> usize {
        self.sorted.len()
    }

    /// Newest index pushed, present or missing.
    #[must_use]
    pub fn newest(&self) -> Option<i64> {
        self.newest
    }

    /// Index of the first sample ever.
    #[must_use]
    pub fn first(&self) -> Option<i64> {
        self.first
    }

    /// Window of `index` with `x` as its newest value: what it leaves out of the samples held is what is older than the
    /// window, and the sample of `index` itself, whose place `x` takes.
    #[inline]
    fn left_out(&self, index: i64, each: impl FnMut(f64)) {
        self.left_out_from(0, index - self.length, index, each);
    }

    /// The same of the shorter window, which holds the last of what has arrived: nobody looks for where it begins.
    #[inline]
    fn left_out_within(&self, within: &Within, index: i64, mut each: impl FnMut(f64)) {
        let from = self.arrived.len() - within.sorted.len();
        self.left_out_from(from, index - within.length, index, |gone| each(within.value(gone)));
    }

    /// Samples from the place `from` on that are not after `upto`, and that of `index`: one or none, as long as an hour follows
    /// the other.
    #[inline]
    fn left_out_from(&self, from: usize, upto: i64, index: i64, mut each: impl FnMut(f64)) {
        let mut place = from;
        while let Some((at, gone)) = self.arrived.get(place)
            && *at <= upto
        {
            each(*gone);
            place += 1;
        }
        if let Some((at, gone)) = self.arrived.back()
            && *at == index
        {
            each(*gone);
        }
    }

    /// Values in the window of `index` with one that takes the place of its newest.
    #[must_use]
    pub fn count_at(&self, index: i64) -> usize {
        let mut n = self.sorted.len() + 1;
        self.left_out(index, |_| n -= 1);
        n
    }

    /// What the window of `index` leaves out of the samples held.
    #[must_use]
    pub fn left_out_at(&self, index: i64) -> Omission {
        let mut out = Omission::Nothing;
        self.left_out(index, |gone| out.add(gone));
        out
    }

    /// Mid-rank of `x` as the newest value of the window of `index`: `(#{v < x} + ½·#{v = x}) / n`, `x` included, and n.
    #[must_use]
    pub fn percentile_at(&self, index: i64, x: f64) -> (f64, usize) {
        self.percentile_without(Omission::More, index, x)
    }

    /// As [`Self::percentile_at`] where [`Self::left_out_at`] has already been asked.
    #[must_use]
    pub fn percentile_without(&self, out: Omission, index: i64, x: f64) -> (f64, usize) {
        let mut rank = Rank::of(&self.sorted, &self.place, x);
        match out {
            Omission::Nothing => {}
            Omission::One(gone) => rank.leave_out(gone, x),
            Omission::More => self.left_out(index, |gone| rank.leave_out(gone, x)),
        }
        rank.with_one_more()
    }

    /// As [`Self::count_at`] of the shorter window; 1, which is the value alone, where there is none.
    #[must_use]
    pub fn count_within(&self, index: i64) -> usize {
        let Some(within) = &self.within else { return 1 };
        let mut n = within.sorted.len() + 1;
        self.left_out_within(within, index, |_| n -= 1);
        n
    }

    /// As [`Self::left_out_at`] of the shorter window.
    #[must_use]
    pub fn left_out_within_at(&self, index: i64) -> Omission {
        let mut out = Omission::Nothing;
        if let Some(within) = &self.within {
            self.left_out_within(within, index, |gone| out.add(gone));
        }
        out
    }

    /// Mid-rank of `x` as the newest value of the shorter window of `index`, and n: see [`Self::also_within`]. `(0.5, 1)`, which
    /// is `x` alone, where there is no shorter window.
    #[must_use]
    pub fn percentile_within(&self, index: i64, x: f64) -> (f64, usize) {
        self.percentile_within_without(Omission::More, index, x)
    }

    /// As [`Self::percentile_within`] where [`Self::left_out_within_at`] has already been asked.
    #[must_use]
    pub fn percentile_within_without(&self, out: Omission, index: i64, x: f64) -> (f64, usize) {
        let Some(within) = &self.within else { return (0.5, 1) };
        let x = within.value(x) + 0.0;
        let mut rank = Rank::of(&within.sorted, &within.place, x);
        match out {
            Omission::Nothing => {}
            Omission::One(gone) => rank.leave_out(gone, x),
            Omission::More => self.left_out_within(within, index, |gone| rank.leave_out(gone, x)),
        }
        rank.with_one_more()
    }

    /// Grid steps of the shorter window; 0 where there is none.
    #[must_use]
    pub fn length_within(&self) -> i64 {
        self.within.as_ref().map_or(0, |w| w.length)
    }

    /// Samples present with `x` / grid steps since the first sample or the window's start, whichever is later.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "window lengths are a few thousand")]
    pub fn coverage_of_span(&self, index: i64, n: usize) -> f64 {
        let span = self.first.map_or(1, |f| (index - f + 1).clamp(1, self.length));
        (n as f64 / span as f64).min(1.0)
    }

    /// True while the first sample ever is later than the start of the window of `index`.
    #[must_use]
    pub fn is_partial(&self, index: i64) -> bool {
        self.first.is_none_or(|f| index - f + 1 < self.length)
    }

    /// The values the newest one of the window of `index` is ranked against, sorted. Written into `out`.
    pub fn others(&self, index: i64, out: &mut Vec<f64>) {
        out.clear();
        out.extend_from_slice(&self.sorted);
        self.left_out(index, |gone| {
            let at = out.partition_point(|v| v.total_cmp(&gone).is_lt());
            out.remove(at);
        });
    }

    /// Type-7 quantile of the window (Hyndman & Fan 1996); `None` when empty.
    #[must_use]
    pub fn quantile(&self, p: f64) -> Option<f64> {
        quantile(&self.sorted, p)
    }
}

/// How many of `n` values are below a further one, and how many at most that.
struct Rank {
    below: usize,
    upto: usize,
    n: usize,
}

impl Rank {
    #[inline]
    fn of(sorted: &[f64], place: &Place, x: f64) -> Self {
        let (below, upto) = ranks(sorted, place.0.get(), x);
        place.0.set(below);
        Self { below, upto, n: sorted.len() }
    }

    /// Without one of the values.
    #[inline]
    fn leave_out(&mut self, gone: f64, x: f64) {
        self.below -= usize::from(gone < x);
        self.upto -= usize::from(gone <= x);
        self.n -= 1;
    }

    /// Mid-rank of the further one with itself among the values, and how many they are then.
    #[inline]
    fn with_one_more(&self) -> (f64, usize) {
        let Self { below, upto, n } = *self;
        ((float(below) + 0.5 * float(upto - below + 1)) / float(n + 1), n + 1)
    }
}

/// A count with its sign is one instruction to turn into a float, one without it a dozen.
#[inline]
#[expect(clippy::cast_precision_loss, clippy::cast_possible_wrap, reason = "window lengths are a few thousand")]
const fn float(count: usize) -> f64 {
    count as i64 as f64
}

/// How many of the sorted values are below `x`, about `near` of them, and how many at most `x`.
#[inline]
fn ranks(sorted: &[f64], near: usize, x: f64) -> (usize, usize) {
    let below = partition_near(sorted, near, |v| *v < x);
    (below, partition_near(sorted, below, |v| *v <= x))
}

/// Samples of the steps in `(from, upto]`.
fn aged(arrived: &VecDeque<(i64, f64)>, from: i64, upto: i64) -> impl Iterator<Item = &(i64, f64)> {
    let start = arrived.partition_point(|(i, _)| *i <= from);
    arrived.range(start..).take_while(move |(i, _)| *i <= upto)
}

/// Type-7 quantile of sorted values: linear between order statistics at rank `p·(n − 1)`.
#[must_use]
#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "rank lies in [0, n − 1] and n is a few thousand"
)]
pub fn quantile(sorted: &[f64], p: f64) -> Option<f64> {
    let last = sorted.len().checked_sub(1)?;
    let rank = p.clamp(0.0, 1.0) * last as f64;
    let below = rank.floor() as usize;
    let lo = sorted[below];
    let hi = sorted[(below + 1).min(last)];
    Some(lo + (rank - rank.floor()) * (hi - lo))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shorter_window_ranks_as_a_window_of_its_own_would() {
        let (mut both, mut own) = (RankWindow::new(50).also_within(7, true), RankWindow::new(7));
        for i in 0..400_i64 {
            let v = (i % 13 != 5).then(|| f64::from(i32::try_from((i * 37) % 23).unwrap()) - 11.0);
            if i % 29 < 26 {
                both.push(i, v);
                own.push(i, v.map(f64::abs));
            }
            for index in [i, i + 1, i + 4] {
                for x in [-3.0, 0.0, 4.5, 11.0] {
                    if index >= both.newest().unwrap_or(0) {
                        assert_eq!(
                            both.percentile_within(index, x),
                            own.percentile_at(index, x.abs()),
                            "{i} {index} {x}"
                        );
                    }
                }
            }
        }
        assert_eq!(both.length_within(), 7);
    }

    #[test]
    fn equal_values_are_counted_however_many() {
        for equal in 0..40_usize {
            let mut sorted = vec![1.0, 2.0];
            sorted.extend(std::iter::repeat_n(3.0, equal));
            sorted.extend([4.0, 5.0]);
            for x in [0.5, 1.0, 2.5, 3.0, 3.5, 5.0, 6.0] {
                let plain = (sorted.partition_point(|v| *v < x), sorted.partition_point(|v| *v <= x));
                for near in [0, 2, equal, equal + 9] {
                    assert_eq!(ranks(&sorted, near, x), plain, "{equal} of 3, at {x}");
                }
            }
        }
        assert_eq!(ranks(&[], 3, 1.0), (0, 0));
    }

    #[test]
    fn old_samples_leave_and_the_newest_value_takes_its_place() {
        let mut w = RankWindow::new(4);
        for (i, v) in [(10, Some(1.0)), (11, None), (12, Some(3.0)), (13, Some(2.0))] {
            w.push(i, v);
        }
        assert_eq!(w.percentile_at(13, 2.0), (0.5, 3), "the sample of 13 is not counted twice");
        assert_eq!(w.percentile_at(13, 9.0), (2.5 / 3.0, 3));
        // The window of 14 begins at 11: 1.0 has left, 2.0 stays.
        assert_eq!(w.percentile_at(14, 2.0), (1.0 / 3.0, 3));
        assert!((w.coverage_of_span(13, 3) - 0.75).abs() < 1e-12);
        let mut others = Vec::new();
        w.others(14, &mut others);
        assert_eq!(others, [2.0, 3.0]);
        w.others(13, &mut others);
        assert_eq!(others, [1.0, 3.0]);
        w.push(12, Some(9.0));
        assert_eq!(w.count(), 3, "the past is not rewritten");
    }
}
