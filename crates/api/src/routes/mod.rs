//! Every address this server has, in one list.

pub(crate) mod advice;
pub(crate) mod agent_sessions;
pub(crate) mod agents;
pub(crate) mod analysis;
pub(crate) mod assets;
pub(crate) mod board;
pub(crate) mod board_stream;
mod body;
pub(crate) mod cases;
pub(crate) mod chart;
pub(crate) mod clock;
pub(crate) mod context;
pub(crate) mod cross_venue;
pub(crate) mod deliveries;
pub(crate) mod events;
pub(crate) mod features;
pub(crate) mod feeds;
pub(crate) mod levels;
pub(crate) mod liquidations;
pub(crate) mod live;
pub(crate) mod markets;
pub(crate) mod metrics;
pub(crate) mod onchain;
pub(crate) mod ops;
pub(crate) mod options;
pub(crate) mod pages;
mod paging;
pub(crate) mod paper;
pub(crate) mod positions;
pub(crate) mod reply;
pub(crate) mod scores;
mod segment;
pub(crate) mod session;
pub(crate) mod signals;
pub(crate) mod silences;
pub(crate) mod stream;
pub(crate) mod studies;
mod table;
pub(crate) mod universe;
mod unread;
mod views;
pub(crate) mod watches;
pub(crate) mod whatif;

pub(crate) use table::Route;
pub(crate) use views::VIEWS;

use crate::access::Role;
use crate::agents::Inside;
use crate::alias;
use crate::guard::guard;
use crate::problem::{Problem, ProblemKind};
use crate::state::SharedState;
use axum::Extension;
use axum::Router;
use axum::body::Body;
use axum::extract::{MatchedPath, State};
use axum::http::header::{ACCEPT, ALLOW, IF_NONE_MATCH};
use axum::http::{HeaderMap, HeaderValue, Method, Response, StatusCode, Uri};
use axum::response::IntoResponse;
use axum::routing::get;
use std::sync::{Arc, LazyLock};
use table::Table;
use utoipa::openapi::OpenApi;

/// The one list: a handler and what a caller's token has to allow. Method, address, body and answers are declared at the handler,
/// its parameters by what it takes; the router, the document, the guard and the counters follow, in this order.
macro_rules! routes {
    ($($($handler:ident)::+ $needs:ident,)*) => {
        static TABLE: LazyLock<Table> = LazyLock::new(|| {
            let mut table = Table::default();
            $({
                #[derive(utoipa::OpenApi)]
                #[openapi(paths($($handler)::+))]
                struct Declared;
                table.add(<Declared as utoipa::OpenApi>::openapi(), $needs, &$($handler)::+);
            })*
            table
        });
    };
}

const EVERYBODY: Option<Role> = None;
const READ: Option<Role> = Some(Role::Read);
const OPERATE: Option<Role> = Some(Role::Operate);

routes! {
    markets::list READ,
    markets::one READ,
    context::latest READ,
    context::history READ,
    context::similar READ,
    analysis::of_market READ,
    metrics::points READ,
    signals::put OPERATE,
    signals::list READ,
    signals::bars READ,
    onchain::now READ,
    features::rows READ,
    features::of_all READ,
    levels::list READ,
    events::of_market READ,
    events::of_all READ,
    events::one READ,
    liquidations::by_hour READ,
    options::of_currency READ,
    universe::latest READ,
    universe::history READ,
    universe::portfolio READ,
    universe::calendar READ,
    scores::scorecard READ,
    scores::badge READ,
    scores::drift READ,
    scores::forecasts READ,
    live::now READ,
    cross_venue::now READ,
    feeds::list READ,
    markets::catalogue READ,
    advice::advise READ,
    whatif::thresholds READ,
    whatif::ask READ,
    whatif::keep OPERATE,
    paper::week READ,
    studies::list READ,
    studies::one READ,
    positions::list READ,
    positions::register OPERATE,
    positions::one READ,
    positions::remove OPERATE,
    positions::notices READ,
    deliveries::list READ,
    deliveries::one READ,
    deliveries::replay OPERATE,
    deliveries::endpoints READ,
    deliveries::enable OPERATE,
    deliveries::test OPERATE,
    deliveries::make OPERATE,
    deliveries::remove OPERATE,
    deliveries::groups READ,
    cases::list READ,
    cases::file OPERATE,
    cases::one READ,
    cases::write OPERATE,
    cases::export READ,
    cases::replay READ,
    silences::list READ,
    silences::add OPERATE,
    silences::end OPERATE,
    watches::list READ,
    watches::past READ,
    watches::add OPERATE,
    watches::remove OPERATE,
    stream::stream READ,
    board::now READ,
    clock::now READ,
    chart::candles READ,
    chart::continuity READ,
    board_stream::stream READ,
    alias::routes::snapshot READ,
    alias::routes::history READ,
    alias::routes::points READ,
    alias::market_routes::features READ,
    alias::market_routes::volatility READ,
    alias::cascades::cascades READ,
    ops::healthz EVERYBODY,
    ops::readyz READ,
    ops::metrics READ,
    session::show EVERYBODY,
    session::sign_in EVERYBODY,
    session::sign_out EVERYBODY,
    assets::page EVERYBODY,
    assets::of_page EVERYBODY,
    pages::docs EVERYBODY,
    pages::file EVERYBODY,
    pages::openapi EVERYBODY,
    pages::llms EVERYBODY,
    agents::ask READ,
    agent_sessions::list READ,
    agent_sessions::begin OPERATE,
    agent_sessions::one READ,
}

/// Every route, in the order of the list.
pub(crate) fn all() -> &'static [Route] {
    &TABLE.routes
}

/// The route of an address as it was matched. Every view of the page is the page.
pub(crate) fn find(matched: &str) -> Option<&'static Route> {
    TABLE.find(if VIEWS.contains(&matched) { "/" } else { matched })
}

/// A document with every operation.
pub(crate) fn documented(document: OpenApi) -> OpenApi {
    TABLE.documented(document)
}

/// Every route without what is in front of them: for those who have been let in.
static INNER: LazyLock<Router<SharedState>> = LazyLock::new(|| TABLE.router().fallback(unknown));

/// The routes for somebody inside.
pub(crate) fn inner(app: &SharedState) -> Router {
    INNER.clone().with_state(app.clone())
}

/// The router with its guard.
pub(crate) fn router(app: &SharedState) -> Router {
    let router = VIEWS.iter().fold(TABLE.router(), |router, view| router.route(view, get(assets::page)));
    router
        .fallback(unknown)
        .method_not_allowed_fallback(wrong_method)
        .layer(axum::middleware::from_fn_with_state(Arc::clone(&app.front), guard))
        .layer(Extension(Inside::of(app)))
        .with_state(app.clone())
}

/// A browser gets the page, which says so in words and has a way on; everybody else gets a problem.
async fn unknown(app: State<SharedState>, uri: Uri, mut headers: HeaderMap) -> Response<Body> {
    let path = uri.path();
    let reads = headers.get(ACCEPT).and_then(|v| v.to_str().ok()).is_some_and(|takes| takes.contains("text/html"));
    if reads && assets::is_built() && !path.starts_with("/api/") {
        // "Not modified" has no body, and with this status that would be an empty page.
        headers.remove(IF_NONE_MATCH);
        let mut response = assets::page(app, headers).await;
        *response.status_mut() = StatusCode::NOT_FOUND;
        return response;
    }
    let shape = all().iter().map(|r| r.path.as_str()).filter(|p| !p.contains('{'));
    let hint = match crate::names::nearest(path.trim_end_matches('/'), shape) {
        Some(like) => format!("did you mean {like}? /docs lists every address"),
        None => "/docs lists every address".to_owned(),
    };
    Problem::new(ProblemKind::UnknownRoute, format!("there is nothing at {path}"))
        .value(path)
        .hint(hint)
        .into_response()
}

/// Where somebody who has points of their own would send them.
const METRIC_READS: [&str; 2] = ["/api/v1/markets/{id}/metrics", "/api/market-context/metrics/"];

pub(crate) async fn wrong_method(route: Option<MatchedPath>, method: Method) -> Response<Body> {
    let route = route.and_then(|matched| find(matched.as_str()));
    let allow = route.map_or_else(|| "GET, HEAD".to_owned(), Route::allowed);
    let signals =
        matches!(method, Method::POST | Method::PUT) && route.is_some_and(|r| METRIC_READS.contains(&r.path.as_str()));
    let mut response = Problem::new(ProblemKind::MethodNotAllowed, format!("{method} is not offered here"))
        .value(method.as_str())
        .hint(if signals {
            format!("signals of your own are sent to POST /api/v1/markets/{{id}}/metrics; use {allow}")
        } else {
            format!("use {allow}")
        })
        .into_response();
    if let Ok(allow) = HeaderValue::from_str(&allow) {
        response.headers_mut().insert(ALLOW, allow);
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_address_that_is_routed_is_found_so_that_none_is_open_by_mistake() {
        for route in all() {
            for address in route.addresses() {
                assert_eq!(find(address).map(|r| r.index), Some(route.index), "{address}");
            }
        }
        assert!(VIEWS.iter().all(|view| find(view).is_some_and(|r| r.path == "/")));
        assert!(find("/nowhere").is_none());
    }

    #[test]
    fn a_method_that_is_not_offered_needs_what_the_others_need() {
        let needs = |path, method: Method| find(path).and_then(|r| r.needs(&method));
        assert_eq!(needs("/api/v1/markets", Method::PUT), OPERATE);
        assert_eq!(needs("/api/v1/advice", Method::PUT), READ);
        assert_eq!(needs("/api/v1/silences/{id}", Method::GET), READ);
        assert_eq!(needs("/healthz", Method::DELETE), EVERYBODY);
    }
}
