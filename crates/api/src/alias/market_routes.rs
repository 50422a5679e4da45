//! The original paths that answer for all markets at once (payloads §4).

use super::markets::{AliasFeatures, AliasMarkets, AliasVolatility};
use crate::params::{AsOf, Params};
use crate::problem::Problem;
use crate::query::{Query, QueryError};
use crate::routes::features::of_every_market;
use crate::routes::reply;
use crate::state::SharedState;
use crate::view::FeatureRowView;
use axum::body::Body;
use axum::extract::State;
use axum::http::Response;
use barograph_domain::{Snapshot, Ts};
use serde::Serialize;

/// Every market at once: price, funding, open interest, volatility, activity, liquidations.
#[utoipa::path(
    get,
    path = "/api/features",
    operation_id = "originalFeatures",
    tag = "original paths",
    params(AsOf),
    responses((status = 200, description = "markets that have a snapshot", body = AliasMarkets<AliasFeatures>))
)]
pub(crate) async fn features(
    State(app): State<SharedState>,
    Params((as_of,)): Params<(AsOf,)>,
) -> Result<Response<Body>, Problem> {
    all(app, "alias features", &as_of, AliasFeatures::new).await
}

/// Volatility of every market.
#[utoipa::path(
    get,
    path = "/api/volatility",
    operation_id = "originalVolatility",
    tag = "original paths",
    params(AsOf),
    responses((status = 200, description = "markets that have a snapshot", body = AliasMarkets<AliasVolatility>))
)]
pub(crate) async fn volatility(
    State(app): State<SharedState>,
    Params((as_of,)): Params<(AsOf,)>,
) -> Result<Response<Body>, Problem> {
    all(app, "alias volatility", &as_of, AliasVolatility::new).await
}

async fn all<T: Serialize + Send + 'static>(
    app: SharedState,
    what: &'static str,
    as_of: &AsOf,
    of: fn(&FeatureRowView, &Snapshot, Ts) -> T,
) -> Result<Response<Body>, Problem> {
    let as_of = as_of.moment(app.query.now())?;
    let generated_at = app.query.now();
    let symbols = app.read(what, move |q| markets(q, as_of, generated_at, of)).await?;
    let json = reply::json(&AliasMarkets { generated_at, symbols }).map_err(|e| app.problem(what, &e))?;
    Ok(reply::json_body(json))
}

/// What `of` makes of the newest minute of every market that has one.
fn markets<T>(
    q: &dyn Query,
    as_of: Option<Ts>,
    now: Ts,
    of: fn(&FeatureRowView, &Snapshot, Ts) -> T,
) -> Result<Vec<T>, QueryError> {
    of_every_market(q, |id| {
        let context = q.context(id, None, as_of)?;
        Ok(of(&q.latest_features(id, None, as_of)?, &context.snapshot, as_of.unwrap_or(now)))
    })
}
