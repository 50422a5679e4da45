//! How rows are to be divided.

use super::error::FoldError;
use barograph_domain::Span;
use serde::{Deserialize, Serialize};

/// How far back training rows go.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TrainWindow {
    /// To the first row.
    #[default]
    Expanding,
    /// This long before the embargo begins: the length that is really learnt from.
    Rolling(Span),
}

/// How rows are to be divided into folds; the default is that of research §3.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(default)]
pub struct FoldPlan {
    /// Test blocks, which have equally many rows.
    pub folds: usize,
    /// How far back training rows go.
    pub window: TrainWindow,
    /// The longest memory of a feature. The embargo is this, or a hundredth of the block where that is longer.
    pub memory: Span,
    /// Percent of the time, the last, over which the test blocks stand. The hold-out is not counted.
    pub tested_percent: u8,
    /// Percent of the training rows, the last, on which models are tuned.
    pub tuned_percent: u8,
    /// Percent of the time, the last, that is held out.
    pub held_out_percent: u8,
    /// A set of rows to learn from has at least this many.
    pub train_rows_min: usize,
}

impl Default for FoldPlan {
    fn default() -> Self {
        Self {
            folds: 5,
            window: TrainWindow::Expanding,
            memory: Span::hours(1),
            tested_percent: 50,
            tuned_percent: 20,
            held_out_percent: 10,
            train_rows_min: 100,
        }
    }
}

impl FoldPlan {
    pub(super) fn check(&self) -> Result<(), FoldError> {
        let percents = [
            ("tested_percent", self.tested_percent),
            ("tuned_percent", self.tuned_percent),
            ("held_out_percent", self.held_out_percent),
        ];
        if let Some((name, value)) = percents.into_iter().find(|(_, p)| !(1..=90).contains(p)) {
            return Err(FoldError::Plan(format!("{name} is {value}; it has to be between 1 and 90")));
        }
        if self.folds == 0 {
            return Err(FoldError::Plan("folds is 0; at least one block is needed to judge by".to_owned()));
        }
        if self.memory < Span::ZERO || self.memory > Span::days(3_650) {
            return Err(FoldError::Plan(format!(
                "memory is {}; it has to be between nothing and ten years",
                self.memory
            )));
        }
        match self.window {
            TrainWindow::Rolling(span) if span <= Span::ZERO => {
                Err(FoldError::Plan(format!("the rolling window is {span}; it has to be longer than nothing")))
            }
            _ => Ok(()),
        }
    }

    /// The embargo before a block of this length: whole seconds, rounded up.
    pub(super) fn embargo(&self, block: Span) -> Span {
        let second = Span::secs(1);
        let hundredth = (block.0.max(0) + 100 * second.0 - 1) / (100 * second.0);
        self.memory.max(Span::secs(hundredth))
    }

    /// Roughly the length of data with which rows as dense as these, found in `reach` before a block, would be enough for it. Zero where
    /// none were found.
    pub(super) fn length_of(&self, rows: usize, reach: Span, embargo: Span) -> Span {
        let count = |n: usize| f64::from(u32::try_from(n).unwrap_or(u32::MAX));
        if rows == 0 {
            return Span::ZERO;
        }
        let rest = |percent: u8| f64::from(100_u8.saturating_sub(percent)) / 100.0;
        let learnt = (reach - embargo).as_secs_f64() * count(self.train_rows_min) / count(rows);
        let seconds = (learnt + embargo.as_secs_f64()) / rest(self.tested_percent) / rest(self.held_out_percent);
        whole_seconds(seconds)
    }

    /// Roughly the least length of data with which the first fold has rows left in its inner split, for evenly spread rows. An embargo
    /// stands before the hold-out, one before the first block and one inside the inner split.
    pub(super) fn length_min(&self, embargo: Span) -> Span {
        let rest = |percent: u8| f64::from(100_u8.saturating_sub(percent)) / 100.0;
        let before_block = 1.0 / rest(self.tuned_percent) + 1.0;
        let before_hold_out = before_block / rest(self.tested_percent) + 1.0;
        let seconds = embargo.as_secs_f64() * before_hold_out / rest(self.held_out_percent);
        whole_seconds(seconds)
    }
}

/// At most three centuries, which is all that there is room for.
fn whole_seconds(seconds: f64) -> Span {
    #[expect(clippy::cast_possible_truncation, reason = "bounded in the expression")]
    Span::secs(seconds.ceil().clamp(0.0, 9e9) as i64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_embargo_is_the_longer_of_memory_and_a_hundredth() {
        let plan = FoldPlan::default();
        assert_eq!(plan.embargo(Span::hours(1)), Span::hours(1));
        assert_eq!(plan.embargo(Span::days(10)), Span::mins(144));
        assert_eq!(FoldPlan { memory: Span::ZERO, ..plan }.embargo(Span::secs(101)), Span::secs(2));
    }

    #[test]
    fn a_plan_that_makes_no_sense_is_refused_by_the_name_of_its_field() {
        let plan = FoldPlan::default();
        for (plan, named) in [
            (FoldPlan { folds: 0, ..plan }, "folds"),
            (FoldPlan { tested_percent: 0, ..plan }, "tested_percent"),
            (FoldPlan { tuned_percent: 91, ..plan }, "tuned_percent"),
            (FoldPlan { held_out_percent: 100, ..plan }, "held_out_percent"),
            (FoldPlan { memory: Span(-1), ..plan }, "memory"),
            (FoldPlan { window: TrainWindow::Rolling(Span::ZERO), ..plan }, "rolling"),
        ] {
            let refused = plan.check().unwrap_err().to_string();
            assert!(refused.contains(named), "{refused}");
        }
        assert_eq!(plan.check(), Ok(()));
    }
}
