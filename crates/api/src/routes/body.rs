//! Reading a JSON body, strictly: its type is said, its size bounded, its fields known.

use super::unread;
use crate::problem::{Problem, ProblemKind};
use axum::body::{Body, to_bytes};
use axum::http::HeaderMap;
use axum::http::header::CONTENT_TYPE;
use serde::de::DeserializeOwned;

/// Largest body; the longest useful one is under a kilobyte.
const BODY_BYTES_MAX: usize = 16 * 1024;

/// The value of a JSON body.
pub(super) async fn json<T: DeserializeOwned>(headers: &HeaderMap, body: Body) -> Result<T, Problem> {
    let declared = headers.get(CONTENT_TYPE).and_then(|v| v.to_str().ok()).unwrap_or_default();
    let kind = declared.split(';').next().unwrap_or_default().trim();
    if !kind.eq_ignore_ascii_case("application/json") {
        let detail = format!("the body is declared as '{declared}'");
        return Err(Problem::new(ProblemKind::UnsupportedMediaType, detail)
            .value(declared)
            .hint("send JSON with the header content-type: application/json"));
    }
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
