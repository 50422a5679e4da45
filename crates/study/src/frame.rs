//! Rows of one market as columns, in the order of time.

use barograph_domain::{Span, Ts};

/// Numbers of one column, some of which are absent.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct FrameColumn {
    /// 0 where absent.
    values: Vec<f64>,
    present: Vec<bool>,
}

impl FrameColumn {
    /// Adds a row; what is no finite number is absent.
    pub fn push(&mut self, value: Option<f64>) {
        let value = value.filter(|v| v.is_finite());
        self.values.push(value.unwrap_or_default());
        self.present.push(value.is_some());
    }

    /// The number of a row; `None` where it is absent or there is no such row.
    #[must_use]
    pub fn get(&self, row: usize) -> Option<f64> {
        (*self.present.get(row)?).then(|| self.values[row])
    }

    /// Rows of it.
    #[must_use]
    pub fn len(&self) -> usize {
        self.values.len()
    }

    /// Are there no rows?
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    /// Every row in order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = Option<f64>> {
        self.values.iter().zip(&self.present).map(|(v, p)| p.then_some(*v))
    }
}

impl FromIterator<Option<f64>> for FrameColumn {
    fn from_iter<I: IntoIterator<Item = Option<f64>>>(rows: I) -> Self {
        let mut column = Self::default();
        rows.into_iter().for_each(|v| column.push(v));
        column
    }
}

/// Why columns are no frame.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum ResearchFrameError {
    /// A row is not later than the one before, or not on a whole second.
    Time(Ts),
    /// A column has another number of rows than there are moments.
    Rows {
        /// The column.
        column: String,
        /// Its rows.
        rows: usize,
    },
    /// Two columns have this name.
    Twice(String),
}

impl core::fmt::Display for ResearchFrameError {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            Self::Time(t) => write!(f, "the row of {t} is not on a whole second, or not later than the one before it"),
            Self::Rows { column, rows } => {
                write!(f, "{column} has {rows} rows, which is not as many as there are moments")
            }
            Self::Twice(column) => write!(f, "two columns are called {column}"),
        }
    }
}

impl core::error::Error for ResearchFrameError {}

/// Rows of one market, at most one per second. A second without a row is a hole.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct ResearchFrame {
    times: Vec<Ts>,
    /// `row_valid` of the data set: the book could be used.
    valid: Vec<bool>,
    names: Vec<String>,
    columns: Vec<FrameColumn>,
}

impl ResearchFrame {
    /// Rows at these moments, with named columns; `valid` says of which the book could be used.
    ///
    /// # Errors
    /// Moments or columns do not fit together.
    pub fn new(
        times: Vec<Ts>,
        valid: Vec<bool>,
        columns: Vec<(String, FrameColumn)>,
    ) -> Result<Self, ResearchFrameError> {
        let ascends = times.windows(2).position(|w| w[0] >= w[1]).map(|n| n + 1);
        let off = times.iter().position(|t| t.0.rem_euclid(Span::secs(1).0) != 0);
        if let Some(n) = ascends.or(off) {
            return Err(ResearchFrameError::Time(times[n]));
        }
        let mut frame = Self { times, valid, names: Vec::new(), columns: Vec::new() };
        if frame.valid.len() != frame.len() {
            return Err(ResearchFrameError::Rows { column: "row_valid".to_owned(), rows: frame.valid.len() });
        }
        for (name, column) in columns {
            frame.add(name, column)?;
        }
        Ok(frame)
    }

    /// One column more.
    ///
    /// # Errors
    /// It has another number of rows, or a name that is there already.
    pub fn add(&mut self, name: String, column: FrameColumn) -> Result<(), ResearchFrameError> {
        if column.len() != self.len() {
            return Err(ResearchFrameError::Rows { column: name, rows: column.len() });
        }
        if self.names.contains(&name) {
            return Err(ResearchFrameError::Twice(name));
        }
        self.names.push(name);
        self.columns.push(column);
        Ok(())
    }

    /// Its rows from one moment until another, which is not of it.
    #[must_use]
    pub fn between(&self, from: Ts, until: Ts) -> Self {
        let first = self.times.partition_point(|t| *t < from);
        let rows = first..self.times.partition_point(|t| *t < until).max(first);
        let column = |of: &FrameColumn| FrameColumn {
            values: of.values[rows.clone()].to_vec(),
            present: of.present[rows.clone()].to_vec(),
        };
        Self {
            times: self.times[rows.clone()].to_vec(),
            valid: self.valid[rows.clone()].to_vec(),
            names: self.names.clone(),
            columns: self.columns.iter().map(column).collect(),
        }
    }

    /// Moments of the rows.
    #[must_use]
    pub fn times(&self) -> &[Ts] {
        &self.times
    }

    /// Could the book of this row be used?
    #[must_use]
    pub fn is_valid(&self, row: usize) -> bool {
        self.valid.get(row).copied().unwrap_or_default()
    }

    /// Rows of it.
    #[must_use]
    pub fn len(&self) -> usize {
        self.times.len()
    }

    /// Are there no rows?
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.times.is_empty()
    }

    /// Names of the columns in their order.
    #[must_use]
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// A column by its name.
    #[must_use]
    pub fn column(&self, name: &str) -> Option<&FrameColumn> {
        self.names.iter().position(|n| n == name).map(|at| &self.columns[at])
    }

    /// The columns in their order.
    #[must_use]
    pub fn columns(&self) -> &[FrameColumn] {
        &self.columns
    }

    /// The row of exactly this moment.
    #[must_use]
    pub fn row_at(&self, t: Ts) -> Option<usize> {
        self.times.binary_search(&t).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seconds(at: &[i64]) -> Vec<Ts> {
        at.iter().map(|s| Ts(0) + Span::secs(*s)).collect()
    }

    #[test]
    fn what_is_absent_stays_absent() {
        let column: FrameColumn = [Some(1.0), None, Some(f64::NAN), Some(0.0)].into_iter().collect();
        assert_eq!(column.iter().collect::<Vec<_>>(), [Some(1.0), None, None, Some(0.0)]);
        assert_eq!((column.get(0), column.get(9)), (Some(1.0), None));
    }

    #[test]
    fn a_stretch_of_time_begins_with_its_first_moment_and_ends_before_its_last() {
        let column: FrameColumn = [Some(1.0), None, Some(3.0), Some(4.0)].into_iter().collect();
        let valid = vec![true, false, true, true];
        let frame = ResearchFrame::new(seconds(&[1, 3, 4, 7]), valid, vec![("x".to_owned(), column)]).unwrap();
        let check = |from: i64, until: i64, at: &[i64], x: &[Option<f64>]| {
            let found = frame.between(Ts::from_secs(from), Ts::from_secs(until));
            assert_eq!(
                (found.times(), found.column("x").unwrap().iter().collect::<Vec<_>>()),
                (&seconds(at)[..], x.to_vec())
            );
            assert_eq!(found.is_valid(0), at.first().is_some_and(|first| *first != 3));
        };
        check(3, 7, &[3, 4], &[None, Some(3.0)]);
        check(4, 99, &[4, 7], &[Some(3.0), Some(4.0)]);
        check(5, 7, &[], &[]);
        check(9, 2, &[], &[]);
    }

    #[test]
    fn moments_and_columns_have_to_fit() {
        let column = |n: usize| ("x".to_owned(), (0..n).map(|_| Some(1.0)).collect::<FrameColumn>());
        let make = |at: &[i64], columns| ResearchFrame::new(seconds(at), vec![true; at.len()], columns);
        assert!(make(&[1, 3], vec![column(2)]).is_ok_and(|f| f.row_at(Ts(3_000_000_000)) == Some(1)));
        assert_eq!(make(&[3, 3], vec![]), Err(ResearchFrameError::Time(Ts(3_000_000_000))));
        assert_eq!(ResearchFrame::new(vec![Ts(1)], vec![true], vec![]), Err(ResearchFrameError::Time(Ts(1))));
        assert_eq!(make(&[1], vec![column(2)]), Err(ResearchFrameError::Rows { column: "x".to_owned(), rows: 2 }));
        assert_eq!(make(&[1], vec![column(1), column(1)]), Err(ResearchFrameError::Twice("x".to_owned())));
    }
}
