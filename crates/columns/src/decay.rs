//! Exponentials of many numbers at once: the same bits as one by one, without a call for each.
//!
//! The arithmetic is that of fdlibm's `e_exp.c`, which `barograph_domain::math` has from musl, with its branches as choices, so that a
//! compiler can take several numbers together.

use barograph_domain::depth::DEPTH;
use barograph_domain::math;

/// What lies below has a result that is subnormal or nothing, and branches of its own.
const LEAST: f64 = -700.0;

const LN2_HI: f64 = 6.931_471_803_691_238e-1;
const LN2_LO: f64 = 1.908_214_929_270_587_7e-10;
const INV_LN2: f64 = core::f64::consts::LOG2_E;
const P: [f64; 5] = [
    1.666_666_666_666_660_2e-1,
    -2.777_777_777_701_559_3e-3,
    6.613_756_321_437_934e-5,
    -1.653_390_220_546_525_2e-6,
    4.138_136_797_057_238_5e-8,
];
/// Where the branches part, as `e_exp.c` does by high words: beyond 2⁻²⁸, half of ln 2, one and a half of it.
const TINY: f64 = f64::from_bits(0x3e30_0001_0000_0000);
const HALF: f64 = f64::from_bits(0x3fd6_2e43_0000_0000);
const MORE: f64 = f64::from_bits(0x3ff0_a2b2_0000_0000);
/// Added and taken away again it rounds to a whole number.
const ROUND: f64 = 6_755_399_441_055_744.0;
/// The low bits of this and a whole number are that number.
const BITS: f64 = 4_503_599_627_370_496.0;

/// `e^x` of numbers that are not positive.
pub(crate) fn decays(x: &[f64; DEPTH]) -> [f64; DEPTH] {
    let fits = x.iter().fold(true, |fits, x| fits & (*x <= 0.0) & (*x >= LEAST));
    if !fits {
        return x.map(math::exp);
    }
    let mut out = [0.0; DEPTH];
    for (y, x) in out.iter_mut().zip(x) {
        *y = decay(*x);
    }
    out
}

#[inline]
fn decay(x: f64) -> f64 {
    let size = -x;
    let exact = INV_LN2 * x - 0.5;
    // Towards zero: up, because it is negative.
    let near = (exact + ROUND) - ROUND;
    let many = near + if near < exact { 1.0 } else { 0.0 };
    let one = if size >= HALF { -1.0 } else { 0.0 };
    let k = if size >= MORE { many } else { one };
    let (hi, lo) = (x - k * LN2_HI, k * LN2_LO);
    let r = hi - lo;
    let rr = r * r;
    let c = r - rr * (P[0] + rr * (P[1] + rr * (P[2] + rr * (P[3] + rr * P[4]))));
    let y = 1.0 + (r * c / (2.0 - c) - lo + hi);
    let scale = f64::from_bits((k + 1_023.0 + BITS).to_bits() << 52);
    if size < TINY { 1.0 + x } else { y * scale }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn bits_are_those_of_one_by_one(x in prop::collection::vec(prop_oneof![-700.0..=0.0_f64, -3.0..=0.0_f64, -1e-8..=0.0_f64], DEPTH)) {
            let x: [f64; DEPTH] = x.try_into().unwrap();
            prop_assert_eq!(decays(&x).map(f64::to_bits), x.map(|x| math::exp(x).to_bits()));
        }
    }

    #[test]
    fn so_are_those_at_the_edges() {
        let half = core::f64::consts::LN_2 / 2.0;
        for edge in [0.0, 1.0 / 268_435_456.0, half, 3.0 * half, 700.0, 745.0, 1_000.0, f64::INFINITY, -1.0, f64::NAN] {
            for x in [edge.next_down(), edge, edge.next_up()] {
                let one = decays(&[-x; DEPTH]);
                assert!(one.iter().all(|y| y.to_bits() == math::exp(-x).to_bits()), "{x}");
            }
        }
    }
}
