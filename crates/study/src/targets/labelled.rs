//! Rows that have a label, and why others have none.

use super::id::TargetId;
use super::span::{LabelSpan, LabelSpans};
use crate::folds::RoleRows;
use crate::order::count;
use barograph_domain::Ts;

/// Rows without a label, by the first reason that holds.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Unlabelled {
    /// The book could not be used at the row itself, or has no mid.
    pub now: usize,
    /// Targets counted in changes of the book: it did not change in this second.
    pub unchanged: usize,
    /// The data ends before the label would be known.
    pub end: usize,
    /// A second is missing, or a gap was declared, before the label would be known.
    pub gap: usize,
    /// Nothing is known to be missing, but the book had not changed for more than five seconds at the end of the horizon, or, of costs, within
    /// it: its columns are absent then.
    pub stale: usize,
    /// Nothing is known to be missing and the book was heard of, but there it was crossed or locked.
    pub unusable: usize,
    /// A number that the label is made of is absent: the cost of one of the seconds; or, of volatility, too few seconds have a usable book.
    pub input: usize,
    /// `dir_*`: the mid did not move.
    pub zero: usize,
}

impl Unlabelled {
    /// All of them.
    #[must_use]
    pub const fn total(&self) -> usize {
        self.now + self.unchanged + self.end + self.gap + self.stale + self.unusable + self.input + self.zero
    }
}

/// How many of the moves were none at all.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ZeroShare {
    /// Moves of the mid over the horizon, those of zero included.
    pub moves: usize,
    /// Those of exactly zero.
    pub zeros: usize,
}

impl ZeroShare {
    /// Between 0 and 1; `None` where there are no moves.
    #[must_use]
    pub fn share(self) -> Option<f64> {
        (self.moves > 0).then(|| count(self.zeros) / count(self.moves))
    }
}

/// The labels of one target over one frame.
#[derive(Clone, PartialEq, Debug)]
pub struct LabelledRows {
    pub(super) target: TargetId,
    pub(super) spans: LabelSpans,
    /// One for each span.
    pub(super) values: Vec<f64>,
    /// Rows whose mid does not move, labelled or not; in order.
    pub(super) zeros: Vec<Ts>,
    pub(super) unlabelled: Unlabelled,
}

impl LabelledRows {
    /// What the labels are of.
    #[must_use]
    pub const fn target(&self) -> TargetId {
        self.target
    }

    /// From when to when each takes to become known, with its row; folds are made from these.
    #[must_use]
    pub const fn spans(&self) -> &LabelSpans {
        &self.spans
    }

    /// One number for each of [`Self::spans`]: 0 or 1 for two classes; −1, 0 or 1 for `dir3_*`; simple or logarithmic returns as plain
    /// fractions; annualised volatility; costs in basis points.
    #[must_use]
    pub fn values(&self) -> &[f64] {
        &self.values
    }

    /// The numbers of rows that a fold chose, in their order; `None` where the fold was made from other spans than these.
    #[must_use]
    pub fn of<R>(&self, rows: &RoleRows<R>) -> Option<Vec<f64>> {
        rows.spans().is_same(&self.spans).then(|| rows.positions().iter().map(|at| self.values[*at]).collect())
    }

    /// Why the other rows have no label.
    #[must_use]
    pub const fn unlabelled(&self) -> Unlabelled {
        self.unlabelled
    }

    /// Moves of zero among rows from a moment to another, both included (R5.31: reported for each horizon and split). `None` for
    /// targets that are no moves of the mid.
    #[must_use]
    pub fn zeros_between(&self, from: Ts, to: Ts) -> Option<ZeroShare> {
        let dropped = match self.target {
            TargetId::Direction(_) => true,
            TargetId::Return(_)
            | TargetId::Direction3(_)
            | TargetId::Tick1Return
            | TargetId::Tick5Return
            | TargetId::Tick5Direction => false,
            TargetId::VolRegime
            | TargetId::CostBuy1m
            | TargetId::CostBuy5m
            | TargetId::CostSell1m
            | TargetId::CostSell5m => return None,
        };
        let zeros = between(&self.zeros, from, to, |t| *t);
        let labelled = between(self.spans.as_slice(), from, to, |s: &LabelSpan| s.start);
        Some(ZeroShare { moves: labelled + if dropped { zeros } else { 0 }, zeros })
    }
}

/// How many of these, which are in order, lie between two moments.
fn between<T>(ordered: &[T], from: Ts, to: Ts, at: impl Fn(&T) -> Ts) -> usize {
    let upto = ordered.partition_point(|x| at(x) <= to);
    upto.saturating_sub(ordered.partition_point(|x| at(x) < from))
}
