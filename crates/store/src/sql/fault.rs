//! Errors inside the implementations, before they know which store they are about.

use crate::codec::CodecError;
use crate::postgres;
use crate::{Error, RunKey};
use barograph_domain::Ts;
use rusqlite::ErrorCode;
use std::error::Error as _;
use std::path::Path;
use std::time::Duration;
use tokio_postgres::error::SqlState;

/// What a private function returns.
pub(crate) type Inner<T> = Result<T, SqlFault>;

/// Readers are asked to come back after this: a server restarts in one to a few seconds.
const AGAIN: Duration = Duration::from_secs(2);

/// A failure on its way out.
#[derive(Debug)]
pub(crate) enum SqlFault {
    /// SQLite said no.
    Sql(rusqlite::Error),
    /// PostgreSQL said no, or nothing.
    Server(Box<tokio_postgres::Error>),
    /// The server has not let go of a connection that is gone.
    Away,
    /// A question that has one answer had none.
    NoRow,
    /// Stored content makes no sense.
    Damaged(String),
    /// The file or schema belongs to another program.
    Foreign,
    /// The caller's request makes no sense.
    Invalid(String),
    /// A published minute would change.
    Conflict {
        /// Run of the row.
        key: RunKey,
        /// Minute of the row.
        minute: Ts,
    },
    /// A newer owner writes the group.
    Fenced { group: u16, token: u64, newer: u64 },
    /// The operating system said no.
    Io(std::io::Error),
}

impl From<rusqlite::Error> for SqlFault {
    fn from(e: rusqlite::Error) -> Self {
        match e {
            rusqlite::Error::QueryReturnedNoRows => Self::NoRow,
            // The program writes text as UTF-8; other bytes are damage.
            rusqlite::Error::Utf8Error(..) => Self::Damaged(e.to_string()),
            other => Self::Sql(other),
        }
    }
}
impl From<std::io::Error> for SqlFault {
    fn from(e: std::io::Error) -> Self {
        Self::Io(e)
    }
}

impl SqlFault {
    /// A chunk that cannot be read.
    pub(crate) fn chunk(chunk: i64, e: CodecError) -> Self {
        Self::Damaged(format!("chunk {chunk} {e}"))
    }

    /// A failure that leaves a file as it was and its writer usable.
    pub(crate) fn is_harmless(&self) -> bool {
        match self {
            Self::Invalid(_) | Self::Conflict { .. } | Self::Fenced { .. } => true,
            Self::Sql(e) => e.sqlite_error_code() == Some(ErrorCode::DatabaseBusy),
            // A server undoes a failed transaction as a whole, or says by its number that it did not.
            Self::Server(_) | Self::Away => true,
            Self::NoRow | Self::Damaged(_) | Self::Foreign | Self::Io(_) => false,
        }
    }

    /// Is the server gone, starting or stopping? The same may work on another connection.
    pub(crate) fn is_lost(&self) -> bool {
        let e = match self {
            Self::Server(e) => e,
            Self::Away => return true,
            _ => return false,
        };
        match e.code() {
            Some(code) => {
                code.code().starts_with("08")
                    || [
                        &SqlState::ADMIN_SHUTDOWN,
                        &SqlState::CRASH_SHUTDOWN,
                        &SqlState::CANNOT_CONNECT_NOW,
                        &SqlState::TOO_MANY_CONNECTIONS,
                        &SqlState::IDLE_IN_TRANSACTION_SESSION_TIMEOUT,
                    ]
                    .contains(&code)
            }
            // Without a cause: it was closed, or what came over it was no answer.
            None => {
                let cut = e.source().is_none_or(|s| s.is::<std::io::Error>());
                cut && postgres::refused(e).is_none()
            }
        }
    }

    /// Two transactions got into each other's way: the same may work again.
    pub(crate) fn is_collision(&self) -> bool {
        let Self::Server(e) = self else { return false };
        [
            &SqlState::T_R_SERIALIZATION_FAILURE,
            &SqlState::T_R_DEADLOCK_DETECTED,
            // The partition of a month: another writer's retention has dropped it.
            &SqlState::CHECK_VIOLATION,
        ]
        .map(Some)
        .contains(&e.code())
    }

    /// The same, as people and callers see it.
    pub(crate) fn at(self, path: &Path) -> Error {
        let lost = self.is_lost();
        let path = path.to_owned();
        match self {
            Self::Invalid(what) => Error::Invalid(what),
            Self::Conflict { key, minute } => {
                Error::Conflict { instrument: key.instrument, logic_version: key.logic_version, minute }
            }
            Self::Fenced { group, token, newer } => Error::Fenced { group, token, newer },
            Self::NoRow => Error::Corrupt { path, detail: "a record is missing".into() },
            Self::Damaged(detail) => Error::Corrupt { path, detail },
            Self::Foreign => Error::NotAStore { path, detail: "it is another program's database".into() },
            Self::Io(source) => io(path, source),
            Self::Away => Error::Unavailable { path, retry_after: AGAIN, reason: "it is coming back".to_owned() },
            Self::Server(e) if lost => Error::Unavailable { path, retry_after: AGAIN, reason: reason_text(&e) },
            Self::Server(e) => server(path, &e),
            Self::Sql(e) => match e.sqlite_error_code() {
                // The last: somebody is held fast while it opens the file.
                Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked | ErrorCode::FileLockingProtocolFailed) => {
                    Error::Busy { path }
                }
                Some(ErrorCode::ReadOnly) => Error::ReadOnly { path },
                Some(ErrorCode::DiskFull) => Error::Full { path },
                Some(ErrorCode::DatabaseCorrupt) => Error::Corrupt { path, detail: reason(&e) },
                Some(ErrorCode::NotADatabase) => Error::NotAStore { path, detail: "it is no SQLite database".into() },
                _ => Error::Database { path, source: Box::new(e) },
            },
        }
    }
}

/// A server's refusal, told apart by what to do next.
fn server(path: std::path::PathBuf, e: &tokio_postgres::Error) -> Error {
    if let Some(why) = postgres::refused(e) {
        return Error::Invalid(format!("the certificate of {} is refused: {why}", path.display()));
    }
    match e.code() {
        Some(&SqlState::DISK_FULL) => Error::Full { path },
        Some(&(SqlState::READ_ONLY_SQL_TRANSACTION | SqlState::INSUFFICIENT_PRIVILEGE)) => Error::ReadOnly { path },
        Some(&(SqlState::DATA_CORRUPTED | SqlState::INDEX_CORRUPTED)) => {
            Error::Corrupt { path, detail: reason_text(e) }
        }
        Some(&(SqlState::LOCK_NOT_AVAILABLE | SqlState::QUERY_CANCELED)) => Error::Busy { path },
        _ => Error::Database { path, source: reason_text(e).into() },
    }
}

/// What the server said; else what the driver did.
fn reason_text(e: &tokio_postgres::Error) -> String {
    match (e.as_db_error(), e.source()) {
        (Some(db), _) => db.message().to_owned(),
        (None, Some(source)) => format!("{e}: {source}"),
        (None, None) => e.to_string(),
    }
}

/// An operating system's refusal, told apart by what to do next.
pub(crate) fn io(path: std::path::PathBuf, source: std::io::Error) -> Error {
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
