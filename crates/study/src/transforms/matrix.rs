//! Inputs of models: columns of numbers, some of which are absent.

/// Rows and columns of numbers, column after column.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Matrix {
    names: Vec<String>,
    rows: usize,
    /// 0 where absent.
    values: Vec<f64>,
    present: Vec<bool>,
}

impl Matrix {
    /// Of so many rows, without columns yet.
    pub(super) fn with_rows(rows: usize, columns: usize) -> Self {
        Self {
            names: Vec::with_capacity(columns),
            rows,
            values: Vec::with_capacity(rows * columns),
            present: Vec::with_capacity(rows * columns),
        }
    }

    /// Adds a column with as many numbers as there are rows; what is no finite number is absent.
    pub(super) fn push(&mut self, name: String, column: impl Iterator<Item = Option<f64>>) {
        self.names.push(name);
        for value in column {
            let value = value.filter(|v| v.is_finite());
            self.values.push(value.unwrap_or_default());
            self.present.push(value.is_some());
        }
        debug_assert_eq!(self.values.len(), self.rows * self.names.len());
    }

    /// Names of the columns.
    #[must_use]
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// How many rows.
    #[must_use]
    pub const fn rows(&self) -> usize {
        self.rows
    }

    /// The number of a row and column; `None` where it is absent or there is no such place.
    #[must_use]
    pub fn get(&self, row: usize, column: usize) -> Option<f64> {
        let at = (row < self.rows && column < self.names.len()).then(|| column * self.rows + row)?;
        self.present[at].then(|| self.values[at])
    }

    /// The numbers of a column, 0 where absent, and which of them are there. `None` where there is no such column.
    #[must_use]
    pub fn column(&self, column: usize) -> Option<(&[f64], &[bool])> {
        let range = (column < self.names.len()).then(|| column * self.rows..(column + 1) * self.rows)?;
        Some((&self.values[range.clone()], &self.present[range]))
    }

    /// Is every number there? So it is in the form that models with no branch for missing numbers get.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.present.iter().all(|p| *p)
    }

    /// All numbers, column after column, with this in the place of absent ones: for libraries that know absence by a number.
    #[must_use]
    pub fn into_values(mut self, missing: f64) -> Vec<f64> {
        for (value, present) in self.values.iter_mut().zip(&self.present) {
            if !present {
                *value = missing;
            }
        }
        self.values
    }
}
