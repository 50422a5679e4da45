//! Reading a JSON body, strictly: its type is said, its size bounded, its fields known.

use super::unread;
use crate::problem::{Problem, ProblemKind};
use axum::body::{Body, to_bytes};
use axum::http::HeaderMap;
use axum::http::header::CONTENT_TYPE;
use serde::de::DeserializeOwned;

/// Largest body; the longest useful one is under a kilobyte.
const BODY_BYTES_MAX: usize = 16 * 1024;

/// Largest body of values somebody brings: 5,000 of them at 200 bytes each.
const TEXT_BYTES_MAX: usize = 1024 * 1024;

/// The text of a body of one of these types.
pub(super) async fn text(headers: &HeaderMap, body: Body, kinds: &[&str]) -> Result<String, Problem> {
    declared(headers, kinds)?;
    let bytes = to_bytes(body, TEXT_BYTES_MAX).await.map_err(|_too_long| {
        Problem::new(ProblemKind::BodyRefused, format!("the body has more than {TEXT_BYTES_MAX} bytes"))
            .hint("send it in parts; what is there already changes nothing")
    })?;
    String::from_utf8(bytes.into()).map_err(|_plain| {
        Problem::new(ProblemKind::BadBody, "the body is not UTF-8 text".to_owned()).hint("send it as UTF-8")
    })
}

/// Is the body declared as one of these types?
fn declared(headers: &HeaderMap, kinds: &[&str]) -> Result<(), Problem> {
    let declared = headers.get(CONTENT_TYPE).and_then(|v| v.to_str().ok()).unwrap_or_default();
    let kind = declared.split(';').next().unwrap_or_default().trim();
    if kinds.iter().any(|k| kind.eq_ignore_ascii_case(k)) {
        return Ok(());
    }
    let wanted = match kinds {
        ["application/json"] => "send JSON with the header content-type: application/json".to_owned(),
        _ => format!("send it with one of the headers content-type: {}", kinds.join(", ")),
    };
    let detail = format!("the body is declared as '{declared}'");
    Err(Problem::new(ProblemKind::UnsupportedMediaType, detail).value(declared).hint(wanted))
}

/// The value of a JSON body.
pub(super) async fn json<T: DeserializeOwned>(headers: &HeaderMap, body: Body) -> Result<T, Problem> {
    declared(headers, &["application/json"])?;
    let bytes = to_bytes(body, BODY_BYTES_MAX).await.map_err(|_too_long| {
        Problem::new(ProblemKind::BodyRefused, format!("the body has more than {BODY_BYTES_MAX} bytes"))
            .hint("send one object with the fields that /docs lists")
    })?;
    let refused = |detail: String| {
        Problem::new(ProblemKind::BadBody, detail).hint("send one JSON object with the fields that /docs lists")
    };
    // A list would be read as the fields in their order, which nobody means.
    if bytes.trim_ascii_start().first() == Some(&b'[') {
        return Err(refused("the body is a list; one JSON object is expected".to_owned()));
    }
    unread::read(&bytes).map_err(|why| refused(format!("the body cannot be read: {why}")))
}
