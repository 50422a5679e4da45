//! All streams of a live process with what carries them, from memory.

use super::reply;
use crate::cursor::CursorPosition;
use crate::feeds::{FeedFilter, FeedsView};
use crate::params::{Bound, Params, parameters};
use crate::problem::{Problem, ProblemKind};
use crate::state::SharedState;
use axum::body::Body;
use axum::extract::State;
use axum::http::Response;
use barograph_domain::{StatusState, Ts};

/// Streams on a page: by default, and at most. A stream is about 400 bytes of JSON.
const LIMITS: (usize, usize) = (200, 1_000);

const STATES: [(&str, StatusState); 5] = [
    ("LIVE", StatusState::Live),
    ("GAP", StatusState::Gap),
    ("RESYNC", StatusState::Resync),
    ("STALE", StatusState::Stale),
    ("NOT_OFFERED", StatusState::NotOffered),
];

parameters! {
    /// Which streams.
    pub(super) struct Filter {
        /// Only streams of this venue.
        #[param(example = "binance-usdm")]
        venue: Option<String>,
        /// Only streams in this state: LIVE, GAP, RESYNC, STALE or NOT_OFFERED.
        #[param(example = "GAP")]
        state: Option<String>,
        /// Only streams of this market.
        #[param(example = "binance-usdm:BTCUSDT")]
        market: Option<String>,
        /// Streams on a page.
        limit: Option<usize>,
        /// `next_cursor` of the page before, with all other parameters as they were.
        cursor: Option<String>,
    }
}

/// Every stream with its continuity, and per venue connections, lag, rate budgets, queues and the newest error.
///
/// Answered from memory, and only of the present: it takes no `as_of`, and no two answers are the same. A process that
/// listens to nothing answers 404 `not-live`.
#[utoipa::path(
    get,
    path = "/api/v1/feeds",
    operation_id = "listFeeds",
    tag = "live",
    params(Filter),
    responses((status = 200, description = "one page, at most 1000 streams, 200 by default", body = FeedsView))
)]
pub(super) async fn list(
    State(app): State<SharedState>,
    Params((filter, bound)): Params<(Filter, Bound)>,
) -> Result<Response<Body>, Problem> {
    let fingerprint = bound.fingerprint("feeds");
    let filter = wanted(&app, filter, &fingerprint)?;
    let mut view = app.query.feeds(&filter).map_err(|e| app.problem("feeds", &e))?;
    if view.venues.is_empty()
        && let Some(problem) = filter.venue.as_ref().and_then(|name| unknown_venue(&app, name))
    {
        return Err(problem);
    }
    // The place in the list stands where series have the rows at one instant.
    view.next_cursor = view.next.map(|place| CursorPosition { ts: Ts(0), skip: place }.encode(&fingerprint));
    let json = reply::json(&view).map_err(|e| app.problem("feeds", &e))?;
    Ok(reply::json_body(json))
}

fn wanted(app: &SharedState, filter: Filter, fingerprint: &str) -> Result<FeedFilter, Problem> {
    let market = filter.market.text().map(|name| app.query.resolve(name, false)).transpose();
    let from = filter.cursor.text().map(|text| CursorPosition::decode(text, fingerprint)).transpose()?;
    Ok(FeedFilter {
        state: filter.state.text().map(state).transpose()?,
        market: market.map_err(|e| app.problem("feeds", &e))?,
        from: from.map_or(0, |position| position.skip),
        limit: filter.limit.limit(LIMITS)?,
        venue: filter.venue.owned(),
    })
}

fn state(text: &str) -> Result<StatusState, Problem> {
    match STATES.iter().find(|(word, _)| word.eq_ignore_ascii_case(text)) {
        Some((_, state)) => Ok(*state),
        None => Err(Problem::new(ProblemKind::BadWord, format!("state: '{text}' is no state of a stream"))
            .value(text)
            .hint("name one of the candidates")
            .candidates(STATES.iter().map(|(word, _)| (*word).to_owned()).collect())),
    }
}

/// The problem with a venue nobody listens to; none where only the other conditions exclude it.
fn unknown_venue(app: &SharedState, name: &str) -> Option<Problem> {
    let all = app.query.feeds(&FeedFilter::all(1)).map(|view| view.venues).unwrap_or_default();
    let known: Vec<String> = all.into_iter().map(|v| v.venue).collect();
    let problem = || {
        Problem::new(ProblemKind::UnknownVenue, format!("this process is not connected to a venue '{name}'"))
            .value(name)
            .hint("name one of the candidates, or leave venue out")
    };
    (!known.iter().any(|k| k == name)).then(|| problem().candidates(known))
}
