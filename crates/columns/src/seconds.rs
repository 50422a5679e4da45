//! What one second adds to windows of books, ready to be summed.

use crate::order_flow::Contribution;
use crate::ring::Merge;
use barograph_engine::kernel::{Block as _, CoMoments, Moments};

/// Was the stream listened to, and did a declared gap lie in the second?
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) struct Listened {
    /// Seconds listened to from end to end.
    pub(crate) whole: u32,
    /// Seconds that a gap lies in.
    pub(crate) gaps: u32,
}

impl Merge for Listened {
    const EMPTY: Self = Self { whole: 0, gaps: 0 };

    fn merge(self, right: Self) -> Self {
        Self { whole: self.whole + right.whole, gaps: self.gaps + right.gaps }
    }
}

/// Levels of the weighted flows.
pub(crate) const FLOWS: [usize; 4] = [3, 5, 10, 20];

/// Changes of the book in a second.
#[derive(Clone, Copy, PartialEq, Debug, Default)]
pub(crate) struct BookFlow {
    pub(crate) heard: Listened,
    /// Order flow of the best level, in base.
    pub(crate) best: f64,
    /// Of the first 3, 5, 10 and 20 levels, weighted.
    pub(crate) weighted: [f64; 4],
    /// Changes in which those levels were not all there.
    pub(crate) short: [u32; 4],
    /// Levels that changed.
    pub(crate) updates: u32,
    /// Valid samples at the end of seconds, and their mean size at the best prices, summed.
    pub(crate) samples: u32,
    pub(crate) best_size: f64,
}

impl Merge for BookFlow {
    const EMPTY: Self = Self {
        heard: Listened::EMPTY,
        best: 0.0,
        weighted: [0.0; 4],
        short: [0; 4],
        updates: 0,
        samples: 0,
        best_size: 0.0,
    };

    fn merge(self, right: Self) -> Self {
        Self {
            heard: self.heard.merge(right.heard),
            best: self.best + right.best,
            weighted: core::array::from_fn(|n| self.weighted[n] + right.weighted[n]),
            short: core::array::from_fn(|n| self.short[n] + right.short[n]),
            updates: self.updates + right.updates,
            samples: self.samples + right.samples,
            best_size: self.best_size + right.best_size,
        }
    }
}

impl BookFlow {
    pub(crate) fn take(&mut self, change: &Contribution) {
        self.best += change.by_level[0];
        for (n, levels) in FLOWS.into_iter().enumerate() {
            self.weighted[n] += change.weighted(levels);
            self.short[n] += u32::from(change.there < levels);
        }
    }
}

/// The book at the end of seconds.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(crate) struct BookSamples {
    pub(crate) heard: Listened,
    /// Seconds asked, and those with a valid book.
    pub(crate) asked: u32,
    pub(crate) valid: u32,
    /// Spread in basis points.
    pub(crate) spread: Moments,
    /// Of the first five levels: how many, and their sum.
    pub(crate) imbalance: (u32, f64),
    pub(crate) depth: (u32, f64),
    /// Judged against the quantiles of a day: how many, and those with a wide spread.
    pub(crate) wide: [u32; 2],
}

impl Merge for BookSamples {
    const EMPTY: Self = Self {
        heard: Listened::EMPTY,
        asked: 0,
        valid: 0,
        spread: <Moments as barograph_engine::kernel::Block>::EMPTY,
        imbalance: (0, 0.0),
        depth: (0, 0.0),
        wide: [0; 2],
    };

    fn merge(self, right: Self) -> Self {
        Self {
            heard: self.heard.merge(right.heard),
            asked: self.asked + right.asked,
            valid: self.valid + right.valid,
            spread: self.spread.merge(right.spread),
            imbalance: (self.imbalance.0 + right.imbalance.0, self.imbalance.1 + right.imbalance.1),
            depth: (self.depth.0 + right.depth.0, self.depth.1 + right.depth.1),
            wide: [self.wide[0] + right.wide[0], self.wide[1] + right.wide[1]],
        }
    }
}

/// Returns of the mid, and what half an hour is asked for.
#[derive(Clone, Copy, PartialEq, Debug, Default)]
pub(crate) struct Returns {
    pub(crate) heard: Listened,
    /// Returns of one second, and the sum of their squares.
    pub(crate) n: u32,
    pub(crate) squares: f64,
    /// MinuteVolume volatilities judged against the terciles of a day: how many, high ones, low ones.
    pub(crate) judged: [u32; 3],
}

impl Merge for Returns {
    const EMPTY: Self = Self { heard: Listened::EMPTY, n: 0, squares: 0.0, judged: [0; 3] };

    fn merge(self, right: Self) -> Self {
        Self {
            heard: self.heard.merge(right.heard),
            n: self.n + right.n,
            squares: self.squares + right.squares,
            judged: core::array::from_fn(|n| self.judged[n] + right.judged[n]),
        }
    }
}

/// Returns beside the trades of the same second.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(crate) struct FlowImpact {
    /// Millions of signed quote, and the return in basis points.
    pub(crate) pairs: CoMoments,
    /// Those in which something was traded on balance.
    pub(crate) traded: u32,
}

impl Merge for FlowImpact {
    const EMPTY: Self = Self { pairs: CoMoments::EMPTY, traded: 0 };

    fn merge(self, right: Self) -> Self {
        Self { pairs: self.pairs.merge(right.pairs), traded: self.traded + right.traded }
    }
}

impl FlowImpact {
    pub(crate) fn of(signed_quote: f64, return_bps: f64) -> Self {
        let x = signed_quote / 1e6;
        Self { pairs: CoMoments::of(core::iter::once((x, return_bps))), traded: u32::from(x != 0.0) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use barograph_testkit::GoldenTable;

    /// `intercept`, `r` and `stderr` are of the same line, which the columns do not say.
    #[test]
    fn the_slope_of_returns_on_flow_is_that_of_scipy() {
        let table = GoldenTable::whole("kyle_lambda");
        let one = |line: barograph_testkit::GoldenRow<'_>| {
            FlowImpact::of(line.need("signed_quote_1e6") * 1e6, line.need("ret_bps"))
        };
        let all = table.rows().map(one).fold(FlowImpact::EMPTY, FlowImpact::merge);
        let last = table.last();
        let want = last.need("kyle_lambda");
        assert!((all.pairs.slope().unwrap() - want).abs() <= 1e-9 * want.abs());
        let r = last.need("r");
        assert!((all.pairs.correlation().unwrap() - r).abs() <= 1e-9 * r.abs());
        assert!(last.number("intercept").is_some() && last.number("stderr").is_some());
    }
}
