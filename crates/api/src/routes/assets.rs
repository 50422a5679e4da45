//! The dashboard: one page with its files, built from `web/` and held in the program.
//!
//! Every address of the page answers with the same document, and the page finds its view by the address. Files under `/assets/`
//! carry their content in their name and may be kept for ever. Nothing is loaded from elsewhere, and the content policy makes
//! sure of it. A program that was built without the page says how to build it.

use crate::etag;
use crate::params::Params;
use crate::problem::{Problem, ProblemKind};
use crate::state::SharedState;
use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::header::{
    ACCEPT_ENCODING, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_SECURITY_POLICY, ETAG, REFERRER_POLICY, VARY,
};
use axum::http::{HeaderMap, HeaderValue, Response};
use bytes::Bytes;

/// One file of the built page.
struct Asset {
    name: &'static str,
    plain: &'static [u8],
    gzip: Option<&'static [u8]>,
    brotli: Option<&'static [u8]>,
}

/// The built page; empty where it was not built.
static PAGE: &[Asset] = include!(concat!(env!("OUT_DIR"), "/page.rs"));

pub(super) const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; \
                                 font-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'self'; \
                                 frame-ancestors 'none'";

/// Was this program built with its page?
#[must_use]
pub fn is_built() -> bool {
    asset("index.html").is_some()
}

fn asset(name: &str) -> Option<&'static Asset> {
    PAGE.iter().find(|a| a.name == name)
}

/// The page, whatever its view. Parameters are those of the view and are read by the page.
#[utoipa::path(
    get,
    path = "/",
    operation_id = "homePage",
    tag = "pages",
    responses((status = 200, description = "a page", body = String, content_type = "text/html"))
)]
pub(super) async fn page(State(app): State<SharedState>, headers: HeaderMap) -> Response<Body> {
    match asset("index.html") {
        Some(index) => {
            let mut response = file(index, &headers, "no-cache");
            secure(&mut response);
            response
        }
        None => super::pages::unbuilt(&app),
    }
}

/// A file of the page.
#[utoipa::path(
    get,
    path = "/assets/{file}",
    operation_id = "pageFile",
    tag = "pages",
    params(("file" = String, Path, description = "name of the file", example = "index.js")),
    responses((
        status = 200,
        description = "the file",
        content((String = "text/javascript"), (String = "text/css"), (String = "image/svg+xml"))
    ))
)]
pub(super) async fn of_page(
    Path(name): Path<String>,
    Params(()): Params<()>,
    headers: HeaderMap,
) -> Result<Response<Body>, Problem> {
    match asset(&format!("assets/{name}")) {
        Some(found) => Ok(file(found, &headers, "public, max-age=31536000, immutable")),
        None => Err(Problem::new(ProblemKind::UnknownRoute, format!("the page has no file '{name}'"))
            .value(name)
            .hint("begin at /")),
    }
}

/// Adds the policy of a page for people.
pub(super) fn secure(response: &mut Response<Body>) {
    response.headers_mut().insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY));
    response.headers_mut().insert(REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
}

fn file(asset: &'static Asset, headers: &HeaderMap, keep: &'static str) -> Response<Body> {
    let accepted = headers.get(ACCEPT_ENCODING).and_then(|v| v.to_str().ok()).unwrap_or_default();
    let takes = |word: &str| accepted.split(',').any(|part| part.split(';').next().unwrap_or_default().trim() == word);
    let (bytes, encoding) = match (asset.brotli, asset.gzip) {
        (Some(packed), _) if takes("br") => (packed, Some("br")),
        (_, Some(packed)) if takes("gzip") => (packed, Some("gzip")),
        _ => (asset.plain, None),
    };
    let body = Bytes::from_static(bytes);
    let tag = etag::strong(&body);
    let mut response = etag::respond(headers, body, &tag);
    let fields = response.headers_mut();
    fields.insert(axum::http::header::CONTENT_TYPE, HeaderValue::from_static(content_type(asset.name)));
    fields.insert(CACHE_CONTROL, HeaderValue::from_static(keep));
    fields.insert(VARY, HeaderValue::from_static("accept-encoding"));
    fields.insert(ETAG, tag);
    if let Some(encoding) = encoding {
        fields.insert(CONTENT_ENCODING, HeaderValue::from_static(encoding));
    }
    response
}

fn content_type(name: &str) -> &'static str {
    match name.rsplit('.').next().unwrap_or_default() {
        "html" => "text/html; charset=utf-8",
        "js" => "text/javascript; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "woff2" => "font/woff2",
        "json" | "webmanifest" => "application/json",
        "txt" => "text/plain; charset=utf-8",
        _ => "application/octet-stream",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    static FILE: Asset = Asset { name: "assets/a.js", plain: b"plain", gzip: Some(b"gz"), brotli: Some(b"br") };

    #[test]
    fn a_file_comes_as_the_client_can_read_it() {
        for (accepts, want) in
            [("", None), ("gzip, deflate", Some("gzip")), ("gzip;q=0.5, br", Some("br")), ("brx", None)]
        {
            let mut headers = HeaderMap::new();
            headers.insert(ACCEPT_ENCODING, HeaderValue::from_str(accepts).unwrap());
            let response = file(&FILE, &headers, "no-cache");
            assert_eq!(response.headers().get(CONTENT_ENCODING).map(|v| v.to_str().unwrap()), want, "{accepts}");
            assert_eq!(response.headers()["content-type"], "text/javascript; charset=utf-8");
            assert_eq!(response.headers()["vary"], "accept-encoding");
        }
    }
}
