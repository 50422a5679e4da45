//! Every address this server has. [`PATHS`] is the one list: the router, the counters and the documentation test
//! follow it.

mod context;
mod ops;

use crate::guard::guard;
use crate::problem::{Problem, ProblemKind};
use crate::state::Shared;
use axum::Router;
use axum::http::header::ALLOW;
use axum::http::{HeaderValue, Method, Response};
use axum::response::IntoResponse;
use axum::routing::get;

/// Every path pattern, as routed and as documented.
pub(crate) const PATHS: &[&str] = &["/api/v1/markets/{id}/context", "/healthz", "/readyz", "/metrics"];

/// The router with its guard.
pub(crate) fn router(app: &Shared) -> Router {
    Router::new()
        .route("/api/v1/markets/{id}/context", get(context::latest))
        .route("/healthz", get(ops::healthz))
        .route("/readyz", get(ops::readyz))
        .route("/metrics", get(ops::metrics))
        .fallback(unknown)
        .method_not_allowed_fallback(wrong_method)
        .layer(axum::middleware::from_fn_with_state(app.clone(), guard))
        .with_state(app.clone())
}

async fn unknown(uri: axum::http::Uri) -> Problem {
    let path = uri.path();
    let shape = PATHS.iter().copied().filter(|p| !p.contains('{'));
    let hint = match crate::names::nearest(path.trim_end_matches('/'), shape) {
        Some(like) => format!("did you mean {like}? /docs lists every address"),
        None => "/docs lists every address".to_owned(),
    };
    Problem::new(ProblemKind::UnknownRoute, format!("there is nothing at {path}")).value(path).hint(hint)
}

async fn wrong_method(method: Method) -> Response<axum::body::Body> {
    let mut response = Problem::new(ProblemKind::MethodNotAllowed, format!("{method} is not offered here"))
        .value(method.as_str())
        .hint("use GET or HEAD: everything here is a read")
        .into_response();
    response.headers_mut().insert(ALLOW, HeaderValue::from_static("GET, HEAD"));
    response
}
