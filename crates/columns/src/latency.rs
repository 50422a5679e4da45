//! How late changes of the book arrive: the median of the last minute, in milliseconds. A venue's clock may run ahead of ours, so it
//! may be negative.

use std::collections::{BTreeMap, VecDeque};

/// Seconds that count.
const SECONDS: i64 = 60;
/// Changes that it needs.
const CHANGES_MIN: u32 = 10;
/// Beyond this, all are as late.
const LATEST_MS: i64 = 60_000;

/// Delays of the last minute, counted by the millisecond.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Latency {
    all: BTreeMap<i32, u32>,
    changes: u32,
    /// Seconds that have any, oldest first.
    seconds: VecDeque<(i64, BTreeMap<i32, u32>)>,
}

impl Latency {
    /// A change that arrived so many milliseconds after it happened; seconds come in order.
    pub fn add(&mut self, second: i64, ms: i64) {
        let ms = i32::try_from(ms.clamp(-LATEST_MS, LATEST_MS)).unwrap_or(0);
        if self.seconds.back().is_none_or(|(last, _)| *last < second) {
            self.seconds.push_back((second, BTreeMap::new()));
        }
        if let Some((_, own)) = self.seconds.back_mut() {
            *own.entry(ms).or_default() += 1;
            *self.all.entry(ms).or_default() += 1;
            self.changes += 1;
        }
    }

    /// The median over the minute that ends with a second; `None` of fewer than ten changes.
    pub fn median(&mut self, second: i64) -> Option<f64> {
        while self.seconds.front().is_some_and(|(first, _)| *first <= second - SECONDS) {
            for (ms, n) in self.seconds.pop_front().into_iter().flat_map(|(_, gone)| gone) {
                self.changes -= n;
                if let Some(held) = self.all.get_mut(&ms) {
                    *held -= n;
                    if *held == 0 {
                        self.all.remove(&ms);
                    }
                }
            }
        }
        if self.changes < CHANGES_MIN {
            return None;
        }
        Some(f64::midpoint(self.nth((self.changes - 1) / 2)?, self.nth(self.changes / 2)?))
    }

    /// The one before which so many lie.
    fn nth(&self, place: u32) -> Option<f64> {
        let mut below = 0;
        self.all.iter().find_map(|(ms, n)| {
            below += n;
            (below > place).then_some(f64::from(*ms))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_that_of_the_last_minute() {
        let mut latency = Latency::default();
        for n in 0..9 {
            latency.add(0, 10 * n);
        }
        assert_eq!(latency.median(0), None, "nine are too few");
        latency.add(1, -5);
        assert_eq!(latency.median(1), Some(35.0));
        latency.add(2, 1_000_000);
        assert_eq!(latency.median(2), Some(40.0));
        assert_eq!(latency.median(60), None, "the first nine are a minute back");
    }
}
