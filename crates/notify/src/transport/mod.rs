//! Carrying a request to an address that was checked (delivery §2.2): names are looked up here, every address is checked, and the
//! connection goes to one of those; nothing is looked up twice. No redirects, no proxies, bounded time, bounded answers.

mod client;
mod connect;
mod gates;
mod names;

pub use client::{Post, ReceiverReply, ReplyReading, Transport};
pub use names::{NameResolver, SystemNames};

use core::fmt;

/// Why there was no answer. Texts name the host at most, never the address's path or what a refused target said.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Error {
    /// The target may not be connected to.
    Refused(String),
    /// Its name is not known, or it does not accept connections.
    Connect(String),
    /// Its certificate is not trusted, or it does not speak TLS.
    Tls(String),
    /// It took too long.
    Timeout(&'static str),
    /// The request could not be made, or it does not speak HTTP.
    Protocol(String),
    /// It closed the connection after the request had left: nobody knows what became of it.
    Unanswered(String),
}

impl Error {
    /// May the receiver have taken it all the same?
    #[must_use]
    pub fn leaves_doubt(&self) -> bool {
        matches!(self, Self::Unanswered(_) | Self::Timeout("answer"))
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refused(why) => write!(f, "not sent: {why}"),
            Self::Connect(why) => write!(f, "could not connect: {why}"),
            Self::Tls(why) => write!(f, "no secure connection: {why}"),
            Self::Timeout(what) => write!(f, "no {what} in time"),
            Self::Protocol(why) | Self::Unanswered(why) => write!(f, "no proper answer: {why}"),
        }
    }
}
impl std::error::Error for Error {}
