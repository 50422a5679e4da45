//! A perpetual and its spot market as one vector (R3.17): the row of the contract, the newest row of the spot market that was known with
//! it, and the basis between their mids.

use crate::catalogue::{COLUMNS, catalogue};
use crate::row::{ResearchRow, ratio};
use crate::structural;
use barograph_domain::cell::Reason;
use barograph_domain::{Span, Ts};

/// A spot row that is older than a book may be says nothing about the contract's.
pub const PAIR_AGE_MAX: Span = Span::secs(5);

/// Numbers of a vector: both rows and the basis.
pub const PAIR_COLUMNS: usize = 2 * COLUMNS + 1;

/// Name of the last column: mid of the contract over mid of the spot market, less one (features §2.3).
pub const PAIR_BASIS: &str = "pair_basis";

/// Names of the vector's columns, in order: `fut_` and `spot_` before those of the catalogue, and the basis.
pub fn pair_names() -> impl Iterator<Item = String> {
    let of = |kind: &'static str| catalogue().iter().map(move |c| format!("{kind}_{}", c.id));
    of("fut").chain(of("spot")).chain([PAIR_BASIS.to_owned()])
}

/// Whatever a vector is joined from: a row, or a place in a table of rows.
pub trait PairSide {
    /// The number of a column.
    ///
    /// # Errors
    /// Why there is none.
    fn column(&self, at: usize) -> Result<f64, Reason>;
}

impl PairSide for ResearchRow {
    fn column(&self, at: usize) -> Result<f64, Reason> {
        self.get(at)
    }
}

/// Writes the vector of a contract's row of second `t` and of the spot row that was newest then, with its second, where there was one.
/// `put` takes the numbers in the order of [`pair_names`]. What the spot market does not have is absent: nothing of before is put in its
/// place once it is more than [`PAIR_AGE_MAX`] old.
pub fn join_pair<F: PairSide + ?Sized, S: PairSide + ?Sized>(
    t: Ts,
    future: &F,
    spot: Option<(Ts, &S)>,
    mut put: impl FnMut(Result<f64, Reason>),
) {
    let spot = match spot {
        None => Err(Reason::MissingInput),
        Some((at, _)) if t - at > PAIR_AGE_MAX => Err(Reason::Stale),
        Some((_, row)) => Ok(row),
    };
    (0..COLUMNS).for_each(|at| put(future.column(at)));
    (0..COLUMNS).for_each(|at| put(spot.and_then(|row| row.column(at))));
    let mids = future.column(structural::at::MID).and_then(|f| Ok((f, spot?.column(structural::at::MID)?)));
    put(mids.and_then(|(f, s)| ratio(f, s)).map(|over| over - 1.0));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(mid: f64) -> ResearchRow {
        let mut row = ResearchRow::default();
        row.put(structural::at::MID, mid);
        row
    }

    #[test]
    fn a_vector_is_both_rows_and_their_basis_as_long_as_the_spot_row_is_fresh() {
        let t = Ts::from_civil(2026, 2, 5, 12, 0, 0);
        let (future, spot) = (row(101.0), row(100.0));
        let names: Vec<String> = pair_names().collect();
        let place = |name: &str| names.iter().position(|n| n == name).unwrap();
        assert_eq!(names.len(), PAIR_COLUMNS);
        for (age, mid, basis) in [
            (Some(0), Ok(100.0), Ok(101.0 / 100.0 - 1.0)),
            (Some(5), Ok(100.0), Ok(101.0 / 100.0 - 1.0)),
            (Some(6), Err(Reason::Stale), Err(Reason::Stale)),
            (None, Err(Reason::MissingInput), Err(Reason::MissingInput)),
        ] {
            let mut vector = Vec::new();
            join_pair(t, &future, age.map(|s| (t - Span::secs(s), &spot)), |v| vector.push(v));
            assert_eq!(vector.len(), PAIR_COLUMNS);
            assert_eq!(vector[place("fut_mid_price")], Ok(101.0));
            assert_eq!((vector[place("spot_mid_price")], vector[place(PAIR_BASIS)]), (mid, basis), "{age:?}");
        }
    }
}
