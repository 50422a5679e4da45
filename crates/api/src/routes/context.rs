//! The context of one market: the newest snapshot, and snapshots of the past.

use super::docs;
use super::paging::{PageView, SERIES, Series};
use super::reply;
use super::segment::{self, Segment};
use crate::etag;
use crate::params::Params;
use crate::problem::Problem;
use crate::state::Shared;
use axum::body::Body;
use axum::extract::{RawQuery, State};
use axum::http::{HeaderMap, Response};
use barograph_domain::{InstrumentName, Snapshot};

/// Snapshots on a page: by default, and at most. A snapshot is about 8 kB of JSON.
const LIMITS: (usize, usize) = (100, 1_000);

/// The path parameter every market route has.
pub(super) type Id = Segment;

/// The instrument a path names.
pub(super) fn instrument(app: &Shared, route: &'static str, id: Id) -> Result<InstrumentName, Problem> {
    let name = segment::text(id, "symbol", "write it as in /api/v1/markets/binance-usdm:BTCUSDT/context")?;
    app.query.resolve(&name, false).map_err(|e| app.problem(route, &e))
}

/// The newest snapshot of a market.
///
/// Without `as_of` this is the view from the present moment: freshness, bias, posture and texts are those of now, and
/// `age_s` says how old the reading is. With `as_of` it is the snapshot as published, for ever the same.
/// The validator is strong with `as_of` and weak without: there it covers everything but the counted seconds.
#[utoipa::path(
    get,
    path = "/api/v1/markets/{id}/context",
    operation_id = "getContext",
    tag = "context",
    params(docs::Id, docs::AsOf, docs::Book),
    responses(
        (status = 200, description = "the snapshot", body = Snapshot),
        (status = 304, description = "the one you hold is still it (If-None-Match)")
    )
)]
pub(super) async fn latest(
    State(app): State<Shared>,
    id: Id,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Result<Response<Body>, Problem> {
    let params = Params::parse(query.as_deref(), &["as_of", "book"])?;
    let id = instrument(&app, "context", id)?;
    let as_of = params.as_of(app.query.now())?;
    let rendered = match (as_of, params.text("book").map(str::to_owned)) {
        // From memory, on this thread.
        (None, None) => app.query.context(&id, None, None).map_err(|e| app.problem("context", &e))?,
        (as_of, book) => app.read("context", move |q| q.context(&id, book.as_deref(), as_of)).await?,
    };
    Ok(etag::respond(&headers, rendered.json, &rendered.etag))
}

/// Snapshots of a market, ascending, as published.
///
/// Pass `as_of` to walk a state that does not move while data arrive.
#[utoipa::path(
    get,
    path = "/api/v1/markets/{id}/context/history",
    operation_id = "getContextHistory",
    tag = "context",
    params(docs::Id, docs::Range, docs::Every, docs::Paging, docs::AsOf, docs::Book),
    responses(
        (status = 200, description = "one page, at most 1000 snapshots, 100 unless told", body = PageView<Snapshot>),
        (status = 304, description = "the one you hold is still it (If-None-Match)")
    )
)]
pub(super) async fn history(
    State(app): State<Shared>,
    id: Id,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Result<Response<Body>, Problem> {
    let params = Params::parse(query.as_deref(), &[SERIES, &["every", "book"]].concat())?;
    let id = instrument(&app, "history", id)?;
    let series = Series::read(&params, "history", &id, app.query.now(), LIMITS)?;
    let book = params.text("book").map(str::to_owned);
    let json = app
        .read("history", move |q| {
            let page = q.history(&id, book.as_deref(), &series.window)?;
            let view = series.view(page, |s| s.timestamp);
            reply::json(&PageView { items: view.items.iter().map(|s| &**s).collect(), next_cursor: view.next_cursor })
        })
        .await?;
    Ok(etag::answer(&headers, json))
}
