//! Small helpers that turn values into responses.

use crate::query::QueryError;
use axum::body::Body;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::http::{HeaderValue, Response, StatusCode};
use bytes::Bytes;
use serde::Serialize;

/// JSON bytes of a value.
pub(crate) fn json<T: Serialize + ?Sized>(value: &T) -> Result<Bytes, QueryError> {
    serde_json::to_vec(value).map(Bytes::from).map_err(|e| QueryError::Internal { source: Box::new(e) })
}

/// A body of that type which must be asked for again each time.
pub(crate) fn body(content_type: &'static str, body: impl Into<Body>) -> Response<Body> {
    let mut response = Response::new(body.into());
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    response
}

/// A JSON body.
pub(crate) fn json_body(bytes: Bytes) -> Response<Body> {
    body("application/json", bytes)
}

/// What was made, as JSON.
pub(crate) fn created(bytes: Bytes) -> Response<Body> {
    let mut response = json_body(bytes);
    *response.status_mut() = StatusCode::CREATED;
    response
}

/// It is gone, and there is nothing to show.
pub(crate) fn no_content() -> Response<Body> {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::NO_CONTENT;
    response
}
