//! Validators (RFC 9110 §8.8): strong ones are a hash of the bytes, weak ones a hash of what matters in them.

use axum::body::Body;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE, ETAG, IF_NONE_MATCH};
use axum::http::{HeaderMap, HeaderValue, Response, StatusCode};
use bytes::Bytes;
use sha2::{Digest as _, Sha256};

/// Hash bytes shown: 96 bits, far beyond what one client's cache can collide.
const SHOWN: usize = 12;

/// A validator that changes with any byte.
pub(crate) fn strong(bytes: &[u8]) -> HeaderValue {
    value("\"", bytes)
}

/// A validator for bytes that may differ in what does not matter; `essence` is what does.
pub(crate) fn weak(essence: &[u8]) -> HeaderValue {
    value("W/\"", essence)
}

fn value(open: &str, bytes: &[u8]) -> HeaderValue {
    use core::fmt::Write as _;
    let mut text = String::with_capacity(open.len() + 2 * SHOWN + 1);
    text.push_str(open);
    for byte in Sha256::digest(bytes).iter().take(SHOWN) {
        // Writing to a String cannot fail.
        let _infallible = write!(text, "{byte:02x}");
    }
    text.push('"');
    HeaderValue::from_str(&text).unwrap_or_else(|_e| HeaderValue::from_static("\"\""))
}

/// JSON with the validator of its own bytes.
pub(crate) fn answer(request: &HeaderMap, json: Bytes) -> Response<Body> {
    let etag = strong(&json);
    respond(request, json, &etag)
}

/// JSON with its validator, or 304 when the client holds it already. Clients may keep the answer but must ask again:
/// a re-import may revise even what lies in the past.
pub(crate) fn respond(request: &HeaderMap, json: Bytes, etag: &HeaderValue) -> Response<Body> {
    typed(request, "application/json", json, etag)
}

/// The same for bytes of another type.
pub(crate) fn typed(request: &HeaderMap, kind: &'static str, body: Bytes, etag: &HeaderValue) -> Response<Body> {
    let fresh = request.get_all(IF_NONE_MATCH).iter().any(|held| matches(held, etag));
    let mut response = Response::new(if fresh { Body::empty() } else { Body::from(body) });
    if fresh {
        *response.status_mut() = StatusCode::NOT_MODIFIED;
    } else {
        response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    }
    response.headers_mut().insert(ETAG, etag.clone());
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    response
}

/// Weak comparison, as If-None-Match asks for (RFC 9110 §13.1.2).
fn matches(held: &HeaderValue, etag: &HeaderValue) -> bool {
    let (Ok(held), Ok(etag)) = (held.to_str(), etag.to_str()) else { return false };
    let opaque = |tag: &str| tag.trim().trim_start_matches("W/").to_owned();
    held.trim() == "*" || held.split(',').any(|one| opaque(one) == opaque(etag))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn validators_follow_the_bytes() {
        assert_eq!(strong(b"a"), strong(b"a"));
        assert_ne!(strong(b"a"), strong(b"b"));
        assert!(weak(b"a").to_str().unwrap().starts_with("W/\""));
        assert_eq!(strong(b"").to_str().unwrap(), "\"e3b0c44298fc1c149afbf4c8\"");
    }

    #[test]
    fn comparison_is_weak_and_takes_lists() {
        let etag = HeaderValue::from_static("W/\"x\"");
        for (held, want) in
            [("\"x\"", true), ("W/\"x\"", true), ("\"a\", W/\"x\"", true), ("*", true), ("\"a\"", false), ("x", false)]
        {
            assert_eq!(matches(&HeaderValue::from_str(held).unwrap(), &etag), want, "{held}");
        }
    }
}
