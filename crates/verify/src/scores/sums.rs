//! Small arithmetic that several scores share: counts as floats, means, quantiles, cases by rising probability.

use super::case::Case;

/// A count as a float. Counts of cases stay far below 2^53, where floats stop being exact.
pub(super) const fn float(n: usize) -> f64 {
    n as f64
}

/// `total / n`, `None` for nothing.
pub(super) fn ratio(total: f64, n: f64) -> Option<f64> {
    (n > 0.0).then(|| total / n)
}

/// Type-7 quantile of sorted values (Hyndman & Fan 1996): linear between order statistics at rank `p·(n − 1)`.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "the rank lies in [0, n − 1]")]
pub(crate) fn quantile(sorted: &[f64], p: f64) -> Option<f64> {
    let last = sorted.len().checked_sub(1)?;
    let rank = p.clamp(0.0, 1.0) * float(last);
    let below = rank.floor() as usize;
    let (low, high) = (sorted[below], sorted[(below + 1).min(last)]);
    Some(low + (rank - rank.floor()) * (high - low))
}

/// All cases of one probability or score.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(crate) struct Tie {
    pub(super) x: f64,
    pub(super) n: usize,
    /// How many of them had the event.
    pub(super) came: usize,
}

/// Cases by rising probability.
pub(crate) fn ties_of(cases: &[Case]) -> Vec<Tie> {
    ties(cases.iter().map(|c| (c.p, c.happened)))
}

/// Cases by rising score, equal ones together. Those with and without the event are sorted apart, as integers of the same order, and
/// merged: that is several times faster than sorting pairs.
pub(super) fn ties(scored: impl IntoIterator<Item = (f64, bool)>) -> Vec<Tie> {
    let mut sides = [Vec::new(), Vec::new()];
    for (x, happened) in scored {
        sides[usize::from(happened)].push(ordered(x));
    }
    sides.iter_mut().for_each(|side| side.sort_unstable());
    let [without, with] = sides;
    let mut ties: Vec<Tie> = Vec::new();
    let (mut i, mut j) = (0, 0);
    let run = |side: &[u64], from: usize, key: u64| side[from..].iter().take_while(|k| **k == key).count();
    while let Some(key) = without.get(i).into_iter().chain(with.get(j)).min().copied() {
        let (missed, came) = (run(&without, i, key), run(&with, j, key));
        (i, j) = (i + missed, j + came);
        ties.push(Tie { x: from_ordered(key), n: missed + came, came });
    }
    ties
}

/// Sign bit of a float.
const SIGN: u64 = 1 << 63;

/// An integer that orders as the float does; −0 is 0.
const fn ordered(x: f64) -> u64 {
    let bits = (x + 0.0).to_bits();
    if bits & SIGN == 0 { bits | SIGN } else { !bits }
}

const fn from_ordered(key: u64) -> f64 {
    f64::from_bits(if key & SIGN == 0 { !key } else { key & !SIGN })
}

#[cfg(test)]
mod tests {
    use super::{Tie, quantile, ties};
    use barograph_testkit::GoldenTable;

    #[test]
    fn quantiles_are_those_of_numpy() {
        let mut x: Vec<_> = GoldenTable::part("quantile").rows().map(|row| row.need("x")).collect();
        x.sort_by(f64::total_cmp);
        for row in GoldenTable::part("quantile_expected").rows() {
            let (got, want) = (quantile(&x, row.need("p")).unwrap(), row.need("value"));
            assert!((got - want).abs() <= 1e-10 * want.abs(), "{got} is not {want}");
        }
        assert_eq!(quantile(&[], 0.5), None);
    }

    #[test]
    fn equal_scores_are_tallied_together() {
        let scored = [(0.5, true), (-0.0, false), (0.0, true), (0.5, true), (0.5, false), (-3.0, true)];
        let want = [(-3.0, 1, 1), (0.0, 2, 1), (0.5, 3, 2)].map(|(x, n, came)| Tie { x, n, came });
        assert_eq!(ties(scored), want);
    }
}
