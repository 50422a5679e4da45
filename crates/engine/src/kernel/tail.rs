//! Upper tail of a sliding window of small counts: exact high quantiles without keeping the window.
//!
//! A value that has `keep` later ones at least as large can never be among the `keep` largest of any window it is still
//! in, so it is forgotten. What is held grows with the logarithm of the window: some hundreds of entries for a month of
//! minutes. Zeros are never held; the caller knows how many samples there were.

use serde::{Deserialize, Serialize};
use std::collections::VecDeque;

#[derive(Clone, Copy, PartialEq, Debug, Serialize, Deserialize)]
struct Held {
    index: i64,
    value: u32,
    beaten: u16,
}

/// Values there is room for from the first one on: what a month of minutes comes to.
const ROOM: usize = 512;

/// The largest values of the last `length` grid steps.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(from = "Saved", into = "Saved")]
pub struct UpperTail {
    length: i64,
    keep: u16,
    held: VecDeque<Held>,
    /// Values held, largest first.
    sorted: Vec<u32>,
}

impl UpperTail {
    /// A window of `length` steps whose `keep` largest values can be asked for.
    #[must_use]
    pub fn new(length: i64, keep: u16) -> Self {
        Self { length, keep, held: VecDeque::new(), sorted: Vec::new() }
    }

    /// Enters the value of `index`; indices rise. Zeros and what an index left out count as zero.
    pub fn push(&mut self, index: i64, value: u32) {
        while let Some(oldest) = self.held.front().filter(|h| h.index <= index - self.length) {
            remove(&mut self.sorted, oldest.value);
            self.held.pop_front();
        }
        if value == 0 {
            return;
        }
        if self.held.capacity() == 0 {
            self.held.reserve(ROOM);
            self.sorted.reserve(ROOM);
        }
        let (keep, sorted) = (self.keep, &mut self.sorted);
        self.held.retain_mut(|h| {
            h.beaten += u16::from(h.value <= value);
            let stays = h.beaten < keep;
            if !stays {
                remove(sorted, h.value);
            }
            stays
        });
        self.held.push_back(Held { index, value, beaten: 0 });
        let at = self.sorted.partition_point(|v| *v > value);
        self.sorted.insert(at, value);
    }

    /// Type-7 quantile of `n` samples, of which the ones not held are zero or below the tail. `None` without samples, or
    /// when the rank lies deeper than the tail.
    #[must_use]
    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "ranks of some ten thousand samples"
    )]
    pub fn quantile(&self, p: f64, n: usize) -> Option<f64> {
        let last = n.checked_sub(1)?;
        let rank = p.clamp(0.0, 1.0) * last as f64;
        let below = rank.floor() as usize;
        let from_top = |i: usize| -> Option<f64> {
            let j = last - i.min(last);
            match self.sorted.get(j) {
                Some(v) => Some(f64::from(*v)),
                // All positive values are held as long as none was forgotten, and none is before there are `keep` of them.
                None if self.sorted.len() < usize::from(self.keep) => Some(0.0),
                None => None,
            }
        };
        let (lo, hi) = (from_top(below)?, from_top(below + 1)?);
        Some(lo + (rank - rank.floor()) * (hi - lo))
    }

    /// Values held at this moment, for people who watch memory.
    #[must_use]
    pub fn held(&self) -> usize {
        self.held.len()
    }
}

fn remove(sorted: &mut Vec<u32>, value: u32) {
    let at = sorted.partition_point(|v| *v > value);
    if sorted.get(at) == Some(&value) {
        sorted.remove(at);
    }
}

#[derive(Serialize, Deserialize)]
struct Saved {
    length: i64,
    keep: u16,
    held: Vec<Held>,
}

impl From<UpperTail> for Saved {
    fn from(tail: UpperTail) -> Self {
        Self { length: tail.length, keep: tail.keep, held: tail.held.into() }
    }
}

impl From<Saved> for UpperTail {
    fn from(saved: Saved) -> Self {
        let mut sorted: Vec<u32> = saved.held.iter().map(|h| h.value).collect();
        sorted.sort_unstable_by(|a, b| b.cmp(a));
        Self { length: saved.length, keep: saved.keep, held: saved.held.into(), sorted }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::rank::quantile;

    #[test]
    fn quantiles_are_those_of_the_whole_window() {
        for (seed, zeros) in [(1_u64, 10), (2, 2), (3, 40)] {
            let (length, keep) = (2_000_i64, 24_u16);
            let mut tail = UpperTail::new(length, keep);
            let mut plain: VecDeque<f64> = VecDeque::new();
            let mut state = seed;
            let mut most = 0;
            for index in 0..12_000_i64 {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                let r = state >> 33;
                let value = if r.is_multiple_of(zeros) { u32::try_from(r >> 8 & 63).unwrap() } else { 0 };
                tail.push(index, value);
                plain.push_back(f64::from(value));
                if plain.len() > 2_000 {
                    plain.pop_front();
                }
                most = most.max(tail.held());
                if index % 97 == 0 {
                    let mut sorted: Vec<f64> = plain.iter().copied().collect();
                    sorted.sort_by(f64::total_cmp);
                    for p in [0.99, 0.995, 0.999, 1.0] {
                        assert_eq!(tail.quantile(p, sorted.len()), quantile(&sorted, p), "p {p} at {index}");
                    }
                    let text = serde_json::to_string(&tail).unwrap();
                    assert_eq!(serde_json::from_str::<UpperTail>(&text).unwrap(), tail);
                }
            }
            assert!(most < 400, "{most} of 2,000 values held");
        }
    }

    #[test]
    fn a_rank_below_the_tail_is_not_made_up() {
        let mut tail = UpperTail::new(1_000, 4);
        for i in 0..100 {
            tail.push(i, 1 + u32::try_from(i).unwrap());
        }
        assert_eq!(tail.quantile(0.5, 100), None);
        assert_eq!(tail.quantile(1.0, 100), Some(100.0));
        assert_eq!(tail.quantile(1.0, 0), None);
    }
}
