//! The server at the other end of a socket: reached within a second or not at all, written to in batches, never asked for anything.

use crate::MirrorAddress;
use core::fmt;
use core::time::Duration;
use redis::{Client, Connection, ErrorKind, RedisError, SetExpiry, SetOptions};

/// A server on the same network answers within milliseconds; one that takes longer than this is away.
const CONNECT_WITHIN: Duration = Duration::from_secs(1);
/// The same for a batch.
const ANSWER_WITHIN: Duration = Duration::from_secs(2);
/// Keys in a batch: half a megabyte of snapshots of 8 kB, which a loopback socket takes in a few milliseconds.
const BATCH_KEYS: usize = 64;
/// Longest reason that is passed on: a server may answer with anything.
const REASON_MAX: usize = 160;

/// Why the server could not be written to.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct MirrorError {
    reason: String,
}

impl fmt::Display for MirrorError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.reason)
    }
}

impl core::error::Error for MirrorError {}

impl From<RedisError> for MirrorError {
    fn from(e: RedisError) -> Self {
        let reason = match e.kind() {
            ErrorKind::AuthenticationFailed => "it refuses the user or the password of the setting redis".to_owned(),
            _ if e.to_string().contains("NOAUTH") => "it wants a password; write it into the setting redis".to_owned(),
            _ if e.is_timeout() => "it does not answer in time".to_owned(),
            _ => e.to_string(),
        };
        let line: String = reason.chars().map(|c| if c.is_control() { ' ' } else { c }).take(REASON_MAX).collect();
        Self { reason: line.trim_end().to_owned() }
    }
}

/// A key with its text and for how long it can be read.
pub(crate) type KeyText = (String, bytes::Bytes, Duration);

/// An open connection.
pub(crate) struct MirrorServer(Connection);

impl MirrorServer {
    /// Opens a connection, and has it answer once.
    pub(crate) fn connect(address: &MirrorAddress) -> Result<Self, MirrorError> {
        let mut connection = Client::open(address.0.clone())?.get_connection_with_timeout(CONNECT_WITHIN)?;
        connection.set_read_timeout(Some(ANSWER_WITHIN))?;
        connection.set_write_timeout(Some(ANSWER_WITHIN))?;
        redis::cmd("PING").exec(&mut connection)?;
        Ok(Self(connection))
    }

    /// Sets these keys, each with its own end. What was set before a failure stays set.
    pub(crate) fn write(&mut self, keys: &[KeyText]) -> Result<(), MirrorError> {
        for batch in keys.chunks(BATCH_KEYS) {
            let mut pipe = redis::pipe();
            for (key, text, for_time) in batch {
                let ms = u64::try_from(for_time.as_millis()).unwrap_or(u64::MAX).max(1);
                let until = SetOptions::default().with_expiration(SetExpiry::PX(ms));
                pipe.set_options(key, &text[..], until).ignore();
            }
            pipe.exec(&mut self.0)?;
        }
        Ok(())
    }
}

/// Can the server be reached with this address? It is asked for nothing but a sign of life.
///
/// # Errors
/// Why it cannot.
pub fn probe(address: &MirrorAddress) -> Result<(), MirrorError> {
    MirrorServer::connect(address).map(drop)
}
