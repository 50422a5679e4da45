//! The market as it is this moment, from memory.

use super::context::instrument;
use super::reply;
use super::segment::{MarketId, Segment};
use crate::live::MarketNow;
use crate::params::Params;
use crate::problem::Problem;
use crate::state::SharedState;
use axum::body::Body;
use axum::extract::State;
use axum::http::Response;

/// The market as it is this moment: streams with continuity and last value, the minute in progress, the top of the book.
///
/// Answered from memory, and only of the present: it takes no `as_of` (`context` and `metrics` do), and no two answers
/// are the same. A market this process does not listen to is 404 `not-live`.
#[utoipa::path(
    get,
    path = "/api/v1/markets/{id}/live",
    operation_id = "getLive",
    tag = "live",
    params(MarketId),
    responses((status = 200, description = "the market now", body = MarketNow))
)]
pub(super) async fn now(
    State(app): State<SharedState>,
    id: Segment<MarketId>,
    Params(()): Params<()>,
) -> Result<Response<Body>, Problem> {
    let id = instrument(&app, "live", id)?;
    let json = app.query.live(&id).and_then(|view| reply::json(&view)).map_err(|e| app.problem("live", &e))?;
    Ok(reply::json_body(json))
}
