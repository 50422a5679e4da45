//! Columns as models read them: dense, one after another, a missing number as NaN.
//!
//! NaN stays inside the zoo, because the tree library asks for it; what goes in and out is an `Option`.

/// Why columns are no features.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum FeaturesError {
    /// A column has another number of rows than was announced.
    Rows {
        /// Place of the column.
        column: usize,
        /// Its rows.
        rows: usize,
    },
    /// More rows than an index of 32 bits reaches.
    TooMany(usize),
}

impl core::fmt::Display for FeaturesError {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            Self::Rows { column, rows } => {
                write!(f, "column {column} has {rows} rows, which is not as many as announced")
            }
            Self::TooMany(rows) => write!(f, "{rows} rows are more than can be numbered"),
        }
    }
}

impl core::error::Error for FeaturesError {}

/// Inputs of models, column by column.
#[derive(Clone, Debug)]
pub struct Features {
    rows: usize,
    columns: usize,
    /// Column-major; NaN where missing.
    values: Vec<f64>,
}

impl Features {
    /// Columns of so many rows each; what is absent or no finite number is missing.
    ///
    /// # Errors
    /// A column is shorter or longer, or there are more than 2³² rows.
    pub fn new<C>(rows: usize, columns: impl IntoIterator<Item = C>) -> Result<Self, FeaturesError>
    where
        C: IntoIterator<Item = Option<f64>>,
    {
        if u32::try_from(rows).is_err() {
            return Err(FeaturesError::TooMany(rows));
        }
        let mut all = Self { rows, columns: 0, values: Vec::new() };
        for column in columns {
            let before = all.values.len();
            all.values.extend(column.into_iter().map(|v| v.filter(|v| v.is_finite()).unwrap_or(f64::NAN)));
            let got = all.values.len() - before;
            if got != rows {
                return Err(FeaturesError::Rows { column: all.columns, rows: got });
            }
            all.columns += 1;
        }
        Ok(all)
    }

    /// Rows of every column.
    #[must_use]
    pub const fn rows(&self) -> usize {
        self.rows
    }

    /// Number of columns.
    #[must_use]
    pub const fn columns(&self) -> usize {
        self.columns
    }

    /// One number; `None` where it is missing or there is no such place.
    #[must_use]
    pub fn get(&self, row: usize, column: usize) -> Option<f64> {
        if row >= self.rows || column >= self.columns {
            return None;
        }
        Some(self.values[column * self.rows + row]).filter(|v| !v.is_nan())
    }

    /// The same columns of some rows only, in the order given.
    #[must_use]
    pub fn gathered(&self, rows: &[u32]) -> Self {
        let columns = (0..self.columns).map(|c| self.column(c));
        let values = columns.flat_map(|c| rows.iter().map(|r| c[place(*r)])).collect();
        Self { rows: rows.len(), columns: self.columns, values }
    }

    /// A column, NaN where missing.
    pub(crate) fn column(&self, at: usize) -> &[f64] {
        &self.values[at * self.rows..(at + 1) * self.rows]
    }

    pub(crate) fn column_mut(&mut self, at: usize) -> &mut [f64] {
        &mut self.values[at * self.rows..(at + 1) * self.rows]
    }

    pub(crate) fn value(&self, row: u32, column: usize) -> f64 {
        self.values[column * self.rows + place(row)]
    }
}

/// Rows of a block: its numbers stay in the second-level cache with 200 columns.
const BLOCK: usize = 64;

/// Some rows with their numbers side by side, which is how models read them.
#[derive(Debug)]
pub(crate) struct RowTile {
    width: usize,
    rows: usize,
    values: Vec<f64>,
}

impl RowTile {
    /// Calls `each` with every block of these rows and the place of its first.
    pub(crate) fn over(features: &Features, rows: &[u32], mut each: impl FnMut(usize, &Self)) {
        let width = features.columns();
        let mut block = Self { width, rows: 0, values: vec![0.0; BLOCK * width] };
        for (n, some) in rows.chunks(BLOCK).enumerate() {
            block.rows = some.len();
            for column in 0..width {
                let from = features.column(column);
                for (slot, row) in some.iter().enumerate() {
                    block.values[slot * width + column] = from[place(*row)];
                }
            }
            each(n * BLOCK, &block);
        }
    }

    pub(crate) fn iter(&self) -> impl ExactSizeIterator<Item = &[f64]> {
        (0..self.rows).map(|r| &self.values[r * self.width..(r + 1) * self.width])
    }
}

/// A row's number as an index.
pub(crate) fn place(row: u32) -> usize {
    usize::try_from(row).unwrap_or(usize::MAX)
}

/// A count as a float; counts stay far below 2^53.
pub(crate) fn float(n: usize) -> f64 {
    f64::from(u32::try_from(n).unwrap_or(u32::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_missing_comes_back_missing() {
        let features = Features::new(3, [vec![Some(1.0), None, Some(f64::NAN)], vec![Some(4.0); 3]]).unwrap();
        assert_eq!((features.rows(), features.columns()), (3, 2));
        assert_eq!((0..3).map(|r| features.get(r, 0)).collect::<Vec<_>>(), [Some(1.0), None, None]);
        assert_eq!((features.get(2, 1), features.get(3, 0), features.get(0, 2)), (Some(4.0), None, None));
        assert_eq!(features.gathered(&[2, 0]).get(1, 0), Some(1.0));
        let short = Features::new(2, [vec![Some(1.0); 2], vec![None]]);
        assert_eq!(short.unwrap_err(), FeaturesError::Rows { column: 1, rows: 1 });
    }

    #[test]
    fn blocks_hold_every_row_once_and_in_order() {
        let features =
            Features::new(200, (0..3).map(|c| (0..200).map(move |r| Some(f64::from(c * 1_000 + r))))).unwrap();
        let rows: Vec<u32> = (0..200).rev().collect();
        let mut seen = Vec::new();
        RowTile::over(&features, &rows, |first, block| {
            assert_eq!(first, seen.len());
            seen.extend(block.iter().map(|row| (row[0], row[2])));
        });
        assert!(seen.iter().zip(&rows).all(|(got, r)| *got == (f64::from(*r), 2_000.0 + f64::from(*r))));
    }
}
