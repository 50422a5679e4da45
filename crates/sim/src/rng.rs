//! Seeded random numbers: splitmix64, eleven lines, the same on every machine.
//!
//! The algorithm and its constants are public (Steele, Lea and Flood 2014; Vigna's reference implementation). A bell
//! curve is the sum of four uniforms: light tails are fine here, because jumps are scripted.

/// A stream of random numbers.
#[derive(Clone, Debug)]
pub(crate) struct Random(u64);

impl Random {
    /// A stream of its own for every triple: markets, days and purposes never share numbers.
    pub(crate) fn new(seed: u64, kind: u64, number: u64) -> Self {
        let mut rng = Self(seed ^ kind.wrapping_mul(0x9E6C_63D0_876A_3F6B));
        let mixed = rng.next();
        let mut rng = Self(mixed ^ number.wrapping_mul(0xD1B5_4A32_D192_ED03));
        let mixed = rng.next();
        Self(mixed)
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// From 0 up to, not including, 1.
    pub(crate) fn unit(&mut self) -> f64 {
        (self.next() >> 11) as f64 / 9_007_199_254_740_992.0
    }

    /// From 0 up to, not including, `n`.
    pub(crate) fn below(&mut self, n: i64) -> i64 {
        let n = n.max(1).unsigned_abs() & 0xFFFF_FFFF;
        i64::try_from(((self.next() >> 32) * n) >> 32).unwrap_or(0)
    }

    /// True in `share` of all cases.
    pub(crate) fn chance(&mut self, share: f64) -> bool {
        self.unit() < share
    }

    /// Mean 0, deviation 1.
    pub(crate) fn bell(&mut self) -> f64 {
        let word = self.next();
        let part = |shift: u32| ((word >> shift) & 0xFFFF) as f64;
        // Each part is uniform on 0..65535: mean 32767.5, variance 65536²/12; four of them.
        ((part(0) + part(16) + part(32) + part(48)) - 131_070.0) / (65_536.0 * 0.577_350_269_189_625_8)
    }

    /// A count with this mean: the whole part always, one more by chance.
    pub(crate) fn count(&mut self, mean: f64) -> i64 {
        crate::num::floor_i64(mean + self.unit())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_and_ranges() {
        let mut rng = Random::new(1, 2, 3);
        let n = 40_000;
        let (mut sum, mut squares, mut units) = (0.0, 0.0, 0.0);
        for _ in 0..n {
            let x = rng.bell();
            sum += x;
            squares += x * x;
            units += rng.unit();
            assert!((0..7).contains(&rng.below(7)));
        }
        let n = f64::from(n);
        assert!((sum / n).abs() < 0.03, "mean {}", sum / n);
        assert!((squares / n - 1.0).abs() < 0.03, "variance {}", squares / n);
        assert!((units / n - 0.5).abs() < 0.01);
    }

    #[test]
    fn streams_differ_and_repeat() {
        let first = |seed, kind, n| Random::new(seed, kind, n).next();
        assert_eq!(first(1, 1, 1), first(1, 1, 1));
        for other in [first(2, 1, 1), first(1, 2, 1), first(1, 1, 2)] {
            assert_ne!(first(1, 1, 1), other);
        }
    }
}
