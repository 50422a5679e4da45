//! The generator behind every synthetic number: xoshiro256** seeded by SplitMix64.
//!
//! Algorithms by Blackman and Vigna, "Scrambled linear pseudorandom number generators" (2021), and Steele, Lea and
//! Flood, "Fast splittable pseudorandom number generators" (2014). Both are public and a few lines long; owning them
//! means that no library update changes a synthetic year. Not for secrets.

use barograph_domain::math;

#[derive(Clone, Debug)]
pub(crate) struct Random {
    state: [u64; 4],
    spare: Option<f64>,
}

impl Random {
    pub(crate) fn new(seed: u64) -> Self {
        let mut x = seed;
        let mut next = || {
            x = x.wrapping_add(0x9E37_79B9_7F4A_7C15);
            let z = (x ^ (x >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
            let z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
            z ^ (z >> 31)
        };
        Self { state: [next(), next(), next(), next()], spare: None }
    }

    /// 64 random bits.
    pub(crate) fn bits(&mut self) -> u64 {
        let s = &mut self.state;
        let result = s[1].wrapping_mul(5).rotate_left(7).wrapping_mul(9);
        let t = s[1] << 17;
        s[2] ^= s[0];
        s[3] ^= s[1];
        s[1] ^= s[2];
        s[0] ^= s[3];
        s[2] ^= t;
        s[3] = s[3].rotate_left(45);
        result
    }

    /// Uniform in [0, 1), 53 bits.
    pub(crate) fn unit(&mut self) -> f64 {
        (self.bits() >> 11) as f64 * (1.0 / (1_u64 << 53) as f64)
    }

    /// Uniform in [low, high).
    pub(crate) fn between(&mut self, low: f64, high: f64) -> f64 {
        low + (high - low) * self.unit()
    }

    /// Whole number below `n`, which is small: the bias of the multiplication is below 2^-32.
    pub(crate) fn below(&mut self, n: u16) -> u16 {
        let scaled = ((self.bits() >> 32) * u64::from(n)) >> 32;
        u16::try_from(scaled).unwrap_or_default()
    }

    /// +1 or −1.
    pub(crate) fn sign(&mut self) -> f64 {
        if self.bits() >> 63 == 0 { 1.0 } else { -1.0 }
    }

    /// Exponential with the given mean.
    pub(crate) fn exponential(&mut self, mean: f64) -> f64 {
        -mean * math::ln(1.0 - self.unit())
    }

    /// Standard normal, by Marsaglia's polar method: no sine or cosine needed.
    pub(crate) fn normal(&mut self) -> f64 {
        if let Some(z) = self.spare.take() {
            return z;
        }
        loop {
            let (u, v) = (self.between(-1.0, 1.0), self.between(-1.0, 1.0));
            let s = u * u + v * v;
            if s > 0.0 && s < 1.0 {
                let scale = (-2.0 * math::ln(s) / s).sqrt();
                self.spare = Some(v * scale);
                return u * scale;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_stream_of_a_seed_is_fixed() {
        let mut rng = Random::new(0);
        // The reference SplitMix64 starts 0xE220A8397B1DCDAF from seed 0; one xoshiro256** step uses word 1.
        assert_eq!(rng.state[0], 0xE220_A839_7B1D_CDAF);
        assert_eq!([rng.bits(), rng.bits()], [0x99EC_5F36_CB75_F2B4, 0xBF6E_1F78_4956_452A]);
    }

    #[test]
    fn normals_and_exponentials_have_their_moments() {
        let mut rng = Random::new(5);
        let n = 200_000;
        let (mut sum, mut squares, mut waits) = (0.0, 0.0, 0.0);
        for _ in 0..n {
            let z = rng.normal();
            sum += z;
            squares += z * z;
            waits += rng.exponential(3.0);
        }
        let n = f64::from(n);
        assert!((sum / n).abs() < 0.01 && (squares / n - 1.0).abs() < 0.02 && (waits / n - 3.0).abs() < 0.05);
    }
}
