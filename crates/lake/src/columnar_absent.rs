//! Parquet and Feather in a program that was built without what reads them (feature `parquet`): a file of theirs is recognised and
//! refused with the way to a program that reads it. The same names as in `columnar.rs`.

use barograph_venues::{TableCell, TypedColumns};
use core::convert::Infallible;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

/// Which of the two formats.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Columnar {
    Parquet,
    Feather,
}

/// Rows of a file: there are none, since none is opened.
pub(crate) struct ColumnarRows(Infallible);

/// One decoded batch: there is none.
pub(crate) struct DecodedBatch(Infallible);

/// Column names of a file.
pub(crate) struct Heading {
    pub(crate) names: Vec<String>,
}

/// Refuses a file. The message goes on from the file's name and "is".
pub(crate) fn open(
    _path: &Path,
    format: Columnar,
    _wanted: Option<&[usize]>,
    _read: &Arc<AtomicU64>,
) -> Result<(Heading, ColumnarRows), String> {
    let name = match format {
        Columnar::Parquet => "parquet",
        Columnar::Feather => "feather",
    };
    Err(format!("a {name} file, and this program was built without reading those: {}", crate::WHOLE_PROGRAM))
}

impl ColumnarRows {
    pub(crate) fn next(&mut self) -> Option<Result<usize, String>> {
        match self.0 {}
    }
    pub(crate) fn batch(&self) -> &DecodedBatch {
        match self.0 {}
    }
    pub(crate) fn number(&self) -> u64 {
        match self.0 {}
    }
}

impl TypedColumns for DecodedBatch {
    fn width(&self) -> usize {
        match self.0 {}
    }
    fn cell(&self, _column: usize, _row: usize) -> TableCell<'_> {
        match self.0 {}
    }
}
