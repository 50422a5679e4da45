//! The clock of this process.

use super::reply;
use crate::clock::ClockView;
use crate::params::Params;
use crate::problem::Problem;
use crate::state::SharedState;
use axum::body::Body;
use axum::extract::State;
use axum::http::Response;

/// What this process calls now: the machine's clock, or the faster one of a synthetic market.
///
/// The page labels times by it, and opens on `story` where there is one. Ages in every answer are counted by this clock.
#[utoipa::path(
    get,
    path = "/api/v1/clock",
    operation_id = "getClock",
    tag = "board",
    responses((status = 200, description = "the clock", body = ClockView))
)]
pub(super) async fn now(State(app): State<SharedState>, Params(()): Params<()>) -> Result<Response<Body>, Problem> {
    let json = app.read("clock", |q| reply::json(&q.clock())).await?;
    Ok(reply::json_body(json))
}
