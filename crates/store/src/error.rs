//! What can go wrong, split by what the caller does next.
//!
//! Each text says what was wrong and what to do; paths are those of the data folder or of the store's file.

use barograph_domain::{InstrumentName, Ts};
use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

/// Outcome of a storage operation.
pub type Result<T> = std::result::Result<T, Error>;

/// Why a storage operation failed. After any error of a write the store holds what it held before.
#[derive(Debug)]
pub enum Error {
    /// Another process writes in this role: stop it, or let it do the work.
    Locked {
        /// `ingest`, `context` or `delivery`.
        role: &'static str,
        /// Process id found in the lock file; `None` when it could not be read.
        pid: Option<u32>,
        /// The lock file.
        path: PathBuf,
    },
    /// Another process holds the file for longer than the waiting time: try again.
    Busy {
        /// The store's file.
        path: PathBuf,
    },
    /// The folder or file cannot be written: choose another data folder, or change its permissions.
    ReadOnly {
        /// What could not be written.
        path: PathBuf,
    },
    /// No space is left: free some and run the same command again.
    Full {
        /// The store's file.
        path: PathBuf,
    },
    /// The file is damaged: restore a copy, or import again into a new folder.
    Corrupt {
        /// The store's file.
        path: PathBuf,
        /// What was found.
        detail: String,
    },
    /// The file is something else.
    NotAStore {
        /// The file.
        path: PathBuf,
        /// What it is instead, as far as known.
        detail: String,
    },
    /// The file was written by a newer build: upgrade the program.
    Newer {
        /// The store's file.
        path: PathBuf,
        /// Version of the schema in the file.
        found: i64,
        /// Newest version this build knows.
        known: i64,
    },
    /// The file was written by an older build and this reader may not change it: any writing command upgrades it.
    Outdated {
        /// The store's file.
        path: PathBuf,
        /// Version of the schema in the file.
        found: i64,
        /// Version this build reads.
        known: i64,
    },
    /// Nothing has been stored here yet.
    Missing {
        /// The file that is not there.
        path: PathBuf,
    },
    /// An earlier write failed, so nobody knows what is on disk: open the store again.
    Poisoned {
        /// The first failure.
        cause: String,
    },
    /// The request contradicts the contract or what is stored: correct the request.
    Invalid(String),
    /// A minute is published already with other content: what was published never changes. Nothing was stored.
    Conflict {
        /// Whose row.
        instrument: InstrumentName,
        /// Under which arithmetic.
        logic_version: String,
        /// Its minute.
        minute: Ts,
    },
    /// Another process has taken over this group of instruments: stop writing it. Nothing was stored.
    Fenced {
        /// The group.
        group: u16,
        /// The token that was shown.
        token: u64,
        /// The token of the owner since.
        newer: u64,
    },
    /// The server does not answer, or is starting or stopping: ask again after a while. A write that met this either
    /// happened or did not, and may be repeated.
    Unavailable {
        /// The server's address, without the password.
        path: PathBuf,
        /// When asking again makes sense.
        retry_after: Duration,
        /// What it said, if anything.
        reason: String,
    },
    /// The operating system refused.
    Io {
        /// What was touched.
        path: PathBuf,
        /// Its answer.
        source: std::io::Error,
    },
    /// The database refused for a reason that has no variant of its own.
    Database {
        /// The store's file.
        path: PathBuf,
        /// Its answer.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}

/// What supervision does after an error.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Recovery {
    /// Try the same again after a pause of about a second.
    RetryAfter,
    /// Refuse this request and go on.
    Refuse,
    /// Stop this writer; opening again is safe and finds the last complete state.
    Reopen,
    /// End for good: another process has the work now. Trying or opening again changes nothing.
    Stop,
    /// A person has to act first.
    Fatal,
}

impl Error {
    /// What supervision does next.
    #[must_use]
    pub const fn recovery(&self) -> Recovery {
        match self {
            Self::Busy { .. } | Self::Unavailable { .. } => Recovery::RetryAfter,
            Self::Invalid(_) | Self::Conflict { .. } | Self::Missing { .. } => Recovery::Refuse,
            Self::Poisoned { .. } => Recovery::Reopen,
            Self::Fenced { .. } => Recovery::Stop,
            Self::Locked { .. }
            | Self::ReadOnly { .. }
            | Self::Full { .. }
            | Self::Corrupt { .. }
            | Self::NotAStore { .. }
            | Self::Newer { .. }
            | Self::Outdated { .. }
            | Self::Io { .. }
            | Self::Database { .. } => Recovery::Fatal,
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Locked { role, pid: Some(pid), path } => write!(
                f,
                "process {pid} already writes as '{role}' into '{}'; stop it or choose another data folder",
                folder(path)
            ),
            Self::Locked { role, pid: None, path } => write!(
                f,
                "another process already writes as '{role}' into '{}'; stop it or choose another data folder",
                folder(path)
            ),
            Self::Busy { path } => {
                write!(f, "'{}' is held by another process; try again in a moment", path.display())
            }
            Self::ReadOnly { path } => {
                write!(f, "'{}' cannot be written; choose another data folder or allow writing", path.display())
            }
            Self::Full { path } => write!(
                f,
                "no space left while writing '{}'; nothing already stored was lost, free space and run it again",
                path.display()
            ),
            Self::Corrupt { path, detail } => write!(
                f,
                "'{}' is damaged ({detail}); restore a copy or import again into a new data folder",
                path.display()
            ),
            Self::NotAStore { path, detail } => {
                write!(f, "'{}' is not a barograph store ({detail}); choose another data folder", path.display())
            }
            Self::Newer { path, found, known } => write!(
                f,
                "'{}' has schema version {found}, this build knows up to {known}; use a newer barograph",
                path.display()
            ),
            Self::Outdated { path, found, known } => write!(
                f,
                "'{}' has schema version {found}, this build reads {known}; run any writing command once to upgrade it",
                path.display()
            ),
            Self::Missing { path } => {
                write!(f, "nothing is stored at '{}' yet; import something into this data folder first", path.display())
            }
            Self::Poisoned { cause } => {
                write!(f, "an earlier write failed ({cause}); open the store again before writing")
            }
            Self::Invalid(what) => f.write_str(what),
            Self::Conflict { instrument, logic_version, minute } => write!(
                f,
                "{instrument} already has another row of {minute} under {logic_version}, and what was published never \
                 changes; publish later minutes, or use another data folder"
            ),
            Self::Fenced { group, token, newer } => {
                write!(
                    f,
                    "group {group} is written by a newer owner (token {token} < {newer}); stop this process, its markets are \
                     in other hands"
                )
            }
            Self::Unavailable { path, retry_after, reason } => write!(
                f,
                "'{}' does not answer ({reason}); try again in {} s, or see that the server runs",
                path.display(),
                retry_after.as_secs()
            ),
            Self::Io { path, source } => write!(f, "'{}': {source}", path.display()),
            Self::Database { path, source } => write!(f, "'{}': {source}", path.display()),
        }
    }
}

fn folder(path: &std::path::Path) -> String {
    path.parent().unwrap_or(path).display().to_string()
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Io { source, .. } => Some(source),
            Self::Database { source, .. } => {
                let source: &(dyn std::error::Error + 'static) = source.as_ref();
                Some(source)
            }
            Self::Locked { .. }
            | Self::Busy { .. }
            | Self::ReadOnly { .. }
            | Self::Full { .. }
            | Self::Corrupt { .. }
            | Self::NotAStore { .. }
            | Self::Newer { .. }
            | Self::Outdated { .. }
            | Self::Missing { .. }
            | Self::Poisoned { .. }
            | Self::Conflict { .. }
            | Self::Fenced { .. }
            | Self::Unavailable { .. }
            | Self::Invalid(_) => None,
        }
    }
}
