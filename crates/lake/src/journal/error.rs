//! What can go wrong with a journal, split by what the caller does next.
//!
//! Apart from the error of the importers on purpose: those answer to the person who named the files, these to the
//! supervision of a running process.

use barograph_domain::Ts;
use std::fmt;
use std::path::{Path, PathBuf};

/// Outcome of a journal operation.
pub type Result<T> = std::result::Result<T, Error>;

/// Why a journal operation failed.
#[derive(Debug)]
pub enum Error {
    /// Another process writes this journal: stop it or choose another data folder.
    Locked {
        /// Process id found in the lock file; `None` when it could not be read.
        pid: Option<u32>,
        /// The lock file.
        path: PathBuf,
    },
    /// The call breaks the contract of the journal: a bug of the caller. Nothing was written.
    Misuse(String),
    /// A stamp is not later than the one before it. Nothing was written.
    Stamp {
        /// The stamp that was given.
        at: Ts,
        /// The newest stamp of the journal.
        last: Ts,
    },
    /// An earlier write failed, so nobody knows what is on disk: stop, make room, open again.
    Poisoned {
        /// The first failure.
        cause: String,
    },
    /// A file holds something no crash leaves behind: restore a copy, or move the file away and accept the hole.
    Damaged {
        /// The file.
        path: PathBuf,
        /// Line in the decompressed text, counted from 1, the header being line 1.
        line: u64,
        /// What was found.
        what: String,
    },
    /// Lines of a connection are in no file: one was taken away.
    Missing {
        /// The first file behind them.
        path: PathBuf,
        /// The first of them, the connection's first line being 1.
        from: u64,
        /// The last of them.
        upto: u64,
    },
    /// The file was written by a newer release: upgrade.
    Newer {
        /// The file.
        path: PathBuf,
        /// What it says that this release does not know.
        what: String,
    },
    /// The operating system refused.
    Io {
        /// What was touched.
        path: PathBuf,
        /// Its answer.
        source: std::io::Error,
    },
}

/// What supervision does after an error.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Recovery {
    /// Refuse this call and go on.
    Refuse,
    /// Stop this writer; opening again is safe and finds everything that was flushed.
    Reopen,
    /// A person has to act first.
    Fatal,
}

impl Error {
    /// What supervision does next.
    #[must_use]
    pub const fn recovery(&self) -> Recovery {
        match self {
            Self::Misuse(_) | Self::Stamp { .. } => Recovery::Refuse,
            Self::Poisoned { .. } => Recovery::Reopen,
            Self::Locked { .. }
            | Self::Damaged { .. }
            | Self::Missing { .. }
            | Self::Newer { .. }
            | Self::Io { .. } => Recovery::Fatal,
        }
    }

    pub(crate) fn io(path: &Path) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.to_path_buf();
        move |source| Self::Io { path, source }
    }

    pub(crate) fn damaged(path: &Path, line: u64, what: impl Into<String>) -> Self {
        Self::Damaged { path: path.to_path_buf(), line, what: what.into() }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Locked { pid: Some(pid), path } => write!(
                f,
                "process {pid} already writes this journal ('{}'); stop it or choose another data folder",
                path.display()
            ),
            Self::Locked { pid: None, path } => write!(
                f,
                "another process already writes this journal ('{}'); stop it or choose another data folder",
                path.display()
            ),
            Self::Misuse(what) => write!(f, "journal used wrongly: {what}"),
            Self::Stamp { at, last } => write!(
                f,
                "stamp {} is not later than {}, the newest of the journal; stamps must increase strictly",
                at.0, last.0
            ),
            Self::Poisoned { cause } => {
                write!(f, "the journal stopped after a failed write ({cause}); make room and start again")
            }
            Self::Damaged { path, line, what } => write!(
                f,
                "'{}' is damaged at line {line}: {what}; restore a copy or move the file away",
                path.display()
            ),
            Self::Missing { path, from, upto } => {
                let lines = if from == upto { format!("line {from}") } else { format!("lines {from} to {upto}") };
                write!(
                    f,
                    "the file before '{}' is missing ({lines} of its connection); restore it from a copy",
                    path.display()
                )
            }
            Self::Newer { path, what } => {
                write!(f, "'{}' was written by a newer release: {what}; upgrade to read it", path.display())
            }
            Self::Io { path, source } if is_full(source) => write!(
                f,
                "no space left while writing '{}'; what is journalled stays, free space and start again",
                path.display()
            ),
            Self::Io { path, .. } => write!(f, "cannot use '{}'", path.display()),
        }
    }
}

/// Is it that the disk is full, or what this user may have of it?
fn is_full(source: &std::io::Error) -> bool {
    use std::io::ErrorKind::{QuotaExceeded, StorageFull};
    matches!(source.kind(), StorageFull | QuotaExceeded)
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            // The sentence says all of it.
            Self::Io { source, .. } if is_full(source) => None,
            Self::Io { source, .. } => Some(source),
            Self::Locked { .. }
            | Self::Misuse(_)
            | Self::Stamp { .. }
            | Self::Poisoned { .. }
            | Self::Damaged { .. }
            | Self::Missing { .. }
            | Self::Newer { .. } => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::error::Error as _;

    #[test]
    fn a_full_disk_is_told_with_what_to_do() {
        let full = Error::io(Path::new("journal/a"))(std::io::ErrorKind::StorageFull.into());
        assert_eq!(
            full.to_string(),
            "no space left while writing 'journal/a'; what is journalled stays, free space and start again"
        );
        assert!(full.source().is_none());
        let other = Error::io(Path::new("journal/a"))(std::io::ErrorKind::NotFound.into());
        assert_eq!(other.to_string(), "cannot use 'journal/a'");
        assert!(other.source().is_some());
    }
}
