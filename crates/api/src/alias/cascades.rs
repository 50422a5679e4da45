//! The original path that answers with cascades and liquidations by hour.

use crate::events::{AliasCascades, SEED4_CHANGES};
use crate::params::{AsOf, Params};
use crate::problem::Problem;
use crate::query::{EventFilter, Query, QueryError, SeriesWindow};
use crate::routes::liquidations::{HoursBack, series};
use crate::routes::reply;
use crate::state::SharedState;
use axum::body::Body;
use axum::extract::State;
use axum::http::Response;
use barograph_domain::{Pattern, Span, Ts};
use std::collections::BTreeSet;

/// Cascades read at a time.
const PAGE: usize = 500;

/// Liquidation cascades of the last hours, and liquidations by hour (payloads §4).
///
/// Each episode once, as it was when it was last told to open or to have grown. Hours count back from `as_of`, or from now. The
/// series has exactly so many whole hours of UTC and ends with the last one that was over then: 24 at 14:35 are those from 14:00
/// of the day before to 14:00. An hour in which nobody listened is null, with the reason.
#[utoipa::path(
    get,
    path = "/api/cascades",
    operation_id = "originalCascades",
    tag = "original paths",
    params(HoursBack, AsOf),
    responses((status = 200, description = "cascades and the series they are made of", body = AliasCascades))
)]
pub(crate) async fn cascades(
    State(app): State<SharedState>,
    Params((hours, as_of)): Params<(HoursBack, AsOf)>,
) -> Result<Response<Body>, Problem> {
    let hours = hours.wanted("/api/v1/events")?;
    let now = app.query.now();
    let as_of = as_of.moment(now)?;
    let found = app.read("alias cascades", move |q| recent_cascades(q, hours, as_of.unwrap_or(now), as_of)).await?;
    let json = reply::json(&found).map_err(|e| app.problem("alias cascades", &e))?;
    Ok(reply::json_body(json))
}

fn recent_cascades(q: &dyn Query, hours: u32, at: Ts, as_of: Option<Ts>) -> Result<AliasCascades, QueryError> {
    let start = at - Span::hours(hours.into());
    let filter = EventFilter {
        patterns: vec![Pattern::LiquidationCascade],
        changes: SEED4_CHANGES.to_vec(),
        newest_first: true,
        ..EventFilter::default()
    };
    let mut window =
        SeriesWindow { start: Some(start), end: Some(at + Span(1)), every: None, skip: 0, limit: PAGE, as_of };
    let (mut seen, mut events) = (BTreeSet::new(), Vec::new());
    loop {
        let page = q.events(None, None, &filter, &window)?;
        let last = page.items.last().map(|e| e.known_at);
        for event in &page.items {
            if seen.insert((event.alert_id.clone(), event.instrument.clone())) {
                events.extend(event.seed4());
            }
        }
        match last.filter(|_| page.more) {
            Some(t) => {
                let again = page.items.iter().rev().take_while(|e| e.known_at == t).count();
                let before = if window.end == Some(t + Span(1)) { window.skip } else { 0 };
                (window.end, window.skip) = (Some(t + Span(1)), before + again);
            }
            None => break,
        }
    }
    Ok(AliasCascades { hours, count: events.len(), events, series: series(q, hours, at, as_of)? })
}
