//! What one second adds to windows of books, ready to be summed.

use crate::merge::{Merge, merge_fields};
use crate::order_flow::Contribution;
use crate::totals::count_fields;
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

count_fields!(Listened { whole, gaps, lost_ns });

/// Levels of the weighted flows.
pub(crate) const FLOWS: [usize; 4] = [3, 5, 10, 20];

/// Changes of the book in a second.
#[derive(Clone, Copy, PartialEq, Debug, Default)]
pub(crate) struct BookFlow {
    /// Order flow of the best level, in base.
    pub(crate) best: f64,
    /// Of the first 3, 5, 10 and 20 levels, weighted.
    pub(crate) weighted: [f64; 4],
    /// Changes in which those levels were not all there, and in which the best were not.
    pub(crate) short: [u32; 4],
    pub(crate) short_best: u32,
    /// Levels that changed.
    pub(crate) updates: u32,
}

impl BookFlow {
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

/// What is counted of the seconds of a book.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) struct BookCounts {
    pub(crate) heard: Listened,
    /// Seconds with a valid book at their end, and those with a size at both best prices.
    pub(crate) valid: u32,
    pub(crate) sized: u32,
    /// Changes in which the best level was not there, and in which the first ten were not.
    pub(crate) short_best: u32,
    pub(crate) short_ten: u32,
    /// Returns of one second.
    pub(crate) returns: u32,
    /// Volatilities of a minute judged against the terciles of a day: how many, high ones, low ones.
    pub(crate) judged: [u32; 3],
    /// Spreads judged against the quantiles of a day: how many, wide ones.
    pub(crate) wide: [u32; 2],
}

count_fields!(BookCounts { heard, valid, sized, short_best, short_ten, returns, judged, wide });

/// The same of trades.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) struct TradeCounts {
    pub(crate) heard: Listened,
    pub(crate) trades: u32,
}

count_fields!(TradeCounts { heard, trades });

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
