//! Where a server is: `postgres://user:password@host:port/database?sslmode=…&sslrootcert=…`, printed without the password.

use super::PostgresSession;
use super::tls::{Tls, Trust};
use crate::sql::fault::Inner;
use crate::{Error, Result};
use std::path::{Path, PathBuf};
use std::time::Duration;
use tokio_postgres::Config;
use tokio_postgres::config::{Host, SslMode};

/// A server that does not answer within this is not there.
const CONNECT: Duration = Duration::from_secs(5);
/// Silence on a connection after which the system asks whether the other side lives.
const KEEPALIVE: Duration = Duration::from_secs(15);

/// A parsed address.
#[derive(Clone)]
pub(crate) struct DatabaseAddress {
    config: Config,
    tls: Tls,
    shown: PathBuf,
}

impl std::fmt::Debug for DatabaseAddress {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("DatabaseAddress").field(&self.shown).finish()
    }
}

impl DatabaseAddress {
    /// Parses an address.
    pub(crate) fn parse(url: &str) -> Result<Self> {
        if !(url.starts_with("postgres://") || url.starts_with("postgresql://")) {
            return Err(Error::Invalid("the address of a server begins with 'postgres://'".to_owned()));
        }
        let (url, trust) = take_trust(url);
        let mut config: Config = url.parse().map_err(|e: tokio_postgres::Error| {
            let reason = std::error::Error::source(&e).map_or_else(|| e.to_string(), ToString::to_string);
            Error::Invalid(format!("the address of the server is not understood: {reason}"))
        })?;
        if config.get_dbname().is_none() {
            return Err(Error::Invalid(
                "the address of the server names no database (postgres://host/database)".into(),
            ));
        }
        if trust != Trust::Anyone {
            if config.get_ssl_mode() == SslMode::Disable {
                return Err(Error::Invalid(
                    "the address names whom to trust (sslrootcert) and not to encrypt (sslmode=disable); leave one out"
                        .into(),
                ));
            }
            config.ssl_mode(SslMode::Require);
        }
        if config.get_connect_timeout().is_none() {
            config.connect_timeout(CONNECT);
        }
        config.keepalives_idle(KEEPALIVE).tcp_user_timeout(KEEPALIVE * 2);
        config.application_name(format!("barograph {}", std::process::id()));
        let tls = Tls::new(&trust).map_err(Error::Invalid)?;
        Ok(Self { shown: shown(&config), config, tls })
    }

    /// The address as it may be shown.
    pub(crate) fn path(&self) -> &Path {
        &self.shown
    }

    /// Opens a connection to this address.
    pub(crate) fn connect(&self) -> Inner<PostgresSession> {
        PostgresSession::connect(&self.config, &self.tls)
    }
}

/// The driver knows `disable`, `prefer` and `require`; what says whom to trust is taken out here.
fn take_trust(url: &str) -> (String, Trust) {
    let Some((place, query)) = url.split_once('?') else { return (url.to_owned(), Trust::Anyone) };
    let (mut trust, mut kept) = (Trust::Anyone, Vec::new());
    for pair in query.split('&') {
        match pair.split_once('=') {
            Some(("sslmode", "verify-full" | "verify-ca")) => {
                kept.push("sslmode=require");
                if trust == Trust::Anyone {
                    trust = Trust::System;
                }
            }
            Some(("sslrootcert", "system")) => trust = Trust::System,
            Some(("sslrootcert", path)) => trust = Trust::File(PathBuf::from(decoded(path))),
            _ => kept.push(pair),
        }
    }
    (if kept.is_empty() { place.to_owned() } else { format!("{place}?{}", kept.join("&")) }, trust)
}

/// A value of a query with its `%2F` and the like as bytes.
fn decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, tail @ ..] = rest {
        let coded = (*first == b'%').then(|| tail.get(..2)).flatten();
        match coded.and_then(|hex| u8::from_str_radix(std::str::from_utf8(hex).ok()?, 16).ok()) {
            Some(byte) => {
                bytes.push(byte);
                rest = &tail[2..];
            }
            None => {
                bytes.push(*first);
                rest = tail;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

fn shown(config: &Config) -> PathBuf {
    let host = match config.get_hosts().first() {
        Some(Host::Tcp(name)) => name.clone(),
        #[cfg(unix)]
        Some(Host::Unix(path)) => path.display().to_string(),
        None => "localhost".to_owned(),
    };
    let port = config.get_ports().first().copied().unwrap_or(5432);
    PathBuf::from(format!("postgres://{host}:{port}/{}", config.get_dbname().unwrap_or_default()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_shown_without_secrets() {
        for (url, want) in [
            ("postgres://ann:s3cret@db.example:5433/market", "postgres://db.example:5433/market"),
            ("postgresql://db.example/market?sslmode=verify-full", "postgres://db.example:5432/market"),
            (
                "postgres://db.example/market?sslmode=disable&options=-csearch_path%3Da",
                "postgres://db.example:5432/market",
            ),
        ] {
            let address = DatabaseAddress::parse(url).unwrap();
            assert_eq!(address.path(), Path::new(want));
            assert!(!format!("{address:?}").contains("s3cret"));
        }
    }

    #[test]
    fn addresses_say_whom_to_trust() {
        let file = |path: &str| Trust::File(PathBuf::from(path));
        for (query, rest, trust) in [
            ("", "", Trust::Anyone),
            ("?sslmode=require", "?sslmode=require", Trust::Anyone),
            ("?sslmode=verify-full", "?sslmode=require", Trust::System),
            ("?sslmode=verify-ca&user=a", "?sslmode=require&user=a", Trust::System),
            ("?sslrootcert=ca.pem", "", file("ca.pem")),
            ("?sslmode=verify-full&sslrootcert=%2Fetc%2Fmy%20ca.pem", "?sslmode=require", file("/etc/my ca.pem")),
            ("?sslrootcert=a%2&sslmode=verify-full", "?sslmode=require", file("a%2")),
            ("?sslrootcert=system&user=a", "?user=a", Trust::System),
        ] {
            let found = take_trust(&format!("postgres://h/d{query}"));
            assert_eq!(found, (format!("postgres://h/d{rest}"), trust), "{query}");
        }
    }

    #[test]
    fn wrong_addresses_say_why() {
        for (url, word) in [
            ("mysql://a/b", "postgres://"),
            ("postgres://host", "no database"),
            ("postgres://host/db?sslmode=maybe", "not understood"),
            ("postgres://u:s3cret@host:notaport/db", "not understood"),
            ("postgres://u:s3cret@host/db?sslrootcert=no/such/file.pem", "sslrootcert: no/such/file.pem: "),
            ("postgres://u:s3cret@host/db?sslrootcert=Cargo.toml", "no certificate is in it"),
            ("postgres://u:s3cret@host/db?sslmode=disable&sslrootcert=Cargo.toml", "leave one out"),
        ] {
            let text = DatabaseAddress::parse(url).unwrap_err().to_string();
            assert!(text.contains(word) && !text.contains("s3cret"), "{text}");
        }
    }
}
