//! What can go wrong when a server is started or steered.

use core::fmt;

/// The error of this crate.
#[derive(Debug)]
pub enum Error {
    /// The configuration contradicts itself; the text says what to change.
    Config(String),
    /// No listening socket on loopback.
    Listen {
        /// What the system said.
        source: std::io::Error,
    },
    /// A recording could not be understood.
    Recording {
        /// Position in the list of frames or bodies.
        index: usize,
        /// What was wrong with it.
        reason: String,
    },
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Config(text) => f.write_str(text),
            Self::Listen { source } => write!(f, "cannot listen on 127.0.0.1: {source}"),
            Self::Recording { index, reason } => write!(f, "recording entry {index}: {reason}; check the capture"),
        }
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Listen { source } => Some(source),
            Self::Config(_) | Self::Recording { .. } => None,
        }
    }
}
