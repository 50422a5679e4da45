//! The board: all markets in one answer.

use crate::board::BoardView;
use crate::etag;
use crate::params::{AsOf, Params};
use crate::problem::Problem;
use crate::state::SharedState;
use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, Response};

/// All markets in one table: labels, readings, ages, the price of this moment, and what changed in the last hour.
///
/// Without `as_of` this is the table that `/api/v1/board/stream` begins with and goes on from; `n` is the last batch in it. With
/// `as_of` it is the table as it was known at that moment, prices those of the minute.
#[utoipa::path(
    get,
    path = "/api/v1/board",
    operation_id = "getBoard",
    tag = "board",
    params(AsOf),
    responses(
        (status = 200, description = "the table", body = BoardView),
        (status = 304, description = "the one you hold is still it (If-None-Match)")
    )
)]
pub(super) async fn now(
    State(app): State<SharedState>,
    Params((as_of,)): Params<(AsOf,)>,
    headers: HeaderMap,
) -> Result<Response<Body>, Problem> {
    let as_of = as_of.moment(app.query.now())?;
    let json = app
        .read("board", move |q| match as_of {
            None => q.board().map(|hub| hub.json()),
            Some(moment) => q.board_at(moment).and_then(|view| super::reply::json(&view)),
        })
        .await?;
    Ok(etag::answer(&headers, json))
}
