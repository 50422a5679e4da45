//! Where a server is: `postgres://user:password@host:port/database?sslmode=…`, printed without the password.

use super::{Session, tls::Tls};
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
pub(crate) struct Address {
    config: Config,
    tls: Tls,
    shown: PathBuf,
}

impl std::fmt::Debug for Address {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Address").field(&self.shown).finish()
    }
}

impl Address {
    /// Parses an address.
    pub(crate) fn parse(url: &str) -> Result<Self> {
        if !(url.starts_with("postgres://") || url.starts_with("postgresql://")) {
            return Err(Error::Invalid("the address of a server begins with 'postgres://'".to_owned()));
        }
        let (url, verify) = take_verify(url);
        let mut config: Config = url.parse().map_err(|e: tokio_postgres::Error| {
            let reason = std::error::Error::source(&e).map_or_else(|| e.to_string(), ToString::to_string);
            Error::Invalid(format!("the address of the server is not understood: {reason}"))
        })?;
        if config.get_dbname().is_none() {
            return Err(Error::Invalid(
                "the address of the server names no database (postgres://host/database)".into(),
            ));
        }
        if verify {
            config.ssl_mode(SslMode::Require);
        }
        if config.get_connect_timeout().is_none() {
            config.connect_timeout(CONNECT);
        }
        config.keepalives_idle(KEEPALIVE).tcp_user_timeout(KEEPALIVE * 2);
        config.application_name(format!("barograph {}", std::process::id()));
        let tls = Tls::new(verify).map_err(|e| Error::Invalid(format!("TLS: {e}")))?;
        Ok(Self { shown: shown(&config), config, tls })
    }

    /// The address as it may be shown.
    pub(crate) fn path(&self) -> &Path {
        &self.shown
    }

    /// Connects.
    pub(crate) fn connect(&self) -> Inner<Session> {
        Session::connect(&self.config, &self.tls)
    }
}

/// The driver knows `disable`, `prefer` and `require`; the two that verify are taken out here.
fn take_verify(url: &str) -> (String, bool) {
    for mode in ["sslmode=verify-full", "sslmode=verify-ca"] {
        if url.contains(mode) {
            return (url.replace(mode, "sslmode=require"), true);
        }
    }
    (url.to_owned(), false)
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
            let address = Address::parse(url).unwrap();
            assert_eq!(address.path(), Path::new(want));
            assert!(!format!("{address:?}").contains("s3cret"));
        }
        assert_eq!(take_verify("postgres://h/d?sslmode=verify-full"), ("postgres://h/d?sslmode=require".into(), true));
    }

    #[test]
    fn wrong_addresses_say_why() {
        for (url, word) in [
            ("mysql://a/b", "postgres://"),
            ("postgres://host", "no database"),
            ("postgres://host/db?sslmode=maybe", "not understood"),
            ("postgres://u:s3cret@host:notaport/db", "not understood"),
        ] {
            let text = Address::parse(url).unwrap_err().to_string();
            assert!(text.contains(word) && !text.contains("s3cret"), "{text}");
        }
    }
}
