//! One market in one answer.

use super::context::instrument;
use super::reply;
use super::segment::{MarketId, Segment};
use crate::analysis::AnalysisView;
use crate::etag;
use crate::params::{AsOf, Params};
use crate::problem::Problem;
use crate::state::SharedState;
use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, Response};

/// One market, checked: open alerts, health, every pattern with its statistic, sources and gaps.
///
/// `health.score` is 100 less what alerts take (of the last six hours, halved with each hour since they closed) and what missing data
/// take (of the last 60 minutes); each part is listed. Patterns are judged by the newest minute, quiet ones too. Of a recording the answer
/// is of its end. Nothing here says that anybody did anything: patterns are consistent with a behaviour.
#[utoipa::path(
    get,
    path = "/api/v1/markets/{id}/analysis",
    operation_id = "analyzeMarket",
    tag = "context",
    params(MarketId, AsOf),
    responses(
        (status = 200, description = "the market, checked", body = AnalysisView),
        (status = 304, description = "the one you hold is still it (If-None-Match)")
    )
)]
pub(super) async fn of_market(
    State(app): State<SharedState>,
    id: Segment<MarketId>,
    Params((as_of,)): Params<(AsOf,)>,
    headers: HeaderMap,
) -> Result<Response<Body>, Problem> {
    let id = instrument(&app, "analysis", id)?;
    let as_of = as_of.moment(app.query.now())?;
    let json = app.read("analysis", move |q| reply::json(&q.analysis(&id, as_of)?)).await?;
    Ok(etag::answer(&headers, json))
}
