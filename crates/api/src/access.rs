//! Who may ask: everybody on this machine, or whoever brings a token (ARCHITECTURE.md, `api`).
//!
//! Loopback is open unless the operator asks for tokens there too. With tokens, each request carries one as `Authorization:
//! Bearer` or in the cookie of a session; reads need the role `read`, everything that changes something needs `operate`. Health,
//! the page's own files and the session itself are reachable without: they hold nothing of the user's. What changes something is
//! refused when another site's page sent it, whatever cookies the browser added.

use crate::agent_sessions::{SESSION_TOKEN, SessionRoom};
use crate::problem::{Problem, ProblemKind};
use crate::routes::Route;
use axum::extract::Request;
use axum::http::header::{AUTHORIZATION, COOKIE, HOST, ORIGIN};
use axum::http::{HeaderMap, HeaderValue, Method};
use serde::Serialize;
use std::sync::Arc;
use utoipa::ToSchema;

/// Name of the session's cookie.
pub(crate) const SESSION: &str = "barograph_session";

/// What a token allows.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Everything that changes nothing.
    Read,
    /// That, and positions, cases, silences, deliveries and rule books of the user's own.
    Operate,
}

impl Role {
    /// Both roles, the lesser first.
    pub const ALL: [Self; 2] = [Self::Read, Self::Operate];
    /// The word people write.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Operate => "operate",
        }
    }
    /// The role of a word.
    #[must_use]
    pub fn from_name(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|r| r.name() == word)
    }
}

/// Whose token it is.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Caller {
    /// Name it was given.
    pub name: String,
    /// What it allows.
    pub role: Role,
}

/// The tokens there are. Asked with every request, so that a token that was revoked is refused at once.
pub trait Tokens: Send + Sync {
    /// Whose token this is; compared in constant time.
    fn caller(&self, token: &str) -> Option<Caller>;
}

/// The token that a request was admitted with, for answers that go on: who holds it may lose it meanwhile.
#[derive(Clone)]
pub(crate) struct Pass(Arc<str>);

impl core::fmt::Debug for Pass {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("Pass")
    }
}

impl Access {
    /// Is a token that was good once still good? Where nobody is asked for one, everybody stays.
    pub(crate) fn still(&self, pass: Option<&Pass>) -> bool {
        match self {
            Self::Open => true,
            Self::Tokens(tokens) => pass.is_some_and(|pass| tokens.caller(&pass.0).is_some()),
        }
    }
}

/// Who may ask.
#[derive(Clone)]
pub enum Access {
    /// Whoever reaches the address.
    Open,
    /// Whoever brings one of these.
    Tokens(Arc<dyn Tokens>),
}

impl core::fmt::Debug for Access {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(match self {
            Self::Open => "Open",
            Self::Tokens(_) => "Tokens",
        })
    }
}

/// Does a request of this method change nothing?
pub(crate) const fn is_safe(method: &Method) -> bool {
    matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS)
}

/// May this request be answered? The caller and what it brought, where one is known.
pub(crate) fn check(
    access: &Access,
    method: &Method,
    route: Option<&Route>,
    headers: &HeaderMap,
) -> Result<Option<(Caller, Pass)>, Problem> {
    if !is_safe(method) {
        same_site(headers)?;
    }
    let Access::Tokens(tokens) = access else { return Ok(None) };
    let given = token(headers);
    let caller = given.as_deref().and_then(|t| Some((tokens.caller(t)?, Pass(t.into()))));
    let Some(needed) = route.and_then(|r| r.needs(method)) else { return Ok(caller) };
    let Some((caller, pass)) = caller else {
        let what = if given.is_some() { "the token is not known here" } else { "remote access requires a token" };
        return Err(Problem::new(ProblemKind::Unauthorized, what).hint(
            "send Authorization: Bearer TOKEN; the operator makes one with: barograph token add NAME --role read",
        ));
    };
    if caller.role < needed {
        return Err(Problem::new(ProblemKind::Forbidden, format!("the token '{}' may read only", caller.name))
            .hint("ask the operator for one with the role operate"));
    }
    Ok(Some((caller, pass)))
}

/// Where the token of an agent's session is good.
const AGENTS: &str = "/mcp";

/// May this request with the token of a session be answered? It opens one address, also where nobody else is asked for a token; who
/// answers there goes with the request. One whose session has ended is not taken for none: the agent would see the present.
pub(crate) fn of_session(
    room: Option<&SessionRoom>,
    token: &str,
    route: Option<&Route>,
    request: &mut Request,
) -> Result<(), Problem> {
    if !is_safe(request.method()) {
        same_site(request.headers())?;
    }
    if route.is_none_or(|route| route.path != AGENTS) {
        return Err(Problem::new(
            ProblemKind::Forbidden,
            "the token of an agent's session opens /mcp and nothing else",
        )
        .hint("ask /mcp, or come with another token"));
    }
    let door = room.and_then(|room| room.0.door(token)).ok_or_else(|| {
        Problem::new(
            ProblemKind::Unauthorized,
            "no open session has this token; it has ended, or the server began anew",
        )
        .hint("begin another with POST /api/v1/agent-sessions")
    })?;
    request.extensions_mut().insert(door);
    Ok(())
}

/// Does the header hold the token of a session in a form that is not read? It is refused, also where nobody is asked for a token: the
/// agent would see the present.
pub(crate) fn is_garbled(headers: &HeaderMap) -> bool {
    let holds = |value: &HeaderValue| {
        value.as_bytes().windows(SESSION_TOKEN.len()).any(|part| part == SESSION_TOKEN.as_bytes())
    };
    headers.get_all(AUTHORIZATION).iter().any(holds)
        && !token(headers).is_some_and(|token| token.starts_with(SESSION_TOKEN))
}

/// The token of a request: the header counts before the cookie, and no cookie but the session's counts.
pub(crate) fn token(headers: &HeaderMap) -> Option<String> {
    if let Some(header) = headers.get(AUTHORIZATION) {
        let text = header.to_str().ok()?;
        let (scheme, token) = text.split_once(' ')?;
        return scheme.eq_ignore_ascii_case("bearer").then(|| token.trim().to_owned());
    }
    let cookies = headers.get_all(COOKIE).iter().filter_map(|v| v.to_str().ok());
    let mut pairs = cookies.flat_map(|line| line.split(';')).filter_map(|pair| pair.trim().split_once('='));
    pairs.find(|(name, _)| *name == SESSION).map(|(_, value)| value.to_owned())
}

/// A browser says where a request comes from; one of another site's page changes nothing here. Other clients say nothing.
fn same_site(headers: &HeaderMap) -> Result<(), Problem> {
    let text = |name: &str| headers.get(name).and_then(|v| v.to_str().ok());
    let foreign = |whose: &str| {
        Problem::new(ProblemKind::Forbidden, "the request comes from a page of another site")
            .value(whose)
            .hint("use the page this server serves, or a client that is no browser")
    };
    if let Some(site) = text("sec-fetch-site")
        && !matches!(site, "same-origin" | "none")
    {
        return Err(foreign(site));
    }
    let Some(origin) = headers.get(ORIGIN) else { return Ok(()) };
    let origin = origin.to_str().unwrap_or_default();
    let host = headers.get(HOST).and_then(|v| v.to_str().ok()).unwrap_or_default();
    let authority = origin.split_once("://").map(|(_, rest)| rest).unwrap_or_default();
    if authority.eq_ignore_ascii_case(host) && !host.is_empty() { Ok(()) } else { Err(foreign(origin)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Two;
    impl Tokens for Two {
        fn caller(&self, token: &str) -> Option<Caller> {
            let role = match token {
                "r" => Role::Read,
                "o" => Role::Operate,
                _ => return None,
            };
            Some(Caller { name: token.to_owned(), role })
        }
    }

    fn status(method: &Method, route: &str, fields: &[(&'static str, &str)]) -> Result<(), u16> {
        let mut headers = HeaderMap::new();
        for (name, value) in fields {
            headers.append(*name, HeaderValue::from_str(value).unwrap());
        }
        let access = Access::Tokens(Arc::new(Two));
        check(&access, method, crate::routes::find(route), &headers).map(|_| ()).map_err(|p| p.kind.status())
    }

    #[test]
    fn roles_and_the_ways_to_bring_a_token() {
        let (get, post, delete) = (Method::GET, Method::POST, Method::DELETE);
        let (markets, positions) = ("/api/v1/markets", "/api/v1/positions");
        for (method, route, fields, want) in [
            (&get, markets, vec![], Err(401)),
            (&get, markets, vec![("authorization", "Bearer x")], Err(401)),
            (&get, markets, vec![("authorization", "Basic r")], Err(401)),
            (&get, markets, vec![("authorization", "Bearer r")], Ok(())),
            (&get, markets, vec![("authorization", "bearer o")], Ok(())),
            (&get, markets, vec![("cookie", "a=b; barograph_session=r")], Ok(())),
            (&get, markets, vec![("authorization", "Bearer x"), ("cookie", "barograph_session=r")], Err(401)),
            (&get, "/healthz", vec![], Ok(())),
            (&get, "/", vec![], Ok(())),
            (&get, "/metrics", vec![], Err(401)),
            (&post, positions, vec![("authorization", "Bearer r")], Err(403)),
            (&post, positions, vec![("authorization", "Bearer o")], Ok(())),
            (&post, "/api/v1/advice", vec![("authorization", "Bearer r")], Ok(())),
            (&delete, "/api/v1/positions/{id}", vec![("authorization", "Bearer r")], Err(403)),
            (&post, "/api/v1/session", vec![], Ok(())),
        ] {
            assert_eq!(status(method, route, &fields), want, "{method} {route} {fields:?}");
        }
    }

    #[test]
    fn the_token_of_a_session_is_read_or_the_request_refused() {
        for (value, garbled) in [
            ("Bearer brgs_x", false),
            ("Bearer  brgs_x", false),
            ("Bearer x", false),
            ("Basic dXNlcg==", false),
            ("brgs_x", true),
            ("Bearer\tbrgs_x", true),
            ("Token brgs_x", true),
            ("Bearer \"brgs_x\"", true),
        ] {
            let mut headers = HeaderMap::new();
            headers.append(AUTHORIZATION, HeaderValue::from_str(value).unwrap());
            assert_eq!(is_garbled(&headers), garbled, "{value}");
        }
    }

    #[test]
    fn another_sites_page_changes_nothing_even_where_everything_is_open() {
        let checked = |fields: &[(&'static str, &'static str)]| {
            let mut headers = HeaderMap::new();
            for (name, value) in fields {
                headers.append(*name, HeaderValue::from_static(value));
            }
            check(&Access::Open, &Method::POST, crate::routes::find("/api/v1/positions"), &headers).is_ok()
        };
        let host = ("host", "localhost:8600");
        assert!(checked(&[host]));
        assert!(checked(&[host, ("origin", "http://localhost:8600"), ("sec-fetch-site", "same-origin")]));
        assert!(!checked(&[host, ("sec-fetch-site", "cross-site")]));
        assert!(!checked(&[host, ("sec-fetch-site", "same-site")]));
        assert!(!checked(&[host, ("origin", "http://localhost:3000")]));
        assert!(!checked(&[host, ("origin", "null")]));
        assert!(!checked(&[("origin", "http://evil.example")]));
    }
}
