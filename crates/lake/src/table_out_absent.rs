//! Tables written as Parquet, in a program that was built without what writes them: refused. The same names as in `table_out.rs`.

use core::convert::Infallible;
use std::io;
use std::path::Path;

/// Values of one column; `None` is null.
#[derive(Clone, PartialEq, Debug)]
pub enum TableColumn {
    /// Texts, UTF-8.
    Words(Vec<Option<String>>),
    /// Floating-point numbers.
    Numbers(Vec<Option<f64>>),
    /// Whole numbers.
    Counts(Vec<Option<i64>>),
    /// Nanoseconds since 1970, UTC.
    Moments(Vec<Option<i64>>),
}

/// A file on its way: none is begun.
#[derive(Debug)]
pub struct ParquetOut(Infallible);

impl ParquetOut {
    /// Can such a file be written at all?
    ///
    /// # Errors
    /// Always, with the way to a program that can.
    pub fn offered() -> io::Result<()> {
        let why = format!("this program was built without Parquet: {}; or write CSV", crate::WHOLE_PROGRAM);
        Err(io::Error::new(io::ErrorKind::Unsupported, why))
    }

    /// Refuses to begin a file.
    ///
    /// # Errors
    /// Always, as [`Self::offered`].
    pub fn create(_path: &Path, _like: &[(&str, TableColumn)]) -> io::Result<Self> {
        Self::offered()?;
        Err(io::ErrorKind::Unsupported.into())
    }

    /// Never called, since no file is begun.
    ///
    /// # Errors
    /// None.
    pub fn write(&mut self, _columns: Vec<TableColumn>) -> io::Result<()> {
        match self.0 {}
    }

    /// Never called, since no file is begun.
    ///
    /// # Errors
    /// None.
    pub fn finish(self) -> io::Result<()> {
        match self.0 {}
    }
}
