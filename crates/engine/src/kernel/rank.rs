//! Mid-rank percentile of the newest value in a trailing window (features §1.1, `pct`; "sorted ring").
//!
//! Values are kept twice: in order of arrival, to know what leaves, and sorted, to find the rank by bisection. One value
//! enters per hour, so the memory move of an insertion costs less than a tree would.

use serde::{Deserialize, Serialize};
use std::collections::VecDeque;

/// Trailing window over an integer grid.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct RankWindow {
    length: i64,
    arrived: VecDeque<(i64, f64)>,
    sorted: Vec<f64>,
    first: Option<i64>,
    newest: Option<i64>,
    /// Of the newest value; asked for every minute, changes every hour.
    percentile: Option<f64>,
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
            percentile: None,
        }
    }

    /// Enters the sample of `index`, or `None` where it is missing. Indices must rise; an older one is ignored.
    pub fn push(&mut self, index: i64, value: Option<f64>) {
        if self.newest.is_some_and(|n| index <= n) {
            return;
        }
        self.newest = Some(index);
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
        }
        self.percentile = self.rank();
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

    /// The newest sample, if the newest index has one.
    #[must_use]
    pub fn newest_value(&self) -> Option<f64> {
        self.arrived.back().filter(|(i, _)| Some(*i) == self.newest).map(|(_, v)| *v)
    }

    /// Samples present / grid steps since the first sample or the window's start, whichever is later.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "window lengths are a few thousand")]
    pub fn coverage_of_span(&self) -> f64 {
        match (self.first, self.newest) {
            (Some(first), Some(newest)) => self.sorted.len() as f64 / (newest - first + 1).min(self.length) as f64,
            _ => 0.0,
        }
    }

    /// True while the first sample ever is later than the window's start.
    #[must_use]
    pub fn is_partial(&self) -> bool {
        match (self.first, self.newest) {
            (Some(first), Some(newest)) => newest - first + 1 < self.length,
            _ => true,
        }
    }

    /// Mid-rank of the newest value: `(#{x < v} + ½·#{x = v}) / n`, the window including it.
    #[must_use]
    pub fn percentile(&self) -> Option<f64> {
        self.percentile
    }

    #[expect(clippy::cast_precision_loss, reason = "window lengths are a few thousand")]
    fn rank(&self) -> Option<f64> {
        let v = self.newest_value()?;
        let below = self.sorted.partition_point(|s| *s < v);
        let upto = self.sorted.partition_point(|s| *s <= v);
        Some((below as f64 + 0.5 * (upto - below) as f64) / self.sorted.len() as f64)
    }

    /// The other values of the window, sorted: all but one occurrence of the newest. Written into `out`.
    pub fn others(&self, out: &mut Vec<f64>) {
        out.clear();
        out.extend_from_slice(&self.sorted);
        if let Some(v) = self.newest_value() {
            let at = self.sorted.partition_point(|s| *s < v);
            out.remove(at);
        }
    }

    /// Type-7 quantile of the window (Hyndman & Fan 1996); `None` when empty.
    #[must_use]
    pub fn quantile(&self, p: f64) -> Option<f64> {
        quantile(&self.sorted, p)
    }
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
    fn old_samples_leave_and_missing_ones_count_for_coverage() {
        let mut w = RankWindow::new(4);
        for (i, v) in [(10, Some(1.0)), (11, None), (12, Some(3.0)), (13, Some(2.0))] {
            w.push(i, v);
        }
        assert_eq!(w.count(), 3);
        assert_eq!(w.percentile(), Some(0.5));
        assert!((w.coverage_of_span() - 0.75).abs() < 1e-12);
        w.push(14, Some(2.0));
        assert_eq!(w.count(), 3, "the sample of 10 has left");
        assert_eq!(w.percentile(), Some(1.0 / 3.0));
        w.push(15, None);
        assert_eq!(w.percentile(), None);
        w.push(12, Some(9.0));
        assert_eq!(w.newest(), Some(15), "the past is not rewritten");
    }
}
