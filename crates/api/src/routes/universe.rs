//! Between the markets: correlations and who leads, hour by hour; a basket judged as one; what is scheduled.

use super::paging::{Listed, PageView};
use super::{body, reply};
use crate::etag;
use crate::params::{AsOf, Paging, Params, TimeRange, parameters};
use crate::problem::Problem;
use crate::query::{Query, QueryError};
use crate::state::SharedState;
use crate::universe::{CalendarView, UniverseView};
use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, Response};
use barograph_domain::UniverseRow;
use barograph_domain::portfolio::{PortfolioRequest, PortfolioView};

/// Hours on a page: by default, and at most. An hour of twelve markets is about 100 kB of JSON.
const LIMITS: (usize, usize) = (24, 744);

parameters! {
    /// Which pair.
    pub(super) struct Pair {
        /// One pair only: two assets or markets with a comma between them, or as `asset_pair` has it.
        #[param(example = "BTC,ETH")]
        pair: Option<String>,
    }
}

fn view(row: &UniverseRow, pair: Option<&str>) -> Result<UniverseView, QueryError> {
    let view = UniverseView::of(row);
    let Some(pair) = pair else { return Ok(view) };
    let known = view.pair_names();
    view.only(pair).ok_or_else(|| QueryError::BadField {
        field: "pair".to_owned(),
        value: pair.to_owned(),
        reason: format!("pair: '{pair}' is not compared; there are {}", known.join(" and ")),
    })
}

/// The newest whole hour between the markets: correlations with their normal bands, states, and who leads.
///
/// With `as_of` the newest hour that was known then.
#[utoipa::path(
    get,
    path = "/api/v1/universe",
    operation_id = "getUniverse",
    tag = "context",
    params(Pair, AsOf),
    responses(
        (status = 200, description = "the hour", body = UniverseView),
        (status = 304, description = "the one you hold is still it (If-None-Match)")
    )
)]
pub(super) async fn latest(
    State(app): State<SharedState>,
    Params((pair, as_of)): Params<(Pair, AsOf)>,
    headers: HeaderMap,
) -> Result<Response<Body>, Problem> {
    let as_of = as_of.moment(app.query.now())?;
    let pair = pair.pair.owned();
    let json = app.read("universe", move |q| reply::json(&view(&newest(q, as_of)?, pair.as_deref())?)).await?;
    Ok(etag::answer(&headers, json))
}

fn newest(q: &dyn Query, as_of: Option<barograph_domain::Ts>) -> Result<UniverseRow, QueryError> {
    q.universe(as_of)?.ok_or(QueryError::NotCompared { as_of, newest: None })
}

/// Whole hours between the markets, ascending.
#[utoipa::path(
    get,
    path = "/api/v1/universe/history",
    operation_id = "getUniverseHistory",
    tag = "context",
    params(Pair, TimeRange, Paging, AsOf),
    responses(
        (status = 200, description = "one page, at most 744 hours, 24 by default", body = PageView<UniverseView>),
        (status = 304, description = "the one you hold is still it (If-None-Match)")
    )
)]
pub(super) async fn history(
    State(app): State<SharedState>,
    Params((listed, pair)): Params<(Listed, Pair)>,
    headers: HeaderMap,
) -> Result<Response<Body>, Problem> {
    let series = listed.series("universe ", None, app.query.now(), LIMITS, false)?;
    let pair = pair.pair.owned();
    let json = app
        .read("universe_history", move |q| {
            let page = q.universe_history(&series.window)?;
            let items = page.items.iter().map(|row| view(row, pair.as_deref())).collect::<Result<Vec<_>, _>>()?;
            reply::json(&series.view(crate::query::Page { items, more: page.more }, |v| v.timestamp))
        })
        .await?;
    Ok(etag::answer(&headers, json))
}

/// A basket judged as one: label, volatility, diversification, and which holdings are nearly one.
///
/// What is held, on which side and how large is the caller's to say; without holdings the registered positions count, and
/// without those the watch-list in equal parts. It reads; nothing is placed or kept.
#[utoipa::path(
    post,
    path = "/api/v1/portfolio",
    operation_id = "postPortfolio",
    tag = "advice",
    params(AsOf),
    request_body = PortfolioRequest,
    responses((status = 200, description = "the judgement", body = PortfolioView))
)]
pub(super) async fn portfolio(
    State(app): State<SharedState>,
    Params((as_of,)): Params<(AsOf,)>,
    headers: HeaderMap,
    sent: Body,
) -> Result<Response<Body>, Problem> {
    let asked: PortfolioRequest = body::json(&headers, sent).await?;
    let as_of = as_of.or_in_body(asked.as_of.as_deref(), app.query.now())?;
    let json = app.read("portfolio", move |q| reply::json(&q.portfolio(&asked, as_of)?)).await?;
    Ok(reply::json_body(json))
}

/// Scheduled events that are known to come, and whether one of high impact is near.
#[utoipa::path(
    get,
    path = "/api/v1/calendar",
    operation_id = "getCalendar",
    tag = "context",
    params(AsOf),
    responses((status = 200, description = "what is scheduled", body = CalendarView))
)]
pub(super) async fn calendar(
    State(app): State<SharedState>,
    Params((as_of,)): Params<(AsOf,)>,
) -> Result<Response<Body>, Problem> {
    let as_of = as_of.moment(app.query.now())?;
    let json = app.read("calendar", move |q| reply::json(&q.calendar(as_of)?)).await?;
    Ok(reply::json_body(json))
}
