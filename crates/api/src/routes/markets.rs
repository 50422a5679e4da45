//! What there is: markets and the feature catalogue.

use super::{docs, reply};
use crate::etag;
use crate::params::Params;
use crate::problem::Problem;
use crate::state::Shared;
use crate::view::{Catalogue, MarketView};
use axum::body::Body;
use axum::extract::{RawQuery, State};
use axum::http::{HeaderMap, Response};
use serde::Serialize;
use utoipa::ToSchema;

/// Every market.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct MarketList {
    /// Sorted by name.
    items: Vec<MarketView>,
}

/// Every market there is, its streams, its label and how old it is.
#[utoipa::path(
    get,
    path = "/api/v1/markets",
    operation_id = "listMarkets",
    tag = "context",
    params(docs::AsOf),
    responses((status = 200, description = "the markets", body = MarketList))
)]
pub(super) async fn list(State(app): State<Shared>, RawQuery(query): RawQuery) -> Result<Response<Body>, Problem> {
    let params = Params::parse(query.as_deref(), &["as_of"])?;
    let as_of = params.as_of(app.query.now())?;
    let json = app.read("markets", move |q| reply::json(&MarketList { items: q.markets(as_of)? })).await?;
    Ok(reply::json_body(json))
}

/// Every feature this build computes: definition, unit, inputs, window and warm-up.
#[utoipa::path(
    get,
    path = "/api/v1/catalogue",
    operation_id = "getCatalogue",
    tag = "context",
    responses(
        (status = 200, description = "the catalogue, in row order", body = Catalogue),
        (status = 304, description = "the one you hold is still it (If-None-Match)")
    )
)]
pub(super) async fn catalogue(
    State(app): State<Shared>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Result<Response<Body>, Problem> {
    Params::parse(query.as_deref(), &[])?;
    Ok(etag::respond(&headers, app.catalogue.clone(), &app.catalogue_etag))
}
