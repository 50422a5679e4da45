//! In how many of the last 90 days' minutes was each rule true? Exact, constant time a minute.
//!
//! Kept as runs of equal minutes: rules change rarely, so 90 days of a market are a few kilobytes. A minute that was
//! skipped counts for nothing.

use barograph_domain::row::HeldCount;
use serde::{Deserialize, Serialize};
use std::collections::VecDeque;

/// Minutes of 90 days.
pub const HELD_MINUTES: usize = 90 * 24 * 60;

/// Room for this many runs from the beginning; a market seldom has more in 90 days.
const RUNS: usize = 1_024;

/// Minutes in a row that say the same.
#[derive(Clone, Copy, PartialEq, Debug, Serialize, Deserialize)]
struct Run {
    /// First minute since 1970.
    first: i64,
    length: u32,
    /// Bit n: rule n was true.
    holds: u64,
    /// Bit n: rule n was true or false.
    known: u64,
}

/// The last 90 days of one book's rules, minute by minute.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct HeldRing {
    runs: VecDeque<Run>,
    newest: Option<i64>,
    counts: Vec<HeldCount>,
    #[serde(skip)]
    minute: Minute,
}

/// What one minute adds to every count. It is the same for hours, and adding is then one pass without a look at bits.
#[derive(Clone, Debug, Default)]
struct Minute {
    holds: u64,
    known: u64,
    adds: Vec<HeldCount>,
}

/// It is made from the bits again: two rings never differ by it.
impl PartialEq for Minute {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Minute {
    /// Of a minute with these bits, for so many rules.
    fn change(&mut self, holds: u64, known: u64, rules: usize) {
        if (self.holds, self.known) == (holds, known) && self.adds.len() == rules {
            return;
        }
        let bit = |mask: u64, i: usize| u32::from(mask >> i & 1 == 1);
        (self.holds, self.known) = (holds, known);
        self.adds.clear();
        self.adds.extend((0..rules).map(|i| HeldCount { held: bit(holds, i), known: bit(known, i) }));
    }
}

impl HeldRing {
    /// Nothing known yet, for this many rules (at most 64).
    #[must_use]
    pub fn new(rules: usize) -> Self {
        Self {
            runs: VecDeque::with_capacity(RUNS),
            newest: None,
            counts: vec![HeldCount::default(); rules.min(64)],
            minute: Minute::default(),
        }
    }
    /// Counts per rule, in the book's order.
    #[must_use]
    pub fn counts(&self) -> &[HeldCount] {
        &self.counts
    }
    /// Enters a minute (minutes since 1970). The same minute again replaces itself; an earlier one is ignored.
    pub fn push(&mut self, minute: i64, holds: u64, known: u64) {
        match self.newest {
            Some(newest) if minute < newest => return,
            Some(newest) if minute == newest => self.take_newest_back(),
            _ => {}
        }
        self.newest = Some(minute);
        match self.runs.back_mut() {
            Some(run) if (run.holds, run.known) == (holds, known) && run.first + i64::from(run.length) == minute => {
                run.length += 1;
            }
            _ => self.runs.push_back(Run { first: minute, length: 1, holds, known }),
        }
        #[expect(clippy::cast_possible_wrap, reason = "129600")]
        let oldest = minute - HELD_MINUTES as i64 + 1;
        // In a full window most minutes come as others of the same go, and no count moves.
        match self.runs.front_mut() {
            Some(run) if run.first == oldest - 1 && run.length > 1 && (run.holds, run.known) == (holds, known) => {
                run.first = oldest;
                run.length -= 1;
            }
            _ => {
                self.add(holds, known);
                self.expire(oldest);
            }
        }
    }
    fn take_newest_back(&mut self) {
        let Some(run) = self.runs.back_mut() else { return };
        let (holds, known) = (run.holds, run.known);
        run.length -= 1;
        if run.length == 0 {
            self.runs.pop_back();
        }
        self.take_off(holds, known, 1);
    }
    fn expire(&mut self, oldest: i64) {
        while let Some(run) = self.runs.front_mut().filter(|r| r.first < oldest) {
            let gone = u32::try_from(oldest - run.first).unwrap_or(u32::MAX).min(run.length);
            let (holds, known) = (run.holds, run.known);
            run.first += i64::from(gone);
            run.length -= gone;
            if run.length == 0 {
                self.runs.pop_front();
            }
            self.take_off(holds, known, gone);
        }
    }
    fn add(&mut self, holds: u64, known: u64) {
        self.minute.change(holds, known, self.counts.len());
        for (count, by) in self.counts.iter_mut().zip(&self.minute.adds) {
            // A window has 129,600 minutes.
            count.held = count.held.wrapping_add(by.held);
            count.known = count.known.wrapping_add(by.known);
        }
    }
    fn take_off(&mut self, holds: u64, known: u64, minutes: u32) {
        for (i, count) in self.counts.iter_mut().enumerate() {
            for (mask, n) in [(holds, &mut count.held), (known, &mut count.known)] {
                *n = n.saturating_sub(minutes * u32::from(mask >> i & 1 == 1));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_are_those_of_a_plain_list() {
        let mut ring = HeldRing::new(5);
        let mut list: Vec<(i64, u64, u64)> = Vec::new();
        let mut minute = 29_000_000_i64;
        let mut seed = 7_u64;
        for _ in 0..8_000 {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            minute += if seed >> 60 == 0 { 300 } else { 1 + i64::from(seed >> 62 == 3) * 40 };
            let known = seed >> 33 & 31;
            let holds = known & (seed >> 40) & 31;
            ring.push(minute, holds, known);
            list.push((minute, holds, known));
        }
        let in_window = |m: i64| m > minute - i64::try_from(HELD_MINUTES).unwrap();
        let count = |f: &dyn Fn(&(i64, u64, u64)) -> bool| list.iter().filter(|e| in_window(e.0) && f(e)).count();
        assert!(list.iter().any(|e| !in_window(e.0)), "the window must have moved");
        for rule in 0..5 {
            let got = ring.counts()[rule];
            assert_eq!(got.held as usize, count(&|e| e.1 >> rule & 1 == 1), "held, rule {rule}");
            assert_eq!(got.known as usize, count(&|e| e.2 >> rule & 1 == 1), "known, rule {rule}");
        }
        let json = serde_json::to_string(&ring).unwrap();
        assert_eq!(serde_json::from_str::<HeldRing>(&json).unwrap(), ring);
    }

    #[test]
    fn a_long_silence_empties_it() {
        let mut ring = HeldRing::new(1);
        ring.push(10, 1, 1);
        ring.push(10, 0, 1);
        assert_eq!(ring.counts()[0], HeldCount { held: 0, known: 1 }, "the same minute replaces itself");
        ring.push(11, 1, 1);
        ring.push(11 + i64::try_from(HELD_MINUTES).unwrap(), 1, 1);
        assert_eq!(ring.counts()[0], HeldCount { held: 1, known: 1 });
        ring.push(3, 1, 1);
        assert_eq!(ring.counts()[0], HeldCount { held: 1, known: 1 }, "time does not run backwards");
    }
}
