//! Bins of equal ratio, sixteen to a doubling (features §1.2, code HIST): every number of a bin lies within 4.4 % of every other.
//!
//! The bin is read from the bits of the number and a table of edges, so that it is the same on every machine.

use core::ops::Range;

/// Bins of a doubling.
pub const OCTAVE: i32 = 16;

/// Lower edges of the bins of a doubling, over its beginning: `2^(n/16)`.
const EDGES: [f64; 16] = [
    1.0,
    1.044_273_782_427_413_8,
    1.090_507_732_665_257_7,
    1.138_788_634_756_691_6,
    1.189_207_115_002_721,
    1.241_857_812_073_484,
    1.296_839_554_651_009_6,
    1.354_255_546_936_892_7,
    core::f64::consts::SQRT_2,
    1.476_826_145_939_499_3,
    1.542_210_825_407_940_7,
    1.610_490_331_949_254_3,
    1.681_792_830_507_429,
    1.756_252_160_373_299_5,
    1.834_008_086_409_342_4,
    1.915_206_561_397_147_2,
];

/// The bin of a number: `⌊16 · log₂ x⌋` exactly at the edges. `x` is zero or more and no NaN; what lies outside these powers of two
/// counts at the end it lies beyond.
#[must_use]
pub fn bin_of(x: f64, exponents: &Range<i32>) -> i32 {
    let bits = x.to_bits();
    let exponent = i32::try_from(bits >> 52).unwrap_or(i32::MAX) - 1_023;
    if exponent < exponents.start {
        return exponents.start * OCTAVE;
    }
    if exponent >= exponents.end {
        return exponents.end * OCTAVE - 1;
    }
    let mantissa = f64::from_bits(bits & ((1 << 52) - 1) | 1_023 << 52);
    let within = EDGES.partition_point(|edge| *edge <= mantissa);
    exponent * OCTAVE + i32::try_from(within).unwrap_or(1) - 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bin_begins_at_its_edge() {
        let all = -40..60;
        for (n, edge) in (0..).zip(EDGES) {
            for exponent in [-20, 0, 7] {
                let x = edge * f64::from(exponent).exp2();
                let bin = exponent * OCTAVE + n;
                assert_eq!((bin_of(x, &all), bin_of(x.next_down(), &all)), (bin, bin - 1), "{x}");
            }
        }
        let ends = [0.0, 1e-300, 1e300, f64::INFINITY].map(|x| bin_of(x, &(-32..32)));
        assert_eq!(ends, [-512, -512, 511, 511]);
    }
}
