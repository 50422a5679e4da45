//! In how many of the last 90 days' minutes was each rule true? Exact, in fixed memory, constant time a minute.
//!
//! A ring holds two bits per rule and minute (true; true or false), a minute that was skipped holds none. Saved as runs
//! of equal minutes, which is small because rules change rarely.

use barograph_domain::row::HeldCount;
use serde::{Deserialize, Serialize};

/// Minutes of 90 days.
pub const HELD_MINUTES: usize = 90 * 24 * 60;

/// The last 90 days of one book's rules, minute by minute.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(from = "Saved", into = "Saved")]
pub struct HeldRing {
    rules: usize,
    /// `stride` bytes per minute; rule n has bits 2n (true) and 2n + 1 (known).
    ring: Vec<u8>,
    stride: usize,
    newest: Option<i64>,
    counts: Vec<HeldCount>,
}

impl HeldRing {
    /// Nothing known yet, for this many rules.
    #[must_use]
    pub fn new(rules: usize) -> Self {
        let stride = rules.div_ceil(4).max(1);
        Self {
            rules,
            ring: vec![0; stride * HELD_MINUTES],
            stride,
            newest: None,
            counts: vec![HeldCount::default(); rules],
        }
    }
    /// Counts per rule, in the book's order.
    #[must_use]
    pub fn counts(&self) -> &[HeldCount] {
        &self.counts
    }
    /// Enters a minute (minutes since 1970). The same minute again replaces itself; an earlier one is ignored.
    pub fn push(&mut self, minute: i64, holds: u32, known: u32) {
        let steps = self.newest.map_or(1, |newest| minute - newest);
        if steps < 0 {
            return;
        }
        if usize::try_from(steps).is_ok_and(|n| n >= HELD_MINUTES) {
            self.ring.fill(0);
            self.counts.fill(HeldCount::default());
        } else {
            for skipped in minute - steps + 1..minute {
                self.write(skipped, 0, 0);
            }
        }
        self.write(minute, holds, known);
        self.newest = Some(minute);
    }
    fn slot(&self, minute: i64) -> usize {
        #[expect(clippy::cast_possible_wrap, reason = "129600")]
        let slot = minute.rem_euclid(HELD_MINUTES as i64);
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "0 ≤ slot < 129600")]
        let slot = slot as usize;
        slot * self.stride
    }
    /// Overwrites a slot, which holds the minute 90 days earlier or the same one.
    fn write(&mut self, minute: i64, holds: u32, known: u32) {
        let at = self.slot(minute);
        for byte in 0..self.stride {
            let mut new = 0_u8;
            let old = self.ring[at + byte];
            for i in 0..4 {
                let rule = byte * 4 + i;
                let Some(count) = self.counts.get_mut(rule) else { break };
                let (h, k) = (holds >> rule & 1, known >> rule & 1);
                count.held = count.held + h - u32::from(old >> (2 * i) & 1);
                count.known = count.known + k - u32::from(old >> (2 * i + 1) & 1);
                new |= u8::from(h == 1) << (2 * i) | u8::from(k == 1) << (2 * i + 1);
            }
            self.ring[at + byte] = new;
        }
    }
    fn read(&self, minute: i64) -> (u32, u32) {
        let at = self.slot(minute);
        let (mut holds, mut known) = (0, 0);
        for rule in 0..self.rules {
            let byte = self.ring[at + rule / 4];
            holds |= u32::from(byte >> (2 * (rule % 4)) & 1) << rule;
            known |= u32::from(byte >> (2 * (rule % 4) + 1) & 1) << rule;
        }
        (holds, known)
    }
}

/// The ring as runs, oldest first: (minutes, true rules, known rules).
#[derive(Serialize, Deserialize)]
struct Saved {
    rules: usize,
    newest: Option<i64>,
    runs: Vec<(u32, u32, u32)>,
}

impl From<HeldRing> for Saved {
    fn from(ring: HeldRing) -> Self {
        let mut runs: Vec<(u32, u32, u32)> = Vec::new();
        if let Some(newest) = ring.newest {
            #[expect(clippy::cast_possible_wrap, reason = "129600")]
            let first = newest - HELD_MINUTES as i64 + 1;
            for minute in first..=newest {
                let (holds, known) = ring.read(minute);
                match runs.last_mut() {
                    Some(run) if (run.1, run.2) == (holds, known) => run.0 += 1,
                    _ => runs.push((1, holds, known)),
                }
            }
        }
        Self { rules: ring.rules, newest: ring.newest, runs }
    }
}

impl From<Saved> for HeldRing {
    fn from(saved: Saved) -> Self {
        let mut out = Self::new(saved.rules.min(super::book::RULES_MAX));
        let Some(newest) = saved.newest else { return out };
        let total: i64 = saved.runs.iter().map(|r| i64::from(r.0)).sum();
        let mut minute = newest.saturating_sub(total) + 1;
        for (n, holds, known) in saved.runs {
            // A run longer than the ring can only be a damaged save.
            for _ in 0..usize::try_from(n).unwrap_or(HELD_MINUTES).min(HELD_MINUTES) {
                out.push(minute, holds, known);
                minute += 1;
            }
        }
        out.newest = Some(newest);
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_are_those_of_a_plain_list() {
        let mut ring = HeldRing::new(5);
        let mut list: Vec<(i64, u32, u32)> = Vec::new();
        let mut minute = 29_000_000_i64;
        let mut seed = 7_u64;
        for _ in 0..8_000 {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            minute += if seed >> 60 == 0 { 300 } else { 1 + i64::from(seed >> 62 == 3) * 40 };
            let known = u32::try_from(seed >> 33 & 31).unwrap();
            let holds = known & u32::try_from(seed >> 40 & 31).unwrap();
            ring.push(minute, holds, known);
            list.push((minute, holds, known));
        }
        let in_window = |m: i64| m > minute - i64::try_from(HELD_MINUTES).unwrap();
        let count = |f: &dyn Fn(&(i64, u32, u32)) -> bool| list.iter().filter(|e| in_window(e.0) && f(e)).count();
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
