//! Watches: a person hears of it once a label or a number of a market turns.

use super::segment::{self, Segment};
use super::{body, reply};
use crate::params::{Params, parameters};
use crate::problem::Problem;
use crate::state::SharedState;
use crate::watches::{NewWatch, WatchPast, WatchView, Watches};
use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, Response};
use serde::Deserialize;
use utoipa::IntoParams;

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
pub(super) struct WatchId {
    /// Id of the watch.
    id: String,
}

parameters! {
    /// A condition that is tried.
    pub(super) struct Tried {
        /// `venue:symbol`, or a bare symbol where only one instrument answers to it.
        #[param(example = "binance-usdm:BTCUSDT")]
        market: String,
        /// The condition, as a watch has it.
        #[param(example = "risk leaves HIGH_VOL")]
        when: String,
    }
}

/// Watches that go on, and those that ended last.
#[utoipa::path(
    get,
    path = "/api/v1/watches",
    operation_id = "listWatches",
    tag = "delivery",
    responses((status = 200, description = "the watches", body = Watches))
)]
pub(super) async fn list(State(app): State<SharedState>, Params(()): Params<()>) -> Result<Response<Body>, Problem> {
    let json = app.read("watches", move |q| reply::json(&q.watches()?)).await?;
    Ok(reply::json_body(json))
}

/// How often a condition came true within the newest 30 days that are stored: tries a watch before it is made.
///
/// Needs nobody who listens; any stored market can be asked for.
#[utoipa::path(
    get,
    path = "/api/v1/watches/past",
    operation_id = "tryWatch",
    tag = "delivery",
    params(Tried),
    responses((status = 200, description = "how often, and when last", body = WatchPast))
)]
pub(super) async fn past(
    State(app): State<SharedState>,
    Params(asked): Params<Tried>,
) -> Result<Response<Body>, Problem> {
    let market = asked.market.need("BTCUSDT")?.to_owned();
    let when = asked.when.need("risk+leaves+HIGH_VOL")?.to_owned();
    let json = app.read("watches", move |q| reply::json(&q.watch_past(&market, &when)?)).await?;
    Ok(reply::json_body(json))
}

/// Watches a market from now on, until its condition turns or, with `repeat`, every time it does.
///
/// Judged by each minute as it is published. The same market and condition twice is one watch.
#[utoipa::path(
    post,
    path = "/api/v1/watches",
    operation_id = "addWatch",
    tag = "delivery",
    request_body = NewWatch,
    responses((status = 201, description = "the watch", body = WatchView))
)]
pub(super) async fn add(
    State(app): State<SharedState>,
    Params(()): Params<()>,
    headers: HeaderMap,
    sent: Body,
) -> Result<Response<Body>, Problem> {
    let new: NewWatch = body::json(&headers, sent).await?;
    let json = app.read("watches", move |q| reply::json(&q.put_watch(&new)?)).await?;
    Ok(reply::created(json))
}

/// Removes a watch. What it sent stays.
#[utoipa::path(
    delete,
    path = "/api/v1/watches/{id}",
    operation_id = "removeWatch",
    tag = "delivery",
    params(WatchId),
    responses((status = 204, description = "it is gone"))
)]
pub(super) async fn remove(
    State(app): State<SharedState>,
    given: Segment<WatchId>,
    Params(()): Params<()>,
) -> Result<Response<Body>, Problem> {
    let WatchId { id } = segment::read(given, "id", "use an id that /api/v1/watches lists")?;
    app.read("watches", move |q| q.remove_watch(&id)).await?;
    Ok(reply::no_content())
}
