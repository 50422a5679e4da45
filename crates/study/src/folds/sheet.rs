//! Folds as data, so that models outside this program use the same rows.

use super::rows::RoleRows;
use super::walk::{LearningRows, StudyFold, StudyFolds};
use crate::targets::TargetId;
use barograph_domain::{Span, Ts};
use serde::{Deserialize, Serialize};

/// Version of the sheet.
const FORMAT: u32 = 1;

/// Rows of the frame as stretches `[first, one past the last]`, in order.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct RowRuns(pub Vec<[usize; 2]>);

impl RowRuns {
    /// Every row in order.
    pub fn rows(&self) -> impl Iterator<Item = usize> + '_ {
        self.0.iter().flat_map(|[from, to]| *from..*to)
    }
}

impl<R> From<&RoleRows<R>> for RowRuns {
    fn from(rows: &RoleRows<R>) -> Self {
        let mut runs: Vec<[usize; 2]> = Vec::new();
        for row in rows.rows() {
            match runs.last_mut() {
                Some(run) if run[1] == row => run[1] = row + 1,
                _ => runs.push([row, row + 1]),
            }
        }
        Self(runs)
    }
}

/// Rows to learn from.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct LearningRuns {
    /// All of them.
    pub train: RowRuns,
    /// The inner split: to fit on.
    pub fit: RowRuns,
    /// The inner split: to stop, calibrate and weigh by.
    pub tune: RowRuns,
}

impl From<&LearningRows> for LearningRuns {
    fn from(rows: &LearningRows) -> Self {
        Self { train: (&rows.train).into(), fit: (&rows.fit).into(), tune: (&rows.tune).into() }
    }
}

/// One fold.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct SheetFold {
    /// From 1, in the order of time.
    pub number: usize,
    /// When the first label of the test block starts.
    pub test_from: Option<Ts>,
    /// When the last of its labels is known.
    pub test_to: Option<Ts>,
    /// The embargo before the block.
    pub embargo: Span,
    /// Rows to learn from.
    pub learn: LearningRuns,
    /// Rows to judge by.
    pub test: RowRuns,
}

impl From<&StudyFold> for SheetFold {
    fn from(fold: &StudyFold) -> Self {
        let (test_from, test_to) = (fold.test.begins(), fold.test.ends());
        let (learn, test) = ((&fold.learn).into(), (&fold.test).into());
        Self { number: fold.number, test_from, test_to, embargo: fold.embargo, learn, test }
    }
}

/// Every fold of one target over one frame. The hold-out is not in it. Reading one back gives rows for others to use, not the types
/// that this program's own models are fitted on.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct FoldSheet {
    /// Version of the sheet, 1.
    pub format: u32,
    /// What is predicted.
    pub target: TargetId,
    /// Rows of the frame that the numbers count, for whoever reads it to compare.
    pub frame_rows: usize,
    /// The folds in the order of time.
    pub folds: Vec<SheetFold>,
    /// What may be learnt from before the hold-out.
    pub development: LearningRuns,
    /// Where the hold-out begins.
    pub hold_out_from: Option<Ts>,
}

impl FoldSheet {
    /// The folds of a target over a frame of so many rows.
    #[must_use]
    pub fn new(target: TargetId, frame_rows: usize, folds: &StudyFolds) -> Self {
        Self {
            format: FORMAT,
            target,
            frame_rows,
            folds: folds.folds().iter().map(SheetFold::from).collect(),
            development: folds.development().into(),
            hold_out_from: folds.hold_out().reach().map(|(from, _)| from),
        }
    }
}
