//! The folds of a study.

use super::error::FoldError;
use super::hold_out::HoldOut;
use super::plan::{FoldPlan, TrainWindow};
use super::purge::{Block, purge};
use super::rows::{RoleRows, TestRows, TrainRows, TuneRows};
use crate::targets::LabelSpans;
use barograph_domain::{Span, Ts};

/// Everything that may be learnt from before one block.
#[derive(Clone, PartialEq, Debug)]
pub struct LearningRows {
    /// All of it: transforms and cut points are fitted on these, and models that are not tuned.
    pub train: TrainRows,
    /// The inner split: rows that candidates are fitted on. Their labels are known before the first of [`Self::tune`] starts, by an
    /// embargo of its own.
    pub fit: TrainRows,
    /// The last of `train`: rows for early stopping, calibration and weights of ensembles.
    pub tune: TuneRows,
    /// The embargo between the two parts of the inner split.
    pub tune_embargo: Span,
}

/// One test block and what may be learnt from before it.
#[derive(Clone, PartialEq, Debug)]
pub struct StudyFold {
    /// From 1, in the order of time.
    pub number: usize,
    /// Rows to learn from.
    pub learn: LearningRows,
    /// Rows to judge by.
    pub test: TestRows,
    /// The embargo before the block.
    pub embargo: Span,
}

/// Purged walk-forward over the labelled rows of a target, and the hold-out behind it.
#[derive(Clone, PartialEq, Debug)]
pub struct StudyFolds {
    plan: FoldPlan,
    folds: Vec<StudyFold>,
    development: LearningRows,
    hold_out: HoldOut,
}

impl StudyFolds {
    /// Divides rows as planned. Time is measured from the first start of a label to the last. The last
    /// [`held_out_percent`](FoldPlan::held_out_percent) of it is held out, and what is not known an embargo before that is in no fold
    /// either; of the rest, the last [`tested_percent`](FoldPlan::tested_percent) is cut into blocks with equally many rows (the first
    /// ones have one more where that does not come out even).
    ///
    /// # Errors
    /// The plan makes no sense, or the data is too short for it.
    pub fn new(spans: &LabelSpans, plan: &FoldPlan) -> Result<Self, FoldError> {
        plan.check()?;
        let all = spans.as_slice();
        let (Some(first), Some(last)) = (all.first(), all.last()) else { return Err(FoldError::NoRows) };
        let held_from =
            all.partition_point(|s| s.start < part_of(first.start, last.start, 100 - plan.held_out_percent));
        let held: TestRows = RoleRows::new(spans.clone(), (held_from..all.len()).collect());
        let held_block = Block::of(&held).ok_or(FoldError::NoRows)?;
        let held_embargo = plan.embargo(held_block.length());
        // What is kept away from a block is not known an embargo before it: of each row that is its label's length besides.
        let lasting = all.iter().map(|s| s.end - s.start).max().unwrap_or(Span::ZERO);
        let before = purge(spans, 0..held_from, held_block, held_embargo, TrainWindow::Expanding);
        let (Some(begins), Some(latest)) = (before.begins(), before.chosen().next_back()) else {
            let length_min = plan.length_min(held_embargo + lasting);
            return Err(FoldError::HoldOut { begins: held_block.start, embargo: held_embargo, lasting, length_min });
        };
        let tested_from = part_of(begins, latest.start, 100 - plan.tested_percent);
        let split = before.positions().partition_point(|at| all[*at].start < tested_from);
        let (_, tested) = before.positions().split_at(split);
        if tested.len() < plan.folds {
            return Err(FoldError::Blocks { rows: tested.len(), folds: plan.folds });
        }
        let mut folds = Vec::with_capacity(plan.folds);
        for (number, range) in blocks(tested.len(), plan.folds).enumerate() {
            let test: TestRows = RoleRows::new(spans.clone(), tested[range.clone()].to_vec());
            let block = Block::of(&test).ok_or(FoldError::NoRows)?;
            let embargo = plan.embargo(block.length());
            let candidates = before.positions()[..split + range.start].iter().copied();
            let train = purge(spans, candidates, block, embargo, plan.window);
            let part = format!("fold {} of {}", number + 1, plan.folds);
            let learn = LearningRows::new(train, plan, &part, (first.start, block.start), [embargo, lasting])?;
            folds.push(StudyFold { number: number + 1, learn, test, embargo });
        }
        let candidates = before.positions().iter().copied();
        let train = purge(spans, candidates, held_block, held_embargo, plan.window);
        let part = "all that is not held out";
        let development =
            LearningRows::new(train, plan, part, (first.start, held_block.start), [held_embargo, lasting])?;
        Ok(Self { plan: *plan, folds, development, hold_out: HoldOut::new(held, held_embargo) })
    }

    /// As they were planned.
    #[must_use]
    pub const fn plan(&self) -> &FoldPlan {
        &self.plan
    }

    /// The folds in the order of time.
    #[must_use]
    pub fn folds(&self) -> &[StudyFold] {
        &self.folds
    }

    /// What may be learnt from before the hold-out is opened.
    #[must_use]
    pub const fn development(&self) -> &LearningRows {
        &self.development
    }

    /// The rows at the end that are in no fold.
    #[must_use]
    pub const fn hold_out(&self) -> &HoldOut {
        &self.hold_out
    }
}

impl LearningRows {
    /// Splits training rows once more, purged the same way. The first start of all labels, the beginning of the block, the embargo and the
    /// length of a label are for the error.
    fn new(
        train: TrainRows,
        plan: &FoldPlan,
        part: &str,
        (first, judged_from): (Ts, Ts),
        [embargo, lasting]: [Span; 2],
    ) -> Result<Self, FoldError> {
        let needed = plan.train_rows_min.max(1);
        let short = |part: String, rows: usize, judged_from: Ts, embargo: Span| FoldError::Training {
            part,
            rows,
            needed,
            reach: judged_from - first,
            embargo,
            lasting,
            length_min: plan.length_min(embargo + lasting).max(plan.length_of(
                rows,
                judged_from - first,
                embargo + lasting,
            )),
        };
        if train.len() < needed {
            return Err(short(part.to_owned(), train.len(), judged_from, embargo));
        }
        let tuned = (train.len() * usize::from(plan.tuned_percent)).div_ceil(100);
        let (earlier, later) = train.positions().split_at(train.len() - tuned);
        let tune: TuneRows = RoleRows::new(train.spans().clone(), later.to_vec());
        let block = Block::of(&tune).ok_or(FoldError::NoRows)?;
        let tune_embargo = plan.embargo(block.length());
        let fit = purge(train.spans(), earlier.iter().copied(), block, tune_embargo, TrainWindow::Expanding);
        if fit.len() < needed {
            return Err(short(format!("the inner split of {part}"), fit.len(), block.start, tune_embargo));
        }
        Ok(Self { train, fit, tune, tune_embargo })
    }
}

/// The moment at which so many percent of the time between two moments are over.
fn part_of(from: Ts, to: Ts, percent: u8) -> Ts {
    let part = i128::from((to - from).0) * i128::from(percent) / 100;
    from + Span(i64::try_from(part).unwrap_or(i64::MAX))
}

/// So many ranges of equal length over `0..rows`; the first ones are one longer where that does not come out even.
fn blocks(rows: usize, n: usize) -> impl Iterator<Item = core::ops::Range<usize>> {
    let (each, more) = (rows / n, rows % n);
    let begin = move |block: usize| block * each + block.min(more);
    (0..n).map(move |block| begin(block)..begin(block + 1))
}
