//! Order flow imbalance: how much size the book gained on the side of the bids over that of the asks, from one state of it to the
//! next, level by level (Cont, Kukanov & Stoikov 2014; levels below the first as in Xu, Gould & Howison 2019).

use barograph_domain::depth::{BookSides, DEPTH, DepthLevel};
use barograph_domain::math;
use std::sync::LazyLock;

/// What each level weighs: less than the one before by √e.
static WEIGHTS: LazyLock<[f64; DEPTH]> = LazyLock::new(|| {
    let mut k = 0.0;
    [(); DEPTH].map(|()| {
        let weight = math::exp(-0.5 * k);
        k += 1.0;
        weight
    })
});

/// What a change of the book contributed, by level, best first; a level that one of both states does not have contributes nothing,
/// and `there` says how many have.
#[derive(Clone, Copy, PartialEq, Debug, Default)]
pub struct Contribution {
    /// In base.
    pub by_level: [f64; DEPTH],
    /// Levels that both states have on both sides.
    pub there: usize,
}

impl Contribution {
    /// From one state to the next.
    #[must_use]
    pub fn of(before: &BookSides<'_>, after: &BookSides<'_>) -> Self {
        let (bids, asks) = (before.bids.iter().zip(after.bids), before.asks.iter().zip(after.asks));
        let (mut by_level, mut there) = ([0.0; DEPTH], 0);
        for (e, ((b, b_now), (a, a_now))) in by_level.iter_mut().zip(bids.zip(asks)) {
            *e = gained(*b, *b_now) - gained(flipped(*a), flipped(*a_now));
            there += 1;
        }
        Self { by_level, there }
    }

    /// As [`Self::weighted`], of several depths at once, shallow ones first.
    #[must_use]
    pub(crate) fn weighted_at<const N: usize>(&self, depths: [usize; N]) -> [f64; N] {
        let mut terms = self.by_level.iter().zip(WEIGHTS.iter()).map(|(e, weight)| weight * e);
        let (mut sum, mut taken) = (-0.0, 0);
        depths.map(|levels| {
            sum = terms.by_ref().take(levels - taken).fold(sum, |sum, term| sum + term);
            taken = levels;
            sum
        })
    }

    /// The first `levels` together, each weighing less than the one before by √e.
    #[must_use]
    pub fn weighted(&self, levels: usize) -> f64 {
        self.by_level.iter().zip(WEIGHTS.iter()).take(levels).map(|(e, weight)| weight * e).sum()
    }
}

/// What the bids gained: all that stands there where the price is as good or better, less what stood there where it is as good or worse.
fn gained(before: DepthLevel, now: DepthLevel) -> f64 {
    let now_counts = if now.price >= before.price { now.size } else { 0.0 };
    let before_counts = if now.price <= before.price { before.size } else { 0.0 };
    now_counts - before_counts
}

/// An ask as a bid: better is lower.
fn flipped(ask: DepthLevel) -> DepthLevel {
    DepthLevel { price: -ask.price, size: ask.size }
}

#[cfg(test)]
mod tests {
    use super::*;
    use barograph_testkit::{GoldenRow, GoldenTable};

    fn side(line: GoldenRow<'_>, side: &str) -> Vec<DepthLevel> {
        let level =
            |k: usize| DepthLevel { price: line.need(&format!("{side}p{k}")), size: line.need(&format!("{side}q{k}")) };
        (0..3).map(level).collect()
    }

    #[test]
    fn flows_are_those_of_pandas() {
        let table = GoldenTable::whole("ofi");
        let states: Vec<[Vec<DepthLevel>; 2]> = table.rows().map(|line| [side(line, "b"), side(line, "a")]).collect();
        let sides = |n: usize| BookSides { bids: &states[n][0], asks: &states[n][1] };
        let found: Vec<Contribution> = (1..states.len()).map(|n| Contribution::of(&sides(n - 1), &sides(n))).collect();
        let near = |got: f64, want: f64| (got - want).abs() <= 1e-10 * want.abs().max(1e-12);
        for (n, line) in table.rows().enumerate() {
            assert_eq!(line.text("n"), n.to_string());
            let of = n.checked_sub(1).map(|n| found[n]);
            for k in 0..3 {
                let want = line.number(&format!("e{k}"));
                assert!(
                    want.is_some() == of.is_some() && want.is_none_or(|want| near(of.unwrap().by_level[k], want)),
                    "{n}"
                );
            }
            assert!(line.number("mlofi3_event").is_none_or(|want| near(of.unwrap().weighted(3), want)), "{n}");
            let last = |n: usize| found[..n].iter().rev().take(10).rev();
            let rolls = [
                (line.number("ofi_roll10"), last(n).map(|c| c.by_level[0]).sum::<f64>()),
                (line.number("mlofi3_roll10"), last(n).map(|c| c.weighted(3)).sum()),
            ];
            assert_eq!(rolls[0].0.is_some(), n >= 10);
            assert!(rolls.iter().all(|(want, got)| want.is_none_or(|want| near(*got, want))), "{n}: {rolls:?}");
        }
    }

    #[test]
    fn depths_together_are_those_of_one_by_one() {
        let mut random = barograph_domain::random::SplitMix::new(3);
        for _ in 0..200 {
            let by_level = core::array::from_fn(|_| 2.0 * random.unit() - 1.0);
            let one = Contribution { by_level, there: DEPTH };
            let all = one.weighted_at([3, 5, 10, 20]).map(f64::to_bits);
            assert_eq!(all, [3, 5, 10, 20].map(|levels| one.weighted(levels).to_bits()));
        }
    }

    #[test]
    fn a_level_that_one_state_lacks_contributes_nothing() {
        let level = |price, size| DepthLevel { price, size };
        let (two, one) = ([level(100.0, 1.0), level(99.0, 2.0)], [level(100.0, 3.0)]);
        let asks = [level(101.0, 1.0), level(102.0, 1.0)];
        let found = Contribution::of(&BookSides { bids: &two, asks: &asks }, &BookSides { bids: &one, asks: &asks });
        assert_eq!((found.there, found.by_level[0], found.by_level[1]), (1, 2.0, 0.0));
    }
}
