//! Positions the user has registered, each with what is around it now, and the notices about them.
//!
//! A position is what the user says it is. Registering one makes the program watch it; nothing is sent anywhere.

use super::segment::{self, Segment};
use super::{body, reply};
use crate::params::{AsOf, Params, parameters};
use crate::problem::Problem;
use crate::state::SharedState;
use axum::body::Body;
use axum::extract::State;
use axum::http::header::LOCATION;
use axum::http::{HeaderMap, HeaderValue, Response, StatusCode};
use barograph_domain::advice::{NewPosition, PositionCard, PositionNotice};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

/// Notices of an answer: by default, and at most.
const LIMITS: (usize, usize) = (100, 1_000);

/// Positions.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Positions {
    /// Those that are registered, oldest first.
    pub(crate) items: Vec<PositionCard>,
}

/// Notices.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Notices {
    /// Newest first.
    pub(crate) items: Vec<PositionNotice>,
}

fn id(given: Segment<PositionId>) -> Result<String, Problem> {
    segment::read(given, "id", "use an id that /api/v1/positions lists").map(|p| p.id)
}

/// Which position, in the path.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
pub(super) struct PositionId {
    /// Id of the position.
    id: String,
}

parameters! {
    /// Which notices.
    pub(super) struct NoticesOf {
        /// Only of this position.
        position: Option<String>,
        /// How many; 100 by default, at most 1000.
        limit: Option<usize>,
    }
}

/// Registered positions, each with its mark, its context and its newest notices.
#[utoipa::path(
    get,
    path = "/api/v1/positions",
    operation_id = "listPositions",
    tag = "advice",
    params(AsOf),
    responses((status = 200, description = "the positions", body = Positions))
)]
pub(super) async fn list(
    State(app): State<SharedState>,
    Params((as_of,)): Params<(AsOf,)>,
) -> Result<Response<Body>, Problem> {
    let as_of = as_of.moment(app.query.now())?;
    let json = app.read("positions", move |q| reply::json(&Positions { items: q.positions(as_of)? })).await?;
    Ok(reply::json_body(json))
}

/// Registers a position to be watched.
///
/// The same content twice is one position.
#[utoipa::path(
    post,
    path = "/api/v1/positions",
    operation_id = "registerPosition",
    tag = "advice",
    request_body = NewPosition,
    responses((status = 201, description = "the position as registered", body = PositionCard))
)]
pub(super) async fn register(
    State(app): State<SharedState>,
    Params(()): Params<()>,
    headers: HeaderMap,
    sent: Body,
) -> Result<Response<Body>, Problem> {
    let new: NewPosition = body::json(&headers, sent).await?;
    let (id, json) = app
        .read("positions", move |q| {
            let card = q.register(&new)?;
            Ok((card.position.id.clone(), reply::json(&card)?))
        })
        .await?;
    let mut response = reply::json_body(json);
    *response.status_mut() = StatusCode::CREATED;
    let escaped: String = form_urlencoded::byte_serialize(id.as_bytes()).collect::<String>().replace('+', "%20");
    if let Ok(place) = HeaderValue::from_str(&format!("/api/v1/positions/{escaped}")) {
        response.headers_mut().insert(LOCATION, place);
    }
    Ok(response)
}

/// One registered position.
#[utoipa::path(
    get,
    path = "/api/v1/positions/{id}",
    operation_id = "getPosition",
    tag = "advice",
    params(PositionId, AsOf),
    responses((status = 200, description = "the position", body = PositionCard))
)]
pub(super) async fn one(
    State(app): State<SharedState>,
    given: Segment<PositionId>,
    Params((as_of,)): Params<(AsOf,)>,
) -> Result<Response<Body>, Problem> {
    let (id, as_of) = (id(given)?, as_of.moment(app.query.now())?);
    let json = app.read("positions", move |q| reply::json(&q.position(&id, as_of)?)).await?;
    Ok(reply::json_body(json))
}

/// Takes a position out. Nothing is closed anywhere; the notices about it stay.
#[utoipa::path(
    delete,
    path = "/api/v1/positions/{id}",
    operation_id = "removePosition",
    tag = "advice",
    params(PositionId),
    responses((status = 204, description = "it is watched no more"))
)]
pub(super) async fn remove(
    State(app): State<SharedState>,
    given: Segment<PositionId>,
    Params(()): Params<()>,
) -> Result<Response<Body>, Problem> {
    let id = id(given)?;
    app.read("positions", move |q| q.unregister(&id)).await?;
    Ok(reply::no_content())
}

/// Notices about registered positions, newest first.
#[utoipa::path(
    get,
    path = "/api/v1/notices",
    operation_id = "listNotices",
    tag = "advice",
    params(NoticesOf, AsOf),
    responses((status = 200, description = "the notices", body = Notices))
)]
pub(super) async fn notices(
    State(app): State<SharedState>,
    Params((which, as_of)): Params<(NoticesOf, AsOf)>,
) -> Result<Response<Body>, Problem> {
    let limit = which.limit.limit(LIMITS)?;
    let (of, as_of) = (which.position.owned(), as_of.moment(app.query.now())?);
    let json =
        app.read("notices", move |q| reply::json(&Notices { items: q.notices(of.as_deref(), as_of, limit)? })).await?;
    Ok(reply::json_body(json))
}
