//! Why a live process did not begin, go on or end as it should, by what becomes of it.

use crate::chain;
use core::fmt;

/// What failed, in a sentence; the program gives it an exit code.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Error {
    /// What was asked for cannot be meant; nothing was done.
    Refused(String),
    /// Something failed while running.
    Failed(String),
    /// Whoever read our output has gone; that is their right.
    ReaderGone,
    /// Asked to stop before it had begun.
    Stopped,
}

impl Error {
    pub(crate) fn refused(text: impl fmt::Display) -> Self {
        Self::Refused(text.to_string())
    }
    pub(crate) fn failed(text: impl fmt::Display) -> Self {
        Self::Failed(text.to_string())
    }

    /// The sentence, if there is one.
    pub fn text(self) -> Option<String> {
        match self {
            Self::Refused(text) | Self::Failed(text) => Some(text),
            Self::ReaderGone | Self::Stopped => None,
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refused(text) | Self::Failed(text) => f.write_str(text),
            Self::ReaderGone => f.write_str("whoever read the output has gone"),
            Self::Stopped => f.write_str("stopped before it had begun"),
        }
    }
}

impl core::error::Error for Error {}

impl From<std::io::Error> for Error {
    fn from(e: std::io::Error) -> Self {
        if e.kind() == std::io::ErrorKind::BrokenPipe { Self::ReaderGone } else { Self::Failed(e.to_string()) }
    }
}
impl From<barograph_store::Error> for Error {
    fn from(e: barograph_store::Error) -> Self {
        Self::Failed(chain(&e))
    }
}
impl From<barograph_query::Error> for Error {
    fn from(e: barograph_query::Error) -> Self {
        Self::Failed(chain(&e))
    }
}
