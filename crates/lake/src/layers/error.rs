//! What can go wrong with the lake, split by what the caller does next.

use barograph_domain::Ts;
use std::fmt;
use std::path::{Path, PathBuf};

/// Outcome of an operation on the lake.
pub type LayerResult<T> = std::result::Result<T, LayerError>;

/// Why an operation on the lake failed.
#[derive(Debug)]
pub enum LayerError {
    /// Another process writes, or compacts, this market: stop it or wait.
    Held {
        /// Process id found in the lock file; `None` when it could not be read.
        pid: Option<u32>,
        /// The lock file.
        path: PathBuf,
    },
    /// The call breaks the contract of the lake: a bug of the caller. Nothing was written.
    Misuse(String),
    /// A row of an hour that is over: it is refused, because what has been read once does not change. Nothing was written.
    ClosedHour {
        /// The row's `ts`.
        ts: Ts,
        /// The beginning of the first hour that may still be written to.
        open_from: Ts,
    },
    /// A row of an hour before the one that this writer is in: hours of one writer only rise. Nothing was written.
    PassedHour {
        /// The row's `ts`.
        ts: Ts,
        /// The beginning of the first hour that this writer may still write to.
        open_from: Ts,
    },
    /// A row that does not come after the one before it. Nothing was written.
    Order(String),
    /// An earlier write failed, so nobody knows what is on disk: stop, make room, open again.
    Stopped {
        /// The first failure.
        cause: String,
    },
    /// A file holds what this program never writes: restore a copy, or move the hour away and accept the hole.
    Damaged {
        /// The file.
        path: PathBuf,
        /// What was found.
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

impl LayerError {
    pub(super) fn io(path: &Path) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.to_path_buf();
        move |source| Self::Io { path, source }
    }

    /// The sentence, and what the operating system said.
    pub(super) fn with_cause(&self) -> String {
        match self {
            Self::Io { source, .. } => format!("{self}: {source}"),
            other => other.to_string(),
        }
    }

    pub(super) fn damaged(path: &Path, what: impl fmt::Display) -> Self {
        Self::Damaged { path: path.to_path_buf(), what: what.to_string() }
    }

    /// Does the caller go on after this: is only the call refused, and nothing written?
    #[must_use]
    pub const fn is_refusal(&self) -> bool {
        matches!(self, Self::Misuse(_) | Self::ClosedHour { .. } | Self::PassedHour { .. } | Self::Order(_))
    }
}

impl fmt::Display for LayerError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Held { pid, path } => {
                let who = pid.map_or_else(|| "another process".to_owned(), |pid| format!("process {pid}"));
                write!(f, "{who} already writes this market ('{}'); stop it or wait until it is done", path.display())
            }
            Self::Misuse(what) => write!(f, "lake used wrongly: {what}"),
            Self::ClosedHour { ts, open_from } => write!(
                f,
                "a row of {ts} belongs to an hour that is closed and never rewritten; rows from {open_from} on can be added"
            ),
            Self::PassedHour { ts, open_from } => write!(
                f,
                "a row of {ts} comes after rows of a later hour; this run can add rows from {open_from} on, and another run those before"
            ),
            Self::Order(what) => write!(f, "rows are not in order: {what}"),
            Self::Stopped { cause } => {
                write!(f, "the lake stopped after a failed write ({cause}); make room and start again")
            }
            Self::Damaged { path, what } => write!(f, "'{}' is damaged: {what}", path.display()),
            Self::Io { path, .. } => write!(f, "cannot use '{}'", path.display()),
        }
    }
}

impl std::error::Error for LayerError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Io { source, .. } => Some(source),
            Self::Held { .. }
            | Self::Misuse(_)
            | Self::ClosedHour { .. }
            | Self::PassedHour { .. }
            | Self::Order(_)
            | Self::Stopped { .. }
            | Self::Damaged { .. } => None,
        }
    }
}
