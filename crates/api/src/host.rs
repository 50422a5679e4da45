//! The Host header must name this machine (ARCHITECTURE.md, `api`).
//!
//! A page on the internet can point its own name at 127.0.0.1 and let a browser read from here (DNS rebinding); the
//! browser then sends that name as Host, and that is where it is stopped. No CORS header is ever sent either.

use crate::problem::{Problem, ProblemKind};
use axum::http::header::HOST;
use axum::http::{HeaderMap, Uri};
use std::net::IpAddr;

/// Checks the host a request was sent to against loopback and the configured names.
///
/// With `any_number` an address in numbers passes too: where tokens are asked for, a name that points here by itself opens
/// nothing, and other machines ask by number.
pub(crate) fn check(headers: &HeaderMap, uri: &Uri, names: &[String], any_number: bool) -> Result<(), Problem> {
    let mut given = headers.get_all(HOST).iter();
    let header = match (given.next(), given.next()) {
        (Some(_), Some(_)) => {
            return Err(Problem::new(ProblemKind::BadRequest, "more than one Host header").hint("send one"));
        }
        (Some(one), None) => {
            let text =
                one.to_str().map_err(|_e| Problem::new(ProblemKind::BadRequest, "the Host header is no text"))?;
            Some(text)
        }
        (None, _) => None,
    };
    // A request in absolute form names its host in the target, which then counts (RFC 9112 §3.2.2); both are checked.
    let target = uri.authority().map(axum::http::uri::Authority::as_str);
    if header.is_none() && target.is_none() {
        return Err(
            Problem::new(ProblemKind::BadRequest, "the request has no Host header").hint("send Host: localhost")
        );
    }
    match header.into_iter().chain(target).find(|authority| !is_ours(authority, names, any_number)) {
        None => Ok(()),
        Some(other) => Err(Problem::new(ProblemKind::WrongHost, format!("'{other}' is not a name of this server"))
            .value(other)
            .hint("ask for localhost or 127.0.0.1, or configure the name")),
    }
}

fn is_ours(authority: &str, names: &[String], any_number: bool) -> bool {
    let Some(host) = host_of(authority) else { return false };
    host.eq_ignore_ascii_case("localhost")
        || names.iter().any(|n| n.eq_ignore_ascii_case(host))
        || host.parse::<IpAddr>().is_ok_and(|ip| any_number || ip.to_canonical().is_loopback())
}

/// The host part of `host`, `host:port`, `[v6]` or `[v6]:port`, without brackets; `None` when it is none of these.
fn host_of(authority: &str) -> Option<&str> {
    let (host, rest) = match authority.strip_prefix('[') {
        Some(inner) => inner.split_once(']')?,
        None => authority.split_at(authority.find(':').unwrap_or(authority.len())),
    };
    let port_fine = rest.is_empty()
        || rest.strip_prefix(':').is_some_and(|port| port.len() <= 5 && port.bytes().all(|b| b.is_ascii_digit()));
    (port_fine && !host.is_empty()).then_some(host)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_our_own_names_pass() {
        let names = ["weather.example".to_owned()];
        for (authority, fine) in [
            ("localhost", true),
            ("LOCALHOST:8600", true),
            ("127.0.0.1:8600", true),
            ("127.8.8.8", true),
            ("[::1]", true),
            ("[::1]:8600", true),
            ("weather.example:80", true),
            ("evil.example", false),
            ("localhost.evil.example", false),
            ("127.0.0.1.evil.example", false),
            ("192.168.0.1", false),
            ("[::2]:8600", false),
            ("::1", false),
            ("user@localhost", false),
            ("localhost:80x", false),
            ("[::1]x", false),
            ("", false),
        ] {
            assert_eq!(is_ours(authority, &names, false), fine, "{authority}");
            let by_number = authority == "192.168.0.1" || authority == "[::2]:8600";
            assert_eq!(is_ours(authority, &names, true), fine || by_number, "{authority}");
        }
    }

    #[test]
    fn header_and_target_must_both_be_ours() {
        let checked = |hosts: &[&'static str], uri: &'static str| {
            let mut headers = HeaderMap::new();
            for h in hosts {
                headers.append(HOST, axum::http::HeaderValue::from_static(h));
            }
            check(&headers, &Uri::from_static(uri), &[], false).map_err(|p| p.kind.status())
        };
        assert_eq!(checked(&["localhost"], "/"), Ok(()));
        assert_eq!(checked(&[], "/"), Err(400));
        assert_eq!(checked(&["localhost", "localhost"], "/"), Err(400));
        assert_eq!(checked(&["localhost"], "http://evil.example/"), Err(421));
        assert_eq!(checked(&["evil.example"], "http://localhost/"), Err(421));
    }
}
