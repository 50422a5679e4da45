//! Small helpers that turn values into responses.

use crate::query::QueryError;
use axum::body::Body;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::http::{HeaderValue, Response};
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
