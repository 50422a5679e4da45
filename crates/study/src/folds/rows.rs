//! Sets of rows by what they are for.

use crate::targets::{LabelSpan, LabelSpans};
use barograph_domain::Ts;
use core::fmt;
use core::marker::PhantomData;

/// Rows that models are fitted on.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum TrainRole {}
/// Rows that fits are stopped, calibrated and weighted by.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum TuneRole {}
/// Rows that results are stated on.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum TestRole {}

/// Labelled rows in the order of their starts, chosen by the purge for one use. There is no other way to make them.
#[derive(Clone, PartialEq)]
pub struct RoleRows<R> {
    spans: LabelSpans,
    /// Places among the spans, ascending.
    at: Vec<usize>,
    role: PhantomData<R>,
}

/// Rows to learn from: scalers, cut points, medians and models are fitted on nothing else.
pub type TrainRows = RoleRows<TrainRole>;
/// Rows for early stopping, calibration and weights of ensembles.
pub type TuneRows = RoleRows<TuneRole>;
/// Rows to judge by.
pub type TestRows = RoleRows<TestRole>;

impl<R> RoleRows<R> {
    pub(super) const fn new(spans: LabelSpans, at: Vec<usize>) -> Self {
        Self { spans, at, role: PhantomData }
    }

    /// Rows of the frame, in order.
    pub fn rows(&self) -> impl ExactSizeIterator<Item = usize> + DoubleEndedIterator + Clone + '_ {
        self.chosen().map(|s| s.row)
    }

    /// From when to when each label takes to become known.
    pub fn chosen(&self) -> impl ExactSizeIterator<Item = LabelSpan> + DoubleEndedIterator + Clone + '_ {
        self.at.iter().map(|at| self.spans.as_slice()[*at])
    }

    /// Places among [`Self::spans`], ascending.
    #[must_use]
    pub fn positions(&self) -> &[usize] {
        &self.at
    }

    /// The spans that these were chosen from.
    #[must_use]
    pub const fn spans(&self) -> &LabelSpans {
        &self.spans
    }

    /// How many.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.at.len()
    }

    /// Are there none?
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.at.is_empty()
    }

    /// When the first label starts; `None` where there are none.
    #[must_use]
    pub fn begins(&self) -> Option<Ts> {
        self.chosen().next().map(|s| s.start)
    }

    /// When the last of the labels to become known is known; `None` where there are none.
    #[must_use]
    pub fn ends(&self) -> Option<Ts> {
        self.chosen().map(|s| s.end).max()
    }
}

impl<R> fmt::Debug for RoleRows<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (from, to) = (self.begins(), self.ends());
        f.debug_struct("RoleRows").field("rows", &self.len()).field("from", &from).field("to", &to).finish()
    }
}
