//! Addresses that can be connected to: `ws`, `wss`, `http` and `https`, taken apart once.

use crate::error::{Error, Result};
use hyper::Uri;

/// A checked address.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Address {
    /// Host name or IP address, without brackets.
    pub(crate) host: String,
    /// TCP port.
    pub(crate) port: u16,
    /// TLS or plain.
    pub(crate) secure: bool,
    /// Path and query, at least `/`.
    pub(crate) path: String,
    /// Value of the `Host` header: the port only where it is not the usual one.
    pub(crate) authority: String,
}

/// What is spoken at an address.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Speaks {
    /// `ws://` or `wss://`.
    WebSocket,
    /// `http://` or `https://`.
    Http,
}

impl Address {
    /// Takes `url` apart.
    pub(crate) fn parse(url: &str, speaks: Speaks) -> Result<Self> {
        let refuse = |why| Error::Address { url: url.to_owned(), why };
        let uri: Uri = url.parse().map_err(|_e| refuse("it is not a complete address"))?;
        let secure = match (uri.scheme_str(), speaks) {
            (Some("wss"), Speaks::WebSocket) | (Some("https"), Speaks::Http) => true,
            (Some("ws"), Speaks::WebSocket) | (Some("http"), Speaks::Http) => false,
            (_, Speaks::WebSocket) => return Err(refuse("it must begin with ws:// or wss://")),
            (_, Speaks::Http) => return Err(refuse("it must begin with http:// or https://")),
        };
        let authority = uri.authority().ok_or_else(|| refuse("it has no host"))?;
        if authority.as_str().contains('@') {
            return Err(refuse("a user name in an address is not supported"));
        }
        let host = authority.host();
        if host.is_empty() {
            return Err(refuse("it has no host"));
        }
        let usual = if secure { 443 } else { 80 };
        let port = uri.port_u16().unwrap_or(usual);
        let shown = if port == usual { host.to_owned() } else { format!("{host}:{port}") };
        let path = uri.path_and_query().map_or("/", |p| p.as_str());
        let path = if path.starts_with('/') { path.to_owned() } else { format!("/{path}") };
        let host = host.trim_start_matches('[').trim_end_matches(']').to_owned();
        Ok(Self { host, port, secure, path, authority: shown })
    }

    /// Host and port, for messages.
    pub(crate) fn place(&self) -> String {
        format!("{}:{}", self.host, self.port)
    }

    /// The same with how it is reached: the place of kept connections.
    pub(crate) fn origin(&self) -> String {
        format!("{}{}", if self.secure { "tls:" } else { "" }, self.place())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_taken_apart_or_refused() {
        let good = [
            (
                "wss://stream.example.com/ws?x=1",
                Speaks::WebSocket,
                ("stream.example.com", 443, true, "/ws?x=1", "stream.example.com"),
            ),
            ("ws://127.0.0.1:9001", Speaks::WebSocket, ("127.0.0.1", 9001, false, "/", "127.0.0.1:9001")),
            ("https://a.b:443/v1", Speaks::Http, ("a.b", 443, true, "/v1", "a.b")),
            ("http://[::1]:80?q=2", Speaks::Http, ("::1", 80, false, "/?q=2", "[::1]")),
        ];
        for (url, speaks, (host, port, secure, path, authority)) in good {
            let a = Address::parse(url, speaks).unwrap();
            let got = (a.host.as_str(), a.port, a.secure, a.path.as_str(), a.authority.as_str());
            assert_eq!(got, (host, port, secure, path, authority), "{url}");
        }
        let bad = [
            ("http://a.b/", Speaks::WebSocket),
            ("wss://a.b/", Speaks::Http),
            ("ftp://a.b/", Speaks::Http),
            ("a.b/c", Speaks::Http),
            ("wss://u:p@a.b/", Speaks::WebSocket),
            ("wss:///x", Speaks::WebSocket),
            ("", Speaks::Http),
            ("file:///etc/passwd", Speaks::Http),
        ];
        for (url, speaks) in bad {
            assert!(matches!(Address::parse(url, speaks), Err(Error::Address { .. })), "{url}");
        }
    }
}
