//! The last five minutes, a second each, and the trades of the last moments in tenths of a second.

use super::accounting::RestingSide;
use barograph_domain::{Span, Ts};
use serde::{Deserialize, Serialize};
use std::collections::VecDeque;

/// Seconds held: five minutes, and the twelve that wait before they count among what is usual.
pub(super) const SECONDS: usize = 320;
/// A second counts among what is usual once it is known whether it belongs to an episode: orders live 10 s at most, and one more
/// passes before they are judged.
pub(super) const SETTLED: usize = 12;
const TENTH: Span = Span::millis(100);
/// Tenths of a second held: what a detector looks back over, and a second besides.
const TENTHS: usize = 128;

/// What one second held.
#[derive(Clone, Copy, PartialEq, Debug, Default, Serialize, Deserialize)]
pub(super) struct SecondSum {
    /// Base volume that took asks, and that took bids.
    pub(super) bought: f64,
    pub(super) sold: f64,
    /// Trades within it.
    pub(super) trades: u32,
    /// Levels that changed.
    pub(super) updates: u32,
    /// The middle at its end, in half units; `None` while no book is known.
    pub(super) mid: Option<f64>,
    /// Part of an episode: no measure of what is usual.
    pub(super) apart: bool,
}

impl SecondSum {
    pub(super) const fn volume(&self) -> f64 {
        self.bought + self.sold
    }
}

/// Closed seconds, newest last.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
pub(super) struct Seconds {
    /// Number of the newest closed second.
    newest: i64,
    sums: VecDeque<SecondSum>,
}

impl Seconds {
    pub(super) fn push(&mut self, second: i64, sum: SecondSum) {
        if !self.sums.is_empty() && second != self.newest + 1 {
            self.sums.clear();
        }
        if self.sums.len() == SECONDS {
            self.sums.pop_front();
        }
        self.newest = second;
        self.sums.push_back(sum);
    }

    /// Newest first.
    pub(super) fn back(&self) -> impl Iterator<Item = &SecondSum> {
        self.sums.iter().rev()
    }

    /// What happened from one moment to another belongs to an episode.
    pub(super) fn set_apart(&mut self, from: Ts, to: Ts) {
        let second = |t: Ts| t.0.div_euclid(Span::secs(1).0);
        let (from, to) = (self.newest - second(from), self.newest - second(to));
        for (back, sum) in (0..).zip(self.sums.iter_mut().rev()) {
            sum.apart |= back <= from && back >= to;
        }
    }
}

/// Volumes of trades in tenths of a second.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
pub(super) struct Tenths {
    newest: i64,
    /// Newest last; what took bids, then what took asks.
    sums: VecDeque<(f64, f64)>,
}

impl Tenths {
    pub(super) fn trade(&mut self, at: Ts, side: RestingSide, qty: f64) {
        let index = at.0.div_euclid(TENTH.0);
        if self.sums.is_empty() || index - self.newest > TENTHS as i64 {
            self.sums.clear();
            self.sums.push_back((0.0, 0.0));
            self.newest = index;
        }
        while self.newest < index {
            if self.sums.len() == TENTHS {
                self.sums.pop_front();
            }
            self.sums.push_back((0.0, 0.0));
            self.newest += 1;
        }
        if let Some(last) = self.sums.back_mut() {
            match side {
                RestingSide::Bid => last.0 += qty,
                RestingSide::Ask => last.1 += qty,
            }
        }
    }

    /// Volume that took what rested on this side, from one moment to another, in whole tenths of a second.
    pub(super) fn took(&self, side: RestingSide, from: Ts, to: Ts) -> f64 {
        let back = |t: Ts| self.newest - t.0.div_euclid(TENTH.0);
        let (from, to) = (back(from), back(to));
        let within = (0..).zip(self.sums.iter().rev()).filter(|(at, _)| *at <= from && *at >= to);
        // From zero on: the sum of nothing is −0 otherwise.
        within.fold(0.0, |sum, (_, of)| sum + if side == RestingSide::Bid { of.0 } else { of.1 })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn volumes_are_those_of_their_side_and_time() {
        let mut tenths = Tenths::default();
        for n in 0..300 {
            let side = if n % 2 == 0 { RestingSide::Ask } else { RestingSide::Bid };
            tenths.trade(Ts::from_millis(50 * n), side, 1.0);
        }
        // 50 ms apart, every second one of this side: one each tenth of a second.
        let of = |tenths: &Tenths, from, to| tenths.took(RestingSide::Ask, Ts::from_millis(from), Ts::from_millis(to));
        let sums = [(12_000, 12_999), (14_900, 20_000), (0, 900)].map(|(from, to)| of(&tenths, from, to));
        assert_eq!(sums.map(f64::to_bits), [10.0_f64, 1.0, 0.0].map(f64::to_bits));
        tenths.trade(Ts::from_millis(60_000), RestingSide::Ask, 7.0);
        assert_eq!(
            (of(&tenths, 12_000, 12_999), of(&tenths, 0, 60_000)),
            (0.0, 7.0),
            "after a long pause the past is gone"
        );
    }

    #[test]
    fn what_belongs_to_an_episode_is_set_apart() {
        let mut seconds = Seconds::default();
        (0..20).for_each(|n| seconds.push(n, SecondSum::default()));
        seconds.set_apart(Ts::from_millis(10_400), Ts::from_millis(12_600));
        let apart: Vec<i64> = (0..20).rev().zip(seconds.back()).filter(|(_, s)| s.apart).map(|(n, _)| n).collect();
        assert_eq!(apart, [12, 11, 10]);
        seconds.push(30, SecondSum::default());
        assert_eq!(seconds.back().count(), 1, "seconds that nobody saw are not made up");
    }
}
