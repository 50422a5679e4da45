//! Signals of one market: what there is, and bringing more.

use super::context::instrument;
use super::segment::{MarketId, Segment};
use super::{body, reply};
use crate::etag;
use crate::params::{AsOf, Params};
use crate::problem::Problem;
use crate::signals::{NewSignalPoint, SignalsTaken, SignalsView};
use crate::state::SharedState;
use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, Response};

/// The signals that speak of this market: newest value, age, change in a day, score against a week, rank in a month.
///
/// Their values are `/metrics?metric_name=x.…`. A signal is somebody's own number: nothing of barograph is computed from it.
#[utoipa::path(
    get,
    path = "/api/v1/markets/{id}/signals",
    operation_id = "listSignals",
    tag = "context",
    params(MarketId, AsOf),
    responses(
        (status = 200, description = "its signals", body = SignalsView),
        (status = 304, description = "the one you hold is still it (If-None-Match)")
    )
)]
pub(super) async fn list(
    State(app): State<SharedState>,
    id: Segment<MarketId>,
    Params((as_of,)): Params<(AsOf,)>,
    headers: HeaderMap,
) -> Result<Response<Body>, Problem> {
    let id = instrument(&app, "signals", id)?;
    let as_of = as_of.moment(app.query.now())?;
    let json = app.read("signals", move |q| reply::json(&q.signals(&id, as_of)?)).await?;
    Ok(etag::answer(&headers, json))
}

/// Brings values of your own: one point, a list, JSON lines, or CSV with a header.
///
/// All are stored, or none. A value that is there already changes nothing, so a request may be repeated; another value of the same
/// moment from the same source is a revision, and answers as of before keep the earlier one. At most 5,000 values and 1 MiB.
#[utoipa::path(
    post,
    path = "/api/v1/markets/{id}/metrics",
    operation_id = "putMetrics",
    tag = "context",
    params(MarketId),
    request_body(content(
        (Vec<NewSignalPoint> = "application/json"),
        (NewSignalPoint = "application/x-ndjson"),
        (String = "text/csv")
    )),
    responses((status = 200, description = "what became of them", body = SignalsTaken))
)]
pub(super) async fn put(
    State(app): State<SharedState>,
    id: Segment<MarketId>,
    Params(()): Params<()>,
    headers: HeaderMap,
    sent: Body,
) -> Result<Response<Body>, Problem> {
    let id = instrument(&app, "metrics", id)?;
    let text = body::text(&headers, sent, &["application/json", "application/x-ndjson", "text/csv"]).await?;
    let json = app.read("metrics", move |q| reply::json(&q.put_signals(&id, &text)?)).await?;
    Ok(reply::json_body(json))
}
