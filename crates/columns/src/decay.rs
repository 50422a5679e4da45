//! Exponentials without a call or a branch, so that a compiler can take several together.

/// What lies below weighs nothing that could be seen in a sum; its result would be subnormal.
const LEAST: f64 = -700.0;
/// ln 2, of which the first part times a whole number up to 2¹¹ is exact (fdlibm, `e_exp.c`).
const LN2: [f64; 2] = [6.931_471_803_691_238e-1, 1.908_214_929_270_587_7e-10];
/// Added it rounds to a whole number, which its low bits are then.
const ROUND: f64 = 6_755_399_441_055_744.0;
/// (e^r − 1) / r for |r| ≤ ln 2 / 2, from r⁸ down: through its values at the nine Chebyshev nodes, which leaves out 4e-14 of e^r.
const GROWTH: [f64; 9] = [
    2.762_510_200_538_810_8e-6,
    2.487_616_402_262_596_7e-5,
    1.984_120_875_699_232e-4,
    1.388_882_167_763_036_2e-3,
    8.333_333_353_717_156e-3,
    4.166_666_689_095_7e-2,
    0.166_666_666_666_483_03,
    0.499_999_999_997_979_34,
    1.0,
];

/// `e^x` of a number that is not positive, to 5e-14 of itself; of one below −700 it is e^−700.
#[inline]
pub(crate) fn decay(x: f64) -> f64 {
    let x = if x > LEAST { x } else { LEAST };
    let rounded = x * core::f64::consts::LOG2_E + ROUND;
    let k = rounded - ROUND;
    let r = x - k * LN2[0] - k * LN2[1];
    let growth = GROWTH.iter().fold(0.0, |sum, factor| sum * r + factor);
    let power = f64::from_bits((rounded.to_bits() << 52).wrapping_add(1.0_f64.to_bits()));
    (1.0 + r * growth) * power
}

#[cfg(test)]
mod tests {
    use super::*;
    use barograph_domain::math;
    use proptest::prelude::*;

    fn check(x: f64) {
        let (got, want) = (decay(x), math::exp(x));
        assert!((got - want).abs() <= 5e-14 * want, "{x}: {got}, not {want}");
    }

    proptest! {
        #[test]
        fn they_are_near_those_of_the_one_source(x in prop_oneof![-700.0..=0.0_f64, -3.0..=0.0_f64, -1e-8..=0.0_f64]) {
            check(x);
        }
    }

    #[test]
    fn so_are_those_at_the_edges() {
        let half = core::f64::consts::LN_2 / 2.0;
        for edge in [1.0 / 268_435_456.0, half, 3.0 * half, 699.0, f64::MIN_POSITIVE] {
            [edge.next_down(), edge, edge.next_up()].into_iter().for_each(|x| check(-x));
        }
        assert_eq!(decay(0.0).to_bits(), 1.0_f64.to_bits(), "the mid itself weighs one");
        assert!(decay(f64::NEG_INFINITY) > 0.0 && decay(f64::NEG_INFINITY) < 1e-300);
    }
}
