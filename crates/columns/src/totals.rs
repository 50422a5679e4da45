//! Whole numbers over the last seconds, of any length: running totals by second, and what lies between two of them.
//!
//! Whole numbers are exact, so the difference of two totals is what a sum would be; they run over without harm, because no window holds
//! as many as fit.

/// Whole numbers that are counted.
pub trait WholeCount: Copy + Default {
    /// Both together.
    #[must_use]
    fn plus(self, more: Self) -> Self;
    /// What was added since `earlier`.
    #[must_use]
    fn minus(self, earlier: Self) -> Self;
}

macro_rules! count {
    ($($number:ty),+) => {
        $(impl WholeCount for $number {
            #[inline]
            fn plus(self, more: Self) -> Self {
                self.wrapping_add(more)
            }

            #[inline]
            fn minus(self, earlier: Self) -> Self {
                self.wrapping_sub(earlier)
            }
        })+
    };
}

count!(u32, u64);

impl<C: WholeCount, const N: usize> WholeCount for [C; N]
where
    Self: Default,
{
    #[inline]
    fn plus(self, more: Self) -> Self {
        core::array::from_fn(|n| self[n].plus(more[n]))
    }

    #[inline]
    fn minus(self, earlier: Self) -> Self {
        core::array::from_fn(|n| self[n].minus(earlier[n]))
    }
}

/// A type whose fields are counted one by one.
macro_rules! count_fields {
    ($name:ident { $($field:ident),+ $(,)? }) => {
        impl $crate::totals::WholeCount for $name {
            #[inline]
            fn plus(self, more: Self) -> Self {
                Self { $($field: $crate::totals::WholeCount::plus(self.$field, more.$field)),+ }
            }

            #[inline]
            fn minus(self, earlier: Self) -> Self {
                Self { $($field: $crate::totals::WholeCount::minus(self.$field, earlier.$field)),+ }
            }
        }
    };
}
pub(crate) use count_fields;

/// The last seconds.
#[derive(Clone, Debug)]
pub struct RunningTotals<C> {
    /// All up to a second, at the rest of a division of it by their number, a power of two.
    upto: Box<[C]>,
    newest: Option<i64>,
}

impl<C: WholeCount> RunningTotals<C> {
    /// Room for windows that begin so many seconds back.
    #[must_use]
    pub fn new(seconds: usize) -> Self {
        Self { upto: vec![C::default(); (seconds + 1).next_power_of_two()].into_boxed_slice(), newest: None }
    }

    fn at(&self, second: i64) -> usize {
        let mask = self.upto.len() - 1;
        usize::try_from(second & i64::try_from(mask).unwrap_or(i64::MAX)).unwrap_or(0) & mask
    }

    /// The next second; those that were left out have nothing.
    ///
    /// # Panics
    /// When it is not later than the newest.
    pub fn push(&mut self, second: i64, counts: C) {
        let mut all = C::default();
        if let Some(newest) = self.newest {
            assert!(newest < second, "second {second} after {newest}");
            all = self.upto[self.at(newest)];
            let kept = i64::try_from(self.upto.len()).unwrap_or(i64::MAX);
            for empty in (newest + 1).max(second - kept)..second {
                self.upto[self.at(empty)] = all;
            }
        }
        self.upto[self.at(second)] = all.plus(counts);
        self.newest = Some(second);
    }

    /// A second that was there already gets more; one that lies too far back, or is yet to come, does not.
    pub fn amend(&mut self, second: i64, more: C) {
        let kept = i64::try_from(self.upto.len()).unwrap_or(i64::MAX);
        let Some(newest) = self.newest.filter(|newest| newest - second < kept) else { return };
        for later in second..=newest {
            let at = self.at(later);
            self.upto[at] = self.upto[at].plus(more);
        }
    }

    /// The last `seconds` up to the newest.
    #[must_use]
    #[inline]
    pub fn last(&self, seconds: u32) -> C {
        self.before(0, seconds)
    }

    /// The last `seconds` up to `ago` seconds before the newest.
    #[must_use]
    #[inline]
    pub fn before(&self, ago: u32, seconds: u32) -> C {
        let Some(newest) = self.newest else { return C::default() };
        let end = newest - i64::from(ago);
        self.upto[self.at(end)].minus(self.upto[self.at(end - i64::from(seconds))])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        /// Windows hold what was pushed and what was amended, over seconds left out and numbers that run over.
        #[test]
        fn a_window_is_the_sum_of_its_seconds(
            start in -5_000_i64..5_000,
            pushed in prop::collection::vec((1_i64..40, 0_u32..9), 1..200),
            amended in prop::collection::vec((-2_i64..70, 0_u32..9), 0..20),
            (ago, seconds) in (0_u32..20, 0_u32..40),
        ) {
            let mut totals = RunningTotals::new(60);
            let mut all: Vec<(i64, u32)> = vec![(start, u32::MAX)];
            totals.push(start, u32::MAX);
            for (step, n) in pushed {
                let second = all[all.len() - 1].0 + step;
                totals.push(second, n);
                all.push((second, n));
            }
            let newest = all[all.len() - 1].0;
            let kept = newest - 64;
            for (back, n) in amended {
                let second = newest - back;
                totals.amend(second, n);
                if second > kept.max(start) && second <= newest {
                    all.push((second, n));
                }
            }
            let end = newest - i64::from(ago);
            let within = |second: i64| second <= end && second > end - i64::from(seconds);
            let want = all.iter().filter(|(s, _)| within(*s)).fold(0_u32, |sum, (_, n)| sum.wrapping_add(*n));
            if end - i64::from(seconds) >= start.max(kept) {
                prop_assert_eq!(totals.before(ago, seconds), want);
            }
        }
    }

    #[test]
    fn before_the_first_second_there_is_nothing() {
        let mut totals = RunningTotals::new(10);
        assert_eq!(totals.last(10), 0_u32);
        totals.push(5, 3);
        assert_eq!((totals.last(1), totals.last(10), totals.before(1, 9)), (3, 3, 0));
    }
}
