//! Columns as straight lines and networks want them: in deviations from the training mean, a missing number at the training median,
//! with an indicator beside it where any was missing in training (research §2).

use super::features::{Features, RowTile, place};
use super::recipe::RecipeError;
use serde::{Deserialize, Serialize};

/// Deviations from the mean at most: a column that hardly varied where the model was fitted would be without bounds elsewhere.
const FAR: f64 = 8.0;
/// A column that varies by less than this share of itself varies by how its numbers were rounded.
const SAME: f64 = 1e-9;

/// One column's place and scale.
#[derive(Clone, Copy, PartialEq, Debug, Serialize, Deserialize)]
struct ColumnScale {
    column: usize,
    median: f64,
    mean: f64,
    deviation: f64,
    /// Share of training rows in which it was missing, and that indicator's deviation; `None` where never.
    gaps: Option<(f64, f64)>,
}

/// Columns that vary, scaled on the training rows.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub(crate) struct Design {
    scales: Vec<ColumnScale>,
}

impl Design {
    /// Of these columns on these rows, with a weight for each row.
    pub(super) fn of(
        features: &Features,
        columns: impl IntoIterator<Item = usize>,
        rows: &[u32],
        weights: &[f64],
    ) -> Result<Self, RecipeError> {
        let mut scales = Vec::new();
        for column in columns {
            if column >= features.columns() {
                return Err(RecipeError::Column(column));
            }
            let values: Vec<f64> = rows.iter().map(|r| features.column(column)[place(*r)]).collect();
            scales.extend(ColumnScale::of(column, &values, weights));
        }
        if scales.is_empty() { Err(RecipeError::Degenerate) } else { Ok(Self { scales }) }
    }

    /// Numbers of a row of the design.
    pub(super) fn width(&self) -> usize {
        self.scales.iter().map(|s| 1 + usize::from(s.gaps.is_some())).sum()
    }

    /// The column that each number of a row of the design comes from.
    pub(crate) fn sources(&self) -> impl Iterator<Item = usize> {
        self.scales.iter().flat_map(|s| std::iter::repeat_n(s.column, 1 + usize::from(s.gaps.is_some())))
    }

    /// A row of the design from a row of the features.
    fn fill(&self, row: &[f64], out: &mut [f64]) {
        let mut out = out.iter_mut();
        self.terms(
            |column| Some(row[column]),
            |z| {
                if let (Some(slot), Some(z)) = (out.next(), z) {
                    *slot = z;
                }
            },
        );
    }

    /// Calls `put` with every number of a row of the design, in order; with `None` for those of columns that have no `value`.
    pub(crate) fn terms(&self, value: impl Fn(usize) -> Option<f64>, mut put: impl FnMut(Option<f64>)) {
        for s in &self.scales {
            let x = value(s.column);
            let z = |x: f64| ((if x.is_nan() { s.median } else { x } - s.mean) / s.deviation).clamp(-FAR, FAR);
            put(x.map(z));
            if let Some((share, deviation)) = s.gaps {
                put(x.map(|x| (f64::from(u8::from(x.is_nan())) - share) / deviation));
            }
        }
    }

    /// Calls `each` with every row of the design, in order.
    pub(crate) fn over(&self, features: &Features, rows: &[u32], mut each: impl FnMut(usize, &[f64])) {
        let mut z = vec![0.0; self.width()];
        RowTile::over(features, rows, |first, block| {
            for (n, row) in block.iter().enumerate() {
                self.fill(row, &mut z);
                each(first + n, &z);
            }
        });
    }
}

impl ColumnScale {
    /// `None` where the column does not vary.
    fn of(column: usize, values: &[f64], weights: &[f64]) -> Option<Self> {
        let mut there: Vec<f64> = values.iter().copied().filter(|v| !v.is_nan()).collect();
        if there.is_empty() {
            return None;
        }
        let middle = there.len() / 2;
        let median = *there.select_nth_unstable_by(middle, f64::total_cmp).1;
        let total: f64 = weights.iter().sum();
        let mean_of = |f: &dyn Fn(f64) -> f64| values.iter().zip(weights).map(|(v, w)| w * f(*v)).sum::<f64>() / total;
        let filled = |v: f64| if v.is_nan() { median } else { v };
        let mean = mean_of(&filled);
        let deviation = mean_of(&|v| (filled(v) - mean) * (filled(v) - mean)).sqrt();
        if deviation <= SAME * mean.abs().max(median.abs()) || !deviation.is_finite() {
            return None;
        }
        let share = mean_of(&|v| f64::from(u8::from(v.is_nan())));
        let gaps = (share > 0.0 && share < 1.0).then(|| (share, (share * (1.0 - share)).sqrt()));
        Some(Self { column, median, mean, deviation, gaps })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_have_mean_zero_and_deviation_one_and_gaps_are_told() {
        let column = |f: fn(u32) -> Option<f64>| (0..100).map(f).collect::<Vec<_>>();
        let columns = [
            column(|r| Some(f64::from(r * r))),
            column(|_| Some(3.0)),
            column(|r| (r % 4 != 0).then_some(f64::from(r))),
        ];
        let features = Features::new(100, columns).unwrap();
        let rows: Vec<u32> = (0..100).collect();
        let design = Design::of(&features, 0..3, &rows, &[1.0; 100]).unwrap();
        assert_eq!(design.sources().collect::<Vec<_>>(), [0, 2, 2], "the second column does not vary");
        let (mut sums, mut squares) = ([0.0; 3], [0.0; 3]);
        design.over(&features, &rows, |_, z| {
            for k in 0..3 {
                sums[k] += z[k];
                squares[k] += z[k] * z[k];
            }
        });
        assert!(
            sums.iter().all(|s| s.abs() < 1e-10) && squares.iter().all(|s| (s - 100.0).abs() < 1e-9),
            "{sums:?} {squares:?}"
        );
        assert_eq!(Design::of(&features, [7], &rows, &[1.0; 100]), Err(RecipeError::Column(7)));
        assert_eq!(Design::of(&features, [1], &rows, &[1.0; 100]), Err(RecipeError::Degenerate));
    }
}
