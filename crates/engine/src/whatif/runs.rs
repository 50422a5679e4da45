//! Equal things in a row, kept once: most of what rules read of a minute is what they read of the minute before.

use serde::{Deserialize, Serialize};

/// A value for each of so many rows, as runs of equal ones.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Runs<T> {
    /// The row after each run.
    ends: Vec<u32>,
    values: Vec<T>,
}

impl<T> Default for Runs<T> {
    fn default() -> Self {
        Self { ends: Vec::new(), values: Vec::new() }
    }
}

impl<T: Copy + PartialEq> Runs<T> {
    /// One value for so many rows.
    #[must_use]
    pub fn of(value: T, rows: u32) -> Self {
        let mut out = Self::default();
        out.push(value, rows);
        out
    }
    /// Rows in all.
    #[must_use]
    pub fn rows(&self) -> u32 {
        self.ends.last().copied().unwrap_or(0)
    }
    /// The same value for so many more rows.
    pub fn push(&mut self, value: T, rows: u32) {
        if rows == 0 {
            return;
        }
        let end = self.rows() + rows;
        if self.values.last() == Some(&value)
            && let Some(last) = self.ends.last_mut()
        {
            *last = end;
            return;
        }
        self.ends.push(end);
        self.values.push(value);
    }
    /// First row, the row after the last one, and the value of each run.
    pub fn iter(&self) -> impl Iterator<Item = (u32, u32, T)> + '_ {
        let starts = core::iter::once(0).chain(self.ends.iter().copied());
        starts.zip(&self.ends).zip(&self.values).map(|((start, end), value)| (start, *end, *value))
    }
    /// The value of a row; `None` behind the last.
    #[must_use]
    pub fn at(&self, row: u32) -> Option<T> {
        self.values.get(self.ends.partition_point(|end| *end <= row)).copied()
    }
    /// The rows of another behind these, each value as `of` reads it.
    pub fn append<U: Copy + PartialEq>(&mut self, other: &Runs<U>, of: impl Fn(U) -> T) {
        for (start, end, value) in other.iter() {
            self.push(of(value), end - start);
        }
    }
    /// A place to read them from, row by row.
    pub(super) const fn reading(&self) -> Cursor<'_, T> {
        Cursor { runs: self, at: 0 }
    }
}

/// A run of [`Runs`] that is read in order.
#[derive(Clone, Debug)]
pub(super) struct Cursor<'a, T> {
    runs: &'a Runs<T>,
    at: usize,
}

impl<T: Copy> Cursor<'_, T> {
    /// The value of the run, and the row after it.
    pub(super) fn now(&self) -> Option<(T, u32)> {
        Some((*self.runs.values.get(self.at)?, *self.runs.ends.get(self.at)?))
    }
    /// Goes on to the run of a row that is not before this one.
    pub(super) fn go_to(&mut self, row: u32) {
        while self.runs.ends.get(self.at).is_some_and(|end| *end <= row) {
            self.at += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn runs_give_back_what_was_pushed(values in prop::collection::vec((0_u8..3, 0_u32..4), 0..40)) {
            let mut runs = Runs::default();
            let mut plain = Vec::new();
            for (value, rows) in &values {
                runs.push(*value, *rows);
                plain.extend((0..*rows).map(|_| *value));
            }
            let rows = u32::try_from(plain.len()).unwrap_or(u32::MAX);
            prop_assert_eq!(runs.rows(), rows);
            let mut cursor = runs.reading();
            for (row, value) in (0..rows).zip(&plain) {
                prop_assert_eq!(runs.at(row), Some(*value));
                cursor.go_to(row);
                prop_assert_eq!(cursor.now().map(|(v, _)| v), Some(*value));
            }
            prop_assert_eq!(runs.at(rows), None);
            prop_assert!(runs.iter().zip(runs.iter().skip(1)).all(|(a, b)| a.1 == b.0 && a.2 != b.2));
        }
    }
}
