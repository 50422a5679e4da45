//! The sum over the last seconds, as many as it was made for: blocks of that length, aligned to absolute time (van Herk 1992; Gil &
//! Werman 1993).
//!
//! A window is the end of one block and the beginning of the next, so that a second costs three sums however long the window is. Nothing
//! is ever subtracted, so nothing drifts, and a window gives the same bits wherever the data began.

use crate::merge::Merge;

/// One window.
#[derive(Clone, Debug)]
pub struct SlidingSum<S> {
    /// Seconds of the block under way, by their place in it; behind the newest lies what was there before.
    own: Box<[S]>,
    /// Those of the block before it.
    before: Box<[S]>,
    /// The block before from each place to its end.
    tails: Box<[S]>,
    /// The block under way up to the newest second.
    head: S,
    /// Place of the second to come; the length of a block where the newest is its last.
    place: usize,
    newest: Option<i64>,
}

impl<S: Merge> SlidingSum<S> {
    /// Of so many seconds, one at least.
    #[must_use]
    pub fn new(seconds: usize) -> Self {
        let empty = || vec![S::EMPTY; seconds.max(1)].into_boxed_slice();
        Self { own: empty(), before: empty(), tails: empty(), head: S::EMPTY, place: 0, newest: None }
    }

    fn seconds(&self) -> i64 {
        i64::try_from(self.own.len()).unwrap_or(i64::MAX)
    }

    /// The next second; those that were left out are empty.
    ///
    /// # Panics
    /// When it is not later than the newest.
    pub fn push(&mut self, second: i64, sample: S) {
        if self.newest != Some(second - 1) {
            self.reach(second);
        }
        self.step(sample);
        self.newest = Some(second);
    }

    /// Seconds up to one are empty.
    #[cold]
    fn reach(&mut self, second: i64) {
        if let Some(newest) = self.newest {
            assert!(newest < second, "second {second} after {newest}");
            if second - newest <= 2 * self.seconds() {
                (newest + 1..second).for_each(|_| self.step(S::EMPTY));
                return;
            }
            *self = Self::new(self.own.len());
        }
        self.place = usize::try_from(second.rem_euclid(self.seconds())).unwrap_or(0);
    }

    fn step(&mut self, sample: S) {
        if self.place == self.own.len() {
            core::mem::swap(&mut self.own, &mut self.before);
            self.add_up(self.before.len());
            (self.head, self.place) = (S::EMPTY, 0);
        }
        self.own[self.place] = sample;
        self.head = self.head.merge(sample);
        self.place += 1;
    }

    /// Makes the tails of the block before anew, of its first places up to one.
    fn add_up(&mut self, upto: usize) {
        let mut sum = self.tails.get(upto).copied().unwrap_or(S::EMPTY);
        for (tail, sample) in self.tails[..upto].iter_mut().zip(&self.before[..upto]).rev() {
            sum = sample.merge(sum);
            *tail = sum;
        }
    }

    /// A second that was there already gets more; one that lies too far back, or is yet to come, does not.
    pub fn amend(&mut self, second: i64, more: S) {
        let Some(back) = self.newest.and_then(|newest| usize::try_from(newest - second).ok()) else { return };
        if back < self.place {
            let own = &mut self.own[self.place - 1 - back];
            *own = own.merge(more);
            self.head = self.own[..self.place].iter().fold(S::EMPTY, |sum, one| sum.merge(*one));
        } else if back < self.own.len() {
            let at = self.own.len() + self.place - 1 - back;
            self.before[at] = self.before[at].merge(more);
            self.add_up(at + 1);
        }
    }

    /// The sum up to the newest second.
    #[must_use]
    #[inline]
    pub fn sum(&self) -> S {
        self.tails.get(self.place).map_or(self.head, |tail| tail.merge(self.head))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// A sum that shows in which order it was made, and a number that rounds.
    #[derive(Clone, Copy, PartialEq, Debug)]
    struct Seen {
        n: u32,
        hash: u64,
        sum: f64,
    }

    impl Merge for Seen {
        const EMPTY: Self = Self { n: 0, hash: 0, sum: 0.0 };
        fn merge(self, right: Self) -> Self {
            let shift = 31_u64.wrapping_pow(right.n);
            Self {
                n: self.n + right.n,
                hash: self.hash.wrapping_mul(shift).wrapping_add(right.hash),
                sum: self.sum + right.sum,
            }
        }
    }

    fn seen(second: i64) -> Seen {
        Seen { n: 1, hash: second.cast_unsigned(), sum: 0.1 * second as f64 }
    }

    proptest! {
        /// A window holds its seconds in order, and its bits do not depend on where the data began.
        #[test]
        fn a_window_is_that_of_any_other_start(
            start in -5_000_i64..5_000,
            earlier in 0_i64..300,
            gaps in prop::collection::vec(prop_oneof![9 => 1_i64..6, 1 => 1_i64..200], 1..200),
            window in 1_usize..64,
        ) {
            let (mut a, mut b) = (SlidingSum::new(window), SlidingSum::new(window));
            for second in start - earlier..start {
                b.push(second, seen(second));
            }
            let mut held: Vec<i64> = Vec::new();
            let mut second = start;
            for gap in gaps {
                a.push(second, seen(second));
                b.push(second, seen(second));
                held.push(second);
                let own: Vec<i64> = held.iter().copied().filter(|s| *s > second - window as i64).collect();
                let want = own.iter().fold(Seen::EMPTY, |sum, s| sum.merge(seen(*s)));
                let got = a.sum();
                prop_assert_eq!((got.n, got.hash), (want.n, want.hash));
                if second - (window as i64) >= start {
                    prop_assert_eq!(got.sum.to_bits(), b.sum().sum.to_bits());
                }
                second += gap;
            }
        }

        /// What comes later to a second counts as if it had been there from the beginning.
        #[test]
        fn what_is_amended_is_as_if_it_had_been_there(
            start in -5_000_i64..5_000,
            pushed in 1_i64..200,
            back in prop::collection::vec(-1_i64..70, 1..20),
            window in 1_usize..64,
        ) {
            let (mut late, mut whole) = (SlidingSum::new(window), SlidingSum::new(window));
            let newest = start + pushed - 1;
            let amended: Vec<i64> = back.into_iter().map(|b| newest - b).filter(|s| *s >= start).collect();
            let there = amended.iter().filter(|s| **s <= newest);
            let more = |second: i64| there.clone().filter(|s| **s == second).fold(seen(second), |sum, s| sum.merge(seen(-*s)));
            for second in start..=newest {
                late.push(second, seen(second));
                whole.push(second, more(second));
            }
            for second in &amended {
                late.amend(*second, seen(-*second));
            }
            prop_assert_eq!(late.sum(), whole.sum());
            for second in newest + 1..newest + 70 {
                late.push(second, seen(0));
                whole.push(second, seen(0));
                prop_assert_eq!(late.sum(), whole.sum());
            }
        }
    }

    #[test]
    fn after_a_long_silence_nothing_old_is_left() {
        let mut window = SlidingSum::new(8);
        assert_eq!(window.sum(), Seen::EMPTY);
        (0..40).for_each(|second| window.push(second, seen(second)));
        window.push(1_000, seen(1_000));
        assert_eq!(window.sum(), seen(1_000));
    }
}
