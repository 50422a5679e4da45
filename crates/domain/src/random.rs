//! The generator behind every resample, every drawn window and every drawn entry: SplitMix64 (Steele, Lea and Flood, "Fast splittable pseudorandom
//! number generators", 2014). Twelve lines that any language repeats exactly, so that others can recompute a band:
//!
//! ```text
//! state = seed
//! next():    state += 0x9E3779B97F4A7C15                       (mod 2^64, as everything below)
//!            z = (state ^ (state >> 30)) * 0xBF58476D1CE4E5B9
//!            z = (z ^ (z >> 27)) * 0x94D049BB133111EB
//!            return z ^ (z >> 31)
//! below(n):  (next() * n) >> 64                                (the product in 128 bits)
//! unit():    (next() >> 11) / 2^53
//! ```

/// The generator; not for secrets.
#[derive(Clone, Debug)]
pub struct SplitMix {
    state: u64,
}

impl SplitMix {
    /// Starts at this seed.
    #[must_use]
    pub const fn new(seed: u64) -> Self {
        Self { state: seed }
    }
    /// 64 random bits.
    pub const fn bits(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let z = (self.state ^ (self.state >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }
    /// A whole number below `n`; its bias is below `n / 2^64`. 0 for an empty range.
    pub const fn below(&mut self, n: u64) -> u64 {
        ((self.bits() as u128 * n as u128) >> 64) as u64
    }
    /// Uniform in [0, 1), 53 bits.
    pub const fn unit(&mut self) -> f64 {
        (self.bits() >> 11) as f64 / 9_007_199_254_740_992.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The first numbers of the authors' own program for seed 1234567.
    #[test]
    fn numbers_are_those_of_the_published_generator() {
        let mut random = SplitMix::new(1_234_567);
        let got = [random.bits(), random.bits(), random.bits()];
        assert_eq!(got, [6_457_827_717_110_365_317, 3_203_168_211_198_807_973, 9_817_491_932_198_370_423]);
        assert!((0..1_000).all(|_| random.below(7) < 7 && (0.0..1.0).contains(&random.unit())));
    }
}
