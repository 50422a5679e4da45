//! Prices of the last day and of a little more, minute by minute, with holes where there was none.

use barograph_domain::{Span, Ts};
use core::num::NonZeroU64;
use serde::{Deserialize, Serialize};
use std::collections::VecDeque;

/// A day, the minute it begins at, and the grid step by which a window may begin earlier.
const MINUTES: usize = 1_440 + 6;

/// The price of each minute. A price is positive, so its bits are never zero.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
pub(super) struct Minutes {
    /// Newest last.
    bits: VecDeque<Option<NonZeroU64>>,
    /// Minute of the newest.
    newest: i64,
    /// Minutes without a price among them.
    holes: u32,
}

fn minute(t: Ts) -> i64 {
    t.0.div_euclid(Span::mins(1).0)
}

impl Minutes {
    /// The price at a minute; later than all before it.
    pub(super) fn push(&mut self, ts: Ts, price: Option<f64>) {
        let at = minute(ts);
        let missing = at - self.newest - 1;
        if self.bits.is_empty() || missing >= MINUTES as i64 {
            self.bits.clear();
            self.holes = 0;
        } else {
            for _ in 0..missing {
                self.one(None);
            }
        }
        self.newest = at;
        self.one(price.filter(|p| *p > 0.0 && p.is_finite()).and_then(|p| NonZeroU64::new(p.to_bits())));
    }

    fn one(&mut self, bits: Option<NonZeroU64>) {
        if self.bits.len() == MINUTES && self.bits.pop_front() == Some(None) {
            self.holes -= 1;
        }
        self.holes += u32::from(bits.is_none());
        self.bits.push_back(bits);
    }

    /// The price at a minute, if there was one and it is remembered.
    pub(super) fn at(&self, ts: Ts) -> Option<f64> {
        let back = usize::try_from(self.newest - minute(ts)).ok()?;
        let at = self.bits.len().checked_sub(1 + back)?;
        self.bits.get(at).copied().flatten().map(|b| f64::from_bits(b.get()))
    }

    /// Share of the minutes of `(from, upto]` that have a price.
    pub(super) fn coverage(&self, from: Ts, upto: Ts) -> f64 {
        let all = minute(upto) - minute(from);
        if all <= 0 { 0.0 } else { self.seen(from, upto) as f64 / all as f64 }
    }

    fn seen(&self, from: Ts, upto: Ts) -> usize {
        let end = self.newest + 1;
        let oldest = end - i64::try_from(self.bits.len()).unwrap_or(i64::MAX);
        let place = |m: i64| usize::try_from(m.clamp(oldest, end) - oldest).unwrap_or(0);
        let (first, last) = (place(minute(from) + 1), place(minute(upto) + 1));
        let within = last.saturating_sub(first);
        if self.holes == 0 { within } else { self.bits.range(first..first + within).flatten().count() }
    }

    /// Prices at the minutes of `(from, upto]`, oldest first.
    pub(super) fn within(&self, from: Ts, upto: Ts) -> impl Iterator<Item = (Ts, Option<f64>)> {
        let (first, last) = (minute(from) + 1, minute(upto));
        let oldest = self.newest + 1 - i64::try_from(self.bits.len()).unwrap_or(i64::MAX);
        (first..=last).map(move |m| {
            let at = usize::try_from(m - oldest).ok().and_then(|at| self.bits.get(at).copied().flatten());
            (Ts(m * Span::mins(1).0), at.map(|b| f64::from_bits(b.get())))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn holes_stay_holes_and_a_day_is_remembered() {
        let at = |n: i64| Ts(0) + Span::mins(n);
        let mut m = Minutes::default();
        m.push(at(10), Some(100.0));
        m.push(at(13), Some(103.0));
        m.push(at(14), None);
        m.push(at(15), Some(-1.0));
        let seen: Vec<_> = m.within(at(9), at(16)).map(|(_, p)| p).collect();
        assert_eq!(seen, [Some(100.0), None, None, Some(103.0), None, None, None]);
        let counted = |m: &Minutes, from, upto| {
            let one_by_one = m.within(at(from), at(upto)).filter(|(_, p)| p.is_some()).count();
            assert_eq!(m.seen(at(from), at(upto)), one_by_one, "{from} to {upto}");
            one_by_one
        };
        assert_eq!(
            [(9, 16), (9, 10), (10, 13), (-5, 5), (20, 30), (14, 12)].map(|(a, b)| counted(&m, a, b)),
            [2, 1, 1, 0, 0, 0]
        );
        assert_eq!((m.at(at(13)), m.at(at(12)), m.at(at(16)), m.at(at(2))), (Some(103.0), None, None, None));
        for n in 16..3_000 {
            m.push(at(n), Some(1.0));
        }
        assert_eq!((m.at(at(2_999 - 1_445)), m.at(at(2_999 - 1_446))), (Some(1.0), None));
        assert_eq!([(0, 5_000), (2_990, 2_995)].map(|(a, b)| counted(&m, a, b)), [MINUTES, 5], "no hole is remembered");
        m.push(at(3_001), Some(1.0));
        assert_eq!([(0, 5_000), (2_999, 3_001)].map(|(a, b)| counted(&m, a, b)), [MINUTES - 1, 1], "one is");
        m.push(at(9_000), Some(2.0));
        assert_eq!(m.within(at(2_990), at(9_000)).filter(|(_, p)| p.is_some()).count(), 1);
    }
}
