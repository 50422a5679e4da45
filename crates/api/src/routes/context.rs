//! The context of one market: the newest snapshot, and snapshots of the past.

use crate::etag;
use crate::params::Params;
use crate::problem::{Problem, ProblemKind};
use crate::state::Shared;
use axum::body::Body;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, RawQuery, State};
use axum::http::{HeaderMap, Response};
use barograph_domain::InstrumentName;

/// The instrument a path names.
pub(crate) fn instrument(
    app: &Shared,
    route: &'static str,
    id: Result<Path<String>, PathRejection>,
) -> Result<InstrumentName, Problem> {
    let Path(name) = id.map_err(|_rejected| {
        Problem::new(ProblemKind::BadRequest, "the symbol in the path is not percent-encoded UTF-8")
            .hint("write it as in /api/v1/markets/binance-usdm:BTCUSDT/context")
    })?;
    app.query.resolve(&name, false).map_err(|e| app.problem(route, &e))
}

pub(super) async fn latest(
    State(app): State<Shared>,
    id: Result<Path<String>, PathRejection>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Result<Response<Body>, Problem> {
    let params = Params::parse(query.as_deref(), &["as_of", "book"])?;
    let id = instrument(&app, "context", id)?;
    let as_of = params.as_of(app.query.now())?;
    let rendered = match (as_of, params.text("book").map(str::to_owned)) {
        // From memory, on this thread.
        (None, None) => app.query.context(&id, None, None).map_err(|e| app.problem("context", &e))?,
        (as_of, book) => app.read("context", move |q| q.context(&id, book.as_deref(), as_of)).await?,
    };
    Ok(etag::respond(&headers, rendered.json, &rendered.etag))
}
