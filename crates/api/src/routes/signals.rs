//! Signals of one market: what there is, and bringing more.

use super::chart::{BARS, candle_length};
use super::context::instrument;
use super::segment::{MarketId, Segment};
use super::{body, reply};
use crate::chart::BARS_MAX;
use crate::etag;
use crate::params::{AsOf, Params, parameters};
use crate::problem::{Problem, ProblemKind};
use crate::signals::{NewSignalPoint, SignalBarsQuery, SignalBarsView, SignalsTaken, SignalsView};
use crate::state::SharedState;
use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, Response};
use barograph_domain::{SignalName, Span, Ts};

/// Signals of one answer: as many panes as anybody could read.
const NAMES_MAX: usize = 8;
/// Candles unless asked otherwise.
const INTERVAL: Span = Span::hours(1);

parameters! {
    /// Which signals, at which candles.
    pub(super) struct SignalCandles {
        /// Names, separated by commas, 8 at most. Left out: what there is to draw is listed.
        #[param(example = "x.desk_flow,deribit.dvol")]
        names: Option<String>,
        /// Length of a candle: 1m, 5m, 15m, 1h, 4h or 1d. Left out: 1h.
        #[param(example = "1h")]
        interval: Option<String>,
        /// The moment before which the last candle begins. Left out: now.
        #[param(example = "2026-02-06T00:00:00Z")]
        end: Option<String>,
        /// Places for candles, from 1 to 2000. Left out: 500.
        bars: Option<usize>,
    }
}

/// The signals that speak of this market: newest value, age, change in a day, score against a week, rank in a month.
///
/// Their values are `/metrics?metric_name=x.…`. A signal is somebody's own number: nothing of barograph is computed from it.
#[utoipa::path(
    get,
    path = "/api/v1/markets/{id}/signals",
    operation_id = "listSignals",
    tag = "context",
    params(MarketId, AsOf),
    responses(
        (status = 200, description = "its signals", body = SignalsView),
        (status = 304, description = "the one you hold is still it (If-None-Match)")
    )
)]
pub(super) async fn list(
    State(app): State<SharedState>,
    id: Segment<MarketId>,
    Params((as_of,)): Params<(AsOf,)>,
    headers: HeaderMap,
) -> Result<Response<Body>, Problem> {
    let id = instrument(&app, "signals", id)?;
    let as_of = as_of.moment(app.query.now())?;
    let json = app.read("signals", move |q| reply::json(&q.signals(&id, as_of)?)).await?;
    Ok(etag::answer(&headers, json))
}

/// Signals at the candles of a chart: at each close the newest value that was known by then.
///
/// A value enters at the moment since when it was known, never at the moment it is of, and a revision at its own; so answers of now and
/// `as_of` agree on every candle that was over. A name that does not speak of this market is left out.
#[utoipa::path(
    get,
    path = "/api/v1/markets/{id}/signals/bars",
    operation_id = "getSignalBars",
    tag = "context",
    params(MarketId, SignalCandles, AsOf),
    responses(
        (status = 200, description = "at most 2000 candles", body = SignalBarsView),
        (status = 304, description = "the one you hold is still it (If-None-Match)")
    )
)]
pub(super) async fn bars(
    State(app): State<SharedState>,
    id: Segment<MarketId>,
    Params((candles, as_of)): Params<(SignalCandles, AsOf)>,
    headers: HeaderMap,
) -> Result<Response<Body>, Problem> {
    let id = instrument(&app, "signals/bars", id)?;
    let asked = asked(&candles, &as_of, app.query.now())?;
    let json = app.read("signals", move |q| reply::json(&q.signal_bars(&id, &asked)?)).await?;
    Ok(etag::answer(&headers, json))
}

fn asked(candles: &SignalCandles, as_of: &AsOf, now: Ts) -> Result<SignalBarsQuery, Problem> {
    let names = candles.names.words().map(SignalName::any).collect::<Result<Vec<_>, _>>();
    let names = names.map_err(|e| {
        Problem::new(ProblemKind::BadRequest, format!("names: {e}"))
            .value(candles.names.text().unwrap_or_default())
            .hint("/api/v1/markets/{id}/signals lists those there are")
    })?;
    if names.len() > NAMES_MAX {
        return Err(Problem::new(
            ProblemKind::BadRequest,
            format!("names: {} of them, at most {NAMES_MAX}", names.len()),
        )
        .hint("ask for the others in a second request"));
    }
    let interval = candle_length(&candles.interval)?.unwrap_or(INTERVAL);
    let bars = candles.bars.count((BARS, BARS_MAX), "ask for fewer, or for longer candles")?;
    Ok(SignalBarsQuery { names, interval, end: candles.end.instant()?, bars, as_of: as_of.moment(now)? })
}

/// Brings values of your own: one point, a list, JSON lines, or CSV with a header.
///
/// All are stored, or none. A value that is there already changes nothing, so a request may be repeated; another value of the same
/// moment from the same source is a revision, and answers as of before keep the earlier one. At most 5,000 values and 1 MiB.
#[utoipa::path(
    post,
    path = "/api/v1/markets/{id}/metrics",
    operation_id = "putMetrics",
    tag = "context",
    params(MarketId),
    request_body(content(
        (Vec<NewSignalPoint> = "application/json"),
        (NewSignalPoint = "application/x-ndjson"),
        (String = "text/csv")
    )),
    responses((status = 200, description = "what became of them", body = SignalsTaken))
)]
pub(super) async fn put(
    State(app): State<SharedState>,
    id: Segment<MarketId>,
    Params(()): Params<()>,
    headers: HeaderMap,
    sent: Body,
) -> Result<Response<Body>, Problem> {
    let id = instrument(&app, "metrics", id)?;
    let text = body::text(&headers, sent, &["application/json", "application/x-ndjson", "text/csv"]).await?;
    let json = app.read("metrics", move |q| reply::json(&q.put_signals(&id, &text)?)).await?;
    Ok(reply::json_body(json))
}
