//! Normalised observations of one market (payloads §1), with the moment each was known.

use super::context::instrument;
use super::paging::{Listed, PageView, Series};
use super::reply;
use super::segment::{MarketId, Segment};
use crate::alias::source_word;
use crate::etag;
use crate::params::{AsOf, Paging, Params, TimeRange, parameters};
use crate::problem::{Problem, ProblemKind};
use crate::query::{Query, QueryError};
use crate::state::SharedState;
use crate::view::{MetricPoint, StreamView};
use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, Response};
use barograph_domain::signal::SIGNAL_PREFIX;
use barograph_domain::{InstrumentName, Metric, SignalName, Ts};
use serde::Serialize;
use utoipa::ToSchema;

/// Points on a page: by default, and at most. A point is about 250 bytes of JSON.
const LIMITS: (usize, usize) = (1_000, 10_000);

/// Points of one metric, or without `metric_name` the streams there are.
#[derive(Serialize, ToSchema)]
#[serde(untagged)]
#[schema(as = MetricsAnswer)]
pub(crate) enum Answer {
    /// With `metric_name`.
    Points(PageView<MetricPoint>),
    /// With `metric_name`, where nothing of the kind has happened yet.
    Nothing(NothingView),
    /// Without.
    Streams(PageView<StreamView>),
}

/// No points, and why.
#[derive(Serialize, ToSchema)]
pub(crate) struct NothingView {
    /// Empty.
    items: Vec<MetricPoint>,
    /// Null.
    next_cursor: Option<String>,
    /// Why there are none.
    reason: &'static str,
}

/// Why a list of liquidations is empty that nobody has left out.
const NO_CLOSES: &str = "no liquidation has been recorded on this market so far";

parameters! {
    /// Which metric.
    pub(super) struct Name {
        /// What is measured. Left out: the streams this market has.
        #[param(example = "funding_rate")]
        metric_name: Option<String>,
    }
}

/// Points of one metric, ascending; without `metric_name` the streams this market has.
///
/// A metric that the venue does not offer is 404 `not-offered`, never an empty page.
#[utoipa::path(
    get,
    path = "/api/v1/markets/{id}/metrics",
    operation_id = "getMetrics",
    tag = "context",
    params(MarketId, Name, TimeRange, Paging, AsOf),
    responses(
        (status = 200, description = "one page, at most 10000 points, 1000 by default", body = Answer),
        (status = 304, description = "the one you hold is still it (If-None-Match)")
    )
)]
pub(super) async fn points(
    State(app): State<SharedState>,
    id: Segment<MarketId>,
    Params((listed, name)): Params<(Listed, Name)>,
    headers: HeaderMap,
) -> Result<Response<Body>, Problem> {
    let id = instrument(&app, "metrics", id)?;
    let now = app.query.now();
    let Some(name) = name.metric_name.owned() else {
        return streams(&app, &listed, id, now).await;
    };
    let series = listed.series(&format!("metrics {id}"), None, now, LIMITS, false)?;
    if name.starts_with(SIGNAL_PREFIX) || SignalName::is_fetched(&name) {
        return signal(&app, &headers, id, &name, series).await;
    }
    let json = app
        .read("metrics", move |q| {
            let metric = metric(q, &id, &name, series.window.as_of)?;
            let mut page = q.metrics(&id, metric, &series.window)?;
            page.items.iter_mut().for_each(|p| p.source = source_word(&p.source));
            if metric == Metric::Liquidation && page.items.is_empty() && !has(q, &id, metric, series.window.as_of)? {
                let nothing = NothingView { items: Vec::new(), next_cursor: None, reason: NO_CLOSES };
                return reply::json(&Answer::Nothing(nothing));
            }
            reply::json(&Answer::Points(series.view(page, |p| p.timestamp)))
        })
        .await?;
    Ok(etag::answer(&headers, json))
}

/// The values of a signal that somebody brought.
async fn signal(
    app: &SharedState,
    headers: &HeaderMap,
    id: InstrumentName,
    name: &str,
    series: Series,
) -> Result<Response<Body>, Problem> {
    let name = SignalName::any(name).map_err(|e| {
        Problem::new(ProblemKind::UnknownMetric, e.to_string())
            .value(name)
            .hint(format!("/api/v1/markets/{id}/signals lists those there are"))
    })?;
    let json = app
        .read("metrics", move |q| {
            let page = q.signal_points(&id, &name, &series.window)?;
            reply::json(&Answer::Points(series.view(page, |p| p.timestamp)))
        })
        .await?;
    Ok(etag::answer(headers, json))
}

async fn streams(app: &SharedState, listed: &Listed, id: InstrumentName, now: Ts) -> Result<Response<Body>, Problem> {
    if let Some(alone) = listed.given() {
        return Err(Problem::new(ProblemKind::MissingParameter, format!("'{alone}' is given without 'metric_name'"))
            .hint("add metric_name=funding_rate, or leave the others out to see what there is"));
    }
    let as_of = listed.moment(now)?;
    let json = app
        .read("metrics", move |q| {
            let items = q.streams(&id, as_of)?;
            reply::json(&Answer::Streams(PageView { items, next_cursor: None }))
        })
        .await?;
    Ok(reply::json_body(json))
}

/// Does this market have points of a metric?
fn has(q: &dyn Query, id: &InstrumentName, metric: Metric, as_of: Option<Ts>) -> Result<bool, QueryError> {
    Ok(q.streams(id, as_of)?.iter().any(|s| s.metric == metric.name() && s.newest_event.is_some()))
}

/// The metric of that name; a name no stream here has is an error that lists those there are. What the venue does not
/// offer is an error of its own unless another source has reported it: an empty page would say that nothing happened.
pub(crate) fn metric(q: &dyn Query, id: &InstrumentName, name: &str, as_of: Option<Ts>) -> Result<Metric, QueryError> {
    let streams = q.streams(id, as_of)?;
    let heard = |m: Metric| streams.iter().any(|s| s.metric == m.name() && s.newest_event.is_some());
    if let Some(metric) = Metric::from_name(name).filter(|m| !heard(*m) && q.not_offered(id, *m)) {
        return Err(QueryError::NotOffered { metric, venue: id.venue.to_string() });
    }
    // Liquidations are events: none so far is an answer, where others of the market's streams are recorded.
    let silent = |m: Metric| m == Metric::Liquidation && !streams.is_empty();
    match Metric::from_name(name).filter(|m| silent(*m) || streams.iter().any(|s| s.metric == m.name())) {
        Some(metric) => Ok(metric),
        None => {
            let mut known: Vec<String> = streams.iter().map(|s| s.metric.to_owned()).collect();
            known.dedup();
            Err(QueryError::UnknownMetric { name: name.to_owned(), known })
        }
    }
}
