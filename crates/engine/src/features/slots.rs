//! Groups of readings, each declared once: its fields, and what stands in them before anything was seen.

use super::reading::Slot;

/// A reading, or a group of them, that can stand before anything was seen.
pub(crate) trait Unseen {
    /// The value without data: every reading in it is missing.
    const MISSING: Self;
}

impl Unseen for Slot {
    const MISSING: Self = Self::MISSING;
}

impl<T: Unseen, const N: usize> Unseen for [T; N] {
    const MISSING: Self = [T::MISSING; N];
}

/// A group of readings. Fields of other types than [`Slot`] say what stands in them at first.
macro_rules! slots {
    (@ $field:ty) => { <$field as $crate::features::slots::Unseen>::MISSING };
    (@ $field:ty, $first:expr) => { $first };
    ($(#[$meta:meta])* pub struct $name:ident {
        $($(#[$doc:meta])* pub $field:ident : $ty:ty $(= $first:expr)?),* $(,)?
    }) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug)]
        pub struct $name { $($(#[$doc])* pub $field: $ty),* }

        impl $name {
            /// Nothing seen.
            pub const MISSING: Self = Self { $($field: slots!(@ $ty $(, $first)?)),* };
        }

        impl $crate::features::slots::Unseen for $name {
            const MISSING: Self = Self::MISSING;
        }

        impl Default for $name {
            fn default() -> Self {
                Self::MISSING
            }
        }
    };
}
pub(crate) use slots;
