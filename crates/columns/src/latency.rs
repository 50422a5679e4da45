//! How late changes of the book arrive: the median of the last minute, in milliseconds. A venue's clock may run ahead of ours, so it
//! may be negative.

use barograph_domain::Span;

/// Seconds that count.
const SECONDS: i64 = 60;
/// Changes that it needs.
const CHANGES_MIN: usize = 10;
/// Nanoseconds of a millisecond.
const NANOS: f64 = 1e6;

/// So many times fewer new ones than old ones are put in their places one by one.
const FEW: usize = 16;

/// Delays of the last minute, as they were: a venue that stamps microseconds loses nothing.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Latency {
    /// Nanoseconds, shortest first, each with its second.
    sorted: Vec<(i64, i64)>,
    /// What came since.
    new: Vec<(i64, i64)>,
    /// Kept between medians, so that a row need not ask for memory.
    spare: Vec<(i64, i64)>,
    /// The oldest second that may be among them.
    oldest: i64,
}

impl Latency {
    /// A change of a second arrived so long after it happened.
    pub fn add(&mut self, second: i64, delay: Span) {
        self.oldest = if self.sorted.is_empty() && self.new.is_empty() { second } else { self.oldest.min(second) };
        self.new.push((delay.0, second));
    }

    /// The median over the minute that ends with a second; `None` of fewer than ten changes. Seconds are asked for in order.
    pub fn median(&mut self, second: i64) -> Option<f64> {
        let gone = second - SECONDS;
        if !self.new.is_empty() || self.oldest <= gone {
            self.merge(gone);
        }
        let all = &self.sorted;
        let n = all.len();
        if n < CHANGES_MIN {
            return None;
        }
        let (lower, upper) = (all[(n - 1) / 2].0, all[n / 2].0);
        Some(f64::midpoint(lower as f64 / NANOS, upper as f64 / NANOS))
    }

    /// Takes in what is new and lets go what is old, in one pass.
    fn merge(&mut self, gone: i64) {
        if self.new.len() * FEW < self.sorted.len() {
            self.sorted.retain(|one| one.1 > gone);
            for one in self.new.drain(..).filter(|one| one.1 > gone) {
                let at = self.sorted.partition_point(|other| *other < one);
                self.sorted.insert(at, one);
            }
            self.oldest = self.sorted.iter().fold(i64::MAX, |oldest, one| oldest.min(one.1));
            return;
        }
        self.new.sort_unstable();
        self.spare.clear();
        self.oldest = i64::MAX;
        let (mut old, mut new) = (self.sorted.iter().peekable(), self.new.iter().peekable());
        loop {
            let next = match (old.peek(), new.peek()) {
                (Some(a), Some(b)) if a <= b => old.next(),
                (Some(_), None) => old.next(),
                (_, Some(_)) => new.next(),
                (None, None) => break,
            };
            if let Some(one) = next.filter(|one| one.1 > gone) {
                self.oldest = self.oldest.min(one.1);
                self.spare.push(*one);
            }
        }
        core::mem::swap(&mut self.sorted, &mut self.spare);
        self.new.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_that_of_the_last_minute() {
        let mut latency = Latency::default();
        (0..9).for_each(|n| latency.add(0, Span::millis(10 * n)));
        assert_eq!(latency.median(0), None, "nine are too few");
        latency.add(1, Span::millis(-5));
        assert_eq!(latency.median(1), Some(35.0));
        latency.add(2, Span::secs(1_000));
        assert_eq!(latency.median(2), Some(40.0));
        assert_eq!(latency.median(60), None, "the first nine are a minute back");
        (0..10).for_each(|_| latency.add(61, Span(-1_520_097_249)));
        assert_eq!(latency.median(61), Some(-1_520.097_249), "to the nanosecond");
    }
}
