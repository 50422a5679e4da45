//! Options of one currency: volatility index, term structure, skew, and what they have above the realised volatility.

use super::reply;
use super::segment::{Segment, read};
use crate::etag;
use crate::options::OptionsView;
use crate::params::{AsOf, Params, parameters};
use crate::problem::{Problem, ProblemKind};
use crate::state::SharedState;
use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, Response};
use barograph_domain::OptionCurrency;
use serde::Deserialize;
use utoipa::IntoParams;

const EXAMPLE: &str = "name a base currency, as in /api/v1/options/BTC";

/// Which currency.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
pub(crate) struct OptionsOf {
    /// Base currency.
    #[param(example = "BTC")]
    currency: String,
}

parameters! {
    /// Beside which market.
    pub(super) struct Beside {
        /// Market whose realised volatility is taken: `venue:symbol`, or a bare symbol where only one market answers to it. Left out: the
        /// perpetual contract of the same venue where it is recorded, else the currency against USDT.
        #[param(example = "binance-usdm:BTCUSDT")]
        market: Option<String>,
    }
}

/// Implied volatility of a currency's options: the venue's index, at the money by maturity, skew, and the variance premium.
///
/// Fetched from Deribit once an hour while one of its markets is recorded, or by `barograph options fetch`. Every number has its moment
/// and age, or a reason why there is none. No label, alert or forecast is computed from them.
#[utoipa::path(
    get,
    path = "/api/v1/options/{currency}",
    operation_id = "getOptions",
    tag = "context",
    params(OptionsOf, Beside, AsOf),
    responses(
        (status = 200, description = "what is known of them", body = OptionsView),
        (status = 304, description = "the one you hold is still it (If-None-Match)")
    )
)]
pub(super) async fn of_currency(
    State(app): State<SharedState>,
    currency: Segment<OptionsOf>,
    Params((beside, as_of)): Params<(Beside, AsOf)>,
    headers: HeaderMap,
) -> Result<Response<Body>, Problem> {
    let text = read(currency, "currency", EXAMPLE)?.currency;
    let currency = OptionCurrency::parse(&text)
        .map_err(|why| Problem::new(ProblemKind::BadWord, why).value(text.as_str()).hint(EXAMPLE))?;
    let market = beside.market.text().map(|name| app.query.resolve(name, false)).transpose();
    let market = market.map_err(|e| app.problem("options", &e))?;
    let as_of = as_of.moment(app.query.now())?;
    let json = app.read("options", move |q| reply::json(&q.options(&currency, market.as_ref(), as_of)?)).await?;
    Ok(etag::answer(&headers, json))
}
