//! Where the server is: `redis://[[user]:password@]host[:port][/db]`, or the path of a socket of this machine.

use core::fmt;
use redis::{ConnectionAddr, ConnectionInfo, IntoConnectionInfo as _};

/// A server's address, its password included, which it never shows.
#[derive(Clone)]
pub struct MirrorAddress(pub(crate) ConnectionInfo);

impl MirrorAddress {
    /// Reads an address.
    ///
    /// # Errors
    /// Why it cannot be meant, and what to write instead. The text itself may hold a password and is not repeated.
    pub fn parse(text: &str) -> Result<Self, String> {
        const WRITE: &str = "write redis://host:6379, redis://:password@host:6379/0, or unix:///path/of/socket";
        let (scheme, rest) = text.split_once("://").ok_or_else(|| format!("it is not an address; {WRITE}"))?;
        match scheme {
            "redis" | "valkey" | "unix" | "redis+unix" | "valkey+unix" => {}
            "rediss" | "valkeys" => {
                return Err("TLS to Redis is not built in; reach the server over loopback or a private network, or put a tunnel \
                     (stunnel, ssh -L) before it and write redis:// with the tunnel's address"
                    .to_owned());
            }
            _ => return Err(format!("it begins with neither redis:// nor unix://; {WRITE}")),
        }
        let is_socket = scheme.ends_with("unix");
        if !is_socket && rest.contains(['?', '#']) {
            return Err(format!(
                "nothing may follow the database's number; in a password write ? as %3F and # as %23; {WRITE}"
            ));
        }
        if !is_socket && rest.rsplit_once('@').is_some_and(|(user, _)| user.contains('/')) {
            return Err("in a password write / as %2F".to_owned());
        }
        // The library's reasons name the part that is wrong, never what is written there.
        let known = text.into_connection_info().map_err(|_unnamed| format!("it cannot be read; {WRITE}"))?;
        if let ConnectionAddr::Tcp(host, port) = known.addr()
            && (host.is_empty() || *port == 0)
        {
            return Err(format!("it names no host and port; {WRITE}"));
        }
        if known.redis_settings().db() < 0 {
            return Err(format!("the database's number is below zero; {WRITE}"));
        }
        Ok(Self(known))
    }
}

impl fmt::Display for MirrorAddress {
    /// As it may be shown: a password as asterisks.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (addr, settings) = (self.0.addr(), self.0.redis_settings());
        if let ConnectionAddr::Unix(path) = addr {
            return write!(f, "unix://{}", path.display());
        }
        f.write_str("redis://")?;
        if settings.username().is_some() || settings.password().is_some() {
            let hidden = if settings.password().is_some() { ":***" } else { "" };
            write!(f, "{}{hidden}@", settings.username().unwrap_or_default())?;
        }
        match addr {
            ConnectionAddr::Tcp(host, port) if host.contains(':') => write!(f, "[{host}]:{port}")?,
            other => write!(f, "{other}")?,
        }
        match settings.db() {
            0 => Ok(()),
            db => write!(f, "/{db}"),
        }
    }
}

impl fmt::Debug for MirrorAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "MirrorAddress({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_shown_without_its_password() {
        for (text, shown) in [
            ("redis://127.0.0.1:6379", "redis://127.0.0.1:6379"),
            ("redis://cache", "redis://cache:6379"),
            ("redis://:s3cret@cache:6380/2", "redis://:***@cache:6380/2"),
            ("redis://:s3%2Fcr%40et@cache/0", "redis://:***@cache:6379"),
            ("redis://:s3cr@et@cache/0", "redis://:***@cache:6379"),
            ("valkey://writer:s3cret@cache", "redis://writer:***@cache:6379"),
            ("redis://writer@cache", "redis://writer@cache:6379"),
            ("redis://[::1]:6379/1", "redis://[::1]:6379/1"),
            ("unix:///run/redis.sock", "unix:///run/redis.sock"),
            ("redis+unix:///run/redis.sock?db=1&pass=s3cret", "unix:///run/redis.sock"),
        ] {
            let address = MirrorAddress::parse(text).unwrap();
            assert_eq!(address.to_string(), shown, "{text}");
            assert!(!format!("{address:?}").contains("cr"), "{address:?}");
        }
    }

    #[test]
    fn what_is_no_address_is_refused_without_being_repeated() {
        for (text, why) in [
            ("cache:6379", "not an address"),
            ("s3cret@cache", "not an address"),
            ("http://:s3cret@cache", "neither redis:// nor unix://"),
            ("rediss://:s3cret@cache", "TLS to Redis is not built in"),
            ("valkeys://:s3cret@cache", "TLS to Redis is not built in"),
            ("redis://:s3/cret@cache", "write / as %2F"),
            ("redis://:s3#cret@cache", "# as %23"),
            ("redis://cache?protocol=resp3", "nothing may follow"),
            ("redis://", "cannot be read"),
            ("redis://:s3cret@cache:99999", "cannot be read"),
            ("redis://:s3cret@cache:0", "no host and port"),
            ("redis://:s3cret@cache/first", "cannot be read"),
            ("redis://:s3cret@cache/-1", "below zero"),
            ("redis://0.0.0.0:6379", "cannot be read"),
        ] {
            let refused = MirrorAddress::parse(text).unwrap_err();
            assert!(refused.contains(why), "{text}: {refused}");
            assert!(!refused.contains("s3"), "{refused}");
        }
    }
}
