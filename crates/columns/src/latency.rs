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

/// So many are put in their places, or taken away, one by one; more in one pass over all.
const FEW: usize = 16;

/// Delays of the last minute, as they were: a venue that stamps microseconds loses nothing.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Latency {
    /// Nanoseconds, shortest first.
    sorted: Vec<i64>,
    /// Second and nanoseconds of each, in the order of seconds.
    arrived: VecDeque<(i64, i64)>,
    /// What came since the last median, and what went.
    new: Vec<i64>,
    gone: Vec<i64>,
    /// Kept between medians, so that a row need not ask for memory.
    spare: Vec<i64>,
}

impl Latency {
    /// A change of a second arrived so long after it happened.
    pub fn add(&mut self, second: i64, delay: Span) {
        if self.arrived.back().is_none_or(|(last, _)| *last <= second) {
            self.arrived.push_back((second, delay.0));
        } else {
            let later = self.arrived.iter().rev().take_while(|(other, _)| *other > second).count();
            self.arrived.insert(self.arrived.len() - later, (second, delay.0));
        }
        self.new.push(delay.0);
    }

    /// The median over the minute that ends with a second; `None` of fewer than ten changes. Seconds are asked for in order.
    pub fn median(&mut self, second: i64) -> Option<f64> {
        while let Some((_, delay)) = self.arrived.front().filter(|(first, _)| *first <= second - SECONDS) {
            self.gone.push(*delay);
            self.arrived.pop_front();
        }
        if self.new.len() + self.gone.len() <= FEW {
            self.change();
        } else {
            self.merge();
        }
        let all = &self.sorted;
        let n = all.len();
        if n < CHANGES_MIN {
            return None;
        }
        let (lower, upper) = (all[(n - 1) / 2], all[n / 2]);
        Some(f64::midpoint(lower as f64 / NANOS, upper as f64 / NANOS))
    }

    /// Puts what is new in its place and takes away what is gone, one by one.
    fn change(&mut self) {
        for one in self.new.drain(..) {
            // Behind its equals, of which there are many where a venue stamps whole milliseconds: less has to move.
            self.sorted.insert(self.sorted.partition_point(|other| *other <= one), one);
        }
        for one in self.gone.drain(..) {
            self.sorted.remove(self.sorted.partition_point(|other| *other <= one) - 1);
        }
    }

    /// The same in one pass.
    fn merge(&mut self) {
        self.new.sort_unstable();
        self.gone.sort_unstable();
        self.spare.clear();
        let (mut old, mut new) = (self.sorted.iter().peekable(), self.new.iter().peekable());
        let mut gone = self.gone.iter().peekable();
        loop {
            let next = match (old.peek(), new.peek()) {
                (Some(a), Some(b)) if a <= b => old.next(),
                (Some(_), None) => old.next(),
                (_, Some(_)) => new.next(),
                (None, None) => break,
            };
            if gone.next_if(|one| Some(*one) == next).is_none() {
                self.spare.extend(next);
            }
        }
        core::mem::swap(&mut self.sorted, &mut self.spare);
        self.new.clear();
        self.gone.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

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

    proptest! {
        /// Few or many at a time, late ones among them, the median is that of all that lie in the minute.
        #[test]
        fn any_order_gives_the_median_of_what_is_there(
            steps in prop::collection::vec((0_i64..40, prop::collection::vec((-3_i64..90, -5_i64..50), 0..40)), 1..40),
        ) {
            let (mut latency, mut all, mut now) = (Latency::default(), Vec::new(), 1_000);
            for (step, changes) in steps {
                now += step;
                for (back, delay) in changes {
                    latency.add(now - back, Span(delay));
                    all.push((now - back, delay));
                }
                let mut there: Vec<i64> = all.iter().filter(|(s, _)| *s > now - SECONDS).map(|(_, d)| *d).collect();
                there.sort_unstable();
                let n = there.len();
                let want = (n >= CHANGES_MIN).then(|| (there[(n - 1) / 2] + there[n / 2]) as f64 / 2.0 / NANOS);
                match (latency.median(now), want) {
                    (Some(got), Some(want)) => prop_assert!((got - want).abs() <= 1e-15, "{} {}", got, want),
                    (got, want) => prop_assert_eq!(got, want),
                }
            }
        }
    }
}
