//! A digest of the rows of an hour, which does not depend on files, row groups, pages, encodings or compression.
//!
//! Two SHA-256 run per column, over its rows from the hour's first to its last: one over the cells that are there, each as Parquet's
//! physical type holds it (4 or 8 bytes, little-endian; yes or no as one byte; a text as its length in 4 bytes and its UTF-8), and one over
//! the row numbers, counted from 0 in 8 bytes little-endian, of the cells that are absent. The digest of the hour is the SHA-256 over
//! [`FORM`] and a newline, a line `name type` of each column in order (`name type?` where cells may be absent), the number of rows in 8
//! bytes little-endian, and the two digests of each column in the same order. Streaming and by columns, so that writer, compaction and
//! check compute it from whatever rows are at hand.

use super::buffer::{Cells, ColumnBuffer, RowBuffer};
use super::schema::LakeColumn;
use super::share::{hands, shared};
use sha2::{Digest as _, Sha256};

/// Name of this digest, which is in it.
pub const FORM: &str = "barograph-lake-rows.1";

/// The digest of the rows so far.
#[derive(Clone)]
pub(super) struct RowsDigest {
    head: String,
    columns: Vec<(Sha256, Sha256)>,
    rows: u64,
}

impl std::fmt::Debug for RowsDigest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RowsDigest").field("rows", &self.rows).finish_non_exhaustive()
    }
}

impl RowsDigest {
    pub(super) fn new(columns: &[LakeColumn]) -> Self {
        let mut head = format!("{FORM}\n");
        for column in columns {
            let mark = if column.nullable { "?" } else { "" };
            head.push_str(&format!("{} {}{mark}\n", column.name, column.cells.word()));
        }
        Self { head, columns: columns.iter().map(|_| (Sha256::new(), Sha256::new())).collect(), rows: 0 }
    }

    /// Takes in the rows of a buffer behind those before.
    pub(super) fn update(&mut self, rows: &RowBuffer) {
        let taken_in = |n: usize| {
            let ((mut cells, mut nulls), column) = (self.columns[n].clone(), &rows.columns[n]);
            update_column(&mut cells, column);
            blocks(&mut nulls, &column.nulls, |row| (self.rows + u64::from(*row)).to_le_bytes());
            (cells, nulls)
        };
        let mut hands = vec![(); hands(rows.rows)];
        self.columns = shared(&mut hands, self.columns.len(), |(), n| taken_in(n));
        self.rows += rows.rows as u64;
    }

    /// 64 hexadecimal digits.
    pub(super) fn hex(&self) -> String {
        let mut all = Sha256::new();
        all.update(self.head.as_bytes());
        all.update(self.rows.to_le_bytes());
        for (cells, nulls) in &self.columns {
            all.update(cells.clone().finalize());
            all.update(nulls.clone().finalize());
        }
        all.finalize().iter().map(|b| format!("{b:02x}")).collect()
    }
}

fn update_column(hash: &mut Sha256, column: &ColumnBuffer) {
    match &column.cells {
        Cells::I64(cells) => blocks(hash, cells, |v| v.to_le_bytes()),
        Cells::I32(cells) => blocks(hash, cells, |v| v.to_le_bytes()),
        Cells::F64(cells) => blocks(hash, cells, |v| v.to_le_bytes()),
        Cells::Bool(cells) => blocks(hash, cells, |v| [u8::from(*v)]),
        Cells::Bytes(cells) => {
            for text in cells {
                // A text of 4 GiB does not get this far: Parquet refuses it.
                hash.update(u32::try_from(text.len()).unwrap_or(u32::MAX).to_le_bytes());
                hash.update(text.data());
            }
        }
    }
}

/// Bytes handed over at a time; many cells, so that each costs a copy only.
const BLOCK: usize = 4_096;

fn blocks<T, const N: usize>(hash: &mut Sha256, cells: &[T], bytes: impl Fn(&T) -> [u8; N]) {
    let mut block = [0; BLOCK];
    for cells in cells.chunks(BLOCK / N) {
        for (out, cell) in block.chunks_exact_mut(N).zip(cells) {
            out.copy_from_slice(&bytes(cell));
        }
        hash.update(&block[..cells.len() * N]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layers::schema::CellType;

    fn columns() -> Vec<LakeColumn> {
        vec![
            LakeColumn::required("ts", CellType::Moment),
            LakeColumn::nullable("x", CellType::F64),
            LakeColumn::nullable("t", CellType::Text),
        ]
    }

    type Row = (i64, Option<f64>, Option<&'static str>);

    /// The digest of rows that come in pieces of these sizes.
    fn digest(rows: &[Row], pieces: &[usize]) -> String {
        let columns = columns();
        let mut digest = RowsDigest::new(&columns);
        let mut rest = rows;
        for piece in pieces.iter().copied().chain([rows.len()]) {
            let (now, later) = rest.split_at(piece.min(rest.len()));
            rest = later;
            let mut buffer = RowBuffer::new(&columns, 0);
            for (ts, x, t) in now {
                buffer.columns[0].push_i64(*ts);
                match x {
                    Some(x) => buffer.columns[1].push_f64(*x),
                    None => buffer.columns[1].push_null(buffer.rows),
                }
                match (t, &mut buffer.columns[2].cells) {
                    (Some(t), Cells::Bytes(cells)) => cells.push(t.as_bytes().to_vec().into()),
                    _ => buffer.columns[2].push_null(buffer.rows),
                }
                buffer.rows += 1;
            }
            digest.update(&buffer);
        }
        digest.hex()
    }

    const ROWS: [Row; 4] = [(1, Some(0.5), None), (2, None, Some("a")), (2, Some(-0.0), Some("bc")), (3, None, None)];

    #[test]
    fn pieces_do_not_matter_and_every_cell_does() {
        let whole = digest(&ROWS, &[]);
        for pieces in [&[1][..], &[2, 1], &[3], &[1, 1, 1]] {
            assert_eq!(digest(&ROWS, pieces), whole, "{pieces:?}");
        }
        let changes: [fn(&mut [Row; 4]); 7] = [
            |r| r[0].0 = 0,
            |r| r[1].1 = Some(0.0),
            |r| r[2].1 = Some(0.0),
            |r| r.swap(2, 3),
            |r| r[1].2 = Some("ab"),
            |r| (r[1].2, r[2].2) = (Some("ab"), Some("c")),
            |r| (r[2].1, r[3].1) = (None, Some(-0.0)),
        ];
        for (i, change) in changes.into_iter().enumerate() {
            let mut rows = ROWS;
            change(&mut rows);
            assert_ne!(digest(&rows, &[]), whole, "change {i}");
        }
    }

    #[test]
    fn the_digest_is_the_one_the_text_above_describes() {
        // Computed from that text with Python's hashlib; tests/layers/readers.py does the same for whole files.
        assert_eq!(digest(&[], &[]), "f38a343b5e8e89ae6fc8ba77f4d29e23140c1a543d495c6c029e6c60a746435a");
        assert_eq!(digest(&ROWS, &[]), "78b0952316a376e39fac11c5bf9654cb0792abf4d8d6af593ae1c8f24cddf8b8");
    }
}
