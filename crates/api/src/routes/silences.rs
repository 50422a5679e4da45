//! Silences: stretches in which nobody hears of some alerts, with an author, a reason and an end.

use super::segment::{self, Segment};
use super::{body, reply};
use crate::delivery::{NewSilence, SilenceView};
use crate::params::{AsOf, Params, parameters};
use crate::problem::Problem;
use crate::state::SharedState;
use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, Response};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

/// Silences.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Silences {
    /// By the moment they were made.
    pub(crate) items: Vec<SilenceView>,
}

parameters! {
    /// Which silences.
    pub(super) struct Which {
        /// `true`: those that are over too.
        #[param(example = "true")]
        all: Option<bool>,
    }
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
pub(super) struct SilenceId {
    /// Id of the silence.
    id: String,
}

/// Silences that hold now or later, or did so at `as_of`, as they were known then.
#[utoipa::path(
    get,
    path = "/api/v1/silences",
    operation_id = "listSilences",
    tag = "delivery",
    params(Which, AsOf),
    responses((status = 200, description = "the silences", body = Silences))
)]
pub(super) async fn list(
    State(app): State<SharedState>,
    Params((which, as_of)): Params<(Which, AsOf)>,
) -> Result<Response<Body>, Problem> {
    let (all, as_of) = (which.all.flag("those that hold")?, as_of.moment(app.query.now())?);
    let json = app.read("silences", move |q| reply::json(&Silences { items: q.silences(all, as_of)? })).await?;
    Ok(reply::json_body(json))
}

/// Silences some alerts from now on, until a moment or for a while.
#[utoipa::path(
    post,
    path = "/api/v1/silences",
    operation_id = "addSilence",
    tag = "delivery",
    request_body = NewSilence,
    responses((status = 201, description = "the silence", body = SilenceView))
)]
pub(super) async fn add(
    State(app): State<SharedState>,
    Params(()): Params<()>,
    headers: HeaderMap,
    sent: Body,
) -> Result<Response<Body>, Problem> {
    let new: NewSilence = body::json(&headers, sent).await?;
    let json = app.read("silences", move |q| reply::json(&q.put_silence(&new)?)).await?;
    Ok(reply::created(json))
}

/// Ends a silence now. What still fires is told then.
#[utoipa::path(
    delete,
    path = "/api/v1/silences/{id}",
    operation_id = "endSilence",
    tag = "delivery",
    params(SilenceId),
    responses((status = 204, description = "it holds no more"))
)]
pub(super) async fn end(
    State(app): State<SharedState>,
    given: Segment<SilenceId>,
    Params(()): Params<()>,
) -> Result<Response<Body>, Problem> {
    let SilenceId { id } = segment::read(given, "id", "use an id that /api/v1/silences lists")?;
    app.read("silences", move |q| q.end_silence(&id)).await?;
    Ok(reply::no_content())
}
