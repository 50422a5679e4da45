//! Inputs of any rows, by what the training rows taught.

use super::fit::{FittedRule, TransformError, Transforms, check_rows};
use super::matrix::Matrix;
use super::use_of::MID;
use crate::frame::{FrameColumn, ResearchFrame};

/// What a model does with a number that is absent.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum InputForm {
    /// It has a branch of its own for them, as trees do: absent stays absent.
    Sparse,
    /// It needs every number: the training median takes the place of an absent one, and behind all columns stands, for each that was
    /// sometimes missing in training, a column `<name>_missing` with 1 where the number was absent and 0 elsewhere.
    Filled,
}

impl Transforms {
    /// Inputs of these rows, in their order. The names of the columns are the same for every frame.
    ///
    /// # Errors
    /// A row is not in the frame or its book could not be used, or a column of the training rows is not there.
    pub fn apply(
        &self,
        frame: &ResearchFrame,
        rows: impl IntoIterator<Item = usize>,
        form: InputForm,
    ) -> Result<Matrix, TransformError> {
        let rows: Vec<usize> = rows.into_iter().collect();
        check_rows(frame, &rows)?;
        let column = |name: &str| frame.column(name).ok_or_else(|| TransformError::Column(name.to_owned()));
        let priced = self.columns.iter().any(|c| c.rule == FittedRule::RelMid);
        let none = FrameColumn::default();
        let mid = if priced { column(MID)? } else { &none };
        let mut out = Matrix::with_rows(rows.len(), self.columns.len());
        for fitted in &self.columns {
            let from = column(&fitted.name)?;
            let value = |row: &usize| fitted.rule.value(from, mid, *row).map(|v| v.max(fitted.low).min(fitted.high));
            match form {
                InputForm::Sparse => out.push(fitted.name.clone(), rows.iter().map(value)),
                InputForm::Filled => {
                    out.push(fitted.name.clone(), rows.iter().map(|r| Some(value(r).unwrap_or(fitted.median))));
                }
            }
        }
        if form == InputForm::Filled {
            for fitted in self.columns.iter().filter(|c| c.sometimes_missing) {
                let from = column(&fitted.name)?;
                let absent = |row: &usize| if fitted.rule.value(from, mid, *row).is_some() { 0.0 } else { 1.0 };
                out.push(format!("{}_missing", fitted.name), rows.iter().map(|r| Some(absent(r))));
            }
        }
        Ok(out)
    }
}
