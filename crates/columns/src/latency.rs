//! How late changes of the book arrive: the median of the last minute, in milliseconds. A venue's clock may run ahead of ours, so it
//! may be negative.

use barograph_domain::Span;
use std::collections::VecDeque;

/// Seconds that count.
const SECONDS: i64 = 60;
/// Changes that it needs.
const CHANGES_MIN: usize = 10;
/// Nanoseconds of a millisecond.
const NANOS: f64 = 1e6;

/// Delays of the last minute, as they were: a venue that stamps microseconds loses nothing.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Latency {
    /// Seconds that have any, oldest first.
    seconds: VecDeque<(i64, Vec<Span>)>,
    /// Kept between medians, so that a row need not ask for memory.
    sorted: Vec<i64>,
}

impl Latency {
    /// Changes that arrived so long after they happened; seconds come in order.
    pub fn add(&mut self, second: i64, delays: Vec<Span>) {
        if !delays.is_empty() {
            self.seconds.push_back((second, delays));
        }
    }

    /// The median over the minute that ends with a second; `None` of fewer than ten changes.
    pub fn median(&mut self, second: i64) -> Option<f64> {
        while self.seconds.front().is_some_and(|(first, _)| *first <= second - SECONDS) {
            self.seconds.pop_front();
        }
        self.sorted.clear();
        self.sorted.extend(self.seconds.iter().flat_map(|(_, delays)| delays.iter().map(|d| d.0)));
        let n = self.sorted.len();
        if n < CHANGES_MIN {
            return None;
        }
        let (below, upper, _) = self.sorted.select_nth_unstable(n / 2);
        let upper = *upper;
        let lower = if n % 2 == 1 { upper } else { below.iter().copied().max()? };
        Some(f64::midpoint(lower as f64 / NANOS, upper as f64 / NANOS))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_that_of_the_last_minute() {
        let mut latency = Latency::default();
        latency.add(0, (0..9).map(|n| Span::millis(10 * n)).collect());
        assert_eq!(latency.median(0), None, "nine are too few");
        latency.add(1, vec![Span::millis(-5)]);
        assert_eq!(latency.median(1), Some(35.0));
        latency.add(2, vec![Span::secs(1_000)]);
        assert_eq!(latency.median(2), Some(40.0));
        assert_eq!(latency.median(60), None, "the first nine are a minute back");
        latency.add(61, vec![Span(-1_520_097_249); 10]);
        assert_eq!(latency.median(61), Some(-1_520.097_249), "to the nanosecond");
    }
}
