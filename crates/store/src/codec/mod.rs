//! Minute rows of one hour as one compressed blob, bit for bit.
//!
//! Columns, not rows: a feature's bits are XORed with the minute before and cut into byte planes, so that signs,
//! exponents and unchanged values become runs of zeros; states, kinds, coverage and anchors are sequences of which most
//! are constant or shared; zstd does the rest. The blob does not name its columns: whoever stores it names the layout
//! beside it. Enumerations have codes of their own here, so that a new variant elsewhere cannot shift old ones.

pub mod book;
mod build;
mod bytes;
mod decimal;
mod glance;
mod kin;
pub mod ledger;
pub(crate) mod level;
mod models;
pub mod points;
mod read;
mod seal;
mod seq;
pub mod universe;
pub(crate) mod words;

pub use build::ChunkBuilder;
pub use glance::glance;
pub use read::{decode, decode_at};

/// An hour of minutes.
pub const ROWS_MAX: usize = 60;
/// Written first in every blob.
const FORMAT: u8 = 4;
/// The one before: every column stands for itself.
const FORMAT_WITHOUT_KIN: u8 = 3;
/// The first format: of the axes it has the risk axis only.
const FORMAT_RISK_ONLY: u8 = 1;
/// The second: it does not say which alerts were open.
const FORMAT_WITHOUT_OPEN: u8 = 2;
/// Measured on rows of which 45 of 54 readings move every minute: 309 bytes a row and 620,000 rows a second, against 303
/// and 390,000 at level 3. What is left is mantissa noise.
const ZSTD_LEVEL: i32 = 1;
/// 60 rows of 4,000 columns; a blob that claims more is damaged.
const RAW_BYTES_MAX: usize = 16 << 20;

/// Numbers per row of each kind.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Width {
    /// `MinuteRow::cells`.
    pub features: usize,
    /// `MinuteRow::cuts`.
    pub cuts: usize,
    /// `MinuteRow::held`.
    pub rules: usize,
}

/// What is wrong with a blob or a row.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct CodecError(pub &'static str);

impl std::fmt::Display for CodecError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.0)
    }
}
impl std::error::Error for CodecError {}
