//! Columns that are another column times a number: a rate and the same a year, a volatility and the ends of its interval. What is
//! left of such a column beside the other one is the rounding of a product, a bit or two of the sixty-four that would be noise.
//!
//! The number is the ratio of the first row in which both have a value; multiplying is exact to the bit on every machine, so the
//! difference of the bits gives the column back. Which columns are kin is found in the data, chunk by chunk, and written beside them.

use super::CodecError;
use super::bytes::{Input, put_uint, unzigzag, zigzag};
use super::seq::Seq;

/// A column follows this earlier one, which stands for itself, by this factor.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(super) struct Kin {
    of: usize,
    factor: f64,
}

/// Bits a product may be off by at the rows that are tried first.
const NEAR: u64 = 1 << 10;

impl Kin {
    fn of_bits(&self, other: u64) -> u64 {
        (f64::from_bits(other) * self.factor).to_bits()
    }

    /// What is left of a value beside the other column's.
    fn rest(&self, own: u64, other: u64) -> u64 {
        zigzag(own.wrapping_sub(self.of_bits(other)))
    }
}

/// Finds the kin among columns, and leaves in place of each what is left of it.
pub(super) fn part(columns: &mut [Seq], rows: usize, found: &mut Vec<Option<Kin>>) {
    found.clear();
    let mut alone: Vec<usize> = Vec::with_capacity(columns.len());
    for at in 0..columns.len() {
        let own = &columns[at][..rows];
        let kin = moves(own)
            .then(|| alone.iter().rev().find_map(|other| kin_of(own, *other, &columns[*other][..rows])))
            .flatten();
        match kin {
            None if moves(own) => alone.push(at),
            None => {}
            Some(kin) => {
                let other = columns[kin.of];
                for (value, other) in columns[at][..rows].iter_mut().zip(other) {
                    *value = kin.rest(*value, other);
                }
            }
        }
        found.push(kin);
    }
}

/// Does it change at every other row, so that its bits cost something?
fn moves(column: &[u64]) -> bool {
    2 * column.windows(2).filter(|w| w[0] != w[1]).count() > column.len()
}

fn kin_of(own: &[u64], of: usize, other: &[u64]) -> Option<Kin> {
    let value = |bits: u64| Some(f64::from_bits(bits)).filter(|v| v.is_normal());
    let factor = own.iter().zip(other).find_map(|(a, b)| Some(value(*a)? / value(*b)?)).filter(|f| f.is_normal())?;
    let kin = Kin { of, factor };
    let near = |row: usize| kin.rest(own[row], other[row]) < NEAR;
    let last = own.len() - 1;
    if ![last, last / 2, last / 3].into_iter().all(near) {
        return None;
    }
    // A few rows may stand apart, as where a window has filled; then the rest of them is noise as before.
    let apart = (0..own.len()).filter(|row| !near(*row)).count();
    (4 * apart <= own.len()).then_some(kin)
}

/// Writes who is kin to whom.
pub(super) fn put(out: &mut Vec<u8>, found: &[Option<Kin>]) {
    for kin in found {
        put_uint(out, kin.map_or(0, |k| k.of as u64 + 1));
        if let Some(kin) = kin {
            out.extend_from_slice(&kin.factor.to_bits().to_le_bytes());
        }
    }
}

/// Reads what [`put`] wrote for so many columns.
pub(super) fn get(input: &mut Input<'_>, columns: usize) -> Result<Vec<Option<Kin>>, CodecError> {
    let mut found: Vec<Option<Kin>> = Vec::with_capacity(columns);
    for at in 0..columns {
        let Some(of) = input.size(at)?.checked_sub(1) else {
            found.push(None);
            continue;
        };
        if found[of].is_some() {
            return Err(CodecError("has a column that follows one without values of its own"));
        }
        let factor = input.take(8)?.first_chunk().copied().ok_or(CodecError("ends too early"))?;
        found.push(Some(Kin { of, factor: f64::from_bits(u64::from_le_bytes(factor)) }));
    }
    Ok(found)
}

/// The column that another one follows.
pub(super) const fn of(kin: &Kin) -> usize {
    kin.of
}

/// Gives a column back from what is left of it and the one it follows.
pub(super) fn join(kin: &Kin, column: &mut Seq, other: &Seq, rows: usize) {
    for (rest, other) in column[..rows].iter_mut().zip(other) {
        *rest = kin.of_bits(*other).wrapping_add(unzigzag(*rest));
    }
}

#[cfg(test)]
mod tests {
    use super::super::ROWS_MAX;
    use super::*;

    fn column(value: impl Fn(u32) -> f64) -> Seq {
        let mut column = [0; ROWS_MAX];
        for (row, bits) in (0_u32..).zip(&mut column) {
            *bits = value(row).to_bits();
        }
        column
    }

    #[test]
    fn kin_are_found_and_given_back_bit_for_bit() {
        let noise = |row: u32| 1e-4 + f64::from(row.wrapping_mul(2_654_435_761) % 100_003) * 1e-9;
        let columns = [
            column(noise),
            column(|row| noise(row) * 3.0 * 365.0),
            column(|_| 5.0),
            column(|row| (noise(row) - 1.96 * (noise(row) / 120_f64.sqrt())).max(0.0)),
            column(|row| if row == 7 { 0.0 } else { -noise(row) }),
            column(|row| noise(row + 1)),
            column(|row| if row < 30 { f64::NAN } else { f64::INFINITY }),
        ];
        let (mut parted, mut found) = (columns, Vec::new());
        part(&mut parted, ROWS_MAX, &mut found);
        let kin: Vec<_> = found.iter().map(|k| k.as_ref().map(of)).collect();
        assert_eq!(kin, [None, Some(0), None, Some(0), Some(0), None, None]);
        assert!(parted[1].iter().all(|rest| *rest < 32), "{:?}", parted[1]);
        let mut bytes = Vec::new();
        put(&mut bytes, &found);
        let mut input = Input(&bytes);
        assert_eq!(get(&mut input, columns.len()).unwrap(), found);
        assert!(input.0.is_empty());
        for (at, kin) in found.iter().enumerate() {
            if let Some(kin) = kin {
                let other = parted[of(kin)];
                join(kin, &mut parted[at], &other, ROWS_MAX);
            }
        }
        assert_eq!(parted, columns);
    }

    #[test]
    fn who_follows_a_later_column_or_a_follower_is_damage() {
        for bytes in [&[1][..], &[0, 1], &[0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 2], &[0, 3]] {
            assert!(get(&mut Input(bytes), 3).is_err(), "{bytes:?}");
        }
    }
}
