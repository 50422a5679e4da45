//! The embedded implementation: one SQLite file, `barograph.db`, in the data folder.
//!
//! Write-ahead logging gives readers a stable view while something is written; a writer's transactions are short, also
//! while a year of rows is replaced, because the two writing roles may be two processes and SQLite has one writer at a
//! time. `synchronous=NORMAL`: a killed process loses nothing that was committed, a power cut may lose the last commits
//! but never leaves half of one.

mod lock;
mod open;
mod schema;

pub(crate) use lock::RoleLock;
pub(crate) use open::{known, reader as open_reader, writer as open_writer};

use crate::sql::fault::SqlFault;
use crate::sql::reader::SqlReader;
use crate::sql::writer::SqlWriter;
use crate::{Result, WriterRole};
use std::path::Path;

/// Name of the store's file in the data folder.
pub const FILE: &str = "barograph.db";

/// Sets something that the views read.
pub(crate) fn set(path: &Path, name: &str, value: i64) -> Result<()> {
    let sql = "UPDATE settings SET value = ?2 WHERE name = ?1 AND value <> ?2";
    let changed = open_writer(path)?.execute(sql, rusqlite::params![name, value]);
    changed.map(drop).map_err(|e| SqlFault::Sql(e).at(path))
}

/// Marks the file in [`SqliteReader`] and [`SqliteWriter`].
#[derive(Clone, Copy, Debug)]
pub enum Sqlite {}

/// Reads one data folder; may be shared between threads.
pub type SqliteReader = SqlReader<Sqlite>;
/// Writes into one data folder in one or both roles.
pub type SqliteWriter = SqlWriter<Sqlite>;

impl SqliteReader {
    /// Opens the store of a data folder for reading. Takes no lock and writes nothing, so the folder may be read-only.
    ///
    /// # Errors
    /// [`crate::Error::Missing`] when nothing is stored there, and all that opening a file can bring.
    pub fn open(folder: &Path) -> Result<Self> {
        Self::over_file(folder.join(FILE))
    }
}

impl SqliteWriter {
    /// Opens the store of a data folder for writing, making both where they do not exist. Takes the lock of each role.
    ///
    /// # Errors
    /// [`crate::Error::Locked`] when another process holds a role, and all that opening a file can bring.
    pub fn open(folder: &Path, roles: &[WriterRole]) -> Result<Self> {
        Self::over_file(folder, roles)
    }
}
