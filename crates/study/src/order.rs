//! Quantiles of unsorted numbers, and counts as numbers.

/// A count as a number. Above 2^53, which no memory holds, it would be rounded.
#[expect(clippy::cast_precision_loss, reason = "rows that fit into memory are far below 2^53")]
pub(crate) const fn count(n: usize) -> f64 {
    n as f64
}

/// The quantile at `parts / whole` (Hyndman and Fan 1996, type 7: linear between order statistics). Reorders the numbers, in time
/// proportional to how many they are; `None` where there are none. The place is counted in whole numbers, so that equal shares give
/// equal places on every machine.
pub(crate) fn quantile(numbers: &mut [f64], parts: usize, whole: usize) -> Option<f64> {
    let steps = numbers.len().checked_sub(1)? * parts;
    let (below, rest) = (steps / whole, steps % whole);
    let (_, low, above) = numbers.select_nth_unstable_by(below, f64::total_cmp);
    let low = *low;
    if rest == 0 {
        return Some(low);
    }
    let high = above.iter().copied().fold(f64::INFINITY, f64::min);
    Some(low + (high - low) * (count(rest) / count(whole)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use barograph_testkit::GoldenTable;

    #[test]
    fn quantiles_are_those_of_numpy() {
        let numbers: Vec<f64> = GoldenTable::part("quantile").rows().map(|r| r.need("x")).collect();
        for row in GoldenTable::part("quantile_expected").rows() {
            let (p, want) = (row.need("p"), row.need("value"));
            // Thirds are printed with twelve digits.
            let (parts, whole) = [(1, 3), (2, 3)]
                .into_iter()
                .find(|(n, of)| (p - count(*n) / count(*of)).abs() < 1e-9)
                .unwrap_or_else(|| ((0..=1_000).find(|n| (p - count(*n) / 1e3).abs() < 1e-9).unwrap(), 1_000));
            let got = quantile(&mut numbers.clone(), parts, whole).unwrap();
            assert!((got - want).abs() <= 1e-10 * want.abs(), "{p}: {got} is not {want}");
        }
        assert_eq!(quantile(&mut [], 1, 2), None);
        assert_eq!(quantile(&mut [3.0], 999, 1_000), Some(3.0));
    }
}
