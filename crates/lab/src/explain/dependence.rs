//! Partial dependence (Friedman 2001): what is said on average when a column is set to one number after another, and of single rows
//! (Goldstein and others 2015).

use crate::zoo::{Features, FittedModel, features::place};
use barograph_engine::kernel::rank::quantile;
use serde::{Deserialize, Serialize};

/// Points of a curve.
const POINTS: u32 = 20;
/// Rows with a curve of their own.
const SINGLE_ROWS: usize = 50;

/// The curve of one column for one question.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct PartialCurve {
    /// The column.
    pub column: usize,
    /// The question: 0 of a yes or no and of a number, else the class.
    pub head: usize,
    /// Numbers it is set to: the middles of twenty equal parts of the training rows, equal ones once.
    pub points: Vec<f64>,
    /// Mean calibrated probability, or mean number said, at each.
    pub mean: Vec<f64>,
    /// The same of single rows, evenly spread over those given.
    pub single: Vec<Vec<f64>>,
}

/// Curves of a column, one for each question. The points come from `training`, the mean is over `rows`. Empty where the column has no
/// number in training, or there are no rows.
///
/// # Panics
/// When a row or the column is not there.
#[must_use]
pub fn partial_dependence(
    model: &FittedModel,
    features: &Features,
    training: &[u32],
    rows: &[u32],
    column: usize,
) -> Vec<PartialCurve> {
    let mut known: Vec<f64> =
        training.iter().map(|r| features.column(column)[place(*r)]).filter(|v| !v.is_nan()).collect();
    known.sort_by(f64::total_cmp);
    let share = |k: u32| (f64::from(k) + 0.5) / f64::from(POINTS);
    let mut points: Vec<f64> = (0..POINTS).filter_map(|k| quantile(&known, share(k))).collect();
    points.dedup();
    if points.is_empty() || rows.is_empty() {
        return Vec::new();
    }
    let mut sample = features.gathered(rows);
    let all: Vec<u32> = (0..).take(rows.len()).collect();
    let singles = SINGLE_ROWS.min(rows.len());
    let single: Vec<usize> = (0..singles).map(|k| k * rows.len() / singles).collect();
    let heads = model.task().heads();
    let curve = |head| PartialCurve {
        column,
        head,
        points: points.clone(),
        mean: Vec::with_capacity(points.len()),
        single: vec![Vec::with_capacity(points.len()); singles],
    };
    let mut curves: Vec<PartialCurve> = (0..heads).map(curve).collect();
    let n = f64::from(u32::try_from(rows.len()).unwrap_or(u32::MAX));
    for point in &points {
        sample.column_mut(column).fill(*point);
        for (curve, said) in curves.iter_mut().zip(model.answers(&sample, &all)) {
            curve.mean.push(said.iter().sum::<f64>() / n);
            curve.single.iter_mut().zip(&single).for_each(|(curve, row)| curve.push(said[*row]));
        }
    }
    curves
}
