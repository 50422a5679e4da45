//! Medians and bounds, from rows to learn from.

use super::use_of::{ColumnUse, MID, use_of};
use crate::folds::TrainRows;
use crate::frame::{FrameColumn, ResearchFrame};
use crate::order::quantile;
use barograph_domain::{Ts, math};
use serde::{Deserialize, Serialize};

/// Basis points.
const BPS: f64 = 1e4;

/// Why a column is no input.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DropReason {
    /// It says what the row is.
    Meta,
    /// It is what is predicted.
    Target,
    /// No training row has it.
    NeverThere,
    /// It does not vary over the training rows, outliers beyond the clip bounds aside.
    Constant,
}

/// A column that is no input, and why.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct DroppedColumn {
    /// Its name.
    pub name: String,
    /// The reason.
    pub why: DropReason,
}

/// How a column is transformed.
#[derive(Clone, Copy, PartialEq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FittedRule {
    /// Not at all. Sizes whose median is 0 are left like this too, because nothing can be a multiple of it.
    Plain,
    /// `1e4·(x / mid − 1)`: basis points from the mid of the same row; absent where that is.
    RelMid,
    /// `ln(1 + x / median)`, with this median of the training rows.
    LogOver(f64),
}

/// One input.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct FittedColumn {
    /// Name of the column.
    pub name: String,
    /// How it is transformed.
    pub rule: FittedRule,
    /// Transformed values are not below this, their 0.1 % quantile over the training rows,
    pub low: f64,
    /// nor above this, their 99.9 % quantile.
    pub high: f64,
    /// Their median: what a missing one is taken for where the model needs every number.
    pub median: f64,
    /// Is it there in some training rows and missing in others? Then models that need every number get a column which says so.
    pub sometimes_missing: bool,
}

/// What the training rows taught: how every input is made. Part of a model's artefact.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Transforms {
    /// Inputs in the order of the frame's columns.
    pub(super) columns: Vec<FittedColumn>,
    pub(super) dropped: Vec<DroppedColumn>,
    train_rows: usize,
    train_from: Ts,
    train_to: Ts,
}

/// Why rows cannot be transformed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum TransformError {
    /// There are no rows to learn from.
    NoRows,
    /// The frame has no such row.
    Row(usize),
    /// The book of this row could not be used; such a row is no input (R5.39).
    Invalid(usize),
    /// The frame has no such column.
    Column(String),
}

impl core::fmt::Display for TransformError {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            Self::NoRows => f.write_str("there are no rows to learn from"),
            Self::Row(row) => write!(f, "the frame has no row {row}: these rows were chosen from another"),
            Self::Invalid(row) => write!(f, "the book of row {row} could not be used, so it is no input"),
            Self::Column(name) => write!(f, "the rows have no column {name}, which the inputs are made of"),
        }
    }
}

impl core::error::Error for TransformError {}

impl Transforms {
    /// Learns medians and bounds from training rows.
    ///
    /// # Errors
    /// There are no rows, one of them is not in the frame or its book could not be used, or prices have no `mid_price` beside them.
    pub fn fit(frame: &ResearchFrame, train: &TrainRows) -> Result<Self, TransformError> {
        let rows: Vec<usize> = train.rows().collect();
        check_rows(frame, &rows)?;
        let (Some(train_from), Some(train_to)) = (train.begins(), train.ends()) else {
            return Err(TransformError::NoRows);
        };
        let (mut columns, mut dropped) = (Vec::new(), Vec::new());
        let mut mid = frame.column(MID);
        for (name, column) in frame.names().iter().zip(frame.columns()) {
            let fitted = match use_of(name) {
                ColumnUse::Never(why) => Err(why),
                how => {
                    if how == ColumnUse::Price && mid.is_none() {
                        return Err(TransformError::Column(MID.to_owned()));
                    }
                    fit_column(name, how, column, mid.get_or_insert(column), &rows)
                }
            };
            match fitted {
                Ok(column) => columns.push(column),
                Err(why) => dropped.push(DroppedColumn { name: name.clone(), why }),
            }
        }
        Ok(Self { columns, dropped, train_rows: rows.len(), train_from, train_to })
    }

    /// The inputs.
    #[must_use]
    pub fn columns(&self) -> &[FittedColumn] {
        &self.columns
    }

    /// Columns that are no inputs, with reasons.
    #[must_use]
    pub fn dropped(&self) -> &[DroppedColumn] {
        &self.dropped
    }

    /// How many rows it was learnt from.
    #[must_use]
    pub const fn train_rows(&self) -> usize {
        self.train_rows
    }

    /// From the first start of their labels to the last end.
    #[must_use]
    pub const fn trained_on(&self) -> (Ts, Ts) {
        (self.train_from, self.train_to)
    }
}

/// Are all of these rows of the frame, with a book that could be used?
pub(super) fn check_rows(frame: &ResearchFrame, rows: &[usize]) -> Result<(), TransformError> {
    match rows.iter().find(|row| !frame.is_valid(**row)) {
        Some(row) if *row < frame.len() => Err(TransformError::Invalid(*row)),
        Some(row) => Err(TransformError::Row(*row)),
        None => Ok(()),
    }
}

fn fit_column(
    name: &str,
    how: ColumnUse,
    column: &FrameColumn,
    mid: &FrameColumn,
    rows: &[usize],
) -> Result<FittedColumn, DropReason> {
    let rule = match how {
        ColumnUse::Price => FittedRule::RelMid,
        ColumnUse::Size => {
            let mut raw: Vec<f64> = rows.iter().filter_map(|row| column.get(*row)).collect();
            let median = quantile(&mut raw, 1, 2).ok_or(DropReason::NeverThere)?;
            if median > 0.0 { FittedRule::LogOver(median) } else { FittedRule::Plain }
        }
        ColumnUse::Plain | ColumnUse::Never(_) => FittedRule::Plain,
    };
    let mut values: Vec<f64> = rows.iter().filter_map(|row| rule.value(column, mid, *row)).collect();
    let mut at = |parts, whole| quantile(&mut values, parts, whole).ok_or(DropReason::NeverThere);
    let (low, median, high) = (at(1, 1_000)?, at(1, 2)?, at(999, 1_000)?);
    if low >= high {
        return Err(DropReason::Constant);
    }
    let sometimes_missing = values.len() < rows.len();
    Ok(FittedColumn { name: name.to_owned(), rule, low, high, median, sometimes_missing })
}

impl FittedRule {
    /// The transformed number of a row, not clipped yet.
    pub(super) fn value(self, column: &FrameColumn, mid: &FrameColumn, row: usize) -> Option<f64> {
        let raw = column.get(row)?;
        let made = match self {
            Self::Plain => raw,
            Self::RelMid => BPS * (raw / mid.get(row).filter(|m| *m > 0.0)? - 1.0),
            Self::LogOver(median) => math::ln(1.0 + raw / median),
        };
        made.is_finite().then_some(made)
    }
}
