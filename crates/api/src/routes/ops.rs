//! For operators and their machines: alive, ready, counted.

use crate::feeds::FeedHealth;
use crate::params::Params;
use crate::problem::{Document, Problem, ProblemKind};
use crate::query::Health;
use crate::state::SharedState;
use axum::body::Body;
use axum::extract::State;
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderValue, Response};
use axum::response::IntoResponse;
use barograph_domain::Ts;
use barograph_domain::text::number_of;
use serde::Serialize;
use utoipa::ToSchema;

/// Lost markets that are named; more are counted.
const NAMED_MAX: usize = 20;

/// Answer of `/healthz` and, when ready, `/readyz`.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct HealthView {
    /// `ok`.
    #[schema(example = "ok")]
    status: &'static str,
    /// Release of the program.
    version: String,
    /// What is amiss without making the whole unready, one sentence each: markets and streams that are lost.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    notes: Vec<String>,
}

/// The process is alive and answers.
#[utoipa::path(
    get,
    path = "/healthz",
    operation_id = "getHealth",
    tag = "operations",
    responses((status = 200, description = "alive", body = HealthView))
)]
pub(super) async fn healthz(State(app): State<SharedState>, Params(()): Params<()>) -> Result<Response<Body>, Problem> {
    Ok(ok(&app.config.version, Vec::new()))
}

/// It has something to say: the store is open, and some market has a snapshot. How old that may be is decided by what is
/// served: recorded history may be of any age. A process that listens to venues is ready as soon as the store is open,
/// whatever is lost: taking it away would hide what it knows; the notes say what is amiss.
#[utoipa::path(
    get,
    path = "/readyz",
    operation_id = "getReadiness",
    tag = "operations",
    responses(
        (status = 200, description = "ready; notes name markets that are lost, and count streams that are", body = HealthView),
        (status = 503, description = "not ready, and why", body = Document<'static>,
         content_type = "application/problem+json")
    )
)]
pub(super) async fn readyz(State(app): State<SharedState>, Params(()): Params<()>) -> Result<Response<Body>, Problem> {
    match readiness(&app.query.health(), app.query.feed_health(), app.query.now()) {
        Ok(notes) => Ok(ok(&app.config.version, notes)),
        Err(reasons) => Err(Problem::new(ProblemKind::NotReady, reasons.join("; "))
            .hint("wait for the first snapshot, or check that data still arrive")),
    }
}

/// Counters in the Prometheus text format: those of the HTTP surface, then those of the program behind it.
#[utoipa::path(
    get,
    path = "/metrics",
    operation_id = "getCounters",
    tag = "operations",
    responses((status = 200, description = "text format 0.0.4", body = String, content_type = "text/plain"))
)]
pub(super) async fn metrics(State(app): State<SharedState>, Params(()): Params<()>) -> Result<Response<Body>, Problem> {
    let mut text = app.telemetry.text(&app.query.health(), app.query.now());
    text.push_str(&app.query.metrics_text());
    Ok(exposition(text))
}

/// Counters as they go over the wire.
pub(crate) fn exposition(text: String) -> Response<Body> {
    let mut response = Response::new(Body::from(text));
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/plain; version=0.0.4; charset=utf-8"));
    response
}

/// Alive, or ready, with what there is to add.
pub(crate) fn ok(version: &str, notes: Vec<String>) -> Response<Body> {
    let view = HealthView { status: "ok", version: version.to_owned(), notes };
    match serde_json::to_vec(&view) {
        Ok(json) => {
            let mut response = Response::new(Body::from(json));
            response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
            response
        }
        Err(_unwritable) => Problem::internal().into_response(),
    }
}

/// Ready once the store is open and some market has a snapshot, younger than its gap limit where it has one (features §9). One lost
/// market among living ones is a note, not a reason to take all of them away; where venues are listened to, no lost market and no
/// lost stream is.
fn readiness(health: &Health, feeds: FeedHealth, now: Ts) -> Result<Vec<String>, Vec<String>> {
    let mut reasons = health.problems.clone();
    if !health.store_open {
        reasons.insert(0, "the store is not open yet".to_owned());
    }
    let (mut living, mut lost) = (0, Vec::new());
    for market in &health.markets {
        match market.newest.map(|newest| now - newest) {
            None => lost.push(format!("{} has no snapshot", market.instrument)),
            Some(age) => match market.gap_alert.filter(|limit| age > *limit) {
                Some(limit) => lost.push(format!(
                    "the newest snapshot of {} is {} old (limit {})",
                    market.instrument,
                    age.spoken(),
                    limit.spoken()
                )),
                None => living += 1,
            },
        }
    }
    let more = lost.len().saturating_sub(NAMED_MAX);
    if more > 0 {
        lost.truncate(NAMED_MAX);
        lost.push(format!("{} {} lost", number_of(more, "more market"), if more == 1 { "is" } else { "are" }));
    }
    if feeds.lost > 0 {
        lost.insert(0, of_all(feeds.lost, feeds.feeds));
    }
    if feeds.feeds == 0 {
        if health.markets.is_empty() {
            reasons.push("there is no market yet".to_owned());
        }
        if living == 0 {
            reasons.append(&mut lost);
        }
    }
    if reasons.is_empty() { Ok(lost) } else { Err(reasons) }
}

/// "3 of 12 streams are not live"
fn of_all(lost: usize, all: usize) -> String {
    format!("{lost} of {} {} not live", number_of(all, "stream"), if lost == 1 { "is" } else { "are" })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::query::MarketHealth;
    use barograph_domain::{InstrumentName, Span};

    fn check(store_open: bool, ages: &[Option<Span>]) -> Result<Vec<String>, Vec<String>> {
        check_live(store_open, ages, FeedHealth::default())
    }

    fn check_live(store_open: bool, ages: &[Option<Span>], feeds: FeedHealth) -> Result<Vec<String>, Vec<String>> {
        let now = Ts::from_civil(2026, 2, 5, 12, 0, 0);
        let markets = ages
            .iter()
            .enumerate()
            .map(|(i, age)| MarketHealth {
                instrument: InstrumentName::new("okx", &format!("M{i}")).unwrap(),
                newest: age.map(|a| now - a),
                gap_alert: Some(Span::hours(2)),
            })
            .collect();
        readiness(&Health { store_open, problems: Vec::new(), markets }, feeds, now)
    }

    #[test]
    fn ready_means_that_some_market_lives() {
        let (young, old) = (Some(Span::mins(1)), Some(Span::hours(3)));
        assert_eq!(check(true, &[young]), Ok(vec![]));
        assert_eq!(check(true, &[Some(Span::hours(2))]), Ok(vec![]));
        assert_eq!(check(true, &[young, old]), Ok(vec!["the newest snapshot of okx:M1 is 3 h old (limit 2 h)".into()]));
        assert_eq!(check(true, &[old, None]).map_err(|r| r.len()), Err(2));
        assert_eq!(check(true, &[]), Err(vec!["there is no market yet".into()]));
        assert_eq!(check(false, &[young]), Err(vec!["the store is not open yet".into()]));
    }

    #[test]
    fn whoever_listens_is_ready_and_says_what_is_lost() {
        let (young, old) = (Some(Span::mins(1)), Some(Span::hours(3)));
        let lost = |lost| FeedHealth { feeds: 24, lost };
        assert_eq!(check_live(true, &[young], lost(0)), Ok(vec![]));
        assert_eq!(check_live(true, &[young], lost(3)), Ok(vec!["3 of 24 streams are not live".into()]));
        assert_eq!(check_live(true, &[], lost(24)), Ok(vec!["24 of 24 streams are not live".into()]));
        assert_eq!(check_live(true, &[old, None], lost(1)).map(|notes| notes.len()), Ok(3));
        assert_eq!(check_live(false, &[young], lost(0)), Err(vec!["the store is not open yet".into()]));
        let notes = check_live(true, &[None; 1_000], lost(1)).unwrap();
        assert_eq!((notes.len(), notes[21].as_str()), (22, "980 more markets are lost"));
    }
}
