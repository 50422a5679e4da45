//! Best bid and lowest ask of one asset over the venues that are listened to.

use super::reply;
use crate::cross_venue::CrossVenueView;
use crate::params::{Params, parameters};
use crate::problem::Problem;
use crate::state::SharedState;
use axum::body::Body;
use axum::extract::State;
use axum::http::Response;

parameters! {
    /// Which asset.
    pub(super) struct OfBase {
        /// Only this base currency, whatever its case. Left out: all.
        #[param(example = "BTC")]
        base: Option<String>,
    }
}

/// The highest bid and the lowest ask of each asset over several venues, with the taker fees of both.
///
/// Answered from memory, and only of the present: it takes no `as_of`. A quote counts while its stream is LIVE and it is five seconds old
/// at most. A process that listens to nothing answers 404 `not-live`. Facts, no advice: whether both sides can be had is not known here.
#[utoipa::path(
    get,
    path = "/api/v1/cross-venue",
    operation_id = "getCrossVenue",
    tag = "live",
    params(OfBase),
    responses((status = 200, description = "every asset that at least two venues quote", body = CrossVenueView))
)]
pub(super) async fn now(
    State(app): State<SharedState>,
    Params((of,)): Params<(OfBase,)>,
) -> Result<Response<Body>, Problem> {
    let view = app.query.cross_venue(of.base.text()).map_err(|e| app.problem("cross_venue", &e))?;
    let json = reply::json(&view).map_err(|e| app.problem("cross_venue", &e))?;
    Ok(reply::json_body(json))
}
