//! Wilson's interval of a frequency. Counts may be fractional, because what overlaps counts as less than one case.

pub(super) use barograph_domain::math::Z_90;

/// Interval of `k` out of `n` at the normal quantile `z`; `None` without a sample, or where `k` is not within [0, n].
#[must_use]
pub fn wilson(k: f64, n: f64, z: f64) -> Option<(f64, f64)> {
    if n <= 0.0 || !(0.0..=n).contains(&k) {
        return None;
    }
    let [low, high] = barograph_domain::math::wilson(k / n, n, z);
    Some((low, high))
}

/// The 90 % interval, which every table of frequencies shows.
#[must_use]
pub fn wilson_90(k: f64, n: f64) -> Option<(f64, f64)> {
    wilson(k, n, Z_90)
}

#[cfg(test)]
mod tests {
    use super::*;
    use barograph_testkit::GoldenTable;

    /// 97.5 % quantile of the normal distribution.
    const Z_95: f64 = 1.959_963_984_540_054;

    #[test]
    fn intervals_are_those_of_statsmodels() {
        for (z, low, high) in [(Z_90, "lo90", "hi90"), (Z_95, "lo95", "hi95")] {
            for row in GoldenTable::part("wilson").rows() {
                let (got, want) = (wilson(row.need("k"), row.need("n"), z).unwrap(), (row.need(low), row.need(high)));
                let near = |a: f64, b: f64| (a - b).abs() <= 1e-10 * b.abs().max(1e-2);
                assert!(near(got.0, want.0) && near(got.1, want.1), "{got:?} is not {want:?}");
            }
        }
        assert_eq!((wilson(0.0, 0.0, Z_90), wilson(3.0, 2.0, Z_90)), (None, None));
    }
}
