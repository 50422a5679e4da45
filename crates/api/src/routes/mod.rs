//! Every address this server has. [`PATHS`] is the one list: the router, the counters and the documentation test
//! follow it.

pub(crate) mod advice;
pub(crate) mod alias;
pub(crate) mod alias_markets;
pub(crate) mod assets;
pub(crate) mod board;
pub(crate) mod board_stream;
pub(crate) mod body;
pub(crate) mod chart;
pub(crate) mod context;
pub(crate) mod deliveries;
mod docs;
pub(crate) mod events;
pub(crate) mod features;
pub(crate) mod feeds;
pub(crate) mod levels;
pub(crate) mod live;
pub(crate) mod markets;
pub(crate) mod metrics;
pub(crate) mod ops;
pub(crate) mod pages;
mod paging;
pub(crate) mod positions;
mod reply;
mod segment;
pub(crate) mod session;
pub(crate) mod silences;
pub(crate) mod stream;
pub(crate) mod universe;
mod unread;
mod views;

pub(crate) use views::VIEWS;

use crate::guard::guard;
use crate::problem::{Problem, ProblemKind};
use crate::state::Shared;
use axum::Router;
use axum::extract::MatchedPath;
use axum::http::header::ALLOW;
use axum::http::{HeaderValue, Method, Response};
use axum::response::IntoResponse;
use axum::routing::{MethodRouter, delete, get, post};

/// Every path pattern, as routed and as documented. The original paths are routed without their trailing slash too.
pub(crate) const PATHS: &[&str] = &[
    "/api/v1/markets",
    "/api/v1/markets/{id}",
    "/api/v1/markets/{id}/context",
    "/api/v1/markets/{id}/context/history",
    "/api/v1/markets/{id}/metrics",
    "/api/v1/markets/{id}/features",
    "/api/v1/markets/{id}/levels",
    "/api/v1/markets/{id}/events",
    "/api/v1/markets/{id}/live",
    "/api/v1/markets/{id}/chart",
    "/api/v1/markets/{id}/continuity",
    "/api/v1/events",
    "/api/v1/universe",
    "/api/v1/universe/history",
    "/api/v1/portfolio",
    "/api/v1/calendar",
    "/api/v1/feeds",
    "/api/v1/catalogue",
    "/api/v1/advice",
    "/api/v1/positions",
    "/api/v1/positions/{id}",
    "/api/v1/notices",
    "/api/v1/deliveries",
    "/api/v1/deliveries/{message}",
    "/api/v1/deliveries/{message}/replay",
    "/api/v1/endpoints",
    "/api/v1/endpoints/{name}/enable",
    "/api/v1/groups",
    "/api/v1/silences",
    "/api/v1/silences/{id}",
    "/api/v1/stream",
    "/api/v1/session",
    "/api/v1/board",
    "/api/v1/board/stream",
    "/api/market-context/snapshot/",
    "/api/market-context/history/",
    "/api/market-context/metrics/",
    "/api/features",
    "/api/volatility",
    "/api/cascades",
    "/healthz",
    "/readyz",
    "/metrics",
    "/",
    "/docs",
    "/assets/{file}",
    "/docs/{file}",
    "/openapi.json",
];

fn handler(path: &str) -> Option<MethodRouter<Shared>> {
    Some(match path {
        "/api/v1/markets" => get(markets::list),
        "/api/v1/markets/{id}" => get(markets::one),
        "/api/v1/markets/{id}/context" => get(context::latest),
        "/api/v1/markets/{id}/context/history" => get(context::history),
        "/api/v1/markets/{id}/metrics" => get(metrics::points),
        "/api/v1/markets/{id}/features" => get(features::rows),
        "/api/v1/markets/{id}/levels" => get(levels::list),
        "/api/v1/markets/{id}/events" => get(events::of_market),
        "/api/v1/events" => get(events::of_all),
        "/api/v1/markets/{id}/live" => get(live::now),
        "/api/v1/markets/{id}/chart" => get(chart::candles),
        "/api/v1/markets/{id}/continuity" => get(chart::continuity),
        "/api/v1/universe" => get(universe::latest),
        "/api/v1/universe/history" => get(universe::history),
        "/api/v1/portfolio" => post(universe::portfolio),
        "/api/v1/calendar" => get(universe::calendar),
        "/api/v1/feeds" => get(feeds::list),
        "/api/v1/catalogue" => get(markets::catalogue),
        "/api/v1/advice" => post(advice::advise),
        "/api/v1/positions" => get(positions::list).post(positions::register),
        "/api/v1/positions/{id}" => get(positions::one).delete(positions::remove),
        "/api/v1/notices" => get(positions::notices),
        "/api/v1/deliveries" => get(deliveries::list),
        "/api/v1/deliveries/{message}" => get(deliveries::one),
        "/api/v1/deliveries/{message}/replay" => post(deliveries::replay),
        "/api/v1/endpoints" => get(deliveries::endpoints),
        "/api/v1/endpoints/{name}/enable" => post(deliveries::enable),
        "/api/v1/groups" => get(deliveries::groups),
        "/api/v1/silences" => get(silences::list).post(silences::add),
        "/api/v1/silences/{id}" => delete(silences::end),
        "/api/v1/stream" => get(stream::stream),
        "/api/v1/session" => get(session::show).post(session::sign_in).delete(session::sign_out),
        "/api/v1/board" => get(board::now),
        "/api/v1/board/stream" => get(board_stream::stream),
        "/api/market-context/snapshot/" => get(alias::snapshot),
        "/api/market-context/history/" => get(alias::history),
        "/api/market-context/metrics/" => get(alias::points),
        "/api/features" => get(alias_markets::features),
        "/api/volatility" => get(alias_markets::volatility),
        "/api/cascades" => get(events::cascades),
        "/healthz" => get(ops::healthz),
        "/readyz" => get(ops::readyz),
        "/metrics" => get(ops::metrics),
        "/" => get(assets::page),
        "/assets/{file}" => get(assets::of_page),
        "/docs" => get(pages::docs),
        "/docs/{file}" => get(pages::file),
        "/openapi.json" => get(pages::openapi),
        _ => return None,
    })
}

/// The router with its guard.
pub(crate) fn router(app: &Shared) -> Router {
    let mut router = Router::new();
    for path in PATHS {
        let Some(handler) = handler(path) else { continue };
        // The trailing slash of the originals' addresses is optional (payloads).
        match path.strip_suffix('/') {
            Some("") => {}
            Some(bare) => router = router.route(bare, handler.clone()),
            None if path.starts_with("/api/") && !path.starts_with("/api/v1/") => {
                router = router.route(&format!("{path}/"), handler.clone());
            }
            None => {}
        }
        router = router.route(path, handler);
    }
    for view in VIEWS {
        router = router.route(view, get(assets::page));
    }
    router
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

/// What may be done at a path, as its `Allow` header says it.
fn allowed(route: Option<&str>) -> &'static str {
    match route {
        Some(
            "/api/v1/advice"
            | "/api/v1/portfolio"
            | "/api/v1/deliveries/{message}/replay"
            | "/api/v1/endpoints/{name}/enable",
        ) => "POST",
        Some("/api/v1/positions" | "/api/v1/silences") => "GET, HEAD, POST",
        Some("/api/v1/silences/{id}") => "DELETE",
        Some("/api/v1/session") => "GET, HEAD, POST, DELETE",
        Some("/api/v1/positions/{id}") => "GET, HEAD, DELETE",
        _ => "GET, HEAD",
    }
}

/// Where somebody who has points of their own would send them.
const METRIC_READS: [&str; 3] =
    ["/api/v1/markets/{id}/metrics", "/api/market-context/metrics/", "/api/market-context/metrics"];

async fn wrong_method(route: Option<MatchedPath>, method: Method) -> Response<axum::body::Body> {
    let path = route.as_ref().map(MatchedPath::as_str);
    let allow = allowed(path);
    let signals = matches!(method, Method::POST | Method::PUT) && path.is_some_and(|p| METRIC_READS.contains(&p));
    let mut response = Problem::new(ProblemKind::MethodNotAllowed, format!("{method} is not offered here"))
        .value(method.as_str())
        .hint(if signals {
            format!("signals of your own are not accepted yet; use {allow}")
        } else {
            format!("use {allow}")
        })
        .into_response();
    response.headers_mut().insert(ALLOW, HeaderValue::from_static(allow));
    response
}
