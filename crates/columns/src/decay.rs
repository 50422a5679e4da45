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
// High words of 2⁻²⁸, half of ln 2 and one and a half of it: where the branches part.
const TINY: u64 = 0x3e30_0000;
const HALF: u64 = 0x3fd6_2e42;
const MORE: u64 = 0x3ff0_a2b2;

/// `e^x` of numbers that are not positive.
pub(crate) fn decays(x: &[f64; DEPTH]) -> [f64; DEPTH] {
    if x.iter().all(|x| *x <= 0.0 && *x >= LEAST) { x.map(decay) } else { x.map(math::exp) }
}

#[inline]
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between -1,011 and 0")]
fn decay(x: f64) -> f64 {
    let high = (x.to_bits() >> 32) & 0x7fff_ffff;
    let many = (INV_LN2 * x - 0.5) as i32;
    let halvings = if high >= MORE { many } else { 0 - i32::from(high > HALF) };
    let k = f64::from(halvings);
    let (hi, lo) = (x - k * LN2_HI, k * LN2_LO);
    let r = hi - lo;
    let rr = r * r;
    let c = r - rr * (P[0] + rr * (P[1] + rr * (P[2] + rr * (P[3] + rr * P[4]))));
    let y = 1.0 + (r * c / (2.0 - c) - lo + hi);
    let scale = f64::from_bits(((halvings + 1_023) as u64) << 52);
    if high <= TINY { 1.0 + x } else { y * scale }
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
        for edge in [0.0, 2_f64.powi(-28), half, 3.0 * half, 700.0, 745.0, 1_000.0, f64::INFINITY, -1.0, f64::NAN] {
            for x in [edge.next_down(), edge, edge.next_up()] {
                let one = decays(&[-x; DEPTH]);
                assert!(one.iter().all(|y| y.to_bits() == math::exp(-x).to_bits()), "{x}");
            }
        }
    }
}
