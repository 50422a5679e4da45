//! The context of one market: the newest snapshot, and snapshots of the past.

use super::paging::{Listed, PageView};
use super::reply;
use super::segment::{self, MarketId, Segment};
use crate::etag;
use crate::params::{AsOf, Every, Paging, Params, RuleBookChoice, TimeRange};
use crate::problem::Problem;
use crate::state::SharedState;
use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, Response};
use barograph_domain::similar::SimilarView;
use barograph_domain::{InstrumentName, Snapshot};

/// Snapshots on a page: by default, and at most. A snapshot is about 8 kB of JSON.
const LIMITS: (usize, usize) = (100, 1_000);

/// The instrument a path names.
pub(super) fn instrument(
    app: &SharedState,
    route: &'static str,
    id: Segment<MarketId>,
) -> Result<InstrumentName, Problem> {
    let MarketId { id } = segment::read(id, "symbol", "write it as in /api/v1/markets/binance-usdm:BTCUSDT/context")?;
    app.query.resolve(&id, false).map_err(|e| app.problem(route, &e))
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
    params(MarketId, AsOf, RuleBookChoice),
    responses(
        (status = 200, description = "the snapshot", body = Snapshot),
        (status = 304, description = "the one you hold is still it (If-None-Match)")
    )
)]
pub(super) async fn latest(
    State(app): State<SharedState>,
    id: Segment<MarketId>,
    Params((as_of, book)): Params<(AsOf, RuleBookChoice)>,
    headers: HeaderMap,
) -> Result<Response<Body>, Problem> {
    let id = instrument(&app, "context", id)?;
    let as_of = as_of.moment(app.query.now())?;
    let rendered = match (as_of, book.name()) {
        // From memory, on this thread.
        (None, None) => app.query.context(&id, None, None).map_err(|e| app.problem("context", &e))?,
        (as_of, book) => app.read("context", move |q| q.context(&id, book.as_deref(), as_of)).await?,
    };
    Ok(etag::respond(&headers, rendered.json, &rendered.etag))
}

/// The past hours most like the newest minute of a market, and what came of them.
///
/// Up to 180 days of full hours are compared by how far each clause of the risk rules was from its threshold; only hours whose next
/// day was over by that minute. With `as_of`: the minute that was the newest then, with what was known then.
#[utoipa::path(
    get,
    path = "/api/v1/markets/{id}/similar",
    operation_id = "getSimilar",
    tag = "context",
    params(MarketId, AsOf),
    responses((status = 200, description = "similar moments with their outcomes", body = SimilarView))
)]
pub(super) async fn similar(
    State(app): State<SharedState>,
    id: Segment<MarketId>,
    Params((as_of,)): Params<(AsOf,)>,
) -> Result<Response<Body>, Problem> {
    let id = instrument(&app, "similar", id)?;
    let as_of = as_of.moment(app.query.now())?;
    let json = app.read("similar", move |q| reply::json(&q.similar(&id, as_of)?)).await?;
    Ok(reply::json_body(json))
}

/// Snapshots of a market, ascending, as published.
///
/// Pass `as_of` to walk a state that does not move while data arrive.
#[utoipa::path(
    get,
    path = "/api/v1/markets/{id}/context/history",
    operation_id = "getContextHistory",
    tag = "context",
    params(MarketId, TimeRange, Every, Paging, AsOf, RuleBookChoice),
    responses(
        (status = 200, description = "one page, at most 1000 snapshots, 100 by default", body = PageView<Snapshot>),
        (status = 304, description = "the one you hold is still it (If-None-Match)")
    )
)]
pub(super) async fn history(
    State(app): State<SharedState>,
    id: Segment<MarketId>,
    Params((listed, every, book)): Params<(Listed, Every, RuleBookChoice)>,
    headers: HeaderMap,
) -> Result<Response<Body>, Problem> {
    let id = instrument(&app, "history", id)?;
    let series = listed.series(&format!("history {id}"), Some(&every), app.query.now(), LIMITS, false)?;
    let book = book.name();
    let json = app
        .read("history", move |q| {
            let page = q.history(&id, book.as_deref(), &series.window)?;
            let view = series.view(page, |s| s.timestamp);
            reply::json(&PageView { items: view.items.iter().map(|s| &**s).collect(), next_cursor: view.next_cursor })
        })
        .await?;
    Ok(etag::answer(&headers, json))
}
