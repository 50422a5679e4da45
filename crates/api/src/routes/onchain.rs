//! Readings of on-chain and sentiment sources.

use super::events::Market;
use super::reply;
use crate::etag;
use crate::onchain::OnchainView;
use crate::params::{AsOf, Params};
use crate::problem::Problem;
use crate::state::SharedState;
use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, Response};

/// On-chain and sentiment readings as known at a moment: TVL, exchange flows, realised capitalisation, volume, stablecoins, sentiment.
///
/// They stand beside: no label, alert or forecast is computed from them. A reading without a number says why.
#[utoipa::path(
    get,
    path = "/api/v1/onchain",
    operation_id = "getOnchain",
    tag = "context",
    params(Market, AsOf),
    responses(
        (status = 200, description = "the readings", body = OnchainView),
        (status = 304, description = "the one you hold is still it (If-None-Match)")
    )
)]
pub(super) async fn now(
    State(app): State<SharedState>,
    Params((market, as_of)): Params<(Market, AsOf)>,
    headers: HeaderMap,
) -> Result<Response<Body>, Problem> {
    let as_of = as_of.moment(app.query.now())?;
    let resolve = |name| app.query.resolve(name, false).map_err(|e| app.problem("onchain", &e));
    let id = market.market.text().map(resolve).transpose()?;
    let json = app.read("onchain", move |q| reply::json(&q.onchain(id.as_ref(), as_of)?)).await?;
    Ok(etag::answer(&headers, json))
}
