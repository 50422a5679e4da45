//! Correlation of two return series at lags −10…10 (features §6, `xcorr`), from blocks aligned to absolute time.
//!
//! A block holds, for each lag, the pairs whose newer sample lies in it: those that lie in it whole (`inner`), and those with the
//! older sample before it as well (`reaching`). A window is the fold of its blocks, the first with its inner pairs only, so that
//! no pair reaches out of the window and windows that follow each other share nothing.

use super::comoments::CoMoments;

/// Largest lag, in steps.
pub const LAG_MAX: i64 = 10;
/// Lags −10…10.
pub const LAGS: usize = 21;

/// Pairs of one block of samples, by lag.
#[derive(Clone, PartialEq, Debug)]
pub struct LagBlock {
    inner: [CoMoments; LAGS],
    reaching: [CoMoments; LAGS],
}

impl LagBlock {
    /// The block of the samples in `(after, upto]`; `x` and `y` give the sample of an index, where there is one.
    pub fn of(after: i64, upto: i64, x: impl Fn(i64) -> Option<f64>, y: impl Fn(i64) -> Option<f64>) -> Self {
        let pairs = |at: usize, first: i64, last: i64| {
            let lag = lag_of(at);
            let (back_x, back_y) = (lag.max(0), (-lag).max(0));
            CoMoments::of((first..=last).filter_map(|newer| Some((x(newer - back_x)?, y(newer - back_y)?))))
        };
        let mut block = Self { inner: [CoMoments::EMPTY; LAGS], reaching: [CoMoments::EMPTY; LAGS] };
        for at in 0..LAGS {
            let first_inner = after + 1 + lag_of(at).abs();
            block.inner[at] = pairs(at, first_inner, upto);
            block.reaching[at] = pairs(at, after + 1, upto.min(first_inner - 1));
        }
        block
    }
}

/// The lag at a position: position 0 is −10, position 20 is 10. Positive: the first series moves first.
#[must_use]
#[expect(clippy::cast_possible_wrap, reason = "0…20")]
pub const fn lag_of(at: usize) -> i64 {
    at as i64 - LAG_MAX
}

/// Pairs at every lag over blocks that follow each other, oldest first.
pub fn fold<'a>(blocks: impl Iterator<Item = &'a LagBlock>) -> [CoMoments; LAGS] {
    let mut folded = [CoMoments::EMPTY; LAGS];
    for (i, block) in blocks.enumerate() {
        for (at, sum) in folded.iter_mut().enumerate() {
            if i > 0 {
                *sum = sum.merge(block.reaching[at]);
            }
            *sum = sum.merge(block.inner[at]);
        }
    }
    folded
}

/// `Σ ρ(l)² / Σ ρ(−l)²`, l = 1…10; `None` when the divisor is exactly 0.
#[must_use]
pub fn lead_ratio(rho: &[f64; LAGS]) -> Option<f64> {
    let middle = LAGS / 2;
    let ahead: f64 = (1..=middle).map(|l| rho[middle + l] * rho[middle + l]).sum();
    let behind: f64 = (1..=middle).map(|l| rho[middle - l] * rho[middle - l]).sum();
    (behind > 0.0).then(|| ahead / behind)
}

/// Position of the largest `|ρ|` besides lag 0; of equal ones the shortest lag, then the positive one.
#[must_use]
pub fn strongest(rho: &[f64; LAGS]) -> usize {
    let middle = LAGS / 2;
    let by_length = (1..=middle).flat_map(|l| [middle + l, middle - l]);
    by_length.fold(middle + 1, |best, at| if rho[at].abs() > rho[best].abs() { at } else { best })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn however_it_is_cut_a_window_holds_the_pairs_that_lie_in_it() {
        let value = |i: i64, k: i64| f64::from(i32::try_from((i * k).rem_euclid(101)).unwrap());
        let x = |i: i64| (i % 7 != 3).then(|| value(i, 37));
        let y = |i: i64| (i % 11 != 5).then(|| value(i, 53));
        let blocks: Vec<LagBlock> = (0..6).map(|b| LagBlock::of(b * 20, b * 20 + 20, x, y)).collect();
        let whole = fold([LagBlock::of(20, 100, x, y)].iter());
        let pieces = fold(blocks[1..5].iter());
        for at in 0..LAGS {
            let plain = (21..=100)
                .filter(|t| (21..=100).contains(&(t + lag_of(at))))
                .filter(|t| x(*t).is_some() && y(t + lag_of(at)).is_some())
                .count();
            assert_eq!((whole[at].n as usize, pieces[at].n as usize), (plain, plain), "lag {}", lag_of(at));
            let (a, b) = (whole[at].correlation().unwrap(), pieces[at].correlation().unwrap());
            assert!((a - b).abs() < 1e-12, "lag {}: {a} is not {b}", lag_of(at));
        }
    }

    #[test]
    fn ties_go_to_the_shortest_lag_and_an_empty_past_has_no_ratio() {
        let mut rho = [0.0; LAGS];
        rho[LAGS / 2] = 0.9;
        assert_eq!(lag_of(strongest(&rho)), 1);
        (rho[13], rho[7], rho[12]) = (0.4, -0.4, 0.3);
        assert_eq!(lag_of(strongest(&rho)), 3);
        assert!(lead_ratio(&rho).is_some_and(|r| (r - 25.0 / 16.0).abs() < 1e-12));
        rho[7] = 0.0;
        assert_eq!(lead_ratio(&rho), None);
    }
}
