//! Sums over the last seconds, of several lengths at once: dyadic blocks aligned to absolute time (features §1.2, code ABF).
//!
//! Nothing is ever subtracted, so nothing drifts, and a window gives the same bits wherever the data began. Unlike the engine's fold the
//! samples here have many fields, so that one walk serves every column of a window; a block is made once, when its last second is there.

/// Something of which neighbours can be put together: associative up to rounding.
pub trait Merge: Copy {
    /// What changes nothing.
    const EMPTY: Self;
    /// This followed by `right`.
    #[must_use]
    fn merge(self, right: Self) -> Self;
}

/// Sums: whole numbers in any order, others in the order of time.
macro_rules! sum {
    ($($number:ty),+) => {
        $(impl Merge for $number {
            const EMPTY: Self = 0 as $number;

            fn merge(self, right: Self) -> Self {
                self + right
            }
        })+
    };
}

sum!(u32, i32, i64, u64, u128, f64);

impl<S: Merge, const N: usize> Merge for [S; N] {
    const EMPTY: Self = [S::EMPTY; N];

    fn merge(self, right: Self) -> Self {
        core::array::from_fn(|n| self[n].merge(right[n]))
    }
}

impl<A: Merge, B: Merge> Merge for (A, B) {
    const EMPTY: Self = (A::EMPTY, B::EMPTY);

    fn merge(self, right: Self) -> Self {
        (self.0.merge(right.0), self.1.merge(right.1))
    }
}

/// A type whose fields are put together one by one.
macro_rules! merge_fields {
    ($name:ident { $($field:ident),+ $(,)? }) => {
        impl $crate::ring::Merge for $name {
            const EMPTY: Self = Self { $($field: $crate::ring::Merge::EMPTY),+ };

            fn merge(self, right: Self) -> Self {
                Self { $($field: $crate::ring::Merge::merge(self.$field, right.$field)),+ }
            }
        }
    };
}
pub(crate) use merge_fields;

/// The last seconds.
#[derive(Clone, Debug)]
pub struct Ring<S> {
    /// Heap order: node 1 is the root, the nodes from `len` on are the seconds.
    nodes: Vec<S>,
    len: usize,
    newest: Option<i64>,
}

impl<S: Merge> Ring<S> {
    /// Room for windows of so many seconds.
    #[must_use]
    pub fn new(seconds: usize) -> Self {
        let len = seconds.max(1).next_power_of_two();
        Self { nodes: vec![S::EMPTY; 2 * len], len, newest: None }
    }

    fn leaf(&self, second: i64) -> usize {
        let mask = i64::try_from(self.len - 1).unwrap_or(i64::MAX);
        self.len + usize::try_from(second & mask).unwrap_or(0)
    }

    /// The next second; those that were left out are empty.
    ///
    /// # Panics
    /// When it is not later than the newest.
    pub fn push(&mut self, second: i64, sample: S) {
        if let Some(newest) = self.newest {
            assert!(newest < second, "second {second} after {newest}");
            let kept = i64::try_from(self.len).unwrap_or(i64::MAX);
            for empty in (newest + 1).max(second - kept)..second {
                self.put(empty, S::EMPTY);
            }
        }
        self.put(second, sample);
        self.newest = Some(second);
    }

    /// The newest second once more, by what is known since.
    pub fn replace(&mut self, sample: S) {
        if let Some(newest) = self.newest {
            self.put(newest, sample);
        }
    }

    /// A second that was there already gets more; one that lies too far back, or is yet to come, does not.
    pub fn amend(&mut self, second: i64, more: impl FnOnce(&mut S)) {
        let kept = i64::try_from(self.len).unwrap_or(i64::MAX);
        let Some(newest) = self.newest.filter(|newest| second <= *newest && newest - second < kept) else { return };
        let (mut at, mut level) = (self.leaf(second), 0);
        more(&mut self.nodes[at]);
        // Blocks that hold it and are over.
        while at > 1 {
            (at, level) = (at / 2, level + 1);
            if ((second >> level) + 1) << level > newest + 1 {
                return;
            }
            self.nodes[at] = self.nodes[2 * at].merge(self.nodes[2 * at + 1]);
        }
    }

    fn put(&mut self, second: i64, sample: S) {
        let (mut at, mut number) = (self.leaf(second), second);
        self.nodes[at] = sample;
        // Blocks that end with this second.
        while number & 1 == 1 && at > 1 {
            (at, number) = (at / 2, number >> 1);
            self.nodes[at] = self.nodes[2 * at].merge(self.nodes[2 * at + 1]);
        }
    }

    /// The last `seconds` up to the newest, oldest first.
    #[must_use]
    pub fn last(&self, seconds: usize) -> S {
        self.fold(seconds, S::EMPTY, |sum, block| sum.merge(*block))
    }

    /// Some part of the same: `add` takes the blocks in order, and gives what [`Self::last`] has there where it merges as that does.
    #[inline]
    pub fn fold<T>(&self, seconds: usize, empty: T, mut add: impl FnMut(T, &S) -> T) -> T {
        let Some(newest) = self.newest else { return empty };
        let mask = i64::try_from(self.len - 1).unwrap_or(i64::MAX);
        let seconds = i64::try_from(seconds.min(self.len)).unwrap_or(0);
        let (mut from, end) = (newest + 1 - seconds, newest + 1);
        let mut sum = empty;
        while from < end {
            // The longest block that begins here and ends in time.
            let aligned = from.trailing_zeros().min(62);
            let fits = (end - from).ilog2();
            let level = aligned.min(fits);
            // As many leaves as a power of two has: the rest of a division by it.
            let leaf = self.len + usize::try_from(from & mask).unwrap_or(0);
            sum = add(sum, &self.nodes[leaf >> level]);
            from += 1 << level;
        }
        sum
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
        /// A window holds its seconds in order, and its bits do not depend on where the ring began.
        #[test]
        fn a_window_is_that_of_any_other_start(
            start in -5_000_i64..5_000,
            earlier in 0_i64..300,
            gaps in prop::collection::vec(1_i64..6, 1..200),
            window in 1_usize..64,
        ) {
            let (mut a, mut b) = (Ring::new(64), Ring::new(64));
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
                let got = a.last(window);
                prop_assert_eq!((got.n, got.hash), (want.n, want.hash));
                if second - (window as i64) >= start {
                    prop_assert_eq!(got.sum.to_bits(), b.last(window).sum.to_bits());
                }
                second += gap;
            }
        }
    }

    proptest! {
        /// What comes later to a second counts as if it had been there from the beginning.
        #[test]
        fn what_is_amended_is_as_if_it_had_been_there(
            start in -5_000_i64..5_000,
            pushed in 1_i64..200,
            back in prop::collection::vec(0_i64..70, 1..20),
            window in 1_usize..64,
        ) {
            let (mut late, mut whole) = (Ring::new(64), Ring::new(64));
            let newest = start + pushed - 1;
            let amended: Vec<i64> = back.into_iter().map(|b| newest - b).filter(|s| *s >= start).collect();
            let more = |second: i64| amended.iter().filter(|s| **s == second).fold(seen(second), |sum, s| sum.merge(seen(-*s)));
            for second in start..=newest {
                late.push(second, seen(second));
                whole.push(second, more(second));
            }
            for second in &amended {
                late.amend(*second, |own| *own = own.merge(seen(-*second)));
            }
            late.push(newest + 1, seen(0));
            whole.push(newest + 1, seen(0));
            prop_assert_eq!(late.last(window), whole.last(window));
        }
    }

    #[test]
    fn after_a_long_silence_nothing_old_is_left() {
        let mut ring = Ring::new(8);
        for second in 0..40 {
            ring.push(second, seen(second));
        }
        ring.push(1_000, seen(1_000));
        assert_eq!((ring.last(8).n, ring.last(1)), (1, seen(1_000)));
        assert_eq!(Ring::<Seen>::new(8).last(8), Seen::EMPTY);
    }
}
