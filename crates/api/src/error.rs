//! What can go wrong with serving as a whole. Failures of single requests are [`crate::Problem`]s; failures of reads
//! are [`crate::QueryError`]s.

use crate::access::Access;
use core::fmt;
use std::net::SocketAddr;

/// Why the server does not run, by what the caller does next.
#[derive(Debug)]
pub enum Error {
    /// The address can be reached from other machines: a usage error (exit 2).
    Exposed {
        /// The address asked for.
        addr: SocketAddr,
    },
    /// The listening socket failed: a runtime failure (exit 3).
    Listener {
        /// What the system said.
        source: std::io::Error,
    },
}

/// Refuses addresses that other machines can reach unless tokens are asked for.
///
/// # Errors
/// [`Error::Exposed`] for such an address where everything is open.
pub fn check_listen(addr: SocketAddr, access: &Access) -> Result<(), Error> {
    if addr.ip().to_canonical().is_loopback() || matches!(access, Access::Tokens(_)) {
        Ok(())
    } else {
        Err(Error::Exposed { addr })
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Exposed { addr } => write!(
                f,
                "'{addr}' can be reached from other machines, and there is no access token yet; make one with `barograph token \
                 add NAME --role read`, or listen on 127.0.0.1:{port} or [::1]:{port}",
                port = addr.port()
            ),
            Self::Listener { source } => write!(f, "the listening socket failed: {source}"),
        }
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Exposed { .. } => None,
            Self::Listener { source } => Some(source),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_loopback_may_listen() {
        for (text, fine) in [
            ("127.0.0.1:8600", true),
            ("127.0.0.2:0", true),
            ("[::1]:8600", true),
            ("[::ffff:127.0.0.1]:8600", true),
            ("0.0.0.0:8600", false),
            ("[::]:8600", false),
            ("192.168.1.7:8600", false),
            ("[::ffff:10.0.0.1]:80", false),
        ] {
            let checked = check_listen(text.parse().unwrap(), &Access::Open);
            assert_eq!(checked.is_ok(), fine, "{text}");
            if let Err(e) = checked {
                let said = e.to_string();
                assert!(said.starts_with(&format!("'{text}' can be reached")) && said.contains("127.0.0.1:"), "{said}");
            }
        }
    }
}
