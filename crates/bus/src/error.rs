//! Why something did not pass.

use core::fmt;

/// What the caller can do about it decides the kind.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Error {
    /// The server is away, or did not answer in time: ask again.
    Away(String),
    /// The server refuses us, or is not as it has to be: asking again does not help.
    Refused(String),
}

/// The result of every call here.
pub type Result<T> = core::result::Result<T, Error>;

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Away(text) => write!(f, "the NATS server is away: {text}"),
            Self::Refused(text) => write!(f, "the NATS server refuses: {text}"),
        }
    }
}

impl core::error::Error for Error {}

pub(crate) fn away(e: impl fmt::Display) -> Error {
    Error::Away(e.to_string())
}

pub(crate) fn refused(e: impl fmt::Display) -> Error {
    Error::Refused(e.to_string())
}
