//! From a statistic to 0 … 100 (surveillance §3, A17).

use barograph_domain::math::exp;

/// `100 · (1 − exp(−u²))` of `u = x / c ≥ 0`: 0 at 0, 63.2 at the threshold, 98.2 at twice the threshold.
#[must_use]
pub fn score(u: f64) -> f64 {
    let u = u.max(0.0);
    100.0 * (1.0 - exp(-u * u))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_rises_and_stays_in_its_bounds() {
        let mut last = -1.0;
        for i in 0..400 {
            let s = score(f64::from(i) * 0.01);
            assert!(s > last && (0.0..=100.0).contains(&s));
            last = s;
        }
        assert_eq!((score(0.0), score(-3.0), score(f64::INFINITY)), (0.0, 0.0, 100.0));
    }
}
