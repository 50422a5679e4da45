//! Why an object could not be put, got or listed.

use crate::ObjectDigest;
use core::fmt;
use std::path::{Path, PathBuf};

/// Outcome with this crate's error.
pub type Result<T> = core::result::Result<T, Error>;

/// Why something did not work, by what the caller does next.
#[derive(Debug)]
pub enum Error {
    /// The text is not a key.
    Key {
        /// The text.
        key: String,
        /// Why it is none.
        why: &'static str,
    },
    /// The bytes are not those that were put.
    Digest {
        /// Key of the object.
        key: String,
        /// What its digest is by what stands beside it, or in a manifest.
        expected: ObjectDigest,
        /// The digest of the bytes.
        found: ObjectDigest,
    },
    /// What was to be put is no longer what it was when its digest was made.
    Changed {
        /// Key of the object.
        key: String,
    },
    /// There is no such object.
    Absent {
        /// Its key.
        key: String,
        /// The place.
        place: String,
    },
    /// An object is there and does not say what it has to.
    Damaged {
        /// Its key.
        key: String,
        /// What is wrong with it.
        what: String,
    },
    /// The server refused.
    Refused {
        /// What was asked.
        what: String,
        /// The place.
        place: String,
        /// HTTP status.
        status: u16,
        /// The code in the answer, such as `AccessDenied`; empty where it gives none.
        code: String,
        /// What to do about it, or what the server writes of it.
        advice: String,
    },
    /// No answer, or none but that the server is busy, however often it was tried.
    Away {
        /// What was asked.
        what: String,
        /// The place.
        place: String,
        /// How often it was tried.
        tries: u32,
        /// The last reason.
        why: String,
    },
    /// An address or a setting cannot be used.
    Address(String),
    /// A file cannot be read or written.
    Io {
        /// The file.
        path: PathBuf,
        /// What the system gives as the reason.
        source: std::io::Error,
    },
}

/// What supervision does after an error.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Recovery {
    /// Try again later: nothing is lost.
    RetryAfter,
    /// Put or take another copy of this object; others are not affected.
    Quarantine,
    /// Nothing helps until somebody changes something.
    Fatal,
}

impl Error {
    /// What to do about it.
    #[must_use]
    pub const fn recovery(&self) -> Recovery {
        match self {
            Self::Away { .. } => Recovery::RetryAfter,
            Self::Digest { .. } | Self::Changed { .. } | Self::Absent { .. } | Self::Damaged { .. } => {
                Recovery::Quarantine
            }
            Self::Key { .. } | Self::Refused { .. } | Self::Address(_) | Self::Io { .. } => Recovery::Fatal,
        }
    }

    pub(crate) fn io(path: &Path) -> impl FnOnce(std::io::Error) -> Self + '_ {
        |source| Self::Io { path: path.to_owned(), source }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Key { key, why } => write!(f, "'{key}' is not a key: {why}; rename it"),
            Self::Digest { key, expected, found } => write!(
                f,
                "'{key}' is damaged: its SHA-256 has to be {expected} and is {found}; put it again from a good copy"
            ),
            Self::Changed { key } => write!(f, "'{key}' changed while it was read; try again once it is complete"),
            Self::Absent { key, place } => write!(f, "'{key}' is not in {place}; put it there first"),
            Self::Damaged { key, what } => write!(f, "'{key}' is damaged: {what}; put it again from a good copy"),
            Self::Refused { what, place, status, code, advice } => {
                let code = if code.is_empty() { String::new() } else { format!(" {code}") };
                write!(f, "{place} refused to {what} (HTTP {status}{code}): {advice}")
            }
            Self::Away { what, place, tries, why } => {
                let times = if *tries == 1 { "once".to_owned() } else { format!("{tries} times") };
                write!(f, "could not {what} at {place}, tried {times}: {why}; try again later")
            }
            Self::Address(what) => f.write_str(what),
            Self::Io { path, .. } => write!(f, "cannot use '{}'", path.display()),
        }
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Io { source, .. } => Some(source),
            Self::Key { .. }
            | Self::Digest { .. }
            | Self::Changed { .. }
            | Self::Absent { .. }
            | Self::Damaged { .. }
            | Self::Refused { .. }
            | Self::Away { .. }
            | Self::Address(_) => None,
        }
    }
}
