//! Pages for people: what this is, and the documentation one can try. Everything is in the binary; no page loads
//! anything from elsewhere, and the content policy makes sure of it.

use super::reply;
use crate::params::Params;
use crate::problem::{Problem, ProblemKind};
use crate::state::SharedState;
use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, Response};

const FILES: &[(&str, &str, &str)] = &[
    ("docs.js", "text/javascript; charset=utf-8", include_str!("../assets/docs.js")),
    ("page.css", "text/css; charset=utf-8", include_str!("../assets/page.css")),
];

/// What a program that was built without the dashboard shows: what this is, with links, and how to build it.
pub(super) fn unbuilt(app: &SharedState) -> Response<Body> {
    page(include_str!("../assets/home.html").replace("{version}", &app.config.version))
}

/// Every address, with a form to try it.
#[utoipa::path(
    get,
    path = "/docs",
    operation_id = "docsPage",
    tag = "pages",
    responses((status = 200, description = "a page", body = String, content_type = "text/html"))
)]
pub(super) async fn docs(Params(()): Params<()>) -> Result<Response<Body>, Problem> {
    Ok(page(include_str!("../assets/docs.html").to_owned()))
}

/// Script and style of the pages.
#[utoipa::path(
    get,
    path = "/docs/{file}",
    operation_id = "docsFile",
    tag = "pages",
    params(("file" = String, Path, description = "docs.js or page.css", example = "page.css")),
    responses((status = 200, description = "the file", content((String = "text/javascript"), (String = "text/css"))))
)]
pub(super) async fn file(Path(name): Path<String>, Params(()): Params<()>) -> Result<Response<Body>, Problem> {
    match FILES.iter().find(|(file, ..)| *file == name) {
        Some((_, content_type, text)) => Ok(reply::body(content_type, *text)),
        None => Err(Problem::new(ProblemKind::UnknownRoute, format!("the documentation has no file '{name}'"))
            .value(name)
            .hint("begin at /docs")),
    }
}

/// For language models that come without tools: what this is, and where to ask (<https://llmstxt.org>).
#[utoipa::path(
    get,
    path = "/llms.txt",
    operation_id = "getLlmsText",
    tag = "agents",
    responses((status = 200, description = "Markdown", body = String, content_type = "text/plain"))
)]
pub(super) async fn llms(Params(()): Params<()>) -> Result<Response<Body>, Problem> {
    Ok(reply::body("text/plain; charset=utf-8", include_str!("../assets/llms.txt")))
}

/// This document.
#[utoipa::path(
    get,
    path = "/openapi.json",
    operation_id = "getOpenapi",
    tag = "pages",
    responses(
        (status = 200, description = "OpenAPI 3.1", body = Object),
        (status = 304, description = "the one you hold is still it (If-None-Match)")
    )
)]
pub(super) async fn openapi(
    State(app): State<SharedState>,
    Params(()): Params<()>,
    headers: HeaderMap,
) -> Result<Response<Body>, Problem> {
    Ok(crate::etag::respond(&headers, app.openapi.clone(), &app.openapi_etag))
}

fn page(html: String) -> Response<Body> {
    let mut response = reply::body("text/html; charset=utf-8", html);
    super::assets::secure(&mut response);
    response
}
