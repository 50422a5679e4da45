//! What a chart of one market is drawn from, and how its streams stood.

use super::context::instrument;
use super::reply;
use super::segment::{MarketId, Segment};
use crate::chart::{BARS_MAX, ChartQuery, ChartView, ContinuityView, INTERVALS};
use crate::etag;
use crate::params::{AsOf, Given, Params, TimeRange, check_range, parameters};
use crate::problem::{Problem, ProblemKind};
use crate::query::SeriesWindow;
use crate::state::SharedState;
use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, Response};
use barograph_domain::time::DAY;
use barograph_domain::{Span, Ts};

/// Candles unless asked otherwise.
pub(super) const BARS: usize = 500;
/// Interruptions read for one answer.
const GAPS: usize = 5_000;
/// Stretch shown unless asked otherwise.
const STRETCH: Span = DAY;

parameters! {
    /// Which candles.
    pub(super) struct Candles {
        /// Length of a candle: 1m, 5m, 15m, 1h, 4h or 1d. Left out: the longest up to 1h that fills a view with what is stored.
        #[param(example = "1h")]
        interval: Option<String>,
        /// The moment before which the last candle begins. Left out: behind the newest.
        #[param(example = "2026-02-06T00:00:00Z")]
        end: Option<String>,
        /// Places for candles, from 1 to 2000. Left out: 500.
        bars: Option<usize>,
    }
}

/// Candles with labels and readings at their closes, gaps, sessions and alerts, column by column.
///
/// Candles are made from stored bars, or from trades where there are none. Where nothing was traded or heard there is no candle;
/// nothing is put in its place.
#[utoipa::path(
    get,
    path = "/api/v1/markets/{id}/chart",
    operation_id = "getChart",
    tag = "board",
    params(MarketId, Candles, AsOf),
    responses(
        (status = 200, description = "at most 2000 candles", body = ChartView),
        (status = 304, description = "the one you hold is still it (If-None-Match)")
    )
)]
pub(super) async fn candles(
    State(app): State<SharedState>,
    id: Segment<MarketId>,
    Params((candles, as_of)): Params<(Candles, AsOf)>,
    headers: HeaderMap,
) -> Result<Response<Body>, Problem> {
    let id = instrument(&app, "chart", id)?;
    let asked = asked(&candles, &as_of, app.query.now())?;
    let json = app.read("chart", move |q| q.chart(&id, &asked).and_then(|view| reply::json(&view))).await?;
    Ok(etag::answer(&headers, json))
}

fn asked(candles: &Candles, as_of: &AsOf, now: Ts) -> Result<ChartQuery, Problem> {
    let interval = candle_length(&candles.interval)?;
    let bars = candles.bars.count((BARS, BARS_MAX), "ask for fewer, or for longer candles")?;
    Ok(ChartQuery { interval, end: candles.end.instant()?, bars, as_of: as_of.moment(now)? })
}

/// The length in a parameter; `None` where it is not given.
pub(super) fn candle_length(given: &Given) -> Result<Option<Span>, Problem> {
    let Some(word) = given.text() else { return Ok(None) };
    let known = INTERVALS.iter().find(|(known, _)| *known == word).map(|(_, span)| *span);
    known.map(Some).ok_or_else(|| {
        Problem::new(ProblemKind::BadRequest, format!("interval: there are no candles of '{word}'"))
            .value(word)
            .hint("write 1m, 5m, 15m, 1h, 4h or 1d")
            .candidates(INTERVALS.map(|(known, _)| known.to_owned()).to_vec())
    })
}

/// How every stream of a market stood: stretches of LIVE, GAP, RESYNC and STALE with reasons, as stored.
#[utoipa::path(
    get,
    path = "/api/v1/markets/{id}/continuity",
    operation_id = "getContinuity",
    tag = "board",
    params(MarketId, TimeRange, AsOf),
    responses(
        (status = 200, description = "the last 24 hours by default", body = ContinuityView),
        (status = 304, description = "the one you hold is still it (If-None-Match)")
    )
)]
pub(super) async fn continuity(
    State(app): State<SharedState>,
    id: Segment<MarketId>,
    Params((range, as_of)): Params<(TimeRange, AsOf)>,
    headers: HeaderMap,
) -> Result<Response<Body>, Problem> {
    let id = instrument(&app, "continuity", id)?;
    let now = app.query.now();
    let as_of = as_of.moment(now)?;
    let (start, end) = range.instants()?;
    // Nothing is known of what comes: the present ends the stretch.
    let end = end.unwrap_or(Ts::MAX).min(as_of.unwrap_or(now));
    let start = start.unwrap_or_else(|| end - STRETCH);
    check_range(Some(start), Some(end))?;
    let window = SeriesWindow { start: Some(start), end: Some(end), every: None, skip: 0, limit: GAPS, as_of };
    let json = app.read("continuity", move |q| q.continuity(&id, &window).and_then(|view| reply::json(&view))).await?;
    Ok(etag::answer(&headers, json))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(query: &str) -> Result<ChartQuery, Problem> {
        let Params((candles, as_of)) = Params::parse(Some(query)).unwrap();
        asked(&candles, &as_of, Ts::from_secs(1))
    }

    #[test]
    fn views_are_read_strictly() {
        let usual = ChartQuery { interval: None, end: None, bars: 500, as_of: None };
        assert_eq!(of("").unwrap(), usual);
        assert_eq!(
            of("interval=1d&bars=2000").unwrap(),
            ChartQuery { interval: Some(Span::days(1)), bars: 2_000, ..usual }
        );
        for (query, kind) in [
            ("interval=2h", ProblemKind::BadRequest),
            ("bars=0", ProblemKind::BadNumber),
            ("bars=2001", ProblemKind::BadNumber),
            ("end=soon", ProblemKind::BadTime),
        ] {
            assert_eq!(of(query).unwrap_err().kind, kind, "{query}");
        }
    }
}
