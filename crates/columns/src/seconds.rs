//! What one second adds to windows of books, ready to be summed.

use crate::order_flow::Contribution;
use crate::ring::{Merge, merge_fields};
use barograph_engine::kernel::{Block, CoMoments, Moments};

impl Merge for Moments {
    const EMPTY: Self = <Self as Block>::EMPTY;

    fn merge(self, right: Self) -> Self {
        Block::merge(self, right)
    }
}

impl Merge for CoMoments {
    const EMPTY: Self = Self::EMPTY;

    fn merge(self, right: Self) -> Self {
        Self::merge(self, right)
    }
}

/// Was the stream listened to, and did a declared gap lie in the second?
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) struct Listened {
    /// Seconds listened to from end to end.
    pub(crate) whole: u32,
    /// Seconds that a gap lies in.
    pub(crate) gaps: u32,
    /// Nanoseconds of gaps: of trades only, which may miss a little.
    pub(crate) lost_ns: u64,
}

merge_fields!(Listened { whole, gaps, lost_ns });

impl Listened {
    /// This window without its last seconds: whole numbers, so nothing is lost.
    pub(crate) const fn before(self, last: Self) -> Self {
        Self { whole: self.whole - last.whole, gaps: self.gaps - last.gaps, lost_ns: self.lost_ns - last.lost_ns }
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
    /// Changes in which those levels were not all there, and in which the best were not.
    pub(crate) short: [u32; 4],
    pub(crate) short_best: u32,
    /// Levels that changed.
    pub(crate) updates: u32,
    /// Valid samples at the end of seconds, and their mean size at the best prices, summed.
    pub(crate) samples: u32,
    pub(crate) best_size: f64,
}

merge_fields!(BookFlow { heard, best, weighted, short, short_best, updates, samples, best_size });

impl BookFlow {
    /// This followed by `right`, of the best level and the first ten alone: the rest stays as it is.
    #[inline]
    #[must_use]
    pub(crate) fn with_ten(mut self, right: &Self) -> Self {
        self.heard = self.heard.merge(right.heard);
        self.best += right.best;
        self.short_best += right.short_best;
        self.weighted[2] += right.weighted[2];
        self.short[2] += right.short[2];
        self.samples += right.samples;
        self.best_size += right.best_size;
        self
    }

    pub(crate) fn take(&mut self, change: &Contribution) {
        self.best += change.by_level[0];
        self.short_best += u32::from(change.there < 1);
        let weighted = change.weighted_at(FLOWS);
        for (n, levels) in FLOWS.into_iter().enumerate() {
            self.weighted[n] += weighted[n];
            self.short[n] += u32::from(change.there < levels);
        }
    }
}

/// The book at the end of seconds.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(crate) struct BookSamples {
    pub(crate) heard: Listened,
    /// Seconds with a valid book.
    pub(crate) valid: u32,
    /// Spread in basis points.
    pub(crate) spread: Moments,
    /// Of the first five levels: how many, and their sum.
    pub(crate) imbalance: (u32, f64),
    pub(crate) depth: (u32, f64),
    /// Judged against the quantiles of a day: how many, and those with a wide spread.
    pub(crate) wide: [u32; 2],
}

merge_fields!(BookSamples { heard, valid, spread, imbalance, depth, wide });

impl BookSamples {
    /// This followed by `right`, of what a minute is asked for: spread and imbalance.
    #[inline]
    #[must_use]
    pub(crate) fn with_minute(mut self, right: &Self) -> Self {
        self.heard = self.heard.merge(right.heard);
        self.spread = Merge::merge(self.spread, right.spread);
        self.imbalance = self.imbalance.merge(right.imbalance);
        self
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

merge_fields!(Returns { heard, n, squares, judged });

impl Returns {
    /// This followed by `right`, without what was judged.
    #[inline]
    #[must_use]
    pub(crate) fn with_squares(mut self, right: &Self) -> Self {
        self.heard = self.heard.merge(right.heard);
        self.n += right.n;
        self.squares += right.squares;
        self
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

merge_fields!(FlowImpact { pairs, traded });

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
