//! Random numbers for frame masks, handshake keys and jitter: SplitMix64 (Steele, Lea, Flood, OOPSLA 2014).
//!
//! Nothing here guards a secret. Masks only have to be unpredictable to a web page that shares a proxy with us, and there
//! is none; the seed still comes from the operating system unless a test gives one.

use std::hash::{BuildHasher, RandomState};

/// A generator.
#[derive(Clone, Debug)]
pub(crate) struct Random {
    state: u64,
}

impl Random {
    /// From a seed: the same numbers each time.
    pub(crate) const fn seeded(seed: u64) -> Self {
        Self { state: seed }
    }

    /// From the operating system's randomness, by way of the keys of a new hash map.
    pub(crate) fn seed_of_system() -> u64 {
        RandomState::new().hash_one(0x6261_726f_u32)
    }

    /// A generator of its own for someone else.
    pub(crate) fn fork(&mut self) -> Self {
        Self::seeded(self.next_u64())
    }

    pub(crate) fn next_u64(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.state ^ (self.state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    pub(crate) fn next_u32(&mut self) -> u32 {
        u32::try_from(self.next_u64() >> 32).unwrap_or(0)
    }

    /// Evenly from 0 to `max`, both included; 0 when `max` is negative.
    pub(crate) fn up_to(&mut self, max: i64) -> i64 {
        let span = u128::from(max.max(0).unsigned_abs()) + 1;
        i64::try_from((u128::from(self.next_u64()) * span) >> 64).unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_follow_the_seed_and_cover_the_range() {
        let mut a = Random::seeded(1);
        let mut b = Random::seeded(1);
        let drawn: Vec<i64> = (0..2_000).map(|_| a.up_to(9)).collect();
        assert!(drawn.iter().all(|n| *n == b.up_to(9)));
        for n in 0..=9 {
            let count = drawn.iter().filter(|d| **d == n).count();
            assert!((120..=280).contains(&count), "{n} came {count} times of 2000");
        }
        assert_eq!(a.up_to(0), 0);
        assert_eq!(a.up_to(-5), 0);
        assert_ne!(Random::seed_of_system(), Random::seed_of_system());
        assert_ne!(a.fork().next_u64(), a.fork().next_u64());
    }
}
