//! The observations a model is fitted on: one row per step, some missing, and what they say before any model.

use crate::kernel::rank::quantile;

/// Rows of `dims` numbers in order of time.
#[derive(Clone, PartialEq, Debug)]
pub struct Window {
    dims: usize,
    values: Vec<f64>,
    present: Vec<bool>,
    count: usize,
}

impl Window {
    /// No rows yet.
    #[must_use]
    pub const fn new(dims: usize) -> Self {
        Self { dims, values: Vec::new(), present: Vec::new(), count: 0 }
    }

    /// Appends the next step; `None`, or a row that is not `dims` finite numbers, is a missing one.
    pub fn push(&mut self, row: Option<&[f64]>) {
        let row = row.filter(|r| r.len() == self.dims && r.iter().all(|v| v.is_finite()));
        self.present.push(row.is_some());
        match row {
            Some(row) => {
                self.values.extend_from_slice(row);
                self.count += 1;
            }
            None => self.values.extend(core::iter::repeat_n(0.0, self.dims)),
        }
    }

    /// Numbers per row.
    #[must_use]
    pub const fn dims(&self) -> usize {
        self.dims
    }
    /// Steps, missing ones included.
    #[must_use]
    pub fn len(&self) -> usize {
        self.present.len()
    }
    /// No steps at all.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.present.is_empty()
    }
    /// Steps with an observation.
    #[must_use]
    pub const fn present(&self) -> usize {
        self.count
    }
    /// The row of a step, where there is one.
    #[must_use]
    pub fn at(&self, step: usize) -> Option<&[f64]> {
        self.present[step].then(|| &self.values[step * self.dims..(step + 1) * self.dims])
    }

    /// Present rows.
    pub fn rows(&self) -> impl Iterator<Item = &[f64]> + Clone {
        (0..self.len()).filter_map(|t| self.at(t))
    }

    /// Mean and population variance of each number over the present rows.
    #[must_use]
    pub fn moments(&self) -> (Vec<f64>, Vec<f64>) {
        moments_of(self.dims, self.rows())
    }

    /// Linear quantile of one number over the present rows.
    #[must_use]
    pub fn quantile(&self, dim: usize, q: f64) -> Option<f64> {
        let mut sorted: Vec<f64> = self.rows().map(|r| r[dim]).collect();
        sorted.sort_by(f64::total_cmp);
        quantile(&sorted, q)
    }
}

/// Mean and population variance of each number over some rows; zeros of none.
#[must_use]
pub fn moments_of<'a>(dims: usize, rows: impl Iterator<Item = &'a [f64]> + Clone) -> (Vec<f64>, Vec<f64>) {
    let (mut n, mut means, mut variances) = (0.0_f64, vec![0.0; dims], vec![0.0; dims]);
    for row in rows.clone() {
        n += 1.0;
        means.iter_mut().zip(row).for_each(|(m, y)| *m += y);
    }
    let n = n.max(1.0);
    means.iter_mut().for_each(|m| *m /= n);
    for row in rows {
        for ((v, y), m) in variances.iter_mut().zip(row).zip(&means) {
            *v += (y - m) * (y - m);
        }
    }
    variances.iter_mut().for_each(|v| *v /= n);
    (means, variances)
}
