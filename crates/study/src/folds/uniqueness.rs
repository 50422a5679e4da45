//! How much of its own each overlapping label says.

use super::rows::RoleRows;
use crate::order::count;

impl<R> RoleRows<R> {
    /// One weight for each row, above 0 and at most 1: the mean over the label's life of 1 / (labels alive), counting the labels of these
    /// rows only (López de Prado 2018, chapter 4). A life runs from its start, exclusive, to its end, inclusive, and time is continuous:
    /// seconds without rows count as well. In time of n log n.
    #[must_use]
    pub fn uniqueness(&self) -> Vec<f64> {
        let mut starts: Vec<i64> = self.chosen().map(|s| s.start.0).collect();
        let mut ends: Vec<i64> = self.chosen().map(|s| s.end.0).collect();
        let mut moments: Vec<i64> = starts.iter().chain(&ends).copied().collect();
        starts.sort_unstable();
        ends.sort_unstable();
        moments.sort_unstable();
        moments.dedup();
        // The integral of 1/alive up to each moment at which a label starts or ends, in seconds.
        let (mut born, mut dead) = (0, 0);
        let mut total = 0.0;
        let mut upto = Vec::with_capacity(moments.len());
        for (n, moment) in moments.iter().enumerate() {
            upto.push(total);
            born += starts[born..].partition_point(|s| s <= moment);
            dead += ends[dead..].partition_point(|e| e <= moment);
            if let Some(next) = moments.get(n + 1).filter(|_| born > dead) {
                total += seconds(next - moment) / count(born - dead);
            }
        }
        let at = |ns: i64| moments.binary_search(&ns).map_or(0.0, |n| upto[n]);
        self.chosen().map(|s| (at(s.end.0) - at(s.start.0)) / seconds((s.end - s.start).0)).collect()
    }
}

fn seconds(ns: i64) -> f64 {
    barograph_domain::Span(ns).as_secs_f64()
}
