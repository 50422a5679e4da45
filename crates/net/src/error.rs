//! What can go wrong, split by what the caller does next.
//!
//! A lost connection or a refused request of a session is not an error here: it is an input of the session and is
//! delivered as one. Errors are what a caller gets who asked directly, and what stands behind a failed attempt.

use barograph_domain::text::escape_control;
use barograph_venues::session::{FailReason, PoolId};
use core::fmt;

/// Outcome of a network operation.
pub type Result<T> = std::result::Result<T, Error>;

/// Why a network operation failed.
#[derive(Debug)]
#[non_exhaustive]
pub enum Error {
    /// The address cannot be used at all: correct the configuration.
    Address {
        /// The address as given.
        url: String,
        /// What is wrong with it.
        why: &'static str,
    },
    /// The host could not be found or reached, or the connection broke.
    Connect {
        /// Host and port.
        to: String,
        /// The operating system's answer.
        source: std::io::Error,
    },
    /// The host cannot prove who it is, or speaks no TLS that we do.
    Tls {
        /// Host and port.
        to: String,
        /// What the TLS library says.
        source: std::io::Error,
    },
    /// No complete answer in time.
    Timeout {
        /// What was waited for.
        what: &'static str,
        /// Host and port.
        to: String,
    },
    /// The venue answered with a status that says to go away: 403, 418, 429 or 451.
    Refused {
        /// HTTP status.
        status: u16,
        /// Seconds it asked us to wait, where it did.
        retry_after_s: Option<u64>,
        /// Host and port.
        to: String,
    },
    /// The venue's answer is not what the protocol demands.
    Protocol {
        /// Host and port.
        to: String,
        /// What was wrong.
        detail: String,
    },
    /// The answer is larger than is accepted.
    TooLarge {
        /// Host and port.
        to: String,
        /// The limit, in bytes.
        bytes_max: usize,
    },
    /// A certificate given as trusted cannot be read: correct the configuration.
    Certificate {
        /// What the TLS library says.
        source: std::io::Error,
    },
    /// The venue has no such request budget: a mistake in the session or in the caller.
    NoSuchPool {
        /// The budget that was named.
        pool: PoolId,
    },
    /// There are too many requests of this priority already, or the program stops.
    Dropped,
}

/// What supervision does after an error.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Recovery {
    /// Try the same again after a pause.
    RetryAfter,
    /// Leave this venue or address alone and go on with the others.
    Quarantine,
    /// A person has to act first.
    Fatal,
}

impl Error {
    /// What supervision does next.
    #[must_use]
    pub const fn recovery(&self) -> Recovery {
        match self {
            Self::Refused { status: 403 | 451, .. } | Self::TooLarge { .. } | Self::Tls { .. } => Recovery::Quarantine,
            Self::Connect { .. }
            | Self::Timeout { .. }
            | Self::Refused { .. }
            | Self::Protocol { .. }
            | Self::Dropped => Recovery::RetryAfter,
            Self::Address { .. } | Self::Certificate { .. } | Self::NoSuchPool { .. } => Recovery::Fatal,
        }
    }

    /// The same in the words a session understands.
    #[must_use]
    pub const fn reason(&self) -> FailReason {
        match self {
            Self::Timeout { .. } => FailReason::Timeout,
            Self::Refused { status: 403 | 451, .. } | Self::Address { .. } | Self::NoSuchPool { .. } => {
                FailReason::Forbidden
            }
            Self::Refused { .. } => FailReason::Refused,
            Self::Dropped => FailReason::Dropped,
            Self::Connect { .. }
            | Self::Tls { .. }
            | Self::Certificate { .. }
            | Self::Protocol { .. }
            | Self::TooLarge { .. } => FailReason::Network,
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Address { url, why } => write!(f, "address '{url}' cannot be used: {why}"),
            Self::Connect { to, source } => write!(f, "no connection to '{to}': {source}"),
            Self::Tls { to, source } => {
                write!(f, "no secure connection to '{to}': {source}; check the clock and the trusted certificates")
            }
            Self::Timeout { what, to } => write!(f, "no {what} from '{to}' in time"),
            Self::Refused { status, retry_after_s: Some(s), to } => {
                write!(f, "'{to}' refuses with status {status} and asks to wait {s} s")
            }
            Self::Refused { status, retry_after_s: None, to } => write!(f, "'{to}' refuses with status {status}"),
            Self::Protocol { to, detail } => write!(f, "unusable answer from '{to}': {}", escape_control(detail)),
            Self::TooLarge { to, bytes_max } => write!(f, "answer from '{to}' exceeds the limit of {bytes_max} bytes"),
            Self::Certificate { source } => write!(f, "a certificate given as trusted cannot be used: {source}"),
            Self::NoSuchPool { pool } => write!(f, "the venue has no request budget {}", pool.0),
            Self::Dropped => f.write_str("too many requests are waiting, or the program stops; ask again later"),
        }
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Connect { source, .. } | Self::Tls { source, .. } | Self::Certificate { source } => Some(source),
            Self::Address { .. }
            | Self::Timeout { .. }
            | Self::Refused { .. }
            | Self::Protocol { .. }
            | Self::TooLarge { .. }
            | Self::NoSuchPool { .. }
            | Self::Dropped => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(status: u16) -> Error {
        Error::Refused { status, retry_after_s: None, to: "x:1".into() }
    }

    #[test]
    fn every_refusal_has_one_consequence() {
        let cases = [
            (403, Recovery::Quarantine, FailReason::Forbidden),
            (451, Recovery::Quarantine, FailReason::Forbidden),
            (418, Recovery::RetryAfter, FailReason::Refused),
            (429, Recovery::RetryAfter, FailReason::Refused),
        ];
        for (status, recovery, reason) in cases {
            assert_eq!((refused(status).recovery(), refused(status).reason()), (recovery, reason), "{status}");
        }
    }
}
