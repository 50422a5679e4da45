//! Advice on a trade whose side, entry and stop the caller states. It reads; nothing is placed or kept.

use super::{body, reply};
use crate::params::{AsOf, Params};
use crate::problem::Problem;
use crate::state::SharedState;
use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, Response};
use barograph_domain::advice::{AdviceRequest, AdviceView};

/// What a trade in mind is walking into: verdict with reasons, warnings, options with numbers, parameters.
///
/// The caller states market, side, entry and, where there is one, the stop; equity, size and the record of past trades
/// refine the numbers. The answer never names another side. A market without a snapshot is no failure: the verdict is then
/// AVOID with the reason `no_data`. With `as_of`, here or in the body, it is judged by what was known then.
#[utoipa::path(
    post,
    path = "/api/v1/advice",
    operation_id = "postAdvice",
    tag = "advice",
    params(AsOf),
    request_body = AdviceRequest,
    responses((status = 200, description = "the advice", body = AdviceView))
)]
pub(super) async fn advise(
    State(app): State<SharedState>,
    Params((as_of,)): Params<(AsOf,)>,
    headers: HeaderMap,
    sent: Body,
) -> Result<Response<Body>, Problem> {
    let asked: AdviceRequest = body::json(&headers, sent).await?;
    let as_of = as_of.or_in_body(asked.as_of.as_deref(), app.query.now())?;
    let json = app.read("advice", move |q| reply::json(&q.advise(&asked, as_of)?)).await?;
    Ok(reply::json_body(json))
}
