//! Errors inside the SQLite implementation, before they know which file they are about.

use crate::codec::CodecError;
use crate::{Error, RunKey};
use barograph_domain::Ts;
use rusqlite::ErrorCode;
use std::path::Path;

/// What a private function returns.
pub(super) type Inner<T> = Result<T, Fault>;

/// A failure on its way out.
#[derive(Debug)]
pub(super) enum Fault {
    /// SQLite said no.
    Sql(rusqlite::Error),
    /// Stored content makes no sense.
    Damaged(String),
    /// The file belongs to another program.
    Foreign,
    /// The caller's request makes no sense.
    Invalid(String),
    /// A published minute would change.
    Conflict {
        /// Whose.
        key: RunKey,
        /// Which.
        minute: Ts,
    },
    /// The operating system said no.
    Io(std::io::Error),
}

impl From<rusqlite::Error> for Fault {
    fn from(e: rusqlite::Error) -> Self {
        Self::Sql(e)
    }
}
impl From<std::io::Error> for Fault {
    fn from(e: std::io::Error) -> Self {
        Self::Io(e)
    }
}

impl Fault {
    /// A chunk that cannot be read.
    pub(super) fn chunk(chunk: i64, e: CodecError) -> Self {
        Self::Damaged(format!("chunk {chunk} {e}"))
    }

    /// A failure that leaves the database as it was and the writer usable.
    pub(super) fn is_harmless(&self) -> bool {
        match self {
            Self::Invalid(_) | Self::Conflict { .. } => true,
            Self::Sql(e) => e.sqlite_error_code() == Some(ErrorCode::DatabaseBusy),
            Self::Damaged(_) | Self::Foreign | Self::Io(_) => false,
        }
    }

    /// The same, as people and callers see it.
    pub(super) fn at(self, path: &Path) -> Error {
        let path = path.to_owned();
        match self {
            Self::Invalid(what) => Error::Invalid(what),
            Self::Conflict { key, minute } => {
                Error::Conflict { instrument: key.instrument, logic_version: key.logic_version, minute }
            }
            Self::Damaged(detail) => Error::Corrupt { path, detail },
            Self::Foreign => Error::NotAStore { path, detail: "it is another program's database".into() },
            Self::Io(source) => io(path, source),
            Self::Sql(e) => match e.sqlite_error_code() {
                Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => Error::Busy { path },
                Some(ErrorCode::ReadOnly) => Error::ReadOnly { path },
                Some(ErrorCode::DiskFull) => Error::Full { path },
                Some(ErrorCode::DatabaseCorrupt) => Error::Corrupt { path, detail: reason(&e) },
                Some(ErrorCode::NotADatabase) => Error::NotAStore { path, detail: "it is no SQLite database".into() },
                _ => Error::Database { path, source: Box::new(e) },
            },
        }
    }
}

/// An operating system's refusal, told apart by what to do next.
pub(super) fn io(path: std::path::PathBuf, source: std::io::Error) -> Error {
    use std::io::ErrorKind;
    match source.kind() {
        ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem => Error::ReadOnly { path },
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => Error::Full { path },
        _ => Error::Io { path, source },
    }
}

fn reason(e: &rusqlite::Error) -> String {
    match e {
        rusqlite::Error::SqliteFailure(_, Some(text)) => text.clone(),
        other => other.to_string(),
    }
}
