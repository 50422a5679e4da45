//! Things of which neighbours in time can be put together.

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

            #[inline]
            fn merge(self, right: Self) -> Self {
                self + right
            }
        })+
    };
}

sum!(u32, i32, i64, u64, u128, f64);

impl<S: Merge, const N: usize> Merge for [S; N] {
    const EMPTY: Self = [S::EMPTY; N];

    #[inline]
    fn merge(self, right: Self) -> Self {
        core::array::from_fn(|n| self[n].merge(right[n]))
    }
}

impl<A: Merge, B: Merge> Merge for (A, B) {
    const EMPTY: Self = (A::EMPTY, B::EMPTY);

    #[inline]
    fn merge(self, right: Self) -> Self {
        (self.0.merge(right.0), self.1.merge(right.1))
    }
}

/// A type whose fields are put together one by one.
macro_rules! merge_fields {
    ($name:ident { $($field:ident),+ $(,)? }) => {
        impl $crate::merge::Merge for $name {
            const EMPTY: Self = Self { $($field: $crate::merge::Merge::EMPTY),+ };

            #[inline]
            fn merge(self, right: Self) -> Self {
                Self { $($field: $crate::merge::Merge::merge(self.$field, right.$field)),+ }
            }
        }
    };
}
pub(crate) use merge_fields;
