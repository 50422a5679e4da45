//! Decisions on paper, a week at a time.

use super::reply;
use crate::etag;
use crate::params::{AsOf, Params, parameters};
use crate::problem::Problem;
use crate::state::SharedState;
use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, Response};
use barograph_domain::paper::PaperView;

parameters! {
    /// Which week.
    pub(super) struct OfWeek {
        /// ISO week; absent: that of the newest decision.
        #[param(example = "2026-W08")]
        week: Option<String>,
    }
}

/// What `barograph paper` decided in a week, and what came of it.
///
/// Taken and skipped entries by verdict and confidence with their outcomes, every decision, and how often none was made. Results are
/// those of bars, in units of risk; no order stands behind any of them. Without a log there are no weeks.
#[utoipa::path(
    get,
    path = "/api/v1/paper",
    operation_id = "getPaper",
    tag = "advice",
    params(OfWeek, AsOf),
    responses(
        (status = 200, description = "the week", body = PaperView),
        (status = 304, description = "the one you hold is still it (If-None-Match)")
    )
)]
pub(super) async fn week(
    State(app): State<SharedState>,
    Params((of, as_of)): Params<(OfWeek, AsOf)>,
    headers: HeaderMap,
) -> Result<Response<Body>, Problem> {
    let as_of = as_of.moment(app.query.now())?;
    let week = of.week.owned();
    let json = app.read("paper", move |q| reply::json(&q.paper(week.as_deref(), as_of)?)).await?;
    Ok(etag::answer(&headers, json))
}
